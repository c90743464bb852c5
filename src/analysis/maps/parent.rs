//! What the execution whose Map it is says of a Map Run: which state, how it ended, where its results went.

use serde_json::Value;

use super::settings::{MapSettings, of_definition};
use crate::model::event_type::Ending;
use crate::model::path::{Visit, VisitOutcome};
use crate::model::{Details, EventType, ExecutionFacts, ExecutionPath, History, HistoryEvent, Role, Timestamp, VisitFacts};

/// Arrays and objects in each other deeper than this are not looked into.
const DEEPEST: usize = 64;

/// What is known of a Map Run from its execution.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parent {
    /// ARN of the Map Run.
    pub map_run: String,
    /// ARN of the execution.
    pub execution: Option<String>,
    /// ARN of the state machine.
    pub state_machine: Option<String>,
    /// The Map's state.
    pub state: Option<String>,
    /// As DescribeMapRun would say it.
    pub status: Option<&'static str>,
    /// The error with which the Map Run failed.
    pub error: Option<String>,
    /// The cause with which the Map Run failed.
    pub cause: Option<String>,
    /// When it was started.
    pub start: Option<Timestamp>,
    /// When it ended.
    pub stop: Option<Timestamp>,
    /// How often the history says it was redriven.
    pub redrive_count: u64,
    /// How many items the Map was given; `None` for those that it reads itself.
    pub items: Option<u64>,
    /// What the definition says of the Map; `None` without a definition.
    pub settings: Option<MapSettings>,
    /// Bucket and key of the manifest, as the state's output has them.
    pub manifest: Option<(String, String)>,
}

/// The Map Runs of an execution, in the order in which they began.
pub fn of_history(history: &History, path: &ExecutionPath) -> Vec<Parent> {
    let settings = history.definition.as_ref().map(|text| of_definition(&text.decode()));
    let mut found: Vec<Parent> = Vec::new();
    for visit in &path.visits {
        let state = visit.state.as_ref().map(|state| state.decode().into_owned());
        for index in &visit.map_runs {
            let started = &history.events[*index];
            let Some(arn) = map_run_of(started) else { continue };
            let is_redrive = matches!(started.role(), Role::MapRunRedriven);
            let place = found.iter().position(|parent| parent.map_run == arn).unwrap_or_else(|| {
                let header = &history.header;
                found.push(Parent {
                    map_run: arn,
                    execution: header.arn.as_ref().map(|arn| arn.as_str().to_owned()),
                    state_machine: header.arn.as_ref().map(|arn| arn.state_machine().as_str().to_owned()),
                    state: state.clone(),
                    start: started.timestamp,
                    items: length(history, visit),
                    settings: settings.as_ref().and_then(|all| all.iter().find(|map| Some(&map.state) == state.as_ref()).cloned()),
                    ..Parent::default()
                });
                found.len() - 1
            });
            let parent = &mut found[place];
            parent.redrive_count += u64::from(is_redrive);
            let end = history.events[*index..]
                .iter()
                .find(|event| event.previous_event_id == Some(started.id) && matches!(event.role(), Role::MapRunEnded(_)));
            parent.end_with(end);
            let exited = visit.exited.map(|index| &history.events[index]);
            let output = exited.and_then(HistoryEvent::output).map(|output| output.text.decode());
            if let Some(manifest) = output.and_then(|output| manifest_in(&output, &parent.map_run)) {
                parent.manifest = Some(manifest);
            }
        }
    }
    found
}

/// How many items the Map started with. The service says 0 for those that it reads later.
fn length(history: &History, visit: &Visit) -> Option<u64> {
    let from = visit.entered?;
    let to = visit.map_runs.first().copied()?;
    history.events.get(from..to)?.iter().rev().find_map(|event| match event.details {
        Details::MapStarted { length } => length.filter(|length| *length > 0),
        _ => None,
    })
}

fn map_run_of(event: &HistoryEvent) -> Option<String> {
    match &event.details {
        Details::MapRunStarted { map_run_arn } | Details::Redriven { map_run_arn, .. } => {
            map_run_arn.as_ref().map(|arn| arn.decode().into_owned())
        }
        _ => None,
    }
}

impl Parent {
    /// Takes over how a run ended; without an end it runs, or its execution ended first.
    fn end_with(&mut self, end: Option<&HistoryEvent>) {
        let text = |text: Option<&crate::model::RawText>| text.map(|text| text.decode().into_owned());
        self.stop = end.and_then(|event| event.timestamp);
        self.error = end.and_then(|event| text(event.error()));
        self.cause = end.and_then(|event| text(event.cause()));
        self.status = end.map(|event| match event.role() {
            Role::MapRunEnded(Ending::Succeeded) => "SUCCEEDED",
            Role::MapRunEnded(Ending::Aborted) => "ABORTED",
            _ if event.kind == EventType::MapRunAborted => "ABORTED",
            _ => "FAILED",
        });
    }
}

/// The Map Runs that an execution's visits name: the last one of each visit.
pub fn of_facts(facts: &ExecutionFacts<'_>) -> Vec<Parent> {
    let is_map_run = |visit: &&VisitFacts<'_>| visit.child.is_some_and(|child| child.contains(":mapRun:"));
    let mut visits = facts.visits.iter().filter(is_map_run).peekable();
    if visits.peek().is_none() {
        return Vec::new();
    }
    let settings = facts.definition.map(of_definition);
    let is_over = facts.status.is_some_and(crate::model::ExecutionStatus::is_closed);
    let told = |visit: &VisitFacts<'_>| {
        let map_run = visit.child.unwrap_or_default().to_owned();
        let failed = matches!(visit.outcome, VisitOutcome::Failed | VisitOutcome::Caught);
        Parent {
            execution: Some(facts.execution.to_owned()).filter(|arn| arn.starts_with("arn:")),
            state_machine: facts.state_machine.map(str::to_owned),
            state: Some(visit.state.to_owned()).filter(|state| !state.is_empty()),
            status: match visit.outcome {
                VisitOutcome::Succeeded => Some("SUCCEEDED"),
                VisitOutcome::Failed | VisitOutcome::Caught => Some("FAILED"),
                VisitOutcome::Aborted => Some("ABORTED"),
                VisitOutcome::Open => (!is_over).then_some("RUNNING"),
            },
            error: visit.error.filter(|_| failed).map(str::to_owned),
            start: visit.entered.map(crate::model::Micros::timestamp),
            stop: visit.last_event.filter(|_| visit.outcome != VisitOutcome::Open).map(crate::model::Micros::timestamp),
            settings: settings.as_ref().and_then(|all| all.iter().find(|map| map.state == visit.state).cloned()),
            items: visit.items.filter(|items| *items > 0),
            manifest: facts.output.and_then(|output| manifest_in(output, &map_run)),
            map_run,
            ..Parent::default()
        }
    };
    visits.map(told).collect()
}

/// Bucket and key of the manifest that an output names for this Map Run.
fn manifest_in(output: &str, map_run: &str) -> Option<(String, String)> {
    if !output.contains("ResultWriterDetails") {
        return None;
    }
    look_for(&serde_json::from_str(output).ok()?, map_run, 0)
}

fn look_for(value: &Value, map_run: &str, depth: usize) -> Option<(String, String)> {
    if depth > DEEPEST {
        return None;
    }
    let is_of_run = value.get("MapRunArn").and_then(Value::as_str).is_none_or(|arn| arn == map_run);
    let details = value.get("ResultWriterDetails").filter(|_| is_of_run);
    let text = |name: &str| details.and_then(|details| details.get(name)).and_then(Value::as_str).map(str::to_owned);
    if let (Some(bucket), Some(key)) = (text("Bucket"), text("Key")) {
        return Some((bucket, key));
    }
    match value {
        Value::Object(members) => members.values().find_map(|value| look_for(value, map_run, depth + 1)),
        Value::Array(items) => items.iter().find_map(|value| look_for(value, map_run, depth + 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::builder::{history, seconds};
    use crate::rebuild::rebuild;

    const RUN: &str = "arn:aws:states:us-east-1:111111111111:mapRun:Orders/Each:5b0f";

    #[test]
    fn a_history_tells_state_end_and_manifest_of_its_run() {
        let mut story = history("Orders");
        story.enter_map("Each", json!({})).after(seconds(3)).map_started(7).map_run_started(RUN).after(seconds(60)).map_run_succeeded();
        story.exit(json!({"run": {"MapRunArn": RUN, "ResultWriterDetails": {"Bucket": "results", "Key": "p/5b0f/manifest.json"}}}));
        let history = story.execution_succeeded(json!({})).build();
        let found = of_history(&history, &rebuild(&history, None));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].map_run.as_str(), found[0].status, found[0].state.as_deref()), (RUN, Some("SUCCEEDED"), Some("Each")));
        assert_eq!(found[0].manifest, Some(("results".to_owned(), "p/5b0f/manifest.json".to_owned())));
        assert_eq!(found[0].items, Some(7));
        let length = found[0].stop.expect("an end").as_second() - found[0].start.expect("a start").as_second();
        assert_eq!(length, 60);
    }

    #[test]
    fn the_details_of_another_run_are_not_taken() {
        let other = json!({"MapRunArn": "arn:other", "ResultWriterDetails": {"Bucket": "b", "Key": "k"}}).to_string();
        assert_eq!(manifest_in(&other, RUN), None);
        let nameless = json!([1, {"ResultWriterDetails": {"Bucket": "b", "Key": "k"}}]).to_string();
        assert_eq!(manifest_in(&nameless, RUN), Some(("b".to_owned(), "k".to_owned())));
    }
}
