//! How a call is made, and what is done when it fails.
//!
//! Without a pace the SDK tries again by its own rules. With one, each try waits for its turn first, and is the only one that the SDK
//! makes:
//!
//! | the answer                                | then                                                                       |
//! |-------------------------------------------|----------------------------------------------------------------------------|
//! | throttled                                 | the bucket slows down; again after a wait, until nothing else came for long |
//! | failed in passing                         | again after a wait, a number of times                                      |
//! | the session has expired                   | again with new credentials, where there are any                            |
//! | anything else                             | is the caller's                                                            |
//!
//! Waits are drawn between nothing and a limit that doubles with each try, so that calls that failed together do not come back together.

use std::error::Error as StdError;
use std::time::Duration;

use aws_sdk_sfn::config::http::HttpResponse;
use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use tokio::time::Instant;

use super::error::Call;
use super::pace::{Spender, Try};
use super::{Action, AwsError, AwsSource, Patience, Service};

/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// How often one call is made again with newer credentials.
const REPLACEMENTS: u32 = 2;

impl AwsSource {
    /// Makes a call. Every call of this program goes through here; `resource` is what it is about, an ARN, a name or `*`.
    ///
    /// The request is made anew for each try.
    pub(super) async fn send<T, E, F>(&self, action: Action, resource: &str, request: impl Fn() -> F) -> Result<T, AwsError>
    where
        E: ProvideErrorMetadata + StdError + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        // The SDK's futures are large.
        let make = || async { Box::pin(request()).await.map_err(|error| self.call(action, resource).failed(&error)) };
        let Some(spender) = &self.spender else {
            self.credentials.ready().await?;
            return make().await;
        };
        let answer = self.send_in_turn(spender, action, make).await?;
        // Other services let accounts share what they hold.
        if action.service() == Service::States {
            self.learn_account_of(resource);
        }
        Ok(answer)
    }

    async fn send_in_turn<T, F>(&self, spender: &Spender, action: Action, make: impl Fn() -> F) -> Result<T, AwsError>
    where
        F: Future<Output = Result<T, AwsError>>,
    {
        let mut failures = Failures::new(&self.patience);
        loop {
            let credentials = self.credentials.ready().await?;
            let turn = spender.spend(action).await;
            let begun = Instant::now();
            let error = match make().await {
                Ok(answer) => {
                    turn.answered();
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let wait = match error {
                AwsError::Throttled { .. } => failures.throttled(&turn),
                AwsError::SessionExpired { .. } => {
                    turn.answered();
                    failures.expired(self.credentials.replace(credentials).await?)
                }
                _ if error.is_transient() => failures.in_passing(begun.elapsed()),
                _ => {
                    turn.answered();
                    None
                }
            };
            let Some(wait) = wait else { return Err(error) };
            if !error.is_throttled() {
                turn.retried();
            }
            tokio::time::sleep(wait).await;
        }
    }

    pub(super) fn call<'a>(&'a self, action: Action, resource: &'a str) -> Call<'a> {
        Call { action, resource, account: &self.account }
    }

    /// Takes note of whose account this is.
    pub(super) fn learn_account(&self, account: &str) {
        if let Some(spender) = &self.spender {
            spender.learn(account);
        }
    }

    /// Takes note of whose account this is by the ARN of something that is in it.
    pub(super) fn learn_account_of(&self, arn: &str) {
        if let Some(account) = account_in(arn) {
            self.learn_account(account);
        }
    }
}

fn account_in(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:")?.split(':').nth(3).filter(|account| !account.is_empty())
}

/// How often one call has failed, and how.
struct Failures<'a> {
    patience: &'a Patience,
    throttled: u32,
    in_passing: u32,
    expired: u32,
    /// How long the tries that failed in passing took, and the waits after them.
    lost: Duration,
}

/// Each tells how long to wait before the next try; `None` when there is to be none.
impl<'a> Failures<'a> {
    fn new(patience: &'a Patience) -> Self {
        Self { patience, throttled: 0, in_passing: 0, expired: 0, lost: Duration::ZERO }
    }

    fn throttled(&mut self, turn: &Try) -> Option<Duration> {
        let throttling = turn.throttled();
        self.throttled += 1;
        let is_endless = throttling.lasts >= self.patience.throttling && throttling.answers >= self.patience.attempts;
        (!is_endless).then(|| wait(self.patience.first_wait, self.throttled, fastrand::f64()))
    }

    fn in_passing(&mut self, took: Duration) -> Option<Duration> {
        self.in_passing += 1;
        let wait = wait(self.patience.first_wait, self.in_passing, fastrand::f64());
        self.lost += took + wait;
        (self.in_passing < self.patience.attempts && self.lost < self.patience.call).then_some(wait)
    }

    fn expired(&mut self, are_there_others: bool) -> Option<Duration> {
        self.expired += 1;
        (are_there_others && self.expired <= REPLACEMENTS).then_some(Duration::ZERO)
    }
}

/// The wait after the failure of this number; `jitter` is between 0 and 1.
fn wait(first: Duration, failures: u32, jitter: f64) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    first.saturating_mul(doubled).min(LONGEST_WAIT).mul_f64(jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_are_drawn_below_it() {
        let first = Duration::from_millis(250);
        let longest: Vec<u128> = (1..=9).map(|failures| wait(first, failures, 1.0).as_millis()).collect();
        assert_eq!(longest, [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
        assert_eq!(wait(first, u32::MAX, 0.5), LONGEST_WAIT / 2);
        assert_eq!(wait(first, 3, 0.0), Duration::ZERO);
    }

    #[test]
    fn tries_that_fail_in_passing_are_counted_and_timed() {
        let patience = Patience { attempts: 3, call: Duration::from_secs(20), first_wait: Duration::ZERO, ..Patience::default() };
        let mut quick = Failures::new(&patience);
        let waits: Vec<bool> = (0..3).map(|_| quick.in_passing(Duration::from_millis(5)).is_some()).collect();
        assert_eq!(waits, [true, true, false], "three tries");
        let mut slow = Failures::new(&patience);
        let waits: Vec<bool> = (0..2).map(|_| slow.in_passing(Duration::from_secs(10)).is_some()).collect();
        assert_eq!(waits, [true, false], "two tries of ten seconds");
    }

    #[test]
    fn a_session_that_expired_is_continued_with_newer_credentials_only() {
        let patience = Patience::default();
        assert_eq!(Failures::new(&patience).expired(false), None);
        let mut failures = Failures::new(&patience);
        let again: Vec<bool> = (0..3).map(|_| failures.expired(true).is_some()).collect();
        assert_eq!(again, [true, true, false]);
    }

    #[test]
    fn an_account_stands_in_the_fifth_part_of_an_arn() {
        assert_eq!(account_in("arn:aws:states:eu-west-1:111111111111:stateMachine:Orders"), Some("111111111111"));
        for other in ["*", "Orders", "arn:aws", "arn:aws:s3:::bucket/key"] {
            assert_eq!(account_in(other), None, "{other}");
        }
    }
}
