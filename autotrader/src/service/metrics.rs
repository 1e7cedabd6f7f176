//! What is counted, for Prometheus.
//!
//! Knows names and units. Does not know when something is worth counting.

use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::snapshot::Snapshot;

/// Bounds of answer times: 0.1 s is the one that counts.
const ANSWER_SECONDS: [f64; 12] = [
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 10.0,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    endpoint: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndpointLabels {
    endpoint: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NumberLabels {
    name: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CurrencyLabels {
    currency: String,
    what: What,
}

/// What a gauge of a currency says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
enum What {
    Active,
    Paused,
    Busy,
    Unknown,
    Volume,
    Orphaned,
    Profit,
    Resets,
}

/// All counters.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    answers: Family<EndpointLabels, Histogram>,
    currencies: Family<CurrencyLabels, Gauge>,
    process: Family<NumberLabels, Gauge>,
    sections: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("autotrader");
        let requests = Family::default();
        let histogram = || Histogram::new(ANSWER_SECONDS);
        let answers = Family::new_with_constructor(histogram as fn() -> Histogram);
        let currencies = Family::default();
        let process = Family::default();
        let sections = Histogram::new([0.000_001, 0.000_01, 0.000_1, 0.001, 0.01, 0.1, 1.0]);
        registry.register(
            "requests",
            "Requests by endpoint and status",
            requests.clone(),
        );
        let help = "Time from a request's head to its answer";
        registry.register_with_unit("answer", help, Unit::Seconds, answers.clone());
        registry.register("currency", "State of a currency", currencies.clone());
        registry.register("process", "State of the process, by name", process.clone());
        let help = "Wait for a currency's lock and time under it, as a look at the stats sees it";
        registry.register_with_unit("critical_section", help, Unit::Seconds, sections.clone());
        Metrics {
            registry,
            requests,
            answers,
            currencies,
            process,
            sections,
        }
    }
}

impl Metrics {
    /// Counts a request that was answered.
    pub fn request(&self, endpoint: &str, status: u16, took: Duration) {
        let endpoint = endpoint.to_owned();
        let labels = RequestLabels {
            endpoint: endpoint.clone(),
            status,
        };
        self.requests.get_or_create(&labels).inc();
        let labels = EndpointLabels { endpoint };
        self.answers
            .get_or_create(&labels)
            .observe(took.as_secs_f64());
    }

    /// Counts a critical section of a currency's lock.
    pub fn section(&self, took: Duration) {
        self.sections.observe(took.as_secs_f64());
    }

    /// All numbers as text, with the state that a snapshot shows.
    ///
    /// # Errors
    /// Never: a text has room for all of it.
    pub fn text(&self, snapshot: &Snapshot) -> Result<String, std::fmt::Error> {
        for state in &snapshot.currencies {
            let values = [
                (What::Active, i64::from(state.stats.active)),
                (What::Paused, i64::from(state.stats.paused)),
                (What::Busy, i64::from(state.stats.busy)),
                (What::Unknown, i64::from(state.stats.unknown)),
                (What::Volume, state.stats.volume),
                (What::Orphaned, state.stats.orphaned),
                (What::Profit, state.stats.profit),
                (
                    What::Resets,
                    i64::try_from(state.stats.epoch.0).unwrap_or(i64::MAX),
                ),
            ];
            for (what, value) in values {
                let currency = state.symbol.clone();
                self.currencies
                    .get_or_create(&CurrencyLabels { currency, what })
                    .set(value);
            }
        }
        for (name, value) in snapshot.numbers() {
            let value = i64::try_from(value).unwrap_or(i64::MAX);
            self.process
                .get_or_create(&NumberLabels { name })
                .set(value);
        }
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
