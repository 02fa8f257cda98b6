//! A walk through a document, element by element, that refuses what is not safe where it begins.

use cierre_kernel::codes;
use quick_xml::NsReader;
use quick_xml::errors::SyntaxError;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};

use super::{Fallo, Lugar};

/// How deep elements may lie.
const MAX_DEPTH: usize = 64;
/// Attributes of an element at most: each is compared with those before it.
const MAX_ATTRIBUTES: usize = 256;

const INVOICE: &[u8] = b"urn:oasis:names:specification:ubl:schema:xsd:Invoice-2";
const ATTACHED: &[u8] = b"urn:oasis:names:specification:ubl:schema:xsd:AttachedDocument-2";
const AGGREGATE: &[u8] =
    b"urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2";
const BASIC: &[u8] = b"urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2";

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// From 1.
    pub(super) line: u32,
    /// In characters, from 1.
    pub(super) column: u32,
}

impl Position {
    /// The place of the byte at `offset`.
    pub(super) fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let last_line = before.rsplit('\n').next().unwrap_or_default();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            line: count(before.matches('\n').count()).saturating_add(1),
            column: count(last_line.chars().count()).saturating_add(1),
        }
    }
}

/// Where a document begins within the file.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// The place of its first character; its column is none where escapes make columns another's.
    pub(super) line: u32,
    pub(super) column: Option<u32>,
    /// The elements above it.
    pub(super) above: String,
}

impl Default for Origin {
    fn default() -> Self {
        Self {
            line: 1,
            column: Some(1),
            above: String::new(),
        }
    }
}

impl Origin {
    /// The place, in the file, of the byte at `offset` of the document.
    pub(super) fn place(&self, text: &str, offset: usize, path: &str) -> Lugar {
        let within = Position::of(text, offset);
        let first = if within.line == 1 {
            self.column
        } else {
            self.column.map(|_| 1)
        };
        let ruta = format!("{}{path}", self.above);
        Lugar {
            linea: Some(self.line.saturating_add(within.line - 1)),
            columna: first.map(|first| first.saturating_add(within.column - 1)),
            ruta: (!ruta.is_empty()).then_some(ruta),
        }
    }
}

/// An element without its content: what a visitor is told when it begins.
#[derive(Clone, Debug, Default)]
pub(super) struct Elemento {
    /// Where it begins, in bytes.
    pub(super) offset: usize,
    /// The attribute `schemeID`.
    pub(super) scheme: Option<String>,
    /// The attribute `currencyID`.
    pub(super) currency: Option<String>,
    /// Its text: all of it, without that of elements within. Empty when it begins.
    pub(super) text: String,
    /// Where its text begins, in bytes, if that is one CDATA section from its first character on.
    pub(super) cdata: Option<usize>,
}

/// What looks at the elements. Paths are in the usual prefixes, whichever the document uses, and `?:` stands before names of other namespaces.
pub(super) trait Visitor {
    /// Whether the text of an element is wanted.
    fn wants(&self, path: &str) -> bool;
    /// An element begins; the root first.
    fn begins(&mut self, path: &str, element: &Elemento) -> Result<(), Fallo>;
    /// A wanted element ended.
    fn ends(&mut self, path: &str, element: Elemento) -> Result<(), Fallo>;
}

struct Walk<'t> {
    text: &'t str,
    origin: &'t Origin,
    reader: NsReader<&'t [u8]>,
    path: String,
    /// Elements that are open: how long the path was before each, and what is known of it where its text is wanted.
    open: Vec<(usize, Option<Elemento>)>,
    rooted: bool,
}

/// Walks through a document.
pub(super) fn walk(text: &str, origin: &Origin, visitor: &mut impl Visitor) -> Result<(), Fallo> {
    let mut reader = NsReader::from_str(text);
    reader.config_mut().enable_all_checks(true);
    let mut walk = Walk {
        text,
        origin,
        reader,
        path: String::new(),
        open: Vec::new(),
        rooted: false,
    };
    if let Some((offset, _)) = text.char_indices().find(|(_, c)| !is_xml(*c)) {
        return Err(walk.malformed(offset, "A character that XML does not have"));
    }
    while walk.step(visitor)? {}
    Ok(())
}

/// The characters of XML 1.0.
const fn is_xml(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => {
            true
        }
        '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => false,
    }
}

fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

impl Walk<'_> {
    fn malformed(&self, at: usize, detail: impl Into<String>) -> Fallo {
        let lugar = self.origin.place(self.text, at, &self.path);
        Fallo::of(codes::XML_MAL_FORMADO, detail).at(lugar)
    }

    fn insecure(&self, at: usize, detail: &str) -> Fallo {
        let lugar = self.origin.place(self.text, at, &self.path);
        Fallo::of(codes::XML_INSEGURO, detail).at(lugar)
    }

    /// Takes the next event. False at the end.
    fn step(&mut self, visitor: &mut impl Visitor) -> Result<bool, Fallo> {
        let at = offset(self.reader.buffer_position());
        let read = self.reader.read_resolved_event();
        let (prefix, event) = match read {
            Ok((resolved, event)) => (prefix(&resolved), event),
            Err(error) => return Err(self.broken(&error)),
        };
        match event {
            Event::Start(tag) => self.start(at, prefix, &tag, visitor)?,
            Event::Empty(tag) => {
                self.start(at, prefix, &tag, visitor)?;
                self.end(visitor)?;
            }
            Event::End(_) => self.end(visitor)?,
            Event::Text(text) => {
                let text = std::str::from_utf8(&text)
                    .map_err(|_| self.malformed(at, "The text is not UTF-8"))?;
                self.take(at, text)?;
            }
            Event::CData(data) => {
                let text = std::str::from_utf8(&data)
                    .map_err(|_| self.malformed(at, "The text is not UTF-8"))?;
                let begins = offset(self.reader.buffer_position()).saturating_sub(text.len() + 3);
                if let Some(element) = self.wanted()
                    && element.text.is_empty()
                {
                    element.cdata = Some(begins);
                }
                self.take(at, text)?;
            }
            Event::GeneralRef(reference) => {
                let Some(character) = resolve(&reference) else {
                    return Err(self.malformed(at, "An entity that XML does not have"));
                };
                self.take(at, character.encode_utf8(&mut [0; 4]))?;
            }
            Event::DocType(_) => {
                return Err(self.insecure(at, "The document has a document type"));
            }
            Event::Decl(_) if at > 0 => {
                return Err(self.malformed(at, "The XML declaration does not stand first"));
            }
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => {
                if !self.rooted || !self.open.is_empty() {
                    return Err(self.malformed(at, "The document ends before its elements do"));
                }
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn broken(&self, error: &quick_xml::Error) -> Fallo {
        let at = offset(self.reader.error_position());
        if let quick_xml::Error::Syntax(SyntaxError::UnclosedDoctype) = error {
            return self.insecure(at, "The document has a document type");
        }
        self.malformed(at, format!("The document is not well-formed: {error}"))
    }

    fn start(
        &mut self,
        at: usize,
        prefix: Option<&'static str>,
        tag: &BytesStart<'_>,
        visitor: &mut impl Visitor,
    ) -> Result<(), Fallo> {
        if self.open.is_empty() && self.rooted {
            return Err(self.malformed(at, "The document has a second root"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(self.insecure(at, "Elements lie deeper than 64"));
        }
        let Some(prefix) = prefix else {
            return Err(self.malformed(at, "A prefix has no namespace"));
        };
        let mut element = Elemento {
            offset: at,
            ..Elemento::default()
        };
        for (count, attribute) in tag.attributes().enumerate() {
            if count >= MAX_ATTRIBUTES {
                return Err(self.insecure(at, "An element has more than 256 attributes"));
            }
            let attribute = attribute
                .map_err(|error| self.malformed(at, format!("An attribute is wrong: {error}")))?;
            let value = std::str::from_utf8(&attribute.value)
                .ok()
                .and_then(|value| quick_xml::escape::unescape(value).ok());
            let Some(value) = value else {
                return Err(self.malformed(at, "An attribute has an entity that XML does not have"));
            };
            match attribute.key.as_ref() {
                b"schemeID" => element.scheme = Some(value.into_owned()),
                b"currencyID" => element.currency = Some(value.into_owned()),
                _ => {}
            }
        }
        let local = String::from_utf8_lossy(tag.local_name().into_inner()).into_owned();
        let before = self.path.len();
        if before > 0 {
            self.path.push('/');
        }
        self.path.push_str(prefix);
        self.path.push_str(&local);
        self.rooted = true;
        visitor
            .begins(&self.path, &element)
            .map_err(|fallo| self.locate(at, fallo))?;
        let wanted = visitor.wants(&self.path);
        self.open.push((before, wanted.then_some(element)));
        Ok(())
    }

    fn end(&mut self, visitor: &mut impl Visitor) -> Result<(), Fallo> {
        let Some((before, element)) = self.open.pop() else {
            let at = offset(self.reader.buffer_position());
            return Err(self.malformed(at, "An element ends that did not begin"));
        };
        if let Some(element) = element {
            let at = element.offset;
            visitor
                .ends(&self.path, element)
                .map_err(|fallo| self.locate(at, fallo))?;
        }
        self.path.truncate(before);
        Ok(())
    }

    /// A visitor knows what is wrong; the walk knows where.
    fn locate(&self, at: usize, fallo: Fallo) -> Fallo {
        fallo.at(self.origin.place(self.text, at, &self.path))
    }

    fn wanted(&mut self) -> Option<&mut Elemento> {
        self.open
            .last_mut()
            .and_then(|(_, element)| element.as_mut())
    }

    fn take(&mut self, at: usize, text: &str) -> Result<(), Fallo> {
        let blank = text.chars().all(|c| matches!(c, ' ' | '\t' | '\r' | '\n'));
        if self.open.is_empty() && !blank {
            return Err(self.malformed(at, "Text stands outside the root"));
        }
        if let Some(element) = self.wanted() {
            element.text.push_str(text);
        }
        Ok(())
    }
}

/// The usual prefix of a namespace; none of one that is not declared.
fn prefix(resolved: &ResolveResult<'_>) -> Option<&'static str> {
    match resolved {
        ResolveResult::Bound(Namespace(name)) => Some(match *name {
            INVOICE | ATTACHED => "",
            AGGREGATE => "cac:",
            BASIC => "cbc:",
            _ => "?:",
        }),
        ResolveResult::Unbound => Some("?:"),
        ResolveResult::Unknown(_) => None,
    }
}

/// The character of a reference; XML has five named ones.
fn resolve(reference: &BytesRef<'_>) -> Option<char> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Some(character).filter(|c| is_xml(*c)),
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
