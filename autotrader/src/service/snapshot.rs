//! What is shown of the service at one moment: on the page, in the metrics, in the stats.
//!
//! Knows how a look at the core is taken and timed. Each currency is of one instant; all of them
//! together are not, for no lock covers two.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde::Serialize;

use super::App;
use super::store::LATEST_MAX;
use crate::{Currency, Orphan, Refusal, Stats};

/// A look at one currency.
#[derive(Clone, Debug)]
pub struct CurrencyState {
    /// Its symbol.
    pub symbol: String,
    /// The core's answer.
    pub stats: Stats,
    /// The latest of its orphans, at most [`LATEST_MAX`].
    pub orphans: Vec<Orphan>,
    /// How long this look waited for `L[c]` and held it, in microseconds.
    pub section_us: u64,
    /// The longest of all looks.
    pub section_max_us: u64,
}

/// The longest look at each currency.
#[derive(Debug)]
pub struct Looks(Vec<AtomicU64>);

impl Looks {
    /// For so many currencies.
    pub fn new(currencies: usize) -> Self {
        Looks((0..currencies).map(|_| AtomicU64::new(0)).collect())
    }

    fn note(&self, currency: Currency, took_us: u64) -> u64 {
        let longest = self.0[currency.0].fetch_max(took_us, Ordering::Relaxed);
        longest.max(took_us)
    }
}

/// Everything at about one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The currencies.
    pub currencies: Vec<CurrencyState>,
    /// Whether it is ready, or why not.
    pub ready: Result<(), &'static str>,
    /// Whether the user wants it to trade.
    pub running: bool,
    numbers: Vec<(&'static str, u64)>,
}

impl Snapshot {
    /// Slow only if the core is: looks at everything.
    pub fn take(app: &App) -> Self {
        let currencies = (0..app.symbols.len()).map(Currency);
        let currencies = currencies
            .filter_map(|currency| look(app, currency).ok())
            .collect();
        let pulse = app.bot.pulse();
        let health = app.store.health();
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let numbers = vec![
            ("running", u64::from(pulse.running)),
            ("loops", pulse.loops as u64),
            ("passes", pulse.passes),
            ("orders_submitted", read(&app.calls.orders)),
            ("exchange_calls_answered", read(&app.calls.answered)),
            ("exchange_calls_failed", read(&app.calls.failed)),
            ("database_commits", read(&health.commits)),
            ("database_writes", read(&health.writes)),
            ("database_failures", read(&health.failures)),
        ];
        Snapshot {
            currencies,
            ready: app.ready(),
            running: pulse.running,
            numbers,
        }
    }

    /// Numbers of the process, by name.
    pub fn numbers(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.numbers.iter().copied()
    }

    /// For the page.
    pub fn shown(&self) -> serde_json::Value {
        let currencies: Vec<_> = self.currencies.iter().map(CurrencyAnswer::new).collect();
        let numbers: serde_json::Map<_, _> = self
            .numbers()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        serde_json::json!({
            "ready": self.ready.is_ok(),
            "reason": self.ready.err(),
            "running": self.running,
            "numbers": numbers,
            "currencies": currencies,
        })
    }
}

/// Looks at one currency and at how long that takes.
///
/// # Errors
/// See [`Refusal`].
pub fn look(app: &App, currency: Currency) -> Result<CurrencyState, Refusal> {
    let begun = Instant::now();
    let stats = app.protocol.stats(currency)?;
    let took = begun.elapsed();
    app.metrics.section(took);
    let section_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    // What the core has let go the database has had before.
    let archived = stats
        .orphans_count
        .saturating_sub(stats.orphans.len() as u64);
    let mut orphans = app.store.ledger().before(currency, archived);
    orphans.extend(&stats.orphans);
    orphans.drain(..orphans.len().saturating_sub(LATEST_MAX));
    Ok(CurrencyState {
        symbol: app.symbols[currency.0].clone(),
        stats,
        orphans,
        section_us,
        section_max_us: app.looks.note(currency, section_us),
    })
}

/// A currency as it is answered.
#[derive(Debug, Serialize)]
pub struct CurrencyAnswer<'a> {
    base_currency: &'a str,
    state: &'static str,
    active: bool,
    step: i64,
    volume: i64,
    paused: bool,
    epoch: u64,
    cycle: u64,
    in_flight: &'static str,
    profit: i64,
    orphaned: i64,
    orphans_count: u64,
    /// The latest ones.
    orphans: &'a [Orphan],
    lock_us: u64,
    lock_max_us: u64,
}

impl<'a> CurrencyAnswer<'a> {
    /// Of a look.
    pub fn new(state: &'a CurrencyState) -> Self {
        let stats = &state.stats;
        let in_flight = match (stats.busy, stats.unknown) {
            (_, true) => "unknown",
            (true, false) => "operation",
            (false, false) => "none",
        };
        CurrencyAnswer {
            base_currency: &state.symbol,
            state: if stats.active { "active" } else { "idle" },
            active: stats.active,
            step: stats.step,
            volume: stats.volume,
            paused: stats.paused,
            epoch: stats.epoch.0,
            cycle: stats.cycle.0,
            in_flight,
            profit: stats.profit,
            orphaned: stats.orphaned,
            orphans_count: stats.orphans_count,
            orphans: &state.orphans,
            lock_us: state.section_us,
            lock_max_us: state.section_max_us,
        }
    }
}
