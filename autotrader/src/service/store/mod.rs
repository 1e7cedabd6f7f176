//! The database: what survives a restart, and who may write it.
//!
//! Knows SQLite, that one process has the file to itself, and that "ok" means committed: one
//! thread writes, many requests at a time in one transaction. What a record says in tables is
//! `tables`'s business. Does not know what a cycle is for.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use gordian::sync::Mutex;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::adapter::Expiries;
use super::clock::now_us;
use crate::{Journal, NotDurable, Record};

mod ledger;
mod migrations;
mod tables;
#[cfg(test)]
mod tests;

pub use ledger::{LATEST_MAX, Ledger};
use migrations::{MIGRATIONS, Migration, migrate};

/// Requests in one transaction.
const GROUP_MAX: usize = 256;

/// A database that cannot be used.
#[derive(Debug)]
pub enum StoreError {
    /// Another process has it open.
    InUse(PathBuf),
    /// It cannot be read or written.
    Unusable(PathBuf, String),
    /// What it says cannot be true. Nothing is traded on it, and nothing is forgotten.
    Corrupt(PathBuf, String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::InUse(path) => {
                let path = path.display();
                write!(
                    f,
                    "the database `{path}` is in use by another process: stop that first"
                )
            }
            StoreError::Unusable(path, why) => {
                write!(f, "the database `{}` cannot be used: {why}", path.display())
            }
            StoreError::Corrupt(path, why) => {
                let path = path.display();
                write!(
                    f,
                    "the database `{path}` is damaged, so nothing is traded: {why}; put a backup \
                     in its place, or move it away to begin with empty books"
                )
            }
        }
    }
}

impl std::error::Error for StoreError {}

/// What the database said when it was opened.
#[derive(Debug)]
pub struct Loaded {
    /// The configured symbols in the order of the numbers that their currencies have.
    pub symbols: Vec<String>,
    /// What is needed to go on.
    pub records: Vec<Record>,
    /// Whether the user wants it to trade.
    pub running: bool,
    /// The number of the last start or stop.
    pub sequence: u64,
    /// The name of this database in the ids of its orders.
    pub instance: String,
}

/// The open database.
#[derive(Debug)]
pub struct Store {
    jobs: Mutex<Option<Sender<Job>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    health: Arc<Health>,
    expiries: Arc<Expiries>,
    ledger: Ledger,
    order_expiry: Duration,
}

/// How the writing goes.
#[derive(Debug, Default)]
pub struct Health {
    state: AtomicU8,
    /// Transactions that were committed.
    pub commits: AtomicU64,
    /// Requests that they carried.
    pub writes: AtomicU64,
    /// Requests that could not be written.
    pub failures: AtomicU64,
}

const GOOD: u8 = 0;
const FAILING: u8 = 1;
const GIVEN_UP: u8 = 2;

impl Health {
    /// Whether the last write succeeded.
    pub fn is_good(&self) -> bool {
        self.state.load(Ordering::Relaxed) == GOOD
    }
}

/// Something to be written, and who waits for it.
struct Job {
    change: Change,
    done: SyncSender<Result<(), NotDurable>>,
}

/// Something to be written.
enum Change {
    Record(Box<Record>, u64),
    Running(u64, bool),
}

impl Store {
    /// Opens the database, makes it if there is none, and reads it.
    ///
    /// `configured` are the symbols of the currencies, in any order.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open(
        path: &Path,
        configured: &[String],
        order_expiry: Duration,
    ) -> Result<(Self, Loaded), StoreError> {
        let mut connection = open_exclusively(path)?;
        let expiries = Arc::new(Expiries::default());
        let ledger = Ledger::default();
        let loaded = numbered(&connection, configured)
            .and_then(|symbols| tables::load(&mut connection, symbols, &expiries, &ledger))
            .map_err(|why| why.at(path))?;
        let (jobs, queue) = channel();
        let health = Arc::new(Health::default());
        let writer = Writer {
            connection,
            queue,
            health: Arc::clone(&health),
        };
        let writer = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| StoreError::Unusable(path.to_owned(), error.to_string()))?;
        let store = Store {
            jobs: Mutex::new(Some(jobs)),
            writer: Mutex::new(Some(writer)),
            health,
            expiries,
            ledger,
            order_expiry,
        };
        Ok((store, loaded))
    }

    /// When open orders expire.
    pub fn expiries(&self) -> Arc<Expiries> {
        Arc::clone(&self.expiries)
    }

    /// The latest orphans in the database.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// How the writing goes.
    pub fn health(&self) -> Arc<Health> {
        Arc::clone(&self.health)
    }

    /// Slow: writes whether the user wants it to trade. The highest number wins.
    ///
    /// # Errors
    /// When it may not be there.
    pub fn set_running(&self, sequence: u64, running: bool) -> Result<(), NotDurable> {
        self.write(Change::Running(sequence, running))
    }

    /// Slow: ends the writer once everything handed over is written. Later writes fail.
    pub fn close(&self) {
        drop(self.jobs.lock().take());
        let writer = self.writer.lock().take();
        if let Some(writer) = writer {
            // A writer that panicked has printed why; what it did not write was not acknowledged.
            let _ = writer.join();
        }
    }

    /// Hands a change to the writer and waits until it is committed.
    fn write(&self, change: Change) -> Result<(), NotDurable> {
        let (done, answer) = sync_channel(1);
        // Cloned, not used under the lock: a queue that is full or gone is nobody else's delay.
        let jobs = self.jobs.lock().clone().ok_or(NotDurable)?;
        jobs.send(Job { change, done }).map_err(|_| NotDurable)?;
        drop(jobs);
        answer.recv().map_err(|_| NotDurable)?
    }
}

impl Journal for Store {
    fn append(&self, record: &Record) -> Result<(), NotDurable> {
        let expiry = u64::try_from(self.order_expiry.as_micros()).unwrap_or(u64::MAX);
        let expires_us = now_us().saturating_add(expiry);
        if let Some(intent) = record.intent {
            self.expiries.note(intent.order.id, expires_us);
        }
        self.write(Change::Record(Box::new(record.clone()), expires_us))?;
        self.ledger.note(record.currency, &record.book);
        Ok(())
    }
}

/// The thread that writes.
struct Writer {
    connection: Connection,
    queue: Receiver<Job>,
    health: Arc<Health>,
}

impl Writer {
    fn run(mut self) {
        while let Ok(first) = self.queue.recv() {
            let rest = self.queue.try_iter().take(GROUP_MAX - 1);
            let jobs: Vec<_> = std::iter::once(first).chain(rest).collect();
            let result = self.write(&jobs);
            self.note(&result, jobs.len() as u64);
            let answer = result.map_err(|_| NotDurable);
            for job in jobs {
                // Whoever does not wait any more does not want to know.
                let _ = job.done.send(answer);
            }
        }
    }

    fn write(&mut self, jobs: &[Job]) -> rusqlite::Result<()> {
        if self.health.state.load(Ordering::Relaxed) == GIVEN_UP {
            return Err(rusqlite::Error::ExecuteReturnedResults);
        }
        let transaction = self.connection.transaction()?;
        for job in jobs {
            match &job.change {
                Change::Record(record, expires_us) => {
                    tables::write(&transaction, record, *expires_us)?;
                }
                Change::Running(sequence, running) => {
                    tables::set_running(&transaction, *sequence, *running)?;
                }
            }
        }
        transaction.commit()
    }

    fn note(&self, result: &rusqlite::Result<()>, jobs: u64) {
        let health = &self.health;
        let before = health.state.load(Ordering::Relaxed);
        match result {
            Ok(()) => {
                health.commits.fetch_add(1, Ordering::Relaxed);
                health.writes.fetch_add(jobs, Ordering::Relaxed);
                health.state.store(GOOD, Ordering::Relaxed);
                if before != GOOD {
                    tracing::info!("the database can be written again");
                }
            }
            Err(error) => {
                health.failures.fetch_add(jobs, Ordering::Relaxed);
                if before == GIVEN_UP {
                    return;
                }
                let state = if is_final(error) { GIVEN_UP } else { FAILING };
                health.state.store(state, Ordering::Relaxed);
                tracing::error!(%error, jobs, "the database could not be written");
            }
        }
    }
}

/// Whether no later write can be trusted: after a failed sync the system may call pages clean that
/// are not on the disk, and damage does not heal.
fn is_final(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        return false;
    };
    let extended = failure.extended_code;
    matches!(
        failure.code,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase
    ) || extended == rusqlite::ffi::SQLITE_IOERR_FSYNC
        || extended == rusqlite::ffi::SQLITE_IOERR_DIR_FSYNC
}

/// Why a database is refused, before its name is added.
#[derive(Debug)]
enum Refused {
    Corrupt(String),
    Unusable(String),
    InUse,
}

impl Refused {
    fn at(self, path: &Path) -> StoreError {
        let path = path.to_owned();
        match self {
            Refused::Corrupt(why) => StoreError::Corrupt(path, why),
            Refused::Unusable(why) => StoreError::Unusable(path, why),
            Refused::InUse => StoreError::InUse(path),
        }
    }
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Refused::InUse,
            Some(
                ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::ConstraintViolation
                | ErrorCode::TypeMismatch,
            ) => Refused::Corrupt(error.to_string()),
            Some(_) => Refused::Unusable(error.to_string()),
            // Not SQLite's: a column of another type, a row that is missing.
            None => Refused::Corrupt(error.to_string()),
        }
    }
}

/// The configured currencies in the order of the numbers that the database gave them. Ones that it
/// does not know come last.
fn numbered(connection: &Connection, configured: &[String]) -> Result<Vec<String>, Refused> {
    let known = tables::symbols(connection)?;
    if let Some(missing) = known.iter().find(|symbol| !configured.contains(symbol)) {
        return Err(Refused::Unusable(format!(
            "it has a book for `{missing}`, which is not configured: name it there, with \
             `permitted = false` if it shall not be traded"
        )));
    }
    let new = configured.iter().filter(|symbol| !known.contains(symbol));
    Ok(known.iter().chain(new).cloned().collect())
}

/// Opens a database for this process alone and brings it up to date.
fn open_exclusively(path: &Path) -> Result<Connection, StoreError> {
    let unusable = |error: std::io::Error| StoreError::Unusable(path.to_owned(), error.to_string());
    match std::fs::metadata(path) {
        Ok(file) if file.len() == 0 => {
            // SQLite would take it for a new database, and all cycles would be forgotten.
            return Err(StoreError::Corrupt(
                path.to_owned(),
                "it is empty".to_owned(),
            ));
        }
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => create(path)?,
        Err(error) => return Err(unusable(error)),
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| Refused::from(error).at(path))?;
    prepare(connection, MIGRATIONS).map_err(|why| why.at(path))
}

fn prepare(mut connection: Connection, migrations: &[Migration]) -> Result<Connection, Refused> {
    if connection.is_readonly("main")? {
        return Err(Refused::Unusable("it is read-only".to_owned()));
    }
    connection.busy_timeout(Duration::ZERO)?;
    // Exclusive, and taken by the first look: a second process is refused from here on, until this
    // one has closed the file or is dead. Nothing is written before all of it was found good.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Err(Refused::Corrupt(found));
    }
    migrate(&mut connection, migrations)?;
    Ok(connection)
}

/// Makes a database beside its place, then moves it there: a crash leaves all of it or none.
fn create(path: &Path) -> Result<(), StoreError> {
    let unusable = |why: String| StoreError::Unusable(path.to_owned(), why);
    let log = PathBuf::from(format!("{}-wal", path.display()));
    if log.exists() {
        let why = format!("it is gone, but `{}` is still there", log.display());
        return Err(StoreError::Corrupt(path.to_owned(), why));
    }
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let place = |error: std::io::Error| unusable(error.to_string());
    let file = tempfile::Builder::new()
        .prefix(".autotrader-")
        .suffix(".new")
        .tempfile_in(directory)
        .map_err(place)?;
    let fill = || -> Result<(), Refused> {
        let mut connection = Connection::open(file.path())?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        migrate(&mut connection, MIGRATIONS)?;
        connection
            .close()
            .map_err(|(_, error)| Refused::from(error))
    };
    fill().map_err(|why| why.at(path))?;
    file.persist_noclobber(path)
        .map_err(|error| place(error.error))?;
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(place)
}
