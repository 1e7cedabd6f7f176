//! Everything that people and programs see.
//!
//! Knows the streams and which renderer is asked for. One [`Event`] feeds all of them, and none
//! reads anything else. Nothing outside of this module writes to stdout or stderr, but cargo, which
//! builds.

mod human;
pub(crate) mod json;
pub(crate) mod source;
mod table;
mod words;

use std::io;
use std::path::Path;

use crate::args::{Color, MessageFormat, TestArgs};
use crate::error::Error;
use crate::models::Model;
use crate::outcome::{Outcome, Summary};

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
    /// A model has ended.
    Ended(&'a Outcome),
    /// All models have ended.
    Finished(&'a Summary),
    /// A file has been written that is worth opening.
    Written(&'a Path),
    /// A file has been rendered because somebody asked for it.
    Rendered(&'a Path),
    /// The command could not be carried out.
    Failed(&'a Error),
}

/// Turns events into what is seen.
trait Renderer {
    /// Shows an event at once.
    fn event(&mut self, event: &Event<'_>) -> io::Result<()>;
}

/// Where the events go.
pub(crate) struct Output {
    renderer: Box<dyn Renderer>,
    lost: bool,
}

impl Output {
    /// The output that the command line asks for. Sets the choice of colours for the process.
    pub(crate) fn new(args: &TestArgs) -> Self {
        paint(args.color);
        let renderer: Box<dyn Renderer> = match args.message_format {
            MessageFormat::Human => Box::new(human::Human::new(args.quiet, args.verbose > 0)),
            MessageFormat::Json => Box::new(json::Json),
        };
        Output {
            renderer,
            lost: false,
        }
    }

    /// The output for people.
    pub(crate) fn for_people(color: Color) -> Self {
        paint(color);
        Output {
            renderer: Box::new(human::Human::new(false, false)),
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

    /// Whether something could not be written.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost
    }
}

/// Sets the choice of colours for the process.
fn paint(color: Color) {
    let choice = match color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}
