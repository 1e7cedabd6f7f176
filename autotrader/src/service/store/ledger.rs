//! The latest entries of the orphan ledgers, for those who look.
//!
//! Knows what the database has of them, up to a bound for each currency. All of them are there;
//! the core has those that may not be there yet.

use std::collections::BTreeMap;

use gordian::sync::Mutex;

use crate::{Book, Currency, Orphan};

/// Entries that are kept for each currency.
pub const LATEST_MAX: usize = 50;

/// By currency, then by place.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<BTreeMap<Currency, BTreeMap<u64, Orphan>>>);

impl Ledger {
    /// Notes the entries that a durable book has in memory.
    pub(super) fn note(&self, currency: Currency, book: &Book) {
        if !book.orphans.is_empty() {
            self.extend(currency, book.orphans_archived(), &book.orphans);
        }
    }

    /// Notes entries from this place on.
    pub(super) fn extend(&self, currency: Currency, first: u64, orphans: &[Orphan]) {
        let mut ledger = self.0.lock();
        let entries = ledger.entry(currency).or_default();
        entries.extend((first..).zip(orphans.iter().copied()));
        while entries.len() > LATEST_MAX {
            entries.pop_first();
        }
    }

    /// The latest entries before this place, the earliest first.
    pub fn before(&self, currency: Currency, place: u64) -> Vec<Orphan> {
        let ledger = self.0.lock();
        let entries = ledger.get(&currency).map(|entries| entries.range(..place));
        entries
            .into_iter()
            .flatten()
            .map(|(_, orphan)| *orphan)
            .collect()
    }
}
