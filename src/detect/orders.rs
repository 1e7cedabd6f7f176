//! Defects that show in some order of the independent steps of an execution and not in all of them.
//! They are looked for once the execution is over, so that they depend on its trace alone.
//!
//! That a thread gave up while it was part of a cycle shows when the others have come as far as they
//! can without it. That a lock is held during a slow call, or at the end of a thread, shows when
//! others have done no more than they must: a lock without an owner may be freed by anybody.

use super::waits::timeout_only;
use super::{Defect, leaked_guard, slow_under_lock};
use crate::op::{Action, Effect, How, Site, ThreadId};
use crate::trace::{Cuts, Event, Run};

/// Events that are looked at of those which a thread does at one place: in a loop they are alike.
const ALIKE_MAX: usize = 16;

/// What is wrong with an execution that is over, each with an execution that leads there.
pub(crate) fn shown_by_orders(run: &Run) -> Vec<(Defect, Run)> {
    let gives_up = |event: &Event| event.op.how == How::Timed && event.effect == Effect::Failed;
    let mut alike: Vec<(ThreadId, Site)> = Vec::new();
    let mut wanted = Vec::new();
    for (event, number) in run.events.iter().zip(0..) {
        let holds = run.freed_by_others && matches!(event.op.action, Action::Slow | Action::Exit);
        let key = (event.thread, event.site);
        let seen = || alike.iter().filter(|its| **its == key).count();
        if (gives_up(event) || holds) && seen() < ALIKE_MAX {
            alike.push(key);
            wanted.push(number);
        }
    }
    if wanted.is_empty() {
        return Vec::new();
    }
    let cuts = Cuts::of(run);
    let defects = wanted.into_iter().filter_map(|number| {
        let event = &run.events[number as usize];
        let (defect, mut part) = match event.op.action {
            Action::Slow => {
                let part = cuts.just_before(number);
                let defect = slow_under_lock(&part, event.thread, event.op, event.site);
                (defect, part)
            }
            Action::Exit => {
                let part = cuts.just_before(number);
                (leaked_guard(&part, event.thread, event.op), part)
            }
            _ => {
                let part = cuts.without(number);
                let waits = part.world.would_wait(event.op, event.thread);
                let defect = waits.then(|| timeout_only(&part, event.thread));
                (defect.flatten(), part)
            }
        };
        let defect = defect?;
        // It is shown with the event as its last step.
        part.execute(event.thread, event.case.unwrap_or(0));
        Some((defect, part))
    });
    defects.collect()
}
