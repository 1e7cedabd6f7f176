//! Channels to many receivers, and `select` over them; crossbeam's interface.

#[cfg(feature = "model")]
pub use crate::__select as select;
#[cfg(not(feature = "model"))]
pub use off::*;
#[cfg(feature = "model")]
pub use on::*;

pub use crossbeam_channel::{
    RecvError, RecvTimeoutError, SelectTimeoutError, SendError, SendTimeoutError, TryRecvError,
    TrySelectError, TrySendError,
};

#[cfg(not(feature = "model"))]
mod off {
    pub use crossbeam_channel::{
        IntoIter, Iter, Receiver, Select, SelectedOperation, Sender, TryIter, bounded, never,
        select, unbounded,
    };
    use std::borrow::Cow;

    impl<T> crate::Named for (Sender<T>, Receiver<T>) {
        fn named(self, _name: impl Into<Cow<'static, str>>) -> Self {
            self
        }
    }
}

#[cfg(feature = "model")]
mod on {
    use super::{
        RecvError, RecvTimeoutError, SelectTimeoutError, SendError, SendTimeoutError, TryRecvError,
        TrySelectError, TrySendError,
    };
    use crate::engine;
    use crate::op::{Effect, How};
    use crate::sync::stream::{self, Arm, Refused};
    use crate::time::{self, Duration, Instant};
    use std::borrow::Cow;
    use std::fmt;

    /// Makes a channel without a bound, like `crossbeam_channel::unbounded`.
    ///
    /// A channel made in a model is the model's, one made outside is a real one wherever it is
    /// used. `named` gives the pair of both ends a name.
    ///
    /// ```
    /// use gordian::sync::channel;
    /// use gordian::thread;
    ///
    /// let (sender, receiver) = channel::unbounded();
    /// let sum = |its: channel::Receiver<u32>| thread::spawn(move || its.iter().sum::<u32>());
    /// let workers = [receiver.clone(), receiver].map(sum);
    /// (1..=10).for_each(|job| sender.send(job).unwrap());
    /// drop(sender);
    /// let sums = workers.map(|worker| worker.join().unwrap());
    /// assert_eq!(sums[0] + sums[1], 55);
    /// ```
    #[track_caller]
    pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
        if engine::is_native() {
            return native(crossbeam_channel::unbounded());
        }
        model(stream::stream(None))
    }

    /// Makes a channel with room for so many messages, like `crossbeam_channel::bounded`. With 0
    /// each send waits for its message to be received.
    #[track_caller]
    pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
        if engine::is_native() {
            return native(crossbeam_channel::bounded(capacity));
        }
        model(stream::stream(Some(capacity)))
    }

    /// The receiving end of a channel on which nothing ever comes, and that is never closed.
    #[track_caller]
    pub fn never<T>() -> Receiver<T> {
        if engine::is_native() {
            return Receiver(Rx::Native(crossbeam_channel::never()));
        }
        Receiver(Rx::Model(stream::never()))
    }

    fn native<T>(
        (sender, receiver): (crossbeam_channel::Sender<T>, crossbeam_channel::Receiver<T>),
    ) -> (Sender<T>, Receiver<T>) {
        (Sender(Tx::Native(sender)), Receiver(Rx::Native(receiver)))
    }

    fn model<T>(
        (sender, receiver): (stream::Sender<T>, stream::Receiver<T>),
    ) -> (Sender<T>, Receiver<T>) {
        (Sender(Tx::Model(sender)), Receiver(Rx::Model(receiver)))
    }

    /// The sending end of a channel, like `crossbeam_channel::Sender`.
    pub struct Sender<T>(Tx<T>);

    /// The receiving end of a channel, like `crossbeam_channel::Receiver`.
    pub struct Receiver<T>(Rx<T>);

    enum Tx<T> {
        Native(crossbeam_channel::Sender<T>),
        Model(stream::Sender<T>),
    }

    enum Rx<T> {
        Native(crossbeam_channel::Receiver<T>),
        Model(stream::Receiver<T>),
    }

    impl<T> Sender<T> {
        /// Sends a message; waits until there is room.
        ///
        /// # Errors
        /// The message, when all receivers are gone.
        #[track_caller]
        pub fn send(&self, value: T) -> Result<(), SendError<T>> {
            match &self.0 {
                Tx::Native(sender) => sender.send(value),
                Tx::Model(sender) => match sender.send(value, How::Insist) {
                    Ok(()) => Ok(()),
                    Err(Refused::TimedOut(value) | Refused::Closed(value)) => Err(SendError(value)),
                },
            }
        }

        /// Sends a message if there is room or, with a capacity of 0, if a receiver waits.
        ///
        /// # Errors
        /// The message, when there is not, or when all receivers are gone.
        #[track_caller]
        pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
            match &self.0 {
                Tx::Native(sender) => sender.try_send(value),
                Tx::Model(sender) => match sender.send(value, How::Try) {
                    Ok(()) => Ok(()),
                    Err(Refused::TimedOut(value)) => Err(TrySendError::Full(value)),
                    Err(Refused::Closed(value)) => Err(TrySendError::Disconnected(value)),
                },
            }
        }

        /// Sends a message, or gives up after `timeout`.
        ///
        /// # Errors
        /// The message, when it gave up, or when all receivers are gone.
        #[track_caller]
        pub fn send_timeout(&self, value: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
            match &self.0 {
                Tx::Native(sender) => sender.send_timeout(value, timeout),
                Tx::Model(sender) => match sender.send(value, How::Timed) {
                    Ok(()) => Ok(()),
                    Err(Refused::TimedOut(value)) => {
                        time::pass(timeout);
                        Err(SendTimeoutError::Timeout(value))
                    }
                    Err(Refused::Closed(value)) => Err(SendTimeoutError::Disconnected(value)),
                },
            }
        }

        /// Sends a message, or gives up at the deadline.
        ///
        /// # Errors
        /// The message, when it gave up, or when all receivers are gone.
        #[track_caller]
        pub fn send_deadline(
            &self,
            value: T,
            deadline: Instant,
        ) -> Result<(), SendTimeoutError<T>> {
            match &self.0 {
                Tx::Native(sender) => sender.send_deadline(value, deadline.into()),
                Tx::Model(_) => {
                    self.send_timeout(value, deadline.saturating_duration_since(Instant::now()))
                }
            }
        }

        /// How many messages are in the channel.
        #[track_caller]
        pub fn len(&self) -> usize {
            match &self.0 {
                Tx::Native(sender) => sender.len(),
                Tx::Model(sender) => sender.len(),
            }
        }

        /// For how many messages there is room; none if there is no bound.
        pub fn capacity(&self) -> Option<usize> {
            match &self.0 {
                Tx::Native(sender) => sender.capacity(),
                Tx::Model(sender) => sender.capacity(),
            }
        }

        /// Whether there is no message in the channel; always, with a capacity of 0.
        #[track_caller]
        pub fn is_empty(&self) -> bool {
            self.len() == 0
        }

        /// Whether there is no room in the channel; always, with a capacity of 0.
        #[track_caller]
        pub fn is_full(&self) -> bool {
            self.capacity() == Some(self.len())
        }

        /// Whether both send to the same channel.
        pub fn same_channel(&self, other: &Sender<T>) -> bool {
            match (&self.0, &other.0) {
                (Tx::Native(one), Tx::Native(two)) => one.same_channel(two),
                (Tx::Model(one), Tx::Model(two)) => one.is_of_same_channel(two),
                _ => false,
            }
        }
    }

    impl<T> Receiver<T> {
        /// Waits for a message.
        ///
        /// # Errors
        /// When there is none and all senders are gone.
        #[track_caller]
        pub fn recv(&self) -> Result<T, RecvError> {
            match &self.0 {
                Rx::Native(receiver) => receiver.recv(),
                Rx::Model(receiver) => receiver.recv(How::Insist).map_err(|_| RecvError),
            }
        }

        /// Receives a message if there is one.
        ///
        /// # Errors
        /// When there is none; another one when all senders are gone too.
        #[track_caller]
        pub fn try_recv(&self) -> Result<T, TryRecvError> {
            match &self.0 {
                Rx::Native(receiver) => receiver.try_recv(),
                Rx::Model(receiver) => receiver.recv(How::Try).map_err(|refused| match refused {
                    Refused::TimedOut(()) => TryRecvError::Empty,
                    Refused::Closed(()) => TryRecvError::Disconnected,
                }),
            }
        }

        /// Waits for a message, or gives up after `timeout`.
        ///
        /// # Errors
        /// When it gave up; another one when all senders are gone.
        #[track_caller]
        pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
            match &self.0 {
                Rx::Native(receiver) => receiver.recv_timeout(timeout),
                Rx::Model(receiver) => receiver.recv(How::Timed).map_err(|refused| match refused {
                    Refused::TimedOut(()) => {
                        time::pass(timeout);
                        RecvTimeoutError::Timeout
                    }
                    Refused::Closed(()) => RecvTimeoutError::Disconnected,
                }),
            }
        }

        /// Waits for a message, or gives up at the deadline.
        ///
        /// # Errors
        /// When it gave up; another one when all senders are gone.
        #[track_caller]
        pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
            match &self.0 {
                Rx::Native(receiver) => receiver.recv_deadline(deadline.into()),
                Rx::Model(_) => {
                    self.recv_timeout(deadline.saturating_duration_since(Instant::now()))
                }
            }
        }

        /// How many messages are in the channel.
        #[track_caller]
        pub fn len(&self) -> usize {
            match &self.0 {
                Rx::Native(receiver) => receiver.len(),
                Rx::Model(receiver) => receiver.len(),
            }
        }

        /// For how many messages there is room; none if there is no bound.
        pub fn capacity(&self) -> Option<usize> {
            match &self.0 {
                Rx::Native(receiver) => receiver.capacity(),
                Rx::Model(receiver) => receiver.capacity(),
            }
        }

        /// Whether there is no message in the channel; always, with a capacity of 0.
        #[track_caller]
        pub fn is_empty(&self) -> bool {
            self.len() == 0
        }

        /// Whether there is no room in the channel; always, with a capacity of 0.
        #[track_caller]
        pub fn is_full(&self) -> bool {
            self.capacity() == Some(self.len())
        }

        /// Whether both receive from the same channel.
        pub fn same_channel(&self, other: &Receiver<T>) -> bool {
            match (&self.0, &other.0) {
                (Rx::Native(one), Rx::Native(two)) => one.same_channel(two),
                (Rx::Model(one), Rx::Model(two)) => one.is_of_same_channel(two),
                _ => false,
            }
        }

        /// Messages as they come, until all senders are gone.
        pub fn iter(&self) -> Iter<'_, T> {
            Iter(self)
        }

        /// The messages that are there.
        pub fn try_iter(&self) -> TryIter<'_, T> {
            TryIter(self)
        }
    }

    impl<T> Clone for Sender<T> {
        fn clone(&self) -> Self {
            Sender(match &self.0 {
                Tx::Native(sender) => Tx::Native(sender.clone()),
                Tx::Model(sender) => Tx::Model(sender.clone()),
            })
        }
    }

    impl<T> Clone for Receiver<T> {
        fn clone(&self) -> Self {
            Receiver(match &self.0 {
                Rx::Native(receiver) => Rx::Native(receiver.clone()),
                Rx::Model(receiver) => Rx::Model(receiver.clone()),
            })
        }
    }

    super::super::stream::message_iterators!();

    /// Waits for the first of several channel operations that can be done, like
    /// `crossbeam_channel::Select`.
    ///
    /// In a model all its channels must have been made in the model; which of several ready
    /// operations is taken is explored.
    ///
    /// ```
    /// use gordian::sync::channel::{Select, bounded};
    ///
    /// let (sender, numbers) = bounded(1);
    /// let (_words_sender, words) = bounded::<&str>(1);
    /// sender.send(7).unwrap();
    /// let mut select = Select::new();
    /// let of_numbers = select.recv(&numbers);
    /// let of_words = select.recv(&words);
    /// let operation = select.select();
    /// assert_eq!(operation.index(), of_numbers);
    /// assert_ne!(of_numbers, of_words);
    /// assert_eq!(operation.recv(&numbers), Ok(7));
    /// ```
    pub struct Select<'a>(Selection<'a>);

    enum Selection<'a> {
        Native(crossbeam_channel::Select<'a>),
        /// By index; nothing where an operation was removed.
        Model(Vec<Option<&'a dyn Arm>>),
    }

    const FOREIGN: &str =
        "a select and its channels are made in the same world, a model or outside";

    impl<'a> Select<'a> {
        /// A selection of nothing yet.
        #[must_use]
        pub fn new() -> Select<'a> {
            Select(if engine::is_native() {
                Selection::Native(crossbeam_channel::Select::new())
            } else {
                Selection::Model(Vec::new())
            })
        }

        /// Adds sending to a channel; gives the operation's index.
        ///
        /// # Panics
        /// When the channel was made outside the model, or in a model that is over.
        #[track_caller]
        pub fn send<T>(&mut self, sender: &'a Sender<T>) -> usize {
            match (&mut self.0, &sender.0) {
                (Selection::Native(select), Tx::Native(sender)) => select.send(sender),
                (Selection::Model(arms), Tx::Model(sender)) => add(arms, sender),
                _ => panic!("{FOREIGN}"),
            }
        }

        /// Adds receiving from a channel; gives the operation's index.
        ///
        /// # Panics
        /// When the channel was made outside the model, or in a model that is over.
        #[track_caller]
        pub fn recv<T>(&mut self, receiver: &'a Receiver<T>) -> usize {
            match (&mut self.0, &receiver.0) {
                (Selection::Native(select), Rx::Native(receiver)) => select.recv(receiver),
                (Selection::Model(arms), Rx::Model(receiver)) => add(arms, receiver),
                _ => panic!("{FOREIGN}"),
            }
        }

        /// Takes an operation out again.
        ///
        /// # Panics
        /// When there is none of that index.
        #[track_caller]
        pub fn remove(&mut self, index: usize) {
            match &mut self.0 {
                Selection::Native(select) => select.remove(index),
                Selection::Model(arms) => match arms.get_mut(index) {
                    Some(arm @ Some(_)) => *arm = None,
                    _ => panic!("no operation of this select has the index {index}"),
                },
            }
        }

        /// Waits for an operation that can be done. It has to be completed then.
        ///
        /// # Panics
        /// When there is none to wait for.
        #[track_caller]
        pub fn select(&mut self) -> SelectedOperation<'a> {
            match &mut self.0 {
                Selection::Native(select) => SelectedOperation(Selected::Native(select.select())),
                Selection::Model(arms) => {
                    let any = arms.iter().any(Option::is_some);
                    assert!(any, "no operations have been added to `Select`");
                    SelectedOperation(select_of(arms, How::Insist).unwrap_or(Selected::Completed))
                }
            }
        }

        /// Takes an operation that can be done at once. It has to be completed then.
        ///
        /// # Errors
        /// When there is none.
        #[track_caller]
        pub fn try_select(&mut self) -> Result<SelectedOperation<'a>, TrySelectError> {
            match &mut self.0 {
                Selection::Native(select) => select
                    .try_select()
                    .map(|operation| SelectedOperation(Selected::Native(operation))),
                Selection::Model(arms) => select_of(arms, How::Try)
                    .map(SelectedOperation)
                    .ok_or(TrySelectError),
            }
        }

        /// Waits for an operation that can be done, or gives up after `timeout`.
        ///
        /// # Errors
        /// When it gave up.
        #[track_caller]
        pub fn select_timeout(
            &mut self,
            timeout: Duration,
        ) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
            match &mut self.0 {
                Selection::Native(select) => select
                    .select_timeout(timeout)
                    .map(|operation| SelectedOperation(Selected::Native(operation))),
                Selection::Model(arms) => match select_of(arms, How::Timed) {
                    Some(selected) => Ok(SelectedOperation(selected)),
                    None => {
                        time::pass(timeout);
                        Err(SelectTimeoutError)
                    }
                },
            }
        }

        /// Waits for an operation that can be done, or gives up at the deadline.
        ///
        /// # Errors
        /// When it gave up.
        #[track_caller]
        pub fn select_deadline(
            &mut self,
            deadline: Instant,
        ) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
            self.select_timeout(deadline.saturating_duration_since(Instant::now()))
        }
    }

    fn add<'a>(arms: &mut Vec<Option<&'a dyn Arm>>, arm: &'a dyn Arm) -> usize {
        arms.push(Some(arm));
        arms.len() - 1
    }

    /// One operation of a model's select.
    #[track_caller]
    fn select_of<'a>(arms: &[Option<&'a dyn Arm>], how: How) -> Option<Selected<'a>> {
        let live: Vec<(usize, &'a dyn Arm)> = arms
            .iter()
            .enumerate()
            .filter_map(|(index, arm)| arm.map(|arm| (index, arm)))
            .collect();
        if live.is_empty() {
            return None;
        }
        let prepared = Prepared::new(&live);
        let operations: Vec<_> = live.iter().map(|(_, arm)| arm.operation()).collect();
        let (chosen, effect) = engine::select(&operations, how)?;
        prepared.settle(chosen, effect);
        let (index, arm) = live[chosen];
        Some(Selected::Model { index, arm })
    }

    /// Arms that wait to be selected. Those that were not are told so, whatever happens.
    struct Prepared<'a, 'b>(&'b [(usize, &'a dyn Arm)]);

    impl<'a, 'b> Prepared<'a, 'b> {
        fn new(arms: &'b [(usize, &'a dyn Arm)]) -> Self {
            arms.iter().for_each(|(_, arm)| arm.prepare());
            Prepared(arms)
        }

        fn settle(self, chosen: usize, effect: Effect) {
            let arms = std::mem::take(&mut std::mem::ManuallyDrop::new(self).0);
            // The others first: who met the chosen one has taken its message, and another arm of the
            // same channel holds out one of its own.
            let others = arms.iter().enumerate().filter(|(at, _)| *at != chosen);
            others.for_each(|(_, (_, arm))| arm.withdraw());
            arms[chosen].1.settle(effect);
        }
    }

    impl Drop for Prepared<'_, '_> {
        fn drop(&mut self) {
            self.0.iter().for_each(|(_, arm)| arm.withdraw());
        }
    }

    /// An operation that was selected and has to be completed, like
    /// `crossbeam_channel::SelectedOperation`.
    #[must_use = "a selected operation has to be completed"]
    pub struct SelectedOperation<'a>(Selected<'a>);

    enum Selected<'a> {
        Native(crossbeam_channel::SelectedOperation<'a>),
        Model { index: usize, arm: &'a dyn Arm },
        Completed,
    }

    impl SelectedOperation<'_> {
        /// The operation's index in its select.
        pub fn index(&self) -> usize {
            match &self.0 {
                Selected::Native(operation) => operation.index(),
                Selected::Model { index, .. } => *index,
                Selected::Completed => usize::MAX,
            }
        }

        /// Completes a send.
        ///
        /// # Errors
        /// The message, when all receivers are gone.
        ///
        /// # Panics
        /// When another operation was selected.
        #[track_caller]
        pub fn send<T>(mut self, sender: &Sender<T>, value: T) -> Result<(), SendError<T>> {
            match (
                std::mem::replace(&mut self.0, Selected::Completed),
                &sender.0,
            ) {
                (Selected::Native(operation), Tx::Native(sender)) => operation.send(sender, value),
                (Selected::Model { arm, .. }, Tx::Model(sender)) => {
                    assert_selected(arm, sender);
                    sender.keep_promise(value).map_err(SendError)
                }
                (Selected::Completed, _) => Err(SendError(value)),
                _ => panic!("{FOREIGN}"),
            }
        }

        /// Completes a receive.
        ///
        /// # Errors
        /// When there is no message and all senders are gone.
        ///
        /// # Panics
        /// When another operation was selected.
        #[track_caller]
        pub fn recv<T>(mut self, receiver: &Receiver<T>) -> Result<T, RecvError> {
            match (
                std::mem::replace(&mut self.0, Selected::Completed),
                &receiver.0,
            ) {
                (Selected::Native(operation), Rx::Native(receiver)) => operation.recv(receiver),
                (Selected::Model { arm, .. }, Rx::Model(receiver)) => {
                    assert_selected(arm, receiver);
                    receiver.pick_up().ok_or(RecvError)
                }
                (Selected::Completed, _) => Err(RecvError),
                _ => panic!("{FOREIGN}"),
            }
        }
    }

    #[track_caller]
    fn assert_selected(selected: &dyn Arm, given: &dyn Arm) {
        let same = std::ptr::eq(selected.address(), given.address());
        assert!(same, "passed a channel that wasn't selected");
    }

    impl Drop for SelectedOperation<'_> {
        fn drop(&mut self) {
            if let Selected::Model { .. } = self.0
                && !engine::panicking()
            {
                panic!("dropped `SelectedOperation` without completing the operation");
            }
        }
    }

    impl Default for Select<'_> {
        fn default() -> Self {
            Select::new()
        }
    }

    impl fmt::Debug for Select<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Select").finish_non_exhaustive()
        }
    }

    impl fmt::Debug for SelectedOperation<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("SelectedOperation")
                .field("index", &self.index())
                .finish_non_exhaustive()
        }
    }

    /// Prints the name only, as crossbeam does.
    macro_rules! debug {
        ($($name:ident $($lifetime:lifetime)?),*) => {$(
            impl<T> fmt::Debug for $name<$($lifetime,)? T> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.debug_struct(stringify!($name)).finish_non_exhaustive()
                }
            }
        )*};
    }

    debug!(Sender, Receiver, Iter '_, TryIter '_, IntoIter);

    impl<T> crate::Named for (Sender<T>, Receiver<T>) {
        fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
            if let Tx::Model(sender) = &self.0.0 {
                sender.name(name.into());
            }
            self
        }
    }
}

/// Waits for the first of several channel operations that can be done and runs the code beside it,
/// like `crossbeam_channel::select!`.
///
/// Arms are `recv(receiver) -> result => …`, `send(sender, message) -> result => …`, and at most
/// one of `default => …` and `default(timeout) => …`. The message is made when its arm is selected.
///
/// ```
/// use gordian::sync::channel::{bounded, select};
/// use std::time::Duration;
///
/// let (orders, order) = bounded(1);
/// let (_stops, stop) = bounded::<()>(1);
/// orders.send("buy").unwrap();
/// let taken = select! {
///     recv(order) -> order => order.ok(),
///     recv(stop) -> _ => None,
///     default(Duration::from_secs(1)) => None,
/// };
/// assert_eq!(taken, Some("buy"));
/// ```
#[cfg(feature = "model")]
#[doc(hidden)]
#[macro_export]
macro_rules! __select {
    // Each arm in turn, with a block or an expression.
    (@arms $default:tt [$($arms:tt)*] $(,)?) => {
        $crate::__select!(@begin $default [$($arms)*])
    };
    (@arms $default:tt [$($arms:tt)*]
        recv($end:expr) -> $result:pat => $body:block $(,)? $($rest:tt)*) => {
        $crate::__select!(@arms $default [$($arms)* (recv ($end) () ($result) ($body))] $($rest)*)
    };
    (@arms $default:tt [$($arms:tt)*]
        recv($end:expr) -> $result:pat => $body:expr $(, $($rest:tt)*)?) => {
        $crate::__select!(
            @arms $default [$($arms)* (recv ($end) () ($result) ($body))] $($($rest)*)?
        )
    };
    (@arms $default:tt [$($arms:tt)*]
        send($end:expr, $message:expr) -> $result:pat => $body:block $(,)? $($rest:tt)*) => {
        $crate::__select!(
            @arms $default [$($arms)* (send ($end) (, $message) ($result) ($body))] $($rest)*
        )
    };
    (@arms $default:tt [$($arms:tt)*]
        send($end:expr, $message:expr) -> $result:pat => $body:expr $(, $($rest:tt)*)?) => {
        $crate::__select!(
            @arms $default [$($arms)* (send ($end) (, $message) ($result) ($body))] $($($rest)*)?
        )
    };
    (@arms () $arms:tt default $(($timeout:expr))? => $body:block $(,)? $($rest:tt)*) => {
        $crate::__select!(@arms (($($timeout)?) ($body)) $arms $($rest)*)
    };
    (@arms () $arms:tt default $(($timeout:expr))? => $body:expr $(, $($rest:tt)*)?) => {
        $crate::__select!(@arms (($($timeout)?) ($body)) $arms $($($rest)*)?)
    };

    // Adds the arms to a select. The names are new ones in each step, so they are all different.
    (@begin $default:tt $arms:tt) => {{
        let mut select = $crate::sync::channel::Select::new();
        $crate::__select!(@add select $default $arms [])
    }};
    (@add $select:ident $default:tt
        [($kind:ident ($end:expr) $message:tt $result:tt $body:tt) $($arms:tt)*]
        [$($added:tt)*]) => {
        match &$end {
            end => {
                let index = $select.$kind(end);
                $crate::__select!(
                    @add $select $default [$($arms)*]
                    [$($added)* (index $kind end $message $result $body)]
                )
            }
        }
    };
    (@add $select:ident () [] $added:tt) => {{
        let selected = $select.select();
        $crate::__select!(@chosen selected $added)
    }};
    (@add $select:ident (() ($body:expr)) [] $added:tt) => {
        match $select.try_select() {
            Ok(selected) => $crate::__select!(@chosen selected $added),
            Err(_) => $body,
        }
    };
    (@add $select:ident (($timeout:expr) ($body:expr)) [] $added:tt) => {
        match $select.select_timeout($timeout) {
            Ok(selected) => $crate::__select!(@chosen selected $added),
            Err(_) => $body,
        }
    };

    // Completes the operation that was selected.
    (@chosen $selected:ident []) => {{
        let _ = $selected;
        unreachable!("one of the arms was selected")
    }};
    (@chosen $selected:ident [
        ($index:ident $kind:ident $end:ident ($($message:tt)*) ($result:pat) ($body:expr))
        $($rest:tt)*
    ]) => {
        if $selected.index() == $index {
            let $result = $selected.$kind($end $($message)*);
            $body
        } else {
            $crate::__select!(@chosen $selected [$($rest)*])
        }
    };

    ($($arms:tt)+) => {
        $crate::__select!(@arms () [] $($arms)+)
    };
}
