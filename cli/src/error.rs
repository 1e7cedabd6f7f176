//! Why a command could not be carried out.
//!
//! Knows the message for the person and the exit code for scripts. Does not know how either is
//! shown. Findings are not errors: they are what the command is for.

use std::fmt;

use crate::exit_code::ExitCode;

/// Why a command could not be carried out.
#[derive(Debug)]
pub(crate) enum Error {
    /// The command line, or a file it names, cannot be used.
    Usage(String),
    /// cargo said why on stderr before it built anything.
    CargoRefused,
    /// The tests did not compile; the compiler has said why.
    BuildFailed,
    /// There is no model to run, for this reason.
    NothingToRun(String),
    /// The machine did not do what was asked of it: a process, a file.
    Internal(String),
    /// Somebody pressed Ctrl-C before anything was run.
    Interrupted,
}

impl Error {
    /// For `map_err`: what was being done, and what went wrong.
    pub(crate) fn internal<E: fmt::Display>(what: impl fmt::Display) -> impl FnOnce(E) -> Error {
        move |error| Error::Internal(format!("{what}: {error}"))
    }

    /// How the program ends.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Error::Usage(_) | Error::CargoRefused => ExitCode::Usage,
            Error::BuildFailed => ExitCode::BuildFailed,
            Error::NothingToRun(_) => ExitCode::NothingToRun,
            Error::Internal(_) => ExitCode::Internal,
            Error::Interrupted => ExitCode::Incomplete,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Usage(message) | Error::NothingToRun(message) | Error::Internal(message) => {
                f.write_str(message)
            }
            Error::CargoRefused => {
                f.write_str("cargo did not start the build; its reason is above")
            }
            Error::BuildFailed => f.write_str("the tests do not compile, so no model was run"),
            Error::Interrupted => f.write_str("interrupted before any model was run"),
        }
    }
}

impl std::error::Error for Error {}
