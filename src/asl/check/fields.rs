//! Which field may stand where.
//!
//! A field of the other query language is told apart from one that nobody knows.

use super::super::machine::QueryLanguage;
use super::Checker;
use super::expressions::Sight;
use super::name_of;
use super::spot::Spot;

/// What kind of value a field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape {
    /// Anything, also a path: it is data.
    Data,
    /// Looked at by whoever knows the field.
    Own,
    Text,
    Boolean,
    Object,
    Array,
    /// An integer as it stands.
    Integer(u64, u64),
    /// An integer, or JSONata that gives one.
    Count(u64, u64),
    /// A number, or JSONata that gives one.
    Share(f64, f64),
    /// A number of at least 1.
    Rate,
    OneOf(&'static [&'static str]),
    /// A text, or JSONata that gives one.
    Message,
    /// A time as in RFC 3339, or JSONata that gives one.
    Timestamp,
    /// A boolean, or JSONata that gives one.
    Condition,
    /// An array or object, or JSONata that gives one.
    Items,
    /// A path, or null.
    Selection,
    /// A path.
    Path,
    /// A path to one place.
    Reference,
    /// A path into the input to one place, or null.
    Target,
    /// A path, or an intrinsic function that gives a text.
    MessagePath,
    /// Any value with expressions in it.
    Template,
    /// An object with expressions in it.
    ObjectTemplate,
}

/// A field of an object of the language.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    /// `None` for both.
    pub(super) language: Option<QueryLanguage>,
    pub(super) shape: Shape,
}

const fn both(name: &'static str, shape: Shape) -> Field {
    Field { name, language: None, shape }
}

const fn path(name: &'static str, shape: Shape) -> Field {
    Field { name, language: Some(QueryLanguage::JsonPath), shape }
}

const fn query(name: &'static str, shape: Shape) -> Field {
    Field { name, language: Some(QueryLanguage::Jsonata), shape }
}

/// The most that the service takes for seconds and attempts.
const MOST: u64 = 99_999_999;
/// The most that the language takes for a timeout.
const LONGEST_TIMEOUT: u64 = MOST - 1;

pub(super) const LANGUAGES: &[&str] = &["JSONPath", "JSONata"];

pub(super) const MACHINE: &[Field] = &[
    both("Comment", Shape::Text),
    both("StartAt", Shape::Text),
    both("States", Shape::Object),
    both("Version", Shape::Text),
    both("TimeoutSeconds", Shape::Integer(1, LONGEST_TIMEOUT)),
    both("QueryLanguage", Shape::OneOf(LANGUAGES)),
];

pub(super) const BRANCH: &[Field] = &[both("Comment", Shape::Text), both("StartAt", Shape::Text), both("States", Shape::Object)];

pub(super) const PROCESSOR: &[Field] =
    &[both("Comment", Shape::Text), both("StartAt", Shape::Text), both("States", Shape::Object), both("ProcessorConfig", Shape::Object)];

pub(super) const PROCESSOR_CONFIG: &[Field] =
    &[both("Mode", Shape::OneOf(&["INLINE", "DISTRIBUTED"])), both("ExecutionType", Shape::OneOf(&["STANDARD", "EXPRESS"]))];

/// Fields of every state.
const STATE: &[Field] = &[both("Type", Shape::Own), both("Comment", Shape::Text), both("QueryLanguage", Shape::OneOf(LANGUAGES))];
/// Fields of states that lead somewhere by themselves.
const TRANSITION: &[Field] = &[both("Next", Shape::Text), both("End", Shape::Boolean)];
/// Fields of all but Fail.
const DATA_FLOW: &[Field] = &[path("InputPath", Shape::Selection), path("OutputPath", Shape::Selection), query("Output", Shape::Template)];
const ASSIGN: &[Field] = &[both("Assign", Shape::Own)];
const RETRY_AND_CATCH: &[Field] = &[both("Retry", Shape::Array), both("Catch", Shape::Array)];

const PASS: &[Field] = &[path("Parameters", Shape::Template), path("Result", Shape::Data), path("ResultPath", Shape::Target)];

const TASK: &[Field] = &[
    both("Resource", Shape::Text),
    path("Parameters", Shape::Template),
    query("Arguments", Shape::Template),
    path("ResultSelector", Shape::Template),
    path("ResultPath", Shape::Target),
    both("TimeoutSeconds", Shape::Count(1, LONGEST_TIMEOUT)),
    path("TimeoutSecondsPath", Shape::Reference),
    both("HeartbeatSeconds", Shape::Count(1, LONGEST_TIMEOUT)),
    path("HeartbeatSecondsPath", Shape::Reference),
    both("Credentials", Shape::Own),
];

const CHOICE: &[Field] = &[both("Choices", Shape::Array), both("Default", Shape::Text)];

const WAIT: &[Field] = &[
    both("Seconds", Shape::Count(0, MOST)),
    path("SecondsPath", Shape::Reference),
    both("Timestamp", Shape::Timestamp),
    path("TimestampPath", Shape::Reference),
];

const FAIL: &[Field] = &[
    both("Error", Shape::Message),
    path("ErrorPath", Shape::MessagePath),
    both("Cause", Shape::Message),
    path("CausePath", Shape::MessagePath),
];

const PARALLEL: &[Field] = &[
    both("Branches", Shape::Array),
    path("Parameters", Shape::Template),
    query("Arguments", Shape::Template),
    path("ResultSelector", Shape::Template),
    path("ResultPath", Shape::Target),
];

const MAP: &[Field] = &[
    both("ItemProcessor", Shape::Object),
    both("Iterator", Shape::Object),
    path("ItemsPath", Shape::Reference),
    query("Items", Shape::Items),
    both("ItemSelector", Shape::ObjectTemplate),
    path("Parameters", Shape::Template),
    path("ResultSelector", Shape::Template),
    path("ResultPath", Shape::Target),
    both("MaxConcurrency", Shape::Count(0, i32::MAX as u64)),
    path("MaxConcurrencyPath", Shape::Reference),
    both("ItemReader", Shape::Object),
    both("ItemBatcher", Shape::Object),
    both("ResultWriter", Shape::Object),
    both("ToleratedFailureCount", Shape::Count(0, i32::MAX as u64)),
    path("ToleratedFailureCountPath", Shape::Reference),
    both("ToleratedFailurePercentage", Shape::Share(0.0, 100.0)),
    path("ToleratedFailurePercentagePath", Shape::Reference),
    both("Label", Shape::Own),
];

/// The types of states, in the order in which the service names them.
pub(super) const TYPES: &[&str] = &["Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map"];

/// The tables that hold the fields of a type of state.
pub(super) fn of_state(state_type: &str) -> Option<&'static [&'static [Field]]> {
    Some(match state_type {
        "Pass" => &[STATE, TRANSITION, DATA_FLOW, ASSIGN, PASS],
        "Task" => &[STATE, TRANSITION, DATA_FLOW, ASSIGN, RETRY_AND_CATCH, TASK],
        "Choice" => &[STATE, DATA_FLOW, ASSIGN, CHOICE],
        "Wait" => &[STATE, TRANSITION, DATA_FLOW, ASSIGN, WAIT],
        "Succeed" => &[STATE, DATA_FLOW],
        "Fail" => &[STATE, FAIL],
        "Parallel" => &[STATE, TRANSITION, DATA_FLOW, ASSIGN, RETRY_AND_CATCH, PARALLEL],
        "Map" => &[STATE, TRANSITION, DATA_FLOW, ASSIGN, RETRY_AND_CATCH, MAP],
        _ => return None,
    })
}

pub(super) const RETRIER: &[Field] = &[
    both("ErrorEquals", Shape::Own),
    both("IntervalSeconds", Shape::Integer(1, MOST)),
    both("MaxAttempts", Shape::Integer(0, MOST)),
    both("BackoffRate", Shape::Rate),
    both("MaxDelaySeconds", Shape::Integer(1, 31_622_400)),
    both("JitterStrategy", Shape::OneOf(&["FULL", "NONE"])),
    both("Comment", Shape::Text),
];

pub(super) const CATCHER: &[Field] = &[
    both("ErrorEquals", Shape::Own),
    both("Next", Shape::Text),
    path("ResultPath", Shape::Target),
    query("Output", Shape::Template),
    both("Assign", Shape::Own),
    both("Comment", Shape::Text),
];

/// Fields of a rule of a Choice, beside the comparisons of JSONPath.
pub(super) const RULE: &[Field] = &[
    both("Next", Shape::Text),
    both("Comment", Shape::Text),
    both("Assign", Shape::Own),
    query("Output", Shape::Template),
    query("Condition", Shape::Condition),
];

pub(super) const ITEM_READER: &[Field] = &[
    both("Resource", Shape::Text),
    path("Parameters", Shape::Template),
    query("Arguments", Shape::Template),
    both("ReaderConfig", Shape::Object),
];

pub(super) const READER_CONFIG: &[Field] = &[
    both("InputType", Shape::OneOf(&["CSV", "JSON", "JSONL", "PARQUET", "MANIFEST"])),
    both("ManifestType", Shape::OneOf(&["ATHENA_DATA", "S3_INVENTORY"])),
    both("CSVHeaderLocation", Shape::OneOf(&["FIRST_ROW", "GIVEN"])),
    both("CSVHeaders", Shape::Array),
    both("CSVDelimiter", Shape::OneOf(&["COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"])),
    both("MaxItems", Shape::Count(0, u64::MAX)),
    path("MaxItemsPath", Shape::Reference),
    both("ItemsPointer", Shape::Text),
    both("Transformation", Shape::OneOf(&["NONE", "LOAD_AND_FLATTEN"])),
];

pub(super) const ITEM_BATCHER: &[Field] = &[
    both("MaxItemsPerBatch", Shape::Count(1, i32::MAX as u64)),
    path("MaxItemsPerBatchPath", Shape::Reference),
    both("MaxInputBytesPerBatch", Shape::Count(1, 262_144)),
    path("MaxInputBytesPerBatchPath", Shape::Reference),
    both("BatchInput", Shape::Template),
];

pub(super) const RESULT_WRITER: &[Field] = &[
    both("Resource", Shape::Text),
    path("Parameters", Shape::Template),
    query("Arguments", Shape::Template),
    both("WriterConfig", Shape::Object),
];

pub(super) const WRITER_CONFIG: &[Field] =
    &[both("Transformation", Shape::OneOf(&["NONE", "COMPACT", "FLATTEN"])), both("OutputType", Shape::OneOf(&["JSON", "JSONL"]))];

impl<'s> Checker<'s> {
    /// Every member of an object: whether it may stand there, and holds what it should.
    pub(super) fn fields(&mut self, object: &Spot<'_, 's>, tables: &[&[Field]], sight: Sight) {
        for member in object.node.members() {
            let mut known = tables.iter().flat_map(|table| table.iter()).filter(|field| field.name == member.name);
            let Some(field) = known.next() else {
                self.error(&object.marking(member.name_span), format!("Field '{}' is not supported", member.name));
                continue;
            };
            match field.language {
                Some(wanted) if wanted != sight.language => {
                    let message = wrong_language(&member.name, wanted, sight.language);
                    self.error(&object.marking(member.name_span), message);
                }
                _ => {
                    let sight = if matches!(field.name, "Output" | "Assign") { sight } else { Sight::plain(sight.language) };
                    self.shape(&object.of(member), field.shape, sight);
                }
            }
        }
    }

    /// The members that an object must have.
    pub(super) fn required(&mut self, object: &Spot<'_, 's>, names: &[&str]) {
        let missing: Vec<&str> = names.iter().copied().filter(|name| object.node.get(name).is_none()).collect();
        if !missing.is_empty() {
            self.error(object, format!("These fields are required: [{}]", missing.join(", ")));
        }
    }

    /// At most one of these members.
    pub(super) fn only_one(&mut self, object: &Spot<'_, 's>, names: &[&str]) {
        let there: Vec<&str> = names.iter().copied().filter(|name| object.node.get(name).is_some()).collect();
        if let [_, second, ..] = there.as_slice()
            && let Some(second) = object.node.member(second)
        {
            let message = format!("Only one of these fields may be given: [{}]", there.join(", "));
            self.error(&object.marking(second.name_span), message);
        }
    }

    /// Exactly one of these members.
    pub(super) fn exactly_one(&mut self, object: &Spot<'_, 's>, names: &[&str]) {
        if names.iter().any(|name| object.node.get(name).is_some()) {
            self.only_one(object, names);
        } else {
            self.error(object, format!("One of these fields is required: [{}]", names.join(", ")));
        }
    }
}

pub(super) fn wrong_language(field: &str, wanted: QueryLanguage, set: QueryLanguage) -> String {
    let (wanted, set) = (name_of(wanted), name_of(set));
    format!("The QueryLanguage is set to '{set}', but field '{field}' is only supported for the '{wanted}' QueryLanguage")
}

/// Comparisons of a rule, and what joins rules.
pub(super) const COMPARISON: &[Field] = &[
    path("Variable", Shape::Path),
    path("And", Shape::Array),
    path("Or", Shape::Array),
    path("Not", Shape::Object),
    path("StringEquals", Shape::Text),
    path("StringLessThan", Shape::Text),
    path("StringGreaterThan", Shape::Text),
    path("StringLessThanEquals", Shape::Text),
    path("StringGreaterThanEquals", Shape::Text),
    path("StringMatches", Shape::Text),
    path("NumericEquals", NUMBER),
    path("NumericLessThan", NUMBER),
    path("NumericGreaterThan", NUMBER),
    path("NumericLessThanEquals", NUMBER),
    path("NumericGreaterThanEquals", NUMBER),
    path("BooleanEquals", Shape::Boolean),
    path("TimestampEquals", Shape::Timestamp),
    path("TimestampLessThan", Shape::Timestamp),
    path("TimestampGreaterThan", Shape::Timestamp),
    path("TimestampLessThanEquals", Shape::Timestamp),
    path("TimestampGreaterThanEquals", Shape::Timestamp),
    path("StringEqualsPath", Shape::Reference),
    path("StringLessThanPath", Shape::Reference),
    path("StringGreaterThanPath", Shape::Reference),
    path("StringLessThanEqualsPath", Shape::Reference),
    path("StringGreaterThanEqualsPath", Shape::Reference),
    path("NumericEqualsPath", Shape::Reference),
    path("NumericLessThanPath", Shape::Reference),
    path("NumericGreaterThanPath", Shape::Reference),
    path("NumericLessThanEqualsPath", Shape::Reference),
    path("NumericGreaterThanEqualsPath", Shape::Reference),
    path("BooleanEqualsPath", Shape::Reference),
    path("TimestampEqualsPath", Shape::Reference),
    path("TimestampLessThanPath", Shape::Reference),
    path("TimestampGreaterThanPath", Shape::Reference),
    path("TimestampLessThanEqualsPath", Shape::Reference),
    path("TimestampGreaterThanEqualsPath", Shape::Reference),
    path("IsNull", Shape::Boolean),
    path("IsPresent", Shape::Boolean),
    path("IsString", Shape::Boolean),
    path("IsNumeric", Shape::Boolean),
    path("IsBoolean", Shape::Boolean),
    path("IsTimestamp", Shape::Boolean),
];

const NUMBER: Shape = Shape::Share(f64::MIN, f64::MAX);

/// What a rule inside And, Or or Not may have beside a comparison.
pub(super) const NESTED_RULE: &[Field] = &[both("Comment", Shape::Text)];
