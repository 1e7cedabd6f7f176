//! The proofs: the autotrader's protocol, every way it was ever broken, and the seed programs.
//!
//! # Map
//! | module | what it is |
//! |---|---|
//! | [`market`] | the simulated exchange: what was really traded, how calls end |
//! | [`disk`] | the simulated disk, which may fail or crash |
//! | [`desk`] | what the users of the API were told |
//! | [`inside`] | counts the threads in a critical section |
//! | [`properties`] | what must hold, by name |
//! | [`scenario`] | who does what at the same time, as data |
//! | [`specimens`] | the 23 broken variants, with the interface of the reference |
//! | [`table`] | which specimen must show what in which scenario, and what it must not show |
//! | [`observe`] | checks a specimen in a scenario and reads the report |
//! | [`seeds`] | the two programs of the note on deadlocks |
//! | [`programs`] | programs with known numbers of interleavings |
//! | [`files`] | random scenario files |
//! | [`agreement`] | explorer and oracle compared on one of them |
//! | [`child`] | runs a part of a test in a process of its own |
//!
//! The tests: `autotrader.rs` has the proofs of the reference, `table.rs` checks the
//! specimens' table, `specimens.rs` has each specimen as a model of its own, `seeds.rs` the seed
//! programs, `state_machine/` compares the reference with a simpler one, call by call; `counts*.rs`,
//! `differential*.rs` and `scenarios/` check the search itself.
//!
//! # The environment
//! All that threads share lives in locks, atomics or [`gordian::Ghost`] variables, so that the
//! search sees every access. A ghost's access is one step. Exceptions, each with its reason in
//! place: what only the main thread writes while it is alone, and what is read after the execution.
//! Each outcome of a call that a [`market::Script`] lists is a `gordian::choose`: filled, rejected,
//! never arrived, filled but the reply lost, still open; a true, stale or failing balance; a
//! failing price; a failing query. A model lists those that it is about, to stay small; together
//! the proofs of the reference cover all.
//!
//! # Properties
//! Each is checked where it can be seen: when an order is submitted (market), when a client has an
//! answer (scenario), after each step as an invariant, or in the end, when all threads are done and
//! the exchange has calmed down. A specimen is judged by one property at a time, because the first
//! one violated ends the execution; the reference is judged by all at once.

pub mod agreement;
pub mod child;
pub mod desk;
pub mod disk;
pub mod files;
pub mod inside;
pub mod market;
pub mod observe;
pub mod programs;
pub mod properties;
pub mod scenario;
pub mod seeds;
pub mod specimens;
pub mod table;

/// Whether the search came to its end, as far as its engine can: loom does not explore all orders
/// around a thread that waits for ever, and says so.
pub fn searched_to_the_end(report: &gordian::Report) -> bool {
    use gordian::Code::{Deadlock, LostWakeup, SelfDeadlock};
    let waits = [Deadlock, SelfDeadlock, LostWakeup];
    let excused = report.search.engine == gordian::report::Engine::Loom
        && waits.iter().any(|&code| report.has(code));
    report.search.complete || excused
}
