//! Names travel: from recordings and bases through models to coefficients, rates and files.

use ndarray::{Array2, array};
use nemos::basis::{BSpline, Family, RaisedCosineLog, Window};
use nemos::core::{Cpu, Design, Features, Matrix, ToDesign};
use nemos::glm::{FeatureMask, Groups, Poisson, PopulationGlm, Regularizer, Score, Stopping, Strength};
use nemos::timeseries::{Binning, IntervalSet, Prior, Ts, TsGroup, Tsd, TsdFrame};

type Anything = Box<dyn std::error::Error>;

/// Three units, named by their electrodes: the first drives the second ten milliseconds later; the third minds itself.
fn units() -> Result<TsGroup, Anything> {
    let first: Vec<f64> = (0..900).map(|spike| f64::from(spike * spike % 8009) * 0.01 + 0.001).collect();
    let sorted = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        Ts::new(times)
    };
    let second = first.iter().step_by(2).map(|time| time + 0.01).collect();
    let third = (0..700).map(|spike| f64::from(spike * 37 % 7919) * 0.01 + 0.002).collect();
    let session = IntervalSet::new([(0.0, 82.0)])?;
    let units = [sorted(first)?, sorted(second)?, sorted(third)?];
    Ok(TsGroup::new(units, &session).with_ids([4, 7, 12])?)
}

#[test]
fn a_group_lasso_keeps_or_drops_each_sending_neuron() -> Result<(), Anything> {
    let counts = units()?.count::<Cpu>(0.01)?;
    let basis = RaisedCosineLog::new(3).convolved(Window::samples(6)).label("spikes");
    let design = basis.design(&counts)?;
    let model = PopulationGlm::new(Poisson)
        .stopping(Stopping::new().tolerance(1e-14))
        .regularizer(Regularizer::GroupLasso {
            strength: Strength::PerBlock(vec![("spikes".into(), 0.004)]),
            groups: Groups::Channels,
        });
    let fitted = model.fit(&design, &counts)?;
    assert_eq!(fitted.neurons(), ["4", "7", "12"]);
    let block = fitted.features().block("spikes")?.clone();
    assert_eq!(block.channels(), ["4", "7", "12"]);
    // A sender's three coefficients are zero together, or none is.
    let mut dropped = 0;
    for columns in block.by_channel() {
        for receiver in 0..3 {
            let zeros = columns.clone().filter(|&feature| fitted.coef()[(feature, receiver)] == 0.0).count();
            assert!(zeros == 0 || zeros == columns.len(), "{columns:?} of {receiver}: {zeros} zeros");
            dropped += usize::from(zeros > 0);
        }
    }
    let drives = block.channel("4")?;
    assert!(drives.clone().all(|feature| fitted.coef()[(feature, 1)] != 0.0), "4 drives 7");
    assert!(dropped > 0, "nobody drives 12 from outside");
    // The same groups, typed as lists.
    let lists = block.by_channel().map(Iterator::collect).collect();
    let listed = model.clone().regularizer(Regularizer::GroupLasso {
        strength: 0.004.into(),
        groups: Groups::Features(lists),
    });
    assert_eq!(listed.fit(&design, &counts)?.coef(), fitted.coef());
    Ok(())
}

#[test]
fn frames_of_features_carry_blocks_and_rates_the_names_of_neurons() -> Result<(), Anything> {
    let counts = units()?.count::<Cpu>(0.01)?;
    let basis = RaisedCosineLog::new(3).convolved(Window::samples(6)).label("spikes");
    let features: TsdFrame<Cpu> = basis.compute_features(&counts)?;
    assert_eq!(features.to_design().columns("spikes")?, 0..9);
    let fitted = PopulationGlm::new(Poisson)
        .regularizer(Regularizer::Ridge(Strength::PerBlock(vec![("spikes".into(), 0.01)])))
        .fit(&features, &counts)?;
    let on_demand = PopulationGlm::new(Poisson)
        .regularizer(Regularizer::Ridge(0.01.into()))
        .fit(&basis.design(&counts)?, &counts)?;
    let off = &fitted.coef() - &on_demand.coef();
    assert!(off.iter().all(|off| off.abs() < 1e-9));
    assert_eq!(fitted.coef_of("spikes")?, fitted.coef());
    assert!(fitted.coef_of("spike").is_err_and(|error| error.to_string().contains("\"spikes\"")));
    let rates = fitted.predict(&features)?;
    assert_eq!(rates.column_names(), ["4", "7", "12"]);
    assert_eq!(rates.column("7")?.to_vec().len(), rates.len());
    let table = fitted.to_string();
    assert!(
        table.contains("12") && table.contains("spikes") && table.contains("intercept"),
        "{table}"
    );
    assert_eq!(fitted.neuron(1)?.coef(), fitted.coef().column(1).to_vec());
    assert!(fitted.neuron(3).is_err());
    Ok(())
}

#[test]
fn strengths_and_masks_go_by_block_over_a_basis_features_and_both() -> Result<(), Anything> {
    let counts = units()?.count::<Cpu>(0.01)?;
    let n = counts.len();
    let place = Matrix::<Cpu>::from_column((0..n).map(|bin| (bin % 200) as f64 / 200.0).collect());
    let speed = Matrix::<Cpu>::from_column((0..n).map(|bin| (bin as f64 * 0.03).sin()).collect());
    let history = RaisedCosineLog::new(3).convolved(Window::samples(6)).label("spikes");
    let sum = BSpline::new(5).label("place") + history.clone();
    let product = (BSpline::new(5).label("place") * BSpline::new(4).label("speed")).label("place × speed");
    let strengths = |block: &str| Regularizer::Ridge(Strength::PerBlock(vec![(block.into(), 0.5)]));
    let model = || PopulationGlm::new(Poisson).stopping(Stopping::new().tolerance(1e-16));

    // A sum of terms: one block for each.
    let design = sum.design((&place, &counts))?;
    let by_name = model().regularizer(strengths("place")).fit(&design, &counts)?;
    let per_feature = [vec![0.5; 5], vec![0.0; 9]].concat();
    let by_number = model()
        .regularizer(Regularizer::Ridge(Strength::PerFeature(per_feature)))
        .fit(&design, &counts)?;
    assert_eq!(by_name.coef(), by_number.coef());
    assert_eq!(by_name.coef_of("spikes")?.nrows(), 9);

    // A product is one block.
    let design = product.design([&place, &speed])?;
    let fitted = model().regularizer(strengths("place × speed")).fit(&design, &counts)?;
    assert_eq!(fitted.coef_of("place × speed")?.dim(), (20, 3));

    // Blocks of a basis beside a plain one, and which neuron may listen to which.
    let spikes = history.design(&counts)?;
    let features = Features::new().with("speed", &speed)?.beside(&spikes)?;
    let map = array![[true, true, false], [false, true, false], [false, false, true]];
    let masked = model()
        .regularizer(strengths("spikes"))
        .feature_mask(FeatureMask::coupling("spikes", map.clone()))
        .fit(&features, &counts)?;
    for (sender, columns) in masked.features().block("spikes")?.by_channel().enumerate() {
        for (receiver, feature) in (0..3).flat_map(|receiver| columns.clone().map(move |feature| (receiver, feature))) {
            assert_eq!(
                masked.coef()[(feature, receiver)] != 0.0,
                map[(sender, receiver)],
                "{sender} to {receiver}"
            );
        }
    }
    assert!(masked.coef_of("speed")?.iter().all(|coef| *coef != 0.0));
    let wrong = FeatureMask::coupling("spikes", Array2::from_elem((2, 3), true));
    assert!(model().feature_mask(wrong).fit(&features, &counts).is_err());

    // A name that is not there, and names asked of rows that have none, are errors that say so.
    let unknown = model()
        .regularizer(strengths("plaice"))
        .fit(&features, &counts)
        .unwrap_err()
        .to_string();
    assert!(unknown.contains("plaice") && unknown.contains("speed"), "{unknown}");
    let unnamed = features.to_design().to_matrix()?;
    for regularizer in [
        strengths("speed"),
        Regularizer::GroupLasso {
            strength: 0.1.into(),
            groups: Groups::Blocks,
        },
        Regularizer::GroupLasso {
            strength: 0.1.into(),
            groups: Groups::Channels,
        },
    ] {
        let error = model().regularizer(regularizer).fit(&unnamed, &counts).unwrap_err().to_string();
        assert!(error.contains("names"), "{error}");
    }
    Ok(())
}

#[test]
fn plain_values_are_designs_too() -> Result<(), Anything> {
    let stimulus = Array2::from_shape_fn((60, 2), |(row, column)| ((row * (3 + column)) % 7) as f64);
    let counts: Vec<f64> = (0..60).map(|row| f64::from(row % 4)).collect();
    let from_arrays = PopulationGlm::new(Poisson).fit::<Cpu>(&stimulus, &counts)?;
    let matrix = Matrix::<Cpu>::from(stimulus);
    let from_matrices = PopulationGlm::new(Poisson).fit(&matrix, &counts[..])?;
    assert_eq!(from_arrays.coef(), from_matrices.coef());
    // With times: what goes in with times comes out with times.
    let timed = Design::from(matrix).with_times((0..60).map(|row| f64::from(row) * 0.1).collect::<Vec<_>>())?;
    let rates = from_matrices.predict(&timed)?;
    assert_eq!(rates.times().map(|times| times[59]), Some(5.9));
    Ok(())
}

#[test]
fn groups_are_the_terms_of_a_basis_and_rates_are_decoded_by_their_names() -> Result<(), Anything> {
    let units = units()?;
    let counts = units.count::<Cpu>(0.01)?;
    let place: Vec<f64> = (0..counts.len()).map(|bin| (bin % 200) as f64 / 200.0).collect();
    let place = Tsd::<Cpu>::new(counts.axis().clone(), place)?;
    let basis = BSpline::new(5).label("place") + RaisedCosineLog::new(3).convolved(Window::samples(6)).label("spikes");
    let design = basis.design((&place, &counts))?;
    let lasso = |groups: Groups| {
        let model = PopulationGlm::new(Poisson).stopping(Stopping::new().tolerance(1e-14));
        let regularizer = Regularizer::GroupLasso {
            strength: 0.004.into(),
            groups,
        };
        model.regularizer(regularizer).fit(&design, &counts)
    };
    let by_block = lasso(Groups::Blocks)?;
    let by_number = lasso(Groups::Features(vec![(0..5).collect(), (5..14).collect()]))?;
    assert_eq!(by_block.coef(), by_number.coef());
    let history = RaisedCosineLog::new(3)
        .convolved(Window::samples(6))
        .label("spikes")
        .compute_features(&counts)?;
    let fitted = PopulationGlm::new(Poisson)
        .regularizer(Regularizer::Ridge(0.01.into()))
        .fit(&history, &counts)?;
    let rates = fitted.predict(&history)?;
    assert_eq!(rates.column_names(), ["4", "7", "12"]);
    let curves = units.tuning_curves(&place, &[Binning::new(4)])?;
    assert_eq!(curves.decode_bayes(&rates, 0.01, Prior::Uniform)?.features.len(), rates.len());
    Ok(())
}

#[test]
fn units_in_another_order_are_refused_and_units_without_names_are_not() -> Result<(), Anything> {
    let counts = units()?.count::<Cpu>(0.01)?;
    let basis = RaisedCosineLog::new(3).convolved(Window::samples(6)).label("spikes");
    let fitted = PopulationGlm::new(Poisson).fit(&basis.design(&counts)?, &counts)?;
    let score = |design: &TsdFrame<Cpu>, counts: &TsdFrame<Cpu>| -> Result<f64, nemos::Error> {
        Ok(fitted.score(&basis.design(design)?, counts, Score::Cohen)?)
    };
    let swapped = counts.columns(&[0, 2, 1])?;
    let named = score(&swapped, &counts).unwrap_err().to_string();
    assert!(
        named.contains("channel 1 of the design is \"12\"") && named.contains("\"7\""),
        "{named}"
    );
    let named = score(&counts, &swapped).unwrap_err().to_string();
    assert!(named.contains("column 1 of the counts is \"12\""), "{named}");

    // A matrix has no names, and what a basis calls its columns then are numbers.
    let values = Matrix::<Cpu>::from(counts.values().to_array());
    let unnamed = fitted.score(&basis.design(&values)?, &values, Score::Cohen)?;
    assert_eq!(unnamed, score(&counts, &counts)?);
    let of_numbers = PopulationGlm::new(Poisson).fit(&basis.design(&values)?, &values)?;
    assert_eq!(of_numbers.score(&basis.design(&counts)?, &counts, Score::Cohen)?, unnamed);
    // So is one neuron of a model of unnamed ones, and what it draws.
    let one = of_numbers.select(&[1])?;
    let of_one = counts.columns(&[1])?;
    one.score(&basis.design(&counts)?, &of_one.clone().with_names(["dorsal"])?, Score::Cohen)?;
    Ok(())
}

#[test]
fn hidden_states_know_their_neurons_by_name() -> Result<(), Anything> {
    let counts = units()?.count::<Cpu>(0.05)?;
    let stimulus = Matrix::<Cpu>::from_column((0..counts.to_design().n_rows()).map(|row| f64::from(row as u32 % 7)).collect());
    let model = nemos::hmm::GlmHmm::new(2, Poisson).restarts(1).max_iterations(5);
    let fitted = model.fit(&stimulus, &counts)?;
    fitted.on(&stimulus, &counts)?.log_likelihood()?;
    let swapped = counts.columns(&[0, 2, 1])?;
    let named = fitted.on(&stimulus, &swapped).expect_err("another order").to_string();
    assert!(named.contains("\"12\""), "{named}");
    Ok(())
}
