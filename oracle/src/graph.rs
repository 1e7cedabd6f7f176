//! The graph of states: who can still move, who can still end, where it ends.
//!
//! Knows states by number only. Does not know what is in them.

/// States and the steps between them, in the order of the search.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    /// For each state that was expanded, where its steps end in `targets`.
    ends: Vec<usize>,
    targets: Vec<u32>,
    /// Which thread does each step.
    threads: Vec<u16>,
}

/// A set of threads, of up to 64 of them.
pub(crate) type Mask = u64;

/// Strongly connected components.
#[derive(Debug)]
pub(crate) struct Components {
    /// Whether any step is part of a cycle.
    pub(crate) endless: bool,
    /// One state of each component that cannot be left.
    pub(crate) last: Vec<u32>,
}

impl Graph {
    pub(crate) fn add(&mut self, target: u32, thread: u16) {
        self.targets.push(target);
        self.threads.push(thread);
    }

    /// All steps of the next state have been added.
    pub(crate) fn expanded(&mut self) {
        self.ends.push(self.targets.len());
    }

    pub(crate) fn transitions(&self) -> usize {
        self.targets.len()
    }

    pub(crate) fn is_expanded(&self, state: u32) -> bool {
        (state as usize) < self.ends.len()
    }

    pub(crate) fn is_terminal(&self, state: u32) -> bool {
        self.is_expanded(state) && self.steps(state).is_empty()
    }

    fn steps(&self, state: u32) -> std::ops::Range<usize> {
        let state = state as usize;
        let start = match state {
            0 => 0,
            _ => self.ends.get(state - 1).copied().unwrap_or(0),
        };
        start..self.ends.get(state).copied().unwrap_or(start)
    }

    /// For each state, which of the 64 threads from `first` on do a step now or later.
    pub(crate) fn movers(&self, states: usize, first: usize) -> Vec<Mask> {
        let mut masks = vec![0; states];
        for state in 0..self.ends.len() as u32 {
            for step in self.steps(state) {
                if let Some(bit) = usize::from(self.threads[step]).checked_sub(first)
                    && bit < 64
                {
                    masks[state as usize] |= 1 << bit;
                }
            }
        }
        masks
    }

    /// Adds to each state's set what the states that can be reached from it have. What comes after
    /// a state that was not expanded is unknown: anything.
    pub(crate) fn spread_back(&self, masks: &mut [Mask]) {
        let states = masks.len();
        for mask in &mut masks[self.ends.len()..] {
            *mask = Mask::MAX;
        }
        // Steps by target: counted, summed up, filled in.
        let mut starts = vec![0_u32; states + 1];
        for target in &self.targets {
            starts[*target as usize + 1] += 1;
        }
        for state in 0..states {
            starts[state + 1] += starts[state];
        }
        let mut sources = vec![0_u32; self.targets.len()];
        let mut next = starts.clone();
        for state in 0..self.ends.len() as u32 {
            for step in self.steps(state) {
                let place = &mut next[self.targets[step] as usize];
                sources[*place as usize] = state;
                *place += 1;
            }
        }
        let mut changed: Vec<u32> = (0..states as u32)
            .filter(|state| masks[*state as usize] != 0)
            .collect();
        while let Some(state) = changed.pop() {
            let mask = masks[state as usize];
            let range = starts[state as usize] as usize..starts[state as usize + 1] as usize;
            for source in &sources[range] {
                let before = &mut masks[*source as usize];
                if mask & !*before != 0 {
                    *before |= mask;
                    changed.push(*source);
                }
            }
        }
    }

    /// The strongly connected components, by Tarjan's algorithm with its own stack.
    pub(crate) fn components(&self, states: usize) -> Components {
        let mut walk = Walk {
            graph: self,
            low: vec![UNSEEN; states],
            done: vec![false; states],
            left: vec![false; states],
            open: Vec::new(),
            path: Vec::new(),
            count: 0,
            found: Components {
                endless: false,
                last: Vec::new(),
            },
        };
        for root in 0..states as u32 {
            if walk.low[root as usize] == UNSEEN {
                walk.enter(root);
                while !walk.path.is_empty() {
                    walk.follow();
                }
            }
        }
        walk.found
    }
}

const UNSEEN: u32 = u32::MAX;

/// A state on the path of a depth-first walk.
struct Visit {
    state: u32,
    /// Its number in the order of the walk.
    index: u32,
    /// The step to be followed next.
    step: usize,
}

struct Walk<'a> {
    graph: &'a Graph,
    /// The smallest index of an open state that is known to be reached.
    low: Vec<u32>,
    /// The state's component is complete.
    done: Vec<bool>,
    /// A step leads out of the component, as far as that is known below this state.
    left: Vec<bool>,
    /// The states of incomplete components.
    open: Vec<u32>,
    path: Vec<Visit>,
    count: u32,
    found: Components,
}

impl Walk<'_> {
    fn enter(&mut self, state: u32) {
        self.low[state as usize] = self.count;
        self.open.push(state);
        self.path.push(Visit {
            state,
            index: self.count,
            step: self.graph.steps(state).start,
        });
        self.count += 1;
    }

    /// Follows one more step of the last state of the path, or goes back from it.
    fn follow(&mut self) {
        let Some(visit) = self.path.last_mut() else {
            return;
        };
        let at = visit.state as usize;
        if visit.step == self.graph.steps(visit.state).end {
            self.go_back();
            return;
        }
        let target = self.graph.targets[visit.step];
        visit.step += 1;
        if self.low[target as usize] == UNSEEN {
            self.enter(target);
        } else if self.done[target as usize] {
            self.left[at] = true;
        } else {
            self.low[at] = self.low[at].min(self.low[target as usize]);
            self.found.endless = true;
        }
    }

    fn go_back(&mut self) {
        let Some(Visit { state, index, .. }) = self.path.pop() else {
            return;
        };
        let at = state as usize;
        let complete = self.low[at] == index;
        if complete {
            while let Some(member) = self.open.pop() {
                self.done[member as usize] = true;
                if member == state {
                    break;
                }
            }
            if !self.left[at] && self.graph.is_expanded(state) {
                self.found.last.push(state);
            }
        }
        if let Some(parent) = self.path.last() {
            let parent = parent.state as usize;
            self.left[parent] |= complete || self.left[at];
            if !complete {
                self.low[parent] = self.low[parent].min(self.low[at]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Graph;

    fn graph(steps: &[&[(u32, u16)]]) -> Graph {
        let mut graph = Graph::default();
        for from in steps {
            for (target, thread) in *from {
                graph.add(*target, *thread);
            }
            graph.expanded();
        }
        graph
    }

    #[test]
    fn components_that_cannot_be_left_are_the_last() {
        // 0 -> 1 <-> 2, 2 -> 3 (ends), 0 -> 4 <-> 5.
        let graph = graph(&[
            &[(1, 0), (4, 1)],
            &[(2, 0)],
            &[(1, 0), (3, 1)],
            &[],
            &[(5, 0)],
            &[(4, 0)],
        ]);
        let mut found = graph.components(6);
        found.last.sort_unstable();
        assert!(found.endless);
        assert_eq!(found.last, [3, 4]);
    }

    #[test]
    fn a_diamond_has_no_cycle() {
        let graph = graph(&[&[(1, 0), (2, 1)], &[(3, 1)], &[(3, 0)], &[]]);
        let found = graph.components(4);
        assert!(!found.endless);
        assert_eq!(found.last, [3]);
    }

    #[test]
    fn who_moves_later_spreads_back_and_the_unknown_is_anything() {
        let graph = graph(&[&[(1, 0), (2, 1)], &[(1, 70)], &[(3, 2)]]);
        let mut masks = graph.movers(4, 0);
        graph.spread_back(&mut masks);
        assert_eq!(masks, [u64::MAX, 0, u64::MAX, u64::MAX]);
        let mut masks = graph.movers(4, 64);
        graph.spread_back(&mut masks);
        assert_eq!(masks, [u64::MAX, 1 << 6, u64::MAX, u64::MAX]);
    }
}
