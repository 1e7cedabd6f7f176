//! The simulated exchange.
//!
//! Knows what was really bought and sold, and decides by `gordian::choose` how each call ends.
//! Judges every order at the moment it is submitted. Does not know who trades: the reference and
//! the specimens call it alike.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use autotrader::{
    CallFailed, ClientOrderId, Coins, Currency, CycleId, Exchange, Fill, Money, Order, OrderStatus,
    Reply, Side,
};
use gordian::thread::JoinHandle;
use gordian::{Ghost, Named};

use crate::desk::Desk;
use crate::disk::Disk;
use crate::inside::Inside;
use crate::properties::{Judge, Property};

/// The price at the start: neither a rebuy nor a sale.
pub const HOLD: Money = 100;
/// Low enough for the next purchase.
pub const FALL: Money = 50;
/// High enough for a sale.
pub const RISE: Money = 300;

/// How a call for the balance ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balance {
    /// The truth.
    True,
    /// What it was before the last order that was filled.
    Stale,
    /// No answer.
    Failed,
}

/// What happens to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Filled, and so answered.
    Filled,
    /// Rejected, and so answered.
    Rejected,
    /// It never arrived, and there is no answer.
    Failed,
    /// Filled, but the answer is lost.
    FilledReplyLost,
    /// It stays open without an answer, until it is cancelled.
    Open,
}

/// All that the environment may do. With one entry there is no choice to explore.
#[derive(Clone, Copy, Debug)]
pub struct Script {
    /// Prices; none is a call that fails.
    pub prices: &'static [Option<Money>],
    /// Answers to a call for the balance.
    pub balances: &'static [Balance],
    /// Fates of orders.
    pub fates: &'static [Fate],
    /// Whether a query of an order is answered.
    pub queries: &'static [bool],
    /// How many seconds an order takes: a step when not 0, for programs that look at the clock.
    pub seconds: &'static [u64],
}

impl Script {
    /// Everything goes well, and the price stays.
    pub const CALM: Script = Script {
        prices: &[Some(HOLD)],
        balances: &[Balance::True],
        fates: &[Fate::Filled],
        queries: &[true],
        seconds: &[0],
    };

    /// Every fate of an order; all else goes well.
    pub const FATES: Script = Script {
        fates: &[
            Fate::Filled,
            Fate::Rejected,
            Fate::Failed,
            Fate::FilledReplyLost,
            Fate::Open,
        ],
        ..Script::CALM
    };

    /// Every outcome of every call.
    pub const WILD: Script = Script {
        prices: &[Some(HOLD), Some(FALL), Some(RISE), None],
        balances: &[Balance::True, Balance::Stale, Balance::Failed],
        queries: &[true, false],
        ..Script::FATES
    };
}

/// One currency, as it really is. A ghost: each access is one step.
#[derive(Debug, Default)]
struct Ledger {
    orders: BTreeMap<ClientOrderId, (Order, Fate)>,
    bought: BTreeMap<CycleId, Coins>,
    sold: BTreeMap<CycleId, Coins>,
    paid: BTreeMap<CycleId, Money>,
    steps: BTreeSet<(CycleId, usize)>,
    starts: u64,
    sales: u64,
    earned: Money,
    /// The balance before the last order that was filled.
    stale: Coins,
    /// Submitted, and its reply not yet given: its operation is in flight.
    awaiting: BTreeSet<ClientOrderId>,
    /// Their reply was lost, and no query has told their fate.
    unresolved: BTreeSet<ClientOrderId>,
    /// Threads whose last call for the balance failed.
    blind: BTreeSet<String>,
    now: u64,
}

/// The exchange of one execution.
#[derive(Debug)]
pub struct Market {
    script: Script,
    judge: Judge,
    desk: Arc<Desk>,
    disk: Arc<Disk>,
    ledgers: Vec<Ghost<Ledger>>,
    /// Who submits: the protocol does it inside its critical section.
    inside: Vec<Inside>,
    /// Clients that must have their answers before some slow call for currency 0 ends. Filled
    /// before the only loop starts and then used by it alone, so it need not be seen by the search.
    patience: Mutex<Vec<JoinHandle<()>>>,
    /// All goes well, and this is the price, while it is not 0. Written only while the main thread
    /// is alone, so it need not be seen by the search.
    calm_price: AtomicI64,
}

/// What really happened, at the end of an execution.
#[derive(Clone, Debug)]
pub struct Truth {
    /// Bought − sold.
    pub net: Coins,
    /// The same by cycle.
    pub net_of: BTreeMap<CycleId, Coins>,
    /// First purchases of a cycle that were filled.
    pub starts: u64,
    /// Sales that were filled.
    pub sales: u64,
    /// Profit of the sales: what they brought less what the coins had cost.
    pub earned: Money,
    /// Whether an order's fate was never learnt.
    pub unresolved: bool,
}

/// One of the entries; a step only when there is a choice.
#[track_caller]
fn one_of<T: Copy>(cases: &[T]) -> T {
    if cases.len() == 1 {
        cases[0]
    } else {
        cases[gordian::choose(cases.len())]
    }
}

fn thread_name() -> String {
    gordian::thread::current()
        .name()
        .unwrap_or("main")
        .to_owned()
}

impl Market {
    /// An exchange on which nothing was traded yet.
    pub fn new(
        script: Script,
        judge: Judge,
        desk: Arc<Desk>,
        disk: Arc<Disk>,
        currencies: usize,
    ) -> Self {
        let ledger = |index| Ghost::new(Ledger::default()).named(format!("market {index}"));
        Market {
            script,
            judge,
            desk,
            disk,
            ledgers: (0..currencies).map(ledger).collect(),
            inside: (0..currencies).map(|_| Inside::new(judge)).collect(),
            patience: Mutex::new(Vec::new()),
            calm_price: AtomicI64::new(0),
        }
    }

    /// From now on everything goes well, at this price. Only while the main thread is alone.
    pub fn calm(&self, price: Money) {
        self.calm_price.store(price, Ordering::Relaxed);
    }

    /// From now on the script decides. Only while the main thread is alone.
    pub fn wild(&self) {
        self.calm_price.store(0, Ordering::Relaxed);
    }

    /// Lets some slow call for currency 0, chosen by the environment, end only after these threads
    /// have ended. Before the only loop starts.
    pub fn outlast(&self, clients: Vec<JoinHandle<()>>) {
        *self.patience.lock().expect("no thread panics with it") = clients;
    }

    /// The clients for whose end no price has waited.
    pub fn not_outlasted(&self) -> Vec<JoinHandle<()>> {
        std::mem::take(&mut *self.patience.lock().expect("no thread panics with it"))
    }

    /// The virtual clock, in seconds.
    pub fn now(&self, currency: Currency) -> u64 {
        self.ledgers[currency.0].read(|ledger| ledger.now)
    }

    /// Whether an order's reply is awaited: its operation is in flight.
    pub fn awaiting(&self, currency: Currency) -> bool {
        self.ledgers[currency.0].read(|ledger| !ledger.awaiting.is_empty())
    }

    /// What was bought less what was sold in a cycle.
    pub fn net_of(&self, currency: Currency, cycle: CycleId) -> Coins {
        self.ledgers[currency.0].read(|ledger| ledger.net_of(cycle))
    }

    /// What was bought in a cycle.
    pub fn bought_in(&self, currency: Currency, cycle: CycleId) -> Coins {
        self.ledgers[currency.0].read(|ledger| ledger.bought.get(&cycle).copied().unwrap_or(0))
    }

    /// What really happened.
    pub fn truth(&self, currency: Currency) -> Truth {
        self.ledgers[currency.0].read(|ledger| {
            let cycles = ledger.bought.keys().chain(ledger.sold.keys());
            let net_of: BTreeMap<_, _> = cycles
                .map(|cycle| (*cycle, ledger.net_of(*cycle)))
                .collect();
            Truth {
                net: ledger.net(),
                net_of,
                starts: ledger.starts,
                sales: ledger.sales,
                earned: ledger.earned,
                unresolved: !ledger.unresolved.is_empty(),
            }
        })
    }

    /// Submits an order of a program that gives its orders no ids; answers the one it got.
    pub fn submit(&self, currency: Currency, order: Draft) -> ClientOrderId {
        let Draft {
            cycle,
            step,
            side,
            volume,
            price,
        } = order;
        self.record(currency, |number| Order {
            id: ClientOrderId {
                currency,
                op: autotrader::OpId(number),
            },
            cycle,
            step,
            side,
            volume,
            price,
        })
    }

    /// A slow call: perhaps the one that lasts until every client has its answer.
    fn be_slow(&self, currency: Currency) {
        let outlasts = || {
            !self
                .patience
                .lock()
                .expect("no thread panics with it")
                .is_empty()
        };
        if currency.0 == 0 && !self.is_calm() && outlasts() && gordian::any() {
            for client in self.not_outlasted() {
                // A client that panicked is a finding of its own.
                let _ = client.join();
            }
        }
    }

    fn is_calm(&self) -> bool {
        self.calm_price.load(Ordering::Relaxed) != 0
    }

    fn record(&self, currency: Currency, order: impl FnOnce(u64) -> Order) -> ClientOrderId {
        let calm = self.is_calm();
        let fate = if calm {
            Fate::Filled
        } else {
            one_of(self.script.fates)
        };
        if !calm {
            self.desk.judge_order(self.judge, currency);
        }
        let dead = self.disk.is_dead();
        let asks_thread = self.judge.asks(Property::FailClosed) && !calm;
        let thread = if asks_thread {
            thread_name()
        } else {
            String::new()
        };
        self.ledgers[currency.0].write(|ledger| {
            let order = order(ledger.orders.len() as u64 + 1);
            if !dead {
                let blind = ledger.blind.contains(&thread);
                self.judge
                    .demand(Property::FailClosed, !blind, "an order without a balance");
                ledger.take_order(self.judge, order, fate);
            }
            order.id
        })
    }
}

impl Ledger {
    fn net_of(&self, cycle: CycleId) -> Coins {
        let of = |map: &BTreeMap<CycleId, Coins>| map.get(&cycle).copied().unwrap_or(0);
        of(&self.bought) - of(&self.sold)
    }

    fn net(&self) -> Coins {
        self.bought.values().sum::<Coins>() - self.sold.values().sum::<Coins>()
    }

    fn take_order(&mut self, judge: Judge, order: Order, fate: Fate) {
        let known = self.unresolved.is_empty();
        judge.demand(
            Property::UnknownIsNotNo,
            known,
            "an order on top of an unknown one",
        );
        let alone = self.awaiting.is_empty();
        judge.demand(
            Property::OneOperation,
            alone,
            "a second order while one is in flight",
        );
        self.orders.insert(order.id, (order, fate));
        self.awaiting.insert(order.id);
        if !matches!(fate, Fate::Filled | Fate::FilledReplyLost) {
            return;
        }
        self.stale = self.net();
        match order.side {
            Side::Buy => {
                self.starts += u64::from(order.step == 0);
                let first = self.steps.insert((order.cycle, order.step));
                judge.demand(Property::BoughtOnce, first, "a step was bought twice");
                *self.bought.entry(order.cycle).or_default() += order.volume;
                *self.paid.entry(order.cycle).or_default() += order.volume * order.price;
            }
            Side::Sell => {
                self.sales += 1;
                *self.sold.entry(order.cycle).or_default() += order.volume;
                let of = |map: &BTreeMap<CycleId, i64>| map.get(&order.cycle).copied();
                let paid = of(&self.paid).unwrap_or(0);
                let bought = of(&self.bought).unwrap_or(1);
                self.earned += order.volume * order.price - paid * order.volume / bought;
                let covered = self.net_of(order.cycle) >= 0;
                judge.demand(Property::SoldOnce, covered, "more was sold than bought");
            }
        }
    }

    fn answer(&mut self, id: ClientOrderId) -> Result<Reply, CallFailed> {
        self.awaiting.remove(&id);
        // An order submitted by a process that had crashed is not here.
        let (order, fate) = self.orders.get(&id).ok_or(CallFailed)?;
        let reply = reply_of(order, *fate);
        if matches!(fate, Fate::Filled | Fate::Rejected) {
            return Ok(reply);
        }
        self.unresolved.insert(id);
        Err(CallFailed)
    }

    fn look_up(&mut self, id: ClientOrderId) -> OrderStatus {
        let Some((order, fate)) = self.orders.get(&id) else {
            return OrderStatus::Closed(Reply::Rejected);
        };
        if *fate == Fate::Open {
            return OrderStatus::Open;
        }
        let reply = reply_of(order, *fate);
        self.unresolved.remove(&id);
        self.awaiting.remove(&id);
        OrderStatus::Closed(reply)
    }
}

fn reply_of(order: &Order, fate: Fate) -> Reply {
    match fate {
        Fate::Filled | Fate::FilledReplyLost => Reply::Filled(Fill {
            volume: order.volume,
            money: order.volume * order.price,
        }),
        Fate::Rejected | Fate::Failed | Fate::Open => Reply::Rejected,
    }
}

impl Exchange for Market {
    fn price(&self, currency: Currency) -> Result<Money, CallFailed> {
        if self.is_calm() {
            return Ok(self.calm_price.load(Ordering::Relaxed));
        }
        self.be_slow(currency);
        one_of(self.script.prices).ok_or(CallFailed)
    }

    fn balance(&self, currency: Currency) -> Result<Coins, CallFailed> {
        self.be_slow(currency);
        let answer = if self.is_calm() {
            Balance::True
        } else {
            one_of(self.script.balances)
        };
        if self.judge.asks(Property::FailClosed) && !self.is_calm() {
            let (failed, thread) = (answer == Balance::Failed, thread_name());
            self.ledgers[currency.0].write(|ledger| {
                if failed {
                    ledger.blind.insert(thread)
                } else {
                    ledger.blind.remove(&thread)
                }
            });
        }
        match answer {
            Balance::True => Ok(self.ledgers[currency.0].read(Ledger::net)),
            Balance::Stale => Ok(self.ledgers[currency.0].read(|ledger| ledger.stale)),
            Balance::Failed => Err(CallFailed),
        }
    }

    fn post(&self, order: &Order) {
        let currency = order.id.currency;
        self.inside[currency.0].section(|| self.record(currency, |_| *order));
    }

    fn reply(&self, id: ClientOrderId) -> Result<Reply, CallFailed> {
        self.be_slow(id.currency);
        let seconds = if self.is_calm() {
            0
        } else {
            one_of(self.script.seconds)
        };
        let ledger = &self.ledgers[id.currency.0];
        if seconds > 0 {
            ledger.write(|ledger| ledger.now += seconds);
        }
        ledger.write(|ledger| ledger.answer(id))
    }

    fn query(&self, id: ClientOrderId) -> Result<OrderStatus, CallFailed> {
        self.be_slow(id.currency);
        if !self.is_calm() && !one_of(self.script.queries) {
            return Err(CallFailed);
        }
        Ok(self.ledgers[id.currency.0].write(|ledger| ledger.look_up(id)))
    }

    fn cancel(&self, id: ClientOrderId) -> Result<(), CallFailed> {
        self.be_slow(id.currency);
        self.ledgers[id.currency.0].write(|ledger| {
            if let Some((_, fate @ Fate::Open)) = ledger.orders.get_mut(&id) {
                *fate = Fate::Failed;
            }
        });
        Ok(())
    }
}

/// An order without an id.
#[derive(Clone, Copy, Debug)]
pub struct Draft {
    /// The cycle it belongs to, as the program counts.
    pub cycle: CycleId,
    /// The row.
    pub step: usize,
    /// Buy or sell.
    pub side: Side,
    /// How much.
    pub volume: Coins,
    /// At which price.
    pub price: Money,
}
