//! A lock for readers or one writer, with an upgradable reader beside the others.

use super::Waits;
use crate::op::{Action, Effect, How, Preference, ThreadId, mask_of};

/// | holders | meaning |
/// |---|---|
/// | none | free |
/// | readers, with or without the upgradable one | nobody may write |
/// | `writer` | nobody else is inside |
///
/// `queue` has those who wait in a way that others can see: with [`Preference::Writer`] the
/// waiting writers, sorted, since their order does not matter; with [`Preference::Fifo`] everyone, in order; with
/// [`Preference::Reader`] nobody.
#[derive(Clone, Debug, Hash)]
pub(super) struct RwLock {
    preference: Preference,
    writer: Option<ThreadId>,
    upgradable: Option<ThreadId>,
    /// Sorted; a thread is there as often as it reads.
    readers: Vec<ThreadId>,
    queue: Vec<(ThreadId, Action)>,
    /// Those who were given what they queued for, and have not gone on yet. Only if fifo.
    granted: u64,
}

impl RwLock {
    pub(super) fn new(preference: Preference) -> RwLock {
        RwLock {
            preference,
            writer: None,
            upgradable: None,
            readers: Vec::new(),
            queue: Vec::new(),
            granted: 0,
        }
    }

    fn is_fifo(&self) -> bool {
        self.preference == Preference::Fifo
    }

    /// Whether what `action` asks for is compatible with those inside.
    fn is_compatible(&self, action: Action, by: ThreadId) -> bool {
        match action {
            Action::Read | Action::ReadRecursive => self.writer.is_none(),
            Action::Upgradable => self.writer.is_none() && self.upgradable.is_none(),
            Action::Upgrade => self.readers.is_empty() && self.upgradable == Some(by),
            _ => self.writer.is_none() && self.upgradable.is_none() && self.readers.is_empty(),
        }
    }

    /// Whether one who comes now is served at once.
    pub(super) fn is_to_be_had(&self, action: Action, how: How, by: ThreadId) -> bool {
        let barred = match (self.preference, action) {
            (Preference::Reader, _) | (_, Action::ReadRecursive | Action::Upgrade) => false,
            // Those who wait are behind a holder, or about to go: who finds it free may write.
            (Preference::Writer, Action::Write) if how != How::Try => false,
            _ => !self.queue.is_empty(),
        };
        !barred && self.is_compatible(action, by)
    }

    /// Whether one who cannot be served joins the queue, rather than waiting unseen.
    fn queues(&self, action: Action, how: How) -> bool {
        match self.preference {
            Preference::Reader => false,
            Preference::Writer => {
                matches!(action, Action::Write | Action::Upgrade) && how != How::Try
            }
            Preference::Fifo => action != Action::ReadRecursive && how == How::Insist,
        }
    }

    pub(super) fn enabled(&self, action: Action, how: How, by: ThreadId) -> bool {
        how != How::Insist || self.queues(action, how) || self.is_to_be_had(action, how, by)
    }

    pub(super) fn acquire(&mut self, action: Action, how: How, by: ThreadId) -> Effect {
        if self.is_to_be_had(action, how, by) {
            self.let_in(action, by);
            return Effect::Done;
        }
        if !self.queues(action, how) {
            return Effect::Failed;
        }
        match (self.preference, action) {
            (Preference::Fifo, Action::Upgrade) => self.queue.insert(0, (by, action)),
            _ => self.queue.push((by, action)),
        }
        if !self.is_fifo() {
            self.queue.sort_unstable_by_key(|(waiter, _)| *waiter);
        }
        Effect::Queued
    }

    /// Whether the thread's turn in the queue has come.
    pub(super) fn is_turn_of(&self, by: ThreadId) -> bool {
        if self.is_fifo() {
            return self.granted & (1 << by.0) != 0;
        }
        let wants = self.queue.iter().find(|(thread, _)| *thread == by);
        wants.is_some_and(|&(_, action)| self.is_compatible(action, by))
    }

    /// Goes on after queueing; when it is not the thread's turn, it leaves the queue.
    pub(super) fn go_on(&mut self, by: ThreadId) -> Effect {
        let its_turn = self.is_turn_of(by);
        self.granted &= !(1 << by.0);
        if let Some(at) = self.queue.iter().position(|(thread, _)| *thread == by) {
            let (_, action) = self.queue.remove(at);
            if its_turn {
                self.let_in(action, by);
            }
            self.settle();
        }
        Effect::of(its_turn)
    }

    fn let_in(&mut self, action: Action, by: ThreadId) {
        match action {
            Action::Read | Action::ReadRecursive => {
                self.readers.push(by);
                self.readers.sort_unstable();
            }
            Action::Upgradable => self.upgradable = Some(by),
            Action::Upgrade => {
                self.upgradable = None;
                self.writer = Some(by);
            }
            _ => self.writer = Some(by),
        }
    }

    /// Grants the queue's heads what they wait for, as long as it is to be had.
    fn settle(&mut self) {
        while self.is_fifo()
            && let Some(&(thread, action)) = self.queue.first()
            && self.is_compatible(action, thread)
        {
            self.queue.remove(0);
            self.let_in(action, thread);
            self.granted |= 1 << thread.0;
        }
    }

    /// Gives a hold back, or makes it a weaker one; fails when the thread has no such hold.
    pub(super) fn release(&mut self, action: Action, by: ThreadId) -> Effect {
        let held = match action {
            Action::Unread => match self.readers.iter().position(|&reader| reader == by) {
                Some(at) => {
                    self.readers.remove(at);
                    true
                }
                None => false,
            },
            Action::Unwrite | Action::Downgrade | Action::DowngradeToUpgradable => {
                let held = self.writer == Some(by);
                if held {
                    self.writer = None;
                }
                held
            }
            _ => {
                let held = self.upgradable == Some(by);
                if held {
                    self.upgradable = None;
                }
                held
            }
        };
        if held {
            match action {
                Action::Downgrade | Action::DowngradeUpgradable => self.let_in(Action::Read, by),
                Action::DowngradeToUpgradable => self.upgradable = Some(by),
                _ => {}
            }
            self.settle();
        }
        Effect::of(held)
    }

    pub(super) fn is_written(&self) -> bool {
        self.writer.is_some()
    }

    pub(super) fn is_held(&self) -> bool {
        self.writer.is_some() || self.upgradable.is_some() || !self.readers.is_empty()
    }

    /// Those who are inside and in the way of this.
    pub(super) fn in_the_way(&self, action: Action) -> u64 {
        let readers = self.readers.iter().copied();
        match action {
            Action::Read | Action::ReadRecursive => mask_of(self.writer),
            Action::Upgradable => mask_of(self.writer.into_iter().chain(self.upgradable)),
            Action::Upgrade => mask_of(readers),
            _ => mask_of(readers.chain(self.writer).chain(self.upgradable)),
        }
    }

    /// Whom the thread waits for: those inside, and those who go first.
    pub(super) fn awaited(&self, action: Action, by: ThreadId) -> Waits {
        let ahead = |queue: &[(ThreadId, Action)]| mask_of(queue.iter().map(|(thread, _)| *thread));
        let before = match self.preference {
            Preference::Reader => 0,
            Preference::Writer => match action {
                Action::Read | Action::Upgradable => ahead(&self.queue),
                _ => 0,
            },
            Preference::Fifo => {
                let place = self.queue.iter().position(|(thread, _)| *thread == by);
                ahead(&self.queue[..place.unwrap_or(0)])
            }
        };
        Waits::all_of(self.in_the_way(action) | before)
    }

    pub(super) fn is_read_by(&self, by: ThreadId) -> bool {
        self.readers.contains(&by)
    }
}
