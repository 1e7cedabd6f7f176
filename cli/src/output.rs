//! Everything that people and programs see.
//!
//! Knows the streams and which renderer is asked for. One [`Event`] feeds all of them, and none
//! reads anything else. Nothing outside of this module writes to stdout or stderr, but cargo, which
//! builds.

mod canvas;
mod gate;
mod human;
pub(crate) mod json;
mod prose;
mod scenario;
pub(crate) mod source;
mod steps;
mod table;
mod words;

use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use gordian::Report;
use gordian::report::{Finding, Progress, Step};

pub(crate) use prose::report as sentences;

use crate::args::{Color, MessageFormat, View};
use crate::error::Error;
use crate::gate::Judgement;
use crate::models::Model;
use crate::outcome::scenario::{Checked, Checks, Refusal};
use crate::outcome::{Outcome, Summary};
use crate::report::Kept;

/// Something worth telling.
pub(crate) enum Event<'a> {
    /// The models are known, and the first ones start.
    Started {
        /// All of them, those that are ignored too.
        models: &'a [Model],
        /// How many run at a time.
        workers: usize,
    },
    /// A model starts.
    Running(&'a Model),
    /// A model has been running for so long.
    Slow {
        /// Which.
        model: &'a Model,
        /// For how long at least.
        time: Duration,
    },
    /// How far the models are.
    Progress {
        /// Executions of those that have ended.
        executions: u64,
        /// Those that run.
        running: &'a [Pace<'a>],
        /// When the search of each is ended.
        time_max: Option<Duration>,
    },
    /// A model has ended.
    Ended(&'a Outcome),
    /// Something to be minded, of which nothing fails.
    Warning(&'a str),
    /// All models have ended.
    Finished {
        /// How they came out.
        summary: &'a Summary,
        /// What was kept of it.
        kept: Option<&'a Kept>,
    },
    /// The interleaving of a finding has been run again.
    Replayed {
        /// What came of it.
        outcome: &'a Outcome,
        /// The directory that the places of findings are relative to.
        root: &'a Path,
        /// The command that did it, if it is short.
        command: Option<&'a str>,
    },
    /// The interleaving of a finding in a scenario has been run again.
    ReplayedScenario {
        /// What came of it.
        result: &'a Checked,
        /// The command that did it, if it is short.
        command: Option<&'a str>,
    },
    /// A recorded run has been looked at.
    Predicted {
        /// What it could have come to; its model is the file.
        report: &'a Report,
        /// The text of the file.
        source: &'a str,
    },
    /// Somebody stands at a step of an interleaving.
    Step {
        /// All of them.
        steps: &'a [Step],
        /// The place of this one, from 0.
        at: usize,
        /// The directory that the places are relative to.
        root: &'a Path,
    },
    /// What is being done.
    Status {
        /// At most 12 columns.
        verb: &'a str,
        /// What it is done to.
        text: &'a str,
    },
    /// A gate has been judged.
    Judged {
        /// What came of it.
        judgement: &'a Judgement,
        /// What was kept of it.
        kept: Option<&'a Kept>,
    },
    /// Workflow commands for the CI system that this runs in.
    Annotations(&'a str),
    /// A file has been written that is worth opening.
    Written(&'a Path),
    /// Scenario files are known, and the first ones are checked.
    Checking {
        /// How many files.
        files: usize,
        /// How many are checked at a time.
        workers: usize,
    },
    /// A scenario file has been checked, or refused.
    Checked(&'a Checked),
    /// All scenario files have been checked.
    AllChecked {
        /// How they came out.
        checks: &'a Checks,
        /// What was kept of it.
        kept: Option<&'a Kept>,
    },
    /// A file is no scenario.
    Refused(&'a Refusal),
    /// A file has been laid out.
    Formatted(&'a str),
    /// A file is not laid out, and stays as it is.
    Untidy(&'a str),
    /// What was asked for, as text.
    Text(&'a str),
    /// The command could not be carried out.
    Failed(&'a Error),
}

/// How far a model is.
pub(crate) struct Pace<'a> {
    /// Which.
    pub(crate) model: &'a Model,
    /// What it last said, if it takes long enough to say anything.
    pub(crate) progress: Option<Progress>,
    /// For how long it has been running.
    pub(crate) time: Duration,
}

/// A finding drawn in colours, for as long as a text stands for all of its sources: its places, and
/// each of its steps.
pub(crate) fn drawings(
    finding: &Finding,
    source: &str,
    columns: usize,
    ascii: bool,
) -> Vec<String> {
    let canvas = canvas::Canvas {
        columns,
        ascii,
        prose: false,
    };
    let pictures = source::pictures(source, finding, canvas);
    let text: Rc<str> = Rc::from(source);
    let pages = (0..finding.steps.len())
        .map(|at| steps::page(&finding.steps, at, |_| Some(Rc::clone(&text))));
    pictures.into_iter().flatten().chain(pages).collect()
}

/// Turns events into what is seen.
trait Renderer {
    /// Shows an event at once.
    fn event(&mut self, event: &Event<'_>) -> io::Result<()>;

    /// Whether it shows how far things are while they go on.
    fn is_watched(&self) -> bool {
        false
    }
}

/// Where the events go.
pub(crate) struct Output {
    renderer: Box<dyn Renderer>,
    lost: bool,
}

impl Output {
    /// The output that the command line asks for. Sets the choice of colours for the process.
    pub(crate) fn new(view: &View) -> Self {
        let choice = match view.much.color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
        let renderer: Box<dyn Renderer> = match view.message_format {
            MessageFormat::Human => Box::new(human::Human::new(view)),
            MessageFormat::Json => Box::new(json::Json),
        };
        Output {
            renderer,
            lost: false,
        }
    }

    /// Shows an event.
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        match self.renderer.event(event) {
            // Whoever closed the pipe, such as `head`, has seen enough.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => self.lost = true,
            _ => {}
        }
    }

    /// Whether somebody sees how far things are while they go on.
    pub(crate) fn is_watched(&self) -> bool {
        self.renderer.is_watched()
    }

    /// Whether something could not be written.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost
    }
}
