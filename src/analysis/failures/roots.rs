//! From a parent to the child whose failure is its root cause, and from that to its child.

use std::collections::HashMap;

use super::records::Failed;

/// For each execution the place of the one whose own failure it is: itself, or the innermost child that was looked at.
///
/// Executions that name each other as children in a circle, which the service never makes, are each their own.
pub(super) fn of(failed: &[Failed]) -> Vec<usize> {
    let places: HashMap<&str, usize> = failed.iter().enumerate().map(|(place, failed)| (&*failed.execution, place)).collect();
    let child = |place: usize| failed[place].child.as_deref().and_then(|child| places.get(child).copied());
    let mut roots: Vec<Option<usize>> = vec![None; failed.len()];
    let mut way: Vec<usize> = Vec::new();
    // Where on the way an execution stands.
    let mut stands: Vec<Option<usize>> = vec![None; failed.len()];
    for start in 0..failed.len() {
        let mut at = start;
        let root = loop {
            if let Some(root) = roots[at] {
                break root;
            }
            if let Some(circle) = stands[at] {
                for place in way.drain(circle..) {
                    roots[place] = Some(place);
                }
                break at;
            }
            stands[at] = Some(way.len());
            way.push(at);
            match child(at) {
                Some(child) => at = child,
                None => break at,
            }
        };
        for place in way.drain(..) {
            roots[place] = Some(root);
        }
    }
    roots.into_iter().enumerate().map(|(place, root)| root.unwrap_or(place)).collect()
}
