//! std's `Mutex`, `RwLock` and `Condvar`: what poisoning adds.

use crate::{conformance, panics, quiet_panic};
use gordian::std_sync::{Arc, Condvar, Mutex, RwLock, TryLockError};
use gordian::thread;
use gordian::time::Duration;

const SOON: Duration = Duration::from_millis(1);

fn poison(lock: &Mutex<i32>) {
    assert!(panics(|| {
        let mut guard = lock.lock().unwrap();
        *guard += 1;
        quiet_panic();
    }));
}

conformance! {
    fn it_excludes() {
        let count = Mutex::new(0);
        thread::scope(|scope| {
            scope.spawn(|| *count.lock().unwrap() += 1);
            *count.lock().unwrap() += 1;
        });
        assert_eq!(count.into_inner().unwrap(), 2);
    }

    /// "A mutex is considered poisoned whenever a thread panics while holding the mutex"; the error
    /// "will contain the guard".
    fn a_panic_poisons() {
        let mut lock = Mutex::new(1);
        assert!(!lock.is_poisoned());
        poison(&lock);
        assert!(lock.is_poisoned());
        assert_eq!(*lock.lock().unwrap_err().into_inner(), 2);
        assert!(matches!(lock.try_lock(), Err(TryLockError::Poisoned(_))));
        assert_eq!(**lock.get_mut().unwrap_err().get_ref(), 2);
        assert_eq!(lock.into_inner().unwrap_err().into_inner(), 2);
    }

    /// Another thread learns of it, whenever it comes.
    fn others_learn_of_it() {
        let lock = Mutex::new(1);
        thread::scope(|scope| {
            let other = scope.spawn(|| poison(&lock));
            let seen = match lock.lock() {
                Ok(guard) => (*guard, false),
                Err(poisoned) => (**poisoned.get_ref(), true),
            };
            assert!(seen == (1, false) || seen == (2, true), "{seen:?}");
            let before = lock.is_poisoned();
            other.join().unwrap();
            assert!(lock.is_poisoned() && (before || !seen.1));
        });
    }

    /// "Clear the poisoned state from a mutex."
    fn poison_is_cleared() {
        let lock = Mutex::new(1);
        poison(&lock);
        thread::scope(|scope| {
            scope.spawn(|| lock.clear_poison());
            let result = lock.lock();
            let value = result.map_or_else(|poisoned| *poisoned.into_inner(), |guard| *guard);
            assert_eq!(value, 2);
        });
        assert!(!lock.is_poisoned());
        assert_eq!(*lock.lock().unwrap(), 2);
        poison(&lock);
        assert!(lock.is_poisoned());
    }

    /// "If the mutex could not be acquired because it is already locked": WouldBlock.
    fn a_try_would_block() {
        let lock = Mutex::new(());
        let guard = lock.lock().unwrap();
        thread::scope(|scope| {
            let other = scope.spawn(|| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
            assert!(other.join().unwrap());
        });
        drop(guard);
        assert!(lock.try_lock().is_ok());
    }

    /// A guard that was taken while the thread was unwinding already does not poison.
    fn a_panic_that_began_before_does_not_poison() {
        struct Locks<'a>(&'a Mutex<i32>);
        impl Drop for Locks<'_> {
            fn drop(&mut self) {
                *self.0.lock().unwrap() += 1;
            }
        }
        let lock = Mutex::new(1);
        assert!(panics(|| {
            let _locks = Locks(&lock);
            quiet_panic();
        }));
        assert!(!lock.is_poisoned());
        assert_eq!(*lock.lock().unwrap(), 2);
    }

    /// "An RwLock … may only be poisoned if a panic occurs while it is locked exclusively. If a
    /// panic occurs in any reader, then the lock will not be poisoned."
    fn only_writers_poison_an_rwlock() {
        let lock = RwLock::new(1);
        assert!(panics(|| {
            let _guard = lock.read().unwrap();
            quiet_panic();
        }));
        assert!(!lock.is_poisoned());
        assert!(panics(|| {
            *lock.write().unwrap() = 2;
            let _guard = lock.write().unwrap();
            quiet_panic();
        }));
        assert!(lock.is_poisoned());
        assert_eq!(*lock.read().unwrap_err().into_inner(), 2);
        assert!(matches!(lock.try_read(), Err(TryLockError::Poisoned(_))));
        assert!(matches!(lock.try_write(), Err(TryLockError::Poisoned(_))));
        assert!(lock.write().is_err());
        lock.clear_poison();
        assert_eq!(*lock.read().unwrap(), 2);
    }

    fn an_rwlock_says_who_is_inside() {
        let mut lock = RwLock::new(1);
        {
            let _read = lock.read().unwrap();
            assert!(lock.try_read().is_ok());
            assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
        }
        {
            let _write = lock.write().unwrap();
            assert!(matches!(lock.try_read(), Err(TryLockError::WouldBlock)));
        }
        *lock.get_mut().unwrap() += 1;
        assert_eq!(lock.into_inner().unwrap(), 2);
    }

    /// "Blocks the current thread until this condition variable receives a notification"; "may
    /// spuriously wake": a loop around it is right.
    fn a_waiter_is_woken() {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let its = Arc::clone(&shared);
        let other = thread::spawn(move || {
            *its.0.lock().unwrap() = true;
            its.1.notify_one();
        });
        let guard = shared.0.lock().unwrap();
        let guard = shared.1.wait_while(guard, |ready| !*ready).unwrap();
        assert!(*guard);
        drop(guard);
        other.join().unwrap();
    }

    /// "The returned WaitTimeoutResult value indicates if the timeout is known to have elapsed."
    fn a_timed_wait_ends() {
        let (lock, changed) = (Mutex::new(1), Condvar::new());
        let guard = lock.lock().unwrap();
        let (guard, result) = changed.wait_timeout(guard, SOON).unwrap();
        // It may also have woken by itself.
        let _ = result.timed_out();
        let (guard, result) = changed.wait_timeout_while(guard, SOON, |_| true).unwrap();
        assert!(result.timed_out());
        let (guard, result) = changed.wait_timeout_while(guard, SOON, |_| false).unwrap();
        assert!(!result.timed_out());
        assert_eq!(*guard, 1);
    }

    /// "If the mutex was poisoned by the time it is taken again, the error has the guard."
    fn a_waiter_learns_of_poison() {
        let (lock, changed) = (Mutex::new(0), Condvar::new());
        thread::scope(|scope| {
            let guard = lock.lock().unwrap();
            scope.spawn(|| {
                assert!(panics(|| {
                    let mut guard = lock.lock().unwrap_or_else(|it| it.into_inner());
                    *guard = 1;
                    changed.notify_one();
                    quiet_panic();
                }));
            });
            match changed.wait_while(guard, |value| *value == 0) {
                Ok(_) => unreachable!("it was poisoned before the value was seen"),
                Err(poisoned) => assert!(*poisoned.into_inner() <= 1),
            }
        });
    }
}
