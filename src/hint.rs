//! Hints to whoever runs the threads; std's interface.

#[cfg(not(feature = "model"))]
pub use std::hint::spin_loop;

#[cfg(feature = "model")]
pub use on::spin_loop;

#[cfg(feature = "model")]
mod on {
    use crate::engine;
    use crate::op::Site;

    /// Says that the thread waits in a loop, like [`std::hint::spin_loop`].
    ///
    /// In a model others may go first, and a thread that comes round its loop without having changed
    /// anything, or seen anything new, waits until somebody else changes what it reads: see
    /// [`Checker::spins_max`](crate::Checker::spins_max).
    #[inline]
    #[track_caller]
    pub fn spin_loop() {
        if engine::is_native() {
            return std::hint::spin_loop();
        }
        engine::spin_loop(Site::here());
    }
}
