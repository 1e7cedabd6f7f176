//! The command line.
//!
//! Knows the flags and their types. Does not know what they do. Flags that cargo has too are
//! cargo's: same names, same meaning.

use std::ffi::OsString;
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use gordian::{Leftover, Strategy, Vacuous};

use crate::config::Day;
use crate::report::Format;

/// Finds deadlocks and lock misuse before they happen, and proves their absence
#[derive(Debug, Parser)]
#[command(
    name = "cargo-gordian",
    bin_name = "cargo gordian",
    version,
    max_term_width = 100
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Reads the process's command line; ends the process when it cannot be used.
    pub(crate) fn of_command_line() -> Self {
        Cli::parse_from(without_cargo(std::env::args_os()))
    }
}

/// cargo starts `cargo-gordian` with its own subcommand as the first argument.
fn without_cargo(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<_> = arguments.collect();
    if arguments.get(1).is_some_and(|first| first == "gordian") {
        arguments.remove(1);
    }
    arguments
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the models of a workspace and say what each of them proves
    Test(Box<TestArgs>),
    /// Run the models and scenarios of a workspace, and judge them by the project's policy
    Gate(Box<GateArgs>),
    /// Drive one model's schedules and choices by what they show, for a while
    Fuzz(Box<FuzzArgs>),
    /// Run the interleaving of a finding again, and step through it
    Replay(Box<ReplayArgs>),
    /// Say what a finding code means, with an example, and what to do about it
    Explain(ExplainCodeArgs),
    /// Render the reports of the last run again, or those of a run that was kept
    Report(ReportArgs),
    /// Say which deadlocks a recorded run could have had in another interleaving
    Predict(PredictArgs),
    /// Check, lay out or explain scenario files: lock protocols as text
    #[command(subcommand)]
    Scenario(ScenarioCommand),
}

/// What to do with scenario files.
#[derive(Debug, Subcommand)]
pub(crate) enum ScenarioCommand {
    /// Explore every interleaving and compare what is found with what the file expects
    Check(CheckArgs),
    /// Lay the files out: a statement a line, four blanks a block
    Fmt(FmtArgs),
    /// Say in prose what the files say
    Explain(ExplainArgs),
}

const TEST_EXAMPLES: &str = "\
Example: the models of package `bank` whose name has `transfer` in it, at most 30 s each
  cargo gordian test -p bank --time-max 30 transfer

Exit codes: 0 clean and complete, 2 usage, 4 nothing to run, 70 internal error,
  100 findings, 101 build failed, 106 incomplete or vacuous";

/// Flags of `cargo gordian test`.
#[derive(Debug, Args)]
#[command(after_help = TEST_EXAMPLES)]
pub(crate) struct TestArgs {
    /// Only models with one of these texts in their names
    #[arg(value_name = "FILTER")]
    pub(crate) filters: Vec<String>,
    /// How the workspace is built.
    #[command(flatten)]
    pub(crate) build: BuildArgs,
    /// How the models are searched.
    #[command(flatten)]
    pub(crate) search: SearchArgs,
    /// What the project says.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Start no further model after one has failed
    #[arg(long, overrides_with = "no_fail_fast")]
    pub(crate) fail_fast: bool,
    /// Run all models, whatever happens (the default)
    #[arg(long, overrides_with = "fail_fast")]
    pub(crate) no_fail_fast: bool,
    /// Run so many models at a time; as many as there are processors otherwise
    #[arg(long, value_name = "N")]
    pub(crate) test_threads: Option<NonZeroUsize>,
    /// How things are shown.
    #[command(flatten)]
    pub(crate) view: View,
    /// Options for the test binaries that choose tests, such as `--ignored` or `--skip NAME`
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) test_args: Vec<String>,
}

const GATE_EXAMPLES: &str = "\
Example: the second of four machines, and what all of them come to
  cargo gordian gate --profile ci --shard 2/4
  cargo gordian gate --profile ci --merge target/gordian/shards

Exit codes: 0 everything holds, 2 usage, or a check that could not be carried out,
  4 too few models or interleavings, 70 internal error, 100 findings, a baseline entry that is
  expired or unused, or a canary that was not found, 101 build failed, 106 incomplete or vacuous;
  of several the first of 70, 101, 2, 100, 4, 106";

/// Flags of `cargo gordian gate`.
#[derive(Debug, Args)]
#[command(after_help = GATE_EXAMPLES)]
pub(crate) struct GateArgs {
    /// How the workspace is built.
    #[command(flatten)]
    pub(crate) build: BuildArgs,
    /// How the models are searched.
    #[command(flatten)]
    pub(crate) search: SearchArgs,
    /// What the project says.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Only what has changed since this commit, and the packages that depend on it
    #[arg(long, value_name = "BASE", conflicts_with = "merge")]
    pub(crate) changed: Option<String>,
    /// Run only the K-th of N parts, and leave its results for --merge
    #[arg(long, value_name = "K/N", value_parser = parse_shard, conflicts_with = "merge")]
    pub(crate) shard: Option<Shard>,
    /// Run nothing: judge what all the shards have left in these directories or files
    #[arg(long, value_name = "DIR", num_args = 1..)]
    pub(crate) merge: Vec<PathBuf>,
    /// Run so many models at a time; as many as there are processors otherwise
    #[arg(long, value_name = "N")]
    pub(crate) test_threads: Option<NonZeroUsize>,
    /// How things are shown.
    #[command(flatten)]
    pub(crate) view: View,
    /// The day that baseline entries are compared with, for tests.
    #[arg(long, env = "GORDIAN_TODAY", hide = true)]
    pub(crate) today: Option<Day>,
}

/// One part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shard {
    /// Which, from 1.
    pub(crate) number: usize,
    /// Of how many.
    pub(crate) of: usize,
}

/// `2/4`.
fn parse_shard(text: &str) -> Result<Shard, String> {
    /// No run is worth more parts.
    const SHARDS_MAX: usize = 10_000;
    let numbers = text.split_once('/').and_then(|(number, of)| {
        let (number, of) = (number.parse().ok()?, of.parse().ok()?);
        Some(Shard { number, of })
    });
    let within = |shard: &Shard| (1..=shard.of).contains(&shard.number) && shard.of <= SHARDS_MAX;
    numbers
        .filter(within)
        .ok_or_else(|| "a part is written K/N: 1/4 is the first of four, 4/4 the last".to_owned())
}

const FUZZ_EXAMPLES: &str = "\
Example: ten minutes at a model that is too large to be explored
  cargo gordian fuzz -p bank transfer --time-max 10min

What showed something new is kept, and the next run begins with it.
Exit codes: 0 the time is over and nothing was found, which proves nothing, 2 usage, 4 no such
  model, 70 internal error, 100 findings, 101 build failed, 106 interrupted";

/// Flags of `cargo gordian fuzz`.
#[derive(Debug, Args)]
#[command(after_help = FUZZ_EXAMPLES)]
pub(crate) struct FuzzArgs {
    /// The model: its name, or a part of it that no other model's has
    #[arg(value_name = "MODEL")]
    pub(crate) model: String,
    /// How the workspace is built.
    #[command(flatten)]
    pub(crate) build: BuildArgs,
    /// For so long: seconds, or 2s, 500ms, 3min
    #[arg(long, value_name = "TIME", default_value = "60", value_parser = parse_duration)]
    pub(crate) time_max: Duration,
    /// End after so many executions, if that comes first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) executions_max: Option<u64>,
    /// The same executions again, given the same corpus; another seed each time otherwise
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Go on after the first error was found
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Where schedules are kept; target/gordian/corpus/MODEL otherwise
    #[arg(long, value_name = "DIR")]
    pub(crate) corpus: Option<PathBuf>,
    /// What the project says.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// How things are shown.
    #[command(flatten)]
    pub(crate) view: View,
}

const REPLAY_EXAMPLES: &str = "\
Example: step through the second finding of what a run wrote
  cargo gordian test --message-format json > run.jsonl
  cargo gordian replay run.jsonl --finding 2 --step

Exit codes: 0 replayed, and nothing is wrong any more, 2 usage, or a token that does not
  fit any model, 4 no model, 70 internal error, 100 the finding is there, 101 build failed";

/// Flags of `cargo gordian replay`.
#[derive(Debug, Args)]
#[command(after_help = REPLAY_EXAMPLES)]
pub(crate) struct ReplayArgs {
    /// A token (g2:…), or a file with tokens in it: a trace, a report, a log; `-` for stdin
    #[arg(value_name = "TOKEN|FILE")]
    pub(crate) source: String,
    /// Only models with one of these texts in their names
    #[arg(value_name = "FILTER")]
    pub(crate) filters: Vec<String>,
    /// Which of the file's findings: its number, its code, or the beginning of its fingerprint
    #[arg(long, value_name = "WHICH")]
    pub(crate) finding: Option<String>,
    /// Step by step: what each thread holds and waits for
    #[arg(long, conflicts_with = "emit_test")]
    pub(crate) step: bool,
    /// Print a regression test that replays it, instead of the finding
    #[arg(long)]
    pub(crate) emit_test: bool,
    /// How the workspace is built.
    #[command(flatten)]
    pub(crate) build: BuildArgs,
    /// What the project says.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// How it is drawn.
    #[command(flatten)]
    pub(crate) drawing: DrawingArgs,
    /// How much is said.
    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

const EXPLAIN_CODE_EXAMPLES: &str = "\
Example: what is a lost wake-up?
  cargo gordian explain lost-wakeup

Exit codes: 0 explained, 2 there is no such code";

/// Flags of `cargo gordian explain`.
#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_CODE_EXAMPLES)]
pub(crate) struct ExplainCodeArgs {
    /// A finding code, such as `deadlock`; without one all are listed
    #[arg(value_name = "CODE")]
    pub(crate) code: Option<String>,
    /// How much is said.
    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

const FILES_HELP: &str = "Scenario files; a directory stands for all *.gordian in it and below, \
                          `-` for stdin";

const CHECK_EXAMPLES: &str = "\
Example: all scenarios of a directory, for a program that reads the result
  cargo gordian scenario check --message-format json scenarios/

Exit codes: 0 all as expected, 2 a file cannot be read as a scenario, 4 no files,
  70 internal error, 100 not as expected, 106 incomplete; of several the first of
  70, 2, 100, 106";

/// Flags of `cargo gordian scenario check`.
#[derive(Debug, Args)]
#[command(after_help = CHECK_EXAMPLES)]
pub(crate) struct CheckArgs {
    #[arg(value_name = "FILE", required = true, help = FILES_HELP)]
    pub(crate) files: Vec<PathBuf>,
    /// Who runs next; unless given, searches by interleavings and by states take turns
    #[arg(long, env = "GORDIAN_STRATEGY", hide_env = true)]
    #[arg(value_parser = PossibleValuesParser::new(Strategy::ALL.iter().map(|(_, name)| *name)))]
    pub(crate) strategy: Option<String>,
    /// Search with the independent oracle too, and compare: a breadth-first search over all states
    #[arg(long)]
    pub(crate) oracle: bool,
    /// A thread that can go on for ever without coming to its end is a finding
    #[arg(long)]
    pub(crate) liveness: bool,
    /// End each file's search after so many executions
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) executions_max: Option<u64>,
    /// End each file's search after so much time: seconds, or 2s, 500ms, 3min [default: 1min]
    #[arg(long, value_name = "TIME", env = "GORDIAN_TIME_MAX", hide_env = true)]
    #[arg(value_parser = parse_duration)]
    pub(crate) time_max: Option<Duration>,
    /// What the project says.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Replay a finding instead: a token (g2:…), or a file with one in it; takes one scenario
    #[arg(long, value_name = "TOKEN|FILE")]
    #[arg(conflicts_with_all = ["strategy", "oracle", "executions_max", "time_max", "out"])]
    pub(crate) replay: Option<String>,
    /// Write the reports there; to target/gordian of the project around here otherwise, if any
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Check so many files at a time; as many as there are processors otherwise
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// How things are shown.
    #[command(flatten)]
    pub(crate) view: View,
}

const FMT_EXAMPLES: &str = "\
Example: are all files of a directory laid out?
  cargo gordian scenario fmt --check scenarios/

Exit codes: 0 done, or nothing to do, 2 a file cannot be read as a scenario, 4 no files,
  100 a file is not laid out (with --check; its name is on stdout)";

/// Flags of `cargo gordian scenario fmt`.
#[derive(Debug, Args)]
#[command(after_help = FMT_EXAMPLES)]
pub(crate) struct FmtArgs {
    #[arg(value_name = "FILE", required = true, help = FILES_HELP)]
    pub(crate) files: Vec<PathBuf>,
    /// Change nothing, and name the files that would change
    #[arg(long)]
    pub(crate) check: bool,
    /// How much is said.
    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

const EXPLAIN_EXAMPLES: &str = "\
Example: what does a file describe?
  cargo gordian scenario explain scenarios/kernels/classic_abba_gate_mutex.gordian

Exit codes: 0 explained, 2 a file cannot be read as a scenario, 4 no files";

/// Flags of `cargo gordian scenario explain`.
#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_EXAMPLES)]
pub(crate) struct ExplainArgs {
    #[arg(value_name = "FILE", required = true, help = FILES_HELP)]
    pub(crate) files: Vec<PathBuf>,
    /// How much is said.
    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

const REPORT_EXAMPLES: &str = "\
Example: the page of a run that CI kept, from its events
  cargo gordian report --format html downloads/events.jsonl

The files are written beside FILE, and their names to stdout.
Exit codes: 0 rendered, 2 usage or a file that cannot be read, 70 internal error";

/// Flags of `cargo gordian report`.
#[derive(Debug, Args)]
#[command(after_help = REPORT_EXAMPLES)]
pub(crate) struct ReportArgs {
    /// What was kept of the run; target/gordian/events.jsonl otherwise
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Only these formats; all of them otherwise
    #[arg(long, value_name = "FMT", value_delimiter = ',')]
    pub(crate) format: Vec<Format>,
    /// Open the page in a browser: on a terminal if not said otherwise
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) open: Open,
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    pub(crate) manifest_path: Option<PathBuf>,
    /// How much is said.
    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

const PREDICT_EXAMPLES: &str = "\
Example: a run that a recorder wrote as THREAD|OPERATION(OPERAND)|LOCATION lines
  cargo gordian predict run.std

Operations: acq rel req, r w, fork join, wait notify notifyAll, begin end dummy
Exit codes: 0 nothing predicted, 2 a file that is no recorded run, 70 internal error,
  100 another interleaving of the run deadlocks, 106 some circles were not tried";

/// Flags of `cargo gordian predict`.
#[derive(Debug, Args)]
#[command(after_help = PREDICT_EXAMPLES)]
pub(crate) struct PredictArgs {
    /// Recorded runs in the STD format; `-` for stdin
    #[arg(value_name = "TRACE", required = true)]
    pub(crate) traces: Vec<PathBuf>,
    /// Most threads in one deadlock [default: 5]
    #[arg(long, value_name = "N")]
    pub(crate) threads_max: Option<NonZeroUsize>,
    /// How things are shown.
    #[command(flatten)]
    pub(crate) view: View,
}

/// When to open a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Open {
    /// On a terminal that is not CI's.
    Auto,
    /// Always.
    Yes,
    /// Never.
    No,
}

/// Flags that are passed on to cargo.
#[derive(Clone, Debug, Args)]
pub(crate) struct BuildArgs {
    /// `-p`, `--workspace`, `--exclude`.
    #[command(flatten)]
    pub(crate) workspace: clap_cargo::Workspace,
    /// `--features` and its relatives.
    #[command(flatten)]
    pub(crate) features: clap_cargo::Features,
    /// `--manifest-path`.
    #[command(flatten)]
    pub(crate) manifest: clap_cargo::Manifest,
    /// Build with optimizations: slower to build, faster to explore
    #[arg(short, long)]
    pub(crate) release: bool,
    /// Require that Cargo.lock stays as it is
    #[arg(long)]
    pub(crate) locked: bool,
    /// Run without network access
    #[arg(long)]
    pub(crate) offline: bool,
}

/// How much is said, and in which colours: cargo's flags, which every subcommand has.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct ViewArgs {
    /// Only results: no progress
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// More: cargo's commands, and what the models print
    #[arg(short, long, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Coloring
    #[arg(long, value_name = "WHEN", env = "CARGO_TERM_COLOR", hide_env = true)]
    #[arg(default_value = "auto")]
    pub(crate) color: Color,
}

/// How things are shown by a subcommand that can find something.
#[derive(Clone, Debug, Args)]
pub(crate) struct View {
    /// How findings are drawn.
    #[command(flatten)]
    pub(crate) drawing: DrawingArgs,
    /// How much, and in which colours.
    #[command(flatten)]
    pub(crate) much: ViewArgs,
    /// For people, or one JSON object a line on stdout
    #[arg(long, value_name = "FMT", default_value = "human")]
    pub(crate) message_format: MessageFormat,
}

impl View {
    /// For people, drawn.
    pub(crate) fn plain(much: ViewArgs) -> Self {
        View {
            drawing: DrawingArgs::default(),
            much,
            message_format: MessageFormat::Human,
        }
    }
}

/// How findings are drawn.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct DrawingArgs {
    /// Draw with ASCII signs only
    #[arg(long)]
    pub(crate) ascii: bool,
    /// Findings as pictures, or as sentences for logs and screen readers
    #[arg(long, value_name = "KIND", default_value = "drawn")]
    pub(crate) report: ReportKind,
}

/// How a finding is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportKind {
    /// With its sources, a table and a cycle.
    #[default]
    Drawn,
    /// In sentences, without anything that is drawn.
    Plain,
}

/// Which configuration holds, and which of its profiles.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ConfigArgs {
    /// Settings of this profile; `default` and `ci` are always there
    #[arg(long, value_name = "NAME", env = "GORDIAN_PROFILE", hide_env = true)]
    // A script that names one can be told another.
    #[arg(overrides_with = "profile")]
    pub(crate) profile: Option<String>,
    /// The project's settings; .config/gordian.toml in the workspace's root otherwise
    #[arg(long, value_name = "PATH")]
    pub(crate) config_file: Option<PathBuf>,
}

/// Flags that take precedence over what a model says.
#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// What runs the threads
    #[arg(long, env = "GORDIAN_ENGINE", hide_env = true)]
    #[arg(value_parser = PossibleValuesParser::new(["controlled", "loom"]))]
    pub(crate) engine: Option<String>,
    /// Who runs next
    #[arg(long, env = "GORDIAN_STRATEGY", hide_env = true)]
    #[arg(value_parser = PossibleValuesParser::new(Strategy::ALL.iter().map(|(_, name)| *name)))]
    pub(crate) strategy: Option<String>,
    /// Only interleavings with at most so many preemptions
    #[arg(
        long,
        value_name = "N",
        env = "GORDIAN_PREEMPTIONS_MAX",
        hide_env = true
    )]
    pub(crate) preemptions_max: Option<u32>,
    /// Cut an execution off after so many steps
    #[arg(long, value_name = "N", env = "GORDIAN_STEPS_MAX", hide_env = true)]
    pub(crate) steps_max: Option<NonZeroU32>,
    /// Let a loop go so many rounds to no purpose before its thread waits for a change
    #[arg(long, value_name = "N", env = "GORDIAN_SPINS_MAX", hide_env = true)]
    pub(crate) spins_max: Option<u32>,
    /// Run so many executions again at the end, to see whether they go the same way (0: none)
    #[arg(long, value_name = "N", env = "GORDIAN_RERUNS", hide_env = true)]
    pub(crate) reruns: Option<u32>,
    /// Let each thread wake spuriously so many times in an execution
    #[arg(long, value_name = "N", env = "GORDIAN_SPURIOUS_MAX", hide_env = true)]
    pub(crate) spurious_max: Option<u32>,
    /// End each model's search after so many executions
    #[arg(
        long,
        value_name = "N",
        env = "GORDIAN_EXECUTIONS_MAX",
        hide_env = true
    )]
    pub(crate) executions_max: Option<NonZeroU64>,
    /// End each model's search after so much time: seconds, or 2s, 500ms, 3min
    #[arg(long, value_name = "TIME", env = "GORDIAN_TIME_MAX", hide_env = true)]
    #[arg(value_parser = parse_duration)]
    pub(crate) time_max: Option<Duration>,
    /// Give up when a model takes so long from one operation to the next
    #[arg(long, value_name = "TIME", env = "GORDIAN_STALL_MAX", hide_env = true)]
    #[arg(value_parser = parse_duration)]
    pub(crate) stall_max: Option<Duration>,
    /// Seed of the random strategies
    #[arg(long, value_name = "N", env = "GORDIAN_SEED", hide_env = true)]
    pub(crate) seed: Option<u64>,
    /// What becomes of threads that are left when an execution ends
    #[arg(long, env = "GORDIAN_LEFTOVER", hide_env = true)]
    #[arg(value_parser = PossibleValuesParser::new(Leftover::ALL.iter().map(|(_, name)| *name)))]
    pub(crate) leftover: Option<String>,
    /// Whether a model passes that proves nothing: without a lock of gordian, or any contention
    #[arg(long, env = "GORDIAN_VACUOUS", hide_env = true)]
    #[arg(value_parser = PossibleValuesParser::new(Vacuous::ALL.iter().map(|(_, name)| *name)))]
    pub(crate) vacuous: Option<String>,
}

impl SearchArgs {
    /// Those that are given, by the names that variables end in.
    pub(crate) fn named(&self) -> Vec<(&'static str, String)> {
        let text = |it: Option<u64>| it.map(|number| number.to_string());
        let seconds = |time: Duration| time.as_secs_f64().to_string();
        let settings = [
            ("ENGINE", self.engine.clone()),
            ("STRATEGY", self.strategy.clone()),
            ("PREEMPTIONS_MAX", text(self.preemptions_max.map(u64::from))),
            ("STEPS_MAX", text(self.steps_max.map(|it| it.get().into()))),
            ("SPINS_MAX", text(self.spins_max.map(u64::from))),
            ("RERUNS", text(self.reruns.map(u64::from))),
            ("SPURIOUS_MAX", text(self.spurious_max.map(u64::from))),
            (
                "EXECUTIONS_MAX",
                text(self.executions_max.map(NonZeroU64::get)),
            ),
            ("TIME_MAX", self.time_max.map(seconds)),
            ("STALL_MAX", self.stall_max.map(seconds)),
            ("SEED", text(self.seed)),
            ("LEFTOVER", self.leftover.clone()),
            ("VACUOUS", self.vacuous.clone()),
        ];
        let given = settings.into_iter();
        given
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}

/// When to write colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// When the stream is a terminal and no variable says otherwise.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// For whom the result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MessageFormat {
    /// For people.
    Human,
    /// For programs.
    Json,
}

/// `2`, `2.5`, `2s`, `500ms`, `3min`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let units = [("ms", 0.001), ("min", 60.0), ("s", 1.0)];
    let (number, unit) = units
        .into_iter()
        .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?.trim_end(), unit)))
        .unwrap_or((text, 1.0));
    let seconds: f64 = number
        .parse()
        .map_err(|_| "a time is written 30, 2.5, 2s, 500ms or 3min".to_owned())?;
    match Duration::try_from_secs_f64(seconds * unit) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err("the time must be above 0".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parsed(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(without_cargo(line.split(' ').map(OsString::from)))
    }

    #[test]
    fn the_command_line_is_consistent_and_fits() {
        Cli::command().debug_assert();
        let mut command = Cli::command();
        command.build();
        let test = command.find_subcommand_mut("test").unwrap();
        let mut helps = vec![test.render_help(), test.render_long_help()];
        for name in ["fuzz", "replay", "explain", "gate"] {
            let subcommand = command.find_subcommand_mut(name).unwrap();
            helps.extend([subcommand.render_help(), subcommand.render_long_help()]);
        }
        let report = command.find_subcommand_mut("report").unwrap();
        helps.extend([report.render_help(), report.render_long_help()]);
        let scenario = command.find_subcommand_mut("scenario").unwrap();
        for subcommand in scenario.get_subcommands_mut() {
            helps.extend([subcommand.render_help(), subcommand.render_long_help()]);
        }
        for line in helps
            .iter()
            .map(ToString::to_string)
            .collect::<String>()
            .lines()
        {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }

    fn tested(line: &str) -> Box<TestArgs> {
        match parsed(line).unwrap().command {
            Command::Test(args) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn both_names_of_the_program_work() {
        for line in [
            "cargo-gordian test -p bank",
            "cargo-gordian gordian test -p bank",
        ] {
            let args = tested(line);
            assert_eq!(args.build.workspace.package, ["bank"]);
        }
    }

    #[test]
    fn the_last_of_two_opposites_counts() {
        for (line, fail_fast) in [
            ("cargo-gordian test", false),
            ("cargo-gordian test --fail-fast", true),
            ("cargo-gordian test --fail-fast --no-fail-fast", false),
            ("cargo-gordian test --no-fail-fast --fail-fast", true),
        ] {
            let args = tested(line);
            assert_eq!(args.fail_fast, fail_fast, "{line}");
        }
    }

    #[test]
    fn wrong_values_are_answered_with_the_right_ones() {
        for (line, answer) in [
            ("cargo-gordian test --engine lom", "loom"),
            (
                "cargo-gordian test --strategy hold_and_wait",
                "hold-and-wait",
            ),
            ("cargo-gordian test --steps-max 0", "0"),
            ("cargo-gordian gate --shard 5/4", "K/N"),
            ("cargo-gordian gate --shard 0/4", "K/N"),
            ("cargo-gordian gate --merge a --shard 1/4", "--merge"),
            ("cargo-gordian gate --merge", "--merge <DIR>"),
            ("cargo-gordian gate --today tomorrow", "2026-12-31"),
            ("cargo-gordian test --time-max 0", "above 0"),
            ("cargo-gordian test --time-max soon", "500ms"),
            ("cargo-gordian test --tim-max 5", "--time-max"),
            ("cargo-gordian tst", "test"),
            ("cargo-gordian fuzz", "MODEL"),
            ("cargo-gordian fuzz drain --time-max 0", "above 0"),
            ("cargo-gordian fuzz drain --executions-max 0", "1.."),
            ("cargo-gordian fuzz drain --keep-goin", "--keep-going"),
            ("cargo-gordian replay", "TOKEN|FILE"),
            ("cargo-gordian replay g2::: --stepp", "--step"),
            (
                "cargo-gordian replay g2::: --step --emit-test",
                "--emit-test",
            ),
            ("cargo-gordian test --report drwn", "drawn"),
            ("cargo-gordian report --format htm", "html"),
            ("cargo-gordian report --open never", "no"),
            ("cargo-gordian scenario chek a.gordian", "check"),
            ("cargo-gordian scenario check", "FILE"),
            (
                "cargo-gordian scenario check --strategy brute a",
                "exhaustive",
            ),
            ("cargo-gordian scenario check --executions-max 0 a", "1.."),
            ("cargo-gordian scenario fmt --chck a", "--check"),
        ] {
            let error = parsed(line).unwrap_err().to_string();
            assert!(error.contains(answer), "{error}");
        }
    }

    #[test]
    fn times_have_units() {
        for (text, millis) in [
            ("2", 2_000),
            ("0.5", 500),
            ("500ms", 500),
            ("3min", 180_000),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)));
        }
        for text in ["", "-1", "inf", "NaN", "s", "2h"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
