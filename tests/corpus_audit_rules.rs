//! The rules of `audit` over definitions in use: none panics, and each patch does what it says.
//!
//! `STEPSCOPE_FINDINGS` names a file for all findings, one a line: to be read by a person.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};
use stepscope::analysis::audit::rule::Violation;
use stepscope::analysis::audit::rules;
use stepscope::analysis::audit::subject::Subject;
use stepscope::asl::check::{MachineType, check};
use stepscope::asl::source::Source;

#[allow(dead_code, reason = "each test uses a part")]
#[path = "common/corpus.rs"]
mod corpus;

/// Every definition of the corpus that the service takes, with the name of its file and its kind.
fn definitions(folder: &std::path::Path) -> Vec<(PathBuf, String, MachineType)> {
    let mut found = Vec::new();
    for part in ["definitions", "aws-recorded", "statelint", "incidents"] {
        for path in corpus::files(&folder.join(part)) {
            if path.extension().is_none_or(|ending| ending != "json")
                || (part == "incidents" && !path.to_string_lossy().contains("/definitions/"))
            {
                continue;
            }
            let bytes = std::fs::read(&path).expect("a file");
            let Ok(document) = serde_json::from_slice::<Value>(&bytes) else { continue };
            let held = document.get("definition").or_else(|| document.get("document")).unwrap_or(&document);
            let text = held.as_str().map_or_else(|| held.to_string(), str::to_owned);
            let kind = document.get("machine_type").or_else(|| document.get("type")).and_then(Value::as_str);
            let machine_type = if kind == Some("EXPRESS") { MachineType::Express } else { MachineType::Standard };
            let Ok(source) = Source::read(text.as_bytes(), None) else { continue };
            if source.root().get("States").is_some() && check(&source, machine_type).is_valid() {
                found.push((path, text, machine_type));
            }
        }
    }
    found
}

fn violations(text: &str, machine_type: MachineType) -> BTreeMap<(&'static str, String), Violation> {
    let source = Source::read(text.as_bytes(), None).expect("a definition");
    let subject = Subject::new(&source, machine_type);
    let mut all = BTreeMap::new();
    for rule in rules::all() {
        let mut found = Vec::new();
        (rule.check)(&subject, &mut found);
        for violation in found {
            assert!(source.node(&violation.pointer).is_some(), "{}: {} is no place", rule.id, violation.pointer);
            all.insert((rule.id, violation.message.clone()), violation);
        }
    }
    all
}

#[test]
fn every_patch_applies_and_takes_away_its_finding_and_no_other() {
    let Some(folder) = corpus::corpus() else { return };
    let mut lines = Vec::new();
    for (path, text, machine_type) in definitions(&folder) {
        let before = violations(&text, machine_type);
        for ((rule, message), violation) in &before {
            let short = path.strip_prefix(&folder).unwrap_or(&path).display();
            let fix = violation.fix.as_ref().map(|fix| if fix.safe { "safe" } else { "unsafe" });
            lines.push(json!([short.to_string(), rule, violation.pointer, message, fix]).to_string());
            let Some(fix) = &violation.fix else { continue };
            let source = Source::read(text.as_bytes(), None).expect("a definition");
            let mut value: Value = serde_json::from_str(&source.to_json()).expect("JSON");
            let patch: json_patch::Patch =
                serde_json::from_value(serde_json::to_value(&fix.patch).expect("a patch")).expect("a patch of RFC 6902");
            json_patch::patch(&mut value, &patch).unwrap_or_else(|error| panic!("{short}: {rule}: {error}"));
            let patched = value.to_string();
            let source = Source::read(patched.as_bytes(), None).expect("a definition");
            assert!(check(&source, machine_type).is_valid(), "{short}: {rule}: {message}");
            let after = violations(&patched, machine_type);
            assert!(!after.contains_key(&(rule, message.clone())), "{short}: {message} is still there");
            let known: Vec<_> = before.values().map(|violation| &violation.pointer).collect();
            for ((id, text), new) in &after {
                let is_new = !before.contains_key(&(id, text.clone())) && !known.contains(&&new.pointer);
                assert!(!is_new, "{short}: {message} gave {text}");
            }
        }
    }
    assert!(!lines.is_empty());
    if let Some(file) = std::env::var_os("STEPSCOPE_FINDINGS") {
        std::fs::write(file, lines.join("\n") + "\n").expect("written");
    }
}
