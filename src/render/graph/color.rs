//! Colours on a light ground: two scales that grow darker, so that who sees no colours reads them too (after ColorBrewer's OrRd and
//! PuBu).

use super::{Fill, Line, Scale};

pub(super) const GROUND: &str = "#ffffff";
pub(super) const TEXT: &str = "#1b2733";
pub(super) const MUTED: &str = "#5c6b7a";
pub(super) const BORDER: &str = "#4a5a6a";
const NEVER: &str = "#a3adb8";
const FAILURE: &str = "#b3261e";

const REDS: [(u8, u8, u8); 6] = [(254, 240, 217), (253, 212, 158), (253, 187, 132), (252, 141, 89), (227, 74, 51), (165, 0, 0)];
const BLUES: [(u8, u8, u8); 6] = [(236, 242, 250), (208, 219, 236), (166, 189, 219), (103, 154, 201), (43, 120, 176), (4, 70, 120)];

/// The colour at a place from 0 to 1, as `#rrggbb`.
pub(super) fn at(scale: Scale, place: f64) -> String {
    let (red, green, blue) = mixed(scale, place);
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn mixed(scale: Scale, place: f64) -> (u8, u8, u8) {
    let colors = match scale {
        Scale::Failures => REDS,
        Scale::Time => BLUES,
    };
    let place = place.clamp(0.0, 1.0) * 5.0;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 4")]
    let below = (place.floor() as usize).min(4);
    #[allow(clippy::cast_precision_loss, reason = "from 0 to 4")]
    let part = place - below as f64;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between two bytes")]
    let mix = |one: u8, other: u8| (f64::from(one) + (f64::from(other) - f64::from(one)) * part).round() as u8;
    let (one, other) = (colors[below], colors[below + 1]);
    (mix(one.0, other.0), mix(one.1, other.1), mix(one.2, other.2))
}

/// Ground, border and text of a node.
pub(super) fn node(fill: Fill, scale: Scale) -> (String, &'static str, &'static str) {
    match fill {
        Fill::Never => ("#fbfbfc".to_owned(), NEVER, "#76828f"),
        Fill::Plain => ("#f3f6f9".to_owned(), BORDER, TEXT),
        Fill::Scale(place) => {
            let (red, green, blue) = mixed(scale, place);
            // Where white letters have more contrast than dark ones, by the relative luminance of WCAG.
            let linear = |part: u8| (f64::from(part) / 255.0).powf(2.2);
            let luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
            (at(scale, place), BORDER, if luminance < 0.19 { "#ffffff" } else { TEXT })
        }
    }
}

/// The colour of an edge, and whether it is dashed.
pub(super) fn edge(line: Line) -> (&'static str, bool) {
    match line {
        Line::Normal => ("#56677a", false),
        Line::Catch => ("#9a6a1c", true),
        Line::Failures => (FAILURE, false),
        Line::CatchFailures => (FAILURE, true),
        Line::Never => (NEVER, true),
    }
}
