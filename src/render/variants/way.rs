//! The way of a variant as a path with arrows: `Check → (Wait → Poll)×1–7 → Both[Left | ✗ Right]`.

use anstyle::Style;

use crate::analysis::variants::{Row, RowKind};
use crate::model::path::VisitOutcome;
use crate::render::columns::{fit, mark, width};
use crate::render::page::Page;
use crate::render::styles::paint;

/// What is not broken.
struct Word {
    text: String,
    style: Style,
    /// Nothing stands between it and the word before.
    glued: bool,
}

/// The way in lines of at most this many columns.
pub(super) fn lines(rows: &[Row], room: usize, page: &Page<'_>) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in words(rows, page) {
        let text = fit(&word.text, room);
        let columns = width(&text);
        let space = usize::from(!word.glued && used > 0);
        if used + space + columns > room {
            lines.push(String::new());
            used = 0;
        } else {
            if space > 0
                && let Some(line) = lines.last_mut()
            {
                line.push(' ');
            }
            used += space;
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(&paint(word.style, text).to_string());
        }
        used += columns;
    }
    lines
}

/// What is open around a row.
struct Around {
    depth: u32,
    closing: String,
}

fn words(rows: &[Row], page: &Page<'_>) -> Vec<Word> {
    let mut way = Way { words: Vec::new(), around: Vec::new(), after_step: false, opening: String::new(), plain: Style::new() };
    for (position, row) in rows.iter().enumerate() {
        way.close(row.depth);
        match &row.kind {
            RowKind::Step { state, outcome, .. } => {
                way.arrow();
                let inside = rows.get(position + 1).filter(|next| next.depth > row.depth).map(|next| &next.kind);
                let name = if state.is_empty() { "?".to_owned() } else { page.clean(state) };
                let text = match outcome {
                    VisitOutcome::Succeeded => name,
                    outcome => format!("{} {name}", mark(*outcome)),
                };
                let style = if *outcome == VisitOutcome::Succeeded { Style::new() } else { page.styles.of(*outcome) };
                way.step(text, style);
                let brackets = match inside {
                    Some(RowKind::Branch { .. }) => Some(("[", "]")),
                    Some(RowKind::Iterations { .. }) => Some(("{", "}")),
                    _ => None,
                };
                if let Some((opening, closing)) = brackets {
                    way.glue(opening);
                    way.open(row.depth, closing.to_owned());
                }
            }
            RowKind::Loop { turns_min, turns_max } => {
                way.arrow();
                way.opening.push('(');
                let turns = if turns_min == turns_max { turns_max.to_string() } else { format!("{turns_min}–{turns_max}") };
                way.open(row.depth, format!(")×{turns}"));
            }
            RowKind::Branch { .. } => way.alternative(),
            RowKind::Iterations { iterations } => {
                way.alternative();
                way.open(row.depth, format!(" ×{iterations}"));
            }
            RowKind::More { rows } => {
                way.arrow();
                way.step(format!("… {rows} more"), page.styles.dim);
            }
        }
    }
    way.close(0);
    way.words
}

struct Way {
    words: Vec<Word>,
    around: Vec<Around>,
    after_step: bool,
    /// Stands before the next name.
    opening: String,
    plain: Style,
}

impl Way {
    fn arrow(&mut self) {
        if self.after_step {
            self.words.push(Word { text: "→".to_owned(), style: self.plain, glued: false });
        }
        self.after_step = false;
    }

    fn step(&mut self, name: String, style: Style) {
        let follows_bracket = self.words.last().is_some_and(|word| word.text.ends_with(['[', '{', '(']));
        let mut glued = follows_bracket;
        if !self.opening.is_empty() {
            self.words.push(Word { text: std::mem::take(&mut self.opening), style: self.plain, glued });
            glued = true;
        }
        self.words.push(Word { text: name, style, glued });
        self.after_step = true;
    }

    /// Puts something right behind the last word, in no colour.
    fn glue(&mut self, text: &str) {
        match self.words.last_mut() {
            Some(word) if word.style == self.plain => word.text.push_str(text),
            _ => self.words.push(Word { text: text.to_owned(), style: self.plain, glued: true }),
        }
    }

    fn open(&mut self, depth: u32, closing: String) {
        self.around.push(Around { depth, closing });
        self.after_step = false;
    }

    /// Another branch, or other iterations.
    fn alternative(&mut self) {
        let is_first = self.words.last().is_some_and(|word| word.text.ends_with(['[', '{'])) || self.words.is_empty();
        if !is_first {
            self.words.push(Word { text: "|".to_owned(), style: self.plain, glued: false });
        }
        self.after_step = false;
    }

    /// Closes what does not hold a row at this depth.
    fn close(&mut self, depth: u32) {
        while let Some(closed) = self.around.pop_if(|around| around.depth >= depth) {
            self.glue(&closed.closing);
            self.after_step = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::redact::Redactor;
    use crate::render::styles::Styles;

    fn step(depth: u32, state: &str, outcome: VisitOutcome) -> Row {
        Row { depth, kind: RowKind::Step { state: state.to_owned(), state_type: None, outcome } }
    }

    fn shown(rows: &[Row], room: usize) -> Vec<String> {
        let (styles, redactor) = (Styles::plain(), Redactor::new(true));
        let mut out = Vec::new();
        lines(rows, room, &Page::new(&styles, &redactor, 80, &mut out))
    }

    #[test]
    fn loops_branches_and_iterations_have_brackets_of_their_own() {
        use VisitOutcome::{Aborted, Caught, Failed, Succeeded};
        let rows = [
            step(0, "Check", Succeeded),
            Row { depth: 0, kind: RowKind::Loop { turns_min: 1, turns_max: 7 } },
            step(1, "Wait", Succeeded),
            step(1, "Poll", Succeeded),
            step(0, "Both", Caught),
            Row { depth: 1, kind: RowKind::Branch { index: 0 } },
            step(2, "Left", Aborted),
            Row { depth: 1, kind: RowKind::Branch { index: 1 } },
            step(2, "Each", Failed),
            Row { depth: 3, kind: RowKind::Iterations { iterations: 40 } },
            step(4, "Pack", Succeeded),
            step(4, "Send", Succeeded),
            Row { depth: 3, kind: RowKind::Iterations { iterations: 2 } },
            step(4, "Pack", Failed),
            step(0, "Undo", Succeeded),
        ];
        let way = "Check → (Wait → Poll)×1–7 → ! Both[- Left | ✗ Each{Pack → Send ×40 | ✗ Pack ×2}] → Undo";
        assert_eq!(shown(&rows, 200), [way]);
        assert!(shown(&rows, 30).iter().all(|line| width(line) <= 30));
        assert_eq!(shown(&rows, 30).join(" ").replace("[ ", "["), way);
    }

    #[test]
    fn names_from_outside_do_not_reach_the_terminal() {
        assert_eq!(shown(&[step(0, "\u{1b}[2JX\u{202e}", VisitOutcome::Succeeded)], 80), ["\\u{1b}[2JX\\u{202e}"]);
        assert_eq!(shown(&[step(0, "", VisitOutcome::Succeeded)], 80), ["?"]);
        assert_eq!(shown(&[], 80), [""]);
    }
}
