//! Runs the built program as its user would, in an environment of its own, and keeps what it said.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use assert_cmd::Command;
use serde_json::Value;

use super::LOOPBACK_ENVIRONMENT;

/// No run may take longer; a hanging program fails its test instead of the whole run.
const LONGEST: Duration = Duration::from_mins(2);

/// What a run left behind.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub out: String,
    pub words: String,
}

/// The program with credentials for loopback, and nothing of its user's environment.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepscope"));
    command.env_clear().envs(LOOPBACK_ENVIRONMENT).timeout(LONGEST);
    command
}

/// Runs the program with these arguments to its end.
pub fn stepscope<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Run {
    Run::of(program().args(arguments))
}

/// The same, with something on standard input.
pub fn stepscope_reading<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>, input: impl Into<Vec<u8>>) -> Run {
    Run::of(program().args(arguments).write_stdin(input))
}

impl Run {
    /// Runs a command to its end, which must not be a panic or a signal.
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().expect("the program starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program writes UTF-8");
        let (out, words) = (text(output.stdout), text(output.stderr));
        let Some(code) = output.status.code() else { panic!("ended by {}: {command:?}\n{words}", output.status) };
        assert!(code != 101 && !words.contains("panicked"), "{command:?}\n{words}");
        Self { code, out, words }
    }

    /// The run, which must have ended with this code.
    #[track_caller]
    pub fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.words);
        self
    }

    /// The run, which must have been done without a word on stderr.
    #[track_caller]
    pub fn succeeds(self) -> Self {
        let run = self.ends_with(0);
        assert_eq!(run.words, "");
        run
    }

    /// The run, whose stderr must hold each of these.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.words.contains(word), "no `{word}` on stderr:\n{}", self.words);
        }
        self
    }

    /// The run, whose stdout must hold each of these.
    #[track_caller]
    pub fn shows(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.out.contains(word), "no `{word}` on stdout:\n{}", self.out);
        }
        self
    }

    /// The only document on stdout.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in stdout:\n{}\nstderr:\n{}", self.out, self.words))
    }

    /// The documents on stdout, one a line.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect("a document a line")).collect()
    }
}

/// A path as an argument.
pub fn argument(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}
