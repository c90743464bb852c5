//! Paths where a field of a state takes one: `$.a`, `$$.Execution.Id`, `$variable.b`, `States.Format(…)`.
//!
//! Errors are those of the service, which wraps the words of its path library. Which wrapping depends on who asks:
//!
//! | who asks                                   | method          | text                                                                  |
//! |--------------------------------------------|-----------------|-----------------------------------------------------------------------|
//! | `InputPath`, `OutputPath`, `TimeoutSeconds…` | `evaluate`      | `Invalid path '$.x' : No results for path: $['x']`                    |
//! | a member of a template, `ErrorPath`, …     | `evaluate_for`  | `The JSONPath '$.x' specified for the field 'f.$' could not be found …` |
//! | an argument of an intrinsic function       | (either)        | `The function 'States.…' had the following error: …`                  |
//! | `ItemsPath`                                | `evaluate_items` | `Unable to apply step "x" to input {…}`                               |

mod filter;
mod function;
pub(super) mod parse;
mod select;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use super::intrinsic::Call;
use super::{EvaluationError, Scope, SyntaxError, Value};
use select::Step;
pub(super) use select::{JsonPath, Miss};

/// A parsed path or call of an intrinsic function.
#[derive(Debug, Clone)]
pub struct PathExpression {
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Path(Lookup),
    Call(Rc<Call>),
}

/// A path with what it starts from.
#[derive(Debug, Clone)]
pub(super) struct Lookup {
    text: Rc<str>,
    source: Source,
    path: JsonPath,
}

/// What a path starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    /// `$`
    Input,
    /// `$$`
    Context,
    /// `$name`
    Variable(Rc<str>),
}

/// One step of a place, for those who write to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PlaceStep {
    Member(Rc<str>),
    Item(usize),
}

impl PathExpression {
    /// Parses a path into the input (`$`), the context object (`$$`) or a variable (`$name`), or an intrinsic function.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let kind = if text.starts_with("States.") { Kind::Call(Rc::new(Call::parse(text)?)) } else { Kind::Path(parse::lookup(text)?) };
        Ok(Self { kind })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        match &self.kind {
            Kind::Path(lookup) => &lookup.text,
            Kind::Call(call) => call.text(),
        }
    }

    /// Whether it is the call of an intrinsic function.
    pub fn is_call(&self) -> bool {
        matches!(self.kind, Kind::Call(_))
    }

    /// Whether it gives an array of whatever it finds, rather than one value.
    pub fn is_indefinite(&self) -> bool {
        matches!(&self.kind, Kind::Path(lookup) if !lookup.path.is_definite())
    }

    /// Whether it is a path that names a single place: names and indices only.
    pub fn is_reference(&self) -> bool {
        matches!(&self.kind, Kind::Path(lookup) if lookup.path.is_place())
    }

    /// The variables that it names, without `$`, in order.
    pub fn variables(&self) -> Vec<&str> {
        match &self.kind {
            Kind::Path(lookup) => lookup.variable().into_iter().collect(),
            Kind::Call(call) => call.lookups().into_iter().filter_map(Lookup::variable).collect(),
        }
    }

    /// The value. A definite path that finds nothing is a `States.Runtime`, an indefinite one gives an array.
    pub fn evaluate(&self, scope: Scope<'_>) -> Result<Value, EvaluationError> {
        match &self.kind {
            Kind::Path(lookup) => lookup.get(scope).map_err(|trouble| lookup.invalid_path(&trouble)),
            Kind::Call(call) => call.evaluate(scope),
        }
    }

    /// The value for a field whose error text names it, such as `ErrorPath`, or `name.$` of a template.
    pub fn evaluate_for(&self, scope: Scope<'_>, field: &str) -> Result<Value, EvaluationError> {
        match &self.kind {
            Kind::Path(lookup) => lookup.get(scope).or_else(|trouble| lookup.absent_for(&trouble, scope, field)),
            Kind::Call(call) => call.evaluate(scope),
        }
    }

    /// The value for `ItemsPath`, which the service reads as a reference path.
    pub fn evaluate_items(&self, scope: Scope<'_>) -> Result<Value, EvaluationError> {
        match &self.kind {
            Kind::Path(lookup) => lookup.get(scope).map_err(|trouble| lookup.unable_to_apply(&trouble, scope)),
            Kind::Call(call) => call.evaluate(scope),
        }
    }

    /// The value; `None` where the path finds nothing. For `IsPresent`, and for fields whose error text is their own.
    pub fn find(&self, scope: Scope<'_>) -> Result<Option<Value>, EvaluationError> {
        match &self.kind {
            Kind::Path(lookup) => match lookup.get(scope) {
                Ok(value) => Ok(Some(value)),
                Err(trouble @ Trouble::Missed(Miss::TooCostly)) => Err(lookup.invalid_path(&trouble)),
                Err(Trouble::NullInput) if lookup.path.is_root() => Ok(Some(Value::Null)),
                Err(_) => Ok(None),
            },
            Kind::Call(call) => call.evaluate(scope).map(Some),
        }
    }

    /// The value where it stands, for a path that names a single place in the input and finds it there; `None` says nothing.
    #[inline]
    pub fn peek<'a>(&self, scope: Scope<'a>) -> Option<&'a Value> {
        match &self.kind {
            Kind::Path(lookup) if lookup.source == Source::Input && lookup.path.is_place() && !matches!(scope.input, Value::Null) => {
                lookup.path.place(scope.input)
            }
            _ => None,
        }
    }
}

/// Why a path gave nothing.
pub(super) enum Trouble {
    Missed(Miss),
    /// `$…` was asked of an input that is null.
    NullInput,
    /// The variable is not assigned.
    NoVariable,
}

impl Lookup {
    /// As the service repeats it in some errors: without the second `$` of a path into the context object.
    pub(super) fn text_in_errors(&self) -> &str {
        if self.source == Source::Context { &self.text[1..] } else { &self.text }
    }

    fn variable(&self) -> Option<&str> {
        if let Source::Variable(name) = &self.source { Some(name) } else { None }
    }

    /// The steps, for a path that names a single place in the input, none of them counted from the end.
    pub(super) fn place_steps(&self) -> Option<Vec<PlaceStep>> {
        if self.source != Source::Input || !self.path.is_place() {
            return None;
        }
        let place_step = |step: &Step| match step {
            Step::Member(name) => Some(PlaceStep::Member(Rc::clone(name))),
            Step::Index(index) => usize::try_from(*index).ok().map(PlaceStep::Item),
            _ => None,
        };
        self.path.steps().iter().map(place_step).collect()
    }

    /// The value.
    #[inline]
    pub(super) fn get(&self, scope: Scope<'_>) -> Result<Value, Trouble> {
        match &self.source {
            Source::Input if matches!(scope.input, Value::Null) => Err(Trouble::NullInput),
            Source::Input => self.path.evaluate(scope.input).map_err(Trouble::Missed),
            _ => self.path.evaluate(&self.root(scope).ok_or(Trouble::NoVariable)?).map_err(Trouble::Missed),
        }
    }

    /// What the path starts from, if there is such a thing.
    fn root(&self, scope: Scope<'_>) -> Option<Value> {
        match &self.source {
            Source::Input => Some(scope.input.clone()),
            Source::Context => Some(scope.around.context()),
            Source::Variable(name) => scope.around.variable(name),
        }
    }

    /// What the path library says.
    pub(super) fn words(&self, trouble: &Trouble) -> String {
        match trouble {
            Trouble::Missed(miss) => self.path.words(miss),
            Trouble::NullInput => "Unable to apply Path transformation to null or empty input.".to_owned(),
            Trouble::NoVariable => format!("The variable '${}' is not assigned.", self.variable().unwrap_or_default()),
        }
    }

    fn invalid_path(&self, trouble: &Trouble) -> EvaluationError {
        let words = self.words(trouble);
        match trouble {
            Trouble::Missed(_) => EvaluationError::runtime(format!("Invalid path '{}' : {words}", self.text)),
            Trouble::NullInput | Trouble::NoVariable => EvaluationError::runtime(words),
        }
    }

    /// In a template an index beyond the end of an array gives null; what else is not there is an error.
    fn absent_for(&self, trouble: &Trouble, scope: Scope<'_>, field: &str) -> Result<Value, EvaluationError> {
        match trouble {
            Trouble::Missed(Miss::Leaf { past_the_end: true }) => Ok(Value::Null),
            Trouble::Missed(Miss::Leaf { .. } | Miss::Member { .. } | Miss::NoObject { .. } | Miss::NullArray { .. }) => {
                let input = self.root(scope).unwrap_or_default().to_json();
                Err(EvaluationError::runtime(format!(
                    "The JSONPath '{}' specified for the field '{field}' could not be found in the input '{input}'",
                    self.text
                )))
            }
            _ => Err(self.invalid_path(trouble)),
        }
    }

    fn unable_to_apply(&self, trouble: &Trouble, scope: Scope<'_>) -> EvaluationError {
        let step = match trouble {
            Trouble::Missed(Miss::Leaf { .. }) => self.path.steps().last(),
            Trouble::Missed(Miss::Member { step } | Miss::NoObject { step, .. } | Miss::NullArray { step }) => self.path.steps().get(*step),
            _ => None,
        };
        let step = match step {
            Some(Step::Member(name)) => name.to_string(),
            Some(step) => step.to_string(),
            None => return self.invalid_path(trouble),
        };
        let input = self.root(scope).unwrap_or_default().to_json();
        EvaluationError {
            error: "States.ReferencePathConflict",
            cause: format!("Unable to apply step \"{step}\" to input {input}"),
            location: None,
        }
    }
}
