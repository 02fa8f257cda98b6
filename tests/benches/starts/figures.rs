//! What was measured of a program, as the cells of a table.

use std::time::Duration;

/// A program's start and its first event.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) bytes: u64,
    pub(crate) start: Duration,
    pub(crate) instructions: Option<u64>,
    pub(crate) memory_kib: u64,
    pub(crate) invoked: Invoked,
}

/// The first event of a process.
#[derive(Clone, Debug)]
pub(crate) struct Invoked {
    pub(crate) time: Duration,
    pub(crate) memory_kib: u64,
    pub(crate) answer: Result<String, String>,
}

/// The heads of [`Figures::cells`].
pub(crate) const HEADS: &str = "size, MB | start, ms | start, million instructions | memory at the start, MiB | first event, ms | memory after it, MiB";
/// Their alignment.
pub(crate) const LINE: &str = "---: | ---: | ---: | ---: | ---: | ---:";

impl Figures {
    pub(crate) fn cells(&self) -> String {
        let instructions = match self.instructions {
            Some(count) => format!("{:.2}", count as f64 / 1e6),
            None => "no valgrind here".to_owned(),
        };
        format!(
            "{:.2} | {:.1} | {instructions} | {:.1} | {:.0} | {:.1}",
            self.bytes as f64 / 1e6,
            self.start.as_secs_f64() * 1e3,
            self.memory_kib as f64 / 1024.0,
            self.invoked.time.as_secs_f64() * 1e3,
            self.invoked.memory_kib as f64 / 1024.0,
        )
    }
}
