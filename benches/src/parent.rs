//! Runs every program under every engine, each in a process of its own.
//!
//! Knows processes and bounds on time. Does not know what is measured, nor how it is shown.

use std::io::Read;
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::engines::{Count, Engine, Gordian, Loom, LoomStdArc, Measured, Outcome, Shuttle};
use crate::table::{self, Form};
use crate::{CHILD_FLAG, programs};

/// After so long a child stops by itself and says how far it came.
const TIME_MAX: Duration = Duration::from_secs(20);
/// Searches shorter than this are repeated for so long.
const SHORT: Duration = Duration::from_millis(20);
const REPEAT_MAX: Duration = Duration::from_millis(200);
/// After so much more it is killed.
const GRACE_MAX: Duration = Duration::from_secs(5);

/// The engines, Gordian first: the others are compared with it.
const ENGINES: [&str; 4] = ["gordian", "loom", "loom, std Arc", "shuttle"];

/// Measures everything and prints it.
pub(crate) fn run(form: Form) -> ExitCode {
    let mut rows = Vec::new();
    table::head(form);
    for program in programs::all::<Gordian>() {
        let mut reference = None;
        for engine in ENGINES {
            let measured = measure(program.name, engine);
            let row = table::Row::new(program.name, engine, program.traces, measured, &reference);
            table::line(form, &row);
            if reference.is_none() {
                reference = Some(row.measured.clone());
            }
            rows.push(row);
        }
    }
    let wasted = rows
        .iter()
        .filter(|row| row.engine == ENGINES[0] && !row.is_optimal())
        .count();
    if wasted > 0 {
        table::complain(&format!(
            "{wasted} programs took other than one execution per trace"
        ));
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// One program under one engine, in this process; the result goes to stdout as JSON.
pub(crate) fn run_child(program: &str, engine: &str) -> ExitCode {
    match engine {
        "gordian" => run_here::<Gordian>(program),
        "loom" => run_here::<Loom>(program),
        "loom, std Arc" => run_here::<LoomStdArc>(program),
        "shuttle" => run_here::<Shuttle>(program),
        _ => usage(engine),
    }
}

fn run_here<E: Engine>(name: &str) -> ExitCode {
    let Some(program) = programs::all::<E>()
        .into_iter()
        .find(|program| program.name == name)
    else {
        return usage(name);
    };
    let mut best = explore_once::<E>(program.model);
    let start = Instant::now();
    // What a process does once would weigh on a short search: its best time counts, for all.
    while best.seconds < SHORT.as_secs_f64() && start.elapsed() < REPEAT_MAX {
        let again = explore_once::<E>(program.model);
        if again.seconds < best.seconds {
            best = again;
        }
    }
    table::measured(&best);
    ExitCode::SUCCESS
}

fn explore_once<E: Engine>(model: fn()) -> Measured {
    let count = Count::new(TIME_MAX, |measured| {
        table::measured(&measured);
        std::process::exit(0);
    });
    let outcome = E::explore(model, std::sync::Arc::clone(&count));
    count.measured(outcome)
}

fn usage(word: &str) -> ExitCode {
    table::complain(&format!("there is no `{word}`"));
    ExitCode::from(2)
}

fn measure(program: &str, engine: &str) -> Measured {
    let start = Instant::now();
    match run_process(program, engine) {
        Ok((_, stdout)) if serde_json::from_str::<Measured>(&stdout).is_ok() => {
            serde_json::from_str(&stdout).expect("it was just read")
        }
        Ok((status, _)) => lost(start, format!("the process ended: {status}")),
        Err(error) => lost(start, error.to_string()),
    }
}

fn lost(start: Instant, how: String) -> Measured {
    let seconds = start.elapsed().as_secs_f64();
    Measured {
        executions: 0,
        operations: 0,
        seconds,
        outcome: Outcome::Aborted(how),
    }
}

fn run_process(program: &str, engine: &str) -> std::io::Result<(ExitStatus, String)> {
    let mut child = Command::new(std::env::current_exe()?)
        .args([CHILD_FLAG, program, engine])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // What an engine says while it fails is not for the table; the outcome has the essence.
        .stderr(Stdio::null())
        .spawn()?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if start.elapsed() > TIME_MAX + GRACE_MAX {
            child.kill()?;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let mut stdout = String::new();
    if let Some(mut pipe) = child.stdout.take() {
        // A child writes one line, which fits into the pipe: it never waits for this.
        pipe.read_to_string(&mut stdout)?;
    }
    Ok((status, stdout))
}
