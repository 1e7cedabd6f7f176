//! Wakeup trees: what is still to be explored from a point.
//!
//! A tree of steps, named by thread and by how many operations the thread did before: the same
//! step in every execution that shares its past. What a step touches is looked up in the execution
//! at hand as long as that shares the past; below the step whose race was reversed it does not, and
//! then what the step touched in the execution that found it has to do (see [`Part`]).

use super::races::Step;
use crate::object::{Cell, Footprint};
use crate::op::ThreadId;
use crate::trace::Run;

/// A step to be explored, and what is to be explored after it. A leaf leaves the rest open: every
/// way on from there will be explored.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) thread: ThreadId,
    pub(super) index: u32,
    pub(super) case: u32,
    pub(super) children: Vec<Node>,
    /// What it touched in the execution that found it.
    found: Part,
}

/// What a step touches, in terms of one execution.
///
/// Objects are numbered as an execution meets them, so numbers of different executions agree only
/// for objects that both met in their common beginning: those below `shared`. Others are told apart
/// by where they were made and what they are called; where that does not tell, two objects are
/// taken to be the same. That errs on the side of exploring too much.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    footprint: Footprint,
    /// Objects below this number are the same in every execution with the same beginning.
    shared: u32,
    /// The execution in which the numbers are right.
    epoch: u32,
    /// Class of the object, if it is not below `shared`.
    class: u64,
}

impl Part {
    /// A step of the execution at hand, as it will look to others that begin like it up to a point
    /// where it has met `shared` objects.
    pub(super) fn new(run: &Run, footprint: Footprint, shared: u32) -> Part {
        let object = footprint.cells().iter().find_map(|(cell, _)| cell.object());
        let class = object
            .filter(|object| object.0 >= shared)
            .map_or(0, |its| run.class(its));
        Part {
            footprint,
            shared,
            epoch: run.epoch,
            class,
        }
    }

    /// A step of the execution at hand, exactly.
    pub(super) fn exact(run: &Run, footprint: Footprint, class: u64) -> Part {
        Part {
            footprint,
            shared: u32::MAX,
            epoch: run.epoch,
            class,
        }
    }

    /// Whether two steps of different threads are dependent.
    pub(super) fn conflicts(&self, other: &Part) -> bool {
        if self.epoch == other.epoch {
            return self.footprint.conflicts(&other.footprint);
        }
        let shared = self.shared.min(other.shared);
        let beyond = |cell: Cell| cell.object().is_some_and(|object| object.0 >= shared);
        self.footprint.cells().iter().any(|&(cell, mode)| {
            other.footprint.cells().iter().any(|&(its, its_mode)| {
                mode.conflicts(its_mode)
                    && match (beyond(cell), beyond(its)) {
                        (false, false) => cell == its,
                        (true, true) => self.class == other.class,
                        _ => false,
                    }
            })
        })
    }
}

/// A step that must not come first, as what begins with it has been explored: it sleeps until a
/// step that depends on it wakes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sleeper {
    pub(super) thread: ThreadId,
    pub(super) case: u32,
    pub(super) part: Part,
}

/// How a step relates to a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Initial {
    /// It is in the sequence, at this place, and could be done first.
    At(usize),
    /// It is not in the sequence, and could be done first or last: it commutes with all of it.
    Independent,
    /// It cannot be done first.
    Conflict,
}

impl Sleeper {
    /// Whether the step can come first in the sequence `v` of steps of the execution at hand.
    pub(super) fn initial(&self, run: &Run, v: &[u32], steps: &[Step]) -> Initial {
        let spawned_after = run
            .threads
            .get(self.thread.index())
            .and_then(|thread| thread.spawned_after);
        for (at, &number) in v.iter().enumerate() {
            let step = &steps[number as usize];
            if step.thread == self.thread {
                return if step.case == self.case {
                    Initial::At(at)
                } else {
                    Initial::Conflict
                };
            }
            if spawned_after == Some(number) || self.part.conflicts(&step.part(run)) {
                return Initial::Conflict;
            }
        }
        Initial::Independent
    }

    /// Whether a step leaves it asleep.
    pub(super) fn sleeps_through(&self, thread: ThreadId, part: &Part) -> bool {
        self.thread != thread && !self.part.conflicts(part)
    }
}

impl Node {
    pub(super) fn new(thread: ThreadId, index: u32, case: u32, found: Part) -> Node {
        Node {
            thread,
            index,
            case,
            children: Vec::new(),
            found,
        }
    }

    /// The same step, with another case chosen.
    pub(super) fn with_case(&self, case: u32) -> Node {
        Node::new(self.thread, self.index, case, self.found)
    }

    /// The step as one that can sleep. `shares_past`: the execution at hand has the step in its
    /// record, with the same past.
    pub(super) fn sleeper(&self, run: &Run, shares_past: bool) -> Sleeper {
        let part = match shares_past {
            true => {
                let op = run.threads[self.thread.index()].ops[self.index as usize];
                Part::new(run, run.world.footprint(op, self.thread), self.found.shared)
            }
            false => self.found,
        };
        Sleeper {
            thread: self.thread,
            case: self.case,
            part,
        }
    }
}

/// Where a sequence is to be inserted.
pub(super) struct Insertion<'a> {
    pub(super) run: &'a Run,
    pub(super) steps: &'a [Step],
    /// How many objects had been met at the point of the tree's root.
    pub(super) shared: u32,
    /// Whether only what is needed to wake every sleeper is kept of a sequence.
    pub(super) trimmed: bool,
}

impl Insertion<'_> {
    /// Makes the tree lead to `v`, unless it already does. `explored` is the branch that is being
    /// explored just now: it counts as a leaf, before the others. `sleepers` must have `v` as none
    /// of their beginnings.
    pub(super) fn insert(
        &self,
        explored: &Node,
        tree: &mut Vec<Node>,
        mut v: Vec<u32>,
        mut sleepers: Vec<Sleeper>,
    ) {
        let reversed = *v.last().expect("a sequence is not empty");
        let mut shares_past = true;
        let explored = explored.sleeper(self.run, true);
        match explored.initial(self.run, &v, self.steps) {
            Initial::Conflict => sleepers.push(explored),
            Initial::Independent | Initial::At(_) => return,
        }
        let mut children = tree;
        loop {
            let mut inside = None;
            for (at, child) in children.iter().enumerate() {
                let its = child.sleeper(self.run, shares_past);
                match its.initial(self.run, &v, self.steps) {
                    Initial::Conflict => sleepers.push(its),
                    Initial::Independent => return,
                    Initial::At(place) => {
                        // What follows it here has a past that this execution does not know.
                        shares_past &= v.remove(place) != reversed;
                        if child.children.is_empty() || v.is_empty() {
                            return;
                        }
                        sleepers.retain(|other| other.sleeps_through(child.thread, &its.part));
                        inside = Some(at);
                        break;
                    }
                }
            }
            match inside {
                Some(at) => children = &mut children[at].children,
                None => break,
            }
        }
        if self.trimmed {
            self.trim(&mut v, &sleepers);
        }
        children.push(self.chain(&v));
    }

    /// Keeps the last step, the first step that wakes each sleeper, and what those depend on.
    fn trim(&self, v: &mut Vec<u32>, sleepers: &[Sleeper]) {
        let mut keep = vec![false; v.len()];
        *keep.last_mut().expect("a sequence is not empty") = true;
        for sleeper in sleepers {
            let wakes = |&number: &u32| {
                let step = &self.steps[number as usize];
                !sleeper.sleeps_through(step.thread, &step.part(self.run))
            };
            if let Some(at) = v.iter().position(wakes) {
                keep[at] = true;
            }
        }
        for at in (1..v.len()).rev() {
            if keep[at] {
                let step = &self.steps[v[at] as usize];
                let spawned_after = self.run.threads[step.thread.index()].spawned_after;
                for before in 0..at {
                    let its = &self.steps[v[before] as usize];
                    keep[before] |= its.thread == step.thread
                        || its.footprint.conflicts(&step.footprint)
                        || spawned_after == Some(v[before]);
                }
            }
        }
        let mut kept = keep.into_iter();
        v.retain(|_| kept.next().expect("one flag a step"));
    }

    fn chain(&self, v: &[u32]) -> Node {
        let mut below = Vec::new();
        for &number in v.iter().rev() {
            let step = &self.steps[number as usize];
            let found = Part::new(self.run, step.footprint, self.shared);
            let mut node = Node::new(step.thread, step.index, step.case, found);
            node.children = below;
            below = vec![node];
        }
        below.pop().expect("a sequence is not empty")
    }
}
