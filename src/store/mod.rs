//! Closed executions and what is known of running ones, in Parquet tables that any engine reads as they are.
//!
//! ```text
//! <store>/stepscope.json                                 says that this is a store, and of which version
//!         executions/day=2026-11-20/<batch>.parquet      one row for each execution
//!         visits/    day=…                               one row for each visit of a state
//!         attempts/  day=…                               one row for each attempt of a Task, Parallel or Map
//!         events/    day=…                               one row for each event, everything that was read
//!         .checksums/day=…/<batch>.sha256                sums of the batch's files
//!         .staging/<writer>/                             what a writer is about to commit; its `lock` is held while it lives
//!         .replaced/<batch>.json                         what a commit replaces, while it happens
//!         .lock                                          held while something is committed or cleaned up
//!         ledger.sqlite                                  what `pull` has in hand, and the definitions that it knows ([`ledger`])
//!         .pulling/<account>_<region>                    held by the `pull` that is at work there
//! ```
//!
//! The columns stand in [`schema`], [`encode`] writes them and [`decode`] reads them. A batch has one file of the same name in each table, all of one day: the day, in UTC, on which its
//! executions started (where that is not known, of their first event; where nothing is, `__HIVE_DEFAULT_PARTITION__`).
//!
//! A batch is there while its `executions` file is there. Files are never changed, only added and removed:
//!
//! | step of a commit, under `.lock`                        | after a crash here, the next writer                     |
//! |--------------------------------------------------------|---------------------------------------------------------|
//! | files are written and synced in `.staging`             | removes them                                            |
//! | if it is not a single batch that replaces nothing: the intent | drops the intent                                 |
//! | renames of the checksums, `events`, `attempts`, `visits` | removes them: they have no `executions` file          |
//! | renames of the `executions` files but one              | removes them: the intent names them, its leader is missing |
//! | **rename of the last `executions` file, the leader**   | goes on from here: everything has happened              |
//! | removal of what was replaced, `executions` first       | removes the rest                                        |
//! | removal of the intent                                  |                                                         |
//!
//! Readers take no lock. They look at the folders until two looks in a row are alike, leave out what an intent hides, and list again when
//! a file is gone that they wanted to open.

mod catalogue;
mod commit;
pub mod decode;
mod delta;
mod disk;
pub mod encode;
mod error;
mod index;
mod intent;
mod known;
pub mod layout;
pub mod ledger;
pub mod maintain;
mod rest;
pub mod schema;
pub mod sql;
mod writer;

pub use catalogue::Store;
pub use error::StoreError;
pub use index::Offer;
pub use known::{Claim, Known, Standing};
pub use layout::{Batch, BatchName, Day};
pub use writer::{Worker, Writer, Written};
