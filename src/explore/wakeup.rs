//! Wakeup trees: what is still to be explored from a point.
//!
//! A tree of steps, named by thread and by how many operations the thread did before: the same
//! step in every execution that shares its past. What a step does is looked up in the execution at
//! hand, never stored, since object numbers mean nothing across executions.

use std::borrow::Cow;

use super::races::{ANY, Step};
use crate::object::{Footprint, World};
use crate::op::{Op, ThreadId};
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
        if step.footprint.wakes(footprint) {
            return Initial::Conflict;
        }
    }
    Initial::Independent
}

/// Makes the footprints of the sequence's steps what they are when it is done from this world.
pub(super) fn settle(v: &[u32], steps: &mut [Step], world: &World) {
    if !world.is_counted() {
        return;
    }
    let mut world = world.clone();
    for &number in v {
        let step = &mut steps[number as usize];
        if World::is_about_handles(step.op) {
            step.footprint = world.footprint(step.op, step.thread);
            world.apply_to_handles(step.op);
        }
    }
}

impl Sleeper {
    pub(super) fn initial(&self, v: &[u32], steps: &[Step]) -> Initial {
        initial(self.thread, self.case, &self.footprint, v, steps)
    }

    /// Whether a step leaves it asleep.
    pub(super) fn sleeps_through(&self, thread: ThreadId, footprint: &Footprint) -> bool {
        self.thread != thread && !footprint.wakes(&self.footprint)
    }
}

impl Node {
    /// What the step does, in an execution that shares its past.
    fn op(&self, run: &Run) -> Op {
        run.threads[self.thread.index()].ops[self.index as usize]
    }

    /// What it touches when it is done in this world of that execution.
    pub(super) fn footprint(&self, run: &Run, world: &World) -> Footprint {
        world.footprint(self.op(run), self.thread)
    }

    fn sleeper(&self, footprint: Footprint) -> Sleeper {
        Sleeper {
            thread: self.thread,
            case: self.case,
            footprint,
        }
    }
}

/// Where a sequence is to be inserted.
pub(super) struct Insertion<'a> {
    pub(super) run: &'a Run,
    pub(super) steps: &'a mut [Step],
    /// Whether only what is needed to wake every sleeper is kept of a sequence.
    pub(super) trimmed: bool,
    /// As it is where the sequence begins.
    pub(super) world: Cow<'a, World>,
}

impl Insertion<'_> {
    /// Makes the tree lead to `v`, unless it already does. `explored` is the branch that is being
    /// explored just now, if any: it counts as a leaf, before the others. `sleepers` must have `v`
    /// as none of their beginnings.
    pub(super) fn insert(
        &mut self,
        explored: Option<&Node>,
        tree: &mut Vec<Node>,
        mut v: Vec<u32>,
        mut sleepers: Vec<Sleeper>,
    ) {
        let mut children = tree;
        let mut leaf = explored;
        loop {
            if let Some(node) = leaf.take() {
                let footprint = node.footprint(self.run, &self.world);
                match initial(node.thread, node.case, &footprint, &v, self.steps) {
                    Initial::Conflict => sleepers.push(node.sleeper(footprint)),
                    Initial::Independent | Initial::At(_) => return,
                }
            }
            let mut inside = None;
            for (at, child) in children.iter().enumerate() {
                let footprint = child.footprint(self.run, &self.world);
                match initial(child.thread, child.case, &footprint, &v, self.steps) {
                    Initial::Conflict => sleepers.push(child.sleeper(footprint)),
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
                        let op = child.op(self.run);
                        if World::is_about_handles(op) {
                            self.world.to_mut().apply_to_handles(op);
                            settle(&v, self.steps, &self.world);
                        }
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
                        // Else fewer drops would have come before the one that is the last but one.
                        || step.footprint.wakes(&its.footprint);
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
