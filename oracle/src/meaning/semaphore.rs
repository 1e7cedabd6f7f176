//! `semaphore`, and the tickets of its queue.

use gordian::scenario::ast::{LocalIndex, ObjectKind};

use super::{Machine, Panic, advance, set};
use crate::state::{Object, State, TicketState, Who};

impl Machine<'_> {
    fn is_fifo(&self, semaphore: u32) -> bool {
        matches!(
            self.code.objects[semaphore as usize],
            ObjectKind::Semaphore { fifo: true, .. }
        )
    }

    pub(super) fn may_acquire(
        &self,
        state: &State,
        thread: u32,
        semaphore: u32,
        wanted: i64,
    ) -> bool {
        let it = &state.threads[thread as usize];
        if self.is_fifo(semaphore) {
            return !it.arrived || it.served;
        }
        matches!(
            &state.objects[semaphore as usize],
            Object::Semaphore { permits, .. } if *permits >= wanted
        )
    }

    pub(super) fn acquire(&self, state: &mut State, thread: u32, semaphore: u32, wanted: i64) {
        if state.threads[thread as usize].served || self.take_permits(state, semaphore, wanted) {
            advance(state, thread);
            return;
        }
        if let Object::Semaphore { queue, .. } = &mut state.objects[semaphore as usize] {
            queue.push((Who::Thread(thread), wanted));
            state.threads[thread as usize].arrived = true;
        }
    }

    pub(super) fn try_acquire(
        &self,
        state: &mut State,
        thread: u32,
        semaphore: u32,
        wanted: i64,
        ok: Option<LocalIndex>,
    ) {
        let taken = self.take_permits(state, semaphore, wanted);
        set(state, thread, ok, i64::from(taken));
        advance(state, thread);
    }

    pub(super) fn release(
        &self,
        state: &mut State,
        thread: u32,
        semaphore: u32,
        more: i64,
    ) -> Result<(), Panic> {
        let max = match self.code.objects[semaphore as usize] {
            ObjectKind::Semaphore { max, .. } => max.map_or(i64::MAX, i64::from),
            _ => i64::MAX,
        };
        let Object::Semaphore { permits, .. } = &mut state.objects[semaphore as usize] else {
            return Err(Panic);
        };
        let sum = permits.checked_add(more).ok_or(Panic)?;
        if sum > max {
            return Err(Panic);
        }
        *permits = sum;
        serve(state, semaphore);
        advance(state, thread);
        Ok(())
    }

    /// The place of the thread's ticket of this name.
    pub(super) fn own(&self, thread: u32, ticket: u32) -> usize {
        thread as usize * self.code.tickets.len() + ticket as usize
    }

    pub(super) fn ticket(
        &self,
        state: &mut State,
        thread: u32,
        ticket: u32,
        wanted: i64,
    ) -> Result<(), Panic> {
        let semaphore = self.code.tickets[ticket as usize];
        let own = self.own(thread, ticket);
        if state.tickets[own] != TicketState::None {
            return Err(Panic);
        }
        state.tickets[own] = if self.take_permits(state, semaphore, wanted) {
            TicketState::Granted(wanted)
        } else {
            if let Object::Semaphore { queue, .. } = &mut state.objects[semaphore as usize] {
                queue.push((Who::Ticket(own as u32), wanted));
            }
            TicketState::Queued
        };
        advance(state, thread);
        Ok(())
    }

    pub(super) fn await_ticket(
        &self,
        state: &mut State,
        thread: u32,
        ticket: u32,
    ) -> Result<(), Panic> {
        let ticket = &mut state.tickets[self.own(thread, ticket)];
        if *ticket == TicketState::None {
            return Err(Panic);
        }
        *ticket = TicketState::None;
        advance(state, thread);
        Ok(())
    }

    pub(super) fn drop_ticket(&self, state: &mut State, thread: u32, ticket: u32) {
        let semaphore = self.code.tickets[ticket as usize];
        let own = self.own(thread, ticket);
        let was = std::mem::take(&mut state.tickets[own]);
        if let Object::Semaphore { permits, queue } = &mut state.objects[semaphore as usize] {
            if let TicketState::Granted(given) = was {
                *permits = permits.saturating_add(given);
            }
            queue.retain(|(who, _)| *who != Who::Ticket(own as u32));
        }
        serve(state, semaphore);
        advance(state, thread);
    }

    /// Takes permits if they are to be had without overtaking anyone.
    fn take_permits(&self, state: &mut State, semaphore: u32, wanted: i64) -> bool {
        let Object::Semaphore { permits, queue } = &mut state.objects[semaphore as usize] else {
            return false;
        };
        let taken = *permits >= wanted && queue.is_empty();
        if taken {
            *permits -= wanted;
        }
        taken
    }
}

/// Serves the head of the queue as long as that is possible.
fn serve(state: &mut State, semaphore: u32) {
    let Object::Semaphore { permits, queue } = &mut state.objects[semaphore as usize] else {
        return;
    };
    while let Some((who, wanted)) = queue.first().copied() {
        if wanted > *permits {
            return;
        }
        *permits -= wanted;
        queue.remove(0);
        match who {
            Who::Thread(thread) => state.threads[thread as usize].served = true,
            Who::Ticket(ticket) => state.tickets[ticket as usize] = TicketState::Granted(wanted),
        }
    }
}
