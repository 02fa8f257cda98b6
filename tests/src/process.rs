//! The processes of a function on this machine, for tests that kill them. The local stack runs each function as a process that carries the
//! function's name and the stack's address in its environment.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::stack::Stack;

/// What to do to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// It ends at once and says nothing.
    Kill,
    /// It freezes.
    Stop,
    /// It goes on where it was frozen.
    Continue,
}

impl Stack {
    /// Signals every living process of a function; answers how many there were.
    pub fn signal(&self, function: &str, signal: Signal) -> usize {
        let word = match signal {
            Signal::Kill => "-KILL",
            Signal::Stop => "-STOP",
            Signal::Continue => "-CONT",
        };
        let processes = self.processes_of(function);
        for process in &processes {
            // One that ended meanwhile needs no signal.
            let _ = Command::new("kill").args([word, process]).status();
        }
        processes.len()
    }

    /// The processor time that the busiest living process of a function has taken; nothing when none lives. What has just been started has taken
    /// next to none.
    pub fn busy(&self, function: &str) -> Duration {
        let processes = self.processes_of(function);
        let taken = processes
            .iter()
            .filter_map(|process| processor_time(process));
        taken.max().unwrap_or_default()
    }

    fn processes_of(&self, function: &str) -> Vec<String> {
        let name = format!("AWS_LAMBDA_FUNCTION_NAME={}", self.function(function));
        let endpoint = format!("AWS_ENDPOINT_URL={}", self.output("ENDPOINT_URL"));
        processes_with(&[&name, &endpoint])
    }
}

/// None when the process is gone.
fn processor_time(process: &str) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Behind the name, which may hold anything: the twelfth and thirteenth fields, in hundredths of a second.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}

fn processes_with(variables: &[&str]) -> Vec<String> {
    let entries = fs::read_dir("/proc").expect("fault tests need the process table of Linux");
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.bytes().all(|b| b.is_ascii_digit()))
        .filter(|process| {
            let environment = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
            let set: Vec<&[u8]> = environment.split(|byte| *byte == 0).collect();
            variables
                .iter()
                .all(|variable| set.contains(&variable.as_bytes()))
        })
        .collect()
}
