//! The core's [`Exchange`], spoken over HTTP.
//!
//! Knows how each call is asked and how long it may take. Does not know which calls the protocol
//! makes when. The adapter of another exchange is another file like this one.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gordian::sync::Mutex;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::clock::now_us;
use super::venue::server::{BalanceAnswer, PriceAnswer};
use super::venue::{OrderRequest, OrderState};
use crate::{
    CallFailed, ClientOrderId, Coins, Currency, Exchange, Fill, Money, OpId, Order, OrderStatus,
    Reply,
};

/// From when on an order can no longer be placed, by currency: of the one order that may be open.
///
/// Written by the journal together with the intent, so that it is durable before the order goes
/// out, and after a restart it is known until when an order that is not there may still arrive.
#[derive(Debug, Default)]
pub struct Expiries(Mutex<HashMap<Currency, (OpId, u64)>>);

impl Expiries {
    /// Notes it for an order.
    pub fn note(&self, id: ClientOrderId, expires_us: u64) {
        self.0.lock().insert(id.currency, (id.op, expires_us));
    }

    /// When an order expires. Unknown: it may arrive at any time.
    pub fn of(&self, id: ClientOrderId) -> u64 {
        match self.0.lock().get(&id.currency) {
            Some((op, expires_us)) if *op == id.op => *expires_us,
            _ => u64::MAX,
        }
    }
}

/// How the calls went.
#[derive(Debug, Default)]
pub struct CallCounts {
    /// Orders submitted.
    pub orders: AtomicU64,
    /// Calls that were answered.
    pub answered: AtomicU64,
    /// Calls that failed or timed out.
    pub failed: AtomicU64,
}

/// How to reach the exchange.
#[derive(Clone, Debug)]
pub struct Line {
    /// Where it is, without a slash at the end.
    pub url: String,
    /// What all our order ids begin with: another database, another name.
    pub instance: String,
    /// How long a call may take.
    pub timeout: Duration,
}

/// The exchange at the end of a line.
#[derive(Debug)]
pub struct HttpExchange {
    line: Line,
    symbols: Vec<String>,
    client: Client,
    runtime: Handle,
    expiries: Arc<Expiries>,
    counts: Arc<CallCounts>,
    /// Orders on their way. A leaf: nothing else is locked, or waited for, under it.
    sent: Mutex<HashMap<ClientOrderId, JoinHandle<Result<Reply, CallFailed>>>>,
}

impl HttpExchange {
    /// An adapter. Its calls are made on the runtime, by threads that are not part of it.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(
        line: Line,
        symbols: Vec<String>,
        runtime: Handle,
        expiries: Arc<Expiries>,
    ) -> reqwest::Result<Self> {
        // No proxy: what the environment says about the internet is not about the exchange.
        let client = Client::builder().timeout(line.timeout).no_proxy().build()?;
        Ok(HttpExchange {
            line,
            symbols,
            client,
            runtime,
            expiries,
            counts: Arc::default(),
            sent: Mutex::default(),
        })
    }

    /// How the calls went.
    pub fn counts(&self) -> Arc<CallCounts> {
        Arc::clone(&self.counts)
    }

    fn wire_id(&self, id: ClientOrderId) -> String {
        format!("{}-{id}", self.line.instance)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.line.url)
    }

    fn of_symbol(&self, path: &str, currency: Currency) -> RequestBuilder {
        let symbol = &self.symbols[currency.0];
        self.client.get(self.url(path)).query(&[("symbol", symbol)])
    }

    fn of_order(&self, method: reqwest::Method, id: ClientOrderId) -> RequestBuilder {
        let path = format!("/orders/{}", self.wire_id(id));
        self.client.request(method, self.url(&path))
    }

    /// Makes a call and waits for it.
    fn wait<T>(&self, call: impl Future<Output = Result<T, CallFailed>>) -> Result<T, CallFailed> {
        let answer = self.runtime.block_on(call);
        let count = match answer {
            Ok(_) => &self.counts.answered,
            Err(_) => &self.counts.failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
        answer
    }
}

/// Sends a request; what was answered with success, or `None` for "there is no such thing".
async fn ask<T: DeserializeOwned>(request: RequestBuilder) -> Result<Option<T>, CallFailed> {
    let answer = request.send().await.map_err(|_| CallFailed)?;
    if answer.status() == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    let answer = answer.error_for_status().map_err(|_| CallFailed)?;
    answer.json().await.map(Some).map_err(|_| CallFailed)
}

/// The final answer in an order's state; none while it waits.
///
/// A fill that cannot be one is no answer: it is asked for again rather than booked.
fn reply_in(state: OrderState, wanted: Option<Coins>) -> Result<Option<Reply>, CallFailed> {
    match state {
        OrderState::Open => Ok(None),
        OrderState::Rejected => Ok(Some(Reply::Rejected)),
        OrderState::Filled { volume, money } => {
            let possible = volume >= 1 && money >= 0 && wanted.is_none_or(|most| volume <= most);
            let fill = Fill { volume, money };
            possible
                .then_some(Some(Reply::Filled(fill)))
                .ok_or(CallFailed)
        }
    }
}

impl Exchange for HttpExchange {
    fn price(&self, currency: Currency) -> Result<Money, CallFailed> {
        let call = ask::<PriceAnswer>(self.of_symbol("/price", currency));
        let PriceAnswer { price } = self.wait(call)?.ok_or(CallFailed)?;
        // Prices that the protocol's sums have room for.
        if (1..=1_000_000_000).contains(&price) {
            Ok(price)
        } else {
            Err(CallFailed)
        }
    }

    fn balance(&self, currency: Currency) -> Result<Coins, CallFailed> {
        let call = ask::<BalanceAnswer>(self.of_symbol("/balance", currency));
        Ok(self.wait(call)?.ok_or(CallFailed)?.balance)
    }

    fn post(&self, order: &Order) {
        let request = OrderRequest {
            id: self.wire_id(order.id),
            symbol: self.symbols[order.id.currency.0].clone(),
            cycle: order.cycle.0,
            step: order.step,
            side: order.side,
            volume: order.volume,
            price: order.price,
            submitted_us: now_us(),
            expires_us: self.expiries.of(order.id),
        };
        let wanted = order.volume;
        let request = self.client.post(self.url("/orders")).json(&request);
        let sent = self.runtime.spawn(async move {
            let state = ask(request).await?.ok_or(CallFailed)?;
            // An order that waits has no final answer: it is asked for, and cancelled, by its id.
            reply_in(state, Some(wanted))?.ok_or(CallFailed)
        });
        self.counts.orders.fetch_add(1, Ordering::Relaxed);
        self.sent.lock().insert(order.id, sent);
    }

    fn reply(&self, id: ClientOrderId) -> Result<Reply, CallFailed> {
        let sent = self.sent.lock().remove(&id).ok_or(CallFailed)?;
        self.wait(async { sent.await.map_err(|_| CallFailed)? })
    }

    fn query(&self, id: ClientOrderId) -> Result<OrderStatus, CallFailed> {
        // Before the question: an order may arrive between the answer and a look at the clock.
        let expired = now_us() >= self.expiries.of(id);
        match self.wait(ask(self.of_order(reqwest::Method::GET, id)))? {
            Some(state) => Ok(match reply_in(state, None)? {
                Some(reply) => OrderStatus::Closed(reply),
                None => OrderStatus::Open,
            }),
            None if expired => Ok(OrderStatus::Closed(Reply::Rejected)),
            None => Err(CallFailed),
        }
    }

    fn cancel(&self, id: ClientOrderId) -> Result<(), CallFailed> {
        let request = self.of_order(reqwest::Method::DELETE, id);
        self.wait(async move {
            let answer = request.send().await.map_err(|_| CallFailed)?;
            answer
                .error_for_status()
                .map(|_| ())
                .map_err(|_| CallFailed)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::venue::{Match, Venue, Weather, server};
    use crate::{CycleId, Side};

    const BTC: Currency = Currency(0);

    struct Place {
        runtime: tokio::runtime::Runtime,
        venue: Arc<Venue>,
        exchange: HttpExchange,
        expiries: Arc<Expiries>,
    }

    fn place(weather: Weather) -> Place {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let venue = Arc::new(Venue::new(weather, 1));
        let address = runtime.block_on(server::serve(Arc::clone(&venue))).unwrap();
        let line = Line {
            url: format!("http://{address}"),
            instance: "test".to_owned(),
            timeout: Duration::from_secs(20),
        };
        let expiries = Arc::new(Expiries::default());
        let symbols = vec!["BTC".to_owned()];
        let (handle, noted) = (runtime.handle().clone(), Arc::clone(&expiries));
        let exchange = HttpExchange::new(line, symbols, handle, noted).unwrap();
        Place {
            runtime,
            venue,
            exchange,
            expiries,
        }
    }

    fn order(op: u64, volume: Coins) -> Order {
        Order {
            id: ClientOrderId {
                currency: BTC,
                op: OpId(op),
            },
            cycle: CycleId(3),
            step: 1,
            side: Side::Buy,
            volume,
            price: 100,
        }
    }

    fn in_a_minute() -> u64 {
        now_us() + 60_000_000
    }

    #[test]
    fn an_order_is_sent_once_and_its_answer_is_read_once() {
        let it = place(Weather::Calm);
        let order = order(1, 5);
        it.expiries.note(order.id, in_a_minute());
        it.exchange.post(&order);
        let fill = Fill {
            volume: 5,
            money: 500,
        };
        assert_eq!(it.exchange.reply(order.id), Ok(Reply::Filled(fill)));
        assert_eq!(
            it.exchange.reply(order.id),
            Err(CallFailed),
            "there is one answer"
        );
        let closed = OrderStatus::Closed(Reply::Filled(fill));
        assert_eq!(it.exchange.query(order.id), Ok(closed));
        assert_eq!(it.exchange.balance(BTC), Ok(5));
        assert!(it.exchange.price(BTC).is_ok());
        let placed = &it.venue.orders()[0];
        assert_eq!(placed.request.id, "test-t-0-1");
        assert_eq!((placed.request.cycle, placed.request.step), (3, 1));
        assert_eq!((it.venue.orders().len(), placed.repeats), (1, 0));
    }

    #[test]
    fn not_there_is_no_answer_before_the_order_has_expired() {
        let it = place(Weather::Calm);
        let id = order(1, 5).id;
        assert_eq!(
            it.exchange.query(id),
            Err(CallFailed),
            "nothing is known of it"
        );
        it.expiries.note(id, in_a_minute());
        assert_eq!(
            it.exchange.query(id),
            Err(CallFailed),
            "it may still arrive"
        );
        it.expiries.note(id, now_us());
        assert_eq!(
            it.exchange.query(id),
            Ok(OrderStatus::Closed(Reply::Rejected))
        );
    }

    #[test]
    fn an_order_that_waits_is_found_open_and_cancelled() {
        let it = place(Weather::Calm);
        let id = order(1, 5).id;
        let request = OrderRequest {
            id: "test-t-0-1".to_owned(),
            symbol: "BTC".to_owned(),
            cycle: 3,
            step: 1,
            side: Side::Buy,
            volume: 5,
            price: 100,
            submitted_us: now_us(),
            expires_us: in_a_minute(),
        };
        it.venue.place(&request, Match::Rest).unwrap();
        assert_eq!(it.exchange.query(id), Ok(OrderStatus::Open));
        assert_eq!(it.exchange.cancel(id), Ok(()));
        assert_eq!(
            it.exchange.query(id),
            Ok(OrderStatus::Closed(Reply::Rejected))
        );
    }

    #[test]
    fn an_exchange_that_is_away_answers_nothing() {
        let it = place(Weather::Calm);
        // The server lives on the runtime; the adapter goes on on another one.
        let Place {
            runtime, exchange, ..
        } = it;
        let other = tokio::runtime::Runtime::new().unwrap();
        let exchange = HttpExchange {
            runtime: other.handle().clone(),
            ..exchange
        };
        drop(runtime);
        assert_eq!(exchange.price(BTC), Err(CallFailed));
        exchange.post(&order(1, 5));
        assert_eq!(exchange.reply(order(1, 5).id), Err(CallFailed));
        assert_eq!(exchange.cancel(order(1, 5).id), Err(CallFailed));
        assert_eq!(exchange.counts.failed.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn a_fill_that_cannot_be_is_no_answer() {
        let filled = |volume, money| OrderState::Filled { volume, money };
        let cases = [
            (filled(5, 500), true),
            (filled(1, 0), true),
            (filled(6, 600), false),
            (filled(0, 0), false),
            (filled(-1, 100), false),
            (filled(1, -1), false),
        ];
        for (state, possible) in cases {
            assert_eq!(reply_in(state, Some(5)).is_ok(), possible, "{state:?}");
        }
    }
}
