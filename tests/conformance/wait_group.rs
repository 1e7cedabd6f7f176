//! crossbeam's `WaitGroup`.

use crate::conformance;
use gordian::sync::WaitGroup;
use gordian::sync::atomic::{AtomicUsize, Ordering};
use gordian::{Named, thread};
use std::sync::Arc;

conformance! {
    /// "Drops this reference and waits until all other references are dropped."
    fn it_waits_for_all_others() {
        let (group, done) = (WaitGroup::new().named("workers"), Arc::new(AtomicUsize::new(0)));
        for _ in 0..2 {
            let (group, done) = (group.clone(), Arc::clone(&done));
            thread::spawn(move || {
                done.fetch_add(1, Ordering::SeqCst);
                drop(group);
            });
        }
        group.wait();
        assert_eq!(done.load(Ordering::SeqCst), 2);
    }

    /// Two may wait for each other: each has left the group by then.
    fn all_may_wait() {
        let group = WaitGroup::new();
        let its = group.clone();
        let other = thread::spawn(move || its.wait());
        group.wait();
        other.join().unwrap();
    }

    fn alone_nobody_waits() {
        let group = WaitGroup::default();
        drop(group.clone());
        group.wait();
    }
}
