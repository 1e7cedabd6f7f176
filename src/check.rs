//! The one door from a closure to a [`Report`].
//!
//! Knows the configuration and where it comes from. Does not know how a search is made.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
pub use crate::config::{ConfigError, Leftover, Strategy, Vacuous};
use crate::engine;
use crate::report::{Code, Engine, Report, Severity, Verdict};
pub use crate::trace::ReplayToken;

/// Checks a closure: runs it in every interleaving, or as many as the settings allow.
///
/// ```
/// use gordian::sync::{Arc, Mutex};
/// use gordian::{Checker, thread};
///
/// let report = Checker::new().check(|| {
///     let count = Arc::new(Mutex::new(0));
///     let other = Arc::clone(&count);
///     let thread = thread::spawn(move || *other.lock() += 1);
///     *count.lock() += 1;
///     thread.join().unwrap();
///     assert_eq!(*count.lock(), 2);
/// });
/// report.assert_clean();
/// assert_eq!(report.search.executions, 2);
/// ```
#[derive(Clone, Debug)]
pub struct Checker {
    pub(crate) config: Config,
}

impl Default for Checker {
    fn default() -> Self {
        Checker::new()
    }
}

impl Checker {
    /// A checker with the default settings: the controlled engine, exhaustively, at most 10 000
    /// steps in one execution, no bound on time or executions.
    pub fn new() -> Self {
        Checker {
            config: Config::default(),
        }
    }

    /// The model's name in reports.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.config.model = name.into();
        self
    }

    /// Which engine runs the threads.
    #[must_use]
    pub fn engine(mut self, engine: Engine) -> Self {
        self.config.engine = engine;
        self
    }

    /// Who runs next.
    #[must_use]
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.config.strategy = strategy;
        self
    }

    /// Explores only interleavings with at most so many preemptions: switches away from a thread
    /// that could have gone on. The number of interleavings grows with the step count to this
    /// power. Makes the exhaustive strategy a plain depth-first one.
    #[must_use]
    pub fn preemptions_max(mut self, preemptions: u32) -> Self {
        self.config.preemptions_max = Some(preemptions);
        self
    }

    /// Cuts an execution off after so many steps; the search is then incomplete.
    #[must_use]
    pub fn steps_max(mut self, steps: u32) -> Self {
        self.config.steps_max = steps;
        self
    }

    /// Whether the interleavings of findings are made simpler once the search is over, as they are
    /// unless this says otherwise.
    #[must_use]
    pub fn shrink(mut self, shrink: bool) -> Self {
        self.config.shrink = shrink;
        self
    }

    /// Lets each thread wake spuriously from condvars so many times in an execution: every way of
    /// that is explored. Once, unless this says otherwise.
    #[must_use]
    pub fn spurious_max(mut self, wakes: u32) -> Self {
        self.config.spurious_max = wakes;
        self
    }

    /// How many rounds of a loop a thread goes freely though it has changed nothing in them and seen
    /// nothing new: 1, unless this says otherwise.
    ///
    /// A round ends with a yield, a spin hint, a sleep, a try, a timed wait or a compare-exchange
    /// that failed. So many are explored like anything else, in every order with what others do.
    /// From then on the thread goes round again only when somebody else has changed something that
    /// it read, or when nobody else can go on; so that a loop which gives up by itself is seen to
    /// give up, unless that takes it more than a thousand rounds. What is left out: a loop that gives
    /// up after more than so many rounds while others could still go on. A loop without any of these
    /// hints waits after 50 rounds.
    #[must_use]
    pub fn spins_max(mut self, rounds: u32) -> Self {
        self.config.spins_max = rounds;
        self
    }

    /// How many executions are run again at the end of the search, the first one among them, to see
    /// whether the same schedule leads to the same steps: 14, unless this says otherwise; none with
    /// 0. What decides by a fair coin in each execution goes unseen by `n` of them once in 2^`n`
    /// times. They count as none of the search's executions.
    #[must_use]
    pub fn reruns(mut self, executions: u32) -> Self {
        self.config.reruns = executions;
        self
    }

    /// What becomes of threads that are left in the middle of their work when an execution ends.
    #[must_use]
    pub fn leftover(mut self, leftover: Leftover) -> Self {
        self.config.leftover = leftover;
        self
    }

    /// What a test comes to whose model proves nothing, since it used no lock of Gordian, has one
    /// thread, or has threads that never meet: it fails ([`Report::passed`]), unless this says
    /// otherwise.
    ///
    /// ```
    /// use gordian::{Checker, Vacuous, sync::Mutex};
    ///
    /// let alone = || drop(Mutex::new(0).lock());
    /// let report = Checker::new().check(alone);
    /// assert!(!report.passed());
    /// assert_eq!(
    ///     report.search.vacuous.unwrap().to_string(),
    ///     "this model has one thread; did you mean `gordian::thread::spawn`?"
    /// );
    /// assert!(Checker::new().vacuous(Vacuous::Allow).check(alone).passed());
    /// ```
    #[must_use]
    pub fn vacuous(mut self, vacuous: Vacuous) -> Self {
        self.config.vacuous = vacuous;
        self
    }

    /// Ends the search after so many executions; a systematic one is then incomplete.
    #[must_use]
    pub fn executions_max(mut self, executions: u64) -> Self {
        self.config.executions_max = Some(executions);
        self
    }

    /// Ends the search after so much time, within an execution if need be.
    #[must_use]
    pub fn time_max(mut self, time: Duration) -> Self {
        self.config.time_max = Some(time);
        self
    }

    /// Gives up when a thread of the model takes so long from one operation to its next: it is
    /// blocked in something that the model does not know, or loops without any operation.
    #[must_use]
    pub fn stall_max(mut self, time: Duration) -> Self {
        self.config.stall_max = time;
        self
    }

    /// Seed of the random strategies: same seed, same executions.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// Size of each thread's stack in bytes; memory is taken only as it is used.
    #[must_use]
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.config.stack_size = bytes;
        self
    }

    /// Runs the one interleaving that a finding's token names, instead of a search.
    #[must_use]
    pub fn replay(mut self, token: ReplayToken) -> Self {
        self.config.replay = Some(token);
        self
    }

    /// Where [`Strategy::Fuzz`] keeps the schedules that showed something new: it begins with those
    /// that are there. Nowhere unless this says otherwise.
    #[must_use]
    pub fn corpus(mut self, directory: impl Into<PathBuf>) -> Self {
        self.config.corpus = Some(directory.into());
        self
    }

    /// Ends the search once so many distinct errors were found; it goes on to its end otherwise.
    #[must_use]
    pub fn errors_max(mut self, errors: u32) -> Self {
        self.config.errors_max = Some(errors);
        self
    }

    /// Runs the one interleaving that these bytes choose, one byte for each decision, instead of a
    /// search: any string of bytes is an interleaving. For fuzzers, which find strings that lead
    /// somewhere new.
    ///
    /// ```
    /// use gordian::{Checker, report::Verdict};
    ///
    /// let model = || assert_ne!(gordian::choose(3), 2);
    /// let verdict = |bytes: &[u8]| Checker::new().choices(bytes).check(model).verdict;
    /// assert_ne!(verdict(&[1]), Verdict::Found);
    /// assert_eq!(verdict(&[2]), Verdict::Found);
    /// ```
    #[must_use]
    pub fn choices(mut self, bytes: impl Into<Arc<[u8]>>) -> Self {
        self.config.strategy = Strategy::Random;
        self.config.choices = Some(bytes.into());
        self
    }

    /// Full wakeup sequences as published, instead of trimmed ones: for comparison only.
    #[doc(hidden)]
    #[must_use]
    pub fn full_wakeup_sequences(mut self) -> Self {
        self.config.trimmed = false;
        self
    }

    /// Applies the environment variables `GORDIAN_ENGINE`, `GORDIAN_STRATEGY`,
    /// `GORDIAN_PREEMPTIONS_MAX`, `GORDIAN_STEPS_MAX`, `GORDIAN_SPINS_MAX`, `GORDIAN_SPURIOUS_MAX`,
    /// `GORDIAN_EXECUTIONS_MAX`, `GORDIAN_ERRORS_MAX`, `GORDIAN_TIME_MAX` and `GORDIAN_STALL_MAX`
    /// (seconds), `GORDIAN_SEED`, `GORDIAN_LEFTOVER`, `GORDIAN_VACUOUS`, `GORDIAN_CORPUS`
    /// (a directory), `GORDIAN_REPLAY` on top of the settings so far.
    ///
    /// # Errors
    /// When one of them has a value that cannot be read, with the name of the variable.
    pub fn env(self) -> Result<Self, ConfigError> {
        let mut checker = self.variables("GORDIAN_")?;
        set(&mut checker.config.replay, "GORDIAN_", "REPLAY", |text| {
            text.parse().map(Some)
        })?;
        Ok(checker)
    }

    /// Applies the settings that are variables with this in front of their names.
    fn variables(mut self, front: &str) -> Result<Self, ConfigError> {
        let config = &mut self.config;
        set(&mut config.engine, front, "ENGINE", str::parse)?;
        set(&mut config.strategy, front, "STRATEGY", str::parse)?;
        set(&mut config.preemptions_max, front, "PREEMPTIONS_MAX", some)?;
        set(&mut config.steps_max, front, "STEPS_MAX", str::parse)?;
        set(&mut config.spurious_max, front, "SPURIOUS_MAX", str::parse)?;
        set(&mut config.executions_max, front, "EXECUTIONS_MAX", some)?;
        set(&mut config.errors_max, front, "ERRORS_MAX", some)?;
        if let Some(directory) = std::env::var_os(format!("{front}CORPUS")) {
            config.corpus = Some(directory.into());
        }
        set(&mut config.time_max, front, "TIME_MAX", |text| {
            seconds(text).map(Some)
        })?;
        set(&mut config.stall_max, front, "STALL_MAX", seconds)?;
        set(&mut config.leftover, front, "LEFTOVER", str::parse)?;
        set(&mut config.vacuous, front, "VACUOUS", str::parse)?;
        set(&mut config.spins_max, front, "SPINS_MAX", str::parse)?;
        set(&mut config.reruns, front, "RERUNS", str::parse)?;
        set(&mut config.seed, front, "SEED", str::parse)?;
        Ok(self)
    }

    /// Runs `model` in interleaving after interleaving and reports.
    ///
    /// The closure runs once per execution, on a thread of the checker's own, and must make
    /// everything it shares anew: what survives an execution is seen by the next. It may start at
    /// most 63 threads (4 under loom).
    pub fn check(self, model: impl Fn() + Send + Sync + 'static) -> Report {
        let model = move || crate::thread::drop_locals(&model);
        engine::run(self.config, Arc::new(model))
    }
}

/// Reads a time.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().map_err(|error| error.to_string())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// Reads a setting that is there or not.
fn some<T: FromStr>(text: &str) -> Result<Option<T>, T::Err> {
    text.parse().map(Some)
}

/// Sets `slot` from the environment variable of that name with `front` before it, if it is there.
fn set<T, E: fmt::Display>(
    slot: &mut T,
    front: &str,
    name: &str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<(), ConfigError> {
    let name = format!("{front}{name}");
    match std::env::var(&name) {
        Err(std::env::VarError::NotPresent) => Ok(()),
        Err(error) => Err(ConfigError(format!("{name}: {error}"))),
        Ok(text) => {
            *slot = parse(text.trim())
                .map_err(|error| ConfigError(format!("{name}={text}: {error}")))?;
            Ok(())
        }
    }
}

/// Checks a closure with the default settings: every interleaving under the controlled engine.
///
/// ```
/// let report = gordian::check(|| {
///     let lock = gordian::sync::Mutex::new(());
///     let _guard = lock.lock();
///     std::mem::forget(lock.try_lock());
/// });
/// assert!(report.findings.is_empty(), "{report}");
/// ```
pub fn check(model: impl Fn() + Send + Sync + 'static) -> Report {
    Checker::new().check(model)
}

/// What the attribute `#[gordian::test]` expands to calls; not for direct use.
#[doc(hidden)]
pub mod private {
    use super::*;

    pub use crate::explain::shell_word;
    pub use crate::report::Progress;

    pub use crate::sync::coerce::{apart, together};

    /// Marks a model in the test binary: `MARK`, the test's path with its crate, and `\n`.
    pub const MARK: &str = "gordian-model: ";

    /// What stands in front of the names of variables that count less than the attribute's
    /// arguments: what a project's configuration says of all its models.
    pub const DEFAULT: &str = "GORDIAN_DEFAULT_";

    /// Whether the execution of the model that runs here is over, and its threads only come to
    /// their ends: for tests that record what a model does.
    pub fn is_over() -> bool {
        engine::is_over()
    }

    /// What the body of a model may return.
    pub trait Ending {
        /// Panics when the model says that it failed.
        fn end(self);
    }

    impl Ending for () {
        fn end(self) {}
    }

    impl<E: fmt::Debug> Ending for Result<(), E> {
        #[track_caller]
        fn end(self) {
            if let Err(error) = self {
                panic!("the model returned an error: {error:?}");
            }
        }
    }

    /// Runs the model of a test function and fails the test when the report is not as expected.
    ///
    /// `mark` is [`MARK`] and the test's path: it is how the command line finds models in a test
    /// binary. With the environment variable `GORDIAN_REPORT` the report is also written to that
    /// file, as JSON; with `GORDIAN_PROGRESS` how far the search is, a [`Progress`] several times
    /// in a second. Of two settings the environment's counts, then the attribute's, then that of a
    /// variable whose name begins with [`DEFAULT`].
    #[track_caller]
    pub fn run<R: Ending + 'static>(
        mark: &'static str,
        configure: fn(Checker) -> Checker,
        expect: &[Code],
        model: fn() -> R,
    ) {
        let path = mark.strip_prefix(MARK).unwrap_or(mark).trim_end();
        let name = path.split_once("::").map_or(path, |(_, name)| name);
        let defaults = Checker::new().name(name).variables(DEFAULT);
        let checker = match defaults.and_then(|checker| configure(checker).env()) {
            Ok(checker) => checker,
            Err(error) => panic!("{error}"),
        };
        let mut checker = checker;
        checker.config.progress = std::env::var_os("GORDIAN_PROGRESS").map(Into::into);
        let mut report = checker.check(move || model().end());
        report.expect = expect.to_vec();
        if let Some(file) = std::env::var_os("GORDIAN_REPORT") {
            write(&report, Path::new(&file));
        }
        if !report.passed() {
            panic!("{}", report.explain());
        }
    }

    fn write(report: &Report, file: &Path) {
        let json = serde_json::to_string(report).expect("a report is plain data");
        if let Err(error) = std::fs::write(file, json) {
            panic!("GORDIAN_REPORT={}: {error}", file.display());
        }
    }
}

impl Report {
    /// Whether the check came out as it should: nothing found and complete, by a model that is not
    /// vacuous unless it is meant so; or, when findings are expected, each of those found and no
    /// other error.
    pub fn passed(&self) -> bool {
        if self.expect.is_empty() {
            return self.verdict == Verdict::Clean && self.vacuity().is_none();
        }
        self.expect.iter().all(|&code| self.has(code))
            && self.findings.iter().all(|finding| {
                finding.severity < Severity::Error || self.expect.contains(&finding.code)
            })
    }
}
