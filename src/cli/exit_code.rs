//! The exit codes of every verb.
//!
//! | code | meaning                                  |
//! |------|------------------------------------------|
//! | 0    | done                                     |
//! | 1    | failed, wholly or for one of many inputs |
//! | 2    | wrong usage                              |
//! | 3    | found something, with `--exit-status`    |
//! | 4    | nothing matched                          |
//! | 130  | interrupted                              |

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything asked for was done.
    Done,
    /// Something could not be done; stderr says what.
    Failed,
    /// With `--exit-status`: there is something to look at.
    Found,
    /// Nothing matched what was asked for.
    NothingMatched,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Found => 3,
            Self::NothingMatched => 4,
        }
    }
}
