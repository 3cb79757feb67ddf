//! Classifiers whose likelihood has a maximum, and those whose likelihood has none.

use ndarray::Array2;
use nemos_core::{Cpu, Design, Matrix};
use nemos_glm::{ClassifierGlm, ClassifierPopulationGlm, FeatureMask, Regularizer, lasso, ridge};
use nemos_solvers::{ColumnOutcome, Status, Stopping};

/// Two features on a grid of a hundred points, and labels of three classes.
fn grid(label: impl Fn(f64, f64) -> usize) -> (Matrix<Cpu>, Matrix<Cpu>) {
    let x = Array2::from_shape_fn(
        (100, 2),
        |(row, column)| if column == 0 { (row % 10) as f64 } else { (row / 10) as f64 },
    );
    let labels = x.rows().into_iter().map(|row| label(row[0], row[1]) as f64).collect();
    (Matrix::from(x), Matrix::from_column(labels))
}

/// Three sectors of the grid.
fn sectors(x: f64, y: f64) -> usize {
    if x + y < 8.5 { 0 } else { 1 + usize::from(y > x) }
}

fn end(regularizer: Regularizer, (design, labels): &(Matrix<Cpu>, Matrix<Cpu>)) -> ColumnOutcome {
    let fitted = ClassifierGlm::new(3).regularizer(regularizer).fit(design, labels).unwrap();
    fitted.outcome().clone()
}

#[test]
fn classes_that_lines_separate_have_no_maximum() {
    let separated = grid(sectors);
    let outcome = end(Regularizer::Unregularized, &separated);
    assert_eq!((outcome.status, outcome.is_proven), (Status::NoMaximum, true), "{outcome:?}");
    // Whatever bounds the coefficients makes it finite.
    for bounded in [ridge(1e-4), lasso(1e-4)] {
        assert_eq!(end(bounded, &separated).status, Status::Converged);
    }
    // On the line between two of them lie some of both.
    let touching = grid(|x, y| if y == x && x > 4.0 { 1 + x as usize % 2 } else { sectors(x, y) });
    assert_eq!(end(Regularizer::Unregularized, &touching).status, Status::NoMaximum);
}

#[test]
fn one_row_on_the_other_side_makes_a_maximum() {
    // Each class has a row among those of the two others.
    let stray = |x: f64, y: f64| match (x as usize, y as usize) {
        (1, 1) => 1,
        (2, 1) => 2,
        (9, 3) => 2,
        (8, 4) => 0,
        (3, 9) => 1,
        (4, 8) => 0,
        _ => sectors(x, y),
    };
    let overlapping = grid(stray);
    let outcome = end(Regularizer::Unregularized, &overlapping);
    assert_eq!(outcome.status, Status::Converged, "{outcome:?}");
    // Without the rows that stray, and without their weight, classes are separated.
    let without: Vec<f64> = (0..100)
        .map(|row| f64::from(u8::from(overlapping.1.to_vec()[row] == grid(sectors).1.to_vec()[row])))
        .collect();
    let weighted = Design::from(overlapping.0.clone())
        .with_weights(Matrix::from_column(without.clone()))
        .unwrap();
    let fitted = ClassifierGlm::new(3)
        .regularizer(Regularizer::Unregularized)
        .fit(&weighted, &overlapping.1);
    assert_eq!(fitted.unwrap().outcome().status, Status::NoMaximum);
    let missing = without
        .iter()
        .zip(overlapping.1.to_vec())
        .map(|(&kept, label)| if kept > 0.0 { label } else { f64::NAN });
    let missing = Matrix::from_column(missing.collect());
    assert_eq!(end(Regularizer::Unregularized, &(overlapping.0, missing)).status, Status::NoMaximum);
}

#[test]
fn a_class_without_rows_has_no_maximum_under_any_penalty() {
    let never = grid(|x, y| sectors(x, y).min(1));
    for penalty in [Regularizer::Unregularized, ridge(0.1)] {
        assert_eq!(end(penalty.clone(), &never).status, Status::NoMaximum, "{penalty:?}");
    }
}

/// A mask that takes the feature away which tells the classes apart leaves a maximum; each neuron has a verdict of its own.
#[test]
fn masks_and_neurons_are_looked_at_each() {
    let (design, labels) = grid(|x, _| usize::from(x > 3.5) + usize::from(x > 6.5));
    let model = ClassifierPopulationGlm::new(3).regularizer(Regularizer::Unregularized);
    let masked = model
        .clone()
        .feature_mask(FeatureMask::Coefficients(ndarray::array![[false], [true]]));
    let masked = masked.fit(&design, &labels).unwrap();
    assert_eq!(masked.outcome().columns[0].status, Status::Converged);
    let both = {
        let (first, second) = (labels.to_vec(), grid(|x, y| (3.0 * x + 7.0 * y) as usize % 3).1.to_vec());
        let columns: Vec<f64> = first.into_iter().zip(second).flat_map(|(a, b)| [a, b]).collect();
        Matrix::<Cpu>::from_vec(columns, [100, 2]).unwrap()
    };
    let fitted = model.fit(&design, &both).unwrap();
    let ends: Vec<Status> = fitted.outcome().columns.iter().map(|column| column.status).collect();
    assert_eq!(ends, [Status::NoMaximum, Status::Converged]);
}

/// Where rows are many only fits that went far are asked, and these are found whatever the tolerance.
#[test]
fn many_rows_are_told_apart_as_well() {
    let n = 12_000;
    let x = Array2::from_shape_fn((n, 6), |(row, column)| (0.37 * ((row * (column + 3)) as f64)).sin());
    let sums: Vec<f64> = x.rows().into_iter().map(|row| row.sum()).collect();
    let labels = |noise: f64| -> Matrix<Cpu> {
        let at = |row: usize| sums[row] + noise * (7.7 * row as f64).cos();
        Matrix::from_column(
            (0..n)
                .map(|row| f64::from(u8::from(at(row) > -0.5)) + f64::from(u8::from(at(row) > 0.7)))
                .collect(),
        )
    };
    let design = Matrix::<Cpu>::from(x);
    for tolerance in [1e-8, 1e-12] {
        let fit = |noise: f64| {
            let model = ClassifierGlm::new(3)
                .regularizer(Regularizer::Unregularized)
                .stopping(Stopping::new().tolerance(tolerance));
            model.fit(&design, &labels(noise)).unwrap().outcome().clone()
        };
        assert_eq!(fit(0.0).status, Status::NoMaximum, "{:?}", fit(0.0));
        assert_eq!(fit(1.0).status, Status::Converged, "{:?}", fit(1.0));
    }
}
