//! What must never stand in a log: tokens, passwords, keys, names, tax numbers, addresses, amounts, texts.

use std::collections::BTreeSet;

use cierre_tests::{Client, Company, PASSWORD, batch_of, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use super::forge::tokens_of;

/// Requests by the name of their correlation id, and a function that writes it down: the one that is called, or the worker that follows.
const TRACED: [(&str, &str); 8] = [
    ("login", "api-identity"),
    ("customer", "api-billing"),
    ("batch", "api-billing"),
    ("batch", "run-billing-batch"),
    ("sync", "api-billing"),
    ("sync", "run-erp-sync"),
    ("batch", "send-webhooks"),
    ("activity", "api-activity"),
];

/// The functions that wrote a line with this text.
async fn speakers(company: &Company, text: &str) -> BTreeSet<String> {
    let lines = company.stack.log_lines_with(text).await;
    let spoken = lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    spoken
        .filter_map(|line| line["function"].as_str().map(str::to_owned))
        .collect()
}

#[tokio::test]
async fn no_line_holds_a_secret_or_a_person() {
    let company = Company::bare().await;
    let secrets = Secrets::of(&company);
    let told = secrets.tell(&company).await;

    // The search finds what is there to be found. Without this it would pass on an empty log.
    for (name, function) in TRACED {
        let id = secrets.correlation(name);
        eventually(&format!("{function} writes {id}"), || async {
            speakers(&company, &id)
                .await
                .contains(function)
                .then_some(())
        })
        .await;
    }

    for (what, secret) in secrets.all().into_iter().chain(told) {
        let found = company.stack.log_lines_with(&secret).await;
        assert!(
            found.is_empty(),
            "{what} ({secret}) stands in the log: {found:#?}"
        );
    }
}

/// Texts that stand nowhere else.
struct Secrets {
    mark: String,
    username: String,
    tax_id: String,
}

impl Secrets {
    fn of(company: &Company) -> Self {
        let mark: String = company
            .id
            .chars()
            .rev()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        Self {
            mark,
            username: company.username("billing"),
            tax_id: Company::customer(7_654_321)["taxId"]
                .as_str()
                .unwrap()
                .to_owned(),
        }
    }

    /// A correlation id. It is made of the company's id, which lines may name, and not of the mark.
    fn correlation(&self, name: &str) -> String {
        let company: String = self.mark.chars().rev().collect();
        format!("found-{name}-{company}")
    }

    fn named(&self, name: &str) -> String {
        format!("{name}{}", self.mark)
    }

    fn all(&self) -> Vec<(&'static str, String)> {
        vec![
            (
                "a name, an e-mail address, a text, a key or a password",
                self.mark.clone(),
            ),
            ("a username", self.username.clone()),
            ("a tax number", self.tax_id.clone()),
            ("an amount", "73219.37".to_owned()),
            ("an amount in cents", "7321937".to_owned()),
            ("the password of the users", PASSWORD.to_owned()),
            (
                "a secret of an ERP",
                "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(),
            ),
            ("a token", "eyJ".to_owned()),
            ("the scheme of a token", "Bearer".to_owned()),
        ]
    }

    /// Puts them into every place that takes a text, well-formed and not; answers what the API made of them besides.
    async fn tell(&self, company: &Company) -> Vec<(&'static str, String)> {
        let [access, identity, refresh] = tokens_of(company, "billing").await;
        let admin = company.admin().await;
        let billing = company.billing().await;
        self.sign_in(company, &refresh).await;
        self.settle(&admin).await;
        let customer = self.customers(&billing).await;
        let invoice = self.invoice(company, &billing).await;
        self.sync(&admin, &billing, &invoice).await;
        self.ask(&billing, &admin).await;
        self.stumble(&billing).await;
        let signature = |token: &str| token.rsplit('.').next().unwrap().to_owned();
        vec![
            ("an access token", signature(&access)),
            ("an identity token", signature(&identity)),
            ("a refresh token", refresh),
            ("a customer", customer),
            ("a CAE", invoice["cae"].as_str().unwrap().to_owned()),
        ]
    }

    async fn sign_in(&self, company: &Company, refresh: &str) {
        let anonymous = company.stack.anonymous();
        let login = |username: &str, password: &str| {
            let request = anonymous.send(Method::POST, "/auth/login");
            let request = request.header("x-correlation-id", &self.correlation("login"));
            request
                .json(&json!({ "username": username, "password": password }))
                .now()
        };
        login(&self.username, PASSWORD).await.expect(200);
        login(&self.username, &self.named("Wrong-1!"))
            .await
            .expect(401);
        login(&self.named("nobody"), PASSWORD).await.expect(401);
        let challenge = json!({
            "challenge": "SOFTWARE_TOKEN_MFA", "session": self.named("session"), "username": self.username, "code": "123456",
        });
        anonymous.post("/auth/challenge", challenge).await;
        anonymous
            .post("/auth/refresh", json!({ "refreshToken": refresh }))
            .await
            .expect(200);
        anonymous
            .post(
                "/auth/refresh",
                json!({ "refreshToken": self.named("refresh") }),
            )
            .await
            .expect(401);
    }

    async fn settle(&self, admin: &Client) {
        let mut settings = Company::settings_of(&self.named("Company "));
        settings["tax_id"] = json!(self.tax_id);
        admin.put("/company/settings", settings.clone()).await.ok();
        settings["time_zone"] = json!(self.named("Zone/"));
        admin.put("/company/settings", settings).await.expect(422);
        let mut billing = Company::billing_settings("RESPONSABLE_INSCRIPTO");
        billing["address"] = json!(self.named("Street "));
        // Nobody listens there, so the worker has a failure to report; it must report it without the address.
        let url = format!("http://127.0.0.1:9/{0}?key={0}", self.mark);
        billing["erp"] = json!({ "connector": "http", "url": url, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" });
        billing["webhook"] =
            json!({ "url": url, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" });
        admin
            .put("/company/settings/billing", billing.clone())
            .await
            .ok();
        billing["erp"]["url"] = json!(format!("http://{}.example.com/", self.mark));
        admin
            .put("/company/settings/billing", billing)
            .await
            .expect(422);
        admin.get("/company/users").await.ok();
        admin.get("/profile").await.ok();
    }

    async fn customers(&self, billing: &Client) -> String {
        let email = format!("{}@example.com", self.mark);
        let body = json!({
            "customerId": 1, "name": self.named("Customer "), "taxId": self.tax_id, "ivaCondition": "RESPONSABLE_INSCRIPTO", "email": email,
        });
        let make = || {
            let request = billing.send(Method::POST, "/customers").json(&body);
            let request = request.header("idempotency-key", &self.named("key-"));
            request
                .header("x-correlation-id", &self.correlation("customer"))
                .now()
        };
        make().await.expect(201);
        make().await.expect(201);
        billing.post("/customers", body.clone()).await.expect(409);
        billing
            .patch("/customers/1", json!({ "name": self.named("Renamed ") }))
            .await
            .ok();
        email
    }

    async fn invoice(&self, company: &Company, billing: &Client) -> Value {
        let service = json!({
            "serviceDate": "2024-01-05", "customerId": 1, "amount": "73219.37", "description": self.named("Freight of "),
        });
        let made = billing.post("/services", service).await.expect(201);
        let pendings = company
            .send(&[made["id"].as_str().unwrap().to_owned()])
            .await;
        let request = billing.send(Method::POST, "/billing-batches");
        let request = request.header("x-correlation-id", &self.correlation("batch"));
        let batch = request
            .json(&batch_of("A-0001", &pendings))
            .now()
            .await
            .expect(202);
        let id = batch["batch"]["id"].as_str().unwrap();
        billing.batch_end(id).await;
        let invoice = billing
            .list(&format!("/invoices/by-batch/{id}"))
            .await
            .remove(0);
        let path = format!("/invoices/{}", invoice["id"].as_str().unwrap());
        let note = json!({ "reason": self.named("Lost "), "amount": "1.00" });
        billing
            .post(&format!("{path}/credit-note"), note)
            .await
            .expect(201);
        assert_eq!(billing.get(&format!("{path}/document")).await.status, 200);
        // Again in the same book, by somebody who cannot be invoiced that way.
        billing.run_batch(batch_of("B-0001", &pendings)).await;
        invoice
    }

    async fn sync(&self, admin: &Client, billing: &Client, invoice: &Value) {
        let request = billing.send(Method::POST, "/erp-sync/invoices");
        let request = request.header("x-correlation-id", &self.correlation("sync"));
        let sync = request
            .json(&json!({ "invoiceIds": [invoice["id"]] }))
            .now()
            .await
            .expect(202);
        let path = format!("/erp-sync/{}", sync["id"].as_str().unwrap());
        eventually("the sync has failed", || async {
            let now = billing.get(&path).await.ok();
            (now["status"] == "FAILED").then_some(())
        })
        .await;
        let cancel = path.replace("/erp-sync/", "/erp-sync/cancel/");
        admin
            .post(&cancel, json!({ "reason": self.named("Because ") }))
            .await;
        let confirm = path.replace("/erp-sync/", "/erp-sync/confirm/");
        admin
            .post(&confirm, json!({ "digest": self.named("digest") }))
            .await
            .expect(422);
    }

    async fn ask(&self, billing: &Client, admin: &Client) {
        let path = format!("/activity?user={}", self.username);
        let request = billing.send(Method::GET, &path);
        request
            .header("x-correlation-id", &self.correlation("activity"))
            .now()
            .await
            .expect(200);
        for path in [
            format!("/activity?user={}", self.mark),
            format!("/activity?resource_type=customer&resource_id={}", self.mark),
            format!("/activity?cursor={}", self.mark),
            format!("/activity?{}=1", self.mark),
            format!(
                "/activity/verify?resource_type=customer&resource_id={}",
                self.mark
            ),
            format!("/customers/{}", self.mark),
            format!("/invoices/number/{}", self.mark),
            format!("/receipt-books/{}/verify", self.mark),
            format!("/{}", self.mark),
        ] {
            for client in [billing, admin] {
                client.get(&path).await;
            }
        }
    }

    async fn stumble(&self, billing: &Client) {
        let company = json!({ "customerId": self.mark, "name": [self.mark], "taxId": self.mark, "email": self.mark, (self.mark.as_str()): 1 });
        billing.post("/customers", company).await.expect(422);
        let body = |body: String| {
            let request = billing.send(Method::POST, "/customers");
            request
                .header("content-type", "application/json")
                .body(body)
                .now()
        };
        body(format!("{{\"name\":\"{}\"", self.mark))
            .await
            .expect(400);
        body(format!("{{\"{0}\":1,\"{0}\":2}}", self.mark))
            .await
            .expect(422);
        for (header, value) in [
            ("idempotency-key", format!("{} with a blank", self.mark)),
            ("if-match", self.mark.clone()),
            ("x-correlation-id", format!("{} with a blank", self.mark)),
            ("user-agent", self.mark.clone()),
            ("content-type", self.mark.clone()),
            ("cookie", self.mark.clone()),
        ] {
            let patch = billing
                .send(Method::PATCH, "/customers/1")
                .header(header, &value);
            patch
                .json(&json!({ "name": self.named("Again ") }))
                .now()
                .await;
            let post = billing
                .send(Method::POST, "/customers")
                .header(header, &value);
            post.body(self.mark.clone()).now().await;
        }
    }
}
