//! The handles of a shared value, without the value.
//!
//! A handle is dropped before the value's own: its drop is the operation, after which nobody else
//! runs until the value's count has been taken down. (The type that has both has no `Drop` of its
//! own: so it may outlive what it borrows, as std's may.)

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::engine::{self, Identity};
use crate::op::{Action, How, Kind, Site};

/// What all handles of a value share. Counts are what an execution finds that meets it; the threads
/// of a model share one OS thread, so their order does not matter.
struct Shared {
    strong: Identity,
    weak: Identity,
    strong_count: AtomicUsize,
    weak_count: AtomicUsize,
}

impl Shared {
    fn new(strong: usize, weak: usize, site: Site) -> Arc<Shared> {
        let identity = || match site {
            Site::Code(location) => Identity::at(location),
            Site::Text(_) => Identity::ANONYMOUS,
        };
        Arc::new(Shared {
            strong: identity(),
            weak: identity(),
            strong_count: AtomicUsize::new(strong),
            weak_count: AtomicUsize::new(weak),
        })
    }

    fn strong(&self) -> (&Identity, Kind) {
        let count = count_of(self.strong_count());
        (&self.strong, Kind::Arc { count })
    }

    fn weak(&self) -> (&Identity, Kind) {
        let count = count_of(self.weak_count());
        (&self.weak, Kind::Weak { count })
    }

    fn strong_count(&self) -> usize {
        self.strong_count.load(Ordering::Relaxed)
    }

    fn weak_count(&self) -> usize {
        self.weak_count.load(Ordering::Relaxed)
    }

    fn act_on_both(&self, action: Action, site: Site) {
        engine::touch_both(self.strong(), self.weak(), action, site);
    }
}

fn count_of(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn act((identity, kind): (&Identity, Kind), action: Action, arg: u32, site: Site) {
    engine::operate_at(identity, kind, action, How::Insist, arg, site);
}

/// One that keeps the value.
pub(super) struct Handle {
    shared: ManuallyDrop<Arc<Shared>>,
    /// Where it was made: its drop has no place of its own.
    made: Site,
}

impl Handle {
    /// The only one.
    pub(super) fn new(site: Site) -> Handle {
        Handle::one_of(1, 0, site)
    }

    /// One of so many; of the others nothing is known.
    pub(super) fn one_of(strong: usize, weak: usize, site: Site) -> Handle {
        Handle::of(Shared::new(strong, weak, site), site)
    }

    fn of(shared: Arc<Shared>, made: Site) -> Handle {
        Handle {
            shared: ManuallyDrop::new(shared),
            made,
        }
    }

    pub(super) fn strong_count(&self) -> usize {
        self.shared.strong_count()
    }

    pub(super) fn weak_count(&self) -> usize {
        self.shared.weak_count()
    }

    pub(super) fn act(&self, action: Action, site: Site) {
        act(self.shared.strong(), action, 0, site);
    }

    pub(super) fn act_on_weak(&self, action: Action, site: Site) {
        act(self.shared.weak(), action, 0, site);
    }

    pub(super) fn act_on_both(&self, action: Action, site: Site) {
        self.shared.act_on_both(action, site);
    }

    /// The value is there from now on.
    pub(super) fn begins(&self) {
        act(self.shared.strong(), Action::Clone, 1, self.made);
        self.shared.strong_count.store(1, Ordering::Relaxed);
    }

    /// One more.
    pub(super) fn duplicate(&self, site: Site) -> Handle {
        self.act(Action::Clone, site);
        self.shared.strong_count.fetch_add(1, Ordering::Relaxed);
        Handle::of(Arc::clone(&self.shared), site)
    }

    pub(super) fn downgrade(&self, site: Site) -> WeakHandle {
        self.act_on_weak(Action::Clone, site);
        self.shared.weak_count.fetch_add(1, Ordering::Relaxed);
        WeakHandle {
            shared: Arc::clone(&self.shared),
            made: site,
        }
    }

    /// Drops it, at this place.
    pub(super) fn give_back(mut self, site: Site) {
        self.made = site;
    }

    /// Takes it away without an operation: that has been done.
    pub(super) fn forget(self) {
        let mut this = ManuallyDrop::new(self);
        this.uncount();
    }

    /// Must not be used any more.
    fn uncount(&mut self) {
        self.shared.strong_count.fetch_sub(1, Ordering::Relaxed);
        // SAFETY: nobody uses it after this, as the caller says.
        unsafe { ManuallyDrop::drop(&mut self.shared) };
    }

    /// The same under this name, if it is the only one.
    pub(super) fn named(self, name: Cow<'static, str>) -> Handle {
        let shared = &self.shared;
        if (shared.strong_count(), shared.weak_count()) != (1, 0) {
            return self;
        }
        let named = Shared {
            strong: shared.strong.clone_unused().named(name.clone()),
            weak: shared.weak.clone_unused().named(name),
            strong_count: AtomicUsize::new(1),
            weak_count: AtomicUsize::new(0),
        };
        let made = self.made;
        self.forget();
        Handle::of(Arc::new(named), made)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.act(Action::Drop, self.made);
        self.uncount();
    }
}

/// One that does not keep the value.
pub(super) struct WeakHandle {
    shared: Arc<Shared>,
    made: Site,
}

impl WeakHandle {
    /// The first one, and the one that will keep the value, which is not there yet.
    pub(super) fn before_value(site: Site) -> (WeakHandle, Handle) {
        let shared = Shared::new(0, 1, site);
        let weak = WeakHandle {
            shared: Arc::clone(&shared),
            made: site,
        };
        (weak, Handle::of(shared, site))
    }

    pub(super) fn strong_count(&self) -> usize {
        self.shared.strong_count()
    }

    pub(super) fn weak_count(&self) -> usize {
        self.shared.weak_count()
    }

    pub(super) fn act_on_strong(&self, action: Action, site: Site) {
        act(self.shared.strong(), action, 0, site);
    }

    pub(super) fn act_on_both(&self, action: Action, site: Site) {
        self.shared.act_on_both(action, site);
    }

    pub(super) fn duplicate(&self, site: Site) -> WeakHandle {
        act(self.shared.weak(), Action::Clone, 0, site);
        self.shared.weak_count.fetch_add(1, Ordering::Relaxed);
        WeakHandle {
            shared: Arc::clone(&self.shared),
            made: site,
        }
    }

    /// One that keeps the value, which was there.
    pub(super) fn revived(&self, site: Site) -> Handle {
        self.shared.strong_count.fetch_add(1, Ordering::Relaxed);
        Handle::of(Arc::clone(&self.shared), site)
    }
}

impl Drop for WeakHandle {
    fn drop(&mut self) {
        act(self.shared.weak(), Action::Drop, 0, self.made);
        self.shared.weak_count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The handles of pointers, by address.
pub(super) struct Raw {
    strong: BTreeMap<usize, Vec<Handle>>,
    weak: BTreeMap<usize, Vec<WeakHandle>>,
}

static RAW: parking_lot::Mutex<Raw> = parking_lot::Mutex::new(Raw {
    strong: BTreeMap::new(),
    weak: BTreeMap::new(),
});

impl Raw {
    pub(super) fn keep(pointer: *const (), handle: Handle) {
        keep(&mut RAW.lock().strong, pointer, handle);
    }

    pub(super) fn take(pointer: *const ()) -> Option<Handle> {
        take(&mut RAW.lock().strong, pointer)
    }

    pub(super) fn keep_weak(pointer: *const (), handle: WeakHandle) {
        keep(&mut RAW.lock().weak, pointer, handle);
    }

    pub(super) fn take_weak(pointer: *const ()) -> Option<WeakHandle> {
        take(&mut RAW.lock().weak, pointer)
    }
}

fn keep<H>(handles: &mut BTreeMap<usize, Vec<H>>, pointer: *const (), handle: H) {
    handles.entry(pointer.addr()).or_default().push(handle);
}

fn take<H>(handles: &mut BTreeMap<usize, Vec<H>>, pointer: *const ()) -> Option<H> {
    let its = handles.get_mut(&pointer.addr())?;
    let handle = its.pop();
    if its.is_empty() {
        handles.remove(&pointer.addr());
    }
    handle
}
