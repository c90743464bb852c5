//! A drawing as shapes in pixels, before it is SVG or PNG; both are painted from the same shapes.

use super::figure::Hue;
use super::lettering::Weight;

/// A colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Color(pub(super) u8, pub(super) u8, pub(super) u8);

pub(super) const WHITE: Color = Color(255, 255, 255);
/// Titles and names.
pub(super) const INK: Color = Color(33, 37, 41);
/// Numbers, notes.
pub(super) const QUIET: Color = Color(95, 102, 110);
/// The line on which bars stand.
pub(super) const RULE: Color = Color(160, 166, 173);
/// Lines behind data.
pub(super) const GRID: Color = Color(229, 232, 236);

/// A stretch that something is said of.
pub(super) const SHADE: Color = Color(252, 231, 216);

/// The order in which series without a colour of their own get one.
pub(super) const PALETTE: [Hue; 6] = [Hue::Blue, Hue::Orange, Hue::Green, Hue::Purple, Hue::Vermilion, Hue::Sky];

impl From<Hue> for Color {
    fn from(hue: Hue) -> Self {
        match hue {
            Hue::Blue => Self(0, 114, 178),
            Hue::Orange => Self(230, 159, 0),
            Hue::Green => Self(0, 158, 115),
            Hue::Vermilion => Self(213, 94, 0),
            Hue::Purple => Self(172, 92, 140),
            Hue::Sky => Self(86, 180, 233),
            Hue::Grey => Self(173, 181, 189),
        }
    }
}

impl Color {
    /// Between this (0) and `other` (1).
    pub(super) fn towards(self, other: Self, share: f64) -> Self {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between two values from 0 to 255")]
        let mix = |one: u8, two: u8| (f64::from(one) + (f64::from(two) - f64::from(one)) * share.clamp(0.0, 1.0)).round() as u8;
        Self(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }

    /// Dark enough for letters on white, still the same hue.
    pub(super) fn for_letters(self) -> Self {
        self.towards(INK, 0.3)
    }
}

/// Which end of a text stands at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Middle,
    Right,
}

/// Something to paint; pixels from the upper left corner.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Bar {
        left: f64,
        top: f64,
        right: f64,
        bottom: f64,
        color: Color,
    },
    Line {
        points: Vec<(f64, f64)>,
        width: f64,
        color: Color,
    },
    Dot {
        center: (f64, f64),
        radius: f64,
        color: Color,
    },
    /// `at` is in the middle of the line of text.
    Text {
        at: (f64, f64),
        text: String,
        size: f64,
        weight: Weight,
        align: Align,
        color: Color,
    },
}

/// A sheet of paper.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sheet {
    pub(super) title: String,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) shapes: Vec<Shape>,
}

impl Sheet {
    pub(super) fn bar(&mut self, left: f64, top: f64, right: f64, bottom: f64, color: Color) {
        self.shapes.push(Shape::Bar { left, top, right, bottom, color });
    }

    pub(super) fn line(&mut self, points: Vec<(f64, f64)>, width: f64, color: Color) {
        self.shapes.push(Shape::Line { points, width, color });
    }

    pub(super) fn dot(&mut self, center: (f64, f64), radius: f64, color: Color) {
        self.shapes.push(Shape::Dot { center, radius, color });
    }

    pub(super) fn text(&mut self, at: (f64, f64), text: &str, letters: Letters) {
        if !text.is_empty() {
            let Letters { size, weight, align, color } = letters;
            self.shapes.push(Shape::Text { at, text: text.to_owned(), size, weight, align, color });
        }
    }
}

/// How a text is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Letters {
    pub(super) size: f64,
    pub(super) weight: Weight,
    pub(super) align: Align,
    pub(super) color: Color,
}

impl Letters {
    /// The usual: small, quiet, from the left.
    pub(super) const SMALL: Self = Self { size: 11.5, weight: Weight::Regular, align: Align::Left, color: QUIET };
    /// Names.
    pub(super) const NAME: Self = Self { size: 12.5, color: INK, ..Self::SMALL };

    pub(super) fn align(self, align: Align) -> Self {
        Self { align, ..self }
    }

    pub(super) fn color(self, color: Color) -> Self {
        Self { color, ..self }
    }

    pub(super) fn bold(self) -> Self {
        Self { weight: Weight::Bold, ..self }
    }
}
