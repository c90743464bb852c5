//! `maps` as its user runs it: on what a local run left, on result files with every kind of damage, on S3 and on an API.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::fake_endpoint::{FakeEndpoint, Reply, Request};
use common::moto::{Moto, moto};
use common::program::{Run, argument, program, stepscope};
use common::{REGION, block_on, credentials};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Forty orders charged four at a time, of which every third card is declined; 20 percent are tolerated.
struct Orders {
    folder: TempDir,
}

impl Orders {
    fn run(map: &Value) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let charge = json!({"StartAt": "Charge", "States": {"Charge": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "charge", "Payload.$": "$"}, "TimeoutSeconds": 900, "End": true}},
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}});
        let writer = json!({"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "results", "Prefix": "orders"}});
        let mut state =
            json!({"Type": "Map", "Label": "Fulfil", "MaxConcurrency": 4, "ItemProcessor": charge, "ResultWriter": writer, "End": true});
        for (name, value) in map.as_object().expect("fields") {
            state[name] = value.clone();
        }
        fs::write(at("orders.asl.json"), json!({"StartAt": "Fulfil", "States": {"Fulfil": state}}).to_string()).expect("a file");
        let items: Vec<Value> = (0..40).map(|order| json!({"order": order, "card": format!("card-{order}")})).collect();
        fs::write(at("items.json"), json!(items).to_string()).expect("a file");
        fs::create_dir(at("bucket")).expect("a folder");
        let answers = folder.path().join("charge.sh");
        let script = "n=$(tr -dc '0-9,' | cut -d, -f1); n=${n#0}; if [ $(( ${n:-0} % 3 )) = 0 ]; then echo \"card was declined by 10.0.0.1$n\" >&2; exit 1; fi; echo '{\"ok\":true}'";
        fs::write(&answers, script).expect("a file");
        let orders = Self { folder };
        let (bucket, bundle) = (format!("results={}", argument(&orders.path("bucket"))), orders.path("bundle.jsonl"));
        let task = format!("*=sh {}", argument(&answers));
        let (definition, items) = (orders.path("orders.asl.json"), orders.path("items.json"));
        stepscope([
            "run",
            argument(&definition),
            "--input",
            argument(&items),
            "--s3",
            &bucket,
            "--task",
            &task,
            "--bundle",
            argument(&bundle),
            "--execution-name",
            "run-1",
        ])
        .ends_with(0);
        orders
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder with the manifest.
    fn results(&self) -> PathBuf {
        let orders = self.path("bucket/orders");
        let mut folders = fs::read_dir(orders).expect("results").map(|entry| entry.expect("an entry").path());
        folders.next().expect("the folder of the Map Run")
    }

    fn maps(&self, arguments: &[&str]) -> Run {
        let bucket = self.path("bucket");
        stepscope([&["maps", "--results", argument(&bucket)], arguments].concat())
    }
}

fn only(document: &Value) -> &Value {
    let runs = document["runs"].as_array().expect("runs");
    assert_eq!(runs.len(), 1);
    &runs[0]
}

fn ids(run: &Value) -> Vec<&str> {
    run["incomplete"].as_array().expect("a list").iter().filter_map(|lack| lack["id"].as_str()).collect()
}

fn unsuccessful(run: &Value) -> u64 {
    ["failed", "timed_out", "aborted"].iter().filter_map(|name| run["executions"][name].as_u64()).sum()
}

fn fits(out: &str) {
    let is_copyable = |line: &str| ["stepscope ", "aws ", "arn:"].iter().any(|start| line.trim_start().starts_with(start));
    for line in out.lines() {
        assert!(is_copyable(line) || line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn the_files_of_a_run_tell_counts_causes_and_how_many_ran_at_once() {
    let orders = Orders::run(&json!({"ToleratedFailurePercentage": 20}));
    let run = orders.maps(&["--output", "json"]).succeeds().json();
    assert_eq!(run["schema"], "stepscope.maps/1");
    let run = only(&run);
    assert_eq!((run["counted_by"].as_str(), run["items"]["total"].as_u64(), run["status"].as_str()), (Some("files"), Some(40), None));
    let sum: u64 = ["succeeded", "failed", "aborted", "pending"].iter().filter_map(|name| run["items"][name].as_u64()).sum();
    assert_eq!(sum, 40);
    let failed = run["items"]["failed"].as_u64().expect("a number");
    assert!((9..=12).contains(&failed), "the ninth failure is more than 20 percent of 40, and others may end in the same moment: {failed}");
    assert_eq!(run["concurrency"]["peak"], 4);
    let group = &run["groups"][0];
    assert_eq!((group["count"].as_u64(), group["message"].as_str()), (Some(failed), Some("card was declined by <ip>")));
    let text = orders.maps(&[]).succeeds();
    text.shows_in_order(&["orders / Fulfil", "status not known", "40 items", "counted from the result files", "failed", "pending"]);
    text.shows_in_order(&[
        "What did not succeed, 2 causes",
        "card was declined by <ip>",
        "input {\"order\":",
        "Slowest",
        "--failed-inputs",
    ]);
    fits(&text.out);
}

trait InOrder {
    fn shows_in_order(&self, words: &[&str]);
}

impl InOrder for Run {
    #[track_caller]
    fn shows_in_order(&self, words: &[&str]) {
        let mut rest = self.out.as_str();
        for word in words {
            let at = rest.find(word).unwrap_or_else(|| panic!("no `{word}` where it should be in\n{}", self.out));
            rest = &rest[at..];
        }
    }
}

#[test]
fn histories_tell_the_same_and_who_broke_it() {
    let orders = Orders::run(&json!({"ToleratedFailurePercentage": 20}));
    let (bundle, store) = (orders.path("bundle.jsonl"), orders.path("store"));
    let ask = |arguments: &[&str]| stepscope([&["maps", "--output", "json"], arguments].concat()).succeeds().json();
    let by_files = orders.maps(&["--output", "json"]).succeeds().json();
    let by_histories = ask(&["--input", argument(&bundle)]);
    let (files, run) = (only(&by_files), only(&by_histories));
    for same in ["map_run", "items", "executions", "label", "state_machine"] {
        assert_eq!(files[same], run[same], "{same}");
    }
    assert_eq!((&run["concurrency"]["peak"], &run["concurrency"]["limit"]), (&json!(4), &json!(4)));
    assert_eq!((run["status"].as_str(), run["error"].as_str()), (Some("FAILED"), Some("States.ExceedToleratedFailureThreshold")));
    let tolerance = &run["tolerance"];
    assert_eq!(
        (&tolerance["exceeded"], &tolerance["percentage"], &tolerance["failed_percentage"]),
        (&json!(true), &json!(20.0), &json!(22.5))
    );
    assert!(tolerance["broken_by"].as_str().expect("a child").contains("execution:orders/Fulfil:"));
    assert_eq!(run["groups"][0]["state"], "Charge");
    let failures = stepscope(["failures", "--input", argument(&bundle), "--output", "json"]).ends_with(0).json();
    let known: Vec<&str> = failures["groups"].as_array().expect("groups").iter().filter_map(|group| group["id"].as_str()).collect();
    assert!(known.contains(&run["groups"][0]["id"].as_str().expect("an id")), "`failures` names the same groups: {known:?}");
    stepscope(["ingest", "--store", argument(&store), argument(&bundle)]).ends_with(0);
    let mut stored = ask(&["--store", argument(&store)]);
    let mut read = by_histories.clone();
    for document in [&mut stored, &mut read] {
        document["runs"][0]["next"] = json!(null);
    }
    assert_eq!(stored, read);
    let execution = run["execution"].as_str().expect("an ARN");
    assert_eq!(only(&ask(&[execution, "--store", argument(&store)]))["map_run"], run["map_run"]);
    let other = execution.replace("run-1", "run-2");
    stepscope(["maps", &other, "--store", argument(&store)]).ends_with(4).says(&["no Map Run of", "run-2"]);
}

#[test]
fn the_commands_that_it_tells_run() {
    let orders = Orders::run(&json!({"ToleratedFailurePercentage": 20}));
    let bundle = orders.path("bundle.jsonl");
    let bucket = orders.path("bucket");
    for arguments in [["--input", argument(&bundle)], ["--results", argument(&bucket)]] {
        let run = stepscope([&["maps", "--output", "json"], &arguments[..]].concat()).succeeds().json();
        let next = only(&run)["next"].as_array().expect("commands").clone();
        assert!(next.len() >= 2, "{next:?}");
        for next in next {
            let command = next["command"].as_str().expect("a command");
            let Some(words) = command.strip_prefix("stepscope ") else { continue };
            // Without histories a child is asked of the API.
            if arguments[0] == "--results" && words.starts_with("why") {
                continue;
            }
            let there = tempfile::tempdir().expect("a folder");
            let words = words.replace("failed.json", argument(&there.path().join("failed.json")));
            let words = words.replace("pending.json", argument(&there.path().join("pending.json")));
            stepscope(words.split(' ')).ends_with(0);
        }
    }
}

#[test]
fn the_inputs_of_what_failed_are_a_file_that_runs_again() {
    let orders = Orders::run(&json!({"ToleratedFailurePercentage": 20}));
    let (failed, pending, lines) = (orders.path("failed.json"), orders.path("pending.json"), orders.path("failed.jsonl"));
    let run = orders.maps(&["--failed-inputs", argument(&failed), "--pending-inputs", argument(&pending), "--output", "json"]).ends_with(0);
    let document = run.says(&["failed.json: ", "pending.json: "]).json();
    let read = |path: &Path| serde_json::from_slice::<Vec<Value>>(&fs::read(path).expect("the file")).expect("an array");
    let run = only(&document);
    assert_eq!(read(&failed).len() as u64, unsuccessful(run));
    assert_eq!(read(&pending).len() as u64, run["items"]["pending"].as_u64().expect("a number"));
    assert_eq!(document["written"][0]["items"], json!(unsuccessful(run)));
    orders.maps(&["--failed-inputs", argument(&lines)]).ends_with(0);
    let of_lines: Vec<Value> =
        fs::read_to_string(&lines).expect("the file").lines().map(|line| serde_json::from_str(line).expect("an item a line")).collect();
    assert_eq!(of_lines, read(&failed));
    let definition = orders.path("orders.asl.json");
    let results = format!("results={}", argument(&orders.path("bucket")));
    let again =
        stepscope(["run", argument(&definition), "--input", argument(&failed), "--s3", &results, "--mock", "*={}", "--output", "json"]);
    assert_eq!(again.ends_with(0).json()["outcome"]["status"], "SUCCEEDED");
}

#[test]
fn secrets_are_masked_on_the_screen_and_not_in_the_file() {
    let files = Files::new();
    files.write("FAILED_0.json", &format!("[{}]", Files::record(1, "FAILED", r#"{\"password\":\"hunter2-and-more\"}"#, "")));
    let failed = files.folder.path().join("failed.json");
    let run = files.maps(&["--failed-inputs", argument(&failed)]);
    assert!(!run.out.contains("hunter2-and-more"), "{}", run.out);
    assert!(fs::read_to_string(&failed).expect("the file").contains("hunter2-and-more"));
}

#[test]
fn batches_are_unfolded_and_their_items_counted() {
    let orders = Orders::run(&json!({"ToleratedFailurePercentage": 100, "ItemBatcher": {"MaxItemsPerBatch": 8}}));
    let failed = orders.path("failed.json");
    let run = orders.maps(&["--failed-inputs", argument(&failed), "--output", "json"]).ends_with(0).json();
    let (items, executions) = (&only(&run)["items"], &only(&run)["executions"]);
    assert_eq!((items["total"].as_u64(), executions["total"].as_u64(), &only(&run)["batched"]), (Some(40), Some(5), &json!(true)));
    assert_eq!(items["failed"].as_u64(), executions["failed"].as_u64().map(|count| count * 8));
    let written: Vec<Value> = serde_json::from_slice(&fs::read(&failed).expect("the file")).expect("an array");
    assert_eq!(written.len() as u64, items["failed"].as_u64().expect("a number"));
    assert!(written.iter().all(|item| item["order"].is_u64()));
    assert_eq!(run["written"][0]["unfolded"], executions["failed"]);
    orders.maps(&[]).succeeds().shows(&["40 items in 5 batches", "child executions:"]);
}

#[test]
fn outputs_in_place_of_records_are_counted_and_said() {
    for transformation in ["COMPACT", "FLATTEN"] {
        let writer = json!({"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "results", "Prefix": "orders"},
            "WriterConfig": {"Transformation": transformation, "OutputType": "JSONL"}});
        let orders = Orders::run(&json!({"ToleratedFailurePercentage": 100, "ResultWriter": writer}));
        let run = orders.maps(&["--output", "json"]).succeeds().json();
        assert_eq!((&only(&run)["items"]["total"], &only(&run)["items"]["failed"]), (&json!(40), &json!(14)), "{transformation}");
        assert_eq!(ids(only(&run)), ["outputs_only"]);
    }
}

/// Result files as a test writes them.
struct Files {
    folder: TempDir,
}

impl Files {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).expect("a file");
    }

    fn record(number: u64, status: &str, input: &str, more: &str) -> String {
        let minute = number % 60;
        let head = "arn:aws:states:eu-west-1:111111111111";
        format!(r#"{{"ExecutionArn":"{head}:execution:Orders/Each:{number:04}","Input":"{input}","InputDetails":{{"Included":true}},"#)
            + &format!(
                r#""Status":"{status}","StateMachineArn":"{head}:stateMachine:Orders/Each","StartDate":"2026-11-20T08:{minute:02}:00.000Z","#
            )
            + &format!(r#""StopDate":"2026-11-20T08:{minute:02}:30.000Z"{more}}}"#)
    }

    fn manifest(&self, failed: &[(&str, u64)], succeeded: &[(&str, u64)]) {
        let files = |files: &[(&str, u64)]| -> Vec<Value> {
            files.iter().map(|(name, size)| json!({"Key": format!("p/5b0f/{name}"), "Size": size})).collect()
        };
        let manifest = json!({"DestinationBucket": "results", "MapRunArn": "arn:aws:states:eu-west-1:111111111111:mapRun:Orders/Each:5b0f",
            "ResultFiles": {"FAILED": files(failed), "PENDING": [], "SUCCEEDED": files(succeeded)}});
        self.write("manifest.json", &manifest.to_string());
    }

    fn maps(&self, arguments: &[&str]) -> Run {
        stepscope([&["maps", "--results", argument(self.folder.path())], arguments].concat())
    }
}

#[test]
fn a_file_that_breaks_off_counts_as_far_as_it_came() {
    let files = Files::new();
    let whole = format!("[{},{}]", Files::record(1, "FAILED", "1", ""), Files::record(2, "FAILED", "2", ""));
    files.write("FAILED_0.json", &whole[..whole.len() - 30]);
    files.manifest(&[("FAILED_0.json", whole.len() as u64)], &[]);
    let run = files.maps(&["--output", "json"]).ends_with(1).says(&["FAILED_0.json", "breaks off after 1 elements"]).json();
    assert_eq!((only(&run)["items"]["failed"].as_u64(), ids(only(&run))), (Some(1), vec!["results_broken"]));
    assert!(only(&run)["results"]["files"][0]["broke_off"].is_string());
    files.maps(&[]).ends_with(1).shows(&["Not known", "counted is what came before"]);
}

#[test]
fn a_file_that_is_gone_and_one_of_another_size_are_said() {
    let files = Files::new();
    let one = format!("[{}]", Files::record(1, "FAILED", "1", ""));
    files.write("FAILED_0.json", &one);
    files.manifest(&[("FAILED_0.json", one.len() as u64 + 7), ("FAILED_1.json", 12)], &[]);
    let run = files.maps(&["--output", "json"]).ends_with(1).says(&["FAILED_1.json", "its manifest says"]).json();
    assert_eq!((only(&run)["items"]["failed"].as_u64(), ids(only(&run))), (Some(1), vec!["results_size", "results_broken"]));
}

#[test]
fn damaged_records_and_manifests_do_not_hide_the_others() {
    let files = Files::new();
    let one = Files::record(1, "FAILED", "1", "");
    files.write("FAILED_0.jsonl", &format!("{one}\n{{\"Execution\n7\n{}\n", Files::record(2, "TIMED_OUT", "2", "")));
    files.write("manifest.json", "{\"DestinationBucket\": 7");
    let run =
        files.maps(&["--output", "json"]).ends_with(1).says(&["manifest.json is no manifest", "element 2 (at byte", "element 3"]).json();
    assert_eq!((&only(&run)["items"]["failed"], &only(&run)["items"]["timed_out"]), (&json!(1), &json!(1)));
    assert_eq!(ids(only(&run)), ["results_damaged", "no_manifest"]);
}

#[test]
fn no_items_at_all_is_a_run_and_no_files_are_none() {
    let files = Files::new();
    files.manifest(&[], &[]);
    let run = files.maps(&[]).succeeds();
    run.shows_in_order(&["Orders / Each", "0 items"]);
    let empty = tempfile::tempdir().expect("a folder");
    stepscope(["maps", "--results", argument(empty.path())]).ends_with(4).says(&["no manifest.json and no SUCCEEDED"]);
    stepscope(["maps", "--results", "/nowhere/at/all"]).ends_with(1).says(&["/nowhere/at/all"]);
}

#[test]
fn inputs_that_are_not_there_are_named_in_place_of_being_written() {
    let files = Files::new();
    let cut = Files::record(1, "FAILED", "1", "").replace("\"Included\":true", "\"Included\":false");
    files.write("FAILED_0.json", &format!("[{cut},{}]", Files::record(2, "FAILED", "{\\\"a\\\":1}", "")));
    let failed = files.folder.path().join("failed.json");
    let run = files.maps(&["--failed-inputs", argument(&failed), "--output", "json"]).ends_with(0);
    let run = run.says(&["1 item of 1 child; the input of 1 child is not known", "Orders/Each:0001"]).json();
    assert_eq!(fs::read_to_string(&failed).expect("the file"), "[\n{\"a\":1}\n]\n");
    assert_eq!(run["written"][0]["without_input"], json!(["arn:aws:states:eu-west-1:111111111111:execution:Orders/Each:0001"]));
}

#[test]
fn inputs_of_two_runs_do_not_go_into_one_file() {
    let files = Files::new();
    for run in ["one", "two"] {
        fs::create_dir(files.folder.path().join(run)).expect("a folder");
        files.write(&format!("{run}/FAILED_0.json"), &format!("[{}]", Files::record(1, "FAILED", "1", "")));
    }
    let failed = files.folder.path().join("failed.json");
    files.maps(&["--failed-inputs", argument(&failed)]).ends_with(2).says(&["2 Map Runs"]);
    assert!(!failed.exists(), "nothing half-written is left");
    assert_eq!(fs::read_dir(files.folder.path()).expect("the folder").count(), 2);
    let lines = files.maps(&["--output", "jsonl"]).succeeds().json_lines();
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line["schema"] == "stepscope.maps.run/1"));
}

#[test]
fn usage_that_contradicts_itself_is_said() {
    stepscope(["maps", "--results", "a", "--input", "b"]).ends_with(2).says(&["either --results or --input"]);
    stepscope(["maps", "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders"]).ends_with(2).says(&["names a state machine"]);
    stepscope(["maps", "--results", "s3:/x"]).ends_with(2).says(&["s3://BUCKET/PREFIX"]);
    stepscope(["maps", "run-1", "--store", "store"]).ends_with(2).says(&["`run-1` is no ARN; with --store name"]);
    let express = "arn:aws:states:eu-west-1:111111111111:express:Orders:run-1:5b0f";
    stepscope(["maps", express]).ends_with(1).says(&["is Express"]);
}

#[test]
fn text_from_outside_does_not_reach_the_terminal() {
    let files = Files::new();
    let record = Files::record(1, "FAILED", "\\\"\\\\u001b[31m\\\"", r#","Error":"\u001b[2JBad","Cause":"a\u0007b""#);
    files.write("FAILED_0.json", &format!("[{record}]"));
    let run = files.maps(&[]).succeeds();
    assert!(!run.out.contains('\u{1b}') && !run.out.contains('\u{7}'), "{:?}", run.out);
}

#[test]
fn exit_status_tells_of_failed_items() {
    let files = Files::new();
    files.write("SUCCEEDED_0.json", &format!("[{}]", Files::record(1, "SUCCEEDED", "1", "")));
    files.maps(&["--exit-status"]).ends_with(0);
    files.write("FAILED_0.json", &format!("[{}]", Files::record(2, "FAILED", "1", "")));
    files.maps(&["--exit-status"]).ends_with(3);
    let run = files.maps(&["--failed-only", "--output", "json"]).succeeds().json();
    assert_eq!((&only(&run)["items"]["succeeded"], ids(only(&run))), (&json!(0), vec!["succeeded_not_read", "no_manifest"]));
}

/// Puts a folder of files into a bucket of its own; returns the bucket's name.
fn upload(moto: &Moto, folder: &Path, prefix: &str) -> String {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    let bucket = format!("results-{}", NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    let config = aws_sdk_s3::config::Builder::new()
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
        .region(aws_sdk_s3::config::Region::new("us-east-1"))
        .endpoint_url(moto.url())
        .force_path_style(true)
        .credentials_provider(credentials());
    let client = aws_sdk_s3::Client::from_conf(config.build());
    block_on(async {
        client.create_bucket().bucket(&bucket).send().await.expect("moto makes the bucket");
        for entry in fs::read_dir(folder).expect("the folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let body = fs::read(&path).expect("the file").into();
            client.put_object().bucket(&bucket).key(format!("{prefix}{name}")).body(body).send().await.expect("moto takes the object");
        }
    });
    bucket
}

/// The program with an endpoint, in a region.
fn asking(url: &str, arguments: &[&str]) -> Run {
    Run::of(program().args(["maps", "--endpoint-url", url, "--region", REGION]).args(arguments))
}

#[test]
fn files_in_a_bucket_say_what_they_say_in_a_folder() {
    let Some(moto) = moto() else { return };
    let orders = Orders::run(&json!({"ToleratedFailurePercentage": 20}));
    let id = orders.results().file_name().expect("a name").to_string_lossy().into_owned();
    let bucket = upload(moto, &orders.results(), &format!("orders/{id}/"));
    let by_folder = orders.maps(&["--output", "json"]).succeeds().json();
    let without_places = |document: &Value| {
        let mut run = only(document).clone();
        run["results"] = json!(null);
        run["next"] = json!(null);
        run
    };
    for place in [format!("s3://{bucket}"), format!("s3://{bucket}/orders/"), format!("s3://{bucket}/orders/{id}/manifest.json")] {
        let run = asking(&moto.url(), &["--results", &place, "--output", "json"]).succeeds().json();
        assert_eq!(without_places(&run), without_places(&by_folder), "{place}");
        assert_eq!(only(&run)["results"]["location"], json!(format!("s3://{bucket}/orders/{id}/manifest.json")));
    }
    asking(&moto.url(), &["--results", &format!("s3://{bucket}/nothing/")]).ends_with(4).says(&["no manifest.json"]);
    asking(&moto.url(), &["--results", "s3://no-such-bucket-at-all/x/"]).ends_with(1).says(&["NoSuchBucket"]);
    asking(&moto.url(), &["--results", &format!("s3://{bucket}/x/manifest.json")]).ends_with(1).says(&["NoSuchKey"]);
}

const RUN: &str = "arn:aws:states:eu-west-1:123456789012:mapRun:Orders/Each:5b0f";
const EXECUTION: &str = "arn:aws:states:eu-west-1:123456789012:execution:Orders:run-1";
const START: f64 = 1_795_161_600.0;

/// An account with one Map Run of ten children, of which three failed and one timed out; two failures are tolerated.
#[derive(Clone, Copy)]
struct Account {
    status: &'static str,
    /// What S3 answers.
    s3: (u16, &'static str),
    /// The definition's ResultWriter.
    writes: bool,
}

impl Account {
    fn start(self) -> FakeEndpoint {
        FakeEndpoint::start(move |request| self.answer(request))
    }

    fn answer(self, request: &Request) -> Reply {
        match request.action.as_str() {
            "ListMapRuns" => match request.token() {
                None => Reply::Json(json!({"mapRuns": [], "nextToken": "more"})),
                Some(_) => Reply::Json(json!({"mapRuns": [{"executionArn": EXECUTION, "mapRunArn": RUN,
                    "stateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:Orders/Each", "startDate": START}]})),
            },
            "DescribeMapRun" => Reply::Json(self.described()),
            "ListExecutions" => Reply::Json(children(request)),
            "DescribeExecution" => Reply::Json(execution(request.body["executionArn"].as_str().unwrap_or_default())),
            "GetExecutionHistory" => Reply::Json(history(request.body["executionArn"].as_str().unwrap_or_default())),
            "DescribeStateMachineForExecution" => Reply::Json(self.machine()),
            "" => Reply::Raw(self.s3.0, self.s3.1.into()),
            _ => Reply::Error("UnknownOperationException", "not here"),
        }
    }

    fn described(self) -> Value {
        let counts = json!({"pending": 0, "running": i32::from(self.status == "RUNNING"), "succeeded": 6, "failed": 3, "timedOut": 1,
            "aborted": 0, "total": 10, "resultsWritten": 0, "failuresNotRedrivable": 1, "pendingRedrive": 0});
        let mut described = json!({"mapRunArn": RUN, "executionArn": EXECUTION, "status": self.status, "startDate": START, "maxConcurrency": 5,
            "toleratedFailurePercentage": 0.0, "toleratedFailureCount": 2, "itemCounts": counts, "executionCounts": counts, "redriveCount": 1,
            "redriveDate": START + 50.0});
        if self.status != "RUNNING" {
            described["stopDate"] = json!(START + 100.0);
        }
        described
    }

    fn machine(self) -> Value {
        let mut map = json!({"Type": "Map", "End": true, "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "Charge",
            "States": {"Charge": {"Type": "Pass", "End": true}}}});
        if self.writes {
            map["ResultWriter"] = json!({"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "results", "Prefix": "p"}});
        }
        let definition = json!({"StartAt": "Each", "States": {"Each": map}});
        json!({"stateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:Orders", "name": "Orders", "roleArn": "arn:aws:iam::123456789012:role/r",
            "definition": definition.to_string(), "updateDate": START})
    }
}

fn child(number: u64) -> String {
    format!("arn:aws:states:eu-west-1:123456789012:execution:Orders/Each:{number}")
}

fn status(number: u64) -> &'static str {
    match number {
        0..3 => "FAILED",
        3 => "TIMED_OUT",
        _ => "SUCCEEDED",
    }
}

fn children(request: &Request) -> Value {
    let wanted = request.body["statusFilter"].as_str().unwrap_or_default();
    #[allow(clippy::cast_precision_loss, reason = "ten")]
    let item = |number: u64| {
        json!({"executionArn": child(number), "stateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:Orders/Each", "name": number.to_string(),
            "status": status(number), "startDate": START + number as f64, "stopDate": START + number as f64 + 5.0, "mapRunArn": RUN})
    };
    let from: usize = request.token().and_then(|token| token.parse().ok()).unwrap_or(0);
    let all: Vec<Value> = (0..10).filter(|number| status(*number) == wanted).map(item).collect();
    let next = (from + 4 < all.len()).then(|| (from + 4).to_string());
    json!({"executions": all.into_iter().skip(from).take(4).collect::<Vec<_>>(), "nextToken": next})
}

fn execution(arn: &str) -> Value {
    let number: Option<u64> = arn.rsplit(':').next().and_then(|name| name.parse().ok());
    let mut described = json!({"executionArn": arn, "stateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:Orders", "status": "FAILED",
        "startDate": START, "stopDate": START + 100.0, "redriveStatus": "REDRIVABLE"});
    if let Some(number) = number {
        described["status"] = json!(status(number));
        described["input"] = json!(format!("{{\"order\":{number}}}"));
        described["stopDate"] = json!(START + 5.0);
        if number < 3 {
            described["error"] = json!("Declined");
            described["cause"] = json!(format!("card {number} was declined"));
        }
    }
    described
}

fn history(arn: &str) -> Value {
    let at = |seconds: f64| json!(START + seconds);
    if arn == EXECUTION {
        return json!({"events": [
            {"id": 1, "previousEventId": 0, "timestamp": at(0.0), "type": "ExecutionStarted", "executionStartedEventDetails": {"input": "{}"}},
            {"id": 2, "previousEventId": 0, "timestamp": at(0.0), "type": "MapStateEntered", "stateEnteredEventDetails": {"name": "Each", "input": "{}"}},
            {"id": 3, "previousEventId": 2, "timestamp": at(0.0), "type": "MapStateStarted", "mapStateStartedEventDetails": {"length": 0}},
            {"id": 4, "previousEventId": 3, "timestamp": at(0.0), "type": "MapRunStarted", "mapRunStartedEventDetails": {"mapRunArn": RUN}},
            {"id": 5, "previousEventId": 4, "timestamp": at(100.0), "type": "MapRunFailed", "mapRunFailedEventDetails":
                {"error": "States.ExceedToleratedFailureThreshold", "cause": "The specified tolerated failure threshold was exceeded"}},
            {"id": 6, "previousEventId": 5, "timestamp": at(100.0), "type": "MapStateFailed"},
            {"id": 7, "previousEventId": 6, "timestamp": at(100.0), "type": "ExecutionFailed", "executionFailedEventDetails":
                {"error": "States.ExceedToleratedFailureThreshold", "cause": "The specified tolerated failure threshold was exceeded"}}]});
    }
    json!({"events": [
        {"id": 1, "previousEventId": 0, "timestamp": at(0.0), "type": "ExecutionStarted", "executionStartedEventDetails": {"input": "{}"}},
        {"id": 2, "previousEventId": 0, "timestamp": at(0.0), "type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "Charge", "input": "{}"}},
        {"id": 3, "previousEventId": 2, "timestamp": at(1.0), "type": "TaskScheduled", "taskScheduledEventDetails":
            {"resourceType": "lambda", "resource": "invoke", "region": REGION, "parameters": "{}"}},
        {"id": 4, "previousEventId": 3, "timestamp": at(1.0), "type": "TaskStarted", "taskStartedEventDetails": {"resourceType": "lambda", "resource": "invoke"}},
        {"id": 5, "previousEventId": 4, "timestamp": at(5.0), "type": "TaskFailed", "taskFailedEventDetails":
            {"resourceType": "lambda", "resource": "invoke", "error": "Declined", "cause": "the card was declined"}},
        {"id": 6, "previousEventId": 5, "timestamp": at(5.0), "type": "ExecutionFailed", "executionFailedEventDetails": {"error": "Declined", "cause": "x"}}]})
}

const DENIED: (u16, &str) = (403, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>");

#[test]
fn without_result_files_the_children_are_listed_and_some_described() {
    let endpoint = Account { status: "FAILED", s3: DENIED, writes: false }.start();
    for asked in [EXECUTION, RUN] {
        let run = asking(endpoint.url(), &[asked, "--output", "json"]).succeeds().json();
        let run = only(&run);
        assert_eq!(
            (&run["counted_by"], &run["items"]["total"], &run["status"], &run["state"]),
            (&json!("service"), &json!(10), &json!("FAILED"), &json!("Each"))
        );
        let tolerance = &run["tolerance"];
        assert_eq!((&tolerance["count"], &tolerance["exceeded"], &tolerance["failed_items"]), (&json!(2), &json!(true), &json!(4)));
        assert_eq!(tolerance["broken_by"], json!(child(2)), "the third failure is one too many");
        assert_eq!((&run["redrive"]["count"], &run["redrive"]["status"]), (&json!(1), &json!("REDRIVABLE")));
        let declined = &run["groups"][0];
        assert_eq!(
            (&declined["count"], &declined["state"], &declined["explained"][0]["state"]),
            (&json!(3), &json!("Charge"), &json!("Charge"))
        );
        assert_eq!(run["concurrency"]["children"], 10);
        assert_eq!(run["incomplete"], json!([]));
    }
    let text = asking(endpoint.url(), &[RUN]).succeeds();
    text.shows_in_order(&[
        "Orders / Each",
        "FAILED after 1m 40s",
        "counted by the service",
        "tolerates 2 failed items",
        "one too many at",
        "at once",
        "redriven",
    ]);
    text.shows_in_order(&["Charge", "Declined", "card <num> was declined", "Next", "aws stepfunctions redrive-execution"]);
    fits(&text.out);
}

#[test]
fn what_was_not_asked_for_is_said() {
    let endpoint = Account { status: "FAILED", s3: DENIED, writes: false }.start();
    let run = asking(endpoint.url(), &[RUN, "--describe", "2", "--list", "3", "--children", "0", "--output", "json"]).succeeds().json();
    let run = only(&run);
    assert_eq!(ids(run), ["children_not_listed", "children_not_described"]);
    assert_eq!((&run["unexplained"], &run["groups"][0]["explained"]), (&json!(2), &json!([])));
    assert_eq!(endpoint.asked("DescribeExecution"), 3, "the parent's, and two children's");
}

#[test]
fn inputs_of_listed_children_are_all_looked_up() {
    let endpoint = Account { status: "FAILED", s3: DENIED, writes: false }.start();
    let folder = tempfile::tempdir().expect("a folder");
    let failed = folder.path().join("failed.json");
    asking(endpoint.url(), &[RUN, "--failed-inputs", argument(&failed), "--describe", "1"]).ends_with(0).says(&["4 items of 4 children"]);
    let orders: Vec<Value> = serde_json::from_slice(&fs::read(&failed).expect("the file")).expect("an array");
    assert_eq!(orders.iter().filter_map(|item| item["order"].as_u64()).sum::<u64>(), 6);
}

#[test]
fn a_bucket_that_may_not_be_read_is_said_and_the_children_are_listed() {
    let endpoint = Account { status: "FAILED", s3: DENIED, writes: true }.start();
    let run = asking(endpoint.url(), &[EXECUTION, "--output", "json"]).ends_with(1);
    let run = run.says(&["s3://results/p/5b0f/manifest.json", "s3:GetObject", "arn:aws:s3:::results/p/5b0f/manifest.json"]).json();
    assert_eq!((ids(only(&run)), &only(&run)["groups"][0]["count"]), (vec!["results_not_read"], &json!(3)));
}

#[test]
fn counts_that_disagree_with_the_files_are_said() {
    let endpoint = Account {
        status: "FAILED",
        s3: (200, r#"{"DestinationBucket":"results","ResultFiles":{"FAILED":[],"PENDING":[],"SUCCEEDED":[]}}"#),
        writes: true,
    }
    .start();
    let run = asking(endpoint.url(), &[RUN, "--output", "json"]).succeeds().json();
    assert_eq!(ids(only(&run)), ["counts_differ"]);
    let text = only(&run)["incomplete"][0]["text"].as_str().expect("words");
    assert!(text.contains("4 and 0 unsuccessful") && text.contains("6 and 0 succeeded"), "{text}");
    assert_eq!(only(&run)["items"]["failed"], 3, "the service's numbers are shown");
}

#[test]
fn a_run_that_goes_on_is_listed_and_has_no_end() {
    let endpoint = Account { status: "RUNNING", s3: DENIED, writes: true }.start();
    let run = asking(endpoint.url(), &[RUN]).succeeds();
    run.shows_in_order(&["RUNNING", "since 2026", "running"]);
    assert!(!run.out.contains("redrive-execution"), "{}", run.out);
}

#[test]
fn an_execution_without_map_runs_has_none() {
    let endpoint = FakeEndpoint::start(|_| Reply::Json(json!({"mapRuns": []})));
    asking(endpoint.url(), &[EXECUTION]).ends_with(4).says(&["has no Map Run", "DISTRIBUTED"]);
    let denied = FakeEndpoint::start(|_| Reply::Error("AccessDeniedException", "no"));
    asking(denied.url(), &[EXECUTION]).ends_with(1).says(&["states:ListMapRuns"]);
    asking(denied.url(), &[RUN]).ends_with(1).says(&["states:DescribeMapRun"]);
    let endless = FakeEndpoint::start(|_| Reply::Json(json!({"mapRuns": [], "nextToken": "again"})));
    asking(endless.url(), &[EXECUTION]).ends_with(1).says(&["does not end"]);
}

#[test]
fn an_object_that_breaks_off_counts_as_far_as_it_came() {
    let records: Vec<Value> = (0..4).map(|number| serde_json::from_str(&Files::record(number, "FAILED", "7", "")).expect("JSON")).collect();
    let manifest = json!({"ResultFiles": {"FAILED": [{"Key": "p/FAILED_0.json", "Size": 7}], "PENDING": [], "SUCCEEDED": []}});
    let endpoint = FakeEndpoint::start(move |request| match request.earlier {
        0 => Reply::Json(manifest.clone()),
        _ => Reply::Half(json!(records)),
    });
    let run = asking(endpoint.url(), &["--results", "s3://results/p/manifest.json", "--output", "json"]).ends_with(1);
    let run = run.says(&["s3://results/p/FAILED_0.json", "counted is what came before"]).json();
    let failed = only(&run)["items"]["failed"].as_u64().expect("a number");
    assert!((1..4).contains(&failed), "{failed}");
    assert_eq!(ids(only(&run)), ["results_broken"]);
}
