//! Counts as a line of bars.

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// One bar for each count: the lowest for none, the highest for the most.
pub(super) fn line(counts: &[u64]) -> String {
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    // One seen among many is more than none.
    let bar = |count: &u64| match count {
        0 => BARS[0],
        count => BARS[usize::try_from((count * 7).div_ceil(most)).unwrap_or(7).min(7)],
    };
    counts.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn none_is_the_lowest_bar_and_one_is_more() {
        assert_eq!(line(&[0, 1, 50, 100]), "▁▂▅█");
        assert_eq!(line(&[0, 0]), "▁▁");
        assert_eq!(line(&[3]), "█");
        assert_eq!(line(&[]), "");
    }
}
