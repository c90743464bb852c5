use std::fmt::Write as _;

use super::*;

fn json(text: &str) -> Source {
    Source::read(text.as_bytes(), Some(Format::Json)).unwrap_or_else(|error| panic!("{error}"))
}

fn yaml(text: &str) -> Source {
    Source::read(text.as_bytes(), Some(Format::Yaml)).unwrap_or_else(|error| panic!("{error}"))
}

fn place(source: &Source, pointer: &str) -> (usize, usize) {
    let position = source.locate(pointer).unwrap_or_else(|| panic!("nothing at {pointer}"));
    (position.line, position.column)
}

#[track_caller]
fn syntax_error(text: &str, format: Format) -> SyntaxProblem {
    match Source::read(text.as_bytes(), Some(format)) {
        Err(SourceError::Syntax(problem)) => problem,
        other => panic!("{text:.60}: {other:?}"),
    }
}

#[test]
fn every_value_knows_its_line_and_column() {
    let source = json("{\n  \"Stätes\": {\"a/b\": [1,\n    {\"c~d\": null}]}}");
    assert_eq!(place(&source, ""), (1, 1));
    assert_eq!(place(&source, "/Stätes/a~1b/0"), (2, 22));
    assert_eq!(place(&source, "/Stätes/a~1b/1/c~0d"), (3, 13));
    assert_eq!(source.node("/Stätes/a~1b/7"), None);
    assert_eq!(source.line(3), "    {\"c~d\": null}]}}");
}

#[test]
fn json_is_written_again_as_it_was_read() {
    let text = r#"{"a":[1,-2.50e+3,true,false,null,"x\n\"\\ \u0001é"],"b":{},"c":[]}"#;
    assert_eq!(json(text).to_json(), text);
    assert_eq!(json(r#"["\ud83d\ude00\/\u00e9"]"#).to_json(), "[\"😀/é\"]");
}

#[test]
fn json_that_is_none_is_told_with_its_place() {
    for (text, message, line, column) in [
        ("[", "expected a value and found the end of the text", 1, 2),
        ("{\"a\": 1,}", "expected the name of a member and found '}'", 1, 9),
        ("{\"a\" 1}", "expected ':' and found '1'", 1, 6),
        ("[1\n 2]", "expected ',' or ']' and found '2'", 2, 2),
        ("[1] x", "the JSON ends here, and more text follows", 1, 5),
        ("[\"abc", "a string begins here and does not end", 1, 2),
        ("[\"\\x\"]", "a backslash that begins no escape sequence", 1, 3),
        ("[\"\\u12\"]", "\\u is followed by four hexadecimal digits", 1, 3),
        ("[01]", "expected ',' or ']' and found '1'", 1, 3),
        ("[1.]", "expected a digit and found ']'", 1, 4),
        ("[nil]", "expected a value and found 'n'", 1, 2),
    ] {
        let problem = syntax_error(text, Format::Json);
        assert_eq!((problem.message.as_str(), problem.position), (message, Position { line, column }), "{text}");
    }
}

#[test]
fn of_two_members_of_one_name_the_last_stays_and_the_fact_is_told() {
    let source = json(r#"{"a": 1, "b": 2, "a": 3}"#);
    assert_eq!(source.to_json(), r#"{"a":3,"b":2}"#);
    assert_eq!(source.duplicates().len(), 1);
    assert_eq!(source.position(source.duplicates()[0].span.start).column, 18);
    assert_eq!(yaml("a: 1\na: 2").duplicates().len(), 1);
}

#[test]
fn values_nest_to_a_limit() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Source::read(nested(DEEPEST).as_bytes(), Some(Format::Json)).is_ok());
    for format in [Format::Json, Format::Yaml] {
        assert!(syntax_error(&nested(DEEPEST + 2), format).too_deep);
        assert!(!syntax_error(&nested(100_000), format).message.is_empty());
    }
}

#[test]
fn what_is_too_long_is_not_read() {
    let long = vec![b' '; LONGEST_TEXT + 1];
    assert_eq!(Source::read(&long, None).expect_err("too long"), SourceError::TooLong { bytes: LONGEST_TEXT + 1 });
}

#[test]
fn yaml_gives_the_values_that_json_would() {
    let source = yaml(
        "StartAt: A # first\nStates:\n  A: {Type: Wait, Seconds: 0x10, 'End': true}\n  B:\n    - 1.5\n    - ~\n    - \"no\"\n    - no\n    - |\n      text\n    - !!str 12\n    - +7\n",
    );
    assert_eq!(
        source.to_json(),
        r#"{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":16,"End":true},"B":[1.5,null,"no","no","text\n","12",7]}}"#
    );
    assert_eq!(place(&source, "/States/A/Seconds"), (3, 28));
    assert_eq!(place(&source, "/States/B/1"), (6, 7));
}

#[test]
fn places_in_yaml_are_right_behind_characters_of_several_bytes() {
    let source = yaml("a: \"äöü😀\"\nb: {ß: x}\n");
    assert_eq!(place(&source, "/b/ß"), (2, 8));
    let node = source.node("/b/ß").expect("it is there");
    assert_eq!(&source.text()[node.span.start..node.span.end], "x");
}

#[test]
fn tags_of_cloudformation_are_substitutions() {
    let source = yaml(
        "a: !Sub 'arn:${AWS::Partition}:x'\nb: !GetAtt Fn.Arn\nc: !Ref Fn\nd: !Sub ['${X}', {X: 1}]\ne: !GetAtt [Fn, Arn]\nf: !Join ['', [a]]\ng: !If {a: b}\n",
    );
    assert_eq!(
        source.to_json(),
        r#"{"a":"arn:${AWS::Partition}:x","b":"${Fn.Arn}","c":"${Fn}","d":"${X}","e":"${Fn.Arn}","f":"${Fn::Join}","g":"${Fn::If}"}"#
    );
    assert!(source.root().members().iter().all(|member| member.value.is_substitution()));
    assert!(json(r#"{"Fn::GetAtt": ["Fn", "Arn"]}"#).root().is_substitution());
    assert!(!json(r#""costs $5 {or} more""#).root().is_substitution());
}

#[test]
fn aliases_are_copies_and_do_not_explode() {
    let source = yaml("a: &retry [{ErrorEquals: [X]}]\nb: *retry\n");
    assert_eq!(source.to_json(), r#"{"a":[{"ErrorEquals":["X"]}],"b":[{"ErrorEquals":["X"]}]}"#);
    assert_eq!(place(&source, "/b"), (2, 4));
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let copies = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{copies}]").expect("memory");
    }
    assert!(syntax_error(&bomb, Format::Yaml).message.contains("longer than a definition may be"));
}

#[test]
fn yaml_that_is_none_is_told_with_its_place() {
    let problem = syntax_error("a: 1\nb: [1, 2\nc: 3\n", Format::Yaml);
    assert!(problem.position.line >= 2, "{problem}");
    assert!(syntax_error("a: *unknown", Format::Yaml).position.line == 1);
    assert_eq!(syntax_error("? [a, b]\n: 1\n", Format::Yaml).message, "a name that is a list or a mapping; JSON has no such names");
}

#[test]
fn the_description_of_a_machine_holds_a_definition_of_its_own() {
    let inner = "{\n  \"StartAt\": \"A\",\n  \"States\": {}\n}";
    let outer = serde_json::json!({"name": "Orders", "type": "EXPRESS", "definition": inner}).to_string();
    let source = json(&outer);
    assert_eq!((source.text(), source.machine_type()), (inner, Some("EXPRESS")));
    assert_eq!(place(&source, "/StartAt"), (2, 14));
    let source = json(r#"{"definition": {"StartAt": "A", "States": {}}}"#);
    assert_eq!(place(&source, "/StartAt"), (1, 28));
    assert_eq!(source.machine_type(), None);
}

#[test]
fn a_template_is_no_definition() {
    let template = "Resources:\n  Machine:\n    Type: AWS::Serverless::StateMachine\n";
    assert_eq!(Source::read(template.as_bytes(), None).expect_err("a template"), SourceError::Template);
}

#[test]
fn the_format_is_told_by_the_name_or_else_by_the_text() {
    assert_eq!(Format::of_name("a.b/orders.asl.YML"), Some(Format::Yaml));
    assert_eq!(Format::of_name("orders.asl.json"), Some(Format::Json));
    assert_eq!(Format::of_name("standard input"), None);
    assert_eq!(Source::read(b"\xEF\xBB\xBF {\"a\": 1}", None).expect("JSON").format(), Format::Json);
    assert_eq!(Source::read(b"a: 1", None).expect("YAML").format(), Format::Yaml);
    assert_eq!(Source::read(&[b'"', 0xFF], None).expect_err("no text"), SourceError::NotText);
}

#[test]
fn columns_are_counted_on_the_longest_line() {
    let text = format!(r#"{{"Comment": "{}", "States": 1, "é": 2}}"#, "ä€".repeat(9_000));
    let source = Source::read(text.as_bytes(), None).expect("JSON");
    for (byte, _) in text.char_indices().step_by(997).chain([(text.len(), ' ')]) {
        let column = text[..byte].chars().count() + 1;
        assert_eq!(source.position(byte), Position { line: 1, column }, "{byte}");
    }
}
