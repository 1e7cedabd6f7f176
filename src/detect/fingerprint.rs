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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{Related, Wait};
    use crate::op::{Action, Kind, Op, ThreadId};
    use crate::report;
    use crate::trace::{Identity, Paths};

    /// Values of FNV-1a computed elsewhere, each text with a byte 255 behind it.
    #[test]
    fn hashes_are_the_same_for_ever() {
        for (texts, digits) in [
            (&[][..], "cbf29ce484222325"),
            (&[""], "af64724c8602eb6e"),
            (&["a"], "089bc907b544c769"),
            (&["ab", "c"], "20ba9b3025a8b421"),
            (&["a", "bc"], "a0a3542c19b900ab"),
        ] {
            let mut hash = Hash::new();
            texts.iter().for_each(|text| hash.add(text));
            assert_eq!(hash.digits(), digits, "{texts:?}");
        }
    }

    #[test]
    fn a_place_is_the_text_of_its_line() {
        let file = "src/detect/fingerprint.rs";
        let first = "//! Fingerprints: the same number for the same defect in another run.";
        assert_eq!(line_of(file, 1), format!("{file} {first}"));
        assert_eq!(line_of(file, 1_000_000), format!("{file} 1000000"));
        assert_eq!(line_of("nowhere/at/all.rs", 7), "nowhere/at/all.rs 7");
        assert_eq!(find("Cargo.toml").map(|path| path.is_file()), Some(true));
    }

    fn run() -> Run {
        let mut run = Run::default();
        run.restart(1, &Paths::new());
        for (name, kind) in [("m", Kind::Mutex), ("n", Kind::Mutex), ("", Kind::Atomic)] {
            run.meet(&Identity::here().named(name.into()), kind);
        }
        run.meet(&Identity::here(), Kind::Ghost);
        run
    }

    /// Two threads that wait for each other.
    fn defect(at: Site, taken: Site) -> Defect {
        let wait = |thread, object, site| Wait {
            thread: ThreadId(thread),
            op: Op::on(Action::Lock, ObjectId(object)),
            site,
            holder: None,
            taken: Some((taken, 3)),
        };
        Defect::waiting(Code::Deadlock, vec![wait(1, 0, at), wait(2, 1, taken)])
    }

    #[test]
    fn what_makes_it_the_same_defect() {
        let (at, taken) = (Site::here(), Site::here());
        let elsewhere = Site::here();
        let run = run();
        let base = || defect(at, taken);
        let of = |change: &dyn Fn(&mut Defect)| {
            let mut defect = base();
            change(&mut defect);
            of(&run, &defect)
        };
        let same = of(&|_| {});
        let raised = |line| report::Site {
            file: "nowhere.rs".to_owned(),
            line,
            column: 1,
        };
        let related = |site| Related {
            object: ObjectId(0),
            holder: ThreadId(1),
            site,
        };
        // Who it is and in which step: another number in another run.
        assert_eq!(same, of(&|it| it.threads.clear()));
        assert_eq!(same, of(&|it| it.waits[0].thread = ThreadId(7)));
        assert_eq!(same, of(&|it| it.waits[0].taken = Some((taken, 9))));
        assert_eq!(same, of(&|it| it.waits.reverse()));
        assert_eq!(
            same,
            of(&|it| it.detail = "what a deadlock has not".to_owned())
        );
        let mut all = vec![
            same,
            of(&|it| it.code = Code::LostWakeup),
            of(&|it| it.waits[0].site = elsewhere),
            of(&|it| it.waits[0].taken = None),
            of(&|it| it.waits[0].taken = Some((elsewhere, 3))),
            of(&|it| it.waits[0].op.action = Action::Unlock),
            of(&|it| it.objects[1] = ObjectId(0)),
            of(&|it| it.objects[1] = ObjectId(2)),
            of(&|it| it.objects[1] = ObjectId(3)),
            of(&|it| it.related.push(related(at))),
            of(&|it| it.related.push(related(elsewhere))),
            of(&|it| it.site = Some(at)),
            of(&|it| it.site = Some(elsewhere)),
            of(&|it| it.raised = Some(raised(1))),
            of(&|it| it.raised = Some(raised(2))),
        ];
        for (code, detail) in [
            (Code::Panic, "broke invariant `one`"),
            (Code::Panic, "broke invariant `other`"),
            (Code::SlowUnderLock, "price"),
            (Code::SlowUnderLock, "order"),
        ] {
            all.push(of(&|it| {
                it.code = code;
                it.detail = detail.to_owned();
                it.site = Some(at);
            }));
        }
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count, "two of them are the same");
    }
}
