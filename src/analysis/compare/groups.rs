//! To which failure group each execution of side A belongs, as `failures` groups them.

use std::collections::HashMap;

use thiserror::Error;

use super::sample::{Key, key};
use crate::analysis::failures::FailureGroup;

/// Failure groups by their executions.
#[derive(Debug, Default)]
pub struct Groups {
    groups: Vec<Group>,
    by_execution: HashMap<Key, usize>,
}

/// What is told of a group.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub id: String,
    pub root_state_machine: Option<String>,
    pub state: Option<String>,
    pub error: Option<String>,
    pub executions: u64,
    /// Fingerprints that were put together in it.
    names: Vec<String>,
}

/// Why a group cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoGroup {
    /// There is none of this name.
    #[error("no failure group has an id that begins with `{wanted}`; there are {}", if known.is_empty() { "none".to_owned() } else { known.join(", ") })]
    None {
        /// What was asked for.
        wanted: String,
        /// The ids of some groups.
        known: Vec<String>,
    },
    /// There are several.
    #[error("`{wanted}` is the beginning of {}", found.join(", "))]
    Several {
        /// What was asked for.
        wanted: String,
        /// Their ids.
        found: Vec<String>,
    },
}

/// Ids that an error tells.
const KNOWN: usize = 10;

impl Groups {
    /// The groups of a report, all of them.
    pub fn of(groups: &[FailureGroup]) -> Self {
        let mut all = Self::default();
        for group in groups {
            all.by_execution.extend(group.executions.iter().map(|execution| (key(execution), all.groups.len())));
            all.groups.push(Group {
                id: group.id.clone(),
                root_state_machine: group.root_state_machine.clone().filter(|_| group.root_state_machine != group.state_machine),
                state: group.state.clone(),
                error: group.error.clone(),
                executions: group.count,
                names: group.merged_from.clone(),
            });
        }
        all
    }

    /// The one group whose id begins so, with or without the version of the rules before it.
    pub fn only(mut self, wanted: &str) -> Result<Self, NoGroup> {
        let begins = |id: &String| id.starts_with(wanted) || id.split_once(':').is_some_and(|(_, digits)| digits.starts_with(wanted));
        let is_it = |group: &Group| !wanted.is_empty() && (begins(&group.id) || group.names.iter().any(begins));
        let mut found: Vec<usize> = (0..self.groups.len()).filter(|place| is_it(&self.groups[*place])).collect();
        if let Some(exact) = found.iter().find(|place| self.groups[**place].id == wanted) {
            found = vec![*exact];
        }
        let ids = |places: &[usize]| places.iter().map(|place| self.groups[*place].id.clone()).collect();
        let wanted = wanted.to_owned();
        match found[..] {
            [only] => {
                self.by_execution.retain(|_, place| *place == only);
                Ok(self)
            }
            [] => Err(NoGroup::None { wanted, known: ids(&(0..self.groups.len().min(KNOWN)).collect::<Vec<_>>()) }),
            _ => Err(NoGroup::Several { wanted, found: ids(&found) }),
        }
    }

    /// The group of an execution, by its place.
    pub(super) fn place(&self, key: Key) -> Option<usize> {
        self.by_execution.get(&key).copied()
    }

    /// A group by its place.
    pub(super) fn get(&self, place: usize) -> &Group {
        &self.groups[place]
    }
}
