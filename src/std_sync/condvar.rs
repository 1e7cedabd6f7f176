//! A condition variable for locks that a panic poisons; std's interface.

#[cfg(not(feature = "model"))]
pub use off::*;
#[cfg(feature = "model")]
pub use on::*;

#[cfg(not(feature = "model"))]
mod off {
    use std::borrow::Cow;
    pub use std::sync::{Condvar, WaitTimeoutResult};

    impl crate::Named for Condvar {
        fn named(self, _name: impl Into<Cow<'static, str>>) -> Self {
            self
        }
    }
}

#[cfg(feature = "model")]
mod on {
    use super::super::MutexGuard;
    use crate::Named;
    use crate::sync;
    use crate::time::{Duration, Instant};
    use std::borrow::Cow;
    use std::fmt;
    use std::sync::{LockResult, PoisonError};

    pub use crate::sync::WaitTimeoutResult;

    /// A condition variable, like [`std::sync::Condvar`].
    ///
    /// In a model every waiter is tried as the one that `notify_one` wakes, and a waiter may wake
    /// by itself, as the documentation of std's allows: how often is
    /// [`Checker::spurious_max`](crate::Checker::spurious_max).
    pub struct Condvar(sync::Condvar);

    impl Condvar {
        /// A condition variable that nobody waits for.
        #[track_caller]
        #[must_use]
        pub const fn new() -> Condvar {
            Condvar(sync::Condvar::new())
        }

        /// Releases the guard's lock, waits to be notified, and takes the lock again.
        ///
        /// # Errors
        /// When the lock is poisoned by then; the error has the guard.
        #[track_caller]
        pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
            match guard.waiting(|inner| self.0.wait(inner)) {
                Ok((guard, ())) => Ok(guard),
                Err(poisoned) => Err(PoisonError::new(poisoned.into_inner().0)),
            }
        }

        /// Waits as long as `condition` holds.
        ///
        /// # Errors
        /// When the lock is poisoned by then; the error has the guard.
        #[track_caller]
        pub fn wait_while<'a, T, F>(
            &self,
            mut guard: MutexGuard<'a, T>,
            mut condition: F,
        ) -> LockResult<MutexGuard<'a, T>>
        where
            F: FnMut(&mut T) -> bool,
        {
            while condition(&mut *guard) {
                guard = self.wait(guard)?;
            }
            Ok(guard)
        }

        /// Like [`Condvar::wait`], for so much time at most.
        ///
        /// # Errors
        /// When the lock is poisoned by then; the error has the guard and the result.
        #[track_caller]
        pub fn wait_timeout<'a, T>(
            &self,
            guard: MutexGuard<'a, T>,
            timeout: Duration,
        ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
            guard.waiting(|inner| self.0.wait_for(inner, timeout))
        }

        /// Waits as long as `condition` holds, and for so much time at most. Timed out is a wait
        /// after which the condition still holds.
        ///
        /// # Errors
        /// When the lock is poisoned by then; the error has the guard and the result.
        #[track_caller]
        pub fn wait_timeout_while<'a, T, F>(
            &self,
            mut guard: MutexGuard<'a, T>,
            timeout: Duration,
            mut condition: F,
        ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)>
        where
            F: FnMut(&mut T) -> bool,
        {
            let begun = Instant::now();
            loop {
                if !condition(&mut *guard) {
                    return Ok((guard, WaitTimeoutResult(false)));
                }
                let Some(left) = timeout.checked_sub(begun.elapsed()) else {
                    return Ok((guard, WaitTimeoutResult(true)));
                };
                let (again, result) = self.wait_timeout(guard, left)?;
                guard = again;
                // In a model a time-out moves the clock to the deadline, and not past it.
                if result.timed_out() {
                    let still = condition(&mut *guard);
                    return Ok((guard, WaitTimeoutResult(still)));
                }
            }
        }

        /// Wakes one waiter, if there is one.
        #[track_caller]
        pub fn notify_one(&self) {
            self.0.notify_one();
        }

        /// Wakes all waiters.
        #[track_caller]
        pub fn notify_all(&self) {
            self.0.notify_all();
        }
    }

    impl Default for Condvar {
        #[track_caller]
        fn default() -> Self {
            Condvar::new()
        }
    }

    impl fmt::Debug for Condvar {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Condvar").finish_non_exhaustive()
        }
    }

    impl Named for Condvar {
        fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
            Condvar(self.0.named(name))
        }
    }
}
