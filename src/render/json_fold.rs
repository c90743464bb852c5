//! JSON on as few lines as its width allows: what fits on one line stands on one. Names, numbers and strings stay exactly as they were.

use serde::de::IgnoredAny;

use super::columns::width;

enum Node<'t> {
    Scalar(&'t str),
    List {
        open: char,
        close: char,
        members: Vec<(Option<&'t str>, Node<'t>)>,
        /// Columns on one line.
        flat: usize,
    },
}

/// The text on lines of `room` columns where it can be broken; `None` when it is no JSON, or nested deeper than serde_json reads.
pub(super) fn folded(text: &str, room: usize) -> Option<Vec<String>> {
    // Proves that the text is JSON of bounded depth, so that reading it below needs no checks of its own.
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let node = Reader { text, at: 0 }.node()?;
    let mut lines = vec![String::new()];
    write(&node, 0, room, 0, &mut lines);
    Some(lines)
}

impl Node<'_> {
    fn flat(&self) -> usize {
        match self {
            Self::Scalar(text) => width(text),
            Self::List { flat, .. } => *flat,
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at)?.is_ascii_whitespace() {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn node(&mut self) -> Option<Node<'t>> {
        let (open, close) = match self.peek()? {
            b'{' => ('{', '}'),
            b'[' => ('[', ']'),
            _ => return self.scalar().map(Node::Scalar),
        };
        self.at += 1;
        let mut members = Vec::new();
        let mut flat = 2;
        while self.peek()? != close as u8 {
            if self.peek()? == b',' {
                self.at += 1;
                flat += 2;
                continue;
            }
            let name = if open == '{' { Some(self.scalar()?) } else { None };
            if let Some(name) = name {
                self.peek()?;
                self.at += 1;
                flat += width(name) + 2;
            }
            let node = self.node()?;
            flat += node.flat();
            members.push((name, node));
        }
        self.at += 1;
        Some(Node::List { open, close, members, flat })
    }

    fn scalar(&mut self) -> Option<&'t str> {
        let start = {
            self.peek()?;
            self.at
        };
        let rest = &self.text.as_bytes()[start..];
        let length = if rest[0] == b'"' {
            let mut escaped = false;
            1 + 1
                + rest[1..].iter().position(|byte| {
                    let ends = *byte == b'"' && !escaped;
                    escaped = *byte == b'\\' && !escaped;
                    ends
                })?
        } else {
            rest.iter().position(|byte| matches!(byte, b',' | b'}' | b']' | b':') || byte.is_ascii_whitespace()).unwrap_or(rest.len())
        };
        self.at = start + length;
        self.text.get(start..self.at)
    }
}

/// Writes a node at the end of the last line; `after` is what has to follow it there.
fn write(node: &Node<'_>, indent: usize, room: usize, after: usize, lines: &mut Vec<String>) {
    let used = lines.last().map_or(0, |line| width(line));
    let Node::List { open, close, members, flat } = node else {
        return write_flat(node, lines);
    };
    if members.is_empty() || used + flat + after <= room {
        return write_flat(node, lines);
    }
    push(lines, &open.to_string());
    for (position, (name, member)) in members.iter().enumerate() {
        let comma = usize::from(position + 1 < members.len());
        lines.push(" ".repeat(indent + 2));
        if let Some(name) = name {
            push(lines, name);
            push(lines, ": ");
        }
        write(member, indent + 2, room, comma, lines);
        if comma == 1 {
            push(lines, ",");
        }
    }
    lines.push(" ".repeat(indent));
    push(lines, &close.to_string());
}

fn write_flat(node: &Node<'_>, lines: &mut [String]) {
    match node {
        Node::Scalar(text) => push(lines, text),
        Node::List { open, close, members, .. } => {
            push(lines, &open.to_string());
            for (position, (name, member)) in members.iter().enumerate() {
                if position > 0 {
                    push(lines, ", ");
                }
                if let Some(name) = name {
                    push(lines, name);
                    push(lines, ": ");
                }
                write_flat(member, lines);
            }
            push(lines, &close.to_string());
        }
    }
}

fn push(lines: &mut [String], text: &str) {
    if let Some(line) = lines.last_mut() {
        line.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stands_on_one_line() {
        let text = r#" {"a" : [1.50, 12345678901234567890123] ,"b":{},"c":"x, \"y\" {"} "#;
        assert_eq!(folded(text, 80).expect("JSON"), [r#"{"a": [1.50, 12345678901234567890123], "b": {}, "c": "x, \"y\" {"}"#]);
    }

    #[test]
    fn only_what_does_not_fit_is_broken() {
        let text = r#"{"order":"o-17","items":[{"sku":"a","n":1},{"sku":"b","n":2}],"none":[]}"#;
        let lines = [
            "{",
            r#"  "order": "o-17","#,
            r#"  "items": ["#,
            r#"    {"sku": "a", "n": 1},"#,
            r#"    {"sku": "b", "n": 2}"#,
            "  ],",
            r#"  "none": []"#,
            "}",
        ];
        assert_eq!(folded(text, 30).expect("JSON"), lines);
        assert_eq!(folded("17", 30).expect("JSON"), ["17"]);
    }

    #[test]
    fn what_is_no_json_is_left_to_others() {
        for text in ["", "{", "plain", "{\"a\":1} {}", &"[".repeat(100_000)] {
            assert_eq!(folded(text, 80), None);
        }
    }
}
