//! Draws of fitted models: the same for the same generator, in the kind of the samples, and missing where samples are.

use ndarray::{Array2, array};
use nemos_core::{Backend, Cpu, Design, Matrix, Names, NdArray, Samples, ToDesign};
use nemos_glm::{
    Bernoulli, ClassifierGlm, ClassifierPopulationGlm, Gamma, Gaussian, Glm, Identity, NegativeBinomial, Poisson, PopulationGlm,
    Regularizer,
};
use nemos_sim::{Draw, Error, Simulate};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Twenty draws at rates from low to high; models of probabilities take the fractions.
fn twenty<O: Draw>(model: &O, rate: impl Fn(f64) -> f64) -> Vec<f64> {
    let mut rng = rng(42);
    (0..20).map(|at| model.draw(rate(f64::from(at)), 0.5, &mut rng)).collect()
}

// From the same algorithms in Python, with a ChaCha8 that gives the published key stream (floating-point functions of its own).
const POISSON: [f64; 20] = [
    0.0, 2.0, 1.0, 2.0, 2.0, 3.0, 6.0, 13.0, 10.0, 23.0, 21.0, 19.0, 23.0, 24.0, 36.0, 40.0, 57.0, 62.0, 53.0, 65.0,
];
const NEGATIVE_BINOMIAL: [f64; 20] = [
    0.0, 1.0, 3.0, 1.0, 1.0, 0.0, 11.0, 7.0, 41.0, 25.0, 55.0, 5.0, 40.0, 21.0, 29.0, 86.0, 63.0, 20.0, 118.0, 78.0,
];
const BERNOULLI: [f64; 20] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0,
];
const GAUSSIAN: [f64; 20] = [
    0.290_463_591_722_361_7,
    -0.374_938_165_640_528_95,
    0.672_160_149_403_374_9,
    1.566_052_239_388_147_7,
    3.941_822_659_791_685,
    5.211_295_943_961_553,
    7.765_776_034_000_732,
    10.400_597_291_358_949,
    13.199_013_495_435_914,
    16.326_593_453_591_87,
    19.572_359_689_337_212,
    24.559_433_629_570_876,
    29.444_906_350_153_243,
    34.807_256_656_139_01,
    39.608_168_583_550_565,
    44.739_098_029_792_444,
    52.133_101_332_460_08,
    57.913_947_764_313,
    65.575_047_938_599_48,
    72.775_306_590_343_19,
];
const GAMMA: [f64; 20] = [
    0.183_734_567_987_940_52,
    0.611_116_143_541_658_6,
    0.496_649_832_494_683_6,
    0.332_646_211_448_433_9,
    4.126_996_577_371_092,
    1.335_564_066_985_643_7,
    5.683_960_397_434_403_5,
    3.212_244_116_092_127,
    17.017_376_444_033_694,
    30.639_435_374_923_394,
    9.684_428_149_053_625,
    61.791_268_581_437_905,
    42.810_369_695_246_8,
    88.870_745_913_841_62,
    35.051_947_877_316_294,
    93.082_984_616_835_46,
    67.677_552_281_515_47,
    46.908_971_746_981_386,
    99.381_788_161_906_53,
    63.686_786_823_591_575,
];

#[test]
fn the_first_hundred_draws_are_held() {
    let rate = |at: f64| 0.2 * (1.0 + at * at);
    assert_eq!(twenty(&Poisson, rate), POISSON);
    assert_eq!(twenty(&NegativeBinomial::new(0.5), rate), NEGATIVE_BINOMIAL);
    assert_eq!(twenty(&Bernoulli, |at| (at + 0.5) / 20.0), BERNOULLI);
    // The floating-point functions of another language may differ in the last digits.
    for (got, held) in twenty(&Gaussian, rate)
        .into_iter()
        .zip(GAUSSIAN)
        .chain(twenty(&Gamma, rate).into_iter().zip(GAMMA))
    {
        assert!((got - held).abs() <= 1e-13 * held.abs(), "{got} is not {held}");
    }
}

#[test]
fn every_backend_draws_the_same() {
    fn draws<B: Backend>() -> Vec<f64> {
        let fitted = PopulationGlm::new(Poisson)
            .link(Identity)
            .with_parameters(&array![[1.0, 0.5], [0.25, 2.0]], &[0.5, 1.0])
            .unwrap();
        // Rates that both precisions hold exactly.
        let samples = Matrix::<B>::from_vec((0..40).map(f64::from).collect(), [20, 2]).unwrap();
        fitted.simulate(&samples, &mut rng(1)).unwrap().to_vec()
    }
    assert_eq!(draws::<Cpu>(), draws::<NdArray>());
    assert_eq!(draws::<Cpu>(), draws::<Cpu<f32>>());
    assert_eq!(draws::<Cpu>(), draws::<NdArray<f32>>());
}

#[test]
fn a_missing_sample_has_no_count_and_leaves_the_others_alone() {
    let fitted = PopulationGlm::new(Poisson)
        .with_parameters(&array![[1.0, -1.0]], &[1.0, 1.0])
        .unwrap();
    let whole = Matrix::<Cpu>::from_column(vec![0.3, -0.2, 0.9]);
    let broken = Matrix::<Cpu>::from_column(vec![0.3, f64::NAN, -0.2, 0.9]);
    let whole = fitted.simulate(&whole, &mut rng(9)).unwrap().to_vec();
    let simulated = fitted.simulate_with_rates(&broken, &mut rng(9)).unwrap();
    let counts = simulated.counts.to_vec();
    assert_eq!((&counts[..2], &counts[4..]), (&whole[..2], &whole[2..]));
    assert!(
        counts[2..4]
            .iter()
            .chain(&simulated.rates.to_vec()[2..4])
            .all(|value| value.is_nan())
    );
    assert_eq!(simulated.rates.to_vec()[0], fitted.predict(&broken).unwrap().to_vec()[0]);
}

/// Rows that know when they were.
struct Timed(Matrix<Cpu>);

impl ToDesign<Cpu> for Timed {
    fn to_design(&self) -> Design<'_, Cpu> {
        self.0.to_design()
    }
}

impl Samples<Cpu> for Timed {
    type Output = (&'static str, Matrix<Cpu>);

    fn wrap(&self, values: Matrix<Cpu>, _names: Names) -> Self::Output {
        ("timed", values)
    }
}

#[test]
fn counts_come_in_the_kind_of_the_samples() {
    let fitted = Glm::new(Gaussian)
        .fit(
            &Matrix::<Cpu>::from_column(vec![0.0, 1.0, 2.0]),
            &Matrix::from_column(vec![0.1, 0.9, 2.2]),
        )
        .unwrap();
    let samples = Timed(Matrix::from_column(vec![1.0; 5]));
    let (kind, counts) = fitted.simulate(&samples, &mut rng(1)).unwrap();
    assert_eq!((kind, counts.dims()), ("timed", [5, 1]));
}

#[test]
fn the_fitted_scale_is_the_scale_of_the_draws() {
    let fitted = PopulationGlm::new(Gamma)
        .with_parameters(&Array2::zeros((1, 1)), &[0.5])
        .unwrap()
        .with_scale(vec![0.3], vec![f64::NAN])
        .unwrap();
    let counts = fitted.simulate(&Matrix::<Cpu>::zeros([50_000, 1]), &mut rng(4)).unwrap().to_vec();
    let variance = counts.iter().map(|count| (count - 2.0).powi(2)).sum::<f64>() / 50_000.0;
    // φμ² = 0.3 · 2², to five standard errors (kurtosis 3 + 6φ).
    assert!((variance - 1.2).abs() < 5.0 * 1.2 * (3.8_f64 / 50_000.0).sqrt(), "{variance}");
}

#[test]
fn offsets_count() {
    let samples = Matrix::<Cpu>::zeros([2000, 1]);
    let fitted = Glm::new(Poisson).fit(&samples, &Matrix::from_column(vec![1.0; 2000])).unwrap();
    let offset = Matrix::from_column(vec![3.0; 2000]);
    let counts = fitted
        .simulate(&samples.to_design().with_offset(offset).unwrap(), &mut rng(2))
        .unwrap();
    let mean = counts.to_matrix().unwrap().to_vec().iter().sum::<f64>() / 2000.0;
    assert!((mean - 3.0_f64.exp()).abs() < 0.6, "{mean}");
}

#[test]
fn classes_are_drawn_with_their_probabilities() {
    let samples = Matrix::<Cpu>::from_column(vec![0.8; 20_000]);
    let labels = Matrix::from_column((0..20_000).map(|at| f64::from(at % 7 % 3)).collect());
    let fitted = ClassifierGlm::new(3).fit(&samples, &labels).unwrap();
    let simulated = fitted.simulate_with_rates(&samples, &mut rng(3)).unwrap();
    assert_eq!((simulated.counts.dims(), simulated.rates.dims()), ([20_000, 1], [20_000, 3]));
    for (class, probability) in simulated.rates.to_vec()[..3].iter().enumerate() {
        let share = simulated.counts.to_vec().iter().filter(|label| **label == class as f64).count() as f64 / 20_000.0;
        assert!(
            (share - probability).abs() < 4.5 * (probability * (1.0 - probability) / 20_000.0).sqrt(),
            "{class}: {share}"
        );
    }
    let two = ClassifierPopulationGlm::new(2)
        .fit(&samples, &Matrix::from_vec([0.0, 1.0].repeat(20_000), [20_000, 2]).unwrap())
        .unwrap();
    let missing = two.simulate(&Matrix::<Cpu>::from_column(vec![f64::NAN, 0.1]), &mut rng(3)).unwrap();
    assert!(missing.to_vec()[..2].iter().all(|label| label.is_nan()) && missing.to_vec()[2..].iter().all(|label| !label.is_nan()));
}

#[test]
fn no_samples_give_no_counts_and_a_wrong_width_is_an_error() {
    let fitted = PopulationGlm::new(Poisson)
        .with_parameters(&array![[1.0, -1.0]], &[1.0, 1.0])
        .unwrap();
    assert_eq!(fitted.simulate(&Matrix::<Cpu>::zeros([0, 1]), &mut rng(1)).unwrap().dims(), [0, 2]);
    let wrong = fitted.simulate(&Matrix::<Cpu>::zeros([3, 2]), &mut rng(1));
    assert!(matches!(wrong, Err(Error::Data(nemos_core::Error::Columns { .. }))));
    let infinite = fitted.simulate(&Matrix::<Cpu>::from_column(vec![f64::INFINITY]), &mut rng(1));
    assert!(matches!(infinite, Err(Error::Data(nemos_core::Error::Infinite { .. }))));
}

#[test]
fn without_a_scale_there_are_no_draws() {
    let x = Array2::from_shape_fn((8, 12), |(row, column)| ((row * 7 + column * 5) % 11) as f64 / 5.0 - 1.0);
    let x = Matrix::<Cpu>::from(x);
    let y = Matrix::from_column((0..8).map(|row| f64::from(1 + row * row % 7)).collect());
    let ridge = Regularizer::Ridge(0.1.into());
    let fitted = Glm::new(Gaussian).regularizer(ridge).fit(&x, &y).unwrap();
    let error = fitted.simulate(&x, &mut rng(1)).unwrap_err();
    assert!(matches!(error, Error::Glm(nemos_glm::Error::NoScale { neuron: 0 })), "{error}");
}
