//! Paths of states: stays, and how long they last.

use std::ops::Range;

/// The path of states that is most probable as a whole, every session by itself.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Decoded {
    /// `[n_rows]`: the state of each row. Rows without data have one, too: that of the most probable way through them.
    pub path: Vec<usize>,
    /// `ln P(counts, path)`, summed over sessions; at most the log-likelihood.
    pub log_probability: f64,
    /// Rows of each session.
    pub sessions: Vec<Range<usize>>,
}

/// A stay in a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dwell {
    /// The state.
    pub state: usize,
    /// Its rows.
    pub rows: Range<usize>,
    /// Whether it touches the start or the end of its session, and so may have been longer.
    pub is_cut: bool,
}

impl Decoded {
    /// Stays, in order.
    pub fn dwells(&self) -> Vec<Dwell> {
        dwells(&self.path, &self.sessions)
    }

    /// How often the state changes, within sessions.
    pub fn n_switches(&self) -> usize {
        self.dwells().len() - self.sessions.len()
    }
}

/// Stays of a path, in order.
pub(crate) fn dwells(path: &[usize], sessions: &[Range<usize>]) -> Vec<Dwell> {
    let mut all = Vec::new();
    for session in sessions {
        let mut start = session.start;
        for row in session.clone() {
            let ends = row + 1 == session.end;
            if ends || path[row + 1] != path[row] {
                all.push(Dwell {
                    state: path[row],
                    rows: start..row + 1,
                    is_cut: ends || start == session.start,
                });
                start = row + 1;
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_end_at_switches_and_at_borders_of_sessions() {
        let stays = dwells(&[0, 0, 1, 0, 0, 1], &[0..4, 4..6]);
        let all: Vec<(usize, Range<usize>, bool)> = stays.into_iter().map(|dwell| (dwell.state, dwell.rows, dwell.is_cut)).collect();
        assert_eq!(
            all,
            [(0, 0..2, true), (1, 2..3, false), (0, 3..4, true), (0, 4..5, true), (1, 5..6, true)]
        );
    }
}
