//! Fingerprints: the same number for the same defect in another run.
//!
//! Made of the code, the names that people gave, and the text of the source lines involved; not of
//! line numbers, which move when something is written above. Where the source cannot be read, the
//! line number stands in.

use std::path::{Path, PathBuf};

use super::Defect;
use crate::op::{ObjectId, Site};
use crate::report::Code;
use crate::trace::Run;

/// FNV-1a, 64 bits: simple, and the same for ever.
pub(crate) struct Hash(u64);

impl Hash {
    pub(crate) fn new() -> Hash {
        Hash(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn add(&mut self, text: &str) {
        for byte in text.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// 16 hexadecimal digits.
    pub(crate) fn digits(&self) -> String {
        format!("{:016x}", self.0)
    }
}

/// 16 hexadecimal digits.
pub(super) fn of(run: &Run, defect: &Defect) -> String {
    let mut parts = Vec::new();
    for wait in &defect.waits {
        let taken = wait
            .taken
            .map(|(site, _)| line_at(site))
            .unwrap_or_default();
        parts.push(format!(
            "{} {} < {taken}",
            run.verb(wait.op),
            line_at(wait.site)
        ));
    }
    for related in &defect.related {
        parts.push(format!("held {}", line_at(related.site)));
    }
    parts.extend(defect.objects.iter().map(|&object| given_name(run, object)));
    parts.sort();
    let mut hash = Hash::new();
    hash.add(defect.code.as_str());
    parts.iter().for_each(|part| hash.add(part));
    match (&defect.raised, defect.site) {
        (Some(raised), _) => hash.add(&line_of(&raised.file, raised.line)),
        (None, Some(site)) => {
            // The name of an invariant or of a slow call.
            if matches!(defect.code, Code::Panic | Code::SlowUnderLock) {
                hash.add(&defect.detail);
            }
            hash.add(&line_at(site));
        }
        (None, None) => {}
    }
    hash.digits()
}

/// The name that the object was given, or the kind of object.
fn given_name(run: &Run, object: ObjectId) -> String {
    let object = &run.objects[object.index()];
    match object.name.is_empty() {
        true => format!("{:?}", object.kind),
        false => object.name.to_string(),
    }
}

fn line_at(site: Site) -> String {
    line_of(site.file(), site.line())
}

/// File and text of the line, or its number.
fn line_of(file: &str, line: u32) -> String {
    let text = find(file)
        .and_then(|path| std::fs::read_to_string(path).ok())
        .and_then(|source| Some(source.lines().nth(line as usize - 1)?.trim().to_owned()));
    match text {
        Some(text) => format!("{file} {text}"),
        None => format!("{file} {line}"),
    }
}

/// The compiler names files from the workspace root, but a test runs in its package.
fn find(file: &str) -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    here.ancestors()
        .map(|above| above.join(Path::new(file)))
        .find(|path| path.is_file())
}
