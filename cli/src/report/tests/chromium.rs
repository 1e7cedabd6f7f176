//! A headless Chromium, driven by its own protocol through a pipe.
//!
//! Knows how to start it, to send keys and to ask the page. Needs no driver and no port: the
//! browser reads commands from descriptor 3 and answers on 4, which a shell makes of its standard
//! streams.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// A browser with one page.
pub(super) struct Chromium {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// The page's session; none before there is a page.
    session: Option<String>,
    last_id: u64,
    /// Its profile; removed at the end.
    _profile: tempfile::TempDir,
}

/// The browser of this machine; none if there is none. In CI there must be one.
pub(super) fn installed() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = std::env::split_paths(&path)
        .flat_map(|directory| names.map(|name| directory.join(name)))
        .find(|file| file.is_file());
    let found = named.or(found);
    assert!(
        found.is_some() || std::env::var_os("CI").is_none(),
        "CI must have a browser: install the package `chromium`, or name it in CHROMIUM"
    );
    found
}

impl Chromium {
    /// Starts the browser with an empty page.
    pub(super) fn start(program: &Path) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut child = Command::new("sh")
            .arg("-c")
            .arg("exec \"$@\" 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null")
            .arg("sh")
            .arg(program)
            .args(["--headless", "--remote-debugging-pipe", "--no-first-run"])
            // Nothing is loaded but a file of this test, so the sandbox, which a container's root
            // cannot have, is not missed. A container's shared memory may be too small.
            .args(["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"])
            .args(["--hide-scrollbars", "--disable-background-networking"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let commands = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut browser = Chromium {
            child,
            commands,
            answers,
            session: None,
            last_id: 0,
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let target = target["targetId"].clone();
        let attach = json!({ "targetId": target, "flatten": true });
        let session = browser.call("Target.attachToTarget", attach);
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        browser.call("Page.enable", json!({}));
        browser
    }

    /// Gives a command and waits for its result.
    pub(super) fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last_id += 1;
        let id = self.last_id;
        let mut message = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = session.clone().into();
        }
        self.commands
            .write_all(message.to_string().as_bytes())
            .unwrap();
        self.commands.write_all(b"\0").unwrap();
        self.commands.flush().unwrap();
        loop {
            let message = self.read();
            if message["id"] == id {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
        }
    }

    fn read(&mut self) -> Value {
        let mut bytes = Vec::new();
        self.answers.read_until(b'\0', &mut bytes).unwrap();
        assert_eq!(bytes.pop(), Some(b'\0'), "the browser has gone away");
        serde_json::from_slice(&bytes).unwrap()
    }

    /// Opens an address and waits until the page is loaded.
    pub(super) fn open(&mut self, address: &str) {
        // Another fragment of the same page would load nothing.
        for address in ["about:blank", address] {
            self.call("Page.navigate", json!({ "url": address }));
            while self.read()["method"] != "Page.loadEventFired" {}
        }
    }

    /// The value of an expression on the page.
    pub(super) fn value(&mut self, expression: &str) -> Value {
        let call = json!({ "expression": expression, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", call);
        assert!(
            answer["exceptionDetails"].is_null(),
            "{expression}: {answer}"
        );
        answer["result"]["value"].clone()
    }

    /// Presses a key and lets it go.
    pub(super) fn press(&mut self, key: &str) {
        let code = match key {
            "End" => 35,
            "Home" => 36,
            "ArrowLeft" => 37,
            "ArrowRight" => 39,
            "Tab" => 9,
            other => panic!("no code for {other}"),
        };
        for kind in ["rawKeyDown", "keyUp"] {
            let event = json!({
                "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code,
            });
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// The size of the window, and what it pretends to be: `light`, `dark`, `print`.
    pub(super) fn appear(&mut self, width: u32, height: u32, look: &str) {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.call("Emulation.setDeviceMetricsOverride", size);
        let media = if look == "print" { "print" } else { "" };
        let scheme = json!({ "name": "prefers-color-scheme", "value": look });
        let features = if media.is_empty() {
            vec![scheme]
        } else {
            Vec::new()
        };
        self.call(
            "Emulation.setEmulatedMedia",
            json!({ "media": media, "features": features }),
        );
    }

    /// Turns scripts off or on, for the next page.
    pub(super) fn scripts(&mut self, on: bool) {
        self.call(
            "Emulation.setScriptExecutionDisabled",
            json!({ "value": !on }),
        );
    }

    /// A picture of what is in the window as PNG, in base 64.
    pub(super) fn picture(&mut self) -> String {
        let answer = self.call("Page.captureScreenshot", json!({ "format": "png" }));
        answer["data"].as_str().unwrap_or_default().to_owned()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
