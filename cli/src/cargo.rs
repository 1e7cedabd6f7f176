//! What this program asks of cargo: where the workspace is, and its test binaries.
//!
//! Knows cargo's commands and messages. Does not know what a model is.

use std::collections::BTreeSet;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use cargo_metadata::camino::Utf8Path;
use cargo_metadata::{Message, Metadata, MetadataCommand, Package, TargetKind};

use crate::args::{BuildArgs, Color, ViewArgs};
use crate::error::Error;
use crate::process::{Interrupt, supervise};
use crate::resolver;

/// The workspace that the command line means.
pub(crate) struct Project {
    metadata: Metadata,
    /// The package or workspace the command was given in.
    directory: PathBuf,
}

/// A package of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) directory: PathBuf,
    /// Directories of the packages that it depends on by path, also only for its tests.
    pub(crate) needs: Vec<PathBuf>,
}

/// A test binary.
#[derive(Debug)]
pub(crate) struct Binary {
    /// The executable file.
    pub(crate) path: PathBuf,
    /// `package` for a library's own tests, `package::target` for others.
    pub(crate) label: String,
    /// The crate's name in paths.
    pub(crate) crate_name: String,
    /// Name and version of the package, and its directory: tests run in it.
    pub(crate) package: String,
    pub(crate) version: String,
    pub(crate) directory: PathBuf,
}

/// The cargo that runs this program, or the one in the path.
fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

impl Project {
    /// Finds the workspace.
    ///
    /// # Errors
    /// When there is none, or its manifests cannot be read.
    pub(crate) fn find(args: &BuildArgs) -> Result<Self, Error> {
        Project::query(args.manifest.manifest_path.as_deref(), lock_flags(args))
    }

    fn query(manifest: Option<&Path>, flags: Vec<String>) -> Result<Self, Error> {
        let mut command = MetadataCommand::new();
        command.cargo_path(cargo()).no_deps();
        if let Some(path) = manifest {
            command.manifest_path(path);
        }
        command.other_options(flags);
        let metadata = command.exec().map_err(|error| match error {
            cargo_metadata::Error::CargoMetadata { stderr } => {
                let message = stderr.trim();
                Error::Usage(
                    message
                        .strip_prefix("error: ")
                        .unwrap_or(message)
                        .to_owned(),
                )
            }
            other => Error::Internal(format!("cargo metadata: {other}")),
        })?;
        let directory = match manifest {
            Some(path) => path.parent().map(Path::to_path_buf).unwrap_or_default(),
            None => std::env::current_dir().map_err(Error::internal("the current directory"))?,
        };
        Ok(Project {
            metadata,
            directory,
        })
    }

    /// Finds the workspace of a manifest, or the one of the current directory.
    ///
    /// # Errors
    /// When there is none, or its manifests cannot be read.
    pub(crate) fn at(manifest: Option<&Path>) -> Result<Self, Error> {
        Project::query(manifest, Vec::new())
    }

    /// What the compiler's names of files are relative to.
    pub(crate) fn root(&self) -> PathBuf {
        self.metadata.workspace_root.clone().into_std_path_buf()
    }

    /// The packages of the workspace, and what they are built from.
    pub(crate) fn members(&self) -> Vec<Member> {
        let real = |path: &Utf8Path| {
            let path = path.as_std_path();
            path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
        };
        let packages = self.metadata.workspace_packages().into_iter();
        packages
            .filter_map(|package| {
                let needs = package.dependencies.iter();
                Some(Member {
                    name: package.name.to_string(),
                    directory: real(package.manifest_path.parent()?),
                    needs: needs
                        .filter_map(|one| one.path.as_deref().map(real))
                        .collect(),
                })
            })
            .collect()
    }

    /// Names of the packages that can have models.
    pub(crate) fn users(&self) -> Vec<String> {
        let users = users_of_gordian(&self.metadata.workspace_packages());
        users
            .iter()
            .map(|package| package.name.to_string())
            .collect()
    }

    /// What is to be told of how cargo builds the workspace.
    pub(crate) fn warnings(&self) -> Vec<String> {
        resolver::warnings(&self.metadata)
    }

    /// Where the results of this program go.
    pub(crate) fn output_directory(&self) -> PathBuf {
        self.metadata
            .target_directory
            .join("gordian")
            .into_std_path_buf()
    }

    /// Ids of the packages to test when the command line names none: in the root of a workspace
    /// all that use gordian, below it none, so that cargo picks the one it is in.
    fn default_packages(&self) -> Result<Vec<String>, Error> {
        let root = self.metadata.workspace_root.as_std_path();
        let inside = self
            .metadata
            .workspace_packages()
            .into_iter()
            .filter_map(|package| package.manifest_path.parent())
            .map(Utf8Path::as_std_path)
            .any(|directory| directory != root && is_below(&self.directory, directory));
        if inside {
            return Ok(Vec::new());
        }
        let packages = self.metadata.workspace_packages();
        let users = users_of_gordian(&packages);
        if users.is_empty() {
            return Err(Error::NothingToRun(
                "no package here uses gordian: add `gordian = { version = \"0.1\", features = \
                 [\"model\"] }` to its [dev-dependencies], and write a test under \
                 `#[gordian::test]`"
                    .to_owned(),
            ));
        }
        Ok(users
            .into_iter()
            .map(|package| package.id.repr.clone())
            .collect())
    }
}

/// Whether a directory is another one or below it, whatever way leads there.
fn is_below(directory: &Path, above: &Path) -> bool {
    match (directory.canonicalize(), above.canonicalize()) {
        (Ok(directory), Ok(above)) => directory.starts_with(above),
        _ => false,
    }
}

/// The packages that can have models: those that depend on gordian, be it through another package
/// of the workspace, and gordian itself.
fn users_of_gordian<'a>(packages: &[&'a Package]) -> Vec<&'a Package> {
    let mut names = BTreeSet::from(["gordian".to_owned()]);
    loop {
        let before = names.len();
        for package in packages {
            let uses = package
                .dependencies
                .iter()
                .any(|other| names.contains(&other.name));
            if uses {
                names.insert(package.name.to_string());
            }
        }
        if names.len() == before {
            break;
        }
    }
    packages
        .iter()
        .filter(|package| names.contains(package.name.as_str()))
        .copied()
        .collect()
}

/// Builds the test binaries that the command line selects. cargo's own messages go to stderr.
///
/// # Errors
/// When cargo refuses, the tests do not compile, or somebody interrupts.
pub(crate) fn build(
    args: &BuildArgs,
    view: ViewArgs,
    project: &Project,
    interrupt: &Interrupt,
) -> Result<Vec<Binary>, Error> {
    let mut command = Command::new(cargo());
    command.args([
        "test",
        "--no-run",
        "--message-format=json-render-diagnostics",
    ]);
    command.args(selection(args, project)?);
    if view.quiet {
        command.arg("--quiet");
    }
    command.args((0..view.verbose).map(|_| "--verbose"));
    match view.color {
        Color::Auto => {}
        Color::Always => drop(command.arg("--color=always")),
        Color::Never => drop(command.arg("--color=never")),
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(Error::internal("cargo"))?;
    let stdout = child.stdout.take().expect("stdout is piped");
    let reader = thread::spawn(move || read_messages(BufReader::new(stdout)));
    let ended = supervise(&mut child, None, interrupt).map_err(Error::internal("cargo"))?;
    let built = reader.join().expect("reading messages does not panic");
    if ended.killed.is_some() || interrupt.is_raised() {
        return Err(Error::Interrupted);
    }
    match (ended.status.success(), built.finished) {
        (true, _) => Ok(binaries(built.executables, &project.metadata)),
        (false, true) => Err(Error::BuildFailed),
        (false, false) => Err(Error::CargoRefused),
    }
}

fn lock_flags(args: &BuildArgs) -> Vec<String> {
    let flags = [("--locked", args.locked), ("--offline", args.offline)];
    flags
        .iter()
        .filter(|(_, given)| *given)
        .map(|(flag, _)| (*flag).to_owned())
        .collect()
}

/// The flags that say what is built, as cargo spells them.
fn selection(args: &BuildArgs, project: &Project) -> Result<Vec<String>, Error> {
    let BuildArgs {
        workspace,
        features,
        manifest,
        release,
        ..
    } = args;
    let mut flags = lock_flags(args);
    let mut with_value = |flag: &str, values: &[String]| {
        for value in values {
            flags.extend([flag.to_owned(), value.clone()]);
        }
    };
    with_value("--package", &workspace.package);
    with_value("--exclude", &workspace.exclude);
    with_value("--features", &features.features);
    if let Some(path) = &manifest.manifest_path {
        with_value("--manifest-path", &[path.display().to_string()]);
    }
    let whole = workspace.workspace || workspace.all;
    if !whole && workspace.package.is_empty() && workspace.exclude.is_empty() {
        with_value("--package", &project.default_packages()?);
    }
    for (flag, given) in [
        ("--workspace", whole),
        ("--all-features", features.all_features),
        ("--no-default-features", features.no_default_features),
        ("--release", *release),
    ] {
        flags.extend(given.then(|| flag.to_owned()));
    }
    Ok(flags)
}

/// What cargo reported about a build.
struct Built {
    executables: Vec<cargo_metadata::Artifact>,
    /// Whether the build came to an end, good or bad. Otherwise cargo refused to begin.
    finished: bool,
}

fn read_messages(stream: impl std::io::BufRead) -> Built {
    let mut built = Built {
        executables: Vec::new(),
        finished: false,
    };
    // A line that is no message is something that a build script printed.
    for message in Message::parse_stream(stream).map_while(Result::ok) {
        match message {
            Message::CompilerArtifact(artifact)
                if artifact.profile.test && artifact.executable.is_some() =>
            {
                built.executables.push(artifact);
            }
            Message::BuildFinished(_) => built.finished = true,
            _ => {}
        }
    }
    built
}

fn binaries(artifacts: Vec<cargo_metadata::Artifact>, metadata: &Metadata) -> Vec<Binary> {
    let mut binaries: Vec<Binary> = artifacts
        .into_iter()
        .filter_map(|artifact| {
            let path = artifact.executable?.into_std_path_buf();
            let package = metadata
                .packages
                .iter()
                .find(|one| one.id == artifact.package_id)?;
            Some(Binary {
                path,
                label: label(package.name.as_str(), &artifact.target),
                crate_name: artifact.target.name.replace('-', "_"),
                package: package.name.to_string(),
                version: package.version.to_string(),
                directory: package.manifest_path.parent()?.as_std_path().to_path_buf(),
            })
        })
        .collect();
    binaries.sort_by(|a, b| a.label.cmp(&b.label));
    binaries
}

/// A short name that no other binary of the workspace has.
fn label(package: &str, target: &cargo_metadata::Target) -> String {
    let is = |kind: TargetKind| target.kind.contains(&kind);
    if is(TargetKind::Test) {
        format!("{package}::{}", target.name)
    } else if is(TargetKind::Bin) {
        format!("{package}::bin/{}", target.name)
    } else if is(TargetKind::Example) {
        format!("{package}::example/{}", target.name)
    } else if is(TargetKind::Bench) {
        format!("{package}::bench/{}", target.name)
    } else {
        package.to_owned()
    }
}
