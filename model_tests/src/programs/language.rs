//! The language of the test programs, and how a thread of one runs between two steps.
//!
//! Knows statements, expressions and the flat code that they become. Does not know when a step is
//! possible nor what it does to shared objects: that is the business of whoever runs the program
//! (`oracle`, `face`), so that two of them can disagree.

use std::fmt;

/// A value computed without a step: from constants, the thread's own variables, and plain memory,
/// which is shared and which the program itself must protect by its locks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// A constant.
    Const(i64),
    /// One of the thread's own variables.
    Local(usize),
    /// A word of plain memory.
    Plain(Box<Expr>),
    /// Two values combined.
    Binary(Arith, Box<Expr>, Box<Expr>),
}

/// How two values combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arith {
    /// Sum.
    Add,
    /// Product.
    Mul,
    /// Remainder, never negative.
    Rem,
    /// 1 if equal, else 0.
    Eq,
    /// 1 if less, else 0.
    Less,
}

impl From<i64> for Expr {
    fn from(value: i64) -> Self {
        Expr::Const(value)
    }
}

impl From<usize> for Expr {
    fn from(value: usize) -> Self {
        Expr::Const(i64::try_from(value).expect("test programs use small numbers"))
    }
}

impl Expr {
    /// This value and another combined.
    #[must_use]
    pub fn then(self, how: Arith, other: impl Into<Expr>) -> Expr {
        Expr::Binary(how, Box::new(self), Box::new(other.into()))
    }

    /// A word of plain memory.
    pub fn plain(index: impl Into<Expr>) -> Expr {
        Expr::Plain(Box::new(index.into()))
    }

    fn value(&self, locals: &[i64], plain: &[i64]) -> i64 {
        match self {
            Expr::Const(value) => *value,
            // One that is never set is 0.
            Expr::Local(index) => locals.get(*index).copied().unwrap_or(0),
            Expr::Plain(index) => plain[as_index(index.value(locals, plain))],
            Expr::Binary(how, left, right) => {
                let (left, right) = (left.value(locals, plain), right.value(locals, plain));
                match how {
                    Arith::Add => left + right,
                    Arith::Mul => left * right,
                    Arith::Rem => left.rem_euclid(right),
                    Arith::Eq => i64::from(left == right),
                    Arith::Less => i64::from(left < right),
                }
            }
        }
    }
}

/// One of the thread's own variables.
pub const fn local(index: usize) -> Expr {
    Expr::Local(index)
}

fn as_index(value: i64) -> usize {
    usize::try_from(value).expect("an index of a test program is not negative")
}

/// A statement. The first eleven are one step each; the rest touch nothing that is shared, or plain
/// memory only, and are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stmt {
    /// Waits for the lock and takes it.
    Lock(Expr),
    /// Gives the lock back. Where locks have owners: nothing, and no step, when the thread does not
    /// hold it.
    Unlock(Expr),
    /// Asks whether anyone holds the lock; the variable gets the answer.
    IsLocked(Expr, usize),
    /// Takes the lock if it is free; the variable says whether it did.
    TryLock(Expr, usize),
    /// Takes the lock or gives up when it would have to wait; the variable says which.
    TimedLock(Expr, usize),
    /// Reads an atomic into the variable.
    Load(Expr, usize),
    /// Writes an atomic.
    Store(Expr, Expr),
    /// Adds to an atomic; the variable gets what it was before.
    FetchAdd(Expr, Expr, usize),
    /// The environment chooses a number below this one.
    Choose(usize, usize),
    /// Starts the thread.
    Spawn(usize),
    /// Waits for the end of the thread.
    Join(usize),
    /// Sets the variable.
    Let(usize, Expr),
    /// Sets a word of plain memory.
    Set(Expr, Expr),
    /// Goes one way when the value is not 0, the other when it is.
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    /// Repeats while the value is not 0.
    While(Expr, Vec<Stmt>),
}

/// A program: thread 0 starts by itself, the others where they are spawned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Number of locks.
    pub locks: usize,
    /// Whether the locks have no owners: anyone may release them, held or not.
    pub raw: bool,
    /// The atomics' first values.
    pub atomics: Vec<i64>,
    /// The plain memory's first values.
    pub plain: Vec<i64>,
    /// What each thread does.
    pub threads: Vec<Vec<Stmt>>,
}

impl Program {
    /// A program whose first thread starts all others and then waits for all of them.
    pub fn parallel(locks: usize, atomics: Vec<i64>, bodies: Vec<Vec<Stmt>>) -> Program {
        let ids = 1..=bodies.len();
        let main = ids
            .clone()
            .map(Stmt::Spawn)
            .chain(ids.map(Stmt::Join))
            .collect();
        let threads = std::iter::once(main).chain(bodies).collect();
        Program {
            locks,
            raw: false,
            atomics,
            plain: Vec::new(),
            threads,
        }
    }

    /// The same program with this plain memory.
    #[must_use]
    pub fn with_plain(mut self, words: usize) -> Program {
        self.plain = vec![0; words];
        self
    }

    /// The flat code of each thread.
    pub fn compile(&self) -> Vec<Code> {
        let code = |body: &Vec<Stmt>| Code::of(body, self.raw);
        self.threads.iter().map(code).collect()
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.raw { "raw " } else { "" };
        writeln!(
            f,
            "{} {kind}locks, atomics {:?}, plain {:?}",
            self.locks, self.atomics, self.plain
        )?;
        for (number, body) in self.threads.iter().enumerate() {
            writeln!(f, "thread {number}")?;
            write_block(f, body, 1)?;
        }
        Ok(())
    }
}

fn write_block(f: &mut fmt::Formatter<'_>, body: &[Stmt], depth: usize) -> fmt::Result {
    let indent = "    ".repeat(depth);
    for stmt in body {
        match stmt {
            Stmt::If(condition, then, otherwise) => {
                writeln!(f, "{indent}if {condition:?}")?;
                write_block(f, then, depth + 1)?;
                if !otherwise.is_empty() {
                    writeln!(f, "{indent}else")?;
                    write_block(f, otherwise, depth + 1)?;
                }
            }
            Stmt::While(condition, body) => {
                writeln!(f, "{indent}while {condition:?}")?;
                write_block(f, body, depth + 1)?;
            }
            stmt => writeln!(f, "{indent}{stmt:?}")?,
        }
    }
    Ok(())
}

/// A thread's statements without nesting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    instructions: Vec<Instruction>,
    locals: usize,
    raw: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Instruction {
    /// A statement that is a step, or sets something.
    Plain(Stmt),
    /// Goes on at the instruction when the value is 0.
    JumpUnless(Expr, usize),
    Jump(usize),
}

impl Code {
    fn of(body: &[Stmt], raw: bool) -> Code {
        let mut code = Code {
            instructions: Vec::new(),
            locals: 0,
            raw,
        };
        code.append(body);
        code
    }

    fn append(&mut self, body: &[Stmt]) {
        for stmt in body {
            match stmt {
                Stmt::If(condition, then, otherwise) => {
                    let branch = self.jump_unless(condition);
                    self.append(then);
                    let end = self.instructions.len();
                    self.instructions.push(Instruction::Jump(0));
                    self.land(branch);
                    self.append(otherwise);
                    self.land(end);
                }
                Stmt::While(condition, body) => {
                    let start = self.instructions.len();
                    let branch = self.jump_unless(condition);
                    self.append(body);
                    self.instructions.push(Instruction::Jump(start));
                    self.land(branch);
                }
                stmt => {
                    if let Some(into) = stmt.result() {
                        self.locals = self.locals.max(into + 1);
                    }
                    self.instructions.push(Instruction::Plain(stmt.clone()));
                }
            }
        }
    }

    fn jump_unless(&mut self, condition: &Expr) -> usize {
        self.instructions
            .push(Instruction::JumpUnless(condition.clone(), 0));
        self.instructions.len() - 1
    }

    /// Makes the jump at `from` go to the end of what there is so far.
    fn land(&mut self, from: usize) {
        let here = self.instructions.len();
        match &mut self.instructions[from] {
            Instruction::Jump(target) | Instruction::JumpUnless(_, target) => *target = here,
            Instruction::Plain(stmt) => unreachable!("{stmt:?} is not a jump"),
        }
    }
}

impl Stmt {
    /// The variable that gets the result.
    fn result(&self) -> Option<usize> {
        match self {
            Stmt::TryLock(_, into)
            | Stmt::TimedLock(_, into)
            | Stmt::IsLocked(_, into)
            | Stmt::Load(_, into)
            | Stmt::FetchAdd(_, _, into)
            | Stmt::Choose(_, into)
            | Stmt::Let(into, _) => Some(*into),
            _ => None,
        }
    }
}

/// A step that a thread is about to take, its operands computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Op {
    /// Waits for the lock and takes it.
    Lock(usize),
    /// Gives the lock back.
    Unlock(usize),
    /// Asks whether anyone holds the lock.
    IsLocked(usize),
    /// Takes the lock if it is free.
    TryLock(usize),
    /// Takes the lock or gives up.
    TimedLock(usize),
    /// Reads an atomic.
    Load(usize),
    /// Writes an atomic.
    Store(usize, i64),
    /// Adds to an atomic.
    FetchAdd(usize, i64),
    /// The environment chooses.
    Choose(usize),
    /// Starts a thread.
    Spawn(usize),
    /// Waits for the end of a thread.
    Join(usize),
}

/// Where a thread stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Frame {
    at: usize,
    locals: Vec<i64>,
    /// The locks that the thread holds, one bit each.
    held: u128,
}

impl Frame {
    /// The start of a thread with this code.
    pub fn new(code: &Code) -> Frame {
        Frame {
            at: 0,
            locals: vec![0; code.locals],
            held: 0,
        }
    }

    /// The thread's own variables.
    pub fn locals(&self) -> &[i64] {
        &self.locals
    }

    /// Runs to the next step and tells which it is; `None` at the thread's end.
    pub fn next(&mut self, code: &Code, plain: &mut [i64]) -> Option<Op> {
        loop {
            match code.instructions.get(self.at)? {
                Instruction::Jump(target) => self.at = *target,
                Instruction::JumpUnless(condition, target) => {
                    let holds = condition.value(&self.locals, plain) != 0;
                    self.at = if holds { self.at + 1 } else { *target };
                }
                Instruction::Plain(Stmt::Let(into, value)) => {
                    self.locals[*into] = value.value(&self.locals, plain);
                    self.at += 1;
                }
                Instruction::Plain(Stmt::Set(index, value)) => {
                    let index = as_index(index.value(&self.locals, plain));
                    plain[index] = value.value(&self.locals, plain);
                    self.at += 1;
                }
                Instruction::Plain(stmt) => match self.resolve(stmt, plain) {
                    Op::Unlock(lock) if !code.raw && self.held & (1 << lock) == 0 => self.at += 1,
                    op => return Some(op),
                },
            }
        }
    }

    /// Goes past the step `op`, which came out as `outcome`: what was read or chosen, or 1 for
    /// success and 0 for failure.
    pub fn done(&mut self, code: &Code, op: Op, outcome: i64) {
        let Instruction::Plain(stmt) = &code.instructions[self.at] else {
            unreachable!("a thread stops at steps only");
        };
        if let Some(into) = stmt.result() {
            self.locals[into] = outcome;
        }
        match op {
            Op::Lock(lock) => self.held |= 1 << lock,
            Op::TryLock(lock) | Op::TimedLock(lock) if outcome == 1 => self.held |= 1 << lock,
            Op::Unlock(lock) => self.held &= !(1 << lock),
            _ => {}
        }
        self.at += 1;
    }

    fn resolve(&self, stmt: &Stmt, plain: &[i64]) -> Op {
        let value = |expr: &Expr| expr.value(&self.locals, plain);
        let index = |expr: &Expr| as_index(value(expr));
        match stmt {
            Stmt::Lock(lock) => Op::Lock(index(lock)),
            Stmt::Unlock(lock) => Op::Unlock(index(lock)),
            Stmt::IsLocked(lock, _) => Op::IsLocked(index(lock)),
            Stmt::TryLock(lock, _) => Op::TryLock(index(lock)),
            Stmt::TimedLock(lock, _) => Op::TimedLock(index(lock)),
            Stmt::Load(cell, _) => Op::Load(index(cell)),
            Stmt::Store(cell, new) => Op::Store(index(cell), value(new)),
            Stmt::FetchAdd(cell, by, _) => Op::FetchAdd(index(cell), value(by)),
            Stmt::Choose(cases, _) => Op::Choose(*cases),
            Stmt::Spawn(thread) => Op::Spawn(*thread),
            Stmt::Join(thread) => Op::Join(*thread),
            Stmt::Let(..) | Stmt::Set(..) | Stmt::If(..) | Stmt::While(..) => {
                unreachable!("{stmt:?} is not a step")
            }
        }
    }
}
