//! What the formats come to: golden documents, the page in a browser, hostile reports.

mod browser;
mod chromium;
mod golden;
mod hostile;
mod locks;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use gordian::Checker;
use gordian::report::Report;
use model_tests::properties::{Judge, Property};
use model_tests::seeds;
use model_tests::table::SPECIMENS;
use serde_json::{Value, json};

use super::events::Results;
use super::html::{self, Links};
use crate::output::source::Sources;

/// The root of this workspace, which the places of its models are relative to.
fn root() -> PathBuf {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    home.parent()
        .expect("the package is in a workspace")
        .to_path_buf()
}

/// A specimen in the first case of its row.
fn specimen(name: &str, judge: Judge) -> Report {
    let row = SPECIMENS
        .iter()
        .find(|row| row.specimen == name)
        .expect("it has a row");
    let (scenario, build) = (row.cases[0].scenario, row.build);
    let checker = Checker::new().name(format!("specimens::{name}"));
    checker.check(move || {
        scenario.run(build, judge);
    })
}

/// The reports of the models that the golden documents are of, in a run of their own each.
fn reports() -> &'static [Report; 4] {
    static REPORTS: OnceLock<[Report; 4]> = OnceLock::new();
    REPORTS.get_or_init(|| {
        let seed = Checker::new().name("seeds::customers_orders");
        let mut reports = [
            seed.check(seeds::customers_orders),
            specimen("locked_then_release", Judge::Detectors),
            specimen("info_under_lock", Judge::Detectors),
            specimen("lost_reset", Judge::By(Property::ResetWins)),
        ];
        for report in &mut reports {
            // The only thing that is not the same in each run.
            report.search.seconds = 0.001;
            // Two findings of a kind show what seven do.
            report.findings.truncate(2);
        }
        // One that finds what it is to find.
        reports[2].expect = reports[2].codes();
        reports
    })
}

/// A line of `events.jsonl` about a model.
fn line(group: &str, report: &Report) -> String {
    let mut line = serde_json::to_value(report).unwrap();
    line["kind"] = "model".into();
    line["package"] = group.into();
    line["binary"] = group.into();
    line["test"] = report.model.clone().into();
    let codes = report.codes();
    let as_expected = !codes.is_empty() && codes.iter().all(|code| report.expect.contains(code));
    line["status"] = if as_expected { "passed" } else { "failed" }.into();
    line["process_seconds"] = json!(0.002);
    line.to_string()
}

/// The lines of a run of these models.
fn run_of(reports: &[Report]) -> String {
    let mut lines: Vec<String> = reports
        .iter()
        .map(|report| line("model_tests", report))
        .collect();
    let summary = json!({
        "v": 1, "kind": "summary", "seconds": 0.25, "interrupted": false, "exit_code": 100,
    });
    lines.push(summary.to_string());
    lines.join("\n")
}

fn results_of(reports: &[Report]) -> Results {
    Results::read(&run_of(reports)).unwrap()
}

/// The log of a run for code scanning.
fn log_of(results: &Results) -> Value {
    serde_json::to_value(super::sarif::document(results)).unwrap()
}

/// The page of some models of this workspace, as if it lay in `target/gordian`.
fn page_of(results: &Results) -> String {
    let links = Links {
        root: Some("../../".to_owned()),
        files: true,
    };
    html::document(results, &Sources::below(&root()), &links)
}
