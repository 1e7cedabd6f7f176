//! A counting semaphore.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

use super::Waits;
use crate::op::{Effect, How, Op, ThreadId, mask_of};

/// Who waits for permits: a thread, or a ticket that stands in the queue for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Waiter {
    Thread(ThreadId),
    Ticket(u32),
}

impl Waiter {
    pub(super) fn of(op: Op, by: ThreadId) -> Waiter {
        match op.with {
            Op::NOTHING => Waiter::Thread(by),
            ticket => Waiter::Ticket(ticket),
        }
    }
}

/// Not fifo: whoever finds enough permits takes them. Fifo: nobody overtakes, and a permit that is
/// released goes to the queue's head.
#[derive(Clone, Debug)]
pub(super) struct Semaphore {
    permits: u32,
    max: u32,
    fifo: bool,
    /// Only if fifo.
    queue: VecDeque<(Waiter, u32)>,
    /// Those who were given permits while they stood in the queue, and have not gone on yet.
    /// Sorted.
    granted: Vec<(Waiter, u32)>,
    /// By thread: permits taken less permits given back. Who holds what, as far as that is known.
    balances: Vec<i32>,
}

/// Without the balances, which count for ever in programs that go round in circles, and decide
/// nothing but words.
impl Hash for Semaphore {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.permits.hash(state);
        self.queue.hash(state);
        self.granted.hash(state);
    }
}

impl Semaphore {
    pub(super) fn new(permits: u32, fifo: bool, max: u32) -> Semaphore {
        Semaphore {
            permits,
            max,
            fifo,
            queue: VecDeque::new(),
            granted: Vec::new(),
            balances: Vec::new(),
        }
    }

    pub(super) fn permits(&self) -> u32 {
        self.permits
    }

    fn is_to_be_had(&self, permits: u32) -> bool {
        self.queue.is_empty() && self.permits >= permits
    }

    /// Whether one who comes now need not wait.
    pub(super) fn is_ready(&self, op: Op) -> bool {
        self.is_to_be_had(op.arg)
    }

    pub(super) fn enabled(&self, op: Op) -> bool {
        op.how != How::Insist || self.fifo || self.is_to_be_had(op.arg)
    }

    pub(super) fn acquire(&mut self, op: Op, by: ThreadId) -> Effect {
        let waiter = Waiter::of(op, by);
        if matches!(waiter, Waiter::Ticket(_)) && self.knows(waiter) {
            // A ticket has one place in the queue.
            return Effect::Failed;
        }
        if self.is_to_be_had(op.arg) {
            self.permits -= op.arg;
            match waiter {
                Waiter::Thread(by) => self.credit(by, op.arg as i32),
                Waiter::Ticket(_) => self.grant(waiter, op.arg),
            }
            return Effect::Done;
        }
        if op.how == How::Try || !self.fifo {
            return Effect::Failed;
        }
        self.queue.push_back((waiter, op.arg));
        Effect::Queued
    }

    fn grant(&mut self, waiter: Waiter, permits: u32) {
        self.granted.push((waiter, permits));
        self.granted.sort_unstable();
    }

    fn credit(&mut self, by: ThreadId, permits: i32) {
        if self.balances.len() <= by.index() {
            self.balances.resize(by.index() + 1, 0);
        }
        let balance = &mut self.balances[by.index()];
        *balance = balance.saturating_add(permits);
    }

    /// Whether it was granted permits that it has not taken yet, or stands in the queue.
    fn knows(&self, waiter: Waiter) -> bool {
        let mut all = self.granted.iter().chain(&self.queue);
        all.any(|(its, _)| *its == waiter)
    }

    pub(super) fn is_turn_of(&self, waiter: Waiter) -> bool {
        let granted = self.granted.iter().any(|(its, _)| *its == waiter);
        let queued = self.queue.iter().any(|(its, _)| *its == waiter);
        // A ticket that nobody has, or that was used up, is never waited for.
        granted || !queued
    }

    /// Goes on after queueing; when it is not the waiter's turn, it leaves the queue.
    pub(super) fn go_on(&mut self, waiter: Waiter, by: ThreadId) -> Effect {
        if let Some(at) = self.granted.iter().position(|(its, _)| *its == waiter) {
            let (_, permits) = self.granted.remove(at);
            self.credit(by, permits as i32);
            return Effect::Done;
        }
        self.leave(waiter);
        Effect::Failed
    }

    fn leave(&mut self, waiter: Waiter) {
        self.queue.retain(|(its, _)| *its != waiter);
        self.settle();
    }

    /// Leaves the queue, or gives back what was granted.
    pub(super) fn withdraw(&mut self, waiter: Waiter) -> Effect {
        if let Some(at) = self.granted.iter().position(|(its, _)| *its == waiter) {
            let (_, permits) = self.granted.remove(at);
            self.permits = self.permits.saturating_add(permits);
            self.settle();
            return Effect::Done;
        }
        let before = self.queue.len();
        self.leave(waiter);
        Effect::of(self.queue.len() < before)
    }

    /// Gives permits back; fails, and does nothing, when there would be too many.
    pub(super) fn release(&mut self, permits: u32, by: ThreadId) -> Effect {
        match self.permits.checked_add(permits) {
            Some(sum) if sum <= self.max => {
                self.permits = sum;
                self.credit(by, -(permits as i32));
                self.settle();
                Effect::Done
            }
            _ => Effect::Failed,
        }
    }

    pub(super) fn has_max(&self) -> bool {
        self.max != u32::MAX
    }

    fn settle(&mut self) {
        while let Some(&(waiter, permits)) = self.queue.front()
            && self.permits >= permits
        {
            self.permits -= permits;
            self.queue.pop_front();
            self.grant(waiter, permits);
        }
    }

    /// Whoever holds permits could let the others go on; so could anyone who releases more than it
    /// took.
    pub(super) fn awaited(&self) -> Waits {
        let balances = self.balances.iter().enumerate();
        let holders = balances.filter(|(_, balance)| **balance > 0);
        Waits::any_of(mask_of(holders.map(|(thread, _)| ThreadId(thread as u8))))
    }
}
