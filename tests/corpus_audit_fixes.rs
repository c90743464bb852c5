//! `--fix` over all definitions of the corpus, as JSON and as YAML: what was valid stays valid, and a second run changes nothing.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;
use stepscope::analysis::audit::fix::{Outcome, Wanted, fix};
use stepscope::analysis::audit::{Options, audit_source};
use stepscope::asl::check::{MachineType, check};
use stepscope::asl::source::{Format, Source};

#[allow(dead_code, reason = "each test uses a part")]
#[path = "common/corpus.rs"]
mod corpus;

/// Every definition, of whatever kind, valid or not.
fn definitions(folder: &Path) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for part in ["definitions", "aws-recorded", "statelint", "incidents/set-1"] {
        for path in corpus::files(&folder.join(part)).into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "json")) {
            if part.starts_with("incidents") && !path.components().any(|step| step.as_os_str() == "definitions") {
                continue;
            }
            let Ok(document) = serde_json::from_slice::<Value>(&std::fs::read(&path).expect("a file")) else { continue };
            let held = document.get("definition").unwrap_or(&document);
            let definition = held.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| held.clone());
            if definition.get("States").is_some() {
                found.push((path.display().to_string(), definition));
            }
        }
    }
    found
}

/// YAML by indentation, as people write it: names plain, texts in quotes.
fn yaml(value: &Value, indent: usize, out: &mut String) {
    let blanks = "  ".repeat(indent);
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                let _ = write!(out, "{blanks}{}:", Value::from(name.as_str()));
                below(value, indent, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let _ = write!(out, "{blanks}-");
                match item {
                    Value::Object(members) if !members.is_empty() => {
                        let mut inner = String::new();
                        yaml(item, indent + 1, &mut inner);
                        let _ = write!(out, " {}", inner.trim_start());
                    }
                    _ => below(item, indent, out),
                }
            }
        }
        plain => drop(writeln!(out, "{blanks}{plain}")),
    }
}

fn below(value: &Value, indent: usize, out: &mut String) {
    let is_long = value.as_object().is_some_and(|members| !members.is_empty()) || value.as_array().is_some_and(|items| !items.is_empty());
    if is_long {
        out.push('\n');
        yaml(value, indent + 1, out);
    } else {
        let _ = writeln!(out, " {value}");
    }
}

/// Fixes a text twice; how many fixes were made and left out the first time.
fn fixed_twice(name: &str, text: &str, format: Format, wanted: Wanted) -> (usize, usize) {
    let source = Source::read(text.as_bytes(), Some(format)).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
    let options = Options::default();
    let was = audit_source(name, &source, &options);
    let Outcome { text: new, fixed, unfixed, .. } = fix(&source, MachineType::Standard, &options, wanted);
    let Some(new) = new else {
        assert!(fixed.is_empty(), "{name}");
        return (0, unfixed.len());
    };
    let again = Source::read(new.as_bytes(), Some(format)).unwrap_or_else(|error| panic!("{name}: {error}\n{new}"));
    let verdict = check(&again, MachineType::Standard);
    assert!(verdict.is_valid() || !was.valid, "{name}: {:?}\n{new}", verdict.diagnostics);
    let second = fix(&again, MachineType::Standard, &options, wanted);
    assert_eq!((second.text, second.fixed), (None, Vec::new()), "{name} changes again");
    (fixed.len(), unfixed.len())
}

#[test]
fn fixes_keep_definitions_valid_and_are_made_once() {
    let Some(folder) = corpus::corpus() else { return };
    let (mut made, mut left_out, mut definitions_fixed) = (0, 0, 0);
    for (name, definition) in definitions(&folder) {
        let open = serde_json::to_string_pretty(&definition).expect("JSON");
        let mut indented = String::new();
        yaml(&definition, 0, &mut indented);
        for wanted in [Wanted::Safe, Wanted::All] {
            let (fixed, unfixed) = fixed_twice(&name, &open, Format::Json, wanted);
            assert_eq!(fixed_twice(&name, &definition.to_string(), Format::Json, wanted), (fixed, unfixed), "{name} on one line");
            assert_eq!(fixed_twice(&name, &indented, Format::Yaml, wanted), (fixed, unfixed), "{name} as YAML\n{indented}");
            made += fixed;
            left_out += unfixed;
            definitions_fixed += usize::from(fixed > 0);
        }
    }
    assert!(definitions_fixed > 100 && made > 400, "{made} fixes in {definitions_fixed} definitions");
    // What is left out is one of many, and never a state of affairs.
    assert!(left_out * 50 <= made, "{left_out} of {made} left out");
}

#[test]
fn every_change_of_a_fix_is_small() {
    let Some(folder) = corpus::corpus() else { return };
    for (name, definition) in definitions(&folder).into_iter().take(200) {
        let text = serde_json::to_string_pretty(&definition).expect("JSON");
        let source = Source::read(text.as_bytes(), Some(Format::Json)).expect("JSON");
        let report = audit_source(&name, &source, &Options { with_replacements: true, ..Options::default() });
        for finding in report.findings.iter().filter(|finding| finding.fix.is_some()) {
            let gone: usize = finding.replacements.iter().map(|change| change.end.line - change.start.line).sum();
            assert!(!finding.replacements.is_empty() && gone <= 40, "{name}: {} takes away {gone} lines", finding.rule);
        }
    }
}
