//! `condvar`.

use gordian::scenario::ast::{LocalIndex, ObjectKind};

use super::{Machine, Panic, Way, advance, insert, lock, set};
use crate::state::{Object, State};

impl Machine<'_> {
    fn kind_of(&self, condvar: u32) -> (bool, bool) {
        match self.code.objects[condvar as usize] {
            ObjectKind::Condvar { spurious, fifo } => (spurious, fifo),
            _ => (false, false),
        }
    }

    /// Whether a sleeping thread may wake by itself.
    pub(crate) fn is_spurious(&self, condvar: u32) -> bool {
        self.kind_of(condvar).0
    }

    pub(super) fn may_wake(
        &self,
        state: &State,
        thread: u32,
        condvar: u32,
        lock: u32,
        timed: bool,
    ) -> bool {
        let notified = state.threads[thread as usize].served;
        (notified || timed || self.is_spurious(condvar)) && self.is_free(state, thread, lock)
    }

    pub(super) fn wait(
        &self,
        state: &mut State,
        thread: u32,
        condvar: u32,
        lock: u32,
        timed_out: Option<LocalIndex>,
    ) -> Result<(), Panic> {
        let (_, fifo) = self.kind_of(condvar);
        let Object::Condvar { waiters } = &mut state.objects[condvar as usize] else {
            return Err(Panic);
        };
        let it = &mut state.threads[thread as usize];
        if it.arrived {
            waiters.retain(|other| *other != thread);
            let (notified, times) = (it.served, it.note);
            lock::hold(state, thread, lock, times);
            set(state, thread, timed_out, i64::from(!notified));
            advance(state, thread);
            return Ok(());
        }
        let owned = self.code.objects[lock as usize] != ObjectKind::Lock;
        let times = lock::give_up(state, thread, lock, owned).ok_or(Panic)?;
        let it = &mut state.threads[thread as usize];
        (it.arrived, it.note) = (true, times);
        if let Object::Condvar { waiters } = &mut state.objects[condvar as usize] {
            if fifo {
                waiters.push(thread);
            } else {
                insert(waiters, thread);
            }
        }
        Ok(())
    }

    pub(super) fn ways_of_notify(&self, state: &State, condvar: u32, ways: &mut Vec<Way>) {
        let (_, fifo) = self.kind_of(condvar);
        let Object::Condvar { waiters } = &state.objects[condvar as usize] else {
            return;
        };
        if waiters.is_empty() {
            ways.push(Way::NONE);
        }
        let choices = if fifo { 1 } else { waiters.len() };
        ways.extend(waiters.iter().take(choices).map(|waiter| Way(*waiter)));
    }

    pub(super) fn notify_one(&self, state: &mut State, thread: u32, condvar: u32, way: Way) {
        if let Object::Condvar { waiters } = &mut state.objects[condvar as usize] {
            waiters.retain(|waiter| *waiter != way.0);
        }
        if way != Way::NONE {
            state.threads[way.0 as usize].served = true;
        }
        advance(state, thread);
    }

    pub(super) fn notify_all(&self, state: &mut State, thread: u32, condvar: u32) {
        if let Object::Condvar { waiters } = &mut state.objects[condvar as usize] {
            for waiter in std::mem::take(waiters) {
                state.threads[waiter as usize].served = true;
            }
        }
        advance(state, thread);
    }
}
