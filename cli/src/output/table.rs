//! The table of all models: what was proved, and how much was explored for it.
//!
//! Knows columns. Does not know streams.

use std::fmt::Write as _;

use gordian::report::grouped;

use super::words::{counted, counts, result_in_detail, seconds, verb};
use crate::outcome::{Outcome, Status, Summary};

/// Titles of the columns between the first, which has the models' names, and the last.
const NUMBERS: [&str; 4] = ["interleavings", "threads", "steps", "time"];

/// A line of the table, of plain text but for the last column.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) numbers: [String; NUMBERS.len()],
    pub(super) result: String,
}

/// The models grouped by the binary they are in, and a last line for all of them.
pub(super) fn table(summary: &Summary) -> String {
    aligned(rows(summary))
}

/// Lines with their columns one below the other.
pub(super) fn aligned(rows: Vec<Row>) -> String {
    let name = rows
        .iter()
        .map(|row| row.name.chars().count())
        .max()
        .unwrap_or(0);
    let widths: [usize; NUMBERS.len()] = std::array::from_fn(|column| {
        rows.iter()
            .map(|row| row.numbers[column].chars().count())
            .max()
            .unwrap_or(0)
    });
    let mut text = String::new();
    for row in rows {
        let mut line = format!("{:<name$}", row.name);
        for (number, width) in row.numbers.iter().zip(widths) {
            let _ = write!(line, "  {number:>width$}");
        }
        let _ = write!(line, "  {}", row.result);
        text += line.trim_end();
        text.push('\n');
    }
    text
}

fn rows(summary: &Summary) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut label = "";
    for outcome in &summary.outcomes {
        let binary = &outcome.model.binary;
        if binary.label != label {
            if !rows.is_empty() {
                rows.push(Row::text(""));
            }
            label = &binary.label;
            rows.push(Row::titles(label));
        }
        rows.push(row(outcome));
    }
    rows.push(Row::text(""));
    rows.push(total(summary));
    rows
}

impl Row {
    /// What the columns are, above a group.
    pub(super) fn titles(group: &str) -> Self {
        Row {
            name: group.to_owned(),
            numbers: NUMBERS.map(str::to_owned),
            result: "result".to_owned(),
        }
    }

    /// Without numbers.
    pub(super) fn text(name: &str) -> Self {
        Row {
            name: name.to_owned(),
            numbers: Default::default(),
            result: String::new(),
        }
    }
}

fn row(outcome: &Outcome) -> Row {
    let (word, style) = verb(outcome.status);
    let result = result_in_detail(outcome);
    let result = match outcome.status {
        Status::Passed => format!("{style}{result}{style:#}"),
        _ if result.is_empty() => format!("{style}{word}{style:#}"),
        _ => format!("{style}{word}{style:#}: {result}"),
    };
    let name = format!("  {}", outcome.model.path);
    let Some(report) = &outcome.report else {
        return Row {
            result,
            ..Row::text(&name)
        };
    };
    let search = &report.search;
    let numbers = [
        grouped(search.interleavings()),
        search.threads.to_string(),
        grouped(search.steps_longest),
        seconds(search.seconds),
    ];
    Row {
        name,
        numbers,
        result,
    }
}

fn total(summary: &Summary) -> Row {
    let time = seconds(summary.time.as_secs_f64());
    let interleavings = grouped(summary.interleavings());
    Row {
        name: counted(summary.outcomes.len(), "model"),
        numbers: [interleavings, String::new(), String::new(), time],
        result: counts(summary),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use expect_test::expect;
    use serde_json::json;

    use super::*;
    use crate::cargo::Binary;
    use crate::models::Model;

    fn outcome(label: &str, path: &str, status: Status, executions: u64) -> Outcome {
        let binary = Binary {
            path: "target/debug/deps/bank-0".into(),
            label: label.to_owned(),
            crate_name: "bank".to_owned(),
            package: "bank".to_owned(),
            version: "0.1.0".to_owned(),
            directory: ".".into(),
        };
        let expect = if path.contains("expected") {
            json!(["deadlock"])
        } else {
            json!([])
        };
        let report = json!({
            "v": 1, "model": path, "verdict": "clean", "findings": [], "error": null,
            "expect": expect,
            "search": {
                "engine": if path.contains("loom") { "loom" } else { "controlled" },
                "strategy": "exhaustive", "strength": { "kind": "exhaustive" },
                "complete": status != Status::Incomplete, "incomplete_reason": null,
                "executions": executions, "executions_blocked": 0, "executions_capped": 0,
                "executions_estimate": 612_345.0, "steps": 9, "steps_longest": 1_042,
                "threads": 3, "contended": 1, "seconds": executions as f64 / 1e5, "seed": null,
            },
        });
        Outcome {
            model: Model {
                binary: Arc::new(binary),
                path: path.to_owned(),
                ignored: status == Status::Ignored,
            },
            status,
            report: (executions > 0).then(|| serde_json::from_value(report).unwrap()),
            remark: (status == Status::Crashed).then(|| "signal: 6 (SIGABRT)".to_owned()),
            printed: Vec::new(),
            time: Duration::from_millis(21),
            foreign: Vec::new(),
        }
    }

    fn check(outcomes: Vec<Outcome>, expected: expect_test::Expect) {
        let time = Duration::from_millis(1_234);
        let summary = Summary {
            outcomes,
            time,
            interrupted: false,
            root: ".".into(),
        };
        let plain = anstream::adapter::strip_str(&table(&summary)).to_string();
        expected.assert_eq(&plain);
    }

    #[test]
    fn columns_are_aligned_in_every_binary() {
        check(
            vec![
                outcome("bank", "tests::deposit", Status::Passed, 24),
                outcome("bank", "tests::expected_deadlock", Status::Passed, 3),
                outcome(
                    "bank::transfer",
                    "счёт_under_loom",
                    Status::Passed,
                    1_234_567,
                ),
                outcome("bank::transfer", "drain", Status::Incomplete, 81_204),
                outcome("bank::transfer", "loses", Status::Failed, 7),
                outcome("bank::transfer", "dies", Status::Crashed, 0),
                outcome("bank::transfer", "later", Status::Ignored, 0),
            ],
            expect![[r#"
                bank                        interleavings  threads  steps     time  result
                  tests::deposit                       24        3  1 042  0.0002s  proved
                  tests::expected_deadlock              3        3  1 042  0.0000s  found deadlock as expected

                bank::transfer              interleavings  threads  steps     time  result
                  счёт_under_loom               1 234 567        3  1 042    12.3s  proved by loom
                  drain                            81 204        3  1 042   0.812s  INCOMPLETE: only 81 204 of about 6·10⁵ interleavings
                  loses                                 7        3  1 042  0.0001s  FAIL
                  dies                                                              CRASH: signal: 6 (SIGABRT)
                  later                                                             IGNORED

                7 models                        1 315 805                     1.2s  3 passed, 1 failed, 1 crashed, 1 incomplete, 1 ignored
            "#]],
        );
    }

    #[test]
    fn one_model_is_a_table_too() {
        check(
            vec![outcome("bank", "deposit", Status::Passed, 1)],
            expect![[r#"
                bank       interleavings  threads  steps     time  result
                  deposit              1        3  1 042  0.0000s  proved

                1 model                1                     1.2s  1 passed
            "#]],
        );
    }
}
