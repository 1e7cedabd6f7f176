//! Handles of shared values: who drops the last one, and what those find who look, is explored, each
//! different way once.
#![cfg(feature = "model")]

use std::collections::BTreeSet;
use std::sync::Mutex as StdMutex;

use gordian::report::{Engine, Severity, Verdict};
use gordian::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use gordian::sync::{Arc, Mutex, Weak, mpsc};
use gordian::{Checker, Code, Named, Report, Strategy, thread};

/// Every systematic way to check.
fn reports(model: impl Fn() + Send + Sync + Clone + 'static) -> Vec<(String, Report)> {
    let strategies = [Strategy::Exhaustive, Strategy::Source, Strategy::Dfs];
    let mut reports: Vec<_> = strategies
        .map(|strategy| {
            let name = format!("{strategy:?}");
            (name, Checker::new().strategy(strategy).check(model.clone()))
        })
        .into();
    if cfg!(feature = "loom") {
        let loom = Checker::new().engine(Engine::Loom).check(model);
        reports.push(("loom".to_owned(), loom));
    }
    reports
}

#[track_caller]
fn pair(broken: fn(), finds: Code, fixed: fn()) {
    for (name, report) in reports(broken) {
        let errors = report.findings.iter();
        let errors = errors.filter(|it| it.severity == Severity::Error);
        let codes: BTreeSet<&str> = errors.map(|it| it.code.as_str()).collect();
        assert_eq!(report.error, None, "{name}: {report}");
        assert!(codes.contains(finds.as_str()), "{name}: {report}");
        assert_eq!(codes.len(), 1, "{name}: {report}");
    }
    for (name, report) in reports(fixed) {
        assert_eq!(report.verdict, Verdict::Clean, "{name}: {report}");
        assert!(report.search.complete, "{name}: {report}");
    }
}

/// Two locks in opposite orders.
fn ab_ba(opposite: bool) {
    let locks = Arc::new((Mutex::new(()).named("a"), Mutex::new(()).named("b")));
    let its = Arc::clone(&locks);
    let other = thread::spawn(move || {
        let (first, second) = match opposite {
            true => (&its.1, &its.0),
            false => (&its.0, &its.1),
        };
        let _first = first.lock();
        let _second = second.lock();
    });
    {
        let _a = locks.0.lock();
        let _b = locks.1.lock();
    }
    other.join().unwrap();
}

#[test]
fn a_deadlock_where_the_value_is_gone() {
    fn model(opposite: bool) {
        let value = Arc::new(());
        let weak = Arc::downgrade(&value);
        let other = thread::spawn(move || drop(value));
        if weak.upgrade().is_none() {
            ab_ba(opposite);
        }
        other.join().unwrap();
    }
    pair(|| model(true), Code::Deadlock, || model(false));
}

#[test]
fn a_count_is_what_others_make_it() {
    fn model(joins: bool) {
        let entry = Arc::new(());
        let its = Arc::clone(&entry);
        let mut other = Some(thread::spawn(move || drop(its)));
        if joins {
            other.take().unwrap().join().unwrap();
        }
        assert_eq!(Arc::strong_count(&entry), if joins { 1 } else { 2 });
        if let Some(other) = other {
            other.join().unwrap();
        }
    }
    pair(|| model(false), Code::Panic, || model(true));
}

#[test]
fn a_value_that_is_upgraded_while_it_goes() {
    fn model(weak: bool) {
        let entry = Arc::new(());
        let strong = (!weak).then(|| Arc::clone(&entry));
        let its = Arc::downgrade(&entry);
        let other = thread::spawn(move || assert!(its.upgrade().is_some()));
        drop(entry);
        other.join().unwrap();
        drop(strong);
    }
    pair(|| model(true), Code::Panic, || model(false));
}

/// Takes the lock when it is dropped.
struct Entry(Arc<Mutex<u32>>);

impl Drop for Entry {
    fn drop(&mut self) {
        *self.0.lock() += 1;
    }
}

#[test]
fn a_destructor_that_takes_a_lock() {
    fn model(under_the_lock: bool) {
        let lock = Arc::new(Mutex::new(0).named("registry"));
        let entry = Arc::new(Entry(Arc::clone(&lock)));
        let its = Arc::clone(&entry);
        let other = thread::spawn(move || drop(its));
        let guard = lock.lock();
        if under_the_lock {
            drop(entry);
            drop(guard);
        } else {
            drop(guard);
            drop(entry);
        }
        other.join().unwrap();
        assert_eq!(*lock.lock(), 1);
    }
    pair(|| model(true), Code::SelfDeadlock, || model(false));
}

#[test]
fn both_ends_of_a_channel_behind_one_lock() {
    fn model() {
        let (sender, receiver) = mpsc::channel();
        let ends = Arc::new(Mutex::new((sender, receiver)));
        let threads = [0, 1].map(|number| {
            let ends = Arc::clone(&ends);
            thread::spawn(move || {
                let ends = ends.lock();
                ends.0.send(number).unwrap();
                let _ = ends.1.try_recv();
            })
        });
        drop(ends);
        for thread in threads {
            thread.join().unwrap();
        }
    }
    for (name, report) in reports(model) {
        assert_eq!(report.verdict, Verdict::Clean, "{name}: {report}");
        assert!(report.search.complete, "{name}: {report}");
    }
}

#[test]
fn who_asks_for_the_value_gets_it_once() {
    fn model() {
        let value = Arc::new(1);
        let its = Arc::clone(&value);
        let other = thread::spawn(move || Arc::into_inner(its).is_some());
        let mine = Arc::into_inner(value).is_some();
        assert!(mine != other.join().unwrap());
    }
    for (name, report) in reports(model) {
        assert_eq!(report.verdict, Verdict::Clean, "{name}: {report}");
    }
    // With `try_unwrap` both may find the other there.
    fn tries(again: bool) {
        let value = Arc::new(1);
        let its = Arc::clone(&value);
        let take = move |value| match Arc::try_unwrap(value) {
            Ok(_) => true,
            Err(value) => again && Arc::into_inner(value).is_some(),
        };
        let other = thread::spawn(move || take(its));
        let mine = take(value);
        assert!(mine != other.join().unwrap());
    }
    pair(|| tries(false), Code::Panic, || tries(true));
}

#[test]
fn exclusive_access_depends_on_others() {
    fn model(joins: bool) {
        let mut value = Arc::new(0);
        let its = Arc::clone(&value);
        let weak = Arc::downgrade(&value);
        let mut other = Some(thread::spawn(move || {
            drop(its);
            drop(weak);
        }));
        if joins {
            other.take().unwrap().join().unwrap();
        }
        *Arc::get_mut(&mut value).expect("nobody else has it") += 1;
        if let Some(other) = other {
            other.join().unwrap();
        }
    }
    pair(|| model(false), Code::Panic, || model(true));
}

#[test]
fn a_change_may_or_may_not_be_seen_by_others() {
    fn model(expected: fn(bool, bool) -> bool) {
        let mut value = Arc::new(0);
        let its = Arc::clone(&value);
        let weak = Arc::downgrade(&value);
        let other = thread::spawn(move || *its);
        *Arc::make_mut(&mut value) += 1;
        let old = weak.upgrade().is_some();
        assert_eq!(other.join().unwrap(), 0);
        assert_eq!(*value, 1);
        assert!(expected(old, weak.upgrade().is_some()));
        assert_eq!((Arc::strong_count(&value), Arc::weak_count(&value)), (1, 0));
    }
    // The old value goes with the thread that still has it, and is not there any more after that.
    pair(
        || model(|old, _| !old),
        Code::Panic,
        || model(|_, later| !later),
    );
}

#[test]
fn a_value_that_has_itself_is_there_when_it_is_made() {
    fn model() {
        let started = Mutex::new(None);
        let value = Arc::new_cyclic(|weak: &Weak<u32>| {
            assert!(weak.upgrade().is_none());
            let weak = weak.clone();
            *started.lock() = Some(thread::spawn(move || weak.upgrade().map(|value| *value)));
            7
        });
        let found = started.into_inner().unwrap().join().unwrap();
        assert!(matches!(found, None | Some(7)));
        assert_eq!(Arc::strong_count(&value), 1);
    }
    for (name, report) in reports(model) {
        assert_eq!(report.verdict, Verdict::Clean, "{name}: {report}");
        // Whether it was there is seen in both ways.
        assert!(report.search.executions > 1, "{name}: {report}");
    }
}

/// Who waits in a loop for others to give their handles back.
#[test]
fn loops_that_wait_for_handles() {
    fn waits(count: usize) {
        let value = Arc::new(());
        let threads = [(); 2].map(|()| {
            let its = Arc::clone(&value);
            thread::spawn(move || drop(its))
        });
        while Arc::strong_count(&value) > count {
            thread::yield_now();
        }
        for thread in threads {
            thread.join().unwrap();
        }
    }
    let for_ever = gordian::check(|| waits(0));
    for_ever.assert_found(Code::LostWakeup);
    gordian::check(|| waits(1)).assert_clean();
}

/// What an interleaving is, apart from the order of what commutes: found by trying all.
mod reference {
    use std::collections::BTreeSet;

    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub(super) enum Op {
        /// If the thread has a handle.
        Clone,
        /// If the thread has a handle.
        Drop,
        Upgrade,
        Count,
    }

    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Mode {
        Clone,
        Drop,
        Last,
        Upgrade,
        Count,
    }

    fn dependent(one: Mode, other: Mode) -> bool {
        use Mode::*;
        !matches!(
            (one, other),
            (Count, Count) | (Clone | Upgrade, Clone | Upgrade) | (Clone | Drop, Clone | Drop)
        )
    }

    /// Thread, and which of its operations.
    type Step = (usize, usize);

    #[derive(Default)]
    pub(super) struct Found {
        /// Each as who came first of each two that depend on one another.
        classes: BTreeSet<Vec<(Step, Step)>>,
        /// By thread: what its operations came to.
        pub(super) outcomes: BTreeSet<Vec<Vec<usize>>>,
    }

    impl Found {
        pub(super) fn classes(&self) -> u64 {
            self.classes.len() as u64
        }
    }

    struct State<'a> {
        programs: &'a [Vec<Op>],
        at: Vec<usize>,
        held: Vec<usize>,
        done: Vec<(usize, usize, Mode)>,
        results: Vec<Vec<usize>>,
    }

    pub(super) fn explore(programs: &[Vec<Op>], found: &mut Found) {
        let count = programs.len();
        State {
            programs,
            at: vec![0; count],
            held: vec![1; count],
            done: Vec::new(),
            results: vec![Vec::new(); count],
        }
        .go(found);
    }

    impl State<'_> {
        /// The thread's next operation: its program's, then it gives back what it has.
        fn next(&self, thread: usize) -> Option<Op> {
            let mut left = self.programs[thread].iter().skip(self.at[thread]).copied();
            let has = self.held[thread] > 0;
            left.find(|op| has || matches!(op, Op::Upgrade | Op::Count))
                .or(has.then_some(Op::Drop))
        }

        fn advance(&mut self, thread: usize) {
            while let Some(op) = self.programs[thread].get(self.at[thread]) {
                self.at[thread] += 1;
                if self.held[thread] > 0 || matches!(op, Op::Upgrade | Op::Count) {
                    break;
                }
            }
        }

        fn go(&mut self, found: &mut Found) {
            let mut ended = true;
            for thread in 0..self.programs.len() {
                let Some(op) = self.next(thread) else {
                    continue;
                };
                ended = false;
                let before = (self.at.clone(), self.held.clone(), self.results.clone());
                let all: usize = self.held.iter().sum();
                self.advance(thread);
                let mode = match op {
                    Op::Clone => {
                        self.held[thread] += 1;
                        Mode::Clone
                    }
                    Op::Drop => {
                        self.held[thread] -= 1;
                        if all == 1 { Mode::Last } else { Mode::Drop }
                    }
                    Op::Upgrade => {
                        self.results[thread].push(usize::from(all > 0));
                        self.held[thread] += usize::from(all > 0);
                        Mode::Upgrade
                    }
                    Op::Count => {
                        self.results[thread].push(all);
                        Mode::Count
                    }
                };
                let index = self.done.iter().filter(|its| its.0 == thread).count();
                self.done.push((thread, index, mode));
                self.go(found);
                self.done.pop();
                (self.at, self.held, self.results) = before;
            }
            if ended {
                self.end(found);
            }
        }

        fn end(&self, found: &mut Found) {
            let mut pairs = Vec::new();
            for (at, &(thread, index, mode)) in self.done.iter().enumerate() {
                for &(its, its_index, its_mode) in &self.done[..at] {
                    if its != thread && dependent(its_mode, mode) {
                        pairs.push(((its, its_index), (thread, index)));
                    }
                }
            }
            pairs.sort_unstable();
            found.classes.insert(pairs);
            found.outcomes.insert(self.results.clone());
        }
    }
}

use reference::{Found, Op};

/// The same on real handles: what the operations came to.
fn run(program: &[Op], handle: Arc<()>, weak: &Weak<()>) -> Vec<usize> {
    let mut handles = vec![handle];
    let mut results = Vec::new();
    for op in program {
        match op {
            Op::Clone => handles.extend(handles.last().cloned()),
            Op::Drop => drop(handles.pop()),
            Op::Upgrade => {
                let found = weak.upgrade();
                results.push(usize::from(found.is_some()));
                handles.extend(found);
            }
            Op::Count => results.push(weak.strong_count()),
        }
    }
    results
}

fn model(programs: &[Vec<Op>]) -> Vec<Vec<usize>> {
    let value = Arc::new(());
    let weak = Arc::downgrade(&value);
    let mut handles: Vec<_> = (1..programs.len()).map(|_| Arc::clone(&value)).collect();
    handles.push(value);
    thread::scope(|scope| {
        let threads: Vec<_> = programs
            .iter()
            .zip(handles)
            .map(|(program, handle)| {
                let weak = &weak;
                scope.spawn(move || run(program, handle, weak))
            })
            .collect();
        let results = threads.into_iter().map(|thread| thread.join().unwrap());
        results.collect()
    })
}

#[track_caller]
fn compare(programs: &[Vec<Op>]) -> u64 {
    let mut found = Found::default();
    reference::explore(programs, &mut found);
    for strategy in [Strategy::Exhaustive, Strategy::Source, Strategy::Dfs] {
        // Without a reduction, three threads have far too many.
        if strategy == Strategy::Dfs && programs.len() > 2 {
            continue;
        }
        let outcomes = std::sync::Arc::new(StdMutex::new(BTreeSet::new()));
        let (its, owned) = (outcomes.clone(), programs.to_vec());
        let report = Checker::new().strategy(strategy).check(move || {
            let outcome = model(&owned);
            its.lock().unwrap().insert(outcome);
        });
        let name = format!("{strategy:?}: {programs:?}");
        assert_eq!(report.verdict, Verdict::Clean, "{name}: {report}");
        if strategy == Strategy::Exhaustive {
            assert_eq!(report.search.executions, found.classes(), "{name}");
        }
        assert!(report.search.complete, "{name}: {report}");
        assert_eq!(*outcomes.lock().unwrap(), found.outcomes, "{name}");
    }
    found.classes()
}

#[test]
fn each_way_to_be_the_last_is_one_execution() {
    use Op::*;
    let cases: &[(&[&[Op]], u64)] = &[
        // Nobody looks.
        (&[&[]], 1),
        (&[&[], &[]], 2),
        (&[&[], &[], &[]], 3),
        (&[&[], &[], &[], &[]], 4),
        (&[&[Clone], &[Clone]], 2),
        (&[&[Clone, Drop], &[Clone, Drop], &[]], 3),
        // The other's drop is before, between or after both; who is last, too.
        (&[&[Upgrade], &[]], 3),
    ];
    for (programs, classes) in cases {
        let programs: Vec<Vec<Op>> = programs.iter().map(|ops| ops.to_vec()).collect();
        let found = compare(&programs);
        assert_eq!(found, *classes, "{programs:?}");
    }
}

#[test]
fn programs_of_handles_are_explored_as_the_reference_says() {
    let mut state = 7_u64;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for _ in 0..150 {
        let threads = 2 + random(3);
        let most = [5, 3, 2][threads as usize - 2];
        let programs: Vec<Vec<Op>> = (0..threads)
            .map(|_| {
                let count = random(most);
                (0..count)
                    .map(|_| match random(5) {
                        0 => Op::Clone,
                        1 | 2 => Op::Drop,
                        3 => Op::Upgrade,
                        _ => Op::Count,
                    })
                    .collect()
            })
            .collect();
        compare(&programs);
    }
}

/// Handles that stay with who starts the threads cost nothing.
#[test]
fn who_is_not_the_last_is_not_explored() {
    let report = gordian::check(|| {
        let total = Arc::new(AtomicUsize::new(0));
        let threads = [1, 2, 3].map(|_| {
            let total = Arc::clone(&total);
            thread::spawn(move || drop(Arc::clone(&total)))
        });
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(total.load(SeqCst), 0);
    });
    assert_eq!(report.search.executions, 1, "{report}");
}
