//! Changes of a text as a unified diff, which `patch` and `git apply` understand.

use std::fmt::Write as _;

use super::edit::{Edit, applied};
use crate::asl::source::Span;

/// Lines that are shown around a change.
const CONTEXT: usize = 3;

/// Lines that go and lines that come in their place.
struct Change<'t> {
    /// Position of the first line that goes.
    first: usize,
    old: &'t [&'t str],
    new: Vec<String>,
}

/// The diff from a text to what these changes make of it; empty where there are none. Lines may end in `\r\n`.
pub fn unified(name: &str, text: &str, edits: &[Edit]) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let changes = changes(text, &lines, edits);
    let mut out = String::new();
    if changes.is_empty() {
        return out;
    }
    let _ = write!(out, "--- {name}\n+++ {name}\n");
    // How many lines there are more than before, up to here.
    let mut shift = 0_isize;
    let mut at = 0;
    while at < changes.len() {
        let mut end = at + 1;
        while end < changes.len() && changes[end].first <= changes[end - 1].end() + 2 * CONTEXT {
            end += 1;
        }
        shift += hunk(&lines, &changes[at..end], shift, &mut out);
        at = end;
    }
    out
}

impl Change<'_> {
    fn end(&self) -> usize {
        self.first + self.old.len()
    }
}

fn hunk(lines: &[&str], changes: &[Change<'_>], shift: isize, out: &mut String) -> isize {
    let from = changes[0].first.saturating_sub(CONTEXT);
    let to = changes.last().map_or(from, |last| (last.end() + CONTEXT).min(lines.len()));
    let (gone, come) = changes.iter().fold((0, 0), |(gone, come), change| (gone + change.old.len(), come + change.new.len()));
    let (old, new) = (to - from, to - from - gone + come);
    // A line number of a part without lines is that of the line before it.
    let number = |from: isize, count: usize| if count == 0 { from } else { from + 1 };
    let start = from.cast_signed();
    let _ = writeln!(out, "@@ -{},{old} +{},{new} @@", number(start, old), number(start + shift, new));
    let mut at = from;
    for change in changes {
        lines[at..change.first].iter().for_each(|line| put(' ', line, out));
        change.old.iter().for_each(|line| put('-', line, out));
        change.new.iter().for_each(|line| put('+', line, out));
        at = change.end();
    }
    lines[at..to].iter().for_each(|line| put(' ', line, out));
    come.cast_signed() - gone.cast_signed()
}

fn put(sign: char, line: &str, out: &mut String) {
    let _ = write!(out, "{sign}{line}");
    if !line.ends_with('\n') {
        out.push_str("\n\\ No newline at end of file\n");
    }
}

fn changes<'t>(text: &str, lines: &'t [&'t str], edits: &[Edit]) -> Vec<Change<'t>> {
    let mut starts = Vec::with_capacity(lines.len() + 1);
    starts.push(0);
    starts.extend(lines.iter().scan(0, |at, line| {
        *at += line.len();
        Some(*at)
    }));
    let line_of = |byte: usize| starts.partition_point(|start| *start <= byte).saturating_sub(1).min(lines.len().saturating_sub(1));
    let mut changes: Vec<Change<'t>> = Vec::new();
    let mut at = 0;
    while at < edits.len() {
        let first = line_of(edits[at].span.start);
        let mut last = line_of(edits[at].span.end.max(edits[at].span.start));
        let mut end = at + 1;
        while end < edits.len() && line_of(edits[end].span.start) <= last {
            last = last.max(line_of(edits[end].span.end));
            end += 1;
        }
        let (from, to) = (starts[first], starts.get(last + 1).copied().unwrap_or(text.len()));
        let own: Vec<Edit> = edits[at..end]
            .iter()
            .map(|edit| Edit { span: Span { start: edit.span.start - from, end: edit.span.end - from }, text: edit.text.clone() })
            .collect();
        let new = applied(&text[from..to], &own);
        changes.extend(trimmed(first, lines.get(first..=last).unwrap_or_default(), new.split_inclusive('\n').map(str::to_owned).collect()));
        at = end;
    }
    changes
}

/// Without the lines at both ends that stay.
fn trimmed<'t>(first: usize, old: &'t [&'t str], mut new: Vec<String>) -> Option<Change<'t>> {
    let same = old.iter().zip(&new).take_while(|(old, new)| *old == new).count();
    let old = &old[same..];
    new.drain(..same);
    let after = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| *old == new).count();
    new.truncate(new.len() - after);
    let old = &old[..old.len() - after];
    (!old.is_empty() || !new.is_empty()).then_some(Change { first: first + same, old, new })
}
