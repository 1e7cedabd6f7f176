//! Models that prove nothing by their own fault: which they are, and what is said of them.
#![cfg(feature = "model")]

use std::sync::Arc;

use expect_test::{Expect, expect};
use gordian::report::{Report, Vacuity, Verdict, Worth};
use gordian::sync::atomic::{AtomicU32, Ordering::SeqCst};
use gordian::sync::{Mutex, Once, RwLock, channel};
use gordian::{Checker, Ghost, Strategy, Vacuous, thread};

/// Two threads that do the same with what they share.
fn both<T: Send + Sync + 'static>(shared: T, body: fn(&T)) {
    let shared = Arc::new(shared);
    let its = Arc::clone(&shared);
    let thread = thread::spawn(move || body(&its));
    body(&shared);
    thread.join().unwrap();
}

fn std_locks() {
    let locks = (std::sync::Mutex::new(0), std::sync::Mutex::new(0));
    both(locks, |(a, b)| {
        *a.lock().unwrap() += *b.lock().unwrap();
    });
}

fn std_atomics() {
    both(std::sync::atomic::AtomicU32::new(0), |it| {
        it.fetch_add(1, SeqCst);
    });
}

fn nothing() {}

fn alone() {
    *Mutex::new(0).lock() += gordian::choose(2);
}

/// The other thread is none of the model's.
fn std_thread() {
    let lock = Mutex::new(0);
    *lock.lock() += 1;
    std::thread::spawn(|| ()).join().unwrap();
    *lock.lock() += 1;
}

fn one_after_the_other() {
    let lock = Arc::new(Mutex::new(0));
    let its = Arc::clone(&lock);
    thread::spawn(move || *its.lock() += 1).join().unwrap();
    *lock.lock() += 1;
}

fn of_their_own() {
    both((), |()| *Mutex::new(0).lock() += 1);
}

/// Two interleavings, and no thread in the way of another.
fn chosen_alone() {
    both((), |()| *Mutex::new(0).lock() += gordian::choose(2));
}

fn readers() {
    both(RwLock::new(0), |it| drop(it.read()));
}

fn a_lock() {
    both(Mutex::new(0), |it| *it.lock() += 1);
}

fn std_sync() {
    both(gordian::std_sync::Mutex::new(0), |it| {
        *it.lock().unwrap() += 1;
    });
}

fn an_atomic() {
    both(AtomicU32::new(0), |it| {
        it.fetch_add(1, SeqCst);
    });
}

fn a_ghost() {
    both(Ghost::new(0), |it| it.write(|it| *it += 1));
}

fn a_once() {
    both(Once::new(), |it| it.call_once(|| ()));
}

fn a_try() {
    both(Mutex::new(()), |it| drop(it.try_lock()));
}

fn a_message() {
    let (sender, receiver) = channel::bounded(0);
    let thread = thread::spawn(move || sender.send(1).unwrap());
    receiver.recv().unwrap();
    thread.join().unwrap();
}

fn parking() {
    let main = thread::current();
    let thread = thread::spawn(move || main.unpark());
    thread::park();
    thread.join().unwrap();
}

/// The lock is the second thing that each of them takes.
fn late() {
    both(Mutex::new(0), |it| {
        *Mutex::new(0).lock() += 1;
        *it.lock() += 1;
    });
}

/// Its name, the model, and why it proves nothing, if so.
type Case = (&'static str, fn(), Option<Vacuity>);

const MODELS: [Case; 18] = [
    ("nothing", nothing, Some(Vacuity::NoObjects)),
    ("std's locks", std_locks, Some(Vacuity::NoObjects)),
    ("std's atomics", std_atomics, Some(Vacuity::NoObjects)),
    ("alone", alone, Some(Vacuity::OneThread)),
    ("std's thread", std_thread, Some(Vacuity::OneThread)),
    (
        "one after the other",
        one_after_the_other,
        Some(Vacuity::NoContention),
    ),
    ("of their own", of_their_own, Some(Vacuity::NoContention)),
    ("chosen alone", chosen_alone, Some(Vacuity::NoContention)),
    ("readers", readers, Some(Vacuity::NoContention)),
    ("a lock", a_lock, None),
    ("std_sync", std_sync, None),
    ("an atomic", an_atomic, None),
    ("a ghost", a_ghost, None),
    ("a once", a_once, None),
    ("a try", a_try, None),
    ("a message", a_message, None),
    ("parking", parking, None),
    ("late", late, None),
];

fn report(checker: Checker, model: fn()) -> Report {
    let report = checker.name("tests::model").check(model);
    assert_eq!(report.verdict, Verdict::Clean, "{report}");
    report
}

#[test]
fn vacuous_models_are_told_from_others_by_every_search() {
    let strategies = [
        Strategy::Exhaustive,
        Strategy::Dfs,
        Strategy::Source,
        Strategy::Random,
        Strategy::Pct,
        Strategy::Fuzz,
    ];
    for (name, model, vacuous) in MODELS {
        for strategy in strategies {
            let checker = Checker::new().strategy(strategy).executions_max(200);
            let report = report(checker, model);
            assert_eq!(report.search.vacuous, vacuous, "{name}, {strategy}");
            assert_eq!(report.vacuity(), vacuous, "{name}, {strategy}");
            assert_eq!(report.passed(), vacuous.is_none(), "{name}, {strategy}");
            let is_vacuous = report.worth() == Worth::Vacuous;
            assert_eq!(is_vacuous, vacuous.is_some(), "{name}, {strategy}");
        }
        let bounded = report(Checker::new().preemptions_max(1), model);
        assert_eq!(bounded.search.vacuous, vacuous, "{name}");
    }
}

#[cfg(feature = "loom")]
#[test]
fn loom_tells_them_apart_as_well() {
    let left_out = ["a ghost", "a message", "std's thread"];
    for (name, model, vacuous) in MODELS {
        if left_out.contains(&name) {
            continue;
        }
        let checker = Checker::new().engine(gordian::report::Engine::Loom);
        let report = checker.check(model);
        assert_eq!(report.error, None, "{name}");
        assert_eq!(report.search.vacuous, vacuous, "{name}: {report}");
    }
}

#[test]
fn what_is_meant_so_passes() {
    for (name, model, vacuous) in MODELS {
        let report = report(Checker::new().vacuous(Vacuous::Allow), model);
        assert!(report.passed(), "{name}");
        assert_eq!(report.search.vacuous, vacuous, "{name}");
        let told = report.explain();
        assert_eq!(told.contains("as is meant"), vacuous.is_some(), "{told}");
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
    }
}

#[test]
fn what_shows_little_is_not_judged() {
    let few = Checker::new().strategy(Strategy::Random).executions_max(99);
    assert_eq!(report(few, of_their_own).search.vacuous, None);
    let guided = Checker::new().choices([0_u8]);
    assert_eq!(report(guided, of_their_own).search.vacuous, None);
    // What is expected was found: there is nothing to doubt.
    let mut expected = report(Checker::new(), alone);
    expected.expect = vec![gordian::Code::Panic];
    assert_eq!(expected.vacuity(), None);
    let found = Checker::new().check(|| panic!("alone"));
    assert_eq!((found.search.vacuous, found.worth()), (None, Worth::Found));
}

#[test]
fn the_report_says_why_and_what_to_do() {
    let told = |model: fn(), expected: Expect| {
        let text = report(Checker::new(), model).explain();
        let without_times: Vec<&str> = text
            .lines()
            .map(|line| match line.rsplit_once(", 0.") {
                Some((most, _)) => most,
                None => line,
            })
            .collect();
        expected.assert_eq(&(without_times.join("\n") + "\n"));
    };
    told(
        std_locks,
        expect![[r#"
        vacuous: this model used no lock of gordian; did you mean
          `gordian::std_sync::Mutex`?
          model     tests::model
          explored  exhaustive: 1 interleaving, 2 threads
          to do     use gordian::sync or gordian::std_sync and gordian::thread for all
                    that threads share in the model, or say that it is meant so:
                    `vacuous = "allow"`
          note      nothing was found, but nothing could have been: this is not a pass
    "#]],
    );
    told(
        alone,
        expect![[r#"
        vacuous: this model has one thread; did you mean `gordian::thread::spawn`?
          model     tests::model
          explored  exhaustive: 2 interleavings, 1 thread
          to do     use gordian::sync or gordian::std_sync and gordian::thread for all
                    that threads share in the model, or say that it is meant so:
                    `vacuous = "allow"`
          note      nothing was found, but nothing could have been: this is not a pass
    "#]],
    );
    told(
        of_their_own,
        expect![[r#"
        vacuous: this model has no thread that ever has to wait for another; do they
          share a lock of gordian, or one of another library?
          model     tests::model
          explored  exhaustive: 1 interleaving, 2 threads
          to do     use gordian::sync or gordian::std_sync and gordian::thread for all
                    that threads share in the model, or say that it is meant so:
                    `vacuous = "allow"`
          note      nothing was found, but nothing could have been: this is not a pass
    "#]],
    );
    told(
        a_lock,
        expect![[r#"
        clean: tests::model · exhaustive: 2 interleavings, 2 threads
          rests on  only what goes through gordian, in this model, within limits:
                    https://github.com/gordian-rs/gordian#limitations
    "#]],
    );
}

/// The attribute fails such a test, and lets it pass where it is meant so.
mod attribute {
    use super::{a_lock, alone, of_their_own, std_locks};

    #[gordian::test(vacuous = "allow")]
    fn alone_on_purpose() {
        alone();
    }

    #[gordian::test(vacuous = "fail")]
    fn two_that_meet() {
        a_lock();
    }

    #[gordian::test]
    #[should_panic(expected = "vacuous: this model used no lock of gordian; did you mean")]
    fn locks_of_std() {
        std_locks();
    }

    #[gordian::test]
    #[should_panic(expected = "this model has one thread")]
    fn one_thread() {
        alone();
    }

    #[gordian::test]
    #[should_panic(expected = "this model has no thread that ever has to wait")]
    fn threads_that_never_meet() {
        of_their_own();
    }
}
