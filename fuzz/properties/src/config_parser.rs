//! Any text is a configuration or is refused at a place inside of it.

use cargo_gordian::private::config;

use crate::Seen;

/// A comment at the end changes nothing; a line at the beginning moves the place of an error.
///
/// # Panics
/// When that is not so.
pub fn config_parser(bytes: &[u8]) -> Seen {
    // At the beginning, and only there, a byte order mark is no part of the text.
    let text = str::from_utf8(bytes).ok();
    let Some(text) = text.filter(|text| !text.starts_with('\u{feff}')) else {
        return Seen::Refused;
    };
    match config(text) {
        Ok(read) => {
            let again = config(&format!("# before\n{text}\n# after\n"));
            assert_eq!(again.as_ref(), Ok(&read), "comments change it");
            Seen::All
        }
        Err(error) => {
            let lower = config(&format!("\n{text}")).expect_err("a blank line mends nothing");
            let moved = error.place().map(|(line, column)| (line + 1, column));
            assert_eq!(lower.place(), moved, "{error}");
            if let Some((line, column)) = error.place() {
                let its = text.split('\n').nth(line - 1);
                let its = its.unwrap_or_else(|| panic!("{error}: there is no such line"));
                let end = its.chars().count() + 1;
                assert!((1..=end).contains(&column), "{error}: no such column");
            }
            Seen::Refused
        }
    }
}
