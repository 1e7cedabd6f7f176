//! What the documentation of std, parking_lot and crossbeam promises, on every engine: the real
//! primitives (with the feature `model` off, and with it on outside a model), the controlled engine
//! and loom.
//!
//! Each case is a function that holds in every interleaving and uses at most 5 threads, which is
//! what loom allows. `conformance!` makes one test of it per engine that this build has.

mod arc;
mod barrier;
mod channel;
mod condvar;
mod mpsc;
mod mutex;
mod once;
mod rwlock;
mod semaphore;
mod std_sync;
mod thread;
mod wait_group;

#[cfg(feature = "model")]
use gordian::Checker;
use std::cell::Cell;

/// What a case is run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Native,
    #[cfg(feature = "model")]
    Controlled,
    #[cfg(feature = "loom")]
    Loom,
}

impl Engine {
    /// Runs the case: natively a few times, for as many interleavings as come about; otherwise in
    /// all of them, or, under loom, in those with at most so many preemptions.
    #[track_caller]
    pub(crate) fn run(self, case: fn(), preemptions_max: Option<u32>) {
        match self {
            Engine::Native => {
                let _ = preemptions_max;
                (0..20).for_each(|_| case());
            }
            #[cfg(feature = "model")]
            Engine::Controlled => check(Checker::new(), case),
            #[cfg(feature = "loom")]
            Engine::Loom => {
                let checker = Checker::new().engine(gordian::report::Engine::Loom);
                check(
                    match preemptions_max {
                        None => checker,
                        Some(bound) => checker.preemptions_max(bound),
                    },
                    case,
                );
            }
        }
    }
}

/// Gives others a chance: natively by a yield, in a model by a step that conflicts with nothing.
/// (Not by a yield there: loom does not explore all orders around one.)
pub(crate) fn pause() {
    static PAUSE: gordian::sync::atomic::AtomicBool = gordian::sync::atomic::AtomicBool::new(false);
    std::thread::yield_now();
    PAUSE.load(gordian::sync::atomic::Ordering::Relaxed);
}

#[cfg(feature = "model")]
#[track_caller]
fn check(checker: Checker, case: fn()) {
    let report = checker.check(move || {
        IN_MODEL.set(true);
        case();
    });
    report.assert_clean();
    assert!(report.search.executions > 0);
    assert_eq!(
        report.search.executions_blocked, 0,
        "an execution was in vain"
    );
}

/// Makes of each function a module of tests, one per engine. What loom would take minutes for, it
/// does with a bound.
macro_rules! conformance {
    ($(
        $(#[$attribute:meta])*
        $(loom_preemptions_max($bound:literal))?
        fn $name:ident() $body:block
    )*) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            use crate::Engine;

            $(#[$attribute])*
            fn case() $body

            #[test]
            fn native() {
                Engine::Native.run(case, None);
            }

            #[cfg(feature = "model")]
            #[test]
            fn controlled() {
                Engine::Controlled.run(case, None);
            }

            #[cfg(feature = "loom")]
            #[test]
            fn loom() {
                Engine::Loom.run(case, [$($bound)?].first().copied());
            }
        }
    )*};
}
pub(crate) use conformance;

/// Runs `f` and says whether it panicked; prints nothing.
pub(crate) fn panics(f: impl FnOnce()) -> bool {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).is_err()
}

/// Panics without a message on the terminal.
pub(crate) fn quiet_panic() -> ! {
    std::panic::resume_unwind(Box::new("on purpose"))
}

std::thread_local! {
    /// All threads of a model share an OS thread, which runs nothing else.
    static IN_MODEL: Cell<bool> = const { Cell::new(false) };
}

/// Whether the case runs in a model, rather than outside; for its first thread to ask.
pub(crate) fn in_model() -> bool {
    IN_MODEL.get()
}
