//! JSON on several lines, with every name, number and string exactly as it was: parsing and writing it again would round numbers.

use serde::de::IgnoredAny;

/// The text with a member or an element a line; `None` when it is no JSON, or nested deeper than serde_json reads.
pub(super) fn indented(text: &str) -> Option<String> {
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    let (mut in_string, mut escaped) = (false, false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if in_string {
            out.push(character);
            in_string = character != '"' || escaped;
            escaped = character == '\\' && !escaped;
            continue;
        }
        match character {
            '{' | '[' => {
                out.push(character);
                while characters.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(end) = characters.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(character);
            }
            ',' => {
                out.push(',');
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            space if space.is_ascii_whitespace() => {}
            other => {
                in_string = other == '"';
                out.push(other);
            }
        }
    }
    Some(out)
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_stays_as_it_was() {
        let text = r#" {"a" : [1.50, 12345678901234567890123, {} , [ ]],"b\"{,":"x:\\","c":{"d":null}} "#;
        let lines = [
            "{",
            "  \"a\": [",
            "    1.50,",
            "    12345678901234567890123,",
            "    {},",
            "    []",
            "  ],",
            r#"  "b\"{,": "x:\\","#,
            "  \"c\": {",
            "    \"d\": null",
            "  }",
            "}",
        ];
        assert_eq!(indented(text).expect("JSON"), lines.join("\n"));
        assert_eq!(indented("\"plain\"").as_deref(), Some("\"plain\""));
    }

    #[test]
    fn what_is_no_json_is_left_to_others() {
        for text in ["", "{", "plain", "{\"a\":1} {\"b\":2}", &"[".repeat(100_000)] {
            assert_eq!(indented(text), None);
        }
    }
}
