//! The meaning of each primitive: when an operation is enabled, what it does, and with which other
//! operations it commutes.
//!
//! Knows the state of every object of one execution. Does not know who runs next, why, or how a
//! thread is made to wait.
//!
//! # Dependence
//! Two operations of different threads are *dependent* when their footprints conflict: they touch
//! the same cell in modes of which at least one excludes the other. Reads exclude writes and
//! signals, writes exclude everything, signals exclude all but signals. Which handle of a shared
//! value is dropped last matters, and nothing else about the order of drops: a *drop* excludes all
//! but other drops and signals, and becomes a write when it is the last. A *revive* excludes all but
//! signals and its own kind.
//!
//! So dependence of two drops is a question about the state: the footprint of one that is to come is
//! that in the state at hand (`last-but-one`, if one more would be the last: whoever waited to be
//! tried first is then another case), and that of one that was done says what it was.
//!
//! | operation | footprint | enabled when | waits | disables |
//! |---|---|---|---|---|
//! | lock, acquire (of a mutex) | lock: write | nobody holds it | yes | yes |
//! | unlock, release | lock: write (and invariant: write) | always | | |
//! | try-lock, timed lock | lock: write, whatever comes of it | always | | yes |
//! | is-locked | lock: read; rwlock: write | always | | |
//! | read, read-recursive, unread (not fifo) | lock: read | no writer inside, none waiting | yes | yes |
//! | write, upgrade, and whatever else changes who is inside | lock: write | see `rwlock` | yes | yes |
//! | queued (rwlock, rendezvous) | as what it queued for: write | its turn | yes | yes |
//! | queued (semaphore, barrier, notify) | object: read | its turn | yes | yes |
//! | wait | condvar, lock: write | always | | |
//! | wake | condvar: read (write, if timed or spurious), lock: write | notified, lock free | yes | yes |
//! | notify-one, notify-all | condvar: write | always | | |
//! | acquire (of a semaphore) | semaphore: write | enough permits | yes | yes |
//! | release (of a semaphore) | semaphore: signal; write, if it has a maximum | always | | |
//! | send, recv | channel: write; of a rendezvous: its cluster: write | room; a message | yes | yes |
//! | select | all channels of its arms, so | an arm is ready | yes | yes |
//! | close, len | channel: write; read | always | | |
//! | add to a wait group | group: write; signal, if it takes from one that is not exact | always | | yes |
//! | wait-zero | group: read | it is 0 | yes | |
//! | arrive | barrier: write | always | | |
//! | begin, complete | once: write | nobody runs it | yes | yes |
//! | open, pass | gate: write, read | always; it is open | yes | |
//! | enlist, signal, withdraw | notify: write | always | | |
//! | evaluate | variables it writes: write, reads: read | its condition holds | yes | yes |
//! | clone, drop (of a weak handle) | handles: signal; write, if the value was not there before | always | | |
//! | drop (of a handle that keeps the value) | handles: drop; write, if it is the last | always | | |
//! | revive (of a weak handle) | handles: revive | always | | |
//! | count; unwrap | handles: read; write (and those of the other kind: read) | always | | |
//! | load | value: read | always | | |
//! | store, update | value: write (and invariant: write) | always | | |
//! | exit | end of the thread: write | always | | |
//! | join | end of the thread: read | it has ended | yes | |
//! | is-finished | end of the thread: read | always | | |
//! | park | own token: write | the token is there | yes | |
//! | unpark | the thread's token: signal | always | | |
//! | spawn, yield, sleep, slow, choose | nothing | always | | |
//!
//! An operation that waits until something that its thread has read is changed (see
//! [`Until`](crate::op::Until)) reads all of that as well, and waits. One that goes on because
//! nobody else can excludes all others of its kind, and comes after every step before it.
//!
//! "And invariant: write" holds for objects that a registered invariant reads: what it sees must
//! be seen in every order. "Waits" are operations that can be disabled, "disables" those that can
//! do that to others: of such a pair either may come first though a release stands between them.
//!
//! A try that fails is a write as well: with a read instead there would be fewer traces than the
//! literature's counts for programs of tries (24 of three threads), which the tests hold us to.

mod awaited;
mod channel;
mod condvar;
mod counts;
mod footprint;
mod handles;
mod mutex;
mod notify;
mod once;
mod rwlock;
mod semaphore;
mod thread;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use smallvec::SmallVec;

use crate::op::{Action, Effect, How, Kind, ObjectId, Op, ThreadId, Until};
pub(crate) use awaited::Waits;
pub(crate) use footprint::{Cell, Footprint, Mode};

use channel::Channel;
use condvar::Condvar;
use counts::{Barrier, WaitGroup};
use handles::Handles;
use mutex::Mutex;
use notify::Notify;
use once::{Gate, Once};
use rwlock::RwLock;
use semaphore::{Semaphore, Waiter};
use thread::Thread;

/// What an operation on several objects is about, by number.
#[derive(Clone)]
#[cfg_attr(
    not(feature = "scenario"),
    expect(dead_code, reason = "some are for scenarios only")
)]
pub(crate) enum List {
    /// Variables.
    Variables {
        reads: Vec<ObjectId>,
        writes: Vec<ObjectId>,
        condition: Option<Condition>,
    },
    /// The arms of a select: channel, and send or recv.
    Arms(Vec<(ObjectId, Action)>),
    /// Cells, and how often each had been changed when somebody looked.
    Looks(Vec<(Cell, u32)>),
}

/// More than a cell may count down.
const CHANGES_AT_FIRST: u32 = 1 << 16;

/// Whether the values of the variables that are read, in their order, let a thread go on.
pub(crate) type Condition = Rc<dyn Fn(&dyn Fn(usize) -> i64) -> bool>;

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            List::Variables { reads, writes, .. } => write!(f, "{reads:?} -> {writes:?}"),
            List::Arms(arms) => f.debug_list().entries(arms).finish(),
            List::Looks(looks) => f.debug_list().entries(looks).finish(),
        }
    }
}

/// The state of every object and thread of one execution, as far as it decides who can go on.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    objects: Vec<Object>,
    threads: Vec<Thread>,
    lists: Rc<Vec<List>>,
    exchanged: Effect,
    /// How often cells were changed, since somebody wants to know.
    changes: Vec<(Cell, u32)>,
    /// Whether there is anything but locks and values: then steps may enable others without
    /// touching what those touch.
    complex: bool,
    /// Whether there are handles of shared values: then what an operation touches may depend on the
    /// state.
    counted: bool,
}

#[derive(Clone, Debug)]
struct Object {
    kind: Kind,
    state: State,
    /// Whether a registered invariant reads it.
    observed: bool,
}

#[derive(Clone, Debug, Hash)]
enum State {
    Lock(Mutex),
    RwLock(RwLock),
    Condvar(Condvar),
    Semaphore(Semaphore),
    Channel(Channel),
    WaitGroup(WaitGroup),
    Barrier(Barrier),
    Once(Once),
    Notify(Notify),
    Gate(Gate),
    Handles(Handles),
    Variable(i64),
    /// Has no state that could make anyone wait.
    Value,
}

impl State {
    fn new(kind: Kind) -> State {
        match kind {
            Kind::Mutex | Kind::RawLock => State::Lock(Mutex::default()),
            Kind::RwLock(preference) => State::RwLock(RwLock::new(preference)),
            Kind::Condvar { spurious, fifo } => State::Condvar(Condvar::new(spurious, fifo)),
            Kind::Semaphore { permits, fifo, max } => {
                State::Semaphore(Semaphore::new(permits, fifo, max))
            }
            Kind::Channel { capacity, .. } => State::Channel(Channel::new(capacity)),
            Kind::WaitGroup { count, .. } => State::WaitGroup(WaitGroup::new(count)),
            Kind::Barrier { parties } => State::Barrier(Barrier::new(parties)),
            Kind::Once { done } => State::Once(Once {
                done,
                ..Once::default()
            }),
            Kind::Notify => State::Notify(Notify::default()),
            Kind::Gate => State::Gate(Gate::default()),
            Kind::Arc { count } | Kind::Weak { count } => State::Handles(Handles { count }),
            Kind::Variable { value } => State::Variable(value),
            Kind::Atomic | Kind::Ghost => State::Value,
        }
    }
}

/// The state of an object that must be of this kind: an operation goes to the right objects only.
macro_rules! state {
    ($world:expr, $id:expr, $kind:ident) => {
        match &$world.objects[$id.index()].state {
            State::$kind(state) => state,
            other => unreachable!("{other:?} is not what the operation is for"),
        }
    };
    (mut $world:expr, $id:expr, $kind:ident) => {
        match &mut $world.objects[$id.index()].state {
            State::$kind(state) => state,
            other => unreachable!("{other:?} is not what the operation is for"),
        }
    };
}

pub(crate) use state;

impl World {
    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.objects.clear();
        self.threads.clear();
        self.changes.clear();
        self.complex = false;
        self.counted = false;
        if !self.lists.is_empty() {
            self.lists = Rc::default();
        }
    }

    /// Puts every object and thread back to how it was when it was made.
    pub(crate) fn rewind(&mut self) {
        for object in &mut self.objects {
            object.state = State::new(object.kind);
        }
        self.threads.fill(Thread::default());
        self.changes.clear();
    }

    /// Takes over the state of another world, without giving up memory.
    pub(crate) fn copy_from(&mut self, other: &World) {
        self.objects.clone_from(&other.objects);
        self.threads.clone_from(&other.threads);
        self.changes.clone_from(&other.changes);
        self.complex = other.complex;
        self.counted = other.counted;
        if !Rc::ptr_eq(&self.lists, &other.lists) {
            self.lists = Rc::clone(&other.lists);
        }
    }

    pub(crate) fn add(&mut self, kind: Kind) -> ObjectId {
        let id = ObjectId(u32::try_from(self.objects.len()).expect("fewer than 2^32 objects"));
        self.complex |= !matches!(
            kind,
            Kind::Mutex
                | Kind::RawLock
                | Kind::Arc { .. }
                | Kind::Weak { .. }
                | Kind::Atomic
                | Kind::Ghost
        );
        self.counted |= matches!(kind, Kind::Arc { .. });
        self.objects.push(Object {
            kind,
            state: State::new(kind),
            observed: false,
        });
        id
    }

    pub(crate) fn add_thread(&mut self, thread: ThreadId) {
        if self.threads.len() <= thread.index() {
            self.threads.resize(thread.index() + 1, Thread::default());
        }
    }

    /// The number of a list of objects.
    pub(crate) fn add_list(&mut self, list: List) -> u32 {
        let lists = Rc::make_mut(&mut self.lists);
        lists.push(list);
        lists.len() as u32 - 1
    }

    /// The number of the arms of a select.
    pub(crate) fn arms(&mut self, arms: Vec<(ObjectId, Action)>) -> u32 {
        let is_same = |list: &List| matches!(list, List::Arms(its) if *its == arms);
        match self.lists.iter().position(is_same) {
            Some(at) => at as u32,
            None => self.add_list(List::Arms(arms)),
        }
    }

    /// The number of a list of what somebody has seen of these cells.
    pub(crate) fn looks(&mut self, looks: Vec<(Cell, u32)>) -> u32 {
        // Who can go on now depends on steps that touch nothing of what the operation is about.
        self.complex = true;
        let is_same = |list: &List| matches!(list, List::Looks(its) if *its == looks);
        match self.lists.iter().position(is_same) {
            Some(at) => at as u32,
            None => self.add_list(List::Looks(looks)),
        }
    }

    pub(crate) fn looks_of(&self, list: u32) -> &[(Cell, u32)] {
        match &self.lists[list as usize] {
            List::Looks(looks) => looks,
            _ => unreachable!("it waits for a change"),
        }
    }

    /// How often the cell was changed.
    pub(crate) fn changes_of(&self, cell: Cell) -> u32 {
        let found = self.changes.iter().find(|(its, _)| *its == cell);
        found.map_or(CHANGES_AT_FIRST, |(_, count)| *count)
    }

    /// Counts an operation that was done as a change of what it touches; less than 0 takes an
    /// earlier one back.
    pub(crate) fn count_change(&mut self, op: Op, by: ThreadId, change: i8) {
        if change == 0 {
            return;
        }
        let footprint = self.footprint(op.itself(), by);
        for &(cell, mode) in footprint.cells() {
            if mode == Mode::Read || cell == Cell::INVARIANT {
                continue;
            }
            let count = match self.changes.iter_mut().find(|(its, _)| *its == cell) {
                Some((_, count)) => count,
                None => {
                    self.changes.push((cell, CHANGES_AT_FIRST));
                    let last = self.changes.last_mut();
                    &mut last.expect("it was added just now").1
                }
            };
            *count = count.saturating_add_signed(i32::from(change));
        }
    }

    pub(crate) fn objects(&self) -> usize {
        self.objects.len()
    }

    /// Whether a step can enable another without touching what that touches.
    pub(crate) fn is_complex(&self) -> bool {
        self.complex
    }

    /// Whether what an operation touches may depend on the state.
    pub(crate) fn is_counted(&self) -> bool {
        self.counted
    }

    /// Whether the operation is about the handles of a shared value.
    pub(crate) fn is_about_handles(op: Op) -> bool {
        matches!(
            op.action,
            Action::Clone | Action::Drop | Action::Revive | Action::Count | Action::Unwrap
        )
    }

    /// Whether the operation, if it is done now, drops a shared value.
    #[cfg(feature = "loom")]
    pub(crate) fn drops_value(&self, op: Op) -> bool {
        op.action == Action::Drop
            && self.keeps_value(op.object)
            && state!(self, op.object, Handles).count == 1
    }

    /// Notes that an invariant reads the object.
    pub(crate) fn observe(&mut self, object: ObjectId) {
        self.objects[object.index()].observed = true;
    }

    /// The value of a variable.
    pub(crate) fn variable(&self, id: ObjectId) -> i64 {
        *state!(self, id, Variable)
    }

    pub(crate) fn set_variable(&mut self, id: ObjectId, value: i64) {
        *state!(mut self, id, Variable) = value;
    }

    /// The whole state, for telling states apart.
    pub(crate) fn hash_state(&self, hasher: &mut impl Hasher) {
        for object in &self.objects {
            object.state.hash(hasher);
        }
        self.threads.hash(hasher);
    }

    fn arms_of(&self, list: u32) -> &[(ObjectId, Action)] {
        match &self.lists[list as usize] {
            List::Arms(arms) => arms,
            _ => unreachable!("a select has arms"),
        }
    }

    /// The arms that are ready, by number.
    fn ready_arms(&self, list: u32, by: ThreadId) -> impl Iterator<Item = u32> {
        let arms = self.arms_of(list).iter().enumerate();
        arms.filter(move |(_, (id, action))| state!(self, id, Channel).is_ready(*action, by))
            .map(|(at, _)| at as u32)
    }

    /// Whether the thread could do the operation now.
    pub(crate) fn enabled(&self, op: Op, by: ThreadId) -> bool {
        match op.until {
            Until::Nothing | Until::Anyway(_) => self.is_possible(op, by),
            Until::Change(list) => {
                let mut looks = self.looks_of(list).iter();
                match looks.any(|(cell, seen)| self.changes_of(*cell) > *seen) {
                    true => self.is_possible(op, by),
                    false => op.how != How::Insist && !self.would_wait(op, by),
                }
            }
        }
    }

    /// Whether the thread could do the operation now, whatever else it waits for.
    pub(crate) fn is_possible(&self, op: Op, by: ThreadId) -> bool {
        let id = op.object;
        match op.action {
            Action::Lock => op.how != How::Insist || self.lock(id).holder.is_none(),
            Action::Read
            | Action::ReadRecursive
            | Action::Write
            | Action::Upgradable
            | Action::Upgrade => state!(self, id, RwLock).enabled(op.action, op.how, by),
            Action::Queued => op.how != How::Insist || self.is_turn_of(op, by),
            Action::Wake => {
                let condvar = state!(self, id, Condvar);
                let wakes = condvar.is_notified(by)
                    || condvar.is_spurious()
                    || op.arg == 1
                    || op.how == How::Timed;
                wakes && self.lock(op.other()).holder.is_none()
            }
            Action::Acquire => state!(self, id, Semaphore).enabled(op),
            Action::Send | Action::Recv => state!(self, id, Channel).enabled(op.action, op.how, by),
            Action::Select => {
                op.how != How::Insist
                    || self.ready_arms(op.with, by).next().is_some()
                    || self.has_rendezvous(op.with)
            }
            Action::WaitZero => state!(self, id, WaitGroup).is_zero(),
            Action::Begin => state!(self, id, Once).running.is_none(),
            Action::Pass => state!(self, id, Gate).open,
            Action::Evaluate => self.condition_holds(op.with),
            Action::Join => self.thread(op.thread()).ended,
            Action::Park => op.how != How::Insist || self.thread(by).token,
            Action::Forever => false,
            _ => true,
        }
    }

    fn condition_holds(&self, list: u32) -> bool {
        match &self.lists[list as usize] {
            List::Variables {
                reads,
                condition: Some(condition),
                ..
            } => condition(&|at| self.variable(reads[at])),
            _ => true,
        }
    }

    fn has_rendezvous(&self, list: u32) -> bool {
        let mut arms = self.arms_of(list).iter();
        arms.any(|(id, _)| state!(self, id, Channel).is_rendezvous())
    }

    /// Whether a thread that has queued may go on.
    fn is_turn_of(&self, op: Op, by: ThreadId) -> bool {
        let met = self.thread(by).met.is_some();
        if op.purpose() == Action::Select {
            return met || self.ready_arms(op.with, by).next().is_some();
        }
        match &self.objects[op.object.index()].state {
            State::RwLock(lock) => lock.is_turn_of(by),
            State::Semaphore(semaphore) => semaphore.is_turn_of(Waiter::of(op, by)),
            State::Channel(channel) => met || channel.is_closed(op.purpose()),
            State::Barrier(barrier) => barrier.is_turn_of(by),
            State::Notify(notify) => notify.is_turn_of(by),
            other => unreachable!("{other:?} has no queue"),
        }
    }

    /// Whether the operation has cases.
    pub(crate) fn has_cases(op: Op) -> bool {
        match op.action {
            Action::Choose | Action::NotifyOne | Action::Select => true,
            Action::Wait => op.arg == 1,
            Action::Queued => op.purpose() == Action::Select,
            _ => false,
        }
    }

    /// The cases of the operation, which is enabled; one of them has to be chosen. `[0]` when there
    /// is nothing to choose.
    pub(crate) fn cases(&self, op: Op, by: ThreadId) -> SmallVec<[u32; 4]> {
        let cases: SmallVec<[u32; 4]> = match op.action {
            Action::Choose => (0..op.arg).collect(),
            Action::Wait if op.arg == 1 => [0, 1].into_iter().collect(),
            Action::NotifyOne => state!(self, op.object, Condvar)
                .candidates()
                .map(|waiter| u32::from(waiter.0) + 1)
                .collect(),
            Action::Queued if self.thread(by).met.is_some() => SmallVec::new(),
            Action::Select | Action::Queued if Self::has_cases(op) => {
                self.ready_arms(op.with, by).collect()
            }
            _ => SmallVec::new(),
        };
        match cases.is_empty() {
            true => SmallVec::from_slice(&[0]),
            false => cases,
        }
    }

    /// Does the operation, which must be enabled, in one of its cases.
    pub(crate) fn apply(&mut self, op: Op, by: ThreadId, case: u32) -> Effect {
        debug_assert!(
            self.enabled(op, by),
            "{op:?} by {by:?} is done while it is disabled"
        );
        let id = op.object;
        match op.action {
            Action::Lock => Effect::of(self.lock_mut(id).take(by)),
            Action::Unlock if op.arg == 1 && self.holder(id) != Some(by) => Effect::Failed,
            Action::Unlock => Effect::of(self.lock_mut(id).release()),
            Action::IsLocked => Effect::of(self.is_held(id)),
            Action::Read
            | Action::ReadRecursive
            | Action::Write
            | Action::Upgradable
            | Action::Upgrade => state!(mut self, id, RwLock).acquire(op.action, op.how, by),
            Action::Unread
            | Action::Unwrite
            | Action::Unupgradable
            | Action::Downgrade
            | Action::DowngradeToUpgradable
            | Action::DowngradeUpgradable => state!(mut self, id, RwLock).release(op.action, by),
            Action::IsWritten => Effect::of(state!(self, id, RwLock).is_written()),
            Action::Queued => self.go_on(op, by, case),
            Action::Wait | Action::Wake | Action::NotifyOne | Action::NotifyAll => {
                self.apply_to_condvar(op, by, case)
            }
            Action::Send | Action::Recv => self.exchange(op, by),
            Action::Select => self.select(op, by, case),
            Action::Choose => Effect::Chose(case),
            _ => self.apply_simple(op, by),
        }
    }

    fn apply_simple(&mut self, op: Op, by: ThreadId) -> Effect {
        let id = op.object;
        match op.action {
            Action::Acquire => state!(mut self, id, Semaphore).acquire(op, by),
            Action::Release => state!(mut self, id, Semaphore).release(op.arg, by),
            Action::Permits => Effect::Chose(state!(self, id, Semaphore).permits()),
            Action::Withdraw => match &mut self.objects[id.index()].state {
                State::Semaphore(semaphore) => semaphore.withdraw(Waiter::of(op, by)),
                State::Notify(notify) => notify.withdraw(by),
                other => unreachable!("{other:?} has no queue to leave"),
            },
            Action::CloseSend => state!(mut self, id, Channel).close_send(),
            Action::CloseRecv => state!(mut self, id, Channel).close_recv(),
            Action::Len => Effect::Chose(state!(self, id, Channel).len()),
            Action::Add => state!(mut self, id, WaitGroup).add(op.arg as i32),
            Action::Arrive => state!(mut self, id, Barrier).arrive(by),
            Action::Begin => state!(mut self, id, Once).begin(by),
            Action::Complete => state!(mut self, id, Once).end(true),
            Action::Abandon => state!(mut self, id, Once).end(false),
            Action::IsComplete => Effect::of(state!(self, id, Once).done),
            Action::Open => state!(mut self, id, Gate).open(),
            _ if Self::is_about_handles(op) => self.apply_to_handles(op),
            Action::Enlist if op.how == How::Try => state!(mut self, id, Notify).enable(by),
            Action::Enlist => state!(mut self, id, Notify).enlist(by),
            Action::Signal => {
                state!(mut self, id, Notify).signal();
                Effect::Done
            }
            Action::SignalAll => {
                state!(mut self, id, Notify).signal_all();
                Effect::Done
            }
            Action::Exit => {
                self.thread_mut(by).ended = true;
                Effect::Done
            }
            Action::IsFinished => Effect::of(self.thread(op.thread()).ended),
            Action::Park => Effect::of(std::mem::take(&mut self.thread_mut(by).token)),
            Action::Unpark => {
                self.thread_mut(op.thread()).token = true;
                Effect::Done
            }
            _ => Effect::Done,
        }
    }

    /// Does an operation on handles, whatever else it waits for.
    pub(crate) fn apply_to_handles(&mut self, op: Op) -> Effect {
        let others = match op.with {
            Op::NOTHING => None,
            _ => Some(state!(self, op.other(), Handles).count),
        };
        let handles = state!(mut self, op.object, Handles);
        match op.action {
            Action::Clone => handles.clone_one(),
            Action::Drop => handles.drop_one(),
            Action::Revive => handles.revive(),
            Action::Unwrap => handles.unwrap(others != Some(0)),
            _ => match others {
                Some(others) => Effect::of(handles.count == 1 && others == 0),
                None => Effect::Chose(handles.count),
            },
        }
    }

    /// Whether the lock is the thread's to wait with: one without an owner is anybody's.
    fn may_wait_with(&self, lock: ObjectId, by: ThreadId) -> bool {
        let has_owner = self.objects[lock.index()].kind != Kind::RawLock;
        match self.holder(lock) {
            Some(holder) => holder == by || !has_owner,
            None => false,
        }
    }

    fn apply_to_condvar(&mut self, op: Op, by: ThreadId, case: u32) -> Effect {
        match op.action {
            Action::Wait if !self.may_wait_with(op.other(), by) => Effect::Failed,
            Action::Wait
                if op.how == How::Try
                    && state!(self, op.object, Condvar).is_of_another(op.other()) =>
            {
                Effect::Closed
            }
            Action::Wait => {
                self.lock_mut(op.other()).release();
                state!(mut self, op.object, Condvar).join(by, op.other());
                Effect::Chose(case)
            }
            Action::Wake => {
                self.lock_mut(op.other()).take(by);
                let condvar = state!(mut self, op.object, Condvar);
                let notified = condvar.leave(by);
                Effect::of(notified || op.how == How::Insist)
            }
            Action::NotifyAll => Effect::Chose(state!(mut self, op.object, Condvar).notify_all()),
            _ => {
                if let Some(waiter) = case.checked_sub(1) {
                    state!(mut self, op.object, Condvar).notify(ThreadId(waiter as u8));
                }
                Effect::of(case > 0)
            }
        }
    }

    /// Goes on after having queued.
    fn go_on(&mut self, op: Op, by: ThreadId, case: u32) -> Effect {
        if matches!(op.purpose(), Action::Select | Action::Send | Action::Recv) {
            return self.go_on_from_rendezvous(op, by, case);
        }
        match &mut self.objects[op.object.index()].state {
            State::RwLock(lock) => lock.go_on(by),
            State::Semaphore(semaphore) => semaphore.go_on(Waiter::of(op, by), by),
            State::Barrier(barrier) => barrier.go_on(by),
            State::Notify(notify) => notify.go_on(by),
            other => unreachable!("{other:?} has no queue"),
        }
    }

    fn go_on_from_rendezvous(&mut self, op: Op, by: ThreadId, case: u32) -> Effect {
        let selects = op.purpose() == Action::Select;
        if let Some(met) = self.thread_mut(by).met.take() {
            self.exchanged = Effect::Chose(u32::from(met.thread.0));
            return Effect::Chose(match selects {
                true => met.arm,
                false => u32::from(met.thread.0),
            });
        }
        self.withdraw_offers(by);
        if selects {
            return self.take_arm(op, by, case).unwrap_or(Effect::Failed);
        }
        match state!(self, op.object, Channel).is_closed(op.purpose()) {
            true => Effect::Closed,
            false => Effect::Failed,
        }
    }

    fn withdraw_offers(&mut self, thread: ThreadId) {
        for object in &mut self.objects {
            if let State::Channel(channel) = &mut object.state {
                channel.withdraw(thread);
            }
        }
    }

    fn exchange(&mut self, op: Op, by: ThreadId) -> Effect {
        let channel = state!(mut self, op.object, Channel);
        match channel.exchange(op.action, by) {
            Some((effect, partner)) => {
                self.meet(partner, by);
                effect
            }
            None if op.how == How::Try || !channel.is_rendezvous() => Effect::Failed,
            None => {
                channel.offer(op.action, by, 0);
                Effect::Queued
            }
        }
    }

    /// The partner, if there is one, need not wait any more.
    fn meet(&mut self, partner: Option<channel::Offer>, by: ThreadId) {
        if let Some(partner) = partner {
            self.withdraw_offers(partner.thread);
            self.thread_mut(partner.thread).met = Some(channel::Offer {
                thread: by,
                ..partner
            });
        }
    }

    fn select(&mut self, op: Op, by: ThreadId, case: u32) -> Effect {
        if let Some(effect) = self.take_arm(op, by, case) {
            return effect;
        }
        if op.how == How::Try || !self.has_rendezvous(op.with) {
            return Effect::Failed;
        }
        for (at, (id, action)) in self.arms_of(op.with).to_vec().into_iter().enumerate() {
            let channel = state!(mut self, id, Channel);
            if channel.is_rendezvous() {
                channel.offer(action, by, at as u32);
            }
        }
        Effect::Queued
    }

    /// Takes part in an arm that is ready. What came of it is
    /// what [`World::exchanged`] says.
    fn take_arm(&mut self, op: Op, by: ThreadId, case: u32) -> Option<Effect> {
        let (id, action) = *self.arms_of(op.with).get(case as usize)?;
        let (effect, partner) = state!(mut self, id, Channel).exchange(action, by)?;
        self.meet(partner, by);
        self.exchanged = effect;
        Some(Effect::Chose(case))
    }

    /// What became of the arm that a thread took part in just now: as for a send or a recv.
    pub(crate) fn exchanged(&self) -> Effect {
        self.exchanged
    }

    /// Whether the thread could go on if it did the operation now and insisted.
    pub(crate) fn would_wait(&self, op: Op, by: ThreadId) -> bool {
        !self.is_possible(op.how(How::Insist), by)
    }

    /// Whether the thread would be served at once, without having to queue.
    pub(crate) fn is_ready(&self, op: Op, by: ThreadId) -> bool {
        let id = op.object;
        match op.action {
            Action::Read
            | Action::ReadRecursive
            | Action::Write
            | Action::Upgradable
            | Action::Upgrade => state!(self, id, RwLock).is_to_be_had(op.action, op.how, by),
            Action::Send | Action::Recv => state!(self, id, Channel).is_ready(op.action, by),
            Action::Select => self.ready_arms(op.with, by).next().is_some(),
            Action::Acquire => state!(self, id, Semaphore).is_ready(op),
            _ => !self.would_wait(op, by),
        }
    }

    /// The objects of an operation on several.
    pub(crate) fn objects_of(&self, op: Op) -> Vec<ObjectId> {
        let is_list = matches!(op.purpose(), Action::Select | Action::Evaluate);
        match self.lists.get(op.with as usize).filter(|_| is_list) {
            Some(List::Arms(arms)) => arms.iter().map(|(id, _)| *id).collect(),
            Some(List::Looks(_)) => unreachable!("no operation is about looks"),
            Some(List::Variables { reads, writes, .. }) => {
                let mut all: Vec<ObjectId> = writes.iter().chain(reads).copied().collect();
                let mut seen = Vec::new();
                all.retain(|id| {
                    !seen.contains(id) && {
                        seen.push(*id);
                        true
                    }
                });
                all
            }
            None => Vec::new(),
        }
    }

    /// Who holds the lock, which is a mutex or a raw lock.
    pub(crate) fn holder(&self, lock: ObjectId) -> Option<ThreadId> {
        match &self.objects[lock.index()].state {
            State::Lock(lock) => lock.holder,
            _ => None,
        }
    }

    /// Whether the thread reads the rwlock.
    pub(crate) fn is_read_by(&self, lock: ObjectId, thread: ThreadId) -> bool {
        state!(self, lock, RwLock).is_read_by(thread)
    }

    fn is_held(&self, lock: ObjectId) -> bool {
        match &self.objects[lock.index()].state {
            State::RwLock(lock) => lock.is_held(),
            _ => self.holder(lock).is_some(),
        }
    }

    fn lock(&self, id: ObjectId) -> &Mutex {
        state!(self, id, Lock)
    }

    fn lock_mut(&mut self, id: ObjectId) -> &mut Mutex {
        state!(mut self, id, Lock)
    }

    fn thread(&self, id: ThreadId) -> &Thread {
        &self.threads[id.index()]
    }

    fn thread_mut(&mut self, id: ThreadId) -> &mut Thread {
        &mut self.threads[id.index()]
    }
}

#[cfg(test)]
mod tests;
