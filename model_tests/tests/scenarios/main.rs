//! Random scenario files, explored and searched: the explorer and an oracle that shares no code
//! with it must see the same findings, the same ends, and the same threads that never go on.
//!
//! `MODEL_TESTS_PROGRAMS` says how many programs, `MODEL_TESTS_SEED` where to begin; a failure
//! prints the seed of its program and the smallest file that fails, to be saved as `.gordian`.

mod generate;

use std::collections::BTreeSet;
use std::env;
use std::sync::Arc;

use generate::{File, Topic};
use gordian::report::{Code, Finding, Verdict};
use gordian::scenario::{CheckReport, End, Options, Scenario, check, parse};
use gordian_oracle::{Answer, Limits, judge, search, traces};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Programs in all, unless the environment says otherwise.
const PROGRAMS: u64 = 2_000;
/// Tests that the programs are divided among, so that they can run side by side.
const SHARDS: u64 = 4;
/// Seeds that belong to one run.
const SEEDS: u64 = 1_000_000;
/// States of a program that is not too large.
const STATES_MAX: u32 = 250;
/// Programs that fail before a shard gives up.
const FAILURES_MAX: usize = 5;
/// Whether a thread that always goes on and never ends is a finding.
const LIVENESS: bool = true;
/// Beginnings of traces of a program whose traces are counted.
const BEGINNINGS_MAX: usize = 3_000;

#[test]
fn shard_0_agrees() {
    compare_shard(0);
}

#[test]
fn shard_1_agrees() {
    compare_shard(1);
}

#[test]
fn shard_2_agrees() {
    compare_shard(2);
}

#[test]
fn shard_3_agrees() {
    compare_shard(3);
}

/// Programs about which the two once disagreed.
#[test]
fn what_was_found_once_agrees() {
    for source in [
        // An arrival that changes nothing was taken for a repeated state.
        "notify y
         thread a { notify y }
         thread b { enable_notify y; wait_notify y; wait_notify y }",
        // A ticket was made twice.
        "semaphore s = 2 fifo
         thread a * 2 { ticket s T; await_ticket s T; release s }",
        // A daemon was reported before it was known to be one.
        "daemon thread a { join a }",
        // The way to a state went in a circle.
        "semaphore f = 0 fifo
         notify y
         var x
         thread a {
             ticket f T; enable_notify y; wait_notify y
             enable_notify y; ticket f V; wait_notify y; drop_ticket f T
         }
         thread b {
             while x == 0 {
                 choose { case: notify y
                 case:
                 }
             }
         }",
        // Who waits for a lock without an owner that it took itself may be let go by another.
        "lock l
         var x
         thread t0 { while x == 0 { unlock l } }
         thread t2 { lock l; lock l; unlock l; unlock l }",
    ] {
        match compare_source(source, false) {
            Ok(compared) => assert!(compared.is_some(), "too large: {source}"),
            Err(why) => panic!("{why}\n{source}"),
        }
    }
}

/// What the programs of a shard were like: a comparison proves little where nothing happens.
#[derive(Debug, Default)]
struct Tally {
    programs: u64,
    stuck: u64,
    clean: u64,
    endless: u64,
    ends: u64,
    counted: u64,
    topics: BTreeSet<Topic>,
}

fn compare_shard(shard: u64) {
    let wanted = number("MODEL_TESTS_PROGRAMS")
        .unwrap_or(PROGRAMS)
        .div_ceil(SHARDS);
    let mut seed = number("MODEL_TESTS_SEED").unwrap_or(1) * SEEDS + shard * SEEDS / 10;
    let mut tally = Tally::default();
    let mut failures = Vec::new();
    while tally.programs < wanted {
        seed += 1;
        let mut tree = program(seed);
        let file = tree.current();
        match compare(&file) {
            Ok(Some(answer)) => tally.add(&file, &answer),
            Ok(None) => {}
            Err(_) => failures.push(smallest(seed, &mut tree)),
        }
        assert!(failures.len() < FAILURES_MAX, "{}", failures.join("\n"));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    if wanted >= 200 {
        assert_eq!(tally.topics.len(), Topic::ALL.len(), "{tally:?}");
        assert!(tally.stuck > wanted / 5, "{tally:?}");
        assert!(tally.clean > wanted / 10, "{tally:?}");
        assert!(tally.endless > wanted / 50, "{tally:?}");
        assert!(tally.ends > 3 * wanted / 2, "{tally:?}");
        assert!(tally.counted > wanted / 50, "{tally:?}");
    }
}

impl Tally {
    fn add(&mut self, file: &File, answer: &Compared) {
        self.programs += 1;
        self.stuck += u64::from(!answer.stuck.is_empty());
        self.clean += u64::from(answer.clean);
        self.endless += u64::from(answer.endless);
        self.ends += answer.ends as u64;
        self.counted += u64::from(answer.counted);
        self.topics.extend(&file.topics);
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|error| panic!("{variable}={text}: {error}")),
    )
}

fn program(seed: u64) -> impl ValueTree<Value = File> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    generate::file()
        .new_tree(&mut runner)
        .expect("a strategy that rejects nothing")
}

/// The smallest program that fails like this one, and why.
fn smallest(seed: u64, tree: &mut impl ValueTree<Value = File>) -> String {
    const ATTEMPTS_MAX: u32 = 500;
    let mut smallest = tree.current();
    let mut attempts = 0;
    let mut more = tree.simplify();
    while more && attempts < ATTEMPTS_MAX {
        attempts += 1;
        let file = tree.current();
        if compare(&file).is_err() {
            smallest = file;
            more = tree.simplify();
        } else {
            more = tree.complicate();
        }
    }
    let why = compare(&smallest).err().unwrap_or_default();
    let (run, shard) = (seed / SEEDS, seed % SEEDS / (SEEDS / 10));
    format!(
        "seed {seed}: explorer and oracle disagree: {why}\n\n{}\n\
         again: MODEL_TESTS_SEED={run} cargo test -p model_tests --test scenarios shard_{shard}\n",
        smallest.source()
    )
}

/// What both said of a program.
struct Compared {
    stuck: BTreeSet<(u32, End)>,
    clean: bool,
    endless: bool,
    ends: usize,
    /// Its traces were counted, too.
    counted: bool,
}

/// What is wrong if the two disagree; nothing when the program is too large.
fn compare(file: &File) -> Result<Option<Compared>, String> {
    compare_source(&file.source(), file.is_about_locks_only())
}

fn compare_source(source: &str, only_locks: bool) -> Result<Option<Compared>, String> {
    let scenario = parse(source).map_err(|error| format!("it does not parse: {error}"))?;
    let limits = Limits {
        states_max: STATES_MAX,
        ..Limits::default()
    };
    let answer = search(&scenario, &limits);
    if !answer.complete {
        return Ok(None);
    }
    let scenario = Arc::new(scenario);
    let checked = check(
        &scenario,
        "generated.gordian",
        source,
        &Options::default().liveness(LIVENESS),
    );
    same_findings(&checked, &answer)?;
    same_ends(&checked, &answer)?;
    same_judgement(&scenario, &checked, &answer)?;
    let stuck = same_stuck(&scenario, &checked, &answer)?;
    let counted = only_locks && same_count(&scenario, &checked)?;
    Ok(Some(Compared {
        stuck,
        clean: answer.codes.is_empty(),
        endless: answer.endless,
        ends: answer.terminal.len(),
        counted,
    }))
}

/// Findings of states and of single steps; what kind of being stuck it is, is a matter of
/// judgement, and lock order and the like are no matter of states.
fn same_findings(checked: &CheckReport, answer: &Answer) -> Result<(), String> {
    if checked.report.verdict == Verdict::Error || !checked.is_complete() {
        return Err(format!(
            "the explorer came to no end: {:#?}",
            checked.report
        ));
    }
    let found = checked.report.findings.iter().map(|finding| finding.code);
    let explorer = classes(found);
    let oracle = classes(answer.codes.iter().chain(&answer.hazards).copied());
    match explorer == oracle {
        true => Ok(()),
        false => Err(format!("explorer {explorer:?}, oracle {oracle:?}")),
    }
}

/// What `expect` makes of it, and who never comes to an end although it always goes on.
fn same_judgement(
    scenario: &Scenario,
    checked: &CheckReport,
    answer: &Answer,
) -> Result<(), String> {
    let judgement = judge(scenario, answer, LIVENESS);
    if judgement.expected != checked.expected {
        return Err(format!(
            "as expected: explorer {:?}, oracle {:?}",
            checked.expected, judgement.expected
        ));
    }
    let starves = |finding: &Finding| finding.code == Code::Starvation;
    let explorer = checked.report.findings.iter().any(starves);
    let oracle = answer.codes.contains(&Code::Starvation);
    match explorer == oracle {
        true => Ok(()),
        false => Err(format!("starvation: explorer {explorer}, oracle {oracle}")),
    }
}

fn classes(codes: impl Iterator<Item = Code>) -> BTreeSet<Code> {
    codes
        .filter_map(|code| match code {
            Code::Deadlock | Code::SelfDeadlock | Code::LostWakeup => Some(Code::Deadlock),
            Code::Panic
            | Code::DoubleRelease
            | Code::ForeignRelease
            | Code::LeakedGuard
            | Code::SlowUnderLock => Some(code),
            _ => None,
        })
        .collect()
}

fn same_ends(checked: &CheckReport, answer: &Answer) -> Result<(), String> {
    let only_explorer: Vec<_> = checked.terminals.difference(&answer.terminal).collect();
    let only_oracle: Vec<_> = answer.terminal.difference(&checked.terminals).collect();
    match only_explorer.is_empty() && only_oracle.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "ends that only the explorer has: {only_explorer:#?}\nonly the oracle: {only_oracle:#?}"
        )),
    }
}

/// Whoever is stuck is so in an end, unless others run for ever; a program without endless
/// executions has those ends only.
fn same_stuck(
    scenario: &Scenario,
    checked: &CheckReport,
    answer: &Answer,
) -> Result<BTreeSet<(u32, End)>, String> {
    let oracle: BTreeSet<(u32, End)> = answer
        .stuck
        .iter()
        .map(|stuck| (stuck.thread, stuck.end))
        .collect();
    let mut explorer = BTreeSet::new();
    for terminal in &checked.terminals {
        for (thread, end) in (0..).zip(&terminal.threads) {
            let daemon = scenario.threads[thread as usize].daemon;
            if matches!(end, End::Waiting { .. }) && !daemon {
                explorer.insert((thread, *end));
            }
        }
    }
    if checked.endless != answer.endless {
        return Err(format!(
            "endless: explorer {}, oracle {}",
            checked.endless, answer.endless
        ));
    }
    let same = match answer.endless {
        true => explorer.is_subset(&oracle),
        false => explorer == oracle,
    };
    match same {
        true => Ok(oracle),
        false => Err(format!("stuck: explorer {explorer:?}, oracle {oracle:?}")),
    }
}

/// On locks no execution is redundant: there are as many as traces. Whether that could be counted.
fn same_count(scenario: &Scenario, checked: &CheckReport) -> Result<bool, String> {
    let Some(count) = traces(scenario, BEGINNINGS_MAX) else {
        return Ok(false);
    };
    let search = &checked.report.search;
    match search.executions == count && search.executions_blocked == 0 {
        true => Ok(true),
        false => Err(format!(
            "{} executions, {} blocked, of {count} traces",
            search.executions, search.executions_blocked
        )),
    }
}
