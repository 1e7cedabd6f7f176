//! An autotrader whose main loop can be stopped at each of its slow calls.
//!
//! The loop's visit runs on a thread of its own and asks for every answer of the exchange; only one
//! of the two threads runs at any time, so that a sequence of steps has one result.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use autotrader::{
    CallFailed, ClientOrderId, Coins, Currency, CurrencySettings, Exchange, Fill, Journal, Lease,
    Money, NotDurable, Order, OrderStatus, Protocol, Record, Reply, Row, Settings, Stats, Tick,
};

use super::model::{Answer, Call, DROP, Outcome, PROFIT, Quote, ROWS, Step, VOLUME};

/// The only currency.
const C0: Currency = Currency(0);

pub(crate) fn settings() -> Settings {
    let row = Row {
        drop_permille: DROP,
        volume: VOLUME,
    };
    Settings {
        currencies: vec![CurrencySettings {
            symbol: "C0".to_owned(),
            rows: vec![row; ROWS],
            profit_permille: PROFIT,
            permitted: true,
        }],
    }
}

/// Makes the program that is tested, on what the disk has.
pub(crate) type Build = fn(Arc<Line>, Arc<Paper>, &[Record]) -> Arc<dyn Protocol>;

/// What the loop's thread says.
enum Said {
    Price,
    Balance,
    Reply(Order),
    Query(ClientOrderId),
    Cancel,
    /// The visit is over; without a result it has panicked.
    Ended(Option<Tick>),
}

/// What it is answered.
#[derive(Clone, Copy, Debug)]
enum Heard {
    Money(Option<Money>),
    Coins(Option<Coins>),
    Reply(Option<Reply>),
    Status(Option<OrderStatus>),
    Cancelled,
}

/// The exchange: asks what to answer. When nobody answers any more, every call fails.
pub(crate) struct Line {
    said: Sender<Said>,
    heard: Mutex<Receiver<Heard>>,
    posted: Mutex<Option<Order>>,
}

impl Line {
    fn ask(&self, what: Said) -> Result<Heard, CallFailed> {
        self.said.send(what).map_err(|_| CallFailed)?;
        let heard = self.heard.lock().expect("nothing panics with it");
        heard.recv().map_err(|_| CallFailed)
    }
}

impl Exchange for Line {
    fn price(&self, _: Currency) -> Result<Money, CallFailed> {
        match self.ask(Said::Price)? {
            Heard::Money(money) => money.ok_or(CallFailed),
            other => panic!("{other:?} is no price"),
        }
    }

    fn balance(&self, _: Currency) -> Result<Coins, CallFailed> {
        match self.ask(Said::Balance)? {
            Heard::Coins(coins) => coins.ok_or(CallFailed),
            other => panic!("{other:?} is no balance"),
        }
    }

    fn post(&self, order: &Order) {
        *self.posted.lock().expect("nothing panics with it") = Some(*order);
    }

    fn reply(&self, id: ClientOrderId) -> Result<Reply, CallFailed> {
        let posted = *self.posted.lock().expect("nothing panics with it");
        let order = posted.filter(|order| order.id == id);
        match self.ask(Said::Reply(order.expect("it was posted")))? {
            Heard::Reply(reply) => reply.ok_or(CallFailed),
            other => panic!("{other:?} is no reply"),
        }
    }

    fn query(&self, id: ClientOrderId) -> Result<OrderStatus, CallFailed> {
        match self.ask(Said::Query(id))? {
            Heard::Status(status) => status.ok_or(CallFailed),
            other => panic!("{other:?} is no status"),
        }
    }

    fn cancel(&self, _: ClientOrderId) -> Result<(), CallFailed> {
        self.ask(Said::Cancel).map(drop)
    }
}

/// The disk of one process: once that has died, its writes do not arrive.
#[derive(Default)]
pub(crate) struct Paper(Mutex<(bool, Vec<Record>)>);

impl Journal for Paper {
    fn append(&self, record: &Record) -> Result<(), NotDurable> {
        let (dead, records) = &mut *self.0.lock().expect("nothing panics with it");
        if *dead {
            return Err(NotDurable);
        }
        records.push(record.clone());
        Ok(())
    }
}

/// One process and its loop.
pub(crate) struct Bench {
    build: Build,
    program: Arc<dyn Protocol>,
    paper: Arc<Paper>,
    said: Receiver<Said>,
    /// For the loop's thread, when it has ended.
    says: Sender<Said>,
    answers: Sender<Heard>,
    lease: Option<Lease>,
    /// What the loop waits for.
    waits: Option<Call>,
    /// The order whose reply it waits for.
    order: Option<Order>,
}

impl Bench {
    pub(crate) fn new(build: Build, records: Vec<Record>) -> Bench {
        let (says, said) = channel();
        let (answers, heard) = channel();
        let line = Line {
            said: says.clone(),
            heard: Mutex::new(heard),
            posted: Mutex::new(None),
        };
        let program = |paper: &Arc<Paper>| build(Arc::new(line), Arc::clone(paper), &records);
        let paper = Arc::new(Paper(Mutex::new((false, records.clone()))));
        Bench {
            build,
            program: program(&paper),
            paper,
            said,
            says,
            answers,
            lease: None,
            waits: None,
            order: None,
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        self.program.stats(C0).expect("the currency is there")
    }

    /// Makes a step; `balance` is what is in the account. A step of the loop for which it does not
    /// wait is none.
    pub(crate) fn apply(&mut self, step: Step, balance: Coins) -> Answer {
        let answer = self.answer(step, balance);
        if matches!(step, Step::Begin | Step::Submit(_) | Step::Finish(_)) {
            self.waits = match answer {
                Answer::Waits(call) => Some(call),
                Answer::Nothing => self.waits,
                _ => None,
            };
        }
        answer
    }

    fn answer(&mut self, step: Step, balance: Coins) -> Answer {
        match step {
            Step::Start => {
                let lease = self.program.start();
                self.lease = lease.or(self.lease);
                Answer::Started(lease.is_some())
            }
            Step::Stop => {
                self.program.stop();
                Answer::Nothing
            }
            Step::Reset => Answer::Done(self.program.reset(C0)),
            Step::Resume => Answer::Done(self.program.resume(C0)),
            Step::Stats => {
                self.stats();
                Answer::Nothing
            }
            Step::Begin => match (self.waits, self.lease) {
                (None, Some(lease)) => self.begin(lease),
                _ => Answer::Nothing,
            },
            Step::Submit(quote) => match self.waits {
                Some(Call::Price) => self.submit(quote, balance),
                _ => Answer::Nothing,
            },
            Step::Finish(outcome) => match self.waits {
                Some(Call::Reply(_) | Call::Query(_)) => self.finish(outcome),
                _ => Answer::Nothing,
            },
            Step::Restart => {
                let mut paper = self.paper.0.lock().expect("nothing panics with it");
                paper.0 = true;
                let records = paper.1.clone();
                drop(paper);
                *self = Bench::new(self.build, records);
                Answer::Nothing
            }
        }
    }

    fn begin(&mut self, lease: Lease) -> Answer {
        let (program, says) = (Arc::clone(&self.program), self.says.clone());
        thread::spawn(move || {
            let tick = catch_unwind(AssertUnwindSafe(|| program.tick(lease, C0))).ok();
            // Nobody listens to a process that has died.
            let _ = says.send(Said::Ended(tick));
        });
        self.listen()
    }

    fn submit(&mut self, quote: Quote, balance: Coins) -> Answer {
        match quote {
            Quote::NoPrice => {
                self.say(Heard::Money(None));
                return self.listen();
            }
            Quote::Price(price) => self.say(Heard::Money(Some(price))),
            Quote::NoBalance => self.say(Heard::Money(Some(1))),
        }
        match self.said.recv() {
            Ok(Said::Balance) => {}
            _ => panic!("after the price it does not ask for the balance"),
        }
        self.say(Heard::Coins((quote != Quote::NoBalance).then_some(balance)));
        self.listen()
    }

    fn finish(&mut self, outcome: Outcome) -> Answer {
        let replies = self.order.take();
        let volume = |all: Coins| if outcome == Outcome::Partly { 1 } else { all };
        // What became of an order is the same whenever it is asked for.
        let order = replies.or_else(|| self.last_intent());
        let order = order.expect("an order is in flight");
        let volume = volume(order.volume);
        let reply = match outcome {
            Outcome::Filled | Outcome::Partly => Some(Reply::Filled(Fill {
                volume,
                money: volume * order.price,
            })),
            Outcome::Rejected => Some(Reply::Rejected),
            Outcome::Lost | Outcome::Open => None,
        };
        self.say(match (replies.is_some(), outcome) {
            (true, _) => Heard::Reply(reply),
            (false, Outcome::Open) => Heard::Status(Some(OrderStatus::Open)),
            (false, _) => Heard::Status(reply.map(OrderStatus::Closed)),
        });
        self.listen()
    }

    /// The last order that may have been submitted.
    fn last_intent(&self) -> Option<Order> {
        let paper = self.paper.0.lock().expect("nothing panics with it");
        let mut intents = paper.1.iter().filter_map(|record| record.intent);
        intents.next_back().map(|intent| intent.order)
    }

    fn say(&self, heard: Heard) {
        self.answers.send(heard).expect("the loop listens");
    }

    /// Waits until the loop has to wait for somebody.
    fn listen(&mut self) -> Answer {
        loop {
            match self.said.recv().expect("the loop says when it ends") {
                Said::Price => return Answer::Waits(Call::Price),
                Said::Reply(order) => {
                    self.order = Some(order);
                    return Answer::Waits(Call::Reply(order.into()));
                }
                Said::Query(id) => return Answer::Waits(Call::Query(id)),
                Said::Cancel => self.say(Heard::Cancelled),
                Said::Ended(tick) => return Answer::Ticked(tick.expect("the loop panics")),
                Said::Balance => panic!("it asks for the balance before the price"),
            }
        }
    }
}
