//! One input of JSON Lines that several threads read: who takes the next chunk, and what is put together over chunks' borders.
//!
//! A bundle is complete by itself and goes to whoever read it. Loose pages and descriptions belong to their neighbours, which may
//! stand in the next chunk: they wait until every chunk before theirs was read.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::super::documents::Tally;
use super::super::error::Place;
use super::super::executions::{Sequence, Unit};
use super::super::form::Form;
use super::cutter::Cutter;
use crate::sources::document::Part;

/// So many chunks may wait for one before them.
const WAITING: usize = 64;

/// A lock that a thread in panic left behind is as good as any: the panic ends the program.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One input that is read by several threads.
pub(super) struct Stream<'r> {
    pub origin: String,
    pub source: Mutex<Source<'r>>,
    joint: Mutex<Joint>,
    moved: Condvar,
    pub form: Form,
}

/// What hands out chunks.
pub(super) struct Source<'r> {
    pub cutter: Cutter<'r>,
    /// What was found before the first history: while there is none, chunks are read one after the other.
    pub tally: Tally,
    /// How many chunks were handed out.
    pub chunks: u64,
}

/// What a chunk leaves to be put together with its neighbours.
#[derive(Debug, Default)]
pub(super) struct Loose {
    /// Before its first bundle.
    lead: Vec<(Part, Place)>,
    /// After its first bundle, if it has one.
    rest: Option<Sequence>,
}

impl Loose {
    /// Takes the chunk's next part; what is complete goes to `out`.
    pub(super) fn take(&mut self, part: Part, place: Place, out: &mut dyn FnMut(Unit)) {
        match &mut self.rest {
            Some(rest) => rest.take(part, place, out),
            None if part.is_bundle() => {
                self.rest = Some(Sequence::default());
                out(Unit::new(part, place));
            }
            None => self.lead.push((part, place)),
        }
    }
}

/// Chunks in their order.
#[derive(Default)]
struct Joint {
    sequence: Sequence,
    /// The chunk that comes next.
    next: u64,
    waiting: BTreeMap<u64, Loose>,
    /// How many chunks there are, once that is known.
    count: Option<u64>,
    /// Threads that hand on what they found complete.
    handing_on: usize,
    /// Everything was handed on, and somebody knows.
    is_done: bool,
    /// Nobody waits any more.
    is_stopped: bool,
}

impl<'r> Stream<'r> {
    pub(super) fn new(origin: String, cutter: Cutter<'r>, form: Form) -> Self {
        Self {
            origin,
            source: Mutex::new(Source { cutter, tally: Tally::default(), chunks: 0 }),
            joint: Mutex::default(),
            moved: Condvar::new(),
            form,
        }
    }

    /// Takes what chunk `number` left over. Units that are complete now go to `out`; whether the whole input was handed on with that.
    pub(super) fn join(&self, number: u64, loose: Loose, out: &mut dyn FnMut(Unit)) -> bool {
        let mut joint = locked(&self.joint);
        // Whoever is first in line never waits, so the line moves on.
        while number != joint.next && joint.waiting.len() >= WAITING && !joint.is_stopped {
            joint = self.moved.wait(joint).unwrap_or_else(PoisonError::into_inner);
        }
        joint.waiting.insert(number, loose);
        self.advance(joint, out)
    }

    /// Says how many chunks there are; whether the whole input was handed on with that.
    pub(super) fn end(&self, count: u64, out: &mut dyn FnMut(Unit)) -> bool {
        let mut joint = locked(&self.joint);
        joint.count = Some(count);
        self.advance(joint, out)
    }

    /// Lets go those who wait for chunks that may never come.
    pub(super) fn stop(&self) {
        locked(&self.joint).is_stopped = true;
        self.moved.notify_all();
    }

    /// Hands on what is complete, without holding up others meanwhile.
    fn advance(&self, mut joint: MutexGuard<'_, Joint>, out: &mut dyn FnMut(Unit)) -> bool {
        let mut units = Vec::new();
        joint.advance(&mut |unit| units.push(unit));
        joint.handing_on += 1;
        self.moved.notify_all();
        drop(joint);
        units.into_iter().for_each(out);
        let mut joint = locked(&self.joint);
        joint.handing_on -= 1;
        let is_last = joint.count == Some(joint.next) && joint.handing_on == 0;
        is_last && !std::mem::replace(&mut joint.is_done, true)
    }
}

impl Joint {
    /// Puts together what follows without a hole.
    fn advance(&mut self, out: &mut dyn FnMut(Unit)) {
        while let Some(loose) = self.waiting.remove(&self.next) {
            self.next += 1;
            for (part, place) in loose.lead {
                self.sequence.take(part, place, out);
            }
            if let Some(rest) = loose.rest {
                self.sequence.finish(out);
                self.sequence = rest;
            }
        }
        if self.count == Some(self.next) {
            self.sequence.finish(out);
        }
    }
}
