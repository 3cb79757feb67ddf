//! Recursions against the definition: all paths, one by one.

use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::chain::backward::{Pairs, smooth};
use crate::chain::forward::{Numbers, filter, predicted};
use crate::chain::paths::draw_path;
use crate::chain::steps::{Chain, Kind, LogEmissions, log_sum_exp};
use crate::chain::viterbi::most_probable_path;

/// A session of a chain with its log-emissions.
#[derive(Clone, Debug)]
struct Session {
    n_states: usize,
    initial: Vec<f64>,
    steps: Vec<f64>,
    emissions: Vec<f64>,
}

impl Session {
    fn n_rows(&self) -> usize {
        self.emissions.len() / self.n_states
    }

    fn chain(&self) -> Chain<'_> {
        Chain::new(&self.initial, &self.steps)
    }

    fn log_emissions(&self) -> LogEmissions<'_> {
        LogEmissions {
            values: &self.emissions,
            stride: self.n_states,
            first: 0,
        }
    }

    fn paths(&self) -> Vec<Vec<usize>> {
        let n_paths = self.n_states.pow(self.n_rows() as u32);
        let digit = |path: usize, row: usize| path / self.n_states.pow(row as u32) % self.n_states;
        (0..n_paths)
            .map(|path| (0..self.n_rows()).map(|row| digit(path, row)).collect())
            .collect()
    }

    /// `ln P(y, path)`
    fn log_probability(&self, path: &[usize]) -> f64 {
        let n = self.n_states;
        let of_row = |(row, &state): (usize, &usize)| {
            let arrived = match row {
                0 => self.initial[state],
                row => self.chain().step(row, n)[path[row - 1] * n + state],
            };
            arrived.ln() + self.emissions[row * n + state]
        };
        path.iter().enumerate().map(of_row).sum()
    }
}

/// What recursions give for a session.
struct Ran {
    log_likelihood: f64,
    evidence: Vec<f64>,
    predicted: Vec<f64>,
    smoothed: Vec<f64>,
    pairs: Vec<f64>,
    by_row: Vec<f64>,
    numbers: Numbers,
}

fn run(session: &Session) -> Ran {
    let (n, rows) = (session.n_states, 0..session.n_rows());
    let mut filtered = vec![0.0; rows.len() * n];
    let mut evidence = vec![0.0; rows.len()];
    let (log_likelihood, numbers) = filter(
        session.chain(),
        session.log_emissions(),
        rows.clone(),
        &mut filtered,
        Some(&mut evidence),
    )
    .unwrap();
    // Without evidence the logarithms are taken of products.
    let again = filter(session.chain(), session.log_emissions(), rows.clone(), &mut filtered.clone(), None).unwrap();
    assert!((again.0 - log_likelihood).abs() <= 1e-12 * log_likelihood.abs().max(1.0));
    let mut law = vec![0.0; rows.len() * n];
    predicted(session.chain(), rows.clone(), (&filtered, numbers), &mut law);
    let (mut pairs, mut by_row) = (vec![0.0; n * n], vec![f64::NAN; rows.len() * n * n]);
    let to = Pairs {
        sum: &mut pairs,
        by_row: Some(&mut by_row),
    };
    smooth(session.chain(), rows, (&mut filtered, numbers), to);
    Ran {
        log_likelihood,
        evidence,
        predicted: law,
        smoothed: filtered,
        pairs,
        by_row,
        numbers,
    }
}

fn assert_close(got: &[f64], expected: &[f64], what: &str) {
    for (place, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert!(
            (got - expected).abs() <= 1e-11 * expected.abs().max(1.0),
            "{what}[{place}] is {got}, not {expected}"
        );
    }
}

fn assert_equals_enumeration(session: &Session) {
    let (n, n_rows) = (session.n_states, session.n_rows());
    let ran = run(session);
    let paths = session.paths();
    let weights: Vec<f64> = paths.iter().map(|path| session.log_probability(path)).collect();
    let total = log_sum_exp(weights.iter().copied());
    assert_close(&[ran.log_likelihood], &[total], "log-likelihood");
    assert_close(&[ran.evidence.iter().sum()], &[total], "evidence");
    let (mut smoothed, mut by_row) = (vec![0.0; n_rows * n], vec![0.0; n_rows * n * n]);
    for (path, weight) in paths.iter().zip(&weights) {
        let p = (weight - total).exp();
        for row in 0..n_rows {
            smoothed[row * n + path[row]] += p;
            if row > 0 {
                by_row[(row * n + path[row - 1]) * n + path[row]] += p;
            }
        }
    }
    assert_close(&ran.smoothed, &smoothed, "smoothed");
    assert_close(&ran.by_row, &by_row, "pairs");
    let pairs: Vec<f64> = (0..n * n)
        .map(|pair| (0..n_rows).map(|row| by_row[row * n * n + pair]).sum())
        .collect();
    assert_close(&ran.pairs, &pairs, "sum of pairs");
    let mut path = vec![0; n_rows];
    let log_probability = most_probable_path(session.chain(), session.log_emissions(), 0..n_rows, &mut path).unwrap();
    let best = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    assert_close(&[log_probability, session.log_probability(&path)], &[best, best], "Viterbi");
    assert!(log_probability <= ran.log_likelihood + 1e-12 * total.abs().max(1.0));
}

fn law(weights: &[f64]) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}

prop_compose! {
    /// Chains of up to three states and six rows; with `zeros` some steps are impossible, though not those to stay.
    fn sessions(zeros: bool)(n_states in 1..4_usize, n_rows in 1..7_usize, driven in any::<bool>())(
        n_states in Just(n_states),
        initial in prop::collection::vec(0.01..1.0_f64, n_states),
        steps in prop::collection::vec(0.01..1.0_f64, n_states * n_states * if driven { n_rows } else { 1 }),
        is_zero in prop::collection::vec(any::<bool>(), n_states * n_states * if driven { n_rows } else { 1 }),
        emissions in prop::collection::vec(prop_oneof![Just(0.0), -9.0..3.0_f64, -3000.0..0.0_f64], n_states * n_rows),
    ) -> Session {
        let rows = steps.chunks_exact(n_states).zip(is_zero.chunks_exact(n_states)).enumerate();
        let steps = rows
            .flat_map(|(row, (weights, is_zero))| {
                let cut = weights.iter().zip(is_zero).enumerate();
                let weights: Vec<f64> = cut
                    .map(|(state, (weight, is_zero))| if zeros && *is_zero && state != row % n_states { 0.0 } else { *weight })
                    .collect();
                law(&weights)
            })
            .collect();
        Session { n_states, initial: law(&initial), steps, emissions }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn recursions_equal_the_enumeration_of_all_paths(session in sessions(false)) {
        assert_equals_enumeration(&session);
    }

    #[test]
    fn recursions_with_impossible_steps_equal_the_enumeration_of_all_paths(session in sessions(true)) {
        assert_equals_enumeration(&session);
    }

    #[test]
    fn laws_sum_to_one_and_pairs_to_their_margins(session in sessions(true)) {
        let (ran, n) = (run(&session), session.n_states);
        for row in 0..session.n_rows() {
            let smoothed = &ran.smoothed[row * n..(row + 1) * n];
            prop_assert!((smoothed.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            prop_assert!((ran.predicted[row * n..(row + 1) * n].iter().sum::<f64>() - 1.0).abs() < 1e-12);
            if row == 0 { continue }
            let pairs = &ran.by_row[row * n * n..(row + 1) * n * n];
            for k in 0..n {
                let from: f64 = pairs[k * n..(k + 1) * n].iter().sum();
                let into: f64 = (0..n).map(|i| pairs[i * n + k]).sum();
                prop_assert!((from - ran.smoothed[(row - 1) * n + k]).abs() < 1e-12);
                prop_assert!((into - smoothed[k]).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn a_row_without_observations_is_a_step_more(session in sessions(false), at in 0..5_usize) {
        // A chain with one row missing is one whose step there is A².
        let (n, mut session) = (session.n_states, session);
        if session.n_rows() < 2 {
            return Ok(());
        }
        let at = at % (session.n_rows() - 1);
        session.steps.truncate(n * n);
        let mut longer = session.clone();
        let place = (at + 1) * n;
        longer.emissions.splice(place..place, vec![0.0; n]);
        let square: Vec<f64> = (0..n * n)
            .map(|pair| (0..n).map(|k| session.steps[pair / n * n + k] * session.steps[k * n + pair % n]).sum())
            .collect();
        let mut leaping = session.clone();
        leaping.steps = (0..session.n_rows()).flat_map(|row| if row == at + 1 { square.clone() } else { session.steps.clone() }).collect();
        let (a, b) = (run(&longer).log_likelihood, run(&leaping).log_likelihood);
        prop_assert!((a - b).abs() <= 1e-11 * b.abs().max(1.0), "{} {}", a, b);
    }
}

#[test]
fn a_state_that_underflows_and_is_demanded_later_is_found_again() {
    // Once left, the first state cannot be reached again: all evidence is against it for long, and then for it alone.
    let mut emissions: Vec<f64> = (0..60).flat_map(|_| [-30.0, 0.0]).collect();
    emissions.extend([0.0, f64::NEG_INFINITY]);
    let session = Session {
        n_states: 2,
        initial: vec![0.5, 0.5],
        steps: vec![0.9, 0.1, 0.0, 1.0],
        emissions,
    };
    let ran = run(&session);
    assert_eq!(ran.numbers, Numbers::Logarithms);
    let expected = 0.5_f64.ln() + 60.0 * (0.9_f64.ln() - 30.0);
    assert!((ran.log_likelihood - expected).abs() < 1e-9, "{}", ran.log_likelihood);
    assert!(ran.smoothed.chunks_exact(2).all(|law| (law[0] - 1.0).abs() < 1e-12));
}

#[test]
fn steps_that_are_nearly_impossible_are_done_in_logarithms() {
    let session = Session {
        n_states: 2,
        initial: vec![1.0, 0.0],
        steps: vec![1.0, 1e-200, 0.0, 1.0],
        emissions: vec![0.0, 0.0, -900.0, 0.0, 0.0, 0.0],
    };
    assert_eq!(session.chain().kind, Kind::Extreme);
    let ran = run(&session);
    // Going over in the second row costs 200 ln 10, staying 900 nats.
    assert!(
        (ran.log_likelihood + 200.0 * std::f64::consts::LN_10).abs() < 1e-9,
        "{}",
        ran.log_likelihood
    );
    assert!((ran.smoothed[5] - 1.0).abs() < 1e-12);
}

#[test]
fn a_row_that_no_state_explains_is_named() {
    let nothing = f64::NEG_INFINITY;
    for steps in [vec![0.5; 4], vec![1.0, 0.0, 0.0, 1.0]] {
        let session = Session {
            n_states: 2,
            initial: vec![0.5; 2],
            steps,
            emissions: vec![0.0, 0.0, nothing, nothing, 0.0, 0.0],
        };
        let end = filter(session.chain(), session.log_emissions(), 0..3, &mut [0.0; 6], None);
        assert_eq!(end.unwrap_err().row, 1);
        let end = most_probable_path(session.chain(), session.log_emissions(), 0..3, &mut [0; 3]);
        assert_eq!(end.unwrap_err().row, 1);
    }
}

#[test]
fn ties_go_to_the_lowest_state() {
    let session = Session {
        n_states: 3,
        initial: vec![1.0 / 3.0; 3],
        steps: vec![1.0 / 3.0; 9],
        emissions: vec![0.0; 12],
    };
    let mut path = vec![9; 4];
    most_probable_path(session.chain(), session.log_emissions(), 0..4, &mut path).unwrap();
    assert_eq!(path, [0; 4]);
}

#[test]
fn drawn_paths_have_their_law() {
    let session = Session {
        n_states: 2,
        initial: vec![0.3, 0.7],
        steps: vec![0.8, 0.2, 0.0, 1.0],
        emissions: vec![-1.0, -0.3, -0.1, -2.0, -0.5, -0.4],
    };
    let mut filtered = vec![0.0; 6];
    let (total, numbers) = filter(session.chain(), session.log_emissions(), 0..3, &mut filtered, None).unwrap();
    let mut logarithms = filtered.clone();
    logarithms.iter_mut().for_each(|value| *value = value.ln());
    let paths = session.paths();
    for filtered in [(&filtered, numbers), (&logarithms, Numbers::Logarithms)] {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let n = 20_000;
        let mut counts = vec![0.0; paths.len()];
        for _ in 0..n {
            let mut path = vec![0; 3];
            draw_path(session.chain(), 0..3, (filtered.0, filtered.1), &mut rng, &mut path);
            counts[paths.iter().position(|other| *other == path).unwrap()] += 1.0;
        }
        for (path, count) in paths.iter().zip(counts) {
            let p = (session.log_probability(path) - total).exp();
            assert!(
                (count / f64::from(n) - p).abs() <= 5.0 * (p * (1.0 - p) / f64::from(n)).sqrt(),
                "{path:?}"
            );
        }
    }
}
