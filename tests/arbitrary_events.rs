//! Whatever the events and their links, rebuilding and explaining end, and lose no event.

#[path = "common/fleet.rs"]
mod fleet;

use fleet::{Random, tell};
use stepscope::analysis::why::{self, Evidence};
use stepscope::analysis::{execution, show};
use stepscope::asl::Definition;
use stepscope::model::{EventId, EventType, ExecutionStatus, Gap, History, RawText};
use stepscope::rebuild::rebuild;

/// A history whose events were shuffled in kind, link and details: each event is one that the service could write,
/// all of them together make no sense.
fn confused(random: &mut Random) -> (History, Definition) {
    let run = tell(random.below(200) as u64, 40);
    let mut history = run.history;
    let events = history.events.clone();
    for event in &mut history.events {
        if random.chance(20) {
            let other = &events[random.below(events.len())];
            event.kind = other.kind;
            event.details = other.details.clone();
        }
        if random.chance(10) {
            // A type whose details are another type's.
            event.kind = EventType::ALL[random.below(EventType::ALL.len())];
        }
        if random.chance(20) {
            event.previous_event_id = (!random.chance(20)).then(|| EventId(random.below(events.len() + 5) as u64));
        }
        if random.chance(5) {
            event.timestamp = None;
        }
    }
    history.events.retain(|_| !random.chance(3));
    if random.chance(30) {
        history.header.status = Some(ExecutionStatus::ALL[random.below(6)]);
        history.header.error = random.chance(50).then(|| RawText::plain("States.Runtime"));
        history.header.cause = Some(RawText::plain("An error occurred while executing the state 'S0' (entered at the event id #2). x"));
    }
    (history, Definition::parse(&run.definition).expect("a definition"))
}

fn check(history: &History, definition: Option<&Definition>) {
    let path = rebuild(history, definition);
    let report = why::why(Evidence { history, path: &path, definition });
    let shown = show::show(history, &path);
    assert_eq!(path.visit_of.len(), history.events.len());
    assert_eq!(shown.visits.len(), path.visits.len());
    let failed = execution::status(history, &path).is_some_and(ExecutionStatus::is_unsuccessful);
    assert_eq!(report.root_cause.is_some(), failed);
    assert_eq!(report.terminal.is_some(), failed);
    // Every visit stands in exactly one scope, after those that enclose it.
    let mut seen = 0;
    for scope in &path.scopes {
        assert!(scope.visits.is_sorted(), "visits are listed as they were entered");
        seen += scope.visits.len();
        for visit in &scope.visits {
            assert!(scope.parent.is_none_or(|parent| parent < *visit), "a Parallel or Map comes before what it holds");
        }
    }
    assert_eq!(seen, path.visits.len());
    serde_json::to_string(&report).expect("the report serialises");
}

#[test]
fn confused_histories_are_rebuilt_and_explained() {
    let mut random = Random::new(11);
    for _ in 0..800 {
        let (history, definition) = confused(&mut random);
        check(&history, None);
        check(&history, Some(&definition));
    }
}

#[test]
fn a_confused_history_is_never_explained_with_certainty_about_what_is_missing() {
    let mut random = Random::new(12);
    for _ in 0..200 {
        let (mut history, definition) = confused(&mut random);
        history.gaps.push(Gap::MissingEvents { first: EventId(1), last: EventId(2) });
        let path = rebuild(&history, Some(&definition));
        let report = why::why(Evidence { history: &history, path: &path, definition: Some(&definition) });
        assert!(report.root_cause.is_none_or(|cause| cause.confidence < why::Confidence::Certain));
    }
}
