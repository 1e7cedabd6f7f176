//! How a scenario file came out, and what all of them come to.
//!
//! Knows what makes a file pass. Does not know how it is searched, nor how its outcome is shown.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use gordian::Report;
use gordian::report::Verdict;
use gordian::scenario::Scenario;

use crate::exit_code::ExitCode;

/// A file, and what came of it.
pub(crate) struct Checked {
    /// The file's name.
    pub(crate) file: String,
    /// What was found, or why the file is no scenario.
    pub(crate) findings: Result<Findings, Box<Refusal>>,
    /// Wall-clock time.
    pub(crate) time: Duration,
}

/// What was found in a scenario.
pub(crate) struct Findings {
    /// The scenario.
    pub(crate) scenario: Arc<Scenario>,
    /// Its text.
    pub(crate) source: String,
    /// What was found, and how much was explored.
    pub(crate) report: Report,
    /// Whether that is what the file expects; none when it expects nothing, or nobody can tell.
    pub(crate) expected: Option<bool>,
    /// How many states the oracle visited, when the answer is its own.
    pub(crate) oracle_states: Option<u64>,
    /// A defect of this program that showed.
    pub(crate) defect: Option<String>,
}

/// How a file came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// As it should.
    Passed,
    /// A finding that is not expected, or an expected one that is missing.
    Failed,
    /// Not everything was explored.
    Incomplete,
    /// It is no scenario, or one that cannot be run.
    Refused,
    /// This program is wrong somewhere.
    Defect,
}

impl Checked {
    /// How the file came out.
    pub(crate) fn status(&self) -> Status {
        let findings = match &self.findings {
            Ok(findings) => findings,
            Err(refusal) if refusal.defect => return Status::Defect,
            Err(_) => return Status::Refused,
        };
        let report = &findings.report;
        if findings.defect.is_some() {
            return Status::Defect;
        }
        match (report.verdict, findings.expected) {
            (Verdict::Error, _) => Status::Refused,
            (_, Some(false)) => Status::Failed,
            (Verdict::Found, None) if findings.scenario.expect.is_none() => Status::Failed,
            _ if !report.search.complete => Status::Incomplete,
            _ => Status::Passed,
        }
    }
}

/// All files, in the order in which they were given.
pub(crate) struct Checks {
    /// One per file.
    pub(crate) results: Vec<Checked>,
    /// Wall-clock time of all.
    pub(crate) time: Duration,
}

impl Checks {
    /// How many files came out so.
    pub(crate) fn count(&self, status: Status) -> usize {
        let same = |result: &&Checked| result.status() == status;
        self.results.iter().filter(same).count()
    }

    /// Interleavings of all files together.
    pub(crate) fn interleavings(&self) -> u64 {
        let findings = self
            .results
            .iter()
            .filter_map(|it| it.findings.as_ref().ok());
        findings.map(|it| it.report.search.executions).sum()
    }

    /// What all of it comes to.
    pub(crate) fn exit_code(&self) -> ExitCode {
        let codes = [
            (Status::Defect, ExitCode::Internal),
            (Status::Refused, ExitCode::Usage),
            (Status::Failed, ExitCode::Findings),
            (Status::Incomplete, ExitCode::Incomplete),
        ];
        let worst = codes.iter().find(|(status, _)| self.count(*status) > 0);
        worst.map_or(ExitCode::Clean, |&(_, code)| code)
    }
}

/// Why a file is no scenario.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// The file's name.
    pub(crate) file: String,
    /// What is wrong.
    pub(crate) message: String,
    /// Where, when it can be read at all.
    pub(crate) pane: Option<Pane>,
    /// The way out.
    pub(crate) hint: Option<String>,
    /// Whether it is not the file that is wrong, but this program.
    pub(crate) defect: bool,
}

/// A place in a text.
#[derive(Clone, Debug)]
pub(crate) struct Pane {
    /// The whole text.
    pub(crate) source: String,
    /// The bytes that are wrong.
    pub(crate) span: Range<usize>,
    /// Counted from 1.
    pub(crate) line: u32,
    /// In characters, counted from 1.
    pub(crate) column: u32,
    /// What is said at the place.
    pub(crate) label: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Pane { line, column, .. }) = &self.pane {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}
