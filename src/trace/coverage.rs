//! Which locks were used, by whom, where and how, over all executions of a search.
//!
//! Knows what an acquisition takes and who holds what, from the events of a finished execution.
//! Does not know why the order was chosen, nor what is wrong with it. Objects have other numbers in
//! each execution, so a lock is known by its name and by where it was made.
//!
//! # When an acquisition is contended
//! A thread has announced its next operation as soon as it has done the one before. So an
//! acquisition is contended when another thread held the lock, in a way that excludes it, at any
//! time between the thread's step before and its own; or when it was refused, or had to queue, for
//! that reason. A search that leaves out interleavings which differ only in the order of
//! independent steps knows where it would have been so in one of those; such acquisitions count
//! too. A condvar's waiter that takes its lock again waits to be notified, and the notifier may hold
//! that lock: this is never counted as contended.
//!
//! Cost: one pass over the events; per acquisition, the locks that its thread holds and the sites
//! that its lock is taken at. Nothing is allocated once everything has been seen.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::run::{Object, kind_name};
use super::{Event, Run, threads_in};
use crate::op::{Action, Effect, How, Kind, ObjectId, Op, Site, ThreadId};
use crate::report::{self, Acquisition, LockMode, LockUse, Nesting};

/// Locks that are told apart while a search goes on.
const LOCKS_MAX: usize = 4_096;
/// Sites at which one lock is taken, likewise; and, for each lock, those nested in it.
const SITES_MAX: usize = 256;
/// Locks of a report: the first ones by name.
const LOCKS_REPORTED_MAX: usize = 200;
/// Nestings of a report.
const NESTED_REPORTED_MAX: usize = 1_000;

/// What is known so far.
#[derive(Default)]
pub(crate) struct Coverage {
    locks: Vec<Lock>,
    by_key: BTreeMap<Key, u32>,
    /// By thread: its name. The same thread has the same number in every execution.
    names: Vec<Option<Rc<str>>>,
    /// How many locks, sites and nestings there was no room for.
    left_out: u64,
    /// By object of this execution.
    objects: Vec<State>,
    /// By object of some earlier execution: its lock there. Most are the same in the next.
    guesses: Vec<u32>,
    /// By thread: what it holds.
    held: Vec<Vec<Hold>>,
    /// By thread: how many events there were when it announced its next operation.
    announced: Vec<u32>,
    /// The acquisitions of this execution that were not contended: event, lock, site.
    quiet: Vec<(u32, u32, u32)>,
}

type Key = (String, Option<Site>, &'static str);

/// No lock.
const NONE: u32 = u32::MAX;

/// A lock, or several that nothing tells apart.
struct Lock {
    /// Empty if it was given none.
    name: String,
    kind: &'static str,
    made: Option<Site>,
    /// The most of them in one execution.
    count: u32,
    /// How many of them there are in the execution of this epoch.
    count_now: (u32, u32),
    threads: u64,
    sites: Vec<Taken>,
    nested: Vec<Nested>,
}

/// A place where a lock is taken.
struct Taken {
    site: Site,
    op: (Action, How),
    operation: &'static str,
    acquired: u64,
    contended: u64,
}

/// A lock that is taken while another is held.
struct Nested {
    inner: u32,
    outer_mode: LockMode,
    inner_mode: LockMode,
    tried: bool,
    threads: u64,
    outer_site: Site,
    inner_site: Site,
    seen: u64,
}

/// One object in this execution.
#[derive(Clone, Copy)]
struct State {
    lock: u32,
    /// By mode: who gave such a hold back last, and how many events there were then.
    freed: [(ThreadId, u32); MODES.len()],
}

const MODES: [LockMode; 3] = [LockMode::Shared, LockMode::Upgradable, LockMode::Exclusive];

impl State {
    const NEW: State = State {
        lock: NONE,
        freed: [(ThreadId::MAIN, 0); MODES.len()],
    };
}

#[derive(Clone, Copy)]
struct Hold {
    object: ObjectId,
    lock: u32,
    mode: LockMode,
    site: Site,
}

/// An acquisition: of what, how, and where.
#[derive(Clone, Copy)]
struct Wanted {
    by: ThreadId,
    object: ObjectId,
    mode: LockMode,
    op: Op,
    site: Site,
}

impl Coverage {
    /// Takes note of an execution that has ended.
    pub(crate) fn take(&mut self, run: &Run) {
        self.begin(run);
        for (event, number) in run.events.iter().zip(1..) {
            match wanted(run, event.op, event.thread, event.site) {
                Some(wanted) => self.acquire(run, wanted, event.effect, number - 1),
                None => self.release(event, number),
            }
            self.announced[event.thread.index()] = number;
        }
        for thread in threads_in(run.live) {
            if let Some(pending) = run.pending(thread)
                && let Some(wanted) = wanted(run, pending.op, thread, pending.site)
                && !run.world.enabled(pending.op, thread)
            {
                self.wait_for_ever(run, wanted);
            }
        }
    }

    /// Takes note that these events of the execution that was taken last might have had to wait in
    /// another order. Those that are no acquisitions of locks do not matter.
    pub(crate) fn note_contended(&mut self, events: &[u32]) {
        for event in events {
            // Several that an event might have waited for count once.
            if let Ok(at) = self.quiet.binary_search_by_key(event, |its| its.0) {
                let (_, lock, site) = self.quiet.remove(at);
                self.locks[lock as usize].sites[site as usize].contended += 1;
            }
        }
    }

    fn begin(&mut self, run: &Run) {
        self.quiet.clear();
        self.objects.clear();
        self.objects.resize(run.objects.len(), State::NEW);
        if self.guesses.len() < run.objects.len() {
            self.guesses.resize(run.objects.len(), NONE);
        }
        let threads = run.threads.len();
        if self.held.len() < threads {
            self.held.resize_with(threads, Vec::new);
            self.names.resize(threads, None);
        }
        self.announced.clear();
        for (at, thread) in run.threads.iter().enumerate() {
            self.held[at].clear();
            self.announced
                .push(thread.spawned_after.map_or(0, |at| at + 1));
            if self.names[at].is_none() && !thread.is_unborn() {
                self.names[at] = Some(Rc::clone(&thread.name));
            }
        }
    }

    /// An acquisition that was a step.
    fn acquire(&mut self, run: &Run, wanted: Wanted, effect: Effect, event: u32) {
        let Some(lock) = self.lock_of(run, wanted.object) else {
            return;
        };
        // Whoever wakes has the lock again, notified or not.
        let wakes = wanted.op.action == Action::Wake;
        let acquired = wakes || effect.succeeded();
        let contended = match effect {
            Effect::Queued => true,
            // It was counted when it queued.
            _ if wakes || wanted.op.action == Action::Queued => false,
            _ if acquired => wanted.op.how != How::Try && self.had_to_wait(wanted),
            _ => self.is_held_by_others(wanted) || self.had_to_wait(wanted),
        };
        let site = self.note(run, lock, wanted, acquired, contended);
        if let Some(site) = site
            && !contended
            && !wakes
            && wanted.op.action != Action::Queued
        {
            self.quiet.push((event, lock, site));
        }
        if acquired {
            self.nest(lock, wanted);
            self.hold(lock, wanted);
        }
    }

    /// An acquisition that its thread waits for in the end.
    fn wait_for_ever(&mut self, run: &Run, wanted: Wanted) {
        let is_held = self.is_held_by_others(wanted);
        if wanted.op.action == Action::Wake && !is_held {
            return;
        }
        if let Some(lock) = self.lock_of(run, wanted.object) {
            let first = !matches!(wanted.op.action, Action::Queued | Action::Wake);
            self.note(run, lock, wanted, false, is_held && first);
            self.nest(lock, wanted);
        }
    }

    /// Whether another thread has given back, since this one announced the acquisition, what kept
    /// it from going on.
    fn had_to_wait(&self, wanted: Wanted) -> bool {
        let since = self.announced[wanted.by.index()];
        let freed = &self.objects[wanted.object.index()].freed;
        MODES.iter().zip(freed).any(|(mode, &(thread, number))| {
            number > since && thread != wanted.by && wanted.mode.excludes(*mode)
        })
    }

    fn is_held_by_others(&self, wanted: Wanted) -> bool {
        let mut others = self.held.iter().enumerate();
        others.any(|(thread, held)| {
            thread != wanted.by.index()
                && held
                    .iter()
                    .any(|hold| hold.object == wanted.object && wanted.mode.excludes(hold.mode))
        })
    }

    fn hold(&mut self, lock: u32, wanted: Wanted) {
        let held = &mut self.held[wanted.by.index()];
        if wanted.op.purpose() == Action::Upgrade {
            held.retain(|hold| hold.object != wanted.object);
        }
        held.push(Hold {
            object: wanted.object,
            lock,
            mode: wanted.mode,
            site: wanted.site,
        });
    }

    /// A step that may give something back.
    fn release(&mut self, event: &Event, number: u32) {
        let (object, mode, left) = match event.op.action {
            Action::Wait if event.effect != Effect::Failed => {
                (event.op.other(), LockMode::Exclusive, None)
            }
            _ if !event.effect.succeeded() => return,
            Action::Unlock | Action::Unwrite | Action::Release => {
                (event.op.object, LockMode::Exclusive, None)
            }
            Action::Unread => (event.op.object, LockMode::Shared, None),
            Action::Unupgradable => (event.op.object, LockMode::Upgradable, None),
            Action::Downgrade => (event.op.object, LockMode::Exclusive, Some(LockMode::Shared)),
            Action::DowngradeToUpgradable => {
                let left = Some(LockMode::Upgradable);
                (event.op.object, LockMode::Exclusive, left)
            }
            Action::DowngradeUpgradable => (
                event.op.object,
                LockMode::Upgradable,
                Some(LockMode::Shared),
            ),
            _ => return,
        };
        // A lock without an owner is given back by anyone.
        let own = event.thread.index();
        let is_it = |hold: &Hold| hold.object == object && hold.mode == mode;
        let others = (0..self.held.len()).filter(|&other| other != own);
        let found = std::iter::once(own)
            .chain(others)
            .find_map(|at| Some((at, self.held[at].iter().rposition(is_it)?)));
        let Some((holder, at)) = found else {
            return;
        };
        match left {
            Some(left) => self.held[holder][at].mode = left,
            None => drop(self.held[holder].remove(at)),
        }
        let freed = &mut self.objects[object.index()].freed;
        freed[mode as usize] = (ThreadId(holder as u8), number);
    }

    /// Notes what came of an acquisition; the number of its site.
    fn note(
        &mut self,
        run: &Run,
        lock: u32,
        wanted: Wanted,
        acquired: bool,
        contended: bool,
    ) -> Option<u32> {
        let lock = &mut self.locks[lock as usize];
        lock.threads |= 1 << wanted.by.0;
        let op = (wanted.op.purpose(), wanted.op.how);
        let known = lock
            .sites
            .iter()
            .position(|its| its.op == op && is_same_place(its.site, wanted.site));
        let at = known.unwrap_or(lock.sites.len());
        if known.is_none() {
            if at == SITES_MAX {
                self.left_out += 1;
                return None;
            }
            lock.sites.push(Taken {
                site: wanted.site,
                op,
                operation: run.verb(wanted.op),
                acquired: 0,
                contended: 0,
            });
        }
        lock.sites[at].acquired += u64::from(acquired);
        lock.sites[at].contended += u64::from(contended);
        Some(at as u32)
    }

    /// Notes which locks the thread holds already.
    fn nest(&mut self, inner: u32, wanted: Wanted) {
        let by = wanted.by.index();
        let tried = wanted.op.how == How::Try;
        for at in 0..self.held[by].len() {
            let outer = self.held[by][at];
            if outer.object == wanted.object {
                continue;
            }
            let nested = &mut self.locks[outer.lock as usize].nested;
            let key = (inner, outer.mode, wanted.mode, tried);
            let known = nested
                .iter()
                .position(|its| (its.inner, its.outer_mode, its.inner_mode, its.tried) == key);
            let at = known.unwrap_or(nested.len());
            if known.is_none() {
                if at == SITES_MAX {
                    self.left_out += 1;
                    continue;
                }
                nested.push(Nested {
                    inner,
                    outer_mode: outer.mode,
                    inner_mode: wanted.mode,
                    tried,
                    threads: 0,
                    outer_site: outer.site,
                    inner_site: wanted.site,
                    seen: 0,
                });
            }
            nested[at].threads |= 1 << by;
            nested[at].seen += 1;
        }
    }

    /// The lock that an object of this execution is; none if there is no room for more.
    fn lock_of(&mut self, run: &Run, id: ObjectId) -> Option<u32> {
        let known = self.objects[id.index()].lock;
        if known != NONE {
            return Some(known);
        }
        let object = &run.objects[id.index()];
        let guess = self.guesses[id.index()];
        let is_it = |lock: &&Lock| {
            lock.name == object.name
                && is_same_made(lock.made, object.site)
                && lock.kind == kind_name(object.kind)
        };
        let lock = match self.locks.get(guess as usize).filter(is_it) {
            Some(_) => guess,
            None => self.find(object)?,
        };
        self.guesses[id.index()] = lock;
        self.objects[id.index()].lock = lock;
        let its = &mut self.locks[lock as usize];
        if its.count_now.0 != run.epoch {
            its.count_now = (run.epoch, 0);
        }
        its.count_now.1 += 1;
        its.count = its.count.max(its.count_now.1);
        Some(lock)
    }

    fn find(&mut self, object: &Object) -> Option<u32> {
        let kind = kind_name(object.kind);
        let key = (object.name.to_string(), object.site, kind);
        if let Some(&known) = self.by_key.get(&key) {
            return Some(known);
        }
        if self.locks.len() == LOCKS_MAX {
            self.left_out += 1;
            return None;
        }
        let number = self.locks.len() as u32;
        self.locks.push(Lock {
            name: key.0.clone(),
            kind,
            made: object.site,
            count: 0,
            count_now: (0, 0),
            threads: 0,
            sites: Vec::new(),
            nested: Vec::new(),
        });
        self.by_key.insert(key, number);
        Some(number)
    }

    /// All of it, as a report has it.
    pub(crate) fn into_report(self) -> report::Coverage {
        let mut coverage = report::Coverage::default();
        let names = |mask: u64| -> Vec<String> {
            let name = |thread: ThreadId| self.names.get(thread.index())?.as_deref();
            let mut names: Vec<String> = threads_in(mask)
                .filter_map(|thread| Some(name(thread)?.to_owned()))
                .collect();
            names.sort();
            names.dedup();
            names
        };
        for (lock, outer) in self.locks.iter().zip(0..) {
            coverage.locks.push(LockUse {
                name: lock.title(),
                kind: lock.kind.to_owned(),
                made: lock.made.map(report::Site::at),
                count: lock.count,
                threads: names(lock.threads),
                sites: lock.acquisitions(),
            });
            coverage
                .nested
                .extend(lock.nested.iter().map(|its| Nesting {
                    outer,
                    inner: its.inner,
                    outer_mode: its.outer_mode,
                    inner_mode: its.inner_mode,
                    tried: its.tried,
                    threads: names(its.threads),
                    outer_site: report::Site::at(its.outer_site),
                    inner_site: report::Site::at(its.inner_site),
                    seen: its.seen,
                }));
        }
        coverage.left_out = self.left_out;
        coverage.sort();
        coverage.truncate(LOCKS_REPORTED_MAX, NESTED_REPORTED_MAX);
        coverage
    }
}

impl Lock {
    /// Its name for people. Which of several it is nothing says.
    fn title(&self) -> String {
        match (self.name.is_empty(), self.made) {
            (false, _) => self.name.clone(),
            (true, None) => self.kind.to_owned(),
            (true, Some(site)) => {
                let file = site.file().rsplit(['/', '\\']).next();
                format!("{}@{}:{}", self.kind, file.unwrap_or_default(), site.line())
            }
        }
    }

    /// Where it is taken. One place may have several addresses.
    fn acquisitions(&self) -> Vec<Acquisition> {
        let mut list: Vec<Acquisition> = Vec::new();
        for taken in &self.sites {
            let site = report::Site::at(taken.site);
            let is_it =
                |its: &&mut Acquisition| its.site == site && its.operation == taken.operation;
            match list.iter_mut().find(is_it) {
                Some(known) => {
                    known.acquired += taken.acquired;
                    known.contended += taken.contended;
                }
                None => list.push(Acquisition {
                    site,
                    operation: taken.operation.to_owned(),
                    acquired: taken.acquired,
                    contended: taken.contended,
                }),
            }
        }
        list
    }
}

/// What the operation takes, if it takes a lock.
fn wanted(run: &Run, op: Op, by: ThreadId, site: Site) -> Option<Wanted> {
    let (object, mode) = match op.purpose() {
        Action::Lock | Action::Write | Action::Upgrade => (op.object, LockMode::Exclusive),
        Action::Read | Action::ReadRecursive => (op.object, LockMode::Shared),
        Action::Upgradable => (op.object, LockMode::Upgradable),
        Action::Wake => (op.other(), LockMode::Exclusive),
        Action::Acquire if is_like_a_lock(run, op.object) => (op.object, LockMode::Exclusive),
        _ => return None,
    };
    Some(Wanted {
        by,
        object,
        mode,
        op,
        site,
    })
}

/// Whether the object is a semaphore that one thread at a time has.
fn is_like_a_lock(run: &Run, semaphore: ObjectId) -> bool {
    let kind = run.objects[semaphore.index()].kind;
    matches!(kind, Kind::Semaphore { permits: 1, .. })
}

/// Whether two sites are at one address: cheaper than to compare what they say, and enough here.
fn is_same_place(one: Site, two: Site) -> bool {
    match (one, two) {
        (Site::Code(one), Site::Code(two)) => std::ptr::eq(one, two),
        (Site::Text(one), Site::Text(two)) => std::ptr::eq(one, two),
        _ => false,
    }
}

fn is_same_made(one: Option<Site>, two: Option<Site>) -> bool {
    match (one, two) {
        (Some(one), Some(two)) => is_same_place(one, two) || one == two,
        (None, None) => true,
        _ => false,
    }
}
