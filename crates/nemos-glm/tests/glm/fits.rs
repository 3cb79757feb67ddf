//! Whole fits: what they recover, how they end, and what they do not depend on.

use crate::common::{Mine, simulate, softplus};
use ndarray::{Array2, s};
use nemos_core::{Backend, Cpu, Design, Matrix, Names, NdArray, ToDesign};
use nemos_glm::{Error, Exp, FittedPopulationGlm, Glm, Poisson, PopulationGlm, Regularizer, Score, Softplus, Status, ridge};
use nemos_solvers::{Acceleration, Auto, GradientDescent, Lbfgs, Newton, Solver, StepLength, Stopping};
use nemos_testkit::{HostObjective, refractory};

fn assert_close(got: &[f64], expected: &[f64], tolerance: f64) {
    let largest = expected.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
    for (got, expected) in got.iter().zip(expected) {
        assert!(
            (got - expected).abs() <= tolerance * largest,
            "{got} is not {expected}, to {tolerance} of {largest}"
        );
    }
}

fn all<O: nemos_glm::ObservationModel, L: nemos_glm::InverseLink>(fitted: &FittedPopulationGlm<O, L>) -> Vec<f64> {
    fitted.coef().iter().chain(fitted.intercept()).copied().collect()
}

#[test]
fn a_fit_recovers_simulated_weights_within_its_sampling_error() {
    let data = simulate::<Cpu>([20_000, 4, 3], 11, f64::exp);
    let fitted = PopulationGlm::new(Poisson)
        .fit(&data.design, &data.counts)
        .unwrap()
        .require_converged()
        .unwrap();
    let predictor = data.design.to_array().dot(&data.coef);
    for neuron in 0..3 {
        // Standard errors from the Fisher information at the truth: Σₜ rateₜ (xₜ, 1)(xₜ, 1)ᵀ.
        let mut information = Array2::<f64>::zeros((5, 5));
        for (row, x) in data.design.to_array().rows().into_iter().enumerate() {
            let rate = (predictor[(row, neuron)] + data.intercept[neuron]).exp();
            let x: Vec<f64> = x.iter().copied().chain([1.0]).collect();
            information
                .indexed_iter_mut()
                .for_each(|((i, j), total)| *total += rate * x[i] * x[j]);
        }
        let truth: Vec<f64> = data.coef.column(neuron).iter().copied().chain([data.intercept[neuron]]).collect();
        let got: Vec<f64> = fitted
            .coef()
            .column(neuron)
            .iter()
            .copied()
            .chain([fitted.intercept()[neuron]])
            .collect();
        let off: Vec<f64> = got.iter().zip(&truth).map(|(got, truth)| got - truth).collect();
        let off = ndarray::arr1(&off);
        // χ² with 5 degrees of freedom is above 25.7 once in ten thousand times.
        let distance = off.dot(&information.dot(&off));
        assert!(distance < 25.7, "neuron {neuron}: {got:?} for {truth:?}");
    }
}

#[test]
fn solvers_and_backends_agree() {
    let reference = {
        let data = simulate::<Cpu>([2000, 6, 3], 3, f64::exp);
        all(&PopulationGlm::new(Poisson)
            .stopping(Stopping::new().tolerance(1e-20))
            .fit_with(&Newton::new(), &data.design, &data.counts)
            .unwrap())
    };
    fn fit<B: Backend>(solver: &dyn Solver, stopping: Stopping) -> Vec<f64> {
        let data = simulate::<B>([2000, 6, 3], 3, f64::exp);
        let model = PopulationGlm::new(Poisson).stopping(stopping);
        let fitted = model.fit_with(solver, &data.design, &data.counts).unwrap();
        assert!(fitted.outcome().all_converged(), "{}: {:?}", B::NAME, fitted.outcome());
        all(&fitted)
    }
    let (tight, loose) = (Stopping::new().tolerance(1e-20), Stopping::new());
    assert_close(&fit::<Cpu>(&Lbfgs::new(), tight), &reference, 1e-9);
    assert_close(&fit::<NdArray>(&Lbfgs::new(), tight), &reference, 1e-9);
    assert_close(&fit::<NdArray>(&Newton::new(), tight), &reference, 1e-9);
    assert_close(&fit::<Cpu>(&Auto::new(), loose), &reference, 1e-4);
    assert_close(&fit::<Cpu<f32>>(&Auto::new(), loose), &reference, 1e-3);
    assert_close(&fit::<NdArray<f32>>(&Auto::new(), loose), &reference, 1e-3);
}

#[test]
fn softplus_fits_agree_between_solvers() {
    let data = simulate::<Cpu>([3000, 4, 2], 8, softplus);
    let model = PopulationGlm::new(Poisson)
        .link(Softplus)
        .regularizer(Regularizer::Ridge(0.02.into()));
    let a = model
        .clone()
        .stopping(Stopping::new().tolerance(1e-20))
        .fit_with(&Newton::new(), &data.design, &data.counts)
        .unwrap()
        .require_converged()
        .unwrap();
    let b = model
        .clone()
        .stopping(Stopping::new().tolerance(1e-20))
        .fit_with(&Lbfgs::new(), &data.design, &data.counts)
        .unwrap()
        .require_converged()
        .unwrap();
    assert_close(&all(&a), &all(&b), 1e-9);
}

#[test]
fn a_neuron_ends_the_same_whichever_others_are_fitted_beside_it() {
    // NeMoS stops all neurons by one joint test, so that a neuron's fit depends on its company (its issue 392).
    let data = simulate::<Cpu>([1500, 5, 6], 21, f64::exp);
    let mut counts = data.counts.to_array();
    // Company that is hard to fit, or cannot be.
    counts.column_mut(1).mapv_inplace(|_| 0.0);
    counts
        .column_mut(2)
        .iter_mut()
        .enumerate()
        .for_each(|(row, count)| *count = if row == 7 { 1.0 } else { 0.0 });
    counts.column_mut(3).mapv_inplace(|count| count * 1000.0);
    let solver = Lbfgs::new();
    let together = PopulationGlm::new(Poisson)
        .fit_with(&solver, &data.design, &Matrix::<Cpu>::from(counts.clone()))
        .unwrap();
    for neuron in [0, 3, 4, 5] {
        let alone = Matrix::<Cpu>::from_column(counts.column(neuron).to_vec());
        let alone = Glm::new(Poisson).fit_with(&solver, &data.design, &alone).unwrap();
        assert_close(alone.coef(), &together.coef().column(neuron).to_vec(), 1e-10);
        assert_eq!(alone.outcome().status, together.outcome().columns[neuron].status);
        assert_eq!(alone.outcome().steps, together.outcome().columns[neuron].steps);
    }
    assert_eq!(together.outcome().columns[1].status, Status::NoMaximum);
}

#[test]
fn badly_scaled_features_are_fitted_as_well_as_scaled_ones() {
    let data = simulate::<Cpu>([2000, 3, 1], 4, f64::exp);
    let (scale, offset) = ([1e-7, 1.0, 1e6], [3e-6, 2026.0, -5e7]);
    let stretched = Array2::from_shape_fn((2000, 3), |(row, i)| data.design.to_array()[(row, i)] * scale[i] + offset[i]);
    for solver in [1, 2] {
        let fit = |design: &Matrix<Cpu>| match solver {
            1 => Glm::new(Poisson)
                .stopping(Stopping::new().tolerance(1e-16))
                .fit_with(&Lbfgs::new(), design, &data.counts)
                .unwrap(),
            _ => Glm::new(Poisson)
                .stopping(Stopping::new().tolerance(1e-16))
                .fit_with(&Newton::new(), design, &data.counts)
                .unwrap(),
        };
        let (plain, stretched) = (fit(&data.design), fit(&stretched.clone().into()));
        assert_eq!(stretched.outcome().status, Status::Converged);
        let back: Vec<f64> = stretched.coef().iter().zip(scale).map(|(w, scale)| w * scale).collect();
        assert_close(&back, plain.coef(), 1e-6);
    }
}

#[test]
fn a_collinear_design_converges_to_the_coefficients_of_least_norm() {
    let data = simulate::<Cpu>([1000, 2, 1], 6, f64::exp);
    let x = data.design.to_array();
    // The second feature thrice over, and a constant.
    let collinear = Array2::from_shape_fn((1000, 5), |(row, i)| [x[(row, 0)], x[(row, 1)], x[(row, 1)], x[(row, 1)], 7.0][i]);
    let plain = Glm::new(Poisson)
        .stopping(Stopping::new().tolerance(1e-18))
        .fit_with(&Auto::new(), &data.design, &data.counts)
        .unwrap();
    for newton in [true, false] {
        let (model, design) = (Glm::new(Poisson), Matrix::<Cpu>::from(collinear.clone()));
        let fitted = match newton {
            true => model
                .clone()
                .stopping(Stopping::new().tolerance(1e-18))
                .fit_with(&Newton::new(), &design, &data.counts)
                .unwrap(),
            false => model
                .clone()
                .stopping(Stopping::new().tolerance(1e-18))
                .fit_with(&Lbfgs::new(), &design, &data.counts)
                .unwrap(),
        };
        assert_eq!((fitted.outcome().status, fitted.outcome().rank), (Status::Converged, 2));
        let share = plain.coef()[1] / 3.0;
        assert_close(fitted.coef(), &[plain.coef()[0], share, share, share, 0.0], 1e-7);
        assert!((fitted.intercept() - plain.intercept()).abs() < 1e-7);
        assert_eq!(fitted.dof_resid(), 1000.0 - 2.0 - 1.0);
    }
}

#[test]
fn a_silent_neuron_has_no_maximum_and_finite_parameters() {
    let design = simulate::<Cpu>([300, 3, 1], 1, f64::exp).design;
    let counts = Matrix::from_column(vec![0.0; 300]);
    let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
    assert_eq!(fitted.outcome().status, Status::NoMaximum);
    assert!(fitted.intercept().is_finite() && fitted.coef() == [0.0; 3]);
    assert!(
        fitted
            .predict(&design)
            .unwrap()
            .to_vec()
            .iter()
            .all(|&rate| rate > 0.0 && rate < 0.01)
    );
    assert!(matches!(
        fitted.require_converged(),
        Err(Error::NotConverged {
            status: Status::NoMaximum,
            ..
        })
    ));
}

#[test]
fn separable_data_have_no_maximum() {
    // The neuron never fires where the second feature is on: its coefficient goes to minus infinity.
    let mut x = simulate::<Cpu>([2000, 2, 1], 9, f64::exp).design.to_array();
    let mut counts = simulate::<Cpu>([2000, 2, 1], 9, f64::exp).counts.to_array();
    for row in 0..2000 {
        x[(row, 1)] = f64::from(row % 50 == 0);
        counts[(row, 0)] *= 1.0 - x[(row, 1)];
    }
    let (design, counts) = (Matrix::<Cpu>::from(x), Matrix::<Cpu>::from(counts));
    for link in [0, 1] {
        for newton in [true, false] {
            let (lbfgs, fisher) = (Lbfgs::new(), Newton::new());
            let outcome = match (link, newton) {
                (0, true) => Glm::new(Poisson).fit_with(&fisher, &design, &counts).unwrap().outcome().clone(),
                (0, false) => Glm::new(Poisson).fit_with(&lbfgs, &design, &counts).unwrap().outcome().clone(),
                (_, true) => Glm::new(Poisson)
                    .link(Softplus)
                    .fit_with(&fisher, &design, &counts)
                    .unwrap()
                    .outcome()
                    .clone(),
                (_, false) => Glm::new(Poisson)
                    .link(Softplus)
                    .fit_with(&lbfgs, &design, &counts)
                    .unwrap()
                    .outcome()
                    .clone(),
            };
            assert_eq!(outcome.status, Status::NoMaximum, "link {link}, newton {newton}: {outcome:?}");
            assert!(outcome.evaluations < 200, "{outcome:?}");
        }
    }
    // A penalty makes the maximum finite.
    let ridge = Glm::new(Poisson)
        .regularizer(Regularizer::Ridge(1e-3.into()))
        .fit(&design, &counts)
        .unwrap();
    assert_eq!(ridge.outcome().status, Status::Converged);
}

#[test]
fn strong_effects_are_not_taken_for_separable_data() {
    // Rates from e⁻¹⁰ to e⁵, all of them finite: the maximum is there.
    let x = Array2::from_shape_fn((4000, 1), |(row, _)| row as f64 / 4000.0 * 15.0 - 10.0);
    let counts: Vec<f64> = x.iter().map(|x| x.exp().round()).collect();
    for tolerance in [1e-10, 1e-20] {
        let fitted = Glm::new(Poisson)
            .stopping(Stopping::new().tolerance(tolerance))
            .fit_with(&Lbfgs::new(), &Matrix::<Cpu>::from(x.clone()), &Matrix::from_column(counts.clone()))
            .unwrap();
        assert_eq!(fitted.outcome().status, Status::Converged, "{:?}", fitted.outcome());
    }
}

#[test]
fn more_features_than_samples_have_no_maximum_without_a_penalty() {
    let data = simulate::<Cpu>([20, 50, 1], 2, f64::exp);
    let free = Glm::new(Poisson).fit(&data.design, &data.counts).unwrap();
    assert_eq!((free.outcome().status, free.outcome().rank), (Status::NoMaximum, 19));
    let ridge = Glm::new(Poisson)
        .regularizer(Regularizer::Ridge(0.1.into()))
        .fit(&data.design, &data.counts)
        .unwrap();
    assert_eq!(ridge.outcome().status, Status::Converged);
}

#[test]
fn any_rate_can_be_fitted() {
    let data = simulate::<Cpu>([500, 2, 1], 12, f64::exp);
    for scale in [1e-3, 1.0, 1e4] {
        let counts: Vec<f64> = data.counts.to_vec().iter().map(|count| count * scale).collect();
        let fitted = Glm::new(Poisson)
            .link(Softplus)
            .fit(&data.design, &Matrix::from_column(counts))
            .unwrap();
        assert_eq!(fitted.outcome().status, Status::Converged, "{scale}: {:?}", fitted.outcome());
    }
}

#[test]
fn missing_values_leave_out_what_they_touch_and_no_more() {
    let data = simulate::<Cpu>([900, 3, 2], 31, f64::exp);
    let (mut x, mut y) = (data.design.to_array(), data.counts.to_array());
    x[(0, 1)] = f64::NAN;
    (100..900).step_by(90).for_each(|row| x[(row, 2)] = f64::NAN);
    y[(5, 0)] = f64::NAN;
    y[(6, 1)] = f64::NAN;
    let (solver, tight) = (Lbfgs::new(), Stopping::new().tolerance(1e-20));
    let fitted = PopulationGlm::new(Poisson)
        .stopping(tight)
        .fit_with(&solver, &Matrix::<Cpu>::from(x.clone()), &Matrix::<Cpu>::from(y.clone()))
        .unwrap();
    for neuron in 0..2 {
        let kept: Vec<usize> = (0..900)
            .filter(|&row| !x.row(row).iter().any(|x| x.is_nan()) && !y[(row, neuron)].is_nan())
            .collect();
        let design = Matrix::<Cpu>::from(x.select(ndarray::Axis(0), &kept));
        let counts = Matrix::from_column(kept.iter().map(|&row| y[(row, neuron)]).collect());
        let alone = Glm::new(Poisson).stopping(tight).fit_with(&solver, &design, &counts).unwrap();
        assert_close(alone.coef(), &fitted.coef().column(neuron).to_vec(), 1e-9);
        assert_eq!(fitted.dof_resid()[neuron], kept.len() as f64 - 4.0);
        let score = alone.score(&design, &counts, Score::McFadden).unwrap();
        let both = fitted
            .score_by_neuron(&Matrix::<Cpu>::from(x.clone()), &Matrix::<Cpu>::from(y.clone()), Score::McFadden)
            .unwrap();
        assert!((score - both[neuron]).abs() < 1e-9);
    }
    let rates = fitted.predict(&Matrix::<Cpu>::from(x.clone())).unwrap().to_array();
    for (row, rates) in rates.rows().into_iter().enumerate() {
        assert_eq!(rates.iter().all(|rate| rate.is_nan()), x.row(row).iter().any(|x| x.is_nan()));
    }
}

#[test]
fn one_two_and_no_samples_end_without_panic() {
    for n in 0..3 {
        let data = simulate::<Cpu>([4, 2, 1], 1, f64::exp);
        let (design, counts) = (data.design.rows(0..n).unwrap(), data.counts.rows(0..n).unwrap());
        let result = Glm::new(Poisson).fit(&design, &counts);
        assert_eq!(result.is_err(), n == 0, "{n} samples");
    }
}

#[test]
fn a_thousand_neurons_fit_in_one_batch() {
    let data = simulate::<Cpu>([400, 2, 1000], 13, f64::exp);
    let fitted = PopulationGlm::new(Poisson)
        .regularizer(Regularizer::Ridge(0.01.into()))
        .fit(&data.design, &data.counts)
        .unwrap();
    assert!(
        fitted
            .outcome()
            .statuses()
            .all(|status| matches!(status, Status::Converged | Status::NoMaximum))
    );
    assert_eq!(fitted.coef().dim(), (2, 1000));
}

#[test]
fn bad_input_is_named() {
    let good = Matrix::<Cpu>::from_vec(vec![0.1, 0.5, 0.3, 0.9], [4, 1]).unwrap();
    let counts = |values: [f64; 4]| Matrix::<Cpu>::from_column(values.to_vec());
    let fit = |design: &Matrix<Cpu>, counts: &Matrix<Cpu>| Glm::new(Poisson).fit(design, counts).unwrap_err().to_string();
    let fine = counts([1.0, 0.0, 2.0, 1.0]);
    assert!(fit(&good.rows(0..3).unwrap(), &fine).contains("design has 3 rows but counts has 4"));
    assert!(fit(&good.rows(0..0).unwrap(), &fine.rows(0..0).unwrap()).contains("design is empty"));
    assert!(fit(&counts([0.0, f64::INFINITY, 0.0, 1.0]), &fine).contains("row 1, column 0 of design is infinite"));
    assert!(fit(&good, &counts([0.0, 1.0, f64::NEG_INFINITY, 1.0])).contains("row 2, column 0 of counts is infinite"));
    assert!(
        fit(&good, &counts([0.0, 1.0, -2.0, 1.0])).contains("counts hold -2 in row 2, column 0; this observation model needs zero or more")
    );
    assert!(fit(&counts([f64::NAN; 4]), &fine).contains("no complete row"));
    assert!(fit(&good, &counts([f64::NAN; 4])).contains("neuron 0"));
    assert!(fit(&good, &Matrix::zeros([4, 2])).contains("PopulationGlm"));
    for strength in [-1.0, f64::NAN, f64::INFINITY] {
        let error = Glm::new(Poisson)
            .regularizer(Regularizer::Ridge(strength.into()))
            .fit(&good, &fine)
            .unwrap_err();
        assert!(error.to_string().contains("finite and not negative"), "{error}");
    }
    for tolerance in [0.0, -1.0, f64::NAN] {
        assert!(
            Glm::new(Poisson)
                .stopping(Stopping::new().tolerance(tolerance))
                .fit_with(&Auto::new(), &good, &fine)
                .is_err()
        );
    }
    let fitted = Glm::new(Poisson).link(Exp).fit(&good, &fine).unwrap();
    assert!(
        fitted
            .predict(&Matrix::<Cpu>::zeros([2, 3]))
            .unwrap_err()
            .to_string()
            .contains("design has 3 columns; 1 are needed")
    );
    assert!(fitted.score(&good, &Matrix::zeros([4, 2]), Score::Cohen).is_err());
}

#[test]
fn a_step_limit_that_comes_too_soon_is_said() {
    let data = simulate::<Cpu>([500, 5, 1], 5, f64::exp);
    let fitted = Glm::new(Poisson)
        .stopping(Stopping::new().max_steps(1))
        .fit_with(&Lbfgs::new(), &data.design, &data.counts)
        .unwrap();
    assert_eq!(fitted.outcome().status, Status::StepLimit);
}

#[test]
fn blocks_of_columns_keep_their_names() {
    let data = simulate::<Cpu>([500, 3, 1], 5, f64::exp);
    let x = data.design.to_array();
    let part = |columns: std::ops::Range<usize>| Matrix::<Cpu>::from_array(x.slice(s![.., columns]));
    let features = nemos_core::Features::new()
        .with("a", part(0..1))
        .unwrap()
        .with("b", part(1..3))
        .unwrap();
    let whole = Glm::new(Poisson).fit(&data.design, &data.counts).unwrap();
    let blocks = Glm::new(Poisson).fit(&features, &data.counts).unwrap();
    assert_eq!(blocks.coef()[blocks.features().block("b").unwrap().columns()], whole.coef()[1..3]);
}

#[test]
fn features_and_neurons_in_another_order_than_in_the_fit_are_refused() {
    let data = simulate::<Cpu>([300, 2, 2], 5, f64::exp);
    fn named<'a>(values: &'a Matrix<Cpu>, names: [&str; 2]) -> Design<'a, Cpu> {
        values.to_design().with_names(Names::new(names)).unwrap()
    }
    let (design, counts) = (named(&data.design, ["speed", "angle"]), named(&data.counts, ["7", "12"]));
    let (swapped, others) = (named(&data.design, ["angle", "speed"]), named(&data.counts, ["12", "7"]));
    let fitted = PopulationGlm::new(Poisson).fit(&design, &counts).unwrap();
    let says = |error: Error, named: &str| {
        let text = error.to_string();
        assert!(
            matches!(error, Error::Data(nemos_core::Error::NamesDiffer { .. })) && text.contains(named),
            "{text}"
        );
    };
    says(fitted.predict(&swapped).unwrap_err(), "column 0 of the design is \"angle\"");
    says(fitted.score(&swapped, &counts, Score::Cohen).unwrap_err(), "\"speed\"");
    says(
        fitted.score(&design, &others, Score::Cohen).unwrap_err(),
        "column 0 of the counts is \"12\"",
    );
    let careful = GradientDescent::new()
        .acceleration(Acceleration::Plain)
        .step_length(StepLength::Fixed(0.1));
    let mut training = PopulationGlm::new(Poisson).initialize(&careful, &design, &counts).unwrap();
    says(training.update(&swapped, &counts).unwrap_err(), "\"angle\"");
    says(training.update(&design, &others).unwrap_err(), "\"12\"");
    training.update(&design, &counts).unwrap();
    // Names that one of the two has not are not compared, and neurons without names have their numbers.
    let expected = fitted.score(&design, &counts, Score::Cohen).unwrap();
    assert_eq!(fitted.score(&data.design, &data.counts, Score::Cohen).unwrap(), expected);
    let unnamed = PopulationGlm::new(Poisson).fit(&data.design, &data.counts).unwrap();
    assert_eq!(unnamed.score(&swapped, &others, Score::Cohen).unwrap(), expected);
}

#[test]
fn a_model_of_ones_own_fits_as_the_built_in_one() {
    let data = simulate::<Cpu>([1200, 3, 2], 17, f64::exp);
    let built_in = PopulationGlm::new(Poisson)
        .stopping(Stopping::new().tolerance(1e-20))
        .fit_with(&Lbfgs::new(), &data.design, &data.counts)
        .unwrap();
    let newton = PopulationGlm::new(Mine)
        .stopping(Stopping::new().tolerance(1e-20))
        .fit_with(&Newton::new(), &data.design, &data.counts)
        .unwrap();
    let lbfgs = PopulationGlm::new(Mine)
        .stopping(Stopping::new().tolerance(1e-20))
        .fit_with(&Lbfgs::new(), &data.design, &data.counts)
        .unwrap();
    assert_close(&all(&newton), &all(&built_in), 1e-9);
    assert_close(&all(&lbfgs), &all(&built_in), 1e-9);
}

#[test]
fn refractory_cells_take_few_evaluations_under_every_smooth_penalty_and_mask() {
    let HostObjective { design, counts, .. } = refractory(3_000, 20);
    let n_features = design.ncols();
    let (cell, large) = (counts.column(0).to_vec(), &design + 1e5);
    // Stimuli that the cell does not see, and lags that it does.
    let mask = Array2::from_shape_fn((n_features, 1), |(feature, _)| feature % 9 != 8);
    let counts = Matrix::<Cpu>::from_column(cell);
    let models = [
        PopulationGlm::new(Poisson),
        PopulationGlm::new(Poisson).regularizer(ridge(1e-3)),
        PopulationGlm::new(Poisson).feature_mask(mask.clone()),
        PopulationGlm::new(Poisson).feature_mask(mask).regularizer(ridge(1e-3)),
    ];
    for (number, model) in models.iter().enumerate() {
        for design in [&design, &large] {
            let design = Matrix::from(design);
            let fitted = model.fit_with(&Lbfgs::new(), &design, &counts).unwrap();
            let newton = model.fit_with(&Newton::new(), &design, &counts).unwrap();
            let (own, best) = (&fitted.outcome().columns[0], &newton.outcome().columns[0]);
            assert!(own.is_proven || own.status == Status::Converged, "{number}: {own:?}");
            assert!(own.evaluations <= 24, "{number}: {}", own.evaluations);
            assert!(
                (own.value - best.value).abs() < 1e-9 * best.value.abs(),
                "{number}: {own:?} {best:?}"
            );
        }
    }
}
