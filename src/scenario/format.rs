//! One layout for all scenario files.
//!
//! Knows lines, blanks and comments. Does not know statements: where a line begins and how far to
//! the right is what the parser noted while it read the file. Nothing is broken into lines or
//! joined from several but what the grammar says is one line; all tokens stay.

use super::ast::Span;
use super::parser::{self, Kind, Layout, ParseError, Read, Token};

/// Blanks of one step to the right.
const INDENT: usize = 4;

/// Lays a scenario out: a statement a line, four blanks a block, comments and single blank lines
/// kept. What it returns is laid out already, and means the same.
///
/// ```
/// let untidy = "mutex m;thread t{lock m # mine\n\n\n  unlock m}";
/// let tidy = "mutex m\nthread t {\n    lock m  # mine\n\n    unlock m\n}\n";
/// assert_eq!(gordian::scenario::format(untidy).as_deref(), Ok(tidy));
/// assert_eq!(gordian::scenario::format(tidy).as_deref(), Ok(tidy));
/// ```
///
/// # Errors
/// When the text is not a scenario.
pub fn format(source: &str) -> Result<String, ParseError> {
    let Read {
        tokens,
        comments,
        layout,
        ..
    } = parser::read(source).map_err(parser::first)?;
    let mut rows = rows(&tokens, &layout);
    let last = place_comments(source, &mut rows, &comments);
    let newlines = source.match_indices('\n');
    let mut page = Page {
        source,
        lines: newlines.map(|(newline, _)| newline + 1).collect(),
        layout: &layout,
        text: String::with_capacity(source.len()),
        open: true,
        block: (0, 0),
    };
    for row in &close_empty_blocks(rows) {
        page.row(row);
    }
    for comment in last {
        page.comment(comment, 0, page.has_blank_line_before(comment));
    }
    Ok(page.text)
}

/// A line of code.
struct Row {
    /// Steps to the right.
    indent: u32,
    /// With the number of each.
    tokens: Vec<(usize, Token)>,
    /// On lines of their own before it.
    before: Vec<Span>,
    /// Behind it.
    behind: Option<Span>,
}

impl Row {
    fn begins_with(&self, kind: Kind) -> bool {
        self.tokens
            .first()
            .is_some_and(|(_, token)| token.kind == kind)
    }

    fn start(&self) -> u32 {
        self.tokens.first().map_or(0, |(_, token)| token.span.start)
    }

    fn end(&self) -> u32 {
        self.tokens.last().map_or(0, |(_, token)| token.span.end)
    }
}

/// The lines of code, without comments.
fn rows(tokens: &[Token], layout: &Layout) -> Vec<Row> {
    let ends = layout.lines.iter().skip(1).map(|&(end, _)| end);
    let ends = ends.chain([tokens.len()]);
    let begins = layout.lines.iter();
    begins
        .zip(ends)
        .map(|(&(start, indent), end)| Row {
            indent,
            tokens: (start..end)
                .map(|number| (number, tokens[number]))
                .filter(|(_, token)| {
                    !matches!(token.kind, Kind::Newline | Kind::Semicolon | Kind::End)
                })
                .collect(),
            before: Vec::new(),
            behind: None,
        })
        .filter(|row| !row.tokens.is_empty())
        .collect()
}

/// Gives each comment to a line; those after the last line are returned.
fn place_comments(source: &str, rows: &mut [Row], comments: &[Span]) -> Vec<Span> {
    let mut last = Vec::new();
    let mut next = 0;
    for &comment in comments {
        while rows.get(next).is_some_and(|row| row.end() <= comment.start) {
            next += 1;
        }
        let same_line = |row: &&mut Row| {
            let between = &source[row.end() as usize..comment.start as usize];
            !between.contains('\n')
        };
        let previous = next.checked_sub(1).and_then(|index| rows.get_mut(index));
        if let Some(row) = previous.filter(same_line)
            && row.behind.is_none()
        {
            row.behind = Some(comment);
        } else if let Some(row) = rows.get_mut(next) {
            row.before.push(comment);
        } else {
            last.push(comment);
        }
    }
    last
}

/// Puts the `}` of a block that has neither statements nor comments behind its `{`.
fn close_empty_blocks(rows: Vec<Row>) -> Vec<Row> {
    let mut closed: Vec<Row> = Vec::with_capacity(rows.len());
    for row in rows {
        let opened = closed.last_mut().filter(|before| {
            let last = before.tokens.last();
            before.behind.is_none() && last.is_some_and(|(_, it)| it.kind == Kind::OpenBrace)
        });
        match opened {
            Some(before) if row.before.is_empty() && row.begins_with(Kind::CloseBrace) => {
                before.tokens.extend(row.tokens);
                before.behind = row.behind;
            }
            _ => closed.push(row),
        }
    }
    closed
}

/// What has been laid out so far.
struct Page<'a> {
    source: &'a str,
    /// Where each line but the first begins.
    lines: Vec<usize>,
    layout: &'a Layout,
    text: String,
    /// Whether a block, or the file, begins with the next line.
    open: bool,
    /// The line of code before: steps to the right of what follows in its block, and where in the
    /// source a comment has to stand at least, in bytes of its line, to belong to that block.
    block: (u32, usize),
}

impl Page<'_> {
    fn row(&mut self, row: &Row) {
        let closes = row.begins_with(Kind::CloseBrace);
        // What stands before the end of a block belongs to the block.
        let outside = row.indent + u32::from(closes);
        let moved = |comment: &Span| comment.start > row.start();
        let mut first = true;
        for &comment in &row.before {
            // One from the midst of the line has the blank line that was before the line.
            let blank = if moved(&comment) {
                first && self.is_blank_before(row.start())
            } else {
                self.has_blank_line_before(comment)
            };
            // The end of a case is not written: what stands no less far to the right belongs to it.
            let (inside, column) = self.block;
            let belongs = inside > outside && self.column(comment.start) >= column;
            let indent = if belongs { inside } else { outside };
            self.comment(comment, indent, blank);
            first = false;
        }
        let above_moved = row.before.last().is_some_and(moved);
        let blank = !closes && !above_moved && self.is_blank_before(row.start());
        self.begin(row.indent, blank);
        for (index, &(number, token)) in row.tokens.iter().enumerate() {
            if index > 0 && self.is_apart(row.tokens[index - 1], (number, token)) {
                self.text.push(' ');
            }
            let span = token.span.start as usize..token.span.end as usize;
            self.text.push_str(&self.source[span]);
        }
        if let Some(comment) = row.behind {
            self.text.push_str("  ");
            self.push(comment);
        }
        self.text.push('\n');
        let opens = |kind: Kind| matches!(kind, Kind::OpenBrace | Kind::Colon);
        self.open = row
            .tokens
            .last()
            .is_some_and(|(_, token)| opens(token.kind));
        let step = u32::from(self.open);
        self.block = (row.indent + step, self.column(row.start()) + step as usize);
    }

    /// How many bytes of its line are before a place.
    fn column(&self, start: u32) -> usize {
        let start = start as usize;
        let line = self.lines.partition_point(|&line| line <= start);
        start - line.checked_sub(1).map_or(0, |line| self.lines[line])
    }

    fn comment(&mut self, comment: Span, indent: u32, blank: bool) {
        self.begin(indent, blank);
        self.push(comment);
        self.text.push('\n');
        self.open = false;
    }

    fn begin(&mut self, indent: u32, blank: bool) {
        if blank && !self.open {
            self.text.push('\n');
        }
        for _ in 0..indent as usize * INDENT {
            self.text.push(' ');
        }
    }

    fn push(&mut self, span: Span) {
        let text = &self.source[span.start as usize..span.end as usize];
        self.text.push_str(text);
    }

    fn has_blank_line_before(&self, comment: Span) -> bool {
        self.is_blank_before(comment.start)
    }

    /// Whether the line above this place has nothing on it.
    fn is_blank_before(&self, start: u32) -> bool {
        let before = self.source[..start as usize].bytes().rev();
        let newlines = before
            .take_while(|byte| byte.is_ascii_whitespace() || *byte == b';')
            .filter(|&byte| byte == b'\n');
        newlines.take(2).count() == 2
    }

    /// Whether there is a blank between two tokens of a line.
    fn is_apart(&self, left: (usize, Token), right: (usize, Token)) -> bool {
        let is_in = |numbers: &[usize], number| numbers.binary_search(&number).is_ok();
        let joined = is_in(&self.layout.joints, left.0)
            || is_in(&self.layout.joints, right.0)
            || is_in(&self.layout.prefixes, left.0);
        let clings = matches!(right.1.kind, Kind::Comma | Kind::Colon | Kind::CloseRound)
            || left.1.kind == Kind::OpenRound
            || (left.1.kind == Kind::OpenBrace && right.1.kind == Kind::CloseBrace);
        !joined && !clings
    }
}
