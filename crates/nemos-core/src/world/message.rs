//! What processes tell each other: sums, a failure, or that one has ended.

use crate::Error;

/// What a process brings to a meeting, and leaves it with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said<T> {
    Sums(T),
    /// The process of this number failed, and why.
    Failed(usize, String),
    /// The process of this number has nothing more to do.
    Ended(usize),
}

/// How sums become numbers, and meet.
pub(crate) struct Ways<'w, T> {
    /// What has to be the same in all processes.
    pub(crate) key: u64,
    pub(crate) pack: &'w dyn Fn(&T, &mut Vec<f64>),
    pub(crate) unpack: &'w dyn Fn(&[f64]) -> Option<T>,
    /// Sums over rows before, and over rows after.
    pub(crate) merge: &'w dyn Fn(T, T) -> T,
}

// Kinds of messages: the first number of each. The second one is the key or the number of a process.
const SUMS: f64 = 0.0;
const FAILED: f64 = 1.0;
const ENDED: f64 = 2.0;

/// The key of a process that has nothing more to do: it meets whatever the others do.
pub(crate) const END: u64 = 3;

impl<T> Said<T> {
    pub(crate) fn pack(&self, ways: &Ways<'_, T>) -> Vec<f64> {
        match self {
            Said::Sums(sums) => {
                let mut message = vec![SUMS, f64::from_bits(ways.key)];
                (ways.pack)(sums, &mut message);
                message
            }
            Said::Failed(rank, why) => [FAILED, *rank as f64].into_iter().chain(why.bytes().map(f64::from)).collect(),
            Said::Ended(rank) => vec![ENDED, *rank as f64],
        }
    }

    /// What the process `from` said.
    pub(crate) fn unpack(message: &[f64], from: usize, ways: &Ways<'_, T>) -> Self {
        let &[kind, second, ref rest @ ..] = message else {
            return Said::apart(from);
        };
        if kind == FAILED {
            let why: Vec<u8> = rest.iter().map(|byte| *byte as u8).collect();
            return Said::Failed(second as usize, String::from_utf8_lossy(&why).into_owned());
        }
        if kind == ENDED {
            return Said::Ended(second as usize);
        }
        match (ways.unpack)(rest) {
            Some(sums) if second.to_bits() == ways.key || ways.key == END => Said::Sums(sums),
            _ => Said::apart(from),
        }
    }

    fn apart(from: usize) -> Self {
        let why = "is at another step than the others: all processes must make the same calls with the same settings, and run on \
                   processors of one kind with as many threads each";
        Said::Failed(from, why.into())
    }

    /// What is known after a meeting, from what was said of earlier and of later rows.
    pub(crate) fn and(self, later: Self, ways: &Ways<'_, T>) -> Self {
        match (self, later) {
            (Said::Sums(before), Said::Sums(after)) => Said::Sums((ways.merge)(before, after)),
            (Said::Failed(rank, why), _) | (_, Said::Failed(rank, why)) => Said::Failed(rank, why),
            (Said::Ended(rank), Said::Ended(_)) => Said::Ended(rank),
            (Said::Ended(rank), _) | (_, Said::Ended(rank)) => Said::Failed(rank, "has ended before the others".into()),
        }
    }

    /// The sums, or why there are none.
    pub(crate) fn sums(self) -> Result<T, Error> {
        match self {
            Said::Sums(sums) => Ok(sums),
            Said::Failed(rank, reason) => Err(Error::Process { rank, reason }),
            Said::Ended(rank) => Err(Error::no_process(rank)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ways<'w>() -> Ways<'w, f64> {
        Ways {
            key: u64::MAX,
            pack: &|sum, to| to.push(*sum),
            unpack: &|from| from.first().copied(),
            merge: &|a, b| a + b,
        }
    }

    #[test]
    fn what_was_said_is_what_was_heard() {
        for said in [Said::Sums(0.1), Said::Failed(3, "größer".into()), Said::Ended(2)] {
            assert_eq!(Said::unpack(&said.pack(&ways()), 1, &ways()), said);
        }
        let other = Ways { key: 7, ..ways() };
        for strange in [Said::Sums(0.1).pack(&other), vec![], vec![SUMS, f64::from_bits(u64::MAX)]] {
            assert!(matches!(Said::unpack(&strange, 1, &ways()), Said::Failed(1, _)));
        }
    }

    #[test]
    fn a_failure_or_an_end_is_told_to_all() {
        let failed = || Said::Failed(1, "no file".into());
        assert_eq!(Said::Sums(1.0).and(Said::Sums(2.0), &ways()), Said::Sums(3.0));
        for (a, b) in [(failed(), Said::Sums(1.0)), (Said::Ended(0), failed())] {
            assert_eq!(a.and(b, &ways()), failed());
        }
        assert!(matches!(Said::Sums(1.0).and(Said::Ended(4), &ways()), Said::Failed(4, _)));
        assert_eq!(Said::Ended(0).and(Said::Ended(1), &ways()), Said::Ended(0));
    }
}
