//! A lock for readers or one writer that a writer's panic poisons; std's interface.

#[cfg(not(feature = "model"))]
pub use off::*;
#[cfg(feature = "model")]
pub use on::*;

#[cfg(not(feature = "model"))]
mod off {
    use crate::sync::RwLockOptions;
    use std::borrow::Cow;
    pub use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

    impl<T> crate::Named for RwLock<T> {
        fn named(self, _name: impl Into<Cow<'static, str>>) -> Self {
            self
        }
    }

    impl<T> RwLockOptions for RwLock<T> {
        fn reader_preferring(self) -> Self {
            self
        }

        fn fifo(self) -> Self {
            self
        }
    }
}

#[cfg(feature = "model")]
mod on {
    use super::super::poison::{Poison, Witness};
    use crate::Named;
    use crate::sync::{self, RwLockOptions};
    use std::borrow::Cow;
    use std::fmt;
    use std::ops::{Deref, DerefMut};
    use std::panic::{RefUnwindSafe, UnwindSafe};
    use std::sync::{LockResult, TryLockError, TryLockResult};

    /// A lock for many readers or one writer that a writer's panic poisons, like
    /// [`std::sync::RwLock`].
    ///
    /// A writer that waits blocks new readers, as std's does on Linux, so reading while reading can
    /// deadlock.
    pub struct RwLock<T: ?Sized> {
        poison: Poison,
        inner: sync::RwLock<T>,
    }

    /// The guard of an [`RwLock`]'s reader.
    #[must_use = "the lock is released at once"]
    pub struct RwLockReadGuard<'a, T: ?Sized> {
        inner: sync::RwLockReadGuard<'a, T>,
    }

    /// The guard of an [`RwLock`]'s writer.
    #[must_use = "the lock is released at once"]
    pub struct RwLockWriteGuard<'a, T: ?Sized> {
        // Before `inner`: it is poisoned while it is still held.
        _witness: Witness<'a>,
        inner: sync::RwLockWriteGuard<'a, T>,
    }

    impl<T> RwLock<T> {
        /// A free lock around `value`.
        #[track_caller]
        pub const fn new(value: T) -> Self {
            RwLock {
                poison: Poison::new(),
                inner: sync::RwLock::new(value),
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

    impl<T: ?Sized> RwLock<T> {
        /// Waits to read.
        ///
        /// # Errors
        /// When the lock is poisoned; the error has the guard.
        #[track_caller]
        pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
            let inner = self.inner.read();
            self.poison.result(RwLockReadGuard { inner })
        }

        /// Reads if there is no writer.
        ///
        /// # Errors
        /// When there is one, and when the lock is poisoned; then the error has the guard.
        #[track_caller]
        pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
            match self.inner.try_read() {
                None => Err(TryLockError::WouldBlock),
                Some(inner) => Ok(self.poison.result(RwLockReadGuard { inner })?),
            }
        }

        /// Waits to write.
        ///
        /// # Errors
        /// When the lock is poisoned; the error has the guard.
        #[track_caller]
        pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
            self.writing(self.inner.write())
        }

        /// Writes if there is nobody.
        ///
        /// # Errors
        /// When there is, and when the lock is poisoned; then the error has the guard.
        #[track_caller]
        pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
            match self.inner.try_write() {
                None => Err(TryLockError::WouldBlock),
                Some(inner) => Ok(self.writing(inner)?),
            }
        }

        #[track_caller]
        fn writing<'a>(
            &'a self,
            inner: sync::RwLockWriteGuard<'a, T>,
        ) -> LockResult<RwLockWriteGuard<'a, T>> {
            self.poison.result(RwLockWriteGuard {
                _witness: Witness::new(&self.poison),
                inner,
            })
        }

        /// Whether a thread has panicked while it wrote.
        #[track_caller]
        pub fn is_poisoned(&self) -> bool {
            self.poison.is_poisoned()
        }

        /// Makes the lock as if no thread had panicked while it wrote.
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

    impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.inner
        }
    }

    impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.inner
        }
    }

    impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            &mut self.inner
        }
    }

    macro_rules! shown {
        ($($guard:ident)*) => {$(
            impl<T: ?Sized + fmt::Debug> fmt::Debug for $guard<'_, T> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    (**self).fmt(f)
                }
            }

            impl<T: ?Sized + fmt::Display> fmt::Display for $guard<'_, T> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    (**self).fmt(f)
                }
            }
        )*};
    }

    shown!(RwLockReadGuard RwLockWriteGuard);

    impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.inner.fmt(f)
        }
    }

    impl<T: Default> Default for RwLock<T> {
        #[track_caller]
        fn default() -> Self {
            RwLock::new(T::default())
        }
    }

    impl<T> From<T> for RwLock<T> {
        #[track_caller]
        fn from(value: T) -> Self {
            RwLock::new(value)
        }
    }

    impl<T: ?Sized> UnwindSafe for RwLock<T> {}
    impl<T: ?Sized> RefUnwindSafe for RwLock<T> {}

    impl<T> Named for RwLock<T> {
        fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
            RwLock {
                inner: self.inner.named(name),
                ..self
            }
        }
    }

    impl<T> RwLockOptions for RwLock<T> {
        fn reader_preferring(self) -> Self {
            RwLock {
                inner: self.inner.reader_preferring(),
                ..self
            }
        }

        fn fifo(self) -> Self {
            RwLock {
                inner: self.inner.fifo(),
                ..self
            }
        }
    }
}
