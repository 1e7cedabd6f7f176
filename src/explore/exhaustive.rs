//! Exhaustive exploration: one execution per Mazurkiewicz trace.
//!
//! Optimal dynamic partial-order reduction with wakeup trees (Abdulla, Aronis, Jonsson, Sagonas,
//! POPL 2014 / JACM 2017): races are looked for in maximal executions only, and each reversal that
//! nothing covers is inserted into the wakeup tree of the point it starts from. Every execution is
//! then a new trace and none has to be given up half way.
//!
//! Two additions to the paper. A choice of the environment is a step with cases: its cases are
//! siblings in the tree. And wakeup sequences are trimmed to what is needed to wake the sleepers,
//! which leaves the executions as they are and makes the trees up to two hundred times smaller.
//!
//! The second mode, source sets without wakeup trees, is complete as well but runs into sleeping
//! threads; it is kept as a differential twin.

use std::borrow::Cow;

use super::races::{ANY, Analysis, Race, Step};
use super::wakeup::{Initial, Insertion, Node, Sleeper, settle};
use super::{Ending, Next, Strategy, again, natural};
use crate::object::{Footprint, World};
use crate::op::{Op, Site, ThreadId, Until, mask_of};
use crate::trace::{Run, threads_in};

/// The search.
pub(super) struct Exhaustive {
    mode: Mode,
    /// The decisions of the current execution; `frames[d]` chose event `d`.
    frames: Vec<Frame>,
    depth: usize,
    /// What the tree says about the first fresh decision.
    ahead: Vec<Node>,
    executions: u64,
    analysis: Analysis,
    sequence: Vec<u32>,
    contended: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Optimal { trimmed: bool },
    Source,
}

/// One decision: what was chosen, and what else is to be explored instead.
struct Frame {
    /// The branch that is being explored, as a leaf.
    chosen: Node,
    op: Op,
    site: Site,
    footprint: Footprint,
    /// What has been explored, here or earlier, and must not come first here.
    sleep: Vec<Sleeper>,
    /// What is still to be explored from here.
    tree: Vec<Node>,
    /// For the estimate: branches finished, and executions in them.
    branches_done: u64,
    executions_done: u64,
    executions_before: u64,
}

impl Exhaustive {
    pub(super) fn optimal(trimmed: bool) -> Exhaustive {
        Exhaustive::new(Mode::Optimal { trimmed })
    }

    pub(super) fn source() -> Exhaustive {
        Exhaustive::new(Mode::Source)
    }

    fn new(mode: Mode) -> Exhaustive {
        Exhaustive {
            mode,
            frames: Vec::new(),
            depth: 0,
            ahead: Vec::new(),
            executions: 0,
            analysis: Analysis::default(),
            sequence: Vec::new(),
            contended: 0,
        }
    }

    /// The recorded decision number `depth`, if the execution still follows it.
    fn repeat(&mut self, run: &Run, enabled: u64, depth: usize) -> Next {
        let mode = self.mode;
        let frame = &mut self.frames[depth];
        let thread = frame.chosen.thread;
        let pending = match again(run, enabled, thread, (frame.op, frame.site)) {
            Ok(pending) => pending,
            Err(why) => return Next::Diverged(why),
        };
        // What else it waits for is known only now, and whether it drops the last handle.
        if pending.op.until != frame.op.until || World::is_about_handles(pending.op) {
            frame.op = pending.op;
            frame.footprint = run.world.footprint(pending.op, thread);
        }
        if frame.chosen.case == ANY {
            frame.open_cases(run, mode);
        }
        Next::Go {
            thread,
            case: frame.chosen.case,
        }
    }

    /// Who sleeps after the last decision.
    fn still_asleep(&self) -> Vec<Sleeper> {
        let Some(parent) = self.frames.last() else {
            return Vec::new();
        };
        let sleeps = |its: &&Sleeper| its.sleeps_through(parent.chosen.thread, &parent.footprint);
        parent.sleep.iter().filter(sleeps).cloned().collect()
    }

    /// The first decision of its kind.
    fn decide(&mut self, run: &Run, enabled: u64, current: ThreadId) -> Next {
        let sleep = self.still_asleep();
        let mut tree = std::mem::take(&mut self.ahead);
        let chosen = if tree.is_empty() {
            let asleep = mask_of(sleep.iter().map(|its| its.thread));
            let candidates = enabled & !asleep;
            if candidates == 0 {
                return match self.mode {
                    Mode::Source => Next::Redundant,
                    // Wakeup sequences wake every sleeper, unless threads do other things than in
                    // the execution that the sequence comes from.
                    Mode::Optimal { .. } => Next::Diverged(
                        "what followed in an equivalent interleaving does not follow now"
                            .to_owned(),
                    ),
                };
            }
            let thread = natural(run, candidates, current);
            let index = run.threads[thread.index()].ops.len() as u32 - 1;
            Node {
                thread,
                index,
                case: ANY,
                children: Vec::new(),
            }
        } else {
            tree.remove(0)
        };
        let Node {
            thread,
            index,
            case,
            children,
        } = chosen;
        self.ahead = children;
        let Some(pending) = run
            .pending(thread)
            .filter(|_| enabled & (1 << thread.0) != 0)
        else {
            return Next::Diverged(format!(
                "`{}` could go on here in an equivalent interleaving, and now it cannot",
                run.thread_name(thread)
            ));
        };
        let mut frame = Frame {
            chosen: Node {
                thread,
                index,
                case,
                children: Vec::new(),
            },
            op: pending.op,
            site: pending.site,
            footprint: run.world.footprint(pending.op, thread),
            sleep,
            tree,
            branches_done: 0,
            executions_done: 0,
            executions_before: self.executions,
        };
        frame.open_cases(run, self.mode);
        frame.open_others(run, enabled);
        let case = frame.chosen.case;
        self.frames.push(frame);
        Next::Go { thread, case }
    }

    /// Inserts the reversal of every race of the execution where it is not covered yet.
    fn reverse_races(&mut self, run: &Run) {
        let mut analysis = std::mem::take(&mut self.analysis);
        analysis.run(run);
        self.contended += analysis.contended().count() as u64;
        for at in 0..analysis.races.len() {
            let race = analysis.races[at];
            if analysis.reversal(run, race, &mut self.sequence) {
                self.reverse(run, &mut analysis, race);
            }
        }
        self.analysis = analysis;
    }

    fn reverse(&mut self, run: &Run, analysis: &mut Analysis, race: Race) {
        let v = &self.sequence;
        let (world, steps) = (&analysis.world, &mut analysis.steps);
        settle(v, steps, world);
        let frame = &mut self.frames[race.earlier as usize];
        // A wakeup sequence brings all of `v` along, so a sleeper that commutes with it covers it.
        // A source set has its first step only: what comes after may wake the sleeper.
        let optimal = self.mode != Mode::Source;
        let covers = |its: &Sleeper| match its.initial(v, steps) {
            Initial::At(_) => true,
            Initial::Independent => optimal,
            Initial::Conflict => false,
        };
        if frame.sleep.iter().any(covers) {
            return;
        }
        match self.mode {
            Mode::Optimal { trimmed } => {
                let mut insertion = Insertion {
                    run,
                    steps,
                    trimmed,
                    world: Cow::Borrowed(world),
                };
                let sleepers = frame.sleep.clone();
                insertion.insert(Some(&frame.chosen), &mut frame.tree, v.clone(), sleepers);
            }
            Mode::Source => add_source(run, world, steps, frame, v),
        }
    }

    /// Goes to the next branch that is to be explored; whether there is one.
    fn backtrack(&mut self, run: &Run) -> bool {
        self.depth = 0;
        while let Some(frame) = self.frames.last_mut() {
            frame.sleep.push(Sleeper {
                thread: frame.chosen.thread,
                case: frame.chosen.case,
                footprint: frame.footprint.clone(),
            });
            frame.branches_done += 1;
            frame.executions_done += self.executions - frame.executions_before;
            frame.executions_before = self.executions;
            if frame.tree.is_empty() {
                self.frames.pop();
                continue;
            }
            let mut next = frame.tree.remove(0);
            self.ahead = std::mem::take(&mut next.children);
            let state = &run.threads[next.thread.index()];
            frame.op = state.ops[next.index as usize];
            frame.footprint = run.world.footprint(frame.op, next.thread);
            frame.site = state.sites[next.index as usize];
            frame.chosen = next;
            return true;
        }
        false
    }
}

impl Frame {
    /// Settles which case of the chosen step comes first, if that is open, and makes the others
    /// branches: but, if there are wakeup trees, only where the step wakes all that sleep. (Else
    /// what follows the other cases, if it matters, is found from the branch in which the sleeper
    /// went first.)
    fn open_cases(&mut self, run: &Run, mode: Mode) {
        if !World::has_cases(self.op) {
            self.chosen.case = 0;
            return;
        }
        let Node { thread, index, .. } = self.chosen;
        let cases = run.world.cases(self.op, thread);
        if self.chosen.case == ANY {
            let sleeps = |case: u32| {
                let is_it = |its: &Sleeper| its.thread == thread && its.case == case;
                self.sleep.iter().any(is_it)
            };
            let awake = cases.iter().copied().find(|&case| !sleeps(case));
            self.chosen.case = awake.unwrap_or(cases[0]);
        }
        let chosen = self.chosen.case;
        let sleeps_on = |its: &Sleeper| its.sleeps_through(thread, &self.footprint);
        if mode != Mode::Source && self.sleep.iter().any(sleeps_on) {
            return;
        }
        // They come next, as if they had been there with the chosen one: what is in the tree was
        // put after that, and once explored it would sleep through them.
        let mut others = Vec::new();
        for case in cases.into_iter().filter(|&case| case != chosen) {
            let branch = |node: &Node| node.thread == thread && node.case == case;
            let asleep = |its: &Sleeper| its.thread == thread && its.case == case;
            if !self.tree.iter().any(branch) && !self.sleep.iter().any(asleep) {
                others.push(Node {
                    thread,
                    index,
                    case,
                    children: Vec::new(),
                });
            }
        }
        self.tree.splice(0..0, others);
    }
}

impl Frame {
    /// At a standstill any of those who go on anyway may be the one: no race says so, since it is
    /// that they are the only ones which lets them.
    fn open_others(&mut self, run: &Run, enabled: u64) {
        if !matches!(self.op.until, Until::Anyway(_)) {
            return;
        }
        for thread in threads_in(enabled & !(1 << self.chosen.thread.0)) {
            self.tree.push(Node {
                thread,
                index: run.threads[thread.index()].ops.len() as u32 - 1,
                case: ANY,
                children: Vec::new(),
            });
        }
    }
}

/// Makes one of the steps that can begin `v` a branch, unless one is.
fn add_source(run: &Run, world: &World, steps: &[Step], frame: &mut Frame, v: &[u32]) {
    let begins = |node: &Node| {
        let footprint = node.footprint(run, world);
        matches!(
            super::wakeup::initial(node.thread, node.case, &footprint, v, steps),
            Initial::At(_)
        )
    };
    if begins(&frame.chosen) || frame.tree.iter().any(begins) {
        return;
    }
    let first = v.iter().find(|&&number| {
        let step = &steps[number as usize];
        let how = super::wakeup::initial(step.thread, step.case, &step.footprint, v, steps);
        matches!(how, Initial::At(_))
    });
    let first = *first.expect("the first step of a sequence can begin it");
    let step = &steps[first as usize];
    let open = v.last() == Some(&first) && World::has_cases(step.op);
    frame.tree.push(Node {
        thread: step.thread,
        index: step.index,
        case: if open { ANY } else { step.case },
        children: Vec::new(),
    });
}

impl Strategy for Exhaustive {
    fn next(&mut self, run: &Run, enabled: u64, current: ThreadId) -> Next {
        let depth = self.depth;
        self.depth += 1;
        if depth < self.frames.len() {
            return self.repeat(run, enabled, depth);
        }
        self.decide(run, enabled, current)
    }

    fn end(&mut self, run: &Run, ending: Ending) -> Result<bool, String> {
        self.executions += 1;
        // Rounds to no purpose were forgotten, and with them their decisions.
        self.frames.truncate(run.events.len());
        if ending == Ending::Maximal && !self.ahead.is_empty() {
            return Err("the execution ends here, and an equivalent one went on".to_owned());
        }
        self.ahead.clear();
        self.reverse_races(run);
        Ok(self.backtrack(run))
    }

    fn contended(&self) -> u64 {
        self.contended
    }

    fn contended_steps(&self) -> Vec<u32> {
        self.analysis.contended().collect()
    }

    /// From the last execution upwards: what was done, and for what is still to be done the average
    /// of what was (the formula is Nidhugg's).
    fn estimate(&self) -> Option<f64> {
        let mut count = 1.0;
        for frame in self.frames.iter().rev() {
            count += frame.executions_done as f64;
            let left = frame.tree.len() as f64;
            count += left * count / (1.0 + frame.branches_done as f64);
        }
        Some(count.max(self.executions as f64))
    }
}
