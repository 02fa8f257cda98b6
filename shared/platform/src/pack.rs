//! Many rows in one object: written once, read page by page or from beginning to end.
//!
//! Ten thousand rows as items of a table cost ten thousand write units; as one object they cost one request. What is lost is changing one row
//! alone, so this is for rows that never change once they are there.
//!
//! | bytes | what |
//! | --- | --- |
//! | 4 | `CPK1` |
//! | 4 | length of the index, big endian |
//! | … | the index, JSON, compressed (zlib, RFC 1950) |
//! | … | the blocks one after the other, each compressed by itself: rows as JSON, one a line |
//!
//! The index comes first, so that one request for the beginning brings it, and with it all of a small pack. The same rows make the same bytes.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Doing, Failure};
use crate::objects::Objects;

/// The media type of a pack.
pub const MEDIA_TYPE: &str = "application/octet-stream";

const MARK: &[u8; 4] = b"CPK1";
/// Mark and length of the index.
const HEADER: usize = 8;
/// Rows of one block: what a page reads too much is at most this.
const BLOCK_ROWS: u32 = 250;
/// Bytes of the first request; the index of ten thousand keyed rows and all of a small pack fit in.
const FIRST_BYTES: u64 = 128 * 1024;
/// Rows that one page looks at before it answers what it has.
const LOOKED_AT: u64 = 5_000;
/// Bytes of an inflated block or index at most: what is beyond was not written here.
const MAX_INFLATED: u64 = 256 * 1024 * 1024;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Index {
    /// Bytes and rows of each block.
    blocks: Vec<(u64, u32)>,
    /// In which blocks the rows of a key are.
    keys: BTreeMap<String, Vec<u32>>,
}

impl Index {
    fn rows(&self) -> u64 {
        self.blocks.iter().map(|(_, rows)| u64::from(*rows)).sum()
    }
}

/// Packs rows.
#[derive(Debug)]
pub struct Packer {
    index: Index,
    blocks: Vec<u8>,
    block: ZlibEncoder<Vec<u8>>,
    rows: u32,
}

impl Default for Packer {
    fn default() -> Self {
        Self {
            index: Index::default(),
            blocks: Vec::new(),
            block: encoder(),
            rows: 0,
        }
    }
}

impl Packer {
    /// Begins with nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a row, to be found again under its key if it has one.
    ///
    /// # Errors
    /// When the row has no JSON.
    pub fn push(&mut self, key: Option<&str>, row: &impl Serialize) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.block, row).doing("packing a row")?;
        self.block.write_all(b"\n").doing("packing a row")?;
        if let Some(key) = key {
            let block = u32::try_from(self.index.blocks.len()).doing("packing a row")?;
            match self.index.keys.get_mut(key) {
                Some(blocks) if blocks.last() == Some(&block) => {}
                Some(blocks) => blocks.push(block),
                None => {
                    self.index.keys.insert(key.to_owned(), vec![block]);
                }
            }
        }
        self.rows += 1;
        if self.rows == BLOCK_ROWS {
            self.end_block()?;
        }
        Ok(())
    }

    fn end_block(&mut self) -> Result<(), Failure> {
        let block = std::mem::replace(&mut self.block, encoder());
        let block = block.finish().doing("packing a block")?;
        self.index.blocks.push((block.len() as u64, self.rows));
        self.blocks.extend(block);
        self.rows = 0;
        Ok(())
    }

    /// The pack.
    ///
    /// # Errors
    /// When the index has no JSON.
    pub fn finish(mut self) -> Result<Vec<u8>, Failure> {
        if self.rows > 0 {
            self.end_block()?;
        }
        let mut index = encoder();
        serde_json::to_writer(&mut index, &self.index).doing("packing an index")?;
        let index = index.finish().doing("packing an index")?;
        let length = u32::try_from(index.len()).doing("packing an index")?;
        let mut pack = Vec::with_capacity(HEADER + index.len() + self.blocks.len());
        pack.extend(MARK);
        pack.extend(length.to_be_bytes());
        pack.extend(index);
        pack.extend(self.blocks);
        Ok(pack)
    }
}

fn encoder() -> ZlibEncoder<Vec<u8>> {
    ZlibEncoder::new(Vec::new(), Compression::fast())
}

/// Where a page goes on: a row of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    block: usize,
    row: usize,
}

/// Rows of a page, and where the next one begins; none at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows<T> {
    /// The rows, each with its place.
    pub rows: Vec<(Position, T)>,
    /// The position of the next page.
    pub next: Option<Position>,
}

/// A pack in the bucket, of which as little is read as is asked for.
#[derive(Debug)]
pub struct Pack<'o> {
    objects: &'o Objects,
    key: String,
    index: Index,
    /// Where the blocks begin.
    start: u64,
    /// The first bytes of the object, which are there already.
    first: Vec<u8>,
}

impl<'o> Pack<'o> {
    /// Opens a pack; none when there is no such object.
    ///
    /// # Errors
    /// When S3 does not answer, or the object is no pack.
    pub async fn open(objects: &'o Objects, key: &str) -> Result<Option<Self>, Failure> {
        let Some(mut first) = objects.range(key, 0, FIRST_BYTES).await? else {
            return Ok(None);
        };
        let (offset, length) = index_place(&first)?;
        let end = offset + length;
        if first.len() < end {
            let missing = (end - first.len()) as u64;
            let rest = objects.range(key, first.len() as u64, missing).await?;
            first.extend(rest.unwrap_or_default());
        }
        let index = read_index(&first)?;
        Ok(Some(Self {
            objects,
            key: key.to_owned(),
            index,
            start: end as u64,
            first,
        }))
    }

    /// How many rows it holds.
    pub fn len(&self) -> u64 {
        self.index.rows()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A page of the rows that are wanted. With a key only the blocks are read that hold rows of it; these hold others too, so `wanted` looks at
    /// the key as well. A request looks at a bounded number of rows, so a filter that rarely matches gives short pages, never a slow one.
    ///
    /// # Errors
    /// When S3 does not answer, or a row does not have the expected shape.
    pub async fn page<T: DeserializeOwned>(
        &self,
        key: Option<&str>,
        start: Option<Position>,
        limit: usize,
        wanted: impl Fn(&T) -> bool,
    ) -> Result<Rows<T>, Failure> {
        let start = start.unwrap_or(Position { block: 0, row: 0 });
        let blocks: Vec<usize> = match key {
            Some(key) => {
                let found = self.index.keys.get(key).map(Vec::as_slice);
                let found = found.unwrap_or_default().iter();
                found
                    .filter_map(|block| usize::try_from(*block).ok())
                    .collect()
            }
            None => (0..self.index.blocks.len()).collect(),
        };
        let mut rows = Vec::new();
        let mut looked_at = 0;
        for block in blocks.into_iter().filter(|block| *block >= start.block) {
            if looked_at >= LOOKED_AT {
                let next = Some(Position { block, row: 0 });
                return Ok(Rows { rows, next });
            }
            let lines = self.block(block).await?;
            let skipped = if block == start.block { start.row } else { 0 };
            for (at, line) in lines_of(&lines).enumerate().skip(skipped) {
                looked_at += 1;
                let row: T = serde_json::from_slice(line).doing("reading a packed row")?;
                if !wanted(&row) {
                    continue;
                }
                let place = Position { block, row: at };
                if rows.len() == limit {
                    let next = Some(place);
                    return Ok(Rows { rows, next });
                }
                rows.push((place, row));
            }
        }
        Ok(Rows { rows, next: None })
    }

    async fn block(&self, block: usize) -> Result<Vec<u8>, Failure> {
        let before = self.index.blocks.iter().take(block);
        let offset = self.start + before.map(|(bytes, _)| *bytes).sum::<u64>();
        let length = self.index.blocks.get(block).map_or(0, |(bytes, _)| *bytes);
        let here = usize::try_from(offset)
            .ok()
            .zip(usize::try_from(offset + length).ok())
            .and_then(|(from, to)| self.first.get(from..to));
        if let Some(here) = here {
            return inflate(here);
        }
        let read = self.objects.range(&self.key, offset, length).await?;
        let gone = || Failure::message("a pack was taken away while it was read");
        inflate(&read.ok_or_else(gone)?)
    }
}

/// The rows of a pack in memory whose JSON holds one of these texts, which is far faster than reading every row.
///
/// # Errors
/// When the bytes are no pack, or such a row does not have the expected shape.
pub fn find_rows<T: DeserializeOwned>(pack: &[u8], texts: &[String]) -> Result<Vec<T>, Failure> {
    let finders: Vec<_> = texts.iter().map(memchr::memmem::Finder::new).collect();
    let mut found = Vec::new();
    each_line(pack, |line| {
        if finders.iter().any(|finder| finder.find(line).is_some()) {
            found.push(serde_json::from_slice(line).doing("reading a packed row")?);
        }
        Ok(())
    })?;
    Ok(found)
}

/// Goes through all rows of a pack that is in memory.
///
/// # Errors
/// When the bytes are no pack, a row does not have the expected shape, or `take` fails.
pub fn each_row<T: DeserializeOwned>(
    pack: &[u8],
    mut take: impl FnMut(T) -> Result<(), Failure>,
) -> Result<(), Failure> {
    each_line(pack, |line| {
        take(serde_json::from_slice(line).doing("reading a packed row")?)
    })
}

fn each_line(
    pack: &[u8],
    mut take: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (offset, length) = index_place(pack)?;
    let index = read_index(pack)?;
    let mut rest = pack.get(offset + length..).unwrap_or_default();
    for (bytes, _) in index.blocks {
        let bytes = usize::try_from(bytes).doing("reading a pack")?;
        let (block, others) = rest.split_at_checked(bytes).ok_or_else(broken)?;
        rest = others;
        for line in lines_of(&inflate(block)?) {
            take(line)?;
        }
    }
    Ok(())
}

fn lines_of(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    block
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
}

fn index_place(pack: &[u8]) -> Result<(usize, usize), Failure> {
    let rest = pack.strip_prefix(MARK).ok_or_else(broken)?;
    let length = rest.first_chunk::<4>().ok_or_else(broken)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).doing("reading a pack")?;
    Ok((HEADER, length))
}

fn read_index(pack: &[u8]) -> Result<Index, Failure> {
    let (offset, length) = index_place(pack)?;
    let index = pack.get(offset..offset + length).ok_or_else(broken)?;
    serde_json::from_slice(&inflate(index)?).doing("reading the index of a pack")
}

fn inflate(bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut plain = Vec::new();
    ZlibDecoder::new(bytes)
        .take(MAX_INFLATED)
        .read_to_end(&mut plain)
        .doing("inflating a part of a pack")?;
    Ok(plain)
}

fn broken() -> Failure {
    Failure::message("an object is no pack, or not all of it")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pack(rows: &[(String, u32)]) -> Vec<u8> {
        let mut packer = Packer::new();
        for row in rows {
            packer.push(Some(&row.0), row).unwrap();
        }
        packer.finish().unwrap()
    }

    fn unpacked(pack: &[u8]) -> Vec<(String, u32)> {
        let mut rows = Vec::new();
        each_row(pack, |row| {
            rows.push(row);
            Ok(())
        })
        .unwrap();
        rows
    }

    #[test]
    fn what_is_no_pack_is_a_failure_and_no_panic() {
        let good = pack(&[("a".into(), 1), ("b".into(), 2)]);
        for length in 0..good.len() {
            let cut = good.get(..length).unwrap();
            assert!(
                each_row::<(String, u32)>(cut, |_| Ok(())).is_err(),
                "{length}"
            );
        }
    }

    #[test]
    fn no_rows_are_a_pack_too() {
        assert_eq!(unpacked(&pack(&[])), []);
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back_in_order(rows in prop::collection::vec(("[a-c]\\PC{0,8}", any::<u32>()), 0..900)) {
            let packed = pack(&rows);
            prop_assert_eq!(&packed, &pack(&rows), "the same rows are the same bytes");
            prop_assert_eq!(read_index(&packed).unwrap().rows(), rows.len() as u64);
            prop_assert_eq!(unpacked(&packed), rows);
        }
    }
}
