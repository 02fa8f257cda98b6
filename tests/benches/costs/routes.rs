//! Every route of the API document, once.

use cierre_tests::{Company, PASSWORD, batch_of, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use crate::some_services;
use crate::table::Table;

/// Calls every route once and answers the table. Panics when the document names a route that was not called.
pub(crate) async fn measure(company: &Company) -> String {
    let mut table = Table::new(company).await;
    table.signing_in(company).await;
    table.company(company).await;
    table.customers_and_services().await;
    let pendings = table.pendings(company).await;
    table.batches(&pendings).await;
    table.syncs().await;
    table.payroll().await;
    table.payables().await;
    table.post("/auth/logout", json!({})).await;
    table.finish()
}

impl Table {
    async fn signing_in(&mut self, company: &Company) {
        let username = company.username("admin");
        let login = json!({ "username": username, "password": PASSWORD });
        let tokens = self.post("/auth/login", login).await;
        let refresh = json!({ "refreshToken": tokens["refreshToken"] });
        self.post("/auth/refresh", refresh).await;
        self.get("/profile").await;
        // A challenge needs a user of its own, and Cognito only.
        self.leave_out("POST /auth/challenge");
        for path in ["/health", "/health/deep", "/api", "/api/openapi.json"] {
            self.get(path).await;
        }
    }

    async fn company(&mut self, company: &Company) {
        let mut settings = company.settings();
        settings["locale"] = json!("es-UY");
        let mut billing = Company::billing_settings("RESPONSABLE_INSCRIPTO");
        billing["address"] = json!("Av. Rivadavia 1, Buenos Aires");
        for (path, changed) in [
            ("/company/settings", settings),
            ("/company/settings/billing", billing),
        ] {
            self.get(path).await;
            self.row(Method::PUT, path, Some(changed)).await;
        }
        self.get("/company/users").await;
    }

    async fn customers_and_services(&mut self) {
        let customer = json!({ "customerId": 5000, "name": "Customer 5000", "ivaCondition": "CONSUMIDOR_FINAL" });
        self.post("/customers", customer).await;
        self.get("/customers/5000").await;
        self.row(
            Method::PATCH,
            "/customers/5000",
            Some(json!({ "name": "C. 5000" })),
        )
        .await;
        self.row(Method::DELETE, "/customers/5000", None).await;
        self.get("/customers").await;
        let new = json!({ "serviceDate": "2024-01-05", "customerId": 1, "amount": "1500.00" });
        let id = self.post("/services", new.clone()).await["id"].clone();
        let id = id.as_str().unwrap();
        self.post("/services/bulk", json!({ "services": vec![new; 10] }))
            .await;
        let path = format!("/services/{id}");
        self.get(&path).await;
        self.row(Method::PATCH, &path, Some(json!({ "amount": "1600.00" })))
            .await;
        self.post("/services/send-to-billing", json!({ "serviceIds": [id] }))
            .await;
    }

    async fn pendings(&mut self, company: &Company) -> Vec<String> {
        let services = company.services(&some_services(40)).await;
        self.row(Method::DELETE, &format!("/services/{}", services[0]), None)
            .await;
        let pendings = company.send(&services[1..]).await;
        let path = format!("/billing-pendings/{}", pendings[0]);
        self.get(&path).await;
        self.row(Method::DELETE, &path, None).await;
        for path in [
            "/services",
            "/billing-pendings",
            "/billing-pendings/available",
            "/billing-pendings/summary",
        ] {
            self.get(path).await;
        }
        pendings
    }

    async fn batches(&mut self, pendings: &[String]) {
        let accepted = self
            .post("/billing-batches", batch_of("A-0009", &pendings[1..11]))
            .await;
        let id = accepted["batch"]["id"].as_str().unwrap().to_owned();
        self.client.batch_end(&id).await;
        self.post(
            "/billing-batches/sync",
            batch_of("A-0009", &pendings[11..21]),
        )
        .await;
        let nothing = batch_of("A-0009", &["pen_01JD0000000000000000000001".to_owned()]);
        let refused = self.client.start_batch(nothing).await;
        self.client.batch_end(&refused).await;
        self.post(&format!("/billing-batches/{refused}/retry"), json!({}))
            .await;
        self.client.batch_end(&refused).await;
        let invoices = self.client.list(&format!("/invoices/by-batch/{id}")).await;
        let invoice = invoices[0]["id"].as_str().unwrap();
        let credit = json!({ "reason": "Servicio no prestado", "amount": "0.40" });
        // The first note of a book writes its counter anew; the second shows what all others cost.
        let path = format!("/invoices/{invoice}/credit-note");
        self.client.post(&path, credit.clone()).await.expect(201);
        self.post(&path, credit).await;
        for path in [
            format!("/billing-batches/{id}/status"),
            format!("/billing-batches/{id}/failed-pendings"),
            format!("/billing-batches/{id}"),
            "/billing-batches".to_owned(),
            "/billing-batches/receipt-books".to_owned(),
            "/billing-batches/next-invoice-number/A-0009".to_owned(),
            "/billing-batches/queue/stats".to_owned(),
            format!("/invoices/{invoice}"),
            format!("/invoices/{invoice}/credit-notes"),
            format!("/invoices/{invoice}/document"),
            "/invoices/number/A-0009-00000001".to_owned(),
            format!("/invoices/by-batch/{id}"),
            "/invoices/by-customer/1".to_owned(),
            "/invoices".to_owned(),
            "/invoices/statistics".to_owned(),
            "/receipt-books/A-0009/verify".to_owned(),
            "/activity".to_owned(),
            "/activity/counts".to_owned(),
            format!("/activity/verify?resource_type=billing_batch&resource_id={id}"),
        ] {
            self.get(&path).await;
        }
    }

    /// Two syncs of one invoice each: one is confirmed, one is cancelled.
    async fn syncs(&mut self) {
        let invoices = self.client.list("/invoices").await;
        let document = |n: usize| json!({ "invoiceIds": [invoices[n]["id"]] });
        self.post("/erp-sync/preview", document(0)).await;
        let confirmed = self.post("/erp-sync/invoices", document(0)).await;
        self.is_sent(&confirmed).await;
        let batch = json!({ "batchId": invoices[1]["batchId"] });
        let cancelled = self.post("/erp-sync/batch", batch).await;
        self.is_sent(&cancelled).await;
        let id = confirmed["id"].as_str().unwrap();
        for path in [
            "/erp-sync/history".to_owned(),
            format!("/erp-sync/{id}"),
            format!("/erp-sync/{id}/refused"),
        ] {
            self.get(&path).await;
        }
        let digest = json!({ "digest": confirmed["digest"] });
        self.post(&format!("/erp-sync/confirm/{id}"), digest).await;
        let id = cancelled["id"].as_str().unwrap();
        let reason = json!({ "reason": "Período equivocado" });
        self.post(&format!("/erp-sync/cancel/{id}"), reason).await;
    }

    async fn is_sent(&self, sync: &Value) {
        let path = format!("/erp-sync/{}", sync["id"].as_str().unwrap());
        eventually("the sync is sent", || async {
            (self.client.get(&path).await.ok()["status"] == "SENT").then_some(())
        })
        .await;
    }
}
