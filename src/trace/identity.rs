//! Who an object is: its name for people, its number in the current execution, and the search that
//! it belongs to.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::op::{ObjectId, Site};

/// Part of every face object. Made in a `const`, so it registers nothing: an object gets its
/// number in an execution when the execution first meets it.
#[derive(Default)]
pub(crate) struct Identity {
    /// 0, or the epoch of the execution that met the object last (upper half, never 0) and the
    /// object's number in it (lower half).
    registration: AtomicU64,
    /// The number of the search that met the object last; 0 when none has.
    search: AtomicU32,
    /// The newest epoch of the process when an OS thread that no engine drives used the object, while
    /// some search was running; 0 when none has.
    used_natively: AtomicU32,
    site: Option<&'static Location<'static>>,
    name: Cow<'static, str>,
}

impl Identity {
    #[expect(
        clippy::declare_interior_mutable_const,
        reason = "a starting value, copied at use"
    )]
    pub(crate) const ANONYMOUS: Identity = Identity::of(None, Cow::Borrowed(""));

    const fn of(site: Option<&'static Location<'static>>, name: Cow<'static, str>) -> Identity {
        Identity {
            registration: AtomicU64::new(0),
            search: AtomicU32::new(0),
            used_natively: AtomicU32::new(0),
            site,
            name,
        }
    }

    /// The identity of an object made by the caller of the caller.
    #[track_caller]
    pub(crate) const fn here() -> Identity {
        Identity::at(Location::caller())
    }

    pub(crate) const fn at(location: &'static Location<'static>) -> Identity {
        Identity::of(Some(location), Cow::Borrowed(""))
    }

    pub(crate) fn named(self, name: Cow<'static, str>) -> Identity {
        Identity { name, ..self }
    }

    /// The same names, not met by any execution.
    pub(crate) fn clone_unused(&self) -> Identity {
        Identity::of(self.site, self.name.clone())
    }

    pub(crate) fn site(&self) -> Option<Site> {
        self.site.map(Site::Code)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The object's number in the execution of this epoch, if that has met it.
    pub(crate) fn registered(&self, epoch: u32) -> Option<ObjectId> {
        // Relaxed: the threads of a model share one OS thread; others only compare the epoch.
        let registration = self.registration.load(Ordering::Relaxed);
        ((registration >> 32) as u32 == epoch).then_some(ObjectId(registration as u32))
    }

    pub(crate) fn register(&self, epoch: u32, id: ObjectId) {
        self.registration
            .store(u64::from(epoch) << 32 | u64::from(id.0), Ordering::Relaxed);
    }

    /// Whether an execution has met the object.
    pub(crate) fn was_met(&self) -> bool {
        self.registration.load(Ordering::Relaxed) != 0
    }

    /// The search that met the object last; 0 when none has.
    pub(crate) fn search(&self) -> u32 {
        self.search.load(Ordering::SeqCst)
    }

    /// Makes the object one of the search `to`, if it is one of `from`; else gives the search that it
    /// is one of. A claim comes before [`Identity::used_natively_since`], and
    /// [`Identity::use_natively`] before [`Identity::search`]: so one of two that come together
    /// sees the other.
    pub(crate) fn claim(&self, from: u32, to: u32) -> Result<(), u32> {
        let claimed = self
            .search
            .compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst);
        claimed.map(|_| ())
    }

    /// Notes that an OS thread that no engine drives uses the object, with the newest epoch.
    pub(crate) fn use_natively(&self, newest: u32) {
        self.used_natively.store(newest, Ordering::SeqCst);
    }

    /// Whether such a thread has used it since the execution of this epoch began.
    pub(crate) fn used_natively_since(&self, epoch: u32) -> bool {
        let newest = self.used_natively.load(Ordering::SeqCst);
        // Epochs begin anew after 2^32 executions.
        newest != 0 && newest.wrapping_sub(epoch) < 1 << 31
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("name", &self.name)
            .field("site", &self.site)
            .finish()
    }
}
