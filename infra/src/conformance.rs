//! The running API against its own document. Schemathesis makes requests out of the document, sound ones and broken ones, and looks whether every
//! answer is one that the document names: status, content type, headers, body. A 5xx is a failure whatever the document says.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use reqwest::StatusCode;
use serde_json::json;

use crate::demo;
use crate::demo::client::Session;
use crate::deploy::Outputs;
use crate::failure::{OrFail, Result};
use crate::process::run_openly;
use crate::project::Project;
use crate::stack::Stack;
use crate::tools;
use crate::users::DEMO_USERS;

/// How much is tried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Depth {
    /// What schemathesis calls phases.
    phases: &'static str,
    /// Random requests per route and user.
    examples: u32,
}

impl Depth {
    /// A sample for every run of the checks, of about a minute: the examples of the document, and a request by chance per route and user.
    pub(crate) const SAMPLE: Self = Self {
        phases: "examples,fuzzing",
        examples: 1,
    };

    /// Also every bound of every parameter, which is over a thousand requests per user.
    pub(crate) const fn thorough(examples: u32) -> Self {
        Self {
            phases: "examples,coverage,fuzzing",
            examples,
        }
    }
}

/// Tries every route with every role, on a stack that runs.
pub(crate) async fn check(
    project: &Project,
    stack: &Stack,
    outputs: &Outputs,
    depth: Depth,
) -> Result<()> {
    let program = tools::schemathesis(project)?;
    let api = stack.api_by_path(outputs.get("ApiId")?);
    // Ids made by chance name nothing, and nobody would see what a route answers when it finds something.
    demo::run(project, stack, outputs).await?;
    let configuration = configuration(project, stack, &api).await?;
    // The known ids are those of company demo, which has a user of every role.
    for user in DEMO_USERS.iter().filter(|user| user.company == "demo") {
        let session = Session::log_in(&api, user.username).await?;
        run_openly(
            &format!(
                "The API against its document, as {} ({})",
                user.username,
                user.role.unwrap_or("no role")
            ),
            Command::new(&program)
                .current_dir(stack.folder())
                .arg("--config-file")
                .arg(&configuration)
                .args(["run", "--warnings", "off", "--url", &api])
                .args(["--phases", depth.phases])
                .args(["--max-examples", &depth.examples.to_string()])
                .args([
                    "--header",
                    &format!("Authorization: Bearer {}", session.token()),
                ])
                .arg(format!("{api}/api/openapi.json")),
            "mend the answer or the document, whichever is wrong: the output above has each request as a curl command",
        )?;
    }
    Ok(())
}

/// What is always so, and the ids that the demonstration made.
async fn configuration(project: &Project, stack: &Stack, api: &str) -> Result<PathBuf> {
    let ana = Session::log_in(api, "ana").await?;
    let batches = ana.get("/billing-batches").await?.expect(StatusCode::OK)?;
    let batch = batches.text("/items/0/id")?;
    let sync = ana
        .post("/erp-sync/batch", json!({ "batchId": batch }))
        .await?
        .expect(StatusCode::ACCEPTED)?;
    let closings = ana
        .get("/api/nomina/cierres")
        .await?
        .expect(StatusCode::OK)?;
    // The latest one is open and has no files yet.
    let closing = Closing {
        client: closings.text("/items/1/cliente_id")?,
        id: closings.text("/items/1/id")?,
        file: closings.text("/items/1/archivos/libro_remuneraciones")?,
    };
    let facturas = ana.get("/facturas").await?.expect(StatusCode::OK)?;
    let factura = facturas.text("/items/0/id")?;
    let known = known(batch, sync.text("/id")?, &closing, factura);
    let file = project.root().join("infra/schemathesis.toml");
    let always = fs::read_to_string(&file).or_fail(
        format!("Cannot read {}", file.display()),
        "check that the checkout is complete: git status",
    )?;
    let file = stack.folder().join("schemathesis.toml");
    fs::write(&file, format!("{always}{known}")).or_fail(
        format!("Cannot write {}", file.display()),
        "check the space on the disk",
    )?;
    Ok(file)
}

/// A closing of the demonstration, sealed.
struct Closing<'a> {
    client: &'a str,
    id: &'a str,
    file: &'a str,
}

/// Service 1 of the demonstration is invoiced, service 7 is not sent yet.
fn known(batch: &str, sync: &str, closing: &Closing<'_>, factura: &str) -> String {
    let operations = [
        ("/facturas/[{]id[}]", factura),
        ("/invoices/[{]id[}]", "inv_00000000000000000000000001"),
        ("/invoices/by-batch/", batch),
        ("/billing-batches/[{]id[}]", batch),
        ("/billing-pendings/", "pen_00000000000000000000000001"),
        ("/services/", "svc_00000000000000000000000007"),
        ("/api/nomina/clientes/", closing.client),
        ("/api/nomina/cierres/", closing.id),
    ];
    let operations = operations.map(|(path, id)| {
        format!("\n[[operations]]\ninclude-path-regex = '^{path}'\nparameters = {{ \"path.id\" = \"{id}\" }}\n")
    });
    format!(
        "\n[parameters]\n\"path.customerId\" = 1\n\"path.nit\" = \"900373923-8\"\n\"path.book\" = \"A-0001\"\n\"path.number\" = \"A-0001-00000001\"\n\"path.syncId\" = \"{sync}\"\n\"path.aid\" = \"{}\"\n\"path.n\" = 1\n{}",
        closing.file,
        operations.concat()
    )
}
