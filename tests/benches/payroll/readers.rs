//! Who reads a book: the product's own reader, and those of Python in an environment of the project's own.

use std::fs;
use std::path::Path;

use crate::ROOT;
use crate::process::{Run, best};
use crate::tools::{python_named, run};

/// Pinned packages and a program for each reader.
const BOOKS: &str = "tests/benches/comparison/books";

/// Our own; it must have read everybody without an error.
pub(crate) fn ours(file: &str) -> Run {
    // `cargo local bench` builds it as the functions are built.
    let program = format!(
        "{}/../release/examples/measure",
        env!("CARGO_TARGET_TMPDIR")
    );
    let run = best(&program, &["read", crate::BOOK, file]);
    let run = run.unwrap_or_else(|why| panic!("{why}; `cargo local bench payroll` builds it"));
    let expected = format!("{} rows, ", crate::EMPLOYEES);
    let said = &run.said;
    assert!(
        said.starts_with(&expected) && said.contains(" 0 errors,"),
        "{file}: {said}"
    );
    run
}

/// A reader in Python, by its program's name; it must have read so many cells. Answers what it took, and which version it is.
pub(crate) fn theirs(name: &str, file: &str, cells: usize) -> Result<(Run, String), String> {
    let python = python()?;
    let program = format!("{ROOT}/{BOOKS}/{name}.py");
    let run = best(&python, &[&program, file])?;
    let (read, version) = run.said.trim().split_once(' ').unwrap_or_default();
    assert_eq!(read, cells.to_string(), "{name} did not read everything");
    let version = version.to_owned();
    Ok((run, version))
}

/// The Python of the environment, which is made when it is not there or other packages are pinned.
fn python() -> Result<String, String> {
    let place = format!("{}/comparison-books", env!("CARGO_TARGET_TMPDIR"));
    let python = format!("{place}/bin/python");
    let requirements = format!("{ROOT}/{BOOKS}/requirements.txt");
    let wanted = fs::read_to_string(&requirements).map_err(|error| error.to_string())?;
    let stamp = format!("{place}/installed-for");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(python);
    }
    if Path::new(&place).exists() {
        fs::remove_dir_all(&place).map_err(|error| error.to_string())?;
    }
    run(&python_named(), &["-m", "venv", &place], ROOT)?;
    let install =
        "-m pip install --quiet --disable-pip-version-check --require-hashes --requirement";
    let mut words: Vec<&str> = install.split(' ').collect();
    words.push(&requirements);
    run(&python, &words, ROOT)?;
    fs::write(&stamp, wanted).map_err(|error| error.to_string())?;
    Ok(python)
}
