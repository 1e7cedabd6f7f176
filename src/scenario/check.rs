//! The check of a scenario: which search, and whether its answer is the one that the file expects.
//!
//! Knows how the searches complement one another. Does not know what a statement does.
//!
//! # How a scenario is searched
//! By interleavings, exhaustively, with one execution per Mazurkiewicz trace; and by states, each of
//! which is visited once. The first does not end where the scenario need not end, which shows when an
//! execution comes back to a state that it was in, and takes long where interleavings are many and
//! states are few; the second takes long where it is the other way round. Nobody knows beforehand,
//! so they take turns, each time longer ones, until one of them has come to its end. A turn is measured in
//! steps and states, not by the clock: the same file gives the same answer on every machine.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ast::{Expect, ObjectKind, Scenario};
use super::interpreter;
use super::machine::Machine;
use super::terminal::Terminal;
use crate::config::{Config, STATES_MAX, Strategy};
use crate::engine::{self, Model};
use crate::report::{Code, Engine, Finding, Report, Severity, Verdict};
use crate::trace::ReplayToken;

/// How a scenario is to be checked.
///
/// ```
/// use gordian::scenario::Options;
///
/// let options = Options::default().executions_max(1_000).liveness(true);
/// # let _ = options;
/// ```
#[derive(Clone, Debug, Default)]
pub struct Options {
    strategy: Option<Strategy>,
    engine: Engine,
    executions_max: Option<u64>,
    time_max: Option<Duration>,
    steps_max: Option<u32>,
    seed: Option<u64>,
    replay: Option<ReplayToken>,
    liveness: bool,
}

impl Options {
    /// Searches in this way and no other. Without this a scenario is searched by interleavings and by
    /// states in turns, until one of them has come to its end.
    #[must_use]
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = Some(strategy);
        self
    }

    /// Runs the threads under this engine. Under loom only what loom can express is checked.
    #[must_use]
    pub fn engine(mut self, engine: Engine) -> Self {
        self.engine = engine;
        self
    }

    /// Ends the search after so many executions.
    #[must_use]
    pub fn executions_max(mut self, executions: u64) -> Self {
        self.executions_max = Some(executions);
        self
    }

    /// Ends the search after this time; after [`TIME_MAX`] unless this says otherwise.
    #[must_use]
    pub fn time_max(mut self, time: Duration) -> Self {
        self.time_max = Some(time);
        self
    }

    /// Cuts an execution off after so many steps.
    #[must_use]
    pub fn steps_max(mut self, steps: u32) -> Self {
        self.steps_max = Some(steps);
        self
    }

    /// The seed of the random strategies.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Runs the one interleaving that the token of a finding names.
    #[must_use]
    pub fn replay(mut self, token: ReplayToken) -> Self {
        self.replay = Some(token);
        self
    }

    /// Whether a thread that can go on for ever without ever coming to its end is a finding, also
    /// if the file does not expect it.
    #[must_use]
    pub fn liveness(mut self, liveness: bool) -> Self {
        self.liveness = liveness;
        self
    }
}

/// The result of a check.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CheckReport {
    /// What was found, and how the search that decided was made.
    pub report: Report,
    /// Whether that is what the file expects; none when it expects nothing, or when the search
    /// could not tell.
    pub expected: Option<bool>,
    /// The states in which nothing moves any more: all of them, if the search is complete.
    pub terminals: BTreeSet<Terminal>,
    /// Whether some execution need not end.
    pub endless: bool,
}

impl CheckReport {
    /// The one-word result.
    pub fn verdict(&self) -> Verdict {
        self.report.verdict
    }

    /// Whether the search came to its end.
    pub fn is_complete(&self) -> bool {
        self.report.search.complete
    }

    /// Whether nothing is amiss: the search came to its end, and found what the file expects, or
    /// nothing if it does not say.
    pub fn passed(&self) -> bool {
        match self.expected {
            Some(expected) => expected && self.is_complete(),
            None => self.verdict() == Verdict::Clean,
        }
    }
}

/// How long a scenario is searched when nothing else is said.
pub const TIME_MAX: Duration = Duration::from_secs(60);

/// Steps of the first turn of the search by interleavings.
const STEPS_FIRST: u64 = 250_000;

/// States of the first turn of the search by states.
const STATES_FIRST: usize = 30_000;

/// So many times longer is each turn than the one before: what is done anew costs a seventh at most.
const LONGER: usize = 8;

/// Steps of one execution when nothing else is said.
const STEPS_MAX: u32 = 10_000;

/// Checks a scenario: every interleaving of its threads, unless the options say otherwise. `file`
/// is how reports name the text `source`, which the scenario was parsed from.
///
/// ```
/// use std::sync::Arc;
/// use gordian::scenario::{Options, check, parse};
///
/// let source = "
/// expect deadlock
/// mutex a, b
/// thread one { lock a; lock b; unlock b; unlock a }
/// thread two { lock b; lock a; unlock a; unlock b }
/// ";
/// let scenario = Arc::new(parse(source).expect("a scenario"));
/// let checked = check(&scenario, "abba.gordian", source, &Options::default());
/// assert_eq!(checked.expected, Some(true));
/// assert_eq!(checked.report.search.executions, 3);
/// ```
pub fn check(scenario: &Arc<Scenario>, file: &str, source: &str, options: &Options) -> CheckReport {
    let checker = Checker {
        machine: Arc::new(Machine::new(scenario, file, source)),
        options,
        started: Instant::now(),
        liveness: options.liveness || names(scenario.expect.as_ref(), Code::Starvation),
    };
    let (mut report, endless) = checker.search(scenario);
    let terminals = checker.machine.take_terminals();
    let coverage = &mut report.coverage;
    // One interleaving comes to few places, and where places were left out nothing can be said.
    if options.replay.is_none() && coverage.left_out == 0 && report.error.is_none() {
        coverage.unreached = checker.machine.unreached(coverage);
    }
    weigh(&mut report, scenario, checker.liveness);
    report.scenario = Some(file.to_owned());
    CheckReport {
        expected: expected(scenario, &report),
        terminals,
        endless,
        report,
    }
}

/// One check of a scenario.
struct Checker<'a> {
    machine: Arc<Machine>,
    options: &'a Options,
    started: Instant,
    liveness: bool,
}

impl Checker<'_> {
    /// What was found, and whether an execution need not end.
    fn search(&self, scenario: &Scenario) -> (Report, bool) {
        let takes_turns = self.options.strategy.is_none()
            && self.options.engine == Engine::Controlled
            && self.options.replay.is_none();
        if !takes_turns {
            let report = self.run(self.config());
            let endless = is_endless(&report);
            return (report, endless);
        }
        // An expected number of executions is to be counted, however large it is.
        let counts = scenario.expect_executions.is_some();
        let mut steps_max = (!counts).then_some(STEPS_FIRST);
        let mut states_max = STATES_FIRST;
        // Whether the search by interleavings cannot come to its end, however long it takes.
        let mut hopeless = false;
        let mut endless = false;
        let mut before: Option<Report> = None;
        // What a search has seen is not lost when the other one comes to its end.
        let with = |mut report: Report, before: Option<Report>| {
            if let Some(before) = before {
                merge(&mut report, before);
            }
            report
        };
        loop {
            if !hopeless {
                let report = self.run(Config {
                    steps_total_max: steps_max,
                    ..self.config()
                });
                endless |= is_endless(&report);
                hopeless = endless || report.search.executions_capped > 0;
                let turn_is_over = steps_max.is_some_and(|max| report.search.steps >= max);
                let goes_on = !report.search.complete
                    && report.error.is_none()
                    && (hopeless || turn_is_over)
                    && !self.is_out_of_time();
                let report = with(report, before.take());
                if !goes_on {
                    return (report, endless);
                }
                before = Some(report);
            }
            let is_last = states_max >= STATES_MAX;
            let report = self.run(Config {
                strategy: Strategy::States,
                states_max,
                ..self.config()
            });
            endless |= is_endless(&report);
            hopeless |= endless;
            let given_up = is_last && hopeless;
            let is_over = report.search.complete
                || report.error.is_some()
                || given_up
                || self.is_out_of_time();
            let report = with(report, before.take());
            if is_over {
                return (report, endless);
            }
            before = Some(report);
            steps_max = match is_last {
                // Nothing is left but to go through all interleavings.
                true => None,
                false => steps_max.map(|max| max.saturating_mul(LONGER as u64)),
            };
            states_max = (states_max * LONGER).min(STATES_MAX);
        }
    }

    fn is_out_of_time(&self) -> bool {
        let max = self.options.time_max.unwrap_or(TIME_MAX);
        self.started.elapsed() >= max
    }

    fn run(&self, config: Config) -> Report {
        let machine = Arc::clone(&self.machine);
        let model: Model = Arc::new(move || interpreter::run(&machine));
        engine::run(config, model)
    }

    fn config(&self) -> Config {
        let defaults = Config::default();
        Config {
            model: match &self.machine.scenario.title {
                Some(title) => title.clone(),
                None => "scenario".to_owned(),
            },
            engine: self.options.engine,
            strategy: self.options.strategy.unwrap_or_default(),
            steps_max: self.options.steps_max.unwrap_or(STEPS_MAX),
            executions_max: self.options.executions_max,
            time_max: Some(self.options.time_max.unwrap_or(TIME_MAX)),
            started: Some(self.started),
            seed: self.options.seed.unwrap_or(defaults.seed),
            replay: self.options.replay.clone(),
            program: Some(Arc::clone(&self.machine) as _),
            liveness: self.liveness,
            // Condvars wake by themselves where the scenario says so.
            spurious_max: 0,
            stack_size: STACK_SIZE,
            ..defaults
        }
    }
}

/// Stack of a thread: the interpreter does not recurse.
const STACK_SIZE: usize = 128 * 1024;

fn is_endless(report: &Report) -> bool {
    report.search.states.is_some_and(|states| states.endless)
}

/// Adds the findings that only the other search has, and what it saw of the locks: all of it was
/// met in real executions.
fn merge(report: &mut Report, other: Report) {
    report.coverage.merge(other.coverage);
    for finding in other.findings {
        let is_it = |its: &Finding| its.fingerprint == finding.fingerprint;
        if !report.findings.iter().any(is_it) {
            report.findings.push(finding);
        }
    }
}

/// Gives findings the weight that they have for a scenario. Starvation has none where nobody asks
/// for it: a livelock is not a deadlock. A lock that is left behind, or freed by another although
/// it has no owner, is a hazard: where that matters somebody is stuck, or misled. Where the file
/// does not say what it expects, hazards too are found.
fn weigh(report: &mut Report, scenario: &Scenario, liveness: bool) {
    report
        .findings
        .retain(|finding| liveness || finding.code != Code::Starvation);
    let has_no_owner = |name: &String| {
        let mut objects = scenario.objects.iter();
        objects.any(|object| object.name == *name && object.kind == ObjectKind::Lock)
    };
    for finding in &mut report.findings {
        let is_hazard = match finding.code {
            Code::LeakedGuard => true,
            Code::ForeignRelease => finding.objects.iter().all(has_no_owner),
            _ => false,
        };
        if is_hazard {
            finding.severity = Severity::Hazard;
        }
    }
    let counts =
        |finding: &Finding| finding.severity == Severity::Error || scenario.expect.is_none();
    report.verdict = match report.verdict {
        Verdict::Error => Verdict::Error,
        _ if report.findings.iter().any(counts) => Verdict::Found,
        _ if report.search.complete => Verdict::Clean,
        _ => Verdict::Incomplete,
    };
}

/// Whether the file names the code.
fn names(expect: Option<&Expect>, code: Code) -> bool {
    matches!(expect, Some(Expect::Codes(codes)) if codes.contains(&code))
}

/// Those with which a thread never goes on.
const STUCK: [Code; 3] = [Code::Deadlock, Code::SelfDeadlock, Code::LostWakeup];

/// Those of threads that do what they must not.
const MISUSE: [Code; 3] = [Code::Panic, Code::DoubleRelease, Code::ForeignRelease];

/// Whether the report is what the scenario expects.
fn expected(scenario: &Scenario, report: &Report) -> Option<bool> {
    if report.verdict == Verdict::Error {
        return None;
    }
    let complete = report.search.complete;
    let codes = scenario
        .expect
        .as_ref()
        .map(|expect| answers(expect, report));
    let count = scenario.expect_executions.map(|count| {
        let counted = report.search.strategy == Strategy::Exhaustive.as_str();
        complete && counted && report.search.executions == count
    });
    let answer = match (codes, count) {
        (None, None) => return None,
        (Some(answer), count) => Answer {
            right: answer.right && count != Some(false),
            ..answer
        },
        (None, Some(right)) => Answer {
            right,
            final_wrong: false,
        },
    };
    match complete || answer.final_wrong {
        true => Some(answer.right),
        false => None,
    }
}

/// How the findings compare with those that are expected.
#[derive(Clone, Copy, Debug)]
struct Answer {
    right: bool,
    /// Whether it is wrong, whatever else will be found.
    final_wrong: bool,
}

fn answers(expect: &Expect, report: &Report) -> Answer {
    // A hazard can be what is expected, and is no harm where it is not.
    let found = |code: &Code| report.has(*code);
    let only = |allowed: &dyn Fn(Code) -> bool| {
        let mut findings = report.findings.iter();
        findings.all(|finding| finding.severity < Severity::Error || allowed(finding.code))
    };
    let stuck =
        |code: Code| STUCK.contains(&code) || matches!(code, Code::LeakedGuard | Code::Starvation);
    let (enough, allowed) = match expect {
        Expect::Clean => (true, only(&|_| false)),
        Expect::Codes(codes) => (codes.iter().all(found), only(&|code| codes.contains(&code))),
        Expect::Stuck => (STUCK.iter().any(found), only(&stuck)),
        Expect::Misuse => (
            MISUSE.iter().any(found),
            only(&|code| MISUSE.contains(&code) || stuck(code)),
        ),
    };
    Answer {
        right: enough && allowed,
        final_wrong: !allowed,
    }
}
