//! Graphs as SVG: text alone, no scripts, nothing fetched, readable on any ground since it brings its own.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::layout::{LOOP, Way};
use super::lettering::{FAMILIES, Weight, width};
use super::nested::{Box, LABEL, NAME, NAME_LINE, NOTE, NOTE_LINE, Places, itself, places};
use super::{Graph, Legend, Line, Node, Shape, color};

const MARGIN: f64 = 24.0;
const TITLE: f64 = 17.0;
const SUBTITLE: f64 = 12.0;
/// Between one graph and the next.
const APART: f64 = 40.0;
const ARROW: f64 = 7.0;

/// Several graphs fill rows of this width.
const ROW: f64 = 1_500.0;

/// Graphs in one drawing, side by side as far as there is room.
pub fn svg(graphs: &[Graph]) -> String {
    let mut body = String::new();
    let (mut x, mut y, mut tallest, mut total_width) = (0.0f64, 0.0f64, 0.0f64, 320.0f64);
    for graph in graphs {
        let places = places(graph);
        let width = wide(graph, &places);
        if x > 0.0 && x + width > ROW {
            (x, y, tallest) = (0.0, y + tallest + APART, 0.0);
        }
        tallest = tallest.max(one(graph, &places, (x, y, width), &mut body));
        x += width;
        total_width = total_width.max(x);
    }
    y += tallest;
    let mut out = String::new();
    let (w, h) = (total_width.ceil(), y.ceil());
    let title = graphs.iter().map(|graph| graph.title.as_str()).collect::<Vec<_>>().join(", ");
    let about = graphs.iter().map(about).collect::<Vec<_>>().join(" ");
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" role=\"img\" \
         aria-labelledby=\"title about\" font-family=\"{FAMILIES}\">"
    );
    let _ = writeln!(out, "<title id=\"title\">{}</title>\n<desc id=\"about\">{}</desc>", text(&title), text(&about));
    let _ = writeln!(out, "<rect width=\"{w}\" height=\"{h}\" fill=\"{}\"/>", color::GROUND);
    out.push_str(&body);
    out.push_str("</svg>\n");
    out
}

fn about(graph: &Graph) -> String {
    let states = graph.nodes.iter().filter(|node| node.shape != Shape::Terminal).count();
    format!("{}: {} A graph of {states} states and {} transitions, from top to bottom.", graph.title, graph.subtitle, graph.edges.len())
}

fn wide(graph: &Graph, places: &Places) -> f64 {
    let title = width(&graph.title, TITLE, Weight::Bold);
    let subtitle = width(&graph.subtitle, SUBTITLE, Weight::Regular);
    places.width.max(title).max(subtitle).max(legend_width(graph)) + 2.0 * MARGIN
}

/// Writes one graph with this corner and width; how high it is.
fn one(graph: &Graph, places: &Places, (left, top, wide): (f64, f64, f64), out: &mut String) -> f64 {
    let mut y = top + MARGIN + TITLE;
    label(out, (left + MARGIN, y), TITLE, "start", color::TEXT, true, &graph.title);
    if !graph.subtitle.is_empty() {
        y += SUBTITLE + 8.0;
        label(out, (left + MARGIN, y), SUBTITLE, "start", color::MUTED, false, &graph.subtitle);
    }
    y += 14.0;
    if let Some(legend) = &graph.legend {
        y += write_legend(graph, legend, (left + MARGIN, y), out);
    }
    y += 10.0;
    let x = left + (wide - places.width) / 2.0;
    let _ = writeln!(out, "<g transform=\"translate({} {})\">", number(x), number(y));
    for (node, place) in graph.nodes.iter().zip(&places.boxes) {
        if place.is_holder {
            write_node(graph, node, place, out);
        }
    }
    // Grey lines lie below the others; where edges run together, the one that is taken most is drawn.
    let mut order: Vec<usize> = (0..graph.edges.len()).collect();
    order.sort_by(|one, other| {
        let key = |edge: usize| (graph.edges[edge].line != Line::Never, -graph.edges[edge].weight);
        let (one, other) = (key(*one), key(*other));
        one.0.cmp(&other.0).then(one.1.total_cmp(&other.1))
    });
    let mut drawn = HashSet::new();
    for edge in order {
        let edge_of = &graph.edges[edge];
        write_edge(edge_of, &places.ways[edge], &places.boxes[edge_of.from], &mut drawn, out);
    }
    for (edge, way) in graph.edges.iter().zip(&places.ways) {
        write_label(edge, way, &places.boxes[edge.from], out);
    }
    for (node, place) in graph.nodes.iter().zip(&places.boxes) {
        if !place.is_holder {
            write_node(graph, node, place, out);
        }
    }
    out.push_str("</g>\n");
    y + places.height + MARGIN - top
}

fn write_node(graph: &Graph, node: &Node, place: &Box, out: &mut String) {
    let scale = graph.legend.as_ref().map_or(super::Scale::Failures, |legend| legend.scale);
    let (ground, border, ink) = color::node(node.fill, scale);
    let dashes = if node.fill == super::Fill::Never { " stroke-dasharray=\"4 3\"" } else { "" };
    let Box { x, y, width, height, .. } = *place;
    let _ = writeln!(out, "<g><title>{}</title>", text(&node.hover));
    if place.is_holder {
        // The colour is that of a strip on top, so that what the box holds keeps its own.
        let strip = place.text + 8.0;
        let _ = writeln!(
            out,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"8\" fill=\"#fafbfc\" stroke=\"{border}\"{dashes}/>\
             <path d=\"M{} {}v{}a8 8 0 0 1 8 -8h{}a8 8 0 0 1 8 8v{}z\" fill=\"{ground}\" stroke=\"{border}\"{dashes}/>",
            number(x),
            number(y),
            number(width),
            number(height),
            number(x),
            number(y + strip),
            number(8.0 - strip),
            number(width - 16.0),
            number(strip - 8.0),
        );
        write_lines(node, place, y + 4.0, ink, out);
        out.push_str("</g>\n");
        return;
    }
    let shape = match node.shape {
        Shape::Choice => {
            let cut = 14.0f64.min(width / 4.0);
            format!(
                "<path d=\"M{} {}h{}l{cut} {}l-{cut} {}h-{}l-{cut} -{}z\"",
                number(x + cut),
                number(y),
                number(width - 2.0 * cut),
                number(height / 2.0),
                number(height / 2.0),
                number(width - 2.0 * cut),
                number(height / 2.0)
            )
        }
        shape => {
            let round = match shape {
                Shape::State => 6.0,
                _ => 14.0f64.min(height / 2.0),
            };
            let (x, y, width, height, round) = (number(x), number(y), number(width), number(height), number(round));
            format!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{round}\"")
        }
    };
    let (ground, border, ink) = match node.shape {
        Shape::Terminal => ("#3c4a58".to_owned(), "#3c4a58", "#ffffff"),
        _ => (ground, border, ink),
    };
    let _ = writeln!(out, "{shape} fill=\"{ground}\" stroke=\"{border}\"{dashes}/>");
    write_lines(node, place, y + (height - place.text) / 2.0, ink, out);
    out.push_str("</g>\n");
}

fn write_lines(node: &Node, place: &Box, top: f64, ink: &str, out: &mut String) {
    let middle = place.x + place.width / 2.0;
    let mut y = top;
    for line in &place.lines {
        label(out, (middle, y + NAME_LINE * 0.76), NAME, "middle", ink, true, line);
        y += NAME_LINE;
    }
    for note in &node.notes {
        label(out, (middle, y + NOTE_LINE * 0.74), NOTE, "middle", ink, false, note);
        y += NOTE_LINE;
    }
}

/// Parts of ways that were drawn: both ends in tenths of pixels, and what they look like.
type Drawn = HashSet<([i64; 4], Line)>;

fn write_edge(edge: &super::Edge, way: &Way, from: &Box, drawn: &mut Drawn, out: &mut String) {
    let (ink, dashed) = color::edge(edge.line);
    let (path, head) = if edge.from == edge.to {
        let (x, top, bottom, out_by) = itself(from);
        let path = format!("M{} {}c{out_by} -8 {out_by} {} 0 {}", number(x), number(top), number(bottom - top + 8.0), number(bottom - top));
        (path, Some(format!("M{} {}l6 -4.5l1.5 8z", number(x), number(bottom))))
    } else {
        let (path, is_whole) = path(way, edge.line, drawn);
        let tip = way.stops.last().filter(|_| is_whole);
        let toward = if way.back { ARROW } else { -ARROW };
        (path, tip.map(|tip| format!("M{} {}l-4.5 {toward}h9z", number(tip.x), number(tip.to))))
    };
    let thick = number(1.2 + 2.3 * edge.weight.clamp(0.0, 1.0).sqrt());
    let dashes = if dashed { " stroke-dasharray=\"5 4\"" } else { "" };
    let _ = write!(out, "<g><title>{}</title>", text(&edge.hover));
    let _ = write!(out, "<path d=\"{path}\" fill=\"none\" stroke=\"{ink}\" stroke-width=\"{thick}\"{dashes}/>");
    if let Some(head) = head {
        let _ = write!(out, "<path d=\"{head}\" fill=\"{ink}\"/>");
    }
    out.push_str("</g>\n");
}

/// Straight within stops, curved between them, as far as it was not drawn before; and whether that is all of it.
fn path(way: &Way, line: Line, drawn: &mut Drawn) -> (String, bool) {
    let (Some(first), Some(last)) = (way.stops.first(), way.stops.last()) else { return (String::new(), false) };
    let mut path = format!("M{} {}", number(first.x), number(first.from));
    for pair in way.stops.windows(2) {
        let (one, other) = (pair[0], pair[1]);
        #[allow(clippy::cast_possible_truncation, reason = "a drawing has fewer tenths of pixels")]
        let ends = [one.x, one.to, other.x, other.from].map(|value| (value * 10.0).round() as i64);
        if !drawn.insert((ends, line)) {
            return (path, false);
        }
        if (one.to - one.from).abs() > 0.05 {
            let _ = write!(path, "V{}", number(one.to));
        }
        let to = other.from;
        if (one.x - other.x).abs() < 0.05 {
            let _ = write!(path, "V{}", number(to));
        } else {
            let middle = number(f64::midpoint(one.to, to));
            let _ = write!(path, "C{} {middle} {} {middle} {} {}", number(one.x), number(other.x), number(other.x), number(to));
        }
    }
    // The line ends within the head of the arrow.
    let _ = write!(path, "V{}", number(if way.back { last.to + ARROW } else { last.to - ARROW }));
    (path, true)
}

fn write_label(edge: &super::Edge, way: &Way, from: &Box, out: &mut String) {
    if edge.label.is_empty() {
        return;
    }
    let (ink, _) = color::edge(edge.line);
    let wide = width(&edge.label, LABEL, Weight::Regular) + 6.0;
    let (x, y) = match way.label {
        Some(place) => place,
        None if edge.from == edge.to => (from.x + from.width + LOOP - 4.0 + wide / 2.0, from.y + from.height / 2.0),
        None => return,
    };
    let _ = write!(
        out,
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"15\" rx=\"3\" fill=\"{}\" fill-opacity=\"0.92\"/>",
        number(x - wide / 2.0),
        number(y - 7.5),
        number(wide),
        color::GROUND
    );
    label(out, (x, y + LABEL * 0.36), LABEL, "middle", ink, false, &edge.label);
}

const SWATCH: f64 = 200.0;

fn legend_width(graph: &Graph) -> f64 {
    let scale = graph.legend.as_ref().map_or(0.0, |legend| width(&legend.title, NOTE, Weight::Regular) + 12.0 + SWATCH + 40.0);
    let keys: f64 = keys(graph).map(|(_, words)| 52.0 + width(words, NOTE, Weight::Regular)).sum();
    scale.max(keys)
}

/// The kinds of lines that need to be explained.
fn keys(graph: &Graph) -> impl Iterator<Item = (Line, &'static str)> {
    let has = |wanted: &[Line]| graph.edges.iter().any(|edge| wanted.contains(&edge.line));
    let keys = [
        (Line::Catch, "after a failure that was caught", has(&[Line::Catch, Line::CatchFailures])),
        (Line::Failures, "only by executions that failed", has(&[Line::Failures, Line::CatchFailures])),
        (Line::Never, "never taken", has(&[Line::Never])),
    ];
    keys.into_iter().filter(|(.., is_there)| *is_there).map(|(line, words, _)| (line, words))
}

/// The scale with its marks; how high it is.
fn write_legend(graph: &Graph, legend: &Legend, (left, top): (f64, f64), out: &mut String) -> f64 {
    const STEPS: u8 = 20;
    let begin = left + width(&legend.title, NOTE, Weight::Regular) + 12.0;
    label(out, (left, top + 10.0), NOTE, "start", color::MUTED, false, &legend.title);
    for step in 0..STEPS {
        let place = f64::from(step) / f64::from(STEPS);
        let _ = writeln!(
            out,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"10\" fill=\"{}\"/>",
            number(begin + place * SWATCH),
            number(top),
            number(SWATCH / f64::from(STEPS) + 0.5),
            color::at(legend.scale, (f64::from(step) + 0.5) / f64::from(STEPS))
        );
    }
    for (place, mark) in &legend.marks {
        label(out, (begin + place * SWATCH, top + 23.0), NOTE, "middle", color::MUTED, false, mark);
    }
    let mut x = left;
    let y = top + 40.0;
    for (line, words) in keys(graph) {
        let (ink, dashed) = color::edge(line);
        let dashes = if dashed { " stroke-dasharray=\"5 4\"" } else { "" };
        let _ = writeln!(out, "<path d=\"M{} {}h26\" stroke=\"{ink}\" stroke-width=\"2\"{dashes}/>", number(x), number(y - 4.0));
        label(out, (x + 32.0, y), NOTE, "start", color::MUTED, false, words);
        x += 32.0 + width(words, NOTE, Weight::Regular) + 20.0;
    }
    if x > left { 48.0 } else { 28.0 }
}

fn label(out: &mut String, (x, y): (f64, f64), size: f64, anchor: &str, ink: &str, bold: bool, words: &str) {
    let weight = if bold { " font-weight=\"600\"" } else { "" };
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"{ink}\"{weight}>{}</text>",
        number(x),
        number(y),
        text(words)
    );
}

/// One digit after the point is a tenth of a pixel.
fn number(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    // No `-0`.
    format!("{}", rounded + 0.0)
}

/// Text as it may stand in XML.
fn text(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
