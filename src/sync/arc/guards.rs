//! Guards that keep what they guard alive, of locks and semaphores behind our own `Arc`.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::on::Arc;
use crate::sync::{
    ArcMutexGuard, ArcRwLockReadGuard, ArcRwLockUpgradableReadGuard, ArcRwLockWriteGuard,
    ArcSemaphoreGuard, Mutex, RwLock, Semaphore,
};
use crate::time::Duration;

/// A guard `G` that has a handle of the lock, which is given back after the lock is.
///
/// It has no name without the feature `model`, where the guards are parking_lot's.
pub struct ArcGuard<G, L: ?Sized> {
    /// Has a handle of std's own, which is not the last one.
    guard: G,
    lock: Arc<L>,
}

impl<G, L: ?Sized> ArcGuard<G, L> {
    /// What it guards.
    pub fn lock(this: &ArcGuard<G, L>) -> &Arc<L> {
        &this.lock
    }
}

impl<G: Deref, L: ?Sized> Deref for ArcGuard<G, L> {
    type Target = G::Target;

    fn deref(&self) -> &G::Target {
        &self.guard
    }
}

impl<G: DerefMut, L: ?Sized> DerefMut for ArcGuard<G, L> {
    fn deref_mut(&mut self) -> &mut G::Target {
        &mut self.guard
    }
}

impl<G: fmt::Debug, L: ?Sized> fmt::Debug for ArcGuard<G, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.guard.fmt(f)
    }
}

impl<G: fmt::Display, L: ?Sized> fmt::Display for ArcGuard<G, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.guard.fmt(f)
    }
}

/// Methods that insist, and those that need not succeed.
macro_rules! guards {
    (
        [$($generic:tt)*] $lock:ty, $guard:ty:
        $($what:literal $name:ident;)*
        try: $($its_what:literal $its_name:ident($($timeout:ident)?);)*
    ) => {
        impl<$($generic)*> Arc<$lock> {
            $(
                #[doc = concat!($what, "; the guard keeps the lock itself alive.")]
                #[track_caller]
                pub fn $name(&self) -> ArcGuard<$guard, $lock> {
                    ArcGuard { guard: self.value.$name(), lock: Arc::clone(self) }
                }
            )*
            $(
                #[doc = concat!($its_what, "; the guard keeps the lock itself alive.")]
                #[track_caller]
                pub fn $its_name(
                    &self
                    $(, $timeout: Duration)?
                ) -> Option<ArcGuard<$guard, $lock>> {
                    let guard = self.value.$its_name($($timeout)?)?;
                    Some(ArcGuard { guard, lock: Arc::clone(self) })
                }
            )*
        }
    };
}

guards! {
    [T: ?Sized] Mutex<T>, ArcMutexGuard<T>:
    "Waits for the lock" lock_arc;
    try:
    "Takes the lock if it is free" try_lock_arc();
    "Takes the lock, or gives up after `timeout`" try_lock_arc_for(timeout);
}

guards! {
    [T: ?Sized] RwLock<T>, ArcRwLockReadGuard<T>:
    "Waits to read" read_arc;
    "Waits to read, if it is not read already" read_arc_recursive;
    try:
    "Reads if there is no writer" try_read_arc();
    "Waits to read, or gives up after `timeout`" try_read_arc_for(timeout);
}

guards! {
    [T: ?Sized] RwLock<T>, ArcRwLockWriteGuard<T>:
    "Waits to write" write_arc;
    try:
    "Writes if there is nobody" try_write_arc();
    "Waits to write, or gives up after `timeout`" try_write_arc_for(timeout);
}

guards! {
    [T: ?Sized] RwLock<T>, ArcRwLockUpgradableReadGuard<T>:
    "Waits to read, with the right to upgrade" upgradable_read_arc;
    try:
    "Reads, with the right to upgrade, if that can be" try_upgradable_read_arc();
}

guards! {
    [] Semaphore, ArcSemaphoreGuard:
    "Waits for a permit" acquire_arc;
    try:
    "Takes a permit if there is one" try_acquire_arc();
}
