//! The vocabulary: what a thread can do, to what, and where.
//!
//! Knows the names of all operations. Does not know what any of them means: when one is enabled
//! and what it does is in `object/`.

use std::panic::Location;

/// A place in the source.
pub(crate) type Site = &'static Location<'static>;

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

/// What kind of object an [`ObjectId`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// A lock with an owner, released by guards.
    Mutex,
    /// A lock without an owner, released by anyone.
    RawLock,
    /// A shared integer, flag or pointer.
    Atomic,
    /// A variable of the specification, read and written in one step.
    Ghost,
}

/// What a thread does in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// Waits for the lock and takes it.
    Lock,
    /// Gives the lock back.
    Unlock,
    /// Takes the lock if it is free.
    TryLock,
    /// Takes the lock, or gives up when it would have to wait.
    TimedLock,
    /// Asks whether the lock is held.
    IsLocked,
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
    /// A slow call; `arg` numbers its name.
    Slow,
    /// The environment chooses one of `arg` cases.
    Choose,
}

/// One operation of one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Op {
    pub(crate) action: Action,
    /// [`ObjectId::NONE`] when it touches no object.
    pub(crate) object: ObjectId,
    /// What the action's documentation says.
    pub(crate) arg: u32,
}

impl Op {
    pub(crate) const fn on(action: Action, object: ObjectId) -> Op {
        Op {
            action,
            object,
            arg: 0,
        }
    }

    pub(crate) const fn plain(action: Action, arg: u32) -> Op {
        Op {
            action,
            object: ObjectId::NONE,
            arg,
        }
    }

    pub(crate) const fn of_thread(action: Action, thread: ThreadId) -> Op {
        Op::plain(action, thread.0 as u32)
    }

    /// The thread that a spawn, join, unpark … is about.
    pub(crate) fn thread(self) -> ThreadId {
        ThreadId(self.arg as u8)
    }
}

/// What came of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Effect {
    /// It did what it says.
    Done,
    /// A try or a timed operation that did not succeed; for a question: no.
    Failed,
    /// The case that the environment chose.
    Chose(u32),
}

impl Effect {
    pub(crate) fn succeeded(self) -> bool {
        self != Effect::Failed
    }

    pub(crate) fn of(success: bool) -> Effect {
        if success {
            Effect::Done
        } else {
            Effect::Failed
        }
    }
}
