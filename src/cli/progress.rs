//! How far reading is, on a terminal.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::global::GlobalArgs;
use crate::sources::Progress;

/// How often the bar is drawn.
const PACE: Duration = Duration::from_millis(100);
/// What is done sooner needs no bar.
const PATIENCE: Duration = Duration::from_millis(400);

const WITH_END: &str = "{bytes} of {total_bytes} · {bytes_per_sec} · {eta} left · {msg}";
const WITHOUT_END: &str = "{bytes} · {bytes_per_sec} · {msg}";

/// Does the work; meanwhile a terminal on stderr shows how far it is, unless it was asked to be quiet.
pub fn shown<T>(progress: &Progress, global: &GlobalArgs, work: impl FnOnce() -> T) -> T {
    if global.quiet || !std::io::stderr().is_terminal() {
        return work();
    }
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(progress, &is_done));
        let result = work();
        is_done.store(true, Ordering::Relaxed);
        watcher.thread().unpark();
        result
    })
}

fn watch(progress: &Progress, is_done: &AtomicBool) {
    thread::park_timeout(PATIENCE);
    if is_done.load(Ordering::Relaxed) {
        return;
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    while !is_done.load(Ordering::Relaxed) {
        let total = progress.total_bytes.load(Ordering::Relaxed);
        let read = progress.bytes.load(Ordering::Relaxed);
        let known = total > 0 && read <= total;
        if let Ok(style) = ProgressStyle::with_template(if known { WITH_END } else { WITHOUT_END }) {
            bar.set_style(style);
        }
        if known {
            bar.set_length(total);
        }
        bar.set_position(read);
        let rejected = match progress.rejected.load(Ordering::Relaxed) {
            0 => String::new(),
            count => format!(", {count} not readable"),
        };
        bar.set_message(format!("{} executions{rejected}", progress.executions.load(Ordering::Relaxed)));
        thread::park_timeout(PACE);
    }
    bar.finish_and_clear();
}
