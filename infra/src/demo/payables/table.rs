//! All facturas in a table, and the proof that the table is right.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::json;

use super::{Stage, unexpected};
use crate::demo::client::field;
use crate::failure::{Failure, Result};

const PATIENCE: Duration = Duration::from_secs(120);

/// Shows responsable, estado and `accion_por` of every factura, newest first.
pub(super) async fn show(stage: &Stage<'_>) -> Result<()> {
    println!(
        "     {:<14} {:<12} {:<13} accion_por",
        "numero", "responsable", "estado"
    );
    let answer = stage.pedro.get("/facturas?limit=100").await?;
    for factura in answer.expect(StatusCode::OK)?.list("/items")? {
        println!(
            "     {:<14} {:<12} {:<13} {}",
            field(factura, "numero"),
            field(factura, "responsable"),
            field(factura, "estado"),
            field(factura, "accion_por"),
        );
    }
    Ok(())
}

/// Has the consistency run compare every factura with its round, and recomputes the chain of one.
pub(super) async fn verify(stage: &Stage<'_>) -> Result<()> {
    let accepted = stage.ana.post("/facturas/consistencia", json!({})).await?;
    let accepted = accepted.expect(StatusCode::ACCEPTED)?;
    let job = format!("/facturas/trabajos/{}", accepted.text("/id")?);
    let started = Instant::now();
    loop {
        let answer = stage.ana.get(&job).await?.expect(StatusCode::OK)?;
        match answer.text("/estado")? {
            "COMPLETADO" => break,
            "ERROR" => {
                let why = format!("The comparison ended in ERROR: {}", answer.body["error"]);
                return Err(failed(why));
            }
            _ if started.elapsed() > PATIENCE => {
                let seconds = PATIENCE.as_secs();
                return Err(failed(format!(
                    "The comparison is not done after {seconds} s."
                )));
            }
            _ => tokio::time::sleep(Duration::from_millis(150)).await,
        }
    }
    let report = stage.ana.get("/facturas/consistencia").await?;
    let report = report.expect(StatusCode::OK)?.body;
    println!(
        "     {} facturas, {} divergent",
        report["revisadas"], report["total_divergentes"]
    );
    if report["total_divergentes"] != 0 {
        return Err(unexpected("No factura should differ from its round."));
    }
    let newest = stage.ana.get("/facturas?limit=1").await?;
    let newest = newest.expect(StatusCode::OK)?;
    let id = newest.text("/items/0/id")?;
    let path = format!("/activity/verify?resource_type=factura&resource_id={id}");
    let verified = stage.ana.get(&path).await?.expect(StatusCode::OK)?;
    println!(
        "     {}  valid {}, {} events",
        newest.text("/items/0/numero")?,
        verified.body["valid"],
        verified.body["events"]
    );
    Ok(())
}

fn failed(what: String) -> Failure {
    Failure::new(
        what,
        "look into the worker's log: cargo local logs run-payables-job",
    )
}
