//! Log records of every recorded history and every labelled incident: the same answers as from the history, as far as the level allows.
//!
//! See `corpus` for where the material is.

#[path = "common/fleet.rs"]
mod fleet;

mod common;

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use common::corpus::{corpus, files};
use common::log_records::{FORMS, Level, records};
use fleet::Random;
use serde_json::Value;
use stepscope::analysis::show;
use stepscope::analysis::why::{Confidence, Evidence, Kind, WhyReport, why};
use stepscope::asl::Definition;
use stepscope::model::{Details, ExecutionArn, ExecutionHeader, ExecutionStatus, Gap, History, HistoryEvent, Origin, RawText, Timestamp};
use stepscope::rebuild::rebuild;
use stepscope::sources::{Limits, Page, assemble, read_path, read_stream};

/// The executions of one file, as whole histories: at most so many, for the large incidents.
fn histories(path: &Path) -> Vec<History> {
    let mut read: Vec<History> = Vec::new();
    read_path(path, &Limits::default(), &mut |result| read.extend(result.ok().filter(|history| !history.events.is_empty())));
    let failed = |history: &History| history.events.last().is_some_and(HistoryEvent::is_failure);
    let (mut kept, others): (Vec<History>, Vec<History>) = read.into_iter().partition(failed);
    kept.truncate(40);
    kept.extend(others.into_iter().take(20));
    kept.into_iter().enumerate().map(|(number, history)| named(history, number)).collect()
}

/// With an ARN, and with nothing that log records do not have: times to the millisecond, and no description.
fn named(mut history: History, number: usize) -> History {
    let made_up = || format!("arn:aws:states:us-east-1:111111111111:execution:Recorded:run-{number}").parse().ok();
    let arn = history.header.arn.take().or_else(made_up);
    let machine = arn.as_ref().map(ExecutionArn::state_machine);
    let name = arn.as_ref().map(|arn| arn.name().to_owned());
    history.header = ExecutionHeader { arn, state_machine_arn: machine, name, ..ExecutionHeader::default() };
    for event in &mut history.events {
        event.timestamp = event.timestamp.and_then(|time| Timestamp::from_millisecond(time.as_millisecond()).ok());
    }
    history.origin = Origin::default();
    // Records are written with strings, and with ids.
    history.gaps.retain(|gap| !matches!(gap, Gap::StructuredPayloads { .. } | Gap::NoIds { .. }));
    history
}

fn arn(history: &History) -> String {
    history.header.arn.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// Shuffled, some of them twice, spread over a file of each form; read again.
fn logged(histories: &[History], level: Level, with_data: bool, random: &mut Random) -> HashMap<String, History> {
    let mut all: Vec<Value> = histories.iter().flat_map(|history| records(history, &arn(history), level, with_data)).collect();
    for again in 0..all.len() / 10 {
        all.push(all[again * 7 % all.len()].clone());
    }
    for at in (1..all.len()).rev() {
        all.swap(at, random.below(at + 1));
    }
    if all.is_empty() {
        return HashMap::new();
    }
    let folder = tempfile::tempdir().expect("a folder");
    let share = all.len().div_ceil(FORMS.len()).max(1);
    for (part, (name, form)) in all.chunks(share).zip(FORMS) {
        fs::write(folder.path().join(name), form(part)).expect("a file");
    }
    let mut read = HashMap::new();
    read_path(folder.path(), &Limits::default(), &mut |result| {
        let history = result.unwrap_or_else(|error| panic!("{error}"));
        read.insert(arn(&history), history);
    });
    for history in histories {
        if let Some(found) = read.get_mut(&arn(history)) {
            found.origin = Origin::default();
            found.definition.clone_from(&history.definition);
        }
    }
    read
}

fn explained(history: &History, with_definition: bool) -> WhyReport {
    let text = history.definition.as_ref().filter(|_| with_definition);
    let definition = text.and_then(|text| Definition::parse(&text.decode()).ok());
    let path = rebuild(history, definition.as_ref());
    why(Evidence { history, path: &path, definition: definition.as_ref() })
}

/// What `why` and `show` tell, but for the sentence that a log has no end, which a history of the API cannot know.
fn told(history: &History) -> (Value, Value) {
    let mut history = history.clone();
    history.gaps.retain(|gap| *gap != Gap::NoEndLogged);
    let definition = history.definition.as_ref().and_then(|text| Definition::parse(&text.decode()).ok());
    let path = rebuild(&history, definition.as_ref());
    let report = why(Evidence { history: &history, path: &path, definition: definition.as_ref() });
    let tree = show::show(&history, &path);
    (serde_json::to_value(report).expect("JSON"), serde_json::to_value(tree).expect("JSON"))
}

fn material(corpus: &Path) -> Vec<std::path::PathBuf> {
    let incidents = files(&corpus.join("incidents")).into_iter().filter(|path| path.ends_with("executions.jsonl.gz"));
    files(&corpus.join("aws-recorded")).into_iter().chain(incidents).collect()
}

#[test]
fn records_of_all_events_tell_what_the_history_tells() {
    let Some(corpus) = corpus() else { return };
    let mut random = Random::new(5);
    let mut compared = 0;
    for path in material(&corpus) {
        let histories = histories(&path);
        let logged = logged(&histories, Level::All, true, &mut random);
        for history in &histories {
            let found = logged.get(&arn(history)).unwrap_or_else(|| panic!("{}: {} is not found", path.display(), arn(history)));
            let (wanted, said) = (told(history), told(found));
            assert_eq!(said.0, wanted.0, "{}", path.display());
            assert_eq!(said.1, wanted.1, "{}", path.display());
            compared += 1;
        }
    }
    assert!(compared > 400, "{compared} compared");
}

/// What is left of a history whose machine logs no execution data.
fn without_data(history: &History) -> History {
    let mut events = history.events.clone();
    for event in &mut events {
        match &mut event.details {
            Details::ExecutionStarted(started) => started.input = None,
            Details::Output(output) => output.output = None,
            Details::StateEntered(entered) => entered.input = None,
            Details::StateExited(exited) => (exited.output, exited.assigned_variables) = (None, None),
            Details::Scheduled(scheduled) => scheduled.input = None,
            _ => {}
        }
    }
    let page = Page { events, more: false };
    assemble(history.header.clone(), vec![page], history.definition.clone(), Origin::default())
}

#[test]
fn records_without_data_tell_everything_but_payloads() {
    let Some(corpus) = corpus() else { return };
    let mut random = Random::new(7);
    let mut compared = 0;
    for path in material(&corpus) {
        let histories = histories(&path);
        let logged = logged(&histories, Level::All, false, &mut random);
        for history in &histories {
            let found = logged.get(&arn(history)).unwrap_or_else(|| panic!("{}: {} is not found", path.display(), arn(history)));
            let (mut wanted, mut said) = (told(&without_data(history)), told(found));
            // Where a page of the history is missing, only the API can say so.
            for report in [&mut wanted.0, &mut wanted.1, &mut said.0, &mut said.1] {
                report["incomplete"] = Value::Null;
            }
            assert_eq!(said.0, wanted.0, "{}", path.display());
            assert_eq!(said.1, wanted.1, "{}", path.display());
            let is_marked = found.gaps.contains(&Gap::PayloadsLeftOut);
            assert!(is_marked || found.events.len() < 2, "{}: {:?}", path.display(), found.gaps);
            compared += 1;
        }
    }
    assert!(compared > 400, "{compared} compared");
}

/// What `why` says of the state at fault by records of a level, against what it says by the history.
#[derive(Default)]
struct Measured {
    right: usize,
    nameless: usize,
    /// With how sure it was.
    wrong: Vec<(Confidence, String)>,
}

fn measured(corpus: &Path, level: Level, with_definition: bool) -> Measured {
    let mut random = Random::new(6);
    let mut measured = Measured::default();
    for path in material(corpus) {
        let histories = histories(&path);
        let logged = logged(&histories, level, false, &mut random);
        for history in &histories {
            let wanted = explained(history, true);
            let Some(cause) = wanted.root_cause.as_ref() else { continue };
            let found = logged.get(&arn(history)).unwrap_or_else(|| panic!("{}: {} is not found", path.display(), arn(history)));
            let said = explained(found, with_definition);
            assert_eq!(said.execution.status, wanted.execution.status, "{}", path.display());
            let end = |report: &WhyReport| report.terminal.as_ref().map(|end| (end.error.clone(), end.cause.clone()));
            assert_eq!(end(&said), end(&wanted), "{}", path.display());
            assert!(said.incomplete.iter().any(|gap| gap.id == "logged_only"), "{}", path.display());
            let said = said.root_cause.expect("a failed execution has a cause");
            match said.state {
                None => measured.nameless += 1,
                Some(state) if Some(&state) == cause.state.as_ref() => measured.right += 1,
                Some(state) => {
                    let words = format!("{} {}: {state}, is {:?}", path.display(), arn(history), cause.state);
                    measured.wrong.push((said.confidence, words));
                }
            }
        }
    }
    measured
}

/// At FATAL without a definition nothing can tell whether a state that failed was reached by a Catch: one recording shows it.
#[test]
fn no_state_is_wrongly_blamed_where_only_failures_were_logged() {
    let Some(corpus) = corpus() else { return };
    for (level, with_definition, least_right) in
        [(Level::Error, true, 80), (Level::Error, false, 50), (Level::Fatal, true, 30), (Level::Fatal, false, 30)]
    {
        let Measured { right, nameless, wrong } = measured(&corpus, level, with_definition);
        let is_told = |(confidence, _): &&(Confidence, String)| *confidence > Confidence::Guess;
        let sure: Vec<_> = wrong.iter().filter(is_told).collect();
        let allowed = usize::from(level == Level::Fatal && !with_definition);
        assert!(sure.len() <= allowed && wrong.len() <= 1, "{level:?}: {right} right, {nameless} without a name, {wrong:#?}");
        assert!(right >= least_right, "{level:?}, definition {with_definition}: {right} right");
    }
}

/// The log records that the service itself wrote, level by level, beside the history of the same execution.
#[test]
fn recorded_log_records_give_the_recorded_outcome() {
    let Some(corpus) = corpus() else { return };
    let (mut compared, mut named) = (0, 0);
    for path in ["logs", "api_logs", "express"].iter().flat_map(|folder| files(&corpus.join("aws-recorded").join(folder))) {
        let text = fs::read_to_string(&path).expect("a recorded case");
        let text = text
            .replace("<partition>", "aws")
            .replace("<region>", "us-east-1")
            .replace("\"event_timestamp\": \"timestamp\"", "\"event_timestamp\": \"1\"");
        let case: Value = serde_json::from_str(&text).expect("JSON");
        let (Some(events), Some(outcome)) = (case["log_events"].as_array(), case["outcome"].as_object()) else { continue };
        let mut read = Vec::new();
        let log = common::log_records::filtered(events);
        read_stream(log.as_bytes(), "log", &Limits::default(), &mut |result| read.push(result.expect("a history")));
        let [logged] = read.as_mut_slice() else { panic!("{}: {} histories", path.display(), read.len()) };
        logged.definition = Some(RawText::json(case["definition"].to_string()));
        let recorded = histories(&path);
        let [recorded] = recorded.as_slice() else { panic!("{}: {} histories", path.display(), recorded.len()) };
        let (said, wanted) = (explained(logged, true), explained(recorded, true));
        let end = said.terminal.as_ref().expect("it failed");
        assert_eq!(said.execution.status.map(ExecutionStatus::name), outcome["status"].as_str(), "{}", path.display());
        assert_eq!(
            (end.error.as_deref(), end.cause.as_deref()),
            (outcome["error"].as_str(), outcome["cause"].as_str()),
            "{}",
            path.display()
        );
        let state = |report: &WhyReport| report.root_cause.as_ref().and_then(|cause| cause.state.clone());
        assert!(state(&said).is_none() || state(&said) == state(&wanted), "{}", path.display());
        let is_whole = logged.events.len() == recorded.events.len();
        let visits = |report: &WhyReport| report.route.iter().map(|step| step.state.clone()).collect::<Vec<_>>();
        assert!(!is_whole || visits(&said) == visits(&wanted), "{}", path.display());
        // Without a name is only the end of a Fail state that was not logged.
        let may_be_nameless = logged.events.len() == 1 && wanted.root_cause.as_ref().is_some_and(|cause| cause.kind == Kind::FailState);
        assert!(state(&said).is_some() || may_be_nameless, "{}", path.display());
        named += usize::from(state(&said).is_some());
        compared += 1;
    }
    assert!(compared >= 9 && named >= 7, "{compared} compared, {named} with the state");
}
