//! Who meets whom, so that all processes end with the same sum.

/// One meeting of a process with another.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meeting {
    /// Both give what they have; `earlier` says that this process has the rows before.
    Swap { with: usize, earlier: bool },
    /// Gives what it had before the last swap to a process that has no partner.
    Give { to: usize },
    /// Takes the sum over later rows.
    Take { from: usize },
}

/// The meetings of one of `n` processes, in order: log₂ n of them where `n` is a power of two.
///
/// Processes are halved as the shards of a pass are, the first half being the largest power of two below `n`; both halves
/// end with sums of their own, and then each process meets one of the other half. So the sums of `n` processes, each of
/// which has folded an equal power of two of shards, are those of one process that folds all shards.
pub(crate) fn meetings(rank: usize, n: usize) -> Vec<Meeting> {
    if n <= 1 {
        return Vec::new();
    }
    let left = n.next_power_of_two() / 2;
    let right = n - left;
    if rank < left {
        let mut meetings = meetings(rank, left);
        meetings.push(if rank < right {
            let (with, earlier) = (left + rank, true);
            Meeting::Swap { with, earlier }
        } else {
            let from = left + rank % right;
            Meeting::Take { from }
        });
        return meetings;
    }
    let place = rank - left;
    let mut meetings: Vec<Meeting> = meetings(place, right).into_iter().map(|meeting| meeting.moved_by(left)).collect();
    let (with, earlier) = (place, false);
    meetings.push(Meeting::Swap { with, earlier });
    let without_partner = (right..left).filter(|other| other % right == place);
    meetings.extend(without_partner.map(|to| Meeting::Give { to }));
    meetings
}

impl Meeting {
    /// The same among processes whose numbers are higher.
    fn moved_by(self, by: usize) -> Self {
        match self {
            Meeting::Swap { with, earlier } => Meeting::Swap { with: with + by, earlier },
            Meeting::Give { to } => Meeting::Give { to: to + by },
            Meeting::Take { from } => Meeting::Take { from: from + by },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays all meetings of `n` processes; what each ends with.
    fn play(n: usize) -> Vec<String> {
        let mut held: Vec<String> = (0..n).map(|rank| rank.to_string()).collect();
        let mut given = held.clone();
        let mut left: Vec<std::collections::VecDeque<Meeting>> = (0..n).map(|rank| meetings(rank, n).into()).collect();
        let joined = |a: &str, b: &str| format!("({a}{b})");
        while left.iter().any(|meetings| !meetings.is_empty()) {
            let mut moved = false;
            for rank in 0..n {
                let Some(&meeting) = left[rank].front() else { continue };
                let (other, expected) = match meeting {
                    Meeting::Swap { with, earlier } => (
                        with,
                        Meeting::Swap {
                            with: rank,
                            earlier: !earlier,
                        },
                    ),
                    Meeting::Give { to } => (to, Meeting::Take { from: rank }),
                    Meeting::Take { .. } => continue,
                };
                if left[other].front() != Some(&expected) {
                    continue;
                }
                let (mine, theirs) = (held[rank].clone(), held[other].clone());
                match meeting {
                    Meeting::Swap { earlier, .. } => {
                        let both = if earlier { joined(&mine, &theirs) } else { joined(&theirs, &mine) };
                        (given[rank], given[other]) = (mine, theirs);
                        (held[rank], held[other]) = (both.clone(), both);
                    }
                    _ => held[other] = joined(&theirs, &given[rank]),
                }
                left[rank].pop_front();
                left[other].pop_front();
                moved = true;
            }
            assert!(moved, "{n} processes wait for each other");
        }
        held
    }

    #[test]
    fn all_processes_end_with_the_same_fold_in_order() {
        assert_eq!(play(1), ["0"]);
        assert_eq!(play(3), vec!["((01)2)"; 3]);
        assert_eq!(play(4), vec!["((01)(23))"; 4]);
        for n in 2..40 {
            let all = play(n);
            assert!(all.iter().all(|one| *one == all[0]), "{n}: {all:?}");
            let order: String = all[0].chars().filter(|c| c.is_ascii_digit()).collect();
            assert_eq!(order, (0..n).map(|rank| rank.to_string()).collect::<String>());
        }
    }

    #[test]
    fn a_power_of_two_meets_as_often_as_it_can_be_halved() {
        for (n, expected) in [(2, 1), (8, 3), (32, 5)] {
            assert!((0..n).all(|rank| meetings(rank, n).len() == expected));
        }
    }
}
