//! A state of a scenario, and the same state as bytes.
//!
//! Knows what is to be remembered of threads and objects. Does not know how it changes.
//!
//! Equal states have equal bytes: whatever does not matter is kept in one canonical form (sets are
//! sorted, what a thread no longer needs is zero).

use gordian::scenario::ast::ObjectKind;

use crate::code::{Code, Pc};

/// The program counter of a thread that unwinds.
pub(crate) const UNWINDING: Pc = Pc::MAX;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Life {
    #[default]
    NotStarted,
    Running,
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// Where the caller goes on.
    Call(Pc),
    /// Rounds that are left, the current one included.
    Repeat(u32),
    With(u32),
    Once(u32),
}

/// A thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct Thread {
    pub(crate) life: Life,
    pub(crate) pc: Pc,
    /// It has arrived and has to go on.
    pub(crate) arrived: bool,
    /// What it waits for was given to it: a notification, a grant, a partner.
    pub(crate) served: bool,
    /// The token of `park`.
    pub(crate) token: bool,
    /// Of a `select` that was met, the arm. Of a `wait`, how often the lock was held.
    pub(crate) note: u32,
    /// What it was sent.
    pub(crate) received: i64,
    pub(crate) frames: Vec<Frame>,
    /// All locals of the file; those that its code does not touch stay 0.
    pub(crate) locals: Vec<i64>,
    /// Instructions that are no steps are still to be done. Never so between two steps.
    pub(crate) unsettled: bool,
}

/// How an rwlock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Read,
    Write,
    Upgradable,
}

/// Who stands in the queue of a semaphore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Thread(u32),
    Ticket(u32),
}

/// A `send` or `recv` that waits for a partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) thread: u32,
    pub(crate) arm: u32,
    /// What is sent; none for a `recv`.
    pub(crate) sends: Option<i64>,
}

/// An object.
#[derive(Clone, Debug)]
pub(crate) enum Object {
    /// A mutex, lock or rmutex: who holds it, how often.
    Lock {
        owner: Option<u32>,
        count: u32,
    },
    Rw {
        /// Ordered by thread, and in the order of acquisition of each thread.
        holds: Vec<(u32, Mode)>,
        /// Those who stand before it: in order when fifo, else waiting writers ordered by thread.
        queue: Vec<u32>,
    },
    /// Those not yet notified: in order when fifo, else ordered by thread.
    Condvar {
        waiters: Vec<u32>,
    },
    Semaphore {
        permits: i64,
        queue: Vec<(Who, i64)>,
    },
    Channel {
        closed: bool,
        /// The receiver is gone.
        dropped: bool,
        buffer: Vec<i64>,
        /// Senders before receivers, each in the order of their arrival.
        offers: Vec<Offer>,
    },
    Group {
        count: i64,
    },
    /// Ordered by thread.
    Barrier {
        waiting: Vec<u32>,
    },
    Once {
        state: OnceState,
    },
    Notify {
        permit: bool,
        queue: Vec<u32>,
        /// Those who were notified and have not waited for it yet, ordered by thread; whether it
        /// was by a `notify`, which is handed on when it is dropped.
        ready: Vec<(u32, bool)>,
    },
    Var {
        value: i64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnceState {
    Fresh,
    Running(u32),
    Done,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TicketState {
    /// Not there: never made, awaited or dropped.
    #[default]
    None,
    Queued,
    /// It has so many permits.
    Granted(i64),
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) threads: Vec<Thread>,
    pub(crate) objects: Vec<Object>,
    /// Each thread's own, one thread after the other.
    pub(crate) tickets: Vec<TicketState>,
}

impl State {
    /// Nothing has happened; the threads that start at once are unsettled.
    pub(crate) fn first(code: &Code) -> State {
        State {
            threads: code
                .threads
                .iter()
                .map(|thread| Thread {
                    life: if thread.deferred {
                        Life::NotStarted
                    } else {
                        Life::Running
                    },
                    pc: if thread.deferred { 0 } else { thread.entry },
                    unsettled: !thread.deferred,
                    locals: vec![0; code.locals],
                    ..Thread::default()
                })
                .collect(),
            objects: code.objects.iter().map(|kind| first_of(*kind)).collect(),
            tickets: vec![TicketState::None; code.tickets.len() * code.threads.len()],
        }
    }

    pub(crate) fn var(&self, index: u32) -> i64 {
        match self.objects[index as usize] {
            Object::Var { value } => value,
            _ => 0,
        }
    }

    /// Writes the state to the end of the bytes.
    pub(crate) fn encode(&self, code: &Code, bytes: &mut Vec<u8>) {
        let mut writer = Writer { bytes };
        for (thread, of) in self.threads.iter().zip(&code.threads) {
            writer.thread(thread, &of.locals);
        }
        for object in &self.objects {
            writer.object(object);
        }
        for ticket in &self.tickets {
            writer.signed(match *ticket {
                TicketState::None => -2,
                TicketState::Queued => -1,
                TicketState::Granted(permits) => permits,
            });
        }
    }

    /// Becomes the state that was written; was a state of the same code before.
    pub(crate) fn decode(&mut self, code: &Code, bytes: &[u8]) {
        let mut reader = Reader { bytes };
        for (thread, of) in self.threads.iter_mut().zip(&code.threads) {
            reader.thread(thread, &of.locals);
        }
        for object in &mut self.objects {
            reader.object(object);
        }
        for ticket in &mut self.tickets {
            *ticket = match reader.signed() {
                -2 => TicketState::None,
                -1 => TicketState::Queued,
                permits => TicketState::Granted(permits),
            };
        }
    }
}

fn first_of(kind: ObjectKind) -> Object {
    match kind {
        ObjectKind::Mutex | ObjectKind::Lock | ObjectKind::ReentrantMutex => Object::Lock {
            owner: None,
            count: 0,
        },
        ObjectKind::RwLock(_) => Object::Rw {
            holds: Vec::new(),
            queue: Vec::new(),
        },
        ObjectKind::Condvar { .. } => Object::Condvar {
            waiters: Vec::new(),
        },
        ObjectKind::Semaphore { permits, .. } => Object::Semaphore {
            permits: i64::from(permits),
            queue: Vec::new(),
        },
        ObjectKind::Channel { .. } => Object::Channel {
            closed: false,
            dropped: false,
            buffer: Vec::new(),
            offers: Vec::new(),
        },
        ObjectKind::WaitGroup { count } => Object::Group {
            count: i64::from(count),
        },
        ObjectKind::Barrier { .. } => Object::Barrier {
            waiting: Vec::new(),
        },
        ObjectKind::Once => Object::Once {
            state: OnceState::Fresh,
        },
        ObjectKind::Notify => Object::Notify {
            permit: false,
            queue: Vec::new(),
            ready: Vec::new(),
        },
        ObjectKind::Var { value } => Object::Var { value },
    }
}

/// Seven bits a byte, small numbers first.
struct Writer<'a> {
    bytes: &'a mut Vec<u8>,
}

impl Writer<'_> {
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    fn signed(&mut self, number: i64) {
        self.number(((number << 1) ^ (number >> 63)) as u64);
    }

    fn list(&mut self, numbers: &[u32]) {
        self.number(numbers.len() as u64);
        for number in numbers {
            self.number(u64::from(*number));
        }
    }

    fn thread(&mut self, thread: &Thread, locals: &[u32]) {
        let noted = thread.note != 0 || thread.received != 0;
        self.bytes.push(
            thread.life as u8
                | u8::from(thread.arrived) << 2
                | u8::from(thread.served) << 3
                | u8::from(thread.token) << 4
                | u8::from(noted) << 5,
        );
        if thread.life == Life::Running {
            self.number(u64::from(thread.pc.wrapping_add(1)));
            self.number(thread.frames.len() as u64);
            for frame in &thread.frames {
                let (tag, number) = match *frame {
                    Frame::Call(pc) => (0, pc),
                    Frame::Repeat(left) => (1, left),
                    Frame::With(lock) => (2, lock),
                    Frame::Once(once) => (3, once),
                };
                self.number(u64::from(number) << 2 | tag);
            }
        }
        if noted {
            self.number(u64::from(thread.note));
            self.signed(thread.received);
        }
        for local in locals {
            self.signed(thread.locals[*local as usize]);
        }
    }

    fn object(&mut self, object: &Object) {
        match object {
            Object::Lock { owner, count } => {
                self.number(owner.map_or(0, |owner| u64::from(owner) + 1));
                if owner.is_some() {
                    self.number(u64::from(*count));
                }
            }
            Object::Rw { holds, queue } => {
                self.number(holds.len() as u64);
                for (thread, mode) in holds {
                    self.number(u64::from(*thread) << 2 | *mode as u64);
                }
                self.list(queue);
            }
            Object::Condvar { waiters: list } | Object::Barrier { waiting: list } => {
                self.list(list);
            }
            Object::Semaphore { permits, queue } => {
                self.signed(*permits);
                self.number(queue.len() as u64);
                for (who, permits) in queue {
                    self.number(match *who {
                        Who::Thread(thread) => u64::from(thread) << 1,
                        Who::Ticket(ticket) => u64::from(ticket) << 1 | 1,
                    });
                    self.signed(*permits);
                }
            }
            Object::Channel { .. } => self.channel(object),
            Object::Group { count: value } | Object::Var { value } => self.signed(*value),
            Object::Once { state } => self.number(match *state {
                OnceState::Fresh => 0,
                OnceState::Done => 1,
                OnceState::Running(thread) => u64::from(thread) + 2,
            }),
            Object::Notify {
                permit,
                queue,
                ready,
            } => {
                self.bytes.push(u8::from(*permit));
                self.list(queue);
                self.number(ready.len() as u64);
                for (thread, hands_on) in ready {
                    self.number(u64::from(*thread) << 1 | u64::from(*hands_on));
                }
            }
        }
    }

    fn channel(&mut self, object: &Object) {
        let Object::Channel {
            closed,
            dropped,
            buffer,
            offers,
        } = object
        else {
            return;
        };
        self.bytes.push(u8::from(*closed) | u8::from(*dropped) << 1);
        self.number(buffer.len() as u64);
        for value in buffer {
            self.signed(*value);
        }
        self.number(offers.len() as u64);
        for offer in offers {
            self.number(u64::from(offer.thread) << 1 | u64::from(offer.sends.is_some()));
            self.number(u64::from(offer.arm));
            if let Some(value) = offer.sends {
                self.signed(value);
            }
        }
    }
}

/// Reads what a [`Writer`] wrote; anything else reads as zeros.
struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else {
            return 0;
        };
        self.bytes = rest;
        *first
    }

    fn number(&mut self) -> u64 {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte();
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        number
    }

    fn short(&mut self) -> u32 {
        self.number() as u32
    }

    fn signed(&mut self) -> i64 {
        let number = self.number();
        (number >> 1) as i64 ^ -((number & 1) as i64)
    }

    fn list(&mut self, numbers: &mut Vec<u32>) {
        numbers.clear();
        for _ in 0..self.number() {
            numbers.push(self.short());
        }
    }

    fn thread(&mut self, thread: &mut Thread, locals: &[u32]) {
        let flags = self.byte();
        thread.life = match flags & 3 {
            0 => Life::NotStarted,
            1 => Life::Running,
            _ => Life::Ended,
        };
        thread.arrived = flags & 4 != 0;
        thread.served = flags & 8 != 0;
        thread.token = flags & 16 != 0;
        thread.unsettled = false;
        thread.pc = 0;
        thread.frames.clear();
        if thread.life == Life::Running {
            thread.pc = self.short().wrapping_sub(1);
            for _ in 0..self.number() {
                let frame = self.number();
                let number = (frame >> 2) as u32;
                thread.frames.push(match frame & 3 {
                    0 => Frame::Call(number),
                    1 => Frame::Repeat(number),
                    2 => Frame::With(number),
                    _ => Frame::Once(number),
                });
            }
        }
        (thread.note, thread.received) = (0, 0);
        if flags & 32 != 0 {
            thread.note = self.short();
            thread.received = self.signed();
        }
        for local in locals {
            thread.locals[*local as usize] = self.signed();
        }
    }

    fn object(&mut self, object: &mut Object) {
        match object {
            Object::Lock { owner, count } => {
                *owner = self.short().checked_sub(1);
                *count = if owner.is_some() { self.short() } else { 0 };
            }
            Object::Rw { holds, queue } => {
                holds.clear();
                for _ in 0..self.number() {
                    let hold = self.number();
                    let mode = match hold & 3 {
                        0 => Mode::Read,
                        1 => Mode::Write,
                        _ => Mode::Upgradable,
                    };
                    holds.push(((hold >> 2) as u32, mode));
                }
                self.list(queue);
            }
            Object::Condvar { waiters: list } | Object::Barrier { waiting: list } => {
                self.list(list);
            }
            Object::Semaphore { permits, queue } => {
                *permits = self.signed();
                queue.clear();
                for _ in 0..self.number() {
                    let who = self.number();
                    let index = (who >> 1) as u32;
                    let who = if who & 1 == 0 {
                        Who::Thread(index)
                    } else {
                        Who::Ticket(index)
                    };
                    queue.push((who, self.signed()));
                }
            }
            Object::Channel { .. } => self.channel(object),
            Object::Group { count: value } | Object::Var { value } => *value = self.signed(),
            Object::Once { state } => {
                *state = match self.short() {
                    0 => OnceState::Fresh,
                    1 => OnceState::Done,
                    thread => OnceState::Running(thread - 2),
                };
            }
            Object::Notify {
                permit,
                queue,
                ready,
            } => {
                *permit = self.byte() != 0;
                self.list(queue);
                ready.clear();
                for _ in 0..self.number() {
                    let one = self.number();
                    ready.push(((one >> 1) as u32, one & 1 != 0));
                }
            }
        }
    }

    fn channel(&mut self, object: &mut Object) {
        let Object::Channel {
            closed,
            dropped,
            buffer,
            offers,
        } = object
        else {
            return;
        };
        let flags = self.byte();
        *closed = flags & 1 != 0;
        *dropped = flags & 2 != 0;
        buffer.clear();
        for _ in 0..self.number() {
            buffer.push(self.signed());
        }
        offers.clear();
        for _ in 0..self.number() {
            let head = self.number();
            let arm = self.short();
            offers.push(Offer {
                thread: (head >> 1) as u32,
                arm,
                sends: (head & 1 != 0).then(|| self.signed()),
            });
        }
    }
}
