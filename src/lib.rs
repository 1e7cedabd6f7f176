//! Gordian finds deadlocks and lock misuse in Rust programs before they happen, and proves their
//! absence where that can be proved.
//!
//! # Background
//! A deadlock needs an interleaving that a test run almost never takes. Gordian takes all of them:
//! locking code that is written on [`sync`] and [`thread`], whose types are drop-in for
//! parking_lot's and std's, runs in a test under an engine that decides at every lock operation
//! who goes on. It goes through the interleavings one by one, each up to the order of operations
//! that do not affect one another, and says at the end what it found and how much it explored.
//!
//! # Writing a model
//! A model is a test function that starts threads and returns when they have ended:
//!
//! ```
//! # #[cfg(feature = "model")] {
//! use gordian::sync::{Arc, Mutex};
//! use gordian::{Named, check, thread};
//!
//! let report = check(|| {
//!     let alice = Arc::new(Mutex::new(10).named("alice"));
//!     let bob = Arc::new(Mutex::new(10).named("bob"));
//!     let (a, b) = (Arc::clone(&alice), Arc::clone(&bob));
//!     let teller = thread::spawn(move || {
//!         let (mut from, mut to) = (b.lock(), a.lock());
//!         *from -= 1;
//!         *to += 1;
//!     });
//!     {
//!         let (mut from, mut to) = (alice.lock(), bob.lock());
//!         *from -= 1;
//!         *to += 1;
//!     }
//!     teller.join().unwrap();
//! });
//! let deadlock = report.assert_found(gordian::Code::Deadlock);
//! assert_eq!(deadlock.message, "`main` and `thread-1` wait for each other");
//! assert_eq!(report.search.executions, 3);
//! # }
//! ```
//!
//! With the attribute `#[gordian::test]` the same closure is a test that fails with the
//! explanation. What the world around the code may do is said with [`choose`] and [`any`] (did the
//! call fail?), [`slow`] marks a call that must not be made under a lock, [`invariant`] and
//! [`Ghost`] state what must hold.
//!
//! # Running
//! `cargo test` runs models like other tests; `cargo gordian test` runs them alone and prints a
//! table. Without the feature `model` the face *is* parking_lot and std: nothing is left of Gordian
//! in a release build. With it, outside a model, the types work as the real ones. The feature belongs
//! into `[dev-dependencies]`, and needs cargo's resolver 2 or later to stay there: a virtual workspace
//! without `resolver = "2"` has it in `cargo build` as well, and examples always do.
//!
//! # Debugging a failure
//! A finding names threads and locks, shows where each was taken and waited for, the steps that led
//! there, and a token. `GORDIAN_REPLAY=<token>` runs that one interleaving again, under a debugger
//! if need be.
//!
//! # Limitations
//! What a green run does not prove (README.md has the same as a table, with the ways out):
//! - Only operations of [`sync`], [`thread`], [`Ghost`] and the functions above are seen. Anything
//!   else that threads share (std locks and atomics, files, the clock) is taken to be local. If it
//!   blocks a thread the check ends with an error; if it changes what threads do, with a
//!   `nondeterminism` finding when that shows; if the model uses nothing else it is
//!   [vacuous](report::Vacuity), which fails the test. Otherwise nothing shows. An OS thread that the
//!   model does not control (`std::thread`, a pool) and that uses an object of the model ends the
//!   check with an error. So does another test that uses the same static meanwhile, unless that is an
//!   atomic or made once.
//! - A `std::thread_local!` is one for all threads of a model, which share one OS thread; so are
//!   those of other crates. With [`thread_local!`] each thread of a model has its own.
//! - Handles of `std::sync::Arc` are not seen either: who drops the last one, and what `strong_count`,
//!   `upgrade`, `try_unwrap`, `get_mut` answer. Share with [`sync::Arc`](struct@sync::Arc) where
//!   anything depends on that.
//! - The controlled engine is sequentially consistent. Weaker orderings of atomics are the loom
//!   engine's (feature `loom`).
//! - A model must end. One that may run for ever is cut off by `steps_max`, and its search is
//!   incomplete. A loop that waits by looking again does end: after [`Checker::spins_max`] rounds to
//!   no purpose its thread waits until somebody else changes what it reads. What a loop that gives up
//!   later does while others could still go on is not explored; the report's strength says so.
//! - When an execution ends early, threads that are left are unwound where std's own operation may
//!   panic, and left behind elsewhere: see [`Leftover`].
//! - At most 64 threads, and 5 under loom; one OS thread runs them all.
//! - Time is virtual: a timed operation may time out whenever it would have to wait, and never
//!   otherwise. Each thread has its own clock ([`time`]). `park` does not wake spuriously; a wait
//!   on a condition variable does, as often as `Checker::spurious_max` says.
//! - Statics made of the face's [`OnceLock`](sync::OnceLock) and [`LazyLock`](sync::LazyLock) begin
//!   anew in each execution. The data in a static `Mutex` or atomic does not: set it at the
//!   beginning of the model.
//! - A green run speaks of the model, not of the program that was not modelled.
//!
//! # Implementation
//! Exhaustive search is optimal dynamic partial-order reduction with wakeup trees (Abdulla, Aronis,
//! Jonsson, Sagonas: POPL 2014, JACM 2017), with acquisitions that disable one another treated as
//! races: one execution per Mazurkiewicz trace, none given up half way. Threads run on shuttle's
//! runtime, whose scheduler is told at each point who is next. ARCHITECTURE.md has the map.

#[cfg(feature = "model")]
mod check;
#[cfg(feature = "model")]
mod config;
#[cfg(feature = "model")]
mod corpus;
#[cfg(feature = "model")]
mod detect;
#[cfg(feature = "model")]
mod engine;
mod environment;
#[cfg(feature = "model")]
mod error;
#[cfg(feature = "model")]
mod explain;
#[cfg(feature = "model")]
mod explore;
mod ghost;
pub mod hint;
mod named;
#[cfg(feature = "model")]
mod object;
#[cfg(feature = "model")]
mod op;
#[cfg(feature = "model")]
pub mod predict;
#[cfg(feature = "model")]
pub mod report;
#[cfg(feature = "scenario")]
pub mod scenario;
pub mod std_sync;
pub mod sync;
pub mod thread;
pub mod time;
#[cfg(feature = "model")]
mod trace;

pub use environment::{Choice, any, choose, invariant, slow};
pub use ghost::Ghost;
pub use named::Named;
#[cfg(not(feature = "model"))]
pub use std::thread_local;

#[cfg(feature = "model")]
pub use check::{Checker, ConfigError, Leftover, ReplayToken, Strategy, Vacuous, check, private};
#[cfg(feature = "model")]
pub use gordian_macros::test;
#[cfg(feature = "model")]
pub use report::{Code, Report};

/// Off means nothing: every face type is the real one, and on means the same promises.
const _: () = {
    use std::cell::Cell;
    use std::sync::mpsc as std_mpsc;
    use sync::{atomic, channel, mpsc};

    const fn send<T: Send>() {}
    const fn sync<T: Sync>() {}
    const fn send_and_sync<T: Send + Sync>() {}

    // A `Cell` may be sent and not shared: what wants it shared does not get this far.
    send_and_sync::<sync::Mutex<Cell<u8>>>();
    send_and_sync::<sync::ReentrantMutex<Cell<u8>>>();
    send_and_sync::<sync::RwLock<u8>>();
    send::<sync::RwLock<Cell<u8>>>();
    send_and_sync::<sync::Condvar>();
    send_and_sync::<sync::Barrier>();
    send_and_sync::<sync::Once>();
    send_and_sync::<sync::OnceLock<u8>>();
    send::<sync::OnceLock<Cell<u8>>>();
    send_and_sync::<sync::LazyLock<u8, Cell<u8>>>();
    send_and_sync::<sync::Semaphore>();
    send_and_sync::<sync::SemaphoreGuard<'static>>();
    send_and_sync::<sync::WaitGroup>();
    send_and_sync::<sync::RawLock>();
    send_and_sync::<Ghost<Cell<u8>>>();
    send_and_sync::<atomic::AtomicBool>();
    send_and_sync::<atomic::AtomicUsize>();
    send_and_sync::<mpsc::Sender<Cell<u8>>>();
    send_and_sync::<mpsc::SyncSender<Cell<u8>>>();
    send::<mpsc::Receiver<Cell<u8>>>();
    send_and_sync::<channel::Sender<Cell<u8>>>();
    send_and_sync::<channel::Receiver<Cell<u8>>>();
    send_and_sync::<std_sync::Mutex<Cell<u8>>>();
    send_and_sync::<std_sync::RwLock<u8>>();
    send_and_sync::<std_sync::Condvar>();
    send_and_sync::<thread::JoinHandle<u8>>();
    send_and_sync::<thread::Thread>();
    send_and_sync::<time::Instant>();
    sync::<sync::MutexGuard<'static, u8>>();
    sync::<sync::RwLockReadGuard<'static, u8>>();
    sync::<sync::RwLockWriteGuard<'static, u8>>();
    sync::<std_sync::MutexGuard<'static, u8>>();
    sync::<std_sync::RwLockReadGuard<'static, u8>>();
    sync::<std_sync::RwLockWriteGuard<'static, u8>>();

    // What std does not let be sent or shared, this does not either.
    not_send::<sync::MutexGuard<'static, u8>, _>();
    not_send::<sync::RwLockReadGuard<'static, u8>, _>();
    not_send::<sync::RwLockWriteGuard<'static, u8>, _>();
    not_send::<std_sync::MutexGuard<'static, u8>, _>();
    not_send::<std_sync::RwLockReadGuard<'static, u8>, _>();
    not_send::<std_sync::RwLockWriteGuard<'static, u8>, _>();
    not_sync::<sync::RwLock<Cell<u8>>, _>();
    not_sync::<sync::OnceLock<Cell<u8>>, _>();
    not_sync::<sync::LazyLock<Cell<u8>>, _>();
    not_sync::<mpsc::Receiver<u8>, _>();
    not_sync::<std_mpsc::Receiver<u8>, _>();

    #[cfg(not(feature = "model"))]
    {
        const fn same<T>(_: fn(T) -> T) {}
        same::<parking_lot::Mutex<u8>>(|it: sync::Mutex<u8>| it);
        same::<parking_lot::MutexGuard<'static, u8>>(|it: sync::MutexGuard<'static, u8>| it);
        same::<parking_lot::ReentrantMutex<u8>>(|it: sync::ReentrantMutex<u8>| it);
        same::<parking_lot::RwLock<u8>>(|it: sync::RwLock<u8>| it);
        same::<parking_lot::Condvar>(|it: sync::Condvar| it);
        same::<std::sync::Barrier>(|it: sync::Barrier| it);
        same::<std::sync::Once>(|it: sync::Once| it);
        same::<std::sync::OnceLock<u8>>(|it: sync::OnceLock<u8>| it);
        same::<std::sync::LazyLock<u8>>(|it: sync::LazyLock<u8>| it);
        same::<crossbeam_utils::sync::WaitGroup>(|it: sync::WaitGroup| it);
        same::<std_mpsc::Sender<u8>>(|it: mpsc::Sender<u8>| it);
        same::<std_mpsc::Receiver<u8>>(|it: mpsc::Receiver<u8>| it);
        same::<crossbeam_channel::Sender<u8>>(|it: channel::Sender<u8>| it);
        same::<crossbeam_channel::Receiver<u8>>(|it: channel::Receiver<u8>| it);
        same::<crossbeam_channel::Select<'static>>(|it: channel::Select<'static>| it);
        same::<std::sync::Mutex<u8>>(|it: std_sync::Mutex<u8>| it);
        same::<std::sync::RwLock<u8>>(|it: std_sync::RwLock<u8>| it);
        same::<std::sync::Condvar>(|it: std_sync::Condvar| it);
        same::<std::sync::atomic::AtomicBool>(|it: atomic::AtomicBool| it);
        same::<std::sync::atomic::AtomicUsize>(|it: atomic::AtomicUsize| it);
        same::<std::thread::JoinHandle<u8>>(|it: thread::JoinHandle<u8>| it);
        same::<std::thread::Thread>(|it: thread::Thread| it);
        same::<std::time::Instant>(|it: time::Instant| it);
        assert!(size_of::<sync::RawLock>() <= size_of::<usize>());
        assert!(size_of::<Ghost<u8>>() == size_of::<parking_lot::Mutex<u8>>());
    }

    /// A call of this is ambiguous, and so an error, for a type that is `Send`.
    const fn not_send<T: NotSend<A>, A>() {}
    trait NotSend<A> {}
    impl<T: ?Sized> NotSend<()> for T {}
    impl<T: ?Sized + Send> NotSend<u8> for T {}

    /// A call of this is ambiguous, and so an error, for a type that is `Sync`.
    const fn not_sync<T: NotSync<A>, A>() {}
    trait NotSync<A> {}
    impl<T: ?Sized> NotSync<()> for T {}
    impl<T: ?Sized + Sync> NotSync<u8> for T {}
};
