//! Whether two histories agree, and where they first do not.
//!
//! Events are compared in their order. Where siblings run at once the service itself leaves the order open; then histories also
//! agree when each scope (execution, branch, iteration) has the same events in the same order. What the siblings of a failing
//! branch had reached when it failed is a matter of time: there one side may be the beginning of the other.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::compare::{Difference, Strictness, differences};
use super::learn::{Ran, depending};
use super::recording::{Recording, ScopePath};
use crate::model::{HistoryEvent, Role};

/// What the comparison found.
#[derive(Debug)]
pub(super) enum Found {
    /// The same events in the same order.
    Same,
    /// The same events in each scope.
    Reordered,
    /// Histories part at this position: with these differences, or none when one of them ends there.
    Parted(usize, Vec<Difference>),
}

/// Compares a produced history with the recorded one. What two probes fill in differently is not compared: nothing determines it.
///
/// Also tells how many places that were.
pub(super) fn compare(recorded: &Recording<'_>, produced: &Recording<'_>, probes: Option<&(Ran, Ran)>) -> (Found, usize) {
    let mut undetermined = 0;
    let (one, other) = (recorded.events(), produced.events());
    let length = if recorded.is_finished() { one.len().max(other.len()) } else { one.len() };
    for index in 0..length {
        let (Some(one), Some(other)) = (one.get(index), other.get(index)) else {
            return (in_any_order(recorded, produced, Found::Parted(index, Vec::new())), undetermined);
        };
        let mut found = differences(one, other, Strictness::Exact);
        if let Some((lowest, greatest)) = probes.filter(|_| !found.is_empty()) {
            let depending = depending(lowest, greatest, index);
            let before = found.len();
            found.retain(|difference| !depending.iter().any(|place| place.is_at(difference)));
            undetermined += before - found.len();
        }
        if !found.is_empty() {
            return (in_any_order(recorded, produced, Found::Parted(index, found)), undetermined);
        }
    }
    (Found::Same, undetermined)
}

fn in_any_order(recorded: &Recording<'_>, produced: &Recording<'_>, parted: Found) -> Found {
    if recorded.is_finished() && recorded.has_siblings() && scopes_agree(recorded, produced) { Found::Reordered } else { parted }
}

/// The events of each scope.
fn lanes<'r>(recording: &Recording<'r>) -> HashMap<ScopePath, Vec<&'r HistoryEvent>> {
    let mut lanes: HashMap<ScopePath, Vec<&HistoryEvent>> = HashMap::new();
    for (event, belongs) in recording.events().iter().zip(&recording.belongs) {
        lanes.entry(Rc::clone(&belongs.scope)).or_default().push(event);
    }
    lanes
}

fn scopes_agree(recorded: &Recording<'_>, produced: &Recording<'_>) -> bool {
    let failed = recorded.failed();
    if failed != produced.failed() {
        return false;
    }
    let (mut one, mut other) = (lanes(recorded), lanes(produced));
    let keys: BTreeSet<ScopePath> = one.keys().chain(other.keys()).cloned().collect();
    keys.iter().all(|key| {
        let mut one = one.remove(key).unwrap_or_default();
        let mut other = other.remove(key).unwrap_or_default();
        if !failed.is_empty() {
            one.retain(|event| !tells_of_cut_siblings(event));
            other.retain(|event| !tells_of_cut_siblings(event));
        }
        let cut_off = is_inside(key, failed);
        (cut_off || one.len() == other.len())
            && one.iter().zip(&other).all(|(one, other)| differences(one, other, Strictness::Unordered).is_empty())
    })
}

/// Whether the scope is one of a Map or Parallel that failed, or inside of one.
fn is_inside(scope: &ScopePath, failed: &HashSet<(ScopePath, Rc<str>)>) -> bool {
    (0..scope.len()).any(|depth| failed.iter().any(|(around, name)| **around == scope[..depth] && *name == scope[depth].0))
}

fn tells_of_cut_siblings(event: &HistoryEvent) -> bool {
    use crate::model::event_type::Ending::{Aborted, Failed};
    matches!(event.role(), Role::StateAborted(_) | Role::IterationEnded(Aborted | Failed))
}
