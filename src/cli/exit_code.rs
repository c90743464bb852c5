//! The exit codes of every verb.
//!
//! | code | meaning                                                   |
//! |------|-----------------------------------------------------------|
//! | 0    | done                                                      |
//! | 1    | failed, wholly or for one of many inputs                  |
//! | 2    | wrong usage                                               |
//! | 3    | found something, with `--exit-status` or `audit --deny`   |
//! | 4    | nothing matched                                           |
//! | 130  | interrupted; as the shell has it                          |

use thiserror::Error;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything asked for was done.
    Done,
    /// Something could not be done; stderr says what.
    Failed,
    /// The arguments do not fit together.
    WrongUsage,
    /// With `--exit-status` or `audit --deny`: there is something to look at.
    Found,
    /// Nothing matched what was asked for.
    NothingMatched,
    /// Somebody stopped it, and it could still say so.
    Interrupted,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::WrongUsage => 2,
            Self::Found => 3,
            Self::NothingMatched => 4,
            Self::Interrupted => 130,
        }
    }
}

/// Arguments that are sound one by one and do not fit together, or an `EXEC` that is none.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct WrongUsage(pub String);
