//! Atomic integers, flags and pointers; std's interface.

#[cfg(not(feature = "model"))]
pub use std::sync::atomic::*;
