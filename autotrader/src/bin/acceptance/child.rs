//! The service as a child process.
//!
//! Knows how it is started, spoken to, killed and measured. Does not know what is demanded of it.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use autotrader::service::config::{Config, LogFormat};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};

/// How long a start may take.
const START_MAX: Duration = Duration::from_secs(20);

/// The user that owns nothing: whom file permissions bind even when the acceptance runs as root.
const NOBODY: u32 = 65_534;

/// What is started.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    file: PathBuf,
    /// This program in its other role: it carries the service that it was built with.
    is_own: bool,
}

impl Program {
    /// The one named, or this one.
    pub(crate) fn new(named: Option<&Path>) -> std::io::Result<Self> {
        Ok(match named {
            Some(file) => Program {
                file: std::path::absolute(file)?,
                is_own: false,
            },
            None => Program {
                file: std::env::current_exe()?,
                is_own: true,
            },
        })
    }

    /// A copy of it that everybody may run.
    pub(crate) fn copied_to(&self, directory: &Path) -> std::io::Result<Self> {
        let file = directory.join("program");
        std::fs::copy(&self.file, &file)?;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755))?;
        Ok(Program {
            file,
            is_own: self.is_own,
        })
    }
}

/// How to start it.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub(crate) program: Program,
    pub(crate) directory: PathBuf,
    pub(crate) config: Config,
    /// Whether as a user without rights.
    pub(crate) as_nobody: bool,
}

/// A running service.
#[derive(Debug)]
pub(crate) struct Service {
    child: Child,
    /// Where it listens.
    pub(crate) url: String,
}

/// What came of a start.
#[derive(Debug)]
pub(crate) enum Start {
    Running(Service),
    /// It ended by itself, with what it said last.
    Ended(ExitStatus, String),
}

/// The word by which this program is told to be the service instead.
pub(crate) const SERVE: &str = "serve";

impl Launch {
    fn command(&self) -> std::io::Result<Command> {
        let file = self.directory.join("autotrader.toml");
        let mut config = self.config.clone();
        config.log.format = LogFormat::Json;
        std::fs::write(&file, config.to_toml().map_err(std::io::Error::other)?)?;
        // A shell, because an ignored signal is inherited: what `full` in `disk.rs` does to the
        // file size must be an error of a write, not a death.
        let mut command = Command::new("sh");
        let script = "trap '' XFSZ; exec \"$0\" \"$@\"";
        command.args(["-c", script]).arg(&self.program.file);
        command
            .args(self.program.is_own.then_some(SERVE))
            .arg("--config")
            .arg(&file);
        command.env_clear().current_dir(&self.directory);
        if self.as_nobody {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        Ok(command)
    }

    /// Starts the service, and waits until it says where it listens, or ends.
    pub(crate) fn start(&self) -> std::io::Result<Start> {
        let mut child = self.spawn()?;
        let addresses = follow(&mut child, &self.directory)?;
        let deadline = Instant::now() + START_MAX;
        loop {
            if let Ok(address) = addresses.recv_timeout(Duration::from_millis(5)) {
                let url = format!("http://{address}");
                return Ok(Start::Running(Service { child, url }));
            }
            if let Some(status) = child.try_wait()? {
                // The rest of what it said.
                while addresses.recv().is_ok() {}
                return Ok(Start::Ended(status, last_words(&self.directory)));
            }
            if Instant::now() >= deadline {
                child.kill()?;
                child.wait()?;
                return Err(std::io::Error::other("the service did not start in time"));
            }
        }
    }

    /// Starts the service without waiting for anything.
    pub(crate) fn spawn(&self) -> std::io::Result<Child> {
        self.command()?.spawn()
    }

    /// The same, when it is an error that it does not run.
    pub(crate) fn run(&self) -> Result<Service, String> {
        match self.start() {
            Ok(Start::Running(service)) => Ok(service),
            Ok(Start::Ended(status, words)) => Err(format!("the service ended, {status}: {words}")),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Keeps the log, and tells the address in it.
fn follow(child: &mut Child, directory: &Path) -> std::io::Result<Receiver<String>> {
    let stderr = child
        .stderr
        .take()
        .ok_or_else(|| std::io::Error::other("no log"))?;
    let mut log = File::options()
        .create(true)
        .append(true)
        .open(directory.join("service.log"))?;
    let (found, addresses) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            if let Ok(event) = serde_json::from_str::<serde_json::Value>(&line) {
                let fields = &event["fields"];
                if fields["message"] == "listening" {
                    let address = fields["address"].as_str().unwrap_or_default();
                    // Nobody waits any more: the service was killed meanwhile.
                    let _ = found.send(address.to_owned());
                }
            }
            let _ = writeln!(log, "{line}");
        }
    });
    Ok(addresses)
}

/// The last line of the log.
fn last_words(directory: &Path) -> String {
    let log = std::fs::read_to_string(directory.join("service.log")).unwrap_or_default();
    log.lines().last().unwrap_or("it said nothing").to_owned()
}

impl Service {
    fn pid(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) -> std::io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(|_| ())
    }

    /// SIGTERM; how it ended, and after how long.
    pub(crate) fn end(mut self, patience: Duration) -> Result<Duration, String> {
        let begun = Instant::now();
        let told = self.pid().map(|pid| kill_process(pid, Signal::TERM));
        if !matches!(told, Some(Ok(()))) {
            return Err("the service could not be told to end".to_owned());
        }
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(begun.elapsed()),
                Ok(Some(status)) => {
                    return Err(format!("after SIGTERM the service ended, {status}"));
                }
                Ok(None) if begun.elapsed() < patience => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Ok(None) | Err(_) => return Err("the service did not end on SIGTERM".to_owned()),
            }
        }
    }

    /// Lets files grow, or not: as a full disk does.
    pub(crate) fn set_disk_full(&self, full: bool) -> Result<(), String> {
        let limit = Rlimit {
            current: full.then_some(0),
            maximum: None,
        };
        let pid = self.pid().ok_or("no process")?;
        prlimit(Some(pid), Resource::Fsize, limit)
            .map(|_| ())
            .map_err(|error| format!("the limit of file sizes could not be set: {error}"))
    }

    /// Memory in use, in KiB.
    pub(crate) fn memory_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
