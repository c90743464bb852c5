//! What is drawn of a state machine: the states and steps of its definition with what was seen laid over, or what was seen alone.

use std::collections::HashMap;

use super::lettering::safe;
use super::{Edge, Fill, Graph, Legend, Line, Node, Scale, Shape};
use crate::analysis::variants::{self, EdgeKind, MachineVariants, StateCount};
use crate::model::{StateType, thousands};
use crate::render::columns::{counted, duration};
use crate::render::redact::Redactor;

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphOf {
    /// The definition, with counts.
    Definition,
    /// What executions did.
    Observed,
}

/// What colours of states mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorBy {
    /// How many of their visits failed.
    Failures,
    /// How long they took on average.
    Time,
}

/// The graph of one state machine.
pub fn picture(machine: &MachineVariants, of: GraphOf, by: ColorBy, redactor: &Redactor) -> Graph {
    let clean = |text: &str| safe(&redactor.apply(text));
    let title = machine.name.as_deref().or(machine.state_machine.as_deref()).map_or_else(|| "State machine".to_owned(), clean);
    let mut picture = Picture { machine, of, by, nodes: Vec::new(), at: HashMap::new(), slowest: (f64::INFINITY, 0.0) };
    let is_shown = |state: &&StateCount| match of {
        GraphOf::Definition => state.defined == Some(true),
        GraphOf::Observed => state.visits > 0,
    };
    let states: Vec<&StateCount> = machine.states.iter().filter(is_shown).collect();
    for mean in states.iter().filter_map(|state| state.mean_ms) {
        picture.slowest = (picture.slowest.0.min(mean.max(1.0)), picture.slowest.1.max(mean));
    }
    picture.add_states(&states, &clean);
    let edges = picture.edges(&clean);
    let failed = match machine.unsuccessful {
        0 => "none failed".to_owned(),
        failed => format!("{failed} failed ({})", percent(failed, machine.executions)),
    };
    let what = match of {
        GraphOf::Definition => "the definition, with what was seen",
        GraphOf::Observed => "what was seen",
    };
    let subtitle =
        format!("{}, {failed}, {}; {what}.", counted(machine.executions, "execution"), counted(machine.variants_total, "variant"));
    Graph { title, subtitle, legend: picture.legend(), nodes: picture.nodes, edges }
}

struct Picture<'a> {
    machine: &'a MachineVariants,
    of: GraphOf,
    by: ColorBy,
    nodes: Vec<Node>,
    /// By name; `None` is the beginning.
    at: HashMap<&'a str, usize>,
    /// The least and the greatest mean.
    slowest: (f64, f64),
}

const START: &str = "Start";
const END: &str = "End";

impl<'a> Picture<'a> {
    fn is_drawn(&self, edge: &variants::Edge) -> bool {
        let is_known = match self.of {
            GraphOf::Definition => edge.defined == Some(true),
            GraphOf::Observed => edge.count > 0,
        };
        is_known && matches!(edge.kind, EdgeKind::Start | EdgeKind::Next | EdgeKind::Catch | EdgeKind::End)
    }

    /// Beginning and end, then states level by level: each after what holds it, and in the order in which they follow one another.
    fn add_states(&mut self, states: &[&'a StateCount], clean: &impl Fn(&str) -> String) {
        let by_name: HashMap<&str, &StateCount> = states.iter().map(|state| (state.state.as_str(), *state)).collect();
        let mut leaving: HashMap<Option<&str>, Vec<&'a str>> = HashMap::new();
        let mut starts: HashMap<Option<&str>, Vec<&'a str>> = HashMap::new();
        let machine = self.machine;
        let mut edges: Vec<&variants::Edge> = machine.edges.iter().filter(|edge| self.is_drawn(edge)).collect();
        edges.sort_by_key(|edge| edge.kind);
        for edge in edges {
            let Some(to) = edge.to.as_deref() else { continue };
            match edge.kind {
                EdgeKind::Start => starts.entry(edge.within.as_deref()).or_default().push(to),
                _ => leaving.entry(edge.from.as_deref()).or_default().push(to),
            }
        }
        self.nodes.push(terminal(START));
        let mut names: Vec<&'a str> = states.iter().map(|state| state.state.as_str()).collect();
        names.sort_unstable();
        let mut inside: HashMap<Option<&str>, Vec<&'a str>> = HashMap::new();
        for name in names {
            // A state whose holder is not shown stands at the top.
            let within = by_name[name].within.as_deref().filter(|within| *within != name && by_name.contains_key(within));
            inside.entry(within).or_default().push(name);
        }
        let mut holders: Vec<Option<&'a str>> = vec![None];
        let mut next = 0;
        while next < holders.len() {
            let holder = holders[next];
            next += 1;
            let held = inside.remove(&holder).unwrap_or_default();
            let first = starts.remove(&holder).unwrap_or_default();
            let mut stack: Vec<&'a str> = held.iter().rev().chain(first.iter().rev()).copied().collect();
            while let Some(name) = stack.pop() {
                let Some(state) = by_name.get(name) else { continue };
                let is_inside = state.within.as_deref() == holder || holder.is_none();
                if self.at.contains_key(name) || !is_inside || !held.contains(&name) {
                    continue;
                }
                self.at.insert(name, self.nodes.len());
                let within = holder.and_then(|holder| self.at.get(holder).copied());
                let node = self.node(state, within, clean);
                self.nodes.push(node);
                holders.push(Some(name));
                stack.extend(leaving.get(&Some(name)).into_iter().flatten().rev());
            }
        }
        self.nodes.push(terminal(END));
    }

    fn node(&self, state: &StateCount, within: Option<usize>, clean: &impl Fn(&str) -> String) -> Node {
        let name = if state.state.is_empty() { "?".to_owned() } else { clean(&state.state) };
        let kind = state.state_type.map_or("State", StateType::name);
        let failures = state.failed + state.caught;
        let mut notes = vec![match state.visits {
            0 => format!("{kind} · never entered"),
            visits => format!("{kind} · {}×", thousands(visits)),
        }];
        let is_fail = state.state_type == Some(StateType::Fail);
        match self.by {
            ColorBy::Failures if failures > 0 && !is_fail => notes.push(failed_note(state)),
            ColorBy::Time if state.visits > 0 => {
                notes.push(state.mean_ms.map_or_else(|| "never left".to_owned(), |mean| format!("mean {}", length(mean))));
            }
            _ => {}
        }
        Node {
            hover: hover(&name, kind, state),
            name,
            notes,
            shape: match state.state_type {
                Some(StateType::Choice) => Shape::Choice,
                Some(StateType::Succeed | StateType::Fail) => Shape::Last,
                _ => Shape::State,
            },
            within,
            branch: state.branch.unwrap_or_default(),
            fill: self.fill(state),
        }
    }

    fn fill(&self, state: &StateCount) -> Fill {
        if state.visits == 0 {
            return Fill::Never;
        }
        match self.by {
            // That it fails is what a Fail state is for.
            ColorBy::Failures if state.state_type == Some(StateType::Fail) => Fill::Plain,
            ColorBy::Failures => match state.failed_share {
                Some(share) if share > 0.0 => Fill::Scale(share.sqrt()),
                _ => Fill::Plain,
            },
            ColorBy::Time => state.mean_ms.map_or(Fill::Plain, |mean| Fill::Scale(self.place(mean))),
        }
    }

    /// Of a mean on a scale of its logarithm.
    fn place(&self, mean: f64) -> f64 {
        let (least, greatest) = self.slowest;
        if greatest <= least { 0.0 } else { ((mean.max(least) / least).ln() / (greatest / least).ln()).clamp(0.0, 1.0) }
    }

    fn legend(&self) -> Option<Legend> {
        match self.by {
            ColorBy::Failures => {
                let mark = |share: f64| (share.sqrt(), format!("{}%", share * 100.0));
                let marks = [0.01, 0.1, 0.5, 1.0].map(mark).to_vec();
                Some(Legend { title: "visits that failed".to_owned(), scale: Scale::Failures, marks })
            }
            ColorBy::Time => {
                let (least, greatest) = self.slowest;
                let ends = [least, (least * greatest).sqrt(), greatest];
                let marks = if greatest <= least { Vec::new() } else { [0.0, 0.5, 1.0].into_iter().zip(ends.map(length)).collect() };
                (greatest > 0.0).then(|| Legend { title: "mean time in the state".to_owned(), scale: Scale::Time, marks })
            }
        }
    }

    fn edges(&mut self, clean: &impl Fn(&str) -> String) -> Vec<Edge> {
        let machine = self.machine;
        let end = self.nodes.len() - 1;
        let most = machine.edges.iter().filter(|edge| self.is_drawn(edge)).map(|edge| edge.count).max().unwrap_or(1).max(1);
        let mut leaving: HashMap<&str, u64> = HashMap::new();
        for edge in machine.edges.iter().filter(|edge| self.is_drawn(edge) && edge.count > 0) {
            *leaving.entry(edge.from.as_deref().unwrap_or_default()).or_default() += 1;
        }
        let mut edges: Vec<(usize, EdgeKind, Edge)> = Vec::new();
        for edge in machine.edges.iter().filter(|edge| self.is_drawn(edge)) {
            // What a box holds begins and ends with the box.
            let is_top = edge.within.as_deref().is_none_or(|within| !self.at.contains_key(within));
            if matches!(edge.kind, EdgeKind::Start | EdgeKind::End) && !is_top {
                continue;
            }
            let from = edge.from.as_deref().map_or(Some(0), |name| self.at.get(name).copied());
            let to = edge.to.as_deref().map_or(Some(end), |name| self.at.get(name).copied());
            let (Some(from), Some(to)) = (from, to) else { continue };
            let is_split = leaving.get(edge.from.as_deref().unwrap_or_default()).copied().unwrap_or(0) > 1;
            let drawn = Edge {
                from,
                to,
                label: edge_label(edge, is_split, machine),
                hover: edge_hover(edge, clean),
                line: line(edge, machine),
                weight: ratio(edge.count, most),
            };
            edges.push((from, edge.kind, drawn));
        }
        edges.sort_by_key(|(from, kind, edge)| (*from, *kind, std::cmp::Reverse(edge.weight.to_bits()), edge.to));
        self.without_unused_terminals(edges.into_iter().map(|(.., edge)| edge).collect())
    }

    /// Takes out a beginning or an end that no edge touches.
    fn without_unused_terminals(&mut self, mut edges: Vec<Edge>) -> Vec<Edge> {
        let end = self.nodes.len() - 1;
        if !edges.iter().any(|edge| edge.to == end) {
            self.nodes.pop();
        }
        if !edges.iter().any(|edge| edge.from == 0) {
            self.nodes.remove(0);
            for edge in &mut edges {
                (edge.from, edge.to) = (edge.from - 1, edge.to - 1);
            }
            for node in &mut self.nodes {
                node.within = node.within.map(|within| within - 1);
            }
        }
        edges
    }
}

fn terminal(name: &str) -> Node {
    Node {
        name: name.to_owned(),
        notes: Vec::new(),
        hover: name.to_owned(),
        shape: Shape::Terminal,
        within: None,
        branch: 0,
        fill: Fill::Plain,
    }
}

fn line(edge: &variants::Edge, machine: &MachineVariants) -> Line {
    // Where nothing succeeded, that tells nothing.
    let only_failures = edge.only_failures && machine.unsuccessful < machine.executions;
    match (edge.count, edge.kind, only_failures) {
        (0, ..) => Line::Never,
        (_, EdgeKind::Catch, true) => Line::CatchFailures,
        (_, EdgeKind::Catch, false) => Line::Catch,
        (_, _, true) => Line::Failures,
        _ => Line::Normal,
    }
}

fn edge_label(edge: &variants::Edge, is_split: bool, machine: &MachineVariants) -> String {
    let mark = if edge.kind == EdgeKind::Catch { Some("catch") } else { edge.mark.as_deref() };
    if edge.count == 0 {
        return mark.unwrap_or_default().to_owned();
    }
    let mark = mark.map(|mark| format!("{mark}: ")).unwrap_or_default();
    let from = machine.states.iter().find(|state| Some(&state.state) == edge.from.as_ref());
    let share = from.filter(|_| is_split).map(|from| format!(" ({})", percent(edge.count, from.visits))).unwrap_or_default();
    format!("{mark}{}{share}", thousands(edge.count))
}

fn edge_hover(edge: &variants::Edge, clean: &impl Fn(&str) -> String) -> String {
    let name = |name: &Option<String>, none: &str| name.as_deref().map_or_else(|| none.to_owned(), clean);
    let what = match (edge.kind, &edge.mark) {
        (EdgeKind::Catch, _) => " (catch)".to_owned(),
        (_, Some(mark)) => format!(" ({mark})"),
        _ => String::new(),
    };
    let step = format!("{} → {}{what}", name(&edge.from, START), name(&edge.to, END));
    if edge.count == 0 {
        return format!("{step}: never taken");
    }
    let failed = match edge.failed_executions {
        0 => "none of them failed".to_owned(),
        failed if failed == edge.executions => "all of them failed".to_owned(),
        failed => format!("{failed} of them failed"),
    };
    format!(
        "{step}: {} in {}, {failed}",
        if edge.count == 1 { "once".to_owned() } else { format!("{} times", thousands(edge.count)) },
        counted(edge.executions, "execution")
    )
}

fn failed_note(state: &StateCount) -> String {
    match (state.failed, state.caught) {
        (failed, 0) => format!("{} failed ({})", thousands(failed), percent(failed, state.visits)),
        (0, caught) => format!("{} caught ({})", thousands(caught), percent(caught, state.visits)),
        (failed, caught) => {
            format!("{} failed, {} caught ({})", thousands(failed), thousands(caught), percent(failed + caught, state.visits))
        }
    }
}

fn hover(name: &str, kind: &str, state: &StateCount) -> String {
    if state.visits == 0 {
        return format!("{name} ({kind}): never entered");
    }
    let mut parts = vec![format!("{} in {}", counted(state.visits, "visit"), counted(state.executions, "execution"))];
    for (count, what) in [(state.failed, "failed"), (state.caught, "caught")] {
        if count > 0 {
            parts.push(format!("{} {what}", thousands(count)));
        }
    }
    if state.retries > 0 {
        parts.push(if state.retries == 1 { "1 retry".to_owned() } else { format!("{} retries", thousands(state.retries)) });
    }
    parts.extend(state.mean_ms.map(|mean| format!("mean {}", length(mean))));
    format!("{name} ({kind}): {}", parts.join(", "))
}

#[allow(clippy::cast_possible_truncation, reason = "a duration in milliseconds is far below 2^63")]
fn length(milliseconds: f64) -> String {
    duration(milliseconds.round() as i64)
}

#[allow(clippy::cast_precision_loss, reason = "nobody has 2^52 executions")]
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn percent(part: u64, whole: u64) -> String {
    crate::render::variants::percent(ratio(part, whole))
}
