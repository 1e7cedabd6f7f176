//! Executions that do not end well leave nothing behind: neither memory nor words on stderr.
//!
//! Memory is what was allocated and not freed, and the mappings that stacks are: what is resident
//! depends on the machine and on the allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use gordian::report::Code;
use gordian::scenario::{self, Options};
use gordian::{Checker, Leftover, Strategy, thread};
use model_tests::child;
use model_tests::files::File;

const TIME_MAX: Duration = Duration::from_secs(300);
/// How much more may be allocated at the end than after half of the executions: vectors that have
/// come upon a longer execution. One byte left behind by each execution is more.
const GROWTH_BYTES_MAX: i64 = 16 << 10;
const GROWTH_MAPPINGS_MAX: i64 = 32;

/// Counts the bytes that are allocated.
struct Counting;

static ALLOCATED_BYTES: AtomicI64 = AtomicI64::new(0);

// SAFETY: the system's allocator does it; the counter has no part in it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED_BYTES.fetch_add(layout.size() as i64, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED_BYTES.fetch_sub(layout.size() as i64, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What this process has at a moment.
#[derive(Clone, Copy, Debug)]
struct Memory {
    allocated_bytes: i64,
    /// Pieces of the address space; only Linux tells.
    mappings: i64,
}

impl Memory {
    fn now() -> Memory {
        let maps = std::fs::read("/proc/self/maps").unwrap_or_default();
        let mappings = maps.iter().filter(|byte| **byte == b'\n').count() as i64;
        drop(maps);
        Memory {
            allocated_bytes: ALLOCATED_BYTES.load(Ordering::Relaxed),
            mappings,
        }
    }

    /// How much more it is than earlier.
    fn since(self, earlier: Memory) -> Memory {
        Memory {
            allocated_bytes: self.allocated_bytes - earlier.allocated_bytes,
            mappings: self.mappings - earlier.mappings,
        }
    }

    fn assert_little(self, what: &str) {
        let bytes = self.allocated_bytes <= GROWTH_BYTES_MAX;
        let mappings = self.mappings <= GROWTH_MAPPINGS_MAX;
        assert!(
            bytes && mappings,
            "the second half of {what} leaves {self:?}"
        );
    }
}

/// Philosophers who starve in many interleavings.
fn dine(seats: usize) {
    let forks: Arc<[_]> = (0..seats).map(|_| gordian::sync::Mutex::new(0)).collect();
    let philosophers = (0..seats).map(|seat| {
        let forks = Arc::clone(&forks);
        thread::spawn(move || {
            let mut left = forks[seat].lock();
            let mut right = forks[(seat + 1) % seats].lock();
            *left += 1;
            *right += 1;
        })
    });
    for philosopher in philosophers.collect::<Vec<_>>() {
        philosopher.join().unwrap();
    }
}

/// Runs `model` so many times under `checker`, and panics if the second half of them leaves
/// something behind.
fn grows_not(checker: Checker, executions: u64, model: fn()) -> gordian::Report {
    let (report, grown) = grows(checker, executions, model);
    grown.assert_little(&format!("{executions} executions"));
    report
}

/// Runs `model` so many times under `checker`: what the second half of them leaves behind.
fn grows(checker: Checker, executions: u64, model: fn()) -> (gordian::Report, Memory) {
    let runs = Arc::new(AtomicU64::new(0));
    let memory = Arc::new(Mutex::new([None; 2]));
    let (its_runs, its_memory) = (Arc::clone(&runs), Arc::clone(&memory));
    let report = checker.executions_max(executions).check(move || {
        let run = its_runs.fetch_add(1, Ordering::Relaxed);
        // In the same state both times: at the beginning of an execution.
        for (at, when) in [executions / 2, executions - 1].into_iter().enumerate() {
            if run == when {
                its_memory.lock().unwrap()[at] = Some(Memory::now());
            }
        }
        model();
    });
    assert!(runs.load(Ordering::Relaxed) >= executions, "{report}");
    let [half, end] = *memory.lock().unwrap();
    let (half, end) = (
        half.expect("it was half way"),
        end.expect("it came to the end"),
    );
    (report, end.since(half))
}

#[test]
#[ignore = "runs in a process of its own"]
fn deadlocking_executions() {
    const EXECUTIONS: u64 = 100_000;
    if !child::is_for("deadlocking_executions") {
        return;
    }
    // The share of deadlocks is what this strategy is for: nearly all of them.
    let checker = Checker::new().strategy(Strategy::HoldAndWait);
    let report = grows_not(checker, 2 * EXECUTIONS, || dine(3));
    let seen = report.assert_found(Code::Deadlock).seen;
    assert!(seen >= EXECUTIONS, "only {seen} executions deadlocked");
}

/// What the model itself owned stays allocated, and nothing else: no stack, nothing of the engine's.
#[test]
#[ignore = "runs in a process of its own"]
fn abandoned_executions() {
    const EXECUTIONS: u64 = 100_000;
    const OWNED_BYTES_MAX: i64 = 2 << 10;
    if !child::is_for("abandoned_executions") {
        return;
    }
    let checker = Checker::new()
        .strategy(Strategy::HoldAndWait)
        .leftover(Leftover::Abandon);
    let (report, grown) = grows(checker, 2 * EXECUTIONS, || dine(2));
    let seen = report.assert_found(Code::Deadlock).seen;
    assert!(seen >= EXECUTIONS, "only {seen} executions deadlocked");
    assert!(report.search.complete, "{report}");
    assert!(grown.mappings <= GROWTH_MAPPINGS_MAX, "{grown:?}");
    let each = grown.allocated_bytes / EXECUTIONS as i64;
    assert!(
        each <= OWNED_BYTES_MAX,
        "{each} bytes are left of an execution"
    );
}

#[test]
#[ignore = "runs in a process of its own"]
fn executions_cut_off() {
    const EXECUTIONS: u64 = 20_000;
    if !child::is_for("executions_cut_off") {
        return;
    }
    let checker = Checker::new().strategy(Strategy::Random).steps_max(9);
    let report = grows_not(checker, EXECUTIONS, || dine(3));
    assert!(report.search.executions_capped > EXECUTIONS / 2, "{report}");
}

#[test]
#[ignore = "runs in a process of its own"]
fn panicking_executions() {
    const EXECUTIONS: u64 = 20_000;
    if !child::is_for("panicking_executions") {
        return;
    }
    let checker = Checker::new().strategy(Strategy::Random);
    let report = grows_not(checker, EXECUTIONS, || {
        let lock = Arc::new(gordian::sync::Mutex::new(0));
        let other = Arc::clone(&lock);
        let thread = thread::spawn(move || {
            let guard = other.lock();
            assert_eq!(*guard, 1, "the main thread was not first");
        });
        *lock.lock() += 1;
        let _ = thread.join();
    });
    let seen = report.assert_found(Code::Panic).seen;
    assert!(seen > EXECUTIONS / 10, "only {seen} executions panicked");
}

/// A fuzzer checks one program after the other in one process. `MODEL_TESTS_PROGRAMS` says how many.
#[test]
#[ignore = "runs in a process of its own"]
fn one_scenario_after_the_other() {
    const PROGRAMS: u64 = 15_000;
    if !child::is_for("one_scenario_after_the_other") {
        return;
    }
    let programs = std::env::var("MODEL_TESTS_PROGRAMS")
        .map_or(PROGRAMS, |text| text.parse().expect("a number of programs"));
    let (mut half, mut found) = (None, 0);
    let mut random = 1_u64;
    for number in 0..programs {
        if number == programs / 2 {
            half = Some(Memory::now());
        }
        let bytes: [u8; 96] = std::array::from_fn(|_| {
            random = random.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            (random >> 56) as u8
        });
        let file = File::arbitrary(&mut Unstructured::new(&bytes)).expect("any bytes are a file");
        let source = file.source();
        let parsed = Arc::new(scenario::parse(&source).expect("a made file is a scenario"));
        let options = Options::default().executions_max(2);
        let checked = scenario::check(&parsed, "made.gordian", &source, &options);
        found += u64::from(!checked.report.findings.is_empty());
    }
    assert!(found > programs / 20, "only {found} had findings");
    let half = half.expect("there are programs");
    Memory::now()
        .since(half)
        .assert_little(&format!("{programs} programs"));
}

#[test]
fn nothing_is_left_behind() {
    for name in [
        "one_scenario_after_the_other",
        "deadlocking_executions",
        "abandoned_executions",
        "executions_cut_off",
        "panicking_executions",
    ] {
        let ended = child::run(name, TIME_MAX);
        assert!(ended.success && !ended.killed, "{name}: {ended:#?}");
        assert!(
            ended.stdout.contains("1 passed"),
            "{name} did not run: {ended:#?}"
        );
        assert_eq!(ended.stderr, "", "{name} wrote to stderr");
    }
}
