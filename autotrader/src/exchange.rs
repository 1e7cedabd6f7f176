//! The exchange, as the protocol sees it.
//!
//! Knows which calls there are, which of them are slow, and what their answers mean. Does not know
//! how they are made: the service brings an implementation, the model tests bring another.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::units::{Coins, Currency, CycleId, Money, OpId};

/// The id that we give an order: by it an order is found whose reply was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClientOrderId {
    /// The currency.
    pub currency: Currency,
    /// The operation that made the order; it makes one at most.
    pub op: OpId,
}

impl fmt::Display for ClientOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t-{}-{}", self.currency.0, self.op.0)
    }
}

/// Buy or sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Side {
    /// The base currency is bought.
    Buy,
    /// The base currency is sold.
    Sell,
}

/// An order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Ours, unique.
    pub id: ClientOrderId,
    /// The cycle it belongs to.
    pub cycle: CycleId,
    /// The row that it buys; for a sale the row bought last.
    pub step: usize,
    /// Buy or sell.
    pub side: Side,
    /// How much.
    pub volume: Coins,
    /// At which price.
    pub price: Money,
}

/// What was traded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// Coins bought or sold, at least 1.
    pub volume: Coins,
    /// What they cost, or brought.
    pub money: Money,
}

/// The final answer to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// Traded, at least in part; the rest is cancelled.
    Filled(Fill),
    /// Not traded, and never will be.
    Rejected,
}

/// What became of an order, when asked by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderStatus {
    /// It is still open: nothing is final, it may be cancelled.
    Open,
    /// It has its final answer. An order that never arrived counts as rejected, but only once it
    /// can no longer arrive (a request carries a time of expiry); until then the query fails.
    Closed(Reply),
}

/// A call that failed or timed out. For an order that says nothing about whether it was placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallFailed;

impl fmt::Display for CallFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the exchange did not answer")
    }
}

impl std::error::Error for CallFailed {}

/// The calls that the protocol makes.
///
/// All but [`Exchange::post`] are slow (0 to 15 s) and are made with no lock held. Each ends or
/// times out, none panics.
pub trait Exchange: Send + Sync {
    /// Slow: the price of a currency.
    ///
    /// # Errors
    /// When the call failed; nothing is then done.
    fn price(&self, currency: Currency) -> Result<Money, CallFailed>;

    /// Slow: the coins in the account. May lag behind the orders that were filled.
    ///
    /// # Errors
    /// When the call failed; nothing is then done.
    fn balance(&self, currency: Currency) -> Result<Coins, CallFailed>;

    /// Submits an order: hands it to the connection's queue. Memory only, no waiting.
    ///
    /// Called under `L[c]`, in the critical section which sees that the operation is still
    /// current: so nothing is submitted after a reset or a stop has answered. Between a check and
    /// a submission outside the lock a reset would fit.
    fn post(&self, order: &Order);

    /// Slow: waits for the answer to a submitted order.
    ///
    /// # Errors
    /// When no answer came: the order may have been filled all the same.
    fn reply(&self, id: ClientOrderId) -> Result<Reply, CallFailed>;

    /// Slow: asks what became of an order.
    ///
    /// # Errors
    /// When the call failed, or it is not certain yet.
    fn query(&self, id: ClientOrderId) -> Result<OrderStatus, CallFailed>;

    /// Slow: cancels an order if it is open.
    ///
    /// # Errors
    /// When the call failed. Success says nothing about fills: ask again.
    fn cancel(&self, id: ClientOrderId) -> Result<(), CallFailed>;
}

impl<X: Exchange + ?Sized> Exchange for std::sync::Arc<X> {
    fn price(&self, currency: Currency) -> Result<Money, CallFailed> {
        (**self).price(currency)
    }

    fn balance(&self, currency: Currency) -> Result<Coins, CallFailed> {
        (**self).balance(currency)
    }

    fn post(&self, order: &Order) {
        (**self).post(order);
    }

    fn reply(&self, id: ClientOrderId) -> Result<Reply, CallFailed> {
        (**self).reply(id)
    }

    fn query(&self, id: ClientOrderId) -> Result<OrderStatus, CallFailed> {
        (**self).query(id)
    }

    fn cancel(&self, id: ClientOrderId) -> Result<(), CallFailed> {
        (**self).cancel(id)
    }
}

/// An exchange whose slow calls are marked as such: made under any lock, they are a finding.
#[derive(Debug)]
pub struct Marked<X>(pub X);

impl<X: Exchange> Exchange for Marked<X> {
    #[track_caller]
    fn price(&self, currency: Currency) -> Result<Money, CallFailed> {
        gordian::slow("price");
        self.0.price(currency)
    }

    #[track_caller]
    fn balance(&self, currency: Currency) -> Result<Coins, CallFailed> {
        gordian::slow("balance");
        self.0.balance(currency)
    }

    fn post(&self, order: &Order) {
        self.0.post(order);
    }

    #[track_caller]
    fn reply(&self, id: ClientOrderId) -> Result<Reply, CallFailed> {
        gordian::slow("order reply");
        self.0.reply(id)
    }

    #[track_caller]
    fn query(&self, id: ClientOrderId) -> Result<OrderStatus, CallFailed> {
        gordian::slow("order query");
        self.0.query(id)
    }

    #[track_caller]
    fn cancel(&self, id: ClientOrderId) -> Result<(), CallFailed> {
        gordian::slow("order cancel");
        self.0.cancel(id)
    }
}
