//! What is no step: local arithmetic, jumps, choices of the environment, and the end of a thread.

use std::collections::HashMap;

use gordian::report;
use gordian::scenario::ast::Place;

use super::{Machine, Panic, advance, jump, set};
use crate::Failure;
use crate::code::{Code, Op, Pc};
use crate::state::{Frame, Life, Object, State, UNWINDING};

/// What became of one instruction.
enum Done {
    GoesOn,
    /// It is a step, or the thread has ended.
    Settled,
    /// The environment has a choice.
    Chooses,
}

/// The choices that were met between two steps: a loop around one is met again, and need not be run
/// for ever, as long as it has a way out.
#[derive(Default)]
struct Choices {
    numbers: HashMap<Vec<u8>, usize>,
    /// For each choice, who makes it where.
    places: Vec<(u32, Pc)>,
    /// A choice that leads to another.
    leads: Vec<(usize, usize)>,
    /// A choice that leads to a step.
    out: Vec<bool>,
}

impl Choices {
    /// The number of a choice that another one has led to, and whether it is new.
    fn meet(
        &mut self,
        code: &Code,
        state: &State,
        thread: u32,
        from: Option<usize>,
    ) -> (usize, bool) {
        // Who is settled already follows from whose choice it is.
        let mut bytes = thread.to_le_bytes().to_vec();
        state.encode(code, &mut bytes);
        let next = self.places.len();
        let number = *self.numbers.entry(bytes).or_insert(next);
        if number == next {
            let pc = state.threads[thread as usize].pc;
            self.places.push((thread, pc));
            self.out.push(false);
        }
        self.leads.extend(from.map(|from| (from, number)));
        (number, number == next)
    }

    fn leave(&mut self, from: Option<usize>) {
        if let Some(from) = from {
            self.out[from] = true;
        }
    }

    fn without_a_way_out(&mut self) -> Option<(u32, Pc)> {
        loop {
            let mut changed = false;
            for &(from, to) in self.leads.iter().rev() {
                if self.out[to] && !self.out[from] {
                    self.out[from] = true;
                    changed = true;
                }
            }
            if !changed {
                let closed = self.out.iter().position(|out| !out)?;
                return Some(self.places[closed]);
            }
        }
    }
}

impl Machine<'_> {
    /// Does all that is no step, for every choice of the environment, and hands out the states that
    /// this leads to.
    pub(crate) fn settle(&mut self, state: State, settled: &mut Vec<State>) {
        let mut choices = Choices::default();
        let mut left = vec![(None, state)];
        let mut moves = 0;
        'state: while let Some((from, mut state)) = left.pop() {
            while let Some(thread) = state.threads.iter().position(|thread| thread.unsettled) {
                let thread = thread as u32;
                moves += 1;
                if moves > self.moves_max {
                    self.fail(thread, state.threads[thread as usize].pc);
                    return;
                }
                match self.instruction(&mut state, thread) {
                    Done::GoesOn => {}
                    Done::Settled => state.threads[thread as usize].unsettled = false,
                    Done::Chooses => {
                        let (choice, new) = choices.meet(self.code, &state, thread, from);
                        if new {
                            self.choose(&state, thread, choice, &mut left);
                        }
                        continue 'state;
                    }
                }
            }
            choices.leave(from);
            settled.push(state);
        }
        if let Some((thread, pc)) = choices.without_a_way_out() {
            self.fail(thread, pc);
        }
    }

    fn choose(
        &self,
        state: &State,
        thread: u32,
        choice: usize,
        left: &mut Vec<(Option<usize>, State)>,
    ) {
        let pc = state.threads[thread as usize].pc;
        if let Op::Choose(cases) = &self.code.ops[pc as usize] {
            for case in cases {
                let mut chosen = state.clone();
                jump(&mut chosen, thread, *case);
                left.push((Some(choice), chosen));
            }
        }
    }

    fn fail(&mut self, thread: u32, pc: Pc) {
        self.failure.get_or_insert(Failure {
            thread: self.code.threads[thread as usize].name.clone(),
            statement: self.code.starts.get(pc as usize).copied().unwrap_or(0),
            moves: self.moves_max,
        });
    }

    /// One instruction of a running thread.
    fn instruction(&mut self, state: &mut State, thread: u32) -> Done {
        let it = &mut state.threads[thread as usize];
        if it.pc == UNWINDING {
            return self.unwind(state, thread);
        }
        let code = self.code;
        let op = &code.ops[it.pc as usize];
        if op.is_step() {
            return Done::Settled;
        }
        match op {
            Op::Choose(_) => return Done::Chooses,
            Op::Jump(to) => jump(state, thread, *to),
            Op::Repeat { times: 0, after } => jump(state, thread, *after),
            Op::Repeat { times, .. } => {
                it.frames.push(Frame::Repeat(*times));
                advance(state, thread);
            }
            Op::Again(after) => match it.frames.last_mut() {
                Some(Frame::Repeat(rounds)) if *rounds > 1 => {
                    *rounds -= 1;
                    advance(state, thread);
                }
                _ => {
                    it.frames.pop();
                    jump(state, thread, *after);
                }
            },
            Op::Pop => {
                it.frames.pop();
                advance(state, thread);
            }
            Op::Enter(lock) => {
                it.frames.push(Frame::With(*lock));
                advance(state, thread);
            }
            Op::Call(to) => {
                it.frames.push(Frame::Call(it.pc + 1));
                jump(state, thread, *to);
            }
            Op::Return => match it.frames.pop() {
                Some(Frame::Call(back)) => jump(state, thread, back),
                _ => return self.end(state, thread),
            },
            Op::Slow => {
                if is_holding(state, thread) {
                    self.codes.insert(report::Code::SlowUnderLock);
                }
                advance(state, thread);
            }
            _ => {
                if self.arithmetic(state, thread, op).is_err() {
                    self.panic(state, thread);
                }
            }
        }
        Done::GoesOn
    }

    /// What a thread does with its locals.
    fn arithmetic(&self, state: &mut State, thread: u32, op: &Op) -> Result<(), Panic> {
        match op {
            Op::Branch {
                condition,
                otherwise,
            } => {
                if self.value(state, thread, condition).ok_or(Panic)? == 0 {
                    jump(state, thread, *otherwise);
                    return Ok(());
                }
            }
            Op::Assert(condition) => {
                if self.value(state, thread, condition).ok_or(Panic)? == 0 {
                    return Err(Panic);
                }
            }
            Op::Assign(assignments) => {
                for (place, value) in assignments {
                    let value = self.value(state, thread, value).ok_or(Panic)?;
                    if let Place::Local(local) = place {
                        set(state, thread, Some(*local), value);
                    }
                }
            }
            // `panic`.
            _ => return Err(Panic),
        }
        advance(state, thread);
        Ok(())
    }

    /// On the way out, only what gives something back is a step.
    fn unwind(&mut self, state: &mut State, thread: u32) -> Done {
        let frames = &mut state.threads[thread as usize].frames;
        match frames.last() {
            Some(Frame::With(_) | Frame::Once(_)) => Done::Settled,
            Some(Frame::Call(_) | Frame::Repeat(_)) => {
                frames.pop();
                Done::GoesOn
            }
            None => self.end(state, thread),
        }
    }

    fn end(&mut self, state: &mut State, thread: u32) -> Done {
        if is_holding(state, thread) {
            self.hazards.insert(report::Code::LeakedGuard);
        }
        let it = &mut state.threads[thread as usize];
        it.life = Life::Ended;
        it.pc = 0;
        it.token = false;
        it.frames.clear();
        Done::Settled
    }
}

/// Whether the thread holds any lock. A permit of a semaphore is none.
fn is_holding(state: &State, thread: u32) -> bool {
    state.objects.iter().any(|object| match object {
        Object::Lock { owner, .. } => *owner == Some(thread),
        Object::Rw { holds, .. } => holds.iter().any(|(holder, _)| *holder == thread),
        _ => false,
    })
}
