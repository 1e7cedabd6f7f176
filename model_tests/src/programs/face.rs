//! Test programs on Gordian's face, and a record of what they did there.
//!
//! Knows which call of the face each step is. The record is kept outside the model, in a mutex of
//! std that no step is taken under: the search neither sees nor orders it. Does not know the
//! oracle; it uses the same form for traces and ends, so that they can be compared.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard as StdMutexGuard, PoisonError};
use std::time::Duration;

use gordian::sync::atomic::{AtomicI64, Ordering};
use gordian::sync::{Mutex, MutexGuard, RawLock};
use gordian::thread::{self, JoinHandle};
use gordian::{Checker, Report};

use super::language::{Code, Frame, Op, Program};
use super::trace::{End, Trace};

/// Checks the program without a record.
pub fn check(checker: Checker, program: &Program) -> Report {
    let program = Arc::new(program.clone());
    let codes = Arc::new(program.compile());
    no_loops(checker).check(move || World::new(&program, &codes, None).run(0))
}

/// Checks the program and records what its executions did.
pub fn check_recorded(checker: Checker, program: &Program) -> (Report, Record) {
    let program = Arc::new(program.clone());
    let codes = Arc::new(program.compile());
    let recorder = Arc::new(Recorder::default());
    let inner = Arc::clone(&recorder);
    let report = no_loops(checker).check(move || {
        inner.begin(&program);
        World::new(&program, &codes, Some(Arc::clone(&inner))).run(0);
    });
    (report, recorder.end())
}

/// All steps are done at the same places of this file, so that straight programs look like loops:
/// none of them is to wait for a change.
fn no_loops(checker: Checker) -> Checker {
    checker.spins_max(u32::MAX)
}

/// What the executions of one check did.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The maximal traces met, and how each ended.
    pub traces: HashMap<Trace, End>,
    /// Executions left off while some thread could go on: by a bound or a sleep set.
    pub abandoned: u64,
    /// Executions that ended as the trace had ended before.
    pub repeated: u64,
}

/// Collects the executions of one check, one after the other.
#[derive(Debug, Default)]
struct Recorder {
    state: StdMutex<(Option<Run>, Record)>,
}

impl Recorder {
    fn begin(&self, program: &Program) {
        let (run, record) = &mut *locked(&self.state);
        if let Some(run) = run.replace(Run::new(program)) {
            record.add(run);
        }
    }

    fn end(&self) -> Record {
        let (run, record) = &mut *locked(&self.state);
        if let Some(run) = run.take() {
            record.add(run);
        }
        mem::take(record)
    }

    fn on_run(&self, act: impl FnOnce(&mut Run)) {
        // What threads do that are left when an execution ends is no part of it.
        if gordian::private::is_over() {
            return;
        }
        if let (Some(run), _) = &mut *locked(&self.state) {
            act(run);
        }
    }
}

impl Record {
    fn add(&mut self, run: Run) {
        if run.could_go_on() {
            self.abandoned += 1;
        } else if self.traces.insert(run.trace, run.end).is_some() {
            self.repeated += 1;
        }
    }
}

/// One execution so far.
#[derive(Debug)]
struct Run {
    trace: Trace,
    end: End,
    /// Threads that were started less those that have said what they do first. A thread may say so
    /// before the one that started it goes on: it is below 0 for that moment.
    silent: i32,
    finished: Vec<bool>,
}

impl Run {
    fn new(program: &Program) -> Run {
        let threads = program.threads.len();
        Run {
            trace: Trace::new(program),
            end: End {
                frames: vec![None; threads],
                waiting: vec![None; threads],
                owners: vec![None; program.locks],
                atomics: program.atomics.clone(),
            },
            silent: 1,
            finished: vec![false; threads],
        }
    }

    /// The thread says what it is about to do: `None`, it ends.
    fn announce(&mut self, thread: usize, frame: &Frame, op: Option<Op>) {
        if self.end.frames[thread].replace(frame.clone()).is_none() {
            self.silent -= 1;
        }
        self.end.waiting[thread] = op;
        self.finished[thread] = op.is_none();
    }

    /// The thread has done what it said.
    fn done(&mut self, thread: usize, op: Op, outcome: i64) {
        self.trace.push(thread, op, outcome);
        self.end.waiting[thread] = None;
        match op {
            Op::Lock(lock) => self.end.owners[lock] = Some(thread),
            Op::TryLock(lock) | Op::TimedLock(lock) if outcome == 1 => {
                self.end.owners[lock] = Some(thread);
            }
            Op::Unlock(lock) => self.end.owners[lock] = None,
            Op::Store(cell, value) => self.end.atomics[cell] = value,
            Op::FetchAdd(cell, by) => self.end.atomics[cell] = outcome + by,
            Op::Spawn(_) => self.silent += 1,
            _ => {}
        }
    }

    fn could_go_on(&self) -> bool {
        let waiting = self
            .end
            .waiting
            .iter()
            .zip(&self.end.frames)
            .zip(&self.finished);
        self.silent != 0
            || waiting.into_iter().any(|((op, frame), finished)| match op {
                None => frame.is_some() && !finished,
                Some(Op::Lock(lock)) => self.end.owners[*lock].is_none(),
                Some(Op::Join(thread)) => self.finished[*thread],
                Some(_) => true,
            })
    }
}

/// Of timed locks; how long it is means nothing in a model.
const TIMEOUT: Duration = Duration::from_secs(1);

/// What the threads of one execution share.
struct World {
    codes: Arc<Vec<Code>>,
    locks: Vec<Mutex<()>>,
    /// The locks, when they have no owners.
    raw_locks: Vec<RawLock>,
    atomics: Vec<AtomicI64>,
    plain: StdMutex<Vec<i64>>,
    handles: StdMutex<Vec<Option<JoinHandle<()>>>>,
    recorder: Option<Arc<Recorder>>,
}

impl World {
    fn new(
        program: &Program,
        codes: &Arc<Vec<Code>>,
        recorder: Option<Arc<Recorder>>,
    ) -> Arc<World> {
        let owned = if program.raw { 0 } else { program.locks };
        Arc::new(World {
            codes: Arc::clone(codes),
            locks: (0..owned).map(|_| Mutex::new(())).collect(),
            raw_locks: (owned..program.locks).map(|_| RawLock::new()).collect(),
            atomics: program
                .atomics
                .iter()
                .map(|&value| AtomicI64::new(value))
                .collect(),
            plain: StdMutex::new(program.plain.clone()),
            handles: StdMutex::new(codes.iter().map(|_| None).collect()),
            recorder,
        })
    }

    /// Runs a thread of the program to its end. Locks that it still holds then stay held.
    fn run(self: &Arc<Self>, thread: usize) {
        let code = &self.codes[thread];
        let mut frame = Frame::new(code);
        let mut guards: Vec<_> = self.locks.iter().map(|_| None).collect();
        loop {
            let op = frame.next(code, &mut locked(&self.plain));
            self.on_run(|run| run.announce(thread, &frame, op));
            let Some(op) = op else { break };
            let outcome = match self.raw_locks.is_empty() {
                true => self.take(op, &mut guards),
                false => self.take_raw(op),
            };
            self.on_run(|run| run.done(thread, op, outcome));
            frame.done(code, op, outcome);
        }
        guards.into_iter().flatten().for_each(mem::forget);
    }

    /// Takes a step in a program whose locks have owners.
    fn take<'a>(self: &'a Arc<Self>, op: Op, guards: &mut [Option<MutexGuard<'a, ()>>]) -> i64 {
        match op {
            Op::Lock(lock) => guards[lock] = Some(self.locks[lock].lock()),
            Op::TryLock(lock) => return keep(&mut guards[lock], self.locks[lock].try_lock()),
            Op::TimedLock(lock) => {
                let guard = self.locks[lock].try_lock_for(TIMEOUT);
                return keep(&mut guards[lock], guard);
            }
            Op::Unlock(lock) => guards[lock] = None,
            Op::IsLocked(lock) => return i64::from(self.locks[lock].is_locked()),
            op => return self.take_unlocked(op),
        }
        1
    }

    /// Takes a step in a program whose locks have none.
    fn take_raw(self: &Arc<Self>, op: Op) -> i64 {
        i64::from(match op {
            Op::Lock(lock) => {
                self.raw_locks[lock].acquire();
                true
            }
            Op::TryLock(lock) => self.raw_locks[lock].try_acquire(),
            Op::TimedLock(lock) => self.raw_locks[lock].acquire_timeout(TIMEOUT),
            Op::Unlock(lock) => self.raw_locks[lock].release(),
            Op::IsLocked(lock) => self.raw_locks[lock].locked(),
            op => return self.take_unlocked(op),
        })
    }

    /// Takes a step that has nothing to do with locks.
    fn take_unlocked(self: &Arc<Self>, op: Op) -> i64 {
        match op {
            Op::Load(cell) => return self.atomics[cell].load(Ordering::SeqCst),
            Op::Store(cell, value) => self.atomics[cell].store(value, Ordering::SeqCst),
            Op::FetchAdd(cell, by) => return self.atomics[cell].fetch_add(by, Ordering::SeqCst),
            Op::Choose(cases) => {
                return i64::try_from(gordian::choose(cases)).expect("few cases");
            }
            Op::Spawn(child) => {
                let world = Arc::clone(self);
                let handle = thread::spawn(move || world.run(child));
                locked(&self.handles)[child] = Some(handle);
            }
            Op::Join(child) => {
                let handle = locked(&self.handles)[child].take();
                let handle = handle.expect("a test program joins what it spawned, once");
                handle.join().expect("no thread of a test program panics");
            }
            op => unreachable!("{op:?} is about a lock"),
        }
        1
    }

    fn on_run(&self, act: impl FnOnce(&mut Run)) {
        if let Some(recorder) = &self.recorder {
            recorder.on_run(act);
        }
    }
}

/// Keeps the guard if there is one, and says so by 1.
fn keep<'a>(slot: &mut Option<MutexGuard<'a, ()>>, guard: Option<MutexGuard<'a, ()>>) -> i64 {
    let success = guard.is_some();
    if success {
        *slot = guard;
    }
    i64::from(success)
}

fn locked<T>(mutex: &StdMutex<T>) -> StdMutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
