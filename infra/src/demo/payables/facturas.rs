//! Facturas through the API: registered, decided, shown.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{ASEO, Stage, unexpected};
use crate::demo::client::{Session, field};
use crate::failure::Result;

/// A factura of the supplier that cleans.
pub(super) struct Nueva {
    /// Its number, which no other one of the supplier has.
    pub(super) numero: &'static str,
    /// When it was issued.
    pub(super) fecha: &'static str,
    /// What for.
    pub(super) concepto: &'static str,
    /// How much, in COP.
    pub(super) total: &'static str,
}

impl Nueva {
    fn body(&self) -> Value {
        json!({
            "numero": self.numero, "nit": ASEO, "fecha_emision": self.fecha, "concepto": self.concepto, "total": self.total,
        })
    }
}

/// Registers it as pedro; answers its id, also when it is there.
pub(super) async fn register(stage: &Stage<'_>, factura: &Nueva) -> Result<String> {
    let answer = stage.pedro.post("/facturas", factura.body()).await?;
    if answer.status == StatusCode::CONFLICT {
        return Ok(answer.text("/factura_id")?.to_owned());
    }
    Ok(answer.expect(StatusCode::CREATED)?.text("/id")?.to_owned())
}

/// Shows that nobody can say who acted.
pub(super) async fn name_the_actor(stage: &Stage<'_>, factura: &Nueva) -> Result<()> {
    let mut body = factura.body();
    body["accion_por"] = json!("Pedro Gil");
    let refused = stage.pedro.post("/facturas", body).await?;
    let refused = refused.expect(StatusCode::UNPROCESSABLE_ENTITY)?;
    println!(
        "     with accion_por in the body: 422, {} {}",
        refused.text("/errors/0/pointer")?,
        refused.text("/errors/0/code")?
    );
    Ok(())
}

/// Takes a decision, unless the factura is decided.
pub(super) async fn decide(who: &Session, id: &str, how: &str, body: Value) -> Result<()> {
    let path = format!("/facturas/{id}");
    let answer = who.get(&path).await?.expect(StatusCode::OK)?;
    if !is_over(&answer.body) {
        let answer = who.post(&format!("{path}/{how}"), body).await?;
        answer.expect(StatusCode::OK)?;
    }
    Ok(())
}

/// Whether the factura is approved or rejected.
pub(super) fn is_over(factura: &Value) -> bool {
    !matches!(field(factura, "estado"), "pendiente" | "en_revision")
}

/// Reads a factura as pedro.
pub(super) async fn read(stage: &Stage<'_>, id: &str) -> Result<Value> {
    let answer = stage.pedro.get(&format!("/facturas/{id}")).await?;
    Ok(answer.expect(StatusCode::OK)?.body)
}

/// Shows a factura in a line, with its approvals; answers it. A decided one without `accion_por` ends the story.
pub(super) async fn show(stage: &Stage<'_>, id: &str) -> Result<Value> {
    let factura = read(stage, id).await?;
    let approvals = factura["workflow"]["decisiones"].as_array();
    let approvals = approvals.into_iter().flatten();
    let given = approvals
        .filter(|one| field(one, "accion") != "rechazar")
        .count();
    println!(
        "     {:<8} {:>11}  {:<13} {given} of {} approvals  responsable {}  accion_por {}{}",
        field(&factura, "numero"),
        field(&factura, "total"),
        field(&factura, "estado"),
        factura["workflow"]["aprobaciones_requeridas"],
        field(&factura, "responsable"),
        field(&factura, "accion_por"),
        reason(&factura),
    );
    if is_over(&factura) && factura["accion_por"].is_null() {
        return Err(unexpected("A decided factura should name who acted."));
    }
    Ok(factura)
}

/// In whose name it was done, or why.
fn reason(factura: &Value) -> String {
    let in_name = factura["a_nombre_de"].as_str();
    let in_name = in_name.map(|name| format!(", in the name of {name}"));
    let why = factura["motivo_rechazo"].as_str();
    let why = why.map(|why| format!(": {why}"));
    in_name.unwrap_or_default() + &why.unwrap_or_default()
}
