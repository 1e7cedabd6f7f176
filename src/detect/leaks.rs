//! Leaks: a thread that ends with a lock held.

use super::{Defect, Related};
use crate::op::{Action, Op, Site, ThreadId};
use crate::report::Code;
use crate::trace::Run;

/// What is wrong with the end that the thread is about to come to.
pub(crate) fn leaked_guard(run: &Run, thread: ThreadId, op: Op) -> Option<Defect> {
    let held = &run.threads[thread.index()].held;
    if op.action != Action::Exit {
        return None;
    }
    let site: Site = held.first()?.site;
    let mut defect = Defect::at(Code::LeakedGuard, thread, site);
    for held in held {
        defect.objects.push(held.lock);
        defect.related.push(Related {
            object: held.lock,
            holder: thread,
            site: held.site,
        });
    }
    Some(defect)
}
