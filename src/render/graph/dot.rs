//! Graphs in the language of Graphviz, for other programs and for diffs: one `digraph` for each.

use std::fmt::Write as _;

use super::{Graph, Line, Node, Shape, color};

/// What is still to be written of what holds others, last first.
enum Work {
    Node(usize),
    Close,
}

/// Graphs as DOT, one after the other.
pub fn dot(graphs: &[Graph]) -> String {
    graphs.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn one(graph: &Graph) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "digraph {} {{", quoted(&graph.title));
    let _ = writeln!(
        out,
        "  graph [compound=true, rankdir=TB, labelloc=t, fontname=\"Helvetica\", label={}];",
        quoted(&format!("{}\n{}", graph.title, graph.subtitle))
    );
    out.push_str("  node [fontname=\"Helvetica\", fontsize=12, style=filled];\n  edge [fontname=\"Helvetica\", fontsize=10];\n");
    let mut inside: Vec<Vec<usize>> = vec![Vec::new(); graph.nodes.len()];
    let mut top = Vec::new();
    for (number, node) in graph.nodes.iter().enumerate() {
        match node.within.filter(|holder| *holder < number) {
            Some(holder) => inside[holder].push(number),
            None => top.push(number),
        }
    }
    let mut depth = 1;
    let mut waiting: Vec<Work> = top.into_iter().rev().map(Work::Node).collect();
    while let Some(work) = waiting.pop() {
        let Work::Node(number) = work else {
            depth -= 1;
            let _ = writeln!(out, "{:1$}}}", "", depth * 2);
            continue;
        };
        let node = &graph.nodes[number];
        if inside[number].is_empty() {
            write_node(graph, node, number, depth, &mut out);
            continue;
        }
        let (ground, border, ink) = colors(graph, node);
        let _ = writeln!(out, "{:1$}subgraph cluster_{number} {{", "", depth * 2);
        depth += 1;
        let _ = writeln!(
            out,
            "{:1$}graph [label={2}, tooltip={3}, style=\"rounded,filled\", fillcolor={4}, color={5}, fontcolor={6}];",
            "",
            depth * 2,
            quoted(&words(node)),
            quoted(&node.hover),
            quoted(&ground),
            quoted(border),
            quoted(ink)
        );
        waiting.push(Work::Close);
        waiting.extend(inside[number].iter().rev().map(|held| Work::Node(*held)));
    }
    for edge in &graph.edges {
        write_edge(edge, &inside, &mut out);
    }
    out.push_str("}\n");
    out
}

fn write_node(graph: &Graph, node: &Node, number: usize, depth: usize, out: &mut String) {
    let (ground, border, ink) = colors(graph, node);
    let (shape, style) = match node.shape {
        Shape::State => ("box", "rounded,filled"),
        Shape::Choice => ("hexagon", "filled"),
        Shape::Last => ("ellipse", "filled"),
        Shape::Terminal => ("oval", "filled"),
    };
    let style = if node.fill == super::Fill::Never { format!("{style},dashed") } else { style.to_owned() };
    let (ground, border, ink) = match node.shape {
        Shape::Terminal => ("#3c4a58".to_owned(), "#3c4a58", "#ffffff"),
        _ => (ground, border, ink),
    };
    let _ = writeln!(
        out,
        "{:1$}n{number} [label={2}, tooltip={3}, shape={shape}, style={4}, fillcolor={5}, color={6}, fontcolor={7}];",
        "",
        depth * 2,
        quoted(&words(node)),
        quoted(&node.hover),
        quoted(&style),
        quoted(&ground),
        quoted(border),
        quoted(ink)
    );
}

/// A box is no node in DOT: its edges touch something inside, and are cut at its border.
fn write_edge(edge: &super::Edge, inside: &[Vec<usize>], out: &mut String) {
    let innermost = |mut node: usize, first: bool| {
        while let Some(held) = if first { inside[node].first() } else { inside[node].last() } {
            node = *held;
        }
        node
    };
    let (ink, _) = color::edge(edge.line);
    let style = if edge.line == Line::Never || matches!(edge.line, Line::Catch | Line::CatchFailures) { "dashed" } else { "solid" };
    let mut attributes = format!(
        "label={}, tooltip={}, color={}, fontcolor={}, style={style}, penwidth={:.1}",
        quoted(&edge.label),
        quoted(&edge.hover),
        quoted(ink),
        quoted(ink),
        1.0 + 2.5 * edge.weight.sqrt()
    );
    for (node, attribute) in [(edge.from, "ltail"), (edge.to, "lhead")] {
        if !inside[node].is_empty() {
            let _ = write!(attributes, ", {attribute}=cluster_{node}");
        }
    }
    let _ = writeln!(out, "  n{} -> n{} [{attributes}];", innermost(edge.from, false), innermost(edge.to, true));
}

fn colors(graph: &Graph, node: &Node) -> (String, &'static str, &'static str) {
    color::node(node.fill, graph.legend.as_ref().map_or(super::Scale::Failures, |legend| legend.scale))
}

fn words(node: &Node) -> String {
    [&node.name].into_iter().chain(&node.notes).map(String::as_str).collect::<Vec<_>>().join("\n")
}

/// A string of DOT, whose backslashes mean themselves.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
