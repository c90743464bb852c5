//! JSONata through `jsonata-core`, with the functions and limits of the service.
//!
//! An expression is parsed once; what it looks at is found then, so that an evaluation binds and converts no more than that. The
//! plainest expressions ([`direct`]) are evaluated here without the engine.
//!
//! | bound                                   | at the service                | here                                          |
//! |-----------------------------------------|-------------------------------|-----------------------------------------------|
//! | nesting of an evaluation                | 100 levels                    | the same; the engine does not count leaves    |
//! | length of a sequence                    | 873,782 numbers               | the same                                      |
//! | size of a value                         | 6,990,256 bytes               | of what functions construct, and of the result |
//! | time                                    | 1 second                      | 10 seconds; the one bound that is not exact   |

mod bounds;
mod convert;
mod direct;
mod functions;
mod message;
mod needs;

use std::rc::Rc;

use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorError, EvaluatorOptions};
use jsonata_core::parser;
use jsonata_core::value::{JMap, JValue};

use self::convert::Unusable;
use self::direct::Direct;
use self::needs::{Needs, Paths};
use super::{EvaluationError, Scope, SyntaxError, Value};

/// How deep an evaluation nests at most. The service counts to 100 with the innermost value, which the engine does not count.
const MAX_DEPTH: usize = 99;
/// How many items a sequence has at most.
const MAX_ITEMS: usize = 873_782;
/// For endless tail calls, which nothing else ends. Ten times what the service allows, so that a slow machine decides no outcome.
const MAX_MILLISECONDS: u64 = 10_000;

/// A parsed JSONata expression.
#[derive(Debug, Clone)]
pub struct Jsonata {
    program: Rc<Program>,
}

#[derive(Debug)]
struct Program {
    text: String,
    ast: AstNode,
    needs: Needs,
    direct: Option<Direct>,
}

impl Jsonata {
    /// Parses the text between `{%` and `%}`.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let text = text.trim();
        // The engine tells no place.
        let refused = |error| SyntaxError { message: message::refusal(&error), at: 0, text: text.to_owned() };
        let mut ast = parser::parse(text).map_err(refused)?;
        let (needs, direct) = (Needs::of(&ast), Direct::of(&ast));
        bounds::bound(&mut ast, false);
        Ok(Self { program: Rc::new(Program { text: text.to_owned(), ast, needs, direct }) })
    }

    /// As it was written, without the markers and the blanks beside them.
    pub fn text(&self) -> &str {
        &self.program.text
    }

    /// The value. `field` is the place for error texts, such as `Output/result`.
    pub fn evaluate(&self, scope: Scope<'_>, field: &str) -> Result<Value, EvaluationError> {
        self.find(None, scope, field)?.ok_or_else(|| self.error(field, "returned nothing (undefined)."))
    }

    /// The value, which must be of this kind: `array`, `boolean`, `number` and so on, as [`Value::kind`] has it.
    pub fn evaluate_as(&self, kind: &str, scope: Scope<'_>, field: &str) -> Result<Value, EvaluationError> {
        let value = self.evaluate(scope, field)?;
        if value.kind() == kind {
            return Ok(value);
        }
        Err(self.error(field, &unexpected(kind, &value)))
    }

    /// The value; `None` where the expression returns nothing. `item` is `$` outside all paths, which a definition's expressions
    /// do not have.
    pub fn find(&self, item: Option<&Value>, scope: Scope<'_>, field: &str) -> Result<Option<Value>, EvaluationError> {
        if let Some(direct) = &self.program.direct
            && let Ok(found) = direct.evaluate(scope)
        {
            return Ok(found);
        }
        let thrown = |tail: &str| self.error(field, &format!("threw an error during evaluation{tail}"));
        let result = self.run(item, scope).map_err(|error| thrown(&message::tail(&error, &self.program.needs)))?;
        convert::from_engine(&result).map_err(|unusable| match unusable {
            Unusable::TooLarge => thrown(&format!(": {}", message::TOO_LARGE)),
            Unusable::Function => self.error(field, "returned an unsupported result type."),
        })
    }

    /// Lets the engine evaluate.
    fn run(&self, item: Option<&Value>, scope: Scope<'_>) -> Result<JValue, EvaluatorError> {
        let Program { ast, needs, .. } = &*self.program;
        let mut context = Context::new();
        for (name, paths) in &needs.variables.members {
            if name == "states" {
                context.bind(name.clone(), states(scope, paths));
            } else if let Some(value) = scope.around.variable(name) {
                context.bind(name.clone(), convert::part_to_engine(&value, paths));
            }
        }
        let options = EvaluatorOptions {
            timeout_ms: Some(MAX_MILLISECONDS),
            max_stack_depth: Some(MAX_DEPTH),
            max_sequence_length: Some(MAX_ITEMS),
            cancel: None,
        };
        let mut engine = Evaluator::with_options(context, options);
        functions::register(&mut engine, needs, scope.around);
        engine.evaluate(ast, &item.map_or(JValue::Undefined, convert::to_engine))
    }

    fn error(&self, field: &str, what: &str) -> EvaluationError {
        EvaluationError::query(field, format!("The JSONata expression '{}' specified for the field '{field}' {what}", self.text()))
    }
}

/// The words for a value of another kind than a field wants.
fn unexpected(kind: &str, value: &Value) -> String {
    format!("returned an unexpected result type. Expected '{kind}', but was '{}' for value: {value}", value.kind())
}

/// `$states`, as far as the expression looks at it.
fn states(scope: Scope<'_>, paths: &Paths) -> JValue {
    let all = Paths { whole: true, members: Vec::new() };
    let wanted = |name: &str| if paths.whole { Some(&all) } else { paths.below(name) };
    let mut states = Vec::new();
    let mut add = |name: &str, value: Option<&Value>| {
        if let (Some(value), Some(paths)) = (value, wanted(name)) {
            states.push((name.to_owned(), convert::part_to_engine(value, paths)));
        }
    };
    add("input", Some(scope.input));
    add("result", scope.result);
    add("errorOutput", scope.error_output);
    if wanted("context").is_some() {
        add("context", Some(&scope.around.context()));
    }
    JValue::Object(Rc::new(states.into_iter().collect::<JMap>()))
}

#[cfg(test)]
mod tests;
