//! A lock without an owner: Python's `threading.Lock`.

use crate::named::Named;
#[cfg(feature = "model")]
use crate::{
    engine::{self, Identity},
    op::{Action, How, Kind},
};
use parking_lot::lock_api::{RawMutex as _, RawMutexTimed as _};
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// A lock without data, guards or owner, to model code that calls `acquire` and `release` by hand.
///
/// Anyone may release it. Misuse is never undefined behaviour: in a model a release of a free lock
/// is a `double-release` finding, a release by a thread that does not hold it is a
/// `foreign-release` finding and frees it all the same.
///
/// ```
/// let lock = gordian::sync::RawLock::new();
/// lock.acquire();
/// assert!(lock.locked() && !lock.try_acquire());
/// assert!(lock.release());
/// assert!(!lock.release(), "it was free");
/// ```
pub struct RawLock {
    #[cfg(feature = "model")]
    identity: Identity,
    native: parking_lot::RawMutex,
    /// Makes a release by anyone safe: `native` is unlocked only by whoever turns this to false.
    held: std::sync::atomic::AtomicBool,
}

impl RawLock {
    /// A free lock.
    #[track_caller]
    pub const fn new() -> Self {
        RawLock {
            #[cfg(feature = "model")]
            identity: Identity::here(),
            native: parking_lot::RawMutex::INIT,
            held: std::sync::atomic::AtomicBool::new(false),
        }
    }

    /// Waits until the lock is free and takes it.
    #[track_caller]
    pub fn acquire(&self) {
        #[cfg(feature = "model")]
        if !engine::used_natively(&self.identity) {
            self.act(Action::Lock);
            return;
        }
        self.native.lock();
        self.held.store(true, std::sync::atomic::Ordering::Release);
    }

    /// Takes the lock if it is free; whether it did.
    #[track_caller]
    pub fn try_acquire(&self) -> bool {
        #[cfg(feature = "model")]
        if !engine::used_natively(&self.identity) {
            return self.acquire_if(How::Try);
        }
        self.taken(self.native.try_lock())
    }

    /// Takes the lock, or gives up after `timeout`; whether it took it.
    ///
    /// In a model it may give up whenever it would have to wait.
    #[track_caller]
    pub fn acquire_timeout(&self, timeout: Duration) -> bool {
        #[cfg(feature = "model")]
        if !engine::used_natively(&self.identity) {
            return crate::time::or_passed(self.acquire_if(How::Timed), timeout);
        }
        self.taken(self.native.try_lock_for(timeout))
    }

    /// Frees the lock, whoever holds it; whether it was held. Python raises `RuntimeError` where
    /// this answers `false`.
    #[track_caller]
    pub fn release(&self) -> bool {
        #[cfg(feature = "model")]
        if !engine::used_natively(&self.identity) {
            return self.act(Action::Unlock);
        }
        let was_held = self.held.swap(false, std::sync::atomic::Ordering::AcqRel);
        if was_held {
            // SAFETY: `held` is set only after `native` was locked, and one release takes it back.
            unsafe { self.native.unlock() };
        }
        was_held
    }

    /// Whether anyone holds the lock.
    #[track_caller]
    pub fn locked(&self) -> bool {
        #[cfg(feature = "model")]
        if !engine::used_natively(&self.identity) {
            return self.act(Action::IsLocked);
        }
        self.native.is_locked()
    }

    #[cfg(feature = "model")]
    #[track_caller]
    fn act(&self, action: Action) -> bool {
        engine::touch(&self.identity, Kind::RawLock, action)
    }

    #[cfg(feature = "model")]
    #[track_caller]
    fn acquire_if(&self, how: How) -> bool {
        engine::operate(&self.identity, Kind::RawLock, Action::Lock, how, 0).succeeded()
    }

    fn taken(&self, success: bool) -> bool {
        if success {
            self.held.store(true, std::sync::atomic::Ordering::Release);
        }
        success
    }
}

impl Default for RawLock {
    #[track_caller]
    fn default() -> Self {
        RawLock::new()
    }
}

impl fmt::Debug for RawLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawLock").finish_non_exhaustive()
    }
}

impl Named for RawLock {
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        #[cfg(feature = "model")]
        return RawLock {
            identity: self.identity.named(name.into()),
            ..self
        };
        #[cfg(not(feature = "model"))]
        {
            let _ = name;
            self
        }
    }
}
