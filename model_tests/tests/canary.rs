//! The gate's canary: a deadlock that must be found wherever the gate runs. Nobody else has to fail
//! for it, so it is ignored; `.config/gordian.toml` names it.

use std::sync::Arc;

use gordian::Named;
use gordian::sync::Mutex;
use gordian::thread;

#[gordian::test]
#[ignore = "planted: `cargo gordian gate` fails unless it finds this"]
fn opposite_orders_deadlock() {
    let locks = Arc::new((Mutex::new(()).named("alice"), Mutex::new(()).named("bob")));
    let other = Arc::clone(&locks);
    let thread = thread::spawn(move || {
        let _bob = other.1.lock();
        let _alice = other.0.lock();
    });
    let alice = locks.0.lock();
    let bob = locks.1.lock();
    drop((alice, bob));
    thread.join().unwrap();
}
