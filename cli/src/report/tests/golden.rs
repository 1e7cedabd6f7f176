//! Each format of each of the models, as it was last looked at; `INSTA_UPDATE=always cargo test -p
//! cargo-gordian golden` accepts what is rendered now.

use std::collections::HashMap;

use gordian::Report;
use serde_json::Value;

use super::{log_of, page_of, reports, results_of};
use crate::report::{chrome, dot, junit, mermaid};

/// The name of a golden file: the model's, without its path.
fn name(report: &Report, format: &str) -> String {
    let model = report.model.rsplit("::").next().unwrap_or_default();
    format!("{model}.{format}")
}

fn check(format: &str, render: impl Fn(&Report) -> String) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for report in reports() {
        settings.bind(|| insta::assert_snapshot!(name(report, format), render(report)));
    }
}

/// The page without its style and its script, which are files of their own.
fn body(page: &str) -> String {
    let mut text = page.to_owned();
    for tag in ["style", "script"] {
        let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
        let from = text.find(&open).expect("it has one") + open.len();
        let to = text.rfind(&close).expect("it ends");
        text.replace_range(from..to, "");
    }
    // A row a line, so that a change can be read.
    for tag in [
        "<tr", "<section", "<dt", "<li", "<g ", "<article", "<figure", "<header", "<h2",
    ] {
        text = text.replace(tag, &format!("\n{tag}"));
    }
    text
}

#[test]
fn html_page() {
    check("html", |report| {
        body(&page_of(&results_of(std::slice::from_ref(report))))
    });
}

#[test]
fn sarif_log() {
    check("sarif", |report| {
        let mut log = log_of(&results_of(std::slice::from_ref(report)));
        // The rules are the same in all.
        log["runs"][0]["tool"]["driver"]["rules"] = Value::Null;
        serde_json::to_string_pretty(&log).unwrap()
    });
}

#[test]
fn junit_xml() {
    check("junit.xml", |report| {
        junit::document(&results_of(std::slice::from_ref(report))).unwrap()
    });
}

#[test]
fn events_as_json() {
    check("events.jsonl", |report| super::line("model_tests", report));
}

fn each_finding(report: &Report, render: impl Fn(&gordian::report::Finding) -> String) -> String {
    let rendered: Vec<String> = report.findings.iter().map(render).collect();
    rendered.join("\n")
}

#[test]
fn chrome_trace() {
    check("chrome.json", |report| {
        each_finding(report, |finding| {
            let trace = chrome::document(report, finding);
            let events = trace["traceEvents"].as_array().unwrap();
            let lines: Vec<String> = events.iter().map(Value::to_string).collect();
            lines.join("\n")
        })
    });
}

#[test]
fn dot_graphs() {
    check("dot", |report| {
        each_finding(report, |finding| dot::document(&report.model, finding))
    });
}

#[test]
fn mermaid_graphs() {
    check("mmd", |report| {
        each_finding(report, |finding| mermaid::document(&report.model, finding))
    });
}

#[test]
fn sarif_is_valid() {
    let schema = published_schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let all = log_of(&results_of(reports()));
    let none = log_of(&results_of(&[]));
    for log in [&all, &none] {
        let errors: Vec<String> = validator.iter_errors(log).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{}", errors.join("\n"));
    }
    // The validator sees mistakes: without this, a schema that allows all would pass.
    let mut wrong = all.clone();
    wrong["runs"][0]["results"][0]["level"] = "fatal".into();
    assert!(!validator.is_valid(&wrong));
}

/// The schema that OASIS publishes, from the package that carries it.
fn published_schema() -> Value {
    // Of the crates for other machines none need be here.
    let host = rustc_host();
    let options = ["--offline", "--locked", "--filter-platform", &host].map(str::to_owned);
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .other_options(options)
        .exec()
        .unwrap();
    let package = metadata
        .packages
        .iter()
        .find(|package| package.name.as_str() == "serde-sarif")
        .expect("it is a dependency of the tests");
    let path = package
        .manifest_path
        .with_file_name("src")
        .join("schema.json");
    let mut schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    // Not a regular expression of ECMA 262 in Unicode mode, where a bracket alone is a mistake.
    for language in ["run", "toolComponent"] {
        let pattern = &mut schema["definitions"][language]["properties"]["language"]["pattern"];
        assert_eq!(pattern, "^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$");
        *pattern = "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$".into();
    }
    let id = schema["$id"].as_str().unwrap_or_default();
    assert!(
        id.contains("oasis-tcs/sarif-spec") && id.ends_with("sarif-schema-2.1.0.json"),
        "{id}"
    );
    schema
}

/// The name of this machine's kind, as cargo has it.
fn rustc_host() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = std::process::Command::new(rustc)
        .arg("-vV")
        .output()
        .unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("`rustc -vV` names the host").to_owned()
}

#[test]
fn flows_of_sarif_have_each_step_twice() {
    for report in reports() {
        let log = log_of(&results_of(std::slice::from_ref(report)));
        for (found, finding) in log["runs"][0]["results"]
            .as_array()
            .unwrap()
            .iter()
            .zip(&report.findings)
        {
            let flows = found["codeFlows"].as_array().unwrap();
            assert_eq!(flows.len(), 2);
            let orders = |flow: &Value| -> Vec<u64> {
                let flows = flow["threadFlows"].as_array().unwrap().iter();
                let steps = flows.flat_map(|one| one["locations"].as_array().unwrap());
                steps
                    .map(|step| step["executionOrder"].as_u64().unwrap())
                    .collect()
            };
            let all: Vec<u64> = (1..=finding.steps.len() as u64).collect();
            assert_eq!(orders(&flows[0]), all);
            let mut by_thread = orders(&flows[1]);
            by_thread.sort_unstable();
            assert_eq!(by_thread, all);
            assert_eq!(flows[0]["threadFlows"].as_array().unwrap().len(), 1);
            assert_eq!(
                found["partialFingerprints"]["gordian/v1"],
                finding.fingerprint
            );
        }
    }
}

#[test]
fn traces_are_well_formed() {
    for report in reports() {
        for finding in &report.findings {
            let trace = chrome::document(report, finding);
            // By track: what has begun and not ended, and what the track is called.
            let mut open: HashMap<String, Vec<(String, u64)>> = HashMap::new();
            let mut tracks: HashMap<String, String> = HashMap::new();
            let mut slices: Vec<(u64, u64, u64)> = Vec::new();
            let mut threads: HashMap<u64, u64> = HashMap::new();
            let (mut starts, mut ends) = (Vec::new(), Vec::new());
            for event in trace["traceEvents"].as_array().unwrap() {
                let number = |name: &str| event[name].as_u64();
                let (process, thread) = (number("pid").unwrap(), number("tid").unwrap());
                // Some viewers know a thread by its number alone.
                assert_eq!(
                    *threads.entry(thread).or_insert(process),
                    process,
                    "{event}"
                );
                let (id, name) = (event["id"].to_string(), event["name"].as_str().unwrap());
                let arrow = (id.clone(), event["cat"].clone(), name.to_owned());
                match event["ph"].as_str().unwrap() {
                    "M" => assert!(event["args"]["name"].is_string(), "{event}"),
                    "X" => {
                        let from = number("ts").unwrap();
                        slices.push((thread, from, from + number("dur").unwrap()));
                    }
                    "b" => {
                        assert!(
                            event["cat"].is_string() && event["id"].is_string(),
                            "{event}"
                        );
                        let track = tracks.entry(id.clone()).or_insert_with(|| name.to_owned());
                        assert_eq!(event["args"]["lock"], **track, "called after its lock");
                        let stack = open.entry(id).or_default();
                        assert!(stack.len() < 2, "two holds at once");
                        stack.push((name.to_owned(), number("ts").unwrap()));
                    }
                    "e" => {
                        let (began, from) = open.get_mut(&id).and_then(Vec::pop).expect("it began");
                        assert!(began == name && from < number("ts").unwrap(), "{event}");
                    }
                    "s" => starts.push((arrow, thread, number("ts").unwrap())),
                    "f" => {
                        assert_eq!(event["bp"], "e", "to the slice that it is in");
                        ends.push((arrow, thread, number("ts").unwrap()));
                    }
                    other => panic!("{other}"),
                }
            }
            open.retain(|_, stack| !stack.is_empty());
            // Each end of an arrow is in a slice of its thread, and in one only: slices of a thread
            // must nest, and steps do not.
            for &(_, thread, at) in starts.iter().chain(&ends) {
                let around =
                    |slice: &&(u64, u64, u64)| slice.0 == thread && slice.1 <= at && at < slice.2;
                assert_eq!(slices.iter().filter(around).count(), 1, "{thread} at {at}");
            }
            assert!(
                starts
                    .iter()
                    .zip(&ends)
                    .all(|(from, to)| from.0 == to.0 && from.2 <= to.2)
            );
            assert!(open.is_empty(), "{open:?}");
            assert_eq!(starts.len(), ends.len(), "an arrow has two ends");
            if finding.code == gordian::Code::Deadlock {
                assert_eq!(starts.len(), finding.edges.len(), "one arrow a wait");
            }
        }
    }
}

/// The same finding has the same fingerprint in another run.
#[test]
fn the_fingerprint_stays() {
    let [deadlock, ..] = reports();
    let again = gordian::Checker::new()
        .name("seeds::customers_orders")
        .check(model_tests::seeds::customers_orders);
    let prints = |report: &Report| -> Vec<String> {
        report
            .findings
            .iter()
            .map(|finding| finding.fingerprint.clone())
            .collect()
    };
    assert_eq!(prints(deadlock), prints(&again));
}
