//! Map Runs from the facts of many executions: parents name them, children belong to them.

use std::collections::BTreeMap;

use super::children::Children;
use super::groups::KnownFailure;
use super::parent::{Parent, of_facts};
use crate::analysis::fleet::Question;
use crate::model::facts::Needs;
use crate::model::{ExecutionFacts, ExecutionStatus, MapChild, Micros};

/// The fold behind `maps` over files and a store.
#[derive(Debug, Default)]
pub struct MapRuns {
    wanted: Option<String>,
    keep_inputs: bool,
    runs: BTreeMap<String, Found>,
}

/// What was found of a Map Run.
#[derive(Debug, Default)]
pub struct Found {
    /// What its execution says; `None` where that was not read.
    pub parent: Option<Parent>,
    /// Its children.
    pub children: Children,
    /// How many of them were read.
    pub children_read: u64,
    /// Of the unsuccessful children, where they were asked for: ARN, and input where it is known.
    pub inputs: Vec<(String, Option<String>)>,
}

impl MapRuns {
    /// `wanted`: only the Map Run, or those of the execution, with this ARN. `keep_inputs`: inputs of unsuccessful children are kept.
    pub fn new(wanted: Option<String>, keep_inputs: bool) -> Self {
        Self { wanted, keep_inputs, runs: BTreeMap::new() }
    }

    /// What was found, by the ARN of the Map Run.
    pub fn found(mut self) -> BTreeMap<String, Found> {
        if let Some(wanted) = &self.wanted {
            let is_wanted = |arn: &String, found: &Found| {
                arn == wanted || found.parent.as_ref().is_some_and(|parent| parent.execution.as_ref() == Some(wanted))
            };
            self.runs.retain(|arn, found| is_wanted(arn, found));
        }
        for found in self.runs.values_mut() {
            found.inputs.sort();
        }
        self.runs
    }

    fn add(&mut self, facts: &ExecutionFacts<'_>) {
        for parent in of_facts(facts) {
            let found = self.runs.entry(parent.map_run.clone()).or_default();
            found.parent = Some(parent);
        }
        let Some(map_run) = facts.map_run else { return };
        let found = self.runs.entry(map_run.to_owned()).or_default();
        found.children_read += 1;
        let child = child(facts);
        let failure = facts.failure.map(|failure| KnownFailure { failure, machine: facts.state_machine });
        found.children.take(&child, failure, true);
        if self.keep_inputs && child.status.is_some_and(ExecutionStatus::is_unsuccessful) {
            found.inputs.push((child.arn, child.input));
        }
    }
}

fn child(facts: &ExecutionFacts<'_>) -> MapChild {
    let failure = facts.failure.unwrap_or_default();
    MapChild {
        arn: facts.execution.to_owned(),
        // What tells nothing of its end has begun.
        status: facts.status.or(Some(ExecutionStatus::Running)),
        start: facts.start.map(Micros::timestamp),
        stop: facts.stop.map(Micros::timestamp),
        input: facts.input.map(str::to_owned),
        error: failure.root_error.or(failure.error).map(str::to_owned),
        cause: failure.root_cause.or(failure.cause).map(str::to_owned),
        redrive_count: facts.redrive_count,
        redrive: None,
    }
}

impl Question for MapRuns {
    fn needs(&self) -> Needs {
        Needs { visits: true, failures: true, payloads: true, definitions: true, ..Needs::default() }
    }

    fn take(&mut self, facts: &ExecutionFacts<'_>) {
        self.add(facts);
    }

    fn merge(&mut self, other: Self) {
        for (arn, found) in other.runs {
            let known = self.runs.entry(arn).or_default();
            known.parent = known.parent.take().or(found.parent);
            known.children.merge(found.children);
            known.children_read += found.children_read;
            known.inputs.extend(found.inputs);
        }
    }
}
