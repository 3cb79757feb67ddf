//! The chain alone: recursions over one session, on the host and in double precision, whatever gave the log-emissions.

pub(crate) mod backward;
pub(crate) mod forward;
pub(crate) mod paths;
pub(crate) mod steps;
#[cfg(test)]
mod tests;
pub(crate) mod viterbi;
