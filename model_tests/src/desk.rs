//! What the users of the API know: which reset has answered and not been undone.
//!
//! Knows the answers that clients got, and which loops a stop has ended. Does not know the program
//! that gave them.

use std::collections::BTreeSet;

use autotrader::{Currency, Lease};
use gordian::{Ghost, Named};

use crate::properties::{Judge, Property as P};

/// The properties for which answers must be remembered.
const REMEMBERED: &[P] = &[
    P::ResetWins,
    P::NoOrderAfterReset,
    P::PauseIsTheUsers,
    P::Durable,
];

/// What clients were told. Ghosts: each access is one step, so each client has its own.
#[derive(Debug)]
pub struct Desk {
    remembers: bool,
    /// By currency, then by client.
    notes: Vec<Vec<Note>>,
    watches_stops: bool,
    stopped: Ghost<BTreeSet<String>>,
    watches_leases: bool,
    over: Ghost<BTreeSet<Lease>>,
}

/// One client's dealings with one currency.
#[derive(Debug)]
struct Note {
    told: Ghost<Told>,
    resumed: Ghost<Resumed>,
}

#[derive(Debug, Default)]
struct Told {
    /// Its reset has answered "ok", and it has not asked for a resume since.
    reset: Option<Mark>,
    /// Number of resumes that it has asked for.
    resumes: u64,
}

#[derive(Debug, Default)]
struct Resumed {
    /// Number of the client's resumes that were answered.
    answered: u64,
    /// The last answer was "ok", and the client has not asked for a reset since.
    stands: bool,
}

/// What there was when a client asked for a reset: the number of resumes that each client had asked
/// for. None when one of them was not answered yet: it may come after the reset.
#[derive(Clone, Debug)]
pub struct Mark(Option<Vec<u64>>);

impl Desk {
    /// Nobody has asked anything yet.
    pub fn new(judge: Judge, currencies: usize, clients: usize, watches_stops: bool) -> Self {
        let note = |client| Note {
            told: Ghost::new(Told::default()).named(format!("client-{} was told", client + 1)),
            resumed: Ghost::new(Resumed::default()).named(format!("client-{} resumed", client + 1)),
        };
        Desk {
            remembers: REMEMBERED.iter().any(|property| judge.asks(*property)),
            notes: (0..currencies)
                .map(|_| (0..clients).map(note).collect())
                .collect(),
            watches_stops: watches_stops && judge.asks(P::StopIsPrompt),
            stopped: Ghost::new(BTreeSet::new()).named("stopped loops"),
            watches_leases: watches_stops && judge.asks(P::OneLoop),
            over: Ghost::new(BTreeSet::new()).named("ended leases"),
        }
    }

    /// A client asks for a reset.
    pub fn reset_begins(&self, currency: Currency, client: usize) -> Mark {
        if !self.remembers {
            return Mark(None);
        }
        self.notes[currency.0][client]
            .resumed
            .write(|resumed| resumed.stands = false);
        let mut resumes = Vec::new();
        for (index, note) in self.notes[currency.0].iter().enumerate() {
            if index == client {
                resumes.push(0);
                continue;
            }
            let answered = note.resumed.read(|resumed| resumed.answered);
            let asked = note.told.read(|told| told.resumes);
            if asked != answered {
                return Mark(None);
            }
            resumes.push(asked);
        }
        Mark(Some(resumes))
    }

    /// The reset answered "ok".
    pub fn reset_answered(&self, currency: Currency, client: usize, mark: Mark) {
        if self.remembers {
            self.notes[currency.0][client]
                .told
                .write(|told| told.reset = Some(mark));
        }
    }

    /// A client asks for a resume: from here on the pause may end.
    pub fn resume_begins(&self, currency: Currency, client: usize) {
        if self.remembers {
            self.notes[currency.0][client].told.write(|told| {
                told.reset = None;
                told.resumes += 1;
            });
        }
    }

    /// The resume was answered; whether with "ok", by a process that had not died.
    pub fn resume_answered(&self, currency: Currency, client: usize, done: bool) {
        if self.remembers {
            self.notes[currency.0][client].resumed.write(|resumed| {
                resumed.answered += 1;
                resumed.stands = done;
            });
        }
    }

    /// Whether the only client was told that the pause has ended, and has asked for no reset since.
    pub fn is_resumed(&self, currency: Currency) -> bool {
        match self.notes[currency.0].as_slice() {
            [note] => note.resumed.read(|resumed| resumed.stands),
            _ => false,
        }
    }

    /// Whether a client's reset has been answered, and no client has asked for a resume since that
    /// client asked for the reset.
    pub fn is_reset(&self, currency: Currency) -> bool {
        let notes = &self.notes[currency.0];
        let told = |note: &Note| note.told.read(|told| (told.reset.clone(), told.resumes));
        let told: Vec<_> = notes.iter().map(told).collect();
        told.iter().enumerate().any(|(client, (reset, _))| {
            let Some(Mark(Some(mark))) = reset else {
                return false;
            };
            let others = told
                .iter()
                .zip(mark)
                .enumerate()
                .filter(|(index, _)| *index != client);
            others
                .into_iter()
                .all(|(_, ((_, resumes), marked))| resumes == marked)
        })
    }

    /// A stop has answered: the loop with this thread name and this lease is over.
    pub fn stopped(&self, thread: &str, lease: Lease) {
        if self.watches_stops {
            self.stopped
                .write(|stopped| stopped.insert(thread.to_owned()));
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
            let thread = gordian::thread::current()
                .name()
                .unwrap_or("main")
                .to_owned();
            let over = self.stopped.read(|stopped| stopped.contains(&thread));
            judge.demand(
                P::StopIsPrompt,
                !over,
                "an order of a loop that was stopped",
            );
        }
    }
}
