//! `Arc` and `Weak`: what std's documentation promises.

use crate::conformance;
use gordian::sync::{Arc, Mutex, RwLock, Semaphore, Weak};
use gordian::{Named, coerce, thread};
use std::any::Any;
use std::borrow::{Borrow, Cow};
use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::{Debug, Display};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

/// Counts how often it is dropped, unseen by any model.
struct Counted<'a>(&'a AtomicU32);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

conformance! {
    fn counts_say_how_many_handles_there_are() {
        let value = Arc::new(1).named("value");
        let other = Arc::clone(&value);
        let weak = Arc::downgrade(&value);
        assert_eq!((Arc::strong_count(&value), Arc::weak_count(&value)), (2, 1));
        assert_eq!((weak.strong_count(), weak.weak_count()), (2, 1));
        assert!(Arc::ptr_eq(&value, &other));
        assert!(weak.ptr_eq(&Arc::downgrade(&other)));
        drop(other);
        drop(weak.clone());
        assert_eq!((Arc::strong_count(&value), Arc::weak_count(&value)), (1, 1));
        drop(value);
        assert_eq!((weak.strong_count(), weak.weak_count()), (0, 0));
    }

    fn the_last_handle_drops_the_value() {
        let drops = AtomicU32::new(0);
        let one = Arc::new(Counted(&drops));
        let other = one.clone();
        drop(one);
        assert_eq!(drops.load(SeqCst), 0);
        drop(other);
        assert_eq!(drops.load(SeqCst), 1);
        // A panic gives handles back as well.
        let caught = std::panic::catch_unwind(|| {
            let _value = Arc::new(1);
            std::panic::resume_unwind(Box::new(()));
        });
        assert!(caught.is_err());
    }

    fn weak_handles_do_not_keep_it() {
        let value = Arc::new(String::from("here"));
        let weak = Arc::downgrade(&value);
        let again = weak.upgrade().expect("it is there");
        assert!(Arc::ptr_eq(&value, &again));
        assert_eq!(Arc::strong_count(&value), 2);
        drop((value, again));
        assert!(weak.upgrade().is_none());
        assert!(weak.clone().upgrade().is_none());
        let nothing: [Weak<u8>; 2] = [Weak::new(), Weak::default()];
        for weak in nothing {
            assert!(weak.upgrade().is_none());
            assert_eq!((weak.strong_count(), weak.weak_count()), (0, 0));
            assert_eq!(format!("{weak:?}"), "(Weak)");
            drop(weak.clone());
        }
    }

    fn one_gets_the_value() {
        let value = Arc::new(3);
        let other = Arc::clone(&value);
        let other = Arc::try_unwrap(other).expect_err("there is another handle");
        assert_eq!(Arc::into_inner(other), None);
        assert_eq!(Arc::try_unwrap(value), Ok(3));
        assert_eq!(Arc::into_inner(Arc::new(4)), Some(4));
        let value = Arc::new(vec![5]);
        assert_eq!(Arc::unwrap_or_clone(Arc::clone(&value)), [5]);
        let weak = Arc::downgrade(&value);
        assert_eq!(Arc::unwrap_or_clone(value), [5]);
        assert!(weak.upgrade().is_none());
    }

    fn exclusive_access_is_for_the_only_handle() {
        let mut value = Arc::new(3);
        *Arc::get_mut(&mut value).expect("it is the only one") = 4;
        let other = Arc::clone(&value);
        assert_eq!(Arc::get_mut(&mut value), None);
        drop(other);
        let weak = Arc::downgrade(&value);
        assert_eq!(Arc::get_mut(&mut value), None);
        drop(weak);
        assert_eq!(Arc::get_mut(&mut value), Some(&mut 4));
    }

    fn changing_makes_a_copy_if_it_is_shared() {
        let mut value = Arc::new(1);
        let place = Arc::as_ptr(&value);
        *Arc::make_mut(&mut value) += 1;
        assert_eq!(Arc::as_ptr(&value), place);
        let other = Arc::clone(&value);
        *Arc::make_mut(&mut value) += 1;
        assert_eq!((*value, *other), (3, 2));
        assert_eq!((Arc::strong_count(&value), Arc::strong_count(&other)), (1, 1));
    }

    fn changing_leaves_weak_handles_behind() {
        let mut value = Arc::new(1);
        let weak = Arc::downgrade(&value);
        *Arc::make_mut(&mut value) += 1;
        assert!(weak.upgrade().is_none());
        assert_eq!(weak.strong_count(), 0);
        assert_eq!((Arc::strong_count(&value), Arc::weak_count(&value)), (1, 0));
        assert!(Arc::downgrade(&value).upgrade().is_some());
    }

    fn a_value_that_knows_itself() {
        struct Node {
            own: Weak<Node>,
        }
        let node = Arc::new_cyclic(|own: &Weak<Node>| {
            assert!(own.upgrade().is_none());
            assert_eq!(own.strong_count(), 0);
            Node { own: own.clone() }
        });
        let same = node.own.upgrade().expect("it is there");
        assert!(Arc::ptr_eq(&node, &same));
        assert_eq!((Arc::strong_count(&node), Arc::weak_count(&node)), (2, 1));
    }

    fn handles_become_pointers_and_back() {
        let value = Arc::new(7);
        let pointer = Arc::into_raw(Arc::clone(&value));
        assert_eq!(pointer, Arc::as_ptr(&value));
        assert_eq!(Arc::strong_count(&value), 2);
        // SAFETY: the pointer has one handle, then two, and each is taken back once.
        unsafe {
            Arc::increment_strong_count(pointer);
            assert_eq!(Arc::strong_count(&value), 3);
            Arc::decrement_strong_count(pointer);
            assert_eq!(Arc::strong_count(&value), 2);
            assert!(Arc::ptr_eq(&Arc::from_raw(pointer), &value));
        }
        assert_eq!(Arc::strong_count(&value), 1);
        let weak = Arc::downgrade(&value).into_raw();
        assert_eq!(Arc::weak_count(&value), 1);
        // SAFETY: the pointer has one handle, which is taken back once.
        let weak = unsafe { Weak::from_raw(weak) };
        assert_eq!(weak.as_ptr(), Arc::as_ptr(&value));
        assert_eq!(weak.upgrade().as_deref(), Some(&7));
        // SAFETY: the pointer is that of a handle of nothing.
        let nothing = unsafe { Weak::from_raw(Weak::<u8>::new().into_raw()) };
        assert!(nothing.upgrade().is_none());
    }

    fn trait_objects_and_slices() {
        let number = Arc::new(7);
        let shown: Arc<dyn Display> = coerce!(Arc::clone(&number));
        assert_eq!(shown.to_string(), "7");
        assert_eq!(Arc::strong_count(&number), 2);
        let weak: Weak<dyn Display> = Arc::downgrade(&shown);
        drop((number, shown));
        assert!(weak.upgrade().is_none());
        let boxed: Arc<dyn Fn() -> u8> = Arc::from(Box::new(|| 3_u8) as Box<dyn Fn() -> u8>);
        assert_eq!(boxed(), 3);
        let stds: std::sync::Arc<dyn Debug> = std::sync::Arc::new(1);
        #[allow(clippy::useless_conversion, reason = "not so with the feature `model`")]
        let ours: Arc<dyn Debug> = stds.into();
        assert_eq!(format!("{ours:?}"), "1");
        let list: Arc<[u8]> = coerce!(Arc::new([1, 2]));
        assert_eq!(*list, [1, 2]);
        let any: Arc<dyn Any + Send + Sync> = coerce!(Arc::new(5_u8));
        let any = any.downcast::<u16>().expect_err("it is another type");
        assert_eq!(*any.downcast::<u8>().expect("it is this type"), 5);
    }

    fn conversions() {
        let text: Arc<str> = Arc::from("text");
        assert_eq!(&*text, "text");
        assert_eq!(*Arc::<[u8]>::from(Arc::clone(&text)), *b"text");
        assert_eq!(&*Arc::<str>::from(String::from("text")), "text");
        assert_eq!(&*Arc::<str>::from(Cow::Borrowed("text")), "text");
        assert_eq!(&*Arc::<Path>::from(Path::new("a")), Path::new("a"));
        assert_eq!(*Arc::<[u8]>::from(vec![1, 2]), [1, 2]);
        assert_eq!(*Arc::<[u8]>::from([1, 2]), [1, 2]);
        assert_eq!(*Arc::<[u8]>::from(&[1, 2][..]), [1, 2]);
        let list: Arc<[u8]> = (1..4).collect();
        let list = <Arc<[u8; 2]>>::try_from(list).expect_err("it is longer");
        assert_eq!(<Arc<[u8; 3]>>::try_from(list).map(|list| *list), Ok([1, 2, 3]));
        assert_eq!(*Arc::<u8>::default(), 0);
        assert_eq!(&*Arc::<str>::default(), "");
        assert!(Arc::<[u8]>::default().is_empty());
        assert_eq!(*Arc::from(3), 3);
        assert_eq!(*Arc::<u8>::from(Box::new(3)), 3);
        assert_eq!(*Arc::pin(3), 3);
        let number = Arc::new(3);
        let (same, borrowed): (&u8, &u8) = (number.as_ref(), number.borrow());
        assert_eq!((same, borrowed), (&3, &3));
    }

    fn comparisons_are_the_values() {
        let (one, two) = (Arc::new(1), Arc::new(2));
        assert!(one == Arc::new(1) && one != two && one < two);
        assert_eq!(one.cmp(&two), 1.cmp(&2));
        assert_eq!((format!("{one}"), format!("{one:?}")), ("1".to_owned(), "1".to_owned()));
        assert_eq!(format!("{one:p}"), format!("{:p}", Arc::as_ptr(&one)));
        // Found by what it is a handle of.
        assert!(BTreeSet::from([two]).contains(&2));
        let error: Arc<dyn Error> = Arc::from(Box::<dyn Error>::from("no"));
        assert!(error.source().is_none());
        const fn unwind_safe<T: UnwindSafe + RefUnwindSafe + Unpin>() {}
        const { unwind_safe::<Arc<u8>>() };
    }

    fn guards_keep_what_they_guard() {
        let lock = Arc::new(Mutex::new(1));
        let mut guard = lock.lock_arc();
        *guard += 1;
        assert!(lock.try_lock_arc().is_none());
        assert_eq!(Arc::strong_count(&lock), 2);
        drop(lock);
        assert_eq!(*guard, 2);
        drop(guard);
        let lock = Arc::new(RwLock::new(1));
        let (read, again) = (lock.read_arc(), lock.read_arc_recursive());
        assert!(lock.try_read_arc().is_some() && lock.try_write_arc().is_none());
        drop((read, again));
        *lock.write_arc() += 1;
        assert_eq!(*lock.upgradable_read_arc(), 2);
        assert_eq!(Arc::strong_count(&lock), 1);
        let permits = Arc::new(Semaphore::new(1));
        let guard = permits.acquire_arc();
        assert!(permits.try_acquire_arc().is_none());
        drop(guard);
        assert!(permits.try_acquire_arc().is_some());
    }

    fn threads_share_it() {
        let total = Arc::new(Mutex::new(0));
        let threads = [1, 2].map(|number| {
            let total = Arc::clone(&total);
            thread::spawn(move || *total.lock() += number)
        });
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(Arc::try_unwrap(total).map(Mutex::into_inner).ok(), Some(3));
    }
}

/// As std's: it may borrow what goes with it, and a longer borrow is a shorter one.
#[test]
fn lifetimes_are_as_permissive_as_stds() {
    let (number, handle);
    number = 3;
    handle = Arc::new(&number);
    assert_eq!(**handle, 3);
    fn shorter<'a>(handle: Arc<Option<&'static str>>, _: &'a str) -> Arc<Option<&'a str>> {
        handle
    }
    let short = String::from("short");
    assert_eq!(*shorter(Arc::new(Some("long")), &short), Some("long"));
}
