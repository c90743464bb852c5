//! The histories of what is wanted, several at a time, in the order that the ledger keeps.

use futures_util::future::join_all;

use super::children;
use super::place::{Place, Skipped, TRIES, machine_of};
use super::progress::Progress;
use crate::analysis::pull::Missing;
use crate::model::{ExecutionArn, Gap, StateMachineArn, Timestamp};
use crate::sources::aws::{AwsError, AwsSource, ExecutionItem, Pulled};
use crate::store::StoreError;
use crate::store::ledger::{Fetched, Found, FoundId, State};

/// Histories that are fetched at the same time: enough for the whole quota where an answer takes half a second. More would be lost when it is
/// killed.
const SIDE_BY_SIDE: usize = 12;

/// Fetches until nothing is left and nothing more is listed.
pub(super) async fn fetch(place: &Place<'_>, source: &AwsSource) -> Result<(), StoreError> {
    let done: Result<(), StoreError> = join_all((0..SIDE_BY_SIDE).map(|_| worker(place, source))).await.into_iter().collect();
    done?;
    if let Some((run, _)) = place.begun()
        && !place.is_stopped()
    {
        // Only a limit leaves anything.
        place.shared.ledger.give_up(run.id, None, State::LeftOut, None)?;
    }
    place.is_fetched.set(true);
    place.work.notify_waiters();
    Ok(())
}

async fn worker(place: &Place<'_>, source: &AwsSource) -> Result<(), StoreError> {
    let Some((run, _)) = place.begun() else { return Ok(()) };
    let limit = place.shared.pull.wanted.limit;
    while !place.is_stopped() {
        // The best of all are known when all are.
        let waits_for_all = limit.is_some() && !place.is_listed.get();
        let next = if waits_for_all { None } else { take(place, limit, run.id)? };
        match next {
            Some((id, found)) => {
                let rank = found.rank;
                place.in_flight.borrow_mut().push(rank);
                let done = fetch_one(place, source, id, found).await;
                let position = place.in_flight.borrow().iter().position(|other| *other == rank);
                position.map(|position| place.in_flight.borrow_mut().swap_remove(position));
                place.work.notify_waiters();
                done?;
            }
            None if place.is_listed.get() && place.in_flight.borrow().is_empty() && !place.lists_children() => return Ok(()),
            None => place.work.notified().await,
        }
    }
    Ok(())
}

fn take(place: &Place<'_>, limit: Option<u64>, run: crate::store::ledger::RunId) -> Result<Option<(FoundId, Found)>, StoreError> {
    if limit.is_some_and(|limit| place.taken.get() >= limit) {
        return Ok(None);
    }
    // What is in flight may name children that come before what is next; with a limit they must not be left out for it.
    let is_exact = limit.is_some() && place.shared.pull.wanted.map_runs;
    let last = match place.in_flight.borrow().iter().min() {
        _ if !is_exact => u8::MAX,
        _ if place.lists_children() => 0,
        Some(rank) => *rank,
        None => u8::MAX,
    };
    let next = place.shared.ledger.take_to_rank(run, last)?;
    if next.is_some() {
        place.taken.set(place.taken.get() + 1);
    }
    Ok(next)
}

async fn fetch_one(place: &Place<'_>, source: &AwsSource, id: FoundId, found: Found) -> Result<(), StoreError> {
    let Ok(arn) = found.arn.parse::<ExecutionArn>() else {
        return place.shared.ledger.set_state(id, State::Gone, Some("its ARN can't be read"));
    };
    let progress = place.shared.pull.progress;
    progress.take_in_hand(&format!("{} {}", arn.machine(), arn.name()));
    let item = item_of(&found, arn);
    let error = match source.pull_history(&item).await {
        Ok(pulled) => {
            place.answered();
            Progress::add(&progress.done, 1);
            return keep(place, id, &found, &pulled);
        }
        Err(error) => error,
    };
    place.failed(&error);
    let is_in_passing = error.is_transient() || error.is_throttled();
    let tries = {
        let mut tries = place.tries.borrow_mut();
        let tries = tries.entry(found.arn.clone()).or_default();
        *tries += u32::from(is_in_passing);
        *tries
    };
    let ledger = &place.shared.ledger;
    if place.is_stopped() || (is_in_passing && tries < TRIES) {
        place.taken.set(place.taken.get().saturating_sub(1));
        return ledger.set_state(id, State::Wanted, None);
    }
    Progress::add(&progress.done, 1);
    let problem = Some(error.to_string());
    let state = if error.is_gone() { State::Gone } else { State::Postponed };
    ledger.set_state(id, state, problem.as_deref())?;
    if let (AwsError::Denied { .. }, Some((run, _))) = (&error, place.begun()) {
        // What holds for one execution of the machine holds for all.
        let given_up = ledger.give_up(run.id, Some(&found.machine), State::Postponed, problem.as_deref())?;
        Progress::add(&progress.done, given_up);
    }
    Ok(())
}

fn item_of(found: &Found, arn: ExecutionArn) -> ExecutionItem {
    let moment = |micros: crate::model::Micros| -> Timestamp { micros.timestamp() };
    let state_machine_arn = found.machine.parse::<StateMachineArn>().unwrap_or_else(|_| arn.state_machine());
    ExecutionItem {
        state_machine_arn,
        status: found.status,
        start: found.start.map(moment),
        stop: found.stop.map(moment),
        redrive_count: found.redrives,
        redrive: None,
        map_run_arn: found.map_run.clone(),
        version_arn: found.version.clone(),
        alias_arn: found.alias.clone(),
        arn,
    }
}

/// Into the ledger; from there into the tables when enough has come together.
fn keep(place: &Place<'_>, id: FoundId, found: &Found, pulled: &Pulled) -> Result<(), StoreError> {
    let mut gaps = pulled.history.gaps.clone();
    if pulled.is_behind && !gaps.iter().any(|gap| matches!(gap, Gap::NoEnd | Gap::NoEvents)) {
        gaps.push(Gap::NoEnd);
    }
    for gap in &gaps {
        if let Gap::NotFetched { reason, .. } = gap {
            let (machine, example) = (Some(found.machine.clone()), Some(found.arn.clone()));
            place.skip(Skipped { what: Missing::Rest, machine, executions: Some(1), example, reason: reason.clone() });
        }
    }
    let machine = found.arn.parse::<ExecutionArn>().map_or_else(|_| found.machine.clone(), |arn| machine_of(&arn));
    let fetched = Fetched {
        id: 0,
        execution: Some(id),
        was_known: Some(found.was_known),
        arn: found.arn.clone(),
        machine,
        start: found.start,
        version: found.version.clone(),
        bundle: pulled.bundle().unwrap_or_default().into_bytes(),
        gaps,
    };
    // Before the history is: who is killed in between fetches it again, and knows the Map Runs.
    children::name(place, &children::named_in(&pulled.history.events))?;
    place.shared.ledger.add_history(&fetched)?;
    place.shared.keep_pace_if_old()?;
    place.shared.storing.borrow_mut().added(place, fetched.bundle.len())
}
