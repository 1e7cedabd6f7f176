//! `cargo gordian gate`: runs the models and scenarios of a workspace and judges them by the
//! project's policy.
//!
//! Knows in which order things are done. Does not know what a rule asks for (`judge.rs`), what has
//! changed (`changed.rs`), how parts of a run are put together (`shard.rs`), nor how the verdict
//! looks: it sends events to [`Output`].

mod changed;
mod github;
mod judge;
mod lines;
mod shard;

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::args::{BuildArgs, GateArgs};
use crate::cargo::{self, Project};
use crate::config::{Canary, Chosen, Day, Policy};
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::models::{self, Model};
use crate::output::{Event, Output};
use crate::process::Interrupt;
use crate::run::{Plan, explore, variables, warn};
use crate::{report, scenario};
use changed::Changes;
use judge::count as counted;
pub(crate) use judge::{Judgement, Scope, Verdict, executions};

/// The whole subcommand.
///
/// # Errors
/// When the gate could not be carried out; what it found is not an error but the exit code.
pub(crate) fn gate(args: &GateArgs, output: &mut Output) -> Result<ExitCode, Error> {
    let judged = judged(args, output);
    let told = match &judged {
        Ok(judgement) => github::tell(judgement, output),
        Err(error) => github::tell_of_failure(error, output),
    };
    let judgement = judged?;
    told?;
    Ok(judgement.exit_code())
}

/// What was run, here or elsewhere, as lines of `events.jsonl`.
struct Gathered {
    /// A line for each model and scenario, in their order.
    lines: Vec<Value>,
    scope: Scope,
    time: Duration,
    interrupted: bool,
}

fn judged(args: &GateArgs, output: &mut Output) -> Result<Judgement, Error> {
    let project = Project::find(&args.build)?;
    let root = project.root();
    let chosen = Chosen::of(&args.config, Some(&root))?;
    let policy = chosen.policy();
    let gathered = if args.merge.is_empty() {
        warn(&project, output);
        let job = Job {
            args,
            project: &project,
            chosen: &chosen,
            policy: &policy,
            interrupt: Interrupt::on_signals().map_err(Error::internal("signals"))?,
        };
        job.run(output)?
    } else {
        shard::merge(&args.merge, &root, &policy.profile)?
    };
    let today = args.today.unwrap_or_else(Day::today);
    let judgement = judge::judge(gathered, &policy, today, root)?;
    let directory = project.output_directory();
    let kept = report::keep(&directory, &judgement.root, &judgement.lines);
    output.event(&Event::Judged {
        judgement: &judgement,
        kept: kept.as_ref().ok(),
    });
    output.event(&Event::Written(&kept?.page));
    Ok(judgement)
}

/// A run on this machine.
struct Job<'a> {
    args: &'a GateArgs,
    project: &'a Project,
    chosen: &'a Chosen,
    policy: &'a Policy,
    interrupt: Interrupt,
}

impl Job<'_> {
    fn run(&self, output: &mut Output) -> Result<Gathered, Error> {
        let start = Instant::now();
        let root = self.project.root();
        let mut files = scenario::files_below(&root, &self.policy.scenarios)?;
        let changes = match &self.args.changed {
            Some(base) => {
                let paths = files.iter().filter_map(|file| file.path.as_deref());
                Some(Changes::since(base, &root)?.with_scenarios(paths))
            }
            None => None,
        };
        let mut left_out = Vec::new();
        let packages = self.packages(changes.as_ref(), &mut left_out);
        if let Some(changes) = &changes {
            let all = files.len();
            if !changes.touch_the_search(self.project) {
                files.retain(|file| changes.has(&root.join(&file.name)));
            }
            let count = all - files.len();
            left_out.extend((count > 0).then(|| counted(count, "scenario")));
        }
        let mut models = self.models(packages)?;
        let items: Vec<String> = models
            .iter()
            .map(Model::title)
            .chain(files.iter().map(|file| lines::title_of_file(&file.name)))
            .collect();
        if let Some(shard) = self.args.shard {
            let mut numbers = 0..;
            let mut is_mine = || numbers.next().is_some_and(|at| shard::is_part(at, shard));
            models.retain(|_| is_mine());
            files.retain(|_| is_mine());
        }
        let (lines, interrupted) = self.explored(&models, &files, output)?;
        let gathered = Gathered {
            lines,
            scope: Scope {
                shard: self.args.shard,
                changed: changes.map(|changes| changes.base),
                left_out,
            },
            time: start.elapsed(),
            interrupted,
        };
        if self.args.shard.is_some() {
            let settings = variables(&self.args.search, &self.chosen.searching());
            let part = shard::Part::of(&gathered, items, settings, &self.policy.profile, &root);
            let path = part.write(&self.project.output_directory())?;
            output.event(&Event::Status {
                verb: "Part",
                text: &format!("{}; `--merge` judges the whole", path.display()),
            });
        }
        Ok(gathered)
    }

    /// The packages to build, if not those that cargo would choose; none at all when nothing in
    /// any has changed.
    fn packages(&self, changes: Option<&Changes>, left_out: &mut Vec<String>) -> Vec<String> {
        let workspace = &self.args.build.workspace;
        let said = if workspace.package.is_empty() {
            &self.policy.packages
        } else {
            &workspace.package
        };
        let Some(changes) = changes else {
            return said.clone();
        };
        let candidates = match said.is_empty() {
            true => self.project.users(),
            false => said.clone(),
        };
        let affected = changes.affected(&self.project.members());
        // Without the canary nothing proves that the gate can fail.
        let canary = canary(self.policy).and_then(|title| title.split([' ', ':']).next());
        let (run, rest): (Vec<String>, Vec<String>) = candidates
            .into_iter()
            .partition(|name| affected.contains(name) || canary == Some(name));
        left_out.extend(rest.into_iter().map(|name| format!("package {name}")));
        run
    }

    fn models(&self, packages: Vec<String>) -> Result<Vec<Model>, Error> {
        if self.args.changed.is_some() && packages.is_empty() {
            return Ok(Vec::new());
        }
        let mut build: BuildArgs = self.args.build.clone();
        let is_whole = build.workspace.workspace || build.workspace.all;
        if self.args.changed.is_some() || !is_whole {
            build.workspace.package = packages;
            build.workspace.workspace = false;
            build.workspace.all = false;
        }
        let binaries = cargo::build(&build, self.args.view.much, self.project, &self.interrupt)?;
        let mut models = models::discover(binaries, &[], &[])?;
        for model in &mut models {
            // It is ignored so that no other run has to fail for it.
            if canary(self.policy) == Some(&model.title()) {
                model.ignored = false;
            }
        }
        Ok(models)
    }

    fn explored(
        &self,
        models: &[Model],
        files: &[scenario::File],
        output: &mut Output,
    ) -> Result<(Vec<Value>, bool), Error> {
        let searching = self.chosen.searching();
        let mut lines = Vec::new();
        let mut interrupted = self.interrupt.is_raised();
        let mut done = 0;
        if !models.is_empty() {
            let plan = Plan {
                models,
                variables: variables(&self.args.search, &searching),
                time_max: self.args.search.time_max,
                workers: self.args.test_threads,
                fail_fast: false,
                canary: canary(self.policy).map(String::as_str),
            };
            let summary = explore(&plan, self.project, &self.interrupt, output)?;
            interrupted |= summary.interrupted;
            for outcome in &summary.outcomes {
                lines.push(lines::of_outcome(outcome)?);
            }
        }
        if !files.is_empty() && !interrupted {
            let manner = scenario::Manner::of_gate(
                &self.args.search,
                &searching,
                self.policy.oracle,
                self.args.test_threads,
                self.interrupt.clone(),
            )?;
            let checks = scenario::run(files, &manner, output)?;
            for checked in &checks.results {
                lines.push(lines::of_checked(checked)?);
            }
            // They are in the order of the files.
            done = checks.results.len();
        }
        let rest = files[done..].iter();
        lines.extend(rest.map(|file| lines::of_file_not_run(&file.name)));
        Ok((lines, interrupted || self.interrupt.is_raised()))
    }
}

/// The title of the model that must be found.
fn canary(policy: &Policy) -> Option<&String> {
    match &policy.canary {
        Some(Canary::Model(title)) => Some(title),
        Some(Canary::None) | None => None,
    }
}
