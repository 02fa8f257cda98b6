//! The cells of a sheet, row by row.

use std::io::Read;

use quick_xml::events::{BytesStart, Event};

use super::Stop;
use super::row::{Content, Origin, Row};
use super::strings::{Capture, Strings, append, unescaped};
use super::xml::{Xml, attribute, damaged, malformed, resolve, utf8};

/// The last row of a sheet.
const MAX_ROW: u32 = 1_048_576;
/// How many columns a sheet has.
const MAX_COLUMN: u32 = 16_384;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Number,
    Shared,
    /// The text of a formula.
    Formula,
    Inline,
    Boolean,
    Error,
    Date,
}

/// A cell that is being read.
#[derive(Debug)]
struct Open {
    column: u16,
    kind: Type,
    formula: bool,
    /// Whether a value was written at all, be it empty.
    valued: bool,
}

/// Reads a sheet and gives each of its rows.
pub(super) fn read<R: Read>(
    xml: &mut Xml<'_, R>,
    strings: &Strings,
    take: &mut dyn FnMut(&Row) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut row = Row::default();
    let mut last_row = 0;
    // The next column, counted from 0.
    let mut next_column = 0;
    let mut open: Option<Open> = None;
    let mut text = String::new();
    let mut value = false;
    let mut capture = Capture::default();
    loop {
        match xml.next()? {
            Event::Start(tag) => match tag.local_name().as_ref() {
                b"row" => {
                    last_row = row_number(&tag, last_row)?;
                    row.begin(last_row);
                    next_column = 0;
                }
                b"c" => {
                    text.clear();
                    value = false;
                    capture = Capture::default();
                    open = Some(cell(&tag, &mut next_column)?);
                }
                name => {
                    if let Some(cell) = &mut open {
                        match name {
                            b"f" => cell.formula = true,
                            b"v" => (cell.valued, value) = (true, true),
                            _ => capture.start(name),
                        }
                    }
                }
            },
            Event::Empty(tag) => match tag.local_name().as_ref() {
                b"row" => last_row = row_number(&tag, last_row)?,
                b"c" => {
                    cell(&tag, &mut next_column)?;
                }
                b"f" => {
                    if let Some(cell) = &mut open {
                        cell.formula = true;
                    }
                }
                b"v" => {
                    if let Some(cell) = &mut open {
                        cell.valued = true;
                    }
                }
                _ => {}
            },
            Event::End(tag) => match tag.local_name().as_ref() {
                b"row" => take(&row)?,
                b"c" => {
                    if let Some(cell) = open.take() {
                        let shared = close(&cell, &text, strings, &mut row)?;
                        xml.spend(shared)?;
                    }
                }
                b"v" => value = false,
                name => capture.end(name),
            },
            Event::Text(part) => {
                if let Some(cell) = &open {
                    push(cell, value, capture, &mut text, utf8(&part)?)?;
                }
            }
            Event::CData(part) => {
                if let Some(cell) = &open {
                    push(cell, value, capture, &mut text, utf8(&part)?)?;
                }
            }
            Event::GeneralRef(reference) => {
                if let Some(cell) = &open {
                    let character = resolve(&reference).ok_or_else(malformed)?;
                    let mut bytes = [0; 4];
                    push(
                        cell,
                        value,
                        capture,
                        &mut text,
                        character.encode_utf8(&mut bytes),
                    )?;
                }
            }
            Event::Eof => return Ok(()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

fn push(
    cell: &Open,
    value: bool,
    capture: Capture,
    text: &mut String,
    part: &str,
) -> Result<(), Stop> {
    if cell.kind == Type::Inline {
        capture.push(text, part)
    } else if value {
        append(text, part)
    } else {
        Ok(())
    }
}

/// A row's number: its own, or the next one.
fn row_number(tag: &BytesStart<'_>, last: u32) -> Result<u32, Stop> {
    let number = match attribute(tag, b"r")? {
        Some(number) => number.parse().map_err(|_| damaged())?,
        None => last + 1,
    };
    // Rows that go back would be told in the wrong order, and nothing writes them.
    (number > last && number <= MAX_ROW)
        .then_some(number)
        .ok_or_else(damaged)
}

/// A cell's place and type. Its own place, or the next one.
fn cell(tag: &BytesStart<'_>, next: &mut u32) -> Result<Open, Stop> {
    let mut column = *next;
    let mut kind = Type::Number;
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| malformed())?;
        match attribute.key.as_ref() {
            b"r" => column = column_of(&attribute.value).ok_or_else(damaged)?,
            b"t" => {
                kind = match attribute.value.as_ref() {
                    b"n" => Type::Number,
                    b"s" => Type::Shared,
                    b"str" => Type::Formula,
                    b"inlineStr" => Type::Inline,
                    b"b" => Type::Boolean,
                    b"e" => Type::Error,
                    b"d" => Type::Date,
                    _ => return Err(damaged()),
                }
            }
            _ => {}
        }
    }
    if column < *next || column >= MAX_COLUMN {
        return Err(damaged());
    }
    *next = column + 1;
    Ok(Open {
        column: u16::try_from(column).map_err(|_| damaged())?,
        kind,
        formula: false,
        valued: false,
    })
}

/// The column of a reference such as `AB12`, from 0.
fn column_of(reference: &[u8]) -> Option<u32> {
    let mut column = 0;
    for byte in reference
        .iter()
        .take_while(|b| b.is_ascii_alphabetic())
        .take(4)
    {
        column = column * 26 + u32::from(byte.to_ascii_uppercase() - b'A') + 1;
    }
    u32::checked_sub(column, 1)
}

/// Puts a cell into its row; how many bytes it took from the shared texts.
fn close(cell: &Open, text: &str, strings: &Strings, row: &mut Row) -> Result<usize, Stop> {
    let cached = !text.trim().is_empty() || (cell.kind == Type::Formula && cell.valued);
    let origin = match (cell.formula, cached) {
        (false, _) => Origin::Written,
        (true, true) => Origin::Cached,
        (true, false) => Origin::Uncached,
    };
    let mut push = |content, text: &str| row.push(cell.column, content, origin, text);
    match cell.kind {
        Type::Number => push(Content::Number, text),
        Type::Shared if text.trim().is_empty() => push(Content::Text, ""),
        Type::Shared => {
            let at = text.trim().parse().map_err(|_| damaged())?;
            let shared = strings.get(at).ok_or_else(damaged)?;
            push(Content::Text, shared);
            return Ok(shared.len());
        }
        Type::Formula | Type::Inline => push(Content::Text, &unescaped(text)),
        Type::Boolean => {
            let word = match text.trim() {
                "1" | "true" => "TRUE",
                "0" | "false" => "FALSE",
                other => other,
            };
            push(Content::Text, word);
        }
        Type::Error => push(Content::Error, text),
        // A day without its midnight.
        Type::Date => {
            let day = text.split_once("T00:00:00").map_or(text, |(day, _)| day);
            push(Content::Text, day);
        }
    }
    Ok(0)
}
