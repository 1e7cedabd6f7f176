//! A place where threads wait for one another; std's interface.

#[cfg(not(feature = "model"))]
pub use off::*;
#[cfg(feature = "model")]
pub use on::*;

#[cfg(not(feature = "model"))]
mod off {
    use std::borrow::Cow;
    pub use std::sync::{Barrier, BarrierWaitResult};

    impl crate::Named for Barrier {
        fn named(self, _name: impl Into<Cow<'static, str>>) -> Self {
            self
        }
    }
}

#[cfg(feature = "model")]
mod on {
    use crate::engine::{self, Identity};
    use crate::op::{Action, How, Kind};
    use std::borrow::Cow;
    use std::fmt;

    /// A place where threads wait for one another, like [`std::sync::Barrier`].
    ///
    /// ```
    /// use gordian::sync::Barrier;
    /// use gordian::thread;
    ///
    /// let start = Barrier::new(2);
    /// thread::scope(|scope| {
    ///     let other = scope.spawn(|| start.wait().is_leader());
    ///     assert_ne!(start.wait().is_leader(), other.join().unwrap());
    /// });
    /// ```
    pub struct Barrier {
        identity: Identity,
        threads: usize,
        native: std::sync::Barrier,
    }

    /// What a thread learns when it passes a [`Barrier`].
    pub struct BarrierWaitResult(bool);

    impl Barrier {
        /// A barrier for so many threads; with 0 it is as with 1.
        #[track_caller]
        #[must_use]
        pub const fn new(threads: usize) -> Barrier {
            Barrier {
                identity: Identity::here(),
                threads,
                native: std::sync::Barrier::new(threads),
            }
        }

        /// Waits until all have come. The barrier is then as before, for another time.
        #[track_caller]
        pub fn wait(&self) -> BarrierWaitResult {
            if engine::used_natively(&self.identity) {
                return BarrierWaitResult(self.native.wait().is_leader());
            }
            // More threads than a number can count never come.
            let parties = u32::try_from(self.threads).unwrap_or(u32::MAX).max(1);
            let kind = Kind::Barrier { parties };
            let arrived = engine::acquire(&self.identity, kind, Action::Arrive, How::Insist, 0);
            BarrierWaitResult(arrived.succeeded())
        }
    }

    impl BarrierWaitResult {
        /// Whether this is the one thread of all that passed which is told so.
        #[must_use]
        pub fn is_leader(&self) -> bool {
            self.0
        }
    }

    impl fmt::Debug for Barrier {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Barrier").finish_non_exhaustive()
        }
    }

    impl fmt::Debug for BarrierWaitResult {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("BarrierWaitResult")
                .field("is_leader", &self.is_leader())
                .finish()
        }
    }

    impl crate::Named for Barrier {
        fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
            Barrier {
                identity: self.identity.named(name.into()),
                ..self
            }
        }
    }
}
