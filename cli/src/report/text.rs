//! Texts as parts of other formats.
//!
//! Knows what a name may not contain whatever the format is. Escaping is each format's own.

use gordian::report::{Edge, Finding, Outcome, Report, Step};

/// Longest part of a file's name that comes from a model's.
const FILE_CHARS_MAX: usize = 60;

/// On one line, without control characters.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
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
    let model = report.model.rsplit("::").next().unwrap_or_default();
    let print: String = finding
        .fingerprint
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(8)
        .collect();
    format!("{}-{print}", harmless(model))
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

/// Where a text may stand inside of single quotes in a shell.
pub(super) fn quoted_for_shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The command that runs the interleaving of a finding again.
pub(super) fn replay(report: &Report, finding: &Finding) -> Option<String> {
    if finding.token.is_empty() {
        return None;
    }
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    if report.model == "model" || !report.model.chars().all(is_path) {
        // A check that is not a test of its own reads no environment: the token goes into the code.
        return Some(format!("Checker::replay({:?}.parse()?)", finding.token));
    }
    Some(format!(
        "GORDIAN_REPLAY={} cargo test {} -- --exact",
        quoted_for_shell(&plain(&finding.token)),
        report.model
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_harmless() {
        assert_eq!(plain("a\nb\u{1b}[0m"), "a b [0m");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abc", 4), "abc");
        assert_eq!(quoted_for_shell("it's"), r"'it'\''s'");
    }
}
