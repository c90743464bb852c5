//! Positions in sets that are joined: a union-find.

/// Which positions belong together; at first each is a set of its own.
#[derive(Debug)]
pub(crate) struct Sets {
    parents: Vec<usize>,
}

impl Sets {
    /// As many positions, each alone.
    pub fn new(count: usize) -> Self {
        Self { parents: (0..count).collect() }
    }

    /// The smallest position of the set, which stands for it.
    pub fn root(&mut self, mut at: usize) -> usize {
        while self.parents[at] != at {
            self.parents[at] = self.parents[self.parents[at]];
            at = self.parents[at];
        }
        at
    }

    /// Joins the sets of both. The smaller root stays, so that the order in which they are joined makes no difference.
    pub fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.parents[one.max(other)] = one.min(other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_over_others_has_one_root() {
        let mut sets = Sets::new(6);
        for (one, other) in [(4, 2), (5, 4), (1, 3), (2, 1)] {
            sets.join(one, other);
        }
        let roots: Vec<usize> = (0..6).map(|at| sets.root(at)).collect();
        assert_eq!(roots, [0, 1, 1, 1, 1, 1]);
    }
}
