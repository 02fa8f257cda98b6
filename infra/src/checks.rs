//! Every check that CI runs, and the measurements. What needs a stack gets a new one on a port of its own.

use std::path::PathBuf;
use std::process::Command;

use crate::build::{self, Among, Profile};
use crate::conformance::{self, Depth};
use crate::deploy::{self, Outputs};
use crate::failure::Result;
use crate::process::{Together, run_openly, run_quietly};
use crate::progress::heading;
use crate::project::Project;
use crate::stack::{REGION, ROOT, STACK_NAME, Stack};
use crate::tools::{self, Tools};
use crate::users;

/// The test programs that need a running stack, and keep it busy.
const END_TO_END_TESTS: [&str; 2] = ["e2e", "batches"];
/// Those that mostly wait: for the lease of a worker that was killed, for the next try of a request that failed. They run beside the others, on a
/// stack of their own, because they kill workers.
const WAITING_TESTS: [&str; 2] = ["faults", "injected"];
/// Built once into .local/tools when the machine has none.
const CARGO_DENY_VERSION: &str = "0.20.2";

/// Everything that needs no stack, from what takes seconds to what takes minutes; the first that fails ends the run.
pub(crate) fn offline(project: &Project, stack: &Stack) -> Result<()> {
    let cargo = |label: &str, arguments: &[&str], next: &str| {
        run_openly(label, project.cargo().args(arguments), next)
    };
    cargo("Format", &["fmt", "--all", "--check"], "cargo fmt --all")?;
    template(project, stack, &tools::install(project)?)?;
    dependencies(project)?;
    advisories(project)?;
    cargo(
        "Lints",
        &[
            "clippy",
            "--profile",
            Profile::Local.name(),
            "--workspace",
            "--all-targets",
            "--",
            "--deny",
            "warnings",
        ],
        "mend what clippy names above",
    )?;
    run_openly(
        "Documentation",
        project
            .cargo()
            .args([
                "doc",
                "--profile",
                Profile::Local.name(),
                "--workspace",
                "--no-deps",
                "--document-private-items",
            ])
            // Private items are documented for those who work here, so public text may point at them.
            .env(
                "RUSTDOCFLAGS",
                "--deny warnings --allow rustdoc::private_intra_doc_links",
            ),
        "mend what rustdoc names above",
    )?;
    // All of the workspace is named, here and below, so that everything finds the dependencies compiled that the first one compiled.
    cargo(
        "Unit and property tests",
        &[
            "test",
            "--profile",
            Profile::Local.name(),
            "--workspace",
            "--lib",
            "--bins",
            "--test",
            "architecture",
            "--test",
            "template",
        ],
        "run the failing test alone: cargo test -p <crate> <name>",
    )?;
    cargo(
        "Examples in the documentation",
        &[
            "test",
            "--profile",
            Profile::Local.name(),
            "--workspace",
            "--doc",
        ],
        "run the failing example alone: cargo test -p <crate> --doc",
    )
}

/// The end-to-end tests, on a fresh stack; `cargo_arguments` choose among them.
pub(crate) async fn end_to_end(
    project: &Project,
    stack: &Stack,
    profile: Profile,
    parameters: &[String],
    cargo_arguments: &[String],
) -> Result<()> {
    let tools = tools::install(project)?;
    build::functions(project, profile, Among::Everything)?;
    let tests = |programs: &[&str]| {
        let mut command = project.cargo();
        command.args(["test", "--profile", Profile::Local.name(), "--workspace"]);
        for program in programs {
            command.args(["--test", program]);
        }
        command
    };
    on_fresh_stack(project, stack, &tools, parameters, async |outputs| {
        if !cargo_arguments.is_empty() {
            let mut command = tests(&[]);
            command.args(cargo_arguments);
            return against_stack(stack, outputs, "End-to-end tests", command);
        }
        // The neighbour exists for every port.
        let second = Stack::new(project, stack.port() ^ 1);
        on_fresh_stack(project, &second, &tools, parameters, async |others| {
            let environment = test_environment(&second, others)?;
            let waiting = WAITING_TESTS.map(|program| {
                let mut command = tests(&[program]);
                command.envs(environment.iter().cloned());
                // They take turns where they have to; who waits for a turn must not keep the others from starting.
                command.env("RUST_TEST_THREADS", "32");
                let log = second.folder().join(format!("{program}.log"));
                (command, log)
            });
            let next = failing_test(&second);
            let waiting = Together::start(waiting, &next)?;
            let mut command = tests(&END_TO_END_TESTS);
            // More than there are processors: a test waits for the stack most of its time.
            command.env("RUST_TEST_THREADS", "8");
            against_stack(stack, outputs, "End-to-end tests", command)?;
            let label = format!("End-to-end tests: {}", WAITING_TESTS.join(" and "));
            waiting.finish(&label, &next)
        })
        .await?;
        // Last, because it leaves the demo company full of nonsense.
        conformance::check(project, stack, outputs, Depth::SAMPLE).await
    })
    .await?;
    heading("All checks passed");
    Ok(())
}

/// The comparison of the API with its document alone, as thorough as asked for, with a fresh stack.
pub(crate) async fn conformance(
    project: &Project,
    stack: &Stack,
    parameters: &[String],
    examples: u32,
) -> Result<()> {
    let tools = tools::install(project)?;
    build::functions(project, Profile::Local, Among::Everything)?;
    on_fresh_stack(project, stack, &tools, parameters, async |outputs| {
        conformance::check(project, stack, outputs, Depth::thorough(examples)).await
    })
    .await
}

/// The programs that measure.
pub(crate) const BENCHES: [&str; 3] = ["costs", PAYROLL, "starts"];
/// The one that also runs the reader of payroll files as a program of its own.
const PAYROLL: &str = "payroll";

/// Runs the measurements: those of the end-to-end crate's benches that are named, or all of them, with a fresh stack.
///
/// The functions are built as for AWS, because their sizes and starts are measured; the programs that measure them are not.
pub(crate) async fn bench(
    project: &Project,
    stack: &Stack,
    parameters: &[String],
    programs: &[String],
) -> Result<()> {
    let tools = tools::install(project)?;
    let wanted = |program: &str| programs.is_empty() || programs.iter().any(|one| one == program);
    build::functions(project, Profile::Release, Among::Themselves)?;
    if wanted(PAYROLL) {
        build_reader(project)?;
    }
    let mut benches = project.cargo();
    benches.args(["bench", "--profile", Profile::Local.name(), "--workspace"]);
    for program in BENCHES {
        if wanted(program) {
            benches.args(["--bench", program]);
        }
    }
    on_fresh_stack(project, stack, &tools, parameters, async |outputs| {
        against_stack(stack, outputs, "Measurements", benches)
    })
    .await
}

/// Builds the reader of payroll files as the functions are built. Examples are made with what tests depend on, which cargo compiles the AWS SDK
/// another time for.
fn build_reader(project: &Project) -> Result<()> {
    run_openly(
        "Building the reader of payroll files (some minutes the first time, seconds later)",
        project
            .cargo()
            .args(["build", "--profile", Profile::Release.name()])
            .args(["--package", "cierre-payroll", "--example", "measure"]),
        "mend what the compiler names above",
    )
}

/// What a stack under test is deployed with: the tests' own ERP listens on this machine.
const UNDER_TEST: &str = "OutgoingAllowLoopback=true";

/// Starts an empty stack with the demo users, does the work, and stops it, whatever came out.
async fn on_fresh_stack(
    project: &Project,
    stack: &Stack,
    tools: &Tools,
    parameters: &[String],
    work: impl AsyncFnOnce(&Outputs) -> Result<()>,
) -> Result<()> {
    heading("A fresh stack");
    if stack.running_pid().is_some() {
        stack.stop()?;
    }
    stack.forget()?;
    let outcome = async {
        stack.start(tools).await?;
        let mut under_test = vec![UNDER_TEST.to_owned()];
        under_test.extend_from_slice(parameters);
        let outputs = deploy::deploy(project, stack, tools, &under_test)?;
        users::create(project, stack, &outputs)?;
        work(&outputs).await
    }
    .await;
    let stopped = stack.stop();
    outcome.and(stopped)
}

fn against_stack(
    stack: &Stack,
    outputs: &Outputs,
    label: &str,
    mut command: Command,
) -> Result<()> {
    command.envs(test_environment(stack, outputs)?);
    run_openly(label, &mut command, &failing_test(stack))
}

fn failing_test(stack: &Stack) -> String {
    let log = stack.log();
    format!(
        "read the failing test's message above; the functions' logs are in {}",
        log.display()
    )
}

/// What the tests are told about the stack: every output as `CIERRE_<OUTPUT>`, the addresses, and the emulator's process, because the
/// tests also kill workers.
fn test_environment(stack: &Stack, outputs: &Outputs) -> Result<Vec<(String, String)>> {
    let mut variables: Vec<(String, String)> = outputs
        .iter()
        .map(|(key, value)| (format!("CIERRE_{}", screaming(key)), value.to_owned()))
        .collect();
    // By path, because not every resolver knows names under localhost. It replaces the output of that name.
    variables.push((
        "CIERRE_API_URL".to_owned(),
        stack.api_by_path(outputs.get("ApiId")?),
    ));
    variables.push((
        "CIERRE_API_HOST_URL".to_owned(),
        outputs.get("ApiUrl")?.to_owned(),
    ));
    variables.push(("CIERRE_ENDPOINT_URL".to_owned(), stack.endpoint()));
    variables.push(("CIERRE_LOG".to_owned(), stack.log().display().to_string()));
    variables.push((
        "CIERRE_STATE".to_owned(),
        stack.state().display().to_string(),
    ));
    variables.push(("CIERRE_STACK".to_owned(), STACK_NAME.to_owned()));
    variables.push(("CIERRE_REGION".to_owned(), REGION.to_owned()));
    variables.push(("CIERRE_ACCESS_KEY_ID".to_owned(), ROOT.0.to_owned()));
    variables.push(("CIERRE_SECRET_ACCESS_KEY".to_owned(), ROOT.1.to_owned()));
    variables.push(("CIERRE_PASSWORD".to_owned(), users::PASSWORD.to_owned()));
    if let Some(pid) = stack.running_pid() {
        variables.push((
            "CIERRE_STACK_PID".to_owned(),
            pid.as_raw_nonzero().to_string(),
        ));
    }
    Ok(variables)
}

/// `BillingJobsQueueUrl` is `BILLING_JOBS_QUEUE_URL`.
fn screaming(key: &str) -> String {
    let mut text = String::new();
    for letter in key.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_uppercase());
    }
    text
}

/// The template, in the eyes of the two tools that read it before AWS does, and of one that looks for weak settings.
fn template(project: &Project, stack: &Stack, tools: &Tools) -> Result<()> {
    let next = "mend the template where the log says";
    run_quietly(
        "Template: cfn-lint",
        Command::new(tools.cfn_lint())
            .current_dir(project.root())
            .arg("template.yaml"),
        &project.local().join("cfn-lint.log"),
        next,
    )?;
    run_quietly(
        "Template: sam validate --lint",
        Command::new(tools.sam())
            .current_dir(project.root())
            .envs(stack.environment())
            .env("SAM_CLI_TELEMETRY", "0")
            .args(["validate", "--lint", "--template-file", "template.yaml"]),
        &project.local().join("sam-validate.log"),
        next,
    )?;
    run_quietly(
        "Template: checkov",
        Command::new(tools::checkov(project)?)
            .current_dir(project.root())
            .args(["--config-file", "infra/checkov.yaml"]),
        &project.local().join("checkov.log"),
        "mend the template, or write the exception with its reason beside the resource; what holds for all resources of a kind stands in infra/checkov.yaml",
    )
}

/// Licences, bans, sources: all that needs no network.
fn dependencies(project: &Project) -> Result<()> {
    run_openly(
        "Dependencies: licences, bans, sources",
        Command::new(cargo_deny(project)?)
            .current_dir(project.root())
            .args(["check", "licenses", "bans", "sources"]),
        "choose another crate, or write the exception with its reason into deny.toml",
    )
}

/// Known vulnerabilities, in a step of its own: it is the only check whose outcome depends on the day and on the network. Without the database
/// it says so and lets the run go on; a machine without a network must be able to run everything else.
fn advisories(project: &Project) -> Result<()> {
    let deny = cargo_deny(project)?;
    let log = project.local().join("advisories.log");
    let fetched = run_quietly(
        "Advisories: fetching the database",
        Command::new(&deny)
            .current_dir(project.root())
            .args(["fetch", "db"]),
        &log,
        "",
    );
    if fetched.is_err() {
        eprintln!(
            "NOT CHECKED: known vulnerabilities of the dependencies. The advisory database cannot be reached from here ({}). \
             Where it can be reached: cargo deny check advisories",
            log.display()
        );
        return Ok(());
    }
    run_openly(
        "Advisories: known vulnerabilities",
        Command::new(&deny)
            .current_dir(project.root())
            .args(["--offline", "check", "advisories"]),
        "update the crate that is named above, or write the exception with its reason into deny.toml",
    )
}

/// The machine's cargo-deny, else one of the project's own.
fn cargo_deny(project: &Project) -> Result<PathBuf> {
    let answers = |program: &PathBuf| {
        Command::new(program)
            .arg("--version")
            .output()
            .is_ok_and(|output| output.status.success())
    };
    let of_the_machine = PathBuf::from("cargo-deny");
    if answers(&of_the_machine) {
        return Ok(of_the_machine);
    }
    let root = project.local().join("tools/cargo-deny");
    let own = root.join("bin/cargo-deny");
    if answers(&own) {
        return Ok(own);
    }
    run_quietly(
        "Installing cargo-deny (once, some minutes)",
        project
            .cargo()
            // Not optimised: it runs for seconds, and this halves the time to build it.
            .args([
                "install",
                "cargo-deny",
                "--locked",
                "--debug",
                "--version",
                CARGO_DENY_VERSION,
                "--root",
            ])
            .arg(&root)
            .env("CARGO_PROFILE_DEV_DEBUG", "0"),
        &project.local().join("cargo-deny.log"),
        "check that cargo reaches crates.io, or install it yourself: cargo install cargo-deny --locked",
    )?;
    Ok(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_become_variables() {
        assert_eq!(screaming("BillingJobsQueueUrl"), "BILLING_JOBS_QUEUE_URL");
        assert_eq!(screaming("ApiId"), "API_ID");
    }
}
