//! Two threads take two locks in opposite orders, under loom: `ci/compare.sh` shows what it says.

use loom::sync::{Arc, Mutex};
use loom::thread;

fn main() {
    loom::model(both_ways);
}

fn both_ways() {
    let alice = Arc::new(Mutex::new(100));
    let bob = Arc::new(Mutex::new(100));
    let (a, b) = (Arc::clone(&alice), Arc::clone(&bob));
    let teller = thread::Builder::new().name("teller".to_owned());
    let teller = teller.spawn(move || transfer(&b, &a, 5)).unwrap();
    transfer(&alice, &bob, 10);
    teller.join().unwrap();
}

fn transfer(from: &Mutex<u64>, to: &Mutex<u64>, amount: u64) {
    let mut source = from.lock().unwrap();
    let mut target = to.lock().unwrap();
    *source -= amount;
    *target += amount;
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_ways() {
        loom::model(super::both_ways);
    }

    #[test]
    fn something_else() {}
}
