//! std's `mpsc`.

use crate::conformance;
use gordian::sync::mpsc::{
    self, RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError,
};
use gordian::time::{Duration, Instant};
use gordian::{Named, thread};
use std::sync::Arc;

const SOON: Duration = Duration::from_millis(1);

conformance! {
    /// "All data sent on the Sender will become available on the Receiver in the same order as it
    /// was sent."
    fn messages_come_in_order() {
        let (sender, receiver) = mpsc::channel().named("numbers");
        thread::spawn(move || (0..3).for_each(|number| sender.send(number).unwrap()));
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [0, 1, 2]);
    }

    /// "Multiple producers": each one's messages are in order.
    fn several_send() {
        let (sender, receiver) = mpsc::channel();
        for who in [1, 2] {
            let sender = sender.clone();
            thread::spawn(move || sender.send(who).unwrap());
        }
        drop(sender);
        let mut all: Vec<_> = receiver.into_iter().collect();
        all.sort_unstable();
        assert_eq!(all, [1, 2]);
    }

    /// "A send on a channel whose receiver has been deallocated returns an Err with the data."
    fn nobody_receives() {
        let (sender, receiver) = mpsc::channel();
        drop(receiver);
        assert_eq!(sender.send(1), Err(SendError(1)));
        let (sender, receiver) = mpsc::sync_channel(1);
        drop(receiver);
        assert_eq!(sender.send(1), Err(SendError(1)));
        assert_eq!(sender.try_send(1), Err(TrySendError::Disconnected(1)));
    }

    /// "If the corresponding Sender has disconnected … this call will wake up and return Err";
    /// "since channels are buffered, messages sent before the disconnect will still be properly
    /// received."
    fn nobody_sends() {
        let (sender, receiver) = mpsc::channel();
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        sender.send(1).unwrap();
        thread::spawn(move || drop(sender));
        assert_eq!(receiver.recv(), Ok(1));
        assert_eq!(receiver.recv(), Err(RecvError));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
        assert_eq!(receiver.recv_timeout(SOON), Err(RecvTimeoutError::Disconnected));
    }

    /// "It will return if nothing was received in time."
    fn a_receiver_times_out() {
        let (sender, receiver) = mpsc::channel::<u8>();
        let begun = Instant::now();
        assert_eq!(receiver.recv_timeout(SOON), Err(RecvTimeoutError::Timeout));
        assert!(begun.elapsed() >= SOON);
        sender.send(1).unwrap();
        assert_eq!(receiver.recv_timeout(SOON), Ok(1));
    }

    /// "If the internal buffer becomes full, future sends will block waiting for the buffer to open
    /// up."
    fn a_bounded_channel_holds_so_many() {
        let (sender, receiver) = mpsc::sync_channel(1);
        sender.send(1).unwrap();
        assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
        let other = thread::spawn(move || sender.send(3).unwrap());
        assert_eq!((receiver.recv(), receiver.recv()), (Ok(1), Ok(3)));
        other.join().unwrap();
    }

    /// "A buffer size of 0 is valid, in which case this becomes a rendezvous channel where each
    /// send will not return until a recv is paired with it."
    fn a_rendezvous_is_from_hand_to_hand() {
        let (sender, receiver) = mpsc::sync_channel(0);
        assert_eq!(sender.try_send(0), Err(TrySendError::Full(0)));
        let met = Arc::new(gordian::sync::atomic::AtomicBool::new(false));
        let its = Arc::clone(&met);
        let order = gordian::sync::atomic::Ordering::SeqCst;
        let other = thread::spawn(move || {
            its.store(true, order);
            let numbers = (receiver.recv(), receiver.recv());
            (numbers, receiver.recv())
        });
        sender.send(1).unwrap();
        assert!(met.load(order), "the receiver had come");
        sender.send(2).unwrap();
        drop(sender);
        assert_eq!(other.join().unwrap(), ((Ok(1), Ok(2)), Err(RecvError)));
    }

    /// Two senders at one rendezvous: each message goes to whom it met.
    loom_preemptions_max(2)
    fn several_send_at_a_rendezvous() {
        let (sender, receiver) = mpsc::sync_channel(0);
        let its = sender.clone();
        thread::spawn(move || its.send(1).unwrap());
        thread::spawn(move || sender.send(2).unwrap());
        let sum: i32 = receiver.iter().sum();
        assert_eq!(sum, 3);
    }

    /// A sender that waits at a rendezvous is woken up when the receiver goes away.
    fn who_waits_for_the_other_side_is_told() {
        let (sender, receiver) = mpsc::sync_channel(0);
        let other = thread::spawn(move || sender.send(1));
        drop(receiver);
        assert_eq!(other.join().unwrap(), Err(SendError(1)));
    }

    /// "This iterator will never block the caller."
    fn what_is_there_is_received() {
        let (sender, receiver) = mpsc::channel();
        (0..2).for_each(|number| sender.send(number).unwrap());
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [0, 1]);
        assert_eq!(receiver.try_iter().next(), None);
        drop(sender);
    }

    /// Messages that nobody receives are dropped with the receiver.
    fn lost_messages_are_dropped() {
        let (sender, receiver) = mpsc::channel();
        let message = Arc::new(());
        sender.send(Arc::clone(&message)).unwrap();
        drop(receiver);
        assert_eq!(Arc::strong_count(&message), 1);
    }
}
