//! Read discipline: a thread that reads an rwlock which it reads already. It blocks as soon as a
//! writer queues in between, on every lock that lets waiting writers go first.

use super::{Defect, Related};
use crate::op::{Action, Kind, Op, Preference, Site, ThreadId};
use crate::report::Code;
use crate::trace::Run;

/// What may go wrong with the read that the thread is about to begin.
pub(crate) fn recursive_read(run: &Run, thread: ThreadId, op: Op, site: Site) -> Option<Defect> {
    if op.action != Action::Read || !run.world.is_read_by(op.object, thread) {
        return None;
    }
    let kind = run.objects[op.object.index()].kind;
    if kind == Kind::RwLock(Preference::Reader) {
        return None;
    }
    let mut defect = Defect::at(Code::RecursiveRead, thread, site);
    defect.objects.push(op.object);
    let held = run.how_held(op.object, thread);
    defect.related.extend(held.map(|held| Related {
        object: op.object,
        holder: thread,
        site: held.site,
    }));
    Some(defect)
}
