//! What a search has seen of the model's locks, as plain data.
//!
//! Knows how that is described, serialised, and put together from two searches. Does not know how
//! it was gathered, nor what it is worth: that two orders of the same locks were seen is a fact
//! here, and no defect.

use serde::{Deserialize, Serialize};

use super::Site;

/// Which locks were used, by whom, where and how, over all executions of a search. Locks are
/// mutexes, raw locks, reader-writer locks and semaphores that begin with one permit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Coverage {
    /// The locks that were ever taken, or waited for, by name.
    pub locks: Vec<LockUse>,
    /// Which were taken, or waited for, while another was held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nested: Vec<Nesting>,
    /// Where the model's text takes a lock and no execution ever came. Only of scenarios: of a
    /// program it is not known what it might have come to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreached: Vec<Unreached>,
    /// So many locks, sites and nestings were left out, as there were too many.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// How one lock was used; or several that have one name and were made at one place, which nothing
/// tells apart from one execution to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LockUse {
    /// Its name; of one without, its kind and where it was made.
    pub name: String,
    /// `mutex`, `lock`, `rwlock`, `semaphore`.
    pub kind: String,
    /// Where it was made.
    pub made: Option<Site>,
    /// How many of this name, made there, were used in one execution at most.
    pub count: u32,
    /// Names of the threads that took it, or tried or waited to.
    pub threads: Vec<String>,
    /// Where it was taken, or waited for.
    pub sites: Vec<Acquisition>,
}

/// What happened at one place where a lock is taken, over all executions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Acquisition {
    /// Where.
    pub site: Site,
    /// How: `lock`, `try-lock`, `read`, `write`, `acquire` …
    pub operation: String,
    /// How often the lock was had.
    pub acquired: u64,
    /// How often another thread held it, so that this one had to wait or was refused.
    pub contended: u64,
}

/// How a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LockMode {
    /// With other readers.
    Shared,
    /// With readers, but nobody else who may come to write.
    Upgradable,
    /// Alone.
    Exclusive,
}

impl LockMode {
    /// Whether a thread that wants a lock in this mode waits for one that holds it in `other`.
    pub fn excludes(self, other: LockMode) -> bool {
        self.max(other) == LockMode::Exclusive
            || (self, other) == (LockMode::Upgradable, LockMode::Upgradable)
    }
}

/// A thread took one lock, or waited for it, while it held another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Nesting {
    /// The lock that was held: its place in [`Coverage::locks`].
    pub outer: u32,
    /// The lock that was taken: its place in [`Coverage::locks`].
    pub inner: u32,
    /// How the one was held.
    pub outer_mode: LockMode,
    /// How the other was taken.
    pub inner_mode: LockMode,
    /// Whether it was only ever tried, so that nobody waited for it while holding the other.
    pub tried: bool,
    /// Names of the threads that did so.
    pub threads: Vec<String>,
    /// Where the outer one was taken when this was seen first.
    pub outer_site: Site,
    /// Where the inner one was taken when this was seen first.
    pub inner_site: Site,
    /// How often, over all executions.
    pub seen: u64,
}

/// A place at which a lock is taken in the model's text, and to which no execution came.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Unreached {
    /// Where.
    pub site: Site,
    /// Which lock.
    pub lock: String,
}

impl Unreached {
    /// The lock of this name is never taken at this place.
    pub fn new(site: Site, lock: String) -> Self {
        Unreached { site, lock }
    }
}

/// What two orders of the same locks come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BothOrders {
    /// A thread held the one and took the other, and a thread the other way round.
    Seen,
    /// The same, but of locks of which there are several: it need not have been the same two.
    SeenOfSeveral,
}

impl LockUse {
    /// Whether some thread ever had to wait for it, or was refused, because another held it.
    pub fn is_contended(&self) -> bool {
        self.sites.iter().any(|site| site.contended > 0)
    }

    /// How often it was had.
    pub fn acquired(&self) -> u64 {
        let counts = self.sites.iter().map(|site| site.acquired);
        counts.fold(0, u64::saturating_add)
    }

    /// How often a thread had to wait for it or was refused.
    pub fn contended(&self) -> u64 {
        let counts = self.sites.iter().map(|site| site.contended);
        counts.fold(0, u64::saturating_add)
    }

    /// Whether only one thread ever used it: then it protects nothing here.
    pub fn is_of_one_thread(&self) -> bool {
        self.threads.len() < 2
    }

    /// Whether it is the same lock in another model: the same name, made at the same place.
    pub fn is_same(&self, other: &LockUse) -> bool {
        (&self.name, &self.kind, &self.made) == (&other.name, &other.kind, &other.made)
    }
}

impl Coverage {
    /// Whether nothing was seen of any lock.
    pub fn is_empty(&self) -> bool {
        self.locks.is_empty() && self.unreached.is_empty()
    }

    /// Whether there are locks, and none was ever contended.
    pub fn is_uncontended(&self) -> bool {
        !self.locks.is_empty() && !self.locks.iter().any(LockUse::is_contended)
    }

    /// Whether another thread nested the two locks the other way round, each time in a way in which
    /// a thread waits. That need not be a deadlock: a third lock may keep the two orders apart, or
    /// they may be of threads that never run at the same time.
    pub fn both_orders(&self, nesting: &Nesting) -> Option<BothOrders> {
        if nesting.tried || nesting.outer == nesting.inner {
            return None;
        }
        let is_opposite = |other: &&Nesting| {
            (other.outer, other.inner) == (nesting.inner, nesting.outer)
                && !other.tried
                && (other.threads.len() > 1 || other.threads != nesting.threads)
                && nesting.inner_mode.excludes(other.outer_mode)
                && other.inner_mode.excludes(nesting.outer_mode)
        };
        self.nested.iter().find(is_opposite)?;
        let is_one = |at: u32| self.locks.get(at as usize).is_some_and(|its| its.count < 2);
        Some(match is_one(nesting.outer) && is_one(nesting.inner) {
            true => BothOrders::Seen,
            false => BothOrders::SeenOfSeveral,
        })
    }

    /// Adds what another search of the same model has seen.
    #[cfg(feature = "scenario")]
    pub(crate) fn merge(&mut self, other: Coverage) {
        let mut places = Vec::new();
        for lock in other.locks {
            let known = self.locks.iter_mut().position(|its| its.is_same(&lock));
            places.push(known.unwrap_or(self.locks.len()) as u32);
            match known {
                Some(at) => self.locks[at].merge(lock),
                None => self.locks.push(lock),
            }
        }
        for mut nesting in other.nested {
            nesting.outer = places[nesting.outer as usize];
            nesting.inner = places[nesting.inner as usize];
            let known = self
                .nested
                .iter_mut()
                .find(|its| its.key() == nesting.key());
            match known {
                Some(known) => {
                    known.seen += nesting.seen;
                    add_names(&mut known.threads, nesting.threads);
                }
                None => self.nested.push(nesting),
            }
        }
        self.left_out = self.left_out.max(other.left_out);
        self.sort();
    }

    /// Keeps the first locks and nestings only.
    pub(crate) fn truncate(&mut self, locks_max: usize, nested_max: usize) {
        let all = self.locks.len() + self.nested.len();
        self.locks.truncate(locks_max);
        let locks = self.locks.len() as u32;
        self.nested
            .retain(|nesting| nesting.outer < locks && nesting.inner < locks);
        self.nested.truncate(nested_max);
        self.left_out += (all - self.locks.len() - self.nested.len()) as u64;
    }

    /// Brings everything into the order of the names.
    pub(crate) fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.locks.len()).collect();
        let key = |at: usize| {
            let lock = &self.locks[at];
            (&lock.name, &lock.kind, &lock.made)
        };
        order.sort_by(|&one, &two| key(one).cmp(&key(two)));
        let mut places = vec![0; order.len()];
        for (new, &old) in order.iter().enumerate() {
            places[old] = new as u32;
        }
        for nesting in &mut self.nested {
            nesting.outer = places[nesting.outer as usize];
            nesting.inner = places[nesting.inner as usize];
        }
        self.nested.sort_by_key(Nesting::key);
        self.locks = order.iter().map(|&at| self.locks[at].clone()).collect();
        for lock in &mut self.locks {
            let key = |its: &Acquisition| (its.site.clone(), its.operation.clone());
            lock.sites.sort_by_cached_key(key);
        }
    }
}

impl LockUse {
    #[cfg(feature = "scenario")]
    fn merge(&mut self, other: LockUse) {
        self.count = self.count.max(other.count);
        add_names(&mut self.threads, other.threads);
        for site in other.sites {
            let is_it =
                |its: &&mut Acquisition| its.site == site.site && its.operation == site.operation;
            match self.sites.iter_mut().find(is_it) {
                Some(known) => {
                    known.acquired += site.acquired;
                    known.contended += site.contended;
                }
                None => self.sites.push(site),
            }
        }
    }
}

impl Nesting {
    fn key(&self) -> (u32, u32, LockMode, LockMode, bool) {
        let modes = (self.outer_mode, self.inner_mode);
        (self.outer, self.inner, modes.0, modes.1, self.tried)
    }
}

/// Adds the names that are not there, and keeps them sorted.
#[cfg(feature = "scenario")]
fn add_names(names: &mut Vec<String>, others: Vec<String>) {
    names.extend(others);
    names.sort();
    names.dedup();
}
