//! Races of one execution: pairs of steps whose order could have been the other way round.
//!
//! Knows happens-before (vector clocks over footprints). The algorithm is that of Abdulla, Aronis,
//! Jonsson, Sagonas, "Optimal dynamic partial order reduction" (POPL 2014, JACM 2017), with races
//! between acquisitions as in their treatment of blocking operations.

use crate::object::{Cell, Footprint, Mode, World};
use crate::op::{Action, Op, ThreadId, Until};
use crate::trace::{Run, threads_in};

/// What the analysis knows of a step: one that was done, or (a *virtual* one) one that a thread
/// was still waiting to do at the end.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) thread: ThreadId,
    /// Which operation of its thread.
    pub(super) index: u32,
    /// The case that was chosen, if it has any; else 0. [`ANY`] for a virtual one that has some.
    pub(super) case: u32,
    pub(super) op: Op,
    pub(super) footprint: Footprint,
    /// The event of another thread after which this one was started.
    pub(super) spawned_after: Option<u32>,
}

/// Two steps that race: `later` could have come before `earlier`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Race {
    /// Index of the event.
    pub(super) earlier: u32,
    /// Index into [`Analysis::steps`]: an event, or a virtual step.
    pub(super) later: u32,
}

/// Happens-before and races of one execution. Reused for its memory.
#[derive(Debug, Default)]
pub(super) struct Analysis {
    /// The events of the execution, then the virtual steps.
    pub(super) steps: Vec<Step>,
    pub(super) races: Vec<Race>,
    events: usize,
    threads: usize,
    /// One vector clock per event: how many operations of each thread happened before or at it.
    clocks: Vec<u32>,
    cells: Vec<CellHistory>,
    touched: Vec<u32>,
    accesses: Vec<Access>,
    /// The last event of each thread so far; [`NONE`] when it has done none.
    latest: Vec<u32>,
    base: Vec<u32>,
    clock: Vec<u32>,
    /// The world just before the event `world_at`: the earlier one of the race whose reversal was
    /// asked for last.
    pub(super) world: World,
    world_at: usize,
    scratch: World,
}

/// The accesses of one cell, as a list from the last to the first.
#[derive(Clone, Copy, Debug)]
struct CellHistory {
    last: u32,
}

#[derive(Clone, Copy, Debug)]
struct Access {
    event: u32,
    mode: Mode,
    previous: u32,
}

const NONE: u32 = u32::MAX;

/// Stands for a case that is yet to be chosen.
pub(super) const ANY: u32 = u32::MAX;

impl Analysis {
    /// Finds the races of the execution, sorted by the earlier step.
    ///
    /// Cost: O(threads) per step and per pair of conflicting accesses since the last write.
    pub(super) fn run(&mut self, run: &Run) {
        self.prepare(run);
        for event in 0..self.events {
            self.step(run, event);
        }
        for thread in threads_in(run.live) {
            self.waiting(run, thread);
        }
        self.races.sort_unstable();
        self.races.dedup();
    }

    fn prepare(&mut self, run: &Run) {
        self.events = run.events.len();
        self.threads = run.threads.len();
        self.steps.clear();
        self.races.clear();
        self.accesses.clear();
        self.latest.clear();
        self.latest.resize(self.threads, NONE);
        self.clocks.clear();
        self.clocks.resize(self.events * self.threads, 0);
        for &cell in &self.touched {
            self.cells[cell as usize].last = NONE;
        }
        self.touched.clear();
        let cells = Cell::count(run.world.objects());
        if self.cells.len() < cells {
            self.cells.resize(cells, CellHistory { last: NONE });
        }
        self.world.copy_from(&run.world);
        self.world.rewind();
        self.world_at = 0;
    }

    /// The later steps of those races that are between acquisitions: each might have had to wait.
    pub(super) fn contended(&self) -> impl Iterator<Item = u32> {
        let acquires = |step: u32| self.steps[step as usize].footprint.acquires();
        let both = move |race: &&Race| acquires(race.earlier) && acquires(race.later);
        self.races.iter().filter(both).map(|race| race.later)
    }

    /// The clock of an event.
    fn clock_of(&self, event: u32) -> &[u32] {
        &self.clocks[event as usize * self.threads..][..self.threads]
    }

    /// Whether the event happened before whatever has this clock.
    fn is_before(&self, event: u32, clock: &[u32]) -> bool {
        let step = &self.steps[event as usize];
        clock[step.thread.index()] > step.index
    }

    /// Sets `base` to what the thread knows before its next step.
    fn set_base(&mut self, run: &Run, thread: ThreadId) {
        self.base.clear();
        let own = Some(self.latest[thread.index()]).filter(|&event| event != NONE);
        match own.or(run.threads[thread.index()].spawned_after) {
            Some(event) => {
                let from = event as usize * self.threads;
                self.base
                    .extend_from_slice(&self.clocks[from..from + self.threads]);
            }
            None => self.base.resize(self.threads, 0),
        }
    }

    fn step(&mut self, run: &Run, number: usize) {
        let event = run.events[number];
        let footprint = run
            .world
            .footprint_done(event.op, event.thread, event.effect);
        let step = Step {
            thread: event.thread,
            index: event.index,
            case: event.case.unwrap_or(0),
            op: event.op,
            footprint: footprint.clone(),
            spawned_after: run.threads[event.thread.index()].spawned_after,
        };
        self.set_base(run, event.thread);
        if let Until::Anyway(_) = event.op.until {
            self.join_all();
        }
        self.latest[event.thread.index()] = number as u32;
        self.collect(&step, number as u32);
        self.steps.push(step);
        // The event's own clock: what its thread knew, and every conflicting access before it.
        self.clock.clear();
        self.clock.extend_from_slice(&self.base);
        for &(cell, mode) in footprint.cells() {
            self.join_conflicting(cell, mode);
        }
        self.clock[event.thread.index()] = event.index + 1;
        let to = number * self.threads;
        self.clocks[to..to + self.threads].copy_from_slice(&self.clock);
        for &(cell, mode) in footprint.cells() {
            self.access(cell, mode, number as u32);
        }
    }

    /// A step that was done since nobody else could go on comes after all that brought that about.
    fn join_all(&mut self) {
        for &event in self.latest.iter().filter(|event| **event != NONE) {
            let from = event as usize * self.threads;
            let clocks = &self.clocks[from..from + self.threads];
            for (mine, theirs) in self.base.iter_mut().zip(clocks) {
                *mine = (*mine).max(*theirs);
            }
        }
    }

    fn access(&mut self, cell: Cell, mode: Mode, event: u32) {
        let history = &mut self.cells[cell.index()];
        if history.last == NONE {
            self.touched.push(cell.0);
        }
        let previous = history.last;
        history.last = self.accesses.len() as u32;
        self.accesses.push(Access {
            event,
            mode,
            previous,
        });
    }

    /// Joins into `clock` the clocks of the earlier accesses of the cell that conflict.
    fn join_conflicting(&mut self, cell: Cell, mode: Mode) {
        let mut at = self.cells[cell.index()].last;
        while at != NONE {
            let access = self.accesses[at as usize];
            if access.mode.conflicts(mode) {
                let from = access.event as usize * self.threads;
                let clocks = &self.clocks[from..from + self.threads];
                for (mine, theirs) in self.clock.iter_mut().zip(clocks) {
                    *mine = (*mine).max(*theirs);
                }
            }
            if access.mode == Mode::Write {
                // Whatever came before a write happened before it.
                break;
            }
            at = access.previous;
        }
    }

    /// The races in which the step, whose thread knew `base`, is the later one.
    fn collect(&mut self, step: &Step, number: u32) {
        self.clock.clear();
        self.clock.extend_from_slice(&self.base);
        for &(cell, mode) in step.footprint.cells() {
            let mut at = self.cells[cell.index()].last;
            while at != NONE {
                let access = self.accesses[at as usize];
                at = access.previous;
                let known = self.is_before(access.event, &self.base);
                if known && access.mode == Mode::Write {
                    // So is everything before it.
                    break;
                }
                let earlier = &self.steps[access.event as usize];
                if known || earlier.thread == step.thread || !access.mode.conflicts(mode) {
                    continue;
                }
                let adjacent = !self.is_before(access.event, &self.clock);
                // What can wait also races with what disabled it, though what enabled it again
                // stands between them.
                let disabling = step.footprint.waits && earlier.footprint.disables;
                if adjacent || disabling {
                    self.races.push(Race {
                        earlier: access.event,
                        later: number,
                    });
                }
                if adjacent {
                    let from = access.event as usize * self.threads;
                    let clocks = &self.clocks[from..from + self.threads];
                    for (mine, theirs) in self.clock.iter_mut().zip(clocks) {
                        *mine = (*mine).max(*theirs);
                    }
                }
            }
        }
    }

    /// Adds the operation that the thread waits to do, at the end, as a virtual step.
    fn waiting(&mut self, run: &Run, thread: ThreadId) {
        let Some(pending) = run.pending(thread) else {
            return;
        };
        let state = &run.threads[thread.index()];
        let footprint = run.world.footprint(pending.op, thread);
        let index = state.ops.len() as u32 - 1;
        let step = Step {
            thread,
            index,
            case: if World::has_cases(pending.op) { ANY } else { 0 },
            op: pending.op,
            footprint,
            spawned_after: state.spawned_after,
        };
        self.set_base(run, thread);
        let number = self.steps.len() as u32;
        self.collect(&step, number);
        self.steps.push(step);
    }

    /// The sequence that reverses a race: everything after the earlier step that does not depend on
    /// it, then the later step. None when the later step is not enabled then. Races must be asked
    /// for in order.
    ///
    /// Where several others are in the way at the same time (readers, of a writer), they are all
    /// left out.
    pub(super) fn reversal(&mut self, run: &Run, race: Race, sequence: &mut Vec<u32>) -> bool {
        let later = self.steps[race.later as usize].clone();
        self.advance(run, race.earlier);
        let mut excluded = vec![race.earlier];
        loop {
            self.without(&excluded, race.later, sequence);
            if !later.footprint.waits {
                sequence.push(race.later);
                return true;
            }
            if !self.simulate(run, &later, sequence) {
                return false;
            }
            if self.scratch.enabled(later.op, later.thread) {
                sequence.push(race.later);
                return true;
            }
            if !self.exclude_more(&later, race, sequence, &mut excluded) {
                return false;
            }
        }
    }

    /// Everything after the first of the excluded events that depends on none of them.
    fn without(&self, excluded: &[u32], later: u32, sequence: &mut Vec<u32>) {
        sequence.clear();
        let depends = |event: u32| {
            excluded.iter().any(|&its| {
                let step = &self.steps[its as usize];
                self.clock_of(event)[step.thread.index()] > step.index
            })
        };
        let after = excluded[0] + 1..self.events as u32;
        sequence.extend(after.filter(|&event| event != later && !depends(event)));
    }

    /// Brings `world` to just before the event.
    fn advance(&mut self, run: &Run, event: u32) {
        while self.world_at < event as usize {
            run.redo(&mut self.world, self.world_at as u32);
            self.world_at += 1;
        }
    }

    /// Makes `scratch` the world after `world` and the sequence, as far as the later step can see
    /// it; false if the sequence is not possible.
    fn simulate(&mut self, run: &Run, later: &Step, sequence: &[u32]) -> bool {
        self.scratch.copy_from(&self.world);
        for &event in sequence {
            let step = &self.steps[event as usize];
            // Among plain locks only what touches the same cells can matter.
            if run.world.is_complex() || step.footprint.conflicts(&later.footprint) {
                if !self.scratch.enabled(step.op, step.thread) {
                    return false;
                }
                run.redo(&mut self.scratch, event);
            }
        }
        true
    }

    /// Excludes those as well that are in the way of the later step after the sequence; false when
    /// that is not possible.
    fn exclude_more(
        &self,
        later: &Step,
        race: Race,
        sequence: &[u32],
        excluded: &mut Vec<u32>,
    ) -> bool {
        let in_the_way = self.scratch.in_the_way(later.op) & !(1 << later.thread.0);
        let disables = |event: &&u32| {
            let step = &self.steps[**event as usize];
            step.thread != later.thread
                && step.footprint.disables
                && step.footprint.conflicts(&later.footprint)
        };
        let before = excluded.len();
        if in_the_way == 0 {
            // A condition over several variables: the last change may be what is in the way.
            let is_condition = later.op.action == Action::Evaluate;
            let last = sequence
                .iter()
                .rev()
                .find(disables)
                .filter(|_| is_condition);
            excluded.extend(last);
        }
        for thread in threads_in(in_the_way) {
            let its = |event: &&u32| self.steps[**event as usize].thread == thread;
            let Some(&acquisition) = sequence.iter().rev().filter(disables).find(its) else {
                return false;
            };
            excluded.push(acquisition);
        }
        // The later step's own thread must come to it all the same.
        let known = |event: &u32| {
            let step = &self.steps[*event as usize];
            let own = (race.earlier + 1..self.events as u32).rfind(|&event| {
                event < race.later && self.steps[event as usize].thread == later.thread
            });
            own.is_some_and(|own| self.clock_of(own)[step.thread.index()] > step.index)
        };
        excluded.len() > before && !excluded[before..].iter().any(known)
    }
}
