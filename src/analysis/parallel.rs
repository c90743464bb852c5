//! The same work on many things, on several threads; what comes of it does not depend on how many.

use std::sync::atomic::{AtomicUsize, Ordering};

/// What the work gives for each number below `count`, in their order. Each thread takes one after the other; the calling one is
/// one of `threads`.
pub(crate) fn each<T: Send>(threads: usize, count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    if threads <= 1 || count <= 1 {
        return (0..count).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let share = || {
        let mut done: Vec<(usize, T)> = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return done;
            }
            done.push((number, work(number)));
        }
    };
    let mut all = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(count)).map(|_| scope.spawn(share)).collect();
        let mut all = share();
        for other in others {
            all.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        all
    });
    all.sort_unstable_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, done)| done).collect()
}

/// What both give: at the same time, where there is more than one thread.
pub(crate) fn both<A: Send, B>(threads: usize, one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
    if threads <= 1 {
        return (one(), other());
    }
    std::thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        (one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), other)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_of_it_stands_in_order_on_any_number_of_threads() {
        for threads in [0, 1, 2, 7, 200] {
            for count in [0, 1, 2, 100] {
                let wanted: Vec<usize> = (0..count).map(|number| number * number).collect();
                assert_eq!(each(threads, count, |number| number * number), wanted, "{threads} {count}");
            }
        }
    }

    #[test]
    fn both_give_what_they_give() {
        for threads in [0, 1, 2] {
            assert_eq!(both(threads, || "one", || 2), ("one", 2));
        }
    }
}
