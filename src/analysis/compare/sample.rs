//! Rows of one side: all of them, or those with the smallest hashes where there are more than memory should hold.
//!
//! Which rows are kept depends on the executions alone, never on the order in which they came or on the threads that read them.

use std::collections::BTreeMap;

use super::cell::hash;
use super::row::Row;

/// By two hashes of the execution's ARN.
pub(super) type Key = (u64, u64);

/// The place of an execution in the order of hashes.
pub(super) fn key(execution: &str) -> Key {
    (hash(execution.as_bytes(), 1), hash(execution.as_bytes(), 2))
}

/// The rows with the smallest keys that fit.
#[derive(Debug)]
pub(super) struct Sample {
    rows: BTreeMap<Key, Row>,
    bytes: usize,
    most_rows: usize,
    most_bytes: usize,
    /// The smallest key that did not fit: nothing from it on is kept.
    end: Option<Key>,
}

impl Sample {
    /// At most so many rows and bytes, but one row at least.
    pub fn new(most_rows: usize, most_bytes: usize) -> Self {
        Self { rows: BTreeMap::new(), bytes: 0, most_rows, most_bytes, end: None }
    }

    /// Whether a row with this key would be kept, as things stand.
    pub fn wants(&self, key: Key) -> bool {
        self.end.is_none_or(|end| key < end)
    }

    /// Keeps a row, if it is one of those with the smallest keys.
    pub fn add(&mut self, key: Key, row: Row) {
        if !self.wants(key) {
            return;
        }
        self.bytes += row.bytes();
        if let Some(before) = self.rows.insert(key, row) {
            self.bytes -= before.bytes();
        }
        self.shrink();
    }

    /// Adds another thread's rows.
    pub fn merge(&mut self, other: Self) {
        self.end = [self.end, other.end].into_iter().flatten().min();
        if let Some(end) = self.end {
            for row in self.rows.split_off(&end).into_values() {
                self.bytes -= row.bytes();
            }
        }
        for (key, row) in other.rows {
            self.add(key, row);
        }
    }

    /// The rows in the order of their keys.
    pub fn into_rows(self) -> impl Iterator<Item = (Key, Row)> {
        self.rows.into_iter()
    }

    fn shrink(&mut self) {
        while self.rows.len() > self.most_rows || (self.bytes > self.most_bytes && self.rows.len() > 1) {
            if let Some((key, row)) = self.rows.pop_last() {
                self.bytes -= row.bytes();
                self.end = Some(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::compare::cell::Texts;
    use crate::analysis::selection::Payload;
    use crate::model::ExecutionFacts;

    fn row(name: &str) -> Row {
        let input = format!(r#"{{"text":"{}"}}"#, "x".repeat(usize::from(hash(name.as_bytes(), 3).to_le_bytes()[0]) % 100));
        let facts = ExecutionFacts { execution: name, input: Some(&input), ..ExecutionFacts::default() };
        Row::new(&facts, &Payload::default(), &mut Texts::default())
    }

    fn kept(names: &[String], threads: usize) -> Vec<Key> {
        let mut samples: Vec<Sample> = (0..threads).map(|_| Sample::new(40, 12_000)).collect();
        for (position, name) in names.iter().enumerate() {
            samples[position % threads].add(key(name), row(name));
        }
        let mut samples = samples.into_iter();
        let mut all = samples.next().expect("a thread");
        for sample in samples {
            all.merge(sample);
        }
        assert!(all.bytes <= 12_000 && all.bytes == all.rows.values().map(Row::bytes).sum::<usize>());
        all.rows.into_keys().collect()
    }

    #[test]
    fn which_rows_are_kept_does_not_depend_on_order_or_threads() {
        let mut names: Vec<String> = (0..200).map(|number| format!("execution-{number}")).collect();
        let expected = kept(&names, 1);
        assert!(expected.len() > 5 && expected.len() <= 40);
        let mut random = fastrand::Rng::with_seed(7);
        for threads in [1, 2, 3, 7] {
            random.shuffle(&mut names);
            assert_eq!(kept(&names, threads), expected);
        }
    }
}
