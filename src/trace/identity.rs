//! Who an object is: its name for people, and its number in the current execution.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::op::{ObjectId, Site};

/// Part of every face object. Made in a `const`, so it registers nothing: an object gets its
/// number in an execution when the execution first meets it.
#[derive(Default)]
pub(crate) struct Identity {
    /// 0, or the epoch of the execution that met the object last (upper half, never 0) and the
    /// object's number in it (lower half).
    registration: AtomicU64,
    site: Option<&'static Location<'static>>,
    name: Cow<'static, str>,
}

impl Identity {
    #[expect(
        clippy::declare_interior_mutable_const,
        reason = "a starting value, copied at use"
    )]
    pub(crate) const ANONYMOUS: Identity = Identity {
        registration: AtomicU64::new(0),
        site: None,
        name: Cow::Borrowed(""),
    };

    /// The identity of an object made by the caller of the caller.
    #[track_caller]
    pub(crate) const fn here() -> Identity {
        Identity::at(Location::caller())
    }

    pub(crate) const fn at(location: &'static Location<'static>) -> Identity {
        Identity {
            registration: AtomicU64::new(0),
            site: Some(location),
            name: Cow::Borrowed(""),
        }
    }

    pub(crate) fn named(self, name: Cow<'static, str>) -> Identity {
        Identity { name, ..self }
    }

    /// The same names, not met by any execution.
    pub(crate) fn clone_unused(&self) -> Identity {
        Identity {
            registration: AtomicU64::new(0),
            site: self.site,
            name: self.name.clone(),
        }
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

    /// The epoch of the execution that met the object last; 0 if none has.
    pub(crate) fn last_epoch(&self) -> u32 {
        (self.registration.load(Ordering::Relaxed) >> 32) as u32
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
