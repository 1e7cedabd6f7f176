//! Every kernel has the answer that its file gives.

#[allow(dead_code, reason = "the tables of programs are in another test")]
mod common;

use std::fs;
use std::path::Path;

use common::answer;
use gordian_oracle::judge;

#[test]
fn every_kernel_is_as_its_file_says() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/kernels");
    let mut wrong = String::new();
    let mut kernels = 0;
    for entry in fs::read_dir(&directory).expect("the directory of kernels") {
        let path = entry.expect("a kernel").path();
        if path
            .extension()
            .is_none_or(|extension| extension != "gordian")
        {
            continue;
        }
        kernels += 1;
        let source = fs::read_to_string(&path).expect("a readable kernel");
        let (scenario, answer) = answer(&source);
        if judge(&scenario, &answer, false).expected != Some(true) || !answer.complete {
            wrong += &format!(
                "{}: expects {:?}, but is {answer:?}\n",
                path.display(),
                scenario.expect
            );
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert_eq!(kernels, 373);
}
