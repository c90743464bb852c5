//! Rules about the settings of a machine, which stand beside its definition.
//!
//! They are known where the output of describe-state-machine was read, and not judged otherwise.

use crate::analysis::audit::rule::{Level, Rule, Violation};
use crate::analysis::audit::subject::Subject;
use crate::asl::check::MachineType;
use crate::asl::source::{Content, Node};

/// The rules of this file.
pub const RULES: &[Rule] = &[
    Rule {
        id: "express-logging-off",
        level: Level::Warning,
        title: "An Express machine logs",
        reason: "An Express machine keeps no history: what it did not log, nobody can look up after a failure.",
        source: "https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html",
        check: express_logging_off,
    },
    Rule {
        id: "logging-off",
        level: Level::Note,
        title: "A machine logs",
        reason: "The service forgets a history after 90 days, and asks no question about all executions; a log does both.",
        source: "https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html",
        check: logging_off,
    },
    Rule {
        id: "tracing-off",
        level: Level::Note,
        title: "A machine is traced",
        reason: "Without X-Ray the time of a call cannot be told from the time that the callee spent on it.",
        source: "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-xray-tracing.html",
        check: tracing_off,
    },
];

fn setting<'s>(subject: &Subject<'s>, group: &str, name: &str) -> Option<&'s Node> {
    subject.source.description()?.root.get(group)?.get(name)
}

fn is_logging_off(subject: &Subject<'_>) -> bool {
    setting(subject, "loggingConfiguration", "level").and_then(Node::as_str) == Some("OFF")
}

fn of_machine(message: &str) -> Violation {
    Violation { pointer: String::new(), message: message.to_owned(), fix: None }
}

fn express_logging_off(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    if subject.machine_type == MachineType::Express && is_logging_off(subject) {
        found.push(of_machine("logging is off, and this is an Express machine"));
    }
}

fn logging_off(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    if subject.machine_type == MachineType::Standard && is_logging_off(subject) {
        found.push(of_machine("logging is off"));
    }
}

fn tracing_off(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    if setting(subject, "tracingConfiguration", "enabled").is_some_and(|enabled| enabled.content == Content::Boolean(false)) {
        found.push(of_machine("tracing is off"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::analysis::audit::rules::testing::found_as;
    use crate::asl::check::MachineType;

    const DEFINITION: &str = r#"{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}"#;

    fn count(rule: &str, settings: &Value, machine_type: MachineType) -> usize {
        let mut described = settings.clone();
        described["definition"] = DEFINITION.into();
        found_as(rule, &described.to_string(), None, machine_type).len()
    }

    #[test]
    fn settings_are_judged_where_they_are_known() {
        let off = json!({"loggingConfiguration": {"level": "OFF"}, "tracingConfiguration": {"enabled": false}});
        let on = json!({"loggingConfiguration": {"level": "ALL"}, "tracingConfiguration": {"enabled": true}});
        assert_eq!(count("logging-off", &off, MachineType::Standard), 1);
        assert_eq!(count("logging-off", &off, MachineType::Express), 0);
        assert_eq!(count("express-logging-off", &off, MachineType::Express), 1);
        assert_eq!(count("tracing-off", &off, MachineType::Standard), 1);
        for rule in ["logging-off", "tracing-off"] {
            assert_eq!(count(rule, &on, MachineType::Standard) + count(rule, &json!({}), MachineType::Standard), 0, "{rule}");
        }
    }
}
