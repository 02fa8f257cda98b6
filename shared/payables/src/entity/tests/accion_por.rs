//! The seven tests of the promise that `accion_por` keeps, under the names that it gives them.

use serde_json::{Value, json};

use super::super::factura::*;
use super::super::fixtures::*;
use super::super::workflow::{EstadoWorkflow, Workflow};
use crate::persona::AUTOMATIZACION;
use crate::rules::consistencia::{divergencias, reparar};
use crate::rules::sincronizacion::{Estado, Sincronizado};
use crate::rules::tablero::{Casilla, Tablero};

fn answer(expediente: &Expediente) -> Value {
    json!(FacturaAnswer::from(expediente))
}

fn in_sync(expediente: &Expediente) {
    assert_eq!(
        *expediente.factura.sincronizado(),
        Sincronizado::of(&expediente.workflow)
    );
    assert_eq!(
        divergencias(&expediente.factura, Some(&expediente.workflow)),
        []
    );
}

/// An imported automatic approval of which nobody knows the author.
fn imported_auto() -> Expediente {
    let contexto = Contexto {
        asignacion: Some(&asignacion(JUAN)),
        politica: &politica(),
        grupo: &[],
    };
    let datos = nueva().judge(contexto.asignacion, hoy()).unwrap();
    let historico = WorkflowHistorico {
        estado: "aprobada_auto".into(),
        fecha_aprobacion: Some(at(-9)),
        ..WorkflowHistorico::default()
    };
    Expediente::importar(
        factura_id(1),
        datos,
        &historico,
        &contexto,
        &stamp(ADMIN, 0),
    )
    .unwrap()
    .state
}

#[test]
fn test_accion_por_sincroniza_en_aprobacion_manual() {
    let approved = small()
        .decidir(&approve(), &caller(JUAN, 60))
        .unwrap()
        .state;
    in_sync(&approved);
    let shown = answer(&approved);
    assert_eq!(shown["estado"], "aprobada");
    for field in ["accion_por", "aprobado_por"] {
        assert_eq!(shown[field], "Juan Perez");
        assert_eq!(shown[format!("{field}_id")], "sub-jperez");
    }
    assert_eq!(shown["workflow"]["aprobada_por"], "Juan Perez");
    for field in ["fecha_accion", "fecha_aprobacion"] {
        assert_eq!(shown[field], json!(at(60)));
    }
    assert_eq!(shown["rechazado_por"], Value::Null);
}

#[test]
fn test_accion_por_sincroniza_en_rechazo() {
    let rejected = large().decidir(&reject(), &caller(LUIS, 60)).unwrap().state;
    in_sync(&rejected);
    let shown = answer(&rejected);
    assert_eq!(shown["estado"], "rechazada");
    for field in ["accion_por", "rechazado_por"] {
        assert_eq!(shown[field], "Luis Rey");
    }
    assert_eq!(
        (
            &shown["motivo_rechazo"],
            &shown["workflow"]["detalle_rechazo"]
        ),
        (&json!(WHY), &json!(WHY))
    );
    assert_eq!(shown["fecha_rechazo"], json!(at(60)));
    assert_eq!(shown["aprobado_por"], Value::Null);
}

#[test]
fn test_accion_por_se_sincroniza_automaticamente_no_manual() {
    let fields = answer(&small());
    let body = json!(nueva());
    for (field, _) in small()
        .factura
        .sincronizado()
        .fields()
        .iter()
        .map(|(name, value)| (*name, value))
        .chain([("responsable", &fields["responsable"])])
    {
        let mut body = body.clone();
        body[field] = json!("Otra Persona");
        let refused = serde_json::from_value::<FacturaNueva>(body).unwrap_err();
        assert!(
            refused
                .to_string()
                .contains(&format!("unknown field `{field}`")),
            "{refused}"
        );
    }
    // No command takes the fields either: they follow from the round, step by step.
    let half = large().decidir(&approve(), &caller(LUIS, 1)).unwrap().state;
    in_sync(&half);
    assert_eq!(answer(&half)["accion_por"], "Luis Rey");
    let whole = half.decidir(&approve(), &delegate(2)).unwrap().state;
    in_sync(&whole);
    let again = whole
        .reabrir(WHY, &politica(), &stamp(ADMIN, 3))
        .unwrap()
        .state;
    in_sync(&again);
    let shown = answer(&again);
    assert_eq!(
        (
            &shown["estado"],
            &shown["accion_por"],
            &shown["aprobado_por"]
        ),
        (&json!("pendiente"), &json!("ana"), &Value::Null)
    );
}

#[test]
fn test_accion_por_en_aprobacion_automatica() {
    let mut workflow = large().workflow;
    workflow.approve_automatically(
        crate::persona::Persona::sistema(crate::persona::SISTEMA_AUTO),
        at(5),
    );
    let fields: std::collections::BTreeMap<_, _> = Sincronizado::of(&workflow).fields().into();
    assert_eq!(fields["estado"], "aprobada_auto");
    assert_eq!(fields["accion_por"], "SISTEMA DE AUTOMATIZACIÓN");
    assert_eq!(fields["aprobado_por"], "SISTEMA_AUTO");
    assert_eq!(
        (&fields["fecha_accion"], &fields["fecha_aprobacion"]),
        (&json!(at(5)), &json!(at(5)))
    );

    let imported = imported_auto();
    assert_eq!(
        imported.factura.sincronizado().accion_por(),
        None,
        "stored as it was"
    );
    assert_eq!(
        answer(&imported)["accion_por"],
        AUTOMATIZACION,
        "read by the fallback"
    );
    let found = divergencias(&imported.factura, Some(&imported.workflow));
    let campos: Vec<_> = found.iter().map(|one| one.campo.as_str()).collect();
    assert_eq!(campos, ["accion_por", "accion_por_id"]);
    let repaired = reparar(
        &imported.factura,
        Some(&imported.workflow),
        &stamp(ADMIN, 9),
    )
    .unwrap();
    assert_eq!(actions(&repaired.events), ["accion_por_reparada"]);
    assert_eq!(repaired.events[0].by.user, ADMIN);
    assert_eq!(
        repaired.state.sincronizado().accion_por().unwrap().nombre,
        AUTOMATIZACION
    );
    assert_eq!(divergencias(&repaired.state, Some(&imported.workflow)), []);
}

#[test]
fn test_accion_por_en_schema_siempre_consistente() {
    let mut expediente = large();
    let steps = [
        large().decidir(&approve(), &caller(LUIS, 1)),
        large().decidir(&reject(), &caller(JUAN, 1)),
        small().decidir(&approve(), &delegate(1)),
    ];
    for change in steps {
        let change = change.unwrap();
        expediente = change.state;
        let shown = answer(&expediente);
        let stored = expediente.factura.sincronizado().accion_por().cloned();
        assert_eq!(
            shown["accion_por"],
            json!(stored.as_ref().map(|one| &one.nombre))
        );
        assert_eq!(
            json!(change.events[0].event.details())["accion_por"],
            shown["accion_por"]
        );
        let figure = Casilla::AccionPor(stored.unwrap(), expediente.factura.estado());
        assert_eq!(Tablero::of(&expediente.factura).casilla(&figure).0, 1);
        let read: Factura = serde_json::from_value(json!(expediente.factura)).unwrap();
        assert_eq!(read, expediente.factura);
    }
    assert_eq!(answer(&small())["accion_por"], Value::Null);
    assert_eq!(expediente.workflow.estado, EstadoWorkflow::AprobadaManual);
}

#[test]
fn test_accion_por_diferencia_responsable_vs_accion_por() {
    let approved = small().decidir(&approve(), &delegate(1)).unwrap().state;
    let shown = answer(&approved);
    assert_eq!(
        (&shown["responsable"], &shown["responsable_usuario"]),
        (&json!("Juan Perez"), &json!("jperez"))
    );
    assert_eq!(
        (&shown["accion_por"], &shown["a_nombre_de"]),
        (&json!("Maria Garcia"), &json!("Juan Perez"))
    );
    let refused = approved
        .factura
        .asignar(&user(MARIA), &stamp(LUIS, 2))
        .unwrap_err();
    assert_eq!(refused.code().as_str(), "responsable_ya_asignado");
    let again = approved
        .reabrir(WHY, &politica(), &stamp(LUIS, 3))
        .unwrap()
        .state;
    assert_eq!(again.factura.responsable(), Some(&user(JUAN)));
}

#[test]
fn test_accion_por_nunca_vacio_despues_aprobacion() {
    let decided = [
        small().decidir(&approve(), &caller(JUAN, 1)).unwrap().state,
        small().decidir(&reject(), &caller(LUIS, 1)).unwrap().state,
        imported_auto(),
    ];
    for expediente in decided {
        assert!(expediente.factura.estado().is_decided());
        assert!(answer(&expediente)["accion_por"].is_string());
    }
}

#[test]
fn every_row_of_the_synchronisation_is_as_in_the_contract() {
    let begun = || small().workflow;
    let with = |word: &str| Workflow {
        estado: EstadoWorkflow::from(word.to_owned()),
        ..begun()
    };
    let expected = [
        ("recibida", Estado::Pendiente),
        ("en_revision", Estado::EnRevision),
        ("aprobada_manual", Estado::Aprobada),
        ("aprobada_auto", Estado::AprobadaAuto),
        ("rechazada", Estado::Rechazada),
        ("anulada", Estado::Pendiente),
        ("", Estado::Pendiente),
    ];
    for (word, estado) in expected {
        assert_eq!(Sincronizado::of(&with(word)).estado(), estado, "{word}");
    }
    assert_eq!(Sincronizado::of(&with("recibida")).accion_por(), None);
    let again = small()
        .decidir(&reject(), &caller(JUAN, 1))
        .unwrap()
        .state
        .reabrir(WHY, &politica(), &stamp(LUIS, 2))
        .unwrap()
        .state;
    let fields = Sincronizado::of(&again.workflow);
    assert_eq!(
        (fields.accion_por(), fields.fecha_accion()),
        (Some(&user(LUIS).persona()), Some(at(2)))
    );
}
