//! The loom engine: the same operations on loom's primitives, for a second opinion and for weak
//! memory.
//!
//! The only file that knows loom. Loom decides who runs and explores exhaustively in its own way;
//! our record of the execution runs alongside, so that a deadlock is recognised, and the execution
//! ended quietly, before loom finds no thread to run and panics.
//!
//! | operation | on loom |
//! |---|---|
//! | lock, unlock | its mutex, the guard kept beside it |
//! | try-lock, timed lock, is-locked, wait | a lock of our own on its atomics and `park` (loom #376) |
//! | everything else that waits | our own objects: an atomic for each cell of the footprint, `park` |
//! | handles of an `Arc` | an atomic for each kind: a load to make one, else a read-modify-write |
//! | load, store, update | its atomics, 64 bits wide, with the orderings asked for |
//! | ghost variable | a read-modify-write on an atomic of its own |
//! | spawn, join | its threads |
//! | park, unpark | a token of ours on its atomics and `park` |
//! | choose | not loom's: all combinations are tried from outside, one loom model each |
//!
//! Which locks are ever tried is not known beforehand: when a plain one is, the search starts again
//! with that knowledge. So it is with the number of atomics: loom wants each made before every
//! thread that uses it, ours are met at their first use, so the main thread makes a stock of them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use loom::sync::atomic::AtomicU64;

use super::search::{self, Search};
use super::searches::Number;
use super::session::{self, Phase, Session, Standing, current};
use super::watch::Watch;
use super::{Access, Body, DRIVER, Driver, Identity, Model, Outcome, panics, stacks};
use crate::config::{Config, Strategy};
use crate::explore::Ending;
use crate::object::{Cell, Mode, World};
use crate::op::{Action, Effect, How as Insistence, Kind, ObjectId, Op, Site, ThreadId};

/// Most threads of a model, the main one included: loom's limit.
const THREADS_MAX: usize = loom::MAX_THREADS;

thread_local! {
    static CONTEXT: RefCell<Option<Context>> = const { RefCell::new(None) };
}

/// What the engine adds to the session.
#[derive(Default)]
struct Context {
    /// By object.
    objects: Vec<Object>,
    /// By thread.
    threads: Vec<Thread>,
    /// What conflicts over the cells of our own objects, by the number of the cell.
    cells: BTreeMap<usize, Rc<AtomicU64>>,
    /// What conflicts over what invariants read.
    observed: Option<Rc<AtomicU64>>,
    /// Atomics that the main thread made at the beginning, for whoever needs one.
    stock: Vec<Rc<AtomicU64>>,
    knowledge: Knowledge,
    /// The choices of this combination, by thread and number of its choice.
    choices: BTreeMap<ChoiceKey, u32>,
    /// Choices that were met without being in `choices`, in the order they were met, with how many
    /// cases they have. They got case 0.
    met: Vec<(ChoiceKey, u32)>,
    /// Set when the search is to start again with more knowledge.
    restart: bool,
    executions: u64,
    /// Threads of this execution, the main one included.
    started: usize,
}

type ChoiceKey = (ThreadId, u32);

/// What is learned about a model, from one start of its search to the next.
#[derive(Default)]
struct Knowledge {
    /// Locks, by name and place, that are tried, timed or asked about.
    tried: BTreeSet<LockKey>,
    /// Whether a thread has yielded.
    yields: bool,
    /// Whether the model asks threads if they are finished.
    asks_finished: bool,
    /// How many atomics one execution needs.
    cells: usize,
}

/// Atomics that are made at first.
const CELLS_MIN: usize = 4;

type LockKey = (String, Option<String>);

enum Object {
    Lock {
        lock: Rc<loom::sync::Mutex<()>>,
        guard: Option<Guard>,
    },
    Tried {
        cell: Rc<AtomicU64>,
    },
    /// Everything else: its cells conflict.
    Own,
    /// `cell` holds the value exclusive-or `start`: cells of the stock start at 0.
    Value {
        cell: Rc<AtomicU64>,
        start: u64,
    },
}

type Guard = loom::sync::MutexGuard<'static, ()>;

#[derive(Default)]
struct Thread {
    handle: Option<loom::thread::JoinHandle<()>>,
    /// For waking it up, while it waits in loom's `park`; loom's `unpark` wakes it from elsewhere
    /// as well.
    parked: Option<loom::thread::Thread>,
    /// What conflicts over its token.
    token: Option<Rc<AtomicU64>>,
    /// What conflicts over its end, if anyone asks.
    end: Option<Rc<AtomicU64>>,
    choices: u32,
}

fn with<R>(f: impl FnOnce(&mut Context, &mut Session) -> R) -> R {
    CONTEXT.with_borrow_mut(|context| {
        let context = context.as_mut().expect("a model is running");
        session::with(|session| f(context, session))
    })
}

/// Lets loom do something during which it may run other threads.
fn loomed<R>(f: impl FnOnce() -> R) -> R {
    session::switching(f)
}

/// The object's number in this execution; loom's side of it is made when it is first met.
pub(super) fn object(identity: &Identity, kind: Kind, value: impl FnOnce() -> u64) -> ObjectId {
    let id = session::object(identity, kind);
    let known = with(|context, _| context.objects.len());
    if id.index() == known {
        let value = value();
        let key = (
            identity.name().to_owned(),
            identity.site().map(|site| site.to_string()),
        );
        let tried = with(|context, _| context.knowledge.tried.contains(&key));
        let is_lock = matches!(kind, Kind::Mutex | Kind::RawLock);
        let is_value = matches!(kind, Kind::Atomic | Kind::Ghost);
        with(|context, session| {
            let object = match (is_lock, tried) {
                (false, _) if !is_value => Object::Own,
                (true, false) => Object::Lock {
                    lock: Rc::new(loom::sync::Mutex::new(())),
                    guard: None,
                },
                (true, true) => Object::Tried {
                    cell: context.new_cell(),
                },
                (false, _) => Object::Value {
                    cell: context.new_cell(),
                    start: value,
                },
            };
            context.objects.push(object);
            debug_assert_eq!(context.objects.len(), session.search.run.objects.len());
        });
    }
    id
}

/// Does one operation of the current thread; an atomic's is done by the caller's `act` instead.
pub(super) fn perform(op: Op, site: Site) -> Effect {
    perform_as(op, site, || act(op))
}

fn perform_as(op: Op, site: Site, act: impl FnOnce()) -> Effect {
    let mut act = Some(act);
    loop {
        match session::with(|session| session.standing(op)) {
            Standing::Step => {
                if let Some(effect) = step(op, site, act.take().expect("a step is done once")) {
                    return effect;
                }
            }
            Standing::Done(effect) => return effect,
            Standing::Unwind => session::unwind(),
            // Who it is is loom's to say.
            Standing::Let(_) => loomed(loom::thread::yield_now),
            Standing::Abandon => stacks::abandon(),
        }
    }
}

/// One step; none when the execution is over before it is done.
fn step(op: Op, site: Site, act: impl FnOnce()) -> Option<Effect> {
    let me = current();
    if !announce(op, site) {
        return None;
    }
    act();
    if session::with(|session| session.phase) != Phase::Running {
        give_back(op);
        return None;
    }
    let case = choose(me, op);
    let effect = session::with(|session| session.search.execute(me, case).effect);
    with(|context, session| context.after(session, op, effect));
    Some(effect)
}

/// Says what the current thread is about to do; false when that ends the execution.
fn announce(op: Op, site: Site) -> bool {
    if session::with(|session| session.has_unchecked_steps()) {
        session::check_invariants(site);
    }
    let goes_on = with(|context, session| {
        session.search.announce(current(), op, site);
        context.learn(session, op);
        if context.restart || session.search.out_of_bounds() {
            if !context.restart {
                session.search.report_capped();
            }
            session.finish(Ending::Capped);
            return false;
        }
        if session.search.run.enabled() == 0 {
            session.search.report_stuck();
            session.finish(Ending::Maximal);
            return false;
        }
        true
    });
    if !goes_on {
        wake_all();
    }
    goes_on
}

/// What loom does for an operation. On return it may be done in our record.
fn act(op: Op) {
    touch_observed(op);
    match op.action {
        Action::Lock | Action::Unlock | Action::IsLocked if is_lock(op.object) => act_on_lock(op),
        Action::Load | Action::Store | Action::Update => {
            let (cell, _) = with(|context, _| context.value(op.object));
            touch_cell(&cell);
        }
        // Loom leaves orders out after a yield, on the assumption that it is a spinning thread's. A
        // scenario's means nothing.
        Action::Yield if session::with(|session| session.search.run.program.is_some()) => {}
        Action::Yield => {
            with(|context, _| context.knowledge.yields = true);
            loomed(loom::thread::yield_now);
        }
        Action::Join => join(op.thread()),
        Action::Park => {
            let cell = with(|context, _| context.token(current()));
            wait_until(&[cell], op);
        }
        Action::Unpark => {
            let cell = with(|context, _| context.token(op.thread()));
            touch_cell(&cell);
        }
        Action::IsFinished => touch_cell(&with(|context, _| context.end(op.thread()))),
        Action::Exit => {
            if with(|context, _| context.knowledge.asks_finished) {
                touch_cell(&with(|context, _| context.end(current())));
            }
        }
        _ if World::is_about_handles(op) => act_on_handles(op),
        Action::Start | Action::Spawn | Action::Slow | Action::Sleep | Action::Choose => {}
        _ => {
            let cells = with(|context, session| {
                let footprint = session.search.run.world.footprint(op, current());
                let cells = footprint.cells().iter();
                let cells = cells.filter(|(cell, _)| *cell != Cell::INVARIANT);
                let cells: Vec<_> = cells.map(|(cell, _)| context.cell(*cell, op)).collect();
                cells
            });
            wait_until(&cells, op);
        }
    }
}

/// Handles of a shared value: as std's `Arc` orders what is before and after them. Who makes one
/// conflicts only with those who give one back or look.
fn act_on_handles(op: Op) {
    let (cells, commutes) = with(|context, session| {
        let world = &session.search.run.world;
        let footprint = world.footprint(op, current());
        let cells = footprint.cells().iter();
        let cells = cells.filter(|(cell, _)| *cell != Cell::INVARIANT);
        let commutes = cells.clone().all(|(_, mode)| *mode == Mode::Signal);
        let cells: Vec<_> = cells.map(|(cell, _)| context.cell(*cell, op)).collect();
        (cells, commutes)
    });
    for cell in cells {
        loomed(|| match (commutes, op.action) {
            (true, _) => cell.load(Ordering::Relaxed),
            (false, Action::Drop) => cell.fetch_add(1, Ordering::Release),
            (false, _) => cell.fetch_add(1, Ordering::Acquire),
        });
    }
    let is_last = session::with(|session| session.search.run.world.drops_value(op));
    if is_last {
        // As std's own, before it drops the value.
        loom::sync::atomic::fence(Ordering::Acquire);
    }
}

/// A point at which loom sees a conflict with every other use of the cell.
fn touch_cell(cell: &AtomicU64) {
    loomed(|| cell.fetch_add(1, Ordering::SeqCst));
}

/// Whether loom has a lock for the object, or we have one on its atomics.
fn is_lock(object: ObjectId) -> bool {
    with(|context, _| !matches!(context.objects[object.index()], Object::Own))
}

fn act_on_lock(op: Op) {
    enum How {
        Plain(Rc<loom::sync::Mutex<()>>),
        Tried(Rc<AtomicU64>),
    }
    let how = with(|context, _| match &context.objects[op.object.index()] {
        Object::Lock { lock, .. } => How::Plain(Rc::clone(lock)),
        Object::Tried { cell } => How::Tried(Rc::clone(cell)),
        Object::Value { .. } | Object::Own => unreachable!("only locks are locked"),
    });
    match how {
        How::Plain(lock) if op.action == Action::Lock && op.how == Insistence::Insist => {
            let guard = loomed(|| {
                let guard = lock
                    .lock()
                    .unwrap_or_else(|_| unreachable!("never poisoned"));
                // SAFETY: only the lifetime changes. The guard is kept beside its lock, and goes
                // before it.
                unsafe { std::mem::transmute::<loom::sync::MutexGuard<'_, ()>, Guard>(guard) }
            });
            with(|context, _| context.keep(op.object, guard));
        }
        // It is released when the release is recorded: no other thread runs in between.
        How::Plain(_) => {}
        How::Tried(cell) if op.action == Action::Lock => wait_until(&[cell], op),
        How::Tried(cell) => touch_cell(&cell),
    }
}

/// Waits until our record says that the operation is enabled.
fn wait_until(cells: &[Rc<AtomicU64>], op: Op) {
    loop {
        for cell in cells {
            touch_cell(cell);
        }
        let (goes_on, over) = session::with(|session| {
            let enabled = session.search.run.world.enabled(op, current());
            (enabled, session.phase != Phase::Running)
        });
        if goes_on || over {
            return;
        }
        with(|context, _| context.thread(current()).parked = Some(loom::thread::current()));
        loomed(loom::thread::park);
        with(|context, _| context.thread(current()).parked = None);
    }
}

fn join(thread: ThreadId) {
    let handle = with(|context, _| context.threads[thread.index()].handle.take());
    if let Some(handle) = handle {
        // The result is in a packet of our own.
        let _ = loomed(|| handle.join());
    }
}

/// The execution ended while the operation was under way: what loom has given is given back.
fn give_back(op: Op) {
    if op.action == Action::Lock {
        let guard = with(|context, _| context.take_guard(op.object));
        drop(guard);
    }
}

/// The execution is over: everyone who waits in loom is woken up, to unwind.
fn wake_all() {
    loom::skip_branch();
    with(|context, _| {
        for at in 0..context.objects.len() {
            drop(context.take_guard(ObjectId(at as u32)));
        }
        context.wake_parked();
    });
}

/// The case of the operation. Loom knows no such choice: there is one number for each of a
/// thread's choices, from outside, and where there are fewer cases several numbers mean the same.
fn choose(me: ThreadId, op: Op) -> u32 {
    let (cases, most) = session::with(|session| {
        let run = &session.search.run;
        let most = match op.action {
            Action::NotifyOne => run.spawns.len(),
            Action::Select | Action::Queued => run.world.objects_of(op).len(),
            _ => 0,
        };
        (run.world.cases(op, me), most)
    });
    match cases[..] {
        [only] => only,
        _ => cases[number(me, cases.len().max(most) as u32) as usize % cases.len()],
    }
}

fn number(me: ThreadId, cases: u32) -> u32 {
    with(|context, _| {
        let thread = context.thread(me);
        let key = (me, thread.choices);
        thread.choices += 1;
        if let Some(&case) = context.choices.get(&key) {
            return case.min(cases - 1);
        }
        if !context.met.iter().any(|(known, _)| *known == key) {
            context.met.push((key, cases));
        }
        0
    })
}

/// Starts a thread.
pub(super) fn spawn(name: Option<String>, body: Body, site: Site) -> ThreadId {
    let me = current();
    let child = with(|context, session| {
        let running = session.phase == Phase::Running;
        if context.started >= THREADS_MAX {
            if running {
                session.search.fail(format!(
                    "loom allows {THREADS_MAX} threads, the main one included, and this model \
                     starts more: use the controlled engine"
                ));
                session.finish(Ending::Capped);
            }
            return None;
        }
        let child = session.search.spawn(me, name, site)?;
        context.started += 1;
        if running {
            let start = Op::plain(Action::Start, 0);
            session.search.run.announce(child, start, site);
        }
        session.alive |= 1 << child.0;
        *context.thread(child) = Thread::default();
        Some(child)
    });
    let Some(child) = child else {
        wake_all();
        // There is no such thread to go on with: in reality it could not be started either.
        session::give_up_spawn(body);
    };
    let handle = loomed(|| loom::thread::spawn(move || thread_main(child, site, body)));
    with(|context, _| {
        context.thread(child).handle = Some(handle);
    });
    child
}

fn thread_main(me: ThreadId, site: Site, body: Body) {
    session::with(|session| session.search.run.started(me));
    session::thread_main(me, body, move || {
        perform(Op::plain(Action::Exit, 0), site);
    });
    let over = with(|_, session| {
        let run = &session.search.run;
        let stuck = session.phase == Phase::Running && run.live != 0 && run.enabled() == 0;
        if stuck {
            session.search.report_stuck();
        }
        if session.phase == Phase::Running && (stuck || session.search.run.live == 0) {
            session.finish(Ending::Maximal);
        }
        session.phase == Phase::Over
    });
    if over {
        // Also those who waited for this thread alone.
        wake_all();
    }
    if session::with(|session| session.alive) == 0 {
        with(|context, _| context.forget());
    }
}

impl Context {
    fn thread(&mut self, id: ThreadId) -> &mut Thread {
        while self.threads.len() <= id.index() {
            self.threads.push(Thread::default());
        }
        &mut self.threads[id.index()]
    }

    /// An atomic that is 0, made before all threads.
    fn new_cell(&mut self) -> Rc<AtomicU64> {
        self.stock.pop().unwrap_or_else(|| {
            self.knowledge.cells = 2 * self.knowledge.cells.max(CELLS_MIN);
            self.restart = true;
            Rc::new(AtomicU64::new(0))
        })
    }

    fn observed(&mut self) -> Rc<AtomicU64> {
        if self.observed.is_none() {
            self.observed = Some(self.new_cell());
        }
        Rc::clone(self.observed.as_ref().expect("made above"))
    }

    fn token(&mut self, thread: ThreadId) -> Rc<AtomicU64> {
        if self.thread(thread).token.is_none() {
            self.thread(thread).token = Some(self.new_cell());
        }
        Rc::clone(self.thread(thread).token.as_ref().expect("made above"))
    }

    fn end(&mut self, thread: ThreadId) -> Rc<AtomicU64> {
        if self.thread(thread).end.is_none() {
            self.thread(thread).end = Some(self.new_cell());
        }
        Rc::clone(self.thread(thread).end.as_ref().expect("made above"))
    }

    /// The atomic behind a value, and what 0 stands for in it.
    fn value(&self, object: ObjectId) -> (Rc<AtomicU64>, u64) {
        match &self.objects[object.index()] {
            Object::Value { cell, start } => (Rc::clone(cell), *start),
            Object::Tried { .. } | Object::Lock { .. } | Object::Own => {
                unreachable!("only values are read")
            }
        }
    }

    /// The atomic behind a cell of the objects of an operation: that of the lock, if it is one's.
    fn cell(&mut self, cell: Cell, op: Op) -> Rc<AtomicU64> {
        let lock = [op.object, op.other()].into_iter().find_map(|id| {
            let object = self
                .objects
                .get(id.index())
                .filter(|_| Cell::of(id) == cell);
            match object {
                Some(Object::Tried { cell }) => Some(Rc::clone(cell)),
                _ => None,
            }
        });
        if let Some(lock) = lock {
            return lock;
        }
        if let Some(known) = self.cells.get(&cell.index()) {
            return Rc::clone(known);
        }
        let new = self.new_cell();
        self.cells.insert(cell.index(), Rc::clone(&new));
        new
    }

    fn keep(&mut self, object: ObjectId, its: Guard) {
        if let Object::Lock { guard, .. } = &mut self.objects[object.index()] {
            debug_assert!(guard.is_none(), "loom gave a lock away twice");
            *guard = Some(its);
        }
    }

    fn take_guard(&mut self, object: ObjectId) -> Option<Guard> {
        match self.objects.get_mut(object.index()) {
            Some(Object::Lock { guard, .. }) => guard.take(),
            _ => None,
        }
    }

    /// Notes what has to be known from the beginning of an execution.
    fn learn(&mut self, session: &Session, op: Op) {
        let plain = match op.action {
            Action::Lock if op.how != Insistence::Insist => Some(op.object),
            Action::IsLocked => Some(op.object),
            Action::Wait => Some(op.other()),
            // Loom's own lock is poisoned by that, for good.
            Action::Unlock if session::is_unwinding(current()) => Some(op.object),
            _ => None,
        };
        if let Some(id) = plain
            && let Object::Lock { .. } = self.objects[id.index()]
        {
            let object = &session.search.run.objects[id.index()];
            let site = object.site.map(|site| site.to_string());
            self.knowledge.tried.insert((object.name.to_string(), site));
            self.restart = true;
        }
        match op.action {
            Action::IsFinished if !self.knowledge.asks_finished => {
                self.knowledge.asks_finished = true;
                self.restart = true;
            }
            _ => {}
        }
    }

    /// Does in loom what follows an operation at once.
    fn after(&mut self, session: &Session, op: Op, effect: Effect) {
        if op.action == Action::Unlock && effect.succeeded() {
            drop(self.take_guard(op.object));
        }
        // Whoever can go on now looks again.
        let run = &session.search.run;
        for (at, thread) in self.threads.iter_mut().enumerate() {
            let id = ThreadId(at as u8);
            let goes_on = run
                .pending(id)
                .is_some_and(|pending| run.world.enabled(pending.op, id));
            if goes_on && let Some(parked) = thread.parked.take() {
                parked.unpark();
            }
        }
    }

    /// Whoever waits in our own way looks again.
    fn wake_parked(&mut self) {
        for thread in &mut self.threads {
            if let Some(parked) = thread.parked.take() {
                parked.unpark();
            }
        }
    }

    /// Lets go of everything of loom's, at the end of an execution. A lock that is still held was
    /// leaked by the model, and its guard with it.
    fn forget(&mut self) {
        for at in 0..self.objects.len() {
            if let Some(guard) = self.take_guard(ObjectId(at as u32)) {
                std::mem::forget(guard);
            }
        }
        self.objects.clear();
        self.threads.clear();
        self.cells.clear();
        self.observed = None;
        self.stock.clear();
    }
}

/// Reads an atomic.
pub(super) fn load(
    identity: &Identity,
    order: Ordering,
    native: &impl Fn() -> u64,
    site: Site,
) -> u64 {
    let object = object(identity, Kind::Atomic, native);
    let mut value = None;
    let effect = perform_as(Op::on(Action::Load, object), site, || {
        let (cell, start) = with(|context, _| context.value(object));
        value = Some(loomed(|| cell.load(order)) ^ start);
    });
    debug_assert!(effect.succeeded());
    value.unwrap_or_else(native)
}

/// Overwrites an atomic.
pub(super) fn store(
    identity: &Identity,
    order: Ordering,
    bits: u64,
    native: &impl Fn() -> u64,
    site: Site,
) {
    let object = object(identity, Kind::Atomic, native);
    perform_as(Op::on(Action::Store, object), site, || {
        touch_observed(Op::on(Action::Store, object));
        let (cell, start) = with(|context, _| context.value(object));
        loomed(|| cell.store(bits ^ start, order));
    });
}

/// Changes an atomic in one step.
pub(super) fn update<G: Fn() -> u64, S: Fn(u64)>(
    identity: &Identity,
    (success, failure): (Ordering, Ordering),
    change: &mut dyn FnMut(u64) -> Option<u64>,
    native: &Access<G, S>,
    site: Site,
) -> Result<u64, u64> {
    let object = object(identity, Kind::Atomic, &native.get);
    let mut result = None;
    perform_as(Op::on(Action::Update, object), site, || {
        touch_observed(Op::on(Action::Update, object));
        let (cell, start) = with(|context, _| context.value(object));
        result = Some(loomed(|| {
            let mut new = None;
            let changed = cell.fetch_update(success, failure, |old| {
                new = change(old ^ start);
                new.map(|new| new ^ start)
            });
            changed
                .map(|old| (old ^ start, new))
                .map_err(|old| old ^ start)
        }));
    });
    match result {
        Some(Ok((old, new))) => {
            (native.set)(new.unwrap_or(old));
            Ok(old)
        }
        Some(Err(old)) => Err(old),
        // After the end of the execution: a destructor's.
        None => {
            let old = (native.get)();
            change(old).map_or(Err(old), |new| {
                (native.set)(new);
                Ok(old)
            })
        }
    }
}

/// Conflicts with every other change of what invariants read, if the operation is one.
fn touch_observed(op: Op) {
    let observed = session::with(|session| {
        let world = &session.search.run.world;
        let footprint = world.footprint(op, current());
        let mut cells = footprint.cells().iter();
        cells.any(|(cell, _)| *cell == Cell::INVARIANT)
    });
    if observed {
        touch_cell(&with(|context, _| context.observed()));
    }
}

/// A memory fence.
pub(super) fn fence(order: Ordering) {
    loom::sync::atomic::fence(order);
}

/// Ends loom's exploration from within.
struct Stop;

/// Runs the whole search on this OS thread.
pub(super) fn run(mut config: Config, model: Model, number: Number, watch: Arc<Watch>) -> Outcome {
    if !config.strategy.is_systematic() || config.replay.is_some() {
        return Outcome::of(search::refused(
            &config,
            "the loom engine explores exhaustively and nothing else: use the controlled engine \
             for random strategies and replay",
        ));
    }
    // Loom has one way only, whatever systematic strategy was asked for.
    config.strategy = Strategy::Exhaustive;
    let builder = builder(&config);
    let mut started = Search::new(config.clone(), number, Arc::clone(&watch));
    let mut knowledge = Knowledge::default();
    'start: loop {
        session::open(started);
        // Combinations of choices that are left, the next one last.
        let mut left = vec![BTreeMap::new()];
        while let Some(choices) = left.pop() {
            let context = Context {
                choices,
                knowledge,
                ..Context::default()
            };
            let context = explore(&builder, &model, context);
            knowledge = context.knowledge;
            if context.restart {
                let search = session::close();
                started = search.restarted(&config, &watch);
                continue 'start;
            }
            if session::with(|session| session.search.is_broken_off()) {
                break;
            }
            left.extend(others(&context.choices, &context.met));
        }
        knowledge = run_again(&builder, &model, knowledge);
        let mut search = session::close();
        if knowledge.yields {
            // It lets a thread that yields wait for some other to have run: fewer orders than all.
            search.cut_short("loom does not explore all orders around `yield_now`".to_owned());
        }
        if search.has_waited_for_ever() {
            // Loom looks for races of steps that were done: of a thread that waits for ever it does
            // not ask what had happened if it had come first.
            search.cut_short(
                "loom does not explore all orders around a thread that waits for ever: mend that \
                 and check again"
                    .to_owned(),
            );
        }
        return search.into_outcome(None);
    }
}

/// Runs the first execution again, as often as is asked for: loom always begins with the same one.
fn run_again(builder: &loom::model::Builder, model: &Model, mut knowledge: Knowledge) -> Knowledge {
    // Where a thread was left behind in the middle of a panic, this OS thread is of no use any more.
    while !std::thread::panicking()
        && session::with(|session| session.search.next_rerun().is_some())
    {
        let context = Context {
            knowledge,
            ..Context::default()
        };
        knowledge = explore(builder, model, context).knowledge;
    }
    knowledge
}

/// All combinations that differ from those explored (everything met got case 0), each once.
fn others(
    choices: &BTreeMap<ChoiceKey, u32>,
    met: &[(ChoiceKey, u32)],
) -> Vec<BTreeMap<ChoiceKey, u32>> {
    let mut all = Vec::new();
    let mut fixed = choices.clone();
    for &(key, cases) in met {
        for case in 1..cases {
            let mut other = fixed.clone();
            other.insert(key, case);
            all.push(other);
        }
        fixed.insert(key, 0);
    }
    all
}

/// Explores the model with one combination of choices.
fn explore(builder: &loom::model::Builder, model: &Model, context: Context) -> Context {
    CONTEXT.set(Some(context));
    DRIVER.set(Driver::Loom);
    let model = Arc::clone(model);
    let result = catch_unwind(AssertUnwindSafe(|| {
        builder.check(move || {
            if !next_execution() {
                std::panic::resume_unwind(Box::new(Stop));
            }
            let model = Arc::clone(&model);
            let here = Site::here();
            thread_main(ThreadId::MAIN, here, Body::new(Box::new(move || model())));
        });
    }));
    DRIVER.set(Driver::Native);
    let mut context = CONTEXT.take().expect("the context of this search");
    match result {
        Ok(()) => {
            session::with(|session| session.search.end(session.ending));
        }
        Err(payload) if payload.is::<Stop>() => {}
        Err(payload) => {
            let why = why_given_up(&panics::message(&*payload));
            session::with(|session| session.search.fail(why));
            context.objects.drain(..).for_each(std::mem::forget);
        }
    }
    context
}

/// What it means that loom has panicked with this message.
fn why_given_up(message: &str) -> String {
    // It repeats a path of numbers, and compares nothing but those.
    let differs = message.contains("fully deterministic") || message.contains("out of bounds");
    match differs {
        true => format!(
            "the model is not deterministic: it did something else this time than in an earlier \
             execution that began alike (loom: {message}). `cargo gordian explain nondeterminism` \
             says what causes that"
        ),
        false => format!("loom gave up: {message}"),
    }
}

/// Ends the execution that is over, if there is one, and begins the next; whether there is one.
fn next_execution() -> bool {
    with(|context, session| {
        if context.executions > 0 {
            session.search.end(session.ending);
            // Loom does not say how many executions are left.
            session.search.tell_progress(|| None);
        }
        let goes_on = match session.search.is_aside() {
            true => context.executions == 0,
            false => !session.search.must_stop(),
        };
        if context.restart || !goes_on {
            return false;
        }
        context.executions += 1;
        context.started = 1;
        context.forget();
        let cells = context.knowledge.cells.max(CELLS_MIN);
        context
            .stock
            .extend((0..cells).map(|_| Rc::new(AtomicU64::new(0))));
        session.begin();
        true
    })
}

fn builder(config: &Config) -> loom::model::Builder {
    let mut builder = loom::model::Builder::new();
    builder.max_threads = THREADS_MAX;
    // Our own bound comes first: an operation takes loom a few branches at most.
    builder.max_branches = (config.steps_max as usize)
        .saturating_mul(4)
        .saturating_add(1_000);
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.preemption_bound = config.preemptions_max.map(|bound| bound as usize);
    builder.checkpoint_file = None;
    builder.location = false;
    builder.log = false;
    builder
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::{Engine, Progress};
    use crate::sync::Mutex;
    use crate::thread;

    #[test]
    fn a_search_says_how_far_it_is() {
        let name = format!("gordian-progress-{}.json", std::process::id());
        let file = std::env::temp_dir().join(name);
        let config = Config {
            engine: Engine::Loom,
            progress: Some(file.clone()),
            // Far less than the model takes.
            time_max: Some(Duration::from_secs(2)),
            ..Config::default()
        };
        let model: Model = Arc::new(|| {
            let lock = Arc::new(Mutex::new(0));
            let threads: Vec<_> = (0..3)
                .map(|_| {
                    let lock = Arc::clone(&lock);
                    thread::spawn(move || (0..8).for_each(|_| *lock.lock() += 1))
                })
                .collect();
            threads
                .into_iter()
                .for_each(|thread| thread.join().unwrap());
        });
        let report = crate::engine::run(config, model);
        let told = std::fs::read(&file).expect("it was told");
        let _ = std::fs::remove_file(&file);
        let told: Progress = serde_json::from_slice(&told).unwrap();
        assert!(!report.search.complete);
        assert!(
            (1..=report.search.executions).contains(&told.executions),
            "{told:?}"
        );
    }
}
