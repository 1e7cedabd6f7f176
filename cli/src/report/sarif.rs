//! `report.sarif`: the findings for code scanning, as SARIF 2.1.0.
//!
//! Knows the part of the format that findings need, and nothing of how they are shown elsewhere.
//! One result per distinct finding: `codeFlows[0]` has all steps in one flow, `codeFlows[1]` one
//! flow per thread, whose steps say by `executionOrder` how they were interleaved. A finding that
//! its model expects is there, suppressed.

use std::path::Path;

use gordian::Report;
use gordian::report::{Finding, Outcome, Severity, Site, Step, Worth};
use serde::Serialize;
use serde_json::{Value, json};

use super::events::{Entry, Results};
use super::holds::threads;
use super::text::{holds, phrase, plain, waits};
use crate::codes::{RULES, Rule, rule};
use crate::outcome::Status;

/// What relative URIs are relative to: the root of the workspace.
const ROOT: &str = "%SRCROOT%";

/// The whole document.
pub(super) fn document(results: &Results) -> Log {
    let mut collected: Vec<Collected<'_>> = Vec::new();
    for (entry, report, finding) in results.findings() {
        collect(&mut collected, entry, report, finding);
    }
    Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: json!({ "driver": {
                "name": "gordian",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": RULES.iter().map(descriptor).collect::<Vec<_>>(),
            }}),
            column_kind: "unicodeCodePoints",
            original_uri_base_ids: json!({
                ROOT: { "description": { "text": "The root of the workspace." } },
            }),
            invocations: [invocation(results)],
            results: collected.iter().map(result).collect(),
        }],
    }
}

/// A log of one run.
#[derive(Serialize)]
pub(super) struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Value,
    column_kind: &'static str,
    original_uri_base_ids: Value,
    invocations: [Value; 1],
    results: Vec<ResultObject>,
}

/// The same finding of several models.
struct Collected<'a> {
    entries: Vec<&'a Entry>,
    report: &'a Report,
    finding: &'a Finding,
    seen: u64,
}

fn collect<'a>(
    collected: &mut Vec<Collected<'a>>,
    entry: &'a Entry,
    report: &'a Report,
    finding: &'a Finding,
) {
    let same = |other: &&mut Collected<'_>| {
        other.finding.code == finding.code && other.finding.fingerprint == finding.fingerprint
    };
    if let Some(known) = collected.iter_mut().find(same) {
        known.entries.push(entry);
        known.seen = known.seen.saturating_add(finding.seen);
        return;
    }
    collected.push(Collected {
        entries: vec![entry],
        report,
        finding,
        seen: finding.seen,
    });
}

fn descriptor(rule: &Rule) -> Value {
    let help = format!("{}\n\n{}", rule.why, rule.fix);
    let markdown = format!("{}\n\n**What to do.** {}", rule.why, rule.fix);
    json!({
        "id": rule.code,
        "name": rule.name(),
        "shortDescription": { "text": rule.short },
        "fullDescription": { "text": format!("{} {}", rule.short, rule.why) },
        "help": { "text": help, "markdown": markdown },
        "defaultConfiguration": { "level": level(rule.code.severity()) },
        "properties": { "tags": ["concurrency", "reliability"] },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Hazard => "warning",
        Severity::Error => "error",
    }
}

/// How the run itself went: what was not explored is said here, since it is no finding.
fn invocation(results: &Results) -> Value {
    let trouble = |entry: &&Entry| {
        matches!(
            entry.status,
            Status::Incomplete | Status::Vacuous | Status::Crashed | Status::Error
        )
    };
    let notification = |entry: &Entry| {
        let text = format!("{}: {}", entry.status.name(), plain(&entry.gist()));
        let level = match entry.status {
            Status::Incomplete | Status::Vacuous => "warning",
            _ => "error",
        };
        json!({
            "level": level,
            "message": { "text": format!("{}: {text}", entry.title()) },
        })
    };
    let mut notifications: Vec<Value> = results
        .models
        .iter()
        .filter(trouble)
        .map(notification)
        .collect();
    let successful = !results.interrupted && notifications.is_empty();
    // A pass that is no proof is none here either.
    notifications.extend(results.models.iter().filter_map(weak_pass));
    json!({
        "executionSuccessful": successful,
        "exitCode": results.exit_code,
        "toolExecutionNotifications": notifications,
    })
}

/// What a pass is worth that is less than a proof.
fn weak_pass(entry: &Entry) -> Option<Value> {
    let report = entry.report.as_ref()?;
    let worth = report.worth();
    let is_weak = entry.status == Status::Passed && !matches!(worth, Worth::Proved | Worth::Found);
    is_weak.then(|| {
        let text = format!(
            "{}: {}: {}",
            entry.title(),
            worth.as_str(),
            report.strength()
        );
        json!({ "level": "note", "message": { "text": plain(&text) } })
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultObject {
    rule_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Text,
    locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    code_flows: Vec<CodeFlow>,
    partial_fingerprints: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Value>,
    occurrence_count: u64,
    properties: Value,
}

#[derive(Clone, Serialize)]
struct Text {
    text: String,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    physical_location: Option<Physical>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    uri: String,
    uri_base_id: &'static str,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CodeFlow {
    message: Text,
    thread_flows: Vec<ThreadFlow>,
}

#[derive(Serialize)]
struct ThreadFlow {
    id: String,
    locations: Vec<FlowLocation>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct FlowLocation {
    location: Location,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kinds: Vec<&'static str>,
    execution_order: usize,
    importance: &'static str,
}

fn result(collected: &Collected<'_>) -> ResultObject {
    let Collected {
        finding, report, ..
    } = collected;
    let places = places(finding);
    // Code scanning shows a result at a place; one without is shown where the finding's model was.
    let own = places.iter().find_map(|(site, _)| physical(site));
    let fallback = || {
        finding
            .steps
            .iter()
            .rev()
            .find_map(|step| physical(&step.site))
    };
    let main = own.or_else(fallback).map(|place| Location {
        id: None,
        physical_location: Some(place),
        message: None,
    });
    let related = places.iter().enumerate().filter_map(|(at, (site, text))| {
        Some(Location {
            id: Some(at + 1),
            physical_location: Some(physical(site)?),
            message: Some(Text { text: plain(text) }),
        })
    });
    let models: Vec<String> = collected
        .entries
        .iter()
        .map(|entry| entry.title())
        .collect();
    let expected = collected.entries.iter().all(|entry| entry.expects(finding));
    let expectation = json!({
        "kind": "inSource",
        "justification": "the model says that this must be found",
    });
    let accepted = collected.entries.iter().find_map(|entry| {
        let accepted = entry.accepts(finding)?;
        let (reason, expires) = (plain(&accepted.reason), plain(&accepted.expires));
        Some(json!({
            "kind": "external",
            "justification": format!("in the baseline until {expires}: {reason}"),
        }))
    });
    let is_good = |entry: &&Entry| entry.expects(finding) || entry.accepts(finding).is_some();
    let suppression = match expected {
        true => Some(expectation),
        false => accepted.filter(|_| collected.entries.iter().all(is_good)),
    };
    ResultObject {
        rule_id: finding.code.as_str(),
        rule_index: RULES.iter().position(|rule| rule.code == finding.code),
        level: level(finding.severity),
        message: Text {
            text: message(finding),
        },
        locations: main.into_iter().collect(),
        related_locations: related.collect(),
        code_flows: code_flows(finding),
        partial_fingerprints: json!({ "gordian/v1": finding.fingerprint }),
        suppressions: suppression.into_iter().collect(),
        occurrence_count: collected.seen.clamp(1, i64::MAX as u64),
        properties: json!({
            "models": models,
            "replay": report.how_to_replay(finding),
            "explored": report.strength(),
        }),
    }
}

/// The finding's sentence, its notes, and what its code means.
fn message(finding: &Finding) -> String {
    let mut parts = vec![finding.message.clone()];
    parts.extend(finding.notes.iter().cloned());
    parts.push(rule(finding.code).why.to_owned());
    let parts: Vec<String> = parts.iter().map(|part| plain(part)).collect();
    parts.join("\n")
}

/// Both places of each edge, or the one of a misuse, and what is to be said about them.
fn places(finding: &Finding) -> Vec<(&Site, String)> {
    let mut places = Vec::new();
    for edge in &finding.edges {
        places.push((&edge.site, waits(edge)));
        let holder = edge.holder.as_ref().and_then(|holder| holder.site.as_ref());
        places.extend(holder.zip(holds(edge)));
    }
    places.extend(finding.site.as_ref().map(|site| (site, "here".to_owned())));
    places
}

/// A place in the workspace; none for other people's code, whose path is this machine's.
fn physical(site: &Site) -> Option<Physical> {
    if Path::new(&site.file).is_absolute() || site.file.is_empty() {
        return None;
    }
    let uri = uri(&site.file);
    // What is a name on this system may be an absolute one on another.
    if uri.starts_with('/') {
        return None;
    }
    Some(Physical {
        artifact_location: Artifact {
            uri,
            uri_base_id: ROOT,
        },
        region: Region {
            start_line: site.line.max(1),
            start_column: site.column.max(1),
        },
    })
}

/// A path as a relative URI.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'\\' => uri.push('/'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' | b'~' => {
                uri.push(char::from(byte));
            }
            _ => uri += &format!("%{byte:02X}"),
        }
    }
    uri
}

fn code_flows(finding: &Finding) -> Vec<CodeFlow> {
    let steps: Vec<(&Step, FlowLocation)> = finding
        .steps
        .iter()
        .enumerate()
        .map(|(at, step)| (step, flow_location(at, step)))
        .collect();
    if steps.is_empty() {
        return Vec::new();
    }
    let all = ThreadFlow {
        id: "all threads".to_owned(),
        locations: steps.iter().map(|(_, location)| location.clone()).collect(),
    };
    let own = |thread: &str| ThreadFlow {
        id: plain(thread),
        locations: steps
            .iter()
            .filter(|(step, _)| step.thread == thread)
            .map(|(_, location)| location.clone())
            .collect(),
    };
    vec![
        CodeFlow {
            message: Text {
                text: "all steps in their order".to_owned(),
            },
            thread_flows: vec![all],
        },
        CodeFlow {
            message: Text {
                text: "the steps of each thread".to_owned(),
            },
            thread_flows: threads(&finding.steps).into_iter().map(own).collect(),
        },
    ]
}

fn flow_location(at: usize, step: &Step) -> FlowLocation {
    let text = format!("{} {}: {}", step.number, step.thread, phrase(step));
    let mut kinds = Vec::new();
    for (kind, objects) in [("acquire", &step.acquires), ("release", &step.releases)] {
        kinds.extend((!objects.is_empty()).then_some(kind));
    }
    let blocked = step.outcome == Outcome::Blocked;
    // A thread that waits tries to acquire.
    if blocked && step.operation != "join" {
        kinds.push("acquire");
    }
    if !kinds.is_empty() {
        kinds.push("lock");
    }
    FlowLocation {
        location: Location {
            id: None,
            physical_location: physical(&step.site),
            message: Some(Text { text: plain(&text) }),
        },
        importance: match (blocked, kinds.is_empty()) {
            (true, _) => "essential",
            (false, false) => "important",
            (false, true) => "unimportant",
        },
        kinds,
        execution_order: at + 1,
    }
}
