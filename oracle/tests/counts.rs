//! Numbers of traces that are known.

#[allow(dead_code, reason = "the tables of programs are in another test")]
mod common;

use std::fs;
use std::path::Path;

use common::answer;
use gordian::scenario::parse;
use gordian_oracle::traces;

#[test]
fn traces_are_counted() {
    for (source, count) in [
        // (Nk)! / (k!)^N
        ("mutex m\nthread t * 2 { repeat 2 { lock m; unlock m } }", 6),
        ("mutex m\nthread t * 3 { lock m; unlock m }", 6),
        (
            "mutex m\nthread t * 3 { repeat 2 { lock m; unlock m } }",
            90,
        ),
        (
            "mutex m, n\nthread a { lock m; unlock m }\nthread b { lock n; unlock n }",
            1,
        ),
        (
            "mutex m, n
             thread a { lock m; lock n; unlock n; unlock m }
             thread b { lock n; lock m; unlock m; unlock n }",
            3,
        ),
        ("var x\nthread a { x = 1 }\nthread b { $r = x }", 2),
        ("var x\nthread a { $r = x }\nthread b { $r = x }", 1),
        (
            "var x\nthread a { $r = x }\nthread b { $r = x }\nthread c { x = 1 }",
            4,
        ),
        ("thread a { nop; nop }\nthread b { nop; nop }", 1),
    ] {
        let (scenario, _) = answer(source);
        assert_eq!(traces(&scenario, 10_000), Some(count), "{source}");
    }
}

#[test]
fn what_is_not_of_locks_and_variables_is_not_counted() {
    for source in [
        "thread a { park }\nthread b { unpark a }",
        "thread a { choose { case: nop; case: } }",
        "thread a { loop { nop } }",
    ] {
        let (scenario, _) = answer(source);
        assert_eq!(traces(&scenario, 10_000), None, "{source}");
    }
}

#[test]
fn kernels_have_as_many_traces_as_their_files_say() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/kernels");
    let mut counted = 0;
    for entry in fs::read_dir(&directory).expect("the directory of kernels") {
        let path = entry.expect("a kernel").path();
        let Ok(source) = fs::read_to_string(&path) else {
            continue;
        };
        let Ok(scenario) = parse(&source) else {
            continue;
        };
        if let (Some(expected), Some(count)) =
            (scenario.expect_executions, traces(&scenario, 50_000))
        {
            assert_eq!(count, expected, "{}", path.display());
            counted += 1;
        }
    }
    assert!(counted >= 5, "{counted}");
}
