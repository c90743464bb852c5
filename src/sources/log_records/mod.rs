//! Step Functions log records in CloudWatch Logs to histories, one for each execution.
//!
//! Records of one execution stand in any stream, file or page, in any order, and more than once: they are grouped by the ARN of their
//! execution, never by where they stood. A [`Collector`] is shared by all that read.
//!
//! | the execution is                                | its history goes out                                          |
//! |-------------------------------------------------|---------------------------------------------------------------|
//! | Express, with its end and every event before it | with its last record; what comes later repeats, and is counted |
//! | any other                                       | at the end of the input; until then its records are held as text, compressed when there are many |
//!
//! Other lines of a log group (a function's own, other services') are counted, records that can't be read are reported one by one.

mod envelope;
mod held;
mod history;
mod record;
pub(crate) mod row;
pub(super) mod table;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(super) use self::envelope::CUT_SHORT;
use self::envelope::Message;
use self::held::{Held, News};
use super::error::{Place, Rejected, SourceError};
use super::limits::Limits;
use crate::model::{ExecutionArn, History};

/// Takes executions that are complete, and what could not be read.
pub type Out<'o> = &'o mut dyn FnMut(Result<History, Rejected<'_>>);

/// Whether a text that is no whole JSON object is what was left of a record.
pub(super) fn is_broken_record(text: &str, depth: usize) -> bool {
    matches!(envelope::look(text, depth), Message::Bad(_))
}

/// So many maps with a lock each that threads seldom wait for one another.
const SHARDS: usize = 64;

/// Holds the records of executions that are not complete yet. May be shared by threads.
///
/// The same records give the same histories in any order; only of an execution that was complete, a later record that says something
/// else is left out and reported.
#[derive(Debug)]
pub struct Collector {
    shards: Vec<Mutex<Shard>>,
    depth: usize,
    /// What a shard may hold before it is compressed.
    loose_bytes: usize,
    next_shard: AtomicUsize,
    tally: Mutex<Tally>,
}

#[derive(Debug, Default)]
struct Shard {
    open: HashMap<String, Held>,
    /// Digests of the records of executions that are complete, by a hash of their ARN.
    complete: HashMap<(u64, u64), Box<[u32]>>,
    loose: usize,
    /// When `loose` reaches it, what is held is compressed.
    pack_at: usize,
}

/// What was read beside records that were new.
#[derive(Debug, Default)]
struct Tally {
    records: u64,
    others: Lines,
    late: Lines,
}

/// Lines of one kind, and the first of them.
#[derive(Debug, Default)]
struct Lines {
    count: u64,
    first: Option<(Place, String)>,
}

impl Lines {
    fn add(&mut self, place: &Place, text: &str) {
        self.count += 1;
        if self.first.as_ref().is_none_or(|(first, _)| held::is_before(place, first)) {
            self.first = Some((place.clone(), beginning(text)));
        }
    }
}

/// The beginning of a line, for messages.
fn beginning(text: &str) -> String {
    const LONGEST: usize = 60;
    let line = text.trim_ascii().lines().next().unwrap_or_default();
    if line.chars().count() <= LONGEST { line.to_owned() } else { line.chars().take(LONGEST).chain(['…']).collect() }
}

impl Default for Collector {
    fn default() -> Self {
        Self::new(&Limits::default())
    }
}

impl Collector {
    /// Without any record.
    pub fn new(limits: &Limits) -> Self {
        const LOOSE_BYTES: usize = 1 << 20;
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            depth: limits.depth,
            loose_bytes: LOOSE_BYTES,
            next_shard: AtomicUsize::new(0),
            tally: Mutex::default(),
        }
    }

    /// Takes the message of a log event: a record, or another line, which is counted. `out` gets the execution if that completes it.
    pub fn add_message(&self, text: &str, place: &Place, out: Out<'_>) {
        match envelope::look(text, self.depth) {
            Message::Record(envelope) => self.add(&envelope, text, place, out),
            Message::Bad(found) => {
                let error = SourceError::BadRecord { place: place.clone(), found };
                out(Err(Rejected { error, text: text.as_bytes() }));
            }
            Message::Other => locked(&self.tally).others.add(place, text),
        }
    }

    fn add(&self, envelope: &envelope::Envelope, text: &str, place: &Place, out: Out<'_>) {
        let key = key_of(&envelope.arn);
        let mut shard = locked(&self.shards[shard_of(key)]);
        if let Some(digests) = shard.complete.get(&key) {
            let known = (envelope.id as usize).checked_sub(1).and_then(|at| digests.get(at));
            if known != Some(&held::digest(text)) {
                drop(shard);
                locked(&self.tally).late.add(place, &envelope.arn);
            }
            return;
        }
        let Shard { open, loose, .. } = &mut *shard;
        let mut entry = match open.entry(envelope.arn.clone()) {
            Entry::Occupied(entry) => entry,
            Entry::Vacant(vacant) => {
                let is_express = envelope.arn.parse::<ExecutionArn>().is_ok_and(|arn| arn.is_express());
                vacant.insert_entry(Held::new(place, is_express))
            }
        };
        let held = entry.get_mut();
        let before = held.loose_bytes();
        if held.add(envelope, text, place) == News::Again {
            return;
        }
        *loose += held.loose_bytes() - before;
        if held.is_complete() {
            let (arn, held) = entry.remove_entry();
            *loose -= held.loose_bytes();
            shard.complete.insert(key, held.digests());
            drop(shard);
            return self.hand_on(&arn, held, out);
        }
        if *loose >= shard.pack_at.max(self.loose_bytes) {
            shard.pack();
        }
    }

    fn hand_on(&self, arn: &str, held: Held, out: Out<'_>) {
        locked(&self.tally).records += 1;
        out(Ok(history::of(arn, held, self.depth)));
    }

    /// How many executions wait for more records, and how many bytes they take in memory, about.
    pub fn held(&self) -> (usize, usize) {
        self.shards.iter().map(|shard| locked(shard)).fold((0, 0), |(count, bytes), shard| (count + shard.open.len(), bytes + shard.loose))
    }

    /// The end of the input: gives what is left, in the order of where it was first seen, and what there is to say about the input.
    pub fn finish(&self, out: Out<'_>) {
        let mut left: Vec<(String, Held)> = Vec::new();
        for shard in &self.shards {
            left.extend(locked(shard).open.drain());
        }
        left.sort_by(|(one_arn, one), (other_arn, other)| {
            let key = |held: &Held| (held.place.origin.clone(), held.place.line, held.place.entry);
            (key(one), one_arn).cmp(&(key(other), other_arn))
        });
        for (arn, held) in left {
            self.hand_on(&arn, held, out);
        }
        self.report(out);
    }

    /// The same for several threads that call it: each gets a part of what is left, in any order. [`Self::report`] tells the rest.
    pub fn finish_a_part(&self, out: Out<'_>) {
        while let Some(shard) = self.shards.get(self.next_shard.fetch_add(1, Ordering::Relaxed)) {
            let left: Vec<(String, Held)> = locked(shard).open.drain().collect();
            for (arn, held) in left {
                self.hand_on(&arn, held, out);
            }
        }
    }

    /// What there is to say about the input as a whole: lines that are no records, and records that came too late.
    pub fn report(&self, out: Out<'_>) {
        let tally = std::mem::take(&mut *locked(&self.tally));
        if let Some((place, example)) = tally.others.first {
            let error = SourceError::OtherLines { place, count: tally.others.count, example, has_records: tally.records > 0 };
            out(Err(Rejected { error, text: &[] }));
        }
        if let Some((place, execution)) = tally.late.first {
            let error = SourceError::LateRecords { place, count: tally.late.count, execution };
            out(Err(Rejected { error, text: &[] }));
        }
    }
}

impl Shard {
    fn pack(&mut self) {
        self.open.values_mut().for_each(Held::pack);
        self.loose = self.open.values().map(Held::loose_bytes).sum();
        // What is not worth it is not looked at again and again.
        self.pack_at = self.loose * 2;
    }
}

fn key_of(arn: &str) -> (u64, u64) {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(salt);
        arn.hash(&mut hasher);
        hasher.finish()
    };
    (half(1), half(2))
}

fn shard_of(key: (u64, u64)) -> usize {
    #[allow(clippy::cast_possible_truncation, reason = "only the lowest bits are wanted")]
    let low = key.1 as usize;
    low % SHARDS
}

/// A lock that a thread in panic left behind is as good as any: the panic ends the program.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
