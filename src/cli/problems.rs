//! What could not be read, in words whose number does not grow with the input.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::sources::{DEFINITION, SourceError};

/// So many problems are named, the others are counted.
const NAMED: usize = 10;
/// So many files without a history are named.
const NAMED_UNRELATED: usize = 3;

/// Problems: how many, and the first ones in the order of their places.
#[derive(Debug, Default)]
pub struct Problems {
    count: u64,
    first: BTreeSet<Problem>,
    /// Log records that can't be read, by what is wrong with them: how many, and the first.
    records: BTreeMap<&'static str, (u64, Problem)>,
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
        let Some(fault) = error.fault_of_record() else { return self.add_at(source, line, || error.to_string()) };
        self.count += 1;
        let is_first = |known: &Problem| (source, line) < (known.source.as_str(), known.line);
        let problem = || Problem { source: source.to_owned(), line, text: error.to_string() };
        match self.records.entry(fault) {
            Entry::Occupied(mut known) => {
                known.get_mut().0 += 1;
                if is_first(&known.get().1) {
                    known.get_mut().1 = problem();
                }
            }
            Entry::Vacant(vacant) => drop(vacant.insert((1, problem()))),
        }
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
        for (fault, (count, problem)) in other.records {
            match self.records.entry(fault) {
                Entry::Occupied(mut known) => {
                    let (known_count, first) = known.get_mut();
                    *known_count += count;
                    if problem < *first {
                        *first = problem;
                    }
                }
                Entry::Vacant(vacant) => drop(vacant.insert((count, problem))),
            }
        }
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

    /// What to say: the first ones, and how many others there are.
    pub fn words(&self) -> Vec<String> {
        let of_records: u64 = self.records.values().map(|(count, _)| count).sum();
        let mut words: Vec<String> = self.first.iter().map(|problem| problem.text.clone()).collect();
        let others = self.count.saturating_sub(words.len() as u64 + of_records);
        words.splice(0..0, self.records.values().map(of_kind));
        if others > 0 {
            words.push(format!("{others} more could not be read"));
        }
        words
    }
}

fn of_kind((count, first): &(u64, Problem)) -> String {
    match count {
        0 | 1 => first.text.clone(),
        2 => format!("{}, and 1 other like it", first.text),
        count => format!("{}, and {} others like it", first.text, count - 1),
    }
}

/// Files of a folder that hold something else: no failure, but not passed over in silence. A file counts once, however many of its
/// lines are none of ours.
#[derive(Debug, Default)]
pub struct PassedOver {
    /// Hashes of the names, which stay small where there are a million.
    files: HashSet<u64>,
    /// Those of them that are definitions.
    definitions: HashSet<u64>,
    first: BTreeMap<String, Beside>,
    /// What there is to say about inputs that were read to their end.
    remarks: BTreeSet<String>,
}

#[derive(Debug)]
struct Beside {
    line: Option<usize>,
    /// What the file is.
    found: String,
    /// That, and what was wanted.
    text: String,
}

impl PassedOver {
    /// Takes what was found in such a file.
    pub fn add(&mut self, error: &SourceError) {
        if error.is_remark() {
            self.remarks.insert(error.to_string());
            return;
        }
        let (source, line) = error.source_and_line();
        let mut hasher = DefaultHasher::new();
        source.hash(&mut hasher);
        let file = hasher.finish();
        self.files.insert(file);
        if error.found() == DEFINITION {
            self.definitions.insert(file);
        }
        let is_later = self.first.last_key_value().is_some_and(|(last, _)| source > last.as_str());
        if self.first.len() < NAMED || !is_later {
            self.keep(source.to_owned(), Beside { line, found: error.found().to_owned(), text: error.to_string() });
        }
    }

    /// Adds those that another thread found.
    pub fn merge(&mut self, other: Self) {
        self.files.extend(other.files);
        self.definitions.extend(other.definitions);
        self.remarks.extend(other.remarks);
        for (source, beside) in other.first {
            self.keep(source, beside);
        }
    }

    fn keep(&mut self, source: String, beside: Beside) {
        match self.first.entry(source) {
            Entry::Occupied(mut kept) if kept.get().line > beside.line => drop(kept.insert(beside)),
            Entry::Occupied(_) => {}
            Entry::Vacant(place) => drop(place.insert(beside)),
        }
        while self.first.len() > NAMED {
            self.first.pop_last();
        }
    }

    /// How many files.
    pub fn count(&self) -> u64 {
        self.files.len() as u64
    }

    /// What to say where something else was read: the first ones, and how many others there are. Definitions are not named; where none were
    /// given, it is said how to.
    pub fn words(&self, has_definitions: bool) -> Vec<String> {
        let of_one = |(source, beside): (&String, &Beside)| format!("passed over: {source}: {}", beside.found);
        let others = self.first.iter().filter(|(_, beside)| beside.found != DEFINITION);
        let mut words: Vec<String> = others.take(NAMED_UNRELATED).map(of_one).collect();
        let named = words.len() as u64;
        words.splice(0..0, self.remarks.iter().cloned());
        let definitions = self.definitions.len() as u64;
        match self.count().saturating_sub(named + definitions) {
            0 => {}
            1 => words.push("passed over: 1 more file that holds no history".to_owned()),
            others => words.push(format!("passed over: {others} more files that hold no history")),
        }
        match definitions {
            _ if has_definitions => {}
            0 => {}
            1 => words.push("passed over: the definition of a state machine; --definitions DIR takes it".to_owned()),
            several => words.push(format!("passed over: {several} definitions of state machines; --definitions DIR takes them")),
        }
        words
    }

    /// What to say where nothing was read: what was wanted instead.
    pub fn words_of_failure(&self) -> Vec<String> {
        let mut words: Vec<String> = self.first.values().map(|beside| beside.text.clone()).collect();
        match self.count().saturating_sub(words.len() as u64) {
            0 => {}
            others => words.push(format!("{others} more could not be read")),
        }
        words
    }
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

    #[test]
    fn a_file_that_is_passed_over_counts_once() {
        let error = |origin: &str, line: usize| SourceError::NotAHistory { place: Place::line(origin, line), found: format!("no {line}") };
        let (mut one, mut other) = (PassedOver::default(), PassedOver::default());
        for line in (1..=50).rev() {
            if line % 2 == 0 { &mut one } else { &mut other }.add(&error("b.jsonl", line));
        }
        for name in ["a", "c", "d", "e"] {
            other.add(&error(name, 1));
        }
        one.merge(other);
        let wanted = [
            "passed over: a: no 1",
            "passed over: b.jsonl: no 1",
            "passed over: c: no 1",
            "passed over: 2 more files that hold no history",
        ];
        assert_eq!((one.count(), one.words(false)), (5, wanted.map(str::to_owned).to_vec()));
        one.add(&SourceError::NotAHistory { place: Place::whole("a.json"), found: DEFINITION.to_owned() });
        assert_eq!(one.words(false)[4], "passed over: the definition of a state machine; --definitions DIR takes it");
        assert_eq!((one.count(), one.words(true).len()), (6, 4));
        let words = one.words_of_failure();
        assert!(words.len() == 6 && words[2].starts_with("b.jsonl line 1: no 1, not an execution's history"), "{words:?}");
    }
}
