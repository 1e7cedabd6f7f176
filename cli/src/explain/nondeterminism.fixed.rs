use gordian::sync::{Arc, Mutex};
use gordian::thread;

pub fn model() {
    // A choice of the environment, made anew in each execution.
    let cached = gordian::any::<bool>();
    let hits = Arc::new(Mutex::new(0));
    let misses = Arc::new(Mutex::new(0));
    let ask = move || {
        if cached {
            *hits.lock() += 1;
        } else {
            *misses.lock() += 1;
        }
    };
    let threads = [thread::spawn(ask.clone()), thread::spawn(ask)];
    for thread in threads {
        thread.join().unwrap();
    }
}
