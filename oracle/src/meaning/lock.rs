//! `mutex`, `lock` and `rmutex`.

use gordian::report::Code;
use gordian::scenario::ast::{Attempt, LocalIndex, ObjectKind};

use super::{Machine, advance, set};
use crate::state::{Object, State};

impl Machine<'_> {
    /// Whether the thread could take the lock now.
    pub(super) fn is_free(&self, state: &State, thread: u32, lock: u32) -> bool {
        let reentrant = self.code.objects[lock as usize] == ObjectKind::ReentrantMutex;
        match owner(state, lock) {
            None => true,
            Some(owner) => reentrant && owner == thread,
        }
    }

    pub(super) fn may_lock(&self, state: &State, thread: u32, lock: u32, attempt: Attempt) -> bool {
        attempt != Attempt::Insist || self.is_free(state, thread, lock)
    }

    pub(super) fn lock(&self, state: &mut State, thread: u32, lock: u32, ok: Option<LocalIndex>) {
        let free = self.is_free(state, thread, lock);
        if free {
            hold(state, thread, lock, 1);
        }
        set(state, thread, ok, i64::from(free));
        advance(state, thread);
    }

    pub(super) fn is_locked(&self, state: &mut State, thread: u32, lock: u32, result: LocalIndex) {
        let held = i64::from(owner(state, lock).is_some());
        set(state, thread, Some(result), held);
        advance(state, thread);
    }

    pub(super) fn unlock(&mut self, state: &mut State, thread: u32, lock: u32) {
        let Object::Lock { owner, count } = &mut state.objects[lock as usize] else {
            return;
        };
        match *owner {
            None => {
                self.codes.insert(Code::DoubleRelease);
            }
            Some(holder) if holder == thread => {
                *count -= 1;
                if *count == 0 {
                    *owner = None;
                }
            }
            // A `lock` has no owner: whoever took it need not be the one to free it.
            Some(_) if self.code.objects[lock as usize] == ObjectKind::Lock => {
                self.hazards.insert(Code::ForeignRelease);
                (*owner, *count) = (None, 0);
            }
            Some(_) => {
                self.codes.insert(Code::ForeignRelease);
            }
        }
    }
}

/// Who holds the lock.
pub(crate) fn owner(state: &State, lock: u32) -> Option<u32> {
    match &state.objects[lock as usize] {
        Object::Lock { owner, .. } => *owner,
        _ => None,
    }
}

/// The thread holds the lock so many times more.
pub(super) fn hold(state: &mut State, thread: u32, lock: u32, times: u32) {
    if let Object::Lock { owner, count } = &mut state.objects[lock as usize] {
        *owner = Some(thread);
        *count += times;
    }
}

/// The thread gives the lock back wholly; how often it was held, none when it is not the thread's to
/// give: a lock that has no owner is anybody's while it is held.
pub(super) fn give_up(state: &mut State, thread: u32, lock: u32, owned: bool) -> Option<u32> {
    match &mut state.objects[lock as usize] {
        Object::Lock { owner, count } if *owner == Some(thread) || !owned && owner.is_some() => {
            *owner = None;
            Some(std::mem::take(count))
        }
        _ => None,
    }
}
