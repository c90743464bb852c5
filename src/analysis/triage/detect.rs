//! All detectors over what was read, and their findings as one answer.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::relations::Relations;
use super::report::{Finding, MachineHealth, SCHEMA, TriageReport};
use super::{groups, incidents};
use crate::analysis::execution::quoted;
use crate::analysis::failures::{self, Asked, Failures, FailuresReport};
use crate::analysis::finding::Step;
use crate::analysis::fleet::Coverage;
use crate::analysis::observed::{Name, Observed};
use crate::analysis::runway::RunwayQuestion;
use crate::analysis::storms::Storm;
use crate::analysis::{callbacks, changes, parallel, runway, storms};
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

/// Asks all detectors, on as many threads as gathered what they look at.
pub fn detect(observed: &Observed, failures: &Failures, runway: RunwayQuestion, coverage: &Coverage, now: Option<Micros>) -> Detected {
    // Those that go through attempts once, and those that weigh each state's, which share the work among threads themselves.
    let light = || {
        // Without a moment nothing has a time, and only failures can be told.
        let (storms, runway) = now.map(|now| (storms::find(observed, now), runway.find(now))).unwrap_or_default();
        (storms, runway, failures::report(failures, coverage, &Asked::default()), Relations::of(observed), machines(observed))
    };
    let heavy = || now.map(|now| (callbacks::find(observed, now), changes::find(observed, now))).unwrap_or_default();
    let (light, (callbacks, changes)) = parallel::both(observed.threads, light, heavy);
    let (storms, runway, failures, relations, machines) = light;
    Detected { storms, callbacks, changes, runway, failures, relations, machines }
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
    findings.extend(storms.storms.into_iter().map(|finding| Finding::Storm(Box::new(opened(finding)))));
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

/// With the command that tells the rest of it first.
fn opened(mut storm: Storm) -> Storm {
    let text = "all about it, and the Retry that would have calmed it".to_owned();
    storm.common.steps.insert(0, Step::Fleet { text, verb: "storms", arguments: format!("--state {}", quoted(&storm.state)) });
    storm
}

fn machines(observed: &Observed) -> Vec<MachineHealth> {
    let mut machines: BTreeMap<Option<Name>, MachineHealth> = BTreeMap::new();
    for execution in &observed.executions {
        let state_machine = || execution.machine.map(|machine| observed.text(machine).to_owned());
        let empty = || MachineHealth { state_machine: state_machine(), executions: 0, unsuccessful: 0, running: 0 };
        let machine = machines.entry(execution.machine).or_insert_with(empty);
        machine.executions += 1;
        machine.unsuccessful += u64::from(execution.status.is_some_and(ExecutionStatus::is_unsuccessful));
        machine.running += u64::from(execution.is_running());
    }
    let mut machines: Vec<MachineHealth> = machines.into_values().collect();
    machines.sort_by(|one, other| {
        let many = |machine: &MachineHealth| Reverse((machine.unsuccessful, machine.executions));
        many(one).cmp(&many(other)).then_with(|| one.state_machine.cmp(&other.state_machine))
    });
    machines
}

/// Accounts and regions.
fn places(machines: &[MachineHealth]) -> (Vec<String>, Vec<String>) {
    let arns = || machines.iter().filter_map(|machine| machine.state_machine.as_deref()?.parse::<StateMachineArn>().ok());
    let accounts: BTreeSet<String> = arns().map(|arn| arn.account().to_owned()).collect();
    let regions: BTreeSet<String> = arns().map(|arn| arn.region().to_owned()).collect();
    (accounts.into_iter().collect(), regions.into_iter().collect())
}
