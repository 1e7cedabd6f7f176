//! `cargo gordian`.
fn main() {}
