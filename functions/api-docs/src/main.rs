//! Answers the API's document and the page that shows it. Public, and without any permission of its own.

mod page;

use std::sync::LazyLock;

use cierre_platform::http::{app, combine};
use cierre_platform::{activity, identity, telemetry};
use lambda_http::{Error, run};
use utoipa::openapi::{OpenApi, Server};

/// The document, made when it is asked for first: a start does not wait for it.
static DOCUMENT: LazyLock<Vec<u8>> =
    LazyLock::new(|| serde_json::to_vec(&document()).unwrap_or_default());

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("api-docs");
    run(app(page::router(&DOCUMENT))).await
}

/// The documents of every domain in one.
fn document() -> OpenApi {
    let parts = [
        identity::document(),
        activity::document(),
        cierre_billing::http::document(),
        cierre_payroll::api::document(),
        cierre_payables::api::document(),
        page::document(),
    ];
    let mut document = combine(parts);
    // Relative to where the document was read, so it holds behind any host and stage.
    document.servers = Some(vec![Server::new("..")]);
    let extensions = document.extensions.get_or_insert_default();
    extensions.insert("x-payroll-events".to_owned(), cierre_payroll::api::events());
    extensions.insert(
        "x-payables-events".to_owned(),
        cierre_payables::api::events(),
    );
    document
}
