//! All detectors over what was read, and their findings as one answer.

use std::collections::{BTreeMap, BTreeSet};

use super::relations::Relations;
use super::report::{Finding, MachineHealth, SCHEMA, TriageReport};
use super::{groups, incidents};
use crate::analysis::failures::{self, Asked, Failures, FailuresReport};
use crate::analysis::fleet::Coverage;
use crate::analysis::observed::Observed;
use crate::analysis::runway::RunwayQuestion;
use crate::analysis::{callbacks, changes, runway, storms};
use crate::model::{ExecutionStatus, Micros, StateMachineArn};

/// What the detectors found.
#[derive(Debug)]
#[allow(missing_docs, reason = "named as the detectors are")]
pub struct Detected {
    pub storms: storms::Found,
    pub callbacks: callbacks::Found,
    pub changes: changes::Found,
    pub runway: runway::Found,
    pub failures: FailuresReport,
    relations: Relations,
    machines: Vec<MachineHealth>,
}

/// Asks all detectors.
pub fn detect(observed: &Observed, failures: &Failures, runway: RunwayQuestion, coverage: &Coverage, now: Option<Micros>) -> Detected {
    // Without a moment nothing has a time, and only failures can be told.
    let (storms, callbacks, changes, runway) = match now {
        Some(now) => (storms::find(observed, now), callbacks::find(observed, now), changes::find(observed, now), runway.find(now)),
        None => Default::default(),
    };
    Detected {
        storms,
        callbacks,
        changes,
        runway,
        failures: failures::report(failures, coverage, &Asked::default()),
        relations: Relations::of(observed),
        machines: machines(observed),
    }
}

/// The answer: incidents in their order, and the findings in that of the incidents.
pub fn report(detected: Detected, coverage: Coverage, now: Option<Micros>) -> TriageReport {
    let Detected { storms, callbacks, changes, runway, failures, relations, machines } = detected;
    let timeline = failures.timeline;
    let mut counts = vec![0; timeline.bins];
    for group in &failures.groups {
        counts.iter_mut().zip(&group.counts).for_each(|(sum, count)| *sum += count);
    }
    let mut findings: Vec<Finding> = Vec::new();
    findings.extend(storms.storms.into_iter().map(|finding| Finding::Storm(Box::new(finding))));
    findings.extend(callbacks.stuck.into_iter().map(|finding| Finding::Callback(Box::new(finding))));
    findings.extend(changes.changes.into_iter().map(|finding| Finding::Change(Box::new(finding))));
    findings.extend(failures.groups.into_iter().map(|group| Finding::Failure(Box::new(groups::finding(group, &relations, now)))));
    findings.extend(runway.runways.into_iter().map(|finding| Finding::Runway(Box::new(finding))));
    let (findings, incidents) = incidents::assemble(findings, &relations, now);
    let (accounts, regions) = places(&machines);
    TriageReport {
        schema: SCHEMA,
        now,
        coverage,
        accounts,
        regions,
        state_machines: machines,
        timeline,
        failures: counts,
        incidents,
        findings,
        not_enough: [storms.not_enough, callbacks.not_enough, changes.not_enough, runway.not_enough].concat(),
    }
}

fn machines(observed: &Observed) -> Vec<MachineHealth> {
    let mut machines: BTreeMap<Option<&str>, MachineHealth> = BTreeMap::new();
    for execution in &observed.executions {
        let arn = execution.machine.map(|machine| observed.text(machine));
        let empty = || MachineHealth { state_machine: arn.map(str::to_owned), executions: 0, unsuccessful: 0, running: 0 };
        let machine = machines.entry(arn).or_insert_with(empty);
        machine.executions += 1;
        machine.unsuccessful += u64::from(execution.status.is_some_and(ExecutionStatus::is_unsuccessful));
        machine.running += u64::from(execution.is_running());
    }
    let mut machines: Vec<MachineHealth> = machines.into_values().collect();
    machines.sort_by_key(|machine| std::cmp::Reverse((machine.unsuccessful, machine.executions)));
    machines
}

/// Accounts and regions.
fn places(machines: &[MachineHealth]) -> (Vec<String>, Vec<String>) {
    let arns = || machines.iter().filter_map(|machine| machine.state_machine.as_deref()?.parse::<StateMachineArn>().ok());
    let accounts: BTreeSet<String> = arns().map(|arn| arn.account().to_owned()).collect();
    let regions: BTreeSet<String> = arns().map(|arn| arn.region().to_owned()).collect();
    (accounts.into_iter().collect(), regions.into_iter().collect())
}
