//! Scenario files for people: a line for each, a table, and what is wrong explained.
//!
//! Knows phrases and columns. Does not know streams.

use anstyle::Style;
use gordian::report::{Severity, Unreached, Verdict, grouped};
use gordian::scenario::ast::Expect;

use super::table::{Row, aligned};
use super::words::{counted, first_words, seconds, strength, tally, verb, worth};
use crate::outcome::scenario::{Checked, Checks, Findings, Status};

/// The word in front of a line, and its colour.
pub(super) fn word(status: Status) -> (&'static str, Style) {
    verb(status.as_model())
}

/// `[0.021s] bank.gordian · found deadlock as expected; exhaustive: 3 interleavings, 2 threads`.
pub(super) fn line(result: &Checked) -> String {
    let time = result.time.as_secs_f64();
    let status = result.status();
    let mut parts = vec![outcome(result)];
    if let (Ok(findings), Status::Passed | Status::Failed) = (&result.findings, status) {
        parts.push(match findings.oracle_states {
            Some(states) => format!("oracle: {} states", grouped(states)),
            None => strength(&findings.report),
        });
    }
    format!("[{}] {} · {}", seconds(time), result.file, parts.join("; "))
}

/// The files grouped by their directories, and a last line for all of them.
pub(super) fn table(checks: &Checks) -> String {
    let mut rows: Vec<Row> = Vec::new();
    let mut group = None;
    for result in &checks.results {
        let (directory, name) = match result.file.rsplit_once('/') {
            Some((directory, name)) => (format!("{directory}/"), name),
            None => (String::new(), result.file.as_str()),
        };
        if group.as_ref() != Some(&directory) {
            if group.is_some() {
                rows.push(Row::text(""));
            }
            rows.push(Row::titles(&directory));
            group = Some(directory);
        }
        rows.push(row(name, result));
    }
    rows.push(Row::text(""));
    rows.push(Row {
        name: counted(checks.results.len(), "scenario"),
        numbers: [
            grouped(checks.interleavings()),
            String::new(),
            String::new(),
            seconds(checks.time.as_secs_f64()),
        ],
        result: counts(checks),
    });
    aligned(rows)
}

fn row(name: &str, result: &Checked) -> Row {
    let status = result.status();
    let (word, style) = word(status);
    let outcome = outcome(result);
    let phrase = match status {
        Status::Passed => format!("{style}{outcome}{style:#}"),
        _ => format!("{style}{word}{style:#}: {outcome}"),
    };
    let name = format!("  {name}");
    match &result.findings {
        Ok(findings) => Row {
            name,
            numbers: [
                grouped(findings.report.search.interleavings()),
                findings.scenario.threads.len().to_string(),
                grouped(findings.report.search.steps_longest),
                seconds(findings.report.search.seconds),
            ],
            result: phrase,
        },
        Err(_) => Row {
            result: phrase,
            ..Row::text(&name)
        },
    }
}

/// What came of a file, in a few words.
pub(super) fn outcome(result: &Checked) -> String {
    let findings = match &result.findings {
        Ok(findings) => findings,
        Err(refusal) => return first_words(&refusal.to_string()),
    };
    let report = &findings.report;
    match result.status() {
        Status::Passed if report.verdict == Verdict::Clean => worth(report),
        Status::Passed => format!("found {} as expected", found(findings)),
        Status::Failed => failure(findings),
        Status::Incomplete => format!("only {}", report.progress()),
        Status::Refused => first_words(report.error.as_deref().unwrap_or_default()),
        Status::Defect => first_words(findings.defect.as_deref().unwrap_or_default()),
    }
}

/// Where a scenario in which all is well takes a lock, and no interleaving ever comes: what is
/// proved says nothing of it. Where something is wrong, that may be what keeps threads from it.
pub(super) fn unreached(result: &Checked) -> Vec<String> {
    let Ok(findings) = &result.findings else {
        return Vec::new();
    };
    let report = &findings.report;
    if result.status() != Status::Passed || report.verdict != Verdict::Clean {
        return Vec::new();
    }
    let told = |its: &Unreached| format!("{} takes `{}`, and is never reached", its.site, its.lock);
    report.coverage.unreached.iter().map(told).collect()
}

/// What is not as the file expects.
pub(super) fn failure(findings: &Findings) -> String {
    let found = found(findings);
    let scenario = &findings.scenario;
    let taken = findings.report.search.executions;
    let codes = match &scenario.expect {
        None => format!("found {found}"),
        Some(expect) => format!("found {found}, expected {}", expectation(expect)),
    };
    match scenario.expect_executions {
        Some(count) if count != taken => {
            format!("{codes}; took {taken} interleavings, expected {count}")
        }
        _ => codes,
    }
}

fn expectation(expect: &Expect) -> String {
    match expect {
        Expect::Clean => "nothing".to_owned(),
        Expect::Stuck => "a thread that is stuck".to_owned(),
        Expect::Misuse => "a misuse".to_owned(),
        Expect::Codes(codes) => {
            let codes: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
            codes.join(", ")
        }
    }
}

/// The codes of what was found and counts: errors, hazards that the file names, and all hazards
/// where it does not say what it expects.
fn found(findings: &Findings) -> String {
    let counts = |code| match &findings.scenario.expect {
        None => true,
        Some(Expect::Codes(codes)) => codes.contains(&code),
        Some(_) => false,
    };
    let mut codes: Vec<&str> = Vec::new();
    for finding in &findings.report.findings {
        let code = finding.code.as_str();
        let counts = finding.severity == Severity::Error || counts(finding.code);
        if counts && !codes.contains(&code) {
            codes.push(code);
        }
    }
    match codes.is_empty() {
        true => "nothing".to_owned(),
        false => codes.join(", "),
    }
}

/// `10 passed, 1 failed`.
pub(super) fn counts(checks: &Checks) -> String {
    let kinds = [
        (Status::Passed, "passed"),
        (Status::Failed, "failed"),
        (Status::Defect, "with a defect of gordian"),
        (Status::Refused, "not checked"),
        (Status::Incomplete, "incomplete"),
    ];
    tally(&kinds.map(|(status, word)| (checks.count(status), word)))
}
