//! Amounts and numbers: what the rest counts in and names things by. No meaning beyond that.

use serde::{Deserialize, Serialize};

/// Amount of a base currency, in its smallest unit. Signed: ledgers subtract.
pub type Coins = i64;

/// Amount of the quote currency in its smallest unit, or that much for one coin.
pub type Money = i64;

/// A base currency, by its place in [`Settings::currencies`](crate::Settings::currencies).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Currency(pub usize);

/// How many resets a currency has had: an operation of an earlier epoch is cancelled.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Epoch(pub u64);

/// Number of an operation of one currency; never used twice for a submitted order.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct OpId(pub u64);

/// Number of a cycle of one currency; a reset and a complete sale each end one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct CycleId(pub u64);
