//! What the files of a month say against each other.

use cierre_tests::{Closing, Company, Libro, movimientos_with, names, rut};
use serde_json::json;

#[tokio::test]
async fn the_files_of_a_month_are_compared_with_each_other() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    let [hired, left, both, absent] = [16_000_001, 16_000_002, 16_000_003, 16_000_004].map(rut);
    let both = &*both;
    closing
        .take(
            "libro_remuneraciones",
            "libro.csv",
            &Libro::golden().bytes(),
        )
        .await;
    let month = movimientos_with(
        &[
            [&*hired, "Alta", "02/10/2025", ""],
            [both, "alta", "03/10/2025", ""],
            [both, "BAJA", "30/10/2025", "4"],
        ],
        &[
            [both, "licencia médica", "06/10/2025", "10/10/2025", "5"],
            [
                &*absent,
                "FALTA_INJUSTIFICADA",
                "06/10/2025",
                "06/10/2025",
                "1",
            ],
        ],
        &[["12345678-5", "20/10/2025", "24/10/2025", "5"]],
    );
    closing
        .take("movimientos_mes", "movimientos.xlsx", &month)
        .await;
    let ingresos = format!("rut;nombre;fecha_ingreso\r\n{both};Uno;03/10/2025\r\n");
    closing
        .take("ingresos", "ingresos.csv", ingresos.as_bytes())
        .await;
    let finiquitos = format!(
        "RUT trabajador;Fecha termino contrato;Causal\r\n{both};30/10/2025;4\r\n{left};31/10/2025;4\r\n"
    );
    closing
        .take("finiquitos", "finiquitos.txt", finiquitos.as_bytes())
        .await;
    let ausentismos =
        format!("rut;tipo;desde;hasta;dias\r\n{both};LICENCIA_MEDICA;06/10/2025;10/10/2025;5\r\n");
    closing
        .take("ausentismos", "ausentismos.csv", ausentismos.as_bytes())
        .await;
    let novedades = format!(
        "rut;nombres;apellido_paterno;fecha_ingreso;2101;2111;1115\r\n12345678-5;;;;600001;85002;30\r\n17317684-8;;;;;;29\r\n{hired};Ana;Soto;02/10/2025;1;;\r\n"
    );
    closing
        .take("novedades", "novedades.csv", novedades.as_bytes())
        .await;
    closing.generate("discrepancias").await;
    assert_eq!(
        closing.now().await["resultados"]["discrepancias"]["no_evaluadas"],
        json!([])
    );
    let found = closing.list("/discrepancias").await;
    let mut told: Vec<[&str; 4]> = found
        .iter()
        .map(|one| {
            ["tipo", "severidad", "rut", "falta_en"].map(|name| one[name].as_str().unwrap_or("-"))
        })
        .map(|[tipo, severidad, rut, lacking]| {
            [
                tipo,
                severidad,
                rut,
                if tipo.ends_with("reportado") || tipo.ends_with("reportada") {
                    lacking
                } else {
                    "-"
                },
            ]
        })
        .collect();
    told.sort_unstable();
    let mut expected = vec![
        [
            "ausencia_no_reportada",
            "advertencia",
            &*absent,
            "ausentismos",
        ],
        ["diff_concepto_monto", "bloqueante", "12345678-5", "-"],
        ["diff_concepto_monto", "bloqueante", "17317684-8", "-"],
        ["empleado_solo_libro", "advertencia", "30686957-4", "-"],
        ["empleado_solo_novedades", "bloqueante", &*hired, "-"],
        [
            "finiquito_no_reportado",
            "bloqueante",
            &*left,
            "movimientos_mes",
        ],
        ["ingreso_no_reportado", "bloqueante", &*hired, "ingresos"],
    ];
    expected.sort_unstable();
    assert_eq!(told, expected, "{found:#?}");
    let difference = found
        .iter()
        .find(|one| one["tipo"] == "diff_concepto_monto" && one["rut"] == "12345678-5")
        .unwrap();
    let places = difference["ubicaciones"].as_array().unwrap();
    let values = names(places, "valor");
    assert!(
        values.contains(&"85002") && values.contains(&"85000"),
        "{difference}"
    );
    check_employees(&closing, &hired).await;
}

/// The book's word counts where it has a code, novedades' on the rest.
async fn check_employees(closing: &Closing, hired: &str) {
    let employees = closing.list("/empleados").await;
    let mut ruts = names(&employees, "rut");
    assert!(ruts.is_sorted(), "{ruts:?}");
    ruts.dedup();
    assert_eq!(
        ruts.len() as u64,
        closing.now().await["counts"]["empleados"].as_u64().unwrap()
    );
    let one = employees
        .iter()
        .find(|one| one["rut"] == "12345678-5")
        .unwrap();
    assert_eq!(
        (&one["fecha_inicio_contrato"], &one["afp"]),
        (&json!("2015-03-01"), &json!("31"))
    );
    let new = employees.iter().find(|one| one["rut"] == hired).unwrap();
    assert!(new["nombre"].as_str().unwrap().contains("Ana"), "{new}");
    assert_eq!(new["fecha_inicio_contrato"], "2025-10-02");
    let of_one = closing.list(&format!("/empleados?rut={hired}")).await;
    assert_eq!(of_one.as_slice(), std::slice::from_ref(new));
    let rows = closing.list("/registros?rut=12345678-5").await;
    let mut kinds = names(&rows, "tipo");
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        ["libro_remuneraciones", "movimientos_mes", "novedades"]
    );
}
