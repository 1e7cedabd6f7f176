//! Two threads take two locks in opposite orders, under Gordian: `ci/compare.sh` shows what it says.

use gordian::sync::{Arc, Mutex};
use gordian::{Named, thread};

fn main() {
    gordian::check(both_ways).assert_clean();
}

fn both_ways() {
    let alice = Arc::new(Mutex::new(100).named("alice"));
    let bob = Arc::new(Mutex::new(100).named("bob"));
    let (a, b) = (Arc::clone(&alice), Arc::clone(&bob));
    let teller = thread::Builder::new().name("teller".to_owned());
    let teller = teller.spawn(move || transfer(&b, &a, 5)).unwrap();
    transfer(&alice, &bob, 10);
    teller.join().unwrap();
}

fn transfer(from: &Mutex<u64>, to: &Mutex<u64>, amount: u64) {
    let mut source = from.lock();
    let mut target = to.lock();
    *source -= amount;
    *target += amount;
}

#[cfg(test)]
mod tests {
    #[gordian::test]
    fn both_ways() {
        super::both_ways();
    }

    #[test]
    fn something_else() {}
}
