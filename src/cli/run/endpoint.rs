//! An HTTP endpoint that answers a task, as the Lambda runtime interface emulator and `sam local start-lambda` do.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use ureq::http::Uri;
use ureq::{Agent, Body, http};

use super::callee::{Said, failure_in};
use super::command::beginning;
use crate::expr::Value;

/// Where a function is invoked, on an endpoint that is given without a path.
const INVOCATIONS: &str = "/2015-03-31/functions/function/invocations";
/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(10);
/// The most that is read of an answer, in bytes; the service takes 256 KiB.
const LONGEST_ANSWER: u64 = 32 << 20;

/// An address that the user named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: Uri,
}

impl Endpoint {
    /// Whether a text on the command line means an endpoint, not a command.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with("http://") || text.starts_with("https://")
    }
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("https://") {
            return Err(format!("`{text}`: only http:// is spoken here; endpoints of tasks are local ones"));
        }
        let url: Uri = text.parse().map_err(|error| format!("`{text}` is no address: {error}"))?;
        let is_bare = matches!(url.path(), "" | "/") && url.query().is_none();
        let url = if is_bare { format!("{}{INVOCATIONS}", text.trim_end_matches('/')).parse() } else { Ok(url) };
        let url = url.map_err(|error| format!("`{text}` is no address: {error}"))?;
        Ok(Self { url })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

/// Asks the endpoint, for no longer than `limit`. No other address is asked: no proxy, no redirection.
///
/// An error is one of the setting up: the task has no answer then.
pub fn call(endpoint: &Endpoint, input: &str, limit: Option<Duration>) -> Result<Said, String> {
    let agent: Agent = Agent::config_builder()
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .timeout_connect(Some(CONNECT.min(limit.unwrap_or(CONNECT))))
        .timeout_global(limit)
        .max_idle_connections(0)
        .build()
        .into();
    let answer = agent.post(&endpoint.url).header("Content-Type", "application/json").send(input);
    let read = answer.and_then(|mut answer| {
        let body = answer.body_mut().with_config().limit(LONGEST_ANSWER).read_to_vec()?;
        Ok((answer, body))
    });
    match read {
        Ok((answer, body)) => said(endpoint, &answer, &String::from_utf8_lossy(&body)),
        Err(ureq::Error::Timeout(timeout)) if limit.is_some() && timeout != ureq::Timeout::Connect => Ok(Said::Nothing),
        Err(error) => Err(format!("failed to ask {endpoint}: {error}; does it run?")),
    }
}

/// What an answer means.
///
/// | answer                                                   | the attempt                                             |
/// |----------------------------------------------------------|---------------------------------------------------------|
/// | header `X-Amz-Function-Error`                            | failed with the `errorType` of the body                 |
/// | body `{"errorMessage": …, "errorType": …}`               | the same: not every emulator sends the header           |
/// | status 4xx or 5xx with `X-Amzn-ErrorType`                | failed with `Lambda.<type>`                             |
/// | another status than 2xx                                  | failed with `States.Http.StatusCode.<status>`           |
/// | JSON, or nothing                                         | succeeded                                               |
/// | anything else                                            | has no answer: the set-up is wrong                      |
fn said(endpoint: &Endpoint, answer: &http::Response<Body>, body: &str) -> Result<Said, String> {
    let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
    let text = body.trim();
    if header("X-Amz-Function-Error").is_some() {
        return Ok(failure_in(text).unwrap_or_else(|| unknown_failure(text)));
    }
    if let Some(failure) = failure_in(text).filter(|_| is_lambda_failure(text)) {
        return Ok(failure);
    }
    if !answer.status().is_success() {
        let error = match header("X-Amzn-ErrorType") {
            Some(kind) => format!("Lambda.{}", kind.split(':').next().unwrap_or(kind)),
            None => format!("States.Http.StatusCode.{}", answer.status().as_u16()),
        };
        return Ok(Said::Failure { error: error.into(), cause: (!text.is_empty()).then(|| text.into()) });
    }
    if text.is_empty() {
        return Ok(Said::Result(Value::Null));
    }
    match Value::parse(text) {
        Ok(value) => Ok(Said::Result(value)),
        Err(error) => Err(format!("{endpoint} answered no JSON ({error}): {}", beginning(text))),
    }
}

/// The object that the runtimes of Lambda make of an exception, and nothing that a function would return.
fn is_lambda_failure(text: &str) -> bool {
    let known = ["errorMessage", "errorType", "stackTrace", "requestId", "trace", "cause"];
    let value = Value::parse(text).ok();
    let members = value.as_ref().and_then(Value::as_object);
    members.is_some_and(|members| {
        members.contains("errorMessage") && members.contains("errorType") && members.iter().all(|(name, _)| known.contains(&&**name))
    })
}

/// The service's words for a function that failed without saying how.
fn unknown_failure(text: &str) -> Said {
    let cause = format!("The cause could not be determined because Lambda did not return an error type. Returned payload: {text}");
    Said::Failure { error: "Lambda.Unknown".into(), cause: Some(cause.into()) }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::thread::{self, JoinHandle};

    use super::*;

    /// An endpoint on loopback that answers one request with these bytes and gives back what it was sent; without an answer it
    /// keeps the connection open until the other side closes it.
    fn answering(answer: Option<String>) -> (String, JoinHandle<(String, String)>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a connection");
            let mut reader = BufReader::new(stream);
            let (mut first, mut length) = (String::new(), 0);
            reader.read_line(&mut first).expect("a request");
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).expect("a header");
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a length");
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a body");
            match answer {
                Some(answer) => reader.get_mut().write_all(answer.as_bytes()).expect("answered"),
                None => drop(reader.read(&mut [0])),
            }
            (first.trim().to_owned(), String::from_utf8(body).expect("text"))
        });
        (address, asked)
    }

    fn http(status: &str, headers: &[&str], body: &str) -> String {
        let headers: String = headers.iter().flat_map(|header| [header, "\r\n"]).collect();
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
    }

    /// What is made of an answer with this status, these headers and this body.
    fn ask(status: &str, headers: &[&str], body: &str) -> Result<Said, String> {
        let (address, asked) = answering(Some(http(status, headers, body)));
        let said = call(&address.parse().expect("an address"), "{}", None);
        asked.join().expect("asked");
        said
    }

    fn failure(error: &str, cause: &str) -> Said {
        Said::Failure { error: error.into(), cause: Some(cause.into()) }
    }

    #[test]
    fn the_input_is_posted_to_where_functions_are_invoked() {
        let (address, asked) = answering(Some(http("200 OK", &[], r#"{"b": 2}"#)));
        let said = call(&address.parse().expect("an address"), r#"{"a":1}"#, None);
        assert_eq!(said, Ok(Said::Result(Value::object([("b", Value::from(2))]))));
        let (request, body) = asked.join().expect("asked");
        assert_eq!((&*request, &*body), ("POST /2015-03-31/functions/function/invocations HTTP/1.1", r#"{"a":1}"#));
        let endpoint: Endpoint = "http://localhost:3001/2015-03-31/functions/Charge/invocations".parse().expect("an address");
        assert_eq!(endpoint.to_string(), "http://localhost:3001/2015-03-31/functions/Charge/invocations");
    }

    #[test]
    fn failures_of_functions_are_told_by_header_or_form() {
        let body = r#"{"errorMessage": "no money", "errorType": "Declined"}"#;
        let header = "X-Amz-Function-Error: Unhandled";
        assert_eq!(ask("200 OK", &[header], body), Ok(failure("Declined", body)));
        assert_eq!(ask("200 OK", &[], body), Ok(failure("Declined", body)));
        let returned = ask("200 OK", &[], r#"{"errorMessage": "", "errorType": "", "order": 12}"#);
        assert!(matches!(returned, Ok(Said::Result(_))), "a result may have such members beside others: {returned:?}");
        let cause = "The cause could not be determined because Lambda did not return an error type. Returned payload: {}";
        assert_eq!(ask("200 OK", &[header], "{}"), Ok(failure("Lambda.Unknown", cause)));
    }

    #[test]
    fn other_statuses_are_failures_and_no_other_address_is_asked() {
        assert_eq!(ask("500 Oops", &[], "oops"), Ok(failure("States.Http.StatusCode.500", "oops")));
        let unknown = ask("404 No", &["X-Amzn-ErrorType: ResourceNotFoundException:http://x/"], "no");
        assert_eq!(unknown, Ok(failure("Lambda.ResourceNotFoundException", "no")));
        let moved = ask("307 Moved", &["Location: http://127.0.0.1:9/"], "");
        assert_eq!(moved, Ok(Said::Failure { error: "States.Http.StatusCode.307".into(), cause: None }));
    }

    #[test]
    fn what_is_wrong_with_the_set_up_is_said() {
        let error = ask("200 OK", &[], "hello").expect_err("no JSON");
        assert!(error.contains("answered no JSON") && error.ends_with(": hello"), "{error}");
        let closed = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address");
        let error = call(&format!("http://{closed}").parse().expect("an address"), "{}", None).expect_err("nobody listens");
        assert!(error.contains(&closed.to_string()) && error.ends_with("does it run?"), "{error}");
        for address in ["https://localhost", "http://", "http://a b/"] {
            assert!(address.parse::<Endpoint>().is_err(), "{address}");
        }
    }

    #[test]
    fn an_endpoint_that_takes_too_long_says_nothing() {
        let (address, asked) = answering(None);
        assert_eq!(call(&address.parse().expect("an address"), "{}", Some(Duration::from_millis(100))), Ok(Said::Nothing));
        asked.join().expect("the connection was closed");
    }
}
