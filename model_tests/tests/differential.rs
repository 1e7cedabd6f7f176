//! Random programs under every systematic strategy, and under an oracle that knows nothing of
//! Gordian: all must see the same traces, final states and deadlocks.
//!
//! `MODEL_TESTS_PROGRAMS` says how many programs, `MODEL_TESTS_SEED` where to begin; a failure
//! prints the seed of its program and the smallest program that fails in the same way.

use std::collections::HashSet;
use std::env;

use gordian::report::{Engine, Report, Verdict};
use gordian::{Checker, Strategy};
use model_tests::programs::face::{self, Record};
use model_tests::programs::generate::{self, Random};
use model_tests::programs::{End, Outcomes, Program, Trace, explore};

/// Programs whose steps have more interleavings than this are too slow for plain enumeration.
const INTERLEAVINGS_MAX: u128 = 300;
/// Executions of plain enumeration: the starts and ends of threads are steps too.
const EXECUTIONS_MAX: u64 = 4_000;
/// Programs in all, unless the environment says otherwise.
const PROGRAMS: u64 = 2_000;
/// Tests that the programs are divided among, so that they can run side by side.
const SHARDS: u64 = 4;

/// The shard of larger programs, and how large they may be.
const LARGER_SHARD: u64 = SHARDS;
const LARGER_INTERLEAVINGS_MAX: u128 = 10_000_000;
/// Seeds that belong to one run.
const SEEDS: u64 = 1_000_000;

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    programs: u64,
    traces: u64,
    deadlocked: u64,
    wasted: u64,
}

#[test]
fn shard_0_agrees() {
    compare_shard(0, INTERLEAVINGS_MAX, compare);
}

#[test]
fn shard_1_agrees() {
    compare_shard(1, INTERLEAVINGS_MAX, compare);
}

#[test]
fn shard_2_agrees() {
    compare_shard(2, INTERLEAVINGS_MAX, compare);
}

#[test]
fn shard_3_agrees() {
    compare_shard(3, INTERLEAVINGS_MAX, compare);
}

/// Programs that plain enumeration could not go through, but the oracle can.
#[test]
fn larger_programs_agree() {
    compare_shard(LARGER_SHARD, LARGER_INTERLEAVINGS_MAX, compare_with_oracle);
}

/// The second engine sees what the oracle sees, where both mean the same: loom's atomics are weaker
/// than sequential consistency, so this is about locks alone. Where threads can wait for ever it
/// sees that they do, though not in every order: loom knows no races of steps that never happen.
#[test]
fn loom_agrees_about_locks() {
    const PROGRAMS_OF_A_KIND: usize = 15;
    const LOOM_INTERLEAVINGS_MAX: u128 = 150;
    let mut random = Random::new(7);
    // Without deadlocks, and with.
    let mut compared = [0; 2];
    while compared.iter().any(|&count| count < PROGRAMS_OF_A_KIND) {
        let program = generate::program(&mut random);
        let Some(outcomes) = explore(&program, 2_000) else {
            continue;
        };
        let kind = usize::from(outcomes.deadlocked() > 0);
        let too_large = outcomes.interleavings > LOOM_INTERLEAVINGS_MAX;
        let serves = program.atomics.is_empty() && outcomes.traces.len() >= 2;
        if too_large || !serves || compared[kind] == PROGRAMS_OF_A_KIND {
            continue;
        }
        let checker = Checker::new().engine(Engine::Loom);
        let (report, record) = face::check_recorded(checker, &program);
        let agreed = match kind {
            0 => same("loom", &report, &record, &outcomes),
            _ => waits_for_ever(&report, &record, &outcomes),
        };
        if let Err(why) = agreed {
            panic!("{why}\n{program}");
        }
        compared[kind] += 1;
    }
}

/// Some threads were seen to wait for ever, and only in ways that are possible.
fn waits_for_ever(report: &Report, record: &Record, outcomes: &Outcomes) -> Result<(), String> {
    let possible = |trace: &Trace| outcomes.traces.contains_key(trace);
    let stuck = record.traces.values().any(End::is_deadlock);
    match stuck && record.traces.keys().all(possible) && report.verdict == Verdict::Found {
        true => Ok(()),
        false => Err(format!("loom: {:?} {report:#?}", record.traces)),
    }
}

/// How a program is compared: what the strategies wasted, nothing when it is too large, or what
/// differs.
type Compare = fn(&Program, &Outcomes) -> Result<Option<u64>, String>;

fn compare_shard(shard: u64, interleavings_max: u128, compare: Compare) {
    let wanted = number("MODEL_TESTS_PROGRAMS")
        .unwrap_or(PROGRAMS)
        .div_ceil(SHARDS);
    let mut seed = number("MODEL_TESTS_SEED").unwrap_or(1) * SEEDS + shard * SEEDS / 10;
    let mut tally = Tally::default();
    while tally.programs < wanted {
        seed += 1;
        let program = generate::program(&mut Random::new(seed));
        let Some(outcomes) = explore(&program, 2_000) else {
            continue;
        };
        if outcomes.interleavings > interleavings_max {
            continue;
        }
        match compare(&program, &outcomes) {
            Ok(None) => continue,
            Ok(Some(wasted)) => tally.wasted += wasted,
            Err(why) => fail(seed, &program, &why, compare),
        }
        tally.programs += 1;
        tally.traces += outcomes.traces.len() as u64;
        tally.deadlocked += outcomes.deadlocked() as u64;
    }
    // Programs that never deadlock, or have one trace only, would prove little.
    assert!(tally.traces > 3 * tally.programs, "{tally:?}");
    assert!(tally.deadlocked > tally.programs, "{tally:?}");
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|error| panic!("{variable}={text}: {error}")),
    )
}

/// Shrinks the program and panics with it.
fn fail(seed: u64, program: &Program, why: &str, compare: Compare) -> ! {
    let reason = |program: &Program| compare(program, &explore(program, 10_000)?).err();
    let smallest = generate::shrink(program, |program| reason(program).is_some());
    let smallest_why = reason(&smallest).unwrap_or_default();
    panic!("seed {seed}: {why}\n{program}\nshrunk: {smallest_why}\n{smallest}");
}

/// Compares all strategies with the oracle.
fn compare(program: &Program, outcomes: &Outcomes) -> Result<Option<u64>, String> {
    let plain = Checker::new()
        .strategy(Strategy::Dfs)
        .executions_max(EXECUTIONS_MAX);
    let (report, record) = face::check_recorded(plain, program);
    if report.search.executions >= EXECUTIONS_MAX {
        return Ok(None);
    }
    same("plain enumeration", &report, &record, outcomes)?;
    compare_with_oracle(program, outcomes)
}

/// Compares the strategies that reduce with the oracle.
fn compare_with_oracle(program: &Program, outcomes: &Outcomes) -> Result<Option<u64>, String> {
    let exhaustive = Checker::new();
    let (report, record) = face::check_recorded(exhaustive.clone(), program);
    same("exhaustive", &report, &record, outcomes)?;
    optimal("exhaustive", &report, outcomes)?;

    let (report, record) = face::check_recorded(exhaustive.full_wakeup_sequences(), program);
    same("full wakeup sequences", &report, &record, outcomes)?;
    optimal("full wakeup sequences", &report, outcomes)?;

    let (report, record) = face::check_recorded(Checker::new().strategy(Strategy::Source), program);
    same("source", &report, &record, outcomes)?;
    let search = &report.search;
    if search.executions - search.executions_blocked != outcomes.traces.len() as u64 {
        return Err(format!(
            "source: {} traces, {search:?}",
            outcomes.traces.len()
        ));
    }
    Ok(Some(search.executions_blocked))
}

/// One execution per trace, and none given up.
fn optimal(name: &str, report: &Report, outcomes: &Outcomes) -> Result<(), String> {
    let search = &report.search;
    let got = (
        search.executions,
        search.executions_blocked,
        search.executions_capped,
    );
    let expected = (outcomes.traces.len() as u64, 0, 0);
    match got == expected {
        true => Ok(()),
        false => Err(format!(
            "{name}: (executions, blocked, capped) {got:?} for {expected:?}"
        )),
    }
}

/// The same traces, final states and deadlock states as the oracle's.
fn same(name: &str, report: &Report, record: &Record, outcomes: &Outcomes) -> Result<(), String> {
    if !report.search.complete || report.error.is_some() {
        return Err(format!("{name}: not complete: {report:#?}"));
    }
    let traces = |traces: &std::collections::HashMap<Trace, End>| -> HashSet<Trace> {
        traces.keys().cloned().collect()
    };
    differ(
        name,
        "traces",
        &traces(&record.traces),
        &traces(&outcomes.traces),
    )?;
    for (kind, deadlock) in [("final states", false), ("deadlock states", true)] {
        let ends = |traces: &std::collections::HashMap<Trace, End>| -> HashSet<End> {
            traces
                .values()
                .filter(|end| end.is_deadlock() == deadlock)
                .cloned()
                .collect()
        };
        differ(name, kind, &ends(&record.traces), &ends(&outcomes.traces))?;
    }
    Ok(())
}

fn differ<T: Eq + std::hash::Hash + std::fmt::Debug>(
    name: &str,
    kind: &str,
    got: &HashSet<T>,
    expected: &HashSet<T>,
) -> Result<(), String> {
    let (missing, extra) = (expected.difference(got), got.difference(expected));
    let (missing, extra): (Vec<_>, Vec<_>) = (missing.collect(), extra.collect());
    if missing.is_empty() && extra.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{name}: {} {kind} of {}, {} missing, {} that cannot be; the first: {:?} {:?}",
        got.len(),
        expected.len(),
        missing.len(),
        extra.len(),
        missing.first(),
        extra.first(),
    ))
}
