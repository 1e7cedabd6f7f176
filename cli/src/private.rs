//! Doors for tests and fuzz targets that are outside of this crate.
//!
//! Knows which functions take a text from anywhere. What stands here may change at any time.

use crate::report;

/// A run's lines, as `events.jsonl` has them, rendered in every format and in every manner of the
/// terminal: names of documents, and their texts. Whatever the lines say, this does not panic.
///
/// # Errors
/// Which line cannot be read, and why.
pub fn render(lines: &str) -> Result<Vec<(String, String)>, String> {
    report::documents(lines)
}
