//! What GitHub shows of a gate: annotations at the lines, and the summary of the job.
//!
//! Knows workflow commands and Markdown, and that a name may hold anything. Says nothing outside of
//! GitHub: `GITHUB_ACTIONS` and `GITHUB_STEP_SUMMARY` are what tells.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use gordian::Report;
use gordian::report::{Finding, Site, grouped};

use super::judge::{Judgement, Rule, Verdict, executions};
use crate::error::Error;
use crate::output::{Event, Output};
use crate::report::plain;

/// GitHub shows no more of one step.
const ANNOTATIONS_MAX: usize = 10;
/// GitHub drops a summary of more than 1 MiB as a whole.
const SUMMARY_BYTES_MAX: usize = 1_000_000;

/// Tells GitHub, if it asks, what came of the gate.
///
/// # Errors
/// When the summary cannot be written.
pub(super) fn tell(judgement: &Judgement, output: &mut Output) -> Result<(), Error> {
    if is_asked() {
        let prefix = prefix(&judgement.root);
        output.event(&Event::Annotations(&annotations(judgement, &prefix)));
    }
    write(&summary(judgement))
}

/// Tells GitHub, if it asks, why the gate could not be carried out.
///
/// # Errors
/// When the summary cannot be written.
pub(super) fn tell_of_failure(error: &Error, output: &mut Output) -> Result<(), Error> {
    let text = error.to_string();
    if is_asked() {
        let line = command(None, "gordian gate", &text);
        output.event(&Event::Annotations(&line));
    }
    write(&format!(
        "## Gordian gate: not carried out\n\n{}\n",
        markdown(&text)
    ))
}

fn is_asked() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// Appends to the job's summary, if there is one.
fn write(text: &str) -> Result<(), Error> {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    let path = PathBuf::from(path);
    let file = OpenOptions::new().create(true).append(true).open(&path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(Error::internal(path.display()))
}

/// The way from the repository to the workspace, which files are named from.
fn prefix(root: &Path) -> String {
    let repository = std::env::var_os("GITHUB_WORKSPACE").map(PathBuf::from);
    let below = repository.and_then(|top| {
        let (root, top) = (root.canonicalize().ok()?, top.canonicalize().ok()?);
        let below = root.strip_prefix(top).ok()?.to_path_buf();
        Some(
            below
                .iter()
                .map(|part| format!("{}/", part.to_string_lossy()))
                .collect(),
        )
    });
    below.unwrap_or_default()
}

/// A workflow command that shows an error, at a place if there is one.
fn command(place: Option<(&str, &Site)>, title: &str, text: &str) -> String {
    let place = place.map_or_else(String::new, |(prefix, site)| {
        let file = property(&format!("{prefix}{}", site.file));
        format!("file={file},line={},col={},", site.line, site.column)
    });
    format!("::error {place}title={}::{}\n", property(title), data(text))
}

/// A text as the message of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A text as the value of a workflow command's property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Where a finding is shown: where it happened, or where somebody waits.
fn place(finding: &Finding) -> Option<&Site> {
    let edge = finding.edges.first().map(|edge| &edge.site);
    finding.site.as_ref().or(edge)
}

/// The first failures, findings before all others, since they have a place.
fn annotations(judgement: &Judgement, prefix: &str) -> String {
    let findings = failing(judgement).map(|(title, _, finding)| {
        let text = format!("{}\nin {title}", finding.message);
        let site = place(finding).map(|site| (prefix, site));
        command(site, &format!("{}: {title}", finding.code), &text)
    });
    let rules = judgement
        .rules
        .iter()
        .filter(|rule| fails(rule) && rule.name != "findings");
    let rules = rules.flat_map(|rule| {
        let reasons = rule.reasons.iter();
        reasons.map(|(title, text)| command(None, &format!("{}: {title}", rule.name), text))
    });
    findings.chain(rules).take(ANNOTATIONS_MAX).collect()
}

fn fails(rule: &Rule) -> bool {
    rule.verdict == Verdict::Fail
}

fn failing(judgement: &Judgement) -> impl Iterator<Item = (String, &Report, &Finding)> {
    judgement.failing.iter().filter_map(|&(at, index)| {
        let entry = &judgement.results.models[at];
        let report = entry.report.as_ref()?;
        Some((entry.title(), report, report.findings.get(index)?))
    })
}

/// A text that is only text in Markdown, and in a cell of a table.
fn markdown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '|' => safe.push_str("\\|"),
            '\n' => safe.push_str("<br>"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

/// The summary of the job: every rule, and every finding that fails.
fn summary(judgement: &Judgement) -> String {
    let mut text = head(judgement);
    let mut left_out = 0;
    for (title, report, finding) in failing(judgement) {
        let section = section(&title, report, finding);
        if text.len() + section.len() > SUMMARY_BYTES_MAX {
            left_out += 1;
        } else {
            text += &section;
        }
    }
    if left_out > 0 {
        let _ = writeln!(
            text,
            "\n{left_out} more are in the report: this page has no room."
        );
    }
    text
}

fn head(judgement: &Judgement) -> String {
    let verdict = if judgement.passed() {
        "passed"
    } else {
        "failed"
    };
    let results = &judgement.results;
    let mut text = format!(
        "## Gordian gate: {verdict}\n\nProfile `{}`, {} models and scenarios, {} interleavings, \
         {:.1} s, exit code {}.\n\n| rule | verdict | why |\n|---|---|---|\n",
        markdown(&judgement.profile),
        grouped(results.models.len() as u64),
        grouped(executions(results)),
        results.seconds,
        judgement.exit_code() as u8,
    );
    for rule in &judgement.rules {
        let verdict = match rule.verdict {
            Verdict::Fail => "**fail**",
            other => other.name(),
        };
        let _ = writeln!(
            text,
            "| {} | {verdict} | {} |",
            rule.name,
            markdown(&rule.why)
        );
    }
    if let Some(base) = &judgement.scope.changed {
        let left_out = markdown(&judgement.scope.left_out.join(", "));
        let base = markdown(base);
        let _ = writeln!(
            text,
            "\nOnly what has changed since `{base}`; left out: {left_out}."
        );
    }
    for (entry, finding, known) in judgement.known() {
        let _ = writeln!(
            text,
            "\nLet through until {}: {} in {} ({})",
            known.expires,
            finding.code,
            markdown(&entry.title()),
            markdown(&known.reason)
        );
    }
    for rule in judgement
        .rules
        .iter()
        .filter(|rule| fails(rule) && rule.name != "findings")
    {
        let _ = writeln!(text, "\n### {}\n", rule.name);
        for (title, reason) in &rule.reasons {
            let _ = writeln!(text, "- {}: {}", markdown(title), markdown(reason));
        }
    }
    text
}

fn section(title: &str, report: &Report, finding: &Finding) -> String {
    let mut text = format!(
        "\n### {} in {}\n\n{}\n\n",
        finding.code,
        markdown(title),
        markdown(&finding.message)
    );
    for edge in &finding.edges {
        let _ = writeln!(
            text,
            "- {} waits for {} at {}",
            markdown(&edge.thread),
            markdown(&edge.object),
            markdown(&edge.site.to_string())
        );
        if let Some(holder) = &edge.holder {
            let place = holder
                .site
                .as_ref()
                .map(|site| format!(", taken at {site}"));
            let place = markdown(&place.unwrap_or_default());
            let _ = writeln!(text, "  - {} holds it{place}", markdown(&holder.thread));
        }
    }
    if let Some(site) = &finding.site {
        let _ = writeln!(text, "- at {}", markdown(&site.to_string()));
    }
    let _ = writeln!(text, "- explored: {}", markdown(&report.strength()));
    let _ = writeln!(text, "- fingerprint `{}`", markdown(&finding.fingerprint));
    if !finding.token.is_empty() && !finding.token.contains('`') {
        let token = plain(&finding.token);
        let _ = writeln!(text, "\n```\ncargo gordian replay '{token}'\n```");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_command() {
        let evil = "50%\r\n::error::x, y: z";
        assert_eq!(data(evil), "50%25%0D%0A::error::x, y: z");
        assert_eq!(property(evil), "50%25%0D%0A%3A%3Aerror%3A%3Ax%2C y%3A z");
        let line = command(None, evil, evil);
        assert_eq!(line.lines().count(), 1);
        assert!(
            line.starts_with("::error title=50%25%0D%0A%3A%3A"),
            "{line}"
        );
    }

    #[test]
    fn a_name_is_no_markup() {
        assert_eq!(markdown("<b>|\n&\u{1b}[1m"), "&lt;b&gt;\\|<br>&amp; [1m");
    }
}
