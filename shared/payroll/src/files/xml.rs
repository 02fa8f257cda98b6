//! The XML of a workbook's parts, read as a stream that cannot be made to grow.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufRead, Read};

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::Stop;
use super::finding::Rule;

/// The most bytes that a whole file may inflate to.
pub(super) const MAX_INFLATED: u64 = 512 * 1024 * 1024;
/// How many times its size an entry may inflate to, once it is over [`RATIO_FROM`].
const MAX_RATIO: u64 = 100;
/// From how many inflated bytes on the ratio is looked at.
const RATIO_FROM: u64 = 1024 * 1024;
/// The most bytes of a tag or of a text between two tags, and of a cell's text in all; a workbook's cell holds 32767 characters.
pub(super) const MAX_TOKEN: usize = 1024 * 1024;
/// How deep elements may lie; nothing that spreadsheets write comes near.
const MAX_DEPTH: u32 = 256;
const BUFFER: usize = 32 * 1024;

/// Whether an entry inflates further than it may.
pub(super) const fn is_suspicious(inflated: u64, compressed: u64) -> bool {
    inflated > RATIO_FROM && inflated > compressed.saturating_mul(MAX_RATIO)
}

/// A refusal on its way through a reader, which knows only I/O errors.
#[derive(Debug)]
struct Refusal(Rule, &'static str);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.1)
    }
}

impl std::error::Error for Refusal {}

fn refuse(rule: Rule, reason: &'static str) -> io::Error {
    io::Error::other(Refusal(rule, reason))
}

/// An entry of the zip, counted while it inflates.
pub(super) struct Source<'s, R> {
    inner: R,
    compressed: u64,
    inflated: u64,
    /// What the whole file has inflated to so far.
    total: &'s mut u64,
    /// How much was used since the last event.
    token: usize,
    buffer: Vec<u8>,
    used: usize,
}

impl<'s, R: Read> Source<'s, R> {
    /// Reads an entry of so many compressed bytes.
    pub(super) fn new(inner: R, compressed: u64, total: &'s mut u64) -> Self {
        Self {
            inner,
            compressed,
            inflated: 0,
            total,
            token: 0,
            buffer: Vec::new(),
            used: 0,
        }
    }

    fn spend(&mut self, bytes: u64) -> io::Result<()> {
        *self.total += bytes;
        if *self.total > MAX_INFLATED {
            return Err(refuse(Rule::ZipSospechoso, "inflates to over 512 MiB"));
        }
        Ok(())
    }

    fn refill(&mut self) -> io::Result<()> {
        self.used = 0;
        self.buffer.resize(BUFFER, 0);
        let read = loop {
            match self.inner.read(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.buffer.truncate(read);
        self.inflated += read as u64;
        if is_suspicious(self.inflated, self.compressed) {
            let reason = "an entry inflates to over 100 times its size";
            return Err(refuse(Rule::ZipSospechoso, reason));
        }
        // Markup is ASCII, so a zero is UTF-16 or no XML at all.
        if self.buffer.contains(&0) {
            return Err(refuse(Rule::XmlNoPermitido, "a part is not UTF-8"));
        }
        self.spend(read as u64)
    }
}

impl<R: Read> Read for Source<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut available = self.fill_buf()?;
        let read = available.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Source<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.token > MAX_TOKEN {
            let reason = "a tag or a text has over 1 MiB";
            return Err(refuse(Rule::XmlNoPermitido, reason));
        }
        if self.used >= self.buffer.len() {
            self.refill()?;
        }
        Ok(self.buffer.get(self.used..).unwrap_or_default())
    }

    fn consume(&mut self, bytes: usize) {
        self.used += bytes;
        self.token += bytes;
    }
}

/// A part of the workbook, event by event.
pub(super) struct Xml<'s, R> {
    reader: Reader<Source<'s, R>>,
    buffer: Vec<u8>,
    depth: u32,
    rooted: bool,
}

impl<'s, R: Read> Xml<'s, R> {
    /// Begins a part.
    pub(super) fn new(source: Source<'s, R>) -> Self {
        Self {
            reader: Reader::from_reader(source),
            buffer: Vec::new(),
            depth: 0,
            rooted: false,
        }
    }

    /// The next event. Whatever a workbook has no use for, and an attacker has, is refused here.
    pub(super) fn next(&mut self) -> Result<Event<'_>, Stop> {
        self.buffer.clear();
        self.reader.get_mut().token = 0;
        let event = self
            .reader
            .read_event_into(&mut self.buffer)
            .map_err(|error| stop(&error))?;
        match &event {
            Event::Start(_) => {
                if self.depth == 0 && self.rooted {
                    return Err(malformed());
                }
                self.rooted = true;
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    let reason = "elements lie too deep";
                    return Err(Stop::refused(Rule::XmlNoPermitido, reason));
                }
            }
            Event::Empty(_) => {
                if self.depth == 0 && self.rooted {
                    return Err(malformed());
                }
                self.rooted = true;
            }
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            Event::DocType(_) => {
                let reason = "a part has a document type";
                return Err(Stop::refused(Rule::XmlNoPermitido, reason));
            }
            Event::Decl(declaration) => {
                let encoding = declaration
                    .encoding()
                    .transpose()
                    .map_err(|_| malformed())?;
                let plain = encoding.is_none_or(|encoding| {
                    encoding.eq_ignore_ascii_case(b"utf-8")
                        || encoding.eq_ignore_ascii_case(b"us-ascii")
                });
                if !plain {
                    let reason = "a part is not UTF-8";
                    return Err(Stop::refused(Rule::XmlNoPermitido, reason));
                }
            }
            Event::Eof if self.depth > 0 || !self.rooted => return Err(malformed()),
            Event::GeneralRef(reference) if resolve(reference).is_none() => return Err(malformed()),
            Event::Text(text) if self.depth == 0 && !text.iter().all(u8::is_ascii_whitespace) => {
                // A byte order mark is no text.
                if **text != *b"\xef\xbb\xbf" {
                    return Err(malformed());
                }
            }
            Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::PI(_)
            | Event::GeneralRef(_)
            | Event::Eof => {}
        }
        Ok(event)
    }

    /// Reads a part to its end for its faults alone.
    pub(super) fn scan(&mut self) -> Result<(), Stop> {
        loop {
            match self.next()? {
                Event::Start(tag) | Event::Empty(tag) => {
                    if !tag.attributes().all(|attribute| attribute.is_ok()) {
                        return Err(malformed());
                    }
                }
                Event::Text(text) => {
                    utf8(&text)?;
                }
                Event::Eof => return Ok(()),
                Event::End(_)
                | Event::CData(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::DocType(_)
                | Event::GeneralRef(_) => {}
            }
        }
    }

    /// Counts text that is repeated from elsewhere: a small sheet can name a long text a million times.
    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), Stop> {
        self.reader
            .get_mut()
            .spend(bytes as u64)
            .map_err(|error| stop_io(&error))
    }
}

/// XML that does not parse.
pub(super) fn malformed() -> Stop {
    Stop::refused(Rule::XmlNoPermitido, "a part is not well-formed XML")
}

/// What is not what spreadsheets write, though it is XML in a zip.
pub(super) fn damaged() -> Stop {
    Stop::refused(Rule::FormatoNoSoportado, "the workbook is damaged")
}

fn stop(error: &quick_xml::Error) -> Stop {
    match error {
        quick_xml::Error::Io(error) => stop_io(error),
        quick_xml::Error::Syntax(_)
        | quick_xml::Error::IllFormed(_)
        | quick_xml::Error::InvalidAttr(_)
        | quick_xml::Error::Encoding(_)
        | quick_xml::Error::Escape(_)
        | quick_xml::Error::Namespace(_) => malformed(),
    }
}

/// What an error of reading an entry means: bytes that do not inflate are the file's fault, others are nobody's.
pub(super) fn stop_io(error: &io::Error) -> Stop {
    if let Some(Refusal(rule, reason)) = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Refusal>())
    {
        return Stop::refused(*rule, *reason);
    }
    let corrupt = [
        io::ErrorKind::InvalidData,
        io::ErrorKind::InvalidInput,
        io::ErrorKind::UnexpectedEof,
        io::ErrorKind::Other,
    ];
    if corrupt.contains(&error.kind()) {
        damaged()
    } else {
        Stop::Io(io::Error::new(error.kind(), error.to_string()))
    }
}

/// Bytes of an event as text.
pub(super) fn utf8(bytes: &[u8]) -> Result<&str, Stop> {
    std::str::from_utf8(bytes).map_err(|_| malformed())
}

/// The character of a reference; XML has five named ones.
pub(super) fn resolve(reference: &BytesRef<'_>) -> Option<char> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Some(character),
        Ok(None) => match &**reference {
            b"amp" => Some('&'),
            b"lt" => Some('<'),
            b"gt" => Some('>'),
            b"quot" => Some('"'),
            b"apos" => Some('\''),
            _ => None,
        },
        Err(_) => None,
    }
}

/// The value of an attribute, whatever its prefix.
pub(super) fn attribute<'t>(
    tag: &'t BytesStart<'_>,
    name: &[u8],
) -> Result<Option<Cow<'t, str>>, Stop> {
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| malformed())?;
        if attribute.key.local_name().as_ref() == name {
            return match attribute.value {
                Cow::Borrowed(value) => unescape(utf8(value)?).map(Some).map_err(|_| malformed()),
                Cow::Owned(value) => {
                    let value = unescape(utf8(&value)?)
                        .map_err(|_| malformed())?
                        .into_owned();
                    Ok(Some(Cow::Owned(value)))
                }
            };
        }
    }
    Ok(None)
}
