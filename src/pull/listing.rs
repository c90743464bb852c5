//! Which executions: from the listings of each machine, the newest first.
//!
//! The service filters listings by one status and by no time. A machine with few executions is listed with one call, of all statuses; only
//! where that page does not reach back to the beginning of the window, each status is listed by itself, the most useful first, so that
//! failures needn't wait for a hundred thousand successes to be listed.
//!
//! | the store has the execution                   | the listing says        | it is             |
//! |-----------------------------------------------|-------------------------|-------------------|
//! | not                                           | succeeded, not in the sample | counted       |
//! | not                                           | anything else           | fetched           |
//! | closed, whole, as often redriven              | closed                  | counted           |
//! | open, or with events missing, or less often redriven | anything         | fetched again     |
//!
//! Executions that the store has open and that are older than the window are in none of these listings: they are described, one by one.

use std::cell::Cell;

use futures_util::future::join_all;

use super::children;
use super::machines::Machine;
use super::place::{Place, Skipped, account_of, machine_of};
use super::progress::Progress;
use super::wanted::rank;
use crate::analysis::pull::Missing;
use crate::model::facts::WorkflowType;
use crate::model::{ExecutionArn, ExecutionHeader, ExecutionStatus, Micros};
use crate::sources::aws::{AwsError, AwsSource, ExecutionItem, ExecutionsOf, Listed};
use crate::store::ledger::{Found, ListingRow};
use crate::store::{Day, StoreError};

/// Machines that are listed at the same time.
const SIDE_BY_SIDE: usize = 4;

/// How the listing of executions that are older than the window is called in the ledger.
const OLDER: &str = "OLDER";

/// Lists the executions of all machines.
pub(super) async fn list(place: &Place<'_>, source: &AwsSource) -> Result<(), StoreError> {
    let machines: Vec<Machine> = place.machines.borrow().clone();
    let next = Cell::new(0);
    let worker = async || {
        while let Some(machine) = machines.get(next.get()) {
            next.set(next.get() + 1);
            if place.is_stopped() {
                return Ok(());
            }
            list_machine(place, source, machine).await?;
            Progress::add(&place.shared.pull.progress.machines, 1);
            place.work.notify_waiters();
        }
        Ok(())
    };
    let done: Result<(), StoreError> = join_all((0..SIDE_BY_SIDE).map(|_| worker())).await.into_iter().collect();
    done?;
    older(place, source, &machines).await?;
    place.is_listed.set(true);
    place.work.notify_waiters();
    Ok(())
}

async fn list_machine(place: &Place<'_>, source: &AwsSource, machine: &Machine) -> Result<(), StoreError> {
    if machine.workflow_type == Some(WorkflowType::Express) {
        skip_express(place, machine.arn.as_str());
        return Ok(());
    }
    let arn = machine.arn.as_str();
    list_of(place, source, Whose { of: ExecutionsOf::Machine(&machine.arn), key: arn, machine: arn }).await
}

/// Whose executions are listed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whose<'a> {
    /// For the service.
    pub of: ExecutionsOf<'a>,
    /// For the ledger: the ARN of the state machine or of the Map Run.
    pub key: &'a str,
    /// The state machine.
    pub machine: &'a str,
}

impl Whose<'_> {
    fn are_children(self) -> bool {
        matches!(self.of, ExecutionsOf::MapRun(_))
    }
}

/// Lists executions, from where they were left.
pub(super) async fn list_of(place: &Place<'_>, source: &AwsSource, whose: Whose<'_>) -> Result<(), StoreError> {
    let Some((run, _)) = place.begun() else { return Ok(()) };
    let rows = place.shared.ledger.listings(run.id, whose.key)?;
    let wanted = place.shared.pull.wanted.statuses();
    if rows.iter().any(|row| row.status.is_empty() && row.is_done) {
        return Ok(());
    }
    let is_begun = rows.iter().any(|row| ExecutionStatus::from_name(&row.status).is_some());
    if !is_begun && wanted.len() > 1 && list_at_once(place, source, whose).await? {
        return Ok(());
    }
    for status in wanted {
        let begun = rows.iter().find(|row| row.status == status.name()).cloned();
        let row = begun.unwrap_or_else(|| new_row(whose, status.name()));
        if !row.is_done && !list_status(place, source, whose, status, row).await? {
            return Ok(());
        }
    }
    Ok(())
}

fn new_row(whose: Whose<'_>, status: &str) -> ListingRow {
    ListingRow { machine: whose.key.to_owned(), status: status.to_owned(), token: None, is_done: false, problem: None }
}

/// The first page of all statuses; whether nothing more is to be listed of the machine.
async fn list_at_once(place: &Place<'_>, source: &AwsSource, whose: Whose<'_>) -> Result<bool, StoreError> {
    let ask = || source.list_executions(whose.of, None, None);
    let page = match place.ask_again(ask).await {
        None => return Ok(true),
        Some(Err(error)) => {
            give_up(place, whose, new_row(whose, ""), &error)?;
            return Ok(true);
        }
        Some(Ok(page)) => page,
    };
    if !reaches_back(place, whose, &page) {
        return Ok(false);
    }
    let row = ListingRow { is_done: true, ..new_row(whose, "") };
    take_page(place, whose, &row, page.items)?;
    Ok(true)
}

/// One status from where it was left; whether the machine is worth going on with.
async fn list_status(
    place: &Place<'_>,
    source: &AwsSource,
    whose: Whose<'_>,
    status: ExecutionStatus,
    mut row: ListingRow,
) -> Result<bool, StoreError> {
    let mut listed = 0;
    let mut has_restarted = false;
    loop {
        let ask = || source.list_executions(whose.of, Some(status), row.token.as_deref());
        let page = match place.ask_again(ask).await {
            None => return Ok(false),
            // A token lives for a day; the executions that are known already are passed over.
            Some(Err(AwsError::ListingExpired { .. })) if row.token.is_some() && !has_restarted => {
                has_restarted = true;
                row.token = None;
                if let Some((run, _)) = place.begun() {
                    place.shared.ledger.forget_counts(run.id, &row)?;
                }
                continue;
            }
            Some(Err(error)) => {
                give_up(place, whose, row, &error)?;
                return Ok(false);
            }
            Some(Ok(page)) => page,
        };
        listed += page.items.len() as u64;
        let is_enough = place.shared.pull.wanted.limit.is_some_and(|limit| listed >= limit);
        row.is_done = is_enough || reaches_back(place, whose, &page) || page.next == row.token;
        row.token = page.next;
        take_page(place, whose, &row, page.items)?;
        place.work.notify_waiters();
        if row.is_done {
            return Ok(true);
        }
    }
}

/// Whether a page is the last one that holds executions of the window. Children are of it whenever they started: their execution is.
fn reaches_back(place: &Place<'_>, whose: Whose<'_>, page: &Listed<ExecutionItem>) -> bool {
    let since = place.begun().map(|(run, _)| run.since);
    let is_older = |item: &ExecutionItem| item.start.map(Micros::from) < since && item.start.is_some();
    page.next.is_none() || (!whose.are_children() && page.items.last().is_some_and(is_older))
}

/// Writes down what a page says.
fn take_page(place: &Place<'_>, whose: Whose<'_>, row: &ListingRow, items: Vec<ExecutionItem>) -> Result<(), StoreError> {
    let Some((run, known)) = place.begun() else { return Ok(()) };
    let wanted = place.shared.pull.wanted;
    let (mut found, mut listed, mut stored, mut sampled, mut express) = (Vec::new(), 0, 0, 0, 0);
    for item in items {
        let start = item.start.map(Micros::from);
        let is_in_window = whose.are_children() || start.is_none_or(|start| start >= run.since && start < run.until);
        if !is_in_window || !wanted.has_status(item.status) {
            continue;
        }
        if item.arn.is_express() {
            express += 1;
            continue;
        }
        listed += 1;
        let standing = known.get(item.arn.as_str());
        let is_closed = item.status.is_some_and(ExecutionStatus::is_closed);
        let is_stored = |standing: crate::store::Standing| {
            is_closed && standing.is_closed && standing.is_whole && standing.redrives >= item.redrive_count
        };
        if standing.is_some_and(is_stored) {
            stored += 1;
            let map_runs = place.stored_map_runs.borrow().get(item.arn.as_str()).cloned().unwrap_or_default();
            children::name(place, &map_runs)?;
        } else if standing.is_none() && is_left_out(place, &item) {
            sampled += 1;
        } else {
            found.push(found_of(&item, whose, standing.is_some()));
        }
    }
    let counts = [("listed", listed), ("stored", stored), ("sampled", sampled), ("express", express)];
    place.shared.ledger.add_page(run.id, row, &found, &counts)?;
    Progress::add(&place.shared.pull.progress.wanted, found.len() as u64);
    place.undefined.borrow_mut().insert(whose.machine.to_owned());
    Ok(())
}

fn is_left_out(place: &Place<'_>, item: &ExecutionItem) -> bool {
    let sample = place.shared.pull.wanted.sample;
    item.status == Some(ExecutionStatus::Succeeded) && sample.is_some_and(|sample| !sample.contains(item.arn.as_str()))
}

fn found_of(item: &ExecutionItem, whose: Whose<'_>, was_known: bool) -> Found {
    let map_run = match whose.of {
        ExecutionsOf::Machine(_) => item.map_run_arn.clone(),
        ExecutionsOf::MapRun(arn) => Some(arn.to_owned()),
    };
    Found {
        arn: item.arn.as_str().to_owned(),
        machine: whose.machine.to_owned(),
        status: item.status,
        start: item.start.map(Micros::from),
        stop: item.stop.map(Micros::from),
        redrives: item.redrive_count,
        version: item.version_arn.clone(),
        alias: item.alias_arn.clone(),
        map_run,
        rank: rank(item.status, whose.are_children()),
        was_known,
    }
}

fn skip_express(place: &Place<'_>, machine: &str) {
    if place.shared.pull.logs.is_some() {
        return;
    }
    let reason = "the API has no histories of Express executions: they are in the logs of the state machine; --logs reads those".to_owned();
    let machine = Some(machine.to_owned());
    place.skip(Skipped { what: Missing::Express, machine, executions: None, example: None, reason });
}

/// Nothing more is listed of the machine or Map Run this time.
fn give_up(place: &Place<'_>, whose: Whose<'_>, mut row: ListingRow, error: &AwsError) -> Result<(), StoreError> {
    if matches!(error, AwsError::Express { .. }) {
        match whose.of {
            ExecutionsOf::Machine(_) => skip_express(place, whose.machine),
            ExecutionsOf::MapRun(map_run) => children::skip_express(place, map_run, None),
        }
        return Ok(());
    }
    row.is_done = true;
    row.problem = Some(error.to_string());
    if let Some((run, _)) = place.begun() {
        place.shared.ledger.set_listing(run.id, &row)?;
    }
    let machine = Some(whose.machine.to_owned());
    let example = whose.are_children().then(|| whose.key.to_owned());
    place.skip(Skipped { what: Missing::Listing, machine, executions: None, example, reason: error.to_string() });
    Ok(())
}

/// Executions that the store has open and that started before the window: those that have ended by now are fetched.
async fn older(place: &Place<'_>, source: &AwsSource, machines: &[Machine]) -> Result<(), StoreError> {
    let Some((run, _)) = place.begun() else { return Ok(()) };
    let ledger = &place.shared.ledger;
    let is_wanted = |arn: &ExecutionArn| {
        let machine = arn.state_machine();
        machines.iter().any(|wanted| wanted.arn == machine && arn.region() == source.region() && account_of(arn.as_str()) == arn.account())
    };
    let open = place.shared.pull.store.open_before(Day::containing(run.since.timestamp()))?;
    for arn in open.into_iter().filter_map(|arn| arn.parse::<ExecutionArn>().ok()).filter(is_wanted) {
        let name = format!("{OLDER} {}", arn.name());
        let machine = machine_of(&arn);
        if ledger.listings(run.id, &machine)?.iter().any(|row| row.status == name && row.is_done) {
            continue;
        }
        let row = ListingRow { machine, status: name, token: None, is_done: true, problem: None };
        match place.ask_again(|| source.describe(&arn)).await {
            None => return Ok(()),
            Some(Ok(header)) => take_older(place, &row, &arn, &header)?,
            // It ended so long ago that nothing is left of it.
            Some(Err(error)) => {
                let (what, example) = (Missing::Gone, Some(arn.to_string()));
                let what = if error.is_gone() { what } else { Missing::Histories };
                place.skip(Skipped { what, machine: Some(row.machine.clone()), executions: Some(1), example, reason: error.to_string() });
            }
        }
    }
    Ok(())
}

fn take_older(place: &Place<'_>, row: &ListingRow, arn: &ExecutionArn, header: &ExecutionHeader) -> Result<(), StoreError> {
    let Some((run, _)) = place.begun() else { return Ok(()) };
    let has_ended = header.status.is_some_and(ExecutionStatus::is_closed);
    let found = Found {
        arn: arn.to_string(),
        machine: row.machine.clone(),
        status: header.status,
        start: header.start.map(Micros::from),
        stop: header.stop.map(Micros::from),
        redrives: header.redrive_count.unwrap_or(0),
        version: header.state_machine_version_arn.clone(),
        alias: header.state_machine_alias_arn.clone(),
        map_run: header.map_run_arn.clone(),
        rank: rank(header.status, header.map_run_arn.is_some()),
        was_known: true,
    };
    let is_wanted = has_ended && place.shared.pull.wanted.has_status(header.status);
    let found: Vec<Found> = is_wanted.then_some(found).into_iter().collect();
    place.shared.ledger.add_page(run.id, row, &found, &[("listed", found.len() as u64)])?;
    Progress::add(&place.shared.pull.progress.wanted, found.len() as u64);
    place.undefined.borrow_mut().insert(row.machine.clone());
    place.work.notify_waiters();
    Ok(())
}
