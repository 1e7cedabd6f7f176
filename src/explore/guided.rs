//! One execution that a string of bytes chooses, for fuzzers: they know how to change bytes so that
//! new code is reached, and not what a schedule is.
//!
//! Each decision between several threads, or several cases, takes one byte. When they have come to
//! their end, whatever is natural happens. So every string is a schedule, a short one is one with
//! few switches, and a changed byte changes one decision.

use std::sync::Arc;

use super::{Ending, Next, Strategy, natural};
use crate::op::ThreadId;
use crate::trace::{Run, threads_in};

/// Follows the bytes.
pub(super) struct Guided {
    choices: Arc<[u8]>,
    at: usize,
}

impl Guided {
    pub(super) fn new(choices: Arc<[u8]>) -> Guided {
        Guided { choices, at: 0 }
    }

    /// One of so many, the first one without bytes. No byte is spent where there is no choice.
    fn pick(&mut self, count: usize) -> usize {
        if count < 2 {
            return 0;
        }
        let byte = self.choices.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(byte) % count
    }
}

impl Strategy for Guided {
    fn next(&mut self, run: &Run, enabled: u64, current: ThreadId) -> Next {
        let natural = natural(run, enabled, current);
        let others = enabled & !(1 << natural.0);
        let thread = match self.pick(enabled.count_ones() as usize) {
            0 => natural,
            other => threads_in(others)
                .nth(other - 1)
                .expect("below the number of enabled threads"),
        };
        let op = run
            .pending(thread)
            .expect("an enabled thread has announced something")
            .op;
        let cases = run.world.cases(op, thread);
        let case = cases[self.pick(cases.len())];
        Next::Go { thread, case }
    }

    fn end(&mut self, _run: &Run, _ending: Ending) -> Result<bool, String> {
        Ok(false)
    }
}
