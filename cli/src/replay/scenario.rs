//! A finding of a scenario file, run again.
//!
//! Knows where the file is that a trace names. Does not know the language, nor what is in a token.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use gordian::report::Verdict;
use gordian::scenario::{Options, check};
use gordian::{Code, ReplayToken};

use super::{Found, Wish, among, chosen, steps, unusable};
use crate::args::{CheckArgs, ReplayArgs};
use crate::cargo::Project;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::outcome::scenario::{Checked, Findings};
use crate::output::{Event, Output};
use crate::scenario::{File, read};

/// `cargo gordian scenario check FILE --replay TOKEN|FILE`.
///
/// # Errors
/// When there is no token, or not one scenario.
pub(crate) fn of_command_line(
    args: &CheckArgs,
    source: &str,
    output: &mut Output,
) -> Result<ExitCode, Error> {
    let files = File::all(&args.files)?;
    let [file] = files.as_slice() else {
        return Err(Error::Usage(format!(
            "--replay takes one scenario, and there are {}",
            files.len()
        )));
    };
    if file.path.is_none() && source.trim() == "-" {
        let message = "stdin cannot be the scenario and the token".to_owned();
        return Err(Error::Usage(message));
    }
    let wish = Wish {
        source: source.trim(),
        finding: None,
        file: Some(&file.name),
    };
    let found = chosen(&wish, args.view.much.quiet, output)?;
    let again = Again {
        file,
        found: &found,
        root: Path::new(""),
        liveness: args.liveness,
        step: false,
        command: wish.command(),
    };
    again.run(output)
}

/// `cargo gordian replay FILE`, where the file is of a scenario.
///
/// # Errors
/// When the scenario is not there, or is asked for what only a test can do.
pub(super) fn of_a_file(
    args: &ReplayArgs,
    scenario: &str,
    found: &Found,
    output: &mut Output,
) -> Result<ExitCode, Error> {
    if args.emit_test {
        return Err(Error::Usage(format!(
            "a scenario is its own regression test: write `expect clean` into `{scenario}`, and \
             `cargo gordian scenario check` fails until the finding is gone"
        )));
    }
    let source = args.source.trim();
    let manifest = args.build.manifest.manifest_path.as_deref();
    let root = located(scenario, Path::new(source), manifest).ok_or_else(|| {
        Error::Usage(format!(
            "the finding is of the scenario `{scenario}`, which is not there; where it is now: \
             `cargo gordian scenario check FILE --replay {source}`"
        ))
    })?;
    // From here, as it would be typed; else from there, as the run named it.
    let here = std::env::current_dir().map_err(Error::internal("the current directory"))?;
    let path = root.join(scenario);
    let (file, root) = match path.strip_prefix(&here) {
        Ok(below) => (File::at(below.to_path_buf()), PathBuf::new()),
        Err(_) => {
            let name = scenario.to_owned();
            let path = Some(path);
            (File { name, path }, root)
        }
    };
    let wish = Wish {
        source,
        finding: args.finding.as_deref(),
        file: None,
    };
    let again = Again {
        file: &file,
        found,
        root: &root,
        liveness: false,
        step: args.step,
        command: wish.command(),
    };
    again.run(output)
}

/// The directory from which a run named a scenario: the root of its project, or where it was run.
/// It is one of those that the run was kept below, or this one, or the root of the project around
/// here.
fn located(scenario: &str, kept: &Path, manifest: Option<&Path>) -> Option<PathBuf> {
    let has_it = |directory: &&Path| directory.join(scenario).is_file();
    let here = std::env::current_dir().ok()?;
    let kept = kept.canonicalize().unwrap_or_else(|_| here.clone());
    let near = kept.ancestors().find(has_it);
    if let Some(root) = near.or_else(|| Some(here.as_path()).filter(has_it)) {
        return Some(root.to_path_buf());
    }
    let root = Project::at(manifest).ok()?.root();
    has_it(&root.as_path()).then_some(root)
}

/// A replay that is about to be run.
struct Again<'a> {
    file: &'a File,
    found: &'a Found,
    /// From where it has its name.
    root: &'a Path,
    /// Whether a thread that goes on for ever is a finding.
    liveness: bool,
    /// Whether to go through it step by step.
    step: bool,
    /// The command that does it, if it is short.
    command: Option<String>,
}

impl Again<'_> {
    fn run(self, output: &mut Output) -> Result<ExitCode, Error> {
        let token: ReplayToken = self.found.token.parse().map_err(unusable)?;
        let (source, scenario) = match read(self.file) {
            Ok(read) => read,
            Err(refusal) => {
                output.event(&Event::Refused(&refusal));
                return Ok(ExitCode::Usage);
            }
        };
        let start = Instant::now();
        let scenario = Arc::new(scenario);
        let starves = self.found.code.as_deref() == Some(Code::Starvation.as_str());
        let options = Options::default()
            .replay(token)
            .liveness(self.liveness || starves);
        let checked = check(&scenario, &self.file.name, &source, &options);
        let report = &checked.report;
        let result = Checked {
            file: self.file.name.clone(),
            findings: Ok(Findings {
                // One interleaving says nothing about that.
                expected: None,
                ..Findings::of(&checked, scenario, source)
            }),
            time: start.elapsed(),
        };
        let finding = among(report, self.found);
        if let Some(finding) = finding.filter(|_| self.step) {
            let stdin = io::stdin();
            let interactive = stdin.is_terminal() && io::stdout().is_terminal();
            steps::walk(finding, self.root, stdin.lock(), interactive, output)?;
        }
        output.event(&Event::ReplayedScenario {
            result: &result,
            command: self.command.as_deref(),
        });
        Ok(match finding {
            Some(_) => ExitCode::Findings,
            None if report.verdict == Verdict::Error => ExitCode::Usage,
            None => ExitCode::Clean,
        })
    }
}
