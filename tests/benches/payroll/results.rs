//! Discrepancies and incidences of a large book.

use std::fmt::Write as _;

use cierre_kernel::time::Instant;
use cierre_tests::{Closing, movimientos, within};
use serde_json::Value;

use crate::book::Book;
use crate::log::Log;
use crate::{BOOK, EMPLOYEES, LINES_WITHIN, employees};

/// The worker.
const WORKER: &str = "run-payroll-job";

/// Generates them for an October that holds the ordinary book, and for November; answers the table.
pub(crate) async fn measure(october: &Closing, november: &Closing) -> String {
    let mut table = String::from(
        "Of the book of the section before, and of a November in which everybody's sueldo is 30 % higher; then a total of everybody is wrong as well. \
         The seconds are the job's own. Its\nmemory is the most that the worker's process has held until then. What is found is written as objects: \
         what DynamoDB takes does not depend on how much is found.\n\n\
         | job | found | s | requests | write units | read units | write units per employee | $ per 1,000 employees | peak memory, MiB |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    let movements = movimientos(&[]);
    october
        .take("movimientos_mes", "movimientos.xlsx", &movements)
        .await;
    let mut month = Month {
        closing: october,
        table: &mut table,
    };
    month.generate("discrepancias", "of October", 0).await;
    month
        .generate("incidencias", "without a former month", 0)
        .await;
    october.finalise().await;

    november.fill(&Book::raised().csv()).await;
    let mut month = Month {
        closing: november,
        table: &mut table,
    };
    month.generate("discrepancias", "of November", 0).await;
    let everybody = u64::from(EMPLOYEES);
    for about in ["compared with October", "once more"] {
        month.generate("incidencias", about, everybody).await;
    }
    november.take(BOOK, "libro.csv", &Book::wrong().csv()).await;
    for about in ["of a wrong total", "once more"] {
        month.generate("discrepancias", about, everybody).await;
    }
    table
}

/// A closing and the table of what is generated for it.
struct Month<'a> {
    closing: &'a Closing,
    table: &'a mut String,
}

impl Month<'_> {
    /// Generates results, of which so many are open then.
    async fn generate(&mut self, what: &str, about: &str, expected: u64) {
        let log = Log::from_now();
        let job = self.closing.generate(what).await;
        let told = within(LINES_WITHIN, "the worker's line is in the log", || async {
            let told = log.told("message handled", "function");
            told.get(WORKER).copied()
        })
        .await;
        let counts = self.closing.now().await["counts"].clone();
        let count = match what {
            "discrepancias" => "discrepancias_abiertas",
            _ => "incidencias_pendientes",
        };
        assert_eq!(counts[count].as_u64(), Some(expected), "{what}: {counts}");
        let took = time(&job["fin"]).millis_since(time(&job["inicio"]));
        let each = told.cost.per(employees());
        writeln!(
            self.table,
            "| {what} {about} | {expected} | {:.2} | {} | {} | {} | {:.4} | {:.6} | {:.0} |",
            took as f64 / 1000.0,
            told.cost.requests,
            told.cost.writes,
            told.cost.reads,
            each.writes,
            each.dollars() * 1000.0,
            told.peak / 1024.0,
        )
        .unwrap();
    }
}

fn time(value: &Value) -> Instant {
    let text = value.as_str().unwrap_or_else(|| panic!("no time: {value}"));
    Instant::parse(text).unwrap()
}
