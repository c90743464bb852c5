//! Fingerprints that differ in a free value alone: a name of a person or a city, which nothing in its form tells from a word.
//!
//! Fingerprints fall together when they agree in all parts but the message, the messages in all words but one, and in that place
//! stand at least [`MOST_WORDS`] different words, most of them rarely: there are at least half as many words as executions. Two
//! faults whose messages differ in a word thus stay apart however often they happen, and so does a value with few forms.
//!
//! The rule looks at the fingerprints as they were computed, all pairs at once, so that neither order nor threads matter. The merged
//! group is named as if the place had been taken out at once: the same whichever values were seen.

use std::collections::HashMap;

use crate::analysis::fingerprint::{self, Parts, Template};

/// How many different words a place must have had.
const MOST_WORDS: usize = 4;

/// Messages of more words than this are compared whole only.
const LONGEST: usize = 64;

/// A fingerprint, what went into it, and how many executions have it.
pub(in crate::analysis) struct Known<'k> {
    pub id: &'k str,
    pub machine: Option<&'k str>,
    pub state: Option<&'k str>,
    pub parts: &'k Parts,
    pub executions: u64,
}

/// What several fingerprints became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::analysis) struct Merged {
    pub id: String,
    pub message: Template,
}

/// For each fingerprint what it became; `None` for one that stands alone.
pub(in crate::analysis) fn merge(known: &[Known<'_>]) -> Vec<Option<Merged>> {
    let mut found = vec![None; known.len()];
    let mut alike: HashMap<(Shape<'_>, usize), Vec<usize>> = HashMap::new();
    for (place, one) in known.iter().enumerate() {
        let words: Vec<&str> = one.parts.message.canonical().split(' ').collect();
        // A single word is a name of its own, and few words in common are no message in common.
        if !(2..=LONGEST).contains(&words.len()) {
            continue;
        }
        for at in 0..words.len() {
            if is_free(words[at]) {
                let shape = Shape { of: one, before: words[..at].join(" "), after: words[at + 1..].join(" ") };
                alike.entry((shape, at)).or_default().push(place);
            }
        }
    }
    let mut candidates: Vec<(usize, Vec<usize>)> = alike
        .into_iter()
        .map(|((_, at), places)| (at, places))
        .filter(|(_, places)| {
            let executions: u64 = places.iter().map(|place| known[*place].executions).sum();
            places.len() >= MOST_WORDS && places.len() as u64 * 2 >= executions
        })
        .collect();
    // Where one message could be merged in two places, most words decide, then the names.
    candidates.sort_by_key(|(at, places)| (std::cmp::Reverse(places.len()), *at, places.iter().map(|place| known[*place].id).min()));
    for (at, places) in candidates {
        if places.iter().any(|place| found[*place].is_some()) {
            continue;
        }
        let first = &known[places[0]];
        let message = first.parts.message.without_word(at);
        let parts = Parts { message: message.clone(), ..first.parts.clone() };
        let id = fingerprint::id(first.machine, first.state, &parts);
        for place in places {
            found[place] = Some(Merged { id: id.clone(), message: message.clone() });
        }
    }
    found
}

/// All that fingerprints agree in which differ in one word.
struct Shape<'k> {
    of: &'k Known<'k>,
    before: String,
    after: String,
}

impl Shape<'_> {
    fn key(&self) -> ([Option<&str>; 10], Option<u16>, &[String]) {
        let Known { machine, state, parts, .. } = self.of;
        let texts = [
            *machine,
            *state,
            Some(self.before.as_str()),
            Some(self.after.as_str()),
            parts.error.as_deref(),
            parts.ending,
            parts.error_type.as_deref(),
            parts.service.as_deref(),
            parts.error_code.as_deref(),
            parts.child_machine.as_deref(),
        ];
        (texts, parts.status_code, &parts.frames)
    }
}

impl PartialEq for Shape<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Shape<'_> {}

impl std::hash::Hash for Shape<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

/// Whether a word may be a value: one with a letter in it that is none yet.
fn is_free(word: &str) -> bool {
    word.chars().any(char::is_alphabetic) && !word.contains(fingerprint::ANY)
}
