//! Payload templates: JSON in which some members or strings are expressions.

use std::rc::Rc;

use super::{EvaluationError, Jsonata, Object, PathExpression, Scope, SyntaxError, Value};

/// How deep a template may be.
const DEPTH: usize = 200;

/// In which language the expressions of a template are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateLanguage {
    /// Members whose name ends in `.$`.
    JsonPath,
    /// Strings `{% … %}`.
    Jsonata,
}

/// A compiled template. What holds no expression is one shared value.
#[derive(Debug, Clone)]
pub struct Template {
    root: Node,
}

/// A part of a template.
#[derive(Debug, Clone)]
enum Node {
    Literal(Value),
    /// Each name once.
    Object(Rc<[(Rc<str>, Node)]>),
    Array(Rc<[Node]>),
    /// A member `name.$`; `field` is its name as it is written.
    Path {
        path: PathExpression,
        field: Rc<str>,
    },
    /// A string `{% … %}`; `location` is its place, such as `Output/list[0]`.
    Query {
        query: Rc<Jsonata>,
        location: Rc<str>,
    },
}

impl Template {
    /// Compiles the value of `field` (such as `Parameters`, `Output`). Errors name the place below the field as a JSON pointer.
    pub fn compile(value: &Value, language: TemplateLanguage, field: &str) -> Result<Self, (String, SyntaxError)> {
        let mut compiler = Compiler { language, pointer: String::new(), location: field.to_owned() };
        Ok(Self { root: compiler.compile(value, DEPTH)? })
    }

    /// The JSONata expression that the whole template is, if it is one.
    pub fn expression(&self) -> Option<&str> {
        if let Node::Query { query, .. } = &self.root { Some(query.text()) } else { None }
    }

    /// The value. For JSONata the error's `location` is the field and the place in it, such as `Output/result`.
    pub fn evaluate(&self, scope: Scope<'_>) -> Result<Value, EvaluationError> {
        self.root.evaluate(scope)
    }
}

impl Node {
    fn evaluate(&self, scope: Scope<'_>) -> Result<Value, EvaluationError> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Path { path, field } => match path.peek(scope) {
                Some(value) => Ok(value.clone()),
                None => path.evaluate_for(scope, field),
            },
            Self::Query { query, location } => query.evaluate(scope, location),
            Self::Array(items) => items.iter().map(|item| item.evaluate(scope)).collect::<Result<Vec<_>, _>>().map(Value::from),
            Self::Object(members) => {
                let mut object = Object::with_capacity(members.len());
                for (name, node) in members.iter() {
                    object.push(Rc::clone(name), node.evaluate(scope)?);
                }
                Ok(Value::from(object))
            }
        }
    }
}

/// Compiles the parts of one template. It stands at a place, known by its pointer and its location.
struct Compiler {
    language: TemplateLanguage,
    pointer: String,
    location: String,
}

impl Compiler {
    fn compile(&mut self, value: &Value, depth: usize) -> Result<Node, (String, SyntaxError)> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(self.error(SyntaxError { message: "too deeply nested".to_owned(), at: 0, text: String::new() }));
        };
        match value {
            Value::Object(object) => self.object(value, object, depth),
            Value::Array(items) => {
                let mut nodes = Vec::with_capacity(items.len());
                for (position, item) in items.iter().enumerate() {
                    nodes.push(self.below(&position.to_string(), &format!("[{position}]"), |compiler| compiler.compile(item, depth))?);
                }
                let literal = nodes.iter().all(|node| matches!(node, Node::Literal(_)));
                Ok(if literal { Node::Literal(value.clone()) } else { Node::Array(nodes.into()) })
            }
            Value::String(text) if self.language == TemplateLanguage::Jsonata => match expression(text) {
                Some(query) => {
                    let query = Jsonata::parse(query).map_err(|error| self.error(error))?;
                    Ok(Node::Query { query: Rc::new(query), location: self.location.as_str().into() })
                }
                None => Ok(Node::Literal(value.clone())),
            },
            _ => Ok(Node::Literal(value.clone())),
        }
    }

    fn object(&mut self, value: &Value, object: &Object, depth: usize) -> Result<Node, (String, SyntaxError)> {
        let mut nodes: Vec<(Rc<str>, Node)> = Vec::with_capacity(object.len());
        let mut literal = true;
        for (name, member) in object.iter() {
            let node = self.below(name, &format!("/{name}"), |compiler| match name.strip_suffix(".$") {
                Some(_) if compiler.language == TemplateLanguage::JsonPath => compiler.path(name, member),
                _ => compiler.compile(member, depth),
            })?;
            literal &= matches!(node, Node::Literal(_));
            nodes.push((self.result_name(name), node));
        }
        if literal {
            return Ok(Node::Literal(value.clone()));
        }
        // `a` and `a.$` are one member of the result; the one that was written last counts.
        let positions: std::collections::HashMap<Rc<str>, usize> =
            nodes.iter().zip(0..).map(|((name, _), at)| (Rc::clone(name), at)).collect();
        let last = nodes.into_iter().enumerate().filter(|(at, (name, _))| positions[name] == *at).map(|(_, member)| member);
        Ok(Node::Object(last.collect()))
    }

    /// The name of a member in the result.
    fn result_name(&self, name: &Rc<str>) -> Rc<str> {
        match name.strip_suffix(".$") {
            Some(stripped) if self.language == TemplateLanguage::JsonPath => stripped.into(),
            _ => Rc::clone(name),
        }
    }

    fn path(&self, name: &Rc<str>, value: &Value) -> Result<Node, (String, SyntaxError)> {
        let Value::String(text) = value else {
            let message = format!("the value of the field '{name}' must be a string with a path or a call of an intrinsic function");
            return Err(self.error(SyntaxError { message, at: 0, text: value.to_json() }));
        };
        let path = PathExpression::parse(text).map_err(|error| self.error(error))?;
        Ok(Node::Path { path, field: Rc::clone(name) })
    }

    /// Does something one level below.
    fn below<T>(&mut self, token: &str, location: &str, compile: impl FnOnce(&mut Self) -> T) -> T {
        let lengths = (self.pointer.len(), self.location.len());
        self.pointer.push('/');
        self.pointer.push_str(&token.replace('~', "~0").replace('/', "~1"));
        self.location.push_str(location);
        let compiled = compile(self);
        self.pointer.truncate(lengths.0);
        self.location.truncate(lengths.1);
        compiled
    }

    fn error(&self, error: SyntaxError) -> (String, SyntaxError) {
        (self.pointer.clone(), error)
    }
}

/// What stands between `{%` and `%}`, if the whole text is such an expression.
fn expression(text: &str) -> Option<&str> {
    Some(text.strip_prefix("{%")?.strip_suffix("%}")?.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::testing::{json, scope};

    fn evaluated(template: &str, input: &str) -> Result<String, String> {
        let template = Template::compile(&json(template), TemplateLanguage::JsonPath, "Parameters")
            .map_err(|(pointer, error)| format!("{pointer}: {}", error.message))?;
        template.evaluate(scope(&json(input))).map(|value| value.to_json()).map_err(|error| error.cause)
    }

    #[test]
    fn members_with_the_suffix_are_filled_in_at_any_depth() {
        for (template, input, result) in [
            (r#"{"a.$":"$.x","b":"$.x"}"#, r#"{"x":1}"#, r#"{"a":1,"b":"$.x"}"#),
            (r#"{"l":[{"a.$":"$.x"},[{"b.$":"$$.Execution.Id"}]]}"#, r#"{"x":1}"#, r#"{"l":[{"a":1},[{"b":"x"}]]}"#),
            (r#"{"i.$":"States.MathAdd($.i, 1)","limit.$":"$.limit"}"#, r#"{"i":1,"limit":5}"#, r#"{"i":2,"limit":5}"#),
            (r#"{"a":1,"a.$":"$.x"}"#, r#"{"x":2}"#, r#"{"a":2}"#),
            (r#"{"a.$":"$.l[9]"}"#, r#"{"l":[]}"#, r#"{"a":null}"#),
            (r#"{"a":{"b":[1,{}]}}"#, "{}", r#"{"a":{"b":[1,{}]}}"#),
            (r#""$.x""#, "{}", r#""$.x""#),
        ] {
            assert_eq!(evaluated(template, input).as_deref(), Ok(result), "{template}");
        }
    }

    #[test]
    fn errors_name_the_place() {
        assert!(evaluated(r#"{"a":[{"b/c.$":"$."}]}"#, "{}").is_err_and(|error| error.starts_with("/a/0/b~1c.$: ")));
        assert!(evaluated(r#"{"a.$":1}"#, "{}").is_err_and(|error| error.starts_with("/a.$: the value of the field 'a.$' must be")));
        let error = r#"The JSONPath '$.x' specified for the field 'a.$' could not be found in the input '{"y":1}'"#;
        assert_eq!(evaluated(r#"{"d":{"a.$":"$.x"}}"#, r#"{"y":1}"#), Err(error.to_owned()));
    }

    #[test]
    fn what_holds_no_expression_is_shared() {
        let value = json(r#"{"a.$":"$.x","literal":{"large":[1,2,3]}}"#);
        let template = Template::compile(&value, TemplateLanguage::JsonPath, "Parameters").expect("a template");
        let filled = template.evaluate(scope(&json(r#"{"x":1}"#))).expect("found");
        let (Some(Value::Object(before)), Some(Value::Object(after))) = (value.get("literal"), filled.get("literal")) else {
            panic!("objects")
        };
        assert!(Rc::ptr_eq(before, after));
    }

    #[test]
    fn queries_know_their_place() {
        let value = json(r#"{"list":["a","{% 1 %}"],"result":"{%$states.input%}","no":"{% x"}"#);
        let template = Template::compile(&value, TemplateLanguage::Jsonata, "Output").expect("a template");
        let Node::Object(members) = &template.root else { panic!("an object") };
        let Node::Array(items) = &members[0].1 else { panic!("an array") };
        let place =
            |node: &Node| if let Node::Query { location, query } = node { format!("{location} {}", query.text()) } else { String::new() };
        assert_eq!((place(&items[1]), place(&members[1].1)), ("Output/list[1] 1".to_owned(), "Output/result $states.input".to_owned()));
        assert!(matches!(members[2].1, Node::Literal(_)));
    }
}
