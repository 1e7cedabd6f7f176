//! Models and scenarios as lines of `events.jsonl`.
//!
//! Knows the fields of a line. A scenario is a model whose binary is the directory of its file.

use serde_json::{Map, Value, json};

use gordian::report::Severity;

use crate::error::Error;
use crate::outcome::scenario::{Checked, Status as CheckStatus};
use crate::outcome::{Outcome, Status};
use crate::output::{failure_of_scenario, json as format};

/// The line of a model.
///
/// # Errors
/// When it is no JSON, which is a defect of this program.
pub(super) fn of_outcome(outcome: &Outcome) -> Result<Value, Error> {
    let line = format::model_line(outcome).map_err(Error::internal("a line of the run"))?;
    serde_json::to_value(line).map_err(Error::internal("a line of the run"))
}

/// Directory and name of a scenario's file.
fn parts(file: &str) -> (&str, &str) {
    file.rsplit_once('/').unwrap_or((".", file))
}

/// What people call a scenario: directory and name of its file.
pub(super) fn title_of_file(file: &str) -> String {
    let (directory, name) = parts(file);
    format!("{directory} {name}")
}

/// The line of a scenario.
///
/// # Errors
/// When it is no JSON, which is a defect of this program.
pub(super) fn of_checked(checked: &Checked) -> Result<Value, Error> {
    let (status, remark) = match (checked.status(), &checked.findings) {
        (CheckStatus::Passed, _) => (Status::Passed, None),
        (CheckStatus::Failed, Ok(findings)) => {
            // Without an answer in the file its findings are judged one by one.
            let answer = findings.scenario.expect.is_some() || findings.expected.is_some();
            (
                Status::Failed,
                answer.then(|| failure_of_scenario(findings)),
            )
        }
        (CheckStatus::Incomplete, _) => (Status::Incomplete, None),
        (CheckStatus::Defect, Ok(findings)) => (Status::Error, findings.defect.clone()),
        (_, Ok(findings)) => (Status::Error, findings.report.error.clone()),
        (_, Err(refusal)) => (Status::Error, Some(refusal.to_string())),
    };
    let mut fields = Map::new();
    if let Ok(findings) = &checked.findings {
        let mut report = findings.report.clone();
        for finding in &mut report.findings {
            // A token is for a test; a scenario is none.
            finding.token.clear();
        }
        if findings.expected == Some(true) {
            let errors = report.findings.iter();
            let errors = errors.filter(|finding| finding.severity == Severity::Error);
            report.expect = errors.map(|finding| finding.code).collect();
            report.expect.sort_unstable();
            report.expect.dedup();
        }
        let report = serde_json::to_value(report).map_err(Error::internal(&checked.file))?;
        if let Value::Object(report) = report {
            fields = report;
        }
    }
    let (directory, name) = parts(&checked.file);
    let is_defect = checked.status() == CheckStatus::Defect;
    let own = json!({
        "v": format::VERSION, "kind": "model", "package": "", "binary": directory, "test": name,
        "status": status.name(), "process_seconds": checked.time.as_secs_f64(),
        "remark": remark, "defect": is_defect,
    });
    if let Value::Object(own) = own {
        fields.extend(own);
    }
    Ok(Value::Object(fields))
}

/// The line of a scenario that somebody's interrupt came before.
pub(super) fn of_file_not_run(file: &str) -> Value {
    let (directory, name) = parts(file);
    json!({
        "v": format::VERSION, "kind": "model", "package": "", "binary": directory, "test": name,
        "status": Status::NotRun.name(), "process_seconds": 0.0,
    })
}
