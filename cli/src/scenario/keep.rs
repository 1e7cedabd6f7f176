//! Where the reports of a check go, and what its files are called there.
//!
//! Knows directories. Does not know what is in a report.

use std::path::{Path, PathBuf};

use crate::cargo::Project;
use crate::error::Error;
use crate::outcome::scenario::Checks;
use crate::output::json;
use crate::report::{self, Kept};

/// Keeps a check in the directory that is asked for, else where the project around the current
/// directory keeps its own runs; not at all where there is no project.
///
/// # Errors
/// When the project, or a file, is there and cannot be used.
pub(super) fn keep(out: Option<&Path>, checks: &Checks) -> Result<Option<Kept>, Error> {
    let here = std::env::current_dir().map_err(Error::internal("the current directory"))?;
    let project = has_project(&here).then(|| Project::at(None));
    let (directory, root) = match (out, project) {
        (None, None) => return Ok(None),
        (None, Some(project)) => {
            let project = project?;
            (project.output_directory(), project.root())
        }
        (Some(out), Some(Ok(project))) => (out.to_path_buf(), project.root()),
        (Some(out), _) => (out.to_path_buf(), here),
    };
    let lines = json::scenario_lines(checks, |file| name(file, &root));
    let lines = lines.map_err(Error::internal("the events of the check"))?;
    report::keep(&directory, &root, &lines).map(Some)
}

/// Whether cargo would find a project from here: it asks nobody else.
fn has_project(here: &Path) -> bool {
    here.ancestors()
        .any(|above| above.join("Cargo.toml").is_file())
}

/// What a file is called in reports: its way from the root, as that of the sources of models is;
/// whole, if it is elsewhere.
fn name(file: &str, root: &Path) -> String {
    let whole = Path::new(file).canonicalize();
    let whole = whole.unwrap_or_else(|_| PathBuf::from(file));
    let root = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
    let way = whole.strip_prefix(&root).unwrap_or(&whole);
    let parts: Vec<_> = way
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    match way.is_relative() {
        true => parts.join("/"),
        false => way.display().to_string(),
    }
}
