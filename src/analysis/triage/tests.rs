//! Findings, and the incidents that they make.

use super::incidents::{Kind, Place, incidents};
use super::relations::Relations;
use crate::analysis::changes::Signal;
use crate::analysis::finding::Severity;
use crate::analysis::observed::{Execution, Observed};
use crate::model::{ExecutionStatus, Micros};

const MINUTE: i64 = 60_000_000;
const NOW: Option<Micros> = Some(Micros(600 * MINUTE));

const ORDERS: &str = "arn:aws:states:eu-west-1:111111111111:stateMachine:orders";
const PAYMENTS: &str = "arn:aws:states:eu-west-1:111111111111:stateMachine:payments";
const LETTERS: &str = "arn:aws:states:eu-west-1:111111111111:stateMachine:letters";

fn place<'f>(kind: Kind<'f>, machine: &'f str, state: &'f str, from: i64) -> Place<'f> {
    Place {
        kind,
        state_machine: Some(machine),
        state: Some(state),
        error: None,
        from: Some(Micros(from * MINUTE)),
        to: None,
        is_open: true,
        executions: &[],
        severity: Severity::Notice,
        summary: state,
    }
}

fn storm<'f>(machine: &'f str, state: &'f str, (from, to): (i64, i64), executions: &'f [String]) -> Place<'f> {
    let kind = Kind::Storm { jittered: false, resource: None };
    let to = Some(Micros(to * MINUTE));
    Place { to, is_open: false, executions, severity: Severity::Warning, ..place(kind, machine, state, from) }
}

fn change(machine: &'static str, at: i64) -> Place<'static> {
    place(Kind::Change(Signal::Latency), machine, "Call", at)
}

fn stuck(executions: &[String]) -> Place<'_> {
    Place { executions, severity: Severity::Critical, ..place(Kind::Callback, LETTERS, "Approve", 1) }
}

fn named(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Executions of orders start executions of payments. Those that end with a number failed in that minute.
fn relations(failed: &[&str]) -> Relations {
    let mut observed = Observed::default();
    let minute = |arn: &str| arn.rsplit('-').next().and_then(|text| text.parse::<i64>().ok()).unwrap_or(1);
    let starts =
        [("parent-1", ORDERS, None, ExecutionStatus::Succeeded), ("child-1", PAYMENTS, Some("parent-1"), ExecutionStatus::Succeeded)];
    let failed = failed.iter().map(|arn| (*arn, ORDERS, None, ExecutionStatus::Failed));
    for (arn, machine, parent, status) in starts.into_iter().chain(failed) {
        let execution = Execution {
            arn: observed.names.number(arn),
            machine: Some(observed.names.number(machine)),
            workflow_type: None,
            version: None,
            alias: None,
            parent: parent.map(|parent| observed.names.number(parent)),
            status: Some(status),
            start: Some(Micros(0)),
            stop: Some(Micros(minute(arn) * MINUTE)),
            last_event: None,
            events: 2,
            redrive_count: 0,
            incomplete: false,
        };
        observed.executions.push(execution);
    }
    Relations::of(&observed)
}

fn positions(incidents: &[super::Incident]) -> Vec<Vec<usize>> {
    incidents.iter().map(|incident| incident.findings.clone()).collect()
}

#[test]
fn a_childs_storm_tells_the_story_of_its_parents() {
    let (orders, payments) = (named(&["o1", "o2"]), named(&["p1", "p2"]));
    let places = [storm(ORDERS, "Pay", (9, 20), &orders), storm(PAYMENTS, "Authorize", (10, 19), &payments)];
    let found = incidents(&places, &relations(&[]), NOW);
    assert_eq!(positions(&found), [[1, 0]]);
    assert_eq!((found[0].summary.as_str(), found[0].executions, found[0].ongoing), ("Authorize", 4, false));
    assert_eq!(found[0].state_machines, [PAYMENTS, ORDERS]);
}

#[test]
fn storms_of_machines_that_have_nothing_to_do_with_each_other_are_two_incidents() {
    let places = [storm(ORDERS, "Pay", (9, 20), &[]), storm(LETTERS, "Print", (10, 19), &[])];
    assert_eq!(incidents(&places, &relations(&[]), NOW).len(), 2);
    let shared = places.map(|place| Place { kind: Kind::Storm { jittered: false, resource: Some("lambda print") }, ..place });
    assert_eq!(incidents(&shared, &relations(&[]), NOW).len(), 1, "unless they call the same");
}

#[test]
fn a_change_belongs_to_the_storm_that_it_is_near() {
    let near = [storm(ORDERS, "Pay", (100, 110), &[]), change(ORDERS, 90)];
    let far = [storm(ORDERS, "Pay", (100, 110), &[]), change(ORDERS, 60)];
    assert_eq!((incidents(&near, &relations(&[]), NOW).len(), incidents(&far, &relations(&[]), NOW).len()), (1, 2));
}

#[test]
fn a_group_belongs_to_the_storm_in_which_most_of_it_failed() {
    let failure = |executions| Place { executions, ..place(Kind::Failure { id: "1:a", caused_by: None }, ORDERS, "Pay", 5) };
    let (inside, outside) = (named(&["e-105", "e-112", "e-9"]), named(&["e-105", "e-9", "e-300"]));
    let relations = relations(&["e-9", "e-105", "e-112", "e-300"]);
    let storm = storm(ORDERS, "Pay", (100, 110), &[]);
    assert_eq!(incidents(&[storm.clone(), failure(&inside)], &relations, NOW).len(), 1);
    assert_eq!(incidents(&[storm, failure(&outside)], &relations, NOW).len(), 2);
}

#[test]
fn a_parents_group_belongs_to_its_childs() {
    let child = place(Kind::Failure { id: "1:child", caused_by: None }, PAYMENTS, "Authorize", 5);
    let parent = place(Kind::Failure { id: "1:parent", caused_by: Some("1:child") }, ORDERS, "Authorize", 5);
    assert_eq!(positions(&incidents(&[parent, child], &relations(&[]), NOW)), [[1, 0]]);
}

#[test]
fn waits_in_one_state_are_one_incident_and_the_worst_goes_first() {
    let (one, two) = (named(&["one"]), named(&["two"]));
    let places = [storm(ORDERS, "Pay", (9, 20), &[]), stuck(&one), stuck(&two), change(ORDERS, 400)];
    let found = incidents(&places, &relations(&[]), NOW);
    assert_eq!(positions(&found), [vec![1, 2], vec![0], vec![3]]);
    assert_eq!(found[0].summary, "2 executions of letters wait in Approve for an answer that will not come");
    assert!(found[0].ongoing && found[0].to == NOW);
}

#[test]
fn no_finding_is_lost_or_told_twice() {
    let machines = [ORDERS, PAYMENTS, LETTERS];
    let places: Vec<Place<'_>> = (0..20).map(|at| storm(machines[at % 3], "Call", (at as i64 * 5, at as i64 * 5 + 3), &[])).collect();
    let mut told: Vec<usize> = incidents(&places, &relations(&[]), NOW).into_iter().flat_map(|incident| incident.findings).collect();
    told.sort_unstable();
    assert_eq!(told, (0..20).collect::<Vec<_>>());
}
