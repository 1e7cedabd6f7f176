//! Locks and atomics, drop-in: parking_lot's and std's interface.
//!
//! Without the feature `model` these *are* parking_lot's and std's types. With it, each operation
//! asks whether a model runs on this OS thread: if not, the real lock is used; if so, the model's
//! engine decides when the operation happens.

pub mod atomic;
mod mutex;
mod raw_lock;
mod reentrant_mutex;

pub use mutex::*;
pub use raw_lock::RawLock;
pub use reentrant_mutex::*;
