//! Two neurons share one input, and each has a private one: can a population model know which is whose?

use ndarray::{Array2, array};
use nemos::core::{Cpu, Features, Matrix};
use nemos::glm::{FeatureMask, Glm, Poisson, PopulationGlm, Score};
use nemos::plot::{Axis, Figure, Panel, Scatter};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson as PoissonDraw, StandardNormal, Uniform};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut rng = ChaCha8Rng::seed_from_u64(123);
    let inputs = Array2::from_shape_simple_fn((2000, 3), || -> f64 {
        0.5 * Distribution::<f64>::sample(&StandardNormal, &mut rng)
    });
    let uniform = Uniform::new(0.2, 1.0)?;
    // Input 0 is shared, input 1 belongs to neuron 0, and input 2 to neuron 1.
    let mask = array![[true, true], [true, false], [false, true]];
    let truth = mask.mapv(|free| if free { uniform.sample(&mut rng) } else { 0.0 });
    let rate = inputs.dot(&truth).mapv(f64::exp);
    let counts = rate.mapv(|rate| PoissonDraw::new(rate).map_or(0.0, |draw| draw.sample(&mut rng)));
    let (design, counts) = (Matrix::<Cpu>::from(inputs), Matrix::from(counts));

    let masked = PopulationGlm::new(Poisson)
        .feature_mask(mask)
        .fit(&design, &counts)?
        .require_converged()?;
    println!("true weights:\n{truth:.3}\nfitted, with the mask:\n{:.3}", masked.coef());
    println!("log-likelihood {:.4}", masked.score(&design, &counts, Score::LogLikelihood)?);

    // The same, one neuron at a time, from the inputs that it has.
    let mut figure = Figure::new().title("A shared input and a private one");
    for (neuron, inputs) in [[0, 1], [0, 2]].into_iter().enumerate() {
        let alone = Glm::new(Poisson).fit(&design.select_columns(&inputs)?, &counts.select_columns(&[neuron])?)?;
        println!("neuron {neuron} alone: {:.3?}", alone.coef());
        let of = |values: &dyn Fn(usize) -> f64| inputs.map(values).to_vec();
        let points = |shift: f64, values: Vec<f64>, name: &str| Scatter::new([shift, 1.0 + shift], values).label(name);
        let panel = Panel::new()
            .title(format!("neuron {neuron}"))
            .x(Axis::new("input, shared and private").range(-0.5, 1.5))
            .y(Axis::new("coefficient").range(0.0, 1.2))
            .mark(points(-0.15, of(&|input| truth[(input, neuron)]), "true"))
            .mark(points(0.0, alone.coef().to_vec(), "alone"))
            .mark(points(0.15, of(&|input| masked.coef()[(input, neuron)]), "in the population"));
        figure = figure.panel(panel);
    }
    figure.save("population_glm.svg")?;

    // The same mask by names of inputs.
    let block = |column: usize| design.select_columns(&[column]);
    let features = Features::new()
        .with("shared", block(0)?)?
        .with("first", block(1)?)?
        .with("second", block(2)?)?;
    let by_name = FeatureMask::Blocks(vec![("first".into(), vec![true, false]), ("second".into(), vec![false, true])]);
    let named = PopulationGlm::new(Poisson).feature_mask(by_name).fit(&features, &counts)?;
    println!("by name it is the same fit: {}", named.coef() == masked.coef());
    Ok(())
}
