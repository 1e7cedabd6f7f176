//! What `expect` makes of an answer, and answers that are none.

#[allow(dead_code, reason = "the tables of programs are in another test")]
mod common;

use common::answer;
use gordian::scenario::parse;
use gordian_oracle::{Limits, Verdict, judge, search};

const DEADLOCK: &str = "mutex m, n
    thread a { lock m; lock n; unlock n; unlock m }
    thread b { lock n; lock m; unlock m; unlock n }";
const CLEAN: &str = "thread a { nop }";
const LEAK: &str = "mutex m\nthread a { lock m }";
const LEAK_AND_STUCK: &str = "mutex m\nthread a { lock m }\nthread b { lock m }";
const HANDED_OVER: &str = "lock m; var x
    thread a { lock m; x = 1; await x == 2 }
    thread b { await x == 1; unlock m; x = 2 }";
const PANIC: &str = "thread a { panic \"p\" }";
const PANIC_AND_STUCK: &str = "mutex m\nthread a { lock m; panic \"p\" }\nthread b { lock m }";
const SLOW: &str = "mutex m\nthread a { lock m; slow \"s\"; unlock m }";
const SPINS: &str = "thread a { loop { nop } }";
const SPINS_AND_STUCK: &str = "mutex m\nthread a { lock m; loop { nop } }\nthread b { lock m }";
const SPINS_AND_PANIC: &str = "thread a { loop { nop } }\nthread b { panic \"p\" }";

#[test]
fn expectations() {
    let found = Verdict::Found;
    let clean = Verdict::Clean;
    let table = [
        (DEADLOCK, "", found, None),
        (DEADLOCK, "expect clean", found, Some(false)),
        (DEADLOCK, "expect stuck", found, Some(true)),
        (DEADLOCK, "expect misuse", found, Some(false)),
        (DEADLOCK, "expect deadlock", found, Some(true)),
        (DEADLOCK, "expect deadlock, panic", found, Some(false)),
        (DEADLOCK, "expect lost-wakeup", found, Some(false)),
        (CLEAN, "expect clean", clean, Some(true)),
        (CLEAN, "expect stuck", clean, Some(false)),
        (CLEAN, "expect misuse", clean, Some(false)),
        (CLEAN, "expect panic", clean, Some(false)),
        (LEAK, "", found, None),
        (LEAK, "expect clean", clean, Some(true)),
        (LEAK, "expect leaked-guard", clean, Some(true)),
        (LEAK_AND_STUCK, "expect stuck", found, Some(true)),
        (LEAK_AND_STUCK, "expect lost-wakeup", found, Some(true)),
        (
            LEAK_AND_STUCK,
            "expect lost-wakeup, leaked-guard",
            found,
            Some(true),
        ),
        (HANDED_OVER, "expect clean", clean, Some(true)),
        (HANDED_OVER, "expect foreign-release", clean, Some(true)),
        (PANIC, "expect misuse", found, Some(true)),
        (PANIC, "expect stuck", found, Some(false)),
        (PANIC_AND_STUCK, "expect misuse", found, Some(true)),
        (PANIC_AND_STUCK, "expect panic", found, Some(false)),
        (SLOW, "expect clean", found, Some(false)),
        (SLOW, "expect slow-under-lock", found, Some(true)),
        (SLOW, "expect misuse", found, Some(false)),
        (SPINS, "expect clean", clean, Some(true)),
        (SPINS, "expect starvation", found, Some(true)),
        (SPINS, "expect stuck", clean, Some(false)),
        (SPINS_AND_STUCK, "expect stuck", found, Some(true)),
    ];
    for (source, expect, verdict, expected) in table {
        let (scenario, answer) = answer(&format!("{expect}\n{source}"));
        let judgement = judge(&scenario, &answer, false);
        assert_eq!(
            (judgement.verdict, judgement.expected),
            (verdict, expected),
            "{expect}\n{source}\n{answer:?}"
        );
    }
}

#[test]
fn liveness_counts_starvation() {
    for (source, expect, verdict, expected) in [
        (SPINS, "expect clean", Verdict::Found, false),
        (SPINS_AND_STUCK, "expect stuck", Verdict::Found, true),
        (SPINS_AND_STUCK, "expect misuse", Verdict::Found, false),
        (SPINS_AND_PANIC, "expect misuse", Verdict::Found, true),
        (SPINS_AND_PANIC, "expect panic", Verdict::Found, false),
        (CLEAN, "expect clean", Verdict::Clean, true),
    ] {
        let (scenario, answer) = answer(&format!("{expect}\n{source}"));
        let judgement = judge(&scenario, &answer, true);
        assert_eq!(judgement.verdict, verdict, "{source}");
        assert_eq!(judgement.expected, Some(expected), "{source}");
    }
}

#[test]
fn a_loop_without_a_step_is_an_error_that_names_the_place() {
    for (source, place) in [
        ("thread spinner { nop; loop { } }", "loop"),
        (
            "thread spinner { while 1 == 1 { $x += 1 } }",
            "while 1 == 1",
        ),
        (
            "thread spinner { loop { choose { case: case: } } }",
            "choose",
        ),
        (
            "var x\nthread a { x = 1 }\nthread spinner { await x == 1; loop { $x = 1 } }",
            "loop",
        ),
    ] {
        let (scenario, answer) = answer(source);
        let failure = answer.error.clone().expect(source);
        assert_eq!(failure.thread, "spinner");
        let at = &source[failure.statement as usize..];
        // Anywhere in the loop will do.
        assert!(at.contains('}') && source.contains(place), "{failure:?}");
        assert!(failure.to_string().contains("`spinner`"), "{failure}");
        assert!(!answer.complete);
        let judgement = judge(&scenario, &answer, false);
        assert_eq!(judgement.verdict, Verdict::Error);
        assert_eq!(judgement.expected, None);
    }
}

#[test]
fn a_long_loop_of_local_arithmetic_is_none() {
    let (_, answer) = answer("thread a { while $i < 10000 { $i += 1 } }");
    assert_eq!(answer.error, None);
    assert!(answer.complete);
}

#[test]
fn what_has_no_end_of_states_is_incomplete_and_what_was_found_stays() {
    let counts = "expect clean\nvar x\nthread a { loop { x += 1 } }";
    let fills = "expect clean\nchannel c\nthread a { loop { send c 1 } }";
    let limits = Limits {
        states_max: 1_000,
        bytes_max: 20_000,
        ..Limits::default()
    };
    for source in [counts, fills] {
        let scenario = parse(source).expect("a scenario");
        let answer = search(&scenario, &limits);
        assert!(!answer.complete, "{source}");
        assert!(answer.incomplete_reason.is_some(), "{source}");
        assert!(answer.states <= 1_010, "{source}");
        let judgement = judge(&scenario, &answer, false);
        assert_eq!(judgement.verdict, Verdict::Incomplete, "{source}");
        assert_eq!(judgement.expected, None, "{source}");
        // The same beside a panic that is met early.
        let both = format!("{source}\nthread b {{ panic \"p\" }}");
        let scenario = parse(&both).expect("a scenario");
        let answer = search(&scenario, &limits);
        assert!(!answer.complete, "{both}");
        let judgement = judge(&scenario, &answer, false);
        assert_eq!(judgement.verdict, Verdict::Found, "{both}");
        assert_eq!(judgement.expected, Some(false), "{both}");
    }
}

#[test]
fn nobody_is_stuck_for_whom_the_rest_of_an_incomplete_search_may_do_something() {
    let source = "var x\nthread a { await x == 500 }\nthread b { loop { x += 1 } }";
    let scenario = parse(source).expect("a scenario");
    let limits = Limits {
        states_max: 100,
        ..Limits::default()
    };
    let answer = search(&scenario, &limits);
    assert!(!answer.complete && answer.stuck.is_empty() && answer.codes.is_empty());
}

#[test]
fn more_threads_than_fit_into_one_set() {
    let mut scenario = parse("daemon thread d { park }\nthread z { park }").expect("a scenario");
    let daemon = scenario.threads[0].clone();
    scenario.threads.splice(1..1, vec![daemon; 69]);
    let answer = search(&scenario, &Limits::default());
    assert!(answer.complete);
    assert_eq!(answer.stuck.len(), 1);
    assert_eq!(answer.stuck.first().map(|stuck| stuck.thread), Some(70));
}

#[test]
fn figures_of_a_small_graph() {
    // Two steps each, in any order: a grid of 3 by 3.
    let (_, answer) = answer("thread a { nop; nop }\nthread b { nop; nop }");
    assert_eq!(
        (answer.states, answer.transitions, answer.depth),
        (9, 12, 4)
    );
    assert!(!answer.endless);
    assert_eq!(answer.terminal.len(), 1);
}
