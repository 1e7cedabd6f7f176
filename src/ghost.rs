//! Ghost variables: state of the specification that several threads share.

use crate::named::Named;
#[cfg(feature = "model")]
use crate::{
    engine::{self, Identity},
    op::{Action, Kind},
};
use std::borrow::Cow;

/// A variable that exists for the proof only: a log of what happened, a simulated exchange, a
/// counter that an invariant reads.
///
/// Each access is one step that nothing can interrupt, so a ghost variable needs no lock of its
/// own and adds no blocking. Accesses through a plain `std` mutex or atomic would not be seen by
/// the search: it would take two steps that conflict for independent ones.
///
/// Outside a model it is a plain mutex.
///
/// ```
/// let sold = gordian::Ghost::new(0);
/// sold.write(|n| *n += 1);
/// assert_eq!(sold.read(|n| *n), 1);
/// ```
#[derive(Debug, Default)]
pub struct Ghost<T> {
    #[cfg(feature = "model")]
    identity: Identity,
    value: parking_lot::Mutex<T>,
}

impl<T> Ghost<T> {
    /// A ghost variable with this value.
    #[track_caller]
    pub const fn new(value: T) -> Self {
        Ghost {
            #[cfg(feature = "model")]
            identity: Identity::here(),
            value: parking_lot::Mutex::new(value),
        }
    }

    /// Looks at the value, in one step. Two reads do not conflict.
    ///
    /// # Panics
    /// When `f` uses this variable again.
    #[track_caller]
    pub fn read<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        #[cfg(feature = "model")]
        engine::touch(&self.identity, Kind::Ghost, Action::Load);
        f(&*self.access())
    }

    /// Changes the value, in one step.
    ///
    /// # Panics
    /// When `f` uses this variable again.
    #[track_caller]
    pub fn write<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        #[cfg(feature = "model")]
        engine::touch(&self.identity, Kind::Ghost, Action::Update);
        f(&mut *self.access())
    }

    /// The value, for the one who owns the variable.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }

    /// In a model no two accesses overlap, so a value in use means that one is inside another.
    #[track_caller]
    fn access(&self) -> parking_lot::MutexGuard<'_, T> {
        #[cfg(feature = "model")]
        if !engine::is_native() {
            return self
                .value
                .try_lock()
                .expect("a ghost variable is used inside its own access");
        }
        self.value.lock()
    }
}

impl<T> Named for Ghost<T> {
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        #[cfg(feature = "model")]
        return Ghost {
            identity: self.identity.named(name.into()),
            value: self.value,
        };
        #[cfg(not(feature = "model"))]
        {
            let _ = name;
            self
        }
    }
}
