//! Engines: what runs the threads.
//!
//! The face asks here what drives the current OS thread: nothing (then the real primitive is used),
//! the controlled engine, or loom. Does not know what an operation means (`object/`), nor who
//! should run next (`explore/`).

mod controlled;
mod ending;
#[cfg(feature = "loom")]
mod loom;
mod panics;
mod reruns;
mod search;
mod searches;
mod session;
mod signals;
mod stacks;
mod watch;

pub(crate) use crate::trace::Identity;
#[cfg(feature = "scenario")]
pub(crate) use crate::trace::Program;

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError};

use crate::config::{Config, Strategy};
use crate::op::{Action, Effect, How, Kind, ObjectId, Op, Site, ThreadId};
use crate::report::{Engine, Report};
use watch::Watch;

/// What drives an OS thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Driver {
    Native,
    Controlled,
    #[cfg(feature = "loom")]
    Loom,
}

thread_local! {
    static DRIVER: Cell<Driver> = const { Cell::new(Driver::Native) };
}

/// Whether no engine drives this OS thread: the real primitives are to be used.
#[inline]
pub(crate) fn is_native() -> bool {
    DRIVER.get() == Driver::Native
}

/// Whether no engine drives this OS thread, so that the real primitive is to be used; that the object
/// is used so is noted, for a model that it may belong to.
#[inline]
pub(crate) fn used_natively(identity: &Identity) -> bool {
    let native = is_native();
    if native {
        searches::note_native_use(identity);
    }
    native
}

/// The object's number in this execution, which meets it now if it has not yet. Only in a model.
fn object(identity: &Identity, kind: Kind) -> ObjectId {
    match DRIVER.get() {
        #[cfg(feature = "loom")]
        Driver::Loom => loom::object(identity, kind, || 0),
        _ => session::object(identity, kind),
    }
}

/// Makes an object known, without a step: objects are numbered in the order in which they are met.
#[cfg(feature = "scenario")]
pub(crate) fn meet(identity: &Identity, kind: Kind) {
    object(identity, kind);
}

/// Says that the main thread will start so many, which may be spoken of before they are there.
#[cfg(feature = "scenario")]
pub(crate) fn expect_threads(count: usize) {
    session::with(|session| session.search.run.expect_threads(count));
}

/// Ends the check: it cannot be carried out.
#[cfg(feature = "scenario")]
pub(crate) fn fail(why: String) -> ! {
    session::with(|session| {
        session.search.fail(why);
        session.finish(crate::explore::Ending::Capped);
    });
    session::unwind()
}

/// One insisting operation on an object, by the current thread of the model; whether it succeeded.
/// Outside a model it does nothing and succeeds.
#[track_caller]
pub(crate) fn touch(identity: &Identity, kind: Kind, action: Action) -> bool {
    operate(identity, kind, action, How::Insist, 0).succeeded()
}

/// One operation on an object, by the current thread of the model. Outside a model it does nothing
/// and succeeds.
#[track_caller]
pub(crate) fn operate(
    identity: &Identity,
    kind: Kind,
    action: Action,
    how: How,
    arg: u32,
) -> Effect {
    operate_at(identity, kind, action, how, arg, Site::here())
}

/// The same, at this place.
pub(crate) fn operate_at(
    identity: &Identity,
    kind: Kind,
    action: Action,
    how: How,
    arg: u32,
    site: Site,
) -> Effect {
    if used_natively(identity) {
        return Effect::Done;
    }
    let object = object(identity, kind);
    perform(Op::on(action, object).how(how).arg(arg), site)
}

/// An operation on the handles of a shared value, and on those that keep its place only; whether it
/// succeeded.
pub(crate) fn touch_both(
    strong: (&Identity, Kind),
    weak: (&Identity, Kind),
    action: Action,
    site: Site,
) -> bool {
    if is_native() {
        return true;
    }
    let weak = object(weak.0, weak.1);
    let op = Op::on(action, object(strong.0, strong.1)).with(weak.0);
    perform(op, site).succeeded()
}

/// An operation on an object, and the wait in its queue if it has to queue: never
/// [`Effect::Queued`].
#[track_caller]
pub(crate) fn acquire(
    identity: &Identity,
    kind: Kind,
    action: Action,
    how: How,
    arg: u32,
) -> Effect {
    acquire_at(identity, kind, action, how, arg, Site::here())
}

/// The same, at this place.
pub(crate) fn acquire_at(
    identity: &Identity,
    kind: Kind,
    action: Action,
    how: How,
    arg: u32,
    site: Site,
) -> Effect {
    match operate_at(identity, kind, action, how, arg, site) {
        Effect::Queued => {
            let op = Op::on(Action::Queued, object(identity, kind));
            perform(op.how(how).arg(action.joining()), site)
        }
        effect => effect,
    }
}

/// Takes permits of a fifo semaphore in the name of a ticket, or a place in its queue.
#[cfg(feature = "scenario")]
pub(crate) fn acquire_ticket(
    (identity, kind): (&Identity, Kind),
    ticket: u32,
    permits: u32,
    site: Site,
) -> Effect {
    let op = Op::on(Action::Acquire, object(identity, kind));
    perform(op.arg(permits).with(ticket), site)
}

/// Waits until a ticket is granted its permits; fails when there is no such ticket.
#[cfg(feature = "scenario")]
pub(crate) fn await_ticket((identity, kind): (&Identity, Kind), ticket: u32, site: Site) -> Effect {
    let op = Op::on(Action::Queued, object(identity, kind));
    perform(op.arg(Action::Acquire.joining()).with(ticket), site)
}

/// Gives a ticket up.
#[cfg(feature = "scenario")]
pub(crate) fn withdraw((identity, kind): (&Identity, Kind), ticket: u32, site: Site) -> Effect {
    let op = Op::on(Action::Withdraw, object(identity, kind));
    perform(op.with(ticket), site)
}

/// Waits on a condvar: the lock is released, and held again afterwards. False when it timed out;
/// none, at once, if others wait with another lock.
#[track_caller]
pub(crate) fn wait(condvar: (&Identity, Kind), lock: (&Identity, Kind), how: How) -> Option<bool> {
    waits(condvar, lock, (how, true), Site::here())
}

/// The same with any locks, at this place; none, at once, when the thread does not hold its own.
#[cfg(feature = "scenario")]
pub(crate) fn wait_at(
    condvar: (&Identity, Kind),
    lock: (&Identity, Kind),
    how: How,
    site: Site,
) -> Option<bool> {
    waits(condvar, lock, (how, false), site)
}

fn waits(
    condvar: (&Identity, Kind),
    lock: (&Identity, Kind),
    (how, one_lock): (How, bool),
    site: Site,
) -> Option<bool> {
    let lock = object(lock.0, lock.1);
    let spurious = session::may_wake_spuriously(condvar.1);
    let condvar = Op::on(Action::Wait, object(condvar.0, condvar.1)).with(lock.0);
    let tries = if one_lock { How::Try } else { How::Insist };
    let effect = perform(condvar.how(tries).arg(u32::from(spurious)), site);
    if matches!(effect, Effect::Failed | Effect::Closed) {
        return None;
    }
    let wakes = effect == Effect::Chose(1);
    if wakes {
        session::wakes_spuriously();
    }
    let wake = Op {
        action: Action::Wake,
        ..condvar
    };
    let woken = perform(wake.how(how).arg(u32::from(wakes)), site);
    Some(woken.succeeded())
}

/// Takes part in one of the arms that is ready: which, and what came of it, as for a send or a
/// recv. None when no arm was ready and it does not insist.
#[track_caller]
pub(crate) fn select(arms: &[(&Identity, Kind, Action)], how: How) -> Option<(usize, Effect)> {
    select_at(arms, how, Site::here())
}

/// The same, at this place.
pub(crate) fn select_at(
    arms: &[(&Identity, Kind, Action)],
    how: How,
    site: Site,
) -> Option<(usize, Effect)> {
    let arms = arms.iter();
    let arms = arms.map(|(identity, kind, action)| (object(identity, *kind), *action));
    let list = session::arms(arms.collect());
    let op = Op::on(Action::Select, ObjectId::NONE).how(how).with(list);
    let effect = match perform(op, site) {
        Effect::Queued => {
            let queued = Op {
                action: Action::Queued,
                arg: Action::Select.joining(),
                ..op
            };
            perform(queued, site)
        }
        effect => effect,
    };
    match effect {
        Effect::Chose(arm) => Some((arm as usize, session::exchanged())),
        _ => None,
    }
}

/// One step that reads and writes variables of the model, once the condition over those that it
/// reads holds.
#[cfg(feature = "scenario")]
pub(crate) fn evaluate_at(
    reads: &[(&Identity, Kind)],
    writes: &[(&Identity, Kind)],
    condition: Option<crate::object::Condition>,
    site: Site,
) {
    let objects = |list: &[(&Identity, Kind)]| {
        let ids = list.iter().map(|(identity, kind)| object(identity, *kind));
        ids.collect::<Vec<_>>()
    };
    let (reads, writes) = (objects(reads), objects(writes));
    let list = session::with(|session| {
        session
            .search
            .run
            .world
            .add_list(crate::object::List::Variables {
                reads,
                writes,
                condition,
            })
    });
    perform(Op::on(Action::Evaluate, ObjectId::NONE).with(list), site);
}

/// Gives a variable a value: right after the step that writes it.
#[cfg(feature = "scenario")]
pub(crate) fn set_variable(identity: &Identity, kind: Kind, value: i64) {
    let id = object(identity, kind);
    session::with(|session| session.search.run.set_variable(id, value));
}

/// The number of the execution that is running on this OS thread; 0 outside a model.
pub(crate) fn epoch() -> u32 {
    match is_native() {
        true => 0,
        false => session::with(|session| session.search.run.epoch),
    }
}

/// The current thread of the model may wait for ever without that being a defect.
#[cfg(feature = "scenario")]
pub(crate) fn set_daemon(thread: ThreadId) {
    session::with(|session| {
        session.search.run.threads[thread.index()].daemon = true;
    });
}

/// Reports a panic of the current thread that is none of Rust's.
#[cfg(feature = "scenario")]
pub(crate) fn report_panic(message: &str, site: Site) {
    session::report_panic(message, site);
}

/// Lets time pass.
pub(crate) fn sleep(site: Site) {
    perform(Op::plain(Action::Sleep, 0), site);
}

/// Blocks for ever.
#[cfg(feature = "scenario")]
pub(crate) fn block_forever(site: Site) {
    perform(Op::plain(Action::Forever, 0), site);
}

/// One operation that may be about no object.
fn perform(op: Op, site: Site) -> Effect {
    match DRIVER.get() {
        Driver::Native => Effect::Done,
        Driver::Controlled => controlled::perform(op, site),
        #[cfg(feature = "loom")]
        Driver::Loom => loom::perform(op, site),
    }
}

/// See [`crate::slow`].
#[track_caller]
pub(crate) fn slow(name: &'static str) {
    slow_at(name, Site::here());
}

/// The same, at this place.
pub(crate) fn slow_at(name: &'static str, site: Site) {
    if !is_native() {
        perform(Op::plain(Action::Slow, session::slow_name(name)), site);
    }
}

/// See [`crate::choose`].
#[track_caller]
pub(crate) fn choose(cases: usize) -> usize {
    choose_at(cases, Site::here())
}

/// The same, at this place.
pub(crate) fn choose_at(cases: usize, site: Site) -> usize {
    let cases = u32::try_from(cases).expect("gordian::choose: fewer than 2^32 cases");
    match perform(Op::plain(Action::Choose, cases), site) {
        Effect::Chose(case) => case as usize,
        _ => 0,
    }
}

/// See [`crate::invariant`].
#[track_caller]
pub(crate) fn invariant(name: &'static str, holds: Box<dyn Fn() -> bool>) {
    if !is_native() {
        session::invariant(name, holds, Site::here());
    }
}

/// The current thread's number, in a model.
pub(crate) fn thread_number() -> Option<usize> {
    (!is_native()).then(|| session::current().index())
}

/// Lets others go first.
pub(crate) fn yield_now(site: Site) {
    perform(Op::plain(Action::Yield, 0), site);
}

/// Says that the thread waits in a loop. Several in a row are one.
pub(crate) fn spin_loop(site: Site) {
    if !session::has_just(SPIN) {
        perform(SPIN, site);
    }
}

const SPIN: Op = Op::plain(Action::Yield, 1);

/// How many times longer than it says the current thread's next timed wait takes, as an exponent of
/// 2: nobody else can go on, so that it may take any time.
pub(crate) fn patience() -> u32 {
    match is_native() {
        true => 0,
        false => session::patience(),
    }
}

/// Waits for the current thread's token; timed, it may give up. Whether it was there.
pub(crate) fn park(how: How, site: Site) -> bool {
    perform(Op::plain(Action::Park, 0).how(how), site).succeeded()
}

/// Gives the thread a token.
pub(crate) fn unpark(thread: ThreadId, site: Site) {
    perform(Op::of_thread(Action::Unpark, thread), site);
}

/// Whether the thread has ended.
pub(crate) fn is_finished(thread: ThreadId, site: Site) -> bool {
    perform(Op::of_thread(Action::IsFinished, thread), site).succeeded()
}

/// Waits for the end of the thread.
pub(crate) fn join(thread: ThreadId, site: Site) {
    perform(Op::of_thread(Action::Join, thread), site);
    session::joined(thread);
}

/// The same, when the thread may borrow from the current one's stack.
pub(crate) fn join_scoped(thread: ThreadId, site: Site) {
    perform(Op::of_thread(Action::Join, thread).with(SCOPED), site);
    session::joined(thread);
}

/// In [`Op::with`] of a join: that of a scope.
const SCOPED: u32 = 0;

/// What a thread of the model does.
pub(crate) struct Body {
    pub(crate) run: Box<dyn FnOnce()>,
    /// On a stack of at least so many bytes.
    pub(crate) stack_size: usize,
}

impl Body {
    pub(crate) fn new(run: Box<dyn FnOnce()>) -> Body {
        Body { run, stack_size: 0 }
    }
}

/// Starts a thread of the model. `body` must not be called once `spawn` has unwound.
pub(crate) fn spawn(name: Option<String>, body: Body, site: Site) -> ThreadId {
    match DRIVER.get() {
        Driver::Native => unreachable!("a model's thread is started inside a model"),
        Driver::Controlled => controlled::spawn(name, body, site),
        #[cfg(feature = "loom")]
        Driver::Loom => loom::spawn(name, body, site),
    }
}

/// The name of a thread of the model, if it was given one; the main thread has its own.
pub(crate) fn thread_name(thread: ThreadId) -> Option<String> {
    session::thread_name(thread)
}

/// Whether the current thread is unwinding by a panic of its own, which poisons what it holds.
pub(crate) fn poisons() -> bool {
    match is_native() {
        true => std::thread::panicking(),
        false => session::is_panicking(session::current()),
    }
}

/// Whether the execution of the model that runs here is over.
pub(crate) fn is_over() -> bool {
    !is_native() && session::with(|session| session.phase == session::Phase::Over)
}

/// Whether the current thread is unwinding.
pub(crate) fn panicking() -> bool {
    match is_native() {
        true => std::thread::panicking(),
        false => session::is_unwinding(session::current()),
    }
}

/// Goes on with a panic of the current thread that was caught.
pub(crate) fn resume_unwind(payload: Box<dyn std::any::Any + Send>) -> ! {
    if !is_native() {
        session::mark_unwinding();
    }
    std::panic::resume_unwind(payload)
}

/// Takes note that the current thread's own code has panicked; false when the panic is the
/// engine's own, which is to be raised again.
pub(crate) fn panicked(payload: &(dyn std::any::Any + Send)) -> bool {
    if panics::is_quiet(payload) {
        return false;
    }
    session::panicked(payload);
    true
}

/// What a model is.
pub(crate) type Model = Arc<dyn Fn() + Send + Sync>;

/// Checks the model on an OS thread of its own, and watches that it gets on.
pub(crate) fn run(config: Config, model: Model) -> Report {
    if !is_native() {
        return search::refused(&config, "a check cannot run inside a model");
    }
    if config.strategy == Strategy::States && config.program.is_none() {
        return search::refused(
            &config,
            "the strategy `states` is for scenarios: the state of a closure is not known",
        );
    }
    loop {
        let watch = Arc::new(Watch::default());
        let enlisted = searches::enlist(&watch);
        let (settings, its, watched) = (config.clone(), Arc::clone(&model), Arc::clone(&watch));
        let number = enlisted.number();
        let mut rest = Rest::new(move || search(settings, its, number, watched));
        let outcome = loop {
            match watched_run(&config, &watch, rest) {
                Outcome::Rest(others) => rest = others,
                outcome => break outcome,
            }
        };
        drop(enlisted);
        match outcome {
            Outcome::Report(mut report) => {
                if let Some(why) = watch.foreign_use() {
                    search::refuse(&mut report, why);
                }
                return *report;
            }
            Outcome::After(other) => searches::wait_for_end(other),
            Outcome::Rest(_) => unreachable!("it was run"),
        }
    }
}

/// How far a search came on one OS thread.
enum Outcome {
    /// To its end.
    Report(Box<Report>),
    /// The rest has to be done on another one.
    Rest(Rest),
    /// Nowhere: it uses an object of this other search, and begins anew after that.
    After(searches::Number),
}

impl Outcome {
    fn of(report: Report) -> Outcome {
        Outcome::Report(Box::new(report))
    }
}

/// What is left to be done of a search. All that the search knows goes with it.
struct Rest(Box<dyn FnOnce() -> Outcome>);

// SAFETY: the OS thread that it comes from ends without touching any of that again. Stacks of the
// model that were left behind there may share some of it, but never run again.
unsafe impl Send for Rest {}

impl Rest {
    fn new(rest: impl FnOnce() -> Outcome + 'static) -> Rest {
        Rest(Box::new(rest))
    }

    fn run(self) -> Outcome {
        (self.0)()
    }
}

/// Runs the search, or the rest of it, on an OS thread of its own, and watches that it gets on.
fn watched_run(config: &Config, watch: &Watch, rest: Rest) -> Outcome {
    let (sender, receiver) = mpsc::channel();
    let name = std::thread::current()
        .name()
        .unwrap_or("gordian")
        .to_owned();
    let started = std::thread::Builder::new()
        .name(name)
        .stack_size(STACK_SIZE)
        .spawn(move || {
            searches::has_this_thread();
            let outcome = rest.run();
            // The receiver is gone when the watching thread has given up on this one.
            let _ = sender.send(outcome);
        });
    let failed = |why: &str| Outcome::of(search::refused(config, why));
    let thread = match started {
        Ok(thread) => thread,
        Err(error) => return failed(&format!("no thread: {error}")),
    };
    let mut beats = 0;
    loop {
        match receiver.recv_timeout(config.stall_max) {
            Ok(outcome) => {
                let _ = thread.join();
                return outcome;
            }
            Err(RecvTimeoutError::Disconnected) => {
                let why = match thread.join() {
                    Err(payload) => panics::message(&*payload),
                    Ok(()) => "it ended without a report".to_owned(),
                };
                return failed(&format!("the search itself failed: {why}"));
            }
            Err(RecvTimeoutError::Timeout) => {
                let now = watch.beats.load(Ordering::Relaxed);
                if now == beats && watch.in_model.load(Ordering::Relaxed) {
                    return Outcome::of(search::stalled(config, watch));
                }
                beats = now;
            }
        }
    }
}

/// Stack of the search's OS thread; the model's threads have their own.
const STACK_SIZE: usize = 8 * 1024 * 1024;

fn search(config: Config, model: Model, number: searches::Number, watch: Arc<Watch>) -> Outcome {
    // Whichever engine comes first: the foreign hook would come on top of ours later.
    panics::install(controlled::install_foreign_hook, session::mark_unwinding);
    signals::install(config.stack_size);
    match config.engine {
        Engine::Controlled => controlled::run(config, model, number, watch),
        #[cfg(feature = "loom")]
        Engine::Loom => loom::run(config, model, number, watch),
        #[cfg(not(feature = "loom"))]
        Engine::Loom => Outcome::of(search::refused(
            &config,
            "the loom engine is not built in: add `features = [\"loom\"]` to the dependency on \
             gordian",
        )),
        // No text names it as a setting, and no checker can be given it.
        Engine::Native => Outcome::of(search::refused(
            &config,
            "the native engine does not search",
        )),
    }
}

/// The native atomic behind an atomic of the face, as 64 bits.
pub(crate) struct Access<G, S> {
    pub(crate) get: G,
    pub(crate) set: S,
}

/// Reads an atomic; none outside a model.
#[track_caller]
pub(crate) fn load<G: Fn() -> u64, S: Fn(u64)>(
    identity: &Identity,
    order: std::sync::atomic::Ordering,
    native: &Access<G, S>,
) -> Option<u64> {
    let site = Site::here();
    match DRIVER.get() {
        Driver::Native => {
            searches::note_native_use_of_value(identity);
            None
        }
        Driver::Controlled => {
            let _ = order;
            let object = session::object(identity, Kind::Atomic);
            controlled::perform(Op::on(Action::Load, object), site);
            let bits = (native.get)();
            session::saw(bits, false);
            Some(bits)
        }
        #[cfg(feature = "loom")]
        Driver::Loom => Some(loom::load(identity, order, &native.get, site)),
    }
}

/// Overwrites an atomic; whether it did, which outside a model it does not.
#[track_caller]
pub(crate) fn store<G: Fn() -> u64, S: Fn(u64)>(
    identity: &Identity,
    order: std::sync::atomic::Ordering,
    bits: u64,
    native: &Access<G, S>,
) -> bool {
    let site = Site::here();
    match DRIVER.get() {
        Driver::Native => {
            searches::note_native_use_of_value(identity);
            return false;
        }
        Driver::Controlled => {
            let _ = order;
            let object = session::object(identity, Kind::Atomic);
            controlled::perform(Op::on(Action::Store, object), site);
        }
        #[cfg(feature = "loom")]
        Driver::Loom => loom::store(identity, order, bits, &native.get, site),
    }
    (native.set)(bits);
    true
}

/// Changes an atomic in one step, unless `change` refuses; none outside a model.
#[track_caller]
pub(crate) fn update<G: Fn() -> u64, S: Fn(u64)>(
    identity: &Identity,
    orders: (std::sync::atomic::Ordering, std::sync::atomic::Ordering),
    change: &mut dyn FnMut(u64) -> Option<u64>,
    native: &Access<G, S>,
) -> Option<Result<u64, u64>> {
    let site = Site::here();
    match DRIVER.get() {
        Driver::Native => {
            searches::note_native_use_of_value(identity);
            None
        }
        Driver::Controlled => {
            let _ = orders;
            let object = session::object(identity, Kind::Atomic);
            controlled::perform(Op::on(Action::Update, object), site);
            let old = (native.get)();
            let new = change(old);
            session::saw(old, new.is_none());
            Some(match new {
                None => Err(old),
                Some(new) => {
                    (native.set)(new);
                    Ok(old)
                }
            })
        }
        #[cfg(feature = "loom")]
        Driver::Loom => Some(loom::update(identity, orders, change, native, site)),
    }
}

/// A memory fence: nothing under sequential consistency.
pub(crate) fn fence(order: std::sync::atomic::Ordering) {
    match DRIVER.get() {
        Driver::Native | Driver::Controlled => {
            let _ = order;
        }
        #[cfg(feature = "loom")]
        Driver::Loom => loom::fence(order),
    }
}
