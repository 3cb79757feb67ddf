//! Names travel: from the columns of the inputs to blocks, channels and columns of the features.

use nemos_basis::*;
use nemos_core::{Cpu, Design, Matrix, Names, Rows, Samples, Segments, ToDesign};

const N: usize = 12;

fn matrix(n_columns: usize) -> Matrix<Cpu> {
    let values = (0..N * n_columns).map(|at| ((at * 7) % 11) as f64).collect();
    Matrix::from_vec(values, [N, n_columns]).expect("as many values as places")
}

fn named<const C: usize>(names: [&str; C]) -> Design<'static, Cpu> {
    Design::from(matrix(C)).with_names(Names::new(names)).expect("one name per column")
}

fn channels(names: &Names, block: &str) -> Vec<String> {
    names.block(block).expect("a term of the basis").channels().to_vec()
}

#[test]
fn each_term_is_a_block_whose_channels_are_the_columns_of_its_input() {
    let (place, spikes) = (matrix(1), named(["3", "7"]));
    let basis = BSpline::new(5).label("place") + RaisedCosineLog::new(3).convolved(Window::samples(4)).label("spikes");
    let design = basis.design((&place, &spikes)).unwrap();
    let names = design.to_design().names().clone();
    assert_eq!(names.block_names(), ["place", "spikes"]);
    assert_eq!(names.block("place").unwrap().columns(), 0..5);
    assert!(channels(&names, "place").is_empty());
    assert_eq!(channels(&names, "spikes"), ["3", "7"]);
    assert_eq!(names.block("spikes").unwrap().channel("7").unwrap(), 8..11);
    assert_eq!(names.columns()[0], "place[0]");
    assert_eq!(names.columns()[8..], ["spikes[7][0]", "spikes[7][1]", "spikes[7][2]"]);
    // The channel is computed from the column of its name.
    let alone = Design::from(matrix(2).select_columns(&[1]).unwrap());
    let alone = RaisedCosineLog::new(3)
        .convolved(Window::samples(4))
        .compute_features(&alone)
        .unwrap();
    let channel = design.chunk(4..N).unwrap().select_columns(&[8, 9, 10]).unwrap();
    assert_eq!(channel.to_vec(), alone.chunk(4..N).unwrap().to_vec());
}

#[test]
fn columns_without_names_are_numbered_and_a_single_one_keeps_its_name() {
    let basis = BSpline::new(4).label("a") + BSpline::new(4).label("b");
    let names = basis.layout(&[1, 3]).unwrap().names();
    assert!(channels(&names, "a").is_empty());
    assert_eq!(channels(&names, "b"), ["0", "1", "2"]);
    let (x, plain) = (named(["x"]), matrix(3));
    let names = basis.design((&x, &plain)).unwrap().layout().names();
    assert_eq!(channels(&names, "a"), ["x"]);
    assert_eq!(names.columns()[0], "a[0]");
}

#[test]
fn channels_of_a_product_are_next_to_each_other_and_named_by_both_inputs() {
    let basis = BSpline::new(4) * (RaisedCosineLinear::new(2) + Identity::new());
    let (left, right) = (named(["x", "y"]), named(["u", "v"]));
    let design = basis.design([&left, &right, &right]).unwrap();
    let names = design.layout().names();
    let block = names.blocks()[0].clone();
    assert_eq!(block.channels(), ["x*u", "y*v"]);
    assert_eq!(block.by_channel().collect::<Vec<_>>(), [0..12, 12..24]);
    let one = |column: usize| matrix(2).select_columns(&[column]).unwrap();
    for (column, channel) in block.by_channel().enumerate() {
        let alone = basis.compute_features([&one(column), &one(column), &one(column)]).unwrap();
        let columns: Vec<usize> = channel.collect();
        let together = design.to_design().to_matrix().unwrap().select_columns(&columns).unwrap();
        assert_eq!(together.to_vec(), alone.to_vec());
    }
    // Equal names are said once.
    let same = basis.design([&left, &left, &left]).unwrap().layout().names();
    assert_eq!(same.blocks()[0].channels(), ["x", "y"]);
    let plane = Fourier::new(2).dimensions(2).label("plane");
    let plane = plane.design([&left, &right]).unwrap().layout().names();
    assert_eq!(channels(&plane, "plane"), ["x,u", "y,v"]);
}

#[test]
fn an_array_valued_function_has_a_channel_for_each_entry_and_column() {
    let basis = Basis::from(Custom::of_inputs("pair", 1, [2], |x, out| out.copy_from_slice(&[x[0], -x[0]])));
    let names = basis.design(&named(["x", "y"])).unwrap().layout().names();
    assert_eq!(names.blocks()[0].channels(), ["x,0", "y,0", "x,1", "y,1"]);
    assert_eq!(names.columns()[2], "Custom[x,1][0]");
    assert_eq!(basis.layout(&[2]).unwrap().names().columns()[2], "Custom[2][0]");
}

#[test]
fn features_come_back_with_the_names_times_and_segments_of_what_went_in() {
    let times: Vec<f64> = (0..N).map(|row| row as f64 / 10.0).collect();
    let spikes = named(["3", "7"])
        .with_times(times.clone())
        .and_then(|spikes| spikes.with_segments(Segments::from_lengths([8, 4])))
        .unwrap();
    let basis = History::new(Window::samples(2)).label("spikes");
    let features = basis.compute_features(&spikes).unwrap();
    assert_eq!(features.names(), &basis.design(&spikes).unwrap().layout().names());
    assert_eq!(features.times(), Some(times.as_slice()));
    assert_eq!(features.segments(), Segments::from_lengths([8, 4]));
    let design = basis.design(&spikes).unwrap();
    let rates = design.wrap(Matrix::zeros([N, 1]), Names::new(["rate"]));
    assert_eq!(
        (rates.times(), rates.names().columns()),
        (Some(times.as_slice()), &["rate".to_string()][..])
    );
}

#[test]
fn weights_and_offset_of_an_input_belong_to_the_features() {
    let weights = Matrix::from_column((0..N).map(|row| row as f64).collect());
    let weighted = Design::from(matrix(1))
        .with_weights(weights.clone())
        .and_then(|input| input.with_offset(weights.clone()));
    let weighted = weighted.unwrap();
    let basis = BSpline::new(4) + Identity::new();
    let plain = matrix(1);
    let design = basis.design((&plain, &weighted)).unwrap();
    assert_eq!(design.to_design().weights().unwrap().to_vec(), weights.to_vec());
    assert_eq!(design.to_design().offset().unwrap().to_vec(), weights.to_vec());
}

#[test]
fn tuples_take_inputs_of_different_kinds_and_give_the_kind_of_the_first() {
    let (plain, design) = (matrix(1), named(["3"]));
    let basis = |n: usize| n * BSpline::new(4);
    let first: Matrix<Cpu> = basis(2).compute_features((&plain, &design)).unwrap();
    let second: Design<'static, Cpu> = basis(3).compute_features((&design, &plain, &design)).unwrap();
    assert_eq!(first.to_vec(), basis(2).compute_features([&plain, &plain]).unwrap().to_vec());
    assert_eq!(second.n_columns(), 12);
    assert_eq!(basis(4).design((&plain, [&design, &design], &plain)).unwrap().n_columns(), 16);
    assert_eq!(basis(4).design((&plain, &design, &plain, &design)).unwrap().n_columns(), 16);
    assert!(matches!(
        basis(3).compute_features((&plain, &design)),
        Err(Error::Inputs { got: 2, expected: 3, .. })
    ));
}
