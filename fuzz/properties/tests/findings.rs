//! The properties can fail: broken autotraders are found by strings of bytes that nobody chose.

use arbitrary::{Arbitrary, Unstructured};
use fuzz_properties::Situation;
use model_tests::table::{Row, SPECIMENS};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// Strings after which a specimen should have been found.
const STRINGS_MAX: usize = 2_000;

/// The number of strings after which the specimen is found, always the same.
fn found_after(specimen: &Row) -> Option<usize> {
    let mut runner = TestRunner::deterministic();
    (1..=STRINGS_MAX).find(|_| {
        let tree = vec(any::<u8>(), 0..200).new_tree(&mut runner);
        let bytes = tree.expect("nothing is rejected").current();
        let mut bytes = Unstructured::new(&bytes);
        let situation = Situation::arbitrary(&mut bytes).expect("any bytes are a situation");
        let report = situation.run(specimen.build, bytes.take_rest());
        !report.findings.is_empty()
    })
}

#[test]
fn specimens_are_found() {
    let lost: Vec<&str> = SPECIMENS
        .iter()
        .filter(|specimen| found_after(specimen).is_none())
        .map(|specimen| specimen.specimen)
        .collect();
    assert!(lost.is_empty(), "not found: {lost:?}");
}
