//! What a thread of a scenario does, statement by statement, on the engine's operations.
//!
//! Knows which operations each statement is. Does not know when an operation is possible or what
//! it does to an object (`object/`), nor who runs next.

use std::rc::Rc;
use std::sync::Arc;

use super::ast::{Attempt, LocalIndex, ObjectIndex, ObjectKind, Place, TicketIndex};
use super::code::{Case, Hold, Instruction, Pc, Select};
use super::formula::{Formula, Undefined};
use super::machine::{Life, Machine, Thread};
use crate::engine::{self, Identity};
use crate::object::Condition;
use crate::op::{Action, Effect, How, Kind, Site, ThreadId};

/// Local moves that a thread may do in a row. A loop that does more of them is taken to be endless.
const MOVES_MAX: u32 = 100_000;

/// Most threads of a scenario; the root is one more.
const THREADS_MAX: usize = ThreadId::COUNT_MAX - 1;

/// Runs the scenario once: starts all threads, in the order of their declaration.
pub(super) fn run(machine: &Arc<Machine>) {
    let count = machine.scenario.threads.len();
    if count > THREADS_MAX {
        engine::fail(format!(
            "a scenario may have at most {THREADS_MAX} threads, and this one has {count}"
        ));
    }
    machine.restart();
    // So that everything has the same number in every execution, whatever is used first.
    engine::expect_threads(count);
    for object in machine.objects.iter().chain(&machine.gates) {
        engine::meet(&object.identity, object.kind);
    }
    for (number, thread) in machine.scenario.threads.iter().enumerate() {
        let runner = Runner {
            machine: Arc::clone(machine),
            me: number,
            moves: 0,
        };
        let site = machine.sites[machine.code.entries[number] as usize];
        let daemon = thread.daemon;
        let body = Box::new(move || {
            // Before it announces anything: what it waits for is judged then.
            if daemon {
                engine::set_daemon(id_of(number));
            }
            runner.run();
        });
        let id = engine::spawn(Some(thread.name.clone()), engine::Body::new(body), site);
        debug_assert_eq!(
            id,
            id_of(number),
            "threads are numbered as they are declared"
        );
    }
}

/// The engine's number of a thread; the root is the first.
fn id_of(thread: usize) -> ThreadId {
    ThreadId(thread as u8 + 1)
}

/// One thread while it runs.
struct Runner {
    machine: Arc<Machine>,
    me: usize,
    /// Local moves since its last operation.
    moves: u32,
}

/// Where a thread goes on.
enum Next {
    /// Behind the instruction.
    On,
    At(Pc),
    /// It panics, with these words.
    Panic(String),
    /// It is over.
    End,
}

impl Runner {
    /// The thread's whole life.
    fn run(mut self) {
        if let Some(gate) = self.machine.gate_of[self.me] {
            let site = self.site();
            let machine = Arc::clone(&self.machine);
            let gate = &machine.gates[gate];
            engine::operate_at(
                &gate.identity,
                gate.kind,
                Action::Pass,
                How::Insist,
                0,
                site,
            );
        }
        self.thread(|it| it.life = Life::Running);
        let machine = Arc::clone(&self.machine);
        loop {
            self.count_move();
            let pc = self.thread(|it| it.pc);
            let next = match self.step(&machine, &machine.code.instructions[pc as usize]) {
                Next::On => pc + 1,
                Next::At(pc) => pc,
                Next::Panic(why) => {
                    engine::report_panic(&why, self.site());
                    machine.code.pads[pc as usize]
                }
                Next::End => break,
            };
            self.thread(|it| it.pc = next);
        }
        self.thread(|it| it.life = Life::Ended);
    }

    /// Ends the check when the thread does nothing that others see, for too long.
    fn count_move(&mut self) {
        self.moves += 1;
        if self.moves > MOVES_MAX {
            self.fail(&format!("has done {MOVES_MAX} local moves in a row"));
        }
    }

    /// Ends the check: the thread loops and comes to nothing that others see.
    fn fail(&self, what: &str) -> ! {
        let name = &self.machine.scenario.threads[self.me].name;
        let site = self.site();
        engine::fail(format!(
            "`{name}` {what} without any operation, at {site}: a loop that does not end"
        ))
    }

    fn thread<R>(&self, f: impl FnOnce(&mut Thread) -> R) -> R {
        self.machine.thread(self.me, f)
    }

    fn set_local(&self, index: Option<LocalIndex>, value: bool) {
        self.thread(|it| it.set_local(index, i64::from(value)));
    }

    /// Where the thread is in the source.
    fn site(&self) -> Site {
        self.machine.sites[self.thread(|it| it.pc) as usize]
    }

    /// One operation on an object.
    fn operate(&mut self, object: ObjectIndex, action: Action, how: How, arg: u32) -> Effect {
        self.moves = 0;
        let (identity, kind) = self.machine.object(object);
        engine::operate_at(identity, kind, action, how, arg, self.site())
    }

    /// One insisting operation on an object.
    fn touch(&mut self, object: ObjectIndex, action: Action) -> Effect {
        self.operate(object, action, How::Insist, 0)
    }

    /// An operation on an object, and the wait in its queue.
    fn acquire(&mut self, object: ObjectIndex, action: Action, how: How, arg: u32) -> Effect {
        self.moves = 0;
        let (identity, kind) = self.machine.object(object);
        engine::acquire_at(identity, kind, action, how, arg, self.site())
    }

    /// Does one instruction. The machine is that of the thread, and the instruction its next one.
    fn step(&mut self, machine: &Machine, instruction: &Instruction) -> Next {
        self.jump(machine, instruction)
            .or_else(|| self.variable(machine, instruction))
            .or_else(|| self.lock(instruction))
            .or_else(|| self.rwlock(instruction))
            .or_else(|| self.queue(instruction))
            .or_else(|| self.message(machine, instruction))
            .or_else(|| self.other(machine, instruction))
            .expect("every instruction is of one of these groups")
    }

    fn jump(&mut self, machine: &Machine, instruction: &Instruction) -> Option<Next> {
        Some(match instruction {
            Instruction::Jump(to) => Next::At(*to),
            Instruction::Count { slot, times } => {
                self.thread(|it| *it.counter(*slot) = i64::from(*times));
                Next::On
            }
            Instruction::Again { slot, first } => self.thread(|it| {
                let counter = it.counter(*slot);
                *counter -= 1;
                match *counter {
                    0 => Next::On,
                    _ => Next::At(*first),
                }
            }),
            Instruction::Call(to) => self.thread(|it| {
                it.calls.push(it.pc);
                Next::At(*to)
            }),
            Instruction::Return => match self.thread(|it| it.calls.pop()) {
                Some(call) => Next::At(call + 1),
                None => Next::End,
            },
            Instruction::Unwind => match self.thread(|it| it.calls.pop()) {
                Some(call) => Next::At(machine.code.pads[call as usize]),
                None => Next::End,
            },
            Instruction::Choose(_) if machine.code.lost.contains(&self.thread(|it| it.pc)) => {
                self.fail("goes round a choice")
            }
            Instruction::Choose(cases) => {
                self.moves = 0;
                let case = match cases.len() {
                    1 => 0,
                    count => engine::choose_at(count, self.site()),
                };
                Next::At(cases[case])
            }
            _ => return None,
        })
    }

    /// Expressions, and what is done with their values.
    fn variable(&mut self, machine: &Machine, instruction: &Instruction) -> Option<Next> {
        let computes = matches!(
            instruction,
            Instruction::Branch { .. }
                | Instruction::Assign(_)
                | Instruction::FetchAdd { .. }
                | Instruction::CompareAndSwap { .. }
                | Instruction::Await(_)
                | Instruction::Assert(_)
        );
        if !computes {
            return None;
        }
        let condition = match instruction {
            Instruction::Await(formula) => Some(formula),
            _ => None,
        };
        self.evaluate(machine, instruction, condition);
        let done = self.compute(machine, instruction);
        Some(done.unwrap_or_else(|undefined| Next::Panic(undefined.as_str().to_owned())))
    }

    /// The one step in which the instruction reads and writes shared variables; none if it touches
    /// none and waits for nothing.
    fn evaluate(
        &mut self,
        machine: &Machine,
        instruction: &Instruction,
        awaited: Option<&Formula>,
    ) {
        let (reads, writes) = instruction.variables();
        if reads.is_empty() && writes.is_empty() && awaited.is_none() {
            return;
        }
        self.moves = 0;
        let condition = awaited.map(|formula| self.condition(formula, &reads));
        let objects = |list: &[ObjectIndex]| -> Vec<(&Identity, Kind)> {
            list.iter().map(|index| machine.object(*index)).collect()
        };
        engine::evaluate_at(&objects(&reads), &objects(&writes), condition, self.site());
    }

    /// The condition, for the engine to ask whenever it wants to. Where it has no value the thread
    /// goes on, to panic.
    fn condition(&self, formula: &Formula, reads: &[ObjectIndex]) -> Condition {
        let formula = formula.clone();
        let reads = reads.to_vec();
        let locals = self.thread(|it| it.slots.clone());
        Rc::new(move |value| {
            let var = |index: ObjectIndex| {
                let at = reads.binary_search(&index);
                value(at.expect("it is among those that are read"))
            };
            formula.value(|index| locals[index.0 as usize], var) != Ok(0)
        })
    }

    /// What the instruction does to variables, in one go.
    fn compute(&self, machine: &Machine, instruction: &Instruction) -> Result<Next, Undefined> {
        let value = |formula: &Formula| {
            machine.with(|state| {
                let thread = &state.threads[self.me];
                formula.value(
                    |index| thread.local(index),
                    |var| state.vars[var.0 as usize],
                )
            })
        };
        match instruction {
            Instruction::Branch {
                condition,
                otherwise,
            } => {
                return Ok(match value(condition)? {
                    0 => Next::At(*otherwise),
                    _ => Next::On,
                });
            }
            Instruction::Assign(assignments) => {
                for (place, formula) in assignments {
                    let value = value(formula)?;
                    match place {
                        Place::Local(local) => {
                            self.thread(|it| it.set_local(Some(*local), value));
                        }
                        Place::Var(var) => set_var(machine, *var, value),
                    }
                }
            }
            Instruction::FetchAdd { var, amount, old } => {
                let before = machine.with(|state| state.vars[var.0 as usize]);
                let sum = before.checked_add(value(amount)?);
                set_var(machine, *var, sum.ok_or(Undefined::Overflow)?);
                self.thread(|it| it.set_local(Some(*old), before));
            }
            Instruction::CompareAndSwap { var, old, new, ok } => {
                let (old, new) = (value(old)?, value(new)?);
                let equal = machine.with(|state| state.vars[var.0 as usize]) == old;
                if equal {
                    set_var(machine, *var, new);
                }
                self.set_local(Some(*ok), equal);
            }
            // It has a value, and it is not 0: that is what was waited for.
            Instruction::Await(condition) => {
                value(condition)?;
            }
            Instruction::Assert(condition) if value(condition)? == 0 => {
                let text = machine.text(self.thread(|it| it.pc));
                return Ok(Next::Panic(format!(
                    "assertion failed: {}",
                    assertion(text)
                )));
            }
            _ => {}
        }
        Ok(Next::On)
    }

    /// Mutexes, locks and re-entrant mutexes, and condvars.
    fn lock(&mut self, instruction: &Instruction) -> Option<Next> {
        match instruction {
            Instruction::Lock { lock, attempt, ok } => {
                let taken = self.take_lock(*lock, how(*attempt));
                self.set_local(*ok, taken);
            }
            Instruction::Unlock(lock) => self.unlock(*lock),
            Instruction::IsLocked { lock, result } => {
                let held = self.touch(*lock, Action::IsLocked).succeeded();
                self.set_local(Some(*result), held);
            }
            Instruction::Wait {
                condvar,
                lock,
                attempt,
                timed_out,
            } => return Some(self.wait(*condvar, *lock, how(*attempt), *timed_out)),
            Instruction::NotifyOne(condvar) => {
                self.touch(*condvar, Action::NotifyOne);
            }
            Instruction::NotifyAll(condvar) => {
                self.touch(*condvar, Action::NotifyAll);
            }
            _ => return None,
        }
        Some(Next::On)
    }

    fn is_reentrant(&self, lock: ObjectIndex) -> bool {
        self.machine.kind(lock) == ObjectKind::ReentrantMutex
    }

    /// Takes a lock; whether it did. Of a re-entrant mutex only the first time is an operation.
    fn take_lock(&mut self, lock: ObjectIndex, how: How) -> bool {
        let depth = self.thread(|it| it.depth(lock));
        let taken = depth > 0 || self.operate(lock, Action::Lock, how, 0).succeeded();
        if taken && self.is_reentrant(lock) {
            self.thread(|it| it.set_depth(lock, depth.saturating_add(1)));
        }
        taken
    }

    /// Gives a lock back, or reports that it cannot.
    fn unlock(&mut self, lock: ObjectIndex) {
        let depth = self.thread(|it| it.depth(lock));
        if depth > 1 {
            self.thread(|it| it.set_depth(lock, depth - 1));
            return;
        }
        // Only a lock without an owner is freed by whoever comes.
        let own = u32::from(self.machine.kind(lock) != ObjectKind::Lock);
        self.operate(lock, Action::Unlock, How::Insist, own);
        self.thread(|it| it.set_depth(lock, 0));
    }

    fn wait(
        &mut self,
        condvar: ObjectIndex,
        lock: ObjectIndex,
        how: How,
        timed_out: Option<LocalIndex>,
    ) -> Next {
        self.moves = 0;
        let machine = &self.machine;
        let site = self.site();
        // Whatever its depth, the mutex is given up wholly, and is as deep as before afterwards.
        match engine::wait_at(machine.object(condvar), machine.object(lock), how, site) {
            Some(notified) => {
                self.set_local(timed_out, !notified);
                Next::On
            }
            None => Next::Panic(format!("waits without holding `{}`", machine.name(lock))),
        }
    }

    fn rwlock(&mut self, instruction: &Instruction) -> Option<Next> {
        let (lock, done) = match instruction {
            Instruction::Take {
                lock,
                hold,
                attempt,
                ok,
            } => {
                let action = match hold {
                    Hold::Read => Action::Read,
                    Hold::Write => Action::Write,
                    Hold::Upgradable => Action::Upgradable,
                };
                let taken = self.acquire(*lock, action, how(*attempt), 0).succeeded();
                if taken {
                    self.thread(|it| it.add_hold(*lock, *hold));
                }
                self.set_local(*ok, taken);
                return Some(Next::On);
            }
            Instruction::Upgrade(lock) => (*lock, self.upgrade(*lock)),
            Instruction::Downgrade(lock) => (*lock, self.downgrade(*lock)),
            Instruction::GiveBack(lock) => (*lock, self.give_back(*lock)),
            _ => return None,
        };
        let name = self.machine.name(lock);
        Some(match done {
            Ok(()) => Next::On,
            Err(what) => Next::Panic(format!("{what} `{name}`, which it does not hold so")),
        })
    }

    fn upgrade(&mut self, lock: ObjectIndex) -> Result<(), &'static str> {
        if self.thread(|it| it.hold(lock, Hold::Upgradable).is_none()) {
            return Err("upgrades");
        }
        self.acquire(lock, Action::Upgrade, How::Insist, 0);
        self.change_hold(lock, Hold::Upgradable, Hold::Write);
        Ok(())
    }

    fn downgrade(&mut self, lock: ObjectIndex) -> Result<(), &'static str> {
        if self.thread(|it| it.hold(lock, Hold::Write).is_none()) {
            return Err("downgrades");
        }
        self.touch(lock, Action::Downgrade);
        self.change_hold(lock, Hold::Write, Hold::Read);
        Ok(())
    }

    fn change_hold(&self, lock: ObjectIndex, from: Hold, to: Hold) {
        self.thread(|it| {
            if let Some(hold) = it.hold(lock, from) {
                *hold = to;
            }
        });
    }

    fn give_back(&mut self, lock: ObjectIndex) -> Result<(), &'static str> {
        let latest = self.thread(|it| it.latest_hold(lock).map(|(_, hold)| *hold));
        let action = match latest.ok_or("unlocks")? {
            Hold::Read => Action::Unread,
            Hold::Write => Action::Unwrite,
            Hold::Upgradable => Action::Unupgradable,
        };
        self.touch(lock, action);
        self.thread(|it| it.remove_latest_hold(lock));
        Ok(())
    }

    /// Semaphores, wait groups, barriers, onces and notifies.
    fn queue(&mut self, instruction: &Instruction) -> Option<Next> {
        match instruction {
            Instruction::Acquire {
                semaphore,
                permits,
                attempt,
                ok,
            } => {
                let effect = self.acquire(*semaphore, Action::Acquire, how(*attempt), *permits);
                self.set_local(*ok, effect.succeeded());
            }
            Instruction::Release { semaphore, permits } => {
                let effect = self.operate(*semaphore, Action::Release, How::Insist, *permits);
                if !effect.succeeded() {
                    return Some(self.panic_on("releases more than the maximum of", *semaphore));
                }
            }
            Instruction::Ticket { .. }
            | Instruction::AwaitTicket(_)
            | Instruction::DropTicket(_) => return Some(self.ticket(instruction)),
            Instruction::Add { group, count } => {
                let effect = self.operate(*group, Action::Add, How::Insist, *count as u32);
                if !effect.succeeded() {
                    return Some(self.panic_on("takes more than there is off", *group));
                }
            }
            Instruction::WaitGroup(group) => {
                self.touch(*group, Action::WaitZero);
            }
            Instruction::Barrier(barrier) => {
                self.acquire(*barrier, Action::Arrive, How::Insist, 0);
            }
            Instruction::Begin { once, after } => {
                if !self.touch(*once, Action::Begin).succeeded() {
                    return Some(Next::At(*after));
                }
            }
            Instruction::Complete(once) => {
                self.touch(*once, Action::Complete);
            }
            Instruction::Signal(notify) => {
                self.touch(*notify, Action::Signal);
            }
            Instruction::SignalAll(notify) => {
                self.touch(*notify, Action::SignalAll);
            }
            Instruction::Enlist(notify) => {
                self.acquire(*notify, Action::Enlist, How::Insist, 0);
            }
            Instruction::Enable(notify) => {
                self.operate(*notify, Action::Enlist, How::Try, 0);
            }
            Instruction::Withdraw(notify) => {
                self.touch(*notify, Action::Withdraw);
            }
            _ => return None,
        }
        Some(Next::On)
    }

    fn panic_on(&self, what: &str, object: ObjectIndex) -> Next {
        Next::Panic(format!("{what} `{}`", self.machine.name(object)))
    }

    fn ticket(&mut self, instruction: &Instruction) -> Next {
        self.moves = 0;
        let site = self.site();
        let machine = &self.machine;
        let semaphore = |ticket: TicketIndex| machine.scenario.tickets[ticket.0 as usize].semaphore;
        // Each thread has its own of every name.
        let thread = engine::thread_number().expect("it runs in a model") as u32;
        let own = |ticket: TicketIndex| ticket.0 * ThreadId::COUNT_MAX as u32 + thread;
        let (ticket, effect) = match instruction {
            Instruction::Ticket { ticket, permits } => {
                let object = machine.object(semaphore(*ticket));
                let effect = engine::acquire_ticket(object, own(*ticket), *permits, site);
                (*ticket, effect)
            }
            Instruction::AwaitTicket(ticket) => {
                let object = machine.object(semaphore(*ticket));
                (*ticket, engine::await_ticket(object, own(*ticket), site))
            }
            Instruction::DropTicket(ticket) => {
                engine::withdraw(machine.object(semaphore(*ticket)), own(*ticket), site);
                return Next::On;
            }
            _ => unreachable!("one of the three"),
        };
        if effect != Effect::Failed {
            return Next::On;
        }
        let name = &machine.scenario.tickets[ticket.0 as usize].name;
        Next::Panic(match instruction {
            Instruction::Ticket { .. } => format!("takes ticket `{name}` a second time"),
            _ => format!("waits for ticket `{name}`, which it does not have"),
        })
    }

    /// Channels.
    fn message(&mut self, machine: &Machine, instruction: &Instruction) -> Option<Next> {
        match instruction {
            Instruction::Select(select) => {
                return Some(self.select(machine, instruction, select));
            }
            Instruction::Close(channel) => {
                if !self.touch(*channel, Action::CloseSend).succeeded() {
                    return Some(self.panic_on("closes a second time", *channel));
                }
            }
            Instruction::DropReceiver(channel) => {
                self.touch(*channel, Action::CloseRecv);
                machine.with(|state| state.buffers[channel.0 as usize].clear());
            }
            _ => return None,
        }
        Some(Next::On)
    }

    fn select(&mut self, machine: &Machine, instruction: &Instruction, select: &Select) -> Next {
        // What is sent is known before the thread comes to the channels.
        self.evaluate(machine, instruction, None);
        if let Err(undefined) = self.offer(machine, select) {
            return Next::Panic(undefined.as_str().to_owned());
        }
        self.moves = 0;
        let site = self.site();
        let taken = match &select.arms[..] {
            [case] if !select.is_select => {
                let (identity, kind) = machine.object(case.channel);
                let action = action_of(case);
                Some((
                    0,
                    engine::acquire_at(identity, kind, action, How::Insist, 0, site),
                ))
            }
            arms => {
                let arm = |case: &Case| {
                    let (identity, kind) = machine.object(case.channel);
                    (identity, kind, action_of(case))
                };
                let arms: Vec<_> = arms.iter().map(arm).collect();
                let how = match select.default {
                    Some(_) => How::Try,
                    None => How::Insist,
                };
                engine::select_at(&arms, how, site)
            }
        };
        let next = match taken {
            Some((arm, effect)) => self.exchange(machine, &select.arms[arm], effect),
            None => match select.default {
                Some(default) => Next::At(default),
                None => Next::On,
            },
        };
        self.thread(|it| {
            it.offers.clear();
            it.received = None;
        });
        next
    }

    /// Lays out what the thread would send, for whoever meets it.
    fn offer(&self, machine: &Machine, select: &Select) -> Result<(), Undefined> {
        machine.with(|state| {
            let vars = &state.vars;
            let thread = &mut state.threads[self.me];
            for case in &select.arms {
                if let Some(formula) = &case.sends {
                    let var = |index: ObjectIndex| vars[index.0 as usize];
                    let value = formula.value(|local| thread.local(local), var)?;
                    thread.offers.push((case.channel, value));
                }
            }
            Ok(())
        })
    }

    /// Hands a value over, or takes one.
    fn exchange(&mut self, machine: &Machine, case: &Case, effect: Effect) -> Next {
        let passed = effect.succeeded();
        let mut received = 0;
        if passed {
            machine.with(|state| match (&case.sends, effect) {
                (Some(_), Effect::Chose(partner)) => {
                    // The partner has taken it already if it came second.
                    if let Some(value) = take_offer(&mut state.threads[self.me], case.channel) {
                        state.threads[partner as usize - 1].received = Some(value);
                    }
                }
                (Some(_), _) => {
                    let value = take_offer(&mut state.threads[self.me], case.channel);
                    state.buffers[case.channel.0 as usize].push_back(value.unwrap_or_default());
                }
                (None, Effect::Chose(partner)) => {
                    // It is here already if the partner came second.
                    let left = state.threads[self.me].received.take();
                    received = left.unwrap_or_else(|| {
                        let partner = &mut state.threads[partner as usize - 1];
                        take_offer(partner, case.channel).unwrap_or_default()
                    });
                }
                (None, _) => {
                    let buffer = &mut state.buffers[case.channel.0 as usize];
                    received = buffer.pop_front().unwrap_or_default();
                }
            });
        } else if case.sends.is_some() && case.ok.is_none() {
            return self.panic_on("sends on the closed channel", case.channel);
        }
        self.thread(|it| {
            it.set_local(case.value, received);
            it.set_local(case.ok, i64::from(passed));
        });
        Next::At(case.body)
    }

    /// Threads, and what touches nothing.
    fn other(&mut self, machine: &Machine, instruction: &Instruction) -> Option<Next> {
        let site = self.site();
        if !matches!(instruction, Instruction::Panic(_)) {
            self.moves = 0;
        }
        match instruction {
            Instruction::Panic(why) => {
                return Some(Next::Panic(machine.texts[why.0 as usize].to_owned()));
            }
            Instruction::Slow(name) => engine::slow_at(machine.texts[name.0 as usize], site),
            Instruction::Park => _ = engine::park(How::Insist, site),
            Instruction::Unpark(thread) => engine::unpark(id_of(thread.0 as usize), site),
            Instruction::Join(thread) => engine::join(id_of(thread.0 as usize), site),
            Instruction::Spawn(thread) => {
                let number = thread.0 as usize;
                if !self.open(machine, number, site) {
                    let name = &machine.scenario.threads[number].name;
                    return Some(Next::Panic(format!("starts `{name}` a second time")));
                }
            }
            Instruction::Nop => engine::yield_now(site),
            Instruction::Forever => engine::block_forever(site),
            _ => return None,
        }
        Some(Next::On)
    }

    /// Lets a deferred thread begin; whether it had not begun yet.
    fn open(&self, machine: &Machine, thread: usize, site: Site) -> bool {
        let Some(gate) = machine.gate_of[thread] else {
            return false;
        };
        let gate = &machine.gates[gate];
        let action = Action::Open;
        engine::operate_at(&gate.identity, gate.kind, action, How::Insist, 0, site).succeeded()
    }
}

fn how(attempt: Attempt) -> How {
    match attempt {
        Attempt::Insist => How::Insist,
        Attempt::Try => How::Try,
        Attempt::Timed => How::Timed,
    }
}

fn action_of(case: &Case) -> Action {
    match case.sends {
        Some(_) => Action::Send,
        None => Action::Recv,
    }
}

/// What the thread sends on the channel, which ends all its offers.
fn take_offer(thread: &mut Thread, channel: ObjectIndex) -> Option<i64> {
    let found = thread.offers.iter().find(|(its, _)| *its == channel);
    let value = found.map(|(_, value)| *value);
    thread.offers.clear();
    value
}

/// The engine keeps the values that conditions wait for, the machine those that are computed with.
fn set_var(machine: &Machine, var: ObjectIndex, value: i64) {
    machine.with(|state| state.vars[var.0 as usize] = value);
    let (identity, kind) = machine.object(var);
    engine::set_variable(identity, kind, value);
}

/// What an assertion says, from the text of its statement.
fn assertion(statement: &str) -> &str {
    let text = statement.strip_prefix("assert").unwrap_or(statement);
    text.trim()
}
