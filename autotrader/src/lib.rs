//! The autotrader's locking protocol: one trading bot, many currencies, one loop, many API calls.
//!
//! The core that ships, small enough to be explored exhaustively. It has no I/O of its own: the
//! [`Exchange`] and the [`Journal`] are traits, threads and time are the service's. The crate
//! `model_tests` proves it, and shows 23 variants of it, once really written, to be broken.
//!
//! # Locks
//! One lock per currency, `L[c]`, made with the trader and never later, and one around the number
//! of starts and stops, `run`. No code takes a lock while it holds one, and no slow call, file or
//! console write happens under a lock. So a reset, a resume or a look at the stats waits for
//! memory operations only, and no 503 is needed.
//!
//! # Critical sections
//! A tick that submits an order takes `L[c]` three times; a reset, a resume and the stats once.
//!
//! - **begin**: lease, permission, pause, no operation in flight; then take a token. Tested and set
//!   together: two loops cannot both pass.
//! - *no lock:* price and balance; the intent to the journal.
//! - **submit**: is the token still current? Then hand the order to the exchange's queue. In one
//!   section, because a reset or a stop that has answered lies before it or after it, never between
//!   the check and the submission.
//! - *no lock:* the exchange's reply.
//! - **finish**: book the fill, into the cycle, or, if a reset came in between, into the orphan
//!   ledger; give the token back. Only the owner changes the cycle, and only in its own epoch.
//! - *no lock:* the book to the journal.
//! - **reset**: epoch + 1, idle, paused, coins to the orphan ledger. All or nothing; then the
//!   journal, then the answer.
//! - **resume**: clear the pause. Nothing else clears it, and it does nothing else.
//! - **stats**: a copy, so that all of it is of one instant.
//! - **start** and **stop**: `run` + 1 in one section, so that two starts make one loop; then the
//!   number to each cell, in a section each. A stop has answered when every `L[c]` was taken once
//!   since: no section that saw the old number is left.
//!
//! The token is taken *before* price and balance are read. So no value read earlier needs to be
//! validated again: while the token is current, nobody else has changed the cycle. A reset does
//! not touch the token; it changes the epoch, which makes it stale. The slot stays taken until the
//! owner comes back with what the exchange said: a new operation never overlaps an old order.
//!
//! # An order without an answer
//! It is *unknown*, and stays in the slot. While it is there nothing new is submitted; the only
//! calls made are a query and, when it is found open, a cancel, both by the client's order id. They
//! are made while paused too, because they only learn. The fate, once known, is booked as `finish`
//! does it. A failed query enables nothing, and neither does a balance: it lags.
//!
//! # Memory
//! Nothing under a lock grows. Of the orphan ledger the book has the sum and the latest entries:
//! when an order is submitted its intent is durable, and with it the book, so the entries leave
//! memory ([`ORPHANS_MAX`]).
//!
//! # Disk
//! A [`Record`] is the whole book of a currency with a version that grows with each change, and
//! perhaps the intent to submit an order. It is copied inside a critical section and written after
//! it. Two writers may reach the disk in either order: the higher version is right, so no save
//! lock is needed and an older record never replaces a newer one. Reset and resume answer `Ok` only
//! when their record, or a later one, is durable. An order is submitted only when its intent is:
//! after a crash every order that may exist is known by its id, and is unknown until asked for.
//!
//! # Examples
//! ```
//! use autotrader::*;
//!
//! struct Flat;
//! impl Exchange for Flat {
//!     fn price(&self, _: Currency) -> Result<Money, CallFailed> { Ok(100) }
//!     fn balance(&self, _: Currency) -> Result<Coins, CallFailed> { Ok(0) }
//!     fn post(&self, _: &Order) {}
//!     fn reply(&self, _: ClientOrderId) -> Result<Reply, CallFailed> {
//!         Ok(Reply::Filled(Fill { volume: 1, money: 100 }))
//!     }
//!     fn query(&self, _: ClientOrderId) -> Result<OrderStatus, CallFailed> { Err(CallFailed) }
//!     fn cancel(&self, _: ClientOrderId) -> Result<(), CallFailed> { Ok(()) }
//! }
//!
//! let btc = CurrencySettings {
//!     symbol: "BTC".to_owned(),
//!     rows: vec![Row { drop_permille: 0, volume: 1 }],
//!     profit_permille: 10,
//!     permitted: true,
//! };
//! let trader = Autotrader::new(Flat, NoJournal, Settings { currencies: vec![btc] });
//! let lease = trader.start().expect("it was not running");
//! assert!(trader.pass(lease));
//! assert!(trader.stats(Currency(0)).unwrap().active);
//! trader.reset(Currency(0)).unwrap();
//! let stats = trader.stats(Currency(0)).unwrap();
//! assert!(!stats.active && stats.paused && stats.orphaned == 1);
//! trader.stop();
//! assert!(!trader.pass(lease));
//! ```

#[cfg(feature = "service")]
pub mod service;

mod cycle;
mod exchange;
mod journal;
mod protocol;
mod trader;
mod units;

pub use cycle::{
    Book, CurrencySettings, Cycle, Decision, ORPHANS_MAX, Orphan, Position, Row, Settings,
};
pub use exchange::{
    CallFailed, ClientOrderId, Exchange, Fill, Marked, Order, OrderStatus, Reply, Side,
};
pub use journal::{Intent, Journal, NoJournal, NotDurable, Record, Recovered, recover};
pub use protocol::{Lease, Protocol, Refusal, Stats, Tick, Token};
pub use trader::Autotrader;
pub use units::{Coins, Currency, CycleId, Epoch, Money, OpId};
