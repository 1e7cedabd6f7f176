//! Explorer and oracle, compared on one scenario.
//!
//! Knows what two searches that share no code must agree on: the findings, the ends, the threads
//! that never go on, and how many executions there are. Does not know where scenarios come from.

use std::collections::BTreeSet;
use std::sync::Arc;

use gordian::report::{Code, Finding, Verdict};
use gordian::scenario::{CheckReport, End, Options, Scenario, check, parse};
use gordian_oracle::{Answer, Limits, judge, search, traces};

/// States of a program that is not too large.
const STATES_MAX: u32 = 250;
/// Whether a thread that always goes on and never ends is a finding.
const LIVENESS: bool = true;
/// Beginnings of traces of a program whose traces are counted.
const BEGINNINGS_MAX: usize = 3_000;

/// What both said of a program.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Who never goes on, and where.
    pub stuck: BTreeSet<(u32, End)>,
    /// Nothing was found.
    pub clean: bool,
    /// Some execution need not end.
    pub endless: bool,
    /// Number of ends.
    pub ends: usize,
    /// Its traces were counted, too.
    pub counted: bool,
}

/// Compares what both say of a program; nothing when it is too large, in states, or in executions
/// if there is a maximum of these: then whatever was found has to be true. With `only_locks` there
/// are as many executions as traces, and these are counted if they are few.
///
/// # Errors
/// What is wrong, when the two disagree or the text is no scenario.
pub fn compare(
    source: &str,
    only_locks: bool,
    executions_max: Option<u64>,
) -> Result<Option<Compared>, String> {
    let scenario = parse(source).map_err(|error| format!("it does not parse: {error}"))?;
    let limits = Limits {
        states_max: STATES_MAX,
        ..Limits::default()
    };
    let answer = search(&scenario, &limits);
    if !answer.complete {
        return Ok(None);
    }
    let scenario = Arc::new(scenario);
    let mut options = Options::default().liveness(LIVENESS);
    if let Some(executions) = executions_max {
        options = options.executions_max(executions);
    }
    let checked = check(&scenario, "generated.gordian", source, &options);
    let search = &checked.report.search;
    if executions_max.is_some_and(|most| search.executions >= most) && !search.complete {
        return nothing_untrue(&checked, &answer).map(|()| None);
    }
    same_findings(&checked, &answer)?;
    same_ends(&checked, &answer)?;
    same_judgement(&scenario, &checked, &answer)?;
    let stuck = same_stuck(&scenario, &checked, &answer)?;
    let counted = only_locks && same_count(&scenario, &checked)?;
    Ok(Some(Compared {
        stuck,
        clean: answer.codes.is_empty(),
        endless: answer.endless,
        ends: answer.terminal.len(),
        counted,
    }))
}

/// Findings of states and of single steps; what kind of being stuck it is, is a matter of
/// judgement, and lock order and the like are no matter of states.
fn same_findings(checked: &CheckReport, answer: &Answer) -> Result<(), String> {
    if checked.report.verdict == Verdict::Error || !checked.is_complete() {
        return Err(format!(
            "the explorer came to no end: {:#?}",
            checked.report
        ));
    }
    let (explorer, oracle) = (found_by_explorer(checked), found_by_oracle(answer));
    match explorer == oracle {
        true => Ok(()),
        false => Err(format!("explorer {explorer:?}, oracle {oracle:?}")),
    }
}

/// What `expect` makes of it, and who never comes to an end although it always goes on.
fn same_judgement(
    scenario: &Scenario,
    checked: &CheckReport,
    answer: &Answer,
) -> Result<(), String> {
    let judgement = judge(scenario, answer, LIVENESS);
    if judgement.expected != checked.expected {
        return Err(format!(
            "as expected: explorer {:?}, oracle {:?}",
            checked.expected, judgement.expected
        ));
    }
    let starves = |finding: &Finding| finding.code == Code::Starvation;
    let explorer = checked.report.findings.iter().any(starves);
    let oracle = answer.codes.contains(&Code::Starvation);
    match explorer == oracle {
        true => Ok(()),
        false => Err(format!("starvation: explorer {explorer}, oracle {oracle}")),
    }
}

/// Of a search that was ended before its end: all that it found the oracle knows, too.
fn nothing_untrue(checked: &CheckReport, answer: &Answer) -> Result<(), String> {
    if let Some(error) = &checked.report.error {
        return Err(format!("the explorer failed: {error}"));
    }
    let (explorer, oracle) = (found_by_explorer(checked), found_by_oracle(answer));
    match explorer.is_subset(&oracle) && checked.terminals.is_subset(&answer.terminal) {
        true => Ok(()),
        false => Err(format!(
            "explorer {explorer:?}, oracle {oracle:?}, ends {:#?}",
            checked.terminals
        )),
    }
}

fn found_by_explorer(checked: &CheckReport) -> BTreeSet<Code> {
    classes(checked.report.findings.iter().map(|finding| finding.code))
}

fn found_by_oracle(answer: &Answer) -> BTreeSet<Code> {
    classes(answer.codes.iter().chain(&answer.hazards).copied())
}

fn classes(codes: impl Iterator<Item = Code>) -> BTreeSet<Code> {
    codes
        .filter_map(|code| match code {
            Code::Deadlock | Code::SelfDeadlock | Code::LostWakeup => Some(Code::Deadlock),
            Code::Panic
            | Code::DoubleRelease
            | Code::ForeignRelease
            | Code::LeakedGuard
            | Code::SlowUnderLock => Some(code),
            _ => None,
        })
        .collect()
}

fn same_ends(checked: &CheckReport, answer: &Answer) -> Result<(), String> {
    let only_explorer: Vec<_> = checked.terminals.difference(&answer.terminal).collect();
    let only_oracle: Vec<_> = answer.terminal.difference(&checked.terminals).collect();
    match only_explorer.is_empty() && only_oracle.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "ends that only the explorer has: {only_explorer:#?}\nonly the oracle: {only_oracle:#?}"
        )),
    }
}

/// Whoever is stuck is so in an end, unless others run for ever; a program without endless
/// executions has those ends only.
fn same_stuck(
    scenario: &Scenario,
    checked: &CheckReport,
    answer: &Answer,
) -> Result<BTreeSet<(u32, End)>, String> {
    let oracle: BTreeSet<(u32, End)> = answer
        .stuck
        .iter()
        .map(|stuck| (stuck.thread, stuck.end))
        .collect();
    let mut explorer = BTreeSet::new();
    for terminal in &checked.terminals {
        for (thread, end) in (0..).zip(&terminal.threads) {
            let daemon = scenario.threads[thread as usize].daemon;
            if matches!(end, End::Waiting { .. }) && !daemon {
                explorer.insert((thread, *end));
            }
        }
    }
    if checked.endless != answer.endless {
        return Err(format!(
            "endless: explorer {}, oracle {}",
            checked.endless, answer.endless
        ));
    }
    let same = match answer.endless {
        true => explorer.is_subset(&oracle),
        false => explorer == oracle,
    };
    match same {
        true => Ok(oracle),
        false => Err(format!("stuck: explorer {explorer:?}, oracle {oracle:?}")),
    }
}

/// On locks no execution is redundant: there are as many as traces. Whether that could be counted.
fn same_count(scenario: &Scenario, checked: &CheckReport) -> Result<bool, String> {
    let Some(count) = traces(scenario, BEGINNINGS_MAX) else {
        return Ok(false);
    };
    let search = &checked.report.search;
    match search.executions == count && search.executions_blocked == 0 {
        true => Ok(true),
        false => Err(format!(
            "{} executions, {} blocked, of {count} traces",
            search.executions, search.executions_blocked
        )),
    }
}
