use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gordian::{sync::Mutex, thread};

// Lives longer than an execution: each one begins where the last one ended.
static CALLS: AtomicUsize = AtomicUsize::new(0);

pub fn model() {
    let count = Arc::new(Mutex::new(0));
    let other = Arc::clone(&count);
    let thread = thread::spawn(move || *other.lock() += 1);
    if CALLS.fetch_add(1, Ordering::Relaxed) == 0 {
        *count.lock() += 1;
    }
    thread.join().unwrap();
}
