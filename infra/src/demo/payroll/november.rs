//! November in three steps: it is measured by October's seal, what changed is explained and approved, and the month is sealed.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::files::{BOOK, MOVEMENTS, in_force, known, upload};
use super::results::{finalise, generate, in_state, show_incidence};
use super::{Closing, Stage, books, unexpected};
use crate::demo::client::field;
use crate::failure::Result;

/// The movements of November; nobody comes or leaves.
const MOVEMENTS_FILE: &[u8] = include_bytes!("files/movimientos-2025-11.xlsx");

/// How each change is explained: its kind and the words.
const EXPLANATIONS: [(&str, &str); 2] = [
    ("variacion_concepto", "Ascenso desde noviembre, anexo 14"),
    ("empleado_ausente", "Finiquito del 15 de octubre, ya pagado"),
];

/// Plays November.
pub(super) async fn play(stage: &Stage<'_>, closing: &Closing) -> Result<()> {
    println!(
        "9. The closing of 2025-11: the sueldo (2101) of {} is 30 % higher, and {} is no longer in the book:",
        books::CHANGED,
        books::GONE
    );
    println!("     {} is {}", closing.id, closing.estado);
    let before = known(stage, closing).await?;
    let book = ("libro.csv", books::november().into_bytes());
    upload(stage, closing, BOOK, book).await?;
    let movements = ("movimientos.xlsx", MOVEMENTS_FILE.to_vec());
    upload(stage, closing, MOVEMENTS, movements).await?;
    in_force(stage, closing, &[BOOK, MOVEMENTS], &before).await?;
    let found = generate(stage, closing, "discrepancias").await?;
    println!(
        "     discrepancies: {} open",
        in_state(&found, "abierta").len()
    );
    let found = generate(stage, closing, "incidencias").await?;
    println!(
        "10. Against the sealed October there are {} incidences:",
        found.len()
    );
    found.iter().for_each(show_incidence);
    if found.len() != EXPLANATIONS.len() {
        return Err(unexpected("Two incidences should have come out."));
    }
    refuse(stage, closing).await?;
    println!("11. carla explains both, diego approves, and the month is sealed:");
    for one in &found {
        explain(stage, closing, one).await?;
    }
    finalise(stage, closing).await
}

/// Shows that a critical incidence stands in the way of the end; after a run that broke off there may be none left.
async fn refuse(stage: &Stage<'_>, closing: &Closing) -> Result<()> {
    let answer = stage
        .carla
        .get(&closing.path(""))
        .await?
        .expect(StatusCode::OK)?;
    if answer.body["counts"]["incidencias_criticas"].as_u64() == Some(0) {
        return Ok(());
    }
    let refused = stage
        .carla
        .post(&closing.path("/finalizar"), json!({}))
        .await?
        .expect(StatusCode::CONFLICT)?;
    for reason in refused.list("/errors")? {
        println!(
            "     The month cannot be sealed yet: {} {}, {}: {}",
            refused.status.as_u16(),
            refused.text("/code")?,
            field(reason, "code"),
            field(reason, "detail")
        );
    }
    Ok(())
}

/// Has an incidence explained and approved, as far as that was not done before.
async fn explain(stage: &Stage<'_>, closing: &Closing, one: &Value) -> Result<()> {
    let words = EXPLANATIONS
        .iter()
        .find(|(kind, _)| *kind == field(one, "tipo"))
        .map_or("Revisado con el cliente", |(_, words)| words);
    let path = closing.path(&format!("/incidencias/{}", field(one, "id")));
    let mut estado = field(one, "estado").to_owned();
    if matches!(estado.as_str(), "pendiente" | "rechazada_supervisor") {
        let explained = json!({ "resolucion": "correcta", "justificacion": words });
        let answer = stage
            .carla
            .post(&format!("{path}/resolver"), explained)
            .await?
            .expect(StatusCode::OK)?;
        answer.text("/estado")?.clone_into(&mut estado);
    }
    if estado == "resuelta_analista" {
        stage
            .diego
            .post(&format!("{path}/aprobar"), json!({}))
            .await?
            .expect(StatusCode::OK)?;
    }
    let now = stage.carla.get(&path).await?.expect(StatusCode::OK)?;
    println!(
        "     {}  {} “{}”, {} by {}",
        field(one, "rut"),
        now.text("/resolucion")?,
        now.text("/justificacion")?,
        now.text("/estado")?,
        now.text("/supervisor")?
    );
    Ok(())
}
