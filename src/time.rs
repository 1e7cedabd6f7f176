//! The clock; std's interface.
//!
//! In a model time is virtual: nobody waits for it, and a timed operation may time out whenever it
//! would have to wait. Each thread has a clock of its own, which only [`sleep`] and its own
//! time-outs move, so that reading it is not a step that others could come before.
//!
//! Deadlines of the face's operations are [`Instant`]s of this module. Without the feature `model`
//! that is std's; with it, it converts from and into std's.

pub use crate::thread::sleep;
pub use std::time::Duration;

#[cfg(not(feature = "model"))]
pub use std::time::Instant;

#[cfg(feature = "model")]
pub use on::Instant;
#[cfg(feature = "model")]
pub(crate) use on::{adopt, elapsed, or_passed, or_reached, pass};

#[cfg(feature = "model")]
mod on {
    use super::Duration;
    use crate::engine;
    use std::cell::RefCell;
    use std::ops::{Add, AddAssign, Sub, SubAssign};
    use std::sync::OnceLock;

    /// A point in time, like [`std::time::Instant`].
    ///
    /// In a model [`Instant::now`] is the time of the current thread's virtual clock. It stands
    /// still but for [`sleep`](super::sleep), which moves it by its duration, and operations of the
    /// thread that time out, which move it to their deadline. A new thread begins with its parent's
    /// time; one that joins another is at least as late as that one was at its end.
    ///
    /// ```
    /// use gordian::time::{Duration, Instant};
    ///
    /// let report = gordian::check(|| {
    ///     let begun = Instant::now();
    ///     gordian::thread::sleep(Duration::from_secs(3_600));
    ///     assert_eq!(begun.elapsed(), Duration::from_secs(3_600));
    /// });
    /// report.assert_clean();
    /// ```
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Instant(std::time::Instant);

    /// The threads' clocks in the execution that this OS thread runs.
    struct Clocks {
        epoch: u32,
        /// By thread: how much time has passed since the execution began.
        elapsed: Vec<Duration>,
    }

    thread_local! {
        static CLOCKS: RefCell<Clocks> = const {
            RefCell::new(Clocks { epoch: 0, elapsed: Vec::new() })
        };
    }

    /// When every execution begins, for all of them the same.
    fn dawn() -> std::time::Instant {
        static DAWN: OnceLock<std::time::Instant> = OnceLock::new();
        *DAWN.get_or_init(std::time::Instant::now)
    }

    /// Changes the current thread's clock and gives what it shows then.
    fn with_clock(change: impl FnOnce(&mut Duration)) -> Option<Duration> {
        let thread = engine::thread_number()?;
        let epoch = engine::epoch();
        CLOCKS.with_borrow_mut(|clocks| {
            if clocks.epoch != epoch {
                clocks.epoch = epoch;
                clocks.elapsed.clear();
            }
            if clocks.elapsed.len() <= thread {
                clocks.elapsed.resize(thread + 1, Duration::ZERO);
            }
            change(&mut clocks.elapsed[thread]);
            Some(clocks.elapsed[thread])
        })
    }

    /// How much time has passed for the current thread; nothing outside a model.
    pub(crate) fn elapsed() -> Duration {
        with_clock(|_| {}).unwrap_or_default()
    }

    /// The current thread is at least as late as another one, which had this time.
    pub(crate) fn adopt(its: Duration) {
        with_clock(|clock| *clock = its.max(*clock));
    }

    /// Moves the current thread's clock: by more if nobody else can go on, as then any time may
    /// pass before the thread does.
    pub(crate) fn pass(duration: Duration) {
        let times = 1 << engine::patience().min(30);
        let duration = duration.saturating_mul(times);
        with_clock(|clock| *clock = clock.saturating_add(duration));
    }

    /// Passes on whether an operation succeeded; if it timed out, that much time has passed.
    pub(crate) fn or_passed(success: bool, timeout: Duration) -> bool {
        if !success {
            pass(timeout);
        }
        success
    }

    /// Passes on whether an operation succeeded; if it timed out, its deadline is reached.
    pub(crate) fn or_reached(success: bool, deadline: Instant) -> bool {
        if !success {
            adopt(deadline.0.saturating_duration_since(dawn()));
        }
        success
    }

    impl Instant {
        /// The present.
        #[must_use]
        pub fn now() -> Instant {
            match with_clock(|_| {}) {
                None => Instant(std::time::Instant::now()),
                // A clock that nobody can represent any more stands still.
                Some(elapsed) => Instant(dawn().checked_add(elapsed).unwrap_or_else(dawn)),
            }
        }

        /// How much time has passed since `earlier`; nothing if that is later.
        #[must_use]
        pub fn duration_since(&self, earlier: Instant) -> Duration {
            self.0.duration_since(earlier.0)
        }

        /// How much time has passed since `earlier`, unless that is later.
        #[must_use]
        pub fn checked_duration_since(&self, earlier: Instant) -> Option<Duration> {
            self.0.checked_duration_since(earlier.0)
        }

        /// How much time has passed since `earlier`; nothing if that is later.
        #[must_use]
        pub fn saturating_duration_since(&self, earlier: Instant) -> Duration {
            self.0.saturating_duration_since(earlier.0)
        }

        /// How much time has passed since then.
        #[must_use]
        pub fn elapsed(&self) -> Duration {
            Instant::now().saturating_duration_since(*self)
        }

        /// So much later, if that can be represented.
        pub fn checked_add(&self, duration: Duration) -> Option<Instant> {
            self.0.checked_add(duration).map(Instant)
        }

        /// So much earlier, if that can be represented.
        pub fn checked_sub(&self, duration: Duration) -> Option<Instant> {
            self.0.checked_sub(duration).map(Instant)
        }
    }

    impl Add<Duration> for Instant {
        type Output = Instant;

        fn add(self, duration: Duration) -> Instant {
            Instant(self.0 + duration)
        }
    }

    impl AddAssign<Duration> for Instant {
        fn add_assign(&mut self, duration: Duration) {
            self.0 += duration;
        }
    }

    impl Sub<Duration> for Instant {
        type Output = Instant;

        fn sub(self, duration: Duration) -> Instant {
            Instant(self.0 - duration)
        }
    }

    impl SubAssign<Duration> for Instant {
        fn sub_assign(&mut self, duration: Duration) {
            self.0 -= duration;
        }
    }

    impl Sub for Instant {
        type Output = Duration;

        fn sub(self, earlier: Instant) -> Duration {
            self.0 - earlier.0
        }
    }

    impl From<std::time::Instant> for Instant {
        fn from(instant: std::time::Instant) -> Instant {
            Instant(instant)
        }
    }

    impl From<Instant> for std::time::Instant {
        fn from(instant: Instant) -> std::time::Instant {
            instant.0
        }
    }
}
