//! What each step does: the meaning of the language, written from its description.
//!
//! Knows when a thread can move, in which ways, and what comes of it. Does not know in which order
//! states are visited, nor what makes a state a finding; only misuse, which is a matter of a single
//! step, is noted here.
//!
//! A statement that may have to stand in a queue *arrives* and *goes on*, see
//! [`gordian::scenario`]; [`Thread::arrived`](crate::state::Thread) tells which is next.

mod channel;
mod condvar;
mod local;
mod lock;
mod notify;
mod rwlock;
mod semaphore;

pub(crate) use lock::owner;
pub(crate) use rwlock::{keeps_out, parts};

use std::collections::BTreeSet;

use gordian::report;
use gordian::scenario::ast::{LocalIndex, ObjectKind, Place};

use crate::Failure;
use crate::code::{Code, Op};
use crate::expression::Expression;
use crate::state::{Frame, Life, Object, OnceState, State, TicketState, UNWINDING};

/// A thread goes to its end, giving back what `with` took.
pub(crate) struct Panic;

/// One way in which a step can go: for most steps there is only one, [`Way::ONLY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way(u32);

impl Way {
    const ONLY: Way = Way(0);
    /// `notify_one` without a waiter; the `default` of a `select`.
    const NONE: Way = Way(u32::MAX);
    /// A `select` waits for partners.
    const OFFER: Way = Way(u32::MAX - 1);
}

/// Does steps, and notes what is wrong with them.
pub(crate) struct Machine<'a> {
    pub(crate) code: &'a Code,
    /// Errors that a step has.
    pub(crate) codes: BTreeSet<report::Code>,
    /// What is suspicious about a step, but no error.
    pub(crate) hazards: BTreeSet<report::Code>,
    pub(crate) failure: Option<Failure>,
    /// Most instructions between two steps.
    pub(crate) moves_max: u32,
}

impl<'a> Machine<'a> {
    pub(crate) fn new(code: &'a Code, moves_max: u32) -> Machine<'a> {
        Machine {
            code,
            codes: BTreeSet::new(),
            hazards: BTreeSet::new(),
            failure: None,
            moves_max,
        }
    }
}

impl Machine<'_> {
    /// In which ways this thread can do its next step; none when it is blocked or not alive.
    pub(crate) fn ways(&self, state: &State, thread: u32, ways: &mut Vec<Way>) {
        let it = &state.threads[thread as usize];
        if it.life != Life::Running {
            return;
        }
        if it.pc == UNWINDING {
            ways.push(Way::ONLY);
            return;
        }
        match &self.code.ops[it.pc as usize] {
            Op::NotifyOne(condvar) => self.ways_of_notify(state, *condvar, ways),
            Op::Select(select) => self.ways_of_select(state, thread, select, ways),
            op if self.is_enabled(state, thread, op) => ways.push(Way::ONLY),
            _ => {}
        }
    }

    fn is_enabled(&self, state: &State, thread: u32, op: &Op) -> bool {
        let it = &state.threads[thread as usize];
        match op {
            Op::Lock { lock, attempt, .. } => self.may_lock(state, thread, *lock, *attempt),
            Op::Rw {
                lock, want, tries, ..
            } => *tries || self.may_take(state, thread, *lock, *want),
            Op::Wait {
                condvar,
                lock,
                timed,
                ..
            } => !it.arrived || self.may_wake(state, thread, *condvar, *lock, *timed),
            Op::Acquire {
                semaphore,
                permits,
                tries,
                ..
            } => *tries || self.may_acquire(state, thread, *semaphore, *permits),
            Op::AwaitTicket(ticket, _) => {
                state.tickets[self.own(thread, *ticket)] != TicketState::Queued
            }
            Op::WaitGroup(group) => {
                matches!(state.objects[*group as usize], Object::Group { count: 0 })
            }
            Op::Barrier(_) => !it.arrived || it.served,
            Op::OnceBegin { once, .. } => !matches!(
                state.objects[*once as usize],
                Object::Once {
                    state: OnceState::Running(_)
                }
            ),
            Op::WaitNotify(notify) => !it.arrived || self.is_notified(state, thread, *notify),
            Op::Park => it.token,
            Op::Join(other) => state.threads[*other as usize].life == Life::Ended,
            Op::Await(condition) => self.value(state, thread, condition) != Some(0),
            Op::BlockForever => false,
            _ => true,
        }
    }

    /// Does the thread's next step, which can go this way. Other instructions are left to
    /// [`Machine::settle`].
    pub(crate) fn step(&mut self, state: &mut State, thread: u32, way: Way) {
        let it = &mut state.threads[thread as usize];
        if it.pc == UNWINDING {
            let frame = it.frames.pop();
            it.unsettled = true;
            self.give_back(state, thread, frame);
            return;
        }
        let code = self.code;
        let op = &code.ops[it.pc as usize];
        let done = self
            .step_of_lock(state, thread, op)
            .or_else(|| self.step_of_wait(state, thread, op, way))
            .or_else(|| self.step_of_thread(state, thread, op))
            .unwrap_or_else(|| self.step_of_var(state, thread, op));
        if done.is_err() {
            self.panic(state, thread);
        }
    }

    /// Locks, rwlocks and semaphores.
    fn step_of_lock(
        &mut self,
        state: &mut State,
        thread: u32,
        op: &Op,
    ) -> Option<Result<(), Panic>> {
        match *op {
            Op::Lock { lock, ok, .. } => self.lock(state, thread, lock, ok),
            Op::Unlock(lock) => {
                self.unlock(state, thread, lock);
                advance(state, thread);
            }
            Op::IsLocked(lock, result) => self.is_locked(state, thread, lock, result),
            Op::Leave(lock) => {
                self.unlock(state, thread, lock);
                state.threads[thread as usize].frames.pop();
                advance(state, thread);
            }
            Op::Rw {
                lock,
                want,
                tries: true,
                ok,
            } => self.try_take(state, thread, lock, want, ok),
            Op::Rw { lock, want, .. } => return Some(self.take(state, thread, lock, want)),
            Op::Downgrade(lock) => return Some(self.downgrade(state, thread, lock)),
            Op::UnlockRw(lock) => return Some(self.unlock_rw(state, thread, lock)),
            Op::Acquire {
                semaphore,
                permits,
                tries: true,
                ok,
            } => self.try_acquire(state, thread, semaphore, permits, ok),
            Op::Acquire {
                semaphore, permits, ..
            } => self.acquire(state, thread, semaphore, permits),
            Op::Release(semaphore, permits) => {
                return Some(self.release(state, thread, semaphore, permits));
            }
            Op::Ticket(ticket, permits) => {
                return Some(self.ticket(state, thread, ticket, permits));
            }
            Op::AwaitTicket(ticket, _) => return Some(self.await_ticket(state, thread, ticket)),
            Op::DropTicket(ticket) => self.drop_ticket(state, thread, ticket),
            _ => return None,
        }
        Some(Ok(()))
    }

    /// What one waits for that is not a lock.
    fn step_of_wait(
        &mut self,
        state: &mut State,
        thread: u32,
        op: &Op,
        way: Way,
    ) -> Option<Result<(), Panic>> {
        match op {
            Op::Wait {
                condvar,
                lock,
                timed_out,
                ..
            } => return Some(self.wait(state, thread, *condvar, *lock, *timed_out)),
            Op::NotifyOne(condvar) => self.notify_one(state, thread, *condvar, way),
            Op::NotifyAll(condvar) => self.notify_all(state, thread, *condvar),
            Op::Select(select) => return Some(self.select(state, thread, select, way)),
            Op::Close(channel) => return Some(self.close(state, thread, *channel)),
            Op::DropReceiver(channel) => self.drop_receiver(state, thread, *channel),
            Op::Add(group, count) => return Some(add(state, thread, *group, *count)),
            Op::WaitGroup(_) | Op::Nop => advance(state, thread),
            Op::Barrier(barrier) => self.barrier(state, thread, *barrier),
            Op::OnceBegin { once, after } => begin_once(state, thread, *once, *after),
            Op::OnceEnd(once) => {
                end_once(state, *once);
                state.threads[thread as usize].frames.pop();
                advance(state, thread);
            }
            Op::Notify(notify) => {
                self.notify(state, *notify);
                advance(state, thread);
            }
            Op::NotifyWaiters(notify) => self.notify_waiters(state, thread, *notify),
            Op::WaitNotify(notify) => self.wait_notify(state, thread, *notify),
            Op::EnableNotify(notify) => self.enable_notify(state, thread, *notify),
            Op::DropNotify(notify) => self.drop_notify(state, thread, *notify),
            _ => return None,
        }
        Some(Ok(()))
    }

    /// Threads.
    fn step_of_thread(
        &mut self,
        state: &mut State,
        thread: u32,
        op: &Op,
    ) -> Option<Result<(), Panic>> {
        match op {
            Op::Park => state.threads[thread as usize].token = false,
            Op::Unpark(other) => {
                let other = &mut state.threads[*other as usize];
                other.token = other.life != Life::Ended;
            }
            Op::Spawn(threads) => {
                let fresh = |other: &u32| state.threads[*other as usize].life == Life::NotStarted;
                if !threads.iter().all(fresh) {
                    return Some(Err(Panic));
                }
                for other in threads {
                    let started = &mut state.threads[*other as usize];
                    started.life = Life::Running;
                    started.pc = self.code.threads[*other as usize].entry;
                    started.unsettled = true;
                }
            }
            Op::Join(_) => {}
            _ => return None,
        }
        advance(state, thread);
        Some(Ok(()))
    }

    /// Variables.
    fn step_of_var(&mut self, state: &mut State, thread: u32, op: &Op) -> Result<(), Panic> {
        let value = |state: &State, it: &Expression| self.value(state, thread, it).ok_or(Panic);
        match op {
            Op::Assign(assignments) => {
                for (place, expression) in assignments {
                    let value = value(state, expression)?;
                    match place {
                        Place::Local(local) => set(state, thread, Some(*local), value),
                        Place::Var(var) => {
                            state.objects[var.0 as usize] = Object::Var { value };
                        }
                    }
                }
            }
            Op::FetchAdd { var, amount, old } => {
                let amount = value(state, amount)?;
                let before = state.var(*var);
                let after = before.checked_add(amount).ok_or(Panic)?;
                state.objects[*var as usize] = Object::Var { value: after };
                set(state, thread, Some(*old), before);
            }
            Op::CompareAndSwap { var, old, new, ok } => {
                let (old, new) = (value(state, old)?, value(state, new)?);
                let equal = state.var(*var) == old;
                if equal {
                    state.objects[*var as usize] = Object::Var { value: new };
                }
                set(state, thread, Some(*ok), i64::from(equal));
            }
            Op::Branch {
                condition,
                otherwise,
            } => {
                if value(state, condition)? == 0 {
                    jump(state, thread, *otherwise);
                    return Ok(());
                }
            }
            Op::Assert(condition) | Op::Await(condition) => {
                if value(state, condition)? == 0 {
                    return Err(Panic);
                }
            }
            _ => unreachable!("not a step that is ever enabled: {op:?}"),
        }
        advance(state, thread);
        Ok(())
    }

    /// The value of an expression for a thread; none when the arithmetic is at its end.
    fn value(&self, state: &State, thread: u32, expression: &Expression) -> Option<i64> {
        let locals = &state.threads[thread as usize].locals;
        expression.value(locals, |var| state.var(var))
    }

    fn barrier(&self, state: &mut State, thread: u32, barrier: u32) {
        let ObjectKind::Barrier { parties } = self.code.objects[barrier as usize] else {
            return;
        };
        let Object::Barrier { waiting } = &mut state.objects[barrier as usize] else {
            return;
        };
        if state.threads[thread as usize].arrived {
            advance(state, thread);
        } else if waiting.len() + 1 >= parties as usize {
            for other in std::mem::take(waiting) {
                state.threads[other as usize].served = true;
            }
            advance(state, thread);
        } else {
            insert(waiting, thread);
            state.threads[thread as usize].arrived = true;
        }
    }

    /// The thread panics.
    fn panic(&mut self, state: &mut State, thread: u32) {
        self.codes.insert(report::Code::Panic);
        jump(state, thread, UNWINDING);
    }

    /// One step of unwinding.
    fn give_back(&mut self, state: &mut State, thread: u32, frame: Option<Frame>) {
        match frame {
            Some(Frame::With(lock)) => self.unlock(state, thread, lock),
            Some(Frame::Once(once)) => end_once(state, once),
            _ => {}
        }
    }
}

fn add(state: &mut State, thread: u32, group: u32, more: i64) -> Result<(), Panic> {
    if let Object::Group { count } = &mut state.objects[group as usize] {
        let sum = count.checked_add(more).ok_or(Panic)?;
        if sum < 0 {
            return Err(Panic);
        }
        *count = sum;
    }
    advance(state, thread);
    Ok(())
}

fn begin_once(state: &mut State, thread: u32, once: u32, after: u32) {
    if let Object::Once { state: once_state } = &mut state.objects[once as usize] {
        if *once_state == OnceState::Done {
            jump(state, thread, after);
            return;
        }
        *once_state = OnceState::Running(thread);
    }
    state.threads[thread as usize]
        .frames
        .push(Frame::Once(once));
    advance(state, thread);
}

fn end_once(state: &mut State, once: u32) {
    state.objects[once as usize] = Object::Once {
        state: OnceState::Done,
    };
}

/// The thread goes on with the next instruction.
fn advance(state: &mut State, thread: u32) {
    let next = state.threads[thread as usize].pc + 1;
    jump(state, thread, next);
}

/// The thread goes on with this instruction.
fn jump(state: &mut State, thread: u32, pc: u32) {
    let it = &mut state.threads[thread as usize];
    it.pc = pc;
    it.arrived = false;
    it.served = false;
    it.note = 0;
    it.received = 0;
    it.unsettled = true;
}

/// Sets a local, when there is one to be set.
fn set(state: &mut State, thread: u32, local: Option<LocalIndex>, value: i64) {
    if let Some(local) = local {
        state.threads[thread as usize].locals[local.0 as usize] = value;
    }
}

/// Adds a thread to a set of threads in their order.
fn insert(threads: &mut Vec<u32>, thread: u32) {
    let at = threads.partition_point(|other| *other < thread);
    threads.insert(at, thread);
}
