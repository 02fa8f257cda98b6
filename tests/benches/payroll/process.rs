//! What a process took, as the process table of Linux tells.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Runs of which the fastest counts.
const RUNS: u32 = 3;
/// How often a process is looked at. Its peak only grows, so all that can be missed is what it took in the last of these.
const PAUSE: Duration = Duration::from_millis(1);
/// Ticks of the process table in a second; a part of the kernel's interface.
const TICKS: f64 = 100.0;

/// What a process took.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// Seconds from its start to its end.
    pub(crate) wall: f64,
    /// Seconds of processors in its own code.
    pub(crate) user: f64,
    /// The most memory that it held at once, in KiB.
    pub(crate) peak_kib: f64,
    /// What it printed.
    pub(crate) said: String,
}

/// The fastest of some runs, with the greatest peak of all.
pub(crate) fn best(program: &str, arguments: &[&str]) -> Result<Run, String> {
    let mut best = once(program, arguments)?;
    for _ in 1..RUNS {
        let run = once(program, arguments)?;
        let peak_kib = run.peak_kib.max(best.peak_kib);
        if run.wall < best.wall {
            best = run;
        }
        best.peak_kib = peak_kib;
    }
    Ok(best)
}

fn once(program: &str, arguments: &[&str]) -> Result<Run, String> {
    let began = Instant::now();
    // It prints a line or two, which the pipe holds until it has ended.
    let process = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|error| format!("{program} cannot be started: {error}"))?;
    let place = format!("/proc/{}", process.id());
    let mut peak_kib = 0.0_f64;
    // Until somebody waits for it, what it took stays in the table.
    let (wall, user) = loop {
        let status = fs::read_to_string(format!("{place}/status")).unwrap_or_default();
        peak_kib = peak_kib.max(peak_of(&status));
        let stat = fs::read_to_string(format!("{place}/stat")).map_err(|why| why.to_string())?;
        if let Some(user) = user_at_end(&stat) {
            break (began.elapsed().as_secs_f64(), user);
        }
        thread::sleep(PAUSE);
    };
    let output = process
        .wait_with_output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("`{program} {}` failed", arguments.join(" ")));
    }
    Ok(Run {
        wall,
        user,
        peak_kib,
        said: String::from_utf8_lossy(&output.stdout).into_owned(),
    })
}

fn peak_of(status: &str) -> f64 {
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok())
        .unwrap_or_default()
}

/// Seconds of processors in its own code, once it has ended.
fn user_at_end(stat: &str) -> Option<f64> {
    // The program's name may hold blanks and parentheses; the state comes behind the last one.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ended = matches!(*fields.first()?, "Z" | "X");
    // The 14th field of all is the 12th of these.
    let ticks: f64 = fields.get(11)?.parse().ok()?;
    ended.then_some(ticks / TICKS)
}
