//! Calls within a share of the account's quotas.
//!
//! Each action has a token bucket of its own in each account and region, and so has each here ([`bucket`]): a share of the service's.
//! Every try of every call waits for its token ([`lane`]). All sources of a run are given the same [`Pace`], so that two profiles
//! of one account spend one budget. Whose account a profile is stands in its credentials, or in the first answer with an ARN; until
//! then its calls are counted for the profile, and put to the account's once that is known.

mod bucket;
mod budget;
mod lane;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use self::lane::{Lane, Turn};
use super::Action;

pub use budget::{Budget, BudgetError, QuotaOf, Share};
pub(super) use lane::Try;

/// What all sources of a run spend from. Clones share it.
#[derive(Debug, Clone)]
pub struct Pace(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    budget: Budget,
    beginning: Instant,
    lanes: Mutex<Lanes>,
}

#[derive(Debug, Default)]
struct Lanes {
    open: HashMap<Key, Arc<Lane>>,
    /// The accounts of profiles, as far as they are known.
    accounts: HashMap<Profile, String>,
    /// Where an earlier run left off, and when that was: the moment this run learnt of it, and how old it was by then.
    levels: HashMap<Key, (Level, Instant, Duration)>,
}

/// A profile of the AWS configuration; `None` is whatever the SDK's chain finds.
type Profile = Option<String>;

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    owner: Owner,
    region: String,
    action: Action,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Owner {
    Account(String),
    Profile(Profile),
}

/// What was spent on one action in one account and region.
#[derive(Debug, Clone, PartialEq)]
pub struct Spent {
    /// The account's number; `None` as long as it is not known.
    pub account: Option<String>,
    /// The profile, as long as the account is not known.
    pub profile: Option<String>,
    /// The region.
    pub region: String,
    /// The action.
    pub action: Action,
    /// Tries of calls, the throttled and the failed ones among them.
    pub calls: u64,
    /// Tries that the service throttled.
    pub throttled: u64,
    /// Tries that failed in passing, and were followed by another one.
    pub retried: u64,
    /// How long calls waited for their turn, all together.
    pub waited: Duration,
    /// Calls a second at present.
    pub rate: f64,
    /// Calls a second when nothing is throttled.
    pub full_rate: f64,
    /// Calls that may be made at once at present.
    pub tokens: f64,
}

/// How full a bucket was, for a later run to go on with: a run that is started anew has no new bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// The account's number.
    pub account: String,
    /// The region.
    pub region: String,
    /// The action, as [`Action`] is displayed.
    pub action: String,
    /// Calls that might have been made at once.
    pub tokens: f64,
    /// Calls a second.
    pub rate: f64,
}

impl Pace {
    /// A pace that keeps to a budget. Its buckets are full. Needs no runtime.
    pub fn new(budget: Budget) -> Self {
        Self(Arc::new(Inner { budget, beginning: Instant::now(), lanes: Mutex::default() }))
    }

    /// What it keeps to.
    pub fn budget(&self) -> &Budget {
        &self.0.budget
    }

    /// Goes on where an earlier run left off, `age` ago, in all buckets that were not used yet.
    pub fn resume(&self, levels: &[Level], age: Duration) {
        let now = Instant::now();
        let mut lanes = self.lanes();
        for level in levels {
            let Some(action) = Action::from_name(&level.action) else { continue };
            let key = Key { owner: Owner::Account(level.account.clone()), region: level.region.clone(), action };
            lanes.levels.insert(key, (level.clone(), now, age));
        }
    }

    /// How full the buckets are whose account is known, in a fixed order; for [`resume`](Self::resume).
    pub fn levels(&self) -> Vec<Level> {
        let level = |spent: Spent| {
            let (tokens, rate) = (spent.tokens, spent.rate);
            spent.account.map(|account| Level { account, region: spent.region, action: spent.action.to_string(), tokens, rate })
        };
        self.spent().into_iter().filter_map(level).collect()
    }

    /// What was spent so far: by account, then by region and action.
    pub fn spent(&self) -> Vec<Spent> {
        let mut open: Vec<(Key, Arc<Lane>)> = self.lanes().open.iter().map(|(key, lane)| (key.clone(), Arc::clone(lane))).collect();
        open.sort_by(|(one, _), (other, _)| one.cmp(other));
        open.into_iter().map(|(key, lane)| self.spent_in(key, &lane)).collect()
    }

    fn spent_in(&self, key: Key, lane: &Lane) -> Spent {
        let (counts, bucket) = lane.look();
        let full_rate = self.0.budget.allowance(key.action, &key.region).refill;
        let (account, profile) = match key.owner {
            Owner::Account(account) => (Some(account), None),
            Owner::Profile(profile) => (None, profile),
        };
        Spent {
            account,
            profile,
            region: key.region,
            action: key.action,
            calls: counts.calls,
            throttled: counts.throttled,
            retried: counts.retried,
            waited: counts.waited,
            rate: bucket.rate(),
            full_rate,
            tokens: bucket.tokens(),
        }
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lane(&self, profile: &Profile, region: &str, action: Action) -> Arc<Lane> {
        let mut lanes = self.lanes();
        let owner = lanes.accounts.get(profile).map_or_else(|| Owner::Profile(profile.clone()), |account| Owner::Account(account.clone()));
        self.open(&mut lanes, Key { owner, region: region.to_owned(), action })
    }

    fn open(&self, lanes: &mut Lanes, key: Key) -> Arc<Lane> {
        if let Some(lane) = lanes.open.get(&key) {
            return Arc::clone(lane);
        }
        let lane = Arc::new(Lane::new(self.0.budget.allowance(key.action, &key.region), self.0.beginning));
        if let Some((level, learnt, age)) = lanes.levels.get(&key) {
            lane.resume(level, *age + learnt.elapsed());
        }
        lanes.open.insert(key, Arc::clone(&lane));
        lane
    }

    /// Puts what a profile spends to its account.
    fn learn(&self, profile: &Profile, account: &str) {
        let mut lanes = self.lanes();
        if lanes.accounts.contains_key(profile) {
            return;
        }
        lanes.accounts.insert(profile.clone(), account.to_owned());
        let unknown = Owner::Profile(profile.clone());
        let moving: Vec<Key> = lanes.open.keys().filter(|key| key.owner == unknown).cloned().collect();
        for key in moving {
            let Some(closed) = lanes.open.remove(&key) else { continue };
            let lane = self.open(&mut lanes, Key { owner: Owner::Account(account.to_owned()), ..key });
            lane.absorb(closed.close());
        }
    }
}

/// The pace of one source: who calls, and where.
#[derive(Debug, Clone)]
pub(super) struct Spender {
    pub(super) pace: Pace,
    pub(super) profile: Profile,
    pub(super) region: String,
}

impl Spender {
    async fn turn(&self, action: Action) -> Turn {
        loop {
            if let Some(turn) = self.pace.lane(&self.profile, &self.region, action).turn().await {
                return turn;
            }
        }
    }

    /// Waits until a call may be made, which the caller does then.
    pub(super) async fn spend(&self, action: Action) -> Try {
        self.turn(action).await.spend()
    }

    /// Whose account it is.
    pub(super) fn learn(&self, account: &str) {
        self.pace.learn(&self.profile, account);
    }

    /// How long so many calls take from now on, when nobody else makes any.
    pub(super) fn time_for(&self, action: Action, calls: u64) -> Duration {
        let (_, bucket) = self.pace.lane(&self.profile, &self.region, action).look();
        #[allow(clippy::cast_precision_loss, reason = "nobody makes so many calls")]
        bucket.time_for(calls as f64)
    }
}
