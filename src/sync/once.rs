//! Initialisation that happens once; std's interface, not parking_lot's.
//!
//! In a model each execution starts afresh: what a static holds was made in this execution.

#[cfg(not(feature = "model"))]
pub use off::*;
#[cfg(feature = "model")]
pub use on::*;

#[cfg(not(feature = "model"))]
mod off {
    use std::borrow::Cow;
    pub use std::sync::{LazyLock, Once, OnceLock, OnceState};

    impl crate::Named for Once {
        fn named(self, _name: impl Into<Cow<'static, str>>) -> Self {
            self
        }
    }

    impl<T> crate::Named for OnceLock<T> {
        fn named(self, _name: impl Into<Cow<'static, str>>) -> Self {
            self
        }
    }

    impl<T, F> crate::Named for LazyLock<T, F> {
        fn named(self, _name: impl Into<Cow<'static, str>>) -> Self {
            self
        }
    }
}

#[cfg(feature = "model")]
mod on {
    use crate::engine::{self, Identity};
    use crate::op::{Action, How, Kind, Site};
    use crate::sync::per_execution::PerExecution;
    use std::any::TypeId;
    use std::borrow::Cow;
    use std::cell::Cell;
    use std::fmt;
    use std::marker::PhantomData;
    use std::ops::Deref;
    use std::panic::{RefUnwindSafe, UnwindSafe};
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Something that is done once, like [`std::sync::Once`].
    ///
    /// ```
    /// use gordian::sync::Once;
    ///
    /// static START: Once = Once::new();
    /// let mut times = 0;
    /// START.call_once(|| times += 1);
    /// START.call_once(|| times += 1);
    /// assert!(START.is_completed());
    /// assert_eq!(times, 1);
    /// ```
    pub struct Once {
        identity: Identity,
        /// The epoch of the execution in which it was done for all that come later; or
        /// [`Once::MADE_DONE`], or [`Once::NEVER`].
        done_in: AtomicU64,
        /// In a model: the epoch of the execution in which it was poisoned. Written and read only
        /// by the thread that runs it.
        poisoned: AtomicU64,
        native: std::sync::Once,
    }

    /// What the closure of [`Once::call_once_force`] learns.
    pub struct OnceState {
        poisoned: bool,
    }

    impl OnceState {
        /// Whether an earlier closure has panicked.
        pub fn is_poisoned(&self) -> bool {
            self.poisoned
        }
    }

    /// Says at the end, also when that is a panic, what came of running it.
    struct Running<'a> {
        once: &'a Once,
        /// Where it was called: what it ends with has no place of its own.
        site: Site,
        completed: bool,
        poisoned: bool,
    }

    impl Drop for Running<'_> {
        fn drop(&mut self) {
            let epoch = if self.poisoned { engine::epoch() } else { 0 };
            // Relaxed: the engine orders those who run it one after the other.
            self.once.poisoned.store(epoch.into(), Ordering::Relaxed);
            let action = match self.completed {
                true => Action::Complete,
                false => Action::Abandon,
            };
            self.once.act_at(action, self.site);
        }
    }

    impl Once {
        /// Something that has not been done.
        #[track_caller]
        #[must_use]
        #[expect(clippy::new_without_default, reason = "std's has no default")]
        pub const fn new() -> Once {
            Once::with(Identity::here(), Once::NEVER)
        }

        const NEVER: u64 = u64::MAX;
        const MADE_DONE: u64 = u64::MAX - 1;

        const fn with(identity: Identity, done_in: u64) -> Once {
            Once {
                identity,
                done_in: AtomicU64::new(done_in),
                poisoned: AtomicU64::new(0),
                native: std::sync::Once::new(),
            }
        }

        /// Runs `f` if nobody has; waits while somebody does.
        ///
        /// # Panics
        /// When an earlier closure has panicked.
        #[track_caller]
        pub fn call_once<F: FnOnce()>(&self, f: F) {
            if engine::is_native() {
                return self.native.call_once(f);
            }
            self.run(false, |_| f());
        }

        /// Like [`Once::call_once`], but an earlier panic is no reason not to run `f`.
        #[track_caller]
        pub fn call_once_force<F: FnOnce(&OnceState)>(&self, f: F) {
            if engine::is_native() {
                return self.native.call_once_force(|state| {
                    f(&OnceState {
                        poisoned: state.is_poisoned(),
                    });
                });
            }
            self.run(true, f);
        }

        /// Whether a closure has run to its end.
        #[track_caller]
        pub fn is_completed(&self) -> bool {
            if engine::is_native() {
                return self.native.is_completed();
            }
            self.act(Action::IsComplete)
        }

        #[track_caller]
        fn run(&self, force: bool, f: impl FnOnce(&OnceState)) {
            if !self.act(Action::Begin) {
                return;
            }
            let poisoned = self.poisoned.load(Ordering::Relaxed) == u64::from(engine::epoch());
            let mut running = Running {
                once: self,
                site: Site::here(),
                completed: false,
                poisoned: true,
            };
            if poisoned && !force {
                drop(running);
                panic!("Once instance has previously been poisoned");
            }
            f(&OnceState { poisoned });
            running.completed = true;
            running.poisoned = false;
        }

        #[track_caller]
        fn act(&self, action: Action) -> bool {
            self.act_at(action, Site::here())
        }

        fn act_at(&self, action: Action, site: Site) -> bool {
            let done = self.is_preset();
            let kind = Kind::Once { done };
            engine::operate_at(&self.identity, kind, action, How::Insist, 0, site).succeeded()
        }

        /// Whether it was done before this execution, which makes asking no step.
        fn is_preset(&self) -> bool {
            // Relaxed: it matters only in executions that begin later.
            let done_in = self.done_in.load(Ordering::Relaxed);
            done_in != Once::NEVER && done_in != u64::from(engine::epoch())
        }

        /// It has been done, and in every execution that is to come.
        fn set_done(&self) {
            let epoch = u64::from(engine::epoch());
            self.done_in.store(epoch, Ordering::Relaxed);
        }

        /// The same names, as if it had not been done.
        fn clone_unused(&self) -> Once {
            Once::with(self.identity.clone_unused(), Once::NEVER)
        }

        fn renamed(self, name: Cow<'static, str>) -> Once {
            Once {
                identity: self.identity.named(name),
                ..self
            }
        }
    }

    impl fmt::Debug for Once {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Once").finish_non_exhaustive()
        }
    }

    impl fmt::Debug for OnceState {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("OnceState")
                .field("poisoned", &self.poisoned)
                .finish()
        }
    }

    impl crate::Named for Once {
        fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
            self.renamed(name.into())
        }
    }

    /// A cell that is written once, like [`std::sync::OnceLock`].
    ///
    /// In a model it is empty at the beginning of each execution, unless it was made
    /// [`from`](From::from) a value.
    ///
    /// ```
    /// use gordian::sync::OnceLock;
    ///
    /// static LIMIT: OnceLock<u64> = OnceLock::new();
    /// assert_eq!(LIMIT.get(), None);
    /// assert_eq!(*LIMIT.get_or_init(|| 10), 10);
    /// assert_eq!(LIMIT.set(20), Err(20));
    /// ```
    pub struct OnceLock<T> {
        once: Once,
        value: PerExecution<T>,
    }

    impl<T> OnceLock<T> {
        /// An empty cell.
        #[track_caller]
        #[must_use]
        pub const fn new() -> OnceLock<T> {
            OnceLock {
                once: Once::with(Identity::here(), Once::NEVER),
                value: PerExecution::new(),
            }
        }

        /// The value, if it was set.
        #[track_caller]
        pub fn get(&self) -> Option<&T> {
            if self.once.is_preset() || self.once.is_completed() {
                self.value.get()
            } else {
                None
            }
        }

        /// The value, if it was set.
        pub fn get_mut(&mut self) -> Option<&mut T> {
            self.value.get_mut()
        }

        /// Sets the value, if it was not set.
        ///
        /// # Errors
        /// The new value, if there is one already.
        #[track_caller]
        pub fn set(&self, value: T) -> Result<(), T> {
            let mut value = Some(value);
            self.init_with(|| value.take().expect("called once"));
            value.map_or(Ok(()), Err)
        }

        /// The value; `f` makes it if there is none yet.
        ///
        /// # Panics
        /// When `f` does; the cell is empty then.
        #[track_caller]
        pub fn get_or_init<F: FnOnce() -> T>(&self, f: F) -> &T {
            self.init_with(f);
            self.value.get().expect("it was set, by this or before")
        }

        #[track_caller]
        fn init_with(&self, f: impl FnOnce() -> T) {
            if !self.once.is_preset() {
                self.once.call_once_force(|_| self.value.set(f()));
            }
        }

        /// The value, if it was set.
        pub fn into_inner(mut self) -> Option<T> {
            self.value.take()
        }

        /// Takes the value out, if it was set; the cell is empty then.
        pub fn take(&mut self) -> Option<T> {
            let value = self.value.take();
            self.once = self.once.clone_unused();
            value
        }
    }

    impl<T> Default for OnceLock<T> {
        #[track_caller]
        fn default() -> Self {
            OnceLock::new()
        }
    }

    impl<T> From<T> for OnceLock<T> {
        #[track_caller]
        fn from(value: T) -> Self {
            let cell = OnceLock {
                once: Once::with(Identity::here(), Once::MADE_DONE),
                value: PerExecution::new(),
            };
            cell.value.set_for_everyone(value);
            cell
        }
    }

    impl<T: Clone> Clone for OnceLock<T> {
        #[track_caller]
        fn clone(&self) -> Self {
            self.get()
                .cloned()
                .map_or_else(OnceLock::new, OnceLock::from)
        }
    }

    impl<T: PartialEq> PartialEq for OnceLock<T> {
        fn eq(&self, other: &Self) -> bool {
            self.get() == other.get()
        }
    }

    impl<T: Eq> Eq for OnceLock<T> {}

    impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let mut tuple = f.debug_tuple("OnceLock");
            match self.value.get() {
                Some(value) => tuple.field(value),
                None => tuple.field(&format_args!("<uninit>")),
            };
            tuple.finish()
        }
    }

    impl<T: UnwindSafe> UnwindSafe for OnceLock<T> {}
    impl<T: RefUnwindSafe + UnwindSafe> RefUnwindSafe for OnceLock<T> {}

    impl<T> crate::Named for OnceLock<T> {
        fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
            OnceLock {
                once: self.once.renamed(name.into()),
                value: self.value,
            }
        }
    }

    /// A value that is made when it is first used, like [`std::sync::LazyLock`].
    ///
    /// In a model a static is made anew in each execution. One whose maker is a closure with
    /// captures can be made only once, and keeps its value.
    ///
    /// ```
    /// use gordian::sync::{LazyLock, Mutex};
    ///
    /// static LOG: LazyLock<Mutex<Vec<String>>> = LazyLock::new(|| Mutex::new(Vec::new()));
    /// LOG.lock().push("begun".to_owned());
    /// assert_eq!(LOG.lock().len(), 1);
    /// ```
    pub struct LazyLock<T, F = fn() -> T> {
        once: Once,
        value: PerExecution<T>,
        /// Taken by the one thread that makes the value.
        init: Cell<Option<F>>,
    }

    // SAFETY: `init` is touched only by the thread that `once` lets make the value; apart from that
    // it is as std's.
    unsafe impl<T: Send + Sync, F: Send> Sync for LazyLock<T, F> {}

    /// What std says whose maker has panicked.
    const POISONED: &str = "LazyLock instance has previously been poisoned";

    impl<T, F: FnOnce() -> T> LazyLock<T, F> {
        /// A value that `f` makes when it is first used.
        #[track_caller]
        pub const fn new(f: F) -> LazyLock<T, F> {
            LazyLock {
                once: Once::with(Identity::here(), Once::NEVER),
                value: PerExecution::new(),
                init: Cell::new(Some(f)),
            }
        }

        /// The value, which is made if it was not yet.
        ///
        /// # Panics
        /// When making it panics, now or earlier.
        #[track_caller]
        pub fn force(this: &LazyLock<T, F>) -> &T {
            if !this.once.is_preset() {
                this.once.call_once_force(|state| {
                    assert!(!state.is_poisoned(), "{POISONED}");
                    this.make();
                });
            }
            this.value.get().expect(POISONED)
        }

        fn make(&self) {
            let again = is_function::<F, T>();
            let init = if again {
                self.function()
            } else {
                self.init.take()
            };
            // A panic of a closure with captures in an earlier execution.
            let init = init.expect(POISONED);
            let value = init();
            if again {
                self.value.set(value);
            } else {
                self.value.set_for_everyone(value);
                self.once.set_done();
            }
        }

        /// A copy of the maker, which must be a function.
        fn function(&self) -> Option<F> {
            debug_assert!(is_function::<F, T>());
            // SAFETY: `F` is a function pointer, which may be copied. Only the thread that makes
            // the value is here, so nobody changes the cell.
            unsafe { std::ptr::read(self.init.as_ptr()) }
        }
    }

    /// Whether `F` is a pointer to a function, which can be called again and again.
    fn is_function<F, T>() -> bool {
        type_id::<F>() == type_id::<fn() -> T>()
    }

    /// The identity of a type, lifetimes apart.
    fn type_id<T: ?Sized>() -> TypeId {
        trait Typed {
            fn id(&self) -> TypeId
            where
                Self: 'static;
        }
        impl<T: ?Sized> Typed for PhantomData<T> {
            fn id(&self) -> TypeId
            where
                Self: 'static,
            {
                TypeId::of::<T>()
            }
        }
        let typed: &dyn Typed = &PhantomData::<T>;
        // SAFETY: only the lifetime bound changes. The method looks at the type, and a type's
        // identity does not depend on lifetimes.
        let typed: &(dyn Typed + 'static) = unsafe { std::mem::transmute(typed) };
        typed.id()
    }

    impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
        type Target = T;

        #[track_caller]
        fn deref(&self) -> &T {
            LazyLock::force(self)
        }
    }

    impl<T: Default> Default for LazyLock<T> {
        #[track_caller]
        fn default() -> Self {
            LazyLock::new(T::default)
        }
    }

    impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let mut tuple = f.debug_tuple("LazyLock");
            match self.value.get() {
                Some(value) => tuple.field(value),
                None => tuple.field(&format_args!("<uninit>")),
            };
            tuple.finish()
        }
    }

    impl<T: UnwindSafe, F: UnwindSafe> UnwindSafe for LazyLock<T, F> {}
    impl<T: RefUnwindSafe + UnwindSafe, F: UnwindSafe> RefUnwindSafe for LazyLock<T, F> {}

    impl<T, F> crate::Named for LazyLock<T, F> {
        fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
            LazyLock {
                once: self.once.renamed(name.into()),
                value: self.value,
                init: self.init,
            }
        }
    }
}
