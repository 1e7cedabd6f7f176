//! Fingerprints: the same number for the same defect in another run.
//!
//! Made of the code, the names that people gave, and the text of the source lines involved; not of
//! line numbers, which move when something is written above. Where the source cannot be read, the
//! line number stands in.

use std::path::{Path, PathBuf};

use super::Defect;
use crate::object::Cell;
use crate::op::{ObjectId, Site};
use crate::trace::Run;

/// FNV-1a, 64 bits: simple, and the same for ever.
struct Hash(u64);

impl Hash {
    fn new() -> Hash {
        Hash(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, text: &str) {
        for byte in text.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

/// 16 hexadecimal digits.
pub(super) fn of(run: &Run, defect: &Defect) -> String {
    let mut parts = Vec::new();
    for wait in &defect.waits {
        let taken = wait
            .taken
            .map(|(site, _)| line_of(site))
            .unwrap_or_default();
        parts.push(format!(
            "{} {} < {taken}",
            run.verb(wait.op),
            line_of(wait.site)
        ));
    }
    for related in &defect.related {
        parts.push(format!("held {}", line_of(related.site)));
    }
    parts.extend(defect.objects.iter().map(|&object| given_name(run, object)));
    parts.sort();
    let mut hash = Hash::new();
    hash.add(defect.code.as_str());
    parts.iter().for_each(|part| hash.add(part));
    if let Some(site) = defect.site {
        hash.add(&line_of(site));
    }
    format!("{:016x}", hash.0)
}

/// The name that the object was given, or the kind of object.
fn given_name(run: &Run, object: ObjectId) -> String {
    debug_assert!(Cell::count(run.objects.len()) > object.index());
    let object = &run.objects[object.index()];
    match object.name.is_empty() {
        true => format!("{:?}", object.kind),
        false => object.name.to_string(),
    }
}

/// File and text of the line, or its number.
fn line_of(site: Site) -> String {
    let text = find(site.file())
        .and_then(|path| std::fs::read_to_string(path).ok())
        .and_then(|source| {
            Some(
                source
                    .lines()
                    .nth(site.line() as usize - 1)?
                    .trim()
                    .to_owned(),
            )
        });
    match text {
        Some(text) => format!("{} {text}", site.file()),
        None => format!("{} {}", site.file(), site.line()),
    }
}

/// The compiler names files from the workspace root, but a test runs in its package.
fn find(file: &str) -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    here.ancestors()
        .map(|above| above.join(Path::new(file)))
        .find(|path| path.is_file())
}
