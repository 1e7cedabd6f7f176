//! Tests that run in a process of their own: because they end it, or because they look at it.
//!
//! Knows how to run one test of the current test binary again. Does not know what it tests.

use std::env;
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Set in the process of a child, to the name of its test.
const VARIABLE: &str = "MODEL_TESTS_CHILD";

/// What became of a child.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Whether it ended by itself, and well.
    pub success: bool,
    /// Whether it had to be killed because it took too long.
    pub killed: bool,
    /// What it wrote for its parent.
    pub stdout: String,
    /// What it wrote for people.
    pub stderr: String,
}

/// Whether this process was started to run the test `name`. A test that is meant for a child only
/// returns at once when this is false.
pub fn is_for(name: &str) -> bool {
    env::var(VARIABLE).is_ok_and(|test| test == name)
}

/// Runs the ignored test `name` of this test binary in a new process, for at most `time_max`.
///
/// # Panics
/// When the process cannot be started.
pub fn run(name: &str, time_max: Duration) -> Ended {
    let binary = env::current_exe().expect("a test binary knows where it is");
    let mut child = Command::new(binary)
        .args([
            "--exact",
            name,
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(VARIABLE, name)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a test binary can be started again");
    let stdout = reader(child.stdout.take());
    let stderr = reader(child.stderr.take());
    let start = Instant::now();
    let mut killed = false;
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            break status;
        }
        if start.elapsed() > time_max && !killed {
            child.kill().expect("a child can be killed");
            killed = true;
        }
        thread::sleep(Duration::from_millis(10));
    };
    let text = |reader: thread::JoinHandle<String>| reader.join().expect("a reader does not panic");
    Ended {
        success: status.success(),
        killed,
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

/// Reads a pipe while the child runs, so that the child never waits for its parent.
fn reader(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error is still worth showing.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
