//! A workbook: which parts it has, and which sheets are read.

use std::collections::{HashMap, HashSet};
use std::io::{Read, Seek};
use std::sync::Arc;

use quick_xml::events::Event;
use zip::ZipArchive;
use zip::result::ZipError;

use super::cell::Epoch;
use super::finding::{Finding, Rule};
use super::layout::{Place, Score};
use super::sheet::{Outcome, Sheet};
use super::strings::Strings;
use super::survey::Surveyed;
use super::tables::{Table, tables};
use super::xml::{MAX_INFLATED, Source, Xml, attribute, damaged, is_suspicious};
use super::{Reading, Stop, worksheet};
use crate::kind::Kind;

/// The most entries of the zip.
const MAX_ENTRIES: u64 = 1000;
/// The most sheets.
const MAX_SHEETS: usize = 1000;

/// Reads a workbook.
pub(super) fn read<R: Read + Seek>(
    reading: &mut Reading<'_>,
    surveyed: &Surveyed,
    input: R,
) -> Result<(), Stop> {
    // Counted before the directory is read, which takes memory for each.
    if surveyed.entries > MAX_ENTRIES {
        return Err(too_many_entries());
    }
    let mut parts = Parts::open(input)?;
    let book = Book::read(&mut parts)?;
    reading.epoch = book.epoch;
    parts.scan_others(&book)?;
    #[expect(
        clippy::redundant_closure,
        reason = "the function's name alone is of one lifetime"
    )]
    let strings = match &book.strings {
        Some(path) => parts.with(path, |xml| Strings::read(xml))?,
        None => Strings::default(),
    };
    if reading.request.kind == Kind::MovimientosMes {
        read_movimientos(reading, &mut parts, &book, &strings)
    } else {
        read_first(reading, &mut parts, &book, &strings)
    }
}

/// The three sheets of movimientos_mes.
fn read_movimientos<R: Read + Seek>(
    reading: &mut Reading<'_>,
    parts: &mut Parts<R>,
    book: &Book,
    strings: &Strings,
) -> Result<(), Stop> {
    let mut found: HashSet<&'static str> = HashSet::new();
    let mut empty = Vec::new();
    for (place, part) in &book.sheets {
        let table = tables(Kind::MovimientosMes).find(|table| table.is_sheet(&place.sheet));
        let Some((table, part)) = table
            .zip(part.as_ref())
            .filter(|(table, _)| found.insert(table.sheet))
        else {
            ignore(reading, parts, place, part.as_deref())?;
            continue;
        };
        match read_sheet(reading, parts, place, part, strings, Some(table))? {
            Outcome::Read => {}
            Outcome::NoHeader(best) => reading.no_header(place, &best),
            Outcome::Empty => empty.push(place),
        }
    }
    if !found.is_empty() && empty.len() == found.len() {
        return Err(no_content());
    }
    for place in empty {
        let best = Score {
            lacking: vec!["any content".to_owned()],
            ..Score::default()
        };
        reading.no_header(place, &best);
    }
    for table in tables(Kind::MovimientosMes).filter(|table| !found.contains(table.sheet)) {
        let finding = Finding::of_file(
            Kind::MovimientosMes,
            Rule::HojaFaltante,
            "the sheet is absent",
        );
        reading.findings.frame(0, finding.on(&table.sheet.into()));
    }
    Ok(())
}

/// The first sheet that has a header row.
fn read_first<R: Read + Seek>(
    reading: &mut Reading<'_>,
    parts: &mut Parts<R>,
    book: &Book,
    strings: &Strings,
) -> Result<(), Stop> {
    let table = tables(reading.request.kind).next();
    let mut read = false;
    let mut passed: Vec<&Place> = Vec::new();
    let mut best: Option<(&Place, Score)> = None;
    for (place, part) in &book.sheets {
        let Some(part) = part.as_ref().filter(|_| !read) else {
            ignore(reading, parts, place, part.as_deref())?;
            continue;
        };
        match read_sheet(reading, parts, place, part, strings, table)? {
            Outcome::Read => read = true,
            Outcome::Empty => passed.push(place),
            Outcome::NoHeader(score) => {
                passed.push(place);
                if best
                    .as_ref()
                    .is_none_or(|(_, best)| score.resolved > best.resolved)
                {
                    best = Some((place, score));
                }
            }
        }
    }
    let told = match best {
        Some((place, score)) if !read => {
            reading.no_header(place, &score);
            Some(place)
        }
        None if !read => return Err(no_content()),
        Some(_) | None => None,
    };
    for place in passed {
        if told.is_none_or(|told| told.position != place.position) {
            reading.ignored(place);
        }
    }
    Ok(())
}

fn read_sheet<R: Read + Seek>(
    reading: &mut Reading<'_>,
    parts: &mut Parts<R>,
    place: &Place,
    part: &str,
    strings: &Strings,
    table: Option<&'static Table>,
) -> Result<Outcome, Stop> {
    let mut sheet = Sheet::new(reading, place.clone(), table);
    let outcome = parts
        .with(part, |xml| {
            worksheet::read(xml, strings, &mut |row| sheet.take(row))
        })
        .and_then(|()| sheet.finish());
    outcome.map_err(|stop| stop.on(&place.sheet))
}

/// A sheet that the kind does not use is told, and read only for the faults of its XML.
fn ignore<R: Read + Seek>(
    reading: &mut Reading<'_>,
    parts: &mut Parts<R>,
    place: &Place,
    part: Option<&str>,
) -> Result<(), Stop> {
    reading.ignored(place);
    match part {
        Some(part) => parts
            .with(part, |xml| xml.scan())
            .map_err(|stop| stop.on(&place.sheet)),
        None => Ok(()),
    }
}

impl Reading<'_> {
    fn ignored(&mut self, place: &Place) {
        let reason = "the sheet is not used";
        let finding = Finding::of_file(self.request.kind, Rule::HojaIgnorada, reason);
        self.findings
            .frame(place.position, finding.on(&place.sheet));
    }
}

fn no_content() -> Stop {
    Stop::refused(Rule::ArchivoVacio, "no cell has content")
}

fn too_many_entries() -> Stop {
    let reason = format!("has over {MAX_ENTRIES} entries");
    Stop::refused(Rule::ZipSospechoso, reason)
}

/// The entries of the zip, by their names in lower case: part names ignore case.
struct Parts<R> {
    zip: ZipArchive<R>,
    names: HashMap<String, usize>,
    inflated: u64,
}

impl<R: Read + Seek> Parts<R> {
    /// Opens the zip and looks at what it declares, before anything inflates.
    fn open(input: R) -> Result<Self, Stop> {
        let zip = ZipArchive::new(input).map_err(|error| zip_stop(&error))?;
        if zip.len() as u64 > MAX_ENTRIES {
            return Err(too_many_entries());
        }
        let mut parts = Self {
            zip,
            names: HashMap::new(),
            inflated: 0,
        };
        let mut declared: u64 = 0;
        for at in 0..parts.zip.len() {
            let entry = parts
                .zip
                .by_index_raw(at)
                .map_err(|error| zip_stop(&error))?;
            if entry.encrypted() {
                let reason = "an entry is encrypted";
                return Err(Stop::refused(Rule::ArchivoCifrado, reason));
            }
            declared = declared.saturating_add(entry.size());
            if declared > MAX_INFLATED {
                let reason = "declares to inflate to over 512 MiB";
                return Err(Stop::refused(Rule::ZipSospechoso, reason));
            }
            if is_suspicious(entry.size(), entry.compressed_size()) {
                let reason = "an entry declares to inflate to over 100 times its size";
                return Err(Stop::refused(Rule::ZipSospechoso, reason));
            }
            let name = entry.name().replace('\\', "/").to_lowercase();
            let name = name.trim_start_matches('/').to_owned();
            drop(entry);
            // Two entries of one name are two readings of one file.
            if parts.names.insert(name, at).is_some() {
                return Err(damaged());
            }
        }
        Ok(parts)
    }

    /// Reads a part's XML.
    fn with<T>(
        &mut self,
        path: &str,
        read: impl FnOnce(&mut Xml<'_, zip::read::ZipFile<'_, R>>) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        let at = self.names.get(path).copied().ok_or_else(damaged)?;
        let entry = self.zip.by_index(at).map_err(|error| zip_stop(&error))?;
        let compressed = entry.compressed_size();
        read(&mut Xml::new(Source::new(
            entry,
            compressed,
            &mut self.inflated,
        )))
    }

    /// Looks at the XML of every part that nothing else reads.
    fn scan_others(&mut self, book: &Book) -> Result<(), Stop> {
        let mut others: Vec<(usize, String)> = self
            .names
            .iter()
            .filter(|(name, _)| !book.is_read(name))
            .map(|(name, at)| (*at, name.clone()))
            .collect();
        // In the file's order, so that of two faults the same one is told each time.
        others.sort_unstable();
        for (_, name) in others {
            let scanned = match name.rsplit_once('.') {
                Some((_, "xml" | "rels")) => self.with(&name, |xml| xml.scan()),
                // Drawings of old are XML only by their looks: no more is asked than that nothing is declared.
                Some((_, "vml")) => match self.with(&name, |xml| xml.scan()) {
                    Err(Stop::Refused {
                        rule: Rule::XmlNoPermitido,
                        reason,
                        ..
                    }) if !reason.contains("document type") => Ok(()),
                    other => other,
                },
                Some(_) | None => Ok(()),
            };
            scanned?;
        }
        Ok(())
    }
}

fn zip_stop(error: &ZipError) -> Stop {
    match error {
        ZipError::Io(error) => super::xml::stop_io(error),
        ZipError::UnsupportedArchive(reason) if *reason == ZipError::PASSWORD_REQUIRED => {
            Stop::refused(Rule::ArchivoCifrado, "an entry is encrypted")
        }
        // Of an enumeration that may grow.
        ZipError::InvalidArchive(_)
        | ZipError::UnsupportedArchive(_)
        | ZipError::FileNotFound
        | ZipError::InvalidPassword
        | ZipError::CompressionMethodNotSupported(_)
        | _ => damaged(),
    }
}

/// What a workbook consists of.
#[derive(Debug)]
struct Book {
    path: String,
    epoch: Epoch,
    strings: Option<String>,
    /// In the workbook's order; one that is no sheet of cells has no part.
    sheets: Vec<(Place, Option<String>)>,
    /// Every part that is read on the way here.
    read: HashSet<String>,
}

struct Relation {
    id: String,
    kind: String,
    target: String,
}

impl Book {
    fn read<R: Read + Seek>(parts: &mut Parts<R>) -> Result<Self, Stop> {
        refuse_other_formats(parts)?;
        let roots = relations(parts, "_rels/.rels", "")?;
        let path = target(&roots, "officedocument").ok_or_else(damaged)?;
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", &path));
        let links = format!("{folder}/_rels/{file}.rels");
        let links = links.trim_start_matches('/').to_owned();
        let relations = relations(parts, &links, folder)?;
        let mut book = Self {
            strings: target(&relations, "sharedstrings"),
            epoch: Epoch::Y1900,
            sheets: Vec::new(),
            read: HashSet::from([
                "[content_types].xml".to_owned(),
                "_rels/.rels".to_owned(),
                links,
                path.clone(),
            ]),
            path,
        };
        let path = book.path.clone();
        parts.with(&path, |xml| book.sheets_of(xml, &relations))?;
        book.read.extend(book.strings.clone());
        let sheets = book.sheets.iter().filter_map(|(_, part)| part.clone());
        book.read.extend(sheets.collect::<Vec<_>>());
        Ok(book)
    }

    fn is_read(&self, name: &str) -> bool {
        self.read.contains(name)
    }

    fn sheets_of<R: Read>(
        &mut self,
        xml: &mut Xml<'_, R>,
        relations: &[Relation],
    ) -> Result<(), Stop> {
        let mut used: HashSet<String> = HashSet::new();
        loop {
            match xml.next()? {
                Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                    b"workbookPr" => {
                        let flag = attribute(&tag, b"date1904")?;
                        if flag.is_some_and(|flag| flag == "1" || flag == "true") {
                            self.epoch = Epoch::Y1904;
                        }
                    }
                    b"sheet" => {
                        let name = attribute(&tag, b"name")?.ok_or_else(damaged)?;
                        let id = attribute(&tag, b"id")?.ok_or_else(damaged)?;
                        let part = relations
                            .iter()
                            .find(|relation| relation.id == id)
                            .ok_or_else(damaged)?;
                        let cells = part.kind.ends_with("/worksheet");
                        if self.sheets.len() >= MAX_SHEETS
                            || (cells && !used.insert(part.target.clone()))
                        {
                            return Err(damaged());
                        }
                        let place = Place {
                            sheet: Arc::from(name.trim()),
                            position: u16::try_from(self.sheets.len() + 1)
                                .map_err(|_| damaged())?,
                        };
                        self.sheets
                            .push((place, cells.then(|| part.target.clone())));
                    }
                    _ => {}
                },
                Event::Eof => return Ok(()),
                Event::End(_)
                | Event::Text(_)
                | Event::CData(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::DocType(_)
                | Event::GeneralRef(_) => {}
            }
        }
    }
}

/// Zips that are no workbook of this kind, and workbooks with macros.
fn refuse_other_formats<R: Read + Seek>(parts: &mut Parts<R>) -> Result<(), Stop> {
    let refused = |reason: &'static str| Err(Stop::refused(Rule::FormatoNoSoportado, reason));
    let has = |end: &str| parts.names.keys().any(|name| name.ends_with(end));
    if has("vbaproject.bin")
        || parts
            .names
            .keys()
            .any(|name| name.contains("/macrosheets/"))
    {
        return refused("a workbook with macros");
    }
    if has("workbook.bin") {
        return refused("a binary workbook (.xlsb)");
    }
    if !parts.names.contains_key("[content_types].xml") {
        return refused("is a zip and no workbook");
    }
    let macros = parts.with("[content_types].xml", |xml| {
        let mut macros = false;
        loop {
            match xml.next()? {
                Event::Start(tag) | Event::Empty(tag) => {
                    let kind = attribute(&tag, b"ContentType")?;
                    macros |= kind.is_some_and(|kind| kind.to_lowercase().contains("macroenabled"));
                }
                Event::Eof => return Ok(macros),
                Event::End(_)
                | Event::Text(_)
                | Event::CData(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::DocType(_)
                | Event::GeneralRef(_) => {}
            }
        }
    })?;
    if macros {
        return refused("a workbook with macros");
    }
    Ok(())
}

/// The relations of a part, their targets as paths in lower case. What lies outside the file is left out and never opened.
fn relations<R: Read + Seek>(
    parts: &mut Parts<R>,
    path: &str,
    folder: &str,
) -> Result<Vec<Relation>, Stop> {
    parts.with(path, |xml| {
        let mut relations = Vec::new();
        loop {
            match xml.next()? {
                Event::Start(tag) | Event::Empty(tag) => {
                    let mode = attribute(&tag, b"TargetMode")?;
                    let external = mode.is_some_and(|mode| mode.eq_ignore_ascii_case("external"));
                    let (id, kind) = (attribute(&tag, b"Id")?, attribute(&tag, b"Type")?);
                    let target = attribute(&tag, b"Target")?;
                    if let (Some(id), Some(kind), Some(target), false) =
                        (id, kind, target, external)
                    {
                        relations.push(Relation {
                            id: id.into_owned(),
                            kind: kind.to_lowercase(),
                            target: absolute(folder, &target),
                        });
                    }
                }
                Event::Eof => return Ok(relations),
                Event::End(_)
                | Event::Text(_)
                | Event::CData(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::DocType(_)
                | Event::GeneralRef(_) => {}
            }
        }
    })
}

/// The target of the first relation of a kind, named by the end of its type: the strict dialect has other beginnings.
fn target(relations: &[Relation], kind: &str) -> Option<String> {
    relations
        .iter()
        .find(|relation| relation.kind.rsplit('/').next() == Some(kind))
        .map(|relation| relation.target.clone())
}

fn absolute(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/").to_lowercase();
    let path = match target.strip_prefix('/') {
        Some(path) => path.to_owned(),
        None => format!("{folder}/{target}"),
    };
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    steps.join("/")
}
