//! The interface of an autotrader: what the main loop and the API call.
//!
//! Knows the operations and their answers. The reference implementation is
//! [`Autotrader`](crate::Autotrader); the model tests hold 23 broken ones.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cycle::Orphan;
use crate::exchange::ClientOrderId;
use crate::units::{Coins, Currency, CycleId, Epoch, Money, OpId};

/// The right to be *the* main loop, from a start to the next stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lease(pub u64);

/// The right to do one operation on one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Token {
    /// Which operation.
    pub op: OpId,
    /// The epoch in which it began: a reset ends it.
    pub epoch: Epoch,
    /// The id that its order has, should it submit one.
    pub client_order_id: ClientOrderId,
}

/// What the main loop did with one currency in one pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tick {
    /// The lease is over: the loop must end.
    Ended,
    /// Nothing was to be done, or nothing was allowed.
    Quiet,
    /// An order was submitted, or the fate of one was learnt.
    Traded,
}

/// Why the API says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// There is no such currency.
    UnknownCurrency,
    /// The trader has not been started.
    NotRunning,
    /// It was done, but may be forgotten by a restart: the journal could not be written.
    NotDurable,
    /// It failed halfway. The reference never says so.
    Failed,
    /// The currency is busy. The reference never says so.
    Busy,
}

impl Refusal {
    /// The HTTP status, here and nowhere else.
    ///
    /// | refusal | status | why this one |
    /// |---|---|---|
    /// | `UnknownCurrency` | 404 | there is no such thing; nothing is created |
    /// | `NotRunning` | 409 | request and server are fine, and do not fit at this moment |
    /// | `NotDurable` | 500 | the disk does not take it: the one failure that is the server's |
    /// | `Failed` | 500 | never said by the reference |
    /// | `Busy` | 503 | never said by the reference: what the incident was about |
    ///
    /// (The bot that this one replaces answered 400 and 500 in the first two cases.)
    pub fn status(self) -> u16 {
        match self {
            Refusal::UnknownCurrency => 404,
            Refusal::NotRunning => 409,
            Refusal::NotDurable | Refusal::Failed => 500,
            Refusal::Busy => 503,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::UnknownCurrency => "no such currency, name one of the configured ones",
            Refusal::NotRunning => "the autotrader is not running, start it first",
            Refusal::NotDurable => "done, but the journal could not be written: repeat it",
            Refusal::Failed => "the request failed halfway",
            Refusal::Busy => "the currency is busy, try again",
        })
    }
}

impl std::error::Error for Refusal {}

/// One currency at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Whether the cycle is active.
    pub active: bool,
    /// The row bought last; −1 when there is none.
    pub step: i64,
    /// Coins in the cycle.
    pub volume: Coins,
    /// The user's pause.
    pub paused: bool,
    /// Number of resets.
    pub epoch: Epoch,
    /// The cycle's number.
    pub cycle: CycleId,
    /// Whether an operation is in flight.
    pub busy: bool,
    /// Whether that is an order whose fate is unknown.
    pub unknown: bool,
    /// Coins in the orphan ledger: no cycle owns them.
    pub orphaned: Coins,
    /// Entries in the orphan ledger.
    pub orphans_count: u64,
    /// The latest of them; the journal has all.
    pub orphans: Vec<Orphan>,
    /// Profit so far.
    pub profit: Money,
}

/// An autotrader.
///
/// Every method may be called from any thread at any time.
pub trait Protocol: Send + Sync {
    /// Number of currencies: [`Currency`] 0 up to, not including, this one.
    fn currencies(&self) -> usize;

    /// Begins trading. The caller runs the main loop with the lease; none when a loop runs already.
    fn start(&self) -> Option<Lease>;

    /// Ends trading. When this returns, the loop that ran submits nothing any more.
    fn stop(&self);

    /// The main loop's visit to one currency.
    fn tick(&self, lease: Lease, currency: Currency) -> Tick;

    /// The main loop's visit to all currencies; whether the loop shall go on.
    fn pass(&self, lease: Lease) -> bool {
        (0..self.currencies()).all(|index| self.tick(lease, Currency(index)) != Tick::Ended)
    }

    /// Ends the cycle and pauses the currency.
    ///
    /// # Errors
    /// See [`Refusal`].
    fn reset(&self, currency: Currency) -> Result<(), Refusal>;

    /// Ends the pause of the currency.
    ///
    /// # Errors
    /// See [`Refusal`].
    fn resume(&self, currency: Currency) -> Result<(), Refusal>;

    /// One currency at one instant.
    ///
    /// # Errors
    /// See [`Refusal`].
    fn stats(&self, currency: Currency) -> Result<Stats, Refusal>;
}
