//! `rwlock`, with its three ways to decide who goes first.
//!
//! | preference | a reader comes in when | a writer comes in when | the queue holds |
//! |---|---|---|---|
//! | reader | no writer is inside | nobody is inside | nobody |
//! | writer | no writer is inside or waits | nobody is inside | waiting writers |
//! | fifo | the queue is empty, no writer is inside; or granted | the same, nobody inside | all |

use gordian::scenario::ast::{LocalIndex, ObjectKind, Preference};

use super::{Machine, Panic, advance, insert, set};
use crate::code::{Op, Want};
use crate::state::{Mode, Object, State};

impl Machine<'_> {
    fn preference(&self, lock: u32) -> Preference {
        match self.code.objects[lock as usize] {
            ObjectKind::RwLock(preference) => preference,
            _ => Preference::default(),
        }
    }

    pub(super) fn may_take(&self, state: &State, thread: u32, lock: u32, want: Want) -> bool {
        let it = &state.threads[thread as usize];
        let (holds, queue) = parts(state, lock);
        let available = is_available(holds, want);
        if want == Want::Upgrade && !is_upgradable(holds, thread) {
            // It panics.
            return true;
        }
        match self.preference(lock) {
            Preference::Reader => available,
            Preference::Writer if it.arrived => available,
            Preference::Writer => is_writer(want) || available && queue.is_empty(),
            Preference::Fifo => !it.arrived || it.served,
        }
    }

    pub(super) fn try_take(
        &self,
        state: &mut State,
        thread: u32,
        lock: u32,
        want: Want,
        ok: Option<LocalIndex>,
    ) {
        let (holds, queue) = parts(state, lock);
        let taken = is_available(holds, want) && queue.is_empty();
        if taken {
            hold(state, thread, lock, want);
        }
        set(state, thread, ok, i64::from(taken));
        advance(state, thread);
    }

    pub(super) fn take(
        &self,
        state: &mut State,
        thread: u32,
        lock: u32,
        want: Want,
    ) -> Result<(), Panic> {
        let preference = self.preference(lock);
        let (holds, queue) = parts(state, lock);
        let available = is_available(holds, want);
        let it = &state.threads[thread as usize];
        if it.served {
            // Granted: it holds the lock already.
            advance(state, thread);
            return Ok(());
        }
        if want == Want::Upgrade && !is_upgradable(holds, thread) {
            return Err(Panic);
        }
        let overtakes = match preference {
            Preference::Reader | Preference::Writer => true,
            Preference::Fifo => queue.is_empty() || want == Want::Upgrade,
        };
        if available && overtakes {
            if let Object::Rw { queue, .. } = &mut state.objects[lock as usize] {
                queue.retain(|other| *other != thread);
            }
            hold(state, thread, lock, want);
            advance(state, thread);
            return Ok(());
        }
        state.threads[thread as usize].arrived = true;
        if let Object::Rw { queue, .. } = &mut state.objects[lock as usize] {
            match preference {
                Preference::Fifo if want == Want::Upgrade => queue.insert(0, thread),
                Preference::Fifo => queue.push(thread),
                _ => insert(queue, thread),
            }
        }
        Ok(())
    }

    pub(super) fn downgrade(&self, state: &mut State, thread: u32, lock: u32) -> Result<(), Panic> {
        let Object::Rw { holds, .. } = &mut state.objects[lock as usize] else {
            return Err(Panic);
        };
        let hold = holds
            .iter_mut()
            .find(|hold| **hold == (thread, Mode::Write))
            .ok_or(Panic)?;
        hold.1 = Mode::Read;
        self.grant(state, lock);
        advance(state, thread);
        Ok(())
    }

    pub(super) fn unlock_rw(&self, state: &mut State, thread: u32, lock: u32) -> Result<(), Panic> {
        let Object::Rw { holds, .. } = &mut state.objects[lock as usize] else {
            return Err(Panic);
        };
        let latest = holds
            .iter()
            .rposition(|(holder, _)| *holder == thread)
            .ok_or(Panic)?;
        holds.remove(latest);
        self.grant(state, lock);
        advance(state, thread);
        Ok(())
    }

    /// Serves the head of a fifo queue as long as that is possible.
    fn grant(&self, state: &mut State, lock: u32) {
        if self.preference(lock) != Preference::Fifo {
            return;
        }
        loop {
            let (holds, queue) = parts(state, lock);
            let Some(head) = queue.first().copied() else {
                return;
            };
            let pc = state.threads[head as usize].pc;
            let Op::Rw { want, .. } = self.code.ops[pc as usize] else {
                return;
            };
            if !is_available(holds, want) {
                return;
            }
            if let Object::Rw { queue, .. } = &mut state.objects[lock as usize] {
                queue.remove(0);
            }
            hold(state, head, lock, want);
            state.threads[head as usize].served = true;
        }
    }
}

/// Who holds the lock and who stands before it.
pub(crate) fn parts(state: &State, lock: u32) -> (&[(u32, Mode)], &[u32]) {
    match &state.objects[lock as usize] {
        Object::Rw { holds, queue } => (holds, queue),
        _ => (&[], &[]),
    }
}

/// Whether a hold keeps out who wants this.
pub(crate) fn keeps_out(mode: Mode, want: Want) -> bool {
    match want {
        Want::Read => mode == Mode::Write,
        Want::Upgradable => mode != Mode::Read,
        Want::Write => true,
        // The upgradable hold is the one's own.
        Want::Upgrade => mode == Mode::Read,
    }
}

fn is_available(holds: &[(u32, Mode)], want: Want) -> bool {
    !holds.iter().any(|(_, mode)| keeps_out(*mode, want))
}

fn is_upgradable(holds: &[(u32, Mode)], thread: u32) -> bool {
    holds.contains(&(thread, Mode::Upgradable))
}

fn is_writer(want: Want) -> bool {
    matches!(want, Want::Write | Want::Upgrade)
}

fn hold(state: &mut State, thread: u32, lock: u32, want: Want) {
    let Object::Rw { holds, .. } = &mut state.objects[lock as usize] else {
        return;
    };
    if want == Want::Upgrade {
        if let Some(hold) = holds
            .iter_mut()
            .find(|hold| **hold == (thread, Mode::Upgradable))
        {
            hold.1 = Mode::Write;
        }
        return;
    }
    let mode = match want {
        Want::Read => Mode::Read,
        Want::Upgradable => Mode::Upgradable,
        Want::Write | Want::Upgrade => Mode::Write,
    };
    let at = holds.partition_point(|(holder, _)| *holder <= thread);
    holds.insert(at, (thread, mode));
}
