//! Small concurrent programs as data, so that one program runs in several ways: on Gordian's face,
//! and on an oracle that shares no code with it.
//!
//! The programs of the literature whose numbers of traces are published are in `families`; random
//! ones come from `generate`.

pub mod face;
pub mod families;
pub mod generate;
mod language;
mod oracle;
mod trace;

pub use language::{Arith, Code, Expr, Frame, Op, Program, Stmt, local};
pub use oracle::{Outcomes, explore};
pub use trace::{End, Event, Trace};
