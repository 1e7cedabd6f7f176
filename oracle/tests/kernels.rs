//! Every kernel has the answer that its file says.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use gordian::scenario::parse;
use gordian_oracle::{Limits, judge, search};

fn kernels() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/kernels");
    let mut files: Vec<PathBuf> = fs::read_dir(&directory)
        .expect("the directory of kernels")
        .map(|entry| entry.expect("a kernel").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "gordian")
        })
        .collect();
    files.sort();
    files
}

#[test]
fn every_kernel_is_as_its_file_says() {
    let files = kernels();
    assert_eq!(files.len(), 373);
    let mut wrong: BTreeMap<String, String> = BTreeMap::new();
    for file in files {
        let name = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let source = fs::read_to_string(&file).expect("a readable kernel");
        let begin = Instant::now();
        let scenario = match parse(&source) {
            Ok(scenario) => scenario,
            Err(error) => {
                wrong.insert(name, error.to_string());
                continue;
            }
        };
        let answer = search(&scenario, &Limits::default());
        let judgement = judge(&scenario, &answer, false);
        if std::env::var_os("VERBOSE").is_some() {
            eprintln!(
                "{:8} states {:6} ms {:?} {name}",
                answer.states,
                begin.elapsed().as_millis(),
                answer.codes
            );
        }
        if judgement.expected != Some(true) || !answer.complete {
            wrong.insert(
                name,
                format!(
                    "expects {:?}, but finds {:?}, stuck {:?}, complete {}, error {:?}",
                    scenario.expect, answer.codes, answer.stuck, answer.complete, answer.error
                ),
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
