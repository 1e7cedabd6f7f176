//! Reports that nobody would write: whatever they contain, every format renders them, and the page
//! takes none of it for markup.

use gordian::Report;
use gordian::report::Code;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::chromium::{Chromium, installed};
use super::{log_of, page_of, results_of};
use crate::report::{chrome, dot, junit, mermaid, sarif};

/// Texts that break what does not escape, and any other text.
fn text() -> impl Strategy<Value = String> {
    let nasty = prop::sample::select(vec![
        "",
        " ",
        "<script>alert(1)</script>",
        "</script><img src=x onerror=alert(1)>",
        "\"><svg onload=alert(1)>",
        "' onmouseover='alert(1)",
        "javascript:alert(1)",
        "a`b`c` `",
        "]]>",
        "--><!--",
        "%%{init: {}}%%",
        "x\" -> y [label=\"z",
        "end\nsubgraph",
        "\u{0}\u{1}\u{1b}[31m\u{7f}\u{85}\u{fffe}",
        "\u{202e}desrever",
        "щит 锁 🔒 ﷽",
        "\\",
        "../../../etc/passwd",
        "/etc/passwd",
        "file.rs?query#part",
    ]);
    prop_oneof![
        4 => nasty.prop_map(str::to_owned),
        2 => ".{0,12}",
        1 => prop::sample::select(vec!["thread-1", "alice", "bob"]).prop_map(str::to_owned),
        1 => (0usize..4_000).prop_map(|length| "long ".repeat(length / 5)),
    ]
}

fn number() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), Just(1), Just(u32::MAX), 0..200u32]
}

fn site() -> impl Strategy<Value = Value> {
    let file = prop_oneof![
        2 => text(),
        1 => Just("model_tests/src/seeds.rs".to_owned()),
        1 => Just("Cargo.toml".to_owned()),
    ];
    (file, number(), number())
        .prop_map(|(file, line, column)| json!({ "file": file, "line": line, "column": column }))
}

fn step() -> impl Strategy<Value = Value> {
    let outcome = prop_oneof![
        Just(json!("done")),
        Just(json!("failed")),
        Just(json!("queued")),
        Just(json!("closed")),
        Just(json!("blocked")),
        number().prop_map(|case| json!({ "chose": case })),
    ];
    let names = || prop::collection::vec(text(), 0..3);
    (
        (
            number(),
            text(),
            text(),
            prop::option::of(text()),
            outcome,
            site(),
        ),
        (names(), names(), names()),
    )
        .prop_map(
            |((number, thread, operation, object, outcome, site), names)| {
                json!({
                    "number": number, "thread": thread, "operation": operation, "object": object,
                    "outcome": outcome, "site": site,
                    "acquires": names.0, "releases": names.1, "alternatives": names.2,
                })
            },
        )
}

fn edge() -> impl Strategy<Value = Value> {
    let holder = (text(), prop::option::of(site()), prop::option::of(number()))
        .prop_map(|(thread, site, step)| json!({ "thread": thread, "site": site, "step": step }));
    (
        text(),
        text(),
        text(),
        site(),
        number(),
        prop::option::of(holder),
    )
        .prop_map(|(thread, operation, object, site, step, holder)| {
            json!({
                "thread": thread, "operation": operation, "object": object, "site": site,
                "step": step, "holder": holder,
            })
        })
}

fn finding() -> impl Strategy<Value = Value> {
    let names = || prop::collection::vec(text(), 0..4);
    (
        (
            prop::sample::select(Code::ALL),
            any::<bool>(),
            text(),
            names(),
            names(),
            names(),
        ),
        prop::collection::vec(edge(), 0..4),
        prop::option::of(site()),
        prop::collection::vec(step(), 0..30),
        (text(), text(), any::<u64>(), any::<u64>()),
    )
        .prop_map(|(what, edges, site, steps, how)| {
            json!({
                "code": what.0, "severity": if what.1 { "error" } else { "hazard" },
                "message": what.2, "threads": what.3, "objects": what.4, "notes": what.5,
                "edges": edges, "site": site, "steps": steps, "fingerprint": how.0,
                "token": how.1, "execution": how.2, "seen": how.3,
            })
        })
}

/// What is said of locks; places in the list may be of none that is in it.
fn coverage() -> impl Strategy<Value = Value> {
    let taken = (site(), text(), any::<u32>(), any::<u32>()).prop_map(
        |its| json!({ "site": its.0, "operation": its.1, "acquired": its.2, "contended": its.3 }),
    );
    let lock = (
        (text(), text(), prop::option::of(site())),
        any::<u32>(),
        prop::collection::vec(text(), 0..3),
        prop::collection::vec(taken, 0..16),
    )
        .prop_map(|((name, kind, made), count, threads, sites)| {
            json!({
                "name": name, "kind": kind, "made": made, "count": count, "threads": threads,
                "sites": sites,
            })
        });
    let mode = || prop::sample::select(vec!["shared", "upgradable", "exclusive"]);
    let nesting = (
        (0..5_u32, 0..5_u32, mode(), mode(), any::<bool>()),
        prop::collection::vec(text(), 0..3),
        (site(), site(), any::<u64>()),
    )
        .prop_map(|(what, threads, (outer, inner, seen))| {
            json!({
                "outer": what.0, "inner": what.1, "outer_mode": what.2, "inner_mode": what.3,
                "tried": what.4, "threads": threads, "outer_site": outer, "inner_site": inner,
                "seen": seen,
            })
        });
    let unreached = (site(), text());
    let unreached = unreached.prop_map(|its| json!({ "site": its.0, "lock": its.1 }));
    (
        prop::collection::vec(lock, 0..4),
        prop::collection::vec(nesting, 0..6),
        prop::collection::vec(unreached, 0..3),
        any::<u64>(),
    )
        .prop_map(|(locks, nested, unreached, left_out)| {
            json!({
                "locks": locks, "nested": nested, "unreached": unreached, "left_out": left_out,
            })
        })
}

fn report() -> impl Strategy<Value = Report> {
    let verdict = prop::sample::select(vec!["clean", "found", "incomplete", "error"]);
    (
        text(),
        verdict,
        prop::collection::vec(finding(), 0..4),
        prop::option::of(text()),
        prop::collection::vec(prop::sample::select(Code::ALL), 0..2),
        any::<u64>(),
        coverage(),
    )
        .prop_map(
            |(model, verdict, findings, error, expect, executions, coverage)| {
                let report = json!({
                    "v": 1, "model": model, "verdict": verdict, "findings": findings,
                    "error": error, "expect": expect, "coverage": coverage,
                    "search": {
                        "engine": "controlled", "strategy": "exhaustive",
                        "strength": { "kind": "exhaustive" }, "complete": error.is_none(),
                        "incomplete_reason": error, "executions": executions,
                        "executions_blocked": 0, "executions_capped": 0,
                        "executions_estimate": null, "steps": 0, "steps_longest": 0, "threads": 1,
                        "contended": 0, "seconds": 0.0, "seed": null,
                    },
                });
                serde_json::from_value(report).expect("it is a report")
            },
        )
}

/// The tags of a page as a browser would find them, and whether all of them are ours.
fn check_tags(page: &str) {
    // What stands in the style and the script is not markup.
    let body = page.split_once("</style>").expect("it has a style").1;
    let body = body.rsplit_once("<script>").expect("it has a script").0;
    for tag in body.split('<').skip(1) {
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        assert!(TAGS.contains(&name.as_str()), "<{tag}");
        let inside = tag.split_once('>').expect("a tag ends").0;
        // Outside of quotes there are only names of ours.
        for (at, part) in inside.split('"').enumerate() {
            let outside = at % 2 == 0;
            assert!(!outside || !part.contains(" on"), "<{tag}");
            assert!(!outside || !part.contains("src="), "<{tag}");
        }
        if let Some((_, target)) = inside.split_once("href=\"") {
            let ours = ["#", "../../", "traces/", "graphs/"];
            assert!(ours.iter().any(|start| target.starts_with(start)), "<{tag}");
        }
    }
}

const TAGS: &[&str] = &[
    "head",
    "body",
    "header",
    "main",
    "footer",
    "section",
    "article",
    "h1",
    "h2",
    "h3",
    "p",
    "span",
    "b",
    "i",
    "code",
    "pre",
    "a",
    "ul",
    "li",
    "dl",
    "dt",
    "dd",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "div",
    "button",
    "input",
    "output",
    "figure",
    "figcaption",
    "svg",
    "defs",
    "marker",
    "path",
    "g",
    "title",
    "rect",
    "text",
    "small",
    "details",
    "summary",
    "kbd",
];

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 96,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_format_renders_every_report(reports in prop::collection::vec(report(), 0..3)) {
        let results = results_of(&reports);
        prop_assert_eq!(results.models.len(), reports.len());
        check_tags(&page_of(&results));
        let log = log_of(&results).to_string();
        prop_assert!(!log.contains(r#""uri":"/"#), "places are relative");
        let xml = junit::document(&results).unwrap();
        prop_assert!(xml.starts_with("<?xml"));
        // The door for fuzz targets leaves out no model.
        let documents = crate::private::render(&super::run_of(&reports)).unwrap();
        prop_assert!(documents.len() >= 3 + 2 * reports.len());
        for report in &reports {
            let orders = mermaid::lock_order(&report.model, &report.coverage);
            for line in orders.unwrap_or_default().lines() {
                let starts = ["%% ", "flowchart", "  l"];
                prop_assert!(starts.iter().any(|start| line.starts_with(start)), "{}", line);
            }
            if let Some(dot) = dot::lock_order(&report.model, &report.coverage) {
                prop_assert_eq!(dot.lines().last(), Some("}"));
            }
            let escapes = report.explain().contains('\x1b');
            prop_assert!(!escapes, "a name moves the cursor");
            for finding in &report.findings {
                chrome::document(report, finding);
                let dot = dot::document(&report.model, finding);
                prop_assert_eq!(dot.lines().last(), Some("}"));
                // Every line of Mermaid is one that this program began.
                for line in mermaid::document(&report.model, finding).lines() {
                    let starts = ["%% ", "flowchart", "  subgraph", "  end", "    w", "    l"];
                    prop_assert!(starts.iter().any(|start| line.starts_with(start)), "{}", line);
                }
            }
        }
    }
}

/// Each way in which a name could end its place and begin a script.
#[test]
fn names_are_no_markup() {
    let evil = "</script></style><script>alert(1)</script>\"><img src=x onerror=alert(1)>";
    let step = json!({
        "number": 1, "thread": evil, "operation": evil, "object": evil, "outcome": "blocked",
        "site": { "file": evil, "line": 1, "column": 1 },
        "acquires": [evil], "releases": [], "alternatives": [evil],
    });
    let finding = json!({
        "code": "deadlock", "severity": "error", "message": evil, "threads": [evil],
        "objects": [evil], "notes": [evil], "site": null, "fingerprint": evil, "token": evil,
        "execution": 1, "seen": 1, "steps": [step.clone(), step],
        "edges": [{
            "thread": evil, "operation": evil, "object": evil, "step": 1,
            "site": { "file": evil, "line": 1, "column": 1 },
            "holder": { "thread": evil, "site": null, "step": null },
        }],
    });
    let mut report = serde_json::to_value(&super::reports()[0]).unwrap();
    report["model"] = evil.into();
    report["findings"] = json!([finding]);
    let report: Report = serde_json::from_value(report).unwrap();
    let page = page_of(&results_of(&[report]));
    check_tags(&page);
    assert!(
        !page.contains("<img") && !page.contains("<script>alert"),
        "{page}"
    );
    assert!(
        page.contains("&lt;script&gt;alert(1)"),
        "it is shown as it is"
    );
    assert_eq!(page.matches("<script>").count(), 1);
}

/// A page grows with its steps, not with their square: ten times the steps, about ten times the
/// page. How long it takes is in the benchmarks.
#[test]
fn long_reports_stay_in_proportion() {
    let length = |steps: usize| {
        let report = long(steps);
        let results = results_of(std::slice::from_ref(&report));
        let finding = &results.models[0].report.as_ref().unwrap().findings[0];
        [
            page_of(&results).len(),
            log_of(&results).to_string().len(),
            chrome::document(&report, finding).to_string().len(),
        ]
    };
    let (short, long) = (length(1_000), length(10_000));
    for (short, long) in short.into_iter().zip(long) {
        assert!(long < short * 11, "{long} against {short}");
    }
}

/// A report of so many steps, in which two threads take and give back two locks in turns.
fn long(steps: usize) -> Report {
    let step = |at: usize| {
        let (lock, taken) = (["alice", "bob"][at / 4 % 2], at % 4 < 2);
        let (thread, other) = [("teller-1", "teller-2"), ("teller-2", "teller-1")][at % 2];
        json!({
            "number": at + 1, "thread": thread,
            "operation": if taken { "lock" } else { "unlock" }, "object": lock,
            "outcome": "done", "alternatives": [other],
            "site": { "file": "model_tests/src/seeds.rs", "line": at % 90 + 1, "column": 1 },
            "acquires": if taken { vec![lock] } else { vec![] },
            "releases": if taken { vec![] } else { vec![lock] },
        })
    };
    let mut report = serde_json::to_value(&super::reports()[0]).unwrap();
    report["findings"][0]["steps"] = (0..steps).map(step).collect();
    serde_json::from_value(report).unwrap()
}

/// Measures a report of 10 000 steps in every format: `cargo test -p cargo-gordian --release
/// time_of_a_long_report -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, not a check"]
#[expect(clippy::print_stderr, reason = "it is what the measurement is for")]
fn time_of_a_long_report() {
    let report = long(10_000);
    let text = super::run_of(std::slice::from_ref(&report));
    let start = std::time::Instant::now();
    let results = super::Results::read(&text).unwrap();
    let finding = &results.models[0].report.as_ref().unwrap().findings[0];
    let mut times = vec![("read", start.elapsed(), text.len())];
    let mut measure = |name, render: &dyn Fn() -> String| {
        let start = std::time::Instant::now();
        let length = render().len();
        times.push((name, start.elapsed(), length));
    };
    measure("html", &|| page_of(&results));
    measure("sarif", &|| {
        serde_json::to_string(&sarif::document(&results)).unwrap()
    });
    measure("junit", &|| junit::document(&results).unwrap());
    measure("chrome", &|| chrome::document(&report, finding).to_string());
    measure("dot", &|| dot::document("long", finding));
    measure("mermaid", &|| mermaid::document("long", finding));
    assert_eq!(times.len(), 7);
    for (name, time, bytes) in times {
        eprintln!("{name:>8} {time:>10.1?} {bytes:>9} bytes");
    }
    let Some(program) = installed() else { return };
    let file = tempfile::NamedTempFile::with_suffix(".html").unwrap();
    std::fs::write(file.path(), page_of(&results)).unwrap();
    let mut browser = Chromium::start(&program);
    browser.appear(1280, 900, "light");
    let start = std::time::Instant::now();
    browser.open(&format!("file://{}", file.path().display()));
    let loaded = start.elapsed();
    let keys = 20;
    for _ in 0..keys {
        browser.press("ArrowLeft");
    }
    let step = (start.elapsed() - loaded) / keys;
    let script = browser.value(
        "(() => {
            const start = performance.now();
            for (let i = 0; i < 20; i += 1) {
                dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft' }));
            }
            return (performance.now() - start) / 20;
        })()",
    );
    eprintln!(
        "in a browser: loaded in {loaded:.1?}, {step:.1?} a step, {script} ms of it the script"
    );
}
