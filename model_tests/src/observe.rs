//! Checks a specimen in a scenario, and reads the report.
//!
//! Knows how a [`Sign`] is recognised. Does not know which signs are wanted: the table does.

use std::sync::{Arc, Mutex};

use gordian::report::Engine;
use gordian::{Checker, Code, Report};

use crate::properties::{Judge, Property};
use crate::scenario::{Build, Ending, Scenario};
use crate::table::{Case, Loom, Sign};

/// A report, and what the executions did beyond it.
#[derive(Debug)]
pub struct Observed {
    /// The report.
    pub report: Report,
    /// How executions ended: a set, for there are many. Filled by the model, but never looked at
    /// by it: it does not influence the search.
    pub endings: Vec<Ending>,
    /// Executions that came to their end with every loop through all currencies.
    pub isolated: u64,
}

/// Checks a program in a scenario.
pub fn observe(
    checker: Checker,
    build: Build,
    scenario: Scenario<'static>,
    judge: Judge,
) -> Observed {
    let seen = Arc::new(Mutex::new((Vec::<Ending>::new(), 0)));
    let note = Arc::clone(&seen);
    // The executions are counted: none is to be run again.
    let report = checker.reruns(0).check(move || {
        let ending = scenario.run(build, judge);
        let (endings, isolated) = &mut *note.lock().expect("nothing panics with it");
        *isolated += u64::from(ending.finished);
        if !endings.contains(&ending) {
            endings.push(ending);
        }
    });
    let (endings, isolated) = std::mem::take(&mut *seen.lock().expect("nothing panics with it"));
    Observed {
        report,
        endings,
        isolated,
    }
}

/// The judge that looks for a sign.
fn judge_of(sign: Sign) -> Judge {
    match sign {
        Sign::Code(_) => Judge::Detectors,
        Sign::Property(property) => Judge::By(property),
        Sign::Anything => Judge::All,
    }
}

/// How many executions of a case that loom cannot search to the end it is given.
const LOOM_EXECUTIONS_MAX: u64 = 2_000;

/// A checker for a case.
pub fn checker(name: &str, case: &Case, engine: Engine) -> Checker {
    let checker = Checker::new().name(name).engine(engine);
    match (case.endless, case.loom, engine) {
        (Some(steps), ..) => checker.steps_max(steps).executions_max(2_000),
        (None, Loom::FindsOnly, Engine::Loom) => checker.executions_max(LOOM_EXECUTIONS_MAX),
        _ => checker,
    }
}

/// Whether a program shows the sign in a case, and the report that says so.
pub fn shows(name: &str, build: Build, case: &Case, sign: Sign, engine: Engine) -> (bool, Report) {
    let checker = checker(name, case, engine);
    let observed = observe(checker, build, case.scenario, judge_of(sign));
    let shown = is_shown(&observed, &case.scenario, sign);
    (shown, observed.report)
}

fn is_shown(observed: &Observed, scenario: &Scenario<'_>, sign: Sign) -> bool {
    let report = &observed.report;
    match sign {
        Sign::Code(code) => report.has(code),
        Sign::Anything => !report.findings.is_empty(),
        // A loop that never comes to the other currency ends in no failed check: it ends nowhere.
        Sign::Property(Property::Isolation) => observed.isolated < report.search.executions,
        // The slow call lasts until the client has its answer: waiting for it is a deadlock.
        Sign::Property(Property::BoundedReply) if scenario.patient => {
            report.has(Code::Deadlock) || has_panic(report, Property::BoundedReply)
        }
        Sign::Property(property) => has_panic(report, property),
    }
}

/// Whether a check or an invariant with the property's name failed.
fn has_panic(report: &Report, property: Property) -> bool {
    let findings = report
        .findings
        .iter()
        .filter(|finding| finding.code == Code::Panic);
    findings
        .into_iter()
        .any(|finding| finding.message.contains(property.name()))
}
