//! Channels to one receiver; std's interface.

#[cfg(not(feature = "model"))]
pub use off::*;
#[cfg(feature = "model")]
pub use on::*;

pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

#[cfg(not(feature = "model"))]
mod off {
    use std::borrow::Cow;
    pub use std::sync::mpsc::{
        IntoIter, Iter, Receiver, Sender, SyncSender, TryIter, channel, sync_channel,
    };

    impl<T> crate::Named for (Sender<T>, Receiver<T>) {
        fn named(self, _name: impl Into<Cow<'static, str>>) -> Self {
            self
        }
    }

    impl<T> crate::Named for (SyncSender<T>, Receiver<T>) {
        fn named(self, _name: impl Into<Cow<'static, str>>) -> Self {
            self
        }
    }
}

#[cfg(feature = "model")]
mod on {
    use super::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};
    use crate::engine;
    use crate::op::How;
    use crate::sync::stream::{self, Refused};
    use crate::time::{self, Duration};
    use std::borrow::Cow;
    use std::fmt;
    use std::sync::mpsc;

    /// Makes a channel without a bound, like [`std::sync::mpsc::channel`].
    ///
    /// A channel made in a model is the model's, one made outside is a real one wherever it is
    /// used. `named` gives the pair of both ends a name.
    ///
    /// ```
    /// use gordian::sync::mpsc;
    /// use gordian::{Named, thread};
    ///
    /// let (sender, receiver) = mpsc::channel().named("answers");
    /// thread::spawn(move || sender.send(42));
    /// assert_eq!(receiver.recv(), Ok(42));
    /// assert!(receiver.recv().is_err(), "nobody is left to send");
    /// ```
    #[track_caller]
    pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
        if engine::is_native() {
            let (sender, receiver) = mpsc::channel();
            return (Sender(Tx::Native(sender)), Receiver(Rx::Native(receiver)));
        }
        let (sender, receiver) = stream::stream(None);
        (Sender(Tx::Model(sender)), Receiver(Rx::Model(receiver)))
    }

    /// Makes a channel with room for `bound` messages, like [`std::sync::mpsc::sync_channel`]. With
    /// 0 each send waits for its message to be received.
    #[track_caller]
    pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
        if engine::is_native() {
            let (sender, receiver) = mpsc::sync_channel(bound);
            return (
                SyncSender(Tx::Native(sender)),
                Receiver(Rx::Native(receiver)),
            );
        }
        let (sender, receiver) = stream::stream(Some(bound));
        (SyncSender(Tx::Model(sender)), Receiver(Rx::Model(receiver)))
    }

    enum Tx<N, T> {
        Native(N),
        Model(stream::Sender<T>),
    }

    enum Rx<T> {
        Native(mpsc::Receiver<T>),
        Model(stream::Receiver<T>),
    }

    /// The sending end of a [`channel`], like [`std::sync::mpsc::Sender`].
    pub struct Sender<T>(Tx<mpsc::Sender<T>, T>);

    /// The sending end of a [`sync_channel`], like [`std::sync::mpsc::SyncSender`].
    pub struct SyncSender<T>(Tx<mpsc::SyncSender<T>, T>);

    /// The receiving end of a channel, like [`std::sync::mpsc::Receiver`].
    pub struct Receiver<T>(Rx<T>);

    #[track_caller]
    fn send<T>(sender: &stream::Sender<T>, value: T) -> Result<(), SendError<T>> {
        match sender.send(value, How::Insist) {
            Ok(()) => Ok(()),
            Err(Refused::TimedOut(value) | Refused::Closed(value)) => Err(SendError(value)),
        }
    }

    impl<T> Sender<T> {
        /// Sends a message; never waits.
        ///
        /// # Errors
        /// The message, when the receiver is gone.
        #[track_caller]
        pub fn send(&self, value: T) -> Result<(), SendError<T>> {
            match &self.0 {
                Tx::Native(sender) => sender.send(value),
                Tx::Model(sender) => send(sender, value),
            }
        }
    }

    impl<T> SyncSender<T> {
        /// Sends a message; waits until there is room.
        ///
        /// # Errors
        /// The message, when the receiver is gone.
        #[track_caller]
        pub fn send(&self, value: T) -> Result<(), SendError<T>> {
            match &self.0 {
                Tx::Native(sender) => sender.send(value),
                Tx::Model(sender) => send(sender, value),
            }
        }

        /// Sends a message if there is room or, with a bound of 0, if the receiver waits.
        ///
        /// # Errors
        /// The message, when there is not, or when the receiver is gone.
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

    impl<T> Clone for SyncSender<T> {
        fn clone(&self) -> Self {
            SyncSender(match &self.0 {
                Tx::Native(sender) => Tx::Native(sender.clone()),
                Tx::Model(sender) => Tx::Model(sender.clone()),
            })
        }
    }

    super::super::stream::message_iterators!();

    /// Prints the name only, as std does.
    macro_rules! debug {
        ($($name:ident $($lifetime:lifetime)?),*) => {$(
            impl<T> fmt::Debug for $name<$($lifetime,)? T> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.debug_struct(stringify!($name)).finish_non_exhaustive()
                }
            }
        )*};
    }

    debug!(Sender, SyncSender, Receiver, Iter '_, TryIter '_, IntoIter);

    impl<T> crate::Named for (Sender<T>, Receiver<T>) {
        fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
            if let Tx::Model(sender) = &self.0.0 {
                sender.name(name.into());
            }
            self
        }
    }

    impl<T> crate::Named for (SyncSender<T>, Receiver<T>) {
        fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
            if let Tx::Model(sender) = &self.0.0 {
                sender.name(name.into());
            }
            self
        }
    }
}
