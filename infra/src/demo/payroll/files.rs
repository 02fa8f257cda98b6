//! Files on their way into a closing: dropped into the bucket, or put to an address that the API gives.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Closing, Stage};
use crate::demo::bucket;
use crate::demo::client::field;
use crate::failure::{Failure, Result};

/// The kind of the payroll book.
pub(super) const BOOK: &str = "libro_remuneraciones";
/// The kind of the month's movements.
pub(super) const MOVEMENTS: &str = "movimientos_mes";

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const PATIENCE: Duration = Duration::from_secs(120);

/// Puts a file of the checkout into the bucket, where whoever has access to the bucket may put it.
pub(super) fn drop_file(
    stage: &Stage<'_>,
    closing: &Closing,
    kind: &str,
    (file, name): (&str, &str),
) -> Result<()> {
    let key = closing.key(kind, name);
    let media_type = if name.ends_with(".xlsx") {
        XLSX
    } else {
        "text/csv"
    };
    bucket::drop(
        stage.project,
        stage.stack,
        stage.outputs,
        file,
        &key,
        media_type,
    )
}

/// Announces a file and puts its bytes to the address that is answered.
pub(super) async fn upload(
    stage: &Stage<'_>,
    closing: &Closing,
    kind: &str,
    (name, content): (&str, Vec<u8>),
) -> Result<()> {
    let announced = json!({ "tipo": kind, "nombre": name, "tamano": content.len() });
    let answer = stage
        .carla
        .post(&closing.path("/archivos"), announced)
        .await?
        .expect(StatusCode::CREATED)?;
    stage.carla.upload(&answer.body["upload"], content).await
}

/// The closing's files so far.
pub(super) async fn known(stage: &Stage<'_>, closing: &Closing) -> Result<BTreeSet<String>> {
    let files = files(stage, closing).await?;
    Ok(files.iter().map(|file| field(file, "id").into()).collect())
}

/// Follows the files that were not known before, until each of these kinds has one in force.
pub(super) async fn in_force(
    stage: &Stage<'_>,
    closing: &Closing,
    kinds: &[&str],
    before: &BTreeSet<String>,
) -> Result<()> {
    let started = Instant::now();
    let mut shown: BTreeMap<String, String> = BTreeMap::new();
    loop {
        let mut ready = BTreeSet::new();
        for file in files(stage, closing).await? {
            let (id, kind, estado) = (
                field(&file, "id"),
                field(&file, "tipo"),
                field(&file, "estado"),
            );
            if before.contains(id) {
                continue;
            }
            if shown.get(id).is_none_or(|known| known != estado) {
                let rows = match estado {
                    "procesado" => format!(", {} rows", file["filas"]),
                    _ => String::new(),
                };
                println!(
                    "     {:>6} ms  {kind} {estado}{rows}",
                    started.elapsed().as_millis()
                );
                shown.insert(id.to_owned(), estado.to_owned());
            }
            match estado {
                "procesado" => {
                    ready.insert(kind.to_owned());
                }
                "con_errores" | "error" => {
                    return Err(failed(format!(
                        "The file {kind} ended in {estado}: {}",
                        file["mensaje"]
                    )));
                }
                _ => {}
            }
        }
        if kinds.iter().all(|kind| ready.contains(*kind)) {
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            return Err(failed(format!(
                "The files are not in force after {} s.",
                PATIENCE.as_secs()
            )));
        }
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}

async fn files(stage: &Stage<'_>, closing: &Closing) -> Result<Vec<Value>> {
    let answer = stage
        .carla
        .get(&closing.path("/archivos?limit=100"))
        .await?
        .expect(StatusCode::OK)?;
    Ok(answer.list("/items")?.to_vec())
}

fn failed(what: String) -> Failure {
    Failure::new(
        what,
        "look into the worker's log: cargo local logs receive-payroll-files",
    )
}
