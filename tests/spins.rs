//! Loops that wait by looking again: each program that is right is proved, each that is not is
//! found, under every strategy and every bound without a false alarm.

#![cfg(feature = "model")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use gordian::report::{Report, Severity, Verdict};
use gordian::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst};
use gordian::sync::{Mutex, MutexGuard};
use gordian::time::Instant;
use gordian::{Checker, Code, Named, Strategy, hint, thread};

/// Starts this many threads and waits for them.
fn threads(count: usize, body: impl Fn(usize) + Send + Sync + 'static) {
    let body = Arc::new(body);
    let all: Vec<_> = (0..count)
        .map(|number| {
            let its = Arc::clone(&body);
            thread::spawn(move || its(number))
        })
        .collect();
    for thread in all {
        thread.join().unwrap();
    }
}

/// The simplest correct one: does `pause` between two looks.
fn flag(pause: fn()) {
    let flag = Arc::new(AtomicBool::new(false));
    let its = Arc::clone(&flag);
    let setter = thread::spawn(move || its.store(true, SeqCst));
    while !flag.load(SeqCst) {
        pause();
    }
    setter.join().unwrap();
}

fn flag_with_a_yield() {
    flag(|| thread::yield_now());
}

fn flag_with_a_spin_hint() {
    flag(|| {
        hint::spin_loop();
        hint::spin_loop();
    });
}

fn flag_with_a_sleep() {
    flag(|| thread::sleep(Duration::from_millis(1)));
}

fn flag_without_a_hint() {
    flag(|| {});
}

/// Two flags one after the other: what comes after the first is interleaved with the setter's rest.
fn relay() {
    let flags = Arc::new((AtomicBool::new(false), AtomicBool::new(false)));
    let its = Arc::clone(&flags);
    let other = thread::spawn(move || {
        its.0.store(true, SeqCst);
        while !its.1.load(SeqCst) {
            thread::yield_now();
        }
    });
    while !flags.0.load(SeqCst) {
        thread::yield_now();
    }
    flags.1.store(true, SeqCst);
    other.join().unwrap();
}

/// Test and set.
#[derive(Default)]
struct SpinLock(AtomicBool);

impl SpinLock {
    fn lock(&self) {
        while self
            .0
            .compare_exchange(false, true, SeqCst, SeqCst)
            .is_err()
        {
            hint::spin_loop();
        }
    }

    fn unlock(&self) {
        self.0.store(false, SeqCst);
    }
}

fn spin_lock() {
    let shared = Arc::new((SpinLock::default(), AtomicU32::new(0)));
    let its = Arc::clone(&shared);
    threads(2, move |_| {
        its.0.lock();
        let before = its.1.load(SeqCst);
        its.1.store(before + 1, SeqCst);
        its.0.unlock();
    });
    assert_eq!(shared.1.load(SeqCst), 2);
}

/// Test, and test and set, with a back-off that grows.
fn spin_lock_with_backoff() {
    let shared = Arc::new((AtomicBool::new(false), AtomicU32::new(0)));
    let its = Arc::clone(&shared);
    threads(2, move |_| {
        let mut step = 0;
        while its.0.compare_exchange(false, true, SeqCst, SeqCst).is_err() {
            while its.0.load(SeqCst) {
                backoff(&mut step);
            }
        }
        let before = its.1.load(SeqCst);
        its.1.store(before + 1, SeqCst);
        its.0.store(false, SeqCst);
    });
    assert_eq!(shared.1.load(SeqCst), 2);
}

/// Spins longer and longer, then yields; like crossbeam's.
fn backoff(step: &mut u32) {
    if *step <= 6 {
        (0..1 << *step).for_each(|_| hint::spin_loop());
    } else {
        thread::yield_now();
    }
    *step += 1;
}

/// Spins, yields, and parks in the end.
fn spin_then_park() {
    let shared = Arc::new((AtomicBool::new(false), thread::current()));
    let its = Arc::clone(&shared);
    let setter = thread::spawn(move || {
        its.0.store(true, SeqCst);
        its.1.unpark();
    });
    let mut step = 0;
    while !shared.0.load(SeqCst) {
        if step > 10 {
            thread::park();
        } else {
            backoff(&mut step);
        }
    }
    setter.join().unwrap();
}

#[derive(Default)]
struct TicketLock {
    next: AtomicU32,
    serving: AtomicU32,
}

fn ticket_lock(count: usize) {
    let shared = Arc::new((TicketLock::default(), AtomicU32::new(0)));
    let its = Arc::clone(&shared);
    threads(count, move |_| {
        let mine = its.0.next.fetch_add(1, SeqCst);
        while its.0.serving.load(SeqCst) != mine {
            hint::spin_loop();
        }
        let before = its.1.load(SeqCst);
        its.1.store(before + 1, SeqCst);
        its.0.serving.store(mine + 1, SeqCst);
    });
    assert_eq!(shared.1.load(SeqCst), count as u32);
}

fn seqlock() {
    let shared = Arc::new((AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0)));
    let its = Arc::clone(&shared);
    let writer = thread::spawn(move || {
        for value in 1..=1 {
            its.0.fetch_add(1, SeqCst);
            its.1.store(value, SeqCst);
            its.2.store(value, SeqCst);
            its.0.fetch_add(1, SeqCst);
        }
    });
    let (first, second) = loop {
        let before = shared.0.load(SeqCst);
        if before.is_multiple_of(2) {
            let values = (shared.1.load(SeqCst), shared.2.load(SeqCst));
            if shared.0.load(SeqCst) == before {
                break values;
            }
        }
        hint::spin_loop();
    };
    assert_eq!(first, second);
    writer.join().unwrap();
}

fn peterson(right: bool) {
    struct Shared {
        wants: [AtomicBool; 2],
        turn: AtomicUsize,
        inside: AtomicU32,
    }
    let shared = Arc::new(Shared {
        wants: Default::default(),
        turn: AtomicUsize::new(0),
        inside: AtomicU32::new(0),
    });
    threads(2, move |me| {
        let other = 1 - me;
        shared.wants[me].store(true, SeqCst);
        if right {
            shared.turn.store(other, SeqCst);
        }
        while shared.wants[other].load(SeqCst) && (!right || shared.turn.load(SeqCst) == other) {
            thread::yield_now();
        }
        assert_eq!(shared.inside.fetch_add(1, SeqCst), 0);
        shared.inside.fetch_sub(1, SeqCst);
        shared.wants[me].store(false, SeqCst);
    });
}

fn dekker() {
    struct Shared {
        wants: [AtomicBool; 2],
        turn: AtomicUsize,
        inside: AtomicU32,
    }
    let shared = Arc::new(Shared {
        wants: Default::default(),
        turn: AtomicUsize::new(0),
        inside: AtomicU32::new(0),
    });
    threads(2, move |me| {
        let other = 1 - me;
        shared.wants[me].store(true, SeqCst);
        while shared.wants[other].load(SeqCst) {
            if shared.turn.load(SeqCst) != me {
                shared.wants[me].store(false, SeqCst);
                while shared.turn.load(SeqCst) != me {
                    thread::yield_now();
                }
                shared.wants[me].store(true, SeqCst);
            } else {
                thread::yield_now();
            }
        }
        assert_eq!(shared.inside.fetch_add(1, SeqCst), 0);
        shared.inside.fetch_sub(1, SeqCst);
        shared.turn.store(other, SeqCst);
        shared.wants[me].store(false, SeqCst);
    });
}

/// Philosophers that give their first fork back when the second is not to be had.
fn dining(seats: usize) {
    let forks: Arc<[_]> = (0..seats).map(|_| Mutex::new(0)).collect();
    let both = move |first: &Mutex<u32>, second: &Mutex<u32>| {
        loop {
            let left: MutexGuard<'_, u32> = first.lock();
            if let Some(right) = second.try_lock() {
                return drop((left, right));
            }
            drop(left);
            thread::yield_now();
        }
    };
    threads(seats, move |seat| {
        both(&forks[seat], &forks[(seat + 1) % seats])
    });
}

/// left-right's writer: waits until each reader has left, or entered anew.
fn left_right() {
    struct Shared {
        side: AtomicUsize,
        epochs: [AtomicUsize; 2],
        data: [AtomicU32; 2],
    }
    let shared = Arc::new(Shared {
        side: AtomicUsize::new(0),
        epochs: Default::default(),
        data: Default::default(),
    });
    let readers: Vec<_> = (0..2)
        .map(|me| {
            let its = Arc::clone(&shared);
            thread::spawn(move || {
                its.epochs[me].fetch_add(1, SeqCst);
                let side = its.side.load(SeqCst);
                let first = its.data[side].load(SeqCst);
                assert_eq!(
                    first,
                    its.data[side].load(SeqCst),
                    "written while it is read"
                );
                its.epochs[me].fetch_add(1, SeqCst);
            })
        })
        .collect();
    shared.data[1].store(1, SeqCst);
    shared.side.store(1, SeqCst);
    let seen = [0, 1].map(|reader| shared.epochs[reader].load(SeqCst));
    for (reader, seen) in seen.into_iter().enumerate() {
        while seen % 2 == 1 && shared.epochs[reader].load(SeqCst) == seen {
            thread::yield_now();
        }
    }
    shared.data[0].store(1, SeqCst);
    readers
        .into_iter()
        .for_each(|reader| reader.join().unwrap());
}

/// Gives up by itself, after more rounds than are explored freely: then nobody else can go on.
fn gives_up(rounds: u32) {
    let flag = Arc::new((AtomicBool::new(false), AtomicBool::new(false)));
    let its = Arc::clone(&flag);
    let other = thread::spawn(move || {
        for _ in 0..rounds {
            if its.0.load(SeqCst) {
                return;
            }
            thread::yield_now();
        }
        its.1.store(true, SeqCst);
    });
    other.join().unwrap();
    assert!(flag.1.load(SeqCst));
}

/// One never gives up, and what it waits for comes when the other does.
fn one_gives_up_for_the_other() {
    let shared = Arc::new((
        AtomicBool::new(false),
        AtomicBool::new(false),
        Mutex::new(0),
    ));
    threads(3, move |me| match me {
        0 => {
            while !shared.0.load(SeqCst) {
                thread::yield_now();
            }
        }
        1 => {
            for _ in 0..5 {
                if shared.1.load(SeqCst) {
                    return;
                }
                thread::yield_now();
            }
            *shared.2.lock() += 1;
            shared.0.store(true, SeqCst);
        }
        _ => *shared.2.lock() += 1,
    });
}

fn polls_until_a_deadline() {
    let flag = Arc::new(AtomicBool::new(false));
    let deadline = Instant::now() + Duration::from_secs(3600);
    while !flag.load(SeqCst) && Instant::now() < deadline {
        thread::park_timeout(Duration::from_millis(5));
    }
    assert!(Instant::now() >= deadline);
}

/// Goes round again while it holds what the setter needs.
fn under_a_lock() {
    let shared = Arc::new((
        Mutex::new(()).named("gate"),
        AtomicBool::new(false).named("flag"),
    ));
    let its = Arc::clone(&shared);
    let setter = thread::Builder::new().name("setter".to_owned());
    let setter = setter.spawn(move || {
        let _gate = its.0.lock();
        its.1.store(true, SeqCst);
    });
    {
        let _gate = shared.0.lock();
        while !shared.1.load(SeqCst) {
            thread::yield_now();
        }
    }
    setter.unwrap().join().unwrap();
}

/// Looks for what nobody sets.
fn for_nothing() {
    let flag = Arc::new(AtomicBool::new(false).named("flag"));
    let its = Arc::clone(&flag);
    threads(2, move |_| {
        while !its.load(SeqCst) {
            thread::yield_now();
        }
    });
    drop(flag);
}

/// Two locks in two orders, by tries that are never given up.
fn tries_in_two_orders() {
    let locks = Arc::new((Mutex::new(()).named("a"), Mutex::new(()).named("b")));
    threads(2, move |me| {
        let (first, second) = match me {
            0 => (&locks.0, &locks.1),
            _ => (&locks.1, &locks.0),
        };
        let _first = first.lock();
        while second.try_lock().is_none() {
            thread::yield_now();
        }
    });
}

/// Two locks in two orders, by timed waits that are never given up.
fn timed_in_two_orders() {
    let locks = Arc::new((Mutex::new(()), Mutex::new(())));
    threads(2, move |me| {
        let (first, second) = match me {
            0 => (&locks.0, &locks.1),
            _ => (&locks.1, &locks.0),
        };
        let _first = first.lock();
        while second.try_lock_for(Duration::from_millis(5)).is_none() {}
    });
}

/// What is right, and how many interleavings it takes at most.
const RIGHT: &[(&str, fn(), u64)] = &[
    ("flag", flag_with_a_yield, 10),
    ("flag with a spin hint", flag_with_a_spin_hint, 10),
    ("flag with a sleep", flag_with_a_sleep, 10),
    ("flag without a hint", flag_without_a_hint, 60),
    ("relay", relay, 40),
    ("spin lock", spin_lock, 50),
    ("spin lock with back-off", spin_lock_with_backoff, 2_000),
    ("spin then park", spin_then_park, 100),
    ("ticket lock of 2", || ticket_lock(2), 50),
    ("ticket lock of 3", || ticket_lock(3), 5_000),
    ("seqlock", seqlock, 5_000),
    ("peterson", || peterson(true), 2_000),
    ("dekker", dekker, 20_000),
    ("dining 2", || dining(2), 500),
    ("dining 3", || dining(3), 200_000),
    ("left-right", left_right, 20_000),
    ("gives up after 1", || gives_up(1), 5),
    ("gives up after 3", || gives_up(3), 5),
    ("gives up after 100", || gives_up(100), 5),
    ("gives up after 900", || gives_up(900), 5),
    ("one gives up for the other", one_gives_up_for_the_other, 50),
    ("polls until a deadline", polls_until_a_deadline, 5),
];

/// What is wrong, and what is found.
const WRONG: &[(&str, fn(), Code)] = &[
    ("under a lock", under_a_lock, Code::Deadlock),
    ("for nothing", for_nothing, Code::LostWakeup),
    (
        "peterson without turns",
        || peterson(false),
        Code::LostWakeup,
    ),
    ("tries in two orders", tries_in_two_orders, Code::Deadlock),
    ("timed in two orders", timed_in_two_orders, Code::Deadlock),
    ("polls a condvar", polls_a_condvar, Code::LostWakeup),
];

/// A wait that ends at no time, while its lock is given back and taken again each time.
fn polls_a_condvar() {
    let shared = (Mutex::new(false), gordian::sync::Condvar::new());
    let mut ready = shared.0.lock();
    while !*ready {
        shared.1.wait_for(&mut ready, Duration::from_millis(1));
    }
}

fn sizes(report: &Report) -> String {
    format!(
        "{} in {} s, {} steps",
        report.search.executions, report.search.seconds, report.search.steps
    )
}

#[test]
fn what_is_right_is_proved() {
    let mut wrong = String::new();
    for &(name, model, executions_max) in RIGHT {
        let checker = Checker::new().executions_max(executions_max + 1);
        let report = checker.check(model);
        if report.verdict != Verdict::Clean || report.search.executions > executions_max {
            wrong += &format!("{name}, {}: {report}\n", sizes(&report));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// A bound, or a sample, is no reason to say that a thread starves.
#[test]
fn no_bound_and_no_strategy_cries_wolf() {
    let mut settings: Vec<(String, Checker)> = Vec::new();
    for &(strategy, name) in Strategy::ALL {
        if strategy == Strategy::States {
            continue;
        }
        for steps in [12, 60, 10_000] {
            let checker = Checker::new().strategy(strategy).steps_max(steps);
            settings.push((format!("{name}, {steps} steps"), checker));
        }
    }
    for preemptions in 0..=2 {
        for steps in [60, 10_000] {
            let checker = Checker::new().preemptions_max(preemptions).steps_max(steps);
            settings.push((format!("{preemptions} preemptions, {steps} steps"), checker));
        }
    }
    for spins in [0, 3] {
        settings.push((format!("{spins} spins"), Checker::new().spins_max(spins)));
    }
    let mut wrong = String::new();
    for (setting, checker) in settings {
        for &(name, model, _) in RIGHT {
            let report = checker.clone().executions_max(60).check(model);
            if !report.findings.is_empty() || report.verdict == Verdict::Error {
                wrong += &format!("{name}, {setting}: {report}\n");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_is_wrong_is_found() {
    let mut wrong = String::new();
    for &(name, model, code) in WRONG {
        let report = Checker::new().executions_max(20_000).check(model);
        let mut errors = report.findings.iter();
        let only = errors.all(|its| its.code == code || its.severity < Severity::Error);
        if !report.has(code) || !only || !report.search.complete {
            wrong += &format!("{name}, {}: {report}\n", sizes(&report));
        }
        for finding in &report.findings {
            let token = finding.token.parse().unwrap();
            let replayed = Checker::new().replay(token).check(model);
            if !replayed.has(finding.code) {
                wrong += &format!("{name}, replayed {}: {replayed}\n", finding.token);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// One operation of a thread of a made program.
#[derive(Clone, Copy, Debug)]
enum Made {
    Store(usize, u32),
    Add(usize),
    /// Goes round until the variable has a value.
    Await(usize, u32),
    /// The same, and gives up after so many rounds.
    Ask(usize, u32, u32),
    /// Goes round until the lock is to be had, changes the variable and gives it back.
    Try(usize, usize),
    Lock(usize),
    Unlock,
}

/// A small program, the same for the same number.
fn made(number: u64) -> Vec<Vec<Made>> {
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5851_F42D_4C95_7F2D;
    let mut below = move |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) % bound
    };
    let threads = 2 + below(2);
    (0..threads)
        .map(|_| {
            let mut locked = false;
            let mut made: Vec<Made> = (0..1 + below(3))
                .map(|_| {
                    let (x, value) = (below(2) as usize, 1 + below(2) as u32);
                    match below(9) {
                        0 | 1 => Made::Store(x, value),
                        2 => Made::Add(x),
                        3 | 4 => Made::Await(x, value),
                        5 => Made::Ask(x, value, 1 + below(3) as u32),
                        6 => Made::Try(x, 1 - x),
                        _ if locked => {
                            locked = false;
                            Made::Unlock
                        }
                        _ => {
                            locked = true;
                            Made::Lock(x)
                        }
                    }
                })
                .collect();
            made.extend(locked.then_some(Made::Unlock));
            made
        })
        .collect()
}

/// What all complete executions of a program come to, and what is found.
fn outcomes(program: &[Vec<Made>], checker: Checker) -> (Report, BTreeSet<Vec<u32>>) {
    let ends = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
    let (its, program) = (Arc::clone(&ends), program.to_vec());
    let report = checker.shrink(false).check(move || {
        let variables: Arc<[AtomicU32; 2]> = Arc::default();
        let locks: Arc<[Mutex<()>; 2]> = Arc::default();
        let seen = Arc::new(std::sync::Mutex::new(vec![Vec::new(); program.len()]));
        let (values, its_seen, program) =
            (Arc::clone(&variables), Arc::clone(&seen), program.clone());
        threads(program.len(), move |me| {
            let mut held = None;
            for made in &program[me] {
                let saw = match *made {
                    Made::Store(x, value) => {
                        values[x].store(value, SeqCst);
                        0
                    }
                    Made::Add(x) => values[x].fetch_add(1, SeqCst),
                    Made::Await(x, value) => {
                        while values[x].load(SeqCst) != value {
                            thread::yield_now();
                        }
                        0
                    }
                    Made::Ask(x, value, rounds) => {
                        let asked = (0..rounds).find(|_| {
                            let is_it = values[x].load(SeqCst) == value;
                            if !is_it {
                                thread::yield_now();
                            }
                            is_it
                        });
                        asked.is_some().into()
                    }
                    Made::Try(lock, x) => {
                        let _guard = loop {
                            if let Some(guard) = locks[lock].try_lock() {
                                break guard;
                            }
                            hint::spin_loop();
                        };
                        values[x].fetch_add(1, SeqCst)
                    }
                    Made::Lock(lock) => {
                        held = Some(locks[lock].lock());
                        0
                    }
                    Made::Unlock => {
                        held = None;
                        0
                    }
                };
                its_seen.lock().unwrap()[me].push(saw);
            }
            drop(held);
        });
        let mut end = seen.lock().unwrap().concat();
        end.extend(variables.iter().map(|variable| variable.load(SeqCst)));
        its.lock().unwrap().insert(end);
    });
    let ends = std::mem::take(&mut *ends.lock().unwrap());
    (report, ends)
}

/// What waits for a change is explored with one execution for each trace, and nothing is lost: the
/// plain depth-first search, which has no reduction, comes to the same ends and finds the same.
#[test]
fn made_programs_come_to_the_same_with_and_without_reduction() {
    const DFS_MAX: u64 = 1_000;
    let programs = std::env::var("SPINS_PROGRAMS").map_or(120, |count| count.parse().unwrap());
    let (mut compared, mut waited, mut stuck) = (0, 0, 0);
    for number in 0..programs {
        let program = made(number);
        let plain = Checker::new()
            .strategy(Strategy::Dfs)
            .executions_max(DFS_MAX);
        let (plain, plain_ends) = outcomes(&program, plain);
        if !plain.search.complete {
            continue;
        }
        for strategy in [Strategy::Exhaustive, Strategy::Source] {
            let checker = Checker::new().strategy(strategy).executions_max(DFS_MAX);
            let (report, ends) = outcomes(&program, checker);
            let codes = |report: &Report| {
                let all = report.findings.iter().map(|finding| finding.code.as_str());
                all.collect::<BTreeSet<_>>()
            };
            assert!(report.search.complete, "{number}: {program:?}: {report}");
            assert_eq!(ends, plain_ends, "{number}: {program:?}, {strategy}");
            assert_eq!(
                codes(&report),
                codes(&plain),
                "{number}: {program:?}, {strategy}"
            );
            if strategy == Strategy::Exhaustive {
                assert_eq!(report.search.executions_blocked, 0, "{number}: {program:?}");
                assert!(
                    report.search.executions <= plain.search.executions,
                    "{number}"
                );
                stuck += u64::from(!report.findings.is_empty());
            }
        }
        compared += 1;
        let awaits = |made: &Made| matches!(made, Made::Await(..) | Made::Ask(..) | Made::Try(..));
        waited += u64::from(program.iter().flatten().any(awaits));
    }
    assert!(compared > programs / 3, "only {compared} were compared");
    assert!(
        waited > compared / 2 && stuck > compared / 20,
        "{waited} {stuck} {compared}"
    );
}

/// The same programs as scenarios, of which every state is known: whether all of their threads can
/// always come to their end is a question about the graph of states.
#[cfg(feature = "scenario")]
#[test]
fn the_search_by_states_agrees() {
    use gordian::scenario::{self, Options};

    type Row = (&'static str, fn(), &'static str);
    let rows: &[Row] = &[
        (
            "flag",
            flag_with_a_yield,
            "var f
             thread s { f = 1 }
             thread w { while f == 0 { nop } }",
        ),
        (
            "spin lock",
            spin_lock,
            "var l
             var x
             thread t * 2 {
               cas l 0 1 $ok
               while $ok == 0 { cas l 0 1 $ok }
               x += 1
               l = 0
             }",
        ),
        (
            "ticket lock",
            || ticket_lock(3),
            "var next
             var serving
             var x
             thread t * 3 {
               fetch_add next 1 $mine
               while serving != $mine { nop }
               x += 1
               serving += 1
             }",
        ),
        (
            "peterson",
            || peterson(true),
            "var a
             var b
             var turn
             var inside
             thread one {
               a = 1
               turn = 1
               loop {
                 if b == 0 { break }
                 if turn == 0 { break }
               }
               inside += 1
               assert inside == 1
               inside -= 1
               a = 0
             }
             thread two {
               b = 1
               turn = 0
               loop {
                 if a == 0 { break }
                 if turn == 1 { break }
               }
               inside += 1
               assert inside == 1
               inside -= 1
               b = 0
             }",
        ),
        (
            "peterson without turns",
            || peterson(false),
            "var a
             var b
             thread one {
               a = 1
               while b == 1 { nop }
               a = 0
             }
             thread two {
               b = 1
               while a == 1 { nop }
               b = 0
             }",
        ),
        (
            "dining",
            || dining(2),
            "mutex a
             mutex b
             thread one {
               loop {
                 lock a
                 trylock b $ok
                 if $ok {
                   unlock b
                   unlock a
                   break
                 }
                 unlock a
               }
             }
             thread two {
               loop {
                 lock b
                 trylock a $ok
                 if $ok {
                   unlock a
                   unlock b
                   break
                 }
                 unlock b
               }
             }",
        ),
        (
            "under a lock",
            under_a_lock,
            "var f
             mutex m
             thread one {
               lock m
               while f == 0 { nop }
               unlock m
             }
             thread two {
               lock m
               f = 1
               unlock m
             }",
        ),
        (
            "for nothing",
            for_nothing,
            "var f
             thread t * 2 { while f == 0 { nop } }",
        ),
        (
            "tries in two orders",
            tries_in_two_orders,
            "mutex a
             mutex b
             thread one {
               lock a
               loop {
                 trylock b $ok
                 if $ok { break }
               }
               unlock b
               unlock a
             }
             thread two {
               lock b
               loop {
                 trylock a $ok
                 if $ok { break }
               }
               unlock a
               unlock b
             }",
        ),
    ];
    for &(name, model, source) in rows {
        let parsed = Arc::new(scenario::parse(source).expect(name));
        let options = Options::default().strategy(Strategy::States).liveness(true);
        let states = scenario::check(&parsed, "made.gordian", source, &options).report;
        let report = Checker::new().check(model);
        assert!(
            states.search.complete && report.search.complete,
            "{name}: {states} {report}"
        );
        assert_eq!(
            states.findings.is_empty(),
            report.findings.is_empty(),
            "{name}: {states} {report}"
        );
    }
}
