//! The README's example, run as it stands there: what it says is printed is what is printed.

mod common;

use std::fs;
use std::path::Path;

use common::{command, fixture, target, turn};

/// The code block of the README that begins with this line.
fn block<'a>(readme: &'a str, first_line: &str) -> &'a str {
    let blocks = readme.split("\n```").skip(1).step_by(2);
    let contents = blocks.filter_map(|block| block.split_once('\n').map(|(_, text)| text));
    let found = contents.filter(|text| text.lines().next() == Some(first_line));
    found
        .last()
        .unwrap_or_else(|| panic!("the README has no block that begins `{first_line}`"))
}

/// Without what differs from run to run: times, and the spaces that align them.
fn timeless(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_time = |word: &str| {
            word.strip_suffix('s')
                .unwrap_or(word)
                .parse::<f64>()
                .is_ok()
        };
        let timeless = words.iter().map(|&word| {
            if is_time(word) && word.contains('.') {
                "TIME"
            } else {
                word
            }
        });
        timeless.collect::<Vec<_>>().join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_prints_what_the_readme_says() {
    let _turn = turn();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("there is a workspace");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let bank = fixture("bank");
    fs::create_dir_all(bank.join("tests")).unwrap();
    let link = bank.join("target");
    if !link.exists() {
        fs::create_dir_all(target()).unwrap();
        std::os::unix::fs::symlink(target(), link).unwrap();
    }
    let test = block(&readme, "// tests/transfers.rs");
    fs::write(bank.join("tests/transfers.rs"), test).unwrap();

    for (source, printed, code) in [
        ("// src/lib.rs", "FAIL bank::transfers both_ways", 100),
        (
            "// src/lib.rs, without nesting",
            "bank::transfers  interleavings  threads",
            0,
        ),
    ] {
        fs::write(bank.join("src/lib.rs"), block(&readme, source)).unwrap();
        // Reports go where they go at a user's, and the commands name them as there.
        let output = command(&bank, "test")
            .env_remove("CARGO_TARGET_DIR")
            .output()
            .unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{stdout}");
        let said = readme
            .split("```text\n")
            .find(|text| text.starts_with(printed))
            .unwrap_or_else(|| panic!("`{printed}` is not in the README; it is\n{stdout}"));
        let said = said.split("\n```").next().unwrap();
        assert!(
            timeless(&stdout).contains(&timeless(said)),
            "the README must say\n{stdout}"
        );
    }
}
