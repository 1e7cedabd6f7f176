//! One execution while it runs.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use crate::object::World;
use crate::op::{Action, Effect, How, Kind, ObjectId, Op, Site, ThreadId, Until, mask_of};
use crate::report;
use crate::trace::past::Past;
use crate::trace::spins::{self, Spin};
use crate::trace::verbs::verb;
use crate::trace::{Identity, Paths, ThreadKey};

/// Events at a standstill that do not count as steps.
const STANDSTILL_MAX: usize = 50_000;

/// One step that was done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) thread: ThreadId,
    /// Which operation of its thread it is, counted from 0.
    pub(crate) index: u32,
    pub(crate) op: Op,
    /// The case that was chosen, if it has any.
    pub(crate) case: Option<u32>,
    pub(crate) effect: Effect,
    pub(crate) site: Site,
    /// What an atomic held that it read, as far as an engine says.
    pub(crate) value: u64,
    /// How it counts as a change of what it touches, see [`spins`].
    pub(crate) change: i8,
}

/// One step of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) thread: ThreadId,
    /// The case that is chosen, if the step has any.
    pub(crate) case: Option<u32>,
}

/// A lock that a thread holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) lock: ObjectId,
    pub(crate) site: Site,
    /// Index of the event that took it.
    pub(crate) event: u32,
    /// Whether a try has failed while it was held: then it was not yet of use.
    pub(crate) try_failed: bool,
}

/// An operation that a thread is about to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    pub(crate) op: Op,
    pub(crate) site: Site,
    /// How many events there were when it was announced.
    pub(crate) announced: u32,
    /// Whether it had to wait at any time since then.
    pub(super) waits: bool,
}

/// One thread of the execution.
#[derive(Debug, Default)]
pub(crate) struct Thread {
    /// Whether it was spawned, and has not ended.
    pub(crate) live: bool,
    pub(crate) pending: Option<Pending>,
    /// All operations it announced, the pending one last.
    pub(crate) ops: Vec<Op>,
    /// Where it announced them.
    pub(crate) sites: Vec<Site>,
    pub(crate) held: Vec<Held>,
    pub(crate) name: Rc<str>,
    /// Whether the model's own code knows it by that name.
    pub(crate) named: bool,
    /// Its spawn path, as [`Paths::text`] has it.
    pub(crate) path: Rc<str>,
    /// How many threads it has spawned.
    pub(crate) children: u32,
    /// The event of its parent after which it was spawned; none at the very beginning.
    pub(crate) spawned_after: Option<u32>,
    /// How many of the events came before its last own one, plus 1; 0 when it has done none.
    pub(crate) last_event: u32,
    /// It may wait for ever without that being a defect.
    pub(crate) daemon: bool,
    /// It has woken spuriously so often.
    pub(crate) spurious: u32,
    /// It has joined a thread that panicked: its own panic is a consequence.
    pub(crate) joined_panicked: bool,
    pub(crate) panicked: bool,
    spin: Spin,
}

impl Event {
    pub(crate) fn turn(&self) -> Turn {
        Turn {
            thread: self.thread,
            case: self.case,
        }
    }
}

impl Thread {
    /// Whether this execution has not spawned it yet.
    pub(crate) fn is_unborn(&self) -> bool {
        !self.live && self.ops.is_empty()
    }
}

/// One object of the execution.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Object {
    pub(crate) kind: Kind,
    pub(crate) name: Cow<'static, str>,
    pub(crate) site: Option<Site>,
}

/// A spawn: not a step of its own, since no other thread can see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spawn {
    /// How many events there were.
    pub(crate) at: u32,
    pub(crate) parent: ThreadId,
    pub(crate) child: ThreadId,
    pub(crate) site: Site,
}

/// A model whose whole state is known: not only that of its objects, but where each thread is, and
/// what it remembers.
pub(crate) trait Program: fmt::Debug + Send + Sync {
    /// Adds the state of the threads to the hash; that of objects and variables is known.
    fn hash(&self, hasher: &mut dyn Hasher);

    /// The execution is over as no thread can go on, and all of them are still where they are.
    fn maximal(&self);
}

/// One execution, complete or under way. Reused from one execution to the next for its memory.
#[derive(Default)]
pub(crate) struct Run {
    /// Distinguishes this execution from all others of the process; never 0.
    pub(crate) epoch: u32,
    pub(crate) world: World,
    /// Indexed by [`ThreadId`]; those that this execution did not spawn are there, but not `live`.
    pub(crate) threads: Vec<Thread>,
    pub(crate) objects: Vec<Object>,
    /// Those of the execution before this one.
    objects_before: Vec<Object>,
    pub(crate) events: Vec<Event>,
    pub(crate) spawns: Vec<Spawn>,
    /// Names of slow calls, by the number in the operation.
    pub(crate) slow_names: Vec<&'static str>,
    /// Threads that are live, as a mask over ids.
    pub(crate) live: u64,
    /// Acquisitions that had to wait.
    pub(crate) contended: u64,
    /// Whether a thread has released what another one held.
    pub(crate) freed_by_others: bool,
    /// Whether a step was ever in the way of another thread's, in any execution: the two do not
    /// commute, and nothing but the schedule said which came first.
    pub(crate) has_met: bool,
    /// What was written to variables: event, variable, value; in the order of the events.
    pub(crate) writes: Vec<(u32, ObjectId, i64)>,
    /// The model, if its whole state is known.
    pub(crate) program: Option<Arc<dyn Program>>,
    /// The state at the last decision, if it is known and the strategy wants to know it.
    pub(crate) state: u128,
    /// After how many rounds of a loop to no purpose a thread waits for a change; none when it
    /// never does.
    spins_max: Option<u32>,
    /// Whether a thread has waited so, in any execution.
    pub(crate) waited_for_change: bool,
    /// The event since which changes are counted, in this execution.
    counted_since: Option<u32>,
    /// How many changes there were that others may go by.
    changes: u32,
    standstill: Option<Standstill>,
    loops: spins::Loops,
}

/// Since when nobody can go on, but those who go round a loop to no purpose.
#[derive(Clone, Copy, Debug)]
struct Standstill {
    /// How many events there were.
    events: u32,
    /// How many changes there were.
    changes: u32,
    /// Who went on last.
    last: Option<ThreadId>,
}

impl Run {
    /// Executions of the model, whose whole state is known if it is a program.
    pub(crate) fn new(program: Option<Arc<dyn Program>>, spins_max: Option<u32>) -> Run {
        Run {
            program,
            spins_max,
            ..Run::default()
        }
    }

    /// Begins a new execution with the main thread alone.
    pub(crate) fn restart(&mut self, epoch: u32, paths: &Paths) {
        self.epoch = epoch;
        self.world.clear();
        std::mem::swap(&mut self.objects, &mut self.objects_before);
        self.objects.clear();
        self.events.clear();
        self.spawns.clear();
        self.writes.clear();
        for thread in &mut self.threads {
            let mut ops = std::mem::take(&mut thread.ops);
            let mut sites = std::mem::take(&mut thread.sites);
            let mut held = std::mem::take(&mut thread.held);
            let mut spin = std::mem::take(&mut thread.spin);
            ops.clear();
            sites.clear();
            held.clear();
            spin.restart();
            *thread = Thread {
                ops,
                sites,
                held,
                spin,
                ..Thread::default()
            };
        }
        self.live = 0;
        self.contended = 0;
        self.freed_by_others = false;
        self.counted_since = None;
        self.changes = 0;
        self.leave_standstill();
        self.start(ThreadId::MAIN, None, None, paths);
    }

    /// Makes room for the threads up to this one.
    fn make_room(&mut self, id: ThreadId) {
        while self.threads.len() <= id.index() {
            self.threads.push(Thread::default());
        }
        self.world.add_thread(id);
    }

    /// Makes room for so many threads beside the main one; too many are for the spawn to refuse.
    #[cfg(feature = "scenario")]
    pub(crate) fn expect_threads(&mut self, count: usize) {
        self.make_room(ThreadId(count.min(ThreadId::COUNT_MAX - 1) as u8));
    }

    /// Makes the thread live.
    fn start(
        &mut self,
        id: ThreadId,
        name: Option<String>,
        spawned_after: Option<u32>,
        paths: &Paths,
    ) {
        self.make_room(id);
        let thread = &mut self.threads[id.index()];
        thread.live = true;
        thread.named = name.is_some() || id == ThreadId::MAIN;
        thread.name = name.map_or_else(|| paths.default_name(id), Rc::from);
        thread.path = paths.text(id);
        thread.spawned_after = spawned_after;
        self.live |= 1 << id.0;
    }

    /// Records a spawn and makes the child live; none when there are too many threads.
    pub(crate) fn spawn(
        &mut self,
        parent: ThreadId,
        name: Option<String>,
        site: Site,
        paths: &mut Paths,
    ) -> Option<ThreadId> {
        let number = self.threads[parent.index()].children;
        let child = paths.child(parent, number)?;
        let spawner = &mut self.threads[parent.index()];
        spawner.children += 1;
        spawner.spin.forget();
        self.changes += 1;
        let spawned_after = match spawner.last_event {
            0 => spawner.spawned_after,
            last => Some(last - 1),
        };
        self.start(child, name, spawned_after, paths);
        self.spawns.push(Spawn {
            at: self.events.len() as u32,
            parent,
            child,
            site,
        });
        Some(child)
    }

    /// Gives an object its number in this execution, which has not met it yet.
    pub(crate) fn meet(&mut self, identity: &Identity, kind: Kind) -> ObjectId {
        let id = self.world.add(kind);
        identity.register(self.epoch, id);
        let name = match identity.name() {
            "" => Cow::Borrowed(""),
            name => Cow::Owned(name.to_owned()),
        };
        self.objects.push(Object {
            kind,
            name,
            site: identity.site(),
        });
        id
    }

    /// The number of a slow call's name.
    pub(crate) fn slow_name(&mut self, name: &'static str) -> u32 {
        let known = self.slow_names.iter().position(|known| *known == name);
        let number = known.unwrap_or_else(|| {
            self.slow_names.push(name);
            self.slow_names.len() - 1
        });
        number as u32
    }

    /// Says what the thread is about to do.
    pub(crate) fn announce(&mut self, by: ThreadId, op: Op, site: Site) {
        // A guard is dropped somewhere inside `lock_api`; people know it by where they made it.
        let made = match (op.action, site) {
            (Action::Unread | Action::Unwrite | Action::Unupgradable, Site::Code(_)) => {
                self.how_held(op.object, by)
            }
            (Action::Unlock, Site::Code(_))
                if self.objects[op.object.index()].kind == Kind::Mutex =>
            {
                self.how_held(op.object, by)
            }
            _ => None,
        };
        let site = made.map_or(site, |held| held.site);
        let op = self.until_a_change(by, op);
        let announced = self.events.len() as u32;
        let thread = &mut self.threads[by.index()];
        debug_assert!(
            thread.pending.is_none(),
            "{by:?} announces two operations at once"
        );
        thread.pending = Some(Pending {
            op,
            site,
            announced,
            waits: false,
        });
        thread.ops.push(op);
        thread.sites.push(site);
        self.note_waiting(by);
    }

    /// Counts what the thread is about to do, if it is to take something that another has and was
    /// not counted yet.
    fn note_waiting(&mut self, by: ThreadId) {
        let Some(pending) = self.threads[by.index()].pending else {
            return;
        };
        let op = pending.op;
        if op.how == How::Try
            || pending.waits
            || !self.world.would_wait(op, by)
            || !self.world.footprint(op, by).disables
        {
            return;
        }
        self.contended += 1;
        if let Some(pending) = &mut self.threads[by.index()].pending {
            pending.waits = true;
        }
    }

    /// Notes for whom the step was in the way: `op` has just been done.
    fn note_meetings(&mut self, op: Op, by: ThreadId) {
        let footprint = self.world.footprint(op, by);
        let others = self.live & !(1 << by.0);
        if footprint.disables {
            for other in threads_in(others) {
                self.note_waiting(other);
            }
        }
        // That a thread ends before it is joined is not for a schedule to say.
        if !self.has_met && !matches!(op.action, Action::Exit | Action::Join) {
            self.has_met = threads_in(others).any(|other| {
                self.pending(other).is_some_and(|pending| {
                    let its = self.world.footprint(pending.op, other);
                    its.conflicts(&footprint)
                })
            });
        }
    }

    /// Forgets that the thread was to start: it has.
    #[cfg(feature = "loom")]
    pub(crate) fn started(&mut self, thread: ThreadId) {
        let thread = &mut self.threads[thread.index()];
        thread.pending = None;
        thread.ops.clear();
        thread.sites.clear();
    }

    /// The announced operation of a live thread.
    pub(crate) fn pending(&self, thread: ThreadId) -> Option<Pending> {
        self.threads[thread.index()].pending
    }

    /// The threads whose announced operation could be done now.
    pub(crate) fn enabled(&self) -> u64 {
        let mut enabled = 0;
        for thread in threads_in(self.live) {
            if let Some(pending) = self.pending(thread)
                && self.world.enabled(pending.op, thread)
            {
                enabled |= 1 << thread.0;
            }
        }
        enabled
    }

    /// Does the announced operation of the thread and records it, in one of its cases.
    pub(crate) fn execute(&mut self, by: ThreadId, case: u32) -> Event {
        let pending = self.threads[by.index()]
            .pending
            .take()
            .expect("an announced operation");
        let op = pending.op;
        let owner_before = self.owner_before(op);
        let useless = matches!(
            op.action,
            Action::Unlock | Action::Unread | Action::Unwrite | Action::Unupgradable
        ) && self
            .how_held(op.object, by)
            .is_some_and(|held| held.try_failed)
            || op.action == Action::Drop && self.threads[by.index()].spin.gives_back(op.object);
        let effect = self.world.apply(op, by, case);
        let number = self.events.len() as u32;
        self.update_held(op, by, effect, owner_before, pending.site);
        let thread = &mut self.threads[by.index()];
        thread.last_event = number + 1;
        if matches!(op.action, Action::Clone | Action::Revive) && effect.succeeded() {
            thread.spin.makes(op.object);
        }
        let index = thread.ops.len() as u32 - 1;
        if op.action == Action::Exit {
            thread.live = false;
            self.live &= !(1 << by.0);
        }
        let event = Event {
            thread: by,
            index,
            op,
            case: World::has_cases(op).then_some(case),
            effect,
            site: pending.site,
            value: 0,
            change: spins::change_of(op, effect, useless),
        };
        if self.counted_since.is_some() {
            self.world.count_change(op, by, event.change);
        }
        if let Until::Anyway(_) = op.until {
            self.has_gone_anyway(by);
        }
        if spins::is_progress(&event) {
            self.changes += 1;
        }
        self.events.push(event);
        self.note_meetings(op, by);
        event
    }

    /// What the last event, which read an atomic, found there; `failed` if it left it so though it
    /// was to change it.
    pub(crate) fn saw(&mut self, value: u64, failed: bool) {
        let Some(last) = self.events.last_mut() else {
            return;
        };
        last.value = value;
        if failed {
            last.effect = Effect::Failed;
            let event = *last;
            last.change = 0;
            self.changes -= u32::from(spins::is_progress(&event));
            if self.counted_since.is_some() {
                self.world
                    .count_change(event.op, event.thread, -event.change);
            }
        }
    }

    /// The operation that a thread is about to do, and what it waits for if the thread has come
    /// round a loop to no purpose.
    fn until_a_change(&mut self, by: ThreadId, op: Op) -> Op {
        let Some(max) = self.spins_max else {
            return op;
        };
        let thread = &mut self.threads[by.index()];
        let last = thread.last_event.checked_sub(1);
        let last = last.map(|at| self.events[at as usize]);
        if let Some(event) = last.filter(|event| thread.spin.is_to_note(event)) {
            let counted = self.counted_since.is_some();
            let hints = thread.spin.note(&event, &self.world, counted, max);
            if !counted && (hints || thread.spin.needs_counts()) {
                self.counted_since = Some(self.events.len() as u32);
            }
        }
        let until = thread.spin.until(op, by, &mut self.world);
        self.waited_for_change |= until != Until::Nothing;
        op.until(until)
    }

    /// Lets a thread that waits for a change go on anyway, now that nobody else can; whether there
    /// is one that may.
    pub(crate) fn go_on_anyway(&mut self) -> bool {
        let waits = |thread: &ThreadId| {
            let state = &self.threads[thread.index()];
            state.pending.is_some_and(|pending| {
                matches!(pending.op.until, Until::Change(_))
                    && self.world.is_possible(pending.op, *thread)
                    && state
                        .spin
                        .may_go_anyway(self.changes, pending.site, &self.loops)
            })
        };
        let mut threads = mask_of(threads_in(self.live).filter(waits));
        if self
            .standstill
            .is_none_or(|its| its.changes != self.changes)
        {
            self.leave_standstill();
        }
        let now = Standstill {
            events: self.events.len() as u32,
            changes: self.changes,
            last: None,
        };
        let standstill = self.standstill.get_or_insert(now);
        // One after the other: what they do alone is the same in whatever order.
        if let Some(last) = standstill.last
            && threads & (1 << last.0) != 0
        {
            threads = 1 << last.0;
        }
        for thread in threads_in(threads) {
            self.set_until(thread, Until::Anyway);
        }
        threads != 0
    }

    /// Somebody goes on by itself again.
    fn leave_standstill(&mut self) {
        if self.standstill.take().is_some() {
            self.loops.go_on();
        }
    }

    /// The thread has gone on though it waits for a change; the others wait on.
    fn has_gone_anyway(&mut self, by: ThreadId) {
        let thread = &mut self.threads[by.index()];
        thread.spin.goes_anyway(self.changes);
        if let Some(&site) = thread.sites.last() {
            self.loops.goes_round(site, thread.spin.gone_anyway());
        }
        if let Some(standstill) = &mut self.standstill {
            standstill.last = Some(by);
        }
        for thread in threads_in(self.live & !(1 << by.0)) {
            self.set_until(thread, Until::Change);
        }
    }

    fn set_until(&mut self, thread: ThreadId, until: impl FnOnce(u32) -> Until) {
        let state = &mut self.threads[thread.index()];
        if let Some(pending) = &mut state.pending
            && let Until::Change(list) | Until::Anyway(list) = pending.op.until
        {
            pending.op.until = until(list);
            if let Some(op) = state.ops.last_mut() {
                *op = pending.op;
            }
        }
    }

    /// Nobody will ever go on: forgets the rounds that threads have gone, to no purpose, since that
    /// has been so.
    pub(crate) fn forget_standstill(&mut self) {
        let Some(since) = self.standstill.take() else {
            return;
        };
        // Somebody may have left its loop in the meantime, and come to something else.
        let goes_round = |event: &Event| {
            let pending = self.pending(event.thread);
            pending.is_some_and(|pending| matches!(pending.op.until, Until::Change(_)))
        };
        let mut rounds = self.events[since.events as usize..].iter();
        if since.changes != self.changes || !rounds.all(goes_round) {
            return self.loops.go_on();
        }
        let pending = threads_in(self.live).filter_map(|thread| self.pending(thread));
        let waits = pending.filter(|its| matches!(its.op.until, Until::Change(_)));
        let sites: Vec<Site> = waits.map(|its| its.site).collect();
        self.loops.are_stubborn(sites.into_iter());
        let forgotten = self.events.split_off(since.events as usize);
        for event in forgotten.iter().rev() {
            let thread = &mut self.threads[event.thread.index()];
            thread.ops.truncate(event.index as usize + 1);
            thread.sites.truncate(event.index as usize + 1);
            // It waits for a change since it looked last, not since it looked then.
            let until = thread.pending.map_or(Until::Nothing, |its| its.op.until);
            let op = event.op.until(until);
            if let Some(last) = thread.ops.last_mut() {
                *last = op;
            }
            thread.pending = Some(Pending {
                op,
                site: event.site,
                announced: since.events,
                waits: true,
            });
            let own = |its: &Event| its.thread == event.thread;
            let last = self.events.iter().rposition(own);
            thread.last_event = last.map_or(0, |at| at as u32 + 1);
        }
    }

    /// How many steps count: rounds at a standstill have a bound of their own.
    pub(crate) fn steps_counted(&self) -> usize {
        let since = self.standstill.filter(|its| its.changes == self.changes);
        let free = since.filter(|its| self.events.len() - its.events as usize <= STANDSTILL_MAX);
        free.map_or(self.events.len(), |its| its.events as usize)
    }

    /// How often a thread has gone round a loop while it waits for a change, and nothing changed:
    /// so much later than it asked for may a timed wait of it end.
    pub(crate) fn gone_anyway(&self, thread: ThreadId) -> u32 {
        self.threads[thread.index()].spin.gone_anyway()
    }

    /// The state of everything, if the model's whole state is known: the same number for the same
    /// state, and different ones for different states but for a chance of 2^-128 or so a pair.
    pub(crate) fn state_hash(&self) -> Option<u128> {
        let program = self.program.as_ref()?;
        let mut hasher = DefaultHasher::new();
        self.world.hash_state(&mut hasher);
        self.live.hash(&mut hasher);
        // A statement may be several operations, and an object need not show which is next.
        for thread in threads_in(self.live) {
            let action = self.pending(thread).map(|pending| pending.op.action);
            action.hash(&mut hasher);
        }
        program.hash(&mut hasher);
        let half = hasher.finish();
        // The hasher's own state is larger than what it gives at a time.
        hasher.write_u8(u8::MAX);
        Some(u128::from(half) << 64 | u128::from(hasher.finish()))
    }

    /// The schedule so far.
    pub(crate) fn schedule(&self) -> Vec<Turn> {
        self.events.iter().map(Event::turn).collect()
    }

    /// The last event wrote this value.
    #[cfg(feature = "scenario")]
    pub(crate) fn set_variable(&mut self, variable: ObjectId, value: i64) {
        self.world.set_variable(variable, value);
        let event = self.events.len() as u32 - 1;
        self.writes.push((event, variable, value));
    }

    /// Does an event again, in another world.
    pub(crate) fn redo(&self, world: &mut World, number: u32) {
        let event = self.events[number as usize];
        world.apply(event.op, event.thread, event.case.unwrap_or(0));
        if self.counted_since.is_some_and(|since| number >= since) {
            world.count_change(event.op, event.thread, event.change);
        }
        for &(_, variable, value) in self.writes_of(number) {
            world.set_variable(variable, value);
        }
    }

    /// Does an event of another run, which has the same objects and threads, as the next one of this.
    pub(super) fn repeat(&mut self, of: &Run, number: u32) {
        let event = of.events[number as usize];
        let owner_before = self.owner_before(event.op);
        of.redo(&mut self.world, number);
        self.update_held(
            event.op,
            event.thread,
            event.effect,
            owner_before,
            event.site,
        );
        let at = self.events.len() as u32;
        let thread = &mut self.threads[event.thread.index()];
        thread.ops.push(event.op);
        thread.sites.push(event.site);
        thread.last_event = at + 1;
        if event.op.action == Action::Exit {
            thread.live = false;
            self.live &= !(1 << event.thread.0);
        }
        let writes = of.writes_of(number).iter();
        self.writes
            .extend(writes.map(|&(_, variable, value)| (at, variable, value)));
        self.events.push(event);
    }

    /// Who holds what the operation is about to give back.
    fn owner_before(&self, op: Op) -> Option<ThreadId> {
        match op.action {
            Action::Unlock => self.world.holder(op.object),
            Action::Wait => self.world.holder(op.other()),
            _ => None,
        }
    }

    /// What the event wrote.
    fn writes_of(&self, event: u32) -> &[(u32, ObjectId, i64)] {
        let first = self.writes.partition_point(|(at, ..)| *at < event);
        let len = self.writes[first..].partition_point(|(at, ..)| *at == event);
        &self.writes[first..first + len]
    }

    fn update_held(
        &mut self,
        op: Op,
        by: ThreadId,
        effect: Effect,
        owner_before: Option<ThreadId>,
        site: Site,
    ) {
        match op.purpose() {
            Action::Lock
            | Action::Read
            | Action::ReadRecursive
            | Action::Write
            | Action::Upgradable => {
                if effect.succeeded() {
                    self.hold(op.object, by, site);
                } else if effect == Effect::Failed {
                    let held = &mut self.threads[by.index()].held;
                    held.iter_mut().for_each(|held| held.try_failed = true);
                }
            }
            Action::Unlock if effect.succeeded() => {
                if let Some(owner) = owner_before {
                    self.let_go(op.object, owner);
                    self.freed_by_others |= owner != by;
                }
            }
            Action::Unread | Action::Unwrite | Action::Unupgradable => {
                self.let_go(op.object, by);
            }
            Action::Wait if effect.succeeded() => {
                // A lock without an owner may be another thread's.
                let owner = owner_before.unwrap_or(by);
                self.let_go(op.other(), owner);
                self.freed_by_others |= owner != by;
            }
            Action::Wake => self.hold(op.other(), by, site),
            _ => {}
        }
    }

    fn hold(&mut self, lock: ObjectId, by: ThreadId, site: Site) {
        let event = self.events.len() as u32;
        self.threads[by.index()].held.push(Held {
            lock,
            site,
            event,
            try_failed: false,
        });
    }

    fn let_go(&mut self, lock: ObjectId, owner: ThreadId) {
        let held = &mut self.threads[owner.index()].held;
        if let Some(at) = held.iter().rposition(|held| held.lock == lock) {
            held.remove(at);
        }
    }

    /// How the thread took the lock that it holds.
    pub(crate) fn how_held(&self, lock: ObjectId, by: ThreadId) -> Option<Held> {
        self.threads[by.index()]
            .held
            .iter()
            .rev()
            .find(|held| held.lock == lock)
            .copied()
    }

    /// The object's name, for people.
    pub(crate) fn object_name(&self, id: ObjectId) -> String {
        name_of(&self.objects, id)
    }

    /// Whether the object of this number is, by name and place, the one that had it in the execution
    /// before.
    pub(crate) fn is_as_before(&self, id: ObjectId) -> bool {
        self.objects.get(id.index()) == self.objects_before.get(id.index())
    }

    /// "lock `orders` at src/lib.rs:5:3".
    pub(crate) fn in_words(&self, op: Op, site: Site) -> String {
        in_words(op, site, &self.objects)
    }

    /// The same, of an operation of the execution before.
    pub(crate) fn in_words_before(&self, op: Op, site: Site) -> String {
        in_words(op, site, &self.objects_before)
    }

    /// The thread's name, for people.
    pub(crate) fn thread_name(&self, id: ThreadId) -> String {
        self.threads[id.index()].name.to_string()
    }

    /// The name that the thread was given, if it was.
    pub(crate) fn given_name(&self, id: ThreadId, paths: &Paths) -> Option<String> {
        let name = &self.threads[id.index()].name;
        (**name != *paths.default_name(id)).then(|| name.to_string())
    }

    /// The live or ended thread that the key means: the one of its name, else of its path.
    pub(crate) fn thread_of(&self, key: &ThreadKey) -> Option<ThreadId> {
        let born = || (0..self.threads.len()).filter(|&at| !self.threads[at].is_unborn());
        let id = |at: usize| ThreadId(at as u8);
        if let Some(name) = &key.name {
            let mut named = born().filter(|&at| *self.threads[at].name == **name);
            if let (Some(at), None) = (named.next(), named.next()) {
                return Some(id(at));
            }
        }
        let found = born().find(|&at| *self.threads[at].path == *key.path);
        found.map(id)
    }

    /// What an operation is, whatever was edited elsewhere: its name, and that of what it is about;
    /// for an object without a name the kind and the file, but not the line.
    pub(crate) fn operation_key(&self, op: Op) -> String {
        let verb = self.verb(op);
        let of_object = |id: ObjectId| {
            let object = &self.objects[id.index()];
            match (object.name.is_empty(), object.site) {
                (false, _) => object.name.to_string(),
                (true, Some(site)) => format!("{}@{}", kind_name(object.kind), site.file()),
                (true, None) => kind_name(object.kind).to_owned(),
            }
        };
        let subject = match op.action {
            Action::Spawn | Action::Join | Action::IsFinished | Action::Unpark => {
                Some(self.threads[op.thread().index()].name.to_string())
            }
            Action::Slow => self.subject(op),
            _ if op.object == ObjectId::NONE => {
                let objects = self.world.objects_of(op).into_iter().map(of_object);
                let objects: Vec<String> = objects.collect();
                (!objects.is_empty()).then(|| objects.join("+"))
            }
            _ => Some(of_object(op.object)),
        };
        subject.map_or_else(|| verb.to_owned(), |subject| format!("{verb}+{subject}"))
    }

    /// What the operation is about, for people: an object, a thread, a slow call.
    pub(crate) fn subject(&self, op: Op) -> Option<String> {
        match op.action {
            Action::Spawn | Action::Join | Action::IsFinished | Action::Unpark => {
                Some(self.thread_name(op.thread()))
            }
            Action::Slow => Some(self.slow_names[op.arg as usize].to_owned()),
            _ if op.object == ObjectId::NONE => {
                let names: Vec<String> = self
                    .world
                    .objects_of(op)
                    .into_iter()
                    .map(|id| self.object_name(id))
                    .collect();
                (!names.is_empty()).then(|| names.join(", "))
            }
            _ => Some(self.object_name(op.object)),
        }
    }

    /// What the operation is called, for people.
    pub(crate) fn verb(&self, op: Op) -> &'static str {
        let kind = self
            .objects
            .get(op.object.index())
            .map(|object| object.kind);
        verb(op, kind)
    }

    /// The steps so far, spawns and waiting threads included, for a report. Also says for each
    /// event, and for the waiting operation of each thread, which number its step has.
    pub(crate) fn steps(&self) -> Steps {
        let mut steps = Steps {
            list: Vec::new(),
            of_event: Vec::new(),
            waiting: Vec::new(),
        };
        let turns = Past::last_turns(self);
        let waiting: Vec<(ThreadId, Pending, u32)> = threads_in(self.live)
            .filter_map(|thread| Some((thread, self.pending(thread)?)))
            .filter(|(thread, pending)| !self.world.enabled(pending.op, *thread))
            .map(|(thread, pending)| {
                // It waits from when it could not go on any more: before that it only was not its
                // turn.
                let since = pending.announced.max(turns[thread.index()]);
                (thread, pending, since)
            })
            .collect();
        let looked_at = self.looked_at();
        let mut past = Past::of(self);
        for at in 0..=self.events.len() as u32 {
            for spawn in self.spawns.iter().filter(|spawn| spawn.at == at) {
                let op = Op::of_thread(Action::Spawn, spawn.child);
                self.push(
                    &mut steps,
                    spawn.parent,
                    op,
                    report::Outcome::Done,
                    spawn.site,
                );
            }
            for &(thread, pending, _) in waiting.iter().filter(|(_, _, since)| *since == at) {
                self.push(
                    &mut steps,
                    thread,
                    pending.op,
                    report::Outcome::Blocked,
                    pending.site,
                );
                steps.waiting.push((thread, steps.list.len() as u32));
            }
            if let Some(event) = self.events.get(at as usize) {
                let outcome = match event.effect {
                    _ if event.op.action == Action::Choose => {
                        report::Outcome::Chose(event.case.unwrap_or(0))
                    }
                    Effect::Done | Effect::Chose(_) => report::Outcome::Done,
                    Effect::Failed => report::Outcome::Failed,
                    Effect::Queued => report::Outcome::Queued,
                    Effect::Closed => report::Outcome::Closed,
                };
                let number = steps.list.len();
                if !self.is_bookkeeping(event, &looked_at) {
                    self.push(&mut steps, event.thread, event.op, outcome, event.site);
                }
                past.pass(steps.list.get_mut(number));
                steps.of_event.push(steps.list.len() as u32);
            }
        }
        steps
    }

    /// Handles of shared values that somebody looks at, or counts.
    fn looked_at(&self) -> BTreeSet<u32> {
        let looks = |its: &&Event| {
            let action = its.op.action;
            matches!(action, Action::Count | Action::Revive | Action::Unwrap)
        };
        let looks = self.events.iter().filter(looks);
        looks
            .flat_map(|its| [its.op.object.0, its.op.with])
            .collect()
    }

    /// Whether the event is about a handle of a shared value, and of no interest: nobody looks at how
    /// many there are, and it is not the last one.
    fn is_bookkeeping(&self, event: &Event, looked_at: &BTreeSet<u32>) -> bool {
        let object = event.op.object;
        if looked_at.contains(&object.0) {
            return false;
        }
        match event.op.action {
            Action::Clone => true,
            Action::Drop => {
                let keeps_value = matches!(self.objects[object.index()].kind, Kind::Arc { .. });
                event.effect == Effect::Chose(0) || !keeps_value
            }
            _ => false,
        }
    }

    /// The thread that starts those of a scenario is none that people know.
    pub(crate) fn is_known(&self, thread: ThreadId) -> bool {
        self.program.is_none() || thread != ThreadId::MAIN
    }

    fn push(
        &self,
        steps: &mut Steps,
        thread: ThreadId,
        op: Op,
        outcome: report::Outcome,
        site: Site,
    ) {
        if !self.is_known(thread) {
            return;
        }
        steps.list.push(report::Step {
            number: steps.list.len() as u32 + 1,
            thread: self.thread_name(thread),
            operation: self.verb(op).to_owned(),
            object: self.subject(op),
            outcome,
            site: report::Site::at(site),
            acquires: Vec::new(),
            releases: Vec::new(),
            alternatives: Vec::new(),
        });
    }
}

/// "lock `orders` at src/lib.rs:5:3", in an execution that has these objects.
pub(super) fn in_words(op: Op, site: Site, objects: &[Object]) -> String {
    let kind = objects.get(op.object.index()).map(|object| object.kind);
    let verb = verb(op, kind);
    let of = match objects.get(op.object.index()) {
        Some(_) => format!(" `{}`", name_of(objects, op.object)),
        None if op.action == Action::Choose => format!(" one of {} cases", op.arg),
        None => String::new(),
    };
    format!("{verb}{of} at {site}")
}

/// The name of an object of an execution that has these, for people.
fn name_of(objects: &[Object], id: ObjectId) -> String {
    let object = &objects[id.index()];
    if !object.name.is_empty() {
        return object.name.to_string();
    }
    let kind = kind_name(object.kind);
    let Some(site) = object.site else {
        return format!("{kind}#{}", id.0);
    };
    let file = site
        .file()
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or(site.file());
    let same = |other: &&Object| other.name.is_empty() && other.site == object.site;
    let twins = objects.iter().filter(same).count();
    if twins == 1 {
        return format!("{kind}@{file}:{}", site.line());
    }
    let before = objects[..id.index()].iter().filter(same).count();
    format!("{kind}@{file}:{}#{}", site.line(), before + 1)
}

/// What an object of this kind is called.
pub(super) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Mutex => "mutex",
        Kind::RawLock => "lock",
        Kind::RwLock(_) => "rwlock",
        Kind::Condvar { .. } => "condvar",
        Kind::Semaphore { .. } => "semaphore",
        Kind::Channel { .. } => "channel",
        Kind::WaitGroup { .. } => "wait-group",
        Kind::Barrier { .. } => "barrier",
        Kind::Once { .. } => "once",
        Kind::Notify => "notify",
        Kind::Gate => "gate",
        Kind::Arc { .. } => "arc",
        Kind::Weak { .. } => "weak",
        Kind::Atomic => "atomic",
        Kind::Ghost => "ghost",
        Kind::Variable { .. } => "variable",
    }
}

/// The steps of a run as a report shows them.
pub(crate) struct Steps {
    pub(crate) list: Vec<report::Step>,
    /// By event: the number of its step.
    pub(crate) of_event: Vec<u32>,
    /// The number of the step at which each waiting thread waits.
    pub(crate) waiting: Vec<(ThreadId, u32)>,
}

/// The threads in a mask, in the order of their ids.
pub(crate) fn threads_in(mut mask: u64) -> impl Iterator<Item = ThreadId> {
    std::iter::from_fn(move || {
        if mask == 0 {
            return None;
        }
        let id = ThreadId(mask.trailing_zeros() as u8);
        mask &= mask - 1;
        Some(id)
    })
}
