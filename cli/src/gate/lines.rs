//! Models and scenarios as lines of `events.jsonl`.
//!
//! Knows which line each has. Does not know the fields: they are those of every run.

use serde::Serialize;
use serde_json::{Value, json};

use crate::error::Error;
use crate::outcome::scenario::{Checked, Status as FileStatus};
use crate::outcome::{Outcome, Status};
use crate::output::json as format;

fn value(line: std::io::Result<impl Serialize>) -> Result<Value, Error> {
    let line = line.map_err(Error::internal("a line of the run"))?;
    serde_json::to_value(line).map_err(Error::internal("a line of the run"))
}

/// The line of a model.
///
/// # Errors
/// When it is no JSON, which is a defect of this program.
pub(super) fn of_outcome(outcome: &Outcome) -> Result<Value, Error> {
    value(format::model_line(outcome))
}

/// What people call a scenario.
pub(super) fn title_of_file(file: &str) -> String {
    format!("{} {file}", format::SCENARIO)
}

/// The line of a scenario.
///
/// # Errors
/// When it is no JSON, which is a defect of this program.
pub(super) fn of_checked(checked: &Checked) -> Result<Value, Error> {
    let mut line = value(format::scenario_line(checked, &checked.file))?;
    let findings = checked.findings.as_ref().ok();
    let expects = findings.is_some_and(|its| {
        its.scenario.expect.is_some() || its.scenario.expect_executions.is_some()
    });
    if checked.status() == FileStatus::Failed && !expects {
        // Without an answer in the file its findings are judged one by one.
        line["remark"] = Value::Null;
    }
    line["defect"] = (checked.status() == FileStatus::Defect).into();
    Ok(line)
}

/// The line of a scenario that somebody's interrupt came before.
pub(super) fn of_file_not_run(file: &str) -> Value {
    json!({
        "v": format::VERSION, "kind": "model", "binary": format::SCENARIO, "test": file,
        "status": Status::NotRun.name(), "process_seconds": 0.0,
    })
}
