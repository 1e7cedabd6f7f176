//! How a scenario file came out, and what all of them come to.
//!
//! Knows what makes a file pass. Does not know how it is searched, nor how its outcome is shown.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use gordian::report::{Finding, Site, Verdict};
use gordian::scenario::ast::Expect;
use gordian::scenario::{CheckReport, Scenario};
use gordian::{Code, Report};

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

impl Status {
    /// How a model comes out to which the same happens.
    pub(crate) const fn as_model(self) -> super::Status {
        match self {
            Status::Passed => super::Status::Passed,
            Status::Failed => super::Status::Failed,
            Status::Incomplete => super::Status::Incomplete,
            Status::Refused => super::Status::Error,
            Status::Defect => super::Status::Crashed,
        }
    }
}

/// With which a thread never goes on.
const STUCK: [Code; 3] = [Code::Deadlock, Code::SelfDeadlock, Code::LostWakeup];
/// With which a thread does what it must not.
const MISUSE: [Code; 3] = [Code::Panic, Code::DoubleRelease, Code::ForeignRelease];

impl Findings {
    /// What a check found in a scenario, whose text this is.
    pub(crate) fn of(checked: &CheckReport, scenario: Arc<Scenario>, source: String) -> Self {
        let mut report = checked.report.clone();
        // The one that only starts the others is none of the file's.
        report.search.threads = u32::try_from(scenario.threads.len()).unwrap_or(u32::MAX);
        Findings {
            expected: checked.expected,
            report,
            scenario,
            source,
            oracle_states: None,
            defect: None,
        }
    }

    /// The report as others read it: with the codes that the file expects, and with another name
    /// for the file.
    pub(crate) fn named(&self, file: &str, name: &str) -> Report {
        let mut report = self.report.clone();
        // Of a kind of findings, those that were found: which of them is not said.
        let found = |kind: &[Code]| {
            let codes = report.codes();
            codes
                .into_iter()
                .filter(|code| kind.contains(code))
                .collect()
        };
        report.expect = match &self.scenario.expect {
            Some(Expect::Codes(codes)) => codes.to_vec(),
            Some(Expect::Stuck) => found(&STUCK),
            Some(Expect::Misuse) => found(&MISUSE),
            Some(Expect::Clean) | None => Vec::new(),
        };
        report.scenario = Some(name.to_owned());
        for site in report.findings.iter_mut().flat_map(sites) {
            if site.file == file {
                name.clone_into(&mut site.file);
            }
        }
        report
    }
}

/// All places of a finding.
fn sites(finding: &mut Finding) -> impl Iterator<Item = &mut Site> {
    let edges = finding.edges.iter_mut().flat_map(|edge| {
        let taken = edge.holder.as_mut().and_then(|holder| holder.site.as_mut());
        taken.into_iter().chain([&mut edge.site])
    });
    let steps = finding.steps.iter_mut().map(|step| &mut step.site);
    edges.chain(steps).chain(finding.site.as_mut())
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

    /// Distinct interleavings of all files together.
    pub(crate) fn interleavings(&self) -> u64 {
        let findings = self
            .results
            .iter()
            .filter_map(|it| it.findings.as_ref().ok());
        findings.map(|it| it.report.search.interleavings()).sum()
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
    /// What is wrong besides.
    pub(crate) more: Vec<Refusal>,
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
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        match self.more.len() {
            0 => Ok(()),
            1 => f.write_str("; and one more error"),
            count => write!(f, "; and {count} more errors"),
        }
    }
}
