#![allow(missing_docs, clippy::all, clippy::pedantic)]
use serde_json::Value as J;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;
use stepscope::asl::compile;
use stepscope::expr::Value;
use stepscope::interpreter::*;
use stepscope::model::{EventId, EventType, wire::WireEvents};
use stepscope::sources::{Limits, read_path};

struct Nothing;
impl World for Nothing {
    fn attempt(&mut self, r: &TaskRequest<'_>) -> Result<TaskAnswer, Unanswered> {
        Err(Unanswered { state: r.attempted.state.into(), attempt: r.attempted.attempt, advice: "no".into() })
    }
}
struct Recorded {
    events: Vec<J>,
    used: std::collections::HashSet<u64>,
    inter: bool,
}
fn det(e: &J) -> J {
    e.as_object().unwrap().iter().find(|(k, v)| k.ends_with("EventDetails") && v.is_object()).map(|(_, v)| v.clone()).unwrap_or(J::Null)
}
fn s(v: &J) -> Option<Rc<str>> {
    v.as_str().map(Rc::from)
}
impl World for Recorded {
    fn interleaves(&self) -> bool {
        self.inter
    }
    fn choose(&mut self, pending: &[Pending<'_>], events: usize) -> Option<usize> {
        let e = self.events.get(events)?;
        let p = e["previousEventId"].as_u64().unwrap_or(0);
        pending
            .iter()
            .position(|x| x.event.name() == e["type"].as_str().unwrap() && x.previous_event_id == p)
            .or_else(|| pending.iter().position(|x| x.event.name() == e["type"].as_str().unwrap()))
    }
    fn attempt(&mut self, r: &TaskRequest<'_>) -> Result<TaskAnswer, Unanswered> {
        // the recorded scheduled event with this id, or the first unused one whose parameters agree
        let input: J = serde_json::from_str(&r.input.to_json()).unwrap();
        let pick = self
            .events
            .iter()
            .find(|e| {
                e["type"].as_str().unwrap().ends_with("Scheduled") && !self.used.contains(&e["id"].as_u64().unwrap()) && {
                    let _ = &input;
                    true
                }
            })
            .cloned();
        let Some(e) = pick else {
            // refused?
            let last = self.events.last().unwrap();
            let d = det(last);
            let c = d["cause"].as_str().unwrap_or("").to_owned();
            if let Some((_, rest)) = c.split_once("). ") {
                return Ok(TaskAnswer {
                    ended: Some((Duration::ZERO, TaskOutcome::Refused { error: s(&d["error"]).unwrap(), cause: rest.into() })),
                    ..Default::default()
                });
            }
            return Err(Unanswered { state: r.attempted.state.into(), attempt: r.attempted.attempt, advice: "nothing".into() });
        };
        let mut id = e["id"].as_u64().unwrap();
        self.used.insert(id);
        let mut answer = TaskAnswer::default();
        loop {
            let Some(n) =
                self.events.iter().find(|x| x["previousEventId"].as_u64() == Some(id) && !x["type"].as_str().unwrap().contains("Aborted"))
            else {
                return Ok(answer);
            };
            let t = n["type"].as_str().unwrap();
            let d = det(n);
            id = n["id"].as_u64().unwrap();
            let ms = Duration::from_millis(10);
            if t.ends_with("Submitted") {
                answer.submitted = Some((ms, Value::parse(d["output"].as_str().unwrap()).unwrap()));
            } else if t.ends_with("Started") {
                answer.started = Some(ms);
                answer.worker = s(&d["workerName"]);
            } else if t.ends_with("Succeeded") {
                answer.ended = Some((ms, TaskOutcome::Succeeded(Value::parse(d["output"].as_str().unwrap()).unwrap())));
                return Ok(answer);
            } else {
                answer.ended =
                    Some((ms, TaskOutcome::Failed { event: EventType::from_name(t), error: s(&d["error"]), cause: s(&d["cause"]) }));
                return Ok(answer);
            }
        }
    }
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    if a.get(2).map(String::as_str) == Some("--help") {
        std::process::exit(if ["run", "replay"].contains(&&*a[1]) { 0 } else { 2 })
    }
    let info = |arn: &str| {
        let p: Vec<&str> = arn.split(':').collect();
        ExecutionInfo {
            arn: arn.into(),
            name: p[7].into(),
            machine_arn: format!("arn:aws:states:us-east-1:111111111111:stateMachine:{}", p[6]).into(),
            role_arn: "arn:aws:iam::111111111111:role/r".into(),
            express: false,
        }
    };
    let (def, input, exec, mut world): (String, String, ExecutionInfo, Box<dyn World>) = if a[1] == "run" {
        (
            std::fs::read_to_string(&a[2]).unwrap(),
            std::fs::read_to_string(&a[4]).unwrap(),
            info("arn:aws:states:us-east-1:111111111111:execution:M:x"),
            Box::new(Nothing),
        )
    } else {
        let b: J = serde_json::from_str(&std::fs::read_to_string(&a[2]).unwrap()).unwrap();
        let def = match &b["definition"] {
            J::String(t) => t.clone(),
            o => o.to_string(),
        };
        let events = b["events"].as_array().unwrap().clone();
        let input = det(&events[0])["input"].as_str().unwrap().to_owned();
        let arn = b["execution"]["executionArn"].as_str().unwrap_or("arn:aws:states:us-east-1:111111111111:execution:M:x");
        let inter = events.iter().any(|e| e["id"].is_u64());
        let mut i = info(arn);
        if let Some(m) = b["execution"]["stateMachineArn"].as_str() {
            i.machine_arn = m.into()
        }
        (def, input, i, Box::new(Recorded { events, used: Default::default(), inter }))
    };
    let m = match compile(&def) {
        Ok(m) => m,
        Err(e) => {
            eprintln!("compile: {e}");
            std::process::exit(1)
        }
    };
    let o = RunOptions {
        execution: exec,
        start: "2026-01-01T00:00:00Z".parse().unwrap(),
        seed: 1,
        max_events: 25000,
        max_states: 1_000_000,
        record: true,
    };
    match run(&m, &input, &o, &mut *world) {
        Ok(r) => println!(
            "{}",
            serde_json::json!({"outcome": {"status": r.outcome.status.name(), "output": r.outcome.output.as_deref(), "error": r.outcome.error.as_deref(), "cause": r.outcome.cause.as_deref()}, "history": serde_json::to_value(WireEvents(&r.history.events)).unwrap()})
        ),
        Err(e) => {
            eprintln!("{e}");
            std::process::exit(1)
        }
    }
}
