use cierre_kernel::problem::Problem;
use cierre_kernel::role::{Role, Roles};
use rstest::rstest;
use serde_json::json;

use super::super::decisiones::{Orden, judge_count, refused};
use super::super::factura::*;
use super::super::fixtures::*;
use super::super::politica::Politica;
use super::super::workflow::{Accion, Calidad};
use crate::persona::Usuario;

fn quality(usuario: &str, roles: Roles, delegado: bool) -> Result<Calidad, &'static str> {
    let caller = Decisor {
        roles,
        delegado,
        ..caller(usuario, 1)
    };
    small()
        .derecho(&caller)
        .map(|derecho| derecho.calidad)
        .map_err(|refusal| refusal.code().as_str())
}

#[test]
fn the_first_right_that_fits_counts() {
    let (supervisor, admin) = (Roles::of(&[Role::Supervisor]), Roles::of(&[Role::Admin]));
    let auditor = Roles::of(&[Role::Auditor]);
    assert_eq!(quality(JUAN, supervisor, false), Ok(Calidad::Responsable));
    assert_eq!(quality(JUAN, Roles::NONE, false), Ok(Calidad::Responsable));
    assert_eq!(
        quality(LUIS, supervisor.with(Role::Admin), true),
        Ok(Calidad::Supervisor)
    );
    assert_eq!(quality(LUIS, admin, true), Ok(Calidad::Admin));
    assert_eq!(
        quality(MARIA, Roles::of(&[Role::Payables]), true),
        Ok(Calidad::Delegado)
    );
    assert_eq!(
        quality(MARIA, Roles::of(&[Role::Payables]), false),
        Err("no_autorizado_para_decidir")
    );
    assert_eq!(
        quality(JUAN, auditor, false),
        Err("no_autorizado_para_decidir")
    );
    assert_eq!(
        quality(JUAN, auditor.with(Role::Payables), false),
        Ok(Calidad::Responsable)
    );
}

#[test]
fn the_registrar_and_their_delegate_do_not_decide() {
    let admin = Roles::of(&[Role::Admin]);
    assert_eq!(quality(PEDRO, admin, false), Err("sod_violation"));
    let mut own = registered("4000000.00", Some(PEDRO));
    for caller in [caller(PEDRO, 1), delegate(1)] {
        for voto in [approve(), reject()] {
            let refusal = own.decidir(&voto, &caller).unwrap_err();
            assert!(refusal.is_denial());
            assert_eq!(Problem::from(refusal).status, 403);
        }
    }
    own.workflow.politica.permitir_autoaprobacion = true;
    for caller in [caller(PEDRO, 1), delegate(1)] {
        let change = own.decidir(&approve(), &caller).unwrap();
        assert!(change.state.workflow.decisiones[0].sod_excepcion);
        assert_eq!(change.events[0].event.details()["sod_excepcion"], true);
    }
    assert!(
        !own.decidir(&approve(), &caller(LUIS, 1))
            .unwrap()
            .state
            .workflow
            .decisiones[0]
            .sod_excepcion
    );
}

#[test]
fn a_name_of_the_system_decides_nothing() {
    let mut caller = caller(LUIS, 1);
    caller.stamp.by = Usuario::new(LUIS, "sub-lrey", Some("Sistema de Automatizacion"));
    let refusal = small().decidir(&approve(), &caller).unwrap_err();
    assert_eq!(refusal.code().as_str(), "nombre_reservado");
    let decided = small()
        .decidir(&reject(), &super::super::fixtures::caller(JUAN, 1))
        .unwrap()
        .state;
    let refusal = decided
        .reabrir(WHY, &politica(), &caller.stamp)
        .unwrap_err();
    assert_eq!(refusal.code().as_str(), "nombre_reservado");
}

#[test]
fn checks_come_in_the_order_of_the_contract() {
    // Right before segregation before state: the round is decided, and each caller hears of the first that fails.
    let decided = small().decidir(&approve(), &caller(JUAN, 1)).unwrap().state;
    let code = |caller: &Decisor| {
        decided
            .decidir(&approve(), caller)
            .unwrap_err()
            .code()
            .as_str()
    };
    assert_eq!(code(&caller(MARIA, 2)), "no_autorizado_para_decidir");
    let registrar = Decisor {
        roles: Roles::of(&[Role::Supervisor]),
        ..caller(PEDRO, 2)
    };
    assert_eq!(code(&registrar), "sod_violation");
    assert_eq!(code(&caller(LUIS, 2)), "ya_decidida");
}

#[test]
fn nobody_stands_behind_two_approvals_of_a_round() {
    let repeated = |first: &Decisor, second: &Decisor| {
        let half = large().decidir(&approve(), first).unwrap().state;
        half.decidir(&approve(), second)
            .map(|change| change.state.factura.estado().as_str())
            .map_err(|refusal| refusal.to_string())
    };
    assert_eq!(
        repeated(&caller(JUAN, 1), &caller(JUAN, 2)),
        Err("Juan Perez has approved in this round".into())
    );
    assert_eq!(
        repeated(&caller(JUAN, 1), &delegate(2)),
        Err("Juan Perez has approved in this round".into())
    );
    assert_eq!(
        repeated(&delegate(1), &caller(JUAN, 2)),
        Err("Juan Perez has approved in this round".into())
    );
    let as_supervisor = Decisor {
        roles: Roles::of(&[Role::Supervisor]),
        ..caller(MARIA, 2)
    };
    assert_eq!(
        repeated(&delegate(1), &as_supervisor),
        Err("Maria Garcia has approved in this round".into())
    );
    assert_eq!(repeated(&caller(LUIS, 1), &delegate(2)), Ok("aprobada"));
}

#[test]
fn the_second_of_two_approvals_reads_as_in_the_contracts_example() {
    let half = large().decidir(&approve(), &caller(LUIS, 10)).unwrap();
    assert_eq!(actions(&half.events), ["factura_aprobada_parcial"]);
    let whole = half.state.decidir(&approve(), &delegate(20)).unwrap();
    assert_eq!(actions(&whole.events), ["factura_aprobada"]);
    let details = whole.events[0].event.details();
    assert_eq!(
        json!(details),
        json!({
            "estado_anterior": "en_revision", "estado_nuevo": "aprobada", "accion_por": "Maria Garcia", "responsable": "Juan Perez",
            "calidad": "delegado", "a_nombre_de": "Juan Perez", "ronda": 1, "aprobaciones": "2/2", "politica_version": 3,
            "motivo": null, "comparacion": null, "sod_excepcion": false,
        })
    );
    let shown = json!(FacturaAnswer::from(&whole.state));
    let expected = json!({
        "numero": "FE-1024", "nit": "900373923-8", "proveedor": "Aseo Total SAS", "fecha_emision": "2026-02-05", "fecha_vencimiento": "2026-03-07",
        "moneda": "COP", "total": "8500000.00", "concepto": "Aseo febrero 2026", "items": [], "origen": "json", "cufe": null,
        "registrada_por": "Pedro Gil", "registrada_por_id": "sub-pgil", "fecha_registro": at(0),
        "responsable": "Juan Perez", "responsable_usuario": "jperez", "responsable_id": "sub-jperez", "estado": "aprobada",
        "accion_por": "Maria Garcia", "accion_por_id": "sub-mgarcia", "fecha_accion": at(20), "a_nombre_de": "Juan Perez", "a_nombre_de_id": "sub-jperez",
        "aprobado_por": "Maria Garcia", "aprobado_por_id": "sub-mgarcia", "fecha_aprobacion": at(20),
        "rechazado_por": null, "rechazado_por_id": null, "fecha_rechazo": null, "motivo_rechazo": null, "version": 3,
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&shown[field], value, "{field}");
    }
    let round = &shown["workflow"];
    assert_eq!(
        (
            &round["estado"],
            &round["aprobaciones_requeridas"],
            &round["politica_version"]
        ),
        (&json!("aprobada_manual"), &json!(2), &json!(3))
    );
    assert_eq!(round["decisiones"][0]["calidad"], "supervisor");
    assert_eq!(
        (
            &round["decisiones"][1]["por"],
            &round["decisiones"][1]["a_nombre_de"]
        ),
        (&json!("Maria Garcia"), &json!("Juan Perez"))
    );
    let fields = expected.as_object().unwrap().len() + ["id", "workflow"].len();
    assert_eq!(
        shown.as_object().unwrap().len(),
        fields,
        "items_omitidos shows only where there are some"
    );
}

#[rstest]
#[case("", None, "motivo_requerido")]
#[case("  no ", None, "motivo_requerido")]
#[case(WHY, Some(1001), "out_of_range")]
fn words_are_judged_before_anything_else(
    #[case] motivo: &str,
    #[case] comment: Option<usize>,
    #[case] code: &str,
) {
    let comment = comment.map(|length| "a".repeat(length));
    let invalid = Voto::rechazar(motivo, comment.as_deref()).unwrap_err();
    let problem = Problem::from(invalid);
    assert_eq!((problem.status, problem.code.as_str()), (422, code));
}

#[test]
fn a_running_round_keeps_the_policy_of_its_beginning() {
    let half = large().decidir(&approve(), &caller(LUIS, 1)).unwrap().state;
    assert_eq!(half.workflow.politica.aprobaciones_requeridas, 2);
    let rejected = half.decidir(&reject(), &caller(JUAN, 2)).unwrap().state;
    let former = rejected.workflow.clone();
    let again = rejected
        .reabrir(WHY, &Politica::default(), &stamp(LUIS, 3))
        .unwrap();
    assert_eq!(
        again.state.workflow.politica.aprobaciones_requeridas, 1,
        "the new round takes the policy of now"
    );
    assert_eq!(again.state.workflow.comparacion, None);
    assert_eq!(
        rejected.workflow, former,
        "the closed round does not change"
    );
    assert_eq!(
        json!(again.events[0].event.details()),
        json!({ "estado_anterior": "rechazada", "ronda": 2, "motivo": WHY })
    );
}

#[test]
fn the_inbox_holds_what_the_caller_may_decide_as_responsable_or_delegate() {
    assert_eq!(
        large().turno(&caller(JUAN, 1)).unwrap().calidad,
        Calidad::Responsable
    );
    let turn = large().turno(&delegate(1)).unwrap();
    assert_eq!(
        (turn.calidad, turn.a_nombre_de),
        (Calidad::Delegado, Some(user(JUAN).persona()))
    );
    assert_eq!(
        large().turno(&caller(LUIS, 1)),
        None,
        "a supervisor as such has no inbox"
    );
    let half = large().decidir(&approve(), &caller(JUAN, 1)).unwrap().state;
    assert_eq!(half.turno(&caller(JUAN, 2)), None, "approved already");
    assert_eq!(
        half.turno(&delegate(2)),
        None,
        "in whose place somebody approved already"
    );
    assert_eq!(
        registered("1.00", Some(PEDRO)).turno(&caller(PEDRO, 1)),
        None,
        "registered it"
    );
}

#[test]
fn denials_and_readings_are_told_on_their_own() {
    let factura = small().factura;
    let denied = factura.denegada(
        Accion::Aprobar,
        cierre_kernel::codes::SOD_VIOLATION,
        &stamp(PEDRO, 1),
    );
    assert_eq!(
        json!(denied.event.details()),
        json!({ "accion": "aprobar", "code": "sod_violation" })
    );
    assert_eq!(
        factura.historial_read(&stamp(JUAN, 1)).event.action(),
        "historial_consultado"
    );
}

#[rstest]
#[case(json!({ "accion": "aprobar", "ids": [] }), "cantidad_invalida")]
#[case(json!({ "accion": "aprobar", "ids": ["fac_1", "fac_1"] }), "id_repetido")]
#[case(json!({ "accion": "aprobar_auto", "ids": ["a"] }), "valor_no_admitido")]
#[case(json!({ "accion": "borrar", "ids": ["a"] }), "valor_no_admitido")]
#[case(json!({ "accion": "rechazar", "ids": ["a"] }), "motivo_requerido")]
#[case(json!({ "accion": "borrar", "ids": [] }), "validation_failed")]
fn bulk_requests_are_judged_as_a_whole(#[case] body: serde_json::Value, #[case] code: &str) {
    let ids: Vec<String> = serde_json::from_value(body["ids"].clone()).unwrap();
    let invalid = Orden::judge(body["accion"].as_str().unwrap(), &ids, None).unwrap_err();
    assert_eq!(Problem::from(invalid).code.as_str(), code);
    assert!(judge_count("/ids", 500).is_ok() && judge_count("/ids", 501).is_err());
}

#[test]
fn an_item_says_the_same_of_a_dry_run_and_of_a_run_in_other_words() {
    let orden = Orden::judge("aprobar", &[factura_id(1).to_string(), "x".into()], None).unwrap();
    assert_eq!(orden.ids, [Some(factura_id(1)), None]);
    let admin = Decisor {
        roles: Roles::of(&[Role::Admin]),
        ..caller(PEDRO, 1)
    };
    let refusal = small().decidir(&orden.voto, &admin).unwrap_err();
    let outcome = |dry_run| refused(1, Some(factura_id(1)), refusal.clone(), dry_run);
    let item = |resultado| json!({ "indice": 1, "factura_id": factura_id(1), "resultado": resultado, "code": "sod_violation", "detail": "You registered this factura" });
    assert_eq!(json!(outcome(false)), item("no_aplicado"));
    assert_eq!(json!(outcome(true)), item("no_aplicaria"));
}
