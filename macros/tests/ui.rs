//! What the attribute refuses, and in which words: one file per kind of mistake.

#[test]
fn mistakes_are_answered() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
