use std::net::SocketAddr;

use rstest::rstest;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SYNC: &str = "syn_00000000000000000000000005";
/// 2024-01-31T12:00:00.999Z
const NOW: i64 = 1_706_702_400_999;
/// For a machine that is busy with other tests.
const LONG: Duration = Duration::from_secs(30);
/// For tests that wait for its end.
const SHORT: Duration = Duration::from_secs(1);

fn now() -> Instant {
    Instant::from_millis(NOW)
}

fn sync() -> SyncId {
    SYNC.parse().unwrap()
}

fn part() -> Part<'static> {
    Part {
        sync_id: sync(),
        chunk: 0,
        chunks: 1,
        digest: "d",
        invoices: &[],
    }
}

fn with_time_out(url: &str, time_out: Duration) -> HttpConnector {
    let client = HttpClient::with_time_out(Guard::new(true), time_out).unwrap();
    HttpConnector::new(&client, url, SECRET).unwrap()
}

fn connector(url: &str) -> HttpConnector {
    with_time_out(url, LONG)
}

/// A request as it arrived.
#[derive(Debug)]
struct Request {
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn header(&self, name: &str) -> &str {
        let found: Vec<&str> = self
            .headers
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .collect();
        assert_eq!(found.len(), 1, "{name}");
        found[0]
    }

    async fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            assert!(stream.read_buf(&mut bytes).await.unwrap() > 0);
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let line = lines.next().unwrap().to_owned();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut request = Self {
            line,
            headers,
            body: bytes[end + 4..].to_vec(),
        };
        let length: usize = request.header("content-length").parse().unwrap();
        while request.body.len() < length {
            assert!(stream.read_buf(&mut request.body).await.unwrap() > 0);
        }
        request
    }
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    (listener, url)
}

/// A server that takes one request, gives this answer and closes.
async fn answering(answer: impl Into<String>) -> (JoinHandle<Request>, String) {
    let (listener, url) = listen().await;
    let answer = answer.into();
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = Request::read(&mut stream).await;
        stream.write_all(answer.as_bytes()).await.unwrap();
        request
    });
    (served, url)
}

fn status(code: u16) -> String {
    format!("HTTP/1.1 {code} Any\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

#[tokio::test]
async fn a_part_is_posted_signed_and_accepted() {
    let (served, url) = answering(status(200)).await;
    let reply = connector(&url).send_chunk(part(), 2, now()).await;
    assert_eq!(reply, Reply::Accepted);
    let request = served.await.unwrap();
    assert_eq!(request.line, "POST /hook HTTP/1.1");
    assert_eq!(request.header("content-type"), "application/json");
    let id = format!("{SYNC}-0");
    assert_eq!(request.header("idempotency-key"), id);
    assert_eq!(request.header("webhook-id"), id);
    assert_eq!(request.header("webhook-timestamp"), "1706702400");
    let key = SigningKey::parse(SECRET).unwrap();
    assert_eq!(
        request.header("webhook-signature"),
        key.sign(&id, 1_706_702_400, &request.body)
    );
    assert_eq!(
        serde_json::from_slice::<Value>(&request.body).unwrap(),
        json!({ "type": "erp.sync.chunk", "syncId": SYNC, "chunk": 0, "chunks": 1, "digest": "d", "invoices": [] })
    );
}

#[tokio::test]
async fn taking_back_and_confirming_have_ids_of_their_own() {
    let (served, url) = answering(status(204)).await;
    assert_eq!(connector(&url).cancel(sync(), now()).await, Reply::Accepted);
    let request = served.await.unwrap();
    assert_eq!(request.header("webhook-id"), format!("{SYNC}-cancel"));
    assert_eq!(
        serde_json::from_slice::<Value>(&request.body).unwrap(),
        json!({ "type": "erp.sync.cancel", "syncId": SYNC })
    );
    let (served, url) = answering(status(202)).await;
    let reply = connector(&url).confirm(sync(), "d", now()).await;
    assert_eq!(reply, Reply::Accepted);
    let request = served.await.unwrap();
    assert_eq!(request.header("idempotency-key"), format!("{SYNC}-confirm"));
    assert_eq!(
        serde_json::from_slice::<Value>(&request.body).unwrap(),
        json!({ "type": "erp.sync.confirm", "syncId": SYNC, "digest": "d" })
    );
}

/// What a reply says, without its reason.
#[derive(Debug, PartialEq, Eq)]
enum Is {
    Accepted,
    Refused,
    Again { in_doubt: bool },
}

fn is(reply: &Reply) -> Is {
    match reply {
        Reply::Accepted => Is::Accepted,
        Reply::RefusedForGood { .. } => Is::Refused,
        Reply::TryAgain { in_doubt, .. } => Is::Again {
            in_doubt: *in_doubt,
        },
    }
}

const LATER: Is = Is::Again { in_doubt: false };
const IN_DOUBT: Is = Is::Again { in_doubt: true };

#[rstest]
#[case(200, Is::Accepted)]
#[case(201, Is::Accepted)]
#[case(204, Is::Accepted)]
#[case(299, Is::Accepted)]
#[case(300, LATER)]
#[case(304, LATER)]
#[case(400, Is::Refused)]
#[case(401, Is::Refused)]
#[case(404, Is::Refused)]
#[case(408, LATER)]
#[case(409, Is::Refused)]
#[case(422, Is::Refused)]
#[case(425, LATER)]
#[case(429, LATER)]
#[case(499, Is::Refused)]
#[case(500, IN_DOUBT)]
#[case(503, IN_DOUBT)]
#[case(599, IN_DOUBT)]
#[tokio::test]
async fn the_status_decides(#[case] code: u16, #[case] expected: Is) {
    let (served, url) = answering(status(code)).await;
    let reply = connector(&url).send_chunk(part(), 1, now()).await;
    assert_eq!(is(&reply), expected);
    match reply {
        Reply::Accepted => {}
        Reply::RefusedForGood { reason } | Reply::TryAgain { reason, .. } => {
            assert_eq!(reason, format!("it answered with status {code}"));
        }
    }
    served.await.unwrap();
}

#[rstest]
#[case(301)]
#[case(302)]
#[case(307)]
#[case(308)]
#[tokio::test]
async fn a_redirect_is_not_followed(#[case] code: u16) {
    let (elsewhere, target) = listen().await;
    let answer = format!(
        "HTTP/1.1 {code} Any\r\nlocation: {target}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    let (served, url) = answering(answer).await;
    let reply = connector(&url).send_chunk(part(), 1, now()).await;
    assert_eq!(is(&reply), LATER);
    served.await.unwrap();
    assert_nobody_called(&elsewhere).await;
}

async fn assert_nobody_called(listener: &TcpListener) {
    let called = tokio::time::timeout(Duration::from_millis(100), listener.accept()).await;
    assert!(called.is_err(), "somebody called");
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_leaves_a_doubt() {
    let (listener, url) = listen().await;
    let silent = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        Request::read(&mut stream).await;
        std::future::pending::<()>().await;
    });
    let reply = with_time_out(&url, SHORT)
        .send_chunk(part(), 1, now())
        .await;
    assert_eq!(
        reply,
        Reply::TryAgain {
            reason: "it did not answer in time".into(),
            in_doubt: true
        }
    );
    silent.abort();
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_a_doubt() {
    let (served, url) = answering("").await;
    let reply = connector(&url).send_chunk(part(), 1, now()).await;
    assert_eq!(
        reply,
        Reply::TryAgain {
            reason: "the connection to it broke".into(),
            in_doubt: true
        }
    );
    served.await.unwrap();
}

#[tokio::test]
async fn where_nobody_listens_nothing_arrived() {
    let (listener, url) = listen().await;
    drop(listener);
    let reply = connector(&url).send_chunk(part(), 1, now()).await;
    assert_eq!(
        reply,
        Reply::TryAgain {
            reason: "it could not be reached".into(),
            in_doubt: false
        }
    );
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let (listener, url) = listen().await;
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        Request::read(&mut stream).await;
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        let block = vec![b' '; 64 * 1024];
        let mut written = 0_usize;
        while stream.write_all(&block).await.is_ok() {
            written += block.len();
        }
        written
    });
    let reply = connector(&url).send_chunk(part(), 1, now()).await;
    assert_eq!(reply, Reply::Accepted);
    // What the machine holds between the two ends comes on top of what was read.
    assert!(served.await.unwrap() < 64 * 1024 * 1024);
}

#[tokio::test]
async fn an_answer_that_stops_in_the_middle_counts_by_its_status() {
    let (listener, url) = listen().await;
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        Request::read(&mut stream).await;
        let head = "HTTP/1.1 422 No\r\ncontent-length: 10\r\n\r\nhalf";
        stream.write_all(head.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    });
    let reply = with_time_out(&url, SHORT)
        .send_chunk(part(), 1, now())
        .await;
    assert_eq!(is(&reply), Is::Refused);
    served.abort();
}

#[tokio::test]
async fn parts_share_a_connection() {
    let (listener, url) = listen().await;
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for _ in 0..2 {
            Request::read(&mut stream).await;
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\ntaken";
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let connector = connector(&url);
    for attempt in 1..=2 {
        let reply = connector.send_chunk(part(), attempt, now()).await;
        assert_eq!(reply, Reply::Accepted);
    }
    served.await.unwrap();
}

/// A server on this machine behind a name, as a name with a private address is.
async fn named() -> (TcpListener, SocketAddr) {
    let (listener, _) = listen().await;
    let address = listener.local_addr().unwrap();
    (listener, address)
}

#[tokio::test]
async fn a_name_that_leads_to_a_private_address_is_not_called() {
    let (listener, address) = named().await;
    let client = HttpClient::with_time_out(Guard::PUBLIC, LONG).unwrap();
    let url = format!("https://localhost:{}/hook", address.port());
    let connector = HttpConnector::new(&client, &url, SECRET).unwrap();
    let reply = connector.send_chunk(part(), 1, now()).await;
    assert_eq!(
        reply,
        Reply::RefusedForGood {
            reason: "its address is not on the public network".into()
        }
    );
    assert_nobody_called(&listener).await;
}

#[tokio::test]
async fn a_server_without_tls_is_not_spoken_to() {
    let (listener, address) = named().await;
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut first = [0_u8; 1];
        stream.read_exact(&mut first).await.unwrap();
        let _ = stream.write_all(status(200).as_bytes()).await;
        first[0]
    });
    let url = format!("https://{address}/hook");
    let reply = connector(&url).send_chunk(part(), 1, now()).await;
    assert_eq!(is(&reply), LATER);
    // The first byte of a TLS handshake: nothing was sent in the clear.
    assert_eq!(served.await.unwrap(), 0x16);
}

#[rstest]
#[case("http://127.0.0.1:1", SECRET, Unusable::Address(Forbidden::NotHttps))]
#[case("https://127.0.0.1", SECRET, Unusable::Address(Forbidden::NotPublic))]
#[case("", SECRET, Unusable::Address(Forbidden::NotAnUrl))]
#[case("https://erp.example.com", "", Unusable::Secret(InvalidSecret))]
fn an_address_or_a_secret_that_cannot_be_used_makes_no_connector(
    #[case] url: &str,
    #[case] secret: &str,
    #[case] expected: Unusable,
) {
    let client = HttpClient::new(Guard::PUBLIC).unwrap();
    let made = HttpConnector::new(&client, url, secret);
    assert_eq!(made.unwrap_err(), expected);
}

#[test]
fn the_secret_is_not_printed() {
    let client = HttpClient::new(Guard::PUBLIC).unwrap();
    let connector = HttpConnector::new(&client, "https://erp.example.com", SECRET).unwrap();
    let printed = format!("{connector:?}");
    assert!(!printed.contains("MfKQ") && !printed.contains("secret"));
}
