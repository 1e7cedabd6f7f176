//! Locks, channels and atomics, drop-in: parking_lot's, crossbeam's and std's interface.
//!
//! Without the feature `model` these *are* their types. With it, each operation asks whether a
//! model runs on this OS thread: if not, the real one is used; if so, the model's engine decides
//! when the operation happens.
//!
//! | here | interface of |
//! |---|---|
//! | [`Mutex`], [`ReentrantMutex`], [`RwLock`], [`Condvar`] | parking_lot |
//! | [`Arc`], [`Weak`], [`Barrier`], [`Once`], [`OnceLock`], [`LazyLock`], [`mpsc`], [`atomic`] | std |
//! | [`WaitGroup`], [`channel`] | crossbeam |
//! | [`RawLock`], [`Semaphore`] | none: their own |
//!
//! [`std_sync`](crate::std_sync) has the locks with std's interface, poisoning included.

mod arc;
pub mod atomic;
mod barrier;
pub mod channel;
mod condvar;
pub mod mpsc;
mod mutex;
mod once;
#[cfg(feature = "model")]
mod per_execution;
mod raw_lock;
mod reentrant_mutex;
mod rwlock;
mod semaphore;
#[cfg(feature = "model")]
mod stream;
mod wait_group;

#[cfg(feature = "model")]
pub(crate) use arc::coerce;
pub use arc::*;
pub use barrier::*;
pub use condvar::*;
pub use mutex::*;
pub use once::*;
pub use raw_lock::RawLock;
pub use reentrant_mutex::*;
pub use rwlock::*;
pub use semaphore::{ArcSemaphoreGuard, Semaphore, SemaphoreGuard};
pub use wait_group::*;
