//! What the database keeps, and which files it refuses.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;
use crate::{
    Book, ClientOrderId, Currency, Cycle, CycleId, Epoch, Intent, OpId, Order, Orphan, Position,
    Recovered, Side, Token, recover,
};

const EXPIRY: Duration = Duration::from_secs(5);

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Place(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("test.db")
    }

    fn open(&self) -> (Store, Loaded) {
        open(&self.path(), &["BTC", "ETH"]).unwrap()
    }

    /// The books after a restart.
    fn again(&self) -> BTreeMap<Currency, Recovered> {
        let (store, loaded) = self.open();
        store.close();
        recover(&loaded.records)
    }
}

fn open(path: &Path, symbols: &[&str]) -> Result<(Store, Loaded), StoreError> {
    let symbols: Vec<_> = symbols.iter().map(|symbol| (*symbol).to_owned()).collect();
    Store::open(path, &symbols, EXPIRY)
}

fn book(version: u64) -> Book {
    let id = ClientOrderId {
        currency: Currency(0),
        op: OpId(1),
    };
    let orphan = |order| Orphan {
        cycle: CycleId(2),
        order,
        volume: -3,
    };
    Book {
        version,
        epoch: Epoch(version),
        paused: version % 2 == 1,
        cycle: Cycle::Active(Position {
            step: 1,
            volume: 7,
            cost: 700,
            price_last: 101,
        }),
        cycle_id: CycleId(4),
        op_settled: OpId(version),
        profit: -5,
        orphaned: -6,
        orphans_count: 2,
        orphans: vec![orphan(None), orphan(Some(id))],
    }
}

/// As it is after a restart: its orphans are in the ledger.
fn archived(version: u64) -> Book {
    let mut book = book(version);
    book.archive();
    book
}

fn record(version: u64, intent: Option<u64>) -> Record {
    let currency = Currency(0);
    let intent = intent.map(|op| {
        let id = ClientOrderId {
            currency,
            op: OpId(op),
        };
        let token = Token {
            op: OpId(op),
            epoch: Epoch(version),
            client_order_id: id,
        };
        let (cycle, step, side) = (CycleId(4), 2, Side::Sell);
        Intent {
            token,
            order: Order {
                id,
                cycle,
                step,
                side,
                volume: 7,
                price: 99,
            },
        }
    });
    Record {
        currency,
        book: book(version),
        intent,
    }
}

fn why(result: Result<(Store, Loaded), StoreError>) -> String {
    result.expect_err("it is refused").to_string()
}

#[test]
fn what_was_written_is_there_whole() {
    let place = Place::new();
    let (store, loaded) = place.open();
    assert!(
        recover(&loaded.records)
            .values()
            .all(|found| found.book == Book::default())
    );
    store.append(&record(3, Some(4))).unwrap();
    let id = record(3, Some(4)).intent.unwrap().order.id;
    let expires_us = store.expiries().of(id);
    assert_ne!(expires_us, u64::MAX);
    store.close();
    assert!(store.append(&record(9, None)).is_err(), "closed is closed");

    let (store, loaded) = place.open();
    let found = &recover(&loaded.records)[&Currency(0)];
    assert_eq!(found.book, archived(3));
    assert_eq!(found.pending, record(3, Some(4)).intent);
    assert_eq!(store.expiries().of(id), expires_us, "known after a restart");
    let other = ClientOrderId { op: OpId(5), ..id };
    assert_eq!(
        store.expiries().of(other),
        u64::MAX,
        "nothing is known of another order"
    );
}

#[test]
fn the_highest_version_wins_in_every_order() {
    for order in [
        [1, 2, 3],
        [1, 3, 2],
        [2, 1, 3],
        [2, 3, 1],
        [3, 1, 2],
        [3, 2, 1],
    ] {
        let place = Place::new();
        let (store, _) = place.open();
        for version in order {
            store.append(&record(version, None)).unwrap();
        }
        store.close();
        assert_eq!(place.again()[&Currency(0)].book, archived(3), "{order:?}");
    }
}

#[test]
fn an_intent_stays_until_its_operation_has_ended() {
    // Records of (version, intent), and the intent that is left; `op_settled` is the version.
    type Written = (u64, Option<u64>);
    let cases: [(&[Written], Option<u64>); 5] = [
        (&[(3, Some(4))], Some(4)),
        (&[(3, Some(4)), (4, None)], None),
        // A reset comes to the disk first, with a higher version; the order is still open.
        (&[(2, None), (1, Some(4))], Some(4)),
        // The end comes to the disk before the beginning.
        (&[(4, None), (3, Some(4))], None),
        (&[(3, Some(4)), (4, Some(5))], Some(5)),
    ];
    for (records, expected) in cases {
        let place = Place::new();
        let (store, _) = place.open();
        for (version, intent) in records {
            store.append(&record(*version, *intent)).unwrap();
        }
        store.close();
        let pending = place.again()[&Currency(0)].pending;
        assert_eq!(
            pending.map(|intent| intent.token.op.0),
            expected,
            "{records:?}"
        );
    }
}

#[test]
fn a_crash_at_any_moment_leaves_what_was_acknowledged() {
    let place = Place::new();
    let (store, _) = place.open();
    for version in 1..=20 {
        store.append(&record(version, Some(version + 1))).unwrap();
        // What a kill leaves: the files as they are now, and one of them cut off in the middle of
        // what might have come next.
        let crashed = Place::new();
        for suffix in ["", "-wal"] {
            let name = format!("test.db{suffix}");
            std::fs::copy(place.0.path().join(&name), crashed.0.path().join(&name)).unwrap();
        }
        let log = crashed.0.path().join("test.db-wal");
        let mut bytes = std::fs::read(&log).unwrap();
        bytes.extend_from_slice(&[version as u8; 100]);
        std::fs::write(&log, bytes).unwrap();
        let found = &crashed.again()[&Currency(0)];
        assert_eq!(found.book, archived(version));
        assert_eq!(
            found.pending.map(|intent| intent.token.op),
            Some(OpId(version + 1))
        );
    }
}

#[test]
fn many_writers_share_transactions() {
    let place = Place::new();
    let (store, _) = place.open();
    std::thread::scope(|scope| {
        for version in 1..=64 {
            let store = &store;
            scope.spawn(move || store.append(&record(version, None)).unwrap());
        }
    });
    let health = store.health();
    store.close();
    assert_eq!(health.writes.load(Ordering::Relaxed), 64);
    assert!(health.commits.load(Ordering::Relaxed) <= 64);
    assert_eq!(place.again()[&Currency(0)].book.version, 64);
}

#[test]
fn the_last_start_or_stop_counts() {
    for (words, expected) in [
        (&[][..], true),
        (&[(1, true), (2, false)], false),
        (&[(2, false), (1, true)], false),
        (&[(2, false), (3, true)], true),
    ] {
        let place = Place::new();
        let (store, _) = place.open();
        for (sequence, running) in words {
            store.set_running(*sequence, *running).unwrap();
        }
        store.close();
        let (_store, loaded) = place.open();
        assert_eq!(loaded.running, expected, "{words:?}");
        assert_eq!(
            loaded.sequence,
            words.iter().map(|word| word.0).max().unwrap_or(0)
        );
    }
}

#[test]
fn one_process_one_database() {
    let place = Place::new();
    let (store, _) = place.open();
    let text = why(open(&place.path(), &["BTC", "ETH"]));
    assert!(text.contains("in use"), "{text}");
    store.append(&record(1, None)).unwrap();
    store.close();
    place.open();
}

#[test]
fn currencies_keep_their_numbers() {
    let place = Place::new();
    let (store, first) = place.open();
    store.append(&record(3, None)).unwrap();
    store.close();
    let (store, loaded) = open(&place.path(), &["XRP", "ETH", "BTC"]).unwrap();
    assert_eq!(loaded.symbols, ["BTC", "ETH", "XRP"]);
    assert_eq!(recover(&loaded.records)[&Currency(0)].book, archived(3));
    assert_eq!(
        loaded.instance, first.instance,
        "its orders are found again"
    );
    assert_eq!(loaded.instance.len(), 8);
    store.close();
    let text = why(open(&place.path(), &["BTC", "XRP"]));
    assert!(
        text.contains("`ETH`") && text.contains("not configured"),
        "{text}"
    );
}

/// Does this to a closed database; what is said then.
fn after(change: &str) -> String {
    let place = Place::new();
    let (store, _) = place.open();
    store.append(&record(3, Some(4))).unwrap();
    store.close();
    let connection = Connection::open(place.path()).unwrap();
    connection.execute_batch(change).unwrap();
    drop(connection);
    why(open(&place.path(), &["BTC", "ETH"]))
}

#[test]
fn what_cannot_be_true_is_refused() {
    let cases = [
        ("UPDATE book SET paused = 0 WHERE currency = 0", "checksum"),
        (
            "UPDATE book SET profit = profit + 1 WHERE currency = 1",
            "checksum",
        ),
        ("UPDATE orphan SET volume = 4 WHERE place = 1", "checksum"),
        ("UPDATE orphan SET cycle = 9 WHERE place = 0", "checksum"),
        ("DELETE FROM orphan WHERE place = 0", "checksum"),
        ("DELETE FROM orphan WHERE place = 1", "the book knows 2"),
        ("DELETE FROM book WHERE currency = 1", "`ETH` has no book"),
        (
            "DELETE FROM fact WHERE name = 'instance'",
            "name is missing",
        ),
        (
            "INSERT INTO intent SELECT 0, 9, 3, 4, 2, 'buy', 1, 1, 1",
            "two open orders",
        ),
        ("DROP TABLE orphan", "orphan"),
        ("PRAGMA user_version = 99", "newer program"),
    ];
    for (change, word) in cases {
        let text = after(change);
        assert!(text.contains(word), "{change}: {text}");
    }
}

#[test]
fn a_file_that_is_not_a_database_is_not_taken_for_a_new_one() {
    let place = Place::new();
    for content in [&b""[..], b"something else altogether", &[0; 4096]] {
        std::fs::write(place.path(), content).unwrap();
        let text = why(open(&place.path(), &["BTC"]));
        assert!(text.contains("damaged"), "{} bytes: {text}", content.len());
        assert_eq!(
            std::fs::read(place.path()).unwrap(),
            content,
            "left as it was"
        );
    }
    std::fs::remove_file(place.path()).unwrap();
    std::fs::write(place.0.path().join("test.db-wal"), b"left over").unwrap();
    let text = why(open(&place.path(), &["BTC"]));
    assert!(text.contains("still there"), "{text}");
    let nowhere = place.0.path().join("no/such/directory/test.db");
    assert!(matches!(
        open(&nowhere, &["BTC"]),
        Err(StoreError::Unusable(..))
    ));
}

#[test]
fn a_migration_is_applied_whole_or_not_at_all() {
    let place = Place::new();
    let step = |tables| Migration {
        tables,
        fill: |_| Ok(()),
    };
    let good = step("CREATE TABLE one (a INTEGER); INSERT INTO one VALUES (1);");
    let bad = step("CREATE TABLE two (a INTEGER); INSERT INTO nowhere VALUES (1);");
    let connect = || Connection::open(place.path()).unwrap();
    let facts = step("CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);");
    prepare(connect(), &[facts]).unwrap();
    assert!(prepare(connect(), &[facts, good, bad]).is_err());
    let connection = connect();
    let version: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(version, 2, "the good one is there, the bad one is not");
    assert!(connection.execute("SELECT * FROM two", []).is_err());
    drop(connection);
    let unfilled = Migration {
        tables: "CREATE TABLE two (a INTEGER);",
        fill: |_| Err(Refused::Corrupt("so be it".to_owned())),
    };
    assert!(prepare(connect(), &[facts, good, unfilled]).is_err());
    let fixed = step("CREATE TABLE two (a INTEGER);");
    let connection = prepare(connect(), &[facts, good, fixed]).unwrap();
    let rows: i64 = connection
        .query_row("SELECT count(*) FROM one", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 1, "none is applied twice");
}

#[test]
fn a_write_that_has_no_room_is_an_error_and_no_more() {
    let place = Place::new();
    let (store, _) = place.open();
    store.close();
    let connection = open_exclusively(&place.path()).unwrap();
    let pages: i64 = connection
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    connection
        .pragma_update(None, "max_page_count", pages)
        .unwrap();
    let (jobs, queue) = channel();
    let health = Arc::new(Health::default());
    let writer = Writer {
        connection,
        queue,
        health: Arc::clone(&health),
    };
    let writer = std::thread::spawn(move || writer.run());
    let mut large = record(5, None);
    large.book.orphans = vec![large.book.orphans[0]; 20_000];
    large.book.orphans_count = 20_000;
    for (record, expected) in [(large, Err(NotDurable)), (record(6, None), Ok(()))] {
        let (done, answer) = sync_channel(1);
        jobs.send(Job {
            change: Change::Record(Box::new(record), 0),
            done,
        })
        .unwrap();
        assert_eq!(answer.recv().unwrap(), expected);
        assert_eq!(health.is_good(), expected.is_ok());
    }
    drop(jobs);
    writer.join().unwrap();
    assert_eq!(place.again()[&Currency(0)].book, archived(6));
}

/// A database of version 1 in this place.
fn first_version(place: &Place, change: &str) {
    let connection = Connection::open(place.path()).unwrap();
    connection
        .execute_batch(include_str!("version1.sql"))
        .unwrap();
    connection.execute_batch(change).unwrap();
}

#[test]
fn a_database_of_the_first_version_loses_nothing() {
    let place = Place::new();
    first_version(&place, "");
    let symbols = ["BTC", "ETH", "XRP"];
    // The second time it is one of this version already.
    for _ in 0..2 {
        let (store, loaded) = open(&place.path(), &symbols).unwrap();
        assert_eq!(
            (loaded.symbols, loaded.instance.len()),
            (symbols.map(str::to_owned).to_vec(), 8)
        );
        let found = recover(&loaded.records);
        let seen = found.values().map(|Recovered { book, pending }| {
            let in_doubt = pending.map(|intent| (intent.token.op.0, intent.order.volume));
            let sums = (book.orphans_count, book.orphaned);
            (
                book.version,
                book.epoch.0,
                book.paused,
                book.held(),
                book.profit,
                sums,
                in_doubt,
            )
        });
        let expected = [
            (47, 6, false, 0, 8030, (5, 80), Some((36, 10))),
            (15, 6, true, 0, 0, (1, 10), Some((5, 20))),
            (37, 0, false, 10, 5904, (0, 0), None),
        ];
        assert_eq!(seen.collect::<Vec<_>>(), expected);
        let orphans = store.ledger().before(Currency(0), 5);
        let orphans: Vec<_> = orphans
            .iter()
            .map(|orphan| {
                (
                    orphan.cycle.0,
                    orphan.order.map(|id| id.op.0),
                    orphan.volume,
                )
            })
            .collect();
        let expected = [
            (1, None, 10),
            (1, Some(12), 20),
            (2, None, 10),
            (5, None, 10),
            (6, None, 30),
        ];
        assert_eq!(orphans, expected);
        assert_ne!(
            store
                .expiries()
                .of(found[&Currency(0)].pending.unwrap().order.id),
            u64::MAX
        );
        store.close();
    }
}

#[test]
fn a_damaged_database_of_the_first_version_is_refused_and_left_as_it_is() {
    let place = Place::new();
    first_version(&place, "UPDATE orphan SET volume = 11 WHERE place = 4");
    for _ in 0..2 {
        let text = why(open(&place.path(), &["BTC", "ETH", "XRP"]));
        assert!(text.contains("checksum"), "{text}");
        let connection = Connection::open(place.path()).unwrap();
        let version: i64 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap();
        assert_eq!(version, 1);
    }
}

/// What the core has let go is found here, each entry once, whatever is written again.
#[test]
fn the_ledger_has_the_latest_orphans_and_no_more() {
    let place = Place::new();
    let (store, _) = place.open();
    let orphan = |volume| Orphan {
        cycle: CycleId(1),
        order: None,
        volume,
    };
    const WRITTEN: u64 = 2 * LATEST_MAX as u64;
    for number in 1..=WRITTEN {
        let mut record = record(number, None);
        let latest = [number - 1, number].map(|volume| orphan(volume as i64));
        record.book.orphans = latest[usize::from(number == 1)..].to_vec();
        (record.book.orphans_count, record.book.orphaned) = (number, (1..=number as i64).sum());
        store.append(&record).unwrap();
    }
    let check = |store: &Store| {
        let found = store.ledger().before(Currency(0), WRITTEN - 1);
        let first = WRITTEN as i64 - LATEST_MAX as i64 + 1;
        let expected: Vec<_> = (first..WRITTEN as i64).map(orphan).collect();
        assert_eq!(found, expected);
        assert!(store.ledger().before(Currency(1), WRITTEN).is_empty());
    };
    check(&store);
    store.close();
    let (store, loaded) = place.open();
    check(&store);
    assert_eq!(
        recover(&loaded.records)[&Currency(0)].book.orphans_count,
        WRITTEN
    );
}
