//! The face outside a model: real locks and threads, with the feature `model` on and off alike.

use gordian::sync::atomic::{AtomicBool, AtomicI8, AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use gordian::sync::{
    Barrier, Condvar, LazyLock, MappedMutexGuard, Mutex, MutexGuard, Once, OnceLock, RawLock,
    ReentrantMutex, RwLock, Semaphore, WaitGroup, channel, mpsc,
};
use gordian::time::{Duration, Instant};
use gordian::{Ghost, Named, std_sync, thread};
use std::sync::Arc;

static COUNT: Mutex<u64> = Mutex::new(0);
static TOTAL: AtomicU64 = AtomicU64::new(0);

#[test]
fn statics_work() {
    let threads: Vec<_> = (0..4)
        .map(|_| {
            thread::spawn(|| {
                for _ in 0..1_000 {
                    *COUNT.lock() += 1;
                    TOTAL.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    assert_eq!(*COUNT.lock(), 4_000);
    assert_eq!(TOTAL.load(Ordering::Relaxed), 4_000);
}

#[test]
fn a_mutex_excludes_tries_and_times_out() {
    let lock = Arc::new(Mutex::new(1).named("one"));
    let guard = lock.lock();
    assert!(lock.is_locked());
    let its = Arc::clone(&lock);
    thread::spawn(move || {
        assert!(its.try_lock().is_none());
        let begun = Instant::now();
        assert!(its.try_lock_for(Duration::from_millis(20)).is_none());
        assert!(begun.elapsed() >= Duration::from_millis(20));
        assert!(its.try_lock_until(Instant::now()).is_none());
    })
    .join()
    .unwrap();
    drop(guard);
    assert_eq!(*lock.try_lock().unwrap(), 1);
}

#[test]
fn guards_map_and_keep_their_lock_alive() {
    let pair = Mutex::new((1, 2));
    {
        let mut second: MappedMutexGuard<'_, i32> =
            MutexGuard::map(pair.lock(), |pair| &mut pair.1);
        *second += 40;
    }
    assert_eq!(pair.into_inner(), (1, 42));

    let shared = Arc::new(Mutex::new(7));
    let mut guard = shared.lock_arc();
    drop(shared);
    *guard += 1;
    assert_eq!(*guard, 8);
}

#[test]
fn unsized_contents_and_defaults() {
    let lock: Box<Mutex<dyn std::fmt::Debug + Send>> = Box::new(Mutex::new(5));
    assert_eq!(format!("{:?}", &*lock.lock()), "5");
    assert_eq!(*Mutex::<u8>::default().lock(), 0);
    assert_eq!(*Mutex::from(3).get_mut(), 3);
    assert!(format!("{:?}", Mutex::new(9)).contains('9'));
}

#[test]
fn a_reentrant_mutex_lets_its_owner_in_again() {
    let lock = Arc::new(ReentrantMutex::new(1).named("again"));
    let first = lock.lock();
    let second = lock.lock();
    let its = Arc::clone(&lock);
    thread::spawn(move || assert!(its.try_lock().is_none()))
        .join()
        .unwrap();
    drop((first, second));
    assert_eq!(*lock.lock(), 1);
}

#[test]
fn a_raw_lock_is_released_by_anyone_once() {
    let lock = Arc::new(RawLock::new().named("raw"));
    lock.acquire();
    assert!(!lock.try_acquire() && !lock.acquire_timeout(Duration::from_millis(1)));
    let its = Arc::clone(&lock);
    thread::spawn(move || assert!(its.release()))
        .join()
        .unwrap();
    assert!(!lock.locked() && !lock.release());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let lock = Arc::clone(&lock);
            thread::spawn(move || {
                for _ in 0..500 {
                    lock.acquire();
                    assert!(lock.release());
                }
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
}

#[test]
fn atomics_have_the_operations_of_std() {
    let number = AtomicI8::new(i8::MAX);
    assert_eq!(number.fetch_add(1, Ordering::SeqCst), i8::MAX);
    assert_eq!(number.load(Ordering::SeqCst), i8::MIN, "it wraps around");
    assert_eq!(number.fetch_max(-1, Ordering::SeqCst), i8::MIN);
    assert_eq!(number.swap(6, Ordering::SeqCst), -1);
    assert_eq!(number.fetch_and(3, Ordering::SeqCst), 6);
    assert_eq!(
        number.compare_exchange(2, 5, Ordering::SeqCst, Ordering::Relaxed),
        Ok(2)
    );
    assert_eq!(
        number.compare_exchange(2, 6, Ordering::SeqCst, Ordering::Relaxed),
        Err(5)
    );
    let doubled = number.fetch_update(Ordering::SeqCst, Ordering::Relaxed, |old| {
        old.checked_mul(2)
    });
    assert_eq!(doubled, Ok(5));
    assert_eq!(number.into_inner(), 10);
    let (mut one, mut two) = (1, 2);
    let pointer = AtomicPtr::new(&raw mut one);
    let old = pointer.swap(&raw mut two, Ordering::SeqCst);
    assert_eq!(
        (old, pointer.load(Ordering::SeqCst)),
        (&raw mut one, &raw mut two)
    );
    assert!(AtomicPtr::<u8>::default().into_inner().is_null());
    let flag = AtomicBool::new(false);
    assert!(!flag.fetch_or(true, Ordering::SeqCst));
    assert!(flag.load(Ordering::SeqCst));
}

#[test]
fn scopes_borrow_and_nest() {
    let mut items = vec![1, 2, 3];
    let sum = AtomicUsize::new(0);
    thread::scope(|scope| {
        for item in &items {
            let sum = &sum;
            scope.spawn(move || {
                scope.spawn(move || sum.fetch_add(*item, Ordering::SeqCst));
            });
        }
    });
    items.push(4);
    assert_eq!(sum.into_inner(), 6);
    let answer = thread::scope(|scope| scope.spawn(|| 42).join().unwrap());
    assert_eq!(answer, 42);
}

#[test]
fn threads_have_names_and_tokens() {
    let main = thread::current();
    let handle = thread::Builder::new()
        .name("worker".to_owned())
        .spawn(move || {
            main.unpark();
            assert_eq!(thread::current().name(), Some("worker"));
            thread::yield_now();
            assert!(!thread::panicking());
        })
        .unwrap();
    assert_eq!(handle.thread().name(), Some("worker"));
    thread::park();
    handle.join().unwrap();
    assert!(thread::spawn(|| panic!("on purpose")).join().is_err());
}

#[test]
fn the_environment_is_harmless() {
    gordian::slow("price");
    assert_eq!(gordian::choose(3), 0);
    assert!(!gordian::any::<bool>());
    assert_eq!(gordian::any::<Option<bool>>(), None);
    gordian::invariant("never looked at", || panic!("looked at"));
    let ghost = Ghost::new(1).named("ghost");
    ghost.write(|it| *it += 1);
    assert_eq!(ghost.read(|it| *it), 2);
    assert_eq!(ghost.into_inner(), 2);
}

/// Every type at once, on real threads.
#[test]
fn every_type_works_under_real_threads() {
    const ROUNDS: usize = 500;
    gordian::thread_local! {
        static ROUND: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }
    static STARTED: Once = Once::new();
    static FIRST: OnceLock<usize> = OnceLock::new();
    static NAMES: LazyLock<RwLock<Vec<usize>>> = LazyLock::new(|| RwLock::new(Vec::new()));
    let started = AtomicUsize::new(0);
    let (barrier, semaphore, fair) = (Barrier::new(4), Semaphore::new(2), Semaphore::fair(2));
    let poisoned = std_sync::Mutex::new(0);
    let shared = std_sync::RwLock::new(0);
    let (served, changed) = (Mutex::new(0), Condvar::new());
    let (numbers, number) = channel::bounded::<usize>(2);
    let (words, word) = mpsc::sync_channel::<usize>(0);
    let group = WaitGroup::new();
    thread::scope(|scope| {
        for at in 0..4 {
            let (group, numbers, words) = (group.clone(), numbers.clone(), words.clone());
            let (barrier, semaphore, fair, started) = (&barrier, &semaphore, &fair, &started);
            let (poisoned, shared, served, changed) = (&poisoned, &shared, &served, &changed);
            scope.spawn(move || {
                barrier.wait();
                STARTED.call_once(|| assert_eq!(started.fetch_add(1, Ordering::SeqCst), 0));
                FIRST.get_or_init(|| at);
                for round in 0..ROUNDS {
                    ROUND.set(round);
                    let _permits = (semaphore.acquire(), fair.acquire());
                    *poisoned.lock().unwrap() += 1;
                    *shared.write().unwrap() += 1;
                    assert!(*shared.read().unwrap() > 0);
                    if round % 100 == 0 {
                        NAMES.write().push(at);
                    }
                    numbers.send(1).unwrap();
                    words.send(1).unwrap();
                    assert_eq!(ROUND.get(), round);
                }
                *served.lock() += 1;
                changed.notify_all();
                drop(group);
            });
        }
        drop((numbers, words));
        let words = scope.spawn(move || word.iter().sum::<usize>());
        let mut sum = 0;
        let mut select = channel::Select::new();
        select.recv(&number);
        while let Ok(one) = select.select().recv(&number) {
            sum += one;
        }
        assert_eq!((sum, words.join().unwrap()), (4 * ROUNDS, 4 * ROUNDS));
        changed.wait_while(&mut served.lock(), |served| *served < 4);
        group.wait();
    });
    assert_eq!(started.into_inner(), 1);
    assert!(STARTED.is_completed() && FIRST.get().is_some_and(|&first| first < 4));
    assert_eq!(NAMES.read().len(), 4 * ROUNDS / 100);
    assert_eq!(poisoned.into_inner().unwrap(), 4 * ROUNDS);
    assert_eq!(shared.into_inner().unwrap(), 4 * ROUNDS);
    assert_eq!(
        (semaphore.available_permits(), fair.available_permits()),
        (2, 2)
    );
}
