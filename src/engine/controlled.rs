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
//! An execution is over when nothing is enabled, or a bound is reached. What becomes of the threads
//! that are left then is `ending.rs`'s to say; to the runtime each of its tasks comes to its end.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use shuttle_engine::runtime::execution::ExecutionState;
use shuttle_engine::runtime::thread::switch;
use shuttle_engine::scheduler::{Schedule, Scheduler, Task, TaskId};
use shuttle_engine::{FailurePersistence, MaxSteps, Runner};
use shuttle_schedulers::{PctScheduler, UrwRandomScheduler};

use super::search::Search;
use super::searches::Number;
use super::session::{self, Phase, Session, Standing, current};
use super::watch::Watch;
use super::{Body, DRIVER, Driver, Model, Outcome, Rest, panics, signals, stacks};
use crate::config::{Config, Strategy as Name};
use crate::corpus::Corpus;
use crate::explore::shrink::Guide;
use crate::explore::{self, Ending, Next, RuntimeScheduler, Strategy};
use crate::op::{Action, Effect, Op, Site, ThreadId};
use crate::trace::threads_in;

thread_local! {
    static CONTEXT: RefCell<Option<Context>> = const { RefCell::new(None) };
}

/// What the engine adds to the session.
struct Context {
    strategy: Box<dyn Strategy>,
    /// What decides instead, once the search is over: executions are run again, and findings made
    /// simpler.
    guide: Option<Guide>,
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
    runtime: Option<Runtime>,
    /// Set when the search is to go on on another OS thread: whether with its next execution, or
    /// with making findings simpler.
    moves: Option<bool>,
}

/// A task lends its place to a thread of the model, and needs next to no stack of its own.
const TASK_STACK_SIZE: usize = 128 * 1024;

/// What a thread is to do next.
#[derive(Clone, Copy, Debug)]
enum Order {
    /// Do the announced operation.
    Go,
    /// Let the runtime switch.
    Switch,
    /// Look at the invariants, then ask again.
    CheckInvariants,
    /// Find out what the operation is now that the execution is over.
    Over,
}

fn with<R>(f: impl FnOnce(&mut Context, &mut Session) -> R) -> R {
    CONTEXT.with_borrow_mut(|context| {
        let context = context.as_mut().expect("a model is running");
        session::with(|session| f(context, session))
    })
}

/// Does one operation of the current thread: others may go first.
pub(super) fn perform(op: Op, site: Site) -> Effect {
    signals::note_stack();
    loop {
        match session::with(|session| session.standing(op)) {
            Standing::Step => {
                if let Some(effect) = step(op, site) {
                    return effect;
                }
            }
            Standing::Done(effect) => return effect,
            Standing::Unwind => session::unwind(),
            Standing::Let(other) => {
                with(|context, _| context.next = Some(other));
                session::switching(switch);
            }
            Standing::Abandon => stacks::abandon(),
        }
    }
}

/// One step; none when the execution is over before it is done.
fn step(op: Op, site: Site) -> Option<Effect> {
    let mut order = with(|context, session| context.announce(session, op, site));
    loop {
        match order {
            Order::Go => return Some(with(|context, session| context.execute(session))),
            Order::CheckInvariants => {
                session::check_invariants(site);
                order = with(Context::decide);
            }
            Order::Switch => {
                session::switching(switch);
                let phase = session::with(|session| session.phase);
                order = if phase == Phase::Running {
                    Order::Go
                } else {
                    Order::Over
                };
            }
            Order::Over => return None,
        }
    }
}

/// Starts a thread, which runs up to its first operation before this returns: so every live thread
/// has always announced what it does next.
pub(super) fn spawn(name: Option<String>, body: Body, site: Site) -> ThreadId {
    let Some(child) = with(|context, session| context.begin_spawn(session, name, site)) else {
        // There is no such thread to go on with: in reality it could not be started either.
        session::give_up_spawn(body);
    };
    let main = move || thread_main(child, site, body);
    // Only the runtime's own messages have it.
    let here = std::panic::Location::caller();
    session::switching(|| {
        ExecutionState::spawn_thread(Box::new(main), TASK_STACK_SIZE, None, None, here)
    });
    // Once the execution is over it waits for its turn.
    if session::with(|session| session.phase) == Phase::Running {
        with(|context, _| context.next = Some(child));
        session::switching(switch);
    }
    child
}

/// The whole life of a thread, in its task.
fn thread_main(me: ThreadId, site: Site, body: Body) {
    session::thread_main(me, body, move || {
        perform(Op::plain(Action::Exit, 0), site);
    });
    with(|context, session| context.ended(session, me));
}

impl Context {
    /// The current thread says what it is about to do.
    fn announce(&mut self, session: &mut Session, op: Op, site: Site) -> Order {
        let me = current();
        session.search.announce(me, op, site);
        if let Some(parent) = self.starting[me.index()].take() {
            self.next = Some(parent);
            return Order::Switch;
        }
        if session.has_unchecked_steps() {
            return Order::CheckInvariants;
        }
        self.decide(session)
    }

    /// Who goes on, now that every thread has announced what it does.
    fn decide(&mut self, session: &mut Session) -> Order {
        let search = &mut session.search;
        if search.out_of_bounds() {
            search.report_capped();
            return self.finish(session, Ending::Capped);
        }
        if search.comes_back() {
            return self.finish(session, Ending::Known);
        }
        let mut enabled = search.run.enabled();
        if enabled == 0 && search.run.go_on_anyway() {
            enabled = search.run.enabled();
        }
        if enabled == 0 {
            search.report_stuck();
            return self.finish(session, Ending::Maximal);
        }
        let next = match &mut self.guide {
            Some(guide) => guide.next(&search.run, enabled, current()),
            None => self.strategy.next(&search.run, enabled, current()),
        };
        match next {
            Next::Go { thread, case } => {
                self.case = case;
                if thread == current() {
                    return Order::Go;
                }
                self.next = Some(thread);
                Order::Switch
            }
            Next::Runtime => {
                self.ask = Some(enabled);
                Order::Switch
            }
            Next::Redundant => self.finish(session, Ending::Redundant),
            Next::Known => self.finish(session, Ending::Known),
            Next::Stuck { stuck, starving } => {
                search.report_for_ever(stuck, starving);
                self.finish(session, Ending::Known)
            }
            Next::Diverged(why) => {
                search.diverged(why);
                self.finish(session, Ending::Capped)
            }
        }
    }

    fn finish(&mut self, session: &mut Session, ending: Ending) -> Order {
        session.finish(ending);
        Order::Over
    }

    /// Does the announced operation.
    fn execute(&mut self, session: &mut Session) -> Effect {
        session.search.execute(current(), self.case).effect
    }

    fn begin_spawn(
        &mut self,
        session: &mut Session,
        name: Option<String>,
        site: Site,
    ) -> Option<ThreadId> {
        let me = current();
        let Some(child) = session.search.spawn(me, name, site) else {
            if session.phase == Phase::Running {
                session.search.fail_too_many_threads();
                session.finish(Ending::Capped);
            }
            return None;
        };
        if self.tasks.len() <= child.index() {
            self.tasks.resize(child.index() + 1, usize::MAX);
            self.starting.resize(child.index() + 1, None);
        }
        self.tasks[child.index()] = self.tasks_count;
        self.tasks_count += 1;
        self.starting[child.index()] = (session.phase == Phase::Running).then_some(me);
        session.alive |= 1 << child.0;
        // The runtime has a scheduling point of its own there, which is none of ours.
        self.next = Some(me);
        Some(child)
    }

    /// The thread's stack is empty: who goes on?
    fn ended(&mut self, session: &mut Session, me: ThreadId) {
        if session.phase == Phase::Running {
            if session.search.run.live == 0 {
                session.search.comes_back();
                session.finish(Ending::Maximal);
            } else {
                // A switch to whoever was chosen, or the end.
                self.decide(session);
            }
        }
        if session.phase == Phase::Over {
            let parent = self.starting[me.index()].take();
            self.next = parent.or_else(|| session.next_leftover());
        }
    }

    /// Where the runtime is to go.
    fn next_task(
        &mut self,
        session: &mut Session,
        tasks: &[&Task],
        yielding: bool,
    ) -> Option<TaskId> {
        if let Some(next) = self.next.take() {
            session::set_current(next);
            return Some(TaskId::from(self.tasks[next.index()]));
        }
        if let Some(enabled) = self.ask.take() {
            return Some(self.ask_runtime(session, tasks, enabled, yielding));
        }
        // All our threads have ended; the runtime has some tidying up to do.
        tasks.first().map(|task| task.id())
    }

    fn ask_runtime(
        &mut self,
        session: &Session,
        tasks: &[&Task],
        enabled: u64,
        yielding: bool,
    ) -> TaskId {
        let run = &session.search.run;
        let numbers = &self.tasks;
        let thread_of = |id: TaskId| {
            threads_in(enabled).find(|thread| numbers[thread.index()] == usize::from(id))
        };
        let allowed: Vec<&Task> = tasks
            .iter()
            .filter(|task| thread_of(task.id()).is_some())
            .copied()
            .collect();
        let last = run.events.last().map(|event| event.thread);
        let last = last.map(|thread| TaskId::from(numbers[thread.index()]));
        let runtime = self
            .runtime
            .as_mut()
            .expect("the strategy relies on the runtime");
        let chosen = runtime.choose(tasks, &allowed, last, yielding);
        let thread = thread_of(chosen).expect("one of the allowed tasks");
        let op = run.pending(thread).expect("it has announced something").op;
        let cases = run.world.cases(op, thread);
        self.case = match cases[..] {
            [only] => only,
            _ => cases[(runtime.scheduler.next_u64() % cases.len() as u64) as usize],
        };
        session::set_current(thread);
        chosen
    }

    /// Ends the execution that is over, if there is one, and begins the next; whether there is one.
    fn next_execution(&mut self, session: &mut Session, first: bool) -> bool {
        let searched = self.guide.is_none() && self.goes_on(session, first);
        // Somebody was left behind in the middle of a panic, which this OS thread never gets out of.
        if std::thread::panicking() {
            self.moves = Some(searched);
            return false;
        }
        self.proceeds(session, searched)
    }

    /// Begins the next execution, if there is one.
    fn proceeds(&mut self, session: &mut Session, searched: bool) -> bool {
        if !searched {
            if self.guide.is_some() {
                session.search.end(session.ending);
            }
            self.guide = session.search.next_aside().map(Guide::new);
            if self.guide.is_none() {
                return false;
            }
        }
        self.begin(session);
        true
    }

    /// Whether the search goes on with another execution.
    fn goes_on(&mut self, session: &mut Session, first: bool) -> bool {
        let search = &mut session.search;
        if !first {
            search.end(session.ending);
            // What was broken off in the middle is not to be learned from.
            if search.is_broken_off() {
                return false;
            }
            if self.strategy.wants_signal() {
                self.strategy.signal(search.signal());
            }
            let ended = self.strategy.end(&search.run, session.ending);
            if self.strategy.is_worth_keeping() {
                search.keep();
            }
            search.note_contended(&self.strategy.contended_steps());
            if let Some(why) = self.strategy.incomplete() {
                search.cut_short(why);
            }
            search.tell_progress(|| self.strategy.estimate());
            match ended {
                Ok(true) => {}
                Ok(false) => return false,
                Err(why) => {
                    search.diverged(why);
                    return false;
                }
            }
        }
        !search.must_stop()
    }

    fn begin(&mut self, session: &mut Session) {
        session.begin();
        self.next = None;
        self.ask = None;
        self.tasks.clear();
        self.tasks.push(0);
        self.tasks_count = 1;
        self.starting.clear();
        self.starting.push(None);
        if let Some(runtime) = &mut self.runtime {
            runtime.begun = false;
        }
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
        Runtime {
            kind,
            seed,
            scheduler,
            begun: false,
            had_choice: false,
        }
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
                self.scheduler
                    .next_task(allowed, current, yielding)
                    .unwrap_or(first)
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
    /// The first execution here is one that [`Context::next_execution`] has not been asked for.
    first: First,
}

#[derive(Clone, Copy, Debug)]
enum First {
    /// The first of all.
    OfAll,
    /// The first on this OS thread, after others elsewhere: see [`Context::moves`].
    Here {
        searched: bool,
    },
    Done,
}

impl Scheduler for Bridge {
    fn new_execution(&mut self) -> Option<Schedule> {
        let first = std::mem::replace(&mut self.first, First::Done);
        let begun = with(|context, session| match first {
            First::Here { searched } => context.proceeds(session, searched),
            _ => context.next_execution(session, matches!(first, First::OfAll)),
        });
        begun.then(|| Schedule::new(0))
    }

    fn next_task(&mut self, tasks: &[&Task], _: Option<TaskId>, yielding: bool) -> Option<TaskId> {
        with(|context, session| context.next_task(session, tasks, yielding))
    }

    fn next_u64(&mut self) -> u64 {
        0
    }
}

/// Runs the whole search on this OS thread, or as much of it as can be run there.
pub(super) fn run(config: Config, model: Model, number: Number, watch: Arc<Watch>) -> Outcome {
    let opened = config
        .corpus
        .as_deref()
        .filter(|_| config.strategy == Name::Fuzz)
        .map(Corpus::open);
    let (corpus, schedules) = opened.unzip();
    let (strategy, runtime) = explore::strategy(&config, schedules.unwrap_or_default());
    let seed = config.seed;
    session::open(Search::new(config, number, watch).with_corpus(corpus));
    let context = Context {
        strategy,
        guide: None,
        next: None,
        ask: None,
        case: 0,
        tasks: Vec::new(),
        tasks_count: 0,
        starting: Vec::new(),
        runtime: runtime.map(|kind| Runtime::new(kind, seed)),
        moves: None,
    };
    go_on(context, First::OfAll, model)
}

/// Runs executions until the search is over, or cannot go on here.
fn go_on(context: Context, first: First, model: Model) -> Outcome {
    CONTEXT.set(Some(context));
    DRIVER.set(Driver::Controlled);
    let its = Arc::clone(&model);
    let ended = catch_unwind(AssertUnwindSafe(|| {
        Runner::new(Bridge { first }, runtime_config()).run(move || {
            let model = Arc::clone(&its);
            let here = Site::here();
            thread_main(ThreadId::MAIN, here, Body::new(Box::new(move || model())));
        });
    }));
    DRIVER.set(Driver::Native);
    let mut context = CONTEXT.take().expect("the context of this search");
    if let Err(payload) = ended {
        // At the end of an execution the runtime asks as well whether somebody is in the middle of
        // a panic. Anything else is no business of the model's.
        if !std::thread::panicking() {
            let why = panics::message(&*payload);
            session::with(|session| session.search.fail(format!("the engine gave up: {why}")));
        } else if context.moves.is_none() {
            let searched =
                session::with(|session| context.guide.is_none() && context.goes_on(session, false));
            context.moves = Some(searched);
        }
    }
    let Some(searched) = context.moves.take() else {
        let strategy = context.strategy;
        return session::close().into_outcome(Some(&*strategy));
    };
    let session = session::take();
    Outcome::Rest(Rest::new(move || {
        session::adopt(session);
        go_on(context, First::Here { searched }, model)
    }))
}

fn runtime_config() -> shuttle_engine::Config {
    let mut config = shuttle_engine::Config::new();
    config.stack_size = TASK_STACK_SIZE;
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::None;
    config.silence_warnings = true;
    config
}

/// The runtime installs its panic hook, which prints, in its first execution of the process.
pub(super) fn install_foreign_hook() {
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
    Runner::new(Once(true), runtime_config()).run(|| {});
}
