//! A channel: a buffer of so many messages, or a rendezvous.
//!
//! Knows how many messages there are, and who offers to send or receive; the messages themselves
//! are the face's.

use crate::op::{Action, Effect, How, ThreadId};

/// | capacity | a message goes |
/// |---|---|
/// | none | into the buffer, always |
/// | `n > 0` | into the buffer when it has room |
/// | 0 | from hand to hand: whoever comes second meets the one who came first |
#[derive(Clone, Debug, Hash)]
pub(super) struct Channel {
    capacity: Option<u32>,
    len: u32,
    /// Nobody will send any more.
    send_closed: bool,
    /// Nobody will receive any more.
    recv_closed: bool,
    /// Who waits at a rendezvous, in the order they came.
    offers: Vec<Offer>,
}

/// A thread that waits at a rendezvous.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Offer {
    pub(super) thread: ThreadId,
    /// Which arm of its select.
    pub(super) arm: u32,
    pub(super) sends: bool,
}

impl Channel {
    pub(super) fn new(capacity: Option<u32>) -> Channel {
        Channel {
            capacity,
            len: 0,
            send_closed: false,
            recv_closed: false,
            offers: Vec::new(),
        }
    }

    pub(super) fn is_rendezvous(&self) -> bool {
        self.capacity == Some(0)
    }

    /// Who has come before and would do the opposite.
    fn partner(&self, action: Action, by: ThreadId) -> Option<Offer> {
        let sends = action == Action::Send;
        self.offers
            .iter()
            .find(|offer| offer.sends != sends && offer.thread != by)
            .copied()
    }

    fn is_closed_for(&self, action: Action) -> bool {
        match action {
            Action::Send => self.send_closed || self.recv_closed,
            _ => self.recv_closed || (self.send_closed && self.len == 0),
        }
    }

    /// Whether one who comes now need not wait.
    pub(super) fn is_ready(&self, action: Action, by: ThreadId) -> bool {
        self.is_closed_for(action)
            || match self.capacity {
                Some(0) => self.partner(action, by).is_some(),
                _ if action == Action::Recv => self.len > 0,
                Some(capacity) => self.len < capacity,
                None => true,
            }
    }

    pub(super) fn enabled(&self, action: Action, how: How, by: ThreadId) -> bool {
        how != How::Insist || self.is_rendezvous() || self.is_ready(action, by)
    }

    /// Sends or receives, if that is possible now. The partner, if one is met, is for the caller
    /// to tell; `None` means that it would have to wait.
    pub(super) fn exchange(
        &mut self,
        action: Action,
        by: ThreadId,
    ) -> Option<(Effect, Option<Offer>)> {
        if self.is_closed_for(action) {
            return Some((Effect::Closed, None));
        }
        if !self.is_ready(action, by) {
            return None;
        }
        match (self.is_rendezvous(), action) {
            (true, _) => {
                let partner = self.partner(action, by)?;
                Some((Effect::Chose(u32::from(partner.thread.0)), Some(partner)))
            }
            (false, Action::Send) => {
                self.len += 1;
                Some((Effect::Done, None))
            }
            (false, _) => {
                self.len -= 1;
                Some((Effect::Done, None))
            }
        }
    }

    /// Waits at the rendezvous.
    pub(super) fn offer(&mut self, action: Action, thread: ThreadId, arm: u32) {
        self.offers.push(Offer {
            thread,
            arm,
            sends: action == Action::Send,
        });
    }

    /// Waits there no more.
    pub(super) fn withdraw(&mut self, thread: ThreadId) {
        self.offers.retain(|offer| offer.thread != thread);
    }

    /// Whether someone who waits there would find it closed.
    pub(super) fn is_closed(&self, action: Action) -> bool {
        self.is_closed_for(action)
    }

    pub(super) fn close_send(&mut self) -> Effect {
        Effect::of(!std::mem::replace(&mut self.send_closed, true))
    }

    pub(super) fn close_recv(&mut self) -> Effect {
        self.len = 0;
        Effect::of(!std::mem::replace(&mut self.recv_closed, true))
    }

    pub(super) fn len(&self) -> u32 {
        self.len
    }
}
