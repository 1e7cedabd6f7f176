//! The specimens, what each must show, and what each must not.
//!
//! Knows the rows as data. Does not know how a row is checked: `observe` does.

use std::sync::Arc;

use autotrader::{Autotrader, Currency, CurrencySettings, Protocol, Settings};
use gordian::Code;

use crate::disk::Faults;
use crate::market::{Balance, FALL, Fate, HOLD, RISE, Script};
use crate::properties::Property;
use crate::scenario::{Build, Call, ROWS, Scenario, World};
use crate::specimens::*;

/// Something that a check reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sign {
    /// A finding with this code, when no property is judged.
    Code(Code),
    /// This property is violated, when it is the only one judged.
    Property(Property),
    /// Any finding at all, when every property is judged.
    Anything,
}

/// One environment for a specimen.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// What is special about it.
    pub name: &'static str,
    /// Who does what.
    pub scenario: Scenario<'static>,
    /// What must be found.
    pub finds: &'static [Sign],
    /// What must not be found.
    pub clean_of: &'static [Sign],
    /// What loom can do with it.
    pub loom: Loom,
    /// The bound on steps when it never ends; its search is incomplete by nature.
    pub endless: Option<u32>,
}

/// How much of a case loom can explore in a test: it has no reduction by sleep sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loom {
    /// All of it: both engines must agree on what is found and what is not.
    Fits,
    /// Enough to find what is to be found, not enough to show what is not there.
    FindsOnly,
    /// Too little.
    TooLarge,
}

/// One specimen.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its name, used everywhere.
    pub specimen: &'static str,
    /// What makes it.
    pub build: Build,
    /// The environments in which it is checked.
    pub cases: &'static [Case],
}

/// The only currency, or the one with the trouble.
pub const C0: Currency = Currency(0);

/// The reference protocol, on what the disk has.
pub fn reference(world: &World) -> Arc<dyn Protocol> {
    let currency = |index| CurrencySettings {
        symbol: format!("C{index}"),
        rows: vec![
            autotrader::Row {
                drop_permille: 100,
                volume: 1
            };
            ROWS
        ],
        profit_permille: 100,
        permitted: true,
    };
    let settings = Settings {
        currencies: (0..world.currencies).map(currency).collect(),
    };
    let (market, disk) = (Arc::clone(&world.market), Arc::clone(&world.disk));
    Arc::new(Autotrader::restored(
        market,
        disk,
        settings,
        &world.disk.records(),
    ))
}

const CALM: Script = Script::CALM;
const QUIET: Scenario<'static> = Scenario::QUIET;
const FALLING: Script = Script {
    prices: &[Some(FALL)],
    ..CALM
};
const RISING: Script = Script {
    prices: &[Some(RISE)],
    ..CALM
};

const SLOW: Script = Script {
    seconds: &[40],
    ..CALM
};

const RESET: &[&[Call]] = &[&[Call::Reset(C0)]];
const TWO: &[usize] = &[1, 1];
const RESTART: &[&[Call]] = &[&[Call::Stop("loop-1"), Call::Start(1)]];

/// One loop against one reset, from idle.
const LOOP_AND_RESET: Scenario<'static> = Scenario {
    clients: RESET,
    ..QUIET
};
/// The same, when the loop's slow call lasts until the reset has its answer.
const PATIENT: Scenario<'static> = Scenario {
    patient: true,
    ..LOOP_AND_RESET
};
/// Two loops, from idle.
const TWO_LOOPS: Scenario<'static> = Scenario {
    loops: TWO,
    ..QUIET
};
/// One position, and the price falls.
const REBUY: Scenario<'static> = Scenario {
    prelude: &[HOLD],
    script: FALLING,
    ..QUIET
};
/// One position, and the price rises.
const SELL: Scenario<'static> = Scenario {
    prelude: &[HOLD],
    script: RISING,
    ..QUIET
};

const CASE: Case = Case {
    name: "",
    scenario: QUIET,
    finds: &[],
    clean_of: &[],
    loom: Loom::Fits,
    endless: None,
};

use Property as P;
use Sign::{Anything, Code as C, Property as V};

/// The specimens of the autotrader, in the order of their table.
pub const SPECIMENS: &[Row] = &[
    Row {
        specimen: "held_across_api",
        build: |world| Arc::new(Broken(HeldAcrossApi::new(world))),
        cases: &[
            Case {
                name: "loop and reset",
                scenario: LOOP_AND_RESET,
                finds: &[C(Code::SlowUnderLock)],
                clean_of: &[C(Code::Deadlock)],
                ..CASE
            },
            Case {
                name: "the exchange outlasts the reset",
                scenario: PATIENT,
                finds: &[V(P::BoundedReply)],
                ..CASE
            },
        ],
    },
    Row {
        specimen: "timeout_503",
        build: |world| Arc::new(Broken(Timeout503::new(world))),
        cases: &[
            Case {
                name: "loop and reset",
                scenario: LOOP_AND_RESET,
                finds: &[C(Code::SlowUnderLock), V(P::BoundedReply)],
                clean_of: &[C(Code::Deadlock)],
                ..CASE
            },
            Case {
                name: "the exchange outlasts the reset",
                scenario: PATIENT,
                finds: &[V(P::BoundedReply)],
                clean_of: &[C(Code::Deadlock)],
                ..CASE
            },
            Case {
                name: "a client that tries until it is served",
                scenario: Scenario {
                    loops: &[usize::MAX],
                    clients: &[&[Call::ResetUntilDone(C0)]],
                    ..QUIET
                },
                finds: &[C(Code::Starvation)],
                loom: Loom::TooLarge,
                endless: Some(1_000),
                ..CASE
            },
        ],
    },
    Row {
        specimen: "locked_then_release",
        build: |world| Arc::new(Broken(LockedThenRelease::new(world))),
        cases: &[
            Case {
                name: "early exit",
                scenario: Scenario {
                    prelude: &[HOLD],
                    ..LOOP_AND_RESET
                },
                finds: &[
                    C(Code::ForeignRelease),
                    C(Code::DoubleRelease),
                    C(Code::Panic),
                ],
                ..CASE
            },
            Case {
                name: "early exit, then the next pass",
                scenario: Scenario {
                    prelude: &[HOLD],
                    loops: &[2],
                    ..LOOP_AND_RESET
                },
                finds: &[V(P::MutualExclusion)],
                ..CASE
            },
        ],
    },
    Row {
        specimen: "finally_clears_flag",
        build: |world| Arc::new(Broken(FinallyClearsFlag::new(world))),
        cases: &[Case {
            name: "two loops",
            scenario: TWO_LOOPS,
            finds: &[V(P::BoughtOnce), V(P::StartsAndEnds), V(P::NoLostFill)],
            clean_of: &[C(Code::SlowUnderLock), C(Code::Deadlock)],
            ..CASE
        }],
    },
    Row {
        specimen: "info_under_lock",
        build: |world| Arc::new(Broken(InfoUnderLock::new(world))),
        cases: &[Case {
            name: "two currencies, one loop",
            scenario: Scenario {
                currencies: 2,
                ..LOOP_AND_RESET
            },
            finds: &[C(Code::SelfDeadlock), V(P::Isolation)],
            ..CASE
        }],
    },
    Row {
        specimen: "flag_only",
        build: |world| Arc::new(Broken(FlagOnly::new(world))),
        cases: &[
            Case {
                name: "two loops",
                scenario: TWO_LOOPS,
                finds: &[V(P::BoughtOnce)],
                clean_of: &[C(Code::SlowUnderLock)],
                loom: Loom::FindsOnly,
                ..CASE
            },
            Case {
                name: "loop and stats",
                scenario: Scenario {
                    clients: &[&[Call::Stats(C0)]],
                    ..QUIET
                },
                finds: &[V(P::OneInstant)],
                ..CASE
            },
        ],
    },
    Row {
        specimen: "wrong_write_order",
        build: |world| Arc::new(Broken(WrongWriteOrder::new(world))),
        cases: &[Case {
            name: "two loops",
            scenario: TWO_LOOPS,
            finds: &[V(P::BoughtOnce)],
            ..CASE
        }],
    },
    Row {
        specimen: "racy_lock_dict",
        build: |world| Arc::new(Broken(RacyLockDict::new(world))),
        cases: &[Case {
            name: "loop and reset",
            scenario: LOOP_AND_RESET,
            finds: &[V(P::MutualExclusion)],
            clean_of: &[C(Code::Deadlock)],
            ..CASE
        }],
    },
    Row {
        specimen: "cooldown_guard",
        build: |world| Arc::new(Broken(CooldownGuard::new(world))),
        cases: &[Case {
            name: "two loops, a buy takes 15 s",
            scenario: Scenario {
                script: Script {
                    seconds: &[15],
                    ..CALM
                },
                ..TWO_LOOPS
            },
            finds: &[V(P::BoughtOnce), V(P::OneOperation)],
            ..CASE
        }],
    },
    Row {
        specimen: "timeout_clears_flag",
        build: |world| Arc::new(Broken(TimeoutClearsFlag::new(world))),
        cases: &[
            Case {
                name: "a buy takes 40 s",
                scenario: Scenario {
                    script: SLOW,
                    ..TWO_LOOPS
                },
                finds: &[V(P::BoughtOnce), V(P::NoLostFill)],
                clean_of: &[V(P::TokenCleared)],
                ..CASE
            },
            Case {
                name: "a buy takes 40 s, watched at each step",
                scenario: Scenario {
                    script: SLOW,
                    ..TWO_LOOPS
                },
                finds: &[V(P::OwnerClears)],
                loom: Loom::FindsOnly,
                ..CASE
            },
        ],
    },
    Row {
        specimen: "stuck_flag",
        build: |world| Arc::new(Broken(StuckFlag::new(world))),
        cases: &[Case {
            name: "an order that fails",
            scenario: Scenario {
                script: Script {
                    fates: &[Fate::Filled, Fate::Failed],
                    ..CALM
                },
                ..TWO_LOOPS
            },
            finds: &[V(P::TokenCleared)],
            clean_of: &[V(P::BoughtOnce)],
            ..CASE
        }],
    },
    Row {
        specimen: "exception_in_reset",
        build: |world| Arc::new(Broken(ExceptionInReset::new(world))),
        cases: &[Case {
            name: "reset of a position",
            scenario: Scenario {
                prelude: &[HOLD],
                ..LOOP_AND_RESET
            },
            finds: &[V(P::ResetIsWhole), V(P::CurrentEpoch)],
            ..CASE
        }],
    },
    Row {
        specimen: "lost_reset",
        build: |world| Arc::new(Broken(LostReset::new(world))),
        cases: &[Case {
            name: "loop and reset",
            scenario: LOOP_AND_RESET,
            finds: &[V(P::ResetWins), V(P::PauseIsTheUsers)],
            clean_of: &[
                C(Code::Deadlock),
                C(Code::DoubleRelease),
                C(Code::SlowUnderLock),
            ],
            ..CASE
        }],
    },
    Row {
        specimen: "pause_not_rechecked",
        build: |world| Arc::new(Broken(PauseNotRechecked::new(world))),
        cases: &[Case {
            name: "loop and reset",
            scenario: LOOP_AND_RESET,
            finds: &[V(P::NoOrderAfterReset)],
            ..CASE
        }],
    },
    Row {
        specimen: "order_after_reset",
        build: |world| Arc::new(Broken(OrderAfterReset::new(world))),
        cases: &[Case {
            name: "rebuy and reset",
            scenario: Scenario {
                clients: RESET,
                ..REBUY
            },
            finds: &[V(P::NoOrderAfterReset)],
            ..CASE
        }],
    },
    Row {
        specimen: "stale_commit",
        build: |world| Arc::new(Broken(StaleCommit::new(world))),
        cases: &[
            Case {
                name: "rebuy and reset",
                scenario: Scenario {
                    clients: RESET,
                    ..REBUY
                },
                finds: &[V(P::Structure)],
                ..CASE
            },
            Case {
                name: "a second loop begins the next cycle",
                scenario: Scenario {
                    loops: TWO,
                    clients: &[&[Call::Reset(C0), Call::Resume(C0)]],
                    ..REBUY
                },
                finds: &[V(P::CurrentEpoch)],
                loom: Loom::TooLarge,
                ..CASE
            },
        ],
    },
    Row {
        specimen: "sell_commit_after_reset",
        build: |world| Arc::new(Broken(SellCommitAfterReset::new(world))),
        cases: &[Case {
            name: "sale and reset",
            scenario: Scenario {
                clients: RESET,
                ..SELL
            },
            finds: &[V(P::PauseIsTheUsers), V(P::HonestProfit)],
            ..CASE
        }],
    },
    Row {
        specimen: "clear_flag_self_deadlock",
        build: |world| Arc::new(Broken(ClearFlagSelfDeadlock::new(world))),
        cases: &[
            Case {
                name: "one loop",
                scenario: Scenario {
                    loops: &[2],
                    ..REBUY
                },
                clean_of: &[C(Code::SelfDeadlock)],
                ..CASE
            },
            Case {
                name: "two loops",
                scenario: Scenario {
                    loops: TWO,
                    ..REBUY
                },
                finds: &[C(Code::SelfDeadlock)],
                ..CASE
            },
        ],
    },
    Row {
        specimen: "two_loops",
        build: |world| Arc::new(Broken(TwoLoops::new(world))),
        cases: &[
            Case {
                name: "restart during a sale",
                scenario: Scenario {
                    clients: RESTART,
                    ..SELL
                },
                finds: &[V(P::StopIsPrompt), V(P::SoldOnce)],
                ..CASE
            },
            Case {
                name: "restart between two passes",
                scenario: Scenario {
                    clients: RESTART,
                    ..SELL
                },
                finds: &[V(P::OneLoop)],
                loom: Loom::FindsOnly,
                ..CASE
            },
            Case {
                name: "restart during a rebuy",
                scenario: Scenario {
                    clients: RESTART,
                    ..REBUY
                },
                finds: &[V(P::BoughtOnce)],
                ..CASE
            },
        ],
    },
    Row {
        specimen: "split_test_and_set",
        build: |world| Arc::new(Broken(SplitTestAndSet::new(world))),
        cases: &[
            Case {
                name: "one loop sells",
                scenario: Scenario {
                    loops: &[2],
                    ..SELL
                },
                clean_of: &[Anything],
                ..CASE
            },
            Case {
                name: "one loop rebuys",
                scenario: Scenario {
                    loops: &[2],
                    ..REBUY
                },
                clean_of: &[Anything],
                ..CASE
            },
            Case {
                name: "two loops sell",
                scenario: Scenario { loops: TWO, ..SELL },
                finds: &[V(P::SoldOnce)],
                ..CASE
            },
            Case {
                name: "two loops rebuy",
                scenario: Scenario {
                    loops: TWO,
                    ..REBUY
                },
                finds: &[V(P::BoughtOnce)],
                ..CASE
            },
        ],
    },
    Row {
        specimen: "timeout_means_no",
        build: |world| Arc::new(Broken(TimeoutMeansNo::new(world))),
        cases: &[Case {
            name: "the reply is lost",
            scenario: Scenario {
                loops: &[2],
                script: Script {
                    fates: &[Fate::Filled, Fate::FilledReplyLost],
                    ..CALM
                },
                ..QUIET
            },
            finds: &[
                V(P::BoughtOnce),
                V(P::UnknownIsNotNo),
                V(P::UnknownResolves),
            ],
            clean_of: &[C(Code::Deadlock)],
            ..CASE
        }],
    },
    Row {
        specimen: "fail_open_guard",
        build: |world| Arc::new(Broken(FailOpenGuard::new(world))),
        cases: &[
            Case {
                name: "the reply is lost, then the balance fails",
                scenario: Scenario {
                    loops: &[2],
                    script: Script {
                        fates: &[Fate::FilledReplyLost],
                        balances: &[Balance::True, Balance::Failed],
                        ..CALM
                    },
                    ..QUIET
                },
                finds: &[V(P::BoughtOnce), V(P::FailClosed)],
                ..CASE
            },
            Case {
                name: "the reply is lost, the balance is right",
                scenario: Scenario {
                    loops: &[2],
                    script: Script {
                        fates: &[Fate::FilledReplyLost],
                        ..CALM
                    },
                    ..QUIET
                },
                clean_of: &[V(P::BoughtOnce), V(P::FailClosed)],
                ..CASE
            },
        ],
    },
    Row {
        specimen: "torn_state_file",
        build: |world| Arc::new(Broken(TornStateFile::new(world))),
        cases: &[Case {
            name: "crash while the file is written",
            scenario: Scenario {
                currencies: 2,
                prelude: &[HOLD],
                loops: &[],
                clients: &[&[Call::Resume(C0)]],
                faults: Faults::Crashing,
                watched: false,
                ..QUIET
            },
            finds: &[V(P::Durable)],
            ..CASE
        }],
    },
];

/// Each property, with a specimen that violates it: no proof of the reference is vacuous.
///
/// The names are those of the protocol's specification; the properties of locks themselves are
/// found by the detectors, by code. `customers_orders` and `fn1_calls_fn2` are the seed programs.
pub const PROPERTIES: &[(&str, Sign, &str)] = &[
    ("mutual exclusion", V(P::MutualExclusion), "racy_lock_dict"),
    (
        "owner release",
        C(Code::ForeignRelease),
        "locked_then_release",
    ),
    (
        "every acquire released exactly once",
        C(Code::DoubleRelease),
        "locked_then_release",
    ),
    ("no self-acquire", C(Code::SelfDeadlock), "info_under_lock"),
    ("lock order acyclic", C(Code::Deadlock), "customers_orders"),
    (
        "no slow call under L[c]",
        C(Code::SlowUnderLock),
        "held_across_api",
    ),
    (
        "one operation in flight per currency",
        V(P::OneOperation),
        "cooldown_guard",
    ),
    (
        "only the owner clears its token",
        V(P::OwnerClears),
        "timeout_clears_flag",
    ),
    (
        "commit only with the current epoch",
        V(P::CurrentEpoch),
        "stale_commit",
    ),
    ("reset wins: idle and paused", V(P::ResetWins), "lost_reset"),
    (
        "reset wins: no new order",
        V(P::NoOrderAfterReset),
        "pause_not_rechecked",
    ),
    (
        "reset wins: all or nothing",
        V(P::ResetIsWhole),
        "exception_in_reset",
    ),
    (
        "pause is the user's",
        V(P::PauseIsTheUsers),
        "sell_commit_after_reset",
    ),
    ("no lost fill", V(P::NoLostFill), "timeout_clears_flag"),
    (
        "starts <= ends + 1",
        V(P::StartsAndEnds),
        "finally_clears_flag",
    ),
    (
        "each (cycle, step) bought at most once",
        V(P::BoughtOnce),
        "flag_only",
    ),
    (
        "sold <= bought in that cycle",
        V(P::SoldOnce),
        "split_test_and_set",
    ),
    (
        "unknown is not no",
        V(P::UnknownIsNotNo),
        "timeout_means_no",
    ),
    ("guards fail closed", V(P::FailClosed), "fail_open_guard"),
    ("structure", V(P::Structure), "stale_commit"),
    (
        "snapshots are of one instant",
        V(P::OneInstant),
        "flag_only",
    ),
    (
        "currencies are isolated",
        V(P::Isolation),
        "info_under_lock",
    ),
    ("one loop", V(P::OneLoop), "two_loops"),
    (
        "profit is what was earned",
        V(P::HonestProfit),
        "sell_commit_after_reset",
    ),
    ("an ok is durable", V(P::Durable), "torn_state_file"),
    ("bounded reply", V(P::BoundedReply), "timeout_503"),
    ("deadlock-freedom", C(Code::Deadlock), "customers_orders"),
    (
        "every acquire is released",
        C(Code::SelfDeadlock),
        "fn1_calls_fn2",
    ),
    ("no starvation", C(Code::Starvation), "timeout_503"),
    ("a set token is cleared", V(P::TokenCleared), "stuck_flag"),
    (
        "unknown resolves",
        V(P::UnknownResolves),
        "timeout_means_no",
    ),
    ("stop is prompt", V(P::StopIsPrompt), "two_loops"),
    (
        "a hung call does not stop the others",
        V(P::Isolation),
        "info_under_lock",
    ),
];
