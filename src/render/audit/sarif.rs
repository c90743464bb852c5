//! Findings as SARIF 2.1.0, for code review.
//!
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>. Places in the output of describe-state-machine are those in the
//! definition's own text, which is no artifact: there the file is named, and the place by its pointer alone.

use std::collections::BTreeMap;
use std::io::{self, Write};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use crate::analysis::audit::rules;
use crate::analysis::audit::{AuditReport, Finding, Replacement};
use crate::asl::check::{Diagnostic, Severity};
use crate::asl::source::Position;
use crate::render::redact::Redactor;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// What a path holds and a URI reference must not (RFC 3986).
const NOT_IN_URI: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Writes one log about all definitions.
pub fn sarif(reports: &[AuditReport], version: &str, redactor: &Redactor, out: &mut dyn Write) -> io::Result<()> {
    let mut rules = Rules::default();
    let results: Vec<Value> = reports.iter().flat_map(|report| results(report, &mut rules)).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "stepscope", "version": version, "rules": rules.list}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    super::document(&serde_json::to_string_pretty(&log)?, *redactor, out)
}

/// The rules that results name, by number.
#[derive(Default)]
struct Rules {
    list: Vec<Value>,
    numbers: BTreeMap<String, usize>,
}

impl Rules {
    fn number(&mut self, id: &str, describe: impl FnOnce() -> Value) -> usize {
        if let Some(number) = self.numbers.get(id) {
            return *number;
        }
        self.list.push(describe());
        self.numbers.insert(id.to_owned(), self.list.len() - 1);
        self.list.len() - 1
    }
}

fn results(report: &AuditReport, rules: &mut Rules) -> Vec<Value> {
    let diagnostics = report.diagnostics.iter().map(|found| diagnostic(report, found, rules)).collect::<Vec<_>>();
    let findings = report.findings.iter().map(|found| finding(report, found, None, rules)).collect::<Vec<_>>();
    let off = report.suppressed.iter().map(|off| finding(report, &off.finding, Some(&off.justification), rules)).collect::<Vec<_>>();
    [diagnostics, findings, off].concat()
}

fn diagnostic(report: &AuditReport, found: &Diagnostic, rules: &mut Rules) -> Value {
    let id = serde_json::to_value(found.code).ok().and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default();
    let level = match found.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let describe = || {
        let text = format!("{}: what the service says against a definition", id.to_lowercase().replace('_', " "));
        json!({
            "id": id,
            "shortDescription": {"text": text},
            "help": {"text": text},
            "helpUri": "https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html",
            "defaultConfiguration": {"level": level},
        })
    };
    let number = rules.number(&id, describe);
    json!({
        "ruleId": id,
        "ruleIndex": number,
        "level": level,
        "message": {"text": found.message},
        "locations": [location(report, &Place { line: found.line, column: found.column, width: found.width, pointer: &found.pointer })],
        "partialFingerprints": {"rulePointer/v1": format!("{id}:{}", found.pointer)},
        "suppressions": [],
    })
}

fn finding(report: &AuditReport, found: &Finding, justification: Option<&str>, rules: &mut Rules) -> Value {
    let number = rules.number(found.rule, || described(found));
    let cost =
        found.cost.as_ref().and_then(|cost| cost.summary.as_ref()).map_or(String::new(), |summary| format!(" Cost here: {summary}."));
    let mut result = json!({
        "ruleId": found.rule,
        "ruleIndex": number,
        "level": found.level.name(),
        "message": {"text": format!("{}. {}{cost}", found.message, found.reason)},
        "locations": [location(report, &Place { line: found.line, column: found.column, width: found.width, pointer: &found.pointer })],
        "partialFingerprints": {"rulePointer/v1": format!("{}:{}", found.rule, found.pointer)},
        // All results have it or none has (section 3.27.23).
        "suppressions": justification.map(|text| json!({"kind": "external", "justification": text})).into_iter().collect::<Vec<_>>(),
    });
    if let Some(fix) = found.fix.as_ref().filter(|_| !report.embedded && !found.replacements.is_empty()) {
        let replacements: Vec<Value> = found.replacements.iter().map(replacement).collect();
        result["fixes"] = json!([{
            "description": {"text": fix.text},
            "artifactChanges": [{"artifactLocation": artifact(&report.file), "replacements": replacements}],
        }]);
    }
    result
}

fn described(found: &Finding) -> Value {
    let Ok(rule) = rules::named(found.rule) else { return json!({"id": found.rule}) };
    json!({
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.reason},
        "help": {"text": format!("{}. {} See {}", rule.title, rule.reason, rule.source)},
        "helpUri": rule.source,
        "defaultConfiguration": {"level": rule.level.name()},
    })
}

struct Place<'r> {
    line: usize,
    column: usize,
    width: usize,
    pointer: &'r str,
}

fn location(report: &AuditReport, place: &Place<'_>) -> Value {
    let mut physical = json!({"artifactLocation": artifact(&report.file)});
    if !report.embedded {
        physical["region"] = json!({"startLine": place.line, "startColumn": place.column, "endColumn": place.column + place.width});
    }
    let mut location = json!({"physicalLocation": physical});
    if !place.pointer.is_empty() {
        location["logicalLocations"] = json!([{"fullyQualifiedName": place.pointer}]);
    }
    location
}

fn replacement(replacement: &Replacement) -> Value {
    let Replacement { start, end, text } = replacement;
    let region = |start: &Position, end: &Position| json!({"startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column});
    json!({"deletedRegion": region(start, end), "insertedContent": {"text": text}})
}

/// A path as a URI reference: relative ones stay relative, to the folder in which the program ran.
fn artifact(file: &str) -> Value {
    let path = file.replace('\\', "/");
    let path = path.strip_prefix("./").unwrap_or(&path);
    let encoded = utf8_percent_encode(path, NOT_IN_URI).to_string();
    let uri = if path.starts_with('/') { format!("file://{encoded}") } else { encoded };
    json!({"uri": uri})
}
