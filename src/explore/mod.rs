//! Strategies: who runs next.
//!
//! Knows operations by their footprints and by whether they are enabled. Nothing here knows what a
//! mutex is, what a thread's code does, or how threads are switched. No clock, no hash-map order,
//! no float decides anything in the systematic strategies.

mod dfs;
mod exhaustive;
mod fuzz;
mod guided;
mod races;
mod random;
mod replay;
pub(crate) mod shrink;
mod states;
mod wakeup;

use crate::config::{Config, EXECUTIONS_SAMPLED, Strategy as Name};
use crate::op::{Op, Site, ThreadId};
use crate::report::StateFacts;
use crate::trace::{Pending, ReplayToken, Run};

/// Decides, step by step and execution by execution.
pub(crate) trait Strategy {
    /// Who goes on. `enabled` is not empty; `current` is the thread that ran last.
    fn next(&mut self, run: &Run, enabled: u64, current: ThreadId) -> Next;

    /// Whether it wants to know what an execution showed.
    fn wants_signal(&self) -> bool {
        false
    }

    /// What the execution that is over showed, as numbers: equal ones are the same thing.
    fn signal(&mut self, _numbers: &[u64]) {}

    /// The execution is over; whether there is to be another.
    ///
    /// # Errors
    /// When it did not follow the recorded ones: why, in words.
    fn end(&mut self, run: &Run, ending: Ending) -> Result<bool, String>;

    /// Whether the schedule of the last execution is to be kept for later runs.
    fn is_worth_keeping(&self) -> bool {
        false
    }

    /// How many pairs of acquisitions raced so far: one of them may have to wait for the other.
    fn contended(&self) -> u64 {
        0
    }

    /// The steps of the last execution that take something which another thread's step took before,
    /// and that might as well have come first: in some order the one waits for the other.
    fn contended_steps(&self) -> Vec<u32> {
        Vec::new()
    }

    /// What is to be said about how it went, in words.
    fn remarks(&self) -> Vec<String> {
        Vec::new()
    }

    /// An order-of-magnitude estimate of all executions of the search, those done included.
    fn estimate(&self) -> Option<f64> {
        None
    }

    /// Why it has stopped before it came to its end, if it has.
    fn incomplete(&self) -> Option<String> {
        None
    }

    /// What it knows of the model's states, if it goes by them.
    fn states(&self) -> Option<StateFacts> {
        None
    }
}

/// What a strategy wants.
#[derive(Debug)]
pub(crate) enum Next {
    /// This thread does its announced operation; `case` is chosen if it is a choice.
    Go { thread: ThreadId, case: u32 },
    /// Whatever comes now has been explored elsewhere: give the execution up.
    Redundant,
    /// All that follows this state has been seen, or will be: the execution has done its part.
    Known,
    /// These threads can never go on again, and those never come to their end: say so, and end the
    /// execution.
    Stuck { stuck: u64, starving: u64 },
    /// The execution does not follow the recorded one: why, in words.
    Diverged(String),
    /// The runtime's own scheduler decides among the enabled threads.
    Runtime,
}

/// How an execution ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// No thread was enabled: all had ended, or the rest waits for ever.
    Maximal,
    /// A bound cut it off.
    Capped,
    /// The strategy gave it up.
    Redundant,
    /// It came to a state from which everything is known.
    Known,
}

/// The scheduler of the runtime that a strategy relies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuntimeScheduler {
    /// Probabilistic concurrency testing, to find bugs of this depth.
    Pct(usize),
    /// Uniform random walk.
    Urw,
}

/// The strategy that the settings ask for, with the schedules to begin with if it wants any, and the runtime's scheduler if that is to decide.
pub(crate) fn strategy(
    config: &Config,
    corpus: Vec<(String, ReplayToken)>,
) -> (Box<dyn Strategy>, Option<RuntimeScheduler>) {
    if let Some(token) = &config.replay {
        return (Box::new(replay::Replay::new(token.clone())), None);
    }
    if let Some(choices) = &config.choices {
        return (Box::new(guided::Guided::new(choices.clone())), None);
    }
    if let Some(preemptions_max) = config.preemptions_max
        && config.strategy.is_systematic()
    {
        return (Box::new(dfs::Dfs::bounded(preemptions_max)), None);
    }
    let executions = config.executions_max.unwrap_or(EXECUTIONS_SAMPLED);
    if config.strategy == Name::Fuzz {
        // Time alone may be the bound.
        let executions = match (config.executions_max, config.time_max) {
            (None, Some(_)) => u64::MAX,
            _ => executions,
        };
        let fuzz = fuzz::Fuzz::new(config.seed, executions, corpus);
        return (Box::new(fuzz), None);
    }
    let sample = |kind| Box::new(random::Random::new(kind, config.seed, executions));
    match config.strategy {
        Name::Exhaustive => (
            Box::new(exhaustive::Exhaustive::optimal(config.trimmed)),
            None,
        ),
        Name::Source => (Box::new(exhaustive::Exhaustive::source()), None),
        Name::Dfs => (Box::new(dfs::Dfs::unbounded()), None),
        Name::States => {
            let states = states::States::new(config.liveness, config.states_max);
            (Box::new(states), None)
        }
        Name::Random => (sample(random::Kind::Walk), None),
        Name::Surw => (sample(random::Kind::Surw), None),
        Name::Pos => (sample(random::Kind::Pos), None),
        Name::HoldAndWait => (sample(random::Kind::HoldAndWait), None),
        Name::Portfolio => (
            sample(random::Kind::Portfolio),
            Some(RuntimeScheduler::Pct(2)),
        ),
        Name::Pct => (
            sample(random::Kind::Runtime),
            Some(RuntimeScheduler::Pct(3)),
        ),
        Name::Urw => (sample(random::Kind::Runtime), Some(RuntimeScheduler::Urw)),
        Name::Fuzz => unreachable!("it was made above"),
    }
}

/// The operation that the thread is about to do, which it was about to do before at this point of the
/// schedule as well.
///
/// # Errors
/// When it does something else, or cannot go on: in words.
fn again(
    run: &Run,
    enabled: u64,
    thread: ThreadId,
    (op, site): (Op, Site),
) -> Result<Pending, String> {
    let known = thread.index() < run.threads.len();
    let Some(pending) = known.then(|| run.pending(thread)).flatten() else {
        return Err(format!(
            "a thread was about to {} before, and now it is not there",
            run.in_words_before(op, site),
        ));
    };
    let is_same = pending.op.itself() == op.itself()
        && pending.site == site
        && run.is_as_before(pending.op.object);
    if is_same && enabled & (1 << thread.0) != 0 {
        return Ok(pending);
    }
    let now = match is_same {
        true => "it has to wait there".to_owned(),
        false => format!("to {}", run.in_words(pending.op, pending.site)),
    };
    Err(format!(
        "`{}` was about to {} before, and now {now}",
        run.thread_name(thread),
        run.in_words_before(op, site),
    ))
}

/// The thread that goes on where nothing has been decided: the current one as long as it can, for
/// few context switches; but after a yield, or a long time alone, the one that waited longest. So
/// a thread that spins cannot keep the others from ending its wait.
fn natural(run: &Run, candidates: u64, current: ThreadId) -> ThreadId {
    debug_assert!(candidates != 0);
    let fair = || {
        crate::trace::threads_in(candidates)
            .min_by_key(|thread| run.threads[thread.index()].last_event)
            .expect("there is a candidate")
    };
    if candidates & (1 << current.0) == 0 {
        return crate::trace::threads_in(candidates)
            .next()
            .expect("there is a candidate");
    }
    let its_pending = run
        .pending(current)
        .expect("a candidate has announced something");
    let alone = run
        .events
        .iter()
        .rev()
        .take_while(|event| event.thread == current);
    if its_pending.op.action == crate::op::Action::Yield
        || alone.take(ALONE_MAX).count() == ALONE_MAX
    {
        return fair();
    }
    current
}

/// Steps that one thread does in a row, where nothing has been decided, before others get a turn.
const ALONE_MAX: usize = 50;
