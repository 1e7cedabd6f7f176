//! Shrinking: what is shown of a finding is what it needs, and it still leads there.
#![cfg(feature = "model")]

use gordian::report::{Finding, Shrunk};
use gordian::sync::{Condvar, Mutex};
use gordian::{Checker, Code, Named, ReplayToken, Strategy, thread};
use std::sync::Arc;

/// Two tellers in opposite orders, after a choice that does not matter; and a clerk who has nothing
/// to do with it.
fn bank() {
    let alice = Arc::new(Mutex::new(0).named("alice"));
    let bob = Arc::new(Mutex::new(0).named("bob"));
    let desk = Arc::new(Mutex::new(0).named("desk"));
    let mut threads = Vec::new();
    for (name, from, to) in [("t1", &alice, &bob), ("t2", &bob, &alice)] {
        let (from, to, desk) = (Arc::clone(from), Arc::clone(to), Arc::clone(&desk));
        let teller = move || {
            for _ in 0..gordian::choose(3) {
                *desk.lock() += 1;
            }
            *from.lock() += 1;
            let mut first = from.lock();
            *to.lock() += *first;
            *first = 0;
        };
        let builder = thread::Builder::new().name(name.to_owned());
        threads.push(builder.spawn(teller).unwrap());
    }
    let clerk = move || (0..5).for_each(|_| *desk.lock() += 1);
    let builder = thread::Builder::new().name("clerk".to_owned());
    threads.push(builder.spawn(clerk).unwrap());
    for thread in threads {
        thread.join().unwrap();
    }
}

/// The notification may come first: then nobody is left to wake the waiter.
fn lost() {
    let pair = Arc::new((Mutex::new(()).named("m"), Condvar::new().named("c")));
    let its = Arc::clone(&pair);
    let waker = thread::spawn(move || {
        its.1.notify_one();
    });
    let other = Arc::clone(&pair);
    let bystander = thread::spawn(move || drop(other.0.lock()));
    let mut guard = pair.0.lock();
    pair.1.wait(&mut guard);
    drop(guard);
    waker.join().unwrap();
    bystander.join().unwrap();
}

fn finding(model: fn(), code: Code, seed: u64, shrink: bool) -> Finding {
    let checker = Checker::new().strategy(Strategy::Random).seed(seed);
    let report = checker.executions_max(200).shrink(shrink).check(model);
    let found = report.findings.iter().find(|finding| finding.code == code);
    found.unwrap_or_else(|| panic!("{report}")).clone()
}

fn leads_there(model: fn(), finding: &Finding) {
    let token: ReplayToken = finding.token.parse().unwrap();
    let again = Checker::new().replay(token).check(model);
    let fingerprints: Vec<_> = again.findings.iter().map(|its| &its.fingerprint).collect();
    assert!(fingerprints.contains(&&finding.fingerprint), "{again}");
    assert!(
        again.search.remarks.is_empty(),
        "{:?}",
        again.search.remarks
    );
}

#[test]
fn a_deadlock_is_shrunk_to_what_it_needs() {
    for seed in 0..10 {
        let long = finding(bank, Code::Deadlock, seed, false);
        assert_eq!(long.shrunk, None);
        let short = finding(bank, Code::Deadlock, seed, true);
        assert_eq!(long.fingerprint, short.fingerprint);
        let measures = Shrunk::of(&short.steps);
        // Three threads are spawned; then each teller takes a lock twice, lets go of it once, and
        // waits; each has chosen that there is nothing to do at the desk. And main waits for them.
        let steps: Vec<_> = short
            .steps
            .iter()
            .map(|step| (&*step.thread, &*step.operation))
            .collect();
        assert_eq!(short.steps.len(), 3 + 2 * 5 + 1, "{seed}: {steps:?}");
        assert!(
            steps.iter().all(|(thread, _)| *thread != "clerk"),
            "{seed}: {steps:?}"
        );
        assert!(measures.switches <= 2, "{seed}: {steps:?}");
        if let Some(before) = short.shrunk {
            assert!(before.steps as usize == long.steps.len() && before.steps >= measures.steps);
        }
        leads_there(bank, &short);
    }
}

#[test]
fn a_lost_wakeup_stays_one() {
    let short = finding(lost, Code::LostWakeup, 1, true);
    assert!(Shrunk::of(&short.steps).switches <= 3, "{:?}", short.steps);
    leads_there(lost, &short);
}
