//! Passes and whole fits on any backends, side by side: `device BACKENDS N_ROWS N_FEATURES N_NEURONS REPEATS`, with BACKENDS such as
//! `cpu,cpu32,cuda,wgpu`. The first backend is the one that the others are compared with. `device.sh` runs it, among others, where there is a card
//! but no toolchain; lines that begin with `TABLE|` are for the table at its end.

use std::error::Error;
use std::time::Instant;

use nemos::core::{Backend, Cpu, Matrix};
use nemos::glm::{Poisson, PopulationGlm, Regularizer, Score};
use nemos::solvers::{Objective, Order, Request, Stopping};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Features, and counts of a Poisson population that they drive.
fn data([n, p, m]: [usize; 3]) -> (Vec<f64>, Vec<f64>) {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let weights: Vec<f64> = (0..p * m).map(|_| rng.random_range(-1.0..1.0) / (p as f64).sqrt()).collect();
    let features = by_rows(n, p, |rng, _, out| {
        out.fill_with(|| 0.4 * (rng.random::<f64>() + rng.random::<f64>() + rng.random::<f64>() - 1.5));
    });
    let counts = by_rows(n, m, |rng, row, out| {
        out.fill(-1.0);
        for (feature, weights) in features[row * p..(row + 1) * p].iter().zip(weights.chunks_exact(m)) {
            out.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += feature * weight);
        }
        out.iter_mut().for_each(|predictor| *predictor = poisson(predictor.exp(), rng));
    });
    (features, counts)
}

/// Rows that threads fill, each from its own numbers.
fn by_rows(n: usize, width: usize, fill: impl Fn(&mut ChaCha8Rng, usize, &mut [f64]) + Sync) -> Vec<f64> {
    let mut values = vec![0.0; n * width];
    let rows = n
        .div_ceil(std::thread::available_parallelism().map_or(1, |threads| threads.get()))
        .max(1);
    std::thread::scope(|scope| {
        for (part, values) in values.chunks_mut(rows * width).enumerate() {
            let fill = &fill;
            scope.spawn(move || {
                let mut rng = ChaCha8Rng::seed_from_u64(part as u64 + 1000 * width as u64);
                for (at, row) in values.chunks_mut(width).enumerate() {
                    fill(&mut rng, part * rows + at, row);
                }
            });
        }
    });
    values
}

/// By counting up, for low rates.
fn poisson(rate: f64, rng: &mut impl Rng) -> f64 {
    let (limit, mut product, mut count) = ((-rate).exp(), rng.random::<f64>(), 0.0);
    while product > limit {
        count += 1.0;
        product *= rng.random::<f64>();
    }
    count
}

/// What the first backend found: coefficients of the unpenalised fit, and objectives of all.
type Reference = Option<(Vec<f64>, Vec<f64>)>;

fn run<B: Backend>(
    (features, counts): (&[f64], &[f64]),
    [n, p, m]: [usize; 3],
    repeats: usize,
    reference: &mut Reference,
) -> Result<(), Box<dyn Error>> {
    let name = format!("{} {:?}", B::NAME, B::DTYPE);
    let start = Instant::now();
    let design = Matrix::<B>::from_vec(features.to_vec(), [n, p])?;
    let counts = Matrix::<B>::from_vec(counts.to_vec(), [n, m])?;
    println!("{name}: upload {:.3} s", start.elapsed().as_secs_f64());
    let model = PopulationGlm::new(Poisson).stopping(Stopping::new().tolerance(if B::DTYPE.size() == 8 { 1e-9 } else { 1e-6 }));

    let start = Instant::now();
    let objective = model.objective(&design, &counts)?;
    let survey = start.elapsed().as_secs_f64();
    let (at, columns) = (objective.start(), (0..m).collect::<Vec<_>>());
    let request = Request {
        columns: &columns,
        rows: None,
        order: Order::Gradient,
    };
    let mut passes: Vec<f64> = Vec::new();
    for _ in 0..8 {
        let start = Instant::now();
        objective.evaluate(&at, request)?;
        passes.push(start.elapsed().as_secs_f64());
    }
    let first = passes.remove(0);
    passes.sort_by(f64::total_cmp);
    println!(
        "{name}: survey {survey:.3} s, first pass {first:.3} s, pass {:.2} ms (median of 7)",
        1e3 * passes[3]
    );

    let (mut coef, mut values) = (Vec::new(), Vec::new());
    let mut row = vec![pass_in_words(passes[3], [n, p, m]), format!("survey {survey:.2} s")];
    let penalties = [
        ("none", Regularizer::Unregularized),
        ("ridge", Regularizer::Ridge(1e-3.into())),
        ("lasso", Regularizer::Lasso(1e-3.into())),
    ];
    for (place, (penalty, regularizer)) in penalties.into_iter().enumerate() {
        let model = model.clone().regularizer(regularizer);
        let mut times = Vec::new();
        let mut fitted = None;
        for _ in 0..=repeats {
            let start = Instant::now();
            fitted = Some(model.fit(&design, &counts)?);
            times.push(start.elapsed().as_secs_f64());
        }
        let Some(fitted) = fitted else { continue };
        let (cold, warm) = (times[0], times[times.len() - 1]);
        row.push(match place {
            0 => format!("fit {warm:.3} s (first {cold:.2})"),
            _ => format!("{penalty} {warm:.3} s"),
        });
        if !fitted.outcome().all_converged() {
            row.push(format!("{penalty} NOT CONVERGED"));
        }
        let columns = &fitted.outcome().columns;
        let value = columns.iter().map(|column| column.value).sum::<f64>();
        let of_first = reference.as_ref().map(|(_, values)| values[place]);
        if let Some(first) = of_first {
            row.push(format!("objective off by {:.0e}", (value - first).abs() / first.abs()));
        }
        println!(
            "{name} {penalty}: {times:.3?} s, {}, {:?} evaluations, all converged: {}, objective {value:.9}{}",
            fitted.outcome().solver,
            columns.iter().map(|column| column.evaluations).max(),
            fitted.outcome().all_converged(),
            of_first.map_or(String::new(), |first| format!(
                ", off by {:.1e}",
                (value - first).abs() / first.abs()
            ))
        );
        if penalty == "none" {
            coef = fitted.coef().iter().copied().collect();
            let start = Instant::now();
            let score = fitted.score(&design, &counts, Score::McFadden)?;
            let scored = start.elapsed().as_secs_f64();
            let start = Instant::now();
            fitted.predict(&design)?.rows(0..1)?.to_vec();
            println!(
                "{name}: McFadden {score:.8} in {scored:.3} s, predict {:.3} s",
                start.elapsed().as_secs_f64()
            );
        }
        values.push(value);
    }
    println!("TABLE|{name}, {n} × {p}, {m} neurons|{}", row.join(", "));
    if let Some((first, _)) = reference {
        let off = first.iter().zip(&coef).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        println!("{name}: coefficients off by at most {off:.1e}");
    } else {
        *reference = Some((coef, values));
    }
    Ok(())
}

/// Its time, and the share of what the chip could do in it (`PEAK`, in TFLOP/s) that its two products are.
fn pass_in_words(seconds: f64, [n, p, m]: [usize; 3]) -> String {
    let rate = 4.0 * (n * p * m) as f64 / seconds / 1e12;
    let peak: Option<f64> = std::env::var("PEAK").ok().and_then(|peak| peak.parse().ok());
    let share = peak.map_or(String::new(), |peak| format!(", {:.0} % of {peak}", 100.0 * rate / peak));
    format!("pass {:.2} ms ({rate:.1} TFLOP/s{share})", 1e3 * seconds)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [backends, sizes @ ..] = arguments.as_slice() else {
        println!("usage: device BACKENDS N_ROWS N_FEATURES N_NEURONS REPEATS");
        return Ok(());
    };
    let sizes = sizes.iter().map(|size| size.parse()).collect::<Result<Vec<usize>, _>>()?;
    let [n, p, m, repeats] = sizes[..] else {
        return Err("three sizes and a number of repeats".into());
    };
    let (features, counts) = data([n, p, m]);
    let (data, mut reference) = ((features.as_slice(), counts.as_slice()), None);
    for backend in backends.split(',') {
        match backend {
            "cpu" => run::<Cpu>(data, [n, p, m], repeats, &mut reference)?,
            "cpu32" => run::<Cpu<f32>>(data, [n, p, m], repeats, &mut reference)?,
            #[cfg(feature = "cuda")]
            "cuda" => run::<nemos::core::Cuda>(data, [n, p, m], repeats, &mut reference)?,
            #[cfg(feature = "wgpu")]
            "wgpu" => run::<nemos::core::Wgpu>(data, [n, p, m], repeats, &mut reference)?,
            other => println!("no backend {other} in this build"),
        }
    }
    Ok(())
}
