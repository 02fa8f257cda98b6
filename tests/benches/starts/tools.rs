//! Programs of the machine that others are compared with.

use std::process::Command;

/// The Python of the comparisons.
pub(crate) fn python_named() -> String {
    std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

/// What a program says about itself; nothing when it is not there.
pub(crate) fn version(program: &str) -> String {
    let asked = Command::new(program).arg("--version").output();
    let said = asked.map_or_else(|_| Vec::new(), |output| output.stdout);
    String::from_utf8_lossy(&said).trim().to_owned()
}

/// Runs a program in a folder.
pub(crate) fn run(program: &str, arguments: &[&str], place: &str) -> Result<(), String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(place)
        .output()
        .map_err(|_| format!("there is no {program} here"))?;
    if output.status.success() {
        return Ok(());
    }
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    Err(format!("`{program} {}` failed", arguments.join(" ")))
}
