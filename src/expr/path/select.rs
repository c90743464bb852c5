//! Walks a value along a path.
//!
//! A path is *definite* when it names one place at most: it gives that value, or none. Any other gives an array of what it finds.
//! As long as a path is definite, what does not fit is an error in the service's words; behind `*`, `..`, a filter or a slice, what does
//! not fit is passed over.

use std::fmt::Write as _;
use std::rc::Rc;

use super::filter::Filter;
use super::function::Function;
use crate::expr::{Object, Value, java};

/// How many values one evaluation may look at. A path over 256 KiB of JSON without `..` in `..` needs far fewer.
const VISITS: u32 = 2_000_000;

/// A parsed JSONPath, without the `$` or `@` in front.
#[derive(Debug, Clone)]
pub(in crate::expr) struct JsonPath {
    steps: Vec<Step>,
    function: Option<Function>,
    kind: Kind,
}

/// What a path may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A value that stands in the document: names and single indices only.
    Place,
    /// One value at most, that is put together.
    One,
    /// An array.
    Many,
}

/// One step of a path.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Member(Rc<str>),
    Members(Vec<Rc<str>>),
    Index(i64),
    Indexes(Vec<i64>),
    Slice {
        from: Option<i64>,
        to: Option<i64>,
    },
    Wildcard,
    /// `..`: the next step is taken from here and from everything below.
    Descend,
    Filter(Rc<Filter>),
}

/// Why a path gave nothing. `step` is the position of the step that did not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::expr) enum Miss {
    /// The last step found nothing.
    Leaf { past_the_end: bool },
    /// A member on the way is not there.
    Member { step: usize },
    /// A member was asked of something else than an object.
    NoObject { step: usize, class: &'static str },
    /// An item was asked of null.
    NullArray { step: usize },
    /// The step cannot be applied to what stands there.
    Inapplicable(String),
    /// The limit was reached.
    TooCostly,
}

impl JsonPath {
    pub(super) fn new(steps: Vec<Step>, function: Option<Function>) -> Self {
        let place = steps.iter().all(|step| matches!(step, Step::Member(_) | Step::Index(_)));
        let merged = || {
            let (last, way) = steps.split_last()?;
            let way_is_definite = way.iter().all(|step| matches!(step, Step::Member(_) | Step::Index(_)));
            (way_is_definite && matches!(last, Step::Members(_))).then_some(())
        };
        let kind = match (place, function.is_some()) {
            (true, false) => Kind::Place,
            (true, true) => Kind::One,
            _ if merged().is_some() => Kind::One,
            _ => Kind::Many,
        };
        Self { steps, function, kind }
    }

    /// Whether it names one place at most.
    pub(in crate::expr) fn is_definite(&self) -> bool {
        self.kind != Kind::Many
    }

    /// Whether it names a place in the document that can be written to, or read without a copy.
    pub(in crate::expr) fn is_place(&self) -> bool {
        self.kind == Kind::Place
    }

    pub(in crate::expr) fn is_root(&self) -> bool {
        self.steps.is_empty() && self.function.is_none()
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What stands at the place, for a path that [names one](Self::is_place).
    #[inline]
    pub(super) fn place<'v>(&self, root: &'v Value) -> Option<&'v Value> {
        self.steps.iter().try_fold(root, |at, step| match step {
            Step::Member(name) => at.get(name),
            Step::Index(index) => item(at.as_array()?, *index),
            _ => None,
        })
    }

    /// The value that the path gives.
    pub(super) fn evaluate(&self, root: &Value) -> Result<Value, Miss> {
        if let (Kind::Place, Some(value)) = (self.kind, self.place(root)) {
            return Ok(value.clone());
        }
        self.walk(root, root, &mut Budget::default())
    }

    /// The value that the path gives, out of what is left of a budget. `document` is what `$` in a filter means.
    pub(super) fn walk(&self, root: &Value, document: &Value, budget: &mut Budget) -> Result<Value, Miss> {
        let mut walk = Walk { path: self, document, budget, found: Vec::new() };
        let walked = walk.step(0, root, true);
        let mut found = walk.found;
        match walked {
            Ok(()) => {}
            // A path that gives an array gives an empty one even where its beginning is not there.
            Err(Miss::Member { .. } | Miss::NoObject { .. } | Miss::NullArray { .. }) if self.kind == Kind::Many => {}
            Err(miss) => return Err(miss),
        }
        if self.kind != Kind::Many {
            let past_the_end = matches!(self.steps.last(), Some(Step::Index(_)));
            let value = found.pop().ok_or(Miss::Leaf { past_the_end })?;
            return match &self.function {
                Some(function) => function.apply(&value).map_err(Miss::Inapplicable),
                None => Ok(value),
            };
        }
        let Some(function) = &self.function else { return Ok(Value::from(found)) };
        if self.steps.iter().any(|step| matches!(step, Step::Descend)) {
            return function.apply(&Value::from(found)).map_err(Miss::Inapplicable);
        }
        found.iter().map(|value| function.apply(value).map_err(Miss::Inapplicable)).collect::<Result<Vec<_>, _>>().map(Value::from)
    }

    /// What the path library says of a miss.
    pub(super) fn words(&self, miss: &Miss) -> String {
        match miss {
            Miss::Leaf { .. } => format!("No results for path: {}", self.normalised(self.steps.len())),
            Miss::Member { step } => format!("Missing property in path {}", self.normalised(step + 1)),
            Miss::NoObject { step, class } => format!(
                "Expected to find an object with property {} in path {} but found '{class}'. This is not a json object according to the \
                 JsonProvider: 'com.jayway.jsonpath.spi.json.JacksonJsonProvider'.",
                self.steps[*step],
                self.normalised(*step)
            ),
            Miss::NullArray { step } => format!("The path {} is null", self.normalised(*step)),
            Miss::Inapplicable(words) => words.clone(),
            Miss::TooCostly => format!("The path looks at more than {VISITS} values"),
        }
    }

    /// The first steps in the notation of the path library: `$['a'][0]`.
    fn normalised(&self, steps: usize) -> String {
        self.steps[..steps].iter().fold("$".to_owned(), |mut text, step| {
            write!(text, "{step}").expect("a String takes all text");
            text
        })
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bound = |bound: &Option<i64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
        match self {
            Self::Member(name) => write!(f, "['{name}']"),
            Self::Members(names) => write!(f, "[{}]", names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(",")),
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Indexes(indexes) => write!(f, "[{}]", indexes.iter().map(i64::to_string).collect::<Vec<_>>().join(",")),
            Self::Slice { from, to } => write!(f, "[{}:{}]", bound(from), bound(to)),
            Self::Wildcard => f.write_str("[*]"),
            Self::Descend => f.write_str(".."),
            Self::Filter(_) => f.write_str("[?]"),
        }
    }
}

/// An item; negative indices count from the end.
fn item(items: &[Value], index: i64) -> Option<&Value> {
    let index = if index < 0 { i64::try_from(items.len()).ok()?.checked_add(index)? } else { index };
    items.get(usize::try_from(index).ok()?)
}

fn no_object(step: usize, at: &Value, definite: bool) -> Result<(), Miss> {
    if definite { Err(Miss::NoObject { step, class: java::class(at) }) } else { Ok(()) }
}

/// How many values may still be looked at.
#[derive(Debug)]
pub(super) struct Budget(u32);

impl Default for Budget {
    fn default() -> Self {
        Self(VISITS)
    }
}

impl Budget {
    pub(super) fn spend(&mut self) -> Result<(), Miss> {
        self.0 = self.0.checked_sub(1).ok_or(Miss::TooCostly)?;
        Ok(())
    }
}

/// One evaluation of a path.
struct Walk<'a> {
    path: &'a JsonPath,
    document: &'a Value,
    budget: &'a mut Budget,
    found: Vec<Value>,
}

impl Walk<'_> {
    /// Takes the step at `position` and those after it. `definite` says that no step before could find more than one value.
    fn step(&mut self, position: usize, at: &Value, definite: bool) -> Result<(), Miss> {
        self.budget.spend()?;
        let path = self.path;
        let Some(step) = path.steps.get(position) else {
            self.found.push(at.clone());
            return Ok(());
        };
        match step {
            Step::Member(name) => self.member(position, name, at, definite),
            Step::Members(names) => self.members(position, names, at, definite),
            Step::Index(index) => self.index(position, *index, at, definite),
            Step::Indexes(indexes) => {
                if self.is_array(position, at, definite)? {
                    for index in indexes {
                        self.index(position, *index, at, false)?;
                    }
                }
                Ok(())
            }
            Step::Slice { from, to } => self.slice(position, *from, *to, at, definite),
            Step::Wildcard => self.children(at, |walk, child| walk.step(position + 1, child, false)),
            Step::Descend => self.descend(position + 1, at),
            Step::Filter(filter) => self.filter(position, filter, at, definite),
        }
    }

    fn member(&mut self, position: usize, name: &str, at: &Value, definite: bool) -> Result<(), Miss> {
        let Value::Object(object) = at else { return no_object(position, at, definite) };
        match object.get(name) {
            Some(value) => self.step(position + 1, value, definite),
            None if definite && position + 1 < self.path.steps.len() => Err(Miss::Member { step: position }),
            None => Ok(()),
        }
    }

    /// Several names as the last step give one object with those that are there; before other steps they give each.
    fn members(&mut self, position: usize, names: &[Rc<str>], at: &Value, definite: bool) -> Result<(), Miss> {
        let Value::Object(object) = at else { return no_object(position, at, definite) };
        let present = names.iter().filter_map(|name| object.get(name).map(|value| (name, value)));
        if position + 1 == self.path.steps.len() {
            self.found.push(Value::from(present.map(|(name, value)| (Rc::clone(name), value.clone())).collect::<Object>()));
            return Ok(());
        }
        for (_, value) in present {
            self.step(position + 1, value, false)?;
        }
        Ok(())
    }

    fn is_array(&self, step: usize, at: &Value, definite: bool) -> Result<bool, Miss> {
        match at {
            Value::Array(_) => Ok(true),
            _ if !definite => Ok(false),
            Value::Null => Err(Miss::NullArray { step }),
            _ => Err(Miss::Inapplicable(format!(
                "Filter: {} can only be applied to arrays. Current context is: {}",
                self.path.steps[step],
                java::to_string(at)
            ))),
        }
    }

    fn index(&mut self, position: usize, index: i64, at: &Value, definite: bool) -> Result<(), Miss> {
        if !self.is_array(position, at, definite)? {
            return Ok(());
        }
        match item(at.as_array().unwrap_or_default(), index) {
            Some(value) => self.step(position + 1, value, definite),
            None => Ok(()),
        }
    }

    fn slice(&mut self, position: usize, from: Option<i64>, to: Option<i64>, at: &Value, definite: bool) -> Result<(), Miss> {
        if !self.is_array(position, at, definite)? {
            return Ok(());
        }
        let items = at.as_array().unwrap_or_default();
        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let from_the_end = |bound: i64| if bound < 0 { bound + length } else { bound };
        // Between two bounds the service counts as it stands: [-2:2] of four items is their end and then their beginning.
        let (first, end) = match (from, to) {
            (Some(from), Some(to)) => (from.max(-length), to.min(length)),
            (from, to) => (from_the_end(from.unwrap_or(0)).max(0), from_the_end(to.unwrap_or(length)).min(length)),
        };
        for value in (first..end).filter_map(|index| item(items, index)) {
            self.step(position + 1, value, false)?;
        }
        Ok(())
    }

    fn children(&mut self, at: &Value, mut visit: impl FnMut(&mut Self, &Value) -> Result<(), Miss>) -> Result<(), Miss> {
        match at {
            Value::Array(items) => items.iter().try_for_each(|item| visit(self, item)),
            Value::Object(object) => object.iter().try_for_each(|(_, value)| visit(self, value)),
            _ => Ok(()),
        }
    }

    /// Takes the step at `position` from this value and from each below it, those that stand first first.
    fn descend(&mut self, position: usize, top: &Value) -> Result<(), Miss> {
        let path = self.path;
        let mut waiting = vec![top];
        while let Some(at) = waiting.pop() {
            self.budget.spend()?;
            match at {
                Value::Array(items) => waiting.extend(items.iter().rev()),
                Value::Object(object) => waiting.extend(object.iter().rev().map(|(_, value)| value)),
                _ => continue,
            }
            match path.steps.get(position) {
                // A filter behind `..` asks each object on the way, not the items of each array.
                Some(Step::Filter(filter)) => {
                    if filter.accepts(at, self.document, self.budget)? {
                        self.step(position + 1, at, false)?;
                    }
                }
                Some(Step::Members(names)) => {
                    if names.iter().all(|name| at.get(name).is_some()) {
                        self.step(position, at, false)?;
                    }
                }
                _ => self.step(position, at, false)?,
            }
        }
        Ok(())
    }

    fn filter(&mut self, position: usize, filter: &Filter, at: &Value, definite: bool) -> Result<(), Miss> {
        match at {
            Value::Array(items) => {
                for item in items.iter() {
                    if filter.accepts(item, self.document, self.budget)? {
                        self.step(position + 1, item, false)?;
                    }
                }
                Ok(())
            }
            Value::Object(_) => {
                if filter.accepts(at, self.document, self.budget)? {
                    self.step(position + 1, at, false)?;
                }
                Ok(())
            }
            _ if definite => Err(Miss::Inapplicable(format!(
                "Filter: [?] can not be applied to primitives. Current context is: {}",
                java::to_string(at)
            ))),
            _ => Ok(()),
        }
    }
}
