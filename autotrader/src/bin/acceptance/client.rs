//! One client of the service.
//!
//! Knows how a question is asked over HTTP. Does not know which answer is right.

use std::sync::Arc;
use std::time::{Duration, Instant};

use autotrader::service::venue::{Call, Venue};
use reqwest::RequestBuilder;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::measure::{Answer, Endpoint, Seen};

/// How long a client waits before it gives up: longer than any lock was ever held.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client. Clones share connections, one for each request at a time.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    /// Only to see whether a call of the loop is in progress.
    venue: Arc<Venue>,
}

/// One currency, as answered.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Stats {
    pub(crate) active: bool,
    pub(crate) step: i64,
    pub(crate) volume: i64,
    pub(crate) paused: bool,
    pub(crate) epoch: u64,
    pub(crate) cycle: u64,
    pub(crate) in_flight: String,
    pub(crate) orphaned: i64,
}

/// A look that shows nothing: the status, 0 without an answer, and what was said.
#[derive(Debug)]
pub(crate) struct NoStats {
    status: u16,
    why: String,
}

impl From<NoStats> for String {
    fn from(error: NoStats) -> Self {
        error.why
    }
}

impl Client {
    pub(crate) fn new(url: &str, venue: &Arc<Venue>) -> reqwest::Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            // Sooner than the service closes them, so that none is closed while it is used.
            .pool_idle_timeout(Duration::from_secs(2))
            .build()?;
        Ok(Client {
            http,
            url: url.to_owned(),
            venue: Arc::clone(venue),
        })
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.url))
    }

    /// The currencies that the service trades.
    pub(crate) async fn currencies(&self) -> Result<Vec<String>, String> {
        let (status, body) = send(self.get("/api/autotrader/currencies")).await?;
        let symbols = body["currencies"].as_array().map(|symbols| {
            symbols
                .iter()
                .filter_map(|symbol| symbol.as_str().map(str::to_owned))
                .collect()
        });
        match (status, symbols) {
            (200, Some(symbols)) => Ok(symbols),
            _ => Err(format!("the currencies: {status} {body}")),
        }
    }

    /// Whether the service says that it is ready, or why not.
    pub(crate) async fn ready(&self) -> Result<Result<(), String>, String> {
        let (status, body) = send(self.get("/readyz")).await?;
        Ok(match status {
            200 => Ok(()),
            _ => Err(format!("{status} {}", body["error"]["message"])),
        })
    }

    /// Reset or resume; the status, and the code of an error.
    pub(crate) async fn change(
        &self,
        endpoint: Endpoint,
        symbol: &str,
    ) -> Result<(u16, String), String> {
        let path = match endpoint {
            Endpoint::Reset => "reset_cycle",
            Endpoint::Resume => "resume_cycle",
            other => return Err(format!("{other:?} changes nothing")),
        };
        let request = self
            .http
            .post(format!("{}/api/autotrader/{path}", self.url));
        let request = request.json(&json!({ "base_currency": symbol }));
        let (status, body) = send(request).await?;
        Ok((
            status,
            body["error"]["code"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        ))
    }

    /// One look.
    pub(crate) async fn stats(&self, symbol: &str) -> Result<Stats, NoStats> {
        let path = format!("/api/autotrader/stats?base_currency={symbol}");
        let (status, body) = send(self.get(&path))
            .await
            .map_err(|why| NoStats { status: 0, why })?;
        serde_json::from_value(body["stats"].clone()).map_err(|_| NoStats {
            status,
            why: format!("stats of {symbol}: {status} {body}"),
        })
    }

    /// Reset or resume, timed; whether it was 200.
    pub(crate) async fn timed_change(&self, seen: &Seen, endpoint: Endpoint, symbol: &str) -> bool {
        let met = self.venue.in_progress(symbol);
        let begun = Instant::now();
        let answer = self.change(endpoint, symbol).await;
        let took = begun.elapsed();
        let (status, why) = match answer {
            Ok((status, code)) => (status, code),
            Err(error) => (0, error),
        };
        seen.answer(Answer {
            endpoint,
            status,
            begun,
            took,
            met,
        });
        if status != 200 {
            let text = format!("{endpoint:?} {symbol}: {status} {why} after {took:.3?}");
            seen.fail("an answer is not 200", text);
        }
        status == 200
    }

    /// An answer that costs the service nothing, timed.
    pub(crate) async fn timed_health(&self, seen: &Seen) {
        let begun = Instant::now();
        if let Ok((status, _)) = send(self.get("/healthz")).await {
            seen.answer(Answer {
                endpoint: Endpoint::Healthz,
                status,
                begun,
                took: begun.elapsed(),
                met: None,
            });
        }
    }

    /// Whether an order of a currency is in flight.
    pub(crate) fn has_order(&self, symbol: &str) -> bool {
        self.venue.in_progress(symbol) == Some(Call::Place)
    }

    /// A page that is open: reads what it is told, or never anything, for as long as it can.
    pub(crate) async fn watch(&self, reads: bool) {
        let Ok(mut events) = self.get("/events").timeout(Duration::MAX).send().await else {
            return;
        };
        if !reads {
            return std::future::pending().await;
        }
        while let Ok(Some(_)) = events.chunk().await {}
    }

    /// What a monitoring system asks for; nobody looks at it here.
    pub(crate) async fn scrape(&self) {
        // What is wrong with the service others see.
        let _ = send(self.get("/metrics")).await;
    }

    /// A look, timed; none when it was not 200.
    pub(crate) async fn timed_stats(&self, seen: &Seen, symbol: &str) -> Option<Stats> {
        let met = self.venue.in_progress(symbol);
        let begun = Instant::now();
        let answer = self.stats(symbol).await;
        let took = begun.elapsed();
        let status = answer.as_ref().map_or_else(|error| error.status, |_| 200);
        seen.answer(Answer {
            endpoint: Endpoint::Stats,
            status,
            begun,
            took,
            met,
        });
        match answer {
            Ok(stats) => Some(stats),
            Err(error) => {
                let text = format!("{} after {took:.3?}", error.why);
                seen.fail("an answer is not 200", text);
                None
            }
        }
    }
}

async fn send(request: RequestBuilder) -> Result<(u16, Value), String> {
    let answer = request.send().await.map_err(|error| chain(&error))?;
    let status = answer.status().as_u16();
    let body = answer.bytes().await.map_err(|error| chain(&error))?;
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}

/// An error with its causes: the outer ones say only that there was one.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
