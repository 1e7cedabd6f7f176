//! A scenario as data: what a `.gordian` file says, with every name resolved.
//!
//! Knows the language's words. Does not know how they are written (`parser`) nor what they do
//! (`interpreter`).
//!
//! All statements of one file are plain data with numbers for names, so that whoever gives them a
//! meaning needs no lookups. A thread that is declared `* K` is K threads here.

use serde::Serialize;

use crate::report::Code;

/// Bytes of the source, from `start` up to but not including `end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

/// Index into [`Scenario::objects`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct ObjectIndex(pub u32);

/// Index into [`Scenario::threads`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct ThreadIndex(pub u32);

/// Index into [`Scenario::procs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct ProcIndex(pub u32);

/// Index into [`Scenario::locals`]: each thread has a variable of each of these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct LocalIndex(pub u32);

/// Index into [`Scenario::tickets`]: a place in the queue of a semaphore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct TicketIndex(pub u32);

/// Index into [`Scenario::texts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct TextIndex(pub u32);

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Scenario {
    /// `title "…"`.
    pub title: Option<String>,
    /// `expect …`.
    pub expect: Option<Expect>,
    /// `expect_executions N`.
    pub expect_executions: Option<u64>,
    /// In the order of their declaration.
    pub objects: Vec<Object>,
    /// In the order of their declaration, `* K` written out.
    pub threads: Vec<Thread>,
    /// Shared statements.
    pub procs: Vec<Proc>,
    /// Names of local variables, without `$`.
    pub locals: Vec<String>,
    /// Names of tickets; what they belong to is the same wherever one is used.
    pub tickets: Vec<Ticket>,
    /// Texts of `panic` and `slow`.
    pub texts: Vec<String>,
}

/// What a file says its answer is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Expect {
    /// No finding of severity error.
    Clean,
    /// Exactly these codes.
    Codes(Vec<Code>),
    /// At least one of deadlock, self-deadlock, lost-wakeup, and nothing but those, leaked-guard or
    /// starvation.
    Stuck,
    /// At least one of panic, double-release, foreign-release, and nothing but those, leaked-guard
    /// or the stuck ones.
    Misuse,
}

/// A declared object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Object {
    /// Its name.
    pub name: String,
    /// What it is, and how it begins.
    pub kind: ObjectKind,
    /// Where its name is declared.
    pub span: Span,
}

/// What an object is, and how it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ObjectKind {
    /// Not reentrant, with an owner.
    Mutex,
    /// Without an owner.
    Lock,
    /// Reentrant.
    ReentrantMutex,
    /// Readers or one writer.
    RwLock(Preference),
    /// A condition variable.
    Condvar {
        /// A waiter may wake by itself.
        spurious: bool,
        /// `notify_one` wakes the one that has waited longest.
        fifo: bool,
    },
    /// Permits.
    Semaphore {
        /// Permits at the beginning.
        permits: u32,
        /// First come, first served.
        fifo: bool,
        /// A release above this is a panic.
        max: Option<u32>,
    },
    /// A channel; unbounded without a capacity, a rendezvous with 0.
    Channel {
        /// How many messages it holds.
        capacity: Option<u32>,
    },
    /// Go's WaitGroup.
    WaitGroup {
        /// Its count at the beginning.
        count: u32,
    },
    /// A reusable barrier.
    Barrier {
        /// How many threads it waits for; at least 1.
        parties: u32,
    },
    /// A one-time block.
    Once,
    /// tokio's Notify.
    Notify,
    /// A shared integer.
    Var {
        /// Its value at the beginning.
        value: i64,
    },
}

/// Who goes first at an rwlock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Preference {
    /// A waiting writer blocks new readers.
    #[default]
    Writer,
    /// First come, first served.
    Fifo,
    /// Readers come in as long as no writer is inside.
    Reader,
}

/// A thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Thread {
    /// Its name; `NAME.1` … when declared `* K`.
    pub name: String,
    /// Starts at its `spawn`.
    pub deferred: bool,
    /// May be blocked for ever.
    pub daemon: bool,
    /// What it does.
    pub body: Block,
    /// Where its name is declared.
    pub span: Span,
}

/// Shared statements. No proc calls itself, not even through others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proc {
    /// Its name.
    pub name: String,
    /// What it does.
    pub body: Block,
    /// Where its name is declared.
    pub span: Span,
}

/// The name of tickets of a semaphore: each thread has its own of that name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ticket {
    /// Its name.
    pub name: String,
    /// The semaphore in whose queue it stands.
    pub semaphore: ObjectIndex,
}

/// Statements in order.
pub type Block = Vec<Statement>;

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// What it does.
    pub kind: StatementKind,
    /// Where it stands; for a block, its head.
    pub span: Span,
}

/// Waits for it, tries it once, or gives up when it would have to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Attempt {
    /// As long as it takes.
    Insist,
    /// Once.
    Try,
    /// May give up when it would have to wait.
    Timed,
}

/// What a statement does. `ok` is the local that becomes 1 on success and 0 otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(
    missing_docs,
    reason = "the fields are the operands of the statement's table row"
)]
pub enum StatementKind {
    /// `lock m`, `trylock m [$ok]`, `timedlock m $ok`: a mutex, lock or rmutex.
    Lock {
        lock: ObjectIndex,
        attempt: Attempt,
        ok: Option<LocalIndex>,
    },
    /// `unlock m`, of a mutex, lock or rmutex.
    Unlock { lock: ObjectIndex },
    /// `locked m $r`: is it held, by anyone?
    IsLocked {
        lock: ObjectIndex,
        result: LocalIndex,
    },
    /// `with m { … }`: a mutex, lock or rmutex.
    With { lock: ObjectIndex, body: Block },
    /// `read r`, `tryread r [$ok]`.
    Read {
        lock: ObjectIndex,
        attempt: Attempt,
        ok: Option<LocalIndex>,
    },
    /// `write r`, `trywrite r [$ok]`.
    Write {
        lock: ObjectIndex,
        attempt: Attempt,
        ok: Option<LocalIndex>,
    },
    /// `upgradable r`.
    Upgradable { lock: ObjectIndex },
    /// `upgrade r`, of the upgradable holder.
    Upgrade { lock: ObjectIndex },
    /// `downgrade r`, of the writer, who becomes a reader.
    Downgrade { lock: ObjectIndex },
    /// `unlock r`, of an rwlock: the thread's latest hold of it.
    UnlockRw { lock: ObjectIndex },
    /// `wait c m`, `timedwait c m [$timed_out]`: `attempt` is `Insist` or `Timed`.
    Wait {
        condvar: ObjectIndex,
        lock: ObjectIndex,
        attempt: Attempt,
        timed_out: Option<LocalIndex>,
    },
    /// `notify_one c`.
    NotifyOne { condvar: ObjectIndex },
    /// `notify_all c`.
    NotifyAll { condvar: ObjectIndex },
    /// `acquire s [N]`, `tryacquire s $ok`.
    Acquire {
        semaphore: ObjectIndex,
        permits: u32,
        attempt: Attempt,
        ok: Option<LocalIndex>,
    },
    /// `release s [N]`.
    Release {
        semaphore: ObjectIndex,
        permits: u32,
    },
    /// `ticket s T [N]`.
    Ticket { ticket: TicketIndex, permits: u32 },
    /// `await_ticket s T [N]`.
    AwaitTicket { ticket: TicketIndex, permits: u32 },
    /// `drop_ticket s T [N]`.
    DropTicket { ticket: TicketIndex, permits: u32 },
    /// `send ch [EXPR] [$ok]`; a missing EXPR is 0.
    Send {
        channel: ObjectIndex,
        value: Expression,
        ok: Option<LocalIndex>,
    },
    /// `recv ch [$v] [$ok]`.
    Recv {
        channel: ObjectIndex,
        value: Option<LocalIndex>,
        ok: Option<LocalIndex>,
    },
    /// `close ch`.
    Close { channel: ObjectIndex },
    /// `drop_rx ch`.
    DropReceiver { channel: ObjectIndex },
    /// `select { … }`.
    Select {
        arms: Vec<Arm>,
        default: Option<Block>,
    },
    /// `wg_add w [N]`; N may be negative.
    Add { group: ObjectIndex, count: i64 },
    /// `wg_done w`.
    Done { group: ObjectIndex },
    /// `wg_wait w`.
    WaitGroup { group: ObjectIndex },
    /// `barrier b`.
    Barrier { barrier: ObjectIndex },
    /// `once o { … }`.
    Once { once: ObjectIndex, body: Block },
    /// `notify n`.
    Notify { notify: ObjectIndex },
    /// `notify_waiters n`.
    NotifyWaiters { notify: ObjectIndex },
    /// `wait_notify n`.
    WaitNotify { notify: ObjectIndex },
    /// `enable_notify n`.
    EnableNotify { notify: ObjectIndex },
    /// `drop_notify n`.
    DropNotify { notify: ObjectIndex },
    /// `park`.
    Park,
    /// `unpark T`.
    Unpark { thread: ThreadIndex },
    /// `spawn T`; a thread declared `* K` is spawned by its name, all K of them at once.
    Spawn { threads: Vec<ThreadIndex> },
    /// `join T`; all K of a thread declared `* K`, one after the other.
    Join { threads: Vec<ThreadIndex> },
    /// `x = E`, `$r += E` …: one step if it touches a `var`.
    Assign(Assignment),
    /// `atomic { … }`: all of it in one step.
    Atomic { assignments: Vec<Assignment> },
    /// `fetch_add x E $old`.
    FetchAdd {
        var: ObjectIndex,
        amount: Expression,
        old: LocalIndex,
    },
    /// `cas x OLD NEW $ok`.
    CompareAndSwap {
        var: ObjectIndex,
        old: Expression,
        new: Expression,
        ok: LocalIndex,
    },
    /// `await E`.
    Await { condition: Expression },
    /// `assert E`.
    Assert { condition: Expression },
    /// `panic "why"`.
    Panic { why: TextIndex },
    /// `slow "name"`.
    Slow { name: TextIndex },
    /// `if E { … } else …`; `else if` is an `If` inside `otherwise`.
    If {
        condition: Expression,
        then: Block,
        otherwise: Block,
    },
    /// `while E { … }`; `loop { … }` has no condition.
    While {
        condition: Option<Expression>,
        body: Block,
    },
    /// `repeat N { … }`.
    Repeat { times: u32, body: Block },
    /// `break`, always inside a loop of the same thread or proc.
    Break,
    /// `continue`, always inside a loop of the same thread or proc.
    Continue,
    /// `return`: ends the proc, or the thread.
    Return,
    /// `choose { … }`, at least one case.
    Choose { cases: Vec<Block> },
    /// `nop`, `yield`.
    Nop,
    /// `block_forever`.
    BlockForever,
    /// `call NAME`.
    Call { proc: ProcIndex },
}

impl StatementKind {
    /// The blocks inside, in the order in which they are written.
    pub fn blocks(&self) -> Vec<&Block> {
        match self {
            StatementKind::With { body, .. }
            | StatementKind::Once { body, .. }
            | StatementKind::While { body, .. }
            | StatementKind::Repeat { body, .. } => vec![body],
            StatementKind::If {
                then, otherwise, ..
            } => vec![then, otherwise],
            StatementKind::Choose { cases } => cases.iter().collect(),
            StatementKind::Select { arms, default } => {
                arms.iter().map(|arm| &arm.body).chain(default).collect()
            }
            _ => Vec::new(),
        }
    }

    /// As [`StatementKind::blocks`], to be changed.
    pub fn blocks_mut(&mut self) -> Vec<&mut Block> {
        match self {
            StatementKind::With { body, .. }
            | StatementKind::Once { body, .. }
            | StatementKind::While { body, .. }
            | StatementKind::Repeat { body, .. } => vec![body],
            StatementKind::If {
                then, otherwise, ..
            } => vec![then, otherwise],
            StatementKind::Choose { cases } => cases.iter_mut().collect(),
            StatementKind::Select { arms, default } => {
                let arms = arms.iter_mut().map(|arm| &mut arm.body);
                arms.chain(default).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// One case of a `select`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Arm {
    /// What it waits for.
    pub kind: ArmKind,
    /// What is done then.
    pub body: Block,
    /// Where its head stands.
    pub span: Span,
}

/// What a case of a `select` waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are those of `send` and `recv`")]
pub enum ArmKind {
    /// `case recv ch [$v] [$ok]:`
    Recv {
        channel: ObjectIndex,
        value: Option<LocalIndex>,
        ok: Option<LocalIndex>,
    },
    /// `case send ch [EXPR] [$ok]:`
    Send {
        channel: ObjectIndex,
        value: Expression,
        ok: Option<LocalIndex>,
    },
}

/// `place = value`; `+=` and `-=` are written out: `x += 1` is `x = x + 1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Assignment {
    /// What changes.
    pub place: Place,
    /// Its new value.
    pub value: Expression,
    /// Where it stands.
    pub span: Span,
}

/// What an assignment changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Place {
    /// A thread's own variable.
    Local(LocalIndex),
    /// A shared variable.
    Var(ObjectIndex),
}

/// An integer expression.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Expression {
    /// A number.
    Number(i64),
    /// `$x`.
    Local(LocalIndex),
    /// `x`.
    Var(ObjectIndex),
    /// `-E`.
    Negate(Box<Expression>),
    /// `not E`: 1 when E is 0, else 0.
    Not(Box<Expression>),
    /// Two operands; both are always evaluated.
    Binary(Operator, Box<Expression>, Box<Expression>),
}

/// A binary operator. Comparisons and connectives give 1 or 0; division rounds towards zero.
/// Arithmetic that overflows, or divides by zero, is a `panic` of the thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "each is what its name says")]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
}
