//! The table of payables, seen and changed from behind: what no command does, so that the checks have something to find.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use super::Factura;
use crate::stack::Stack;

/// The attribute that holds an item's document.
const DOC: &str = "doc";

fn string(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

impl Stack {
    /// An item of payables' table; empty when there is none.
    pub async fn payables_item(&self, pk: &str, sk: &str) -> HashMap<String, AttributeValue> {
        let get = self
            .dynamodb()
            .get_item()
            .table_name(self.output("PAYABLES_TABLE"));
        let get = get.key("pk", string(pk)).key("sk", string(sk));
        let answer = get.consistent_read(true).send().await;
        answer.expect("the table answers").item.unwrap_or_default()
    }

    /// Puts an item into payables' table, whatever stood there.
    pub async fn put_payables_item(&self, item: HashMap<String, AttributeValue>) {
        let put = self
            .dynamodb()
            .put_item()
            .table_name(self.output("PAYABLES_TABLE"));
        put.set_item(Some(item))
            .send()
            .await
            .expect("the table answers");
    }

    /// Takes an item out of payables' table.
    pub async fn drop_payables_item(&self, pk: &str, sk: &str) {
        let delete = self
            .dynamodb()
            .delete_item()
            .table_name(self.output("PAYABLES_TABLE"));
        let delete = delete.key("pk", string(pk)).key("sk", string(sk));
        delete.send().await.expect("the table answers");
    }
}

impl Factura {
    /// The partition of it.
    pub fn pk(&self) -> String {
        format!("{}#fac#{}", self.company.id, self.id)
    }

    /// The sort key of one of its rounds.
    pub fn round_sk(ronda: u32) -> String {
        format!("ronda#{ronda:05}")
    }
}

/// Writes the document of a factura anew, changed by a function, as its next version: the figures count versions. Nothing else of it changes: no event,
/// no index.
pub async fn edit(factura: &Factura, change: impl FnOnce(&mut Value)) {
    let stack = &factura.company.stack;
    let mut item = stack.payables_item(&factura.pk(), "factura").await;
    let doc = item[DOC].as_s().expect("a document is text");
    let mut doc: Value = serde_json::from_str(doc).expect("a document is JSON");
    let before = doc.clone();
    change(&mut doc);
    assert_ne!(doc, before, "nothing was changed");
    let version = doc["factura"]["version"].as_u64().expect("a version") + 1;
    doc["factura"]["version"] = json!(version);
    item.insert(DOC.to_owned(), string(doc.to_string()));
    item.insert("version".to_owned(), number(version));
    stack.put_payables_item(item).await;
}

/// Makes a factura say that somebody of another name acted on it than its round says. It diverges in `accion_por` and in nothing else.
pub async fn corrupt(factura: &Factura, nombre: &str) {
    edit(factura, |doc| {
        let fields = doc.pointer_mut("/factura/sincronizado");
        let fields = fields.expect("a factura keeps what follows from its round together");
        let id = fields["accion_por"]["id"].clone();
        fields["accion_por"] = json!({ "nombre": nombre, "id": id });
    })
    .await;
}
