//! Texts as parts of other formats.
//!
//! Knows what a name may not contain whatever the format is. Escaping is each format's own.

use std::ffi::OsStr;
use std::path::Path;

use gordian::report::{Edge, Finding, Outcome, Report, Step};

/// Longest part of a file's name that comes from a model's.
const FILE_CHARS_MAX: usize = 60;

/// On one line, without control characters.
pub(crate) fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// The first so many characters.
pub(super) fn cut(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let kept = text.chars().take(chars_max.saturating_sub(1));
    kept.chain(['…']).collect()
}

/// What came of a step, in a word or two; nothing when it just did what it says.
pub(super) fn outcome(step: &Step) -> String {
    match step.outcome {
        Outcome::Done if !step.acquires.is_empty() => "ok".to_owned(),
        Outcome::Failed => "failed".to_owned(),
        Outcome::Queued => "queues".to_owned(),
        Outcome::Closed => "closed".to_owned(),
        Outcome::Blocked => "BLOCKED".to_owned(),
        Outcome::Chose(case) => format!("case {case}"),
        _ => String::new(),
    }
}

/// A step as a phrase: `lock alice ok`.
pub(super) fn phrase(step: &Step) -> String {
    let parts = [
        step.operation.as_str(),
        step.object.as_deref().unwrap_or_default(),
        &outcome(step),
    ];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}

/// `teller-1 waits for bob (step 4)`, and who holds it, if that is one thread.
pub(super) fn waits(edge: &Edge) -> String {
    format!(
        "{} waits for `{}` (step {})",
        edge.thread, edge.object, edge.step
    )
}

/// `teller-2 holds bob (step 2)`; none when nobody took it at some place.
pub(super) fn holds(edge: &Edge) -> Option<String> {
    let holder = edge
        .holder
        .as_ref()
        .filter(|holder| holder.site.is_some())?;
    let step = holder.step.map(|step| format!(" (step {step})"));
    Some(format!(
        "{} holds `{}`{}",
        holder.thread,
        edge.object,
        step.unwrap_or_default()
    ))
}

/// The threads and objects that wait for each other, as a path that ends where it begins.
pub(super) fn cycle(finding: &Finding) -> Option<String> {
    let edges = &finding.edges;
    let first = edges.first()?;
    let mut path = Vec::new();
    for (at, edge) in edges.iter().enumerate() {
        let next = &edges[(at + 1) % edges.len()].thread;
        let holder = edge.holder.as_ref()?;
        if holder.thread != *next {
            return None;
        }
        path.push(edge.thread.as_str());
        if edge.object != *next {
            path.push(&edge.object);
        }
    }
    path.push(&first.thread);
    Some(path.join(" → "))
}

/// A name for the files of a finding: of letters, digits and dashes, and another one for another
/// finding.
pub(super) fn file_name(report: &Report, finding: &Finding) -> String {
    let model = match &report.scenario {
        Some(file) if file == "-" => "stdin",
        Some(file) => Path::new(file)
            .file_stem()
            .and_then(OsStr::to_str)
            .unwrap_or_default(),
        None => report.model.rsplit("::").next().unwrap_or_default(),
    };
    let print: String = finding
        .fingerprint
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(8)
        .collect();
    // The same defect may be met by several threads.
    let before = report
        .findings
        .iter()
        .take_while(|other| other.token != finding.token);
    let number = match before
        .filter(|other| other.fingerprint == finding.fingerprint)
        .count()
    {
        0 => String::new(),
        count => format!("-{}", count + 1),
    };
    format!("{}-{print}{number}", harmless(model))
}

/// A text as a part of a file's name: letters, digits and dashes.
pub(super) fn harmless(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars().take(FILE_CHARS_MAX) {
        match c {
            c if c.is_alphanumeric() || c == '_' => name.push(c),
            _ if name.ends_with('-') => {}
            _ => name.push('-'),
        }
    }
    name.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_harmless() {
        assert_eq!(plain("a\nb\u{1b}[0m"), "a b [0m");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abc", 4), "abc");
    }
}
