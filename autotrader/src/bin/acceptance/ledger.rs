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
            Err(error) => return Some(error.into()),
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

#[cfg(test)]
mod tests {
    use autotrader::service::venue::OrderRequest;

    use super::*;

    /// A filled order.
    fn placed(side: Side, cycle: u64, step: usize, submitted_us: u64, placed_us: u64) -> Placed {
        Placed {
            request: OrderRequest {
                id: format!("{cycle}-{step}-{submitted_us}"),
                symbol: "BTC".to_owned(),
                cycle,
                step,
                side,
                volume: 5,
                price: 100,
                submitted_us,
                expires_us: u64::MAX,
            },
            placed_us,
            state: OrderState::Filled {
                volume: 5,
                money: 500,
            },
            repeats: 0,
        }
    }

    fn failures(check: impl FnOnce(&Seen)) -> Vec<&'static str> {
        let seen = Seen::default();
        check(&seen);
        seen.summary().failures.into_keys().collect()
    }

    #[test]
    fn no_order_between_reset_and_resume() {
        let window = Window {
            symbol: "BTC".to_owned(),
            reset_us: 100,
            resume_us: 200,
            cycle: 7,
        };
        // Cycle, submitted, placed, and whether it is allowed.
        let cases = [
            (6, 50, 60, true),
            // Submitted before the answer, and on its way for a while.
            (6, 99, 150, true),
            (7, 200, 210, true),
            (6, 100, 110, false),
            (6, 150, 300, false),
            // Says that it was submitted before, but belongs to the cycle that comes after.
            (7, 50, 150, false),
        ];
        for (cycle, submitted, arrived, allowed) in cases {
            let orders = [placed(Side::Buy, cycle, 0, submitted, arrived)];
            let windows = std::slice::from_ref(&window);
            let found = failures(|seen| check_windows(seen, windows, &orders));
            assert_eq!(
                found.is_empty(),
                allowed,
                "{cycle} {submitted} {arrived}: {found:?}"
            );
            let mut other = orders;
            other[0].request.symbol = "ETH".to_owned();
            assert!(failures(|seen| check_windows(seen, windows, &other)).is_empty());
        }
    }

    #[test]
    fn each_row_once_and_no_more_sold_than_bought() {
        let buy = |step, time| placed(Side::Buy, 1, step, time, time);
        let sell = |cycle, time| placed(Side::Sell, cycle, 0, time, time);
        let mut again = buy(0, 1);
        again.repeats = 1;
        let mut rejected = buy(0, 2);
        rejected.state = OrderState::Rejected;
        let cases: [(Vec<Placed>, &[&str]); 6] = [
            (vec![buy(0, 1), buy(1, 2), sell(1, 3)], &[]),
            (vec![buy(0, 1), rejected], &[]),
            (
                vec![buy(0, 1), buy(0, 2)],
                &["a row of a cycle was bought twice"],
            ),
            (
                vec![buy(0, 1), sell(1, 2), sell(1, 3)],
                &["more was sold than bought"],
            ),
            (vec![buy(0, 1), sell(2, 2)], &["more was sold than bought"]),
            (vec![again], &["an order was sent twice"]),
        ];
        for (orders, expected) in cases {
            assert_eq!(failures(|seen| check_orders(seen, &orders)), expected);
        }
    }
}
