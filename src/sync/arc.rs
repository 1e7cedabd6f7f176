//! Shared ownership; std's interface.
//!
//! Knows which handles there are. Does not know when one is made or given back in a model: that is
//! the engine's, as who drops the last one runs the value's destructor, and others may look.

#[cfg(feature = "model")]
mod guards;
#[cfg(feature = "model")]
mod handle;
#[cfg(feature = "model")]
mod traits;

#[cfg(feature = "model")]
pub use guards::ArcGuard;
#[cfg(not(feature = "model"))]
pub use off::*;
#[cfg(feature = "model")]
pub use on::*;

/// An [`Arc`](crate::sync::Arc) of a sized type as one of a trait object or a slice, where the type
/// is expected.
///
/// Std's `Arc` does that by itself, which no type outside std can on stable Rust. Without the feature
/// `model` this is its argument.
///
/// ```
/// use gordian::sync::Arc;
///
/// let number = Arc::new(7);
/// let shown: Arc<dyn std::fmt::Display> = gordian::coerce!(Arc::clone(&number));
/// let list: Arc<[u8]> = gordian::coerce!(Arc::new([1, 2, 3]));
/// assert_eq!(shown.to_string(), "7");
/// assert_eq!(list.len(), 3);
/// ```
#[cfg(feature = "model")]
#[macro_export]
macro_rules! coerce {
    ($arc:expr $(,)?) => {
        match $crate::private::apart($arc) {
            (handle, value) => $crate::private::together(handle, value),
        }
    };
}

/// An [`Arc`](crate::sync::Arc) of a sized type as one of a trait object or a slice, where the type
/// is expected.
///
/// Without the feature `model` this is its argument.
#[cfg(not(feature = "model"))]
#[macro_export]
macro_rules! coerce {
    ($arc:expr $(,)?) => {{
        let arc = $arc;
        arc
    }};
}

#[cfg(not(feature = "model"))]
mod off {
    use std::borrow::Cow;
    pub use std::sync::{Arc, Weak};

    impl<T: ?Sized> crate::Named for Arc<T> {
        fn named(self, _name: impl Into<Cow<'static, str>>) -> Self {
            self
        }
    }
}

/// How an [`Arc`] becomes one of another type: std's can on the way.
#[cfg(feature = "model")]
pub(crate) mod coerce {
    use super::handle::Handle;
    use super::on::Arc;

    /// The handle without the value, which is at this place.
    pub struct Apart(Handle, *const ());

    /// Both of them.
    pub fn apart<T: ?Sized>(arc: Arc<T>) -> (Apart, std::sync::Arc<T>) {
        let Arc { handle, value } = arc;
        let place = std::sync::Arc::as_ptr(&value).cast();
        (Apart(handle, place), value)
    }

    /// Both of them together again.
    ///
    /// # Panics
    /// When it is another value.
    pub fn together<T: ?Sized>(apart: Apart, value: std::sync::Arc<T>) -> Arc<T> {
        let Apart(handle, place) = apart;
        let its: *const () = std::sync::Arc::as_ptr(&value).cast();
        assert_eq!(place, its, "a value becomes no other one");
        Arc { handle, value }
    }
}

#[cfg(feature = "model")]
mod on {
    use super::handle::{Handle, Raw, WeakHandle};
    use crate::op::{Action, Site};
    use std::any::Any;
    use std::borrow::Cow;
    use std::fmt;
    use std::ops::Deref;
    use std::pin::Pin;

    /// A shared value, like [`std::sync::Arc`]: it is dropped with its last handle.
    ///
    /// In a model, making a handle, giving it back and looking at the number of handles are
    /// operations: who drops the value, and what [`upgrade`](Weak::upgrade),
    /// [`strong_count`](Arc::strong_count), [`get_mut`](Arc::get_mut) … answer, is explored. Handles
    /// of std's own `Arc` come and go unseen.
    ///
    /// # What std's can and this cannot
    /// Three things need unstable Rust. An `Arc<T>` does not become an `Arc<dyn Trait>` or an
    /// `Arc<[T]>` by itself: write [`coerce!`](crate::coerce), or `Arc::from(boxed)`, both of which
    /// do the same without the feature `model`. A method cannot take `self: Arc<Self>`: let it take
    /// `this: &Arc<Self>`. And [`make_mut`](Arc::make_mut) is for sized types.
    ///
    /// ```
    /// use gordian::sync::{Arc, Mutex};
    /// use gordian::thread;
    ///
    /// let total = Arc::new(Mutex::new(0));
    /// let other = Arc::clone(&total);
    /// let thread = thread::spawn(move || *other.lock() += 1);
    /// thread.join().unwrap();
    /// assert_eq!(Arc::strong_count(&total), 1);
    /// assert_eq!(*total.lock(), 1);
    /// ```
    pub struct Arc<T: ?Sized> {
        /// Goes before the value does: its drop is the operation.
        pub(super) handle: Handle,
        pub(super) value: std::sync::Arc<T>,
    }

    /// A handle that does not keep the value, like [`std::sync::Weak`].
    ///
    /// ```
    /// use gordian::sync::Arc;
    ///
    /// let value = Arc::new(1);
    /// let weak = Arc::downgrade(&value);
    /// assert!(weak.upgrade().is_some());
    /// drop(value);
    /// assert!(weak.upgrade().is_none());
    /// ```
    pub struct Weak<T: ?Sized> {
        /// None if there never was a value.
        handle: Option<WeakHandle>,
        value: std::sync::Weak<T>,
    }

    impl<T> Arc<T> {
        /// A value with one handle.
        #[track_caller]
        pub fn new(value: T) -> Arc<T> {
            Arc::from(std::sync::Arc::new(value))
        }

        /// A value with one handle, that never moves.
        #[track_caller]
        pub fn pin(value: T) -> Pin<Arc<T>> {
            // SAFETY: the value is on the heap, and handles give out no exclusive borrow of one that
            // is pinned.
            unsafe { Pin::new_unchecked(Arc::new(value)) }
        }

        /// A value that `make` makes, which may keep a weak handle of it: that gives nothing as long
        /// as `make` has not returned.
        #[track_caller]
        pub fn new_cyclic<F>(make: F) -> Arc<T>
        where
            F: FnOnce(&Weak<T>) -> T,
        {
            let (weak, handle) = WeakHandle::before_value(Site::here());
            let value = std::sync::Arc::new_cyclic(|value| {
                let weak = Weak {
                    handle: Some(weak),
                    value: value.clone(),
                };
                let made = make(&weak);
                drop(weak);
                handle.begins();
                made
            });
            Arc { handle, value }
        }

        /// The value, if this is its only handle.
        ///
        /// # Errors
        /// The handle, if there are others.
        #[track_caller]
        pub fn try_unwrap(this: Arc<T>) -> Result<T, Arc<T>> {
            this.handle.act(Action::Unwrap, Site::here());
            let Arc { handle, value } = this;
            match std::sync::Arc::try_unwrap(value) {
                Ok(value) => {
                    handle.forget();
                    Ok(value)
                }
                Err(value) => Err(Arc { handle, value }),
            }
        }

        /// The value, if this is its last handle. Of several threads that ask, one gets it.
        #[track_caller]
        pub fn into_inner(this: Arc<T>) -> Option<T> {
            let Arc { handle, value } = this;
            handle.give_back(Site::here());
            std::sync::Arc::into_inner(value)
        }

        /// The value, if this is its only handle; else a clone of it.
        #[track_caller]
        pub fn unwrap_or_clone(this: Arc<T>) -> T
        where
            T: Clone,
        {
            Arc::try_unwrap(this).unwrap_or_else(|this| T::clone(&this))
        }
    }

    impl<T: ?Sized> Arc<T> {
        /// How many handles keep the value.
        #[track_caller]
        pub fn strong_count(this: &Arc<T>) -> usize {
            this.handle.act(Action::Count, Site::here());
            this.handle.strong_count()
        }

        /// How many handles do not keep the value.
        #[track_caller]
        pub fn weak_count(this: &Arc<T>) -> usize {
            this.handle.act_on_weak(Action::Count, Site::here());
            this.handle.weak_count()
        }

        /// A handle that does not keep the value.
        #[track_caller]
        pub fn downgrade(this: &Arc<T>) -> Weak<T> {
            Weak {
                handle: Some(this.handle.downgrade(Site::here())),
                value: std::sync::Arc::downgrade(&this.value),
            }
        }

        /// Whether both are handles of the same value.
        pub fn ptr_eq(this: &Arc<T>, other: &Arc<T>) -> bool {
            std::sync::Arc::ptr_eq(&this.value, &other.value)
        }

        /// Where the value is.
        pub fn as_ptr(this: &Arc<T>) -> *const T {
            std::sync::Arc::as_ptr(&this.value)
        }

        /// The value, if nobody else has a handle of either kind.
        #[track_caller]
        pub fn get_mut(this: &mut Arc<T>) -> Option<&mut T> {
            this.handle.act_on_both(Action::Count, Site::here());
            std::sync::Arc::get_mut(&mut this.value)
        }

        /// Where the value is, which goes on having this handle: to be given to
        /// [`from_raw`](Arc::from_raw).
        pub fn into_raw(this: Arc<T>) -> *const T {
            let Arc { handle, value } = this;
            let pointer = std::sync::Arc::into_raw(value);
            Raw::keep(pointer.cast(), handle);
            pointer
        }

        /// The handle that [`into_raw`](Arc::into_raw) has left.
        ///
        /// # Safety
        /// As for [`std::sync::Arc::from_raw`].
        #[track_caller]
        pub unsafe fn from_raw(pointer: *const T) -> Arc<T> {
            // SAFETY: the caller promises it.
            let value = unsafe { std::sync::Arc::from_raw(pointer) };
            match Raw::take(pointer.cast()) {
                Some(handle) => Arc { handle, value },
                None => Arc::from(value),
            }
        }

        /// Makes one more handle, for another [`from_raw`](Arc::from_raw).
        ///
        /// # Safety
        /// As for [`std::sync::Arc::increment_strong_count`].
        #[track_caller]
        pub unsafe fn increment_strong_count(pointer: *const T) {
            // SAFETY: the caller promises it, and the handle is left as it was.
            let this = unsafe { Arc::from_raw(pointer) };
            let more = Arc::clone(&this);
            Arc::into_raw(this);
            Arc::into_raw(more);
        }

        /// Drops a handle that [`into_raw`](Arc::into_raw) has left.
        ///
        /// # Safety
        /// As for [`std::sync::Arc::decrement_strong_count`].
        #[track_caller]
        pub unsafe fn decrement_strong_count(pointer: *const T) {
            // SAFETY: the caller promises it.
            drop(unsafe { Arc::from_raw(pointer) });
        }
    }

    impl<T: Clone> Arc<T> {
        /// The value, for this handle alone: a clone of it, if there are others.
        #[track_caller]
        pub fn make_mut(this: &mut Arc<T>) -> &mut T {
            let site = Site::here();
            this.handle.act_on_both(Action::Unwrap, site);
            if std::sync::Arc::strong_count(&this.value) > 1 {
                *this = Arc::new(T::clone(&this.value));
            }
            let before = std::sync::Arc::as_ptr(&this.value);
            std::sync::Arc::make_mut(&mut this.value);
            if !std::ptr::eq(before, std::sync::Arc::as_ptr(&this.value)) {
                // Weak handles stay behind, with nothing.
                std::mem::replace(&mut this.handle, Handle::new(site)).forget();
            }
            std::sync::Arc::make_mut(&mut this.value)
        }
    }

    impl Arc<dyn Any + Send + Sync> {
        /// The same value as what it is.
        ///
        /// # Errors
        /// The handle, if it is something else.
        pub fn downcast<T: Any + Send + Sync>(self) -> Result<Arc<T>, Self> {
            let Arc { handle, value } = self;
            match value.downcast() {
                Ok(value) => Ok(Arc { handle, value }),
                Err(value) => Err(Arc { handle, value }),
            }
        }
    }

    impl<T: ?Sized> Clone for Arc<T> {
        #[track_caller]
        fn clone(&self) -> Self {
            Arc {
                handle: self.handle.duplicate(Site::here()),
                value: std::sync::Arc::clone(&self.value),
            }
        }
    }

    impl<T: ?Sized> Deref for Arc<T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.value
        }
    }

    impl<T: ?Sized> From<std::sync::Arc<T>> for Arc<T> {
        /// Handles of std's that are left are not seen.
        #[track_caller]
        fn from(value: std::sync::Arc<T>) -> Self {
            let strong = std::sync::Arc::strong_count(&value);
            let weak = std::sync::Arc::weak_count(&value);
            Arc {
                handle: Handle::one_of(strong, weak, Site::here()),
                value,
            }
        }
    }

    impl<T: ?Sized> crate::Named for Arc<T> {
        /// Does nothing if there are other handles.
        fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
            let Arc { handle, value } = self;
            let handle = handle.named(name.into());
            Arc { handle, value }
        }
    }

    impl<T> Weak<T> {
        /// A handle of nothing.
        #[must_use]
        pub const fn new() -> Weak<T> {
            Weak {
                handle: None,
                value: std::sync::Weak::new(),
            }
        }
    }

    impl<T: ?Sized> Weak<T> {
        /// A handle that keeps the value, if that is still there.
        #[track_caller]
        pub fn upgrade(&self) -> Option<Arc<T>> {
            let site = Site::here();
            let handle = self.handle.as_ref()?;
            handle.act_on_strong(Action::Revive, site);
            let value = self.value.upgrade()?;
            Some(Arc {
                handle: handle.revived(site),
                value,
            })
        }

        /// How many handles keep the value.
        #[track_caller]
        pub fn strong_count(&self) -> usize {
            let Some(handle) = &self.handle else {
                return 0;
            };
            handle.act_on_strong(Action::Count, Site::here());
            handle.strong_count()
        }

        /// How many handles do not keep the value; 0 if it is gone.
        #[track_caller]
        pub fn weak_count(&self) -> usize {
            let Some(handle) = &self.handle else {
                return 0;
            };
            handle.act_on_both(Action::Count, Site::here());
            match handle.strong_count() {
                0 => 0,
                _ => handle.weak_count(),
            }
        }

        /// Whether both are handles of the same value, or of nothing.
        pub fn ptr_eq(&self, other: &Weak<T>) -> bool {
            self.value.ptr_eq(&other.value)
        }

        /// Where the value is, or was.
        pub fn as_ptr(&self) -> *const T {
            self.value.as_ptr()
        }

        /// Where the value is, which goes on having this handle: to be given to
        /// [`from_raw`](Weak::from_raw).
        pub fn into_raw(self) -> *const T {
            let Weak { handle, value } = self;
            let pointer = value.into_raw();
            if let Some(handle) = handle {
                Raw::keep_weak(pointer.cast(), handle);
            }
            pointer
        }

        /// The handle that [`into_raw`](Weak::into_raw) has left.
        ///
        /// # Safety
        /// As for [`std::sync::Weak::from_raw`].
        pub unsafe fn from_raw(pointer: *const T) -> Weak<T> {
            Weak {
                handle: Raw::take_weak(pointer.cast()),
                // SAFETY: the caller promises it.
                value: unsafe { std::sync::Weak::from_raw(pointer) },
            }
        }
    }

    impl<T: ?Sized> Clone for Weak<T> {
        #[track_caller]
        fn clone(&self) -> Self {
            let site = Site::here();
            Weak {
                handle: self.handle.as_ref().map(|handle| handle.duplicate(site)),
                value: self.value.clone(),
            }
        }
    }

    impl<T> Default for Weak<T> {
        fn default() -> Self {
            Weak::new()
        }
    }

    impl<T: ?Sized> fmt::Debug for Weak<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.value.fmt(f)
        }
    }

    const _: () = {
        const fn send_and_sync<T: Send + Sync>() {}
        send_and_sync::<Arc<str>>();
        send_and_sync::<Weak<str>>();
    };
}
