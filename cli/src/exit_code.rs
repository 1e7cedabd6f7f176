//! How the program ends, for scripts.
//!
//! Knows the numbers and nothing else.

/// What an exit code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ExitCode {
    /// Everything asked for was done, and nothing is wrong.
    Clean = 0,
    /// The command line, or a file it names, cannot be used.
    Usage = 2,
    /// There is no model, or none that the filter lets through.
    NothingToRun = 4,
    /// A defect of this program.
    Internal = 70,
    /// A model failed: a finding, a missing finding, a crash.
    Findings = 100,
    /// The tests did not compile.
    BuildFailed = 101,
    /// Nothing was found, but not everything was explored, or nothing could have been.
    Incomplete = 106,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        std::process::ExitCode::from(code as u8)
    }
}
