//! A command that answers a task: input on standard input, result on standard output.

use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use super::callee::{Said, failure_in};
use crate::expr::Value;

/// The most that is read of an answer, in bytes; the service takes 256 KiB.
const LONGEST_ANSWER: u64 = 32 << 20;
/// The most that is kept of the words of a command that failed.
const LONGEST_CAUSE: usize = 32_768;
/// How often a command that closed its output is asked whether it ended.
const POLL: Duration = Duration::from_millis(2);

/// Runs the command line in a shell, for no longer than `limit`.
///
/// An error is one of the setting up: the task has no answer then.
pub fn call(line: &str, input: &str, limit: Option<Duration>) -> Result<Said, String> {
    let deadline = limit.map(|limit| Instant::now() + limit);
    let mut child = shell(line).spawn().map_err(|error| format!("failed to start a shell for `{line}`: {error}"))?;
    feed(&mut child, input);
    let (out, err) = (read_all(child.stdout.take()), read_all(child.stderr.take()));
    let Some(status) = ended(&mut child, deadline).map_err(|error| format!("failed to wait for `{line}`: {error}"))? else {
        // What the shell started may go on, and holds nothing of ours.
        let _ = child.kill();
        let _ = child.wait();
        return Ok(Said::Nothing);
    };
    // Something in the background may keep the output open after the shell has ended.
    let Some(out) = received(&out, deadline) else { return Ok(Said::Nothing) };
    if out.len() as u64 > LONGEST_ANSWER {
        return Err(format!("`{line}` printed more than {LONGEST_ANSWER} bytes"));
    }
    if status.success() { result(line, &out) } else { Ok(failure(status, &out, &received(&err, deadline).unwrap_or_default())) }
}

#[cfg(unix)]
fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(line);
    piped(command)
}

#[cfg(windows)]
fn shell(line: &str) -> Command {
    let mut command = Command::new("cmd");
    command.arg("/C").arg(line);
    piped(command)
}

fn piped(mut command: Command) -> Command {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Writes the input from a thread of its own: a command may print before it has read everything, or never read.
fn feed(child: &mut Child, input: &str) {
    let Some(mut pipe) = child.stdin.take() else { return };
    let input = input.to_owned();
    thread::spawn(move || pipe.write_all(input.as_bytes()));
}

/// Everything that comes out of a pipe, once it is closed; one byte more than the limit when there is more.
fn read_all(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            let _ = pipe.take(LONGEST_ANSWER + 1).read_to_end(&mut bytes);
        }
        // Nobody listens any more once the time is over.
        let _ = sender.send(bytes);
    });
    receiver
}

/// What was read; `None` when the time is over before the pipe is closed.
fn received(bytes: &Receiver<Vec<u8>>, deadline: Option<Instant>) -> Option<Vec<u8>> {
    match deadline {
        None => bytes.recv().ok(),
        Some(deadline) => bytes.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok(),
    }
}

/// How the command ended; `None` when the time was over before.
fn ended(child: &mut Child, deadline: Option<Instant>) -> std::io::Result<Option<ExitStatus>> {
    let Some(deadline) = deadline else { return child.wait().map(Some) };
    loop {
        match child.try_wait()? {
            None if Instant::now() < deadline => thread::sleep(POLL),
            status => return Ok(status),
        }
    }
}

fn result(line: &str, out: &[u8]) -> Result<Said, String> {
    let text = String::from_utf8_lossy(out);
    if text.trim().is_empty() {
        return Ok(Said::Result(Value::Null));
    }
    match Value::parse(&text) {
        Ok(value) => Ok(Said::Result(value)),
        Err(error) => Err(format!("`{line}` printed no JSON ({error}): {}", beginning(&text))),
    }
}

/// A failure that is told as a Lambda function does it, on either output; else what was said on standard error, under the exit code.
fn failure(status: ExitStatus, out: &[u8], err: &[u8]) -> Said {
    let (out, err) = (String::from_utf8_lossy(out), String::from_utf8_lossy(err));
    let last_line = err.trim_end().lines().next_back().unwrap_or_default();
    if let Some(said) = [&out, err.as_ref(), last_line].into_iter().find_map(|text| failure_in(text.trim())) {
        return said;
    }
    let words = err.trim_end();
    let from = words.len().saturating_sub(LONGEST_CAUSE);
    let from = (from..words.len()).find(|at| words.is_char_boundary(*at)).unwrap_or(words.len());
    Said::Failure { error: name(status).into(), cause: (!words.is_empty()).then(|| words[from..].into()) }
}

#[cfg(unix)]
fn name(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ExitCode.{code}"),
        (None, signal) => format!("Signal.{}", signal.unwrap_or_default()),
    }
}

#[cfg(not(unix))]
fn name(status: ExitStatus) -> String {
    format!("ExitCode.{}", status.code().unwrap_or_default())
}

/// The first line, for a message.
pub(super) fn beginning(text: &str) -> String {
    const MOST: usize = 200;
    let line = text.trim().lines().next().unwrap_or_default();
    line.chars().take(MOST).collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn result_of(line: &str, input: &str) -> String {
        match call(line, input, None).expect("an answer") {
            Said::Result(value) => value.to_json(),
            other => panic!("no result: {other:?}"),
        }
    }

    fn failure_of(line: &str) -> (String, Option<String>) {
        match call(line, "{}", None).expect("an answer") {
            Said::Failure { error, cause } => (error.to_string(), cause.map(|cause| cause.to_string())),
            other => panic!("no failure: {other:?}"),
        }
    }

    #[test]
    fn input_goes_in_and_the_result_comes_out() {
        assert_eq!(result_of("cat", r#"{"a": "ü"}"#), r#"{"a":"ü"}"#);
        assert_eq!(result_of("cat > /dev/null", "{}"), "null");
        assert_eq!(result_of("echo 7", "never read"), "7");
        let large = format!("\"{}\"", "x".repeat(1 << 20));
        assert_eq!(result_of("cat", &large), large);
    }

    #[test]
    fn a_failure_has_the_exit_code_and_the_words_unless_it_is_told_as_lambda_does() {
        assert_eq!(failure_of("echo no money >&2; exit 3"), ("ExitCode.3".to_owned(), Some("no money".to_owned())));
        assert_eq!(failure_of("exit 1"), ("ExitCode.1".to_owned(), None));
        assert_eq!(failure_of("kill -9 $$"), ("Signal.9".to_owned(), None));
        let told = r#"{"errorType":"Declined","errorMessage":"no money"}"#;
        for line in [format!("echo '{told}'; exit 1"), format!("echo trying >&2; echo '{told}' >&2; exit 1")] {
            assert_eq!(failure_of(&line), ("Declined".to_owned(), Some(told.to_owned())));
        }
    }

    #[test]
    fn an_answer_that_is_no_json_is_none() {
        let error = call("echo hello", "{}", None).expect_err("no JSON");
        assert!(error.starts_with("`echo hello` printed no JSON (") && error.ends_with("): hello"), "{error}");
    }

    #[test]
    fn a_command_that_takes_too_long_is_stopped() {
        for line in ["exec sleep 1000", "sleep 10 & wait"] {
            assert_eq!(call(line, "{}", Some(Duration::from_millis(50))), Ok(Said::Nothing), "{line}");
        }
        assert_eq!(call("echo 1", "{}", Some(Duration::from_mins(1))), Ok(Said::Result(Value::from(1))));
    }
}
