//! Which machines have to do with each other, and when each execution failed.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use crate::analysis::observed::{Name, Observed};
use crate::model::{ExecutionArn, ExecutionStatus, Micros};

/// What links findings.
#[derive(Debug, Default)]
pub(super) struct Relations {
    /// Machines whose executions started executions of others, with those.
    children: HashMap<String, HashSet<String>>,
    /// When the executions ended that did not succeed.
    failed: HashMap<String, Micros>,
}

impl Relations {
    pub(super) fn of(observed: &Observed) -> Self {
        let parents: HashSet<Name, RandomState> = observed.executions.iter().filter_map(|execution| execution.parent).collect();
        let are_parents = observed.executions.iter().filter(|execution| parents.contains(&execution.arn));
        let machine_of: HashMap<Name, Option<Name>> = are_parents.map(|execution| (execution.arn, execution.machine)).collect();
        let mut relations = Self::default();
        let mut known = HashSet::new();
        for execution in &observed.executions {
            if execution.status.is_some_and(ExecutionStatus::is_unsuccessful)
                && let Some(moment) = execution.stop.or(execution.last_event)
            {
                relations.failed.insert(observed.text(execution.arn).to_owned(), moment);
            }
            let (Some(parent), Some(child)) = (execution.parent, execution.machine) else { continue };
            let of_parent = match machine_of.get(&parent) {
                Some(Some(machine)) => Ok(*machine),
                _ => Err(parent),
            };
            if !known.insert((of_parent, child)) {
                continue;
            }
            let of_parent = match of_parent {
                Ok(machine) => observed.text(machine).to_owned(),
                Err(parent) => match observed.text(parent).parse::<ExecutionArn>() {
                    Ok(arn) => arn.state_machine().as_str().to_owned(),
                    Err(_) => continue,
                },
            };
            relations.children.entry(of_parent).or_default().insert(observed.text(child).to_owned());
        }
        relations
    }

    /// Whether executions of `parent` start executions of `child`.
    pub(super) fn starts(&self, parent: &str, child: &str) -> bool {
        self.children.get(parent).is_some_and(|children| children.contains(child))
    }

    /// Whether they are the same machine, or one starts the other.
    pub(super) fn are_linked(&self, one: Option<&str>, other: Option<&str>) -> bool {
        match (one, other) {
            (Some(one), Some(other)) => one == other || self.starts(one, other) || self.starts(other, one),
            _ => one == other,
        }
    }

    /// When an execution failed; `None` for one that did not.
    pub(super) fn failed(&self, execution: &str) -> Option<Micros> {
        self.failed.get(execution).copied()
    }

    /// Of these executions, how large a part failed between two moments; from 0 to 1.
    pub(super) fn share_within(&self, executions: &[String], from: Micros, to: Micros) -> f64 {
        let within = executions.iter().filter(|arn| self.failed(arn).is_some_and(|moment| (from..=to).contains(&moment))).count();
        #[allow(clippy::cast_precision_loss, reason = "nobody has 2^52 executions")]
        let share = within as f64 / executions.len().max(1) as f64;
        share
    }
}
