//! The stacks that a model's threads run on, whatever engine switches between them.
//!
//! Each thread of an engine lends its place to a thread of the model, which runs on a stack of its
//! own from here. So the model's thread can be left behind in the middle of its work, while the
//! engine's comes to an end as engines expect it to: nothing of the model's is run, dropped or
//! unwound. What others borrow from a stack that was left behind stays valid until
//! [`recycle`] is told that nobody of its execution will ever run again.
//!
//! Does not know what a thread does, nor why it is left behind.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

/// What a thread of the model wants of the engine's.
enum Ask {
    /// To call this on the engine's own stack. It is there until the call has returned.
    Call(*mut dyn FnMut()),
    /// Never to go on.
    Abandon,
}

type Stack = Coroutine<(), Ask, ()>;

#[derive(Default)]
struct Stacks {
    /// By size.
    free: BTreeMap<usize, Vec<DefaultStack>>,
    /// Each with its size.
    left_behind: Vec<(usize, Stack)>,
}

thread_local! {
    static STACKS: RefCell<Stacks> = RefCell::default();
    /// Leads out of the model's thread that is running; null when none is.
    static YIELDER: Cell<*const Yielder<(), Ask>> = const { Cell::new(std::ptr::null()) };
}

/// How [`run`] came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// The thread has come to its end.
    Ended,
    /// Its stack was left behind.
    Behind,
}

/// Runs a thread of the model, which must not unwind, on a stack of at least so many bytes. To be
/// called on the stack of the engine's thread; returns once it has ended or is left behind.
pub(super) fn run(stack_size: usize, thread: Box<dyn FnOnce()>) -> Left {
    let mut stack = Stack::with_stack(take(stack_size), move |yielder, ()| {
        YIELDER.set(yielder);
        thread();
    });
    loop {
        let ask = stack.resume(());
        YIELDER.set(std::ptr::null());
        match ask {
            CoroutineResult::Return(()) => {
                STACKS.with_borrow_mut(|stacks| stacks.give(stack_size, stack.into_stack()));
                return Left::Ended;
            }
            CoroutineResult::Yield(Ask::Abandon) => {
                leave(stack_size, stack);
                return Left::Behind;
            }
            CoroutineResult::Yield(Ask::Call(call)) => {
                // SAFETY: whoever asked is suspended in `outside`, which owns what it points to.
                let call = AssertUnwindSafe(|| unsafe { (*call)() });
                if let Err(payload) = catch_unwind(call) {
                    // The engine gives up; the model has no part in that.
                    leave(stack_size, stack);
                    resume_unwind(payload);
                }
            }
        }
    }
}

/// Calls `f` on the stack of the engine's thread, which may switch to others. To be called by a
/// thread of the model.
pub(super) fn outside<R>(f: impl FnOnce() -> R) -> R {
    let mut f = Some(f);
    let mut result = None;
    let mut call = || result = f.take().map(|f| f());
    let call: &mut dyn FnMut() = &mut call;
    // SAFETY: only the lifetime changes. It is called while this function waits for that.
    let call: *mut (dyn FnMut() + 'static) = unsafe { std::mem::transmute(call) };
    suspend(Ask::Call(call));
    result.expect("it was called")
}

/// Whether a thread of the model runs, rather than the engine's.
pub(super) fn is_inside() -> bool {
    !YIELDER.get().is_null()
}

/// The current thread of the model never goes on, from where it stands. Its stack is kept as it is.
pub(super) fn abandon() -> ! {
    suspend(Ask::Abandon);
    unreachable!("a stack that was left behind is never resumed")
}

fn suspend(ask: Ask) {
    let yielder = YIELDER.get();
    // SAFETY: it was set by the thread that runs now, whose stack it lies on.
    unsafe { &*yielder }.suspend(ask);
    // Others have run.
    YIELDER.set(yielder);
}

fn take(stack_size: usize) -> DefaultStack {
    let free = STACKS.with_borrow_mut(|stacks| stacks.free.get_mut(&stack_size)?.pop());
    free.unwrap_or_else(|| DefaultStack::new(stack_size).expect("there is memory for a stack"))
}

fn leave(stack_size: usize, stack: Stack) {
    STACKS.with_borrow_mut(|stacks| stacks.left_behind.push((stack_size, stack)));
}

/// No thread of any execution so far will ever run again: their stacks serve others.
pub(super) fn recycle() {
    STACKS.with_borrow_mut(Stacks::recycle);
}

impl Stacks {
    fn recycle(&mut self) {
        for (size, mut stack) in std::mem::take(&mut self.left_behind) {
            // SAFETY: what is on the stack is forgotten, not dropped. The caller says that nobody
            // is left who could use it.
            unsafe { stack.force_reset() };
            self.give(size, stack.into_stack());
        }
    }

    fn give(&mut self, size: usize, stack: DefaultStack) {
        self.free.entry(size).or_default().push(stack);
    }
}

impl Drop for Stacks {
    /// The search has ended, and with it its OS thread.
    fn drop(&mut self) {
        self.recycle();
    }
}
