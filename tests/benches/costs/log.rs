//! What the functions wrote down about themselves while a measurement ran.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::cost::Cost;

/// The stack's log from one moment on.
pub(crate) struct Log {
    file: String,
    from: usize,
}

/// The sums over the lines of one kind.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    pub(crate) cost: Cost,
    /// Lines.
    pub(crate) lines: u32,
    /// Changes of the stream in them.
    pub(crate) changes: f64,
    /// Peak memory of a process, in KiB.
    pub(crate) peak: f64,
}

impl Log {
    /// What is written from now on.
    pub(crate) fn from_now() -> Self {
        let file = std::env::var("CIERRE_LOG").expect("`cargo local bench` names the stack's log");
        let from = usize::try_from(fs::metadata(&file).unwrap().len()).unwrap();
        Self { file, from }
    }

    /// The lines with this message.
    pub(crate) fn lines(&self, message: &str) -> Vec<Value> {
        let text = fs::read(&self.file).unwrap();
        let text = String::from_utf8_lossy(text.get(self.from..).unwrap_or_default()).into_owned();
        text.lines()
            .filter(|line| line.starts_with('{'))
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|line| line["message"] == message)
            .collect()
    }

    /// The lines with this message, summed up by the value of one of their fields.
    pub(crate) fn told(&self, message: &str, by: &str) -> BTreeMap<String, Told> {
        let mut sums: BTreeMap<String, Told> = BTreeMap::new();
        for line in self.lines(message) {
            let sum = sums
                .entry(line[by].as_str().unwrap_or_default().to_owned())
                .or_default();
            sum.cost = [sum.cost, Cost::of_line(&line)].into_iter().sum();
            sum.lines += 1;
            sum.changes += line["changes"].as_f64().unwrap_or_default();
            sum.peak = sum
                .peak
                .max(line["peak_memory_kib"].as_f64().unwrap_or_default());
        }
        sums
    }
}
