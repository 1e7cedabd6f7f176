//! Answers, counted and timed.
//!
//! Knows percentiles and limits. Does not know who asked.

use std::collections::BTreeMap;
use std::time::Duration;

use gordian::sync::Mutex;
use serde::Serialize;

/// What an answer may take: the incident note's demand.
pub(crate) const ANSWER_MAX: Duration = Duration::from_millis(100);

/// What is timed. The last two are not judged: they say what the machine could do meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Endpoint {
    Reset,
    Resume,
    Stats,
    /// An answer for which the service does nothing.
    Healthz,
    /// Not an endpoint: one block, written and synced by the acceptance itself.
    Fsync,
}

impl Endpoint {
    /// Whether it must take less than [`ANSWER_MAX`].
    fn is_judged(self) -> bool {
        matches!(self, Endpoint::Reset | Endpoint::Resume | Endpoint::Stats)
    }
}

/// What was seen: times of answers, and what was wrong.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    times_us: BTreeMap<Endpoint, Vec<u32>>,
    statuses: BTreeMap<u16, u64>,
    failures: BTreeMap<&'static str, Failure>,
    /// Requests that were sent while the loop waited for the exchange about that currency.
    overlapped: u64,
    rounds: BTreeMap<String, u64>,
}

/// Something that was not as it must be.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Failure {
    /// How often.
    pub(crate) count: u64,
    /// The first one.
    pub(crate) first: String,
}

/// One endpoint in numbers.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) endpoint: Endpoint,
    pub(crate) answers: usize,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
    pub(crate) max_ms: f64,
    pub(crate) late: usize,
}

/// All of it, added up.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) rows: Vec<Row>,
    /// Answers by status; 0 for none at all.
    pub(crate) statuses: BTreeMap<u16, u64>,
    pub(crate) overlapped: u64,
    pub(crate) rounds: u64,
    pub(crate) currencies: usize,
    pub(crate) failures: BTreeMap<&'static str, Failure>,
}

impl Seen {
    /// An answer, or none (status 0).
    pub(crate) fn answer(&self, endpoint: Endpoint, took: Duration, status: u16, overlapped: bool) {
        let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        let mut inner = self.inner.lock();
        inner.times_us.entry(endpoint).or_default().push(micros);
        if !endpoint.is_judged() {
            return;
        }
        *inner.statuses.entry(status).or_default() += 1;
        inner.overlapped += u64::from(overlapped);
        drop(inner);
        if took > ANSWER_MAX {
            self.fail(
                "an answer took more than 0.1 s",
                format!("{endpoint:?}: {took:.3?}"),
            );
        }
    }

    /// Something is wrong.
    pub(crate) fn fail(&self, what: &'static str, example: impl Into<String>) {
        let mut inner = self.inner.lock();
        let failure = inner.failures.entry(what).or_insert_with(|| Failure {
            count: 0,
            first: example.into(),
        });
        failure.count += 1;
    }

    /// A currency was reset and resumed once more.
    pub(crate) fn round(&self, symbol: &str) {
        *self
            .inner
            .lock()
            .rounds
            .entry(symbol.to_owned())
            .or_default() += 1;
    }

    /// Adds it up.
    pub(crate) fn summary(&self) -> Summary {
        let mut inner = self.inner.lock();
        let rows = inner
            .times_us
            .iter_mut()
            .map(|(endpoint, times)| row(*endpoint, times));
        let rows = rows.collect();
        Summary {
            rows,
            statuses: inner.statuses.clone(),
            overlapped: inner.overlapped,
            rounds: inner.rounds.values().sum(),
            currencies: inner.rounds.len(),
            failures: inner.failures.clone(),
        }
    }
}

fn row(endpoint: Endpoint, times_us: &mut [u32]) -> Row {
    times_us.sort_unstable();
    let at = |permille: usize| {
        let place = (times_us.len() * permille).div_ceil(1000).max(1) - 1;
        f64::from(times_us[place]) / 1000.0
    };
    let limit = ANSWER_MAX.as_micros();
    Row {
        endpoint,
        answers: times_us.len(),
        p50_ms: at(500),
        p99_ms: at(990),
        p999_ms: at(999),
        max_ms: at(1000),
        late: times_us
            .iter()
            .filter(|time| u128::from(**time) > limit)
            .count(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_answers_that_were_given() {
        let cases: [(Vec<u32>, [f64; 4]); 3] = [
            (vec![7_000], [7.0; 4]),
            (
                (1..=1000).map(|n| n * 1000).collect(),
                [500.0, 990.0, 999.0, 1000.0],
            ),
            (vec![3_000, 1_000, 2_000], [2.0, 3.0, 3.0, 3.0]),
        ];
        for (mut times, expected) in cases {
            let row = row(Endpoint::Reset, &mut times);
            assert_eq!([row.p50_ms, row.p99_ms, row.p999_ms, row.max_ms], expected);
        }
    }

    #[test]
    fn late_is_more_than_the_limit() {
        let mut times = vec![99_999, 100_000, 100_001];
        assert_eq!(row(Endpoint::Stats, &mut times).late, 1);
    }
}
