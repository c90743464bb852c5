//! Made-up executions, whose truth is known, are rebuilt and explained right.

#[path = "common/fleet.rs"]
mod fleet;

use fleet::{Known, Random, tell};
use stepscope::analysis::why::{self, Evidence};
use stepscope::asl::Definition;
use stepscope::model::path::VisitId;
use stepscope::model::{ExecutionPath, History};
use stepscope::rebuild::rebuild;
use stepscope::sources::{Page, assemble};

fn known(history: &History, path: &ExecutionPath, visit: VisitId) -> Known {
    let visit = path.visit(visit);
    Known {
        state: visit.state.as_ref().map(|state| state.decode().into_owned()).unwrap_or_default(),
        scope: path.labels(visit.scope),
        entered: visit.entered.map_or(0, |index| history.events[index].id.0),
    }
}

#[test]
fn every_event_belongs_to_the_visit_that_told_it() {
    let mut events = 0;
    for seed in 0..1_500 {
        let run = tell(seed, 25);
        for definition in [None, Some(Definition::parse(&run.definition).expect("a definition"))] {
            let path = rebuild(&run.history, definition.as_ref());
            assert_eq!((path.unplaced.len(), path.broken_links.len()), (0, 0), "seed {seed}");
            for (index, event) in run.history.events.iter().enumerate() {
                let Some(owner) = run.owners.get(&event.id.0) else { continue };
                let visit = path.visit_of[index].unwrap_or_else(|| panic!("seed {seed}: event {} has no visit", event.id));
                let mut found = known(&run.history, &path, visit);
                if definition.is_none() {
                    // Which branch it is, only the definition tells.
                    found.scope.clone_from(&owner.scope);
                }
                assert_eq!(&found, owner, "seed {seed}, event {} {}", event.id, event.type_name());
                events += 1;
            }
        }
    }
    assert!(events > 50_000, "only {events} events were compared");
}

#[test]
fn the_failing_state_and_its_cause_are_named() {
    let (mut failed, mut differ, mut deep) = (0, 0, 0);
    for seed in 0..3_000 {
        let run = tell(seed, 30);
        let definition = Definition::parse(&run.definition).expect("a definition");
        let path = rebuild(&run.history, Some(&definition));
        let report = why::why(Evidence { history: &run.history, path: &path, definition: Some(&definition) });
        let said = report.terminal.map(|terminal| Known {
            state: terminal.state.unwrap_or_default(),
            scope: terminal.scope,
            entered: terminal.entered_event_id.map_or(0, |id| id.0),
        });
        assert_eq!(said, run.terminal, "terminal of seed {seed}");
        let said = report.root_cause.map(|cause| Known {
            state: cause.state.unwrap_or_default(),
            scope: cause.scope,
            entered: cause.entered_event_id.map_or(0, |id| id.0),
        });
        assert_eq!(said, run.root, "root cause of seed {seed}");
        failed += usize::from(run.root.is_some());
        differ += usize::from(run.root != run.terminal);
        deep += usize::from(run.root.is_some_and(|root| root.scope.len() > 1));
    }
    assert!(failed > 500 && differ > 50 && deep > 50, "{failed} failed, {differ} by a Catch, {deep} deep: too few to prove anything");
}

/// Leaves out some events, as a lost page or a lossy log does.
fn damaged(history: &History, random: &mut Random, percent: usize) -> History {
    let last = history.events.len() - 1;
    let kept = history.events.iter().enumerate().filter(|(position, _)| *position == last || !random.chance(percent));
    let events = kept.map(|(_, event)| event.clone()).collect();
    assemble(history.header.clone(), vec![Page { events, more: false }], None, "damaged".to_owned())
}

/// What cannot be known is not claimed: the shares are what the definition and the remaining events make likely.
#[test]
fn most_failing_states_are_named_though_events_are_missing() {
    for (percent, wanted_terminal, wanted_root) in [(2, 0.95, 0.92), (10, 0.84, 0.76)] {
        let (mut failed, mut terminal, mut root) = (0, 0, 0);
        for seed in 0..3_000 {
            let run = tell(seed, 30);
            let (Some(true_terminal), Some(true_root)) = (&run.terminal, &run.root) else { continue };
            let history = damaged(&run.history, &mut Random::new(seed + 77), percent);
            let is_damaged = history.events.len() < run.history.events.len();
            let definition = Definition::parse(&run.definition).expect("a definition");
            let path = rebuild(&history, Some(&definition));
            let report = why::why(Evidence { history: &history, path: &path, definition: Some(&definition) });
            let cause = report.root_cause.expect("the execution failed");
            let right = cause.state.as_ref() == Some(&true_root.state);
            failed += 1;
            terminal += usize::from(report.terminal.and_then(|terminal| terminal.state).as_ref() == Some(&true_terminal.state));
            root += usize::from(right);
            assert!(right || cause.confidence < why::Confidence::Certain, "seed {seed}: sure, and wrong");
            assert_eq!(report.incomplete.iter().any(|gap| gap.id == "missing_events"), is_damaged, "seed {seed}");
        }
        let share = |count: usize| f64::from(u32::try_from(count).expect("few")) / f64::from(failed);
        assert!(share(terminal) >= wanted_terminal, "{percent} % missing: terminal right in {:.3}", share(terminal));
        assert!(share(root) >= wanted_root, "{percent} % missing: root cause right in {:.3}", share(root));
    }
}
