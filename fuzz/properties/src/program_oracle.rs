//! A scenario program of bytes: explorer and oracle agree about it.

use arbitrary::{Arbitrary, Unstructured};
use gordian::scenario::parse;
use model_tests::agreement::compare;
use model_tests::files::File;

use crate::Seen;

/// Executions of a program, so that a fuzzer sees many programs: a bug shows in small ones.
const EXECUTIONS_MAX: u64 = 500;

/// The explorer and an oracle that shares no code with it see the same findings, the same ends, the
/// same threads that never go on, and, where they can be counted, as many executions as traces.
///
/// Bytes that are a scenario are taken as they are; of all others a program is made. A seed that is
/// text outlives changes of how programs are made.
///
/// # Panics
/// When they disagree, with the program.
pub fn program_oracle(bytes: &[u8]) -> Seen {
    let text = str::from_utf8(bytes).ok();
    let (source, only_locks) = match text.filter(|text| parse(text).is_ok()) {
        Some(text) => (text.to_owned(), false),
        None => match File::arbitrary(&mut Unstructured::new(bytes)) {
            Ok(file) => (file.source(), file.is_about_locks_only()),
            Err(_) => return Seen::Refused,
        },
    };
    match compare(&source, only_locks, Some(EXECUTIONS_MAX)) {
        Ok(Some(_)) => Seen::All,
        Ok(None) => Seen::Refused,
        Err(why) => panic!("explorer and oracle disagree: {why}\n\n{source}"),
    }
}
