//! What a check found, as plain data.
//!
//! Knows how a result is described and serialised (`serde`, version [`REPORT_VERSION`]). Does not
//! know how it was reached (no engine, no strategy) nor how it is shown (nothing here prints).

mod coverage;

use std::fmt;
use std::str::FromStr;

pub use coverage::{Acquisition, BothOrders, Coverage, LockMode, LockUse, Nesting, Unreached};
use serde::{Deserialize, Serialize};

/// Version of the serialised [`Report`]; grows when a field changes its meaning or goes away.
pub const REPORT_VERSION: u32 = 1;

/// What every proof rests on, in one line; all of it is in the table of README.md.
pub const RESTS_ON: &str = "only what goes through gordian, in this model, within limits: \
                            https://github.com/gordian-rs/gordian#limitations";

/// The result of one check: every distinct finding, and how much was explored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// [`REPORT_VERSION`].
    pub v: u32,
    /// Name of the model (the test function's path, or what [`Checker::name`](crate::Checker::name)
    /// was given).
    pub model: String,
    /// The one-word result.
    pub verdict: Verdict,
    /// How the search was made and how far it came.
    pub search: Search,
    /// The distinct findings, in the order in which they were met.
    pub findings: Vec<Finding>,
    /// Why the check could not be carried out, when the verdict is [`Verdict::Error`].
    pub error: Option<String>,
    /// The codes that the model says must be found; empty when nothing must be.
    #[serde(default)]
    pub expect: Vec<Code>,
    /// The scenario file that was checked, as it was named; none of a model in Rust.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// What was seen of the model's locks.
    #[serde(default, skip_serializing_if = "Coverage::is_empty")]
    pub coverage: Coverage,
}

/// The one-word result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// Nothing found, and the search did all it was asked to do.
    Clean,
    /// At least one finding of severity error.
    Found,
    /// Nothing found so far, but a bound ended the search first. Never counts as a pass.
    Incomplete,
    /// The check could not be carried out (see [`Report::error`]).
    Error,
}

/// How a search was made, and how far it came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Search {
    /// Which engine ran the threads.
    pub engine: Engine,
    /// Name of the strategy that chose who runs next, as the command line spells it.
    pub strategy: String,
    /// What a result without findings is worth.
    pub strength: Strength,
    /// Whether the search did all it was asked to do.
    pub complete: bool,
    /// Why not, in words, when it did not.
    pub incomplete_reason: Option<String>,
    /// Executions run.
    pub executions: u64,
    /// How many distinct interleavings those of a sample were, up to the order of steps that do
    /// not affect one another; more than [`DISTINCT_MAX`] are not told apart. None where each
    /// execution is another interleaving by the way in which the search is made, and under loom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct: Option<u64>,
    /// Executions abandoned because every way on had been explored elsewhere: pure waste, 0 under
    /// the exhaustive strategy.
    pub executions_blocked: u64,
    /// Executions cut off by `steps_max`.
    pub executions_capped: u64,
    /// An order-of-magnitude estimate of all executions, for an incomplete exhaustive search.
    pub executions_estimate: Option<f64>,
    /// Steps of all executions together.
    pub steps: u64,
    /// Steps of the longest execution.
    pub steps_longest: u64,
    /// Most threads in one execution, the main one included.
    pub threads: u32,
    /// Acquisitions that had to wait or, where races are looked for, could have had to, over all
    /// executions: 0 says that no lock was ever contended and the model proves little.
    pub contended: u64,
    /// Why nothing is proved by it that nothing was found, when that is so: nothing in the model
    /// could ever have been in the way of anything. None for scenarios, for replays and for samples
    /// of less than 100 executions, which may have missed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vacuous: Option<Vacuity>,
    /// Whether the model says that this is as it should be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub vacuous_allowed: bool,
    /// What is known of the model's states, where the search goes by them.
    #[serde(default)]
    pub states: Option<StateFacts>,
    /// After how many rounds of a loop, in which it had changed nothing, a thread waited for
    /// somebody else to change what it read; none when no thread came to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spins_max: Option<u32>,
    /// Wall-clock time in seconds.
    pub seconds: f64,
    /// Seed of the random strategies.
    pub seed: Option<u64>,
    /// What is to be said about how the search went: which steps of a replay token did not come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

/// As many interleavings of a sample are told apart; of more [`Search::distinct`] says no more than
/// this.
pub const DISTINCT_MAX: u64 = 1 << 20;

impl Search {
    /// How many distinct interleavings were run: [`Search::distinct`] of a sample, and otherwise
    /// every execution but those that were given up.
    pub fn interleavings(&self) -> u64 {
        let all = self.executions - self.executions_blocked.min(self.executions);
        self.distinct.unwrap_or(all)
    }

    /// How much was run, with the word that is right: `24 interleavings`, `10 000 executions of 2
    /// distinct interleavings`, under loom `414 executions`.
    pub fn extent(&self) -> String {
        let Some(distinct) = self.distinct else {
            return self.counted(self.interleavings());
        };
        let executions = self.counted(self.executions);
        let at_least = match distinct {
            DISTINCT_MAX.. => "at least ",
            _ => "",
        };
        let plural = if distinct == 1 { "" } else { "s" };
        let distinct = grouped(distinct);
        format!("{executions} of {at_least}{distinct} distinct interleaving{plural}")
    }

    /// So many of the executions, as they are to be called: `24 interleavings` where each is another
    /// one, `24 executions` where it need not be.
    pub fn counted(&self, executions: u64) -> String {
        let may_repeat = self.strength == Strength::Sampled || self.engine == Engine::Loom;
        let word = if may_repeat {
            "execution"
        } else {
            "interleaving"
        };
        let plural = if executions == 1 { "" } else { "s" };
        format!("{} {word}{plural}", grouped(executions))
    }
}

/// How far a search is that goes on.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Executions done.
    pub executions: u64,
    /// As [`Search::executions_estimate`].
    pub executions_estimate: Option<f64>,
    /// Wall-clock time since its beginning.
    pub seconds: f64,
}

/// What a search by states knows at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StateFacts {
    /// How many distinct states were met, if they were counted.
    pub count: Option<u64>,
    /// Whether an execution can come back to a state that it was in: then it need not end.
    pub endless: bool,
}

/// What a search that found nothing is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
#[non_exhaustive]
pub enum Strength {
    /// Every interleaving.
    Exhaustive,
    /// Every interleaving with at most so many preemptions.
    Bounded {
        /// The most preemptions in one interleaving.
        preemptions_max: u32,
    },
    /// A random sample.
    Sampled,
    /// One given schedule.
    Replayed,
    /// One recorded run, and those reorderings of it that keep the order on each lock.
    Predicted,
}

/// Why a model proves nothing, though nothing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Vacuity {
    /// It used none of Gordian's objects: whatever it shares is not seen.
    NoObjects,
    /// It has one thread.
    OneThread,
    /// It has several, and no step of one could ever have been in the way of another's: they might
    /// as well have run one after the other.
    NoContention,
}

impl Vacuity {
    /// What is wrong, as a clause without a subject: `used no lock of gordian`.
    pub const fn what(self) -> &'static str {
        match self {
            Vacuity::NoObjects => "used no lock of gordian",
            Vacuity::OneThread => "has one thread",
            Vacuity::NoContention => "has no thread that ever has to wait for another",
        }
    }

    /// What may have been meant.
    pub const fn hint(self) -> &'static str {
        match self {
            Vacuity::NoObjects => "did you mean `gordian::std_sync::Mutex`?",
            Vacuity::OneThread => "did you mean `gordian::thread::spawn`?",
            Vacuity::NoContention => "do they share a lock of gordian, or one of another library?",
        }
    }
}

impl fmt::Display for Vacuity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this model {}; {}", self.what(), self.hint())
    }
}

/// What may be said of a model once it was checked, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Worth {
    /// Every interleaving was explored and nothing is wrong in any, within the limits of the check.
    Proved,
    /// Nothing is wrong with at most so many preemptions.
    Bounded,
    /// Nothing is wrong with a random sample.
    Sampled,
    /// Nothing is wrong with one given schedule.
    Replayed,
    /// Nothing is wrong with one recorded run, and what follows from it.
    Predicted,
    /// Nothing could have been wrong: see [`Vacuity`].
    Vacuous,
    /// Nothing found so far, and a bound ended the search.
    Incomplete,
    /// There is a finding.
    Found,
    /// The check could not be carried out.
    Error,
}

impl Worth {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Worth::Proved => "proved",
            Worth::Bounded => "bounded",
            Worth::Sampled => "sampled",
            Worth::Replayed => "replayed",
            Worth::Predicted => "predicted",
            Worth::Vacuous => "vacuous",
            Worth::Incomplete => "incomplete",
            Worth::Found => "found",
            Worth::Error => "error",
        }
    }
}

/// What runs the threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Engine {
    /// Gordian's objects on shuttle's runtime; sequential consistency.
    #[default]
    Controlled,
    /// The same operations on loom's primitives; at most 5 threads; C11-like atomics.
    Loom,
    /// The operating system's threads and the real locks: one run as it happened, no search.
    Native,
}

/// One defect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// What kind of defect.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
    /// One sentence, lower case, with the names of threads and objects in backquotes.
    pub message: String,
    /// Names of the threads involved, sorted.
    pub threads: Vec<String>,
    /// Names of the objects involved, sorted.
    pub objects: Vec<String>,
    /// Who waits for what, and who holds it. For a deadlock: the cycle, in order.
    pub edges: Vec<Edge>,
    /// Where it happened, when it is not about waiting (a release, a slow call, a panic).
    pub site: Option<Site>,
    /// What else helps to understand it, one sentence each.
    pub notes: Vec<String>,
    /// The steps of the interleaving that led here, in order.
    pub steps: Vec<Step>,
    /// 16 hexadecimal digits; equal for the same defect in another run.
    pub fingerprint: String,
    /// The schedule that leads here, for [`Checker::replay`](crate::Checker::replay).
    pub token: String,
    /// The execution in which it was met first, counted from 1.
    pub execution: u64,
    /// In how many executions it was met.
    pub seen: u64,
    /// From what its interleaving was shrunk, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shrunk: Option<Shrunk>,
}

/// What an interleaving was before it was shrunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Shrunk {
    /// How many steps it had.
    pub steps: u32,
    /// How often one thread's step followed another's.
    pub switches: u32,
    /// How many threads took part.
    pub threads: u32,
}

impl Shrunk {
    /// The measures of an interleaving as it is.
    pub fn of(steps: &[Step]) -> Shrunk {
        // Who only waits has not been switched to for that.
        let done = steps.iter().filter(|step| step.outcome != Outcome::Blocked);
        let mut threads: Vec<&str> = done.map(|step| &*step.thread).collect();
        let switches = threads.windows(2).filter(|pair| pair[0] != pair[1]).count();
        threads.sort_unstable();
        threads.dedup();
        Shrunk {
            steps: steps.len() as u32,
            switches: switches as u32,
            threads: threads.len() as u32,
        }
    }
}

/// A thread that waits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Edge {
    /// Who waits.
    pub thread: String,
    /// What it tries to do: `lock`, `acquire`, `join`, `park` …
    pub operation: String,
    /// What it waits for (for a join: the thread).
    pub object: String,
    /// Where it waits.
    pub site: Site,
    /// Number of the step at which it began to wait.
    pub step: u32,
    /// Who could let it go on, when that is one thread.
    pub holder: Option<Holder>,
}

/// The thread that could let a waiting one go on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Holder {
    /// Its name.
    pub thread: String,
    /// Where it took what it holds; none for the thread that is waited for in a join.
    pub site: Option<Site>,
    /// Number of the step at which it took it.
    pub step: Option<u32>,
}

/// One step of an interleaving.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Step {
    /// Counted from 1.
    pub number: u32,
    /// Who did it.
    pub thread: String,
    /// What: `lock`, `unlock`, `try-lock`, `load`, `spawn`, `join`, `choose` …
    pub operation: String,
    /// On what, by name.
    pub object: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// Where in the source.
    pub site: Site,
    /// What is held from this step on, by the names of the objects. A condition variable's wait
    /// gives back a lock and takes it again later: that lock is named, whatever `object` is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acquires: Vec<String>,
    /// What is held up to this step only. The thread that holds it need not be the one that
    /// releases it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<String>,
    /// The other threads that could have run here, by name: where the schedule had a choice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<String>,
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outcome {
    /// It did what it says.
    Done,
    /// A try or a timed wait that did not succeed.
    Failed,
    /// It could not be served at once, and has joined the queue.
    Queued,
    /// The other side is gone.
    Closed,
    /// It never happened: the thread waits here.
    Blocked,
    /// The environment chose this case, counted from 0.
    Chose(u32),
}

/// A place in the source.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Site {
    /// The file as the compiler names it: relative to the workspace root for the workspace's own.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

impl Site {
    /// The place of a caller.
    pub fn of(location: &std::panic::Location<'_>) -> Self {
        Site {
            file: location.file().to_owned(),
            line: location.line(),
            column: location.column(),
        }
    }

    pub(crate) fn at(site: crate::op::Site) -> Self {
        Site {
            file: site.file().to_owned(),
            line: site.line(),
            column: site.column(),
        }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// May block on some back end, or only just did not.
    Hazard,
    /// A defect.
    Error,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal, $severity:ident;)*) => {
        /// The kinds of defect. The text form is what reports, baselines and `expect` use.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])* #[serde(rename = $text)] $name,)*
        }

        impl Code {
            /// All codes, in the order of the documentation.
            pub const ALL: &[Code] = &[$(Code::$name),*];

            /// The text form, such as `double-release`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text),* }
            }

            /// How bad a finding of this kind is, unless the finding says otherwise.
            pub const fn severity(self) -> Severity {
                match self { $(Code::$name => Severity::$severity),* }
            }
        }
    };
}

codes! {
    /// A cycle of threads, each waiting for what the next holds.
    Deadlock = "deadlock", Error;
    /// A thread waits for what it holds itself.
    SelfDeadlock = "self-deadlock", Error;
    /// A waiter that nobody can wake any more, without a cycle.
    LostWakeup = "lost-wakeup", Error;
    /// Release of a lock that is not held.
    DoubleRelease = "double-release", Error;
    /// Release by a thread that does not hold the lock.
    ForeignRelease = "foreign-release", Error;
    /// A thread ended, or forgot a guard, with a lock held.
    LeakedGuard = "leaked-guard", Error;
    /// Two orders of the same locks.
    LockOrder = "lock-order", Hazard;
    /// A slow call while a lock is held.
    SlowUnderLock = "slow-under-lock", Error;
    /// A blocking lock's guard alive across an await.
    AwaitUnderLock = "await-under-lock", Error;
    /// A thread enabled for ever and never served, or a step bound without progress.
    Starvation = "starvation", Error;
    /// Only a time-out broke the cycle.
    TimeoutOnly = "timeout-only", Hazard;
    /// A panic or a failed invariant or assertion in some interleaving.
    Panic = "panic", Error;
    /// The same schedule led elsewhere.
    Nondeterminism = "nondeterminism", Error;
    /// A second read of a reader-writer lock by one thread.
    RecursiveRead = "recursive-read", Hazard;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        let found = Code::ALL.iter().find(|code| code.as_str() == text);
        found.copied().ok_or_else(|| UnknownCode(text.to_owned()))
    }
}

/// A text that is not the name of a [`Code`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownCode(String);

impl fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no finding code is named `{}`; the codes are ", self.0)?;
        let names: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        f.write_str(&names.join(", "))
    }
}

impl std::error::Error for UnknownCode {}

impl Report {
    /// Whether there is a finding with this code.
    pub fn has(&self, code: Code) -> bool {
        self.find(code).is_some()
    }

    /// The first finding with this code.
    pub fn find(&self, code: Code) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.code == code)
    }

    /// The codes found, sorted, each once.
    pub fn codes(&self) -> Vec<Code> {
        let mut codes: Vec<_> = self.findings.iter().map(|finding| finding.code).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// What may be said of the model, in a word.
    pub fn worth(&self) -> Worth {
        match self.verdict {
            Verdict::Found => return Worth::Found,
            Verdict::Incomplete => return Worth::Incomplete,
            Verdict::Error => return Worth::Error,
            Verdict::Clean if self.search.vacuous.is_some() => return Worth::Vacuous,
            Verdict::Clean => {}
        }
        match self.search.strength {
            Strength::Exhaustive => Worth::Proved,
            Strength::Bounded { .. } => Worth::Bounded,
            Strength::Sampled => Worth::Sampled,
            Strength::Replayed => Worth::Replayed,
            Strength::Predicted => Worth::Predicted,
        }
    }

    /// Why nothing is proved by it that nothing was found, unless the model says that this is meant:
    /// then the test fails.
    pub fn vacuity(&self) -> Option<Vacuity> {
        let is_judged = self.verdict == Verdict::Clean && self.expect.is_empty();
        let vacuous = self.search.vacuous.filter(|_| is_judged)?;
        (!self.search.vacuous_allowed).then_some(vacuous)
    }

    /// How strong the result is, as a phrase: `exhaustive: 30 interleavings, 4 threads, 0.001 s`.
    pub fn strength(&self) -> String {
        let search = &self.search;
        let threads = match search.threads {
            1 => "1 thread".to_owned(),
            threads => format!("{threads} threads"),
        };
        if search.strength == Strength::Predicted {
            let events = grouped(search.steps);
            return format!(
                "predicted from one run: {events} events, {threads}, {:.3} s",
                search.seconds
            );
        }
        let kind = match search.strength {
            Strength::Exhaustive if !search.complete => "not complete: ".to_owned(),
            Strength::Exhaustive => "exhaustive: ".to_owned(),
            Strength::Bounded { preemptions_max } => {
                format!("bounded: ≤ {} preemptions, ", preemptions_max)
            }
            Strength::Sampled => format!("sampled ({}): ", search.strategy),
            Strength::Replayed => "replayed: ".to_owned(),
            Strength::Predicted => "predicted: ".to_owned(),
        };
        let engine = match search.engine {
            Engine::Controlled | Engine::Native => "",
            Engine::Loom => "loom, ",
        };
        // What a loop that gives up later does meanwhile was not explored.
        let spins = match search.spins_max {
            None => String::new(),
            Some(1) => ", waits in loops after 1 round".to_owned(),
            Some(rounds) => format!(", waits in loops after {rounds} rounds"),
        };
        format!(
            "{engine}{kind}{}, {threads}{spins}, {:.3} s",
            search.extent(),
            search.seconds,
        )
    }

    /// Returns when nothing was found and the search did all it was asked to do.
    ///
    /// # Panics
    /// With the explanation of every finding, or of what is missing, otherwise. A search that a
    /// bound cut off panics too: it proves nothing. Whether the model is vacuous is not asked here:
    /// [`Report::passed`] does, and so does a test under the attribute.
    #[track_caller]
    pub fn assert_clean(&self) {
        if self.verdict != Verdict::Clean {
            panic!("{}", self.explain());
        }
    }

    /// Returns the first finding with this code.
    ///
    /// # Panics
    /// When there is none, with what was found instead.
    #[track_caller]
    pub fn assert_found(&self, code: Code) -> &Finding {
        match self.find(code) {
            Some(finding) => finding,
            None => panic!("expected a `{code}` finding\n{}", self.explain()),
        }
    }
}

/// `1234567` as `1 234 567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_round_trip_through_text_and_serde() {
        for &code in Code::ALL {
            assert_eq!(code.as_str().parse::<Code>().unwrap(), code);
            let json = serde_json::to_string(&code).unwrap();
            assert_eq!(json, format!("\"{code}\""));
            assert_eq!(serde_json::from_str::<Code>(&json).unwrap(), code);
        }
        let error = "dead-lock".parse::<Code>().unwrap_err().to_string();
        assert!(
            error.contains("`dead-lock`") && error.contains("self-deadlock"),
            "{error}"
        );
    }

    #[test]
    fn numbers_are_grouped_by_three() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1 000"), (81204, "81 204")] {
            assert_eq!(grouped(number), text);
        }
    }
}
