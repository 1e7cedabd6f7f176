//! Detectors on executions that are written down step by step.

use super::*;
use crate::op::{Effect, How, Kind};
use crate::trace::{Difference, Identity, Paths, Run};

/// Threads of every execution here, without the main one, which has ended.
const A: ThreadId = ThreadId(1);
const B: ThreadId = ThreadId(2);
const C: ThreadId = ThreadId(3);

/// Objects of every execution here.
const M: ObjectId = ObjectId(0);
const N: ObjectId = ObjectId(1);
const FLAG: ObjectId = ObjectId(2);
const RW: ObjectId = ObjectId(3);
const SEMAPHORE: ObjectId = ObjectId(4);
const GATE: ObjectId = ObjectId(5);

const KINDS: &[Kind] = &[
    Kind::Mutex,
    Kind::Mutex,
    Kind::Atomic,
    Kind::RwLock(crate::op::Preference::Writer),
    Kind::Semaphore {
        permits: 2,
        fifo: false,
        max: u32::MAX,
    },
    Kind::Gate,
];

/// Those of the threads.
fn paths() -> Paths {
    let mut paths = Paths::new();
    for (number, id) in [A, B, C].into_iter().enumerate() {
        assert_eq!(paths.child(ThreadId::MAIN, number as u32), Some(id));
    }
    paths
}

/// An execution in which the threads did this, and are about to do that.
fn run(steps: &[(ThreadId, Op)], pending: &[(ThreadId, Op)]) -> Run {
    let mut paths = paths();
    let mut run = Run::default();
    run.restart(1, &paths);
    for _ in [A, B, C] {
        run.spawn(ThreadId::MAIN, None, Site::here(), &mut paths);
    }
    for &kind in KINDS {
        run.meet(&Identity::here(), kind);
    }
    for &(thread, op) in steps {
        run.announce(thread, op, Site::here());
        assert!(run.world.enabled(op, thread), "{op:?} by {thread:?}");
        run.execute(thread, 0);
    }
    for &(thread, op) in pending {
        run.announce(thread, op, Site::here());
    }
    run
}

fn lock(object: ObjectId) -> Op {
    Op::on(Action::Lock, object)
}

fn attempt(object: ObjectId) -> Op {
    lock(object).how(How::Try)
}

fn unlock(object: ObjectId) -> Op {
    Op::on(Action::Unlock, object)
}

fn load() -> Op {
    Op::on(Action::Load, FLAG)
}

/// Few, so that executions are short.
const ATTEMPTS_MIN: usize = 3;

/// Who starves where the second half of an execution is this; the first half was of use.
#[track_caller]
fn starving(before: &[(ThreadId, Op)], half: &[(ThreadId, Op)]) -> Vec<(Vec<ThreadId>, String)> {
    let mut steps = before.to_vec();
    while steps.len() < half.len() {
        steps.push((A, Op::on(Action::Store, FLAG)));
        if steps.len() < half.len() {
            steps.push((B, Op::on(Action::Store, FLAG)));
        }
    }
    assert_eq!(steps.len(), half.len(), "the window is the second half");
    steps.extend(half);
    let run = run(&steps, &[(A, attempt(M))]);
    starvation::starved(&run, ATTEMPTS_MIN)
        .into_iter()
        .map(|defect| (defect.threads, defect.detail))
        .collect()
}

/// Thread `A` in the second half of an execution, while `B` holds `m`: does it starve?
#[test]
fn attempts_in_vain() {
    let on = Op::on;
    let plain = |action| Op::plain(action, 0);
    let try_m = attempt(M);
    let cases: &[(&str, &[Op], Option<usize>)] = &[
        ("tries", &[try_m, try_m, try_m], Some(3)),
        ("tries, too few", &[try_m, try_m], None),
        ("timed", &[lock(M).how(How::Timed); 4], Some(4)),
        ("looks", &[load(), load(), load()], Some(3)),
        ("looks and tries", &[load(), try_m, load(), try_m], Some(4)),
        (
            "what is done between tries",
            &[
                try_m,
                plain(Action::Yield),
                plain(Action::Sleep),
                on(Action::IsLocked, M),
                try_m,
                Op::of_thread(Action::IsFinished, B),
                plain(Action::Slow),
                plain(Action::Choose).arg(1),
                try_m,
            ],
            Some(3),
        ),
        (
            "a change that others see",
            &[try_m, try_m, try_m, on(Action::Store, FLAG)],
            None,
        ),
        (
            "an acquisition that was of use",
            &[try_m, try_m, try_m, lock(N), unlock(N)],
            None,
        ),
        (
            "the same by a try",
            &[try_m, try_m, try_m, attempt(N), unlock(N)],
            None,
        ),
        (
            "read and given back",
            &[
                try_m,
                try_m,
                try_m,
                on(Action::Read, RW),
                on(Action::Unread, RW),
            ],
            None,
        ),
        (
            "an acquisition given back for nothing",
            &[lock(N), try_m, try_m, try_m, unlock(N)],
            Some(3),
        ),
        (
            "two of them",
            &[
                lock(N),
                on(Action::Write, RW),
                try_m,
                on(Action::Unwrite, RW),
                unlock(N),
                try_m,
                try_m,
            ],
            Some(3),
        ),
        (
            "one of two was of use",
            &[
                lock(N),
                try_m,
                on(Action::Read, RW),
                on(Action::Unread, RW),
                unlock(N),
                try_m,
                try_m,
            ],
            None,
        ),
        (
            "of use before the tries",
            &[lock(N), unlock(N), try_m, try_m, try_m],
            None,
        ),
    ];
    for (name, ops, expected) in cases {
        let half: Vec<_> = ops.iter().map(|op| (A, *op)).collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|tries| {
                let half = half.len();
                (vec![A], format!("{tries} times in the last {half} steps"))
            })
            .collect();
        assert_eq!(starving(&[(B, lock(M))], &half), expected, "{name}");
    }
}

#[test]
fn what_was_taken_in_the_first_half_is_given_back_in_the_second() {
    let half = [attempt(M), unlock(N), attempt(M), attempt(M)].map(|op| (A, op));
    let found = starving(&[(B, lock(M)), (A, lock(N))], &half);
    assert_eq!(found.len(), 1, "{found:?}");
}

/// `B` has `m` and does nothing, though it could: an execution like this proves nothing.
#[test]
fn who_could_go_on_and_never_did_makes_it_unfair() {
    let tries = [A, C, A, C, A, C, A, C, A, C, A, C].map(|thread| (thread, attempt(M)));
    let mut steps = vec![(B, lock(M))];
    steps.extend(tries);
    for (pending, starving) in [(lock(N), 0), (lock(M), 2)] {
        let run = run(&steps, &[(A, attempt(M)), (B, pending), (C, attempt(M))]);
        let found = starvation::starved(&run, ATTEMPTS_MIN);
        assert_eq!(
            found.len(),
            starving,
            "B is about to {pending:?}: {found:?}"
        );
        assert!(found.iter().all(|defect| defect.objects == [M]));
    }
}

/// What is wrong with threads that are stuck: code and threads, in the order of the threads.
#[track_caller]
fn stuck(
    steps: &[(ThreadId, Op)],
    pending: &[(ThreadId, Op)],
    daemons: &[ThreadId],
) -> Vec<String> {
    let mut run = run(steps, pending);
    for daemon in daemons {
        run.threads[daemon.index()].daemon = true;
    }
    let defects = waits::stuck(&run, u64::MAX);
    let told = defects.iter().map(|defect| {
        let threads = defect.threads.iter().map(|thread| thread.0.to_string());
        let threads: Vec<_> = threads.collect();
        format!("{} {}", defect.code.as_str(), threads.join(" "))
    });
    told.collect()
}

/// Threads that wait behind others are not defects of their own; those others are.
#[test]
fn who_is_at_the_root_of_it() {
    let park = Op::plain(Action::Park, 0);
    let acquire = |permits| Op::on(Action::Acquire, SEMAPHORE).arg(permits);
    let ab_ba: &[_] = &[(A, lock(M)), (B, lock(N))];
    let each_other: &[_] = &[(A, lock(N)), (B, lock(M)), (C, lock(M))];
    type Row<'a> = (
        &'a [(ThreadId, Op)],
        &'a [(ThreadId, Op)],
        &'a [ThreadId],
        &'a [&'a str],
    );
    let cases: &[Row<'_>] = &[
        (&[], &[(A, park)], &[], &["lost-wakeup 1"]),
        (&[], &[(A, park)], &[A], &[]),
        (
            &[],
            &[(A, park), (B, park)],
            &[],
            &["lost-wakeup 1", "lost-wakeup 2"],
        ),
        // C waits behind the cycle.
        (ab_ba, each_other, &[], &["deadlock 1 2"]),
        (ab_ba, each_other, &[A], &["deadlock 1 2"]),
        (ab_ba, each_other, &[C], &["deadlock 1 2"]),
        // Nobody misses daemons, but C.
        (ab_ba, each_other, &[A, B], &["lost-wakeup 3"]),
        (ab_ba, each_other, &[A, B, C], &[]),
        (
            &[(A, lock(M))],
            &[(A, lock(M)), (B, lock(M))],
            &[],
            &["self-deadlock 1"],
        ),
        // B waits behind A.
        (
            &[(A, lock(M))],
            &[(A, park), (B, lock(M))],
            &[],
            &["lost-wakeup 1"],
        ),
        (
            &[(A, lock(M))],
            &[(A, park), (B, lock(M))],
            &[A],
            &["lost-wakeup 2"],
        ),
        (
            &[(B, lock(M))],
            &[(B, park), (A, lock(M))],
            &[],
            &["lost-wakeup 2"],
        ),
        // Who has not been started waits for nobody, and nobody misses it.
        (&[], &[(A, Op::on(Action::Pass, GATE))], &[], &[]),
        // For permits one waits for any of those who have some.
        (
            &[(A, acquire(1)), (B, acquire(1))],
            &[(A, acquire(1)), (B, park)],
            &[B],
            &["lost-wakeup 1"],
        ),
        (
            &[(A, acquire(1)), (B, acquire(1))],
            &[(A, acquire(1)), (B, park)],
            &[],
            &["lost-wakeup 2"],
        ),
        (
            &[(A, acquire(1)), (B, acquire(1))],
            &[(A, acquire(1)), (B, acquire(1))],
            &[],
            &["deadlock 1 2"],
        ),
        (
            &[(A, acquire(2))],
            &[(A, acquire(1))],
            &[],
            &["self-deadlock 1"],
        ),
        (
            &[(A, acquire(2)), (B, lock(M))],
            &[(A, lock(M)), (B, acquire(1))],
            &[],
            &["deadlock 1 2"],
        ),
    ];
    for (steps, pending, daemons, expected) in cases {
        let found = stuck(steps, pending, daemons);
        assert_eq!(found, *expected, "{steps:?}, then {pending:?}; {daemons:?}");
    }
}

/// Of those that are asked for.
#[test]
fn who_is_not_asked_for_is_not_told_of() {
    let park = Op::plain(Action::Park, 0);
    let run = run(&[], &[(A, park), (B, park)]);
    let defects = waits::stuck(&run, 1 << B.0);
    let threads: Vec<_> = defects.into_iter().flat_map(|it| it.threads).collect();
    assert_eq!(threads, [B]);
}

/// A cycle is one as soon as it is closed, whoever else goes on; of permits it is not.
#[test]
fn a_cycle_that_is_closed() {
    let acquire = Op::on(Action::Acquire, SEMAPHORE).arg(2);
    let cases: &[(Op, Op, bool)] = &[
        (lock(M), lock(M), true),
        (lock(M), lock(M).how(How::Try), false),
        (lock(M), lock(M).how(How::Timed), false),
        (acquire, acquire, false),
    ];
    for &(first, again, expected) in cases {
        let run = run(&[(A, first)], &[(A, again), (B, load())]);
        let found = waits::closed_cycle(&run, A);
        assert_eq!(found.is_some(), expected, "{first:?}, {again:?}: {found:?}");
        assert!(waits::closed_cycle(&run, B).is_none());
    }
}

/// Who gives up after a time breaks a cycle; who only tries was never in one.
#[test]
fn a_cycle_that_only_a_time_out_breaks() {
    let held = &[(A, lock(M)), (B, lock(N))];
    for (mine, its, expected) in [
        (How::Timed, How::Insist, true),
        (How::Timed, How::Timed, true),
        (How::Timed, How::Try, false),
        (How::Try, How::Insist, false),
    ] {
        let run = run(held, &[(A, lock(N).how(mine)), (B, lock(M).how(its))]);
        let found = waits::timeout_only(&run, A);
        assert_eq!(found.is_some(), expected, "{mine:?}, {its:?}: {found:?}");
    }
}

/// Who reads twice is in the way once.
#[test]
fn who_reads_twice_is_in_the_way_of_a_writer_once() {
    let mut run = run(&[], &[]);
    for thread in [A, A, B] {
        run.announce(thread, Op::on(Action::ReadRecursive, RW), Site::here());
        assert_eq!(run.execute(thread, 0).effect, Effect::Done);
    }
    run.announce(C, Op::on(Action::Write, RW), Site::here());
    run.execute(C, 0);
    let queued = Op {
        action: Action::Queued,
        arg: Action::Write.joining(),
        ..Op::on(Action::Write, RW)
    };
    let readers = 1 << A.0 | 1 << B.0;
    assert_eq!(run.world.awaited(queued, C).all, readers);
    assert_eq!(run.world.in_the_way(queued), readers);
}

/// Adds the defect as one of the execution with this number.
fn add(findings: &mut Findings, run: &Run, defect: &Defect, execution: u64) {
    let paths = &paths();
    let met = Met {
        run,
        paths,
        execution,
    };
    findings.add(defect, &met);
}

#[test]
fn a_finding_is_seen_once_an_execution() {
    let run = run(&[(A, lock(M)), (A, unlock(M))], &[]);
    let one = Defect::at(Code::DoubleRelease, A, Site::here());
    let one = Defect {
        objects: vec![M],
        ..one
    };
    let other = Defect {
        detail: "another".to_owned(),
        ..one.clone()
    };
    let mut findings = Findings::default();
    assert_eq!(findings.place(&one), None);
    for (defect, execution) in [(&one, 2), (&one, 2), (&other, 3), (&one, 3), (&one, 4)] {
        add(&mut findings, &run, defect, execution);
    }
    let list = findings.list();
    let seen: Vec<_> = list.iter().map(|it| (it.execution, it.seen)).collect();
    assert_eq!(seen, [(2, 3), (3, 1)]);
    assert_eq!(
        (findings.place(&one), findings.place(&other)),
        (Some(0), Some(1))
    );
    assert_eq!(findings.schedule(1).len(), 2);
}

/// What is shown is simpler; what the finding is, and when it was met first, stays.
#[test]
fn a_finding_is_simplified() {
    let long = run(&[(A, lock(M)), (A, unlock(M)), (B, lock(M))], &[]);
    let short = run(&[(A, lock(M))], &[]);
    let defect = Defect::at(Code::LeakedGuard, A, Site::here());
    let mut findings = Findings::default();
    for execution in [5, 6] {
        add(&mut findings, &long, &defect, execution);
    }
    let before = findings.list()[0].clone();
    assert_eq!(before.shrunk, None);
    let paths = paths();
    for (run, execution) in [(&short, 9), (&long, 10)] {
        let paths = &paths;
        let met = Met {
            run,
            paths,
            execution,
        };
        let moved = Defect {
            code: Code::Panic,
            ..defect.clone()
        };
        findings.simplify(0, &moved, &met);
        let after = &findings.list()[0];
        assert_eq!((after.execution, after.seen), (5, 2));
        assert_eq!(after.fingerprint, before.fingerprint);
        assert_eq!(
            after.shrunk,
            Some(report::Shrunk::of(&before.steps)),
            "the first one"
        );
        assert_eq!(after.steps.len(), run.steps().list.len());
    }
}

/// How often it tried is not what makes a starving thread another defect.
#[test]
fn who_starves_longer_is_the_same_finding() {
    let run = run(&[], &[]);
    let site = Site::here();
    for (code, distinct) in [(Code::Starvation, 1), (Code::Nondeterminism, 2)] {
        let mut findings = Findings::default();
        for detail in ["3 times", "4 times"] {
            let defect = Defect {
                code,
                objects: vec![M],
                ..Defect::nondeterminism(&Difference {
                    thread: A,
                    site,
                    why: detail.to_owned(),
                })
            };
            add(&mut findings, &run, &defect, 1);
        }
        let list = findings.list();
        assert_eq!(list.len(), distinct, "{code:?}");
        assert!(list[0].message.contains("3 times"), "{}", list[0].message);
    }
}

#[test]
fn too_many_findings_are_not_described() {
    let run = run(&[], &[]);
    let mut findings = Findings::default();
    let site = Site::here();
    for number in 0..1_002 {
        let mut defect = Defect::at(Code::Panic, A, site);
        defect.detail = number.to_string();
        add(&mut findings, &run, &defect, 1);
    }
    assert_eq!(findings.list().len(), 1_000);
}
