//! Items that hold their entity as one JSON text: what is hashed or shown comes back as it was.

use std::io::{Read, Write};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{IntoValue, Item, Key, Loaded, text};
use crate::error::{Doing, Failure};

/// The attribute with the entity.
const DOC: &str = "doc";
/// The attribute with an entity that is long.
const PACKED: &str = "packed";
/// Longer texts are stored compressed: an item holds 400 KiB, and is paid by its size.
const PLAIN_BYTES: usize = 32 * 1024;

/// An item that holds an entity.
///
/// # Errors
/// When the entity cannot be written as JSON.
pub fn doc(entity: &impl Serialize) -> Result<Item, Failure> {
    let json = serde_json::to_string(entity).doing("writing an entity")?;
    if json.len() <= PLAIN_BYTES {
        return Ok(with(Item::new(), DOC, json));
    }
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    let packed = packer.write_all(json.as_bytes());
    packed.doing("compressing an entity")?;
    let packed = packer.finish().doing("compressing an entity")?;
    Ok(with(
        Item::new(),
        PACKED,
        AttributeValue::B(Blob::new(packed)),
    ))
}

/// The entity of an item.
///
/// # Errors
/// When it holds none, or one of another shape.
pub fn read_doc<T: DeserializeOwned>(item: &Item) -> Result<T, Failure> {
    if let Some(json) = text(item, DOC) {
        return serde_json::from_str(json).doing("reading an entity");
    }
    let packed = item.get(PACKED).and_then(|value| value.as_b().ok());
    let packed = packed.ok_or_else(|| Failure::message("an item holds no entity"))?;
    let mut json = String::new();
    let unpacked = GzDecoder::new(packed.as_ref()).read_to_string(&mut json);
    unpacked.doing("unpacking an entity")?;
    serde_json::from_str(&json).doing("reading an entity")
}

/// The entity of one of the items that were loaded.
///
/// # Errors
/// As [`read_doc`].
pub fn loaded_doc<T: DeserializeOwned>(loaded: &Loaded, key: &Key) -> Result<Option<T>, Failure> {
    loaded.item(key).map(read_doc).transpose()
}

/// Adds an attribute.
#[must_use]
pub fn with(mut item: Item, name: &str, value: impl IntoValue) -> Item {
    item.insert(name.to_owned(), value.into_value());
    item
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_comes_back_whatever_its_size() {
        for size in [0, PLAIN_BYTES, 400_000] {
            let entity = "ñ".repeat(size);
            let item = doc(&entity).unwrap();
            assert_eq!(item.contains_key(PACKED), size >= PLAIN_BYTES);
            assert_eq!(read_doc::<String>(&item).unwrap(), entity);
        }
        assert!(read_doc::<String>(&Item::new()).is_err());
    }
}
