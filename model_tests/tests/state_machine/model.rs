//! The reference: what each call does to one currency, one after the other, written down without
//! locks, tokens in flight, threads, or any code of the protocol.
//!
//! Knows the rules of trading of the settings in [`SETTINGS`](super::bench::settings). All writes
//! to the disk succeed.

use autotrader::{
    ClientOrderId, Coins, Currency, CycleId, Epoch, Money, OpId, Orphan, Refusal, Side, Stats, Tick,
};

/// Coins of one purchase.
pub(crate) const VOLUME: Coins = 2;
/// Purchases of one cycle.
pub(crate) const ROWS: usize = 3;
/// How far the price must have fallen for the next one, in thousandths.
pub(crate) const DROP: Money = 100;
/// How far above its cost a position is sold, in thousandths.
pub(crate) const PROFIT: Money = 50;

/// A call, or how one that is under way goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Start,
    Stop,
    Reset,
    Resume,
    Stats,
    /// The loop visits the currency, up to its first slow call.
    Begin,
    /// Price and balance are answered; the loop goes on to the reply of its order, if it has one.
    Submit(Quote),
    /// The order's reply, or the answer to the question what became of it.
    Finish(Outcome),
    /// The process dies, and another one begins with what the first has written.
    Restart,
}

/// What the exchange says before an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quote {
    Price(Money),
    NoPrice,
    NoBalance,
}

/// What the exchange says after one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Filled,
    /// One coin.
    Partly,
    Rejected,
    /// No answer.
    Lost,
    /// To a question: it is open. As a reply: no answer.
    Open,
}

/// What a step answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Whether there is a loop now that was not there before.
    Started(bool),
    Done(Result<(), Refusal>),
    /// The loop waits for the exchange.
    Waits(Call),
    Ticked(Tick),
    Nothing,
}

/// What the loop waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Price,
    Reply(Order),
    Query(ClientOrderId),
}

/// An order, as far as it can be foretold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) op: u64,
    pub(crate) cycle: u64,
    pub(crate) step: usize,
    pub(crate) buys: bool,
    pub(crate) volume: Coins,
    pub(crate) price: Money,
}

impl From<autotrader::Order> for Order {
    fn from(order: autotrader::Order) -> Order {
        Order {
            op: order.id.op.0,
            cycle: order.cycle.0,
            step: order.step,
            buys: order.side == Side::Buy,
            volume: order.volume,
            price: order.price,
        }
    }
}

/// What survives a restart.
#[derive(Clone, Debug, Default)]
struct Book {
    epoch: u64,
    paused: bool,
    cycle: u64,
    held: Option<Held>,
    settled: u64,
    profit: Money,
    orphaned: Coins,
    orphans_count: u64,
    /// Those since the last order went out, or since the last restart.
    orphans: Vec<Orphan>,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    step: usize,
    volume: Coins,
    cost: Money,
    price: Money,
}

/// An operation in flight.
#[derive(Clone, Copy, Debug)]
struct Flight {
    op: u64,
    epoch: u64,
    /// Number of starts and stops when it began.
    run: u64,
    order: Option<Order>,
    unknown: bool,
}

/// What the loop is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loop {
    Free,
    Deciding,
    Replying,
    Asking,
}

/// One currency and the process that trades in it.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    run: u64,
    lease: Option<u64>,
    book: Book,
    flight: Option<Flight>,
    at: Loop,
    /// What has been written.
    durable: Book,
    /// Orders about to be submitted, and the epochs in which that was decided.
    intents: Vec<(Order, u64)>,
    /// The book when the operation began: what it decides by.
    seen: Book,
    /// The book was written since then.
    written: bool,
    /// Of the last step.
    pub(crate) answer: Answer,
}

impl Model {
    pub(crate) fn new() -> Model {
        Model {
            run: 0,
            lease: None,
            book: Book::default(),
            flight: None,
            at: Loop::Free,
            durable: Book::default(),
            intents: Vec::new(),
            seen: Book::default(),
            written: false,
            answer: Answer::Nothing,
        }
    }

    /// Whether the step does anything now. One that does nothing may be left out of a sequence, or
    /// stay in it when what it was for is left out.
    pub(crate) fn allows(&self, step: Step) -> bool {
        match step {
            Step::Begin => self.at == Loop::Free && self.lease.is_some(),
            Step::Submit(_) => self.at == Loop::Deciding,
            Step::Finish(_) => matches!(self.at, Loop::Replying | Loop::Asking),
            _ => true,
        }
    }

    pub(crate) fn apply(&mut self, step: Step) {
        if !self.allows(step) {
            self.answer = Answer::Nothing;
            return;
        }
        self.answer = match step {
            Step::Start => Answer::Started(self.start()),
            Step::Stop => {
                self.run += self.run % 2;
                Answer::Nothing
            }
            Step::Reset => self.change(Book::reset),
            Step::Resume => self.change(|book| book.paused = false),
            Step::Stats => Answer::Nothing,
            Step::Begin => self.begin(),
            Step::Submit(quote) => self.submit(quote),
            Step::Finish(outcome) => self.finish(outcome),
            Step::Restart => {
                self.restart();
                Answer::Nothing
            }
        };
    }

    fn start(&mut self) -> bool {
        if self.run % 2 == 1 {
            return false;
        }
        self.run += 1;
        self.lease = Some(self.run);
        true
    }

    fn change(&mut self, change: fn(&mut Book)) -> Answer {
        if self.run.is_multiple_of(2) {
            return Answer::Done(Err(Refusal::NotRunning));
        }
        change(&mut self.book);
        self.write();
        Answer::Done(Ok(()))
    }

    fn write(&mut self) {
        self.durable = self.book.clone();
        self.written = true;
    }

    fn begin(&mut self) -> Answer {
        if self.lease != Some(self.run) {
            return Answer::Ticked(Tick::Ended);
        }
        if let Some(Flight { op, .. }) = self.flight {
            self.at = Loop::Asking;
            return Answer::Waits(Call::Query(id(op)));
        }
        if self.book.paused {
            return Answer::Ticked(Tick::Quiet);
        }
        self.flight = Some(Flight {
            op: self.book.settled + 1,
            epoch: self.book.epoch,
            run: self.run,
            order: None,
            unknown: false,
        });
        self.seen = self.book.clone();
        self.written = false;
        self.at = Loop::Deciding;
        Answer::Waits(Call::Price)
    }

    fn submit(&mut self, quote: Quote) -> Answer {
        let mut flight = self.flight.expect("an operation has begun");
        let order = match quote {
            Quote::Price(price) => self.seen.decide(flight.op, price),
            Quote::NoPrice | Quote::NoBalance => None,
        };
        if let Some(order) = order {
            self.intents.push((order, flight.epoch));
            if !self.written {
                self.durable = self.seen.clone();
            }
            // After a reset or a stop it submits nothing.
            if flight.epoch == self.book.epoch && flight.run == self.run {
                flight.order = Some(order);
                self.flight = Some(flight);
                self.book.orphans.clear();
                self.at = Loop::Replying;
                return Answer::Waits(Call::Reply(order));
            }
        }
        self.book.settled = flight.op;
        self.flight = None;
        self.at = Loop::Free;
        Answer::Ticked(Tick::Quiet)
    }

    fn finish(&mut self, outcome: Outcome) -> Answer {
        let flight = self.flight.expect("an order is in flight");
        let order = flight.order.expect("it has an order");
        let asked = self.at == Loop::Asking;
        self.at = Loop::Free;
        let volume = match outcome {
            Outcome::Filled => order.volume,
            Outcome::Partly => 1,
            Outcome::Rejected => 0,
            Outcome::Lost | Outcome::Open => {
                self.flight = Some(Flight {
                    unknown: true,
                    ..flight
                });
                return Answer::Ticked(if asked { Tick::Quiet } else { Tick::Traded });
            }
        };
        self.flight = None;
        if volume > 0 && flight.epoch == self.book.epoch {
            self.book.fill(order, volume);
        } else if volume > 0 {
            self.book.enter(Orphan {
                cycle: CycleId(order.cycle),
                order: Some(id(order.op)),
                volume: if order.buys { volume } else { -volume },
            });
        }
        self.book.settled = order.op;
        self.write();
        Answer::Ticked(Tick::Traded)
    }

    fn restart(&mut self) {
        self.book = self.durable.clone();
        self.book.orphans.clear();
        let mut open = self.intents.iter().rev();
        let open = open
            .find(|(order, _)| order.op > self.book.settled)
            .copied();
        self.flight = open.map(|(order, epoch)| Flight {
            op: order.op,
            epoch,
            run: 0,
            order: Some(order),
            unknown: true,
        });
        (self.run, self.lease, self.at) = (0, None, Loop::Free);
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats {
            active: self.book.held.is_some(),
            step: self.book.held.map_or(-1, |held| held.step as i64),
            volume: self.book.held.map_or(0, |held| held.volume),
            paused: self.book.paused,
            epoch: Epoch(self.book.epoch),
            cycle: CycleId(self.book.cycle),
            busy: self.flight.is_some(),
            unknown: self.flight.is_some_and(|flight| flight.unknown),
            orphaned: self.book.orphaned,
            orphans_count: self.book.orphans_count,
            orphans: self.book.orphans.clone(),
            profit: self.book.profit,
        }
    }

    /// What is in the account.
    pub(crate) fn balance(&self) -> Coins {
        self.book.balance()
    }
}

impl Book {
    fn balance(&self) -> Coins {
        self.held.map_or(0, |held| held.volume) + self.orphaned
    }

    fn enter(&mut self, orphan: Orphan) {
        self.orphaned += orphan.volume;
        self.orphans_count += 1;
        self.orphans.push(orphan);
    }

    fn reset(&mut self) {
        if let Some(held) = self.held.take() {
            self.enter(Orphan {
                cycle: CycleId(self.cycle),
                order: None,
                volume: held.volume,
            });
        }
        self.epoch += 1;
        self.cycle += 1;
        self.paused = true;
    }

    fn decide(&self, op: u64, price: Money) -> Option<Order> {
        let order = |step, buys, volume| Order {
            op,
            cycle: self.cycle,
            step,
            buys,
            volume,
            price,
        };
        let Some(held) = self.held else {
            return Some(order(0, true, VOLUME));
        };
        if price * held.volume * 1000 >= held.cost * (1000 + PROFIT) {
            let covered = self.balance() >= held.volume;
            return covered.then(|| order(held.step, false, held.volume));
        }
        let next = held.step + 1;
        let fallen = price * 1000 <= held.price * (1000 - DROP);
        (next < ROWS && fallen).then(|| order(next, true, VOLUME))
    }

    fn fill(&mut self, order: Order, volume: Coins) {
        let money = volume * order.price;
        let before = self.held.take();
        if order.buys {
            self.held = Some(Held {
                step: order.step,
                volume: before.map_or(0, |held| held.volume) + volume,
                cost: before.map_or(0, |held| held.cost) + money,
                price: order.price,
            });
            return;
        }
        let held = before.expect("only a position is sold");
        let cost = held.cost * volume / held.volume;
        self.profit += money - cost;
        if volume == held.volume {
            self.cycle += 1;
            return;
        }
        self.held = Some(Held {
            volume: held.volume - volume,
            cost: held.cost - cost,
            ..held
        });
    }
}

/// The id of an operation's order.
fn id(op: u64) -> ClientOrderId {
    ClientOrderId {
        currency: Currency(0),
        op: OpId(op),
    }
}
