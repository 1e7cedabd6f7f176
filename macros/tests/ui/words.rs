//! Unknown engines, strategies and codes are answered with the known ones.

#[gordian::test(engine = "lom")]
fn engine() {}

#[gordian::test(strategy = "hold_and_wait")]
fn strategy() {}

#[gordian::test(expect = "dead-lock")]
fn code() {}

#[gordian::test(expect = "deadlock, double-relase")]
fn second_code() {}

#[gordian::test(expect = "")]
fn no_code() {}

fn main() {}
