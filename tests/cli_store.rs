//! `ingest` and `store`, as their user runs them.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::program::{Run, argument, program, stepscope, stepscope_reading};
use common::store::{Form, assert_same_rows, contents, files_of, lines, order, rows};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder with a store in it and files beside it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(common::store::folder())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn store(&self) -> PathBuf {
        self.path("store")
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("inside")).expect("made");
        fs::write(&path, text).expect("written");
        path
    }

    fn run(&self, arguments: &[&str]) -> Run {
        stepscope([arguments, &["--store", argument(&self.store())]].concat())
    }

    /// Stores these orders, of one day each.
    fn ingest(&self, orders: &[(&str, u64, Form)]) -> Value {
        let file = self.file("orders.jsonl", &lines(orders.iter().map(|(name, day, form)| order(name, *day, *form))));
        self.run(&["ingest", argument(&file), "--output", "json"]).succeeds().json()
    }

    /// Name, status and number of events of each execution in the store.
    fn executions(&self) -> Vec<(String, String, i64)> {
        let column = |row: &str, name: &str| {
            let value = row.split(common::store::SEPARATOR).find_map(|column| column.strip_prefix(&format!("{name}="))).expect("a column");
            value.trim_start_matches(|letter| letter != '(').trim_matches(['(', ')', '"']).to_owned()
        };
        let executions = rows(&self.store()).remove(0);
        let told =
            executions.iter().map(|row| (column(row, "name"), column(row, "status"), column(row, "events").parse().expect("a number")));
        told.collect()
    }
}

const FIRST: [(&str, u64, Form); 4] =
    [("a", 0, Form::Succeeded), ("b", 0, Form::Failed), ("c", 1, Form::Running), ("d", 2, Form::Succeeded)];

mod ingest {
    use super::*;

    #[test]
    fn the_same_file_twice_changes_no_byte() {
        let place = Place::new();
        let first = place.ingest(&FIRST);
        assert_eq!(first["schema"], "stepscope.ingest/1");
        assert_eq!([&first["read"], &first["new"], &first["unchanged"]], [4, 4, 0]);
        assert_eq!([&first["batches"], &first["rejected"]], [3, 0]);
        let before = contents(&place.store());
        let second = place.ingest(&FIRST);
        assert_eq!([&second["read"], &second["new"], &second["unchanged"], &second["batches"]], [4, 0, 4, 0]);
        assert_eq!(contents(&place.store()), before);
    }

    #[test]
    fn a_later_form_replaces_an_earlier_one_and_never_the_other_way_round() {
        let place = Place::new();
        let forms = [Form::Running, Form::Failed, Form::RedrivenAndRunning, Form::RedrivenAndSucceeded];
        for (step, form) in forms.into_iter().enumerate() {
            let told = place.ingest(&[("a", 0, form), ("b", 0, Form::Running)]);
            assert_eq!(told["replaced"], u64::from(step > 0), "{form:?}");
            let executions = place.executions();
            assert_eq!(executions.len(), 2, "{form:?}");
            for earlier in &forms[..step] {
                let told = place.ingest(&[("a", 0, *earlier)]);
                assert_eq!([&told["older"], &told["batches"]], [1, 0]);
            }
            assert_eq!(place.executions(), executions);
        }
        let names: Vec<_> = place.executions().into_iter().map(|(name, status, _)| (name, status)).collect();
        assert_eq!(names, [("a".to_owned(), "SUCCEEDED".to_owned()), ("b".to_owned(), "RUNNING".to_owned())]);
        place.run(&["store", "verify"]).succeeds();
    }

    #[test]
    fn a_history_without_its_beginning_is_the_same_execution_on_another_day() {
        let execution = |start: Option<&str>, first: usize| {
            let event = |id: usize, time: &str, kind: &str| json!({"id": id, "previousEventId": id - 1, "timestamp": time, "type": kind});
            let events = [
                event(1, "2026-01-01T23:00:00Z", "ExecutionStarted"),
                event(2, "2026-01-02T01:00:00Z", "PassStateEntered"),
                event(3, "2026-01-02T02:00:00Z", "PassStateExited"),
                event(4, "2026-01-03T02:00:00Z", "ExecutionSucceeded"),
            ];
            let arn = "arn:aws:states:eu-west-1:111111111111:execution:Orders:long";
            let mut bundle = json!({"describe": {"executionArn": arn, "status": "SUCCEEDED"}, "history": {"events": events[first..]}});
            if let Some(start) = start {
                bundle["describe"]["startDate"] = json!(start);
            }
            bundle.to_string() + "\n"
        };
        let forms = [execution(Some("2026-01-01T23:00:00Z"), 0), execution(None, 1), execution(None, 3)];
        for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0], [1, 2, 0]] {
            let place = Place::new();
            for form in order {
                let file = place.file("form.jsonl", &forms[form]);
                place.run(&["ingest", argument(&file)]).succeeds();
            }
            assert_eq!(place.executions(), [("long".to_owned(), "SUCCEEDED".to_owned(), 4)], "{order:?}");
            place.run(&["store", "verify"]).succeeds();
        }
    }

    #[test]
    fn of_sights_that_are_as_long_the_one_without_gaps_is_stored() {
        let execution = |ids: [u64; 3]| {
            let event =
                |(id, kind): (u64, &str)| json!({"id": id, "previousEventId": id - 1, "timestamp": "2026-01-01T00:00:00Z", "type": kind});
            let events: Vec<Value> = ids.into_iter().zip(["ExecutionStarted", "PassStateEntered", "PassStateExited"]).map(event).collect();
            let arn = "arn:aws:states:eu-west-1:111111111111:execution:Orders:one";
            let describe = json!({"executionArn": arn, "status": "SUCCEEDED", "startDate": "2026-01-01T00:00:00Z"});
            json!({"describe": describe, "history": {"events": events}}).to_string() + "\n"
        };
        let place = Place::new();
        let [gaps, whole] = [("gaps", [1, 2, 9]), ("whole", [1, 2, 3])].map(|(name, ids)| place.file(name, &execution(ids)));
        let told = |file: &Path| place.run(&["ingest", argument(file), "--output", "json"]).succeeds().json();
        assert_eq!(told(&gaps)["new"], 1);
        assert_eq!(told(&whole)["replaced"], 1);
        assert_eq!(told(&gaps)["older"], 1);
    }

    #[test]
    fn several_forms_in_one_input_leave_the_last() {
        let place = Place::new();
        let told = place.ingest(&[("a", 0, Form::Running), ("a", 0, Form::Succeeded), ("a", 0, Form::Failed), ("a", 0, Form::Running)]);
        assert_eq!(told["read"], 4);
        assert_eq!(place.executions(), [("a".to_owned(), "SUCCEEDED".to_owned(), 9)]);
    }

    #[test]
    fn polling_what_runs_does_not_write_the_closed_ones_again() {
        let place = Place::new();
        place.ingest(&[("a", 0, Form::Succeeded), ("b", 0, Form::Running), ("c", 0, Form::Running)]);
        let closed = |place: &Place| -> Vec<PathBuf> {
            files_of(&place.store(), "executions").into_iter().filter(|file| !file.to_string_lossy().contains("-open")).collect()
        };
        let before = closed(&place);
        let told = place.ingest(&[("a", 0, Form::Succeeded), ("b", 0, Form::Failed), ("c", 0, Form::Running)]);
        assert_eq!([&told["replaced"], &told["unchanged"]], [1, 2]);
        assert!(before.iter().all(|file| closed(&place).contains(file)));
        assert_eq!(place.executions().len(), 3);
    }

    #[test]
    fn what_cannot_be_read_is_named_and_set_aside_and_the_rest_is_stored() {
        let place = Place::new();
        let good = lines([order("a", 0, Form::Succeeded), order("b", 0, Form::Failed)]);
        let (first, second) = good.split_once('\n').expect("two lines");
        let broken = "{\"execution\": {\"name\": \"tr\u{fc}b\"}, \"events\": oops}";
        let file = place.file("mixed.jsonl", &format!("{first}\n{broken}\n{second}"));
        let run = place.run(&["ingest", argument(&file), "--output", "json"]).ends_with(1).says(&["mixed.jsonl line 2"]);
        let told = run.json();
        assert_eq!([&told["new"], &told["rejected"]], [2, 1]);
        let aside = told["rejected_file"].as_str().expect("a file");
        assert!(Path::new(aside).starts_with(place.store().join(".rejected")));
        let aside: Value = serde_json::from_str(&fs::read_to_string(aside).expect("read")).expect("one line");
        assert_eq!([&aside["file"], &aside["line"], &aside["text"]], [&json!(argument(&file)), &json!(2), &json!(broken)]);
        assert!(aside["error"].as_str().expect("a reason").contains("line 2"));
        let named = place.path("aside.jsonl");
        place.run(&["ingest", argument(&file), "--rejected", argument(&named)]).ends_with(1).shows(&["1 record", argument(&named)]);
        assert!(named.exists());
        assert_eq!(place.executions().len(), 2);
    }

    #[test]
    fn standard_input_folders_and_several_inputs_are_read() {
        let place = Place::new();
        place.file("folder/one.json", &lines([order("a", 0, Form::Succeeded)]));
        place.file("folder/notes.json", "{\"notes\": []}");
        let folder = place.path("folder");
        let input = lines([order("b", 1, Form::Failed)]);
        let store = place.store();
        let run = stepscope_reading(["ingest", "-", argument(&folder), "--store", argument(&store)], input).ends_with(0);
        run.shows(&["Read 2 executions", "2 new"]).says(&["passed over", "notes.json"]);
        place.run(&["ingest", "-", "-"]).ends_with(2).says(&["standard input can be read once"]);
        place.run(&["ingest", argument(&place.path("nothing"))]).ends_with(1).says(&["nothing"]);
        place.run(&["ingest"]).ends_with(2);
    }

    #[test]
    fn times_may_be_missing_and_names_may_be_anything() {
        let place = Place::new();
        let mut timeless = order("timeless", 0, Form::Succeeded);
        (timeless.header.start, timeless.header.stop) = (None, None);
        timeless.events.iter_mut().for_each(|event| event.timestamp = None);
        let mut strange = order("strange", 0, Form::Failed);
        strange.header.name = Some("sm\u{f6}rg\u{e5}s \u{1b}[31m\u{202e}\u{1f980}".to_owned());
        let file = place.file("strange.jsonl", &lines([timeless, strange]));
        place.run(&["ingest", argument(&file)]).ends_with(0);
        assert!(place.store().join("executions/day=__HIVE_DEFAULT_PARTITION__").is_dir());
        let run = place.run(&["ingest", argument(&file)]).ends_with(0).shows(&["2 unchanged"]);
        assert!(!run.out.contains('\u{1b}'));
        let empty = place.file("empty.jsonl", "");
        place.run(&["ingest", argument(&empty)]).ends_with(1).says(&["is empty"]);
        let info = place.run(&["store", "info"]).succeeds().shows(&["__HIVE_DEFAULT_PARTITION__"]);
        assert!(!info.out.contains('\u{1b}'));
    }

    #[test]
    fn a_folder_that_is_no_store_is_refused() {
        let place = Place::new();
        let file = place.file("orders.jsonl", &lines([order("a", 0, Form::Succeeded)]));
        place.file("store/thesis.tex", "years of work");
        place.run(&["ingest", argument(&file)]).ends_with(1).says(&["is not empty and no store", "name a new or an empty folder"]);
        assert_eq!(contents(&place.store()).len(), 1);
        for verb in ["info", "verify", "compact"] {
            place.run(&["store", verb]).ends_with(1).says(&["is not empty and no store"]);
        }
        let inside_a_file = file.join("store");
        stepscope(["ingest", argument(&file), "--store", argument(&inside_a_file)]).ends_with(1).says(&["failed to write the store"]);
        let missing = place.path("missing");
        stepscope(["store", "info", "--store", argument(&missing)]).ends_with(1).says(&["there is no store", "stepscope ingest"]);
    }

    #[test]
    fn a_store_of_a_later_version_is_left_alone() {
        let place = Place::new();
        place.ingest(&FIRST);
        place.file("store/stepscope.json", "{\"format\":\"stepscope-store\",\"version\":2}");
        let before = contents(&place.store());
        let file = place.path("orders.jsonl");
        place.run(&["ingest", argument(&file)]).ends_with(1).says(&["version 2", "use a newer stepscope"]);
        place.run(&["store", "prune", "--older-than", "0d"]).ends_with(1).says(&["version 2"]);
        assert_eq!(contents(&place.store()), before);
    }

    #[test]
    fn the_store_may_be_named_from_where_one_stands() {
        let place = Place::new();
        place.file("orders.jsonl", &lines([order("a", 0, Form::Succeeded)]));
        for store in ["here", "./there", "deep/down/below", "."] {
            let folder = place.path(if store == "." { "empty" } else { "." });
            fs::create_dir_all(&folder).expect("made");
            let orders = place.path("orders.jsonl");
            Run::of(program().current_dir(&folder).args(["ingest", argument(&orders), "--store", store])).succeeds();
            Run::of(program().current_dir(&folder).args(["store", "verify", "--store", store])).succeeds();
        }
    }

    #[test]
    fn the_store_is_where_the_environment_says() {
        let place = Place::new();
        let file = place.file("orders.jsonl", &lines([order("a", 0, Form::Succeeded)]));
        Run::of(program().args(["ingest", argument(&file)]).env("STEPSCOPE_STORE", place.path("named"))).succeeds();
        Run::of(program().args(["ingest", argument(&file)]).env("XDG_DATA_HOME", place.path("data"))).succeeds();
        Run::of(program().args(["ingest", argument(&file)]).env("HOME", place.path("home"))).succeeds();
        for store in ["named", "data/stepscope", "home/.local/share/stepscope"] {
            assert!(place.path(store).join("stepscope.json").exists(), "{store}");
        }
        stepscope(["ingest", argument(&file)]).ends_with(2).says(&["--store DIR"]);
    }

    /// The limit on the size of files stands for a full disk: both end a write in the middle.
    #[test]
    fn a_full_disk_is_an_error_and_the_store_stays_whole() {
        let place = Place::new();
        place.ingest(&FIRST);
        let before = contents(&place.store());
        let many: Vec<_> = (0..400).map(|number| order(&format!("order-{number}"), number % 2, Form::Failed)).collect();
        let file = place.file("many.jsonl", &lines(many));
        let script = format!(
            "trap '' XFSZ; ulimit -f 12; exec '{}' ingest '{}' --store '{}'",
            env!("CARGO_BIN_EXE_stepscope"),
            file.display(),
            place.store().display()
        );
        let output = Command::new("bash").args(["-c", &script]).output().expect("bash runs");
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{words}");
        for said in ["no room for", "store prune", "run it again"] {
            assert!(words.contains(said), "{words}");
        }
        let after = contents(&place.store());
        assert!(before.iter().all(|file| after.contains(file)));
        assert_eq!(fs::read_dir(place.store().join(".staging")).expect("listed").count(), 0);
        place.run(&["store", "verify"]).succeeds();
        place.run(&["ingest", argument(&file)]).succeeds().shows(&["Read 400 executions"]);
        assert_eq!(place.executions().len(), 404);
    }
}

mod damage {
    use super::*;

    /// What is done to a file, and whether it is still there.
    fn harms(bytes: &[u8]) -> Vec<(String, Option<Vec<u8>>)> {
        let mut harms = vec![("missing".to_owned(), None), ("empty".to_owned(), Some(Vec::new()))];
        for part in 1..4 {
            harms.push((format!("cut after {part} quarters"), Some(bytes[..bytes.len() * part / 4].to_vec())));
        }
        for part in 0..12 {
            let at = (bytes.len() - 1) * part / 11;
            let mut flipped = bytes.to_vec();
            flipped[at] ^= 0x10;
            harms.push((format!("byte {at} flipped"), Some(flipped)));
        }
        harms
    }

    #[test]
    fn a_damaged_file_is_named_and_the_other_days_stay_usable() {
        for table in ["executions", "visits", "attempts", "events"] {
            let place = Place::new();
            place.ingest(&FIRST);
            let file = files_of(&place.store(), table).remove(0);
            let name = file.strip_prefix(place.store()).expect("inside").to_str().expect("text").to_owned();
            let bytes = fs::read(&file).expect("read");
            let mut looked = 0;
            for (harm, harmed) in harms(&bytes) {
                // Without its `executions` a batch is not there: what is left of it is named as such.
                let kind = match harmed {
                    None if table == "executions" => "orphan",
                    None => "missing",
                    Some(_) => "damaged",
                };
                harmed.map_or_else(|| fs::remove_file(&file), |harmed| fs::write(&file, harmed)).expect("harmed");
                let run = place.run(&["store", "verify", "--output", "json"]).ends_with(i32::from(kind != "orphan"));
                let told = run.json();
                assert_eq!(told["damaged"], u64::from(kind != "orphan"), "{table}, {harm}: {told}");
                let finding = &told["findings"][0];
                assert_eq!(finding["kind"], kind, "{table}, {harm}: {told}");
                assert!(kind == "orphan" || finding["file"] == name, "{table}, {harm}: {told}");
                assert_eq!(told["batches"], if kind == "orphan" { 2 } else { 3 }, "{table}, {harm}");
                looked += 1;
                fs::write(&file, &bytes).expect("mended");
            }
            assert_eq!(looked, 17);
            place.run(&["store", "verify"]).succeeds().shows(&["all of them are as they were written"]);
        }
    }

    #[test]
    fn info_and_compact_name_a_damaged_file_and_go_on() {
        let place = Place::new();
        place.ingest(&FIRST);
        place.ingest(&[("e", 0, Form::Failed), ("f", 2, Form::Failed)]);
        let file = files_of(&place.store(), "executions").remove(0);
        fs::write(&file, "PAR1 and nothing else PAR1").expect("harmed");
        let info = place.run(&["store", "info", "--output", "json"]).ends_with(1).says(&[argument(&file), "is damaged"]).json();
        assert_eq!(info["executions"], 4);
        let compacted = place.run(&["store", "compact", "--output", "json"]).ends_with(1).says(&[argument(&file)]).json();
        assert_eq!([&compacted["batches_before"], &compacted["batches_after"]], [5, 4]);
        assert_eq!(compacted["days"][0]["day"], "2026-01-03");
    }

    #[test]
    fn damaged_batches_can_be_set_aside_and_their_executions_stored_again() {
        let place = Place::new();
        place.ingest(&FIRST);
        let whole = rows(&place.store());
        let file = files_of(&place.store(), "events").remove(0);
        fs::write(&file, "nothing").expect("harmed");
        place.run(&["store", "verify"]).ends_with(1).shows(&["store verify --set-aside"]);
        place.run(&["store", "verify", "--set-aside"]).ends_with(1).shows(&["Moved 1 batch to .damaged"]);
        assert!(place.store().join(".damaged").join(file.strip_prefix(place.store()).expect("inside")).exists());
        place.run(&["store", "verify"]).succeeds();
        assert_eq!(place.executions().len(), 2);
        let again = place.ingest(&FIRST);
        assert_eq!([&again["new"], &again["unchanged"]], [2, 2]);
        assert_same_rows(&rows(&place.store()), &whole, "after it was stored again");
    }

    #[test]
    fn what_was_damaged_counts_as_not_stored() {
        let place = Place::new();
        place.ingest(&FIRST);
        let file = files_of(&place.store(), "executions").remove(0);
        fs::write(&file, "nothing").expect("harmed");
        let orders = place.path("orders.jsonl");
        let run = place.run(&["ingest", argument(&orders), "--output", "json"]).ends_with(1);
        let told = run.says(&[argument(&file), "its executions count as not stored"]).json();
        assert_eq!([&told["new"], &told["unchanged"]], [2, 2]);
    }

    #[test]
    fn files_of_others_in_the_tables_are_named() {
        let place = Place::new();
        place.ingest(&FIRST);
        place.file("store/visits/day=2026-01-01/mine.parquet", "mine");
        let told = place.run(&["store", "verify", "--output", "json"]).succeeds().json();
        let finding = json!({"file": "visits/day=2026-01-01/mine.parquet", "day": "2026-01-01", "kind": "foreign",
            "reason": "no batch of stepscope; other engines take it for a part of the table"});
        assert_eq!(told["findings"], json!([finding]));
    }
}

mod care {
    use super::*;

    #[test]
    fn info_tells_tables_days_and_machines() {
        let place = Place::new();
        place.ingest(&FIRST);
        let info = place.run(&["store", "info", "--output", "json"]).succeeds().json();
        assert_eq!(info["schema"], "stepscope.store.info/1");
        assert_eq!([&info["executions"], &info["unsuccessful"], &info["open"], &info["version"]], [4, 1, 1, 1]);
        assert_eq!([&info["first_start"], &info["last_start"]], ["2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z"]);
        let events: u64 = place.executions().iter().map(|(.., events)| u64::try_from(*events).expect("a count")).sum();
        let rows = |table: usize| info["tables"][table]["rows"].as_u64().expect("a number");
        assert_eq!([rows(0), rows(1), rows(3)], [4, 8, events]);
        let days: Vec<_> = info["days"].as_array().expect("days").iter().map(|day| (&day["day"], &day["executions"])).collect();
        assert_eq!(days, [(&json!("2026-01-01"), &json!(2)), (&json!("2026-01-02"), &json!(1)), (&json!("2026-01-03"), &json!(1))]);
        assert_eq!(info["machines"][0]["executions"], 4);
        place.run(&["store", "info"]).succeeds().shows(&["4 executions: 1 unsuccessful, 1 open", "Orders", "2026-01-02"]);
    }

    #[test]
    fn compact_puts_batches_together_and_changes_no_row() {
        let place = Place::new();
        for number in 0..6_u64 {
            let name = |letter: &str| format!("{letter}-{number}");
            let forms = [(name("a"), 0, Form::Succeeded), (name("b"), number % 2, Form::Failed), (name("c"), 0, Form::Running)];
            place.ingest(&forms.each_ref().map(|(name, day, form)| (name.as_str(), *day, *form)));
        }
        let before = rows(&place.store());
        let told = place.run(&["store", "compact", "--output", "json"]).succeeds().json();
        assert_eq!([&told["batches_before"], &told["batches_after"], &told["left"]], [15, 3, 0]);
        assert_eq!(told["days"][0], json!({"day": "2026-01-01", "from": 12, "to": 2}));
        assert_same_rows(&rows(&place.store()), &before, "compacted");
        place.run(&["store", "verify"]).succeeds();
        place.run(&["store", "compact"]).succeeds().shows(&["Nothing to put together"]);
        let told = place.ingest(&[("c-1", 0, Form::Succeeded), ("b-2", 0, Form::Failed)]);
        assert_eq!([&told["replaced"], &told["unchanged"]], [1, 1]);
        place.run(&["store", "verify"]).succeeds();
    }

    #[test]
    fn prune_removes_old_days_but_what_still_runs() {
        let place = Place::new();
        place.ingest(&FIRST);
        let before = contents(&place.store());
        let prune = |arguments: &[&str]| place.run(&[&["store", "prune", "--output", "json"], arguments].concat());
        let told = prune(&["--older-than", "2026-01-03", "--dry-run"]).succeeds().json();
        assert_eq!([&told["executions"], &told["kept_open"], &told["dry_run"]], [&json!(2), &json!(1), &json!(true)]);
        assert_eq!(contents(&place.store()), before);
        let told = prune(&["--older-than", "2026-01-03"]).succeeds().json();
        assert_eq!([&told["executions"], &told["kept_open"], &told["before"]], [&json!(2), &json!(1), &json!("2026-01-03")]);
        assert!(!place.store().join("events/day=2026-01-01").exists());
        let names: Vec<String> = place.executions().into_iter().map(|(name, ..)| name).collect();
        assert_eq!(names, ["c", "d"]);
        prune(&["--older-than", "2026-01-03", "--open"]).succeeds();
        assert_eq!(place.executions().len(), 1);
        prune(&["--older-than", "soon"]).ends_with(2).says(&["`soon` is neither a date"]);
        place.run(&["store", "prune", "--older-than", "2026-01-01"]).succeeds().shows(&["Nothing to remove"]);
        place.run(&["store", "verify"]).succeeds();
    }

    #[test]
    fn a_store_without_executions_is_one() {
        let place = Place::new();
        let empty = place.file("empty.json", "[]");
        place.run(&["ingest", argument(&empty)]);
        for verb in ["info", "verify", "compact"] {
            place.run(&["store", verb]).succeeds();
        }
        place.run(&["store", "prune", "--older-than", "1d"]).succeeds();
    }
}

#[test]
fn a_folder_in_the_place_of_a_file_and_sums_cut_short_are_named_and_set_aside() {
    for (table, is_folder) in [("executions", true), ("events", true), (".checksums", false)] {
        let place = Place::new();
        place.ingest(&FIRST);
        let day = fs::read_dir(place.store().join(table)).expect("days").next().expect("a day").expect("an entry").path();
        let file = fs::read_dir(day).expect("files").next().expect("a file").expect("an entry").path();
        let text = fs::read(&file).expect("read");
        fs::remove_file(&file).expect("removed");
        if is_folder {
            fs::create_dir(&file).expect("made");
        } else {
            fs::write(&file, &text[..text.len() / 2]).expect("written");
        }
        let name = file.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        let told = place.run(&["store", "verify"]).ends_with(1);
        assert!(told.out.contains(&name), "{table}: {} {}", told.out, told.words);
        place.run(&["store", "verify", "--set-aside"]);
        place.run(&["store", "verify"]).succeeds();
        assert_eq!(place.ingest(&FIRST)["damaged"], json!([]), "{table}");
    }
}
