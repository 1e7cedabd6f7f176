//! A currency's cycle and what is known about it: plain data.
//!
//! Knows how a fill or a reset changes a [`Book`] and which order a price asks for. Does not know
//! locks, threads, tokens in flight, or who calls.

use serde::{Deserialize, Serialize};

use crate::exchange::{ClientOrderId, Fill, Order, Side};
use crate::units::{Coins, CycleId, Epoch, Money, OpId};

/// What the trader is told about its currencies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// One entry per currency, in the order in which a pass visits them.
    pub currencies: Vec<CurrencySettings>,
}

/// What the trader is told about one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrencySettings {
    /// Its symbol, such as `BTC`: the name of its lock in reports.
    pub symbol: String,
    /// The purchases of one cycle, in order; the first one starts it. Never empty.
    pub rows: Vec<Row>,
    /// How far above its cost a position is sold, in thousandths of the cost.
    pub profit_permille: Money,
    /// Whether trading is permitted at the start.
    pub permitted: bool,
}

/// One purchase of a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// How far the price must have fallen since the last purchase, in thousandths; not used for
    /// the first row.
    pub drop_permille: Money,
    /// How much to buy.
    pub volume: Coins,
}

/// Where a currency's cycle stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cycle {
    /// Nothing bought.
    #[default]
    Idle,
    /// Something bought and not yet sold.
    Active(Position),
}

/// What an active cycle holds. Invariant: `volume > 0`, and `step` is a row of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The row bought last, from 0.
    pub step: usize,
    /// Coins held.
    pub volume: Coins,
    /// What they cost.
    pub cost: Money,
    /// The price at the last purchase.
    pub price_last: Money,
}

/// Coins that no cycle owns: what a reset left, or an order filled after its cycle was reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orphan {
    /// The cycle that once owned them.
    pub cycle: CycleId,
    /// The order that was filled too late; none for a position given up by a reset.
    pub order: Option<ClientOrderId>,
    /// How many; negative when a late sale took coins that a reset had given up.
    pub volume: Coins,
}

/// Everything about one currency that survives a restart. Guarded by `L[c]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// Grows with every change: of two records the one with the higher number is right, whatever
    /// the order in which they reached the disk.
    pub version: u64,
    /// Number of resets.
    pub epoch: Epoch,
    /// The user's pause. Set by reset, cleared by resume, touched by nothing else.
    pub paused: bool,
    /// The cycle.
    pub cycle: Cycle,
    /// Its number.
    pub cycle_id: CycleId,
    /// Every operation up to this one has ended, and this book contains what came of it.
    pub op_settled: OpId,
    /// Profit of all complete and partial sales of a cycle's own coins.
    pub profit: Money,
    /// Coins in the orphan ledger.
    pub orphaned: Coins,
    /// Entries in the orphan ledger.
    pub orphans_count: u64,
    /// The latest of them: those since an order was submitted, or since a restart. The journal has
    /// all. Invariant: at most [`ORPHANS_MAX`], so that the book, which is copied under `L[c]`,
    /// does not grow.
    pub orphans: Vec<Orphan>,
}

/// Two entries: what a reset takes from a cycle, and the fill of the one order that is in flight
/// then. The next entry needs another purchase, and its order lets these go.
pub const ORPHANS_MAX: usize = 2;

impl Book {
    /// Coins in the current cycle.
    pub fn held(&self) -> Coins {
        match self.cycle {
            Cycle::Idle => 0,
            Cycle::Active(position) => position.volume,
        }
    }

    /// Ends the cycle and pauses. Nothing is sold: what it held goes to the orphan ledger.
    pub fn reset(&mut self) {
        if let Cycle::Active(position) = self.cycle {
            self.enter(Orphan {
                cycle: self.cycle_id,
                order: None,
                volume: position.volume,
            });
        }
        self.epoch.0 += 1;
        self.cycle_id.0 += 1;
        self.cycle = Cycle::Idle;
        self.paused = true;
        self.version += 1;
    }

    /// Clears the pause, and nothing else.
    pub fn resume(&mut self) {
        self.paused = false;
        self.version += 1;
    }

    /// Notes that operation `op` ended without a fill.
    pub fn settle(&mut self, op: OpId) {
        self.op_settled = op;
        self.version += 1;
    }

    /// Applies a fill of the current cycle's own order. Leaves the pause alone.
    pub fn apply(&mut self, order: &Order, fill: Fill) {
        match order.side {
            Side::Buy => self.bought(order, fill),
            Side::Sell => self.sold(fill),
        }
        self.settle(order.id.op);
    }

    /// Books a fill whose cycle was reset in the meantime: state and pause stay as they are.
    pub fn orphan(&mut self, order: &Order, fill: Fill) {
        let volume = match order.side {
            Side::Buy => fill.volume,
            Side::Sell => -fill.volume,
        };
        self.enter(Orphan {
            cycle: order.cycle,
            order: Some(order.id),
            volume,
        });
        self.settle(order.id.op);
    }

    /// Enters coins into the orphan ledger.
    fn enter(&mut self, orphan: Orphan) {
        self.orphaned += orphan.volume;
        self.orphans_count += 1;
        self.orphans.push(orphan);
        debug_assert!(self.orphans.len() <= ORPHANS_MAX, "{self:?}");
    }

    /// The place of the first entry in memory: how many have left it.
    pub fn orphans_archived(&self) -> u64 {
        self.orphans_count - self.orphans.len() as u64
    }

    /// The journal has this book: the entries of the orphan ledger leave memory, their sum stays.
    pub fn archive(&mut self) {
        self.orphans.clear();
    }

    fn bought(&mut self, order: &Order, fill: Fill) {
        let before = match self.cycle {
            Cycle::Idle => Position {
                step: 0,
                volume: 0,
                cost: 0,
                price_last: 0,
            },
            Cycle::Active(position) => position,
        };
        self.cycle = Cycle::Active(Position {
            step: order.step,
            volume: before.volume + fill.volume,
            cost: before.cost + fill.money,
            price_last: order.price,
        });
    }

    fn sold(&mut self, fill: Fill) {
        let Cycle::Active(position) = self.cycle else {
            unreachable!("a sell order of the current cycle exists only while it is active");
        };
        let rest = position.volume - fill.volume;
        if rest <= 0 {
            self.profit += fill.money - position.cost;
            self.cycle = Cycle::Idle;
            self.cycle_id.0 += 1;
            return;
        }
        let cost_sold = position.cost * fill.volume / position.volume;
        self.profit += fill.money - cost_sold;
        let cost = position.cost - cost_sold;
        self.cycle = Cycle::Active(Position {
            volume: rest,
            cost,
            ..position
        });
    }

    /// What the price asks for, given what the exchange says is in the account.
    ///
    /// The balance can only forbid: it lags behind, so it is no proof of anything. More coins than
    /// the books explain forbid a purchase (something was bought that we do not know of); fewer
    /// than the position forbid a sale. A position that seems gone is never reset for it.
    pub fn decide(
        &self,
        settings: &CurrencySettings,
        price: Money,
        balance: Coins,
    ) -> Option<Decision> {
        let buy = |step: usize| {
            let explained = balance <= self.held() + self.orphaned;
            let volume = settings.rows[step].volume;
            explained.then_some(Decision {
                side: Side::Buy,
                step,
                volume,
                price,
            })
        };
        let position = match self.cycle {
            Cycle::Idle => return buy(0),
            Cycle::Active(position) => position,
        };
        let goal = position.cost * (1000 + settings.profit_permille);
        if price * position.volume * 1000 >= goal {
            let Position { step, volume, .. } = position;
            return (balance >= volume).then_some(Decision {
                side: Side::Sell,
                step,
                volume,
                price,
            });
        }
        let step = position.step + 1;
        let row = settings.rows.get(step)?;
        let fallen = price * 1000 <= position.price_last * (1000 - row.drop_permille);
        if fallen { buy(step) } else { None }
    }
}

/// An order that the price asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Buy or sell.
    pub side: Side,
    /// The row to buy, or the row bought last for a sale.
    pub step: usize,
    /// How much.
    pub volume: Coins,
    /// At which price.
    pub price: Money,
}
