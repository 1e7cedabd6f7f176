//! What kind of being stuck it is: who waits for whom.
//!
//! Knows the states in which nothing will change for those who are blocked. Does not know how they
//! came about.
//!
//! | blocked at | waits for |
//! |---|---|
//! | `lock`, a `wait` that was notified | the holder |
//! | `read`, `write`, `upgradable`, `upgrade` | holders that keep it out, those in front of it |
//! | `join`, `once` | that thread; the one that runs the block |
//! | `acquire`, `await_ticket` | those with permits to release, those in front of it |
//! | `send`, `recv`, `select` | those who have the other end, or a `close`, before them |
//! | `wg_wait`, `barrier` | those who have a `wg_done`, or the barrier, before them |
//! | `wait`, `wait_notify`, `park`, `await`, `block_forever` | an event: nobody |
//!
//! A thread in a cycle of these is in a `deadlock`; one that waits for itself in a `self-deadlock`;
//! one that waits for nobody who is still there has a `lost-wakeup`. Who waits behind one of them
//! is no finding of its own.

use std::collections::BTreeSet;

use gordian::report;
use gordian::scenario::ast::{ObjectKind, Preference};

use crate::code::{Code, Op, Pc, Select, Want};
use crate::meaning::{keeps_out, owner, parts};
use crate::state::{Frame, Object, OnceState, State, Thread, Who};

/// The findings of a state that nothing can change for the threads that are blocked in it; at least
/// one when any but a daemon is.
pub(crate) fn kinds(code: &Code, state: &State, blocked: &[u32]) -> BTreeSet<report::Code> {
    let waits = Waits {
        code,
        state,
        blocked,
    };
    let edges: Vec<Vec<u32>> = blocked.iter().map(|thread| waits.of(*thread)).collect();
    let mut kinds = BTreeSet::new();
    for (thread, awaited) in blocked.iter().zip(&edges) {
        if code.threads[*thread as usize].daemon {
            continue;
        }
        if awaited.contains(thread) {
            kinds.insert(report::Code::SelfDeadlock);
        } else if awaited.is_empty() {
            kinds.insert(report::Code::LostWakeup);
        } else if is_in_cycle(*thread, blocked, &edges) {
            kinds.insert(report::Code::Deadlock);
        }
    }
    if kinds.is_empty() {
        // All of them wait behind daemons.
        kinds.insert(report::Code::LostWakeup);
    }
    kinds
}

fn is_in_cycle(thread: u32, blocked: &[u32], edges: &[Vec<u32>]) -> bool {
    let mut seen: BTreeSet<u32> = BTreeSet::new();
    let mut left = vec![thread];
    while let Some(one) = left.pop() {
        let Some(at) = blocked.iter().position(|other| *other == one) else {
            continue;
        };
        for awaited in &edges[at] {
            if *awaited == thread {
                return true;
            }
            if seen.insert(*awaited) {
                left.push(*awaited);
            }
        }
    }
    false
}

struct Waits<'a> {
    code: &'a Code,
    state: &'a State,
    /// Those who can never move again.
    blocked: &'a [u32],
}

impl Waits<'_> {
    /// For whom of those who are blocked a blocked thread waits.
    fn of(&self, thread: u32) -> Vec<u32> {
        let it = &self.state.threads[thread as usize];
        let mut awaited: Vec<u32> = match &self.code.ops[it.pc as usize] {
            Op::Lock { lock, .. } => owner(self.state, *lock).into_iter().collect(),
            Op::Wait {
                condvar,
                lock,
                timed,
                ..
            } => self.of_wait(it, *condvar, *lock, *timed),
            Op::Rw { lock, want, .. } => self.of_rwlock(thread, *lock, *want),
            Op::Join(other) => vec![*other],
            Op::OnceBegin { once, .. } => match self.state.objects[*once as usize] {
                Object::Once {
                    state: OnceState::Running(other),
                } => vec![other],
                _ => Vec::new(),
            },
            Op::Acquire { semaphore, .. } => self.of_permits(thread, *semaphore),
            Op::AwaitTicket(ticket, _) => {
                self.of_permits(thread, self.code.tickets[*ticket as usize])
            }
            Op::Select(select) => self.of_select(thread, select),
            Op::WaitGroup(group) => self.others_with(
                thread,
                |op| matches!(op, Op::Add(other, count) if other == group && *count < 0),
            ),
            Op::Barrier(barrier) => self.others_with(
                thread,
                |op| matches!(op, Op::Barrier(other) if other == barrier),
            ),
            _ => Vec::new(),
        };
        awaited.retain(|other| self.blocked.contains(other));
        awaited
    }

    fn of_wait(&self, it: &Thread, condvar: u32, lock: u32, timed: bool) -> Vec<u32> {
        let spurious = matches!(
            self.code.objects[condvar as usize],
            ObjectKind::Condvar { spurious: true, .. }
        );
        if it.served || timed || spurious {
            owner(self.state, lock).into_iter().collect()
        } else {
            Vec::new()
        }
    }

    fn of_rwlock(&self, thread: u32, lock: u32, want: Want) -> Vec<u32> {
        let (holds, queue) = parts(self.state, lock);
        let holders = holds
            .iter()
            .filter(|(_, mode)| keeps_out(*mode, want))
            .map(|(holder, _)| *holder);
        let fifo = self.code.objects[lock as usize] == ObjectKind::RwLock(Preference::Fifo);
        // Before it stand those in front of it, or all waiting writers if it is none.
        let waits_behind = match queue.iter().position(|other| *other == thread) {
            Some(at) if fifo => &queue[..at],
            Some(_) => &[],
            None => queue,
        };
        holders.chain(waits_behind.iter().copied()).collect()
    }

    /// Those who have permits to release, or stand in the queue before it. Itself only when there
    /// is nobody else: it waits for what it holds.
    fn of_permits(&self, thread: u32, semaphore: u32) -> Vec<u32> {
        let releases = |thread: &u32| self.has_permits(*thread, semaphore);
        let others = self.blocked.iter().filter(|other| **other != thread);
        let mut awaited: Vec<u32> = others.copied().filter(releases).collect();
        if let Object::Semaphore { queue, .. } = &self.state.objects[semaphore as usize] {
            let before = queue
                .iter()
                .take_while(|(who, _)| *who != Who::Thread(thread));
            awaited.extend(before.filter_map(|(who, _)| match who {
                Who::Thread(other) => Some(*other),
                Who::Ticket(_) => None,
            }));
        }
        if awaited.is_empty() && releases(&thread) {
            awaited.push(thread);
        }
        awaited
    }

    /// Whether a thread could come to release more permits than it acquires until then: it holds
    /// some, or is there to signal.
    fn has_permits(&self, thread: u32, semaphore: u32) -> bool {
        // Deeper in debt it makes no difference.
        const LEAST: i64 = -64;
        let mut seen: BTreeSet<(Pc, i64)> = BTreeSet::new();
        let mut left: Vec<(Pc, i64)> = self.goes_on_at(thread).map(|pc| (pc, 0)).collect();
        let mut next = Vec::new();
        while let Some((pc, balance)) = left.pop() {
            if !seen.insert((pc, balance)) {
                continue;
            }
            let change = match &self.code.ops[pc as usize] {
                Op::Release(other, permits) if *other == semaphore => *permits,
                Op::Acquire {
                    semaphore: other,
                    permits,
                    ..
                } if *other == semaphore => -permits,
                Op::AwaitTicket(ticket, permits)
                    if self.code.tickets[*ticket as usize] == semaphore =>
                {
                    -permits
                }
                _ => 0,
            };
            let balance = (balance + change).max(LEAST);
            if balance > 0 {
                return true;
            }
            self.code.successors(pc, &mut next);
            left.extend(next.drain(..).map(|pc| (pc, balance)));
        }
        false
    }

    /// Where a thread would go on: at its place, and at those of its callers.
    fn goes_on_at(&self, thread: u32) -> impl Iterator<Item = Pc> {
        let it = &self.state.threads[thread as usize];
        let callers = it.frames.iter().filter_map(|frame| match frame {
            Frame::Call(back) => Some(*back),
            _ => None,
        });
        std::iter::once(it.pc).chain(callers)
    }

    fn of_select(&self, thread: u32, select: &Select) -> Vec<u32> {
        let helps = |op: &Op| match op {
            Op::Select(other) => other.arms.iter().any(|offered| {
                select.arms.iter().any(|arm| {
                    arm.channel == offered.channel && arm.sends.is_some() != offered.sends.is_some()
                })
            }),
            Op::Close(channel) | Op::DropReceiver(channel) => {
                select.arms.iter().any(|arm| arm.channel == *channel)
            }
            _ => false,
        };
        self.others_with(thread, helps)
    }

    /// The other blocked threads that have such an instruction before them.
    fn others_with(&self, thread: u32, is_such: impl Fn(&Op) -> bool) -> Vec<u32> {
        self.blocked
            .iter()
            .copied()
            .filter(|other| *other != thread && self.has_before_it(*other, &is_such))
            .collect()
    }

    /// Whether a thread could come to such an instruction if it went on.
    fn has_before_it(&self, thread: u32, is_such: impl Fn(&Op) -> bool) -> bool {
        let from: Vec<Pc> = self.goes_on_at(thread).collect();
        self.code
            .reachable(&from)
            .any(|pc| is_such(&self.code.ops[pc as usize]))
    }
}
