//! Threads; std's interface.

#[cfg(not(feature = "model"))]
pub use std::thread::{
    AccessError, Builder, JoinHandle, LocalKey, Result, Scope, ScopedJoinHandle, Thread, ThreadId,
    available_parallelism, current, panicking, park, park_timeout, scope, sleep, spawn, yield_now,
};

#[cfg(feature = "model")]
mod local;

#[cfg(feature = "model")]
pub(crate) use local::drop_locals;
#[cfg(feature = "model")]
pub use local::{AccessError, LocalKey};
#[cfg(feature = "model")]
pub use on::*;

#[cfg(feature = "model")]
mod on {
    use std::any::Any;
    use std::cell::RefCell;
    use std::fmt;
    use std::io;
    use std::marker::PhantomData;
    use std::num::NonZero;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

    use super::drop_locals;
    use crate::engine;
    use crate::op::{How, Site, ThreadId as Id};
    use crate::time::{self, Duration};

    pub use std::thread::Result;

    /// Where a thread leaves its result.
    struct Packet<T> {
        result: Mutex<Option<Result<T>>>,
        /// Whether the result is a panic that nobody has asked for; the scope asks in the end.
        failed: Arc<AtomicBool>,
        /// The time of the thread's clock at its end.
        ended: Mutex<Duration>,
    }

    fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a thread, like [`std::thread::spawn`].
    #[track_caller]
    pub fn spawn<F, T>(f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Builder::new().spawn(f).expect("failed to spawn thread")
    }

    /// What a thread is made from, like [`std::thread::Builder`].
    #[derive(Debug, Default)]
    pub struct Builder {
        name: Option<String>,
        stack_size: Option<usize>,
    }

    impl Builder {
        /// A builder for a thread without a name.
        pub fn new() -> Builder {
            Builder::default()
        }

        /// Names the thread; reports use the name.
        #[must_use]
        pub fn name(mut self, name: String) -> Builder {
            self.name = Some(name);
            self
        }

        /// Sets the size of the stack in bytes. In a model no stack is smaller than
        /// [`Checker::stack_size`](crate::Checker::stack_size) says.
        #[must_use]
        pub fn stack_size(mut self, size: usize) -> Builder {
            self.stack_size = Some(size);
            self
        }

        /// Starts the thread.
        ///
        /// # Errors
        /// When the OS cannot; never in a model.
        #[track_caller]
        pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
        where
            F: FnOnce() -> T + Send + 'static,
            T: Send + 'static,
        {
            if engine::is_native() {
                return self
                    .native()
                    .spawn(f)
                    .map(|handle| JoinHandle(Handle::Native(handle)));
            }
            let (id, packet) = start(self, f, Site::here());
            Ok(JoinHandle(Handle::Model {
                thread: Thread::of(id),
                packet,
            }))
        }

        /// Starts a thread that ends before its scope does.
        ///
        /// # Errors
        /// When the OS cannot; never in a model.
        #[track_caller]
        pub fn spawn_scoped<'scope, 'env, F, T>(
            self,
            scope: &'scope Scope<'scope, 'env>,
            f: F,
        ) -> io::Result<ScopedJoinHandle<'scope, T>>
        where
            F: FnOnce() -> T + Send + 'scope,
            T: Send + 'scope,
        {
            match &scope.inner {
                ScopeInner::Native(inner) => self
                    .native()
                    .spawn_scoped(inner, f)
                    .map(|handle| ScopedJoinHandle(ScopedHandle::Native(handle))),
                ScopeInner::Model(children) => {
                    let (id, packet) = start(self, f, Site::here());
                    let thread = Thread::of(id);
                    children.borrow_mut().push(Child {
                        id,
                        failed: Arc::clone(&packet.failed),
                    });
                    Ok(ScopedJoinHandle(ScopedHandle::Model { thread, packet }))
                }
            }
        }

        fn native(self) -> std::thread::Builder {
            let mut builder = std::thread::Builder::new();
            if let Some(name) = self.name {
                builder = builder.name(name);
            }
            if let Some(size) = self.stack_size {
                builder = builder.stack_size(size);
            }
            builder
        }
    }

    /// Starts a thread of the model. The caller sees to it that `f` does not outlive what it
    /// borrows: the thread has ended, or will never run again, before that goes away.
    fn start<'a, F, T>(builder: Builder, f: F, site: Site) -> (Id, Arc<Packet<T>>)
    where
        F: FnOnce() -> T + 'a,
        T: 'a,
    {
        let failed = Arc::new(AtomicBool::new(false));
        let packet = Arc::new(Packet {
            result: Mutex::new(None),
            failed,
            ended: Mutex::new(Duration::ZERO),
        });
        let its = Arc::clone(&packet);
        let begun = time::elapsed();
        let body = move || {
            time::adopt(begun);
            let result = catch_unwind(AssertUnwindSafe(|| drop_locals(f)));
            *lock(&its.ended) = time::elapsed();
            if let Err(payload) = &result
                && !engine::panicked(&**payload)
            {
                drop(its);
                if let Err(payload) = result {
                    engine::resume_unwind(payload);
                }
                return;
            }
            its.failed.store(result.is_err(), Ordering::Relaxed);
            *lock(&its.result) = Some(result);
        };
        let body: Box<dyn FnOnce() + 'a> = Box::new(body);
        // SAFETY: only the lifetime changes. `spawn` without a scope asks for `'static` already; a
        // scope joins all its threads before it ends, on every path.
        let body: Box<dyn FnOnce() + 'static> = unsafe { std::mem::transmute(body) };
        let body = engine::Body {
            run: body,
            stack_size: builder.stack_size.unwrap_or(0),
        };
        (engine::spawn(builder.name, body, site), packet)
    }

    /// A handle to wait for a thread's end, like [`std::thread::JoinHandle`].
    pub struct JoinHandle<T>(Handle<T>);

    enum Handle<T> {
        Native(std::thread::JoinHandle<T>),
        Model {
            thread: Thread,
            packet: Arc<Packet<T>>,
        },
    }

    impl<T> JoinHandle<T> {
        /// Waits for the thread's end and gives its result.
        ///
        /// # Errors
        /// The payload of its panic, if it panicked.
        #[track_caller]
        pub fn join(self) -> Result<T> {
            match self.0 {
                Handle::Native(handle) => handle.join(),
                Handle::Model { thread, packet } => {
                    engine::join(thread.model_id(), Site::here());
                    take(&packet)
                }
            }
        }

        /// The thread.
        pub fn thread(&self) -> &Thread {
            match &self.0 {
                Handle::Native(handle) => Thread::native(handle.thread()),
                Handle::Model { thread, .. } => thread,
            }
        }

        /// Whether the thread has come to its end.
        #[track_caller]
        pub fn is_finished(&self) -> bool {
            match &self.0 {
                Handle::Native(handle) => handle.is_finished(),
                Handle::Model { thread, .. } => {
                    engine::is_finished(thread.model_id(), Site::here())
                }
            }
        }
    }

    /// The result of a thread that has ended. One that was unwound because the execution is over
    /// has none; whoever asks then is being unwound as well.
    fn take<T>(packet: &Packet<T>) -> Result<T> {
        packet.failed.store(false, Ordering::Relaxed);
        time::adopt(*lock(&packet.ended));
        let result = lock(&packet.result).take();
        result.unwrap_or_else(|| Err(Box::new("the execution of the model is over")))
    }

    impl<T> fmt::Debug for JoinHandle<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("JoinHandle").finish_non_exhaustive()
        }
    }

    /// A thread, like [`std::thread::Thread`].
    #[derive(Clone)]
    #[repr(transparent)]
    pub struct Thread(Who);

    #[derive(Clone)]
    enum Who {
        Native(std::thread::Thread),
        Model { id: Id, name: Option<Arc<str>> },
    }

    impl Thread {
        fn of(id: Id) -> Thread {
            let name = engine::thread_name(id).map(Into::into);
            Thread(Who::Model { id, name })
        }

        /// A native handle's thread has to be given out by reference, so one is kept for good.
        fn native(thread: &std::thread::Thread) -> &'static Thread {
            thread_local! {
                static KNOWN: RefCell<Vec<&'static Thread>> = const { RefCell::new(Vec::new()) };
            }
            KNOWN.with_borrow_mut(|known| {
                let is_it = |its: &&&'static Thread| match &its.0 {
                    Who::Native(native) => native.id() == thread.id(),
                    Who::Model { .. } => false,
                };
                if let Some(its) = known.iter().find(is_it) {
                    return *its;
                }
                let its: &'static Thread = Box::leak(Box::new(Thread(Who::Native(thread.clone()))));
                known.push(its);
                its
            })
        }

        fn model_id(&self) -> Id {
            match self.0 {
                Who::Model { id, .. } => id,
                Who::Native(_) => unreachable!("only a model's handle asks"),
            }
        }

        /// Gives the thread the token that its next [`park`] takes.
        #[track_caller]
        pub fn unpark(&self) {
            match &self.0 {
                Who::Native(thread) => thread.unpark(),
                Who::Model { id, .. } => engine::unpark(*id, Site::here()),
            }
        }

        /// What tells the thread apart from all others; in a model, from the model's others.
        pub fn id(&self) -> ThreadId {
            ThreadId(match &self.0 {
                Who::Native(thread) => WhichId::Native(thread.id()),
                Who::Model { id, .. } => WhichId::Model(*id),
            })
        }

        /// The thread's name, if it was given one. (Reports have names of their own for others.)
        pub fn name(&self) -> Option<&str> {
            match &self.0 {
                Who::Native(thread) => thread.name(),
                Who::Model { name, .. } => name.as_deref(),
            }
        }
    }

    /// Tells threads apart, like [`std::thread::ThreadId`].
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct ThreadId(WhichId);

    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    enum WhichId {
        Native(std::thread::ThreadId),
        Model(Id),
    }

    impl fmt::Debug for Thread {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Thread")
                .field("name", &self.name())
                .finish_non_exhaustive()
        }
    }

    /// The current thread.
    pub fn current() -> Thread {
        match engine::thread_number() {
            None => Thread(Who::Native(std::thread::current())),
            Some(number) => Thread::of(Id(number as u8)),
        }
    }

    /// Waits for the current thread's token and takes it. In a model it never wakes without one.
    #[track_caller]
    pub fn park() {
        if engine::is_native() {
            return std::thread::park();
        }
        engine::park(How::Insist, Site::here());
    }

    /// Waits for the current thread's token and takes it, or gives up after `timeout`.
    ///
    /// In a model it may give up whenever it would have to wait.
    #[track_caller]
    pub fn park_timeout(timeout: Duration) {
        if engine::is_native() {
            return std::thread::park_timeout(timeout);
        }
        time::or_passed(engine::park(How::Timed, Site::here()), timeout);
    }

    /// Lets time pass. In a model nobody waits for it, and everyone else may go first.
    #[track_caller]
    pub fn sleep(duration: Duration) {
        if engine::is_native() {
            return std::thread::sleep(duration);
        }
        engine::sleep(Site::here());
        time::pass(duration);
    }

    /// How many threads can run at once. In a model that is always 2, so that the model does not
    /// depend on the machine.
    ///
    /// # Errors
    /// When the OS does not say.
    pub fn available_parallelism() -> io::Result<NonZero<usize>> {
        if engine::is_native() {
            return std::thread::available_parallelism();
        }
        Ok(NonZero::<usize>::MIN.saturating_add(1))
    }

    /// Lets other threads go first.
    #[track_caller]
    pub fn yield_now() {
        if engine::is_native() {
            return std::thread::yield_now();
        }
        engine::yield_now(Site::here());
    }

    /// Whether the current thread is unwinding.
    pub fn panicking() -> bool {
        engine::panicking()
    }

    /// A scope of threads that may borrow from outside it, like [`std::thread::Scope`].
    #[expect(
        explicit_outlives_requirements,
        reason = "written as std writes it: part of the interface"
    )]
    pub struct Scope<'scope, 'env: 'scope> {
        inner: ScopeInner<'scope, 'env>,
        // Invariant over both lifetimes, as std's.
        scope: PhantomData<&'scope mut &'scope ()>,
        env: PhantomData<&'env mut &'env ()>,
    }

    enum ScopeInner<'scope, 'env> {
        Native(&'scope std::thread::Scope<'scope, 'env>),
        Model(RefCell<Vec<Child>>),
    }

    // SAFETY: in a model all threads share one OS thread, and the list of children is never
    // borrowed across an operation. A native scope is `Sync` itself.
    unsafe impl Sync for Scope<'_, '_> {}

    struct Child {
        id: Id,
        failed: Arc<AtomicBool>,
    }

    /// Runs `f` with a scope whose threads may borrow from outside, and waits for all of them, like
    /// [`std::thread::scope`].
    ///
    /// # Panics
    /// When a thread that was not joined panicked.
    #[track_caller]
    pub fn scope<'env, F, T>(f: F) -> T
    where
        F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
    {
        if engine::is_native() {
            return native_scope(f);
        }
        let site = Site::here();
        let inner = ScopeInner::Model(RefCell::new(Vec::new()));
        let scope = Scope {
            inner,
            scope: PhantomData,
            env: PhantomData,
        };
        let result = catch_unwind(AssertUnwindSafe(|| f(&scope)));
        // Even when `f` panicked: the threads borrow from this stack. A join of a scope unwinds, as the
        // execution is over, only when the thread will never run again.
        let mut at = 0;
        let mut waited = Ok(());
        while let Some(id) = scope.child(at) {
            let join = AssertUnwindSafe(|| engine::join_scoped(id, site));
            waited = waited.and(catch_unwind(join));
            at += 1;
        }
        match waited.and(result) {
            Err(payload) => engine::resume_unwind(payload),
            Ok(_) if scope.has_failed() => panic!("a scoped thread panicked"),
            Ok(value) => value,
        }
    }

    fn native_scope<'env, F, T>(f: F) -> T
    where
        F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
    {
        // Outlives the native scope, and so every thread that uses it.
        let slot: OnceLock<Scope<'static, 'static>> = OnceLock::new();
        std::thread::scope(|native| {
            let inner = ScopeInner::Native(native);
            let scope = Scope {
                inner,
                scope: PhantomData,
                env: PhantomData,
            };
            // SAFETY: only the lifetimes change, and only for as long as it is in the slot.
            let scope =
                unsafe { std::mem::transmute::<Scope<'_, '_>, Scope<'static, 'static>>(scope) };
            let scope = slot.get_or_init(|| scope);
            // SAFETY: gives it the lifetimes back that it had. The slot outlives the native scope.
            f(unsafe { std::mem::transmute::<&Scope<'static, 'static>, &Scope<'_, 'env>>(scope) })
        })
    }

    impl<'scope> Scope<'scope, '_> {
        /// Starts a thread of the scope.
        #[track_caller]
        pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
        where
            F: FnOnce() -> T + Send + 'scope,
            T: Send + 'scope,
        {
            Builder::new()
                .spawn_scoped(self, f)
                .expect("failed to spawn thread")
        }

        /// Whether a thread panicked that nobody joined.
        fn has_failed(&self) -> bool {
            let ScopeInner::Model(children) = &self.inner else {
                return false;
            };
            children
                .borrow()
                .iter()
                .any(|child| child.failed.load(Ordering::Relaxed))
        }

        /// The thread that was started as number `at`. Threads of the scope may start more of them.
        fn child(&self, at: usize) -> Option<Id> {
            match &self.inner {
                ScopeInner::Model(children) => children.borrow().get(at).map(|child| child.id),
                ScopeInner::Native(_) => None,
            }
        }
    }

    impl fmt::Debug for Scope<'_, '_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Scope").finish_non_exhaustive()
        }
    }

    /// A handle to wait for the end of a scope's thread, like [`std::thread::ScopedJoinHandle`].
    pub struct ScopedJoinHandle<'scope, T>(ScopedHandle<'scope, T>);

    enum ScopedHandle<'scope, T> {
        Native(std::thread::ScopedJoinHandle<'scope, T>),
        Model {
            thread: Thread,
            packet: Arc<Packet<T>>,
        },
    }

    impl<T> ScopedJoinHandle<'_, T> {
        /// Waits for the thread's end and gives its result.
        ///
        /// # Errors
        /// The payload of its panic, if it panicked.
        #[track_caller]
        pub fn join(self) -> Result<T> {
            match self.0 {
                ScopedHandle::Native(handle) => handle.join(),
                ScopedHandle::Model { thread, packet } => {
                    engine::join(thread.model_id(), Site::here());
                    take(&packet)
                }
            }
        }

        /// The thread.
        pub fn thread(&self) -> &Thread {
            match &self.0 {
                ScopedHandle::Native(handle) => Thread::native(handle.thread()),
                ScopedHandle::Model { thread, .. } => thread,
            }
        }

        /// Whether the thread has come to its end.
        #[track_caller]
        pub fn is_finished(&self) -> bool {
            match &self.0 {
                ScopedHandle::Native(handle) => handle.is_finished(),
                ScopedHandle::Model { thread, .. } => {
                    engine::is_finished(thread.model_id(), Site::here())
                }
            }
        }
    }

    impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("ScopedJoinHandle").finish_non_exhaustive()
        }
    }

    const _: () = {
        const fn send_and_sync<T: Send + Sync>() {}
        send_and_sync::<JoinHandle<Box<dyn Any + Send + Sync>>>();
        send_and_sync::<Thread>();
        send_and_sync::<ThreadId>();
    };
}

/// Variables of each thread, like [`std::thread_local!`].
///
/// In a model every thread of every execution has its own, which is dropped when the thread has
/// come to its end.
///
/// ```
/// use std::cell::Cell;
///
/// gordian::thread_local! {
///     static DEPTH: Cell<u32> = const { Cell::new(0) };
/// }
/// DEPTH.set(DEPTH.get() + 1);
/// assert_eq!(DEPTH.take(), 1);
/// ```
#[cfg(feature = "model")]
#[macro_export]
macro_rules! thread_local {
    () => {};
    (
        $(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty = const $init:block
        $(; $($rest:tt)*)?
    ) => {
        $crate::thread_local!(
            $(#[$attribute])* $visibility static $name: $type = { const { $init } }
            $(; $($rest)*)?
        );
    };
    (
        $(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty = $init:expr
        $(; $($rest:tt)*)?
    ) => {
        $(#[$attribute])*
        $visibility static $name: $crate::thread::LocalKey<$type> = {
            fn init() -> $type {
                $init
            }
            ::std::thread_local! {
                static NATIVE: $type = init();
            }
            $crate::thread::LocalKey::new(&NATIVE, init)
        };
        $($crate::thread_local!($($rest)*);)?
    };
}
