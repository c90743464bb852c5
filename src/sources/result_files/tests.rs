use std::io::{self, Read};

use super::*;
use crate::model::ExecutionStatus;

const CHILD: &str = "arn:aws:states:eu-west-1:111111111111:execution:Orders/Each:1";

fn file(path: &str, group: Group) -> ResultFile {
    ResultFile { path: path.to_owned(), group, size: None }
}

fn record(status: &str, more: &str) -> String {
    format!(
        r#"{{"ExecutionArn":"{CHILD}","Status":"{status}","Input":"{{\"id\":\"a]b\\\\\"}}","StartDate":"2026-11-20T08:00:00.000Z"{more}}}"#
    )
}

fn read_text(path: &str, group: Group, text: &str) -> (Vec<Element>, FileOutcome) {
    let mut found = Vec::new();
    let outcome = read_from(text.as_bytes(), &file(path, group), &mut |element| found.push(element));
    (found, outcome)
}

fn children(found: &[Element]) -> Vec<&MapChild> {
    found.iter().filter_map(|element| if let Element::Child(child) = element { Some(&**child) } else { None }).collect()
}

#[test]
fn an_array_and_lines_hold_the_same_records() {
    let failed = record("FAILED", r#","Error":"Declined","Cause":"card","RedriveCount":2"#);
    let lost = record("TIMED_OUT", "");
    let (array, outcome) = read_text("FAILED_0.json", Group::Failed, &format!(" [{failed} ,\n {lost}]\n"));
    let (lines, _) = read_text("FAILED_0.jsonl", Group::Failed, &format!("{failed}\n\n{lost}"));
    assert_eq!(array, lines);
    assert_eq!((outcome.elements, outcome.damaged, outcome.broke_off), (2, 0, None));
    let first = children(&array)[0];
    assert_eq!(first.input.as_deref(), Some(r#"{"id":"a]b\\"}"#));
    assert_eq!((first.error.as_deref(), first.cause.as_deref(), first.redrive_count), (Some("Declined"), Some("card"), 2));
    assert_eq!(children(&array)[1].status, Some(ExecutionStatus::TimedOut));
}

#[test]
fn an_input_that_is_not_there_or_was_cut_is_none() {
    for details in [r#"{"Included":false}"#, r#"{"Included":true,"Truncated":true}"#] {
        let text = format!("[{}]", record("FAILED", &format!(r#","InputDetails":{details}"#)));
        let (found, _) = read_text("FAILED_0.json", Group::Failed, &text);
        assert_eq!(children(&found)[0].input, None);
    }
}

#[test]
fn what_was_never_started_is_pending() {
    let (found, _) = read_text("PENDING_0.json", Group::Pending, &format!("[{}]", record("PENDING", "")));
    assert_eq!(children(&found)[0].status, None);
}

#[test]
fn outputs_are_counted_where_they_may_stand_and_damage_elsewhere() {
    let text = r#"[{"total": 7}, "text", [1, 2], 3, null, {"ExecutionArn": 5}]"#;
    let (found, outcome) = read_text("SUCCEEDED_0.json", Group::Succeeded, text);
    assert_eq!(found, vec![Element::Output; 6]);
    assert_eq!(outcome.damaged, 0);
    let (found, outcome) = read_text("FAILED_0.json", Group::Failed, text);
    assert_eq!((found.len(), outcome.damaged), (0, 6));
    assert_eq!(outcome.faults.len(), TOLD_FAULTS);
    assert!(outcome.faults[1].starts_with("element 2 (at byte 15): it is no record"), "{:?}", outcome.faults);
}

#[test]
fn what_breaks_off_counts_as_far_as_it_came() {
    let one = record("FAILED", "");
    let whole = format!("[{one},{one},{one}]");
    for end in [whole.len() - 1, whole.len() - 20, one.len() * 2 + 4] {
        let (found, outcome) = read_text("FAILED_0.json", Group::Failed, &whole[..end]);
        let complete = if end == whole.len() - 1 { 3 } else { 2 };
        assert_eq!(found.len(), complete, "cut at {end}");
        assert!(outcome.broke_off.expect("it is cut").starts_with(&format!("it breaks off after {complete} elements")));
    }
    let (found, outcome) = read_text("FAILED_0.jsonl", Group::Failed, &format!("{one}\n{}", &one[..40]));
    assert_eq!((found.len(), outcome.damaged), (1, 1));
    assert!(outcome.faults[0].starts_with("element 2 (at byte"), "{:?}", outcome.faults);
    let (_, outcome) = read_text("FAILED_0.jsonl", Group::Failed, &format!("{one}\n\n7\n{one}\n8"));
    let numbers: Vec<&str> = outcome.faults.iter().filter_map(|fault| fault.split(' ').nth(1)).collect();
    assert_eq!(numbers, ["3", "5"], "the numbers of the lines");
}

#[test]
fn a_reader_that_fails_leaves_what_it_gave() {
    struct Failing<'t>(&'t [u8]);
    impl Read for Failing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() { Err(io::Error::other("connection reset")) } else { self.0.read(buffer) }
        }
    }
    let one = record("FAILED", "");
    let text = format!("[{one},{one},");
    let mut found = 0;
    let outcome = read_from(Failing(text.as_bytes()), &file("FAILED_0.json", Group::Failed), &mut |_| found += 1);
    assert_eq!(found, 2);
    assert!(outcome.broke_off.expect("it failed").contains("connection reset"));
}

#[test]
fn bytes_may_come_one_by_one() {
    struct Slow<'t>(&'t [u8]);
    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = buffer.len().min(1);
            self.0.read(&mut buffer[..length])
        }
    }
    let text = format!("[{},{}]", record("FAILED", r#","Cause":"a \\\" b""#), record("FAILED", ""));
    let mut found = Vec::new();
    read_from(Slow(text.as_bytes()), &file("FAILED_0.json", Group::Failed), &mut |element| found.push(element));
    assert_eq!(children(&found)[0].cause.as_deref(), Some(r#"a \" b"#));
    assert_eq!(found.len(), 2);
}

#[test]
fn what_is_no_array_is_refused_with_its_place() {
    for (text, reason) in [
        ("", "it is empty"),
        ("  \n", "it is empty"),
        ("hello", "it begins neither"),
        ("[] []", "something stands behind the array, at byte 3"),
        ("[{} {}]", "no comma stands behind element 1"),
        ("[", "it breaks off after 0 elements"),
    ] {
        let (_, outcome) = read_text("SUCCEEDED_0.json", Group::Succeeded, text);
        assert!(outcome.broke_off.as_deref().unwrap_or_default().starts_with(reason), "{text:?}: {:?}", outcome.broke_off);
    }
}

#[test]
fn files_are_found_by_their_manifest_wherever_they_were_copied_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("out/5b0f");
    std::fs::create_dir_all(&run).expect("a folder");
    let manifest = r#"{"DestinationBucket":"results","MapRunArn":"arn:run","ResultFiles":{
        "FAILED":[{"Key":"jobs/5b0f/FAILED_0.json","Size":7}],"PENDING":[],"SUCCEEDED":[{"Key":"jobs/5b0f/SUCCEEDED_0.json","Size":9}]}}"#;
    std::fs::write(run.join("manifest.json"), manifest).expect("a file");
    std::fs::create_dir(folder.path().join("bare")).expect("a folder");
    for name in ["SUCCEEDED_0.jsonl", "FAILED_10.json.gz", "FAILED_x.json", "notes.txt"] {
        std::fs::write(folder.path().join("bare").join(name), "[]").expect("a file");
    }
    let (sets, problems) = find(&mut Folder::new(folder.path()).expect("a folder")).expect("it can be listed");
    assert_eq!(problems, Vec::<String>::new());
    let named = |set: &ResultSet| set.files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
    assert_eq!(named(&sets[0]), ["bare/FAILED_10.json.gz", "bare/SUCCEEDED_0.jsonl"]);
    assert_eq!(named(&sets[1]), ["out/5b0f/FAILED_0.json", "out/5b0f/SUCCEEDED_0.json"]);
    assert_eq!(sets[1].manifest.as_ref().and_then(|manifest| manifest.map_run_arn.as_deref()), Some("arn:run"));
    let (sets, _) = find(&mut Folder::new(&run.join("manifest.json")).expect("a file")).expect("it can be read");
    assert_eq!(named(&sets[0]), ["FAILED_0.json", "SUCCEEDED_0.json"]);
}
