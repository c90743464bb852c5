//! Several threads find what one finds.

use std::io::Write;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::sources::{SourceError, read_path, read_stream};

/// What was read, as text that can be sorted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    histories: Vec<String>,
    errors: Vec<String>,
}

impl Found {
    fn add(&mut self, history: &History) {
        let header = &history.header;
        self.histories.push(format!("{} {:?} {:?} {:?} {:?}", history.origin, header, history.events, history.definition, history.gaps));
    }

    fn sorted(mut self) -> Self {
        self.histories.sort();
        self.errors.sort();
        self
    }
}

impl Worker for Found {
    fn take(&mut self, history: History) {
        self.add(&history);
    }

    fn reject(&mut self, rejected: Rejected<'_>) {
        self.errors.push(rejected.error.to_string());
    }
}

fn one_thread(read: impl FnOnce(&mut dyn FnMut(Result<History, SourceError>))) -> Found {
    let mut found = Found::default();
    read(&mut |result| match result {
        Ok(history) => found.add(&history),
        Err(error) => found.errors.push(error.to_string()),
    });
    found.sorted()
}

fn several_threads(inputs: Vec<Input>, limits: &Limits, threads: usize, chunk: usize) -> Found {
    let progress = Progress::default();
    let workers = read_in_chunks(inputs, limits, threads, &progress, Found::default, chunk);
    let mut all = Found::default();
    for worker in workers {
        all.histories.extend(worker.histories);
        all.errors.extend(worker.errors);
    }
    assert_eq!(progress.executions.into_inner(), all.histories.len() as u64);
    assert_eq!(progress.rejected.into_inner(), all.errors.len() as u64);
    all.sorted()
}

fn event(id: u64, minute: u64) -> String {
    match id {
        1 => format!(
            r#"{{"timestamp":"2026-01-01T00:{minute:02}:01Z","type":"ExecutionStarted","id":1,"previousEventId":0,"executionStartedEventDetails":{{"input":"{{\"n\":{minute}}}"}}}}"#
        ),
        2 => format!(
            r#"{{"timestamp":"2026-01-01T00:{minute:02}:02Z","type":"PassStateEntered","id":2,"previousEventId":0,"stateEnteredEventDetails":{{"name":"é"}}}}"#
        ),
        _ => format!(r#"{{"timestamp":"2026-01-01T00:{minute:02}:03Z","type":"PassStateExited","id":{id},"previousEventId":2}}"#),
    }
}

fn events(minute: u64) -> String {
    format!("[{},{},{}]", event(1, minute), event(2, minute), event(3, minute))
}

fn describe(minute: u64) -> String {
    format!(
        r#"{{"executionArn":"arn:aws:states:eu-west-1:111111111111:execution:Orders:run-{minute}","status":"SUCCEEDED","startDate":"2026-01-01T00:{minute:02}:01Z"}}"#
    )
}

const DEFINITION: &str = r#"{"StartAt":"é","States":{"é":{"Type":"Pass","End":true}}}"#;

/// A log record: of a Standard execution (where records of one id may tell different things, by their `minute`) or of an Express one.
fn log_record(id: u64, minute: u64, is_express: bool) -> String {
    let arn = if is_express { format!("express:Orders:run-{minute}:7fa0cfbe") } else { "execution:Orders:run-0".to_owned() };
    let kind = ["ExecutionSucceeded", "ExecutionStarted", "PassStateEntered", "PassStateExited"][(id % 4) as usize];
    format!(
        r#"{{"id":"{id}","type":"{kind}","details":{{}},"event_timestamp":"178590241719{minute}","execution_arn":"arn:aws:states:eu-west-1:111111111111:{arn}"}}"#
    )
}

/// What stands in a log: bare, as a message, or after a time.
fn of_a_log() -> impl Strategy<Value = String> {
    let record = (1_u64..5, 0_u64..4, any::<bool>()).prop_map(|(id, minute, is_express)| log_record(id, minute, is_express));
    let message = prop_oneof![
        6 => record,
        1 => Just("START RequestId: 7fa0cfbe".to_owned()),
        1 => Just(r#"{"level":"INFO","message":"charged"}"#.to_owned()),
        1 => Just(log_record(1, 1, true)[..70].to_owned()),
        1 => Just(r#"{"id":"2","type":"TaskFailed","details":{},"event_timestamp":"1"}"#.to_owned()),
    ];
    (message, 0_u8..6).prop_map(|(message, form)| match form {
        0 => serde_json::json!({"events": [{"logStreamName": "s", "message": message}, {"timestamp": 1, "message": message}]}).to_string(),
        1 => serde_json::json!({"results": [[{"field": "@message", "value": message}], []], "status": "Complete"}).to_string(),
        2 => format!("2026-01-01T00:00:00.000Z {message}"),
        _ => message,
    })
}

/// One record, or something that is none; may be several lines.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let minute = 0_u64..4;
    let text = prop_oneof![
        6 => minute.clone().prop_map(|minute| format!(r#"{{"describe":{},"history":{{"events":{}}}}}"#, describe(minute), events(minute))),
        2 => minute.clone().prop_map(|minute| format!(r#"{{"events":{}}}"#, events(minute))),
        2 => minute.clone().prop_map(describe),
        3 => (1_u64..5, minute.clone()).prop_map(|(id, minute)| event(id, minute)),
        1 => minute.clone().prop_map(|minute| events(minute).replace("},{", "},\n  {")),
        1 => minute.clone().prop_map(|minute| format!("{{\n\"events\":\n {}\n}}", events(minute))),
        1 => minute.clone().prop_map(|minute| events(minute)[..60].to_owned()),
        1 => minute.clone().prop_map(|minute| format!("{}{}", describe(minute), event(1, minute))),
        1 => minute.clone().prop_map(|minute| format!("[{},{}]", describe(minute), events(minute))),
        1 => minute.prop_map(|minute| format!(r#"  {{"events":{}}}"#, events(minute))),
        1 => Just(DEFINITION.to_owned()),
        3 => of_a_log(),
        3 => prop_oneof![
            Just(""), Just("   "), Just("{"), Just("}"), Just("["), Just("{\"a\":"), Just("garbage"), Just("\"text\""), Just("{\"a\":1}"),
            Just("[1,2]"), Just("{\"events\": [\n\n]}"), Just("\r"), Just("{\"events\": [\n],"), Just("\t\"more\": 1"), Just("0"),
        ].prop_map(str::to_owned),
        1 => (1_usize..400).prop_map(|length| "x".repeat(length)),
        1 => (1_usize..400).prop_map(|length| format!("{{\"long\":\"{}\"}}", "x".repeat(length))),
    ];
    prop_oneof![20 => text.prop_map(String::into_bytes), 1 => Just(b"{\"a\":\"\xFF\"}".to_vec()), 1 => Just(vec![0xC3])]
}

fn input() -> impl Strategy<Value = Vec<u8>> {
    let whole = |(mark, end, ended, pieces): (bool, bool, bool, Vec<Vec<u8>>)| {
        let mut bytes = pieces.join(if end { b"\r\n".as_slice() } else { b"\n" });
        if mark {
            bytes.splice(0..0, *b"\xEF\xBB\xBF");
        }
        if ended {
            bytes.push(b'\n');
        }
        bytes
    };
    let log = prop::collection::vec(prop_oneof![8 => of_a_log().prop_map(String::into_bytes), 1 => piece()], 0..14);
    let pieces = prop_oneof![3 => prop::collection::vec(piece(), 0..14), 1 => log];
    (prop::bool::weighted(0.1), prop::bool::weighted(0.1), any::<bool>(), pieces).prop_map(whole)
}

fn limits() -> impl Strategy<Value = Limits> {
    prop_oneof![3 => Just(1_usize << 30), 1 => 50_usize..900].prop_map(|document_bytes| Limits { document_bytes, ..Limits::default() })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_stream_in_any_chunks(bytes in input(), limits in limits(), threads in 1_usize..5, chunk in 1_usize..700) {
        let one = one_thread(|sink| read_stream(bytes.as_slice(), "input", &limits, sink));
        let stream = Input::Stream("input".to_owned(), Box::new(io::Cursor::new(bytes)));
        prop_assert_eq!(several_threads(vec![stream], &limits, threads, chunk), one);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn folders_of_files(files in prop::collection::vec(input(), 0..6), packed in any::<bool>(), threads in 1_usize..5, chunk in 1_usize..700) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (number, bytes) in files.iter().enumerate() {
            let inside = folder.path().join(if number % 3 == 2 { "inner" } else { "" });
            std::fs::create_dir_all(&inside).expect("a folder");
            write(&inside.join(format!("{number}.json")), bytes, packed && number % 2 == 0);
        }
        let one = one_thread(|sink| read_path(folder.path(), &Limits::default(), sink));
        let several = several_threads(vec![Input::Path(folder.path().to_owned())], &Limits::default(), threads, chunk);
        prop_assert_eq!(several, one);
    }
}

fn write(path: &Path, bytes: &[u8], packed: bool) {
    let mut written = Vec::new();
    if packed {
        let mut packer = flate2::write::GzEncoder::new(&mut written, flate2::Compression::fast());
        packer.write_all(bytes).expect("memory takes everything");
        packer.finish().expect("memory takes everything");
    } else {
        written.extend_from_slice(bytes);
    }
    std::fs::write(path, written).expect("a temporary file");
}

fn found(text: &str, threads: usize) -> Found {
    let stream = Input::Stream("input".to_owned(), Box::new(io::Cursor::new(text.to_owned().into_bytes())));
    several_threads(vec![stream], &Limits::default(), threads, 300)
}

#[test]
fn many_lines_of_something_else_are_given_up_at_the_same_place() {
    let text = "{\"a\":1}\n".repeat(500) + &format!("{{\"events\":{}}}\n", events(1));
    let one = one_thread(|sink| read_stream(text.as_bytes(), "input", &Limits::default(), sink));
    assert_eq!(found(&text, 4), one);
    assert_eq!((one.histories.len(), one.errors.len()), (0, 101));
}

#[test]
fn log_records_of_one_execution_stand_in_many_chunks() {
    let lines = |ids: &[u64]| ids.iter().map(|id| log_record(*id, 1, true) + "\n").collect::<String>();
    let filler: String = (0..300).map(|_| log_record(1, 1, false) + "\nSTART RequestId: 7\n").collect();
    let text = lines(&[3, 1]) + &filler + &lines(&[2, 1, 4]);
    let one = one_thread(|sink| read_stream(text.as_bytes(), "input", &Limits::default(), sink));
    assert_eq!(found(&text, 4), one);
    assert_eq!((one.histories.len(), one.errors.len()), (2, 1), "{:?}", one.errors);
    assert!(
        one.errors[0].starts_with("300 lines of the log are no records of Step Functions (the first: input line 4:"),
        "{:?}",
        one.errors
    );
}

#[test]
fn an_input_that_breaks_off_is_reported_and_what_came_before_is_read() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let lines = format!("{{\"events\":{}}}\n", events(1)).repeat(500);
    let stream = io::Cursor::new(lines.into_bytes()).chain(Broken);
    let given = several_threads(vec![Input::Stream("input".to_owned(), Box::new(stream))], &Limits::default(), 3, 1000);
    assert_eq!(given.errors, ["input cannot be read: the disk is gone"]);
    assert!(!given.histories.is_empty());
}

/// Keeps the text of what was rejected.
#[derive(Default)]
struct Texts(Vec<(usize, String)>);

impl Worker for Texts {
    fn take(&mut self, _: History) {}

    fn reject(&mut self, rejected: Rejected<'_>) {
        let line = rejected.error.source_and_line().1.unwrap_or_default();
        self.0.push((line, String::from_utf8_lossy(rejected.text).into_owned()));
    }
}

#[test]
fn what_was_rejected_is_told_with_its_text() {
    let lines = [format!("{{\"events\":{}}}", events(1)), "{\"broken\": [1,".to_owned(), "garbage".to_owned(), "{\"a\":1}".to_owned()];
    for chunk in [1, 100, 10_000] {
        let stream = Input::Stream("input".to_owned(), Box::new(io::Cursor::new(lines.join("\n").into_bytes())));
        let workers = read_in_chunks(vec![stream], &Limits::default(), 2, &Progress::default(), Texts::default, chunk);
        let mut texts: Vec<_> = workers.into_iter().flat_map(|worker| worker.0).collect();
        texts.sort();
        // The line after one that ends too early goes on with it, and shows that it is broken.
        assert_eq!(texts, [(3, format!("{}\n{}", lines[1], lines[2])), (4, lines[3].clone())], "chunks of {chunk}");
    }
}

/// Takes so many histories, and then panics or wants no more.
struct Ending<'c> {
    taken: &'c AtomicU64,
    limit: u64,
    panics: bool,
}

impl Worker for Ending<'_> {
    fn take(&mut self, _: History) {
        let taken = self.taken.fetch_add(1, Ordering::Relaxed);
        assert!(!self.panics || taken != self.limit, "this thread is broken");
    }

    fn reject(&mut self, _: Rejected<'_>) {}

    fn goes_on(&self) -> bool {
        self.panics || self.taken.load(Ordering::Relaxed) < self.limit
    }
}

/// Bundles, and loose events for whose neighbours threads wait.
fn many_lines() -> Box<dyn Read + Send> {
    let lines = format!("{{\"events\":{}}}\n{}\n", events(1), event(1, 2)).repeat(20_000);
    Box::new(io::Cursor::new(lines.into_bytes()))
}

#[test]
fn a_worker_that_panics_leaves_nobody_waiting() {
    for limit in [0, 1, 500] {
        let taken = AtomicU64::new(0);
        let read = || {
            let stream = Input::Stream("input".to_owned(), many_lines());
            let make = || Ending { taken: &taken, limit, panics: true };
            read_in_chunks(vec![stream], &Limits::default(), 4, &Progress::default(), make, 1000).len()
        };
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).is_err());
        assert!(taken.into_inner() < 30_000, "the others stop, too");
    }
}

#[test]
fn nothing_is_read_any_more_when_a_worker_wants_no_more() {
    let taken = AtomicU64::new(0);
    let progress = Progress::default();
    let stream = Input::Stream("input".to_owned(), many_lines());
    read_in_chunks(vec![stream], &Limits::default(), 4, &progress, || Ending { taken: &taken, limit: 100, panics: false }, 10_000);
    assert!(taken.into_inner() < 1000);
    assert!(progress.executions.into_inner() < 1000);
}
