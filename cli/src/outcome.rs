//! How a model came out, and what all of them come to.
//!
//! Knows what makes a model pass. Does not know how a model is run, nor how its outcome is shown.

pub(crate) mod scenario;

use std::path::PathBuf;
use std::time::Duration;

use gordian::Report;
use gordian::report::{REPORT_VERSION, Severity, Verdict};

use crate::exit_code::ExitCode;
use crate::foreign::Foreign;
use crate::models::Model;
use crate::process::{Ended, Killed};

/// One model and how it came out.
pub(crate) struct Outcome {
    /// Which model.
    pub(crate) model: Model,
    /// How it came out.
    pub(crate) status: Status,
    /// What the checker found, unless the process died first.
    pub(crate) report: Option<Report>,
    /// What else is to be said about the end of the process.
    pub(crate) remark: Option<String>,
    /// The last lines of what the model printed.
    pub(crate) printed: Vec<String>,
    /// Wall-clock time of the process.
    pub(crate) time: Duration,
    /// Of a vacuous model: where its crate names locks and threads that are not gordian's.
    pub(crate) foreign: Vec<Foreign>,
}

/// How a model came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// As it should.
    Passed,
    /// A finding that is not expected, or an expected one that is missing.
    Failed,
    /// Nothing found, but not everything explored.
    Incomplete,
    /// Nothing found, and nothing could have been: the model proves nothing.
    Vacuous,
    /// The process died without a report.
    Crashed,
    /// The check could not be carried out.
    Error,
    /// Not run: `#[ignore]`.
    Ignored,
    /// Not run: another model failed first, or somebody interrupted.
    NotRun,
}

impl Status {
    /// All of them.
    pub(crate) const ALL: [Status; 8] = [
        Status::Passed,
        Status::Failed,
        Status::Incomplete,
        Status::Vacuous,
        Status::Crashed,
        Status::Error,
        Status::Ignored,
        Status::NotRun,
    ];

    /// What programs call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Status::Passed => "passed",
            Status::Failed => "failed",
            Status::Incomplete => "incomplete",
            Status::Vacuous => "vacuous",
            Status::Crashed => "crashed",
            Status::Error => "error",
            Status::Ignored => "ignored",
            Status::NotRun => "not-run",
        }
    }

    /// The one with this name.
    pub(crate) fn of_name(name: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// All outcomes, in the order of the binaries and names.
pub(crate) struct Summary {
    /// One per model.
    pub(crate) outcomes: Vec<Outcome>,
    /// Wall-clock time from the first start to the last end.
    pub(crate) time: Duration,
    /// Whether somebody interrupted.
    pub(crate) interrupted: bool,
    /// The directory that the places of findings are relative to.
    pub(crate) root: PathBuf,
}

impl Summary {
    /// How many models came out so.
    pub(crate) fn count(&self, status: Status) -> usize {
        self.outcomes
            .iter()
            .filter(|outcome| outcome.status == status)
            .count()
    }

    /// Distinct interleavings of all models together.
    pub(crate) fn interleavings(&self) -> u64 {
        let reports = self
            .outcomes
            .iter()
            .filter_map(|outcome| outcome.report.as_ref());
        reports.map(|report| report.search.interleavings()).sum()
    }

    /// What all of it comes to. A failure says more than something left out.
    pub(crate) fn exit_code(&self) -> ExitCode {
        let any = |status| self.count(status) > 0;
        if any(Status::Failed) || any(Status::Crashed) || any(Status::Error) {
            ExitCode::Findings
        } else if any(Status::Incomplete)
            || any(Status::Vacuous)
            || self.interrupted
            || any(Status::NotRun)
        {
            ExitCode::Incomplete
        } else if any(Status::Passed) {
            ExitCode::Clean
        } else {
            ExitCode::NothingToRun
        }
    }
}

/// A process that has ended, and what it left.
pub(crate) struct Run {
    /// How it ended.
    pub(crate) ended: Ended,
    /// The report it wrote.
    pub(crate) report: Option<Vec<u8>>,
    /// The last lines it wrote to its streams.
    pub(crate) printed: Vec<String>,
    /// Wall-clock time.
    pub(crate) time: Duration,
}

impl Outcome {
    /// The outcome of a model that was not run.
    pub(crate) fn not_run(model: Model) -> Self {
        Outcome {
            status: if model.ignored {
                Status::Ignored
            } else {
                Status::NotRun
            },
            model,
            report: None,
            remark: None,
            printed: Vec::new(),
            time: Duration::ZERO,
            foreign: Vec::new(),
        }
    }

    /// The outcome of the model that is there to be found, whatever its test says of itself.
    pub(crate) fn into_canary(mut self) -> Self {
        let Some(report) = &mut self.report else {
            return self;
        };
        let found = report.findings.iter();
        let errors = found.filter(|finding| finding.severity == Severity::Error);
        report.expect = errors.map(|finding| finding.code).collect();
        report.expect.sort_unstable();
        report.expect.dedup();
        (self.status, self.remark) = match report.expect.is_empty() {
            true => (Status::Failed, Some("the canary was not found".to_owned())),
            false => (Status::Passed, None),
        };
        self
    }

    /// Whether a model passed, from its report and from how its process ended.
    pub(crate) fn of(model: Model, run: Run) -> Self {
        let Run {
            ended,
            report,
            printed,
            time,
        } = run;
        let read = report.map(|bytes| read_report(&bytes));
        let (report, unreadable) = match read {
            Some(Ok(report)) => (Some(report), None),
            Some(Err(message)) => (None, Some(message)),
            None => (None, None),
        };
        // A process that was killed after it had reported is judged by its report alone.
        let killed_late = ended.killed.is_some() && report.as_ref().is_some_and(Report::passed);
        let success = ended.status.success() || killed_late;
        let (status, remark) = match (&report, ended.killed) {
            (None, Some(Killed::Interrupt)) => (Status::NotRun, Some("interrupted".to_owned())),
            (None, Some(Killed::Deadline(time))) => (
                Status::Crashed,
                Some(format!("killed after {} s", time.as_secs())),
            ),
            (None, None) => {
                let how = format!("no report; {}", ended.status);
                (Status::Crashed, Some(unreadable.unwrap_or(how)))
            }
            (Some(report), _) => match (report.verdict, report.passed(), success) {
                (Verdict::Error, ..) => (Status::Error, None),
                (Verdict::Incomplete, false, _) => (Status::Incomplete, None),
                (_, false, false) if report.vacuity().is_some() => (Status::Vacuous, None),
                (_, true, true) => (Status::Passed, None),
                (_, true, false) => {
                    let how = format!(
                        "the check came out as expected, but the test failed ({})",
                        ended.status
                    );
                    (Status::Failed, Some(how))
                }
                // `#[should_panic]`: the test's own answer counts.
                (_, false, true) => (Status::Passed, Some("should panic, and did".to_owned())),
                (_, false, false) => (Status::Failed, None),
            },
        };
        Outcome {
            model,
            status,
            report,
            remark,
            printed,
            time,
            foreign: Vec::new(),
        }
    }
}

fn read_report(bytes: &[u8]) -> Result<Report, String> {
    /// What every version has.
    #[derive(serde::Deserialize)]
    struct Versioned {
        v: u32,
    }
    let found: Versioned = serde_json::from_slice(bytes)
        .map_err(|error| format!("the report cannot be read: {error}"))?;
    if found.v != REPORT_VERSION {
        return Err(format!(
            "the report has version {}, this program reads {REPORT_VERSION}: \
             use the same version of gordian and cargo-gordian",
            found.v
        ));
    }
    serde_json::from_slice(bytes).map_err(|error| format!("the report cannot be read: {error}"))
}
