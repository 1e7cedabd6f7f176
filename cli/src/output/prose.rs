//! A report in sentences: for logs, and for people who listen to it.
//!
//! Knows how each part of a finding is said. Draws nothing: no columns, no arrows, no pictures, and
//! no line means anything by its place.

use gordian::Report;
use gordian::private::shell_word;
use gordian::report::{Edge, Finding, Outcome, RESTS_ON, Severity, Shrunk, Step, Verdict, Worth};

use crate::report::plain;

/// The whole report.
pub(crate) fn report(report: &Report, command: impl Fn(&Finding) -> Option<String>) -> String {
    let mut text = String::new();
    for (index, finding) in report.findings.iter().enumerate() {
        let count = report.findings.len();
        text += &format!("Finding {} of {count}, ", index + 1);
        text += &said(report, finding, command(finding));
        text.push('\n');
    }
    if report.findings.is_empty() || report.verdict != Verdict::Found {
        text += &without_finding(report);
    }
    let missing = report.expect.iter().filter(|code| !report.has(**code));
    for code in missing {
        text += &format!("Expected and not found: {code}.\n");
    }
    text
}

fn without_finding(report: &Report) -> String {
    let mut text = match report.verdict {
        Verdict::Clean => match (report.vacuity(), report.search.vacuous) {
            (Some(vacuous), _) => format!(
                "Nothing was found, but nothing could have been: {vacuous} This is not a pass.\n\
                 Explored: {}.\n",
                report.strength()
            ),
            (None, Some(vacuous)) => format!(
                "Nothing was found. This model {}, as is meant. Explored: {}.\n",
                vacuous.what(),
                report.strength()
            ),
            (None, None) => format!("Nothing was found. Explored: {}.\n", report.strength()),
        },
        Verdict::Incomplete => format!(
            "Nothing was found so far, but the search ended early, after {}: this is not a pass.\n",
            report.progress()
        ),
        Verdict::Error => format!(
            "The check could not be carried out: {}.\n",
            report.error.as_deref().unwrap_or("no reason was given")
        ),
        _ => String::new(),
    };
    if let Some(reason) = &report.search.incomplete_reason {
        text += &format!("The search is not complete because {reason}.\n");
    }
    if report.worth() == Worth::Proved {
        text += &format!("This rests on {RESTS_ON}\n");
    }
    for remark in &report.search.remarks {
        text += &format!("Remark: {remark}.\n");
    }
    text
}

fn said(report: &Report, finding: &Finding, command: Option<String>) -> String {
    let severity = match finding.severity {
        Severity::Error => "an error",
        Severity::Hazard => "a hazard",
    };
    let message = plain(&finding.message);
    let mut text = format!("{severity}, {}: {message}.\n", finding.code);
    for edge in &finding.edges {
        text += &waits(edge);
    }
    if let Some(site) = &finding.site {
        text += &format!("It happened at {site}.\n");
    }
    for note in &finding.notes {
        text += &format!("Note: {}.\n", plain(note));
    }
    if !finding.steps.is_empty() {
        text += &format!("It takes {} steps.\n", finding.steps.len());
    }
    for step in &finding.steps {
        text += &done(step);
    }
    text += &format!("Explored: {}.\n", report.strength());
    let now = Shrunk::of(&finding.steps);
    if let Some(before) = finding.shrunk.filter(|before| *before != now) {
        text += &format!(
            "Shrunk from {} steps and {} context switches to {} and {}.\n",
            before.steps, before.switches, now.steps, now.switches
        );
    }
    for remark in &report.search.remarks {
        text += &format!("Remark: {remark}.\n");
    }
    if let Some(command) = command.or_else(|| without_file(report, finding)) {
        text += &format!("To replay it: {command}\n");
    }
    text
}

/// The command that replays a finding by its token.
fn without_file(report: &Report, finding: &Finding) -> Option<String> {
    match report.scenario {
        Some(_) => report.how_to_replay(finding),
        None if finding.token.is_empty() => None,
        None => {
            let token = shell_word(&plain(&finding.token));
            Some(format!("cargo gordian replay {token}"))
        }
    }
}

fn waits(edge: &Edge) -> String {
    let Edge {
        thread,
        operation,
        object,
        site,
        step,
        ..
    } = edge;
    let mut text =
        format!("{thread} waits for {object} ({operation}) since step {step}, at {site}");
    if let Some(holder) = &edge.holder {
        match (&holder.site, holder.step) {
            (Some(site), Some(step)) => {
                text += &format!(
                    "; {} holds it since step {step}, from {site}",
                    holder.thread
                );
            }
            (Some(site), None) => text += &format!("; {} holds it from {site}", holder.thread),
            _ if holder.thread == *object => {}
            _ => text += &format!("; only {} could let it go on", holder.thread),
        }
    }
    plain(&text) + ".\n"
}

fn done(step: &Step) -> String {
    let object = step.object.as_ref();
    let object = object.map_or(String::new(), |object| format!(" {object}"));
    let outcome = match step.outcome {
        Outcome::Blocked => ", and is blocked",
        Outcome::Failed => ", which failed",
        Outcome::Queued => ", and queues for it",
        Outcome::Closed => ", whose other side is gone",
        _ => "",
    };
    let case = match step.outcome {
        Outcome::Chose(case) => format!(" case {case}"),
        _ => String::new(),
    };
    let text = format!(
        "Step {}: {} does {}{object}{case}{outcome}, at {}.",
        step.number, step.thread, step.operation, step.site
    );
    plain(&text) + "\n"
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    fn sample(verdict: &str, findings: serde_json::Value) -> Report {
        let why = (verdict == "incomplete").then_some("time_max = 1 s were over");
        let report = json!({
            "v": 1, "model": "both", "verdict": verdict, "findings": findings, "error": null,
            "search": {
                "engine": "controlled", "strategy": "exhaustive",
                "strength": { "kind": "exhaustive" }, "complete": verdict != "incomplete",
                "incomplete_reason": why,
                "executions": 3, "executions_blocked": 0, "executions_capped": 0,
                "executions_estimate": null, "steps": 9, "steps_longest": 5, "threads": 2,
                "contended": 1, "seconds": 0.001, "seed": null,
            },
        });
        serde_json::from_value(report).unwrap()
    }

    #[test]
    fn a_deadlock_is_told() {
        let site = |line: u32| json!({ "file": "src/lib.rs", "line": line, "column": 5 });
        let step = |number: u32, thread: &str, object: &str, outcome: &str| {
            json!({
                "number": number, "thread": thread, "operation": "lock", "object": object,
                "outcome": outcome, "site": site(number),
            })
        };
        let edge = |thread: &str, object: &str, holder: &str, step: u32| {
            json!({
                "thread": thread, "operation": "lock", "object": object, "step": step,
                "site": site(step),
                "holder": { "thread": holder, "site": site(step - 1), "step": step - 2 },
            })
        };
        let finding = json!({
            "code": "deadlock", "severity": "error", "message": "`a` and `b` wait\nfor each other",
            "threads": ["a", "b"], "objects": ["x", "y"], "site": null, "notes": [],
            "edges": [edge("a", "y", "b", 3), edge("b", "x", "a", 4)],
            "steps": [
                step(1, "a", "x", "done"), step(2, "b", "y", "done"),
                step(3, "a", "y", "blocked"), step(4, "b", "x", "blocked"),
            ],
            "fingerprint": "", "token": "g2:0:lock+x:0.0", "execution": 2, "seen": 1,
            "shrunk": { "steps": 9, "switches": 4, "threads": 2 },
        });
        expect![[r#"
            Finding 1 of 1, an error, deadlock: `a` and `b` wait for each other.
            a waits for y (lock) since step 3, at src/lib.rs:3:5; b holds it since step 1, from src/lib.rs:2:5.
            b waits for x (lock) since step 4, at src/lib.rs:4:5; a holds it since step 2, from src/lib.rs:3:5.
            It takes 4 steps.
            Step 1: a does lock x, at src/lib.rs:1:5.
            Step 2: b does lock y, at src/lib.rs:2:5.
            Step 3: a does lock y, and is blocked, at src/lib.rs:3:5.
            Step 4: b does lock x, and is blocked, at src/lib.rs:4:5.
            Explored: exhaustive: 3 interleavings, 2 threads, 0.001 s.
            Shrunk from 9 steps and 4 context switches to 4 and 1.
            To replay it: cargo gordian replay g2:0:lock+x:0.0

        "#]].assert_eq(&report(&sample("found", json!([finding])), |_| None));
    }

    #[test]
    fn what_was_not_found_is_told_too() {
        let told = |verdict: &str| report(&sample(verdict, json!([])), |_| None);
        assert!(told("clean").starts_with("Nothing was found. Explored: exhaustive: 3"));
        let incomplete = told("incomplete");
        assert!(incomplete.contains("not a pass"), "{incomplete}");
        assert!(
            incomplete.contains("because time_max = 1 s were over"),
            "{incomplete}"
        );
        assert!(told("error").contains("could not be carried out"));
    }
}
