//! Histories that are pulled within a share of the quotas, from an endpoint with the buckets of the service.
//!
//! Nothing here says how long something may take, but for `two_thousand_executions`, which is run by hand.

mod common;

use std::time::{Duration, Instant};

use common::quota_endpoint::{Fleet, QuotaEndpoint, Quotas};
use common::{ACCOUNT, REGION, block_on, settings_for};
use futures_util::stream::{self, StreamExt};
use stepscope::sources::aws::pace::{Budget, Share, Spent};
use stepscope::sources::aws::{Action, AwsSettings, AwsSource, ExecutionItem, ExecutionsOf, Pace, Pulled};

const HISTORY: Action = Action::GetExecutionHistory;

/// Histories that are read side by side.
const SIDE_BY_SIDE: usize = 24;

async fn connect(endpoint: &str, pace: &Pace) -> AwsSource {
    let settings = AwsSettings { pace: Some(pace.clone()), ..settings_for(endpoint) };
    AwsSource::connect(&settings, None).await.expect("settings for loopback")
}

/// Everything that is listed.
async fn list(source: &AwsSource) -> Vec<ExecutionItem> {
    let mut items = Vec::new();
    for machine in source.list_machines(None).await.expect("machines").items {
        let mut token = None;
        loop {
            let page = source.list_executions(ExecutionsOf::Machine(&machine.arn), None, token.as_deref()).await.expect("executions");
            items.extend(page.items);
            token = page.next;
            if token.is_none() {
                break;
            }
        }
    }
    items
}

async fn pull(source: &AwsSource, items: &[ExecutionItem]) -> Vec<Pulled> {
    let pulled = stream::iter(items).map(|item| source.pull_history(item)).buffer_unordered(SIDE_BY_SIDE);
    pulled.map(|pulled| pulled.expect("a history")).collect().await
}

/// Lists and pulls all of a fleet.
fn pull_all(endpoint: &QuotaEndpoint, pace: &Pace) -> Vec<Pulled> {
    block_on(async {
        let source = connect(endpoint.url(), pace).await;
        let items = list(&source).await;
        pull(&source, &items).await
    })
}

fn spent(pace: &Pace, action: Action) -> Spent {
    pace.spent().into_iter().find(|spent| spent.action == action).expect("it was called")
}

fn half(quotas: &Quotas) -> Pace {
    Pace::new(quotas.budget(Share::HALF))
}

fn tenth() -> Share {
    "10%".parse().expect("a share")
}

#[test]
fn a_fleet_is_pulled_whole_within_the_share_and_never_throttled() {
    let quotas = Quotas { acceleration: 20.0, ..Quotas::default() };
    let fleet = Fleet::mixed(3, 90);
    let pages = fleet.pages();
    let endpoint = QuotaEndpoint::start(fleet, quotas);
    let pace = Pace::new(quotas.budget(tenth()));
    let pulled = pull_all(&endpoint, &pace);
    assert_eq!(pulled.len(), 90);
    assert!(pulled.iter().all(|pulled| !pulled.is_behind && pulled.history.gaps.is_empty()));
    assert_eq!(endpoint.calls(HISTORY), pages, "a call for each page and none besides");
    assert_eq!(endpoint.calls(Action::DescribeExecution), 0);
    assert_eq!(endpoint.throttled(HISTORY), 0);
    assert!(endpoint.over(HISTORY, 0.1) <= 1.0, "{} over a tenth", endpoint.over(HISTORY, 0.1));
    let spent = spent(&pace, HISTORY);
    assert_eq!((spent.calls, spent.throttled, spent.retried), (pages as u64, 0, 0));
    assert!(spent.waited > Duration::ZERO, "a tenth of the bucket does not last for so many calls");
    assert_eq!(spent.account.as_deref(), Some(ACCOUNT), "learnt from the first ARN");
    assert_eq!(spent.region, REGION);
}

#[test]
fn two_sources_of_one_account_share_what_there_is() {
    let quotas = Quotas { acceleration: 20.0, ..Quotas::default() };
    let endpoint = QuotaEndpoint::start(Fleet::mixed(2, 90), quotas);
    let pace = Pace::new(quotas.budget(tenth()));
    block_on(async {
        let (one, other) = (connect(endpoint.url(), &pace).await, connect(endpoint.url(), &pace).await);
        let items = list(&one).await;
        let (first, second) = items.split_at(items.len() / 2);
        let (first, second) = tokio::join!(pull(&one, first), pull(&other, second));
        assert_eq!(first.len() + second.len(), 90);
    });
    assert_eq!(endpoint.throttled(HISTORY), 0);
    assert!(endpoint.over(HISTORY, 0.1) <= 1.0, "{} over a tenth", endpoint.over(HISTORY, 0.1));
}

#[test]
fn where_nothing_is_left_calls_give_way_and_all_of_them_get_through() {
    // Production leaves four calls at once and two a second: less than any machine makes.
    let quotas = Quotas { acceleration: 10.0, production: 0.99, ..Quotas::default() };
    let fleet = Fleet::mixed(1, 10);
    let pages = fleet.pages();
    let endpoint = QuotaEndpoint::start(fleet, quotas);
    let pace = half(&quotas);
    assert_eq!(pull_all(&endpoint, &pace).len(), 10);
    let spent = spent(&pace, HISTORY);
    assert_eq!(spent.throttled, endpoint.throttled(HISTORY) as u64);
    assert!(spent.throttled > 0, "there was less than was asked for");
    assert_eq!(spent.calls, pages as u64 + spent.throttled, "every try is counted");
    assert!(spent.rate < 0.75 * spent.full_rate, "it slowed down: {} of {}", spent.rate, spent.full_rate);
}

#[test]
fn the_time_that_calls_will_take_is_known_beforehand() {
    let endpoint = QuotaEndpoint::start(Fleet::default(), Quotas::default());
    block_on(async {
        let paced = connect(endpoint.url(), &Pace::new(Budget::default())).await;
        let time = paced.time_for(HISTORY, 2_178).expect("a pace");
        assert!((Duration::from_secs(195)..Duration::from_secs(205)).contains(&time), "198 at once, and 1,980 at 9.9 a second: {time:?}");
        let unpaced = AwsSource::connect(&settings_for(endpoint.url()), None).await.expect("settings for loopback");
        assert_eq!(unpaced.time_for(HISTORY, 1), None);
    });
}

/// The figures of docs/performance.md: `cargo test --test aws_pace two_thousand -- --ignored --nocapture`.
mod two_thousand_executions {
    use super::*;

    #[test]
    #[ignore = "a measurement"]
    fn alone() {
        measure(0.0);
    }

    #[test]
    #[ignore = "a measurement"]
    fn beside_production_that_spends_the_other_half() {
        measure(0.5);
    }

    #[test]
    #[ignore = "a measurement"]
    fn beside_production_that_leaves_half_of_the_budget() {
        measure(0.75);
    }

    /// `STEPSCOPE_BENCH_ACCELERATION` says how much faster than the service's the buckets are filled.
    #[allow(clippy::print_stdout, clippy::cast_precision_loss, reason = "it prints what it measured")]
    fn measure(production: f64) {
        let acceleration = std::env::var("STEPSCOPE_BENCH_ACCELERATION").map_or(1.0, |text| text.parse().expect("a number"));
        let quotas = Quotas { acceleration, production, latency: Duration::from_millis(50) };
        let fleet = Fleet::mixed(5, 2_000);
        let pages = fleet.pages();
        let endpoint = QuotaEndpoint::start(fleet, quotas);
        let pace = half(&quotas);
        let (pulled, took) = block_on(async {
            let source = connect(endpoint.url(), &pace).await;
            let items = list(&source).await;
            let begun = Instant::now();
            (pull(&source, &items).await.len(), begun.elapsed().as_secs_f64())
        });
        assert_eq!(pulled, 2_000);
        let quota = quotas.of(HISTORY);
        let allowed = (pages as f64 - quota.bucket * 0.5) / (quota.refill * 0.5);
        let (calls, throttled) = (endpoint.calls(HISTORY), endpoint.throttled(HISTORY));
        let (others, refused) = endpoint.production(HISTORY);
        let second = endpoint.most_within(HISTORY, Duration::from_secs(1));
        println!(
            "{pages} pages, production {:.0} %: {took:.2} s, {allowed:.2} s allowed, {:.3} of it\n  {calls} calls, {throttled} throttled, {:.2} %; \
             of {others} of production {refused}, {:.2} %\n  {:.2} calls over half in any window; most in a second {second}, {} allowed",
            production * 100.0,
            took / allowed,
            100.0 * throttled as f64 / calls as f64,
            100.0 * refused as f64 / others.max(1) as f64,
            endpoint.over(HISTORY, 0.5),
            (quota.bucket + quota.refill) * 0.5,
        );
    }
}
