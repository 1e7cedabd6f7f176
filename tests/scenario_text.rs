//! Scenario files as text: what is read, what is refused, and how they are laid out.
#![cfg(feature = "scenario")]

use std::fs;
use std::path::{Path, PathBuf};

use gordian::scenario::{Scenario, explain, format, parse};
use serde_json::Value;

/// The scenario files of the repository, in the order of their names.
fn files(directory: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut paths: Vec<PathBuf> = fs::read_dir(root.join(directory))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "gordian"))
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

/// A scenario without the places where it is written.
fn meaning(scenario: &Scenario) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.remove("span");
                fields.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(scenario).unwrap();
    strip(&mut value);
    value
}

/// Formatting changes no meaning, and nothing the second time.
fn check_format(source: &str) {
    let before = parse(source).unwrap_or_else(|error| panic!("{error}\n{source}"));
    let tidy = format(source).unwrap();
    let after = parse(&tidy).unwrap_or_else(|error| panic!("{error}\n{tidy}"));
    assert_eq!(meaning(&before), meaning(&after), "{source}\n{tidy}");
    assert_eq!(format(&tidy).as_deref(), Ok(tidy.as_str()), "{source}");
    let comments = |text: &str| text.lines().filter(|line| line.contains('#')).count();
    assert_eq!(comments(source), comments(&tidy), "{source}\n{tidy}");
}

#[test]
fn every_kernel_is_read() {
    let kernels = files("kernels");
    assert_eq!(kernels.len(), 373);
    for (path, source) in kernels {
        let scenario = parse(&source).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(scenario.expect.is_some(), "{}", path.display());
        assert!(!scenario.threads.is_empty(), "{}", path.display());
        check_format(&source);
    }
}

const EVERYTHING: &str = include_str!("fixtures/every_statement.gordian");

/// Prose fits 80 columns, speaks of everything, and every step has a sentence.
fn check_prose(source: &str) {
    let scenario = parse(source).unwrap_or_else(|error| panic!("{error}\n{source}"));
    let text = explain(&scenario);
    let objects = scenario.objects.iter().map(|object| &object.name);
    let threads = scenario.threads.iter().map(|thread| &thread.name);
    for name in objects.chain(threads) {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(&format!("`{name}`")), "{name} in:\n{text}");
    }
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
        assert!(!line.ends_with(' '), "{line:?}");
        let step = line
            .trim_start()
            .split_once(". ")
            .filter(|(number, _)| number.parse::<u32>().is_ok());
        assert!(
            step.is_none_or(|(_, sentence)| sentence.len() > 3),
            "{text}"
        );
        assert!(!line.trim_end().ends_with(". ."), "{text}");
    }
}

#[test]
fn every_construct_is_read_laid_out_and_explained() {
    check_format(EVERYTHING);
    check_prose(EVERYTHING);
}

#[test]
fn comments_stay_where_they_belong() {
    for (source, tidy) in [
        // At the end of a case, of the cases, and of a block.
        (
            "thread t{choose{case:\n                  # of an empty case\n  case:\n   nop\n   # of the case\n  \
             # of the next\n  case:\n    nop\n  # of all\n}\nloop{\nbreak\n# of the loop\n}}",
            "thread t {\n    choose {\n        case:\n            # of an empty case\n        case:\n            \
             nop\n            # of the case\n        # of the next\n        case:\n            \
             nop\n        # of all\n    }\n    loop {\n        break\n        # of the loop\n    \
             }\n}\n",
        ),
        // Behind a line, and in the midst of one.
        (
            "# first\n\n\n\nthread t { # head\n\n  await ( # why\n   1) # last\n\n\n}  # end\n\n# after",
            "# first\n\nthread t {  # head\n    # why\n    await (1)  # last\n}  # end\n\n# after\n",
        ),
        // Blank lines: one between, none at the ends of blocks.
        (
            "\n\nmutex a;;\n;\n\nmutex b\n\nthread t\n{\n\nnop\n\n\nnop\n\n}\n\n\n",
            "mutex a\n\nmutex b\n\nthread t {\n    nop\n\n    nop\n}\n",
        ),
        (
            "\u{feff}mutex m\r\nthread t { # x\r\n}\r\n",
            "mutex m\nthread t {  # x\n}\n",
        ),
        ("thread t{}", "thread t {}\n"),
        (
            "thread t{repeat 2{}}# x",
            "thread t {\n    repeat 2 {}\n}  # x\n",
        ),
    ] {
        let formatted = format(source).unwrap_or_else(|error| panic!("{error}\n{source}"));
        assert_eq!(formatted, tidy, "{source}");
        check_format(source);
    }
}

#[test]
fn every_kernel_is_explained() {
    for (_, source) in files("kernels") {
        check_prose(&source);
    }
}

#[test]
fn the_scenarios_of_this_project_are_laid_out() {
    for directory in ["autotrader", "seeds"] {
        let files = files(directory);
        assert!(files.len() > 5, "{directory}");
        for (path, source) in files {
            let tidy =
                format(&source).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(tidy, source, "{}", path.display());
            check_format(&source);
            check_prose(&source);
        }
    }
}

#[test]
fn prose_reads_well() {
    let scenario = parse(EVERYTHING).unwrap();
    expect_test::expect_file!["fixtures/every_statement.txt"].assert_eq(&explain(&scenario));
    expect_test::expect_file!["fixtures/every_statement.tidy.gordian"]
        .assert_eq(&format(EVERYTHING).unwrap());
}
