//! Replays seeds, without a fuzzer: `[TARGET] [FILE]…`, or all seeds of all targets.
//!
//! Ends with 0 if all properties hold, 1 if one does not, 2 if there is nothing to replay.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a command")]

use std::process::ExitCode;

use fuzz_properties::replay::{holds, wanted};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match replay(&args) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failed) => {
            eprintln!("{failed} failed");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// How many failed.
fn replay(args: &[String]) -> Result<usize, String> {
    let mut failed = 0;
    for (target, file) in wanted(args)? {
        let good = holds(target, &file)?;
        let name = file.file_name().unwrap_or(file.as_os_str());
        let word = if good { "ok" } else { "FAILED" };
        println!("{} {} {word}", target.name, name.display());
        failed += usize::from(!good);
    }
    Ok(failed)
}
