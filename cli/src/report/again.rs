//! `cargo gordian report`: renders a run again from what was kept of it.
//!
//! Knows where a run is kept, and how a page is opened. Does not run anything.

use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::events::Results;
use super::files::{EVENTS, Format, render};
use crate::args::{Open, ReportArgs};
use crate::cargo::Project;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::output::{Event, Output};

/// The whole subcommand. Its exit code says whether it could render, not what the run came to.
///
/// # Errors
/// When the run cannot be read or a file cannot be written.
pub(crate) fn again(args: &ReportArgs, output: &mut Output) -> Result<ExitCode, Error> {
    let project = Project::at(args.manifest_path.as_deref());
    let kept = match (&args.file, &project) {
        (Some(file), _) => file.clone(),
        (None, Ok(project)) => project.output_directory().join(EVENTS),
        (None, Err(_)) => return Err(project.err().expect("it is one")),
    };
    let text = fs::read_to_string(&kept).map_err(|error| {
        let hint = "`cargo gordian test` writes it";
        Error::Usage(format!(
            "{} cannot be read ({error}): {hint}",
            kept.display()
        ))
    })?;
    let results = Results::read(&text)
        .map_err(|reason| Error::Usage(format!("{}: {reason}", kept.display())))?;
    let directory = kept
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new(".")).to_path_buf();
    let root = project.map_or_else(|_| directory.clone(), |project| project.root());
    let formats = match args.format.as_slice() {
        [] => &Format::ALL[..],
        some => some,
    };
    let mut page = None;
    for &format in formats {
        let written = render(&directory, &results, format, &root)?;
        if format == Format::Html {
            page = written.first().cloned();
        }
        for path in &written {
            output.event(&Event::Text(&format!("{}\n", path.display())));
        }
    }
    if let Some(page) = page.filter(|_| wanted(args.open)) {
        open(&page)?;
    }
    Ok(ExitCode::Clean)
}

/// Whether a browser is to be opened: where a person sits in front of it, if not said otherwise.
fn wanted(open: Open) -> bool {
    match open {
        Open::Yes => true,
        Open::No => false,
        Open::Auto => {
            std::env::var_os("CI").is_none()
                && std::io::stdout().is_terminal()
                && std::io::stderr().is_terminal()
        }
    }
}

/// Opens a page as the system does it, and does not wait for it.
fn open(page: &PathBuf) -> Result<(), Error> {
    let (program, first): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("cmd", &["/C", "start", ""])
    } else {
        ("xdg-open", &[])
    };
    Command::new(program)
        .args(first)
        .arg(page)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(drop)
        .map_err(Error::internal(program))
}
