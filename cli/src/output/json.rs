//! One JSON object a line, for programs.
//!
//! Knows the names of the fields. `v` grows when one changes its meaning or goes away.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value};

use gordian::report::Verdict;
use gordian::{Code, Report};

use super::canvas::Canvas;
use super::source::refusal;
use super::{Event, Renderer, scenario};
use crate::args::DrawingArgs;
use crate::error::Error;
use crate::foreign::Foreign;
use crate::gate::Judgement;
use crate::outcome::scenario::{Checked, Checks, Findings, Refusal, Status as FileStatus};
use crate::outcome::{Outcome, Status, Summary};

/// Version of all objects.
pub(crate) const VERSION: u32 = 1;

/// What scenario files are in, as models are in test binaries.
pub(crate) const SCENARIO: &str = "scenario";

/// Writes for programs.
pub(super) struct Json;

/// A model that has ended, with the fields of its report.
#[derive(Serialize)]
pub(crate) struct ModelLine<'a> {
    v: u32,
    kind: &'static str,
    package: &'a str,
    binary: &'a str,
    /// The test's name in that binary.
    test: &'a str,
    status: &'static str,
    process_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    remark: Option<&'a str>,
    /// Of a model without a report: the last lines it wrote.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    printed: &'a [String],
    /// Of a vacuous model: where its crate names locks that are not gordian's.
    #[serde(skip_serializing_if = "<[Foreign]>::is_empty")]
    foreign: &'a [Foreign],
    /// What may be said of the model, in a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    worth: Option<&'static str>,
    #[serde(flatten)]
    report: Map<String, Value>,
}

/// A scenario file as it is kept: a model whose test is the file.
#[derive(Serialize)]
pub(crate) struct KeptScenario<'a> {
    v: u32,
    kind: &'static str,
    binary: &'static str,
    test: &'a str,
    status: &'static str,
    process_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    remark: Option<String>,
    #[serde(flatten)]
    report: Map<String, Value>,
}

/// What a recorded run could have come to.
#[derive(Serialize)]
struct PredictionLine<'a> {
    v: u32,
    kind: &'static str,
    report: &'a Report,
}

/// All models.
#[derive(Serialize)]
struct SummaryLine {
    v: u32,
    kind: &'static str,
    models: usize,
    passed: usize,
    failed: usize,
    crashed: usize,
    error: usize,
    incomplete: usize,
    vacuous: usize,
    not_run: usize,
    ignored: usize,
    interleavings: u64,
    seconds: f64,
    interrupted: bool,
    exit_code: u8,
}

/// A scenario file that has been checked.
#[derive(Serialize)]
struct ScenarioLine<'a> {
    v: u32,
    kind: &'static str,
    file: &'a str,
    title: Option<&'a str>,
    verdict: &'static str,
    expected: Option<bool>,
    findings: Vec<ScenarioFinding<'a>>,
    executions: u64,
    complete: bool,
    /// Steps of the longest execution.
    steps_max: u64,
    seconds: f64,
    error: Option<String>,
}

/// A finding, without how it is explained.
#[derive(Serialize)]
struct ScenarioFinding<'a> {
    code: Code,
    severity: gordian::report::Severity,
    threads: &'a [String],
    objects: &'a [String],
    fingerprint: &'a str,
}

/// Why there are no models.
#[derive(Serialize)]
struct ErrorLine {
    v: u32,
    kind: &'static str,
    message: String,
    exit_code: u8,
}

impl Renderer for Json {
    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::Started { .. } | Event::Running(_) | Event::Written(_) => Ok(()),
            Event::Slow { .. } | Event::Progress { .. } => Ok(()),
            Event::Ended(outcome) => write(&model_line(outcome)?),
            Event::Finished { summary, .. } => finished(summary),
            Event::Judged { judgement, .. } => judged(judgement),
            Event::Annotations(text) => write!(anstream::stderr().lock(), "{text}"),
            Event::Replayed { outcome, .. } => write(&model_line(outcome)?),
            Event::Step { .. } | Event::Status { .. } | Event::Warning(_) => Ok(()),
            Event::Checked(result) => checked(result),
            // One line per file says it all.
            Event::Checking { .. } | Event::AllChecked { .. } => Ok(()),
            Event::Predicted { report, .. } => write(&PredictionLine {
                v: VERSION,
                kind: "prediction",
                report,
            }),
            Event::ReplayedScenario { result, .. } => checked(result),
            Event::Refused(refusal) => refused(refusal),
            Event::Formatted(_) | Event::Untidy(_) | Event::Text(_) => Ok(()),
            Event::Failed(error) => failed(error),
        }
    }
}

fn write(line: &impl Serialize) -> io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    writeln!(stdout, "{}", serde_json::to_string(line)?)
}

/// All lines of a run, as they are kept.
pub(crate) fn lines(summary: &Summary) -> io::Result<String> {
    let mut text = String::new();
    for outcome in &summary.outcomes {
        text += &serde_json::to_string(&model_line(outcome)?)?;
        text.push('\n');
    }
    text += &serde_json::to_string(&summary_line(summary))?;
    text.push('\n');
    Ok(text)
}

fn finished(summary: &Summary) -> io::Result<()> {
    // Those that never started have had no event of their own.
    for outcome in &summary.outcomes {
        if outcome.status == Status::Ignored
            || (outcome.status == Status::NotRun && outcome.remark.is_none())
        {
            write(&model_line(outcome)?)?;
        }
    }
    write(&summary_line(summary))
}

/// The verdict and the summary, which stand at the end of what is kept.
fn judged(judgement: &Judgement) -> io::Result<()> {
    let lines: Vec<&str> = judgement.lines.lines().collect();
    let mut stdout = anstream::stdout().lock();
    for line in &lines[lines.len().saturating_sub(2)..] {
        writeln!(stdout, "{line}")?;
    }
    Ok(())
}

fn summary_line(summary: &Summary) -> SummaryLine {
    SummaryLine {
        v: VERSION,
        kind: "summary",
        models: summary.outcomes.len(),
        passed: summary.count(Status::Passed),
        failed: summary.count(Status::Failed),
        crashed: summary.count(Status::Crashed),
        error: summary.count(Status::Error),
        incomplete: summary.count(Status::Incomplete),
        vacuous: summary.count(Status::Vacuous),
        not_run: summary.count(Status::NotRun),
        ignored: summary.count(Status::Ignored),
        interleavings: summary.interleavings(),
        seconds: summary.time.as_secs_f64(),
        interrupted: summary.interrupted,
        exit_code: summary.exit_code() as u8,
    }
}

fn checked(result: &Checked) -> io::Result<()> {
    let empty = ScenarioLine {
        v: VERSION,
        kind: "scenario",
        file: &result.file,
        title: None,
        verdict: "error",
        expected: None,
        findings: Vec::new(),
        executions: 0,
        complete: false,
        steps_max: 0,
        seconds: result.time.as_secs_f64(),
        error: None,
    };
    match &result.findings {
        Err(refusal) => {
            // The place with its source, for the person behind the program.
            refused(refusal)?;
            write(&ScenarioLine {
                error: Some(refusal.to_string()),
                ..empty
            })
        }
        Ok(findings) => {
            let Report { search, error, .. } = &findings.report;
            let found = findings.report.findings.iter();
            write(&ScenarioLine {
                title: findings.scenario.title.as_deref(),
                verdict: match &findings.defect {
                    Some(_) => "error",
                    None => verdict_name(findings.report.verdict),
                },
                expected: findings.expected,
                findings: found
                    .map(|finding| ScenarioFinding {
                        code: finding.code,
                        severity: finding.severity,
                        threads: &finding.threads,
                        objects: &finding.objects,
                        fingerprint: &finding.fingerprint,
                    })
                    .collect(),
                executions: search.executions,
                complete: search.complete,
                steps_max: search.steps_longest,
                error: findings.defect.clone().or_else(|| error.clone()),
                ..empty
            })
        }
    }
}

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Clean => "clean",
        Verdict::Found => "found",
        Verdict::Incomplete => "incomplete",
        _ => "error",
    }
}

fn refused(it: &Refusal) -> io::Result<()> {
    let canvas = Canvas::of(&DrawingArgs::default());
    let text = refusal(it, canvas);
    writeln!(anstream::stderr().lock(), "{}\n", text.trim_end())
}

fn failed(error: &Error) -> io::Result<()> {
    write(&ErrorLine {
        v: VERSION,
        kind: "error",
        message: error.to_string(),
        exit_code: error.exit_code() as u8,
    })
}

pub(crate) fn model_line(outcome: &Outcome) -> io::Result<ModelLine<'_>> {
    let binary = &outcome.model.binary;
    Ok(ModelLine {
        v: VERSION,
        kind: "model",
        package: &binary.package,
        binary: &binary.label,
        test: &outcome.model.path,
        status: outcome.status.name(),
        process_seconds: outcome.time.as_secs_f64(),
        remark: outcome.remark.as_deref(),
        printed: if outcome.report.is_none() {
            &outcome.printed
        } else {
            &[]
        },
        foreign: &outcome.foreign,
        worth: outcome
            .report
            .as_ref()
            .map(|report| report.worth().as_str()),
        report: fields(outcome.report.as_ref(), &outcome.model.path)?,
    })
}

/// The fields of a report, or of a model that has none.
fn fields(report: Option<&Report>, model: &str) -> io::Result<Map<String, Value>> {
    let mut fields = match serde_json::to_value(report)? {
        Value::Object(fields) => fields,
        _ => Map::from_iter([("model".to_owned(), model.into())]),
    };
    // The line's own version stands for both: a report of another version is not read.
    fields.remove("v");
    Ok(fields)
}

/// All lines of a check of scenario files, as they are kept: those of a run of models. `name` is
/// how a file is called there.
pub(crate) fn scenario_lines(checks: &Checks, name: impl Fn(&str) -> String) -> io::Result<String> {
    let mut text = String::new();
    for result in &checks.results {
        let file = name(&result.file);
        text += &serde_json::to_string(&scenario_line(result, &file)?)?;
        text.push('\n');
    }
    text += &serde_json::to_string(&checks_line(checks))?;
    text.push('\n');
    Ok(text)
}

/// A scenario file, which is called `file` there.
pub(crate) fn scenario_line<'a>(result: &Checked, file: &'a str) -> io::Result<KeptScenario<'a>> {
    let (report, remark) = match &result.findings {
        Ok(findings) => (
            Some(findings.named(&result.file, file)),
            remark(result, findings),
        ),
        Err(refusal) => (None, Some(refusal.to_string())),
    };
    Ok(KeptScenario {
        v: VERSION,
        kind: "model",
        binary: SCENARIO,
        test: file,
        status: result.status().as_model().name(),
        process_seconds: result.time.as_secs_f64(),
        remark,
        report: fields(report.as_ref(), file)?,
    })
}

/// What the findings do not say by themselves.
fn remark(result: &Checked, findings: &Findings) -> Option<String> {
    match result.status() {
        FileStatus::Defect => findings.defect.clone(),
        FileStatus::Failed => Some(scenario::failure(findings)),
        _ => None,
    }
}

fn checks_line(checks: &Checks) -> SummaryLine {
    let count = |status| checks.count(status);
    SummaryLine {
        v: VERSION,
        kind: "summary",
        models: checks.results.len(),
        passed: count(FileStatus::Passed),
        failed: count(FileStatus::Failed),
        crashed: count(FileStatus::Defect),
        error: count(FileStatus::Refused),
        incomplete: count(FileStatus::Incomplete),
        vacuous: 0,
        not_run: 0,
        ignored: 0,
        interleavings: checks.interleavings(),
        seconds: checks.time.as_secs_f64(),
        interrupted: false,
        exit_code: checks.exit_code() as u8,
    }
}
