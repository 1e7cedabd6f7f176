//! A mutual exclusion lock that a panic poisons; std's interface.

#[cfg(not(feature = "model"))]
pub use off::*;
#[cfg(feature = "model")]
pub use on::*;

#[cfg(not(feature = "model"))]
mod off {
    use std::borrow::Cow;
    pub use std::sync::{Mutex, MutexGuard};

    impl<T> crate::Named for Mutex<T> {
        fn named(self, _name: impl Into<Cow<'static, str>>) -> Self {
            self
        }
    }
}

#[cfg(feature = "model")]
mod on {
    use super::super::poison::{Poison, Witness};
    use crate::Named;
    use crate::sync;
    use std::borrow::Cow;
    use std::fmt;
    use std::ops::{Deref, DerefMut};
    use std::panic::{RefUnwindSafe, UnwindSafe};
    use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

    /// A mutual exclusion lock that a panic poisons, like [`std::sync::Mutex`].
    pub struct Mutex<T: ?Sized> {
        poison: Poison,
        inner: sync::Mutex<T>,
    }

    /// The guard of a [`Mutex`].
    #[must_use = "the lock is released at once"]
    pub struct MutexGuard<'a, T: ?Sized> {
        lock: &'a Mutex<T>,
        // Before `inner`: it is poisoned while it is still held.
        _witness: Witness<'a>,
        inner: sync::MutexGuard<'a, T>,
    }

    impl<T> Mutex<T> {
        /// A free lock around `value`.
        #[track_caller]
        pub const fn new(value: T) -> Self {
            Mutex {
                poison: Poison::new(),
                inner: sync::Mutex::new(value),
            }
        }

        /// The protected value.
        ///
        /// # Errors
        /// When the lock is poisoned; the error has the value.
        pub fn into_inner(self) -> LockResult<T> {
            let value = self.inner.into_inner();
            self.poison.owned(value)
        }
    }

    impl<T: ?Sized> Mutex<T> {
        /// Waits for the lock.
        ///
        /// # Errors
        /// When the lock is poisoned; the error has the guard.
        #[track_caller]
        pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
            MutexGuard::result(self, self.inner.lock())
        }

        /// Takes the lock if it is free.
        ///
        /// # Errors
        /// When it is not, and when the lock is poisoned; then the error has the guard.
        #[track_caller]
        pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
            match self.inner.try_lock() {
                None => Err(TryLockError::WouldBlock),
                Some(guard) => Ok(MutexGuard::result(self, guard)?),
            }
        }

        /// Whether a thread has panicked while it held the lock.
        #[track_caller]
        pub fn is_poisoned(&self) -> bool {
            self.poison.is_poisoned()
        }

        /// Makes the lock as if no thread had panicked while it held it.
        #[track_caller]
        pub fn clear_poison(&self) {
            self.poison.clear();
        }

        /// The protected value, without locking: the borrow proves that nobody else has it.
        ///
        /// # Errors
        /// When the lock is poisoned; the error has the value.
        pub fn get_mut(&mut self) -> LockResult<&mut T> {
            self.poison.owned(self.inner.get_mut())
        }
    }

    impl<'a, T: ?Sized> MutexGuard<'a, T> {
        #[track_caller]
        fn result(lock: &'a Mutex<T>, inner: sync::MutexGuard<'a, T>) -> LockResult<Self> {
            let guard = MutexGuard {
                lock,
                _witness: Witness::new(&lock.poison),
                inner,
            };
            lock.poison.result(guard)
        }

        /// Lets `wait` release the lock and take it again, for a condition variable.
        #[track_caller]
        pub(in super::super) fn waiting<R>(
            mut self,
            wait: impl FnOnce(&mut sync::MutexGuard<'a, T>) -> R,
        ) -> LockResult<(Self, R)> {
            let result = wait(&mut self.inner);
            match self.lock.poison.result(self) {
                Ok(guard) => Ok((guard, result)),
                Err(poisoned) => Err(PoisonError::new((poisoned.into_inner(), result))),
            }
        }
    }

    impl<T: ?Sized> Deref for MutexGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.inner
        }
    }

    impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            &mut self.inner
        }
    }

    impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            (**self).fmt(f)
        }
    }

    impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            (**self).fmt(f)
        }
    }

    impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.inner.fmt(f)
        }
    }

    impl<T: Default> Default for Mutex<T> {
        #[track_caller]
        fn default() -> Self {
            Mutex::new(T::default())
        }
    }

    impl<T> From<T> for Mutex<T> {
        #[track_caller]
        fn from(value: T) -> Self {
            Mutex::new(value)
        }
    }

    impl<T: ?Sized> UnwindSafe for Mutex<T> {}
    impl<T: ?Sized> RefUnwindSafe for Mutex<T> {}

    impl<T> Named for Mutex<T> {
        fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
            Mutex {
                inner: self.inner.named(name),
                ..self
            }
        }
    }
}
