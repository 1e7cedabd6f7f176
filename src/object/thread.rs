//! A thread, as others see it: whether it has ended, its park token, whom it met.

use super::channel::Offer;

#[derive(Clone, Copy, Debug, Default, Hash)]
pub(super) struct Thread {
    /// Set by the thread's last step; `join` waits for it.
    pub(super) ended: bool,
    /// Set by `unpark`, taken by `park`; two unparks leave one token.
    pub(super) token: bool,
    /// Whom it met at a rendezvous while it waited, and with which of its own arms; until it goes
    /// on.
    pub(super) met: Option<Offer>,
}
