//! Reads the shapes of one service from the table.

use std::collections::HashMap;

/// The shapes and operations of one service.
#[derive(Debug, Default)]
pub struct Table {
    shapes: Vec<Shape>,
    operations: HashMap<String, usize>,
}

/// How a value looks. Other shapes are named by their number in the [`Table`].
#[derive(Debug)]
pub(super) enum Shape {
    String { length: Range, values: Vec<String> },
    Blob { length: Range },
    Number { range: Range },
    Boolean,
    Timestamp,
    Anything,
    List { item: usize, length: Range },
    Map { value: usize },
    Structure { members: Vec<Member> },
}

/// A member of a structure.
#[derive(Debug)]
pub(super) struct Member {
    /// As Step Functions names it.
    pub name: String,
    /// As the AWS SDK for Java names it, where that differs.
    pub other: Option<String>,
    pub required: bool,
    pub shape: usize,
}

/// Bounds, both included, where there are any.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Range {
    pub least: Option<f64>,
    pub most: Option<f64>,
}

impl Table {
    /// The shapes of the service of this name in `aws-sdk:<name>:<action>`.
    pub(super) fn of_service(text: &str, service: &str) -> Option<Self> {
        let mut lines = text.lines().skip_while(|line| line.strip_prefix("service\t") != Some(service));
        lines.next()?;
        let mut table = Self::default();
        for line in lines.take_while(|line| !line.starts_with("service\t")) {
            let mut fields = line.split('\t');
            match fields.next() {
                Some("shape") => table.shapes.push(Shape::read(&mut fields)),
                Some("op") => {
                    let (Some(action), Some(shape)) = (fields.next(), fields.next().and_then(|number| number.parse().ok())) else {
                        continue;
                    };
                    table.operations.insert(action.to_owned(), shape);
                }
                _ => {}
            }
        }
        Some(table)
    }

    /// The shape of this API's answer.
    pub(super) fn operation(&self, action: &str) -> Option<usize> {
        self.operations.get(action).copied()
    }

    /// The shape of this number; one that the table does not hold may be anything.
    pub(super) fn shape(&self, number: usize) -> &Shape {
        self.shapes.get(number).unwrap_or(&Shape::Anything)
    }
}

impl Shape {
    fn read<'a>(fields: &mut impl Iterator<Item = &'a str>) -> Self {
        let kind = fields.next();
        let number = |field: Option<&str>| field.and_then(|text| text.parse().ok()).unwrap_or(usize::MAX);
        match kind {
            Some("s") => Self::String {
                length: Range::read(fields.next()),
                values: fields.next().map(|values| values.split('|').map(str::to_owned).collect()).unwrap_or_default(),
            },
            Some("b") => Self::Blob { length: Range::read(fields.next()) },
            Some("i" | "f") => Self::Number { range: Range::read(fields.next()) },
            Some("o") => Self::Boolean,
            Some("t") => Self::Timestamp,
            Some("l") => Self::List { item: number(fields.next()), length: Range::read(fields.next()) },
            Some("m") => Self::Map { value: number(fields.next()) },
            Some("{") => Self::Structure { members: fields.filter_map(Member::read).collect() },
            _ => Self::Anything,
        }
    }
}

impl Member {
    /// Reads `Name[/Other][!]:shape`.
    fn read(text: &str) -> Option<Self> {
        let (names, shape) = text.rsplit_once(':')?;
        let (names, required) = names.strip_suffix('!').map_or((names, false), |names| (names, true));
        let (name, other) = names.split_once('/').map_or((names, None), |(name, other)| (name, Some(other.to_owned())));
        Some(Self { name: name.to_owned(), other, required, shape: shape.parse().ok()? })
    }

    /// Whether the member is meant by this name.
    pub(super) fn is_named(&self, name: &str) -> bool {
        self.name == name || self.other.as_deref() == Some(name)
    }
}

impl Range {
    /// Reads `least..most`, each of which may be missing.
    fn read(text: Option<&str>) -> Self {
        let Some((least, most)) = text.and_then(|text| text.split_once("..")) else {
            return Self::default();
        };
        Self { least: least.parse().ok(), most: most.parse().ok() }
    }
}
