//! Credentials that expire in the middle: where they can be had anew calls go on, where they cannot one account stops and others do not.

mod common;

use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use common::fake_endpoint::{FakeEndpoint, Reply, Request};
use common::{ACCOUNT, REGION, block_on, settings_for};
use serde_json::json;
use stepscope::sources::aws::pace::Budget;
use stepscope::sources::aws::{AwsError, AwsSettings, AwsSource, ExecutionItem, Pace, Pulled};

const HISTORY: &str = "GetExecutionHistory";

/// The pages of the history, which is how many calls it takes.
const PAGES: usize = 6;

/// Credentials one after the other: `AKIA1`, `AKIA2` and so on, up to a last one.
#[derive(Debug)]
struct Numbered {
    handed_out: AtomicUsize,
    last: usize,
    /// How long each lives; `None` where they do not say.
    life: Option<Duration>,
    account: Option<&'static str>,
}

impl Numbered {
    fn up_to(last: usize) -> Self {
        Self { handed_out: AtomicUsize::new(0), last, life: None, account: None }
    }

    fn next(&self) -> Result<Credentials, CredentialsError> {
        let number = self.handed_out.fetch_add(1, Ordering::Relaxed) + 1;
        if number > self.last {
            return Err(CredentialsError::provider_error("the single sign-on session is over"));
        }
        let made = Credentials::builder().access_key_id(format!("AKIA{number}")).secret_access_key("secret").provider_name("tests");
        let mut made = made.session_token(format!("token-{number}"));
        made.set_expiry(self.life.map(|life| SystemTime::now() + life));
        made.set_account_id(self.account.map(Into::into));
        Ok(made.build())
    }
}

impl ProvideCredentials for Numbered {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(self.next())
    }
}

/// An endpoint that takes each key for a number of calls, and says then that its session has expired; keeps who signed.
struct Endpoint {
    fake: FakeEndpoint,
    signers: Arc<Mutex<Vec<String>>>,
}

impl Endpoint {
    fn start(calls_of_a_key: usize) -> Self {
        let signers: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&signers);
        let fake = FakeEndpoint::start(move |request| {
            assert_eq!(request.action, HISTORY);
            let mut signers = kept.lock().expect("no panic");
            let earlier = signers.iter().filter(|signer| **signer == request.access_key).count();
            signers.push(request.access_key.clone());
            if earlier >= calls_of_a_key {
                return Reply::Error("ExpiredTokenException", "The security token included in the request is expired");
            }
            Reply::Json(page(request))
        });
        Self { fake, signers }
    }

    fn signers(&self) -> Vec<String> {
        self.signers.lock().expect("no panic").clone()
    }
}

/// A history of an event a page.
fn page(request: &Request) -> serde_json::Value {
    let id: usize = request.token().map_or(1, |token| token.parse().expect("a number"));
    let (kind, member, details) = match id {
        1 => ("ExecutionStarted", "executionStartedEventDetails", json!({"input": "{}"})),
        PAGES => ("ExecutionSucceeded", "executionSucceededEventDetails", json!({"output": "{}"})),
        _ => ("PassStateEntered", "stateEnteredEventDetails", json!({"name": "Check", "input": "{}"})),
    };
    let event = json!({"id": id, "previousEventId": id - 1, "timestamp": 1_767_225_600.0, "type": kind, member: details});
    let mut page = json!({"events": [event]});
    if id < PAGES {
        page["nextToken"] = json!((id + 1).to_string());
    }
    page
}

fn item() -> ExecutionItem {
    ExecutionItem {
        arn: format!("arn:aws:states:{REGION}:{ACCOUNT}:execution:Orders:run-1").parse().expect("an ARN"),
        state_machine_arn: format!("arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:Orders").parse().expect("an ARN"),
        status: None,
        start: None,
        stop: None,
        redrive_count: 0,
        redrive: None,
        map_run_arn: None,
        version_arn: None,
        alias_arn: None,
    }
}

async fn connect(endpoint: &Endpoint, credentials: impl ProvideCredentials + 'static, pace: &Pace) -> AwsSource {
    let credentials = Some(SharedCredentialsProvider::new(credentials));
    let settings = AwsSettings { credentials, pace: Some(pace.clone()), ..settings_for(endpoint.fake.url()) };
    AwsSource::connect(&settings, None).await.expect("the first credentials")
}

fn pull(endpoint: &Endpoint, credentials: impl ProvideCredentials + 'static) -> Result<Pulled, AwsError> {
    block_on(async { connect(endpoint, credentials, &Pace::new(Budget::default())).await.pull_history(&item()).await })
}

fn assert_names(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no `{word}` in: {text}");
    }
}

#[test]
fn credentials_that_the_service_refuses_are_replaced_and_calls_go_on() {
    let endpoint = Endpoint::start(2);
    let pulled = pull(&endpoint, Numbered::up_to(9)).expect("a history");
    assert_eq!(pulled.history.events.len(), PAGES);
    let keys = ["AKIA1", "AKIA1", "AKIA1", "AKIA2", "AKIA2", "AKIA2", "AKIA3", "AKIA3"];
    assert_eq!(endpoint.signers(), keys, "each is refused once, and the call made again with the next");
}

#[test]
fn credentials_that_end_by_themselves_are_replaced_before_they_are_refused() {
    let endpoint = Endpoint::start(1);
    let over_at_once = Numbered { life: Some(Duration::ZERO), ..Numbered::up_to(99) };
    let pulled = pull(&endpoint, over_at_once).expect("a history");
    assert_eq!(pulled.history.events.len(), PAGES);
    assert_eq!(endpoint.signers().len(), PAGES, "no call was refused");
}

#[test]
fn credentials_that_live_on_are_loaded_once() {
    let endpoint = Endpoint::start(99);
    pull(&endpoint, Numbered { life: Some(Duration::from_hours(1)), ..Numbered::up_to(9) }).expect("a history");
    assert_eq!(endpoint.signers(), ["AKIA1"; PAGES]);
}

#[test]
fn credentials_that_are_about_to_end_are_used_while_there_are_no_others() {
    let endpoint = Endpoint::start(99);
    let about_to_end = Numbered { life: Some(Duration::from_secs(8)), ..Numbered::up_to(1) };
    let source = block_on(async {
        let source = connect(&endpoint, about_to_end, &Pace::new(Budget::default())).await;
        source.pull_history(&item()).await.map(|pulled| pulled.history.events.len())
    });
    assert_eq!(source, Ok(PAGES));
}

#[test]
fn credentials_that_do_not_change_end_the_account_and_say_what_to_do() {
    let endpoint = Endpoint::start(2);
    let error = pull(&endpoint, common::credentials()).expect_err("there are no others");
    assert!(error.is_about_credentials() && !error.is_transient(), "{error:?}");
    assert_names(&error.to_string(), &["session has expired", "aws sso login"]);
    assert_eq!(endpoint.fake.asked(HISTORY), 3, "nobody tries the same again");
}

#[test]
fn credentials_that_cannot_be_had_anew_end_the_account_and_say_why() {
    let endpoint = Endpoint::start(2);
    let error = pull(&endpoint, Numbered::up_to(2)).expect_err("there are two");
    assert!(error.is_about_credentials(), "{error:?}");
    assert_names(&error.to_string(), &["could not be loaded", "single sign-on session is over"]);
    assert_eq!(endpoint.fake.asked(HISTORY), 6);
}

#[test]
fn new_credentials_that_are_refused_as_well_are_given_up() {
    let endpoint = Endpoint::start(0);
    let error = pull(&endpoint, Numbered::up_to(99)).expect_err("none is taken");
    assert!(matches!(error, AwsError::SessionExpired { .. }), "{error:?}");
    assert_eq!(endpoint.fake.asked(HISTORY), 3);
}

#[test]
fn calls_side_by_side_ask_for_new_credentials_once() {
    let endpoint = Endpoint::start(PAGES + 1);
    let numbered = Arc::new(Numbered::up_to(99));
    block_on(async {
        let source = connect(&endpoint, Shared(Arc::clone(&numbered)), &Pace::new(Budget::default())).await;
        let item = item();
        let pulled = futures_util::future::join_all((0..4).map(|_| source.pull_history(&item))).await;
        assert!(pulled.iter().all(|pulled| pulled.as_ref().is_ok_and(|pulled| pulled.history.events.len() == PAGES)), "{pulled:?}");
    });
    // 24 answers at 7 a key, so that three keys are refused: each by one call or by several at a time.
    assert_eq!(numbered.handed_out.load(Ordering::Relaxed), 4);
}

struct Shared(Arc<Numbered>);

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ProvideCredentials for Shared {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        self.0.provide_credentials()
    }
}

#[test]
fn an_account_whose_session_is_over_does_not_stop_another_one() {
    let (endpoint, other) = (Endpoint::start(2), Endpoint::start(99));
    let pace = Pace::new(Budget::default());
    let (over, whole) = block_on(async {
        let first = connect(&endpoint, common::credentials(), &pace).await;
        let second = connect(&other, Numbered::up_to(1), &pace).await;
        let item = item();
        tokio::join!(first.pull_history(&item), second.pull_history(&item))
    });
    assert!(over.expect_err("it is over").is_about_credentials());
    assert_eq!(whole.expect("a history").history.events.len(), PAGES);
}

#[test]
fn an_account_that_credentials_name_is_known_before_the_first_answer() {
    let endpoint = Endpoint::start(0);
    let pace = Pace::new(Budget::default());
    let named = Numbered { account: Some("111111111111"), ..Numbered::up_to(1) };
    block_on(async {
        let source = connect(&endpoint, named, &pace).await;
        source.pull_history(&item()).await.expect_err("nothing is taken");
    });
    let accounts: Vec<Option<String>> = pace.spent().into_iter().map(|spent| spent.account).collect();
    assert_eq!(accounts, [Some("111111111111".to_owned())]);
}

/// What is in force in a process of its own: the SDK reads its environment, and tests share theirs.
mod in_an_environment_of_its_own {
    use super::*;

    const ENDPOINT: &str = "STEPSCOPE_TEST_ENDPOINT";

    /// Run by the test below as a program, with a configuration that it wrote.
    #[test]
    #[ignore = "a program for the other test"]
    #[allow(clippy::print_stdout, reason = "what it prints is its answer")]
    fn pulls() {
        let Ok(url) = std::env::var(ENDPOINT) else { return };
        let settings = AwsSettings {
            profile: Some("oncall".to_owned()),
            endpoint_url: Some(url),
            pace: Some(Pace::new(Budget::default())),
            ..AwsSettings::default()
        };
        let pulled = block_on(async { AwsSource::connect(&settings, Some(REGION)).await?.pull_history(&item()).await });
        match pulled {
            Ok(pulled) => println!("pulled {} events", pulled.history.events.len()),
            Err(error) => println!("failed: {error}"),
        }
    }

    #[test]
    fn a_credential_process_is_asked_again_when_the_service_refuses_what_it_gave() {
        let endpoint = Endpoint::start(2);
        let home = tempfile::tempdir().expect("a folder");
        let (config, script, count) = (home.path().join("config"), home.path().join("keys"), home.path().join("count"));
        let keys = format!(
            "#!/bin/sh\nn=$(cat {0} 2>/dev/null || echo 0)\nn=$((n + 1))\necho $n > {0}\nprintf '{{\"Version\": 1, \"AccessKeyId\": \"AKIA%s\", \
             \"SecretAccessKey\": \"secret\", \"SessionToken\": \"token\", \"Expiration\": \"2099-01-01T00:00:00Z\"}}' $n\n",
            count.display()
        );
        std::fs::write(&script, keys).expect("a file");
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).expect("a mode");
        std::fs::write(&config, format!("[profile oncall]\ncredential_process = {}\n", script.display())).expect("a file");
        let output = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "in_an_environment_of_its_own::pulls", "--ignored", "--nocapture"])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", home.path())
            .env("AWS_CONFIG_FILE", &config)
            .env("AWS_SHARED_CREDENTIALS_FILE", home.path().join("credentials"))
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env(ENDPOINT, endpoint.fake.url())
            .output()
            .expect("it runs");
        assert_names(&String::from_utf8_lossy(&output.stdout), &["pulled 6 events"]);
        assert_eq!(endpoint.signers(), ["AKIA1", "AKIA1", "AKIA1", "AKIA2", "AKIA2", "AKIA2", "AKIA3", "AKIA3"]);
    }
}
