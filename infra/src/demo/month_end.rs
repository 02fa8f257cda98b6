//! The month end in six steps: three services become pendings, the pendings a batch, and the batch invoices with gap-free numbers.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::client::{Answer, Session, field};
use crate::failure::{Failure, Result};
use crate::progress::heading;

const BOOK: &str = "A-0001";
const ISSUE_DATE: &str = "2024-01-31";
/// The services that are invoiced, and what must come out: number, amount, net, IVA.
const EXPECTED: [(&str, &str, &str, &str); 3] = [
    ("A-0001-00000001", "1500.00", "1239.67", "260.33"),
    ("A-0001-00000002", "2300.50", "1901.24", "399.26"),
    ("A-0001-00000003", "850.00", "702.48", "147.52"),
];
const PATIENCE: Duration = Duration::from_secs(120);

/// Plays the month end; on a stack that has seen it, shows what it made.
pub(super) async fn play(ana: &Session) -> Result<()> {
    heading("Month end of company demo, as ana sees it through the HTTP API");
    let first = ana
        .get(&format!("/services/{}", service(1)))
        .await?
        .expect(StatusCode::OK)?;
    let batch = match first.text("/status")? {
        "INVOICED" => {
            println!("This stack has its invoices of January 2024 already.");
            let invoice = ana
                .get(&format!("/invoices/{}", first.text("/invoiceId")?))
                .await?
                .expect(StatusCode::OK)?;
            invoice.text("/batchId")?.to_owned()
        }
        _ => invoice_three(ana).await?,
    };
    show_invoices(ana, &batch).await?;
    let verified = ana
        .get(&format!("/receipt-books/{BOOK}/verify"))
        .await?
        .expect(StatusCode::OK)?;
    println!(
        "6. Receipt book {BOOK}, recomputed from the invoices themselves: valid {}, numbers {} to {}, gaps {}, duplicates {}",
        verified.body["valid"],
        verified.body["first"],
        verified.body["last"],
        verified.body["gaps"],
        verified.body["duplicates"]
    );
    Ok(())
}

/// `svc_` and n in 26 digits.
fn service(n: usize) -> String {
    format!("svc_{n:026}")
}

/// Steps 1 to 4. Answers the batch.
async fn invoice_three(ana: &Session) -> Result<String> {
    let services = ana
        .get("/services?limit=100")
        .await?
        .expect(StatusCode::OK)?;
    println!(
        "1. The company has {} services. Three of them are sent to billing:",
        services.list("/items")?.len()
    );
    let ids: Vec<String> = (1..=EXPECTED.len()).map(service).collect();
    let sent = ana
        .post("/services/send-to-billing", json!({ "serviceIds": ids }))
        .await?
        .expect(StatusCode::OK)?;
    for pending in sent.list("/pendings")? {
        println!(
            "     {}  customer {}  {:>10}",
            field(pending, "serviceDate"),
            pending["customerId"],
            field(pending, "amount")
        );
    }
    // Those that a run before this one sent and left are pendings already.
    let mut pendings: Vec<String> = sent
        .list("/pendings")?
        .iter()
        .map(|pending| field(pending, "id").to_owned())
        .collect();
    for refused in sent.list("/failed")? {
        let known = ana
            .get(&format!("/services/{}", field(refused, "id")))
            .await?
            .expect(StatusCode::OK)?;
        pendings.push(known.text("/activePendingId")?.to_owned());
    }
    println!(
        "2. Their {} pendings become a batch of receipt book {BOOK}, dated {ISSUE_DATE}:",
        pendings.len()
    );
    let order = json!({ "issueDate": ISSUE_DATE, "receiptBook": BOOK, "pendingIds": pendings });
    let accepted = ana
        .post("/billing-batches", order)
        .await?
        .expect(StatusCode::ACCEPTED)?;
    let batch = accepted.text("/batch/id")?.to_owned();
    println!("     {batch} is accepted and queued; the answer came at once");
    println!("3. Workers take it from the queue:");
    let answer = wait(ana, &batch).await?;
    println!(
        "4. One transaction gave {} invoices the numbers {} to {}",
        answer.body["batch"]["invoiceCount"],
        answer.body["batch"]["firstNumber"],
        answer.body["batch"]["lastNumber"]
    );
    Ok(batch)
}

/// Follows the batch until its invoices are complete.
async fn wait(ana: &Session, batch: &str) -> Result<Answer> {
    let started = Instant::now();
    let mut shown = String::new();
    loop {
        let answer = ana
            .get(&format!("/billing-batches/{batch}/status"))
            .await?
            .expect(StatusCode::OK)?;
        let status = answer.text("/batch/status")?;
        let materialized = answer.body["batch"]["materialized"].as_bool() == Some(true);
        let now = format!(
            "{status}, progress {} %{}",
            answer.body["jobInfo"]["progress"],
            if materialized {
                ", every invoice has its CAE"
            } else {
                ""
            }
        );
        if now != shown {
            println!("     {:>6} ms  {now}", started.elapsed().as_millis());
            shown = now;
        }
        if status == "ERROR" {
            return Err(Failure::new(
                format!(
                    "The batch ended in ERROR: {}",
                    answer.body["batch"]["errorMessage"]
                ),
                "look into the worker's log: cargo local logs run-billing-batch",
            ));
        }
        if materialized {
            return Ok(answer);
        }
        if started.elapsed() > PATIENCE {
            return Err(Failure::new(
                format!("The batch is not done after {} s.", PATIENCE.as_secs()),
                "look into the worker's log: cargo local logs run-billing-batch",
            ));
        }
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}

/// Step 5: the invoices, checked against what must come out.
async fn show_invoices(ana: &Session, batch: &str) -> Result<()> {
    let answer = ana
        .get(&format!("/invoices/by-batch/{batch}"))
        .await?
        .expect(StatusCode::OK)?;
    let invoices = answer.list("/items")?;
    println!("5. The invoices:");
    for invoice in invoices {
        println!(
            "     {}  {:>9} = {:>9} + {:>7} IVA   CAE {}   {}",
            field(invoice, "invoiceNumber"),
            field(invoice, "amount"),
            field(invoice, "netAmount"),
            field(invoice, "ivaAmount"),
            field(invoice, "cae"),
            invoice["customer"]["name"].as_str().unwrap_or_default(),
        );
    }
    let found: Vec<_> = invoices.iter().map(figures).collect();
    if found != EXPECTED {
        return Err(Failure::new(
            format!("These are not the invoices that should have come out: {EXPECTED:?}"),
            "if services of January 2024 were changed by hand on this stack, start from nothing: cargo local reset, cargo local up",
        ));
    }
    println!("     total 4650.50 = 3843.39 + 807.11 IVA");
    Ok(())
}

fn figures(invoice: &Value) -> (&str, &str, &str, &str) {
    (
        field(invoice, "invoiceNumber"),
        field(invoice, "amount"),
        field(invoice, "netAmount"),
        field(invoice, "ivaAmount"),
    )
}
