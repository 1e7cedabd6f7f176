//! What the protocol does when one thing happens after the other. What it does when they happen at
//! the same time is proved in `model_tests`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, Weak};

use autotrader::{
    Autotrader, Book, CallFailed, ClientOrderId, Coins, Currency, CurrencySettings, CycleId,
    Exchange, Fill, Journal, Lease, Money, NoJournal, NotDurable, ORPHANS_MAX, OpId, Order,
    OrderStatus, Protocol, Record, Refusal, Reply, Row, Settings, Side, Stats, Tick, recover,
};

const BTC: Currency = Currency(0);
const ETH: Currency = Currency(1);
const NONE: Currency = Currency(2);

/// What the exchange will do, and what it was asked.
#[derive(Debug, Default)]
struct Script {
    price: Option<Money>,
    balance: Option<Coins>,
    /// Answers to orders; an order for which there is none is filled in full.
    replies: VecDeque<Result<Reply, CallFailed>>,
    /// Answers to queries; then they fail.
    queries: VecDeque<OrderStatus>,
    orders: Vec<Order>,
    cancels: usize,
}

#[derive(Clone, Debug, Default)]
struct Scripted(Arc<Mutex<Script>>);

impl Scripted {
    fn set(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.0.lock().unwrap());
    }

    fn orders(&self) -> Vec<Order> {
        self.0.lock().unwrap().orders.clone()
    }
}

impl Exchange for Scripted {
    fn price(&self, _: Currency) -> Result<Money, CallFailed> {
        self.0.lock().unwrap().price.ok_or(CallFailed)
    }

    fn balance(&self, _: Currency) -> Result<Coins, CallFailed> {
        self.0.lock().unwrap().balance.ok_or(CallFailed)
    }

    fn post(&self, order: &Order) {
        self.0.lock().unwrap().orders.push(*order);
    }

    fn reply(&self, id: ClientOrderId) -> Result<Reply, CallFailed> {
        let mut script = self.0.lock().unwrap();
        let order = *script
            .orders
            .iter()
            .find(|order| order.id == id)
            .expect("it was submitted");
        let full = Fill {
            volume: order.volume,
            money: order.volume * order.price,
        };
        script
            .replies
            .pop_front()
            .unwrap_or(Ok(Reply::Filled(full)))
    }

    fn query(&self, _: ClientOrderId) -> Result<OrderStatus, CallFailed> {
        self.0.lock().unwrap().queries.pop_front().ok_or(CallFailed)
    }

    fn cancel(&self, _: ClientOrderId) -> Result<(), CallFailed> {
        self.0.lock().unwrap().cancels += 1;
        Ok(())
    }
}

/// A journal in memory, which can be made to fail.
#[derive(Clone, Debug, Default)]
struct Paper(Arc<Mutex<(Vec<Record>, bool)>>);

impl Paper {
    fn records(&self) -> Vec<Record> {
        self.0.lock().unwrap().0.clone()
    }

    fn fail(&self, fails: bool) {
        self.0.lock().unwrap().1 = fails;
    }
}

impl Journal for Paper {
    fn append(&self, record: &Record) -> Result<(), NotDurable> {
        let (records, fails) = &mut *self.0.lock().unwrap();
        if *fails {
            return Err(NotDurable);
        }
        records.push(record.clone());
        Ok(())
    }
}

/// Three purchases of 2 coins, each after a fall by 10 %; sold for 5 % more than they cost.
fn settings() -> Settings {
    let currency = |symbol: &str| CurrencySettings {
        symbol: symbol.to_owned(),
        rows: vec![
            Row {
                drop_permille: 100,
                volume: 2
            };
            3
        ],
        profit_permille: 50,
        permitted: true,
    };
    Settings {
        currencies: vec![currency("BTC"), currency("ETH")],
    }
}

type Trader = Autotrader<Scripted, Paper>;

/// A running trader; the price is 100 and the balance 0.
fn running() -> (Trader, Lease, Scripted, Paper) {
    let (exchange, paper) = (Scripted::default(), Paper::default());
    exchange.set(|script| (script.price, script.balance) = (Some(100), Some(0)));
    let trader = Autotrader::new(exchange.clone(), paper.clone(), settings());
    let lease = trader.start().expect("it was stopped");
    (trader, lease, exchange, paper)
}

fn state(trader: &Trader) -> Stats {
    trader.stats(BTC).unwrap()
}

fn filled(volume: Coins, money: Money) -> Reply {
    Reply::Filled(Fill { volume, money })
}

#[test]
fn a_cycle_is_bought_rebought_and_sold() {
    // Price and balance before each tick; step, volume and profit after it.
    let ticks = [
        (100, 0, 0, 2, 0),
        (95, 2, 0, 2, 0),
        (90, 2, 1, 4, 0),
        (81, 4, 2, 6, 0),
        (50, 6, 2, 6, 0),
        (94, 6, 2, 6, 0),
        (95, 6, -1, 0, 570 - 542),
        (95, 0, 0, 2, 28),
    ];
    let (trader, lease, exchange, _) = running();
    for (number, (price, balance, step, volume, profit)) in ticks.into_iter().enumerate() {
        exchange.set(|script| (script.price, script.balance) = (Some(price), Some(balance)));
        trader.tick(lease, BTC);
        let stats = state(&trader);
        let seen = (stats.step, stats.volume, stats.profit);
        assert_eq!(seen, (step, volume, profit), "after tick {number}");
        assert!(!stats.busy && !stats.paused && stats.active == (step >= 0));
    }
    let labels: Vec<_> = exchange
        .orders()
        .iter()
        .map(|order| (order.cycle.0, order.step, order.side))
        .collect();
    let first = [
        (0, 0, Side::Buy),
        (0, 1, Side::Buy),
        (0, 2, Side::Buy),
        (0, 2, Side::Sell),
    ];
    assert_eq!(labels[..4], first);
    assert_eq!(labels[4..], [(1, 0, Side::Buy)]);
}

#[test]
fn guards_fail_closed() {
    // Price, balance, coins held before: nothing is submitted.
    let cases = [
        (None, Some(0), false),
        (Some(100), None, false),
        // Coins that the books do not explain.
        (Some(100), Some(1), false),
        (Some(90), Some(3), true),
        // A sale that the account does not cover.
        (Some(200), Some(1), true),
        // Neither low enough nor high enough.
        (Some(100), Some(2), true),
    ];
    for case in cases {
        let (trader, lease, exchange, paper) = running();
        let (price, balance, held) = case;
        if held {
            trader.tick(lease, BTC);
        }
        let (orders, records) = (exchange.orders().len(), paper.records().len());
        exchange.set(|script| (script.price, script.balance) = (price, balance));
        assert_eq!(trader.tick(lease, BTC), Tick::Quiet, "{case:?}");
        assert_eq!(exchange.orders().len(), orders, "{case:?}");
        assert_eq!(paper.records().len(), records, "{case:?}: nothing to write");
        assert!(!state(&trader).busy, "{case:?}");
    }
}

#[test]
fn reset_gives_the_position_to_the_orphan_ledger_and_pauses() {
    let (trader, lease, exchange, paper) = running();
    trader.tick(lease, BTC);
    assert_eq!(trader.reset(BTC), Ok(()));
    let stats = state(&trader);
    assert!(!stats.active && stats.paused && stats.epoch.0 == 1 && stats.cycle.0 == 1);
    assert_eq!((stats.orphaned, stats.orphans[0].order), (2, None));
    assert_eq!(trader.tick(lease, BTC), Tick::Quiet, "paused");
    assert_eq!(exchange.orders().len(), 1, "nothing is sold");
    assert_eq!(paper.records().last().unwrap().book.epoch.0, 1, "durable");

    assert_eq!(trader.resume(BTC), Ok(()));
    let resumed = state(&trader);
    assert_eq!(
        resumed,
        Stats {
            paused: false,
            ..stats
        },
        "resume clears the pause only"
    );
    exchange.set(|script| script.balance = Some(2));
    trader.tick(lease, BTC);
    let stats = state(&trader);
    assert!(
        stats.active && stats.volume == 2 && stats.orphaned == 2,
        "orphans are explained"
    );
}

#[test]
fn a_resume_without_a_pause_changes_nothing() {
    let (trader, lease, ..) = running();
    trader.tick(lease, BTC);
    let before = state(&trader);
    assert_eq!(trader.resume(BTC), Ok(()));
    assert_eq!(state(&trader), before);
}

/// How an order without an answer ends, by what the queries say.
#[test]
fn an_unknown_order_is_asked_for_until_its_fate_is_known() {
    let answers = [
        (OrderStatus::Closed(filled(2, 200)), 2),
        (OrderStatus::Closed(filled(1, 100)), 1),
        (OrderStatus::Closed(Reply::Rejected), 0),
    ];
    for (answer, volume) in answers {
        let (trader, lease, exchange, _) = running();
        exchange.set(|script| script.replies.push_back(Err(CallFailed)));
        assert_eq!(trader.tick(lease, BTC), Tick::Traded);
        assert!(state(&trader).unknown);
        // The query fails; then the order is open and is cancelled; then it is known.
        assert_eq!(trader.tick(lease, BTC), Tick::Quiet);
        exchange.set(|script| script.queries.push_back(OrderStatus::Open));
        assert_eq!(trader.tick(lease, BTC), Tick::Quiet);
        assert_eq!(exchange.0.lock().unwrap().cancels, 1);
        assert!(state(&trader).unknown, "a cancel says nothing about fills");
        exchange.set(|script| script.queries.push_back(answer));
        assert_eq!(trader.tick(lease, BTC), Tick::Traded);
        let stats = state(&trader);
        assert!(!stats.unknown && !stats.busy);
        assert_eq!(stats.volume, volume);
        assert_eq!(
            exchange.orders().len(),
            1,
            "no second order in the meantime"
        );
    }
}

#[test]
fn an_unknown_order_of_a_reset_cycle_becomes_an_orphan_even_while_paused() {
    let (trader, lease, exchange, _) = running();
    exchange.set(|script| script.replies.push_back(Err(CallFailed)));
    trader.tick(lease, BTC);
    trader.reset(BTC).unwrap();
    assert!(state(&trader).unknown, "a reset does not make it known");
    let known = OrderStatus::Closed(filled(2, 200));
    exchange.set(|script| script.queries.push_back(known));
    assert_eq!(trader.tick(lease, BTC), Tick::Traded);
    let stats = state(&trader);
    assert!(!stats.active && stats.paused && !stats.busy);
    assert_eq!(stats.orphans.len(), 1);
    assert_eq!((stats.orphaned, stats.orphans[0].cycle), (2, CycleId(0)));
}

#[test]
fn a_rejected_order_is_tried_again_under_a_new_id() {
    let (trader, lease, exchange, _) = running();
    exchange.set(|script| script.replies.push_back(Ok(Reply::Rejected)));
    trader.tick(lease, BTC);
    assert!(!state(&trader).active);
    trader.tick(lease, BTC);
    assert!(state(&trader).active);
    let ids: Vec<_> = exchange.orders().iter().map(|order| order.id.op).collect();
    assert_eq!(ids, [OpId(1), OpId(2)]);
}

#[test]
fn a_sale_that_is_filled_in_part_leaves_the_rest() {
    let (trader, lease, exchange, _) = running();
    trader.tick(lease, BTC);
    exchange.set(|script| {
        (script.price, script.balance) = (Some(110), Some(2));
        script.replies.push_back(Ok(filled(1, 110)));
    });
    trader.tick(lease, BTC);
    let stats = state(&trader);
    assert_eq!((stats.active, stats.volume, stats.profit), (true, 1, 10));
    exchange.set(|script| script.balance = Some(1));
    trader.tick(lease, BTC);
    let stats = state(&trader);
    assert_eq!((stats.active, stats.volume, stats.profit), (false, 0, 20));
}

#[test]
fn a_sale_in_part_costs_its_share() {
    let (trader, lease, exchange, _) = running();
    for price in [100, 90] {
        exchange.set(|script| script.price = Some(price));
        trader.tick(lease, BTC);
        exchange.set(|script| script.balance = Some(2));
    }
    exchange.set(|script| {
        (script.price, script.balance) = (Some(110), Some(4));
        script.replies.push_back(Ok(filled(3, 330)));
    });
    trader.tick(lease, BTC);
    // 4 coins cost 380, 3 of them 285.
    let stats = state(&trader);
    assert_eq!((stats.volume, stats.profit), (1, 330 - 285));
}

#[test]
fn nothing_is_submitted_without_a_durable_intent() {
    let (trader, lease, exchange, paper) = running();
    paper.fail(true);
    assert_eq!(trader.tick(lease, BTC), Tick::Quiet);
    assert!(exchange.orders().is_empty() && !state(&trader).busy);
    assert_eq!(trader.reset(BTC), Err(Refusal::NotDurable));
    assert!(state(&trader).paused, "it is done all the same");
    paper.fail(false);
    assert_eq!(trader.resume(BTC), Ok(()));
    assert_eq!(trader.tick(lease, BTC), Tick::Traded);
}

#[test]
fn one_loop_at_a_time() {
    let (trader, first, exchange, _) = running();
    assert_eq!(trader.start(), None, "it runs already");
    assert!(trader.pass(first));
    trader.stop();
    trader.stop();
    assert!(!trader.pass(first), "stopped");
    assert_eq!(trader.reset(BTC), Err(Refusal::NotRunning));
    assert_eq!(trader.resume(BTC), Err(Refusal::NotRunning));
    assert!(trader.stats(BTC).is_ok(), "looking is always allowed");
    let second = trader.start().expect("it was stopped");
    assert!(
        !trader.pass(first),
        "an old lease does not come to life again"
    );
    assert!(trader.pass(second));
    assert_eq!(exchange.orders().len(), 2, "one for each currency");
}

/// The number of a run grows by one with each start and each stop: there is always a next one.
#[test]
fn it_can_be_stopped_and_started_for_ever() {
    let (trader, mut lease, ..) = running();
    for _ in 0..200 {
        trader.stop();
        trader.stop();
        assert!(!trader.pass(lease));
        lease = trader.start().expect("it was stopped");
    }
    assert!(trader.pass(lease));
}

#[test]
fn what_is_not_permitted_is_not_traded() {
    let (trader, lease, exchange, _) = running();
    trader.permit(BTC, false).unwrap();
    assert!(trader.pass(lease));
    let bought: Vec<_> = exchange
        .orders()
        .iter()
        .map(|order| order.id.currency)
        .collect();
    assert_eq!(bought, [ETH]);
    trader.permit(BTC, true).unwrap();
    trader.tick(lease, BTC);
    assert!(state(&trader).active);
}

#[test]
fn unknown_currencies_are_refused() {
    let (trader, ..) = running();
    assert_eq!(trader.currencies(), 2);
    for refusal in [
        trader.reset(NONE).unwrap_err(),
        trader.resume(NONE).unwrap_err(),
        trader.stats(NONE).unwrap_err(),
        trader.permit(NONE, true).unwrap_err(),
    ] {
        assert_eq!((refusal, refusal.status()), (Refusal::UnknownCurrency, 404));
    }
}

/// An exchange knows an order by this text: two orders never share one.
#[test]
fn order_ids_are_written_with_currency_and_operation() {
    let id = |currency, op| {
        let (currency, op) = (Currency(currency), OpId(op));
        ClientOrderId { currency, op }.to_string()
    };
    assert_eq!(id(1, 12), "t-1-12");
    assert_ne!(id(1, 12), id(11, 2));
}

/// What is said to whoever is refused names the way out, and each refusal has its own words.
#[test]
fn refusals_say_what_to_do() {
    let all = [
        (Refusal::UnknownCurrency, 404, "name one of"),
        (Refusal::NotRunning, 409, "start it"),
        (Refusal::NotDurable, 500, "repeat it"),
        (Refusal::Failed, 500, "failed halfway"),
        (Refusal::Busy, 503, "try again"),
    ];
    for (refusal, status, way_out) in all {
        assert_eq!(refusal.status(), status, "{refusal:?}");
        let text = refusal.to_string();
        assert!(text.contains(way_out), "{refusal:?}: {text}");
    }
    // These two are logged, not answered.
    assert!(CallFailed.to_string().contains("exchange"));
    assert!(NotDurable.to_string().contains("journal"));
}

/// Ends a process after so many records, starts another, and looks at what it knows.
#[test]
fn a_restart_at_any_record_loses_nothing() {
    let (trader, lease, exchange, paper) = running();
    trader.tick(lease, BTC);
    trader.reset(BTC).unwrap();
    trader.resume(BTC).unwrap();
    exchange.set(|script| script.balance = Some(2));
    trader.tick(lease, BTC);
    let records = paper.records();
    // Active, coins held, orphans, paused, unknown; after each record.
    let expected = [
        (false, 0, 0, false, false),
        (false, 0, 0, false, true),
        (true, 2, 0, false, false),
        (false, 0, 2, true, false),
        (false, 0, 2, false, false),
        (false, 0, 2, false, true),
        (true, 2, 2, false, false),
    ];
    assert_eq!(records.len() + 1, expected.len());
    for (count, expected) in expected.into_iter().enumerate() {
        let again =
            Autotrader::restored(exchange.clone(), NoJournal, settings(), &records[..count]);
        let stats = again.stats(BTC).unwrap();
        let seen = (
            stats.active,
            stats.volume,
            stats.orphaned,
            stats.paused,
            stats.unknown,
        );
        assert_eq!(seen, expected, "after {count} records");
        let order = records[..count].last().and_then(|record| record.intent);
        assert_eq!(stats.unknown, order.is_some());
    }
}

#[test]
fn the_version_decides_not_the_place_in_the_file() {
    let record = |version, paused| Record {
        currency: BTC,
        book: Book {
            version,
            paused,
            ..Book::default()
        },
        intent: None,
    };
    for order in [[1, 2, 3], [3, 1, 2], [2, 3, 1]] {
        let records: Vec<_> = order
            .iter()
            .map(|version| record(*version, *version == 3))
            .collect();
        let found = &recover(&records)[&BTC];
        assert_eq!(
            (found.book.version, found.book.paused, found.pending),
            (3, true, None)
        );
    }
}

#[test]
fn a_restored_trader_goes_on_with_new_order_ids() {
    let (trader, lease, exchange, paper) = running();
    exchange.set(|script| script.replies.push_back(Err(CallFailed)));
    trader.tick(lease, BTC);
    let records = paper.records();
    let again = Autotrader::restored(exchange.clone(), Paper::default(), settings(), &records);
    let lease = again.start().unwrap();
    assert!(state(&again).unknown);
    assert_eq!(
        again.tick(lease, BTC),
        Tick::Quiet,
        "the query fails: nothing is enabled"
    );
    exchange.set(|script| {
        script
            .queries
            .push_back(OrderStatus::Closed(Reply::Rejected))
    });
    again.tick(lease, BTC);
    assert_eq!(again.tick(lease, BTC), Tick::Traded);
    let ids: Vec<_> = exchange
        .orders()
        .iter()
        .map(|order| order.id.op.0)
        .collect();
    assert_eq!(ids, [1, 2]);
}

/// An exchange that breaks its promise not to panic, in the middle of a critical section.
#[derive(Debug)]
struct Panicking;

impl Exchange for Panicking {
    fn price(&self, _: Currency) -> Result<Money, CallFailed> {
        Ok(100)
    }

    fn balance(&self, _: Currency) -> Result<Coins, CallFailed> {
        Ok(0)
    }

    fn post(&self, _: &Order) {
        panic!("the queue is broken");
    }

    fn reply(&self, _: ClientOrderId) -> Result<Reply, CallFailed> {
        unreachable!("nothing was submitted")
    }

    fn query(&self, _: ClientOrderId) -> Result<OrderStatus, CallFailed> {
        Err(CallFailed)
    }

    fn cancel(&self, _: ClientOrderId) -> Result<(), CallFailed> {
        Err(CallFailed)
    }
}

#[test]
fn a_panic_under_the_lock_gives_it_back_and_enables_nothing() {
    let trader = Autotrader::new(Panicking, NoJournal, settings());
    let lease = trader.start().unwrap();
    let panicked = std::thread::scope(|scope| scope.spawn(|| trader.tick(lease, BTC)).join());
    assert!(panicked.is_err());
    assert_eq!(trader.reset(BTC), Ok(()));
    assert_eq!(trader.resume(BTC), Ok(()));
    assert!(
        trader.stats(BTC).unwrap().busy,
        "the order may have been submitted"
    );
    assert_eq!(trader.tick(lease, BTC), Tick::Quiet, "so nothing else is");
}

/// An exchange during whose call for the balance something else happens.
struct Meanwhile {
    exchange: Scripted,
    trader: OnceLock<Weak<Autotrader<Meanwhile, NoJournal>>>,
    happens: fn(&Autotrader<Meanwhile, NoJournal>),
}

impl Exchange for Meanwhile {
    fn price(&self, currency: Currency) -> Result<Money, CallFailed> {
        self.exchange.price(currency)
    }

    fn balance(&self, currency: Currency) -> Result<Coins, CallFailed> {
        let trader = self
            .trader
            .get()
            .and_then(Weak::upgrade)
            .expect("it is there");
        (self.happens)(&trader);
        self.exchange.balance(currency)
    }

    fn post(&self, order: &Order) {
        self.exchange.post(order);
    }

    fn reply(&self, id: ClientOrderId) -> Result<Reply, CallFailed> {
        self.exchange.reply(id)
    }

    fn query(&self, id: ClientOrderId) -> Result<OrderStatus, CallFailed> {
        self.exchange.query(id)
    }

    fn cancel(&self, id: ClientOrderId) -> Result<(), CallFailed> {
        self.exchange.cancel(id)
    }
}

#[test]
fn what_happens_during_a_slow_call_counts_at_the_submission() {
    type Happens = fn(&Autotrader<Meanwhile, NoJournal>);
    let cases: &[(&str, Happens, usize)] = &[
        ("nothing", |_| {}, 1),
        ("a look", |trader| drop(trader.stats(BTC)), 1),
        ("a resume", |trader| trader.resume(BTC).unwrap(), 1),
        (
            "a reset of the other currency",
            |trader| trader.reset(ETH).unwrap(),
            1,
        ),
        (
            "permission withdrawn",
            |trader| trader.permit(BTC, false).unwrap(),
            0,
        ),
        ("a reset", |trader| trader.reset(BTC).unwrap(), 0),
        ("a stop", Protocol::stop, 0),
        (
            "a reset and a resume",
            |trader| {
                trader.reset(BTC).unwrap();
                trader.resume(BTC).unwrap();
            },
            0,
        ),
        (
            "a stop and a start",
            |trader| {
                trader.stop();
                trader.start().expect("it was stopped");
            },
            0,
        ),
    ];
    for (what, happens, orders) in cases {
        let exchange = Scripted::default();
        exchange.set(|script| (script.price, script.balance) = (Some(100), Some(0)));
        let happens = *happens;
        let trader = Arc::new_cyclic(|itself| {
            let trader = OnceLock::from(itself.clone());
            let exchange = Meanwhile {
                exchange: exchange.clone(),
                trader,
                happens,
            };
            Autotrader::new(exchange, NoJournal, settings())
        });
        let lease = trader.start().unwrap();
        trader.tick(lease, BTC);
        assert_eq!(exchange.orders().len(), *orders, "{what}");
        assert!(
            !trader.stats(BTC).unwrap().busy,
            "{what}: the token was given back"
        );
    }
}

/// What has left memory is in the journal: each entry, at its place, and no other.
#[test]
fn the_orphan_ledger_does_not_grow_in_memory() {
    const CYCLES: u64 = 50;
    let (trader, lease, exchange, paper) = running();
    for cycle in 0..CYCLES {
        exchange.set(|script| script.balance = Some(2 * cycle as Coins));
        assert_eq!(trader.tick(lease, BTC), Tick::Traded);
        trader.reset(BTC).unwrap();
        trader.resume(BTC).unwrap();
        let stats = state(&trader);
        let seen = (stats.orphans_count, stats.orphaned, stats.orphans.len());
        assert_eq!(seen, (cycle + 1, 2 * (cycle as Coins + 1), 1));
        assert_eq!(stats.orphans[0].cycle, CycleId(cycle));
    }
    let mut ledger = BTreeMap::new();
    for Record { book, .. } in paper.records() {
        assert!(book.orphans.len() <= ORPHANS_MAX);
        for (place, orphan) in (book.orphans_archived()..).zip(book.orphans) {
            assert_eq!(*ledger.entry(place).or_insert(orphan), orphan);
        }
    }
    let entries = ledger
        .into_iter()
        .map(|(place, orphan)| (place, orphan.cycle.0));
    let expected: Vec<_> = (0..CYCLES).map(|cycle| (cycle, cycle)).collect();
    assert_eq!(entries.collect::<Vec<_>>(), expected);
}

/// A reset while a sale is in flight, then its fill: no more than that can come before an order.
#[test]
fn a_reset_and_a_late_fill_are_the_most_that_memory_holds() {
    let (trader, lease, exchange, _) = running();
    trader.tick(lease, BTC);
    exchange.set(|script| {
        (script.price, script.balance) = (Some(200), Some(2));
        script.replies.push_back(Err(CallFailed));
    });
    trader.tick(lease, BTC);
    trader.reset(BTC).unwrap();
    let known = OrderStatus::Closed(filled(2, 400));
    exchange.set(|script| script.queries.push_back(known));
    trader.tick(lease, BTC);
    let volumes: Vec<_> = state(&trader)
        .orphans
        .iter()
        .map(|orphan| orphan.volume)
        .collect();
    assert_eq!(volumes, [2, -2]);
    assert_eq!(volumes.len(), ORPHANS_MAX);
    trader.reset(BTC).unwrap();
    trader.resume(BTC).unwrap();
    exchange.set(|script| script.balance = Some(0));
    trader.tick(lease, BTC);
    let stats = state(&trader);
    let seen = (
        stats.active,
        stats.orphans.len(),
        stats.orphans_count,
        stats.orphaned,
    );
    assert_eq!(seen, (true, 0, 2, 0), "its order lets them go");
}

/// Records of one version say the same, so that it does not matter which of them is found.
#[test]
fn what_differs_has_another_version() {
    let (trader, lease, exchange, paper) = running();
    for round in 0..3 {
        exchange.set(|script| script.balance = Some(2 * round));
        assert_eq!(trader.tick(lease, BTC), Tick::Traded);
        trader.reset(BTC).unwrap();
        trader.resume(BTC).unwrap();
    }
    let mut books: BTreeMap<u64, Book> = BTreeMap::new();
    for Record { book, .. } in paper.records() {
        let known = books.entry(book.version).or_insert_with(|| book.clone());
        assert_eq!(*known, book, "two books of one version");
    }
    assert!(
        books.len() > 9,
        "each purchase, reset and resume: {books:?}"
    );
}

/// What is shared does what it does when it is not.
#[test]
fn exchange_and_journal_may_be_shared() {
    let (exchange, paper) = (Scripted::default(), Paper::default());
    exchange.set(|script| {
        (script.price, script.balance) = (Some(100), Some(0));
        script.replies.push_back(Err(CallFailed));
        let fate = [OrderStatus::Open, OrderStatus::Closed(filled(2, 200))];
        script.queries.extend(fate);
    });
    let shared = (Arc::new(exchange.clone()), Arc::new(paper.clone()));
    let trader = Autotrader::new(shared.0, shared.1, settings());
    let lease = trader.start().expect("it was stopped");
    assert_eq!(trader.tick(lease, BTC), Tick::Traded);
    assert!(trader.stats(BTC).unwrap().unknown, "no answer came");
    assert_eq!(trader.tick(lease, BTC), Tick::Quiet, "it is cancelled");
    assert_eq!(trader.tick(lease, BTC), Tick::Traded, "its fate is known");
    let stats = trader.stats(BTC).unwrap();
    assert_eq!((stats.unknown, stats.volume), (false, 2));
    assert_eq!(exchange.orders().len(), 1);
    assert_eq!(exchange.0.lock().unwrap().cancels, 1);
    assert!(!paper.records().is_empty());
    // More coins than it bought: it asks for the balance, and buys no more.
    exchange.set(|script| (script.price, script.balance) = (Some(50), Some(9)));
    trader.tick(lease, BTC);
    assert_eq!(exchange.orders().len(), 1, "balances are the exchange's");
    exchange.set(|script| (script.price, script.balance) = (None, Some(2)));
    trader.tick(lease, BTC);
    assert_eq!(exchange.orders().len(), 1, "prices are the exchange's");
}
