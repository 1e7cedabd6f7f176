//! std's threads, thread-local variables, and time.

use crate::conformance;
use gordian::sync::atomic::{AtomicUsize, Ordering};
use gordian::time::{Duration, Instant};
use gordian::{thread, time};
use std::cell::{Cell, RefCell};
use std::sync::Arc;

const SOON: Duration = Duration::from_millis(1);

gordian::thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(1) };
    /// What the thread has noted.
    static NOTES: RefCell<Vec<u32>> = RefCell::new(vec![DEPTH.get()]);
    static COUNTED: RefCell<Option<CountsOnDrop>> = const { RefCell::new(None) }
}

/// Counts when it is dropped, and uses another variable then.
struct CountsOnDrop(Arc<AtomicUsize>);

impl Drop for CountsOnDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        assert!(COUNTED.try_with(|_| ()).is_err(), "it is being dropped");
    }
}

conformance! {
    /// "Each thread has its own value", which is made "on first use within a thread".
    fn each_thread_has_its_own_variable() {
        let before = DEPTH.replace(5);
        NOTES.with_borrow_mut(|notes| notes.push(6));
        thread::spawn(|| {
            assert_eq!(DEPTH.get(), 1);
            DEPTH.set(2);
            assert_eq!(NOTES.take(), [2]);
            NOTES.set(vec![3]);
            assert_eq!(NOTES.with(|notes| notes.borrow().len()), 1);
        })
        .join()
        .unwrap();
        assert_eq!((DEPTH.get(), NOTES.with_borrow(|notes| *notes.last().unwrap())), (5, 6));
        DEPTH.set(before);
        NOTES.replace(vec![1]);
    }

    /// "The value is dropped when the thread exits", before a `join` of it returns.
    fn a_variable_is_dropped_at_the_end_of_its_thread() {
        let dropped = Arc::new(AtomicUsize::new(0));
        let its = Arc::clone(&dropped);
        thread::spawn(move || COUNTED.set(Some(CountsOnDrop(its)))).join().unwrap();
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
    }

    /// In a model each execution's threads have variables of their own.
    fn variables_begin_afresh() {
        if crate::in_model() {
            assert_eq!(DEPTH.replace(9), 1);
            let other = thread::spawn(|| DEPTH.replace(9));
            crate::pause();
            assert_eq!(other.join().unwrap(), 1);
        }
    }

    /// "Unless or until the current thread's token is made available."
    fn a_token_is_kept() {
        let main = thread::current();
        let other = thread::spawn(move || main.unpark());
        thread::park();
        other.join().unwrap();
        thread::current().unpark();
        thread::park_timeout(Duration::from_secs(3_600));
    }

    /// "Blocks … for at most this time": nobody has to unpark it.
    fn a_parked_thread_wakes_in_time() {
        let begun = Instant::now();
        thread::park_timeout(SOON);
        // In a model the thread's clock does not move: nothing says that the time-out was why.
        assert!(begun.elapsed() >= SOON || crate::in_model());
    }

    /// "A sleep lasts at least as long", and a clock is monotone.
    fn time_passes() {
        let begun = Instant::now();
        thread::sleep(SOON);
        time::sleep(SOON);
        assert!(begun.elapsed() >= 2 * SOON);
        let later = Instant::now();
        assert!(later >= begun + SOON && later - begun >= SOON);
        assert_eq!(begun.saturating_duration_since(later), Duration::ZERO);
        assert_eq!(begun.checked_duration_since(later), None);
        let child = thread::spawn(|| {
            thread::sleep(SOON);
            Instant::now()
        });
        assert!(child.join().unwrap() <= Instant::now());
    }

    fn threads_are_told_apart() {
        let main = thread::current().id();
        assert_eq!(main, thread::current().id());
        let other = thread::spawn(|| thread::current().id());
        let id = other.thread().id();
        assert_ne!(id, main);
        assert_eq!(other.join().unwrap(), id);
        assert!(thread::available_parallelism().unwrap().get() >= 1);
    }

    /// "Panics in the thread are returned by join."
    fn a_thread_has_a_result() {
        assert_eq!(thread::spawn(|| 4).join().unwrap(), 4);
        let sum = thread::scope(|scope| {
            let other = scope.spawn(|| 2);
            other.join().unwrap() + 1
        });
        assert_eq!(sum, 3);
    }
}
