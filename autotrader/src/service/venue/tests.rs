//! The simulated exchange keeps its own promises.

use super::weather::Answer;
use super::*;

fn request(id: &str, side: Side, volume: Coins) -> OrderRequest {
    OrderRequest {
        id: id.to_owned(),
        symbol: "BTC".to_owned(),
        cycle: 1,
        step: 0,
        side,
        volume,
        price: 100,
        submitted_us: now_us(),
        expires_us: now_us() + 60_000_000,
    }
}

fn filled(volume: Coins) -> OrderState {
    OrderState::Filled {
        volume,
        money: volume * 100,
    }
}

#[test]
fn the_same_id_is_the_same_order() {
    let venue = Venue::new(Weather::Calm, 1);
    let order = request("a", Side::Buy, 5);
    for _ in 0..3 {
        assert_eq!(venue.place(&order, Match::Whole).unwrap(), filled(5));
    }
    let orders = venue.orders();
    assert_eq!((orders.len(), orders[0].repeats), (1, 2));
    assert_eq!(venue.balance("BTC", false), 5);
}

#[test]
fn an_order_that_comes_too_late_is_never_in_the_book() {
    let venue = Venue::new(Weather::Calm, 1);
    let mut order = request("a", Side::Buy, 5);
    order.expires_us = now_us();
    assert_eq!(
        venue.place(&order, Match::Whole).unwrap(),
        OrderState::Rejected
    );
    assert_eq!(venue.order("a"), None);
    assert_eq!(venue.balance("BTC", false), 0);
}

#[test]
fn what_is_not_there_is_not_sold() {
    let venue = Venue::new(Weather::Calm, 1);
    let place = |id, side, volume| {
        venue
            .place(&request(id, side, volume), Match::Whole)
            .unwrap()
    };
    assert_eq!(place("a", Side::Sell, 1), OrderState::Rejected);
    assert_eq!(place("b", Side::Buy, 5), filled(5));
    assert_eq!(place("c", Side::Sell, 6), OrderState::Rejected);
    assert_eq!(place("d", Side::Sell, 5), filled(5));
    assert_eq!(place("e", Side::Buy, 0), OrderState::Rejected);
    assert_eq!(
        place("f", Side::Buy, i64::MAX),
        OrderState::Rejected,
        "nor more than sums hold"
    );
    assert_eq!(
        (venue.balance("BTC", false), venue.balance("BTC", true)),
        (0, 5)
    );
}

#[test]
fn part_of_an_order_is_at_least_one_coin() {
    let venue = Venue::new(Weather::Calm, 7);
    let mut volumes = std::collections::BTreeSet::new();
    for number in 0..200 {
        let order = request(&number.to_string(), Side::Buy, 4);
        let OrderState::Filled { volume, money } = venue.place(&order, Match::Part).unwrap() else {
            panic!("a part of it is traded");
        };
        assert_eq!(money, volume * 100);
        volumes.insert(volume);
    }
    assert_eq!(volumes.into_iter().collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[test]
fn a_cancel_ends_only_what_waits() {
    let venue = Venue::new(Weather::Calm, 1);
    venue
        .place(&request("open", Side::Buy, 5), Match::Rest)
        .unwrap();
    venue
        .place(&request("done", Side::Buy, 5), Match::Whole)
        .unwrap();
    assert_eq!(venue.order("open"), Some(OrderState::Open));
    for id in ["open", "done", "none"] {
        venue.cancel(id).unwrap();
    }
    assert_eq!(venue.order("open"), Some(OrderState::Rejected));
    assert_eq!(venue.order("done"), Some(filled(5)));
    assert_eq!(venue.order("none"), None);
}

#[test]
fn the_book_outlives_the_process() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("book.jsonl");
    let open = || Venue::with_file(Weather::Calm, 1, &path);
    let venue = open().unwrap();
    venue
        .place(&request("a", Side::Buy, 5), Match::Whole)
        .unwrap();
    venue
        .place(&request("b", Side::Buy, 5), Match::Rest)
        .unwrap();
    venue.cancel("b").unwrap();
    let orders = venue.orders();
    drop(venue);
    // A crash in the middle of a line.
    let mut file = File::options().append(true).open(&path).unwrap();
    file.write_all(b"{\"request\":{\"id\":\"torn").unwrap();
    let venue = open().unwrap();
    assert_eq!(venue.orders(), orders);
    assert_eq!(venue.balance("BTC", false), 5);
    venue
        .place(&request("c", Side::Sell, 5), Match::Whole)
        .unwrap();
    assert_eq!(
        open().unwrap().orders().len(),
        3,
        "what comes after the torn line is read"
    );
    std::fs::write(&path, "something else\n").unwrap();
    assert!(open().is_err());
}

/// What happens in so many calls, in thousandths.
fn share(weather: Weather, call: Call, is_so: impl Fn(&Plan) -> bool) -> u32 {
    const CALLS: u32 = 20_000;
    let mut random = Pcg64Mcg::seed_from_u64(3);
    let found = (0..CALLS).filter(|_| is_so(&weather.plan(call, &mut random)));
    found.count() as u32 * 1000 / CALLS
}

#[test]
fn the_weather_is_as_its_name_says() {
    let about = |found: u32, wanted: u32| found.abs_diff(wanted) <= 20;
    for weather in [
        Weather::Calm,
        Weather::Fast,
        Weather::Slow3,
        Weather::Slow15,
    ] {
        assert_eq!(
            share(weather, Call::Place, |plan| plan.answer != Answer::True),
            0
        );
    }
    let never = |plan: &Plan| plan.answer == Answer::Never;
    assert!(about(share(Weather::Hanging, Call::Look, never), 250));
    assert_eq!(share(Weather::Lossy, Call::Place, never), 0);
    let lost = |plan: &Plan| !plan.arrives;
    assert!(about(share(Weather::Lossy, Call::Place, lost), 100));
    assert_eq!(
        share(Weather::Lossy, Call::Look, lost),
        0,
        "only orders are lost on the way"
    );
    let reply_lost = |plan: &Plan| plan.arrives && plan.answer == Answer::Error;
    assert!(about(share(Weather::Lossy, Call::Place, reply_lost), 135));
    for (weather, seconds) in [(Weather::Slow3, 3), (Weather::Slow15, 15)] {
        let slow = |plan: &Plan| plan.delay.as_secs_f64().round() as u64 == seconds;
        assert_eq!(share(weather, Call::Place, slow), 1000);
        assert!(about(share(weather, Call::Look, slow), 250));
    }
}

#[test]
fn the_same_seed_is_the_same_weather() {
    let drawn = |seed| {
        let venue = Venue::new(Weather::Lossy, seed);
        (0..50).map(|_| venue.plan(Call::Place)).collect::<Vec<_>>()
    };
    assert_eq!(drawn(5), drawn(5));
    assert_ne!(drawn(5), drawn(6));
}

/// What an exchange with a file knows after so many orders, which expire then; all are in the file.
fn remembered(orders: usize, expires_us: u64) -> (usize, Coins, usize) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("book.jsonl");
    let venue = Venue::with_file(Weather::Calm, 1, &path).unwrap();
    venue
        .place(&request("open", Side::Buy, 5), Match::Rest)
        .unwrap();
    for number in 0..orders {
        let order = Placed {
            request: OrderRequest {
                expires_us,
                ..request(&format!("{number:05}"), Side::Buy, 2)
            },
            placed_us: 0,
            state: filled(2),
            repeats: 0,
        };
        let mut state = venue.state.lock();
        state.write(&order).unwrap();
        state.note(order);
    }
    let last = format!("{:05}", orders - 1);
    assert_eq!(venue.order(&last), Some(filled(2)));
    assert_eq!(venue.order("open"), Some(OrderState::Open), "it waits");
    let lines = std::fs::read_to_string(&path).unwrap().lines().count();
    (venue.orders().len(), venue.balance("BTC", false), lines)
}

#[test]
fn what_is_over_and_expired_is_forgotten_but_for_the_latest() {
    const ORDERS: usize = 5_000;
    let coins = 2 * ORDERS as Coins;
    assert_eq!(remembered(ORDERS, 0), (REMEMBERED + 1, coins, ORDERS + 1));
    // What could still be placed again is still the same order.
    assert_eq!(
        remembered(ORDERS, u64::MAX),
        (ORDERS + 1, coins, ORDERS + 1)
    );
}

#[test]
fn who_judges_has_the_whole_book() {
    let venue = Venue::new(Weather::Calm, 1);
    for number in 0..=2 * REMEMBERED {
        let mut order = request(&number.to_string(), Side::Buy, 1);
        order.expires_us = now_us() + 1_000_000;
        venue.place(&order, Match::Whole).unwrap();
    }
    assert_eq!(venue.orders().len(), 2 * REMEMBERED + 1);
}

#[test]
fn what_is_waited_for_is_known() {
    let venue = Arc::new(Venue::new(Weather::Calm, 1));
    assert_eq!(venue.in_progress("BTC"), None);
    let look = venue.asked("BTC", Call::Look);
    assert_eq!(venue.in_progress("BTC"), Some(Call::Look));
    let order = venue.asked("BTC", Call::Place);
    assert_eq!(venue.in_progress("BTC"), Some(Call::Place));
    assert_eq!(venue.in_progress("ETH"), None);
    drop(look);
    assert_eq!(venue.in_progress("BTC"), Some(Call::Place));
    drop(order);
    assert_eq!(venue.in_progress("BTC"), None);
}
