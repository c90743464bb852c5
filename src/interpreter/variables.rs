//! Variables and their scopes.
//!
//! A scope sees the variables of those around it as they were when it began: the scope outside waits while those inside it run, so
//! they cannot change. Scopes share; what is assigned is copied only when a scope inside still looks at it.

use std::rc::Rc;

use crate::expr::{Object, Value};

use super::payload::Payload;

/// The variables of one scope, and of those around it.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    own: Object,
    outer: Option<Rc<Variables>>,
}

impl Variables {
    /// The variables of a scope inside `outer`.
    pub fn inside(outer: &Rc<Self>) -> Rc<Self> {
        // An outer scope without variables of its own hides nothing.
        let outer = if outer.own.is_empty() { outer.outer.as_ref() } else { Some(outer) };
        Rc::new(Self { own: Object::default(), outer: outer.cloned() })
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let mut scope = self;
        loop {
            if let Some(value) = scope.own.get(name) {
                return Some(value);
            }
            scope = scope.outer.as_deref()?;
        }
    }

    /// Assigns what an `Assign` gave.
    pub fn assign(self: &mut Rc<Self>, values: &Value) {
        let Some(object) = values.as_object() else { return };
        let own = Rc::make_mut(self);
        for (name, value) in object.iter() {
            own.own.insert(Rc::clone(name), value.clone());
        }
    }
}

/// Whether all values of an `Assign` together are within the service's limit.
pub fn fit(values: &Value) -> bool {
    Payload::from(values.clone()).fits()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assigned(variables: &Rc<Variables>, text: &str) -> Rc<Variables> {
        let mut variables = Rc::clone(variables);
        variables.assign(&Value::parse(text).expect("JSON"));
        variables
    }

    #[test]
    fn a_scope_sees_those_around_it_and_keeps_its_own_to_itself() {
        let outer = assigned(&Rc::default(), r#"{"x":1}"#);
        let inner = assigned(&Variables::inside(&outer), r#"{"y":2}"#);
        let innermost = Variables::inside(&Variables::inside(&inner));
        assert_eq!((inner.get("x"), inner.get("y")), (Some(&Value::from(1)), Some(&Value::from(2))));
        assert_eq!((innermost.get("x"), innermost.get("y"), innermost.get("z")), (Some(&Value::from(1)), Some(&Value::from(2)), None));
        assert_eq!(outer.get("y"), None);
    }

    #[test]
    fn what_a_scope_inside_looks_at_does_not_change() {
        let mut outer = assigned(&Rc::default(), r#"{"x":1}"#);
        let inner = Variables::inside(&outer);
        outer.assign(&Value::parse(r#"{"x":2}"#).expect("JSON"));
        assert_eq!((inner.get("x"), outer.get("x")), (Some(&Value::from(1)), Some(&Value::from(2))));
    }
}
