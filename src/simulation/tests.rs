//! Fleets and what they leave behind.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::model::event_type::{AttemptStep, Role};
use crate::model::path::AttemptOutcome;
use crate::model::wire::WireBundle;
use crate::model::{Details, ExecutionStatus, History, Timestamp};
use crate::rebuild::rebuild;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

/// Payments alone, one of them every two minutes, for four hours; and sixty at once at ten.
fn payments(services: Vec<Service>) -> Fleet {
    let cohort = Traffic::Scheduled { first: at("2026-03-02T10:00:00Z"), every_seconds: 86_400, count: 60, spread_seconds: 1.0 };
    let steady = Traffic::Steady { per_hour: 30.0, night: 0.0, busiest: 12.0 };
    Fleet {
        seed: 3,
        from: at("2026-03-02T08:00:00Z"),
        now: at("2026-03-02T12:00:00Z"),
        machines: vec![machines::payments().with(steady).with(cohort)],
        services,
        answerers: Vec::new(),
    }
}

/// The sound services, one of them changed.
fn services(name: &str, change: impl Fn(Service) -> Service) -> Vec<Service> {
    machines::services().into_iter().map(|service| if service.name == name { change(service) } else { service }).collect()
}

fn cut_at_ten(service: Service) -> Service {
    let outage = FaultKind::Outage { said: machines::UNAVAILABLE, spread_ms: 200.0, share: 1.0 };
    let mut service = service.fault(outage, at("2026-03-02T10:00:01.5Z"), at("2026-03-02T10:00:31Z"));
    service.takes.median_ms = 4_000.0;
    service
}

fn wire(histories: &[History]) -> Vec<String> {
    histories.iter().map(|history| serde_json::to_string(&WireBundle(history)).expect("a history is JSON")).collect()
}

fn retries(simulated: &Simulated, state: &str) -> Vec<f64> {
    let mut waits = Vec::new();
    for history in &simulated.histories {
        let path = rebuild(history, None);
        for visit in path.visits.iter().filter(|visit| visit.name.as_ref().is_some_and(|name| name.is(state))) {
            for pair in visit.attempts.windows(2) {
                let time = |index: Option<crate::model::path::EventIndex>| {
                    history.events[index.expect("an event")].timestamp.expect("a time").as_millisecond()
                };
                #[allow(clippy::cast_precision_loss, reason = "milliseconds of a wait")]
                waits.push((time(pair[1].scheduled) - time(pair[0].ended)) as f64 / 1000.0);
            }
        }
    }
    waits
}
