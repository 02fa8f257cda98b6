//! A program that is started as a function, and what is measured of it.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cierre_tests::Stack;

use crate::figures::{Figures, Invoked};
use crate::runtime::Runtime;

/// Starts that a time is the median of.
const STARTS: usize = 11;
const LIMIT: Duration = Duration::from_secs(30);
/// Valgrind takes some fifty times as long.
const LIMIT_UNDER_VALGRIND: Duration = Duration::from_secs(600);

/// A program with the variables that it finds on Lambda.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// The program and its arguments.
    pub(crate) command: Vec<String>,
    /// The function's own variables.
    pub(crate) variables: BTreeMap<String, String>,
    /// Bytes of what is deployed.
    pub(crate) bytes: u64,
}

/// Ended when it is dropped, whatever happened.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended needs no end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Program {
    /// Everything about it. The event is handed to it on the stack; how long that takes is mostly the emulator's time.
    pub(crate) async fn measure(&self, stack: &Stack, event: String) -> Result<Figures, String> {
        let mut times = Vec::new();
        let mut memory = 0;
        for _ in 0..STARTS {
            let (time, peak) = self.start().await?;
            times.push(time);
            memory = memory.max(peak);
        }
        times.sort();
        Ok(Figures {
            bytes: self.bytes,
            start: times[STARTS / 2],
            instructions: self.instructions().await?,
            memory_kib: memory,
            invoked: self.invoke(stack, event).await?,
        })
    }

    /// One start: how long it takes, and the most memory that it held, in KiB.
    async fn start(&self) -> Result<(Duration, u64), String> {
        let mut runtime = Runtime::new().await;
        let began = Instant::now();
        let process = self.spawn(&[], &runtime, &[])?;
        let asked = runtime.polled(LIMIT).await?;
        Ok((asked - began, peak_kib(&process)))
    }

    /// Instructions of a start; none on a machine without valgrind.
    async fn instructions(&self) -> Result<Option<u64>, String> {
        if Command::new("valgrind").arg("--version").output().is_err() {
            return Ok(None);
        }
        let report = format!("{}/callgrind", env!("CARGO_TARGET_TMPDIR"));
        let valgrind = [
            "valgrind".to_owned(),
            "--tool=callgrind".to_owned(),
            "--callgrind-out-file=/dev/null".to_owned(),
            format!("--log-file={report}"),
        ];
        let mut runtime = Runtime::new().await;
        let mut process = self.spawn(&valgrind, &runtime, &[])?;
        runtime.polled(LIMIT_UNDER_VALGRIND).await?;
        // It waits for the event now and does nothing more. Ended with this signal, valgrind writes what it counted.
        let id = process.0.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        process.0.wait().unwrap();
        let text = fs::read_to_string(&report).unwrap();
        let counted = text
            .lines()
            .find_map(|line| line.split_once("Collected :"))
            .map(|(_, count)| count.trim().parse().unwrap());
        Ok(counted)
    }

    /// The first event of a new process, on the stack.
    async fn invoke(&self, stack: &Stack, event: String) -> Result<Invoked, String> {
        let mut runtime = Runtime::new().await;
        let endpoint = stack.output("ENDPOINT_URL");
        let process = self.spawn(&[], &runtime, &[("AWS_ENDPOINT_URL", &endpoint)])?;
        runtime.polled(LIMIT).await?;
        let began = Instant::now();
        let answer = runtime.invoke(event).await;
        Ok(Invoked {
            time: began.elapsed(),
            memory_kib: peak_kib(&process),
            answer,
        })
    }

    fn spawn(
        &self,
        before: &[String],
        runtime: &Runtime,
        more: &[(&str, &str)],
    ) -> Result<Running, String> {
        let words: Vec<&String> = before.iter().chain(&self.command).collect();
        let on_lambda = [
            ("AWS_LAMBDA_RUNTIME_API", runtime.address()),
            ("AWS_LAMBDA_FUNCTION_NAME", "measured"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/measured"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "measured"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("LANG", "en_US.UTF-8"),
            ("TZ", ":UTC"),
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ];
        Command::new(words[0])
            .args(&words[1..])
            .env_clear()
            .envs(on_lambda)
            .envs(&self.variables)
            .envs(more.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map(Running)
            .map_err(|error| format!("{} cannot be started: {error}", words[0]))
    }
}

/// The most memory that a living process has held at once.
fn peak_kib(process: &Running) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.0.id())).unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok())
        .unwrap_or_default()
}
