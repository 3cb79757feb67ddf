//! Programs as a new user writes them: a neuron, a population, a link of one's own, models from a file of settings, a network.

mod warnings;

use nemos::basis::History;
use nemos::cpu::*;
use nemos::ndarray::{Array1, Array2, array};
use nemos::plot::{Figure, Line, Panel};
use nemos::rand::{Rng, SeedableRng};
use nemos::sim::{Coupling, Recurrent};

type Anything = Box<dyn std::error::Error>;

/// A generator of random numbers whose sequence is its own in every version of its crate.
fn generator() -> impl Rng + SeedableRng {
    rand_chacha::ChaCha8Rng::seed_from_u64(7)
}

/// Two units over ten seconds: the second fires where the first is silent.
fn units() -> Result<TsGroup, Anything> {
    let session = IntervalSet::new([(0.0, 10.0)])?;
    let every = |first: f64, step: f64| -> Vec<f64> { (0..40).map(|spike| first + step * f64::from(spike)).collect() };
    Ok(TsGroup::new([Ts::new(every(0.031, 0.11))?, Ts::new(every(5.017, 0.12))?], &session).with_ids([4, 9])?)
}

#[test]
fn a_basis_of_nothing_is_the_null_model() -> Result<(), Anything> {
    let position = Matrix::from(vec![0.0, 1.0, 2.0, 3.0]);
    let fitted = Glm::new(Poisson).fit(
        &Basis::from(nemos::basis::Zero::new()).compute_features(&position)?,
        &Matrix::from(vec![1.0, 3.0, 2.0, 6.0]),
    )?;
    assert!((fitted.intercept().exp() - 3.0).abs() < 1e-6, "{fitted}");
    Ok(())
}

#[test]
fn one_neuron_is_counted_fitted_and_printed() -> Result<(), Anything> {
    let units = units()?;
    let counts: TsdFrame = units.count(0.1)?;
    let position = Tsd::new(counts.axis().clone(), counts.sample_times().to_vec())?;
    let features = BSpline::new(5).label("time").compute_features(&position)?;
    let fitted = Glm::new(Poisson).regularizer(ridge(1e-3)).fit(&features, &counts.column("4")?)?;
    let printed = fitted.to_string();
    assert!(
        printed.starts_with("Poisson GLM, link Exp, 1 neuron\n") && printed.contains("time[0]"),
        "{printed}"
    );
    assert!(printed.ends_with("all converged"), "{printed}");
    assert!(fitted.outcome().to_string().starts_with("converged"));
    let rate = &fitted.predict(&features)? / 0.1;
    assert!(rate.to_string().starts_with("100 samples of 1 value in "), "{rate}");
    Ok(())
}

#[test]
fn a_population_hears_itself_and_is_printed_without_its_spikes() -> Result<(), Anything> {
    let units = units()?;
    for unit in &units {
        assert_eq!(unit.len(), 40);
    }
    assert!(format!("{units:?}").len() < 120, "{units:?}");
    let counts: TsdFrame = units.count(0.1)?;
    let history = RaisedCosineLog::new(3).convolved(8).label("spikes").compute_features(&counts)?;
    let fitted = PopulationGlm::new(Poisson).regularizer(ridge(0.01)).fit(&history, &counts)?;
    assert_eq!(fitted.coef_of("spikes")?.dim(), (6, 2));
    assert!(format!("{fitted:?}").len() < 4000, "{}", format!("{fitted:?}").len());
    Ok(())
}

/// rate = predictor²
#[derive(Clone, Debug)]
struct Square;

impl InverseLink for Square {
    fn rate<T: Backend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        predictor.clone() * predictor
    }
}

#[test]
fn a_link_of_ones_own_is_a_function_of_tensors() -> Result<(), Anything> {
    let stimulus = Matrix::from(Array1::from_iter((0..50).map(|bin| f64::from(bin % 5))));
    let counts: Vec<f64> = (0..50).map(|bin| f64::from((bin % 5 + 1) * (bin % 5 + 1))).collect();
    let fitted = Glm::new(Poisson).link(Square).start(&[0.5], 0.5).fit(&stimulus, &counts)?;
    assert!((fitted.coef()[0] - 1.0).abs() < 1e-6 && (fitted.intercept() - 1.0).abs() < 1e-6);
    Ok(())
}

/// A model whose types are decided when the program runs.
struct Candidate {
    name: String,
    fitted: AnyFittedGlm,
    log_likelihood: f64,
}

#[test]
fn models_from_a_file_of_settings_are_compared_saved_and_loaded() -> Result<(), Anything> {
    let settings = "poisson exp\npoisson softplus\nnegative binomial(0.5) exp\ngaussian identity";
    let stimulus = Matrix::from_column((0..300).map(|bin| f64::from(bin % 6)).collect());
    let counts: Vec<f64> = (0..300).map(|bin| f64::from((bin * 7 % 5) * (bin % 6))).collect();
    let mut candidates = Vec::new();
    for line in settings.lines() {
        let (observation, link) = line.rsplit_once(' ').ok_or("a model and a link")?;
        let model: AnyGlm = Glm::new(observation.parse::<ObservationForm>()?).link(link.parse::<LinkForm>()?);
        let fitted = model.fit(&stimulus, &counts)?;
        let log_likelihood = fitted.score(&stimulus, &counts, Score::LogLikelihood)?;
        let name = line.to_string();
        candidates.push(Candidate {
            name,
            fitted,
            log_likelihood,
        });
    }
    candidates.sort_by(|a, b| b.log_likelihood.total_cmp(&a.log_likelihood));
    let typed = Glm::new(Poisson).link(Softplus).fit(&stimulus, &counts)?;
    let chosen = candidates
        .iter()
        .find(|candidate| candidate.name == "poisson softplus")
        .ok_or("it was fitted")?;
    // The same fused loops, and the same numbers.
    assert_eq!(chosen.fitted.coef(), typed.coef());
    let path = std::env::temp_dir().join(format!("nemos_usage_{}.safetensors", std::process::id()));
    for candidate in &candidates {
        candidate.fitted.save(&path)?;
        assert_eq!(AnyFittedGlm::load(&path)?, candidate.fitted, "{}", candidate.name);
    }
    // One type takes in whatever was saved.
    typed.save(&path)?;
    assert_eq!(AnyFittedGlm::load(&path)?.coef(), typed.coef());
    std::fs::remove_file(&path)?;
    let unknown = "binomial".parse::<ObservationForm>().unwrap_err().to_string();
    assert!(unknown.contains("there are poisson, gamma"), "{unknown}");
    Ok(())
}

#[test]
fn a_network_is_simulated_and_recovered() -> Result<(), Anything> {
    // Each of two neurons excites the other, and inhibits itself, in the step after a spike.
    let coupling = Coupling::from_filters(array![[[-2.0, 1.0], [1.0, -2.0]]].view())?;
    let network = Recurrent::new(Poisson, coupling, [-1.0, -1.0]).link(Softplus);
    let simulation = network.run(&Array2::zeros((20_000, 2)), &mut generator())?.require_finished()?;
    let counts = Matrix::from(&simulation.counts);
    let history = History::new(1).label("spikes").compute_features(&counts)?;
    let fitted = PopulationGlm::new(Poisson).link(Softplus).fit(&history, &counts)?;
    let found = fitted.coef();
    assert!((found[(0, 0)] + 2.0).abs() < 0.3 && (found[(1, 0)] - 1.0).abs() < 0.2, "{found}");
    Ok(())
}

#[test]
fn a_history_stops_at_the_edges_of_trials() -> Result<(), Anything> {
    // Ten trials of 0.7 s, each a start and a start plus a length: where two were taken for one, 27 rows had no history.
    let trials = IntervalSet::new((0..10).map(|k| (f64::from(k) * 0.7, f64::from(k) * 0.7 + 0.7)))?;
    let spikes = Ts::new((0..700).map(|k| f64::from(k) * 0.01).collect::<Vec<f64>>())?;
    let counts: Tsd = spikes.restrict(&trials).count(0.1)?;
    let history = History::new(3).label("history").compute_features(&counts)?;
    let rows = history.values().to_array();
    let missing = rows.rows().into_iter().filter(|row| row.iter().any(|x| x.is_nan())).count();
    assert_eq!((rows.nrows(), missing), (70, 30));
    Ok(())
}

#[test]
fn what_a_newcomer_writes_first_works() -> Result<(), Anything> {
    // Lists of rows, arrays and lists of numbers are matrices, and plain lists of counts are counts.
    let rows = Matrix::try_from(vec![vec![1.0, 0.5], vec![2.0, 0.1], vec![3.0, 0.4], vec![4.0, 0.2]])?;
    assert_eq!(rows.dims(), [4, 2]);
    let counts = vec![1.0, 2.0, 2.0, 4.0];
    let fitted = Glm::new(Poisson).regularizer(Regularizer::Ridge(0.1.into())).fit(&rows, &counts)?;
    assert_eq!(fitted, Glm::new(Poisson).regularizer(ridge(0.1)).fit(&rows, &Array1::from(counts))?);
    assert!(Matrix::try_from(vec![vec![1.0], vec![]]).unwrap_err().to_string().contains("a row"));

    // Fitted models have a type that can be stored, and models of many kinds one that goes into a list.
    struct Session {
        fitted: FittedGlm,
    }
    let session = Session { fitted };
    assert!(session.fitted.to_string().starts_with("Poisson GLM"));
    let models: Vec<AnyGlm> = vec![Glm::new(Poisson.into()), Glm::new(Gamma.into())];
    assert_eq!(models.len(), 2);

    // A window is a number of samples, an interval a pair or a list of pairs.
    assert_eq!(
        RaisedCosineLog::new(3)
            .convolved(100)
            .compute_features(&Matrix::from(vec![1.0; 200]))?
            .dims(),
        [200, 3]
    );
    assert_eq!(IntervalSet::new([(0.0, 1.0)])?, IntervalSet::new(vec![(0.0, 1.0)])?);

    // Units are what a raster draws.
    let svg = nemos::plot::Figure::new()
        .panel(nemos::plot::Panel::new().mark(nemos::plot::Raster::new(&units()?)))
        .to_svg()?;
    assert!(svg.ends_with("</svg>\n"), "{}", &svg[svg.len() - 20..]);

    // A table of spikes, a row for each: a unit and a time.
    let path = std::env::temp_dir().join(format!("nemos_spikes_{}.csv", std::process::id()));
    std::fs::write(&path, "unit,time\n4,0.5\n9,0.25\n4,0.125\n")?;
    let read = nemos::io::CsvFile::open(&path)?.units();
    std::fs::remove_file(&path)?;
    assert_eq!(read?.units()[0].times(), [0.125, 0.5]);
    Ok(())
}

#[test]
fn what_a_newcomer_gets_wrong_is_named() -> Result<(), Anything> {
    // Centimetres under bounds in metres.
    let place = Matrix::from_column(vec![50.0; 20]);
    let counts = Matrix::from_column(vec![1.0; 20]);
    let basis = BSpline::new(5).bounds(0.0, 1.0);
    let error = Glm::new(Poisson).fit(&basis.design(&place)?, &counts).unwrap_err();
    assert!(error.to_string().contains("beyond the bounds of its basis"), "{error}");
    let by_block = Glm::new(Poisson).regularizer(group_lasso(0.1, Groups::Blocks));
    let error = by_block.fit(&place, &counts).unwrap_err();
    assert!(error.to_string().starts_with("\"Groups::Blocks\" was asked for"), "{error}");
    let nothing = Panel::new().mark(Line::new([], []));
    let error = Figure::new().panel(nothing).to_svg().unwrap_err();
    assert_eq!(error.to_string(), "a line has no x; give it at least one");
    Ok(())
}
