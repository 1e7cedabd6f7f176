//! A value that each execution of a model sets anew, and the world outside models too.
//!
//! Knows which execution runs. Does not know when the value may be set: whoever sets it is alone
//! with it, and whoever reads it comes later.

use crate::engine;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::OnceLock;
use std::thread::ThreadId;

/// Which execution a value is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// All of them, and the world outside.
    Everyone,
    /// The world outside models.
    Native,
    /// The execution of this epoch, on this OS thread.
    Execution(u32, ThreadId),
}

impl Owner {
    fn current() -> Owner {
        match engine::epoch() {
            0 => Owner::Native,
            epoch => Owner::Execution(epoch, std::thread::current().id()),
        }
    }

    /// Whether this is an execution that is over, given the one that runs.
    fn is_before(self, current: Owner) -> bool {
        match (self, current) {
            (Owner::Execution(epoch, thread), Owner::Execution(now, here)) => {
                thread == here && epoch != now
            }
            _ => false,
        }
    }
}

/// Values by execution. One of an execution that is over is leaked, not dropped, when the next one
/// comes: a static may have given out references to it that last for ever.
pub(crate) struct PerExecution<T> {
    /// The pointers come from boxes. At most one for each OS thread that ever ran a model, and two.
    values: parking_lot::Mutex<Vec<(Owner, NonNull<T>)>>,
    /// Gives references out, as std's cell does: `Send` and `Sync` when that is.
    cell: PhantomData<OnceLock<T>>,
}

// SAFETY: it owns the values, as a `OnceLock` does.
unsafe impl<T: Send> Send for PerExecution<T> {}
// SAFETY: it gives out references to the values, and lets them be set through a shared reference,
// as a `OnceLock` does.
unsafe impl<T: Send + Sync> Sync for PerExecution<T> {}

impl<T> PerExecution<T> {
    /// No value.
    pub(crate) const fn new() -> Self {
        PerExecution {
            values: parking_lot::Mutex::new(Vec::new()),
            cell: PhantomData,
        }
    }

    /// The value, if it was set in this execution.
    pub(crate) fn get(&self) -> Option<&T> {
        let value = self.find(Owner::current())?;
        // SAFETY: the pointer comes from a box that is freed only by an exclusive borrow.
        Some(unsafe { value.as_ref() })
    }

    /// The value, if it was set in this execution.
    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        let mut value = self.find(Owner::current())?;
        // SAFETY: the pointer comes from a box, and the borrow is exclusive.
        Some(unsafe { value.as_mut() })
    }

    fn find(&self, current: Owner) -> Option<NonNull<T>> {
        let values = self.values.lock();
        let found = values
            .iter()
            .find(|(owner, _)| *owner == current || *owner == Owner::Everyone);
        found.map(|(_, value)| *value)
    }

    /// Sets the value of this execution, which has none.
    pub(crate) fn set(&self, value: T) {
        self.set_for(Owner::current(), value);
    }

    /// Sets the value of all executions, which have none.
    pub(crate) fn set_for_everyone(&self, value: T) {
        self.set_for(Owner::Everyone, value);
    }

    fn set_for(&self, owner: Owner, value: T) {
        let value = NonNull::from(Box::leak(Box::new(value)));
        let mut values = self.values.lock();
        values.retain(|(its, _)| !its.is_before(owner));
        values.push((owner, value));
    }

    /// Takes the value out, if it was set in this execution.
    pub(crate) fn take(&mut self) -> Option<T> {
        let current = Owner::current();
        let values = self.values.get_mut();
        let at = values
            .iter()
            .position(|(owner, _)| *owner == current || *owner == Owner::Everyone)?;
        let (_, value) = values.remove(at);
        // SAFETY: the pointer comes from a box and is in no list any more.
        Some(*unsafe { Box::from_raw(value.as_ptr()) })
    }
}

impl<T> Drop for PerExecution<T> {
    fn drop(&mut self) {
        for (_, value) in self.values.get_mut().drain(..) {
            // SAFETY: the pointer comes from a box and is in no list any more.
            drop(unsafe { Box::from_raw(value.as_ptr()) });
        }
    }
}
