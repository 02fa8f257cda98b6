//! Every function of the stack.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use cierre_tests::{Company, Stack, put_section};

use crate::ROOT;
use crate::figures::{HEADS, LINE};
use crate::program::Program;

const TEXT: &str = "From the beginning of the process to its first question for an event, on one machine, with the release build. Times are \
the median of 11 starts and\ndepend on the machine; instructions are counted by valgrind's callgrind and repeat. Memory is the most that the \
process held. The first event is one of\n[events/](../events), on the local stack: most of its time is the emulator's, and it goes over plain \
HTTP, so TLS is not in it.\n\n";

/// Measures them and writes the table.
pub(crate) async fn measure(company: &Company) {
    let mut text = format!("{TEXT}| function | {HEADS} |\n| --- | {LINE} |\n");
    for name in names() {
        let program = of(&company.stack, &name).await;
        let figures = program.measure(&company.stack, event(&name)).await;
        let figures = figures.unwrap_or_else(|why| panic!("{name}: {why}"));
        writeln!(text, "| `{name}` | {} |", figures.cells()).unwrap();
    }
    put_section("Starts", &text);
}

fn names() -> Vec<String> {
    let folders = fs::read_dir(format!("{ROOT}/functions")).unwrap();
    let mut names: Vec<String> = folders
        .map(|folder| folder.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The binary that is deployed, with the variables that the stack gives it.
pub(crate) async fn of(stack: &Stack, name: &str) -> Program {
    let binary = format!("{ROOT}/target/lambda/{name}/bootstrap");
    let asked = stack.lambda().get_function_configuration();
    let configured = asked.function_name(stack.function(name)).send().await;
    let variables = configured.unwrap().environment.unwrap().variables;
    Program {
        bytes: fs::metadata(&binary).unwrap().len(),
        command: vec![binary],
        variables: variables
            .unwrap_or_default()
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
    }
}

/// The first of its events.
fn event(name: &str) -> String {
    let files = fs::read_dir(format!("{ROOT}/events/{name}")).unwrap();
    let first = files.map(|file| file.unwrap().path()).min().unwrap();
    fs::read_to_string(first).unwrap()
}
