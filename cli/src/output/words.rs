//! How an outcome is put into words, short and long.
//!
//! Knows phrases and their colours. Does not know streams or widths.

use std::time::Duration;

use anstyle::{AnsiColor, Style};
use gordian::Report;
use gordian::report::{Engine, Severity, Strength, Vacuity, grouped};

use super::Pace;
use crate::outcome::{Outcome, Status, Summary};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DOUBTFUL: Style = AnsiColor::Yellow.on_default().bold();

/// The word in front of a line, and its colour.
pub(super) fn verb(status: Status) -> (&'static str, Style) {
    match status {
        Status::Passed => ("PASS", GOOD),
        Status::Failed => ("FAIL", BAD),
        Status::Incomplete => ("INCOMPLETE", DOUBTFUL),
        Status::Vacuous => ("VACUOUS", DOUBTFUL),
        Status::Crashed => ("CRASH", BAD),
        Status::Error => ("ERROR", BAD),
        Status::Ignored => ("IGNORED", DOUBTFUL),
        Status::NotRun => ("NOT RUN", DOUBTFUL),
    }
}

/// What came of a model, and how much was explored for it.
pub(super) fn phrase(outcome: &Outcome) -> String {
    let result = result(outcome);
    let parts: Vec<String> = match (&outcome.report, outcome.status) {
        (Some(report), Status::Incomplete) => vec![report.progress()],
        (Some(report), Status::Passed) if report.expect.is_empty() && outcome.remark.is_none() => {
            vec![strength(report)]
        }
        (Some(report), Status::Passed | Status::Failed | Status::Vacuous) => {
            vec![result, strength(report)]
        }
        _ => vec![result],
    };
    parts.join("; ")
}

/// What came of a model, for the last column of a table: as [`result`], and for an expected finding
/// what it is.
pub(super) fn result_in_detail(outcome: &Outcome) -> String {
    let result = result(outcome);
    let expected = outcome
        .report
        .as_ref()
        .and_then(|report| report.find(*report.expect.first()?));
    match expected {
        Some(finding) if outcome.status == Status::Passed => {
            format!("{result}: {}", first_words(without_place(&finding.message)))
        }
        _ => result,
    }
}

/// What a panic says, without where: that stands in front, and is long.
fn without_place(message: &str) -> &str {
    let place_and_text = message
        .split_once(" panicked at ")
        .map(|(_thread, rest)| rest);
    place_and_text
        .and_then(|rest| Some(rest.split_once(": ")?.1))
        .unwrap_or(message)
}

/// What came of a model, in a few words.
pub(super) fn result(outcome: &Outcome) -> String {
    let remark = outcome.remark.as_deref();
    match (&outcome.report, outcome.status) {
        (Some(report), Status::Passed) => match remark {
            Some(remark) => format!("{} ({remark})", found(report)),
            None if report.expect.is_empty() && quiet_locks(report).is_some() => {
                format!("{}, but no lock is ever contended", worth(report))
            }
            None if report.expect.is_empty() => worth(report),
            None => format!("found {} as expected", expected(report)),
        },
        (Some(report), Status::Failed) => match remark {
            Some(remark) => remark.to_owned(),
            None => found(report),
        },
        (Some(report), Status::Incomplete) => format!("only {}", report.progress()),
        (Some(report), Status::Vacuous) => {
            let why = report.vacuity().map_or("proves nothing", Vacuity::what);
            why.to_owned()
        }
        (Some(report), Status::Error) => {
            let error = report
                .error
                .as_deref()
                .unwrap_or("the check could not be carried out");
            first_words(error)
        }
        _ => remark.unwrap_or_default().to_owned(),
    }
}

/// The beginning of a text that stands in full elsewhere.
pub(super) fn first_words(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= CHARS_MAX {
        return line.to_owned();
    }
    let kept: String = line.chars().take(CHARS_MAX).collect();
    let words = kept
        .rsplit_once(' ')
        .map_or(kept.as_str(), |(words, _)| words);
    format!("{words} …")
}

/// The errors found and the expected findings that are missing.
fn found(report: &Report) -> String {
    let mut codes: Vec<String> = Vec::new();
    for finding in &report.findings {
        let code = finding.code.to_string();
        if finding.severity == Severity::Error && !codes.contains(&code) {
            codes.push(code);
        }
    }
    let missing: Vec<_> = report
        .expect
        .iter()
        .filter(|code| !report.has(**code))
        .collect();
    codes.extend(
        missing
            .iter()
            .map(|code| format!("{code} expected, not found")),
    );
    codes.join(", ")
}

fn expected(report: &Report) -> String {
    let codes: Vec<_> = report.expect.iter().map(|code| code.as_str()).collect();
    codes.join(", ")
}

/// Why a pass says little of the model's locks, if it does: threads meet, but at none of them. A
/// replay shows one interleaving, of which nothing of the kind is to be expected.
pub(super) fn quiet_locks(report: &Report) -> Option<String> {
    let is_quiet = report.search.threads > 1
        && report.search.vacuous.is_none()
        && report.search.strength != Strength::Replayed
        && report.coverage.is_uncontended();
    is_quiet.then(|| match &report.coverage.locks[..] {
        [only] => format!("proves little of `{}`: it is never contended", only.name),
        locks => format!(
            "proves little of its locks: none of the {} is ever contended",
            locks.len()
        ),
    })
}

/// What it means that nothing was found.
pub(super) fn worth(report: &Report) -> String {
    let search = &report.search;
    // A green line that proves nothing shall not look like the others.
    if let Some(vacuous) = search.vacuous {
        return format!("nothing proved: it {}, as is meant", vacuous.what());
    }
    let worth = match search.strength {
        Strength::Exhaustive => "proved".to_owned(),
        Strength::Bounded { preemptions_max } => {
            format!("nothing found with ≤ {preemptions_max} preemptions")
        }
        Strength::Replayed => "nothing found in one replay".to_owned(),
        _ => format!("nothing found in a sample ({})", search.strategy),
    };
    let engine = if search.engine == Engine::Loom {
        " by loom"
    } else {
        ""
    };
    let hazards = match report.findings.len() {
        0 => String::new(),
        1 => ", 1 hazard".to_owned(),
        count => format!(", {count} hazards"),
    };
    format!("{worth}{engine}{hazards}")
}

/// How much was explored. The time stands elsewhere on the line, so it goes from the end.
pub(super) fn strength(report: &Report) -> String {
    let strength = report.strength();
    strength
        .rsplit_once(", ")
        .map_or(strength.clone(), |(most, _time)| most.to_owned())
}

/// `81 204 executions · 12 300/s · 20s left · bank drain 13 %, bank pour`.
pub(super) fn pace(done: u64, running: &[Pace<'_>], time_max: Option<Duration>) -> String {
    let said = || running.iter().filter_map(|one| one.progress);
    let all = done + said().map(|progress| progress.executions).sum::<u64>();
    let mut parts = vec![format!("{} executions", grouped(all))];
    let rate: f64 = said()
        .map(|progress| progress.executions as f64 / progress.seconds.max(0.001))
        .sum();
    if rate >= 1.0 {
        parts.push(format!("{}/s", grouped(two_digits(rate))));
    }
    // Of one model it stands where a narrow terminal does not cut it off.
    if let [only] = running {
        parts.extend(share(only));
    }
    let longest = running.iter().map(|one| one.time).max();
    if let (Some(time_max), Some(longest)) = (time_max, longest) {
        let left = time_max.saturating_sub(longest).as_secs_f64().ceil();
        parts.push(format!("{left}s left"));
    }
    let named = |one: &Pace<'_>| match share(one) {
        Some(share) if running.len() > 1 => format!("{} {share}", one.model.title()),
        _ => one.model.title(),
    };
    let names: Vec<String> = running.iter().map(named).collect();
    if !names.is_empty() {
        parts.push(names.join(", "));
    }
    parts.join(" · ")
}

/// How much of a model is explored, where there is an estimate.
fn share(one: &Pace<'_>) -> Option<String> {
    let progress = one.progress?;
    let all = progress.executions_estimate?;
    let share = 100.0 * progress.executions as f64 / all;
    // An estimate below what was done already says nothing.
    match all.is_finite() && share < 100.0 {
        true if share < 1.0 => Some("< 1 %".to_owned()),
        true => Some(format!("{share:.0} %")),
        false => None,
    }
}

/// A number of which only the first two digits mean something.
fn two_digits(number: f64) -> u64 {
    let number = number.min(1e15) as u64;
    let unit = 10_u64.pow(number.max(1).ilog10().saturating_sub(1));
    number / unit * unit
}

/// `10 passed, 1 failed`: how many came out how, good ones first.
pub(super) fn counts(summary: &Summary) -> String {
    let kinds = [
        (Status::Passed, "passed"),
        (Status::Failed, "failed"),
        (Status::Crashed, "crashed"),
        (Status::Error, "not checked"),
        (Status::Incomplete, "incomplete"),
        (Status::Vacuous, "vacuous"),
        (Status::NotRun, "not run"),
        (Status::Ignored, "ignored"),
    ];
    tally(&kinds.map(|(status, word)| (summary.count(status), word)))
}

/// How many there are of each kind, those of which there are none left out; but what passed is
/// always said.
pub(super) fn tally(kinds: &[(usize, &str)]) -> String {
    let shown = kinds
        .iter()
        .filter(|(count, word)| *count > 0 || *word == "passed");
    let words: Vec<_> = shown
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    words.join(", ")
}

/// A count with its noun.
pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// `0.0004s`, `0.021s`, `9.8s`: two digits that say something, or more.
pub(super) fn seconds(seconds: f64) -> String {
    let decimals = match seconds {
        ..0.01 => 4,
        0.01..1.0 => 3,
        _ => 1,
    };
    format!("{seconds:.decimals$}s")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gordian::report::Progress;

    use super::*;
    use crate::models::Model;

    #[test]
    fn long_texts_end_between_words() {
        assert_eq!(first_words("short"), "short");
        assert_eq!(first_words("two\nlines"), "two");
        let long = first_words(&"nine char ".repeat(10));
        assert!(long.ends_with(" …") && long.chars().count() <= 62, "{long}");
        assert_eq!(
            first_words(&"x".repeat(100)),
            format!("{} …", "x".repeat(60))
        );
    }

    #[test]
    fn the_place_of_a_panic_is_left_out() {
        for (message, text) in [
            (
                "`loop-1` panicked at src/a.rs:1:2: one loop: two are alive",
                "one loop: two are alive",
            ),
            (
                "`loop-1` broke invariant `reset wins`",
                "`loop-1` broke invariant `reset wins`",
            ),
            (
                "`a` and `b` wait for each other",
                "`a` and `b` wait for each other",
            ),
        ] {
            assert_eq!(without_place(message), text);
        }
    }

    #[test]
    fn the_pace_of_a_run_is_one_line() {
        let model = |name: &str| {
            let binary = crate::cargo::Binary {
                path: "bank".into(),
                label: "bank".to_owned(),
                crate_name: "bank".to_owned(),
                package: "bank".to_owned(),
                version: "0.1.0".to_owned(),
                directory: ".".into(),
            };
            Model {
                binary: Arc::new(binary),
                path: name.to_owned(),
                ignored: false,
            }
        };
        let (drain, pour) = (model("drain"), model("pour"));
        let pace_of = |executions, executions_estimate| Pace {
            model: &drain,
            progress: Some(Progress {
                executions,
                executions_estimate,
                seconds: 2.0,
            }),
            time: Duration::from_secs(2),
        };
        let silent = Pace {
            model: &pour,
            progress: None,
            time: Duration::ZERO,
        };
        let budget = Some(Duration::from_secs(30));
        assert_eq!(
            pace(7, &[pace_of(24_693, Some(200_000.0)), silent], budget),
            "24 700 executions · 12 000/s · 28s left · bank drain 12 %, bank pour"
        );
        for (estimate, share) in [
            (None, "bank drain"),
            (Some(1e9), "< 1 % · bank drain"),
            (Some(5.0), "bank drain"),
            (Some(f64::INFINITY), "bank drain"),
        ] {
            let text = pace(0, &[pace_of(100, estimate)], None);
            assert_eq!(text, format!("100 executions · 50/s · {share}"));
        }
        assert_eq!(pace(0, &[], None), "0 executions");
    }

    #[test]
    fn times_keep_two_digits_that_say_something() {
        for (time, text) in [
            (0.0004, "0.0004s"),
            (0.0213, "0.021s"),
            (9.81, "9.8s"),
            (90.0, "90.0s"),
        ] {
            assert_eq!(seconds(time), text);
        }
    }
}
