//! A group of threads whose end is waited for; crossbeam's interface.

#[cfg(not(feature = "model"))]
pub use off::*;
#[cfg(feature = "model")]
pub use on::*;

#[cfg(not(feature = "model"))]
mod off {
    pub use crossbeam_utils::sync::WaitGroup;
    use std::borrow::Cow;

    impl crate::Named for WaitGroup {
        fn named(self, _name: impl Into<Cow<'static, str>>) -> Self {
            self
        }
    }
}

#[cfg(feature = "model")]
mod on {
    use crate::engine::{self, Identity};
    use crate::op::{Action, How, Kind};
    use std::borrow::Cow;
    use std::fmt;
    use std::sync::Arc;

    /// A group of threads whose end is waited for, like `crossbeam_utils::sync::WaitGroup`.
    ///
    /// A group made in a model is the model's, one made outside is a real one wherever it is used.
    ///
    /// ```
    /// use gordian::sync::WaitGroup;
    /// use gordian::thread;
    ///
    /// let group = WaitGroup::new();
    /// for _ in 0..2 {
    ///     let its = group.clone();
    ///     thread::spawn(move || drop(its));
    /// }
    /// group.wait();
    /// ```
    pub struct WaitGroup(Group);

    enum Group {
        Native(crossbeam_utils::sync::WaitGroup),
        Model(Arc<Identity>),
        /// Has left the group.
        Gone,
    }

    impl WaitGroup {
        /// A group with this one member.
        #[track_caller]
        pub fn new() -> WaitGroup {
            if engine::is_native() {
                return WaitGroup(Group::Native(crossbeam_utils::sync::WaitGroup::new()));
            }
            WaitGroup(Group::Model(Arc::new(Identity::here())))
        }

        /// Leaves the group and waits until all others have left it.
        #[track_caller]
        pub fn wait(mut self) {
            match std::mem::replace(&mut self.0, Group::Gone) {
                Group::Native(group) => group.wait(),
                Group::Model(identity) => {
                    add(&identity, -1);
                    engine::touch(&identity, KIND, Action::WaitZero);
                }
                Group::Gone => {}
            }
        }
    }

    /// The first operation on a group is by its first member, when that is the only one. No member
    /// leaves twice, so the count is never below 0.
    const KIND: Kind = Kind::WaitGroup {
        count: 1,
        exact: false,
    };

    #[track_caller]
    fn add(identity: &Identity, count: i32) {
        engine::operate(
            identity,
            KIND,
            Action::Add,
            How::Insist,
            count.cast_unsigned(),
        );
    }

    impl Drop for WaitGroup {
        fn drop(&mut self) {
            if let Group::Model(identity) = &self.0 {
                add(identity, -1);
            }
        }
    }

    impl Clone for WaitGroup {
        #[track_caller]
        fn clone(&self) -> Self {
            WaitGroup(match &self.0 {
                Group::Native(group) => Group::Native(group.clone()),
                Group::Model(identity) => {
                    add(identity, 1);
                    Group::Model(Arc::clone(identity))
                }
                Group::Gone => Group::Gone,
            })
        }
    }

    impl Default for WaitGroup {
        #[track_caller]
        fn default() -> Self {
            WaitGroup::new()
        }
    }

    impl fmt::Debug for WaitGroup {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("WaitGroup").finish_non_exhaustive()
        }
    }

    impl crate::Named for WaitGroup {
        fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
            if let Group::Model(identity) = &mut self.0
                && let Some(its) = Arc::get_mut(identity)
            {
                *its = its.clone_unused().named(name.into());
            }
            self
        }
    }
}
