//! `cargo gordian scenario`: files in the scenario language, checked, laid out, explained.
//!
//! Knows what is done with the files and in which order. Does not know the language
//! ([`gordian::scenario`] does) or how results look: it sends events to [`Output`].

mod check;
mod files;
mod keep;
mod oracle;

use std::fs;
use std::path::{Path, PathBuf};

use gordian::scenario::{ParseError, Scenario, explain as prose, format, parse_all};

use crate::args::{CheckArgs, ExplainArgs, FmtArgs};
use crate::cargo::Project;
use crate::config::Chosen;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::outcome::scenario::{Pane, Refusal};
use crate::output::{Event, Output};

pub(crate) use check::{Manner, run};
pub(crate) use files::File;

/// Checks files.
///
/// # Errors
/// When there is none; what the searches found is not an error but the exit code.
pub(crate) fn check(args: &CheckArgs, output: &mut Output) -> Result<ExitCode, Error> {
    let files = File::all(&args.files)?;
    let chosen = Chosen::of(&args.config, root().as_deref())?;
    let manner = Manner::of(args, &chosen.searching())?;
    let checks = run(&files, &manner, output)?;
    let kept = keep::keep(args.out.as_deref(), &checks);
    let (kept, not_kept) = match kept {
        Ok(kept) => (kept, None),
        // Nobody asked for reports, and the result is there.
        Err(error) if args.out.is_none() => (None, Some(error)),
        Err(error) => return Err(error),
    };
    output.event(&Event::AllChecked {
        checks: &checks,
        kept: kept.as_ref(),
    });
    if let Some(kept) = &kept {
        output.event(&Event::Written(&kept.page));
    }
    if let Some(error) = not_kept {
        let text = format!("no reports were written: {error}");
        output.event(&Event::Status {
            verb: "Note",
            text: &text,
        });
    }
    Ok(checks.exit_code())
}

/// The root of the workspace around the current directory. Scenarios need none, nor a cargo.
fn root() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let is_inside = here.ancestors().any(|up| up.join("Cargo.toml").exists());
    let project = is_inside.then(|| Project::at(None))?;
    project.ok().map(|project| project.root())
}

/// The files that a gate means: by their names from the root.
///
/// # Errors
/// When there is none.
pub(crate) fn files_below(root: &Path, paths: &[PathBuf]) -> Result<Vec<File>, Error> {
    let paths: Vec<PathBuf> = paths.iter().map(|path| root.join(path)).collect();
    let mut files = match paths.as_slice() {
        [] => Vec::new(),
        paths => File::all(paths)?,
    };
    for file in &mut files {
        let below = file
            .path
            .as_ref()
            .and_then(|path| path.strip_prefix(root).ok());
        if let Some(below) = below {
            // The same name on every system.
            let parts = below.iter().map(|part| part.to_string_lossy());
            file.name = parts.collect::<Vec<_>>().join("/");
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files.dedup_by(|a, b| a.name == b.name);
    Ok(files)
}

/// Lays files out, or says which are not.
///
/// # Errors
/// When there is none; one that is no scenario is not an error but the exit code.
pub(crate) fn fmt(args: &FmtArgs, output: &mut Output) -> Result<ExitCode, Error> {
    let mut code = ExitCode::Clean;
    for file in File::all(&args.files)? {
        match tidy(&file) {
            Err(refusal) => {
                output.event(&Event::Refused(&refusal));
                code = ExitCode::Usage;
            }
            Ok((before, after)) => {
                let name = &file.name;
                if args.check && before != after {
                    output.event(&Event::Untidy(name));
                    code = match code {
                        ExitCode::Clean => ExitCode::Findings,
                        worse => worse,
                    };
                } else if !args.check && file.path.is_none() {
                    output.event(&Event::Text(&after));
                } else if let Some(path) = file.path.as_ref().filter(|_| before != after) {
                    fs::write(path, after).map_err(Error::internal(name))?;
                    output.event(&Event::Formatted(name));
                }
            }
        }
    }
    Ok(code)
}

/// Says what files say.
///
/// # Errors
/// When there is none; one that is no scenario is not an error but the exit code.
pub(crate) fn explain(args: &ExplainArgs, output: &mut Output) -> Result<ExitCode, Error> {
    let files = File::all(&args.files)?;
    let several = files.len() > 1;
    let mut code = ExitCode::Clean;
    for (index, file) in files.iter().enumerate() {
        match read(file) {
            Ok((_, scenario)) => {
                let gap = if index > 0 { "\n" } else { "" };
                let head = match several {
                    true => format!("{gap}{}\n\n", file.name),
                    false => String::new(),
                };
                output.event(&Event::Text(&(head + &prose(&scenario))));
            }
            Err(refusal) => {
                output.event(&Event::Refused(&refusal));
                code = ExitCode::Usage;
            }
        }
    }
    Ok(code)
}

/// A file's text, and the scenario that it is.
pub(crate) fn read(file: &File) -> Result<(String, Scenario), Box<Refusal>> {
    let source = file.read()?;
    match parse_all(&source) {
        Ok(scenario) => Ok((source, scenario)),
        Err(errors) => Err(refused(file, &source, &errors)),
    }
}

/// A file's text, as it is and laid out.
fn tidy(file: &File) -> Result<(String, String), Box<Refusal>> {
    let source = file.read()?;
    match format(&source) {
        Ok(tidy) => Ok((source, tidy)),
        Err(error) => {
            let errors = parse_all(&source).err().unwrap_or_else(|| vec![error]);
            Err(refused(file, &source, &errors))
        }
    }
}

/// All that is wrong with a file, behind the first of it.
fn refused(file: &File, source: &str, errors: &[ParseError]) -> Box<Refusal> {
    let one = |error: &ParseError| {
        let span = error.span();
        Refusal {
            file: file.name.clone(),
            message: error.message().to_owned(),
            pane: Some(Pane {
                source: source.to_owned(),
                span: span.start as usize..span.end as usize,
                line: error.line(),
                column: error.column(),
                label: error.expected().map(|what| format!("expected {what}")),
            }),
            hint: error.hint().map(str::to_owned),
            defect: false,
            more: Vec::new(),
        }
    };
    let mut all = errors.iter().map(one);
    let first = all.next().expect("a text that is refused has an error");
    Box::new(Refusal {
        more: all.collect(),
        ..first
    })
}
