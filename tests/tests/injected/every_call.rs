//! Every call of every operation x {fails before, answer lost after, the caller dies before, dies after} x {delivered once, twice}.

use std::collections::{BTreeMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use cierre_tests::{Call, Fault, Plan, Reach, Stack, Template};
use futures::FutureExt;
use futures::future::join_all;
use tokio::sync::Mutex;

use crate::ALONE;
use crate::drive::{Case, Site, Took};
use crate::operation::{Effort, OPERATIONS, Operation};

/// Cases at the same time.
const SITES: usize = 8;
/// In one case of so many the end is looked at through the API too, which takes as many calls as everything else.
const SHOWN: usize = 4;
/// Runs only the cases whose name contains this.
const CHOICE: &str = "CIERRE_FAULT_CASE";

/// A case under its name.
struct Named {
    name: String,
    case: Case,
}

/// What is known after all cases.
#[derive(Default)]
struct Report {
    failures: Vec<String>,
    /// By operation: cases, sweeps, dead letters, ends in an error.
    sums: BTreeMap<&'static str, [u32; 4]>,
    swept: Vec<String>,
}

#[tokio::test]
async fn every_call_may_fail() {
    let _alone = ALONE.lock().await;
    let started = Instant::now();
    let stack = Stack::connect().await;
    let tables = stack.tables_apart().await;
    let sites = join_all((0..SITES).map(|_| Site::new(&stack, &tables))).await;
    let most = OPERATIONS.map(|operation| operation.sent).into_iter().max();
    let template = Template::make(&sites[0].direct, most.unwrap() as u32, 3).await;
    let mut cases = VecDeque::new();
    for operation in OPERATIONS {
        for twice in [false, true] {
            let calls = calls_of(operation, twice, &sites[0], &template).await;
            eprintln!("{}, twice {twice}: {} calls", operation.name, calls.len());
            cases.extend(cases_of(operation, twice, &calls));
        }
    }
    if let Ok(choice) = std::env::var(CHOICE) {
        cases.retain(|named| named.name.contains(&choice));
    }
    let count = cases.len();
    let (cases, report) = (Mutex::new(cases), Mutex::new(Report::default()));
    let work = sites.iter().map(|site| async {
        while let Some(named) = { cases.lock().await.pop_front() } {
            let run = named.case.run(site, &template);
            let outcome = AssertUnwindSafe(run).catch_unwind().await;
            let outcome = outcome.map_err(|panic| described(&*panic, &site.proxy.calls()));
            report.lock().await.add(named, outcome);
        }
    });
    join_all(work).await;
    report.into_inner().end(count, started);
}

/// The calls of a run without faults.
async fn calls_of(
    operation: Operation,
    twice: bool,
    site: &Site,
    template: &Template,
) -> Vec<Call> {
    let case = Case {
        operation,
        plan: Plan::Clean,
        twice,
        succeeds: true,
        shown: true,
    };
    let took = case.run(site, template).await;
    assert_eq!(
        took.sweeps, 0,
        "{}: without faults nothing is lost",
        operation.name
    );
    took.calls
}

fn cases_of(operation: Operation, twice: bool, calls: &[Call]) -> Vec<Named> {
    let mut cases = Vec::new();
    for number in 0..calls.len() {
        for (fault, reach) in faults_of(number, calls, twice, operation.effort) {
            let times = if twice { "twice" } else { "once" };
            let name = operation.name;
            let plan = Plan::At {
                call: number,
                fault,
                reach,
            };
            let shown = cases.len().is_multiple_of(SHOWN);
            cases.push(Named {
                name: format!("{name} / call {number} / {fault:?} / {reach:?} / {times}"),
                case: Case {
                    operation,
                    plan,
                    twice,
                    succeeds: reach != Reach::Triggers,
                    shown,
                },
            });
        }
    }
    cases
}

/// What is tried at a call.
///
/// That it fails and that its answer is lost, however often it is repeated: the two are one for a call that changes nothing. Then, for what is
/// delivered once, the death of whoever calls, before each call that changes something: between two of them, no place differs from another.
/// And what could make a difference besides. Forms that look the same to the caller take turns.
fn faults_of(number: usize, calls: &[Call], twice: bool, effort: Effort) -> Vec<(Fault, Reach)> {
    let call = &calls[number];
    let (fails, lost) = if number.is_multiple_of(2) {
        (Fault::Closed, Fault::LostByError)
    } else {
        (Fault::Unavailable, Fault::LostByClosing)
    };
    let mut faults = Vec::new();
    if effort == Effort::Full || !(twice && call.reads()) {
        faults.push((fails, Reach::Call));
    }
    if !call.reads() {
        faults.push((lost, Reach::Call));
    }
    if twice {
        return faults;
    }
    if number + 1 == calls.len() {
        faults.push((Fault::DiesAfter, Reach::Try));
    }
    if !call.reads() {
        faults.push((Fault::DiesBefore, Reach::Try));
    }
    if effort >= Effort::Lasting && !call.reads() {
        faults.push((Fault::DiesBefore, Reach::Triggers));
        faults.push((lost, Reach::Triggers));
    }
    if effort < Effort::Full {
        return faults;
    }
    faults.push((fails, Reach::Triggers));
    // A single try makes a difference where no token tells the service that a repeat is one.
    if !call.reads() && !call.has_token() {
        faults.push((lost, Reach::Try));
    }
    // Elsewhere it looks like any other failure.
    if !call.reads() || call.is_batch() {
        faults.push((Fault::Throttled, Reach::Call));
    }
    if Fault::Conflict.fits(call) {
        faults.push((Fault::Conflict, Reach::Try));
        faults.push((Fault::Conflict, Reach::Call));
    }
    faults
}

/// Why a case failed, and what it had done.
fn described(panic: &(dyn std::any::Any + Send), calls: &[Call]) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    let lines = calls.iter().enumerate();
    let lines = lines.map(|(number, call)| format!("    {number:3} {call}\n"));
    format!(
        "{}\n{}",
        text.unwrap_or_default(),
        lines.collect::<String>()
    )
}

impl Report {
    fn add(&mut self, named: Named, outcome: Result<Took, String>) {
        let sums = self.sums.entry(named.case.operation.name).or_default();
        sums[0] += 1;
        match outcome {
            Ok(took) => {
                sums[1] += took.sweeps;
                sums[2] += took.dead_letters;
                sums[3] += took.errors;
                if took.sweeps > 0 && named.case.succeeds {
                    self.swept.push(named.name);
                }
            }
            Err(why) => self.failures.push(format!("{}: {why}", named.name)),
        }
    }

    fn end(self, count: usize, started: Instant) {
        eprintln!("{count} cases in {} s", started.elapsed().as_secs());
        for (name, [cases, sweeps, dead_letters, errors]) in &self.sums {
            eprintln!(
                "{name}: {cases} cases, {sweeps} sweeps, {dead_letters} dead letters, {errors} ended in an error"
            );
        }
        eprintln!("swept after one fault:\n  {}", self.swept.join("\n  "));
        assert!(
            self.failures.is_empty(),
            "{} of {count} cases failed:\n\n{}",
            self.failures.len(),
            self.failures.join("\n")
        );
    }
}
