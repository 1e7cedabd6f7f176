//! Who is in a critical section, counted beside the lock.
//!
//! Knows nothing of the lock: that is the point.

use gordian::{Ghost, Named};

use crate::properties::{Judge, Property};

/// Who is in a critical section, counted beside the lock.
#[derive(Debug)]
pub struct Inside {
    judge: Judge,
    count: Ghost<u32>,
}

impl Inside {
    /// Nobody is inside.
    pub fn new(judge: Judge) -> Self {
        Inside {
            judge,
            count: Ghost::new(0).named("threads in the critical section"),
        }
    }

    /// Runs a critical section of which the lock says that it is the only one.
    pub fn section<R>(&self, body: impl FnOnce() -> R) -> R {
        if !self.judge.asks(Property::MutualExclusion) {
            return body();
        }
        let alone = self.count.write(|count| {
            *count += 1;
            *count == 1
        });
        self.judge.demand(
            Property::MutualExclusion,
            alone,
            "two threads in a critical section",
        );
        let result = body();
        self.count.write(|count| *count -= 1);
        result
    }
}
