//! Lambda's lines among a function's own: text and JSON.
//!
//! | text format                                     | JSON format: `type`        | means                                   |
//! |-------------------------------------------------|----------------------------|-----------------------------------------|
//! | `INIT_START Runtime Version: …`                 | `platform.initStart`       | a new environment: a cold start         |
//! | `START RequestId: <id> Version: …`              | `platform.start`           | an invocation begins                    |
//! | `END RequestId: <id>`                           | `platform.runtimeDone`     | the handler is done                     |
//! | `REPORT RequestId: <id>⇥Duration: … ms⇥…`       | `platform.report`          | what the invocation took                |
//! | `INIT_REPORT …`, `EXTENSION …`, `XRAY TraceId…` | other `platform.*`         | nothing that the reader looks for       |
//!
//! Source: AWS Lambda Developer Guide, "Sending Lambda function logs to CloudWatch Logs" and "Lambda Telemetry API Event schema reference".

use serde::Deserialize;

use super::report::FunctionReport;

/// What a line of a function's log is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Line<'t> {
    /// The start of an environment.
    InitStart,
    /// An invocation begins.
    Start(Id<'t>),
    /// Its handler is done.
    End(Id<'t>),
    /// What it took.
    Report(Id<'t>, FunctionReport),
    /// Another line of the platform.
    Platform,
    /// A line of the function's, or one of the platform about an error.
    Told,
}

/// A request id.
pub(super) type Id<'t> = std::borrow::Cow<'t, str>;

/// A line of the JSON format.
#[derive(Deserialize)]
struct PlatformLine<'t> {
    #[serde(rename = "type", borrow)]
    kind: std::borrow::Cow<'t, str>,
    #[serde(default)]
    record: Record,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Record {
    request_id: Option<String>,
    metrics: Metrics,
    status: Option<String>,
    error_type: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Metrics {
    duration_ms: Option<f64>,
    billed_duration_ms: Option<f64>,
    #[serde(rename = "memorySizeMB")]
    memory_size_mb: Option<u64>,
    #[serde(rename = "maxMemoryUsedMB")]
    max_memory_used_mb: Option<u64>,
    init_duration_ms: Option<f64>,
    restore_duration_ms: Option<f64>,
}

/// Finds out what a line is.
pub(super) fn classify(text: &str) -> Line<'_> {
    if text.starts_with('{') {
        return if text.contains("\"platform.") { of_json(text) } else { Line::Told };
    }
    if let Some(rest) = text.strip_prefix("START RequestId: ") {
        return first_word(rest).map_or(Line::Told, Line::Start);
    }
    if let Some(rest) = text.strip_prefix("END RequestId: ") {
        return first_word(rest).map_or(Line::Told, Line::End);
    }
    if let Some(rest) = text.strip_prefix("REPORT RequestId: ") {
        return first_word(rest).map_or(Line::Told, |id| Line::Report(id, report(rest)));
    }
    let other = ["INIT_REPORT ", "RESTORE_START ", "RESTORE_REPORT ", "EXTENSION\t", "TELEMETRY\t", "XRAY TraceId: "];
    match text {
        _ if text.starts_with("INIT_START ") => Line::InitStart,
        _ if other.iter().any(|begin| text.starts_with(begin)) => Line::Platform,
        _ => Line::Told,
    }
}

/// Whether a line is the platform's last about an invocation.
pub fn is_report(text: &str, id: &str) -> bool {
    matches!(classify(text), Line::Report(of, _) if of == id)
}

fn of_json(text: &str) -> Line<'_> {
    let Ok(PlatformLine { kind, record }) = serde_json::from_str::<PlatformLine<'_>>(text) else { return Line::Told };
    let id = record.request_id.map(Id::Owned);
    match (kind.as_ref(), id) {
        ("platform.initStart", _) => Line::InitStart,
        ("platform.start", Some(id)) => Line::Start(id),
        ("platform.runtimeDone", Some(id)) => Line::End(id),
        ("platform.report", Some(id)) => {
            let metrics = record.metrics;
            let report = FunctionReport {
                duration_ms: metrics.duration_ms,
                billed_ms: metrics.billed_duration_ms,
                memory_mb: metrics.memory_size_mb,
                max_memory_mb: metrics.max_memory_used_mb,
                init_ms: metrics.init_duration_ms.or(metrics.restore_duration_ms),
                status: record.status,
                error_type: record.error_type,
                cold_start: false,
            };
            Line::Report(id, report)
        }
        (kind, _) if kind.starts_with("platform.") => Line::Platform,
        _ => Line::Told,
    }
}

fn first_word(text: &str) -> Option<Id<'_>> {
    text.split_whitespace().next().map(Id::Borrowed)
}

/// The fields after the id, each `Name: value unit`, parted by tabs.
fn report(text: &str) -> FunctionReport {
    let mut report = FunctionReport::default();
    for field in text.split(['\t', '\n']) {
        let Some((name, value)) = field.split_once(": ") else { continue };
        let value = value.trim();
        let number = value.split(' ').next().unwrap_or_default();
        match name.trim() {
            "Duration" => report.duration_ms = number.parse().ok(),
            "Billed Duration" => report.billed_ms = number.parse().ok(),
            "Memory Size" => report.memory_mb = number.parse().ok(),
            "Max Memory Used" => report.max_memory_mb = number.parse().ok(),
            "Init Duration" | "Restore Duration" => report.init_ms = number.parse().ok(),
            "Status" => report.status = Some(value.to_owned()),
            "Error Type" => report.error_type = Some(value.to_owned()),
            _ => {}
        }
    }
    report
}
