//! Lock protocols as text: the scenario language.
//!
//! A `.gordian` file describes threads and what they lock, without Rust. [`parse`] turns it into a
//! [`Scenario`]; [`check`] explores every interleaving of that.
//!
//! # What is one step
//! Each statement that touches a shared object is one atomic step, except those that may have to
//! stand in a queue which others can see. Such a statement *arrives* in a first step, that is
//! always possible, and, if it was not served at once, *goes on* in a second one:
//!
//! | statement | arrives: served at once if | otherwise it | goes on when |
//! |---|---|---|---|
//! | `write`, writer_preferring | nobody holds the lock | is a waiting writer: new `read`, `tryread`, `upgradable` are blocked | nobody holds the lock |
//! | `upgrade` (not reader_preferring) | no readers | is a waiting writer | no readers |
//! | `read`, `write`, `upgradable`, fifo | the queue is empty and the lock is to be had | joins the queue's end | it was granted |
//! | `upgrade`, fifo | no readers | joins the queue's front | it was granted |
//! | `acquire`, fifo semaphore | the queue is empty and there are permits | joins the queue's end | it was granted |
//! | `ticket` | the same; never waits itself | joins the queue's end | `await_ticket` when granted |
//! | `send`, `recv`, rendezvous | a partner has arrived, the first to arrive is met | offers | it was met, or the channel is closed |
//! | `select` with a rendezvous arm | an arm is ready: every ready arm is explored | takes `default`, or offers on all rendezvous arms | it was met, or an arm on another channel is ready, or a channel is closed |
//! | `wait` | never | releases the lock and sleeps | it is notified (or spurious) and the lock is free |
//! | `barrier` | it is the last one | waits | the last one has come |
//! | `wait_notify` | there is a permit, or it was enabled and notified | joins the queue's end | it is notified |
//!
//! All other statements that can block (`lock`, `read`, `upgradable`, `acquire`, `send`, `recv`,
//! `wg_wait`, `once`, `join`, `park`, `await`, and `write` and `upgrade` of a reader_preferring
//! lock) are one step, possible as soon as the object allows it, in any order: they barge. A
//! `select` without rendezvous arms is one step too, possible when an arm is ready or there is a
//! `default`. `tryX` and `timedlock` are one step, always possible: they take what is to be had
//! or give up; a try never overtakes a queue or a waiting writer (so `trywrite` beside a waiting
//! writer fails, also while nobody is inside). `timedwait` sleeps like `wait`; its second step is
//! possible as soon as the lock is free, and `$timed_out` is 1 when nobody had notified it. `if`,
//! `while`, `assert` and assignments are a step when they read or write a `var`; `await` always is;
//! `slow`, `panic`, `choose` and the end of a thread never are. To unlock at the end of a `with`,
//! however it is left, is a step.
//!
//! A grant: whenever an object changes, the head of a fifo queue is granted what it waits for if
//! it is to be had, and so on with the next head. `notify_one` picks any waiter that is not yet
//! notified; every choice is explored (fifo: the one that has waited longest). A `downgrade`d
//! writer is a reader, an `upgrade`d holder a writer. `unlock` of an rwlock gives back the thread's
//! latest hold of it. `spawn` is one step; a deferred thread that nobody ever spawns is not stuck.
//! `once`: the first to come runs the block; that it begins and that it ends are a step each, and
//! so is finding it done; others wait in between; a thread that enters it again inside waits for
//! ever. If the block is left by `panic`, `return`, `break` or `continue`, the once is done.
//!
//! A `panic` (also: a failed `assert`, a wait without the lock, a count below zero, a send on a
//! closed channel without `$ok`, closing twice, a second spawn, a release above the maximum, an
//! unlock of an rwlock that the thread does not hold, a division by zero) ends its thread; locks
//! taken by `with` are given back on the way, others stay held. `unlock` of a mutex, lock or rmutex
//! that is not held, or held by another, is `double-release` or `foreign-release`, and the thread
//! goes on: a mutex or rmutex of another stays held, a lock is freed.
//!
//! # Finer points
//! - What is left locked at a thread's end (`leaked-guard`), and the `foreign-release` of a `lock`,
//!   which has no owner, are hazards here: where that matters, somebody is stuck or misled.
//! - `upgrade` without an upgradable hold and `downgrade` without the write hold are a panic.
//! - `wait` gives an rmutex back wholly, and takes it again as often as it was held. A `lock` has no
//!   owner: who waits with it frees it, whoever has taken it, and only a free one is a panic.
//! - Tickets are a thread's own, like its local variables, whatever they are named in others. To make one that is queued or granted is a panic, and so is to await one that is not
//!   there (never made, or awaited or dropped since); to drop such a one does nothing. The number
//!   of permits is that with which it was made. What is awaited belongs to the thread.
//! - `release` compares the permits that are to be had, together with its own, with `max`.
//! - A value that is sent and reads a `var` is read in a step before; in a `select`, those of all
//!   arms are.
//! - After `drop_rx` a `send` fails as on a closed channel, and a `recv` gives 0 and `$ok` = 0. Who
//!   has met a partner goes on with success, though the channel be closed before it does; no thread
//!   meets itself.
//! - `enable_notify` of one who is enabled does nothing. `drop_notify` hands on what `notify` gave
//!   it, not what `notify_waiters` did, nor a permit that was there when it was enabled: that one is
//!   gone, as in tokio. A thread that ends stays in the queue.
//! - `unpark` of a thread that is not spawned yet is kept for it; `join` of one waits.
//! - What a step did before it panics stays: in `atomic`, the assignments before the one that
//!   overflows. A failed `release`, `wg_add` or `spawn` does nothing.
//! - A loop that comes to no step is an error. One around a `choose` is none if it has a way out or
//!   comes to a step by some case.

pub mod ast;
mod check;
mod code;
mod format;
mod formula;
mod intern;
mod interpreter;
mod machine;
mod parser;
mod places;
mod prose;
pub mod terminal;

pub use ast::Scenario;
pub use check::{CheckReport, Options, TIME_MAX, check};
pub use format::format;
pub use parser::{ParseError, parse, parse_all};
pub use prose::explain;
pub use terminal::{End, Phase, Terminal};
