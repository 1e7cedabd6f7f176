//! Wakeup trees: what is still to be explored from a point.
//!
//! A tree of steps, named by thread and by how many operations the thread did before: the same
//! step in every execution that shares its past. What a step does is looked up in the execution at
//! hand, never stored, since object numbers mean nothing across executions.

use super::races::{ANY, Step};
use crate::object::{Footprint, World};
use crate::op::ThreadId;
use crate::trace::Run;

/// A step to be explored, and what is to be explored after it. A leaf leaves the rest open: every
/// way on from there will be explored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) thread: ThreadId,
    pub(super) index: u32,
    /// [`ANY`] when it is to be chosen when the step comes.
    pub(super) case: u32,
    pub(super) children: Vec<Node>,
}

/// A step that must not come first, as what begins with it has been explored: it sleeps until a
/// step that depends on it wakes it.
#[derive(Clone, Debug)]
pub(super) struct Sleeper {
    pub(super) thread: ThreadId,
    pub(super) case: u32,
    pub(super) footprint: Footprint,
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

/// Whether a step can come first in the sequence `v` (of indices into `steps`).
pub(super) fn initial(
    thread: ThreadId,
    case: u32,
    footprint: &Footprint,
    v: &[u32],
    steps: &[Step],
) -> Initial {
    for (at, &number) in v.iter().enumerate() {
        let step = &steps[number as usize];
        if step.thread == thread {
            if step
                .spawned_after
                .is_some_and(|spawn| v[..at].contains(&spawn))
            {
                return Initial::Conflict;
            }
            // The last step is the one that comes earlier than it did: its case is open.
            let open = at + 1 == v.len() && World::has_cases(step.op);
            return if step.case == case || case == ANY || open {
                Initial::At(at)
            } else {
                Initial::Conflict
            };
        }
        if step.footprint.conflicts(footprint) {
            return Initial::Conflict;
        }
    }
    Initial::Independent
}

impl Sleeper {
    pub(super) fn initial(&self, v: &[u32], steps: &[Step]) -> Initial {
        initial(self.thread, self.case, &self.footprint, v, steps)
    }

    /// Whether a step leaves it asleep.
    pub(super) fn sleeps_through(&self, thread: ThreadId, footprint: &Footprint) -> bool {
        self.thread != thread && !self.footprint.conflicts(footprint)
    }
}

impl Node {
    /// What the step does, in an execution that shares its past.
    pub(super) fn footprint(&self, run: &Run) -> Footprint {
        let op = run.threads[self.thread.index()].ops[self.index as usize];
        run.world.footprint(op, self.thread)
    }

    fn sleeper(&self, run: &Run) -> Sleeper {
        Sleeper {
            thread: self.thread,
            case: self.case,
            footprint: self.footprint(run),
        }
    }
}

/// Where a sequence is to be inserted.
pub(super) struct Insertion<'a> {
    pub(super) run: &'a Run,
    pub(super) steps: &'a [Step],
    /// Whether only what is needed to wake every sleeper is kept of a sequence.
    pub(super) trimmed: bool,
}

impl Insertion<'_> {
    /// Makes the tree lead to `v`, unless it already does. `explored` is the branch that is being
    /// explored just now, if any: it counts as a leaf, before the others. `sleepers` must have `v`
    /// as none of their beginnings.
    pub(super) fn insert(
        &self,
        explored: Option<&Node>,
        tree: &mut Vec<Node>,
        mut v: Vec<u32>,
        mut sleepers: Vec<Sleeper>,
    ) {
        let mut children = tree;
        let mut leaf = explored;
        loop {
            if let Some(node) = leaf.take() {
                let footprint = node.footprint(self.run);
                match initial(node.thread, node.case, &footprint, &v, self.steps) {
                    Initial::Conflict => sleepers.push(node.sleeper(self.run)),
                    Initial::Independent | Initial::At(_) => return,
                }
            }
            let mut inside = None;
            for (at, child) in children.iter().enumerate() {
                let footprint = child.footprint(self.run);
                match initial(child.thread, child.case, &footprint, &v, self.steps) {
                    Initial::Conflict => sleepers.push(child.sleeper(self.run)),
                    Initial::Independent => return,
                    // The later step of the race comes first there: all that this needs. What is
                    // below has seen it in another place than this execution, and is unknown here.
                    Initial::At(place) if place + 1 == v.len() => return,
                    Initial::At(place) => {
                        v.remove(place);
                        if child.children.is_empty() {
                            return;
                        }
                        sleepers.retain(|its| its.sleeps_through(child.thread, &footprint));
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
                !sleeper.sleeps_through(step.thread, &step.footprint)
            };
            if let Some(at) = v.iter().position(wakes) {
                keep[at] = true;
            }
        }
        for at in (0..v.len()).rev().filter(|&at| at > 0) {
            if keep[at] {
                let step = &self.steps[v[at] as usize];
                for before in 0..at {
                    let its = &self.steps[v[before] as usize];
                    keep[before] |= its.thread == step.thread
                        || step.spawned_after == Some(v[before])
                        || its.footprint.conflicts(&step.footprint);
                }
            }
        }
        let mut kept = keep.into_iter();
        v.retain(|_| kept.next().expect("one flag a step"));
    }

    /// The sequence as a branch. Which cases the last step, which comes earlier than it did, will
    /// have is to be seen.
    fn chain(&self, v: &[u32]) -> Node {
        let mut children = Vec::new();
        for (at, &number) in v.iter().enumerate().rev() {
            let step = &self.steps[number as usize];
            let is_reversed = at + 1 == v.len();
            let node = Node {
                thread: step.thread,
                index: step.index,
                case: match is_reversed && World::has_cases(step.op) {
                    true => ANY,
                    false => step.case,
                },
                children,
            };
            children = vec![node];
        }
        children.pop().expect("a sequence is not empty")
    }
}
