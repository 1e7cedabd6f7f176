//! Executions that are run again at the end of a search: the same schedule must lead to the same
//! steps, or else what was explored is not all there is.
//!
//! The first execution is among them, since what a model keeps from one execution to the next is not
//! there yet in it; and a sample of the others, each as likely as any other (reservoir sampling:
//! Vitter, "Random sampling with a reservoir", TOMS 1985). Does not know how one is run.

use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::explore::Ending;
use crate::trace::{Difference, Record, Run, Turn};

/// The executions to be run again.
pub(super) struct Reruns {
    /// How many, in all.
    wanted: u32,
    done: u32,
    /// Of so many executions at most.
    records_max: usize,
    /// The first execution, and the sample.
    records: Vec<Record>,
    /// Executions that there were.
    executions: u64,
    draws: Pcg64Mcg,
    /// Which one is being run again.
    current: Option<usize>,
}

impl Reruns {
    /// So many; of the first execution alone, or of a sample of the others as well.
    pub(super) fn new(wanted: u32, sample: bool) -> Reruns {
        Reruns {
            wanted,
            done: 0,
            records_max: if sample { wanted as usize } else { 1 },
            records: Vec::new(),
            executions: 0,
            draws: Pcg64Mcg::seed_from_u64(0),
            current: None,
        }
    }

    /// An execution of the search is over.
    pub(super) fn note(&mut self, run: &Run, ending: Ending) {
        let before = self.executions;
        self.executions += 1;
        let record = || Record::of(run, ending == Ending::Maximal);
        if self.wanted == 0 {
            return;
        }
        if self.records.len() < self.records_max {
            return self.records.push(record());
        }
        if self.records_max > 1 {
            // All but the first one.
            let at = self.draws.next_u64() % before;
            if at < self.records_max as u64 - 1 {
                self.records[1 + at as usize] = record();
            }
        }
    }

    /// The schedule that is to be run again next, once the search is over.
    pub(super) fn next(&mut self) -> Option<Vec<Turn>> {
        let is_left = self.done < self.wanted && !self.records.is_empty();
        self.current = is_left.then(|| self.done as usize % self.records.len());
        self.done += 1;
        self.current.map(|at| self.records[at].schedule())
    }

    /// Whether the execution that runs is one of these.
    pub(super) fn is_on(&self) -> bool {
        self.current.is_some()
    }

    /// No more of them.
    pub(super) fn stop(&mut self) {
        self.current = None;
        self.wanted = 0;
    }

    /// Where the execution that was run again went elsewhere.
    pub(super) fn difference(&self, run: &Run, ending: Ending) -> Option<Difference> {
        self.records[self.current?].difference(run, ending == Ending::Maximal)
    }
}
