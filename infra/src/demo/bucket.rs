//! Files dropped into the bucket, as anybody with an S3 tool does it.

use crate::build;
use crate::deploy::Outputs;
use crate::failure::Result;
use crate::process::output_of;
use crate::project::Project;
use crate::stack::Stack;

/// The command of the AWS CLI that puts a file of the checkout into the bucket.
pub(super) fn command(outputs: &Outputs, file: &str, key: &str) -> Result<String> {
    let bucket = outputs.get("UploadsBucket")?;
    Ok(format!("aws s3 cp {file} s3://{bucket}/{key}"))
}

/// Puts a file of the checkout into the bucket, and shows the command that does the same.
pub(super) fn drop(
    project: &Project,
    stack: &Stack,
    outputs: &Outputs,
    file: &str,
    key: &str,
    media_type: &str,
) -> Result<()> {
    println!("     {}", command(outputs, file, key)?);
    output_of(
        "Putting a file into the bucket",
        build::aws_program(project)
            .args(["object", key])
            .arg(project.root().join(file))
            .arg(media_type)
            .envs(stack.environment())
            .env("UPLOADS_BUCKET", outputs.get("UploadsBucket")?),
        "look into the local stack's log; `cargo local reset` and `cargo local up` start from nothing",
    )?;
    Ok(())
}
