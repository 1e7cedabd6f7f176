//! Atomic integers, flags and pointers; std's interface.
//!
//! In a model of the controlled engine every access is sequentially consistent, whatever ordering
//! it asks for; the loom engine honours orderings.

#[cfg(not(feature = "model"))]
pub use off::*;
#[cfg(feature = "model")]
pub use on::*;

pub use std::sync::atomic::Ordering;

#[cfg(not(feature = "model"))]
mod off {
    use std::borrow::Cow;
    pub use std::sync::atomic::{
        AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicPtr, AtomicU8,
        AtomicU16, AtomicU32, AtomicU64, AtomicUsize, compiler_fence, fence,
    };

    macro_rules! named {
        ($($name:ident)*) => {$(
            impl crate::Named for $name {
                fn named(self, _name: impl Into<Cow<'static, str>>) -> Self {
                    self
                }
            }
        )*};
    }

    impl<T> crate::Named for AtomicPtr<T> {
        fn named(self, _name: impl Into<Cow<'static, str>>) -> Self {
            self
        }
    }

    named!(AtomicBool AtomicI8 AtomicI16 AtomicI32 AtomicI64 AtomicIsize);
    named!(AtomicU8 AtomicU16 AtomicU32 AtomicU64 AtomicUsize);
}

#[cfg(feature = "model")]
mod on {
    use super::Ordering;
    use crate::engine::{self, Access, Identity};
    use std::borrow::Cow;
    use std::fmt;

    pub use std::sync::atomic::compiler_fence;

    /// A fence, like [`std::sync::atomic::fence`].
    pub fn fence(order: Ordering) {
        if engine::is_native() {
            std::sync::atomic::fence(order);
        } else {
            engine::fence(order);
        }
    }

    /// What the integer types, the flag and the pointer have in common. `$bits` and `$value` carry
    /// a value to and from the 64 bits in which an engine may keep it.
    macro_rules! common {
        ($name:ident, $value:ty, [$($generic:tt)*], $bits:expr, $of_bits:expr) => {
            impl $($generic)* $name $($generic)* {
                /// An atomic with this value.
                #[track_caller]
                pub const fn new(value: $value) -> Self {
                    let identity = Identity::here();
                    $name { identity, value: std::sync::atomic::$name::new(value) }
                }

                /// The value, for the one who owns the atomic.
                pub fn into_inner(self) -> $value {
                    self.value.into_inner()
                }

                /// The value, without an atomic access: the borrow proves that nobody else has it.
                pub fn get_mut(&mut self) -> &mut $value {
                    self.value.get_mut()
                }

                /// Reads the value.
                #[track_caller]
                pub fn load(&self, order: Ordering) -> $value {
                    match engine::load(&self.identity, order, &self.plain()) {
                        None => self.value.load(order),
                        Some(bits) => $of_bits(bits),
                    }
                }

                /// Overwrites the value.
                #[track_caller]
                pub fn store(&self, value: $value, order: Ordering) {
                    if !engine::store(&self.identity, order, $bits(value), &self.plain()) {
                        self.value.store(value, order);
                    }
                }

                /// Overwrites the value and gives the one before.
                #[track_caller]
                pub fn swap(&self, value: $value, order: Ordering) -> $value {
                    self.replace(order, |_| value, |native| native.swap(value, order))
                }

                /// Overwrites the value if it is `current`.
                ///
                /// # Errors
                /// The value that it is instead.
                #[track_caller]
                pub fn compare_exchange(
                    &self,
                    current: $value,
                    new: $value,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$value, $value> {
                    let change = |old| (old == current).then_some(new);
                    match self.change(success, failure, change) {
                        None => self.value.compare_exchange(current, new, success, failure),
                        Some(result) => result,
                    }
                }

                /// Like [`Self::compare_exchange`]; outside a model it may fail for no reason.
                ///
                /// # Errors
                /// The value that was there.
                #[track_caller]
                pub fn compare_exchange_weak(
                    &self,
                    current: $value,
                    new: $value,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$value, $value> {
                    let change = |old| (old == current).then_some(new);
                    match self.change(success, failure, change) {
                        None => self.value.compare_exchange_weak(current, new, success, failure),
                        Some(result) => result,
                    }
                }

                /// Overwrites the value by what `f` makes of it, unless that is nothing. `f` is called
                /// again when somebody else has changed the value in between.
                ///
                /// # Errors
                /// The value, when `f` makes nothing of it.
                #[track_caller]
                pub fn fetch_update<F>(
                    &self,
                    set_order: Ordering,
                    fetch_order: Ordering,
                    mut f: F,
                ) -> Result<$value, $value>
                where
                    F: FnMut($value) -> Option<$value>,
                {
                    let mut old = self.load(fetch_order);
                    while let Some(new) = f(old) {
                        match self.compare_exchange_weak(old, new, set_order, fetch_order) {
                            Ok(old) => return Ok(old),
                            Err(other) => old = other,
                        }
                    }
                    Err(old)
                }

                /// Overwrites the value by what `f` makes of it, unless that is nothing: another name
                /// of [`Self::fetch_update`].
                ///
                /// # Errors
                /// The value, when `f` makes nothing of it.
                #[track_caller]
                pub fn try_update(
                    &self,
                    set_order: Ordering,
                    fetch_order: Ordering,
                    f: impl FnMut($value) -> Option<$value>,
                ) -> Result<$value, $value> {
                    self.fetch_update(set_order, fetch_order, f)
                }

                /// Overwrites the value by what `f` makes of it, and gives the one before. `f` is
                /// called again when somebody else has changed the value in between.
                #[track_caller]
                pub fn update(
                    &self,
                    set_order: Ordering,
                    fetch_order: Ordering,
                    mut f: impl FnMut($value) -> $value,
                ) -> $value {
                    let mut old = self.load(fetch_order);
                    loop {
                        let new = f(old);
                        match self.compare_exchange_weak(old, new, set_order, fetch_order) {
                            Ok(old) => return old,
                            Err(other) => old = other,
                        }
                    }
                }

                /// One read-modify-write; none outside a model.
                #[track_caller]
                fn change(
                    &self,
                    success: Ordering,
                    failure: Ordering,
                    mut change: impl FnMut($value) -> Option<$value>,
                ) -> Option<Result<$value, $value>> {
                    let mut change = |bits| change($of_bits(bits)).map($bits);
                    let result = engine::update(
                        &self.identity,
                        (success, failure),
                        &mut change,
                        &self.plain(),
                    )?;
                    Some(result.map($of_bits).map_err($of_bits))
                }

                /// One read-modify-write that always succeeds.
                #[track_caller]
                fn replace(
                    &self,
                    order: Ordering,
                    change: impl Fn($value) -> $value,
                    native: impl FnOnce(&std::sync::atomic::$name $($generic)*) -> $value,
                ) -> $value {
                    match self.change(order, order, |old| Some(change(old))) {
                        None => native(&self.value),
                        Some(Ok(old) | Err(old)) => old,
                    }
                }

                /// The native atomic, as an engine sees it.
                fn plain(&self) -> Access<impl Fn() -> u64 + '_, impl Fn(u64) + '_> {
                    Access {
                        get: || $bits(self.value.load(Ordering::SeqCst)),
                        set: |bits| self.value.store($of_bits(bits), Ordering::SeqCst),
                    }
                }
            }

            impl $($generic)* fmt::Debug for $name $($generic)* {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.value.fmt(f)
                }
            }

            impl $($generic)* From<$value> for $name $($generic)* {
                #[track_caller]
                fn from(value: $value) -> Self {
                    $name::new(value)
                }
            }

            impl $($generic)* crate::Named for $name $($generic)* {
                fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
                    $name { identity: self.identity.named(name.into()), value: self.value }
                }
            }
        };
    }

    macro_rules! integers {
        ($($name:ident $value:ident)*) => {$(
            #[doc = concat!(
                "An atomic integer, like [`std::sync::atomic::", stringify!($name), "`]."
            )]
            #[derive(Default)]
            pub struct $name {
                identity: Identity,
                value: std::sync::atomic::$name,
            }

            common!($name, $value, [], |value: $value| value as u64, |bits: u64| bits as $value);

            impl $name {
                /// Adds, wrapping around, and gives the value before.
                #[track_caller]
                pub fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                    let native = |its: &std::sync::atomic::$name| its.fetch_add(value, order);
                    self.replace(order, |old| old.wrapping_add(value), native)
                }

                /// Subtracts, wrapping around, and gives the value before.
                #[track_caller]
                pub fn fetch_sub(&self, value: $value, order: Ordering) -> $value {
                    let native = |its: &std::sync::atomic::$name| its.fetch_sub(value, order);
                    self.replace(order, |old| old.wrapping_sub(value), native)
                }

                /// Bitwise and; gives the value before.
                #[track_caller]
                pub fn fetch_and(&self, value: $value, order: Ordering) -> $value {
                    self.replace(order, |old| old & value, |its| its.fetch_and(value, order))
                }

                /// Bitwise or; gives the value before.
                #[track_caller]
                pub fn fetch_or(&self, value: $value, order: Ordering) -> $value {
                    self.replace(order, |old| old | value, |its| its.fetch_or(value, order))
                }

                /// Bitwise exclusive or; gives the value before.
                #[track_caller]
                pub fn fetch_xor(&self, value: $value, order: Ordering) -> $value {
                    self.replace(order, |old| old ^ value, |its| its.fetch_xor(value, order))
                }

                /// The larger of the two; gives the value before.
                #[track_caller]
                pub fn fetch_max(&self, value: $value, order: Ordering) -> $value {
                    self.replace(order, |old| old.max(value), |its| its.fetch_max(value, order))
                }

                /// The smaller of the two; gives the value before.
                #[track_caller]
                pub fn fetch_min(&self, value: $value, order: Ordering) -> $value {
                    self.replace(order, |old| old.min(value), |its| its.fetch_min(value, order))
                }
            }
        )*};
    }

    integers! {
        AtomicI8 i8
        AtomicI16 i16
        AtomicI32 i32
        AtomicI64 i64
        AtomicIsize isize
        AtomicU8 u8
        AtomicU16 u16
        AtomicU32 u32
        AtomicU64 u64
        AtomicUsize usize
    }

    /// An atomic flag, like [`std::sync::atomic::AtomicBool`].
    #[derive(Default)]
    pub struct AtomicBool {
        identity: Identity,
        value: std::sync::atomic::AtomicBool,
    }

    common!(
        AtomicBool,
        bool,
        [],
        |value: bool| u64::from(value),
        |bits: u64| bits != 0
    );

    /// An atomic pointer, like [`std::sync::atomic::AtomicPtr`].
    pub struct AtomicPtr<T> {
        identity: Identity,
        value: std::sync::atomic::AtomicPtr<T>,
    }

    common!(
        AtomicPtr,
        *mut T,
        [<T>],
        |value: *mut T| value.expose_provenance() as u64,
        |bits: u64| std::ptr::with_exposed_provenance_mut::<T>(bits as usize)
    );

    impl<T> Default for AtomicPtr<T> {
        #[track_caller]
        fn default() -> Self {
            AtomicPtr::new(std::ptr::null_mut())
        }
    }

    impl AtomicBool {
        /// Logical and; gives the value before.
        #[track_caller]
        pub fn fetch_and(&self, value: bool, order: Ordering) -> bool {
            self.replace(order, |old| old & value, |its| its.fetch_and(value, order))
        }

        /// Logical or; gives the value before.
        #[track_caller]
        pub fn fetch_or(&self, value: bool, order: Ordering) -> bool {
            self.replace(order, |old| old | value, |its| its.fetch_or(value, order))
        }

        /// Logical exclusive or; gives the value before.
        #[track_caller]
        pub fn fetch_xor(&self, value: bool, order: Ordering) -> bool {
            self.replace(order, |old| old ^ value, |its| its.fetch_xor(value, order))
        }
    }
}
