//! What a person or a program sees.
//!
//! The only module that prints. Knows tables and words. Does not know how anything was measured.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};

use serde_json::json;

use crate::crash;
use crate::measure::{ANSWER_MAX, Endpoint, Failure};
use crate::profile::{Report, Verdict};
use crate::soak::Trend;

/// Where it goes.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    live: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Output {
            json,
            live: std::io::stderr().is_terminal(),
        }
    }

    fn tell(&self, text: &str) {
        // A closed pipe is no reason to stop measuring.
        let _ = if self.json {
            writeln!(std::io::stderr(), "{text}")
        } else {
            writeln!(std::io::stdout(), "{text}")
        };
    }

    /// What is going on; one line that is written over, and nothing in a log.
    pub(crate) fn progress(&self, text: &str) {
        if self.live {
            let _ = write!(std::io::stderr(), "\r\x1b[K{text}\r");
        }
    }

    /// The same, worth a line in a log.
    pub(crate) fn step(&self, text: &str) {
        if self.live {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
        self.tell(text);
    }

    pub(crate) fn error(&self, text: &str) {
        let _ = writeln!(std::io::stderr(), "error: {text}");
    }

    /// One run as a table.
    pub(crate) fn profile(&self, report: &Report) {
        let summary = &report.summary;
        let mut text = format!(
            "{} · {} clients · {:.0} s · {} rounds over {} currencies · {} orders, {} filled \n  \
             in flight: an order at {} of {} resets, an operation at {} requests",
            report.profile,
            report.clients,
            report.seconds,
            summary.rounds,
            summary.currencies,
            report.orders,
            report.fills,
            summary.resets_met_order,
            summary.resets,
            summary.overlapped,
        );
        let _ = write!(
            text,
            "\n  {:<10}{:>9}{:>10}{:>10}{:>10}{:>10}{:>9}",
            "ms", "answers", "p50", "p99", "p99.9", "max", "> 100"
        );
        for row in &summary.rows {
            let name = match row.endpoint {
                Endpoint::Healthz => "(healthz)".to_owned(),
                Endpoint::Fsync => "(fsync)".to_owned(),
                judged => format!("{judged:?}").to_lowercase(),
            };
            let _ = write!(
                text,
                "\n  {name:<10}{:>9}{:>10.2}{:>10.2}{:>10.2}{:>10.2}{:>9}",
                row.answers, row.p50_ms, row.p99_ms, row.p999_ms, row.max_ms, row.late
            );
        }
        let statuses: Vec<_> = summary
            .statuses
            .iter()
            .map(|(status, count)| match status {
                0 => format!("no answer × {count}"),
                status => format!("{status} × {count}"),
            })
            .collect();
        let _ = write!(text, "\n  answers  {}", statuses.join(", "));
        if let Some((early, late)) = report.memory_kib {
            let _ = write!(
                text,
                "\n  memory   {early} KiB after a quarter, {late} KiB at the end"
            );
        }
        if let Some(shutdown_ms) = report.shutdown_ms {
            let _ = write!(text, "\n  SIGTERM  ended after {shutdown_ms:.0} ms");
        }
        if let Some(trend) = &report.trend {
            write_trend(&mut text, trend);
        }
        if report.verdict == Verdict::Inconclusive && summary.excused == 0 {
            let _ = write!(
                text,
                "\n  memory   cannot be read here: it takes Linux's /proc"
            );
        }
        if summary.excused > 0 {
            let _ = write!(
                text,
                "\n  machine  {} late answers cannot be judged: it was away for as long",
                summary.excused
            );
        }
        write_failures(&mut text, summary.failures.iter());
        self.step(&text);
    }

    /// The end of all runs.
    pub(crate) fn verdict(&self, reports: &[Report], verdict: Verdict, seed: u64) {
        let accepted = verdict == Verdict::Accepted;
        let limit = ANSWER_MAX.as_millis();
        if self.json {
            let all = json!({
                "v": 1, "kind": "acceptance", "accepted": accepted, "verdict": verdict,
                "seed": seed, "limit_ms": limit, "runs": reports,
            });
            let _ = writeln!(std::io::stdout(), "{all}");
        } else if accepted {
            self.tell(&format!(
                "ACCEPTED  every answer 200 within {limit} ms, and true"
            ));
        } else if verdict == Verdict::Inconclusive {
            self.tell(&format!(
                "INCONCLUSIVE  nothing is wrong for certain, and not everything could be judged: \
                 again on a quiet machine (seed {seed})"
            ));
        } else {
            self.tell(&format!("NOT ACCEPTED  (seed {seed})"));
        }
    }

    /// The end of a crash test.
    pub(crate) fn crash(&self, report: &crash::Report) {
        if self.json {
            let all = json!({
                "v": 1, "kind": "crash", "accepted": report.is_accepted(), "report": report,
            });
            let _ = writeln!(std::io::stdout(), "{all}");
            return;
        }
        let mut text = format!(
            "{} kills in {:.0} s: {} before it listened, {} with an order in doubt, {} with a \
             request in doubt\n{} resets and resumes were acknowledged, {} orders placed, {} filled",
            report.kills,
            report.seconds,
            report.early,
            report.orders_in_doubt,
            report.requests_in_doubt,
            report.acknowledged,
            report.orders,
            report.fills,
        );
        for name in &report.disk {
            let _ = write!(text, "\n  ok  {name}");
        }
        write_failures(&mut text, report.failures.iter());
        let verdict = if report.is_accepted() {
            "ACCEPTED  nothing acknowledged was lost, every order is accounted for".to_owned()
        } else {
            format!("NOT ACCEPTED  (seed {})", report.seed)
        };
        self.step(&format!("{text}\n{verdict}"));
    }
}

/// Memory by tenths of the time.
fn write_trend(text: &mut String, trend: &Trend) {
    let _ = write!(
        text,
        "\n  {:>10}{:>10}{:>10}{:>10}",
        "until s", "KiB", "least", "most"
    );
    let parts = trend.parts.len();
    for (index, (median, least, most)) in trend.parts.iter().enumerate() {
        let until = trend.samples * (index + 1) / parts;
        let _ = write!(text, "\n  {until:>10}{median:>10}{least:>10}{most:>10}");
    }
    let _ = write!(
        text,
        "\n  {}: third quarter to last {:+} KiB, and up to {:+} is flat",
        if trend.is_flat() { "flat" } else { "grows" },
        trend.growth_kib,
        trend.growth_kib_max
    );
}

fn write_failures<'a>(
    text: &mut String,
    failures: impl Iterator<Item = (&'a &'static str, &'a Failure)>,
) {
    for (what, Failure { count, first }) in failures {
        let _ = write!(text, "\n  FAIL {what} ({count}×), first: {first}");
    }
}
