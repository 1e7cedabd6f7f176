//! The meaning of `expect`.
//!
//! Knows which findings a file allows and which it demands. Does not know how they are found.

use std::collections::BTreeSet;

use gordian::report::{Code, Severity};
use gordian::scenario::ast::{Expect, Scenario};

use crate::search::Answer;

/// The one-word result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything was visited, and nothing found.
    Clean,
    /// There is a finding.
    Found,
    /// Nothing was found so far.
    Incomplete,
    /// The scenario cannot be searched.
    Error,
}

/// What a file's `expect` says of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The one-word result.
    pub verdict: Verdict,
    /// Whether it is what the file expects; none when the file does not say, or when what is
    /// missing of the search decides.
    pub expected: Option<bool>,
}

const STUCK: [Code; 3] = [Code::Deadlock, Code::SelfDeadlock, Code::LostWakeup];
const MISUSE: [Code; 3] = [Code::Panic, Code::DoubleRelease, Code::ForeignRelease];

/// Compares an answer with what its scenario expects. Starvation counts only where `expect` names
/// it, or with `liveness`. Hazards, which are no matter of states, do not count at all.
pub fn judge(scenario: &Scenario, answer: &Answer, liveness: bool) -> Judgement {
    let expect = scenario.expect.as_ref();
    let names_starvation =
        matches!(expect, Some(Expect::Codes(codes)) if codes.contains(&Code::Starvation));
    let counts = |code: &Code| {
        code.severity() == Severity::Error
            && (*code != Code::Starvation || liveness || names_starvation)
    };
    let found: BTreeSet<Code> = answer.codes.iter().copied().filter(counts).collect();
    let verdict = if answer.error.is_some() {
        Verdict::Error
    } else if !found.is_empty() {
        Verdict::Found
    } else if answer.complete {
        Verdict::Clean
    } else {
        Verdict::Incomplete
    };
    Judgement {
        verdict,
        expected: expect.and_then(|expect| expected(expect, &found, answer)),
    }
}

fn expected(expect: &Expect, found: &BTreeSet<Code>, answer: &Answer) -> Option<bool> {
    if answer.error.is_some() {
        return None;
    }
    let any_of = |codes: &[Code]| codes.iter().any(|code| found.contains(code));
    let (allowed, demanded): (Vec<Code>, bool) = match expect {
        Expect::Clean => (Vec::new(), true),
        Expect::Codes(codes) => {
            let errors = codes
                .iter()
                .filter(|code| code.severity() == Severity::Error);
            let all = errors.clone().all(|code| found.contains(code));
            (errors.copied().collect(), all)
        }
        Expect::Stuck => (
            [&STUCK[..], &[Code::LeakedGuard, Code::Starvation]].concat(),
            any_of(&STUCK),
        ),
        Expect::Misuse => (
            [&MISUSE[..], &STUCK, &[Code::LeakedGuard]].concat(),
            any_of(&MISUSE),
        ),
    };
    if found.iter().any(|code| !allowed.contains(code)) {
        return Some(false);
    }
    // What was not visited can only add findings.
    match (answer.complete, demanded) {
        (true, demanded) => Some(demanded),
        (false, _) => None,
    }
}
