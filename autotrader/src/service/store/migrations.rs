//! How a database of an earlier version becomes one of this version.
//!
//! Knows what each version looked like, as far as the next one needs it. Does not know what the
//! program does with the tables.

use rusqlite::{Connection, Transaction, params};
use serde::Serialize;

use super::Refused;
use super::tables::{book_checksum, crc, orphan_checksum, read_orphans};
use crate::{Book, Currency, Cycle, CycleId, Epoch, Money, OpId, Orphan, Position};

/// One step from a version to the next, whole or not at all.
#[derive(Clone, Copy)]
pub(super) struct Migration {
    pub(super) tables: &'static str,
    /// What SQL cannot do, after that.
    pub(super) fill: fn(&Transaction<'_>) -> Result<(), Refused>,
}

/// Each is applied once, in order; the number of those applied is the file's `user_version`.
pub(super) const MIGRATIONS: &[Migration] = &[
    Migration {
        tables: include_str!("001_tables.sql"),
        fill: |_| Ok(()),
    },
    Migration {
        tables: include_str!("002_orphan_sums.sql"),
        fill: sum_orphans,
    },
];

/// Applies the migrations that the file has not seen.
pub(super) fn migrate(
    connection: &mut Connection,
    migrations: &[Migration],
) -> Result<(), Refused> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    let Some(missing) = migrations.get(done..) else {
        let known = migrations.len();
        return Err(Refused::Unusable(format!(
            "its version is {version}, and this program knows versions up to {known}: use a newer \
             program"
        )));
    };
    for (index, migration) in missing.iter().enumerate() {
        let transaction = connection.transaction()?;
        transaction.execute_batch(migration.tables)?;
        (migration.fill)(&transaction)?;
        transaction.pragma_update(None, "user_version", (done + index + 1) as i64)?;
        transaction.commit()?;
    }
    Ok(())
}

/// A book of version 1, in the order in which its checksum was made.
#[derive(Serialize)]
struct Book1 {
    version: u64,
    epoch: Epoch,
    paused: bool,
    cycle: Cycle,
    cycle_id: CycleId,
    op_settled: OpId,
    profit: Money,
    orphans: Vec<Orphan>,
}

/// Version 2: checks the checksums of version 1, of a book with all its orphans, and writes those
/// of version 2.
fn sum_orphans(transaction: &Transaction<'_>) -> Result<(), Refused> {
    let mut statement = transaction.prepare(
        "SELECT currency, version, epoch, paused, cycle, op_settled, profit, step, volume, cost,
         price_last, checksum, orphaned FROM book",
    )?;
    let books = statement.query_map([], |row| {
        let position = match row.get(7)? {
            None => Cycle::Idle,
            Some(step) => Cycle::Active(Position {
                step,
                volume: row.get(8)?,
                cost: row.get(9)?,
                price_last: row.get(10)?,
            }),
        };
        let book = Book1 {
            version: row.get(1)?,
            epoch: Epoch(row.get(2)?),
            paused: row.get(3)?,
            cycle: position,
            cycle_id: CycleId(row.get(4)?),
            op_settled: OpId(row.get(5)?),
            profit: row.get(6)?,
            orphans: Vec::new(),
        };
        Ok((row.get(0)?, book, row.get(11)?, row.get(12)?))
    })?;
    let books: Vec<(usize, Book1, u32, i64)> = books.collect::<Result<_, _>>()?;
    for (number, mut book, expected, orphaned) in books {
        book.orphans = read_orphans(transaction, Currency(number), None)?;
        if crc(&book)? != expected {
            let why = format!("the book of currency {number} does not have its checksum");
            return Err(Refused::Corrupt(why));
        }
        for (place, orphan) in book.orphans.iter().enumerate() {
            let checksum = orphan_checksum(place as u64, orphan)?;
            let update = "UPDATE orphan SET checksum = ?3 WHERE currency = ?1 AND place = ?2";
            transaction.execute(update, params![number, place, checksum])?;
        }
        let book = Book {
            version: book.version,
            epoch: book.epoch,
            paused: book.paused,
            cycle: book.cycle,
            cycle_id: book.cycle_id,
            op_settled: book.op_settled,
            profit: book.profit,
            orphaned,
            orphans_count: book.orphans.len() as u64,
            orphans: Vec::new(),
        };
        let update = "UPDATE book SET checksum = ?2 WHERE currency = ?1";
        transaction.execute(update, params![number, book_checksum(&book)?])?;
    }
    Ok(())
}
