//! `cargo local`: the one tool around the functions. It builds them, runs the local stack, deploys the template to it, shows the
//! product at work and runs every check.

mod build;
mod checks;
mod conformance;
mod demo;
mod deploy;
mod failure;
mod logs;
mod process;
mod progress;
mod project;
mod stack;
mod tools;
mod users;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::build::{Among, Profile};
use crate::failure::{OrFail, Result};
use crate::project::Project;
use crate::stack::Stack;

/// The local stack of Cierre, and everything that is run around it.
#[derive(Debug, Parser)]
#[command(name = "cargo local", bin_name = "cargo local")]
struct Arguments {
    /// Port of the stack. Each port is a stack of its own, with its own state under .local/PORT.
    #[arg(long, global = true, value_parser = clap::value_parser!(u16).range(1024..))]
    port: Option<u16>,

    /// A template parameter for this deployment, such as WorkerTimeoutSeconds=60. May be repeated.
    #[arg(long = "set", global = true, value_name = "NAME=VALUE")]
    parameters: Vec<String>,

    /// Build as for AWS. It takes minutes longer; measurements are made this way in any case.
    #[arg(long, global = true)]
    release: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// From a bare checkout to a running stack with demo company, users and the month-end demonstration.
    Up,
    /// Everything that CI runs: format, lints, documentation, licences, template, unit and end-to-end tests on a stack of its own.
    Test {
        /// Only the end-to-end tests.
        #[arg(long)]
        end_to_end: bool,
        /// Handed on to cargo for the end-to-end tests, such as `--test faults` or the beginning of a name.
        #[arg(last = true)]
        cargo_arguments: Vec<String>,
    },
    /// Stop the stack. Its state stays for the next `up`.
    Down,
    /// What runs where, and what waits in the queues.
    Status,
    /// The log of a function, or of all.
    Logs {
        /// The function's name, such as run-billing-batch.
        function: Option<String>,
        /// Go on showing what comes.
        #[arg(long)]
        follow: bool,
    },
    /// Stop the stack and forget its state.
    Reset,
    /// Build again and deploy to the running stack.
    Deploy,
    /// The running API against its own document, with as many requests as asked for, on a stack of its own.
    Conformance {
        /// Random requests per route and user, besides those at the bounds of every parameter.
        #[arg(long, default_value_t = 10)]
        examples: u32,
    },
    /// The measurements of docs/costs.md, on a stack of its own and with functions that are built as for AWS.
    Bench {
        /// Only these: `costs` are requests and capacity units, `payroll` is a book of ten thousand employees, `starts` are starts, sizes and
        /// memory. All, unless told otherwise.
        #[arg(value_parser = checks::BENCHES)]
        programs: Vec<String>,
    },
}

const DEFAULT_PORT: u16 = 4566;
/// Tests and measurements do not disturb the stack that somebody works with.
const TEST_PORT: u16 = 4577;
const BENCH_PORT: u16 = 4588;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\n{failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let project = Project::find()?;
    let port = arguments.port.unwrap_or(match arguments.command {
        Command::Test { .. } | Command::Conformance { .. } => TEST_PORT,
        Command::Bench { .. } => BENCH_PORT,
        Command::Up
        | Command::Down
        | Command::Status
        | Command::Logs { .. }
        | Command::Reset
        | Command::Deploy => DEFAULT_PORT,
    });
    let stack = Stack::new(&project, port);
    let parameters = &arguments.parameters;
    let profile = if arguments.release {
        Profile::Release
    } else {
        Profile::Local
    };
    match arguments.command {
        Command::Up => up(&project, &stack, profile, parameters).await,
        Command::Test {
            end_to_end,
            cargo_arguments,
        } => {
            if !end_to_end {
                checks::offline(&project, &stack)?;
            }
            checks::end_to_end(&project, &stack, profile, parameters, &cargo_arguments).await
        }
        Command::Down => stack.stop(),
        Command::Status => status(&project, &stack).await,
        Command::Logs { function, follow } => {
            logs::show(&project, &stack, function.as_deref(), follow).await
        }
        Command::Reset => {
            stack.stop()?;
            stack.forget()
        }
        Command::Deploy => {
            stack.must_run().await?;
            let tools = tools::install(&project)?;
            build::functions(&project, profile, Among::Everything)?;
            deploy::deploy(&project, &stack, &tools, parameters)?;
            Ok(())
        }
        Command::Conformance { examples } => {
            checks::conformance(&project, &stack, parameters, examples).await
        }
        Command::Bench { programs } => checks::bench(&project, &stack, parameters, &programs).await,
    }
}

async fn up(
    project: &Project,
    stack: &Stack,
    profile: Profile,
    parameters: &[String],
) -> Result<()> {
    let tools = tools::install(project)?;
    build::functions(project, profile, Among::Everything)?;
    stack.start(&tools).await?;
    let outputs = deploy::deploy(project, stack, &tools, parameters)?;
    users::create(project, stack, &outputs)?;
    let drops = demo::run(project, stack, &outputs).await?;
    println!(
        "\n{}\n\n{}",
        stack.describe(&outputs),
        stack.next_things(&outputs, &drops)
    );
    Ok(())
}

async fn status(project: &Project, stack: &Stack) -> Result<()> {
    if !stack.answers().await {
        println!(
            "The stack on port {} is not running. `cargo local up` starts it.",
            stack.port()
        );
        return Ok(());
    }
    let outputs = deploy::outputs(stack)?;
    let mut report = stack.describe(&outputs);
    report.push_str("\n\nQueues: messages waiting, in work, delayed\n");
    for (name, counts) in stack.queue_counts(project, &outputs)? {
        report.push_str(&format!("  {name:<24} {counts}\n"));
    }
    match std::io::stdout().write_all(report.as_bytes()) {
        // Whoever pipes this into `head` has read enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.or_fail("The report cannot be written", "look at where it goes"),
    }
}
