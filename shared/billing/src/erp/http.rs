//! Signed requests to an address of the company: the HTTP connector of the ERP, and what webhooks are posted with.
//!
//! Each message is one POST with its JSON as the body. `Idempotency-Key` and `webhook-id` are the message's id and stay the same on every
//! attempt; `webhook-timestamp` is the moment of the attempt, and `webhook-signature` is as [`super::signature`] says. The status alone
//! decides what the answer means; its body is never read for meaning, kept or logged.

use std::sync::Arc;
use std::time::Duration;

use cierre_kernel::id::SyncId;
use cierre_kernel::time::Instant;
use cierre_platform::Failure;
use cierre_platform::error::Doing;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response, StatusCode, Url};
use rustls::{ClientConfig, RootCertStore};

use super::connector::{Connector, Message, Part, Reply};
use super::guard::{Forbidden, Guard, GuardedResolver};
use super::signature::{InvalidSecret, SigningKey};

/// From the beginning of a request to the end of its answer.
pub const TIME_OUT: Duration = Duration::from_secs(15);
/// The share of the time-out that opening a connection may take: a third. It ends early so that "never connected" can be told from "sent,
/// and not answered".
const CONNECTING: u32 = 3;
/// Bytes of an answer's body that are read before the connection is dropped.
const MAX_ANSWER: usize = 64 * 1024;

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const WEBHOOK_ID: &str = "webhook-id";
const WEBHOOK_TIMESTAMP: &str = "webhook-timestamp";
const WEBHOOK_SIGNATURE: &str = "webhook-signature";

/// Why a company's connector cannot be made. The sentence has no full stop, to stand inside another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The address may not be called.
    #[error(transparent)]
    Address(#[from] Forbidden),
    /// The secret is none.
    #[error(transparent)]
    Secret(#[from] InvalidSecret),
}

/// Opens connections, under a guard. Connections are kept open from one part to the next. One is made for each job and not for each
/// function: a connection that was kept over the time in which the function is frozen is dead, and to find that out costs an attempt.
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: Client,
    guard: Guard,
}

impl HttpClient {
    /// With the usual time-out, [`TIME_OUT`].
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(guard: Guard) -> Result<Self, Failure> {
        Self::with_time_out(guard, TIME_OUT)
    }

    /// With another time-out, for tests.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn with_time_out(guard: Guard, time_out: Duration) -> Result<Self, Failure> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls()?)
            .dns_resolver(GuardedResolver::new(guard))
            // A proxy, a redirect or a repeat that the client decides on would each go past the guard or past our counting.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(time_out / CONNECTING)
            .timeout(time_out)
            .user_agent("cierre")
            .build()
            .doing("making an HTTP client")?;
        Ok(Self { client, guard })
    }
}

/// The same cryptography and the same root certificates as the AWS SDK's, so that there is one TLS stack and nothing to install.
fn tls() -> Result<ClientConfig, Failure> {
    let mut roots = RootCertStore::empty();
    let (usable, _) =
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if usable == 0 {
        tracing::warn!("no root certificates were found: no ERP can be reached over https");
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .doing("setting up TLS")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Somebody who takes signed requests.
#[derive(Clone, Debug)]
pub struct Receiver {
    client: Client,
    url: Url,
    key: SigningKey,
}

impl Receiver {
    /// At this address, signed with this secret ([`SigningKey::parse`]).
    ///
    /// # Errors
    /// [`Unusable`] when the guard forbids the address or the secret is none.
    pub fn new(client: &HttpClient, url: &str, secret: &str) -> Result<Self, Unusable> {
        Ok(Self {
            client: client.client.clone(),
            url: client.guard.read(url)?,
            key: SigningKey::parse(secret)?,
        })
    }

    /// Posts JSON under an id that is the same on every attempt and holds no full stop.
    pub async fn post(&self, id: &str, body: Vec<u8>, now: Instant) -> Reply {
        let timestamp = now.as_millis().div_euclid(1000);
        let signature = self.key.sign(id, timestamp, &body);
        let request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(IDEMPOTENCY_KEY, id)
            .header(WEBHOOK_ID, id)
            .header(WEBHOOK_TIMESTAMP, timestamp)
            .header(WEBHOOK_SIGNATURE, signature)
            .body(body);
        match request.send().await {
            Ok(answer) => {
                let reply = meaning_of(answer.status());
                drain(answer).await;
                reply
            }
            Err(error) => cause_of(&error),
        }
    }
}

/// An ERP that is reached by signed requests.
#[derive(Clone, Debug)]
pub struct HttpConnector {
    receiver: Receiver,
}

impl HttpConnector {
    /// To this address, signed with this secret.
    ///
    /// # Errors
    /// As [`Receiver::new`].
    pub fn new(client: &HttpClient, url: &str, secret: &str) -> Result<Self, Unusable> {
        let receiver = Receiver::new(client, url, secret)?;
        Ok(Self { receiver })
    }

    async fn post(&self, message: Message<'_>, now: Instant) -> Reply {
        match serde_json::to_vec(&message) {
            Ok(body) => self.receiver.post(&message.id(), body, now).await,
            Err(_) => refused("it cannot be written as JSON"),
        }
    }
}

impl Connector for HttpConnector {
    async fn send_chunk(&self, part: Part<'_>, _attempt: u32, now: Instant) -> Reply {
        self.post(Message::Chunk(part), now).await
    }

    async fn cancel(&self, sync: SyncId, now: Instant) -> Reply {
        self.post(Message::Cancel { sync_id: sync }, now).await
    }

    async fn confirm(&self, sync: SyncId, digest: &str, now: Instant) -> Reply {
        let message = Message::Confirm {
            sync_id: sync,
            digest,
        };
        self.post(message, now).await
    }
}

/// Reads the rest of an answer, so that its connection can be used again. An answer that is too long or breaks off costs the connection and
/// nothing else: the status has been read.
async fn drain(mut answer: Response) {
    let mut read = 0_usize;
    while let Ok(Some(bytes)) = answer.chunk().await {
        read = read.saturating_add(bytes.len());
        if read > MAX_ANSWER {
            return;
        }
    }
}

/// What a status means. An error on the ERP's side leaves open how far it came before; the others are said before anything is done. A
/// redirect is not followed: it would lead past the guard, and the signature was made for this address.
fn meaning_of(status: StatusCode) -> Reply {
    let reason = format!("it answered with status {}", status.as_u16());
    match status.as_u16() {
        200..=299 => Reply::Accepted,
        // Too slow, too early, too many: a matter of time.
        408 | 425 | 429 => try_again(reason, false),
        400..=499 => Reply::RefusedForGood { reason },
        500..=599 => try_again(reason, true),
        _ => try_again(reason, false),
    }
}

/// What a request without an answer means. Errors of the client name the address, so none of their texts is passed on.
fn cause_of(error: &reqwest::Error) -> Reply {
    if let Some(forbidden) = forbidden(error) {
        return Reply::RefusedForGood {
            reason: forbidden.to_string(),
        };
    }
    if error.is_builder() {
        return refused("its address cannot be called");
    }
    // Before there is a connection, TLS included, nothing of the message has left.
    if error.is_connect() {
        return try_again("it could not be reached".to_owned(), false);
    }
    let reason = match error.is_timeout() {
        true => "it did not answer in time",
        false => "the connection to it broke",
    };
    try_again(reason.to_owned(), true)
}

/// What the guard said, when it was the guard.
fn forbidden(error: &reqwest::Error) -> Option<Forbidden> {
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        if let Some(forbidden) = cause.downcast_ref::<Forbidden>() {
            return Some(*forbidden);
        }
        next = cause.source();
    }
    None
}

fn refused(reason: &str) -> Reply {
    Reply::RefusedForGood {
        reason: reason.to_owned(),
    }
}

const fn try_again(reason: String, in_doubt: bool) -> Reply {
    Reply::TryAgain { reason, in_doubt }
}

#[cfg(test)]
mod tests;
