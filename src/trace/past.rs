//! A finished execution gone through once more, event by event.
//!
//! Knows what each event took and gave back, and who else could have run instead. Does not know
//! why the order was chosen.

use crate::object::World;
use crate::op::{Action, Effect, ObjectId, ThreadId};
use crate::report;
use crate::trace::{Event, Run, threads_in};

/// Stands just before one of the events of an execution, from the first to the last.
pub(crate) struct Past<'a> {
    run: &'a Run,
    /// The objects as they were before the event.
    world: World,
    /// The number of the event.
    at: u32,
    /// How many operations each thread had done.
    done: Vec<u32>,
}

impl<'a> Past<'a> {
    /// The beginning of the execution.
    pub(crate) fn of(run: &'a Run) -> Self {
        let mut world = World::default();
        world.copy_from(&run.world);
        world.rewind();
        Past {
            run,
            world,
            at: 0,
            done: vec![0; run.threads.len()],
        }
    }

    /// By thread: how many events there were when it could have run for the last time, that one
    /// included; 0 if it never could.
    pub(crate) fn last_turns(run: &'a Run) -> Vec<u32> {
        let mut past = Past::of(run);
        let mut turns = vec![0; run.threads.len()];
        for at in 0..run.events.len() as u32 {
            for thread in threads_in(past.enabled()) {
                turns[thread.index()] = at + 1;
            }
            past.advance();
        }
        turns
    }

    /// Completes the step of the event, if it has one, and stands behind it then.
    pub(crate) fn pass(&mut self, step: Option<&mut report::Step>) {
        let event = self.run.events[self.at as usize];
        if let Some(step) = step {
            let others = self.enabled() & !(1 << event.thread.0);
            step.alternatives = threads_in(others)
                .filter(|&thread| self.run.is_known(thread))
                .map(|thread| self.run.thread_name(thread))
                .collect();
            step.acquires = self.names(acquired(&event));
            step.releases = self.names(released(&event));
        }
        self.advance();
    }

    fn advance(&mut self) {
        let event = self.run.events[self.at as usize];
        self.run.redo(&mut self.world, self.at);
        self.done[event.thread.index()] = event.index + 1;
        self.at += 1;
    }

    /// The threads whose next operation could be done now. All of them have announced it by now.
    fn enabled(&self) -> u64 {
        let mut enabled = 0;
        for (index, thread) in self.run.threads.iter().enumerate() {
            let born = thread.spawned_after.is_none_or(|after| after < self.at);
            let id = ThreadId(index as u8);
            if let Some(&op) = thread.ops.get(self.done[index] as usize)
                && born
                && self.world.enabled(op, id)
            {
                enabled |= 1 << id.0;
            }
        }
        enabled
    }

    fn names(&self, object: Option<ObjectId>) -> Vec<String> {
        let object = object.filter(|id| *id != ObjectId::NONE);
        object
            .map(|id| self.run.object_name(id))
            .into_iter()
            .collect()
    }
}

/// What the event's thread holds from then on.
pub(super) fn acquired(event: &Event) -> Option<ObjectId> {
    let op = event.op;
    match op.purpose() {
        // Whether it was notified or has given up: the lock is taken again.
        Action::Wake => Some(op.other()),
        Action::Lock
        | Action::Read
        | Action::ReadRecursive
        | Action::Write
        | Action::Upgradable
        | Action::Acquire
            if event.effect.succeeded() =>
        {
            Some(op.object)
        }
        // Not done yet, so it is this thread's to do.
        Action::Begin if event.effect.succeeded() => Some(op.object),
        _ => None,
    }
}

/// What nobody, or one less, holds from then on.
pub(super) fn released(event: &Event) -> Option<ObjectId> {
    let op = event.op;
    match op.purpose() {
        Action::Wait if event.effect != Effect::Failed => Some(op.other()),
        Action::Unlock
        | Action::Unread
        | Action::Unwrite
        | Action::Unupgradable
        | Action::Release
        | Action::Complete
        | Action::Abandon
            if event.effect.succeeded() =>
        {
            Some(op.object)
        }
        _ => None,
    }
}
