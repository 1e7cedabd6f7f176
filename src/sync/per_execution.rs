//! A value that each execution of a model sets anew, and the world outside models too.
//!
//! Knows which execution runs. Does not know when the value may be set: whoever sets it is alone
//! with it, and whoever reads it comes later.

use crate::engine;
use std::marker::PhantomData;
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

    /// Whether a value of this one is that of the execution that runs.
    fn serves(self, current: Owner) -> bool {
        self == current || self == Owner::Everyone
    }
}

/// Values by execution. One of an execution that is over is leaked, not dropped, when the next one
/// comes: a static may have given out references to it that last for ever.
pub(crate) struct PerExecution<T> {
    /// Lists of one value each, which stays where it is when they move. At most one for each OS
    /// thread that ever ran a model, and two. (Not a type with a `Drop` of its own: so the values may
    /// borrow what is dropped before them, as std's may.)
    values: parking_lot::Mutex<Vec<(Owner, Vec<T>)>>,
    /// Gives references out, as std's cell does: `Send` and `Sync` when that is.
    cell: PhantomData<OnceLock<T>>,
}

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
        // SAFETY: the list that it is in has it until there is an exclusive borrow.
        Some(unsafe { &*value })
    }

    /// The value, if it was set in this execution.
    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        let current = Owner::current();
        let mut values = self.values.get_mut().iter_mut();
        let (_, value) = values.find(|(owner, _)| owner.serves(current))?;
        value.first_mut()
    }

    fn find(&self, current: Owner) -> Option<*const T> {
        let values = self.values.lock();
        let found = values.iter().find(|(owner, _)| owner.serves(current));
        found.map(|(_, value)| value.as_ptr())
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
        let mut values = self.values.lock();
        for (_, old) in values.extract_if(.., |(its, _)| its.is_before(owner)) {
            std::mem::forget(old);
        }
        values.push((owner, vec![value]));
    }

    /// Takes the value out, if it was set in this execution.
    pub(crate) fn take(&mut self) -> Option<T> {
        let current = Owner::current();
        let values = self.values.get_mut();
        let at = values.iter().position(|(owner, _)| owner.serves(current))?;
        values.remove(at).1.pop()
    }
}
