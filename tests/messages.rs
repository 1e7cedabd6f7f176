//! What findings say: the sentence, who waits for what at which place, and what was held. Each
//! program is the smallest that has its finding; an interleaving as short as possible is shown.

#![cfg(feature = "scenario")]

use std::fmt::Write;
use std::sync::Arc;

use expect_test::{Expect, expect};
use gordian::report::Finding;
use gordian::scenario::{Options, check, parse};

fn findings_with(source: &str, options: &Options) -> Vec<Finding> {
    let scenario = match parse(source) {
        Ok(scenario) => Arc::new(scenario),
        Err(error) => panic!("{error}\n{source}"),
    };
    check(&scenario, "it", source, options).report.findings
}

fn findings(source: &str) -> Vec<Finding> {
    findings_with(source, &Options::default())
}

/// A finding a paragraph: code and sentence, then who waits, then what was held.
fn told(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        writeln!(text, "{}: {}", finding.code.as_str(), finding.message).unwrap();
        if let Some(site) = &finding.site {
            writeln!(text, "  at {site}").unwrap();
        }
        for edge in &finding.edges {
            let (thread, object) = (&edge.thread, &edge.object);
            write!(
                text,
                "  {thread}: {} {object}, {}",
                edge.operation, edge.site
            )
            .unwrap();
            if let Some(holder) = &edge.holder {
                write!(text, "; {}", holder.thread).unwrap();
                if let Some(site) = &holder.site {
                    write!(text, " has it since {site}").unwrap();
                }
            }
            writeln!(text).unwrap();
        }
        for note in &finding.notes {
            writeln!(text, "  {note}").unwrap();
        }
    }
    text
}

#[track_caller]
fn says(source: &str, expected: &Expect) {
    expected.assert_eq(&told(&findings(source)));
}

#[test]
fn cycles() {
    for (source, expected) in [
        (
            "mutex a, b\nthread s { lock a\nlock b; unlock a; unlock b }
thread t { lock b\nlock a; unlock a; unlock b }",
            expect![[""]],
        ),
        (
            "mutex a, b, c\nthread s { lock a\nlock b; unlock a; unlock b }
thread t { lock b\nlock c; unlock b; unlock c }
thread u { lock c\nlock a; unlock c; unlock a }",
            expect![[""]],
        ),
        ("mutex m\nthread t { lock m\nlock m }", expect![[""]]),
        ("thread t { join t }", expect![[""]]),
        (
            "mutex a, b\nthread s { lock a\nlock b; unlock b; unlock a }
thread t { lock b\ntimedlock a $ok; if $ok { unlock a }; unlock b }",
            expect![[""]],
        ),
        (
            "mutex m, a\ncondvar c\nthread s { lock a\nlock m\nwait c m\nunlock m\nunlock a }
thread t { lock m\nnotify_one c\nlock a\nunlock a\nunlock m }",
            expect![[""]],
        ),
    ] {
        says(source, &expected);
    }
}

#[test]
fn waits_that_nobody_ends() {
    for (source, expected) in [
        ("thread t { park }", expect![[""]]),
        (
            "mutex m\ncondvar c\nthread t { lock m\nwait c m }",
            expect![[""]],
        ),
        ("channel ch = 1\nthread t { recv ch }", expect![[""]]),
        (
            "channel ch = 1\nthread t { send ch 1\nsend ch 2 }",
            expect![[""]],
        ),
        ("channel ch = 0\nthread t { send ch 1 }", expect![[""]]),
        (
            "channel p = 1, q = 1\nthread t { select { case recv p: case recv q: } }",
            expect![[""]],
        ),
        ("waitgroup w = 1\nthread t { wg_wait w }", expect![[""]]),
        ("barrier b = 2\nthread t { barrier b }", expect![[""]]),
        ("notify n\nthread t { wait_notify n }", expect![[""]]),
        ("semaphore s = 0\nthread t { acquire s }", expect![[""]]),
        (
            "semaphore s = 0 fifo\nthread t { acquire s }",
            expect![[""]],
        ),
        ("var x\nthread t { await x == 1 }", expect![[""]]),
        ("thread t { block_forever }", expect![[""]]),
        (
            "mutex m\nvar x\nthread s { lock m\nx = 1 }\nthread t { await x == 1\nlock m }",
            expect![[""]],
        ),
        (
            "mutex m\nvar x\ndaemon thread s { lock m\nx = 1; block_forever }
thread t { await x == 1\nlock m }",
            expect![[""]],
        ),
        (
            "rwlock r\nvar x\nthread s { read r\nx = 1 }\nthread t { await x == 1\nwrite r }",
            expect![[""]],
        ),
        (
            "semaphore s = 1\nvar x\nthread t { acquire s\nx = 1 }
thread u { await x == 1\nacquire s }",
            expect![[""]],
        ),
        (
            "once o\nvar x\ndaemon thread s { once o { x = 1; block_forever } }
thread t { await x == 1\nonce o { } }",
            expect![[""]],
        ),
        (
            "daemon thread s { block_forever }\nthread t { join s }",
            expect![[""]],
        ),
    ] {
        says(source, &expected);
    }
}

#[test]
fn discipline() {
    for (source, expected) in [
        ("mutex m\nthread t { unlock m }", expect![[""]]),
        (
            "mutex m\nvar x\nthread s { lock m\nx = 1; await x == 2; unlock m }
thread t { await x == 1\nunlock m\nx = 2 }",
            expect![[""]],
        ),
        ("mutex m\nthread t { lock m }", expect![[""]]),
        (
            "mutex c, b, a\nthread t { lock c\nlock a\nlock b }",
            expect![[""]],
        ),
        (
            "mutex a, b\nthread t { lock b\nlock a\nslow \"price\"\nunlock a; unlock b }",
            expect![[""]],
        ),
        (
            "rwlock r\nthread t { read r\nread r\nunlock r; unlock r }",
            expect![[""]],
        ),
        (
            "rwlock r reader_preferring\nthread t { read r\nread r\nunlock r; unlock r }",
            expect![[""]],
        ),
        ("thread t { panic \"oh dear\" }", expect![[""]]),
    ] {
        says(source, &expected);
    }
}

#[test]
fn who_never_comes_to_an_end() {
    says(
        "expect starvation\nmutex m\nthread t { loop { trylock m $ok; if $ok { unlock m } } }",
        &expect![[""]],
    );
}

/// Once an execution, however often it is met in one.
#[test]
fn how_often_a_finding_is_seen() {
    for (source, seen) in [
        ("mutex m\nthread t { unlock m }", 1),
        ("mutex m\nthread t { repeat 3 { unlock m } }", 1),
        (
            "mutex m, n\nthread s { lock n; unlock n }\nthread u { lock n; unlock n }
             thread t { lock n; unlock n; repeat 2 { unlock m } }",
            6,
        ),
    ] {
        let found = findings_with(source, &Options::default());
        let seen_each: Vec<u64> = found.iter().map(|finding| finding.seen).collect();
        assert_eq!(seen_each, [seen], "{source}");
    }
}
