//! Which state machines: by name, ARN, pattern and tags.

use super::place::{Place, Skipped};
use crate::analysis::pull::{Missing, PlaceOutcome};
use crate::model::facts::WorkflowType;
use crate::model::{Micros, StateMachineArn};
use crate::sources::aws::{AwsError, AwsSource};

/// A state machine that is wanted.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    pub arn: StateMachineArn,
    /// `None` where nothing told.
    pub workflow_type: Option<WorkflowType>,
    /// When it was made.
    pub created: Option<Micros>,
}

/// Lists the machines and keeps those that are wanted; `None` when nothing could be asked.
pub(super) async fn find(place: &Place<'_>, source: &AwsSource) -> Option<Vec<Machine>> {
    let wanted = place.shared.pull.wanted;
    let mut machines = match list(place, source).await? {
        Ok(machines) => machines,
        // Whoever names machines by their ARNs needs no list of them.
        Err(error) if error.is_missing_permission() && wanted.arns().next().is_some() => Vec::new(),
        Err(error) => {
            place.fail(&error);
            return None;
        }
    };
    machines.retain(|machine| wanted.names(&machine.arn));
    for arn in wanted.arns().filter(|arn| arn.region() == source.region()) {
        if machines.iter().all(|machine| machine.arn != arn) {
            machines.push(Machine { arn, workflow_type: None, created: None });
        }
    }
    machines.sort_by(|one, other| one.arn.cmp(&other.arn));
    machines.dedup_by(|one, other| one.arn == other.arn);
    if wanted.tags.is_empty() { Some(machines) } else { with_tags(place, source, machines).await }
}

async fn list(place: &Place<'_>, source: &AwsSource) -> Option<Result<Vec<Machine>, AwsError>> {
    let mut machines = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let answer = place.ask_again(|| source.list_machines(token.as_deref())).await;
        let page = match answer {
            Some(Ok(page)) => page,
            Some(Err(error)) => return Some(Err(error)),
            None => {
                let error = place.stopped_by()?;
                return Some(Err(error));
            }
        };
        machines.extend(page.items.into_iter().map(|item| Machine {
            arn: item.arn,
            workflow_type: item.workflow_type,
            created: item.created.map(Micros::from),
        }));
        match page.next {
            Some(next) if Some(&next) != token.as_ref() => token = Some(next),
            _ => return Some(Ok(machines)),
        }
    }
}

/// Those that have all of the tags. One whose tags can't be read is not among them, and named.
async fn with_tags(place: &Place<'_>, source: &AwsSource, machines: Vec<Machine>) -> Option<Vec<Machine>> {
    let wanted = &place.shared.pull.wanted.tags;
    let mut kept = Vec::new();
    for machine in machines {
        match place.ask_again(|| source.tags_of(&machine.arn)).await {
            Some(Ok(tags)) if wanted.iter().all(|tag| tags.contains(tag)) => kept.push(machine),
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                let arn = Some(machine.arn.as_str().to_owned());
                place.skip(Skipped { what: Missing::Tags, machine: arn, executions: None, example: None, reason: error.to_string() });
            }
            None => {
                place.stopped_by().iter().for_each(|error| place.fail(error));
                place.outcome.set(PlaceOutcome::BrokeOff);
                return None;
            }
        }
    }
    Some(kept)
}
