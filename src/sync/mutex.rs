//! A mutual exclusion lock with an owner; parking_lot's interface.

#[cfg(not(feature = "model"))]
pub use off::*;
#[cfg(feature = "model")]
pub use on::*;

#[cfg(not(feature = "model"))]
mod off {
    pub use parking_lot::{ArcMutexGuard, MappedMutexGuard, Mutex, MutexGuard, RawMutex};
    use std::borrow::Cow;

    impl<T> crate::Named for Mutex<T> {
        fn named(self, _name: impl Into<Cow<'static, str>>) -> Self {
            self
        }
    }
}

#[cfg(feature = "model")]
mod on {
    use crate::engine::{self, Identity};
    use crate::op::{Action, How, Kind};
    use crate::time::{self, Duration, Instant};
    use std::borrow::Cow;
    use std::fmt;
    use std::ops::Deref;
    use std::sync::Arc;

    /// The lock without its data, for `lock_api`.
    ///
    /// State: outside a model `native` is the lock. In a model `native` is never touched; the lock
    /// is the engine's object that `identity` names.
    pub struct RawMutex {
        identity: Identity,
        native: parking_lot::Mutex<()>,
    }

    impl RawMutex {
        pub(crate) const fn new(identity: Identity) -> Self {
            RawMutex {
                identity,
                native: parking_lot::Mutex::new(()),
            }
        }

        pub(crate) fn identity(&self) -> &Identity {
            &self.identity
        }

        /// The real lock, with a guard's interface for the real condition variable.
        pub(crate) fn native(&self) -> &parking_lot::Mutex<()> {
            &self.native
        }

        fn raw(&self) -> &parking_lot::RawMutex {
            // SAFETY: it is unlocked only where the contract of this type says that it is held.
            unsafe { self.native.raw() }
        }

        #[track_caller]
        fn act(&self, action: Action) -> bool {
            engine::touch(&self.identity, Kind::Mutex, action)
        }

        #[track_caller]
        fn lock_if(&self, how: How) -> bool {
            engine::operate(&self.identity, Kind::Mutex, Action::Lock, how, 0).succeeded()
        }
    }

    // SAFETY: outside a model this is parking_lot's lock. In a model one thread runs at a time, and
    // the engine lets `Lock` happen, or a try succeed, only while the object has no owner.
    unsafe impl lock_api::RawMutex for RawMutex {
        const INIT: Self = RawMutex::new(Identity::ANONYMOUS);

        type GuardMarker = lock_api::GuardNoSend;

        #[track_caller]
        fn lock(&self) {
            if engine::used_natively(&self.identity) {
                return self.raw().lock();
            }
            self.act(Action::Lock);
        }

        #[track_caller]
        fn try_lock(&self) -> bool {
            if engine::used_natively(&self.identity) {
                return self.raw().try_lock();
            }
            self.lock_if(How::Try)
        }

        #[track_caller]
        unsafe fn unlock(&self) {
            if engine::used_natively(&self.identity) {
                // SAFETY: the caller holds the lock.
                return unsafe { self.raw().unlock() };
            }
            self.act(Action::Unlock);
        }

        #[track_caller]
        fn is_locked(&self) -> bool {
            if engine::used_natively(&self.identity) {
                return self.raw().is_locked();
            }
            self.act(Action::IsLocked)
        }
    }

    // SAFETY: in a model fairness means nothing: every order is explored.
    unsafe impl lock_api::RawMutexFair for RawMutex {
        #[track_caller]
        unsafe fn unlock_fair(&self) {
            if engine::used_natively(&self.identity) {
                // SAFETY: the caller holds the lock.
                return unsafe { self.raw().unlock_fair() };
            }
            self.act(Action::Unlock);
        }
    }

    // SAFETY: as for `RawMutex`. Time is virtual in a model: giving up is possible whenever the
    // operation would have to wait.
    unsafe impl lock_api::RawMutexTimed for RawMutex {
        type Duration = Duration;
        type Instant = Instant;

        #[track_caller]
        fn try_lock_for(&self, timeout: Duration) -> bool {
            if engine::used_natively(&self.identity) {
                return self.raw().try_lock_for(timeout);
            }
            time::or_passed(self.lock_if(How::Timed), timeout)
        }

        #[track_caller]
        fn try_lock_until(&self, timeout: Instant) -> bool {
            if engine::used_natively(&self.identity) {
                return self.raw().try_lock_until(timeout.into());
            }
            time::or_reached(self.lock_if(How::Timed), timeout)
        }
    }

    impl fmt::Debug for RawMutex {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("RawMutex")
                .field("identity", &self.identity)
                .finish_non_exhaustive()
        }
    }

    /// The guard of a [`Mutex`].
    pub type MutexGuard<'a, T> = lock_api::MutexGuard<'a, RawMutex, T>;
    /// The guard of a part of what a [`Mutex`] protects.
    pub type MappedMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, RawMutex, T>;
    /// A guard that keeps its [`Mutex`] alive.
    pub type ArcMutexGuard<T> = lock_api::ArcMutexGuard<RawMutex, T>;

    /// A mutual exclusion lock, with the interface of `parking_lot::Mutex`.
    ///
    /// The methods are those of [`lock_api::Mutex`], which it dereferences to. It is not reentrant
    /// and not poisoned by a panic.
    ///
    /// ```
    /// use gordian::sync::Mutex;
    ///
    /// let lock = Mutex::new(1);
    /// *lock.lock() += 1;
    /// assert_eq!(lock.into_inner(), 2);
    /// ```
    #[repr(transparent)]
    pub struct Mutex<T: ?Sized> {
        inner: lock_api::Mutex<RawMutex, T>,
    }

    impl<T> Mutex<T> {
        /// A free lock around `value`.
        #[track_caller]
        pub const fn new(value: T) -> Self {
            let raw = RawMutex::new(Identity::here());
            Mutex {
                inner: lock_api::Mutex::from_raw(raw, value),
            }
        }

        /// The protected value.
        pub fn into_inner(self) -> T {
            self.inner.into_inner()
        }
    }

    impl<T: ?Sized> Mutex<T> {
        /// The protected value, without locking: the borrow proves that nobody else has it.
        pub fn get_mut(&mut self) -> &mut T {
            self.inner.get_mut()
        }

        /// Waits for the lock; the guard keeps the lock itself alive.
        #[track_caller]
        pub fn lock_arc(self: &Arc<Self>) -> ArcMutexGuard<T> {
            self.inner_arc().lock_arc()
        }

        /// Takes the lock if it is free; the guard keeps the lock itself alive.
        #[track_caller]
        pub fn try_lock_arc(self: &Arc<Self>) -> Option<ArcMutexGuard<T>> {
            self.inner_arc().try_lock_arc()
        }

        /// Takes the lock, or gives up after `timeout`; the guard keeps the lock itself alive.
        #[track_caller]
        pub fn try_lock_arc_for(self: &Arc<Self>, timeout: Duration) -> Option<ArcMutexGuard<T>> {
            self.inner_arc().try_lock_arc_for(timeout)
        }

        fn inner_arc(self: &Arc<Self>) -> Arc<lock_api::Mutex<RawMutex, T>> {
            let pointer = Arc::into_raw(Arc::clone(self));
            // SAFETY: `Mutex` is a transparent wrapper, so both arcs have the same layout.
            unsafe { Arc::from_raw(pointer as *const lock_api::Mutex<RawMutex, T>) }
        }
    }

    impl<T: ?Sized> Deref for Mutex<T> {
        type Target = lock_api::Mutex<RawMutex, T>;

        fn deref(&self) -> &Self::Target {
            &self.inner
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

    impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.inner.fmt(f)
        }
    }

    impl<T> crate::Named for Mutex<T> {
        fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
            // SAFETY: the raw lock is only looked at.
            let identity = unsafe { self.inner.raw() }.identity().clone_unused();
            let raw = RawMutex::new(identity.named(name.into()));
            Mutex {
                inner: lock_api::Mutex::from_raw(raw, self.inner.into_inner()),
            }
        }
    }
}
