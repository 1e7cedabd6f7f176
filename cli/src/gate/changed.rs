//! What has changed since a commit, and which packages that reaches.
//!
//! Knows git's commands and who depends on whom. What it cannot tell it takes for changed: to run
//! too much costs time, to run too little costs the proof.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cargo::{Member, Project};
use crate::error::Error;

/// Files in the root that every package is built by.
const EVERYTHING: [&str; 7] = [
    "Cargo.lock",
    "Cargo.toml",
    ".cargo",
    ".config",
    "rust-toolchain",
    "rust-toolchain.toml",
    "build.rs",
];

/// What has changed.
pub(super) struct Changes {
    /// The commit that it is compared with.
    pub(super) base: String,
    root: PathBuf,
    files: BTreeSet<PathBuf>,
    /// Scenario files: they are run for themselves, and no package is built from them.
    scenarios: BTreeSet<PathBuf>,
}

impl Changes {
    /// What differs between the files as they are and those of the last commit that this branch
    /// has in common with another one.
    ///
    /// # Errors
    /// When there is no such commit, or no git.
    pub(super) fn since(base: &str, root: &Path) -> Result<Self, Error> {
        let commit = format!("{base}^{{commit}}");
        let known = [
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &commit,
        ];
        git(root, &known).map_err(|_| {
            Error::Usage(format!(
                "`{base}` is no commit here: fetch it first (a shallow clone has only the last one)"
            ))
        })?;
        let base = git(root, &["merge-base", "--end-of-options", base, "HEAD"]).map_err(|_| {
            Error::Usage(format!(
                "`{base}` and HEAD have no commit in common here: fetch more of the history"
            ))
        })?;
        let base = base.trim().to_owned();
        let top = PathBuf::from(git(root, &["rev-parse", "--show-toplevel"])?.trim_end());
        let tracked = git(&top, &["diff", "--name-only", "--no-renames", "-z", &base])?;
        let new = ["ls-files", "--others", "--exclude-standard", "-z"];
        let new = git(&top, &new)?;
        let names = tracked.split('\0').chain(new.split('\0'));
        let files = names
            .filter(|name| !name.is_empty())
            .map(|name| top.join(name));
        Ok(Changes {
            base,
            files: files.collect(),
            root: real(root),
            scenarios: BTreeSet::new(),
        })
    }

    /// With these files being scenarios.
    pub(super) fn with_scenarios<'a>(mut self, files: impl Iterator<Item = &'a Path>) -> Self {
        let files: BTreeSet<PathBuf> = files.map(real).collect();
        let changed = std::mem::take(&mut self.files).into_iter();
        (self.scenarios, self.files) = changed.partition(|file| files.contains(file));
        self
    }

    /// Whether this scenario has.
    pub(super) fn has(&self, file: &Path) -> bool {
        self.scenarios.contains(&real(file))
    }

    /// Whether what searches scenarios is built here, and has: then they are all reached.
    pub(super) fn touch_the_search(&self, project: &Project) -> bool {
        let affected = self.affected(&project.members());
        ["gordian", "cargo-gordian", "gordian-oracle"]
            .iter()
            .any(|name| affected.contains(*name))
    }

    /// The packages in which a file has, and all that depend on one of them.
    pub(super) fn affected(&self, members: &[Member]) -> BTreeSet<String> {
        affected(&self.root, &self.files, members)
    }
}

fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

fn affected(root: &Path, files: &BTreeSet<PathBuf>, members: &[Member]) -> BTreeSet<String> {
    let all = || members.iter().map(|member| member.name.clone()).collect();
    // What packages are in or need, one path each: their own directories and others'.
    let places = members
        .iter()
        .flat_map(|member| member.needs.iter().chain([&member.directory]));
    let places: BTreeSet<&PathBuf> = places.collect();
    let mut reached: BTreeSet<&PathBuf> = BTreeSet::new();
    for file in files {
        if let Ok(below) = file.strip_prefix(root) {
            let first = below.iter().next();
            if EVERYTHING
                .iter()
                .any(|name| first == Some(OsStr::new(name)))
            {
                return all();
            }
        }
        let around = places.iter().filter(|place| file.starts_with(place));
        match around.max_by_key(|place| place.components().count()) {
            Some(place) => drop(reached.insert(place)),
            // Beside all packages of a workspace: who knows what reads it.
            None if file.starts_with(root) => return all(),
            None => {}
        }
    }
    loop {
        let before = reached.len();
        for member in members {
            if member.needs.iter().any(|need| reached.contains(need)) {
                reached.insert(&member.directory);
            }
        }
        if reached.len() == before {
            break;
        }
    }
    let members = members.iter();
    members
        .filter(|member| reached.contains(&member.directory))
        .map(|member| member.name.clone())
        .collect()
}

/// What git says.
pub(super) fn git(directory: &Path, arguments: &[&str]) -> Result<String, Error> {
    let output = Command::new("git")
        .arg("-C")
        .arg(directory)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(Error::internal("git"))?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        let command = arguments.first().copied().unwrap_or_default();
        return Err(Error::Usage(format!("git {command}: {}", reason.trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, directory: &str, needs: &[&str]) -> Member {
        Member {
            name: name.to_owned(),
            directory: directory.into(),
            needs: needs.iter().map(PathBuf::from).collect(),
        }
    }

    #[test]
    fn a_change_reaches_who_depends_on_it() {
        // app → bank → locks; vault needs what is outside; the root's own package stands alone.
        let members = [
            member("whole", "/w", &[]),
            member("locks", "/w/locks", &[]),
            member("bank", "/w/bank", &["/w/locks"]),
            member("app", "/w/app", &["/w/bank"]),
            member("vault", "/w/vault", &["/elsewhere/steel"]),
        ];
        let all = "app bank locks vault whole";
        for (files, expected) in [
            (&["/w/locks/src/lib.rs"][..], "app bank locks"),
            (&["/w/bank/src/deep/er.rs"], "app bank"),
            (&["/w/app/README.md"], "app"),
            (&["/elsewhere/steel/src/lib.rs"], "vault"),
            (&["/w/app/a.rs", "/w/vault/b.rs"], "app vault"),
            (&["/w/src/lib.rs"], "whole"),
            (&["/w/lockspicker/x.rs"], "whole"),
            (&["/w/Cargo.lock"], all),
            (&["/w/.config/gordian.toml"], all),
            (&["/elsewhere/README.md"], ""),
            (&[], ""),
        ] {
            let files = files.iter().map(PathBuf::from).collect();
            let found = affected(Path::new("/w"), &files, &members);
            let found: Vec<_> = found.into_iter().collect();
            assert_eq!(found.join(" "), expected, "{files:?}");
        }
    }

    #[test]
    fn beside_the_packages_of_a_workspace_everything_is_reached() {
        let members = [member("a", "/w/a", &[]), member("b", "/w/b", &[])];
        let files = BTreeSet::from([PathBuf::from("/w/data/table.txt")]);
        assert_eq!(affected(Path::new("/w"), &files, &members).len(), 2);
    }
}
