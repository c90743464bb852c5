//! The children of Map Runs, where they are wanted: their histories are fetched like all others.
//!
//! Apart from `listing` because nobody lists Map Runs: the histories name them, those that are fetched and those that the store has. So
//! there may be more to list until the last history is fetched. What is still to be listed stands in the ledger as a listing of its own,
//! written before the history that names it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::listing::{Whose, list_of};
use super::place::{Place, Skipped};
use crate::analysis::pull::Missing;
use crate::model::facts::Needs;
use crate::model::{Details, HistoryEvent, MapRunName};
use crate::sources::aws::{AwsSource, ExecutionsOf};
use crate::store::decode::facts_of_batch;
use crate::store::ledger::{ListingRow, RunId};
use crate::store::{Day, Store, StoreError};

/// How the ledger calls the listing of all children of a Map Run, whatever their status.
const CHILDREN: &str = "CHILDREN";

/// Why Express children are not fetched, and where they are.
pub(super) const EXPRESS: &str = "the API has no histories of Express children of Map Runs: they are in the logs of the state machine, which --logs=all reads; \
     `stepscope maps` reads what a ResultWriter wrote of them";

/// The Map Runs that events name, in the order in which they began.
pub(super) fn named_in(events: &[HistoryEvent]) -> Vec<String> {
    let named = |event: &HistoryEvent| match &event.details {
        Details::MapRunStarted { map_run_arn } | Details::Redriven { map_run_arn, .. } => {
            map_run_arn.as_ref().map(|arn| arn.decode().into_owned())
        }
        _ => None,
    };
    events.iter().filter_map(named).collect()
}

/// Takes note of Map Runs whose children are to be listed, where they are wanted. Each is listed once.
pub(super) fn name(place: &Place<'_>, map_runs: &[String]) -> Result<(), StoreError> {
    let Some((run, _)) = place.begun().filter(|_| place.shared.pull.wanted.map_runs) else { return Ok(()) };
    let ledger = &place.shared.ledger;
    for map_run in map_runs.iter().filter(|arn| MapRunName::parse(arn).is_some()) {
        if !ledger.listings(run.id, map_run)?.iter().any(|row| row.status == CHILDREN) {
            ledger.set_listing(run.id, &row(map_run, false, None))?;
            place.map_runs.borrow_mut().push_back(map_run.clone());
        }
    }
    place.work.notify_waiters();
    Ok(())
}

fn row(map_run: &str, is_done: bool, problem: Option<String>) -> ListingRow {
    ListingRow { machine: map_run.to_owned(), status: CHILDREN.to_owned(), token: None, is_done, problem }
}

/// Goes on where an earlier process was, and learns which Map Runs the executions of the store name.
pub(super) fn take_up(place: &Place<'_>, run: RunId, days: &RangeInclusive<Day>) -> Result<(), StoreError> {
    place.map_runs.borrow_mut().extend(place.shared.ledger.unread(run, CHILDREN)?);
    *place.stored_map_runs.borrow_mut() = of_stored(place.shared.pull.store, days)?;
    Ok(())
}

/// Executions of the store with their Map Runs. Batches that can't be read are named elsewhere: their executions count as not stored.
fn of_stored(store: &Store, days: &RangeInclusive<Day>) -> Result<BTreeMap<String, Vec<String>>, StoreError> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let needs = Needs { visits: true, ..Needs::default() };
    for batch in store.batches(Some(days))? {
        let _ = facts_of_batch(&batch.paths(), needs, &mut |facts| {
            let children = facts.visits.iter().filter_map(|visit| visit.child);
            for map_run in children.filter(|child| MapRunName::parse(child).is_some()) {
                found.entry(facts.execution.to_owned()).or_default().push(map_run.to_owned());
            }
        });
    }
    Ok(found)
}

/// Lists the children of each Map Run that is named, until the last history is fetched.
pub(super) async fn list(place: &Place<'_>, source: &AwsSource) -> Result<(), StoreError> {
    if !place.shared.pull.wanted.map_runs {
        return Ok(());
    }
    while !place.is_stopped() {
        let next = place.map_runs.borrow_mut().pop_front();
        match next {
            Some(map_run) => {
                place.map_runs_in_hand.set(1);
                let done = list_children(place, source, &map_run).await;
                place.map_runs_in_hand.set(0);
                place.work.notify_waiters();
                done?;
            }
            None if place.is_fetched.get() => return Ok(()),
            None => place.work.notified().await,
        }
    }
    Ok(())
}

async fn list_children(place: &Place<'_>, source: &AwsSource, map_run: &str) -> Result<(), StoreError> {
    let (Some(machine), Some((run, _))) = (MapRunName::state_machine_of(map_run), place.begun()) else { return Ok(()) };
    list_of(place, source, Whose { of: ExecutionsOf::MapRun(map_run), key: map_run, machine: &machine }).await?;
    if place.is_stopped() {
        return Ok(());
    }
    let ledger = &place.shared.ledger;
    let listings = ledger.listings(run.id, map_run)?;
    // Of what was refused nothing stands there; the next pull that takes this one up says so again.
    let is_done = listings.iter().any(|listing| listing.status != CHILDREN);
    let problem = listings.into_iter().find_map(|listing| listing.problem);
    ledger.set_listing(run.id, &row(map_run, is_done, problem))
}

/// Children of a Map Run that are Express: how many, where that is known.
pub(super) fn skip_express(place: &Place<'_>, map_run: &str, executions: Option<u64>) {
    if place.shared.pull.logs.is_some_and(|logs| logs.of_all) {
        return;
    }
    let machine = MapRunName::state_machine_of(map_run);
    let (example, reason) = (Some(map_run.to_owned()), EXPRESS.to_owned());
    place.skip(Skipped { what: Missing::Express, machine, executions, example, reason });
}
