//! std's `Barrier`.

use crate::conformance;
use gordian::sync::Barrier;
use gordian::sync::atomic::{AtomicUsize, Ordering};
use gordian::thread;

conformance! {
    /// "A single (arbitrary) thread will receive a BarrierWaitResult that returns true from
    /// is_leader, and all other threads will receive a result that will return false."
    fn one_is_the_leader() {
        let (barrier, leaders) = (Barrier::new(3), AtomicUsize::new(0));
        let pass = || {
            if barrier.wait().is_leader() {
                leaders.fetch_add(1, Ordering::SeqCst);
            }
        };
        thread::scope(|scope| {
            scope.spawn(pass);
            scope.spawn(pass);
            pass();
        });
        assert_eq!(leaders.into_inner(), 1);
    }

    /// "Blocks the current thread until all threads have rendezvoused here."
    fn nobody_passes_before_all_have_come() {
        let (barrier, come) = (Barrier::new(2), AtomicUsize::new(0));
        let pass = || {
            come.fetch_add(1, Ordering::SeqCst);
            barrier.wait();
            assert_eq!(come.load(Ordering::SeqCst), 2);
        };
        thread::scope(|scope| {
            scope.spawn(pass);
            pass();
        });
    }

    /// "Barriers are re-usable after all threads have rendezvoused once, and can be used
    /// continuously."
    loom_preemptions_max(2)
    fn it_is_used_again() {
        let (barrier, come) = (Barrier::new(2), AtomicUsize::new(0));
        let pass = || {
            for round in 1..=2 {
                come.fetch_add(1, Ordering::SeqCst);
                barrier.wait();
                assert!(come.load(Ordering::SeqCst) >= 2 * round);
                barrier.wait();
            }
        };
        thread::scope(|scope| {
            scope.spawn(pass);
            pass();
        });
    }

    /// "A barrier will block n-1 threads": none, for one and for nobody.
    fn alone_nobody_waits() {
        assert!(Barrier::new(1).wait().is_leader());
        assert!(Barrier::new(0).wait().is_leader());
    }
}
