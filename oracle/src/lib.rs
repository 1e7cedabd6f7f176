//! A second opinion on scenarios: a plain breadth-first search over their states.
//!
//! Knows the scenario language by its description alone. Shares with Gordian the data of a parsed
//! scenario and the form in which an end is written down, and no code: neither its objects, nor its
//! exploration, nor its interpreter. What both say of a program is therefore worth more than what
//! one says.
//!
//! [`search`] visits every state that can be reached, each once: no reduction, no cleverness. The
//! steps are those of the table in [`gordian::scenario`]. From the whole graph follows, also for
//! programs that never end, which threads can never move again ([`Answer::stuck`]) and what can be
//! the end ([`Answer::terminal`]). [`judge`] says whether that is what the file expects.
//!
//! | module | what |
//! |---|---|
//! | `code`, `expression` | statements as flat code |
//! | `state`, `table` | a state, its bytes, all that were met |
//! | `meaning` | what a step does |
//! | `search` | the search |
//! | `graph`, `waits` | what follows from the graph; what kind of being stuck it is |
//! | `judge` | the meaning of `expect` |
//! | `traces` | how many executions an optimal exploration takes |

mod code;
mod expression;
mod graph;
mod judge;
mod meaning;
mod search;
mod state;
mod table;
mod traces;
mod waits;

pub use judge::{Judgement, Verdict, judge};
pub use search::{Answer, Failure, Limits, Stuck, search};
pub use traces::traces;
