//! The variants of the protocol that were really written, each broken in its own way.
//!
//! Knows the shape that they share: a [`Cell`] per currency behind a lock, and default endpoints.
//! Each specimen is one type that overrides what its row of the table says is different, and is
//! otherwise as careful as it can be, so that it fails for that one reason. None is production
//! code.

use std::sync::Arc;

use autotrader::{
    CallFailed, Coins, Currency, CycleId, Epoch, Exchange, Lease, Marked, Money, Protocol, Refusal,
    Reply, Side, Stats, Tick,
};
use gordian::Named;
use gordian::sync::{Mutex, MutexGuard};

use crate::market::{Draft, FALL, Market, RISE};
use crate::scenario::{ROWS, World};

mod disk;
mod flags;
mod locking;
mod resets;
mod unknowns;

pub use disk::TornStateFile;
pub use flags::{
    CooldownGuard, FinallyClearsFlag, FlagOnly, SplitTestAndSet, StuckFlag, TimeoutClearsFlag,
    TwoLoops, WrongWriteOrder,
};
pub use locking::{
    ClearFlagSelfDeadlock, HeldAcrossApi, InfoUnderLock, LockedThenRelease, RacyLockDict,
    Timeout503,
};
pub use resets::{
    ExceptionInReset, LostReset, OrderAfterReset, PauseNotRechecked, SellCommitAfterReset,
    StaleCommit,
};
pub use unknowns::{FailOpenGuard, TimeoutMeansNo};

/// What a specimen keeps about a currency: the Python object's attributes.
#[derive(Clone, Debug)]
pub struct Cell {
    active: bool,
    /// −1 while idle.
    step: i64,
    volume: Coins,
    cost: Money,
    paused: bool,
    resets: u64,
    cycle: u64,
    buying: bool,
    rebuying: bool,
    selling: bool,
    profit: Money,
}

impl Cell {
    const IDLE: Cell = Cell {
        active: false,
        step: -1,
        volume: 0,
        cost: 0,
        paused: false,
        resets: 0,
        cycle: 0,
        buying: false,
        rebuying: false,
        selling: false,
        profit: 0,
    };

    /// What reset does, done right.
    fn reset(&mut self) {
        self.resets += 1;
        self.cycle += 1;
        self.empty();
        self.paused = true;
    }

    fn empty(&mut self) {
        self.active = false;
        self.step = -1;
        self.volume = 0;
        self.cost = 0;
    }

    /// A start buy was filled.
    fn activate(&mut self, price: Money) {
        self.active = true;
        self.step = 0;
        self.volume = 1;
        self.cost = price;
    }

    /// A rebuy was filled.
    fn rebought(&mut self, step: usize, price: Money) {
        self.step = step as i64;
        self.volume += 1;
        self.cost += price;
    }

    /// A sale was filled.
    fn sold(&mut self, volume: Coins, price: Money) {
        self.profit += volume * price - self.cost;
        self.cycle += 1;
        self.empty();
    }

    fn order(&self, side: Side, step: i64, volume: Coins, price: Money) -> Draft {
        let cycle = CycleId(self.cycle);
        let step = usize::try_from(step).expect("a row is not negative");
        Draft {
            cycle,
            step,
            side,
            volume,
            price,
        }
    }

    fn stats(&self) -> Stats {
        Stats {
            active: self.active,
            step: self.step,
            volume: self.volume,
            paused: self.paused,
            epoch: Epoch(self.resets),
            cycle: CycleId(self.cycle),
            busy: self.buying || self.rebuying || self.selling,
            unknown: false,
            orphaned: 0,
            orphans_count: 0,
            orphans: Vec::new(),
            profit: self.profit,
        }
    }

    /// What the price asks for.
    fn wish(&self, price: Money) -> Wish {
        match self.active {
            false => Wish::Start,
            true if price >= RISE => Wish::Sell,
            true if price <= FALL && self.step + 1 < ROWS as i64 => Wish::Rebuy,
            true => Wish::Nothing,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Nothing,
    Start,
    Rebuy,
    Sell,
}

/// What every specimen has: the exchange and the currencies.
#[derive(Debug)]
pub struct Bot {
    world: World,
    exchange: Marked<Arc<Market>>,
    cells: Vec<Mutex<Cell>>,
}

impl Bot {
    fn new(world: &World) -> Self {
        let cell = |index| Mutex::new(Cell::IDLE).named(format!("L[{index}]"));
        Bot {
            world: world.clone(),
            exchange: Marked(Arc::clone(&world.market)),
            cells: (0..world.currencies).map(cell).collect(),
        }
    }

    /// `with L:`
    #[track_caller]
    fn lock(&self, currency: Currency) -> MutexGuard<'_, Cell> {
        self.cells[currency.0].lock()
    }

    /// A copy, in one critical section.
    #[track_caller]
    fn snapshot(&self, currency: Currency) -> Cell {
        self.lock(currency).clone()
    }

    /// Slow.
    fn price(&self, currency: Currency) -> Option<Money> {
        self.exchange.price(currency).ok()
    }

    /// The start buy, done with care, for specimens that are about something else.
    fn start_cycle(&self, currency: Currency, price: Money) {
        let order = {
            let mut cell = self.lock(currency);
            if cell.paused || cell.buying || cell.active {
                return;
            }
            cell.buying = true;
            cell.order(Side::Buy, 0, 1, price)
        };
        let filled = self.is_filled(currency, order);
        let mut cell = self.lock(currency);
        if filled && order.cycle.0 == cell.cycle {
            cell.activate(price);
        }
        cell.buying = false;
    }

    /// Submits an order and waits for the answer. Slow.
    fn trade(&self, currency: Currency, order: Draft) -> Result<Reply, CallFailed> {
        let id = self.world.market.submit(currency, order);
        self.exchange.reply(id)
    }

    /// The same, when only a fill counts.
    fn is_filled(&self, currency: Currency, order: Draft) -> bool {
        matches!(self.trade(currency, order), Ok(Reply::Filled(_)))
    }
}

/// A broken autotrader: what is not overridden is right.
pub trait Specimen: Send + Sync + 'static {
    /// What it shares with the others.
    fn bot(&self) -> &Bot;

    /// The main loop's visit to one currency.
    fn tick(&self, currency: Currency);

    /// `POST reset_cycle`.
    ///
    /// # Errors
    /// When the answer is not 200.
    fn reset(&self, currency: Currency) -> Result<(), Refusal> {
        self.bot().lock(currency).reset();
        Ok(())
    }

    /// `POST resume_cycle`.
    ///
    /// # Errors
    /// When the answer is not 200.
    fn resume(&self, currency: Currency) -> Result<(), Refusal> {
        self.bot().lock(currency).paused = false;
        Ok(())
    }

    /// `GET stats`.
    fn stats(&self, currency: Currency) -> Stats {
        self.bot().lock(currency).stats()
    }

    /// `POST start`: the lease, when a loop is to be started.
    fn start(&self) -> Option<Lease> {
        Some(Lease(1))
    }

    /// `POST stop`.
    fn stop(&self) {}

    /// Whether a loop goes on.
    fn is_running(&self) -> bool {
        true
    }
}

/// Gives a specimen the interface of the reference.
#[derive(Debug)]
pub struct Broken<S>(pub S);

impl<S: Specimen> Protocol for Broken<S> {
    fn currencies(&self) -> usize {
        self.0.bot().world.currencies
    }

    fn start(&self) -> Option<Lease> {
        self.0.start()
    }

    fn stop(&self) {
        self.0.stop();
    }

    fn tick(&self, _lease: Lease, currency: Currency) -> Tick {
        if !self.0.is_running() {
            return Tick::Ended;
        }
        self.0.tick(currency);
        Tick::Quiet
    }

    fn reset(&self, currency: Currency) -> Result<(), Refusal> {
        self.0.reset(currency)
    }

    fn resume(&self, currency: Currency) -> Result<(), Refusal> {
        self.0.resume(currency)
    }

    fn stats(&self, currency: Currency) -> Result<Stats, Refusal> {
        Ok(self.0.stats(currency))
    }
}
