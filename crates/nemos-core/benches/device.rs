//! What a graphics card computes, against `f64` sums on the host, and how long it takes: `device [SECONDS [STEP]]`.
//!
//! ```text
//! cargo bench -p nemos-core --features cuda,wgpu --bench device
//! ```
//!
//! `benches/device.sh` of the workspace carries it to a machine without a toolchain. Each step runs in a process of its own, with a limit of its
//! own: one that spoils a device costs its own line. The program fails if a result is further than 5e-6 of its norm from `f64`.
//!
//! | step | what it measures |
//! |---|---|
//! | `conformance` | products, sums and matrices of many shapes |
//! | `pass` | the products and sums of one pass, by each way of taking them |
//! | `transfer` | the way of a matrix to the card, and back |

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use ndarray::{Array2, ArrayView2, Axis};
use nemos_core::tensor::ops::FloatTensor;
use nemos_core::tensor::{DType, Device, Tensor};
use nemos_core::{Backend, Error, Matrix, Operand, Products, Sums};
use rayon::prelude::*;

/// What a product or a sum may be off by, as a share of its norm.
const SHARE: f64 = 5e-6;
const SIZES: [[usize; 3]; 2] = [[100_000, 200, 100], [500_000, 400, 256]];

/// A card with another way of multiplying than its own.
macro_rules! another_way {
    ($name:ident, $of:ty, $products:expr) => {
        #[derive(Copy, Clone, Default, Debug, PartialEq)]
        struct $name;
        impl Backend for $name {
            type Burn = <$of as Backend>::Burn;
            const NAME: &'static str = <$of as Backend>::NAME;
            const DTYPE: DType = <$of as Backend>::DTYPE;
            const PRODUCTS: Products = $products;
            fn device() -> Device<Self::Burn> {
                <$of as Backend>::device()
            }
            fn check() -> Result<(), Error> {
                <$of as Backend>::check()
            }
            fn own_product(
                left: FloatTensor<Self::Burn>,
                right: FloatTensor<Self::Burn>,
                terms_of_part: usize,
            ) -> Option<FloatTensor<Self::Burn>> {
                <$of as Backend>::own_product(left, right, terms_of_part)
            }
            fn own_transposed_product(
                left: FloatTensor<Self::Burn>,
                right: FloatTensor<Self::Burn>,
                terms_of_part: usize,
            ) -> Option<FloatTensor<Self::Burn>> {
                <$of as Backend>::own_transposed_product(left, right, terms_of_part)
            }
            fn own_sums(values: FloatTensor<Self::Burn>, rows_of_part: usize) -> Option<FloatTensor<Self::Burn>> {
                <$of as Backend>::own_sums(values, rows_of_part)
            }
        }
    };
}
#[cfg(feature = "cuda")]
another_way!(CudaInParts, nemos_core::Cuda, Products::InParts);
#[cfg(feature = "cuda")]
another_way!(CudaSplit, nemos_core::Cuda, Products::Split);
#[cfg(feature = "cuda")]
another_way!(CudaOwn, nemos_core::Cuda, Products::Own);
#[cfg(feature = "wgpu")]
another_way!(WgpuInParts, nemos_core::Wgpu, Products::InParts);
#[cfg(feature = "wgpu")]
another_way!(WgpuOwn, nemos_core::Wgpu, Products::Own);

/// Numbers between -0.4 and 0.6: sums neither cancel nor are all of one sign.
fn noise(dims: [usize; 2], seed: u64) -> Array2<f64> {
    let mut values = vec![0.0; dims[0] * dims[1]];
    values.par_chunks_mut(1 << 16).enumerate().for_each(|(chunk, values)| {
        let mut state = 0x9E37_79B9_7F4A_7C15 ^ (seed + 1000 * chunk as u64 + 1).wrapping_mul(0xD1B5_4A32_D192_ED03);
        for value in values {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *value = f64::from(((state >> 11) as f64 / (1u64 << 53) as f64 - 0.4) as f32);
        }
    });
    Array2::from_shape_vec(dims, values).expect("as many as the shape has")
}

fn tensor<B: Backend>(array: ArrayView2<'_, f64>) -> Tensor<B::Burn, 2> {
    Matrix::<B>::from_array(array).into_tensor()
}

fn apart(got: &Array2<f64>, expected: &Array2<f64>) -> f64 {
    let norm = |values: &Array2<f64>| values.iter().map(|value| value * value).sum::<f64>().sqrt();
    norm(&(got - expected)) / norm(expected).max(f64::MIN_POSITIVE)
}

/// `xᵀ · s` in `f64`, on all threads.
fn transposed_product(x: &Array2<f64>, s: &Array2<f64>) -> Array2<f64> {
    let zero = || Array2::<f64>::zeros([x.ncols(), s.ncols()]);
    let chunks: Vec<_> = x.axis_chunks_iter(Axis(0), 4096).zip(s.axis_chunks_iter(Axis(0), 4096)).collect();
    chunks
        .into_par_iter()
        .fold(zero, |sum, (x, s)| sum + x.t().dot(&s))
        .reduce(zero, |a, b| a + b)
}

/// Ends the wait for everything that was asked of the device.
fn wait<B: Backend>(tensor: &Tensor<B::Burn, 2>) {
    let _ = Matrix::<B>::from_tensor(tensor.clone().narrow(0, 0, 1).narrow(1, 0, 1)).to_vec();
}

/// Milliseconds of the first call, and the median of seven.
fn time(mut f: impl FnMut()) -> [f64; 2] {
    let mut once = || {
        let start = Instant::now();
        f();
        start.elapsed().as_secs_f64() * 1e3
    };
    let first = once();
    let mut times: Vec<f64> = (0..7).map(|_| once()).collect();
    times.sort_by(f64::total_cmp);
    [first, times[3]]
}

fn line(what: &str, [first, median]: [f64; 2], flops: f64, off: Option<f64>) -> bool {
    let rate = if flops > 0.0 {
        format!("{:6.1} TFLOP/s", flops / median / 1e9)
    } else {
        String::new()
    };
    let right = off.is_none_or(|off| off <= SHARE);
    let off = off.map_or(String::new(), |off| {
        format!("off {off:.1e}{}", if right { "" } else { "  TOO FAR" })
    });
    println!("  {what:44} first {first:9.2} ms  median {median:9.3} ms  {rate:16} {off}");
    right
}

/// The products and sums of a pass; `judged` where this is how the backend takes them.
fn pass<B: Backend>([n, p, m]: [usize; 3], judged: bool) -> Result<bool, Error> {
    B::check()?;
    println!("{} by {:?}, {n} × {p} × {m}", B::NAME, B::PRODUCTS);
    let (x, w, s) = (noise([n, p], 1), noise([p, m], 2), noise([n, m], 3));
    let features = Operand::<B>::new(Matrix::from_array(x.view()));
    let (coef, slopes) = (tensor::<B>(w.view()), tensor::<B>(s.view()));
    let flops = 2.0 * (n * p * m) as f64;
    let mut right = true;

    let times = time(|| wait::<B>(&features.predictor(coef.clone())));
    let few = 64.min(n);
    let got = Matrix::<B>::from_tensor(features.predictor(coef.clone()).narrow(0, 0, few)).to_array();
    let expected = x.slice(ndarray::s![..few, ..]).dot(&w);
    right &= line("X·W", times, flops, Some(apart(&got, &expected)));

    let expected = transposed_product(&x, &s.slice(ndarray::s![.., ..8.min(m)]).to_owned());
    let got = features.gradient(slopes.clone())?.slice(ndarray::s![.., ..8.min(m)]).to_owned();
    let times = time(|| drop(features.gradient(slopes.clone())));
    right &= line("Xᵀ·S, read back", times, flops, Some(apart(&got, &expected)));

    let sums_of = || {
        let mut sums = Sums::<B>::new();
        sums.rows(slopes.clone());
        sums.read()
    };
    let expected = s.sum_axis(Axis(0)).insert_axis(Axis(0));
    let times = time(|| drop(sums_of()));
    right &= line("sums over rows, read back", times, 0.0, Some(apart(&sums_of()?[0], &expected)));

    let whole = || {
        let predictor = features.predictor(coef.clone());
        let rate = predictor.clone().exp();
        let mut sums = Sums::<B>::new();
        sums.rows(rate.clone() - slopes.clone() * predictor);
        let slope = rate - slopes.clone();
        sums.rows(slope.clone());
        sums.gradient(&features, slope);
        sums.read()
    };
    line("a pass of Poisson regression", time(|| drop(whole())), 2.0 * flops, None);
    line("copy of [n, m]", time(|| wait::<B>(&slopes.clone().add_scalar(0.0))), 0.0, None);
    line("exp of [n, m]", time(|| wait::<B>(&slopes.clone().exp())), 0.0, None);
    Ok(right || !judged)
}

fn transfer<B: Backend>([n, _, m]: [usize; 3]) -> Result<bool, Error> {
    B::check()?;
    let values = noise([n, m], 4);
    println!("{}, {:.0} MB as f64", B::NAME, 8e-6 * (n * m) as f64);
    let mut matrix = Matrix::<B>::zeros([1, 1]);
    let times = time(|| {
        matrix = Matrix::from_array(values.view());
        wait::<B>(&matrix.clone().into_tensor());
    });
    line("from an array", times, 0.0, None);
    let mut back = Vec::new();
    let times = time(|| back = matrix.to_vec());
    line("to a list", times, 0.0, None);
    let off = back
        .iter()
        .zip(&values)
        .map(|(got, expected)| (got - expected).abs())
        .fold(0.0, f64::max);
    println!("  values differ by {off:.1e} at most");
    Ok(off == 0.0)
}

fn conformance<B: Backend>() -> Result<bool, Error> {
    B::check()?;
    println!("{} by {:?}", B::NAME, B::PRODUCTS);
    let mut worst = 0.0_f64;
    for [rows, inner, columns] in [
        [1, 1, 1],
        [3, 2, 5],
        [257, 33, 7],
        [1000, 64, 1],
        [2500, 130, 70],
        [20_011, 40, 12],
        [70_001, 201, 99],
    ] {
        let (x, w, s) = (noise([rows, inner], 1), noise([inner, columns], 2), noise([rows, columns], 3));
        let features = Operand::<B>::new(Matrix::from_array(x.view()));
        let mut sums = Sums::<B>::new();
        sums.rows(tensor::<B>(s.view()));
        sums.gradient(&features, tensor::<B>(s.view()));
        sums.second_moment(&features, None);
        let sums = sums.read()?;
        let product = features.features().matmul(&Matrix::from_array(w.view()))?.to_array();
        let predictor = Matrix::<B>::from_tensor(features.predictor(tensor::<B>(w.view()))).to_array();
        let expected = x.dot(&w);
        let off = [
            apart(&predictor, &expected),
            apart(&product, &expected),
            apart(&sums[0], &s.sum_axis(Axis(0)).insert_axis(Axis(0))),
            apart(&sums[1], &transposed_product(&x, &s)),
            apart(&sums[2], &transposed_product(&x, &x)),
        ];
        let [a, b, c, d, e] = off;
        println!(
            "  {rows:6} × {inner:3} × {columns:2}: predictor {a:.1e}  matmul {b:.1e}  sum {c:.1e}  gradient {d:.1e}  second moment {e:.1e}"
        );
        worst = off.into_iter().fold(worst, f64::max);
    }
    for dims in [[0, 3], [3, 0], [0, 0]] {
        let empty = Matrix::<B>::zeros(dims);
        let product = empty.matmul(&Matrix::zeros([dims[1], 2]))?;
        let gradient = Operand::new(empty).gradient(Matrix::<B>::zeros([dims[0], 2]).into_tensor())?;
        assert_eq!((product.to_vec(), gradient), (vec![0.0; 2 * dims[0]], Array2::zeros([dims[1], 2])));
    }
    println!("  furthest {worst:.1e} of the norm; {SHARE:.0e} is allowed");
    Ok(worst <= SHARE)
}

type Step = fn() -> Result<bool, Error>;

/// The steps, what matters most first.
fn steps() -> Vec<(&'static str, Step)> {
    let mut steps: Vec<(&'static str, Step)> = Vec::new();
    #[cfg(feature = "cuda")]
    steps.extend([
        ("cuda conformance", conformance::<nemos_core::Cuda> as Step),
        ("cuda pass, small", || pass::<nemos_core::Cuda>(SIZES[0], true)),
        ("cuda pass, large", || pass::<nemos_core::Cuda>(SIZES[1], true)),
        ("cuda pass by own kernels, large", || pass::<CudaOwn>(SIZES[1], false)),
        ("cuda pass in halves, small", || pass::<CudaSplit>(SIZES[0], false)),
        ("cuda pass in halves, large", || pass::<CudaSplit>(SIZES[1], false)),
        ("cuda pass in parts, small", || pass::<CudaInParts>(SIZES[0], false)),
        ("cuda transfer", || transfer::<nemos_core::Cuda>(SIZES[1])),
    ]);
    #[cfg(feature = "wgpu")]
    steps.extend([
        ("wgpu conformance", conformance::<nemos_core::Wgpu> as Step),
        ("wgpu pass, small", || pass::<nemos_core::Wgpu>(SIZES[0], true)),
        ("wgpu pass, large", || pass::<nemos_core::Wgpu>(SIZES[1], true)),
        ("wgpu pass by own kernels, small", || pass::<WgpuOwn>(SIZES[0], false)),
        ("wgpu pass in parts, small", || pass::<WgpuInParts>(SIZES[0], false)),
        ("wgpu pass in parts, large", || pass::<WgpuInParts>(SIZES[1], false)),
        ("wgpu transfer", || transfer::<nemos_core::Wgpu>(SIZES[1])),
    ]);
    steps
}

/// Runs a step in a process of its own; whether it went well.
fn bounded(name: &str, limit: Duration) -> bool {
    let start = Instant::now();
    let child = std::env::current_exe().and_then(|program| Command::new(program).args(["0", name]).spawn());
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            println!("  did not start: {error}");
            return false;
        }
    };
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if start.elapsed() < limit => std::thread::sleep(Duration::from_millis(20)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                println!("  ran past {} s", limit.as_secs());
                return false;
            }
        }
    }
}

fn main() -> ExitCode {
    // `cargo bench` passes --bench.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let Some(name) = arguments.get(1) {
        let step = steps().into_iter().find(|(step, _)| step == name);
        return match step.map(|(_, step)| step()) {
            Some(Ok(true)) => ExitCode::SUCCESS,
            Some(Ok(false)) => ExitCode::FAILURE,
            Some(Err(error)) => {
                println!("  {error}");
                ExitCode::FAILURE
            }
            None => {
                println!("no step {name:?}");
                ExitCode::FAILURE
            }
        };
    }
    let whole = Duration::from_secs(arguments.first().and_then(|seconds| seconds.parse().ok()).unwrap_or(170));
    let start = Instant::now();
    let mut failed = Vec::new();
    for (name, _) in steps() {
        let left = whole.saturating_sub(start.elapsed());
        println!("-- {name} (after {:.0} s)", start.elapsed().as_secs_f64());
        if !bounded(name, left.min(Duration::from_secs(40))) {
            failed.push(name);
        }
    }
    println!(
        "-- {} in {:.0} s",
        if failed.is_empty() { "all is well" } else { "failed" },
        start.elapsed().as_secs_f64()
    );
    failed.iter().for_each(|name| println!("  {name}"));
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
