//! Random programs, and smaller ones that still fail.
//!
//! Knows how to make programs that are well formed: every thread is started once and joined once,
//! by a thread that is sure to find its handle. Does not know what the programs do.

use super::language::{Arith, Expr, Program, Stmt, local};

/// A pseudo-random sequence (Steele, Lea, Flood: SplitMix64, OOPSLA 2014).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of this seed.
    pub const fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below the bound.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

const LOCALS: usize = 2;

/// A random program of 2 to 4 threads beside the main one.
pub fn program(random: &mut Random) -> Program {
    let threads = 2 + random.below(3);
    // Few threads may be long, many must be short: the interleavings multiply.
    let length = [0, 0, 5, 3, 2][threads];
    let mut shape = Shape {
        locks: 1 + random.below(3),
        atomics: 1 + random.below(2),
    };
    if random.percent(30) {
        shape.atomics = 0;
    }
    let mut bodies: Vec<_> = (0..threads)
        .map(|_| {
            let length = 1 + random.below(length);
            shape.block(random, length, 2, &[])
        })
        .collect();
    relate(random, &mut bodies);
    let mut program = Program::parallel(shape.locks, vec![0; shape.atomics], bodies);
    program.raw = random.percent(25);
    normalize(&mut program);
    program
}

/// Lets some threads wait for, or start, others. Body `n` is thread `n + 1`.
fn relate(random: &mut Random, bodies: &mut [Vec<Stmt>]) {
    for waiter in 1..bodies.len() {
        if random.percent(15) {
            // The main thread has started it before the waiter.
            let earlier = 1 + random.below(waiter);
            let place = random.below(bodies[waiter].len() + 1);
            if !bodies
                .iter()
                .flatten()
                .any(|stmt| *stmt == Stmt::Join(earlier))
            {
                bodies[waiter].insert(place, Stmt::Join(earlier));
            }
        }
    }
    if random.percent(10) {
        // The first thread starts the last one, instead of the main thread.
        let last = bodies.len();
        bodies[last - 1].retain(|stmt| !matches!(stmt, Stmt::Join(_)));
        let place = random.below(bodies[0].len() + 1);
        bodies[0].insert(place, Stmt::Spawn(last));
    }
}

struct Shape {
    locks: usize,
    atomics: usize,
}

impl Shape {
    /// Statements inside so many further levels, under the locks `held`.
    fn block(&self, random: &mut Random, length: usize, depth: usize, held: &[usize]) -> Vec<Stmt> {
        let mut block = Vec::new();
        while block.len() < length {
            block.extend(self.piece(random, depth, held));
        }
        block
    }

    fn piece(&self, random: &mut Random, depth: usize, held: &[usize]) -> Vec<Stmt> {
        let lock = self.lock(random, held);
        let into = random.below(LOCALS);
        let inner = |random: &mut Random, held: &[usize]| match depth {
            0 => Vec::new(),
            _ => {
                let length = random.below(3);
                self.block(random, length, depth - 1, held)
            }
        };
        let mut section = inner(random, &[held, &[lock]].concat());
        let lock = Expr::from(lock);
        if random.percent(92) {
            section.push(Stmt::Unlock(lock.clone()));
        }
        match random.below(20) {
            0..7 => {
                section.insert(0, Stmt::Lock(lock));
                section
            }
            7..10 => {
                let try_lock = match random.percent(30) {
                    true => Stmt::TimedLock(lock, into),
                    false => Stmt::TryLock(lock, into),
                };
                let otherwise = match random.percent(30) {
                    true => inner(random, held),
                    false => Vec::new(),
                };
                vec![try_lock, Stmt::If(local(into), section, otherwise)]
            }
            10 if random.percent(50) => vec![Stmt::IsLocked(lock, into)],
            10 => vec![Stmt::Unlock(lock)],
            11 => vec![Stmt::Choose(2, into)],
            12..14 => {
                let value = Expr::from(random.below(2));
                let condition = local(into).then(Arith::Eq, value);
                let (then, otherwise) = (inner(random, held), inner(random, held));
                vec![Stmt::If(condition, then, otherwise)]
            }
            _ => self.access(random, into).into_iter().collect(),
        }
    }

    /// A lock, seldom one that is held: most programs should get past their first section.
    fn lock(&self, random: &mut Random, held: &[usize]) -> usize {
        let lock = random.below(self.locks);
        if held.contains(&lock) && random.percent(90) {
            return random.below(self.locks);
        }
        lock
    }

    fn access(&self, random: &mut Random, into: usize) -> Option<Stmt> {
        if self.atomics == 0 {
            return None;
        }
        let cell = Expr::from(random.below(self.atomics));
        Some(match random.below(5) {
            0..2 => Stmt::Load(cell, into),
            2 => Stmt::Store(cell, Expr::from(1 + random.below(2))),
            3 => Stmt::Store(cell, local(into).then(Arith::Add, 1_i64)),
            _ => Stmt::FetchAdd(cell, Expr::from(1_i64), into),
        })
    }
}

/// Makes each thread that has a body started once and joined once, and no other.
fn normalize(program: &mut Program) {
    let threads = program.threads.len();
    for thread in 1..threads {
        let spawns: Vec<_> = (0..threads)
            .filter(|&by| by != thread && program.threads[by].contains(&Stmt::Spawn(thread)))
            .collect();
        match spawns[..] {
            [] => {
                let unused = [Stmt::Spawn(thread), Stmt::Join(thread)];
                for body in &mut program.threads {
                    body.retain(|stmt| !unused.contains(stmt));
                }
                program.threads[thread].clear();
            }
            [by] => join_once(program, thread, by),
            [_, by, ..] => {
                // The main thread leaves it to the other one.
                let unused = [Stmt::Spawn(thread), Stmt::Join(thread)];
                program.threads[0].retain(|stmt| !unused.contains(stmt));
                join_once(program, thread, by);
            }
        }
    }
}

/// Lets the thread be joined by whoever does so at first, or at the end of the one that started it.
fn join_once(program: &mut Program, thread: usize, spawner: usize) {
    let join = Stmt::Join(thread);
    let is_joined = |body: &Vec<Stmt>| body.contains(&join);
    if program.threads[1..].iter().any(is_joined) && spawner == 0 {
        program.threads[0].retain(|stmt| *stmt != join);
    } else if !program.threads[spawner].contains(&join) {
        program.threads[spawner].push(join);
    }
}

/// The smallest program that `fails` and comes from this one by leaving out statements, one at a
/// time, until none can be left out.
pub fn shrink(program: &Program, fails: impl Fn(&Program) -> bool) -> Program {
    let mut smallest = program.clone();
    'again: loop {
        for thread in (0..smallest.threads.len()).rev() {
            for smaller_body in smaller(&smallest.threads[thread]) {
                let mut candidate = smallest.clone();
                candidate.threads[thread] = smaller_body;
                normalize(&mut candidate);
                if size(&candidate) < size(&smallest) && fails(&candidate) {
                    smallest = candidate;
                    continue 'again;
                }
            }
        }
        return smallest;
    }
}

/// Statements in all, and those outside the main thread: what shrinking makes less.
fn size(program: &Program) -> (usize, usize) {
    fn count(body: &[Stmt]) -> usize {
        let inner = |stmt: &Stmt| match stmt {
            Stmt::If(_, then, otherwise) => count(then) + count(otherwise),
            Stmt::While(_, body) => count(body),
            _ => 0,
        };
        body.iter().map(|stmt| 1 + inner(stmt)).sum()
    }
    let others = program.threads[1..].iter().map(|body| count(body)).sum();
    (count(&program.threads[0]) + others, others)
}

/// All bodies with one statement less, or a branch in the place of its statement.
fn smaller(body: &[Stmt]) -> Vec<Vec<Stmt>> {
    let mut all = Vec::new();
    for (index, stmt) in body.iter().enumerate() {
        let mut put = |instead: Vec<Stmt>| {
            let (before, after) = (&body[..index], &body[index + 1..]);
            all.push([before, &instead, after].concat());
        };
        put(Vec::new());
        if let Stmt::If(condition, then, otherwise) = stmt {
            put(then.clone());
            put(otherwise.clone());
            for then in smaller(then) {
                put(vec![Stmt::If(condition.clone(), then, otherwise.clone())]);
            }
            for otherwise in smaller(otherwise) {
                put(vec![Stmt::If(condition.clone(), then.clone(), otherwise)]);
            }
        }
    }
    all
}
