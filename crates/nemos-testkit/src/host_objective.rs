//! A plain objective on the host, to try solvers on: generalized linear models written in ten lines.

use std::sync::Arc;

use ndarray::{Array1, Array2, Axis};
use nemos_solvers::{Error, Evaluation, ExpectedCurvature, Moments, Objective, Order, Parameters, Request, Smoothness};

/// What one sample loses where the predictor is `η` and the count `y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// `exp(η) − y η`
    Poisson,
    /// `ln(1 + exp(η)) − y η`
    Logistic,
    /// `(y − η)²`
    Gaussian,
}

/// In which precision sums and predictors are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digits {
    /// f64
    Double,
    /// f32
    Single,
}

/// The mean loss over rows, one column of counts per problem.
///
/// # Example
/// ```
/// use ndarray::array;
/// use nemos_solvers::{Newton, Stopping, minimize};
/// use nemos_testkit::{HostObjective, Loss};
/// let objective = HostObjective::new(array![[0.0], [1.0], [2.0]], array![[1.0], [3.0], [5.0]], Loss::Gaussian);
/// let line = minimize(&objective, &Newton::new(), Stopping::new(), &objective.start())?.parameters;
/// assert!((line.column(0)[0] - 2.0).abs() < 1e-9 && (line.column(0)[1] - 1.0).abs() < 1e-9);
/// # Ok::<(), nemos_solvers::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct HostObjective {
    /// `[n_rows, n_features]`
    pub design: Array2<f64>,
    /// `[n_rows, n_problems]`
    pub counts: Array2<f64>,
    loss: Loss,
    digits: Digits,
    expected: ExpectedCurvature,
}

impl HostObjective {
    /// From a design and counts.
    ///
    /// # Panics
    /// If there are no rows.
    pub fn new(design: Array2<f64>, counts: Array2<f64>, loss: Loss) -> Self {
        let weight = counts
            .mean_axis(Axis(0))
            .expect("there are rows")
            .mapv(|mean| loss.at(mean, loss.start(mean)).2);
        HostObjective {
            expected: expected(&design, weight.insert_axis(Axis(0))),
            design,
            counts,
            loss,
            digits: Digits::Double,
        }
    }

    /// With everything rounded as it would be in single precision.
    #[must_use]
    pub fn digits(mut self, digits: Digits) -> Self {
        self.digits = digits;
        let moments = &self.expected.moments[0];
        let rounded = Moments::new(moments.mean.clone(), moments.covariance.clone(), f64::from(f32::EPSILON));
        self.expected.moments = vec![Arc::new(rounded)];
        self
    }

    /// With coefficients that may not move: `[n_features, n_problems]`.
    #[must_use]
    pub fn free(mut self, free: Array2<bool>) -> Self {
        self.expected.free = Some(free);
        self
    }

    /// No effect of any feature, and the intercept that gives each problem its mean count.
    ///
    /// # Panics
    /// If there are no rows.
    pub fn start(&self) -> Parameters {
        let mut start = Parameters::zeros(self.design.ncols() + 1, self.counts.ncols());
        for (problem, counts) in self.counts.axis_iter(Axis(1)).enumerate() {
            start.column_mut(problem)[self.design.ncols()] = self.loss.start(counts.mean().expect("there are rows"));
        }
        start
    }

    fn round(&self, value: f64) -> f64 {
        match self.digits {
            Digits::Double => value,
            Digits::Single => f64::from(value as f32),
        }
    }
}

/// What is known before the first step, with these weights `[n_predictors, n_problems]`.
pub(crate) fn expected(design: &Array2<f64>, weight: Array2<f64>) -> ExpectedCurvature {
    let mean = design.mean_axis(Axis(0)).expect("there are rows");
    let centred = design - &mean;
    let covariance = centred.t().dot(&centred) / design.nrows() as f64;
    let moments = Moments::new(mean.to_vec(), covariance, 2.0 * f64::EPSILON);
    ExpectedCurvature::new(Arc::new(moments), weight.mapv(|weight| if weight > 0.0 { weight } else { 1.0 }))
}

impl Loss {
    /// Loss, slope and curvature in the predictor.
    fn at(self, count: f64, predictor: f64) -> (f64, f64, f64) {
        match self {
            Loss::Poisson => {
                let rate = predictor.exp();
                (rate - count * predictor, rate - count, rate)
            }
            Loss::Logistic => {
                let rate = 1.0 / (1.0 + (-predictor).exp());
                let log1p_exp = predictor.max(0.0) + (-predictor.abs()).exp().ln_1p();
                (log1p_exp - count * predictor, rate - count, rate * (1.0 - rate))
            }
            Loss::Gaussian => ((count - predictor).powi(2), 2.0 * (predictor - count), 2.0),
        }
    }

    /// The predictor whose rate is this mean count, or a low one where there is none.
    fn start(self, mean: f64) -> f64 {
        match self {
            Loss::Poisson => mean.max(1e-3).ln(),
            Loss::Logistic => {
                let mean = mean.clamp(1e-3, 1.0 - 1e-3);
                (mean / (1.0 - mean)).ln()
            }
            Loss::Gaussian => mean,
        }
    }
}

impl Objective for HostObjective {
    fn evaluate(&self, at: &Parameters, request: Request<'_>) -> Result<Evaluation, Error> {
        let (n_features, n_columns) = (self.design.ncols(), request.columns.len());
        let all: Vec<usize>;
        let rows = match request.rows {
            Some(rows) => rows,
            None => {
                all = (0..self.design.nrows()).collect();
                &all
            }
        };
        let mut values = vec![0.0; n_columns];
        let mut gradient = Parameters::zeros(n_features + 1, n_columns);
        let mut curvatures = Vec::new();
        for (index, &problem) in request.columns.iter().enumerate() {
            let (coef, intercept) = (ndarray::aview1(&at.column(index)[..n_features]), at.column(index)[n_features]);
            let mut curvature = Array2::zeros((n_features + 1, n_features + 1));
            for &row in rows {
                let features = self.design.row(row);
                let predictor = self.round(features.dot(&coef) + intercept);
                let (loss, slope, bend) = self.loss.at(self.counts[(row, problem)], predictor);
                values[index] = self.round(values[index] + self.round(loss));
                let slope = self.round(slope);
                let with_one: Array1<f64> = features.iter().copied().chain([1.0]).collect();
                for (total, x) in gradient.column_mut(index).iter_mut().zip(&with_one) {
                    *total = self.round(*total + self.round(slope * x));
                }
                if request.order != Order::Gradient {
                    for (mut curvature, x) in curvature.rows_mut().into_iter().zip(&with_one) {
                        curvature.scaled_add(bend * x, &with_one);
                    }
                }
            }
            let share = 1.0 / rows.len() as f64;
            values[index] *= share;
            gradient.column_mut(index).iter_mut().for_each(|slope| *slope *= share);
            if let Some(free) = &self.expected.free {
                for feature in (0..n_features).filter(|&feature| !free[(feature, problem)]) {
                    gradient.column_mut(index)[feature] = 0.0;
                }
            }
            if let Order::CurvatureAmong(few) = request.order {
                let places: Vec<usize> = few[index].iter().copied().chain([n_features]).collect();
                curvature = curvature.select(Axis(0), &places).select(Axis(1), &places);
            }
            curvatures.push(curvature * share);
        }
        Ok(Evaluation {
            values,
            gradient,
            curvature: (request.order != Order::Gradient).then_some(curvatures),
        })
    }

    fn n_rows(&self) -> usize {
        self.design.nrows()
    }

    fn expected_curvature(&self) -> Option<&ExpectedCurvature> {
        Some(&self.expected)
    }

    fn smoothness(&self) -> Result<Option<Smoothness>, Error> {
        // Of exp the slope changes without bound.
        let bend = match self.loss {
            Loss::Poisson => return Ok(None),
            Loss::Logistic => 0.25,
            Loss::Gaussian => 2.0,
        };
        let squares: Vec<f64> = self.design.rows().into_iter().map(|row| row.dot(&row) + 1.0).collect();
        Ok(Some(Smoothness {
            worst_row: bend * squares.iter().copied().fold(0.0, f64::max),
            mean: bend * squares.iter().sum::<f64>() / squares.len() as f64,
        }))
    }

    fn resolution(&self) -> f64 {
        match self.digits {
            Digits::Double => 1e-15,
            Digits::Single => 4.0 * f64::from(f32::EPSILON),
        }
    }
}
