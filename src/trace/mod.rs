//! The record of one execution: who did what, in which order, and what came of it.
//!
//! Knows threads, objects and steps by number and by name. Does not know why the order was chosen,
//! nor whether anything in it is wrong.

mod coverage;
mod cut;
mod distinct;
mod features;
mod identity;
mod past;
mod paths;
mod record;
mod run;
mod spins;
mod std_format;
mod token;
mod verbs;

pub(crate) use coverage::Coverage;
pub(crate) use cut::Cuts;
pub(crate) use distinct::Distinct;
pub(crate) use features::features;
pub(crate) use identity::Identity;
pub(crate) use paths::Paths;
pub(crate) use record::{Difference, Record};
pub(crate) use run::{Event, Pending, Program, Run, Steps, Turn, threads_in};
pub(crate) use std_format::{ActorId, LockId, Recorded};
pub use std_format::{Trace, TraceError};
pub use token::ReplayToken;
pub(crate) use token::{Scheduled, ThreadKey};
