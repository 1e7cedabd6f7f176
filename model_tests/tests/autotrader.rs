//! The proofs of the reference protocol: each model is one environment, judged by every property.
//!
//! `R` resets, `r` resumes, `t` is a tick of the main loop: three critical sections when it trades.

use gordian::Checker;
use model_tests::disk::Faults;
use model_tests::market::{Fate, HOLD, Script};
use model_tests::observe::observe;
use model_tests::properties::{Judge, Property as P};
use model_tests::scenario::Call::{Reset, Resume, Start, Stats, Stop};
use model_tests::scenario::{Call, Scenario};
use model_tests::table::{C0, reference};

const WILD: Script = Script::WILD;
const FATES: Script = Script::FATES;
const RESET_RESUME: &[Call] = &[Reset(C0), Resume(C0)];
const RESTART: &[Call] = &[Stop("loop-1"), Start(1)];
const OTHER: autotrader::Currency = autotrader::Currency(1);

/// One loop with one pass against one client that resets and resumes; judged at the end.
const BASE: Scenario<'static> = Scenario {
    clients: &[RESET_RESUME],
    watched: false,
    ..Scenario::QUIET
};

/// The same with every outcome of every call, each property looked at after each step.
const MAIN: Scenario<'static> = Scenario {
    script: WILD,
    watched: true,
    ..BASE
};

fn prove(scenario: Scenario<'static>) {
    scenario.run(reference, Judge::All);
}

/// t ∥ R r, from idle.
#[gordian::test]
fn reset_resume_vs_main_loop() {
    prove(MAIN);
}

/// The second opinion: t ∥ R r, every outcome of every call.
#[gordian::test(engine = "loom")]
fn reset_resume_vs_main_loop_under_loom() {
    prove(Scenario {
        watched: false,
        ..MAIN
    });
}

/// The second opinion: t ∥ R r with a position, every outcome of every call.
#[gordian::test(engine = "loom")]
fn reset_resume_vs_rebuy_or_sale_under_loom() {
    prove(Scenario {
        watched: false,
        prelude: &[HOLD],
        ..MAIN
    });
}

/// The second opinion, with each property looked at after each step.
#[gordian::test(engine = "loom")]
fn reset_resume_vs_main_loop_watched_under_loom() {
    prove(Scenario {
        script: Script::CALM,
        ..MAIN
    });
}

/// The second opinion: tt ∥ R r, every fate of two orders.
#[gordian::test(engine = "loom")]
fn two_orders_vs_reset_resume_under_loom() {
    prove(Scenario {
        script: FATES,
        loops: &[2],
        ..BASE
    });
}

/// t ∥ R r, with a position: the loop rebuys or sells.
#[gordian::test]
fn reset_resume_vs_rebuy_or_sale() {
    prove(Scenario {
        prelude: &[HOLD],
        ..MAIN
    });
}

/// tt ∥ R r: what the first tick does not know, the second asks for.
#[gordian::test]
fn every_outcome_of_every_call() {
    prove(Scenario {
        script: WILD,
        loops: &[2],
        ..BASE
    });
}

/// tt ∥ R r with a position: buy, rebuy and sale one after the other.
#[gordian::test]
fn buy_rebuy_sell_vs_reset_resume() {
    prove(Scenario {
        script: WILD,
        prelude: &[HOLD],
        loops: &[2],
        ..BASE
    });
}

/// ttt ∥ R r, every fate of three orders.
#[gordian::test]
fn three_orders_vs_reset_resume() {
    prove(Scenario {
        script: FATES,
        loops: &[3],
        ..BASE
    });
}

/// tt ∥ t ∥ R r: two loops with the same lease, which no start ever gives.
#[gordian::test]
fn two_loops_vs_reset_resume() {
    prove(Scenario {
        script: FATES,
        loops: &[2, 1],
        ..BASE
    });
}

/// tt ∥ t ∥ R r ∥ R r.
#[gordian::test]
fn two_loops_vs_two_resets_and_resumes() {
    prove(Scenario {
        loops: &[2, 1],
        clients: &[RESET_RESUME, RESET_RESUME],
        ..BASE
    });
}

/// t ∥ (stop; start; t) ∥ R r, every fate of two orders.
#[gordian::test]
fn restart_vs_reset_resume() {
    prove(Scenario {
        script: FATES,
        clients: &[RESTART, RESET_RESUME],
        ..BASE
    });
}

/// t ∥ (stop; start; t) ∥ (stop; start; t): one loop at a time, whoever starts it.
#[gordian::test]
fn two_restarts_make_one_loop() {
    prove(Scenario {
        clients: &[RESTART, RESTART],
        ..BASE
    });
}

/// t ∥ (stop; start; t) ∥ (start; t): of two starts at most one makes a loop.
#[gordian::test]
fn two_starts_make_one_loop() {
    prove(Scenario {
        clients: &[RESTART, &[Start(1)]],
        ..BASE
    });
}

/// t ∥ (stop; start; tt) ∥ R r ∥ R r: two loops, three orders, two resets, two resumes, a stop and
/// a start.
///
/// Judged by what the exchange and the books show. What clients were told is left out: it is in
/// the models above, and would make this one ten times as large.
#[gordian::test]
fn everything_at_once() {
    const JUDGED: &[P] = &[
        P::OneOperation,
        P::BoughtOnce,
        P::SoldOnce,
        P::UnknownIsNotNo,
        P::FailClosed,
        P::StopIsPrompt,
        P::Structure,
        P::CurrentEpoch,
        P::NoLostFill,
        P::StartsAndEnds,
        P::HonestProfit,
        P::TokenCleared,
        P::UnknownResolves,
        P::BoundedReply,
    ];
    let clients: &[&[Call]] = &[&[Stop("loop-1"), Start(2)], RESET_RESUME, RESET_RESUME];
    Scenario { clients, ..BASE }.run(reference, Judge::These(JUDGED));
}

/// t ∥ R r ∥ two looks at the stats.
#[gordian::test]
fn stats_are_of_one_instant() {
    prove(Scenario {
        clients: &[RESET_RESUME, &[Stats(C0), Stats(C0)]],
        ..BASE
    });
}

/// tt ∥ R r, the process dies before or after any write, every fate of two orders.
#[gordian::test]
fn crash_at_any_write() {
    prove(Scenario {
        script: FATES,
        loops: &[2],
        faults: Faults::Crashing,
        ..BASE
    });
}

/// tt ∥ R r, any write may fail; in the end the process is started again.
#[gordian::test]
fn disk_that_fails() {
    prove(Scenario {
        loops: &[2],
        faults: Faults::Failing,
        ..BASE
    });
}

/// t ∥ R r on one currency ∥ R r on the other.
#[gordian::test]
fn currencies_are_isolated() {
    let clients: &[&[Call]] = &[RESET_RESUME, &[Reset(OTHER), Resume(OTHER)]];
    prove(Scenario {
        currencies: 2,
        clients,
        ..BASE
    });
}

/// Any one slow call lasts until every client has its answers, for the same currency and for the
/// other; then it ends somehow, and the loop goes on to the other currency.
#[gordian::test]
fn slow_call_outlasts_every_client() {
    let clients: &[&[Call]] = &[
        &[Reset(C0), Resume(C0), Stats(C0)],
        &[Reset(OTHER), Resume(OTHER), Stats(OTHER)],
    ];
    let fates = &[Fate::Filled, Fate::FilledReplyLost];
    let script = Script {
        prices: &[Some(HOLD), None],
        fates,
        ..Script::CALM
    };
    prove(Scenario {
        script,
        currencies: 2,
        clients,
        patient: true,
        ..BASE
    });
}

/// The proofs are about something: locks are waited for, and executions end in every way that
/// matters.
#[test]
fn the_proofs_are_not_vacuous() {
    let scenario = Scenario {
        script: WILD,
        loops: &[2],
        prelude: &[HOLD],
        ..BASE
    };
    let observed = observe(Checker::new(), reference, scenario, Judge::All);
    observed.report.assert_clean();
    assert!(
        observed.report.search.executions > 1_000,
        "threads hardly ever meet"
    );
    let states: Vec<_> = observed
        .endings
        .iter()
        .map(|ending| &ending.states[0])
        .collect();
    type Reached = fn(&autotrader::Stats) -> bool;
    let reached: &[(&str, Reached)] = &[
        ("a position given up by a reset", |s| {
            s.orphans.iter().any(|o| o.order.is_none())
        }),
        ("a purchase filled after its cycle was reset", |s| {
            s.orphans.iter().any(|o| o.order.is_some() && o.volume > 0)
        }),
        ("a sale filled after its cycle was reset", |s| {
            s.orphans.iter().any(|o| o.order.is_some() && o.volume < 0)
        }),
        ("an order whose fate is unknown", |s| s.unknown),
        ("an unknown order of a cycle that was reset", |s| {
            s.unknown && s.epoch.0 > 0
        }),
        ("a rebuy", |s| s.active && s.step == 1),
        ("a profit", |s| s.profit > 0),
        ("a new cycle after a resume", |s| s.active && s.epoch.0 > 0),
        ("nothing bought after a resume", |s| {
            !s.active && !s.paused && s.epoch.0 > 0
        }),
    ];
    for (what, reached) in reached {
        assert!(
            states.iter().any(|stats| reached(stats)),
            "no execution ends with {what}"
        );
    }
}
