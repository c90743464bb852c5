//! The members of a JSON object, in the order in which they were written.
//!
//! Most objects that a workflow handles have a handful of members: those are found by looking at each. Larger ones get an index
//! when first asked, so that a hostile object is no quadratic one.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::Value;

/// From this many members on, names are looked up in an index.
const INDEXED: usize = 24;

/// Members of an object; a name stands once, the value written last counts.
#[derive(Debug, Clone, Default)]
pub struct Object {
    members: Vec<(Rc<str>, Value)>,
    index: OnceCell<HashMap<Rc<str>, usize>>,
}

impl Object {
    /// An object without members, with room for some.
    pub fn with_capacity(members: usize) -> Self {
        Self { members: Vec::with_capacity(members), index: OnceCell::new() }
    }

    /// How many members it has.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether it has no members.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The members in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Rc<str>, &Value)> + DoubleEndedIterator {
        self.members.iter().map(|(name, value)| (name, value))
    }

    /// The value of a member.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.position(name).map(|position| &self.members[position].1)
    }

    /// The value of a member, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let position = self.position(name)?;
        Some(&mut self.members[position].1)
    }

    /// Whether there is such a member.
    pub fn contains(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// Sets a member: in its old place when there was one, else at the end.
    pub fn insert(&mut self, name: impl Into<Rc<str>>, value: impl Into<Value>) {
        let (name, value) = (name.into(), value.into());
        if let Some(position) = self.position(&name) {
            self.members[position].1 = value;
            return;
        }
        if let Some(index) = self.index.get_mut() {
            index.insert(Rc::clone(&name), self.members.len());
        }
        self.members.push((name, value));
    }

    /// Sets a member that is known not to be there yet.
    pub(super) fn push(&mut self, name: Rc<str>, value: Value) {
        debug_assert!(self.members.iter().take(INDEXED).all(|(known, _)| *known != name), "a name stands once");
        self.index = OnceCell::new();
        self.members.push((name, value));
    }

    /// Takes a member out; the others keep their order.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let position = self.position(name)?;
        self.index = OnceCell::new();
        Some(self.members.remove(position).1)
    }

    fn position(&self, name: &str) -> Option<usize> {
        if self.members.len() < INDEXED {
            return self.members.iter().position(|(known, _)| &**known == name);
        }
        let index = self.index.get_or_init(|| self.members.iter().zip(0..).map(|((name, _), at)| (Rc::clone(name), at)).collect());
        index.get(name).copied()
    }
}

/// The order of members does not count.
impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(name, value)| other.get(name) == Some(value))
    }
}

impl<N: Into<Rc<str>>> FromIterator<(N, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(members: I) -> Self {
        let members = members.into_iter();
        let mut object = Self::with_capacity(members.size_hint().0);
        for (name, value) in members {
            object.insert(name, value);
        }
        object
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_counts_and_keeps_the_first_place() {
        let mut object: Object = [("a", Value::from(1)), ("b", Value::from(2))].into_iter().collect();
        object.insert("a", 3);
        assert_eq!(object.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(object.get("a"), Some(&Value::from(3)));
    }

    #[test]
    fn a_large_object_finds_what_was_inserted_and_removed() {
        let mut object: Object = (0..100).map(|number| (format!("k{number}"), Value::from(number))).collect();
        assert_eq!(object.get("k70"), Some(&Value::from(70)));
        object.insert("new", true);
        assert_eq!(object.remove("k3"), Some(Value::from(3)));
        assert_eq!((object.get("k3"), object.get("k99"), object.get("new")), (None, Some(&Value::from(99)), Some(&Value::from(true))));
        assert_eq!(object.len(), 100);
    }
}
