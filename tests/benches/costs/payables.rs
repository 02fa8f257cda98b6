//! The routes of payables: a supplier's months, decided by people and by rule; and one decision on many facturas at once.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use cierre_tests::{
    ANA, ASEO, Company, FACTURAS, Factura, JUAN, LUIS, LUZ, MARIA, MOTIVO, PEDRO, Xml, after,
    automatica, body_of, corrupt, today, within,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::cost::Cost;
use crate::log::Log;
use crate::table::Table;

/// Facturas of the measured lists: more than a page of them.
const LISTED: usize = 30;
/// Facturas that are decided at once.
const AT_ONCE: usize = 500;

impl Table {
    /// Measures them in a company of their own.
    pub(crate) async fn payables(&mut self) {
        let company = Company::of_payables().await;
        let usual = std::mem::replace(&mut self.client, company.person(ANA).await);
        self.settings_of_payables(&company).await;
        self.intake(&company).await;
        self.decisions(&company).await;
        self.many(&company).await;
        self.reading(&company).await;
        self.checks(&company).await;
        self.client = usual;
    }

    async fn settings_of_payables(&mut self, company: &Company) {
        let policy = "/facturas/politica";
        self.row(Method::PUT, policy, Some(automatica(|_| {})))
            .await;
        self.get(policy).await;
        let path = format!("/asignaciones/{LUZ}");
        let body =
            json!({ "responsable": company.named(MARIA).await, "nombre_proveedor": "Luz SA" });
        self.row(Method::PUT, &path, Some(body)).await;
        self.get(&path).await;
        self.get("/asignaciones").await;
        self.row(Method::DELETE, &path, None).await;
        let body = json!({
            "de": company.username(JUAN.word),
            "a": company.username(MARIA.word),
            "desde": today(),
            "hasta": after(7),
            "motivo": "Vacaciones",
        });
        let given = self.post("/delegaciones", body).await;
        self.get("/delegaciones").await;
        let path = format!("/delegaciones/{}", text(&given["id"]));
        self.row(Method::DELETE, &path, None).await;
    }

    /// A month that people approve, the next one that the rule does, one that is deleted, and one that arrives as a document.
    async fn intake(&mut self, company: &Company) {
        let mut january = body_of(ASEO, "C-1", "1000.00");
        january["fecha_emision"] = json!("2026-01-05");
        let made = self.post(FACTURAS, january).await;
        company
            .factura(&text(&made["id"]))
            .aprobar(JUAN)
            .await
            .expect(200);
        let february = self.post(FACTURAS, body_of(ASEO, "C-2", "1000.00")).await;
        assert_eq!(february["estado"], "aprobada_auto");
        let mistaken = self.post(FACTURAS, body_of(LUZ, "C-3", "1.00")).await;
        let path = format!("{FACTURAS}/{}", text(&mistaken["id"]));
        self.row(Method::DELETE, &path, None).await;
        let invoice = Xml::numbered("C-4");
        let new = json!({ "nombre_archivo": "c-4.xml", "tamano": invoice.bytes().len() });
        let carga = self.post("/facturas/cargas", new).await;
        company.send_xml(&carga, invoice.bytes()).await;
        let id = text(&carga["id"]);
        assert_eq!(company.carga_end(&id).await["estado"], "procesada");
        self.get(&format!("/facturas/cargas/{id}")).await;
        company.refused_xml(b"<html/>").await;
        self.get("/facturas/rechazos-ingreso").await;
    }

    async fn decisions(&mut self, company: &Company) {
        let factura = company.register(body_of(LUZ, "C-5", "9.00")).await;
        let body = json!({ "responsable": company.username(JUAN.word) });
        self.post(&factura.path("/asignar"), body).await;
        let juan = company.person(JUAN).await;
        let why = json!({ "motivo": MOTIVO });
        self.post_as(&juan, &factura.path("/rechazar"), why.clone())
            .await;
        self.post(&factura.path("/reabrir"), why).await;
        self.post_as(&juan, &factura.path("/aprobar"), json!({}))
            .await;
        self.get(&factura.path("")).await;
        self.get(&factura.path("/historial")).await;
    }

    async fn many(&mut self, company: &Company) {
        let pedro = company.person(PEDRO).await;
        let bodies: Vec<Value> = (0..LISTED).map(numbered).collect();
        let work = self
            .post("/facturas/lote", json!({ "facturas": bodies }))
            .await;
        let id = text(&work["id"]);
        pedro.work_end(&id).await;
        self.get(&format!("/facturas/trabajos/{id}")).await;
        self.get(&format!("/facturas/trabajos/{id}/resultados"))
            .await;
        fail(company, &id).await;
        self.post(&format!("/facturas/trabajos/{id}/reintentar"), json!({}))
            .await;
        pedro.work_end(&id).await;
        let mut old = body_of(LUZ, "C-6", "1.00");
        old["workflow"] = json!({ "estado": "recibida" });
        let work = self
            .post("/facturas/historico", json!({ "facturas": [old] }))
            .await;
        pedro.work_end(&text(&work["id"])).await;
        let items = pedro.results(&id).await;
        let ids: Vec<&Value> = items
            .iter()
            .take(10)
            .map(|item| &item["factura_id"])
            .collect();
        let luis = company.person(LUIS).await;
        let order = json!({ "accion": "aprobar", "ids": ids });
        self.post_as(&luis, "/facturas/decisiones", order).await;
    }

    async fn reading(&mut self, company: &Company) {
        self.get(FACTURAS).await;
        self.get("/facturas?estado=pendiente&accion_por=Luis%20Rey")
            .await;
        let usual = std::mem::replace(&mut self.client, company.person(JUAN).await);
        self.get("/facturas/bandeja").await;
        self.client = usual;
        for list in ["", "/responsables", "/acciones"] {
            self.get(&format!("/facturas/dashboard{list}")).await;
        }
    }

    async fn checks(&mut self, company: &Company) {
        let ana = company.person(ANA).await;
        corrupt(&company.pending("C-7").await, "Un Extraño").await;
        for path in [
            "/facturas/consistencia",
            "/facturas/consistencia/reparar",
            "/facturas/recordatorios",
        ] {
            let work = self.post(path, json!({})).await;
            ana.work_end(&text(&work["id"])).await;
        }
        self.get("/facturas/consistencia").await;
    }
}

/// A factura of a supplier for whom nobody approves by rule.
fn numbered(nth: usize) -> Value {
    let mut body = body_of(ASEO, &format!("N-{nth}"), "9000000.00");
    body["concepto"] = json!("Vidrios");
    body
}

/// Writes into the table that a trabajo could not be done. The way there takes three attempts with their waits.
async fn fail(company: &Company, id: &str) {
    let stack = &company.stack;
    let pk = format!("{}#trb#{id}", company.id);
    let mut item = stack.payables_item(&pk, "trabajo").await;
    let before = item["doc"].as_s().unwrap();
    let after = before.replace("COMPLETADO", "ERROR");
    assert_ne!(*before, after, "the trabajo is not as it was expected");
    item.insert(
        "doc".to_owned(),
        aws_sdk_dynamodb::types::AttributeValue::S(after),
    );
    stack.put_payables_item(item).await;
}

/// What registering and deciding on many facturas in one request costs, by item, all workers together.
pub(crate) async fn at_once() -> String {
    let mut report = String::from(
        "Each item is a transaction of its own, with its event and its outcome; what follows on the streams stands apart.\n\n\
         | 500 facturas | s | items per second | requests per item | write units per item | read units per item | $ per 1,000 items |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    let company = Company::of_payables().await;
    let (pedro, luis) = (company.person(PEDRO).await, company.person(LUIS).await);
    let bodies: Vec<Value> = (0..AT_ONCE).map(numbered).collect();
    let lote = json!({ "facturas": bodies });
    let id = measure(&mut report, &pedro, "registered", "/facturas/lote", lote).await;
    let items = pedro.results(&id).await;
    let facturas: Vec<Factura> = items
        .iter()
        .map(|item| company.factura(&text(&item["factura_id"])))
        .collect();
    let mut dry = Company::order("aprobar", &facturas);
    dry["dry_run"] = json!(true);
    let path = "/facturas/decisiones";
    measure(&mut report, &luis, "approved, as a dry run", path, dry).await;
    let order = Company::order("aprobar", &facturas);
    measure(&mut report, &luis, "approved", path, order).await;
    report
}

/// Runs a trabajo, and adds what its worker wrote down about itself. Answers its id.
async fn measure(
    report: &mut String,
    client: &cierre_tests::Client,
    what: &str,
    path: &str,
    body: Value,
) -> String {
    let log = Log::from_now();
    let started = Instant::now();
    let id = client.start_work(path, body).await;
    let work = client.work_end(&id).await;
    let seconds = started.elapsed().as_secs_f64();
    assert_eq!(work["aplicados"], AT_ONCE, "{work}");
    // The emulator writes a function's lines when the function has answered.
    let long = Duration::from_secs(60);
    let cost: Cost = within(long, "the worker's lines are in the log", || async {
        let told = log.told("message handled", "function");
        told.get("run-payables-job").map(|told| told.cost)
    })
    .await;
    let all = AT_ONCE as f64;
    let each = cost.per(all);
    writeln!(
        report,
        "| {what} | {seconds:.1} | {:.0} | {:.2} | {:.2} | {:.2} | {:.4} |",
        all / seconds,
        each.requests,
        each.writes,
        each.reads,
        each.dollars() * 1000.0,
    )
    .unwrap();
    id
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
