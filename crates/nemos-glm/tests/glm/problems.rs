//! Many problems over one design: folds, strengths and weights that no copy of the data was made for.

use crate::common::simulate;
use ndarray::{Array1, Array2, Axis};
use nemos_core::{Backend, Cpu, Matrix, NdArray, Segments, ToDesign};
use nemos_glm::{
    Exp, Gamma, Gaussian, Glm, Information, NegativeBinomial, Poisson, PopulationGlm, Problems, Regularizer, SecondMoment, Softplus,
    Stopping, Strength,
};
use nemos_solvers::{Auto, Objective, Parameters, Penalized, minimize};

fn tight() -> Stopping {
    Stopping::new().tolerance(1e-20)
}

fn assert_close(got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len());
    let largest = expected.iter().fold(1e-300_f64, |largest, x| largest.max(x.abs()));
    for (got, expected) in got.iter().zip(expected) {
        assert!(
            (got - expected).abs() <= tolerance * largest,
            "{got} is not {expected}, to {tolerance} of {largest}"
        );
    }
}

/// Every tenth row: a fold need not be contiguous.
fn folds(n_rows: usize, n_folds: u8) -> Vec<u8> {
    (0..n_rows).map(|row| (row / 7 % usize::from(n_folds)) as u8).collect()
}

fn assert_folds_are_separate_fits<B: Backend>([n_folds, n_strengths, n_neurons]: [usize; 3], lasso: bool) {
    let data = simulate::<B>([600, 6, n_neurons], 77, f64::exp);
    let fold_of_row = folds(600, n_folds as u8);
    let strengths: Vec<f64> = (0..n_strengths).map(|at| 0.002 * 1.3_f64.powi(at as i32)).collect();
    // Problem (fold, strength, neuron), neurons fastest.
    let n_problems = n_folds * n_strengths * n_neurons;
    let neuron = |problem: usize| problem % n_neurons;
    let strength = |problem: usize| strengths[problem / n_neurons % n_strengths];
    let fold = |problem: usize| (problem / n_neurons / n_strengths) as u8;
    let problems = Problems::of_responses((0..n_problems).map(neuron))
        .leaving_out(fold_of_row.clone(), (0..n_problems).map(|problem| Some(fold(problem))))
        .unwrap();
    let model = PopulationGlm::new(Poisson);
    let objective = model.objective_of(problems, &data.design, &data.counts).unwrap();
    let per_problem = Strength::PerNeuron((0..n_problems).map(strength).collect());
    let penalty = |strength| {
        if lasso {
            Regularizer::Lasso(strength)
        } else {
            Regularizer::Ridge(strength)
        }
    };
    let together = minimize(
        &Penalized::new(&objective, &penalty(per_problem)),
        &Auto::new(),
        tight(),
        &objective.start(),
    )
    .unwrap();
    assert!(together.outcome.all_converged(), "{:?}", together.outcome.first_failure());
    for problem in (0..n_problems).step_by(if n_problems > 200 { 37 } else { 1 }) {
        let kept: Vec<usize> = (0..600).filter(|&row| fold_of_row[row] != fold(problem)).collect();
        let counts = data.counts.select_columns(&[neuron(problem)]).unwrap().select_rows(&kept).unwrap();
        let alone = Glm::new(Poisson)
            .regularizer(penalty(strength(problem).into()))
            .stopping(tight())
            .fit(&data.design.select_rows(&kept).unwrap(), &counts)
            .unwrap();
        let got = together.parameters.column(problem);
        let expected = [alone.coef(), &[alone.intercept()]].concat();
        assert_close(got, &expected, if lasso { 1e-6 } else { 1e-7 });
        assert_eq!(together.outcome.columns[problem].rank, alone.outcome().rank);
    }
}

#[test]
fn folds_times_strengths_times_neurons_are_one_batch() {
    assert_folds_are_separate_fits::<Cpu>([5, 20, 10], false);
}

#[test]
fn folds_of_a_lasso_are_one_batch() {
    assert_folds_are_separate_fits::<Cpu>([3, 4, 2], true);
}

#[test]
fn folds_on_tensors_are_one_batch() {
    assert_folds_are_separate_fits::<NdArray>([2, 2, 2], false);
}

/// A posterior over three states, one column each: rows sum to one.
fn posterior(n_rows: usize) -> Array2<f64> {
    let raw = Array2::from_shape_fn((n_rows, 3), |(row, state)| 1.0 + ((row * (state + 2)) % 5) as f64);
    let sums = raw.sum_axis(Axis(1)).insert_axis(Axis(1));
    raw / sums
}

fn assert_weight_columns_are_separate_fits<B: Backend>() {
    let data = simulate::<B>([400, 3, 1], 5, f64::exp);
    let weights = posterior(400);
    let design = data.design.to_design().with_weights(weights.clone()).unwrap();
    // The penalised maximisation step of a hidden Markov model: sums over rows, divided by one number for all states.
    let problems = || {
        Problems::of_responses([0, 0, 0])
            .weighted_by([0, 1, 2])
            .and_then(|problems| problems.divided_by([400.0; 3]))
            .unwrap()
    };
    let model = PopulationGlm::new(Poisson);
    let ridge = Regularizer::Ridge(0.05.into());
    let mut objective = model.objective_of(problems(), &design, &data.counts).unwrap();
    let fit = |objective: &nemos_glm::GlmObjective<'_, B>| {
        let start = objective.start();
        minimize(&Penalized::new(objective, &ridge), &Auto::new(), tight(), &start).unwrap()
    };
    let together = fit(&objective);
    assert!(together.outcome.all_converged());
    let alone = |weights: &Array2<f64>, state: usize| {
        let column = weights.column(state).to_vec();
        let total: f64 = column.iter().sum();
        let design = data.design.to_design().with_weights(Matrix::from_column(column)).unwrap();
        // Weights are relative in a fit of its own: the same penalty is as much stronger as its weights are fewer.
        Glm::new(Poisson)
            .regularizer(Regularizer::Ridge((0.05 * 400.0 / total).into()))
            .stopping(tight())
            .fit(&design, &data.counts)
            .unwrap()
    };
    for state in 0..3 {
        let alone = alone(&weights, state);
        let expected = [alone.coef(), &[alone.intercept()]].concat();
        assert_close(together.parameters.column(state), &expected, 1e-7);
    }
    // The next step differs in weights alone.
    let next = posterior(401).slice(ndarray::s![1.., ..]).mapv(|weight| weight.powi(2));
    objective.reweigh(Matrix::from(next.clone())).unwrap();
    let together = fit(&objective);
    for state in 0..3 {
        let alone = alone(&next, state);
        let expected = [alone.coef(), &[alone.intercept()]].concat();
        assert_close(together.parameters.column(state), &expected, 1e-7);
    }
}

#[test]
fn columns_of_weights_over_one_response_are_separate_fits_on_slices() {
    assert_weight_columns_are_separate_fits::<Cpu>();
}

#[test]
fn columns_of_weights_over_one_response_are_separate_fits_on_tensors() {
    assert_weight_columns_are_separate_fits::<NdArray>();
}

/// Scores of every row, by the formula of the canonical link: `(rate − y) (x, 1)`.
fn scores<B: Backend>(design: &Matrix<B>, counts: &Matrix<B>, at: &Parameters, neuron: usize) -> Array2<f64> {
    let (x, y) = (design.to_array(), counts.to_array());
    let n_features = x.ncols();
    Array2::from_shape_fn((x.nrows(), n_features + 1), |(row, column)| {
        let w = at.column(neuron);
        let predictor = x.row(row).iter().zip(w).map(|(x, w)| x * w).sum::<f64>() + w[n_features];
        let slope = if y[(row, neuron)].is_nan() {
            0.0
        } else {
            predictor.exp() - y[(row, neuron)]
        };
        slope * if column == n_features { 1.0 } else { x[(row, column)] }
    })
}

/// Some matrix that leverages may be taken with.
fn of_leverage(neuron: usize) -> Array2<f64> {
    Array2::from_shape_fn((4, 4), |(i, j)| 0.01 * if i == j { 2.0 } else { 1.0 / (neuron + i + j) as f64 })
}

fn assert_second_moments<B: Backend>() {
    let data = simulate::<B>([500, 3, 8], 9, f64::exp);
    let mut counts = data.counts.to_array();
    counts[(17, 1)] = f64::NAN;
    let observed = counts.clone();
    let counts = Matrix::<B>::from(counts);
    let fitted = PopulationGlm::new(Poisson).fit(&data.design, &counts).unwrap();
    let columns: Vec<Vec<f64>> = (0..8)
        .map(|neuron| {
            fitted
                .coef()
                .column(neuron)
                .iter()
                .copied()
                .chain([fitted.intercept()[neuron]])
                .collect()
        })
        .collect();
    let at = Parameters::from_columns(4, columns.iter().map(Vec::as_slice));
    let model = PopulationGlm::new(Poisson);
    let objective = model.objective(&data.design, &counts).unwrap();
    let lengths: Vec<usize> = vec![3, 200, 1, 96, 200];
    let segments = Segments::from_lengths(lengths);
    let moments = |which: SecondMoment| objective.second_moments(&at, &which).unwrap();
    let leveraged = objective
        .map_leveraged_scores(&at, of_leverage, |problem, moments| (problem, moments))
        .unwrap();
    for neuron in 0..8 {
        let g = scores(&data.design, &counts, &at, neuron);
        let flat = |matrix: &Array2<f64>| matrix.iter().copied().collect::<Vec<_>>();
        // White's meat: Σ g gᵀ.
        assert_close(&flat(&moments(SecondMoment::Scores)[neuron]), &flat(&g.t().dot(&g)), 1e-11);
        // The same over one less the leverage of a row.
        let mut over = g.clone();
        for (row, mut score) in over.rows_mut().into_iter().enumerate() {
            let z: Array1<f64> = data.design.to_array().row(row).iter().copied().chain([1.0]).collect();
            let rate = z.iter().zip(at.column(neuron)).map(|(z, w)| z * w).sum::<f64>().exp();
            score /= 1.0 - rate * z.dot(&of_leverage(neuron).dot(&z));
        }
        assert_eq!(leveraged[neuron].0, neuron);
        assert_close(&flat(&leveraged[neuron].1), &flat(&over.t().dot(&over)), 1e-10);
        // Clusters: Σ over segments of (Σ g)(Σ g)ᵀ.
        let sums = segments
            .ranges()
            .iter()
            .map(|range| g.slice(ndarray::s![range.clone(), ..]).sum_axis(Axis(0)));
        let mut expected = Array2::<f64>::zeros((4, 4));
        for sum in sums {
            let column = sum.insert_axis(Axis(1));
            expected = expected + column.dot(&column.t());
        }
        assert_close(
            &flat(&moments(SecondMoment::ScoresBySegment(segments.clone()))[neuron]),
            &flat(&expected),
            1e-10,
        );
        // Newey and West's, lag by lag within segments; a row without a count splits its segment.
        for lag in [0, 1, 4, 30] {
            let mut expected = Array2::<f64>::zeros((4, 4));
            let missing = |row: usize| observed[(row, neuron)].is_nan();
            for range in segments.ranges() {
                for t in range.clone() {
                    for l in 0..=lag.min(t - range.start) {
                        let apart = (t - l..=t).any(missing);
                        if apart {
                            continue;
                        }
                        let weight = 1.0 - l as f64 / (lag as f64 + 1.0);
                        for i in 0..4 {
                            for j in 0..4 {
                                let product = weight * g[(t, i)] * g[(t - l, j)];
                                expected[(i, j)] += product;
                                if l > 0 {
                                    expected[(j, i)] += product;
                                }
                            }
                        }
                    }
                }
            }
            let got = &moments(SecondMoment::ScoresOverLags(segments.clone(), lag))[neuron];
            assert_close(&flat(got), &flat(&expected), 1e-9);
        }
        // Under the canonical link both informations are Σ rate z zᵀ.
        let x = data.design.to_array();
        let mut expected = Array2::<f64>::zeros((4, 4));
        for (row, x) in x
            .rows()
            .into_iter()
            .enumerate()
            .filter(|(row, _)| !observed[(*row, neuron)].is_nan())
        {
            let _ = row;
            let z: Vec<f64> = x.iter().copied().chain([1.0]).collect();
            let rate = z.iter().zip(at.column(neuron)).map(|(z, w)| z * w).sum::<f64>().exp();
            expected.indexed_iter_mut().for_each(|((i, j), sum)| *sum += rate * z[i] * z[j]);
        }
        let informations = [Information::Expected, Information::Observed];
        for (information, tolerance) in informations.into_iter().zip([1e-11, 1e-7]) {
            let got = &moments(SecondMoment::Information(information))[neuron];
            assert_close(&flat(got), &flat(&expected), tolerance);
        }
    }
}

#[test]
fn second_moments_are_those_of_the_formulas_on_slices() {
    assert_second_moments::<Cpu>();
}

#[test]
fn second_moments_are_those_of_the_formulas_on_tensors() {
    assert_second_moments::<NdArray>();
}

#[test]
fn observed_and_expected_information_differ_without_the_canonical_link() {
    // Softplus: observed − expected = Σ (y-dependent terms); compare with central differences of the gradient.
    let data = simulate::<Cpu>([300, 2, 1], 3, f64::exp);
    let model = PopulationGlm::new(Poisson).link(Softplus);
    let objective = model.objective(&data.design, &data.counts).unwrap();
    let at = Parameters::from_columns(3, [&[0.2, -0.1, 0.4][..]]);
    let observed = objective
        .second_moments(&at, &SecondMoment::Information(Information::Observed))
        .unwrap();
    let expected = objective
        .second_moments(&at, &SecondMoment::Information(Information::Expected))
        .unwrap();
    let gradient = |at: &Parameters| {
        let request = nemos_solvers::Request {
            columns: &[0],
            rows: None,
            order: nemos_solvers::Order::Gradient,
        };
        objective.evaluate(at, request).unwrap().gradient.column(0).to_vec()
    };
    for parameter in 0..3 {
        let moved = |by: f64| {
            let mut at = at.clone();
            at.column_mut(0)[parameter] += by;
            gradient(&at)
        };
        let (up, down) = (moved(1e-5), moved(-1e-5));
        let difference: Vec<f64> = up.iter().zip(down).map(|(up, down)| (up - down) / 2e-5 * 300.0).collect();
        assert_close(&observed[0].row(parameter).to_vec(), &difference, 1e-6);
    }
    assert!((observed[0][(0, 0)] - expected[0][(0, 0)]).abs() > 1e-6 * expected[0][(0, 0)]);
}

fn assert_samples_sum_to_the_score<B: Backend>() {
    let data = simulate::<B>([300, 3, 2], 4, f64::exp);
    let (mut design, mut counts) = (data.design.to_array(), data.counts.to_array());
    design[(5, 1)] = f64::NAN;
    counts[(9, 0)] = f64::NAN;
    let (design, counts) = (Matrix::<B>::from(design), Matrix::<B>::from(counts));
    let close = |samples: Matrix<B>, by_neuron: Vec<f64>| {
        let samples = samples.to_array();
        assert!(samples[(5, 0)].is_nan() && samples[(5, 1)].is_nan() && samples[(9, 0)].is_nan() && !samples[(9, 1)].is_nan());
        for (neuron, mean) in by_neuron.into_iter().enumerate() {
            let there: Vec<f64> = samples.column(neuron).iter().copied().filter(|x| !x.is_nan()).collect();
            assert_close(&[there.iter().sum::<f64>() / there.len() as f64], &[mean], 1e-12);
        }
    };
    let score = nemos_glm::Score::LogLikelihood;
    let fitted = PopulationGlm::new(Poisson).fit(&design, &counts).unwrap();
    close(
        fitted.log_likelihood_by_sample(&design, &counts).unwrap(),
        fitted.score_by_neuron(&design, &counts, score).unwrap(),
    );
    let positive = Matrix::<B>::from(counts.to_array().mapv(|count| count + 0.5));
    let fitted = PopulationGlm::new(Gamma).link(Exp).fit(&design, &positive).unwrap();
    close(
        fitted.log_likelihood_by_sample(&design, &positive).unwrap(),
        fitted.score_by_neuron(&design, &positive, score).unwrap(),
    );
    let fitted = PopulationGlm::new(Gaussian).fit(&design, &counts).unwrap();
    close(
        fitted.log_likelihood_by_sample(&design, &counts).unwrap(),
        fitted.score_by_neuron(&design, &counts, score).unwrap(),
    );
    let fitted = PopulationGlm::new(NegativeBinomial::new(0.3)).fit(&design, &counts).unwrap();
    close(
        fitted.log_likelihood_by_sample(&design, &counts).unwrap(),
        fitted.score_by_neuron(&design, &counts, score).unwrap(),
    );
}

#[test]
fn log_likelihoods_by_sample_average_to_the_score() {
    assert_samples_sum_to_the_score::<Cpu>();
    assert_samples_sum_to_the_score::<NdArray>();
}

#[test]
fn problems_that_do_not_fit_the_data_are_refused() {
    let data = simulate::<Cpu>([50, 2, 2], 4, f64::exp);
    let model = PopulationGlm::new(Poisson);
    let fails = |problems: Problems| model.objective_of(problems, &data.design, &data.counts).unwrap_err().to_string();
    assert!(fails(Problems::of_responses([0, 2])).contains("column 2"));
    let folds = Problems::of_responses([0]).leaving_out(vec![0; 49], [Some(0)]).unwrap();
    assert!(fails(folds).contains("folds"));
    // A fold that holds every row leaves nothing to fit.
    let all = Problems::of_responses([1]).leaving_out(vec![0; 50], [Some(0)]).unwrap();
    assert!(fails(all).contains("neuron 1"));
    assert!(Problems::of_responses([0, 1]).weighted_by([0]).is_err());
    assert!(Problems::of_responses([0]).divided_by([0.0]).is_err());
    assert!(Problems::of_responses([0, 1]).leaving_out(vec![0; 50], [None]).is_err());
}

#[test]
fn shares_of_classes_are_labels_where_they_are_whole() {
    use nemos_glm::ClassifierPopulationGlm;
    let data = simulate::<Cpu>([300, 3, 2], 3, f64::exp);
    let labels = data.counts.to_array().mapv(|count: f64| count.min(2.0));
    let shares = Array2::from_shape_fn((300, 6), |(row, column)| {
        f64::from(u8::from(labels[(row, column / 3)] == (column % 3) as f64))
    });
    let model = ClassifierPopulationGlm::new(3)
        .regularizer(Regularizer::Ridge(0.05.into()))
        .stopping(tight());
    let hard = model.fit(&data.design, &Matrix::<Cpu>::from(labels.clone())).unwrap();
    let soft = model
        .fit_shares(&Auto::new(), &data.design, &Matrix::<Cpu>::from(shares.clone()))
        .unwrap();
    let flat = |fitted: &nemos_glm::FittedClassifierPopulationGlm| fitted.coef().iter().copied().collect::<Vec<_>>();
    assert_close(&flat(&soft), &flat(&hard), 1e-9);
    // Half a row of each of two classes is two half rows.
    let blurred = &shares * 0.5 + &shares.select(Axis(1), &[1, 2, 0, 4, 5, 3]) * 0.5;
    let soft = model.fit_shares(&Auto::new(), &data.design, &Matrix::<Cpu>::from(blurred)).unwrap();
    let twice = ndarray::concatenate![Axis(0), data.design.to_array(), data.design.to_array()];
    let next = labels.mapv(|label| if label == 0.0 { 2.0 } else { label - 1.0 });
    let both = ndarray::concatenate![Axis(0), labels, next];
    let doubled = model.fit(&Matrix::<Cpu>::from(twice), &Matrix::<Cpu>::from(both)).unwrap();
    assert_close(&flat(&soft), &flat(&doubled), 1e-8);
    let negative = Matrix::<Cpu>::from(shares * -1.0);
    assert!(model.fit_shares(&Auto::new(), &data.design, &negative).is_err());
}
