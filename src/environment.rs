//! What a model says about the world around it: slow calls, choices, invariants.

#[cfg(feature = "model")]
use crate::engine;

/// Marks a slow call: I/O, an RPC, a sleep.
///
/// In a model it is a point where others may go first, and a `slow-under-lock` finding when the
/// thread holds any lock. Outside a model it does nothing.
#[track_caller]
pub fn slow(name: &'static str) {
    #[cfg(feature = "model")]
    engine::slow(name);
    #[cfg(not(feature = "model"))]
    let _ = name;
}

/// A choice of the environment: did the call fail, was the reply lost?
///
/// In a model every number below `cases` is explored. Outside a model the answer is 0: make case 0
/// the one where all goes well.
///
/// # Panics
/// When `cases` is 0.
#[track_caller]
pub fn choose(cases: usize) -> usize {
    assert!(
        cases > 0,
        "gordian::choose(0): there must be at least one case"
    );
    #[cfg(feature = "model")]
    return engine::choose(cases);
    #[cfg(not(feature = "model"))]
    0
}

/// A choice of the environment among all values of a small type.
///
/// Outside a model it is the first one.
///
/// ```
/// let reply_lost: bool = gordian::any();
/// assert!(!reply_lost, "outside a model all goes well");
/// ```
#[track_caller]
pub fn any<T: Choice>() -> T {
    T::nth(choose(T::COUNT))
}

/// A type with few values, all of which [`any`] can choose.
pub trait Choice {
    /// How many values there are.
    const COUNT: usize;
    /// The value with this number, below [`Choice::COUNT`]. Number 0 is the harmless one.
    fn nth(number: usize) -> Self;
}

impl Choice for bool {
    const COUNT: usize = 2;
    fn nth(number: usize) -> Self {
        number == 1
    }
}

impl<T: Choice> Choice for Option<T> {
    const COUNT: usize = T::COUNT + 1;
    fn nth(number: usize) -> Self {
        number.checked_sub(1).map(T::nth)
    }
}

/// Registers a predicate that must hold after every step of the current execution.
///
/// The predicate may read ghost variables, atomics and locks of the model; reading is free of
/// steps. A lock that is held at that moment makes the predicate wait for a later step: what a lock
/// protects may be half changed while it is held. When the predicate is false, or panics, that is a
/// `panic` finding with this name.
///
/// Outside a model it does nothing.
///
/// The steps that change what the predicate reads become dependent on one another, so that no
/// intermediate state is skipped: the search grows with the number of such steps.
#[track_caller]
pub fn invariant(name: &'static str, holds: impl Fn() -> bool + 'static) {
    #[cfg(feature = "model")]
    engine::invariant(name, Box::new(holds));
    #[cfg(not(feature = "model"))]
    let _ = (name, holds);
}
