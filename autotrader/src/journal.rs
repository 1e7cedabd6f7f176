//! What survives a restart.
//!
//! Knows what a record contains and how the state is put together again from the records that
//! reached the disk. Does not know the disk: the service brings an implementation.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cycle::Book;
use crate::exchange::Order;
use crate::protocol::Token;
use crate::units::Currency;

/// One record: everything about one currency at one moment.
///
/// Records may reach the disk in another order than they were made in: the version of the book
/// decides, not the place in the file. So no lock is needed to order the writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The currency.
    pub currency: Currency,
    /// Its book.
    pub book: Book,
    /// An order that is about to be submitted.
    pub intent: Option<Intent>,
}

/// An order that may have been submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The operation.
    pub token: Token,
    /// Its order.
    pub order: Order,
}

/// A record that could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotDurable;

impl fmt::Display for NotDurable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the journal could not be written")
    }
}

impl std::error::Error for NotDurable {}

/// A log of [`Record`]s.
///
/// An implementation may drop a record once a later version of the same currency is durable,
/// unless its intent is still open there (operation above `op_settled`). The orphan ledger is what
/// all records say together: a book carries its latest entries only, which are those up to its
/// `orphans_count`, and each entry is in some record until one that has it is durable.
pub trait Journal: Send + Sync {
    /// Slow: writes a record. After a crash it is there whole or not at all; when this returns it
    /// is there.
    ///
    /// # Errors
    /// When it may not be there.
    fn append(&self, record: &Record) -> Result<(), NotDurable>;
}

impl<J: Journal + ?Sized> Journal for std::sync::Arc<J> {
    fn append(&self, record: &Record) -> Result<(), NotDurable> {
        (**self).append(record)
    }
}

/// A journal that keeps nothing, for a trader that need not survive.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoJournal;

impl Journal for NoJournal {
    fn append(&self, _record: &Record) -> Result<(), NotDurable> {
        Ok(())
    }
}

/// What the records say about one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// The newest book.
    pub book: Book,
    /// The order of which it is not known whether it was submitted. There is one at most: an
    /// operation begins only when the one before is in the book, and its intent carries that book.
    pub pending: Option<Intent>,
}

/// Puts the state together from all records that can be read, in any order.
pub fn recover<'a>(records: impl IntoIterator<Item = &'a Record>) -> BTreeMap<Currency, Recovered> {
    let mut books: BTreeMap<Currency, Recovered> = BTreeMap::new();
    let mut intents = Vec::new();
    for record in records {
        let found = books.entry(record.currency).or_default();
        if record.book.version >= found.book.version {
            found.book = record.book.clone();
        }
        intents.extend(record.intent);
    }
    for intent in intents {
        let found = books.entry(intent.order.id.currency).or_default();
        if intent.token.op > found.book.op_settled {
            found.pending = Some(intent);
        }
    }
    for found in books.values_mut() {
        found.book.archive();
    }
    books
}
