//! What each kind of object is, in a sentence or two.

use super::{and, counted, quoted};
use crate::scenario::ast::{ObjectKind, Preference, Scenario};

/// A paragraph for all objects that are alike.
pub(super) fn sentences(scenario: &Scenario) -> Vec<String> {
    let mut kinds: Vec<(ObjectKind, Vec<String>)> = Vec::new();
    for object in &scenario.objects {
        let name = quoted(&object.name);
        match kinds.iter_mut().find(|(kind, _)| *kind == object.kind) {
            Some((_, names)) => names.push(name),
            None => kinds.push((object.kind, vec![name])),
        }
    }
    let sentences = kinds.into_iter().map(|(kind, names)| {
        let (noun, rest) = described(kind);
        let (verb, noun) = match names.len() {
            1 => ("is", format!("a {noun}")),
            _ => ("are", plural(noun)),
        };
        let rest = match names.len() {
            1 => rest,
            _ => rest.replacen(": ", "; for each: ", 1),
        };
        format!("{} {verb} {noun}{rest}", and(&names))
    });
    sentences.collect()
}

fn plural(noun: &str) -> String {
    match noun {
        "mutex" | "reentrant mutex" => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

/// What it is called, and the rest of its description.
fn described(kind: ObjectKind) -> (&'static str, String) {
    let (noun, rest) = match kind {
        ObjectKind::Mutex => (
            "mutex",
            ": one thread holds it at a time, the others wait; whoever locks it twice waits for \
             ever.",
        ),
        ObjectKind::Lock => (
            "lock",
            " without an owner: one thread takes it at a time, the others wait; any thread may \
             unlock it.",
        ),
        ObjectKind::ReentrantMutex => (
            "reentrant mutex",
            ": one thread holds it at a time, the others wait; the holder may lock it again, and \
             it is free once it is unlocked as often.",
        ),
        ObjectKind::RwLock(preference) => return ("read-write lock", read_write(preference)),
        ObjectKind::Condvar { spurious, fifo } => {
            return ("condition variable", condvar(spurious, fifo));
        }
        ObjectKind::Semaphore { permits, fifo, max } => {
            return ("semaphore", semaphore(permits, fifo, max));
        }
        ObjectKind::Channel { capacity } => return ("channel", channel(capacity)),
        ObjectKind::WaitGroup { count } => {
            let rest = format!(
                " with a count of {count} at the beginning: whoever waits for it goes on when the \
                 count is 0; below 0 is a panic."
            );
            return ("wait group", rest);
        }
        ObjectKind::Barrier { parties } => {
            let threads = counted(parties as usize, "thread");
            let rest =
                format!(" for {threads}: who arrives waits until all have, again and again.");
            return ("barrier", rest);
        }
        ObjectKind::Once => (
            "one-time block",
            ": the first thread to come runs it, others wait until it is done and pass by.",
        ),
        ObjectKind::Notify => (
            "notification",
            ": a notice wakes the one that has waited longest, or is kept for the next to wait; \
             one is kept at most.",
        ),
        ObjectKind::Var { value } => {
            return ("shared integer", format!(", {value} at the beginning."));
        }
    };
    (noun, rest.to_owned())
}

fn read_write(preference: Preference) -> String {
    let who = match preference {
        Preference::Writer => "a waiting writer keeps new readers out, also a second read",
        Preference::Fifo => "whoever comes first is served first",
        Preference::Reader => "readers come in as long as no writer is inside",
    };
    format!(": any number of readers, or one writer; {who}.")
}

fn condvar(spurious: bool, fifo: bool) -> String {
    let who = if fifo {
        "the thread that has waited longest"
    } else {
        "any one of the waiting threads"
    };
    let spurious = if spurious {
        "; a thread may also wake by itself"
    } else {
        ""
    };
    format!(": a notice to one wakes {who}, and nobody when none waits{spurious}.")
}

fn semaphore(permits: u32, fifo: bool, max: Option<u32>) -> String {
    let begins = match permits {
        0 => "without a permit".to_owned(),
        count => format!("with {}", counted(count as usize, "permit")),
    };
    let order = if fifo {
        "; whoever comes first is served first, and nobody overtakes"
    } else {
        ""
    };
    let max = max.map_or(String::new(), |max| format!("; more than {max} is a panic"));
    format!(" {begins} at the beginning: who finds too few waits{order}{max}.")
}

fn channel(capacity: Option<u32>) -> String {
    match capacity {
        None => " without a bound: a send never waits, a receive waits for a message.".to_owned(),
        Some(0) => " without a buffer: a send and a receive wait for each other.".to_owned(),
        Some(capacity) => {
            let messages = counted(capacity as usize, "message");
            format!(
                " for {messages}: a send waits while it is full, a receive waits for a message."
            )
        }
    }
}
