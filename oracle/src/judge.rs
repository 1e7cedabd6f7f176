//! The meaning of `expect`.
//!
//! Knows which findings a file allows and which it demands. Does not know how they are found.

use std::collections::BTreeSet;

use gordian::report::Code;
use gordian::scenario::ast::{Expect, Scenario};

use crate::search::Answer;

/// The one-word result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything was visited, and nothing found.
    Clean,
    /// There is a finding: an error, or, where the file does not say what it expects, anything.
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
/// What may come with either, as a consequence.
const HARMLESS: [Code; 1] = [Code::Starvation];
const MISUSE: [Code; 3] = [Code::Panic, Code::DoubleRelease, Code::ForeignRelease];

/// Compares an answer with what its scenario expects. Starvation counts only where `expect` names
/// it, or with `liveness`. A hazard can be what is demanded, but nothing is wrong with one that is
/// not named. The hazards that are no matter of states (lock order, time-outs) are not known here,
/// so that naming them changes nothing.
pub fn judge(scenario: &Scenario, answer: &Answer, liveness: bool) -> Judgement {
    let expect = scenario.expect.as_ref();
    let names_starvation =
        matches!(expect, Some(Expect::Codes(codes)) if codes.contains(&Code::Starvation));
    let mut errors = answer.codes.clone();
    if !liveness && !names_starvation {
        errors.remove(&Code::Starvation);
    }
    let verdict = if answer.error.is_some() {
        Verdict::Error
    } else if !errors.is_empty() || expect.is_none() && !answer.hazards.is_empty() {
        Verdict::Found
    } else if answer.complete {
        Verdict::Clean
    } else {
        Verdict::Incomplete
    };
    let expected = match verdict {
        Verdict::Error => None,
        _ => expect.and_then(|expect| expected(expect, &errors, answer)),
    };
    Judgement { verdict, expected }
}

fn expected(expect: &Expect, errors: &BTreeSet<Code>, answer: &Answer) -> Option<bool> {
    let found = |code: &Code| errors.contains(code) || answer.hazards.contains(code);
    let (allowed, demanded): (Vec<Code>, bool) = match expect {
        Expect::Clean => (Vec::new(), true),
        Expect::Codes(codes) => (
            codes.clone(),
            codes.iter().filter(|code| known(code)).all(found),
        ),
        Expect::Stuck => ([&STUCK[..], &HARMLESS].concat(), STUCK.iter().any(found)),
        Expect::Misuse => (
            [&MISUSE[..], &STUCK, &HARMLESS].concat(),
            MISUSE.iter().any(found),
        ),
    };
    if errors.iter().any(|code| !allowed.contains(code)) {
        return Some(false);
    }
    // What was not visited can only add findings.
    answer.complete.then_some(demanded)
}

/// Whether the search would tell.
fn known(code: &Code) -> bool {
    !matches!(
        code,
        Code::LockOrder
            | Code::TimeoutOnly
            | Code::RecursiveRead
            | Code::AwaitUnderLock
            | Code::Nondeterminism
    )
}
