//! Who could let a waiting thread go on: the edges of the wait-for graph.

use super::{State, World, state};
use crate::op::{Action, How, Op, ThreadId, mask_of};

/// Who could let a thread go on that cannot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Waits {
    /// Each of these threads has to do something.
    pub(crate) all: u64,
    /// These could do it, each alone.
    pub(crate) any: u64,
}

impl Waits {
    pub(super) fn all_of(all: u64) -> Waits {
        Waits { all, any: 0 }
    }

    pub(crate) fn any_of(any: u64) -> Waits {
        Waits { all: 0, any }
    }

    /// Anyone could, nobody in particular.
    const ANYONE: Waits = Waits { all: 0, any: 0 };
}

impl World {
    /// Who could let the thread go on, which would have to wait.
    pub(crate) fn awaited(&self, op: Op, by: ThreadId) -> Waits {
        match op.action {
            // It has no owner: others may release it as well.
            Action::Lock if self.is_raw(op.object) => {
                Waits::any_of(mask_of(self.lock(op.object).holder))
            }
            Action::Lock => Waits::all_of(mask_of(self.lock(op.object).holder)),
            Action::Read
            | Action::ReadRecursive
            | Action::Upgradable
            | Action::Write
            | Action::Upgrade => state!(self, op.object, RwLock).awaited(op.action, by),
            Action::Wake => {
                let condvar = state!(self, op.object, Condvar);
                let wakes = condvar.is_notified(by) || condvar.is_spurious() || op.arg == 1;
                match wakes || op.how == How::Timed {
                    true if self.is_raw(op.other()) => {
                        Waits::any_of(mask_of(self.lock(op.other()).holder))
                    }
                    true => Waits::all_of(mask_of(self.lock(op.other()).holder)),
                    false => Waits::ANYONE,
                }
            }
            Action::Acquire => state!(self, op.object, Semaphore).awaited(),
            Action::Queued => match op.purpose() {
                Action::Read | Action::Write | Action::Upgradable | Action::Upgrade => {
                    state!(self, op.object, RwLock).awaited(op.purpose(), by)
                }
                Action::Acquire => state!(self, op.object, Semaphore).awaited(),
                _ => Waits::ANYONE,
            },
            Action::Begin => Waits::all_of(mask_of(state!(self, op.object, Once).running)),
            Action::Join => Waits::all_of(mask_of([op.thread()])),
            _ => Waits::ANYONE,
        }
    }

    /// The threads that are in the way of the operation, each by an acquisition of its own that
    /// commutes with those of the others.
    pub(crate) fn in_the_way(&self, op: Op) -> u64 {
        match op.purpose() {
            Action::Write | Action::Upgrade | Action::Upgradable => {
                state!(self, op.object, RwLock).in_the_way(op.purpose())
            }
            _ => 0,
        }
    }
}
