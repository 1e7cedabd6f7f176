//! Panics: of a thread, and broken invariants.

use super::Defect;
use crate::op::{Site, ThreadId};
use crate::report::{self, Code};

/// What the panic hook saw.
#[derive(Clone, Debug)]
pub(crate) struct Panicked {
    pub(crate) message: String,
    pub(crate) site: Option<report::Site>,
}

/// The defect of a thread that ended by a panic; `last` is its last operation.
pub(crate) fn panic_of(thread: ThreadId, panicked: &Panicked, last: Site) -> Defect {
    let mut defect = Defect::at(Code::Panic, thread, last);
    defect.detail = format!("panicked: {}", panicked.message);
    defect.raised.clone_from(&panicked.site);
    defect
}

/// The defect of a thread that says itself that it panics.
#[cfg(feature = "scenario")]
pub(crate) fn stated_panic(thread: ThreadId, message: &str, site: Site) -> Defect {
    let mut defect = Defect::at(Code::Panic, thread, site);
    defect.detail = format!("panicked: {message}");
    defect
}

/// The defect of an invariant that does not hold after a step of the thread.
pub(crate) fn broken_invariant(
    thread: ThreadId,
    name: &str,
    panicked: Option<&Panicked>,
    site: Site,
) -> Defect {
    let mut defect = Defect::at(Code::Panic, thread, site);
    defect.detail = match panicked {
        None => format!("broke invariant `{name}`"),
        Some(panicked) => format!("broke invariant `{name}`: {}", panicked.message),
    };
    defect.raised = panicked.and_then(|panicked| panicked.site.clone());
    defect
}
