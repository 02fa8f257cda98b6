//! October in eight steps: files are dropped into the bucket, compared, one wrong total is found and mended, and the month is sealed.

use reqwest::StatusCode;
use serde_json::Value;

use super::files::{BOOK, MOVEMENTS, drop_file, in_force, known, upload};
use super::results::{export, finalise, generate, in_state, show_discrepancy};
use super::{Closing, NAME, RUT, Stage, books, timeline, unexpected};
use crate::demo::client::field;
use crate::failure::Result;

/// The movements of October; an employee leaves on the 15th.
const MOVEMENTS_FILE: &str = "infra/src/demo/payroll/files/movimientos-2025-10.xlsx";
/// SHA-256 of the book as the specification says it has to be exported.
const EXPORTED: &str = "6488ec0aed14a3c20da8eaee9d3eeea2e36c2e2999056c4a5622638792a34a7c";

/// Plays October.
pub(super) async fn play(stage: &Stage<'_>, closing: &Closing) -> Result<()> {
    println!("1. Client {NAME}, RUT {RUT}, and its closing of 2025-10:");
    println!("     {} is {}", closing.id, closing.estado);
    let before = known(stage, closing).await?;
    println!("2. Two files are dropped into the bucket, as anybody with an S3 tool does it:");
    drop_file(stage, closing, BOOK, (books::OCTOBER_FILE, "libro.csv"))?;
    drop_file(
        stage,
        closing,
        MOVEMENTS,
        (MOVEMENTS_FILE, "movimientos.xlsx"),
    )?;
    println!("3. The bucket tells a worker, which reads them:");
    in_force(stage, closing, &[BOOK, MOVEMENTS], &before).await?;
    println!("4. What happened so far, in UTC:");
    timeline::show(stage, closing).await?;
    let found = generate(stage, closing, "discrepancias").await?;
    let open = in_state(&found, "abierta").len();
    println!("5. Discrepancies, in the book and between the files: {open} open");
    let answer = stage
        .carla
        .get(&closing.path(""))
        .await?
        .expect(StatusCode::OK)?;
    let skipped = answer.list("/resultados/discrepancias/no_evaluadas")?;
    let skipped: Vec<&str> = skipped.iter().filter_map(Value::as_str).collect();
    println!(
        "     not compared, for want of files: {}",
        skipped.join(", ")
    );
    find_wrong_total(stage, closing).await?;
    println!("7. The book as the authority takes it:");
    if export(stage, closing).await? != EXPORTED {
        return Err(unexpected(format!(
            "This is not the book that should have come out, whose SHA-256 is {EXPORTED}."
        )));
    }
    let first = generate(stage, closing, "incidencias").await?.len();
    println!(
        "8. {first} incidences, because no sealed month stands before this one. The month is sealed:"
    );
    finalise(stage, closing).await
}

/// Step 6: a book with one wrong total, and the right one again.
async fn find_wrong_total(stage: &Stage<'_>, closing: &Closing) -> Result<()> {
    println!(
        "6. The book once more, to an address that the API gives; two pesos too many in 5201 of {}:",
        books::CHANGED
    );
    replace_book(stage, closing, books::october_wrong()).await?;
    let found = generate(stage, closing, "discrepancias").await?;
    let open = in_state(&found, "abierta");
    open.iter().for_each(|one| show_discrepancy(one));
    let rules: Vec<(&str, &str)> = open
        .iter()
        .map(|one| (field(one, "regla"), field(one, "encontrado")))
        .collect();
    if rules != [("5201", "1055817")] {
        return Err(unexpected(
            "One discrepancy of total 5201 should have come out.",
        ));
    }
    let refused = stage.carla.get(&closing.path("/libro")).await?;
    println!(
        "     While it stands there is no book for the authority: {} {}",
        refused.status.as_u16(),
        field(&refused.body, "code")
    );
    println!("   The right book again:");
    replace_book(stage, closing, books::OCTOBER.to_owned()).await?;
    let found = generate(stage, closing, "discrepancias").await?;
    found.iter().for_each(show_discrepancy);
    if !in_state(&found, "abierta").is_empty() {
        return Err(unexpected("No discrepancy should have been left."));
    }
    Ok(())
}

async fn replace_book(stage: &Stage<'_>, closing: &Closing, book: String) -> Result<()> {
    let before = known(stage, closing).await?;
    upload(stage, closing, BOOK, ("libro.csv", book.into_bytes())).await?;
    in_force(stage, closing, &[BOOK], &before).await
}
