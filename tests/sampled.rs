//! What a report says of a sample: how many distinct interleavings it was, and whether threads ever
//! waited.
#![cfg(feature = "model")]

use std::sync::Arc;

use gordian::report::{Report, Strength};
use gordian::sync::atomic::{AtomicU32, Ordering::SeqCst};
use gordian::sync::{Condvar, Mutex, RwLock, Semaphore, mpsc};
use gordian::{Checker, Strategy, thread};

/// Strategies of which an execution may be one that was run before.
const SAMPLED: [Strategy; 8] = [
    Strategy::Random,
    Strategy::Pct,
    Strategy::Urw,
    Strategy::Surw,
    Strategy::Pos,
    Strategy::HoldAndWait,
    Strategy::Portfolio,
    Strategy::Fuzz,
];

fn report(strategy: Strategy, model: fn()) -> Report {
    let checker = Checker::new().strategy(strategy).executions_max(500);
    let report = checker.check(model);
    assert_eq!(report.error, None, "{strategy}");
    report
}

/// Two threads that do so with what they share.
fn two<T: Send + Sync + 'static>(shared: T, one: fn(&T), two: fn(&T)) {
    let shared = Arc::new(shared);
    let its = Arc::clone(&shared);
    let thread = thread::spawn(move || one(&its));
    two(&shared);
    thread.join().unwrap();
}

fn one_mutex() {
    two(Mutex::new(0), |m| *m.lock() += 1, |m| *m.lock() += 1);
}

fn three_of_one_mutex() {
    let lock = Arc::new(Mutex::new(0));
    let spawn = |_| {
        let lock = Arc::clone(&lock);
        thread::spawn(move || *lock.lock() += 1)
    };
    let threads = [0, 1].map(spawn);
    *lock.lock() += 1;
    for thread in threads {
        thread.join().unwrap();
    }
}

fn opposite_orders() {
    let locks = (Mutex::new(0), Mutex::new(0));
    two(
        locks,
        |(a, b)| *a.lock() += *b.lock(),
        |(a, b)| *b.lock() += *a.lock(),
    );
}

fn reader_and_writer() {
    two(RwLock::new(0), |l| drop(l.read()), |l| *l.write() += 1);
}

fn readers() {
    two(RwLock::new(0), |l| drop(l.read()), |l| drop(l.read()));
}

fn permits() {
    two(
        Semaphore::new(1),
        |s| drop(s.acquire()),
        |s| drop(s.acquire()),
    );
}

fn atomics() {
    two(
        AtomicU32::new(0),
        |a| a.store(1, SeqCst),
        |a| assert!(a.load(SeqCst) < 2),
    );
}

fn notified() {
    two(
        (Mutex::new(false), Condvar::new()),
        |(ready, changed)| {
            *ready.lock() = true;
            changed.notify_one();
        },
        |(ready, changed)| {
            let mut ready = ready.lock();
            while !*ready {
                changed.wait(&mut ready);
            }
        },
    );
}

fn messages() {
    let (sender, receiver) = mpsc::channel();
    let other = sender.clone();
    let one = thread::spawn(move || sender.send(1).unwrap());
    let two = thread::spawn(move || other.send(2).unwrap());
    receiver.recv().unwrap();
    receiver.recv().unwrap();
    one.join().unwrap();
    two.join().unwrap();
}

fn chosen() {
    two(
        Mutex::new(0),
        |m| *m.lock() += gordian::choose(3),
        |m| *m.lock() += 1,
    );
}

fn of_their_own() {
    two(
        (Mutex::new(0), Mutex::new(0)),
        |(a, _)| *a.lock() += 1,
        |(_, b)| *b.lock() += 1,
    );
}

/// Models, and whether a thread may have to wait in them for something that another has.
const MODELS: [(&str, fn(), bool); 11] = [
    ("one mutex", one_mutex, true),
    ("three of one mutex", three_of_one_mutex, true),
    ("opposite orders", opposite_orders, true),
    ("reader and writer", reader_and_writer, true),
    ("readers", readers, false),
    ("permits", permits, true),
    ("atomics", atomics, false),
    ("notified", notified, true),
    ("messages", messages, true),
    ("chosen", chosen, true),
    ("of their own", of_their_own, false),
];

/// What the exhaustive search has an execution for each of is what a sample's are counted by: a
/// sample that is large enough has met all, and none is counted twice.
#[test]
fn as_many_are_distinct_as_there_are() {
    for (name, model, _) in MODELS {
        let all = report(Strategy::Exhaustive, model).search;
        assert_eq!(all.distinct, None, "{name}: each of them is");
        assert_eq!(all.interleavings(), all.executions, "{name}");
        for strategy in SAMPLED {
            let sample = report(strategy, model).search;
            assert_eq!(sample.strength, Strength::Sampled);
            let distinct = sample.distinct.expect("they are counted");
            assert_eq!(sample.interleavings(), distinct);
            // Three priorities, or a bias, do not come to every interleaving.
            let is_fair = matches!(strategy, Strategy::Random | Strategy::Portfolio);
            assert!(
                distinct == all.executions || (distinct < all.executions && !is_fair),
                "{name}, {strategy}: {distinct} of {}",
                all.executions
            );
        }
    }
}

#[test]
fn who_waits_is_counted_by_every_strategy() {
    let systematic = [Strategy::Exhaustive, Strategy::Dfs, Strategy::Source];
    for (name, model, waits) in MODELS {
        for strategy in SAMPLED.into_iter().chain(systematic) {
            let report = report(strategy, model);
            let contended = report.search.contended;
            assert_eq!(contended > 0, waits, "{name}, {strategy}: {contended}");
            let seen = report.coverage.locks.iter().any(|lock| lock.is_contended());
            assert!(contended > 0 || !seen, "{name}, {strategy}");
        }
    }
}

#[test]
fn executions_are_not_called_interleavings() {
    for (strategy, words) in [
        (
            Strategy::Random,
            "sampled (random): 500 executions of 2 distinct interleavings, ",
        ),
        (
            Strategy::Fuzz,
            "sampled (fuzz): 500 executions of 2 distinct interleavings, ",
        ),
        (Strategy::Exhaustive, "exhaustive: 2 interleavings, "),
    ] {
        let report = report(strategy, one_mutex);
        let told = report.strength();
        assert!(told.starts_with(words), "{told}");
        assert!(report.explain().contains(words), "{report}");
    }
    let found = report(Strategy::Random, opposite_orders).explain();
    let seen = found
        .lines()
        .find(|line| line.trim_start().starts_with("seen"));
    let seen = seen.expect("how often it was seen");
    assert!(seen.contains(" executions, first in number "), "{seen}");
}
