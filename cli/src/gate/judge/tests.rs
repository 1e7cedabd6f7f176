use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::config::{Chosen, read};

/// A line of a model; findings are codes with their severity.
fn model(name: &str, status: &str, findings: &[(&str, &str)], change: &[(&str, Value)]) -> Value {
    let finding = |(code, severity): &(&str, &str)| {
        json!({
            "code": code, "severity": severity, "message": "it is so", "threads": [],
            "objects": [], "edges": [], "site": null, "notes": [], "steps": [],
            "fingerprint": format!("{:0<16}", code.replace(|c: char| !c.is_ascii_hexdigit(), "")),
            "token": "", "execution": 1, "seen": 1,
        })
    };
    let is_found = findings.iter().any(|(_, severity)| *severity == "error");
    let mut line = json!({
        "v": 1, "kind": "model", "package": "bank", "binary": "bank", "test": name,
        "status": status, "process_seconds": 0.1, "model": name,
        "verdict": if is_found { "found" } else { "clean" },
        "findings": findings.iter().map(finding).collect::<Vec<_>>(),
        "error": null, "expect": [],
        "search": {
            "engine": "controlled", "strategy": "exhaustive", "strength": { "kind": "exhaustive" },
            "complete": true, "incomplete_reason": null, "executions": 6, "executions_blocked": 0,
            "executions_capped": 0, "executions_estimate": null, "steps": 9, "steps_longest": 3,
            "threads": 2, "contended": 1, "seconds": 0.1, "seed": null,
        },
    });
    for (key, value) in change {
        match key.strip_prefix("search.") {
            Some(key) => line["search"][key] = value.clone(),
            None => line[*key] = value.clone(),
        }
    }
    line
}

const CANARY: &str = "canary = \"bank canary\"\n";

/// What the rules that do not hold come to: their names, and the exit code.
fn judged(policy: &str, mut lines: Vec<Value>, interrupted: bool) -> (Judgement, String) {
    let text = format!("[profile.ci.gate]\n{CANARY}{policy}\n");
    let chosen = Chosen {
        config: read(&text).unwrap(),
        profile: "ci".to_owned(),
    };
    let expect = [("expect", json!(["deadlock"]))];
    let mut canary = model("canary", "passed", &[("deadlock", "error")], &expect);
    canary["findings"][0]["fingerprint"] = "cacacacacacacaca".into();
    lines.push(canary);
    let gathered = Gathered {
        lines,
        scope: Scope::default(),
        time: Duration::from_secs(1),
        interrupted,
    };
    let today = "2026-11-22".parse().unwrap();
    let judgement = judge(gathered, &chosen.policy(), today, PathBuf::new()).unwrap();
    let bad = judgement.rules.iter();
    let bad = bad.filter(|rule| matches!(rule.verdict, Verdict::Fail | Verdict::Warn));
    let mut words: Vec<String> = bad
        .map(|rule| format!("{} {}", rule.name, rule.verdict.name()))
        .collect();
    words.push((judgement.exit_code() as u8).to_string());
    let words = words.join(", ");
    (judgement, words)
}

#[test]
fn every_rule_has_its_exit_code() {
    let deadlock = &[("deadlock", "error")][..];
    let hazard = &[("recursive-read", "hazard")][..];
    let no = |key: &'static str| [(key, json!(false))];
    let cut_off = no("search.complete");
    let empty = [
        ("search.contended", json!(0)),
        ("search.executions", json!(1)),
        ("search.vacuous", json!("no-contention")),
    ];
    let meant = [&empty[..], &[("search.vacuous_allowed", json!(true))]].concat();
    let expects = [("expect", json!(["deadlock"]))];
    let expects_other = [("expect", json!(["lost-wakeup"]))];
    let cases = [
        (
            "vacuous_models = [\"bank alone\"]",
            model("alone", "vacuous", &[], &empty),
            "0",
        ),
        ("", model("alone", "passed", &[], &meant), "0"),
        (
            "vacuous_models = [\"bank alone\"]",
            model("good", "passed", &[], &[]),
            "vacuous fail, 106",
        ),
        (
            "",
            model(
                "abba",
                "passed",
                &[],
                &[&empty[..2], &[("scenario", json!("x.gordian"))]].concat(),
            ),
            "0",
        ),
        ("", model("good", "passed", &[], &[]), "0"),
        (
            "",
            model("bad", "failed", deadlock, &[]),
            "findings fail, 100",
        ),
        ("", model("as-it-should", "passed", deadlock, &expects), "0"),
        (
            "",
            model("missing", "failed", &[], &expects),
            "checks fail, 100",
        ),
        (
            "",
            model("other", "failed", deadlock, &expects_other),
            "findings fail, checks fail, 100",
        ),
        // `#[should_panic]`.
        ("", model("settled", "passed", deadlock, &[]), "0"),
        ("", model("hazard", "passed", hazard, &[]), "0"),
        (
            "fail = [\"error\", \"hazard\"]",
            model("hazard", "passed", hazard, &[]),
            "findings fail, 100",
        ),
        (
            "fail = [\"recursive-read\"]",
            model("hazard", "passed", hazard, &[]),
            // The canary is a deadlock, which that lets through.
            "findings fail, canary fail, 100",
        ),
        (
            "fail = [\"error\", \"hazard\"]\nallow = [\"recursive-read\"]",
            model("hazard", "passed", hazard, &[]),
            "0",
        ),
        ("", model("died", "crashed", &[], &[]), "checks fail, 100"),
        ("", model("cannot", "error", &[], &[]), "checks fail, 2"),
        (
            "",
            model("defect", "error", &[], &[("defect", json!(true))]),
            "checks fail, 70",
        ),
        (
            "",
            model("test", "failed", &[], &[("remark", json!("exit status 1"))]),
            "checks fail, 100",
        ),
        (
            "",
            model("capped", "incomplete", &[], &cut_off),
            "incomplete fail, 106",
        ),
        (
            "incomplete = \"warn\"",
            model("capped", "incomplete", &[], &cut_off),
            "incomplete warn, 0",
        ),
        (
            "incomplete = \"allow\"",
            model("capped", "incomplete", &[], &cut_off),
            "0",
        ),
        // A finding does not hide that there may be more.
        (
            "",
            model("both", "failed", deadlock, &cut_off),
            "findings fail, incomplete fail, 100",
        ),
        (
            "incomplete = \"allow\"",
            model("later", "not-run", &[], &[]),
            "incomplete fail, 106",
        ),
        (
            "",
            model("alone", "vacuous", &[], &empty),
            "vacuous fail, 106",
        ),
        (
            "vacuous = \"warn\"",
            model("alone", "vacuous", &[], &empty),
            "vacuous warn, 0",
        ),
        (
            "models_min = 2",
            model("good", "passed", &[], &[]),
            "minimum fail, 4",
        ),
        (
            "executions_min = 7",
            model("good", "passed", &[], &[]),
            "minimum fail, 4",
        ),
        ("executions_min = 6", model("good", "passed", &[], &[]), "0"),
        // What was run again is no other interleaving.
        (
            "executions_min = 6",
            model("sample", "passed", &[], &[("search.distinct", json!(2))]),
            "minimum fail, 4",
        ),
    ];
    for (policy, line, expected) in cases {
        let name = line["test"].clone();
        assert_eq!(
            judged(policy, vec![line], false).1,
            expected,
            "{name} under `{policy}`"
        );
    }
    // Of several the worst counts.
    let lines = vec![
        model("capped", "incomplete", &[], &cut_off),
        model("bad", "failed", deadlock, &[]),
        model("cannot", "error", &[], &[]),
    ];
    let expected = "findings fail, checks fail, incomplete fail, 2";
    assert_eq!(judged("", lines, false).1, expected);
}

#[test]
fn a_run_of_nothing_but_the_canary_is_none() {
    assert_eq!(judged("", Vec::new(), false).1, "minimum fail, 4");
}

fn baseline(change: &str) -> String {
    let entry = "[[baseline]]\nfingerprint = \"deadc00000000000\"\nreason = \"later\"\n\
                 expires = 2026-11-22\n";
    format!("{entry}{change}")
}

#[test]
fn the_baseline_hides_what_it_names_and_nothing_else() {
    let two = [("deadlock", "error"), ("panic", "error")];
    let specimen = || model("bad", "failed", &two[..1], &[]);
    let (judgement, words) = judged(&baseline(""), vec![specimen()], false);
    assert_eq!(words, "0");
    assert_eq!(judgement.let_through.len(), 1);
    assert_eq!(judgement.results.models[0].status, Status::Passed);
    let remark = judgement.results.models[0].remark.as_deref();
    assert_eq!(remark, Some("let through until 2026-11-22: later"));

    let both = model("bad", "failed", &two, &[]);
    let (judgement, words) = judged(&baseline(""), vec![both], false);
    assert_eq!(words, "findings fail, 100");
    assert_eq!(judgement.failing, [(0, 1)]);
    assert_eq!(judgement.results.models[0].status, Status::Failed);

    let here = "model = \"bank bad\"\n";
    assert_eq!(judged(&baseline(here), vec![specimen()], false).1, "0");
    let there = "model = \"bank other\"\n";
    let expected = "findings fail, baseline fail, 100";
    assert_eq!(
        judged(&baseline(there), vec![specimen()], false).1,
        expected
    );
    let good = || vec![model("good", "passed", &[], &[])];
    assert_eq!(judged(&baseline(""), good(), false).1, "baseline fail, 100");
    // Who was interrupted does not know what the rest would have found.
    assert_eq!(judged(&baseline(""), good(), true).1, "0");
    let past = baseline("").replace("22\n", "21\n");
    assert_eq!(judged(&past, vec![specimen()], false).1, expected);
}

#[test]
fn what_is_kept_can_be_read_again() {
    let lines = vec![model("bad", "failed", &[("deadlock", "error")], &[])];
    let (judgement, _) = judged("", lines, false);
    let again = Results::read(&judgement.lines).unwrap();
    assert_eq!(again, judgement.results);
    assert_eq!(again.exit_code, 100);
    assert!(judgement.lines.contains("\"kind\":\"gate\""));
}
