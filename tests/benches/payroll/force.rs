//! A book from the bucket into force: what its worker wrote down about it.

use std::fmt::Write as _;
use std::time::Instant;

use cierre_tests::{Closing, within};
use serde_json::Value;

use crate::log::{Log, Told};
use crate::{BOOK, EMPLOYEES, LINES_WITHIN, employees};

/// The worker.
const WORKER: &str = "receive-payroll-files";
/// The contract's limits for a book of this size.
const LONGEST: f64 = 10.0;
const MOST_KIB: f64 = 512.0 * 1024.0;

/// The rows so far, and what broke a limit.
pub(crate) struct Table {
    rows: String,
    over: Vec<String>,
}

impl Table {
    pub(crate) fn new() -> Self {
        Self {
            rows: String::new(),
            over: Vec::new(),
        }
    }

    /// Puts a book into a closing.
    pub(crate) async fn measure(&mut self, closing: &Closing, name: &str, bytes: &[u8]) {
        let log = Log::from_now();
        let announced = closing.announce(BOOK, name, bytes).await;
        closing.put(&announced.upload, bytes).await;
        let arrived = Instant::now();
        let file = closing.file_end(&announced.id).await;
        let seen = arrived.elapsed().as_secs_f64();
        assert_eq!(
            (&file["estado"], file["filas"].as_u64()),
            (&Value::from("procesado"), Some(u64::from(EMPLOYEES))),
            "{file}"
        );
        let (line, told) = within(
            LINES_WITHIN,
            "the worker's lines are in the log",
            || async {
                let line = log.lines("file processed").pop()?;
                let told = log.told("message handled", "function");
                Some((line, *told.get(WORKER)?))
            },
        )
        .await;
        self.row(name, &line, &told, seen);
    }

    fn row(&mut self, name: &str, line: &Value, told: &Told, seen: f64) {
        let figure = |field: &str| {
            let figure = line[field].as_f64();
            figure.unwrap_or_else(|| panic!("no {field} in {line}"))
        };
        let seconds = figure("duration_ms") / 1000.0;
        let peak = figure("peak_memory_kib").max(told.peak);
        let each = told.cost.per(employees());
        writeln!(
            self.rows,
            "| {name} | {:.1} | {seconds:.2} | {:.0} | {:.0} | {seen:.1} | {} | {} | {} | {:.4} | {:.4} | {:.6} |",
            figure("bytes") / 1e6,
            figure("rows") / seconds,
            peak / 1024.0,
            told.cost.requests,
            told.cost.writes,
            told.cost.reads,
            each.requests,
            each.writes,
            each.dollars() * 1000.0,
        )
        .unwrap();
        if seconds > LONGEST {
            self.over.push(format!("{name} took {seconds:.2} s"));
        }
        if peak >= MOST_KIB {
            self.over.push(format!("{name} took {peak} KiB"));
        }
    }

    /// The table.
    pub(crate) fn text(&self) -> String {
        format!(
            "The same book, put to the address that the API gives. The worker's time begins when it has received the file and ends when that is in \
             force: the object read, every cell checked, rows written to the bucket,\nthe switch committed. At most {LONGEST} s and {} MiB are allowed. Its memory is the most that its process \
             has held until then. From the end of the upload until the API tells\n`procesado`, the emulator's queue is in it as well. Rows are objects, so what \
             DynamoDB takes does not depend on their number.\n\n\
             | file | MB | worker, s | rows per second | peak memory, MiB | upload to procesado, s | requests | write units | read units \
             | requests per employee | write units per employee | $ per 1,000 employees |\n\
             | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n{}",
            MOST_KIB / 1024.0,
            self.rows
        )
    }

    /// Panics when a file took more than the contract allows.
    pub(crate) fn within_the_limits(&self) {
        assert!(self.over.is_empty(), "over the limits: {:?}", self.over);
    }
}
