//! The wait-for graph: deadlock, self-deadlock, lost wake-up, and cycles that a time-out broke.
//!
//! Every operation waits for at most one thread here, so a cycle is found by following the waits.

use super::{Defect, Wait};
use crate::object::Awaited;
use crate::op::{Action, ThreadId};
use crate::report::Code;
use crate::trace::{Run, threads_in};

/// Whether this thread's announced operation closes a cycle of threads that wait for one another.
pub(crate) fn closed_cycle(run: &Run, thread: ThreadId) -> Option<Defect> {
    let waits = cycle(run, thread, |action| action != Action::TimedLock)?;
    let code = if waits.len() == 1 {
        Code::SelfDeadlock
    } else {
        Code::Deadlock
    };
    Some(Defect::waiting(code, waits))
}

/// Whether this thread, had it insisted instead of giving up, would be in a cycle. To be asked
/// before it gives up.
pub(crate) fn timeout_only(run: &Run, thread: ThreadId) -> Option<Defect> {
    let waits = cycle(run, thread, |_| true)?;
    Some(Defect::waiting(Code::TimeoutOnly, waits))
}

/// What is wrong when nothing is enabled and threads are left: the cycles, and the waiters that
/// nobody can wake any more. Those that wait behind others are not defects of their own.
pub(crate) fn stuck(run: &Run) -> Vec<Defect> {
    let mut defects: Vec<Defect> = Vec::new();
    let mut reported = 0_u64;
    for thread in threads_in(run.live) {
        if reported & (1 << thread.0) != 0 {
            continue;
        }
        if let Some(defect) = closed_cycle(run, thread) {
            reported |= defect
                .threads
                .iter()
                .fold(0, |mask, thread| mask | 1 << thread.0);
            defects.push(defect);
            continue;
        }
        let Some(wait) = wait_of(run, thread) else {
            continue;
        };
        // Nobody in particular could wake it, or only one who has ended.
        let nobody = wait
            .holder
            .is_none_or(|holder| run.live & (1 << holder.0) == 0);
        if nobody {
            defects.push(Defect::waiting(Code::LostWakeup, vec![wait]));
        }
    }
    defects
}

/// The cycle that the thread is part of, beginning with the thread of the smallest id.
fn cycle(run: &Run, start: ThreadId, insists: impl Fn(Action) -> bool) -> Option<Vec<Wait>> {
    let mut waits: Vec<Wait> = Vec::new();
    let mut thread = start;
    loop {
        let wait = wait_of(run, thread)?;
        // The first one is what the question is about, whether it insists or not.
        if !waits.is_empty() && !insists(wait.op.action) {
            return None;
        }
        if waits.is_empty() && wait.op.action == Action::TimedLock && !insists(wait.op.action) {
            return None;
        }
        waits.push(wait);
        thread = wait.holder?;
        if thread == start {
            let first = (0..waits.len()).min_by_key(|&at| waits[at].thread)?;
            waits.rotate_left(first);
            return Some(waits);
        }
        if waits.iter().any(|wait| wait.thread == thread) {
            // A cycle further on, which this thread only waits behind.
            return None;
        }
    }
}

/// What the thread waits for now, if it does.
fn wait_of(run: &Run, thread: ThreadId) -> Option<Wait> {
    let pending = run.threads.get(thread.index())?.pending?;
    let holder = match run.world.awaited(pending.op, thread) {
        Awaited::Nobody => return None,
        Awaited::Thread(holder) => Some(holder),
        Awaited::Anyone => None,
    };
    let taken = holder
        .filter(|_| pending.op.action != Action::Join)
        .and_then(|holder| {
            run.how_held(pending.op.object, holder)
                .map(|held| (held.site, held.event))
        });
    Some(Wait {
        thread,
        op: pending.op,
        site: pending.site,
        holder,
        taken,
    })
}
