//! The context object of a state under test: the one of the request, or one made up.

use super::refusal::Refusal;
use super::request::Request;
use crate::asl::machine::{Kind, Pattern, State};
use crate::expr::{Object, Surroundings, Value};
use crate::interpreter::context::iso_time;
use crate::interpreter::luck::Luck;
use crate::interpreter::thread::has_token;
use crate::model::Timestamp;

/// How the service calls a state under test, whatever its name in the definition.
pub(super) const STATE: &str = "StateName";
const ACCOUNT: &str = "111111111111";

/// What a member of the context object may hold.
#[derive(Debug, Clone, Copy)]
enum Allowed {
    Text,
    Number,
    Anything,
    Members(&'static [(&'static str, Allowed)]),
}

const CONTEXT: &[(&str, Allowed)] = &[
    (
        "Execution",
        Allowed::Members(&[
            ("Id", Allowed::Text),
            ("Input", Allowed::Anything),
            ("Name", Allowed::Text),
            ("RoleArn", Allowed::Text),
            ("StartTime", Allowed::Text),
            ("RedriveCount", Allowed::Number),
            ("RedriveTime", Allowed::Text),
        ]),
    ),
    ("State", Allowed::Members(&[("EnteredTime", Allowed::Text), ("Name", Allowed::Text), ("RetryCount", Allowed::Number)])),
    ("StateMachine", Allowed::Members(&[("Id", Allowed::Text), ("Name", Allowed::Text)])),
    ("Task", Allowed::Members(&[("Token", Allowed::Text)])),
    (
        "Map",
        Allowed::Members(&[(
            "Item",
            Allowed::Members(&[
                ("Index", Allowed::Number),
                ("Value", Allowed::Anything),
                ("Key", Allowed::Text),
                ("Source", Allowed::Text),
            ]),
        )]),
    ),
];

/// The context object that expressions see: the request's as it stands, else a made-up one.
pub(super) fn context(request: &Request, state: &State, input: &Value) -> Result<Value, Refusal> {
    let Some(text) = &request.context else {
        return Ok(made_up(request, state, input));
    };
    if request.mock.is_none() {
        return Err(Refusal::validation("Context can only be specified when a mock is specified"));
    }
    let refused = |why: String| Refusal::Validation(format!("Invalid Context object provided: {why}"));
    let context = Value::parse(text).map_err(|error| refused(format!("Context object must be valid JSON: {error}")))?;
    let Some(members) = context.as_object() else {
        return Err(refused("Context object must be a JSON object".to_owned()));
    };
    check(members, CONTEXT).map_err(refused)?;
    if members.contains("Task") && !may_have_task(state) {
        return Err(refused(
            "Context object contains 'Task' when state is not a Task state with a '.sync' or '.waitForTaskToken' service integration pattern"
                .to_owned(),
        ));
    }
    Ok(context)
}

fn check(members: &Object, allowed: &[(&str, Allowed)]) -> Result<(), String> {
    members.iter().try_for_each(|(name, value)| {
        let Some((_, allowed)) = allowed.iter().find(|(known, _)| *known == &**name) else {
            return Err(format!("Field '{name}' is not allowed"));
        };
        let wanted = match (allowed, value) {
            (Allowed::Anything, _) | (Allowed::Text, Value::String(_)) | (Allowed::Number, Value::Number(_)) => return Ok(()),
            (Allowed::Members(allowed), Value::Object(members)) => return check(members, allowed),
            (Allowed::Text, _) => "a string",
            (Allowed::Number, _) => "a number",
            (Allowed::Members(_), _) => "an object",
        };
        Err(format!("Field '{name}' must be {wanted}"))
    })
}

fn may_have_task(state: &State) -> bool {
    matches!(&state.kind, Kind::Task(task) if task.resource.pattern != Pattern::RequestResponse)
}

/// The service runs the state as an Express execution without a state machine. A request without mock needs a role for Tasks only,
/// and has none where it gives none; with a mock a role is made up, too.
fn made_up(request: &Request, state: &State, input: &Value) -> Value {
    let name = "00000000-0000-4000-8000-000000000000";
    let machine = "TestState";
    let at = Value::from(iso_time(request.now));
    let role = match &request.role_arn {
        Some(role) => Value::from(role.as_str()),
        None if request.mock.is_some() => Value::from(format!("arn:aws:iam::{ACCOUNT}:role/TestState")),
        None => Value::Null,
    };
    let execution = Value::object([
        ("Id", Value::from(format!("arn:aws:states:us-east-1:{ACCOUNT}:express:{machine}:{name}"))),
        ("Input", input.clone()),
        ("Name", Value::from(name)),
        ("RoleArn", role),
        ("StartTime", at.clone()),
    ]);
    let machine = Value::object([
        ("Id", Value::from(format!("arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:{machine}"))),
        ("Name", Value::from(machine)),
    ]);
    let mut entered: Object = [("Name", Value::from(STATE)), ("EnteredTime", at)].into_iter().collect();
    if matches!(state.kind, Kind::Task(_) | Kind::Map(_) | Kind::Parallel { .. }) {
        entered.insert("RetryCount", 0);
    }
    let token = has_token(state).then(|| ("Task", Value::object([("Token", Value::from("TestStateTaskToken"))])));
    Value::object([("Execution", execution), ("StateMachine", machine), ("State", Value::from(entered))].into_iter().chain(token))
}

/// What the expressions of the state see beside their input.
pub(super) struct Sight {
    /// The context object.
    pub context: Value,
    /// The variables of the request.
    pub variables: Object,
    /// Randomness.
    pub luck: Luck,
    /// The moment of the test.
    pub now: Timestamp,
}

impl Surroundings for Sight {
    fn context(&self) -> Value {
        self.context.clone()
    }

    fn variable(&self, name: &str) -> Option<Value> {
        self.variables.get(name).cloned()
    }

    fn random(&self) -> f64 {
        self.luck.number()
    }

    fn uuid(&self) -> String {
        self.luck.uuid()
    }

    fn now(&self) -> i64 {
        self.now.as_millisecond()
    }
}
