//! Random strategies: samples of the interleavings, by several distributions.
//!
//! Each finds something the others do not (nested locks after many others, cycles of many threads,
//! skewed programs), so the portfolio runs them in turn.

use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;
use std::collections::BTreeSet;

use super::{Ending, Next, Strategy};
use crate::op::{Action, ObjectId, Site, ThreadId, mask_of};
use crate::trace::{Event, Run, threads_in};

/// Which distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Uniform over the enabled threads at each step.
    Walk,
    /// Selectively uniform random walk (Zhao, Wolff, Mathur, Roychoudhury, ASPLOS 2025), uniform
    /// over the orders of the acquisitions that are ever nested.
    Surw,
    /// Partial order sampling (Yuan, Yang, Gu, CAV 2018).
    Pos,
    /// First locks before nested ones, and releases last.
    HoldAndWait,
    /// The runtime's own scheduler.
    Runtime,
    /// All of them in turn.
    Portfolio,
}

/// What the portfolio does in 20 executions in a row: 40 % SURW, 15 % each of hold-and-wait, POS
/// and PCT, 15 % random walk.
const PORTFOLIO: [Kind; 20] = {
    use Kind::{HoldAndWait as H, Pos as P, Runtime as R, Surw as S, Walk as W};
    [S, H, S, P, R, S, W, H, S, P, R, S, W, H, S, P, R, S, W, S]
};

/// The search.
pub(super) struct Random {
    kind: Kind,
    rng: Rng,
    executions: u64,
    executions_max: u64,
    surw: Surw,
    pos: Pos,
}

impl Random {
    pub(super) fn new(kind: Kind, seed: u64, executions_max: u64) -> Random {
        Random {
            kind,
            rng: Rng::new(seed),
            executions: 0,
            executions_max,
            surw: Surw::default(),
            pos: Pos::default(),
        }
    }

    fn kind_now(&self) -> Kind {
        match self.kind {
            Kind::Portfolio => PORTFOLIO[self.executions as usize % PORTFOLIO.len()],
            kind => kind,
        }
    }
}

impl Strategy for Random {
    fn next(&mut self, run: &Run, enabled: u64, _current: ThreadId) -> Next {
        let thread = match self.kind_now() {
            Kind::Runtime | Kind::Portfolio => return Next::Runtime,
            Kind::Walk => self.rng.of_mask(enabled),
            Kind::Surw => self.surw.next(run, enabled, &mut self.rng),
            Kind::Pos => self.pos.next(run, enabled, &mut self.rng),
            Kind::HoldAndWait => hold_and_wait(run, enabled, &mut self.rng),
        };
        let op = run
            .pending(thread)
            .expect("an enabled thread has announced something")
            .op;
        let cases = run.world.cases(op, thread);
        let case = match cases[..] {
            [only] => only,
            _ => cases[self.rng.below(cases.len() as u32) as usize],
        };
        Next::Go { thread, case }
    }

    fn end(&mut self, run: &Run, _ending: Ending) -> Result<bool, String> {
        self.surw.learn(run);
        self.pos = Pos::default();
        self.executions += 1;
        Ok(self.executions < self.executions_max)
    }
}

/// A seeded source of randomness: same seed, same executions, on every machine.
pub(super) struct Rng(Pcg64Mcg);

impl Rng {
    pub(super) fn new(seed: u64) -> Rng {
        Rng(Pcg64Mcg::seed_from_u64(seed))
    }

    /// Uniform below `bound`, which is not 0 (to one part in 2^32).
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(bound)) >> 32) as u32
    }

    pub(super) fn of_mask(&mut self, mask: u64) -> ThreadId {
        let at = self.below(mask.count_ones()) as usize;
        threads_in(mask)
            .nth(at)
            .expect("below the number of threads")
    }
}

/// Prefers what makes threads hold locks and want others.
pub(super) fn hold_and_wait(run: &Run, enabled: u64, rng: &mut Rng) -> ThreadId {
    // Now and then anything goes, so that every interleaving keeps a chance.
    if rng.below(8) == 0 {
        return rng.of_mask(enabled);
    }
    let rank = |thread: ThreadId| {
        let op = run
            .pending(thread)
            .expect("an enabled thread has announced something")
            .op;
        let holds = !run.threads[thread.index()].held.is_empty();
        match (run.world.footprint(op, thread).acquires(), holds) {
            (true, false) => 0,
            (false, false) => 1,
            (true, true) => 2,
            (false, true) => 3,
        }
    };
    let best = threads_in(enabled)
        .map(rank)
        .min()
        .expect("some thread is enabled");
    let candidates = threads_in(enabled).filter(|&thread| rank(thread) == best);
    rng.of_mask(mask_of(candidates))
}

/// Uniform over the orders of interesting steps: acquisitions that are ever nested.
#[derive(Debug, Default)]
pub(super) struct Surw {
    /// Where nested acquisitions, and those around them, were seen.
    interesting: BTreeSet<Site>,
    /// Interesting steps of each thread in the last execution.
    counts: Vec<u32>,
    parents: Vec<Option<ThreadId>>,
    /// Of those, the ones that are still to come in this execution.
    left: Vec<u32>,
    target: Option<ThreadId>,
}

impl Surw {
    fn is_interesting(&self, run: &Run, thread: ThreadId) -> bool {
        let pending = run
            .pending(thread)
            .expect("an enabled thread has announced something");
        run.world.footprint(pending.op, thread).acquires()
            && self.interesting.contains(&pending.site)
    }

    pub(super) fn next(&mut self, run: &Run, enabled: u64, rng: &mut Rng) -> ThreadId {
        let target = match self.target.filter(|target| run.live & (1 << target.0) != 0) {
            Some(target) => target,
            None => self.draw(run, rng),
        };
        self.target = Some(target);
        let allowed = |&thread: &ThreadId| thread == target || !self.is_interesting(run, thread);
        let mut candidates = mask_of(threads_in(enabled).filter(allowed));
        if candidates == 0 {
            // The intended thread has to wait.
            self.target = None;
            candidates = enabled;
        }
        let thread = rng.of_mask(candidates);
        if self.is_interesting(run, thread) {
            if let Some(left) = self.left.get_mut(thread.index()) {
                *left = left.saturating_sub(1);
            }
            self.target = None;
        }
        thread
    }

    /// Draws the thread whose interesting step comes next, weighted by how many it has left, its
    /// unborn children's included.
    fn draw(&self, run: &Run, rng: &mut Rng) -> ThreadId {
        let mut weights = vec![0_u32; run.threads.len()];
        for (at, &left) in self.left.iter().enumerate() {
            let mut thread = ThreadId(at as u8);
            let unborn = |id: ThreadId| {
                run.threads
                    .get(id.index())
                    .is_none_or(|its| its.is_unborn())
            };
            while unborn(thread) {
                match self.parents.get(thread.index()).copied().flatten() {
                    Some(parent) => thread = parent,
                    None => break,
                }
            }
            if let Some(weight) = weights.get_mut(thread.index()) {
                *weight += left;
            }
        }
        let weight_of = |thread: ThreadId| weights[thread.index()] + 1;
        let total = threads_in(run.live).map(weight_of).sum();
        let mut at = rng.below(total);
        for thread in threads_in(run.live) {
            match at.checked_sub(weight_of(thread)) {
                Some(rest) => at = rest,
                None => return thread,
            }
        }
        unreachable!("the weights add up to the total")
    }

    /// Takes the counts from an execution, and notes where acquisitions are nested.
    pub(super) fn learn(&mut self, run: &Run) {
        let mut held: Vec<Vec<(ObjectId, Site)>> = vec![Vec::new(); run.threads.len()];
        for event in &run.events {
            self.note(run, event, &mut held[event.thread.index()]);
        }
        self.counts = vec![0; run.threads.len()];
        self.parents.resize(run.threads.len(), None);
        for spawn in &run.spawns {
            self.parents[spawn.child.index()] = Some(spawn.parent);
        }
        for event in &run.events {
            let acquires = run.world.footprint(event.op, event.thread).acquires();
            if acquires && self.interesting.contains(&event.site) {
                self.counts[event.thread.index()] += 1;
            }
        }
        self.left.clone_from(&self.counts);
        self.target = None;
    }

    fn note(&mut self, run: &Run, event: &Event, held: &mut Vec<(ObjectId, Site)>) {
        let op = event.op;
        match op.action {
            Action::Unlock
            | Action::Unread
            | Action::Unwrite
            | Action::Unupgradable
            | Action::Release => held.retain(|(lock, _)| *lock != op.object),
            Action::Wait => held.retain(|(lock, _)| *lock != op.other()),
            _ if event.effect.succeeded() && run.world.footprint(op, event.thread).acquires() => {
                if let Some(&(_, outer)) = held.last() {
                    self.interesting.insert(outer);
                    self.interesting.insert(event.site);
                }
                held.push((op.object, event.site));
            }
            _ => {}
        }
    }
}

/// A random priority for every announced step; drawn again when a step that races with it is done.
#[derive(Debug, Default)]
struct Pos {
    /// Priority, and the number of the operation it was drawn for.
    priorities: Vec<(u64, usize)>,
    seen: usize,
}

impl Pos {
    fn next(&mut self, run: &Run, enabled: u64, rng: &mut Rng) -> ThreadId {
        self.priorities.resize(run.threads.len(), (0, 0));
        let done = run.events[self.seen.min(run.events.len())..].to_vec();
        self.seen = run.events.len();
        for thread in threads_in(run.live) {
            let Some(pending) = run.pending(thread) else {
                continue;
            };
            let number = run.threads[thread.index()].ops.len();
            let footprint = run.world.footprint(pending.op, thread);
            let races = |event: &Event| {
                event.thread != thread
                    && run
                        .world
                        .footprint_done(event.op, event.thread, event.effect)
                        .wakes(&footprint)
            };
            let slot = &mut self.priorities[thread.index()];
            if slot.1 != number || done.iter().any(races) {
                *slot = (rng.0.next_u64(), number);
            }
        }
        threads_in(enabled)
            .max_by_key(|thread| self.priorities[thread.index()].0)
            .expect("some thread is enabled")
    }
}
