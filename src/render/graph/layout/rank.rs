//! Layers of nodes: cycles are opened by turning edges round, then every edge leads at least one layer down and few lead further.

use super::Plan;

/// How often nodes are moved nearer to their neighbours.
const ROUNDS: usize = 12;

#[derive(Debug)]
pub(super) struct Ranks {
    /// By node, from 0.
    pub of: Vec<usize>,
    /// By arc: whether it leads up.
    pub back: Vec<bool>,
}

pub(super) fn rank(plan: &Plan) -> Ranks {
    let count = plan.sizes.len();
    let mut leaving: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (position, arc) in plan.arcs.iter().enumerate() {
        if arc.from != arc.to {
            leaving[arc.from].push(position);
        }
    }
    let (back, order) = open_cycles(plan, &leaving);
    // Neighbours above and below each node once all edges lead down.
    let (mut above, mut below) = (vec![Vec::new(); count], vec![Vec::new(); count]);
    for (position, arc) in plan.arcs.iter().enumerate().filter(|(_, arc)| arc.from != arc.to) {
        let (upper, lower) = if back[position] { (arc.to, arc.from) } else { (arc.from, arc.to) };
        above[lower].push(upper);
        below[upper].push(lower);
    }
    let mut of = vec![0; count];
    for node in &order {
        of[*node] = above[*node].iter().map(|upper: &usize| of[*upper] + 1).max().unwrap_or(0);
    }
    shorten(&order, &above, &below, &mut of);
    let lowest = of.iter().copied().min().unwrap_or(0);
    for rank in &mut of {
        *rank -= lowest;
    }
    Ranks { of, back }
}

/// Which arcs lead back to what led to them, and the nodes in an order in which all others lead forward.
fn open_cycles(plan: &Plan, leaving: &[Vec<usize>]) -> (Vec<bool>, Vec<usize>) {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        Not,
        OnTheWay,
        Done,
    }
    let count = plan.sizes.len();
    let mut back = vec![false; plan.arcs.len()];
    let mut seen = vec![Seen::Not; count];
    let mut finished = Vec::with_capacity(count);
    for root in 0..count {
        if seen[root] != Seen::Not {
            continue;
        }
        seen[root] = Seen::OnTheWay;
        let mut stack = vec![(root, 0)];
        while let Some((node, next)) = stack.last_mut() {
            let node = *node;
            let Some(position) = leaving[node].get(*next) else {
                seen[node] = Seen::Done;
                finished.push(node);
                stack.pop();
                continue;
            };
            *next += 1;
            let to = plan.arcs[*position].to;
            match seen[to] {
                Seen::Not => {
                    seen[to] = Seen::OnTheWay;
                    stack.push((to, 0));
                }
                Seen::OnTheWay => back[*position] = true,
                Seen::Done => {}
            }
        }
    }
    finished.reverse();
    (back, finished)
}

/// Moves nodes within the room that their neighbours leave them, to where their edges are shorter.
fn shorten(order: &[usize], above: &[Vec<usize>], below: &[Vec<usize>], of: &mut [usize]) {
    for _ in 0..ROUNDS {
        let mut moved = false;
        for node in order.iter().rev() {
            let highest = above[*node].iter().map(|upper| of[*upper] + 1).max();
            let lowest = below[*node].iter().map(|lower| of[*lower] - 1).min();
            let wanted = match above[*node].len().cmp(&below[*node].len()) {
                std::cmp::Ordering::Less => lowest,
                std::cmp::Ordering::Equal => None,
                std::cmp::Ordering::Greater => highest,
            };
            if let Some(wanted) = wanted
                && wanted != of[*node]
            {
                of[*node] = wanted;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
}
