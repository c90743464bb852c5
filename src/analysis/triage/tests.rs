//! Findings, and the incidents that they make.

use super::incidents::assemble;
use super::relations::Relations;
use super::report::Finding;
use crate::analysis::callbacks::StuckCallback;
use crate::analysis::changes::{ChangePoint, Signal};
use crate::analysis::finding::{Common, Confidence, Severity};
use crate::analysis::observed::{Execution, Observed};
use crate::analysis::storms::Storm;
use crate::model::{ExecutionStatus, Micros};

const MINUTE: i64 = 60_000_000;
const NOW: Micros = Micros(600 * MINUTE);

fn arn(machine: &str) -> String {
    format!("arn:aws:states:eu-west-1:111111111111:stateMachine:{machine}")
}

fn common(severity: Severity, summary: &str) -> Common {
    Common { severity, confidence: Confidence::Strong, summary: summary.to_owned(), next: Vec::new(), steps: Vec::new() }
}

fn storm(machine: &str, state: &str, (from, to): (i64, i64)) -> Finding {
    Finding::Storm(Box::new(Storm {
        kind: "retry_storm",
        state_machine: Some(arn(machine)),
        state: state.to_owned(),
        from: Micros(from * MINUTE),
        to: Micros(to * MINUTE),
        jittered: false,
        executions: vec![format!("{machine}-1"), format!("{machine}-2")],
        common: common(Severity::Warning, &format!("storm of {machine}")),
        evidence: crate::analysis::storms::StormEvidence::default(),
    }))
}

fn change(machine: &str, at: i64) -> Finding {
    Finding::Change(Box::new(ChangePoint {
        kind: "change_point",
        signal: Signal::Latency,
        state_machine: Some(arn(machine)),
        state: "Call".to_owned(),
        at: Micros(at * MINUTE),
        until: None,
        shape: crate::analysis::changes::Shape::Step,
        direction: crate::analysis::changes::Direction::Up,
        error: None,
        attribute: None,
        common: common(Severity::Notice, "slower"),
        evidence: crate::analysis::changes::ChangeEvidence::default(),
    }))
}

fn stuck(machine: &str, execution: &str) -> Finding {
    Finding::Callback(Box::new(StuckCallback {
        kind: "stuck_callback",
        state_machine: Some(arn(machine)),
        state: "Approve".to_owned(),
        execution: execution.to_owned(),
        since: Micros(MINUTE),
        common: common(Severity::Critical, "stuck"),
        evidence: crate::analysis::callbacks::WaitEvidence::default(),
    }))
}

/// Executions of `parent` start executions of `child`.
fn related(parent: &str, child: &str) -> Relations {
    let mut observed = Observed::default();
    for (machine, arn_of, started_by) in [(parent, "parent-1", None), (child, "child-1", Some("parent-1"))] {
        let execution = Execution {
            arn: observed.names.number(arn_of),
            machine: Some(observed.names.number(&arn(machine))),
            workflow_type: None,
            version: None,
            alias: None,
            parent: started_by.map(|parent| observed.names.number(parent)),
            status: Some(ExecutionStatus::Succeeded),
            start: Some(Micros(0)),
            stop: Some(Micros(MINUTE)),
            last_event: None,
            events: 2,
            redrive_count: 0,
            incomplete: false,
        };
        observed.executions.push(execution);
    }
    Relations::of(&observed)
}

#[test]
fn a_childs_storm_tells_the_story_of_its_parents() {
    let relations = related("orders", "payments");
    let findings = vec![storm("orders", "Pay", (9, 20)), storm("payments", "Authorize", (10, 19))];
    let (findings, incidents) = assemble(findings, &relations, Some(NOW));
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].summary, "storm of payments");
    assert_eq!((incidents[0].executions, incidents[0].ongoing), (4, false));
    assert_eq!(findings[incidents[0].findings[0]].state(), Some("Authorize"));
}

#[test]
fn storms_of_machines_that_have_nothing_to_do_with_each_other_are_two_incidents() {
    let findings = vec![storm("orders", "Pay", (9, 20)), storm("letters", "Print", (10, 19))];
    let (_, incidents) = assemble(findings, &related("orders", "payments"), Some(NOW));
    assert_eq!(incidents.len(), 2);
}

#[test]
fn a_change_belongs_to_the_storm_that_it_is_near() {
    let relations = Relations::default();
    let near = assemble(vec![storm("orders", "Pay", (100, 110)), change("orders", 90)], &relations, Some(NOW)).1;
    let far = assemble(vec![storm("orders", "Pay", (100, 110)), change("orders", 60)], &relations, Some(NOW)).1;
    assert_eq!((near.len(), far.len()), (1, 2));
}

#[test]
fn waits_in_one_state_are_one_incident_and_the_worst_goes_first() {
    let findings = vec![storm("orders", "Pay", (9, 20)), stuck("approvals", "one"), stuck("approvals", "two"), change("orders", 400)];
    let (findings, incidents) = assemble(findings, &Relations::default(), Some(NOW));
    let told: Vec<(Severity, usize)> = incidents.iter().map(|incident| (incident.severity, incident.findings.len())).collect();
    assert_eq!(told, [(Severity::Critical, 2), (Severity::Warning, 1), (Severity::Notice, 1)]);
    assert_eq!(incidents[0].summary, "2 executions of approvals wait in Approve for an answer that will not come");
    assert!(incidents[0].ongoing && incidents[0].to == Some(NOW));
    assert_eq!(findings.iter().map(Finding::kind).collect::<Vec<_>>(), ["stuck_callback", "stuck_callback", "retry_storm", "change_point"]);
}

#[test]
fn no_finding_is_lost_or_told_twice() {
    let all: Vec<Finding> = (0..20).map(|at| storm(&format!("machine-{}", at % 3), "Call", (at * 5, at * 5 + 3))).collect();
    let (findings, incidents) = assemble(all, &related("machine-0", "machine-1"), Some(NOW));
    let mut told: Vec<usize> = incidents.iter().flat_map(|incident| incident.findings.clone()).collect();
    told.sort_unstable();
    assert_eq!(told, (0..20).collect::<Vec<_>>());
    assert_eq!(findings.len(), 20);
}
