//! A lock that its owner may take again; parking_lot's interface.

#[cfg(not(feature = "model"))]
pub use off::*;
#[cfg(feature = "model")]
pub use on::*;

#[cfg(not(feature = "model"))]
mod off {
    pub use parking_lot::{MappedReentrantMutexGuard, ReentrantMutex, ReentrantMutexGuard};
    use std::borrow::Cow;

    impl<T> crate::Named for ReentrantMutex<T> {
        fn named(self, _name: impl Into<Cow<'static, str>>) -> Self {
            self
        }
    }
}

#[cfg(feature = "model")]
mod on {
    use crate::engine::{self, Identity};
    use crate::sync::RawMutex;
    use lock_api::GetThreadId;
    use std::borrow::Cow;
    use std::fmt;
    use std::num::NonZeroUsize;
    use std::ops::Deref;

    /// Tells `lock_api` which thread is running: the model's inside a model, the OS's outside.
    #[derive(Clone, Copy, Debug)]
    pub struct RawThreadId;

    // SAFETY: inside one execution, and outside all, no two live threads get the same number. A
    // lock's owner is not carried from one execution to the next: all threads have ended.
    unsafe impl GetThreadId for RawThreadId {
        const INIT: Self = RawThreadId;

        fn nonzero_thread_id(&self) -> NonZeroUsize {
            match engine::thread_number() {
                Some(number) => NonZeroUsize::MIN.saturating_add(number),
                None => parking_lot::RawThreadId::INIT.nonzero_thread_id(),
            }
        }
    }

    /// The guard of a [`ReentrantMutex`].
    pub type ReentrantMutexGuard<'a, T> =
        lock_api::ReentrantMutexGuard<'a, RawMutex, RawThreadId, T>;
    /// The guard of a part of what a [`ReentrantMutex`] protects.
    pub type MappedReentrantMutexGuard<'a, T> =
        lock_api::MappedReentrantMutexGuard<'a, RawMutex, RawThreadId, T>;

    /// A lock that the thread which holds it may take again, with the interface of
    /// `parking_lot::ReentrantMutex`.
    ///
    /// Only the outermost acquisition and its release are steps of a model.
    #[repr(transparent)]
    pub struct ReentrantMutex<T: ?Sized> {
        inner: lock_api::ReentrantMutex<RawMutex, RawThreadId, T>,
    }

    impl<T> ReentrantMutex<T> {
        /// A free lock around `value`.
        #[track_caller]
        pub const fn new(value: T) -> Self {
            Self::with(Identity::here(), value)
        }

        const fn with(identity: Identity, value: T) -> Self {
            let raw = RawMutex::new(identity);
            ReentrantMutex {
                inner: lock_api::ReentrantMutex::from_raw(raw, RawThreadId, value),
            }
        }

        /// The protected value.
        pub fn into_inner(self) -> T {
            self.inner.into_inner()
        }
    }

    impl<T: ?Sized> Deref for ReentrantMutex<T> {
        type Target = lock_api::ReentrantMutex<RawMutex, RawThreadId, T>;

        fn deref(&self) -> &Self::Target {
            &self.inner
        }
    }

    impl<T: Default> Default for ReentrantMutex<T> {
        #[track_caller]
        fn default() -> Self {
            ReentrantMutex::new(T::default())
        }
    }

    impl<T: ?Sized + fmt::Debug> fmt::Debug for ReentrantMutex<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.inner.fmt(f)
        }
    }

    impl<T> crate::Named for ReentrantMutex<T> {
        fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
            // SAFETY: the raw lock is only looked at.
            let identity = unsafe { self.inner.raw() }.identity().clone_unused();
            Self::with(identity.named(name.into()), self.inner.into_inner())
        }
    }
}
