//! The shape of the repository, so that it stays what ARCHITECTURE says. Needs no stack.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand, Package};

/// Where a crate stands. Each may use those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tier {
    Kernel,
    Platform,
    Domain,
    Function,
    /// `infra` and `tests` stand around the product; nothing may use them.
    Around,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap()
}

fn folder(package: &Package) -> String {
    let folder = package.manifest_path.parent().unwrap().as_std_path();
    folder
        .strip_prefix(root())
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned()
}

fn tier(package: &Package) -> Tier {
    match folder(package).as_str() {
        "shared/kernel" => Tier::Kernel,
        "shared/platform" => Tier::Platform,
        "infra" | "infra/aws" | "tests" => Tier::Around,
        folder if folder.starts_with("functions/") => Tier::Function,
        folder if folder.starts_with("shared/") => Tier::Domain,
        other => panic!("{other} has no place in the architecture"),
    }
}

/// The names of the functions, out of the workspace.
fn functions(metadata: &Metadata) -> BTreeSet<String> {
    metadata
        .workspace_packages()
        .into_iter()
        .filter(|package| tier(package) == Tier::Function)
        .map(|package| package.name.to_string())
        .collect()
}

fn template() -> String {
    std::fs::read_to_string(root().join("template.yaml")).unwrap()
}

/// `run-billing-batch` is the resource `RunBillingBatchFunction`.
fn resource(function: &str) -> String {
    let words = function.split('-').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    });
    words.collect::<String>() + "Function"
}

#[test]
fn dependencies_point_one_way() {
    let metadata = metadata();
    let packages: BTreeMap<String, &Package> = metadata
        .workspace_packages()
        .into_iter()
        .map(|package| (package.name.to_string(), package))
        .collect();
    for (name, package) in &packages {
        for dependency in &package.dependencies {
            let Some(used) = packages.get(dependency.name.as_str()) else {
                continue;
            };
            let (from, to) = (tier(package), tier(used));
            assert!(
                to < from,
                "{name} ({from:?}) must not use {} ({to:?})",
                dependency.name
            );
            assert_ne!(
                to,
                Tier::Function,
                "{name} must not use the function {}",
                dependency.name
            );
        }
    }
}

#[test]
fn the_kernel_knows_no_io() {
    let metadata = metadata();
    let kernel = metadata
        .workspace_packages()
        .into_iter()
        .find(|package| tier(package) == Tier::Kernel)
        .unwrap();
    for dependency in kernel
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind == cargo_metadata::DependencyKind::Normal)
    {
        let name = dependency.name.as_str();
        let is_io = name.starts_with("aws")
            || name.starts_with("lambda")
            || ["tokio", "futures", "reqwest", "axum"].contains(&name);
        assert!(!is_io, "the kernel must not use {name}");
    }
}

#[test]
fn every_crate_takes_lints_and_versions_from_the_workspace() {
    for package in metadata().workspace_packages() {
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{} sets lints of its own",
            package.name
        );
        let mut in_dependencies = false;
        for line in manifest.lines().map(str::trim) {
            if line.starts_with('[') {
                in_dependencies = line.ends_with("dependencies]");
            } else if in_dependencies && !line.is_empty() && !line.starts_with('#') {
                let inherited = line.contains("workspace = true");
                assert!(
                    inherited,
                    "{} must take this from the workspace: {line}",
                    package.name
                );
            }
        }
    }
}

#[test]
fn a_function_is_called_the_same_everywhere() {
    let metadata = metadata();
    let template = template();
    let names = functions(&metadata);
    for package in metadata.workspace_packages() {
        if tier(package) != Tier::Function {
            continue;
        }
        assert_eq!(folder(package), format!("functions/{}", package.name));
        let binaries: Vec<&str> = package
            .targets
            .iter()
            .filter(|target| target.is_bin())
            .map(|target| target.name.as_str())
            .collect();
        assert_eq!(
            binaries,
            [package.name.as_str()],
            "one function, one binary"
        );
    }
    for name in &names {
        for line in [
            format!(
                "\n  {}:\n    Type: AWS::Serverless::Function\n",
                resource(name)
            ),
            format!("FunctionName: !Sub ${{AWS::StackName}}-{name}\n"),
            format!("CodeUri: target/lambda/{name}/\n"),
            format!("/aws/lambda/${{AWS::StackName}}-{name}\""),
        ] {
            assert!(template.contains(&line), "template.yaml lacks {line:?}");
        }
    }
    let deployed = template.matches("Type: AWS::Serverless::Function").count();
    assert_eq!(
        deployed,
        names.len(),
        "every function of the template has a folder"
    );
}

#[test]
fn every_function_has_a_role_of_its_own() {
    let template = template();
    for name in functions(&metadata()) {
        let role = resource(&name).replace("Function", "Role");
        assert!(
            template.contains(&format!("\n  {role}:\n    Type: AWS::IAM::Role\n")),
            "{role} is missing"
        );
        assert_eq!(
            template
                .matches(&format!("Role: !GetAtt {role}.Arn"))
                .count(),
            1,
            "{role} is used once"
        );
    }
}

#[test]
fn a_function_is_thin() {
    for name in functions(&metadata()) {
        let main = root().join("functions").join(&name).join("src/main.rs");
        let lines = std::fs::read_to_string(main).unwrap().lines().count();
        assert!(
            lines <= 80,
            "the main of {name} has {lines} lines: what it does belongs elsewhere"
        );
    }
}

#[test]
fn no_file_grows_beyond_reading() {
    let files =
        ["shared", "functions", "infra", "tests"].map(|folder| sources(&root().join(folder)));
    for file in files.concat() {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 600, "{} has {lines} lines", file.display());
    }
}

/// The document knows schemas by the names of their types, and of two with one name it keeps one without a word.
#[test]
fn no_two_schemas_of_the_document_share_a_name() {
    let mut places: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for path in sources(&root().join("shared")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let after_derive = text
            .split("#[derive(")
            .skip(1)
            .filter(|rest| rest.split(")]").next().unwrap().contains("ToSchema"));
        for rest in after_derive {
            let mut words = rest
                .split_whitespace()
                .skip_while(|word| !["struct", "enum"].contains(word));
            let name = words.nth(1).unwrap();
            let name = name.split(|c: char| !c.is_alphanumeric()).next().unwrap();
            places
                .entry(name.to_owned())
                .or_default()
                .push(path.clone());
        }
    }
    assert!(places.len() > 20, "{} schemas were found", places.len());
    let shared: Vec<_> = places
        .iter()
        .filter(|(_, places)| places.len() > 1)
        .collect();
    assert!(shared.is_empty(), "{shared:#?}");
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}
