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

use self::lane::Lane;
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
    /// Whether calls were under way, so that the run may have spent all of it before it ended, with nobody left to say so.
    #[serde(default)]
    pub was_busy: bool,
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
        let level = |(key, lane): (Key, Arc<Lane>)| {
            let Owner::Account(account) = key.owner else { return None };
            let (_, bucket) = lane.look();
            let (action, was_busy) = (key.action.to_string(), lane.is_busy());
            Some(Level { account, region: key.region, action, tokens: bucket.tokens(), rate: bucket.rate(), was_busy })
        };
        self.open_lanes().into_iter().filter_map(level).collect()
    }

    /// What was spent so far: by account, then by region and action.
    pub fn spent(&self) -> Vec<Spent> {
        self.open_lanes().into_iter().map(|(key, lane)| self.spent_in(key, &lane)).collect()
    }

    fn open_lanes(&self) -> Vec<(Key, Arc<Lane>)> {
        let mut open: Vec<(Key, Arc<Lane>)> = self.lanes().open.iter().map(|(key, lane)| (key.clone(), Arc::clone(lane))).collect();
        open.sort_by(|(one, _), (other, _)| one.cmp(other));
        open
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
    /// Waits until a call may be made, which the caller does then.
    pub(super) async fn turn(&self, action: Action) -> Try {
        loop {
            if let Some(turn) = self.pace.lane(&self.profile, &self.region, action).turn().await {
                return turn;
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const ACTION: Action = Action::ListMapRuns;

    fn spender(pace: &Pace, profile: &str, region: &str) -> Spender {
        Spender { pace: pace.clone(), profile: Some(profile.to_owned()), region: region.to_owned() }
    }

    async fn spend(spender: &Spender, calls: u32) {
        for _ in 0..calls {
            spender.turn(ACTION).await.answered();
        }
    }

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
    }

    /// Account or profile, region, calls, and whole calls left in the bucket; the bucket of the action holds 10.
    fn told(pace: &Pace) -> Vec<(String, String, u64, f64)> {
        let name = |spent: &Spent| spent.account.clone().or_else(|| spent.profile.clone()).unwrap_or_default();
        pace.spent().iter().map(|spent| (name(spent), spent.region.clone(), spent.calls, spent.tokens.round())).collect()
    }

    fn row(name: &str, region: &str, calls: u64, left: f64) -> (String, String, u64, f64) {
        (name.to_owned(), region.to_owned(), calls, left)
    }

    fn pace() -> Pace {
        // Refilled so slowly that nothing comes during a test.
        let quota = "states:ListMapRuns=0.0001/10".parse().expect("a quota");
        Pace::new(Budget::new(Share::ALL).with_quota(quota))
    }

    #[test]
    fn two_profiles_of_one_account_spend_from_one_bucket_and_others_have_their_own() {
        let pace = pace();
        block_on(async {
            let (admin, reader, other) =
                (spender(&pace, "admin", "eu-west-1"), spender(&pace, "reader", "eu-west-1"), spender(&pace, "other", "eu-west-1"));
            admin.learn("111111111111");
            reader.learn("111111111111");
            other.learn("123456789012");
            spend(&admin, 2).await;
            spend(&reader, 3).await;
            spend(&spender(&pace, "reader", "us-east-1"), 1).await;
            spend(&other, 2).await;
        });
        let rows =
            [row("111111111111", "eu-west-1", 5, 5.0), row("111111111111", "us-east-1", 1, 9.0), row("123456789012", "eu-west-1", 2, 8.0)];
        assert_eq!(told(&pace), rows);
    }

    #[test]
    fn what_was_spent_before_the_account_was_known_is_put_to_it() {
        let pace = pace();
        block_on(async {
            let (admin, reader) = (spender(&pace, "admin", "eu-west-1"), spender(&pace, "reader", "eu-west-1"));
            spend(&admin, 5).await;
            spend(&reader, 5).await;
            assert_eq!(told(&pace), [row("admin", "eu-west-1", 5, 5.0), row("reader", "eu-west-1", 5, 5.0)]);
            admin.learn("111111111111");
            reader.learn("111111111111");
            admin.learn("123456789012");
        });
        assert_eq!(told(&pace), [row("111111111111", "eu-west-1", 10, 0.0)], "the first answer about a profile stands");
    }

    #[test]
    fn a_later_run_has_no_new_buckets() {
        let first = pace();
        block_on(async {
            let admin = spender(&first, "admin", "eu-west-1");
            admin.learn("111111111111");
            spend(&admin, 5).await;
        });
        let levels: Vec<Level> = serde_json::from_str(&serde_json::to_string(&first.levels()).expect("JSON")).expect("levels");
        let second = pace();
        second.resume(&levels, Duration::from_secs(1));
        block_on(async {
            let reader = spender(&second, "reader", "eu-west-1");
            reader.learn("111111111111");
            spend(&reader, 1).await;
        });
        assert_eq!(told(&second), [row("111111111111", "eu-west-1", 1, 4.0)]);
    }

    #[test]
    fn a_run_that_is_killed_may_have_spent_all_that_was_left_when_it_was_last_seen() {
        let first = pace();
        let levels = block_on(async {
            let admin = spender(&first, "admin", "eu-west-1");
            admin.learn("111111111111");
            let under_way = admin.turn(ACTION).await;
            let levels = first.levels();
            under_way.answered();
            levels
        });
        assert_eq!(first.levels().iter().map(|level| level.was_busy).collect::<Vec<_>>(), [false]);
        let second = pace();
        second.resume(&levels, Duration::ZERO);
        let reader = spender(&second, "reader", "eu-west-1");
        reader.learn("111111111111");
        assert!(reader.time_for(ACTION, 1) > Duration::from_mins(1), "nothing is left");
    }

    #[test]
    fn levels_that_nobody_understands_are_passed_over() {
        let level = |action: &str, tokens: f64| Level {
            account: "111111111111".to_owned(),
            region: "eu-west-1".to_owned(),
            action: action.to_owned(),
            tokens,
            rate: f64::NAN,
            was_busy: false,
        };
        let pace = pace();
        pace.resume(&[level("states:Teleport", 0.0), level("states:ListMapRuns", 0.0)], Duration::ZERO);
        let admin = spender(&pace, "admin", "eu-west-1");
        admin.learn("111111111111");
        block_on(spend(&admin, 1));
        assert_eq!(told(&pace), [row("111111111111", "eu-west-1", 1, 9.0)]);
    }
}
