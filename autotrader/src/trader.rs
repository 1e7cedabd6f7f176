//! The reference protocol.
//!
//! Knows which critical sections there are, and in which order a tick goes through them. Does not
//! know HTTP, files, clocks or threads: those are the service's.

use gordian::Named;
use gordian::sync::Mutex;

use crate::cycle::{Book, CurrencySettings, Cycle, Decision, Settings};
use crate::exchange::{ClientOrderId, Exchange, Marked, Order, OrderStatus, Reply};
use crate::journal::{Intent, Journal, Record, Recovered, recover};
use crate::protocol::{Lease, Protocol, Refusal, Stats, Tick, Token};
use crate::units::{Currency, OpId};

/// The reference implementation of [`Protocol`].
///
/// No method takes a lock while it holds another, and none makes a slow call while it holds one:
/// the lock order has no edge at all. The [crate documentation](crate) says why each critical
/// section is there.
#[derive(Debug)]
pub struct Autotrader<X, J> {
    exchange: Marked<X>,
    journal: J,
    settings: Settings,
    /// `L[c]`. All are made here, before any thread can ask for one: nobody ever gets another lock
    /// for the same currency.
    cells: Vec<Mutex<Cell>>,
    /// Number of starts and stops so far: odd while running. Written before the cells' copies.
    run: Mutex<u64>,
}

/// What `L[c]` guards.
#[derive(Debug, Default)]
struct Cell {
    /// The highest [`Autotrader::run`] that reached this cell; only the loop whose lease has this
    /// number begins or submits anything here. Never decreases, so that a start and a stop at the
    /// same time leave all cells as the later of them wants.
    run: u64,
    /// Whether trading is permitted.
    permitted: bool,
    /// What survives a restart.
    book: Book,
    /// The operation in flight. One slot: nothing begins while it is taken. A reset leaves it
    /// alone (its epoch makes it stale); only its owner, or for an unknown order whoever learns
    /// its fate, empties it.
    operation: Option<Operation>,
}

/// An operation in flight.
#[derive(Clone, Copy, Debug)]
struct Operation {
    token: Token,
    phase: Phase,
}

/// How far an operation is.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Nothing was submitted.
    Begun,
    /// The order was submitted; its owner waits for the answer.
    Posted,
    /// The owner got no answer. Only the order's id helps now: query, or cancel.
    Unknown(Order),
}

/// What `begin` answers.
enum Claim {
    /// The lease is over.
    Ended,
    /// Nothing may be done now.
    Refused,
    /// An order's fate is unknown: ask for it.
    Unknown(Token, Order),
    /// The token is the caller's; the book as it is for as long as the token is current.
    Begun(Token, Box<Book>),
}

/// How an operation ended, for its owner.
enum Outcome {
    /// Nothing was submitted.
    NotSubmitted,
    /// The exchange answered.
    Answered(Order, Reply),
    /// The exchange did not.
    Lost(Order),
}

impl Cell {
    /// Whether the operation may go on to submit. The pause needs no look: a pause comes only with
    /// a reset, and a reset changes the epoch.
    fn is_current(&self, lease: Lease, token: Token) -> bool {
        self.run == lease.0
            && self.permitted
            && self.book.epoch == token.epoch
            && self
                .operation
                .is_some_and(|operation| operation.token.op == token.op)
    }

    fn is_running(&self) -> bool {
        self.run % 2 == 1
    }

    /// Empties the slot if `op` is in it. A second answer about the same order finds it empty, or
    /// taken by a later operation, and changes nothing.
    fn take(&mut self, op: OpId) -> Option<Operation> {
        self.operation.take_if(|operation| operation.token.op == op)
    }
}

impl<X: Exchange, J: Journal> Autotrader<X, J> {
    /// A trader that has never traded, stopped.
    ///
    /// # Panics
    /// When a currency has no row.
    pub fn new(exchange: X, journal: J, settings: Settings) -> Self {
        Autotrader::restored(exchange, journal, settings, [])
    }

    /// A trader that goes on where the records end, stopped. An order that may have been submitted
    /// is unknown until it has been asked for.
    ///
    /// # Panics
    /// When a currency has no row.
    pub fn restored<'a>(
        exchange: X,
        journal: J,
        settings: Settings,
        records: impl IntoIterator<Item = &'a Record>,
    ) -> Self {
        let mut books = recover(records);
        let cells = settings
            .currencies
            .iter()
            .enumerate()
            .map(|(index, currency)| {
                assert!(
                    !currency.rows.is_empty(),
                    "`{}` needs at least one row",
                    currency.symbol
                );
                let Recovered { book, pending } =
                    books.remove(&Currency(index)).unwrap_or_default();
                let operation = pending.map(|Intent { token, order }| Operation {
                    token,
                    phase: Phase::Unknown(order),
                });
                let cell = Cell {
                    run: 0,
                    permitted: currency.permitted,
                    book,
                    operation,
                };
                Mutex::new(cell).named(format!("L[{}]", currency.symbol))
            });
        let cells = cells.collect();
        let run = Mutex::new(0).named("run");
        Autotrader {
            exchange: Marked(exchange),
            journal,
            settings,
            cells,
            run,
        }
    }

    /// Permits or forbids trading in a currency. What is in flight ends, nothing new is submitted.
    ///
    /// # Errors
    /// When there is no such currency.
    pub fn permit(&self, currency: Currency, permitted: bool) -> Result<(), Refusal> {
        self.cell(currency)?.lock().permitted = permitted;
        Ok(())
    }

    fn cell(&self, currency: Currency) -> Result<&Mutex<Cell>, Refusal> {
        self.cells.get(currency.0).ok_or(Refusal::UnknownCurrency)
    }

    fn currency(&self, currency: Currency) -> &CurrencySettings {
        &self.settings.currencies[currency.0]
    }

    /// Brings the number of a start or a stop to every cell. After this no critical section of an
    /// older number submits anything: each took `L[c]` either before, and is over, or after, and
    /// sees the number.
    fn publish(&self, run: u64) {
        for cell in &self.cells {
            let mut cell = cell.lock();
            cell.run = cell.run.max(run);
        }
    }

    /// First critical section of a tick: may anything be done, and what?
    ///
    /// Nothing was read before, so there is nothing to re-validate: price and balance are read
    /// *after* the token was taken, and count only while it is current. Idle or active decides
    /// which kinds of operation are possible; the price decides among them.
    fn begin(&self, lease: Lease, currency: Currency) -> Claim {
        let mut cell = self.cells[currency.0].lock();
        if cell.run != lease.0 {
            return Claim::Ended;
        }
        match cell.operation {
            Some(Operation {
                token,
                phase: Phase::Unknown(order),
            }) => {
                return Claim::Unknown(token, order);
            }
            Some(_) => return Claim::Refused,
            None => {}
        }
        if !cell.permitted || cell.book.paused {
            return Claim::Refused;
        }
        let op = OpId(cell.book.op_settled.0 + 1);
        let client_order_id = ClientOrderId { currency, op };
        let token = Token {
            op,
            epoch: cell.book.epoch,
            client_order_id,
        };
        cell.operation = Some(Operation {
            token,
            phase: Phase::Begun,
        });
        Claim::Begun(token, Box::new(cell.book.clone()))
    }

    /// Second critical section: is the token still current? Then the order is submitted, at once.
    fn submit(&self, lease: Lease, token: Token, order: &Order) -> bool {
        let mut cell = self.cells[order.id.currency.0].lock();
        if !cell.is_current(lease, token) {
            return false;
        }
        cell.operation = Some(Operation {
            token,
            phase: Phase::Posted,
        });
        // The intent is durable with the book of `begin`. Entries since then would be a reset's,
        // and the token not current.
        cell.book.archive();
        self.exchange.post(order);
        true
    }

    /// Last critical section: books what came of the operation and empties the slot. In an epoch
    /// later than the token's, a fill goes to the orphan ledger. Returns what is to be written.
    fn finish(&self, token: Token, outcome: Outcome) -> Option<Record> {
        let currency = token.client_order_id.currency;
        let mut cell = self.cells[currency.0].lock();
        let operation = cell.take(token.op)?;
        let current = cell.book.epoch == operation.token.epoch;
        match outcome {
            Outcome::Lost(order) => {
                // The slot stays taken: no new order before this one's fate is known.
                let phase = Phase::Unknown(order);
                cell.operation = Some(Operation { token, phase });
                return None;
            }
            Outcome::Answered(order, Reply::Filled(fill)) if current => {
                cell.book.apply(&order, fill);
            }
            Outcome::Answered(order, Reply::Filled(fill)) => cell.book.orphan(&order, fill),
            Outcome::Answered(_, Reply::Rejected) | Outcome::NotSubmitted => {
                cell.book.settle(token.op);
            }
        }
        Some(Record {
            currency,
            book: cell.book.clone(),
            intent: None,
        })
    }

    /// One operation, from the token on.
    fn operate(&self, lease: Lease, token: Token, book: Box<Book>) -> Tick {
        let currency = token.client_order_id.currency;
        let Some(decision) = self.plan(currency, &book) else {
            self.finish(token, Outcome::NotSubmitted);
            return Tick::Quiet;
        };
        let Decision {
            side,
            step,
            volume,
            price,
        } = decision;
        let id = token.client_order_id;
        let order = Order {
            id,
            cycle: book.cycle_id,
            step,
            side,
            volume,
            price,
        };
        // Durable before it is submitted: after a crash the order must be asked for by its id.
        let intent = Some(Intent { token, order });
        let durable = self.write(&Record {
            currency,
            book: *book,
            intent,
        });
        if !durable || !self.submit(lease, token, &order) {
            self.finish(token, Outcome::NotSubmitted);
            return Tick::Quiet;
        }
        let outcome = match self.exchange.reply(id) {
            Ok(reply) => Outcome::Answered(order, reply),
            Err(_) => Outcome::Lost(order),
        };
        self.settle(token, outcome);
        Tick::Traded
    }

    /// Slow: price and balance, and the order they ask for. A call that fails enables nothing.
    fn plan(&self, currency: Currency, book: &Book) -> Option<Decision> {
        let price = self.exchange.price(currency).ok()?;
        let balance = self.exchange.balance(currency).ok()?;
        book.decide(self.currency(currency), price, balance)
    }

    /// Slow: asks what became of an order without an answer. Allowed while paused, it only learns.
    fn resolve(&self, token: Token, order: Order) -> Tick {
        let reply = match self.exchange.query(order.id) {
            Ok(OrderStatus::Closed(reply)) => reply,
            Ok(OrderStatus::Open) => {
                // Whatever the answer, a later pass asks again: only a query tells what was filled.
                let _ = self.exchange.cancel(order.id);
                return Tick::Quiet;
            }
            Err(_) => return Tick::Quiet,
        };
        self.settle(token, Outcome::Answered(order, reply));
        Tick::Traded
    }

    /// Ends an operation and writes the book. When that fails nothing is lost: the intent is
    /// durable, and after a restart the order is asked for.
    fn settle(&self, token: Token, outcome: Outcome) {
        if let Some(record) = self.finish(token, outcome) {
            self.write(&record);
        }
    }

    /// Slow: writes a record; whether it is durable. No lock is held: versions order the records.
    fn write(&self, record: &Record) -> bool {
        gordian::slow("journal");
        self.journal.append(record).is_ok()
    }

    /// What reset and resume share: one critical section, then the disk, then the answer.
    fn change(&self, currency: Currency, change: fn(&mut Book)) -> Result<(), Refusal> {
        let record = {
            let mut cell = self.cell(currency)?.lock();
            if !cell.is_running() {
                return Err(Refusal::NotRunning);
            }
            change(&mut cell.book);
            Record {
                currency,
                book: cell.book.clone(),
                intent: None,
            }
        };
        if self.write(&record) {
            Ok(())
        } else {
            Err(Refusal::NotDurable)
        }
    }
}

impl<X: Exchange, J: Journal> Protocol for Autotrader<X, J> {
    fn currencies(&self) -> usize {
        self.cells.len()
    }

    fn start(&self) -> Option<Lease> {
        let run = {
            let mut run = self.run.lock();
            if *run % 2 == 1 {
                return None;
            }
            *run += 1;
            *run
        };
        self.publish(run);
        Some(Lease(run))
    }

    fn stop(&self) {
        let run = {
            let mut run = self.run.lock();
            *run += *run % 2;
            *run
        };
        // Also when it was stopped already: the stop that did it may still be on its way.
        self.publish(run);
    }

    fn tick(&self, lease: Lease, currency: Currency) -> Tick {
        match self.begin(lease, currency) {
            Claim::Ended => Tick::Ended,
            Claim::Refused => Tick::Quiet,
            Claim::Unknown(token, order) => self.resolve(token, order),
            Claim::Begun(token, book) => self.operate(lease, token, book),
        }
    }

    fn reset(&self, currency: Currency) -> Result<(), Refusal> {
        self.change(currency, Book::reset)
    }

    fn resume(&self, currency: Currency) -> Result<(), Refusal> {
        self.change(currency, Book::resume)
    }

    fn stats(&self, currency: Currency) -> Result<Stats, Refusal> {
        let cell = self.cell(currency)?.lock();
        let book = &cell.book;
        let (active, step, volume) = match book.cycle {
            Cycle::Idle => (false, -1, 0),
            Cycle::Active(position) => (true, position.step as i64, position.volume),
        };
        Ok(Stats {
            active,
            step,
            volume,
            paused: book.paused,
            epoch: book.epoch,
            cycle: book.cycle_id,
            busy: cell.operation.is_some(),
            unknown: matches!(
                cell.operation,
                Some(Operation {
                    phase: Phase::Unknown(_),
                    ..
                })
            ),
            orphaned: book.orphaned,
            orphans_count: book.orphans_count,
            orphans: book.orphans.clone(),
            profit: book.profit,
        })
    }
}
