//! One run of an operation: its command, repeated as a client would, and its messages, delivered as SQS would. All of it in this process, so
//! that a worker can die at any call.
//!
//! Nothing here waits for time to pass. Where a run has to wait for it, the test moves what the product measures time by:
//!
//! - a repeat of the command arrives 40 s later, by the time that its event carries: the lock of a command of several transactions has ended;
//! - the message of a dead worker comes back after 20 s: the lease of its turn, 15 s, is set to have ended;
//! - the sweeper runs an hour later, and leases have ended too.
//!
//! A message that failed comes back after 2 s, when a lease still holds; nothing is moved for it.

use std::collections::VecDeque;
use std::time::Duration;

use aws_sdk_sqs::types::Message;
use cierre_billing::engine::{Deadline, LostMessage};
use cierre_kernel::time::Instant;
use cierre_platform::clock;
use cierre_platform::db::{Changes, Condition};
use cierre_platform::queue::Verdict;
use cierre_tests::{Ask, Call, Inside, Plan, Proxy, Stack, Tables, Template, Told, Twin};

use crate::check::{self, End};
use crate::operation::Operation;

/// Longer than the suite runs.
const HIDDEN: Duration = Duration::from_secs(12 * 3600);
/// The most messages that a queue gives at once.
const AT_ONCE: i32 = 10;
/// Longer than the lock of a command of several transactions.
const REPEATED_LATER: Duration = Duration::from_secs(40);
/// Repeats of a command before it counts as lost.
const REPEATS: u32 = 8;
/// Deliveries of a message before it is a dead letter.
const DELIVERIES: u32 = 3;
/// Deliveries of a dead letter before it counts as lost.
const DEAD_DELIVERIES: u32 = 8;
/// The longest wait between two attempts, in seconds.
const BACK_OFF: i32 = 4;
/// Sweeps before a job counts as lost.
const SWEEPS: u32 = 6;
/// Longer than a job is quiet before it is swept, and than all repeats of a command are later.
const SWEPT_LATER: i64 = 3_600_000;
/// What a sweep takes for quiet.
const QUIET: Duration = Duration::from_secs(300);
/// Time of one worker.
const WORKER: Duration = Duration::from_secs(60);

/// A place where one case after the other runs: a proxy, the product behind it, and the product straight at the emulator.
pub(crate) struct Site {
    pub(crate) proxy: Proxy,
    pub(crate) direct: Inside,
    faulty: Inside,
    sqs: aws_sdk_sqs::Client,
    queue: String,
}

impl Site {
    pub(crate) async fn new(stack: &Stack, tables: &Tables) -> Self {
        let endpoint = stack.output("ENDPOINT_URL");
        let proxy = Proxy::before(&endpoint).await;
        let queue = stack.queue_apart(HIDDEN, None).await;
        Self {
            direct: Inside::new(&stack.sdk_at(&endpoint), tables, &queue),
            faulty: Inside::new(&stack.hasty_sdk_at(&proxy.url()), tables, &queue),
            sqs: stack.sqs(),
            proxy,
            queue,
        }
    }

    /// Takes everything out of the queue, for good: what is taken stays hidden.
    async fn drained(&self) -> Vec<LostMessage> {
        let mut taken = Vec::new();
        loop {
            let receive = self.sqs.receive_message().queue_url(&self.queue);
            let receive = receive.max_number_of_messages(AT_ONCE);
            let messages = receive.send().await.unwrap().messages.unwrap_or_default();
            let read = |message: &Message| serde_json::from_str(message.body().unwrap()).unwrap();
            taken.extend(messages.iter().map(read));
            // The emulator gives as many as there are.
            if messages.len() < AT_ONCE as usize {
                return taken;
            }
        }
    }
}

/// One run of an operation.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) operation: Operation,
    pub(crate) plan: Plan,
    /// The command is sent and each message delivered twice.
    pub(crate) twice: bool,
    /// Whether it has to succeed, whatever it takes.
    pub(crate) succeeds: bool,
    /// Whether the end is looked at through the API too.
    pub(crate) shown: bool,
}

/// What a run took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Took {
    /// Calls until everything was at its end.
    pub(crate) calls: Vec<Call>,
    /// Times that nothing was queued any more although work was left.
    pub(crate) sweeps: u32,
    /// Messages that were delivered too often.
    pub(crate) dead_letters: u32,
    /// Ends in an error that somebody had to mend.
    pub(crate) errors: u32,
}

/// A message in the hands of the queue.
#[derive(Clone)]
struct Queued {
    body: LostMessage,
    deliveries: u32,
    /// Its worker died: it comes back when the lease has ended.
    late: bool,
    dead: bool,
}

impl Queued {
    fn new(body: LostMessage) -> Self {
        Self {
            body,
            deliveries: 0,
            late: false,
            dead: false,
        }
    }
}

/// What became of a delivery.
enum Delivered {
    Settled(Verdict),
    Failed,
    Died,
}

/// A case while it runs.
struct Running<'a> {
    site: &'a Site,
    case: Case,
    twin: Twin,
    queued: VecDeque<Queued>,
    /// Calls after which the queue was looked into.
    seen: usize,
    took: Took,
}

impl Case {
    /// Runs it and checks what is left. Panics when something is wrong.
    pub(crate) async fn run(self, site: &Site, template: &Template) -> Took {
        let operation = self.operation;
        let twin = template.twin(&site.direct, operation.sent, operation.fresh);
        let twin = twin.await;
        site.proxy.arm(Plan::Clean);
        let before = (operation.before)(&twin);
        for ask in &before {
            site.direct.ask(&twin.company, ask).await.ok();
        }
        site.proxy.arm(self.plan);
        let mut running = Running {
            site,
            case: self,
            twin,
            queued: VecDeque::new(),
            seen: 0,
            took: Took::default(),
        };
        if !before.is_empty() {
            running.drain().await;
        }
        let told = running.command().await;
        running.deliver_all().await;
        running.took.calls = site.proxy.calls();
        site.proxy.disarm();
        running.check(&told).await;
        running.took
    }
}

impl Running<'_> {
    /// Sends the command until it is answered; answers what was told first.
    async fn command(&mut self) -> Told {
        let mut ask = (self.case.operation.command)(&self.twin);
        let told = self.until_answered(&mut ask).await;
        if self.case.twice {
            let again = self.until_answered(&mut ask).await;
            assert_eq!(
                again, told,
                "the repeat under the same key is told otherwise"
            );
        }
        told
    }

    async fn until_answered(&self, ask: &mut Ask) -> Told {
        let mut answers = Vec::new();
        for _ in 0..REPEATS {
            self.site.proxy.begin("command");
            let told = tokio::select! {
                biased;
                () = self.site.proxy.death() => None,
                told = self.site.faulty.ask(&self.twin.company, ask) => Some(told),
            };
            if let Some(told) = told {
                let busy = told.body["code"] == "request_in_progress";
                if told.status < 500 && !busy {
                    return told;
                }
                answers.push(told);
            }
            ask.later += REPEATED_LATER;
        }
        panic!("no answer to the command: {answers:?}");
    }

    /// Delivers until nothing is queued and nothing is left to do.
    async fn deliver_all(&mut self) {
        loop {
            self.take().await;
            match self.queued.pop_front() {
                Some(message) => self.deliver(message).await,
                None if self.is_over().await => return,
                None => self.sweep().await,
            }
        }
    }

    /// Takes what the product queued since the last time, if anything.
    async fn take(&mut self) {
        let calls = self.site.proxy.calls();
        let new = calls
            .iter()
            .skip(std::mem::replace(&mut self.seen, calls.len()));
        if new.into_iter().any(Call::is_queue) {
            self.drain().await;
        }
    }

    /// Takes everything out of the queue. A sweep brings the jobs of other cases too; they are not ours to deliver.
    async fn drain(&mut self) {
        let copies = if self.case.twice { 2 } else { 1 };
        for body in self.site.drained().await {
            let company = match &body {
                LostMessage::Chunk(part) => &part.company_id,
                LostMessage::Job(job) => &job.company_id,
                LostMessage::Sync(sync) => &sync.company_id,
            };
            if *company == self.twin.company {
                let copies = std::iter::repeat_n(Queued::new(body), copies);
                self.queued.extend(copies);
            }
        }
    }

    async fn is_over(&self) -> bool {
        let unfinished = check::unfinished(&self.site.direct, &self.twin.company);
        unfinished.await.is_empty()
    }

    async fn deliver(&mut self, mut message: Queued) {
        message.deliveries += 1;
        if !message.dead && message.deliveries > DELIVERIES {
            message.dead = true;
            message.deliveries = 1;
            self.took.dead_letters += 1;
        }
        assert!(message.deliveries <= DEAD_DELIVERIES, "no end of a message");
        if std::mem::take(&mut message.late) {
            self.end_leases().await;
        }
        self.site.proxy.begin(if message.dead {
            "dead letter"
        } else {
            "message"
        });
        let delivered = tokio::select! {
            biased;
            () = self.site.proxy.death() => Delivered::Died,
            delivered = self.work(&message) => delivered,
        };
        match delivered {
            Delivered::Settled(Verdict::Done) => return,
            Delivered::Settled(Verdict::Senseless | Verdict::GivenUp) => {
                panic!("a message makes no sense")
            }
            // After a failed attempt it is seconds, and the lease was given up; else it is what is left of a lease.
            Delivered::Settled(Verdict::Again { seconds }) => message.late = seconds > BACK_OFF,
            Delivered::Failed => {}
            Delivered::Died => message.late = true,
        }
        self.queued.push_back(message);
    }

    /// What the functions do with a message.
    async fn work(&self, message: &Queued) -> Delivered {
        let billing = &self.site.faulty.billing;
        let (engine, syncs) = (&billing.engine, &billing.syncs);
        let deadline = Deadline::after(WORKER);
        let outcome = match (&message.body, message.dead) {
            (LostMessage::Job(job), false) => {
                engine.advance(job, deadline).await.map(Verdict::from)
            }
            (LostMessage::Job(job), true) => engine.give_up(job, deadline).await.map(Verdict::from),
            (LostMessage::Chunk(part), false) => engine.materialise(part).await.map(Verdict::from),
            (LostMessage::Chunk(part), true) => {
                engine.requeue(part.clone()).await.map(Verdict::from)
            }
            (LostMessage::Sync(sync), false) => {
                syncs.advance(sync, deadline).await.map(Verdict::from)
            }
            (LostMessage::Sync(sync), true) => {
                syncs.give_up(sync, deadline).await.map(Verdict::from)
            }
        };
        outcome.map_or(Delivered::Failed, Delivered::Settled)
    }

    /// Time passes, and the sweeper finds what makes no progress.
    async fn sweep(&mut self) {
        self.took.sweeps += 1;
        assert!(self.took.sweeps <= SWEEPS, "swept in vain");
        self.end_leases().await;
        let later = Instant::from_millis(clock::now().as_millis() + SWEPT_LATER);
        let billing = &self.site.direct.billing;
        let syncs = &billing.syncs.queue;
        billing.engine.sweep(syncs, later, QUIET).await.unwrap();
        self.drain().await;
        assert!(
            !self.queued.is_empty() || self.is_over().await,
            "lost: no message, and the sweeper does not find it"
        );
    }

    /// Every lease of the company has ended.
    async fn end_leases(&self) {
        let db = self.site.direct.db();
        for key in check::unfinished(&self.site.direct, &self.twin.company).await {
            let ended = Changes::new().set("leaseUntil", 1_i64);
            let held = Condition::default().exists("leaseUntil");
            let held = held.ne("leaseUntil", 0_i64);
            db.change(&key, &ended, &held).await.unwrap();
        }
    }

    /// The invariants and the operation's own outcome; and that what ended in an error lost nothing: somebody can mend it.
    async fn check(&mut self, told: &Told) {
        let (site, operation) = (self.site, self.case.operation);
        let company = self.twin.company.clone();
        let mut end = End::read(&site.direct, &company).await;
        end.check(&site.direct, &company, self.case.shown).await;
        let mends = (operation.mend)(&self.twin, &end);
        self.took.errors = mends.len() as u32;
        assert!(
            mends.is_empty() || !self.case.succeeds,
            "one fault is no reason for an error: {end:?}"
        );
        if !mends.is_empty() {
            for ask in mends {
                site.direct.ask(&company, &ask).await.ok();
            }
            self.drain().await;
            self.deliver_all().await;
            end = End::read(&site.direct, &company).await;
            end.check(&site.direct, &company, self.case.shown).await;
        }
        (operation.outcome)(&self.twin, told, &end);
    }
}
