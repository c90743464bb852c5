//! Datasets, batches and results against a world that holds a few objects.

use std::collections::BTreeMap;
use std::io::Write as _;

use jiff::Timestamp;

use super::*;
use crate::interpreter::{ObjectSummary, Outcome, TaskAnswer, TaskRequest, Unanswered, World};
use crate::model::ExecutionStatus;

/// One bucket, `data`.
#[derive(Default)]
struct Bucket(BTreeMap<String, Vec<u8>>);

impl World for Bucket {
    fn attempt(&mut self, request: &TaskRequest<'_>) -> Result<TaskAnswer, Unanswered> {
        Err(Unanswered { state: request.attempted.state.to_owned(), attempt: 1, advice: String::new() })
    }

    fn read_object(&mut self, bucket: &str, key: &str) -> Result<Vec<u8>, ObjectError> {
        named(bucket)?;
        self.0.get(key).cloned().ok_or_else(|| ObjectError::NoKey { bucket: bucket.to_owned(), key: key.to_owned() })
    }

    fn list_objects(&mut self, bucket: &str, prefix: &str) -> Result<Vec<ObjectSummary>, ObjectError> {
        named(bucket)?;
        let found = self.0.iter().filter(|(key, _)| key.starts_with(prefix));
        Ok(found
            .map(|(key, bytes)| ObjectSummary {
                key: key.clone(),
                etag: "\"e\"".to_owned(),
                last_modified: Timestamp::from_second(1_700_000_000).expect("a time"),
                size: bytes.len() as u64,
            })
            .collect())
    }

    fn write_object(&mut self, bucket: &str, key: &str, bytes: &[u8]) -> Result<(), ObjectError> {
        named(bucket)?;
        self.0.insert(key.to_owned(), bytes.to_vec());
        Ok(())
    }
}

impl Bucket {
    fn with(objects: &[(&str, &str)]) -> Self {
        Self(objects.iter().map(|(key, text)| ((*key).to_owned(), text.as_bytes().to_vec())).collect())
    }

    fn get(&mut self, key: &str, config: &str) -> Result<String, String> {
        self.get_some(key, config, None)
    }

    fn get_some(&mut self, key: &str, config: &str, max_items: Option<i64>) -> Result<String, String> {
        let arguments = Value::object([("Bucket", Value::from("data")), ("Key", Value::from(key))]);
        shown(self, "arn:aws:states:::s3:getObject", &arguments, config, max_items)
    }

    fn list(&mut self, prefix: &str, config: &str) -> Result<String, String> {
        let arguments = Value::object([("Bucket", Value::from("data")), ("Prefix", Value::from(prefix))]);
        shown(self, "arn:aws:states:::s3:listObjectsV2", &arguments, config, None)
    }
}

fn named(bucket: &str) -> Result<(), ObjectError> {
    if bucket == "data" { Ok(()) } else { Err(ObjectError::NoBucket(bucket.to_owned())) }
}

/// The inputs of the items as one text, or the error.
fn shown(world: &mut Bucket, resource: &str, arguments: &Value, config: &str, max_items: Option<i64>) -> Result<String, String> {
    let config = json(config);
    let request = Request { resource, arguments, config: &config, max_items, limits: Limits { bytes: 20_000, items: 100 } };
    let items = read(world, &request).map_err(|error| error.to_string())?;
    Ok(Value::array(items.iter().map(Item::input)).to_json())
}

fn json(text: &str) -> Value {
    Value::parse(text).expect("JSON")
}

const CSV: &str = r#"{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"}"#;

#[test]
fn short_rows_are_filled_up_and_long_ones_cut() {
    let mut bucket = Bucket::with(&[("a.csv", "a,b,c\n1,2,3\n,,,\n4,5,6,7\n\n  \n\"x, y\",\"say \"\"hi\"\"\"\n")]);
    let rows = bucket.get("a.csv", CSV).expect("items");
    assert_eq!(
        rows,
        r#"[{"a":"1","b":"2","c":"3"},{"a":"","b":"","c":""},{"a":"4","b":"5","c":"6"},{"a":"  ","b":"","c":""},{"a":"x, y","b":"say \"hi\"","c":""}]"#
    );
}

#[test]
fn columns_come_in_the_order_of_the_services_hash_table() {
    let mut bucket = Bucket::with(&[("r.csv", "userId,movieId,rating,timestamp\n1,307,3.0,9\n"), ("e.csv", "H,\n1,2\n")]);
    assert_eq!(bucket.get("r.csv", CSV).expect("items"), r#"[{"rating":"3.0","movieId":"307","userId":"1","timestamp":"9"}]"#);
    assert_eq!(bucket.get("e.csv", CSV).expect("items"), r#"[{"":"2","H":"1"}]"#);
}

#[test]
fn given_headers_and_other_delimiters_are_taken() {
    let mut bucket = Bucket::with(&[("a.csv", "1|2\n3|4\n"), ("t.csv", "1\t2\n")]);
    let config = r#"{"InputType":"CSV","CSVHeaderLocation":"GIVEN","CSVHeaders":["a","b"],"CSVDelimiter":"PIPE"}"#;
    assert_eq!(bucket.get("a.csv", config).expect("items"), r#"[{"a":"1","b":"2"},{"a":"3","b":"4"}]"#);
    assert_eq!(bucket.get("t.csv", &config.replace("PIPE", "TAB")).expect("items"), r#"[{"a":"1","b":"2"}]"#);
}

#[test]
fn headers_that_cannot_be_names_fail_the_reader() {
    let long = format!("{}\n1\n", "h".repeat(10_000));
    let wide = format!("{}\n1\n", (0..2500).map(|n| n.to_string()).collect::<Vec<_>>().join(","));
    let mut bucket =
        Bucket::with(&[("twice.csv", "a,b,a\n1,2,3\n"), ("none.csv", ""), ("only.csv", "a,b\n"), ("long.csv", &long), ("wide.csv", &wide)]);
    assert_eq!(bucket.get("twice.csv", CSV), Err("States.ItemReaderFailed: CSV headers cannot contain duplicates.".to_owned()));
    assert!(bucket.get("none.csv", CSV).is_err_and(|text| text.contains("no row of headers")));
    assert!(bucket.get("only.csv", CSV).is_err_and(|text| text.contains("only CSV headers")));
    assert!(bucket.get("long.csv", CSV).is_ok());
    assert!(bucket.get("wide.csv", CSV).is_err_and(|text| text.contains("10 KiB")));
}

#[test]
fn most_items_are_a_bound_unless_zero_and_never_negative() {
    let mut bucket = Bucket::with(&[("a.json", "[1,2,3]")]);
    let mut some = |most| bucket.get_some("a.json", r#"{"InputType":"JSON"}"#, most);
    assert_eq!(some(Some(2)), Ok("[1,2]".to_owned()));
    assert_eq!(some(Some(0)), Ok("[1,2,3]".to_owned()));
    assert_eq!(some(Some(100_000_000)), Ok("[1,2,3]".to_owned()));
    assert_eq!(some(Some(-1)), Err("States.ItemReaderFailed: field MaxItems must be positive".to_owned()));
}

#[test]
fn json_is_iterated_at_a_pointer_and_pairs_have_keys() {
    let mut bucket = Bucket::with(&[("a.json", r#"{"x":{"y/z":[1,{"k":2}]},"n":5}"#)]);
    let mut at = |pointer: &str| bucket.get("a.json", &format!(r#"{{"InputType":"JSON","ItemsPointer":"{pointer}"}}"#));
    assert_eq!(at("/x/y~1z"), Ok(r#"[1,{"k":2}]"#.to_owned()));
    assert_eq!(at("/x/y~1z/1"), Ok(r#"[{"Key":"k","Value":2}]"#.to_owned()));
    assert_eq!(at("/n"), Err("States.ItemReaderFailed: Attempting to map over non-iterable node.".to_owned()));
    for nothing in ["/x/y~1z/01", "/x/y~1z/2", "x", "/n/0"] {
        assert!(at(nothing).is_err_and(|text| text.contains("refers to nothing")), "{nothing}");
    }
}

#[test]
fn broken_files_and_absent_ones_fail_the_reader() {
    let mut bucket = Bucket::with(&[("a.json", "[1,"), ("b.jsonl", "{}\n\n{")]);
    bucket.0.insert("c.csv".to_owned(), vec![b'a', b'\n', 0xFF, b'\n']);
    bucket.0.insert("d.json".to_owned(), vec![0x1F, 0x8B, 8, 0, 1]);
    for (key, config, words) in [
        ("a.json", r#"{"InputType":"JSON"}"#, "JSON file could not be read"),
        ("b.jsonl", r#"{"InputType":"JSONL"}"#, "Line 3"),
        ("c.csv", CSV, "CSV file could not be read"),
        ("d.json", r#"{"InputType":"JSON"}"#, "compressed file 'd.json'"),
        ("no.json", r#"{"InputType":"JSON"}"#, "does not exist"),
        ("a.json", "{}", "'InputType' is required"),
        ("a.json", r#"{"InputType":"XML"}"#, "'XML' is not supported"),
    ] {
        let error = bucket.get(key, config).expect_err(key);
        assert!(error.starts_with("States.ItemReaderFailed: ") && error.contains(words), "{error}");
    }
}

#[test]
fn what_is_not_known_here_is_no_failure_of_the_execution() {
    let mut bucket = Bucket::with(&[("a.parquet", "PAR1")]);
    let parquet = bucket.get("a.parquet", r#"{"InputType":"PARQUET"}"#).expect_err("no reader");
    assert!(parquet.starts_with("datasets in the format PARQUET"), "{parquet}");
    let arguments = json(r#"{"Bucket":"elsewhere","Key":"k"}"#);
    let elsewhere = shown(&mut bucket, "arn:aws:states:::s3:getObject", &arguments, r#"{"InputType":"JSON"}"#, None);
    assert_eq!(elsewhere, Err("no folder is given for bucket 'elsewhere'; give --s3 elsewhere=DIR".to_owned()));
}

#[test]
fn compression_is_undone_and_held_to_the_limit() {
    let mut bucket = Bucket::default();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(b"{\"a\":1}\n[2]\n").expect("in memory");
    bucket.0.insert("a.gz".to_owned(), gzip.finish().expect("in memory"));
    bucket.0.insert("a.zst".to_owned(), zstd::stream::encode_all(&b"[1,2]"[..], 0).expect("in memory"));
    bucket.0.insert("bomb.zst".to_owned(), zstd::stream::encode_all(&vec![b' '; 1_000_000][..], 0).expect("in memory"));
    assert_eq!(bucket.get("a.gz", r#"{"InputType":"JSONL"}"#), Ok(r#"[{"a":1},[2]]"#.to_owned()));
    assert_eq!(bucket.get("a.zst", r#"{"InputType":"JSON"}"#), Ok("[1,2]".to_owned()));
    let bomb = bucket.get("bomb.zst", r#"{"InputType":"JSONL"}"#).expect_err("too large");
    assert!(bomb.contains("larger than the 20000 bytes"), "{bomb}");
}

#[test]
fn too_many_items_end_with_advice() {
    let mut bucket = Bucket::with(&[("a.jsonl", &"1\n".repeat(101))]);
    assert!(bucket.get("a.jsonl", r#"{"InputType":"JSONL"}"#).is_err_and(|text| text.contains("set MaxItems")));
    assert!(bucket.get_some("a.jsonl", r#"{"InputType":"JSONL"}"#, Some(100)).is_ok());
}

#[test]
fn a_listing_gives_objects_or_what_is_in_them() {
    let mut bucket = Bucket::with(&[("in/", ""), ("in/a.json", "[1]"), ("in/b.json", "[2,3]"), ("out", "[4]")]);
    let listed = bucket.list("in/a", "{}").expect("items");
    assert_eq!(listed, r#"[{"Etag":"\"e\"","LastModified":1700000000,"Key":"in/a.json","Size":3,"StorageClass":"STANDARD"}]"#);
    assert_eq!(bucket.list("in/", r#"{"InputType":"JSON","Transformation":"LOAD_AND_FLATTEN"}"#), Ok("[1,2,3]".to_owned()));
    assert_eq!(bucket.list("none", "{}"), Ok("[]".to_owned()));
}

#[test]
fn items_know_their_source() {
    let mut bucket = Bucket::with(&[("in/a.json", "[1]")]);
    let mut source = |resource: &str, config: &str| {
        let (arguments, config) = (json(r#"{"Bucket":"data","Key":"in/a.json","Prefix":"in/"}"#), json(config));
        let request = Request { resource, arguments: &arguments, config: &config, max_items: None, limits: Limits::default() };
        read(&mut bucket, &request).expect("items")[0].source.to_string()
    };
    assert_eq!(source("arn:aws:states:::s3:getObject", r#"{"InputType":"JSON"}"#), "S3://data/in/a.json");
    assert_eq!(source("arn:aws:states:::s3:listObjectsV2", "{}"), "S3://data");
    assert_eq!(&*items_of(&json("[1]")).expect("an array")[0].source, "STATE_DATA");
    assert_eq!(items_of(&json("1")), None);
}

#[test]
fn manifests_lead_to_further_objects() {
    let inventory = r#"{"destinationBucket":"arn:aws:s3:::data","fileFormat":"CSV","fileSchema":"Bucket, Key, Size","files":[{"key":"inv/1.csv"},{"key":"inv/2.csv"}]}"#;
    let mut bucket = Bucket::with(&[
        ("manifest.json", inventory),
        ("inv/1.csv", "\"b\",\"x.txt\",\"5\"\n"),
        ("inv/2.csv", "\"b\",\"y.txt\",\"6\"\n"),
        ("orc.json", &inventory.replace("CSV", "ORC")),
        ("athena.csv", "s3://data/p/1.jsonl\n\"s3://data/p/2.jsonl\"\n"),
        ("p/1.jsonl", "1\n"),
        ("p/2.jsonl", "2\n"),
        ("bad.csv", "https://data/p\n"),
    ]);
    let rows = bucket.get("manifest.json", r#"{"InputType":"MANIFEST"}"#).expect("items");
    assert_eq!(rows, r#"[{"Bucket":"b","Size":"5","Key":"x.txt"},{"Bucket":"b","Size":"6","Key":"y.txt"}]"#);
    assert!(bucket.get("orc.json", r#"{"InputType":"MANIFEST"}"#).is_err_and(|text| text.contains("only CSV")));
    let athena = r#"{"InputType":"JSONL","ManifestType":"ATHENA_DATA"}"#;
    assert_eq!(bucket.get("athena.csv", athena), Ok("[1,2]".to_owned()));
    assert!(bucket.get("bad.csv", athena).is_err_and(|text| text.contains("no URI of S3: https://data/p")));
}

fn batched(items: &str, batching: &Batching) -> Vec<(String, u64)> {
    let items = json(items).as_array().expect("an array").to_vec();
    batches(items, batching).into_iter().map(|(input, count)| (input.to_json(), count)).collect()
}

#[test]
fn batches_hold_so_many_items_and_the_batch_input() {
    let batching = Batching { max_items: Some(2), batch_input: Some(json(r#"{"a":1}"#)), ..Batching::default() };
    assert_eq!(
        batched("[1,2,3]", &batching),
        [(r#"{"BatchInput":{"a":1},"Items":[1,2]}"#.to_owned(), 2), (r#"{"BatchInput":{"a":1},"Items":[3]}"#.to_owned(), 1)]
    );
    let hundreds = Batching { max_items: Some(100), ..Batching::default() };
    assert_eq!(batches((0..1130).map(Value::from), &hundreds).len(), 12);
    assert!(batched("[]", &hundreds).is_empty());
}

#[test]
fn batches_hold_so_many_bytes_of_json() {
    let most = r#"{"Items":["aa","bb"]}"#.len() as u64;
    let counts = |bytes| -> Vec<u64> {
        let batching = Batching { max_input_bytes: Some(bytes), ..Batching::default() };
        batched(r#"["aa","bb","cc"]"#, &batching).into_iter().map(|(_, count)| count).collect()
    };
    assert_eq!(counts(most), [2, 1]);
    assert_eq!(counts(most - 1), [1, 1, 1]);
    assert_eq!(counts(1), [1, 1, 1]);
}

#[test]
fn failures_are_borne_up_to_count_and_share() {
    assert!(Tolerance::default().is_exceeded(1, 100) && !Tolerance::default().is_exceeded(0, 0));
    let count = Tolerance { count: Some(2), percentage: None };
    assert!(!count.is_exceeded(2, 2) && count.is_exceeded(3, 100));
    let share = Tolerance { count: None, percentage: Some(50.0) };
    assert!(!share.is_exceeded(1, 2) && share.is_exceeded(2, 3));
    let both = Tolerance { count: Some(1), percentage: Some(100.0) };
    assert!(!both.is_exceeded(1, 1) && both.is_exceeded(2, 2));
}

fn child(name: &str, outcome: Option<Outcome>) -> ChildResult {
    ChildResult {
        arn: format!("arn:aws:states:us-east-1:111111111111:execution:M/Map:{name}").into(),
        name: name.into(),
        machine_arn: "arn:aws:states:us-east-1:111111111111:stateMachine:M/Map".into(),
        input: "1".into(),
        outcome,
        start: Timestamp::from_second(0).expect("a time"),
        stop: Timestamp::from_second(1).expect("a time"),
    }
}

fn children() -> Vec<ChildResult> {
    let succeeded = |output: &str| Outcome { status: ExecutionStatus::Succeeded, output: Some(output.into()), error: None, cause: None };
    let failed = Outcome { status: ExecutionStatus::Failed, output: None, error: Some("E".into()), cause: Some("why".into()) };
    vec![child("a", Some(succeeded("[1,2]"))), child("b", Some(failed)), child("c", Some(succeeded("3"))), child("d", None)]
}

#[test]
fn outputs_are_put_together_as_the_transformation_says() {
    let output = |config: &str| inline_output(&children(), ResultFormat::parse(&json(config), false));
    let compact = output("{}");
    let [first, failed, third, pending] = compact.as_array().expect("a list") else { panic!("{compact}") };
    assert_eq!((first, third), (&json("[1,2]"), &json("3")));
    assert_eq!(failed.get("Error"), Some(&Value::from("E")));
    assert_eq!((failed.get("Input"), failed.get("Status")), (Some(&Value::from("1")), Some(&Value::from("FAILED"))));
    assert_eq!((pending.get("Status"), pending.get("StartDate")), (Some(&Value::from("PENDING")), None));
    assert_eq!(output(r#"{"Transformation":"FLATTEN"}"#).as_array().map(<[_]>::len), Some(5));
    let records = output(r#"{"Transformation":"NONE"}"#);
    let record = &records.as_array().expect("a list")[2];
    assert_eq!((record.get("Output"), record.get("StopDate")), (Some(&Value::from("3")), Some(&Value::from("1970-01-01T00:00:01.000Z"))));
    assert!(output(r#"{"OutputType":"JSONL"}"#).as_str().is_some_and(|text| text.starts_with("[1,2]\n{") && text.ends_with("}\n")));
}

#[test]
fn results_are_written_with_a_manifest() {
    let mut bucket = Bucket::default();
    let location = Location { bucket: "data", prefix: "out/", map_run_arn: "arn:aws:states:us-east-1:111111111111:mapRun:M/Map:u-1" };
    let format = ResultFormat::parse(&json(r#"{"Transformation":"COMPACT","OutputType":"JSONL"}"#), true);
    let output = write(&mut bucket, location, &children(), format).expect("written");
    assert_eq!(output.get("MapRunArn"), Some(&Value::from(location.map_run_arn)));
    assert_eq!(output.get("ResultWriterDetails"), Some(&json(r#"{"Bucket":"data","Key":"out/u-1/manifest.json"}"#)));
    let keys: Vec<&str> = bucket.0.keys().map(String::as_str).collect();
    assert_eq!(keys, ["out/u-1/FAILED_0.jsonl", "out/u-1/PENDING_0.jsonl", "out/u-1/SUCCEEDED_0.jsonl", "out/u-1/manifest.json"]);
    assert_eq!(bucket.0["out/u-1/SUCCEEDED_0.jsonl"], b"[1,2]\n3\n");
    let manifest = json(std::str::from_utf8(&bucket.0["out/u-1/manifest.json"]).expect("text"));
    let files = manifest.get("ResultFiles").and_then(|files| files.get("SUCCEEDED"));
    assert_eq!(files, Some(&json(r#"[{"Key":"out/u-1/SUCCEEDED_0.jsonl","Size":8}]"#)));
}

#[test]
fn files_get_records_by_default_and_empty_groups_no_file() {
    let mut bucket = Bucket::default();
    let location = Location { bucket: "data", prefix: "", map_run_arn: "arn:aws:states:us-east-1:111111111111:mapRun:M/Map:u-1" };
    write(&mut bucket, location, &children()[..1], ResultFormat::parse(&Value::Null, true)).expect("written");
    let keys: Vec<&str> = bucket.0.keys().map(String::as_str).collect();
    assert_eq!(keys, ["u-1/SUCCEEDED_0.json", "u-1/manifest.json"]);
    let records = json(std::str::from_utf8(&bucket.0["u-1/SUCCEEDED_0.json"]).expect("text"));
    let names: Vec<&str> = records.as_array().expect("a list")[0].as_object().expect("a record").iter().map(|(name, _)| &**name).collect();
    assert_eq!(
        names,
        [
            "ExecutionArn",
            "Input",
            "InputDetails",
            "Name",
            "Output",
            "OutputDetails",
            "RedriveCount",
            "RedriveStatus",
            "RedriveStatusReason",
            "StartDate",
            "StateMachineArn",
            "Status",
            "StopDate"
        ]
    );
    let elsewhere = Location { bucket: "elsewhere", ..location };
    let refused = write(&mut bucket, elsewhere, &[], ResultFormat::parse(&Value::Null, true));
    assert!(matches!(refused, Err(DatasetError::Unavailable(_))));
}
