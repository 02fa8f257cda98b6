//! Electronic invoices, dropped into the bucket: one becomes a factura, a broken one is set aside with the place of its fault.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::Value;

use super::{LUZ, Stage, facturas};
use crate::demo::bucket;
use crate::demo::client::field;
use crate::failure::{Failure, Result};

/// One that the story leaves for trying by hand, and the name to drop it under.
pub(in crate::demo) const EXAMPLE: (&str, &str) = (
    "infra/src/demo/payables/files/aseo-2025-12.xml",
    "facturas/demo/aseo-2025-12.xml",
);

const SOUND: (&str, &str) = (
    "infra/src/demo/payables/files/luz-2025-11.xml",
    "facturas/demo/luz-2025-11.xml",
);
/// The same, cut off in the middle.
const BROKEN: (&str, &str) = (
    "infra/src/demo/payables/files/luz-2025-11-cortada.xml",
    "facturas/demo/luz-2025-11-cortada.xml",
);
const PATIENCE: Duration = Duration::from_secs(120);

/// Step 7. What was dropped by an earlier run is dropped again: the same bytes under the same key have no effect.
pub(super) async fn play(stage: &Stage<'_>) -> Result<()> {
    println!("7. Two electronic invoices are dropped into the bucket, one of them cut off:");
    for (file, key) in [SOUND, BROKEN] {
        bucket::drop(
            stage.project,
            stage.stack,
            stage.outputs,
            file,
            key,
            "application/xml",
        )?;
    }
    let found = wait(stage, &format!("/facturas?nit={LUZ}"), |_| true).await?;
    facturas::show(stage, field(&found, "id")).await?;
    let refused = wait(stage, "/facturas/rechazos-ingreso?limit=100", |one| {
        field(one, "clave") == BROKEN.1
    })
    .await?;
    println!(
        "     {}: {} in line {}, column {}",
        field(&refused, "clave"),
        field(&refused, "code"),
        refused["linea"],
        refused["columna"],
    );
    Ok(())
}

/// The first entry of a list that fits, as soon as there is one.
async fn wait(stage: &Stage<'_>, list: &str, fits: impl Fn(&Value) -> bool) -> Result<Value> {
    let started = Instant::now();
    loop {
        let answer = stage.pedro.get(list).await?.expect(StatusCode::OK)?;
        if let Some(found) = answer.list("/items")?.iter().find(|one| fits(one)) {
            return Ok(found.clone());
        }
        if started.elapsed() > PATIENCE {
            return Err(Failure::new(
                format!(
                    "What was dropped is not in {list} after {} s.",
                    PATIENCE.as_secs()
                ),
                "look into the worker's log: cargo local logs receive-payables-files",
            ));
        }
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}
