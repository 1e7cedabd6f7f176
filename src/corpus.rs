//! Schedules that are kept from one run to the next, a file each.
//!
//! Knows files and tokens. Does not know what a schedule is kept for, or who runs it. A file that
//! cannot be read is told of and left alone: it may be of another version.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::trace::ReplayToken;

/// What the name of a file ends in.
const EXTENSION: &str = "token";
/// Files that are read, at most: the first ones by name.
const FILES_MAX: usize = 4_096;
/// Longest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// Remarks on files that cannot be read.
const REMARKS_MAX: usize = 3;

/// A directory of schedules.
#[derive(Debug)]
pub(crate) struct Corpus {
    directory: PathBuf,
    bad: usize,
    remarks: Vec<String>,
}

impl Corpus {
    /// Reads what is in the directory, which is made if it is not there: file and token, in the
    /// order of the names.
    pub(crate) fn open(directory: &Path) -> (Corpus, Vec<(String, ReplayToken)>) {
        let mut corpus = Corpus {
            directory: directory.to_path_buf(),
            bad: 0,
            remarks: Vec::new(),
        };
        let files = match fs::create_dir_all(directory).and_then(|()| files(directory)) {
            Ok(files) => files,
            Err(error) => {
                corpus.remark(directory, &error.to_string());
                return (corpus, Vec::new());
            }
        };
        let mut tokens = Vec::new();
        for file in files.iter().take(FILES_MAX) {
            match read(file) {
                Ok(token) => tokens.push((file.display().to_string(), token)),
                Err(why) => corpus.remark(file, &why),
            }
        }
        (corpus, tokens)
    }

    /// Keeps a schedule. The file is there as a whole or not at all.
    pub(crate) fn keep(&mut self, token: &ReplayToken) {
        let text = format!("{token}\n");
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let file = self
            .directory
            .join(format!("{:016x}.{EXTENSION}", hasher.finish()));
        let half = self.directory.join(format!("{}.half", std::process::id()));
        let written = fs::write(&half, text).and_then(|()| fs::rename(&half, &file));
        if let Err(error) = written {
            self.remark(&file, &error.to_string());
        }
    }

    /// What is to be said about its files.
    pub(crate) fn remarks(mut self) -> Vec<String> {
        if self.bad > REMARKS_MAX {
            let more = self.bad - REMARKS_MAX;
            self.remarks
                .push(format!("{more} more files of the corpus were skipped"));
        }
        self.remarks
    }

    fn remark(&mut self, file: &Path, why: &str) {
        self.bad += 1;
        if self.bad <= REMARKS_MAX {
            self.remarks
                .push(format!("{} was skipped: {why}", file.display()));
        }
    }
}

fn files(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == EXTENSION)
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read(file: &Path) -> Result<ReplayToken, String> {
    let words = |error: std::io::Error| error.to_string();
    if fs::metadata(file).map_err(words)?.len() > FILE_BYTES_MAX {
        return Err(format!("it has more than {FILE_BYTES_MAX} bytes"));
    }
    let text = fs::read_to_string(file).map_err(words)?;
    let token: ReplayToken = text.parse().map_err(|error| format!("{error}"))?;
    match token.len() {
        0 => Err("it has no step".to_owned()),
        _ => Ok(token),
    }
}
