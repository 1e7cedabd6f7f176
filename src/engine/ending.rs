//! How what is left of an execution comes to its end, once it is over: by a deadlock, a bound, a
//! strategy that gives it up.
//!
//! Nothing is recorded any more, but the objects go on meaning what they mean: no thread sees what
//! it could not see in reality, and no lock is held by two.
//!
//! | a thread stands at | [`Leftover::Unwind`] | [`Leftover::Abandon`] |
//! |---|---|---|
//! | what never waits (an atomic, an unlock, a notify …), a try, a timed wait | goes on | goes on |
//! | what may wait and *may panic* | is unwound | goes on if it can, else is left behind |
//! | anything else that may wait | goes on if it can, else is left behind | the same |
//!
//! What may panic are operations whose documentation in std names a panic: to take a lock, to join
//! a thread, a condvar's wait (once it has its lock back), `call_once`. No other ever unwinds. Who
//! is left behind keeps its stack, and all that is on it, as it is. Destructors of a thread that is
//! unwound find the same rules, but are not unwound once more. Who neither ends nor waits is left
//! behind after [`OPERATIONS_MAX`] operations.

use super::session::{Session, Standing, current, is_unwinding};
use crate::config::Leftover;
use crate::op::{Action, Effect, How, Op, ThreadId};
use crate::trace::threads_in;

/// The threads of an execution that is over.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    /// Those that were there when it ended. Whom they start later is never unwound, so that a
    /// destructor which starts a thread in its place does not go on for ever.
    pub(super) were_part: u64,
    /// Those that were unwound.
    pub(super) unwound: u64,
    /// Those that have to wait, as far as is known.
    stuck: u64,
    /// Those that have let another one go first.
    gave_way: u64,
    operations: u32,
}

/// What the threads of an execution may do once it is over, all together.
const OPERATIONS_MAX: u32 = 1_000;

impl Session {
    /// What an operation of the current thread is, now that the execution is over.
    pub(super) fn after_the_end(&mut self, op: Op) -> Standing {
        let me = current();
        let bit = 1 << me.0;
        self.leftovers.operations += 1;
        if self.leftovers.operations > OPERATIONS_MAX {
            return Standing::Abandon;
        }
        if self.is_to_be_unwound(op, me) {
            self.withdraw(op, me);
            return Standing::Unwind;
        }
        let ready = self.search.run.world.is_ready(op, me);
        if !ready && op.how == How::Insist {
            self.leftovers.stuck |= bit;
            return match self.next_of(!self.leftovers.stuck) {
                Some(other) => Standing::Let(other),
                // All others wait as well.
                None => Standing::Abandon,
            };
        }
        // It is no use to do it again and again while others could end that.
        let idle = !ready || matches!(op.action, Action::Yield | Action::Sleep);
        let gives_way = idle && self.leftovers.gave_way & bit == 0;
        if gives_way && let Some(other) = self.next_of(!self.leftovers.stuck & !bit) {
            self.leftovers.gave_way |= bit;
            return Standing::Let(other);
        }
        self.leftovers.gave_way &= !bit;
        if !ready {
            return Standing::Done(Effect::Failed);
        }
        // It may be what others wait for.
        self.leftovers.stuck = 0;
        let world = &mut self.search.run.world;
        Standing::Done(world.apply(op, me, world.cases(op, me)[0]))
    }

    fn is_to_be_unwound(&self, op: Op, me: ThreadId) -> bool {
        if is_unwinding(me) || self.leftovers.were_part & (1 << me.0) == 0 {
            return false;
        }
        let run = &self.search.run;
        // The code of a scenario is known: it can be unwound anywhere.
        if run.program.is_some() {
            return true;
        }
        let may_panic = match op.purpose() {
            Action::Lock
            | Action::Read
            | Action::ReadRecursive
            | Action::Write
            | Action::Upgradable
            | Action::Upgrade
            | Action::Begin => op.how == How::Insist,
            // Its guard is on the stack, and has to be one.
            Action::Wake => run.world.holder(op.other()).is_none(),
            // Threads of a scope borrow from this stack.
            Action::Join if op.with != Op::NOTHING => self.alive & (1 << op.thread().0) == 0,
            Action::Join => true,
            _ => false,
        };
        may_panic && self.search.config.leftover == Leftover::Unwind
    }

    /// Makes the objects forget that the thread waits.
    fn withdraw(&mut self, op: Op, me: ThreadId) {
        let world = &mut self.search.run.world;
        match op.action {
            Action::Wake if world.holder(op.other()).is_none() => {
                world.apply(op.how(How::Timed), me, 0);
            }
            Action::Queued if op.purpose() != Action::Arrive => {
                world.apply(op.how(How::Timed), me, 0);
            }
            _ => return,
        }
        self.leftovers.stuck = 0;
    }

    /// The thread has come to its end, in an execution that may be over.
    pub(super) fn ended(&mut self, me: ThreadId) {
        // Who joins it may go on, though its end was no step.
        let exit = Op::plain(Action::Exit, 0);
        self.search.run.world.apply(exit, me, 0);
        self.leftovers.stuck = 0;
    }

    /// Who goes on after the current thread, which is gone; nobody when all are.
    pub(super) fn next_leftover(&self) -> Option<ThreadId> {
        self.next_of(!self.leftovers.stuck)
            .or_else(|| self.next_of(u64::MAX))
    }

    /// The next of these threads that is alive, in turn.
    fn next_of(&self, threads: u64) -> Option<ThreadId> {
        let candidates = self.alive & threads;
        let later = candidates & (u64::MAX << current().0 << 1);
        threads_in(later).chain(threads_in(candidates)).next()
    }
}
