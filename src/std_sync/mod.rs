//! Locks with std's interface: poisoned by a panic, acquired with a `Result`.
//!
//! Without the feature `model` these *are* std's types. With it they are written over the same
//! locks as those of [`sync`](crate::sync); what is not about poisoning is the same type as there.
//! But [`Arc`] and [`Weak`] are std's own here, which turn into handles of trait objects and are not
//! seen in a model: those of [`sync`](crate::sync) are.
//!
//! ```
//! use gordian::std_sync::Mutex;
//! use gordian::{sync::Arc, thread};
//!
//! let lock = Arc::new(Mutex::new(1));
//! let its = Arc::clone(&lock);
//! let other = thread::spawn(move || {
//!     let _guard = its.lock().unwrap();
//!     panic!("half way");
//! });
//! assert!(other.join().is_err());
//! assert!(lock.is_poisoned());
//! assert_eq!(*lock.lock().unwrap_or_else(|poisoned| poisoned.into_inner()), 1);
//! ```

mod condvar;
mod mutex;
#[cfg(feature = "model")]
mod poison;
mod rwlock;

pub use crate::sync::{
    Barrier, BarrierWaitResult, LazyLock, Once, OnceLock, OnceState, atomic, mpsc,
};
pub use condvar::*;
pub use mutex::*;
pub use rwlock::*;
pub use std::sync::{Arc, LockResult, PoisonError, TryLockError, TryLockResult, Weak};
