//! How many Mazurkiewicz traces a scenario has: interleavings that differ by more than the order of
//! steps that do not matter to one another.
//!
//! Knows which steps of locks and variables matter to one another: those on the same lock or
//! variable, unless both only look. Does not know other objects.

use std::collections::HashSet;

use gordian::scenario::ast::{Place, Scenario};

use crate::code::{Code, Op};
use crate::expression::Expression;
use crate::meaning::Machine;
use crate::state::{Frame, State, UNWINDING};

/// Steps of one thread, which may never end.
const STEPS_MAX: usize = 200;

/// The number of maximal traces of a scenario of locks and variables, those that end in a deadlock
/// included. None when something else takes part (a `choose`, too), when there are more than so
/// many beginnings of traces, or when one is very long.
pub fn traces(scenario: &Scenario, beginnings_max: usize) -> Option<u64> {
    let code = Code::new(scenario);
    if code.ops.iter().any(|op| matches!(op, Op::Choose(_))) {
        return None;
    }
    let mut machine = Machine::new(&code, 10_000);
    let mut seen: HashSet<Trace> = HashSet::new();
    let mut left: Vec<(State, Trace)> = Vec::new();
    let empty = Trace {
        threads: vec![0; code.threads.len()],
        objects: vec![Vec::new(); code.objects.len()],
    };
    let mut settled = Vec::new();
    machine.settle(State::first(&code), &mut settled);
    left.extend(settled.pop().map(|state| (state, empty)));
    let mut maximal = 0;
    let mut ways = Vec::new();
    while let Some((state, trace)) = left.pop() {
        if seen.len() > beginnings_max || machine.failure.is_some() {
            return None;
        }
        let mut moves = false;
        for thread in 0..code.threads.len() as u32 {
            machine.ways(&state, thread, &mut ways);
            for way in ways.drain(..) {
                moves = true;
                if trace.threads[thread as usize] > STEPS_MAX {
                    return None;
                }
                let touched = touched(&code, &state, thread)?;
                let mut next = state.clone();
                machine.step(&mut next, thread, way);
                machine.settle(next, &mut settled);
                for next in settled.drain(..) {
                    let mut longer = trace.clone();
                    longer.add(thread, &touched);
                    if seen.insert(longer.clone()) {
                        left.push((next, longer));
                    }
                }
            }
        }
        maximal += u64::from(!moves);
    }
    Some(maximal)
}

/// A trace, or the beginning of one: equal for interleavings that do not differ.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Trace {
    /// How many steps each thread has done.
    threads: Vec<usize>,
    /// For each object, who touched it in which order. Those who only looked one after the other
    /// are ordered by thread.
    objects: Vec<Vec<Touch>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Touch {
    looks: bool,
    thread: u32,
}

impl Trace {
    fn add(&mut self, thread: u32, touched: &[(u32, bool)]) {
        self.threads[thread as usize] += 1;
        for &(object, looks) in touched {
            let touches = &mut self.objects[object as usize];
            let mut at = touches.len();
            while looks && at > 0 && touches[at - 1].looks && touches[at - 1].thread > thread {
                at -= 1;
            }
            touches.insert(at, Touch { looks, thread });
        }
    }
}

/// The locks and variables that the next step of a thread touches, and whether it only looks.
fn touched(code: &Code, state: &State, thread: u32) -> Option<Vec<(u32, bool)>> {
    let it = &state.threads[thread as usize];
    if it.pc == UNWINDING {
        return match it.frames.last() {
            Some(Frame::With(lock)) => Some(vec![(*lock, false)]),
            _ => None,
        };
    }
    let reads = |expressions: &[&Expression]| -> Vec<(u32, bool)> {
        let vars = expressions.iter().flat_map(|expression| expression.vars());
        vars.map(|var| (var, true)).collect()
    };
    let mut touched = match &code.ops[it.pc as usize] {
        Op::Nop => Vec::new(),
        Op::Lock { lock, .. } | Op::Unlock(lock) | Op::Leave(lock) => vec![(*lock, false)],
        Op::IsLocked(lock, _) => vec![(*lock, true)],
        Op::Assign(assignments) => {
            let mut touched = Vec::new();
            for (place, value) in assignments {
                touched.extend(reads(&[value]));
                if let Place::Var(var) = place {
                    touched.push((var.0, false));
                }
            }
            touched
        }
        Op::Branch { condition, .. } | Op::Assert(condition) | Op::Await(condition) => {
            reads(&[condition])
        }
        _ => return None,
    };
    // Who writes does more than look.
    touched.sort_unstable();
    touched.dedup_by_key(|(object, _)| *object);
    Some(touched)
}
