//! The policy: whole, versioned, guarded.

use cierre_tests::{ANA, Company, LUIS, OLGA, politica};
use reqwest::Method;
use serde_json::{Value, json};

fn numbered(version: u64, mut policy: Value) -> Value {
    policy["version"] = json!(version);
    policy
}

#[tokio::test]
async fn every_put_is_a_new_version_and_old_ones_stay_readable() {
    let company = Company::of_payables().await;
    let (ana, olga) = (company.person(ANA).await, company.person(OLGA).await);
    let default = olga.get("/facturas/politica").await.expect(200);
    assert_eq!(default, numbered(0, politica(|_| {})));
    let first = politica(|policy| {
        policy["bandas"] = json!({ "COP": [
            { "hasta": "5000000.00", "aprobaciones": 1 },
            { "hasta": null, "aprobaciones": 2 },
        ], "CLP": [{ "hasta": null, "aprobaciones": 5 }] });
        policy["automatica"]["total_maximo"] = json!({ "COP": "3000000.00", "CLP": "500" });
        policy["nit_empresa"] = json!("900123456-8");
        policy["festivos_extra"] = json!(["2026-12-24", "2026-12-31"]);
    });
    let second = politica(|policy| policy["automatica"]["tolerancia_pct"] = json!("2.5"));
    for (version, policy) in [(1, &first), (2, &second)] {
        let reply = ana.put("/facturas/politica", policy.clone()).await;
        assert_eq!(reply.header("etag"), format!("\"{version}\""));
        assert_eq!(reply.expect(200), numbered(version, policy.clone()));
    }
    for (version, policy) in [(0, politica(|_| {})), (1, first), (2, second.clone())] {
        let path = format!("/facturas/politica?version={version}");
        assert_eq!(olga.get(&path).await.expect(200), numbered(version, policy));
    }
    assert_eq!(
        olga.get("/facturas/politica").await.expect(200),
        numbered(2, second)
    );
    olga.get("/facturas/politica?version=3")
        .await
        .refused(404, "not_found");
    assert_eq!(company.verify_chain("politica", "politica").await, 2);
}

#[tokio::test]
async fn a_put_for_another_version_is_refused() {
    let company = Company::of_payables().await;
    let ana = company.person(ANA).await;
    let put = async |tag: &str| {
        let put = ana
            .send(Method::PUT, "/facturas/politica")
            .header("if-match", tag);
        put.json(&politica(|_| {})).now().await
    };
    put("\"0\"").await.expect(200);
    put("\"0\"").await.refused(412, "version_mismatch");
    put("\"1\"").await.expect(200);
    put("*").await.expect(200);
    assert_eq!(
        ana.get("/facturas/politica").await.expect(200)["version"],
        3
    );
}

#[tokio::test]
async fn a_policy_is_changed_by_the_admin_alone() {
    let company = Company::of_payables().await;
    let luis = company.person(LUIS).await;
    luis.put("/facturas/politica", politica(|_| {}))
        .await
        .refused(403, "wrong_role");
    assert_eq!(
        luis.get("/facturas/politica").await.expect(200)["version"],
        0
    );
}

/// Bands up to these limits with their approvals.
fn bands(limits: &[(Option<&str>, u32)]) -> Value {
    let band = |(hasta, aprobaciones): &(Option<&str>, u32)| json!({ "hasta": hasta, "aprobaciones": aprobaciones });
    limits.iter().map(band).collect()
}

/// What is wrong with a policy, and what must be said of it.
type Row = (fn(&mut Value), &'static str, &'static str);

#[tokio::test]
async fn a_wrong_policy_is_refused_with_its_place_and_nothing_changes() {
    let company = Company::of_payables().await;
    let ana = company.person(ANA).await;
    let rows: [Row; 18] = [
        (
            |p| p["bandas"]["COP"] = bands(&[(Some("2.00"), 1), (Some("1.00"), 2), (None, 3)]),
            "/bandas/COP",
            "bandas_invalidas",
        ),
        (
            |p| p["bandas"]["COP"] = bands(&[(Some("2.00"), 1), (Some("2.00"), 2), (None, 3)]),
            "/bandas/COP",
            "bandas_invalidas",
        ),
        (
            |p| p["bandas"]["COP"] = bands(&[(Some("2.00"), 1)]),
            "/bandas/COP",
            "bandas_invalidas",
        ),
        (
            |p| p["bandas"]["COP"] = bands(&[(None, 1), (None, 2)]),
            "/bandas/COP",
            "bandas_invalidas",
        ),
        (
            |p| p["bandas"]["COP"] = bands(&[]),
            "/bandas/COP",
            "bandas_invalidas",
        ),
        (
            |p| p["bandas"]["COP"] = bands(&[(None, 0)]),
            "/bandas/COP/0/aprobaciones",
            "out_of_range",
        ),
        (
            |p| p["bandas"]["COP"] = bands(&[(None, 6)]),
            "/bandas/COP/0/aprobaciones",
            "out_of_range",
        ),
        (
            |p| p["bandas"]["GBP"] = bands(&[(None, 1)]),
            "/bandas/GBP",
            "valor_no_admitido",
        ),
        (
            |p| p["automatica"]["tolerancia_pct"] = json!("100.01"),
            "/automatica/tolerancia_pct",
            "out_of_range",
        ),
        (
            |p| p["automatica"]["tolerancia_pct"] = json!("1.005"),
            "/automatica/tolerancia_pct",
            "out_of_range",
        ),
        (
            |p| p["automatica"]["historial_minimo"] = json!(0),
            "/automatica/historial_minimo",
            "out_of_range",
        ),
        (
            |p| p["automatica"]["dias_minimos"] = json!(367),
            "/automatica/dias_minimos",
            "out_of_range",
        ),
        (
            |p| p["automatica"]["origenes"] = json!(["historico"]),
            "/automatica/origenes/0",
            "valor_no_admitido",
        ),
        (
            |p| p["automatica"]["total_maximo"] = json!({ "COP": "0.00" }),
            "/automatica/total_maximo/COP",
            "out_of_range",
        ),
        (
            |p| p["nit_empresa"] = json!("860069804-3"),
            "/nit_empresa",
            "nit_digito_invalido",
        ),
        (
            |p| p["recordatorio"] = json!({ "dias_habiles": 5, "escalar_dias_habiles": 5 }),
            "/recordatorio",
            "out_of_range",
        ),
        (
            |p| p["recordatorio"] = json!({ "dias_habiles": 5, "escalar_dias_habiles": 61 }),
            "/recordatorio",
            "out_of_range",
        ),
        (
            |p| p["festivos_extra"] = json!(["2026-02-30"]),
            "/festivos_extra/0",
            "invalid_date",
        ),
    ];
    for (wrong, place, code) in rows {
        let reply = ana.put("/facturas/politica", politica(wrong)).await;
        reply.invalid(&[(place, code)]);
    }
    let mut partial = politica(|_| {});
    partial.as_object_mut().unwrap().remove("recordatorio");
    let missing = ana.put("/facturas/politica", partial).await;
    missing.invalid(&[("/recordatorio", "required")]);
    let many: Vec<String> = (0..101)
        .map(|n| format!("20{:02}-01-01", n % 100))
        .collect();
    let many = politica(|policy| policy["festivos_extra"] = json!(many));
    assert_eq!(ana.put("/facturas/politica", many).await.status, 422);
    assert_eq!(
        ana.get("/facturas/politica").await.expect(200)["version"],
        0
    );
}
