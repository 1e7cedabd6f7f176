//! The wait-for graph: deadlock, self-deadlock, lost wake-up, and cycles that a time-out broke.
//!
//! A thread that waits for others needs all of some of them (those who hold a lock), or any of
//! others (those who hold permits), or anyone at all (a message). A cycle of the first kind is a
//! deadlock as soon as it is there, whatever else still runs; of the second kind, when nothing runs
//! any more.
//!
//! A thread that spins waits for whoever could change what it reads. If they wait, one after the
//! other, for a lock that it holds itself, that is a cycle of the second kind.

use std::collections::VecDeque;

use super::{Defect, Wait};
use crate::object::Waits;
use crate::op::{Action, How, ObjectId, Op, ThreadId, Until, mask_of};
use crate::report::Code;
use crate::trace::{Pending, Run, threads_in};

/// Whether this thread's announced operation closes a cycle of threads that wait for one another.
pub(crate) fn closed_cycle(run: &Run, thread: ThreadId) -> Option<Defect> {
    let waits = cycle(run, thread, Kind::All, Asked::Early)?;
    if waits
        .iter()
        .all(|wait| run.threads[wait.thread.index()].daemon)
    {
        return None;
    }
    Some(Defect::waiting(code_of(&waits), waits))
}

fn code_of(cycle: &[Wait]) -> Code {
    match cycle.len() {
        1 => Code::SelfDeadlock,
        _ => Code::Deadlock,
    }
}

/// Whether this thread, had it insisted instead of giving up, would be in a cycle. To be asked
/// before it gives up, when all others have come as far as they can without that.
pub(super) fn timeout_only(run: &Run, thread: ThreadId) -> Option<Defect> {
    let waits = cycle(run, thread, Kind::Any, Asked::IfInsisted)?;
    Some(Defect::waiting(Code::TimeoutOnly, waits))
}

/// What is wrong with threads that can never go on: the cycles, and the waiters that nobody can
/// wake any more. Those that wait behind others are not defects of their own.
pub(crate) fn stuck(run: &Run, threads: u64) -> Vec<Defect> {
    let mut defects: Vec<Defect> = Vec::new();
    let mut reported = 0_u64;
    let is_waiting =
        |thread: &ThreadId| blocked(run, *thread, Asked::Late).is_some_and(|its| !is_unborn(its));
    let waiting = mask_of(threads_in(threads & run.live).filter(is_waiting));
    for kind in [Kind::All, Kind::Any] {
        for thread in threads_in(waiting) {
            if reported & (1 << thread.0) != 0 {
                continue;
            }
            if let Some(waits) = cycle(run, thread, kind, Asked::Late)
                && waits
                    .iter()
                    .any(|wait| !run.threads[wait.thread.index()].daemon)
            {
                let defect = Defect::waiting(code_of(&waits), waits);
                reported |= mask_of(defect.threads.iter().copied());
                defects.push(defect);
            }
        }
    }
    let daemon = |thread: ThreadId| run.threads[thread.index()].daemon;
    for thread in threads_in(waiting & !reported).filter(|&thread| !daemon(thread)) {
        let Some((wait, waits)) = wait_of(run, thread, Asked::Late) else {
            continue;
        };
        // Someone else who is stuck, and whom there is something to say about. That never goes round
        // in a circle: such a circle was a cycle above.
        let behind = threads_in(Kind::Any.of(waits, thread) & waiting)
            .any(|its| !daemon(its) || reported & (1 << its.0) != 0);
        if !behind {
            defects.push(Defect::waiting(Code::LostWakeup, vec![wait]));
        }
    }
    defects
}

/// Whether the thread has not been started yet, and perhaps never will be.
fn is_unborn(pending: Pending) -> bool {
    pending.op.action == Action::Pass
}

/// Which waits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// For each of some threads.
    All,
    /// For any of some threads, too.
    Any,
}

impl Kind {
    fn of(self, waits: Waits, thread: ThreadId) -> u64 {
        let own = 1 << thread.0;
        match self {
            Kind::All => waits.all,
            // Nobody waits for all of some and for any of others.
            Kind::Any if waits.all != 0 => waits.all,
            // What one holds oneself matters only if nobody else could help.
            Kind::Any if waits.any & !own != 0 => waits.any & !own,
            Kind::Any => waits.any,
        }
    }
}

/// The shortest cycle that the thread is part of, beginning with the thread of the smallest id.
fn cycle(run: &Run, start: ThreadId, kind: Kind, asked: Asked) -> Option<Vec<Wait>> {
    let mut from: Vec<Option<ThreadId>> = vec![None; run.threads.len()];
    let mut queue = VecDeque::from([start]);
    let mut last = None;
    'search: while let Some(thread) = queue.pop_front() {
        // The first one is what the question is about, whether it insists or not.
        let Some((_, waits)) = wait_of(run, thread, asked) else {
            continue;
        };
        for next in threads_in(kind.of(waits, thread)) {
            if next == start {
                last = Some(thread);
                break 'search;
            }
            if from.get(next.index()).is_some_and(Option::is_none) {
                from[next.index()] = Some(thread);
                queue.push_back(next);
            }
        }
    }
    let mut at = last?;
    let mut next = start;
    let mut waits = Vec::new();
    loop {
        waits.push(held_by(run, wait_of(run, at, asked)?.0, next));
        if at == start {
            break;
        }
        next = at;
        at = from[at.index()]?;
    }
    waits.reverse();
    let first = (0..waits.len()).min_by_key(|&at| waits[at].thread)?;
    waits.rotate_left(first);
    Some(waits)
}

/// When it is asked who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// While others may go on: who goes round a loop still can.
    Early,
    /// When nobody will go on any more.
    Late,
    /// Of a timed operation that can only give up: as if it insisted.
    IfInsisted,
}

/// The announced operation of the thread, if it cannot be done now.
fn blocked(run: &Run, thread: ThreadId, asked: Asked) -> Option<Pending> {
    let pending = run.threads.get(thread.index())?.pending?;
    let waits = match asked {
        Asked::Early if matches!(pending.op.until, Until::Change(_)) => false,
        Asked::IfInsisted if pending.op.how == How::Timed => {
            run.world.would_wait(pending.op, thread)
        }
        _ => !run.world.enabled(pending.op, thread),
    };
    waits.then_some(pending)
}

/// What the thread waits for now, if it does; the holder is the first of those it waits for.
fn wait_of(run: &Run, thread: ThreadId, asked: Asked) -> Option<(Wait, Waits)> {
    let pending = blocked(run, thread, asked)?;
    let (op, waits) = match spun_on(run, thread, pending) {
        Some(object) => {
            let read = Op::on(Action::Load, object).until(pending.op.until);
            (read, Waits::any_of(waiting_for_locks_of(run, thread)))
        }
        None => (pending.op, run.world.awaited(pending.op, thread)),
    };
    let wait = Wait {
        thread,
        op,
        site: pending.site,
        holder: None,
        taken: None,
    };
    let holder = threads_in(waits.all)
        .next()
        .or(threads_in(waits.any).next());
    let wait = match holder {
        Some(holder) => held_by(run, wait, holder),
        None => wait,
    };
    Some((wait, waits))
}

/// What a thread goes on reading in vain, if that is what it waits for.
fn spun_on(run: &Run, thread: ThreadId, pending: Pending) -> Option<ObjectId> {
    let op = pending.op;
    let Until::Change(list) = op.until else {
        return None;
    };
    let gives_up = op.how != How::Insist && run.world.would_wait(op, thread);
    if gives_up || !run.world.is_possible(op, thread) {
        return None;
    }
    let read = run.world.looks_of(list).iter();
    let mut objects = read.filter_map(|(cell, _)| cell.object());
    let own = objects.clone().find(|object| *object == op.object);
    own.or_else(|| objects.next()).or(Some(ObjectId::NONE))
}

/// Those who wait for a lock that the thread holds, or for one of them.
fn waiting_for_locks_of(run: &Run, thread: ThreadId) -> u64 {
    let mut found = 0;
    loop {
        let is_new = |other: &ThreadId| {
            let Some(pending) = run.pending(*other) else {
                return false;
            };
            let awaited = run.world.awaited(pending.op, *other).all;
            let directly = awaited & (1 << thread.0) != 0 && pending.op.action != Action::Join;
            !run.world.enabled(pending.op, *other) && (directly || awaited & found != 0)
        };
        let others = threads_in(run.live & !(1 << thread.0) & !found);
        match mask_of(others.filter(is_new)) {
            0 => return found,
            more => found |= more,
        }
    }
}

/// The wait, for what this thread holds.
fn held_by(run: &Run, wait: Wait, holder: ThreadId) -> Wait {
    let lock = match wait.op.action {
        Action::Wake => wait.op.other(),
        _ => wait.op.object,
    };
    let held = match lock {
        ObjectId::NONE => None,
        lock => run.how_held(lock, holder),
    };
    Wait {
        holder: Some(holder),
        taken: held.map(|held| (held.site, held.event)),
        ..wait
    }
}
