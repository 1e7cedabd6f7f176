//! Signals that would end the process, and all other tests with it: what a thread of a model has
//! done to deserve them.
//!
//! Stack overflow: the stacks end in a guard page that Rust's own handler does not know. It may
//! have happened anywhere, so the process ends, but not without a word.
//!
//! Abort: a panic in a destructor of a thread that is unwinding already, in a function that cannot
//! unwind, or a call of `abort`. It happens at a known place in the model's own code, so the thread
//! is left behind there, and the search learns of it.

use super::session;

/// Notes how deep the current stack is at an operation.
#[inline]
pub(super) fn note_stack() {
    #[cfg(unix)]
    unix::note_stack();
}

/// Installs the handlers, once per process, for stacks of this size.
pub(super) fn install(stack_size: usize) {
    #[cfg(unix)]
    unix::install(stack_size);
    #[cfg(not(unix))]
    let _ = stack_size;
}

#[cfg(unix)]
mod unix {
    use super::session;
    use std::cell::Cell;
    use std::mem::MaybeUninit;
    use std::sync::Once;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicUsize, Ordering};

    thread_local! {
        /// An address on the stack at the last operation; 0 outside models.
        static DEPTH: Cell<usize> = const { Cell::new(0) };
    }

    static STACK_SIZE: AtomicUsize = AtomicUsize::new(0);
    static PREVIOUS: OnceLock<[libc::sigaction; 3]> = OnceLock::new();
    const SIGNALS: [libc::c_int; 3] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGABRT];

    pub(super) fn note_stack() {
        let here = 0_u8;
        DEPTH.set(std::ptr::from_ref(&here).addr());
    }

    pub(super) fn install(stack_size: usize) {
        static ONCE: Once = Once::new();
        STACK_SIZE.fetch_max(stack_size, Ordering::Relaxed);
        ONCE.call_once(|| {
            let previous = SIGNALS.map(|signal| {
                let mut old = MaybeUninit::<libc::sigaction>::zeroed();
                // SAFETY: reads the current action into memory of the right type.
                unsafe {
                    libc::sigaction(signal, std::ptr::null(), old.as_mut_ptr());
                    old.assume_init()
                }
            });
            let _ = PREVIOUS.set(previous);
            for signal in SIGNALS {
                let (handler, flags) = match signal {
                    // It is left by leaving its stack, so nobody would let the signal in again.
                    libc::SIGABRT => (on_abort as *const (), libc::SA_NODEFER),
                    _ => (on_fault as *const (), libc::SA_ONSTACK),
                };
                // SAFETY: an all-zero sigaction is valid; the handlers have the signature that
                // SA_SIGINFO asks for. `on_fault` does only what a signal handler may; `on_abort`
                // interrupts nothing that it uses.
                unsafe {
                    let mut action = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
                    action.sa_sigaction = handler as usize;
                    action.sa_flags = libc::SA_SIGINFO | flags;
                    libc::sigaction(signal, &action, std::ptr::null_mut());
                }
            }
        });
    }

    const MESSAGE: &[u8] = b"\ngordian: a thread of the model overflowed its stack: raise it with \
        `Checker::stack_size`, or look for a recursion that does not end\n";

    extern "C" fn on_fault(
        signal: libc::c_int,
        info: *mut libc::siginfo_t,
        context: *mut libc::c_void,
    ) {
        // SAFETY: the kernel passes a valid siginfo_t to a handler installed with SA_SIGINFO.
        let fault = unsafe { (*info).si_addr() } as usize;
        let depth = DEPTH.get();
        let reach = STACK_SIZE.load(Ordering::Relaxed) + 64 * 1024;
        if !crate::engine::is_native() && depth != 0 && fault < depth && depth - fault < reach {
            // SAFETY: write and abort are async-signal-safe.
            unsafe {
                libc::write(2, MESSAGE.as_ptr().cast(), MESSAGE.len());
                libc::abort();
            }
        }
        forward(signal, info, context);
    }

    extern "C" fn on_abort(
        signal: libc::c_int,
        info: *mut libc::siginfo_t,
        context: *mut libc::c_void,
    ) {
        // Raised by the thread itself, which has called `abort`: not sent by somebody at any time.
        #[cfg(target_os = "linux")]
        // SAFETY: the kernel passes a valid siginfo_t to a handler installed with SA_SIGINFO.
        let own = unsafe { (*info).si_code } == libc::SI_TKILL;
        #[cfg(not(target_os = "linux"))]
        let own = true;
        if own && session::is_model_running() {
            session::aborted();
        }
        forward(signal, info, context);
    }

    /// Does what would have been done without us.
    fn forward(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
        let at = SIGNALS.iter().position(|its| *its == signal);
        let Some(previous) = PREVIOUS.get().and_then(|all| all.get(at?).copied()) else {
            return;
        };
        match previous.sa_sigaction {
            libc::SIG_DFL | libc::SIG_IGN => {
                // SAFETY: restores the action that was there; the fault then happens again.
                unsafe { libc::sigaction(signal, &previous, std::ptr::null_mut()) };
            }
            handler if previous.sa_flags & libc::SA_SIGINFO != 0 => {
                type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
                // SAFETY: with SA_SIGINFO the field holds a function of this type.
                let handler: Handler = unsafe { std::mem::transmute(handler) };
                handler(signal, info, context);
            }
            handler => {
                // SAFETY: without SA_SIGINFO the field holds a function of this type.
                let handler: extern "C" fn(libc::c_int) = unsafe { std::mem::transmute(handler) };
                handler(signal);
            }
        }
    }
}
