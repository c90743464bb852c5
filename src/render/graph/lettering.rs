//! How wide names are, and names in few short lines.

use ab_glyph::{Font, ScaleFont};
use unicode_width::UnicodeWidthChar;

pub(super) use crate::render::plot::lettering::{FAMILIES, Weight, safe};
use crate::render::plot::lettering::{font, scale};

/// How wide a text is, in the unit of `size`. Letters that the embedded font lacks are as wide as terminals have them.
pub(super) fn width(text: &str, size: f64, weight: Weight) -> f64 {
    let font = font(weight);
    let scaled = font.as_scaled(scale(font, size));
    let one = |character: char| match scaled.glyph_id(character) {
        glyph if glyph.0 != 0 => f64::from(scaled.h_advance(glyph)),
        _ => size * [0.0, 0.65, 1.05][character.width().unwrap_or(1).min(2)],
    };
    text.chars().map(one).sum()
}

/// A name in at most `most` lines no wider than `room`, broken between words (also those of `oneName` and `one_name`) where that is
/// possible. What finds no room gives way to an ellipsis.
pub(super) fn lines(name: &str, room: f64, most: usize, size: f64, weight: Weight) -> Vec<String> {
    let mut lines = vec![String::new()];
    for part in parts(name) {
        let Some(line) = lines.last_mut() else { break };
        let is_empty = line.trim().is_empty();
        if !is_empty && width(line, size, weight) + width(part.trim_end(), size, weight) > room {
            lines.push(String::new());
        }
        for character in part.chars() {
            let Some(line) = lines.last_mut() else { break };
            let is_full = !line.is_empty() && width(line, size, weight) + width(character.encode_utf8(&mut [0; 4]), size, weight) > room;
            if is_full && character != ' ' {
                lines.push(String::from(character));
            } else {
                line.push(character);
            }
        }
        // Nobody reads so much; the rest is cut below.
        if lines.len() > most + 1 {
            break;
        }
    }
    for line in &mut lines {
        *line = line.trim().to_owned();
    }
    lines.retain(|line| !line.is_empty());
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            while width(last, size, weight) + width("…", size, weight) > room && last.pop().is_some() {}
            last.push('…');
        }
    }
    lines
}

/// Where a name may be broken: after spaces and signs, and before a capital after a small letter.
fn parts(name: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut from, mut before) = (0, ' ');
    for (at, character) in name.char_indices() {
        let after_sign = matches!(before, ' ' | '_' | '-' | '.' | '/' | ':' | ',') && character != before;
        let hump = before.is_lowercase() && character.is_uppercase();
        if at > from && (after_sign || hump) {
            parts.push(&name[from..at]);
            from = at;
        }
        before = character;
    }
    parts.push(&name[from..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(name: &str) -> Vec<String> {
        lines(name, 70.0, 3, 13.0, Weight::Regular)
    }

    #[test]
    fn names_are_broken_between_their_words() {
        assert_eq!(broken("Charge"), ["Charge"]);
        assert_eq!(broken("ReserveInventory"), ["Reserve", "Inventory"]);
        assert_eq!(broken("send_the_invoice"), ["send_the_", "invoice"]);
        assert_eq!(broken("Is it paid yet?"), ["Is it paid", "yet?"]);
        assert_eq!(lines("Next Step When Quorum is met", 168.0, 3, 13.0, Weight::Bold), ["Next Step When Quorum", "is met"]);
    }

    #[test]
    fn what_is_too_long_ends_with_an_ellipsis() {
        let lines = broken(&"x".repeat(500));
        assert_eq!(lines.len(), 3);
        assert!(lines[2].ends_with('…'));
        assert!(lines.iter().all(|line| width(line, 13.0, Weight::Regular) <= 70.0), "{lines:?}");
    }

    #[test]
    fn nothing_is_no_line() {
        assert!(broken("").is_empty());
        assert!(broken("   ").is_empty());
    }
}
