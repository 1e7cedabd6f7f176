//! The oracle: all interleavings of a program, by the plainest means there are.
//!
//! Knows when a step is possible and what it does. Does not know Gordian, and no reduction: it
//! extends every trace by every possible step, and merges only what has become the same trace.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::language::{Code, Frame, Op, Program};
use super::trace::{End, Trace};

/// All that a program can do.
#[derive(Clone, Debug, Default)]
pub struct Outcomes {
    /// The maximal traces, and how each ends.
    pub traces: HashMap<Trace, End>,
    /// The number of maximal interleavings of the steps.
    pub interleavings: u128,
}

impl Outcomes {
    /// Traces in which some thread waits for ever.
    pub fn deadlocked(&self) -> usize {
        self.traces.values().filter(|end| end.is_deadlock()).count()
    }
}

/// Explores the program; `None` when more than `prefixes_max` traces of one length are met.
pub fn explore(program: &Program, prefixes_max: usize) -> Option<Outcomes> {
    let codes = program.compile();
    let mut outcomes = Outcomes::default();
    // All traces of one length, each with its state and the number of interleavings that have it.
    let mut layer = HashMap::from([(Trace::new(program), (State::new(program, &codes), 1))]);
    while !layer.is_empty() {
        if layer.len() > prefixes_max {
            return None;
        }
        let mut longer: HashMap<Trace, (State, u128)> = HashMap::new();
        for (trace, (state, ways)) in layer {
            let enabled: Vec<_> = state.enabled().collect();
            if enabled.is_empty() {
                outcomes.interleavings += ways;
                outcomes.traces.insert(trace, state.end());
                continue;
            }
            for (thread, op) in enabled {
                let cases = if let Op::Choose(cases) = op { cases } else { 1 };
                for case in 0..cases {
                    let (mut state, mut trace) = (state.clone(), trace.clone());
                    let outcome = state.take(&codes, thread, op, case);
                    trace.push(thread, op, outcome);
                    match longer.entry(trace) {
                        Entry::Occupied(mut entry) => entry.get_mut().1 += ways,
                        Entry::Vacant(entry) => {
                            entry.insert((state, ways));
                        }
                    }
                }
            }
        }
        layer = longer;
    }
    Some(outcomes)
}

/// The abstract machine.
#[derive(Clone, Debug)]
struct State {
    frames: Vec<Option<Frame>>,
    /// The step each thread is about to take; `None` when it has ended or is not started.
    pending: Vec<Option<Op>>,
    owners: Vec<Option<usize>>,
    atomics: Vec<i64>,
    plain: Vec<i64>,
}

impl State {
    fn new(program: &Program, codes: &[Code]) -> State {
        let mut state = State {
            frames: vec![None; codes.len()],
            pending: vec![None; codes.len()],
            owners: vec![None; program.locks],
            atomics: program.atomics.clone(),
            plain: program.plain.clone(),
        };
        state.start(codes, 0);
        state
    }

    fn start(&mut self, codes: &[Code], thread: usize) {
        let mut frame = Frame::new(&codes[thread]);
        self.pending[thread] = frame.next(&codes[thread], &mut self.plain);
        self.frames[thread] = Some(frame);
    }

    fn enabled(&self) -> impl Iterator<Item = (usize, Op)> + '_ {
        let pending = self.pending.iter().enumerate();
        pending
            .filter_map(|(thread, op)| (*op).map(|op| (thread, op)))
            .filter(|(_, op)| match *op {
                Op::Lock(lock) => self.owners[lock].is_none(),
                Op::Join(thread) => self.frames[thread].is_some() && self.pending[thread].is_none(),
                _ => true,
            })
    }

    /// Takes the step and returns its outcome; `case` is what the environment chooses.
    fn take(&mut self, codes: &[Code], thread: usize, op: Op, case: usize) -> i64 {
        let outcome = match op {
            Op::Lock(lock) => {
                self.owners[lock] = Some(thread);
                1
            }
            Op::TryLock(lock) | Op::TimedLock(lock) => {
                let free = self.owners[lock].is_none();
                if free {
                    self.owners[lock] = Some(thread);
                }
                i64::from(free)
            }
            Op::Unlock(lock) => i64::from(self.owners[lock].take().is_some()),
            Op::IsLocked(lock) => i64::from(self.owners[lock].is_some()),
            Op::Load(cell) => self.atomics[cell],
            Op::Store(cell, value) => {
                self.atomics[cell] = value;
                1
            }
            Op::FetchAdd(cell, by) => {
                let old = self.atomics[cell];
                self.atomics[cell] += by;
                old
            }
            Op::Choose(_) => i64::try_from(case).expect("few cases"),
            Op::Spawn(child) => {
                self.start(codes, child);
                1
            }
            Op::Join(_) => 1,
        };
        let frame = self.frames[thread]
            .as_mut()
            .expect("a thread that takes a step has started");
        frame.done(&codes[thread], op, outcome);
        self.pending[thread] = frame.next(&codes[thread], &mut self.plain);
        outcome
    }

    fn end(self) -> End {
        End {
            frames: self.frames,
            waiting: self.pending,
            owners: self.owners,
            atomics: self.atomics,
        }
    }
}
