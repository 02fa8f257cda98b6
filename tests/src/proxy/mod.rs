//! A proxy before the emulator that injects what the emulator never does: throttling, transaction conflicts, 5xx, slow answers, answers that
//! are lost after the effect, and the death of the caller at any call.
//!
//! Programs whose AWS endpoint is the proxy's address see nothing else of it. It counts the calls that it sees, and a [`Plan`] says at which of
//! them what happens. Deaths need help: the proxy never answers such a call and says so ([`Proxy::death`]), and whoever drives the program
//! drops it there.

mod fault;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

pub use fault::{Call, Fault};
use wire::{Answer, Connection, Request};

/// How late a slow answer comes: after the time that a caller gives one try.
const SLOW: Duration = Duration::from_secs(6);
/// Repeats of one call that a fault of the random plan hits, the first one included: no fewer than the tries of a client.
const RANDOM_REPEATS: u32 = 4;
/// Strikes of [`Reach::Triggers`]: as often as a queue delivers.
const TRIGGERS: u32 = 3;
/// Headers that belong to one connection, and the length, which is written anew.
const OF_THE_CONNECTION: [&str; 4] = [
    "connection",
    "content-length",
    "keep-alive",
    "transfer-encoding",
];

/// How far a fault reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// One try; the next one goes through.
    Try,
    /// Every repeat of the call, whoever repeats it, until the next trigger.
    Call,
    /// The same, and so again at the like call of the next triggers of this kind, three times in all.
    Triggers,
}

/// What happens at which call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Nothing but counting.
    Clean,
    /// A fault at one call.
    At {
        /// Which, from 0, in the order in which they come.
        call: usize,
        /// What happens.
        fault: Fault,
        /// How far it reaches.
        reach: Reach,
    },
    /// Faults at so many calls of a thousand, the same ones for the same seed as long as the calls come in the same order.
    Random {
        /// Decides which calls and which faults.
        seed: u64,
        /// Of a thousand calls.
        per_mille: u64,
    },
}

/// The proxy. It ends when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl Proxy {
    /// A proxy before the endpoint, with a clean plan.
    pub async fn before(endpoint: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            http: crate::stack::http_client(),
            endpoint: endpoint.to_owned(),
            state: Mutex::new(State::new(Plan::Clean)),
        });
        let listener = tokio::spawn(listen(listener, Arc::clone(&shared)));
        Self {
            address,
            shared,
            listener,
        }
    }

    /// Its address, to be used as an endpoint.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Begins anew with this plan: no call was seen.
    pub fn arm(&self, plan: Plan) {
        *self.shared.state() = State::new(plan);
    }

    /// From here on nothing fails; what was seen stays.
    pub fn disarm(&self) {
        let mut state = self.shared.state();
        state.plan = Plan::Clean;
        state.sticky.clear();
    }

    /// Something of this kind, such as a request or a message, makes the program run now. [`Reach::Triggers`] goes by it.
    pub fn begin(&self, trigger: &'static str) {
        self.shared.state().begin(trigger);
    }

    /// The calls seen since [`Self::arm`].
    pub fn calls(&self) -> Vec<Call> {
        self.shared.state().calls.clone()
    }

    /// Resolves when a caller has died since the trigger began.
    pub async fn death(&self) {
        let death = Arc::clone(&self.shared.state().death);
        death.notified().await;
    }
}

#[derive(Debug)]
struct Shared {
    http: reqwest::Client,
    endpoint: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    plan: Plan,
    calls: Vec<Call>,
    trigger: &'static str,
    strikes: u32,
    /// The call of the first strike, and the kind of trigger that it belongs to.
    first: Option<(&'static str, Call)>,
    struck_in_trigger: bool,
    sticky: Vec<Sticky>,
    death: Arc<Notify>,
}

/// A call whose repeats are hit too.
#[derive(Debug)]
struct Sticky {
    body: Value,
    fault: Fault,
    left: u32,
}

impl State {
    fn new(plan: Plan) -> Self {
        Self {
            plan,
            calls: Vec::new(),
            trigger: "",
            strikes: 0,
            first: None,
            struck_in_trigger: false,
            sticky: Vec::new(),
            death: Arc::default(),
        }
    }

    fn begin(&mut self, trigger: &'static str) {
        self.trigger = trigger;
        self.struck_in_trigger = false;
        self.sticky.clear();
        self.death = Arc::default();
    }

    /// Notes a call and decides what happens to it.
    fn judge(&mut self, mut call: Call, body: &Value) -> (Call, Option<Fault>) {
        let fault = self.repeated(body).or_else(|| self.planned(&call, body));
        call.fault = fault;
        self.calls.push(call.clone());
        (call, fault)
    }

    fn repeated(&mut self, body: &Value) -> Option<Fault> {
        let known = self
            .sticky
            .iter_mut()
            .find(|sticky| sticky.left > 0 && sticky.body == *body)?;
        known.left -= 1;
        Some(known.fault)
    }

    fn planned(&mut self, call: &Call, body: &Value) -> Option<Fault> {
        let number = self.calls.len();
        match self.plan {
            Plan::Clean => None,
            Plan::At {
                call: wanted,
                fault,
                reach,
            } => {
                let hit = match &self.first {
                    None => number == wanted,
                    Some((trigger, first)) => {
                        reach == Reach::Triggers
                            && self.strikes < TRIGGERS
                            && !self.struck_in_trigger
                            && *trigger == self.trigger
                            && first.is_like(call)
                    }
                };
                if !hit {
                    return None;
                }
                self.first.get_or_insert((self.trigger, call.clone()));
                self.strikes += 1;
                self.struck_in_trigger = true;
                if reach != Reach::Try && !fault.is_death() {
                    self.stick(body, fault, u32::MAX);
                }
                Some(fault)
            }
            Plan::Random { seed, per_mille } => {
                let drawn = scramble(seed ^ scramble(number as u64));
                if drawn % 1000 >= per_mille {
                    return None;
                }
                let fitting: Vec<Fault> = Fault::SURVIVABLE
                    .into_iter()
                    .filter(|fault| fault.fits(call))
                    .collect();
                let fault = fitting[(drawn >> 16) as usize % fitting.len()];
                // Half of them outlast the client's own tries and reach our code.
                if (drawn >> 40).is_multiple_of(2) && fault != Fault::Slow {
                    self.stick(body, fault, RANDOM_REPEATS - 1);
                }
                Some(fault)
            }
        }
    }

    fn stick(&mut self, body: &Value, fault: Fault, left: u32) {
        let body = body.clone();
        self.sticky.push(Sticky { body, fault, left });
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Lets the emulator answer.
    async fn forward(&self, request: &Request) -> Result<Answer, reqwest::Error> {
        let method = reqwest::Method::from_bytes(request.method.as_bytes()).unwrap_or_default();
        let mut forwarded = self
            .http
            .request(method, format!("{}{}", self.endpoint, request.path))
            .body(request.body.clone());
        // The host too: it is signed.
        for (name, value) in &request.headers {
            if !OF_THE_CONNECTION.contains(&name.as_str()) {
                forwarded = forwarded.header(name, value);
            }
        }
        let answer = forwarded.send().await?;
        let status = answer.status().as_u16();
        let headers = answer
            .headers()
            .iter()
            .filter(|(name, _)| !OF_THE_CONNECTION.contains(&name.as_str()))
            .filter_map(|(name, value)| {
                Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
            })
            .collect();
        let body = answer.bytes().await?.to_vec();
        Ok(Answer {
            status,
            headers,
            body,
        })
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    // They end with this task.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, Arc::clone(&shared)));
        while connections.try_join_next().is_some() {}
    }
}

/// Serves a connection to its end. Whatever breaks here, the client sees a connection that ends.
async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let mut connection = Connection::new(stream);
    while let Ok(Some(request)) = connection.request().await {
        if !matches!(answer(&mut connection, &shared, &request).await, Ok(true)) {
            return;
        }
    }
}

/// Answers a request as the plan wants it. `false`: the connection ends.
async fn answer(
    connection: &mut Connection,
    shared: &Shared,
    request: &Request,
) -> io::Result<bool> {
    let mut body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
    // A repeat by our own code carries another token than a repeat by the SDK.
    if let Some(members) = body.as_object_mut() {
        members.remove("ClientRequestToken");
    }
    let call = Call::of(request.header("x-amz-target"), &body);
    let (death, (call, fault)) = {
        let mut state = shared.state();
        (Arc::clone(&state.death), state.judge(call, &body))
    };
    let forward = async || shared.forward(request).await.map_err(io::Error::other);
    let answer = match fault {
        None => forward().await?,
        Some(Fault::Closed) => return Ok(false),
        Some(Fault::Unavailable) => fault::unavailable(&call),
        Some(Fault::Throttled) => fault::throttled(&call, &body),
        Some(Fault::Conflict) => fault::conflict(&body),
        Some(Fault::LostByClosing) => {
            forward().await?;
            return Ok(false);
        }
        Some(Fault::LostByError) => {
            forward().await?;
            fault::unavailable(&call)
        }
        Some(Fault::Slow) => {
            let answer = forward().await?;
            tokio::select! {
                () = connection.hung_up() => return Ok(false),
                () = tokio::time::sleep(SLOW) => answer,
            }
        }
        Some(fault @ (Fault::DiesBefore | Fault::DiesAfter)) => {
            if fault == Fault::DiesAfter {
                forward().await?;
            }
            death.notify_one();
            connection.hung_up().await;
            return Ok(false);
        }
    };
    connection.answer(&answer).await?;
    Ok(true)
}

/// Spreads a number over all bits (SplitMix64).
pub fn scramble(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
