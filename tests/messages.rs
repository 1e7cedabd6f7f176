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
        let (threads, objects) = (&finding.threads, &finding.objects);
        writeln!(text, "  {} / {}", threads.join(" "), objects.join(" ")).unwrap();
        if let Some(site) = &finding.site {
            writeln!(text, "  at {site}").unwrap();
        }
        for edge in &finding.edges {
            let (thread, object) = (&edge.thread, &edge.object);
            let (operation, site, step) = (&edge.operation, &edge.site, edge.step);
            write!(
                text,
                "  {thread}: {operation} {object}, {site}, step {step}"
            )
            .unwrap();
            if let Some(holder) = &edge.holder {
                write!(text, "; {}", holder.thread).unwrap();
                if let (Some(site), Some(step)) = (&holder.site, holder.step) {
                    write!(text, " has it since {site}, step {step}").unwrap();
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
            expect![[r#"
                deadlock: `s` and `t` wait for each other
                  s t / a b
                  s: lock b, it:3:1, step 3; t has it since it:4:12, step 2
                  t: lock a, it:5:1, step 4; s has it since it:2:12, step 1
            "#]],
        ),
        (
            "mutex a, b, c\nthread s { lock a\nlock b; unlock a; unlock b }
thread t { lock b\nlock c; unlock b; unlock c }
thread u { lock c\nlock a; unlock c; unlock a }",
            expect![[r#"
                deadlock: `s`, `t` and `u` wait for one another
                  s t u / a b c
                  s: lock b, it:3:1, step 3; t has it since it:4:12, step 2
                  t: lock c, it:5:1, step 5; u has it since it:6:12, step 4
                  u: lock a, it:7:1, step 6; s has it since it:2:12, step 1
            "#]],
        ),
        (
            "mutex m\nthread t { lock m\nlock m }",
            expect![[r#"
                self-deadlock: `t` waits for `m`, which it holds itself
                  t / m
                  t: lock m, it:3:1, step 2; t has it since it:2:12, step 1
            "#]],
        ),
        (
            "thread t { join t }",
            expect![[r#"
                self-deadlock: `t` waits for its own end
                  t / 
                  t: join t, it:1:12, step 1; t
            "#]],
        ),
        (
            "mutex a, b\nthread s { lock a\nlock b; unlock b; unlock a }
thread t { lock b\ntimedlock a $ok; if $ok { unlock a }; unlock b }",
            expect![[r#"
                timeout-only: only a time-out broke the cycle of `s` and `t`
                  s t / a b
                  s: lock b, it:3:1, step 3; t has it since it:4:12, step 2
                  t: timed-lock a, it:5:1, step 4; s has it since it:2:12, step 1
            "#]],
        ),
        (
            "mutex m, a\ncondvar c\nthread s { lock a\nlock m\nwait c m\nunlock m\nunlock a }
thread t { lock m\nnotify_one c\nlock a\nunlock a\nunlock m }",
            expect![[r#"
                deadlock: `s` and `t` wait for each other
                  s t / a m
                  s: wait c, it:5:1, step 4; t has it since it:8:12, step 5
                  t: lock a, it:10:1, step 7; s has it since it:3:12, step 1
                deadlock: `s` and `t` wait for each other
                  s t / a m
                  s: lock m, it:4:1, step 3; t has it since it:8:12, step 2
                  t: lock a, it:10:1, step 5; s has it since it:3:12, step 1
                lost-wakeup: `s` waits to be notified on `c`, and nobody is left to notify it
                  s / c
                  s: wait c, it:5:1, step 10
            "#]],
        ),
    ] {
        says(source, &expected);
    }
}

#[test]
fn waits_that_nobody_ends() {
    for (source, expected) in [
        (
            "thread t { park }",
            expect![[r#"
                lost-wakeup: `t` is parked, and nobody is left to unpark it
                  t / 
                  t: park its token, it:1:12, step 1
            "#]],
        ),
        (
            "mutex m\ncondvar c\nthread t { lock m\nwait c m }",
            expect![[r#"
                lost-wakeup: `t` waits to be notified on `c`, and nobody is left to notify it
                  t / c
                  t: wait c, it:4:1, step 3
            "#]],
        ),
        (
            "channel ch = 1\nthread t { recv ch }",
            expect![[r#"
                lost-wakeup: `t` waits to receive from `ch`, and nobody is left to send
                  t / ch
                  t: recv ch, it:2:12, step 1
            "#]],
        ),
        (
            "channel ch = 1\nthread t { send ch 1\nsend ch 2 }",
            expect![[r#"
                lost-wakeup: `t` waits to send on `ch`, and nobody is left to receive
                  t / ch
                  t: send ch, it:3:1, step 2
            "#]],
        ),
        (
            "channel ch = 0\nthread t { send ch 1 }",
            expect![[r#"
                lost-wakeup: `t` waits to send on `ch`, and nobody is left to receive
                  t / ch
                  t: send ch, it:2:12, step 2
            "#]],
        ),
        (
            "channel p = 1, q = 1\nthread t { select { case recv p: case recv q: } }",
            expect![[r#"
                lost-wakeup: `t` waits in a select over `p, q`, and nobody is left to take part
                  t / 
                  t: select p, q, it:2:12, step 1
            "#]],
        ),
        (
            "waitgroup w = 1\nthread t { wg_wait w }",
            expect![[r#"
                lost-wakeup: `t` waits for `w` to be 0, and nobody is left to count it down
                  t / w
                  t: wait w, it:2:12, step 1
            "#]],
        ),
        (
            "barrier b = 2\nthread t { barrier b }",
            expect![[r#"
                lost-wakeup: `t` waits at `b`, and nobody is left to come there
                  t / b
                  t: barrier b, it:2:12, step 2
            "#]],
        ),
        (
            "notify n\nthread t { wait_notify n }",
            expect![[r#"
                lost-wakeup: `t` waits for `n`, and nobody is left to notify it
                  t / n
                  t: wait-notify n, it:2:12, step 2
            "#]],
        ),
        (
            "semaphore s = 0\nthread t { acquire s }",
            expect![[r#"
                lost-wakeup: `t` waits for permits of `s`, and nobody is left to release any
                  t / s
                  t: acquire s, it:2:12, step 1
            "#]],
        ),
        (
            "semaphore s = 0 fifo\nthread t { acquire s }",
            expect![[r#"
                lost-wakeup: `t` waits for permits of `s`, and nobody is left to release any
                  t / s
                  t: acquire s, it:2:12, step 2
            "#]],
        ),
        (
            "var x\nthread t { await x == 1 }",
            expect![[r#"
                lost-wakeup: `t` waits for a condition, and nobody is left to make it true
                  t / 
                  t: evaluate x, it:2:12, step 1
            "#]],
        ),
        (
            "thread t { block_forever }",
            expect![[r#"
                lost-wakeup: `t` blocks for ever
                  t / 
                  t: block-forever nothing, it:1:12, step 1
            "#]],
        ),
        (
            "mutex m\nvar x\nthread s { lock m\nx = 1 }\nthread t { await x == 1\nlock m }",
            expect![[r#"
                leaked-guard: `s` ended while it held `m`
                  s / m
                  at it:3:12
                  `s` took `m` at it:3:12
                lost-wakeup: `t` waits for `m`, which `s` held when it ended
                  t / m
                  t: lock m, it:6:1, step 5; s has it since it:3:12, step 1
            "#]],
        ),
        (
            "mutex m\nvar x\ndaemon thread s { lock m\nx = 1; block_forever }
thread t { await x == 1\nlock m }",
            expect![[r#"
                lost-wakeup: `t` waits for `m`, which `s` never gives back
                  t / m
                  t: lock m, it:6:1, step 5; s has it since it:3:19, step 1
            "#]],
        ),
        (
            "rwlock r\nvar x\nthread s { read r\nx = 1 }\nthread t { await x == 1\nwrite r }",
            expect![[r#"
                leaked-guard: `s` ended while it held `r`
                  s / r
                  at it:3:12
                  `s` took `r` at it:3:12
                lost-wakeup: `t` waits for `r`, which `s` held when it ended
                  t / r
                  t: write r, it:6:1, step 6; s has it since it:3:12, step 1
            "#]],
        ),
        (
            "semaphore s = 1\nvar x\nthread t { acquire s\nx = 1 }
thread u { await x == 1\nacquire s }",
            expect![[r#"
                lost-wakeup: `u` waits for permits of `s`, and nobody is left to release any
                  u / s
                  u: acquire s, it:6:1, step 5; t
            "#]],
        ),
        (
            "once o\nvar x\ndaemon thread s { once o { x = 1; block_forever } }
thread t { await x == 1\nonce o { } }",
            expect![[r#"
                lost-wakeup: `t` waits for `o`, which `s` never completes
                  t / o
                  t: once o, it:5:1, step 5; s
            "#]],
        ),
        (
            "daemon thread s { block_forever }\nthread t { join s }",
            expect![[r#"
                lost-wakeup: `t` waits for the end of `s`, which never comes
                  t / 
                  t: join s, it:2:12, step 2; s
            "#]],
        ),
    ] {
        says(source, &expected);
    }
}

#[test]
fn discipline() {
    for (source, expected) in [
        (
            "mutex m\nthread t { unlock m }",
            expect![[r#"
                double-release: `t` releases `m`, which nobody holds
                  t / m
                  at it:2:12
            "#]],
        ),
        (
            "mutex m\nvar x\nthread s { lock m\nx = 1; await x == 2; unlock m }
thread t { await x == 1\nunlock m\nx = 2 }",
            expect![[r#"
                foreign-release: `t` releases `m`, which `s` holds
                  s t / m
                  at it:6:1
                  `s` took `m` at it:3:12
            "#]],
        ),
        (
            "mutex m\nthread t { lock m }",
            expect![[r#"
                leaked-guard: `t` ended while it held `m`
                  t / m
                  at it:2:12
                  `t` took `m` at it:2:12
            "#]],
        ),
        (
            "mutex c, b, a\nthread t { lock c\nlock a\nlock b }",
            expect![[r#"
                leaked-guard: `t` ended while it held `c`, `a` and `b`
                  t / a b c
                  at it:2:12
                  `t` took `c` at it:2:12
                  `t` took `a` at it:3:1
                  `t` took `b` at it:4:1
            "#]],
        ),
        (
            "mutex a, b\nthread t { lock b\nlock a\nslow \"price\"\nunlock a; unlock b }",
            expect![[r#"
                slow-under-lock: `t` makes the slow call `price` while it holds `b` and `a`
                  t / a b
                  at it:4:1
                  `t` took `b` at it:2:12
                  `t` took `a` at it:3:1
            "#]],
        ),
        (
            "rwlock r\nthread t { read r\nread r\nunlock r; unlock r }",
            expect![[r#"
                recursive-read: `t` reads `r` again, which blocks when a writer queues in between
                  t / r
                  at it:3:1
                  `t` took `r` at it:2:12
            "#]],
        ),
        (
            "rwlock r reader_preferring\nthread t { read r\nread r\nunlock r; unlock r }",
            expect![[""]],
        ),
        (
            "thread t { panic \"oh dear\" }",
            expect![[r#"
                panic: `t` panicked: oh dear
                  t / 
                  at it:1:12
            "#]],
        ),
    ] {
        says(source, &expected);
    }
}

#[test]
fn who_never_comes_to_an_end() {
    says(
        "expect starvation\nmutex m\nthread t { loop { trylock m $ok; if $ok { unlock m } } }",
        &expect![[r#"
            starvation: `t` got nowhere: it can go on for ever, and never come to its end
              t / 
              at it:3:19
              the states say so as a whole: there is no one interleaving to show or to replay
        "#]],
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
