//! What the machine could do meanwhile.
//!
//! Knows when a thread that wanted to run did not, and when the disk kept one waiting: measured by
//! threads of its own, which ask nothing of the service. Does not know answers, nor what is late.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use gordian::sync::Mutex;

/// How long the probe sleeps.
const SLEEP: Duration = Duration::from_millis(1);

/// What is less than that is how sleeping works.
const NOISE: Duration = Duration::from_millis(1);

/// Between two blocks on the disk.
const DISK_INTERVAL: Duration = Duration::from_millis(50);

/// What somebody waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Processor,
    Disk,
}

/// A time in which somebody waited for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stall {
    pub(crate) resource: Resource,
    pub(crate) from: Instant,
    pub(crate) to: Instant,
}

/// What was measured.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    stalls: Mutex<Vec<Stall>>,
    /// How long each block took.
    syncs: Mutex<Vec<Duration>>,
    over: AtomicBool,
}

/// The threads that measure, until it is dropped.
#[derive(Debug)]
pub(crate) struct Probes {
    pub(crate) machine: Arc<Machine>,
    threads: Vec<JoinHandle<()>>,
}

impl Probes {
    pub(crate) fn start() -> Self {
        let machine = Arc::new(Machine::default());
        let probes: [fn(&Machine); 2] = [Machine::watch_processor, Machine::watch_disk];
        let threads = probes.map(|probe| {
            let machine = Arc::clone(&machine);
            std::thread::spawn(move || {
                while !machine.over.load(Ordering::Relaxed) {
                    probe(&machine);
                }
            })
        });
        Probes {
            machine,
            threads: threads.into(),
        }
    }
}

impl Drop for Probes {
    fn drop(&mut self) {
        self.machine.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // One that has panicked has said so.
            let _ = thread.join();
        }
    }
}

impl Machine {
    fn watch_processor(&self) {
        let from = Instant::now() + SLEEP;
        std::thread::sleep(SLEEP);
        self.note(Resource::Processor, from, Instant::now());
    }

    fn watch_disk(&self) {
        std::thread::sleep(DISK_INTERVAL);
        let write = || -> std::io::Result<Stall> {
            let mut file = tempfile::tempfile()?;
            let from = Instant::now();
            file.write_all(&[1; 4096])?;
            file.sync_data()?;
            Ok(Stall {
                resource: Resource::Disk,
                from,
                to: Instant::now(),
            })
        };
        // Where nothing can be written nothing is excused.
        if let Ok(Stall { resource, from, to }) = write() {
            self.syncs.lock().push(to - from);
            self.note(resource, from, to);
        }
    }

    pub(crate) fn note(&self, resource: Resource, from: Instant, to: Instant) {
        if to.saturating_duration_since(from) > NOISE {
            self.stalls.lock().push(Stall { resource, from, to });
        }
    }

    /// How long each of the blocks took that were written so far.
    pub(crate) fn syncs(&self) -> Vec<Duration> {
        self.syncs.lock().clone()
    }

    /// How much of a time was lost: the processor was somebody else's or, for who needs it, the
    /// disk was. What was both counts once.
    pub(crate) fn lost(&self, from: Instant, to: Instant, needs_disk: bool) -> Duration {
        let stalls = self.stalls.lock();
        let relevant = stalls
            .iter()
            .filter(|stall| needs_disk || stall.resource == Resource::Processor);
        let mut parts: Vec<_> = relevant
            .map(|stall| (stall.from.max(from), stall.to.min(to)))
            .filter(|(from, to)| from < to)
            .collect();
        parts.sort_unstable();
        let (mut lost, mut counted) = (Duration::ZERO, from);
        for (from, to) in parts {
            lost += to.saturating_duration_since(from.max(counted));
            counted = counted.max(to);
        }
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_counts_once_and_only_inside() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        // Stalls of the processor and of the disk; from 100 to 200, how much is lost without and
        // with the disk.
        type Times = &'static [(u64, u64)];
        let cases: [(Times, Times, u64, u64); 6] = [
            (&[], &[], 0, 0),
            (&[(110, 130)], &[], 20, 20),
            (&[(50, 120), (190, 300)], &[], 30, 30),
            (&[(0, 100), (200, 250)], &[(0, 100)], 0, 0),
            (&[(110, 130)], &[(120, 150)], 20, 40),
            (&[(120, 130)], &[(90, 210)], 10, 100),
        ];
        for case in cases {
            let machine = Machine::default();
            let (processor, disk, without, with) = case;
            for (resource, times) in [(Resource::Processor, processor), (Resource::Disk, disk)] {
                for (from, to) in times {
                    machine.note(resource, at(*from), at(*to));
                }
            }
            let lost = |needs_disk| machine.lost(at(100), at(200), needs_disk).as_millis();
            assert_eq!(
                (lost(false), lost(true)),
                (without.into(), with.into()),
                "{case:?}"
            );
        }
    }
}
