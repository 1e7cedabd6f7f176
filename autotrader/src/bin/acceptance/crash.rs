//! The service, killed again and again.
//!
//! Knows what a client may rely on after its answer, whatever dies: a reset or resume that was
//! acknowledged is there after the restart; one without an answer is there whole or not at all.
//! Does not know how the service does that.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use autotrader::service::config::Config;
use autotrader::service::venue::{Venue, Weather, server};
use gordian::sync::Mutex;
use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde::Serialize;

use crate::child::{Launch, Program};
use crate::client::Client;
use crate::disk;
use crate::ledger::{check_balance, check_orders};
use crate::measure::{Endpoint, Failure, Seen};
use crate::output::Output;

/// One kill in so many comes before the service listens.
const EARLY_EVERY: u32 = 8;
const EARLY_MS_MAX: u32 = 40;
const LATE_MS_MAX: u32 = 1_000;

/// What to do.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) program: Program,
    pub(crate) kills: u32,
    pub(crate) seed: u64,
}

/// What came of it.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) kills: u32,
    pub(crate) early: u32,
    pub(crate) orders_in_doubt: u32,
    pub(crate) requests_in_doubt: u32,
    pub(crate) acknowledged: u64,
    pub(crate) orders: usize,
    pub(crate) fills: usize,
    pub(crate) seconds: f64,
    /// What was tried with the disk.
    pub(crate) disk: Vec<&'static str>,
    pub(crate) failures: BTreeMap<&'static str, Failure>,
}

impl Report {
    pub(crate) fn is_accepted(&self) -> bool {
        self.failures.is_empty()
    }
}

/// What a client knows of a currency.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    epoch: u64,
    paused: bool,
    /// A request without an answer.
    doubt: Option<Endpoint>,
    acknowledged: u64,
}

impl Known {
    /// Whether a state is one that the answers allow.
    fn allows(&self, epoch: u64, paused: bool) -> bool {
        let as_answered = epoch == self.epoch && paused == self.paused;
        as_answered
            || match self.doubt {
                Some(Endpoint::Reset) => epoch == self.epoch + 1 && paused,
                Some(Endpoint::Resume) => epoch == self.epoch && !paused,
                _ => false,
            }
    }
}

/// A service whose calls are short, so that there is much to be killed in.
pub(crate) fn configured(directory: &std::path::Path, exchange: &str) -> Config {
    let mut config = Config::in_directory(directory);
    config.exchange.url = exchange.to_owned();
    config.exchange.timeout_ms = 500;
    config.exchange.order_expiry_ms = 250;
    config.trading.pass_interval_ms = 2;
    config.trading.shutdown_grace_ms = 5_000;
    config
}

/// Kills, restarts, and looks; then the disk.
pub(crate) async fn run(plan: &Plan, output: &Output) -> Result<Report, String> {
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let venue = Arc::new(Venue::new(Weather::Lossy, plan.seed));
    let address = server::serve(Arc::clone(&venue))
        .await
        .map_err(|error| error.to_string())?;
    let launch = Launch {
        program: plan.program.clone(),
        directory: directory.path().to_owned(),
        config: configured(directory.path(), &format!("http://{address}")),
        as_nobody: false,
    };
    let begun = Instant::now();
    let seen = Arc::new(Seen::default());
    let mut killer = Killer {
        launch: &launch,
        venue: &venue,
        seen: &seen,
        random: Pcg64Mcg::seed_from_u64(plan.seed),
        known: BTreeMap::new(),
        report: Report {
            seed: plan.seed,
            ..Report::default()
        },
    };
    for kill in 1..=plan.kills {
        output.progress(&format!("kill {kill} of {}", plan.kills));
        killer.kill(kill).await?;
    }
    let mut report = killer.finish().await?;
    if report.orders_in_doubt == 0 && plan.kills >= 10 {
        seen.fail(
            "no kill left an order in doubt",
            "they came at the wrong moments",
        );
    }
    let orders = venue.orders();
    (report.orders, report.fills) = (
        orders.len(),
        orders.iter().filter(|order| order.net() != 0).count(),
    );
    report.disk = disk::run(&plan.program, &seen, output).await?;
    report.seconds = begun.elapsed().as_secs_f64();
    report.failures = seen.summary().failures;
    Ok(report)
}

struct Killer<'a> {
    launch: &'a Launch,
    venue: &'a Arc<Venue>,
    seen: &'a Arc<Seen>,
    random: Pcg64Mcg,
    known: BTreeMap<String, Known>,
    report: Report,
}

impl Killer<'_> {
    /// One life of the service.
    async fn kill(&mut self, number: u32) -> Result<(), String> {
        self.report.kills += 1;
        if number.is_multiple_of(EARLY_EVERY) {
            let after = u64::from(self.random.next_u32() % EARLY_MS_MAX);
            let mut child = self.launch.spawn().map_err(|error| error.to_string())?;
            tokio::time::sleep(Duration::from_millis(after)).await;
            let killed = child.kill().and_then(|()| child.wait());
            killed.map_err(|error| error.to_string())?;
            self.report.early += 1;
            return Ok(());
        }
        let after = u64::from(self.random.next_u32() % LATE_MS_MAX);
        let service = self.launch.run()?;
        let client = Client::new(&service.url, self.venue).map_err(|error| error.to_string())?;
        self.look(&client).await?;
        let tasks = self.known.iter().map(|(symbol, known)| {
            let known = Arc::new(Mutex::new(*known));
            let seed = u64::from(number) << 32 ^ u64::from(known.lock().epoch as u32);
            let work = bother(client.clone(), symbol.clone(), Arc::clone(&known), seed);
            (symbol.clone(), known, tokio::spawn(work))
        });
        let tasks: Vec<_> = tasks.collect();
        tokio::time::sleep(Duration::from_millis(after)).await;
        service.kill().map_err(|error| error.to_string())?;
        for (symbol, known, task) in tasks {
            // Each ends with the first request that the dead do not answer.
            task.await.map_err(|error| error.to_string())?;
            let known = *known.lock();
            self.report.requests_in_doubt += u32::from(known.doubt.is_some());
            self.known.insert(symbol, known);
        }
        Ok(())
    }

    /// After a start: is everything there that was acknowledged?
    async fn look(&mut self, client: &Client) -> Result<(), String> {
        let mut in_doubt = false;
        for symbol in client.currencies().await? {
            let stats = client.stats(&symbol).await?;
            in_doubt |= stats.in_flight == "unknown";
            let known = self.known.entry(symbol.clone()).or_default();
            if !known.allows(stats.epoch, stats.paused) {
                let text = format!("{symbol}: {known:?}, and after the restart {stats:?}");
                self.seen.fail(
                    "something acknowledged was lost, or came from nowhere",
                    text,
                );
            }
            *known = Known {
                epoch: stats.epoch,
                paused: stats.paused,
                doubt: None,
                ..*known
            };
        }
        self.report.orders_in_doubt += u32::from(in_doubt);
        Ok(())
    }

    /// The last life, in which everything comes to its end.
    async fn finish(mut self) -> Result<Report, String> {
        let service = self.launch.run()?;
        let client = Client::new(&service.url, self.venue).map_err(|error| error.to_string())?;
        self.look(&client).await?;
        self.venue.set_weather(Weather::Calm);
        self.venue.pin_prices();
        let symbols = client.currencies().await?;
        let patience = Duration::from_secs(15);
        check_balance(self.seen, &client, self.venue, &symbols, patience).await;
        check_orders(self.seen, &self.venue.orders());
        if let Err(error) = service.end(Duration::from_secs(10)) {
            self.seen.fail("no orderly end", error);
        }
        self.report.acknowledged = self.known.values().map(|known| known.acknowledged).sum();
        Ok(self.report)
    }
}

/// Resets and resumes a currency until there is no answer.
async fn bother(client: Client, symbol: String, known: Arc<Mutex<Known>>, seed: u64) {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    loop {
        let paused = known.lock().paused;
        // Mostly in turn, so that there is trading to interrupt; sometimes the same again.
        let again = random.next_u32().is_multiple_of(8);
        let request = if paused != again {
            Endpoint::Resume
        } else {
            Endpoint::Reset
        };
        known.lock().doubt = Some(request);
        let Ok((200, _)) = client.change(request, &symbol).await else {
            return;
        };
        {
            let mut known = known.lock();
            known.doubt = None;
            known.acknowledged += 1;
            known.paused = request == Endpoint::Reset;
            known.epoch += u64::from(request == Endpoint::Reset);
        }
        let pause = u64::from(random.next_u32() % 120);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_answered_is_there_whole_or_not_at_all() {
        let known = |paused, doubt| Known {
            epoch: 5,
            paused,
            doubt,
            acknowledged: 0,
        };
        let (reset, resume) = (Some(Endpoint::Reset), Some(Endpoint::Resume));
        // Known, and the states that are allowed of (5 or 6 resets, running or paused).
        let cases = [
            (known(false, None), [true, false, false, false]),
            (known(true, None), [false, true, false, false]),
            (known(false, reset), [true, false, false, true]),
            (known(true, reset), [false, true, false, true]),
            (known(true, resume), [true, true, false, false]),
        ];
        for (known, expected) in cases {
            let states = [(5, false), (5, true), (6, false), (6, true)];
            let allowed = states.map(|(epoch, paused)| known.allows(epoch, paused));
            assert_eq!(allowed, expected, "{known:?}");
            assert!(!known.allows(4, true), "a reset is never forgotten");
        }
    }
}
