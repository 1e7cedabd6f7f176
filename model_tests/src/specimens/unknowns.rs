//! Specimens that take "I do not know" for "no".

use autotrader::{Currency, Exchange, Reply, Side};
use gordian::{Ghost, Named};

use super::{Bot, Specimen};
use crate::scenario::World;

/// U11: a time-out of an order is taken for "not placed".
#[derive(Debug)]
pub struct TimeoutMeansNo(Bot);

impl TimeoutMeansNo {
    /// An idle one.
    pub fn new(world: &World) -> Self {
        TimeoutMeansNo(Bot::new(world))
    }
}

impl Specimen for TimeoutMeansNo {
    fn bot(&self) -> &Bot {
        &self.0
    }

    fn tick(&self, currency: Currency) {
        if let Some(price) = self.0.price(currency) {
            self.0.start_cycle(currency, price);
        }
    }
}

/// U12: after a time-out the balance is asked whether the order was placed, and an error of that
/// check counts as "clean".
#[derive(Debug)]
pub struct FailOpenGuard {
    bot: Bot,
    /// An order timed out. A ghost for want of a field; only the one that has set `buying` uses it.
    doubt: Ghost<bool>,
}

impl FailOpenGuard {
    /// An idle one; one currency.
    pub fn new(world: &World) -> Self {
        FailOpenGuard {
            bot: Bot::new(world),
            doubt: Ghost::new(false).named("order in doubt"),
        }
    }

    fn is_clean(&self, currency: Currency) -> bool {
        match self.bot.exchange.balance(currency) {
            Ok(coins) => coins == 0,
            Err(_) => true,
        }
    }
}

impl Specimen for FailOpenGuard {
    fn bot(&self) -> &Bot {
        &self.bot
    }

    fn tick(&self, currency: Currency) {
        let bot = &self.bot;
        let Some(price) = bot.price(currency) else {
            return;
        };
        let order = {
            let mut cell = bot.lock(currency);
            if cell.paused || cell.active || cell.buying {
                return;
            }
            cell.buying = true;
            cell.order(Side::Buy, 0, 1, price)
        };
        let mut bought = false;
        if self.doubt.read(|doubt| *doubt) && !self.is_clean(currency) {
            bought = true;
            self.doubt.write(|doubt| *doubt = false);
        } else {
            match bot.trade(currency, order) {
                Ok(reply) => bought = matches!(reply, Reply::Filled(_)),
                Err(_) => self.doubt.write(|doubt| *doubt = true),
            }
        }
        let mut cell = bot.lock(currency);
        if bought && order.cycle.0 == cell.cycle {
            cell.activate(price);
        }
        cell.buying = false;
    }
}
