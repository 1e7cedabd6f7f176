//! Names for locks and other objects.

use std::borrow::Cow;

/// Gives an object the name that reports use for it.
///
/// Without the feature `model` this is the identity. Objects without a name are called after the
/// place that made them.
///
/// ```
/// use gordian::Named;
/// use gordian::sync::Mutex;
///
/// let orders = Mutex::new(0).named("orders");
/// assert_eq!(*orders.lock(), 0);
/// ```
pub trait Named: Sized {
    /// Returns the object under this name.
    #[must_use]
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self;
}
