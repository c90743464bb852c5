//! The largest payload of each visit, in bytes of its text as the service counts them: escapes of the document undone.
//!
//! A payload that the source cut counts as what is left of it. Payloads of the execution itself are those of its first and last
//! visit.

use super::Rebuilt;

/// By the visits' positions; `None` for one that the history holds no payload of.
pub(super) fn of(rebuilt: Rebuilt<'_>) -> Vec<Option<u64>> {
    let mut largest = vec![None; rebuilt.path.visits.len()];
    for (event, visit) in rebuilt.history.events.iter().zip(&rebuilt.path.visit_of) {
        let Some(slot) = visit.and_then(|visit| largest.get_mut(visit.0 as usize)) else { continue };
        let size = event.input().or(event.output()).map(|payload| payload.text.decoded_length() as u64);
        *slot = size.max(*slot);
    }
    largest
}
