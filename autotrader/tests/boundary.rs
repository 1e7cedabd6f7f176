//! What the models prove is what the service runs: the same crate, the same source, with
//! parking_lot's locks instead of the checker's.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is built for a package: name, place or version, features.
fn built(package: &str, arguments: &[&str]) -> BTreeSet<(String, String, Vec<String>)> {
    let mut command = Command::new(env!("CARGO"));
    command.args([
        "tree",
        "--package",
        package,
        "--edges",
        "normal",
        "--prefix",
        "none",
    ]);
    command
        .args(["--format", "{p}|{f}", "--offline"])
        .args(arguments);
    let output = command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty());
    let built = lines.map(|line| {
        let (what, features) = line.split_once('|').unwrap();
        let (name, place) = what.split_once(' ').unwrap();
        let features = features.trim_end_matches(" (*)");
        let features = features.split(',').filter(|feature| !feature.is_empty());
        (
            name.to_owned(),
            place.trim().to_owned(),
            features.map(str::to_owned).collect(),
        )
    });
    built.collect()
}

/// The one package of this name.
fn the<'a>(
    built: &'a BTreeSet<(String, String, Vec<String>)>,
    name: &str,
) -> &'a (String, String, Vec<String>) {
    let mut found = built.iter().filter(|(found, ..)| found == name);
    let one = found.next().unwrap_or_else(|| panic!("no {name}"));
    assert_eq!(found.next(), None, "there is one {name}");
    one
}

#[test]
fn the_service_runs_the_crate_that_the_models_explore() {
    let service = built("autotrader", &[]);
    let models = built("model_tests", &[]);
    let (shipped, proved) = (the(&service, "autotrader"), the(&models, "autotrader"));
    assert_eq!(shipped.1, proved.1, "the same crate");
    assert!(shipped.2.iter().any(|feature| feature == "service"));
    assert_eq!(
        proved.2, [""; 0],
        "the models have the core and nothing else"
    );
    assert_eq!(the(&service, "gordian").1, the(&models, "gordian").1);
}

#[test]
fn the_checker_is_on_in_the_models_and_off_in_the_service() {
    let is_on = |package: &str, arguments: &[&str]| {
        let built = built(package, arguments);
        let (.., features) = the(&built, "gordian").clone();
        let checker = built.iter().any(|(name, ..)| name == "shuttle-engine");
        assert_eq!(checker, features.iter().any(|feature| feature == "model"));
        checker
    };
    assert!(is_on("model_tests", &[]));
    assert!(!is_on("autotrader", &[]));
    assert!(
        !is_on("autotrader", &["--all-features"]),
        "no feature of the service turns it on"
    );
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

#[test]
fn the_core_does_not_know_the_service() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let of_the_service = ["main.rs"];
    let mut core = sources(&source);
    core.retain(|path| !of_the_service.iter().any(|name| path.ends_with(name)));
    assert!(core.len() >= 7, "{core:?}");
    for path in core {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let mut code: Vec<_> = code.collect();
        if path.ends_with("lib.rs") {
            // The one door.
            let door = ["#[cfg(feature = \"service\")]", "pub mod service;"];
            let place = code.windows(2).position(|lines| lines == door);
            code.drain(place.unwrap()..place.unwrap() + 2);
        }
        for word in [
            "cfg(",
            "service",
            "std::time",
            "std::fs",
            "std::net",
            "tokio",
        ] {
            let found = code.iter().find(|line| line.contains(word));
            assert_eq!(
                found,
                None,
                "{}: the core is the same in every build",
                path.display()
            );
        }
    }
}
