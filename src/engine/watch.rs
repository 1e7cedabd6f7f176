//! What a running search shares with the OS thread that asked for it, which watches it.
//!
//! The search runs on an OS thread of its own: a model that blocks in something the engine does not
//! know, or loops without any operation, stops that thread for ever, and the watching one says so.

use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::engine::Identity;
use crate::op::{Place, Site};
use crate::report::Finding;

/// State of one search that other OS threads see. All orderings are relaxed: each value stands for
/// itself, and a late one only delays a message.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Epoch of the execution that is running; 0 between executions.
    pub(crate) epoch: AtomicU32,
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
    /// Set when an OS thread that no engine drives used an object of the running execution.
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
}

static RUNNING: Mutex<Vec<Arc<Watch>>> = Mutex::new(Vec::new());

/// Makes the search known until the guard is dropped.
pub(crate) fn enlist(watch: &Arc<Watch>) -> Enlisted {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    running.push(Arc::clone(watch));
    Enlisted(Arc::clone(watch))
}

/// Takes the search off the list when dropped.
pub(crate) struct Enlisted(Arc<Watch>);

impl Drop for Enlisted {
    fn drop(&mut self) {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|watch| !Arc::ptr_eq(watch, &self.0));
    }
}

/// Notes that an OS thread that no engine drives uses an object which the execution of this epoch
/// has met, if that execution is running.
#[cold]
pub(crate) fn foreign_use(epoch: u32, identity: &Identity) {
    let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    let watch = running
        .iter()
        .find(|watch| watch.epoch.load(Ordering::Relaxed) == epoch);
    if let Some(watch) = watch {
        let name = match (identity.name(), identity.site()) {
            ("", Some(site)) => format!("the lock made at {site}"),
            ("", None) => "a lock".to_owned(),
            (name, _) => format!("`{name}`"),
        };
        let _ = watch.foreign.set(format!(
            "{name} of the running model was used by OS thread `{}`, which the model does not \
             control; start threads with gordian::thread::spawn",
            std::thread::current().name().unwrap_or("unnamed"),
        ));
    }
}
