//! What is wrong with a source text, and where.
//!
//! Knows places and words. Does not know the grammar, nor how a source pane is drawn.

use std::fmt;

use winnow::error::ParserError;
use winnow::stream::Stream;

use crate::scenario::ast::Span;

/// Why a text is not a scenario: what is wrong, where, and the way out.
///
/// ```
/// let error = gordian::scenario::parse("mutex m\nthread t { lok m }").unwrap_err();
/// assert_eq!((error.line(), error.column()), (2, 12));
/// assert_eq!(error.message(), "there is no statement `lok`");
/// assert_eq!(error.hint(), Some("did you mean `lock`?"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    problem: Box<Problem>,
    line: u32,
    column: u32,
}

impl ParseError {
    pub(super) fn new(source: &str, problem: Problem) -> Self {
        let before = &source[..problem.span.start as usize];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let number = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
        ParseError {
            line: number(before.bytes().filter(|&byte| byte == b'\n').count()),
            column: number(before[line_start..].chars().count()),
            problem: Box::new(problem),
        }
    }

    /// The line, counted from 1.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// The column, in characters, counted from 1.
    pub fn column(&self) -> u32 {
        self.column
    }

    /// The bytes of the source that are wrong; empty at the end of a file.
    pub fn span(&self) -> Span {
        self.problem.span
    }

    /// What is wrong, in one sentence.
    pub fn message(&self) -> &str {
        &self.problem.message
    }

    /// What was expected at that place, when one thing or a few were: `a name`.
    pub fn expected(&self) -> Option<&str> {
        self.problem.expected.as_deref()
    }

    /// The way out, when there is one that can be told.
    pub fn hint(&self) -> Option<&str> {
        self.problem.hint.as_deref()
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = (self.line, self.column);
        write!(f, "line {line}, column {column}: {}", self.message())?;
        match self.hint() {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ParseError {}

/// What is wrong, before anybody has counted lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) span: Span,
    pub(super) message: String,
    pub(super) expected: Option<String>,
    pub(super) hint: Option<String>,
    /// Whether once is enough: a name is unknown, or there is too much of something. A name that is
    /// unknown where a declaration cannot be read may be none of it.
    pub(super) is_name: bool,
}

/// The error of the parsers: a problem, or nothing when it only was another case's turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Failure(Option<Box<Problem>>);

/// What a parser returns.
pub(super) type Parsed<T> = Result<T, Failure>;

impl Failure {
    pub(super) fn new(span: Span, message: impl Into<String>) -> Self {
        Failure(Some(Box::new(Problem {
            span,
            message: message.into(),
            ..Problem::default()
        })))
    }

    pub(super) fn expected(mut self, expected: impl Into<String>) -> Self {
        if let Some(problem) = &mut self.0 {
            problem.expected = Some(expected.into());
        }
        self
    }

    pub(super) fn hint(mut self, hint: Option<impl Into<String>>) -> Self {
        if let Some(problem) = &mut self.0 {
            problem.hint = hint.map(Into::into);
        }
        self
    }

    /// Nothing to say: all that is wrong has been noted.
    pub(super) fn noted() -> Self {
        Failure(None)
    }

    /// That a name is unknown, or there is one too many: to be said once.
    pub(super) fn of_name(mut self) -> Self {
        if let Some(problem) = &mut self.0 {
            problem.is_name = true;
        }
        self
    }

    /// The problem, unless it has been noted.
    pub(super) fn into_problem(self) -> Option<Box<Problem>> {
        self.0
    }
}

impl<I: Stream> ParserError<I> for Failure {
    type Inner = Self;

    fn from_input(_: &I) -> Self {
        Failure(None)
    }

    fn is_backtrack(&self) -> bool {
        self.0.is_none()
    }

    fn into_inner(self) -> Result<Self, Self> {
        Ok(self)
    }
}

/// The name most like what was written, as a question, when one is like it at all.
pub(super) fn did_you_mean<'a>(
    written: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    /// Nobody types a longer name by hand, and the comparison is quadratic.
    const CHARS_MAX: usize = 40;
    let written: Vec<char> = written.chars().take(CHARS_MAX + 1).collect();
    if written.len() > CHARS_MAX {
        return None;
    }
    let distance_max = 1 + written.len() / 4;
    let close = names
        .into_iter()
        .filter(|name| name.chars().count().abs_diff(written.len()) <= distance_max)
        .map(|name| (distance(&written, name), name))
        .filter(|&(distance, name)| distance <= distance_max && distance < name.chars().count())
        .min_by_key(|&(distance, _)| distance);
    close.map(|(_, name)| format!("did you mean `{name}`?"))
}

/// How many characters have to be changed, added, left out, or swapped with their neighbour.
fn distance(a: &[char], b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = changed.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let names = ["lock", "unlock", "notify_one", "m"];
        for (written, meant) in [
            ("lok", Some("lock")),
            ("lokc", Some("lock")),
            ("unlcok", Some("unlock")),
            ("notifyone", Some("notify_one")),
            ("borrow", None),
            ("x", None),
            ("", None),
        ] {
            let expected = meant.map(|name| format!("did you mean `{name}`?"));
            assert_eq!(did_you_mean(written, names), expected, "{written}");
        }
        assert_eq!(did_you_mean(&"m".repeat(1000), names), None);
    }
}
