//! What must hold, by name.
//!
//! Knows the properties and who is judging which. Does not know how one is observed: the
//! environment and the scenarios ask [`Judge::demand`] where they see something.

/// A property of an autotrader, beyond what the detectors find by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Property {
    /// One thread in a critical section of a currency.
    MutualExclusion,
    /// One operation in flight per currency.
    OneOperation,
    /// Only the owner clears its token.
    OwnerClears,
    /// A commit only with the current epoch.
    CurrentEpoch,
    /// After a reset has answered and until a resume: idle and paused.
    ResetWins,
    /// After a reset has answered and until a resume: no new order.
    NoOrderAfterReset,
    /// A reset is applied whole or not at all.
    ResetIsWhole,
    /// Only a reset sets the pause, only a resume clears it.
    PauseIsTheUsers,
    /// Bought − sold = position + orphans.
    NoLostFill,
    /// Cycles started ≤ cycles ended + 1.
    StartsAndEnds,
    /// Each (cycle, step) is bought at most once.
    BoughtOnce,
    /// Sold ≤ bought, in each cycle.
    SoldOnce,
    /// No order is submitted while the fate of another is unknown.
    UnknownIsNotNo,
    /// No order is submitted on a check that failed.
    FailClosed,
    /// Idle: no position. Active: a row that exists, and coins.
    Structure,
    /// What stats shows is of one instant.
    OneInstant,
    /// Trouble with one currency does not stop another.
    Isolation,
    /// There is one loop; an old one ends.
    OneLoop,
    /// Once a stop has answered, the old loop submits nothing.
    StopIsPrompt,
    /// Profit is not more than what was earned.
    HonestProfit,
    /// What was answered "ok" survives a crash.
    Durable,
    /// Reset, resume and stats never wait for a slow call, and never say 503.
    BoundedReply,
    /// A token that was set is cleared.
    TokenCleared,
    /// The fate of an unknown order is learnt.
    UnknownResolves,
}

use Property as P;

impl Property {
    /// All, with the names that findings carry.
    pub const ALL: &[(Property, &'static str)] = &[
        (P::MutualExclusion, "mutual exclusion"),
        (P::OneOperation, "one operation in flight"),
        (P::OwnerClears, "only the owner clears its token"),
        (P::CurrentEpoch, "commit only with the current epoch"),
        (P::ResetWins, "reset wins"),
        (P::NoOrderAfterReset, "no order after a reset"),
        (P::ResetIsWhole, "reset is whole"),
        (P::PauseIsTheUsers, "pause is the user's"),
        (P::NoLostFill, "no lost fill"),
        (P::StartsAndEnds, "starts <= ends + 1"),
        (P::BoughtOnce, "each step bought at most once"),
        (P::SoldOnce, "sold <= bought"),
        (P::UnknownIsNotNo, "unknown is not no"),
        (P::FailClosed, "guards fail closed"),
        (P::Structure, "structure"),
        (P::OneInstant, "snapshots are of one instant"),
        (P::Isolation, "currencies are isolated"),
        (P::OneLoop, "one loop"),
        (P::StopIsPrompt, "stop is prompt"),
        (P::HonestProfit, "profit is what was earned"),
        (P::Durable, "an ok is durable"),
        (P::BoundedReply, "bounded reply"),
        (P::TokenCleared, "a set token is cleared"),
        (P::UnknownResolves, "unknown resolves"),
    ];

    /// The name that findings carry.
    pub fn name(self) -> &'static str {
        let found = Property::ALL.iter().find(|(property, _)| *property == self);
        found.expect("every property is in the table").1
    }
}

/// Which properties an execution is judged by.
///
/// A violated property ends the execution, and hides what another would have found later. So the
/// specimens are judged by one property at a time, the reference by all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judge {
    /// By none: only the detectors look.
    Detectors,
    /// By one.
    By(Property),
    /// By some.
    These(&'static [Property]),
    /// By all.
    All,
}

impl Judge {
    /// Whether this property is looked at.
    pub fn asks(self, property: Property) -> bool {
        match self {
            Judge::Detectors => false,
            Judge::By(only) => only == property,
            Judge::These(some) => some.contains(&property),
            Judge::All => true,
        }
    }

    /// Fails the execution when the property is judged and does not hold.
    #[track_caller]
    pub fn demand(self, property: Property, holds: bool, what: &str) {
        if self.asks(property) {
            assert!(holds, "{}: {what}", property.name());
        }
    }
}
