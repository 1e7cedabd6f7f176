//! A simulated exchange: its book is the truth that the service is measured against.
//!
//! Knows orders, prices and balances, and keeps them in a file if it is given one. Does not know
//! who trades, nor HTTP (`server`), nor when it shall misbehave (`weather`).

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, Write};
use std::path::Path;
use std::sync::Arc;

use gordian::sync::Mutex;
use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};

use super::clock::now_us;
use crate::{Coins, Money, Side};

pub mod server;
#[cfg(test)]
mod tests;
mod weather;

pub use weather::{Call, Plan, Weather};

/// An order as it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderRequest {
    /// The client's own id. The same id twice is the same order.
    pub id: String,
    /// What is traded.
    pub symbol: String,
    /// The client's label: the cycle that it belongs to.
    pub cycle: u64,
    /// The client's label: the row.
    pub step: usize,
    /// Buy or sell.
    pub side: Side,
    /// How much.
    pub volume: Coins,
    /// At which price at worst. The simulation trades at it.
    pub price: Money,
    /// When the client submitted it.
    pub submitted_us: u64,
    /// From when on it must not be placed any more.
    pub expires_us: u64,
}

/// An order in the book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// As it was sent.
    pub request: OrderRequest,
    /// When it was placed.
    pub placed_us: u64,
    /// What became of it.
    pub state: OrderState,
    /// How often it was sent again.
    pub repeats: u64,
}

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum OrderState {
    /// Traded, perhaps in part; the rest is cancelled.
    Filled {
        /// Coins.
        volume: Coins,
        /// What they cost or brought.
        money: Money,
    },
    /// Not traded, and never will be.
    Rejected,
    /// Waits; nothing was traded.
    Open,
}

impl Placed {
    /// Coins bought; negative when sold.
    pub fn net(&self) -> Coins {
        match (self.state, self.request.side) {
            (OrderState::Filled { volume, .. }, Side::Buy) => volume,
            (OrderState::Filled { volume, .. }, Side::Sell) => -volume,
            (OrderState::Rejected | OrderState::Open, _) => 0,
        }
    }
}

/// What the exchange does with an order that is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// Trades all of it.
    Whole,
    /// Trades at least one coin of it.
    Part,
    /// Trades nothing.
    Reject,
    /// Lets it wait.
    Rest,
}

/// The exchange.
#[derive(Debug)]
pub struct Venue {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    weather: Weather,
    random: Pcg64Mcg,
    markets: BTreeMap<String, Market>,
    orders: BTreeMap<String, Placed>,
    /// Orders of a symbol that have their final answer, the earliest first: those that may be
    /// forgotten. None where the whole book is kept.
    closed: Option<BTreeMap<String, VecDeque<String>>>,
    /// Calls that are being answered, by symbol: looks, and orders.
    in_progress: BTreeMap<String, (usize, usize)>,
    pinned: bool,
    looks: Option<Weather>,
    file: Option<File>,
}

/// One symbol.
#[derive(Clone, Copy, Debug)]
struct Market {
    price: Money,
    balance: Coins,
    /// As it was before the last trade.
    balance_before: Coins,
}

const PRICE_MEAN: Money = 10_000;

/// Orders of a symbol that an exchange with a file remembers, besides those that wait or have not
/// expired. A client that asks for its last order only, and never has two of them, needs one.
const REMEMBERED: usize = 64;

impl Default for Market {
    fn default() -> Self {
        Market {
            price: PRICE_MEAN,
            balance: 0,
            balance_before: 0,
        }
    }
}

impl Market {
    /// One step of a walk around the mean, by up to 1.5 %.
    fn walk(&mut self, random: &mut Pcg64Mcg) -> Money {
        let step = i64::from(random.next_u32() % 301) - 150;
        self.price = (self.price + step + (PRICE_MEAN - self.price) / 20).max(1_000);
        self.price
    }
}

impl Venue {
    /// An exchange without orders. Its book is all in memory, for whoever judges by it, and dies
    /// with it.
    pub fn new(weather: Weather, seed: u64) -> Self {
        let state = State {
            weather,
            random: Pcg64Mcg::seed_from_u64(seed),
            markets: BTreeMap::new(),
            orders: BTreeMap::new(),
            closed: None,
            in_progress: BTreeMap::new(),
            pinned: false,
            looks: None,
            file: None,
        };
        Venue {
            state: Mutex::new(state),
        }
    }

    /// An exchange that goes on where the file ends. A line that a crash has torn is dropped.
    ///
    /// Its memory does not grow: of orders that are over, and that could not be placed again for
    /// they have expired, it knows the latest of each symbol. Balances are of all orders, and the
    /// file has each.
    ///
    /// # Errors
    /// When the file cannot be read or written, or holds something else.
    pub fn with_file(weather: Weather, seed: u64, path: &Path) -> io::Result<Self> {
        let venue = Venue::new(weather, seed);
        let mut file = File::options()
            .read(true)
            .append(true)
            .create(true)
            .open(path)?;
        let whole = {
            let mut state = venue.state.lock();
            state.closed = Some(BTreeMap::new());
            let mut reader = BufReader::new(&file);
            let (mut line, mut whole) = (Vec::new(), 0);
            while reader.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
                let placed: Placed = serde_json::from_slice(&line)?;
                whole += line.len() as u64;
                line.clear();
                state.note(placed);
            }
            whole
        };
        file.set_len(whole)?;
        file.seek(io::SeekFrom::End(0))?;
        venue.state.lock().file = Some(file);
        Ok(venue)
    }

    /// From now on it behaves so.
    pub fn set_weather(&self, weather: Weather) {
        self.state.lock().weather = weather;
    }

    /// From now on prices stay as they are.
    pub fn pin_prices(&self) {
        self.state.lock().pinned = true;
    }

    /// From now on looks go as in that weather, or as all calls do.
    pub fn set_looks(&self, weather: Option<Weather>) {
        self.state.lock().looks = weather;
    }

    /// What somebody waits for that is about a symbol: an order rather than a look.
    pub fn in_progress(&self, symbol: &str) -> Option<Call> {
        match self.state.lock().in_progress.get(symbol) {
            Some((_, 1..)) => Some(Call::Place),
            Some((1.., _)) => Some(Call::Look),
            _ => None,
        }
    }

    /// Notes that somebody waits, until the result is dropped.
    fn asked(self: &Arc<Self>, symbol: &str, call: Call) -> Asked {
        let mut state = self.state.lock();
        *state.waiting(symbol, call) += 1;
        Asked {
            venue: Arc::clone(self),
            symbol: symbol.to_owned(),
            call,
        }
    }

    /// How this call will go.
    pub fn plan(&self, call: Call) -> Plan {
        let mut state = self.state.lock();
        let weather = match call {
            Call::Look => state.looks.unwrap_or(state.weather),
            Call::Place => state.weather,
        };
        weather.plan(call, &mut state.random)
    }

    /// The price of a symbol; it moves with each look.
    pub fn price(&self, symbol: &str) -> Money {
        let State {
            markets,
            random,
            pinned,
            ..
        } = &mut *self.state.lock();
        let market = markets.entry(symbol.to_owned()).or_default();
        if *pinned {
            market.price
        } else {
            market.walk(random)
        }
    }

    /// The coins in the account, or those before the last trade.
    pub fn balance(&self, symbol: &str, stale: bool) -> Coins {
        let state = self.state.lock();
        let market = state.markets.get(symbol).copied().unwrap_or_default();
        if stale {
            market.balance_before
        } else {
            market.balance
        }
    }

    /// Places an order, unless it comes too late.
    ///
    /// # Errors
    /// When the exchange's own file cannot be written; the order is then not placed.
    pub fn place(&self, request: &OrderRequest, matching: Match) -> io::Result<OrderState> {
        let mut state = self.state.lock();
        if let Some(known) = state.orders.get_mut(&request.id) {
            known.repeats += 1;
            return Ok(known.state);
        }
        let placed_us = now_us();
        if placed_us >= request.expires_us {
            // Not in the book: an order that was asked for after its expiry and was not there
            // must not be there later.
            return Ok(OrderState::Rejected);
        }
        let outcome = state.matched(request, matching);
        let placed = Placed {
            request: request.clone(),
            placed_us,
            state: outcome,
            repeats: 0,
        };
        state.write(&placed)?;
        state.note(placed);
        Ok(outcome)
    }

    /// What became of an order; none when it is not in the book.
    pub fn order(&self, id: &str) -> Option<OrderState> {
        self.state.lock().orders.get(id).map(|placed| placed.state)
    }

    /// Cancels an order if it waits.
    ///
    /// # Errors
    /// When the exchange's own file cannot be written; the order then still waits.
    pub fn cancel(&self, id: &str) -> io::Result<()> {
        let mut state = self.state.lock();
        let Some(placed) = state.orders.get(id) else {
            return Ok(());
        };
        if placed.state == OrderState::Open {
            let cancelled = Placed {
                state: OrderState::Rejected,
                ..placed.clone()
            };
            state.write(&cancelled)?;
            state.note(cancelled);
        }
        Ok(())
    }

    /// All orders that it knows, by id.
    pub fn orders(&self) -> Vec<Placed> {
        self.state.lock().orders.values().cloned().collect()
    }
}

/// Somebody waits for an answer about a symbol.
struct Asked {
    venue: Arc<Venue>,
    symbol: String,
    call: Call,
}

impl Drop for Asked {
    fn drop(&mut self) {
        *self.venue.state.lock().waiting(&self.symbol, self.call) -= 1;
    }
}

impl State {
    fn waiting(&mut self, symbol: &str, call: Call) -> &mut usize {
        let (looks, orders) = self.in_progress.entry(symbol.to_owned()).or_default();
        match call {
            Call::Look => looks,
            Call::Place => orders,
        }
    }

    fn matched(&mut self, request: &OrderRequest, matching: Match) -> OrderState {
        let held = self
            .markets
            .get(&request.symbol)
            .map_or(0, |market| market.balance);
        let covered = request.side == Side::Buy || request.volume <= held;
        let traded = match matching {
            Match::Reject => return OrderState::Rejected,
            Match::Rest => return OrderState::Open,
            Match::Whole => request.volume,
            Match::Part => 1 + i64::from(self.random.next_u32()) % request.volume.max(1),
        };
        let money = traded.checked_mul(request.price);
        match money {
            Some(money) if covered && traded > 0 && request.price > 0 => OrderState::Filled {
                volume: traded.min(request.volume),
                money: money / traded * traded.min(request.volume),
            },
            _ => OrderState::Rejected,
        }
    }

    fn write(&mut self, placed: &Placed) -> io::Result<()> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let mut line = serde_json::to_vec(placed)?;
        line.push(b'\n');
        file.write_all(&line)
    }

    /// Takes an order, new or changed, into the book.
    fn note(&mut self, placed: Placed) {
        let market = self
            .markets
            .entry(placed.request.symbol.clone())
            .or_default();
        let net = placed.net();
        if net != 0 {
            market.balance_before = market.balance;
            market.balance += net;
        }
        if placed.state != OrderState::Open {
            self.forget(&placed.request);
        }
        self.orders.insert(placed.request.id.clone(), placed);
    }

    /// An order is over: the earliest of its symbol may go.
    fn forget(&mut self, request: &OrderRequest) {
        let Some(closed) = &mut self.closed else {
            return;
        };
        let closed = closed.entry(request.symbol.clone()).or_default();
        closed.push_back(request.id.clone());
        let now = now_us();
        let expired = |placed: &Placed| placed.request.expires_us <= now;
        while closed.len() > REMEMBERED
            && closed
                .front()
                .is_some_and(|id| self.orders.get(id).is_none_or(expired))
        {
            let id = closed.pop_front().unwrap_or_default();
            self.orders.remove(&id);
        }
    }
}
