//! Two threads take two locks in opposite orders, under shuttle: `ci/compare.sh` shows what it says.

use shuttle::sync::{Arc, Mutex};
use shuttle::thread;

fn main() {
    shuttle::check_dfs(both_ways, None);
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
        shuttle::check_dfs(super::both_ways, None);
    }

    #[test]
    fn something_else() {}
}
