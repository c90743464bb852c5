//! Objects of S3: where they are, and their bytes with any compression undone.

use std::io::{self, Read};
use std::rc::Rc;

use super::DatasetError;
use crate::interpreter::World;

/// Bytes that may still be read. Counts over all objects of a dataset, so that many small ones are no way around the limit.
pub(super) struct Budget {
    limit: usize,
    left: usize,
}

impl Budget {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, left: limit }
    }

    fn spend(&mut self, bytes: usize) -> Result<(), DatasetError> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| self.exceeded())?;
        Ok(())
    }

    fn exceeded(&self) -> DatasetError {
        DatasetError::Unavailable(format!("the dataset is larger than the {} bytes that are read here; give a smaller one", self.limit))
    }
}

/// The URI of an object or a bucket, as `$$.Map.Item.Source` has it.
pub(super) fn uri(bucket: &str, key: Option<&str>) -> Rc<str> {
    match key {
        None => format!("S3://{bucket}").into(),
        Some(key) => format!("S3://{bucket}/{key}").into(),
    }
}

/// The bytes of an object; gzip and zstd, told by their first bytes, are undone.
pub(super) fn fetch(world: &mut dyn World, bucket: &str, key: &str, budget: &mut Budget) -> Result<Vec<u8>, DatasetError> {
    let bytes = world.read_object(bucket, key).map_err(|error| DatasetError::object(&error, DatasetError::reader))?;
    let unpacked = if bytes.starts_with(&[0x1F, 0x8B]) {
        Some(unpack(flate2::read::MultiGzDecoder::new(&bytes[..]), budget.left))
    } else if bytes.starts_with(&[0x28, 0xB5, 0x2F, 0xFD]) {
        Some(zstd::stream::read::Decoder::new(&bytes[..]).and_then(|decoder| unpack(decoder, budget.left)))
    } else {
        None
    };
    let bytes = match unpacked {
        None => bytes,
        Some(unpacked) => {
            unpacked.map_err(|error| DatasetError::reader(format!("The compressed file '{key}' could not be read: {error}.")))?
        }
    };
    budget.spend(bytes.len())?;
    Ok(bytes)
}

/// Unpacks one byte more than there may be, so that whoever counts notices.
fn unpack(reader: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take((limit as u64).saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}
