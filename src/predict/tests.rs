//! Predictions against all reorderings of small runs, and the shapes that people know.

use std::collections::{BTreeSet, HashMap, HashSet};

use proptest::prelude::*;

use super::clocks::Clocks;
use super::cycles::Cycles;
use super::reach::{Reach, Rules};
use super::sections::Sections;
use super::*;
use crate::report::{Code, Severity, Verdict};
use crate::trace::{LockId, Recorded};

/// What is predicted: `error a b` for a circle of these locks that closes, `hazard a b` for one
/// that only might.
fn check(name: &str, events: &[&str], expected: &[&str]) {
    let text: Vec<_> = events
        .iter()
        .enumerate()
        .map(|(at, event)| format!("{event}|{at}"))
        .collect();
    let trace = Trace::parse_std(&text.join("\n")).expect(name);
    let report = predict(name, &trace, &Limits::default()).expect(name);
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            let severity = match finding.severity {
                Severity::Error => "error",
                Severity::Hazard => "hazard",
            };
            format!("{severity} {}", finding.objects.join(" "))
        })
        .collect();
    assert_eq!(found, expected, "{name}: {}", report.explain());
    let certain = expected.iter().any(|finding| finding.starts_with("error"));
    assert_eq!(report.verdict == Verdict::Found, certain, "{name}");
}

const AB: [&str; 4] = ["A|acq(x)", "A|acq(y)", "A|rel(y)", "A|rel(x)"];
const BA: [&str; 4] = ["B|acq(y)", "B|acq(x)", "B|rel(x)", "B|rel(y)"];

#[test]
fn two_orders_of_two_locks() {
    check("opposite", &[AB, BA].concat(), &["error x y"]);
    let same = ["B|acq(x)", "B|acq(y)", "B|rel(y)", "B|rel(x)"];
    check("the same", &[AB, same].concat(), &[]);
    let guarded = |thread: &str, inner: [&'static str; 4]| -> Vec<String> {
        let mut all = vec![format!("{thread}|acq(g)")];
        all.extend(inner.map(str::to_owned));
        all.push(format!("{thread}|rel(g)"));
        all
    };
    let both = [guarded("A", AB), guarded("B", BA)].concat();
    let both: Vec<&str> = both.iter().map(String::as_str).collect();
    check("under one guard", &both, &[]);
}

#[test]
fn causes_rule_circles_out() {
    let main = ["M|fork(A)"];
    let then = ["M|join(A)", "M|fork(B)"];
    check(
        "one after the other",
        &[&main[..], &AB, &then, &BA].concat(),
        &[],
    );
    check(
        "both forked",
        &[&["M|fork(A)", "M|fork(B)"][..], &AB, &BA].concat(),
        &["error x y"],
    );
    let told = [&AB[..], &["A|w(v)", "B|r(v)"], &BA].concat();
    check("told by a variable", &told, &[]);
    let not_told = [&AB[..], &["A|w(v)", "B|w(v)"], &BA].concat();
    check("written, not read", &not_told, &["error x y"]);
}

#[test]
fn a_lock_between_two_sections_leaves_a_hazard() {
    // B asks for its locks only after a section on `z` that comes after A's: no reordering that
    // keeps the order on `z` lets them meet, though nothing says that it has to be kept.
    let a = [
        "A|acq(x)", "A|acq(y)", "A|rel(y)", "A|rel(x)", "A|acq(z)", "A|rel(z)",
    ];
    let b = [
        "B|acq(z)", "B|rel(z)", "B|acq(y)", "B|acq(x)", "B|rel(x)", "B|rel(y)",
    ];
    check("sections apart", &[&a[..], &b].concat(), &["error x y"]);
    let inside = [
        "A|acq(x)", "A|acq(z)", "A|rel(z)", "A|acq(y)", "A|rel(y)", "A|rel(x)",
    ];
    check(
        "sections inside",
        &[&inside[..], &b].concat(),
        &["error x y"],
    );
    let a = [
        "A|acq(z)", "A|acq(x)", "A|acq(y)", "A|rel(y)", "A|rel(x)", "A|rel(z)",
    ];
    check("still in it", &[&a[..], &b].concat(), &["hazard x y"]);
}

#[test]
fn a_request_that_never_came_and_one_given_up() {
    let stuck = ["A|acq(x)", "B|acq(y)", "A|req(y)", "B|req(x)"];
    check("the run itself deadlocked", &stuck, &["error x y"]);
    let given_up = [
        "A|acq(x)", "A|req(y)", "A|rel(x)", "B|acq(y)", "B|acq(x)", "B|rel(x)",
    ];
    check("a time limit", &given_up, &[]);
}

#[test]
fn three_in_a_circle_and_re_entry() {
    let of = |thread: &str, first: &str, second: &str| -> Vec<String> {
        ["acq(1)", "acq(2)", "acq(2)", "rel(2)", "rel(2)", "rel(1)"]
            .map(|event| event.replace('1', first).replace('2', second))
            .map(|event| format!("{thread}|{event}"))
            .to_vec()
    };
    let all = [of("A", "x", "y"), of("B", "y", "z"), of("C", "z", "x")].concat();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    check("philosophers", &all, &["error x y z"]);
    check("one has left", &all[..12], &[]);
}

#[test]
fn a_wait_gives_its_lock_back() {
    let b = [
        "B|acq(y)",
        "B|acq(x)",
        "B|notify(x)",
        "B|rel(x)",
        "B|rel(y)",
    ];
    let before = ["A|acq(x)", "A|rel(x)", "A|wait(x)"];
    let after = ["A|req(x)", "A|acq(x)", "A|acq(y)", "A|rel(y)", "A|rel(x)"];
    check(
        "woken by the other",
        &[&before[..], &b, &after].concat(),
        &[],
    );
    let after = ["A|req(x)", "A|acq(x)", "A|acq(y)", "A|rel(y)", "A|rel(x)"];
    let other = ["C|acq(x)", "C|notify(x)", "C|rel(x)"];
    let b = ["B|acq(y)", "B|acq(x)", "B|rel(x)", "B|rel(y)"];
    check(
        "woken by a third",
        &[&before[..], &other, &b, &after].concat(),
        &["error x y"],
    );
}

#[test]
fn what_is_no_run_is_refused() {
    let cases = [
        (
            "A|acq(x)|1\nB|acq(x)|2",
            "line 2: `B` takes `x`, which `A` holds",
        ),
        (
            "A|rel(x)|1",
            "line 1: `A` releases `x`, which it does not hold",
        ),
        (
            "A|acq(x)|1\n\nB|rel(x)|1",
            "line 3: `B` releases `x`, which it does not hold",
        ),
        (
            "A|join(B)|1\nB|r(v)|2",
            "line 2: `B` acts after it was joined",
        ),
        (
            "B|r(v)|1\nA|fork(B)|2",
            "line 2: `B` has acted before it is forked",
        ),
        ("A|join(A)|1", "line 1: `A` joins itself"),
    ];
    for (text, message) in cases {
        let trace = Trace::parse_std(text).expect(text);
        let error = predict("t", &trace, &Limits::default()).expect_err(text);
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn what_was_not_tried_is_said() {
    let text: String = [AB, BA]
        .concat()
        .iter()
        .map(|event| format!("{event}|1\n"))
        .collect();
    let trace = Trace::parse_std(&text).unwrap();
    let limits = Limits {
        steps_max: 1,
        ..Limits::default()
    };
    let report = predict("t", &trace, &limits).unwrap();
    assert_eq!(report.verdict, Verdict::Incomplete);
    let limits = Limits {
        threads_max: 1,
        ..Limits::default()
    };
    let report = predict("t", &trace, &limits).unwrap();
    assert_eq!(report.verdict, Verdict::Incomplete);
    assert!(report.find(Code::LockOrder).is_none());
}

/// A run of up to four threads with up to four locks, two variables and forks, by a sequence of
/// choices: each event is one that was possible there.
fn run(choices: &[(u8, u8, u8)]) -> String {
    let mut held: [Vec<u8>; 4] = Default::default();
    let mut text = String::new();
    for &(who, what, which) in choices {
        let thread = usize::from(who % 4);
        let lock = which % 4;
        let free = !held.iter().any(|locks| locks.contains(&lock));
        let event = match what % 8 {
            0..=3 if free && held[thread].len() < 3 => {
                held[thread].push(lock);
                format!("acq(l{lock})")
            }
            4 | 5 if !held[thread].is_empty() => {
                let place = usize::from(which) % held[thread].len();
                format!("rel(l{})", held[thread].remove(place))
            }
            6 => format!("r(v{})", which % 2),
            7 => format!("w(v{})", which % 2),
            _ => continue,
        };
        text.push_str(&format!("T{thread}|{event}|{}\n", text.len()));
    }
    text
}

/// All states that reorderings reach: where each thread is, and who wrote each variable last. The
/// circles whose requests are all next in one of them, as sets of nodes.
fn meetings_by_brute_force(trace: &Trace, cycles: &Cycles, sections: &Sections) -> BTreeSet<usize> {
    let events = trace.events();
    let of_thread: Vec<Vec<usize>> = (0..trace.threads() as u32)
        .map(|thread| {
            (0..events.len())
                .filter(|&at| events[at].thread.0 == thread)
                .collect()
        })
        .collect();
    // What each read saw.
    let mut writers = HashMap::new();
    let mut saw = HashMap::new();
    for (at, event) in events.iter().enumerate() {
        match event.what {
            Recorded::Write(variable) => drop(writers.insert(variable, at)),
            Recorded::Read(variable) => drop(saw.insert(at, writers.get(&variable).copied())),
            _ => {}
        }
    }
    type State = (Vec<usize>, Vec<Option<usize>>);
    let mut met = BTreeSet::new();
    let mut seen: HashSet<State> = HashSet::new();
    let start: State = (vec![0; of_thread.len()], vec![None; trace.variables()]);
    let mut open = vec![start];
    while let Some(state) = open.pop() {
        if !seen.insert(state.clone()) {
            continue;
        }
        let (at, wrote) = &state;
        let next = |thread: usize| of_thread[thread].get(at[thread]).copied();
        for (number, cycle) in cycles.found.iter().enumerate() {
            let waits = |&node: &usize| {
                let node = &cycles.nodes[node];
                let next = next(node.thread.0 as usize);
                node.requests
                    .iter()
                    .any(|&request| Some(sections.requests[request].event) == next)
            };
            if cycle.iter().all(waits) {
                met.insert(number);
            }
        }
        let done = |event: usize| {
            let thread = events[event].thread.0 as usize;
            next(thread).is_none_or(|next| event < next)
        };
        let may_take = |lock: LockId, event: usize| {
            (0..events.len()).filter(|&other| done(other)).all(|other| {
                let free = sections.of_thread[events[other].thread.0 as usize]
                    .iter()
                    .find(|section| section.acquired == other && section.lock == lock)
                    .is_none_or(|section| section.released.is_some_and(done));
                // Sections on one lock keep their order.
                let in_order = events[other].what != Recorded::Acquire(lock) || other < event;
                free && in_order
            })
        };
        for thread in 0..of_thread.len() {
            let Some(event) = next(thread) else { continue };
            let mut wrote = wrote.clone();
            let possible = match events[event].what {
                Recorded::Acquire(lock) => may_take(lock, event),
                Recorded::Read(variable) => wrote[variable.0 as usize] == saw[&event],
                Recorded::Write(variable) => {
                    wrote[variable.0 as usize] = Some(event);
                    true
                }
                _ => true,
            };
            if possible {
                let mut at = at.clone();
                at[thread] += 1;
                open.push((at, wrote));
            }
        }
    }
    met
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

    /// Sound and complete: a circle is predicted exactly if some reordering that keeps what the
    /// definition says reaches it.
    #[test]
    fn what_is_predicted_is_what_reorderings_reach(
        choices in prop::collection::vec((0u8..3, any::<u8>(), any::<u8>()), 0..40),
    ) {
        let text = run(&choices);
        let trace = Trace::parse_std(&text).unwrap();
        let sections = Sections::of(&trace).unwrap();
        let clocks = Clocks::of(&trace).unwrap();
        let cycles = Cycles::of(&sections, &Limits::default());
        let reach = Reach::new(&trace, &clocks, &sections);
        let predicted: BTreeSet<usize> = (0..cycles.found.len())
            .filter(|&number| {
                let nodes: Vec<_> =
                    cycles.found[number].iter().map(|&node| &cycles.nodes[node]).collect();
                let met = reach.meeting(&nodes, Rules::OrderOfLocks);
                // What keeps more is not reached where what keeps less is not.
                assert!(met.is_none() || reach.meeting(&nodes, Rules::Causes).is_some());
                met.is_some()
            })
            .collect();
        let reached = meetings_by_brute_force(&trace, &cycles, &sections);
        prop_assert_eq!(predicted, reached, "{}", text);
    }

    /// No text makes the reader or the prediction panic, and what is written is read as the same.
    #[test]
    fn any_text_is_read_or_refused(
        lines in prop::collection::vec(
            prop_oneof![
                "[ABT0-9]{1,2}\\|(acq|rel|req|fork|join|wait|notify|r|w|end)\\([xyAB0-9]{1,2}\\)\\|[0-9]{1,2}",
                "\\PC{0,20}",
            ],
            0..30,
        ),
    ) {
        if let Ok(trace) = Trace::parse_std(&lines.join("\n")) {
            let written = trace.to_std();
            prop_assert_eq!(Trace::parse_std(&written).unwrap().to_std(), written);
            drop(predict("t", &trace, &Limits::default()));
        }
    }
}
