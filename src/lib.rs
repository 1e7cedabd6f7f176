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
//! use gordian::sync::Mutex;
//! use gordian::{Named, check, thread};
//! use std::sync::Arc;
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
//! in a release build. With it, outside a model, the types work as the real ones.
//!
//! # Debugging a failure
//! A finding names threads and locks, shows where each was taken and waited for, the steps that led
//! there, and a token. `GORDIAN_REPLAY=<token>` runs that one interleaving again, under a debugger
//! if need be.
//!
//! # Limitations
//! What a green run does not prove:
//! - Only operations of [`sync`], [`thread`], [`Ghost`] and the functions above are seen. Anything
//!   else that threads share (std locks and atomics, files, the clock) is taken to be local; if it
//!   blocks a thread the check ends with an error, and if it changes what threads do, with a
//!   `nondeterminism` finding when that shows.
//! - The controlled engine is sequentially consistent. Weaker orderings of atomics are the loom
//!   engine's (feature `loom`).
//! - A model must end. One that may run for ever is cut off by `steps_max`, and its search is
//!   incomplete.
//! - At most 64 threads, and 5 under loom; one OS thread runs them all.
//! - Time is virtual: a timed operation may time out whenever it would have to wait, and never
//!   otherwise. `park` does not wake spuriously.
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
mod named;
#[cfg(feature = "model")]
mod object;
#[cfg(feature = "model")]
mod op;
#[cfg(feature = "model")]
pub mod report;
#[cfg(feature = "scenario")]
pub mod scenario;
pub mod sync;
pub mod thread;
#[cfg(feature = "model")]
mod trace;

pub use environment::{Choice, any, choose, invariant, slow};
pub use ghost::Ghost;
pub use named::Named;

#[cfg(feature = "model")]
pub use check::{Checker, ConfigError, ReplayToken, Strategy, check, private};
#[cfg(feature = "model")]
pub use gordian_macros::test;
#[cfg(feature = "model")]
pub use report::{Code, Report};

/// Off means nothing: every face type is the real one, and on means the same promises.
const _: () = {
    use sync::{Mutex, MutexGuard, RawLock, ReentrantMutex, atomic};

    const fn send_and_sync<T: Send + Sync>() {}
    const fn sync<T: Sync>() {}
    send_and_sync::<Mutex<u8>>();
    send_and_sync::<ReentrantMutex<u8>>();
    send_and_sync::<RawLock>();
    send_and_sync::<Ghost<u8>>();
    send_and_sync::<atomic::AtomicBool>();
    send_and_sync::<atomic::AtomicUsize>();
    send_and_sync::<thread::JoinHandle<u8>>();
    send_and_sync::<thread::Thread>();
    sync::<MutexGuard<'static, u8>>();

    #[cfg(not(feature = "model"))]
    {
        const fn same<T>(_: fn(T) -> T) {}
        same::<parking_lot::Mutex<u8>>(|it: Mutex<u8>| it);
        same::<parking_lot::MutexGuard<'static, u8>>(|it: MutexGuard<'static, u8>| it);
        same::<parking_lot::ReentrantMutex<u8>>(|it: ReentrantMutex<u8>| it);
        same::<std::sync::atomic::AtomicBool>(|it: atomic::AtomicBool| it);
        same::<std::sync::atomic::AtomicUsize>(|it: atomic::AtomicUsize| it);
        same::<std::thread::JoinHandle<u8>>(|it: thread::JoinHandle<u8>| it);
        same::<std::thread::Thread>(|it: thread::Thread| it);
        assert!(size_of::<RawLock>() <= size_of::<usize>());
        assert!(size_of::<Ghost<u8>>() == size_of::<parking_lot::Mutex<u8>>());
    }
};
