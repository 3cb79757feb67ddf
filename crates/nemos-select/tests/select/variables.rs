//! Which blocks neurons need.

use ndarray::Array2;
use nemos_core::{Cpu, Features, Matrix};
use nemos_glm::{FeatureMask, Poisson, PopulationGlm, Regularizer, Score};
use nemos_select::{Direction, Error, Folds, Rule, VariableSearch};

use crate::noise;

/// Neuron n follows the signals whose bit is set in n.
fn data(n_rows: usize) -> (Vec<Matrix<Cpu>>, Matrix<Cpu>) {
    let signals: Vec<Vec<f64>> = (0..3).map(|signal| noise(n_rows, 10 + signal)).collect();
    let scatter = noise(n_rows * 4, 20);
    let count = |row: usize, neuron: usize| {
        let drive: f64 = (0..3)
            .filter(|signal| neuron >> signal & 1 == 1)
            .map(|signal| 2.0 * signals[signal][row])
            .sum();
        ((drive - 0.5).exp() + 2.0 * scatter[4 * row + neuron] - 0.5).max(0.0).floor()
    };
    let counts = Array2::from_shape_fn((n_rows, 4), |(row, neuron)| count(row, neuron));
    (signals.into_iter().map(Matrix::from_column).collect(), Matrix::from(counts))
}

#[test]
fn both_directions_find_what_drives_each_neuron() {
    let (signals, counts) = data(800);
    let features = ["a", "b", "c"]
        .iter()
        .zip(&signals)
        .try_fold(Features::new(), |features, (name, signal)| features.with(*name, signal));
    let features = features.unwrap();
    let search = VariableSearch::new(PopulationGlm::new(Poisson).regularizer(Regularizer::Ridge(1e-4.into())))
        .folds(Folds::blocks(4, 3))
        .rule(Rule::OneStandardError);
    let forward = search.clone().fit(&features, &counts).unwrap();
    let truth = [vec![], vec!["a"], vec!["b"], vec!["a", "b"]];
    for (neuron, blocks) in truth.iter().enumerate() {
        assert_eq!(&forward.blocks_of(neuron), blocks, "{forward}");
    }
    let backward = search.direction(Direction::Backward).fit(&features, &counts).unwrap();
    for (neuron, blocks) in truth.iter().enumerate() {
        for block in blocks {
            assert!(backward.blocks_of(neuron).contains(block), "{backward}");
        }
        assert!(!backward.blocks_of(neuron).contains(&"c"), "{backward}");
    }
    // What is not kept is zero, and every step is told.
    assert_eq!(forward.fitted().coef()[(2, 1)], 0.0);
    assert_eq!(forward.history().len(), 4);
    assert!(forward.to_string().contains("a, b"));
    assert_eq!(forward.kept().dim(), (3, 4));
}

#[test]
fn a_mask_of_the_model_holds_and_a_silent_fold_is_left_out() {
    let (signals, counts) = data(800);
    let features = Features::new().with("a", &signals[0]).unwrap().with("b", &signals[1]).unwrap();
    // Neuron 3 follows both, may not use `b`, and is silent in the first fold.
    let mut counts = counts.to_array();
    counts.slice_mut(ndarray::s![0..200, 3]).fill(0.0);
    let model = PopulationGlm::new(Poisson).regularizer(Regularizer::Ridge(1e-4.into()));
    let model = model.feature_mask(FeatureMask::Blocks(vec![("b".into(), vec![true, true, true, false])]));
    for direction in [Direction::Forward, Direction::Backward] {
        let search = VariableSearch::new(model.clone()).folds(Folds::k(4)).scoring(Score::Cohen);
        let found = search
            .direction(direction)
            .fit(&features, &Matrix::<Cpu>::from(counts.clone()))
            .unwrap();
        assert_eq!(found.blocks_of(3), ["a"], "{found}");
        assert!(found.scores()[3] > 0.0);
        assert_eq!(found.fitted().coef()[(1, 3)], 0.0);
        assert!(found.blocks_of(2).contains(&"b"), "{found}");
    }
}

#[test]
fn blocks_must_have_names() {
    let (signals, counts) = data(50);
    let search = VariableSearch::new(PopulationGlm::new(Poisson));
    assert!(matches!(
        search.fit(&signals[0], &counts),
        Err(Error::Data(nemos_core::Error::NoNames { .. }))
    ));
}
