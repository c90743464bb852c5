//! Adds to storms what makes them actionable: policy, remedy, and what they have to do with each other.

use super::report::Pattern;
use super::{Seen, Told, nested, remedy, resources};
use crate::analysis::finding::Confidence;
use crate::analysis::observed::Observed;

/// Fills in what stands beside the evidence. Storms are told of each other, so that all of them have to be there.
pub(super) fn explain(told: &mut [Told], observed: &Observed) {
    let is_load = |pattern: Pattern| matches!(pattern, Pattern::Lockstep | Pattern::Jittered);
    let storms: Vec<usize> = (0..told.len()).filter(|position| is_load(told[*position].storm.evidence.pattern)).collect();
    let seen: Vec<Seen> = storms.iter().map(|position| told[*position].seen.clone()).collect();
    let nested = nested::nested(&seen, observed);
    let shared = resources::shared(&seen, observed);
    for (position, (nested, shared)) in storms.into_iter().zip(nested.into_iter().zip(shared)) {
        let Told { seen, storm } = &mut told[position];
        let is_inner = nested.as_ref().is_some_and(|nested| nested.level + 1 < nested.levels.len());
        let explained = remedy::explain(seen, observed, is_inner);
        // The structure says so: a Retry without jitter in force, and waves seen.
        let in_force =
            explained.policy.as_ref().filter(|policy| policy.disagreements.is_empty()).and_then(|policy| policy.declared.as_ref());
        if storm.evidence.pattern == Pattern::Lockstep && in_force.is_some_and(|declared| !declared.retrier.full_jitter) {
            storm.common.confidence = Confidence::Certain;
        }
        storm.policy = explained.policy;
        storm.remedy = Some(explained.remedy);
        storm.nested = nested;
        storm.shared_resource = shared;
    }
}
