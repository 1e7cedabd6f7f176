//! What the users of the API know: which reset has answered and not been undone.
//!
//! Knows the answers that clients got, and which loops a stop has ended. Does not know the program
//! that gave them.

use std::collections::BTreeSet;

use autotrader::{Currency, Lease};
use gordian::{Ghost, Named};

use crate::properties::{Judge, Property as P};

/// The properties for which answers must be remembered.
const REMEMBERED: &[P] =
    &[P::ResetWins, P::NoOrderAfterReset, P::PauseIsTheUsers, P::Durable];

/// What clients were told, by currency. Ghosts: each access is one step.
#[derive(Debug)]
pub struct Desk {
    remembers: bool,
    /// Whether a resume may overlap a reset: then the two must be told apart.
    overlaps: bool,
    standing: Vec<Ghost<Standing>>,
    watches_stops: bool,
    stopped: Ghost<BTreeSet<String>>,
    watches_leases: bool,
    over: Ghost<BTreeSet<Lease>>,
}

/// One currency's answers.
#[derive(Debug, Default)]
struct Standing {
    /// A reset has answered "ok", and no resume was requested since or overlapped with it.
    reset: bool,
    /// Number of resumes requested.
    resumes: u64,
    /// Number of resumes requested and not answered.
    resuming: u64,
}

/// What a client knows when it asks for a reset.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    resumes: u64,
    resuming: bool,
}

impl Desk {
    /// Nobody has asked anything yet.
    pub fn new(judge: Judge, currencies: usize, overlaps: bool, watches_stops: bool) -> Self {
        let standing =
            |index| Ghost::new(Standing::default()).named(format!("answers {index}"));
        Desk {
            remembers: REMEMBERED.iter().any(|property| judge.asks(*property)),
            overlaps,
            standing: (0..currencies).map(standing).collect(),
            watches_stops: watches_stops && judge.asks(P::StopIsPrompt),
            stopped: Ghost::new(BTreeSet::new()).named("stopped loops"),
            watches_leases: watches_stops && judge.asks(P::OneLoop),
            over: Ghost::new(BTreeSet::new()).named("ended leases"),
        }
    }

    /// A client asks for a reset.
    pub fn reset_begins(&self, currency: Currency) -> Mark {
        if !self.remembers || !self.overlaps {
            return Mark { resumes: 0, resuming: false };
        }
        self.standing[currency.0].read(|standing| Mark {
            resumes: standing.resumes,
            resuming: standing.resuming > 0,
        })
    }

    /// The reset answered "ok". A resume that overlapped it may have come after it.
    pub fn reset_answered(&self, currency: Currency, mark: Mark) {
        if self.remembers {
            let overlaps = self.overlaps;
            self.standing[currency.0].write(|standing| {
                let overlapped = mark.resuming || standing.resumes != mark.resumes;
                standing.reset = !(overlaps && overlapped);
            });
        }
    }

    /// A client asks for a resume: from here on the pause may end.
    pub fn resume_begins(&self, currency: Currency) {
        if self.remembers {
            self.standing[currency.0].write(|standing| {
                standing.reset = false;
                standing.resumes += 1;
                standing.resuming += 1;
            });
        }
    }

    /// The resume was answered.
    pub fn resume_answered(&self, currency: Currency) {
        if self.remembers && self.overlaps {
            self.standing[currency.0].write(|standing| standing.resuming -= 1);
        }
    }

    /// Whether a reset has been answered and not been undone.
    pub fn is_reset(&self, currency: Currency) -> bool {
        self.standing[currency.0].read(|standing| standing.reset)
    }

    /// A stop has answered: the loop with this thread name and this lease is over.
    pub fn stopped(&self, thread: &str, lease: Lease) {
        if self.watches_stops {
            self.stopped.write(|stopped| stopped.insert(thread.to_owned()));
        }
        if self.watches_leases {
            self.over.write(|over| over.insert(lease));
        }
    }

    /// Whether a stop has answered that ended this lease.
    pub fn is_over(&self, lease: Lease) -> bool {
        self.watches_leases && self.over.read(|over| over.contains(&lease))
    }

    /// Judges an order that is submitted now.
    #[track_caller]
    pub fn judge_order(&self, judge: Judge, currency: Currency) {
        if judge.asks(P::NoOrderAfterReset) {
            let what = "an order was submitted after a reset was acknowledged";
            judge.demand(P::NoOrderAfterReset, !self.is_reset(currency), what);
        }
        if self.watches_stops {
            let thread = gordian::thread::current().name().unwrap_or("main").to_owned();
            let over = self.stopped.read(|stopped| stopped.contains(&thread));
            judge.demand(P::StopIsPrompt, !over, "an order of a loop that was stopped");
        }
    }
}
