//! Deadlock-detection testing.

#[cfg(feature = "model")]
extern crate self as gordian;

mod environment;
mod ghost;
mod named;
pub mod sync;
pub mod thread;

#[cfg(feature = "model")]
mod check;
#[cfg(feature = "model")]
mod explain;
#[cfg(feature = "model")]
pub mod report;

pub use environment::{Choice, any, choose, invariant, slow};
pub use ghost::Ghost;
pub use named::Named;

#[cfg(feature = "model")]
pub use check::{Checker, ReplayToken, Strategy, check};
#[cfg(feature = "model")]
pub use gordian_macros::test;
#[cfg(feature = "model")]
pub use report::{Code, Report};
