//! What `cargo local up` shows: the demo company, its month end, its payroll and the facturas of its suppliers, through the HTTP API as any client
//! would use it.

mod bucket;
pub(crate) mod client;
mod data;
mod month_end;
mod payables;
mod payroll;

use crate::deploy::Outputs;
use crate::failure::Result;
use crate::project::Project;
use crate::stack::Stack;

/// Sets up the demo company and plays the month end, the payroll and the facturas, or shows again what an earlier run made. Answers commands that
/// drop a file into the bucket, to be tried by hand.
pub(crate) async fn run(
    project: &Project,
    stack: &Stack,
    outputs: &Outputs,
) -> Result<Vec<String>> {
    let api = stack.api_by_path(outputs.get("ApiId")?);
    let ana = client::Session::log_in(&api, "ana").await?;
    let olga = client::Session::log_in(&api, "olga").await?;
    data::load(project, stack, outputs, &ana, &olga).await?;
    month_end::play(&ana).await?;
    let (book, book_key) = payroll::play(project, stack, outputs, &api).await?;
    payables::play(project, stack, outputs, &api).await?;
    let (invoice, invoice_key) = payables::EXAMPLE;
    Ok(vec![
        bucket::command(outputs, invoice, invoice_key)?,
        bucket::command(outputs, book, &book_key)?,
    ])
}
