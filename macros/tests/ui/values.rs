//! Values of the wrong type or out of range are errors where they stand.

#[gordian::test(engine = loom)]
fn no_quotes() {}

#[gordian::test(steps_max = "many")]
fn text_for_a_number() {}

#[gordian::test(steps_max = 0)]
fn no_steps() {}

#[gordian::test(preemptions_max = -1)]
fn negative() {}

#[gordian::test(steps_max = 5_000_000_000)]
fn too_large() {}

#[gordian::test(executions_max = 1.5)]
fn half_an_execution() {}

#[gordian::test(time_max = "2 hours")]
fn unknown_unit() {}

#[gordian::test(time_max = 0)]
fn no_time() {}

#[gordian::test(time_max = true)]
fn no_number() {}

#[gordian::test(expect = 5)]
fn number_for_a_code() {}

#[gordian::test(seed = 1 + 1, engine = 2)]
fn all_errors_at_once() {}

fn main() {}
