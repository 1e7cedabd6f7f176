//! One run: a fresh service, an exchange in some mood, clients for a while, then the books.
//!
//! Knows what makes a run good, and what makes it say nothing. Does not know how it is shown.

use std::sync::Arc;
use std::time::{Duration, Instant};

use autotrader::service::config::Config;
use autotrader::service::venue::{Call, Venue, Weather, server};
use gordian::sync::Mutex;
use serde::Serialize;

use crate::child::{Launch, Program, Service};
use crate::client::Client;
use crate::ledger::{check_balance, check_orders, check_windows};
use crate::load::{self, Load, Spacing};
use crate::machine::Probes;
use crate::measure::{Seen, Summary};
use crate::output::Output;
use crate::soak::Trend;

/// How long the loop may take to its first order, when looks are quick.
const FIRST_ORDER_MAX: Duration = Duration::from_secs(10);

/// What to run.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) program: Program,
    pub(crate) config: Config,
    pub(crate) clients: usize,
    pub(crate) weather: Weather,
    pub(crate) seconds: u64,
    pub(crate) seed: u64,
    /// Whether memory is what it is about.
    pub(crate) soaks: bool,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) profile: Weather,
    pub(crate) clients: usize,
    pub(crate) seconds: f64,
    pub(crate) orders: usize,
    pub(crate) fills: usize,
    /// Resident memory after a quarter of the time, and at the end.
    pub(crate) memory_kib: Option<(u64, u64)>,
    /// Of a soak, where memory can be read.
    pub(crate) trend: Option<Trend>,
    pub(crate) verdict: Verdict,
    pub(crate) shutdown_ms: Option<f64>,
    #[serde(flatten)]
    pub(crate) summary: Summary,
}

/// What is to be said of a run, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Accepted,
    /// Nothing is wrong for certain, and not everything could be judged.
    Inconclusive,
    NotAccepted,
}

impl Verdict {
    fn of(summary: &Summary, memory_is_known: bool) -> Self {
        if !summary.failures.is_empty() {
            Verdict::NotAccepted
        } else if summary.excused > 0 || !memory_is_known {
            Verdict::Inconclusive
        } else {
            Verdict::Accepted
        }
    }
}

/// How long a call may take before the service gives it up.
fn timeout(weather: Weather) -> Duration {
    Duration::from_millis(match weather {
        Weather::Calm | Weather::Fast | Weather::Lossy => 1_000,
        Weather::Hanging => 2_000,
        Weather::Slow3 => 5_000,
        Weather::Slow15 => 20_000,
    })
}

/// The longest that an operation in flight may take: three calls, and the time in which an order
/// without an answer may still arrive.
fn settle_max(config: &Config) -> Duration {
    let exchange = &config.exchange;
    Duration::from_millis(4 * exchange.timeout_ms + exchange.order_expiry_ms + 5_000)
}

/// Runs it.
pub(crate) async fn run(plan: &Plan, output: &Output) -> Result<Report, String> {
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let venue = Arc::new(Venue::new(plan.weather, plan.seed));
    venue.set_looks(Some(Weather::Calm));
    let address = server::serve(Arc::clone(&venue))
        .await
        .map_err(|error| error.to_string())?;
    let config = configured(plan, directory.path(), &format!("http://{address}"));
    let launch = Launch {
        program: plan.program.clone(),
        directory: directory.path().to_owned(),
        config: config.clone(),
        as_nobody: false,
    };
    let begun = Instant::now();
    let service = launch.run()?;
    let seen = Arc::new(Seen::default());
    let client = Client::new(&service.url, &venue).map_err(|error| error.to_string())?;
    let symbols = listed(&client, &seen).await;
    let mut memory = Vec::new();
    if !symbols.is_empty() {
        // However slow the exchange, the clients come when there is something to meet.
        until_order(&venue, &symbols).await;
        venue.set_looks(None);
        memory = under_load(plan, output, &service, &client, &seen, &symbols, &venue).await;
        venue.set_weather(Weather::Calm);
        venue.pin_prices();
        output.progress(&format!(
            "{} · {} clients · the books",
            plan.weather, plan.clients
        ));
        check_balance(&seen, &client, &venue, &symbols, settle_max(&config)).await;
        check_orders(&seen, &venue.orders());
    }
    let patience = Duration::from_millis(config.trading.shutdown_grace_ms) + Duration::from_secs(5);
    let shutdown_ms = match service.end(patience) {
        Ok(took) => Some(took.as_secs_f64() * 1000.0),
        Err(error) => {
            seen.fail("no orderly end", error);
            None
        }
    };
    if !symbols.is_empty() {
        check_substance(&seen, &symbols);
    }
    let trend = Trend::of(&memory).filter(|_| plan.soaks);
    if let Some(trend) = trend.as_ref().filter(|trend| !trend.is_flat()) {
        let (grown, most) = (trend.growth_kib, trend.growth_kib_max);
        let text = format!("by {grown} KiB from the third quarter to the last; {most} is allowed");
        seen.fail("memory grows", text);
    }
    let orders = venue.orders();
    let summary = seen.summary();
    Ok(Report {
        profile: plan.weather,
        clients: plan.clients,
        seconds: begun.elapsed().as_secs_f64(),
        orders: orders.len(),
        fills: orders.iter().filter(|order| order.net() != 0).count(),
        memory_kib: memory
            .get(memory.len() / 4)
            .copied()
            .zip(memory.last().copied()),
        verdict: Verdict::of(&summary, trend.is_some() || !plan.soaks),
        trend,
        shutdown_ms,
        summary,
    })
}

fn configured(plan: &Plan, directory: &std::path::Path, exchange: &str) -> Config {
    let mut config = plan.config.clone();
    let places = Config::in_directory(directory);
    config.listen = places.listen;
    config.token = places.token;
    config.database = places.database;
    config.exchange.url = exchange.to_owned();
    let timeout_ms = timeout(plan.weather).as_millis();
    config.exchange.timeout_ms = u64::try_from(timeout_ms).unwrap_or(u64::MAX);
    config.exchange.order_expiry_ms = config.exchange.timeout_ms;
    // One pass a second is production's; the loop shall have more to do than that.
    config.trading.pass_interval_ms = 50;
    config
}

/// What the service trades. Nothing is nothing to accept.
async fn listed(client: &Client, seen: &Seen) -> Vec<String> {
    match client.currencies().await {
        Ok(symbols) => {
            if symbols.is_empty() {
                seen.fail(
                    "the list of currencies is empty",
                    "nothing was asked, so nothing is shown",
                );
            }
            symbols
        }
        Err(error) => {
            seen.fail("the service does not answer", error);
            Vec::new()
        }
    }
}

/// Waits until an order is in flight, or has been.
async fn until_order(venue: &Venue, symbols: &[String]) {
    let deadline = Instant::now() + FIRST_ORDER_MAX;
    let in_flight = |symbol: &String| venue.in_progress(symbol) == Some(Call::Place);
    while Instant::now() < deadline && venue.orders().is_empty() && !symbols.iter().any(in_flight) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// How the clients leave the loop alone: an order of a slow exchange needs its time to go out.
fn spacing(plan: &Plan) -> Spacing {
    match plan.weather {
        _ if plan.soaks => Spacing::Steady(Duration::from_millis(500)),
        Weather::Slow3 | Weather::Slow15 => Spacing::Hunting(Duration::from_secs(2)),
        Weather::Hanging => Spacing::Hunting(Duration::from_secs(1)),
        Weather::Calm | Weather::Fast | Weather::Lossy => {
            Spacing::Hunting(Duration::from_millis(300))
        }
    }
}

/// Lets the clients work; the service's memory, once a second.
async fn under_load(
    plan: &Plan,
    output: &Output,
    service: &Service,
    client: &Client,
    seen: &Arc<Seen>,
    symbols: &[String],
    venue: &Venue,
) -> Vec<u64> {
    let begun = Instant::now();
    let load = Arc::new(Load {
        client: client.clone(),
        seen: Arc::clone(seen),
        windows: Mutex::default(),
        until: begun + Duration::from_secs(plan.seconds),
        seed: plan.seed,
        spacing: spacing(plan),
    });
    let probes = Probes::start();
    let mut others = tokio::task::JoinSet::new();
    others.spawn(ask_health(client.clone(), Arc::clone(seen)));
    if plan.soaks {
        others.spawn(monitor(client.clone()));
        for reads in [true, false] {
            let client = client.clone();
            others.spawn(async move { client.watch(reads).await });
        }
    }
    let running = load::run(Arc::clone(&load), symbols, plan.clients);
    tokio::pin!(running);
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    let mut memory = Vec::new();
    loop {
        tokio::select! {
            () = &mut running => break,
            _ = ticks.tick() => {
                memory.extend(service.memory_kib());
                let (done, of) = (begun.elapsed().as_secs(), plan.seconds);
                let text = format!("{} · {} clients · {done} of {of} s", plan.weather, plan.clients);
                output.progress(&text);
            }
        }
    }
    others.shutdown().await;
    let machine = Arc::clone(&probes.machine);
    drop(probes);
    seen.judge_late(&machine);
    seen.synced(machine.syncs());
    let windows = std::mem::take(&mut *load.windows.lock());
    check_windows(seen, &windows, &venue.orders());
    memory
}

/// Five times a second, an answer that costs the service nothing: for whoever reads the table.
async fn ask_health(client: Client, seen: Arc<Seen>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(200));
    loop {
        ticks.tick().await;
        client.timed_health(&seen).await;
    }
}

/// What else asks a service that runs for long.
async fn monitor(client: Client) {
    let mut ticks = tokio::time::interval(Duration::from_secs(5));
    loop {
        ticks.tick().await;
        client.scrape().await;
    }
}

/// A run in which nothing happened proves nothing.
fn check_substance(seen: &Seen, symbols: &[String]) {
    let summary = seen.summary();
    if summary.currencies < symbols.len() && summary.failures.is_empty() {
        let text = format!("{} of {} currencies", summary.currencies, symbols.len());
        seen.fail("not every currency was reset and resumed", text);
    }
    if summary.overlapped == 0 {
        seen.fail(
            "no request met an operation in flight",
            "the loop was never busy",
        );
    }
    if summary.resets_met_order == 0 {
        let text = format!("{} resets", summary.resets);
        seen.fail("no reset met an order in flight", text);
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use axum::{Json, Router};
    use serde_json::{Value, json};

    use super::*;
    use crate::measure::{Answer, Endpoint};

    /// What is found wrong with a service that lists these currencies.
    async fn found(list: Value) -> (Vec<String>, Vec<&'static str>) {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answer = get(async move || Json(json!({ "ok": true, "currencies": list })));
        let router = Router::new().route("/api/autotrader/currencies", answer);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let venue = Arc::new(Venue::new(Weather::Calm, 1));
        let seen = Seen::default();
        let symbols = listed(&Client::new(&url, &venue).unwrap(), &seen).await;
        (symbols, seen.summary().failures.into_keys().collect())
    }

    #[tokio::test]
    async fn an_empty_list_of_currencies_is_not_accepted() {
        assert_eq!(
            found(json!(["BTC"])).await,
            (vec!["BTC".to_owned()], vec![])
        );
        assert_eq!(
            found(json!([])).await.1,
            ["the list of currencies is empty"]
        );
        assert_eq!(found(json!(null)).await.1, ["the service does not answer"]);
    }

    #[test]
    fn a_run_in_which_nothing_happened_is_not_accepted() {
        let seen = Seen::default();
        let symbols = ["BTC".to_owned()];
        check_substance(&seen, &symbols);
        let failures = seen.summary().failures;
        assert!(failures.contains_key("not every currency was reset and resumed"));
        assert!(failures.contains_key("no request met an operation in flight"));
        assert!(failures.contains_key("no reset met an order in flight"));
    }

    /// A look that is in flight is no order, and another request is no reset.
    #[test]
    fn it_takes_an_order_in_flight_and_a_reset() {
        let cases = [
            (Endpoint::Reset, Some(Call::Place), true),
            (Endpoint::Reset, Some(Call::Look), false),
            (Endpoint::Reset, None, false),
            (Endpoint::Stats, Some(Call::Place), false),
        ];
        for (endpoint, met, enough) in cases {
            let seen = Seen::default();
            seen.answer(Answer {
                endpoint,
                status: 200,
                begun: Instant::now(),
                took: Duration::ZERO,
                met,
            });
            seen.round("BTC");
            check_substance(&seen, &["BTC".to_owned()]);
            let failures = seen.summary().failures;
            let found = failures.contains_key("no reset met an order in flight");
            assert_eq!(found, !enough, "{endpoint:?} {met:?}");
        }
    }

    #[test]
    fn what_could_not_be_judged_is_not_accepted() {
        let good = Seen::default().summary();
        let excused = Summary {
            excused: 1,
            ..good.clone()
        };
        let bad = Seen::default();
        bad.fail("something", "somewhere");
        let bad = Summary {
            excused: 1,
            ..bad.summary()
        };
        let cases = [
            (&good, true, Verdict::Accepted),
            (&good, false, Verdict::Inconclusive),
            (&excused, true, Verdict::Inconclusive),
            (&bad, true, Verdict::NotAccepted),
            (&bad, false, Verdict::NotAccepted),
        ];
        for (summary, memory_is_known, verdict) in cases {
            assert_eq!(Verdict::of(summary, memory_is_known), verdict);
        }
        let worst = [
            Verdict::Inconclusive,
            Verdict::NotAccepted,
            Verdict::Accepted,
        ];
        assert_eq!(worst.into_iter().max(), Some(Verdict::NotAccepted));
    }
}
