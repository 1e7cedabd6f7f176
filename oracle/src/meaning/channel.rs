//! `channel`: `send` and `recv`, each a `select` of one arm, and `select`.

use gordian::scenario::ast::ObjectKind;

use super::{Machine, Panic, Way, advance, jump, set};
use crate::code::{Arm, Op, Select};
use crate::state::{Object, Offer, State};

/// What can come of a ready arm.
enum Outcome {
    /// The message was handed over; what was received.
    Passed(i64),
    /// There is nobody at the other end.
    Closed,
}

impl Machine<'_> {
    fn capacity(&self, channel: u32) -> Option<u32> {
        match self.code.objects[channel as usize] {
            ObjectKind::Channel { capacity } => capacity,
            _ => None,
        }
    }

    pub(super) fn ways_of_select(
        &self,
        state: &State,
        thread: u32,
        select: &Select,
        ways: &mut Vec<Way>,
    ) {
        let it = &state.threads[thread as usize];
        if it.served {
            ways.push(Way(it.note));
            return;
        }
        let before = ways.len();
        for (index, arm) in (0..).zip(&select.arms) {
            if self.is_ready(state, thread, arm) {
                ways.push(Way(index));
            }
        }
        if ways.len() > before || it.arrived {
            return;
        }
        if select.default.is_some() {
            ways.push(Way::NONE);
        } else if select.rendezvous {
            ways.push(Way::OFFER);
        }
    }

    fn is_ready(&self, state: &State, thread: u32, arm: &Arm) -> bool {
        let capacity = self.capacity(arm.channel);
        let Object::Channel {
            closed,
            dropped,
            buffer,
            offers,
        } = &state.objects[arm.channel as usize]
        else {
            return false;
        };
        if *closed || *dropped {
            return true;
        }
        match (capacity, &arm.sends) {
            (Some(0), sends) => partner(offers, thread, sends.is_none()).is_some(),
            (Some(capacity), Some(_)) => buffer.len() < capacity as usize,
            (None, Some(_)) => true,
            (_, None) => !buffer.is_empty(),
        }
    }

    pub(super) fn select(
        &self,
        state: &mut State,
        thread: u32,
        select: &Select,
        way: Way,
    ) -> Result<(), Panic> {
        let it = &state.threads[thread as usize];
        if way == Way::OFFER {
            return self.offer(state, thread, select);
        }
        if way == Way::NONE {
            let next = select.default.unwrap_or(it.pc + 1);
            jump(state, thread, next);
            return Ok(());
        }
        let arm = &select.arms[way.0 as usize];
        let outcome = if it.served {
            Outcome::Passed(it.received)
        } else {
            if it.arrived {
                withdraw(state, thread, select);
            }
            self.pass(state, thread, arm)?
        };
        match outcome {
            Outcome::Passed(value) => {
                set(state, thread, arm.value, value);
                set(state, thread, arm.ok, 1);
            }
            Outcome::Closed if arm.sends.is_some() && arm.ok.is_none() => return Err(Panic),
            Outcome::Closed => {
                set(state, thread, arm.value, 0);
                set(state, thread, arm.ok, 0);
            }
        }
        jump(state, thread, arm.body);
        Ok(())
    }

    /// Waits for partners on all arms without a buffer.
    fn offer(&self, state: &mut State, thread: u32, select: &Select) -> Result<(), Panic> {
        let mut offers = Vec::new();
        for (index, arm) in (0..).zip(&select.arms) {
            if self.capacity(arm.channel) != Some(0) {
                continue;
            }
            let sends = match &arm.sends {
                Some(value) => Some(self.value(state, thread, value).ok_or(Panic)?),
                None => None,
            };
            offers.push((
                arm.channel,
                Offer {
                    thread,
                    arm: index,
                    sends,
                },
            ));
        }
        for (channel, offer) in offers {
            if let Object::Channel { offers, .. } = &mut state.objects[channel as usize] {
                let at = match offer.sends {
                    Some(_) => offers.partition_point(|other| other.sends.is_some()),
                    None => offers.len(),
                };
                offers.insert(at, offer);
            }
        }
        state.threads[thread as usize].arrived = true;
        Ok(())
    }

    /// Sends or receives on an arm that is ready.
    fn pass(&self, state: &mut State, thread: u32, arm: &Arm) -> Result<Outcome, Panic> {
        let value = match &arm.sends {
            Some(value) => Some(self.value(state, thread, value).ok_or(Panic)?),
            None => None,
        };
        let rendezvous = self.capacity(arm.channel) == Some(0);
        let Object::Channel {
            closed,
            dropped,
            buffer,
            offers,
        } = &mut state.objects[arm.channel as usize]
        else {
            return Err(Panic);
        };
        let closed = *closed || *dropped;
        match value {
            Some(_) if closed => Ok(Outcome::Closed),
            None if closed && (rendezvous || buffer.is_empty()) => Ok(Outcome::Closed),
            _ if rendezvous => {
                let offer = partner(offers, thread, value.is_none()).ok_or(Panic)?;
                self.meet(state, offer, value.unwrap_or(0));
                Ok(Outcome::Passed(offer.sends.unwrap_or(0)))
            }
            Some(value) => {
                buffer.push(value);
                Ok(Outcome::Passed(0))
            }
            None => Ok(Outcome::Passed(buffer.remove(0))),
        }
    }

    /// The one who made the offer has found a partner, who gave it this value.
    fn meet(&self, state: &mut State, offer: Offer, value: i64) {
        let pc = state.threads[offer.thread as usize].pc;
        if let Op::Select(select) = &self.code.ops[pc as usize] {
            withdraw(state, offer.thread, select);
        }
        let other = &mut state.threads[offer.thread as usize];
        (other.served, other.note, other.received) = (true, offer.arm, value);
    }

    pub(super) fn close(&self, state: &mut State, thread: u32, channel: u32) -> Result<(), Panic> {
        if let Object::Channel { closed, .. } = &mut state.objects[channel as usize]
            && std::mem::replace(closed, true)
        {
            return Err(Panic);
        }
        advance(state, thread);
        Ok(())
    }

    pub(super) fn drop_receiver(&self, state: &mut State, thread: u32, channel: u32) {
        if let Object::Channel {
            dropped, buffer, ..
        } = &mut state.objects[channel as usize]
        {
            *dropped = true;
            buffer.clear();
        }
        advance(state, thread);
    }
}

/// The first to have arrived of those who send, or receive; nobody meets itself.
fn partner(offers: &[Offer], thread: u32, sends: bool) -> Option<Offer> {
    offers
        .iter()
        .find(|offer| offer.sends.is_some() == sends && offer.thread != thread)
        .copied()
}

/// The thread offers nothing any more.
fn withdraw(state: &mut State, thread: u32, select: &Select) {
    for arm in &select.arms {
        if let Object::Channel { offers, .. } = &mut state.objects[arm.channel as usize] {
            offers.retain(|offer| offer.thread != thread);
        }
    }
}
