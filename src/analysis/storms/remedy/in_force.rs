//! Which definition was in force when a storm was, and which one is on file now.

use super::report::DefinitionBasis;
use crate::analysis::observed::{Observed, UsedDefinition};
use crate::analysis::storms::Seen;
use crate::model::Micros;

/// The definitions that matter to a storm.
#[derive(Debug, Clone, Copy)]
pub(super) struct Definitions<'a> {
    /// The one under which the storm's executions ran, as far as is known.
    pub then: &'a UsedDefinition,
    /// The one that was used last.
    pub now: &'a UsedDefinition,
    /// How `then` is known.
    pub basis: DefinitionBasis,
}

/// Picks them; `None` when the machine has no definition.
///
/// Which execution came with which definition is not kept, but from when to when each was used is. In force is the one used while most of
/// the storm's executions started; of several, the one that was used for the shortest time: it says most about that time.
pub(super) fn definitions<'a>(seen: &Seen, observed: &'a Observed) -> Option<Definitions<'a>> {
    let of_machine: Vec<&UsedDefinition> = observed.definitions_of(seen.class(observed).machine).collect();
    let now = of_machine.iter().copied().max_by_key(|used| (used.last_start, used.first_start, observed.text(used.text)))?;
    if of_machine.len() == 1 {
        return Some(Definitions { then: now, now, basis: DefinitionBasis::OnFile });
    }
    let starts: Vec<Micros> = seen.cohort.iter().filter_map(|execution| observed.executions.get(*execution as usize)?.start).collect();
    let covered = |used: &UsedDefinition| {
        let (Some(first), Some(last)) = (used.first_start, used.last_start) else { return 0 };
        starts.iter().filter(|start| (first..=last).contains(*start)).count()
    };
    let lasted = |used: &UsedDefinition| used.first_start.zip(used.last_start).map_or(0, |(first, last)| last.0.saturating_sub(first.0));
    let then = of_machine
        .iter()
        .copied()
        .filter(|used| covered(used) > 0)
        .max_by_key(|used| (covered(used), std::cmp::Reverse(lasted(used)), observed.text(used.text)));
    Some(match then {
        Some(then) => Definitions { then, now, basis: DefinitionBasis::InForce },
        None => Definitions { then: now, now, basis: DefinitionBasis::OnFile },
    })
}
