//! `junit.xml`: one test case a model, for the test pages of CI systems.
//!
//! Knows which element says what. Does not know XML: `quick-junit` writes it.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::events::{Entry, Results};
use super::text::plain;
use crate::error::Error;
use crate::outcome::Status;

/// The whole document.
///
/// # Errors
/// When it cannot be written as XML.
pub(super) fn document(results: &Results) -> Result<String, Error> {
    let mut report = Report::new("gordian");
    report.set_time(seconds(results.seconds));
    let mut suites: Vec<TestSuite> = Vec::new();
    for entry in &results.models {
        if suites
            .last()
            .is_none_or(|suite| suite.name.as_str() != entry.group)
        {
            suites.push(TestSuite::new(entry.group.as_str()));
        }
        let suite = suites.last_mut().expect("there is one now");
        suite.add_test_case(case(entry));
    }
    report.add_test_suites(suites);
    report.to_string().map_err(Error::internal("junit.xml"))
}

fn case(entry: &Entry) -> TestCase {
    let strength = entry.report.as_ref().map(gordian::Report::strength);
    let status = match entry.status {
        Status::Passed => {
            let mut case = TestCase::new(entry.name.as_str(), TestCaseStatus::success());
            case.set_classname(entry.group.as_str());
            case.set_time(seconds(entry.seconds));
            case.add_property(worth(entry));
            // What a pass is worth, and the hazards that do not fail it.
            let told = entry.report.as_ref().map(gordian::Report::explain);
            let told: Vec<String> = [strength, told].into_iter().flatten().collect();
            case.set_system_out(told.join("\n\n").trim_end());
            return case;
        }
        Status::Ignored | Status::NotRun => TestCaseStatus::skipped(),
        Status::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Status::Incomplete | Status::Vacuous | Status::Crashed | Status::Error => {
            TestCaseStatus::non_success(NonSuccessKind::Error)
        }
    };
    let mut case = TestCase::new(entry.name.as_str(), status);
    case.set_classname(entry.group.as_str());
    case.set_time(seconds(entry.seconds));
    if entry.report.is_some() {
        case.add_property(worth(entry));
    }
    if !matches!(entry.status, Status::Ignored | Status::NotRun) {
        let finding = entry
            .report
            .as_ref()
            .and_then(|report| report.findings.first());
        let message = match finding {
            Some(finding) if entry.status == Status::Failed => plain(&finding.message),
            _ => plain(&entry.gist()),
        };
        let kind = match finding {
            Some(finding) if entry.status == Status::Failed => finding.code.as_str(),
            _ => entry.status.name(),
        };
        case.status.set_type(kind);
        case.status.set_message(message);
        let told = entry.report.as_ref().map(gordian::Report::explain);
        let mut told = told.unwrap_or_else(|| entry.printed.join("\n"));
        for place in &entry.foreign {
            told += &format!(
                "  not seen  {}:{}: `{}`\n",
                place.file, place.line, place.path
            );
        }
        case.status.set_description(told);
    }
    case
}

/// What may be said of the model, in a word.
fn worth(entry: &Entry) -> Property {
    let worth = entry.report.as_ref().map(|report| report.worth().as_str());
    Property::new("gordian.worth", worth.unwrap_or("error"))
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
