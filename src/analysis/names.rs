//! Texts by number: each is kept once, all of them in one piece.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::num::NonZeroU32;

use foldhash::fast::FixedState;

use crate::model::hashed::HashedAlready;

/// The number of a text; from 1, so that where there may be none takes no more room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(NonZeroU32);

impl Name {
    /// The one with this position; all beyond what 32 bits hold are one.
    fn at(position: usize) -> Self {
        Self(u32::try_from(position + 1).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MAX))
    }

    pub(in crate::analysis) fn position(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// Texts by number; those of two threads have to be translated.
#[derive(Debug, Default)]
pub struct Names {
    /// All texts, one after the other.
    all: String,
    /// Where each begins and ends.
    spans: Vec<(usize, usize)>,
    /// By the hash of the text; a text whose hash another one has stands under the next number that is free. The hash has no seed:
    /// whoever makes texts with one hash on purpose makes his own question slow, and none wrong.
    numbers: HashMap<u64, Name, HashedAlready>,
}

impl Names {
    /// The number of a text, a new one if it has none.
    pub fn number(&mut self, text: &str) -> Name {
        let place = match self.look_up(text) {
            Ok(known) => return known,
            Err(place) => place,
        };
        let name = Name::at(self.spans.len());
        let start = self.all.len();
        self.all.push_str(text);
        self.spans.push((start, self.all.len()));
        self.numbers.insert(place, name);
        name
    }

    /// The number of a text that has one.
    pub fn find(&self, text: &str) -> Option<Name> {
        self.look_up(text).ok()
    }

    /// The text of a number; empty for one of other names.
    pub fn text(&self, name: Name) -> &str {
        self.spans.get(name.position()).and_then(|(start, end)| self.all.get(*start..*end)).unwrap_or_default()
    }

    /// The text, but `None` for an empty one.
    pub fn some(&self, name: Name) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// Every number, as the numbers of these names are called by themselves.
    pub(in crate::analysis) fn own_numbers(&self) -> Vec<Name> {
        (0..self.spans.len()).map(Name::at).collect()
    }

    /// How each of the other's numbers is called here.
    pub(in crate::analysis) fn translate(&mut self, other: &Self) -> Vec<Name> {
        self.all.reserve(other.all.len());
        self.spans.reserve(other.spans.len());
        self.numbers.reserve(other.numbers.len());
        let all = other.spans.iter().map(|(start, end)| other.all.get(*start..*end).unwrap_or_default());
        all.map(|text| self.number(text)).collect()
    }

    /// The number of a text, or where to put it.
    fn look_up(&self, text: &str) -> Result<Name, u64> {
        let mut place = FixedState::default().hash_one(text);
        while let Some(known) = self.numbers.get(&place) {
            if self.text(*known) == text {
                return Ok(*known);
            }
            place = place.wrapping_add(1);
        }
        Err(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_number_and_a_number_one_text() {
        let mut names = Names::default();
        let texts: Vec<String> = (0..2_000).map(|number| format!("text {}", number % 1_000)).collect();
        let numbers: Vec<Name> = texts.iter().map(|text| names.number(text)).collect();
        assert_eq!(numbers[..1_000], numbers[1_000..]);
        for (text, number) in texts.iter().zip(&numbers) {
            assert_eq!((names.text(*number), names.find(text)), (text.as_str(), Some(*number)));
        }
        assert_eq!((names.find("another"), names.number("")), (None, names.number("")));
    }

    #[test]
    fn texts_with_the_same_hash_are_told_apart() {
        let mut names = Names::default();
        let first = names.number("first");
        // The place of another text is taken by the first one.
        names.numbers.insert(FixedState::default().hash_one("second"), first);
        let second = names.number("second");
        assert_ne!(first, second);
        assert_eq!(names.number("second"), second);
        assert_eq!(names.text(second), "second");
    }

    #[test]
    fn numbers_of_others_are_translated() {
        let (mut one, mut other) = (Names::default(), Names::default());
        one.number("a");
        let numbers = ["b", "a", ""].map(|text| other.number(text));
        let here = one.translate(&other);
        assert_eq!(numbers.map(|number| one.text(here[number.position()]).to_owned()), ["b", "a", ""]);
    }
}
