//! Every accepted form of the attribute, as models that run.

use std::sync::Arc;

use gordian::sync::Mutex;
use gordian::thread;

/// Two threads that add to one counter: two interleavings.
fn count_with(threads: usize) {
    let count = Arc::new(Mutex::new(0));
    let handles: Vec<_> = (0..threads)
        .map(|_| {
            let count = Arc::clone(&count);
            thread::spawn(move || *count.lock() += 1)
        })
        .collect();
    for handle in handles {
        handle.join().unwrap();
    }
    assert_eq!(*count.lock(), threads);
}

fn opposite_orders() {
    let locks = Arc::new((Mutex::new(()), Mutex::new(())));
    let other = Arc::clone(&locks);
    let thread = thread::spawn(move || {
        let _second = other.1.lock();
        let _first = other.0.lock();
    });
    let first = locks.0.lock();
    let second = locks.1.lock();
    drop((first, second));
    thread.join().unwrap();
}

#[gordian::test]
fn no_arguments() {
    count_with(2);
}

#[gordian::test()]
fn empty_arguments() {
    count_with(2);
}

#[gordian::test(
    engine = "controlled",
    strategy = "pct",
    steps_max = 1_000,
    executions_max = 50,
    time_max = "30s",
    seed = 0xC0FFEE
)]
fn every_argument_that_goes_together() {
    count_with(2);
}

#[gordian::test(preemptions_max = 1, time_max = 30.5)]
fn bounded() {
    count_with(2);
}

#[gordian::test(expect = "deadlock")]
fn an_expected_finding_is_a_pass() {
    opposite_orders();
}

#[gordian::test(expect = "deadlock, panic", time_max = 30)]
fn several_expected_findings() {
    opposite_orders();
    if gordian::any() {
        panic!("in some interleavings");
    }
}

#[gordian::test]
#[should_panic(expected = "deadlock")]
fn an_unexpected_finding_fails_the_test() {
    opposite_orders();
}

#[gordian::test(expect = "double-release")]
#[should_panic(expected = "double-release")]
fn a_missing_finding_fails_the_test() {
    count_with(2);
}

#[gordian::test]
#[ignore = "shows that the attribute below another stays in force"]
fn ignored() {
    panic!("an ignored model must not run");
}

#[gordian::test]
#[cfg(any())]
fn not_compiled() {
    this_is_not_rust_that_compiles();
}

/// There is one `#[test]` in the end.
#[gordian::test]
#[test]
fn test_attribute_below() {
    count_with(2);
}

#[gordian::test]
fn body_may_return_a_result() -> Result<(), Box<dyn std::error::Error>> {
    count_with("2".parse()?);
    Ok(())
}

#[gordian::test]
#[should_panic(expected = "no such luck")]
fn returned_errors_are_findings() -> Result<(), String> {
    Err("no such luck".to_owned())
}

mod nested {
    /// `super` in the body is the module's, not the function's.
    #[gordian::test]
    fn paths_mean_what_they_say() {
        super::count_with(2);
    }
}
