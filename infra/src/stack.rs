//! The local stack: one MiniStack process per port, with its state, its log and its pid in a folder of its own.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::DEFAULT_PORT;
use crate::build;
use crate::deploy::Outputs;
use crate::failure::{Failure, OrFail, Result};
use crate::process::output_of;
use crate::progress::Step;
use crate::project::Project;
use crate::tools::Tools;
use crate::users;

/// The name that the template is deployed under.
pub(crate) const STACK_NAME: &str = "cierre";
/// The emulated region.
pub(crate) const REGION: &str = "us-east-1";
/// The emulator's root user. It guards nothing: the stack listens on this machine only.
pub(crate) const ROOT: (&str, &str) = ("test", "test");

const START_LIMIT: Duration = Duration::from_secs(90);
/// State is written when the process ends; a large one takes a while.
const STOP_LIMIT: Duration = Duration::from_secs(180);

/// A stack, running or not.
#[derive(Debug)]
pub(crate) struct Stack {
    port: u16,
    folder: PathBuf,
}

impl Stack {
    /// The stack on `port`.
    pub(crate) fn new(project: &Project, port: u16) -> Self {
        Self {
            port,
            folder: project.local().join(port.to_string()),
        }
    }

    /// The port that everything answers on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What the tool keeps about this stack.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The endpoint of every AWS service.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The API by path instead of by host name: for programs whose resolver knows no names under `localhost`. It is also the only
    /// form that reaches `GET /health`, because the emulator answers that path itself under every host name.
    pub(crate) fn api_by_path(&self, api_id: &str) -> String {
        format!("{}/_aws/execute-api/{api_id}/$default", self.endpoint())
    }

    /// The environment in which AWS tools speak to this stack and to nothing else.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_ACCESS_KEY_ID", ROOT.0.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", ROOT.1.to_owned()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_DEFAULT_REGION", REGION.to_owned()),
        ]
    }

    /// Whether the emulator answers on the port.
    pub(crate) async fn answers(&self) -> bool {
        let request = reqwest::Client::new()
            .get(format!("{}/_ministack/health", self.endpoint()))
            .timeout(Duration::from_secs(2))
            .send();
        matches!(request.await, Ok(answer) if answer.status().is_success())
    }

    /// Refuses to go on without the stack.
    pub(crate) async fn must_run(&self) -> Result<()> {
        if self.answers().await {
            return Ok(());
        }
        Err(Failure::new(
            format!("The stack on port {} is not running.", self.port),
            "start it: cargo local up",
        ))
    }

    /// Starts the stack and waits until it answers. One that runs already is left alone.
    pub(crate) async fn start(&self, tools: &Tools) -> Result<()> {
        if self.answers().await {
            if self.running_pid().is_some() {
                return Ok(());
            }
            return Err(Failure::new(
                format!(
                    "Another stack, started elsewhere, answers on port {}.",
                    self.port
                ),
                format!(
                    "stop it there, or choose another port: cargo local --port {} up",
                    self.port.saturating_add(100)
                ),
            ));
        }
        if std::net::TcpListener::bind(("127.0.0.1", self.port)).is_err() {
            return Err(Failure::new(
                format!("Port {} is taken by another program.", self.port),
                format!(
                    "stop that program, or choose another port: cargo local --port {} up",
                    self.port.saturating_add(100)
                ),
            ));
        }
        let mut step = Step::begin(format!("Starting the local stack on port {}", self.port));
        let mut child = self.spawn(tools)?;
        let started = Instant::now();
        while !self.answers().await {
            let ended = child.try_wait().ok().flatten();
            if ended.is_some() || started.elapsed() > START_LIMIT {
                step.failed();
                return Err(Failure::new(
                    format!(
                        "The local stack did not start. Its log: {}",
                        self.log().display()
                    ),
                    "read the end of that log; `cargo local reset` starts from an empty state",
                ));
            }
            step.say("waiting for its first answer");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        step.done();
        Ok(())
    }

    fn spawn(&self, tools: &Tools) -> Result<Child> {
        let temporary = self.folder.join("tmp");
        let next = "check the permissions and the space on the disk";
        fs::create_dir_all(&temporary)
            .or_fail(format!("Cannot create {}", temporary.display()), next)?;
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log())
            .or_fail(format!("Cannot write {}", self.log().display()), next)?;
        let log_too = log.try_clone().or_fail("Cannot share the log", next)?;
        let mut command = Command::new(tools.ministack());
        // Functions inherit this environment. Only what is listed reaches them, as on AWS.
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(self.environment());
        command
            .env("HOME", &temporary)
            .env("TMPDIR", &temporary)
            .env("AUTH", "true")
            .env("GATEWAY_PORT", self.port.to_string())
            .env("BIND_HOST", "127.0.0.1")
            .env("PERSIST_STATE", "1")
            .env("STATE_DIR", self.state())
            .env("S3_PERSIST", "1")
            .env("S3_DATA_DIR", self.folder.join("s3"))
            .env("LAMBDA_WARM_TTL_SECONDS", "900")
            // As on AWS, a trigger that fails makes the login fail.
            .env("MINISTACK_COGNITO_PRETOKEN_STRICT", "1")
            // Listeners with fixed ports, which a second stack would trip over.
            .env("SFTP_ENABLED", "0")
            .env("IOT_MTLS_ENABLED", "0");
        let child = command
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(log_too)
            // A group of its own: Ctrl-C in this terminal does not reach it.
            .process_group(0)
            .spawn()
            .or_fail(
                "Cannot start the local stack",
                "delete .local/tools and try again",
            )?;
        fs::write(self.pid_file(), child.id().to_string())
            .or_fail("Cannot write the pid file", next)?;
        Ok(child)
    }

    /// Stops the stack; its state is written on the way.
    pub(crate) fn stop(&self) -> Result<()> {
        let Some(pid) = self.running_pid() else {
            eprintln!("The stack on port {} is not running.", self.port);
            return Ok(());
        };
        let mut step = Step::begin(format!("Stopping the local stack on port {}", self.port));
        let next = "end the process by hand";
        rustix::process::kill_process(pid, Signal::TERM)
            .or_fail(format!("Cannot end process {}", pid.as_raw_nonzero()), next)?;
        let started = Instant::now();
        while self.running_pid().is_some() {
            if started.elapsed() > STOP_LIMIT {
                step.failed();
                return Err(Failure::new(
                    format!(
                        "The local stack (process {}) does not end.",
                        pid.as_raw_nonzero()
                    ),
                    "end the process by hand (kill -9); what changed since it started is lost then",
                ));
            }
            step.say("saving its state");
            thread::sleep(Duration::from_millis(200));
        }
        // An absent file is what is wanted.
        drop(fs::remove_file(self.pid_file()));
        step.done();
        Ok(())
    }

    /// Forgets the state of a stack that is stopped.
    pub(crate) fn forget(&self) -> Result<()> {
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).or_fail(
                format!("Cannot delete {}", self.folder.display()),
                "delete that folder by hand",
            )?;
        }
        eprintln!(
            "The state of the stack on port {} is gone. `cargo local up` starts a new one.",
            self.port
        );
        Ok(())
    }

    /// The running emulator's process, if it is the one that this tool started.
    pub(crate) fn running_pid(&self) -> Option<Pid> {
        let raw = fs::read_to_string(self.pid_file())
            .ok()?
            .trim()
            .parse()
            .ok()?;
        let pid = Pid::from_raw(raw)?;
        // A pid may have been given to another program since: its command line tells.
        let command_line = match fs::read(format!("/proc/{raw}/cmdline")) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(_) => {
                let output = Command::new("ps")
                    .args(["-o", "command=", "-p", &raw.to_string()])
                    .output()
                    .ok()?;
                String::from_utf8_lossy(&output.stdout).into_owned()
            }
        };
        command_line.contains("ministack").then_some(pid)
    }

    /// Messages in each queue: waiting, in work, delayed.
    pub(crate) fn queue_counts(
        &self,
        project: &Project,
        outputs: &Outputs,
    ) -> Result<Vec<(String, String)>> {
        let queues = outputs
            .iter()
            .filter(|(key, _)| key.ends_with("QueueUrl") || key.ends_with("DlqUrl"));
        let row = |(key, url): (&str, &str)| {
            let counts = output_of(
                &format!("Reading {key}"),
                build::aws_program(project)
                    .envs(self.environment())
                    .args(["queue", url]),
                "deploy again: cargo local deploy",
            )?;
            let name = url.rsplit('/').next().unwrap_or(url).to_owned();
            Ok((name, counts.trim().to_owned()))
        };
        queues.map(row).collect()
    }

    /// Addresses, users and what to try next.
    pub(crate) fn describe(&self, outputs: &Outputs) -> String {
        let url = outputs.get("ApiUrl").unwrap_or("not deployed yet");
        format!(
            "API            {url}\n\
             API document   {url}/api\n\
             AWS endpoint   {endpoint}   (access key {key}, secret {secret}, region {REGION})\n\
             State and log  {folder}\n\n\
             {users}",
            endpoint = self.endpoint(),
            key = ROOT.0,
            secret = ROOT.1,
            folder = self.folder.display(),
            users = users::describe(),
        )
    }

    /// What somebody who sees the product for the first time may want to do next; `drops` are commands that put a file into the bucket.
    pub(crate) fn next_things(&self, outputs: &Outputs, drops: &[String]) -> String {
        let url = outputs.get("ApiUrl").unwrap_or_default();
        let port = if self.port == DEFAULT_PORT {
            String::new()
        } else {
            format!(" --port {}", self.port)
        };
        format!(
            "Next, by hand:\n\n\
             TOKEN=$(curl -s {url}/auth/login -H 'content-type: application/json' \\\n  \
             -d '{{\"username\":\"ana\",\"password\":\"{password}\"}}' | sed 's/.*\"accessToken\":\"\\([^\"]*\\).*/\\1/')\n\
             curl -s {url}/invoices -H \"authorization: Bearer $TOKEN\"\n\
             curl -s '{url}/billing-pendings/available' -H \"authorization: Bearer $TOKEN\"\n\
             curl -s '{url}/facturas?accion_por=Maria%20Garcia' -H \"authorization: Bearer $TOKEN\"\n\n\
             Files to drop with the AWS CLI, a factura and a month's payroll book; a moment later {url}/facturas and {url}/api/nomina/cierres show them:\n\n\
             export AWS_ENDPOINT_URL={endpoint} AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret} AWS_DEFAULT_REGION={REGION}\n\
             {drops}\n\n\
             cargo local{port} logs run-billing-batch     what a worker said\n\
             cargo local{port} status                     queues and addresses\n\
             cargo local{port} down                       stop; the state stays",
            password = users::PASSWORD,
            endpoint = self.endpoint(),
            key = ROOT.0,
            secret = ROOT.1,
            drops = drops.join("\n"),
        )
    }

    /// Where the emulator's own messages go.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("ministack.log")
    }

    /// Where the emulator keeps its state.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.join("ministack.pid")
    }
}
