//! Thread ids that mean the same thread in every execution of a search.

use std::rc::Rc;

use crate::op::ThreadId;

/// Numbers the spawn paths met so far. A thread is the n-th child of its parent, whatever else
/// happens in between, so its path does not depend on the schedule; its number is given when the
/// path is first met, and kept for the whole search.
#[derive(Debug)]
pub(crate) struct Paths {
    threads: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    text: Rc<str>,
    default_name: Rc<str>,
    children: Vec<ThreadId>,
}

impl Paths {
    pub(crate) fn new() -> Paths {
        let main = Node {
            text: "0".into(),
            default_name: "main".into(),
            children: Vec::new(),
        };
        Paths {
            threads: vec![main],
        }
    }

    /// The id of the parent's child with this number, counted from 0; none when there are too many
    /// threads. Children are asked for in order.
    pub(crate) fn child(&mut self, parent: ThreadId, number: u32) -> Option<ThreadId> {
        if let Some(&known) = self.threads[parent.index()].children.get(number as usize) {
            return Some(known);
        }
        if self.threads.len() == ThreadId::COUNT_MAX {
            return None;
        }
        let id = ThreadId(self.threads.len() as u8);
        let above = &mut self.threads[parent.index()];
        above.children.push(id);
        let text = format!("{}.{number}", above.text).into();
        let default_name = match parent {
            ThreadId::MAIN => format!("thread-{}", number + 1),
            _ => format!("{}.{}", above.default_name, number + 1),
        };
        let default_name = default_name.into();
        self.threads.push(Node {
            text,
            default_name,
            children: Vec::new(),
        });
        Some(id)
    }

    /// The name of a thread that was given none: `thread-1` for the main thread's first child,
    /// `thread-1.2` for that one's second.
    pub(crate) fn default_name(&self, thread: ThreadId) -> Rc<str> {
        Rc::clone(&self.threads[thread.index()].default_name)
    }

    /// The path as text: `0` is the main thread, `0.2` its third child, `0.2.0` that one's first.
    pub(crate) fn text(&self, thread: ThreadId) -> Rc<str> {
        Rc::clone(&self.threads[thread.index()].text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_keeps_its_number() {
        let mut paths = Paths::new();
        let first = paths.child(ThreadId::MAIN, 0).unwrap();
        let second = paths.child(ThreadId::MAIN, 1).unwrap();
        let grandchild = paths.child(second, 0).unwrap();
        assert_eq!(paths.child(ThreadId::MAIN, 0), Some(first));
        assert_eq!(paths.child(second, 0), Some(grandchild));
        assert_eq!(&*paths.text(grandchild), "0.1.0");
        assert_eq!(&*paths.default_name(grandchild), "thread-2.1");
    }

    #[test]
    fn too_many_threads_get_no_number() {
        let mut paths = Paths::new();
        let given = (0..100)
            .filter(|&n| paths.child(ThreadId::MAIN, n).is_some())
            .count();
        assert_eq!(given, ThreadId::COUNT_MAX - 1);
    }
}
