//! The exchange's own book against what the service says it has.
//!
//! Knows what must be true of the two. Does not know how either came to it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use autotrader::Side;
use autotrader::service::venue::{OrderState, Placed, Venue};

use crate::client::Client;
use crate::measure::Seen;

/// From the answer to a reset to the sending of a resume.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    pub(crate) symbol: String,
    pub(crate) reset_us: u64,
    pub(crate) resume_us: u64,
    /// The number of the cycle that the reset made.
    pub(crate) cycle: u64,
}

/// No order was submitted in a window, and none of the cycle that begins after it arrived there.
pub(crate) fn check_windows(seen: &Seen, windows: &[Window], orders: &[Placed]) {
    let mut by_symbol: BTreeMap<&str, Vec<&Placed>> = BTreeMap::new();
    for order in orders {
        by_symbol
            .entry(&order.request.symbol)
            .or_default()
            .push(order);
    }
    for window in windows {
        let Window {
            symbol,
            reset_us,
            resume_us,
            cycle,
        } = window;
        let inside = |time: u64| (*reset_us..*resume_us).contains(&time);
        for order in by_symbol.get(symbol.as_str()).into_iter().flatten() {
            let request = &order.request;
            let too_new = request.cycle >= *cycle && inside(order.placed_us);
            if inside(request.submitted_us) || too_new {
                let late = request.submitted_us.saturating_sub(*reset_us);
                let text = format!("{} of {symbol}, {late} µs after the answer", request.id);
                seen.fail("an order was submitted after an acknowledged reset", text);
            }
        }
    }
}

/// Each row of a cycle was bought once at most, and nothing was sold that was not bought in it.
pub(crate) fn check_orders(seen: &Seen, orders: &[Placed]) {
    let mut bought: BTreeMap<(&str, u64, usize), u32> = BTreeMap::new();
    let mut net: BTreeMap<(&str, u64), i64> = BTreeMap::new();
    for order in orders {
        let request = &order.request;
        if order.repeats > 0 {
            seen.fail("an order was sent twice", &request.id);
        }
        if !matches!(order.state, OrderState::Filled { .. }) {
            continue;
        }
        *net.entry((&request.symbol, request.cycle)).or_default() += order.net();
        if request.side == Side::Buy {
            let times = bought
                .entry((&request.symbol, request.cycle, request.step))
                .or_default();
            *times += 1;
            if *times == 2 {
                let text = format!(
                    "{} cycle {} row {}",
                    request.symbol, request.cycle, request.step
                );
                seen.fail("a row of a cycle was bought twice", text);
            }
        }
    }
    for ((symbol, cycle), net) in net {
        if net < 0 {
            seen.fail(
                "more was sold than bought",
                format!("{symbol} cycle {cycle}: {net}"),
            );
        }
    }
}

/// Bought − sold = position + orphans, for every currency, once everything has come to its end:
/// three looks in a row, or it is wrong.
pub(crate) async fn check_balance(
    seen: &Seen,
    client: &Client,
    venue: &Venue,
    symbols: &[String],
    patience: Duration,
) {
    let deadline = Instant::now() + patience;
    let mut in_a_row = 0;
    let mut wrong = String::new();
    while in_a_row < 3 {
        match difference(client, venue, symbols).await {
            None => in_a_row += 1,
            Some(text) if Instant::now() >= deadline => {
                wrong = text;
                break;
            }
            Some(_) => in_a_row = 0,
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    if in_a_row < 3 {
        seen.fail("the ledger does not balance", wrong);
    }
}

async fn difference(client: &Client, venue: &Venue, symbols: &[String]) -> Option<String> {
    let mut net: BTreeMap<String, i64> = BTreeMap::new();
    for order in venue.orders() {
        *net.entry(order.request.symbol.clone()).or_default() += order.net();
    }
    for symbol in symbols {
        let stats = match client.stats(symbol).await {
            Ok(stats) => stats,
            Err(error) => return Some(error),
        };
        let net = net.get(symbol).copied().unwrap_or(0);
        let known = stats.volume + stats.orphaned;
        if stats.in_flight == "unknown" {
            return Some(format!("{symbol}: an order is still without an answer"));
        }
        if net != known {
            return Some(format!(
                "{symbol}: the exchange has {net}, the service {} + {} orphans",
                stats.volume, stats.orphaned
            ));
        }
    }
    None
}
