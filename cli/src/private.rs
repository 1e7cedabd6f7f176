//! Doors for tests and fuzz targets that are outside of this crate.
//!
//! Knows which functions take a text from anywhere. What stands here may change at any time.

use crate::{output, report};

pub use crate::config::{Baseline, Config, Day, Error as ConfigError, Gate, Level, Profile};

/// Reads a configuration. Whatever the text says, this does not panic, and an error stands at a
/// place inside of it.
///
/// # Errors
/// The first thing that is wrong.
pub fn config(text: &str) -> Result<Config, ConfigError> {
    crate::config::read(text)
}

/// A run's lines, as `events.jsonl` has them, rendered in every format and in every manner of the
/// terminal: names of documents, and their texts. Whatever the lines say, this does not panic.
///
/// # Errors
/// Which line cannot be read, and why.
pub fn render(lines: &str) -> Result<Vec<(String, String)>, String> {
    report::documents(lines)
}

/// The findings of a run's lines as the terminal draws them, with all colours: their places in a
/// text that stands for every source, and each of their steps. Whatever the lines and the text say,
/// this does not panic.
///
/// # Errors
/// Which line cannot be read, and why.
pub fn draw(lines: &str, source: &str, columns: usize, ascii: bool) -> Result<Vec<String>, String> {
    let results = report::Results::read(lines)?;
    let findings = results.findings();
    let drawings =
        findings.map(|(_, _, finding)| output::drawings(finding, source, columns, ascii));
    Ok(drawings.flatten().collect())
}
