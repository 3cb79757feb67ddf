//! Nothing passes from a test fold to training: what only test rows could reveal is planted there.

use nemos_basis::{BSpline, Family, History, Window};
use nemos_core::{Cpu, Matrix};
use nemos_glm::{Glm, Poisson, PopulationGlm, Regularizer};
use nemos_select::{Folds, Grid, GridSearch, Pipeline, Scoring, Searchable};

use crate::{noise, population};

/// The rates that every fold foretells for its test rows, in order.
fn foretold<S: Searchable>(specification: &S, folds: &Folds, inputs: &Matrix<Cpu>, counts: &Matrix<Cpu>) -> Vec<Vec<f64>> {
    let heard = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let to = heard.clone();
    let listen = Scoring::own("listens", move |_, rates| {
        to.lock().unwrap().push(rates.to_vec());
        0.0
    });
    nemos_select::cross_validate(specification, folds, listen, inputs, counts).unwrap();
    std::mem::take(&mut *heard.lock().unwrap())
}

fn ridge() -> Regularizer {
    Regularizer::Ridge(1e-3.into())
}

#[test]
fn counts_of_test_rows_do_not_reach_the_fit() {
    let (design, counts) = population(120, 5, 1);
    let folds = Folds::blocks(3, 2);
    let model = PopulationGlm::new(Poisson).regularizer(ridge());
    let before = foretold(&model, &folds, &design, &counts);
    let splits = folds.cut(&nemos_core::Design::from(&design)).unwrap();
    for fold in 0..3 {
        // Other counts in the rows of this fold change what the other folds foretell, and not this one.
        let mut planted = counts.to_vec();
        splits.get(fold).test().iter().for_each(|&row| planted[row] += 50.0);
        let after = foretold(&model, &folds, &design, &Matrix::from_column(planted));
        for other in 0..3 {
            assert_eq!(before[other] == after[other], other == fold, "fold {fold}, foretold by {other}");
        }
    }
}

#[test]
fn features_of_test_rows_do_not_reach_the_fit() {
    let (design, counts) = population(120, 5, 1);
    let folds = Folds::k(3);
    let model = PopulationGlm::new(Poisson).regularizer(ridge());
    let before = foretold(&model, &folds, &design, &counts);
    // A test row far away: the fit of its fold must not know its scale.
    let mut planted = design.to_array();
    planted.row_mut(7).fill(1e6);
    let after = foretold(&model, &folds, &Matrix::from(planted), &counts);
    for row in (0..40).filter(|row| *row != 7) {
        assert!((before[0][row] - after[0][row]).abs() < 1e-9, "row {row}");
    }
}

#[test]
fn bounds_come_from_training_rows() {
    // The last rows reach further than all before: with their bounds, functions would be wider.
    let mut place: Vec<f64> = noise(90, 4);
    place[89] = 3.0;
    let counts: Vec<f64> = place.iter().map(|x| (4.0 * x).floor().min(3.0)).collect();
    let (place, counts) = (Matrix::<Cpu>::from_column(place), Matrix::from_column(counts));
    let pipeline = Pipeline::new(BSpline::new(6), Glm::new(Poisson).regularizer(ridge()));
    let folds = Folds::given([nemos_select::Split::new(0..60, 60..90)]);
    let rates = foretold(&pipeline, &folds, &place, &counts);
    let training = place.rows(0..60).unwrap();
    let by_hand = pipeline.fit(&training, &counts.rows(0..60).unwrap()).unwrap();
    let expected = by_hand.predict(&place.rows(60..90).unwrap()).unwrap().to_matrix().unwrap().to_vec();
    assert!(
        expected[29].is_nan(),
        "beyond the bounds of the training rows there are no features"
    );
    let inside: Vec<f64> = expected.into_iter().filter(|rate| !rate.is_nan()).collect();
    assert_eq!(rates[0].len(), inside.len());
    rates[0]
        .iter()
        .zip(inside)
        .for_each(|(got, expected)| assert!((got - expected).abs() < 1e-9));
}

#[test]
fn no_history_crosses_the_cut() {
    // Each count repeats the one before: a history that crossed the cut would carry test counts into training.
    let counts: Vec<f64> = noise(200, 9).into_iter().map(|x| (3.0 * x).floor()).collect();
    let series = Matrix::<Cpu>::from_column(counts.clone());
    let window = 5;
    let pipeline = Pipeline::new(History::new(Window::samples(window)), Glm::new(Poisson).regularizer(ridge()));
    let folds = Folds::blocks(2, 2);
    let before = foretold(&pipeline, &folds, &series, &series);
    // Test rows whose window would reach into training rows are left out: every stretch loses its first five.
    assert_eq!(before.iter().map(Vec::len).collect::<Vec<_>>(), [2 * (50 - window); 2]);
    let splits = folds.cut(&nemos_core::Design::from(&series)).unwrap();
    // Inputs and counts of test rows change together: what the fold learnt must not.
    let mut planted = counts.clone();
    splits.get(0).test().iter().for_each(|&row| planted[row] = 9.0);
    let planted = Matrix::<Cpu>::from_column(planted);
    let learnt = |series: &Matrix<Cpu>| {
        let train = nemos_core::Design::from(series).select_rows(splits.get(0).train()).unwrap();
        let fitted = pipeline.fit(&train, &train).unwrap();
        (fitted.model().coef().to_vec(), fitted.model().intercept())
    };
    assert_eq!(learnt(&series), learnt(&planted));
    let after = foretold(&pipeline, &folds, &planted, &planted);
    assert_ne!(before[0], after[0], "its test rows have other inputs");
    let constant = after[0][0];
    assert!(
        after[0].iter().all(|rate| (rate - constant).abs() < 1e-9),
        "and they are all the same now"
    );
    // By hand: a window of nines, through the model of the training rows.
    let (coef, intercept) = learnt(&series);
    assert!((constant - (intercept + 9.0 * coef.iter().sum::<f64>()).exp()).abs() < 1e-6 * constant);
}

#[test]
fn means_and_deviations_come_from_training_rows() {
    let (design, counts) = population(90, 1, 1);
    let mut far = design.to_vec();
    far[80] = 500.0;
    let pipeline = Pipeline::new(nemos_basis::Identity::new(), Glm::new(Poisson).regularizer(ridge())).standardized();
    let folds = Folds::given([nemos_select::Split::new(0..60, 60..90)]);
    let (near, far) = (
        foretold(&pipeline, &folds, &design, &counts),
        foretold(&pipeline, &folds, &Matrix::from_column(far), &counts),
    );
    for row in (0..30).filter(|row| *row != 20) {
        assert!((near[0][row] - far[0][row]).abs() < 1e-12);
    }
}

#[test]
fn a_search_with_a_window_leaks_nothing_into_its_choice() {
    // Counts of even bins are noise, and those of odd bins repeat them. With whole rows shuffled, every window is cut.
    let even = noise(150, 5);
    let counts: Vec<f64> = (0..300).map(|bin| (3.0 * even[bin / 2]).floor()).collect();
    let series = Matrix::<Cpu>::from_column(counts);
    let spline = BSpline::new(4).convolved(Window::samples(6)).label("spikes");
    let search = GridSearch::new(
        Pipeline::new(spline, Glm::new(Poisson).regularizer(ridge())),
        Grid::new().over("spikes.window", [Window::samples(4), Window::samples(8)]),
    );
    let error = search.clone().folds(Folds::shuffled(5, 1)).fit(&series, &series).unwrap_err();
    assert!(
        error.to_string().contains("complete") || error.to_string().contains("missing"),
        "{error}"
    );
    assert!(search.folds(Folds::blocks(3, 2)).fit(&series, &series).is_ok());
}
