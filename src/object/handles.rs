//! The handles of a shared value: who drops the last one drops the value.

use crate::op::Effect;

/// How many there are.
#[derive(Clone, Copy, Debug, Hash)]
pub(super) struct Handles {
    pub(super) count: u32,
}

impl Handles {
    pub(super) fn clone_one(&mut self) -> Effect {
        self.count = self.count.saturating_add(1);
        Effect::Done
    }

    /// Says whether it was the last one.
    pub(super) fn drop_one(&mut self) -> Effect {
        self.count = self.count.saturating_sub(1);
        Effect::Chose(u32::from(self.count == 0))
    }

    /// Fails when the value is gone.
    pub(super) fn revive(&mut self) -> Effect {
        match self.count {
            0 => Effect::Failed,
            _ => self.clone_one(),
        }
    }

    /// Fails when there are others; else the value is gone, if it is to be `taken`.
    pub(super) fn unwrap(&mut self, taken: bool) -> Effect {
        let alone = self.count == 1;
        if alone && taken {
            self.count = 0;
        }
        Effect::of(alone)
    }
}
