//! Two variants that were once in production, and one that leaks, behind the same endpoints: what
//! the acceptance must reject.
//!
//! Compiled for tests only. `model_tests` has the two, too, and shows by exploration why they fail;
//! here they fail by the clock, as they did then.

use std::sync::Arc;
use std::time::Duration;

use gordian::sync::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};

use crate::{
    Book, ClientOrderId, Currency, Decision, Epoch, Exchange, Lease, Marked, OpId, Order, Protocol,
    Refusal, Reply, Settings, Stats, Tick,
};

/// Which variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Specimen {
    /// P0: `with L` around price, balance and order; the endpoints wait.
    HeldAcrossApi,
    /// P1: the same loop; the endpoints give up after 3 s and answer 503.
    Timeout503,
    /// The reference, but it never lets go of what it has answered: what a soak must reject.
    KeepsAnswers,
}

impl Specimen {
    /// An idle trader of this kind; the reference is made if it is part of it.
    pub fn build<X: Exchange + 'static>(
        self,
        exchange: X,
        settings: Settings,
        reference: impl FnOnce(X, Settings) -> Arc<dyn Protocol>,
    ) -> Arc<dyn Protocol> {
        let currencies = settings.currencies.len();
        let patience = match self {
            Specimen::HeldAcrossApi => None,
            Specimen::Timeout503 => Some(Duration::from_secs(3)),
            Specimen::KeepsAnswers => {
                return Arc::new(Keeping {
                    reference: reference(exchange, settings),
                    kept: Mutex::default(),
                });
            }
        };
        Arc::new(Held {
            patience,
            exchange: Marked(exchange),
            settings,
            cells: (0..currencies).map(|_| Mutex::default()).collect(),
            run: Mutex::new(0),
        })
    }
}

/// A trader that holds `L[c]` while it waits for the exchange.
struct Held<X> {
    /// How long the endpoints wait for the lock; none: for ever.
    patience: Option<Duration>,
    exchange: Marked<X>,
    settings: Settings,
    cells: Vec<Mutex<Book>>,
    run: Mutex<u64>,
}

impl<X: Exchange> Held<X> {
    fn lock(&self, currency: Currency) -> Result<MutexGuard<'_, Book>, Refusal> {
        let cell = self.cells.get(currency.0).ok_or(Refusal::UnknownCurrency)?;
        match self.patience {
            None => Ok(cell.lock()),
            Some(patience) => cell.try_lock_for(patience).ok_or(Refusal::Busy),
        }
    }

    fn trade(&self, currency: Currency, book: &mut Book) -> Option<()> {
        let price = self.exchange.price(currency).ok()?;
        let balance = self.exchange.balance(currency).ok()?;
        let settings = &self.settings.currencies[currency.0];
        let Decision {
            side,
            step,
            volume,
            price,
        } = book.decide(settings, price, balance)?;
        let op = OpId(book.op_settled.0 + 1);
        let id = ClientOrderId { currency, op };
        let cycle = book.cycle_id;
        let order = Order {
            id,
            cycle,
            step,
            side,
            volume,
            price,
        };
        book.archive();
        self.exchange.post(&order);
        match self.exchange.reply(id) {
            Ok(Reply::Filled(fill)) => book.apply(&order, fill),
            Ok(Reply::Rejected) | Err(_) => book.settle(op),
        }
        Some(())
    }
}

impl<X: Exchange> Protocol for Held<X> {
    fn currencies(&self) -> usize {
        self.cells.len()
    }

    fn start(&self) -> Option<Lease> {
        let mut run = self.run.lock();
        run.is_multiple_of(2).then(|| {
            *run += 1;
            Lease(*run)
        })
    }

    fn stop(&self) {
        let mut run = self.run.lock();
        *run += *run % 2;
    }

    fn tick(&self, lease: Lease, currency: Currency) -> Tick {
        if *self.run.lock() != lease.0 {
            return Tick::Ended;
        }
        let mut book = self.cells[currency.0].lock();
        if !book.paused {
            self.trade(currency, &mut book);
        }
        Tick::Quiet
    }

    fn reset(&self, currency: Currency) -> Result<(), Refusal> {
        self.lock(currency)?.reset();
        Ok(())
    }

    fn resume(&self, currency: Currency) -> Result<(), Refusal> {
        self.lock(currency)?.resume();
        Ok(())
    }

    fn stats(&self, currency: Currency) -> Result<Stats, Refusal> {
        let book = self.lock(currency)?;
        let position = match book.cycle {
            crate::Cycle::Idle => None,
            crate::Cycle::Active(position) => Some(position),
        };
        Ok(Stats {
            active: position.is_some(),
            step: position.map_or(-1, |position| position.step as i64),
            volume: book.held(),
            paused: book.paused,
            epoch: Epoch(book.epoch.0),
            cycle: book.cycle_id,
            busy: false,
            unknown: false,
            orphaned: book.orphaned,
            orphans_count: book.orphans_count,
            orphans: book.orphans.clone(),
            profit: book.profit,
        })
    }
}

/// A trader that remembers every look at it.
struct Keeping {
    reference: Arc<dyn Protocol>,
    kept: Mutex<Vec<Stats>>,
}

impl Protocol for Keeping {
    fn currencies(&self) -> usize {
        self.reference.currencies()
    }

    fn start(&self) -> Option<Lease> {
        self.reference.start()
    }

    fn stop(&self) {
        self.reference.stop();
    }

    fn tick(&self, lease: Lease, currency: Currency) -> Tick {
        self.reference.tick(lease, currency)
    }

    fn reset(&self, currency: Currency) -> Result<(), Refusal> {
        self.reference.reset(currency)
    }

    fn resume(&self, currency: Currency) -> Result<(), Refusal> {
        self.reference.resume(currency)
    }

    fn stats(&self, currency: Currency) -> Result<Stats, Refusal> {
        let stats = self.reference.stats(currency)?;
        self.kept.lock().push(stats.clone());
        Ok(stats)
    }
}
