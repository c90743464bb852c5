//! `cost` as its user runs it: what is counted, priced, refused and drawn.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::corpus;
use common::program::{Run, argument, stepscope, stepscope_reading};
use serde_json::{Value, json};
use stepscope::model::History;
use stepscope::model::builder::{HistoryBuilder, history, milliseconds, minutes, seconds};
use stepscope::model::wire::WireBundle;
use tempfile::TempDir;

fn none() -> Value {
    json!({})
}

fn bundle(history: &History) -> Value {
    serde_json::to_value(WireBundle(history)).expect("a bundle")
}

/// JSON Lines of these bundles in a folder of their own.
struct Executions {
    _folder: TempDir,
    file: PathBuf,
}

impl Executions {
    fn of(bundles: &[Value]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("executions.jsonl");
        let lines: Vec<String> = bundles.iter().map(Value::to_string).collect();
        fs::write(&file, lines.join("\n")).expect("written");
        Self { file, _folder: folder }
    }

    fn cost(&self, arguments: &[&str]) -> Run {
        stepscope([&["cost", "--input", argument(&self.file)], arguments].concat())
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.file.with_file_name(name)
    }
}

fn task(cursor: &mut HistoryBuilder, name: &str) {
    cursor.enter_task(name, none()).taking(milliseconds(100)).attempt_succeeded(none()).exit(none());
}

/// Eight states, two of them Tasks; one fails twice before it succeeds.
fn order(number: u64) -> Value {
    let mut told = history("Orders");
    let start = told.now() + minutes(30 * number);
    told.named(&format!("order-{number}")).clock_at(start);
    for name in ["Check", "Rate", "Route"] {
        told.pass(name, none(), none());
    }
    told.enter_task("Charge", none());
    told.attempt_failed("Busy", None)
        .after(seconds(1))
        .attempt_failed("Busy", None)
        .after(seconds(2))
        .attempt_succeeded(none())
        .exit(none());
    task(&mut told, "Ship");
    for name in ["Pack", "Tell", "Done"] {
        told.pass(name, none(), none());
    }
    bundle(&told.execution_succeeded(none()).build())
}

/// Looks at a job three times.
fn job() -> Value {
    let mut told = history("Jobs");
    task(&mut told, "Submit");
    for _ in 0..3 {
        told.wait("Pause", none(), seconds(30));
        task(&mut told, "Look");
        told.choice("Done?", none());
    }
    bundle(&told.execution_succeeded(none()).build())
}

fn express(name: &str, milliseconds_long: u64) -> Value {
    let told = history("Fast")
        .named(name)
        .pass("Answer", none(), none())
        .after(milliseconds(milliseconds_long))
        .execution_succeeded(none())
        .build();
    let mut bundle = bundle(&told);
    bundle["execution"]["executionArn"] = json!(format!("arn:aws:states:us-east-1:111111111111:express:Fast:{name}:0"));
    bundle
}

fn fleet() -> Executions {
    let mut bundles: Vec<Value> = (0..6).map(order).collect();
    bundles.extend([job(), express("a", 180), express("b", 280)]);
    Executions::of(&bundles)
}

#[test]
fn the_report_tells_states_retries_polling_and_the_other_type() {
    let run = fleet().cost(&[]).succeeds();
    run.shows(&[
        "9 executions of 3 machines cost $0.0",
        "retries   12 transitions, $0.0003",
        "polling   6 transitions, $0.00015",
        "failed    12 attempts, $0.0003",
        "free      4,000 transitions a month",
        "Orders\n  STANDARD, 6 executions, $0.0015",
        "$0.00025 each",
        "EXPRESS, 2 executions",
        "0.03125 GB-seconds $0.0000005208, 2 estimated from\n",
        "As Express they would cost",
        "As Standard they would cost",
        "list prices in USD, table of 2026-11",
        "us-east-1: $0.000025 a state transition",
    ]);
}

#[test]
fn no_line_is_wider_than_the_terminal_and_no_amount_has_an_exponent() {
    let executions = fleet();
    for by in [&[][..], &["--by", "state"], &["--by", "machine"], &["--by", "execution"], &["--by", "day"], &["--by", "hour"]] {
        let run = executions.cost(by).succeeds();
        for line in run.out.lines() {
            assert!(line.chars().count() <= 80, "{by:?}: {line}");
            assert!(!line.contains("e-") && !line.contains("E-"), "{by:?}: {line}");
        }
    }
}

#[test]
fn each_execution_gets_a_line_with_what_its_states_are_charged() {
    let lines = fleet().cost(&["--by", "execution", "--output", "jsonl"]).succeeds().json_lines();
    assert_eq!(lines.len(), 9);
    let order = lines.iter().find(|line| line["execution"].as_str().is_some_and(|arn| arn.ends_with(":order-0"))).expect("there");
    let states: Vec<String> =
        order["transitions"].as_object().expect("states").iter().map(|(name, count)| format!("{name} {count}")).collect();
    assert_eq!(states, ["Check 1", "Rate 1", "Route 1", "Charge 3", "Ship 1", "Pack 1", "Tell 1", "Done 1"]);
    assert_eq!((&order["total_transitions"], &order["retries"], &order["cost_usd"]), (&json!(10), &json!(2), &json!("0.00025")));
    assert!(lines.iter().map(|line| line["execution"].to_string()).collect::<Vec<_>>().is_sorted());
}

#[test]
fn a_state_whose_name_sounds_secret_is_counted_in_the_open() {
    let told = history("Sign").pass("AwaitSignature", none(), none()).pass("password", none(), none()).execution_succeeded(none()).build();
    let executions = Executions::of(&[bundle(&told)]);
    let line = executions.cost(&["--by", "execution", "--output", "jsonl"]).succeeds().json();
    assert_eq!(line["transitions"], json!({"AwaitSignature": 1, "password": 1}));
    let document = executions.cost(&["--by", "execution", "--output", "json"]).succeeds().json();
    assert_eq!(document["executions"][0]["transitions"], json!({"AwaitSignature": 1, "password": 1}));
}

#[test]
fn ten_transitions_a_run_come_to_the_published_price_of_a_month() {
    // A run a minute over a day, ten transitions each: 432,000 a month, 4,000 of them free.
    let day: Vec<Value> = (0..=2).map(|number| order(24 * number)).collect();
    let window = ["--since", "2026-01-01T00:00:00Z", "--until", "2026-01-02T06:00:00Z"];
    let document = Executions::of(&day).cost(&[&window[..], &["--output", "json"]].concat()).succeeds().json();
    // Three runs in thirty hours: 72 in thirty days, 720 transitions.
    assert_eq!(document["accounts"][0]["transitions_per_month"], json!(720));
    assert_eq!(document["rate"]["per_month_usd"], json!("0.018"));
    assert_eq!(document["accounts"][0]["per_month_usd"], json!("0"));
}

#[test]
fn a_price_of_ones_own_goes_before_the_list() {
    let executions = fleet();
    let file = executions.beside("prices.toml");
    let text = "schema = \"stepscope.prices/1\"\ncompiled = \"2027-02\"\n[regions.us-east-1]\ntransition = { usd = \"1\" }\n";
    fs::write(&file, text).expect("written");
    let document = executions.cost(&["--state-machine", "Orders", "--prices", argument(&file), "--output", "json"]).succeeds().json();
    assert_eq!(document["total"]["cost_usd"], json!("60"));
    assert_eq!(document["basis"]["compiled"], json!("2027-02"));
    assert_eq!(document["machines"].as_array().map(Vec::len), Some(1));
    fs::write(&file, text.replace("\"1\"", "1.5")).expect("written");
    executions.cost(&["--prices", argument(&file)]).ends_with(2).says(&["prices.toml line 4", "write the amount 1.5 in quotes"]);
    executions.cost(&["--prices", "no-such-file.toml"]).ends_with(1).says(&["failed to read the prices of `no-such-file.toml`"]);
}

#[test]
fn the_prices_of_the_page_are_taken() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cost.md")).expect("the page");
    let prices = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let executions = fleet();
    let file = executions.beside("prices.toml");
    fs::write(&file, prices).expect("written");
    let document = executions.cost(&["--prices", argument(&file), "--output", "json"]).succeeds().json();
    assert_eq!(document["accounts"][0]["free_transitions_per_month"], json!(0));
}

#[test]
fn more_memory_makes_express_dearer() {
    let executions = Executions::of(&[express("a", 180)]);
    let gb_seconds = |arguments: &[&str]| {
        let document = executions.cost(&[arguments, &["--output", "json"]].concat()).succeeds().json();
        document["machines"][0]["express"]["gb_seconds"].clone()
    };
    assert_eq!(gb_seconds(&[]), json!("0.0125"));
    assert_eq!(gb_seconds(&["--express-memory", "65"]), json!("0.025"));
    executions.cost(&["--express-memory", "0"]).ends_with(2).says(&["--express-memory"]);
}

#[test]
fn a_plot_is_written_in_the_form_that_its_name_asks_for() {
    let executions = fleet();
    let svg = executions.beside("cost.svg");
    executions.cost(&["--plot", argument(&svg)]).ends_with(0).says(&["wrote "]);
    let text = fs::read_to_string(&svg).expect("written");
    for label in ["What 3 state machines cost", "Orders / Charge", "retries", "polling", "By hour", "$0.0"] {
        assert!(text.contains(label), "{label}");
    }
    let png = executions.beside("cost.png");
    executions.cost(&["--plot", argument(&png), "--by", "day", "-q"]).succeeds();
    assert_eq!(&fs::read(&png).expect("written")[..4], b"\x89PNG");
    executions.cost(&["--plot", "cost.pdf"]).ends_with(2).says(&["ends in neither .svg nor .png"]);
    executions.cost(&["--plot", "no/such/folder/cost.svg"]).ends_with(1).says(&["failed to write the plot"]);
}

#[test]
fn nothing_to_price_is_said() {
    let empty = Executions::of(&[]);
    assert_ne!(empty.cost(&[]).code, 0);
    fleet().cost(&["--state-machine", "Nobody"]).ends_with(4).says(&["is of that machine and in that window"]);
    stepscope(["cost"]).ends_with(2).says(&["--store"]);
    let missing = tempfile::tempdir().expect("a temporary folder").path().join("missing");
    stepscope(["cost", "--store", argument(&missing)]).ends_with(1).says(&["there is no store at", "--input reads files without one"]);
}

#[test]
fn names_from_outside_do_no_harm() {
    let mut told = history("Odd");
    for name in ["\u{1b}[2Jevil\u{202e}", &"Long".repeat(20), "状态"] {
        told.pass(name, none(), none());
    }
    let bundle = bundle(&told.execution_succeeded(none()).build());
    let run = stepscope_reading(["cost", "--input", "-"], bundle.to_string()).succeeds();
    assert!(!run.out.contains('\u{1b}') && run.out.contains("状态") && run.out.contains('…'));
}

#[test]
fn an_execution_that_runs_or_lacks_events_is_priced_as_far_as_it_is_known() {
    let mut told = history("Orders");
    let open = bundle(&told.pass("Check", none(), none()).enter_task("Charge", none()).scheduled().build());
    let run = Executions::of(&[open]).cost(&[]).ends_with(0);
    run.shows(&["1 execution of 1 machine cost", "without the duration of 1 that did not end"]);
}

/// Each execution of the incidents: its states and what the simulation charged them.
fn truth(folder: &Path) -> Vec<(String, Value)> {
    let file = fs::File::open(folder.join("transitions.jsonl.gz")).expect("there");
    let text = std::io::read_to_string(flate2::read::GzDecoder::new(file)).expect("text");
    let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let charged = |row: &Value| {
        let retries = |state: &str| row["retries"][state].as_u64().unwrap_or(0);
        let entries = row["entries"].as_object().expect("states").iter();
        entries.map(|(state, entered)| (state.clone(), json!(entered.as_u64().unwrap_or(0) + retries(state)))).collect::<Value>()
    };
    rows.map(|row| (row["executionArn"].as_str().unwrap_or_default().to_owned(), charged(&row))).collect()
}

#[test]
fn the_incidents_cost_what_they_were_charged() {
    let Some(corpus) = corpus::corpus() else { return };
    let mut compared = 0;
    for file in corpus::files(&corpus.join("incidents")).iter().filter(|file| file.ends_with("transitions.jsonl.gz")) {
        let folder = file.parent().expect("a folder");
        let input = folder.join("executions.jsonl.gz");
        let lines = stepscope(["cost", "--input", argument(&input), "--by", "execution", "--output", "jsonl"]).succeeds().json_lines();
        let mut truth = truth(folder);
        truth.sort_by(|one, other| one.0.cmp(&other.0));
        let counted: Vec<(String, Value)> = lines
            .into_iter()
            .map(|line| (line["execution"].as_str().unwrap_or_default().to_owned(), line["transitions"].clone()))
            .collect();
        assert_eq!(counted.len(), truth.len(), "{}", folder.display());
        for (counted, charged) in counted.iter().zip(&truth) {
            assert_eq!(counted.0, charged.0);
            assert_eq!(counted.1, charged.1, "{}", counted.0);
        }
        compared += counted.len();
    }
    assert!(compared > 5000, "{compared}");
}
