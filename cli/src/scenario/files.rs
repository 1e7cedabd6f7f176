//! Which files are meant, and their texts.
//!
//! Knows paths and bytes. Does not know the language.

use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use crate::error::Error;
use crate::outcome::scenario::{Pane, Refusal};

/// No scenario is as long, blanks and all; what a device gives may have no end.
const BYTES_MAX: u64 = 64 << 20;

/// A file that is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// As it was given, or found in a directory that was given.
    pub(crate) name: String,
    /// None is stdin.
    pub(crate) path: Option<PathBuf>,
}

/// The scenario files in a directory and below it, sorted; links to directories are not followed.
fn below(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|it| it == "gordian") && path.is_file() {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

impl File {
    /// The files that are meant: those of a directory by their names, everything else as given.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn all(paths: &[PathBuf]) -> Result<Vec<File>, Error> {
        let mut files = Vec::new();
        for path in paths {
            if path.as_os_str() == "-" {
                files.push(File {
                    name: "-".to_owned(),
                    path: None,
                });
            } else if path.is_dir() {
                let failed = Error::internal(path.display());
                files.extend(below(path).map_err(failed)?.into_iter().map(File::at));
            } else {
                files.push(File::at(path.clone()));
            }
        }
        if files.is_empty() {
            let names: Vec<_> = paths
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            let message = format!("there is no *.gordian file in `{}`", names.join("`, `"));
            return Err(Error::NothingToRun(message));
        }
        Ok(files)
    }

    /// The one with this path. Its name is a part of what its findings are known by, so it is the
    /// same however the path was typed: `./a.gordian` is `a.gordian`.
    pub(crate) fn at(path: PathBuf) -> Self {
        let parts = path.components();
        let name: PathBuf = parts.filter(|part| *part != Component::CurDir).collect();
        File {
            name: name.display().to_string(),
            path: Some(path),
        }
    }

    /// The text.
    ///
    /// # Errors
    /// When the file cannot be read, or is no text.
    pub(crate) fn read(&self) -> Result<String, Box<Refusal>> {
        let bytes = match &self.path {
            Some(path) => fs::File::open(path).and_then(bytes_of),
            None => bytes_of(io::stdin().lock()),
        };
        let bytes = bytes.map_err(|error| {
            Box::new(Refusal {
                file: self.name.clone(),
                message: format!("cannot be read: {error}"),
                pane: None,
                hint: None,
                defect: false,
                more: Vec::new(),
            })
        })?;
        String::from_utf8(bytes).map_err(|error| {
            let start = error.utf8_error().valid_up_to();
            let source = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let before = &source[..start];
            let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
            let number = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
            Box::new(Refusal {
                file: self.name.clone(),
                message: "the file is not UTF-8".to_owned(),
                pane: Some(Pane {
                    span: start..start + char::REPLACEMENT_CHARACTER.len_utf8(),
                    line: number(before.matches('\n').count()),
                    column: number(before[line_start..].chars().count()),
                    label: Some("this is no character".to_owned()),
                    source,
                }),
                hint: None,
                defect: false,
                more: Vec::new(),
            })
        })
    }
}

/// What a stream gives, up to a length that no scenario has.
fn bytes_of(stream: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.take(BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_its_scenario_files_by_name() {
        let root = tempfile::tempdir().unwrap();
        for name in [
            "b.gordian",
            "a.gordian",
            "sub/c.gordian",
            "sub/d.txt",
            "gordian",
        ] {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let names = |paths: &[PathBuf]| -> Vec<String> {
            let files = File::all(paths).unwrap();
            files.into_iter().map(|file| file.name).collect()
        };
        let at = |name: &str| root.path().join(name).display().to_string();
        let given = [root.path().to_owned(), "-".into(), "gone.txt".into()];
        let (a, b, c) = (at("a.gordian"), at("b.gordian"), at("sub/c.gordian"));
        assert_eq!(names(&given), [&a, &b, &c, "-", "gone.txt"]);
        let typed = [
            "./gone.txt".into(),
            "././gone.txt".into(),
            "x/./gone.txt".into(),
        ];
        assert_eq!(names(&typed), ["gone.txt", "gone.txt", "x/gone.txt"]);
        let empty = tempfile::tempdir().unwrap();
        let error = File::all(&[empty.path().to_owned()]).unwrap_err();
        assert!(error.to_string().contains("*.gordian"), "{error}");
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_place() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.gordian");
        fs::write(&path, b"# caf\xc3\xa9\nmutex \xff\xfe").unwrap();
        let refusal = File::at(path).read().unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "line 2, column 7: the file is not UTF-8"
        );
        let refusal = File::at(root.path().join("gone")).read().unwrap_err();
        assert!(
            refusal.to_string().starts_with("cannot be read: "),
            "{refusal}"
        );
    }
}
