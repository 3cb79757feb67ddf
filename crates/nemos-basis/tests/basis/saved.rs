//! A basis that is saved and loaded is the same basis.

use nemos_basis::*;
use nemos_core::{Cpu, Matrix};

/// One of every family that can be saved, sums, products and filters, with settings away from their defaults.
fn zoo() -> Vec<Basis> {
    let window = Window::samples(7).causality(Causality::AntiCausal(Shift::None));
    vec![
        BSpline::new(6).order(3).bounds(0.1, 0.7).fill_value(-2.5).into(),
        CyclicBSpline::new(7).order(2).bounds(0.0, std::f64::consts::TAU).label("angle"),
        MSpline::new(5).fill_value(f64::NAN).into(),
        RaisedCosineLinear::new(6).width(2.5).into(),
        RaisedCosineLog::new(5).width(1.5).time_scaling(1.0 / 3.0).decay(Decay::Open).into(),
        OrthogonalizedExponential::new([0.5, 0.1 + 0.2, 9.0]).into(),
        Fourier::new(4).with_constant().into(),
        Fourier::of_inputs([Frequencies::Between(1..3), Frequencies::Listed(vec![5, 2])])
            .mask([true, false, true, true])
            .bounds_of_inputs([(0.0, 1.0), (0.0, 2.0)])
            .into(),
        Identity::new().bounds(-1.0, 1.0).into(),
        History::new(window).into(),
        Category::numbered([1.0, 0.5]).unknown(Unknown::Refused).into(),
        Category::named(["right", "left"]).into(),
        Zero::new().into(),
        RaisedCosineLog::new(3).convolved(window).label("spikes"),
        BSpline::new(4) * RaisedCosineLinear::new(3) + 2 * Identity::new() + History::new(Window::samples(2)),
        (BSpline::new(4) + MSpline::new(5)).pow(2).label("plane"),
        BSpline::new(4).pow(2).convolved(window),
    ]
}

fn saved_and_loaded<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    let text = serde_json::to_string(value).expect("plain values");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn every_basis_comes_back_as_it_was() {
    for basis in zoo() {
        assert_eq!(saved_and_loaded(&basis), basis);
    }
}

#[test]
fn families_and_windows_are_saved_on_their_own() {
    let family = RaisedCosineLog::new(5).width(1.5);
    assert_eq!(saved_and_loaded(&family), family);
    let window = Window::samples(3).causality(Causality::Acausal);
    assert_eq!(saved_and_loaded(&window), window);
}

#[test]
fn bounds_of_training_data_come_back_to_the_last_bit() {
    let training = Matrix::<Cpu>::from_vec(vec![0.1, 3.0, 1.0 / 3.0, 9.0, 0.7, 5.0], [3, 2]).expect("three rows");
    let later = Matrix::<Cpu>::from_vec(vec![0.2, 4.0, 0.6, 8.9], [2, 2]).expect("two rows");
    let transformer = (BSpline::new(4).label("a") + Fourier::new(3)).transformer([1, 1]);
    assert_eq!(saved_and_loaded(&transformer), transformer);
    let fitted = transformer.fit(&training).expect("bounds");
    let loaded: FittedTransformer = saved_and_loaded(&fitted);
    assert_eq!(loaded, fitted);
    assert_eq!(loaded.basis(), fitted.basis());
    assert_eq!(
        loaded.transform(&later).expect("features").to_vec(),
        fitted.transform(&later).expect("features").to_vec()
    );
}

#[test]
fn what_cannot_be_saved_says_so_by_name() {
    let basis = BSpline::new(4) + Custom::new("speed squared", |x| x * x);
    let error = serde_json::to_string(&basis).expect_err("closures have no text").to_string();
    assert!(error.contains("\"speed squared\"") && error.contains("Basis::replace"), "{error}");
    let infinite = Identity::new().bounds(0.0, 1.0).fill_value(f64::INFINITY);
    assert!(serde_json::to_string(&infinite).is_err());
}
