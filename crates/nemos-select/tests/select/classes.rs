//! Classifiers in searches.

use nemos_basis::{BSpline, Family};
use nemos_core::{Cpu, Matrix};
use nemos_glm::{ClassifierGlm, ClassifierPopulationGlm, Glm, Poisson, Regularizer, Score};
use nemos_select::{Choice, Error, Folds, Grid, GridSearch, Pipeline, Scoring, Tunable, cross_validate};

use crate::{close, noise};

const N_ROWS: usize = 150;

/// Two features, of which the first tells the class of the first neuron; the second neuron follows none.
fn data() -> (Matrix<Cpu>, Matrix<Cpu>) {
    let (x, scatter) = (noise(2 * N_ROWS, 1), noise(2 * N_ROWS, 2));
    let label = |row: usize| {
        [
            (3.0 * x[2 * row] + 0.5 * (scatter[2 * row] - 0.5)).clamp(0.0, 2.9).floor(),
            (3.0 * scatter[2 * row + 1]).floor(),
        ]
    };
    let labels = (0..N_ROWS).flat_map(label).collect();
    (
        Matrix::from_vec(x, [N_ROWS, 2]).unwrap(),
        Matrix::from_vec(labels, [N_ROWS, 2]).unwrap(),
    )
}

fn model() -> ClassifierPopulationGlm {
    ClassifierPopulationGlm::new(3).regularizer(Regularizer::Ridge(1e-3.into()))
}

#[test]
fn scores_on_folds_are_those_of_fits_by_hand() {
    let (x, labels) = data();
    let folds = Folds::k(3);
    let row = cross_validate(&model(), &folds, Score::LogLikelihood, &x, &labels).unwrap();
    let shares = cross_validate(&model(), &folds, Scoring::Accuracy, &x, &labels).unwrap();
    for fold in 0..3 {
        let test: Vec<usize> = (50 * fold..50 * (fold + 1)).collect();
        let train: Vec<usize> = (0..N_ROWS).filter(|row| !test.contains(row)).collect();
        let rows = |matrix: &Matrix<Cpu>, rows: &[usize]| matrix.select_rows(rows).unwrap();
        let fitted = model().fit(&rows(&x, &train), &rows(&labels, &train)).unwrap();
        let score = fitted.score(&rows(&x, &test), &rows(&labels, &test), Score::LogLikelihood).unwrap();
        close(row.scores()[fold], score, 1e-10);
        let told = fitted.predict(&rows(&x, &test)).unwrap().to_vec();
        let right = told
            .iter()
            .zip(rows(&labels, &test).to_vec())
            .filter(|(told, label)| **told == *label)
            .count();
        close(shares.scores()[fold], right as f64 / 100.0, 1e-12);
    }
    assert!(shares.scores_of(0).iter().all(|share| *share > 0.7));
    assert!(shares.scores_of(1).iter().all(|share| *share < 0.6));
}

#[test]
fn strengths_are_chosen_for_all_neurons_or_for_each() {
    let (x, labels) = data();
    let search = GridSearch::new(model(), Grid::new().over("strength", [1e-4, 1e-2, 1.0, 100.0]));
    let found = search.clone().fit(&x, &labels).unwrap();
    assert_eq!(
        found.specification(),
        &model().with("strength", &found.chosen_numbers("strength")[0].into()).unwrap()
    );
    let found = search.choice(Choice::PerNeuron).fit(&x, &labels).unwrap();
    let strengths = found.chosen_numbers("strength");
    assert!(strengths[0] < 0.1 && strengths[1] > 0.1, "{strengths:?}");
    assert_eq!(found.models().len(), 2);
    assert_eq!(
        found
            .models()
            .iter()
            .map(|of| of.neurons.clone())
            .collect::<Vec<_>>()
            .concat()
            .len(),
        2
    );
}

#[test]
fn one_neuron_has_one_column_of_labels() {
    let (x, labels) = data();
    let model = ClassifierGlm::new(3);
    let first = labels.select_columns(&[0]).unwrap();
    let found = GridSearch::new(model.clone(), Grid::new().over("strength", [1e-3, 1e3]))
        .scoring(Scoring::Accuracy)
        .fit(&x, &first)
        .unwrap();
    assert_eq!(found.best().settings().to_string(), "strength = 0.001");
    assert_eq!(found.fitted().intercept().len(), 3);
    assert!(cross_validate(&model, &Folds::k(3), Scoring::Accuracy, &x, &labels).is_err());
}

#[test]
fn scores_of_other_models_are_errors() {
    let (x, labels) = data();
    let error = cross_validate(&model(), &Folds::k(3), Scoring::BitsPerSpike, &x, &labels).unwrap_err();
    assert!(matches!(error, Error::Scoring { .. }), "{error}");
    let counts = labels.select_columns(&[0]).unwrap();
    let error = cross_validate(&Glm::new(Poisson), &Folds::k(3), Scoring::Accuracy, &x, &counts).unwrap_err();
    assert!(error.to_string().contains("accuracy"), "{error}");
}

#[test]
fn a_classifier_ends_a_pipeline() {
    let (x, labels) = data();
    let (place, labels) = (x.select_columns(&[0]).unwrap(), labels.select_columns(&[0]).unwrap());
    let model = ClassifierGlm::new(3).regularizer(Regularizer::Ridge(1e-3.into()));
    let pipeline = Pipeline::new(BSpline::new(6).label("place"), model.clone());
    let grid = Grid::new().over("place.n_functions", [5, 8]).over("strength", [1e-3, 1.0]);
    let found = GridSearch::new(pipeline.clone(), grid)
        .folds(Folds::k(3))
        .scoring(Scoring::Accuracy)
        .fit(&place, &labels)
        .unwrap();
    assert_eq!(found.best().settings().get("strength"), Some(&1e-3.into()));
    assert!(found.best().mean() > 0.7, "{found}");
    let fitted = found.fitted();
    assert_eq!(fitted.predict(&place).unwrap().n_rows(), N_ROWS);
    assert_eq!(fitted.predict_probability(&place).unwrap().n_columns(), 3);

    // By hand: bounds of the training rows, and the features that they make.
    let row = cross_validate(&pipeline, &Folds::k(3), Score::LogLikelihood, &place, &labels).unwrap();
    let (test, train): (Vec<usize>, Vec<usize>) = (0..N_ROWS).partition(|row| *row < 50);
    let rows = |matrix: &Matrix<Cpu>, rows: &[usize]| matrix.select_rows(rows).unwrap();
    let basis = BSpline::new(6).label("place").with_bounds_from(&rows(&place, &train)).unwrap();
    let features = basis.compute_features(&rows(&place, &train)).unwrap();
    let by_hand = model.fit(&features, &rows(&labels, &train)).unwrap();
    let unseen = basis.compute_features(&rows(&place, &test)).unwrap();
    let score = by_hand.score(&unseen, &rows(&labels, &test), Score::LogLikelihood).unwrap();
    close(row.scores()[0], score, 1e-8);

    // Steps are taken back: the model is one of the features themselves.
    let scaled = pipeline.standardized().fit(&place, &labels).unwrap();
    let features = scaled.features(&place).unwrap();
    let again = scaled.model().predict_probability(&features).unwrap().to_matrix().unwrap().to_vec();
    let through = scaled.predict_probability(&place).unwrap().to_matrix().unwrap().to_vec();
    assert_eq!(again, through);
    let likelihood = scaled.score(&place, &labels, Score::LogLikelihood).unwrap();
    let plain = Pipeline::new(BSpline::new(6).label("place"), model.regularizer(Regularizer::Ridge(1e-5.into())));
    let plain = plain
        .fit(&place, &labels)
        .unwrap()
        .score(&place, &labels, Score::LogLikelihood)
        .unwrap();
    assert!((likelihood - plain).abs() < 0.05, "{likelihood} {plain}");
}
