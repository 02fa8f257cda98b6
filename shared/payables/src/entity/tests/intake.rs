use cierre_kernel::problem::Problem;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::super::events::Entry;
use super::super::factura::*;
use super::super::fixtures::*;
use super::super::politica::Politica;
use crate::rules::comparacion::{Antecedente, MotivoNoAuto};
use crate::rules::consistencia::divergencias;
use crate::rules::sincronizacion::Estado;

fn judged(change: Value) -> Result<Datos, Vec<(String, String)>> {
    let mut body = json!(nueva());
    for (name, value) in change.as_object().unwrap() {
        body[name] = value.clone();
    }
    let nueva: FacturaNueva = serde_json::from_value(body).unwrap();
    nueva
        .judge(Some(&asignacion(JUAN)), hoy())
        .map_err(|invalid| {
            let errors = invalid.0.into_iter();
            errors
                .map(|error| (error.pointer, error.code.as_str().to_owned()))
                .collect()
        })
}

#[rstest]
#[case(json!({ "numero": "" }), "/numero", "required")]
#[case(json!({ "numero": "n".repeat(51) }), "/numero", "out_of_range")]
#[case(json!({ "numero": "-/-" }), "/numero", "invalid_format")]
#[case(json!({ "nit": "900373923" }), "/nit", "nit_formato")]
#[case(json!({ "nit": "860069804-3" }), "/nit", "nit_digito_invalido")]
#[case(json!({ "proveedor": " " }), "/proveedor", "required")]
#[case(json!({ "proveedor": "p".repeat(201) }), "/proveedor", "out_of_range")]
#[case(json!({ "fecha_emision": "2026-02-06" }), "/fecha_emision", "fecha_futura")]
#[case(json!({ "fecha_emision": "1999-12-31" }), "/fecha_emision", "out_of_range")]
#[case(json!({ "fecha_emision": "05/02/2026" }), "/fecha_emision", "invalid_date")]
#[case(json!({ "fecha_vencimiento": "2026-02-04" }), "/fecha_vencimiento", "fecha_invalida")]
#[case(json!({ "moneda": "MXN" }), "/moneda", "valor_no_admitido")]
#[case(json!({ "total": "0" }), "/total", "total_no_positivo")]
#[case(json!({ "total": "-1.00" }), "/total", "total_no_positivo")]
#[case(json!({ "total": "1.005" }), "/total", "invalid_amount")]
#[case(json!({ "total": "1.5", "moneda": "CLP" }), "/total", "invalid_amount")]
#[case(json!({ "total": "1000000000000.00" }), "/total", "out_of_range")]
#[case(json!({ "concepto": "c".repeat(501) }), "/concepto", "out_of_range")]
#[case(json!({ "items": [{ "descripcion": "a", "cantidad": "1.1234567" }] }), "/items/0/cantidad", "invalid_format")]
#[case(json!({ "items": vec![json!({ "descripcion": "a" }); 501] }), "/items", "too_many_items")]
fn a_wrong_field_is_told_at_its_place(
    #[case] change: Value,
    #[case] pointer: &str,
    #[case] code: &str,
) {
    assert_eq!(
        judged(change),
        Err(vec![(pointer.to_owned(), code.to_owned())])
    );
}

#[test]
fn every_wrong_field_is_told_at_once() {
    let errors = judged(json!({ "nit": "1", "total": "0", "fecha_emision": "x", "concepto": "" }))
        .unwrap_err();
    let pointers: Vec<_> = errors.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/nit", "/fecha_emision", "/total", "/concepto"]);
}

#[test]
fn the_suppliers_name_comes_from_the_request_the_assignment_or_nowhere() {
    assert_eq!(judged(json!({})).unwrap().proveedor, "Aseo Total SAS");
    assert_eq!(
        judged(json!({ "proveedor": " Otro " })).unwrap().proveedor,
        "Otro"
    );
    let invalid = nueva().judge(None, hoy()).unwrap_err();
    let problem = Problem::from(invalid);
    assert_eq!(
        (
            problem.status,
            problem.code.as_str(),
            problem.errors[0].pointer.as_str()
        ),
        (422, "requerido", "/proveedor")
    );
}

#[test]
fn limits_are_inclusive_and_a_number_of_json_is_exact() {
    let datos = judged(json!({ "numero": "n".repeat(50), "fecha_emision": "2000-01-01", "fecha_vencimiento": "2000-01-01", "total": 0.01, "nit": "900.373.923-8" })).unwrap();
    assert_eq!(datos.importe.0.minor(), 1);
    assert_eq!(datos.nit, nit());
    assert!(judged(json!({ "items": vec![json!({ "descripcion": "a" }); 500] })).is_ok());
}

fn antecedente(n: u128, estado: Estado, fecha: &str, total: i64) -> Antecedente {
    let importe = crate::importe::Importe(cierre_kernel::money::Money::from_minor(
        total,
        cierre_kernel::money::Currency::Cop,
    ));
    Antecedente {
        id: factura_id(n),
        estado,
        fecha_emision: day(fecha),
        importe,
    }
}

fn arrive(total: &str, grupo: &[Antecedente], politica: &Politica) -> (Expediente, Vec<Entry>) {
    let asignacion = asignacion(JUAN);
    let mut nueva = nueva();
    nueva.total = json!(total);
    let datos = nueva.judge(Some(&asignacion), hoy()).unwrap();
    let contexto = Contexto {
        asignacion: Some(&asignacion),
        politica,
        grupo,
    };
    let change = Expediente::registrar(
        factura_id(9),
        datos,
        Origen::Json,
        &contexto,
        &stamp(PEDRO, 0),
    );
    (change.state, change.events)
}

#[test]
fn a_factura_is_born_pending_or_approved_by_rule_never_in_between() {
    let grupo = [antecedente(1, Estado::Aprobada, "2026-01-05", 100_000_000)];
    let (pending, events) = arrive("1050000.01", &grupo, &politica());
    assert_eq!(
        (pending.factura.estado(), actions(&events)),
        (Estado::Pendiente, vec!["factura_registrada"])
    );
    assert_eq!(pending.factura.sincronizado().accion_por(), None);
    let (auto, events) = arrive("1050000.00", &grupo, &politica());
    assert_eq!(
        actions(&events),
        ["factura_registrada", "factura_aprobada_auto"]
    );
    assert_eq!(
        (events[0].by.user.as_str(), events[1].by.user.as_str()),
        (PEDRO, "sistema")
    );
    assert_eq!(
        events[1].event.details()["comparacion"]["diferencia"],
        "50000.00"
    );
    assert_eq!(events[1].event.details()["aprobaciones"], "1/1");
    assert_eq!(
        (auto.factura.estado(), auto.factura.version),
        (Estado::AprobadaAuto, 1)
    );
    assert_eq!(
        auto.factura.tiempos,
        Tiempos::default(),
        "no person decided"
    );
    assert_eq!(divergencias(&auto.factura, Some(&auto.workflow)), []);
    let refused = auto.decidir(&approve(), &caller(JUAN, 1)).unwrap_err();
    assert_eq!(refused.to_string(), "Approved by SISTEMA DE AUTOMATIZACIÓN");
}

#[test]
fn the_explanation_reads_as_in_the_contract() {
    let grupo = [antecedente(1, Estado::Aprobada, "2026-01-05", 100_000_000)];
    let (pending, _) = arrive("1050000.01", &grupo, &politica());
    assert_eq!(
        json!(pending.workflow.comparacion),
        json!({
            "resultado": "pendiente", "motivo_no_auto": "fuera_de_tolerancia", "factura_anterior_id": factura_id(1), "total_anterior": "1000000.00",
            "diferencia": "50000.01", "diferencia_pct": "5.00", "tolerancia_pct": "5", "politica_version": 3,
        })
    );
}

fn imported(workflow: Value) -> Result<Expediente, String> {
    let historico: WorkflowHistorico = serde_json::from_value(workflow).unwrap();
    let contexto = Contexto {
        asignacion: None,
        politica: &politica(),
        grupo: &[],
    };
    let datos = nueva().judge(Some(&asignacion(JUAN)), hoy()).unwrap();
    Expediente::importar(
        factura_id(1),
        datos,
        &historico,
        &contexto,
        &stamp(ADMIN, 0),
    )
    .map(|change| change.state)
    .map_err(|invalid| format!("{} {}", invalid.0[0].pointer, invalid.0[0].code))
}

#[rstest]
#[case(json!({ "estado": "aprobada_manual", "aprobada_por": "Eva", "fecha_aprobacion": "2025-01-02T10:00:00Z" }), Ok("aprobada Eva"))]
#[case(json!({ "estado": "rechazada", "rechazada_por": "Eva", "fecha_rechazo": "2025-01-02T10:00:00Z" }), Ok("rechazada Eva"))]
#[case(json!({ "estado": "recibida" }), Ok("pendiente -"))]
#[case(json!({ "estado": "anulada_en_2019" }), Ok("pendiente -"))]
#[case(json!({ "estado": "aprobada_auto" }), Ok("aprobada_auto -"))]
#[case(json!({ "estado": "aprobada_auto", "aprobada_por": "SISTEMA_AUTO" }), Ok("aprobada_auto SISTEMA DE AUTOMATIZACIÓN"))]
#[case(json!({ "estado": "aprobada_manual", "aprobada_por": " ", "fecha_aprobacion": "2025-01-02T10:00:00Z" }), Err("/workflow/aprobada_por historico_incompleto"))]
#[case(json!({ "estado": "aprobada_manual", "aprobada_por": "Eva" }), Err("/workflow/fecha_aprobacion historico_incompleto"))]
#[case(json!({ "estado": "rechazada", "fecha_rechazo": "2025-01-02T10:00:00Z" }), Err("/workflow/rechazada_por historico_incompleto"))]
#[case(json!({ "estado": "rechazada", "rechazada_por": "Eva" }), Err("/workflow/fecha_rechazo historico_incompleto"))]
#[case(json!({ "estado": "en_revision" }), Err("/workflow/estado historico_incompleto"))]
fn facturas_of_before_keep_their_decision(
    #[case] workflow: Value,
    #[case] expected: Result<&str, &str>,
) {
    let found = imported(workflow).map(|one| {
        let acted = one.factura.sincronizado().accion_por();
        format!(
            "{} {}",
            one.factura.estado(),
            acted.map_or("-", |persona| &persona.nombre)
        )
    });
    assert_eq!(found, expected.map(str::to_owned).map_err(str::to_owned));
}

#[test]
fn an_imported_round_compares_with_nothing_and_can_be_decided_or_reopened() {
    let open = imported(json!({ "estado": "anulada" })).unwrap();
    assert_eq!(
        (open.workflow.comparacion.as_ref(), open.factura.origen),
        (None, Origen::Historico)
    );
    let assigned = Expediente {
        factura: open
            .factura
            .asignar(&user(JUAN), &stamp(LUIS, 1))
            .unwrap()
            .state,
        ..open
    };
    let half = assigned
        .decidir(&approve(), &caller(JUAN, 2))
        .unwrap()
        .state;
    assert_eq!(half.factura.estado(), Estado::EnRevision);
    let done = imported(json!({ "estado": "rechazada", "rechazada_por": "Eva", "fecha_rechazo": "2025-01-02T10:00:00Z" })).unwrap();
    assert_eq!(
        done.factura.tiempos,
        Tiempos::default(),
        "nobody knows how long it took"
    );
    let again = done
        .reabrir(WHY, &politica(), &stamp(LUIS, 1))
        .unwrap()
        .state;
    assert_eq!(again.factura.situacion(), Situacion::SinResponsable);
}

#[test]
fn a_factura_of_before_is_read_strictly_too() {
    let mut body = json!(nueva());
    body["workflow"] = json!({ "estado": "recibida" });
    let (read, workflow) = serde_json::from_value::<FacturaHistorica>(body.clone())
        .unwrap()
        .parts();
    assert_eq!((read, workflow.estado.as_str()), (nueva(), "recibida"));
    body["accion_por"] = json!("Eva");
    assert!(serde_json::from_value::<FacturaHistorica>(body).is_err());
}

proptest! {
    /// Two of a group within the policy's days are never both approved by rule, in whichever order they come.
    #[test]
    fn automatic_approvals_of_a_group_keep_their_distance(days in prop::collection::vec(0..90_i32, 1..12), totals in prop::collection::vec(95_000_000..105_000_000_i64, 12)) {
        let mut grupo = vec![antecedente(1, Estado::Aprobada, "2025-06-01", 100_000_000)];
        let first = day("2025-08-01");
        for (n, (offset, total)) in days.iter().zip(&totals).enumerate() {
            let fecha = first.checked_add(jiff::Span::new().days(*offset)).unwrap();
            let mut nueva = nueva();
            nueva.total = json!(format!("{}.{:02}", total / 100, total % 100));
            nueva.fecha_emision = fecha.to_string();
            nueva.fecha_vencimiento = None;
            let asignacion = asignacion(JUAN);
            let datos = nueva.judge(Some(&asignacion), hoy()).unwrap();
            let politica = politica();
            let contexto = Contexto { asignacion: Some(&asignacion), politica: &politica, grupo: &grupo };
            let born = Expediente::registrar(factura_id(n as u128 + 2), datos, Origen::Json, &contexto, &stamp(PEDRO, 0)).state;
            let why = born.workflow.comparacion.as_ref().and_then(|one| one.motivo_no_auto);
            prop_assert!(matches!(why, None | Some(MotivoNoAuto::DemasiadoPronto)));
            grupo.push(born.factura.antecedente());
        }
        let auto: Vec<_> = grupo.iter().filter(|one| one.estado == Estado::AprobadaAuto).collect();
        for (n, one) in auto.iter().enumerate() {
            for other in &auto[n + 1..] {
                let apart = one.fecha_emision.until((jiff::Unit::Day, other.fecha_emision)).unwrap().get_days().abs();
                prop_assert!(apart >= 20, "{} days apart", apart);
            }
        }
    }
}
