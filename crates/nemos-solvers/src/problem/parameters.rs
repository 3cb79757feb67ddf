//! Parameters: one column per problem.

use ndarray::Array2;

/// `[n_parameters, n_problems]`, each column contiguous: the coefficients of one problem, then its intercept.
///
/// # Example
/// ```
/// use nemos_solvers::Parameters;
/// let mut parameters = Parameters::zeros(3, 2);
/// parameters.column_mut(1)[2] = -0.5;
/// assert_eq!(parameters.column(1), [0.0, 0.0, -0.5]);
/// ```
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Loaded")]
pub struct Parameters {
    values: Vec<f64>,
    n_parameters: usize,
}

/// What a file says, before it is checked.
#[derive(serde::Deserialize)]
struct Loaded {
    values: Vec<f64>,
    n_parameters: usize,
}

impl TryFrom<Loaded> for Parameters {
    type Error = &'static str;

    fn try_from(Loaded { values, n_parameters }: Loaded) -> Result<Self, &'static str> {
        if values.len().is_multiple_of(n_parameters) {
            Ok(Parameters { values, n_parameters })
        } else {
            Err("the number of values is no multiple of n_parameters")
        }
    }
}

impl Parameters {
    /// All zero.
    pub fn zeros(n_parameters: usize, n_problems: usize) -> Self {
        Parameters {
            values: vec![0.0; n_parameters * n_problems],
            n_parameters,
        }
    }

    /// From columns of equal length.
    ///
    /// # Panics
    /// If the columns differ in length, which is a mistake in the caller's code.
    pub fn from_columns<'a>(n_parameters: usize, columns: impl IntoIterator<Item = &'a [f64]>) -> Self {
        let mut values = Vec::new();
        for column in columns {
            assert_eq!(column.len(), n_parameters, "invariant: every column has n_parameters values");
            values.extend_from_slice(column);
        }
        Parameters { values, n_parameters }
    }

    /// Parameters per problem.
    pub fn n_parameters(&self) -> usize {
        self.n_parameters
    }

    /// Number of problems.
    pub fn n_problems(&self) -> usize {
        self.values.len() / self.n_parameters.max(1)
    }

    /// The parameters of one problem.
    pub fn column(&self, problem: usize) -> &[f64] {
        &self.values[problem * self.n_parameters..(problem + 1) * self.n_parameters]
    }

    /// The parameters of one problem, to change.
    pub fn column_mut(&mut self, problem: usize) -> &mut [f64] {
        &mut self.values[problem * self.n_parameters..(problem + 1) * self.n_parameters]
    }

    /// The columns, in order.
    pub fn columns(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.n_parameters.max(1))
    }

    /// All values, column after column.
    pub fn as_slice(&self) -> &[f64] {
        &self.values
    }

    /// All values, column after column, to change.
    pub fn as_mut_slice(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// The columns of these problems, in this order.
    pub fn select(&self, problems: &[usize]) -> Self {
        Parameters::from_columns(self.n_parameters, problems.iter().map(|&problem| self.column(problem)))
    }

    /// The first `n_rows` parameters of every problem as an array `[n_rows, n_problems]`.
    pub fn to_array(&self, n_rows: usize) -> Array2<f64> {
        Array2::from_shape_fn((n_rows, self.n_problems()), |(row, problem)| self.column(problem)[row])
    }
}
