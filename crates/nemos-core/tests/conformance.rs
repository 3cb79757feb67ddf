//! Every backend computes what a pass over data asks of it: products and sums within 5e-6 of their norm, in any shape, empty ones
//! included. `cargo test --features wgpu,cuda --test conformance` also asks the cards of this machine.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use ndarray::{Array2, Axis};
use nemos_core::tensor::Tensor;
use nemos_core::{Autodiff, Backend, Matrix, Operand, Sums, special};

/// What a product or a sum may be off by, as a share of its norm: some roundings of `f32`, added like a random walk.
const SHARE: f64 = 5e-6;

/// Numbers between -0.4 and 0.6 that `f32` holds: sums neither cancel nor are all of one sign.
fn noise(dims: [usize; 2], seed: u64) -> Array2<f64> {
    let mut state = 0x9E37_79B9_7F4A_7C15 ^ (seed + 1).wrapping_mul(0xD1B5_4A32_D192_ED03);
    Array2::from_shape_simple_fn(dims, || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f64::from(((state >> 11) as f64 / (1u64 << 53) as f64 - 0.4) as f32)
    })
}

#[track_caller]
fn assert_close(what: &str, got: &Array2<f64>, expected: &Array2<f64>) {
    assert_eq!(got.dim(), expected.dim(), "{what}");
    let norm = |values: Array2<f64>| values.iter().map(|value| value * value).sum::<f64>().sqrt();
    let off = norm(got - expected) / norm(expected.clone()).max(f64::MIN_POSITIVE);
    assert!(off <= SHARE, "{what} is off by {off:.1e} of its norm");
}

fn tensor<B: Backend>(array: &Array2<f64>) -> nemos_core::tensor::Tensor<B::Burn, 2> {
    Matrix::<B>::from_array(array.view()).into_tensor()
}

fn products_are_exact<B: Backend>() {
    // Fewer than a tile of a card, odd, more than one tile, more than one part, and longer than a chunk of a processor.
    for [rows, inner, columns] in [
        [1, 1, 1],
        [3, 2, 5],
        [257, 33, 7],
        [1000, 64, 1],
        [2500, 130, 70],
        [20_011, 40, 12],
        [9000, 1, 3],
        // Tiles of 128 by 128, of 128 by 64, and of 64 by 64 that are nearly empty; numbers four at a time.
        [1003, 200, 100],
        [1100, 256, 130],
        [900, 128, 4],
    ] {
        let what = |name: &str| format!("{name} of {rows} × {inner} × {columns} on {}", B::NAME);
        let (x, w, s) = (noise([rows, inner], 1), noise([inner, columns], 2), noise([rows, columns], 3));
        let features = Operand::<B>::new(Matrix::from_array(x.view()));
        let predictor = Matrix::<B>::from_tensor(features.predictor(tensor::<B>(&w)));
        assert_close(&what("predictor"), &predictor.to_array(), &x.dot(&w));
        let product = features.features().matmul(&Matrix::from_array(w.view())).unwrap();
        assert_close(&what("matmul"), &product.to_array(), &x.dot(&w));
        let gradient = features.gradient(tensor::<B>(&s)).unwrap();
        assert_close(&what("gradient"), &gradient, &x.t().dot(&s));
        assert_close(&what("second moment"), &features.second_moment(None).unwrap(), &x.t().dot(&x));
        let weights = noise([rows, 1], 4).abs();
        let weighted = features.second_moment(Some(tensor::<B>(&weights))).unwrap();
        assert_close(&what("weighted second moment"), &weighted, &x.t().dot(&(&x * &weights)));

        let mut sums = Sums::<B>::new();
        sums.rows(tensor::<B>(&s));
        sums.gradient(&features, tensor::<B>(&s));
        sums.values(tensor::<B>(&w));
        sums.rows(features.predictor(tensor::<B>(&w)));
        let sums = sums.read().unwrap();
        assert_close(&what("sum over rows"), &sums[0], &s.sum_axis(Axis(0)).insert_axis(Axis(0)));
        assert_close(&what("gradient among sums"), &sums[1], &x.t().dot(&s));
        assert_eq!(sums[2], w, "{}", what("values"));
        assert_close(
            &what("sum of a product"),
            &sums[3],
            &x.dot(&w).sum_axis(Axis(0)).insert_axis(Axis(0)),
        );
    }
}

/// Tiles of 64 and of 128 rows and columns, nearly full and nearly empty, with numbers taken four at a time and one by one: in both products.
fn every_tile_is_exact<B: Backend>() {
    let sizes = [36, 41, 100, 125, 131];
    for rows in sizes {
        for inner in sizes {
            let x = noise([rows, inner], 11);
            let features = Operand::<B>::new(Matrix::from_array(x.view()));
            for columns in sizes {
                let what = |name: &str| format!("{name} of {rows} × {inner} × {columns} on {}", B::NAME);
                let (w, s) = (noise([inner, columns], 12), noise([rows, columns], 13));
                let predictor = Matrix::<B>::from_tensor(features.predictor(tensor::<B>(&w)));
                assert_close(&what("predictor"), &predictor.to_array(), &x.dot(&w));
                assert_close(&what("gradient"), &features.gradient(tensor::<B>(&s)).unwrap(), &x.t().dot(&s));
            }
        }
    }
}

/// Columns taken out of a wider tensor, rows from its middle, and transposed ones: what lies behind them is not contiguous.
fn views_are_multiplied_as_they_look<B: Backend>() {
    let (x, s) = (noise([1500, 37], 5), noise([1500, 11], 6));
    let wide = tensor::<B>(&x);
    let narrow = Matrix::from_tensor(wide.clone().narrow(1, 3, 20).narrow(0, 64, 1200));
    let features = Operand::<B>::new(narrow);
    let part = |array: &Array2<f64>, columns: std::ops::Range<usize>| array.slice(ndarray::s![64..1264, columns]).to_owned();
    let slopes = tensor::<B>(&s).narrow(0, 64, 1200);
    let expected = part(&x, 3..23).t().dot(&part(&s, 0..11));
    assert_close("gradient of a view", &features.gradient(slopes).unwrap(), &expected);
    let transposed = Matrix::<B>::from_tensor(wide.transpose());
    let (long, few) = (noise([3, 9001], 9), noise([9001, 2], 10));
    let product = Matrix::<B>::from_array(long.view())
        .matmul(&Matrix::from_array(few.view()))
        .unwrap();
    assert_close("product of long rows", &product.to_array(), &long.dot(&few));
    let product = transposed.matmul(&Matrix::from_array(s.view())).unwrap();
    assert_close("product of a transposed matrix", &product.to_array(), &x.t().dot(&s));
}

fn sums_of_many_rows_are_exact<B: Backend>() {
    let losses = noise([300_000, 2], 7) + 0.5;
    let mut sums = Sums::<B>::new();
    sums.rows(tensor::<B>(&losses));
    let rounded = losses.mapv(|value| f64::from(value as f32));
    let expected = if B::epsilon() > 1e-10 { rounded } else { losses }.sum_axis(Axis(0));
    for (got, expected) in sums.read().unwrap()[0].iter().zip(&expected) {
        let off = (got / expected - 1.0).abs();
        assert!(off < 2e-7, "a sum of 300,000 losses is off by {off:.1e} on {}", B::NAME);
    }
}

/// Within some roundings of what `libm` computes in double precision; the exponential may be off by two for each unit of its argument, as
/// shaders are allowed.
fn small_logarithms_keep_their_digits<B: Backend>() {
    let values = |of: fn(Tensor<B::Burn, 2>) -> Tensor<B::Burn, 2>, x: &[f64]| {
        Matrix::<B>::from_tensor(of(Matrix::<B>::from_column(x.to_vec()).into_tensor())).to_vec()
    };
    let check = |what: &str, x: f64, got: f64, expected: f64, roundings: f64| {
        let off = (got - expected).abs() / expected.abs().max(f64::MIN_POSITIVE);
        assert!(
            off <= roundings * B::epsilon(),
            "{what} of {x} is {got:e}, not {expected:e}, on {}",
            B::NAME
        );
    };
    let x: Vec<f64> = (-320..=320).map(|quarter| 0.25 * f64::from(quarter)).collect();
    let slopes = |x: Tensor<B::Burn, 2>| {
        let leaf = Tensor::<Autodiff<B::Burn>, 2>::from_inner(x).require_grad();
        let mut gradients = special::ln_1p_exp(leaf.clone()).backward();
        leaf.grad_remove(&mut gradients).unwrap()
    };
    let slope = Matrix::<B>::from_tensor(slopes(Matrix::<B>::from_column(x.clone()).into_tensor())).to_vec();
    for ((&x, got), slope) in x.iter().zip(values(special::ln_1p_exp, &x)).zip(slope) {
        let roundings = 8.0 + 2.0 * x.abs();
        check("ln(1 + e^x)", x, got, x.max(0.0) + libm::log1p(libm::exp(-x.abs())), roundings);
        check("its slope", x, slope, 1.0 / (1.0 + libm::exp(-x)), roundings);
    }
    let x = [-0.9, -0.5, -0.3, -1e-3, -1e-8, 1e-30, 1e-8, 1e-4, 0.3, 0.5, 1.0, 1.5, 100.0].map(|x| f64::from(x as f32));
    for (&x, got) in x.iter().zip(values(special::ln_1p, &x)) {
        check("ln(1 + x)", x, got, libm::log1p(x), 8.0);
    }
    assert_eq!(values(special::ln_1p, &[0.0]), [0.0]);
}

/// What no buffer holds, or no device gives, is an error before anything is sent.
fn what_is_too_large_is_refused<B: Backend>() {
    let Some(largest) = B::largest_tensor() else { return };
    let columns = 1 << 20;
    // Nothing of this size is made here either.
    let rows = largest / B::DTYPE.size() / columns + 1;
    let panic = std::panic::catch_unwind(|| Matrix::<B>::zeros([rows, columns])).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(
        text.contains("a buffer of the backend") && text.contains("a chunk at a time"),
        "{text}"
    );
    assert_eq!(Matrix::<B>::zeros([1, 2]).to_vec(), [0.0, 0.0]);
    assert!(B::chunk_rows(1) * B::DTYPE.size() <= largest && B::chunk_rows(7).is_multiple_of(64));
}

fn nothing_gives_nothing<B: Backend>() {
    for dims @ [rows, columns] in [[0, 3], [3, 0], [0, 0]] {
        let empty = || Matrix::<B>::zeros(dims);
        let check = |what: &str, got: &Matrix<B>, dims: [usize; 2]| {
            assert_eq!(got.dims(), dims, "{what} on {}", B::NAME);
            assert!(
                dims.contains(&0) && got.to_vec().is_empty() && got.to_array().is_empty(),
                "{what} on {}",
                B::NAME
            );
        };
        check("from_vec", &Matrix::from_vec(vec![], dims).unwrap(), dims);
        check("from_host", &Matrix::from_host(Vec::<f32>::new(), dims).unwrap(), dims);
        check("from_array", &Matrix::from_array(Array2::zeros(dims).view()), dims);
        check("from an array", &Matrix::from(Array2::zeros(dims)), dims);
        check("from_tensor", &Matrix::from_tensor(empty().into_tensor()), dims);
        check("to_backend", &empty().to_backend::<B>(), dims);
        check("rows", &empty().rows(0..rows).unwrap(), dims);
        check("no rows", &empty().rows(0..0).unwrap(), [0, columns]);
        check("select_rows", &empty().select_rows(&(0..rows).collect::<Vec<_>>()).unwrap(), dims);
        check(
            "select_columns",
            &empty().select_columns(&(0..columns).collect::<Vec<_>>()).unwrap(),
            dims,
        );
        check("beside", &Matrix::beside(vec![empty(), empty()]).unwrap(), [rows, 2 * columns]);
        check("stack", &Matrix::stack(vec![empty(), empty()]).unwrap(), [2 * rows, columns]);
        let chunks = |range: std::ops::Range<usize>| Ok::<_, nemos_core::Error>(Matrix::zeros([range.len(), columns]));
        check("by_chunks", &Matrix::by_chunks(dims, 2, chunks).unwrap(), dims);
        let _ = empty().host();

        let product = empty().matmul(&Matrix::zeros([columns, 2])).unwrap();
        assert_eq!(
            (product.dims(), product.to_vec()),
            ([rows, 2], vec![0.0; rows * 2]),
            "matmul on {}",
            B::NAME
        );
        let features = Operand::new(empty());
        let predictor = Matrix::<B>::from_tensor(features.predictor(Matrix::<B>::zeros([columns, 2]).into_tensor()));
        assert_eq!(predictor.to_vec(), vec![0.0; rows * 2]);
        let slopes = |columns| Matrix::<B>::zeros([rows, columns]).into_tensor();
        assert_eq!(features.gradient(slopes(2)).unwrap(), Array2::<f64>::zeros([columns, 2]));
        assert_eq!(features.gradient(slopes(0)).unwrap(), Array2::<f64>::zeros([columns, 0]));
        assert_eq!(
            features.second_moment(Some(slopes(1))).unwrap(),
            Array2::<f64>::zeros([columns, columns])
        );
        let mut sums = Sums::<B>::new();
        sums.rows(empty().into_tensor());
        sums.values(empty().into_tensor());
        assert_eq!(
            sums.read().unwrap(),
            [Array2::<f64>::zeros([1, columns]), Array2::<f64>::zeros(dims)]
        );
        assert!(Sums::<B>::new().read().unwrap().is_empty());
    }
    // Some of nothing.
    let some = Matrix::<B>::from_vec(vec![1.0, 2.0, 3.0, 4.0], [2, 2]).unwrap();
    assert_eq!(some.rows(1..1).unwrap().dims(), [0, 2]);
    assert_eq!(some.select_rows(&[]).unwrap().dims(), [0, 2]);
    assert_eq!(some.select_columns(&[]).unwrap().dims(), [2, 0]);
    let beside = Matrix::beside(vec![Matrix::zeros([2, 0]), some.clone()]).unwrap();
    assert_eq!((beside.dims(), beside.to_vec()), ([2, 2], some.to_vec()));
    let stack = Matrix::stack(vec![some.clone(), Matrix::zeros([0, 2])]).unwrap();
    assert_eq!(stack.to_vec(), some.to_vec());
}

fn matrices_keep_their_values<B: Backend>() {
    let array = noise([70, 9], 8);
    let matrix = Matrix::<B>::from_array(array.view());
    assert_eq!(matrix.to_array(), array);
    assert_eq!(matrix.rows(3..40).unwrap().to_array(), array.slice(ndarray::s![3..40, ..]));
    assert_eq!(
        matrix.select_rows(&[5, 0, 5]).unwrap().to_array(),
        array.select(Axis(0), &[5, 0, 5])
    );
    assert_eq!(matrix.select_columns(&[8, 1]).unwrap().to_array(), array.select(Axis(1), &[8, 1]));
    let stack = Matrix::stack(vec![matrix.rows(0..30).unwrap(), matrix.rows(30..70).unwrap()]).unwrap();
    assert_eq!(stack.to_array(), array);
    let beside = Matrix::beside(vec![matrix.select_columns(&[0, 1]).unwrap(), matrix.clone()]).unwrap();
    assert_eq!(beside.select_columns(&[2, 3]).unwrap().to_array(), array.select(Axis(1), &[0, 1]));
}

fn conforms<B: Backend>() {
    if let Err(error) = B::check() {
        // A machine without such a card: the error says what is missing.
        let text = error.to_string();
        assert!(
            matches!(error, nemos_core::Error::Device { .. }) && text.contains("install"),
            "{text}"
        );
        assert_eq!(B::check().unwrap_err().to_string(), text);
        let refused = [
            Matrix::<B>::from_vec(vec![1.0], [1, 1]).unwrap_err(),
            Matrix::<B>::from_host(vec![1.0_f32], [1, 1]).unwrap_err(),
        ];
        assert!(refused.iter().all(|error| error.to_string() == text));
        let panic = std::panic::catch_unwind(|| Matrix::<B>::from_column(vec![1.0])).unwrap_err();
        assert_eq!(panic.downcast_ref::<String>(), Some(&text));
        eprintln!("not tried: {text}");
        return;
    }
    nothing_gives_nothing::<B>();
    matrices_keep_their_values::<B>();
    products_are_exact::<B>();
    every_tile_is_exact::<B>();
    views_are_multiplied_as_they_look::<B>();
    sums_of_many_rows_are_exact::<B>();
    small_logarithms_keep_their_digits::<B>();
    what_is_too_large_is_refused::<B>();
}

#[cfg(feature = "cpu")]
mod cpu {
    use super::*;
    use nemos_core::tensor::{DType, Device};
    use nemos_core::{Cpu, Products};

    #[test]
    fn cpu() {
        conforms::<Cpu>();
    }

    #[test]
    fn cpu_in_single_precision() {
        conforms::<Cpu<f32>>();
    }

    /// The processor in the role of a card: what is not a kernel is the same there.
    macro_rules! in_the_role_of {
        ($test:ident, $name:ident, $products:expr) => {
            #[derive(Copy, Clone, Default, Debug, PartialEq)]
            struct $name;
            impl Backend for $name {
                type Burn = <Cpu<f32> as Backend>::Burn;
                const NAME: &'static str = stringify!($name);
                const DTYPE: DType = DType::F32;
                const PRODUCTS: Products = $products;
                fn device() -> Device<Self::Burn> {
                    Default::default()
                }
            }
            #[test]
            fn $test() {
                conforms::<$name>();
            }
        };
    }
    in_the_role_of!(products_in_parts, InParts, Products::InParts);
    in_the_role_of!(products_of_halves, Split, Products::Split);
    in_the_role_of!(own_products_that_are_missing, Own, Products::Own);
}

#[cfg(feature = "ndarray")]
#[test]
fn ndarray() {
    conforms::<nemos_core::NdArray>();
    conforms::<nemos_core::NdArray<f32>>();
}

#[cfg(feature = "wgpu")]
#[test]
fn wgpu() {
    conforms::<nemos_core::Wgpu>();
    if nemos_core::Wgpu::check().is_ok() {
        // After all else: what fails there would be heard here.
        what_fails_is_heard();
    }
}

/// A device that fails on a thread of its own, where burn catches what it says, is heard all the same.
#[cfg(feature = "wgpu")]
fn what_fails_is_heard() {
    use nemos_core::{Error, Wgpu};
    let columns = 1 << 20;
    let rows = Wgpu::largest_tensor().unwrap() / 4 / columns + 1;
    let too_large = || Tensor::<<Wgpu as Backend>::Burn, 2>::zeros([rows, columns], &Wgpu::device());
    let mut sums = Sums::<Wgpu>::new();
    sums.rows(too_large().narrow(0, 0, 1));
    assert!(matches!(sums.read(), Err(Error::Device { backend: "wgpu", .. })));
    // A read that waits for nothing that failed.
    let fine = Matrix::<Wgpu>::zeros([2, 2]);
    assert_eq!(fine.try_to_vec().unwrap(), [0.0; 4]);
    drop(too_large());
    let error = fine.try_to_vec().unwrap_err().to_string();
    assert!(error.contains("wgpu") && error.contains("memory"), "{error}");
    assert_eq!(fine.try_to_vec().unwrap(), [0.0; 4]);
}

#[cfg(feature = "cuda")]
#[test]
fn cuda() {
    conforms::<nemos_core::Cuda>();
}
