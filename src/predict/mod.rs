//! Deadlocks that another interleaving of a recorded run would have reached.
//!
//! Knows recorded runs ([`Trace`]) and which reorderings of their events are still runs of the same
//! program. Does not know how a run came about: no engine, no strategy, no model.
//!
//! # What is predicted
//! The *sync-preserving* deadlocks of Tunç, Mathur, Pavlogiannis and Viswanathan ("Sound Dynamic
//! Deadlock Prediction in Linear Time", PLDI 2023): those reached by some prefix of the run in
//! which every thread does what it did, every read sees the write that it saw, and critical
//! sections on one lock keep their order. Every one of these is found, and each is real, provided
//! that the trace has all reads and writes of data shared between threads: a value that travelled
//! unrecorded may have decided what a thread did. They are findings `lock-order` of severity error.
//!
//! A circle in the lock order that no such reordering closes, and that no fork, join or read-from
//! rules out, is a hazard: other runs may close it.
//!
//! # Examples
//! ```
//! use gordian::predict::{Limits, Trace, predict};
//!
//! let trace = Trace::parse_std(
//!     "A|acq(alice)|1\nA|acq(bob)|2\nA|rel(bob)|3\nA|rel(alice)|4\n\
//!      B|acq(bob)|5\nB|acq(alice)|6\nB|rel(alice)|7\nB|rel(bob)|8\n",
//! )?;
//! let report = predict("bank.std", &trace, &Limits::default())?;
//! let finding = report.assert_found(gordian::Code::LockOrder);
//! assert_eq!(finding.objects, ["alice", "bob"]);
//! # Ok::<(), gordian::predict::TraceError>(())
//! ```

mod clocks;
mod cycles;
mod describe;
mod reach;
mod sections;

#[cfg(test)]
mod tests;

use std::time::Instant;

use clocks::Clocks;
use cycles::Cycles;
use reach::{Reach, Rules};
use sections::Sections;

use crate::report::Report;
pub use crate::trace::{Trace, TraceError};

/// How much of a trace is looked at. What lies beyond makes the result incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Most threads in one circle.
    pub threads_max: usize,
    /// Most steps of the search for circles: it is exponential in the worst case.
    pub steps_max: u64,
}

impl Default for Limits {
    /// 5 threads, 10 million steps (below a second).
    fn default() -> Limits {
        Limits {
            threads_max: 5,
            steps_max: 10_000_000,
        }
    }
}

impl Limits {
    /// Most threads in one circle, from 2.
    pub fn threads_max(mut self, threads: usize) -> Limits {
        self.threads_max = threads.max(2);
        self
    }
}

/// Says which deadlocks the run could have had. `name` stands for the trace in the report: places
/// are its lines.
///
/// O(events × threads) to read the run, and as much again for each circle in its lock order.
///
/// # Errors
/// When the events are no run: a lock taken while another thread has it, a release of what is not
/// held, a thread that acts before its fork or after its join.
pub fn predict(name: &str, trace: &Trace, limits: &Limits) -> Result<Report, TraceError> {
    let begun = Instant::now();
    let sections = Sections::of(trace)?;
    let clocks = Clocks::of(trace)?;
    let cycles = Cycles::of(&sections, limits);
    let reach = Reach::new(trace, &clocks, &sections);
    let mut predictions = Vec::new();
    for cycle in &cycles.found {
        let nodes: Vec<_> = cycle.iter().map(|&node| &cycles.nodes[node]).collect();
        if let Some(met) = reach.meeting(&nodes, Rules::OrderOfLocks) {
            predictions.push((met, true));
        } else if let Some(met) = reach.meeting(&nodes, Rules::Causes) {
            predictions.push((met, false));
        }
    }
    let described = describe::Described {
        name,
        trace,
        sections: &sections,
    };
    Ok(described.report(&predictions, cycles.cut_short, begun.elapsed()))
}
