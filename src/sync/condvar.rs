//! A condition variable; parking_lot's interface.

#[cfg(not(feature = "model"))]
pub use off::*;
#[cfg(feature = "model")]
pub use on::*;

/// How a [`Condvar`] wakes its waiters in a model.
///
/// Any of them may be the one that `notify_one` wakes. Code that will run on a condition variable
/// that promises more is checked against that. Outside a model, and without the feature `model`,
/// these methods are the identity.
///
/// ```
/// use gordian::sync::{Condvar, CondvarOptions};
///
/// let ready = Condvar::new().fifo();
/// assert!(!ready.notify_one(), "nobody waits");
/// ```
pub trait CondvarOptions: Sized {
    /// `notify_one` wakes whoever has waited longest.
    #[must_use]
    fn fifo(self) -> Self;
}

#[cfg(not(feature = "model"))]
mod off {
    pub use parking_lot::{Condvar, WaitTimeoutResult};
    use std::borrow::Cow;

    impl crate::Named for Condvar {
        fn named(self, _name: impl Into<Cow<'static, str>>) -> Self {
            self
        }
    }

    impl super::CondvarOptions for Condvar {
        fn fifo(self) -> Self {
            self
        }
    }
}

#[cfg(feature = "model")]
mod on {
    use crate::engine::{self, Identity};
    use crate::op::{Action, Effect, How, Kind};
    use crate::sync::{MutexGuard, RawMutex};
    use crate::time::{self, Duration, Instant};
    use std::borrow::Cow;
    use std::fmt;

    /// Whether a timed wait ended because its time was over.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct WaitTimeoutResult(pub(crate) bool);

    impl WaitTimeoutResult {
        /// Whether the wait is known to have timed out.
        pub fn timed_out(self) -> bool {
            self.0
        }
    }

    /// How long a wait lasts at most.
    #[derive(Clone, Copy, Debug)]
    pub(crate) enum Limit {
        None,
        For(Duration),
        Until(Instant),
    }

    /// A condition variable, with the interface of `parking_lot::Condvar`.
    ///
    /// In a model every waiter is tried as the one that `notify_one` wakes; one that waits for a
    /// time may give up whenever it would have to wait on. A waiter may also wake by itself, as on
    /// all condition variables but parking_lot's: how often is
    /// [`Checker::spurious_max`](crate::Checker::spurious_max), and 0 is parking_lot's promise.
    ///
    /// ```
    /// use gordian::sync::{Condvar, Mutex};
    /// use gordian::thread;
    ///
    /// let (ready, changed) = (Mutex::new(false), Condvar::new());
    /// thread::scope(|scope| {
    ///     scope.spawn(|| {
    ///         *ready.lock() = true;
    ///         changed.notify_one();
    ///     });
    ///     let mut ready = ready.lock();
    ///     changed.wait_while(&mut ready, |ready| !*ready);
    /// });
    /// ```
    pub struct Condvar {
        identity: Identity,
        fifo: bool,
        native: parking_lot::Condvar,
    }

    impl Condvar {
        /// A condition variable that nobody waits for.
        #[track_caller]
        pub const fn new() -> Condvar {
            Condvar {
                identity: Identity::here(),
                fifo: false,
                native: parking_lot::Condvar::new(),
            }
        }

        /// Wakes one waiter; whether there was one.
        #[track_caller]
        pub fn notify_one(&self) -> bool {
            if engine::used_natively(&self.identity) {
                return self.native.notify_one();
            }
            self.notify(Action::NotifyOne).is_some()
        }

        /// Wakes all waiters; how many there were.
        #[track_caller]
        pub fn notify_all(&self) -> usize {
            if engine::used_natively(&self.identity) {
                return self.native.notify_all();
            }
            self.notify(Action::NotifyAll).unwrap_or(0) as usize
        }

        #[track_caller]
        fn notify(&self, action: Action) -> Option<u32> {
            match engine::operate(&self.identity, self.kind(), action, How::Insist, 0) {
                Effect::Chose(number) => Some(number),
                Effect::Done => Some(1),
                Effect::Failed | Effect::Queued | Effect::Closed => None,
            }
        }

        /// Releases the guard's lock, waits to be notified, and takes the lock again.
        ///
        /// # Panics
        /// When another thread waits with another mutex.
        #[track_caller]
        pub fn wait<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>) {
            // SAFETY: the lock is released and taken again, which is what the guard stands for.
            let lock = unsafe { MutexGuard::mutex(guard).raw() };
            self.wait_for_lock(lock, Limit::None);
        }

        /// Like [`Condvar::wait`], for so much time at most.
        #[track_caller]
        pub fn wait_for<T: ?Sized>(
            &self,
            guard: &mut MutexGuard<'_, T>,
            timeout: Duration,
        ) -> WaitTimeoutResult {
            // SAFETY: as in `wait`.
            let lock = unsafe { MutexGuard::mutex(guard).raw() };
            self.wait_for_lock(lock, Limit::For(timeout))
        }

        /// Like [`Condvar::wait`], until then at the latest.
        #[track_caller]
        pub fn wait_until<T: ?Sized>(
            &self,
            guard: &mut MutexGuard<'_, T>,
            timeout: Instant,
        ) -> WaitTimeoutResult {
            // SAFETY: as in `wait`.
            let lock = unsafe { MutexGuard::mutex(guard).raw() };
            self.wait_for_lock(lock, Limit::Until(timeout))
        }

        /// Waits as long as `condition` holds.
        #[track_caller]
        pub fn wait_while<T: ?Sized>(
            &self,
            guard: &mut MutexGuard<'_, T>,
            mut condition: impl FnMut(&mut T) -> bool,
        ) {
            while condition(&mut *guard) {
                self.wait(guard);
            }
        }

        /// Waits as long as `condition` holds, and for so much time at most.
        #[track_caller]
        pub fn wait_while_for<T: ?Sized>(
            &self,
            guard: &mut MutexGuard<'_, T>,
            condition: impl FnMut(&mut T) -> bool,
            timeout: Duration,
        ) -> WaitTimeoutResult {
            match Instant::now().checked_add(timeout) {
                Some(deadline) => self.wait_while_until(guard, condition, deadline),
                None => {
                    self.wait_while(guard, condition);
                    WaitTimeoutResult(false)
                }
            }
        }

        /// Waits as long as `condition` holds, and until then at the latest.
        #[track_caller]
        pub fn wait_while_until<T: ?Sized>(
            &self,
            guard: &mut MutexGuard<'_, T>,
            mut condition: impl FnMut(&mut T) -> bool,
            timeout: Instant,
        ) -> WaitTimeoutResult {
            let mut result = WaitTimeoutResult(false);
            while !result.timed_out() && condition(&mut *guard) {
                result = self.wait_until(guard, timeout);
            }
            result
        }

        /// Waits with a lock that the caller holds, and holds again afterwards.
        #[track_caller]
        pub(crate) fn wait_for_lock(&self, lock: &RawMutex, limit: Limit) -> WaitTimeoutResult {
            if engine::used_natively(&self.identity) {
                return self.wait_natively(lock, limit);
            }
            let how = match limit {
                Limit::None => How::Insist,
                Limit::For(_) | Limit::Until(_) => How::Timed,
            };
            let lock = (lock.identity(), Kind::Mutex);
            let notified = engine::wait((&self.identity, self.kind()), lock, how);
            let notified =
                notified.expect("attempted to use a condition variable with more than one mutex");
            WaitTimeoutResult(!match limit {
                Limit::None => true,
                Limit::For(timeout) => time::or_passed(notified, timeout),
                Limit::Until(deadline) => time::or_reached(notified, deadline),
            })
        }

        fn wait_natively(&self, lock: &RawMutex, limit: Limit) -> WaitTimeoutResult {
            // SAFETY: the caller holds the lock. The guard is forgotten: the caller goes on to.
            let guard = unsafe { lock.native().make_guard_unchecked() };
            let mut guard = std::mem::ManuallyDrop::new(guard);
            let timed_out = match limit {
                Limit::None => {
                    self.native.wait(&mut guard);
                    false
                }
                Limit::For(timeout) => self.native.wait_for(&mut guard, timeout).timed_out(),
                Limit::Until(deadline) => self
                    .native
                    .wait_until(&mut guard, deadline.into())
                    .timed_out(),
            };
            WaitTimeoutResult(timed_out)
        }

        fn kind(&self) -> Kind {
            Kind::Condvar {
                // How often a waiter wakes by itself is a setting of the checker.
                spurious: false,
                fifo: self.fifo,
            }
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

    impl crate::Named for Condvar {
        fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
            Condvar {
                identity: self.identity.named(name.into()),
                ..self
            }
        }
    }

    impl super::CondvarOptions for Condvar {
        fn fifo(self) -> Self {
            Condvar { fifo: true, ..self }
        }
    }
}
