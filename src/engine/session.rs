//! What the engines share while a model runs: the search, the phase of the execution, the threads'
//! stacks and the invariants.
//!
//! All threads of a model share one OS thread, whatever engine switches their stacks; this module
//! knows which of them runs. It does not know how they are switched, nor what becomes of them once
//! the execution is over (`ending.rs`).

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use super::ending::Leftovers;
use super::search::Search;
use super::stacks::{self, Left};
use super::{Body, Identity, panics, signals};
use crate::config::Leftover;
use crate::detect::{self, Panicked};
use crate::explore::Ending;
use crate::op::{Action, Effect, How, Kind, ObjectId, Op, Site, ThreadId};

thread_local! {
    static SESSION: RefCell<Option<Session>> = const { RefCell::new(None) };
    /// The thread that runs, readable while the session is borrowed.
    static CURRENT: Cell<ThreadId> = const { Cell::new(ThreadId::MAIN) };
    /// Threads that are unwinding, as far as the panic hook saw; see [`is_unwinding`].
    static UNWINDING: Cell<u64> = const { Cell::new(0) };
}

/// Where an execution stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Operations are steps.
    Running,
    /// It is over; threads that are left come to an end of their own, or are left behind.
    Over,
}

/// The search on this OS thread, and its current execution.
pub(super) struct Session {
    pub(super) search: Search,
    pub(super) phase: Phase,
    pub(super) ending: Ending,
    /// Threads that have begun and are not gone.
    pub(super) alive: u64,
    pub(super) leftovers: Leftovers,
    invariants: Rc<Vec<Invariant>>,
    /// How many events there were when the invariants were looked at last.
    checked: usize,
    observing: bool,
}

struct Invariant {
    name: &'static str,
    holds: Box<dyn Fn() -> bool>,
}

/// What an operation is, given where the execution stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Standing {
    /// A step.
    Step,
    /// None: it is done, with this effect.
    Done(Effect),
    /// None: the thread is to unwind.
    Unwind,
    /// None: this thread is to go on first, and then it is to be asked for again.
    Let(ThreadId),
    /// None: the thread never goes on.
    Abandon,
}

/// Makes the search the one of this OS thread.
pub(super) fn open(search: Search) {
    SESSION.set(Some(Session {
        search,
        phase: Phase::Over,
        ending: Ending::Maximal,
        alive: 0,
        leftovers: Leftovers::default(),
        invariants: Rc::default(),
        checked: 0,
        observing: false,
    }));
}

/// Takes the search back.
pub(super) fn close() -> Search {
    take().search
}

/// Takes the session away from this OS thread, between two executions.
pub(super) fn take() -> Session {
    SESSION.take().expect("a session is open")
}

/// Gives this OS thread a session that another one had.
pub(super) fn adopt(session: Session) {
    SESSION.set(Some(session));
}

/// Whether code of the model's own is running on this OS thread.
pub(super) fn is_model_running() -> bool {
    let free = || SESSION.try_with(|session| session.try_borrow_mut().is_ok_and(|it| it.is_some()));
    stacks::is_inside() && free() == Ok(true)
}

/// Works on the session of this OS thread. `f` must not run the model's code.
pub(super) fn with<R>(f: impl FnOnce(&mut Session) -> R) -> R {
    SESSION.with_borrow_mut(|session| f(session.as_mut().expect("a session is open")))
}

/// The thread of the model that is running.
pub(super) fn current() -> ThreadId {
    CURRENT.get()
}

/// Says which thread runs from here on.
pub(super) fn set_current(thread: ThreadId) {
    CURRENT.set(thread);
}

/// The object's number in this execution. When it belongs to another search, this one is given up,
/// and the current thread left behind: it must not touch what the other one works on.
pub(super) fn object(identity: &Identity, kind: Kind) -> ObjectId {
    let known = with(|session| {
        let known = session.search.object(identity, kind);
        if known.is_none() {
            session.observing = false;
            session.finish(Ending::Capped);
        }
        known
    });
    known.unwrap_or_else(|| stacks::abandon())
}

/// The number of a slow call's name.
pub(super) fn slow_name(name: &'static str) -> u32 {
    with(|session| session.search.run.slow_name(name))
}

/// The number of the arms of a select.
pub(super) fn arms(arms: Vec<(ObjectId, Action)>) -> u32 {
    with(|session| session.search.run.world.arms(arms))
}

/// What the current thread's last operation, on an atomic, found there; `failed` if it was to
/// change it and did not.
pub(super) fn saw(bits: u64, failed: bool) {
    with(|session| {
        if session.phase == Phase::Running && !session.observing {
            session.search.run.saw(bits, failed);
        }
    });
}

/// Whether the current thread's last operation was this one.
pub(super) fn has_just(op: Op) -> bool {
    with(|session| {
        let ops = &session.search.run.threads[current().index()].ops;
        ops.last().is_some_and(|last| last.itself() == op)
    })
}

/// How often the current thread has gone on though it waits for a change.
pub(super) fn patience() -> u32 {
    with(|session| session.search.run.gone_anyway(current()))
}

/// What became of the arm that the current thread took part in just now.
pub(super) fn exchanged() -> Effect {
    with(|session| session.search.run.world.exchanged())
}

/// Whether the current thread, which is about to wait on a condvar, may be woken spuriously.
pub(super) fn may_wake_spuriously(condvar: Kind) -> bool {
    // One that may always wake has no cases.
    if matches!(condvar, Kind::Condvar { spurious: true, .. }) {
        return false;
    }
    with(|session| {
        let search = &session.search;
        let spurious = search.run.threads[current().index()].spurious;
        session.phase == Phase::Running && spurious < search.config.spurious_max
    })
}

/// Notes that it will be.
pub(super) fn wakes_spuriously() {
    with(|session| session.search.run.threads[current().index()].spurious += 1);
}

/// Reports a panic of the current thread that is none of Rust's.
#[cfg(feature = "scenario")]
pub(super) fn report_panic(message: &str, site: Site) {
    with(|session| {
        if session.phase == Phase::Running {
            let defect = detect::stated_panic(current(), message, site);
            session.search.report(&defect);
        }
    });
}

/// The name of a thread, if the model's own code knows it by one.
pub(super) fn thread_name(thread: ThreadId) -> Option<String> {
    with(|session| {
        let run = &session.search.run;
        let named = run.threads[thread.index()].named;
        named.then(|| run.thread_name(thread))
    })
}

/// Whether the thread, which runs now, is unwinding.
///
/// All threads share one OS thread, and so one count of panics. It is that of this thread unless
/// another one was switched away from in the middle of unwinding.
pub(super) fn is_unwinding(thread: ThreadId) -> bool {
    let mask = 1 << thread.0;
    let marked = UNWINDING.get();
    std::thread::panicking() && (marked & !mask == 0 || marked & mask != 0)
}

/// Whether the thread, which runs now, is unwinding by a panic of its own.
pub(super) fn is_panicking(thread: ThreadId) -> bool {
    is_unwinding(thread) && with(|session| session.leftovers.unwound & (1 << thread.0) == 0)
}

/// Notes that the current thread begins to unwind.
pub(super) fn mark_unwinding() {
    UNWINDING.set(UNWINDING.get() | 1 << current().0);
}

/// Notes that the current thread's unwinding was caught.
pub(super) fn unmark_unwinding() {
    UNWINDING.set(UNWINDING.get() & !(1 << current().0));
}

/// Unwinds the current thread without a word.
pub(super) fn unwind() -> ! {
    mark_unwinding();
    with(|session| session.leftovers.unwound |= 1 << current().0);
    panics::unwind_quietly()
}

/// The current thread cannot start another one, which is a panic in std.
pub(super) fn give_up_spawn(body: Body) -> ! {
    let leftover = with(|session| session.search.config.leftover);
    if leftover == Leftover::Abandon || is_unwinding(current()) {
        stacks::abandon();
    }
    drop(body);
    unwind()
}

/// Lets the engine do something on its own stack, during which it may switch to other threads.
pub(super) fn switching<R>(switch: impl FnOnce() -> R) -> R {
    let me = current();
    if !std::thread::panicking() {
        // Nobody is: the model's own code has caught what was marked.
        UNWINDING.set(0);
    }
    // From here on the count of panics belongs to others.
    if is_unwinding(me) {
        mark_unwinding();
    }
    let result = stacks::outside(switch);
    signals::note_stack();
    set_current(me);
    result
}

/// The whole life of a thread of the model, to be called on the engine's thread; `exit` does its
/// last step.
pub(super) fn thread_main(me: ThreadId, body: Body, exit: impl FnOnce() + 'static) {
    let Body { run, stack_size } = body;
    let stack_size = stack_size.max(with(|session| session.search.config.stack_size));
    signals::install(stack_size);
    let left = stacks::run(stack_size, Box::new(move || live(me, run, exit)));
    with(|session| session.gone(me, left));
}

/// The same, on its own stack.
fn live(me: ThreadId, body: Box<dyn FnOnce()>, exit: impl FnOnce()) {
    set_current(me);
    signals::note_stack();
    let result = catch_unwind(AssertUnwindSafe(body));
    unmark_unwinding();
    if let Err(payload) = result
        && !panics::is_quiet(&*payload)
    {
        panicked(&*payload);
        drop_quietly(payload);
    }
    if with(|session| session.phase == Phase::Running) {
        // It may find the execution over while it waits for its last step.
        let _ = catch_unwind(AssertUnwindSafe(exit));
        unmark_unwinding();
    }
}

/// A payload is the user's: dropping it may panic in turn.
fn drop_quietly(payload: Box<dyn Any + Send>) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(payload);
    }
}

/// Takes note that the current thread's own code has panicked.
pub(super) fn panicked(payload: &(dyn Any + Send)) {
    unmark_unwinding();
    let last = panics::take_last(payload);
    with(|session| session.thread_panicked(current(), &last));
}

/// The current thread is about to end the process: it ends here instead.
#[cfg(unix)]
pub(super) fn aborted() -> ! {
    let (last, fatal) = panics::take_aborting();
    with(|session| session.thread_aborted(current(), last, fatal));
    stacks::abandon()
}

/// Takes note that the current thread has joined another.
pub(super) fn joined(thread: ThreadId) {
    with(|session| {
        let threads = &mut session.search.run.threads;
        if threads.get(thread.index()).is_some_and(|its| its.panicked) {
            threads[current().index()].joined_panicked = true;
        }
    });
}

/// Registers an invariant and looks at it once, so that it is known what it reads.
pub(super) fn invariant(name: &'static str, holds: Box<dyn Fn() -> bool>, site: Site) {
    let registered = with(|session| {
        let running = session.phase == Phase::Running && !session.observing;
        if running {
            let invariants = Rc::get_mut(&mut session.invariants);
            invariants
                .expect("no invariant is being looked at")
                .push(Invariant { name, holds });
            session.checked = usize::MAX;
        }
        running
    });
    if registered {
        check_invariants(site);
    }
}

/// Evaluates the invariants if there was a step since the last time; those that do not hold are
/// findings.
pub(super) fn check_invariants(announced: Site) {
    let Some(invariants) = with(Session::begin_observing) else {
        return;
    };
    let mut broken = Vec::new();
    for invariant in invariants.iter() {
        match catch_unwind(AssertUnwindSafe(|| (invariant.holds)())) {
            Ok(true) => {}
            Ok(false) => broken.push((invariant.name, None)),
            // A lock that it reads is held: it is for a later step.
            Err(payload) if panics::is_quiet(&*payload) => {}
            Err(payload) => {
                broken.push((invariant.name, Some(panics::take_last(&*payload))));
                drop_quietly(payload);
            }
        }
    }
    drop(invariants);
    unmark_unwinding();
    with(|session| session.end_observing(&broken, announced));
}

impl Session {
    /// Begins an execution.
    pub(super) fn begin(&mut self) {
        self.search.begin();
        stacks::recycle();
        self.phase = Phase::Running;
        self.ending = Ending::Maximal;
        self.alive = 1;
        self.leftovers = Leftovers::default();
        self.invariants = Rc::default();
        self.checked = 0;
        self.observing = false;
        CURRENT.set(ThreadId::MAIN);
        UNWINDING.set(0);
    }

    /// The execution is over, and with it what it has to tell.
    pub(super) fn finish(&mut self, ending: Ending) {
        if self.phase == Phase::Running {
            self.report_unfinished_panic();
            self.search.look_back();
            self.leftovers.were_part = self.alive;
        }
        self.phase = Phase::Over;
        self.ending = ending;
        if ending == Ending::Maximal
            && let Some(program) = &self.search.run.program
        {
            program.maximal();
        }
    }

    /// A thread that waits for ever in a destructor, while it unwinds, never comes to say why.
    fn report_unfinished_panic(&mut self) {
        let marked = UNWINDING.get() & self.search.run.live;
        if std::thread::panicking()
            && marked.count_ones() == 1
            && let Some(last) = panics::last()
        {
            self.thread_panicked(ThreadId(marked.trailing_zeros() as u8), &last);
        }
    }

    /// The thread has come to its end, or was left behind.
    fn gone(&mut self, me: ThreadId, left: Left) {
        self.alive &= !(1 << me.0);
        match left {
            Left::Ended => self.ended(me),
            Left::Behind => self.search.left_behind(),
        }
    }

    /// What an operation of the current thread is.
    pub(super) fn standing(&mut self, op: Op) -> Standing {
        if self.observing {
            return self.observe(op);
        }
        match self.phase {
            Phase::Running => Standing::Step,
            _ => self.after_the_end(op),
        }
    }

    /// What an invariant reads, without a step.
    fn observe(&mut self, op: Op) -> Standing {
        let me = current();
        let world = &mut self.search.run.world;
        match op.action {
            Action::Lock | Action::Read | Action::ReadRecursive => {
                world.observe(op.object);
                match world.is_ready(op, me) {
                    true => Standing::Done(world.apply(op, me, 0)),
                    false if op.how == How::Insist => Standing::Unwind,
                    false => Standing::Done(Effect::Failed),
                }
            }
            Action::Load => {
                world.observe(op.object);
                Standing::Done(Effect::Done)
            }
            Action::Unlock | Action::Unread | Action::IsFinished | Action::Clone | Action::Drop => {
                Standing::Done(world.apply(op, me, 0))
            }
            Action::IsLocked
            | Action::IsWritten
            | Action::Permits
            | Action::Len
            | Action::IsComplete
            | Action::Revive
            | Action::Count => {
                world.observe(op.object);
                Standing::Done(world.apply(op, me, 0))
            }
            _ => {
                let verb = self.search.run.verb(op);
                self.search.fail(format!(
                    "an invariant may only read, and this one does: {verb}"
                ));
                Standing::Unwind
            }
        }
    }

    /// Whether invariants are to be looked at before the next decision.
    pub(super) fn has_unchecked_steps(&self) -> bool {
        !self.invariants.is_empty() && self.checked != self.search.run.events.len()
    }

    fn begin_observing(&mut self) -> Option<Rc<Vec<Invariant>>> {
        if self.phase != Phase::Running || !self.has_unchecked_steps() {
            return None;
        }
        self.checked = self.search.run.events.len();
        self.observing = true;
        Some(Rc::clone(&self.invariants))
    }

    fn end_observing(&mut self, broken: &[(&'static str, Option<Panicked>)], announced: Site) {
        self.observing = false;
        let last = self.search.run.events.last();
        let (thread, site) =
            last.map_or((current(), announced), |event| (event.thread, event.site));
        for (name, panicked) in broken {
            let defect = detect::broken_invariant(thread, name, panicked.as_ref(), site);
            self.search.report(&defect);
        }
    }

    #[cfg(unix)]
    fn thread_aborted(&mut self, me: ThreadId, mut last: Panicked, fatal: Option<String>) {
        if self.phase == Phase::Over {
            return self.search.destructor_panicked(&last);
        }
        if let Some(fatal) = fatal {
            last.message += &format!(" ({fatal}: the process aborts)");
        }
        let last_site = self.search.run.threads[me.index()].sites.last().copied();
        let mut defect = detect::panic_of(me, &last, last_site.unwrap_or(Site::here()));
        defect.site = defect.site.and(last_site);
        self.search.aborted(&defect);
        self.finish(Ending::Known);
    }

    fn thread_panicked(&mut self, me: ThreadId, last: &Panicked) {
        let thread = &mut self.search.run.threads[me.index()];
        thread.panicked = true;
        // After the end destructors run out of order, and what they find amiss means nothing. And
        // who joins a thread that panicked, and insists on its result, panics as a consequence.
        if self.phase != Phase::Running || thread.joined_panicked {
            return;
        }
        let site = thread.sites.last().copied().unwrap_or(Site::here());
        let defect = detect::panic_of(me, last, site);
        self.search.report(&defect);
    }
}
