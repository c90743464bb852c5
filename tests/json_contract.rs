//! Holds `docs/json.md`: what the program writes as JSON is what the tables of that page say, and they say nothing else.
//!
//! The page is the list. It is read from its Markdown, the program is run on incidents that make it write every field, and
//! the two are compared in both directions.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use common::fake_endpoint::{FakeEndpoint, Reply};
use common::function_log::FunctionLog;
use common::limits::{lines, near_limits};
use common::program::{program, stepscope_reading};
use common::quota_endpoint::{Fleet, QuotaEndpoint, Quotas};
use serde::Serialize;
use serde_json::{Value, json};
use stepscope::analysis::audit::rule::Level as AuditLevel;
use stepscope::analysis::callbacks::{Between, DeadlineBy, Verdict as WaitVerdict, WaitsFor as WaitKind, WorkingHours};
use stepscope::analysis::changes::{Direction as ChangeDirection, Season, Shape as ChangeShape, Signal as ChangeSignal, What as Deployed};
use stepscope::analysis::compare::{Kind as AttributeKind, Reason, Relation};
use stepscope::analysis::cost::{ConditionId, Item, PeriodLength};
use stepscope::analysis::execution::WaitsFor;
use stepscope::analysis::finding::{Confidence as FindingConfidence, Severity as FindingSeverity};
use stepscope::analysis::latency::{By, Compared as LatencyCompared, Verdict as LatencyVerdict};
use stepscope::analysis::maps::{Children, Evidence, ExplainedChild, Lack, MapsReport, Parent};
use stepscope::analysis::pull::{Missing, PlaceOutcome};
use stepscope::analysis::pull_logs::{MachineLogs, Via, advice};
use stepscope::analysis::replay::{Chance, Change, DefinitionSource, Verdict};
use stepscope::analysis::runway::{Growth, Limit, LimitSource, Period, RunwayBasis};
use stepscope::analysis::show::ScopeKind;
use stepscope::analysis::storms::remedy::{DefinitionBasis, Verdict as RemedyVerdict};
use stepscope::analysis::storms::{Pattern as StormPattern, Spread};
use stepscope::analysis::task_log::{FunctionOutcome, LogBasis, Logged};
use stepscope::analysis::trace::{SpanBasis, SpanRole, TraceBasis};
use stepscope::analysis::variants::EdgeKind;
use stepscope::analysis::why::{Basis, Confidence, Kind};
use stepscope::asl::check::{Code, MachineType, Severity};
use stepscope::model::builder::{HistoryBuilder, history, seconds};
use stepscope::model::facts::WorkflowType;
use stepscope::model::history::LoggedLevel;
use stepscope::model::path::{AttemptOutcome, VisitOutcome};
use stepscope::model::span::SpanKind;
use stepscope::model::wire::WireBundle;
use stepscope::model::{
    Details, EventId, EventType, ExecutionArn, ExecutionStatus, Gap, MapChild, MapRun, MapRunCounts, Micros, StateType, Timestamp,
};
use stepscope::sources::insights::ColumnKind;
use stepscope::store::maintain::FindingKind;
use tempfile::TempDir;

/// The page, by its headings.
struct Page {
    objects: BTreeMap<String, Vec<Field>>,
    values: BTreeMap<String, Vec<String>>,
}

/// A row of a table of fields.
#[derive(Clone)]
struct Field {
    name: String,
    /// In which rows of the tree it stands; empty for everywhere.
    rows: Vec<String>,
    shape: Shape,
}

/// What the type column says.
#[derive(Clone)]
enum Shape {
    Text,
    Integer,
    Number,
    /// Values that stand by names from outside.
    IntegersByName,
    Boolean,
    Time,
    JsonText,
    AnyJson,
    Named(String),
    List(Box<Shape>),
    Pair(Box<Shape>, Box<Shape>),
    OrNull(Box<Shape>),
    /// Any of several objects: the one that has just these fields.
    OneOf(Vec<String>),
}

impl Page {
    fn read() -> Self {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/json.md")).expect("the page");
        let mut page = Self { objects: BTreeMap::new(), values: BTreeMap::new() };
        let (mut heading, mut columns) = (String::new(), Vec::new());
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("### ").or_else(|| line.strip_prefix("## ")) {
                name.clone_into(&mut heading);
            } else if let Some(parent) = line.strip_prefix("All fields of ") {
                let inherited = page.objects[linked(parent).expect("a link")].clone();
                page.objects.entry(heading.clone()).or_default().extend(inherited);
            }
            let Some(cells) = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")) else {
                if !line.starts_with('|') {
                    columns.clear();
                }
                continue;
            };
            let cells: Vec<&str> = cells.split(" | ").map(str::trim).collect();
            if columns.is_empty() {
                columns = cells;
            } else {
                page.add(&heading, &columns, &cells);
            }
        }
        page
    }

    fn add(&mut self, heading: &str, columns: &[&str], cells: &[&str]) {
        assert_eq!(columns.len(), cells.len(), "{heading}: {cells:?}");
        let cell = |column: &str| columns.iter().position(|name| *name == column).map(|position| cells[position]);
        if let Some(value) = cell("value") {
            self.values.entry(heading.to_owned()).or_default().push(in_code(value));
        } else if let Some(name) = cell("field") {
            let rows = cell("in rows").filter(|rows| *rows != "all").unwrap_or_default();
            let rows = rows.split(", ").filter(|row| !row.is_empty()).map(in_code).collect();
            let shape = Shape::read(cell("type").expect("a table of fields has types"));
            self.objects.entry(heading.to_owned()).or_default().push(Field { name: in_code(name), rows, shape });
        } else if let Some(code) = cell("code") {
            self.values.entry(heading.to_owned()).or_default().push(code.to_owned());
        }
    }
}

fn in_code(cell: &str) -> String {
    cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`')).unwrap_or_else(|| panic!("`{cell}` is not in code marks")).to_owned()
}

/// The name in `[name](#anchor)`.
fn linked(text: &str) -> Option<&str> {
    text.strip_prefix('[')?.split_once("](#").map(|(name, _)| name)
}

impl Shape {
    fn read(text: &str) -> Self {
        if let Some(item) = text.strip_prefix("list of ") {
            let inner = item.strip_prefix('(').and_then(|item| item.strip_suffix(')')).unwrap_or(item);
            return Self::List(Box::new(Self::read(inner)));
        }
        if let Some(objects) = text.strip_prefix("one of ") {
            return Self::OneOf(objects.split(", ").map(|object| linked(object).expect("a link").to_owned()).collect());
        }
        if let Some(pair) = text.strip_prefix("pair of ") {
            let (one, other) = pair.split_once(" and ").expect("two types");
            return Self::Pair(Box::new(Self::read(one)), Box::new(Self::read(other)));
        }
        if let Some(value) = text.strip_suffix(" or null") {
            return Self::OrNull(Box::new(Self::read(value)));
        }
        match text {
            "string" => Self::Text,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "integers by name" => Self::IntegersByName,
            "boolean" => Self::Boolean,
            "time" => Self::Time,
            "JSON text" => Self::JsonText,
            "any JSON" => Self::AnyJson,
            _ => Self::Named(linked(text).unwrap_or_else(|| panic!("`{text}` is no type")).to_owned()),
        }
    }
}

/// Fields for which no document here has a value yet: only that they are there, and null, is compared. To be emptied.
const NOT_YET_FILLED: &[&str] = &[
    "Latency change: `since`",
    "Load: `ratio_at_matched_load`",
    "Open wait: `working_age_ms`",
    "Open wait: `timeout_seconds`",
    "Open wait: `heartbeat_seconds`",
    "Open wait: `machine_timeout_seconds`",
    "Open wait: `child`",
    "Open wait: `child_verdict`",
    "Open wait: `worker`",
    "Since: `until`",
    "Since: `ratio`",
    "Wait class: `p99_ms`",
    "Wait evidence: `working_age_ms`",
    "Wait evidence: `p99_ms`",
    "Wait evidence: `timeout_seconds`",
    "Wait evidence: `heartbeat_seconds`",
];

/// Compares documents with the page, and remembers which fields had a value.
struct Comparison<'p> {
    page: &'p Page,
    filled: BTreeSet<(String, String)>,
    differences: BTreeSet<String>,
}

impl<'p> Comparison<'p> {
    fn new(page: &'p Page) -> Self {
        Self { page, filled: BTreeSet::new(), differences: BTreeSet::new() }
    }

    fn object(&mut self, name: &str, value: &Value) {
        let Some(members) = value.as_object() else {
            self.differences.insert(format!("{name} is {value}, which is no object"));
            return;
        };
        let fields = &self.page.objects[name];
        let row = value.get("row").and_then(Value::as_str);
        let expected = |field: &&Field| field.rows.is_empty() || row.is_some_and(|row| field.rows.iter().any(|known| known == row));
        for field in fields.iter().filter(expected) {
            match members.get(&field.name) {
                Some(value) => self.field(name, field, value),
                None => drop(self.differences.insert(format!("{name}: `{}` is on the page and not in the document", field.name))),
            }
        }
        for member in members.keys() {
            if !fields.iter().filter(expected).any(|field| field.name == *member) {
                self.differences.insert(format!("{name}: `{member}` is in the document and not on the page"));
            }
        }
    }

    fn field(&mut self, object: &str, field: &Field, value: &Value) {
        if !value.is_null() && *value != json!([]) {
            self.filled.insert((object.to_owned(), field.name.clone()));
        }
        self.value(&format!("{object}: `{}`", field.name), &field.shape, value);
    }

    fn value(&mut self, place: &str, shape: &Shape, value: &Value) {
        let text = value.as_str();
        let fits = match shape {
            Shape::Text => text.is_some(),
            Shape::Integer => value.is_i64(),
            Shape::Number => value.is_number(),
            Shape::IntegersByName => value.as_object().is_some_and(|members| members.values().all(Value::is_i64)),
            Shape::Boolean => value.is_boolean(),
            Shape::Time => text.is_some_and(|text| text.ends_with('Z') && text.parse::<Timestamp>().is_ok()),
            Shape::JsonText => text.is_some_and(|text| serde_json::from_str::<Value>(text).is_ok()),
            Shape::AnyJson => true,
            Shape::OrNull(_) if value.is_null() => true,
            Shape::OrNull(shape) => return self.value(place, shape, value),
            Shape::List(shape) => match value.as_array() {
                Some(items) => return items.iter().for_each(|item| self.value(place, shape, item)),
                None => false,
            },
            Shape::Pair(one, other) => match value.as_array().map(Vec::as_slice) {
                Some([first, second]) => {
                    self.value(place, one, first);
                    return self.value(place, other, second);
                }
                _ => false,
            },
            Shape::OneOf(names) => {
                let fields =
                    |name: &&String| -> BTreeSet<&str> { self.page.objects[*name].iter().map(|field| field.name.as_str()).collect() };
                let members: BTreeSet<&str> = value.as_object().into_iter().flatten().map(|(member, _)| member.as_str()).collect();
                match names.iter().find(|name| fields(name) == members) {
                    Some(name) => return self.object(name, value),
                    None => false,
                }
            }
            Shape::Named(name) => match self.page.values.get(name) {
                Some(values) => text.is_some_and(|text| values.iter().any(|known| known == text)),
                None => return self.object(name, value),
            },
        };
        if !fits {
            self.differences.insert(format!("{place} is {value}"));
        }
    }

    /// No difference, and every field of every object that the page has was seen with a value.
    fn finish(self, objects_elsewhere: &[&str]) {
        assert!(self.differences.is_empty(), "the program and docs/json.md differ:\n{}", Vec::from_iter(self.differences).join("\n"));
        let missing: Vec<String> = self
            .page
            .objects
            .iter()
            .filter(|(object, _)| !objects_elsewhere.contains(&object.as_str()))
            .flat_map(|(object, fields)| fields.iter().map(move |field| (object.clone(), field.name.clone())))
            .filter(|field| !self.filled.contains(field))
            .map(|(object, field)| format!("{object}: `{field}`"))
            .filter(|field| !NOT_YET_FILLED.contains(&field.as_str()))
            .collect();
        assert!(missing.is_empty(), "no document had a value for\n{}", missing.join("\n"));
    }
}

/// A folder with the small incidents of `demo`, and more that show what those do not.
fn incidents() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = stepscope(folder.path(), &["demo", "demo", "--only", "stories"]);
    assert!(output.status.success(), "{}", stderr(&output));
    std::fs::create_dir(folder.path().join("more")).expect("a folder");
    for (name, story) in [
        ("child-not-read", child_not_read()),
        ("distributed-map", distributed_map()),
        ("retried-parallel", retried_parallel()),
        ("unlike-iterations", unlike_iterations()),
        ("waiting-for-a-child", waiting_for_a_child()),
        ("assigned", assigned()),
        ("child-in-a-branch", child_in_a_branch()),
        ("the-child", the_child()),
        ("damaged", damaged()),
    ] {
        let bundle = serde_json::to_vec(&WireBundle(&story.build())).expect("a history is JSON");
        std::fs::write(folder.path().join("more").join(name).with_extension("json"), bundle).expect("a file");
    }
    folder
}

fn child_arn(name: &str) -> ExecutionArn {
    format!("arn:aws:states:us-east-1:111111111111:execution:Payments:{name}").parse().expect("an ARN")
}

fn child_not_read() -> HistoryBuilder {
    let mut story = history("Orders");
    failed_child(story.enter_task("Pay", json!({"order": 7})), "not-read");
    story.execution_failed();
    story
}

fn child_in_a_branch() -> HistoryBuilder {
    let mut story = history("Orders");
    let mut branch = story.enter_parallel("Both", json!({})).parallel_started().branch();
    failed_child(branch.enter_task("Pay", json!({"order": 7})), "read");
    branch.scope_failed();
    story.composite_failed().execution_failed();
    story
}

fn failed_child(task: &mut HistoryBuilder, name: &str) {
    let child = child_arn(name);
    let cause = json!({
        "Cause": "the card was declined", "Error": "Declined", "ExecutionArn": child.as_str(), "Input": "{\"order\":7}", "Status": "FAILED"
    });
    task.calls("states", "startExecution.sync:2").scheduled().started().submitted_child(&child);
    task.after(seconds(2)).failed("States.TaskFailed", Some(&cause.to_string()));
}

fn the_child() -> HistoryBuilder {
    let mut story = history("Payments");
    story.named("read").enter_task("Charge", json!({"order": 7})).attempt_failed("Declined", Some("the card was declined"));
    story.execution_failed();
    story
}

/// An iteration ends that never began.
fn damaged() -> HistoryBuilder {
    let mut story = history("Orders");
    story.enter_task("Charge", json!({})).attempt_succeeded(json!({}));
    story.event(EventType::MapIterationSucceeded, None, Details::Iteration { name: None, index: Some(3) });
    story.exit(json!({})).execution_succeeded(json!({}));
    story
}

fn distributed_map() -> HistoryBuilder {
    let mut story = history("Imports");
    story.enter_map("Rows", json!({})).map_started(0);
    story.map_run_started("arn:aws:states:us-east-1:111111111111:mapRun:Imports/Rows:5b7c1f8e-0000-4000-8000-000000000001");
    story.map_run_failed("States.ExceedToleratedFailureThreshold", "too many items failed").composite_failed().execution_failed();
    story
}

fn retried_parallel() -> HistoryBuilder {
    let mut story = history("Quotes");
    story.enter_parallel("Ask", json!({}));
    for attempt in 0..2 {
        story.after(seconds(attempt)).parallel_started();
        let mut branch = story.branch();
        branch.enter_task("AskOne", json!({})).timeout(seconds(5)).heartbeat(seconds(2)).attempt_timed_out().scope_failed();
        story.composite_failed();
    }
    story.execution_failed();
    story
}

/// Every iteration fails in a way of its own and is caught, so that no two make one group.
fn unlike_iterations() -> HistoryBuilder {
    const ITERATIONS: u64 = 20;
    let mut story = history("Labels");
    story.enter_map("Each", json!({})).map_started(ITERATIONS);
    for index in 0..ITERATIONS {
        let mut iteration = story.iteration(index);
        iteration.enter_task("Print", json!({})).attempt_failed(&format!("Printer{index}"), None).caught(json!({}));
        iteration.pass("Skip", json!({}), json!({})).iteration_succeeded();
    }
    story.composite_succeeded().exit(json!([])).execution_succeeded(json!([]));
    story
}

fn waiting_for_a_child() -> HistoryBuilder {
    let mut story = history("Orders");
    let mut iteration = story.enter_map("Each", json!([1])).map_started(1).iteration(0);
    iteration.enter_task("Pay", json!({})).calls("states", "startExecution.sync:2").timeout(seconds(900)).heartbeat(seconds(60));
    iteration.attempt_failed("States.TaskFailed", Some("try again")).after(seconds(1));
    iteration.scheduled().started().submitted_child(&child_arn("running"));
    story
}

fn assigned() -> HistoryBuilder {
    let mut story = history("Orders");
    story.enter_task("Charge", json!({})).attempt_succeeded(json!({"paid": true})).assign("paid", json!(true)).exit(json!({}));
    story
        .enter_task("Tell", json!({}))
        .calls("sqs", "sendMessage.waitForTaskToken")
        .scheduled()
        .started()
        .submitted(json!({"MessageId": "1"}));
    story.after(seconds(3)).succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
    story
}

/// A definition with an error and a warning.
const UNSOUND: &str =
    r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "Parameters": {"a": "$.a"}, "Next": "B"}, "C": {"Type": "Fail"}}}"#;

/// `audit` of a definition that has executions, fixes that can and can't be made, and rules that are switched off.
fn every_audit(folder: &Path) -> Vec<Value> {
    const DEFINITION: &str = "StartAt: Charge
States:
  Charge:
    Type: Task
    Resource: arn:aws:states:::sqs:sendMessage
    Parameters: {QueueUrl: q, MessageBody: m}
    Retry: &retry
      - ErrorEquals: [Busy]
    Next: Again
  Again:
    Type: Task
    Resource: arn:aws:states:::sqs:sendMessage
    Parameters: {QueueUrl: q, MessageBody: m}
    Retry: *retry
    Next: Each
  Each:
    Type: Map
    ItemProcessor:
      StartAt: Tell
      States:
        Tell:
          Type: Task
          Resource: arn:aws:states:::sqs:sendMessage
          Parameters: {QueueUrl: q, MessageBody: m}
          Retry: [{ErrorEquals: [Busy]}]
          End: true
    End: true
";
    let audits = folder.join("audits");
    std::fs::create_dir_all(audits.join("runs")).expect("a folder");
    let mut story = history("Audited");
    story.enter_task("Charge", json!({})).attempt_failed("Busy", None).after(seconds(1)).attempt_succeeded(json!({})).exit(json!({}));
    story.enter_map("Each", json!([])).map_started(0).composite_succeeded().exit(json!([])).execution_succeeded(json!([]));
    let bundle = serde_json::to_vec(&WireBundle(&story.build())).expect("JSON");
    std::fs::write(audits.join("runs/audited.json"), bundle).expect("a file");
    std::fs::write(audits.join("audited.yaml"), DEFINITION).expect("a file");
    let past = ["audit", "audits/audited.yaml", "--input", "audits/runs", "--output", "json"];
    let mut answers = vec![document(folder, &past)];
    let off = "[[off]]\nrule = \"map-without-max-concurrency\"\nreason = \"few\"\n[[off]]\nrule = \"retry-without-jitter\"\nstate = \"Charge\"\nreason = \"one\"\n";
    std::fs::write(audits.join(".stepscope-audit.toml"), off).expect("a file");
    answers.push(document(folder, &past));
    std::fs::remove_file(audits.join(".stepscope-audit.toml")).expect("it was there");
    answers.push(document(folder, &["audit", "audits/audited.yaml", "--fix", "--output", "json"]));
    answers
}

fn stepscope(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stepscope")).current_dir(folder).args(arguments).output().expect("the program runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn document(folder: &Path, arguments: &[&str]) -> Value {
    let output = stepscope(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    serde_json::from_slice(&output.stdout).expect("a JSON document")
}

/// `why` of everything in the folder, one document for each execution.
fn every_answer(folder: &Path) -> Vec<Value> {
    let output = stepscope(folder, &["why", "demo", "more", "--output", "jsonl"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let lines = String::from_utf8(output.stdout).expect("text");
    lines.lines().map(|line| serde_json::from_str(line).expect("a document a line")).collect()
}

/// `why --logs` of an invocation with everything in its log, and of one that left nothing.
fn every_log() -> Vec<Value> {
    const ID: &str = "8f507cfc-8a2b-4697-b07a-ac58fc914c95";
    let cause = json!({"errorType": "Runtime.ExitError", "errorMessage": "exited", "requestId": ID}).to_string();
    let mut story = history("Orders");
    story.enter_task("Charge", json!({})).scheduled();
    let at = story.now().as_millisecond();
    story.started().after(seconds(2)).failed("Runtime.ExitError", Some(&cause)).execution_failed();
    let mut group = FunctionLog::new("/aws/lambda/charge");
    let told: Vec<(i64, &str)> = (0..9).map(|after| (after, r#"{"level":"INFO","message":"asking the bank"}"#)).collect();
    let report = "Memory Size: 128 MB\tMax Memory Used: 74 MB\tInit Duration: 310.55 ms\tStatus: error\tError Type: Runtime.ExitError";
    group.invocation(ID, "stream", at, &told, 1_900, report);
    let empty = FunctionLog::new("/aws/lambda/charge");
    let bundle = serde_json::to_string(&WireBundle(&story.build())).expect("JSON");
    let ask = |group: FunctionLog| {
        let endpoint = FakeEndpoint::start(move |request| group.answer(request, 1_000));
        let arguments = ["why", "-", "--logs=5", "--output", "json", "--endpoint-url", endpoint.url()];
        stepscope_reading(arguments, bundle.as_str()).succeeds().json()
    };
    vec![ask(group), ask(empty)]
}

/// `run` of a machine that starts another one, which fails unless it gets an order.
fn every_run(folder: &Path) -> Vec<Value> {
    let child = json!({"StartAt": "Check", "States": {
        "Check": {"Type": "Choice", "Choices": [{"Variable": "$.order", "IsPresent": true, "Next": "Done"}], "Default": "Refuse"},
        "Refuse": {"Type": "Fail", "Error": "NoOrder", "Cause": "there is no order"},
        "Done": {"Type": "Succeed"}
    }});
    let parent = json!({"StartAt": "Pay", "States": {"Pay": {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:Payments", "Input.$": "$"},
        "End": true
    }}});
    std::fs::write(folder.join("payments.json"), child.to_string()).expect("a file");
    std::fs::write(folder.join("orders.json"), parent.to_string()).expect("a file");
    let run = ["run", "orders.json", "--machine", "Payments=payments.json", "--output", "json", "--input"];
    let mut documents: Vec<Value> =
        [r#"{"order": 7}"#, "{}"].iter().map(|input| document(folder, &[&run[..], &[input]].concat())).collect();
    for event in documents.iter_mut().flat_map(|document| document["history"].as_array_mut().expect("a list")) {
        event.as_object_mut().expect("an object").retain(|member, _| !member.ends_with("EventDetails"));
    }
    documents
}

/// `replay` as it was, with another definition, with other answers, and of what cannot be replayed.
fn every_replay(folder: &Path) -> Vec<Value> {
    let map = |text: &str| {
        json!({"StartAt": "Each", "States": {"Each": {"Type": "Map", "End": true, "ItemProcessor": {"StartAt": "Name", "States": {
            "Name": {"Type": "Pass", "Parameters": {"id.$": "States.UUID()", "text": text}, "Next": "Call"},
            "Call": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"Payload.$": "$"}, "End": true}
        }}}}})
    };
    for (name, text) in [("each.json", "one"), ("other.json", "other")] {
        std::fs::write(folder.join(name), map(text).to_string()).expect("a file");
    }
    let mock = r#"Call=[{"Payload": 1}, {"Error": "Busy"}]"#;
    let ran = stepscope(folder, &["run", "each.json", "--input", "[1, 2]", "--mock", mock, "--bundle", "ran.json"]);
    assert!(ran.status.success(), "{}", stderr(&ran));
    let answers: [&[&str]; 6] = [
        &["replay", "ran.json"],
        &["replay", "ran.json", "--definition", "other.json"],
        &["replay", "ran.json", "--what-if", "--definition", "other.json", "--mock", "Call={\"Return\": 2}"],
        &["replay", "demo/retries-exhausted.json"],
        &["replay", "demo/stuck-callback"],
        &["replay", "more/damaged.json"],
    ];
    let documents = answers.iter().map(|arguments| {
        let output = stepscope(folder, &[arguments, &["--output", "json"][..]].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)))
    });
    let mut documents: Vec<Value> = documents.collect();
    for document in &mut documents {
        let history = document["history"].as_array_mut().expect("a list");
        history.iter_mut().for_each(without_details);
        if !document["first_divergence"].is_null() {
            for side in ["recorded", "produced"] {
                without_details(&mut document["first_divergence"][side]);
            }
        }
    }
    documents
}

/// `cost` of a fleet that has something for every field, priced by a file.
fn every_cost(folder: &Path) -> Vec<Value> {
    let run = "arn:aws:states:us-east-1:111111111111:mapRun:Batch/Items:1";
    let mut map = history("Batch");
    map.enter_map("Items", json!([])).map_started(0).map_run_started(run).map_run_succeeded().composite_succeeded().exit(json!({}));
    let mut task = history("Jobs");
    task.after(seconds(7200)).enter_task("Work", json!({})).attempt_succeeded(json!({})).exit(json!({}));
    let stories = [map.execution_succeeded(json!({})).build(), task.execution_succeeded(json!({})).build()];
    let mut express = serde_json::to_value(WireBundle(&stories[1])).expect("a bundle");
    express["execution"]["executionArn"] = json!("arn:aws:states:us-east-1:111111111111:express:Fast:run-1:0");
    express["execution"]["stateMachineArn"] = json!("arn:aws:states:us-east-1:111111111111:stateMachine:Fast");
    express["execution"]["billingDetails"] = json!({"billedDurationInMilliseconds": 300, "billedMemoryUsedInMB": 64});
    express["execution"]["startDate"] = json!("2026-01-01T06:00:00Z");
    let bundles = stories.iter().map(|story| serde_json::to_value(WireBundle(story)).expect("a bundle")).chain([express]);
    let lines: Vec<String> = bundles.map(|bundle| bundle.to_string()).collect();
    std::fs::write(folder.join("fleet.jsonl"), lines.join("\n")).expect("a file");
    std::fs::write(folder.join("prices.toml"), "schema = \"stepscope.prices/1\"\n").expect("a file");
    [&["--by", "execution"][..], &["--by", "hour"]]
        .iter()
        .map(|by| document(folder, &[&["cost", "--input", "fleet.jsonl", "--prices", "prices.toml", "--output", "json"], *by].concat()))
        .collect()
}

/// The service's own members are not on the page.
fn without_details(event: &mut Value) {
    event.as_object_mut().expect("an object").retain(|member, _| !member.ends_with("EventDetails"));
}

fn places(folder: &Path) -> Vec<(String, String)> {
    let answers = every_answer(folder);
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    answers
        .iter()
        .map(|answer| {
            let origin = text(&answer["execution"]["origin"]);
            (origin.split(" line ").next().unwrap_or_default().to_owned(), text(&answer["execution"]["name"]))
        })
        .collect()
}

#[test]
fn documents_and_page_name_the_same_fields_and_values() {
    let page = Page::read();
    let mut comparison = Comparison::new(&page);
    let incidents = incidents();
    let folder = incidents.path();
    for answer in every_answer(folder) {
        comparison.object("Why report", &answer);
    }
    for answer in every_log() {
        comparison.object("Why report", &answer);
    }
    for (file, name) in places(folder) {
        let show = ["show", &file, "--execution", &name, "--output", "json"];
        let report = document(folder, &show);
        comparison.object("Show report", &report);
        let states: BTreeSet<&str> =
            report["visits"].as_array().expect("a list").iter().filter_map(|visit| visit["state"].as_str()).collect();
        for state in states {
            comparison.object("State report", &document(folder, &[&show[..], &["--state", state]].concat()));
        }
    }
    std::fs::write(folder.join("definition.json"), UNSOUND).expect("a file");
    comparison.object("Audit report", &document(folder, &["audit", "definition.json", "--output", "json"]));
    for report in every_audit(folder) {
        comparison.object("Audit report", &report);
    }
    comparison.object("Rule list", &document(folder, &["audit", "--rules", "--output", "json"]));
    for line in String::from_utf8(stepscope(folder, &["audit", "--rules", "--output", "jsonl"]).stdout).expect("text").lines() {
        comparison.object("Rule line", &serde_json::from_str(line).expect("JSON"));
    }
    for report in every_run(folder) {
        comparison.object("Run report", &report);
    }
    for report in every_cost(folder) {
        comparison.object("Cost report", &report);
    }
    for report in every_replay(folder) {
        comparison.object("Replay report", &report);
    }
    grouped_failures(folder, &mut comparison);
    open_waits(folder, &mut comparison);
    every_store(folder, &mut comparison);
    logs_of_a_machine(&mut comparison);
    latencies(folder, &mut comparison);
    ways(folder, &mut comparison);
    compared_sides(folder, &mut comparison);
    queries(folder, &mut comparison);
    traced(folder, &mut comparison);
    map_runs(folder, &mut comparison);
    pulls(folder, &mut comparison);
    runways(folder, &mut comparison);
    triaged(folder, &mut comparison);
    changes(folder, &mut comparison);
    storms(folder, &mut comparison);
    comparison.finish(&["History", "Event"]);
}

/// The large incident of `demo` has something of everything.
fn triaged(folder: &Path, comparison: &mut Comparison<'_>) {
    let output = stepscope(folder, &["demo", "fleet", "--only", "incident"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let report = document(folder, &["triage", "--input", "fleet/incident.jsonl.gz", "--output", "json"]);
    comparison.object("Triage report", &report);
    let kinds: BTreeSet<&str> =
        report["findings"].as_array().expect("a list").iter().filter_map(|finding| finding["kind"].as_str()).collect();
    assert_eq!(kinds, BTreeSet::from(["retry_storm", "stuck_callback", "change_point", "failure_group"]));
}

/// Limits that are near, as `triage` finds them.
fn runways(folder: &Path, comparison: &mut Comparison<'_>) {
    std::fs::write(folder.join("limits.jsonl"), lines(&near_limits())).expect("a file");
    let report = document(folder, &["triage", "--input", "limits.jsonl", "--output", "json"]);
    let findings = report["findings"].as_array().expect("a list").iter().filter(|finding| finding["kind"] == "runway");
    assert_eq!(findings.map(|finding| comparison.object("Runway", finding)).count(), 3);
}

/// A version with which a state is slower and another fails in two new ways, for one value of the input.
fn changes(folder: &Path, comparison: &mut Comparison<'_>) {
    let story = |number: i64| {
        let (is_new, is_yen) = (number >= 60, number % 3 == 0);
        let mut told = history("Sales");
        told.named(&format!("run-{number:03}")).clock_at(Timestamp::from_second(1_767_225_600 + number * 300).expect("a moment"));
        told.version(if is_new { "2" } else { "1" }).input(json!({"currency": if is_yen { "JPY" } else { "EUR" }, "id": number}));
        let time = if is_new { 500 } else { 200 } + number.unsigned_abs() % 7 * 10;
        told.enter_task("Check", json!({})).taking(std::time::Duration::from_millis(time)).attempt_succeeded(json!({})).exit(json!({}));
        told.enter_task("Charge", json!({}));
        if is_new && is_yen {
            told.attempt_failed(if number % 2 == 0 { "KeyError" } else { "ValueError" }, None).execution_failed();
        } else {
            told.attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
        }
        told.build()
    };
    std::fs::write(folder.join("changes.jsonl"), lines(&(0..120).map(story).collect::<Vec<_>>())).expect("a file");
    let report = document(folder, &["triage", "--input", "changes.jsonl", "--output", "json"]);
    let findings = report["findings"].as_array().expect("a list").iter().filter(|finding| finding["kind"] == "change_point");
    let signals: Vec<&Value> =
        findings.inspect(|finding| comparison.object("Change point", finding)).map(|finding| &finding["signal"]).collect();
    assert_eq!(signals.len(), 2, "{signals:?}");
    assert!(signals.contains(&&json!("latency")) && signals.contains(&&json!("new_error")), "{signals:?}");
}

/// Executions whose time goes into every part that there is, in two hours and versions.
fn latencies(folder: &Path, comparison: &mut Comparison<'_>) {
    let mut lines = String::new();
    for number in 0..80_u64 {
        let mut story = history("Orders");
        story.clock_at(Timestamp::from_second(1_767_225_600 + i64::try_from(number).expect("small") * 60).expect("a moment"));
        story.named(&format!("run-{number}")).version("7");
        let mut item = story.enter_map("Each", json!([1])).map_started(1).iteration(0);
        item.enter_task("Ask", json!({})).calls("sqs", "sendMessage.waitForTaskToken").attempt_failed("Busy", None).after(seconds(1));
        item.scheduled().after(seconds(1)).started().submitted(json!({})).after(seconds(number)).succeeded(json!({})).exit(json!({}));
        item.iteration_succeeded();
        story.composite_succeeded().exit(json!([])).execution_succeeded(json!([]));
        lines += &(serde_json::to_string(&WireBundle(&story.build())).expect("JSON") + "\n");
    }
    std::fs::write(folder.join("latency.jsonl"), lines).expect("a file");
    let latency = ["latency", "--input", "latency.jsonl", "--output", "json"];
    for more in [&[][..], &["--by", "hour"], &["--by", "version"], &["--limit", "1"], &["--state", "Ask"]] {
        comparison.object("Latency report", &document(folder, &[&latency[..], more].concat()));
    }
    comparison.object("Latency report", &document(folder, &["latency", "--input", "demo", "--input", "more", "--output", "json"]));
}

/// Storms that are nested, share a resource, contradict their definition, and go through a loop made by hand; one in traffic; and one
/// whose waits cannot be compared.
fn storms(folder: &Path, comparison: &mut Comparison<'_>) {
    use common::storms::{lines, looping, nested, refunds};
    let all = [nested(30), refunds(30), looping(30, false)].concat();
    std::fs::write(folder.join("storms.jsonl"), lines(&all)).expect("a file");
    let storms = ["storms", "--input", "storms.jsonl", "--output", "json"];
    comparison.object("Storms report", &document(folder, &storms));
    comparison.object("Storms report", &document(folder, &[&storms[..], &["--limit", "1"]].concat()));
    let traffic: String = (0..60).map(|number| cut_off(number, 60.0 * f64::from(number), &[])).collect();
    let cut: String = (60..80).map(|number| cut_off(number, 4000.0, &["Busy", "Busy"])).collect();
    std::fs::write(folder.join("cut.jsonl"), traffic + &cut).expect("a file");
    let told = document(folder, &["storms", "--input", "cut.jsonl", "--output", "json"]);
    assert_eq!(told["findings"].as_array().map(Vec::len), Some(1), "{told}");
    comparison.object("Storms report", &told);
    let unlike: String = (0..5).map(|number| cut_off(number, 0.0, &[&format!("Busy{number}")])).collect();
    std::fs::write(folder.join("unlike.jsonl"), unlike).expect("a file");
    comparison.object("Storms report", &document(folder, &["storms", "--input", "unlike.jsonl", "--output", "json"]));
}

/// A line with an execution whose calls fail with these errors before one succeeds, so many seconds into a day.
fn cut_off(number: u32, start: f64, errors: &[&str]) -> String {
    let mut story = history("Invoices");
    #[allow(clippy::cast_possible_truncation, reason = "seconds of a day")]
    let start = Timestamp::from_millisecond(1_767_225_600_000 + (start * 1000.0) as i64 + i64::from(number)).expect("a moment");
    story.clock_at(start).named(&format!("invoice-{number}")).pace(seconds(0)).enter_task("Send", json!({}));
    for (error, wait) in errors.iter().zip([3, 6]) {
        story.taking(seconds(1)).attempt_failed(error, None).after(seconds(wait));
    }
    story.taking(seconds(1)).attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
    serde_json::to_string(&WireBundle(&story.build())).expect("JSON") + "\n"
}

/// A failure with its trace, in which there is something of everything.
fn traced(folder: &Path, comparison: &mut Comparison<'_>) {
    use common::traces::{batch, call, function, in_trace, lambda, machine, phase, state, throttled};
    let mut story = history("Orders");
    story.enter_task("Charge", json!({})).scheduled().started().after(seconds(3)).failed("Error", None).execution_failed();
    let built = story.build();
    let bundle = serde_json::to_vec(&WireBundle(&built)).expect("a history is JSON");
    std::fs::write(folder.join("traced.json"), bundle).expect("a file");
    let inside = [
        phase(1, "Init", (0.2, 1.0), &[]),
        phase(2, "Invocation", (1.0, 2.9), &[throttled(1, (1.1, 2.0))]),
        phase(3, "Overhead", (2.9, 3.1), &[]),
    ];
    let arn = built.header.arn.as_ref().expect("an ARN").as_str();
    let top = machine("Orders", Some(arn), (0.0, 3.0), &[state(1, "Charge", (0.0, 3.0), &[call(1, "Lambda", "Invoke", (0.05, 3.0))])]);
    let mut all = vec![top, lambda(1, "charge", "r-1", (0.1, 3.1)), function(1, "charge", "r-1", (1.0, 3.1), &inside)];
    all.extend(in_trace("1-6955b901-0123456789abcdef01234567", &all[..1]));
    std::fs::write(folder.join("traces.json"), batch(&all).to_string()).expect("a file");
    let with_trace = |verb: &str| document(folder, &[verb, "traced.json", "--trace", "traces.json", "--output", "json"]);
    comparison.object("Show report", &with_trace("show"));
    comparison.object("Why report", &with_trace("why"));
    let latency = ["latency", "--input", "traced.json", "--trace", "traces.json", "--output", "json"];
    comparison.object("Latency report", &document(folder, &latency));
    // A trace that was asked for and is not there.
    let elsewhere = document(folder, &["show", "demo/retries-exhausted.json", "--trace", "traces.json", "--output", "json"]);
    assert_eq!(elsewhere["incomplete"][0]["id"], "no_trace");
    comparison.object("Show report", &elsewhere);
}

/// Map Runs from files and histories, and what only the service tells of one.
fn map_runs(folder: &Path, comparison: &mut Comparison<'_>) {
    let results = folder.join("results");
    std::fs::create_dir(&results).expect("a folder");
    let arn = "arn:aws:states:eu-west-1:111111111111";
    let record = |number: u64, cause: &str| {
        format!(
            r#"{{"ExecutionArn":"{arn}:execution:Orders/Each:{number}","Status":"FAILED","Input":"{{\"Items\":[{number}]}}","Error":"Declined",
            "Cause":"no card of {cause} here","StartDate":"2026-11-20T08:00:0{number}Z","StopDate":"2026-11-20T08:01:00Z"}}"#
        )
    };
    let records: Vec<String> = (0_u64..).zip(["Rome", "Oslo", "Wien", "Bern"]).map(|(number, city)| record(number, city)).collect();
    let unknown = record(5, "Kyiv").replace("\"Input\"", "\"Inputs\"");
    std::fs::write(results.join("FAILED_0.json"), format!("[{},{unknown},{{\"Exec", records.join(","))).expect("a file");
    let manifest = format!(
        r#"{{"DestinationBucket":"b","MapRunArn":"{arn}:mapRun:Orders/Each:5b0f","ResultFiles":{{"FAILED":[{{"Key":"p/FAILED_0.json","Size":9}}],
        "PENDING":[],"SUCCEEDED":[]}}}}"#
    );
    std::fs::write(results.join("manifest.json"), manifest).expect("a file");
    let run = stepscope(folder, &["maps", "--results", "results", "--failed-inputs", "failed.json", "--output", "json"]);
    assert_eq!(run.status.code(), Some(1), "{}", stderr(&run));
    comparison.object("Maps report", &serde_json::from_slice(&run.stdout).expect("a JSON document"));
    comparison.object("Maps report", &document(folder, &["maps", "--input", "more", "--output", "json"]));
    comparison.object("Maps report", &serde_json::to_value(asked_of_the_service()).expect("a report"));
}

/// What the API alone tells.
fn asked_of_the_service() -> MapsReport {
    let child = "arn:aws:states:eu-west-1:111111111111:execution:Orders/Each:1";
    let at: Timestamp = "2026-11-20T08:00:00Z".parse().expect("a time");
    let mut children = Children::new(None);
    let failed = MapChild {
        arn: child.to_owned(),
        status: Some(ExecutionStatus::Failed),
        start: Some(at),
        stop: Some(at),
        error: Some("Declined".to_owned()),
        ..MapChild::default()
    };
    children.take(&failed, None, true);
    children.take(&failed, None, false);
    let mut items = MapRunCounts { results_written: 1, ..MapRunCounts::default() };
    items.add(Some(ExecutionStatus::Failed), 2);
    let described = MapRun {
        status: "FAILED".to_owned(),
        start: Some(at),
        stop: Some(at),
        max_concurrency: 40,
        tolerated_failure_count: 1,
        tolerated_failure_percentage: 5.0,
        items,
        executions: items,
        failures_not_redrivable: Some(1),
        redrive_count: 1,
        redrive: Some(at),
        ..MapRun::default()
    };
    let parent = Parent { cause: Some("the threshold".to_owned()), error: Some("States.X".to_owned()), ..Parent::default() };
    let redrive = Some(("NOT_REDRIVABLE".to_owned(), Some("too long ago".to_owned())));
    let evidence = Evidence { described: Some(described), parent: Some(parent), redrive, children, ..Evidence::default() };
    let mut run = stepscope::analysis::maps::report(evidence, 1);
    let explained = ExplainedChild {
        execution: child.to_owned(),
        state: Some("Charge".to_owned()),
        error: Some("Declined".to_owned()),
        message: Some("no".to_owned()),
        kind: Kind::TaskFailed.name(),
        confidence: Confidence::Certain.name(),
    };
    run.groups[0].state.clone_from(&explained.state);
    run.groups[0].explained.push(explained);
    MapsReport { schema: stepscope::analysis::maps::SCHEMA, runs: vec![run], written: Vec::new() }
}

/// Rows, and what there is to ask.
fn queries(folder: &Path, comparison: &mut Comparison<'_>) {
    let query = ["query", "SELECT name, status FROM executions", "--input", "demo", "--output", "json"];
    comparison.object("Query answer", &document(folder, &query));
    comparison.object("Query list", &document(folder, &["query", "--list", "--output", "json"]));
    comparison.object("Query tables", &document(folder, &["query", "--tables", "--output", "json"]));
    comparison.object("Saved queries", &document(folder, &["queries", "list", "--output", "json"]));
    comparison.object("Shown query", &document(folder, &["queries", "show", "throttles", "--output", "json"]));
    comparison.object("IAM policy report", &document(folder, &["iam-policy", "--output", "json"]));
    comparison.object("Insights answer", &insights_answer(folder));
}

/// `queries run` at an endpoint whose queries find one row.
fn insights_answer(folder: &Path) -> Value {
    let endpoint = FakeEndpoint::start(|request| match request.action.as_str() {
        "StartQuery" => Reply::Json(json!({"queryId": "one"})),
        _ => Reply::Json(
            json!({"status": "Complete", "results": [[{"field": "error", "value": "Declined"}, {"field": "executions", "value": "3"}]],
            "statistics": {"bytesScanned": 1_000.0, "recordsScanned": 3.0, "recordsMatched": 3.0}}),
        ),
    });
    let arn = "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders";
    let output = Command::new(env!("CARGO_BIN_EXE_stepscope"))
        .current_dir(folder)
        .envs([("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret"), ("AWS_CONFIG_FILE", "/dev/null")])
        .args([
            "queries",
            "run",
            "errors",
            "--state-machine",
            arn,
            "--log-group",
            "orders",
            "--output",
            "json",
            "--endpoint-url",
            endpoint.url(),
        ])
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).expect("a JSON document")
}

/// Sides that differ in everything that a comparison tells of.
fn compared_sides(folder: &Path, comparison: &mut Comparison<'_>) {
    let first: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
    let mut lines = String::new();
    for number in 0..120_i64 {
        let (is_japan, fails) = (number % 6 == 0, number >= 40 && number % 12 == 0);
        let input = json!({
            "id": format!("order-{number}"), "currency": if is_japan { "JPY" } else { "EUR" }, "country": if is_japan { "JP" } else { "DE" },
            "region": if number % 6 < 2 { "APAC" } else { "EMEA" },
        });
        let mut story = history("Compared");
        story.clock_at(first + jiff::SignedDuration::from_mins(number)).named(&format!("order-{number}")).input(input.clone());
        if number % 4 == 1 {
            story.pass("Skip", input, json!({})).execution_succeeded(json!({}));
        } else {
            let task = story.enter_task("Charge", input);
            if fails {
                task.attempt_failed("Declined", None).execution_failed();
            } else {
                task.attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
            }
        }
        lines += &serde_json::to_string(&WireBundle(&story.build())).expect("JSON");
        lines.push('\n');
    }
    std::fs::write(folder.join("compared.jsonl"), lines).expect("a file");
    let compare = ["compare", "--input", "compared.jsonl", "--output", "json"];
    for more in [
        &["--limit", "1"][..],
        &["--by-group"],
        &["--where", "status = FAILED", "--against", "status exists and start < 2026-01-01T01:00:00Z"],
        &["--where", "input.currency = EUR", "--against", "input.region = EMEA or input.country = JP"],
    ] {
        comparison.object("Compare report", &document(folder, &[&compare[..], more].concat()));
    }
    comparison.object("Compare report", &document(folder, &["compare", "--input", "demo", "--output", "json"]));
}

/// Ways with everything in them: loops, branches, iterations, a Choice with rules, failures, more steps than find room.
fn ways(folder: &Path, comparison: &mut Comparison<'_>) {
    let definition = json!({"StartAt": "Ready?", "States": {
        "Ready?": {"Type": "Choice", "Choices": [{"Variable": "$.ok", "BooleanEquals": true, "Next": "Both"}], "Default": "Pause"},
        "Pause": {"Type": "Wait", "Seconds": 1, "Next": "Ready?"},
        "Both": {"Type": "Parallel", "End": true, "Branches": [{"StartAt": "Left", "States": {"Left": {"Type": "Pass", "End": true}}}]}}});
    let mut story = history("Ways");
    story.definition(&definition);
    for _ in 0..3 {
        story.choice("Ready?", json!({})).wait("Pause", json!({}), seconds(1));
    }
    story.choice("Ready?", json!({})).enter_parallel("Both", json!({})).parallel_started();
    story.branch().pass("Left", json!({}), json!({})).branch_succeeded();
    story.composite_succeeded().exit(json!([]));
    story.enter_map("Each", json!([1])).map_started(1).iteration(0).pass("Item", json!({}), json!({})).iteration_succeeded();
    story.composite_succeeded().exit(json!([]));
    for number in 0..420 {
        story.pass(&format!("Step {number}"), json!({}), json!({}));
    }
    story.enter_task("Charge", json!({})).attempt_failed("Declined", None).execution_failed();
    let line = serde_json::to_string(&WireBundle(&story.build())).expect("JSON");
    std::fs::write(folder.join("ways.jsonl"), line).expect("a file");
    let variants = ["variants", "--input", "ways.jsonl", "--output", "json"];
    let report = document(folder, &variants);
    comparison.object("Variants report", &report);
    let id = report["machines"][0]["variants"][0]["id"].as_str().expect("an id");
    comparison.object("Variants report", &document(folder, &[&variants[..], &["--variant", id]].concat()));
    comparison.object("Variants report", &document(folder, &["variants", "--input", "demo", "--input", "more", "--output", "json"]));
}

/// Failures of every kind that a group tells of.
fn grouped_failures(folder: &Path, comparison: &mut Comparison<'_>) {
    let mut lines = String::new();
    let mut add = |story: &HistoryBuilder| {
        lines += &serde_json::to_string(&WireBundle(&story.build())).expect("JSON");
        lines.push('\n');
    };
    for number in 0..60_i64 {
        let begun = |version: &str| {
            let mut story = history("Orders");
            let first: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
            story
                .clock_at(first + jiff::SignedDuration::from_mins(number))
                .named(&format!("v{version}-{number}"))
                .version(version)
                .alias("live");
            story
        };
        let mut seven = begun("7");
        seven.enter_task("Charge", json!({})).attempt_failed("Busy", Some("try later"));
        seven.after(seconds(1)).attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
        add(&seven);
        if number >= 40 {
            let mut eight = begun("8");
            let cause = if number % 2 == 0 {
                json!({"errorType": "KeyError", "errorMessage": "'total'", "stackTrace": ["File \"/var/task/a.py\", line 3, in f"]})
                    .to_string()
            } else {
                "slow down (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: Throttled; Request ID: r; Proxy: null)".to_owned()
            };
            let mut iteration = eight.enter_map("Each", json!([1])).map_started(1).iteration(0);
            iteration.enter_task("Charge", json!({})).attempt_failed("Busy", Some(&cause)).scope_failed();
            eight.composite_failed().execution_failed();
            add(&eight);
        }
    }
    for city in ["Rome", "Oslo", "Wien", "Bern"] {
        let mut story = history("Routes");
        story.named(city).enter_task("Find", json!({})).attempt_failed("NoRoute", Some(&format!("no route to {city} today")));
        story.execution_failed();
        add(&story);
    }
    add(history("Orders").named("stopped").enter_task("Charge", json!({})).scheduled().execution_stopped(None, None));
    add(child_not_read().named("child-not-read"));
    add(child_in_a_branch().named("child-in-a-branch"));
    for (place, mut story) in [child_not_read(), child_in_a_branch()].into_iter().enumerate() {
        add(story.named(&format!("parent-{place}")));
    }
    add(&the_child());
    std::fs::write(folder.join("fleet.jsonl"), lines).expect("a file");
    let failures = ["failures", "--input", "fleet.jsonl", "--output", "json"];
    let report = document(folder, &[&failures[..], &["--limit", "50"]].concat());
    comparison.object("Failures report", &report);
    for group in report["groups"].as_array().expect("groups") {
        let id = group["id"].as_str().expect("an id");
        comparison.object("Failure group report", &document(folder, &[&failures[..], &["--group", id]].concat()));
    }
    comparison.object("Failures report", &document(folder, &[&failures[..], &["--limit", "1"]].concat()));
}

/// Waits of a machine that answers in minutes, one of which is stuck; and what such a small fleet does not have.
fn open_waits(folder: &Path, comparison: &mut Comparison<'_>) {
    let mut lines = String::new();
    for number in 0..42_i64 {
        let mut story = history("Approvals");
        let first: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        story.clock_at(first + jiff::SignedDuration::from_mins(number)).named(&format!("approval-{number}"));
        story.enter_task("Approve", json!({})).calls("sqs", "sendMessage.waitForTaskToken");
        if number < 40 {
            story.taking(seconds(90)).attempt_succeeded(json!({})).exit(json!({})).execution_succeeded(json!({}));
        } else {
            story.scheduled();
        }
        lines += &(serde_json::to_string(&WireBundle(&story.build())).expect("JSON") + "\n");
    }
    std::fs::write(folder.join("waits.jsonl"), lines).expect("a file");
    let callbacks = ["callbacks", "--input", "waits.jsonl", "--now", "2026-01-02T00:00:00Z", "--output", "json"];
    let mut report = document(folder, &callbacks);
    comparison.object("Callbacks report", &report);
    let moment = "2026-01-01T00:00:00Z";
    report["not_enough"] =
        json!([{"question": "callbacks", "state_machine": null, "state": null, "has": 1, "needs": 20, "of": "completed waits"}]);
    let stopped = json!({"since": moment, "due": 12.5, "chance": 1e-5});
    let class = &mut report["classes"][0];
    class["stopped"] = stopped.clone();
    class["earlier_stops"] = serde_json::to_value([Between { from: Micros(0), to: Micros(1) }]).expect("JSON");
    let hours = WorkingHours { text: String::new(), weights: vec![1.0], weekends_closed: true, chi_square: 99.0 };
    class["working_hours"] = serde_json::to_value(hours).expect("JSON");
    report["findings"][0]["evidence"]["stopped"] = stopped;
    comparison.object("Callbacks report", &report);
}

/// What a pull tells of logs: it asks an endpoint for them, so what it would write is made here.
fn logs_of_a_machine(comparison: &mut Comparison<'_>) {
    let machine = "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders".parse().expect("an ARN");
    let nothing = MachineLogs::new(&machine, None, None, false);
    comparison.object("Machine logs", &serde_json::to_value(&nothing).expect("JSON"));
    let moment = Some("2026-11-20T08:00:00Z".parse().expect("a moment"));
    let mut logs = MachineLogs::new(&machine, Some(WorkflowType::Express), Some("ERROR"), true);
    (logs.log_group, logs.via, logs.since, logs.until) = (Some("orders".to_owned()), Some(Via::Insights), moment, moment);
    logs.scanned(1_000_000);
    logs.unreadable.push("log group orders: a log record that is cut short".to_owned());
    logs.not_looked_at.push("its log group from 2026-11-20T08:00:00Z on".to_owned());
    logs.advice = advice(&machine, "ERROR", true, None, "");
    comparison.object("Machine logs", &serde_json::to_value(&logs).expect("JSON"));
}

/// A store that is filled, looked at, damaged and cleaned up.
fn every_store(folder: &Path, comparison: &mut Comparison<'_>) {
    let mut told = |name: &str, arguments: &[&str]| {
        let output = stepscope(folder, &[arguments, &["--store", "store", "--output", "json"]].concat());
        let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}, {}", stderr(&output)));
        comparison.object(name, &document);
    };
    std::fs::write(folder.join("no-history.jsonl"), "{\"execution\": oops}\n").expect("a file");
    let mut versioned = history("Orders");
    versioned.named("versioned").version("3").pass("A", json!({}), json!({})).execution_succeeded(json!({}));
    let bundle = serde_json::to_vec(&WireBundle(&versioned.build())).expect("a history is JSON");
    std::fs::write(folder.join("versioned.json"), bundle).expect("a file");
    told("Ingest report", &["ingest", "demo", "no-history.jsonl"]);
    told("Ingest report", &["ingest", "more", "versioned.json"]);
    told("Store info", &["store", "info"]);
    told("Store verification", &["store", "verify"]);
    told("Store compaction", &["store", "compact"]);
    let mut damaged = Vec::new();
    for day in std::fs::read_dir(folder.join("store/executions")).expect("days").take(1) {
        for file in std::fs::read_dir(day.expect("a day").path()).expect("files") {
            damaged.push(file.expect("a file").path());
        }
    }
    for file in &damaged {
        std::fs::write(file, "nothing").expect("damaged");
    }
    told("Store info", &["store", "info"]);
    told("Ingest report", &["ingest", "demo", "more"]);
    told("Store compaction", &["store", "compact"]);
    told("Store verification", &["store", "verify", "--set-aside"]);
    told("Store pruning", &["store", "prune", "--older-than", "9000-01-01"]);
}

/// Pulls of which one breaks off, and the next one goes on beside damage.
fn pulls(folder: &Path, comparison: &mut Comparison<'_>) {
    let quotas = Quotas { acceleration: 100.0, ..Quotas::default() };
    let (asked, is_broken) = (AtomicUsize::new(0), Arc::new(AtomicBool::new(true)));
    let shared = Arc::clone(&is_broken);
    let endpoint = QuotaEndpoint::with_faults(Fleet::mixed(1, 60), quotas, move |request| {
        let asks_for_history = request.action == "GetExecutionHistory";
        let is_late = asks_for_history && asked.fetch_add(1, Ordering::SeqCst) > 30;
        if shared.load(Ordering::SeqCst) {
            is_late.then_some(Reply::Error("ExpiredTokenException", "expired"))
        } else {
            asks_for_history.then_some(Reply::Error("ExecutionDoesNotExist", "gone"))
        }
    });
    let config =
        format!("[profile ada]\nregion = eu-west-1\nendpoint_url = {}\naws_access_key_id = A\naws_secret_access_key = s\n", endpoint.url());
    std::fs::write(folder.join("config"), config).expect("a file");
    let mut told = |logs: &[&str]| {
        let arguments = ["pull", "--profile", "ada", "--since", "2026-01-01", "--store", "pulled", "--output", "json"];
        let quotas = quotas.words().into_iter().flat_map(|quota| ["--quota".to_owned(), quota]);
        let output = program()
            .current_dir(folder)
            .env("AWS_CONFIG_FILE", "config")
            .args(arguments)
            .args(logs)
            .args(quotas)
            .output()
            .expect("it runs");
        let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}, {}", stderr(&output)));
        comparison.object("Pull report", &document);
    };
    told(&[]);
    is_broken.store(false, Ordering::SeqCst);
    for file in common::store::files_of(&folder.join("pulled"), "executions") {
        std::fs::write(file, "nothing").expect("damaged");
    }
    told(&["--logs=all"]);
}

#[test]
fn events_stand_in_the_shape_of_the_service() {
    let page = Page::read();
    let incidents = incidents();
    for (file, name) in places(incidents.path()) {
        let mut written = document(incidents.path(), &["show", &file, "--execution", &name, "--events", "--output", "json"]);
        let mut comparison = Comparison::new(&page);
        for event in written["events"].as_array_mut().expect("a list") {
            event.as_object_mut().expect("an object").retain(|member, _| !member.ends_with("EventDetails"));
        }
        comparison.object("History", &written);
        comparison
            .finish(&page.objects.keys().map(String::as_str).filter(|name| *name != "History" && *name != "Event").collect::<Vec<_>>());
    }
}

#[test]
fn every_document_of_ours_begins_with_its_schema() {
    let incidents = incidents();
    let file = "demo/retries-exhausted.json";
    std::fs::write(incidents.path().join("definition.json"), UNSOUND).expect("a file");
    std::fs::write(incidents.path().join("keep.json"), r#"{"StartAt":"Keep","States":{"Keep":{"Type":"Succeed"}}}"#).expect("a file");
    for (arguments, schema) in [
        (&["audit", "definition.json"][..], "stepscope.audit/1"),
        (&["cost", "--input", file], "stepscope.cost/1"),
        (&["compare", "--input", "demo", "--state-machine", "order-fulfilment"], "stepscope.compare/1"),
        (&["run", "keep.json"][..], "stepscope.run/1"),
        (&["replay", file], "stepscope.replay/1"),
        (&["why", file], "stepscope.why/1"),
        (&["show", file], "stepscope.show/1"),
        (&["show", file, "--timeline"], "stepscope.show/1"),
        (&["show", file, "--state", "ChargeCard"], "stepscope.show.state/1"),
        (&["queries", "list"], "stepscope.queries/1"),
        (&["queries", "show", "errors"], "stepscope.queries.show/1"),
        (&["iam-policy", "why"], "stepscope.iam_policy/1"),
        (&["ingest", "demo", "--store", "store"], "stepscope.ingest/1"),
        (&["store", "info", "--store", "store"], "stepscope.store.info/1"),
        (&["store", "verify", "--store", "store"], "stepscope.store.verify/1"),
        (&["store", "compact", "--store", "store"], "stepscope.store.compact/1"),
        (&["store", "prune", "--older-than", "1d", "--dry-run", "--store", "store"], "stepscope.store.prune/1"),
    ] {
        for (format, beginning) in [("json", format!("{{\n  \"schema\": \"{schema}\",")), ("jsonl", format!("{{\"schema\":\"{schema}\","))]
        {
            let output = stepscope(incidents.path(), &[arguments, &["--output", format]].concat());
            let text = String::from_utf8(output.stdout).expect("text");
            assert!(text.starts_with(&beginning), "{arguments:?}: {text:.60}");
            assert_eq!(text.lines().count() == 1, format == "jsonl", "{arguments:?}");
        }
    }
}

#[test]
fn what_has_many_lines_begins_each_with_its_schema() {
    let incidents = incidents();
    let storms = common::storms::lines(&common::storms::nested(30));
    std::fs::write(incidents.path().join("storms.jsonl"), storms).expect("a file");
    for (arguments, document, line) in [
        (&["failures", "--input", "demo"][..], "stepscope.failures/1", "stepscope.failures.row/1"),
        (&["latency", "--input", "demo"], "stepscope.latency/1", "stepscope.latency.row/1"),
        (&["variants", "--input", "demo"], "stepscope.variants/1", "stepscope.variants.row/1"),
        (&["maps", "--input", "more"], "stepscope.maps/1", "stepscope.maps.run/1"),
        (&["audit", "--rules"], "stepscope.audit-rules/1", "stepscope.audit-rules.rule/1"),
        (&["storms", "--input", "storms.jsonl"], "stepscope.storms/1", "stepscope.storms.row/1"),
        (
            &["failures", "--input", "demo", "--group", "1", "--state-machine", "orders-export"],
            "stepscope.failures.group/1",
            "stepscope.failures.execution/1",
        ),
    ] {
        let written = |format: &str| {
            String::from_utf8(stepscope(incidents.path(), &[arguments, &["--output", format]].concat()).stdout).expect("text")
        };
        assert!(written("json").starts_with(&format!("{{\n  \"schema\": \"{document}\",")), "{arguments:?}");
        let lines = written("jsonl");
        assert!(lines.lines().count() > 0 && lines.lines().all(|text| text.starts_with(&format!("{{\"schema\":\"{line}\","))), "{lines}");
    }
}

/// Lists the variants of an enum; one that is missing does not compile.
macro_rules! all {
    ($kind:ident: $($variant:ident),*) => {{
        let all = [$($kind::$variant),*];
        for one in all {
            match one {
                $($kind::$variant => {})*
            }
        }
        all.iter().map(word).collect::<Vec<String>>()
    }};
}

fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).expect("a word").as_str().expect("a string").to_owned()
}

#[test]
fn the_page_has_every_value_of_every_enum_and_no_other() {
    let page = Page::read();
    let enums = [
        ("Status", all!(ExecutionStatus: Running, Succeeded, Failed, TimedOut, Aborted, PendingRedrive)),
        ("State type", all!(StateType: Task, Choice, Wait, Pass, Parallel, Map, Succeed, Fail)),
        (
            "Kind",
            all!(Kind: TaskFailed, TaskTimedOut, HeartbeatTimedOut, ScheduleFailed, EvaluationFailed, Runtime, FailState, MapFailed, Limit, Aborted, ExecutionTimedOut),
        ),
        ("Basis", all!(Basis: TaskChain, EvaluationEvent, CauseText, FailState, NearestVisit, ExecutionEvent)),
        ("Logged task", Logged::ALL.iter().map(word).collect()),
        ("Log basis", all!(LogBasis: RequestId, TimeWindow, Stream)),
        ("Function outcome", FunctionOutcome::ALL.iter().map(word).collect()),
        ("Confidence", all!(Confidence: Certain, Likely, Guess)),
        ("Visit outcome", all!(VisitOutcome: Open, Succeeded, Caught, Failed, Aborted)),
        ("Attempt outcome", all!(AttemptOutcome: Open, Succeeded, Failed, TimedOut, Aborted)),
        (
            "Waits for",
            all!(WaitsFor: Time, Callback, ChildExecution, Job, Task, TaskStart, ActivityWorker, Activity, Retry, Scopes, MapRun, Unknown),
        ),
        ("Verdict", all!(Verdict: Reproduced, Diverged, NotReplayable)),
        ("Definition source", all!(DefinitionSource: Recorded, Given, Missing)),
        ("Value of chance", all!(Chance: Name, Random, Time)),
        ("Change", all!(Change: Definition, Input, Answers)),
        ("Edge kind", all!(EdgeKind: Start, Next, Catch, End, Fail, Stop, Open)),
        ("Variant row kind", ["step", "loop", "branch", "iterations", "more"].map(str::to_owned).to_vec()),
        ("Latency by", all!(By: Hour, Version)),
        ("Latency compared", all!(LatencyCompared: WindowBefore, Halves)),
        ("Latency verdict", all!(LatencyVerdict: Slower, Faster, NoChange, TooFew)),
        ("Wait verdict", WaitVerdict::ALL.iter().map(word).collect()),
        ("Wait kind", WaitKind::ALL.iter().map(word).collect()),
        ("Deadline by", DeadlineBy::ALL.iter().map(word).collect()),
        ("Trace basis", all!(TraceBasis: TraceHeader, ExecutionArn, ResponseHeader, RequestId, TimeAndName)),
        ("Span basis", all!(SpanBasis: RequestId, Time, OneOfSeveral)),
        ("Span kind", all!(SpanKind: Internal, Server, Client, Producer, Consumer)),
        ("Span role", all!(SpanRole: Service, Function, Init, Handler, Overhead)),
        ("Scope kind", all!(ScopeKind: Execution, Branch, Iteration)),
        ("Attribute kind", all!(AttributeKind: Input, Outcome, Path, Execution, Time)),
        ("Relation", all!(Relation: Equal, Contains, Above, AtMost, HasType, HasOtherType, Present, Absent, From, Before, Within)),
        ("Reason not tested", all!(Reason: Identifier, TooManyValues, Selected)),
        (
            "Lack",
            all!(Lack: ExecutionNotRead, ChildrenNotRead, ChildrenRead, ResultsNotRead, ResultsBroken, ResultsDamaged, ResultsSize, NoManifest, SucceededNotRead, OutputsOnly, CountsDiffer, ItemsWithoutChild, ChildrenNotListed, ChildrenNotDescribed, ChildNotRead, PendingInputsNotKnown),
        ),
        ("Machine type", all!(MachineType: Standard, Express)),
        ("Severity", all!(Severity: Error, Warning)),
        ("Finding severity", all!(FindingSeverity: Critical, Warning, Notice)),
        ("Finding confidence", all!(FindingConfidence: Certain, Strong, Weak)),
        ("Signal", all!(ChangeSignal: Latency, ErrorRate, NewError, RetryRate)),
        ("Shape", all!(ChangeShape: Step, Episode, Blip, Tail)),
        ("Direction", all!(ChangeDirection: Up, Down)),
        ("Season", all!(Season: HourOfDayTakenOut, TooShort)),
        ("Deployed", all!(Deployed: Version, Alias, Definition)),
        ("Runway limit", all!(Limit: Events, Duration, Payload)),
        ("Runway limit source", all!(LimitSource: Service, Definition)),
        ("Runway basis", all!(RunwayBasis: Running, Reached, Trend, Level)),
        ("Runway growth", all!(Growth: Loop, Map)),
        ("Runway period", all!(Period: Hour, Day)),
        ("Audit level", all!(AuditLevel: Error, Warning, Note)),
        (
            "Condition id",
            all!(ConditionId: TooLong, Callbacks, Jobs, ChildExecutions, Activities, DistributedMap, AtLeastOnce, HistoryInLogs, SynchronousStart, StartRate),
        ),
        ("Priced item", all!(Item: Transition, Request, GbHour, LogsGb)),
        ("Period", all!(PeriodLength: Day, Hour)),
        (
            "Diagnostic code",
            all!(Code: InvalidJsonDescription, MissingDescription, SchemaValidationFailed, InvalidResource, MissingEndState, DuplicateStateName, InvalidStateName, DuplicateLabelName, InvalidLabelName, MissingTransitionTarget, TooDeeplyNested, InvalidJsonataExpression, UnsupportedJsonataExpression, NoDollar, NoPath, PassResultIsStatic, ReservedErrorName),
        ),
        ("Query column kind", all!(ColumnKind: Text, Number, Time)),
        ("Store finding kind", all!(FindingKind: Damaged, Missing, Orphan, Foreign)),
        ("Place outcome", all!(PlaceOutcome: Done, Interrupted, BrokeOff, Failed, SameAccount, Claimed)),
        ("Missing part", all!(Missing: Place, Tags, Listing, Express, Gone, Histories, Rest, Definition, Logs, NotLogged)),
        ("Storm pattern", all!(StormPattern: Lockstep, Jittered, OneByOne, Unclear)),
        ("Definition basis", all!(DefinitionBasis: InForce, OnFile)),
        ("Wait spread", all!(Spread: None, Full, Unclear)),
        ("Remedy verdict", all!(RemedyVerdict: ChangeRetry, ChangeWait, ChangedSince, SpreadAlready, NoDefinition)),
        ("Gap", every_gap().iter().map(|gap| gap.id().to_owned()).collect()),
    ];
    for (heading, values) in enums {
        assert_eq!(page.values[heading], values, "{heading}");
    }
}

/// One of each kind; the match makes a new kind an error until it stands here as well.
fn every_gap() -> Vec<Gap> {
    let first = EventId(1);
    let gaps = vec![
        Gap::NoEvents,
        Gap::MissingEvents { first, last: first },
        Gap::MorePages,
        Gap::NotFetched { what: String::new(), reason: String::new() },
        Gap::ConflictingEvents { id: first },
        Gap::NoEnd,
        Gap::PayloadsLeftOut,
        Gap::TruncatedPayloads { events: 1 },
        Gap::StructuredPayloads { events: 1 },
        Gap::NoTimestamps { events: 1 },
        Gap::NoIds { events: 1 },
        Gap::UnknownTypes { events: 1, example: String::new() },
        Gap::MissingDetails { events: 1 },
        Gap::BrokenLinks { events: 1, first },
        Gap::UnplacedEvents { events: 1, first },
        Gap::ChildNotRead { execution: String::new(), reason: None },
        Gap::LoggedOnly { level: LoggedLevel::Error },
        Gap::NoEndLogged,
        Gap::RepeatedEvents { events: 1, first },
        Gap::NoDefinition { reason: None },
        Gap::OtherDefinition { reason: String::new() },
        Gap::NoTrace { reason: String::new() },
    ];
    for gap in &gaps {
        match gap {
            Gap::NoEvents
            | Gap::MissingEvents { .. }
            | Gap::MorePages
            | Gap::NotFetched { .. }
            | Gap::ConflictingEvents { .. }
            | Gap::NoEnd
            | Gap::PayloadsLeftOut
            | Gap::TruncatedPayloads { .. }
            | Gap::StructuredPayloads { .. }
            | Gap::NoTimestamps { .. }
            | Gap::NoIds { .. }
            | Gap::UnknownTypes { .. }
            | Gap::MissingDetails { .. }
            | Gap::BrokenLinks { .. }
            | Gap::UnplacedEvents { .. }
            | Gap::ChildNotRead { .. }
            | Gap::LoggedOnly { .. }
            | Gap::NoEndLogged
            | Gap::RepeatedEvents { .. }
            | Gap::NoDefinition { .. }
            | Gap::OtherDefinition { .. }
            | Gap::NoTrace { .. } => {}
        }
    }
    gaps
}

#[test]
fn every_exit_code_of_the_page_has_a_command_that_gives_it() {
    let incidents = incidents();
    let file = "demo/retries-exhausted.json";
    let given: Vec<String> = [
        &["why", file][..],
        &["why", "no-such-file.json"],
        &["why"],
        &["why", file, "--exit-status"],
        &["why", file, "--status", "succeeded"],
    ]
    .iter()
    .map(|arguments| stepscope(incidents.path(), arguments).status.code().expect("no signal").to_string())
    .collect();
    // The last one is a shell's, for a process that was interrupted.
    assert_eq!(Page::read().values["Exit codes"], [given, vec!["130".to_owned()]].concat());
    assert_eq!(stepscope(incidents.path(), &["why", "demo", "--output", "json"]).status.code(), Some(2), "several make no document");
}
