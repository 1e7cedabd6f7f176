use std::sync::Arc;

use gordian::{sync::Mutex, thread};

pub fn model() {
    let count = Arc::new(Mutex::new(0));
    let other = Arc::clone(&count);
    let thread = thread::spawn(move || *other.lock() += 1);
    // A choice of the environment, which every execution makes anew: both are explored.
    if gordian::any::<bool>() {
        *count.lock() += 1;
    }
    thread.join().unwrap();
}
