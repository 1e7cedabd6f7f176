//! crossbeam's channels and `Select`.

use crate::conformance;
use gordian::sync::channel::{
    self, RecvError, RecvTimeoutError, Select, SendError, SendTimeoutError, TryRecvError,
    TrySendError, select,
};
use gordian::time::{Duration, Instant};
use gordian::{Named, thread};

const SOON: Duration = Duration::from_millis(1);

conformance! {
    /// "Channels are first in, first out"; each message goes to one receiver.
    fn each_message_has_one_receiver() {
        let (sender, receiver) = channel::unbounded().named("jobs");
        let its = receiver.clone();
        let other = thread::spawn(move || its.iter().sum::<i32>());
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        drop(sender);
        let mine: i32 = receiver.iter().sum();
        assert_eq!(mine + other.join().unwrap(), 3);
    }

    fn it_knows_its_size() {
        let (sender, receiver) = channel::bounded(2);
        assert!(sender.is_empty() && receiver.is_empty() && !sender.is_full());
        assert_eq!((sender.capacity(), receiver.capacity()), (Some(2), Some(2)));
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        assert!(sender.is_full() && receiver.is_full());
        assert_eq!((sender.len(), receiver.len()), (2, 2));
        assert_eq!(sender.try_send(3), Err(TrySendError::Full(3)));
        assert_eq!(sender.send_timeout(3, SOON), Err(SendTimeoutError::Timeout(3)));
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [1, 2]);
        assert!(sender.same_channel(&sender.clone()) && receiver.same_channel(&receiver.clone()));
        let (_, another) = channel::unbounded::<i32>();
        assert!(another.capacity().is_none() && !receiver.same_channel(&another));
    }

    /// "When all senders or all receivers associated with a channel get dropped, the channel
    /// becomes disconnected. No more messages can be sent, but any remaining messages can still be
    /// received."
    fn it_is_disconnected_by_the_last() {
        let (sender, receiver) = channel::unbounded();
        drop(sender.clone());
        sender.send(1).unwrap();
        drop(sender);
        assert_eq!(receiver.recv(), Ok(1));
        assert_eq!(receiver.recv(), Err(RecvError));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
        assert_eq!(receiver.recv_timeout(SOON), Err(RecvTimeoutError::Disconnected));
        let (sender, receiver) = channel::unbounded();
        drop(receiver.clone());
        sender.send(1).unwrap();
        drop(receiver);
        assert_eq!(sender.send(2), Err(SendError(2)));
        assert_eq!(sender.try_send(2), Err(TrySendError::Disconnected(2)));
        assert_eq!(sender.send_timeout(2, SOON), Err(SendTimeoutError::Disconnected(2)));
    }

    /// Which of two handles is the last to be dropped is nobody's business.
    fn two_drop_at_the_same_time() {
        let (sender, receiver) = channel::bounded::<u8>(1);
        let its = sender.clone();
        let other = thread::spawn(move || drop(its));
        thread::spawn(move || drop(sender));
        assert_eq!(receiver.recv(), Err(RecvError));
        other.join().unwrap();
    }

    fn a_rendezvous_is_from_hand_to_hand() {
        let (sender, receiver) = channel::bounded(0);
        assert!(sender.is_empty() && sender.is_full());
        assert_eq!(sender.try_send(0), Err(TrySendError::Full(0)));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        let other = thread::spawn(move || sender.send(1).is_ok());
        assert_eq!(receiver.recv(), Ok(1));
        assert!(other.join().unwrap());
    }

    /// Two receivers and two senders at one rendezvous: nothing is lost or doubled.
    fn several_meet_at_a_rendezvous() {
        let (sender, receiver) = channel::bounded(0);
        let its = receiver.clone();
        let other = thread::spawn(move || its.recv().unwrap());
        let send = thread::spawn(move || {
            sender.send(1).unwrap();
            sender.send(2).unwrap();
        });
        let mine: i32 = receiver.recv().unwrap();
        assert_eq!(mine + other.join().unwrap(), 3);
        send.join().unwrap();
    }

    /// "A receiver that never delivers messages."
    fn never_is_never() {
        let never = channel::never::<u8>();
        assert_eq!(never.try_recv(), Err(TryRecvError::Empty));
        let deadline = Instant::now() + SOON;
        assert_eq!(never.recv_deadline(deadline), Err(RecvTimeoutError::Timeout));
        assert!(Instant::now() >= deadline);
    }

    /// "Blocks until one of the operations becomes ready and selects it."
    fn a_select_takes_what_is_ready() {
        let (numbers, number) = channel::bounded(1);
        let (_words, word) = channel::bounded::<&str>(1);
        let other = thread::spawn(move || numbers.send(7).unwrap());
        let mut select = Select::new();
        let of_word = select.recv(&word);
        let of_number = select.recv(&number);
        assert_ne!(of_word, of_number);
        let operation = select.select();
        assert_eq!(operation.index(), of_number);
        assert_eq!(operation.recv(&number), Ok(7));
        other.join().unwrap();
    }

    /// "If multiple operations are ready, a random one among them is selected": either may be, and
    /// the other is still there.
    fn a_select_loses_nothing() {
        let (sender_one, one) = channel::bounded(1);
        let (sender_two, two) = channel::bounded(1);
        sender_one.send(1).unwrap();
        sender_two.send(2).unwrap();
        let mut select = Select::new();
        let first = select.recv(&one);
        select.recv(&two);
        let mut sum = 0;
        for _ in 0..2 {
            let operation = select.select();
            sum += match operation.index() == first {
                true => operation.recv(&one).unwrap(),
                false => operation.recv(&two).unwrap(),
            };
        }
        assert_eq!(sum, 3);
        assert!(select.try_select().is_err());
        assert!(select.select_timeout(SOON).is_err());
    }

    /// "A receive operation is ready if there is a message or the channel is disconnected."
    fn a_disconnected_channel_is_ready() {
        let (sender, receiver) = channel::bounded::<u8>(0);
        let (sends, gone) = channel::bounded::<u8>(0);
        thread::spawn(move || drop((sender, gone)));
        let mut select = Select::new();
        let receives = select.recv(&receiver);
        let send = select.send(&sends);
        let operation = select.select();
        if operation.index() == receives {
            assert_eq!(operation.recv(&receiver), Err(RecvError));
        } else {
            assert_eq!(operation.index(), send);
            assert_eq!(operation.send(&sends, 1), Err(SendError(1)));
        }
    }

    /// A selected send into a buffer: whoever receives gets the value.
    fn a_select_sends_into_a_buffer() {
        let (sender, receiver) = channel::bounded(1);
        let other = thread::spawn(move || (receiver.recv(), receiver.recv()));
        for value in [1, 2] {
            let mut select = Select::new();
            select.send(&sender);
            let operation = select.select();
            crate::pause();
            operation.send(&sender, value).unwrap();
        }
        assert_eq!(other.join().unwrap(), (Ok(1), Ok(2)));
    }

    /// A selected send at a rendezvous meets a selected receive.
    fn selects_meet_at_a_rendezvous() {
        let (sender, receiver) = channel::bounded(0);
        let (_never, never) = channel::bounded::<u8>(0);
        let other = thread::spawn(move || {
            let mut select = Select::new();
            select.recv(&never);
            select.recv(&receiver);
            select.select().recv(&receiver)
        });
        let mut select = Select::new();
        select.send(&sender);
        select.select().send(&sender, 5).unwrap();
        assert_eq!(other.join().unwrap(), Ok(5));
    }

    /// "Removes a previously added operation."
    fn a_removed_operation_is_not_selected() {
        let (sender, receiver) = channel::bounded(1);
        sender.send(1).unwrap();
        let mut select = Select::new();
        let index = select.recv(&receiver);
        select.remove(index);
        assert!(select.try_select().is_err());
        let again = select.recv(&receiver);
        let operation = select.select_deadline(Instant::now() + SOON).unwrap();
        assert_eq!(operation.index(), again);
        assert_eq!(operation.recv(&receiver), Ok(1));
    }

    /// `select!`: "the macro … waits until one of the operations becomes ready and executes it".
    fn the_macro_runs_the_code_beside_the_operation() {
        let (sender, receiver) = channel::bounded(1);
        let (_stops, stop) = channel::bounded::<()>(0);
        let other = thread::spawn(move || {
            let mut sent = 0;
            while sent < 2 {
                select! {
                    send(sender, sent) -> result => {
                        result.unwrap();
                        sent += 1;
                    }
                    default(Duration::from_secs(3_600)) => break,
                }
            }
            sent
        });
        let mut all = Vec::new();
        loop {
            let next: Option<i32> = select! {
                recv(receiver) -> result => result.ok(),
                recv(&stop) -> _ => unreachable!("nobody stops it"),
            };
            let Some(next) = next else { break };
            all.push(next);
        }
        assert_eq!(all.len(), other.join().unwrap() as usize);
        assert!(all.iter().copied().eq(0..all.len() as i32));
        let nothing = select! {
            recv(stop) -> _ => false,
            default => true,
        };
        assert!(nothing);
    }
}
