//! The reference counts: an exhaustive search takes exactly one execution per Mazurkiewicz trace.
//!
//! The numbers are published (POPL'14, CAV'18, the regression suites of Nidhugg, GenMC and
//! SimGrid) or follow from a closed form. The definitions of the programs are in
//! `model_tests::programs::families`; that they are the right ones is checked by an oracle that
//! knows nothing of Gordian.

use std::time::{Duration, Instant};

use gordian::report::{Code, Report};
use gordian::{Checker, Strategy};
use model_tests::programs::families::{self, Manners};
use model_tests::programs::{self, Program};

/// A program and what must come out.
struct Row {
    name: String,
    program: Program,
    traces: u64,
    deadlocked: u64,
}

/// `name` with its parameters, and per set of parameters the traces and the deadlocked ones.
fn family<const N: usize>(
    name: &str,
    build: impl Fn([usize; N]) -> Program,
    counts: &[([usize; N], u64, u64)],
) -> Vec<Row> {
    let row = |&(parameters, traces, deadlocked): &([usize; N], u64, u64)| Row {
        name: format!("{name} {parameters:?}"),
        program: build(parameters),
        traces,
        deadlocked,
    };
    counts.iter().map(row).collect()
}

/// (N·k)! / (k!)^N, and 1 where no lock is shared.
fn locks() -> Vec<Row> {
    let mut rows = family(
        "threads × rounds on one lock",
        |[threads, rounds]| families::one_lock(threads, rounds),
        &[
            ([2, 1], 2, 0),
            ([3, 1], 6, 0),
            ([4, 1], 24, 0),
            ([5, 1], 120, 0),
            ([2, 2], 6, 0),
            ([2, 3], 20, 0),
            ([2, 4], 70, 0),
            ([3, 2], 90, 0),
            ([3, 3], 1_680, 0),
            ([4, 2], 2_520, 0),
            ([3, 4], 34_650, 0),
            ([8, 1], 40_320, 0),
            ([5, 2], 113_400, 0),
        ],
    );
    rows.extend(family(
        "threads × rounds on own locks",
        |[threads, rounds]| families::own_locks(threads, rounds),
        &[
            ([2, 1], 1, 0),
            ([3, 2], 1, 0),
            ([4, 2], 1, 0),
            ([10, 1], 1, 0),
            ([10, 10], 1, 0),
        ],
    ));
    rows.extend(family("AB-BA", |[]| families::ab_ba(), &[([], 3, 1)]));
    rows.extend(family(
        "lock2inc",
        |[threads]| families::two_nested(threads),
        &[([2], 2, 0), ([3], 6, 0)],
    ));
    rows.extend(family(
        "lock-inplace3",
        |[]| families::lock_inplace3(),
        &[([], 4, 4)],
    ));
    rows.extend(family(
        "ticks, resets and resumes",
        |[ticks, resets, resumes]| families::tick_reset_resume(ticks, resets, resumes),
        &[
            ([1, 1, 1], 30, 0),
            ([1, 2, 1], 105, 0),
            ([2, 1, 1], 62, 0),
            ([2, 2, 2], 2_034, 0),
        ],
    ));
    rows
}

fn philosophers() -> Vec<Row> {
    let seated =
        |manners| move |[seats, rounds]: [usize; 2]| families::philosophers(manners, seats, rounds);
    let once = |counts: &[(usize, u64, u64)]| -> Vec<_> {
        let count = |&(seats, traces, deadlocked)| ([seats, 1], traces, deadlocked);
        counts.iter().map(count).collect()
    };
    let powers: Vec<_> = (2..=10).map(|seats| (seats, (1 << seats) - 1, 1)).collect();
    let mut rows = family("philosophers naive", seated(Manners::Naive), &once(&powers));
    let powers: Vec<_> = (2..=10).map(|seats| (seats, (1 << seats) - 2, 0)).collect();
    rows.extend(family(
        "philosophers ordered",
        seated(Manners::Ordered),
        &once(&powers),
    ));
    rows.extend(family(
        "philosophers naive",
        seated(Manners::Naive),
        &[
            ([2, 2], 11, 5),
            ([3, 2], 106, 16),
            ([4, 2], 831, 45),
            ([3, 3], 1_951, 271),
            ([5, 2], 5_851, 121),
            ([6, 2], 38_786, 320),
        ],
    ));
    rows.extend(family(
        "philosophers ordered",
        seated(Manners::Ordered),
        &[
            ([2, 2], 6, 0),
            ([3, 2], 90, 0),
            ([4, 2], 786, 0),
            ([3, 3], 1_680, 0),
            ([4, 3], 61_340, 0),
        ],
    ));
    rows.extend(family(
        "philosophers with a host",
        seated(Manners::Host),
        &once(&[
            (2, 2, 0),
            (3, 6, 0),
            (4, 24, 0),
            (5, 120, 0),
            (6, 720, 0),
            (7, 5_040, 0),
        ]),
    ));
    rows.extend(family(
        "philosophers who give up",
        seated(Manners::Try),
        &once(&[(2, 7, 0), (3, 25, 0), (4, 79, 0), (5, 241, 0), (6, 727, 0)]),
    ));
    rows
}

fn tries_and_keepers() -> Vec<Row> {
    let mut rows = family(
        "try and unlock",
        |[threads]| families::try_and_unlock(threads),
        &[([2], 4, 0), ([3], 24, 0), ([4], 192, 0)],
    );
    rows.extend(family(
        "try and keep",
        |[threads]| families::try_and_keep(threads),
        &[([2], 2, 0), ([3], 6, 0), ([4], 24, 0)],
    ));
    rows.extend(family(
        "lock against tries",
        |[tries]| families::lock_against_tries(tries),
        &[([1], 3, 0), ([2], 16, 0), ([3], 120, 0)],
    ));
    rows.extend(family(
        "mutex_deadlock",
        |[threads]| families::lock_and_keep(threads, 0..threads),
        &[([2], 2, 2), ([3], 3, 3), ([4], 4, 4)],
    ));
    rows.extend(family(
        "mutex_deadlock_one",
        |[threads, keeper]| families::lock_and_keep(threads, keeper..keeper + 1),
        &[([3, 2], 5, 3), ([3, 0], 5, 3)],
    ));
    rows.extend(family(
        "mutex_hard",
        |[threads]| families::lock_hard(threads),
        &[([2], 2, 1), ([3], 4, 3), ([4], 7, 6)],
    ));
    rows
}

fn atomics() -> Vec<Row> {
    let mut rows = family(
        "readers",
        |[readers]| families::readers(readers),
        &[
            ([1], 2, 0),
            ([2], 4, 0),
            ([3], 8, 0),
            ([4], 16, 0),
            ([8], 256, 0),
            ([10], 1_024, 0),
            ([13], 8_192, 0),
        ],
    );
    rows.extend(family(
        "lastzero",
        |[writers]| families::last_zero(writers),
        &[
            ([1], 2, 0),
            ([2], 5, 0),
            ([3], 12, 0),
            ([4], 28, 0),
            ([5], 64, 0),
            ([8], 704, 0),
            ([10], 3_328, 0),
            ([15], 147_456, 0),
        ],
    ));
    rows.extend(family(
        "lastwrite",
        |[writers]| families::last_write(writers),
        &[
            ([2], 2, 0),
            ([3], 6, 0),
            ([4], 24, 0),
            ([5], 120, 0),
            ([6], 720, 0),
        ],
    ));
    rows.extend(family(
        "indexer",
        |[threads]| families::indexer(threads),
        &[
            ([11], 1, 0),
            ([12], 8, 0),
            ([13], 64, 0),
            ([14], 512, 0),
            ([15], 4_096, 0),
        ],
    ));
    rows.extend(family(
        "filesystem",
        |[threads]| families::filesystem(threads),
        &[
            ([13], 1, 0),
            ([14], 2, 0),
            ([16], 8, 0),
            ([18], 32, 0),
            ([19], 64, 0),
        ],
    ));
    rows
}

fn quasi_optimal() -> Vec<Row> {
    let mut rows = family(
        "mpat",
        |[pairs]| families::mpat(pairs),
        &[
            ([2], 8, 0),
            ([3], 48, 0),
            ([4], 384, 0),
            ([5], 3_840, 0),
            ([6], 46_080, 0),
        ],
    );
    rows.extend(family(
        "pi",
        |[threads]| families::one_lock(threads, 1),
        &[([5], 120, 0), ([6], 720, 0), ([7], 5_040, 0)],
    ));
    rows.extend(family(
        "multipc",
        |[producers, workers]| families::multi_producers(producers, workers),
        &[([2, 5], 60, 0), ([3, 5], 2_958, 0), ([4, 5], 314_064, 0)],
    ));
    rows.extend(family(
        "poke",
        |[workers, rounds]| families::poke(workers, rounds),
        &[
            ([7, 3], 2_440, 0),
            ([8, 3], 3_700, 0),
            ([9, 3], 5_332, 0),
            ([10, 3], 7_384, 0),
        ],
    ));
    rows.extend(family(
        "dispatch",
        |[servers, requests]| families::dispatch(servers, requests),
        &[
            ([5, 2], 137, 0),
            ([5, 3], 1_482, 0),
            ([5, 4], 15_282, 0),
            ([5, 5], 151_032, 0),
        ],
    ));
    rows
}

/// Traces of the largest rows that are run without being asked for: what takes a few seconds.
const TRACES_MAX: u64 = 20_000;

/// Runs a table and fails once, with all rows that came out otherwise.
fn check(rows: Vec<Row>) {
    let wrong: Vec<_> = rows
        .iter()
        .filter(|row| row.traces <= TRACES_MAX)
        .filter_map(|row| run(row).err().map(|why| format!("{}: {why}", row.name)))
        .collect();
    assert!(
        wrong.is_empty(),
        "counts that differ:\n{}",
        wrong.join("\n")
    );
}

fn run(row: &Row) -> Result<(), String> {
    let checker = Checker::new()
        .name(&row.name)
        .time_max(Duration::from_secs(300));
    let report = programs::face::check(checker, &row.program);
    let search = &report.search;
    let got = (
        search.executions,
        deadlocked(&report),
        search.executions_blocked,
    );
    let expected = (row.traces, row.deadlocked, 0);
    if got == expected && search.complete {
        return Ok(());
    }
    let why = [search.incomplete_reason.as_deref(), report.error.as_deref()];
    Err(format!(
        "expected {expected:?} (executions, deadlocked, blocked), got {got:?} {why:?}"
    ))
}

/// Executions in which some thread waited for ever.
fn deadlocked(report: &Report) -> u64 {
    let stuck = [Code::Deadlock, Code::SelfDeadlock, Code::LostWakeup];
    let findings = report
        .findings
        .iter()
        .filter(|finding| stuck.contains(&finding.code));
    findings.map(|finding| finding.seen).sum()
}

#[test]
fn locks_have_their_counts() {
    check(locks());
}

#[test]
fn philosophers_have_their_counts() {
    check(philosophers());
}

#[test]
fn tries_and_keepers_have_their_counts() {
    check(tries_and_keepers());
}

#[test]
fn atomics_have_their_counts() {
    check(atomics());
}

#[test]
fn quasi_optimal_benchmarks_have_their_counts() {
    check(quasi_optimal());
}

/// Without it a wrong definition could hide a wrong search.
#[test]
fn the_definitions_are_right() {
    const TRACES_MAX: u64 = 400;
    const PREFIXES_MAX: usize = 2_000;
    let tables = [
        locks(),
        philosophers(),
        tries_and_keepers(),
        atomics(),
        quasi_optimal(),
    ];
    let mut compared = 0;
    let mut wrong = String::new();
    for row in tables
        .iter()
        .flatten()
        .filter(|row| row.traces <= TRACES_MAX)
    {
        let Some(outcomes) = programs::explore(&row.program, PREFIXES_MAX) else {
            continue;
        };
        let got = (outcomes.traces.len() as u64, outcomes.deadlocked() as u64);
        if got != (row.traces, row.deadlocked) {
            wrong += &format!(
                "{}: {:?}, got {got:?}\n",
                row.name,
                (row.traces, row.deadlocked)
            );
        }
        compared += 1;
    }
    assert!(wrong.is_empty(), "definitions that are wrong:\n{wrong}");
    assert!(
        compared >= 40,
        "the oracle could follow {compared} definitions only"
    );
}

/// The twin that wastes executions must still see the same traces.
#[test]
fn source_sets_find_the_same_number() {
    let tables = [
        locks(),
        philosophers(),
        tries_and_keepers(),
        atomics(),
        quasi_optimal(),
    ];
    let mut wrong = String::new();
    for row in tables.iter().flatten().filter(|row| row.traces <= 130) {
        let checker = Checker::new()
            .strategy(Strategy::Source)
            .time_max(Duration::from_secs(60));
        let search = programs::face::check(checker, &row.program).search;
        if search.executions - search.executions_blocked != row.traces || !search.complete {
            wrong += &format!("{}: expected {}, got {search:?}\n", row.name, row.traces);
        }
    }
    assert!(wrong.is_empty(), "counts that differ:\n{wrong}");
}

/// The whole table: `cargo test -p model_tests --test counts -- --ignored`.
#[test]
#[ignore = "a million executions: a minute"]
fn all_counts() {
    let tables = [
        locks(),
        philosophers(),
        tries_and_keepers(),
        atomics(),
        quasi_optimal(),
    ];
    let mut wrong = String::new();
    for row in tables.iter().flatten() {
        let start = Instant::now();
        if let Err(why) = run(row) {
            wrong += &format!("{}: {why} after {:?}\n", row.name, start.elapsed());
        }
    }
    assert!(wrong.is_empty(), "counts that differ:\n{wrong}");
}
