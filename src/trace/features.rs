//! What there is to see in an execution, as numbers.
//!
//! Knows orders of operations, who holds what while it wants what, choices and outcomes. Makes
//! numbers of them that mean nothing to whoever gets them: equal ones are the same thing seen again,
//! in whichever execution of a search. Does not know what they are good for.
//!
//! | what is seen | why it leads somewhere |
//! |---|---|
//! | two threads' operations on one object, one after the other | a defect of orders needs one |
//! | a thread that wants something another holds, and where | nothing waits without contention |
//! | a thread that wants something while it holds something | an edge of a lock order |
//! | two threads that do so at the same time; how many do | a cycle needs all of its edges at once |
//! | a case that was chosen, an operation that failed or queued | what follows is other code |

use std::hash::{DefaultHasher, Hash, Hasher};

use super::past::{acquired, released};
use super::run::kind_name;
use super::{Event, Run};
use crate::op::{Action, Effect, ObjectId, Op, Site, ThreadId};

/// The numbers of an execution that has ended, in the order in which they were met; some may be
/// there more than once.
pub(crate) fn features(run: &Run) -> Vec<u64> {
    let mut watcher = Watcher {
        run,
        found: Vec::new(),
        number: 0,
        done: vec![0; run.threads.len()],
        objects: (0..run.objects.len())
            .map(|at| object_key(run, at))
            .collect(),
        last: vec![None; run.objects.len()],
        held: vec![Vec::new(); run.threads.len()],
        wants: vec![None; run.threads.len()],
    };
    for event in &run.events {
        watcher.pass(event);
    }
    watcher.found
}

struct Watcher<'a> {
    run: &'a Run,
    found: Vec<u64>,
    /// How many events were passed.
    number: u32,
    /// By thread: how many operations it had done.
    done: Vec<usize>,
    /// By object: what stands for it in every execution.
    objects: Vec<u64>,
    /// By object: who did something to it last, and what.
    last: Vec<Option<(ThreadId, u64)>>,
    /// By thread: what it holds.
    held: Vec<Vec<ObjectId>>,
    /// By thread: what stands for what it holds and wants, if it does both.
    wants: Vec<Option<u64>>,
}

/// What a number stands for: equal keys of different kinds are different things.
#[derive(Hash)]
enum Kind {
    Order,
    Contended,
    Wants,
    WantTogether,
    Wanting,
    Outcome,
}

impl Watcher<'_> {
    fn pass(&mut self, event: &Event) {
        self.number += 1;
        self.done[event.thread.index()] = event.index as usize + 1;
        let own = step_key(event.thread, event.op, event.site);
        if let Some(last) = self.last.get_mut(event.op.object.index())
            && let Some((thread, before)) = last.replace((event.thread, own))
            && thread != event.thread
        {
            self.found.push(number(&(Kind::Order, before, own)));
        }
        if event.case.is_some() || matches!(event.effect, Effect::Failed | Effect::Queued) {
            let outcome = (Kind::Outcome, own, event.case, event.effect);
            self.found.push(number(&outcome));
        }
        if let Some(object) = released(event) {
            self.let_go(event.thread, object);
        }
        if let Some(object) = acquired(event) {
            self.held[event.thread.index()].push(object);
            self.contend_for(event.thread, object);
        }
        self.want(event);
    }

    fn let_go(&mut self, by: ThreadId, object: ObjectId) {
        let own = by.index();
        let others = (0..self.held.len()).filter(|&at| at != own);
        let found = std::iter::once(own)
            .chain(others)
            .find_map(|at| Some((at, self.held[at].iter().rposition(|its| *its == object)?)));
        if let Some((holder, at)) = found {
            self.held[holder].remove(at);
        }
    }

    /// Others wait for what this thread has just taken, from now on.
    fn contend_for(&mut self, by: ThreadId, object: ObjectId) {
        for (at, thread) in self.run.threads.iter().enumerate() {
            let next = self.done[at];
            let born = thread.spawned_after.is_none_or(|after| after < self.number);
            if let (Some(&op), Some(&site)) = (thread.ops.get(next), thread.sites.get(next))
                && born
                && at != by.index()
                && op.object == object
            {
                let key = step_key(ThreadId(at as u8), op, site);
                self.found.push(number(&(Kind::Contended, key)));
            }
        }
    }

    /// What the thread does next, while it holds what it holds.
    fn want(&mut self, event: &Event) {
        let at = event.thread.index();
        let thread = &self.run.threads[at];
        let next = self.done[at];
        self.wants[at] = None;
        let (Some(&op), Some(&site)) = (thread.ops.get(next), thread.sites.get(next)) else {
            return;
        };
        let takes = self.run.world.footprint(op, event.thread).acquires();
        let Some(&object) = self.objects.get(op.object.index()).filter(|_| takes) else {
            return;
        };
        let others = self.held.iter().enumerate();
        let is_held = others
            .filter(|(other, _)| *other != at)
            .any(|(_, held)| held.contains(&op.object));
        if is_held {
            let key = step_key(event.thread, op, site);
            self.found.push(number(&(Kind::Contended, key)));
        }
        if self.held[at].is_empty() {
            return;
        }
        let held: Vec<u64> = self.held[at]
            .iter()
            .map(|id| self.objects[id.index()])
            .collect();
        let want = number(&(Kind::Wants, event.thread, held, object));
        self.found.push(want);
        for (other, its) in self.wants.iter().enumerate() {
            if let Some(its) = *its {
                let pair = if other < at { (its, want) } else { (want, its) };
                self.found.push(number(&(Kind::WantTogether, pair)));
            }
        }
        self.wants[at] = Some(want);
        let wanting = self.wants.iter().flatten().count();
        self.found.push(number(&(Kind::Wanting, wanting)));
    }
}

/// What stands for an object in every execution: its name, its kind, and where it was made.
fn object_key(run: &Run, at: usize) -> u64 {
    let object = &run.objects[at];
    let made = object.site.map(place);
    number(&(&object.name, kind_name(object.kind), made))
}

/// What stands for an operation of a thread, at its place.
fn step_key(thread: ThreadId, op: Op, site: Site) -> u64 {
    let action: Action = op.purpose();
    number(&(thread, action, op.how, place(site)))
}

fn place(site: Site) -> (&'static str, u32, u32) {
    (site.file(), site.line(), site.column())
}

fn number(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}
