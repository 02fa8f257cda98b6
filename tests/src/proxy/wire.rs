//! HTTP/1.1 as far as AWS clients speak it: requests with a length, one after the other on a connection.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// A request as it came in.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    fn parse(head: &str) -> Option<Self> {
        let mut lines = head.split("\r\n");
        let mut first = lines.next()?.split(' ');
        let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Some(Self {
            method,
            path,
            headers,
            body: Vec::new(),
        })
    }

    /// A header's value; empty when it is absent.
    pub(super) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }
}

/// An answer to be written.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// A client's connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            read: Vec::new(),
        }
    }

    /// The next request; none when the client is gone.
    pub(super) async fn request(&mut self) -> io::Result<Option<Request>> {
        let head_length = loop {
            let found = self
                .read
                .windows(END_OF_HEAD.len())
                .position(|bytes| bytes == END_OF_HEAD);
            match found {
                Some(at) => break at,
                None if self.fill().await? => {}
                None => return Ok(None),
            }
        };
        let head = String::from_utf8_lossy(&self.read[..head_length]).into_owned();
        let malformed = || io::Error::other(format!("not a request: {head}"));
        let mut request = Request::parse(&head).ok_or_else(malformed)?;
        let length: usize = request.header("content-length").parse().unwrap_or(0);
        let start = head_length + END_OF_HEAD.len();
        while self.read.len() < start + length {
            if !self.fill().await? {
                return Ok(None);
            }
        }
        request.body = self.read[start..start + length].to_vec();
        self.read.drain(..start + length);
        Ok(Some(request))
    }

    /// Writes an answer; the connection stays.
    pub(super) async fn answer(&mut self, answer: &Answer) -> io::Result<()> {
        let mut bytes = format!("HTTP/1.1 {} -\r\n", answer.status).into_bytes();
        for (name, value) in &answer.headers {
            bytes.extend(format!("{name}: {value}\r\n").bytes());
        }
        bytes.extend(format!("content-length: {}\r\n\r\n", answer.body.len()).bytes());
        bytes.extend(&answer.body);
        self.stream.write_all(&bytes).await
    }

    /// Waits until the client hangs up.
    pub(super) async fn hung_up(&mut self) {
        while matches!(self.fill().await, Ok(true)) {}
    }

    async fn fill(&mut self) -> io::Result<bool> {
        Ok(self.stream.read_buf(&mut self.read).await? > 0)
    }
}
