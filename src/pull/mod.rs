//! Pulls executions from AWS into a store: which, in which order, and what became of them.
//!
//! Between `cli` and the stages because a daemon pulls as well. It prints nothing; what it has done is a report, and how far it is can be
//! looked at from another thread ([`Progress`]).
//!
//! ```text
//! for each profile and region, side by side, in one thread:
//!   machines     which state machines            ListStateMachines, ListTagsForResource
//!   listing      which executions of them        ListExecutions, DescribeExecution     ┐
//!   fetching     their histories                 GetExecutionHistory                   ├ at the same time
//!   children     those of their Map Runs          ListExecutions                       │
//!   definitions  the definition of each revision DescribeStateMachineForExecution, … ┘
//!   logged       executions from logs             DescribeStateMachine, FilterLogEvents, …
//!   storing      from the ledger to the tables
//! ```
//!
//! Everything that an answer tells is in the ledger before the next call is made, and the ledger says what is next: listing, fetching and
//! defining know of each other only by it. So a pull that was killed is taken up by reading the ledger, and that is also how it runs.
//! What comes from elsewhere than histories, the logs of Express machines, is one more step beside these, over the machines that
//! `machines` found: `logged` reads them with [`logs`], which keeps to the same rule.

mod children;
mod definitions;
mod fetching;
mod listing;
mod logged;
pub mod logs;
mod machines;
mod place;
mod progress;
mod report;
mod storing;
mod wanted;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::sync::watch;

use self::place::Place;
use self::storing::Storing;
use crate::analysis::pull::PullReport;
use crate::model::{Micros, Timestamp};
use crate::sources::aws::pace::Level;
use crate::sources::aws::{AwsSettings, Pace};
use crate::store::ledger::Ledger;
use crate::store::{Store, StoreError};

pub use logged::WantedLogs;
pub use progress::Progress;
pub use wanted::{Sample, Wanted};

/// How old what is kept of the buckets may be.
const PACE_KEPT: Duration = Duration::from_secs(1);

/// What a pull works with.
pub struct Pull<'a> {
    /// Where executions go.
    pub store: &'a Store,
    /// Which ones.
    pub wanted: &'a Wanted,
    /// Whether logs are read as well, and how.
    pub logs: Option<WantedLogs>,
    /// What all calls are spent from.
    pub pace: &'a Pace,
    /// The clock.
    pub now: Timestamp,
    /// How far it is.
    pub progress: &'a Progress,
    /// Becomes true when it is to stop.
    pub stop: watch::Receiver<bool>,
}

/// What the places of a pull share.
struct Shared<'a> {
    pull: &'a Pull<'a>,
    ledger: Ledger,
    storing: RefCell<Storing>,
    /// Who works on which account and region, by the number of its place.
    accounts: RefCell<BTreeMap<(String, String), usize>>,
    began: Instant,
    /// `None` before the first time.
    pace_kept: Cell<Option<Instant>>,
}

impl Shared<'_> {
    /// Goes on with the buckets as an earlier pull left them: who is killed and started again has no new quota.
    fn resume_pace(&self) -> Result<(), StoreError> {
        if let Some((levels, kept)) = self.ledger.pace()?
            && let Ok(levels) = serde_json::from_str::<Vec<Level>>(&levels)
        {
            let age = Micros::from(self.pull.now).0.saturating_sub(kept.0);
            self.pull.pace.resume(&levels, Duration::from_micros(u64::try_from(age).unwrap_or(0)));
        }
        Ok(())
    }

    /// Keeps how full the buckets are, for the next pull. As long as more is asked, all that they hold may be spent
    /// unseen, and what comes in until they are kept again.
    fn keep_pace(&self, is_end: bool) -> Result<(), StoreError> {
        let mut levels = self.pull.pace.levels();
        for level in &mut levels {
            level.was_busy |= !is_end;
        }
        let levels = serde_json::to_string(&levels).unwrap_or_default();
        let until = self.began.elapsed() + if is_end { Duration::ZERO } else { PACE_KEPT };
        let elapsed = i64::try_from(until.as_micros()).unwrap_or(0);
        self.pace_kept.set(Some(Instant::now()));
        self.ledger.keep_pace(&levels, Micros(Micros::from(self.pull.now).0.saturating_add(elapsed)))
    }

    /// The same, from time to time: nobody knows when they are killed.
    fn keep_pace_if_old(&self) -> Result<(), StoreError> {
        if self.pace_kept.get().is_some_and(|kept| kept.elapsed() < PACE_KEPT) { Ok(()) } else { self.keep_pace(false) }
    }
}

/// Pulls from all places, side by side; one that fails or hangs does not hold up the others.
///
/// An error is one of the store: what was fetched before it is in the ledger, and the next pull goes on from there.
pub async fn pull(pull: &Pull<'_>, places: &[AwsSettings]) -> Result<PullReport, StoreError> {
    let began = Instant::now();
    // First of all: what can't be written needs no calls.
    let ledger = pull.store.ledger()?;
    let storing = RefCell::new(Storing::begin(pull.store, pull.now)?);
    let shared = Shared { pull, ledger, storing, accounts: RefCell::default(), began, pace_kept: Cell::new(None) };
    shared.resume_pace()?;
    let places: Vec<Place<'_>> = places.iter().enumerate().map(|(number, settings)| Place::new(&shared, number, settings)).collect();
    let outcomes = join_all(places.iter().map(Place::pull)).await;
    shared.keep_pace(true)?;
    outcomes.into_iter().collect::<Result<(), _>>()?;
    report::of(&shared, &places)
}
