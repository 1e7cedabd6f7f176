//! Our own `Semaphore`.

use crate::conformance;
use gordian::sync::Semaphore;
use gordian::sync::atomic::{AtomicUsize, Ordering};
use gordian::thread;
use gordian::time::{Duration, Instant};
use std::sync::Arc;

const SOON: Duration = Duration::from_millis(1);

conformance! {
    fn no_more_are_inside_than_there_are_permits() {
        let (semaphore, inside) = (Semaphore::new(1), AtomicUsize::new(0));
        let work = || {
            let _permit = semaphore.acquire();
            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
            inside.fetch_sub(1, Ordering::SeqCst);
        };
        thread::scope(|scope| {
            scope.spawn(work);
            work();
        });
        assert_eq!(semaphore.available_permits(), 1);
    }

    fn a_fair_one_excludes_too() {
        let (semaphore, inside) = (Semaphore::fair(1), AtomicUsize::new(0));
        let work = || {
            let _permit = semaphore.acquire();
            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
            inside.fetch_sub(1, Ordering::SeqCst);
        };
        thread::scope(|scope| {
            scope.spawn(work);
            work();
        });
        assert_eq!(semaphore.available_permits(), 1);
    }

    fn permits_are_taken_together_or_not_at_all() {
        for semaphore in [Semaphore::new(3), Semaphore::fair(3)] {
            let two = semaphore.acquire_many(2);
            assert_eq!((two.permits(), semaphore.available_permits()), (2, 1));
            assert!(semaphore.try_acquire_many(2).is_none());
            let begun = Instant::now();
            assert!(semaphore.try_acquire_many_for(2, SOON).is_none());
            assert!(begun.elapsed() >= SOON);
            let one = semaphore.try_acquire_for(SOON);
            assert!(one.is_some() && semaphore.try_acquire().is_none());
            drop(two);
            assert_eq!(semaphore.available_permits(), 2);
        }
    }

    /// Permits have no owner: another thread adds what this one waits for.
    fn permits_are_added_and_forgotten() {
        for semaphore in [Semaphore::new(0), Semaphore::fair(0)] {
            thread::scope(|scope| {
                scope.spawn(|| semaphore.add_permits(2));
                semaphore.acquire_many(2).forget();
            });
            assert_eq!(semaphore.available_permits(), 0);
        }
    }

    /// One who waits for many is not overtaken by one who wants one.
    fn a_fair_one_is_first_come_first_served() {
        let semaphore = Semaphore::fair(1);
        let first = semaphore.acquire();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| drop(semaphore.acquire_many(2)));
            semaphore.add_permits(1);
            let taken = semaphore.try_acquire();
            // There was one permit; if it was taken, then before the other one came to wait.
            drop(taken);
            drop(first);
            waiting.join().unwrap();
        });
        assert_eq!(semaphore.available_permits(), 2);
    }

    fn too_many_permits_are_refused() {
        let semaphore = Semaphore::new(Semaphore::MAX_PERMITS);
        assert!(crate::panics(|| semaphore.add_permits(1)));
        assert_eq!(semaphore.available_permits(), Semaphore::MAX_PERMITS);
    }

    fn a_guard_keeps_its_semaphore_alive() {
        let semaphore = Arc::new(Semaphore::new(1));
        let guard = semaphore.acquire_arc();
        assert!(semaphore.try_acquire_arc().is_none());
        let its = Arc::clone(&semaphore);
        let other = thread::spawn(move || drop(its.acquire()));
        drop(semaphore);
        drop(guard);
        other.join().unwrap();
    }
}
