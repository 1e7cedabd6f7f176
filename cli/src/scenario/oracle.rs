//! The second opinion: what the oracle finds, compared with what the search found.
//!
//! Knows when two answers agree. Does not know how either was come by.

use std::collections::BTreeSet;

use gordian::Code;
use gordian::report::{Finding, Severity, Verdict};
use gordian::scenario::{End, Terminal};
use gordian_oracle::{Answer, Limits, judge, search};
use serde_json::json;

use crate::outcome::scenario::Findings;

/// Kinds of being stuck. Which of them it is depends on who is asked first in a state in which
/// several threads are: the searches must agree that there is one, and on the states themselves.
const STUCK: [Code; 3] = [Code::Deadlock, Code::SelfDeadlock, Code::LostWakeup];

/// Asks the oracle too. Where both searches are complete they must agree: on the kinds of errors,
/// and on every state in which nothing moves any more. Where the first is not complete, what it
/// found must be among what the oracle finds, and the oracle decides.
pub(super) fn compare(findings: &mut Findings, terminals: &BTreeSet<Terminal>, liveness: bool) {
    if findings.report.verdict == Verdict::Error {
        return;
    }
    let answer = search(&findings.scenario, &Limits::default());
    if let Some(failure) = &answer.error {
        findings.defect = Some(format!("only the oracle cannot run it: {failure}"));
        return;
    }
    if !answer.complete {
        // Nothing can be said, and that is no defect: the oracle needs all states at once.
        return;
    }
    let found = codes(&findings.report.findings, Severity::Error);
    let mut answered = answer.codes.clone();
    if !liveness && !found.contains(&Code::Starvation) {
        answered.remove(&Code::Starvation);
    }
    let proves = findings.report.search.complete && is_exhaustive(findings);
    let (kinds, kinds_answered) = (kinds(&found), kinds(&answered));
    let differs = if proves {
        kinds != kinds_answered || *terminals != answer.terminal
    } else {
        !kinds.is_subset(&kinds_answered) || !terminals.is_subset(&answer.terminal)
    };
    if differs {
        findings.defect = Some(difference(&found, &answered, terminals, &answer));
    } else if !findings.report.search.complete {
        decide(findings, &answer, liveness);
    }
}

fn is_exhaustive(findings: &Findings) -> bool {
    findings.report.search.strength == gordian::report::Strength::Exhaustive
}

fn codes(findings: &[Finding], severity: Severity) -> BTreeSet<Code> {
    let severe = findings
        .iter()
        .filter(|finding| finding.severity == severity);
    severe.map(|finding| finding.code).collect()
}

/// Codes, with one for all kinds of being stuck.
fn kinds(codes: &BTreeSet<Code>) -> BTreeSet<Code> {
    let kind = |code: &Code| match STUCK.contains(code) {
        true => Code::Deadlock,
        false => *code,
    };
    codes.iter().map(kind).collect()
}

fn difference(
    found: &BTreeSet<Code>,
    answered: &BTreeSet<Code>,
    terminals: &BTreeSet<Terminal>,
    answer: &Answer,
) -> String {
    let words = |codes: &BTreeSet<Code>| match codes.is_empty() {
        true => "nothing".to_owned(),
        false => codes
            .iter()
            .map(|code| code.as_str())
            .collect::<Vec<_>>()
            .join(", "),
    };
    let ends = format!(
        "{} and {} ends, {} of them in common",
        terminals.len(),
        answer.terminal.len(),
        terminals.intersection(&answer.terminal).count()
    );
    format!(
        "the search finds {}, the oracle {}; {ends}",
        words(found),
        words(answered)
    )
}

/// Makes the oracle's answer the file's.
fn decide(findings: &mut Findings, answer: &Answer, liveness: bool) {
    let judgement = judge(&findings.scenario, answer, liveness);
    let found = codes(&findings.report.findings, Severity::Error);
    let known = kinds(&found);
    let is_new = |code: &&Code| !kinds(&BTreeSet::from([**code])).is_subset(&known);
    let new = answer.codes.iter().filter(is_new);
    let named = new.filter(|&&code| code != Code::Starvation || liveness);
    let new: Vec<Finding> = named
        .filter_map(|&code| finding(findings, answer, code))
        .collect();
    findings.report.findings.extend(new);
    findings.expected = judgement.expected;
    findings.oracle_states = Some(answer.states);
    let search = &mut findings.report.search;
    search.complete = true;
    search.incomplete_reason = None;
    search.strategy = "oracle".to_owned();
    findings.report.verdict = match judgement.verdict {
        gordian_oracle::Verdict::Clean => Verdict::Clean,
        gordian_oracle::Verdict::Found => Verdict::Found,
        gordian_oracle::Verdict::Incomplete => Verdict::Incomplete,
        gordian_oracle::Verdict::Error => Verdict::Error,
    };
}

/// A finding of the oracle's: it knows who is stuck, and no interleaving that leads there.
fn finding(findings: &Findings, answer: &Answer, code: Code) -> Option<Finding> {
    let waits = STUCK.contains(&code);
    let stuck = answer
        .stuck
        .iter()
        .filter(|stuck| waits && matches!(stuck.end, End::Waiting { .. }));
    let threads: BTreeSet<&str> = stuck
        .filter_map(|stuck| findings.scenario.threads.get(stuck.thread as usize))
        .map(|thread| thread.name.as_str())
        .collect();
    let value = json!({
        "code": code, "severity": code.severity(),
        "message": "found by the oracle, which knows no interleaving that leads there",
        "threads": threads, "objects": [], "edges": [], "site": null, "notes": [], "steps": [],
        "fingerprint": "", "token": "", "execution": 0, "seen": 0,
    });
    serde_json::from_value(value).ok()
}
