//! How much room there is to draw in, and with which signs.
//!
//! Knows the terminal's width and what stands for what in ASCII. Does not know what is drawn.

use annotate_snippets::Renderer;
use annotate_snippets::renderer::DecorStyle;

use crate::args::{DrawingArgs, ReportKind};

/// As long as nobody says how wide the page is.
const COLUMNS: usize = 80;
/// Narrower ones are not kept to, and wider ones not used: lines would be too long to read.
const COLUMNS_MIN: usize = 20;
const COLUMNS_MAX: usize = 120;

/// What findings are drawn on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Canvas {
    /// Of a line at most.
    pub(super) columns: usize,
    /// Whether only ASCII signs are drawn; names stay as they are.
    pub(super) ascii: bool,
    /// Whether there are sentences instead of drawings.
    pub(super) prose: bool,
}

impl Canvas {
    /// As the command line and the terminal want it.
    pub(super) fn of(drawing: &DrawingArgs) -> Self {
        let said = std::env::var("COLUMNS")
            .ok()
            .and_then(|text| text.parse().ok());
        let terminal = || terminal_size::terminal_size_of(std::io::stdout());
        let columns = said.or_else(|| terminal().map(|(width, _)| usize::from(width.0)));
        Canvas {
            columns: columns.unwrap_or(COLUMNS).clamp(COLUMNS_MIN, COLUMNS_MAX),
            ascii: drawing.ascii,
            prose: drawing.report == ReportKind::Plain,
        }
    }

    /// What draws the sources.
    pub(super) fn renderer(self) -> Renderer {
        let decor = match self.ascii {
            true => DecorStyle::Ascii,
            false => DecorStyle::Unicode,
        };
        Renderer::styled()
            .decor_style(decor)
            .term_width(self.columns)
    }

    /// A text with the signs that are wanted. Each is as wide as what it stands for, so that
    /// columns stay where they are.
    pub(super) fn signs(self, text: &str) -> String {
        if !self.ascii {
            return text.to_owned();
        }
        text.chars()
            .map(|c| match c {
                '→' => '>',
                '·' => '.',
                '⋮' => ':',
                '…' => '~',
                '≤' => '<',
                '⁰' => '0',
                '¹' => '1',
                '²' => '2',
                '³' => '3',
                '⁴'..='⁹' => char::from(b'4' + (c as u32 - '⁴' as u32) as u8),
                other => other,
            })
            .collect()
    }
}

#[cfg(test)]
impl Default for Canvas {
    fn default() -> Self {
        Canvas {
            columns: COLUMNS,
            ascii: false,
            prose: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_signs_take_the_same_room() {
        let canvas = Canvas {
            ascii: true,
            ..Canvas::default()
        };
        let text = "a → b · ⋮ … ≤ 3 счёт";
        let signs = canvas.signs(text);
        assert_eq!(signs, "a > b . : ~ < 3 счёт");
        assert_eq!(signs.chars().count(), text.chars().count());
        assert_eq!(Canvas::default().signs(text), text);
    }
}
