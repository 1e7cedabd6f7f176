//! Specimens whose flags do not protect what they should.

use autotrader::{Currency, Lease, Money, Refusal, Side, Stats};
use gordian::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use gordian::{Ghost, Named};

use super::{Bot, Cell, Draft, Specimen, Wish};
use crate::scenario::World;

/// P3: check / API / commit, with the flag cleared in the `finally` of the API phase.
#[derive(Debug)]
pub struct FinallyClearsFlag(Bot);

impl FinallyClearsFlag {
    /// An idle one.
    pub fn new(world: &World) -> Self {
        FinallyClearsFlag(Bot::new(world))
    }
}

impl Specimen for FinallyClearsFlag {
    fn bot(&self) -> &Bot {
        &self.0
    }

    fn tick(&self, currency: Currency) {
        let bot = &self.0;
        {
            let mut cell = bot.lock(currency);
            if cell.paused || cell.active || cell.buying {
                return;
            }
            cell.buying = true;
        }
        let mut bought = None;
        if let Some(price) = bot.price(currency) {
            let order = bot.snapshot(currency).order(Side::Buy, 0, 1, price);
            bought = bot.is_filled(currency, order).then_some(price);
        }
        // finally:
        bot.lock(currency).buying = false;
        if let Some(price) = bought {
            bot.lock(currency).activate(price);
        }
    }
}

/// D1: `if pending: return; pending = true`, without a lock. Each attribute is a step of its own.
#[derive(Debug)]
pub struct FlagOnly {
    bot: Bot,
    cell: Ghost<Cell>,
}

impl FlagOnly {
    /// An idle one; one currency.
    pub fn new(world: &World) -> Self {
        FlagOnly {
            bot: Bot::new(world),
            cell: Ghost::new(Cell::IDLE).named("cycle 0"),
        }
    }
}

impl Specimen for FlagOnly {
    fn bot(&self) -> &Bot {
        &self.bot
    }

    fn tick(&self, currency: Currency) {
        if self
            .cell
            .read(|cell| cell.paused || cell.active || cell.buying)
        {
            return;
        }
        self.cell.write(|cell| cell.buying = true);
        if let Some(price) = self.bot.price(currency) {
            let order = self.cell.read(|cell| cell.order(Side::Buy, 0, 1, price));
            if self.bot.is_filled(currency, order) {
                self.cell.write(|cell| cell.active = true);
                self.cell.write(|cell| cell.activate(price));
            }
        }
        self.cell.write(|cell| cell.buying = false);
    }

    fn reset(&self, _currency: Currency) -> Result<(), Refusal> {
        self.cell.write(Cell::reset);
        Ok(())
    }

    fn resume(&self, _currency: Currency) -> Result<(), Refusal> {
        self.cell.write(|cell| cell.paused = false);
        Ok(())
    }

    fn stats(&self, _currency: Currency) -> Stats {
        self.cell.read(Cell::stats)
    }
}

/// D2: clears `pending` before it sets `active`.
#[derive(Debug)]
pub struct WrongWriteOrder {
    bot: Bot,
    cell: Ghost<Cell>,
}

impl WrongWriteOrder {
    /// An idle one; one currency.
    pub fn new(world: &World) -> Self {
        WrongWriteOrder {
            bot: Bot::new(world),
            cell: Ghost::new(Cell::IDLE).named("cycle 0"),
        }
    }
}

impl Specimen for WrongWriteOrder {
    fn bot(&self) -> &Bot {
        &self.bot
    }

    fn tick(&self, currency: Currency) {
        // The flag itself is sound here: tested and set in one step.
        let taken = self.cell.write(|cell| {
            let free = !(cell.paused || cell.active || cell.buying);
            cell.buying |= free;
            free
        });
        if !taken {
            return;
        }
        let mut bought = None;
        if let Some(price) = self.bot.price(currency) {
            let order = self.cell.read(|cell| cell.order(Side::Buy, 0, 1, price));
            bought = self.bot.is_filled(currency, order).then_some(price);
        }
        self.cell.write(|cell| cell.buying = false);
        if let Some(price) = bought {
            self.cell.write(|cell| cell.activate(price));
        }
    }

    fn reset(&self, _currency: Currency) -> Result<(), Refusal> {
        self.cell.write(Cell::reset);
        Ok(())
    }

    fn resume(&self, _currency: Currency) -> Result<(), Refusal> {
        self.cell.write(|cell| cell.paused = false);
        Ok(())
    }

    fn stats(&self, _currency: Currency) -> Stats {
        self.cell.read(Cell::stats)
    }
}

/// D5: `now - last_attempt < 3 s` instead of a flag, while a buy takes 15 s.
#[derive(Debug)]
pub struct CooldownGuard {
    bot: Bot,
    last_attempt: Ghost<Option<u64>>,
}

impl CooldownGuard {
    /// An idle one; one currency.
    pub fn new(world: &World) -> Self {
        let last_attempt = Ghost::new(None).named("last attempt");
        CooldownGuard {
            bot: Bot::new(world),
            last_attempt,
        }
    }
}

impl Specimen for CooldownGuard {
    fn bot(&self) -> &Bot {
        &self.bot
    }

    fn tick(&self, currency: Currency) {
        let bot = &self.bot;
        let Some(price) = bot.price(currency) else {
            return;
        };
        let order = {
            let cell = bot.lock(currency);
            let now = bot.world.market.now(currency);
            let recent = self
                .last_attempt
                .read(|last| last.is_some_and(|last| now - last < 3));
            if cell.paused || cell.active || recent {
                return;
            }
            self.last_attempt.write(|last| *last = Some(now));
            cell.order(Side::Buy, 0, 1, price)
        };
        let filled = bot.is_filled(currency, order);
        let mut cell = bot.lock(currency);
        if filled && order.cycle.0 == cell.cycle {
            cell.activate(price);
        }
    }
}

/// D13: 30 s after the start, the loop clears the worker's flag.
#[derive(Debug)]
pub struct TimeoutClearsFlag {
    bot: Bot,
    started: Ghost<u64>,
}

impl TimeoutClearsFlag {
    /// An idle one; one currency.
    pub fn new(world: &World) -> Self {
        TimeoutClearsFlag {
            bot: Bot::new(world),
            started: Ghost::new(0).named("started at"),
        }
    }
}

impl Specimen for TimeoutClearsFlag {
    fn bot(&self) -> &Bot {
        &self.bot
    }

    fn tick(&self, currency: Currency) {
        let bot = &self.bot;
        {
            let mut cell = bot.lock(currency);
            let started = self.started.read(|started| *started);
            if cell.buying && bot.world.market.now(currency) - started > 30 {
                cell.buying = false;
            }
        }
        let Some(price) = bot.price(currency) else {
            return;
        };
        let order = {
            let mut cell = bot.lock(currency);
            if cell.paused || cell.active || cell.buying {
                return;
            }
            cell.buying = true;
            let now = bot.world.market.now(currency);
            self.started.write(|started| *started = now);
            cell.order(Side::Buy, 0, 1, price)
        };
        let filled = bot.is_filled(currency, order);
        let mut cell = bot.lock(currency);
        if filled && order.cycle.0 == cell.cycle {
            cell.activate(price);
        }
        cell.buying = false;
    }
}

/// D14: the path of an exception does not clear the flag.
#[derive(Debug)]
pub struct StuckFlag(Bot);

impl StuckFlag {
    /// An idle one.
    pub fn new(world: &World) -> Self {
        StuckFlag(Bot::new(world))
    }

    fn buy(&self, currency: Currency, order: Draft) -> Result<(), autotrader::CallFailed> {
        self.0.trade(currency, order)?;
        let mut cell = self.0.lock(currency);
        if order.cycle.0 == cell.cycle {
            cell.activate(order.price);
        }
        cell.buying = false;
        Ok(())
    }
}

impl Specimen for StuckFlag {
    fn bot(&self) -> &Bot {
        &self.0
    }

    fn tick(&self, currency: Currency) {
        let Some(price) = self.0.price(currency) else {
            return;
        };
        let order = {
            let mut cell = self.0.lock(currency);
            if cell.paused || cell.active || cell.buying {
                return;
            }
            cell.buying = true;
            cell.order(Side::Buy, 0, 1, price)
        };
        // The loop logs the exception and goes on.
        let _logged = self.buy(currency, order);
    }
}

/// U9: the flag is tested in one critical section and set in another.
#[derive(Debug)]
pub struct SplitTestAndSet(Bot);

impl SplitTestAndSet {
    /// An idle one.
    pub fn new(world: &World) -> Self {
        SplitTestAndSet(Bot::new(world))
    }

    fn try_rebuy(&self, currency: Currency, price: Money) {
        let tested = {
            let cell = self.0.lock(currency);
            let free = !(cell.paused || cell.rebuying) && cell.wish(price) == Wish::Rebuy;
            free.then(|| cell.order(Side::Buy, cell.step + 1, 1, price))
        };
        let Some(order) = tested else { return };
        self.0.lock(currency).rebuying = true;
        let filled = self.0.is_filled(currency, order);
        let mut cell = self.0.lock(currency);
        if filled && order.cycle.0 == cell.cycle {
            cell.rebought(order.step, price);
        }
        cell.rebuying = false;
    }

    fn try_sell(&self, currency: Currency, price: Money) {
        let tested = {
            let cell = self.0.lock(currency);
            let free = !(cell.paused || cell.selling) && cell.wish(price) == Wish::Sell;
            free.then(|| cell.order(Side::Sell, cell.step, cell.volume, price))
        };
        let Some(order) = tested else { return };
        self.0.lock(currency).selling = true;
        let filled = self.0.is_filled(currency, order);
        let mut cell = self.0.lock(currency);
        if filled && order.cycle.0 == cell.cycle {
            cell.sold(order.volume, price);
        }
        cell.selling = false;
    }
}

impl Specimen for SplitTestAndSet {
    fn bot(&self) -> &Bot {
        &self.0
    }

    fn tick(&self, currency: Currency) {
        let Some(price) = self.0.price(currency) else {
            return;
        };
        match self.0.snapshot(currency).wish(price) {
            Wish::Nothing => {}
            Wish::Start => self.0.start_cycle(currency, price),
            Wish::Rebuy => self.try_rebuy(currency, price),
            Wish::Sell => self.try_sell(currency, price),
        }
    }
}

/// U8: stop then start inside one API call: the old loop sees the flag of the new one and goes on.
/// It trades as [`SplitTestAndSet`] does.
#[derive(Debug)]
pub struct TwoLoops {
    trade: SplitTestAndSet,
    running: AtomicBool,
    starts: AtomicU64,
}

impl TwoLoops {
    /// An idle one, stopped.
    pub fn new(world: &World) -> Self {
        TwoLoops {
            trade: SplitTestAndSet::new(world),
            running: AtomicBool::new(false),
            starts: AtomicU64::new(0),
        }
    }
}

impl Specimen for TwoLoops {
    fn bot(&self) -> &Bot {
        self.trade.bot()
    }

    fn tick(&self, currency: Currency) {
        self.trade.tick(currency);
    }

    fn start(&self) -> Option<Lease> {
        self.running.store(true, Ordering::SeqCst);
        Some(Lease(self.starts.fetch_add(1, Ordering::SeqCst) + 1))
    }

    fn stop(&self) {
        self.running.store(false, Ordering::SeqCst);
    }

    fn is_running(&self) -> bool {
        self.running.load(Ordering::SeqCst)
    }
}
