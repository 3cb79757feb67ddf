//! Recurrent simulations: against a dense loop, from what was fitted, and at their limits.

use ndarray::{Array2, Array3, ArrayView2, array, s};
use nemos_basis::{Causality, Family, History, RaisedCosineLinear, RaisedCosineLog, Shift, Window};
use nemos_core::{Cpu, Matrix, ToDesign};
use nemos_glm::{Bernoulli, Exp, Gaussian, Identity, NegativeBinomial, Poisson, PopulationGlm, Regularizer, Softplus};
use nemos_sim::{Coupling, Draw, End, Error, Recurrent, ScalarLink, coupling_coef, feedforward, regress_filter};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Numbers between −1 and 1 without a pattern that matters.
fn wave(at: usize) -> f64 {
    (at as f64 * 12.9898 + 0.5).sin()
}

fn filters(window: usize, n_neurons: usize, size: f64) -> Array3<f64> {
    let mut at = 0;
    Array3::from_shape_simple_fn((window, n_neurons, n_neurons), || {
        at += 1;
        size * wave(at)
    })
}

/// Eq. (1) and (2) of `Recurrent`, summed over the whole history at every step.
fn dense<O: Draw, L: ScalarLink>(
    model: (O, L),
    filters: &Array3<f64>,
    drive: &Array2<f64>,
    history: &Array2<f64>,
    seed: u64,
) -> Array2<f64> {
    let (window, n_neurons, _) = filters.dim();
    let mut rng = rng(seed);
    let mut counts = Array2::zeros((window + drive.nrows(), n_neurons));
    counts.slice_mut(s![..window, ..]).assign(history);
    for step in 0..drive.nrows() {
        for i in 0..n_neurons {
            let mut predictor = drive[(step, i)] - 0.5;
            for lag in 0..window {
                for j in 0..n_neurons {
                    predictor += filters[(lag, i, j)] * counts[(window + step - 1 - lag, j)];
                }
            }
            counts[(window + step, i)] = model.0.draw(model.1.rate_of(predictor), 0.5, &mut rng);
        }
    }
    counts.slice_move(s![window.., ..])
}

fn assert_dense<O: Draw, L: ScalarLink>(observation: O, link: L, [window, n_neurons, n_steps]: [usize; 3]) {
    let filters = filters(window, n_neurons, 0.4 / ((n_neurons * window) as f64).sqrt());
    let drive = Array2::from_shape_fn((n_steps, n_neurons), |(step, neuron)| 0.3 * wave(step * 7 + neuron));
    let history = Array2::from_shape_fn((window, n_neurons), |(step, neuron)| f64::from((step + neuron) as u32 % 3));
    let network = Recurrent::new(
        observation.clone(),
        Coupling::from_filters(filters.view()).unwrap(),
        vec![-0.5; n_neurons],
    )
    .link(link.clone())
    .scale(vec![0.5; n_neurons])
    .history(history.clone());
    let simulation = network.run(drive.view(), &mut rng(12)).unwrap().require_finished().unwrap();
    assert_eq!(simulation.rates.dim(), (n_steps, n_neurons));
    let expected = dense((observation.clone(), link), &filters, &drive, &history, 12);
    let off = (&simulation.counts - &expected).iter().fold(0.0_f64, |off, x| off.max(x.abs()));
    // Sums are taken in another order; real-valued draws show it.
    assert!(off < 1e-9, "{observation:?} {window} {n_neurons} {n_steps}: {off}");
}

#[test]
fn scattered_spikes_equal_a_dense_loop_draw_for_draw() {
    for window in [1, 2, 7] {
        for n_neurons in [1, 3] {
            for n_steps in [0, 1, 2, 60] {
                assert_dense(Poisson, Exp, [window, n_neurons, n_steps]);
                assert_dense(Poisson, Softplus, [window, n_neurons, n_steps]);
                assert_dense(NegativeBinomial::new(0.5), Softplus, [window, n_neurons, n_steps]);
            }
        }
    }
    assert_dense(Bernoulli, nemos_glm::Logistic, [5, 2, 100]);
    assert_dense(Gaussian, Identity, [5, 2, 20]);
}

#[test]
fn nobody_is_nobody() {
    let network = Recurrent::new(Poisson, Coupling::from_filters(Array3::zeros((3, 0, 0)).view()).unwrap(), []);
    assert_eq!(network.run(Array2::zeros((4, 0)).view(), &mut rng(1)).unwrap().counts.dim(), (4, 0));
}

#[test]
fn trials_do_not_depend_on_each_other() {
    let network = Recurrent::new(Poisson, Coupling::from_filters(filters(4, 2, 0.2).view()).unwrap(), [-1.0, -1.0]);
    let (quiet, driven) = (Array2::zeros((50, 2)), Array2::ones((30, 2)));
    let trials = network
        .run_trials(&[quiet.view(), driven.view(), quiet.view()], &mut rng(3))
        .unwrap();
    assert_eq!(trials[1].counts.dim(), (30, 2));
    assert_ne!(trials[0].counts, trials[2].counts);
    let first = network.run_trials(&[quiet.view(), quiet.view()], &mut rng(3)).unwrap();
    assert_eq!(first[0], trials[0]);
    let mut seeds = rng(3);
    assert_eq!(network.run(quiet.view(), &mut ChaCha8Rng::from_rng(&mut seeds)).unwrap(), trials[0]);
    assert!(network.run_trials(&[], &mut rng(3)).unwrap().is_empty());
}

#[test]
fn a_fit_recovers_the_filters_of_a_long_simulation() {
    let basis = RaisedCosineLog::new(3).convolved(Window::samples(12));
    // Self-inhibition, excitation one way, weak inhibition the other.
    let coef = array![[[-2.0, -0.5, 0.0], [0.0, 0.5, 0.4]], [[-0.4, 0.3, 0.0], [-1.5, 0.0, 0.2]]];
    let coupling = Coupling::new(coef.view(), basis.filters().unwrap().values.view()).unwrap();
    let network = Recurrent::new(Poisson, coupling.clone(), [-2.0, -1.5]);
    assert!(network.stability().unwrap().spectral_radius < 1.0);
    let n_steps = 60_000;
    let simulation = network
        .run(Array2::zeros((n_steps, 2)).view(), &mut rng(5))
        .unwrap()
        .require_finished()
        .unwrap();

    let counts = Matrix::<Cpu>::from(simulation.counts);
    let design = basis.compute_features(&counts).unwrap();
    let fitted = PopulationGlm::new(Poisson)
        .fit(&design, &counts)
        .unwrap()
        .require_converged()
        .unwrap();
    let back = Recurrent::from_fitted(&fitted, &basis).unwrap();
    let split = coupling_coef(fitted.coef(), 3).unwrap();
    // As the basis splits them: [sender, function, receiver].
    let parts = basis.layout(&[2]).unwrap().split_by_axis(fitted.coef(), 0).unwrap();
    assert_eq!(parts[0].1[[1, 2, 0]], split[(0, 1, 2)]);

    // Distances in standard errors, from the Fisher information at the truth: Σₜ rateₜ xₜ xₜᵀ, intercept last.
    let rows = design.to_array();
    for receiver in 0..2 {
        let mut information = Array2::<f64>::zeros((7, 7));
        for step in 12..n_steps {
            let x: Vec<f64> = rows.row(step).iter().copied().chain([1.0]).collect();
            let rate = simulation.rates[(step, receiver)];
            information
                .indexed_iter_mut()
                .for_each(|((i, j), total)| *total += rate * x[i] * x[j]);
        }
        let (truth, got) = (coef.slice(s![receiver, .., ..]), split.slice(s![receiver, .., ..]));
        let off = truth.iter().zip(got.iter()).map(|(truth, got)| got - truth);
        let off: ndarray::Array1<f64> = off.chain([fitted.intercept()[receiver] - [-2.0, -1.5][receiver]]).collect();
        // χ² with 7 degrees of freedom is above 29.9 once in ten thousand times.
        let distance = off.dot(&information.dot(&off));
        assert!(distance < 29.9, "receiver {receiver}: {distance}");
    }
    let off = (&back.coupling().filters() - &coupling.filters()).mapv(f64::abs);
    assert!(off.iter().all(|off| *off < 0.35), "{off}");
}

#[test]
fn a_part_of_a_fit_and_the_drive_of_the_rest_predict_what_the_fit_does() {
    let basis = RaisedCosineLog::new(3).convolved(Window::samples(8)).label("spikes") + RaisedCosineLinear::new(4).label("heading");
    let counts = Matrix::<Cpu>::from_vec((0..400).map(|at| f64::from(at * at % 7 % 3)).collect(), [200, 2]).unwrap();
    let heading = Matrix::<Cpu>::from_column((0..200).map(|at| f64::from(at * 37 % 100)).collect());
    // A design that computes its features on demand knows which belong to which.
    let design = basis.design([&counts, &heading]).unwrap();
    let model = PopulationGlm::new(Poisson).regularizer(Regularizer::Ridge(0.5.into()));
    let fitted = model.fit(&design, &counts).unwrap();
    let features = basis.compute_features([&counts, &heading]).unwrap();
    let stimulus = fitted.features().block("heading").unwrap().columns();
    let drive = features.to_array().slice(s![.., stimulus]).dot(&fitted.coef_of("heading").unwrap());
    let history = counts.to_array().slice(s![50..58, ..]).to_owned();
    let network = Recurrent::from_fitted_part(&fitted, &basis, "spikes").unwrap().history(history);
    let run = network.run(drive.slice(s![58..59, ..]), &mut rng(1)).unwrap();
    let expected = fitted.predict(&features).unwrap().to_array();
    assert!((&run.rates.row(0) - &expected.row(58)).iter().all(|off| off.abs() < 1e-12));

    assert!(Recurrent::from_fitted_part(&fitted, &basis, "nose").is_err());
    // Features without names have no parts.
    let unnamed = model.fit(&features, &counts).unwrap();
    assert!(matches!(
        Recurrent::from_fitted_part(&unnamed, &basis, "spikes"),
        Err(Error::Glm(_) | Error::Data(_))
    ));
    assert!(Recurrent::from_fitted(&fitted, &basis).is_err());
}

#[test]
fn a_fit_with_an_offset_is_no_network() {
    let basis = RaisedCosineLog::new(3).convolved(Window::samples(8));
    let counts = Matrix::<Cpu>::from_vec((0..400).map(|at| f64::from(at * at % 7 % 3)).collect(), [200, 2]).unwrap();
    let design = basis.compute_features(&counts).unwrap();
    let offset = design.to_design().with_offset(Matrix::from_column(vec![0.1; 200])).unwrap();
    let fitted = PopulationGlm::new(Poisson).fit(&offset, &counts).unwrap();
    assert!(matches!(Recurrent::from_fitted(&fitted, &basis), Err(Error::HasOffset)));
}

#[test]
fn a_drive_changes_how_stable_a_network_is() {
    let coupling = Coupling::from_filters(array![[[0.5]]].view()).unwrap();
    let network = Recurrent::new(Poisson, coupling, [-3.0]);
    assert!(network.stability().unwrap().is_stable());
    let driven = network.stability_under(&[4.0]).unwrap();
    assert!((driven.spectral_radius - 0.5 * 1.0_f64.exp()).abs() < 1e-8 && !driven.is_stable());
    assert!(network.stability_under(&[4.0, 1.0]).is_err() && network.stability_under(&[f64::NAN]).is_err());
}

#[test]
fn a_run_that_explodes_is_an_outcome() {
    let network = Recurrent::new(Poisson, Coupling::from_filters(array![[[1.0]]].view()).unwrap(), [1.0]).rate_ceiling(1e3);
    assert!(network.stability().unwrap().spectral_radius > 1.0);
    let simulation = network.run(Array2::zeros((100, 1)).view(), &mut rng(1)).unwrap();
    let End::Diverged { step, neuron: 0, rate } = simulation.end else {
        panic!("{:?}", simulation.end)
    };
    assert!(rate > 1e3 && simulation.counts.nrows() == step && simulation.rates.nrows() == step);
    assert!(simulation.counts.iter().chain(&simulation.rates).all(|value| value.is_finite()));
    assert!(matches!(simulation.require_finished(), Err(Error::Stopped(End::Diverged { .. }))));
}

#[test]
fn a_rate_without_counts_is_an_outcome() {
    let network = Recurrent::new(Poisson, Coupling::from_filters(array![[[-1.0]]].view()).unwrap(), [0.5]).link(Identity);
    let simulation = network.run(Array2::zeros((100, 1)).view(), &mut rng(1)).unwrap();
    assert!(matches!(simulation.end, End::NoCounts { neuron: 0, rate, .. } if rate < 0.0));
}

#[test]
fn features_of_each_neuron_drive_it() {
    let input = Array3::from_shape_fn((3, 2, 2), |(step, neuron, feature)| (step + 10 * neuron + 100 * feature) as f64);
    let drive = feedforward(array![[1.0, 0.0], [0.5, 0.25]].view(), input.view()).unwrap();
    assert_eq!(drive, array![[0.0, 32.5], [1.0, 33.25], [2.0, 34.0]]);
}

#[test]
fn regression_finds_the_weights_of_a_sum_of_functions() {
    let basis = RaisedCosineLog::new(4).convolved(Window::samples(20)).filters().unwrap().values;
    let coef = Array3::from_shape_fn((2, 3, 4), |(i, j, f)| wave(i + 10 * j + 100 * f));
    let filters = Array3::from_shape_fn((20, 2, 3), |(lag, i, j)| (0..4).map(|f| coef[(i, j, f)] * basis[(lag, f)]).sum());
    let found = regress_filter(filters.view(), basis.view()).unwrap();
    assert!((&found - &coef).iter().all(|off| off.abs() < 1e-10));
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    fn name<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
        match result.unwrap_err() {
            Error::Shape { name, .. } => name,
            other => panic!("{other}"),
        }
    }
    let (basis, coef) = (Array2::ones((4, 3)), Array3::<f64>::zeros((2, 2, 3)));
    let coupling = Coupling::new(coef.view(), basis.view()).unwrap();
    let network = Recurrent::new(Poisson, coupling.clone(), [0.0; 2]);
    let drive = Array2::zeros((5, 2));
    let run = |network: &Recurrent<Poisson, Exp>, drive: ArrayView2<'_, f64>| network.run(drive, &mut rng(1));
    assert_eq!(
        name(Coupling::new(Array3::zeros((2, 3, 3)).view(), basis.view())),
        "the coupling coefficients"
    );
    assert_eq!(
        name(Coupling::new(Array3::zeros((2, 2, 4)).view(), basis.view())),
        "the coupling coefficients"
    );
    assert_eq!(
        name(Coupling::from_filters(Array3::zeros((4, 2, 3)).view())),
        "the coupling filters"
    );
    assert_eq!(
        name(coupling_coef(Array2::zeros((5, 2)).view(), 3)),
        "the coefficients of the counts"
    );
    assert_eq!(name(run(&network, Array2::zeros((5, 3)).view())), "the drive");
    assert_eq!(
        name(run(&network.clone().history(Array2::zeros((3, 2))), drive.view())),
        "the history"
    );
    assert_eq!(name(run(&network.clone().scale([1.0]), drive.view())), "the list of scales");
    assert_eq!(
        name(run(&Recurrent::new(Poisson, coupling, [0.0]), drive.view())),
        "the list of intercepts"
    );
    assert_eq!(
        name(feedforward(Array2::zeros((2, 3)).view(), Array3::zeros((5, 2, 2)).view())),
        "the feed-forward coefficients"
    );
    assert_eq!(
        name(feedforward(Array2::zeros((3, 2)).view(), Array3::zeros((5, 2, 2)).view())),
        "the feed-forward coefficients"
    );
    assert_eq!(name(regress_filter(Array3::zeros((5, 1, 1)).view(), basis.view())), "the basis");
    assert!(matches!(
        Coupling::from_filters(Array3::zeros((0, 2, 2)).view()),
        Err(Error::EmptyWindow { .. })
    ));
}

#[test]
fn values_that_are_no_numbers_are_found() {
    for bad in [f64::NAN, f64::INFINITY] {
        let place = |dims: (usize, usize, usize)| {
            let mut array = Array3::zeros(dims);
            array[(1, 0, 0)] = bad;
            array
        };
        let plane = |rows: usize| place((rows, 2, 1)).slice_move(s![.., .., 0]);
        let good = Coupling::from_filters(Array3::zeros((4, 2, 2)).view()).unwrap();
        let network = Recurrent::new(Poisson, good.clone(), [0.0; 2]);
        let found = |result: Result<(), Error>| matches!(result, Err(Error::NotFinite { .. }));
        assert!(found(Coupling::from_filters(place((4, 2, 2)).view()).map(drop)));
        assert!(found(
            Coupling::new(place((2, 2, 3)).view(), Array2::zeros((4, 3)).view()).map(drop)
        ));
        assert!(found(Coupling::new(Array3::zeros((2, 2, 2)).view(), plane(4).view()).map(drop)));
        assert!(found(network.run(plane(9).view(), &mut rng(1)).map(drop)));
        assert!(found(
            network
                .clone()
                .history(plane(4))
                .run(Array2::zeros((1, 2)).view(), &mut rng(1))
                .map(drop)
        ));
        assert!(found(Recurrent::new(Poisson, good, [0.0, bad]).stability().map(drop)));
        assert!(found(feedforward(plane(2).view(), Array3::zeros((5, 2, 2)).view()).map(drop)));
        assert!(found(feedforward(Array2::zeros((2, 2)).view(), place((5, 2, 2)).view()).map(drop)));
        assert!(found(
            regress_filter(place((4, 2, 2)).view(), Array2::zeros((4, 3)).view()).map(drop)
        ));
        assert!(found(regress_filter(Array3::zeros((4, 2, 2)).view(), plane(4).view()).map(drop)));
        assert!(matches!(
            network.clone().scale([1.0, bad]).stability(),
            Err(Error::Scale { neuron: 1, .. })
        ));
        assert!(matches!(network.rate_ceiling(bad).stability(), Err(Error::RateCeiling { .. })));
    }
}

#[test]
fn only_filters_of_the_past_can_run() {
    let lags = |causality| nemos_basis::Basis::from(History::new(Window::samples(2).causality(causality)));
    let coef = Array2::zeros((4, 2));
    assert!(Coupling::from_features(coef.view(), &lags(Causality::default())).is_ok());
    for causality in [Causality::Causal(Shift::None), Causality::AntiCausal(Shift::OneSample)] {
        assert!(matches!(
            Coupling::from_features(coef.view(), &lags(causality)),
            Err(Error::LooksAhead)
        ));
    }
    let tuning = RaisedCosineLog::new(2).into();
    assert!(matches!(Coupling::from_features(coef.view(), &tuning), Err(Error::Basis(_))));
}
