//! The template onto the stack, and what came out of it.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde::Deserialize;

use crate::failure::{Failure, OrFail, Result};
use crate::process::{output_of, run_quietly};
use crate::project::Project;
use crate::stack::{STACK_NAME, Stack};
use crate::tools::Tools;

/// What differs from the template's defaults on a local stack. The stages on AWS have theirs in samconfig.toml.
const LOCAL_PARAMETERS: [&str; 5] = [
    "Stage=local",
    "ProtectData=false",
    "ApiRequestsPerSecond=10000",
    "ApiRequestBurst=10000",
    "LoginRequestsPerSecond=1000",
];

/// The outputs of the deployed stack.
#[derive(Debug)]
pub(crate) struct Outputs(BTreeMap<String, String>);

impl Outputs {
    /// One output.
    pub(crate) fn get(&self, key: &str) -> Result<&str> {
        self.0.get(key).map(String::as_str).ok_or_else(|| {
            Failure::new(
                format!("The deployed stack has no output {key}."),
                "deploy again: cargo local deploy",
            )
        })
    }

    /// All outputs, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    fn parse(json: &str) -> Result<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Row {
            output_key: String,
            output_value: String,
        }
        let rows: Vec<Row> = serde_json::from_str(json).or_fail(
            "The outputs of the stack are not readable",
            "deploy again: cargo local deploy",
        )?;
        Ok(Self(
            rows.into_iter()
                .map(|row| (row.output_key, row.output_value))
                .collect(),
        ))
    }
}

/// Deploys the template with the binaries in target/lambda and answers its outputs.
pub(crate) fn deploy(
    project: &Project,
    stack: &Stack,
    tools: &Tools,
    parameters: &[String],
) -> Result<Outputs> {
    check_parameters(project, parameters)?;
    let architecture = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    };
    let mut command = sam(project, stack, tools);
    command
        .args([
            "deploy",
            "--template-file",
            "template.yaml",
            "--stack-name",
            STACK_NAME,
            "--resolve-s3",
        ])
        .args([
            "--capabilities",
            "CAPABILITY_IAM",
            "--no-confirm-changeset",
            "--no-fail-on-empty-changeset",
        ])
        .args(["--no-progressbar", "--parameter-overrides"])
        .args(LOCAL_PARAMETERS)
        .arg(format!("Architecture={architecture}"))
        .args(parameters);
    run_quietly(
        "Deploying template.yaml",
        &mut command,
        &stack.folder().join("deploy.log"),
        "if the template was changed, see that `sam validate --lint` is content; a stack left half done is cleared by \
         `cargo local reset`",
    )?;
    let json = output_of(
        "Reading the outputs",
        sam(project, stack, tools).args([
            "list",
            "stack-outputs",
            "--stack-name",
            STACK_NAME,
            "--output",
            "json",
        ]),
        "try again: cargo local deploy",
    )?;
    let file = stack.folder().join("outputs.json");
    fs::write(&file, &json).or_fail(
        format!("Cannot write {}", file.display()),
        "check the space on the disk",
    )?;
    Outputs::parse(&json)
}

/// AWS refuses a parameter that the template does not have; the emulator ignores it, and a misspelt one would go unnoticed.
fn check_parameters(project: &Project, parameters: &[String]) -> Result<()> {
    let known = project.parameters()?;
    for parameter in parameters {
        let name = parameter.split_once('=').map(|(name, _)| name);
        if name.is_none_or(|name| !known.iter().any(|one| one == name)) {
            return Err(Failure::new(
                format!("--set {parameter} sets no parameter of the template."),
                format!("write --set Name=value, with one of: {}", known.join(", ")),
            ));
        }
    }
    Ok(())
}

/// The outputs of the last deployment.
pub(crate) fn outputs(stack: &Stack) -> Result<Outputs> {
    let file = stack.folder().join("outputs.json");
    let json = fs::read_to_string(&file).or_fail(
        "Nothing has been deployed to this stack",
        "deploy: cargo local up",
    )?;
    Outputs::parse(&json)
}

fn sam(project: &Project, stack: &Stack, tools: &Tools) -> Command {
    let mut command = Command::new(tools.sam());
    command
        .current_dir(project.root())
        .envs(stack.environment())
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN")
        .env("SAM_CLI_TELEMETRY", "0")
        .env("SAM_CLI_CHECK_VERSION", "0");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_read_from_what_sam_prints() {
        let outputs = Outputs::parse(
            r#"[{"OutputKey": "ApiId", "OutputValue": "a1", "Description": ""}, {"OutputKey": "ApiUrl", "OutputValue": "http://x"}]"#,
        )
        .unwrap();
        assert_eq!(outputs.get("ApiId").unwrap(), "a1");
        assert!(
            outputs
                .get("Nothing")
                .unwrap_err()
                .to_string()
                .contains("cargo local deploy")
        );
    }
}
