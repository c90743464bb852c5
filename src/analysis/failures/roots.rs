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
    let mut on_the_way = vec![false; failed.len()];
    let mut way = Vec::new();
    for start in 0..failed.len() {
        let mut at = start;
        let root = loop {
            if let Some(root) = roots[at] {
                break Some(root);
            }
            if on_the_way[at] {
                break None;
            }
            on_the_way[at] = true;
            way.push(at);
            match child(at) {
                Some(child) => at = child,
                None => break Some(at),
            }
        };
        for place in way.drain(..) {
            on_the_way[place] = false;
            roots[place] = Some(root.unwrap_or(place));
        }
    }
    roots.into_iter().enumerate().map(|(place, root)| root.unwrap_or(place)).collect()
}
