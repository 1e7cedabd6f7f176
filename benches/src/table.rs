//! All that the benchmarks print.
//!
//! Knows the two forms of the result. Does not know how it was measured.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the one module that prints"
)]

use serde::Serialize;

use crate::engines::{Measured, Outcome};

/// How results are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A table for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// One program under one engine.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) program: String,
    pub(crate) engine: String,
    /// Executions without waste.
    pub(crate) traces: u64,
    #[serde(flatten)]
    pub(crate) measured: Measured,
    pub(crate) microseconds_per_operation: Option<f64>,
    /// Executions and time, as multiples of the reference's.
    pub(crate) executions_ratio: Option<f64>,
    pub(crate) time_ratio: Option<f64>,
}

impl Row {
    pub(crate) fn new(
        program: &str,
        engine: &str,
        traces: u64,
        measured: Measured,
        reference: &Option<Measured>,
    ) -> Row {
        let ratio =
            |own: f64, reference: f64| (own > 0.0 && reference > 0.0).then(|| own / reference);
        let reference = reference.as_ref();
        Row {
            program: program.to_owned(),
            engine: engine.to_owned(),
            traces,
            microseconds_per_operation: ratio(measured.seconds * 1e6, measured.operations as f64),
            executions_ratio: reference
                .and_then(|other| ratio(measured.executions as f64, other.executions as f64)),
            time_ratio: reference.and_then(|other| ratio(measured.seconds, other.seconds)),
            measured,
        }
    }

    /// Whether it went through all interleavings with one execution per trace.
    pub(crate) fn is_optimal(&self) -> bool {
        let complete = matches!(self.measured.outcome, Outcome::Complete | Outcome::Found(_));
        complete && self.measured.executions == self.traces
    }
}

/// What stands above the table.
pub(crate) fn head(form: Form) {
    if form == Form::Text {
        println!(
            "{:<36} {:<13} {:>11} {:>12} {:>8} {:>12} {:>12}  outcome",
            "program", "engine", "executions", "time", "µs/op", "executions×", "time×",
        );
    }
}

/// One line of the table.
pub(crate) fn line(form: Form, row: &Row) {
    if form == Form::Json {
        println!(
            "{}",
            serde_json::to_string(row).expect("a row is plain data")
        );
        return;
    }
    let measured = &row.measured;
    let number = |number: Option<f64>, digits: usize| {
        number.map_or_else(|| "–".to_owned(), |number| format!("{number:.digits$}"))
    };
    println!(
        "{:<36} {:<13} {:>11} {:>9.3} ms {:>8} {:>12} {:>12}  {}",
        row.program,
        row.engine,
        measured.executions,
        measured.seconds * 1e3,
        number(row.microseconds_per_operation, 2),
        number(row.executions_ratio, 1),
        number(row.time_ratio, 1),
        outcome(&measured.outcome),
    );
}

fn outcome(outcome: &Outcome) -> String {
    let first_line = |text: &str| {
        text.lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(60)
            .collect()
    };
    match outcome {
        Outcome::Complete => "complete".to_owned(),
        Outcome::Found(codes) => format!("complete, finds {codes}"),
        Outcome::Stopped(message) => {
            let message: String = first_line(message);
            format!("stops at the first failure: {message}")
        }
        Outcome::Capped => "not complete when its time was over".to_owned(),
        Outcome::Aborted(how) => format!("aborts: {how}"),
    }
}

/// A child's result, for its parent.
pub(crate) fn measured(measured: &Measured) {
    println!(
        "{}",
        serde_json::to_string(measured).expect("a measurement is plain data")
    );
}

/// Tells the person who started this what is wrong.
pub(crate) fn complain(message: &str) {
    eprintln!("gordian-benches: {message}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_one_flat_object_with_ratios() {
        let measured = |executions, seconds| Measured {
            executions,
            operations: 10 * executions,
            seconds,
            outcome: Outcome::Found("deadlock".to_owned()),
        };
        let reference = Some(measured(3, 0.5));
        let row = Row::new("AB-BA", "other", 3, measured(12, 2.0), &reference);
        let json = serde_json::to_value(&row).unwrap();
        assert_eq!(json["executions"], 12);
        assert_eq!(json["executions_ratio"], 4.0);
        assert_eq!(json["time_ratio"], 4.0);
        assert_eq!(json["outcome"]["kind"], "found");
        assert!(!row.is_optimal(), "12 executions for 3 traces");
        let child = serde_json::to_string(&row.measured).unwrap();
        let read: Measured = serde_json::from_str(&child).unwrap();
        assert_eq!(read.outcome, row.measured.outcome);
    }
}
