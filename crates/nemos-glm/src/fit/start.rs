//! Where a fit starts: no effect of any feature, and the intercept that gives each problem its mean count.

use nemos_core::{Backend, Matrix};
use nemos_solvers::Parameters;

use crate::engine::model::Model;
use crate::engine::problems::Problems;
use crate::engine::totals::Totals;
use crate::{Error, Support};

/// Near the intercept-only fit of each problem; for counts on the edge of their support, half a count away from it.
pub(crate) fn parameters<B: Backend>(
    model: &dyn Model<B::Burn>,
    totals: &Totals,
    n_features: usize,
    problems: &Problems,
) -> Result<Parameters, Error> {
    let (n_predictors, width) = (model.n_predictors(), n_features + 1);
    let mut start = Parameters::zeros(width * n_predictors, problems.n_problems());
    for problem in 0..problems.n_problems() {
        let n = totals.n_counts[problem] as f64;
        let intercepts = if n_predictors > 1 {
            // A class that does not occur counts half: its probability has no finite logarithm. They sum to zero.
            let log = totals.mean.column(problem).mapv(|share| share.max(0.5 / n).ln());
            let mean = log.sum() / n_predictors as f64;
            log.mapv(|log| log - mean).to_vec()
        } else {
            let (mean, half) = (totals.mean[(0, problem)], 0.5 / n);
            // A mean may be rounded to the edge where its counts are not on it.
            let within = match model.support() {
                Support::NonNegative if mean == 0.0 => half,
                Support::Binary => mean.clamp(half, 1.0 - half),
                _ => mean,
            };
            vec![intercept::<B>(model, within, problems.response(problem))? - totals.mean_offset[problem]]
        };
        for (predictor, intercept) in intercepts.into_iter().enumerate() {
            start.column_mut(problem)[(predictor + 1) * width - 1] = intercept;
        }
    }
    Ok(start)
}

/// The intercept of one neuron: finite for every mean count above zero.
pub(crate) fn intercept<B: Backend>(model: &dyn Model<B::Burn>, mean: f64, neuron: usize) -> Result<f64, Error> {
    match model.predictor(mean) {
        Some(predictor) if predictor.is_finite() => Ok(predictor),
        _ => search::<B>(model, mean).ok_or(Error::NoIntercept { neuron, mean }),
    }
}

/// Looks for the predictor of a rate: first for two that lie on either side of it, then halves the gap.
fn search<B: Backend>(model: &dyn Model<B::Burn>, mean: f64) -> Option<f64> {
    let excess = |predictors: Vec<f64>| -> Vec<f64> {
        let known: Option<Vec<f64>> = predictors.iter().map(|&predictor| Some(model.rate_of(predictor)? - mean)).collect();
        if let Some(known) = known {
            return known;
        }
        let rates = model.rate(Matrix::<B>::from_column(predictors).into_tensor());
        Matrix::<B>::from_tensor(rates)
            .to_vec()
            .into_iter()
            .map(|rate| rate - mean)
            .collect()
    };
    // From 0 outwards, so that the root nearest to zero is found.
    let outwards = (0..60).map(|i| 0.01 * 1.25_f64.powi(i));
    let mut grid: Vec<f64> = outwards.flat_map(|x| [x, -x]).chain([0.0]).collect();
    grid.sort_by(|a, b| a.total_cmp(b));
    let values = excess(grid.clone());
    let mut brackets: Vec<usize> = (1..grid.len()).filter(|&i| values[i - 1] * values[i] <= 0.0).collect();
    brackets.sort_by(|&a, &b| grid[a].abs().total_cmp(&grid[b].abs()));
    brackets.into_iter().find_map(|bracket| {
        let (mut low, mut high) = (grid[bracket - 1], grid[bracket]);
        let rising = values[bracket] > values[bracket - 1];
        for _ in 0..100 {
            let middle = 0.5 * (low + high);
            if (excess(vec![middle])[0] > 0.0) == rising {
                high = middle;
            } else {
                low = middle;
            }
        }
        // A pole changes sign as a root does.
        let found = 0.5 * (low + high);
        (excess(vec![found])[0].abs() <= 1e-4 * (1.0 + mean.abs())).then_some(found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::model::Pair;
    use crate::{Exp, InverseLink, Poisson, Softplus};
    use nemos_core::Cpu;
    use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};

    fn of(link: impl InverseLink) -> impl Model<<Cpu as Backend>::Burn> {
        let observation = Poisson;
        Pair { observation, link }
    }

    #[derive(Clone, Debug)]
    struct Reciprocal;
    impl InverseLink for Reciprocal {
        fn rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
            predictor.recip()
        }
    }

    #[test]
    fn any_rate_has_a_finite_start() {
        for mean in [1e-12, 0.02, 3.0, 90.0, 1e5] {
            assert!((intercept::<Cpu>(&of(Exp), mean, 0).unwrap().exp() - mean).abs() < 1e-9 * mean);
            assert!(intercept::<Cpu>(&of(Softplus), mean, 0).unwrap().is_finite());
        }
    }

    #[test]
    fn a_link_without_closed_form_is_inverted_by_search() {
        assert!((intercept::<Cpu>(&of(Reciprocal), 4.0, 0).unwrap() - 0.25).abs() < 1e-12);
    }

    #[test]
    fn a_rate_that_a_link_cannot_reach_is_an_error() {
        #[derive(Clone, Debug)]
        struct Constant;
        impl InverseLink for Constant {
            fn rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
                predictor * 0.0 + 1.0
            }
        }
        assert!(matches!(
            intercept::<Cpu>(&of(Constant), 4.0, 3),
            Err(Error::NoIntercept { neuron: 3, .. })
        ));
    }
}
