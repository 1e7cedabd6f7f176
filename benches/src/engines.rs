//! One face for three engines, as thin as can be, so that a program is written once.
//!
//! Knows how each engine makes locks and threads, and how it is asked for all interleavings. Does
//! not know the programs.

use std::ops::Deref;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// An engine that explores all interleavings of a closure.
pub(crate) trait Engine: 'static {
    /// Its lock.
    type Lock<T: Send + 'static>: Send + Sync;
    /// What waits for a thread of it.
    type Handle;
    /// Its way to share something among threads.
    type Shared<T: Send + Sync + 'static>: Clone + Deref<Target = T> + Send;

    /// Shares `value`.
    fn share<T: Send + Sync + 'static>(value: T) -> Self::Shared<T>;

    /// A free lock.
    fn lock<T: Send + 'static>(value: T) -> Self::Lock<T>;

    /// Runs `section` with the lock held.
    fn with<T: Send + 'static, R>(lock: &Self::Lock<T>, section: impl FnOnce(&mut T) -> R) -> R;

    /// Starts a thread.
    fn spawn(body: impl FnOnce() + Send + 'static) -> Self::Handle;

    /// Waits for the end of a thread.
    fn join(handle: Self::Handle);

    /// Goes through the interleavings of `model`, until it is through or `count` says stop.
    fn explore(model: fn(), count: Arc<Count>) -> Outcome;
}

/// How many executions there were, how many operations in them, and how long it took.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) executions: u64,
    pub(crate) operations: u64,
    pub(crate) seconds: f64,
    pub(crate) outcome: Outcome,
}

/// How an exploration ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "what")]
pub(crate) enum Outcome {
    /// All interleavings, nothing found.
    Complete,
    /// All interleavings, and these findings.
    Found(String),
    /// Ended at the first failure, with this message.
    Stopped(String),
    /// The bound on its time ended it.
    Capped,
    /// The process ended by itself, in this way.
    Aborted(String),
}

/// Counts executions and operations, alike for all engines.
#[derive(Debug)]
pub(crate) struct Count {
    executions: AtomicU64,
    start: Instant,
    time_max: Duration,
    on_cap: fn(Measured),
}

/// Operations of all executions of this process. One engine runs in a process, and all its threads
/// take turns, so a relaxed counter is exact.
static OPERATIONS: AtomicU64 = AtomicU64::new(0);

impl Count {
    pub(crate) fn new(time_max: Duration, on_cap: fn(Measured)) -> Arc<Count> {
        let executions = AtomicU64::new(0);
        OPERATIONS.store(0, Ordering::Relaxed);
        Arc::new(Count {
            executions,
            start: Instant::now(),
            time_max,
            on_cap,
        })
    }

    /// An execution begins. When the time is over, what was measured is handed to `on_cap`, which
    /// ends the process: not every engine can be asked to stop.
    fn begin(&self) {
        if self.start.elapsed() > self.time_max {
            (self.on_cap)(self.measured(Outcome::Capped));
        }
        self.executions.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn measured(&self, outcome: Outcome) -> Measured {
        Measured {
            executions: self.executions.load(Ordering::Relaxed),
            operations: OPERATIONS.load(Ordering::Relaxed),
            seconds: self.start.elapsed().as_secs_f64(),
            outcome,
        }
    }
}

fn operation() {
    OPERATIONS.fetch_add(1, Ordering::Relaxed);
}

/// Runs a systematic search of an engine that panics at the first failure.
fn caught(explore: impl FnOnce()) -> Outcome {
    match panic::catch_unwind(AssertUnwindSafe(explore)) {
        Ok(()) => Outcome::Complete,
        Err(payload) => {
            let text = payload.downcast_ref::<String>().cloned();
            let text = text.or_else(|| payload.downcast_ref::<&str>().map(|text| text.to_string()));
            Outcome::Stopped(text.unwrap_or_else(|| "a panic".to_owned()))
        }
    }
}

/// Gordian's controlled engine, exhaustively.
pub(crate) struct Gordian;

impl Engine for Gordian {
    type Lock<T: Send + 'static> = gordian::sync::Mutex<T>;
    type Handle = gordian::thread::JoinHandle<()>;
    type Shared<T: Send + Sync + 'static> = Arc<T>;

    fn share<T: Send + Sync + 'static>(value: T) -> Arc<T> {
        Arc::new(value)
    }

    fn lock<T: Send + 'static>(value: T) -> Self::Lock<T> {
        gordian::sync::Mutex::new(value)
    }

    fn with<T: Send + 'static, R>(lock: &Self::Lock<T>, section: impl FnOnce(&mut T) -> R) -> R {
        operation();
        let mut guard = lock.lock();
        let result = section(&mut guard);
        operation();
        result
    }

    fn spawn(body: impl FnOnce() + Send + 'static) -> Self::Handle {
        operation();
        gordian::thread::spawn(body)
    }

    fn join(handle: Self::Handle) {
        operation();
        handle.join().expect("no thread of a benchmark panics");
    }

    fn explore(model: fn(), count: Arc<Count>) -> Outcome {
        let its = Arc::clone(&count);
        let report = gordian::check(move || {
            its.begin();
            model();
        });
        // What is run again in the end, or made simpler, takes its time but is no part of the search.
        count
            .executions
            .store(report.search.executions, Ordering::Relaxed);
        let codes: Vec<_> = report
            .findings
            .iter()
            .map(|finding| finding.code.as_str())
            .collect();
        match (&report.error, codes.is_empty()) {
            (Some(error), _) => Outcome::Stopped(error.clone()),
            (None, true) => Outcome::Complete,
            (None, false) => Outcome::Found(codes.join(", ")),
        }
    }
}

/// An engine whose face is that of std, poisoning included.
macro_rules! std_like {
    ($(#[doc = $doc:literal])* $name:ident, $krate:ident, $arc:ty, $explore:expr) => {
        $(#[doc = $doc])*
        pub(crate) struct $name;

        impl Engine for $name {
            type Lock<T: Send + 'static> = $krate::sync::Mutex<T>;
            type Handle = $krate::thread::JoinHandle<()>;
            type Shared<T: Send + Sync + 'static> = $arc;

            fn share<T: Send + Sync + 'static>(value: T) -> Self::Shared<T> {
                Self::Shared::<T>::new(value)
            }

            fn lock<T: Send + 'static>(value: T) -> Self::Lock<T> {
                $krate::sync::Mutex::new(value)
            }

            fn with<T: Send + 'static, R>(
                lock: &Self::Lock<T>,
                section: impl FnOnce(&mut T) -> R,
            ) -> R {
                operation();
                let mut guard = lock.lock().expect("no thread of a benchmark panics");
                let result = section(&mut guard);
                operation();
                result
            }

            fn spawn(body: impl FnOnce() + Send + 'static) -> Self::Handle {
                operation();
                $krate::thread::spawn(body)
            }

            fn join(handle: Self::Handle) {
                operation();
                handle.join().expect("no thread of a benchmark panics");
            }

            fn explore(model: fn(), count: Arc<Count>) -> Outcome {
                let explore: fn(fn(), Arc<Count>) = $explore;
                caught(move || explore(model, count))
            }
        }
    };
}

std_like! {
    /// loom, as its documentation has it: without a bound on preemptions, and with its `Arc`.
    Loom, loom, loom::sync::Arc<T>, loom_explore
}

std_like! {
    /// loom with std's `Arc`, which it does not see: fewer executions, but leaks go unnoticed.
    LoomStdArc, loom, Arc<T>, loom_explore
}

std_like! {
    /// shuttle's depth-first scheduler.
    Shuttle, shuttle, Arc<T>, shuttle_explore
}

fn loom_explore(model: fn(), count: Arc<Count>) {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 100_000;
    builder.check(move || {
        count.begin();
        model();
    });
}

fn shuttle_explore(model: fn(), count: Arc<Count>) {
    let model = move || {
        count.begin();
        model();
    };
    shuttle::check_dfs(model, None);
}
