//! Clients that reset and resume, all at once, and look whether it is so.
//!
//! Knows what a round is: several clients reset one currency, look at it for a while, resume it,
//! look again. Between the first answer and the sending of the first resume the currency must be
//! idle and paused, whoever looks. Does not know the exchange's book.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use autotrader::service::clock::now_us;
use gordian::sync::Mutex;
use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;
use tokio::sync::Barrier;

use crate::client::{Client, Stats};
use crate::ledger::Window;
use crate::measure::{Endpoint, Seen};

/// How long a currency stays paused, and is looked at: the note's own pause.
const DWELL: Duration = Duration::from_millis(500);

/// Time between two looks of one client.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// Between two looks at whether an order is in flight.
const HUNT_INTERVAL: Duration = Duration::from_millis(1);

/// How the loop is left alone with a currency before the next reset.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spacing {
    /// For up to so long. One time of two, and no longer than that, until an order of the currency
    /// is in flight: that is what the reset shall meet.
    Hunting(Duration),
    /// Always for so long: a client sends no more than 15 requests in that time and [`DWELL`].
    Steady(Duration),
}

/// Clients that work together on some currencies.
struct Group {
    symbols: Vec<String>,
    barrier: Barrier,
    size: usize,
    over: AtomicBool,
    /// Something was not answered: what would be checked next is not known.
    spoiled: AtomicBool,
    round: Mutex<Round>,
}

/// What the clients of a group tell each other.
#[derive(Clone, Debug, Default)]
struct Round {
    epoch_before: u64,
    reset_us: u64,
    cycle: u64,
}

/// What all clients share.
pub(crate) struct Load {
    pub(crate) client: Client,
    pub(crate) seen: Arc<Seen>,
    pub(crate) windows: Mutex<Vec<Window>>,
    pub(crate) until: Instant,
    pub(crate) seed: u64,
    pub(crate) spacing: Spacing,
}

impl Load {
    async fn leave_alone(&self, symbol: &str, random: &mut Pcg64Mcg) {
        let most = match self.spacing {
            Spacing::Hunting(most) => most,
            Spacing::Steady(pause) => return tokio::time::sleep(pause).await,
        };
        let hunts = random.next_u32().is_multiple_of(2);
        let pause = most * (random.next_u32() % 1000) / 1000;
        let until = Instant::now() + if hunts { most } else { pause };
        while Instant::now() < until && !(hunts && self.client.has_order(symbol)) {
            tokio::time::sleep(HUNT_INTERVAL).await;
        }
    }
}

/// Lets so many clients work until it is time, and each currency has had its turn.
pub(crate) async fn run(load: Arc<Load>, symbols: &[String], clients: usize) {
    let groups = groups(symbols, clients);
    let mut tasks = Vec::new();
    for (number, group) in groups.into_iter().enumerate() {
        let group = Arc::new(group);
        for member in 0..group.size {
            let (load, group) = (Arc::clone(&load), Arc::clone(&group));
            let seed = load.seed ^ (number as u64) << 32;
            tasks.push(tokio::spawn(async move {
                work(&load, &group, member, seed).await
            }));
        }
    }
    for task in tasks {
        if let Err(error) = task.await {
            load.seen.fail("a client has failed", error.to_string());
        }
    }
}

/// As many groups as possible: one client for several currencies, or several for one.
fn groups(symbols: &[String], clients: usize) -> Vec<Group> {
    let count = symbols.len().min(clients);
    let group = |number: usize| {
        let of_number = |index: &usize| index % count == number;
        let symbols = (0..symbols.len())
            .filter(of_number)
            .map(|index| symbols[index].clone());
        let size = (0..clients).filter(of_number).count();
        Group {
            symbols: symbols.collect(),
            barrier: Barrier::new(size),
            size,
            over: AtomicBool::new(false),
            spoiled: AtomicBool::new(false),
            round: Mutex::default(),
        }
    };
    (0..count).map(group).collect()
}

async fn work(load: &Load, group: &Group, member: usize, seed: u64) {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    for (turn, symbol) in group.symbols.iter().cycle().enumerate() {
        if group.barrier.wait().await.is_leader() {
            let over = turn >= group.symbols.len() && Instant::now() >= load.until;
            group.over.store(over, Ordering::SeqCst);
            group.spoiled.store(false, Ordering::SeqCst);
            *group.round.lock() = Round {
                reset_us: u64::MAX,
                ..Round::default()
            };
            if let Some(stats) = load.client.timed_stats(&load.seen, symbol).await {
                group.round.lock().epoch_before = stats.epoch;
            } else {
                group.spoiled.store(true, Ordering::SeqCst);
            }
            // At the very first the loop has been left alone until there was an order.
            if !over && turn >= group.symbols.len() {
                load.leave_alone(symbol, &mut random).await;
            }
        }
        group.barrier.wait().await;
        if group.over.load(Ordering::SeqCst) {
            return;
        }
        round(load, group, symbol, member).await;
    }
}

async fn round(load: &Load, group: &Group, symbol: &str, member: usize) {
    let Load { client, seen, .. } = load;
    let ok = client.timed_change(seen, Endpoint::Reset, symbol).await;
    if ok {
        // From the first answer on, whichever client got it.
        let mut round = group.round.lock();
        round.reset_us = round.reset_us.min(now_us());
    } else {
        group.spoiled.store(true, Ordering::SeqCst);
    }
    group.barrier.wait().await;
    let paused_from = Instant::now();
    while paused_from.elapsed() < DWELL {
        let looked = client.timed_stats(seen, symbol).await;
        if let (Some(stats), false) = (looked, group.spoiled.load(Ordering::SeqCst)) {
            check_reset(seen, group, symbol, &stats);
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
    group.barrier.wait().await;
    if member == 0 && !group.spoiled.load(Ordering::SeqCst) {
        let Round {
            reset_us, cycle, ..
        } = group.round.lock().clone();
        let (symbol, resume_us) = (symbol.to_owned(), now_us());
        load.windows.lock().push(Window {
            symbol,
            reset_us,
            resume_us,
            cycle,
        });
    }
    group.barrier.wait().await;
    if !client.timed_change(seen, Endpoint::Resume, symbol).await {
        group.spoiled.store(true, Ordering::SeqCst);
    }
    group.barrier.wait().await;
    if let Some(stats) = client.timed_stats(seen, symbol).await {
        let spoiled = group.spoiled.load(Ordering::SeqCst);
        if stats.paused && !spoiled {
            seen.fail(
                "paused after an acknowledged resume",
                format!("{symbol}: {stats:?}"),
            );
        }
        if member == 0 && !spoiled {
            seen.round(symbol);
        }
    }
}

/// The state is what was acknowledged: idle, paused, and as many resets as were answered.
fn check_reset(seen: &Seen, group: &Group, symbol: &str, stats: &Stats) {
    let idle = !stats.active && stats.step == -1 && stats.volume == 0;
    if !idle || !stats.paused {
        let text = format!("{symbol}: {stats:?}");
        seen.fail("not idle and paused after an acknowledged reset", text);
    }
    let mut round = group.round.lock();
    round.cycle = stats.cycle;
    let expected = round.epoch_before + group.size as u64;
    if stats.epoch != expected {
        let text = format!(
            "{symbol}: {} resets counted, {expected} expected",
            stats.epoch
        );
        seen.fail("a reset is not counted once", text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_and_every_currency_has_a_group() {
        let symbols: Vec<_> = (0..16).map(|number| format!("C{number}")).collect();
        for clients in [1, 3, 8, 16, 17, 64] {
            let groups = groups(&symbols, clients);
            let members: usize = groups.iter().map(|group| group.size).sum();
            assert_eq!(members, clients);
            let mut covered: Vec<_> = groups.iter().flat_map(|group| &group.symbols).collect();
            covered.sort();
            let mut all: Vec<_> = symbols.iter().collect();
            all.sort();
            assert_eq!(covered, all, "{clients} clients");
        }
    }
}
