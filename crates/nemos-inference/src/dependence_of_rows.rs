//! How rows depend on each other: clusters, and lags.

use std::collections::HashMap;

use nemos_core::{Backend, Design};

use crate::Error;
use crate::error::check_length;

/// Which rows may depend on each other: those of one cluster.
///
/// # Example
/// ```
/// use nemos_inference::{Clusters, Covariance};
/// let by_trial = Covariance::Cluster(Clusters::segments());
/// let by_session = Covariance::Cluster(Clusters::labels(vec![0, 0, 1, 1]));
/// assert_ne!(by_trial, by_session);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clusters {
    labels: Option<Vec<usize>>,
    groups_only: bool,
}

impl Clusters {
    /// The segments of the design: its trials or epochs.
    pub fn segments() -> Self {
        Clusters {
            labels: None,
            groups_only: false,
        }
    }

    /// A label for each row; clusters need not be contiguous.
    pub fn labels(labels: Vec<usize>) -> Self {
        Clusters {
            labels: Some(labels),
            groups_only: false,
        }
    }

    /// With the factor `G/(G − 1)` alone, without `(n − 1)/(n − p)`: R's `vcovCL` for a GLM.
    #[must_use]
    pub fn groups_only(mut self) -> Self {
        self.groups_only = true;
        self
    }

    pub(crate) fn is_of_groups_only(&self) -> bool {
        self.groups_only
    }

    /// The cluster of every row, from 0 in order of appearance.
    pub(crate) fn of_rows<B: Backend>(&self, design: &Design<'_, B>) -> Result<Vec<usize>, Error> {
        match &self.labels {
            None => {
                let segments = design.segments();
                let ranges = segments.ranges().iter().enumerate();
                Ok(ranges.flat_map(|(segment, range)| range.clone().map(move |_| segment)).collect())
            }
            Some(labels) => {
                design.check_whole("a covariance by labels")?;
                check_length(
                    "the labels of clusters",
                    "entries",
                    labels.len(),
                    (design.n_rows(), "one per row of the design"),
                )?;
                let mut known = HashMap::new();
                let number = |label: &usize| {
                    let next = known.len();
                    *known.entry(*label).or_insert(next)
                };
                Ok(labels.iter().map(number).collect())
            }
        }
    }
}

/// How far apart rows may be and still depend on each other.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Lag {
    /// So many rows.
    Rows(usize),
    /// So many seconds, by the times of the design.
    Seconds(f64),
    /// `⌊4 (n/100)^(2/9)⌋` rows, as statsmodels has it: 21 rows for an hour in bins of a millisecond, far below the time over which
    /// behaviour changes. Better to say how long that is.
    RuleOfThumb,
}

impl Lag {
    /// The number of rows, and how it was found.
    pub(crate) fn rows<B: Backend>(self, design: &Design<'_, B>) -> Result<(usize, String), Error> {
        let n_rows = design.n_rows_of_all();
        let (rows, how) = match self {
            Lag::Rows(rows) => (rows, String::new()),
            Lag::RuleOfThumb => {
                let rows = (4.0 * (n_rows as f64 / 100.0).powf(2.0 / 9.0)).floor() as usize;
                (rows, " by the rule of thumb".into())
            }
            Lag::Seconds(seconds) if !(seconds.is_finite() && seconds >= 0.0) => return Err(Error::Lag { got: seconds }),
            Lag::Seconds(seconds) => {
                let times = design.times().filter(|times| times.len() > 1).ok_or(Error::NoTimes { seconds })?;
                let mut steps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
                let middle = steps.len() / 2;
                let (_, step, _) = steps.select_nth_unstable_by(middle, f64::total_cmp);
                // One step for all processes.
                let step = design.gathered(vec![*step])?[0][0];
                ((seconds / step).round() as usize, format!(" ({seconds} s)"))
            }
        };
        // Over all rows scores sum to zero, and so would the covariance. Equal times have steps of zero.
        if rows > 0 && rows >= n_rows {
            return Err(Error::LagOfAll { rows, n_rows });
        }
        Ok((rows, how))
    }
}
