//! The dashboard: the contract's mean, business days, totals by currency, and that it is a recount after a life.

use cierre_tests::{
    ANA, ASEO, Company, JUAN, LUIS, LUZ, MARIA, NITS, OLGA, PEDRO, SARA, automatica, body_of,
    eventually, politica,
};
use serde_json::{Value, json};

const DASHBOARD: &str = "/facturas/dashboard";

#[tokio::test]
async fn an_empty_dashboard_shows_every_state_and_no_mean() {
    let company = Company::of_payables().await;
    let board = company.person(OLGA).await.get(DASHBOARD).await.expect(200);
    let none = json!({ "cantidad": 0, "totales": {} });
    assert_eq!(
        board["por_estado"],
        json!({ "pendiente": none, "en_revision": none, "aprobada": none, "aprobada_auto": none, "rechazada": none })
    );
    let empty = json!({ "items": [], "next": null });
    assert_eq!(
        json!([
            board["sin_asignar"],
            board["por_responsable"],
            board["por_accion_por"],
            board["horas_promedio_decision"],
            board["mas_antigua_pendiente"]
        ]),
        json!([none, empty, empty, null, null])
    );
    assert!(board["al"].is_string());
}

/// Registers a factura at one time and decides on it at another.
async fn decided_after(company: &Company, numero: &str, from: &str, to: &str) {
    let (pedro, juan) = (company.person(PEDRO).await, company.person(JUAN).await);
    let mut body = body_of(ASEO, numero, "1.00");
    body["fecha_emision"] = json!("2026-02-01");
    let made = company
        .at(from, &pedro, "POST", "/facturas", body)
        .await
        .expect(201);
    assert_eq!(made["fecha_registro"], from);
    let path = format!("/facturas/{}/aprobar", made["id"].as_str().unwrap());
    let decided = company
        .at(to, &juan, "POST", &path, json!({}))
        .await
        .expect(200);
    assert_eq!(
        json!([decided["fecha_accion"], decided["workflow"]["inicio"]]),
        json!([to, from])
    );
}

#[tokio::test]
async fn the_mean_of_two_four_and_seven_and_a_third_hours_is_four_point_four_four() {
    let company = Company::of_payables().await;
    decided_after(
        &company,
        "H-1",
        "2026-02-05T08:00:00.000Z",
        "2026-02-05T10:00:00.000Z",
    )
    .await;
    decided_after(
        &company,
        "H-2",
        "2026-02-05T08:00:00.000Z",
        "2026-02-05T12:00:00.000Z",
    )
    .await;
    decided_after(
        &company,
        "H-3",
        "2026-02-05T08:00:00.000Z",
        "2026-02-05T15:20:00.000Z",
    )
    .await;
    let olga = company.person(OLGA).await;
    eventually("the mean is 4.44", || async {
        let board = olga.get(DASHBOARD).await.expect(200);
        (board["horas_promedio_decision"] == "4.44").then_some(())
    })
    .await;
    company.payables_agree().await;
}

#[tokio::test]
async fn the_oldest_that_waits_tells_its_business_days() {
    let company = Company::of_payables().await;
    company
        .set_policy(politica(|policy| {
            policy["festivos_extra"] = json!(["2026-04-10"])
        }))
        .await;
    let (pedro, olga) = (company.person(PEDRO).await, company.person(OLGA).await);
    let body = body_of(ASEO, "D-1", "1.00");
    // 10 p.m. of 1 April in Bogotá, already the 2nd in UTC.
    let at = "2026-04-02T03:00:00.000Z";
    let made = company
        .at(at, &pedro, "POST", "/facturas", body)
        .await
        .expect(201);
    for (day, expected) in [
        ("2026-04-02T04:00:00.000Z", 0),
        ("2026-04-03T15:00:00.000Z", 0),
        ("2026-04-06T15:00:00.000Z", 1),
        ("2026-04-08T04:59:59.000Z", 2),
        ("2026-04-08T05:00:00.000Z", 3),
        ("2026-04-09T15:00:00.000Z", 4),
        ("2026-04-10T15:00:00.000Z", 4),
        ("2026-04-13T15:00:00.000Z", 5),
    ] {
        let board = company
            .at(day, &olga, "GET", DASHBOARD, Value::Null)
            .await
            .expect(200);
        let oldest = &board["mas_antigua_pendiente"];
        assert_eq!(
            json!([
                oldest["id"],
                oldest["numero"],
                oldest["responsable"],
                oldest["fecha_registro"],
                oldest["dias_habiles"]
            ]),
            json!([made["id"], "D-1", JUAN.name, at, expected]),
            "{day}"
        );
    }
}

#[tokio::test]
async fn totals_stand_apart_by_currency_with_its_scale() {
    let company = Company::of_payables().await;
    for (numero, moneda, total) in [
        ("C-1", "COP", "9200000.00"),
        ("C-2", "USD", "310.00"),
        ("C-3", "USD", "0.05"),
        ("C-4", "CLP", "1500"),
        ("C-5", "COP", "999999999999.99"),
    ] {
        let mut body = body_of(LUZ, numero, total);
        body["moneda"] = json!(moneda);
        company.register(body).await;
    }
    let expected = json!({
        "cantidad": 5,
        "totales": { "COP": "1000009199999.99", "USD": "310.05", "CLP": "1500" },
    });
    let olga = company.person(OLGA).await;
    eventually("the totals are there", || async {
        let board = olga.get(DASHBOARD).await.expect(200);
        (board["por_estado"]["pendiente"] == expected && board["sin_asignar"] == expected)
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn after_a_life_every_figure_is_a_recount() {
    let company = Company::of_payables().await;
    company.set_policy(automatica(|policy| {
        policy["bandas"]["COP"] = json!([{ "hasta": "5000000.00", "aprobaciones": 1 }, { "hasta": null, "aprobaciones": 2 }]);
    })).await;
    company.delegate(JUAN, MARIA).await;
    let totals = ["1000.00", "1000.00", "6000000.00", "7000000.00", "10.01"];
    let mut facturas = Vec::new();
    for (nth, nit) in NITS.iter().enumerate() {
        if nth % 2 == 0 {
            company.assign(nit, JUAN).await;
        }
        for (month, total) in totals.iter().enumerate() {
            let mut body = body_of(nit, &format!("Y-{month}"), total);
            body["fecha_emision"] = json!(format!("2026-0{}-01", month + 1));
            body["fecha_vencimiento"] = Value::Null;
            facturas.push(company.register(body).await);
        }
    }
    for (nth, factura) in facturas.iter().enumerate() {
        match nth % 7 {
            0 => drop(factura.aprobar(JUAN).await),
            1 => drop(factura.rechazar(LUIS).await),
            2 => drop((factura.aprobar(MARIA).await, factura.aprobar(LUIS).await)),
            3 => drop(factura.eliminar(PEDRO).await),
            4 => drop((factura.rechazar(SARA).await, factura.reabrir(LUIS).await)),
            5 => drop(factura.asignar(ANA, MARIA).await),
            _ => {}
        }
    }
    let listed = company.payables_agree().await;
    let states: std::collections::BTreeSet<&str> = listed
        .iter()
        .map(|one| one["estado"].as_str().unwrap())
        .collect();
    assert!(states.len() >= 4, "a life of only {states:?}");
    // The lists behind the first page of the dashboard are the whole of it.
    let olga = company.person(OLGA).await;
    for list in ["responsables", "acciones"] {
        let path = format!("{DASHBOARD}/{list}");
        assert_eq!(olga.list_by(&path, 1).await, olga.list(&path).await);
    }
}

#[tokio::test]
async fn whoever_acted_is_a_row_by_the_name_as_stored() {
    let company = Company::of_payables().await;
    company.pending("N-1").await.aprobar(JUAN).await.expect(200);
    company.pending("N-2").await.aprobar(LUIS).await.expect(200);
    let olga = company.person(OLGA).await;
    let path = format!("{DASHBOARD}/acciones");
    let mut found = eventually("both are counted", || async {
        let rows = olga.list(&path).await;
        (rows.len() == 2).then_some(rows)
    })
    .await;
    found.sort_by_key(|row| row["accion_por"].to_string());
    let approved = json!({ "cantidad": 1, "totales": { "COP": "4000000.00" } });
    for (row, who) in found.iter().zip([JUAN, LUIS]) {
        assert_eq!(
            json!([row["accion_por"], row["por_estado"]["aprobada"]]),
            json!([who.name, approved])
        );
    }
}
