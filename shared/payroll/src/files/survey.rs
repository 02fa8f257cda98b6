//! One pass over the bytes as they arrive: their number, their hash, and what tells how they are to be read.

use std::fmt::Write as _;
use std::io::{self, Read};

use sha2::{Digest, Sha256};

/// What opens an entry in the directory of a zip.
const ENTRY: [u8; 4] = *b"PK\x01\x02";
/// Bytes that windows-1252 gives no character.
const UNDEFINED: [u8; 5] = [0x81, 0x8d, 0x8f, 0x90, 0x9d];
/// How many bytes tell what kind of file it is.
const HEAD: usize = 16;

/// Looks at bytes as they arrive, so that a file is read only once on its way in.
#[derive(Clone, Default)]
pub struct Survey {
    size: u64,
    hash: Sha256,
    head: Vec<u8>,
    /// The last bytes of what came before: of a signature, or of a character that is not complete.
    last: Vec<u8>,
    partial: Vec<u8>,
    not_utf8: bool,
    undefined: bool,
    zeros: bool,
    entries: u64,
}

impl std::fmt::Debug for Survey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Survey")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// What a [`Survey`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surveyed {
    /// How many bytes.
    pub size: u64,
    /// Their SHA-256, in hexadecimal.
    pub sha256: String,
    /// The first bytes.
    pub(super) head: Vec<u8>,
    /// Whether all of it is UTF-8.
    pub(super) utf8: bool,
    /// Whether there is a byte that windows-1252 gives no character.
    pub(super) undefined: bool,
    /// Whether there is a byte 0, which no text has.
    pub(super) zeros: bool,
    /// How many entries the directories of zips within could have.
    pub(super) entries: u64,
}

impl Survey {
    /// Begins.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks at the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.hash.update(bytes);
        let wanted = HEAD.saturating_sub(self.head.len());
        self.head.extend(bytes.iter().take(wanted));
        self.undefined |= bytes.iter().any(|byte| UNDEFINED.contains(byte));
        self.zeros |= bytes.contains(&0);
        self.count_entries(bytes);
        self.check_utf8(bytes);
    }

    fn count_entries(&mut self, bytes: &[u8]) {
        let count = |bytes: &[u8]| bytes.windows(4).filter(|four| **four == ENTRY).count() as u64;
        let seam = self.last.len();
        self.last.extend(bytes.iter().take(3));
        // Over the seam: of these bytes only the first three, so none is counted twice.
        self.entries += count(&self.last);
        self.entries += count(bytes);
        if bytes.len() >= 3 {
            self.last = bytes.iter().rev().take(3).rev().copied().collect();
        } else {
            let surplus = (seam + bytes.len()).saturating_sub(3);
            self.last.drain(..surplus.min(self.last.len()));
        }
    }

    fn check_utf8(&mut self, bytes: &[u8]) {
        if self.not_utf8 {
            return;
        }
        let mut rest = bytes;
        while !self.partial.is_empty() {
            let Some((first, after)) = rest.split_first() else {
                return;
            };
            self.partial.push(*first);
            rest = after;
            match std::str::from_utf8(&self.partial) {
                Ok(_) => self.partial.clear(),
                Err(error) if error.error_len().is_none() => {}
                Err(_) => {
                    self.not_utf8 = true;
                    return;
                }
            }
        }
        if let Err(error) = std::str::from_utf8(rest) {
            if error.error_len().is_some() {
                self.not_utf8 = true;
            } else {
                self.partial.extend(rest.iter().skip(error.valid_up_to()));
            }
        }
    }

    /// Looks at everything that a reader holds.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn of(mut input: impl Read) -> io::Result<Surveyed> {
        let mut survey = Self::new();
        let mut chunk = vec![0; 64 * 1024];
        loop {
            match input.read(&mut chunk) {
                Ok(0) => return Ok(survey.finish()),
                Ok(read) => survey.update(chunk.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// What was found.
    pub fn finish(self) -> Surveyed {
        let mut sha256 = String::with_capacity(64);
        for byte in self.hash.finalize() {
            // Writing to a text cannot fail.
            let _ = write!(sha256, "{byte:02x}");
        }
        Surveyed {
            size: self.size,
            sha256,
            head: self.head,
            utf8: !self.not_utf8 && self.partial.is_empty(),
            undefined: self.undefined,
            zeros: self.zeros,
            entries: self.entries,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn how_the_bytes_arrive_makes_no_difference(
            parts in prop::collection::vec(prop_oneof![
                Just(ENTRY.to_vec()),
                "[aé€😀]{0,4}".prop_map(String::into_bytes),
                prop::collection::vec(any::<u8>(), 0..4),
            ], 0..8),
            size in 1_usize..7,
        ) {
            let bytes = parts.concat();
            let mut survey = Survey::new();
            for chunk in bytes.chunks(size) {
                survey.update(chunk);
            }
            let whole = Survey::of(bytes.as_slice()).unwrap();
            prop_assert_eq!(survey.finish(), whole.clone());
            prop_assert_eq!(whole.utf8, std::str::from_utf8(&bytes).is_ok());
            let entries = bytes.windows(4).filter(|four| **four == ENTRY).count();
            prop_assert_eq!(whole.entries, entries as u64);
        }
    }

    #[test]
    fn the_hash_is_that_of_the_bytes() {
        let surveyed = Survey::of(b"abc".as_slice()).unwrap();
        assert_eq!(surveyed.size, 3);
        assert!(
            surveyed
                .sha256
                .starts_with("ba7816bf8f01cfea414140de5dae2223")
        );
    }
}
