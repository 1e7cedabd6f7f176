//! The attribute leaves a mark in the binary, by which the command line finds models.

/// What the mark below says, in two parts: the whole of it must come from the attribute alone.
const MARK: [&str; 2] = ["gordian-model", ": marks::inner::marked\n"];

mod inner {
    #[gordian::test(vacuous = "allow")]
    fn marked() {}
}

#[test]
fn the_mark_names_the_crate_and_the_test() {
    let binary = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let mark = MARK.concat().into_bytes();
    let count = binary
        .windows(mark.len())
        .filter(|window| *window == mark)
        .count();
    assert!(count >= 1, "the mark is not in the binary");
}
