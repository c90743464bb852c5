//! The definition that each execution ran with, in as few calls as there are revisions.
//!
//! The call that tells it for an execution is the scarcest of all: one a second. Its answer says when the machine was last changed
//! before the execution, so one call settles every execution since that change ([`stretches`](crate::store::ledger)); the next one asks
//! for the newest execution before it. Executions that started by a version need one call for the version, ever.
//!
//! | the answer                                | what stands in                                                            |
//! |-------------------------------------------|---------------------------------------------------------------------------|
//! | the definition                            |                                                                           |
//! | the execution is gone                     | the next older one is asked                                               |
//! | refused, or not in time                   | the machine's definition as it is now, with a gap that says so; else none |
//! | the credentials ran out                   | nothing: the histories wait in the ledger for the next pull               |

use std::collections::BTreeMap;

use super::machines::Machine;
use super::place::{Place, machine_of};
use crate::model::{ExecutionArn, Gap, Micros, StateMachineArn};
use crate::sources::aws::{AwsError, AwsSource, Revision};
use crate::store::StoreError;
use crate::store::ledger::{DefinitionId, Fetched, InForce, Stretch};

/// Of executions that started just after a change, so many are asked for one machine in one pull; the others get the definition that most
/// likely was theirs.
const JUST_CHANGED: u32 = 5;

/// The definition of a fetched execution.
#[derive(Debug)]
pub(super) enum Resolution {
    /// It is this one, or the gap says what it is instead.
    Known(Option<DefinitionId>, Option<Gap>),
    /// It may still be asked.
    NotYet,
}

/// Asks until every execution that was found has its definition, or can't have it.
pub(super) async fn define(place: &Place<'_>, source: &AwsSource) -> Result<(), StoreError> {
    let mut asked: BTreeMap<String, u32> = BTreeMap::new();
    let is_limited = place.shared.pull.wanted.limit.is_some();
    // Children are found until the last history is fetched.
    let waits_for_all = is_limited || place.shared.pull.wanted.map_runs;
    while !place.is_stopped() {
        // With a limit it is not known before the end which executions are taken.
        let next = if is_limited && !place.is_fetched.get() { None } else { place.undefined.borrow_mut().pop_first() };
        match next {
            Some(machine) => define_machine(place, source, &machine, &mut asked).await?,
            None if place.is_listed.get() && (place.is_fetched.get() || !waits_for_all) => return Ok(()),
            None => place.work.notified().await,
        }
    }
    Ok(())
}

async fn define_machine(place: &Place<'_>, source: &AwsSource, machine: &str, asked: &mut BTreeMap<String, u32>) -> Result<(), StoreError> {
    define_versions(place, source, machine).await?;
    let Some((run, _)) = place.begun() else { return Ok(()) };
    let ledger = &place.shared.ledger;
    let mut before: Option<Micros> = None;
    while let Some((arn, start)) = ledger.newest_before(run.id, machine, before)? {
        if place.stand_ins.borrow().contains_key(machine) {
            return Ok(());
        }
        let stretch = ledger.stretch_at(machine, start)?;
        let is_settled = matches!(ledger.in_force(machine, start)?, InForce::Known(_));
        match stretch {
            // All of the stretch but its first moments is settled.
            Some(stretch) if is_settled => before = Some(stretch.settled_from()),
            Some(stretch) => {
                let count = asked.entry(machine.to_owned()).or_default();
                *count += 1;
                if *count > JUST_CHANGED {
                    before = Some(stretch.since);
                } else if !ask(place, source, machine, &arn, start).await? {
                    before = Some(start);
                }
            }
            None => {
                if !ask(place, source, machine, &arn, start).await? {
                    before = Some(start);
                }
            }
        }
        if place.is_stopped() {
            return Ok(());
        }
    }
    Ok(())
}

/// Asks for the definition of one execution. Whether it is known now.
async fn ask(place: &Place<'_>, source: &AwsSource, machine: &str, arn: &str, start: Micros) -> Result<bool, StoreError> {
    let Ok(execution) = arn.parse::<ExecutionArn>() else { return Ok(false) };
    match place.ask_again(|| source.revision_of(&execution)).await {
        None | Some(Err(AwsError::NoExecution { .. })) => Ok(false),
        Some(Ok(revision)) => learn(place, machine, arn, start, &revision),
        Some(Err(error)) => {
            stand_in(place, source, machine, &error).await?;
            Ok(false)
        }
    }
}

fn learn(place: &Place<'_>, machine: &str, arn: &str, start: Micros, revision: &Revision) -> Result<bool, StoreError> {
    let ledger = &place.shared.ledger;
    let definition = ledger.add_definition(&revision.definition.decode())?;
    let since = revision.updated.map(Micros::from).filter(|updated| *updated <= start);
    let Some(since) = since else {
        ledger.set_exact(arn, definition)?;
        return Ok(true);
    };
    let created = created(&place.machines.borrow(), machine);
    let is_first = created.is_some_and(|created| since.0.abs_diff(created.0) <= 1_000_000);
    if ledger.stretch_at(machine, start)?.is_some_and(|known| known.since > since) {
        // It started just after a change, and still had the definition from before.
        ledger.set_exact(arn, definition)?;
        return Ok(true);
    }
    let stretch = Stretch { since, seen: start, is_first, definition };
    ledger.add_stretch(machine, stretch)?;
    if !is_first && start < stretch.settled_from() {
        ledger.set_exact(arn, definition)?;
    }
    Ok(true)
}

fn created(machines: &[Machine], machine: &str) -> Option<Micros> {
    machines.iter().find(|known| known.arn.as_str() == machine)?.created
}

async fn define_versions(place: &Place<'_>, source: &AwsSource, machine: &str) -> Result<(), StoreError> {
    let Some((run, _)) = place.begun() else { return Ok(()) };
    for version in place.shared.ledger.versions_to_ask(run.id, machine)? {
        if place.stand_ins.borrow().contains_key(&version) {
            continue;
        }
        let Ok(arn) = version.parse::<StateMachineArn>() else { continue };
        match place.ask_again(|| source.describe_machine(&arn)).await {
            None => return Ok(()),
            Some(Ok(described)) => {
                let definition = place.shared.ledger.add_definition(&described.definition.decode())?;
                place.shared.ledger.set_exact(&version, definition)?;
            }
            Some(Err(error)) => stand_in(place, source, &version, &error).await?,
        }
    }
    Ok(())
}

/// Looks for something in place of a definition that can't be had: the machine's as it is now.
async fn stand_in(place: &Place<'_>, source: &AwsSource, of: &str, error: &AwsError) -> Result<(), StoreError> {
    let mut definition = None;
    if let Ok(arn) = of.parse::<StateMachineArn>()
        && let Ok(machine) = arn.unqualified().parse::<StateMachineArn>()
    {
        match place.ask_again(|| source.describe_machine(&machine)).await {
            None => return Ok(()),
            Some(Ok(described)) => definition = Some(place.shared.ledger.add_definition(&described.definition.decode())?),
            Some(Err(_)) => {}
        }
    }
    place.stand_ins.borrow_mut().insert(of.to_owned(), (definition, error.to_string()));
    Ok(())
}

/// What is known of the definition of a fetched execution. At the end there is no later time to ask, unless the next pull takes it up.
pub(super) fn resolve(place: &Place<'_>, fetched: &Fetched, is_end: bool) -> Result<Resolution, StoreError> {
    let ledger = &place.shared.ledger;
    let key = fetched.version.as_deref().unwrap_or(&fetched.arn);
    if let Some(definition) = ledger.exact(key)? {
        return Ok(Resolution::Known(Some(definition), None));
    }
    let machine = fetched.arn.parse::<ExecutionArn>().map_or_else(|_| fetched.machine.clone(), |arn| machine_of(&arn));
    let start = fetched.start.filter(|_| fetched.version.is_none());
    let in_force = start.map_or(Ok(InForce::Unknown), |start| ledger.in_force(&machine, start))?;
    if let InForce::Known(definition) = in_force {
        return Ok(Resolution::Known(Some(definition), None));
    }
    let is_taken_up = fetched.execution.is_some() && (place.is_stopped() || !place.is_fetched.get() || is_interrupted(place));
    if !is_end || is_taken_up {
        return Ok(Resolution::NotYet);
    }
    if let (InForce::JustChanged, Some(start)) = (in_force, start)
        && let Some(stretch) = ledger.stretch_at(&machine, start)?
    {
        let reason = "the state machine was changed just before the execution started".to_owned();
        return Ok(Resolution::Known(Some(stretch.definition), Some(Gap::OtherDefinition { reason })));
    }
    let stand_ins = place.stand_ins.borrow();
    let stand_in = stand_ins.get(fetched.version.as_deref().unwrap_or(&machine)).or_else(|| stand_ins.get(&machine));
    Ok(match stand_in {
        Some((Some(definition), reason)) => Resolution::Known(Some(*definition), Some(Gap::OtherDefinition { reason: reason.clone() })),
        Some((None, reason)) => Resolution::Known(None, Some(Gap::NoDefinition { reason: Some(reason.clone()) })),
        None => {
            let reason = "the service does not tell it any more".to_owned();
            Resolution::Known(None, Some(Gap::NoDefinition { reason: Some(reason) }))
        }
    })
}

fn is_interrupted(place: &Place<'_>) -> bool {
    place.outcome.get() == crate::analysis::pull::PlaceOutcome::Interrupted
}
