//! One run: a fresh service, an exchange in some mood, clients for a while, then the books.
//!
//! Knows what makes a run good, and what makes it say nothing. Does not know how it is shown.

use std::sync::Arc;
use std::time::{Duration, Instant};

use autotrader::service::config::Config;
use autotrader::service::venue::{Venue, Weather, server};
use gordian::sync::Mutex;
use serde::Serialize;

use crate::child::{Launch, Program, Service};
use crate::client::Client;
use crate::ledger::{check_balance, check_orders, check_windows};
use crate::load::{self, Load};
use crate::measure::{Endpoint, Seen, Summary};
use crate::output::Output;

/// What to run.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) program: Program,
    pub(crate) config: Config,
    pub(crate) clients: usize,
    pub(crate) weather: Weather,
    pub(crate) seconds: u64,
    pub(crate) seed: u64,
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
    pub(crate) shutdown_ms: Option<f64>,
    #[serde(flatten)]
    pub(crate) summary: Summary,
}

impl Report {
    pub(crate) fn is_accepted(&self) -> bool {
        self.summary.failures.is_empty()
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
    let memory = if symbols.is_empty() {
        None
    } else {
        let memory = under_load(plan, output, &service, &client, &seen, &symbols, &venue).await;
        venue.set_weather(Weather::Calm);
        venue.pin_prices();
        output.progress(&format!(
            "{} · {} clients · the books",
            plan.weather, plan.clients
        ));
        check_balance(&seen, &client, &venue, &symbols, settle_max(&config)).await;
        check_orders(&seen, &venue.orders());
        memory
    };
    let patience = Duration::from_millis(config.trading.shutdown_grace_ms) + Duration::from_secs(5);
    let shutdown_ms = match service.end(patience) {
        Ok(took) => Some(took.as_secs_f64() * 1000.0),
        Err(error) => {
            seen.fail("no orderly end", error);
            None
        }
    };
    if !symbols.is_empty() {
        check_substance(&seen, plan.weather, &symbols, &venue);
    }
    let orders = venue.orders();
    Ok(Report {
        profile: plan.weather,
        clients: plan.clients,
        seconds: begun.elapsed().as_secs_f64(),
        orders: orders.len(),
        fills: orders.iter().filter(|order| order.net() != 0).count(),
        memory_kib: memory,
        shutdown_ms,
        summary: seen.summary(),
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

async fn under_load(
    plan: &Plan,
    output: &Output,
    service: &Service,
    client: &Client,
    seen: &Arc<Seen>,
    symbols: &[String],
    venue: &Venue,
) -> Option<(u64, u64)> {
    let duration = Duration::from_secs(plan.seconds);
    let begun = Instant::now();
    let load = Arc::new(Load {
        client: client.clone(),
        seen: Arc::clone(seen),
        windows: Mutex::default(),
        until: begun + duration,
        seed: plan.seed,
    });
    let running = load::run(Arc::clone(&load), symbols, plan.clients);
    tokio::pin!(running);
    let machine = tokio::spawn(watch_machine(client.clone(), Arc::clone(seen)));
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    let mut early = None;
    loop {
        tokio::select! {
            () = &mut running => break,
            _ = ticks.tick() => {
                if begun.elapsed() >= duration / 4 && early.is_none() {
                    early = service.memory_kib();
                }
                let (done, of) = (begun.elapsed().as_secs(), plan.seconds);
                let text = format!("{} · {} clients · {done} of {of} s", plan.weather, plan.clients);
                output.progress(&text);
            }
        }
    }
    machine.abort();
    let windows = std::mem::take(&mut *load.windows.lock());
    check_windows(seen, &windows, &venue.orders());
    let memory = early.zip(service.memory_kib());
    check_memory(seen, plan, memory);
    memory
}

/// What the machine can do meanwhile, five times a second: an answer that costs nothing, and one
/// block on the disk. For whoever reads the table: a limit may be missed for the neighbours' sake.
async fn watch_machine(client: Client, seen: Arc<Seen>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(200));
    loop {
        ticks.tick().await;
        client.timed_health(&seen).await;
        let synced = tokio::task::spawn_blocking(|| -> std::io::Result<Duration> {
            let mut file = tempfile::tempfile()?;
            let begun = Instant::now();
            std::io::Write::write_all(&mut file, &[1; 4096])?;
            file.sync_data()?;
            Ok(begun.elapsed())
        });
        if let Ok(Ok(took)) = synced.await {
            seen.answer(Endpoint::Fsync, took, 200, false);
        }
    }
}

/// Short runs say nothing about leaks; in a long one memory must be flat.
fn check_memory(seen: &Seen, plan: &Plan, memory: Option<(u64, u64)>) {
    const LONG_SECONDS: u64 = 300;
    const GROWTH_KIB_MAX: u64 = 8 * 1024;
    if let Some((early, late)) = memory
        && plan.seconds >= LONG_SECONDS
        && late > early + GROWTH_KIB_MAX
    {
        seen.fail("memory grows", format!("from {early} to {late} KiB"));
    }
}

/// A run in which nothing happened proves nothing.
fn check_substance(seen: &Seen, weather: Weather, symbols: &[String], venue: &Venue) {
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
    // Where one operation takes longer than a run, it is enough that there was one.
    let trades = matches!(weather, Weather::Fast | Weather::Lossy);
    if trades && venue.orders().is_empty() && summary.failures.is_empty() {
        seen.fail("nothing was traded", "no order reached the exchange");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use axum::{Json, Router};
    use serde_json::{Value, json};

    use super::*;

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
        check_substance(
            &seen,
            Weather::Fast,
            &symbols,
            &Venue::new(Weather::Calm, 1),
        );
        let failures = seen.summary().failures;
        assert!(failures.contains_key("not every currency was reset and resumed"));
        assert!(failures.contains_key("no request met an operation in flight"));
    }
}
