//! Where things are in the checkout, and what the template calls its functions.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, OrFail, Result};

/// The checkout that the tool works on.
#[derive(Debug)]
pub(crate) struct Project {
    root: PathBuf,
}

impl Project {
    /// The nearest folder at or above the current one that holds the template.
    pub(crate) fn find() -> Result<Self> {
        let here = std::env::current_dir()
            .or_fail("Cannot tell the current folder", "change into the checkout")?;
        here.ancestors()
            .find(|folder| folder.join("template.yaml").is_file() && folder.join("infra").is_dir())
            .map(|root| Self {
                root: root.to_owned(),
            })
            .ok_or_else(|| {
                Failure::new(
                    "This is not a checkout of Cierre.",
                    "change into the checkout",
                )
            })
    }

    /// The checkout's top folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// What the tool keeps: Python environments, state and logs of the stacks. Never committed.
    pub(crate) fn local(&self) -> PathBuf {
        self.root.join(".local")
    }

    /// One binary per function, as the template expects them.
    pub(crate) fn bootstrap(&self, function: &str) -> PathBuf {
        self.root
            .join("target/lambda")
            .join(function)
            .join("bootstrap")
    }

    /// All functions: the folders under functions/.
    pub(crate) fn functions(&self) -> Result<Vec<String>> {
        let folder = self.root.join("functions");
        let next = "check that the checkout is complete: git status";
        let mut names = Vec::new();
        for entry in
            fs::read_dir(&folder).or_fail(format!("Cannot read {}", folder.display()), next)?
        {
            let entry = entry.or_fail(format!("Cannot read {}", folder.display()), next)?;
            if entry.path().join("Cargo.toml").is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// The names under Parameters in the template.
    pub(crate) fn parameters(&self) -> Result<Vec<String>> {
        let template = fs::read_to_string(self.root.join("template.yaml")).or_fail(
            "Cannot read template.yaml",
            "check that the checkout is complete: git status",
        )?;
        Ok(parameter_names(&template).map(str::to_owned).collect())
    }

    /// Cargo, run at the top of the checkout.
    pub(crate) fn cargo(&self) -> Command {
        // The cargo that started this tool, so that a toolchain override holds for all of the run.
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root);
        command
    }
}

fn parameter_names(template: &str) -> impl Iterator<Item = &str> {
    template
        .lines()
        .skip_while(|line| *line != "Parameters:")
        .skip(1)
        .take_while(|line| line.is_empty() || line.starts_with(' '))
        .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'))
        .filter(|name| !name.starts_with(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_by_name() {
        let template = "Parameters:\n  Stage:\n    Type: String\n    Default:\n\n  Other:\n    Type: Number\n\nResources:\n  Table:\n";
        assert_eq!(
            parameter_names(template).collect::<Vec<_>>(),
            ["Stage", "Other"]
        );
    }
}
