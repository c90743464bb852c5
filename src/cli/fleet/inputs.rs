//! Inputs that can be read more than once: a stream is copied to a temporary file while it is read.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;

use crate::cli::exit_code::WrongUsage;
use crate::sources::Input;

/// The inputs of a command.
pub(super) struct Inputs {
    list: Vec<Repeatable>,
}

enum Repeatable {
    /// A file or a folder.
    Path(PathBuf),
    /// Something that gives its bytes once.
    Stream { name: String, path: Option<PathBuf>, copy: Option<Arc<Mutex<Copy>>> },
}

/// What was read of a stream.
struct Copy {
    file: Option<File>,
    /// Why there is no copy: it matters only to whom needs it.
    failure: Option<io::Error>,
}

impl Inputs {
    /// `-` is standard input, everything else a path.
    pub(super) fn new(names: &[String]) -> anyhow::Result<Self> {
        if names.iter().filter(|name| *name == "-").count() > 1 {
            return Err(WrongUsage("standard input can be read once; give `--input -` once".to_owned()).into());
        }
        let repeatable = |name: &String| match (name.as_str(), Path::new(name)) {
            ("-", _) => Repeatable::Stream { name: "standard input".to_owned(), path: None, copy: None },
            (_, path) if is_pipe(path) => Repeatable::Stream { name: name.clone(), path: Some(path.to_owned()), copy: None },
            (_, path) => Repeatable::Path(path.to_owned()),
        };
        Ok(Self { list: names.iter().map(repeatable).collect() })
    }

    /// The inputs to be read, again where they were read before.
    pub(super) fn open(&mut self) -> anyhow::Result<Vec<Input>> {
        self.list.iter_mut().map(Repeatable::open).collect()
    }

    /// What messages call the inputs that are no folders.
    pub(super) fn names(&self) -> HashSet<String> {
        let name = |input: &Repeatable| match input {
            Repeatable::Path(path) => (!path.is_dir()).then(|| path.display().to_string()),
            Repeatable::Stream { name, .. } => Some(name.clone()),
        };
        self.list.iter().filter_map(name).collect()
    }
}

/// Whether it is there and is neither a file nor a folder.
fn is_pipe(path: &Path) -> bool {
    path.metadata().is_ok_and(|about| !about.is_file() && !about.is_dir())
}

impl Repeatable {
    fn open(&mut self) -> anyhow::Result<Input> {
        let (name, path, copy) = match self {
            Self::Path(path) => return Ok(Input::Path(path.clone())),
            Self::Stream { name, path, copy } => (name, path, copy),
        };
        if let Some(copy) = copy {
            let mut copy = copy.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(reason) = copy.failure.take() {
                return Err(reason).with_context(|| format!("failed to copy {name}, which must be read twice; save it to a file first"));
            }
            let mut file = copy.file.as_ref().context("a copy is there unless it failed")?.try_clone()?;
            file.rewind()?;
            return Ok(Input::Stream(name.clone(), Box::new(file)));
        }
        let source: Box<dyn Read + Send> = match path {
            None => Box::new(io::stdin()),
            Some(path) => Box::new(File::open(path).with_context(|| format!("failed to open {name}"))?),
        };
        let (file, failure) = match tempfile::tempfile() {
            Ok(file) => (Some(file), None),
            Err(reason) => (None, Some(reason)),
        };
        let made = Arc::new(Mutex::new(Copy { file, failure }));
        *copy = Some(Arc::clone(&made));
        Ok(Input::Stream(name.clone(), Box::new(Copied { source, copy: made })))
    }
}

/// Copies what is read through it.
struct Copied {
    source: Box<dyn Read + Send>,
    copy: Arc<Mutex<Copy>>,
}

impl Read for Copied {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.source.read(buffer)?;
        let mut copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &mut copy.file
            && let Err(reason) = file.write_all(&buffer[..length])
        {
            copy.file = None;
            copy.failure = Some(reason);
        }
        Ok(length)
    }
}
