//! A lock for readers or one writer; parking_lot's interface.

#[cfg(not(feature = "model"))]
pub use off::*;
#[cfg(feature = "model")]
pub use on::*;

/// How an [`RwLock`] treats readers and writers that wait at the same time.
///
/// A new lock is task-fair, like parking_lot's and, on Linux, std's: a writer that waits blocks new
/// readers, so a thread that reads a second time deadlocks with it. Code that will run on another
/// lock is checked against that lock's way. Outside a model, and without the feature `model`, these
/// methods are the identity.
///
/// ```
/// use gordian::sync::{RwLock, RwLockOptions};
///
/// let prices = RwLock::new([1, 2]).reader_preferring();
/// assert_eq!(prices.read()[0], 1);
/// ```
pub trait RwLockOptions: Sized {
    /// Readers come in as long as no writer is inside; writers may starve.
    #[must_use]
    fn reader_preferring(self) -> Self;

    /// First come, first served.
    #[must_use]
    fn fifo(self) -> Self;
}

#[cfg(not(feature = "model"))]
mod off {
    pub use parking_lot::{
        ArcRwLockReadGuard, ArcRwLockUpgradableReadGuard, ArcRwLockWriteGuard,
        MappedRwLockReadGuard, MappedRwLockWriteGuard, RawRwLock, RwLock, RwLockReadGuard,
        RwLockUpgradableReadGuard, RwLockWriteGuard,
    };
    use std::borrow::Cow;

    impl<T> crate::Named for RwLock<T> {
        fn named(self, _name: impl Into<Cow<'static, str>>) -> Self {
            self
        }
    }

    impl<T> super::RwLockOptions for RwLock<T> {
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
    use crate::engine::{self, Identity};
    use crate::op::{Action, How, Kind, Preference};
    use crate::time::{self, Duration, Instant};
    use lock_api::RawRwLock as _;
    use std::borrow::Cow;
    use std::fmt;
    use std::ops::Deref;
    use std::sync::Arc;

    /// The lock without its data, for `lock_api`.
    ///
    /// State: outside a model `native` is the lock. In a model `native` is never touched; the lock
    /// is the engine's object that `identity` names.
    pub struct RawRwLock {
        identity: Identity,
        preference: Preference,
        native: parking_lot::RawRwLock,
    }

    impl RawRwLock {
        pub(crate) const fn new(identity: Identity, preference: Preference) -> Self {
            RawRwLock {
                identity,
                preference,
                native: parking_lot::RawRwLock::INIT,
            }
        }

        /// The same names and preference, for a lock that no execution has met.
        pub(crate) fn clone_unused(&self) -> Self {
            RawRwLock::new(self.identity.clone_unused(), self.preference)
        }

        pub(crate) fn named(self, name: Cow<'static, str>) -> Self {
            RawRwLock::new(self.identity.named(name), self.preference)
        }

        pub(crate) fn preferring(self, preference: Preference) -> Self {
            RawRwLock { preference, ..self }
        }

        #[track_caller]
        fn take(&self, action: Action, how: How) -> bool {
            let kind = Kind::RwLock(self.preference);
            engine::acquire(&self.identity, kind, action, how, 0).succeeded()
        }

        #[track_caller]
        fn act(&self, action: Action) -> bool {
            engine::touch(&self.identity, Kind::RwLock(self.preference), action)
        }
    }

    /// Acquisitions that insist.
    macro_rules! insisting {
        ($($name:ident: $action:ident)*) => {$(
            #[track_caller]
            fn $name(&self) {
                if engine::used_natively(&self.identity) {
                    return self.native.$name();
                }
                self.take(Action::$action, How::Insist);
            }
        )*};
    }

    /// Acquisitions that take no for an answer.
    macro_rules! trying {
        ($($name:ident: $action:ident)*) => {$(
            #[track_caller]
            fn $name(&self) -> bool {
                if engine::used_natively(&self.identity) {
                    return self.native.$name();
                }
                self.take(Action::$action, How::Try)
            }
        )*};
    }

    /// Acquisitions that give up after some time, or at some time.
    macro_rules! timed {
        ($($name:ident, $until:ident: $action:ident)*) => {$(
            #[track_caller]
            fn $name(&self, timeout: Duration) -> bool {
                if engine::used_natively(&self.identity) {
                    return self.native.$name(timeout);
                }
                time::or_passed(self.take(Action::$action, How::Timed), timeout)
            }

            #[track_caller]
            fn $until(&self, timeout: Instant) -> bool {
                if engine::used_natively(&self.identity) {
                    return self.native.$until(timeout.into());
                }
                time::or_reached(self.take(Action::$action, How::Timed), timeout)
            }
        )*};
    }

    /// What only a holder may do, and never waits for.
    macro_rules! giving_back {
        ($($name:ident: $action:ident)*) => {$(
            #[track_caller]
            unsafe fn $name(&self) {
                if engine::used_natively(&self.identity) {
                    // SAFETY: the caller holds the lock in the way that this asks for.
                    return unsafe { self.native.$name() };
                }
                self.act(Action::$action);
            }
        )*};
    }

    // SAFETY: outside a model this is parking_lot's lock. In a model one thread runs at a time, and
    // the engine lets a reader in only while there is no writer, and a writer only while there is
    // nobody.
    unsafe impl lock_api::RawRwLock for RawRwLock {
        const INIT: Self = RawRwLock::new(Identity::ANONYMOUS, Preference::Writer);

        type GuardMarker = lock_api::GuardNoSend;

        insisting! { lock_shared: Read lock_exclusive: Write }
        trying! { try_lock_shared: Read try_lock_exclusive: Write }
        giving_back! { unlock_shared: Unread unlock_exclusive: Unwrite }

        #[track_caller]
        fn is_locked(&self) -> bool {
            if engine::used_natively(&self.identity) {
                return self.native.is_locked();
            }
            self.act(Action::IsLocked)
        }

        #[track_caller]
        fn is_locked_exclusive(&self) -> bool {
            if engine::used_natively(&self.identity) {
                return self.native.is_locked_exclusive();
            }
            self.act(Action::IsWritten)
        }
    }

    // SAFETY: as for `RawRwLock`. In a model fairness means nothing: every order is explored.
    unsafe impl lock_api::RawRwLockFair for RawRwLock {
        giving_back! { unlock_shared_fair: Unread unlock_exclusive_fair: Unwrite }
    }

    // SAFETY: as for `RawRwLock`: the engine makes it one step.
    unsafe impl lock_api::RawRwLockDowngrade for RawRwLock {
        giving_back! { downgrade: Downgrade }
    }

    // SAFETY: as for `RawRwLock`. Time is virtual in a model: giving up is possible whenever the
    // operation would have to wait.
    unsafe impl lock_api::RawRwLockTimed for RawRwLock {
        type Duration = Duration;
        type Instant = Instant;

        timed! {
            try_lock_shared_for, try_lock_shared_until: Read
            try_lock_exclusive_for, try_lock_exclusive_until: Write
        }
    }

    // SAFETY: as for `RawRwLock`. A reader that is inside already is not behind a waiting writer.
    unsafe impl lock_api::RawRwLockRecursive for RawRwLock {
        insisting! { lock_shared_recursive: ReadRecursive }
        trying! { try_lock_shared_recursive: ReadRecursive }
    }

    // SAFETY: as for `RawRwLockRecursive` and `RawRwLockTimed`.
    unsafe impl lock_api::RawRwLockRecursiveTimed for RawRwLock {
        timed! { try_lock_shared_recursive_for, try_lock_shared_recursive_until: ReadRecursive }
    }

    // SAFETY: the engine lets one upgradable reader in at a time, beside readers and not beside a
    // writer, and lets it become the writer when the readers have left.
    unsafe impl lock_api::RawRwLockUpgrade for RawRwLock {
        insisting! { lock_upgradable: Upgradable }
        trying! { try_lock_upgradable: Upgradable }
        giving_back! { unlock_upgradable: Unupgradable }

        #[track_caller]
        unsafe fn upgrade(&self) {
            if engine::used_natively(&self.identity) {
                // SAFETY: the caller holds the upgradable lock.
                return unsafe { self.native.upgrade() };
            }
            self.take(Action::Upgrade, How::Insist);
        }

        #[track_caller]
        unsafe fn try_upgrade(&self) -> bool {
            if engine::used_natively(&self.identity) {
                // SAFETY: the caller holds the upgradable lock.
                return unsafe { self.native.try_upgrade() };
            }
            self.take(Action::Upgrade, How::Try)
        }
    }

    // SAFETY: as for `RawRwLockUpgrade` and `RawRwLockFair`.
    unsafe impl lock_api::RawRwLockUpgradeFair for RawRwLock {
        giving_back! { unlock_upgradable_fair: Unupgradable }
    }

    // SAFETY: as for `RawRwLockUpgrade`: the engine makes each one step.
    unsafe impl lock_api::RawRwLockUpgradeDowngrade for RawRwLock {
        giving_back! {
            downgrade_upgradable: DowngradeUpgradable
            downgrade_to_upgradable: DowngradeToUpgradable
        }
    }

    // SAFETY: as for `RawRwLockUpgrade` and `RawRwLockTimed`.
    unsafe impl lock_api::RawRwLockUpgradeTimed for RawRwLock {
        timed! { try_lock_upgradable_for, try_lock_upgradable_until: Upgradable }

        #[track_caller]
        unsafe fn try_upgrade_for(&self, timeout: Duration) -> bool {
            if engine::used_natively(&self.identity) {
                // SAFETY: the caller holds the upgradable lock.
                return unsafe { self.native.try_upgrade_for(timeout) };
            }
            time::or_passed(self.take(Action::Upgrade, How::Timed), timeout)
        }

        #[track_caller]
        unsafe fn try_upgrade_until(&self, timeout: Instant) -> bool {
            if engine::used_natively(&self.identity) {
                // SAFETY: the caller holds the upgradable lock.
                return unsafe { self.native.try_upgrade_until(timeout.into()) };
            }
            time::or_reached(self.take(Action::Upgrade, How::Timed), timeout)
        }
    }

    impl fmt::Debug for RawRwLock {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("RawRwLock")
                .field("identity", &self.identity)
                .field("preference", &self.preference)
                .finish_non_exhaustive()
        }
    }

    /// The guard of an [`RwLock`]'s reader.
    pub type RwLockReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawRwLock, T>;
    /// The guard of an [`RwLock`]'s writer.
    pub type RwLockWriteGuard<'a, T> = lock_api::RwLockWriteGuard<'a, RawRwLock, T>;
    /// The guard of an [`RwLock`]'s one reader that may become the writer.
    pub type RwLockUpgradableReadGuard<'a, T> =
        lock_api::RwLockUpgradableReadGuard<'a, RawRwLock, T>;
    /// A reader's guard of a part of what an [`RwLock`] protects.
    pub type MappedRwLockReadGuard<'a, T> = lock_api::MappedRwLockReadGuard<'a, RawRwLock, T>;
    /// A writer's guard of a part of what an [`RwLock`] protects.
    pub type MappedRwLockWriteGuard<'a, T> = lock_api::MappedRwLockWriteGuard<'a, RawRwLock, T>;
    /// A reader's guard that keeps its [`RwLock`] alive.
    pub type ArcRwLockReadGuard<T> = lock_api::ArcRwLockReadGuard<RawRwLock, T>;
    /// A writer's guard that keeps its [`RwLock`] alive.
    pub type ArcRwLockWriteGuard<T> = lock_api::ArcRwLockWriteGuard<RawRwLock, T>;
    /// An upgradable reader's guard that keeps its [`RwLock`] alive.
    pub type ArcRwLockUpgradableReadGuard<T> = lock_api::ArcRwLockUpgradableReadGuard<RawRwLock, T>;

    /// A lock for many readers or one writer, with the interface of `parking_lot::RwLock`.
    ///
    /// The methods are those of [`lock_api::RwLock`], which it dereferences to. A writer that waits
    /// blocks new readers, so reading while reading can deadlock: `read_recursive` cannot. Nothing
    /// is poisoned by a panic.
    ///
    /// ```
    /// use gordian::sync::RwLock;
    ///
    /// let lock = RwLock::new(1);
    /// assert_eq!(*lock.read() + *lock.read_recursive(), 2);
    /// *lock.write() += 1;
    /// assert_eq!(lock.into_inner(), 2);
    /// ```
    #[repr(transparent)]
    pub struct RwLock<T: ?Sized> {
        inner: lock_api::RwLock<RawRwLock, T>,
    }

    impl<T> RwLock<T> {
        /// A free lock around `value`.
        #[track_caller]
        pub const fn new(value: T) -> Self {
            let raw = RawRwLock::new(Identity::here(), Preference::Writer);
            RwLock {
                inner: lock_api::RwLock::from_raw(raw, value),
            }
        }

        /// The protected value.
        pub fn into_inner(self) -> T {
            self.inner.into_inner()
        }

        fn remade(self, remake: impl FnOnce(RawRwLock) -> RawRwLock) -> Self {
            // SAFETY: the raw lock is only looked at.
            let raw = unsafe { self.inner.raw() }.clone_unused();
            RwLock {
                inner: lock_api::RwLock::from_raw(remake(raw), self.inner.into_inner()),
            }
        }
    }

    /// The methods that `lock_api` has for an `Arc` of its own lock.
    macro_rules! arcs {
        ($($doc:literal $name:ident($($timeout:ident)?) -> $guard:ty;)*) => {$(
            #[doc = concat!($doc, "; the guard keeps the lock itself alive.")]
            #[track_caller]
            pub fn $name(self: &Arc<Self> $(, $timeout: Duration)?) -> $guard {
                self.inner_arc().$name($($timeout)?)
            }
        )*};
    }

    impl<T: ?Sized> RwLock<T> {
        /// The protected value, without locking: the borrow proves that nobody else has it.
        pub fn get_mut(&mut self) -> &mut T {
            self.inner.get_mut()
        }

        arcs! {
            "Waits to read" read_arc() -> ArcRwLockReadGuard<T>;
            "Reads if there is no writer" try_read_arc() -> Option<ArcRwLockReadGuard<T>>;
            "Reads, or gives up after `timeout`"
                try_read_arc_for(timeout) -> Option<ArcRwLockReadGuard<T>>;
            "Waits to read, but not behind a waiting writer"
                read_arc_recursive() -> ArcRwLockReadGuard<T>;
            "Waits to write" write_arc() -> ArcRwLockWriteGuard<T>;
            "Writes if there is nobody" try_write_arc() -> Option<ArcRwLockWriteGuard<T>>;
            "Writes, or gives up after `timeout`"
                try_write_arc_for(timeout) -> Option<ArcRwLockWriteGuard<T>>;
            "Waits to read, with the right to upgrade"
                upgradable_read_arc() -> ArcRwLockUpgradableReadGuard<T>;
            "Reads, with the right to upgrade, if nobody else has it and there is no writer"
                try_upgradable_read_arc() -> Option<ArcRwLockUpgradableReadGuard<T>>;
        }

        fn inner_arc(self: &Arc<Self>) -> Arc<lock_api::RwLock<RawRwLock, T>> {
            let pointer = Arc::into_raw(Arc::clone(self));
            // SAFETY: `RwLock` is a transparent wrapper, so both arcs have the same layout.
            unsafe { Arc::from_raw(pointer as *const lock_api::RwLock<RawRwLock, T>) }
        }
    }

    impl<T: ?Sized> Deref for RwLock<T> {
        type Target = lock_api::RwLock<RawRwLock, T>;

        fn deref(&self) -> &Self::Target {
            &self.inner
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

    impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.inner.fmt(f)
        }
    }

    impl<T> crate::Named for RwLock<T> {
        fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
            self.remade(|raw| raw.named(name.into()))
        }
    }

    impl<T> super::RwLockOptions for RwLock<T> {
        fn reader_preferring(self) -> Self {
            self.remade(|raw| raw.preferring(Preference::Reader))
        }

        fn fifo(self) -> Self {
            self.remade(|raw| raw.preferring(Preference::Fifo))
        }
    }
}
