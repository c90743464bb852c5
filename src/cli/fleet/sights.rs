//! The same execution seen more than once: the most complete sight counts.
//!
//! Nearly always every execution is seen once, and one pass with a few bytes for each of them is enough. Only when a sight comes that is more
//! complete than one that the question has already taken, the pass was in vain: it is run again, now that the best sights are known.
//!
//! | the execution was seen        | first pass                       | second pass                       |
//! |-------------------------------|----------------------------------|-----------------------------------|
//! | not yet                       | taken                            | taken if it is the best sight     |
//! | as complete or more           | passed over                      | passed over                       |
//! | less complete                 | passed over; the pass is in vain | taken, where it is the best       |

use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::model::hashed::HashedAlready;
use crate::model::{Completeness, ExecutionFacts};

/// So many maps with a lock each that threads seldom wait for one another.
const SHARDS: usize = 64;

/// An execution by its identity. Two of a billion are mixed up once in 10^20 times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key(u64, u64);

impl Key {
    pub(super) fn of(identity: &str) -> Self {
        let half = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            hasher.write_u8(salt);
            identity.hash(&mut hasher);
            hasher.finish()
        };
        Self(half(1), half(2))
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}

/// How complete a sight is; the greatest counts. The last part tells sights apart that are equally complete, so that the choice does
/// not depend on their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    completeness: Completeness,
    digest: u32,
}

impl Rank {
    pub(super) fn of(facts: &ExecutionFacts<'_>) -> Self {
        let mut digest = DefaultHasher::new();
        (facts.status, facts.start, facts.stop, facts.last_event, facts.gaps).hash(&mut digest);
        (facts.name, facts.state_machine, facts.version, facts.alias, facts.map_run, facts.parent).hash(&mut digest);
        Self {
            completeness: Completeness::of(facts),
            #[allow(clippy::cast_possible_truncation, reason = "any 32 bits of a hash are as good as others")]
            digest: digest.finish() as u32,
        }
    }
}

/// What is known of an execution.
#[derive(Debug)]
struct Seen {
    /// `None` for one that was not asked for.
    best: Option<Rank>,
    /// Whether the question has it, in this pass.
    is_taken: bool,
}

/// All executions that were seen.
pub(super) struct Sights {
    shards: Vec<Mutex<HashMap<Key, Seen, HashedAlready>>>,
    in_vain: AtomicBool,
    is_second_pass: bool,
}

impl Sights {
    pub(super) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), in_vain: AtomicBool::new(false), is_second_pass: false }
    }

    /// Whether this sight of an execution is the one to take.
    pub(super) fn take(&self, key: Key, rank: Rank) -> bool {
        self.with(key, |entry| match entry {
            Entry::Vacant(vacant) => {
                vacant.insert(Seen { best: Some(rank), is_taken: true });
                true
            }
            Entry::Occupied(mut occupied) => {
                let seen = occupied.get_mut();
                if self.is_second_pass {
                    return seen.best == Some(rank) && !std::mem::replace(&mut seen.is_taken, true);
                }
                if seen.best < Some(rank) {
                    seen.best = Some(rank);
                    self.in_vain.store(true, Ordering::Relaxed);
                }
                false
            }
        })
    }

    /// Whether an execution that was not asked for is seen for the first time in this pass.
    pub(super) fn pass_over(&self, key: Key) -> bool {
        self.with(key, |entry| match entry {
            Entry::Vacant(vacant) => {
                vacant.insert(Seen { best: None, is_taken: true });
                true
            }
            Entry::Occupied(mut occupied) => !std::mem::replace(&mut occupied.get_mut().is_taken, true),
        })
    }

    /// Whether a question has taken a sight to which there is a better one.
    pub(super) fn are_in_vain(&self) -> bool {
        self.in_vain.load(Ordering::Relaxed)
    }

    /// The same executions for a second pass, none of them taken.
    pub(super) fn for_second_pass(self) -> Self {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.values_mut().for_each(|seen| seen.is_taken = false);
        }
        Self { in_vain: AtomicBool::new(false), is_second_pass: true, ..self }
    }

    fn with<T>(&self, key: Key, act: impl FnOnce(Entry<'_, Key, Seen>) -> T) -> T {
        #[allow(clippy::cast_possible_truncation, reason = "only the lowest bits are wanted")]
        let shard = &self.shards[key.1 as usize % SHARDS];
        act(shard.lock().unwrap_or_else(PoisonError::into_inner).entry(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ExecutionStatus;

    fn rank(redrive_count: u64, status: ExecutionStatus, events: u64) -> Rank {
        Rank::of(&ExecutionFacts { redrive_count, status: Some(status), events, ..ExecutionFacts::default() })
    }

    #[test]
    fn redriven_comes_before_closed_and_closed_before_long() {
        use ExecutionStatus::{Failed, Running};
        let order =
            [rank(0, Running, 5), rank(0, Running, 9), rank(0, Failed, 5), rank(0, Failed, 9), rank(1, Running, 3), rank(1, Failed, 3)];
        assert!(order.is_sorted());
    }

    #[test]
    fn a_second_pass_takes_the_best_once() {
        let (key, worse, better) = (Key::of("a"), rank(0, ExecutionStatus::Running, 5), rank(0, ExecutionStatus::Failed, 5));
        let sights = Sights::new();
        assert!(sights.take(key, worse));
        assert!(!sights.take(key, worse) && !sights.are_in_vain(), "the same again");
        assert!(!sights.take(key, better) && sights.are_in_vain());
        let sights = sights.for_second_pass();
        assert_eq!([worse, better, better].map(|rank| sights.take(key, rank)), [false, true, false]);
        assert!(!sights.are_in_vain());
    }

    #[test]
    fn a_better_sight_before_a_worse_one_needs_one_pass() {
        let sights = Sights::new();
        assert!(sights.take(Key::of("a"), rank(1, ExecutionStatus::Failed, 5)));
        assert!(!sights.take(Key::of("a"), rank(0, ExecutionStatus::Failed, 9)));
        assert!(sights.take(Key::of("b"), rank(0, ExecutionStatus::Failed, 9)));
        assert!(sights.pass_over(Key::of("c")) && !sights.pass_over(Key::of("c")));
        assert!(!sights.are_in_vain());
    }
}
