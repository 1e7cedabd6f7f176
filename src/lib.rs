//! Deadlock-detection testing.

#[cfg(feature = "model")]
mod check;
#[cfg(feature = "model")]
mod detect;
#[cfg(feature = "model")]
mod engine;
mod environment;
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
