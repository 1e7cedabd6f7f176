//! Names that are nearly right are answered with the right one.

#[gordian::test(max_steps = 5)]
fn bound_in_front() {}

#[gordian::test(Engine = "loom")]
fn capital() {}

#[gordian::test(colour = "red")]
fn nothing_like_it() {}

#[gordian::test(seed = 1, seed = 2)]
fn twice() {}

#[gordian::test(strategy)]
fn no_value() {}

#[gordian::test(seed: 1)]
fn colon() {}

#[gordian::test("deadlock")]
fn no_key() {}

fn main() {
    // What is wrong with an argument must not hide the function.
    bound_in_front();
}
