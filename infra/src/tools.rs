//! The Python tools: the local stack, the AWS SAM CLI, and what only the checks use, each in a virtual environment of the project's own, with
//! pinned versions. They are kept apart because they disagree on the version of botocore.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::failure::{Failure, OrFail, Result};
use crate::process::run_quietly;
use crate::progress::Step;
use crate::project::Project;

const OLDEST_PYTHON: (u32, u32) = (3, 10);
const PYTHON_REMEDY: &str = "install Python 3.10 or later with its venv module (Debian, Ubuntu: apt install python3 python3-venv; \
     macOS: brew install python), or name one that is there: PYTHON=/path/to/python3 cargo local up";

/// The installed tools.
#[derive(Debug)]
pub(crate) struct Tools {
    ministack: PathBuf,
    deploy: PathBuf,
}

impl Tools {
    /// The emulator's program.
    pub(crate) fn ministack(&self) -> PathBuf {
        self.ministack.join("bin/ministack")
    }

    /// The AWS SAM CLI.
    pub(crate) fn sam(&self) -> PathBuf {
        self.deploy.join("bin/sam")
    }

    /// The template linter.
    pub(crate) fn cfn_lint(&self) -> PathBuf {
        self.deploy.join("bin/cfn-lint")
    }
}

/// Installs what is missing or pinned differently than what stands there.
pub(crate) fn install(project: &Project) -> Result<Tools> {
    let tools = project.local().join("tools");
    // Two runs at once, on two ports, must not install into the same folder. The lock ends with the file handle.
    let _lock = lock(&tools)?;
    Ok(Tools {
        ministack: environment(
            project,
            &tools,
            "ministack",
            "Installing the local stack (MiniStack)",
        )?,
        deploy: environment(
            project,
            &tools,
            "deploy",
            "Installing the AWS SAM CLI and cfn-lint",
        )?,
    })
}

/// What looks for weak settings in the template, installed when it is missing.
pub(crate) fn checkov(project: &Project) -> Result<PathBuf> {
    let folder = alone(project, "checkov", "Installing checkov")?;
    Ok(folder.join("bin/checkov"))
}

/// What compares the running API with its document, installed when it is missing.
pub(crate) fn schemathesis(project: &Project) -> Result<PathBuf> {
    let folder = alone(project, "schemathesis", "Installing schemathesis")?;
    Ok(folder.join("bin/schemathesis"))
}

fn alone(project: &Project, name: &str, label: &str) -> Result<PathBuf> {
    let tools = project.local().join("tools");
    let _lock = lock(&tools)?;
    environment(project, &tools, name, label)
}

fn lock(folder: &Path) -> Result<File> {
    let path = folder.join("lock");
    let next = "check the permissions and the space on the disk";
    let what = || format!("Cannot lock {}", path.display());
    fs::create_dir_all(folder).or_fail(what(), next)?;
    let file = File::create(&path).or_fail(what(), next)?;
    if file.try_lock().is_err() {
        let step = Step::begin("Waiting for another `cargo local` to install the tools");
        file.lock().or_fail(what(), next)?;
        step.done();
    }
    Ok(file)
}

fn environment(project: &Project, tools: &Path, name: &str, label: &str) -> Result<PathBuf> {
    let requirements = project
        .root()
        .join("infra/requirements")
        .join(format!("{name}.txt"));
    let pinned = fs::read(&requirements).or_fail(
        format!("Cannot read {}", requirements.display()),
        "check that the checkout is complete",
    )?;
    let folder = tools.join(name);
    let stamp = folder.join("installed-for");
    // The folder is part of the stamp: a virtual environment does not survive being moved.
    let wanted = format!("{}\n{:x}\n", folder.display(), Sha256::digest(&pinned));
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(folder);
    }
    let python = find_python()?;
    if folder.exists() {
        fs::remove_dir_all(&folder).or_fail(
            format!("Cannot replace {}", folder.display()),
            "delete that folder and try again",
        )?;
    }
    let log = tools.join(format!("{name}.log"));
    run_quietly(
        &format!("Making a Python environment for {name}"),
        Command::new(&python).args(["-m", "venv"]).arg(&folder),
        &log,
        PYTHON_REMEDY,
    )?;
    run_quietly(
        label,
        Command::new(folder.join("bin/python"))
            .args([
                "-m",
                "pip",
                "install",
                "--disable-pip-version-check",
                "--no-input",
                "--requirement",
            ])
            .arg(&requirements),
        &log,
        "check that pip reaches its package index (a proxy or a mirror is set with pip config), then run the same command again",
    )?;
    fs::write(&stamp, wanted).or_fail(
        format!("Cannot write {}", stamp.display()),
        "check the space on the disk",
    )?;
    Ok(folder)
}

/// A Python that is new enough: the one named in PYTHON, else the first that is found.
fn find_python() -> Result<String> {
    let named = std::env::var("PYTHON").ok();
    let known = [
        "python3",
        "python3.14",
        "python3.13",
        "python3.12",
        "python3.11",
        "python3.10",
        "python",
    ];
    let candidates = match &named {
        Some(one) => vec![one.as_str()],
        None => known.to_vec(),
    };
    let mut too_old = None;
    for candidate in candidates {
        let print = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])";
        let Ok(output) = Command::new(candidate).args(["-c", print]).output() else {
            continue;
        };
        let Some(version) = parse_version(&String::from_utf8_lossy(&output.stdout)) else {
            continue;
        };
        if version >= OLDEST_PYTHON {
            return Ok(candidate.to_owned());
        }
        too_old = Some(version);
    }
    Err(Failure::new(
        match too_old {
            Some((major, minor)) => {
                format!("Python {major}.{minor} is too old: the local stack needs 3.10 or later.")
            }
            None => {
                "No Python with venv and ensurepip was found: the local stack needs 3.10 or later."
                    .to_owned()
            }
        },
        PYTHON_REMEDY,
    ))
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.trim().split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(parse_version("3.9\n"), Some((3, 9)));
        assert!(parse_version("3.9") < Some(OLDEST_PYTHON));
        assert!(parse_version("3.11") > Some(OLDEST_PYTHON));
        assert_eq!(parse_version("no python"), None);
    }
}
