//! A sheet to SVG text or PNG bytes, through the backends of `plotters`.
//!
//! The backends take whole numbers, so both get four units for a pixel: SVG is given that as its view box, the bitmap is drawn
//! at four times the size and averaged to twice the size, which smooths every edge alike.

use ab_glyph::{Font, ScaleFont};
use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters_backend::text_anchor::{HPos, Pos, VPos};
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingErrorKind, FontFamily, FontStyle};

use super::PlotError;
use super::lettering::{self, Weight};
use super::sheet::{Align, Color, Letters, Shape, Sheet};

/// Units of the backends for a pixel of the sheet.
const UNITS: u32 = 4;
/// Pixels of a PNG for a pixel of the sheet.
const DENSITY: u32 = 2;

/// SVG text.
pub(super) fn svg(sheet: &Sheet) -> Result<String, PlotError> {
    let size = (units(sheet.width), units(sheet.height));
    let mut text = String::new();
    {
        let mut backend = SVGBackend::with_string(&mut text, size);
        paint(sheet, &mut backend, false)?;
        backend.present().map_err(failed)?;
    }
    // The backend writes one unit as one pixel.
    let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
    let title = escaped(&sheet.title);
    let (width, height) = (size.0 / UNITS, size.1 / UNITS);
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\" role=\"img\">\n\
         <title>{title}</title>\n{rest}",
        size.0, size.1
    ))
}

/// The bytes of a PNG.
pub(super) fn png(sheet: &Sheet) -> Result<Vec<u8>, PlotError> {
    let size = (units(sheet.width), units(sheet.height));
    let mut pixels = vec![0; size.0 as usize * size.1 as usize * 3];
    {
        let mut backend = BitMapBackend::with_buffer(&mut pixels, size);
        paint(sheet, &mut backend, true)?;
        backend.present().map_err(failed)?;
    }
    let small = averaged(&pixels, size);
    encoded(&small, (size.0 / (UNITS / DENSITY), size.1 / (UNITS / DENSITY)))
}

fn failed(error: impl std::fmt::Display) -> PlotError {
    PlotError::Drawing(error.to_string())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A length of the sheet, a multiple of a pixel.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a figure is some thousand pixels at most")]
fn units(pixels: f64) -> u32 {
    pixels.clamp(1.0, 20_000.0).ceil() as u32 * UNITS
}

#[allow(clippy::cast_possible_truncation, reason = "clamped; far outside of any sheet")]
fn unit(pixels: f64) -> i32 {
    (pixels * f64::from(UNITS)).round().clamp(-200_000.0, 200_000.0) as i32
}

fn point((x, y): (f64, f64)) -> BackendCoord {
    (unit(x), unit(y))
}

/// `joints`: whether lines are drawn piece by piece, with a dot where they meet, because the backend cannot join them.
fn paint<B: DrawingBackend>(sheet: &Sheet, backend: &mut B, joints: bool) -> Result<(), PlotError> {
    let stroke = |color: Color, width: f64| Stroke { color: backend_color(color), width: unit(width).unsigned_abs().max(1) };
    let whole = (unit(sheet.width), unit(sheet.height));
    backend.draw_rect((0, 0), whole, &stroke(super::sheet::WHITE, 1.0), true).map_err(failed)?;
    for shape in &sheet.shapes {
        match shape {
            Shape::Bar { left, top, right, bottom, color } => {
                let (from, to) = (point((*left, *top)), point((*right, *bottom)));
                // The bitmap's corner is inside, that of SVG outside.
                let to = if joints { (to.0 - 1, to.1 - 1) } else { to };
                if to.0 >= from.0 && to.1 >= from.1 {
                    backend.draw_rect(from, to, &stroke(*color, 1.0), true).map_err(failed)?;
                }
            }
            Shape::Line { points, width, color } => {
                line(backend, points, &stroke(*color, *width), joints).map_err(failed)?;
            }
            Shape::Dot { center, radius, color } => {
                backend.draw_circle(point(*center), unit(*radius).unsigned_abs(), &stroke(*color, 1.0), true).map_err(failed)?;
            }
            Shape::Text { at, text, size, weight, align, color } => {
                let letters = Letters { size: size * f64::from(UNITS), weight: *weight, align: *align, color: *color };
                backend.draw_text(text, &letters, point(*at)).map_err(failed)?;
            }
        }
    }
    Ok(())
}

fn line<B: DrawingBackend>(
    backend: &mut B,
    points: &[(f64, f64)],
    stroke: &Stroke,
    joints: bool,
) -> Result<(), DrawingErrorKind<B::ErrorType>> {
    let places: Vec<BackendCoord> = points.iter().copied().map(point).collect();
    if !joints {
        return backend.draw_path(places, stroke);
    }
    for pair in places.windows(2) {
        straight(backend, pair[0], pair[1], stroke)?;
    }
    let inner = places.len().saturating_sub(1);
    for place in places.iter().take(inner).skip(1).filter(|_| stroke.width > 4) {
        backend.draw_circle(*place, stroke.width / 2, &stroke.color, true)?;
    }
    Ok(())
}

/// Upright and level lines are rectangles: sharp, and exactly as wide as asked.
fn straight<B: DrawingBackend>(
    backend: &mut B,
    from: BackendCoord,
    to: BackendCoord,
    stroke: &Stroke,
) -> Result<(), DrawingErrorKind<B::ErrorType>> {
    #[allow(clippy::cast_possible_wrap, reason = "the width of a line")]
    let width = stroke.width as i32;
    let before = width / 2;
    let after = width - before - 1;
    if from.0 == to.0 {
        let corners = ((from.0 - before, from.1.min(to.1)), (from.0 + after, from.1.max(to.1)));
        return backend.draw_rect(corners.0, corners.1, stroke, true);
    }
    if from.1 == to.1 {
        let corners = ((from.0.min(to.0), from.1 - before), (from.0.max(to.0), from.1 + after));
        return backend.draw_rect(corners.0, corners.1, stroke, true);
    }
    backend.draw_line(from, to, stroke)
}

struct Stroke {
    color: BackendColor,
    width: u32,
}

impl BackendStyle for Stroke {
    fn color(&self) -> BackendColor {
        self.color
    }

    fn stroke_width(&self) -> u32 {
        self.width
    }
}

fn backend_color(Color(red, green, blue): Color) -> BackendColor {
    BackendColor { alpha: 1.0, rgb: (red, green, blue) }
}

/// The backends of `plotters` ask a style to draw its own letters, or name its font.
impl BackendTextStyle for Letters {
    type FontError = std::convert::Infallible;

    fn color(&self) -> BackendColor {
        backend_color(self.color)
    }

    /// The SVG backend divides by this factor.
    fn size(&self) -> f64 {
        self.size * 1.24
    }

    fn style(&self) -> FontStyle {
        match self.weight {
            Weight::Regular => FontStyle::Normal,
            Weight::Bold => FontStyle::Bold,
        }
    }

    fn anchor(&self) -> Pos {
        let horizontal = match self.align {
            Align::Left => HPos::Left,
            Align::Middle => HPos::Center,
            Align::Right => HPos::Right,
        };
        Pos::new(horizontal, VPos::Center)
    }

    fn family(&self) -> FontFamily<'_> {
        FontFamily::Name(lettering::FAMILIES)
    }

    #[allow(clippy::cast_possible_truncation, reason = "lengths on a sheet")]
    fn layout_box(&self, text: &str) -> Result<((i32, i32), (i32, i32)), Self::FontError> {
        let width = lettering::width(text, self.size, self.weight);
        Ok(((0, 0), (width.round() as i32, self.size.round() as i32)))
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "lengths on a sheet")]
    fn draw<E, DrawFunc: FnMut(i32, i32, BackendColor) -> Result<(), E>>(
        &self,
        text: &str,
        (left, top): BackendCoord,
        mut draw: DrawFunc,
    ) -> Result<Result<(), E>, Self::FontError> {
        let font = lettering::font(self.weight);
        let scaled = font.as_scaled(lettering::scale(font, self.size));
        let baseline = (self.size * (0.5 + lettering::BASELINE)) as f32;
        let mut across = 0.0;
        for character in text.chars() {
            let mut glyph = scaled.scaled_glyph(character);
            glyph.position = ab_glyph::point(across, baseline);
            across += scaled.h_advance(glyph.id);
            let Some(outline) = font.outline_glyph(glyph) else { continue };
            let corner = outline.px_bounds().min;
            let mut drawn = Ok(());
            outline.draw(|x, y, coverage| {
                if drawn.is_ok() && coverage > 0.0 {
                    let place = (left + corner.x as i32 + x as i32, top + corner.y as i32 + y as i32);
                    drawn = draw(place.0, place.1, self.color().mix(f64::from(coverage.min(1.0))));
                }
            });
            if drawn.is_err() {
                return Ok(drawn);
            }
        }
        Ok(Ok(()))
    }
}

/// Each square of pixels to one, the mean of them.
fn averaged(pixels: &[u8], (width, height): (u32, u32)) -> Vec<u8> {
    let side = (UNITS / DENSITY) as usize;
    let (width, height) = (width as usize, height as usize);
    let count = side * side;
    let mut small = Vec::with_capacity(pixels.len() / count);
    for row in 0..height / side {
        for column in 0..width / side {
            for channel in 0..3 {
                let mut sum = 0;
                for y in 0..side {
                    for x in 0..side {
                        sum += usize::from(pixels[((row * side + y) * width + column * side + x) * 3 + channel]);
                    }
                }
                small.push(u8::try_from((sum + count / 2) / count).unwrap_or(u8::MAX));
            }
        }
    }
    small
}

fn encoded(pixels: &[u8], (width, height): (u32, u32)) -> Result<Vec<u8>, PlotError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    // Flat areas: rows compress better as they are than as differences.
    encoder.set_compression(png::Compression::Default);
    encoder.set_filter(png::FilterType::NoFilter);
    let density = Some(png::PixelDimensions { xppu: 5669, yppu: 5669, unit: png::Unit::Meter });
    encoder.set_pixel_dims(density);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(pixels).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(bytes)
}
