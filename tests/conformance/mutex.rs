//! parking_lot's `Mutex`, `ReentrantMutex`, and our `RawLock`.

use crate::conformance;
use gordian::sync::{MappedMutexGuard, Mutex, MutexGuard, RawLock, ReentrantMutex};
use gordian::thread;
use gordian::time::{Duration, Instant};
use std::sync::Arc;

conformance! {
    /// "Only ever one thread has the data."
    fn excludes() {
        let count = Mutex::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut guard = count.lock();
                    let old = *guard;
                    crate::pause();
                    *guard = old + 1;
                });
            }
        });
        assert_eq!(count.into_inner(), 2);
    }

    /// "If the lock could not be acquired at this time, then None is returned."
    fn tries_do_not_wait() {
        let lock = Mutex::new(());
        let guard = lock.lock();
        thread::scope(|scope| {
            scope.spawn(|| {
                assert!(lock.try_lock().is_none());
                assert!(lock.is_locked());
                assert!(lock.try_lock_for(Duration::from_millis(1)).is_none());
                let deadline = Instant::now() + Duration::from_millis(1);
                assert!(lock.try_lock_until(deadline).is_none());
                assert!(Instant::now() >= deadline);
            }).join().unwrap();
        });
        drop(guard);
        assert!(!lock.is_locked());
        assert!(lock.try_lock_for(Duration::from_millis(1)).is_some());
    }

    /// "No poisoning, the lock is released normally on panic."
    fn a_panic_releases_and_does_not_poison() {
        let lock = Mutex::new(1);
        assert!(crate::panics(|| {
            let _guard = lock.lock();
            crate::quiet_panic();
        }));
        assert_eq!(*lock.try_lock().unwrap(), 1);
    }

    /// "Temporarily unlocks the mutex to execute the given function."
    fn unlocked_lets_others_in() {
        let lock = Mutex::new(0);
        thread::scope(|scope| {
            let mut guard = lock.lock();
            let other = scope.spawn(|| *lock.lock() = 1);
            MutexGuard::unlocked(&mut guard, || other.join().unwrap());
            assert_eq!(*guard, 1);
        });
    }

    /// "Makes a new MappedMutexGuard for a component of the locked data."
    fn guards_map_and_keep_their_lock_alive() {
        let pair = Arc::new(Mutex::new((1, 2)));
        {
            let guard = pair.lock();
            let mut second: MappedMutexGuard<'_, i32> = MutexGuard::map(guard, |it| &mut it.1);
            *second += 1;
            assert!(pair.is_locked());
        }
        let guard = pair.lock_arc();
        assert!(pair.try_lock_arc().is_none());
        drop(pair);
        assert_eq!(*guard, (1, 3));
    }

    /// "Attempts to lock the mutex again by the thread that holds it succeed."
    fn a_reentrant_mutex_knows_its_owner() {
        let lock = ReentrantMutex::new(5);
        let one = lock.lock();
        let two = lock.try_lock().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| assert!(lock.try_lock().is_none())).join().unwrap();
        });
        assert_eq!(*one + *two, 10);
        drop((one, two));
        thread::scope(|scope| {
            scope.spawn(|| assert!(lock.try_lock().is_some())).join().unwrap();
        });
    }

    /// Python: "acquire() returns False when the lock cannot be acquired without waiting."
    fn a_raw_lock_is_taken_once() {
        let lock = RawLock::new();
        thread::scope(|scope| {
            let other = scope.spawn(|| {
                let taken = lock.try_acquire();
                if taken {
                    assert!(lock.locked());
                    assert!(lock.release());
                }
            });
            lock.acquire();
            assert!(!lock.try_acquire());
            assert!(!lock.acquire_timeout(Duration::from_millis(1)));
            assert!(lock.release());
            other.join().unwrap();
        });
        assert!(!lock.locked());
    }
}
