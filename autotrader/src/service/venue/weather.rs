//! How the simulated exchange behaves: late, refusing, failing, silent.
//!
//! Knows how often what goes wrong, drawn from a seed. Does not know orders.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rand_core::RngCore;
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};

use super::Match;

/// A profile of behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weather {
    /// Everything goes well, at once.
    Calm,
    /// Answers within 5 ms; now and then an order is rejected.
    Fast,
    /// The answer to an order takes 3 s, and so does one look of four.
    Slow3,
    /// The same with 15 s.
    Slow15,
    /// One call of four is never answered.
    Hanging,
    /// Rejections, errors, lost requests, lost replies, partial fills, stale balances.
    Lossy,
}

impl Weather {
    /// All that an acceptance goes through, in this order.
    pub const TESTED: [Weather; 5] = [
        Weather::Fast,
        Weather::Slow3,
        Weather::Slow15,
        Weather::Hanging,
        Weather::Lossy,
    ];

    /// Its name in configurations and tables.
    pub fn name(self) -> &'static str {
        match self {
            Weather::Calm => "calm",
            Weather::Fast => "fast",
            Weather::Slow3 => "slow3",
            Weather::Slow15 => "slow15",
            Weather::Hanging => "hanging",
            Weather::Lossy => "lossy",
        }
    }
}

impl fmt::Display for Weather {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Weather {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let all = [Weather::Calm].into_iter().chain(Weather::TESTED);
        let names: Vec<_> = all.clone().map(Weather::name).collect();
        let found = all.into_iter().find(|weather| weather.name() == name);
        found.ok_or_else(|| format!("`{name}` is none of {}", names.join(", ")))
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// A price, a balance, a query, a cancel.
    Look,
    /// An order.
    Place,
}

/// How one call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How long it takes, half before and half after it takes effect.
    pub delay: Duration,
    /// Whether it takes effect.
    pub arrives: bool,
    /// Whether and how it is answered.
    pub answer: Answer,
    /// What happens to an order.
    pub matching: Match,
    /// Whether a balance is the one before the last trade.
    pub stale: bool,
}

/// Whether and how a call is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// As it should be.
    True,
    /// With an error that says nothing.
    Error,
    /// Never.
    Never,
}

/// How often what happens, in thousandths.
struct Odds {
    delay_ms: (u64, u64),
    /// Looks that do not take that long, but [`QUICK_MS`].
    quick_look: u32,
    reject: u32,
    rest: u32,
    part: u32,
    error: u32,
    lost_request: u32,
    never: u32,
    stale: u32,
}

/// A quick answer of an exchange that is slow at other times.
const QUICK_MS: (u64, u64) = (0, 50);

impl Odds {
    const CALM: Odds = Odds {
        delay_ms: (0, 1),
        quick_look: 0,
        reject: 0,
        rest: 0,
        part: 0,
        error: 0,
        lost_request: 0,
        never: 0,
        stale: 0,
    };
}

impl Weather {
    fn odds(self) -> Odds {
        let slow = |ms: u64| Odds {
            delay_ms: (ms - 100, ms + 1),
            // If all looks were slow, clients that reset every second would let no order out.
            quick_look: 750,
            reject: 50,
            stale: 100,
            ..Odds::CALM
        };
        match self {
            Weather::Calm => Odds::CALM,
            Weather::Fast => Odds {
                delay_ms: (0, 6),
                reject: 20,
                ..Odds::CALM
            },
            Weather::Slow3 => slow(3_000),
            Weather::Slow15 => slow(15_000),
            Weather::Hanging => Odds {
                delay_ms: (0, 50),
                never: 250,
                lost_request: 100,
                ..Odds::CALM
            },
            Weather::Lossy => Odds {
                delay_ms: (0, 40),
                quick_look: 0,
                reject: 100,
                rest: 100,
                part: 200,
                error: 150,
                lost_request: 100,
                never: 0,
                stale: 200,
            },
        }
    }

    pub(super) fn plan(self, call: Call, random: &mut Pcg64Mcg) -> Plan {
        let odds = self.odds();
        let mut happens = |permille: u32| random.next_u32() % 1000 < permille;
        let quick = call == Call::Look && happens(odds.quick_look);
        let (from, to) = if quick { QUICK_MS } else { odds.delay_ms };
        let lost = call == Call::Place && happens(odds.lost_request);
        let answer = if happens(odds.never) {
            Answer::Never
        } else if lost || happens(odds.error) {
            Answer::Error
        } else {
            Answer::True
        };
        let matching = if happens(odds.reject) {
            Match::Reject
        } else if happens(odds.rest) {
            Match::Rest
        } else if happens(odds.part) {
            Match::Part
        } else {
            Match::Whole
        };
        let stale = happens(odds.stale);
        let delay = from + u64::from(random.next_u32()) % (to - from);
        Plan {
            delay: Duration::from_millis(delay),
            // A call without effect is answered by an error at best.
            arrives: !lost,
            answer,
            matching,
            stale,
        }
    }
}
