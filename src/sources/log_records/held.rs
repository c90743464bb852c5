//! The records of one execution, held until it is known that no more will come.
//!
//! As text, not as events: text is copied once, can be compressed while it waits, and an event of few words takes more memory than
//! the record it was read from.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use super::envelope::Envelope;
use crate::model::Origin;
use crate::sources::error::Place;

/// So many bytes are worth being compressed.
const WORTH_PACKING: usize = 1 << 10;

/// What is held of one execution.
#[derive(Debug)]
pub(super) struct Held {
    /// Where its first record stood.
    pub place: Place,
    /// The file, or the folder around all files, in which its records stood.
    source: String,
    /// Records, one a line.
    text: String,
    /// Frames of older records, compressed.
    packed: Vec<Vec<u8>>,
    /// A digest of the first record of each id.
    digests: HashMap<u32, u32>,
    highest: u32,
    end: Option<u32>,
    is_express: bool,
}

/// What a record is to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    New,
    /// The same again.
    Again,
    /// The same event, with other content.
    Other,
}

impl Held {
    pub(super) fn new(place: &Place, is_express: bool) -> Self {
        Self {
            place: place.clone(),
            source: place.origin.clone(),
            text: String::new(),
            packed: Vec::new(),
            digests: HashMap::new(),
            highest: 0,
            end: None,
            is_express,
        }
    }

    /// Takes one record.
    pub(super) fn add(&mut self, envelope: &Envelope, record: &str, place: &Place) -> News {
        if is_before(place, &self.place) {
            self.place = place.clone();
        }
        if !is_within(&place.origin, &self.source) {
            self.source = around(&self.source, &place.origin);
        }
        let digest = digest(record);
        let news = match self.digests.entry(envelope.id) {
            Entry::Vacant(vacant) => {
                vacant.insert(digest);
                News::New
            }
            Entry::Occupied(known) if *known.get() == digest => return News::Again,
            Entry::Occupied(_) => News::Other,
        };
        self.highest = self.highest.max(envelope.id);
        if envelope.is_end {
            self.end = self.end.max(Some(envelope.id));
        }
        // A record is one line: a line break between its members is white space.
        self.text.extend(record.split('\n').filter(|part| !part.is_empty()));
        self.text.push('\n');
        news
    }

    /// Whether an Express execution has all its events. One of a Standard workflow may be redriven: it is never known to be complete.
    pub(super) fn is_complete(&self) -> bool {
        self.is_express && self.end == Some(self.highest) && self.digests.len() == self.highest as usize
    }

    /// What to name to read all of it again: a file, a folder, or where these have nothing in common, the first file.
    pub(super) fn origin(&self) -> Origin {
        let source = if self.source.is_empty() { self.place.origin.clone() } else { self.source.clone() };
        Origin { part: Some("log records".to_owned()), ..Origin::from(source) }
    }

    /// How much is held without compression.
    pub(super) fn loose_bytes(&self) -> usize {
        self.text.len()
    }

    /// Compresses what is worth it.
    pub(super) fn pack(&mut self) {
        if self.text.len() < WORTH_PACKING {
            return;
        }
        if let Ok(frame) = zstd::bulk::compress(self.text.as_bytes(), 1) {
            self.packed.push(frame);
            self.text = String::new();
        }
    }

    /// The digests of an execution that is complete, in the order of its events.
    pub(super) fn digests(&self) -> Box<[u32]> {
        (1..=self.highest).map(|id| self.digests.get(&id).copied().unwrap_or_default()).collect()
    }

    /// All records, one a line.
    pub(super) fn into_text(self) -> String {
        let mut all = String::new();
        for frame in self.packed {
            // What this program compressed it can undo; should memory lie, the events count as missing.
            let text = zstd::stream::decode_all(frame.as_slice()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            all.push_str(&text.unwrap_or_default());
        }
        all.push_str(&self.text);
        all
    }
}

/// Whether a file is the given one or lies in the given folder; every file lies in the folder without a name.
fn is_within(file: &str, folder: &str) -> bool {
    file == folder || folder.is_empty() || Path::new(file).starts_with(folder)
}

/// The innermost folder around both; empty when there is none.
fn around(one: &str, other: &str) -> String {
    let shared = Path::new(one).components().zip(Path::new(other).components()).take_while(|(one, other)| one == other);
    shared.map(|(component, _)| component.as_os_str()).collect::<PathBuf>().display().to_string()
}

/// A hash that is the same in every run of the program.
pub(super) fn digest(record: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    record.trim_ascii().hash(&mut hasher);
    #[allow(clippy::cast_possible_truncation, reason = "any 32 bits of a hash are as good as others")]
    let digest = hasher.finish() as u32;
    digest
}

/// Whether a place comes before another: by the name of the source, then by line and entry.
pub(super) fn is_before(place: &Place, other: &Place) -> bool {
    (&place.origin, place.line, place.entry) < (&other.origin, other.line, other.entry)
}
