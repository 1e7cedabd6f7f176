//! The seeds: what they once showed holds, and each says why it is there.

use std::collections::BTreeMap;
use std::fs;

use fuzz_properties::replay::{directory, holds, seeds, wanted};
use fuzz_properties::{Seen, TARGETS};

#[test]
fn properties_hold_for_all_seeds() {
    for (target, file) in wanted(&[]).unwrap() {
        assert!(
            holds(target, &file).unwrap(),
            "{}, {}: see above",
            target.name,
            file.display()
        );
    }
}

/// A target without a seed that comes to its end is never replayed in earnest.
#[test]
fn every_target_has_seeds_that_come_to_its_end() {
    for target in TARGETS {
        let seeds = seeds(target).unwrap();
        let good = seeds
            .iter()
            .filter(|path| (target.check)(&fs::read(path).unwrap()) == Seen::All);
        assert!(good.count() >= 2, "{}", target.name);
    }
}

/// `- target/seed: why`, for each seed, and for none that is gone.
#[test]
fn every_seed_has_its_line() {
    let index = fs::read_to_string(directory().join("README.md")).unwrap();
    let mut lines: BTreeMap<&str, &str> = index
        .lines()
        .filter_map(|line| line.strip_prefix("- `")?.split_once("`: "))
        .collect();
    for target in TARGETS {
        for seed in seeds(target).unwrap() {
            let name = seed.file_name().unwrap().to_str().unwrap();
            let name = format!("{}/{name}", target.name);
            let why = lines.remove(name.as_str());
            let why =
                why.unwrap_or_else(|| panic!("fuzz/seeds/README.md has no line for `{name}`"));
            assert!(why.split(' ').count() >= 3, "{name}: `{why}` is no reason");
        }
    }
    assert!(lines.is_empty(), "gone: {lines:?}");
}

/// Each directory is a target's: one that is misspelt would never be replayed.
#[test]
fn every_directory_is_a_target_s() {
    for entry in fs::read_dir(directory()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let known = TARGETS.iter().any(|target| target.name == name);
        assert!(known || name == "README.md", "{name}");
    }
}

/// The fuzzer's list of targets is this one.
#[test]
fn every_property_has_its_fuzz_target() {
    let fuzz = directory().join("..");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for target in TARGETS {
        let path = format!("fuzz_targets/{}.rs", target.name);
        assert!(manifest.contains(&format!("path = {path:?}")), "{path}");
        let source = fs::read_to_string(fuzz.join(&path)).unwrap();
        let call = format!("fuzz_properties::{}(bytes)", target.name);
        assert!(source.contains(&call), "{path} does not call {call}");
    }
}

/// A dictionary is a target's, and the fuzzer can read it: one that it cannot ends it at once.
#[test]
fn every_dictionary_can_be_read() {
    let dictionaries = directory().join("../dictionaries");
    let mut count = 0;
    for entry in fs::read_dir(dictionaries).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let known = TARGETS.iter().any(|target| target.name == name);
        assert!(known, "{name} is no target");
        for line in fs::read_to_string(&path).unwrap().lines() {
            let word = line
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'));
            let good = word.is_some_and(|word| !word.is_empty() && !word.contains('"'));
            assert!(good || line.starts_with('#'), "{name}: {line}");
        }
        count += 1;
    }
    assert!(count >= 2, "only {count} dictionaries");
}

#[test]
fn a_replay_of_nothing_is_refused() {
    let args = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
    let error = wanted(&args("no_such_target")).unwrap_err();
    assert!(error.contains("program_oracle"), "{error}");
    let one = wanted(&args("token_roundtrip no/such/file")).unwrap();
    assert_eq!(one.len(), 1);
    let error = holds(one[0].0, &one[0].1).unwrap_err();
    assert!(error.contains("no/such/file"), "{error}");
}
