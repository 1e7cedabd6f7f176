//! The main loop: the thread that trades, and who may start and end it.
//!
//! Knows that there is one loop, what it does first after a start, and that a start or a stop is
//! durable when it is answered. Does not know what a tick does: the core does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

use gordian::sync::Mutex;
use tokio::sync::Notify;

use super::store::Store;
use crate::{Currency, Lease, NotDurable, Protocol, Tick};

/// The trader with its loop.
#[derive(Debug)]
pub struct Bot {
    inner: Arc<Inner>,
    store: Arc<Store>,
    control: Mutex<Control>,
}

/// The number of the last start or stop, and the loops. Guards memory only, never a write.
#[derive(Debug, Default)]
struct Control {
    sequence: u64,
    running: bool,
    loops: Vec<JoinHandle<()>>,
}

/// What the loop shares with the rest.
struct Inner {
    protocol: Arc<dyn Protocol>,
    pass_interval: Duration,
    settle_for: Duration,
    settling: AtomicBool,
    live: AtomicUsize,
    passes: AtomicU64,
    failed: Notify,
    asleep: Mutex<Vec<Thread>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").finish_non_exhaustive()
    }
}

/// How the loop goes about its work.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Pause between two passes.
    pub pass_interval: Duration,
    /// How long a start asks for open orders before it leaves them to the passes.
    pub settle_for: Duration,
}

/// How the loop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// Whether the user wants it to trade.
    pub running: bool,
    /// Whether it still asks for orders that were open when it started.
    pub settling: bool,
    /// Threads that have not ended: one while running; after a stop and a start perhaps an old one
    /// that waits for an answer and submits nothing.
    pub loops: usize,
    /// Passes over all currencies so far.
    pub passes: u64,
}

impl Bot {
    /// A trader that stands still. `sequence` is the number of the last start or stop before.
    pub fn new(protocol: Arc<dyn Protocol>, store: Arc<Store>, sequence: u64, pace: Pace) -> Self {
        let inner = Inner {
            protocol,
            pass_interval: pace.pass_interval,
            settle_for: pace.settle_for,
            settling: AtomicBool::new(false),
            live: AtomicUsize::new(0),
            passes: AtomicU64::new(0),
            failed: Notify::new(),
            asleep: Mutex::default(),
        };
        let control = Control {
            sequence,
            ..Control::default()
        };
        Bot {
            inner: Arc::new(inner),
            store,
            control: Mutex::new(control),
        }
    }

    /// Slow: starts the loop; whether it stood still before.
    ///
    /// # Errors
    /// When it runs now, but a restart may not know.
    pub fn start(&self) -> Result<bool, NotDurable> {
        let (sequence, started) = {
            let mut control = self.control.lock();
            let lease = self.inner.protocol.start();
            if let Some(lease) = lease {
                control.running = true;
                control.loops.retain(|thread| !thread.is_finished());
                control.loops.extend(self.inner.spawn(lease));
            }
            control.sequence += 1;
            (control.sequence, lease.is_some())
        };
        self.store.set_running(sequence, true)?;
        Ok(started)
    }

    /// Slow: stops the loop; whether it ran before. From here on nothing new is submitted.
    ///
    /// # Errors
    /// When it stands still, but a restart may not know.
    pub fn stop(&self) -> Result<bool, NotDurable> {
        let (sequence, stopped) = {
            let mut control = self.control.lock();
            self.inner.protocol.stop();
            control.sequence += 1;
            (control.sequence, std::mem::take(&mut control.running))
        };
        self.inner.wake();
        self.store.set_running(sequence, false)?;
        Ok(stopped)
    }

    /// Slow: ends trading with the process: nothing new is submitted, and what is in flight is
    /// waited for. Whether it came to its end; if not, its intent is in the database.
    ///
    /// The user's wish to trade stays as it is.
    pub fn shut_down(&self, grace: Duration) -> bool {
        let loops = {
            let mut control = self.control.lock();
            self.inner.protocol.stop();
            control.running = false;
            std::mem::take(&mut control.loops)
        };
        self.inner.wake();
        let deadline = Instant::now() + grace;
        while loops.iter().any(|thread| !thread.is_finished()) {
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }

    /// How the loop is.
    pub fn pulse(&self) -> Pulse {
        let inner = &self.inner;
        Pulse {
            running: self.control.lock().running,
            settling: inner.settling.load(Ordering::Relaxed),
            loops: inner.live.load(Ordering::Relaxed),
            passes: inner.passes.load(Ordering::Relaxed),
        }
    }

    /// Waits until a loop has died of a panic: the process has no use any more.
    pub async fn failed(&self) {
        self.inner.failed.notified().await;
    }
}

impl Inner {
    fn spawn(self: &Arc<Self>, lease: Lease) -> Option<JoinHandle<()>> {
        let inner = Arc::clone(self);
        // Before the thread runs, so that nobody sees a running trader without a loop.
        self.live.fetch_add(1, Ordering::Relaxed);
        self.settling.store(true, Ordering::Relaxed);
        let thread = std::thread::Builder::new().name("main-loop".to_owned());
        let spawned = thread.spawn(move || {
            let end = catch_unwind(AssertUnwindSafe(|| inner.run(lease)));
            inner.live.fetch_sub(1, Ordering::Relaxed);
            if end.is_err() {
                tracing::error!("the main loop has panicked: the process ends");
                inner.protocol.stop();
                inner.failed.notify_one();
            }
        });
        if let Err(error) = &spawned {
            tracing::error!(%error, "no thread for the main loop: the process ends");
            self.live.fetch_sub(1, Ordering::Relaxed);
            self.failed.notify_one();
        }
        spawned.ok()
    }

    fn run(&self, lease: Lease) {
        self.asleep.lock().push(std::thread::current());
        self.settle(lease);
        while self.protocol.pass(lease) {
            self.passes.fetch_add(1, Ordering::Relaxed);
            std::thread::park_timeout(self.pass_interval);
        }
        let own = std::thread::current().id();
        self.asleep.lock().retain(|thread| thread.id() != own);
    }

    /// Asks for the orders that may have been submitted before, and does nothing else meanwhile.
    ///
    /// The core never trades in a currency on top of such an order. So an exchange that does not
    /// answer for one of them does not keep the others from trading for ever.
    fn settle(&self, lease: Lease) {
        let deadline = Instant::now() + self.settle_for;
        loop {
            let open = self.unknown();
            if open.is_empty() || Instant::now() >= deadline {
                tracing::info!(open = open.len(), "orders of an earlier run are resolved");
                break;
            }
            if open
                .iter()
                .any(|currency| self.protocol.tick(lease, *currency) == Tick::Ended)
            {
                return;
            }
            if !self.unknown().is_empty() {
                std::thread::park_timeout(self.pass_interval.min(Duration::from_millis(200)));
            }
        }
        self.settling.store(false, Ordering::Relaxed);
    }

    fn unknown(&self) -> Vec<Currency> {
        let currencies = (0..self.protocol.currencies()).map(Currency);
        let is_unknown = |currency: &Currency| {
            self.protocol
                .stats(*currency)
                .is_ok_and(|stats| stats.unknown)
        };
        currencies.filter(is_unknown).collect()
    }

    /// Lets a loop that pauses see that its lease is over.
    fn wake(&self) {
        for thread in self.asleep.lock().iter() {
            thread.unpark();
        }
    }
}
