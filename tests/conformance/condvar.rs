//! parking_lot's `Condvar`.

use crate::conformance;
use gordian::sync::{Condvar, CondvarOptions, Mutex};
use gordian::thread;
use gordian::time::{Duration, Instant};

const SOON: Duration = Duration::from_millis(1);

conformance! {
    /// "Blocks the current thread until this condition variable receives a notification."
    fn a_waiter_is_woken() {
        let (ready, changed) = (Mutex::new(false), Condvar::new());
        thread::scope(|scope| {
            scope.spawn(|| {
                *ready.lock() = true;
                changed.notify_one();
            });
            let mut guard = ready.lock();
            while !*guard {
                changed.wait(&mut guard);
            }
            assert!(*guard, "the lock is held again");
        });
    }

    /// "Calls to notify_one are not buffered in any way"; "returns whether a thread was woken up".
    fn notifications_are_not_kept() {
        let (lock, changed) = (Mutex::new(()), Condvar::new());
        assert!(!changed.notify_one());
        assert_eq!(changed.notify_all(), 0);
        let result = changed.wait_for(&mut lock.lock(), SOON);
        assert!(result.timed_out());
    }

    /// "This method will wake up any current waiters": all of them, and it says how many.
    loom_preemptions_max(1)
    fn all_are_woken() {
        let (state, changed) = (Mutex::new((0, false)), Condvar::new());
        let arrived = Condvar::new();
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut guard = state.lock();
                    guard.0 += 1;
                    arrived.notify_one();
                    changed.wait_while(&mut guard, |state| !state.1);
                });
            }
            let mut guard = state.lock();
            arrived.wait_while(&mut guard, |state| state.0 < 2);
            guard.1 = true;
            assert_eq!(changed.notify_all(), 2);
        });
    }

    /// "The lock will have been re-acquired when this function returns, regardless of whether the
    /// timeout elapsed or not."
    fn a_timed_wait_ends_with_the_lock() {
        let (lock, changed) = (Mutex::new(0), Condvar::new());
        let mut guard = lock.lock();
        let begun = Instant::now();
        assert!(changed.wait_until(&mut guard, begun + SOON).timed_out());
        assert!(begun.elapsed() >= SOON);
        assert!(changed.wait_while_for(&mut guard, |_| true, SOON).timed_out());
        assert!(!changed.wait_while_for(&mut guard, |_| false, SOON).timed_out());
        assert!(lock.try_lock().is_none());
        *guard += 1;
    }

    /// A timed wait whose notification comes does not time out in the end.
    fn a_timed_wait_may_be_notified() {
        let (ready, changed) = (Mutex::new(false), Condvar::new());
        thread::scope(|scope| {
            scope.spawn(|| {
                *ready.lock() = true;
                changed.notify_one();
            });
            let mut guard = ready.lock();
            let long = Duration::from_secs(3_600);
            let result = changed.wait_while_for(&mut guard, |ready| !*ready, long);
            assert!(*guard || result.timed_out());
        });
    }

    /// With the options it is still a condition variable.
    loom_preemptions_max(2)
    fn options_change_nothing_for_code_that_loops() {
        let (ready, changed) = (Mutex::new(0), Condvar::new().fifo());
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    *ready.lock() += 1;
                    changed.notify_all();
                });
            }
            changed.wait_while(&mut ready.lock(), |count| *count < 2);
        });
        assert_eq!(*ready.lock(), 2);
    }
}

/// "A wait will only return a non-timeout result if it was woken up by notify_one or notify_all":
/// no loop is needed, on parking_lot's; a setting says so to the checker.
fn nobody_wakes_by_himself() {
    let (ready, changed) = (Mutex::new(false), Condvar::new());
    thread::scope(|scope| {
        let mut guard = ready.lock();
        scope.spawn(|| {
            *ready.lock() = true;
            assert!(changed.notify_one());
        });
        changed.wait(&mut guard);
        assert!(*guard);
    });
}

#[test]
fn nobody_wakes_by_himself_natively() {
    crate::Engine::Native.run(nobody_wakes_by_himself, None);
}

#[cfg(feature = "model")]
#[test]
fn nobody_wakes_by_himself_if_the_checker_is_told_so() {
    let checker = gordian::Checker::new().spurious_max(0);
    checker.check(nobody_wakes_by_himself).assert_clean();
    gordian::check(nobody_wakes_by_himself).assert_found(gordian::Code::Panic);
}
