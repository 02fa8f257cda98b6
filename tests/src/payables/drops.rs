//! Electronic invoices: made, dropped into the bucket, and what the bucket says of them.

use serde_json::{Value, json};

use super::{Factura, OLGA, PEDRO};
use crate::company::Company;
use crate::payroll::{Dropped, Told, WORK_ENDS_WITHIN, text};
use crate::stack::unique;
use crate::wait::within;

const PLAIN: &str = include_str!("../../../shared/payables/src/ubl/samples/plain.xml");
const ATTACHED: &str = include_str!("../../../shared/payables/src/ubl/samples/attached.xml");
const PREFIXES: &str = include_str!("../../../shared/payables/src/ubl/samples/prefixes.xml");
/// What the XML intake consumes.
const FILES: &str = "receive-payables-files";

/// An electronic invoice of Aseo Total S.A.S. & Cía, NIT 900373923-8, over COP 8,500,000.00, in UTF-8.
#[derive(Clone, Debug)]
pub struct Xml(pub String);

impl Xml {
    /// With this number.
    pub fn numbered(numero: &str) -> Self {
        Self(PLAIN.to_owned()).with("SETP990000002", numero)
    }

    /// With a piece replaced, which must be there.
    pub fn with(self, piece: &str, other: &str) -> Self {
        assert!(self.0.contains(piece), "no {piece} in the invoice");
        Self(self.0.replace(piece, other))
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// An `AttachedDocument` around an invoice of Luz SA, NIT 860069804-2, with this number over USD 310.50.
pub fn xml_attached(numero: &str) -> Vec<u8> {
    ATTACHED.replace("FV-77", numero).into_bytes()
}

/// An invoice of Compañía Eléctrica Ñandú, NIT 890321567-0, with other prefixes and in ISO-8859-1, over COP 120,000.00.
pub fn xml_with_prefixes(numero: &str) -> Vec<u8> {
    latin1(&PREFIXES.replace("E/2026/3", numero))
}

/// A text in ISO-8859-1.
pub fn latin1(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).expect("a letter of ISO-8859-1"))
        .collect()
}

impl Company {
    /// The key under which an electronic invoice of the company is dropped.
    pub fn xml_key(&self, name: &str) -> String {
        format!("facturas/{}/{name}.xml", self.id)
    }

    /// Drops an object under a new key; answers what was put.
    pub async fn drop_xml(&self, bytes: &[u8]) -> Dropped {
        let key = self.xml_key(&format!("f-{}", unique()));
        self.stack.drop_at(&key, bytes).await
    }

    /// Drops an electronic invoice and waits for its factura, of this number.
    pub async fn taken(&self, bytes: &[u8], numero: &str) -> Factura {
        self.drop_xml(bytes).await;
        self.factura_numbered(numero).await
    }

    /// Waits for the factura with this number.
    pub async fn factura_numbered(&self, numero: &str) -> Factura {
        let auditor = self.person(OLGA).await;
        let what = format!("{numero} is a factura");
        let found = within(WORK_ENDS_WITHIN, &what, || async {
            let listed = auditor.list(super::FACTURAS).await;
            listed.into_iter().find(|one| one["numero"] == numero)
        })
        .await;
        self.factura(&text(&found["id"]))
    }

    /// The rejections of this key, newest first.
    pub async fn rejections_of(&self, key: &str) -> Vec<Value> {
        let auditor = self.person(OLGA).await;
        let listed = auditor.list("/facturas/rechazos-ingreso").await;
        listed
            .into_iter()
            .filter(|one| one["clave"] == key)
            .collect()
    }

    /// Drops an object and waits for its rejection.
    pub async fn refused_xml(&self, bytes: &[u8]) -> Value {
        let dropped = self.drop_xml(bytes).await;
        self.rejection_of(&dropped.key).await
    }

    /// Waits for the rejection of a key.
    pub async fn rejection_of(&self, key: &str) -> Value {
        within(WORK_ENDS_WITHIN, &format!("{key} is refused"), || async {
            self.rejections_of(key).await.into_iter().next()
        })
        .await
    }

    /// Announces an upload as [`PEDRO`]; answers the carga.
    pub async fn announce_xml(&self, bytes: &[u8]) -> Value {
        let body = json!({ "nombre_archivo": "factura.xml", "tamano": bytes.len() });
        let client = self.person(PEDRO).await;
        client.post("/facturas/cargas", body).await.expect(201)
    }

    /// Sends bytes to the address of a carga; answers the bucket's status.
    pub async fn send_xml(&self, carga: &Value, bytes: &[u8]) -> u16 {
        let put = self.stack.http().put(text(&carga["url"]));
        let answer = put
            .body(bytes.to_vec())
            .send()
            .await
            .expect("the bucket answers");
        answer.status().as_u16()
    }

    /// Waits until an upload is something, and answers it.
    pub async fn carga_end(&self, id: &str) -> Value {
        let auditor = self.person(OLGA).await;
        within(WORK_ENDS_WITHIN, &format!("carga {id} ends"), || async {
            let carga = auditor
                .get(&format!("/facturas/cargas/{id}"))
                .await
                .expect(200);
            let over = ["procesada", "rechazada"]
                .iter()
                .any(|word| carga["estado"] == *word);
            over.then_some(carga)
        })
        .await
    }

    /// What the bucket would say of an object, with this sequencer.
    pub fn xml_notice(&self, dropped: &Dropped, bytes: &[u8], sequencer: &str) -> Value {
        let told = Told {
            key: dropped.key.clone(),
            version: dropped.version.clone(),
            etag: String::new(),
            sequencer: sequencer.to_owned(),
            bytes: bytes.len() as u64,
        };
        self.stack.notice_of(&told, "2026-02-06T12:00:00.000Z")
    }

    /// Has the XML intake handle what the bucket says, at once and in this order.
    pub async fn hand_xml(&self, notices: &[Value]) {
        self.stack.hand_over(FILES, notices).await;
    }
}
