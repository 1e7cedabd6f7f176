//! The simulated disk, and the crash of the process.
//!
//! Knows what is durable, and decides by `gordian::choose` whether the process dies in a write.
//! A process that has died goes on running in the model, but nobody hears it: its writes, orders
//! and answers count for nothing.

use std::sync::atomic::{AtomicBool, Ordering};

use autotrader::{Journal, NotDurable, Record};
use gordian::{Ghost, Named};

/// What may go wrong with a write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Faults {
    /// Nothing, and nothing is kept: a write is no step.
    #[default]
    None,
    /// A write may fail.
    Failing,
    /// The process may die before, in or after one write.
    Crashing,
}

/// A state file that is written in place, half by half.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File<T> {
    /// The currencies written so far.
    pub rows: Vec<T>,
    /// Whether it is whole, and so can be read.
    pub whole: bool,
}

/// One currency in the state file of a specimen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Whether the cycle is active.
    pub active: bool,
    /// Its coins.
    pub volume: i64,
    /// The user's pause.
    pub paused: bool,
}

/// The disk of one execution. A ghost: each access is one step.
#[derive(Debug)]
pub struct Disk {
    faults: Faults,
    /// Written only while the main thread is alone, so it need not be seen by the search.
    calm: AtomicBool,
    platter: Ghost<Platter>,
}

#[derive(Debug, Default)]
struct Platter {
    dead: bool,
    records: Vec<Record>,
    file: File<Row>,
}

impl Disk {
    /// An empty disk.
    pub fn new(faults: Faults) -> Self {
        let platter = Ghost::new(Platter::default()).named("disk");
        Disk {
            faults,
            calm: AtomicBool::new(false),
            platter,
        }
    }

    /// Whether the process has died; a step only when it may.
    pub fn is_dead(&self) -> bool {
        self.faults == Faults::Crashing && self.platter.read(|platter| platter.dead)
    }

    /// The process is started again.
    pub fn restart(&self) {
        self.platter.write(|platter| platter.dead = false);
    }

    /// The records that can be read.
    pub fn records(&self) -> Vec<Record> {
        self.platter.read(|platter| platter.records.clone())
    }

    /// The records that can be read, when this disk keeps any; a step only then.
    pub fn kept(&self) -> Option<Vec<Record>> {
        (self.faults != Faults::None).then(|| self.records())
    }

    /// The state file of a specimen.
    pub fn file(&self) -> File<Row> {
        self.platter.read(|platter| platter.file.clone())
    }

    /// Whether faults are off. Only while the main thread is alone.
    pub fn calm(&self, calm: bool) {
        self.calm.store(calm, Ordering::Relaxed);
    }

    /// One part of a write: whole when this returns `Ok`. The process may die before or after it.
    fn write(&self, write: impl FnOnce(&mut Platter)) -> Result<(), NotDurable> {
        const CRASH_BEFORE: usize = 1;
        const CRASH_AFTER: usize = 2;
        if self.is_dead() {
            return Err(NotDurable);
        }
        let faults = if self.calm.load(Ordering::Relaxed) {
            Faults::None
        } else {
            self.faults
        };
        let case = match faults {
            Faults::None => 0,
            Faults::Failing => gordian::choose(2),
            Faults::Crashing => gordian::choose(3),
        };
        self.platter.write(|platter| {
            let failed = faults == Faults::Failing && case != 0;
            if platter.dead || failed {
                return Err(NotDurable);
            }
            platter.dead = matches!(case, CRASH_BEFORE | CRASH_AFTER);
            if case != CRASH_BEFORE {
                write(platter);
            }
            if platter.dead {
                Err(NotDurable)
            } else {
                Ok(())
            }
        })
    }

    /// Rewrites the state file in place: cut to nothing, then one currency after the other.
    ///
    /// # Errors
    /// When the process died on the way.
    pub fn rewrite(&self, rows: &[Row]) -> Result<(), NotDurable> {
        self.write(|platter| platter.file = File::default())?;
        for (index, row) in rows.iter().enumerate() {
            self.write(|platter| {
                platter.file.rows.push(row.clone());
                platter.file.whole = index + 1 == rows.len();
            })?;
        }
        Ok(())
    }
}

impl Journal for Disk {
    fn append(&self, record: &Record) -> Result<(), NotDurable> {
        // A torn record has a wrong checksum and is not read: it is as good as not written.
        if self.faults == Faults::None {
            return Ok(());
        }
        self.write(|platter| platter.records.push(record.clone()))
    }
}
