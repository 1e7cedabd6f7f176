//! std's `Once`, `OnceLock` and `LazyLock`.

use crate::conformance;
use gordian::sync::atomic::{AtomicUsize, Ordering};
use gordian::sync::{LazyLock, Mutex, Once, OnceLock};
use gordian::thread;

conformance! {
    /// "The given closure will be executed if this is the first time call_once has been called",
    /// and "no other invocation will run it"; whoever returns, returns after it has run.
    fn it_runs_once_and_others_wait_for_it() {
        let (once, times) = (Once::new(), AtomicUsize::new(0));
        let call = || {
            once.call_once(|| {
                times.fetch_add(1, Ordering::SeqCst);
            });
            assert_eq!(times.load(Ordering::SeqCst), 1);
            assert!(once.is_completed());
        };
        assert!(!once.is_completed());
        thread::scope(|scope| {
            scope.spawn(call);
            call();
        });
    }

    /// "If the given closure panics, the Once instance will become poisoned, causing all future
    /// invocations of call_once to panic"; `call_once_force` "will run even if poisoned".
    fn a_panic_poisons_it() {
        let once = Once::new();
        assert!(crate::panics(|| once.call_once(|| crate::quiet_panic())));
        assert!(!once.is_completed());
        once.call_once_force(|state| assert!(state.is_poisoned()));
        assert!(once.is_completed());
        once.call_once_force(|_| unreachable!("it has been done"));
        once.call_once(|| unreachable!("it has been done"));
    }

    /// "Many threads may call get_or_init concurrently with different initializing functions, but
    /// it is guaranteed that only one function will be executed."
    fn a_once_lock_has_one_value() {
        let (cell, made) = (OnceLock::new(), AtomicUsize::new(0));
        let make = |value| {
            *cell.get_or_init(|| {
                made.fetch_add(1, Ordering::SeqCst);
                value
            })
        };
        thread::scope(|scope| {
            let other = scope.spawn(|| make(1));
            assert_eq!(make(2), other.join().unwrap());
        });
        assert_eq!(made.into_inner(), 1);
    }

    /// "Returns Ok(()) if the cell was empty and Err(value) if it was full."
    fn a_once_lock_is_set_once() {
        let cell = OnceLock::new();
        thread::scope(|scope| {
            let other = scope.spawn(|| cell.set(1).is_ok());
            let mine = cell.set(2);
            let others = other.join().unwrap();
            assert_ne!(mine.is_ok(), others);
            assert_eq!(cell.get(), Some(if others { &1 } else { &2 }));
        });
    }

    /// "If f panics, the panic is propagated to the caller, and the cell remains uninitialized."
    fn a_once_lock_is_not_poisoned() {
        let cell = OnceLock::<u8>::new();
        assert!(crate::panics(|| {
            cell.get_or_init(|| crate::quiet_panic());
        }));
        assert_eq!(cell.get(), None);
        assert_eq!(*cell.get_or_init(|| 3), 3);
    }

    fn a_once_lock_is_a_value() {
        let mut cell = OnceLock::from(1);
        assert_eq!(cell.clone(), cell);
        *cell.get_mut().unwrap() += 1;
        assert_eq!(cell.take(), Some(2));
        assert_eq!(cell.get(), None);
        assert_eq!(cell.set(3), Ok(()));
        assert_eq!(cell.into_inner(), Some(3));
        assert_eq!(OnceLock::<u8>::default(), OnceLock::new());
    }

    /// "A value which is initialized on the first access."
    fn a_lazy_lock_is_made_when_it_is_used() {
        let made = AtomicUsize::new(0);
        let lazy = LazyLock::new(|| made.fetch_add(1, Ordering::SeqCst) + 10);
        assert_eq!(made.load(Ordering::SeqCst), 0);
        thread::scope(|scope| {
            scope.spawn(|| assert_eq!(*lazy, 10));
            assert_eq!(*LazyLock::force(&lazy), 10);
        });
        assert_eq!(made.load(Ordering::SeqCst), 1);
    }

    /// "If the initialization function panics, … all further accesses panic too."
    fn a_panic_poisons_a_lazy_lock() {
        let lazy = LazyLock::<u8, fn() -> u8>::new(|| crate::quiet_panic());
        assert!(crate::panics(|| assert_eq!(*lazy, 0)));
        assert!(crate::panics(|| assert_eq!(*lazy, 0)));
    }

    /// Statics work; in a model each execution starts afresh, so the log is always its own.
    fn statics_begin_afresh_in_each_execution() {
        static LOG: LazyLock<Mutex<Vec<u8>>> = LazyLock::new(|| Mutex::new(Vec::new()));
        static FIRST: OnceLock<u8> = OnceLock::new();
        static START: Once = Once::new();
        if !crate::in_model() {
            return;
        }
        assert_eq!(FIRST.get(), None);
        assert!(!START.is_completed());
        let note = |value| {
            START.call_once(|| LOG.lock().push(0));
            LOG.lock().push(value);
            FIRST.get_or_init(|| value);
        };
        thread::scope(|scope| {
            scope.spawn(|| note(1));
            note(2);
        });
        let mut log = LOG.lock().clone();
        log.sort_unstable();
        assert_eq!(log, [0, 1, 2]);
        assert!(FIRST.get().is_some());
    }
}

/// Outside a model statics last.
#[test]
fn native_statics_last() {
    static CELL: OnceLock<u8> = OnceLock::new();
    static LAZY: LazyLock<u8> = LazyLock::new(|| 7);
    assert_eq!(CELL.get(), None);
    assert_eq!(CELL.set(1), Ok(()));
    assert_eq!(CELL.set(2), Err(2));
    assert_eq!((CELL.get(), *LAZY), (Some(&1), 7));
}
