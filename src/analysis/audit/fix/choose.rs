//! Which fixes can be made at once: those whose places have nothing to do with each other. The others wait for the next round.

use std::collections::BTreeSet;

use crate::analysis::audit::rule::Operation;

/// The places that fixes of this round change.
#[derive(Default)]
pub(super) struct Claims(BTreeSet<String>);

impl Claims {
    /// Claims the places of a patch; false, and nothing is claimed, where one of them is taken.
    pub(super) fn take(&mut self, patch: &[Operation]) -> bool {
        let places: Vec<&str> = patch.iter().map(place).collect();
        if places.iter().any(|place| self.is_taken(place)) {
            return false;
        }
        self.0.extend(places.into_iter().map(str::to_owned));
        true
    }

    fn is_taken(&self, place: &str) -> bool {
        let around = std::iter::successors(Some(place), |place| place.rfind('/').map(|at| &place[..at]));
        let below = format!("{place}/");
        around.into_iter().any(|around| self.0.contains(around))
            || self.0.range(below.clone()..).next().is_some_and(|next| next.starts_with(&below))
    }
}

/// What an operation changes: where an item comes or goes the whole list, as the other items get other numbers.
fn place(operation: &Operation) -> &str {
    let path = operation.path();
    let (parent, last) = path.rsplit_once('/').unwrap_or(("", path));
    let is_item = last == "-" || (!last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()));
    // A state may have a number for a name; then a little more is claimed than need be.
    if is_item && !matches!(operation, Operation::Replace { .. }) { parent } else { path }
}

/// The pointer of the innermost value in which a whole patch lies.
pub(super) fn scope(patch: &[Operation]) -> &str {
    let parent = |operation: &'_ Operation| operation.path().rfind('/').unwrap_or(0);
    let Some(first) = patch.first() else { return "" };
    let mut scope = &first.path()[..parent(first)];
    for operation in patch {
        let other = &operation.path()[..parent(operation)];
        while !is_within(other, scope) {
            scope = &scope[..scope.rfind('/').unwrap_or(0)];
        }
    }
    scope
}

/// Whether a patch changes something at a place, around it or in it.
pub(super) fn touches(patch: &[Operation], pointer: &str) -> bool {
    patch.iter().any(|operation| is_within(operation.path(), pointer) || is_within(pointer, place(operation)))
}

fn is_within(pointer: &str, around: &str) -> bool {
    pointer.strip_prefix(around).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
