//! Specimens that misuse the lock itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use autotrader::{Currency, Refusal, Side, Stats};
use gordian::sync::{Mutex, RawLock};
use gordian::{Ghost, Named};

use super::{Bot, Cell, Specimen, Wish};
use crate::inside::Inside;
use crate::scenario::World;

/// P0: `with L` around price, order, sleep and poll.
#[derive(Debug)]
pub struct HeldAcrossApi(Bot);

impl HeldAcrossApi {
    /// An idle one.
    pub fn new(world: &World) -> Self {
        HeldAcrossApi(Bot::new(world))
    }
}

impl Specimen for HeldAcrossApi {
    fn bot(&self) -> &Bot {
        &self.0
    }

    fn tick(&self, currency: Currency) {
        let mut cell = self.0.lock(currency);
        if cell.paused {
            return;
        }
        let Some(price) = self.0.price(currency) else {
            return;
        };
        if cell.wish(price) == Wish::Start {
            let order = cell.order(Side::Buy, 0, 1, price);
            if self.0.is_filled(currency, order) {
                cell.activate(price);
            }
            gordian::slow("sleep");
        }
    }
}

/// P1: the same loop; the endpoints give up after 3 s and answer 503.
#[derive(Debug)]
pub struct Timeout503(HeldAcrossApi);

impl Timeout503 {
    /// An idle one.
    pub fn new(world: &World) -> Self {
        Timeout503(HeldAcrossApi::new(world))
    }

    fn change(&self, currency: Currency, change: fn(&mut Cell)) -> Result<(), Refusal> {
        let lock = &self.bot().cells[currency.0];
        let mut cell = lock
            .try_lock_for(Duration::from_secs(3))
            .ok_or(Refusal::Busy)?;
        change(&mut cell);
        Ok(())
    }
}

impl Specimen for Timeout503 {
    fn bot(&self) -> &Bot {
        self.0.bot()
    }

    fn tick(&self, currency: Currency) {
        self.0.tick(currency);
    }

    fn reset(&self, currency: Currency) -> Result<(), Refusal> {
        self.change(currency, Cell::reset)
    }

    fn resume(&self, currency: Currency) -> Result<(), Refusal> {
        self.change(currency, |cell| cell.paused = false)
    }
}

/// P2: acquire; early `release(); return`; `finally: if locked(): release()`.
#[derive(Debug)]
pub struct LockedThenRelease {
    bot: Bot,
    lock: RawLock,
    cell: Ghost<Cell>,
    inside: Inside,
}

impl LockedThenRelease {
    /// An idle one; one currency.
    pub fn new(world: &World) -> Self {
        LockedThenRelease {
            bot: Bot::new(world),
            lock: RawLock::new().named("L[0]"),
            cell: Ghost::new(Cell::IDLE).named("cycle 0"),
            inside: Inside::new(world.judge),
        }
    }

    /// `with lock:`, as the endpoints have it. On leaving, Python raises when the lock is free.
    fn with<R>(&self, body: impl FnOnce(&mut Cell) -> R) -> Result<R, Refusal> {
        self.lock.acquire();
        let result = self.inside.section(|| self.cell.write(body));
        if self.lock.release() {
            Ok(result)
        } else {
            Err(Refusal::Failed)
        }
    }

    /// `_try_start_cycle` between `try` and `finally`; whether it went all the way.
    fn try_start_cycle(&self) {
        self.lock.acquire();
        let mut released = false;
        self.inside.section(|| {
            self.cell.write(|cell| {
                if cell.active || cell.paused {
                    released = true;
                } else {
                    cell.activate(1);
                }
            });
        });
        if released {
            // One of the seven early exits.
            self.lock.release();
        }
    }
}

impl Specimen for LockedThenRelease {
    fn bot(&self) -> &Bot {
        &self.bot
    }

    fn tick(&self, _currency: Currency) {
        self.try_start_cycle();
        // finally:
        if self.lock.locked() {
            assert!(
                self.lock.release(),
                "RuntimeError in finally: release unlocked lock"
            );
        }
    }

    fn reset(&self, _currency: Currency) -> Result<(), Refusal> {
        self.with(Cell::reset)
    }

    fn resume(&self, _currency: Currency) -> Result<(), Refusal> {
        self.with(|cell| cell.paused = false)
    }

    fn stats(&self, _currency: Currency) -> Stats {
        self.with(|cell| cell.stats()).unwrap_or_default()
    }
}

/// D11: the endpoint calls `get_cycle_info()`, which takes `L`, while it holds `L`.
#[derive(Debug)]
pub struct InfoUnderLock(Bot);

impl InfoUnderLock {
    /// An idle one.
    pub fn new(world: &World) -> Self {
        InfoUnderLock(Bot::new(world))
    }
}

impl Specimen for InfoUnderLock {
    fn bot(&self) -> &Bot {
        &self.0
    }

    fn tick(&self, currency: Currency) {
        if !self.0.snapshot(currency).paused {
            self.0.price(currency);
        }
    }

    fn reset(&self, currency: Currency) -> Result<(), Refusal> {
        let mut cell = self.0.lock(currency);
        cell.reset();
        // For the answer's body.
        let _info = self.stats(currency);
        Ok(())
    }
}

/// D3/U6: `if c not in D: D[c] = Lock(); return D[c]`.
#[derive(Debug)]
pub struct RacyLockDict {
    bot: Bot,
    locks: Ghost<BTreeMap<Currency, Arc<Mutex<()>>>>,
    cell: Ghost<Cell>,
    inside: Inside,
}

impl RacyLockDict {
    /// An idle one; one currency.
    pub fn new(world: &World) -> Self {
        RacyLockDict {
            bot: Bot::new(world),
            locks: Ghost::new(BTreeMap::new()).named("lock dictionary"),
            cell: Ghost::new(Cell::IDLE).named("cycle 0"),
            inside: Inside::new(world.judge),
        }
    }

    fn lock_of(&self, currency: Currency) -> Arc<Mutex<()>> {
        if !self.locks.read(|locks| locks.contains_key(&currency)) {
            let lock = Arc::new(Mutex::new(()).named("L[0]"));
            self.locks.write(|locks| locks.insert(currency, lock));
        }
        self.locks.read(|locks| Arc::clone(&locks[&currency]))
    }

    fn with<R>(&self, currency: Currency, body: impl FnOnce(&mut Cell) -> R) -> R {
        let lock = self.lock_of(currency);
        let _guard = lock.lock();
        self.inside.section(|| self.cell.write(body))
    }
}

impl Specimen for RacyLockDict {
    fn bot(&self) -> &Bot {
        &self.bot
    }

    fn tick(&self, currency: Currency) {
        if !self.with(currency, |cell| cell.paused) {
            self.bot.price(currency);
        }
    }

    fn reset(&self, currency: Currency) -> Result<(), Refusal> {
        self.with(currency, Cell::reset);
        Ok(())
    }

    fn resume(&self, currency: Currency) -> Result<(), Refusal> {
        self.with(currency, |cell| cell.paused = false);
        Ok(())
    }

    fn stats(&self, currency: Currency) -> Stats {
        self.with(currency, |cell| cell.stats())
    }
}

/// U7: `try_rebuy` calls `clear_rebuy_flag`, which takes `L`, while it holds `L`: when it finds the
/// flag set, which takes a second loop.
#[derive(Debug)]
pub struct ClearFlagSelfDeadlock(Bot);

impl ClearFlagSelfDeadlock {
    /// An idle one.
    pub fn new(world: &World) -> Self {
        ClearFlagSelfDeadlock(Bot::new(world))
    }

    fn clear_rebuy_flag(&self, currency: Currency) {
        self.0.lock(currency).rebuying = false;
    }

    fn try_rebuy(&self, currency: Currency, price: i64) {
        let order = {
            let mut cell = self.0.lock(currency);
            if cell.rebuying {
                self.clear_rebuy_flag(currency);
                return;
            }
            if cell.paused || cell.wish(price) != Wish::Rebuy {
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

impl Specimen for ClearFlagSelfDeadlock {
    fn bot(&self) -> &Bot {
        &self.0
    }

    fn tick(&self, currency: Currency) {
        let Some(price) = self.0.price(currency) else {
            return;
        };
        if self.0.snapshot(currency).active {
            self.try_rebuy(currency, price);
        } else {
            self.0.start_cycle(currency, price);
        }
    }
}
