//! Invoice approval in tests: people with names, facturas and what is done to them, jobs, electronic invoices, and what the table holds.

mod agree;
mod clock;
mod drops;
mod jobs;
mod table;

use serde_json::{Value, json};

use crate::client::{Client, Reply};
use crate::company::Company;
use crate::payroll::text;

pub use agree::{accion_por_of, synchronised};
pub use clock::{after, today};
pub use drops::{Xml, latin1, xml_attached, xml_with_prefixes};
pub use table::{corrupt, edit};

/// Where facturas live.
pub const FACTURAS: &str = "/facturas";
/// Who approved by rule, in `aprobado_por`.
pub const SISTEMA_AUTO: &str = "SISTEMA_AUTO";
/// Who approved by rule, in `accion_por`.
pub const AUTOMATIZACION: &str = "SISTEMA DE AUTOMATIZACIÓN";
/// Every state.
pub const ESTADOS: [&str; 5] = [
    "pendiente",
    "en_revision",
    "aprobada",
    "aprobada_auto",
    "rechazada",
];
/// Valid NITs.
pub const NITS: [&str; 5] = [
    "860069804-2",
    "900373923-8",
    "890321567-0",
    "900123456-8",
    "800197268-4",
];
/// The supplier for whose facturas [`JUAN`] answers in [`Company::of_payables`].
pub const ASEO: &str = "900373923-8";
/// A supplier for whom nobody answers.
pub const LUZ: &str = "860069804-2";
/// A reason that is long enough.
pub const MOTIVO: &str = "No corresponde al contrato";

/// Somebody, by the word that the username begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Who {
    /// Begins the username.
    pub word: &'static str,
    /// The name that people see.
    pub name: &'static str,
    /// The roles.
    pub roles: &'static [&'static str],
}

const fn who(word: &'static str, name: &'static str, roles: &'static [&'static str]) -> Who {
    Who { word, name, roles }
}

/// Registers.
pub const PEDRO: Who = who("pedro", "Pedro Gil", &["payables"]);
/// Registers too.
pub const VERA: Who = who("vera", "Vera Paz", &["payables"]);
/// Answers for a supplier, and has no role.
pub const JUAN: Who = who("juan", "Juan Perez", &[]);
/// Stands in for somebody, and has no role.
pub const MARIA: Who = who("maria", "María García", &[]);
/// Has no role and no part.
pub const NORA: Who = who("nora", "Nora Vega", &[]);
/// A supervisor.
pub const LUIS: Who = who("luis", "Luis Rey", &["supervisor"]);
/// Another supervisor.
pub const SARA: Who = who("sara", "Sara Niño", &["supervisor"]);
/// The administrator.
pub const ANA: Who = who("ana", "Ana Ruiz", &["admin"]);
/// Reads.
pub const OLGA: Who = who("olga", "Olga Mora", &["auditor"]);
/// Everybody.
pub const ALL: [Who; 9] = [PEDRO, VERA, JUAN, MARIA, NORA, LUIS, SARA, ANA, OLGA];

/// A request body of a factura of this supplier.
pub fn body_of(nit: &str, numero: &str, total: &str) -> Value {
    json!({
        "numero": numero,
        "nit": nit,
        "proveedor": "Aseo Total SAS",
        "fecha_emision": "2026-02-05",
        "fecha_vencimiento": "2026-03-07",
        "total": total,
        "concepto": "Aseo febrero 2026",
    })
}

/// The default policy as a request writes it, changed by a function.
pub fn politica(edit: impl FnOnce(&mut Value)) -> Value {
    let mut policy = json!({
        "bandas": {},
        "automatica": {
            "activa": false,
            "tolerancia_pct": "5",
            "historial_minimo": 1,
            "total_maximo": {},
            "dias_minimos": 20,
            "origenes": ["xml"],
        },
        "permitir_autoaprobacion": false,
        "nit_empresa": null,
        "recordatorio": { "dias_habiles": 3, "escalar_dias_habiles": 5 },
        "festivos_extra": [],
    });
    edit(&mut policy);
    policy
}

/// A policy that approves by rule up to COP 3,000,000.00, whatever way a factura came.
pub fn automatica(edit: impl FnOnce(&mut Value)) -> Value {
    politica(|policy| {
        policy["automatica"]["activa"] = json!(true);
        policy["automatica"]["total_maximo"] = json!({ "COP": "3000000.00" });
        policy["automatica"]["origenes"] = json!(["json", "lote", "xml"]);
        edit(policy);
    })
}

impl Company {
    /// A new company in Colombia that approves facturas; [`JUAN`] answers for [`ASEO`].
    pub async fn of_payables() -> Self {
        let company = Self::bare().await;
        company.set_up_payables().await;
        company
    }

    /// Puts what [`Company::of_payables`] has.
    pub async fn set_up_payables(&self) {
        let mut settings = self.settings();
        settings["tax_id"] = json!("900123456-8");
        settings["currency"] = json!("COP");
        settings["locale"] = json!("es-CO");
        settings["time_zone"] = json!("America/Bogota");
        let admin = self.person(ANA).await;
        admin.put("/company/settings", settings).await.ok();
        self.assign(ASEO, JUAN).await;
    }

    /// Somebody, logged in; made at the first call.
    pub async fn person(&self, who: Who) -> Client {
        self.member(who.word, who.name, who.roles).await
    }

    /// Somebody's username; the user is made at the first call.
    pub async fn named(&self, who: Who) -> String {
        self.person(who).await;
        self.username(who.word)
    }

    /// Has somebody answer for a supplier's facturas from now on.
    pub async fn assign(&self, nit: &str, who: Who) {
        let body =
            json!({ "responsable": self.named(who).await, "nombre_proveedor": "Aseo Total SAS" });
        let admin = self.person(ANA).await;
        admin.put(&format!("/asignaciones/{nit}"), body).await.ok();
    }

    /// Sets the policy; answers it.
    pub async fn set_policy(&self, policy: Value) -> Value {
        let admin = self.person(ANA).await;
        admin.put("/facturas/politica", policy).await.expect(200)
    }

    /// Has somebody stand in for somebody from today on; answers the delegation.
    pub async fn delegate(&self, de: Who, a: Who) -> Value {
        let body = json!({
            "de": self.named(de).await,
            "a": self.named(a).await,
            "desde": today(),
            "hasta": after(7),
            "motivo": "Vacaciones",
        });
        let supervisor = self.person(LUIS).await;
        supervisor.post("/delegaciones", body).await.expect(201)
    }

    /// Registers a factura as somebody.
    pub async fn register_as(&self, who: Who, body: Value) -> Factura {
        let client = self.person(who).await;
        let reply = client.post(FACTURAS, body).await;
        let location = reply.header("location").to_owned();
        let id = text(&reply.expect(201)["id"]);
        assert_eq!(location, format!("{FACTURAS}/{id}"));
        self.factura(&id)
    }

    /// Registers a factura as [`PEDRO`].
    pub async fn register(&self, body: Value) -> Factura {
        self.register_as(PEDRO, body).await
    }

    /// A pending factura of COP 4,000,000.00 for which [`JUAN`] answers.
    pub async fn pending(&self, numero: &str) -> Factura {
        self.register(body_of(ASEO, numero, "4000000.00")).await
    }

    /// The factura with this id.
    pub fn factura(&self, id: &str) -> Factura {
        Factura {
            company: self.clone(),
            id: id.to_owned(),
        }
    }
}

/// A factura. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Factura {
    /// The company.
    pub company: Company,
    /// Its id.
    pub id: String,
}

impl Factura {
    /// The path of something of it.
    pub fn path(&self, rest: &str) -> String {
        format!("{FACTURAS}/{}{rest}", self.id)
    }

    /// As it stands.
    pub async fn now(&self) -> Value {
        let auditor = self.company.person(OLGA).await;
        auditor.get(&self.path("")).await.expect(200)
    }

    /// Its state.
    pub async fn estado(&self) -> String {
        text(&self.now().await["estado"])
    }

    /// A command to it by somebody.
    pub async fn command(&self, who: Who, command: &str, body: Value) -> Reply {
        let client = self.company.person(who).await;
        client.post(&self.path(&format!("/{command}")), body).await
    }

    /// Somebody approves.
    pub async fn aprobar(&self, who: Who) -> Reply {
        self.command(who, "aprobar", json!({})).await
    }

    /// Somebody rejects.
    pub async fn rechazar(&self, who: Who) -> Reply {
        self.command(who, "rechazar", json!({ "motivo": MOTIVO }))
            .await
    }

    /// Somebody begins another round.
    pub async fn reabrir(&self, who: Who) -> Reply {
        self.command(who, "reabrir", json!({ "motivo": MOTIVO }))
            .await
    }

    /// Somebody says who answers for it.
    pub async fn asignar(&self, who: Who, responsable: Who) -> Reply {
        let body = json!({ "responsable": self.company.named(responsable).await });
        self.command(who, "asignar", body).await
    }

    /// Somebody deletes it.
    pub async fn eliminar(&self, who: Who) -> Reply {
        let client = self.company.person(who).await;
        client.delete(&self.path("")).await
    }

    /// Every round, and every event, oldest first.
    pub async fn historial(&self) -> (Vec<Value>, Vec<Value>) {
        let auditor = self.company.person(OLGA).await;
        let path = self.path("/historial");
        let first = auditor.get(&path).await.expect(200);
        let rounds = first["workflow"].as_array().expect("rounds").clone();
        (rounds, auditor.list(&path).await)
    }

    /// Every event of it, oldest first.
    pub async fn events(&self) -> Vec<Value> {
        let auditor = self.company.person(OLGA).await;
        let path = format!("/activity?resource_type=factura&resource_id={}", self.id);
        auditor.list(&path).await
    }

    /// Its events with this action, oldest first.
    pub async fn events_of(&self, action: &str) -> Vec<Value> {
        let events = self.events().await.into_iter();
        events.filter(|event| event["action"] == action).collect()
    }

    /// Verifies its chain, which must hold every event of it; answers how many there are.
    pub async fn verify(&self) -> u64 {
        let path = format!(
            "/activity/verify?resource_type=factura&resource_id={}",
            self.id
        );
        let admin = self.company.person(ANA).await;
        let answer = admin.get(&path).await.expect(200);
        assert_eq!(
            answer["valid"], true,
            "the chain of {} does not hold: {answer}",
            self.id
        );
        let events = answer["events"].as_u64().expect("a count");
        assert_eq!(
            events,
            self.events().await.len() as u64,
            "events outside the chain"
        );
        events
    }
}
