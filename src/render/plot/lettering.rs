//! Letters: the embedded font, how wide texts are, and texts cut to a width.
//!
//! The font is in the program so that a plot needs no font configuration and has the same bytes everywhere. SVG names it first
//! and then fonts of nearly its widths, which a viewer may have in its place.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, ScaleFont};

use crate::render::escape;

/// What SVG asks for, best first.
pub(super) const FAMILIES: &str = "Inter, 'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif";

/// How far below the middle of a text its baseline is, in parts of the font's size; with it, small letters are in the middle.
pub(super) const BASELINE: f64 = 0.273;

static REGULAR: LazyLock<FontRef<'static>> = LazyLock::new(|| embedded(include_bytes!("font/inter-regular.otf")));
static SEMIBOLD: LazyLock<FontRef<'static>> = LazyLock::new(|| embedded(include_bytes!("font/inter-semibold.otf")));

/// How heavy letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

fn embedded(bytes: &'static [u8]) -> FontRef<'static> {
    FontRef::try_from_slice(bytes).expect("the embedded fonts are sound, as a test shows")
}

pub(super) fn font(weight: Weight) -> &'static FontRef<'static> {
    match weight {
        Weight::Regular => &REGULAR,
        Weight::Bold => &SEMIBOLD,
    }
}

/// The scale at which the font's em is `size`.
pub(super) fn scale(font: &FontRef<'_>, size: f64) -> f32 {
    let em = f64::from(font.units_per_em().unwrap_or(1000.0));
    #[allow(clippy::cast_possible_truncation, reason = "sizes of letters")]
    let scale = (size * f64::from(font.height_unscaled()) / em) as f32;
    scale
}

/// How wide a text is, in the unit of `size`.
pub(super) fn width(text: &str, size: f64, weight: Weight) -> f64 {
    let font = font(weight);
    let scaled = font.as_scaled(scale(font, size));
    text.chars().map(|character| f64::from(scaled.h_advance(scaled.glyph_id(character)))).sum()
}

/// Text from outside as it may stand in a drawing: control characters written out, and nothing that XML does not allow.
pub(super) fn safe(text: &str) -> String {
    escape::line(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

/// The text, or its beginning and end with an ellipsis between them, no wider than `most`.
pub(super) fn fit(text: &str, most: f64, size: f64, weight: Weight) -> String {
    if width(text, size, weight) <= most {
        return text.to_owned();
    }
    let characters: Vec<char> = text.chars().collect();
    // How many characters may stay grows by one until it is too wide; names differ at both ends.
    let cut = |keep: usize| -> String {
        let tail = keep / 3;
        let head = keep - tail;
        characters[..head].iter().chain(&['…']).chain(&characters[characters.len() - tail..]).collect()
    };
    let fits = |keep: usize| width(&cut(keep), size, weight) <= most;
    let (mut low, mut high) = (0, characters.len());
    while low + 1 < high {
        let middle = usize::midpoint(low, high);
        if fits(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    cut(low)
}

/// The text in lines no wider than `most`, broken at spaces.
pub(super) fn wrap(text: &str, most: f64, size: f64, weight: Weight) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word = fit(word, most, size, weight);
        match lines.last_mut() {
            Some(line) if width(line, size, weight) + width(" ", size, weight) + width(&word, size, weight) <= most => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_fonts_have_the_letters_that_plots_write() {
        for weight in [Weight::Regular, Weight::Bold] {
            for character in "AZaz09 äßéŁřσЖ$€%·–—…×≥≤≈−µ→".chars() {
                assert_ne!(font(weight).glyph_id(character).0, 0, "{character}");
            }
        }
    }

    #[test]
    fn a_long_text_is_cut_in_its_middle() {
        let name = "ValidateTheOrderAndReserveStockInTheNearestWarehouse-2";
        let cut = fit(name, 120.0, 12.0, Weight::Regular);
        assert!(width(&cut, 12.0, Weight::Regular) <= 120.0);
        assert!(cut.starts_with("Validate") && cut.ends_with("se-2") && cut.contains('…'), "{cut}");
        assert_eq!(fit("Pay", 120.0, 12.0, Weight::Regular), "Pay");
        assert_eq!(fit("Pay for it", 0.0, 12.0, Weight::Regular), "…");
    }

    #[test]
    fn a_text_is_broken_at_spaces() {
        let lines = wrap("one two three four five six", 60.0, 11.0, Weight::Regular);
        assert!(lines.len() > 1);
        assert_eq!(lines.join(" "), "one two three four five six");
    }
}
