//! Traces in canonical form: what all orders of the same dependent steps have in common.
//!
//! Knows which steps depend on one another. Does not know how they came about.

use super::language::{Frame, Op, Program};

/// A step that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Event {
    /// By whom.
    pub thread: usize,
    /// Its number among the thread's own steps.
    pub index: usize,
    /// What it was.
    pub op: Op,
    /// What came of it.
    pub outcome: i64,
}

/// A Mazurkiewicz trace: for every object the order of the steps on it, where reads with nothing
/// but reads between them have no order. Two interleavings have the same trace exactly when one
/// becomes the other by swapping neighbours that do not depend on one another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Trace {
    /// First the locks, then the atomics, then each thread's steps that touch no object.
    rows: Vec<Vec<Event>>,
    locks: usize,
    atomics: usize,
    /// Steps so far, thread by thread.
    lengths: Vec<usize>,
}

impl Trace {
    /// The trace of nothing.
    pub fn new(program: &Program) -> Trace {
        let (locks, atomics) = (program.locks, program.atomics.len());
        let threads = program.threads.len();
        Trace {
            rows: vec![Vec::new(); locks + atomics + threads],
            locks,
            atomics,
            lengths: vec![0; threads],
        }
    }

    /// Appends a step.
    pub fn push(&mut self, thread: usize, op: Op, outcome: i64) {
        let index = self.lengths[thread];
        self.lengths[thread] += 1;
        let event = Event {
            thread,
            index,
            op,
            outcome,
        };
        let row = match op {
            Op::Lock(lock)
            | Op::Unlock(lock)
            | Op::IsLocked(lock)
            | Op::TryLock(lock)
            | Op::TimedLock(lock) => lock,
            Op::Load(cell) | Op::Store(cell, _) | Op::FetchAdd(cell, _) => self.locks + cell,
            Op::Choose(_) | Op::Spawn(_) | Op::Join(_) => self.locks + self.atomics + thread,
        };
        let row = &mut self.rows[row];
        let mut place = row.len();
        let reads = |op: Op| matches!(op, Op::Load(_) | Op::IsLocked(_));
        if reads(op) {
            // Neighbouring reads commute: they are kept sorted.
            while place > 0 && reads(row[place - 1].op) && row[place - 1] > event {
                place -= 1;
            }
        }
        row.insert(place, event);
    }
}

/// How one maximal execution ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct End {
    /// Where each thread stands; `None` for one that was never started.
    pub frames: Vec<Option<Frame>>,
    /// The step that each thread waits for; `None` for one that has ended or never started.
    pub waiting: Vec<Option<Op>>,
    /// Who holds each lock.
    pub owners: Vec<Option<usize>>,
    /// The atomics' values.
    pub atomics: Vec<i64>,
}

impl End {
    /// Whether some thread waits for ever.
    pub fn is_deadlock(&self) -> bool {
        self.waiting.iter().any(Option::is_some)
    }
}
