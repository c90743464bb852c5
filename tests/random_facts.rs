//! Made-up executions: what their facts say of time adds up, and what they say of failures is what `why` says.

#[path = "common/fleet.rs"]
mod fleet;

use std::collections::HashMap;

use bumpalo::Bump;
use fleet::tell;
use stepscope::analysis::facts::{Rebuilt, extract};
use stepscope::analysis::why::{Evidence, why};
use stepscope::asl::Definition;
use stepscope::model::facts::Needs;
use stepscope::model::{ExecutionFacts, ExecutionStatus, VisitFacts};
use stepscope::rebuild::rebuild;

/// Exact: stories count in whole seconds.
fn same(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-6
}

/// The visit that nothing encloses, in which this one stands.
fn outermost<'f>(facts: &'f ExecutionFacts<'_>, mut visit: &'f VisitFacts<'f>) -> &'f VisitFacts<'f> {
    while let Some(parent) = visit.parent {
        visit = &facts.visits[parent as usize];
    }
    visit
}

#[test]
fn the_critical_path_adds_up_to_what_the_execution_lasted() {
    let (mut succeeded, mut failed, mut visits) = (0, 0, 0);
    for seed in 0..1_500 {
        let run = tell(seed, 20);
        let definition = Definition::parse(&run.definition).expect("a definition");
        let path = rebuild(&run.history, Some(&definition));
        let arena = Bump::new();
        let facts = extract(Rebuilt { history: &run.history, path: &path, definition: Some(&definition) }, Needs::ALL, &arena);
        let mut within: HashMap<u32, f64> = HashMap::new();
        for visit in facts.visits {
            let critical = visit.critical_ms.expect("start and end are known");
            assert!(critical >= 0.0, "seed {seed}: {visit:?}");
            if let Some(duration) = visit.duration_ms() {
                assert!(critical <= duration, "seed {seed}: {visit:?}");
            }
            *within.entry(outermost(&facts, visit).visit).or_default() += critical;
            visits += 1;
        }
        let total: f64 = within.values().sum();
        assert!(total <= facts.duration_ms().expect("it ended"), "seed {seed}");
        // What nothing encloses is passed from entry to exit, however its branches and iterations share it.
        for visit in facts.visits.iter().filter(|visit| visit.parent.is_none()) {
            if let Some(duration) = visit.duration_ms() {
                assert!(same(within[&visit.visit], duration), "seed {seed}: {} in {visit:?}", within[&visit.visit]);
            }
        }
        match facts.status {
            Some(ExecutionStatus::Succeeded) => succeeded += 1,
            _ => failed += 1,
        }
    }
    assert!(succeeded > 300 && failed > 300 && visits > 10_000, "{succeeded} succeeded, {failed} failed, {visits} visits");
}

#[test]
fn the_parts_of_a_visit_are_no_longer_than_the_visit() {
    let mut split = 0;
    for seed in 0..500 {
        let run = tell(seed, 25);
        let path = rebuild(&run.history, None);
        let arena = Bump::new();
        let facts = extract(Rebuilt { history: &run.history, path: &path, definition: None }, Needs::ALL, &arena);
        for visit in facts.visits {
            let parts = [visit.queue_ms, visit.run_ms, visit.retry_wait_ms, visit.callback_ms].into_iter().flatten();
            assert!(parts.clone().all(|part| part >= 0.0), "seed {seed}: {visit:?}");
            let Some(duration) = visit.duration_ms() else { continue };
            assert!(parts.sum::<f64>() <= duration, "seed {seed}: {visit:?}");
            split += 1;
        }
        let (retries, attempts) = (facts.visits.iter().map(|visit| visit.retries).sum::<u32>(), facts.attempts);
        assert_eq!(retries as usize, attempts.iter().filter(|attempt| attempt.number > 1).count(), "seed {seed}");
    }
    assert!(split > 1_000, "only {split} visits were split");
}

#[test]
fn a_failure_is_told_as_why_tells_it() {
    let mut failed = 0;
    for seed in 0..1_500 {
        let run = tell(seed, 30);
        let definition = Definition::parse(&run.definition).expect("a definition");
        for definition in [None, Some(&definition)] {
            let path = rebuild(&run.history, definition);
            let arena = Bump::new();
            let facts = extract(Rebuilt { history: &run.history, path: &path, definition }, Needs::ALL, &arena);
            let report = why(Evidence { history: &run.history, path: &path, definition });
            assert_eq!(facts.failure.is_some(), report.root_cause.is_some(), "seed {seed}");
            let (Some(failure), Some(root), Some(terminal)) = (facts.failure, report.root_cause, report.terminal) else { continue };
            assert_eq!(failure.root_state, root.state.as_deref(), "seed {seed}");
            assert_eq!(failure.root_scope, root.scope.join("/"), "seed {seed}");
            assert_eq!((failure.root_error, failure.root_cause), (root.error.as_deref(), root.cause.as_deref()), "seed {seed}");
            assert_eq!((failure.root_event_id, failure.resource), (root.event_id, root.resource.as_deref()), "seed {seed}");
            let words = serde_json::json!([root.kind, root.basis, root.confidence]);
            assert_eq!(serde_json::json!([failure.kind, failure.basis, failure.confidence]), words, "seed {seed}");
            assert_eq!(failure.terminal_state, terminal.state.as_deref(), "seed {seed}");
            assert_eq!((failure.error, failure.cause), (terminal.error.as_deref(), terminal.cause.as_deref()), "seed {seed}");
            failed += 1;
        }
    }
    assert!(failed > 500, "only {failed} failed");
}
