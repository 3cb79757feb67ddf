//! Fits in groups of neurons.

use ndarray::Array2;
use nemos_core::{Cpu, Matrix, Names, ToDesign};
use nemos_glm::{
    ClassifierPopulationGlm, Error, FeatureMask, Gaussian, Poisson, PopulationGlm, Problems, Regularizer, Strength, elastic_net, ridge,
};
use nemos_solvers::{Auto, Stopping};

/// All within this share of the largest.
fn assert_close(got: &[f64], expected: &[f64], tolerance: f64) {
    let largest = expected.iter().fold(1.0, |largest: f64, x| largest.max(x.abs()));
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).abs() <= tolerance * largest, "{got} is not {expected}");
    }
}

const ROWS: usize = 1000;
const NEURONS: usize = 150;
const FEATURES: usize = 3 * NEURONS;

fn noise(place: usize) -> f64 {
    let x = (place as f64 * 12.9898 + 1.0).sin() * 43758.5453;
    x - x.floor()
}

fn features() -> Matrix<Cpu> {
    Matrix::from_vec((0..ROWS * FEATURES).map(noise).collect(), [ROWS, FEATURES]).unwrap()
}

fn counts() -> Array2<f64> {
    Array2::from_shape_fn((ROWS, NEURONS), |(row, neuron)| {
        (noise(row * NEURONS + neuron + 7) * (2 + neuron % 3) as f64).floor()
    })
}

/// Each neuron hears itself and the two beside it.
fn neighbours() -> Array2<bool> {
    Array2::from_shape_fn((FEATURES, NEURONS), |(feature, neuron)| (feature / 3).abs_diff(neuron) <= 1)
}

#[test]
fn neighbours_in_groups_are_fitted_as_all_together() {
    let mut counts = counts();
    counts[(5, 33)] = f64::NAN;
    let weights = Matrix::from(Array2::from_shape_fn((ROWS, NEURONS), |(row, neuron)| {
        (1 + (row + neuron) % 3) as f64
    }));
    let offset = Matrix::from(Array2::from_shape_fn((ROWS, NEURONS), |(row, neuron)| {
        0.1 * noise(row + 1000 * neuron)
    }));
    let names = (0..NEURONS).map(|neuron| format!("unit {neuron}"));
    let counts = Matrix::<Cpu>::from(counts);
    let counts = counts.to_design().with_names(Names::new(names)).unwrap();
    let features = features();
    let design = features
        .to_design()
        .with_weights(weights)
        .and_then(|design| design.with_offset(offset))
        .unwrap();
    let per_coefficient = Array2::from_shape_fn((FEATURES, NEURONS), |(i, j)| 0.01 * noise(i * NEURONS + j));
    let start = Array2::from_elem((FEATURES, NEURONS), 0.01);
    for penalty in [
        Regularizer::Unregularized,
        ridge(Strength::PerNeuron(
            (0..NEURONS).map(|neuron| 0.001 * (1 + neuron) as f64).collect(),
        )),
        elastic_net(Strength::PerCoefficient(per_coefficient), 0.5),
    ] {
        let model = PopulationGlm::new(Poisson)
            .regularizer(penalty)
            .feature_mask(neighbours())
            .stopping(Stopping::new().tolerance(1e-13));
        let model = model.start(&start, &[0.1; NEURONS]).unwrap();
        let plan = model.plan(&design, &counts).unwrap();
        assert!(plan.n_groups() > 3, "{plan}");
        let apart = model.fit(&design, &counts).unwrap();
        let problems = Problems::one_per_response(NEURONS);
        let together = model.fit_problems(&Auto::new(), problems, &design, &counts).unwrap();
        let flat = |coef: ndarray::ArrayView2<'_, f64>| coef.iter().copied().collect::<Vec<_>>();
        assert_close(&flat(apart.coef().view()), &flat(together.coef().view()), 1e-5);
        assert_close(&apart.intercept().to_vec(), &together.intercept().to_vec(), 1e-5);
        assert_eq!(apart.dof_resid(), together.dof_resid());
        assert_eq!(apart.neurons(), together.neurons());
        assert!(apart.outcome().columns.iter().all(|column| column.rank <= 9));
        let masked = apart
            .coef()
            .indexed_iter()
            .all(|(place, value)| neighbours()[place] || *value == 0.0);
        assert!(masked);
    }
}

#[test]
fn a_limit_changes_nothing_but_roundings() {
    let (features, counts) = (features(), Matrix::<Cpu>::from(counts()));
    let model = PopulationGlm::new(Gaussian).regularizer(ridge(0.1));
    let all = model.fit(&features, &counts).unwrap();
    let limit = 0.7 * model.plan(&features, &counts).unwrap().bytes();
    let limited = model.memory_limit(limit);
    assert!(limited.plan(&features, &counts).unwrap().n_groups() > 1);
    let fitted = limited.fit(&features, &counts).unwrap();
    assert_close(
        &fitted.coef().iter().copied().collect::<Vec<_>>(),
        &all.coef().iter().copied().collect::<Vec<_>>(),
        1e-5,
    );
    assert_close(fitted.scale(), all.scale(), 1e-5);
    assert_eq!(fitted.dof_resid(), all.dof_resid());
    // The same limit gives the same groups, and these the same bits.
    assert_eq!(fitted.coef(), limited.fit(&features, &counts).unwrap().coef());
}

#[test]
fn classes_have_masks_of_their_own_in_groups() {
    let features = features();
    let labels = Matrix::<Cpu>::from(counts().mapv(|count| count.min(2.0)));
    let mask = Array2::from_shape_fn((FEATURES, 3 * NEURONS), |(feature, column)| {
        (feature / 3).abs_diff(column / 3) <= 1 && feature % 3 != column % 3
    });
    let model = ClassifierPopulationGlm::new(3).regularizer(ridge(0.01)).feature_mask(mask.clone());
    let plan = model.plan(&features, &labels).unwrap();
    assert!(plan.n_groups() > 3, "{plan}");
    let fitted = model.stopping(Stopping::new().tolerance(1e-13)).fit(&features, &labels).unwrap();
    for neuron in [0, 41] {
        let own = Array2::from_shape_fn((FEATURES, 3), |(i, class)| mask[(i, 3 * neuron + class)]);
        let alone = ClassifierPopulationGlm::new(3).regularizer(ridge(0.01)).feature_mask(own);
        let alone = alone.stopping(Stopping::new().tolerance(1e-13));
        let alone = alone.fit(&features, &labels.select_columns(&[neuron]).unwrap()).unwrap();
        let flat = |coef: ndarray::ArrayView2<'_, f64>| coef.iter().copied().collect::<Vec<_>>();
        let (all, one) = (fitted.coef(), alone.coef());
        let (all, one) = (all.index_axis(ndarray::Axis(1), neuron), one.index_axis(ndarray::Axis(1), 0));
        assert_close(&flat(all.view()), &flat(one.view()), 1e-5);
    }
}

#[test]
fn errors_name_neurons_and_columns_as_they_are_in_all() {
    let features = features();
    let model = PopulationGlm::new(Poisson).feature_mask(neighbours());
    let mut missing = counts();
    missing.column_mut(71).fill(f64::NAN);
    let error = model.fit(&features, &Matrix::from(missing)).unwrap_err();
    assert!(matches!(error, Error::NeuronMissing { neuron: 71 }), "{error}");
    let mut negative = counts();
    negative[(40, 52)] = -1.0;
    let error = model.fit(&features, &Matrix::from(negative)).unwrap_err();
    assert!(matches!(error, Error::OutsideSupport { row: 40, column: 52, .. }), "{error}");
    let mut infinite = features.to_array();
    infinite[(3, 200)] = f64::INFINITY;
    let error = model.fit(&Matrix::<Cpu>::from(infinite), &Matrix::from(counts())).unwrap_err();
    let Error::Data(nemos_core::Error::Infinite {
        name: "design",
        row: 3,
        column,
    }) = error
    else {
        panic!("{error}")
    };
    assert_eq!(column, 200);
    let wrong = model.clone().start(&Array2::zeros((4, NEURONS)), &[0.0; NEURONS]).unwrap();
    assert!(matches!(
        wrong.fit(&features, &Matrix::from(counts())),
        Err(Error::StartShape { .. })
    ));
    let silent = FeatureMask::Coefficients(Array2::from_elem((FEATURES, NEURONS), false));
    let null = PopulationGlm::new(Poisson)
        .feature_mask(silent)
        .fit(&features, &Matrix::from(counts()))
        .unwrap();
    assert!(null.coef().iter().all(|coef| *coef == 0.0));
}
