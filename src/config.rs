//! The settings of a check, as everything below the door reads them.
//!
//! Knows names, defaults and what they mean. Does not know where a setting comes from (`check.rs`)
//! nor what is made of it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use crate::error::ConfigError;
use crate::report::Engine;
use crate::trace::{Program, ReplayToken};

/// Who runs next: how a search goes through the interleavings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Strategy {
    /// One execution per Mazurkiewicz trace: optimal dynamic partial-order reduction
    /// (Abdulla, Aronis, Jonsson, Sagonas, POPL 2014 / JACM 2017).
    #[default]
    Exhaustive,
    /// Plain depth-first enumeration of all interleavings, without any reduction. The reference
    /// that the exhaustive strategy is tested against; exponentially slower.
    Dfs,
    /// Exhaustive by source sets: complete too, but with wasted executions. The differential twin
    /// of [`Strategy::Exhaustive`].
    Source,
    /// Every state once, instead of every interleaving: for scenarios, also those that never end.
    States,
    /// A uniformly random enabled thread at each step.
    Random,
    /// Probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010), by shuttle.
    Pct,
    /// Uniform random walk (Zhao et al., ASPLOS 2025), by shuttle.
    Urw,
    /// Selectively uniform random walk over the acquisitions of locks that are ever nested (Zhao
    /// et al., ASPLOS 2025).
    Surw,
    /// Partial order sampling (Yuan, Yang, Gu, CAV 2018).
    Pos,
    /// Prefers first locks to nested ones and holding to releasing: good at symmetric deadlocks.
    HoldAndWait,
    /// All the random ones in turn, led by [`Strategy::Surw`].
    Portfolio,
    /// Schedules that showed something new, changed at random: led by which locks are nested, waited
    /// for and held at the same time, and by the orders of operations.
    Fuzz,
}

impl Strategy {
    /// All strategies, with the names that options and reports use.
    pub const ALL: &[(Strategy, &str)] = &[
        (Strategy::Exhaustive, "exhaustive"),
        (Strategy::Dfs, "dfs"),
        (Strategy::Source, "source"),
        (Strategy::States, "states"),
        (Strategy::Random, "random"),
        (Strategy::Pct, "pct"),
        (Strategy::Urw, "urw"),
        (Strategy::Surw, "surw"),
        (Strategy::Pos, "pos"),
        (Strategy::HoldAndWait, "hold-and-wait"),
        (Strategy::Portfolio, "portfolio"),
        (Strategy::Fuzz, "fuzz"),
    ];

    /// Whether it goes through all interleavings, rather than a random sample.
    pub const fn is_systematic(self) -> bool {
        matches!(
            self,
            Strategy::Exhaustive | Strategy::Dfs | Strategy::Source | Strategy::States
        )
    }

    /// The name that options and reports use.
    pub fn as_str(self) -> &'static str {
        let found = Strategy::ALL.iter().find(|(strategy, _)| *strategy == self);
        found.expect("every strategy is in the table").1
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Strategy {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let found = Strategy::ALL.iter().find(|(_, name)| *name == text);
        found.map(|(strategy, _)| *strategy).ok_or_else(|| {
            let names: Vec<_> = Strategy::ALL.iter().map(|(_, name)| *name).collect();
            ConfigError(format!(
                "no strategy is named `{text}`; there are {}",
                names.join(", ")
            ))
        })
    }
}

impl FromStr for Engine {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        match text {
            "controlled" => Ok(Engine::Controlled),
            "loom" => Ok(Engine::Loom),
            _ => Err(ConfigError(format!(
                "no engine is named `{text}`; there are controlled, loom"
            ))),
        }
    }
}

/// What becomes of threads that are left in the middle of their work when an execution ends: by a
/// deadlock, a bound, or since somebody else has panicked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Leftover {
    /// A thread that waits in an operation whose documentation in std names a panic (to take a
    /// lock, to join a thread, a condvar's wait, `call_once`) is unwound from there, so that what it
    /// owns is dropped. At all other operations it is left as by [`Leftover::Abandon`].
    ///
    /// This is the default since memory then does not grow with the number of executions that end so.
    #[default]
    Unwind,
    /// Nothing is unwound: a thread that waits for ever keeps its stack, and what it owns stays
    /// allocated until the process ends. For models of `unsafe` code that relies on a lock never
    /// panicking, or of destructors that mind being run in the middle.
    Abandon,
}

impl Leftover {
    /// All of them, with the names that options and reports use.
    pub const ALL: &[(Leftover, &str)] =
        &[(Leftover::Unwind, "unwind"), (Leftover::Abandon, "abandon")];
}

impl FromStr for Leftover {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let found = Leftover::ALL.iter().find(|(_, name)| *name == text);
        found.map(|(leftover, _)| *leftover).ok_or_else(|| {
            ConfigError(format!(
                "no way to end leftover threads is named `{text}`; there are unwind, abandon"
            ))
        })
    }
}

/// What a test comes to whose model proves nothing by its own fault: see
/// [`report::Vacuity`](crate::report::Vacuity).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Vacuous {
    /// It fails. This is the default: a model that does not use the locks it is about, or in which
    /// no thread ever meets another, passes whatever is wrong with the program.
    #[default]
    Fail,
    /// It passes: the model is meant so.
    Allow,
}

impl Vacuous {
    /// All of them, with the names that options and reports use.
    pub const ALL: &[(Vacuous, &str)] = &[(Vacuous::Fail, "fail"), (Vacuous::Allow, "allow")];
}

impl FromStr for Vacuous {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let found = Vacuous::ALL.iter().find(|(_, name)| *name == text);
        found.map(|(vacuous, _)| *vacuous).ok_or_else(|| {
            ConfigError(format!(
                "a vacuous model cannot be judged by `{text}`; there are fail, allow"
            ))
        })
    }
}

/// The settings of one check.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) model: String,
    pub(crate) engine: Engine,
    pub(crate) strategy: Strategy,
    pub(crate) preemptions_max: Option<u32>,
    pub(crate) steps_max: u32,
    /// The model, if its whole state is known.
    pub(crate) program: Option<Arc<dyn Program>>,
    /// Whether a thread that can go on for ever without coming to its end is a defect.
    pub(crate) liveness: bool,
    /// Ends a search by states once it has met so many.
    pub(crate) states_max: usize,
    /// When the search began, if it is a part of a longer one.
    pub(crate) started: Option<Instant>,
    /// Ends the search after so many steps of all executions together.
    pub(crate) steps_total_max: Option<u64>,
    /// Whether the interleavings of findings are made simpler in the end.
    pub(crate) shrink: bool,
    /// How often a thread may wake spuriously from a condvar, in one execution.
    pub(crate) spurious_max: u32,
    /// How often a thread may come round a loop to no purpose before it waits for a change.
    pub(crate) spins_max: u32,
    /// How many executions are run again at the end, to see whether they go the same way.
    pub(crate) reruns: u32,
    pub(crate) leftover: Leftover,
    pub(crate) vacuous: Vacuous,
    pub(crate) executions_max: Option<u64>,
    pub(crate) time_max: Option<Duration>,
    pub(crate) stall_max: Duration,
    pub(crate) seed: u64,
    pub(crate) stack_size: usize,
    pub(crate) replay: Option<ReplayToken>,
    /// The decisions of the one execution to be run.
    pub(crate) choices: Option<Arc<[u8]>>,
    pub(crate) trimmed: bool,
    /// The file that says how far a search is, while it goes on.
    pub(crate) progress: Option<PathBuf>,
    /// The directory of the schedules that [`Strategy::Fuzz`] begins with, and leaves.
    pub(crate) corpus: Option<PathBuf>,
    /// Ends the search once so many distinct errors were found.
    pub(crate) errors_max: Option<u32>,
}

/// Most states that a search by states meets; what is remembered of each is some hundred bytes.
pub(crate) const STATES_MAX: usize = 500_000;

/// Executions of a random strategy when nothing else is said.
pub(crate) const EXECUTIONS_SAMPLED: u64 = 10_000;

impl Default for Config {
    fn default() -> Self {
        Config {
            model: "model".to_owned(),
            engine: Engine::default(),
            strategy: Strategy::default(),
            preemptions_max: None,
            steps_max: 10_000,
            program: None,
            liveness: false,
            states_max: STATES_MAX,
            started: None,
            steps_total_max: None,
            shrink: true,
            spurious_max: 1,
            spins_max: 1,
            // A coin that is tossed in each execution falls the same way 14 times in a row once in
            // 16 384 times.
            reruns: 14,
            leftover: Leftover::default(),
            vacuous: Vacuous::default(),
            executions_max: None,
            time_max: None,
            stall_max: Duration::from_secs(5),
            seed: 0x601D_1A4E,
            stack_size: 256 * 1024,
            replay: None,
            choices: None,
            trimmed: true,
            progress: None,
            corpus: None,
            errors_max: None,
        }
    }
}
