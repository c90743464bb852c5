//! `docs/json.md`, read from its Markdown.

use std::collections::BTreeMap;

/// The page, by its headings.
pub struct Page {
    pub objects: BTreeMap<String, Vec<Field>>,
    pub values: BTreeMap<String, Vec<String>>,
}

/// A row of a table of fields.
#[derive(Clone)]
pub struct Field {
    pub name: String,
    /// In which rows of the tree it stands; empty for everywhere.
    pub rows: Vec<String>,
    pub shape: Shape,
}

/// What the type column says.
#[derive(Clone)]
pub enum Shape {
    Text,
    Integer,
    Number,
    /// Values that stand by names from outside.
    IntegersByName,
    Boolean,
    Time,
    JsonText,
    AnyJson,
    Named(String),
    List(Box<Shape>),
    Pair(Box<Shape>, Box<Shape>),
    OrNull(Box<Shape>),
    /// Any of several objects: the one that has just these fields.
    OneOf(Vec<String>),
}

impl Page {
    pub fn read() -> Self {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/json.md")).expect("the page");
        let mut page = Self { objects: BTreeMap::new(), values: BTreeMap::new() };
        let (mut heading, mut columns) = (String::new(), Vec::new());
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("### ").or_else(|| line.strip_prefix("## ")) {
                name.clone_into(&mut heading);
            } else if let Some(parent) = line.strip_prefix("All fields of ") {
                let inherited = page.objects[linked(parent).expect("a link")].clone();
                page.objects.entry(heading.clone()).or_default().extend(inherited);
            }
            let Some(cells) = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")) else {
                if !line.starts_with('|') {
                    columns.clear();
                }
                continue;
            };
            let cells: Vec<&str> = cells.split(" | ").map(str::trim).collect();
            if columns.is_empty() {
                columns = cells;
            } else {
                page.add(&heading, &columns, &cells);
            }
        }
        page
    }

    fn add(&mut self, heading: &str, columns: &[&str], cells: &[&str]) {
        assert_eq!(columns.len(), cells.len(), "{heading}: {cells:?}");
        let cell = |column: &str| columns.iter().position(|name| *name == column).map(|position| cells[position]);
        if let Some(value) = cell("value") {
            self.values.entry(heading.to_owned()).or_default().push(in_code(value));
        } else if let Some(name) = cell("field") {
            let rows = cell("in rows").filter(|rows| *rows != "all").unwrap_or_default();
            let rows = rows.split(", ").filter(|row| !row.is_empty()).map(in_code).collect();
            let shape = Shape::read(cell("type").expect("a table of fields has types"));
            self.objects.entry(heading.to_owned()).or_default().push(Field { name: in_code(name), rows, shape });
        } else if let Some(code) = cell("code") {
            self.values.entry(heading.to_owned()).or_default().push(code.to_owned());
        }
    }
}

pub fn in_code(cell: &str) -> String {
    cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`')).unwrap_or_else(|| panic!("`{cell}` is not in code marks")).to_owned()
}

/// The name in `[name](#anchor)`.
pub fn linked(text: &str) -> Option<&str> {
    text.strip_prefix('[')?.split_once("](#").map(|(name, _)| name)
}

impl Shape {
    fn read(text: &str) -> Self {
        if let Some(item) = text.strip_prefix("list of ") {
            let inner = item.strip_prefix('(').and_then(|item| item.strip_suffix(')')).unwrap_or(item);
            return Self::List(Box::new(Self::read(inner)));
        }
        if let Some(objects) = text.strip_prefix("one of ") {
            return Self::OneOf(objects.split(", ").map(|object| linked(object).expect("a link").to_owned()).collect());
        }
        if let Some(pair) = text.strip_prefix("pair of ") {
            let (one, other) = pair.split_once(" and ").expect("two types");
            return Self::Pair(Box::new(Self::read(one)), Box::new(Self::read(other)));
        }
        if let Some(value) = text.strip_suffix(" or null") {
            return Self::OrNull(Box::new(Self::read(value)));
        }
        match text {
            "string" => Self::Text,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "integers by name" => Self::IntegersByName,
            "boolean" => Self::Boolean,
            "time" => Self::Time,
            "JSON text" => Self::JsonText,
            "any JSON" => Self::AnyJson,
            _ => Self::Named(linked(text).unwrap_or_else(|| panic!("`{text}` is no type")).to_owned()),
        }
    }
}
