//! What a report says of the model's locks.
#![cfg(feature = "model")]

use std::sync::Arc;

use expect_test::{Expect, expect};
use gordian::report::{BothOrders, Coverage, LockMode, Report};
use gordian::sync::{Condvar, Mutex, RawLock, RwLock, Semaphore};
use gordian::thread::{self, Builder};
use gordian::{Checker, Named, Strategy};

/// A line a lock (how often it was had, how often waited for, by whom), a line a nesting.
fn told(coverage: &Coverage) -> String {
    let mut text = String::new();
    for lock in &coverage.locks {
        let several = if lock.count > 1 { " several" } else { "" };
        let threads = lock.threads.join(",");
        text += &format!("{} {}{several} by {threads}:", lock.kind, lock.name);
        for site in &lock.sites {
            let contended = if site.contended > 0 { " contended" } else { "" };
            text += &format!(" {}{contended}", site.operation);
        }
        text.push('\n');
    }
    for nesting in &coverage.nested {
        let name = |at: u32| &*coverage.locks[at as usize].name;
        let mode = |mode| match mode {
            LockMode::Shared => "r",
            LockMode::Upgradable => "u",
            _ => "",
        };
        let both = match coverage.both_orders(nesting) {
            Some(BothOrders::Seen) => " both orders",
            Some(_) => " both orders, of several",
            None => "",
        };
        text += &format!(
            "{}{} > {}{}{} by {}{both}\n",
            mode(nesting.outer_mode),
            name(nesting.outer),
            if nesting.tried { "tried " } else { "" },
            mode(nesting.inner_mode),
            name(nesting.inner),
            nesting.threads.join(",")
        );
    }
    text
}

fn report_of(strategy: Strategy, model: impl Fn() + Send + Sync + 'static) -> Report {
    let checker = Checker::new().name("coverage").strategy(strategy);
    let report = checker.executions_max(2_000).check(model);
    assert_eq!(report.error, None);
    let json = serde_json::to_string(&report).unwrap();
    let read: Report = serde_json::from_str(&json).unwrap();
    assert_eq!(
        read.coverage, report.coverage,
        "what is written can be read"
    );
    report
}

/// The same is seen however a search goes through the interleavings.
fn check(model: impl Fn() + Copy + Send + Sync + 'static, expected: Expect) {
    let exhaustive = report_of(Strategy::Exhaustive, model);
    expected.assert_eq(&told(&exhaustive.coverage));
    for strategy in [Strategy::Dfs, Strategy::Source, Strategy::Random] {
        let other = report_of(strategy, model);
        assert_eq!(
            told(&other.coverage),
            told(&exhaustive.coverage),
            "{strategy}"
        );
    }
    let again = report_of(Strategy::Exhaustive, model);
    assert_eq!(again.coverage, exhaustive.coverage);
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> thread::JoinHandle<()> {
    let thread = Builder::new().name(name.to_owned());
    thread.spawn(body).expect("it starts")
}

fn pair() -> [Arc<Mutex<i32>>; 2] {
    ["a", "b"].map(|name| Arc::new(Mutex::new(0).named(name)))
}

/// Two threads that take `first` and then `second`, each in its own order.
fn two(orders: [[usize; 2]; 2]) {
    let locks = pair();
    for (name, [first, second]) in ["t1", "t2"].into_iter().zip(orders) {
        let (first, second) = (Arc::clone(&locks[first]), Arc::clone(&locks[second]));
        spawn(name, move || {
            let _first = first.lock();
            let _second = second.lock();
        });
    }
}

#[test]
fn opposite_orders_are_both_seen() {
    check(
        || two([[0, 1], [1, 0]]),
        expect![[r#"
            mutex a by t1,t2: lock contended lock contended
            mutex b by t1,t2: lock contended lock contended
            a > b by t1 both orders
            b > a by t2 both orders
        "#]],
    );
}

#[test]
fn one_order_is_one_order() {
    check(
        || two([[0, 1], [0, 1]]),
        expect![[r#"
            mutex a by t1,t2: lock contended
            mutex b by t1,t2: lock
            a > b by t1,t2
        "#]],
    );
}

#[test]
fn locks_that_are_not_nested() {
    check(
        || {
            let [a, b] = pair();
            let (other_a, other_b) = (Arc::clone(&a), Arc::clone(&b));
            let thread = spawn("t1", move || {
                *other_a.lock() += 1;
                *other_b.lock() += 1;
            });
            *b.lock() += 1;
            thread.join().unwrap();
            *a.lock() += 1;
        },
        expect![[r#"
            mutex a by main,t1: lock lock
            mutex b by main,t1: lock contended lock contended
        "#]],
    );
}

/// Both orders, and no thread ever waits: a join is between them, or only one thread has both.
#[test]
fn locks_that_are_never_contended() {
    check(
        || {
            let [a, b] = pair();
            let others = (Arc::clone(&a), Arc::clone(&b));
            let body = move || {
                let _a = others.0.lock();
                let _b = others.1.lock();
            };
            spawn("t1", body).join().unwrap();
            let _b = b.lock();
            let _a = a.lock();
        },
        expect![[r#"
            mutex a by main,t1: lock lock
            mutex b by main,t1: lock lock
            a > b by t1 both orders
            b > a by main both orders
        "#]],
    );
    check(
        || {
            let [a, b] = pair();
            drop((a.lock(), b.lock()));
            drop((b.lock(), a.lock()));
        },
        expect![[r#"
            mutex a by main: lock lock
            mutex b by main: lock lock
            a > b by main
            b > a by main
        "#]],
    );
}

#[test]
fn a_try_is_refused_or_not_and_nobody_waits_for_it() {
    check(
        || {
            let [a, b] = pair();
            let others = (Arc::clone(&a), Arc::clone(&b));
            spawn("t1", move || {
                let _b = others.1.lock();
                drop(others.0.try_lock());
            });
            let _a = a.lock();
            let _b = b.lock();
        },
        expect![[r#"
            mutex a by main,t1: try-lock contended lock contended
            mutex b by main,t1: lock contended lock contended
            a > b by main
            b > tried a by t1
        "#]],
    );
}

#[test]
fn modes_of_a_reader_writer_lock() {
    check(
        || {
            let table = Arc::new(RwLock::new(0).named("table"));
            let log = Arc::new(Mutex::new(0).named("log"));
            for name in ["t1", "t2"] {
                let (table, log) = (Arc::clone(&table), Arc::clone(&log));
                spawn(name, move || {
                    let _table = table.read();
                    *log.lock() += 1;
                });
            }
        },
        expect![[r#"
            mutex log by t1,t2: lock contended
            rwlock table by t1,t2: read
            rtable > log by t1,t2
        "#]],
    );
    check(
        || {
            let table = Arc::new(RwLock::new(0).named("table"));
            let other = Arc::clone(&table);
            spawn("t1", move || *other.write() += 1);
            drop(table.read());
        },
        expect![[r#"
            rwlock table by main,t1: write contended read contended
        "#]],
    );
}

/// Neither order makes anyone wait: all of them read.
#[test]
fn readers_in_both_orders() {
    check(
        || {
            let locks = ["a", "b"].map(|name| Arc::new(RwLock::new(0).named(name)));
            for (name, [first, second]) in [("t1", [0, 1]), ("t2", [1, 0])] {
                let (first, second) = (Arc::clone(&locks[first]), Arc::clone(&locks[second]));
                spawn(name, move || {
                    let _first = first.read();
                    let _second = second.read();
                });
            }
        },
        expect![[r#"
            rwlock a by t1,t2: read read
            rwlock b by t1,t2: read read
            ra > rb by t1
            rb > ra by t2
        "#]],
    );
}

#[test]
fn locks_without_an_owner() {
    check(
        || {
            let lock = Arc::new(RawLock::new().named("lock"));
            let permit = Arc::new(Semaphore::new(1).named("permit"));
            let pool = Arc::new(Semaphore::new(2).named("pool"));
            let others = (Arc::clone(&lock), Arc::clone(&permit), pool);
            spawn("t1", move || {
                let _place = others.2.acquire();
                let _permit = others.1.acquire();
                others.0.acquire();
                let _ = others.0.release();
            });
            let _permit = permit.acquire();
            lock.acquire();
            let _ = lock.release();
        },
        expect![[r#"
            lock lock by main,t1: acquire acquire
            semaphore permit by main,t1: acquire contended acquire contended
            permit > lock by main,t1
        "#]],
    );
}

/// The notifier holds the lock that the waiter takes again; that alone is no contention.
#[test]
fn a_condvar_gives_its_lock_back() {
    check(
        || {
            let state = Arc::new((Mutex::new(false).named("ready"), Condvar::new()));
            let log = Arc::new(Mutex::new(0).named("log"));
            let others = (Arc::clone(&state), Arc::clone(&log));
            let thread = spawn("waiter", move || {
                let _log = others.1.lock();
                let mut ready = others.0.0.lock();
                others.0.1.wait_while(&mut ready, |ready| !*ready);
            });
            *state.0.lock() = true;
            state.1.notify_one();
            thread.join().unwrap();
        },
        expect![[r#"
            mutex log by waiter: lock
            mutex ready by main,waiter: lock contended wait lock contended
            log > ready by waiter
        "#]],
    );
}

/// Nothing tells locks that are made at one place apart, so nothing is claimed of their order.
#[test]
fn several_locks_of_one_place() {
    check(
        || {
            let forks: Vec<_> = (0..3)
                .map(|_| Arc::new(Mutex::new(()).named("fork")))
                .collect();
            for (name, (first, second)) in [("t1", (0, 1)), ("t2", (1, 2)), ("t3", (0, 2))] {
                let (first, second) = (Arc::clone(&forks[first]), Arc::clone(&forks[second]));
                spawn(name, move || {
                    let _first = first.lock();
                    let _second = second.lock();
                });
            }
        },
        expect![[r#"
            mutex fork several by t1,t2,t3: lock contended lock contended
            fork > fork by t1,t2,t3
        "#]],
    );
}

#[test]
fn very_many_locks_are_cut_off() {
    let report = report_of(Strategy::Exhaustive, || {
        let locks: Vec<_> = (0..250)
            .map(|at| Mutex::new(()).named(format!("lock-{at:03}")))
            .collect();
        let _guards: Vec<_> = locks.iter().map(|lock| lock.lock()).collect();
    });
    let coverage = &report.coverage;
    assert_eq!(coverage.locks.len(), 200);
    assert_eq!(coverage.locks[199].name, "lock-199");
    assert_eq!(coverage.nested.len(), 1_000);
    let nestings = 250 * 249 / 2;
    assert_eq!(coverage.left_out, 50 + nestings - 1_000);
}

#[test]
fn files_of_before_can_be_read() {
    let report = report_of(Strategy::Exhaustive, || two([[0, 1], [1, 0]]));
    let mut json = serde_json::to_value(&report).unwrap();
    json.as_object_mut().unwrap().remove("coverage").unwrap();
    let read: Report = serde_json::from_value(json).unwrap();
    assert!(read.coverage.is_empty() && !report.coverage.is_empty());
}

#[cfg(feature = "loom")]
#[test]
fn loom_sees_it_too() {
    let checker = Checker::new().engine(gordian::report::Engine::Loom);
    let coverage = checker.check(|| two([[0, 1], [1, 0]])).coverage;
    assert!(coverage.locks.iter().all(|lock| lock.is_contended()));
    let nested = told(&coverage);
    let nested: Vec<&str> = nested.lines().skip(2).collect();
    assert_eq!(
        nested,
        ["a > b by t1 both orders", "b > a by t2 both orders"]
    );
}

#[cfg(feature = "scenario")]
mod scenario {
    use gordian::scenario::{Options, check, parse};

    use super::*;

    fn coverage_of(source: &str) -> Coverage {
        let scenario = Arc::new(parse(source).expect("a scenario"));
        check(&scenario, "s.gordian", source, &Options::default())
            .report
            .coverage
    }

    fn unreached(source: &str) -> Vec<String> {
        let unreached = coverage_of(source).unreached;
        unreached
            .iter()
            .map(|its| format!("{}:{}", its.lock, its.site.line))
            .collect()
    }

    #[test]
    fn statements_that_nobody_comes_to() {
        let program = |from: i32| {
            format!(
                "mutex a, b\nvar x = {from}\nthread s {{\n  lock a\n  if x == 1 {{\n    \
                 lock b\n    unlock b\n  }}\n  unlock a\n}}\nthread t {{ lock a; unlock a }}\n"
            )
        };
        assert_eq!(unreached(&program(0)), ["b:6"]);
        assert!(unreached(&program(1)).is_empty());
    }

    /// Waited for is reached; and what a thread has already it need not take.
    #[test]
    fn what_is_waited_for_is_reached() {
        assert!(unreached("mutex a\nthread s { lock a; lock a }\n").is_empty());
        let twice = "rmutex a\nthread s { lock a; lock a; unlock a; unlock a }\n";
        assert!(unreached(twice).is_empty());
    }

    /// The search by states goes on where that by interleavings has no end; both are counted.
    #[test]
    fn two_searches_are_put_together() {
        let coverage = coverage_of(
            "mutex a, b\nvar x = 0\nthread s { while x == 0 { lock a; lock b; unlock b; \
             unlock a } }\nthread t { lock b; lock a; unlock a; unlock b }\n",
        );
        assert_eq!(
            told(&coverage),
            "mutex a by s,t: lock contended lock contended\n\
             mutex b by s,t: lock contended lock contended\n\
             a > b by s both orders\nb > a by t both orders\n"
        );
    }
}
