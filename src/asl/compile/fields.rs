//! The members of an object in a definition, with the place where they stand.

use std::rc::Rc;

use super::{CompileError, below};
use crate::asl::machine::{QueryLanguage, ResultPath, Selection, Setting};
use crate::expr::{Jsonata, Object, PathExpression, ReferencePath, SyntaxError, Template, TemplateLanguage, Value};

/// An object of the definition and its JSON pointer.
pub(super) struct Fields<'a> {
    pub(super) object: &'a Object,
    pub(super) pointer: String,
}

impl<'a> Fields<'a> {
    /// The definition itself.
    pub(super) fn root(definition: &'a Value) -> Result<Self, CompileError> {
        Self::new(definition, String::new())
    }

    fn new(value: &'a Value, pointer: String) -> Result<Self, CompileError> {
        match value {
            Value::Object(object) => Ok(Self { object, pointer }),
            other => Err(CompileError::new(pointer, format!("must be an object, but is of type {}", other.kind()))),
        }
    }

    /// An error at this object.
    pub(super) fn error(&self, message: impl Into<String>) -> CompileError {
        CompileError::new(&*self.pointer, message)
    }

    /// An error at a field.
    pub(super) fn error_in(&self, field: &str, message: impl Into<String>) -> CompileError {
        CompileError::new(self.at(field), message)
    }

    fn at(&self, field: &str) -> String {
        below(&self.pointer, field)
    }

    fn wrong_type(&self, field: &str, wanted: &str, found: &Value) -> CompileError {
        self.error_in(field, format!("must be {wanted}, but is of type {}", found.kind()))
    }

    fn syntax(&self, field: &str) -> impl Fn(SyntaxError) -> CompileError + use<'_, 'a> {
        let at = self.at(field);
        move |error| CompileError::new(&*at, error.to_string())
    }

    /// The value of a field.
    pub(super) fn get(&self, field: &str) -> Option<&'a Value> {
        self.object.get(field)
    }

    /// A string.
    pub(super) fn text(&self, field: &str) -> Result<Option<&'a Rc<str>>, CompileError> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong_type(field, "a string", other)),
        }
    }

    /// A string that must be there.
    pub(super) fn wanted_text(&self, field: &str) -> Result<&'a Rc<str>, CompileError> {
        self.text(field)?.ok_or_else(|| self.error(format!("{field} is missing")))
    }

    /// A whole number that is not negative; `None` also for what is none, such as a substitution.
    pub(super) fn number(&self, field: &str) -> Option<u64> {
        self.get(field)?.as_i64().and_then(|number| u64::try_from(number).ok())
    }

    /// A number; `None` also for what is none.
    pub(super) fn double(&self, field: &str) -> Option<f64> {
        Some(self.get(field)?.as_number()?.as_f64())
    }

    /// A truth value; false where there is none.
    pub(super) fn flag(&self, field: &str) -> bool {
        self.get(field).and_then(Value::as_bool).unwrap_or(false)
    }

    /// An object.
    pub(super) fn object(&self, field: &str) -> Result<Option<Fields<'a>>, CompileError> {
        self.get(field).map(|value| Fields::new(value, self.at(field))).transpose()
    }

    /// An object that must be there.
    pub(super) fn wanted_object(&self, field: &str) -> Result<Fields<'a>, CompileError> {
        self.object(field)?.ok_or_else(|| self.error(format!("{field} is missing")))
    }

    /// The objects of an array; none where there is no such field.
    pub(super) fn objects(&self, field: &str) -> Result<Vec<Fields<'a>>, CompileError> {
        let items = match self.get(field) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(other) => return Err(self.wrong_type(field, "an array", other)),
        };
        let at = self.at(field);
        items.iter().enumerate().map(|(position, item)| Fields::new(item, format!("{at}/{position}"))).collect()
    }

    /// The strings of an array; what else stands in it can match nothing.
    pub(super) fn texts(&self, field: &str) -> Vec<Rc<str>> {
        let items = self.get(field).and_then(Value::as_array).unwrap_or_default();
        items.iter().filter_map(|item| if let Value::String(text) = item { Some(Rc::clone(text)) } else { None }).collect()
    }

    /// A path or an intrinsic function.
    pub(super) fn path(&self, field: &str) -> Result<Option<PathExpression>, CompileError> {
        self.text(field)?.map(|text| PathExpression::parse(text).map_err(self.syntax(field))).transpose()
    }

    /// `InputPath` or `OutputPath`; `None` for the default.
    pub(super) fn selection(&self, field: &str) -> Result<Option<Selection>, CompileError> {
        match self.get(field) {
            Some(Value::Null) => Ok(Some(Selection::Nothing)),
            Some(Value::String(path)) if &**path == "$" => Ok(None),
            _ => Ok(self.path(field)?.map(Selection::Path)),
        }
    }

    /// `ResultPath`.
    pub(super) fn result_path(&self) -> Result<ResultPath, CompileError> {
        let field = "ResultPath";
        if self.get(field) == Some(&Value::Null) {
            return Ok(ResultPath::Discard);
        }
        match self.text(field)?.map(AsRef::as_ref) {
            None | Some("$") => Ok(ResultPath::Replace),
            Some(path) => ReferencePath::parse(path).map(ResultPath::Into).map_err(self.syntax(field)),
        }
    }

    /// A payload template.
    pub(super) fn template(&self, field: &str, language: QueryLanguage) -> Result<Option<Template>, CompileError> {
        self.template_in("", field, language)
    }

    /// A payload template in a part of a state, such as `Catch[0]/`, which errors of its expressions name before the field.
    pub(super) fn template_in(&self, part: &str, field: &str, language: QueryLanguage) -> Result<Option<Template>, CompileError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let language = match language {
            QueryLanguage::JsonPath => TemplateLanguage::JsonPath,
            QueryLanguage::Jsonata => TemplateLanguage::Jsonata,
        };
        let compiled = Template::compile(value, language, &format!("{part}{field}"));
        compiled.map(Some).map_err(|(place, error)| CompileError::new(self.at(field) + &place, error.to_string()))
    }

    /// A field that is a literal, or `{% … %}`, or with the suffix `Path` a path.
    pub(super) fn setting(&self, field: &str, language: QueryLanguage) -> Result<Option<Setting>, CompileError> {
        let by_path = format!("{field}Path");
        match (language, self.get(field)) {
            (QueryLanguage::JsonPath, _) if self.object.contains(&by_path) => Ok(self.path(&by_path)?.map(Setting::Path)),
            (QueryLanguage::Jsonata, Some(Value::String(text))) if query(text).is_some() => {
                self.query(field).map(|it| it.map(Setting::Query))
            }
            (_, value) => Ok(value.cloned().map(Setting::Literal)),
        }
    }

    /// The expression `{% … %}` in a field; `None` where something else stands.
    pub(super) fn query(&self, field: &str) -> Result<Option<Jsonata>, CompileError> {
        let text = self.get(field).and_then(Value::as_str).and_then(query);
        text.map(|text| Jsonata::parse(text).map_err(self.syntax(field))).transpose()
    }
}

/// What stands between `{%` and `%}`, if the markers are first and last.
fn query(text: &str) -> Option<&str> {
    text.strip_prefix("{%")?.strip_suffix("%}")
}
