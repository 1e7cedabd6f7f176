//! parking_lot's `RwLock`, and the ways in which it can prefer.

use crate::conformance;
use gordian::sync::{
    MappedRwLockReadGuard, RwLock, RwLockOptions, RwLockReadGuard, RwLockUpgradableReadGuard,
    RwLockWriteGuard,
};
use gordian::thread;
use gordian::time::{Duration, Instant};
use std::sync::Arc;

const SOON: Duration = Duration::from_millis(1);

conformance! {
    /// "This lock allows a number of readers or at most one writer at any point in time."
    fn readers_or_one_writer() {
        let lock = RwLock::new((0, 0));
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut guard = lock.write();
                guard.0 = 1;
                crate::pause();
                guard.1 = 1;
            });
            let guard = lock.read();
            assert_eq!(guard.0, guard.1);
        });
        assert_eq!(lock.into_inner(), (1, 1));
    }

    /// Two readers are inside together: neither would get on if the other had to leave first.
    fn readers_do_not_exclude_one_another() {
        let lock = RwLock::new(1);
        let guard = lock.read();
        thread::scope(|scope| {
            assert_eq!(scope.spawn(|| *lock.read()).join().unwrap(), 1);
        });
        assert!(lock.is_locked() && !lock.is_locked_exclusive());
        drop(guard);
    }

    fn tries_say_who_is_inside() {
        let lock = RwLock::new(());
        let elsewhere = |f: fn(&RwLock<()>)| {
            thread::scope(|scope| scope.spawn(|| f(&lock)).join().unwrap());
        };
        let read = lock.read();
        elsewhere(|its| {
            assert!(its.try_read().is_some());
            assert!(its.try_write().is_none());
            assert!(its.try_write_for(SOON).is_none());
        });
        drop(read);
        let write = lock.write();
        assert!(lock.is_locked() && lock.is_locked_exclusive());
        elsewhere(|its| {
            assert!(its.try_read().is_none());
            assert!(its.try_read_for(SOON).is_none());
            assert!(its.try_read_until(Instant::now() + SOON).is_none());
        });
        drop(write);
        assert!(!lock.is_locked());
    }

    /// "Note that attempts to recursively acquire a shared lock … may result in a deadlock";
    /// `read_recursive` is for that: "unlike read, this can be called even if another thread is
    /// waiting for write".
    fn a_recursive_read_does_not_wait_for_a_waiting_writer() {
        let lock = RwLock::new(0);
        thread::scope(|scope| {
            let writer = scope.spawn(|| *lock.write() += 1);
            let one = lock.read();
            let two = lock.read_recursive();
            assert_eq!(*one, *two);
            assert!(lock.try_read_recursive().is_some());
            assert!(lock.try_read_recursive_for(SOON).is_some());
            drop((one, two));
            writer.join().unwrap();
        });
        assert_eq!(lock.into_inner(), 1);
    }

    /// "There can only be one upgradable reader at a time; others may read beside it."
    fn one_upgradable_reader_beside_others() {
        let lock = RwLock::new(1);
        let upgradable = lock.upgradable_read();
        thread::scope(|scope| {
            scope.spawn(|| {
                assert!(lock.try_read().is_some());
                assert!(lock.try_upgradable_read().is_none());
                assert!(lock.try_upgradable_read_for(SOON).is_none());
                assert!(lock.try_write().is_none());
            }).join().unwrap();
        });
        let mut write = RwLockUpgradableReadGuard::upgrade(upgradable);
        *write = 2;
        assert!(lock.is_locked_exclusive());
    }

    /// "Atomically upgrades": nobody writes in between.
    fn upgrading_is_atomic() {
        let lock = RwLock::new(0);
        let add = || {
            let upgradable = lock.upgradable_read();
            let old = *upgradable;
            *RwLockUpgradableReadGuard::upgrade(upgradable) = old + 1;
        };
        thread::scope(|scope| {
            scope.spawn(add);
            add();
        });
        assert_eq!(*lock.read(), 2);
    }

    /// "Tries to atomically upgrade": a reader is in the way.
    fn an_upgrade_waits_for_readers() {
        let lock = RwLock::new(0);
        let reader = lock.read();
        let upgradable = lock.upgradable_read();
        let upgradable = RwLockUpgradableReadGuard::try_upgrade(upgradable).unwrap_err();
        let upgradable = RwLockUpgradableReadGuard::try_upgrade_for(upgradable, SOON).unwrap_err();
        drop(reader);
        let write = RwLockUpgradableReadGuard::try_upgrade(upgradable);
        assert!(write.is_ok());
    }

    /// "Atomically downgrades a write lock into a read lock without allowing any writers to take
    /// exclusive access of the lock in the meantime."
    fn downgrading_is_atomic() {
        let lock = RwLock::new(0);
        thread::scope(|scope| {
            let other = scope.spawn(|| *lock.write() = 2);
            let mut write = lock.write();
            *write = 1;
            let read = RwLockWriteGuard::downgrade(write);
            assert_eq!(*read, 1);
            assert!(!lock.is_locked_exclusive());
            drop(read);
            other.join().unwrap();
        });
    }

    fn a_writer_becomes_upgradable_and_that_a_reader() {
        let lock = RwLock::new(1);
        let upgradable = RwLockWriteGuard::downgrade_to_upgradable(lock.write());
        assert!(lock.try_read().is_some() && lock.try_upgradable_read().is_none());
        let read = RwLockUpgradableReadGuard::downgrade(upgradable);
        assert!(lock.try_upgradable_read().is_some());
        assert_eq!(*read, 1);
    }

    fn guards_map_and_keep_their_lock_alive() {
        let lock = Arc::new(RwLock::new((1, 2)));
        let first: MappedRwLockReadGuard<'_, i32> = RwLockReadGuard::map(lock.read(), |it| &it.0);
        assert_eq!(*first, 1);
        drop(first);
        *RwLockWriteGuard::map(lock.write(), |it| &mut it.1) = 3;
        let read = lock.read_arc();
        assert!(lock.try_write_arc().is_none());
        assert!(lock.try_read_arc().is_some());
        drop(read);
        let write = lock.write_arc();
        drop(lock);
        assert_eq!(*write, (1, 3));
    }

    /// "Poisoning is not used."
    fn a_panic_of_a_writer_releases() {
        let lock = RwLock::new(1);
        assert!(crate::panics(|| {
            let _guard = lock.write();
            crate::quiet_panic();
        }));
        assert_eq!(*lock.try_read().unwrap(), 1);
    }

    /// `reader_preferring`: a second read does not wait for a waiting writer.
    fn a_reader_preferring_lock_lets_readers_in_again() {
        let lock = RwLock::new(0).reader_preferring();
        thread::scope(|scope| {
            let one = lock.read();
            // Outside a model this is parking_lot's lock, on which a writer would be in the way.
            let writer = crate::in_model().then(|| scope.spawn(|| *lock.write() += 1));
            let two = lock.read();
            assert_eq!(*one, *two);
            drop((one, two));
            if let Some(writer) = writer {
                writer.join().unwrap();
            }
        });
    }

    /// `fifo`: the lock still works as one.
    fn a_fifo_lock_excludes() {
        let lock = RwLock::new(0).fifo();
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| *lock.write() += 1);
            }
            assert!((0..=2).contains(&*lock.read()));
        });
        assert_eq!(*lock.read(), 2);
    }
}
