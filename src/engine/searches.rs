//! The searches that run in this process: which of them an object belongs to, and who uses it beside
//! its search.
//!
//! `cargo test` runs models on several OS threads. An object that two of them use, which only a static
//! can be, has one value: so it belongs to one search at a time. The second search to meet it gives
//! itself up, and begins anew once the first one has ended.
//!
//! An OS thread that no engine drives is under nobody's control. Whatever it does with an object of a
//! running search ends that search with an error, whichever of them came first.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::watch::Watch;
use crate::trace::Identity;

/// The number of a search: never 0, and no two that run have the same.
pub(super) type Number = u32;

static RUNNING: Mutex<Vec<(Number, Arc<Watch>)>> = Mutex::new(Vec::new());
static ENDED: Condvar = Condvar::new();
/// How many are in [`RUNNING`].
static COUNT: AtomicU32 = AtomicU32::new(0);
static NUMBERS: AtomicU32 = AtomicU32::new(0);
static EPOCHS: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// Whether a search has this OS thread.
    static IS_SEARCHS: Cell<bool> = const { Cell::new(false) };
}

fn next(counter: &AtomicU32) -> u32 {
    match counter.fetch_add(1, Ordering::SeqCst).wrapping_add(1) {
        0 => next(counter),
        number => number,
    }
}

/// The epoch of a new execution: never 0, and no other's.
pub(super) fn next_epoch() -> u32 {
    next(&EPOCHS)
}

fn running() -> MutexGuard<'static, Vec<(Number, Arc<Watch>)>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A search, in the list until this is dropped.
pub(super) struct Enlisted(Number);

/// Makes a search known.
pub(super) fn enlist(watch: &Arc<Watch>) -> Enlisted {
    let mut running = running();
    let is_free = |number: &Number| running.iter().all(|(its, _)| its != number);
    let number = std::iter::repeat_with(|| next(&NUMBERS)).find(is_free);
    let number = number.expect("there are more numbers than searches");
    running.push((number, Arc::clone(watch)));
    COUNT.store(running.len() as u32, Ordering::SeqCst);
    Enlisted(number)
}

impl Enlisted {
    pub(super) fn number(&self) -> Number {
        self.0
    }
}

impl Drop for Enlisted {
    fn drop(&mut self) {
        let mut running = running();
        running.retain(|(number, _)| *number != self.0);
        COUNT.store(running.len() as u32, Ordering::SeqCst);
        ENDED.notify_all();
    }
}

/// Waits until the search of this number has ended.
pub(super) fn wait_for_end(of: Number) {
    let is_running =
        |running: &mut Vec<(Number, Arc<Watch>)>| running.iter().any(|(number, _)| *number == of);
    drop(ENDED.wait_while(running(), is_running));
}

/// This OS thread is a search's: what it does outside of the model is none of its threads'.
pub(super) fn has_this_thread() {
    IS_SEARCHS.set(true);
    tasks::mark();
}

/// Makes the object one of this search, whose execution of this epoch meets it.
///
/// # Errors
/// The other search, which runs, that it belongs to.
pub(super) fn claim(
    identity: &Identity,
    number: Number,
    epoch: u32,
    watch: &Watch,
) -> Result<(), Number> {
    let mut owner = match identity.claim(0, number) {
        Ok(()) => number,
        Err(owner) => owner,
    };
    if owner != number {
        let running = running();
        while owner != number {
            if running.iter().any(|(its, _)| *its == owner) {
                return Err(owner);
            }
            owner = match identity.claim(owner, number) {
                Ok(()) => number,
                Err(other) => other,
            };
        }
    }
    if identity.used_natively_since(epoch) {
        watch.note_foreign_use(identity, None);
    }
    Ok(())
}

/// Notes that an OS thread that no engine drives uses the object.
#[inline]
pub(super) fn note_native_use(identity: &Identity) {
    // Relaxed: whoever was started by a model, or by whoever a model started, knows of its search.
    if COUNT.load(Ordering::Relaxed) != 0 {
        native_use(identity);
    }
}

/// The same, of an atomic or something like it. Statics of that kind are counters and flags that
/// tests share without a thought, and nobody ever waits for one.
#[inline]
pub(super) fn note_native_use_of_value(identity: &Identity) {
    if COUNT.load(Ordering::Relaxed) != 0 && !statics::contain(identity) {
        native_use(identity);
    }
}

#[cold]
fn native_use(identity: &Identity) {
    if IS_SEARCHS.get() {
        return;
    }
    identity.use_natively(EPOCHS.load(Ordering::SeqCst));
    let owner = identity.search();
    if owner == 0 {
        return;
    }
    let running = running();
    if let Some((_, watch)) = running.iter().find(|(number, _)| *number == owner) {
        let current = std::thread::current();
        watch.note_foreign_use(identity, Some(current.name().unwrap_or("unnamed")));
    }
}

/// How long the end of a search waits for OS threads that its model has started and not waited for.
const STRAY_MAX: Duration = Duration::from_millis(300);

/// Gives OS threads that the model has started by itself the time to show what they do with its
/// objects; whether some are running still. To be called on the search's OS thread, at its end.
pub(super) fn await_strays(watch: &Watch) -> bool {
    let begun = Instant::now();
    while tasks::has_strays() {
        if watch.foreign_use().is_some() || begun.elapsed() > STRAY_MAX {
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    false
}

/// OS threads that were started by a search's, as Linux tells: one that is given no name has that of
/// the thread which started it, and a search's has a name of its own there.
#[cfg(target_os = "linux")]
mod tasks {
    use std::cell::RefCell;
    use std::sync::atomic::AtomicU32;

    static MARKS: AtomicU32 = AtomicU32::new(0);

    thread_local! {
        static MARK: RefCell<String> = const { RefCell::new(String::new()) };
    }

    /// Gives this OS thread a name of its own, as the kernel has it; Rust's stays as it is.
    pub(super) fn mark() {
        // The kernel keeps 15 bytes.
        let mark = format!("gordian-{:x}", super::next(&MARKS) & 0xff_ffff);
        let name = std::ffi::CString::new(mark.as_str()).expect("it has no zero byte");
        // SAFETY: it names this very thread, and reads a text that ends in a zero byte.
        let failed = unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
        if failed == 0 {
            MARK.set(mark);
        }
    }

    /// Whether another OS thread has the name of this one.
    pub(super) fn has_strays() -> bool {
        let mark = MARK.with_borrow(Clone::clone);
        let Ok(tasks) = std::fs::read_dir("/proc/self/task") else {
            return false;
        };
        let has_mark = |task: &std::fs::DirEntry| {
            let name = std::fs::read_to_string(task.path().join("comm"));
            name.is_ok_and(|name| name.trim_end() == mark)
        };
        !mark.is_empty() && tasks.flatten().filter(has_mark).count() > 1
    }
}

/// Where statics are, as Linux tells.
#[cfg(target_os = "linux")]
mod statics {
    use std::ops::Range;
    use std::sync::OnceLock;

    /// Whether the value is in a static.
    pub(super) fn contain<T>(value: &T) -> bool {
        static SEGMENTS: OnceLock<Vec<Range<usize>>> = OnceLock::new();
        let address = std::ptr::from_ref(value).addr();
        let segments = SEGMENTS.get_or_init(segments);
        segments.iter().any(|segment| segment.contains(&address))
    }

    /// The parts of memory that the program's files are loaded to.
    fn segments() -> Vec<Range<usize>> {
        let mut segments = Vec::new();
        // SAFETY: the callback gets the pointer that is given here, to a list that outlives the call.
        unsafe { libc::dl_iterate_phdr(Some(add), std::ptr::from_mut(&mut segments).cast()) };
        segments
    }

    unsafe extern "C" fn add(
        info: *mut libc::dl_phdr_info,
        _size: usize,
        list: *mut libc::c_void,
    ) -> libc::c_int {
        // SAFETY: the loader gives a valid description, with so many headers; `list` is ours.
        let (info, list) = unsafe { (&*info, &mut *list.cast::<Vec<Range<usize>>>()) };
        let count = usize::from(info.dlpi_phnum);
        // SAFETY: as above.
        let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, count) };
        let loaded = headers
            .iter()
            .filter(|header| header.p_type == libc::PT_LOAD);
        list.extend(loaded.map(|header| {
            let start = (info.dlpi_addr as usize).wrapping_add(header.p_vaddr as usize);
            start..start.wrapping_add(header.p_memsz as usize)
        }));
        0
    }
}

#[cfg(not(target_os = "linux"))]
mod statics {
    /// Not known.
    pub(super) fn contain<T>(_value: &T) -> bool {
        false
    }
}

#[cfg(not(target_os = "linux"))]
mod tasks {
    pub(super) fn mark() {}

    pub(super) fn has_strays() -> bool {
        false
    }
}
