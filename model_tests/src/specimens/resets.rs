//! Specimens that take every lock as they should, and lose a reset all the same.

use autotrader::{Currency, Money, Refusal, Side};

use super::{Bot, Specimen, Wish};
use crate::scenario::World;

/// D18: reset counts itself, then raises before `state = Idle`.
#[derive(Debug)]
pub struct ExceptionInReset(Bot);

impl ExceptionInReset {
    /// An idle one.
    pub fn new(world: &World) -> Self {
        ExceptionInReset(Bot::new(world))
    }
}

impl Specimen for ExceptionInReset {
    fn bot(&self) -> &Bot {
        &self.0
    }

    fn tick(&self, currency: Currency) {
        if let Some(price) = self.0.price(currency) {
            self.0.start_cycle(currency, price);
        }
    }

    fn reset(&self, currency: Currency) -> Result<(), Refusal> {
        let mut cell = self.0.lock(currency);
        cell.resets += 1;
        cell.cycle += 1;
        let raises: bool = gordian::any();
        if raises {
            return Err(Refusal::Failed);
        }
        cell.empty();
        cell.paused = true;
        Ok(())
    }
}

/// U1: `with lock` everywhere, and an unconditional activate at the commit, which also unpauses.
#[derive(Debug)]
pub struct LostReset(Bot);

impl LostReset {
    /// An idle one.
    pub fn new(world: &World) -> Self {
        LostReset(Bot::new(world))
    }
}

impl Specimen for LostReset {
    fn bot(&self) -> &Bot {
        &self.0
    }

    fn tick(&self, currency: Currency) {
        let order = {
            let mut cell = self.0.lock(currency);
            if cell.paused || cell.active || cell.buying {
                return;
            }
            cell.buying = true;
            cell.order(Side::Buy, 0, 1, 0)
        };
        let mut bought = None;
        if let Some(price) = self.0.price(currency) {
            let order = super::Draft { price, ..order };
            bought = self.0.is_filled(currency, order).then_some(price);
        }
        let mut cell = self.0.lock(currency);
        if let Some(price) = bought {
            cell.activate(price);
            cell.paused = false;
        }
        cell.buying = false;
    }
}

/// U2: the pause is read in the snapshot only.
#[derive(Debug)]
pub struct PauseNotRechecked(Bot);

impl PauseNotRechecked {
    /// An idle one.
    pub fn new(world: &World) -> Self {
        PauseNotRechecked(Bot::new(world))
    }
}

impl Specimen for PauseNotRechecked {
    fn bot(&self) -> &Bot {
        &self.0
    }

    fn tick(&self, currency: Currency) {
        if self.0.snapshot(currency).paused {
            return;
        }
        let Some(price) = self.0.price(currency) else {
            return;
        };
        let order = {
            let mut cell = self.0.lock(currency);
            if cell.active || cell.buying {
                return;
            }
            cell.buying = true;
            cell.order(Side::Buy, 0, 1, price)
        };
        let filled = self.0.is_filled(currency, order);
        let mut cell = self.0.lock(currency);
        // The commit does look.
        if filled && order.cycle.0 == cell.cycle && !cell.paused {
            cell.activate(price);
        }
        cell.buying = false;
    }
}

/// U3: the rebuy re-reads `step` after the reset: −1, so the next row is 0.
#[derive(Debug)]
pub struct OrderAfterReset(Bot);

impl OrderAfterReset {
    /// An idle one.
    pub fn new(world: &World) -> Self {
        OrderAfterReset(Bot::new(world))
    }

    fn try_rebuy(&self, currency: Currency, price: Money) {
        let order = {
            let mut cell = self.0.lock(currency);
            if cell.rebuying {
                return;
            }
            cell.rebuying = true;
            cell.order(Side::Buy, cell.step + 1, 1, price)
        };
        let filled = self.0.is_filled(currency, order);
        let mut cell = self.0.lock(currency);
        if filled && order.cycle.0 == cell.cycle && cell.active {
            cell.rebought(order.step, price);
        }
        cell.rebuying = false;
    }
}

impl Specimen for OrderAfterReset {
    fn bot(&self) -> &Bot {
        &self.0
    }

    fn tick(&self, currency: Currency) {
        let cell = self.0.snapshot(currency);
        let Some(price) = self.0.price(currency) else {
            return;
        };
        if cell.paused {
            return;
        }
        match cell.wish(price) {
            Wish::Start => self.0.start_cycle(currency, price),
            Wish::Rebuy => self.try_rebuy(currency, price),
            Wish::Sell | Wish::Nothing => {}
        }
    }
}

/// U4: the rebuy's commit writes step and volume whatever the cycle has become.
#[derive(Debug)]
pub struct StaleCommit(Bot);

impl StaleCommit {
    /// An idle one.
    pub fn new(world: &World) -> Self {
        StaleCommit(Bot::new(world))
    }

    fn try_rebuy(&self, currency: Currency, price: Money) {
        let order = {
            let mut cell = self.0.lock(currency);
            if cell.paused || cell.rebuying || cell.wish(price) != Wish::Rebuy {
                return;
            }
            cell.rebuying = true;
            cell.order(Side::Buy, cell.step + 1, 1, price)
        };
        let filled = self.0.is_filled(currency, order);
        let mut cell = self.0.lock(currency);
        if filled {
            cell.rebought(order.step, price);
        }
        cell.rebuying = false;
    }
}

impl Specimen for StaleCommit {
    fn bot(&self) -> &Bot {
        &self.0
    }

    fn tick(&self, currency: Currency) {
        let Some(price) = self.0.price(currency) else {
            return;
        };
        match self.0.snapshot(currency).wish(price) {
            Wish::Start => self.0.start_cycle(currency, price),
            Wish::Rebuy => self.try_rebuy(currency, price),
            Wish::Sell | Wish::Nothing => {}
        }
    }
}

/// U5: the sale's commit reads numbers that a reset has zeroed, and clears the pause.
#[derive(Debug)]
pub struct SellCommitAfterReset(Bot);

impl SellCommitAfterReset {
    /// An idle one.
    pub fn new(world: &World) -> Self {
        SellCommitAfterReset(Bot::new(world))
    }

    fn try_sell(&self, currency: Currency, price: Money) {
        let order = {
            let mut cell = self.0.lock(currency);
            if cell.paused || cell.selling || cell.wish(price) != Wish::Sell {
                return;
            }
            cell.selling = true;
            cell.order(Side::Sell, cell.step, cell.volume, price)
        };
        let filled = self.0.is_filled(currency, order);
        let mut cell = self.0.lock(currency);
        if filled {
            cell.sold(order.volume, price);
            cell.paused = false;
        }
        cell.selling = false;
    }
}

impl Specimen for SellCommitAfterReset {
    fn bot(&self) -> &Bot {
        &self.0
    }

    fn tick(&self, currency: Currency) {
        let Some(price) = self.0.price(currency) else {
            return;
        };
        match self.0.snapshot(currency).wish(price) {
            Wish::Start => self.0.start_cycle(currency, price),
            Wish::Sell => self.try_sell(currency, price),
            Wish::Rebuy | Wish::Nothing => {}
        }
    }
}
