//! `notify`: tokio's Notify.
//!
//! | a thread is | it got there by | and leaves by |
//! |---|---|---|
//! | in the queue | `enable_notify`, `wait_notify` | being notified, `drop_notify` |
//! | ready, hands it on | `notify`, as the head of the queue | `wait_notify`, `drop_notify` |
//! | ready | `notify_waiters`, or `enable_notify` with a permit | the same |
//! | neither | | |
//!
//! There is no permit while anyone is in the queue.

use super::{Machine, advance};
use crate::state::{Object, State};

impl Machine<'_> {
    pub(super) fn is_notified(&self, state: &State, thread: u32, notify: u32) -> bool {
        matches!(
            &state.objects[notify as usize],
            Object::Notify { ready, .. } if position(ready, thread).is_some()
        )
    }

    /// Wakes the head of the queue, or leaves a permit.
    pub(super) fn notify(&self, state: &mut State, notify: u32) {
        if let Object::Notify {
            permit,
            queue,
            ready,
        } = &mut state.objects[notify as usize]
        {
            if queue.is_empty() {
                *permit = true;
            } else {
                let head = queue.remove(0);
                add(ready, head, true);
            }
        }
    }

    pub(super) fn notify_waiters(&self, state: &mut State, thread: u32, notify: u32) {
        if let Object::Notify { queue, ready, .. } = &mut state.objects[notify as usize] {
            for waiter in std::mem::take(queue) {
                add(ready, waiter, false);
            }
        }
        advance(state, thread);
    }

    pub(super) fn wait_notify(&self, state: &mut State, thread: u32, notify: u32) {
        let Object::Notify {
            permit,
            queue,
            ready,
        } = &mut state.objects[notify as usize]
        else {
            return;
        };
        if let Some(at) = position(ready, thread) {
            ready.remove(at);
            advance(state, thread);
        } else if *permit {
            *permit = false;
            advance(state, thread);
        } else {
            if !queue.contains(&thread) {
                queue.push(thread);
            }
            state.threads[thread as usize].arrived = true;
        }
    }

    pub(super) fn enable_notify(&self, state: &mut State, thread: u32, notify: u32) {
        if let Object::Notify {
            permit,
            queue,
            ready,
        } = &mut state.objects[notify as usize]
            && !queue.contains(&thread)
            && position(ready, thread).is_none()
        {
            if *permit {
                *permit = false;
                add(ready, thread, false);
            } else {
                queue.push(thread);
            }
        }
        advance(state, thread);
    }

    pub(super) fn drop_notify(&self, state: &mut State, thread: u32, notify: u32) {
        let mut hands_on = false;
        if let Object::Notify { queue, ready, .. } = &mut state.objects[notify as usize] {
            queue.retain(|waiter| *waiter != thread);
            if let Some(at) = position(ready, thread) {
                (_, hands_on) = ready.remove(at);
            }
        }
        if hands_on {
            self.notify(state, notify);
        }
        advance(state, thread);
    }
}

fn position(ready: &[(u32, bool)], thread: u32) -> Option<usize> {
    ready.iter().position(|(one, _)| *one == thread)
}

fn add(ready: &mut Vec<(u32, bool)>, thread: u32, hands_on: bool) {
    let at = ready.partition_point(|(other, _)| *other < thread);
    ready.insert(at, (thread, hands_on));
}
