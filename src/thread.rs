//! Threads; std's interface.

#[cfg(not(feature = "model"))]
pub use std::thread::{
    Builder, JoinHandle, Result, Scope, ScopedJoinHandle, Thread, current, panicking, park, scope,
    spawn, yield_now,
};
