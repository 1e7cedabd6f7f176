//! What the machine could do meanwhile.
//!
//! Knows when a thread that wanted to run did not, and when the disk kept one waiting: measured by
//! threads of its own, which ask nothing of the service, and by the kernel, where it tells. Does
//! not know answers, nor what is late.

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

/// Between two looks at the kernel's own account.
const PRESSURE_INTERVAL: Duration = Duration::from_millis(10);

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
    /// At which moment for how long, since it was started, somebody had waited for a processor.
    /// A probe that mostly sleeps is preferred to threads that work; this counts them all.
    pressure: Mutex<Vec<(Instant, Duration)>>,
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
        let probes: [fn(&Machine); 3] = [
            Machine::watch_processor,
            Machine::watch_pressure,
            Machine::watch_disk,
        ];
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

    fn watch_pressure(&self) {
        let at = Instant::now();
        let text = std::fs::read_to_string("/proc/pressure/cpu").unwrap_or_default();
        // A look that itself took long does not say of which moment it is.
        if let Some(waited) = pressure_in(&text)
            && at.elapsed() <= NOISE
        {
            self.press(at, waited);
        }
        std::thread::sleep(PRESSURE_INTERVAL);
    }

    fn press(&self, at: Instant, waited: Duration) {
        self.pressure.lock().push((at, waited));
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
    /// disk was. What was both counts once. The most of what the probes and the kernel say.
    pub(crate) fn lost(&self, from: Instant, to: Instant, needs_disk: bool) -> Duration {
        self.stalled(from, to, needs_disk)
            .max(self.pressed(from, to))
            .min(to.saturating_duration_since(from))
    }

    /// How long somebody waited for a processor, as far as it was looked at.
    fn pressed(&self, from: Instant, to: Instant) -> Duration {
        let pressure = self.pressure.lock();
        let first = pressure.partition_point(|(at, _)| *at < from);
        let end = pressure.partition_point(|(at, _)| *at <= to);
        match pressure.get(first..end) {
            Some([(_, before), .., (_, after)]) => after.saturating_sub(*before),
            _ => Duration::ZERO,
        }
    }

    fn stalled(&self, from: Instant, to: Instant, needs_disk: bool) -> Duration {
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

/// The total in the line for "somebody waits" of Linux's account.
fn pressure_in(text: &str) -> Option<Duration> {
    let line = text.lines().find(|line| line.starts_with("some "))?;
    let total = line.split("total=").nth(1)?;
    Some(Duration::from_micros(total.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_account_is_read_where_there_is_one() {
        let text = "some avg10=94.15 avg60=91.56 avg300=90.16 total=1500\n\
                    full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
        assert_eq!(pressure_in(text), Some(Duration::from_micros(1_500)));
        assert_eq!(pressure_in(""), None);
        assert_eq!(pressure_in("some total=soon"), None);
        assert_eq!(pressure_in("full total=7"), None);
    }

    #[test]
    fn what_somebody_waited_is_lost_inside_of_the_time_only() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let machine = Machine::default();
        for (moment, waited) in [(90, 5), (100, 10), (110, 20), (190, 60), (210, 80)] {
            machine.press(at(moment), Duration::from_millis(waited));
        }
        let lost = |from, to| machine.lost(at(from), at(to), false).as_millis();
        assert_eq!(lost(100, 200), 50);
        assert_eq!(lost(95, 205), 50);
        assert_eq!(lost(111, 189), 0, "nobody looked");
        machine.note(Resource::Processor, at(100), at(190));
        assert_eq!(lost(100, 200), 90, "the most of both");
        machine.press(at(300), Duration::from_millis(100));
        machine.press(at(310), Duration::from_millis(900));
        assert_eq!(lost(295, 315), 20, "never more than there was");
    }

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
