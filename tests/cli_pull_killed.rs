//! Pulls that are stopped, politely and not: nothing fetched is lost, and hardly anything is asked twice.

mod common;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::program::argument;
use common::quota_endpoint::{Fleet, QuotaEndpoint, Quotas};
use common::store::{assert_same_rows, rows};
use common::{LOOPBACK_ENVIRONMENT, REGION};
use serde_json::Value;
use stepscope::sources::aws::Action;

/// No pull of these tests takes longer, on a machine that is busy with others.
const LONGEST: Duration = Duration::from_mins(5);

/// Kills, and how the rest is reached.
const KILLS: usize = 10;

fn start(endpoint: &QuotaEndpoint, quotas: &Quotas, store: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_stepscope"))
        .env_clear()
        .envs(LOOPBACK_ENVIRONMENT)
        .args(["pull", "--since", "2026-01-01", "--region", REGION, "--output", "json"])
        .args(["--endpoint-url", endpoint.url(), "--store", argument(store)])
        .args(quotas.words().into_iter().flat_map(|quota| ["--quota".to_owned(), quota]))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

/// So many executions with short histories, which the endpoint writes in no time: what is in flight depends on the pull alone.
fn short_histories(executions: usize) -> Fleet {
    let mut fleet = Fleet::mixed(4, executions);
    for execution in fleet.machines.iter_mut().flat_map(|machine| &mut machine.executions) {
        execution.events = 6;
    }
    fleet
}

/// Waits until so many calls arrived, or the program has ended; whether it still runs.
fn wait_for_calls(endpoint: &QuotaEndpoint, calls: usize, child: &mut Child) -> bool {
    let began = Instant::now();
    while endpoint.all_calls() < calls {
        if child.try_wait().expect("it can be asked").is_some() {
            return false;
        }
        assert!(began.elapsed() < LONGEST, "it hangs after {} calls", endpoint.all_calls());
        std::thread::sleep(Duration::from_millis(2));
    }
    true
}

fn ended(child: Child) -> (i32, Value, String) {
    let output = child.wait_with_output().expect("it ends");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    let code = output.status.code().unwrap_or_else(|| panic!("ended by {}\n{words}", output.status));
    (code, serde_json::from_slice(&output.stdout).unwrap_or(Value::Null), words)
}

#[test]
fn killed_ten_times_it_ends_with_the_same_store_and_hardly_more_calls() {
    // The faster the buckets, the more calls are in flight at any moment.
    let quotas = Quotas { acceleration: 3.0, ..Quotas::default() };
    let folder = tempfile::tempdir().expect("a folder");
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    let undisturbed = QuotaEndpoint::start(short_histories(2_000), quotas);
    let beside = start(&undisturbed, &quotas, &whole);

    let endpoint = QuotaEndpoint::start(short_histories(2_000), quotas);
    let mut random = fastrand::Rng::with_seed(4);
    let mut moments: Vec<usize> = (0..KILLS).map(|_| random.usize(1..2_000)).collect();
    moments.sort_unstable();
    let mut kills = 0;
    for moment in moments {
        let mut child = start(&endpoint, &quotas, &killed);
        // One that was asked for later than it gets there is killed as soon as it has begun.
        if wait_for_calls(&endpoint, moment.max(endpoint.all_calls() + 1), &mut child) {
            child.kill().expect("it runs");
            kills += 1;
        }
        child.wait().expect("it ends");
    }
    let (code, report, words) = ended(start(&endpoint, &quotas, &killed));
    assert_eq!((code, kills, report["executions"]["new"].as_u64()), (0, KILLS, Some(2_000)), "{words}\n{report:#}");
    assert!(report["places"][0]["resumed_from"].is_string());

    let (code, whole_report, words) = ended(beside);
    assert_eq!((code, whole_report["executions"]["new"].as_u64()), (0, Some(2_000)), "{words}\n{whole_report:#}");
    let usual = undisturbed.all_calls();
    assert_same_rows(&rows(&killed), &rows(&whole), "killed ten times");
    let calls = endpoint.all_calls();
    assert!(calls <= usual + usual / 50, "{usual} calls undisturbed, {calls} with {kills} kills");
    let over = endpoint.over(Action::GetExecutionHistory, 0.5);
    assert!(over < 1.0, "a restart brings no new quota: {over} calls over the half");
}

#[test]
fn interrupted_it_keeps_what_it_has_and_says_how_to_go_on() {
    let quotas = Quotas { acceleration: 5.0, ..Quotas::default() };
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("store");
    let endpoint = QuotaEndpoint::start(Fleet::mixed(2, 600), quotas);
    let mut child = start(&endpoint, &quotas, &store);
    assert!(wait_for_calls(&endpoint, 120, &mut child));
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill is there");
    assert!(interrupted.success());
    let (code, report, words) = ended(child);
    assert_eq!(code, 130, "{words}");
    assert!(words.contains("the same command goes on where it was"), "{words}");
    let new = report["executions"]["new"].as_u64().expect("a count");
    assert!(report["is_interrupted"] == true && new > 30 && new < 600, "{report:#}");
    let (code, report, words) = ended(start(&endpoint, &quotas, &store));
    assert_eq!((code, report["executions"]["new"].as_u64()), (0, Some(600)), "{words}");
    assert!(report["places"][0]["resumed_from"].is_string());
}
