//! The functions' binaries for this machine. One cargo call for all: they share nearly everything that is compiled.

use std::fs;
use std::path::PathBuf;

use crate::failure::{OrFail, Result};
use crate::process::run_openly;
use crate::project::Project;

/// Puts the demo services in; built along with the functions, because it is made of the same crates.
pub(crate) const DEMO_LOADER: &str = "cierre-demo";

/// Builds every function and puts the binaries where the template looks for them.
///
/// The local stack runs them as processes of this machine, so no cross compiler is needed; for AWS, `cargo lambda build` fills the
/// same folders.
pub(crate) fn functions(project: &Project) -> Result<()> {
    let functions = project.functions()?;
    let mut cargo = project.cargo();
    cargo.args(["build", "--release", "--package", DEMO_LOADER]);
    for function in &functions {
        cargo.args(["--package", function]);
    }
    run_openly(
        "Building the functions (some minutes the first time, seconds later)",
        &mut cargo,
        "mend what the compiler names above; if it misses a C compiler: apt install build-essential (macOS: xcode-select --install)",
    )?;
    for function in &functions {
        let bootstrap = project.bootstrap(function);
        let next = "check the space on the disk and the permissions of target/";
        if let Some(folder) = bootstrap.parent() {
            fs::create_dir_all(folder)
                .or_fail(format!("Cannot create {}", folder.display()), next)?;
        }
        fs::copy(release_binary(project, function), &bootstrap)
            .or_fail(format!("Cannot copy the binary of {function}"), next)?;
    }
    Ok(())
}

/// Where cargo puts a program of the release profile.
pub(crate) fn release_binary(project: &Project, name: &str) -> PathBuf {
    target_folder(project).join("release").join(name)
}

fn target_folder(project: &Project) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => project.root().join(folder),
        None => project.root().join("target"),
    }
}
