//! Answers, counted and timed.
//!
//! Knows percentiles and limits. Does not know who asked.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use autotrader::service::venue::Call;
use gordian::sync::Mutex;
use serde::Serialize;

use crate::machine::Machine;

/// What an answer may take: the incident note's demand.
pub(crate) const ANSWER_MAX: Duration = Duration::from_millis(100);

/// An answer that took longer is judged, whatever the machine did: what was in production held its
/// locks for 3 s and more. (A disk shared with other builds has kept a commit waiting for 1.5 s.)
const EXCUSED_MAX: Duration = Duration::from_secs(2);

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

    /// Whether its answer waits for the disk.
    fn needs_disk(self) -> bool {
        matches!(self, Endpoint::Reset | Endpoint::Resume)
    }
}

/// An answer, or none (status 0).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) endpoint: Endpoint,
    pub(crate) status: u16,
    pub(crate) begun: Instant,
    pub(crate) took: Duration,
    /// What the loop waited for when it was sent, about that currency.
    pub(crate) met: Option<Call>,
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
    /// Resets that were sent while an order of that currency was in flight.
    resets_met_order: u64,
    late: Vec<Answer>,
    excused: u64,
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
    pub(crate) resets: usize,
    pub(crate) resets_met_order: u64,
    /// Answers that took more than the limit, and less without what the machine took.
    pub(crate) excused: u64,
    pub(crate) rounds: u64,
    pub(crate) currencies: usize,
    pub(crate) failures: BTreeMap<&'static str, Failure>,
}

impl Seen {
    /// Counts an answer.
    pub(crate) fn answer(&self, answer: Answer) {
        let Answer {
            endpoint,
            status,
            took,
            met,
            ..
        } = answer;
        let mut inner = self.inner.lock();
        inner
            .times_us
            .entry(endpoint)
            .or_default()
            .push(micros(took));
        if !endpoint.is_judged() {
            return;
        }
        *inner.statuses.entry(status).or_default() += 1;
        inner.overlapped += u64::from(met.is_some());
        let met_order = endpoint == Endpoint::Reset && met == Some(Call::Place);
        inner.resets_met_order += u64::from(met_order);
        if took > ANSWER_MAX {
            inner.late.push(answer);
        }
    }

    /// Judges the answers that came late: was it the service, or did the machine do something else
    /// for so long that nothing can be said?
    pub(crate) fn judge_late(&self, machine: &Machine) {
        let late = std::mem::take(&mut self.inner.lock().late);
        for Answer {
            endpoint,
            begun,
            took,
            ..
        } in late
        {
            let lost = machine.lost(begun, begun + took, endpoint.needs_disk());
            if took <= EXCUSED_MAX && took - lost <= ANSWER_MAX {
                self.inner.lock().excused += 1;
            } else {
                let text =
                    format!("{endpoint:?}: {took:.3?}, of which the machine lost {lost:.3?}");
                self.fail("an answer took more than 0.1 s", text);
            }
        }
    }

    /// What the acceptance's own blocks on the disk took.
    pub(crate) fn synced(&self, took: Vec<Duration>) {
        let took = took.into_iter().map(micros);
        self.inner
            .lock()
            .times_us
            .entry(Endpoint::Fsync)
            .or_default()
            .extend(took);
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
        let times = inner
            .times_us
            .iter_mut()
            .filter(|(_, times)| !times.is_empty());
        let rows = times.map(|(endpoint, times)| row(*endpoint, times));
        let rows: Vec<_> = rows.collect();
        let resets = rows.iter().find(|row| row.endpoint == Endpoint::Reset);
        Summary {
            resets: resets.map_or(0, |row| row.answers),
            resets_met_order: inner.resets_met_order,
            excused: inner.excused,
            rows,
            statuses: inner.statuses.clone(),
            overlapped: inner.overlapped,
            rounds: inner.rounds.values().sum(),
            currencies: inner.rounds.len(),
            failures: inner.failures.clone(),
        }
    }
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
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
    use crate::machine::Resource;

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
    #[test]
    fn a_late_answer_is_judged_unless_the_machine_was_away() {
        let begun = Instant::now();
        let at = |ms| begun + Duration::from_millis(ms);
        use Resource::{Disk, Processor};
        // What took how long, when the machine was away, and whether that says enough to judge.
        let cases = [
            (Endpoint::Stats, 100, Processor, (0, 0), None),
            (Endpoint::Stats, 101, Processor, (0, 0), Some(true)),
            (Endpoint::Stats, 150, Processor, (10, 55), Some(true)),
            (Endpoint::Stats, 150, Processor, (10, 70), Some(false)),
            (Endpoint::Stats, 150, Processor, (150, 400), Some(true)),
            (Endpoint::Stats, 150, Disk, (0, 150), Some(true)),
            (Endpoint::Reset, 150, Disk, (0, 150), Some(false)),
            (Endpoint::Resume, 150, Disk, (0, 150), Some(false)),
            // A lock that is held for seconds is no matter of the machine, however busy.
            (Endpoint::Reset, 2_001, Processor, (0, 2_001), Some(true)),
            (Endpoint::Healthz, 150, Processor, (0, 0), None),
        ];
        for case in cases {
            let (endpoint, took, resource, (from, to), expected) = case;
            let seen = Seen::default();
            seen.answer(Answer {
                endpoint,
                status: 200,
                begun,
                took: Duration::from_millis(took),
                met: None,
            });
            let machine = Machine::default();
            machine.note(resource, at(from), at(to));
            seen.judge_late(&machine);
            let summary = seen.summary();
            let judged = match (summary.failures.len(), summary.excused) {
                (0, 0) => None,
                (1, 0) => Some(true),
                (0, 1) => Some(false),
                other => panic!("{case:?}: {other:?}"),
            };
            assert_eq!(judged, expected, "{case:?}");
        }
    }
}
