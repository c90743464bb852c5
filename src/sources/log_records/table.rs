//! A table of Logs Insights, as the console exports it: comma-separated values, the first line has the names.

use super::row;
use crate::model::RawText;

/// Gives the message of each row, and the line at which the row begins; `None` for a row that tells of no record.
pub(in crate::sources) fn read(text: &str, out: &mut dyn FnMut(usize, Option<RawText>)) {
    let mut rows = Rows { text, at: 0, line: 1 };
    let Some((_, names)) = rows.next() else { return };
    for (line, values) in rows {
        if values.iter().all(String::is_empty) {
            continue;
        }
        let fields = names.iter().cloned().zip(values.into_iter().map(RawText::plain));
        // What Insights did not find in a message it leaves empty.
        out(line, row::message(fields.filter(|(_, value)| !value.source().is_empty()).collect()));
    }
}

/// Rows as RFC 4180 has them, with the line at which each begins.
struct Rows<'t> {
    text: &'t str,
    at: usize,
    line: usize,
}

impl Iterator for Rows<'_> {
    type Item = (usize, Vec<String>);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        if self.at >= bytes.len() {
            return None;
        }
        let first_line = self.line;
        let mut values = Vec::new();
        loop {
            let (value, end) = value(self.text, self.at);
            self.line += memchr::memchr_iter(b'\n', &bytes[self.at..end]).count();
            values.push(value);
            self.at = end + 1;
            match bytes.get(end) {
                Some(b',') => {}
                Some(_) => {
                    self.line += 1;
                    return Some((first_line, values));
                }
                None => return Some((first_line, values)),
            }
        }
    }
}

/// The value at a place, and where the comma, the line break or the end after it stands.
fn value(text: &str, start: usize) -> (String, usize) {
    let bytes = text.as_bytes();
    let end_of = |from: usize| memchr::memchr2(b',', b'\n', &bytes[from..]).map_or(bytes.len(), |end| from + end);
    if bytes.get(start) != Some(&b'"') {
        let end = end_of(start);
        return (text[start..end].trim_end_matches('\r').to_owned(), end);
    }
    let mut value = String::new();
    let mut at = start + 1;
    loop {
        let quote = memchr::memchr(b'"', &bytes[at..]).map_or(bytes.len(), |quote| at + quote);
        value.push_str(&text[at..quote]);
        if bytes.get(quote + 1) != Some(&b'"') {
            return (value, end_of((quote + 1).min(bytes.len())));
        }
        value.push('"');
        at = quote + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_commas_and_line_breaks_stand_in_values() {
        let text = "@timestamp,\"@message\"\r\n2026-01-01 00:00:00.000,\"{\"\"a\"\":\n1,2}\"\r\n\r\nx,plain";
        let mut found = Vec::new();
        read(text, &mut |line, message| found.push((line, message.expect("a message").decode().into_owned())));
        assert_eq!(found, [(2, "{\"a\":\n1,2}".to_owned()), (5, "plain".to_owned())]);
    }

    #[test]
    fn a_table_of_counts_has_no_records() {
        let mut found = Vec::new();
        read("type,execution_arn\nTaskFailed,arn\n\"unclosed", &mut |line, message| found.push((line, message.is_none())));
        assert_eq!(found, [(2, true), (3, true)]);
    }
}
