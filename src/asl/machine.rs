//! A definition compiled to be run: states by number, paths and expressions parsed.
//!
//! Defaults of the language are filled in here, so that whoever runs a state asks no further. States of nested `States` objects
//! (branches, item processors) stand in one list with all others; a [`Block`] says which belong together.

use std::rc::Rc;

use crate::expr::{Jsonata, PathExpression, ReferencePath, Template, Value};

/// Position of a state in [`StateMachine::states`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StateNumber(pub u32);

/// Position of a block in [`StateMachine::blocks`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockNumber(pub u32);

/// A definition, ready to be run.
#[derive(Debug)]
pub struct StateMachine {
    /// Seconds that an execution may take.
    pub timeout_seconds: Option<u64>,
    /// All states.
    pub states: Vec<State>,
    /// All `States` objects; the first is the machine itself.
    pub blocks: Vec<Block>,
    /// The definition as it was given, for histories and child executions.
    pub source: Rc<str>,
}

/// One `States` object: the machine itself, a branch of a Parallel, or what a Map does with each item.
#[derive(Debug)]
pub struct Block {
    /// Where it begins.
    pub start_at: StateNumber,
    /// The Parallel or Map that holds it.
    pub parent: Option<StateNumber>,
}

/// In which language the expressions of a state are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the words of the language")]
pub enum QueryLanguage {
    #[default]
    JsonPath,
    Jsonata,
}

/// One state.
#[derive(Debug)]
pub struct State {
    /// Its name, unique in the definition.
    pub name: Rc<str>,
    /// The `States` object in which it stands.
    pub block: BlockNumber,
    /// The language of its expressions.
    pub language: QueryLanguage,
    /// What it does.
    pub kind: Kind,
    /// Where it leads; [`Transition::End`] for Succeed, Fail and Choice, which lead nowhere by themselves.
    pub next: Transition,
    /// `InputPath`; `None` when it is the default, `$`.
    pub input_path: Option<Selection>,
    /// `OutputPath`; `None` when it is the default, `$`.
    pub output_path: Option<Selection>,
    /// `Parameters` or `Arguments`.
    pub arguments: Option<Template>,
    /// `ResultSelector`.
    pub result_selector: Option<Template>,
    /// `ResultPath`.
    pub result_path: ResultPath,
    /// `Output` (JSONata).
    pub output: Option<Template>,
    /// `Assign`: an object template whose members are the variables.
    pub assign: Option<Template>,
    /// `Retry`, in order.
    pub retry: Vec<Retrier>,
    /// `Catch`, in order.
    pub catch: Vec<Catcher>,
}

/// Where a state leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// To a state of the same block.
    Next(StateNumber),
    /// Out of the block.
    End,
}

/// `InputPath` or `OutputPath`, where it is not the default.
#[derive(Debug)]
pub enum Selection {
    /// `null`: an empty object.
    Nothing,
    /// A path.
    Path(PathExpression),
}

/// Where a result goes.
#[derive(Debug)]
pub enum ResultPath {
    /// `$`: it replaces the input.
    Replace,
    /// `null`: it is thrown away.
    Discard,
    /// Into the input, there.
    Into(ReferencePath),
}

/// A field that holds a literal, or says how to get the value when the state runs.
#[derive(Debug)]
pub enum Setting {
    /// As it stands.
    Literal(Value),
    /// A `…Path` field: a path, or an intrinsic function.
    Path(PathExpression),
    /// `{% … %}`.
    Query(Jsonata),
}

/// What a state does.
#[derive(Debug)]
#[allow(missing_docs, reason = "the words of the language")]
pub enum Kind {
    Pass { result: Option<Value> },
    Task(Box<Task>),
    Choice { rules: Vec<ChoiceRule>, default: Option<StateNumber> },
    Wait(Wait),
    Succeed,
    Fail { error: Option<Setting>, cause: Option<Setting> },
    Parallel { branches: Vec<BlockNumber> },
    Map(Box<Map>),
}

/// What a Task calls, and for how long.
#[derive(Debug)]
pub struct Task {
    /// What is called.
    pub resource: Resource,
    /// `TimeoutSeconds(Path)`.
    pub timeout: Option<Setting>,
    /// `HeartbeatSeconds(Path)`.
    pub heartbeat: Option<Setting>,
    /// `Credentials`: an object template with `RoleArn`.
    pub credentials: Option<Template>,
}

/// The `Resource` of a Task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// As it stands in the definition.
    pub arn: Rc<str>,
    /// What kind of thing it names.
    pub service: Service,
    /// How the service waits for the answer.
    pub pattern: Pattern,
}

/// What a `Resource` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Service {
    /// A Lambda function by its own ARN: the events are `LambdaFunction…`, the result is what it returns.
    Function,
    /// An activity by its own ARN: the events are `Activity…`.
    Activity,
    /// `arn:aws:states:::<resource type>:<action>`, such as `lambda` and `invoke`, `aws-sdk:s3` and `getObject`, `http` and `invoke`.
    /// `resource` is the action with the pattern's suffix, as events have it: `startExecution.sync:2`.
    #[allow(missing_docs, reason = "the members of the events")]
    Integration { resource_type: Rc<str>, resource: Rc<str> },
}

/// How a Task waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// For the answer of the call.
    RequestResponse,
    /// For the job that the call started: `.sync`.
    Sync,
    /// `.sync:2`: the output of a child execution comes as JSON.
    Sync2,
    /// For somebody to return the token: `.waitForTaskToken`.
    WaitForTaskToken,
}

/// One rule of a Choice.
#[derive(Debug)]
pub struct ChoiceRule {
    /// When it holds.
    pub condition: Condition,
    /// Where it leads.
    pub next: StateNumber,
    /// `Assign` of the rule.
    pub assign: Option<Template>,
    /// `Output` of the rule (JSONata).
    pub output: Option<Template>,
}

/// When a rule holds.
#[derive(Debug)]
#[allow(missing_docs, reason = "the words of the language")]
pub enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    /// `Variable` and one comparison.
    Compare {
        variable: PathExpression,
        comparison: Comparison,
    },
    /// JSONata.
    Query(Jsonata),
    /// JSONata, as a literal.
    Literal(bool),
}

/// A comparison operator with what it compares to.
#[derive(Debug)]
#[allow(missing_docs, reason = "the words of the language")]
pub enum Comparison {
    String(Order, Operand),
    Numeric(Order, Operand),
    Timestamp(Order, Operand),
    Boolean(Operand),
    StringMatches(Rc<str>),
    IsNull(bool),
    IsPresent(bool),
    IsString(bool),
    IsNumeric(bool),
    IsBoolean(bool),
    IsTimestamp(bool),
}

/// How two values must stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words of the language")]
pub enum Order {
    Equals,
    LessThan,
    GreaterThan,
    LessThanEquals,
    GreaterThanEquals,
}

/// The right side of a comparison.
#[derive(Debug)]
pub enum Operand {
    /// A literal.
    Literal(Value),
    /// A `…Path` operator.
    Path(PathExpression),
}

/// Until when a Wait waits.
#[derive(Debug)]
#[allow(missing_docs, reason = "the words of the language")]
pub enum Wait {
    Seconds(Setting),
    Timestamp(Setting),
}

/// What a Map does, and for which items.
#[derive(Debug)]
pub struct Map {
    /// What is done with each item.
    pub processor: BlockNumber,
    /// `ItemsPath` (JSONPath); `None` when it is the default, `$`.
    pub items_path: Option<PathExpression>,
    /// `Items` (JSONata): an expression, or an array or object template.
    pub items: Option<Template>,
    /// `ItemSelector`, or the old `Parameters`.
    pub item_selector: Option<Template>,
    /// `MaxConcurrency(Path)`; `None` or 0 is as many as there may be.
    pub max_concurrency: Option<Setting>,
    /// Set when the Map runs distributed.
    pub distributed: Option<Distributed>,
}

/// What only a Distributed Map has.
#[derive(Debug)]
pub struct Distributed {
    /// Whether its children are Express executions.
    pub express: bool,
    /// `Label`.
    pub label: Option<Rc<str>>,
    /// Where the items come from, if not from the input.
    pub reader: Option<ItemReader>,
    /// How items are put together.
    pub batcher: Option<ItemBatcher>,
    /// Where the results go, if not into the output.
    pub writer: Option<ResultWriter>,
    /// `ToleratedFailureCount(Path)`.
    pub tolerated_failure_count: Option<Setting>,
    /// `ToleratedFailurePercentage(Path)`.
    pub tolerated_failure_percentage: Option<Setting>,
}

/// `ItemReader`.
#[derive(Debug)]
pub struct ItemReader {
    /// `arn:aws:states:::s3:getObject` or `…:s3:listObjectsV2`.
    pub resource: Rc<str>,
    /// `Parameters` or `Arguments`: `Bucket`, `Key`, `Prefix` and so on.
    pub arguments: Option<Template>,
    /// `ReaderConfig` as it stands, but for `MaxItems(Path)`.
    pub config: Value,
    /// `MaxItems(Path)`.
    pub max_items: Option<Setting>,
}

/// `ItemBatcher`.
#[derive(Debug)]
pub struct ItemBatcher {
    /// `MaxItemsPerBatch(Path)`.
    pub max_items: Option<Setting>,
    /// `MaxInputBytesPerBatch(Path)`.
    pub max_input_bytes: Option<Setting>,
    /// `BatchInput`.
    pub batch_input: Option<Template>,
}

/// `ResultWriter`.
#[derive(Debug)]
pub struct ResultWriter {
    /// `arn:aws:states:::s3:putObject`; `None` when only a `WriterConfig` is given.
    pub resource: Option<Rc<str>>,
    /// `Parameters` or `Arguments`: `Bucket`, `Prefix`.
    pub arguments: Option<Template>,
    /// `WriterConfig` as it stands.
    pub config: Value,
}

/// One retrier, defaults filled in.
#[derive(Debug)]
pub struct Retrier {
    /// Error names.
    pub error_equals: Vec<Rc<str>>,
    /// Seconds before the first retry.
    pub interval_seconds: u64,
    /// How often it may be used in one visit.
    pub max_attempts: u64,
    /// By how much the wait grows each time.
    pub backoff_rate: f64,
    /// The longest wait in seconds.
    pub max_delay_seconds: Option<u64>,
    /// Whether `JitterStrategy` is `FULL`.
    pub full_jitter: bool,
}

/// One catcher.
#[derive(Debug)]
pub struct Catcher {
    /// Error names.
    pub error_equals: Vec<Rc<str>>,
    /// Where it leads.
    pub next: StateNumber,
    /// `ResultPath` of the error output (JSONPath).
    pub result_path: ResultPath,
    /// `Assign`.
    pub assign: Option<Template>,
    /// `Output` (JSONata).
    pub output: Option<Template>,
}

impl StateMachine {
    /// The state of this number.
    pub fn state(&self, number: StateNumber) -> &State {
        &self.states[number.0 as usize]
    }

    /// The block of this number.
    pub fn block(&self, number: BlockNumber) -> &Block {
        &self.blocks[number.0 as usize]
    }

    /// The state of this name.
    pub fn find(&self, name: &str) -> Option<StateNumber> {
        self.states.iter().zip(0..).find(|(state, _)| &*state.name == name).map(|(_, number)| StateNumber(number))
    }
}
