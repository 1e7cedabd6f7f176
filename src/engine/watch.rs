//! What a running search shares with the OS thread that asked for it, which watches it.
//!
//! The search runs on an OS thread of its own: a model that blocks in something the engine does not
//! know, or loops without any operation, stops that thread for ever, and the watching one says so.

use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::engine::Identity;
use crate::op::{Place, Site};
use crate::report::Finding;

/// State of one search that other OS threads see. All orderings are relaxed: each value stands for
/// itself, and a late one only delays a message.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Grows with every operation.
    pub(crate) beats: AtomicU64,
    pub(crate) executions: AtomicU64,
    /// Whether the model's own code is running, rather than the search's.
    pub(crate) in_model: AtomicBool,
    /// The place of the last operation.
    code: AtomicPtr<Location<'static>>,
    /// The place of the last operation, in a text that is interpreted.
    text: AtomicPtr<Place>,
    /// The thread of the last operation.
    pub(crate) thread: AtomicU32,
    pub(crate) thread_names: Mutex<Vec<String>>,
    /// Set when an OS thread that no engine drives has used an object of the model.
    foreign: OnceLock<String>,
    /// The findings so far, for the report of a search that never comes back.
    pub(crate) findings: Mutex<Vec<Finding>>,
}

impl Watch {
    /// Notes that a thread of the model has come to an operation.
    pub(crate) fn beat(&self, thread: u8, site: Site) {
        // Plain loads and stores: only the search's thread writes.
        self.beats
            .store(self.beats.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        match site {
            Site::Code(location) => {
                let pointer = std::ptr::from_ref(location).cast_mut();
                self.code.store(pointer, Ordering::Relaxed);
            }
            Site::Text(place) => {
                let pointer = std::ptr::from_ref(place).cast_mut();
                self.text.store(pointer, Ordering::Relaxed);
            }
        }
        self.thread.store(u32::from(thread), Ordering::Relaxed);
    }

    /// The place of the last operation.
    pub(crate) fn last_site(&self) -> Option<Site> {
        let text = self.text.load(Ordering::Relaxed).cast_const();
        let code = self.code.load(Ordering::Relaxed).cast_const();
        // SAFETY: only `beat` writes them, each from a `'static` reference.
        let (text, code) = unsafe { (text.as_ref(), code.as_ref()) };
        text.map(Site::Text).or(code.map(Site::Code))
    }

    pub(crate) fn last_thread(&self) -> String {
        let number = self.thread.load(Ordering::Relaxed) as usize;
        let names = self
            .thread_names
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        names
            .get(number)
            .cloned()
            .unwrap_or_else(|| "main".to_owned())
    }

    /// What was said about a use by a thread that no engine drives.
    pub(crate) fn foreign_use(&self) -> Option<&str> {
        self.foreign.get().map(String::as_str)
    }

    /// Notes that an OS thread that no engine drives, of this name if it is known, has used an object
    /// of the model.
    pub(crate) fn note_foreign_use(&self, identity: &Identity, thread: Option<&str>) {
        let _ = self.foreign.get_or_init(|| {
            let object = match (identity.name(), identity.site()) {
                ("", Some(site)) => format!("the object made at {site}"),
                ("", None) => "an object".to_owned(),
                (name, _) => format!("`{name}`"),
            };
            let thread = match thread {
                Some(name) => format!("OS thread `{name}`"),
                None => "an OS thread".to_owned(),
            };
            format!(
                "{object} of the running model was used by {thread}, which the model does not \
                 control; start threads with gordian::thread::spawn, and let no other test of the \
                 process use the same static meanwhile (`cargo gordian test` gives each model a \
                 process of its own)"
            )
        });
    }
}
