//! One profile and region: connects, finds out whose account it is, and runs the steps.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use futures_util::future::try_join5;
use tokio::sync::Notify;

use super::machines::Machine;
use super::{Shared, children, definitions, fetching, listing, logged, machines};
use crate::analysis::pull::{Missing, PlaceOutcome};
use crate::analysis::pull_logs::MachineLogs;
use crate::model::{ExecutionArn, Micros};
use crate::sources::aws::{AwsError, AwsSettings, AwsSource};
use crate::store::ledger::{DefinitionId, Run, State};
use crate::store::{Claim, Day, Known, StoreError};

/// How often a call is made again that failed in passing, over and above what the source tries.
pub(super) const TRIES: u32 = 3;

/// After so many failures in a row, without an answer between them, nothing more is asked.
const PATIENCE: u32 = 12;

/// An interrupted run is taken up when it began this recently, in microseconds: tokens of listings live as long.
const TAKEN_UP: i64 = 24 * 3_600 * 1_000_000;

/// Why something was not looked at.
#[derive(Debug, Clone)]
pub(super) struct Skipped {
    pub what: Missing,
    pub machine: Option<String>,
    pub executions: Option<u64>,
    pub example: Option<String>,
    pub reason: String,
}

/// A profile and region.
pub(super) struct Place<'a> {
    pub shared: &'a Shared<'a>,
    number: usize,
    pub settings: &'a AwsSettings,
    /// Once it is connected.
    source: OnceCell<AwsSource>,
    /// Once its account is known.
    pub account: OnceCell<String>,
    claim: OnceCell<Claim>,
    pub run: OnceCell<Run>,
    pub known: OnceCell<Known>,
    /// The machines that are wanted.
    pub machines: RefCell<Vec<Machine>>,
    pub skipped: RefCell<Vec<Skipped>>,
    pub outcome: Cell<PlaceOutcome>,
    /// Why nothing more is asked.
    stopped: RefCell<Option<AwsError>>,
    failures: Cell<u32>,
    /// Wakes who waits for more to do.
    pub work: Notify,
    pub is_listed: Cell<bool>,
    pub is_fetched: Cell<bool>,
    /// The ranks of the executions that are being fetched.
    pub in_flight: RefCell<Vec<u8>>,
    /// Map Runs, by their ARNs, whose children are still to be listed.
    pub map_runs: RefCell<VecDeque<String>>,
    /// Map Runs whose children are being listed.
    pub map_runs_in_hand: Cell<usize>,
    /// The Map Runs of executions that the store has, where they are wanted.
    pub stored_map_runs: RefCell<BTreeMap<String, Vec<String>>>,
    pub taken: Cell<u64>,
    /// How often each execution was tried in vain.
    pub tries: RefCell<BTreeMap<String, u32>>,
    /// Machines of which executions were found since their definitions were last looked for.
    pub undefined: RefCell<BTreeSet<String>>,
    /// What stands in for definitions that can't be had, by machine or version: the machine's own as it is now, and why.
    pub stand_ins: RefCell<BTreeMap<String, (Option<DefinitionId>, String)>>,
    /// What came of logs, by machine.
    pub logs: RefCell<BTreeMap<String, MachineLogs>>,
}

impl<'a> Place<'a> {
    pub(super) fn new(shared: &'a Shared<'a>, number: usize, settings: &'a AwsSettings) -> Self {
        Self {
            shared,
            number,
            settings,
            source: OnceCell::new(),
            account: OnceCell::new(),
            claim: OnceCell::new(),
            run: OnceCell::new(),
            known: OnceCell::new(),
            machines: RefCell::default(),
            skipped: RefCell::default(),
            outcome: Cell::new(PlaceOutcome::Done),
            stopped: RefCell::default(),
            failures: Cell::new(0),
            work: Notify::new(),
            is_listed: Cell::new(false),
            is_fetched: Cell::new(false),
            in_flight: RefCell::default(),
            map_runs: RefCell::default(),
            map_runs_in_hand: Cell::new(0),
            stored_map_runs: RefCell::default(),
            taken: Cell::new(0),
            tries: RefCell::default(),
            undefined: RefCell::default(),
            stand_ins: RefCell::default(),
            logs: RefCell::default(),
        }
    }

    /// All steps, as far as they go. An error is one of the store.
    pub(super) async fn pull(&self) -> Result<(), StoreError> {
        let mut stop = self.shared.pull.stop.clone();
        let asked = tokio::select! {
            done = self.ask() => Some(done),
            _ = stop.wait_for(|is_to_stop| *is_to_stop) => None,
        };
        if let Some(source) = self.source.get() {
            source.dropped_queries_are_stopped().await;
        }
        match asked {
            Some(done) => done?,
            None => self.outcome.set(PlaceOutcome::Interrupted),
        }
        self.settle()
    }

    /// Everything that needs the network. May be dropped at any moment.
    async fn ask(&self) -> Result<(), StoreError> {
        let source = match AwsSource::connect(self.settings, None).await {
            Ok(source) => self.source.get_or_init(|| source),
            Err(error) => {
                self.fail(&error);
                return Ok(());
            }
        };
        let Some(machines) = machines::find(self, source).await else { return Ok(()) };
        let Some(account) = machines.first().map(|machine| account_of(machine.arn.as_str())) else { return Ok(()) };
        *self.machines.borrow_mut() = machines;
        if !self.claim(&account)? {
            return Ok(());
        }
        self.begin(&account)?;
        let histories = (listing::list(self, source), fetching::fetch(self, source), definitions::define(self, source));
        let others = (children::list(self, source), logged::read(self, source));
        // The steps wait for one another: where the store fails one of them, the others must not wait on.
        try_join5(histories.0, histories.1, histories.2, others.0, others.1).await.map(drop)
    }

    /// Makes sure that nobody else works on this account and region, here or in another process.
    fn claim(&self, account: &str) -> Result<bool, StoreError> {
        let region = self.region().unwrap_or_default().to_owned();
        let _ = self.account.set(account.to_owned());
        let key = (account.to_owned(), region.clone());
        let first = *self.shared.accounts.borrow_mut().entry(key).or_insert(self.number);
        if first != self.number {
            self.outcome.set(PlaceOutcome::SameAccount);
            return Ok(false);
        }
        if let Some(claim) = self.shared.pull.store.claim(account, &region)? {
            return Ok(self.claim.set(claim).is_ok());
        }
        self.outcome.set(PlaceOutcome::Claimed);
        let reason = "another stepscope pulls this account and region into the same store; what it fetches lands there as well".to_owned();
        self.skip(Skipped { what: Missing::Place, machine: None, executions: None, example: None, reason });
        Ok(false)
    }

    /// Takes up the run that was interrupted, or begins one.
    fn begin(&self, account: &str) -> Result<(), StoreError> {
        let (pull, ledger) = (self.shared.pull, &self.shared.ledger);
        let wanted = pull.wanted;
        let now = Micros::from(pull.now);
        let not_before = wanted.resumes.then(|| Micros(now.0.saturating_sub(TAKEN_UP)));
        let region = self.region().unwrap_or_default();
        let run = ledger.begin((account, region), &wanted.words(), (wanted.since, wanted.until), now, not_before)?;
        let day = |moment: Micros| Day::containing(moment.timestamp());
        let last = if wanted.map_runs { run.until.max(now) } else { run.until };
        let days = day(run.since)..=day(last);
        let known = pull.store.known(&days)?;
        if wanted.map_runs {
            children::take_up(self, run.id, &days)?;
        }
        let taken = [State::Fetched, State::New, State::Replaced, State::Unchanged, State::Gone];
        self.taken.set(ledger.count_in(run.id, &taken)?);
        self.undefined.borrow_mut().extend(ledger.machines_at_work(run.id)?);
        let _ = (self.run.set(run), self.known.set(known));
        Ok(())
    }

    /// Puts what was fetched into the tables, whatever happened.
    fn settle(&self) -> Result<(), StoreError> {
        let (Some(_), Some(_)) = (self.run.get(), self.claim.get()) else { return Ok(()) };
        self.is_fetched.set(true);
        self.shared.storing.borrow_mut().store(self, true)
    }

    /// The region, once it is known.
    pub(super) fn region(&self) -> Option<&str> {
        self.source.get().map(AwsSource::region).or(self.settings.region.as_deref())
    }

    /// The run. Only asked after it has begun.
    pub(super) fn begun(&self) -> Option<(&Run, &Known)> {
        self.run.get().zip(self.known.get())
    }

    pub(super) fn skip(&self, skipped: Skipped) {
        self.skipped.borrow_mut().push(skipped);
    }

    /// Nothing could be asked.
    pub(super) fn fail(&self, error: &AwsError) {
        self.outcome.set(PlaceOutcome::Failed);
        self.skip(Skipped { what: Missing::Place, machine: None, executions: None, example: None, reason: error.to_string() });
    }

    /// Whether children of Map Runs are still to be found.
    pub(super) fn lists_children(&self) -> bool {
        self.map_runs_in_hand.get() > 0 || !self.map_runs.borrow().is_empty()
    }

    /// Whether nothing more is to be asked.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.borrow().is_some()
    }

    /// Why nothing more is asked.
    pub(super) fn stopped_by(&self) -> Option<AwsError> {
        self.stopped.borrow().clone()
    }

    /// An answer came.
    pub(super) fn answered(&self) {
        self.failures.set(0);
    }

    /// Looks at an error: after some there is nothing more to ask.
    pub(super) fn failed(&self, error: &AwsError) {
        if error.is_transient() || error.is_throttled() {
            self.failures.set(self.failures.get() + 1);
        } else {
            self.answered();
        }
        if error.is_about_credentials() || self.failures.get() >= PATIENCE {
            self.stopped.borrow_mut().get_or_insert_with(|| error.clone());
            self.outcome.set(PlaceOutcome::BrokeOff);
            self.work.notify_waiters();
        }
    }

    /// Makes a call, and again when it failed in passing. `None` when nothing more is to be asked.
    pub(super) async fn ask_again<T, F>(&self, call: impl Fn() -> F) -> Option<Result<T, AwsError>>
    where
        F: Future<Output = Result<T, AwsError>>,
    {
        for last in (0..TRIES).map(|number| number + 1 == TRIES) {
            let answer = call().await;
            let error = match answer {
                Ok(answer) => {
                    self.answered();
                    return Some(Ok(answer));
                }
                Err(error) => error,
            };
            self.failed(&error);
            if self.is_stopped() {
                return None;
            }
            if last || !(error.is_transient() || error.is_throttled()) {
                return Some(Err(error));
            }
        }
        None
    }
}

/// The account in an ARN.
pub(super) fn account_of(arn: &str) -> String {
    arn.split(':').nth(4).unwrap_or_default().to_owned()
}

/// The state machine of an execution, without version and alias.
pub(super) fn machine_of(arn: &ExecutionArn) -> String {
    arn.state_machine().as_str().to_owned()
}
