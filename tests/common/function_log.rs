//! A log group on loopback: FilterLogEvents over lines that a test tells, as Lambda and others write them.

use serde_json::{Value, json};

use super::fake_endpoint::{Reply, Request};

/// The action that it answers.
pub const FILTER: &str = "FilterLogEvents";

/// A log group.
#[derive(Clone, Default)]
pub struct FunctionLog {
    pub name: String,
    pub lines: Vec<Line>,
}

/// A line of it.
#[derive(Clone)]
pub struct Line {
    /// Milliseconds since 1970.
    pub at: i64,
    pub stream: String,
    pub text: String,
}

impl FunctionLog {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), lines: Vec::new() }
    }

    /// Adds a line.
    pub fn line(&mut self, at: i64, stream: &str, text: &str) -> &mut Self {
        self.lines.push(Line { at, stream: stream.to_owned(), text: text.to_owned() });
        self
    }

    /// Adds what Lambda and a function write for one invocation, in the text format: the function's lines stand at milliseconds after its
    /// start, and `report` is what follows the id in REPORT.
    pub fn invocation(&mut self, id: &str, stream: &str, start: i64, told: &[(i64, &str)], end: i64, report: &str) -> &mut Self {
        self.line(start, stream, &format!("START RequestId: {id} Version: $LATEST\n"));
        for (after, text) in told {
            self.line(start + after, stream, text);
        }
        self.line(start + end, stream, &format!("END RequestId: {id}\n"));
        self.line(start + end, stream, &format!("REPORT RequestId: {id}\tDuration: {end}.00 ms\tBilled Duration: {end} ms\t{report}\n"))
    }

    /// Answers as the service does, `per_page` lines a page.
    pub fn answer(&self, request: &Request, per_page: usize) -> Reply {
        let body = &request.body;
        let named = body["logGroupName"].as_str().or_else(|| body["logGroupIdentifier"].as_str()?.rsplit(':').next());
        if named != Some(&self.name) {
            return Reply::Error("ResourceNotFoundException", "The specified log group does not exist.");
        }
        let pattern = body["filterPattern"].as_str().unwrap_or_default();
        let prefix = body["logStreamNamePrefix"].as_str().unwrap_or_default();
        let (from, until) = (body["startTime"].as_i64().unwrap_or(0), body["endTime"].as_i64().unwrap_or(i64::MAX));
        let mut found: Vec<(usize, &Line)> = self.lines.iter().enumerate().collect();
        found.retain(|(_, line)| (from..=until).contains(&line.at) && line.stream.starts_with(prefix) && lets_through(pattern, &line.text));
        found.sort_by_key(|(position, line)| (line.at, *position));
        let start: usize = request.token().map_or(0, |token| token.parse().expect("a token of ours"));
        let event = |(position, line): &(usize, &Line)| {
            json!({"eventId": position.to_string(), "timestamp": line.at, "ingestionTime": line.at + 900, "logStreamName": line.stream,
                "message": line.text})
        };
        let mut page = json!({"events": found.iter().skip(start).take(per_page).map(event).collect::<Vec<Value>>()});
        if start + per_page < found.len() {
            page["nextToken"] = json!((start + per_page).to_string());
        }
        Reply::Json(page)
    }
}

/// The part of the service's syntax that quotes words: one that must stand there, or several of which one must.
fn lets_through(pattern: &str, text: &str) -> bool {
    let words: Vec<&str> = pattern.split('"').skip(1).step_by(2).collect();
    assert!(pattern.is_empty() || !words.is_empty(), "no quoted words: {pattern}");
    words.is_empty() || words.iter().any(|word| text.contains(word))
}
