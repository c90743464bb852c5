//! Arguments that are a file or JSON itself: `FILE|JSON|-`, and inputs, of which a file may hold several.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::value::RawValue;

use crate::cli::exit_code::WrongUsage;

/// The most that is read of a file, in bytes.
const LARGEST: u64 = 1 << 30;

/// The input of one execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// JSON text, as it stood there.
    pub text: String,
    /// The line on which it begins, where the source holds several.
    pub line: Option<usize>,
}

/// The inputs that an argument names. Several documents one after the other, such as JSON Lines, are as many inputs; none at all is an
/// error. Without an argument the input is `{}`, as it is for the service.
pub fn inputs(argument: Option<&str>) -> anyhow::Result<Vec<Input>> {
    let Some(argument) = argument else { return Ok(vec![Input { text: "{}".to_owned(), line: None }]) };
    let (origin, text) = text_of(argument)?;
    let found = split(&text).with_context(|| format!("failed to read the input {origin}"))?;
    if found.is_empty() {
        bail!("the input {origin} is empty; {{}} is an empty object");
    }
    Ok(found)
}

/// Cuts text into JSON documents. Of JSON Lines a line that is no JSON is kept as it stands: the execution of that line tells, and the
/// others go on.
fn split(text: &str) -> anyhow::Result<Vec<Input>> {
    let mut found: Vec<Input> = Vec::new();
    let (mut line, mut counted, mut at) = (1, 0, 0);
    let mut add = |start: usize, document: &str| {
        line += memchr::memchr_iter(b'\n', &text.as_bytes()[counted..start]).count();
        counted = start;
        found.push(Input { text: document.to_owned(), line: Some(line) });
    };
    loop {
        let mut documents = serde_json::Deserializer::from_str(&text[at..]).into_iter::<&RawValue>();
        let (from, mut problem) = (at, None);
        while let Some(document) = documents.next() {
            match document {
                Ok(document) => {
                    at = from + documents.byte_offset();
                    add(at - document.get().len(), document.get());
                }
                Err(error) => problem = Some(error),
            }
        }
        let Some(problem) = problem else { break };
        let bad = text[at..].trim_start();
        let start = text.len() - bad.len();
        if !is_line(text, start) {
            return Err(problem).context("it is no JSON");
        }
        let length = memchr::memchr(b'\n', bad.as_bytes()).unwrap_or(bad.len());
        add(start, &bad[..length]);
        at = start + length;
    }
    if let [only] = &mut found[..] {
        only.line = None;
    }
    Ok(found)
}

/// Whether what begins at `start`, and is no JSON, is one line of several: it begins a line, and a line beside it is JSON.
fn is_line(text: &str, start: usize) -> bool {
    let is_json = |line: &str| serde_json::from_str::<&RawValue>(line).is_ok();
    let before = text[..start].trim_end_matches([' ', '\t', '\r']);
    let after = text[start..].split_once('\n').map_or("", |(_, after)| after);
    let next = after.lines().find(|line| !line.trim().is_empty());
    let last = before.lines().rfind(|line| !line.trim().is_empty());
    (before.is_empty() || before.ends_with('\n')) && next.or(last).is_some_and(is_json)
}

/// What a message calls the source, and the text that it holds.
///
/// | argument                              | text                       |
/// |---------------------------------------|----------------------------|
/// | `-`                                   | of standard input          |
/// | begins with `{`, `[` or `"`           | the argument itself        |
/// | `file://PATH`, or the path of a file  | of the file                |
/// | other JSON, such as `7` or `null`     | the argument itself        |
pub fn text_of(argument: &str) -> anyhow::Result<(String, String)> {
    if argument == "-" {
        let text = read(io::stdin().lock()).context("failed to read standard input")?;
        return Ok(("standard input".to_owned(), text));
    }
    let on_command_line = || Ok(("on the command line".to_owned(), argument.to_owned()));
    if argument.trim_start().starts_with(['{', '[', '"']) {
        return on_command_line();
    }
    let path = argument.strip_prefix("file://").unwrap_or(argument);
    if path == argument && !Path::new(path).exists() && serde_json::from_str::<&RawValue>(argument).is_ok() {
        return on_command_line();
    }
    file(path).map(|text| (format!("`{path}`"), text))
}

/// The text of a file, without the mark that some editors put in front.
pub fn file(path: &str) -> anyhow::Result<String> {
    let opened = fs::File::open(path).and_then(|file| if file.metadata()?.is_dir() { Err(is_folder()) } else { Ok(file) });
    opened.and_then(read).with_context(|| format!("failed to read `{path}`"))
}

fn is_folder() -> io::Error {
    io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")
}

fn read(source: impl Read) -> io::Result<String> {
    let mut text = String::new();
    source.take(LARGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(io::Error::other(format!("more than {LARGEST} bytes, which is the limit")));
    }
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// `NAME=VALUE`, at the first `=`.
pub fn pair<'a>(flag: &str, text: &'a str) -> Result<(&'a str, &'a str), WrongUsage> {
    text.split_once('=')
        .filter(|(name, value)| !name.is_empty() && !value.is_empty())
        .ok_or_else(|| WrongUsage(format!("{flag} takes a name, `=` and a value, and not `{text}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(argument: &str) -> Vec<(String, Option<usize>)> {
        inputs(Some(argument)).expect("inputs").into_iter().map(|input| (input.text, input.line)).collect()
    }

    #[test]
    fn json_stands_on_the_command_line_or_in_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("7");
        fs::write(&path, "\u{feff} {\"a\":\n 1.0}\n").expect("a file");
        let path = path.to_str().expect("text");
        let one = vec![("{\"a\":\n 1.0}".to_owned(), None)];
        assert_eq!((texts(path), texts(&format!("file://{path}"))), (one.clone(), one));
        assert_eq!(texts(" [1]"), [("[1]".to_owned(), None)]);
        assert_eq!((texts("7"), texts("null")), (vec![("7".to_owned(), None)], vec![("null".to_owned(), None)]));
        assert_eq!(inputs(None).expect("an input")[0].text, "{}");
    }

    #[test]
    fn documents_one_after_the_other_are_several_inputs() {
        let lines: Vec<_> = texts("{\"a\":1}\n\n{\"a\":\n2}\n[3]").into_iter().collect();
        let expected = [("{\"a\":1}", Some(1)), ("{\"a\":\n2}", Some(3)), ("[3]", Some(5))];
        assert_eq!(lines, expected.map(|(text, line)| (text.to_owned(), line)));
    }

    #[test]
    fn a_line_that_is_no_json_is_one_input_of_several() {
        let lines = [("{\"a\":1}", Some(1)), ("{\"a\":", Some(2)), ("[3]", Some(4)), ("no", Some(5))];
        assert_eq!(texts("{\"a\":1}\n{\"a\":\n\n[3]\nno"), lines.map(|(text, line)| (text.to_owned(), line)));
        for one in ["{\n  \"a\": 1,\n  \"b\" 2\n}", "{\n}\n{} {"] {
            assert!(inputs(Some(one)).is_err(), "{one}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let empty = folder.path().join("empty.json");
        fs::write(&empty, " \n").expect("a file");
        for (argument, message) in [
            ("{\"a\":", "the input on the command line: it is no JSON: EOF"),
            ("{} {", "it is no JSON"),
            ("no-such-file.json", "failed to read `no-such-file.json`"),
            (folder.path().to_str().expect("text"), "it is a folder"),
            (empty.to_str().expect("text"), "is empty"),
        ] {
            let error = format!("{:#}", inputs(Some(argument)).expect_err(argument));
            assert!(error.contains(message), "{argument}: {error}");
        }
    }

    #[test]
    fn pairs_have_two_sides() {
        assert_eq!(pair("--s3", "data=a=b").expect("a pair"), ("data", "a=b"));
        for text in ["data", "=a", "data="] {
            assert!(pair("--s3", text).is_err(), "{text}");
        }
    }
}
