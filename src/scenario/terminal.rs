//! Where an execution of a scenario ends: plain data, made alike by whoever runs scenarios.
//!
//! Knows how an end is written down so that two independent searches can compare theirs. Does not
//! know how one gets there, nor whether an end is a finding.
//!
//! Local arithmetic, jumps and choices are no steps; they are done before an end is written down.
//! So a thread stands before a statement that has a step, and never before an `if $x == 1`.

use serde::Serialize;

/// A state in which no thread can move.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Terminal {
    /// The values of the `var`s, in the order of their declaration.
    pub vars: Vec<i64>,
    /// For each thread, the values of all of [`Scenario::locals`](super::ast::Scenario::locals);
    /// one that the thread never touched is 0. A thread that has ended keeps its last values.
    pub locals: Vec<Vec<i64>>,
    /// For each thread, where it is.
    pub threads: Vec<End>,
}

/// Where a thread is when nothing can move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum End {
    /// It is over, by its last statement, by `return` or by a panic.
    Ended,
    /// It is deferred and nobody has spawned it.
    NotStarted,
    /// It waits.
    Waiting {
        /// Where the statement starts in the source: the `start` of its
        /// [`Span`](super::ast::Span). In a proc that is the statement there, not the `call`.
        statement: u32,
        /// Which of its steps it waits for.
        phase: Phase,
    },
}

/// Which step of a statement a thread waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Phase {
    /// The first one, or the only one: to the other threads it is not there yet.
    Arriving,
    /// The second one: it stands in a queue, or sleeps.
    GoingOn,
}
