//! What each statement of the scenario language means: pairs of a program with a defect and its
//! nearest relative without. Each program says itself what is to be found.

#![cfg(feature = "scenario")]

use std::sync::Arc;

use gordian::report::Verdict;
use gordian::scenario::{CheckReport, Options, check, parse};
use gordian::{Code, Strategy};

fn checked_with(source: &str, options: &Options) -> CheckReport {
    let scenario = match parse(source) {
        Ok(scenario) => Arc::new(scenario),
        Err(error) => panic!("{error}\n{source}"),
    };
    check(&scenario, "test.gordian", source, options)
}

fn checked(source: &str) -> CheckReport {
    checked_with(source, &Options::default())
}

/// The program has the findings that it says, by interleavings, by states and without reduction.
#[track_caller]
fn holds(source: &str) {
    for strategy in [None, Some(Strategy::States), Some(Strategy::Dfs)] {
        let mut options = Options::default();
        if let Some(strategy) = strategy {
            options = options.strategy(strategy);
        }
        let checked = checked_with(source, &options);
        assert!(
            checked.expected == Some(true) && checked.is_complete(),
            "{strategy:?} finds {:?}, which is {:?}; {:?}\n{source}\n{}",
            checked.report.codes(),
            checked.expected,
            checked.report.search,
            checked.report.explain()
        );
    }
}

macro_rules! programs {
    ($($name:ident: $($source:literal),+;)*) => {
        $(
            #[test]
            fn $name() {
                $(holds($source);)+
            }
        )*
    };
}

programs! {
    mutex:
        "expect deadlock\nmutex a, b\nthread s { lock a; lock b; unlock b; unlock a }
         thread t { lock b; lock a; unlock a; unlock b }",
        "expect clean\nmutex a, b\nthread s { lock a; lock b; unlock b; unlock a }
         thread t { lock a; lock b; unlock b; unlock a }";
    mutex_is_not_reentrant:
        "expect self-deadlock\nmutex m\nthread t { lock m; lock m }",
        "expect clean\nrmutex m\nthread t { lock m; lock m; unlock m; unlock m }
         thread s { lock m; unlock m }";
    rmutex_is_free_when_unlocked_as_often:
        "expect lost-wakeup, leaked-guard\nrmutex m\nvar x\nthread t { lock m; lock m; unlock m
         x = 1 }
         thread s { await x == 1; lock m }",
        "expect double-release\nrmutex m\nthread t { lock m; unlock m; unlock m }",
        "expect clean\nrmutex m\nthread t { lock m; trylock m $ok; assert $ok == 1; unlock m
         unlock m }";
    unlock_of_what_one_does_not_hold:
        "expect double-release\nmutex m\nthread t { unlock m }",
        "expect foreign-release\nmutex m\nvar x
         thread t { lock m; x = 1; await x == 2; locked m $h; assert $h == 1; unlock m }
         thread s { await x == 1; unlock m; x = 2 }",
        "expect foreign-release, double-release\nlock l\nvar x
         thread t { lock l; x = 1; await x == 2; locked l $h; assert $h == 0; unlock l }
         thread s { await x == 1; unlock l; x = 2 }",
        "expect clean\nlock l\nvar x\nthread t { lock l; x = 1 }\nthread s { await x == 1
         unlock l }";
    trylock_and_timedlock_do_not_wait:
        "expect deadlock\nmutex m, n\nvar x\nthread s { lock m; lock n; unlock n; unlock m }
         thread t { lock n; lock m; unlock m; unlock n }",
        "expect clean\nmutex m, n\nthread s { lock m; lock n; unlock n; unlock m }
         thread t { lock n; trylock m $ok; if $ok { unlock m }; unlock n }",
        "expect timeout-only\nmutex m, n\nthread s { lock m; lock n; unlock n; unlock m }
         thread t { lock n; timedlock m $ok; if $ok { unlock m }; unlock n }";
    locked_asks:
        "expect panic\nmutex m\nthread s { lock m; unlock m }\nthread t { locked m $h
         assert not $h }",
        "expect clean\nmutex m\nthread t { locked m $h; assert not $h; lock m; locked m $h
         assert $h; unlock m }";
    with_unlocks_on_every_exit:
        "expect clean\nmutex m\nthread t { repeat 2 { with m { break } }
         repeat 2 { with m { continue } }
         with m { return } }\nthread s { lock m; unlock m }",
        "expect panic\nmutex m\nproc p { with m { panic \"out\" } }\nthread t { call p }
         thread s { lock m; unlock m }",
        "expect panic, lost-wakeup, leaked-guard\nmutex m\nvar x\nthread t { lock m; x = 1
         panic \"out\" }
         thread s { await x == 1; lock m; unlock m }";
    a_writer_that_waits_bars_readers:
        "expect stuck\nrwlock r\nvar x\nthread t { read r; x = 1; await x == 2; read r; unlock r
         unlock r }
         thread w { await x == 1; x = 2; write r; unlock r }",
        "expect clean\nrwlock r reader_preferring\nvar x
         thread t { read r; x = 1; await x == 2; read r; unlock r; unlock r }
         thread w { await x == 1; x = 2; write r; unlock r }",
        "expect stuck\nrwlock r fifo\nvar x\nthread t { read r; x = 1; await x == 2; read r
         unlock r; unlock r }
         thread w { await x == 1; x = 2; write r; unlock r }";
    upgrade_waits_for_readers:
        "expect stuck\nrwlock r\nvar x\nthread t { upgradable r; x = 1; await x == 2; upgrade r
         unlock r }
         thread s { await x == 1; read r; x = 2 }",
        "expect clean\nrwlock r\nvar x\nthread t { upgradable r; x = 1; await x == 2; upgrade r
         unlock r }
         thread s { await x == 1; read r; x = 2; unlock r }",
        "expect panic\nrwlock r\nthread t { read r; upgrade r }";
    one_upgradable_beside_readers:
        "expect clean\nrwlock r\nvar x\nthread t { upgradable r; x = 1; await x == 2; unlock r }
         thread s { await x == 1; read r; x = 2; unlock r }",
        "expect stuck\nrwlock r\nvar x\nthread t { upgradable r; x = 1; await x == 2; unlock r }
         thread s { await x == 1; upgradable r; x = 2; unlock r }";
    downgrade_lets_readers_in:
        "expect clean\nrwlock r\nvar x\nthread t { write r; downgrade r; x = 1; await x == 2
         unlock r }
         thread s { await x == 1; read r; x = 2; unlock r }",
        "expect stuck\nrwlock r\nvar x\nthread t { write r; x = 1; await x == 2; unlock r }
         thread s { await x == 1; read r; x = 2; unlock r }",
        "expect panic\nrwlock r\nthread t { read r; downgrade r }";
    rwlock_tries_and_misuse:
        "expect panic\nrwlock r\nthread t { unlock r }",
        "expect clean\nrwlock r\nthread t { read r; tryread r $a; trywrite r $b
         assert $a == 1 and $b == 0
         unlock r; unlock r; trywrite r $b; assert $b; unlock r }";
    wait_and_notify:
        "expect lost-wakeup\nmutex m\ncondvar c\nthread t { lock m; wait c m; unlock m }
         thread s { lock m; notify_one c; unlock m }",
        "expect clean\nmutex m\ncondvar c\nvar go
         thread t { lock m; while go == 0 { wait c m }; unlock m }
         thread s { lock m; go = 1; notify_one c; unlock m }",
        "expect panic\nmutex m\ncondvar c\nthread t { wait c m }";
    notify_one_may_wake_any_waiter:
        "expect misuse\nmutex m\ncondvar c\nvar n
         thread a { lock m; n += 1; wait c m; assert n == 2; n = 3; unlock m }
         thread b { await n == 1; lock m; n += 1; wait c m; assert n == 3; unlock m }
         thread s { await n == 2; lock m; notify_one c; notify_one c; unlock m }",
        "expect clean\nmutex m\ncondvar c fifo\nvar n
         thread a { lock m; n += 1; wait c m; n = 3; unlock m }
         thread b { await n == 1; lock m; n += 1; wait c m; assert n == 3; unlock m }
         thread s { await n == 2; lock m; notify_one c; unlock m; await n == 3; lock m
         notify_one c; unlock m }";
    notify_all_wakes_all:
        "expect lost-wakeup\nmutex m\ncondvar c\nvar n\nthread a * 2 { lock m; n += 1; wait c m
         unlock m }
         thread s { await n == 2; lock m; notify_one c; unlock m }",
        "expect clean\nmutex m\ncondvar c\nvar n\nthread a * 2 { lock m; n += 1; wait c m
         unlock m }
         thread s { await n == 2; lock m; notify_all c; unlock m }";
    spurious_and_timed_waits:
        "expect clean\nmutex m\ncondvar c spurious\nthread t { lock m; wait c m; unlock m }",
        "expect clean\nmutex m\ncondvar c\nthread t { lock m; timedwait c m $late; assert $late
         unlock m }",
        "expect lost-wakeup\nmutex m\ncondvar c\nthread t { lock m; wait c m; unlock m }";
    a_wait_gives_a_reentrant_mutex_back_wholly:
        "expect clean\nrmutex m\ncondvar c\nvar x
         thread t { lock m; lock m; x = 1; wait c m; unlock m; locked m $h; assert $h; unlock m }
         thread s { await x == 1; lock m; notify_one c; unlock m }";
    semaphore:
        "expect lost-wakeup\nsemaphore s = 1\nthread a { acquire s 2 }",
        "expect clean\nsemaphore s = 1\nthread a { acquire s 2 }\nthread b { release s }",
        "expect panic\nsemaphore s = 1 max 1\nthread b { release s }",
        "expect clean\nsemaphore s = 1\nthread b { tryacquire s $a; tryacquire s $b
         assert $a and not $b }";
    a_fifo_semaphore_is_not_overtaken:
        "expect stuck\nsemaphore s = 1 fifo\nvar x
         thread a { x = 1; acquire s 2; release s 2 }\nthread b { await x == 1; acquire s
         release s }",
        "expect stuck\nsemaphore s = 1\nthread a { acquire s 2; release s 2 }
         thread b { acquire s; release s }",
        "expect stuck\nsemaphore s = 1 fifo\nthread a { acquire s 2; release s 2 }
         thread b { acquire s; release s 2 }",
        "expect clean\nsemaphore s = 1\nthread a { acquire s 2; release s 2 }
         thread b { acquire s; release s 2 }";
    tickets:
        "expect stuck\nsemaphore s = 1 fifo
         thread t { acquire s; ticket s f; ticket s g; release s; await_ticket s g; release s }",
        "expect clean\nsemaphore s = 1 fifo
         thread t { acquire s; ticket s f; ticket s g; drop_ticket s f; release s
         await_ticket s g; release s }",
        "expect panic\nsemaphore s = 1 fifo\nthread t { ticket s f; drop_ticket s f
         await_ticket s f }";
    buffered_channel:
        "expect stuck\nchannel c = 1\nthread t { send c 1; send c 2 }",
        "expect clean\nchannel c = 2\nthread t { send c 1; send c 2; recv c $a; recv c $b
         assert $a == 1 and $b == 2 }",
        "expect clean\nchannel c\nthread t { repeat 5 { send c 7 }; repeat 5 { recv c $v
         assert $v == 7 } }";
    rendezvous:
        "expect stuck\nchannel c = 0\nthread s { send c 5 }",
        "expect clean\nchannel c = 0\nthread s { send c 5; send c 6 }
         thread r { recv c $a; recv c $b; assert $a == 5 and $b == 6 }",
        "expect panic\nchannel c = 0\nthread s { send c 5 }\nthread t { send c 6 }
         thread r { recv c $a; recv c $b; assert $a == 5 }";
    closed_channel:
        "expect panic\nchannel c\nthread t { close c; send c }",
        "expect clean\nchannel c\nthread t { send c 3; close c; send c 4 $ok; assert not $ok
         recv c $v $ok; assert $v == 3 and $ok; recv c $v $ok; assert $v == 0 and not $ok }",
        "expect panic\nchannel c\nthread t { close c; close c }",
        "expect clean\nchannel c = 0\nthread t { recv c $v $ok; assert not $ok }
         thread s { close c }",
        "expect panic\nchannel c\nthread t { send c 1; drop_rx c; send c 2 }",
        "expect clean\nchannel c\nthread t { send c 1; drop_rx c; send c 2 $ok; assert not $ok }";
    select_takes_any_ready_arm:
        "expect panic\nchannel a = 1, b = 1\nthread t { send a 1; send b 2
         select { case recv a $v: nop; case recv b $v: nop }; assert $v == 1 }",
        "expect clean\nchannel a = 1, b = 1\nthread t { send b 2
         select { case recv a $v: nop; case recv b $v: nop }; assert $v == 2 }",
        "expect clean\nchannel a = 0\nthread t { select { case recv a $v: panic \"no\"
         default: $v = 4 }; assert $v == 4 }",
        "expect stuck\nchannel a = 0, b = 0\nthread t { select { case recv a: nop
         case send b 1: nop } }";
    select_meets_at_a_rendezvous:
        "expect clean\nchannel a = 0, b = 0\nthread t { select { case recv a $v: nop
         case send b 1: $v = 9 } }
         thread s { recv b $w; assert $w == 1 }",
        "expect clean\nchannel a = 0, b = 0\nthread t { select { case recv a $v: assert $v == 3
         case send b 1: nop } }
         thread s { select { case send a 3: nop; case recv b $w: assert $w == 1 } }";
    what_is_sent_may_be_computed:
        "expect clean\nchannel c = 1\nvar x = 4\nthread t { $y = 2; send c x * $y + 1; recv c $v
         assert $v == 9 }",
        "expect panic\nchannel c = 1\nvar x = 4\nthread t { send c x / 0 }";
    waitgroup:
        "expect lost-wakeup\nwaitgroup w\nthread t { wg_add w 2; wg_wait w }\nthread s { await 1
         nop }",
        "expect clean\nwaitgroup w = 2\nthread t { wg_wait w }\nthread s * 2 { wg_done w }",
        "expect panic\nwaitgroup w\nthread t { wg_done w }",
        "expect clean\nwaitgroup w = 3\nthread t { wg_add w -3; wg_wait w }";
    barrier:
        "expect stuck\nbarrier b = 3\nthread t * 2 { barrier b }",
        "expect clean\nbarrier b = 2\nvar x\nthread t * 2 { x += 1; barrier b; assert x >= 2
         barrier b }";
    once:
        "expect clean\nonce o\nvar x\nthread t * 3 { once o { x += 1 }; assert x == 1 }",
        "expect self-deadlock\nonce o\nthread t { once o { once o { nop } } }",
        "expect panic\nonce o\nvar x\nthread t { once o { panic \"out\" } }
         thread s { once o { x = 1 } }",
        "expect clean\nonce o\nvar x\nthread t { repeat 2 { once o { x += 1; break } }
         once o { x += 1 }; assert x == 1 }";
    notify:
        "expect stuck\nnotify n\nthread t { wait_notify n }\nthread s { notify_waiters n }",
        "expect clean\nnotify n\nthread t { wait_notify n }\nthread s { notify n }",
        "expect stuck\nnotify n\nthread t { notify n; notify n; wait_notify n; wait_notify n }",
        "expect clean\nnotify n\nthread t { enable_notify n; notify n; wait_notify n }",
        "expect clean\nnotify n\nvar x\nthread t { enable_notify n; x = 1; await x == 2
         drop_notify n }
         thread s { await x == 1; notify n; x = 2; wait_notify n }",
        "expect stuck\nnotify n\nvar x\nthread t { enable_notify n; x = 1; await x == 2 }
         thread s { await x == 1; notify n; x = 2; wait_notify n }";
    park_has_one_token:
        "expect lost-wakeup\nthread t { park; park }\nthread s { unpark t; unpark t }",
        "expect clean\nthread t { park }\nthread s { unpark t; unpark t }";
    spawn_and_join:
        "expect clean\nvar x\ndeferred thread t { x = 1 }\nthread s { assert x == 0; spawn t
         join t; assert x == 1 }",
        "expect panic\ndeferred thread t { nop }\nthread s { spawn t; spawn t }",
        "expect stuck\ndeferred thread t { nop }\nthread s { join t }",
        "expect clean\ndeferred thread t { block_forever }\nthread s { nop }",
        "expect clean\nvar x\ndeferred thread t * 2 { x += 1 }\nthread s { spawn t; join t
         assert x == 2 }",
        "expect deadlock\nthread s { join t }\nthread t { join s }";
    daemons_may_wait_for_ever:
        "expect lost-wakeup\nsemaphore s = 0\nthread t { acquire s }",
        "expect clean\nsemaphore s = 0\ndaemon thread t { acquire s }",
        "expect lost-wakeup\nmutex m\nvar x\ndaemon thread d { lock m; x = 1; block_forever }
         thread t { await x == 1; lock m; unlock m }";
    a_step_is_atomic_and_two_are_not:
        "expect panic\nvar x\nwaitgroup w = 2\nthread t * 2 { $r = x; x = $r + 1; wg_done w }
         thread c { wg_wait w; assert x == 2 }",
        "expect clean\nvar x\nwaitgroup w = 2\nthread t * 2 { x += 1; wg_done w }
         thread c { wg_wait w; assert x == 2 }",
        "expect clean\nvar x, y = 1\nthread t * 2 { atomic { x = x + y; y = x } }
         thread c { atomic { $x = x; $y = y }; assert $x == 0 or $x == $y }";
    fetch_add_and_cas:
        "expect clean\nvar x\nthread t * 2 { fetch_add x 3 $old; assert $old == 0 or $old == 3 }",
        "expect panic\nvar x\nthread t * 2 { cas x 0 1 $ok; assert $ok }",
        "expect clean\nvar x, n\nthread t * 2 { cas x 0 1 $ok; if $ok { n += 1; assert n == 1 } }";
    await_blocks:
        "expect lost-wakeup\nvar x\nthread t { await x == 1 }",
        "expect clean\nvar x\nthread t { await x == 1 }\nthread s { x = 1 }",
        "expect panic\nvar x\nthread t { await 1 / x }";
    arithmetic_that_has_no_value_panics:
        "expect panic\nthread t { $a = 1 / 0 }",
        "expect panic\nthread t { $a = 9223372036854775807; $a += 1 }",
        "expect panic\nvar x = 9223372036854775807\nthread t { fetch_add x 1 $old }",
        "expect clean\nthread t { $a = 9223372036854775807; $a -= 1; $b = -7 / 2
         assert $b == -3 and -7 % 2 == -1 }";
    slow_calls:
        "expect slow-under-lock\nmutex m\nthread t { lock m; slow \"price\"; unlock m }",
        "expect clean\nmutex m\nthread t { lock m; unlock m; slow \"price\" }";
    choose_explores_every_case:
        "expect panic\nthread t { choose { case: $x = 1; case: $x = 2; case: $x = 3 }
         assert $x != 3 }",
        "expect clean\nthread t { choose { case: $x = 1; case: $x = 2 }
         assert $x == 1 or $x == 2 }";
    loops_and_procs:
        "expect clean\nvar n\nproc p { repeat 3 { if $i == 2 { return }; $i += 1; n += 1 } }
         thread t { call p; assert n == 2; repeat 0 { panic \"never\" }
         while $i > 0 { $i -= 1; if $i == 0 { continue }; n += 1 }; assert n == 3
         loop { n += 1; if n == 5 { break } }; assert n == 5 }";
    leaks:
        "expect leaked-guard\nmutex m\nthread t { lock m }",
        "expect clean\nmutex m\nthread t { lock m; unlock m }",
        "expect clean\nsemaphore s = 1\nthread t { acquire s }";
}

#[test]
fn a_program_that_never_ends_is_searched_to_the_end() {
    let spins = "expect clean\nmutex m\nvar x\ndaemon thread t { loop { lock m; unlock m } }
        thread s { loop { trylock m $ok; if $ok { break } }; unlock m }";
    let checked = checked(spins);
    assert!(checked.endless && checked.is_complete());
    assert_eq!(checked.expected, Some(true));
    assert_eq!(checked.report.search.strategy, "states");
}

#[test]
fn who_waits_beside_a_loop_is_stuck_though_nothing_stands_still() {
    holds_by_states(
        "expect lost-wakeup\nsemaphore s = 0\nthread t { acquire s }\nthread l { loop { nop } }",
        true,
    );
    holds_by_states(
        "expect clean\nsemaphore s = 0\nvar x\nthread t { acquire s }
         thread l { loop { nop; choose { case: release s; return; case: } } }",
        true,
    );
}

#[track_caller]
fn holds_by_states(source: &str, endless: bool) {
    let checked = checked(source);
    assert_eq!(
        (checked.expected, checked.endless, checked.is_complete()),
        (Some(true), endless, true),
        "{}\n{source}",
        checked.report.explain()
    );
}

#[test]
fn a_livelock_is_starvation_where_somebody_asks() {
    let source = "mutex m\nthread t { loop { trylock m $ok; if $ok { unlock m } } }";
    assert!(!checked(source).report.has(Code::Starvation));
    let asked = checked_with(source, &Options::default().liveness(true));
    assert!(
        asked.report.has(Code::Starvation),
        "{}",
        asked.report.explain()
    );
    holds_by_states(&format!("expect starvation\n{source}"), true);
    // It can end, if it is let.
    let ends =
        "expect clean\nmutex m\nvar x\nthread t { loop { if x { break } } }\nthread s { x = 1 }";
    let asked = checked_with(ends, &Options::default().liveness(true));
    assert_eq!(asked.expected, Some(true), "{}", asked.report.explain());
}

#[test]
fn findings_have_the_names_and_places_of_the_scenario() {
    let source = "mutex a, b\nthread s {\n  lock a\n  lock b\n}\nthread t {\n  lock b\n  lock a\n}";
    let checked = checked(source);
    let deadlock = checked.report.assert_found(Code::Deadlock);
    assert_eq!(deadlock.threads, ["s", "t"]);
    assert_eq!(deadlock.objects, ["a", "b"]);
    let sites = deadlock.edges.iter().map(|edge| edge.site.to_string());
    assert_eq!(
        sites.collect::<Vec<_>>(),
        ["test.gordian:4:3", "test.gordian:8:3"]
    );
    let first = &deadlock.steps[0];
    assert_eq!(
        (first.thread.as_str(), first.operation.as_str()),
        ("s", "lock")
    );
    assert_eq!(checked.report.search.threads, 2);
    let panics = "var x\nthread t { assert x == 1 }";
    let finding = checked_with(panics, &Options::default());
    let finding = finding.report.assert_found(Code::Panic);
    assert_eq!(finding.message, "`t` panicked: assertion failed: x == 1");
}

#[test]
fn a_finding_is_replayed_from_its_token() {
    let source = "mutex a, b\nthread s { lock a; lock b }\nthread t { lock b; lock a }";
    let found = checked(source);
    let deadlock = found.report.assert_found(Code::Deadlock);
    let token = deadlock.token.parse().expect("the token of a finding");
    let replayed = checked_with(source, &Options::default().replay(token));
    assert_eq!(replayed.report.search.executions, 1);
    let again = replayed.report.assert_found(Code::Deadlock);
    assert_eq!(again.fingerprint, deadlock.fingerprint);
    assert_eq!(again.steps, deadlock.steps);
}

#[test]
fn every_strategy_finds_a_deadlock() {
    let source = "mutex a, b\nthread s { lock a; lock b; unlock b; unlock a }
        thread t { lock b; lock a; unlock a; unlock b }";
    for &(strategy, name) in Strategy::ALL {
        let options = Options::default().strategy(strategy).executions_max(200);
        let checked = checked_with(source, &options);
        assert!(
            checked.report.has(Code::Deadlock),
            "{name}: {}",
            checked.report.explain()
        );
    }
}

#[test]
fn a_local_loop_without_end_is_an_error_that_names_it() {
    let checked = checked("var x\nthread t {\n  x = 1\n  loop {\n    $i = 1\n  }\n}");
    let error = checked.report.error.as_deref().unwrap_or_default();
    assert!(
        error.contains("`t`") && error.contains("test.gordian:"),
        "{error}"
    );
    assert_eq!(checked.expected, None);
    let chooses = checked_text("thread t { loop { choose { case: $x = 1; case: $x = 2 } } }");
    assert!(
        chooses.contains("`t`") && chooses.contains("test.gordian:1:"),
        "{chooses}"
    );
    let leaves = checked_text("thread t { loop { choose { case: $x = 1; case: break } } }");
    assert_eq!(leaves, "");
}

/// Why the check could not be made; empty if it could.
fn checked_text(source: &str) -> String {
    checked(source).report.error.unwrap_or_default()
}

#[test]
fn too_many_threads_are_refused() {
    let source = "expect panic\nthread t * 63 { panic \"now\" }";
    let options = Options::default().executions_max(1);
    assert!(checked_with(source, &options).report.has(Code::Panic));
    // The parser refuses such a file, but a scenario may be made of data too.
    let mut scenario = parse(source).expect("a scenario");
    scenario.threads.extend_from_within(..1);
    let refused = check(&Arc::new(scenario), "test.gordian", source, &options);
    let error = refused.report.error.unwrap_or_default();
    assert_eq!(
        error,
        "a scenario may have at most 63 threads, and this one has 64"
    );
}

#[test]
fn states_without_end_leave_the_search_incomplete() {
    let source = "expect clean\nvar x\nthread t { loop { x += 1 } }";
    let options = Options::default().time_max(std::time::Duration::from_secs(2));
    let checked = checked_with(source, &options);
    assert_eq!((checked.expected, checked.is_complete()), (None, false));
    assert!(checked.report.search.incomplete_reason.is_some());
}

#[test]
fn expected_executions_are_counted_exactly() {
    let program = |count: u32| {
        format!("expect_executions {count}\nmutex m\nthread t * 3 {{ lock m; unlock m }}")
    };
    assert_eq!(checked(&program(6)).expected, Some(true));
    assert_eq!(checked(&program(5)).expected, Some(false));
}

#[test]
fn what_is_expected_is_compared_with_what_is_found() {
    let deadlock = "mutex a, b\nthread s { lock a; lock b; unlock b; unlock a }
        thread t { lock b; lock a; unlock a; unlock b }";
    let clean = "mutex a\nthread s { lock a; unlock a }";
    let misuse = "mutex a\nthread s { unlock a }";
    let cases = [
        ("expect deadlock", deadlock, true),
        ("expect stuck", deadlock, true),
        ("expect clean", deadlock, false),
        ("expect misuse", deadlock, false),
        ("expect self-deadlock", deadlock, false),
        ("expect clean", clean, true),
        ("expect stuck", clean, false),
        ("expect misuse", misuse, true),
        ("expect double-release", misuse, true),
        ("expect double-release, panic", misuse, false),
        ("expect stuck", misuse, false),
    ];
    for (expect, program, right) in cases {
        let checked = checked(&format!("{expect}\n{program}"));
        assert_eq!(checked.expected, Some(right), "{expect}\n{program}");
    }
    assert_eq!(checked(deadlock).expected, None);
}

#[test]
fn a_hazard_is_found_unless_the_file_expects_something() {
    let program = "mutex m\nthread t { lock m }";
    assert_eq!(checked(program).verdict(), Verdict::Found);
    let tolerated = checked(&format!("expect clean\n{program}"));
    assert_eq!(tolerated.verdict(), Verdict::Clean);
    assert!(tolerated.passed() && !checked(program).passed());
}

/// Which search decides, and that it is the one that is asked for.
#[test]
fn searches_take_turns_and_do_what_is_asked() {
    let many_interleavings = many(8, "lock m; unlock m");
    let many_states = (0..7).map(|own| {
        format!(
            "var x{own}\nthread t{own} {{ lock m; unlock m; x{own} = 1; x{own} = 2; x{own} = 3; \
             x{own} = 4; x{own} = 5 }}\n"
        )
    });
    let many_states = format!("mutex m\n{}", many_states.collect::<String>());
    let spins = "var x\nmutex m\nthread s { loop { x = 1 - x } }\nthread t { lock m; unlock m }";
    for (source, by, strategy) in [
        (many_interleavings.as_str(), None, "states"),
        (many_states.as_str(), None, "exhaustive"),
        (spins, None, "states"),
        ("mutex m\nthread s { lock m; unlock m }", None, "exhaustive"),
        (
            "mutex m\nthread s { lock m; unlock m }",
            Some(Strategy::States),
            "states",
        ),
    ] {
        let mut options = Options::default();
        if let Some(by) = by {
            options = options.strategy(by);
        }
        let checked = checked_with(source, &options);
        assert!(checked.is_complete(), "{}", checked.report);
        assert_eq!(checked.report.search.strategy, strategy, "{source}");
    }
    // Asked for explicitly, it goes beyond what a turn has.
    let options = Options::default().strategy(Strategy::Exhaustive);
    let checked = checked_with(&many(4, "lock m; unlock m; lock m; unlock m"), &options);
    assert!(checked.is_complete(), "{}", checked.report);
    assert_eq!(checked.report.search.executions, 2_520);
    // It does not go over to states by itself.
    let checked = checked_with(spins, &options);
    assert!(!checked.is_complete(), "{}", checked.report);
    assert_eq!(checked.report.search.strategy, "exhaustive");
    // A bound is one.
    let options = Options::default().executions_max(100);
    let checked = checked_with(&many_interleavings, &options);
    assert_eq!(checked.report.search.executions, 100);
    assert!(!checked.is_complete());
}

fn many(threads: usize, body: &str) -> String {
    let threads = (0..threads).map(|number| format!("thread t{number} {{ {body} }}\n"));
    format!("mutex m\n{}", threads.collect::<String>())
}

/// What was found is said, though the search never ends: a thread goes on changing something.
#[test]
fn a_thread_that_never_stops_does_not_hide_a_deadlock() {
    let source = "var x\nmutex a, b\nthread busy { loop { x += 1 } }
        thread s { lock a; lock b; unlock b; unlock a }
        thread t { lock b; lock a; unlock a; unlock b }";
    for strategy in [None, Some(Strategy::Exhaustive), Some(Strategy::States)] {
        let mut options = Options::default().time_max(std::time::Duration::from_secs(1));
        if let Some(strategy) = strategy {
            options = options.strategy(strategy);
        }
        let checked = checked_with(source, &options);
        assert!(!checked.is_complete(), "{}", checked.report);
        assert!(
            checked.report.has(Code::Deadlock),
            "{strategy:?} {}",
            checked.report
        );
        assert_eq!(checked.verdict(), Verdict::Found);
    }
}

/// Programs in which the search has to do one particular thing, or it takes an execution too few.
#[test]
fn what_a_single_mistake_of_the_search_would_miss() {
    for (what, source, executions) in [
        // Without the second reader the writer, and with it what the first one sees, never comes
        // first.
        (
            "all readers that are in a writer's way are left out of its reversal",
            "expect panic\nrwlock r reader_preferring\nvar x
             thread one { read r; if x == 1 { panic \"seen\" }; unlock r }
             thread two { read r; unlock r }
             thread w { write r; x = 1; unlock r }",
            None,
        ),
        (
            "the same, when nobody gives the lock back",
            "expect panic, lost-wakeup\nrwlock r reader_preferring\nvar x
             thread one { read r; if x == 1 { panic \"seen\" } }
             thread two { read r }
             thread w { write r; x = 1; unlock r }",
            None,
        ),
        (
            "the other cases of a choice that a reversal brings forward",
            "expect panic\nvar x, y
             thread one { choose { case: x = 1 case: x = 2 }; y = x }
             thread two { if x == 2 { panic \"seen\" } }",
            None,
        ),
        (
            "the other waiters that a notification could wake",
            "expect panic, lost-wakeup\nmutex m\ncondvar c\nvar x
             thread one { lock m; wait c m; unlock m }
             thread two { lock m; wait c m; x = 1; unlock m }
             thread n { lock m; notify_one c; unlock m; if x == 1 { panic \"seen\" } }",
            None,
        ),
        (
            "a try that comes while a writer waits",
            "expect panic\nrwlock r\nvar x, y
             thread one { read r; x = 1; await y == 1; unlock r }
             thread w { await x == 1; write r; unlock r }
             thread t { await x == 1; tryread r $a; if $a == 0 { y = 1; panic \"it waits\" }
                        if $a == 1 { unlock r; y = 1 } }",
            None,
        ),
        (
            "reading while another reads is no choice",
            "expect clean\nrwlock r\nthread one * 3 { read r; unlock r }",
            Some(1),
        ),
    ] {
        let options = Options::default().strategy(Strategy::Exhaustive);
        let checked = checked_with(source, &options);
        assert_eq!(checked.expected, Some(true), "{what}: {}", checked.report);
        let every = checked_with(source, &Options::default().strategy(Strategy::Dfs));
        assert_eq!(checked.terminals, every.terminals, "{what}");
        if let Some(executions) = executions {
            assert_eq!(checked.report.search.executions, executions, "{what}");
        }
    }
}

/// Two threads may each have a ticket of one name, of whatever semaphore; and whoever waits with a
/// lock that has no owner may do so while another holds it.
#[test]
fn tickets_are_a_threads_own_and_a_lock_may_be_lent() {
    for source in [
        "expect clean\nsemaphore s = 1 fifo\nsemaphore t = 1 fifo
         thread one { ticket s x; await_ticket s x; release s }
         thread two { ticket t x; await_ticket t x; release t }",
        "expect clean\nsemaphore s = 1 fifo
         thread one * 2 { ticket s x; await_ticket s x; release s }",
        "expect panic\nsemaphore s = 1 fifo
         thread one { ticket s x; ticket s x }",
        "expect panic\nsemaphore s = 1 fifo\nvar made
         thread one { ticket s x; made = 1 }
         thread two { await made == 1; await_ticket s x }",
        "expect clean\nlock l\ncondvar c\nvar g
         thread owner { lock l; g = 1; lock l; notify_one c; unlock l }
         thread helper { await g == 1; wait c l; unlock l }",
        "expect panic\nlock l\ncondvar c\nthread one { wait c l; unlock l }",
        "expect panic\nmutex l\ncondvar c\nvar g
         thread owner { lock l; g = 1; await g == 2; unlock l }
         thread helper { await g == 1; g = 2; wait c l }",
    ] {
        holds(source);
    }
}

/// What an owner leaves locked is told of in every order, also where a waiter frees it meanwhile.
#[test]
fn a_lock_that_is_lent_away_is_left_behind_in_every_order() {
    let source = "lock l\ncondvar c\nvar x
        thread owner { lock l; x = 1 }
        thread helper { await x == 1; wait c l }";
    let checked = checked_with(source, &Options::default().strategy(Strategy::Dfs));
    let mut findings = checked.report.findings.iter();
    let leaked = findings.find(|finding| finding.code == Code::LeakedGuard);
    let executions = checked.report.search.executions;
    assert!(executions > 1, "{}", checked.report);
    assert_eq!(
        leaked.map(|finding| finding.seen),
        Some(executions),
        "{}",
        checked.report
    );
}
