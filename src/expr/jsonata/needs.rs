//! What an expression looks at: variables, the parts of them, and functions of the service.
//!
//! Found once, when the expression is parsed, so that evaluation binds no more than that. More than is needed may be found (the
//! parameter of a function counts as a variable), never less.

use jsonata_core::ast::{AstNode, BinaryOp, PathStep, Stage};

/// What an expression looks at.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// Variables by name, `states` among them, and what is looked at below each.
    pub(super) variables: Paths,
    /// Names of functions that are called or mentioned.
    pub(super) functions: Vec<String>,
    /// Names of functions that are called.
    pub(super) called: Vec<String>,
    /// Whether anything is called, defined or bound to a variable that may be bounded.
    pub(super) calls: bool,
    /// Operators that compare by order, for messages that do not say which.
    pub(super) orders: Vec<BinaryOp>,
}

/// A tree of member names.
#[derive(Debug, Default)]
pub(super) struct Paths {
    /// Whether all of the value is looked at.
    pub(super) whole: bool,
    /// The members that are looked at.
    pub(super) members: Vec<(String, Paths)>,
}

impl Paths {
    /// The tree below a member.
    pub(super) fn below(&self, name: &str) -> Option<&Self> {
        self.members.iter().find(|(known, _)| known == name).map(|(_, below)| below)
    }

    fn add<'a>(&mut self, path: impl Iterator<Item = &'a str>) {
        let mut at = self;
        for name in path {
            let position = at.members.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
                at.members.push((name.to_owned(), Self::default()));
                at.members.len() - 1
            });
            at = &mut at.members[position].1;
        }
        at.whole = true;
    }
}

impl Needs {
    /// What `ast` looks at.
    pub(super) fn of(ast: &AstNode) -> Self {
        let mut needs = Self::default();
        let mut climbs = false;
        let mut pending = vec![ast];
        while let Some(node) = pending.pop() {
            climbs |= needs.note(node);
            children(node, &mut |child| pending.push(child));
        }
        if climbs {
            // `%`, `@` and `#` look at what stands around a step, too.
            needs.variables.members.iter_mut().for_each(|(_, paths)| paths.whole = true);
        }
        needs
    }

    /// Whether the expression mentions a function of this name.
    pub(super) fn mentions(&self, function: &str) -> bool {
        self.functions.iter().any(|name| name == function)
    }

    /// Notes what one node looks at by itself; true when its path looks upwards.
    fn note(&mut self, node: &AstNode) -> bool {
        match node {
            AstNode::Variable(name) if !name.is_empty() => {
                self.functions.push(name.clone());
                self.variables.add([name.as_str()].into_iter());
            }
            AstNode::Lambda { .. } => self.calls = true,
            AstNode::Function { name, .. } => {
                self.calls |= matches!(name.as_str(), "pad" | "join" | "string");
                self.functions.push(name.clone());
                self.called.push(name.clone());
                self.variables.add([name.as_str()].into_iter());
            }
            AstNode::Path { steps } => {
                if let Some((name, path)) = variable_path(steps) {
                    self.variables.add([name].into_iter().chain(path));
                }
                return steps.iter().any(climbs);
            }
            AstNode::Parent(_) => return true,
            AstNode::Binary { op, .. } => {
                use BinaryOp::{GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual};
                if matches!(op, GreaterThan | GreaterThanOrEqual | LessThan | LessThanOrEqual) {
                    self.orders.push(*op);
                }
                self.calls |= *op == BinaryOp::ColonEqual;
            }
            _ => {}
        }
        false
    }
}

fn climbs(step: &PathStep) -> bool {
    step.focus.is_some() || step.index_var.is_some() || step.ancestor_label.is_some() || step.is_tuple || step.inner_tuple
}

/// The variable at the head of a path, and the names that follow it up to the first step that does more.
fn variable_path(steps: &[PathStep]) -> Option<(&str, Vec<&str>)> {
    let (head, rest) = steps.split_first()?;
    let AstNode::Variable(name) = &head.node else { return None };
    if name.is_empty() {
        return None;
    }
    let mut path = Vec::new();
    let mut last = head;
    for step in rest {
        let AstNode::Name(member) = &step.node else { break };
        if !last.stages.is_empty() {
            break;
        }
        path.push(member.as_str());
        last = step;
    }
    Some((name, path))
}

/// Calls `visit` with each node directly below one.
pub(super) fn children<'a>(node: &'a AstNode, visit: &mut dyn FnMut(&'a AstNode)) {
    match node {
        AstNode::Path { steps } => {
            let mut first = true;
            for step in steps {
                // The variable at the head is no mention of all of it.
                let noted = std::mem::take(&mut first) && matches!(step.node, AstNode::Variable(_));
                if !noted {
                    visit(&step.node);
                }
                step.stages.iter().for_each(|stage| {
                    if let Stage::Filter(filter) = stage {
                        visit(filter);
                    }
                });
            }
        }
        AstNode::Binary { lhs, rhs, .. } => {
            visit(lhs);
            visit(rhs);
        }
        AstNode::Unary { operand, .. } => visit(operand),
        AstNode::Function { args, .. } | AstNode::Array(args) | AstNode::ArrayGroup(args) | AstNode::Block(args) => {
            args.iter().for_each(visit);
        }
        AstNode::Call { procedure, args } => {
            visit(procedure);
            args.iter().for_each(visit);
        }
        AstNode::Lambda { body, .. } | AstNode::FunctionApplication(body) => visit(body),
        AstNode::Object(pairs) => pairs.iter().for_each(|(key, value)| {
            visit(key);
            visit(value);
        }),
        AstNode::ObjectTransform { input, pattern } => {
            visit(input);
            for (key, value) in pattern {
                visit(key);
                visit(value);
            }
        }
        AstNode::Conditional { condition, then_branch, else_branch } => {
            visit(condition);
            visit(then_branch);
            if let Some(branch) = else_branch {
                visit(branch);
            }
        }
        AstNode::Sort { input, terms } => {
            visit(input);
            for (term, _) in terms {
                visit(term);
            }
        }
        AstNode::Transform { location, update, delete } => {
            visit(location);
            visit(update);
            if let Some(names) = delete {
                visit(names);
            }
        }
        AstNode::String(_)
        | AstNode::Name(_)
        | AstNode::Number(_)
        | AstNode::Boolean(_)
        | AstNode::Null
        | AstNode::Undefined
        | AstNode::Placeholder
        | AstNode::Regex { .. }
        | AstNode::Variable(_)
        | AstNode::ParentVariable(_)
        | AstNode::Wildcard
        | AstNode::Descendant
        | AstNode::Parent(_) => {}
    }
}
