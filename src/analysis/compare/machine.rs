//! The sides of one state machine: who is compared with whom, and what came of it.
//!
//! | side A                       | side B that is compared                                         | what is compared            |
//! |------------------------------|-----------------------------------------------------------------|-----------------------------|
//! | failed as a whole            | what reached a state that A failed in, while A failed           | what was so before the failure |
//! | failed, B is too small then  | the same without the restriction that leaves too few            | the same                    |
//! | anything else                | all                                                             | everything, outcomes as well |

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::columns::{Column, Reading, Scope, columns, time_columns};
use super::findings::{FEWEST, Frame, LEVEL, Outcome, find};
use super::groups::{Group, Groups};
use super::report::{Comparison, NotTested, Reason, RootFailure, Side, Window};
use super::row::Row;
use super::{Grouping, Machine, Rows, Sides};
use crate::analysis::selection::Selection;
use crate::analysis::statistics::needed;

/// Fewer executions to compare with are worse than ones that are not quite alike.
const ENOUGH: usize = 10;
/// Root failures that are told.
const MOST_FAILURES: usize = 5;

/// Compares the sides of a state machine, or each failure group of side A with side B; nothing when side A is empty.
pub(super) fn compare(name: &str, machine: Machine, sides: &Sides, grouping: &Grouping, limit: usize) -> Vec<Comparison> {
    let (b, b_rows) = side(machine.b, &sides.names.1, None);
    let groups = if let Grouping::Named(groups) | Grouping::Apart(groups) = grouping { Some(groups) } else { None };
    let failing = machine.a.unsuccessful == machine.a.executions;
    let (a, a_rows) = side(machine.a, &sides.names.0, groups);
    let parts = if let Grouping::Apart(groups) = grouping { apart(&a, a_rows, groups) } else { vec![(None, a, a_rows)] };
    let compare_part = |(group, a, rows): (Option<String>, Side, Vec<Row>)| {
        let comparison = compare_sides((a, &rows), (b.clone(), &b_rows), failing, sides);
        let more = comparison.findings.len().saturating_sub(limit) as u64;
        let findings = comparison.findings.into_iter().take(limit).collect();
        let failures = failures(&rows, groups);
        Comparison { state_machine: Some(name.to_owned()).filter(|name| !name.is_empty()), group, findings, more, failures, ..comparison }
    };
    parts.into_iter().filter(|(_, a, _)| a.executions > 0).map(compare_part).collect()
}

/// The rows of each group, with its id and its executions.
fn apart(a: &Side, rows: Vec<Row>, groups: &Groups) -> Vec<(Option<String>, Side, Vec<Row>)> {
    let mut parts: BTreeMap<usize, Vec<Row>> = BTreeMap::new();
    for row in rows {
        if let Some(group) = row.group {
            parts.entry(group).or_default().push(row);
        }
    }
    let part = |(place, rows): (usize, Vec<Row>)| {
        let group = groups.get(place);
        let executions = group.executions.max(rows.len() as u64);
        (Some(group.id.clone()), Side { executions, not_sampled: executions - rows.len() as u64, ..a.clone() }, rows)
    };
    parts.into_iter().map(part).collect()
}

fn compare_sides((mut a, a_rows): (Side, &[Row]), (mut b, b_rows): (Side, &[Row]), failing: bool, sides: &Sides) -> Comparison {
    let selected: Vec<String> = [Some(&sides.a), sides.b.as_ref()].into_iter().flatten().flat_map(Selection::names).collect();
    let by_time = selected.iter().any(|name| ["start", "stop", "hour", "weekday"].contains(&name.as_str()));
    let mut notes = Vec::new();
    if b.executions == 0 {
        notes.push("there is nothing to compare with: the other side has no execution of this state machine".to_owned());
    }
    let failing_states = states(a_rows, |row| row.failing.as_ref());
    let opponents = Opponents::choose(a_rows, b_rows, &failing_states, (failing, by_time), &mut notes);
    b.not_reached = (b_rows.len() - opponents.of_all_times.len()) as u64;
    b.outside_window = (opponents.of_all_times.len() - opponents.compared.len()) as u64;
    (a.compared, b.compared) = (a_rows.len() as u64, opponents.compared.len() as u64);

    let until = [failing_states.clone(), states(a_rows, |row| row.fail_state.as_ref())].concat();
    let scope = Scope { until: if failing { &until } else { &[] }, failing, all_reached: opponents.all_reached };
    let mut not_tested = Vec::new();
    let frames = frames(a_rows, &opponents, scope, (by_time, &selected), &mut not_tested);
    // Not having done something may follow from not having got there.
    let may_be_missing = failing && !opponents.all_reached;
    let more_only = |column: &Column| {
        column.reading == Reading::CutShort || (may_be_missing && matches!(column.reading, Reading::Flag | Reading::Numbers))
    };
    let is_enough = a.compared >= FEWEST && b.compared > 0;
    let outcome = if is_enough { find(&frames, &more_only) } else { Outcome::default() };
    not_tested.extend(outcome.not_tested);
    not_tested.sort_by(|one, other| (&one.attribute, one.reason).cmp(&(&other.attribute, other.reason)));
    not_tested.dedup();
    let enough = needed(b.compared, outcome.tested, LEVEL).max(FEWEST);
    Comparison {
        state_machine: None,
        group: None,
        failing,
        reached: if opponents.all_reached { failing_states.iter().map(ToString::to_string).collect() } else { Vec::new() },
        window: opponents.window,
        failures: Vec::new(),
        findings: outcome.findings,
        more: 0,
        tested: outcome.tested as u64,
        too_rare: outcome.too_rare as u64,
        not_tested,
        needed: (a.compared < enough && b.compared > 0).then_some(enough),
        notes,
        a,
        b,
    }
}

/// The executions of side B that side A is compared with.
struct Opponents<'r> {
    /// What is about time is compared with these.
    of_all_times: Vec<&'r Row>,
    /// All else is compared with these.
    compared: Vec<&'r Row>,
    /// Whether all of them reached a state that side A failed in.
    all_reached: bool,
    /// When they started, if they were chosen by that.
    window: Option<Window>,
}

impl<'r> Opponents<'r> {
    fn choose(a: &[Row], b: &'r [Row], failing_states: &[Arc<str>], (failing, by_time): (bool, bool), notes: &mut Vec<String>) -> Self {
        let reached = if failing { reached(a, b, failing_states, notes) } else { None };
        let all_reached = reached.is_some();
        let of_all_times = reached.unwrap_or_else(|| b.iter().collect());
        let window = if failing && !by_time { window(a) } else { None };
        let inside = window.and_then(|window| within(&of_all_times, window, a.len(), notes));
        let window = window.filter(|_| inside.is_some());
        Self { compared: inside.unwrap_or_else(|| of_all_times.clone()), of_all_times, all_reached, window }
    }
}

/// What is tested: everything but time among those compared, and time among those of all times.
fn frames(
    a: &[Row],
    opponents: &Opponents<'_>,
    scope: Scope<'_>,
    (by_time, selected): (bool, &[String]),
    not_tested: &mut Vec<NotTested>,
) -> Vec<Frame> {
    let mut is_open = |column: &Column| !is_selected(column, selected, not_tested);
    let rows: Vec<&Row> = a.iter().chain(opponents.compared.iter().copied()).collect();
    let open = columns(&rows, scope).into_iter().filter(&mut is_open).collect();
    let mut frames = vec![frame(open, a.len(), rows.len())];
    if !by_time {
        let rows: Vec<&Row> = a.iter().chain(opponents.of_all_times.iter().copied()).collect();
        frames.push(frame(time_columns(&rows), a.len(), rows.len()));
    }
    frames
}

fn side(rows: Rows, name: &str, groups: Option<&Groups>) -> (Side, Vec<Row>) {
    let group = |key| groups.and_then(|groups| groups.place(key));
    let kept: Vec<Row> = rows.sample.into_rows().map(|(key, row)| Row { group: group(key), ..row }).collect();
    let not_sampled = rows.executions - kept.len() as u64;
    (Side { name: name.to_owned(), executions: rows.executions, not_sampled, ..Side::default() }, kept)
}

/// States of rows, most frequent first.
fn states(rows: &[Row], state: impl Fn(&Row) -> Option<&Arc<str>>) -> Vec<Arc<str>> {
    let mut counts: HashMap<Arc<str>, usize> = HashMap::new();
    for state in rows.iter().filter_map(state) {
        *counts.entry(Arc::clone(state)).or_default() += 1;
    }
    let mut states: Vec<(Arc<str>, usize)> = counts.into_iter().collect();
    states.sort_by(|(one, one_count), (other, other_count)| other_count.cmp(one_count).then_with(|| one.cmp(other)));
    states.into_iter().map(|(state, _)| state).collect()
}

/// Those of side B that could have failed as side A did; `None` when that cannot be told, or leaves too few.
fn reached<'r>(a: &[Row], b: &'r [Row], failing: &[Arc<str>], notes: &mut Vec<String>) -> Option<Vec<&'r Row>> {
    let placed = a.iter().filter(|row| row.failing.is_some()).count();
    // Some failed nowhere in particular, such as by being stopped: they could have failed anywhere.
    if placed * 10 < a.len() * 9 {
        return None;
    }
    let reached: Vec<&Row> = b.iter().filter(|row| row.reached(failing).is_some()).collect();
    if reached.len() < ENOUGH && reached.len() < b.len() {
        notes.extend((a.len() as u64 >= FEWEST).then(|| format!(
            "{} of the others reached a state that these failed in: they are compared with all, and what leads to that state shows up as well",
            few(reached.len())
        )));
        return None;
    }
    Some(reached)
}

fn window(a: &[Row]) -> Option<Window> {
    let starts = || a.iter().filter_map(|row| row.start);
    Some(Window { from: starts().min()?, to: starts().max()? })
}

/// Those that started in the window; `None` when they are too few.
fn within<'r>(rows: &[&'r Row], window: Window, a: usize, notes: &mut Vec<String>) -> Option<Vec<&'r Row>> {
    let is_inside = |row: &&&Row| row.start.is_some_and(|start| (window.from..=window.to).contains(&start));
    let inside: Vec<&Row> = rows.iter().filter(is_inside).copied().collect();
    if inside.len() >= ENOUGH && inside.len() * 10 >= a {
        return Some(inside);
    }
    if inside.len() < rows.len() && a as u64 >= FEWEST {
        notes.push(format!(
            "{} of the others started while these did: they are compared with those of all times, and what changed in the meantime shows up as well",
            few(inside.len())
        ));
    }
    None
}

/// `none`, `only 3`.
fn few(count: usize) -> String {
    if count == 0 { "none".to_owned() } else { format!("only {count}") }
}

fn frame(columns: Vec<Column>, a: usize, rows: usize) -> Frame {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Frame { columns, a_total: count(a), rows: count(rows) }
}

/// What the sides were selected by explains nothing.
fn is_selected(column: &Column, selected: &[String], not_tested: &mut Vec<NotTested>) -> bool {
    let name = &*column.name;
    let is_it = |selected: &String| {
        let way_out = selected.strip_suffix(')').filter(|selected| selected.starts_with("took("));
        selected == name
            || (selected == "redriven" && name == "redrives")
            || way_out.is_some_and(|way| name.starts_with(&format!("{way}, ")))
    };
    let is_selected = selected.iter().any(is_it);
    if is_selected {
        not_tested.push(NotTested {
            attribute: name.to_owned(),
            reason: Reason::Selected,
            text: "the sides were selected by it".to_owned(),
        });
    }
    is_selected
}

/// The ways in which rows failed, most frequent first.
fn failures(rows: &[Row], groups: Option<&Groups>) -> Vec<RootFailure> {
    let text = |text: Option<&Arc<str>>| text.map(ToString::to_string);
    let failure = |row: &Row| match (row.group, groups) {
        (Some(place), Some(groups)) => {
            let Group { id, root_state_machine, state, error, .. } = groups.get(place).clone();
            RootFailure { root_state_machine, state, error, group: Some(id), executions: 0 }
        }
        _ => RootFailure {
            root_state_machine: None,
            state: text(row.text("root_state")),
            error: text(row.text("root_error")),
            group: None,
            executions: 0,
        },
    };
    let mut counts: HashMap<RootFailure, u64> = HashMap::new();
    for row in rows {
        *counts.entry(failure(row)).or_default() += 1;
    }
    let mut failures: Vec<RootFailure> = counts.into_iter().map(|(failure, executions)| RootFailure { executions, ..failure }).collect();
    failures.retain(|failure| failure.state.is_some() || failure.error.is_some() || failure.group.is_some());
    failures.sort_by(|one, other| {
        let rest = |failure: &RootFailure| (failure.state.clone(), failure.error.clone(), failure.group.clone());
        other.executions.cmp(&one.executions).then_with(|| rest(one).cmp(&rest(other)))
    });
    failures.truncate(MOST_FAILURES);
    failures
}
