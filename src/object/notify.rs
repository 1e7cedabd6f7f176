//! tokio's `Notify`: one stored permit, first come first served.

use crate::op::{Effect, ThreadId};

/// | state | meaning |
/// |---|---|
/// | `permit` | the next one to come goes on at once; then nobody waits |
/// | `queue` | who waits, in order |
/// | `served` | who may go on and has not gone on yet |
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Notify {
    permit: bool,
    queue: Vec<ThreadId>,
    served: u64,
    /// Those of `served` that had the one permit, which goes on to another if they do not use it.
    by_permit: u64,
}

impl Notify {
    /// Comes to wait. `Done` when it need not.
    pub(super) fn enlist(&mut self, by: ThreadId) -> Effect {
        if self.is_turn_of(by) {
            return self.go_on(by);
        }
        if self.queue.contains(&by) {
            return Effect::Queued;
        }
        if std::mem::take(&mut self.permit) {
            return Effect::Done;
        }
        self.queue.push(by);
        Effect::Queued
    }

    /// Registers now, to wait later.
    pub(super) fn enable(&mut self, by: ThreadId) -> Effect {
        if !self.is_turn_of(by) && !self.queue.contains(&by) {
            if std::mem::take(&mut self.permit) {
                // It is used up, even if the thread will not wait after all: as in tokio.
                self.serve(by, false);
            } else {
                self.queue.push(by);
            }
        }
        Effect::of(self.is_turn_of(by))
    }

    fn serve(&mut self, thread: ThreadId, by_permit: bool) {
        self.served |= 1 << thread.0;
        if by_permit {
            self.by_permit |= 1 << thread.0;
        }
    }

    pub(super) fn is_turn_of(&self, by: ThreadId) -> bool {
        self.served & (1 << by.0) != 0
    }

    /// Goes on; leaves the queue if it is not the thread's turn.
    pub(super) fn go_on(&mut self, by: ThreadId) -> Effect {
        let its_turn = self.is_turn_of(by);
        self.served &= !(1 << by.0);
        self.by_permit &= !(1 << by.0);
        self.queue.retain(|&waiter| waiter != by);
        Effect::of(its_turn)
    }

    /// Will not wait after all: a permit that it was given goes to the next one.
    pub(super) fn withdraw(&mut self, by: ThreadId) -> Effect {
        let hands_on = self.by_permit & (1 << by.0) != 0;
        let was_there = self.is_turn_of(by) || self.queue.contains(&by);
        self.go_on(by);
        if hands_on {
            self.signal();
        }
        Effect::of(was_there)
    }

    pub(super) fn signal(&mut self) {
        if self.queue.is_empty() {
            self.permit = true;
        } else {
            let first = self.queue.remove(0);
            self.serve(first, true);
        }
    }

    pub(super) fn signal_all(&mut self) {
        for waiter in std::mem::take(&mut self.queue) {
            self.serve(waiter, false);
        }
    }
}
