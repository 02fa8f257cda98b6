//! The texts that a workbook's sheets share.

use std::borrow::Cow;
use std::io::Read;

use quick_xml::events::Event;

use super::Stop;
use super::finding::Rule;
use super::xml::{MAX_TOKEN, Xml, damaged, malformed, resolve, utf8};

/// How many bytes the texts may take. A file at the limits of a book keeps far below.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// All texts one after the other, and where each ends: a million texts are two allocations.
#[derive(Debug, Default)]
pub(super) struct Strings {
    text: String,
    ends: Vec<u32>,
}

impl Strings {
    /// Reads the part of the shared texts.
    pub(super) fn read<R: Read>(xml: &mut Xml<'_, R>) -> Result<Self, Stop> {
        let mut strings = Self::default();
        let mut item = String::new();
        let mut capture = Capture::default();
        loop {
            match xml.next()? {
                Event::Start(tag) => match tag.local_name().as_ref() {
                    b"si" => {
                        item.clear();
                        capture = Capture::default();
                    }
                    name => capture.start(name),
                },
                Event::Empty(tag) => {
                    if tag.local_name().as_ref() == b"si" {
                        strings.push("")?;
                    }
                }
                Event::End(tag) => match tag.local_name().as_ref() {
                    b"si" => strings.push(&item)?,
                    name => capture.end(name),
                },
                Event::Text(text) => capture.push(&mut item, utf8(&text)?)?,
                Event::CData(text) => capture.push(&mut item, utf8(&text)?)?,
                Event::GeneralRef(reference) => {
                    let character = resolve(&reference).ok_or_else(malformed)?;
                    capture.push(&mut item, character.encode_utf8(&mut [0; 4]))?;
                }
                Event::Eof => return Ok(strings),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
    }

    fn push(&mut self, item: &str) -> Result<(), Stop> {
        self.text.push_str(&unescaped(item.trim()));
        let bytes = self.text.len() + self.ends.len() * size_of::<u32>();
        if bytes > MAX_BYTES {
            let reason = "the shared texts take over 64 MiB";
            return Err(Stop::refused(Rule::ZipSospechoso, reason));
        }
        let end = u32::try_from(self.text.len()).map_err(|_| damaged())?;
        self.ends.push(end);
        Ok(())
    }

    /// The text of a number, counted from 0.
    pub(super) fn get(&self, at: usize) -> Option<&str> {
        let end = usize::try_from(*self.ends.get(at)?).ok()?;
        let start = match at.checked_sub(1) {
            Some(before) => usize::try_from(*self.ends.get(before)?).ok()?,
            None => 0,
        };
        self.text.get(start..end)
    }
}

/// Which text within an item counts: that of its runs, not that of their pronunciation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Capture {
    text: bool,
    phonetic: bool,
}

impl Capture {
    /// An element begins.
    pub(super) fn start(&mut self, name: &[u8]) {
        match name {
            b"t" => self.text = true,
            b"rPh" => self.phonetic = true,
            _ => {}
        }
    }

    /// An element ends.
    pub(super) fn end(&mut self, name: &[u8]) {
        match name {
            b"t" => self.text = false,
            b"rPh" => self.phonetic = false,
            _ => {}
        }
    }

    /// Takes a text if it counts.
    pub(super) fn push(self, item: &mut String, text: &str) -> Result<(), Stop> {
        if self.text && !self.phonetic {
            append(item, text)?;
        }
        Ok(())
    }
}

/// Adds to a cell's text, within its limit.
pub(super) fn append(item: &mut String, text: &str) -> Result<(), Stop> {
    item.push_str(text);
    if item.len() > MAX_TOKEN {
        let reason = "the text of a cell has over 1 MiB";
        return Err(Stop::refused(Rule::XmlNoPermitido, reason));
    }
    Ok(())
}

/// Spreadsheets write what XML cannot hold as `_x000D_`.
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains("_x") {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let (before, escape) = rest.split_at(at);
        plain.push_str(before);
        let character = escape
            .get(2..6)
            .filter(|_| escape.as_bytes().get(6) == Some(&b'_'))
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .and_then(char::from_u32);
        match character {
            Some(character) => {
                plain.push(character);
                rest = escape.get(7..).unwrap_or("");
            }
            None => {
                plain.push_str("_x");
                rest = escape.get(2..).unwrap_or("");
            }
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_read_back() {
        assert_eq!(unescaped("a_x000D_b_x005F_x0041_"), "a\rb_x0041_");
        assert_eq!(unescaped("_x00_x12G4_xé"), "_x00_x12G4_xé");
    }
}
