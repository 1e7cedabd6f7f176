use std::sync::atomic::{AtomicBool, Ordering};

use gordian::sync::{Arc, Mutex};
use gordian::thread;

// Lives longer than an execution: only the first one finds it empty.
static CACHED: AtomicBool = AtomicBool::new(false);

pub fn model() {
    let cached = CACHED.swap(true, Ordering::Relaxed);
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
