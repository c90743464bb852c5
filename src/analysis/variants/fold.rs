//! Folds what repeats in a sequence: turns of a loop become one, however many there were.
//!
//! Whenever the end of what was kept so far says the same thing twice, the second time is dropped and counted. What is left holds no
//! turn twice in a row, so that executions that polled three times and seven times are one variant.

/// The most visits that one turn may have.
const LONGEST_TURN: usize = 64;

/// A part of a folded sequence that came several times in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Loop {
    /// Its first position in the folded sequence.
    pub from: u32,
    /// How many positions one turn has.
    pub length: u32,
    /// The most turns in a row.
    pub turns: u32,
    /// Turns in a row up to the end of what was read, while it may go on.
    current: u32,
}

impl Loop {
    fn end(self) -> u32 {
        self.from + self.length
    }
}

/// A sequence being folded; made once and used for many.
#[derive(Debug, Default)]
pub(super) struct Folder {
    kept: Vec<u32>,
    /// By their ends, the last of which are not behind the end of `kept`.
    loops: Vec<Loop>,
}

impl Folder {
    /// Forgets what was folded before.
    pub fn clear(&mut self) {
        self.kept.clear();
        self.loops.clear();
    }

    /// Adds the next of the sequence.
    pub fn push(&mut self, token: u32) {
        self.kept.push(token);
        let length = self.kept.len();
        let is_turn = |turn: &usize| {
            let (before, last) = (&self.kept[length - 2 * turn..length - turn], &self.kept[length - turn..]);
            self.kept[length - 1 - turn] == token && before == last
        };
        if let Some(turn) = (1..=LONGEST_TURN.min(length / 2)).find(is_turn) {
            self.kept.truncate(length - turn);
            self.count(position(length - 2 * turn), position(turn));
        }
    }

    /// What is left.
    pub fn sequence(&self) -> &[u32] {
        &self.kept
    }

    /// What was folded; loops lie within one another or apart.
    pub fn loops(&mut self) -> &[Loop] {
        if self.loops.len() > 1 {
            self.loops.sort_unstable_by_key(|found| (found.from, std::cmp::Reverse(found.length)));
            let mut around: Vec<u32> = Vec::new();
            self.loops.retain(|found| {
                while around.last().is_some_and(|end| *end <= found.from) {
                    around.pop();
                }
                let fits = around.last().is_none_or(|end| found.end() <= *end);
                if fits {
                    around.push(found.end());
                }
                fits
            });
        }
        &self.loops
    }

    /// Counts one more turn, and puts what was folded within the dropped turn to the turn before.
    fn count(&mut self, from: u32, length: u32) {
        let end = from + length;
        let near = self.loops.iter().rposition(|found| found.end() <= from).map_or(0, |position| position + 1);
        let mut first: Vec<Loop> = Vec::new();
        let mut dropped: Vec<Loop> = Vec::new();
        let mut itself = Loop { from, length, turns: 1, current: 1 };
        for found in self.loops.drain(near..) {
            if found.from == from && found.length == length {
                itself = found;
            } else if found.end() <= end {
                first.push(found);
            } else if found.from >= end {
                dropped.push(Loop { from: found.from - length, ..found });
            }
        }
        for found in &mut first {
            if found.from >= from {
                found.current = 1;
            }
        }
        for moved in dropped {
            match first.iter_mut().find(|found| found.from == moved.from && found.length == moved.length) {
                Some(found) => {
                    found.turns = found.turns.max(moved.turns);
                    found.current = moved.current;
                }
                None => first.push(moved),
            }
        }
        itself.current += 1;
        itself.turns = itself.turns.max(itself.current);
        first.push(itself);
        first.sort_by_key(|found| found.end());
        self.loops.append(&mut first);
    }
}

fn position(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The folded sequence and its loops, as `from+length x turns`.
    fn folded(text: &str) -> (String, Vec<String>) {
        let mut folder = Folder::default();
        for byte in text.bytes() {
            folder.push(u32::from(byte));
        }
        let kept = folder.sequence().iter().filter_map(|token| char::from_u32(*token)).collect();
        let loops = folder.loops().iter().map(|found| format!("{}+{} x {}", found.from, found.length, found.turns)).collect();
        (kept, loops)
    }

    #[test]
    fn turns_become_one_and_are_counted() {
        assert_eq!(folded("spcwpcwpcd"), ("spcwpcd".to_owned(), vec!["1+3 x 2".to_owned()]));
        assert_eq!(folded("aaaaab"), ("ab".to_owned(), vec!["0+1 x 5".to_owned()]));
        assert_eq!(folded("abc"), ("abc".to_owned(), vec![]));
        assert_eq!(folded(""), (String::new(), vec![]));
    }

    #[test]
    fn three_and_seven_polls_leave_the_same() {
        let polls = |count: usize| folded(&format!("s{}d", "wpc".repeat(count))).0;
        assert_eq!(polls(3), polls(7));
        assert_eq!(polls(1), polls(7));
    }

    #[test]
    fn loops_within_loops_count_their_own_turns() {
        assert_eq!(folded("abbabbbabb"), ("ab".to_owned(), vec!["0+2 x 3".to_owned(), "1+1 x 3".to_owned()]));
        assert_eq!(folded("abbabb"), ("ab".to_owned(), vec!["0+2 x 2".to_owned(), "1+1 x 2".to_owned()]));
        assert_eq!(folded("aabaab"), ("ab".to_owned(), vec!["0+2 x 2".to_owned(), "0+1 x 2".to_owned()]));
    }

    #[test]
    fn a_very_long_loop_takes_no_long_time() {
        assert_eq!(folded(&"wpc".repeat(100_000)).1, ["0+3 x 100000"]);
    }

    proptest! {
        #[test]
        fn nothing_comes_twice_in_a_row_and_folding_again_changes_nothing(tokens in prop::collection::vec(0u32..4, 0..120)) {
            let mut folder = Folder::default();
            for token in &tokens {
                folder.push(*token);
            }
            let kept = folder.sequence().to_vec();
            for turn in 1..=kept.len() / 2 {
                prop_assert!(kept.windows(2 * turn).all(|both| both[..turn] != both[turn..]));
            }
            prop_assert_eq!(kept.first(), tokens.first());
            prop_assert_eq!(kept.last(), tokens.last());
            for found in folder.loops() {
                prop_assert!(found.turns >= 2 && found.end() as usize <= kept.len());
            }
        }

        #[test]
        fn loops_lie_within_one_another_or_apart(tokens in prop::collection::vec(0u32..3, 0..80)) {
            let mut folder = Folder::default();
            for token in &tokens {
                folder.push(*token);
            }
            let loops = folder.loops().to_vec();
            for one in &loops {
                for other in &loops {
                    let apart = one.end() <= other.from || other.end() <= one.from;
                    let within = (one.from <= other.from && other.end() <= one.end()) || (other.from <= one.from && one.end() <= other.end());
                    prop_assert!(apart || within);
                }
            }
        }
    }
}
