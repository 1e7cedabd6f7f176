//! The attribute `#[gordian::test]`.
//!
//! Knows the syntax of the attribute and of the function below it, and the vocabulary that its
//! arguments use. Does not know what a setting does: the expansion calls `gordian`'s own builder.

mod arguments;
mod expansion;
mod vocabulary;

use proc_macro::TokenStream;

/// Turns a function into a model: a test that runs in every interleaving of its threads.
///
/// The test fails when anything is found, when the search could not be completed, and when the model
/// is vacuous. The function takes no arguments and returns nothing or a `Result<(), E>` where `E: Debug`. Other attributes,
/// such as `#[ignore]`, `#[should_panic]` and `#[cfg]`, stay in force. `#[test]` is not needed; it
/// may stand below this attribute, not above, where it would make a second test of the same name.
///
/// | argument | value | what it sets |
/// |---|---|---|
/// | `engine` | `"controlled"`, `"loom"` | what runs the threads |
/// | `strategy` | `"exhaustive"`, `"pct"`, `"portfolio"` … | who runs next |
/// | `preemptions_max` | a number | only interleavings with at most so many preemptions |
/// | `steps_max` | a number | cuts an execution off after so many steps |
/// | `spins_max` | a number | rounds that a loop goes to no purpose before its thread waits for a change |
/// | `executions_max` | a number | ends the search after so many executions |
/// | `time_max` | seconds, or `"2s"`, `"500ms"` | ends the search after so much time |
/// | `stall_max` | seconds, as above | gives up when the model takes so long from one operation to the next |
/// | `reruns` | a number | executions that are run again at the end, to see whether they go the same way |
/// | `seed` | a number | where the random strategies start |
/// | `leftover` | `"unwind"`, `"abandon"` | what becomes of threads that are left when an execution ends |
/// | `vacuous` | `"fail"`, `"allow"` | whether a model passes that proves nothing: without a lock of gordian, with one thread, or with threads that never meet |
/// | `expect` | `"deadlock"`, `"deadlock, panic"` … | must be found, and nothing else |
///
/// The environment variables `GORDIAN_ENGINE`, `GORDIAN_TIME_MAX` … take precedence.
///
/// ```
/// use gordian::sync::{Arc, Mutex};
/// use gordian::{Named, thread};
///
/// #[gordian::test(expect = "deadlock", time_max = "10s")]
/// fn opposite_orders_deadlock() {
///     let locks = Arc::new((Mutex::new(()).named("a"), Mutex::new(()).named("b")));
///     let other = Arc::clone(&locks);
///     let thread = thread::spawn(move || {
///         let _b = other.1.lock();
///         let _a = other.0.lock();
///     });
///     let _a = locks.0.lock();
///     let _b = locks.1.lock();
///     drop((_a, _b));
///     thread.join().unwrap();
/// }
/// ```
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expansion::expand(arguments.into(), item.into()).into()
}
