//! Seeds: inputs that once showed something, and what they still have to show.
//!
//! Knows where they lie. Does not print.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use crate::{TARGETS, Target};

/// Where the seeds lie: a directory for each target.
pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../seeds")
}

/// The seeds of a target, by name.
///
/// # Errors
/// When the directory cannot be read, with its name.
pub fn seeds(target: &Target) -> Result<Vec<PathBuf>, String> {
    let directory = directory().join(target.name);
    let failed = |error| format!("{}: {error}", directory.display());
    let entries = fs::read_dir(&directory).map_err(failed)?;
    let paths = entries.map(|entry| Ok(entry.map_err(failed)?.path()));
    let mut paths: Vec<PathBuf> = paths.collect::<Result<_, String>>()?;
    paths.sort();
    Ok(paths)
}

/// What is to be replayed: `[TARGET] [FILE]…` as a command line has it. Without a target all seeds
/// of all targets, without a file all of that one.
///
/// # Errors
/// When there is no such target, with the names of those that there are, or no file to replay.
pub fn wanted(args: &[String]) -> Result<Vec<(&'static Target, PathBuf)>, String> {
    let mut wanted = Vec::new();
    let Some((name, files)) = args.split_first() else {
        for target in TARGETS {
            wanted.extend(seeds(target)?.into_iter().map(|path| (target, path)));
        }
        return nonempty(wanted);
    };
    let target = TARGETS.iter().find(|target| target.name == name);
    let Some(target) = target else {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        let names = names.join(", ");
        return Err(format!("no target is named `{name}`: there are {names}"));
    };
    let files: Vec<PathBuf> = match files {
        [] => seeds(target)?,
        files => files.iter().map(PathBuf::from).collect(),
    };
    wanted.extend(files.into_iter().map(|path| (target, path)));
    nonempty(wanted)
}

/// A replay of nothing would always be green.
fn nonempty<T>(wanted: Vec<T>) -> Result<Vec<T>, String> {
    match wanted.is_empty() {
        true => Err("there is no seed: name a file".to_owned()),
        false => Ok(wanted),
    }
}

/// Whether the property holds for the file. Where it does not, its panic has said why.
///
/// # Errors
/// When the file cannot be read, with its name.
pub fn holds(target: &Target, file: &Path) -> Result<bool, String> {
    let bytes = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let check = target.check;
    Ok(catch_unwind(|| check(&bytes)).is_ok())
}
