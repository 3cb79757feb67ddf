//! A model without features: an intercept alone, which all others are measured against.

use nemos_core::{Cpu, Design, Matrix};
use nemos_glm::{
    Bernoulli, ClassifierGlm, Gamma, Gaussian, Glm, NegativeBinomial, ObservationModel, Poisson, PopulationGlm, Regularizer, Score,
};

use crate::common::Mine;

fn counts() -> Matrix<Cpu> {
    Matrix::from_column(vec![1.0, 3.0, 2.0, 6.0])
}

fn none(n_rows: usize) -> Matrix<Cpu> {
    Matrix::zeros([n_rows, 0])
}

fn predicts<O: ObservationModel>(model: O, counts: &Matrix<Cpu>, mean: f64) {
    for regularizer in [
        Regularizer::Unregularized,
        Regularizer::Ridge(1.0.into()),
        Regularizer::Lasso(1.0.into()),
    ] {
        let fitted = Glm::new(model.clone()).regularizer(regularizer).fit(&none(4), counts).unwrap();
        assert!(fitted.outcome().status == nemos_glm::Status::Converged, "{:?}", fitted.outcome());
        assert!(fitted.coef().is_empty());
        let rates = fitted.predict(&none(4)).unwrap().to_vec();
        assert!(rates.iter().all(|rate| (rate - mean).abs() < 1e-6), "{rates:?}");
        assert!(fitted.score(&none(4), counts, Score::Cohen).unwrap().abs() < 1e-9);
        assert_eq!(fitted.dof_resid(), 3.0);
    }
}

#[test]
fn the_mean_is_all_that_it_says() {
    predicts(Poisson, &counts(), 3.0);
    predicts(Gaussian, &counts(), 3.0);
    predicts(Gamma, &counts(), 3.0);
    predicts(NegativeBinomial::new(0.5), &counts(), 3.0);
    predicts(Bernoulli, &Matrix::from_column(vec![1.0, 0.0, 0.0, 0.0]), 0.25);
}

#[test]
fn neurons_weights_and_offsets_are_theirs() {
    let both = Matrix::<Cpu>::from_vec(vec![1.0, 0.0, 3.0, 4.0, 2.0, f64::NAN, 6.0, 2.0], [4, 2]).unwrap();
    let fitted = PopulationGlm::new(Poisson).fit(&none(4), &both).unwrap();
    let means: Vec<f64> = fitted.intercept().iter().map(|intercept| intercept.exp()).collect();
    assert!((means[0] - 3.0).abs() < 1e-6 && (means[1] - 2.0).abs() < 1e-6, "{means:?}");
    let weighted = Design::from(none(4))
        .with_weights(Matrix::from_column(vec![1.0, 1.0, 1.0, 0.0]))
        .unwrap();
    let fitted = Glm::new(Poisson).fit(&weighted, &counts()).unwrap();
    assert!((fitted.intercept().exp() - 2.0).abs() < 1e-6);
    let offset = Design::from(none(4))
        .with_offset(Matrix::from_column(vec![2.0_f64.ln(); 4]))
        .unwrap();
    let fitted = Glm::new(Poisson).fit(&offset, &counts()).unwrap();
    assert!((fitted.intercept().exp() - 1.5).abs() < 1e-6);
}

#[test]
fn nothing_at_all_is_still_an_error() {
    assert!(Glm::new(Poisson).fit(&none(0), &Matrix::zeros([0, 1])).is_err());
    assert!(Glm::new(Poisson).fit(&none(4), &Matrix::zeros([4, 0])).is_err());
}

#[test]
fn a_model_of_ones_own_and_a_classifier_have_one_too() {
    predicts(Mine, &counts(), 3.0);
    let labels = Matrix::from_column(vec![0.0, 1.0, 1.0, 1.0]);
    let fitted = ClassifierGlm::new(2).fit(&none(4), &labels).unwrap();
    assert_eq!(fitted.predict(&none(2)).unwrap().to_vec(), [1.0, 1.0]);
}
