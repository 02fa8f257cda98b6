//! The payroll story: a client's October, from files in the bucket to a seal, and the November that is measured by it.
//!
//! A month that was sealed on this stack is shown and left alone. One that an earlier run left half done is begun again: every step may be
//! repeated.

mod books;
mod files;
mod november;
mod october;
mod results;
mod timeline;

use reqwest::StatusCode;
use serde_json::json;

use super::client::{Answer, Session, field};
use crate::deploy::Outputs;
use crate::failure::{Failure, Result};
use crate::progress::heading;
use crate::project::Project;
use crate::stack::Stack;

const NAME: &str = "Comercial Andes SpA";
const RUT: &str = "76086428-5";

/// What the story is told with.
struct Stage<'a> {
    project: &'a Project,
    stack: &'a Stack,
    outputs: &'a Outputs,
    /// Writes payroll.
    carla: Session,
    /// The second pair of eyes.
    diego: Session,
}

/// A closing as it stood when the story came to it.
struct Closing {
    id: String,
    periodo: &'static str,
    estado: String,
    sellos: u64,
}

impl Closing {
    /// A path below it.
    fn path(&self, rest: &str) -> String {
        format!("/api/nomina/cierres/{}{rest}", self.id)
    }

    /// Where a file of it belongs in the bucket.
    fn key(&self, kind: &str, name: &str) -> String {
        format!("payroll/demo/{}/{kind}/{name}", self.id)
    }
}

/// Tells the story; on a stack that has seen it, shows the seals. Answers a file, and where it can be dropped: in a month that is begun and open.
pub(super) async fn play(
    project: &Project,
    stack: &Stack,
    outputs: &Outputs,
    api: &str,
) -> Result<(&'static str, String)> {
    heading("Two months of payroll, as carla sees them through the HTTP API and the bucket");
    let stage = Stage {
        project,
        stack,
        outputs,
        carla: Session::log_in(api, "carla").await?,
        diego: Session::log_in(api, "diego").await?,
    };
    let client = client(&stage).await?;
    let october = closing(&stage, &client, "2025-10").await?;
    if october.sellos == 0 {
        october::play(&stage, &october).await?;
    } else {
        results::show_seals(&stage, &october).await?;
    }
    let november = closing(&stage, &client, "2025-11").await?;
    if november.sellos == 0 {
        november::play(&stage, &november).await?;
    } else {
        results::show_seals(&stage, &november).await?;
    }
    println!("12. Each month's events are one chain of hashes. Recomputed:");
    timeline::verify(&stage, &october).await?;
    timeline::verify(&stage, &november).await?;
    let december = closing(&stage, &client, "2025-12").await?;
    let key = december.key(files::BOOK, "libro.csv");
    Ok((books::OCTOBER_FILE, key))
}

/// The client's id; it is entered if it is not there.
async fn client(stage: &Stage<'_>) -> Result<String> {
    let client = json!({ "rut": RUT, "nombre": NAME });
    let answer = stage.carla.post("/api/nomina/clientes", client).await?;
    created_or_known(answer, "cli_")
}

/// The closing of a month; it is begun if it is not there.
async fn closing(stage: &Stage<'_>, client: &str, periodo: &'static str) -> Result<Closing> {
    let new = json!({ "cliente_id": client, "periodo": periodo });
    let answer = stage.carla.post("/api/nomina/cierres", new).await?;
    let id = created_or_known(answer, "cie_")?;
    let answer = stage
        .carla
        .get(&format!("/api/nomina/cierres/{id}"))
        .await?
        .expect(StatusCode::OK)?;
    Ok(Closing {
        id,
        periodo,
        estado: answer.text("/estado")?.to_owned(),
        sellos: answer.body["sellos"].as_u64().unwrap_or_default(),
    })
}

/// The id of what was made, or of what was there: the refusal names it.
fn created_or_known(answer: Answer, prefix: &str) -> Result<String> {
    if answer.status == StatusCode::CONFLICT {
        let detail = field(&answer.body, "detail");
        let words = detail.split(|letter: char| letter != '_' && !letter.is_ascii_alphanumeric());
        let named = words.into_iter().find(|word| word.starts_with(prefix));
        if let Some(id) = named {
            return Ok(id.to_owned());
        }
    }
    Ok(answer.expect(StatusCode::CREATED)?.text("/id")?.to_owned())
}

/// What came out is not what the story promises.
fn unexpected(what: impl Into<String>) -> Failure {
    Failure::new(
        what,
        "if this closing was changed by hand on this stack, start from nothing: cargo local reset, cargo local up",
    )
}
