//! The processes of a function on this machine, for tests that kill them. The local stack runs each function as a process that carries the
//! function's name and the stack's address in its environment.

use std::fs;
use std::process::Command;

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
        let name = format!("AWS_LAMBDA_FUNCTION_NAME={}", self.function(function));
        let endpoint = format!("AWS_ENDPOINT_URL={}", self.output("ENDPOINT_URL"));
        let word = match signal {
            Signal::Kill => "-KILL",
            Signal::Stop => "-STOP",
            Signal::Continue => "-CONT",
        };
        let processes = processes_with(&[&name, &endpoint]);
        for process in &processes {
            // One that ended meanwhile needs no signal.
            let _ = Command::new("kill").args([word, process]).status();
        }
        processes.len()
    }
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
