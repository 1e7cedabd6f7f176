//! A scenario as flat code: blocks, loops and procs are jumps, and a thread's position is a number.
//!
//! Knows in which order the statements of a thread follow one another, also when it panics. Does
//! not know what a statement does.
//!
//! # Panics
//! A panic of an instruction goes on at the instruction's *pad*: code that gives back, from the
//! inside out, what `with` and `once` around it took, and then leaves the proc, where the pad of
//! the call comes next, or the thread.

use super::ast::{
    Arm, ArmKind, Attempt, Block, Expression, LocalIndex, ObjectIndex, ObjectKind, Place,
    Preference, ProcIndex, Scenario, Span, Statement, StatementKind, TextIndex, ThreadIndex,
    TicketIndex,
};
use super::formula::Formula;

/// A position in the code.
pub(super) type Pc = u32;

/// One of a thread's own variables: first those of the file, then the counters of `repeat`.
pub(super) type Slot = u32;

/// What a thread does at one position. Unless it says otherwise, it goes on behind it.
#[derive(Clone, Debug)]
pub(super) enum Instruction {
    /// Goes on there.
    Jump(Pc),
    /// Goes on there when the condition does not hold.
    Branch {
        condition: Formula,
        otherwise: Pc,
    },
    /// Starts a counter.
    Count {
        slot: Slot,
        times: u32,
    },
    /// Counts down, and goes on there unless it has come to 0.
    Again {
        slot: Slot,
        first: Pc,
    },
    /// Goes on in a proc, to come back.
    Call(Pc),
    /// Goes back to the caller; the end of the thread when there is none.
    Return,
    /// Goes on at the pad of the call; the end of the thread when there is none.
    Unwind,
    /// Panics.
    Panic(TextIndex),
    /// Goes on at any of these.
    Choose(Box<[Pc]>),
    Assign(Box<[(Place, Formula)]>),
    FetchAdd {
        var: ObjectIndex,
        amount: Formula,
        old: LocalIndex,
    },
    CompareAndSwap {
        var: ObjectIndex,
        old: Formula,
        new: Formula,
        ok: LocalIndex,
    },
    Await(Formula),
    Assert(Formula),
    Slow(TextIndex),
    Lock {
        lock: ObjectIndex,
        attempt: Attempt,
        ok: Option<LocalIndex>,
    },
    Unlock(ObjectIndex),
    IsLocked {
        lock: ObjectIndex,
        result: LocalIndex,
    },
    /// Takes an rwlock.
    Take {
        lock: ObjectIndex,
        hold: Hold,
        attempt: Attempt,
        ok: Option<LocalIndex>,
    },
    Upgrade(ObjectIndex),
    Downgrade(ObjectIndex),
    /// Gives the latest hold of an rwlock back.
    GiveBack(ObjectIndex),
    Wait {
        condvar: ObjectIndex,
        lock: ObjectIndex,
        attempt: Attempt,
        timed_out: Option<LocalIndex>,
    },
    NotifyOne(ObjectIndex),
    NotifyAll(ObjectIndex),
    Acquire {
        semaphore: ObjectIndex,
        permits: u32,
        attempt: Attempt,
        ok: Option<LocalIndex>,
    },
    Release {
        semaphore: ObjectIndex,
        permits: u32,
    },
    Ticket {
        ticket: TicketIndex,
        permits: u32,
    },
    AwaitTicket(TicketIndex),
    DropTicket(TicketIndex),
    /// Also a `send` or a `recv` alone: a select of one arm.
    Select(Box<Select>),
    Close(ObjectIndex),
    DropReceiver(ObjectIndex),
    Add {
        group: ObjectIndex,
        count: i32,
    },
    WaitGroup(ObjectIndex),
    Barrier(ObjectIndex),
    /// Goes on there when it has been done.
    Begin {
        once: ObjectIndex,
        after: Pc,
    },
    Complete(ObjectIndex),
    Signal(ObjectIndex),
    SignalAll(ObjectIndex),
    Enlist(ObjectIndex),
    Enable(ObjectIndex),
    Withdraw(ObjectIndex),
    Park,
    Unpark(ThreadIndex),
    /// All of one declaration.
    Spawn(ThreadIndex),
    Join(ThreadIndex),
    Nop,
    Forever,
}

/// How a thread holds an rwlock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Hold {
    Read,
    Write,
    Upgradable,
}

/// A select, or a send or recv alone.
#[derive(Clone, Debug)]
pub(super) struct Select {
    pub(super) arms: Vec<Case>,
    pub(super) default: Option<Pc>,
    /// Whether it is written as `select`.
    pub(super) is_select: bool,
}

/// One arm of a select.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) channel: ObjectIndex,
    /// What it sends; none when it receives.
    pub(super) sends: Option<Formula>,
    /// Where the value that it receives goes.
    pub(super) value: Option<LocalIndex>,
    pub(super) ok: Option<LocalIndex>,
    /// What is done then.
    pub(super) body: Pc,
}

/// A compiled scenario.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) instructions: Vec<Instruction>,
    /// For each instruction, its statement.
    pub(super) spans: Vec<Span>,
    /// For each instruction, where a panic goes on.
    pub(super) pads: Vec<Pc>,
    /// Where each thread begins.
    pub(super) entries: Vec<Pc>,
    /// How many variables a thread has, counters included.
    pub(super) slots: usize,
    /// Choices after which a thread comes to nothing, in order.
    pub(super) lost: Vec<Pc>,
}

/// What surrounds a statement inside its thread or proc.
enum Scope {
    With(ObjectIndex),
    Once(ObjectIndex),
    Loop {
        /// Jumps to where the next round begins.
        continues: Vec<Pc>,
        /// Jumps to behind the loop.
        breaks: Vec<Pc>,
    },
}

struct Compiler {
    code: Code,
    scopes: Vec<Scope>,
    /// The pad of what is compiled now.
    pad: Pc,
    /// Calls whose procs are not compiled yet.
    calls: Vec<(Pc, ProcIndex)>,
    /// The statement that is compiled now.
    span: Span,
}

/// A jump whose place is not known yet.
const UNKNOWN: Pc = Pc::MAX;

impl Code {
    /// Compiles a scenario, all of whose indices are right.
    pub(super) fn new(scenario: &Scenario) -> Code {
        let mut compiler = Compiler {
            code: Code {
                instructions: Vec::new(),
                spans: Vec::new(),
                pads: Vec::new(),
                entries: Vec::new(),
                slots: scenario.locals.len(),
                lost: Vec::new(),
            },
            scopes: Vec::new(),
            pad: 0,
            calls: Vec::new(),
            span: Span::default(),
        };
        // The outermost pad of every thread and proc.
        compiler.emit(Instruction::Unwind);
        for thread in &scenario.threads {
            let entry = compiler.body(&thread.body, thread.span);
            compiler.code.entries.push(entry);
        }
        let procs: Vec<Pc> = scenario
            .procs
            .iter()
            .map(|proc| compiler.body(&proc.body, proc.span))
            .collect();
        for (at, proc) in std::mem::take(&mut compiler.calls) {
            compiler.code.instructions[at as usize] = Instruction::Call(procs[proc.0 as usize]);
        }
        let mut code = compiler.code;
        let choices = (0..).zip(&code.instructions);
        let choices = choices.filter(|(_, it)| matches!(it, Instruction::Choose(_)));
        code.lost = choices
            .map(|(pc, _)| pc)
            .filter(|pc| !code.leads_somewhere(*pc))
            .collect();
        code
    }
}

impl Code {
    /// Whether a thread that is here can come to a step, or to an end, whatever its variables are.
    fn leads_somewhere(&self, from: Pc) -> bool {
        let mut seen = vec![false; self.instructions.len()];
        let mut left = vec![from];
        while let Some(pc) = left.pop() {
            if std::mem::replace(&mut seen[pc as usize], true) {
                continue;
            }
            let instruction = &self.instructions[pc as usize];
            match instruction {
                Instruction::Jump(to) => left.push(*to),
                Instruction::Choose(cases) => left.extend(cases),
                Instruction::Call(to) => left.push(*to),
                Instruction::Branch { otherwise: to, .. }
                | Instruction::Again { first: to, .. }
                    if instruction.is_local() =>
                {
                    left.extend([*to, pc + 1]);
                }
                _ if instruction.is_local() => left.push(pc + 1),
                _ => return true,
            }
        }
        false
    }

    /// Where locks are taken, and which. Re-entrant ones are left out: whoever has one already takes
    /// it without an operation.
    pub(super) fn acquisitions(&self, scenario: &Scenario) -> Vec<(Pc, ObjectIndex)> {
        let is_lock = |index: ObjectIndex| {
            let kind = scenario.objects[index.0 as usize].kind;
            matches!(
                kind,
                ObjectKind::Mutex
                    | ObjectKind::Lock
                    | ObjectKind::RwLock(_)
                    | ObjectKind::Semaphore { permits: 1, .. }
            )
        };
        let numbered = self.instructions.iter().zip(0..);
        let taken = numbered.filter_map(|(instruction, pc)| match instruction {
            Instruction::Lock { lock, .. }
            | Instruction::Take { lock, .. }
            | Instruction::Upgrade(lock) => Some((pc, *lock)),
            Instruction::Acquire { semaphore, .. } => Some((pc, *semaphore)),
            _ => None,
        });
        taken.filter(|(_, lock)| is_lock(*lock)).collect()
    }

    /// For each select, the channels of its arms.
    pub(super) fn selected_together(
        &self,
    ) -> impl Iterator<Item = impl Iterator<Item = ObjectIndex>> {
        self.instructions
            .iter()
            .filter_map(|instruction| match instruction {
                Instruction::Select(select) => Some(select.arms.iter().map(|case| case.channel)),
                _ => None,
            })
    }
}

impl Compiler {
    fn here(&self) -> Pc {
        self.code.instructions.len() as Pc
    }

    fn emit(&mut self, instruction: Instruction) -> Pc {
        let at = self.here();
        self.code.instructions.push(instruction);
        self.code.spans.push(self.span);
        self.code.pads.push(self.pad);
        at
    }

    /// A jump to where is to be said by [`Compiler::land`].
    fn jump(&mut self) -> Pc {
        self.emit(Instruction::Jump(UNKNOWN))
    }

    /// The jump goes to here.
    fn land(&mut self, jump: Pc) {
        self.code.instructions[jump as usize] = Instruction::Jump(self.here());
    }

    fn body(&mut self, block: &Block, span: Span) -> Pc {
        let entry = self.here();
        self.block(block);
        self.span = span;
        self.emit(Instruction::Return);
        entry
    }

    fn block(&mut self, block: &Block) {
        for statement in block {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Statement) {
        self.span = statement.span;
        match &statement.kind {
            StatementKind::With { lock, body } => self.with(*lock, body),
            StatementKind::Once { once, body } => self.once(*once, body),
            StatementKind::Select { arms, default } => self.select(arms, default.as_ref()),
            StatementKind::If {
                condition,
                then,
                otherwise,
            } => self.branch(condition, then, otherwise),
            StatementKind::While { condition, body } => self.endless(condition.as_ref(), body),
            StatementKind::Repeat { times, body } => self.repeat(*times, body),
            StatementKind::Choose { cases } => self.choose(cases),
            StatementKind::Break => self.leave_loop(true),
            StatementKind::Continue => self.leave_loop(false),
            StatementKind::Return => {
                self.give_back(0);
                self.emit(Instruction::Return);
            }
            StatementKind::Call { proc } => {
                let at = self.emit(Instruction::Call(UNKNOWN));
                self.calls.push((at, *proc));
            }
            StatementKind::Join { threads } => {
                for thread in threads {
                    self.emit(Instruction::Join(*thread));
                }
            }
            other => {
                let instruction = lock(other)
                    .or_else(|| queue(other))
                    .or_else(|| variable(other))
                    .or_else(|| self.message(other))
                    .expect("every other statement is one instruction");
                self.emit(instruction);
            }
        }
    }

    /// Compiles `body` with `scope` around it; a panic in it goes by `cleanup`.
    fn inside(&mut self, scope: Scope, cleanup: Instruction, body: &Block) {
        let span = self.span;
        let outer = self.pad;
        let over = self.jump();
        let pad = self.emit(cleanup.clone());
        self.emit(Instruction::Jump(outer));
        self.land(over);
        self.pad = pad;
        self.scopes.push(scope);
        self.block(body);
        self.scopes.pop();
        self.pad = outer;
        self.span = span;
        self.emit(cleanup);
    }

    fn with(&mut self, lock: ObjectIndex, body: &Block) {
        self.emit(Instruction::Lock {
            lock,
            attempt: Attempt::Insist,
            ok: None,
        });
        self.inside(Scope::With(lock), Instruction::Unlock(lock), body);
    }

    fn once(&mut self, once: ObjectIndex, body: &Block) {
        let begin = self.jump();
        self.inside(Scope::Once(once), Instruction::Complete(once), body);
        let after = self.here();
        self.code.instructions[begin as usize] = Instruction::Begin { once, after };
    }

    fn branch(&mut self, condition: &Expression, then: &Block, otherwise: &Block) {
        let span = self.span;
        let test = self.jump();
        self.block(then);
        self.span = span;
        let over = self.jump();
        self.code.instructions[test as usize] = Instruction::Branch {
            condition: Formula::new(condition),
            otherwise: self.here(),
        };
        self.block(otherwise);
        self.land(over);
    }

    /// Compiles the body of a loop. Its `continue`s and its `break`s are for the caller to land.
    fn looped(&mut self, body: &Block) -> (Vec<Pc>, Vec<Pc>) {
        let span = self.span;
        self.scopes.push(Scope::Loop {
            continues: Vec::new(),
            breaks: Vec::new(),
        });
        self.block(body);
        self.span = span;
        match self.scopes.pop() {
            Some(Scope::Loop { continues, breaks }) => (continues, breaks),
            _ => unreachable!("scopes are opened and closed in pairs"),
        }
    }

    fn land_all(&mut self, jumps: Vec<Pc>) {
        for jump in jumps {
            self.land(jump);
        }
    }

    fn endless(&mut self, condition: Option<&Expression>, body: &Block) {
        let head = self.here();
        let test = condition.map(|condition| (self.jump(), condition));
        let (continues, breaks) = self.looped(body);
        self.land_all(continues);
        self.emit(Instruction::Jump(head));
        if let Some((test, condition)) = test {
            self.code.instructions[test as usize] = Instruction::Branch {
                condition: Formula::new(condition),
                otherwise: self.here(),
            };
        }
        self.land_all(breaks);
    }

    fn repeat(&mut self, times: u32, body: &Block) {
        let slot = self.code.slots as Slot;
        self.code.slots += 1;
        let never = (times == 0).then(|| self.jump());
        self.emit(Instruction::Count { slot, times });
        let first = self.here();
        let (continues, breaks) = self.looped(body);
        self.land_all(continues);
        self.emit(Instruction::Again { slot, first });
        self.land_all(breaks);
        // Whoever breaks leaves the counter as it is, and two states would differ for nothing.
        self.emit(Instruction::Count { slot, times: 0 });
        self.land_all(never.into_iter().collect());
    }

    fn choose(&mut self, cases: &[Block]) {
        let span = self.span;
        let head = self.jump();
        let mut starts = Vec::new();
        let mut ends = Vec::new();
        for case in cases {
            starts.push(self.here());
            self.block(case);
            self.span = span;
            ends.push(self.jump());
        }
        self.code.instructions[head as usize] = Instruction::Choose(starts.into());
        self.land_all(ends);
    }

    /// Gives back what the scopes took, from the innermost up to the one of this number.
    fn give_back(&mut self, outermost: usize) {
        for at in (outermost..self.scopes.len()).rev() {
            match self.scopes[at] {
                Scope::With(lock) => self.emit(Instruction::Unlock(lock)),
                Scope::Once(once) => self.emit(Instruction::Complete(once)),
                Scope::Loop { .. } => continue,
            };
        }
    }

    fn leave_loop(&mut self, breaks_out: bool) {
        let is_loop = |scope: &Scope| matches!(scope, Scope::Loop { .. });
        let innermost = self.scopes.iter().rposition(is_loop);
        let innermost = innermost.expect("break and continue are inside a loop");
        self.give_back(innermost + 1);
        let jump = self.jump();
        if let Scope::Loop { continues, breaks } = &mut self.scopes[innermost] {
            if breaks_out { breaks } else { continues }.push(jump);
        }
    }

    fn select(&mut self, arms: &[Arm], default: Option<&Block>) {
        let span = self.span;
        let head = self.jump();
        let mut cases = Vec::new();
        let mut ends = Vec::new();
        for arm in arms {
            cases.push(case(&arm.kind, self.here()));
            self.block(&arm.body);
            self.span = span;
            ends.push(self.jump());
        }
        let default = default.map(|block| {
            let start = self.here();
            self.block(block);
            self.span = span;
            ends.push(self.jump());
            start
        });
        self.code.instructions[head as usize] = Instruction::Select(Box::new(Select {
            arms: cases,
            default,
            is_select: true,
        }));
        self.land_all(ends);
    }

    /// A send or a recv, alone.
    fn message(&self, kind: &StatementKind) -> Option<Instruction> {
        let kind = match kind {
            StatementKind::Send { channel, value, ok } => ArmKind::Send {
                channel: *channel,
                value: value.clone(),
                ok: *ok,
            },
            StatementKind::Recv { channel, value, ok } => ArmKind::Recv {
                channel: *channel,
                value: *value,
                ok: *ok,
            },
            _ => return None,
        };
        Some(Instruction::Select(Box::new(Select {
            arms: vec![case(&kind, self.here() + 1)],
            default: None,
            is_select: false,
        })))
    }
}

fn case(kind: &ArmKind, body: Pc) -> Case {
    match kind {
        ArmKind::Recv { channel, value, ok } => Case {
            channel: *channel,
            sends: None,
            value: *value,
            ok: *ok,
            body,
        },
        ArmKind::Send { channel, value, ok } => Case {
            channel: *channel,
            sends: Some(Formula::new(value)),
            value: None,
            ok: *ok,
            body,
        },
    }
}

fn lock(kind: &StatementKind) -> Option<Instruction> {
    let take =
        |lock: &ObjectIndex, hold, attempt: &Attempt, ok: &Option<LocalIndex>| Instruction::Take {
            lock: *lock,
            hold,
            attempt: *attempt,
            ok: *ok,
        };
    Some(match kind {
        StatementKind::Lock { lock, attempt, ok } => Instruction::Lock {
            lock: *lock,
            attempt: *attempt,
            ok: *ok,
        },
        StatementKind::Unlock { lock } => Instruction::Unlock(*lock),
        StatementKind::IsLocked { lock, result } => Instruction::IsLocked {
            lock: *lock,
            result: *result,
        },
        StatementKind::Read { lock, attempt, ok } => take(lock, Hold::Read, attempt, ok),
        StatementKind::Write { lock, attempt, ok } => take(lock, Hold::Write, attempt, ok),
        StatementKind::Upgradable { lock } => take(lock, Hold::Upgradable, &Attempt::Insist, &None),
        StatementKind::Upgrade { lock } => Instruction::Upgrade(*lock),
        StatementKind::Downgrade { lock } => Instruction::Downgrade(*lock),
        StatementKind::UnlockRw { lock } => Instruction::GiveBack(*lock),
        StatementKind::Wait {
            condvar,
            lock,
            attempt,
            timed_out,
        } => Instruction::Wait {
            condvar: *condvar,
            lock: *lock,
            attempt: *attempt,
            timed_out: *timed_out,
        },
        StatementKind::NotifyOne { condvar } => Instruction::NotifyOne(*condvar),
        StatementKind::NotifyAll { condvar } => Instruction::NotifyAll(*condvar),
        _ => return None,
    })
}

fn queue(kind: &StatementKind) -> Option<Instruction> {
    Some(match kind {
        StatementKind::Acquire {
            semaphore,
            permits,
            attempt,
            ok,
        } => Instruction::Acquire {
            semaphore: *semaphore,
            permits: *permits,
            attempt: *attempt,
            ok: *ok,
        },
        StatementKind::Release { semaphore, permits } => Instruction::Release {
            semaphore: *semaphore,
            permits: *permits,
        },
        StatementKind::Ticket { ticket, permits } => Instruction::Ticket {
            ticket: *ticket,
            permits: *permits,
        },
        StatementKind::AwaitTicket { ticket, .. } => Instruction::AwaitTicket(*ticket),
        StatementKind::DropTicket { ticket, .. } => Instruction::DropTicket(*ticket),
        StatementKind::Close { channel } => Instruction::Close(*channel),
        StatementKind::DropReceiver { channel } => Instruction::DropReceiver(*channel),
        StatementKind::Add { group, count } => Instruction::Add {
            group: *group,
            count: (*count).clamp(i32::MIN.into(), i32::MAX.into()) as i32,
        },
        StatementKind::Done { group } => Instruction::Add {
            group: *group,
            count: -1,
        },
        StatementKind::WaitGroup { group } => Instruction::WaitGroup(*group),
        StatementKind::Barrier { barrier } => Instruction::Barrier(*barrier),
        StatementKind::Notify { notify } => Instruction::Signal(*notify),
        StatementKind::NotifyWaiters { notify } => Instruction::SignalAll(*notify),
        StatementKind::WaitNotify { notify } => Instruction::Enlist(*notify),
        StatementKind::EnableNotify { notify } => Instruction::Enable(*notify),
        StatementKind::DropNotify { notify } => Instruction::Withdraw(*notify),
        StatementKind::Park => Instruction::Park,
        StatementKind::Unpark { thread } => Instruction::Unpark(*thread),
        StatementKind::Spawn { threads } => match threads.first() {
            Some(first) => Instruction::Spawn(*first),
            None => Instruction::Nop,
        },
        StatementKind::Nop => Instruction::Nop,
        StatementKind::BlockForever => Instruction::Forever,
        _ => return None,
    })
}

fn variable(kind: &StatementKind) -> Option<Instruction> {
    Some(match kind {
        StatementKind::Assign(one) => {
            Instruction::Assign(Box::new([(one.place, Formula::new(&one.value))]))
        }
        StatementKind::Atomic { assignments } => {
            let each = assignments.iter();
            Instruction::Assign(
                each.map(|one| (one.place, Formula::new(&one.value)))
                    .collect(),
            )
        }
        StatementKind::FetchAdd { var, amount, old } => Instruction::FetchAdd {
            var: *var,
            amount: Formula::new(amount),
            old: *old,
        },
        StatementKind::CompareAndSwap { var, old, new, ok } => Instruction::CompareAndSwap {
            var: *var,
            old: Formula::new(old),
            new: Formula::new(new),
            ok: *ok,
        },
        StatementKind::Await { condition } => Instruction::Await(Formula::new(condition)),
        StatementKind::Assert { condition } => Instruction::Assert(Formula::new(condition)),
        StatementKind::Panic { why } => Instruction::Panic(*why),
        StatementKind::Slow { name } => Instruction::Slow(*name),
        _ => return None,
    })
}

impl Instruction {
    /// Whether it touches nothing but the thread's own variables and position, and is not its end.
    fn is_local(&self) -> bool {
        let kind = matches!(
            self,
            Instruction::Jump(_)
                | Instruction::Branch { .. }
                | Instruction::Count { .. }
                | Instruction::Again { .. }
                | Instruction::Call(_)
                | Instruction::Choose(_)
                | Instruction::Assign(_)
                | Instruction::Assert(_)
        );
        kind && self.variables() == (Vec::new(), Vec::new())
    }

    /// The shared variables that it reads, and those that it writes. With any, it is a step.
    pub(super) fn variables(&self) -> (Vec<ObjectIndex>, Vec<ObjectIndex>) {
        let (mut reads, mut writes) = (Vec::new(), Vec::new());
        match self {
            Instruction::Branch { condition, .. }
            | Instruction::Await(condition)
            | Instruction::Assert(condition) => reads.extend(condition.reads()),
            Instruction::Assign(assignments) => {
                for (place, value) in assignments {
                    reads.extend(value.reads());
                    if let Place::Var(var) = place {
                        writes.push(*var);
                    }
                }
            }
            Instruction::FetchAdd { var, amount, .. } => {
                reads.extend(amount.reads().chain([*var]));
                writes.push(*var);
            }
            Instruction::CompareAndSwap { var, old, new, .. } => {
                reads.extend(old.reads().chain(new.reads()).chain([*var]));
                writes.push(*var);
            }
            Instruction::Select(select) => {
                let sent = select.arms.iter().flat_map(|case| &case.sends);
                reads.extend(sent.flat_map(Formula::reads));
            }
            _ => {}
        }
        for list in [&mut reads, &mut writes] {
            list.sort_unstable();
            list.dedup();
        }
        (reads, writes)
    }

    /// Whether a thread that waits here does so in a second step: it has arrived already.
    pub(super) fn waits_after_arriving(&self, kind: impl Fn(ObjectIndex) -> ObjectKind) -> bool {
        let kind = |index: &ObjectIndex| kind(*index);
        let preference = |lock: &ObjectIndex| match kind(lock) {
            ObjectKind::RwLock(preference) => preference,
            _ => Preference::Reader,
        };
        match self {
            Instruction::Take { lock, hold, .. } => match preference(lock) {
                Preference::Fifo => true,
                Preference::Writer => *hold == Hold::Write,
                Preference::Reader => false,
            },
            Instruction::Upgrade(lock) => preference(lock) != Preference::Reader,
            Instruction::Acquire { semaphore, .. } => {
                matches!(kind(semaphore), ObjectKind::Semaphore { fifo: true, .. })
            }
            Instruction::Select(select) => select
                .arms
                .iter()
                .any(|case| kind(&case.channel) == ObjectKind::Channel { capacity: Some(0) }),
            Instruction::Wait { .. } | Instruction::Barrier(_) | Instruction::Enlist(_) => true,
            _ => false,
        }
    }
}
