//! Another company's facturas, jobs, uploads and settings are not there.

use cierre_tests::{
    ANA, ASEO, Company, JUAN, LUIS, LUZ, MARIA, MOTIVO, OLGA, PEDRO, Xml, body_of, politica,
};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn what_another_company_has_is_not_there() {
    let company = Company::of_payables().await;
    let other = Company::on(company.stack.clone());
    other.set_up_payables().await;
    let factura = company.pending("X-1").await;
    let delegation = company.delegate(JUAN, MARIA).await;
    company.assign(LUZ, JUAN).await;
    let pedro = company.person(PEDRO).await;
    let body = json!({ "facturas": [body_of(ASEO, "X-2", "1.00")] });
    let work = pedro.run_work("/facturas/lote", body).await;
    let carga = company.announce_xml(Xml::numbered("X-3").bytes()).await;
    company.refused_xml(b"<html/>").await;
    let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    let trabajo = format!("/facturas/trabajos/{}", id(&work));
    let before = (factura.now().await, factura.events().await);
    let stranger = other.person(ANA).await;
    let responsable = json!({ "responsable": other.named(JUAN).await });
    let words = json!({ "motivo": MOTIVO });
    let requests: Vec<(Method, String, Value)> = vec![
        (Method::GET, factura.path(""), Value::Null),
        (Method::GET, factura.path("/historial"), Value::Null),
        (Method::POST, factura.path("/aprobar"), json!({})),
        (Method::POST, factura.path("/rechazar"), words.clone()),
        (Method::POST, factura.path("/reabrir"), words),
        (Method::POST, factura.path("/asignar"), responsable),
        (Method::DELETE, factura.path(""), Value::Null),
        (Method::GET, trabajo.clone(), Value::Null),
        (Method::GET, format!("{trabajo}/resultados"), Value::Null),
        (Method::POST, format!("{trabajo}/reintentar"), json!({})),
        (
            Method::GET,
            format!("/facturas/cargas/{}", id(&carga)),
            Value::Null,
        ),
        (Method::GET, format!("/asignaciones/{LUZ}"), Value::Null),
        (Method::DELETE, format!("/asignaciones/{LUZ}"), Value::Null),
        (
            Method::DELETE,
            format!("/delegaciones/{}", id(&delegation)),
            Value::Null,
        ),
        (
            Method::GET,
            format!(
                "/activity/verify?resource_type=factura&resource_id={}",
                factura.id
            ),
            Value::Null,
        ),
        (
            Method::GET,
            format!(
                "/activity/verify?resource_type=trabajo&resource_id={}",
                id(&work)
            ),
            Value::Null,
        ),
    ];
    for (method, path, body) in requests {
        let request = stranger.send(method.clone(), &path);
        let request = if body.is_null() {
            request
        } else {
            request.json(&body)
        };
        let reply = request.now().await;
        assert_eq!(
            (reply.status, &reply.body["code"]),
            (404, &json!("not_found")),
            "{method} {path}: {}",
            reply.text
        );
    }
    assert_eq!((factura.now().await, factura.events().await), before);
    company
        .person(OLGA)
        .await
        .get(&format!("/asignaciones/{LUZ}"))
        .await
        .expect(200);
}

#[tokio::test]
async fn lists_figures_and_the_policy_are_the_own_companys() {
    let company = Company::of_payables().await;
    let other = Company::on(company.stack.clone());
    other.set_up_payables().await;
    company
        .set_policy(politica(|policy| {
            policy["permitir_autoaprobacion"] = json!(true)
        }))
        .await;
    let factura = company.pending("X-1").await;
    factura.aprobar(LUIS).await.expect(200);
    company.delegate(JUAN, MARIA).await;
    company.refused_xml(b"<html/>").await;
    company.payables_agree().await;
    let stranger = other.person(ANA).await;
    for path in [
        "/facturas",
        "/facturas?accion_por=Luis%20Rey",
        "/facturas?estado=aprobada",
        "/facturas/bandeja",
        "/facturas/rechazos-ingreso",
        "/facturas/dashboard/responsables",
        "/facturas/dashboard/acciones",
        "/delegaciones",
    ] {
        assert!(stranger.list(path).await.is_empty(), "{path}");
    }
    assert_eq!(
        stranger.get("/facturas/politica").await.expect(200)["version"],
        0
    );
    let board = stranger.get("/facturas/dashboard").await.expect(200);
    assert_eq!(board["por_estado"]["aprobada"]["cantidad"], 0);
    // The same number of the same supplier lives in both.
    let twin = other.pending("X-1").await;
    assert_ne!(twin.id, factura.id);
    other.payables_agree().await;
}
