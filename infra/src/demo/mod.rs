//! What `cargo local up` shows: the demo company, its month end and its payroll, through the HTTP API as any client would use it.

pub(crate) mod client;
mod data;
mod month_end;
mod payroll;

use crate::deploy::Outputs;
use crate::failure::Result;
use crate::project::Project;
use crate::stack::Stack;

/// Sets up the demo company and plays the month end and the payroll, or shows again what an earlier run made.
pub(crate) async fn run(project: &Project, stack: &Stack, outputs: &Outputs) -> Result<()> {
    let api = stack.api_by_path(outputs.get("ApiId")?);
    let ana = client::Session::log_in(&api, "ana").await?;
    let olga = client::Session::log_in(&api, "olga").await?;
    data::load(project, stack, outputs, &ana, &olga).await?;
    month_end::play(&ana).await?;
    payroll::play(project, stack, outputs, &api).await
}
