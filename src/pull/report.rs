//! What came of it, from the ledger.

use std::collections::BTreeMap;

use super::children;
use super::place::{Place, Skipped};
use super::{Pull, Shared};
use crate::analysis::pull::{
    ActionCalls, Missing, NotLookedAt, Place as PlaceReport, PlaceOutcome, PullCounts, PullReport, PulledMachine, SCHEMA,
};
use crate::model::MapRunName;
use crate::sources::aws::pace::Spent;
use crate::store::StoreError;
use crate::store::ledger::{Problem, RunId, State, Tally};

/// The report of all places. Runs that are done are forgotten.
pub(super) fn of(shared: &Shared<'_>, places: &[Place<'_>]) -> Result<PullReport, StoreError> {
    let spent = shared.pull.pace.spent();
    let mut reports = Vec::new();
    let mut not_looked_at = Vec::new();
    for place in places {
        let (report, missing) = of_place(shared, place, &spent)?;
        reports.push(report);
        not_looked_at.extend(missing);
    }
    let mut executions = PullCounts::default();
    for place in &reports {
        executions.add(&place.executions);
    }
    let storing = shared.storing.borrow();
    let written = storing.written();
    let mut damaged: Vec<String> = storing.take_damaged().iter().map(ToString::to_string).collect();
    damaged.extend(places.iter().filter_map(|place| place.known.get()).flat_map(|known| known.damaged.iter().map(ToString::to_string)));
    damaged.sort();
    damaged.dedup();
    Ok(PullReport {
        schema: SCHEMA,
        store: shared.pull.store.root().display().to_string(),
        is_interrupted: reports.iter().any(|place| place.outcome == PlaceOutcome::Interrupted),
        executions,
        places: reports,
        not_looked_at,
        calls: spent.iter().map(|spent| spent.calls).sum(),
        throttled: spent.iter().map(|spent| spent.throttled).sum(),
        waiting: shared.ledger.waiting()?.0,
        batches: written.batches,
        bytes_out: written.bytes,
        damaged,
        duration_ms: u64::try_from(shared.began.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}

fn of_place(shared: &Shared<'_>, place: &Place<'_>, spent: &[Spent]) -> Result<(PlaceReport, Vec<NotLookedAt>), StoreError> {
    let pull: &Pull<'_> = shared.pull;
    let mut tallies = BTreeMap::new();
    let run = place.run.get();
    if let Some(run) = run {
        for (key, tally) in shared.ledger.tallies(run.id)? {
            let express = tally.count("express");
            if express > 0 {
                children::skip_express(place, &key, Some(express));
            }
            // What was counted of listings of Map Runs stands under these.
            let machine = MapRunName::state_machine_of(&key).unwrap_or(key);
            tallies.entry(machine).or_insert_with(Tally::default).add(&tally);
        }
        missing_executions(shared, place, run.id)?;
    }
    let machines: Vec<PulledMachine> = place
        .machines
        .borrow()
        .iter()
        .map(|machine| PulledMachine {
            state_machine: machine.arn.as_str().to_owned(),
            workflow_type: machine.workflow_type,
            executions: with_logs(tallies.get(machine.arn.as_str()).map(counts).unwrap_or_default(), place, machine.arn.as_str()),
        })
        .collect();
    let mut executions = PullCounts::default();
    for machine in &machines {
        executions.add(&machine.executions);
    }
    let (since, until) = run.map_or((pull.wanted.since, pull.wanted.until), |run| (run.since, run.until));
    let report = PlaceReport {
        profile: place.settings.profile.clone(),
        region: place.region().map(str::to_owned),
        account: place.account.get().cloned(),
        outcome: place.outcome.get(),
        since: since.timestamp(),
        until: until.timestamp(),
        resumed_from: run.filter(|run| run.is_resumed).map(|run| run.started.timestamp()),
        executions,
        machines,
        logs: place.logs.borrow().values().cloned().collect(),
        calls: calls(place, spent),
    };
    let missing = not_looked_at(place, &report);
    if let Some(run) = run {
        let is_whole = missing.iter().all(|missing| {
            matches!(missing.what, Missing::Express | Missing::Gone | Missing::Definition | Missing::Logs | Missing::NotLogged)
        });
        if place.outcome.get() == PlaceOutcome::Done && is_whole {
            shared.ledger.end(run.id)?;
        }
    }
    Ok((report, missing))
}

/// Adds what the ledger knows of executions that were not fetched.
fn missing_executions(shared: &Shared<'_>, place: &Place<'_>, run: RunId) -> Result<(), StoreError> {
    for Problem { machine, state, reason, executions, example } in shared.ledger.problems(run)? {
        let what = if state == State::Gone { Missing::Gone } else { Missing::Histories };
        place.skip(Skipped { what, machine: Some(machine), executions: Some(executions), example: Some(example), reason });
    }
    for (machine, (_, reason)) in place.stand_ins.borrow().iter() {
        place.skip(Skipped {
            what: Missing::Definition,
            machine: Some(machine.clone()),
            executions: None,
            example: None,
            reason: reason.clone(),
        });
    }
    if let Some(error) = place.stopped_by() {
        let left = shared.ledger.count_in(run, &[State::Wanted, State::Taken])?;
        let executions = Some(left).filter(|left| *left > 0);
        place.skip(Skipped { what: Missing::Place, machine: None, executions, example: None, reason: error.to_string() });
    }
    Ok(())
}

/// Adds the executions that came from logs.
fn with_logs(mut counts: PullCounts, place: &Place<'_>, machine: &str) -> PullCounts {
    if let Some(logs) = place.logs.borrow().get(machine) {
        let (new, replaced, unchanged) = (logs.new, logs.replaced, logs.known);
        counts.add(&PullCounts { listed: logs.executions(), new, replaced, unchanged, ..PullCounts::default() });
    }
    counts
}

fn counts(tally: &Tally) -> PullCounts {
    let missing = [State::Wanted, State::Taken, State::Fetched, State::Postponed, State::Gone];
    PullCounts {
        listed: tally.count("listed"),
        new: tally.of(State::New),
        replaced: tally.of(State::Replaced),
        unchanged: tally.of(State::Unchanged),
        already_stored: tally.count("stored"),
        left_out_by_sample: tally.count("sampled"),
        left_out_by_limit: tally.of(State::LeftOut),
        missing: missing.into_iter().map(|state| tally.of(state)).sum(),
    }
}

fn calls(place: &Place<'_>, spent: &[Spent]) -> Vec<ActionCalls> {
    let account = place.account.get();
    let is_ours = |spent: &&Spent| {
        let owner = match &spent.account {
            Some(owner) => Some(owner) == account,
            None => spent.profile == place.settings.profile,
        };
        owner && place.region() == Some(spent.region.as_str()) && place.outcome.get() != PlaceOutcome::SameAccount
    };
    let calls = spent.iter().filter(is_ours).filter(|spent| spent.calls > 0);
    calls.map(|spent| ActionCalls { action: spent.action.to_string(), calls: spent.calls, throttled: spent.throttled }).collect()
}

/// Alike ones are one.
fn not_looked_at(place: &Place<'_>, report: &PlaceReport) -> Vec<NotLookedAt> {
    let mut missing: Vec<NotLookedAt> = Vec::new();
    for skipped in place.skipped.borrow().iter() {
        let alike = |known: &&mut NotLookedAt| {
            known.what == skipped.what && known.state_machine == skipped.machine && known.reason == skipped.reason
        };
        if let Some(known) = missing.iter_mut().find(alike) {
            known.executions = known.executions.zip(skipped.executions).map(|(known, more)| known + more);
            continue;
        }
        missing.push(NotLookedAt {
            what: skipped.what,
            profile: report.profile.clone(),
            region: report.region.clone(),
            account: report.account.clone(),
            state_machine: skipped.machine.clone(),
            executions: skipped.executions,
            example: skipped.example.clone(),
            reason: skipped.reason.clone(),
        });
    }
    missing.sort();
    missing
}
