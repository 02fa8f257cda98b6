use cierre_kernel::codes;

use super::super::cierre::EstadoCierre;
use super::super::fixtures::*;
use super::super::trabajo::*;

fn queued() -> Trabajo {
    let cierre = in_state(EstadoCierre::ArchivosCompletos);
    Trabajo::queued(
        trabajo_id(1),
        TipoTrabajo::GenerarDiscrepancias,
        &cierre,
        &stamp_of(JUAN, 1),
    )
}

#[test]
fn a_job_has_three_attempts() {
    let mut job = queued();
    for attempt in 1..=3 {
        assert!(!job.is_out_of_attempts());
        job = done(job.begun(at(attempt * 10))).state;
        assert_eq!(job.estado, EstadoTrabajo::EnProceso);
        job = done(job.attempt_failed(codes::PROCESSING_FAILED, at(attempt * 10 + 1))).state;
        assert_eq!(job.estado, EstadoTrabajo::EnCola);
    }
    assert!(job.is_out_of_attempts() && job.begun(at(40)).is_replayed());
    let numbers: Vec<_> = job
        .intentos
        .iter()
        .map(|one| (one.intento, one.error))
        .collect();
    let failed = Some(codes::PROCESSING_FAILED);
    assert_eq!(numbers, [(1, failed), (2, failed), (3, failed)]);
    assert_eq!((job.inicio, job.fin), (Some(at(10)), None));
}

#[test]
fn a_worker_that_died_has_used_up_an_attempt_and_no_fourth_begins() {
    let mut job = queued();
    for second in 10..14 {
        job = done(job.begun(at(second))).state;
    }
    assert!(job.is_out_of_attempts());
    assert_eq!(job.intentos.len(), 3);
    assert!(
        job.intentos
            .iter()
            .all(|one| one.error == Some(codes::WORKER_LOST))
    );
}

#[test]
fn progress_is_a_hundred_at_the_end_alone() {
    let job = done(queued().begun(at(2))).state;
    for (done_, total, expected) in [(0, 0, 0), (1, 3, 33), (3, 3, 99), (9, 3, 99)] {
        assert_eq!(done(job.advanced(done_, total)).state.progreso, expected);
    }
    let job = job.completed(3, serde_json::json!({}), at(3));
    assert_eq!(
        (job.estado, job.progreso, job.fin),
        (EstadoTrabajo::Completado, 100, Some(at(3)))
    );
    assert!(job.advanced(1, 3).is_replayed() && job.begun(at(4)).is_replayed());
    assert!(job.attempt_failed(codes::INTERNAL, at(4)).is_replayed());
    let stored = serde_json::to_string(&job).unwrap();
    assert_eq!(serde_json::from_str::<Trabajo>(&stored).unwrap(), job);
}
