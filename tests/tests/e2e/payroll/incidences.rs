//! What changed against the month before, and how urgent it is.

use cierre_tests::{Company, NOMINA, names};
use serde_json::{Value, json};

use super::months::{CASES, hire, id, leaver, of, of_case, resolution, step, two_months};

#[tokio::test]
async fn changes_have_the_priorities_of_the_contract() {
    let company = Company::of_payroll().await;
    let [first, second] = two_months(&company).await;
    let job = second.generate("incidencias").await;
    let found = second.list("/incidencias").await;
    assert_eq!(found.len(), 13, "{found:#?}");
    assert_eq!(job["total"], 13);
    for (nth, (code, before, after, expected)) in CASES.iter().enumerate() {
        let of_rut: Vec<&Value> = found
            .iter()
            .filter(|one| one["rut"] == of_case(nth))
            .collect();
        let Some((tipo, variacion, prioridad)) = expected else {
            assert!(of_rut.is_empty(), "{of_rut:?}");
            continue;
        };
        let [one] = of_rut.as_slice() else {
            panic!("{code} {before} {after}: {of_rut:?}")
        };
        let amount = |text: &str| text.parse::<i64>().unwrap_or(0);
        let told = [
            "tipo",
            "codigo",
            "actual",
            "diferencia",
            "variacion",
            "prioridad",
            "estado",
        ]
        .map(|name| one[name].clone());
        let difference = (amount(after) - amount(before)).abs().to_string();
        assert_eq!(
            json!(told),
            json!([
                tipo,
                code,
                after,
                difference,
                variacion,
                prioridad,
                "pendiente"
            ]),
            "{one}"
        );
        if !before.is_empty() {
            assert_eq!(one["anterior"], *before);
        }
        for unsaid in [
            "resolucion",
            "justificacion",
            "analista",
            "supervisor",
            "respaldo",
        ] {
            assert_eq!(one[unsaid], Value::Null, "{one}");
        }
        let history = one["historial"].as_array().unwrap();
        assert_eq!(
            (history.len(), &history[0]["estado"], &history[0]["user"]),
            (1, &json!("pendiente"), &json!("sistema"))
        );
    }
    for (rut, tipo, prioridad) in [
        (hire(true), "empleado_nuevo", "baja"),
        (hire(false), "empleado_nuevo", "critica"),
        (leaver(true), "empleado_ausente", "baja"),
        (leaver(false), "empleado_ausente", "critica"),
    ] {
        let one = of(&found, &rut);
        let told = ["tipo", "codigo", "diferencia", "prioridad"].map(|name| one[name].clone());
        assert_eq!(
            json!(told),
            json!([tipo, null, "1055815", prioridad]),
            "{one}"
        );
    }
    let cierre = second.now().await;
    assert_eq!(cierre["estado"], "con_incidencias");
    let counts = &cierre["counts"];
    assert_eq!(
        (
            &counts["incidencias_pendientes"],
            &counts["incidencias_criticas"]
        ),
        (&json!(13), &json!(4))
    );
    assert_eq!(
        cierre["resultados"]["incidencias"]["base_comparacion"]["cierre_id"],
        first.id
    );
    for (query, count) in [
        ("prioridad=critica", 4),
        ("prioridad=alta", 2),
        ("codigo=2103", 4),
        ("estado=pendiente", 13),
        ("estado=obsoleta", 0),
        ("prioridad=critica&codigo=2101", 2),
    ] {
        assert_eq!(
            second.list(&format!("/incidencias?{query}")).await.len(),
            count,
            "{query}"
        );
    }
    let one = of(&found, &of_case(4));
    let of_rut = second
        .list(&format!("/incidencias?rut={}", of_case(4).to_lowercase()))
        .await;
    assert_eq!(of_rut.as_slice(), std::slice::from_ref(one));
    let single = company
        .auditor()
        .await
        .get(&second.path(&format!("/incidencias/{}", id(one))))
        .await;
    assert_eq!(single.expect(200), *one);

    let told = &second.events_of("incidencias_generadas").await[0];
    let sum: i64 = found
        .iter()
        .map(|one| one["diferencia"].as_str().unwrap().parse::<i64>().unwrap())
        .sum();
    assert_eq!(
        told["details"],
        json!({
            "total_incidencias": 13, "empleados_afectados": 13, "conceptos_afectados": ["2101", "2103", "2110"],
            "monto_total_diferencias": sum.to_string(),
        })
    );
    assert_eq!(told["user"], "sistema");
}

#[tokio::test]
async fn thresholds_of_the_client_decide_what_is_told() {
    let company = Company::of_payroll().await;
    let [_, second] = two_months(&company).await;
    let path = format!("{NOMINA}/clientes/{}", second.cliente);
    let stricter = json!({ "configuracion": { "umbrales": { "2103": "100.00" }, "montos_prioridad": ["600000", "200000", "50000"] } });
    company
        .analyst()
        .await
        .patch(&path, stricter)
        .await
        .expect(200);
    second.generate("incidencias").await;
    let found = second.list("/incidencias?codigo=2103").await;
    assert_eq!(names(&found, "rut"), [of_case(3)]);
    let all = second.list("/incidencias").await;
    assert_eq!(of(&all, &of_case(6))["prioridad"], "alta");
    // What was found with the old thresholds only is obsolete once they are back, and back once they are gone again.
    company
        .analyst()
        .await
        .patch(&path, former_thresholds())
        .await
        .expect(200);
    second.generate("incidencias").await;
    assert_eq!(second.list("/incidencias?codigo=2103").await.len(), 4);
    let stricter = json!({ "configuracion": { "umbrales": { "2103": "100.00" } } });
    company
        .analyst()
        .await
        .patch(&path, stricter)
        .await
        .expect(200);
    second.generate("incidencias").await;
    let obsolete = second.list("/incidencias?estado=obsoleta").await;
    assert_eq!(obsolete.len(), 3);
    let of_one = &obsolete[0];
    second
        .post(&step(of_one, "resolver"), resolution())
        .await
        .refused(409, "incidence_state");
    company
        .analyst()
        .await
        .patch(&path, former_thresholds())
        .await
        .expect(200);
    second.generate("incidencias").await;
    let back = company
        .analyst()
        .await
        .get(&second.path(&format!("/incidencias/{}", id(of_one))))
        .await
        .expect(200);
    assert_eq!(back["estado"], "pendiente");
    let steps = back["historial"].as_array().unwrap();
    assert_eq!(
        names(steps, "estado"),
        ["pendiente", "obsoleta", "pendiente"]
    );
}

fn former_thresholds() -> Value {
    json!({ "configuracion": { "umbrales": {} } })
}
