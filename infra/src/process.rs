//! Other programs: run behind a progress line with their output in a file, or in the open.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::failure::{Failure, OrFail, Result};
use crate::progress::Step;

/// How much of a failed program's output is shown.
const TAIL_LINES: usize = 25;

/// Runs `command` behind a progress line; all it prints goes to `log`, and its end is shown when it fails.
pub(crate) fn run_quietly(
    label: &str,
    command: &mut Command,
    log: &Path,
    next: &str,
) -> Result<()> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder).or_fail(
            format!("Cannot create {}", folder.display()),
            "check the permissions",
        )?;
    }
    let cannot_write = || format!("Cannot write {}", log.display());
    let file = File::create(log).or_fail(
        cannot_write(),
        "check the permissions and the space on the disk",
    )?;
    let copy = file
        .try_clone()
        .or_fail(cannot_write(), "check the space on the disk")?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(copy)
        .spawn()
        .or_fail(
            format!("Cannot start {}", command.get_program().display()),
            next,
        )?;
    let mut step = Step::begin(label);
    let status = loop {
        match child.try_wait().or_fail(
            format!("Lost sight of {}", command.get_program().display()),
            next,
        )? {
            Some(status) => break status,
            None => {
                step.say(&last_line(log));
                thread::sleep(Duration::from_millis(200));
            }
        }
    };
    if status.success() {
        step.done();
        return Ok(());
    }
    step.failed();
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let tail = lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n");
    Err(Failure::new(
        format!(
            "{tail}\n\n{label} failed ({status}). All of its output is in {}",
            log.display()
        ),
        next,
    ))
}

/// Runs `command` with its output in the open: for programs that show their own progress.
pub(crate) fn run_openly(label: &str, command: &mut Command, next: &str) -> Result<()> {
    crate::progress::heading(label);
    let status = command.status().or_fail(
        format!("Cannot start {}", command.get_program().display()),
        next,
    )?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("{label} failed ({status})."), next))
    }
}

/// Commands that run at the same time, each with its output in a file of its own. Those that are not waited for are ended.
pub(crate) struct Together(Vec<(Child, PathBuf)>);

impl Together {
    /// Starts commands; each comes with the file of its output.
    pub(crate) fn start(
        commands: impl IntoIterator<Item = (Command, PathBuf)>,
        next: &str,
    ) -> Result<Self> {
        let mut started = Self(Vec::new());
        for (mut command, log) in commands {
            let cannot_write = || format!("Cannot write {}", log.display());
            let output = File::create(&log).or_fail(cannot_write(), "check the permissions")?;
            let errors = output
                .try_clone()
                .or_fail(cannot_write(), "check the permissions")?;
            let child = command.stdout(output).stderr(errors).spawn().or_fail(
                format!("Cannot start {}", command.get_program().display()),
                next,
            )?;
            started.0.push((child, log));
        }
        Ok(started)
    }

    /// Waits until all are done; what they printed is shown one after the other.
    pub(crate) fn finish(mut self, label: &str, next: &str) -> Result<()> {
        crate::progress::heading(label);
        let mut failed = None;
        for (child, log) in &mut self.0 {
            let status = child.wait().or_fail("Cannot wait for a program", next)?;
            print!("{}", fs::read_to_string(log).unwrap_or_default());
            if !status.success() {
                failed.get_or_insert(status);
            }
        }
        match failed {
            None => Ok(()),
            Some(status) => Err(Failure::new(format!("{label} failed ({status})."), next)),
        }
    }
}

impl Drop for Together {
    fn drop(&mut self) {
        for (child, _) in &mut self.0 {
            // One that has ended cannot be ended, which is what is wanted.
            child.kill().ok();
        }
    }
}

/// What `command` prints.
pub(crate) fn output_of(label: &str, command: &mut Command, next: &str) -> Result<String> {
    let output = command.output().or_fail(
        format!("Cannot start {}", command.get_program().display()),
        next,
    )?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(
        format!("{}\n\n{label} failed ({}).", told.trim(), output.status),
        next,
    ))
}

/// The last line in a growing file, from its last few hundred bytes.
fn last_line(path: &Path) -> String {
    let mut end = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        let length = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(length.saturating_sub(400)))?;
        file.read_to_end(&mut end)
    });
    match read {
        Ok(_) => String::from_utf8_lossy(&end)
            .lines()
            .rfind(|line| !line.trim().is_empty())
            .unwrap_or_default()
            .trim()
            .chars()
            .take(100)
            .collect(),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_the_last_one_with_text() {
        let path = std::env::temp_dir().join(format!("cierre-last-line-{}", std::process::id()));
        fs::write(
            &path,
            format!("{}\nsecond\n  third  \n\n", "x".repeat(1000)),
        )
        .unwrap();
        assert_eq!(last_line(&path), "third");
        fs::remove_file(&path).unwrap();
        assert_eq!(last_line(&path), "");
    }
}
