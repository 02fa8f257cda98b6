//! The functions' binaries for this machine. One cargo call for all: they share nearly everything that is compiled.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{OrFail, Result};
use crate::process::run_openly;
use crate::project::Project;

/// What `cargo local` does through the AWS SDK; built along with the functions, because it is made of the same crates.
const AWS_PROGRAM: &str = "cierre-local-aws";

/// How the binaries are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Soon ready.
    Local,
    /// As on AWS: minutes longer, and what measurements are made with.
    Release,
}

/// What the functions are built among. Cargo turns on in a dependency what any of the crates that it builds asks for, so another selection
/// compiles the AWS SDK another time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Among {
    /// Nothing but the functions: the least to wait for.
    Themselves,
    /// With every test, which then finds its dependencies compiled.
    Everything,
}

impl Profile {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Release => "release",
        }
    }
}

/// Builds every function and puts the binaries where the template looks for them.
///
/// The local stack runs them as processes of this machine, so no cross compiler is needed; for AWS, `cargo lambda build` fills the
/// same folders.
pub(crate) fn functions(project: &Project, profile: Profile, among: Among) -> Result<()> {
    let functions = project.functions()?;
    let mut cargo = project.cargo();
    cargo.args(["build", "--profile", profile.name()]);
    match among {
        Among::Everything => {
            cargo.args(["--workspace", "--all-targets"]);
        }
        Among::Themselves => {
            for package in functions.iter().map(String::as_str).chain([AWS_PROGRAM]) {
                cargo.args(["--package", package]);
            }
        }
    }
    run_openly(
        "Building the functions (some minutes the first time, seconds later)",
        &mut cargo,
        "mend what the compiler names above; if it misses a C compiler: apt install build-essential (macOS: xcode-select --install)",
    )?;
    for function in &functions {
        install(project, profile, function, &project.bootstrap(function))?;
    }
    install(
        project,
        profile,
        AWS_PROGRAM,
        &project.local().join(AWS_PROGRAM),
    )
}

/// The program that speaks to AWS, once it is built.
pub(crate) fn aws_program(project: &Project) -> Command {
    Command::new(project.local().join(AWS_PROGRAM))
}

/// Copies a built program to where it is looked for. What stands there is replaced and not overwritten: a stack may be running it, and checkouts
/// that were copied by links share it.
fn install(project: &Project, profile: Profile, program: &str, place: &Path) -> Result<()> {
    let next = "check the space on the disk and the permissions of target/ and .local/";
    let what = || format!("Cannot copy {program} to {}", place.display());
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder).or_fail(what(), next)?;
    }
    if place.exists() {
        fs::remove_file(place).or_fail(what(), next)?;
    }
    fs::copy(
        target_folder(project).join(profile.name()).join(program),
        place,
    )
    .or_fail(what(), next)?;
    Ok(())
}

fn target_folder(project: &Project) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => project.root().join(folder),
        None => project.root().join("target"),
    }
}
