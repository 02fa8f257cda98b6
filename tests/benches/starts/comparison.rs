//! One command beside the function that answers it here: `POST /services` in Node with the AWS SDK bundled, and in Python with the
//! idempotency utility of Powertools. Sources and pinned dependencies stand in `tests/benches/comparison`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use cierre_tests::{Company, put_section};
use serde_json::{Value, json};

use crate::ROOT;
use crate::figures::{HEADS, LINE};
use crate::functions;
use crate::program::Program;
use crate::tools::{python_named, run, version};

/// The function that answers the command here, with 40 others.
const OURS: &str = "api-billing";

const TEXT: &str = "`POST /services` with an idempotency key: the reads that it decides on, a service, its event, the stored answer. Calls and \
write units are those\nof the first request under a key. [Node](../tests/benches/comparison/node) does what `api-billing` does, in one transaction, \
and nothing else; its\nAWS SDK is bundled and minified, and the loop around it is shorter than Lambda's. \
[Python](../tests/benches/comparison/python) has AWS's own runtime\nclient and keeps the answer with the idempotency utility of Powertools, \
which writes before and after the command: a crash in between leaves an effect\nwithout an answer. Sizes are without Node and Python \
themselves.\n\n";

/// Measures all three and writes the table. What the machine has no tools for is named in it.
pub(crate) async fn measure(company: &Company) {
    let mut text = format!(
        "{TEXT}| program | {HEADS} | calls | write units |\n| --- | {LINE} | ---: | ---: |\n"
    );
    let ours = functions::of(&company.stack, OURS).await;
    let programs = [
        (
            "`api-billing`, with all its routes".to_owned(),
            Ok(ours.clone()),
        ),
        (format!("Node {}, AWS SDK v3", version("node")), node(&ours)),
        (
            format!("{}, boto3, Powertools", version(&python_named())),
            python(&ours),
        ),
    ];
    for (name, program) in programs {
        let figures = match program {
            Ok(program) => program.measure(&company.stack, event(company, &name)).await,
            Err(why) => Err(why),
        };
        match figures {
            Ok(figures) => {
                let (calls, units) = consumed(figures.invoked.answer.as_deref());
                writeln!(text, "| {name} | {} | {calls} | {units} |", figures.cells()).unwrap();
            }
            Err(why) => writeln!(text, "| {name} | not measured: {why} | | | | | | | |").unwrap(),
        }
    }
    put_section("Beside other runtimes", &text);
}

/// The request, of the company that is measured with, under a key of its own.
fn event(company: &Company, key: &str) -> String {
    let text = fs::read_to_string(format!("{ROOT}/events/{OURS}/create-service.json")).unwrap();
    let mut event: Value = serde_json::from_str(&text).unwrap();
    let claims = "/requestContext/authorizer/jwt/claims/company_id";
    *event.pointer_mut(claims).unwrap() = json!(company.id);
    let key: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
    event["headers"]["idempotency-key"] = json!(key);
    event.to_string()
}

/// Calls and write units, as the answer names them.
fn consumed(answer: Result<&str, &String>) -> (String, String) {
    let answer = answer.unwrap_or_else(|why| panic!("the command failed: {why}"));
    let answer: Value = serde_json::from_str(answer).unwrap();
    assert_eq!(answer["statusCode"], 201, "{answer}");
    let timing = answer["headers"]["server-timing"].as_str().unwrap();
    let mut numbers = timing
        .split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .filter(|word| !word.is_empty())
        .map(|word| word.trim_end_matches(".0").to_owned());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

fn node(ours: &Program) -> Result<Program, String> {
    let place = copy("node")?;
    run("npm", &["ci", "--no-audit", "--no-fund"], &place)?;
    run("npm", &["run", "build"], &place)?;
    let bundle = format!("{place}/bundle/index.cjs");
    Ok(Program {
        bytes: fs::metadata(&bundle)
            .map_err(|error| error.to_string())?
            .len(),
        command: vec![path_of("node")?, bundle],
        variables: ours.variables.clone(),
    })
}

fn python(ours: &Program) -> Result<Program, String> {
    let place = copy("python")?;
    let named = python_named();
    let install = "-m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt --target .";
    let words: Vec<&str> = install.split(' ').collect();
    run(&named, &words, &place)?;
    // As Lambda finds it after the first start of a package.
    run(&named, &["-m", "compileall", "-q", "."], &place)?;
    let mut variables = ours.variables.clone();
    variables.insert("PYTHONPATH".to_owned(), place.clone());
    variables.insert("_HANDLER".to_owned(), "handler.handler".to_owned());
    variables.insert("LAMBDA_TASK_ROOT".to_owned(), place.clone());
    Ok(Program {
        bytes: size_of(Path::new(&place)),
        command: vec![
            path_of(&named)?,
            "-m".to_owned(),
            "awslambdaric".to_owned(),
            "handler.handler".to_owned(),
        ],
        variables,
    })
}

/// A new copy of a program's folder, to build in.
fn copy(name: &str) -> Result<String, String> {
    let place = format!("{}/comparison-{name}", env!("CARGO_TARGET_TMPDIR"));
    if Path::new(&place).exists() {
        fs::remove_dir_all(&place).map_err(|error| error.to_string())?;
    }
    fs::create_dir_all(&place).map_err(|error| error.to_string())?;
    let files = fs::read_dir(format!("{ROOT}/tests/benches/comparison/{name}"));
    for file in files.map_err(|error| error.to_string())? {
        let file = file.map_err(|error| error.to_string())?;
        if file.file_type().is_ok_and(|kind| kind.is_file()) {
            let to = Path::new(&place).join(file.file_name());
            fs::copy(file.path(), to).map_err(|error| error.to_string())?;
        }
    }
    Ok(place)
}

/// Where a program really is: measured programs are started without the variables that shims and version managers go by.
fn path_of(program: &str) -> Result<String, String> {
    let ask: (&[&str], &str) = match program {
        "node" => (&["-p", "process.execPath"], "node"),
        _ => (&["-c", "import sys; print(sys.executable)"], program),
    };
    let output = Command::new(ask.1)
        .args(ask.0)
        .output()
        .map_err(|_| format!("there is no {program} here"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Bytes of all files below a folder, without what Python makes of them.
fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| match entry.file_type().unwrap().is_dir() {
            true if entry.file_name() == "__pycache__" => 0,
            true => size_of(&entry.path()),
            false => entry.metadata().unwrap().len(),
        })
        .sum()
}
