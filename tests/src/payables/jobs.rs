//! Long work of payables: asked for, waited for, its items.

use serde_json::{Value, json};

use super::{FACTURAS, Factura};
use crate::client::{Client, Reply};
use crate::company::Company;
use crate::payroll::{WORK_ENDS_WITHIN, text};
use crate::wait::within;

/// The path of something of a trabajo.
fn path_of(id: &str, rest: &str) -> String {
    format!("{FACTURAS}/trabajos/{id}{rest}")
}

impl Client {
    /// Asks for long work; answers the id of the trabajo.
    pub async fn start_work(&self, path: &str, body: Value) -> String {
        let reply = self.post(path, body).await;
        accepted(reply)
    }

    /// A trabajo as it stands.
    pub async fn work(&self, id: &str) -> Value {
        self.get(&path_of(id, "")).await.expect(200)
    }

    /// Waits until a trabajo is over, and answers it. What is processed must not fall on the way, and must add up.
    pub async fn work_end(&self, id: &str) -> Value {
        let reached = std::sync::atomic::AtomicU64::new(0);
        within(WORK_ENDS_WITHIN, &format!("trabajo {id} ends"), || async {
            let work = self.work(id).await;
            let count = |name: &str| {
                work[name]
                    .as_u64()
                    .unwrap_or_else(|| panic!("no {name}: {work}"))
            };
            let processed = count("procesados");
            let before = reached.fetch_max(processed, std::sync::atomic::Ordering::Relaxed);
            assert!(processed >= before, "processed fell from {before}: {work}");
            assert_eq!(
                processed,
                count("aplicados") + count("no_aplicados"),
                "{work}"
            );
            let over = match work["estado"].as_str().expect("a state") {
                "EN_COLA" | "EN_PROCESO" => false,
                "COMPLETADO" => {
                    assert_eq!(processed, count("total"), "{work}");
                    true
                }
                "ERROR" => {
                    assert!(
                        work["error"].as_str().is_some_and(|text| !text.is_empty()),
                        "{work}"
                    );
                    true
                }
                other => panic!("{other} is no state of a trabajo"),
            };
            assert_eq!(work["terminado_en"].is_string(), over, "{work}");
            over.then_some(work)
        })
        .await
    }

    /// The items of a trabajo, in order of their index.
    pub async fn results(&self, id: &str) -> Vec<Value> {
        self.list(&path_of(id, "/resultados")).await
    }

    /// Asks for long work and waits for its end, which must be a good one; answers the trabajo.
    pub async fn run_work(&self, path: &str, body: Value) -> Value {
        let id = self.start_work(path, body).await;
        let work = self.work_end(&id).await;
        assert_eq!(work["estado"], "COMPLETADO", "{work}");
        work
    }

    /// As [`Client::run_work`]; answers what became of the items.
    pub async fn outcomes(&self, path: &str, body: Value) -> Vec<Value> {
        let work = self.run_work(path, body).await;
        let items = self.results(&text(&work["id"])).await;
        assert_eq!(
            items.len() as u64,
            work["total"].as_u64().unwrap(),
            "{work}"
        );
        for (nth, item) in items.iter().enumerate() {
            assert_eq!(item["indice"].as_u64(), Some(nth as u64), "{item}");
        }
        items
    }
}

/// The id of a trabajo that was accepted.
#[track_caller]
fn accepted(reply: Reply) -> String {
    let location = reply.header("location").to_owned();
    let work = reply.expect(202);
    let id = text(&work["id"]);
    assert_eq!(location, path_of(&id, ""));
    assert_eq!(
        json!([work["procesados"], work["terminado_en"]]),
        json!([0, null]),
        "{work}"
    );
    id
}

impl Company {
    /// A decision on many facturas.
    pub fn order(accion: &str, facturas: &[Factura]) -> Value {
        let ids: Vec<&str> = facturas.iter().map(|factura| &*factura.id).collect();
        let mut body = json!({ "accion": accion, "ids": ids });
        if accion == "rechazar" {
            body["motivo"] = json!(super::MOTIVO);
        }
        body
    }

    /// Sends the message of a trabajo once more, as a queue that delivers twice would.
    pub async fn resend_work(&self, id: &str) {
        let body = json!({ "companyId": self.id, "trabajoId": id, "correlationId": "twice" });
        self.send_to("PAYABLES_JOBS_QUEUE_URL", &body.to_string())
            .await;
    }

    /// Waits until no message of payables waits or is being worked on. For tests that run alone.
    pub async fn payables_queues_are_empty(&self) {
        within(WORK_ENDS_WITHIN, "payables' queues are empty", || async {
            let mut waiting = 0;
            for queue in [
                "PAYABLES_FILES_QUEUE_URL",
                "PAYABLES_JOBS_QUEUE_URL",
                "PAYABLES_DLQ_URL",
            ] {
                waiting += self.messages(queue).await;
            }
            (waiting == 0).then_some(())
        })
        .await;
    }
}
