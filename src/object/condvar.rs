//! A condition variable.

use crate::op::{ObjectId, ThreadId, mask_of};

/// A thread is a waiter from when it has released its lock until it has taken it again.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Condvar {
    /// A waiter may wake by itself, always.
    spurious: bool,
    fifo: bool,
    /// Each with its lock. In the order they came if fifo, else sorted.
    waiters: Vec<(ThreadId, ObjectId)>,
    /// Waiters that were notified and have not gone on yet.
    notified: u64,
}

impl Condvar {
    pub(super) fn new(spurious: bool, fifo: bool) -> Condvar {
        Condvar {
            spurious,
            fifo,
            ..Condvar::default()
        }
    }

    pub(super) fn is_spurious(&self) -> bool {
        self.spurious
    }

    /// Whether one who has not been notified waits with another lock.
    pub(super) fn is_of_another(&self, lock: ObjectId) -> bool {
        let waiters = self.waiters.iter();
        waiters
            .copied()
            .any(|(waiter, its)| its != lock && !self.is_notified(waiter))
    }

    pub(super) fn join(&mut self, by: ThreadId, lock: ObjectId) {
        self.waiters.push((by, lock));
        if !self.fifo {
            self.waiters.sort_unstable();
        }
    }

    pub(super) fn is_notified(&self, by: ThreadId) -> bool {
        self.notified & (1 << by.0) != 0
    }

    /// The thread is no waiter any more; whether it was notified.
    pub(super) fn leave(&mut self, by: ThreadId) -> bool {
        let notified = self.is_notified(by);
        self.waiters.retain(|&(waiter, _)| waiter != by);
        self.notified &= !(1 << by.0);
        notified
    }

    /// Those who could be notified next.
    pub(super) fn candidates(&self) -> impl Iterator<Item = ThreadId> {
        let most = if self.fifo { 1 } else { usize::MAX };
        self.waiters
            .iter()
            .map(|&(waiter, _)| waiter)
            .filter(|&waiter| !self.is_notified(waiter))
            .take(most)
    }

    pub(super) fn notify(&mut self, waiter: ThreadId) {
        self.notified |= 1 << waiter.0;
    }

    /// Notifies all; how many that were not notified yet.
    pub(super) fn notify_all(&mut self) -> u32 {
        let all = mask_of(self.waiters.iter().map(|&(waiter, _)| waiter));
        let new = (all & !self.notified).count_ones();
        self.notified = all;
        new
    }
}
