//! Whether a lock is poisoned.
//!
//! Knows nothing of the lock. Whoever sets the flag holds the lock, so who takes the lock later
//! reads it without a step of its own, unless it was ever set: then it may have been cleared by
//! somebody without the lock.

use crate::engine::{self, Identity};
use crate::op::{Action, Kind};
use std::sync::LockResult;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

/// | lower half | meaning |
/// |---|---|
/// | 0 | never poisoned |
/// | [`CLEARED`] | was poisoned, and is not any more |
/// | [`POISONED`] | is poisoned |
///
/// The upper half is the epoch of the execution that this is about. Another one begins afresh.
#[derive(Debug)]
pub(super) struct Poison {
    identity: Identity,
    state: AtomicU64,
}

const CLEARED: u32 = 1;
const POISONED: u32 = 2;

impl Poison {
    #[track_caller]
    pub(super) const fn new() -> Poison {
        Poison {
            identity: Identity::here(),
            state: AtomicU64::new(0),
        }
    }

    fn state(&self) -> u32 {
        // Relaxed: outside a model the lock orders whoever set it before; std's is relaxed too.
        let state = self.state.load(Ordering::Relaxed);
        if (state >> 32) as u32 == engine::epoch() {
            state as u32
        } else {
            0
        }
    }

    fn set(&self, state: u32) {
        let epoch = u64::from(engine::epoch());
        // Relaxed: as above.
        self.state
            .store(epoch << 32 | u64::from(state), Ordering::Relaxed);
    }

    /// Asked by anyone.
    #[track_caller]
    pub(super) fn is_poisoned(&self) -> bool {
        engine::touch(&self.identity, Kind::Atomic, Action::Load);
        self.state() == POISONED
    }

    /// Cleared by anyone.
    #[track_caller]
    pub(super) fn clear(&self) {
        engine::touch(&self.identity, Kind::Atomic, Action::Store);
        if self.state() == POISONED {
            self.set(CLEARED);
        }
    }

    /// What one who has just taken the lock gets.
    #[track_caller]
    pub(super) fn result<G>(&self, guard: G) -> LockResult<G> {
        // Once the execution is over nobody learns of it any more, and a destructor that insists on
        // a lock that is not poisoned is not to panic.
        if self.state() != 0 && !engine::is_over() && self.is_poisoned() {
            Err(PoisonError::new(guard))
        } else {
            Ok(guard)
        }
    }

    /// For the one who owns the lock.
    pub(super) fn owned<T>(&self, value: T) -> LockResult<T> {
        if self.state() == POISONED {
            Err(PoisonError::new(value))
        } else {
            Ok(value)
        }
    }
}

/// Held as long as a lock that may be poisoned.
#[derive(Debug)]
pub(super) struct Witness<'a> {
    poison: &'a Poison,
    /// Whether the thread was unwinding already when it took the lock.
    panicking: bool,
}

impl<'a> Witness<'a> {
    pub(super) fn new(poison: &'a Poison) -> Witness<'a> {
        Witness {
            poison,
            panicking: engine::poisons(),
        }
    }
}

impl Drop for Witness<'_> {
    /// Poisons the lock if a panic has begun under it.
    fn drop(&mut self) {
        if !self.panicking && engine::poisons() {
            engine::touch(&self.poison.identity, Kind::Atomic, Action::Store);
            self.poison.set(POISONED);
        }
    }
}
