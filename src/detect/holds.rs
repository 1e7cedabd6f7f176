//! Hold discipline: a slow call while a lock is held.

use super::{Defect, Related};
use crate::op::{Action, Op, Site, ThreadId};
use crate::report::Code;
use crate::trace::Run;

/// What is wrong with the slow call that the thread is about to make.
pub(crate) fn slow_under_lock(run: &Run, thread: ThreadId, op: Op, site: Site) -> Option<Defect> {
    let held = &run.threads[thread.index()].held;
    if op.action != Action::Slow || held.is_empty() {
        return None;
    }
    let mut defect = Defect::at(Code::SlowUnderLock, thread, site);
    defect.detail = run.slow_names[op.arg as usize].to_owned();
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
