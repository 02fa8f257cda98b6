//! Text in columns.
//!
//! The records are cut here and not by a CSV library, because a blank line is a record that keeps its number, and because a quote that is never
//! closed must not take the rest of the file into memory as one cell.

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Cursor, Read, Seek};
use std::sync::Arc;

use encoding_rs::WINDOWS_1252;

use super::finding::Rule;
use super::layout::{Place, score};
use super::report::Encoding;
use super::row::{Content, Origin, Row};
use super::sheet::{Outcome, Sheet};
use super::survey::Surveyed;
use super::tables::{Table, tables};
use super::{Reading, Stop};
use crate::kind::Kind;

/// The most bytes of a record; no row of 512 readable cells comes near.
const RECORD: usize = 1024 * 1024;
/// How much of the file is looked at for the header line.
const HEAD: u64 = 1024 * 1024;
/// Among how many lines with content the header line is sought.
const SOUGHT: usize = 20;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Reads a CSV.
pub(super) fn read<R: Read + Seek>(
    reading: &mut Reading<'_>,
    surveyed: &Surveyed,
    mut input: R,
) -> Result<(), Stop> {
    let encoding = encoding(surveyed)?;
    reading.encoding = Some(encoding);
    let kind = reading.request.kind;
    let table = tables(kind).next();
    let mut head = Vec::new();
    input.rewind().map_err(Stop::Io)?;
    input
        .by_ref()
        .take(HEAD)
        .read_to_end(&mut head)
        .map_err(Stop::Io)?;
    let separator = separator(&head, encoding, kind, table);
    drop(head);
    input.rewind().map_err(Stop::Io)?;
    let mut records = Records::new(BufReader::with_capacity(64 * 1024, input), separator);
    let place = Place {
        sheet: Arc::from(""),
        position: 1,
    };
    let mut sheet = Sheet::new(reading, place.clone(), table);
    let mut row = Row::default();
    while records.next()? {
        records.fill(&mut row, encoding);
        sheet.take(&row)?;
    }
    match sheet.finish()? {
        Outcome::Read => Ok(()),
        Outcome::Empty => Err(Stop::refused(Rule::ArchivoVacio, "no cell has content")),
        Outcome::NoHeader(best) => {
            reading.no_header(&place, &best);
            Ok(())
        }
    }
}

fn encoding(surveyed: &Surveyed) -> Result<Encoding, Stop> {
    let refused = |reason: &'static str| Err(Stop::refused(Rule::CodificacionInvalida, reason));
    let head = surveyed.head.as_slice();
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return refused("is UTF-16");
    }
    if surveyed.zeros {
        return match head {
            // Every other byte of plain text is 0 then.
            [first, second, ..] if (*first == 0) != (*second == 0) => refused("is UTF-16"),
            _ => Err(Stop::refused(Rule::FormatoNoSoportado, "is no text")),
        };
    }
    match (surveyed.utf8, head.starts_with(BOM)) {
        (true, true) => Ok(Encoding::Utf8Bom),
        (true, false) => Ok(Encoding::Utf8),
        (false, _) if surveyed.undefined => {
            refused("is not UTF-8, and has a byte that windows-1252 does not define")
        }
        (false, _) => Ok(Encoding::Windows1252),
    }
}

/// The separator of the line that looks most like the header: `;` or `,`, whichever is more frequent in it outside quotes.
fn separator(head: &[u8], encoding: Encoding, kind: Kind, table: Option<&'static Table>) -> u8 {
    let mut best: Option<(usize, u8)> = None;
    let mut row = Row::default();
    for candidate in [b';', b','] {
        let mut records = Records::new(Cursor::new(head), candidate);
        let mut seen = 0;
        // A record that is cut at the end of the head, or too long, ends the search; it is told when it is read.
        while seen < SOUGHT && matches!(records.next(), Ok(true)) {
            records.fill(&mut row, encoding);
            if row.is_empty() {
                continue;
            }
            seen += 1;
            let resolved = score(kind, table, &row).resolved;
            if best.is_none_or(|(most, _)| resolved > most) {
                let own = if records.commas > records.semicolons {
                    b','
                } else {
                    b';'
                };
                best = Some((resolved, own));
            }
        }
    }
    best.map_or(b';', |(_, separator)| separator)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing of the cell was read.
    Start,
    /// Within a cell without quotes, or after the closing one.
    Plain,
    /// Within quotes.
    Quoted,
    /// After a quote within quotes: it closes, or it is doubled.
    Quote,
}

/// Cuts bytes into records and cells.
struct Records<R> {
    input: R,
    separator: u8,
    number: u32,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Outside quotes.
    semicolons: u32,
    commas: u32,
    /// The last byte was a CR, so that a LF belongs to it.
    after_return: bool,
    begun: bool,
}

impl<R: BufRead> Records<R> {
    fn new(input: R, separator: u8) -> Self {
        Self {
            input,
            separator,
            number: 0,
            bytes: Vec::new(),
            ends: Vec::new(),
            semicolons: 0,
            commas: 0,
            after_return: false,
            begun: false,
        }
    }

    /// Reads the next record; a blank line is one. `false` at the end.
    fn next(&mut self) -> Result<bool, Stop> {
        self.bytes.clear();
        self.ends.clear();
        (self.semicolons, self.commas) = (0, 0);
        let mut state = State::Start;
        let mut any = false;
        loop {
            let chunk = self.input.fill_buf().map_err(Stop::Io)?;
            let chunk = if self.begun {
                chunk
            } else {
                self.begun = true;
                let mark = if chunk.starts_with(BOM) { BOM.len() } else { 0 };
                self.input.consume(mark);
                continue;
            };
            if chunk.is_empty() {
                return self.last(any, state);
            }
            let mut used = 0;
            let mut ended = false;
            for &byte in chunk {
                used += 1;
                if std::mem::take(&mut self.after_return) && byte == b'\n' {
                    continue;
                }
                any = true;
                state = match (state, byte) {
                    (State::Start, b'"') => State::Quoted,
                    (State::Quoted, b'"') => State::Quote,
                    (State::Quote, b'"') => {
                        self.bytes.push(b'"');
                        State::Quoted
                    }
                    (State::Quoted, _) => {
                        self.bytes.push(byte);
                        State::Quoted
                    }
                    (State::Start | State::Plain | State::Quote, b'\n' | b'\r') => {
                        self.after_return = byte == b'\r';
                        ended = true;
                        break;
                    }
                    (State::Start | State::Plain | State::Quote, _) => {
                        self.semicolons += u32::from(byte == b';');
                        self.commas += u32::from(byte == b',');
                        if byte == self.separator {
                            self.ends.push(self.bytes.len());
                            State::Start
                        } else {
                            self.bytes.push(byte);
                            State::Plain
                        }
                    }
                };
            }
            self.input.consume(used);
            if self.bytes.len() + self.ends.len() > RECORD {
                let reason = format!(
                    "record {} is over 1 MiB; a quote may not be closed",
                    self.number + 1
                );
                return Err(Stop::refused(Rule::FormatoNoSoportado, reason));
            }
            if ended {
                return self.end();
            }
        }
    }

    fn last(&mut self, any: bool, state: State) -> Result<bool, Stop> {
        if state == State::Quoted {
            let reason = format!(
                "a quote is opened in record {} and never closed",
                self.number + 1
            );
            return Err(Stop::refused(Rule::FormatoNoSoportado, reason));
        }
        if any { self.end() } else { Ok(false) }
    }

    fn end(&mut self) -> Result<bool, Stop> {
        self.ends.push(self.bytes.len());
        self.number = self.number.saturating_add(1);
        Ok(true)
    }

    /// Puts the record's cells into a row.
    fn fill(&self, row: &mut Row, encoding: Encoding) {
        row.begin(self.number);
        row.width = self.ends.len();
        let mut start = 0;
        for (column, &end) in self.ends.iter().enumerate() {
            let bytes = self.bytes.get(start..end).unwrap_or_default();
            start = end;
            if bytes.is_empty() {
                continue;
            }
            // Beyond this there is no column to speak of; one with content is refused for standing far beyond 512.
            let column = u16::try_from(column).unwrap_or(u16::MAX);
            let text = match encoding {
                Encoding::Utf8 | Encoding::Utf8Bom => String::from_utf8_lossy(bytes),
                Encoding::Windows1252 if bytes.is_ascii() => String::from_utf8_lossy(bytes),
                Encoding::Windows1252 => decoded(bytes),
            };
            row.push(column, Content::Text, Origin::Written, &text);
        }
    }
}

fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    WINDOWS_1252.decode_without_bom_handling(bytes).0
}
