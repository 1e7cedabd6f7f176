//! Random scenario files, explored and searched: the explorer and an oracle that shares no code
//! with it must see the same findings, the same ends, and the same threads that never go on.
//!
//! `MODEL_TESTS_PROGRAMS` says how many programs, `MODEL_TESTS_SEED` where to begin; a failure
//! prints the seed of its program and the smallest file that fails, to be saved as `.gordian`.

mod generate;

use std::collections::BTreeSet;
use std::env;
use std::sync::Arc;

use gordian::Strategy;
use gordian::report::Report;
use gordian::scenario::{Options, check, parse};
use model_tests::agreement::{Compared, compare};
use model_tests::files::{File, Topic};
use proptest::strategy::{Strategy as _, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Programs in all, unless the environment says otherwise.
const PROGRAMS: u64 = 2_000;
/// Tests that the programs are divided among, so that they can run side by side.
const SHARDS: u64 = 4;
/// Seeds that belong to one run.
const SEEDS: u64 = 1_000_000;
/// Programs that fail before a shard gives up.
const FAILURES_MAX: usize = 5;

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
        match compare(source, false, None) {
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

fn compare_file(file: &File) -> Result<Option<Compared>, String> {
    compare(&file.source(), file.is_about_locks_only(), None)
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
        match compare_file(&file) {
            Ok(Some(answer)) => tally.add(&file, &answer),
            Ok(None) => {}
            Err(_) => failures.push(smallest(seed, &mut tree, &|file| {
                compare_file(file).map(|_| ())
            })),
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

/// Executions of the search without reduction: where it takes more, nothing is compared.
const ORDERS_MAX: u64 = 500;

/// Programs whose orders are compared, unless the environment says otherwise: it takes longer than
/// the comparison with the oracle.
const ORDERS_PROGRAMS: u64 = 600;

/// After so many executions it is estimated how many there will be.
const ORDERS_TRIED: u64 = 10;

/// What is found, and where: by one execution for each trace, and by all orders of its steps.
fn compare_orders(source: &str, orders_max: u64) -> Result<bool, String> {
    let parsed = parse(source).map_err(|error| error.to_string())?;
    let parsed = Arc::new(parsed);
    let by = |strategy, executions_max| {
        let options = Options::default()
            .strategy(strategy)
            .executions_max(executions_max);
        check(&parsed, "made.gordian", source, &options).report
    };
    let first = by(Strategy::Dfs, ORDERS_TRIED).search;
    let estimate = first.executions_estimate.unwrap_or_default();
    if !first.complete && estimate > orders_max as f64 {
        return Ok(false);
    }
    let found = |report: &Report| -> BTreeSet<_> {
        let findings = report.findings.iter();
        findings
            .map(|finding| (finding.code.as_str(), finding.fingerprint.clone()))
            .collect()
    };
    let every_order = by(Strategy::Dfs, orders_max);
    let each_trace = by(Strategy::Exhaustive, orders_max);
    if !every_order.search.complete || !each_trace.search.complete {
        return Ok(false);
    }
    match (found(&each_trace), found(&every_order)) {
        (traces, orders) if traces == orders => Ok(true),
        (traces, orders) => Err(format!("by traces {traces:?}, by all orders {orders:?}")),
    }
}

/// Findings are functions of the trace: whatever the order of independent steps in which a trace was
/// executed, hazards included.
fn orders_shard(shard: u64) {
    let wanted = number("MODEL_TESTS_PROGRAMS")
        .unwrap_or(ORDERS_PROGRAMS)
        .div_ceil(SHARDS);
    let mut seed = number("MODEL_TESTS_SEED").unwrap_or(1) * SEEDS + shard * SEEDS / 10;
    let (mut compared, mut failures) = (0, Vec::new());
    while compared < wanted {
        seed += 1;
        let mut tree = program(seed);
        let file = tree.current();
        let source = file.source();
        if !["timed", "try", "slow"]
            .iter()
            .any(|it| source.contains(it))
        {
            continue;
        }
        match compare_orders(&source, ORDERS_MAX) {
            Ok(complete) => compared += u64::from(complete),
            Err(_) => failures.push(smallest(seed, &mut tree, &|file| {
                compare_orders(&file.source(), ORDERS_MAX).map(|_| ())
            })),
        }
        assert!(failures.len() < FAILURES_MAX, "{}", failures.join("\n"));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Each in both orders of its threads, of which the one that is named first goes first.
#[test]
fn orders_that_once_mattered_agree() {
    for (head, one, two, code) in [
        (
            "mutex r, n",
            "thread a { lock r; timedlock n $a; if $a == 1 { unlock n }; unlock r }",
            "thread b { lock n; nop; lock r; unlock r; unlock n }",
            "timeout-only",
        ),
        // Three threads in a circle.
        (
            "mutex r, n, m",
            "thread a { lock r; timedlock n $a; if $a == 1 { unlock n }; unlock r }",
            "thread b { lock n; nop; lock m; unlock m; unlock n }
             thread c { lock m; nop; lock r; unlock r; unlock m }",
            "timeout-only",
        ),
        // A lock without an owner, which another thread frees meanwhile.
        (
            "lock l\nvar x",
            "thread a { lock l; x = 1; slow \"call\" }",
            "thread b { await x == 1; unlock l }",
            "slow-under-lock",
        ),
        (
            "lock l\nvar x",
            "thread a { lock l; x = 1; nop }",
            "thread b { await x == 1; unlock l }",
            "leaked-guard",
        ),
    ] {
        for (first, second) in [(one, two), (two, one)] {
            let source = format!("{head}\n{first}\n{second}\n");
            // Three threads have too many orders.
            let few = second.matches("thread").count() + first.matches("thread").count() == 2;
            assert_eq!(compare_orders(&source, 50_000), Ok(few), "{source}");
            let parsed = Arc::new(parse(&source).expect("a scenario"));
            let options = Options::default().strategy(Strategy::Exhaustive);
            let report = check(&parsed, "made.gordian", &source, &options).report;
            let finding = report.findings.iter().find(|its| its.code.as_str() == code);
            let finding = finding.unwrap_or_else(|| panic!("no {code}: {report}\n{source}"));
            // It is what a replay leads to.
            let options = Options::default().replay(finding.token.parse().expect("a token"));
            let again = check(&parsed, "made.gordian", &source, &options).report;
            let found = again.findings.iter();
            assert!(
                found
                    .into_iter()
                    .any(|its| its.fingerprint == finding.fingerprint),
                "{again}\n{source}"
            );
        }
    }
    // Nobody waits for anything that the one who gives up holds.
    let source = "mutex r, n
        thread a { lock r; timedlock n $a; if $a == 1 { unlock n }; unlock r }
        thread b { lock n; nop; unlock n; lock r; unlock r }";
    assert_eq!(compare_orders(source, 50_000), Ok(true));
    let parsed = Arc::new(parse(source).expect("a scenario"));
    let report = check(&parsed, "made.gordian", source, &Options::default()).report;
    assert!(report.findings.is_empty(), "{report}");
}

#[test]
fn orders_0_agree() {
    orders_shard(0);
}

#[test]
fn orders_1_agree() {
    orders_shard(1);
}

#[test]
fn orders_2_agree() {
    orders_shard(2);
}

#[test]
fn orders_3_agree() {
    orders_shard(3);
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
fn smallest(
    seed: u64,
    tree: &mut impl ValueTree<Value = File>,
    compare: &dyn Fn(&File) -> Result<(), String>,
) -> String {
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
        "seed {seed}: two answers differ: {why}\n\n{}\n\
         again: MODEL_TESTS_SEED={run} cargo test -p model_tests --test scenarios {shard}_agree\n",
        smallest.source()
    )
}
