//! Small programs with answers that were worked out by hand.

use std::collections::BTreeSet;

use gordian::scenario::ast::{ObjectKind, Scenario};
use gordian::scenario::{End, Phase, Terminal, parse};
use gordian_oracle::{Answer, Limits, search};

/// A program, its findings (hazards in parentheses), and its ends.
///
/// An end has the variables that are not 0, shared ones first, and the threads that have not ended:
/// where each waits, with `…` when it has arrived there already. `-` is an end without any of that.
pub(crate) struct Case {
    pub(crate) source: &'static str,
    pub(crate) codes: &'static str,
    pub(crate) ends: &'static [&'static str],
}

/// Shorter to write in a table.
pub(crate) const fn case(
    source: &'static str,
    codes: &'static str,
    ends: &'static [&'static str],
) -> Case {
    Case {
        source,
        codes,
        ends,
    }
}

pub(crate) fn answer(source: &str) -> (Scenario, Answer) {
    let scenario = match parse(source) {
        Ok(scenario) => scenario,
        Err(error) => panic!("{error}\n{source}"),
    };
    let answer = search(&scenario, &Limits::default());
    (scenario, answer)
}

/// Fails with all cases that are not answered as they should be.
pub(crate) fn check(cases: &[Case]) {
    let mut wrong = String::new();
    for case in cases {
        let (scenario, answer) = answer(case.source);
        let codes = answer.codes.iter().map(|code| code.to_string());
        let hazards = answer.hazards.iter().map(|code| format!("({code})"));
        let codes = codes.chain(hazards).collect::<Vec<_>>().join(" ");
        let ends: BTreeSet<String> = answer
            .terminal
            .iter()
            .map(|end| described(case.source, &scenario, end))
            .collect();
        let expected: BTreeSet<String> = case.ends.iter().map(|end| (*end).to_owned()).collect();
        if codes != case.codes || ends != expected || !answer.complete {
            wrong += &format!(
                "{}\n  expected {:?} {expected:?}\n  found    {codes:?} {ends:?} {:?}\n\n",
                case.source, case.codes, answer.error
            );
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

fn described(source: &str, scenario: &Scenario, end: &Terminal) -> String {
    let vars = scenario
        .objects
        .iter()
        .filter(|object| matches!(object.kind, ObjectKind::Var { .. }));
    let mut parts: Vec<String> = vars
        .zip(&end.vars)
        .filter(|(_, value)| **value != 0)
        .map(|(object, value)| format!("{}={value}", object.name))
        .collect();
    for (thread, locals) in scenario.threads.iter().zip(&end.locals) {
        for (name, value) in scenario.locals.iter().zip(locals) {
            if *value != 0 {
                parts.push(format!("{}.${name}={value}", thread.name));
            }
        }
    }
    for (thread, end) in scenario.threads.iter().zip(&end.threads) {
        match end {
            End::Ended => {}
            End::NotStarted => parts.push(format!("{}: not started", thread.name)),
            End::Waiting { statement, phase } => {
                let text = &source[*statement as usize..];
                let text = text
                    .split([';', '\n', '{', '}'])
                    .next()
                    .unwrap_or("")
                    .trim();
                let queued = if *phase == Phase::GoingOn { "…" } else { "" };
                parts.push(format!("{}: {text}{queued}", thread.name));
            }
        }
    }
    if parts.is_empty() {
        return "-".to_owned();
    }
    parts.join(", ")
}
