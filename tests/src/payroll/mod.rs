//! Payroll in tests: companies that close months, their closings, files and jobs.

mod book;
mod drops;
mod events;
mod workbook;

use std::time::Duration;

use cierre_kernel::canonical::sha256_hex;
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Client, Reply};
use crate::company::Company;
use crate::wait::within;

pub use book::{GOLDEN, Libro, rut, table};
pub use drops::Dropped;
pub(crate) use drops::Told;
pub use events::{keys, names};
pub use workbook::{Sheet, movimientos, movimientos_with, repacked, workbook};

/// Where every route of payroll begins.
pub const NOMINA: &str = "/api/nomina";
/// The RUT of the client whose exported book the contract gives.
pub const GOLDEN_CLIENT: &str = "76086428-5";
/// The month of that book.
pub const GOLDEN_MONTH: &str = "2025-10";
/// Longer than three attempts with their waits and the time after which a dead worker is noticed.
pub const WORK_ENDS_WITHIN: Duration = Duration::from_secs(150);
/// A justification, a comment and a reason that are long enough.
pub const WORDS: &str = "Se revisó con el cliente y está bien";

/// States in which a worker is done with a file.
const ENDS: [&str; 5] = [
    "procesado",
    "con_errores",
    "error",
    "reemplazado",
    "eliminado",
];

impl Company {
    /// A new company that closes payrolls, with settings of Chile.
    pub async fn of_payroll() -> Self {
        let company = Self::bare().await;
        company.set_up_payroll().await;
        company
    }

    /// Puts the settings of [`Company::of_payroll`].
    pub async fn set_up_payroll(&self) {
        let mut settings = self.settings();
        settings["tax_id"] = json!("76086428-5");
        settings["currency"] = json!("CLP");
        settings["locale"] = json!("es-CL");
        settings["time_zone"] = json!("America/Santiago");
        let admin = self.admin().await;
        admin.put("/company/settings", settings).await.ok();
    }

    /// Who enters files and explains what changed.
    pub async fn analyst(&self) -> Client {
        self.user("payroll").await
    }

    /// Who approves, and opens closings again.
    pub async fn supervisor(&self) -> Client {
        self.user("supervisor").await
    }

    /// Who reads everything and changes nothing.
    pub async fn auditor(&self) -> Client {
        self.user("auditor").await
    }

    /// Makes a client of this RUT; answers its id.
    pub async fn cliente(&self, rut: &str) -> String {
        let body = json!({ "rut": rut, "nombre": format!("Cliente {rut}") });
        let analyst = self.analyst().await;
        let made = analyst.post(&format!("{NOMINA}/clientes"), body).await;
        text(&made.expect(201)["id"])
    }

    /// A new client's closing of the golden month.
    pub async fn closing(&self) -> Closing {
        let cliente = self.cliente(GOLDEN_CLIENT).await;
        self.closing_of(&cliente, GOLDEN_MONTH).await
    }

    /// Begins a client's closing of a month.
    pub async fn closing_of(&self, cliente: &str, periodo: &str) -> Closing {
        let body = json!({ "cliente_id": cliente, "periodo": periodo });
        let analyst = self.analyst().await;
        let made = analyst.post(&format!("{NOMINA}/cierres"), body).await;
        Closing {
            id: text(&made.expect(201)["id"]),
            company: self.clone(),
            cliente: cliente.to_owned(),
            periodo: periodo.to_owned(),
        }
    }
}

/// A closing of a client's month. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Closing {
    /// The company.
    pub company: Company,
    /// The client's id.
    pub cliente: String,
    /// Its own id.
    pub id: String,
    /// `YYYY-MM`.
    pub periodo: String,
}

/// A file that was announced.
#[derive(Clone, Debug)]
pub struct Announced {
    /// Its id.
    pub id: String,
    /// How its bytes are to be sent.
    pub upload: Value,
}

impl Closing {
    /// The path of something in it.
    pub fn path(&self, rest: &str) -> String {
        format!("{NOMINA}/cierres/{}{rest}", self.id)
    }

    /// The path of one of its files.
    pub fn file_path(&self, archivo: &str, rest: &str) -> String {
        self.path(&format!("/archivos/{archivo}{rest}"))
    }

    /// As it stands.
    pub async fn now(&self) -> Value {
        self.company
            .analyst()
            .await
            .get(&self.path(""))
            .await
            .expect(200)
    }

    /// Its state.
    pub async fn estado(&self) -> String {
        text(&self.now().await["estado"])
    }

    /// Reads a list of it to the end.
    pub async fn list(&self, rest: &str) -> Vec<Value> {
        self.company.analyst().await.list(&self.path(rest)).await
    }

    /// A command to it by the analyst.
    pub async fn post(&self, rest: &str, body: Value) -> Reply {
        self.company
            .analyst()
            .await
            .post(&self.path(rest), body)
            .await
    }

    /// Announces a file.
    pub async fn announce(&self, tipo: &str, nombre: &str, bytes: &[u8]) -> Announced {
        let body = json!({ "tipo": tipo, "nombre": nombre, "tamano": bytes.len() });
        let made = self.post("/archivos", body).await.expect(201);
        assert_eq!(made["estado"], "esperando");
        Announced {
            id: text(&made["archivo_id"]),
            upload: made["upload"].clone(),
        }
    }

    /// Sends the bytes of an announced file, exactly as it was told to.
    pub async fn put(&self, upload: &Value, bytes: &[u8]) {
        let method: Method = text(&upload["method"]).parse().unwrap();
        let mut request = self
            .company
            .stack
            .http()
            .request(method, text(&upload["url"]));
        for (name, value) in upload["headers"].as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap());
        }
        let answer = request.body(bytes.to_vec()).send().await.unwrap();
        let status = answer.status();
        let said = answer.text().await.unwrap();
        assert!(
            status.is_success(),
            "the upload is refused with {status}: {said}"
        );
    }

    /// Announces a file and sends it; answers its id.
    pub async fn send(&self, tipo: &str, nombre: &str, bytes: &[u8]) -> String {
        let announced = self.announce(tipo, nombre, bytes).await;
        self.put(&announced.upload, bytes).await;
        announced.id
    }

    /// Announces a file, sends it, and waits for its end.
    pub async fn upload(&self, tipo: &str, nombre: &str, bytes: &[u8]) -> Value {
        let id = self.send(tipo, nombre, bytes).await;
        self.file_end(&id).await
    }

    /// As [`Closing::upload`]; the file must come into force. Answers its id.
    pub async fn take(&self, tipo: &str, nombre: &str, bytes: &[u8]) -> String {
        let file = self.upload(tipo, nombre, bytes).await;
        assert_eq!(
            (&file["estado"], &file["vigente"]),
            (&json!("procesado"), &json!(true)),
            "{file}: {:#?}",
            self.findings(&text(&file["id"])).await
        );
        text(&file["id"])
    }

    /// A file as it stands.
    pub async fn file(&self, archivo: &str) -> Value {
        let client = self.company.analyst().await;
        client.get(&self.file_path(archivo, "")).await.expect(200)
    }

    /// Waits until a worker is done with a file, and answers it.
    pub async fn file_end(&self, archivo: &str) -> Value {
        within(
            WORK_ENDS_WITHIN,
            &format!("file {archivo} ends"),
            || async {
                let file = self.file(archivo).await;
                ENDS.contains(&file["estado"].as_str().unwrap())
                    .then_some(file)
            },
        )
        .await
    }

    /// What was found in a file.
    pub async fn findings(&self, archivo: &str) -> Vec<Value> {
        let client = self.company.analyst().await;
        client.list(&self.file_path(archivo, "/errores")).await
    }

    /// Uploads a book and an empty movimientos_mes; both come into force.
    pub async fn fill(&self, libro: &[u8]) -> [String; 2] {
        [
            self.take("libro_remuneraciones", "libro.csv", libro).await,
            self.take("movimientos_mes", "movimientos.xlsx", &movimientos(&[]))
                .await,
        ]
    }

    /// Asks for `discrepancias` or `incidencias`; answers the job's id.
    pub async fn ask_for(&self, what: &str) -> String {
        let reply = self.post(&format!("/{what}"), json!({})).await;
        let location = reply.header("location").to_owned();
        let accepted = reply.expect(202);
        let id = text(&accepted["trabajo_id"]);
        assert_eq!(location, format!("{NOMINA}/trabajos/{id}"));
        id
    }

    /// A job as it stands.
    pub async fn job(&self, id: &str) -> Value {
        let client = self.company.analyst().await;
        client
            .get(&format!("{NOMINA}/trabajos/{id}"))
            .await
            .expect(200)
    }

    /// Waits until a job is over, and answers it. Its progress must not fall on the way.
    pub async fn job_end(&self, id: &str) -> Value {
        let reached = std::sync::atomic::AtomicU64::new(0);
        within(WORK_ENDS_WITHIN, &format!("job {id} ends"), || async {
            let job = self.job(id).await;
            let progress = job["progreso"].as_u64().expect("a progress");
            let before = reached.fetch_max(progress, std::sync::atomic::Ordering::Relaxed);
            assert!(progress >= before, "progress fell from {before}: {job}");
            let estado = job["estado"].as_str().unwrap();
            ["completado", "error"].contains(&estado).then_some(job)
        })
        .await
    }

    /// Generates `discrepancias` or `incidencias`; the job must succeed.
    pub async fn generate(&self, what: &str) -> Value {
        let id = self.ask_for(what).await;
        let job = self.job_end(&id).await;
        assert_eq!(
            (&job["estado"], &job["progreso"]),
            (&json!("completado"), &json!(100)),
            "{job}"
        );
        job
    }

    /// Both results, and the seal.
    pub async fn finish(&self) -> Value {
        self.generate("discrepancias").await;
        self.generate("incidencias").await;
        self.finalise().await
    }

    /// Finalises it; answers the seal.
    pub async fn finalise(&self) -> Value {
        self.post("/finalizar", json!({})).await.expect(200)
    }

    /// Opens it again.
    pub async fn reopen(&self) -> Value {
        let supervisor = self.company.supervisor().await;
        let body = json!({ "motivo": WORDS });
        supervisor
            .post(&self.path("/reabrir"), body)
            .await
            .expect(200)
    }

    /// The bytes of a download, which must be as long and have the digest that were told.
    pub async fn download(&self, descarga: &Value) -> Vec<u8> {
        let url = text(&descarga["url"]);
        let answer = self.company.stack.http().get(url).send().await.unwrap();
        assert!(answer.status().is_success(), "{descarga}: {answer:?}");
        let bytes = answer.bytes().await.unwrap().to_vec();
        assert_eq!(
            (descarga["bytes"].as_u64(), descarga["sha256"].as_str()),
            (Some(bytes.len() as u64), Some(&*sha256_hex(&bytes))),
            "{descarga}"
        );
        bytes
    }

    /// The book for the authority: its name and bytes.
    pub async fn export(&self) -> (String, Vec<u8>) {
        let client = self.company.analyst().await;
        let answer = client
            .get(&self.path("/libro?formato=csv"))
            .await
            .expect(200);
        let descarga = &answer["descarga"];
        (text(&descarga["nombre"]), self.download(descarga).await)
    }
}

/// A value that is a text.
#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a text: {value}"))
        .to_owned()
}
