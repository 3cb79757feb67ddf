//! Which data each problem sees.

use std::sync::Arc;

use nemos_core::check_columns_exist;

use crate::Error;

/// Which data each problem sees: problems outnumber neurons where there are folds, strengths, states or replicates.
///
/// # Example
/// Two folds of two neurons: problem `2 f + n` is neuron `n` without the rows of fold `f`.
/// ```
/// use nemos_glm::Problems;
/// let problems = Problems::of_responses([0, 1, 0, 1]).leaving_out(vec![0, 0, 1, 1], [Some(0), Some(0), Some(1), Some(1)])?;
/// assert_eq!(problems.n_problems(), 4);
/// # Ok::<(), nemos_glm::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Problems {
    responses: Vec<usize>,
    weights: Option<Vec<usize>>,
    folds: Option<Folds>,
    divisors: Option<Vec<f64>>,
}

/// Which rows each problem leaves out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Folds {
    /// The fold of every row of the data.
    pub(crate) of_row: Arc<[u8]>,
    /// The folds that each problem leaves out.
    pub(crate) left_out: Vec<FoldSet>,
}

/// A set of folds.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct FoldSet([u64; 4]);

impl FoldSet {
    pub(crate) fn contains(self, fold: u8) -> bool {
        self.0[usize::from(fold) / 64] >> (fold % 64) & 1 == 1
    }
}

impl FromIterator<u8> for FoldSet {
    fn from_iter<I: IntoIterator<Item = u8>>(folds: I) -> Self {
        folds.into_iter().fold(FoldSet::default(), |mut set, fold| {
            set.0[usize::from(fold) / 64] |= 1 << (fold % 64);
            set
        })
    }
}

impl Problems {
    /// One problem for each column of the counts.
    pub fn one_per_response(n_responses: usize) -> Self {
        Problems::of_responses(0..n_responses)
    }

    /// One problem for each of these columns of the counts, repeats allowed.
    pub fn of_responses(responses: impl IntoIterator<Item = usize>) -> Self {
        Problems {
            responses: responses.into_iter().collect(),
            weights: None,
            folds: None,
            divisors: None,
        }
    }

    /// With the column of the weights that each problem takes; without, it is the one of its response. Where data have no weights, as
    /// before the first step of a hidden Markov model, every row counts as one.
    ///
    /// # Errors
    /// [`Error::PerProblem`] unless there is one for each problem.
    pub fn weighted_by(mut self, columns: impl IntoIterator<Item = usize>) -> Result<Self, Error> {
        let columns: Vec<usize> = columns.into_iter().collect();
        self.check("columns of weights", columns.len())?;
        self.weights = Some(columns);
        Ok(self)
    }

    /// With rows that problems leave out: the fold of each row of the data, and the fold that each problem leaves out, if
    /// any.
    ///
    /// # Errors
    /// [`Error::PerProblem`] unless there is one for each problem.
    pub fn leaving_out(self, fold_of_row: Vec<u8>, left_out: impl IntoIterator<Item = Option<u8>>) -> Result<Self, Error> {
        self.leaving_out_each(fold_of_row, left_out)
    }

    /// With rows that problems leave out: the fold of each row of the data, and all folds that each problem leaves out. Where
    /// what problems leave out overlaps, as with gaps around test rows, a fold is the rows that the same problems leave out.
    ///
    /// # Errors
    /// [`Error::PerProblem`] unless there is one set for each problem.
    ///
    /// # Example
    /// Rows 2 and 3 are kept apart from either end.
    /// ```
    /// use nemos_glm::Problems;
    /// let problems = Problems::of_responses([0, 0]).leaving_out_each(vec![0, 0, 1, 2, 3, 3], [vec![0, 1], vec![2, 3]])?;
    /// assert_eq!(problems.n_problems(), 2);
    /// # Ok::<(), nemos_glm::Error>(())
    /// ```
    pub fn leaving_out_each<F: IntoIterator<Item = u8>>(
        mut self,
        fold_of_row: Vec<u8>,
        left_out: impl IntoIterator<Item = F>,
    ) -> Result<Self, Error> {
        let left_out: Vec<FoldSet> = left_out.into_iter().map(FoldSet::from_iter).collect();
        self.check("folds to leave out", left_out.len())?;
        self.folds = Some(Folds {
            of_row: fold_of_row.into(),
            left_out,
        });
        Ok(self)
    }

    /// With the number that the weighted losses of each problem are divided by: without, it is the sum of its weights.
    /// The maximisation step of a hidden Markov model divides by what does not change between steps.
    ///
    /// # Errors
    /// [`Error::PerProblem`] unless there is one for each problem.
    pub fn divided_by(mut self, divisors: impl IntoIterator<Item = f64>) -> Result<Self, Error> {
        let divisors: Vec<f64> = divisors.into_iter().collect();
        self.check("divisors", divisors.len())?;
        if let Some(&got) = divisors.iter().find(|divisor| !(divisor.is_finite() && **divisor > 0.0)) {
            return Err(Error::Option(nemos_solvers::Error::Option {
                option: "divisor of a problem",
                got,
                expected: "finite and above zero",
            }));
        }
        self.divisors = Some(divisors);
        Ok(self)
    }

    /// How many there are.
    pub fn n_problems(&self) -> usize {
        self.responses.len()
    }

    /// The column of the counts of a problem.
    pub fn response(&self, problem: usize) -> usize {
        self.responses[problem]
    }

    /// The column of the counts of each problem.
    pub(crate) fn responses(&self) -> Vec<usize> {
        self.responses.clone()
    }

    /// The column of `width` columns of weights that a problem takes: one column is for all.
    pub(crate) fn weight_column(&self, problem: usize, width: usize) -> usize {
        let column = self.weights.as_ref().map_or(self.responses[problem], |weights| weights[problem]);
        if width == 1 { 0 } else { column }
    }

    /// The first problem of the same counts under the same weights, whatever rows it leaves out.
    pub(crate) fn akin(&self, problem: usize) -> usize {
        let kind = |problem: usize| (self.responses[problem], self.weights.as_ref().map(|weights| weights[problem]));
        (0..problem).find(|&other| kind(other) == kind(problem)).unwrap_or(problem)
    }

    /// The column of `width` columns of an offset that a problem takes: one column is for all.
    pub(crate) fn offset_column(&self, problem: usize, width: usize) -> usize {
        if width == 1 { 0 } else { self.responses[problem] }
    }

    /// The same problems, leaving out no rows.
    pub(crate) fn of_all_rows(self) -> Self {
        Problems { folds: None, ..self }
    }

    /// Whether the columns of the weights were named.
    pub(crate) fn has_weight_columns(&self) -> bool {
        self.weights.is_some()
    }

    pub(crate) fn folds(&self) -> Option<&Folds> {
        self.folds.as_ref()
    }

    pub(crate) fn divisors(&self) -> Option<&[f64]> {
        self.divisors.as_deref()
    }

    /// Whether these problems are all columns of the counts, in order.
    pub(crate) fn are_all_responses(&self, problems: &[usize], n_responses: usize) -> bool {
        problems.len() == n_responses
            && problems
                .iter()
                .enumerate()
                .all(|(place, &problem)| self.responses[problem] == place)
    }

    /// Checks against the data.
    pub(crate) fn validate(&self, n_rows: usize, n_responses: usize, weight_columns: Option<usize>) -> Result<(), Error> {
        check_columns_exist(&self.responses, n_responses)?;
        if let (Some(weights), Some(available)) = (&self.weights, weight_columns)
            && available > 1
        {
            check_columns_exist(weights, available)?;
        }
        match &self.folds {
            Some(folds) if folds.of_row.len() != n_rows => Err(nemos_core::Error::RowsDiffer {
                left_name: "design",
                left: n_rows,
                right_name: "folds",
                right: folds.of_row.len(),
            }
            .into()),
            _ => Ok(()),
        }
    }

    fn check(&self, what: &'static str, got: usize) -> Result<(), Error> {
        let expected = self.responses.len();
        if got == expected {
            Ok(())
        } else {
            Err(Error::PerProblem { what, got, expected })
        }
    }
}

impl Folds {
    /// How many folds there are: one more than the highest.
    pub(crate) fn n_folds(&self) -> usize {
        self.of_row.iter().max().map_or(0, |&highest| usize::from(highest) + 1)
    }

    /// Whether a problem leaves out a row of the data.
    pub(crate) fn leaves_out(&self, problem: usize, row: usize) -> bool {
        self.left_out[problem].contains(self.of_row[row])
    }

    /// `[n_folds][problems]`: one where a problem keeps the rows of a fold, zero where it leaves them out.
    pub(crate) fn kept(&self, problems: &[usize]) -> Vec<Vec<f64>> {
        let keeps = |problem: usize, fold: usize| f64::from(u8::from(!self.left_out[problem].contains(fold as u8)));
        let of_fold = |fold| problems.iter().map(|&problem| keeps(problem, fold)).collect();
        (0..self.n_folds()).map(of_fold).collect()
    }
}
