//! The demo data: two companies' settings, five customers, sixteen services. Loading twice is loading once.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::client::Session;
use crate::build;
use crate::deploy::Outputs;
use crate::failure::Result;
use crate::process::output_of;
use crate::progress::Step;
use crate::project::Project;
use crate::stack::Stack;

/// Number, name, CUIT and condition of each customer.
const CUSTOMERS: [(u32, &str, &str, &str); 5] = [
    (
        1,
        "Cliente Uno S.A.",
        "30-00000001-5",
        "RESPONSABLE_INSCRIPTO",
    ),
    (
        2,
        "Cliente Dos S.A.",
        "30-00000002-3",
        "RESPONSABLE_INSCRIPTO",
    ),
    (
        3,
        "Cliente Tres S.A.",
        "30-00000003-1",
        "RESPONSABLE_INSCRIPTO",
    ),
    (4, "Cliente Cuatro", "27-22222223-6", "MONOTRIBUTO"),
    (5, "Cliente Cinco S.A.", "30-00000005-8", "EXENTO"),
];

/// Loads all that is missing.
pub(super) async fn load(
    project: &Project,
    stack: &Stack,
    outputs: &Outputs,
    ana: &Session,
    olga: &Session,
) -> Result<()> {
    let mut step = Step::begin("Loading the demo data");
    let loaded = load_parts(project, stack, outputs, ana, olga, &mut step).await;
    match loaded {
        Ok(()) => step.done(),
        Err(_) => step.failed(),
    }
    loaded
}

async fn load_parts(
    project: &Project,
    stack: &Stack,
    outputs: &Outputs,
    ana: &Session,
    olga: &Session,
    step: &mut Step,
) -> Result<()> {
    step.say("settings");
    put_if_absent(
        ana,
        "/company/settings",
        company("Logística Demo S.A.", "30-00000000-7"),
    )
    .await?;
    put_if_absent(
        ana,
        "/company/settings/billing",
        billing("Av. del Puerto 100, Rosario"),
    )
    .await?;
    put_if_absent(
        olga,
        "/company/settings",
        company("Otra Logística S.A.", "33-69345023-9"),
    )
    .await?;
    put_if_absent(
        olga,
        "/company/settings/billing",
        billing("Ruta 9 km 300, Córdoba"),
    )
    .await?;
    step.say("customers");
    for (id, name, tax_id, condition) in CUSTOMERS {
        let customer = json!({ "customerId": id, "name": name, "taxId": tax_id, "ivaCondition": condition, "email": null });
        let answer = ana.post("/customers", customer).await?;
        if answer.status != StatusCode::CONFLICT {
            answer.expect(StatusCode::CREATED)?;
        }
    }
    step.say("services");
    let mut loader = build::aws_program(project);
    loader.args(["services", "demo"]).envs(stack.environment());
    for (variable, output) in [
        ("COMPANY_TABLE", "CompanyTable"),
        ("BILLING_TABLE", "BillingTable"),
        ("ACTIVITY_TABLE", "ActivityTable"),
        ("IDEMPOTENCY_TABLE", "IdempotencyTable"),
    ] {
        loader.env(variable, outputs.get(output)?);
    }
    output_of(
        "Loading the demo services",
        &mut loader,
        "`cargo local reset` and `cargo local up` start from nothing",
    )?;
    Ok(())
}

async fn put_if_absent(session: &Session, path: &str, document: Value) -> Result<()> {
    if session.get(path).await?.status == StatusCode::NOT_FOUND {
        session.put(path, document).await?.expect(StatusCode::OK)?;
    }
    Ok(())
}

fn company(name: &str, tax_id: &str) -> Value {
    json!({
        "name": name,
        "tax_id": tax_id,
        "currency": "ARS",
        "locale": "es-AR",
        "time_zone": "America/Argentina/Buenos_Aires",
        "holidays": [],
        "trusted_cidrs": [],
    })
}

fn billing(address: &str) -> Value {
    json!({
        "ivaCondition": "RESPONSABLE_INSCRIPTO",
        "address": address,
        "consumerIdThreshold": "10000000.00",
        "erp": { "connector": "simulated" },
        "simulation": { "erpSuccessRate": 90, "caeLostAnswerRate": 0 },
    })
}
