//! A thread, as others see it: whether it has ended, and its park token.

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Thread {
    /// Set by the thread's last step; `join` waits for it.
    pub(super) ended: bool,
    /// Set by `unpark`, taken by `park`; two unparks leave one token.
    pub(super) token: bool,
}
