//! The payables story: who answers for a factura, where it stands, and who acted on it last, in the ways in which a factura is decided.
//!
//! Facturas, the policy, assignments and the delegation are entered if they are not there, and decided if they are not decided. So a story that
//! broke off goes on where it stopped, and one that was told is shown again.

mod drops;
mod facturas;
mod table;

use reqwest::StatusCode;
use serde_json::json;

use super::client::{Session, field};
use crate::deploy::Outputs;
use crate::failure::{Failure, Result};
use crate::progress::heading;
use crate::project::Project;
use crate::stack::Stack;

use facturas::{Nueva, decide, is_over, read, register, show};

pub(super) use drops::EXAMPLE;

/// The supplier that cleans, and the one that delivers electricity, with what their facturas say.
const ASEO: &str = "900373923-8";
const LUZ: &str = "890321567-0";
/// Who receives the facturas: XML that is addressed to somebody else is refused.
const COMPANY_NIT: &str = "900123456-8";

/// What the story is told with.
struct Stage<'a> {
    project: &'a Project,
    stack: &'a Stack,
    outputs: &'a Outputs,
    /// Sets the policy.
    ana: Session,
    /// Registers facturas, and decides on none.
    pedro: Session,
    /// Juan Perez, who answers for the facturas. He has no role.
    juan: Session,
    /// Maria Garcia, who stands in for Juan. She has no role either.
    maria: Session,
    /// Luis Rey, a supervisor.
    luis: Session,
}

/// Tells the story; on a stack that has seen it, shows what it made.
pub(super) async fn play(
    project: &Project,
    stack: &Stack,
    outputs: &Outputs,
    api: &str,
) -> Result<()> {
    heading("Facturas of suppliers, as pedro, jperez, maria and luis see them");
    let stage = Stage {
        project,
        stack,
        outputs,
        ana: Session::log_in(api, "ana").await?,
        pedro: Session::log_in(api, "pedro").await?,
        juan: Session::log_in(api, "jperez").await?,
        maria: Session::log_in(api, "maria").await?,
        luis: Session::log_in(api, "luis").await?,
    };
    prepare(&stage).await?;
    decided_by_people(&stage).await?;
    decided_by_rule(&stage).await?;
    decided_by_two(&stage).await?;
    drops::play(&stage).await?;
    println!("8. Who answers, where it stands, and who acted last:");
    table::show(&stage).await?;
    println!("9. Every factura compared with its round, and one chain of events recomputed:");
    table::verify(&stage).await
}

/// Step 1: the policy, who answers for which supplier, and who stands in.
async fn prepare(stage: &Stage<'_>) -> Result<()> {
    println!("1. ana sets the policy, pedro says who answers, and Juan Perez names his stand-in:");
    let path = "/facturas/politica";
    let policy = stage.ana.get(path).await?.expect(StatusCode::OK)?;
    if policy.body["version"] == 0 {
        let policy = json!({
            "bandas": { "COP": [
                { "hasta": "5000000.00", "aprobaciones": 1 },
                { "hasta": null, "aprobaciones": 2 },
            ] },
            "automatica": {
                "activa": true, "tolerancia_pct": "5", "historial_minimo": 1,
                "total_maximo": { "COP": "3000000.00" }, "dias_minimos": 20, "origenes": ["xml", "json"],
            },
            "permitir_autoaprobacion": false,
            "nit_empresa": COMPANY_NIT,
            "recordatorio": { "dias_habiles": 3, "escalar_dias_habiles": 5 },
            "festivos_extra": [],
        });
        stage.ana.put(path, policy).await?.expect(StatusCode::OK)?;
    }
    println!(
        "     over COP 5,000,000 two people approve; one within 5 % of what people approved before is approved by rule"
    );
    for (nit, name) in [
        (ASEO, "Aseo Total SAS"),
        (LUZ, "Luz y Fuerza del Valle SA ESP"),
    ] {
        let path = format!("/asignaciones/{nit}");
        if stage.pedro.get(&path).await?.status == StatusCode::NOT_FOUND {
            let assignment = json!({ "responsable": "jperez", "nombre_proveedor": name });
            let answer = stage.pedro.put(&path, assignment).await?;
            answer.expect(StatusCode::CREATED)?;
        }
        println!("     Juan Perez answers for {nit}  {name}");
    }
    let (desde, hasta) = around(&today(stage).await?)?;
    let delegation =
        json!({ "a": "maria", "desde": desde, "hasta": hasta, "motivo": "Vacaciones" });
    let answer = stage.juan.post("/delegaciones", delegation).await?;
    // Then there is one of an earlier run.
    if answer.status != StatusCode::CONFLICT {
        answer.expect(StatusCode::CREATED)?;
    }
    println!("     Maria Garcia stands in for Juan Perez");
    Ok(())
}

/// The day on which the API answers, in UTC.
async fn today(stage: &Stage<'_>) -> Result<String> {
    let path = "/facturas/dashboard";
    let answer = stage.pedro.get(path).await?.expect(StatusCode::OK)?;
    let at = answer.text("/al")?;
    Ok(at.split('T').next().unwrap_or(at).to_owned())
}

/// From the first day of the month before to the 28th of the month after: it holds today in whatever time zone.
fn around(day: &str) -> Result<(String, String)> {
    let number = |part: Option<&str>| part.and_then(|part| part.parse::<u32>().ok());
    let mut parts = day.split('-');
    let (Some(year), Some(month)) = (number(parts.next()), number(parts.next())) else {
        return Err(unexpected(format!("{day} is no day.")));
    };
    let months = year * 12 + month - 1;
    let date =
        |months: u32, day: u32| format!("{:04}-{:02}-{day:02}", months / 12, months % 12 + 1);
    Ok((date(months - 1, 1), date(months + 1, 28)))
}

/// Steps 2 to 4: the responsable approves, somebody else approves, somebody rejects.
async fn decided_by_people(stage: &Stage<'_>) -> Result<()> {
    println!(
        "2. pedro registers the cleaning of October, and Juan Perez, who answers for it, approves:"
    );
    let cleaning = Nueva {
        numero: "FE-1001",
        fecha: "2025-10-05",
        concepto: "Aseo octubre 2025",
        total: "1000000.00",
    };
    facturas::name_the_actor(stage, &cleaning).await?;
    let id = register(stage, &cleaning).await?;
    decide(&stage.juan, &id, "aprobar", json!({})).await?;
    show(stage, &id).await?;

    println!(
        "3. Another one, approved by Maria Garcia in his place. The responsable stays, accion_por is she:"
    );
    let lift = Nueva {
        numero: "FE-1002",
        fecha: "2025-10-12",
        concepto: "Mantenimiento de ascensores",
        total: "2400000.00",
    };
    let id = register(stage, &lift).await?;
    decide(&stage.maria, &id, "aprobar", json!({})).await?;
    show(stage, &id).await?;

    println!("4. One that nobody ordered is rejected, which asks for a reason:");
    let supplies = Nueva {
        numero: "FE-1033",
        fecha: "2025-11-08",
        concepto: "Insumos de cafetería",
        total: "480000.00",
    };
    let id = register(stage, &supplies).await?;
    let reason = json!({ "motivo": "No fueron pedidos" });
    decide(&stage.maria, &id, "rechazar", reason).await?;
    show(stage, &id).await?;
    Ok(())
}

/// Step 5: what is like an approved one is approved when it is registered, and says what it was compared with.
async fn decided_by_rule(stage: &Stage<'_>) -> Result<()> {
    println!(
        "5. The cleaning of November is approved as it comes in, because it is like October's:"
    );
    let cleaning = Nueva {
        numero: "FE-1031",
        fecha: "2025-11-05",
        concepto: "Aseo noviembre 2025",
        total: "1030000.00",
    };
    let id = register(stage, &cleaning).await?;
    let answer = show(stage, &id).await?;
    let compared = &answer["workflow"]["comparacion"];
    println!(
        "     {} against {}: {} or {} % more, of {} % allowed",
        field(&answer, "total"),
        field(compared, "total_anterior"),
        field(compared, "diferencia"),
        field(compared, "diferencia_pct"),
        field(compared, "tolerancia_pct"),
    );
    if field(&answer, "estado") != "aprobada_auto" {
        return Err(unexpected("It should have been approved by itself."));
    }
    Ok(())
}

/// Step 6: above its band a factura needs two people.
async fn decided_by_two(stage: &Stage<'_>) -> Result<()> {
    println!("6. A large one needs two. Luis Rey is the first, and cannot be the second as well:");
    let works = Nueva {
        numero: "FE-1040",
        fecha: "2025-11-12",
        concepto: "Remodelación de baños",
        total: "8500000.00",
    };
    let id = register(stage, &works).await?;
    if field(&read(stage, &id).await?, "estado") == "pendiente" {
        decide(&stage.luis, &id, "aprobar", json!({})).await?;
    }
    let halfway = show(stage, &id).await?;
    if !is_over(&halfway) {
        let path = format!("/facturas/{id}/aprobar");
        let again = stage.luis.post(&path, json!({})).await?;
        println!(
            "     Luis Rey once more: {} {}",
            again.status.as_u16(),
            field(&again.body, "code")
        );
        decide(&stage.maria, &id, "aprobar", json!({})).await?;
        println!("   Maria Garcia, in the name of Juan Perez, is the second:");
        show(stage, &id).await?;
    }
    Ok(())
}

/// What came out is not what the story promises.
fn unexpected(what: impl Into<String>) -> Failure {
    Failure::new(
        what,
        "if these facturas were changed by hand on this stack, start from nothing: cargo local reset, cargo local up",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_holds_on_every_day_of_the_month_and_on_the_days_around_it() {
        let around = |day| around(day).unwrap();
        let dates = |desde: &str, hasta: &str| (desde.to_owned(), hasta.to_owned());
        assert_eq!(around("2025-12-31"), dates("2025-11-01", "2026-01-28"));
        assert_eq!(around("2026-01-01"), dates("2025-12-01", "2026-02-28"));
        assert_eq!(around("2026-06-15"), dates("2026-05-01", "2026-07-28"));
    }
}
