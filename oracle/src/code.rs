//! A scenario as flat code: what is left of statements when blocks, loops and procs are jumps.
//!
//! Knows the order in which the statements of a thread follow one another. Does not know what a
//! statement does to an object.

use gordian::scenario::ast::{
    self, ArmKind, Attempt, Block, LocalIndex, ObjectIndex, ObjectKind, Place, Scenario, Statement,
    StatementKind,
};

use crate::expression::Expression;

/// A place in the code.
pub(crate) type Pc = u32;

/// An instruction. Those that are steps say so in [`Op::is_step`].
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Jump(Pc),
    /// Goes on behind it when the condition holds.
    Branch {
        condition: Expression,
        otherwise: Pc,
    },
    Choose(Vec<Pc>),
    /// Opens a frame that counts down, or skips the loop.
    Repeat {
        times: u32,
        after: Pc,
    },
    /// One round is done: goes on behind it, or closes the frame and leaves the loop.
    Again(Pc),
    /// Leaves the frame of a `repeat`.
    Pop,
    Call(Pc),
    /// Back to the caller; the end of the thread when there is none.
    Return,
    /// Opens the frame of a `with`.
    Enter(u32),
    /// Unlocks, and closes the frame.
    Leave(u32),
    Assign(Vec<(Place, Expression)>),
    Assert(Expression),
    Panic,
    Slow,
    Lock {
        lock: u32,
        attempt: Attempt,
        ok: Option<LocalIndex>,
    },
    Unlock(u32),
    IsLocked(u32, LocalIndex),
    Rw {
        lock: u32,
        want: Want,
        tries: bool,
        ok: Option<LocalIndex>,
    },
    Downgrade(u32),
    UnlockRw(u32),
    Wait {
        condvar: u32,
        lock: u32,
        timed: bool,
        timed_out: Option<LocalIndex>,
    },
    NotifyOne(u32),
    NotifyAll(u32),
    Acquire {
        semaphore: u32,
        permits: i64,
        tries: bool,
        ok: Option<LocalIndex>,
    },
    Release(u32, i64),
    Ticket(u32, i64),
    AwaitTicket(u32, i64),
    DropTicket(u32),
    /// Also `send` and `recv`, with one arm.
    Select(Select),
    Close(u32),
    DropReceiver(u32),
    Add(u32, i64),
    WaitGroup(u32),
    Barrier(u32),
    OnceBegin {
        once: u32,
        after: Pc,
    },
    OnceEnd(u32),
    Notify(u32),
    NotifyWaiters(u32),
    WaitNotify(u32),
    EnableNotify(u32),
    DropNotify(u32),
    Park,
    Unpark(u32),
    Spawn(Vec<u32>),
    Join(u32),
    FetchAdd {
        var: u32,
        amount: Expression,
        old: LocalIndex,
    },
    CompareAndSwap {
        var: u32,
        old: Expression,
        new: Expression,
        ok: LocalIndex,
    },
    Await(Expression),
    Nop,
    BlockForever,
}

/// How a thread wants an rwlock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    Read,
    Write,
    Upgradable,
    Upgrade,
}

#[derive(Clone, Debug)]
pub(crate) struct Select {
    pub(crate) arms: Vec<Arm>,
    pub(crate) default: Option<Pc>,
    /// Some arm is on a channel without a buffer.
    pub(crate) rendezvous: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Arm {
    pub(crate) channel: u32,
    /// What is sent; none for a `recv`.
    pub(crate) sends: Option<Expression>,
    /// Where a received value goes.
    pub(crate) value: Option<LocalIndex>,
    pub(crate) ok: Option<LocalIndex>,
    pub(crate) body: Pc,
}

impl Op {
    /// Whether it is a step. What is none is done together with the step before it.
    pub(crate) fn is_step(&self) -> bool {
        match self {
            Op::Jump(_)
            | Op::Choose(_)
            | Op::Repeat { .. }
            | Op::Again(_)
            | Op::Pop
            | Op::Call(_)
            | Op::Return
            | Op::Enter(_)
            | Op::Panic
            | Op::Slow => false,
            Op::Branch { condition, .. } | Op::Assert(condition) => condition.is_shared(),
            Op::Assign(assignments) => assignments
                .iter()
                .any(|(place, value)| matches!(place, Place::Var(_)) || value.is_shared()),
            _ => true,
        }
    }

    /// The locals that it reads or writes.
    fn locals(&self) -> Vec<u32> {
        let mut locals: Vec<u32> = Vec::new();
        let mut writes = |local: &Option<LocalIndex>| locals.extend(local.map(|local| local.0));
        match self {
            Op::Lock { ok, .. } | Op::Rw { ok, .. } | Op::Acquire { ok, .. } => writes(ok),
            Op::Wait { timed_out, .. } => writes(timed_out),
            Op::IsLocked(_, result) => writes(&Some(*result)),
            Op::Select(select) => {
                for arm in &select.arms {
                    writes(&arm.value);
                    writes(&arm.ok);
                }
                locals.extend(
                    select
                        .arms
                        .iter()
                        .flat_map(|arm| &arm.sends)
                        .flat_map(Expression::locals),
                );
            }
            Op::Assign(assignments) => {
                for (place, value) in assignments {
                    if let Place::Local(local) = place {
                        locals.push(local.0);
                    }
                    locals.extend(value.locals());
                }
            }
            Op::FetchAdd { amount, old, .. } => {
                writes(&Some(*old));
                locals.extend(amount.locals());
            }
            Op::CompareAndSwap { old, new, ok, .. } => {
                writes(&Some(*ok));
                locals.extend(old.locals().chain(new.locals()));
            }
            Op::Branch { condition, .. } | Op::Assert(condition) | Op::Await(condition) => {
                locals.extend(condition.locals());
            }
            _ => {}
        }
        locals
    }
}

/// A compiled scenario.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) ops: Vec<Op>,
    /// For each instruction, where its statement starts in the source.
    pub(crate) starts: Vec<u32>,
    pub(crate) threads: Vec<ThreadCode>,
    pub(crate) objects: Vec<ObjectKind>,
    /// For each ticket, its semaphore.
    pub(crate) tickets: Vec<u32>,
    pub(crate) locals: usize,
    /// How many of them the file has; the others are for values that are about to be sent.
    pub(crate) locals_written: usize,
}

#[derive(Debug)]
pub(crate) struct ThreadCode {
    pub(crate) name: String,
    pub(crate) deferred: bool,
    pub(crate) daemon: bool,
    pub(crate) entry: Pc,
    /// The locals that its code touches, in order.
    pub(crate) locals: Vec<u32>,
}

/// What surrounds a statement inside its thread or proc.
enum Scope {
    With(u32),
    Once(u32),
    Loop {
        /// Where `continue` goes.
        next: Pc,
        /// The jumps of `break`, to be told where the loop ends.
        breaks: Vec<usize>,
        repeats: bool,
    },
}

impl Code {
    /// Compiles a scenario whose indices are right, as those of a parsed one are.
    pub(crate) fn new(scenario: &Scenario) -> Code {
        let mut compiler = Compiler {
            scenario,
            ops: Vec::new(),
            starts: Vec::new(),
            scopes: Vec::new(),
            hidden: 0,
            calls: Vec::new(),
        };
        let procs: Vec<Pc> = scenario
            .procs
            .iter()
            .map(|proc| compiler.body(&proc.body, proc.span.start))
            .collect();
        let entries: Vec<Pc> = scenario
            .threads
            .iter()
            .map(|thread| compiler.body(&thread.body, thread.span.start))
            .collect();
        for (at, proc) in std::mem::take(&mut compiler.calls) {
            compiler.ops[at] = Op::Call(procs[proc]);
        }
        let mut code = Code {
            ops: compiler.ops,
            starts: compiler.starts,
            threads: Vec::new(),
            objects: scenario.objects.iter().map(|object| object.kind).collect(),
            tickets: scenario
                .tickets
                .iter()
                .map(|ticket| ticket.semaphore.0)
                .collect(),
            locals: scenario.locals.len() + compiler.hidden,
            locals_written: scenario.locals.len(),
        };
        for (thread, entry) in scenario.threads.iter().zip(entries) {
            let mut locals: Vec<u32> = code
                .reachable(&[entry])
                .flat_map(|pc| code.ops[pc as usize].locals())
                .collect();
            locals.sort_unstable();
            locals.dedup();
            code.threads.push(ThreadCode {
                name: thread.name.clone(),
                deferred: thread.deferred,
                daemon: thread.daemon,
                entry,
                locals,
            });
        }
        code
    }

    /// The instructions that can follow, the given ones included.
    pub(crate) fn reachable(&self, from: &[Pc]) -> impl Iterator<Item = Pc> + use<> {
        let mut seen = vec![false; self.ops.len()];
        let mut left: Vec<Pc> = from.to_vec();
        while let Some(pc) = left.pop() {
            if std::mem::replace(&mut seen[pc as usize], true) {
                continue;
            }
            self.successors(pc, &mut left);
        }
        (0..).zip(seen).filter_map(|(pc, seen)| seen.then_some(pc))
    }

    /// The instructions that can come next. A call is also passed by: what the proc returns to is
    /// not followed.
    pub(crate) fn successors(&self, pc: Pc, next: &mut Vec<Pc>) {
        match &self.ops[pc as usize] {
            Op::Jump(to) => next.push(*to),
            Op::Return => {}
            Op::Choose(cases) => next.extend(cases),
            Op::Select(select) => {
                next.extend(select.arms.iter().map(|arm| arm.body).chain(select.default));
            }
            Op::Branch { otherwise: to, .. }
            | Op::Repeat { after: to, .. }
            | Op::Again(to)
            | Op::Call(to)
            | Op::OnceBegin { after: to, .. } => next.extend([*to, pc + 1]),
            _ => next.push(pc + 1),
        }
    }
}

struct Compiler<'a> {
    scenario: &'a Scenario,
    ops: Vec<Op>,
    starts: Vec<u32>,
    scopes: Vec<Scope>,
    /// How many locals are needed for values that are read before they are sent.
    hidden: usize,
    /// Calls, and the procs whose places are not known before all are compiled.
    calls: Vec<(usize, usize)>,
}

impl Compiler<'_> {
    fn here(&self) -> Pc {
        Pc::try_from(self.ops.len()).unwrap_or(Pc::MAX)
    }

    fn emit(&mut self, op: Op, start: u32) -> usize {
        self.ops.push(op);
        self.starts.push(start);
        self.ops.len() - 1
    }

    /// A thread or a proc.
    fn body(&mut self, block: &Block, start: u32) -> Pc {
        let entry = self.here();
        self.block(block);
        self.emit(Op::Return, start);
        entry
    }

    fn block(&mut self, block: &Block) {
        for statement in block {
            self.statement(statement);
        }
    }

    /// Leaves the scopes from the innermost to the one with this number, but stays in that one.
    fn leave_to(&mut self, outermost: usize, start: u32) {
        for at in (outermost..self.scopes.len()).rev() {
            let op = match &self.scopes[at] {
                Scope::With(lock) => Op::Leave(*lock),
                Scope::Once(once) => Op::OnceEnd(*once),
                Scope::Loop { repeats: true, .. } => Op::Pop,
                Scope::Loop { repeats: false, .. } => continue,
            };
            self.emit(op, start);
        }
    }

    fn innermost_loop(&self) -> usize {
        self.scopes
            .iter()
            .rposition(|scope| matches!(scope, Scope::Loop { .. }))
            .expect("break and continue are inside a loop")
    }

    fn statement(&mut self, statement: &Statement) {
        let start = statement.span.start;
        if let Some(op) = Self::simple(&statement.kind) {
            self.emit(op, start);
            return;
        }
        match &statement.kind {
            StatementKind::With { lock, body } => self.with(*lock, body, start),
            StatementKind::Once { once, body } => self.once(*once, body, start),
            StatementKind::If {
                condition,
                then,
                otherwise,
            } => self.branch(condition, then, otherwise, start),
            StatementKind::While { condition, body } => {
                self.endless(condition.as_ref(), body, start);
            }
            StatementKind::Repeat { times, body } => self.repeat(*times, body, start),
            StatementKind::Choose { cases } => self.choose(cases, start),
            StatementKind::Select { arms, default } => {
                self.select(arms, default.as_ref(), start);
            }
            StatementKind::Send { channel, value, ok } => {
                let (channel, value, ok) = (*channel, value.clone(), *ok);
                self.alone(ArmKind::Send { channel, value, ok }, start);
            }
            StatementKind::Recv { channel, value, ok } => {
                let (channel, value, ok) = (*channel, *value, *ok);
                self.alone(ArmKind::Recv { channel, value, ok }, start);
            }
            StatementKind::Join { threads } => {
                for thread in threads {
                    self.emit(Op::Join(thread.0), start);
                }
            }
            StatementKind::Call { proc } => {
                let at = self.emit(Op::Nop, start);
                self.calls.push((at, proc.0 as usize));
            }
            StatementKind::Break => self.leave_loop(start),
            StatementKind::Continue => {
                let innermost = self.innermost_loop();
                self.leave_to(innermost + 1, start);
                if let Scope::Loop { next, .. } = self.scopes[innermost] {
                    self.emit(Op::Jump(next), start);
                }
            }
            StatementKind::Return => {
                self.leave_to(0, start);
                self.emit(Op::Return, start);
            }
            _ => unreachable!("every other statement is one instruction"),
        }
    }

    fn with(&mut self, lock: ObjectIndex, body: &Block, start: u32) {
        let insist = Op::Lock {
            lock: lock.0,
            attempt: Attempt::Insist,
            ok: None,
        };
        self.emit(insist, start);
        self.emit(Op::Enter(lock.0), start);
        self.scopes.push(Scope::With(lock.0));
        self.block(body);
        self.scopes.pop();
        self.emit(Op::Leave(lock.0), start);
    }

    fn once(&mut self, once: ObjectIndex, body: &Block, start: u32) {
        let begin = self.emit(Op::Nop, start);
        self.scopes.push(Scope::Once(once.0));
        self.block(body);
        self.scopes.pop();
        self.emit(Op::OnceEnd(once.0), start);
        let after = self.here();
        self.ops[begin] = Op::OnceBegin {
            once: once.0,
            after,
        };
    }

    fn branch(&mut self, condition: &ast::Expression, then: &Block, otherwise: &Block, start: u32) {
        let test = self.emit(Op::Nop, start);
        self.block(then);
        let over = self.emit(Op::Nop, start);
        self.ops[test] = Op::Branch {
            condition: Expression::new(condition),
            otherwise: self.here(),
        };
        self.block(otherwise);
        self.ops[over] = Op::Jump(self.here());
    }

    fn leave_loop(&mut self, start: u32) {
        let innermost = self.innermost_loop();
        self.leave_to(innermost, start);
        let jump = self.emit(Op::Nop, start);
        if let Scope::Loop { breaks, .. } = &mut self.scopes[innermost] {
            breaks.push(jump);
        }
    }

    fn open_loop(&mut self, next: Pc, repeats: bool) {
        self.scopes.push(Scope::Loop {
            next,
            breaks: Vec::new(),
            repeats,
        });
    }

    fn close_loop(&mut self) {
        if let Some(Scope::Loop { breaks, .. }) = self.scopes.pop() {
            for jump in breaks {
                self.ops[jump] = Op::Jump(self.here());
            }
        }
    }

    fn endless(&mut self, condition: Option<&ast::Expression>, body: &Block, start: u32) {
        let head = self.here();
        let test = condition.map(|condition| (self.emit(Op::Nop, start), condition));
        self.open_loop(head, false);
        self.block(body);
        self.emit(Op::Jump(head), start);
        if let Some((test, condition)) = test {
            self.ops[test] = Op::Branch {
                condition: Expression::new(condition),
                otherwise: self.here(),
            };
        }
        self.close_loop();
    }

    fn repeat(&mut self, times: u32, body: &Block, start: u32) {
        let head = self.emit(Op::Nop, start);
        // In front of the body, so that `continue` knows the place of the end of a round.
        let over = self.emit(Op::Nop, start);
        let again = self.emit(Op::Nop, start);
        let first = self.here();
        self.open_loop(first - 1, true);
        self.block(body);
        self.emit(Op::Jump(first - 1), start);
        let after = self.here();
        self.ops[head] = Op::Repeat { times, after };
        self.ops[over] = Op::Jump(first);
        self.ops[again] = Op::Again(after);
        self.close_loop();
    }

    fn choose(&mut self, cases: &[Block], start: u32) {
        let head = self.emit(Op::Nop, start);
        let (starts, ends): (Vec<Pc>, Vec<usize>) = cases
            .iter()
            .map(|case| {
                let case_start = self.here();
                self.block(case);
                (case_start, self.emit(Op::Nop, start))
            })
            .unzip();
        self.ops[head] = Op::Choose(starts);
        for end in ends {
            self.ops[end] = Op::Jump(self.here());
        }
    }

    fn select(&mut self, arms: &[ast::Arm], default: Option<&Block>, start: u32) {
        let kinds: Vec<ArmKind> = arms.iter().map(|arm| arm.kind.clone()).collect();
        let kinds = self.evaluated(kinds, start);
        let head = self.emit(Op::Nop, start);
        let mut ends = Vec::new();
        let mut compiled = Vec::new();
        for (arm, kind) in arms.iter().zip(&kinds) {
            compiled.push(self.arm(kind, self.here()));
            self.block(&arm.body);
            ends.push(self.emit(Op::Nop, start));
        }
        let default = default.map(|block| {
            let default = self.here();
            self.block(block);
            ends.push(self.emit(Op::Nop, start));
            default
        });
        self.ops[head] = Op::Select(self.select_of(compiled, default));
        for end in ends {
            self.ops[end] = Op::Jump(self.here());
        }
    }

    fn select_of(&self, arms: Vec<Arm>, default: Option<Pc>) -> Select {
        let rendezvous = arms.iter().any(|arm| {
            self.scenario.objects[arm.channel as usize].kind
                == ObjectKind::Channel { capacity: Some(0) }
        });
        Select {
            arms,
            default,
            rendezvous,
        }
    }

    fn arm(&self, kind: &ArmKind, body: Pc) -> Arm {
        match kind {
            ArmKind::Recv { channel, value, ok } => Arm {
                channel: channel.0,
                sends: None,
                value: *value,
                ok: *ok,
                body,
            },
            ArmKind::Send { channel, value, ok } => Arm {
                channel: channel.0,
                sends: Some(Expression::new(value)),
                value: None,
                ok: *ok,
                body,
            },
        }
    }

    /// A `send` or a `recv` by itself is a `select` of one arm, which goes on behind it.
    fn alone(&mut self, kind: ArmKind, start: u32) {
        for kind in self.evaluated(vec![kind], start) {
            let arm = self.arm(&kind, self.here() + 1);
            let op = Op::Select(self.select_of(vec![arm], None));
            self.emit(op, start);
        }
    }

    /// Where a value that is sent reads a `var`, all values are read in a step before, into locals
    /// of their own.
    fn evaluated(&mut self, mut arms: Vec<ArmKind>, start: u32) -> Vec<ArmKind> {
        let mut assignments = Vec::new();
        let mut shared = false;
        let mut evaluated = arms.clone();
        for arm in &mut evaluated {
            if let ArmKind::Send { value, .. } = arm {
                let local = LocalIndex((self.scenario.locals.len() + assignments.len()) as u32);
                let source = std::mem::replace(value, ast::Expression::Local(local));
                let source = Expression::new(&source);
                shared |= source.is_shared();
                assignments.push((Place::Local(local), source));
            }
        }
        if shared {
            self.hidden = self.hidden.max(assignments.len());
            self.emit(Op::Assign(assignments), start);
            arms = evaluated;
        }
        arms
    }

    /// The instruction of a statement that is one.
    fn simple(kind: &StatementKind) -> Option<Op> {
        locks(kind)
            .or_else(|| waiting(kind))
            .or_else(|| threads_and_vars(kind))
    }
}

fn locks(kind: &StatementKind) -> Option<Op> {
    let rw = |lock: &ObjectIndex, want, attempt: &Attempt, ok: &Option<LocalIndex>| Op::Rw {
        lock: lock.0,
        want,
        tries: *attempt != Attempt::Insist,
        ok: *ok,
    };
    Some(match kind {
        StatementKind::Lock { lock, attempt, ok } => Op::Lock {
            lock: lock.0,
            attempt: *attempt,
            ok: *ok,
        },
        StatementKind::Unlock { lock } => Op::Unlock(lock.0),
        StatementKind::IsLocked { lock, result } => Op::IsLocked(lock.0, *result),
        StatementKind::Read { lock, attempt, ok } => rw(lock, Want::Read, attempt, ok),
        StatementKind::Write { lock, attempt, ok } => rw(lock, Want::Write, attempt, ok),
        StatementKind::Upgradable { lock } => rw(lock, Want::Upgradable, &Attempt::Insist, &None),
        StatementKind::Upgrade { lock } => rw(lock, Want::Upgrade, &Attempt::Insist, &None),
        StatementKind::Downgrade { lock } => Op::Downgrade(lock.0),
        StatementKind::UnlockRw { lock } => Op::UnlockRw(lock.0),
        _ => return None,
    })
}

fn waiting(kind: &StatementKind) -> Option<Op> {
    Some(match kind {
        StatementKind::Wait {
            condvar,
            lock,
            attempt,
            timed_out,
        } => Op::Wait {
            condvar: condvar.0,
            lock: lock.0,
            timed: *attempt != Attempt::Insist,
            timed_out: *timed_out,
        },
        StatementKind::NotifyOne { condvar } => Op::NotifyOne(condvar.0),
        StatementKind::NotifyAll { condvar } => Op::NotifyAll(condvar.0),
        StatementKind::Acquire {
            semaphore,
            permits,
            attempt,
            ok,
        } => Op::Acquire {
            semaphore: semaphore.0,
            permits: i64::from(*permits),
            tries: *attempt != Attempt::Insist,
            ok: *ok,
        },
        StatementKind::Release { semaphore, permits } => {
            Op::Release(semaphore.0, i64::from(*permits))
        }
        StatementKind::Ticket { ticket, permits } => Op::Ticket(ticket.0, i64::from(*permits)),
        StatementKind::AwaitTicket { ticket, permits } => {
            Op::AwaitTicket(ticket.0, i64::from(*permits))
        }
        StatementKind::DropTicket { ticket, .. } => Op::DropTicket(ticket.0),
        StatementKind::Close { channel } => Op::Close(channel.0),
        StatementKind::DropReceiver { channel } => Op::DropReceiver(channel.0),
        StatementKind::Add { group, count } => Op::Add(group.0, *count),
        StatementKind::Done { group } => Op::Add(group.0, -1),
        StatementKind::WaitGroup { group } => Op::WaitGroup(group.0),
        StatementKind::Barrier { barrier } => Op::Barrier(barrier.0),
        StatementKind::Notify { notify } => Op::Notify(notify.0),
        StatementKind::NotifyWaiters { notify } => Op::NotifyWaiters(notify.0),
        StatementKind::WaitNotify { notify } => Op::WaitNotify(notify.0),
        StatementKind::EnableNotify { notify } => Op::EnableNotify(notify.0),
        StatementKind::DropNotify { notify } => Op::DropNotify(notify.0),
        _ => return None,
    })
}

fn threads_and_vars(kind: &StatementKind) -> Option<Op> {
    let assignment = |one: &ast::Assignment| (one.place, Expression::new(&one.value));
    Some(match kind {
        StatementKind::Park => Op::Park,
        StatementKind::Unpark { thread } => Op::Unpark(thread.0),
        StatementKind::Spawn { threads } => {
            Op::Spawn(threads.iter().map(|thread| thread.0).collect())
        }
        StatementKind::Assign(one) => Op::Assign(vec![assignment(one)]),
        StatementKind::Atomic { assignments } => {
            Op::Assign(assignments.iter().map(assignment).collect())
        }
        StatementKind::FetchAdd { var, amount, old } => Op::FetchAdd {
            var: var.0,
            amount: Expression::new(amount),
            old: *old,
        },
        StatementKind::CompareAndSwap { var, old, new, ok } => Op::CompareAndSwap {
            var: var.0,
            old: Expression::new(old),
            new: Expression::new(new),
            ok: *ok,
        },
        StatementKind::Await { condition } => Op::Await(Expression::new(condition)),
        StatementKind::Assert { condition } => Op::Assert(Expression::new(condition)),
        StatementKind::Panic { .. } => Op::Panic,
        StatementKind::Slow { .. } => Op::Slow,
        StatementKind::Nop => Op::Nop,
        StatementKind::BlockForever => Op::BlockForever,
        _ => return None,
    })
}
