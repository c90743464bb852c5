//! What could not be read, in words whose number does not grow with the input.

use std::collections::BTreeSet;

use crate::sources::SourceError;

/// So many problems are named, the others are counted.
const NAMED: usize = 10;
/// So many files without a history are named.
pub const NAMED_UNRELATED: usize = 3;

/// Problems: how many, and the first ones in the order of their places.
#[derive(Debug, Default)]
pub struct Problems {
    count: u64,
    first: BTreeSet<Problem>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Problem {
    source: String,
    line: Option<usize>,
    text: String,
}

impl Problems {
    /// Takes one more.
    pub fn add(&mut self, error: &SourceError) {
        let (source, line) = error.source_and_line();
        self.add_at(source, line, || error.to_string());
    }

    /// Takes one that is no source's.
    pub fn add_text(&mut self, source: &str, text: String) {
        self.add_at(source, None, || text);
    }

    fn add_at(&mut self, source: &str, line: Option<usize>, text: impl FnOnce() -> String) {
        self.count += 1;
        let is_later = |last: &Problem| (source, line) > (last.source.as_str(), last.line);
        if self.first.len() < NAMED || !self.first.last().is_some_and(is_later) {
            self.first.insert(Problem { source: source.to_owned(), line, text: text() });
            self.shorten();
        }
    }

    /// Adds those that another thread found.
    pub fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.first.extend(other.first);
        self.shorten();
    }

    fn shorten(&mut self) {
        while self.first.len() > NAMED {
            self.first.pop_last();
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The first of them in words, up to `most`.
    pub fn first(&self, most: usize) -> impl Iterator<Item = &str> {
        self.first.iter().take(most).map(|problem| problem.text.as_str())
    }

    /// What to say: the first ones, and how many others there are.
    pub fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = self.first(NAMED).map(str::to_owned).collect();
        let others = self.count.saturating_sub(words.len() as u64);
        if others > 0 {
            words.push(format!("{others} more could not be read"));
        }
        words
    }
}

/// What to say of files of a folder that hold something else: no failure, but not passed over in silence.
pub fn passed_over<'p>(first: impl Iterator<Item = &'p str>, count: u64) -> Vec<String> {
    let mut words: Vec<String> = first.take(NAMED_UNRELATED).map(|problem| format!("passed over: {problem}")).collect();
    let others = count.saturating_sub(words.len() as u64);
    if others > 0 {
        words.push(format!("passed over: {others} more files that hold no history"));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::Place;

    #[test]
    fn the_first_ones_are_named_whoever_finds_them() {
        let error = |line: usize| SourceError::NotUtf8 { place: Place::line("a.jsonl", line) };
        let (mut one, mut other) = (Problems::default(), Problems::default());
        for line in (1..=50).rev() {
            if line % 2 == 0 { &mut one } else { &mut other }.add(&error(line));
        }
        one.merge(other);
        let words = one.words();
        assert_eq!((one.count(), words.len()), (50, NAMED + 1));
        assert!(words[0].starts_with("a.jsonl line 1:") && words[NAMED - 1].starts_with(&format!("a.jsonl line {NAMED}:")), "{words:?}");
        assert_eq!(words[NAMED], "40 more could not be read");
    }
}
