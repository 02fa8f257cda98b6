//! Recomputes from outside what must hold of a company's billing, whatever happened to it: the invariants of numbers, claims and figures.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::client::Client;
use crate::company::Company;
use crate::wait::eventually;

/// Everything that the API shows of a company's billing, at rest.
#[derive(Debug)]
pub struct Audit {
    /// Batches, newest first.
    pub batches: Vec<Value>,
    /// Pendings of every status.
    pub pendings: Vec<Value>,
    /// Invoices, in the order of their lists.
    pub invoices: Vec<Value>,
}

impl Company {
    /// Reads everything and checks every invariant over it. Call it when no batch is running.
    pub async fn audit(&self) -> Audit {
        let client = self.user("auditor").await;
        let audit = Audit {
            batches: client.list("/billing-batches").await,
            pendings: client.list("/billing-pendings").await,
            invoices: client.list("/invoices").await,
        };
        audit.check_batches();
        audit.check_pendings();
        audit.check_invoices();
        let services = client.list("/services").await;
        audit.check_services(&services);
        for batch in &audit.batches {
            check_batch_invoices(&client, batch).await;
            self.verify_chain("billing_batch", text(&batch["id"])).await;
        }
        for book in books(&client).await {
            audit.check_book(&client, &book).await;
        }
        audit.check_figures(&client).await;
        audit
    }
}

impl Audit {
    /// Invoices that stand in this book.
    pub fn invoices_of(&self, book: &str) -> Vec<&Value> {
        self.invoices
            .iter()
            .filter(|invoice| invoice["receiptBook"] == book)
            .collect()
    }

    /// Batches in this status.
    pub fn batches_in(&self, status: &str) -> usize {
        self.batches
            .iter()
            .filter(|batch| batch["status"] == status)
            .count()
    }

    fn check_batches(&self) {
        for batch in &self.batches {
            match text(&batch["status"]) {
                "PROCESSED" => {
                    assert_eq!(batch["materialized"], true, "not at rest: {batch}");
                    let (asked, done, failed) = (
                        &batch["requestedCount"],
                        &batch["invoiceCount"],
                        &batch["failedCount"],
                    );
                    assert_eq!(
                        number(asked),
                        number(done) + number(failed),
                        "counts do not add up: {batch}"
                    );
                    assert_eq!(
                        number(&batch["lastNumber"]) - number(&batch["firstNumber"]) + 1,
                        number(done)
                    );
                }
                "ERROR" => {
                    assert!(
                        batch["firstNumber"].is_null() && batch["errorMessage"].is_string(),
                        "{batch}"
                    );
                    let held = self
                        .pendings
                        .iter()
                        .filter(|pending| pending["claimedBy"] == batch["id"])
                        .count();
                    assert_eq!(held, 0, "a batch in ERROR holds {held} pendings: {batch}");
                }
                status => panic!("a batch is not at rest but {status}: {batch}"),
            }
        }
    }

    fn check_pendings(&self) {
        let invoiced: BTreeMap<&str, &Value> = self
            .invoices
            .iter()
            .map(|invoice| (text(&invoice["pendingId"]), invoice))
            .collect();
        assert_eq!(
            invoiced.len(),
            self.invoices.len(),
            "a pending has two invoices"
        );
        let mut waiting = BTreeSet::new();
        for pending in &self.pendings {
            let invoice = invoiced.get(text(&pending["id"]));
            match text(&pending["status"]) {
                "INVOICED" => assert_eq!(
                    invoice.map(|i| &i["id"]),
                    Some(&pending["invoiceId"]),
                    "{pending}"
                ),
                "PENDING" => {
                    assert!(
                        invoice.is_none(),
                        "a waiting pending is invoiced: {pending}"
                    );
                    assert!(pending["claimedBy"].is_null(), "held at rest: {pending}");
                    assert!(
                        waiting.insert(text(&pending["serviceId"])),
                        "a service waits twice: {pending}"
                    );
                }
                "CANCELLED" => assert!(
                    invoice.is_none(),
                    "a cancelled pending is invoiced: {pending}"
                ),
                status => panic!("unknown status {status}"),
            }
        }
    }

    fn check_invoices(&self) {
        let mut caes = BTreeSet::new();
        for invoice in &self.invoices {
            assert_eq!(invoice["caeStatus"], "GRANTED", "{invoice}");
            let cae = text(&invoice["cae"]);
            assert!(
                cae.len() == 14 && cae.bytes().all(|b| b.is_ascii_digit()),
                "{invoice}"
            );
            assert!(caes.insert(cae), "a CAE stands twice: {invoice}");
            assert!(
                cae.ends_with(&format!("{:08}", number(&invoice["number"]))),
                "the CAE is of another number: {invoice}"
            );
            assert_eq!(
                cents(&invoice["netAmount"]) + cents(&invoice["ivaAmount"]),
                cents(&invoice["amount"]),
                "{invoice}"
            );
            assert_eq!(
                cents(&invoice["openAmount"]) + cents(&invoice["creditedAmount"]),
                cents(&invoice["amount"]),
                "{invoice}"
            );
        }
    }

    fn check_services(&self, services: &[Value]) {
        let services: BTreeMap<&str, &Value> = services
            .iter()
            .map(|service| (text(&service["id"]), service))
            .collect();
        for invoice in &self.invoices {
            let service = services[text(&invoice["serviceId"])];
            assert_eq!(service["status"], "INVOICED", "{service}");
            assert_eq!(
                service["invoiceId"], invoice["id"],
                "a service has another invoice"
            );
            for field in ["customerId", "serviceDate", "amount"] {
                assert_eq!(
                    service[field], invoice[field],
                    "{field} of service and invoice differ: {invoice}"
                );
            }
        }
    }

    /// Numbers are 1..last without gap, dates never fall, and the book's own figures and proof agree.
    async fn check_book(&self, client: &Client, book: &Value) {
        let name = text(&book["receiptBook"]);
        let mut invoices = self.invoices_of(name);
        invoices.sort_by_key(|invoice| number(&invoice["number"]));
        let numbers: Vec<i64> = invoices
            .iter()
            .map(|invoice| number(&invoice["number"]))
            .collect();
        assert_eq!(
            numbers,
            (1..=number(&book["lastNumber"])).collect::<Vec<_>>(),
            "numbers of {name}"
        );
        assert!(
            invoices
                .windows(2)
                .all(|pair| text(&pair[0]["issueDate"]) <= text(&pair[1]["issueDate"])),
            "dates of {name} fall"
        );
        let total: i64 = invoices
            .iter()
            .map(|invoice| cents(&invoice["amount"]))
            .sum();
        assert_eq!(
            (number(&book["invoiceCount"]), cents(&book["totalAmount"])),
            (numbers.len() as i64, total),
            "{book}"
        );
        let proof = client
            .get(&format!("/receipt-books/{name}/verify"))
            .await
            .expect(200);
        assert_eq!(proof["valid"], true, "{proof}");
        assert_eq!(
            (number(&proof["count"]), cents(&proof["totalAmount"])),
            (numbers.len() as i64, total),
            "{proof}"
        );
    }

    /// Summary, statistics and job figures follow within the time that the contract allows.
    async fn check_figures(&self, client: &Client) {
        let waiting: Vec<&Value> = self
            .pendings
            .iter()
            .filter(|pending| pending["status"] == "PENDING")
            .collect();
        let customers: BTreeSet<i64> = waiting
            .iter()
            .map(|pending| number(&pending["customerId"]))
            .collect();
        let amount: i64 = waiting
            .iter()
            .map(|pending| cents(&pending["amount"]))
            .sum();
        let expected = (customers.len() as i64, waiting.len() as i64, amount);
        eventually(&format!("the summary reads {expected:?}"), || async {
            let totals = client.get("/billing-pendings/summary").await.ok()["totals"].clone();
            let read = (
                number(&totals["customers"]),
                number(&totals["count"]),
                cents(&totals["amount"]),
            );
            (read == expected).then_some(())
        })
        .await;
        let sums = |field: &str| {
            self.invoices
                .iter()
                .map(|invoice| cents(&invoice[field]))
                .sum::<i64>()
        };
        let expected = (
            self.invoices.len() as i64,
            sums("amount"),
            sums("netAmount"),
            sums("ivaAmount"),
        );
        eventually(&format!("the statistics read {expected:?}"), || async {
            let totals = client.get("/invoices/statistics").await.ok()["totals"].clone();
            let read = (
                number(&totals["invoices"]),
                cents(&totals["amount"]),
                cents(&totals["net"]),
                cents(&totals["iva"]),
            );
            (read == expected).then_some(())
        })
        .await;
        let (completed, failed) = (
            self.batches_in("PROCESSED") as i64,
            self.batches_in("ERROR") as i64,
        );
        eventually(
            &format!("no job is open, {completed} completed, and {failed} failed now"),
            || async {
                let stats = client.get("/billing-batches/queue/stats").await.ok();
                let open = number(&stats["waiting"])
                    + number(&stats["active"])
                    + number(&stats["delayed"]);
                // A retried job failed once and for all, although its batch went on.
                (open == 0
                    && number(&stats["completed"]) == completed
                    && number(&stats["failed"]) >= failed)
                    .then_some(())
            },
        )
        .await;
    }
}

/// A processed batch shows exactly its invoices, contiguous, in the order of service date and pending; another one shows none.
async fn check_batch_invoices(client: &Client, batch: &Value) {
    let id = text(&batch["id"]);
    let invoices = client.list(&format!("/invoices/by-batch/{id}")).await;
    assert_eq!(
        invoices.len() as i64,
        number(&batch["invoiceCount"]),
        "invoices of {batch}"
    );
    let numbers: Vec<i64> = invoices
        .iter()
        .map(|invoice| number(&invoice["number"]))
        .collect();
    if let Some(first) = batch["firstNumber"].as_i64() {
        assert_eq!(
            numbers,
            (first..first + numbers.len() as i64).collect::<Vec<_>>()
        );
    }
    let order: Vec<(&str, &str)> = invoices
        .iter()
        .map(|i| (text(&i["serviceDate"]), text(&i["pendingId"])))
        .collect();
    assert!(order.is_sorted(), "order of {id}: {order:?}");
    let total: i64 = invoices
        .iter()
        .map(|invoice| cents(&invoice["amount"]))
        .sum();
    assert_eq!(total, cents(&batch["totalAmount"]), "total of {batch}");
}

async fn books(client: &Client) -> Vec<Value> {
    client.list("/billing-batches/receipt-books").await
}

fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a text: {value}"))
}

fn number(value: &Value) -> i64 {
    value
        .as_i64()
        .unwrap_or_else(|| panic!("not a number: {value}"))
}

/// An amount with two decimals, in cents.
fn cents(value: &Value) -> i64 {
    let (units, cents) = text(value)
        .split_once('.')
        .unwrap_or_else(|| panic!("not an amount: {value}"));
    assert_eq!(cents.len(), 2, "not an amount: {value}");
    format!("{units}{cents}")
        .parse()
        .unwrap_or_else(|_| panic!("not an amount: {value}"))
}
