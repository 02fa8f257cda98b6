//! What comes of a closing's files: discrepancies, incidences, the book for the authority, the seal.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Closing, Stage};
use crate::demo::client::field;
use crate::failure::{Failure, Result};

const PATIENCE: Duration = Duration::from_secs(120);

/// Has a worker generate `discrepancias` or `incidencias`, waits for it, and answers all of them.
pub(super) async fn generate(
    stage: &Stage<'_>,
    closing: &Closing,
    what: &str,
) -> Result<Vec<Value>> {
    let path = closing.path(&format!("/{what}"));
    let accepted = stage
        .carla
        .post(&path, json!({}))
        .await?
        .expect(StatusCode::ACCEPTED)?;
    let job = format!("/api/nomina/trabajos/{}", accepted.text("/trabajo_id")?);
    let started = Instant::now();
    loop {
        let answer = stage.carla.get(&job).await?.expect(StatusCode::OK)?;
        match answer.text("/estado")? {
            "completado" => break,
            "error" => {
                return Err(failed(format!(
                    "Generating {what} ended in error: {}",
                    answer.body["mensaje"]
                )));
            }
            _ if started.elapsed() > PATIENCE => {
                return Err(failed(format!(
                    "{what} are not generated after {} s.",
                    PATIENCE.as_secs()
                )));
            }
            _ => tokio::time::sleep(Duration::from_millis(150)).await,
        }
    }
    let answer = stage
        .carla
        .get(&format!("{path}?limit=100"))
        .await?
        .expect(StatusCode::OK)?;
    Ok(answer.list("/items")?.to_vec())
}

/// Of these, those in this state.
pub(super) fn in_state<'a>(all: &'a [Value], estado: &str) -> Vec<&'a Value> {
    all.iter()
        .filter(|one| field(one, "estado") == estado)
        .collect()
}

/// Shows a discrepancy with its place.
pub(super) fn show_discrepancy(one: &Value) {
    let place = &one["ubicaciones"][0];
    println!(
        "     {}  {} {}  {}  row {}, column {}: {} instead of {}  ({})",
        field(one, "severidad"),
        field(one, "tipo"),
        field(one, "regla"),
        field(one, "rut"),
        place["fila"],
        field(place, "columna"),
        field(one, "encontrado"),
        field(one, "esperado"),
        field(one, "estado"),
    );
}

/// Shows an incidence.
pub(super) fn show_incidence(one: &Value) {
    let change = match (one["anterior"].as_str(), one["actual"].as_str()) {
        (Some(before), Some(now)) => {
            format!("{before} → {now}, {} %", field(one, "variacion"))
        }
        _ => format!("difference {}", field(one, "diferencia")),
    };
    println!(
        "     {:<8} {:<18}  {}  {:>4}  {change}",
        field(one, "prioridad"),
        field(one, "tipo"),
        field(one, "rut"),
        field(one, "codigo"),
    );
}

/// Downloads the book as the authority takes it and shows its name, length and digest.
pub(super) async fn export(stage: &Stage<'_>, closing: &Closing) -> Result<String> {
    let answer = stage
        .carla
        .get(&closing.path("/libro?formato=csv"))
        .await?
        .expect(StatusCode::OK)?;
    let book = stage.carla.download(answer.text("/descarga/url")?).await?;
    let sha256 = format!("{:x}", Sha256::digest(&book));
    let told = answer.text("/descarga/sha256")?;
    if told != sha256 {
        return Err(failed(format!(
            "The book that was downloaded has the SHA-256 {sha256}, and {told} was told."
        )));
    }
    println!(
        "     {}  {} bytes  SHA-256 {sha256}",
        answer.text("/descarga/nombre")?,
        book.len()
    );
    Ok(sha256)
}

/// Finalises the closing and shows its seal.
pub(super) async fn finalise(stage: &Stage<'_>, closing: &Closing) -> Result<()> {
    let sealed = stage
        .carla
        .post(&closing.path("/finalizar"), json!({}))
        .await?
        .expect(StatusCode::OK)?;
    show_seal(&sealed.body);
    Ok(())
}

/// Shows the seals of a closing that has some.
pub(super) async fn show_seals(stage: &Stage<'_>, closing: &Closing) -> Result<()> {
    println!(
        "This stack has the closing of {} already: {} is {}",
        closing.periodo, closing.id, closing.estado
    );
    let answer = stage
        .carla
        .get(&closing.path("/sellos?limit=100"))
        .await?
        .expect(StatusCode::OK)?;
    answer.list("/items")?.iter().for_each(show_seal);
    Ok(())
}

fn show_seal(seal: &Value) {
    let totals = &seal["manifiesto"]["totales"];
    println!(
        "     seal {}  {}  of {} employees, {} paid out, by {}",
        seal["numero"],
        field(seal, "sello"),
        totals["empleados"],
        field(totals, "5501"),
        field(seal, "creado_por"),
    );
}

fn failed(what: String) -> Failure {
    Failure::new(
        what,
        "look into the worker's log: cargo local logs run-payroll-job",
    )
}
