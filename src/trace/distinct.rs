//! How many of the executions of a search are distinct interleavings.
//!
//! Knows what depends on what in a finished execution, and makes one number of 64 bits of that.
//! Executions that differ only in the order of independent steps have the same number: they are one
//! interleaving, as for the exhaustive search. Does not know why an order was chosen.
//!
//! Each step's number is made of its thread, its place there, the case that was chosen, and the
//! numbers of the steps that it depends on; an execution's is the sum of those of its steps. Two
//! interleavings are taken for one if their numbers are equal by chance: of a million that happens
//! to any two with a chance of 3 in 10⁸.
//!
//! Cost: a footprint and a few additions a step.

use std::collections::HashSet;

use super::Run;
use crate::object::{Cell, Mode};
use crate::op::Until;
use crate::report;

/// Interleavings that are told apart; of more it is only known that there are as many.
const DISTINCT_MAX: usize = report::DISTINCT_MAX as usize;

/// The ways in which a step that was done has touched a cell.
const MODES: [Mode; 5] = [
    Mode::Read,
    Mode::Write,
    Mode::Signal,
    Mode::Drop,
    Mode::Revive,
];

/// The interleavings met so far.
#[derive(Default)]
pub(crate) struct Distinct {
    seen: HashSet<u64>,
    /// By cell: the sums of the numbers of those that touched it, by mode.
    cells: Vec<[u64; MODES.len()]>,
    /// The cells that are not as at the beginning.
    touched: Vec<u32>,
    /// The number of each event.
    events: Vec<u64>,
    /// By thread: the number of its last event.
    latest: Vec<u64>,
}

impl Distinct {
    /// Takes note of an execution that has ended.
    pub(crate) fn take(&mut self, run: &Run) {
        let number = self.number_of(run);
        if self.seen.len() < DISTINCT_MAX {
            self.seen.insert(number);
        }
    }

    /// How many there were, [`DISTINCT_MAX`] at most.
    pub(crate) fn count(&self) -> u64 {
        self.seen.len() as u64
    }

    /// The number of an execution: the same whatever the order of independent steps.
    fn number_of(&mut self, run: &Run) -> u64 {
        for &cell in &self.touched {
            self.cells[cell as usize] = [0; MODES.len()];
        }
        self.touched.clear();
        let cells = Cell::count(run.world.objects());
        if self.cells.len() < cells {
            self.cells.resize(cells, [0; MODES.len()]);
        }
        self.events.clear();
        self.latest.clear();
        self.latest.resize(run.threads.len(), 0);
        let mut sum = 0_u64;
        for event in &run.events {
            let at = event.thread.index();
            let before = match (self.latest[at], run.threads[at].spawned_after) {
                (0, Some(spawner)) => self.events[spawner as usize],
                (own, _) => own,
            };
            let case = event.case.map_or(0, |case| u64::from(case) + 1);
            let mut number = mixed(
                before,
                u64::from(event.thread.0) << 32 | u64::from(event.index),
            );
            number = mixed(number, case);
            let world = &run.world;
            let footprint = world.footprint_done(event.op, event.thread, event.effect);
            for &(cell, mode) in footprint.cells() {
                number = mixed(number, self.conflicting(cell, mode));
            }
            if let Until::Anyway(_) = event.op.until {
                number = mixed(number, sum);
            }
            // 0 says that a thread has done nothing.
            let number = number.max(1);
            for &(cell, mode) in footprint.cells() {
                self.access(cell, mode, number);
            }
            self.events.push(number);
            self.latest[at] = number;
            sum = sum.wrapping_add(number);
        }
        sum
    }

    /// What stands for all earlier accesses that do not commute with one of this mode.
    fn conflicting(&self, cell: Cell, mode: Mode) -> u64 {
        let sums = MODES.iter().zip(self.cells[cell.index()]);
        sums.filter(|(other, _)| mode.conflicts(**other))
            .fold(0, |number: u64, (_, sum)| number.wrapping_add(sum))
    }

    fn access(&mut self, cell: Cell, mode: Mode, number: u64) {
        let sums = &mut self.cells[cell.index()];
        if *sums == [0; MODES.len()] {
            self.touched.push(cell.0);
        }
        // One handle being left makes a difference only to who is still to drop another.
        let mode = match mode {
            Mode::LastButOne => Mode::Drop,
            mode => mode,
        };
        let at = MODES.iter().position(|its| *its == mode);
        let sum = &mut sums[at.expect("every mode is in the list")];
        *sum = sum.wrapping_add(number);
    }
}

/// One number of two, in which every bit of both counts (as in splitmix64).
fn mixed(one: u64, two: u64) -> u64 {
    let mut number = one ^ two.wrapping_add(0x9E37_79B9_7F4A_7C15);
    number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}
