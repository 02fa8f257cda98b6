//! A company of a test's own, with the users it asks for.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_cognitoidentityprovider::types::{AttributeType, MessageActionType};
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::client::Client;
use crate::sample::NewService;
use crate::stack::{Stack, unique};

/// Of every user that a test makes.
pub const PASSWORD: &str = "Cierre-test-2026!";

/// The most services that one request may carry.
const SERVICES_AT_ONCE: usize = 1000;

/// A user to be made in the pool.
#[derive(Clone, Debug)]
pub struct User<'a> {
    /// Logs in with this.
    pub username: &'a str,
    /// The company; none for a user who belongs to none.
    pub company: Option<&'a str>,
    /// The groups.
    pub roles: &'a [&'a str],
    /// Whether the password is for good; else the first login asks for another one.
    pub permanent: bool,
}

impl Stack {
    /// Makes a user with [`PASSWORD`].
    pub async fn create_user(&self, user: &User<'_>) {
        self.create_named(user, &format!("Test {}", user.username))
            .await;
    }

    /// Makes a user with [`PASSWORD`] and this name.
    pub async fn create_named(&self, user: &User<'_>, name: &str) {
        let pool = self.output("USER_POOL_ID");
        let email = format!("{}@example.com", user.username);
        let mut attributes = vec![("name", name.to_owned()), ("email", email)];
        attributes.extend(
            user.company
                .map(|company| ("custom:company_id", company.to_owned())),
        );
        let attribute = |(name, value): (&str, String)| {
            AttributeType::builder()
                .name(name)
                .value(value)
                .build()
                .unwrap()
        };
        let cognito = self.cognito();
        cognito
            .admin_create_user()
            .user_pool_id(&pool)
            .username(user.username)
            .temporary_password(PASSWORD)
            .message_action(MessageActionType::Suppress)
            .set_user_attributes(Some(attributes.into_iter().map(attribute).collect()))
            .send()
            .await
            .unwrap();
        if user.permanent {
            let set = cognito
                .admin_set_user_password()
                .user_pool_id(&pool)
                .username(user.username);
            set.password(PASSWORD).permanent(true).send().await.unwrap();
        }
        for role in user.roles {
            let add = cognito
                .admin_add_user_to_group()
                .user_pool_id(&pool)
                .username(user.username);
            add.group_name(*role).send().await.unwrap();
        }
    }
}

/// A company that nobody else uses. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Company {
    /// The stack it is on.
    pub stack: Stack,
    /// Its id.
    pub id: String,
    clients: Arc<Mutex<HashMap<String, Client>>>,
}

impl Company {
    /// A new company on the stack under test, without settings.
    pub async fn bare() -> Self {
        Self::on(Stack::connect().await)
    }

    /// Another new company on the same stack.
    pub fn on(stack: Stack) -> Self {
        Self {
            stack,
            id: format!("t-{}", unique()),
            clients: Arc::default(),
        }
    }

    /// A new company that can invoice: settings, billing settings of an RI issuer.
    pub async fn new() -> Self {
        let company = Self::bare().await;
        company.set_up().await;
        company
    }

    /// Puts the settings of [`Company::new`].
    pub async fn set_up(&self) {
        let admin = self.admin().await;
        admin.put("/company/settings", self.settings()).await.ok();
        admin
            .put(
                "/company/settings/billing",
                Self::billing_settings("RESPONSABLE_INSCRIPTO"),
            )
            .await
            .ok();
    }

    /// Valid company settings.
    pub fn settings(&self) -> Value {
        Self::settings_of(&self.id)
    }

    /// Valid settings of the company of this id.
    pub fn settings_of(id: &str) -> Value {
        json!({
            "name": format!("Company {id}"),
            "tax_id": "30-00000000-7",
            "currency": "ARS",
            "locale": "es-AR",
            "time_zone": "America/Argentina/Buenos_Aires",
            "holidays": [],
            "trusted_cidrs": [],
        })
    }

    /// Valid billing settings for an issuer of this IVA condition; no simulated answer gets lost.
    pub fn billing_settings(condition: &str) -> Value {
        json!({
            "ivaCondition": condition,
            "address": "Av. Siempreviva 742, Buenos Aires",
            "consumerIdThreshold": "10000000.00",
            "erp": { "connector": "simulated" },
            "simulation": { "erpSuccessRate": 100, "caeLostAnswerRate": 0 },
        })
    }

    /// The username of the company's user with this role or of this word.
    pub fn username(&self, word: &str) -> String {
        format!("{word}-{}", self.id)
    }

    /// The company's user with this role and no other; made and logged in at the first call.
    pub async fn user(&self, role: &str) -> Client {
        let name = format!("Test {}", self.username(role));
        self.member(role, &name, &[role]).await
    }

    /// The company's user of this word, which its username begins with; made with this name and these roles, and logged in, at the first call.
    pub async fn member(&self, word: &str, name: &str, roles: &[&str]) -> Client {
        let mut clients = self.clients.lock().await;
        if let Some(client) = clients.get(word) {
            return client.clone();
        }
        let username = self.username(word);
        let user = User {
            username: &username,
            company: Some(&self.id),
            roles,
            permanent: true,
        };
        self.stack.create_named(&user, name).await;
        let client = Client::login(&self.stack, &username, PASSWORD).await;
        clients.insert(word.to_owned(), client.clone());
        client
    }

    /// The company's administrator.
    pub async fn admin(&self) -> Client {
        self.user("admin").await
    }

    /// The company's user of billing.
    pub async fn billing(&self) -> Client {
        self.user("billing").await
    }

    /// A customer to be made: RI, with a CUIT of its own.
    pub fn customer(id: u32) -> Value {
        json!({
            "customerId": id,
            "name": format!("Customer {id}"),
            "taxId": cuit(id),
            "ivaCondition": "RESPONSABLE_INSCRIPTO",
        })
    }

    /// Makes customers 1 to `count`, all RI with a CUIT of their own.
    pub async fn customers(&self, count: u32) {
        let billing = self.billing().await;
        let make = |id: u32| {
            let billing = billing.clone();
            async move {
                let body = Self::customer(id);
                billing.post("/customers", body).await.expect(201);
            }
        };
        let ids: Vec<u32> = (1..=count).collect();
        for some in ids.chunks(8) {
            join_all(some.iter().map(|id| make(*id))).await;
        }
    }

    /// Makes services, a thousand to a request, and answers their ids in the same order.
    pub async fn services(&self, services: &[NewService]) -> Vec<String> {
        let billing = self.billing().await;
        let mut ids = Vec::with_capacity(services.len());
        for some in services.chunks(SERVICES_AT_ONCE) {
            let bodies: Vec<Value> = some.iter().map(NewService::body).collect();
            let answer = billing
                .post("/services/bulk", json!({ "services": bodies }))
                .await
                .expect(200);
            assert_eq!(answer["failed"], json!([]));
            let mut created: Vec<(u64, String)> = array(&answer["created"])
                .iter()
                .map(|item| (item["index"].as_u64().unwrap(), text(&item["id"])))
                .collect();
            created.sort();
            assert_eq!(created.len(), some.len());
            ids.extend(created.into_iter().map(|(_, id)| id));
        }
        ids
    }

    /// Sends services to billing and answers their pendings' ids in the same order.
    pub async fn send(&self, services: &[String]) -> Vec<String> {
        let billing = self.billing().await;
        let mut pendings = Vec::with_capacity(services.len());
        for some in services.chunks(SERVICES_AT_ONCE) {
            let answer = billing
                .post("/services/send-to-billing", json!({ "serviceIds": some }))
                .await
                .expect(200);
            assert_eq!(answer["failed"], json!([]));
            let by_service: HashMap<String, String> = array(&answer["pendings"])
                .iter()
                .map(|pending| (text(&pending["serviceId"]), text(&pending["id"])))
                .collect();
            pendings.extend(some.iter().map(|id| by_service[id].clone()));
        }
        pendings
    }

    /// Services that are made and sent at once; answers the pendings' ids.
    pub async fn pendings(&self, services: &[NewService]) -> Vec<String> {
        let ids = self.services(services).await;
        self.send(&ids).await
    }

    /// The sum of the events of a company by type, as the counters say.
    pub async fn event_total(&self) -> u64 {
        self.admin().await.get("/activity/counts").await.ok()["total"]
            .as_u64()
            .unwrap()
    }

    /// Verifies a resource's chain and answers the number of its events.
    pub async fn verify_chain(&self, resource_type: &str, resource_id: &str) -> u64 {
        let path =
            format!("/activity/verify?resource_type={resource_type}&resource_id={resource_id}");
        let answer = self.admin().await.get(&path).await.expect(200);
        assert_eq!(
            answer["valid"], true,
            "the chain of {resource_type} {resource_id} does not hold: {answer}"
        );
        answer["events"].as_u64().unwrap()
    }
}

fn array(value: &Value) -> &[Value] {
    value.as_array().expect("a list").as_slice()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// A valid CUIT for a number below ten million.
fn cuit(number: u32) -> String {
    const WEIGHTS: [u32; 10] = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2];
    // Some bodies have no valid check digit; the next prefix then has one.
    ["30", "33", "34", "20", "27"]
        .into_iter()
        .find_map(|prefix| {
            let body = format!("{prefix}{number:08}");
            let sum: u32 = body
                .bytes()
                .zip(WEIGHTS)
                .map(|(digit, weight)| u32::from(digit - b'0') * weight)
                .sum();
            match 11 - sum % 11 {
                11 => Some(format!("{body}0")),
                10 => None,
                digit => Some(format!("{body}{digit}")),
            }
        })
        .expect("one of the prefixes fits")
}
