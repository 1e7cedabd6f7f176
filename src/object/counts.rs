//! What counts threads: a wait group and a barrier.

use crate::op::{Effect, ThreadId};

/// A count; who waits for it goes on when it is 0.
#[derive(Clone, Copy, Debug, Hash)]
pub(super) struct WaitGroup {
    count: i64,
}

impl WaitGroup {
    pub(super) fn new(count: u32) -> WaitGroup {
        WaitGroup {
            count: i64::from(count),
        }
    }

    /// Fails, and does nothing, when the count would be below 0.
    pub(super) fn add(&mut self, count: i32) -> Effect {
        let sum = self.count + i64::from(count);
        if sum >= 0 {
            self.count = sum;
        }
        Effect::of(sum >= 0)
    }

    pub(super) fn is_zero(self) -> bool {
        self.count == 0
    }
}

/// A reusable barrier.
#[derive(Clone, Copy, Debug, Hash)]
pub(super) struct Barrier {
    parties: u32,
    /// Who waits.
    arrived: u64,
    /// Who may go on, and has not gone on yet.
    released: u64,
}

impl Barrier {
    pub(super) fn new(parties: u32) -> Barrier {
        Barrier {
            parties,
            arrived: 0,
            released: 0,
        }
    }

    /// Done for the last one, who lets the others go.
    pub(super) fn arrive(&mut self, by: ThreadId) -> Effect {
        if self.arrived.count_ones() + 1 < self.parties {
            self.arrived |= 1 << by.0;
            return Effect::Queued;
        }
        self.released |= self.arrived;
        self.arrived = 0;
        Effect::Done
    }

    pub(super) fn is_turn_of(self, by: ThreadId) -> bool {
        self.released & (1 << by.0) != 0
    }

    /// Goes on. It is not the leader, which `Failed` says.
    pub(super) fn go_on(&mut self, by: ThreadId) -> Effect {
        self.released &= !(1 << by.0);
        Effect::Failed
    }
}
