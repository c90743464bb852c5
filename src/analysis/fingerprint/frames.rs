//! The innermost frames of a stack that belong to the application: file and function, without line.
//!
//! | language | a frame                                                            | becomes                     |
//! |----------|--------------------------------------------------------------------|-----------------------------|
//! | Python   | `File "/var/task/app/pay.py", line 7, in charge`                    | `app/pay.py charge`         |
//! | Node     | `at async charge (/var/task/pay.js:12:11)`                          | `pay.js charge`             |
//! | Java     | `com.example.Pay.charge(Pay.java:15)`                               | `Pay.java com.example.Pay.charge` |
//! | .NET     | `at Example.Pay.Charge(String id) in /src/Pay.cs:line 42`           | `Pay.cs Example.Pay.Charge` |
//! | Go       | `github.com/example/pay/charge.go:12 charge`                        | `charge.go charge`          |
//! | Ruby     | `/var/task/pay.rb:5:in 'charge'`                                    | `pay.rb charge`             |
//!
//! Frames of runtimes, the AWS SDK and installed packages are left out, unless there are no others. Numbers in names are taken out:
//! compilers number what has no name.

/// Parts of the paths of files that are not the application's.
const FOREIGN_FILES: &[&str] = &[
    "/var/runtime/",
    "/var/lang/",
    "/usr/lib",
    "/usr/local/lib",
    "/opt/python/",
    "/opt/nodejs/",
    "/opt/ruby/",
    "site-packages/",
    "dist-packages/",
    "node_modules/",
    "node:",
    "<frozen",
    "<internal:",
    "/gems/",
    "/go/pkg/mod/",
    "aws-lambda-go/",
];

/// Beginnings of the functions that are not the application's.
const FOREIGN_FUNCTIONS: &[&str] = &[
    "java.",
    "javax.",
    "jdk.",
    "sun.",
    "com.sun.",
    "com.amazonaws.",
    "software.amazon.",
    "lambdainternal.",
    "org.springframework.",
    "kotlin.",
    "scala.",
    "System.",
    "Microsoft.",
    "Amazon.",
    "lambda_method",
    "runtime.",
    "reflect.",
    "net/http.",
];

struct Frame {
    file: String,
    function: String,
    is_foreign: bool,
}

/// The first `most` frames of the application, innermost first; those of others when it has none. What calls itself counts once.
pub(super) fn of_application(stack: &[String], most: usize) -> Vec<String> {
    let frames: Vec<Frame> = stack.iter().filter_map(|line| frame(line)).collect();
    let own = frames.iter().any(|frame| !frame.is_foreign);
    let mut found: Vec<String> = Vec::new();
    for frame in frames.iter().filter(|frame| !own || !frame.is_foreign) {
        let text = match (frame.file.as_str(), frame.function.as_str()) {
            (file, "") => file.to_owned(),
            ("", function) => function.to_owned(),
            (file, function) => format!("{file} {function}"),
        };
        if found.last() != Some(&text) {
            found.push(text);
        }
        if found.len() == most {
            break;
        }
    }
    found
}

fn frame(line: &str) -> Option<Frame> {
    let line = line.lines().next()?.trim();
    let (path, function) = python(line).or_else(|| ruby(line)).or_else(|| go(line)).or_else(|| called_at(line))?;
    let is_foreign = FOREIGN_FILES.iter().any(|foreign| path.contains(foreign))
        || FOREIGN_FUNCTIONS.iter().any(|foreign| function.trim_start_matches("java.base/").starts_with(foreign))
        || function.starts_with("java.base/");
    let file = file_name(path);
    let function = without_numbers(function.trim());
    (!file.is_empty() || !function.is_empty()).then_some(Frame { file, function, is_foreign })
}

fn python(line: &str) -> Option<(&str, &str)> {
    let (path, rest) = line.strip_prefix("File \"")?.split_once('"')?;
    Some((path, rest.split_once(" in ").map_or("", |(_, function)| function)))
}

fn ruby(line: &str) -> Option<(&str, &str)> {
    let (place, function) = line.split_once(":in ")?;
    Some((without_line(place), function.trim_matches(['`', '\'', '"'])))
}

/// A file, its line and the function, as Lambda's runtime for Go has them in three members.
fn go(line: &str) -> Option<(&str, &str)> {
    let (place, function) = line.split_once(' ').unwrap_or((line, ""));
    let path = without_line(place);
    let (_, ending) = path.rsplit_once('.')?;
    (ending == "go" && path.len() < place.len()).then_some((path, function))
}

/// `at function (place)`, `function(place)`, `at place`, `at function in place`.
fn called_at(line: &str) -> Option<(&str, &str)> {
    let is_marked = line.starts_with("at ");
    let line = line.strip_prefix("at ").unwrap_or(line);
    let line = line.strip_prefix("async ").or_else(|| line.strip_prefix("new ")).unwrap_or(line);
    // .NET
    if let Some((call, place)) = line.rsplit_once(" in ") {
        let function = call.split('(').next().unwrap_or(call);
        return Some((place.split(":line ").next().unwrap_or(place), function));
    }
    // Node and Java
    if let Some((function, place)) = line.strip_suffix(')').and_then(|line| line.split_once('(')) {
        let path = without_line(place);
        let is_place = path.contains(['/', '.', ':']) && !path.contains([' ', ',']);
        return Some((if is_place { path } else { "" }, function.split(" [as ").next().unwrap_or(function)));
    }
    let is_place = line.contains(['/', '\\']) && !line.contains(' ');
    (is_marked && is_place).then(|| (without_line(line), ""))
}

/// Without the line and the column at its end.
fn without_line(place: &str) -> &str {
    let mut place = place;
    for _ in 0..2 {
        if let Some((before, number)) = place.rsplit_once(':')
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
        {
            place = before;
        }
    }
    place
}

/// From the root of the function's code; only the name where that root is not known.
fn file_name(path: &str) -> String {
    let path = path.strip_prefix("file://").unwrap_or(path);
    let path = match path.find("/var/task/") {
        Some(at) => &path[at + "/var/task/".len()..],
        None => path.rsplit(['/', '\\']).next().unwrap_or(path),
    };
    without_numbers(path)
}

/// Names that compilers and bundlers number or hash, without that: `lambda$run$0`, `chunk-3FA9B2.js`.
fn without_numbers(name: &str) -> String {
    let mut found = String::with_capacity(name.len());
    for part in name.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let word = part.trim_end_matches(|c: char| !c.is_alphanumeric());
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        let letters_first = word.starts_with(|first: char| first.is_alphabetic());
        let is_hash = word.len() >= 6 && digits > 0 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        if (digits == word.len() && digits > 0) || is_hash || (digits >= 3 && !letters_first) {
            found.push('#');
            found.push_str(&part[word.len()..]);
        } else {
            found.push_str(part);
        }
    }
    found
}
