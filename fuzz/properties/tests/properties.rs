//! Each property holds for what proptest makes: strings of bytes of any kind, and seeds with
//! changes, which come further than those.
//!
//! `FUZZ_CASES` says how many strings each test takes.

use std::cell::Cell;
use std::env;
use std::fmt;
use std::fs;
use std::panic::{catch_unwind, resume_unwind};

use fuzz_properties::replay::seeds;
use fuzz_properties::{Seen, TARGETS, Target};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Cases of a test, unless the environment says otherwise.
const CASES: u32 = 192;

/// A change of a seed.
#[derive(Clone, Debug)]
enum Change {
    /// A byte becomes another.
    Replace(Index, u8),
    /// Bytes come in.
    Insert(Index, Vec<u8>),
    /// Bytes go.
    Delete(Index, usize),
    /// Bytes come twice.
    Double(Index, usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Replace(at, byte)),
        1 => (any::<Index>(), vec(any::<u8>(), 1..8)).prop_map(|(at, new)| Change::Insert(at, new)),
        1 => (any::<Index>(), 1..20_usize).prop_map(|(at, count)| Change::Delete(at, count)),
        1 => (any::<Index>(), 1..40_usize).prop_map(|(at, count)| Change::Double(at, count)),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let (Change::Replace(at, _)
        | Change::Insert(at, _)
        | Change::Delete(at, _)
        | Change::Double(at, _)) = change;
        let at = at.index(bytes.len() + 1);
        let until = |count: usize| (at + count).min(bytes.len());
        match change {
            Change::Replace(_, byte) => {
                if let Some(its) = bytes.get_mut(at) {
                    *its = *byte;
                }
            }
            Change::Insert(_, new) => drop(bytes.splice(at..at, new.iter().copied())),
            Change::Delete(_, count) => drop(bytes.drain(at..until(*count))),
            Change::Double(_, count) => {
                let twice = bytes[at..until(*count)].to_vec();
                bytes.splice(at..at, twice);
            }
        }
    }
    bytes
}

/// An input, written as one line.
struct Bytes(Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// What a target is tested with.
fn input(target: &Target) -> impl Strategy<Value = Bytes> + use<> {
    let paths = seeds(target).expect("the seeds can be read");
    let seeds: Vec<Vec<u8>> = paths
        .iter()
        .map(|path| fs::read(path).expect("a seed can be read"))
        .collect();
    let mutant =
        (select(seeds), vec(change(), 0..6)).prop_map(|(seed, changes)| changed(seed, &changes));
    prop_oneof![1 => vec(any::<u8>(), 0..400), 1 => mutant].prop_map(Bytes)
}

/// Tests a target, and demands that at least one of so many inputs comes to the end of the
/// property: where all are refused nothing is shown.
fn test(name: &str, one_in: u32) {
    let target = TARGETS
        .iter()
        .find(|target| target.name == name)
        .expect("there is such a target");
    let cases = env::var("FUZZ_CASES").map_or(CASES, |text| text.parse().expect("a number"));
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let (seen, tried, failed) = (Cell::new(0_u32), Cell::new(0_u32), Cell::new(None));
    // The same inputs in each run: how many of them come far is no matter of luck. Other inputs are
    // the fuzzers' business, and `FUZZ_CASES`'.
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, random);
    let result = runner.run(&input(target), |Bytes(bytes)| {
        tried.set(tried.get() + 1);
        match catch_unwind(|| (target.check)(&bytes)) {
            Ok(how_far) => seen.set(seen.get() + u32::from(how_far == Seen::All)),
            Err(why) => {
                failed.set(failed.get().or(Some(tried.get())));
                resume_unwind(why);
            }
        }
        Ok(())
    });
    if let Err(error) = result {
        let after = failed.get().unwrap_or_default();
        panic!("it fails for input number {after}, and then for smaller ones: {error}");
    }
    assert!(
        seen.get() >= cases / one_in,
        "only {} of {cases}",
        seen.get()
    );
}

#[test]
fn program_oracle() {
    test("program_oracle", 3);
}

#[test]
fn schedule_autotrader() {
    test("schedule_autotrader", 2);
}

#[test]
fn token_roundtrip() {
    test("token_roundtrip", 20);
}

#[test]
fn scenario_parser() {
    test("scenario_parser", 20);
}

#[test]
fn report_renderers() {
    test("report_renderers", 3);
}

#[test]
fn std_trace_parser() {
    test("std_trace_parser", 40);
}

#[test]
fn config_parser() {
    test("config_parser", 20);
}
