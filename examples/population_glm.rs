//! Two neurons share one input, and each has a private one: can a population model know which is whose?

use ndarray::{Array2, array};
use nemos::core::{Cpu, Features, Matrix, Names, ToDesign};
use nemos::glm::{FeatureMask, Glm, Poisson, PopulationGlm, Score};
use nemos::plot::{Axis, Bars, Color, Figure, Panel};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson as PoissonDraw, StandardNormal, Uniform};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut rng = ChaCha8Rng::seed_from_u64(123);
    let inputs = Array2::from_shape_simple_fn((2000, 3), || -> f64 {
        0.5 * Distribution::<f64>::sample(&StandardNormal, &mut rng)
    });
    let uniform = Uniform::new(0.2, 1.0)?;
    // Input 0 is shared, input 1 belongs to neuron A, and input 2 to neuron B.
    let mask = array![[true, true], [true, false], [false, true]];
    let truth = mask.mapv(|free| if free { uniform.sample(&mut rng) } else { 0.0 });
    let rate = inputs.dot(&truth).mapv(f64::exp);
    let counts = rate.mapv(|rate| PoissonDraw::new(rate).map_or(0.0, |draw| draw.sample(&mut rng)));

    // Inputs and neurons have names, and the mask says by name which neuron may use which input.
    let inputs = Matrix::<Cpu>::from(inputs);
    let input = |column: usize| inputs.select_columns(&[column]);
    let features =
        Features::new().with("shared", input(0)?)?.with("of A", input(1)?)?.with("of B", input(2)?)?;
    let counts = Matrix::from(counts);
    let neurons = counts.to_design().with_names(Names::new(["A", "B"]))?;
    let mask =
        FeatureMask::Blocks(vec![("of A".into(), vec![true, false]), ("of B".into(), vec![false, true])]);
    let masked = PopulationGlm::new(Poisson).feature_mask(mask).fit(&features, &neurons)?;
    println!("{masked}\ntrue weights:\n{truth:.4}");
    println!("log-likelihood {:.4}", masked.score(&features, &neurons, Score::LogLikelihood)?);

    // The same, one neuron at a time, from the inputs that it has.
    let mut figure = Figure::new().title("A shared input and a private one");
    for (neuron, own) in [[0, 1], [0, 2]].into_iter().enumerate() {
        let name = &masked.neurons()[neuron];
        let alone =
            Glm::new(Poisson).fit(&inputs.select_columns(&own)?, &counts.select_columns(&[neuron])?)?;
        println!("neuron {name} alone: {:.4?}", alone.coef());
        let of = |values: &dyn Fn(usize) -> f64| own.map(values).to_vec();
        let bars = |values: Vec<f64>| Bars::named(["shared", "private"], values);
        let panel = Panel::new()
            .title(format!("neuron {name}"))
            .x(Axis::new("input"))
            .y(Axis::new("coefficient").range(0.0, 1.4))
            .mark(bars(of(&|input| truth[(input, neuron)])).label("true").color(Color::LightGray))
            .mark(bars(alone.coef().to_vec()).label("alone"))
            .mark(bars(of(&|input| masked.coef()[(input, neuron)])).label("in the population"));
        figure = figure.panel(panel);
    }
    Ok(figure.save("population_glm.svg")?)
}
