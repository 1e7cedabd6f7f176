//! Variables of each thread; std's interface.
//!
//! Outside a model the variable is std's. In one every thread of every execution has its own, which
//! is dropped when the thread has come to its end.

use crate::engine;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

/// A variable of each thread, like [`std::thread::LocalKey`]; made by
/// [`thread_local!`](crate::thread_local).
pub struct LocalKey<T: 'static> {
    native: &'static std::thread::LocalKey<T>,
    init: fn() -> T,
}

/// The variable's thread is ending and has dropped it, like [`std::thread::AccessError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessError;

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("already destroyed")
    }
}

impl std::error::Error for AccessError {}

/// A variable, whatever its type. The pointer is an `Rc`'s.
type Variable = Rc<dyn std::any::Any>;

/// The variables of one thread of a model.
#[derive(Default)]
struct Locals {
    /// By the address of their key, in the order in which they were made.
    variables: Vec<(usize, Variable)>,
    /// Those that were dropped, or are being dropped.
    dropped: Vec<usize>,
}

/// The variables of the execution that this OS thread runs.
struct Execution {
    epoch: u32,
    /// By thread.
    threads: Vec<Locals>,
}

thread_local! {
    static EXECUTION: RefCell<Execution> = const {
        RefCell::new(Execution { epoch: 0, threads: Vec::new() })
    };
}

/// Works on the variables of the current thread of a model. `f` must not run the model's code.
fn with_locals<R>(f: impl FnOnce(&mut Locals) -> R) -> Option<R> {
    let thread = engine::thread_number()?;
    let epoch = engine::epoch();
    EXECUTION.with_borrow_mut(|execution| {
        if execution.epoch != epoch {
            for locals in &mut execution.threads {
                // What is there belongs to stacks that were left behind: it is never dropped.
                if !locals.variables.is_empty() {
                    std::mem::forget(std::mem::take(&mut locals.variables));
                }
                locals.dropped.clear();
            }
            execution.epoch = epoch;
        }
        if execution.threads.len() <= thread {
            execution.threads.resize_with(thread + 1, Locals::default);
        }
        Some(f(&mut execution.threads[thread]))
    })
}

/// Runs the whole of a thread of a model and then, also when it panics, drops its variables.
pub(crate) fn drop_locals<R>(thread: impl FnOnce() -> R) -> R {
    struct DropAll;

    impl Drop for DropAll {
        fn drop(&mut self) {
            // One may be the last to use another, or make a new one. If its destructor panics, the
            // others are dropped all the same.
            while let Some(Some(variable)) = with_locals(Locals::take_next) {
                let rest = DropAll;
                drop(variable);
                std::mem::forget(rest);
            }
        }
    }

    let _locals = DropAll;
    thread()
}

impl Locals {
    fn take_next(&mut self) -> Option<Variable> {
        if self.variables.is_empty() {
            return None;
        }
        let (key, variable) = self.variables.remove(0);
        self.dropped.push(key);
        Some(variable)
    }

    fn get(&self, key: usize) -> Result<Option<Variable>, AccessError> {
        if self.dropped.contains(&key) {
            return Err(AccessError);
        }
        let found = self.variables.iter().find(|(its, _)| *its == key);
        Ok(found.map(|(_, variable)| Rc::clone(variable)))
    }
}

impl<T: 'static> LocalKey<T> {
    #[doc(hidden)]
    pub const fn new(native: &'static std::thread::LocalKey<T>, init: fn() -> T) -> Self {
        LocalKey { native, init }
    }

    /// The model's variable, made by `init` if there is none yet, or dropped and gone.
    fn variable(&'static self, init: impl FnOnce() -> T) -> Result<Rc<T>, AccessError> {
        let key = std::ptr::from_ref(self).addr();
        let found = with_locals(|locals| locals.get(key)).unwrap_or(Err(AccessError))?;
        if let Some(variable) = found {
            return variable.downcast().map_err(|_| AccessError);
        }
        let variable = Rc::new(init());
        let its: Variable = Rc::<T>::clone(&variable);
        with_locals(|locals| locals.variables.push((key, its)));
        Ok(variable)
    }

    /// Looks at the variable, which is made if the thread has none yet.
    ///
    /// # Panics
    /// When the thread is ending and has dropped it.
    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        self.try_with(f)
            .expect("cannot access a thread-local variable during or after its destruction")
    }

    /// Looks at the variable, which is made if the thread has none yet.
    ///
    /// # Errors
    /// When the thread is ending and has dropped it.
    pub fn try_with<R>(&'static self, f: impl FnOnce(&T) -> R) -> Result<R, AccessError> {
        if engine::is_native() {
            return self.native.try_with(f).map_err(|_| AccessError);
        }
        let variable = self.variable(self.init)?;
        Ok(f(&variable))
    }

    /// Looks at the variable, which `value` becomes if the thread has none yet; else `value` is
    /// given to `f` as well.
    fn with_or<R>(&'static self, value: T, f: impl FnOnce(&T, Option<T>) -> R) -> R {
        let mut value = Some(value);
        let variable = self
            .variable(|| value.take().expect("it is made once"))
            .expect("cannot access a thread-local variable during or after its destruction");
        f(&variable, value)
    }
}

impl<T: 'static> LocalKey<Cell<T>> {
    /// Overwrites the value.
    pub fn set(&'static self, value: T) {
        if engine::is_native() {
            return self.native.set(value);
        }
        self.with_or(Cell::new(value), |variable, value| {
            if let Some(value) = value {
                variable.set(value.into_inner());
            }
        });
    }

    /// The value.
    pub fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    /// Takes the value and leaves the default.
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(Cell::take)
    }

    /// Overwrites the value and gives the one before.
    pub fn replace(&'static self, value: T) -> T {
        self.with(|variable| variable.replace(value))
    }
}

impl<T: 'static> LocalKey<RefCell<T>> {
    /// Looks at the value.
    ///
    /// # Panics
    /// When it is being changed.
    pub fn with_borrow<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        self.with(|variable| f(&variable.borrow()))
    }

    /// Changes the value.
    ///
    /// # Panics
    /// When it is being looked at or changed.
    pub fn with_borrow_mut<R>(&'static self, f: impl FnOnce(&mut T) -> R) -> R {
        self.with(|variable| f(&mut variable.borrow_mut()))
    }

    /// Overwrites the value.
    ///
    /// # Panics
    /// When it is being looked at or changed.
    pub fn set(&'static self, value: T) {
        if engine::is_native() {
            return self.native.set(value);
        }
        self.with_or(RefCell::new(value), |variable, value| {
            if let Some(value) = value {
                *variable.borrow_mut() = value.into_inner();
            }
        });
    }

    /// Takes the value and leaves the default.
    ///
    /// # Panics
    /// When it is being looked at or changed.
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(RefCell::take)
    }

    /// Overwrites the value and gives the one before.
    ///
    /// # Panics
    /// When it is being looked at or changed.
    pub fn replace(&'static self, value: T) -> T {
        self.with(|variable| variable.replace(value))
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}
