//! Made-up executions, whose truth is known, are rebuilt and explained right.

#[path = "common/fleet.rs"]
mod fleet;

use fleet::{Known, Random, tell};
use stepscope::analysis::why::{self, Evidence};
use stepscope::asl::Definition;
use stepscope::model::path::VisitId;
use stepscope::model::{ExecutionPath, History};
use stepscope::rebuild::rebuild;

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
    let mut history = history.clone();
    let last = history.events.len() - 1;
    let mut position = 0;
    history.events.retain(|_| {
        position += 1;
        position > last || !random.chance(percent)
    });
    history
}

#[test]
fn most_failing_states_are_named_though_events_are_missing() {
    for percent in [2, 10] {
        let (mut failed, mut terminal, mut root, mut sure_and_wrong) = (0, 0, 0, 0);
        for seed in 0..3_000 {
            let run = tell(seed, 30);
            let (Some(wanted_terminal), Some(wanted_root)) = (&run.terminal, &run.root) else { continue };
            let history = damaged(&run.history, &mut Random::new(seed + 77), percent);
            let definition = Definition::parse(&run.definition).expect("a definition");
            let path = rebuild(&history, Some(&definition));
            let report = why::why(Evidence { history: &history, path: &path, definition: Some(&definition) });
            failed += 1;
            let cause = report.root_cause.expect("the execution failed");
            terminal += usize::from(report.terminal.and_then(|terminal| terminal.state).as_ref() == Some(&wanted_terminal.state));
            let right = cause.state.as_ref() == Some(&wanted_root.state);
            root += usize::from(right);
            if !right && std::env::var("SHOW").is_ok() {
                eprintln!(
                    "{percent} seed {seed}: said {:?} is {:?} basis {:?} {:?}",
                    cause.state, wanted_root.state, cause.basis, cause.confidence
                );
            }
            sure_and_wrong += usize::from(!right && cause.confidence == why::Confidence::Certain);
        }
        eprintln!("{percent} % missing: terminal {terminal}/{failed}, root {root}/{failed}, certain and wrong {sure_and_wrong}");
    }
}
