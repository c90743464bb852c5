//! An endpoint that answers as a test tells it: the faults that a well-behaved server cannot show.
//!
//! Speaks as much of AWS JSON 1.0 as the SDK needs: one request a connection, its action in `X-Amz-Target`. Of services without that
//! header, such as X-Ray, the path stands for the action: `/TraceSummaries`.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// What the endpoint was asked.
pub struct Request {
    /// Without its service, such as `DescribeExecution`; empty where the request names none.
    pub action: String,
    /// What follows the address, such as `/bucket?list-type=2`.
    pub target: String,
    /// The members of the call.
    pub body: Value,
    /// How often the action was asked for before.
    pub earlier: usize,
    /// Whose signature it carries; empty where it carries none.
    pub access_key: String,
}

impl Request {
    /// The token of the page that is asked for.
    pub fn token(&self) -> Option<&str> {
        self.body["nextToken"].as_str()
    }
}

/// What the endpoint does.
pub enum Reply {
    /// Answers with a document.
    Json(Value),
    /// Answers with an error of the service.
    Error(&'static str, &'static str),
    /// Answers with a status and a body.
    Raw(u16, Vec<u8>),
    /// Announces a whole body, sends half of it and hangs up.
    Half(Value),
    /// Takes the request and never answers.
    Hang,
    /// Takes the request and hangs up.
    HangUp,
}

type Answer = dyn Fn(&Request) -> Reply + Send + Sync;

/// A listening endpoint; its threads end with the test program.
pub struct FakeEndpoint {
    url: String,
    state: Arc<State>,
}

struct State {
    answer: Box<Answer>,
    asked: Mutex<HashMap<String, usize>>,
    // Connections that hang stay open until the endpoint is dropped.
    hanging: Mutex<Vec<TcpStream>>,
}

impl FakeEndpoint {
    /// Starts an endpoint on a free port of loopback.
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(State { answer: Box::new(answer), asked: Mutex::default(), hanging: Mutex::default() });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // A client that gave up in the middle is what some tests are about.
                std::thread::spawn(move || state.serve(connection).ok());
            }
        });
        Self { url, state }
    }

    /// Where it answers.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How often an action was asked for.
    pub fn asked(&self, action: &str) -> usize {
        self.state.asked.lock().expect("no panic while counting").get(action).copied().unwrap_or_default()
    }
}

/// The address of a port of loopback where nothing listens.
pub fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

impl State {
    fn serve(&self, mut connection: TcpStream) -> std::io::Result<()> {
        let Some(Head { action, target, access_key, body }) = read_request(&connection)? else { return Ok(()) };
        let earlier = {
            let mut asked = self.asked.lock().expect("no panic while counting");
            let count = asked.entry(action.clone()).or_default();
            *count += 1;
            *count - 1
        };
        match (self.answer)(&Request { action, target, body, earlier, access_key }) {
            Reply::Json(document) => write_response(&mut connection, 200, document.to_string().as_bytes()),
            Reply::Error(code, message) => {
                let document = json!({"__type": format!("com.amazonaws.swf.service.v2.model#{code}"), "message": message});
                write_response(&mut connection, 400, document.to_string().as_bytes())
            }
            Reply::Raw(status, body) => write_response(&mut connection, status, &body),
            Reply::Half(document) => {
                let body = document.to_string();
                write_head(&mut connection, 200, body.len())?;
                connection.write_all(&body.as_bytes()[..body.len() / 2])
            }
            Reply::Hang => {
                self.hanging.lock().expect("no panic while pushing").push(connection);
                Ok(())
            }
            Reply::HangUp => Ok(()),
        }
    }
}

/// What is read of a request.
struct Head {
    action: String,
    target: String,
    access_key: String,
    body: Value,
}

/// Reads a request; `None` when the connection was closed before it was whole.
fn read_request(connection: &TcpStream) -> std::io::Result<Option<Head>> {
    let mut reader = BufReader::new(connection);
    let (mut action, mut target, mut access_key, mut length) = (String::new(), String::new(), String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if target.is_empty() {
            // The first line: method, target, version.
            line.split(' ').nth(1).unwrap_or("/").clone_into(&mut target);
            continue;
        }
        let Some((name, value)) = line.split_once(':') else { continue };
        match name.to_ascii_lowercase().as_str() {
            "x-amz-target" => value.trim().rsplit('.').next().unwrap_or_default().clone_into(&mut action),
            "authorization" => signer(value).clone_into(&mut access_key),
            "content-length" => length = value.trim().parse().unwrap_or(0),
            _ => {}
        }
    }
    // X-Ray's actions are paths of one word; those of S3 are buckets and objects.
    if action.is_empty() && target.len() > 1 && !target[1..].contains(['/', '?']) {
        action.clone_from(&target);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Head { action, target, access_key, body: serde_json::from_slice(&body).unwrap_or_default() }))
}

/// The access key in `AWS4-HMAC-SHA256 Credential=AKIA.../20260101/...`.
fn signer(authorization: &str) -> &str {
    let after = authorization.split_once("Credential=").map_or("", |(_, after)| after);
    after.split('/').next().unwrap_or_default()
}

fn write_head(connection: &mut TcpStream, status: u16, length: usize) -> std::io::Result<()> {
    write!(
        connection,
        "HTTP/1.1 {status} Whatever\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    )
}

fn write_response(connection: &mut TcpStream, status: u16, body: &[u8]) -> std::io::Result<()> {
    write_head(connection, status, body.len())?;
    connection.write_all(body)
}
