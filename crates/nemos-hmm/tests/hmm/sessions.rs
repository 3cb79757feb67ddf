//! Sessions, gaps and time: what goes in with times comes out with times.

use nemos_core::{Cpu, Matrix};
use nemos_glm::Poisson;
use nemos_hmm::GlmHmm;
use nemos_timeseries::{IntervalSet, Ts, Tsd};

use crate::helpers::{column, design, parameters};

fn model() -> nemos_hmm::FittedGlmHmm {
    GlmHmm::new(2, Poisson)
        .with_parameters(parameters(0.9, &[(0.0, -1.5, 1.0), (0.0, 1.8, 1.0)]))
        .unwrap()
}

#[test]
fn states_of_a_time_series_are_series_and_epochs() {
    let support = IntervalSet::new([(0.0, 2.0), (10.0, 12.0)]).unwrap();
    let times = [0.25, 0.75, 1.25, 1.75, 10.25, 10.75, 11.25, 11.75];
    let axis = Ts::within(times, &support).unwrap();
    let feature = Tsd::<Cpu>::new(axis.clone(), vec![0.0; 8]).unwrap();
    let counts = Tsd::<Cpu>::new(axis, vec![0.0, 0.0, 7.0, 6.0, 8.0, 0.0, 0.0, 0.0]).unwrap();
    let model = model();
    let seen = model.on(&feature, &counts).unwrap();
    let smoothed = seen.smoothed().unwrap();
    assert_eq!(smoothed.sample_times(), times);
    assert_eq!(smoothed.support(), &support);
    assert_eq!(smoothed.column_names(), ["state 0", "state 1"]);
    // The epochs of the series are sessions.
    assert_eq!(seen.session_log_likelihoods().unwrap().len(), 2);
    let decoded = seen.decoded().unwrap();
    assert_eq!(decoded.path, [0, 0, 1, 1, 1, 0, 0, 0]);
    let epochs = seen.epochs(&decoded.path).unwrap();
    assert_eq!(epochs[0], IntervalSet::new([(0.0, 1.0), (10.5, 12.0)]).unwrap());
    assert_eq!(epochs[1], IntervalSet::new([(1.0, 2.0), (10.0, 10.5)]).unwrap());
    let error = seen.epochs(&[0, 0, 1, 1, 2, 0, 0, 0]).unwrap_err();
    assert!(error.to_string().contains("a state of the path is 2"), "{error}");
    let occupancy = seen.occupancy_by_session().unwrap();
    assert!((occupancy[(0, 0)] - 0.5).abs() < 0.05 && (occupancy[(1, 0)] - 0.75).abs() < 0.05);
    let mean = seen.predicted_mean().unwrap();
    assert_eq!(mean.sample_times(), times);
    let variance = seen.predicted_variance().unwrap();
    // A mixture of Poisson rates varies more than one.
    let pairs = mean.values().to_vec().into_iter().zip(variance.values().to_vec());
    assert!(pairs.into_iter().all(|(mean, variance)| variance >= mean - 1e-9));
}

#[test]
fn a_known_gap_is_missing_rows_and_an_unknown_one_a_border() {
    let model = model();
    let missing = column(vec![0.0, f64::NAN, f64::NAN, 7.0]);
    let (gap, border) = (design(&[4]), design(&[1, 3]));
    let known = model.on(&gap, &missing).unwrap().log_likelihood().unwrap();
    let unknown = model.on(&border, &missing).unwrap().log_likelihood().unwrap();
    // Across a border nothing is known of the state before; across a gap a little is.
    assert!(known < unknown);
    let alone = model.on(&design(&[1]), &column(vec![0.0])).unwrap().log_likelihood().unwrap();
    let jump = 0.9_f64.powi(3) + 3.0 * 0.9 * 0.01;
    let emissions = model.on(&gap, &missing).unwrap().log_emissions().to_owned();
    let filtered = model.on(&design(&[1]), &column(vec![0.0])).unwrap().filtered_array().unwrap();
    let ahead = [
        filtered[(0, 0)] * jump + filtered[(0, 1)] * (1.0 - jump),
        filtered[(0, 0)] * (1.0 - jump) + filtered[(0, 1)] * jump,
    ];
    let last = (ahead[0] * emissions[(3, 0)].exp() + ahead[1] * emissions[(3, 1)].exp()).ln();
    assert!((known - alone - last).abs() < 1e-12);
}

#[test]
fn segments_of_counts_are_sessions_where_the_design_has_one() {
    let model = model();
    let counts = nemos_core::Design::<Cpu>::from(column(vec![0.0, 3.0, 1.0])).with_segments(nemos_core::Segments::from_lengths([1, 0, 2]));
    let design = Matrix::<Cpu>::zeros([3, 1]);
    let counts = counts.unwrap();
    let seen = model.on(&design, &counts).unwrap();
    assert_eq!(seen.session_log_likelihoods().unwrap().len(), 2);
    let error = seen.epochs(&[0, 0, 1]).unwrap_err();
    assert!(error.to_string().contains("times"), "{error}");
    assert!(seen.epochs(&[0]).is_err());
}

#[test]
fn states_of_the_long_run_and_stays_follow_from_the_steps() {
    let model = model();
    let law = model.stationary().unwrap();
    assert!(law.iter().all(|p| (p - 0.5).abs() < 1e-12));
    assert!(model.expected_dwell().iter().all(|dwell| (dwell - 10.0).abs() < 1e-9));
}

#[test]
fn neurons_that_are_lost_for_a_while_are_fitted_to_what_is_there() {
    // The second neuron is seen in the first session alone; both are lost for a few bins. Three ways to say it.
    let value =
        |row: usize, neuron: usize| ((row * (5 + 2 * neuron)) % 4 + if (row / 15).is_multiple_of(2) { 0 } else { 4 + neuron }) as f64;
    let is_lost = |row: usize, neuron: usize| (neuron == 1 && row >= 60) || (80..86).contains(&row);
    let entries = |row: usize| [0, 1].map(|neuron| if is_lost(row, neuron) { f64::NAN } else { value(row, neuron) });
    let counts = Matrix::<Cpu>::from_vec((0..120).flat_map(entries).collect(), [120, 2]).unwrap();
    let sessions = design(&[60, 60]);
    let model = GlmHmm::new(2, Poisson).restarts(2);
    let fitted = model.fit(&sessions, &counts).unwrap();
    assert!(fitted.is_converged(), "{fitted}");
    assert_eq!(fitted.n_observed_rows(), 114);
    let seen = fitted.on(&sessions, &counts).unwrap();
    assert!((seen.log_likelihood().unwrap() - fitted.log_likelihood()).abs() < 1e-9);
    let smoothed = seen.smoothed_array().unwrap();
    assert!(smoothed.rows().into_iter().all(|law| (law.sum() - 1.0).abs() < 1e-12));
    // The rate of the second neuron is what its own rows say: weighted residuals sum to zero.
    for state in 0..2 {
        let glm = fitted.parameters().state(state);
        let residual = |row: usize| {
            let rate = (glm.intercept[1] + glm.coef[(0, 1)] * crate::helpers::feature(row)).exp();
            smoothed[(row, state)] * (value(row, 1) - rate)
        };
        let slope: f64 = (0..60).map(residual).sum();
        assert!(slope.abs() < 1e-2, "{slope}");
    }
    // A row without any count, and one of the design that is missing, are the same.
    let mut features = sessions.to_matrix().unwrap().to_vec();
    features[80..86].fill(f64::NAN);
    let by_design = nemos_core::Design::from(column(features)).with_segments(nemos_core::Segments::from_lengths([60, 60]));
    let whole = (0..120).flat_map(|row| [0, 1].map(|neuron| if neuron == 1 && row >= 60 { f64::NAN } else { value(row, neuron) }));
    let whole = Matrix::<Cpu>::from_vec(whole.collect(), [120, 2]).unwrap();
    let start = fitted.parameters().clone();
    let again = model.restarts(1).start_from(start).fit(&by_design.unwrap(), &whole).unwrap();
    assert!((again.log_likelihood() - fitted.log_likelihood()).abs() < 1e-4);
    assert_eq!(again.n_observed_rows(), 114);
}
