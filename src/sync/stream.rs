//! A channel in a model: its handles, and where its messages are.
//!
//! Knows whose message is whose. Does not know when one may be sent or received: that is the
//! engine's. What is done with messages after an operation is done at once with it, since nobody
//! else runs before the thread's next operation.

use crate::engine::{self, Identity};
use crate::op::{Action, Effect, How, Kind};
use parking_lot::Mutex;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// The channel that both sides share.
struct Stream<T> {
    anonymous: Identity,
    /// Instead of `anonymous`, once it was given a name.
    named: OnceLock<Identity>,
    capacity: Option<u32>,
    senders: Handles,
    receivers: Handles,
    /// Whether nothing ever comes.
    is_never: AtomicBool,
    messages: Mutex<Messages<T>>,
}

/// Where messages are. Threads are known by their numbers.
struct Messages<T> {
    /// Sent and not received.
    buffer: VecDeque<Item<T>>,
    /// By sender: what it holds out at a rendezvous, before anyone has taken it.
    offered: Vec<(usize, Item<T>)>,
    /// By receiver: what is its own, and it has not picked up yet.
    claimed: Vec<(usize, Item<T>)>,
    /// By sender: what it has selected to send, and has not sent yet.
    promised: Vec<(usize, Arc<Promise<T>>)>,
}

/// A message, or one that is selected to be sent: its value comes later.
enum Item<T> {
    Here(T),
    Promised(Arc<Promise<T>>),
}

struct Promise<T> {
    kept: Identity,
    value: Mutex<Option<T>>,
}

impl<T> Item<T> {
    /// The value, which whoever promised it has to bring first. Nothing when the execution is over.
    #[track_caller]
    fn value(self) -> Option<T> {
        match self {
            Item::Here(value) => Some(value),
            Item::Promised(promise) => {
                engine::touch(&promise.kept, Kind::Gate, Action::Pass);
                promise.value.lock().take()
            }
        }
    }
}

/// How many handles one side has. Who drops the last one closes the channel, so which is the last
/// must not depend on an order that nobody sees: dropping one of several is a step.
struct Handles {
    identity: Identity,
    count: AtomicUsize,
    /// Whether there ever were two.
    shared: AtomicBool,
}

impl Handles {
    /// One handle.
    #[track_caller]
    fn new() -> Handles {
        Handles {
            identity: Identity::here(),
            count: AtomicUsize::new(1),
            shared: AtomicBool::new(false),
        }
    }

    // Relaxed, here and below: the threads of a model share one OS thread.
    fn add(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.shared.store(true, Ordering::Relaxed);
    }

    /// Whether it was the last one.
    #[track_caller]
    fn remove(&self) -> bool {
        if self.shared.load(Ordering::Relaxed) {
            engine::touch(&self.identity, Kind::Atomic, Action::Update);
        }
        self.count.fetch_sub(1, Ordering::Relaxed) == 1
    }
}

/// The first of the thread's items, taken out.
fn take<I>(items: &mut Vec<(usize, I)>, thread: usize) -> Option<I> {
    let at = items.iter().position(|(its, _)| *its == thread)?;
    Some(items.remove(at).1)
}

/// The last of the thread's items, taken out.
fn take_last<I>(items: &mut Vec<(usize, I)>, thread: usize) -> Option<I> {
    let at = items.iter().rposition(|(its, _)| *its == thread)?;
    Some(items.remove(at).1)
}

/// The current thread's number.
fn me() -> usize {
    engine::thread_number().unwrap_or(usize::MAX)
}

/// What did not come about, and why.
pub(crate) enum Refused<T> {
    /// It gave up.
    TimedOut(T),
    /// The other side is gone.
    Closed(T),
}

impl<T> Stream<T> {
    fn identity(&self) -> &Identity {
        self.named.get().unwrap_or(&self.anonymous)
    }

    fn kind(&self) -> Kind {
        Kind::Channel {
            capacity: self.capacity,
            cluster: 0,
        }
    }

    #[track_caller]
    fn operate(&self, action: Action, how: How) -> Effect {
        engine::acquire(self.identity(), self.kind(), action, how, 0)
    }

    fn is_rendezvous(&self) -> bool {
        self.capacity == Some(0)
    }

    /// Does with the message what came of a step that sends it.
    fn sent(&self, effect: Effect, item: Option<Item<T>>) {
        let mut messages = self.messages.lock();
        match effect {
            Effect::Chose(receiver) => {
                // None if the receiver came second: it has taken it already.
                if let Some(item) = item.or_else(|| take(&mut messages.offered, me())) {
                    messages.claimed.push((receiver as usize, item));
                }
            }
            _ => messages.buffer.extend(item),
        }
    }

    /// The message that the current thread has received by a step.
    fn received(&self, effect: Effect) -> Option<Item<T>> {
        let mut messages = self.messages.lock();
        match effect {
            Effect::Chose(sender) => take(&mut messages.claimed, me())
                .or_else(|| take(&mut messages.offered, sender as usize)),
            _ => messages.buffer.pop_front(),
        }
    }

    #[track_caller]
    fn send(&self, value: T, how: How) -> Result<(), Refused<T>> {
        let mut item = Some(Item::Here(value));
        if self.is_rendezvous() {
            let offer = item.take().map(|item| (me(), item));
            self.messages.lock().offered.extend(offer);
        }
        let effect = self.operate(Action::Send, how);
        if effect.succeeded() {
            self.sent(effect, item);
            return Ok(());
        }
        let item = item.or_else(|| take(&mut self.messages.lock().offered, me()));
        match (item, effect) {
            (Some(Item::Here(value)), Effect::Closed) => Err(Refused::Closed(value)),
            (Some(Item::Here(value)), _) => Err(Refused::TimedOut(value)),
            // Whoever took it has it.
            (Some(Item::Promised(_)) | None, _) => Ok(()),
        }
    }

    #[track_caller]
    fn recv(&self, how: How) -> Result<T, Refused<()>> {
        match self.operate(Action::Recv, how) {
            Effect::Failed | Effect::Queued => Err(Refused::TimedOut(())),
            Effect::Closed => Err(Refused::Closed(())),
            effect => {
                let item = self.received(effect).and_then(Item::value);
                item.ok_or(Refused::Closed(()))
            }
        }
    }

    /// How many messages there are.
    #[track_caller]
    fn len(&self) -> usize {
        match self.operate(Action::Len, How::Insist) {
            Effect::Chose(len) => len as usize,
            _ => 0,
        }
    }
}

/// Makes a channel with so much room; a rendezvous with 0, unbounded without a number.
#[track_caller]
pub(crate) fn stream<T>(capacity: Option<usize>) -> (Sender<T>, Receiver<T>) {
    let stream = Arc::new(Stream {
        anonymous: Identity::here(),
        named: OnceLock::new(),
        // One with more room than there are numbers is never full.
        capacity: capacity.and_then(|capacity| u32::try_from(capacity).ok()),
        senders: Handles::new(),
        receivers: Handles::new(),
        is_never: AtomicBool::new(false),
        messages: Mutex::new(Messages {
            buffer: VecDeque::new(),
            offered: Vec::new(),
            claimed: Vec::new(),
            promised: Vec::new(),
        }),
    });
    (Sender(Arc::clone(&stream)), Receiver(stream))
}

/// A channel on which nothing ever comes. Any two are the same to who compares them, as crossbeam's.
#[track_caller]
pub(crate) fn never<T>() -> Receiver<T> {
    // Nobody ever meets anyone there, so it need not be a rendezvous.
    let (sender, receiver) = stream(None);
    // As if somebody held it for ever.
    receiver.0.is_never.store(true, Ordering::Relaxed);
    std::mem::forget(sender);
    receiver
}

/// One handle to send. The channel is closed when the last one is dropped.
pub(crate) struct Sender<T>(Arc<Stream<T>>);

/// One handle to receive. The channel is closed when the last one is dropped.
pub(crate) struct Receiver<T>(Arc<Stream<T>>);

impl<T> Sender<T> {
    #[track_caller]
    pub(crate) fn send(&self, value: T, how: How) -> Result<(), Refused<T>> {
        self.0.send(value, how)
    }

    #[track_caller]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn capacity(&self) -> Option<usize> {
        self.0.capacity.map(|capacity| capacity as usize)
    }

    pub(crate) fn is_of_same_channel(&self, other: &Sender<T>) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Sends what was selected to be sent; closed says that the selection found it so.
    #[track_caller]
    pub(crate) fn keep_promise(&self, value: T) -> Result<(), T> {
        let promise = take(&mut self.0.messages.lock().promised, me());
        match promise {
            None => Err(value),
            Some(promise) => {
                *promise.value.lock() = Some(value);
                engine::touch(&promise.kept, Kind::Gate, Action::Open);
                Ok(())
            }
        }
    }

    /// Gives the channel a name, if no execution has met it.
    pub(crate) fn name(&self, name: Cow<'static, str>) {
        let its = self.0.identity();
        if !its.was_met() {
            let _ = self.0.named.set(its.clone_unused().named(name));
        }
    }
}

impl<T> Receiver<T> {
    #[track_caller]
    pub(crate) fn recv(&self, how: How) -> Result<T, Refused<()>> {
        self.0.recv(how)
    }

    #[track_caller]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn capacity(&self) -> Option<usize> {
        match self.0.is_never.load(Ordering::Relaxed) {
            true => Some(0),
            false => self.0.capacity.map(|capacity| capacity as usize),
        }
    }

    pub(crate) fn is_of_same_channel(&self, other: &Receiver<T>) -> bool {
        let never = |its: &Receiver<T>| its.0.is_never.load(Ordering::Relaxed);
        Arc::ptr_eq(&self.0, &other.0) || never(self) && never(other)
    }

    /// Receives what was selected to be received; none when the channel was found closed.
    #[track_caller]
    pub(crate) fn pick_up(&self) -> Option<T> {
        let claimed = take(&mut self.0.messages.lock().claimed, me());
        claimed.and_then(Item::value)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.senders.add();
        Sender(Arc::clone(&self.0))
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.0.receivers.add();
        Receiver(Arc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if self.0.senders.remove() {
            self.0.operate(Action::CloseSend, How::Insist);
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if self.0.receivers.remove() {
            self.0.operate(Action::CloseRecv, How::Insist);
            let lost = std::mem::take(&mut self.0.messages.lock().buffer);
            // Only now: a message's destructor may use the channel.
            drop(lost);
        }
    }
}

/// One arm of a select, whatever its messages are.
pub(crate) trait Arm {
    /// The operation that is selected.
    fn operation(&self) -> (&Identity, Kind, Action);
    /// Gets ready for being selected.
    fn prepare(&self);
    /// Was selected, with this effect.
    fn settle(&self, effect: Effect);
    /// Was not selected.
    fn withdraw(&self);
    /// Tells one handle from another.
    fn address(&self) -> *const ();
}

impl<T> Arm for Sender<T> {
    fn operation(&self) -> (&Identity, Kind, Action) {
        (self.0.identity(), self.0.kind(), Action::Send)
    }

    fn prepare(&self) {
        let promise = Arc::new(Promise {
            kept: Identity::default(),
            value: Mutex::new(None),
        });
        let mut messages = self.0.messages.lock();
        if self.0.is_rendezvous() {
            let item = Item::Promised(Arc::clone(&promise));
            messages.offered.push((me(), item));
        }
        messages.promised.push((me(), promise));
    }

    fn settle(&self, effect: Effect) {
        if !effect.succeeded() {
            return self.withdraw();
        }
        let item = match self.0.is_rendezvous() {
            true => None,
            false => {
                let messages = self.0.messages.lock();
                let mine = messages.promised.iter().find(|(its, _)| *its == me());
                mine.map(|(_, promise)| Item::Promised(Arc::clone(promise)))
            }
        };
        self.0.sent(effect, item);
    }

    fn withdraw(&self) {
        let mut messages = self.0.messages.lock();
        // The last: whoever met another arm for the same channel took the first.
        let lost = (
            take_last(&mut messages.offered, me()),
            take_last(&mut messages.promised, me()),
        );
        drop(messages);
        drop(lost);
    }

    fn address(&self) -> *const () {
        std::ptr::from_ref(self).cast()
    }
}

impl<T> Arm for Receiver<T> {
    fn operation(&self) -> (&Identity, Kind, Action) {
        (self.0.identity(), self.0.kind(), Action::Recv)
    }

    fn prepare(&self) {}

    fn settle(&self, effect: Effect) {
        if effect.succeeded()
            && let Some(item) = self.0.received(effect)
        {
            self.0.messages.lock().claimed.push((me(), item));
        }
    }

    fn withdraw(&self) {}

    fn address(&self) -> *const () {
        std::ptr::from_ref(self).cast()
    }
}

/// The iterators over the messages of a `Receiver<T>`, which has `recv`, `try_recv` and `iter`.
macro_rules! message_iterators {
    () => {
        /// Messages as they come; made by [`Receiver::iter`].
        pub struct Iter<'a, T>(&'a Receiver<T>);

        /// The messages that are there; made by [`Receiver::try_iter`].
        pub struct TryIter<'a, T>(&'a Receiver<T>);

        /// Messages as they come; made by [`Receiver::into_iter`].
        pub struct IntoIter<T>(Receiver<T>);

        impl<T> Iterator for Iter<'_, T> {
            type Item = T;

            #[track_caller]
            fn next(&mut self) -> Option<T> {
                self.0.recv().ok()
            }
        }

        impl<T> Iterator for TryIter<'_, T> {
            type Item = T;

            #[track_caller]
            fn next(&mut self) -> Option<T> {
                self.0.try_recv().ok()
            }
        }

        impl<T> Iterator for IntoIter<T> {
            type Item = T;

            #[track_caller]
            fn next(&mut self) -> Option<T> {
                self.0.recv().ok()
            }
        }

        impl<'a, T> IntoIterator for &'a Receiver<T> {
            type Item = T;
            type IntoIter = Iter<'a, T>;

            fn into_iter(self) -> Iter<'a, T> {
                self.iter()
            }
        }

        impl<T> IntoIterator for Receiver<T> {
            type Item = T;
            type IntoIter = IntoIter<T>;

            fn into_iter(self) -> IntoIter<T> {
                IntoIter(self)
            }
        }
    };
}
pub(super) use message_iterators;
