//! Intrinsic functions: `States.Format('{} of {}', $.done, $.all)` and its like.
//!
//! Where the recorded behaviour of the service differs from its guide, this follows what is recorded, and says so at the function.
//! An argument that is not there, or that a function cannot use, is a `States.Runtime` whose cause repeats the whole call.

mod arrays;
mod numbers;
mod parse;
mod strings;
#[cfg(test)]
mod tests;

use super::path::{Lookup, Miss, Trouble};
use super::{EvaluationError, Scope, SyntaxError, Value, java};
use strings::Format;

/// A parsed call that stands for itself.
#[derive(Debug)]
pub(super) struct Call {
    text: String,
    invocation: Invocation,
}

/// A function with its arguments.
#[derive(Debug)]
struct Invocation {
    function: Function,
    arguments: Vec<Argument>,
    /// Whether it has as many arguments as it takes; if not, the service tells so only when the state runs.
    complete: bool,
    /// The template of a `States.Format` that is a literal.
    format: Option<Format>,
}

#[derive(Debug)]
enum Argument {
    Literal(Value),
    Path(Lookup),
    Invocation(Invocation),
}

/// The functions there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Array,
    ArrayPartition,
    ArrayContains,
    ArrayRange,
    ArrayGetItem,
    ArrayLength,
    ArrayUnique,
    Base64Encode,
    Base64Decode,
    Hash,
    JsonMerge,
    StringToJson,
    JsonToString,
    MathRandom,
    MathAdd,
    StringSplit,
    Uuid,
    Format,
}

/// Names without `States.`, with the least and the greatest number of arguments.
const FUNCTIONS: [(&str, Function, usize, usize); 18] = [
    ("Array", Function::Array, 0, usize::MAX),
    ("ArrayPartition", Function::ArrayPartition, 2, 2),
    ("ArrayContains", Function::ArrayContains, 2, 2),
    ("ArrayRange", Function::ArrayRange, 3, 3),
    ("ArrayGetItem", Function::ArrayGetItem, 2, 2),
    ("ArrayLength", Function::ArrayLength, 1, 1),
    ("ArrayUnique", Function::ArrayUnique, 1, 1),
    ("Base64Encode", Function::Base64Encode, 1, 1),
    ("Base64Decode", Function::Base64Decode, 1, 1),
    ("Hash", Function::Hash, 2, 2),
    ("JsonMerge", Function::JsonMerge, 3, 3),
    ("StringToJson", Function::StringToJson, 1, 1),
    ("JsonToString", Function::JsonToString, 1, 1),
    ("MathRandom", Function::MathRandom, 2, 3),
    ("MathAdd", Function::MathAdd, 2, 2),
    ("StringSplit", Function::StringSplit, 2, 2),
    ("UUID", Function::Uuid, 0, 0),
    ("Format", Function::Format, 1, usize::MAX),
];

/// Why a call gave nothing.
enum Failure {
    /// The arguments do not suit the function; what more there is to say.
    Arguments(Function, Option<String>),
    /// What comes after `had the following error: `.
    Words(String),
}

impl Function {
    fn name(self) -> &'static str {
        FUNCTIONS.iter().find(|(_, function, ..)| *function == self).map_or("", |(name, ..)| name)
    }

    /// The arguments do not suit.
    fn refuses(self) -> Failure {
        Failure::Arguments(self, None)
    }

    fn refuses_because(self, reason: impl Into<String>) -> Failure {
        Failure::Arguments(self, Some(reason.into()))
    }
}

impl Call {
    pub(super) fn parse(text: &str) -> Result<Self, SyntaxError> {
        Ok(Self { text: text.to_owned(), invocation: parse::call(text)? })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The paths among the arguments, in order.
    pub(super) fn lookups(&self) -> Vec<&Lookup> {
        let mut lookups = Vec::new();
        self.invocation.add_lookups(&mut lookups);
        lookups
    }

    /// The result.
    pub(super) fn evaluate(&self, scope: Scope<'_>) -> Result<Value, EvaluationError> {
        self.invocation.evaluate(scope).map_err(|failure| {
            let words = match failure {
                Failure::Words(words) => words,
                Failure::Arguments(function, None) => format!("Invalid arguments in States.{}", function.name()),
                Failure::Arguments(function, Some(reason)) => format!("Invalid arguments in States.{}: {reason}", function.name()),
            };
            EvaluationError::runtime(format!("The function '{}' had the following error: {words}", self.text))
        })
    }
}

impl Invocation {
    fn add_lookups<'a>(&'a self, lookups: &mut Vec<&'a Lookup>) {
        for argument in &self.arguments {
            match argument {
                Argument::Path(lookup) => lookups.push(lookup),
                Argument::Invocation(invocation) => invocation.add_lookups(lookups),
                Argument::Literal(_) => {}
            }
        }
    }

    fn evaluate(&self, scope: Scope<'_>) -> Result<Value, Failure> {
        let function = self.function;
        if !self.complete {
            return Err(function.refuses());
        }
        let argument = |position: usize| self.arguments[position].evaluate(scope);
        match function {
            Function::MathAdd => numbers::add(&argument(0)?, &argument(1)?),
            Function::MathRandom => {
                let (start, end) = (argument(0)?, argument(1)?);
                let seed = self.arguments.get(2).map(|seed| seed.evaluate(scope)).transpose()?;
                numbers::random(&start, &end, seed.as_ref(), || scope.around.random())
            }
            Function::Array => {
                self.arguments.iter().map(|argument| argument.evaluate(scope)).collect::<Result<Vec<_>, _>>().map(Value::from)
            }
            Function::ArrayPartition => arrays::partition(&argument(0)?, &argument(1)?),
            Function::ArrayContains => arrays::contains(&argument(0)?, &argument(1)?),
            Function::ArrayRange => arrays::range(&argument(0)?, &argument(1)?, &argument(2)?),
            Function::ArrayGetItem => arrays::get_item(&argument(0)?, &argument(1)?),
            Function::ArrayLength => arrays::length(&argument(0)?),
            Function::ArrayUnique => arrays::unique(&argument(0)?),
            Function::Base64Encode => strings::base64_encode(&argument(0)?),
            Function::Base64Decode => strings::base64_decode(&argument(0)?),
            Function::Hash => strings::hash(&argument(0)?, &argument(1)?),
            Function::JsonMerge => strings::json_merge(&argument(0)?, &argument(1)?, &argument(2)?),
            Function::StringToJson => strings::string_to_json(&argument(0)?),
            Function::JsonToString => strings::json_to_string(&argument(0)?),
            Function::StringSplit => strings::split(&argument(0)?, &argument(1)?),
            Function::Uuid => Ok(Value::from(scope.around.uuid())),
            Function::Format => self.format(scope),
        }
    }

    fn format(&self, scope: Scope<'_>) -> Result<Value, Failure> {
        let given;
        let format = if let Some(format) = &self.format {
            format
        } else {
            let template = self.arguments[0].evaluate(scope)?;
            given = Format::parse(template.as_str().ok_or_else(|| Function::Format.refuses())?)?;
            &given
        };
        let arguments = &self.arguments[1..];
        format.check(arguments.len())?;
        let mut text = String::new();
        format.write(&mut text, |position, text| {
            let value = arguments[position].evaluate(scope)?;
            match &arguments[position] {
                // What StringToJson made is printed as JSON, anything else as Java has it.
                Argument::Invocation(inner) if inner.function == Function::StringToJson => value.write_json(text),
                _ => java::print(&value, text),
            }
            if text.len() > java::PRINTED_BYTES { Err(Function::Format.refuses_because("the result is too long.")) } else { Ok(()) }
        })?;
        Ok(Value::from(text))
    }
}

impl Argument {
    #[inline]
    fn evaluate(&self, scope: Scope<'_>) -> Result<Value, Failure> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Invocation(invocation) => invocation.evaluate(scope),
            Self::Path(lookup) => lookup.get(scope).map_err(|trouble| match trouble {
                Trouble::Missed(Miss::Leaf { .. } | Miss::Member { .. } | Miss::NoObject { .. } | Miss::NullArray { .. }) => {
                    Failure::Words(format!(
                        "The JsonPath argument for the field '{}' could not be found in the input '{}'",
                        lookup.text_in_errors(),
                        scope.input.to_json()
                    ))
                }
                _ => Failure::Words(lookup.words(&trouble)),
            }),
        }
    }
}
