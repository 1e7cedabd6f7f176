//! Panics of a model's threads: caught quietly, and remembered.
//!
//! A panic of a model's thread is a finding, not something to print: the hook that is installed
//! here keeps it and calls the previous hook for all other threads.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, PanicHookInfo};
use std::sync::Once;

use crate::detect::Panicked;
use crate::report::Site;

/// Unwinds a thread of an execution that is over. Never reaches the user.
pub(super) struct Quiet;

thread_local! {
    static LAST: RefCell<Option<Panicked>> = const { RefCell::new(None) };
    /// The one before, when the last one is std's own that says why it ends the process.
    static FATAL: RefCell<Option<Panicked>> = const { RefCell::new(None) };
}

/// How the messages begin of panics that std raises to end the process: in a destructor during
/// cleanup, in a function that cannot unwind.
const FATAL_MESSAGE: &str = "panic in a ";

/// Ends the current thread of the model without a word.
pub(super) fn unwind_quietly() -> ! {
    panic::resume_unwind(Box::new(Quiet))
}

/// Whether a payload is [`Quiet`].
pub(super) fn is_quiet(payload: &(dyn Any + Send)) -> bool {
    payload.is::<Quiet>()
}

/// Installs the hook, once per process. `first` may install foreign hooks: they are taken out of
/// the way, and the hook that was there before comes back behind ours. `begins` is told when a
/// thread of a model begins to unwind.
pub(super) fn install(first: impl FnOnce(), begins: fn()) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = panic::take_hook();
        first();
        drop(panic::take_hook());
        panic::set_hook(Box::new(move |info| {
            if super::is_native() {
                previous(info);
            } else {
                begins();
                remember(info);
            }
        }));
    });
}

fn remember(info: &PanicHookInfo<'_>) {
    let panicked = Panicked {
        message: message(info.payload()),
        site: info.location().map(Site::of),
    };
    // The hook must not panic: a borrowed cell means that remembering is under way already.
    LAST.with(|last| {
        if let Ok(mut last) = last.try_borrow_mut() {
            if panicked.message.starts_with(FATAL_MESSAGE) {
                FATAL.set(last.take());
            }
            *last = Some(panicked);
        }
    });
}

/// Why this OS thread is about to end the process, as far as panics tell: the panic of the user's,
/// and what makes it fatal.
#[cfg(unix)]
pub(super) fn take_aborting() -> (Panicked, Option<String>) {
    let last = LAST.take();
    let fatal = last.filter(|last| last.message.starts_with(FATAL_MESSAGE));
    match (FATAL.take(), fatal) {
        (Some(cause), Some(fatal)) => (cause, Some(fatal.message)),
        _ => {
            let aborted = Panicked {
                message: "it called `abort`".to_owned(),
                site: None,
            };
            (aborted, None)
        }
    }
}

/// The last panic on this OS thread.
pub(super) fn last() -> Option<Panicked> {
    LAST.with_borrow(Option::clone)
}

/// The last panic on this OS thread, which is forgotten by this; `payload` serves if the panic came
/// without the hook.
pub(super) fn take_last(payload: &(dyn Any + Send)) -> Panicked {
    let message = message(payload);
    let last = LAST.with(|last| last.borrow_mut().take());
    // An older one may have been caught by the model itself.
    last.filter(|last| last.message == message)
        .unwrap_or(Panicked {
            message,
            site: None,
        })
}

/// The text of a panic's payload.
pub(super) fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        return (*text).to_owned();
    }
    match payload.downcast_ref::<String>() {
        Some(text) => text.clone(),
        None => "a panic whose payload is not text".to_owned(),
    }
}
