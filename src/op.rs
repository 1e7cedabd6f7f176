//! The vocabulary: what a thread can do, to what, and where.
//!
//! Knows the names of all operations. Does not know what any of them means: when one is enabled
//! and what it does is in `object/`.

use std::cmp::Ordering;
use std::fmt;
use std::panic::Location;

/// A place in a source file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Site {
    /// Of a Rust program.
    Code(&'static Location<'static>),
    /// Of a text that is interpreted.
    Text(&'static Place),
}

/// A place in a text that is interpreted. Lines and columns count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: &'static str,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Site {
    /// Where the caller of the caller is.
    #[track_caller]
    pub(crate) const fn here() -> Site {
        Site::Code(Location::caller())
    }

    pub(crate) fn file(self) -> &'static str {
        match self {
            Site::Code(location) => location.file(),
            Site::Text(place) => place.file,
        }
    }

    pub(crate) fn line(self) -> u32 {
        match self {
            Site::Code(location) => location.line(),
            Site::Text(place) => place.line,
        }
    }

    pub(crate) fn column(self) -> u32 {
        match self {
            Site::Code(location) => location.column(),
            Site::Text(place) => place.column,
        }
    }

    /// A number that is the same whenever the same call is made.
    pub(crate) fn number(self) -> usize {
        match self {
            Site::Code(location) => std::ptr::from_ref(location).addr(),
            Site::Text(place) => std::ptr::from_ref(place).addr(),
        }
    }

    fn key(self) -> (&'static str, u32, u32) {
        (self.file(), self.line(), self.column())
    }
}

impl PartialEq for Site {
    fn eq(&self, other: &Site) -> bool {
        match (*self, *other) {
            (Site::Code(one), Site::Code(two)) if std::ptr::eq(one, two) => true,
            (Site::Text(one), Site::Text(two)) if std::ptr::eq(one, two) => true,
            (one, two) => one.key() == two.key(),
        }
    }
}

impl Eq for Site {}

impl PartialOrd for Site {
    fn partial_cmp(&self, other: &Site) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Site {
    fn cmp(&self, other: &Site) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file(), self.line(), self.column())
    }
}

/// A thread of the current execution, numbered in the order of the threads' spawn paths as they
/// were first met in this search: the same thread has the same id in every execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ThreadId(pub(crate) u8);

impl ThreadId {
    /// The thread that runs the model's closure.
    pub(crate) const MAIN: ThreadId = ThreadId(0);
    /// Most threads in one search; their sets are bit masks.
    pub(crate) const COUNT_MAX: usize = 64;

    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// The threads as a set, of which each may be named more than once.
pub(crate) fn mask_of(threads: impl IntoIterator<Item = ThreadId>) -> u64 {
    threads
        .into_iter()
        .fold(0, |mask, thread| mask | 1 << thread.0)
}

/// An object of the current execution, numbered in the order of first use. After the same prefix
/// of a schedule the same object has the same id; in general ids mean nothing across executions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ObjectId(pub(crate) u32);

impl ObjectId {
    /// Stands for "no object" in operations that touch none.
    pub(crate) const NONE: ObjectId = ObjectId(u32::MAX);

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// What kind of object an [`ObjectId`] names, and how it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    not(feature = "scenario"),
    expect(dead_code, reason = "some are for scenarios only")
)]
pub(crate) enum Kind {
    /// A lock with an owner, released by guards.
    Mutex,
    /// A lock without an owner, released by anyone.
    RawLock,
    /// Readers or one writer.
    RwLock(Preference),
    /// A condition variable.
    Condvar {
        /// A waiter may wake by itself: its state alone does not make it wait.
        spurious: bool,
        /// One who has waited longest is notified first.
        fifo: bool,
    },
    /// Permits; `max` is the most there may be.
    Semaphore { permits: u32, fifo: bool, max: u32 },
    /// A channel: how many messages it holds; a rendezvous with 0, unbounded without a number.
    /// Rendezvous that one select has as its arms must be of one cluster.
    Channel { capacity: Option<u32>, cluster: u8 },
    /// A count that is waited for to be 0. It matters who takes it below 0 only if `exact`: else
    /// those who take from it commute.
    WaitGroup { count: u32, exact: bool },
    /// A reusable barrier for so many threads.
    Barrier { parties: u32 },
    /// Something that is done once.
    Once { done: bool },
    /// tokio's `Notify`: one stored permit, first come first served.
    Notify,
    /// Opened once, and passed any number of times.
    Gate,
    /// The handles that keep a shared value: the last one drops it.
    Arc { count: u32 },
    /// The handles that keep a shared value's place only.
    Weak { count: u32 },
    /// A shared integer, flag or pointer.
    Atomic,
    /// A variable of the specification, read and written in one step.
    Ghost,
    /// A shared integer that conditions wait for.
    Variable { value: i64 },
}

/// Who goes first at an rwlock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Preference {
    /// A waiting writer blocks new readers: parking_lot's and std's way.
    Writer,
    /// First come, first served.
    Fifo,
    /// Readers come in as long as no writer is inside.
    Reader,
}

/// How much an operation that may have to wait insists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum How {
    /// As long as it takes.
    Insist,
    /// Only if it is to be had at once.
    Try,
    /// Until some time has passed: it may give up when it would have to wait.
    Timed,
}

/// What a thread does in one step. "Queues" marks those that, when they cannot be served at once,
/// take a place in the object's queue as their step; [`Action::Queued`] is then the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    not(feature = "scenario"),
    expect(dead_code, reason = "some are for scenarios only")
)]
pub(crate) enum Action {
    /// Waits for the lock and takes it.
    Lock,
    /// Gives the lock back; when `arg` is 1, only if it is the thread's own.
    Unlock,
    /// Asks whether the lock is held.
    IsLocked,
    /// Takes an rwlock for reading. Queues, if the lock is fifo.
    Read,
    /// The same, for one who may be reading already: a waiting writer does not matter.
    ReadRecursive,
    /// Takes an rwlock for writing. Queues.
    Write,
    /// Takes an rwlock for reading, with the right to upgrade. Queues, if the lock is fifo.
    Upgradable,
    /// Makes an upgradable hold a writer's. Queues.
    Upgrade,
    /// Gives a reader's hold back.
    Unread,
    /// Gives a writer's hold back.
    Unwrite,
    /// Gives an upgradable hold back.
    Unupgradable,
    /// Makes a writer's hold a reader's.
    Downgrade,
    /// Makes a writer's hold an upgradable one.
    DowngradeToUpgradable,
    /// Makes an upgradable hold a reader's.
    DowngradeUpgradable,
    /// Asks whether a writer holds the lock.
    IsWritten,
    /// Waits for its turn in the queue that it has joined by action `arg` (as
    /// [`Action::joining`] numbers them). Timed: it may leave the queue.
    Queued,
    /// Releases the lock `with` and joins the condvar's waiters. When `arg` is 1 it has two cases:
    /// in case 1 it will wake spuriously. Fails when the thread does not hold the lock. As a try it
    /// does nothing ([`Effect::Closed`]) when others wait with another lock.
    Wait,
    /// Waits to be notified, then for the lock `with`, and takes that. When `arg` is 1 it does not
    /// wait to be notified.
    Wake,
    /// Notifies one of the waiters, or nobody: a case for each waiter, the thread's number plus 1.
    NotifyOne,
    /// Notifies all waiters.
    NotifyAll,
    /// Takes `arg` permits; in the name of ticket `with`, if that is one. Queues, if the semaphore
    /// is fifo.
    Acquire,
    /// Gives `arg` permits back.
    Release,
    /// Reads how many permits there are.
    Permits,
    /// Gives up the place of ticket `with`, or the `arg` permits that it was granted.
    Withdraw,
    /// Sends a message. Queues, if the channel is a rendezvous.
    Send,
    /// Receives a message. Queues, if the channel is a rendezvous.
    Recv,
    /// No more messages will be sent. Fails if that is known already.
    CloseSend,
    /// No more messages will be received: those that are there are lost.
    CloseRecv,
    /// Reads how many messages there are.
    Len,
    /// Takes part in one of the arms of list `with`: a case for each arm that is ready. Queues, if
    /// one of them is a rendezvous.
    Select,
    /// Adds `arg`, as an `i32`, to a wait group. Fails when it would be below 0.
    Add,
    /// Waits for a wait group to be 0.
    WaitZero,
    /// Comes to a barrier. Queues, unless it is the last.
    Arrive,
    /// Waits while someone does it; fails when it has been done.
    Begin,
    /// It has been done.
    Complete,
    /// It has not been done after all.
    Abandon,
    /// Asks whether it has been done.
    IsComplete,
    /// Opens a gate. Fails when it is open.
    Open,
    /// Waits for the gate to be open.
    Pass,
    /// Takes the permit of a `Notify`, or registers for the next one. Queues.
    Enlist,
    /// Gives a permit to who has waited longest, or leaves it for who comes first.
    Signal,
    /// Lets go all who wait.
    SignalAll,
    /// Reads and writes the variables of list `with` in one step, when the condition of the list
    /// holds, if it has one.
    Evaluate,
    /// Makes one more handle. When `arg` is 1 it is the first of those that keep the value.
    Clone,
    /// Gives a handle back. Its result is 1 if it was the last one, else 0.
    Drop,
    /// Makes one of the handles that keep the value, if there still is one.
    Revive,
    /// Reads how many handles there are; with those of `with`, whether there is but one.
    Count,
    /// Takes the value out, if there is but one handle that keeps it. With those of `with`, which
    /// keep its place, only if there are any: else the value may be changed where it is.
    Unwrap,
    /// Reads an atomic or a ghost variable.
    Load,
    /// Overwrites an atomic.
    Store,
    /// Reads and writes an atomic or a ghost variable in one step.
    Update,
    /// Runs up to the thread's first operation; only engines that cannot do that at once have it.
    #[cfg_attr(
        not(feature = "loom"),
        expect(dead_code, reason = "only loom starts so")
    )]
    Start,
    /// Starts the thread `arg`; touches nothing that others see.
    Spawn,
    /// The thread's last step.
    Exit,
    /// Waits for the end of thread `arg`.
    Join,
    /// Asks whether thread `arg` has ended.
    IsFinished,
    /// Waits for the thread's own token and takes it.
    Park,
    /// Gives a token to thread `arg`.
    Unpark,
    /// Lets others go first.
    Yield,
    /// Lets time pass.
    Sleep,
    /// Waits for ever.
    Forever,
    /// A slow call; `arg` numbers its name.
    Slow,
    /// The environment chooses one of `arg` cases.
    Choose,
}

impl Action {
    /// Those after which a thread may stand in a queue.
    const JOINING: [Action; 10] = [
        Action::Read,
        Action::Write,
        Action::Upgradable,
        Action::Upgrade,
        Action::Acquire,
        Action::Send,
        Action::Recv,
        Action::Select,
        Action::Arrive,
        Action::Enlist,
    ];

    /// The number of an action after which a thread may stand in a queue.
    pub(crate) fn joining(self) -> u32 {
        let at = Self::JOINING.iter().position(|&action| action == self);
        at.expect("an action that queues") as u32
    }
}

/// One operation of one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Op {
    pub(crate) action: Action,
    pub(crate) how: How,
    /// [`ObjectId::NONE`] when it touches no object.
    pub(crate) object: ObjectId,
    /// What the action's documentation says.
    pub(crate) arg: u32,
    /// The number of another object, or of a ticket; [`Op::NOTHING`] when there is none.
    pub(crate) with: u32,
    pub(crate) until: Until,
}

/// What an operation waits for beyond its own meaning. Only a thread that has come round a loop to
/// no purpose waits so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Until {
    #[default]
    Nothing,
    /// That others have changed something of this list, or that a timed operation or a try would be
    /// served at once.
    Change(u32),
    /// For nothing any more, as nobody else can go on.
    Anyway(u32),
}

impl Op {
    /// No other object, no ticket.
    pub(crate) const NOTHING: u32 = u32::MAX;

    pub(crate) const fn on(action: Action, object: ObjectId) -> Op {
        Op {
            action,
            how: How::Insist,
            object,
            arg: 0,
            with: Op::NOTHING,
            until: Until::Nothing,
        }
    }

    pub(crate) const fn plain(action: Action, arg: u32) -> Op {
        Op {
            arg,
            ..Op::on(action, ObjectId::NONE)
        }
    }

    pub(crate) const fn of_thread(action: Action, thread: ThreadId) -> Op {
        Op::plain(action, thread.0 as u32)
    }

    pub(crate) const fn how(self, how: How) -> Op {
        Op { how, ..self }
    }

    pub(crate) const fn arg(self, arg: u32) -> Op {
        Op { arg, ..self }
    }

    pub(crate) const fn with(self, with: u32) -> Op {
        Op { with, ..self }
    }

    pub(crate) const fn until(self, until: Until) -> Op {
        Op { until, ..self }
    }

    /// The same, whatever else it waits for.
    pub(crate) const fn itself(self) -> Op {
        self.until(Until::Nothing)
    }

    /// The thread that a spawn, join, unpark … is about.
    pub(crate) fn thread(self) -> ThreadId {
        ThreadId(self.arg as u8)
    }

    /// The second object.
    pub(crate) fn other(self) -> ObjectId {
        ObjectId(self.with)
    }

    /// What a thread that stands in a queue joined it for; else the action itself.
    pub(crate) fn purpose(self) -> Action {
        match self.action {
            Action::Queued => Action::JOINING[self.arg as usize],
            action => action,
        }
    }
}

/// What came of an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Effect {
    /// It did what it says.
    #[default]
    Done,
    /// A try or a timed operation that did not succeed; for a question: no.
    Failed,
    /// It could not be served at once, and has joined the queue.
    Queued,
    /// The other side is gone: a channel or semaphore is closed.
    Closed,
    /// A number: the case that was chosen, the partner that was met, the count that was read.
    Chose(u32),
}

impl Effect {
    pub(crate) fn succeeded(self) -> bool {
        matches!(self, Effect::Done | Effect::Chose(_))
    }

    pub(crate) fn of(success: bool) -> Effect {
        if success {
            Effect::Done
        } else {
            Effect::Failed
        }
    }
}
