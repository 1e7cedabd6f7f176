//! Release discipline: a release of a lock that nobody holds, or that another thread holds.

use super::{Defect, Related};
use crate::op::{Action, Op, Site, ThreadId};
use crate::report::Code;
use crate::trace::Run;

/// What is wrong with the release that the thread is about to make.
pub(crate) fn misused_release(run: &Run, thread: ThreadId, op: Op, site: Site) -> Option<Defect> {
    if op.action != Action::Unlock {
        return None;
    }
    let mut defect = match run.world.holder(op.object) {
        Some(holder) if holder == thread => return None,
        None => Defect::at(Code::DoubleRelease, thread, site),
        Some(holder) => {
            let mut defect = Defect::at(Code::ForeignRelease, thread, site);
            defect.threads.push(holder);
            if let Some(held) = run.how_held(op.object, holder) {
                defect.related.push(Related {
                    object: op.object,
                    holder,
                    site: held.site,
                });
            }
            defect
        }
    };
    defect.objects.push(op.object);
    Some(defect)
}
