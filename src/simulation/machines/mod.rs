//! State machines to be simulated, what they are started with, and a sound world for them.
//!
//! | machine            | shape                                                                                       |
//! |--------------------|---------------------------------------------------------------------------------------------|
//! | `order-fulfilment` | Parallel with a Map inside, Choice, Wait, a nested `payment-flow` (`startExecution.sync:2`)  |
//! | `payment-flow`     | Retry without jitter in `Authorize`, Catch to a Fail state                                  |
//! | `image-batch`      | an inline Map over a Lambda task                                                            |
//! | `approval-flow`    | two `.waitForTaskToken` tasks: a check by machine, the decision of a manager                |
//! | `warehouse-pick`   | an activity                                                                                 |
//! | `report-export`    | a polling loop                                                                              |
//!
//! No real account is behind any of them.

use serde_json::{Value, json};

use super::answerer::{Answerer, Hours};
use super::fleet::Machine;
use super::random::Draw;
use super::service::{ErrorSaid, Service, Spread};

/// The definition of `order-fulfilment`.
pub const ORDER_FULFILMENT: &str = include_str!("order-fulfilment.json");
/// The definition of `payment-flow`.
pub const PAYMENT_FLOW: &str = include_str!("payment-flow.json");
/// The definition of `image-batch`.
pub const IMAGE_BATCH: &str = include_str!("image-batch.json");
/// The definition of `approval-flow`.
pub const APPROVAL_FLOW: &str = include_str!("approval-flow.json");
/// The definition of `warehouse-pick`.
pub const WAREHOUSE_PICK: &str = include_str!("warehouse-pick.json");
/// The definition of `report-export`.
pub const REPORT_EXPORT: &str = include_str!("report-export.json");

/// What a function says of a dependency that does not answer.
pub const UNAVAILABLE: ErrorSaid = ErrorSaid {
    error: "UpstreamUnavailable",
    cause: r#"{"errorMessage":"503 from upstream, request {id}","errorType":"UpstreamUnavailable","stackTrace":["at call (/var/task/upstream.js:41:11)"]}"#,
};

/// What the Lambda service says of itself now and then.
const LAMBDA_FAILED: &str = "Lambda encountered an internal error (Service: Lambda; Status Code: 500; Request ID: {id})";

/// An ARN of the simulated account.
pub(super) fn arn(kind: &str, name: &str) -> String {
    format!("arn:aws:states:eu-central-1:123456789012:{kind}:{name}")
}

/// The role of a state machine.
pub(super) fn role(machine: &str) -> String {
    format!("arn:aws:iam::123456789012:role/{machine}")
}

/// `order-fulfilment`, without traffic.
pub fn orders() -> Machine {
    Machine::new("order-fulfilment", ORDER_FULFILMENT, |draw, number| {
        let items: Vec<Value> = (0..=draw.below(3)).map(|_| json!({"sku": format!("SKU-{}", 1_000 + draw.below(400))})).collect();
        let id = format!("ord-{}", 20_000 + number);
        (id.clone(), with_payment(draw, json!({"orderId": id, "items": items})))
    })
}

/// `payment-flow`, started by orders.
pub fn payments() -> Machine {
    Machine::new("payment-flow", PAYMENT_FLOW, |draw, number| {
        let id = format!("pay-{}", 70_000 + number);
        (id.clone(), with_payment(draw, json!({"orderId": id})))
    })
}

fn with_payment(draw: &mut Draw, mut input: Value) -> String {
    let currency = ["EUR", "USD", "GBP", "SEK"][draw.weighted([45.0, 22.0, 18.0, 15.0].into_iter())];
    input["amount"] = json!(5 + draw.below(400));
    input["currency"] = json!(currency);
    input["channel"] = json!(draw.pick(&["web", "app", "partner"]));
    input.to_string()
}

/// `image-batch`, without traffic.
pub fn images() -> Machine {
    Machine::new("image-batch", IMAGE_BATCH, |draw, number| {
        let id = format!("upload-{}", 4_000 + number);
        (id.clone(), json!({"uploadId": id, "bucket": draw.pick(&["uploads", "uploads-partner"])}).to_string())
    })
}

/// `approval-flow`, without traffic.
pub fn approvals() -> Machine {
    Machine::new("approval-flow", APPROVAL_FLOW, |draw, number| {
        let id = format!("req-{}", 300 + number);
        let country = draw.pick(&["DE", "FR", "SE"]);
        (id.clone(), json!({"requestId": id, "amount": 100 + draw.below(9_000), "country": country}).to_string())
    })
}

/// `warehouse-pick`, without traffic.
pub fn picking() -> Machine {
    Machine::new("warehouse-pick", WAREHOUSE_PICK, |draw, number| {
        let id = format!("pick-{}", 8_000 + number);
        (id.clone(), json!({"pickId": id, "aisle": draw.below(40), "express": draw.chance(0.2)}).to_string())
    })
}

/// `report-export`, without traffic.
pub fn exports() -> Machine {
    Machine::new("report-export", REPORT_EXPORT, |draw, number| {
        let id = format!("export-{}", 100 + number);
        (id.clone(), json!({"exportId": id, "format": draw.pick(&["csv", "parquet"])}).to_string())
    })
}

/// The services that these machines call, in good order.
pub fn services() -> Vec<Service> {
    let lambda = |name, median_ms| Service::steady(name, median_ms).failing("Lambda.ServiceException", LAMBDA_FAILED, 0.002);
    let few = r#"{"images":["a.jpg","b.jpg","c.jpg"]}"#;
    let more = r#"{"images":["a.jpg","b.jpg","c.jpg","d.jpg","e.jpg","f.jpg"]}"#;
    vec![
        lambda("order-validate", 120.0).answering(&[(1.0, r#"{"valid":true}"#)]),
        lambda("fraud-score", 420.0).spread(0.5).answering(&[(0.8, r#"{"risk":"low"}"#), (0.2, r#"{"risk":"raised"}"#)]),
        lambda("payment-authorize", 900.0).spread(0.45).answering(&[(1.0, r#"{"code":"A1","approved":true}"#)]),
        lambda("payment-capture", 600.0).spread(0.4).answering(&[(1.0, r#"{"captured":true}"#)]),
        lambda("inventory-release", 200.0),
        lambda("image-list", 150.0).answering(&[(0.6, few), (0.4, more)]),
        lambda("image-resize", 1_400.0).spread(0.4).answering(&[(1.0, r#"{"resized":true}"#)]),
        lambda("warehouse-label", 300.0).answering(&[(1.0, r#"{"label":"printed"}"#)]),
        lambda("export-start", 250.0),
        lambda("export-status", 90.0).answering(&[(0.6, r#"{"status":"RUNNING"}"#), (0.4, r#"{"status":"DONE"}"#)]),
        Service::steady("inventory", 14.0),
        Service::steady("payment-ledger", 12.0),
        Service::steady("payment-failures", 12.0),
        Service::steady("approvals", 12.0),
        Service::steady("orders", 30.0).answering(&[(1.0, r#"{"MessageId":"f7a1"}"#)]),
        Service::steady("image-manifests", 60.0),
    ]
}

/// Those who answer tokens and activities, in good order: the check takes minutes, the manager hours of work, a picker half an hour.
pub fn answerers() -> Vec<Answerer> {
    let manager = Answerer {
        takes: Spread { median_ms: 1.5 * 3_600_000.0, sigma: 0.9 },
        hours: Some(Hours::office(1)),
        answers: vec![(0.9, r#"{"approved":true}"#), (0.1, r#"{"approved":false}"#)],
        ..Answerer::prompt("ManagerApproval", 0.0)
    };
    let picker = Answerer {
        takes: Spread { median_ms: 25.0 * 60_000.0, sigma: 0.5 },
        workers: 4,
        picked_up: Spread { median_ms: 240_000.0, sigma: 0.8 },
        ..Answerer::prompt("PickItems", 0.0)
    };
    let check = Answerer { workers: 3, answers: vec![(1.0, r#"{"score":3}"#)], ..Answerer::prompt("AutomatedCheck", 150_000.0) };
    vec![check, manager, picker]
}

/// A definition without what is there for the eye: a history of JSON Lines holds its definition, and is one line.
pub(super) fn on_one_line(definition: &str) -> String {
    serde_json::from_str::<Value>(definition).map_or_else(|_| definition.to_owned(), |parsed| parsed.to_string())
}

/// A definition with each Retry of these states changed: members of every retrier are set, or taken away by `null`.
pub fn with_retriers(definition: &str, states: &[&str], members: &Value) -> String {
    let Ok(mut parsed) = serde_json::from_str::<Value>(definition) else { return definition.to_owned() };
    change(&mut parsed, states, members);
    parsed.to_string()
}

fn change(value: &mut Value, states: &[&str], members: &Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| change(item, states, members)),
        Value::Object(object) => {
            for (name, inside) in object.iter_mut() {
                if states.contains(&name.as_str())
                    && let Some(retriers) = inside.get_mut("Retry").and_then(Value::as_array_mut)
                {
                    for retrier in retriers {
                        set(retrier, members);
                    }
                }
                change(inside, states, members);
            }
        }
        _ => {}
    }
}

fn set(retrier: &mut Value, members: &Value) {
    let (Some(retrier), Some(members)) = (retrier.as_object_mut(), members.as_object()) else { return };
    for (name, member) in members {
        if member.is_null() {
            retrier.shift_remove(name);
        } else {
            retrier.insert(name.clone(), member.clone());
        }
    }
}
