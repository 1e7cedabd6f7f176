//! Permits that threads take and give back. Neither std nor parking_lot has one: without the
//! feature `model` it is a thin wrapper around parking_lot's mutex and condition variable.

use crate::named::Named;
use crate::time::Duration;
#[cfg(feature = "model")]
use crate::{
    engine::{self, Identity},
    op::{Action, Effect, How, Kind},
};
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// A counting semaphore.
///
/// Whoever finds enough permits takes them, unless the semaphore is [`fair`](Semaphore::fair).
/// Permits have no owner: anyone may add some.
///
/// ```
/// use gordian::sync::Semaphore;
///
/// let connections = Semaphore::new(2);
/// let one = connections.acquire();
/// let two = connections.acquire();
/// assert!(connections.try_acquire().is_none());
/// drop(one);
/// assert_eq!(connections.available_permits(), 1);
/// two.forget();
/// connections.add_permits(1);
/// assert_eq!(connections.available_permits(), 2);
/// ```
pub struct Semaphore {
    #[cfg(feature = "model")]
    identity: Identity,
    /// How many permits there were at first.
    #[cfg(feature = "model")]
    permits: u32,
    fair: bool,
    native: Mutex<Native>,
    /// Permits were added, or the head of the queue has changed.
    changed: Condvar,
}

/// Outside a model.
struct Native {
    permits: u32,
    /// Fair: the number of the next one to come, and of the one whose turn it is. Who gives up
    /// after having waited is in `left`, until its turn would have come.
    next: u64,
    turn: u64,
    left: Vec<u64>,
}

impl Native {
    /// Lets those go first who have not given up.
    fn advance(&mut self) {
        self.turn += 1;
        while let Some(at) = self.left.iter().position(|&left| left == self.turn) {
            self.left.swap_remove(at);
            self.turn += 1;
        }
    }
}

impl Semaphore {
    /// The most permits there can be.
    pub const MAX_PERMITS: u32 = u32::MAX;

    /// A semaphore with so many permits, for whoever comes when there are enough.
    #[track_caller]
    pub const fn new(permits: u32) -> Semaphore {
        Semaphore {
            #[cfg(feature = "model")]
            identity: Identity::here(),
            #[cfg(feature = "model")]
            permits,
            fair: false,
            native: Mutex::new(Native {
                permits,
                next: 0,
                turn: 0,
                left: Vec::new(),
            }),
            changed: Condvar::new(),
        }
    }

    /// A semaphore with so many permits, first come, first served: one who waits for many is not
    /// overtaken by one who wants few.
    #[track_caller]
    pub const fn fair(permits: u32) -> Semaphore {
        let mut semaphore = Semaphore::new(permits);
        semaphore.fair = true;
        semaphore
    }

    /// Waits for a permit.
    #[track_caller]
    pub fn acquire(&self) -> SemaphoreGuard<'_> {
        self.acquire_many(1)
    }

    /// Waits for so many permits and takes them together.
    #[track_caller]
    pub fn acquire_many(&self, permits: u32) -> SemaphoreGuard<'_> {
        self.take(permits, Limit::None);
        self.guard(permits)
    }

    /// Takes a permit if there is one and, in a fair semaphore, nobody waits.
    #[track_caller]
    pub fn try_acquire(&self) -> Option<SemaphoreGuard<'_>> {
        self.try_acquire_many(1)
    }

    /// Takes so many permits if they are there and, in a fair semaphore, nobody waits.
    #[track_caller]
    pub fn try_acquire_many(&self, permits: u32) -> Option<SemaphoreGuard<'_>> {
        self.take(permits, Limit::Now).then(|| self.guard(permits))
    }

    /// Waits for a permit, or gives up after `timeout`.
    #[track_caller]
    pub fn try_acquire_for(&self, timeout: Duration) -> Option<SemaphoreGuard<'_>> {
        self.try_acquire_many_for(1, timeout)
    }

    /// Waits for so many permits, or gives up after `timeout`.
    #[track_caller]
    pub fn try_acquire_many_for(
        &self,
        permits: u32,
        timeout: Duration,
    ) -> Option<SemaphoreGuard<'_>> {
        self.take(permits, Limit::For(timeout))
            .then(|| self.guard(permits))
    }

    /// Waits for a permit; the guard keeps the semaphore itself alive.
    #[track_caller]
    pub fn acquire_arc(self: &Arc<Self>) -> ArcSemaphoreGuard {
        self.take(1, Limit::None);
        ArcSemaphoreGuard {
            semaphore: Arc::clone(self),
            permits: 1,
        }
    }

    /// Takes a permit if there is one; the guard keeps the semaphore itself alive.
    #[track_caller]
    pub fn try_acquire_arc(self: &Arc<Self>) -> Option<ArcSemaphoreGuard> {
        self.take(1, Limit::Now).then(|| ArcSemaphoreGuard {
            semaphore: Arc::clone(self),
            permits: 1,
        })
    }

    /// Adds permits, whoever took them, or nobody.
    ///
    /// # Panics
    /// When there would be more than [`Semaphore::MAX_PERMITS`].
    #[track_caller]
    pub fn add_permits(&self, permits: u32) {
        assert!(
            self.give(permits),
            "a semaphore has at most {} permits",
            Semaphore::MAX_PERMITS
        );
    }

    /// How many permits there are.
    #[track_caller]
    pub fn available_permits(&self) -> u32 {
        #[cfg(feature = "model")]
        if !engine::used_natively(&self.identity) {
            return match self.operate(Action::Permits, How::Insist, 0) {
                Effect::Chose(permits) => permits,
                _ => 0,
            };
        }
        self.native.lock().permits
    }

    fn guard(&self, permits: u32) -> SemaphoreGuard<'_> {
        SemaphoreGuard {
            semaphore: self,
            permits,
        }
    }

    #[track_caller]
    fn take(&self, permits: u32, limit: Limit) -> bool {
        #[cfg(feature = "model")]
        if !engine::used_natively(&self.identity) {
            return match limit {
                Limit::None => self
                    .operate(Action::Acquire, How::Insist, permits)
                    .succeeded(),
                Limit::Now => self.operate(Action::Acquire, How::Try, permits).succeeded(),
                Limit::For(timeout) => {
                    let taken = self.operate(Action::Acquire, How::Timed, permits);
                    crate::time::or_passed(taken.succeeded(), timeout)
                }
            };
        }
        self.take_natively(permits, limit)
    }

    /// Whether there was room for them.
    #[track_caller]
    fn give(&self, permits: u32) -> bool {
        #[cfg(feature = "model")]
        if !engine::used_natively(&self.identity) {
            return self
                .operate(Action::Release, How::Insist, permits)
                .succeeded();
        }
        let mut native = self.native.lock();
        let Some(sum) = native.permits.checked_add(permits) else {
            return false;
        };
        native.permits = sum;
        self.changed.notify_all();
        true
    }

    #[cfg(feature = "model")]
    #[track_caller]
    fn operate(&self, action: Action, how: How, permits: u32) -> Effect {
        let kind = Kind::Semaphore {
            permits: self.permits,
            fifo: self.fair,
            max: Semaphore::MAX_PERMITS,
        };
        engine::acquire(&self.identity, kind, action, how, permits)
    }

    fn take_natively(&self, permits: u32, limit: Limit) -> bool {
        let mut native = self.native.lock();
        let mine = native.next;
        let is_served =
            |native: &Native| native.permits >= permits && (!self.fair || native.turn == mine);
        if !is_served(&native) {
            if matches!(limit, Limit::Now) {
                return false;
            }
            native.next += 1;
            if !self.wait(&mut native, limit, is_served) {
                self.leave(&mut native, mine);
                return false;
            }
        } else {
            native.next += 1;
        }
        native.permits -= permits;
        if self.fair {
            native.advance();
            self.changed.notify_all();
        }
        true
    }

    /// Waits to be served; whether it was, before the limit.
    fn wait(
        &self,
        native: &mut MutexGuard<'_, Native>,
        limit: Limit,
        is_served: impl Fn(&Native) -> bool,
    ) -> bool {
        let deadline = match limit {
            Limit::For(timeout) => Instant::now().checked_add(timeout),
            Limit::None | Limit::Now => None,
        };
        let waits = |native: &mut Native| !is_served(native);
        match deadline {
            None => {
                self.changed.wait_while(native, waits);
                true
            }
            Some(deadline) => {
                self.changed.wait_while_until(native, waits, deadline);
                is_served(native)
            }
        }
    }

    /// Gives up a place in the queue.
    fn leave(&self, native: &mut Native, mine: u64) {
        if self.fair {
            if native.turn == mine {
                native.advance();
                self.changed.notify_all();
            } else {
                native.left.push(mine);
            }
        }
    }
}

/// How long an acquisition waits at most.
#[derive(Clone, Copy, Debug)]
enum Limit {
    None,
    Now,
    For(Duration),
}

/// Permits that are given back when this is dropped.
#[must_use = "the permits are given back at once"]
pub struct SemaphoreGuard<'a> {
    semaphore: &'a Semaphore,
    permits: u32,
}

/// Permits that are given back when this is dropped, and keep their semaphore alive.
#[must_use = "the permits are given back at once"]
pub struct ArcSemaphoreGuard {
    semaphore: Arc<Semaphore>,
    permits: u32,
}

impl SemaphoreGuard<'_> {
    /// How many permits this stands for.
    pub fn permits(&self) -> u32 {
        self.permits
    }

    /// Does not give the permits back.
    pub fn forget(mut self) {
        self.permits = 0;
    }
}

impl ArcSemaphoreGuard {
    /// How many permits this stands for.
    pub fn permits(&self) -> u32 {
        self.permits
    }

    /// Does not give the permits back.
    pub fn forget(mut self) {
        self.permits = 0;
    }
}

impl Drop for SemaphoreGuard<'_> {
    fn drop(&mut self) {
        if self.permits > 0 {
            self.semaphore.give(self.permits);
        }
    }
}

impl Drop for ArcSemaphoreGuard {
    fn drop(&mut self) {
        if self.permits > 0 {
            self.semaphore.give(self.permits);
        }
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("fair", &self.fair)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SemaphoreGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SemaphoreGuard")
            .field("permits", &self.permits)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ArcSemaphoreGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArcSemaphoreGuard")
            .field("permits", &self.permits)
            .finish_non_exhaustive()
    }
}

impl Named for Semaphore {
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        #[cfg(feature = "model")]
        return Semaphore {
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
