//! Detectors: what is wrong with an execution, one kind a file.
//!
//! Knows the record of one execution and the state of its objects. Never touches an engine or a
//! strategy: the same detectors serve all of them.

mod findings;
mod fingerprint;
mod holds;
mod leaks;
mod orders;
mod panics;
mod reads;
mod releases;
mod starvation;
mod waits;

pub(crate) use findings::{Findings, Met, listed};
pub(crate) use fingerprint::Hash;
pub(crate) use holds::slow_under_lock;
pub(crate) use leaks::leaked_guard;
pub(crate) use orders::shown_by_orders;
#[cfg(feature = "scenario")]
pub(crate) use panics::stated_panic;
pub(crate) use panics::{Panicked, broken_invariant, panic_of};
pub(crate) use reads::recursive_read;
pub(crate) use releases::misused_release;
pub(crate) use starvation::{ATTEMPTS_MIN, never_ends, starved};
pub(crate) use waits::{closed_cycle, stuck};

use crate::op::{Action, ObjectId, Op, Site, ThreadId};
use crate::report::{self, Code};
use crate::trace::Difference;

/// A defect in terms of numbers; [`Findings`] puts it in words, once for each distinct one.
#[derive(Clone, Debug)]
pub(crate) struct Defect {
    pub(crate) code: Code,
    pub(crate) threads: Vec<ThreadId>,
    pub(crate) objects: Vec<ObjectId>,
    pub(crate) waits: Vec<Wait>,
    /// Where it happened, when it is not about waiting.
    pub(crate) site: Option<Site>,
    /// Where a panic was raised: a place that is known only by name.
    pub(crate) raised: Option<report::Site>,
    /// Where else it is about: what is held, and since where.
    pub(crate) related: Vec<Related>,
    /// What the sentence needs beyond names: a panic's message, a slow call's name, a count.
    pub(crate) detail: String,
}

/// A thread that waits for another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    pub(crate) thread: ThreadId,
    pub(crate) op: Op,
    pub(crate) site: Site,
    /// Who could let it go on, if that is one thread.
    pub(crate) holder: Option<ThreadId>,
    /// Where and in which event the holder took what it holds.
    pub(crate) taken: Option<(Site, u32)>,
}

/// A lock that is held, as background to a defect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Related {
    pub(crate) object: ObjectId,
    pub(crate) holder: ThreadId,
    pub(crate) site: Site,
}

impl Defect {
    fn at(code: Code, thread: ThreadId, site: Site) -> Defect {
        Defect {
            code,
            threads: vec![thread],
            objects: Vec::new(),
            waits: Vec::new(),
            site: Some(site),
            raised: None,
            related: Vec::new(),
            detail: String::new(),
        }
    }

    /// The same schedule led elsewhere.
    pub(crate) fn nondeterminism(difference: &Difference) -> Defect {
        Defect {
            detail: difference.why.clone(),
            ..Defect::at(Code::Nondeterminism, difference.thread, difference.site)
        }
    }

    fn waiting(code: Code, waits: Vec<Wait>) -> Defect {
        Defect {
            code,
            threads: waits.iter().map(|wait| wait.thread).collect(),
            objects: waits
                .iter()
                .map(|wait| match wait.op.action {
                    Action::Wake if wait.taken.is_some() => wait.op.other(),
                    _ => wait.op.object,
                })
                .filter(|object| *object != ObjectId::NONE)
                .collect(),
            waits,
            site: None,
            raised: None,
            related: Vec::new(),
            detail: String::new(),
        }
    }
}

#[cfg(test)]
mod tests;
