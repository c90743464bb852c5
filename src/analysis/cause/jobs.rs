//! Causes that are the description of a job: of ECS, Batch, Glue and other services that a `.sync` task waits for.

use serde_json::{Map, Value};

use super::super::why::DecodedCause;
use super::object::{member, text};

/// How many containers are told of.
const MOST_CONTAINERS: usize = 5;

/// Reads the description of a job, if it is one.
pub(super) fn read(object: &Map<String, Value>, found: &mut DecodedCause) -> bool {
    ecs_task(object, found) || batch_job(object, found) || glue_run(object, found)
}

fn ecs_task(object: &Map<String, Value>, found: &mut DecodedCause) -> bool {
    let reason = text(object, &["StoppedReason", "stoppedReason"]);
    let code = text(object, &["StopCode", "stopCode"]);
    if reason.is_none() && code.is_none() {
        return false;
    }
    let containers = member(object, &["Containers", "containers"]).and_then(Value::as_array);
    let failed = containers.into_iter().flatten().filter_map(Value::as_object).filter_map(container);
    let parts: Vec<String> = reason.into_iter().chain(failed.take(MOST_CONTAINERS)).collect();
    found.message = (!parts.is_empty()).then(|| parts.join("; "));
    found.error_code = code;
    found.service.get_or_insert_with(|| "ECS".to_owned());
    true
}

/// `container app: exit code 137, OutOfMemoryError: …`; `None` for one that ended well and says nothing.
fn container(object: &Map<String, Value>) -> Option<String> {
    let exit_code = member(object, &["ExitCode", "exitCode"]).and_then(Value::as_i64);
    let reason = text(object, &["Reason", "reason"]);
    if reason.is_none() && exit_code.is_none_or(|code| code == 0) {
        return None;
    }
    let name = text(object, &["Name", "name"]).map_or_else(|| "container".to_owned(), |name| format!("container {name}"));
    let said: Vec<String> = exit_code.map(|code| format!("exit code {code}")).into_iter().chain(reason).collect();
    Some(format!("{name}: {}", said.join(", ")))
}

fn batch_job(object: &Map<String, Value>, found: &mut DecodedCause) -> bool {
    let is_job = member(object, &["JobId", "jobId"]).is_some() && member(object, &["JobQueue", "jobQueue", "StatusReason"]).is_some();
    if !is_job {
        return false;
    }
    let last_attempt = member(object, &["Attempts", "attempts"]).and_then(Value::as_array).and_then(|attempts| attempts.last());
    let of_attempt = last_attempt.and_then(|attempt| member(attempt.as_object()?, &["Container", "container"]));
    let of_job = member(object, &["Container", "container"]);
    let container = of_attempt.or(of_job).and_then(Value::as_object).and_then(container);
    let parts: Vec<String> = text(object, &["StatusReason", "statusReason"]).into_iter().chain(container).collect();
    found.message = (!parts.is_empty()).then(|| parts.join("; "));
    found.error_code = text(object, &["Status", "status"]);
    found.service.get_or_insert_with(|| "Batch".to_owned());
    true
}

fn glue_run(object: &Map<String, Value>, found: &mut DecodedCause) -> bool {
    let Some(state) = text(object, &["JobRunState"]) else { return false };
    found.message = text(object, &["ErrorMessage"]);
    found.error_code = Some(state);
    found.service.get_or_insert_with(|| "Glue".to_owned());
    true
}
