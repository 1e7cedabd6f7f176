//! What happens once: an initialisation, the opening of a gate.

use crate::op::{Effect, ThreadId};

/// | state | meaning |
/// |---|---|
/// | not done, nobody runs | the first to come runs it |
/// | `running` | others wait |
/// | done | nobody will run it again |
#[derive(Clone, Copy, Debug, Default, Hash)]
pub(super) struct Once {
    pub(super) done: bool,
    pub(super) running: Option<ThreadId>,
}

impl Once {
    /// Done: the thread is to run it. Failed: it has been done.
    pub(super) fn begin(&mut self, by: ThreadId) -> Effect {
        if self.done {
            return Effect::Failed;
        }
        self.running = Some(by);
        Effect::Done
    }

    pub(super) fn end(&mut self, done: bool) -> Effect {
        self.running = None;
        self.done |= done;
        Effect::Done
    }
}

/// Opened once.
#[derive(Clone, Copy, Debug, Default, Hash)]
pub(super) struct Gate {
    pub(super) open: bool,
}

impl Gate {
    pub(super) fn open(&mut self) -> Effect {
        Effect::of(!std::mem::replace(&mut self.open, true))
    }
}
