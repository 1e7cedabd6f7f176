//! Starvation: a thread that keeps trying and gets nowhere, in an execution that a bound on steps
//! cut off.
//!
//! Judged over the last half of the execution, and only if it was fair: each thread that could go
//! on did. A thread starves when every attempt it made there failed, and it did nothing else that
//! counts: no wait that ended, no change that others see, no acquisition that was of use. An
//! acquisition under which a try failed, so that it was given back for nothing, is no use: that is
//! the livelock of threads which back off from one another for ever.

use super::Defect;
use crate::op::{Action, How, ObjectId, ThreadId, Until, mask_of};
use crate::report::Code;
use crate::trace::{Event, Run, threads_in};

/// Attempts that must have failed: more than a loop that comes to its end makes when a low bound
/// happens to cut it off.
pub(crate) const ATTEMPTS_MIN: usize = 10;

/// The threads that starve in an execution that was cut off: so many of their attempts failed, and
/// all.
pub(crate) fn starved(run: &Run, attempts_min: usize) -> Vec<Defect> {
    let window = &run.events[run.events.len() / 2..];
    let served = mask_of(window.iter().map(|event| event.thread));
    if run.enabled() & !served != 0 {
        return Vec::new();
    }
    threads_in(run.live)
        .filter_map(|thread| starves(window, thread, attempts_min))
        .collect()
}

/// These threads, which can go on for ever and never come to their end.
pub(crate) fn never_ends(run: &Run, threads: u64) -> Vec<Defect> {
    let defect = |thread| {
        let pending = run.pending(thread)?;
        let mut defect = Defect::at(Code::Starvation, thread, pending.site);
        defect.detail = "it can go on for ever, and never come to its end".to_owned();
        Some(defect)
    };
    threads_in(threads).filter_map(defect).collect()
}

fn starves(window: &[Event], thread: ThreadId, attempts_min: usize) -> Option<Defect> {
    let mut attempts = 0;
    let mut last_failed = None;
    let mut useless = Vec::new();
    for event in window.iter().filter(|event| event.thread == thread) {
        // At a standstill it is asked again and again, to see whether it gives up.
        if matches!(event.op.until, Until::Anyway(_)) {
            continue;
        }
        let failed = !event.effect.succeeded();
        match event.op.action {
            _ if failed && event.op.how != How::Insist => {
                attempts += 1;
                last_failed = Some(*event);
                // What it holds now is of no use: it will be given back.
                useless.iter_mut().for_each(|(_, failed)| *failed = true);
            }
            Action::Lock | Action::Read | Action::Write | Action::Upgradable => {
                useless.push((event.op.object, false));
            }
            Action::Unlock | Action::Unread | Action::Unwrite | Action::Unupgradable => {
                let at = useless
                    .iter()
                    .position(|(lock, _)| *lock == event.op.object);
                // Taken before the window, or given back unused: count neither.
                if at.is_some_and(|at| !useless.swap_remove(at).1) {
                    return None;
                }
            }
            Action::Load => {
                attempts += 1;
                last_failed = Some(*event);
            }
            Action::Yield | Action::Sleep | Action::IsLocked | Action::IsFinished => {}
            Action::Slow => {}
            Action::Choose => {}
            _ => return None,
        }
    }
    let event = last_failed.filter(|_| attempts >= attempts_min)?;
    let mut defect = Defect::at(Code::Starvation, thread, event.site);
    if event.op.object != ObjectId::NONE {
        defect.objects.push(event.op.object);
    }
    defect.detail = format!("{attempts} times in the last {} steps", window.len());
    Some(defect)
}
