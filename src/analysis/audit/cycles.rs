//! The loops of a definition.

use super::subject::Subject;

/// The loops that Next, rules and Default make, as positions in [`Subject::states`], each in order: the strongly connected components
/// with a way around (Tarjan 1972), without recursion, as there may be as many states as fit into a definition.
pub fn cycles(subject: &Subject<'_>) -> Vec<Vec<usize>> {
    let count = subject.states.len();
    let mut search = Search { index: vec![None; count], low: vec![0; count], is_open: vec![false; count], open: Vec::new(), next: 0 };
    let mut found = Vec::new();
    for root in 0..count {
        if search.index[root].is_none() {
            search.from(subject, root, &mut found);
        }
    }
    found.retain(|component: &Vec<usize>| component.len() > 1 || subject.states[component[0]].next.contains(&component[0]));
    found.iter_mut().for_each(|component| component.sort_unstable());
    found.sort();
    found
}

struct Search {
    /// In which order states were met.
    index: Vec<Option<usize>>,
    /// The earliest state that one leads back to.
    low: Vec<usize>,
    is_open: Vec<bool>,
    open: Vec<usize>,
    next: usize,
}

impl Search {
    fn from(&mut self, subject: &Subject<'_>, root: usize, found: &mut Vec<Vec<usize>>) {
        self.meet(root);
        let mut way = vec![(root, 0)];
        while let Some((at, edge)) = way.pop() {
            if let Some(next) = subject.states[at].next.get(edge).copied() {
                way.push((at, edge + 1));
                match self.index[next] {
                    None => {
                        self.meet(next);
                        way.push((next, 0));
                    }
                    Some(index) if self.is_open[next] => self.low[at] = self.low[at].min(index),
                    Some(_) => {}
                }
                continue;
            }
            if let Some((parent, _)) = way.last() {
                self.low[*parent] = self.low[*parent].min(self.low[at]);
            }
            if self.index[at] == Some(self.low[at]) {
                let start = self.open.iter().rposition(|open| *open == at).unwrap_or_default();
                let component = self.open.split_off(start);
                component.iter().for_each(|state| self.is_open[*state] = false);
                found.push(component);
            }
        }
    }

    fn meet(&mut self, at: usize) {
        self.index[at] = Some(self.next);
        self.low[at] = self.next;
        self.next += 1;
        self.is_open[at] = true;
        self.open.push(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asl::check::MachineType;
    use crate::asl::source::Source;

    fn loops(states: &[(&str, &[&str])]) -> Vec<Vec<String>> {
        let state = |ways: &[&str]| {
            let rules: Vec<_> = ways.iter().map(|way| serde_json::json!({"Next": way})).collect();
            serde_json::json!({"Type": "Choice", "Choices": rules})
        };
        let states: serde_json::Map<_, _> = states.iter().map(|(name, ways)| ((*name).to_owned(), state(ways))).collect();
        let text = serde_json::json!({"StartAt": "A", "States": states}).to_string();
        let source = Source::read(text.as_bytes(), None).expect("a definition");
        let subject = Subject::new(&source, MachineType::Standard);
        let named = |cycle: Vec<usize>| cycle.into_iter().map(|at| subject.states[at].name.to_owned()).collect();
        cycles(&subject).into_iter().map(named).collect()
    }

    #[test]
    fn loops_are_found_with_all_their_states() {
        assert_eq!(loops(&[("A", &["B"]), ("B", &["C"]), ("C", &["B", "D"]), ("D", &[])]), [["B", "C"]]);
        assert_eq!(loops(&[("A", &["A", "B"]), ("B", &[])]), [["A"]]);
        assert!(loops(&[("A", &["B", "C"]), ("B", &["C"]), ("C", &[])]).is_empty(), "ways that meet are no loop");
    }

    #[test]
    fn loops_that_share_a_state_are_one() {
        assert_eq!(loops(&[("A", &["B", "C"]), ("B", &["A"]), ("C", &["A"])]), [["A", "B", "C"]]);
    }

    #[test]
    fn a_long_way_does_not_exhaust_the_stack() {
        let names: Vec<String> = (0..20_000).map(|number| format!("S{number}")).collect();
        let ways: Vec<[&str; 1]> = (0..names.len()).map(|at| [names[(at + 1) % names.len()].as_str()]).collect();
        let states: Vec<(&str, &[&str])> = names.iter().map(String::as_str).zip(ways.iter().map(|way| &way[..])).collect();
        assert_eq!(loops(&states).len(), 1);
    }
}
