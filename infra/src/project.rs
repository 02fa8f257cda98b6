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

    /// Cargo, run at the top of the checkout.
    pub(crate) fn cargo(&self) -> Command {
        // The cargo that started this tool, so that a toolchain override holds for all of the run.
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root);
        command
    }
}

/// The logical id of a function in the template: `run-billing-batch` is `RunBillingBatchFunction`.
pub(crate) fn logical_id(function: &str) -> String {
    let mut id = String::new();
    for word in function.split('-') {
        let mut letters = word.chars();
        if let Some(first) = letters.next() {
            id.extend(first.to_uppercase());
            id.push_str(letters.as_str());
        }
    }
    id.push_str("Function");
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_name_gives_the_logical_id() {
        assert_eq!(logical_id("run-billing-batch"), "RunBillingBatchFunction");
        assert_eq!(logical_id("api-docs"), "ApiDocsFunction");
    }

    #[test]
    fn every_function_stands_in_the_template_under_its_folder_name() {
        let project = Project::find().unwrap();
        let template = fs::read_to_string(project.root().join("template.yaml")).unwrap();
        for function in project.functions().unwrap() {
            let id = logical_id(&function);
            let at = template
                .find(&format!("\n  {id}:\n"))
                .unwrap_or_else(|| panic!("{id} is not in the template"));
            let block = template[at..].split("\n\n").next().unwrap();
            assert!(
                block.contains(&format!(
                    "FunctionName: !Sub ${{AWS::StackName}}-{function}\n"
                )),
                "{block}"
            );
            assert!(
                block.contains(&format!("CodeUri: target/lambda/{function}/\n")),
                "{block}"
            );
        }
    }

    #[test]
    fn every_function_of_the_template_has_a_folder_and_an_event() {
        let project = Project::find().unwrap();
        let template = fs::read_to_string(project.root().join("template.yaml")).unwrap();
        for line in template
            .lines()
            .filter_map(|line| line.trim().strip_prefix("CodeUri: target/lambda/"))
        {
            let function = line.trim_end_matches('/');
            assert!(
                project.root().join("functions").join(function).is_dir(),
                "functions/{function} is missing"
            );
            assert!(
                project.root().join("events").join(function).is_dir(),
                "events/{function} is missing"
            );
        }
    }
}
