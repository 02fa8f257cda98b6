use cierre_kernel::problem::Problem;
use serde_json::json;

use super::super::carga::{self, EstadoCarga, Suceso};
use super::super::delegacion::{EstadoDelegacion, revocable};
use super::super::factura::{self, Comando, Impedido, Situacion};
use super::super::fixtures::*;
use super::super::refusal::FacturaRefusal;
use super::super::trabajo::{self, EstadoTrabajo, Paso};
use super::super::workflow::{EstadoWorkflow, MAX_ROUNDS, Workflow};

const FACTURA: &str = "
| estado | aprobar | rechazar | reabrir | eliminar |
| sin_responsable | 409 sin_responsable | 409 sin_responsable | 409 no_decidida | tombstone |
| pendiente | aprobada if one suffices, else en_revision | rechazada | 409 no_decidida | tombstone |
| en_revision | aprobada if one suffices, else en_revision | rechazada | 409 no_decidida | 409 tiene_aprobaciones |
| aprobada, aprobada_auto, rechazada | 409 ya_decidida | 409 ya_decidida | pendiente, ronda + 1 | 409 ya_decidida |
| eliminada | 404 | 404 | 404 | 404 |
";

#[test]
fn every_cell_of_the_table_of_facturas_is_as_in_the_contract() {
    let rows: Vec<_> = Situacion::ALL.iter().map(|one| one.as_str()).collect();
    let columns: Vec<_> = Comando::ALL.iter().map(|one| one.as_str()).collect();
    for (situacion, comando, expected) in cells(FACTURA, &rows, &columns) {
        let found = match factura::allowed(situacion.parse().unwrap(), comando.parse().unwrap()) {
            Ok(factura::Sigue::Cuenta) => "aprobada if one suffices, else en_revision",
            Ok(factura::Sigue::Rechazada) => "rechazada",
            Ok(factura::Sigue::Ronda) => "pendiente, ronda + 1",
            Ok(factura::Sigue::Lapida) => "tombstone",
            Err(Impedido::NoEncontrada) => "404",
            Err(Impedido::SinResponsable) => "409 sin_responsable",
            Err(Impedido::YaDecidida) => "409 ya_decidida",
            Err(Impedido::NoDecidida) => "409 no_decidida",
            Err(Impedido::TieneAprobaciones) => "409 tiene_aprobaciones",
        };
        assert_eq!(found, expected, "{situacion}, {comando}");
    }
}

/// The same table through the commands themselves, by the codes that callers see.
#[test]
fn the_commands_follow_the_table() {
    let code = |refusal: FacturaRefusal| Problem::from(refusal);
    let none = registered("4000000.00", None);
    let refused = none.decidir(&approve(), &caller(LUIS, 1)).unwrap_err();
    assert_eq!(code(refused).status, 409);
    assert!(none.factura.eliminar(&stamp(PEDRO, 1)).is_ok());
    let half = large().decidir(&approve(), &caller(JUAN, 1)).unwrap().state;
    assert_eq!(half.factura.situacion(), Situacion::EnRevision);
    let refused = half.factura.eliminar(&stamp(PEDRO, 2)).unwrap_err();
    assert_eq!(code(refused).code.as_str(), "tiene_aprobaciones");
    let rejected = half.decidir(&reject(), &caller(JUAN, 2)).unwrap().state;
    assert_eq!(
        rejected.factura.situacion(),
        Situacion::Rechazada,
        "also by someone who approved in it"
    );
    let late = code(rejected.decidir(&approve(), &caller(LUIS, 3)).unwrap_err());
    assert_eq!(
        (late.status, late.code.as_str(), late.detail.as_str()),
        (409, "ya_decidida", "Rejected by Juan Perez")
    );
    assert_eq!(
        json!(late.extra),
        json!({ "estado": "rechazada", "accion_por": "Juan Perez", "fecha_accion": at(2) })
    );
    let again = rejected
        .reabrir(WHY, &politica(), &stamp(LUIS, 4))
        .unwrap()
        .state;
    assert_eq!(
        (again.factura.situacion(), again.factura.ronda),
        (Situacion::Pendiente, 2)
    );
    let gone = again.factura.eliminar(&stamp(PEDRO, 5)).unwrap().state;
    assert_eq!(gone.situacion(), Situacion::Eliminada);
    assert_eq!(
        Problem::from(gone.eliminar(&stamp(PEDRO, 6)).unwrap_err()).status,
        404
    );
}

#[test]
fn a_factura_has_fifty_rounds() {
    let mut expediente = small();
    for second in 1.. {
        expediente = expediente
            .decidir(&reject(), &caller(JUAN, second))
            .unwrap()
            .state;
        match expediente.reabrir(WHY, &politica(), &stamp(LUIS, second)) {
            Ok(change) => expediente = change.state,
            Err(refusal) => {
                assert_eq!(refusal, FacturaRefusal::LimiteDeRondas);
                break;
            }
        }
    }
    assert_eq!(expediente.factura.ronda, MAX_ROUNDS);
}

/// `–` of the contract: nobody finishes what nobody took.
const TRABAJO: &str = "
| estado | take | finish | fail | reintentar |
| EN_COLA | EN_PROCESO | concurrent_change | ERROR | trabajo_no_reintentable |
| EN_PROCESO | EN_PROCESO | COMPLETADO | ERROR | trabajo_no_reintentable |
| COMPLETADO | ignored | ignored | ignored | trabajo_no_reintentable |
| ERROR | ignored | ignored | ignored | EN_COLA |
";

#[test]
fn every_cell_of_the_table_of_jobs_is_as_in_the_contract() {
    let rows: Vec<_> = EstadoTrabajo::ALL.iter().map(|one| one.as_str()).collect();
    let columns: Vec<_> = Paso::ALL.iter().map(|one| one.as_str()).collect();
    for (estado, paso, expected) in cells(TRABAJO, &rows, &columns) {
        let found = match trabajo::allowed(estado.parse().unwrap(), paso.parse().unwrap()) {
            Ok(trabajo::Sigue::Estado(next)) => next.as_str(),
            Ok(trabajo::Sigue::Nada) => "ignored",
            Err(refusal) => refusal.code().as_str(),
        };
        assert_eq!(found, expected, "{estado}, {paso}");
    }
}

#[test]
fn every_cell_of_the_table_of_delegations_is_as_in_the_contract() {
    const TABLE: &str = "
| estado | DELETE |
| programada, vigente | revocada |
| vencida, revocada | delegacion_terminada |
";
    let rows: Vec<_> = EstadoDelegacion::ALL
        .iter()
        .map(|one| one.as_str())
        .collect();
    for (estado, _, expected) in cells(TABLE, &rows, &["DELETE"]) {
        let found = match revocable(estado.parse().unwrap()) {
            Ok(()) => "revocada",
            Err(refusal) => refusal.code().as_str(),
        };
        assert_eq!(found, expected, "{estado}");
    }
}

#[test]
fn an_upload_goes_where_its_object_goes() {
    const TABLE: &str = "
| estado | aceptar | rechazar | vencer |
| esperando | procesada | rechazada | vencida |
| procesada, rechazada, vencida | procesada | rechazada | - |
";
    let rows: Vec<_> = EstadoCarga::ALL.iter().map(|one| one.as_str()).collect();
    let columns: Vec<_> = Suceso::ALL.iter().map(|one| one.as_str()).collect();
    for (estado, suceso, expected) in cells(TABLE, &rows, &columns) {
        let found = carga::next(estado.parse().unwrap(), suceso.parse().unwrap());
        assert_eq!(
            found.map_or("-", EstadoCarga::as_str),
            expected,
            "{estado}, {suceso}"
        );
    }
}

#[test]
fn states_of_rounds_are_read_back_whatever_they_say() {
    for word in [
        "recibida",
        "en_revision",
        "aprobada_manual",
        "aprobada_auto",
        "rechazada",
        "anulada",
        "",
    ] {
        let estado = EstadoWorkflow::from(word.to_owned());
        assert_eq!(estado.as_str(), word);
        assert_eq!(
            serde_json::from_value::<EstadoWorkflow>(json!(estado)).unwrap(),
            estado
        );
    }
    let workflow = large()
        .decidir(&approve(), &delegate(1))
        .unwrap()
        .state
        .workflow;
    let stored = serde_json::to_string(&workflow).unwrap();
    assert_eq!(serde_json::from_str::<Workflow>(&stored).unwrap(), workflow);
}
