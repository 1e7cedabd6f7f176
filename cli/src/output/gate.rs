//! The verdict of the gate: a line for each rule, and why.
//!
//! Knows columns and colours. Does not know streams, nor what a rule asks for.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use gordian::report::grouped;

use super::words::{counted, seconds};
use crate::gate::{Judgement, Verdict, executions};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DOUBTFUL: Style = AnsiColor::Yellow.on_default().bold();

/// Reasons shown of one rule; all of them are in the reports.
const REASONS_MAX: usize = 12;

/// What came of a rule, and its colour.
fn word(verdict: Verdict) -> (&'static str, Style) {
    match verdict {
        Verdict::Pass => ("pass", GOOD),
        Verdict::Warn => ("WARN", DOUBTFUL),
        Verdict::Fail => ("FAIL", BAD),
        Verdict::NotJudged => ("-", Style::new()),
    }
}

/// All rules; below those that do not hold, where they do not.
pub(super) fn table(judgement: &Judgement) -> String {
    let mut text = String::from("rule        verdict  why\n");
    for rule in &judgement.rules {
        let (word, style) = word(rule.verdict);
        let _ = writeln!(
            text,
            "{:<10}  {style}{word:<7}{style:#}  {}",
            rule.name, rule.why
        );
        if !matches!(rule.verdict, Verdict::Warn | Verdict::Fail) {
            continue;
        }
        for (title, reason) in rule.reasons.iter().take(REASONS_MAX) {
            let reason = reason.lines().next().unwrap_or_default();
            let _ = writeln!(text, "                       {title}: {reason}");
        }
        if rule.reasons.len() > REASONS_MAX {
            let more = rule.reasons.len() - REASONS_MAX;
            let _ = writeln!(text, "                       and {more} more");
        }
    }
    for (entry, finding, known) in judgement.known() {
        let _ = writeln!(
            text,
            "\nlet through until {}: {} in {} ({}; {})",
            known.expires,
            finding.code,
            entry.title(),
            known.fingerprint,
            known.reason,
        );
    }
    if let Some(base) = &judgement.scope.changed {
        let left_out = match judgement.scope.left_out.as_slice() {
            [] => "nothing".to_owned(),
            some => some.join(", "),
        };
        let _ = writeln!(
            text,
            "\nonly what has changed since {base}; left out: {left_out}"
        );
    }
    text
}

/// The verdict of all: its word and colour, and in a line what was judged.
pub(super) fn verdict(judgement: &Judgement) -> (&'static str, Style, String) {
    let results = &judgement.results;
    let part = judgement
        .scope
        .shard
        .map(|shard| format!(" · part {} of {}, to be merged", shard.number, shard.of));
    let (word, style) = match judgement.passed() {
        true => ("Gate passed", GOOD),
        false => ("Gate failed", BAD),
    };
    let text = format!(
        "[{}] profile {}: {}, {} interleavings · exit code {}{}",
        seconds(results.seconds),
        judgement.profile,
        counted(results.models.len(), "model"),
        grouped(executions(results)),
        judgement.exit_code() as u8,
        part.unwrap_or_default(),
    );
    (word, style, text)
}
