//! What processes tell each other: sums, a failure, or that one has ended.

use crate::{Digest, Error};

/// What a process brings to a meeting, and leaves it with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Message<T> {
    Sums(T),
    /// The process of this number failed, and why.
    Failed(usize, String),
    /// The process of this number has nothing more to do.
    Ended(usize),
}

/// How the sums of processes become one.
pub(crate) struct Reduction<'w, T> {
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
pub(crate) const END: u64 = Digest::of_text("end");

impl<T> Message<T> {
    pub(crate) fn pack(&self, reduction: &Reduction<'_, T>) -> Vec<f64> {
        match self {
            Message::Sums(sums) => {
                let mut message = vec![SUMS, f64::from_bits(reduction.key)];
                (reduction.pack)(sums, &mut message);
                message
            }
            Message::Failed(rank, why) => [FAILED, *rank as f64].into_iter().chain(why.bytes().map(f64::from)).collect(),
            Message::Ended(rank) => vec![ENDED, *rank as f64],
        }
    }

    /// What the process `from` said.
    pub(crate) fn unpack(message: &[f64], from: usize, reduction: &Reduction<'_, T>) -> Self {
        let &[kind, second, ref rest @ ..] = message else {
            return Message::apart(from);
        };
        if kind == FAILED {
            let why: Vec<u8> = rest.iter().map(|byte| *byte as u8).collect();
            return Message::Failed(second as usize, String::from_utf8_lossy(&why).into_owned());
        }
        if kind == ENDED {
            return Message::Ended(second as usize);
        }
        match (reduction.unpack)(rest) {
            Some(sums) if second.to_bits() == reduction.key || reduction.key == END => Message::Sums(sums),
            _ => Message::apart(from),
        }
    }

    fn apart(from: usize) -> Self {
        let why = "is at another step than the others: all processes must make the same calls with the same settings, and run on \
                   processors of one kind with as many threads each";
        Message::Failed(from, why.into())
    }

    /// What is known after a meeting, from what was said of earlier and of later rows.
    pub(crate) fn and(self, later: Self, reduction: &Reduction<'_, T>) -> Self {
        match (self, later) {
            (Message::Sums(before), Message::Sums(after)) => Message::Sums((reduction.merge)(before, after)),
            (Message::Failed(rank, why), _) | (_, Message::Failed(rank, why)) => Message::Failed(rank, why),
            (Message::Ended(rank), Message::Ended(_)) => Message::Ended(rank),
            (Message::Ended(rank), _) | (_, Message::Ended(rank)) => Message::Failed(rank, "has ended before the others".into()),
        }
    }

    /// The sums, or why there are none.
    pub(crate) fn sums(self) -> Result<T, Error> {
        match self {
            Message::Sums(sums) => Ok(sums),
            Message::Failed(rank, reason) => Err(Error::Process { rank, reason }),
            Message::Ended(rank) => Err(Error::no_process(rank)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reduction<'w>() -> Reduction<'w, f64> {
        Reduction {
            key: u64::MAX,
            pack: &|sum, to| to.push(*sum),
            unpack: &|from| from.first().copied(),
            merge: &|a, b| a + b,
        }
    }

    #[test]
    fn what_was_said_is_what_was_heard() {
        for said in [Message::Sums(0.1), Message::Failed(3, "größer".into()), Message::Ended(2)] {
            assert_eq!(Message::unpack(&said.pack(&reduction()), 1, &reduction()), said);
        }
        let other = Reduction { key: 7, ..reduction() };
        for strange in [Message::Sums(0.1).pack(&other), vec![], vec![SUMS, f64::from_bits(u64::MAX)]] {
            assert!(matches!(Message::unpack(&strange, 1, &reduction()), Message::Failed(1, _)));
        }
    }

    #[test]
    fn a_failure_or_an_end_is_told_to_all() {
        let failed = || Message::Failed(1, "no file".into());
        assert_eq!(Message::Sums(1.0).and(Message::Sums(2.0), &reduction()), Message::Sums(3.0));
        for (a, b) in [(failed(), Message::Sums(1.0)), (Message::Ended(0), failed())] {
            assert_eq!(a.and(b, &reduction()), failed());
        }
        assert!(matches!(
            Message::Sums(1.0).and(Message::Ended(4), &reduction()),
            Message::Failed(4, _)
        ));
        assert_eq!(Message::Ended(0).and(Message::Ended(1), &reduction()), Message::Ended(0));
    }
}
