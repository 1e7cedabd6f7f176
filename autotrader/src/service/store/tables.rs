//! What a record says, in tables.
//!
//! Knows each column. Does not know files, threads or who writes when.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::Serialize;

use super::{LATEST_MAX, Ledger, Loaded, Refused};
use crate::service::adapter::Expiries;
use crate::service::clock::now_us;
use crate::{
    Book, ClientOrderId, Currency, Cycle, CycleId, Epoch, Intent, OpId, Order, Orphan, Position,
    Record, Side, Token,
};

/// What SQLite cannot check: that a row is as it was written.
pub(super) fn crc(row: &impl Serialize) -> rusqlite::Result<u32> {
    let bytes = serde_json::to_vec(row)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    Ok(crc32fast::hash(&bytes))
}

/// Of a book's own row: its orphans have rows, and checksums, of their own.
pub(super) fn book_checksum(book: &Book) -> rusqlite::Result<u32> {
    crc(&Book {
        orphans: Vec::new(),
        ..book.clone()
    })
}

pub(super) fn orphan_checksum(place: u64, orphan: &Orphan) -> rusqlite::Result<u32> {
    crc(&(place, orphan))
}

pub(super) fn set_fact(
    transaction: &Transaction<'_>,
    name: &str,
    value: &str,
) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO fact (name, value) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?;
    statement.execute([name, value]).map(|_| ())
}

fn fact(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    let mut statement = connection.prepare_cached("SELECT value FROM fact WHERE name = ?1")?;
    statement.query_row([name], |row| row.get(0)).optional()
}

/// The currencies, by number.
pub(super) fn symbols(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT symbol FROM currency ORDER BY number")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// Writes whether the user wants it to trade, unless a later word is there already.
pub(super) fn set_running(
    transaction: &Transaction<'_>,
    sequence: u64,
    running: bool,
) -> rusqlite::Result<()> {
    if read_sequence(transaction)? < sequence {
        set_fact(transaction, "running", if running { "yes" } else { "no" })?;
        set_fact(transaction, "sequence", &sequence.to_string())?;
    }
    Ok(())
}

fn read_sequence(connection: &Connection) -> rusqlite::Result<u64> {
    let text = fact(connection, "sequence")?;
    Ok(text.and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// Writes a record. Of two the one with the higher version stays; an intent stays until the book
/// says that its operation has ended.
pub(super) fn write(
    transaction: &Transaction<'_>,
    record: &Record,
    expires_us: u64,
) -> rusqlite::Result<()> {
    let number = record.currency.0;
    let mut version = transaction.prepare_cached("SELECT version FROM book WHERE currency = ?1")?;
    let stored: Option<u64> = version.query_row([number], |row| row.get(0)).optional()?;
    if stored.is_none_or(|stored| record.book.version > stored) {
        write_book(transaction, number, &record.book)?;
    }
    if let Some(intent) = &record.intent {
        write_intent(transaction, intent, expires_us)?;
    }
    let mut settled = transaction.prepare_cached(
        "DELETE FROM intent WHERE currency = ?1
         AND op <= (SELECT op_settled FROM book WHERE currency = ?1)",
    )?;
    settled.execute([number])?;
    Ok(())
}

fn write_book(transaction: &Transaction<'_>, number: usize, book: &Book) -> rusqlite::Result<()> {
    let position = match book.cycle {
        Cycle::Idle => None,
        Cycle::Active(position) => Some(position),
    };
    let mut statement = transaction.prepare_cached(
        "INSERT OR REPLACE INTO book (currency, version, epoch, paused, cycle, op_settled, profit,
         step, volume, cost, price_last, orphaned, orphans_count, checksum)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?;
    statement.execute(params![
        number,
        book.version,
        book.epoch.0,
        book.paused,
        book.cycle_id.0,
        book.op_settled.0,
        book.profit,
        position.map(|position| position.step),
        position.map(|position| position.volume),
        position.map(|position| position.cost),
        position.map(|position| position.price_last),
        book.orphaned,
        book.orphans_count,
        book_checksum(book)?,
    ])?;
    // An earlier book may have had some of them.
    let mut statement = transaction.prepare_cached(
        "INSERT OR IGNORE INTO orphan (currency, place, cycle, op, volume, checksum)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for (place, orphan) in (book.orphans_archived()..).zip(&book.orphans) {
        let op = orphan.order.map(|order| order.op.0);
        let checksum = orphan_checksum(place, orphan)?;
        statement.execute(params![
            number,
            place,
            orphan.cycle.0,
            op,
            orphan.volume,
            checksum
        ])?;
    }
    Ok(())
}

fn write_intent(
    transaction: &Transaction<'_>,
    intent: &Intent,
    expires_us: u64,
) -> rusqlite::Result<()> {
    let Intent { token, order } = intent;
    let mut statement = transaction.prepare_cached(
        "INSERT OR REPLACE INTO intent (currency, op, epoch, cycle, step, side, volume, price,
         expires_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    let side = match order.side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    };
    let expires_us = i64::try_from(expires_us).unwrap_or(i64::MAX);
    statement.execute(params![
        order.id.currency.0,
        token.op.0,
        token.epoch.0,
        order.cycle.0,
        order.step,
        side,
        order.volume,
        order.price,
        expires_us,
    ])?;
    Ok(())
}

/// Reads everything. Only when all that is there is good, the currencies are added that are not,
/// and the file is told that it was opened: one that cannot be written is found now.
pub(super) fn load(
    connection: &mut Connection,
    symbols: Vec<String>,
    expiries: &Expiries,
    ledger: &Ledger,
) -> Result<Loaded, Refused> {
    let known = self::symbols(connection)?;
    let mut records = Vec::new();
    for (number, symbol) in known.iter().enumerate() {
        let count = read_currency(connection, number, symbol, expiries, &mut records)?;
        let currency = Currency(number);
        let latest = read_orphans(connection, currency, Some(LATEST_MAX))?;
        ledger.extend(currency, count - latest.len() as u64, &latest);
    }
    let transaction = connection.transaction()?;
    for (number, symbol) in symbols.iter().enumerate().skip(known.len()) {
        let insert = "INSERT INTO currency (number, symbol) VALUES (?1, ?2)";
        transaction.execute(insert, params![number, symbol])?;
        write_book(&transaction, number, &Book::default())?;
    }
    let instance = match fact(&transaction, "instance")? {
        Some(instance) => instance,
        None if known.is_empty() => name(&transaction)?,
        None => return Err(Refused::Corrupt("its name is missing".to_owned())),
    };
    set_fact(&transaction, "opened_us", &now_us().to_string())?;
    transaction.commit()?;
    Ok(Loaded {
        symbols,
        records,
        // A database that has never heard of a stop trades.
        running: fact(connection, "running")?.is_none_or(|running| running == "yes"),
        sequence: read_sequence(connection)?,
        instance,
    })
}

/// Gives a new database its name.
fn name(transaction: &Transaction<'_>) -> rusqlite::Result<String> {
    let random = "SELECT lower(hex(randomblob(4)))";
    let name: String = transaction.query_row(random, [], |row| row.get(0))?;
    set_fact(transaction, "instance", &name)?;
    Ok(name)
}

/// Reads a currency; how many orphans it has.
fn read_currency(
    connection: &Connection,
    number: usize,
    symbol: &str,
    expiries: &Expiries,
    records: &mut Vec<Record>,
) -> Result<u64, Refused> {
    let book = read_book(connection, number)?;
    let book = book.ok_or_else(|| Refused::Corrupt(format!("`{symbol}` has no book")))?;
    let intents = read_intents(connection, number)?;
    let open = intents
        .iter()
        .filter(|(intent, _)| intent.token.op > book.op_settled);
    if open.count() > 1 {
        let why = format!("`{symbol}` has two open orders");
        return Err(Refused::Corrupt(why));
    }
    let currency = Currency(number);
    let record = |intent| Record {
        currency,
        book: book.clone(),
        intent,
    };
    records.push(record(None));
    for (intent, expires_us) in intents {
        expiries.note(intent.order.id, expires_us);
        records.push(record(Some(intent)));
    }
    Ok(book.orphans_count)
}

fn read_book(connection: &Connection, number: usize) -> Result<Option<Book>, Refused> {
    let mut statement = connection.prepare_cached(
        "SELECT version, epoch, paused, cycle, op_settled, profit, step, volume, cost, price_last,
         orphaned, orphans_count, checksum FROM book WHERE currency = ?1",
    )?;
    let found = statement.query_row([number], |row| Ok((book_in(row)?, row.get::<_, u32>(12)?)));
    let Some((book, expected)) = found.optional()? else {
        return Ok(None);
    };
    if book_checksum(&book)? != expected {
        let why = format!("the book of currency {number} does not have its checksum");
        return Err(Refused::Corrupt(why));
    }
    check_orphans(connection, Currency(number), &book)?;
    Ok(Some(book))
}

/// Each orphan is as it was written and at its place, and together they are what the book says. One
/// at a time: there may be more of them than anybody wants in memory.
fn check_orphans(connection: &Connection, currency: Currency, book: &Book) -> Result<(), Refused> {
    let wrong = |what: &str| {
        let why = format!("the orphans of currency {}: {what}", currency.0);
        Refused::Corrupt(why)
    };
    let mut statement = connection.prepare_cached(
        "SELECT place, cycle, op, volume, checksum FROM orphan WHERE currency = ?1 ORDER BY place",
    )?;
    let mut rows = statement.query([currency.0])?;
    let (mut count, mut sum) = (0, 0_i64);
    while let Some(row) = rows.next()? {
        let orphan = orphan_in(row, currency)?;
        if orphan_checksum(count, &orphan)? != row.get::<_, u32>(4)? {
            return Err(wrong(&format!("number {count} does not have its checksum")));
        }
        count += 1;
        sum = sum
            .checked_add(orphan.volume)
            .ok_or_else(|| wrong("too many coins"))?;
    }
    if (count, sum) != (book.orphans_count, book.orphaned) {
        let (known, coins) = (book.orphans_count, book.orphaned);
        let what = format!("{count} with {sum} coins, and the book knows {known} with {coins}");
        return Err(wrong(&what));
    }
    Ok(())
}

/// The orphans of a currency by place, or the latest of them.
pub(super) fn read_orphans(
    connection: &Connection,
    currency: Currency,
    latest: Option<usize>,
) -> Result<Vec<Orphan>, Refused> {
    let mut statement = connection.prepare_cached(
        "SELECT place, cycle, op, volume FROM orphan WHERE currency = ?1
         ORDER BY place DESC LIMIT ?2",
    )?;
    let most = latest.map_or(-1, |latest| latest as i64);
    let orphans = statement.query_map(params![currency.0, most], |row| orphan_in(row, currency))?;
    let mut orphans: Vec<_> = orphans.collect::<Result<_, _>>()?;
    orphans.reverse();
    Ok(orphans)
}

fn book_in(row: &Row<'_>) -> rusqlite::Result<Book> {
    let cycle = match row.get::<_, Option<usize>>(6)? {
        None => Cycle::Idle,
        Some(step) => Cycle::Active(Position {
            step,
            volume: row.get(7)?,
            cost: row.get(8)?,
            price_last: row.get(9)?,
        }),
    };
    Ok(Book {
        version: row.get(0)?,
        epoch: Epoch(row.get(1)?),
        paused: row.get(2)?,
        cycle,
        cycle_id: CycleId(row.get(3)?),
        op_settled: OpId(row.get(4)?),
        profit: row.get(5)?,
        orphaned: row.get(10)?,
        orphans_count: row.get(11)?,
        orphans: Vec::new(),
    })
}

fn orphan_in(row: &Row<'_>, currency: Currency) -> rusqlite::Result<Orphan> {
    let op: Option<u64> = row.get(2)?;
    let order = op.map(|op| ClientOrderId {
        currency,
        op: OpId(op),
    });
    Ok(Orphan {
        cycle: CycleId(row.get(1)?),
        order,
        volume: row.get(3)?,
    })
}

fn read_intents(connection: &Connection, number: usize) -> Result<Vec<(Intent, u64)>, Refused> {
    let mut statement = connection.prepare_cached(
        "SELECT op, epoch, cycle, step, side, volume, price, expires_us FROM intent
         WHERE currency = ?1 ORDER BY op",
    )?;
    let intents = statement.query_map([number], |row| intent_in(row, Currency(number)))?;
    Ok(intents.collect::<Result<_, _>>()?)
}

fn intent_in(row: &Row<'_>, currency: Currency) -> rusqlite::Result<(Intent, u64)> {
    let op = OpId(row.get(0)?);
    let id = ClientOrderId { currency, op };
    let side: String = row.get(4)?;
    let order = Order {
        id,
        cycle: CycleId(row.get(2)?),
        step: row.get(3)?,
        side: if side == "buy" { Side::Buy } else { Side::Sell },
        volume: row.get(5)?,
        price: row.get(6)?,
    };
    let token = Token {
        op,
        epoch: Epoch(row.get(1)?),
        client_order_id: id,
    };
    Ok((Intent { token, order }, row.get(7)?))
}
