//! The controlled engine: threads are tasks of shuttle's runtime, and the strategy says which of
//! them goes on at every operation.
//!
//! The only file that knows shuttle. The runtime switches stacks and nothing else: whether an
//! operation is enabled is decided by our objects, and a thread whose operation is not is simply
//! never chosen. To the runtime all tasks are runnable until they end, so it never sees a deadlock.
//!
//! ```text
//! thread                      context                          runtime
//! perform(op) ── announce ──▶ record; strategy.next ──▶ me: execute at once, no switch
//!                                                  ╰──▶ other: switch ──▶ next_task = other
//! ```
//!
//! An execution is over when nothing is enabled, or a bound is reached. Threads that are left then
//! are unwound one after the other, quietly, each from the operation it waits in: their stacks run
//! all destructors, nothing is abandoned and nothing leaks. Operations of destructors are done at
//! once in that phase, and not recorded.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

use shuttle_engine::runtime::execution::ExecutionState;
use shuttle_engine::runtime::thread::switch;
use shuttle_engine::scheduler::{Schedule, Scheduler, Task, TaskId};
use shuttle_engine::{FailurePersistence, MaxSteps, Runner};
use shuttle_schedulers::{PctScheduler, UrwRandomScheduler};

use super::search::Search;
use super::watch::Watch;
use super::{DRIVER, Driver, Identity, Model, overflow, panics};
use crate::check::Config;
use crate::detect;
use crate::explore::{self, Ending, Next, RuntimeScheduler, Strategy};
use crate::op::{Action, Effect, Kind, ObjectId, Op, Site, ThreadId};
use crate::report::Report;
use crate::trace::threads_in;

thread_local! {
    static CONTEXT: RefCell<Option<Context>> = const { RefCell::new(None) };
    /// The thread that runs, readable while the context is borrowed.
    static CURRENT: Cell<ThreadId> = const { Cell::new(ThreadId::MAIN) };
    /// Threads that are unwinding, as far as the panic hook saw; see [`Context::is_unwinding`].
    static UNWINDING: Cell<u64> = const { Cell::new(0) };
}

/// Where an execution stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Operations are steps, and the strategy decides.
    Running,
    /// It is over; threads that are left are unwound.
    Unwinding,
    /// A thread could not be unwound: its stack is left behind.
    Abandoned,
}

/// What a thread is to do next.
#[derive(Clone, Copy, Debug)]
enum Order {
    /// Do the announced operation.
    Go,
    /// Let the runtime switch.
    Switch,
    /// Look at the invariants, then ask again.
    CheckInvariants,
    /// Nothing: the operation is done, with this effect.
    Pass(Effect),
    /// See what remains to be done after the end of the execution.
    Over,
    /// Unwind.
    Unwind,
}

struct Invariant {
    name: &'static str,
    holds: Box<dyn Fn() -> bool>,
}

struct Context {
    search: Search,
    strategy: Box<dyn Strategy>,
    phase: Phase,
    ending: Ending,
    /// The task that the runtime is to switch to at its next scheduling point.
    next: Option<ThreadId>,
    /// The enabled threads, when the runtime's own scheduler is to choose.
    ask: Option<u64>,
    /// The case to be chosen, if the next operation is a choice.
    case: u32,
    /// By thread: its task's number in the runtime.
    tasks: Vec<usize>,
    tasks_count: usize,
    /// By thread: whom it returns to once it has announced its first operation.
    starting: Vec<Option<ThreadId>>,
    /// Threads whose stacks are not empty.
    stacks: u64,
    invariants: Rc<Vec<Invariant>>,
    /// How many events there were when the invariants were looked at last.
    checked: usize,
    observing: bool,
    /// Operations since the execution was over, to end destructors that do not.
    operations_after: u32,
    runtime: Option<Runtime>,
}

/// Operations that destructors may do after the end of an execution.
const OPERATIONS_AFTER_MAX: u32 = 100_000;

fn with<R>(f: impl FnOnce(&mut Context) -> R) -> R {
    CONTEXT.with_borrow_mut(|context| f(context.as_mut().expect("a model is running")))
}

/// The thread of the model that is running.
pub(super) fn current() -> ThreadId {
    CURRENT.get()
}

/// The object's number in this execution.
pub(super) fn object(identity: &Identity, kind: Kind) -> ObjectId {
    with(|context| context.search.run.object(identity, kind))
}

pub(super) fn slow_name(name: &'static str) -> u32 {
    with(|context| context.search.run.slow_name(name))
}

pub(super) fn thread_name(thread: ThreadId) -> String {
    with(|context| context.search.run.thread_name(thread))
}

/// Whether the current thread is unwinding.
pub(super) fn panicking() -> bool {
    is_unwinding(current())
}

/// All tasks share one OS thread, and so one count of panics. It is that of this thread unless
/// another one was switched away from in the middle of unwinding.
fn is_unwinding(thread: ThreadId) -> bool {
    let mask = 1 << thread.0;
    let marked = UNWINDING.get();
    std::thread::panicking() && (marked & !mask == 0 || marked & mask != 0)
}

/// Called by the panic hook: the current thread begins to unwind.
pub(super) fn note_panic() {
    mark_unwinding(current());
}

fn mark_unwinding(thread: ThreadId) {
    UNWINDING.set(UNWINDING.get() | 1 << thread.0);
}

/// Does one operation of the current thread: others may go first.
pub(super) fn perform(op: Op, site: Site) -> Effect {
    overflow::note_stack();
    let mut order = with(|context| context.announce(op, site));
    loop {
        match order {
            Order::Go => return with(Context::execute),
            Order::Pass(effect) => return effect,
            Order::CheckInvariants => {
                check_invariants(site);
                order = with(Context::decide);
            }
            Order::Switch => {
                switch_tasks();
                order = with(|context| context.resumed(op));
            }
            Order::Over => order = with(|context| context.after_the_end(op)),
            Order::Unwind => unwind(),
        }
    }
}

fn switch_tasks() {
    // After the switch the count of panics belongs to others.
    let me = current();
    if is_unwinding(me) {
        mark_unwinding(me);
    }
    switch();
    CURRENT.set(me);
}

fn unwind() -> ! {
    mark_unwinding(current());
    panics::unwind_quietly()
}

/// Waits for the end of a thread.
pub(super) fn join(thread: ThreadId, site: Site) {
    perform(Op::of_thread(Action::Join, thread), site);
    with(|context| {
        let threads = &mut context.search.run.threads;
        if threads.get(thread.index()).is_some_and(|its| its.panicked) {
            threads[current().index()].joined_panicked = true;
        }
    });
}

/// Starts a thread, which runs up to its first operation before this returns: so every live thread
/// has always announced what it does next.
pub(super) fn spawn(name: Option<String>, body: Box<dyn FnOnce()>, site: Site) -> ThreadId {
    let me = current();
    let child = match with(|context| context.begin_spawn(me, name, site)) {
        Some(child) => child,
        // A destructor starts a thread after the end of the execution: it never runs.
        None if is_unwinding(me) => return ThreadId(u8::MAX),
        None => {
            drop(body);
            unwind();
        }
    };
    let stack_size = with(|context| context.search.config.stack_size);
    let main = move || thread_main(child, site, body);
    ExecutionState::spawn_thread(Box::new(main), stack_size, None, None, site);
    with(|context| context.go_to(child));
    switch_tasks();
    match with(|context| context.phase) {
        Phase::Running => child,
        _ if is_unwinding(me) => child,
        _ => unwind(),
    }
}

/// The whole life of a thread, on its own stack.
fn thread_main(me: ThreadId, site: Site, body: Box<dyn FnOnce()>) {
    CURRENT.set(me);
    let is_over = with(|context| context.phase != Phase::Running);
    let result = catch_unwind(AssertUnwindSafe(|| if is_over { drop(body) } else { body() }));
    UNWINDING.set(UNWINDING.get() & !(1 << me.0));
    if let Err(payload) = result
        && !panics::is_quiet(&*payload)
    {
        panicked(&*payload);
        drop_quietly(payload);
    }
    if with(|context| context.phase == Phase::Running) {
        // It may find the execution over while it waits for its last step.
        let _ = catch_unwind(AssertUnwindSafe(|| perform(Op::plain(Action::Exit, 0), site)));
        UNWINDING.set(UNWINDING.get() & !(1 << me.0));
    }
    with(|context| context.ended(me));
}

/// A payload is the user's: dropping it may panic in turn.
fn drop_quietly(payload: Box<dyn Any + Send>) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(payload);
    }
}

/// Takes note that the current thread's own code has panicked.
pub(super) fn panicked(payload: &(dyn Any + Send)) {
    UNWINDING.set(UNWINDING.get() & !(1 << current().0));
    let last = panics::take_last(payload);
    with(|context| context.thread_panicked(current(), &last));
}

/// Registers an invariant and looks at it once, so that it is known what it reads.
#[track_caller]
pub(super) fn invariant(name: &'static str, holds: Box<dyn Fn() -> bool>) {
    let registered = with(|context| {
        let running = context.phase == Phase::Running && !context.observing;
        if running {
            let invariants = Rc::get_mut(&mut context.invariants);
            invariants.expect("no invariant is being looked at").push(Invariant { name, holds });
            context.checked = usize::MAX;
        }
        running
    });
    if registered {
        check_invariants(std::panic::Location::caller());
    }
}

/// Evaluates the invariants after a step; those that do not hold are findings.
fn check_invariants(site: Site) {
    let Some(invariants) = with(Context::begin_observing) else { return };
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
    UNWINDING.set(UNWINDING.get() & !(1 << current().0));
    with(|context| context.end_observing(&broken, site));
}

impl Context {
    fn me(&self) -> ThreadId {
        CURRENT.get()
    }

    /// The thread says what it is about to do.
    fn announce(&mut self, op: Op, site: Site) -> Order {
        if self.observing {
            return self.observe(op);
        }
        if self.phase != Phase::Running {
            return self.after_the_end(op);
        }
        let me = self.me();
        self.search.announce(me, op, site);
        if let Some(parent) = self.starting[me.index()].take() {
            self.next = Some(parent);
            return Order::Switch;
        }
        if self.invariants.is_empty() || self.checked == self.search.run.events.len() {
            return self.decide();
        }
        Order::CheckInvariants
    }

    /// Who goes on, now that every thread has announced what it does.
    fn decide(&mut self) -> Order {
        if self.search.out_of_bounds() {
            self.search.report_capped();
            return self.finish(Ending::Capped);
        }
        let run = &self.search.run;
        let enabled = run.enabled();
        if enabled == 0 {
            self.search.report_stuck();
            return self.finish(Ending::Maximal);
        }
        let me = self.me();
        match self.strategy.next(run, enabled, me) {
            Next::Go { thread, case } => {
                self.case = case;
                if thread == me {
                    return Order::Go;
                }
                self.go_to(thread);
                Order::Switch
            }
            Next::Runtime => {
                self.ask = Some(enabled);
                Order::Switch
            }
            Next::Redundant => self.finish(Ending::Redundant),
            Next::Diverged(why) => {
                self.search.diverged(why);
                self.finish(Ending::Capped)
            }
        }
    }

    fn go_to(&mut self, thread: ThreadId) {
        self.next = Some(thread);
    }

    /// The thread was switched back to, in the middle of this operation.
    fn resumed(&mut self, op: Op) -> Order {
        match self.phase {
            Phase::Running => Order::Go,
            _ => self.after_the_end(op),
        }
    }

    /// Does the announced operation.
    fn execute(&mut self) -> Effect {
        let me = self.me();
        self.search.execute(me, self.case).effect
    }

    /// The execution is over: whoever is left is unwound, the current thread first.
    fn finish(&mut self, ending: Ending) -> Order {
        self.phase = Phase::Unwinding;
        self.ending = ending;
        Order::Over
    }

    /// An operation after the end of the execution: of code that is to be unwound, or of a
    /// destructor, which gets what it asks for if that is possible.
    fn after_the_end(&mut self, op: Op) -> Order {
        let me = self.me();
        self.operations_after += 1;
        if self.operations_after > OPERATIONS_AFTER_MAX {
            return self.abandon();
        }
        if !is_unwinding(me) {
            return Order::Unwind;
        }
        let world = &mut self.search.run.world;
        let waits_for = match op.action {
            Action::Lock => world.holder(op.object),
            Action::Join => Some(op.thread()).filter(|its| {
                its.index() < ThreadId::COUNT_MAX && self.stacks & (1 << its.0) != 0
            }),
            Action::Park => return Order::Pass(Effect::Done),
            Action::Choose => return Order::Pass(Effect::Chose(0)),
            Action::Exit | Action::Unpark | Action::IsFinished => {
                return Order::Pass(Effect::Done);
            }
            _ => None,
        };
        match waits_for {
            None if op.action == Action::Join => Order::Pass(Effect::Done),
            None => Order::Pass(world.apply(op, me)),
            // The other one goes first; then this one asks again.
            Some(other) if other != me && self.stacks & (1 << other.0) != 0 => {
                self.go_to(other);
                Order::Switch
            }
            Some(_) => self.abandon(),
        }
    }

    /// Leaves the stacks that are left behind: a destructor waits for what will never come.
    fn abandon(&mut self) -> Order {
        self.phase = Phase::Abandoned;
        Order::Switch
    }

    /// What an invariant reads, without a step.
    fn observe(&mut self, op: Op) -> Order {
        let me = self.me();
        let world = &mut self.search.run.world;
        match op.action {
            Action::Lock | Action::TimedLock | Action::TryLock => {
                world.observe(op.object);
                match world.holder(op.object) {
                    Some(_) if op.action == Action::Lock => Order::Unwind,
                    Some(_) => Order::Pass(Effect::Failed),
                    None => Order::Pass(world.apply(op, me)),
                }
            }
            Action::Unlock | Action::IsLocked => Order::Pass(world.apply(op, me)),
            Action::Load => {
                world.observe(op.object);
                Order::Pass(Effect::Done)
            }
            Action::IsFinished => Order::Pass(world.apply(op, me)),
            _ => {
                let verb = self.search.run.verb(op);
                self.search.fail(format!("an invariant may only read, and this one does: {verb}"));
                Order::Unwind
            }
        }
    }

    fn begin_observing(&mut self) -> Option<Rc<Vec<Invariant>>> {
        if self.phase != Phase::Running {
            return None;
        }
        self.checked = self.search.run.events.len();
        self.observing = true;
        Some(Rc::clone(&self.invariants))
    }

    fn end_observing(
        &mut self,
        broken: &[(&'static str, Option<detect::Panicked>)],
        announced: Site,
    ) {
        self.observing = false;
        let last = self.search.run.events.last();
        let (thread, site) =
            last.map_or((self.me(), announced), |event| (event.thread, event.site));
        for (name, panicked) in broken {
            let defect = detect::broken_invariant(thread, name, panicked.as_ref(), site);
            self.search.report(&defect);
        }
    }

    fn begin_spawn(
        &mut self,
        me: ThreadId,
        name: Option<String>,
        site: Site,
    ) -> Option<ThreadId> {
        if self.phase != Phase::Running {
            return None;
        }
        let Search { run, paths, .. } = &mut self.search;
        let Some(child) = run.spawn(me, name, site, paths) else {
            let most = ThreadId::COUNT_MAX - 1;
            self.search.fail(format!("a model may start at most {most} threads"));
            self.finish(Ending::Capped);
            return None;
        };
        self.search.name_thread(child);
        if self.tasks.len() <= child.index() {
            self.tasks.resize(child.index() + 1, usize::MAX);
            self.starting.resize(child.index() + 1, None);
        }
        self.tasks[child.index()] = self.tasks_count;
        self.tasks_count += 1;
        self.starting[child.index()] = Some(me);
        self.stacks |= 1 << child.0;
        // The runtime has a scheduling point of its own there, which is none of ours.
        self.go_to(me);
        Some(child)
    }

    fn thread_panicked(&mut self, me: ThreadId, last: &detect::Panicked) {
        let run = &mut self.search.run;
        let thread = &mut run.threads[me.index()];
        thread.panicked = true;
        // After the end destructors run out of order, and what they find amiss means nothing. And
        // who joins a thread that panicked, and insists on its result, panics as a consequence.
        if self.phase != Phase::Running || thread.joined_panicked {
            return;
        }
        let site = thread.sites.last().copied().unwrap_or(std::panic::Location::caller());
        let defect = detect::panic_of(me, last, site);
        self.search.report(&defect);
    }

    /// The thread's stack is empty: who goes on?
    fn ended(&mut self, me: ThreadId) {
        self.stacks &= !(1 << me.0);
        if self.phase == Phase::Running {
            if self.search.run.live == 0 {
                self.finish(Ending::Maximal);
            } else {
                // A switch to whoever was chosen, or the end.
                self.decide();
            }
        }
        if self.phase == Phase::Unwinding {
            let parent = self.starting[me.index()].take();
            self.next = parent.or_else(|| threads_in(self.stacks).next());
        }
    }

    /// Where the runtime is to go.
    fn next_task(&mut self, tasks: &[&Task], yielding: bool) -> Option<TaskId> {
        if self.phase == Phase::Abandoned {
            return None;
        }
        if let Some(next) = self.next.take() {
            return Some(TaskId::from(self.tasks[next.index()]));
        }
        if let Some(enabled) = self.ask.take() {
            return Some(self.ask_runtime(tasks, enabled, yielding));
        }
        // All our threads have ended; the runtime has some tidying up to do.
        tasks.first().map(|task| task.id())
    }

    fn ask_runtime(&mut self, tasks: &[&Task], enabled: u64, yielding: bool) -> TaskId {
        let numbers = &self.tasks;
        let thread_of = |id: TaskId| {
            threads_in(enabled).find(|thread| numbers[thread.index()] == usize::from(id))
        };
        let allowed: Vec<&Task> =
            tasks.iter().filter(|task| thread_of(task.id()).is_some()).copied().collect();
        let last = self.search.run.events.last().map(|event| event.thread);
        let current = last.map(|thread| TaskId::from(numbers[thread.index()]));
        let runtime = self.runtime.as_mut().expect("the strategy relies on the runtime");
        let chosen = runtime.choose(tasks, &allowed, current, yielding);
        let thread = thread_of(chosen).expect("one of the allowed tasks");
        let op = self.search.run.pending(thread).expect("it has announced something").op;
        if op.action == Action::Choose {
            self.case = (runtime.scheduler.next_u64() % u64::from(op.arg)) as u32;
        }
        chosen
    }

    /// Ends the execution that is over, if there is one, and begins the next; whether there is one.
    fn next_execution(&mut self, first: bool) -> bool {
        if !first {
            self.search.end(self.ending);
            // What was broken off in the middle is not to be learned from.
            if self.search.is_broken_off() || !self.strategy.end(&self.search.run, self.ending) {
                return false;
            }
        }
        if self.search.must_stop() {
            return false;
        }
        self.search.begin();
        self.phase = Phase::Running;
        self.next = None;
        self.ask = None;
        self.tasks.clear();
        self.tasks.push(0);
        self.tasks_count = 1;
        self.starting.clear();
        self.starting.push(None);
        self.stacks = 1;
        self.invariants = Rc::default();
        self.checked = 0;
        self.observing = false;
        self.operations_after = 0;
        if let Some(runtime) = &mut self.runtime {
            runtime.begun = false;
        }
        CURRENT.set(ThreadId::MAIN);
        UNWINDING.set(0);
        true
    }
}

/// A scheduler of the runtime's own, that chooses among the enabled threads.
struct Runtime {
    kind: RuntimeScheduler,
    seed: u64,
    scheduler: Box<dyn Scheduler>,
    /// Whether it knows that this execution has begun.
    begun: bool,
    /// Whether it ever had more than one task to choose from: it does not bear otherwise.
    had_choice: bool,
}

impl Runtime {
    fn new(kind: RuntimeScheduler, seed: u64) -> Runtime {
        let scheduler: Box<dyn Scheduler> = match kind {
            RuntimeScheduler::Pct(depth) => {
                Box::new(PctScheduler::new_from_seed(seed, depth, usize::MAX))
            }
            RuntimeScheduler::Urw => Box::new(UrwRandomScheduler::new_from_seed(seed, usize::MAX)),
        };
        Runtime { kind, seed, scheduler, begun: false, had_choice: false }
    }

    fn choose(
        &mut self,
        all: &[&Task],
        allowed: &[&Task],
        current: Option<TaskId>,
        yielding: bool,
    ) -> TaskId {
        if !self.begun {
            if !self.had_choice {
                *self = Runtime::new(self.kind, self.seed);
            }
            self.scheduler.new_execution();
            self.begun = true;
        }
        let first = allowed[0].id();
        match self.kind {
            RuntimeScheduler::Pct(_) => {
                self.had_choice |= allowed.len() > 1;
                self.scheduler.next_task(allowed, current, yielding).unwrap_or(first)
            }
            // It counts tasks as it sees them, so it must see all of them: ask until it fits.
            RuntimeScheduler::Urw => {
                self.had_choice = true;
                let is_allowed = |id: &TaskId| allowed.iter().any(|task| task.id() == *id);
                (0..ASKED_MAX)
                    .filter_map(|_| self.scheduler.next_task(all, current, yielding))
                    .find(is_allowed)
                    .unwrap_or(first)
            }
        }
    }
}

/// How often the uniform random walk is asked for a thread that is enabled.
const ASKED_MAX: usize = 64;

/// What the runtime sees of us.
struct Bridge {
    first: bool,
}

impl Scheduler for Bridge {
    fn new_execution(&mut self) -> Option<Schedule> {
        let first = std::mem::replace(&mut self.first, false);
        with(|context| context.next_execution(first)).then(|| Schedule::new(0))
    }

    fn next_task(&mut self, tasks: &[&Task], _: Option<TaskId>, yielding: bool) -> Option<TaskId> {
        let chosen = with(|context| context.next_task(tasks, yielding))?;
        with(|context| {
            let number = usize::from(chosen);
            if let Some(at) = context.tasks.iter().position(|&task| task == number) {
                CURRENT.set(ThreadId(at as u8));
            }
        });
        Some(chosen)
    }

    fn next_u64(&mut self) -> u64 {
        0
    }
}

/// Runs the whole search on this OS thread.
pub(super) fn run(config: Config, model: Model, watch: Arc<Watch>) -> Report {
    panics::install(install_foreign_hook);
    overflow::install(config.stack_size);
    let (strategy, runtime) = explore::strategy(&config);
    let seed = config.seed;
    let stack_size = config.stack_size;
    let context = Context {
        search: Search::new(config, watch),
        strategy,
        phase: Phase::Unwinding,
        ending: Ending::Maximal,
        next: None,
        ask: None,
        case: 0,
        tasks: Vec::new(),
        tasks_count: 0,
        starting: Vec::new(),
        stacks: 0,
        invariants: Rc::default(),
        checked: 0,
        observing: false,
        operations_after: 0,
        runtime: runtime.map(|kind| Runtime::new(kind, seed)),
    };
    CONTEXT.set(Some(context));
    DRIVER.set(Driver::Controlled);
    let runner = Runner::new(Bridge { first: true }, runtime_config(stack_size));
    runner.run(move || {
        let model = Arc::clone(&model);
        let here = std::panic::Location::caller();
        thread_main(ThreadId::MAIN, here, Box::new(move || model()));
    });
    DRIVER.set(Driver::Native);
    let context = CONTEXT.take().expect("the context of this search");
    let estimate = context.strategy.estimate();
    context.search.into_report(estimate)
}

fn runtime_config(stack_size: usize) -> shuttle_engine::Config {
    let mut config = shuttle_engine::Config::new();
    config.stack_size = stack_size;
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::None;
    config.silence_warnings = true;
    config
}

/// The runtime installs its panic hook, which prints, in its first execution of the process.
fn install_foreign_hook() {
    struct Once(bool);
    impl Scheduler for Once {
        fn new_execution(&mut self) -> Option<Schedule> {
            std::mem::replace(&mut self.0, false).then(|| Schedule::new(0))
        }
        fn next_task(&mut self, tasks: &[&Task], _: Option<TaskId>, _: bool) -> Option<TaskId> {
            tasks.first().map(|task| task.id())
        }
        fn next_u64(&mut self) -> u64 {
            0
        }
    }
    Runner::new(Once(true), runtime_config(64 * 1024)).run(|| {});
}
