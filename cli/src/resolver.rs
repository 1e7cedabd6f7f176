//! Whether cargo turns checking on where nothing is to be checked.
//!
//! Knows which resolver a workspace has, and what that makes of the feature `model` of gordian. Does
//! not build anything: it reads what cargo says of the manifests.

use cargo_metadata::{DependencyKind, Edition, Metadata, Package};

/// The features of gordian that are the checker.
const FEATURES: [&str; 3] = ["model", "loom", "scenario"];

/// What is to be told of the workspace, a sentence each.
pub(crate) fn warnings(metadata: &Metadata) -> Vec<String> {
    let root = metadata.workspace_root.as_std_path();
    let packages = metadata.workspace_packages();
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let edition = packages
        .iter()
        .find(|package| package.manifest_path.as_std_path() == root.join("Cargo.toml").as_path());
    let resolver = resolver(&manifest, edition.map(|package| package.edition));
    let mut warnings = Vec::new();
    let tested: Vec<&str> = packages
        .iter()
        .filter(|package| asks_for_checking(package, DependencyKind::Development))
        .map(|package| package.name.as_str())
        .collect();
    let is_used = packages
        .iter()
        .any(|package| uses(package, DependencyKind::Normal));
    if let (Resolver::One, [first, ..], true) = (resolver, &tested[..], is_used) {
        warnings.push(format!(
            "cargo turns the feature `model` of gordian on in `cargo build` and `cargo run` too: \
             resolver 1 adds what [dev-dependencies] ask for (those of `{first}`) to \
             [dependencies]; write `resolver = \"2\"` below [{}] in {}",
            if edition.is_some() {
                "package"
            } else {
                "workspace"
            },
            root.join("Cargo.toml").display(),
        ));
    }
    for package in packages {
        let is_program = package.targets.iter().any(cargo_metadata::Target::is_bin);
        if is_program && asks_for_checking(package, DependencyKind::Normal) && !is_meant(package) {
            warnings.push(format!(
                "`{}` is built with the feature `model` of gordian, which belongs into \
                 [dev-dependencies]: its locks are the checked ones also when it ships \
                 (`package.metadata.gordian.model = true` says that this is meant)",
                package.name
            ));
        }
    }
    warnings
}

fn uses(package: &Package, kind: DependencyKind) -> bool {
    let mut all = package.dependencies.iter();
    all.any(|one| one.name == "gordian" && one.kind == kind)
}

/// Whether a package asks for the checker, whatever its own features are.
fn asks_for_checking(package: &Package, kind: DependencyKind) -> bool {
    package.dependencies.iter().any(|one| {
        let mut features = one.features.iter();
        one.name == "gordian"
            && one.kind == kind
            && !one.optional
            && features.any(|feature| FEATURES.contains(&feature.as_str()))
    })
}

/// Whether a package says that its program is one that checks.
fn is_meant(package: &Package) -> bool {
    package.metadata["gordian"]["model"] == true
}

/// How cargo puts the features of a dependency together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resolver {
    /// Those of all kinds of dependencies are one.
    One,
    /// Those for tests are not there in builds.
    Two,
}

/// The resolver of a workspace, from its root manifest and the edition of the package there.
fn resolver(manifest: &str, edition: Option<Edition>) -> Resolver {
    let manifest: toml::Table = manifest.parse().unwrap_or_default();
    let named = ["workspace", "package"]
        .iter()
        .find_map(|table| manifest.get(*table)?.get("resolver")?.as_str());
    match (named, edition) {
        (Some("1"), _) => Resolver::One,
        (Some(_), _) => Resolver::Two,
        // Without a package at the root there is no edition to go by.
        (None, None | Some(Edition::E2015 | Edition::E2018)) => Resolver::One,
        (None, Some(_)) => Resolver::Two,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resolver_is_cargos() {
        for (manifest, edition, expected) in [
            ("[workspace]\nmembers = []", None, Resolver::One),
            ("[workspace]\nresolver = \"2\"", None, Resolver::Two),
            ("[workspace]\nresolver = \"3\"", None, Resolver::Two),
            (
                "[workspace]\nresolver = \"1\"",
                Some(Edition::E2024),
                Resolver::One,
            ),
            (
                "[package]\nresolver = \"2\"",
                Some(Edition::E2018),
                Resolver::Two,
            ),
            (
                "[package]\n[workspace]",
                Some(Edition::E2018),
                Resolver::One,
            ),
            (
                "[package]\n[workspace]",
                Some(Edition::E2021),
                Resolver::Two,
            ),
            ("[package]", Some(Edition::E2024), Resolver::Two),
            ("no manifest", None, Resolver::One),
        ] {
            assert_eq!(
                resolver(manifest, edition),
                expected,
                "{manifest} {edition:?}"
            );
        }
    }

    /// What cargo says of a workspace with one package.
    fn metadata(dependencies: &str, kind: &str, meant: &str) -> Metadata {
        let text = format!(
            r#"{{
                "packages": [{{
                    "name": "bank", "version": "0.1.0", "id": "bank 0.1.0 (path)", "source": null,
                    "license": null, "license_file": null, "description": null,
                    "dependencies": [{dependencies}],
                    "targets": [{{
                        "kind": ["{kind}"], "crate_types": ["{kind}"], "name": "bank",
                        "src_path": "/nowhere/bank/src/main.rs", "edition": "2024", "doc": true,
                        "doctest": false, "test": true
                    }}],
                    "features": {{}}, "manifest_path": "/nowhere/bank/Cargo.toml",
                    "metadata": {meant}, "publish": null, "authors": [], "categories": [],
                    "keywords": [], "readme": null, "repository": null, "homepage": null,
                    "documentation": null, "edition": "2024", "links": null,
                    "default_run": null, "rust_version": null
                }}],
                "workspace_members": ["bank 0.1.0 (path)"],
                "workspace_default_members": ["bank 0.1.0 (path)"],
                "resolve": null, "target_directory": "/nowhere/target", "version": 1,
                "workspace_root": "/nowhere", "metadata": null
            }}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn dependency(kind: &str, features: &str, optional: bool) -> String {
        format!(
            r#"{{
                "name": "gordian", "source": null, "req": "*", "kind": {kind}, "rename": null,
                "optional": {optional}, "uses_default_features": true, "features": [{features}],
                "target": null, "registry": null
            }}"#
        )
    }

    #[test]
    fn a_checked_program_is_told_of() {
        let plain = dependency("null", "", false);
        let checked = dependency("null", "\"model\"", false);
        let optional = dependency("null", "\"model\"", true);
        let tested = dependency("\"dev\"", "\"loom\"", false);
        let meant = r#"{ "gordian": { "model": true } }"#;
        let both = format!("{plain}, {tested}");
        // A virtual workspace whose manifest is not there: resolver 1.
        for (dependencies, kind, its, told) in [
            (&plain, "bin", "null", None),
            (
                &checked,
                "bin",
                "null",
                Some("`bank` is built with the feature `model`"),
            ),
            (&checked, "bin", meant, None),
            (&checked, "lib", "null", None),
            (&optional, "bin", "null", None),
            (&tested, "bin", "null", None),
            (
                &both,
                "bin",
                "null",
                Some("resolver 1 adds what [dev-dependencies]"),
            ),
            (
                &both,
                "lib",
                "null",
                Some("write `resolver = \"2\"` below [workspace]"),
            ),
        ] {
            let warnings = warnings(&metadata(dependencies, kind, its));
            assert_eq!(warnings.len(), usize::from(told.is_some()), "{warnings:?}");
            if let Some(text) = told {
                assert!(warnings[0].contains(text), "{warnings:?}");
            }
        }
    }
}
