//! Spectra against SciPy's `welch` and `spectrogram`, and pynapple's wavelets; `tests/interop/spectra.py` wrote the numbers.

use std::collections::HashMap;

use nemos_core::Cpu;
use nemos_timeseries::{Morlet, SpectralWindow, Taper, Ts, Tsd};

/// 3 sin(0.21 k) + cos(0.05 k²/40) + (k² mod 17)/8 − 1, at 100 Hz.
fn signal() -> Tsd<Cpu> {
    let value = |k: u32| {
        let x = f64::from(k);
        3.0 * (0.21 * x).sin() + (0.05 * x * x / 40.0).cos() + f64::from(k * k % 17) / 8.0 - 1.0
    };
    let axis = Ts::new((0..1200).map(|k| f64::from(k) / 100.0).collect::<Vec<_>>()).unwrap();
    Tsd::new(axis, (0..1200).map(value).collect::<Vec<_>>()).unwrap()
}

/// The lines of the cases of one suite: each has a name, and what follows it.
fn cases(suite: &str) -> Vec<Case> {
    let all = include_str!("spectra.txt").split("case ").skip(1);
    let own = all.filter_map(|case| case.strip_prefix(suite));
    own.map(|case| Case(case.lines().filter_map(|line| line.split_once(' ')).collect()))
        .collect()
}

struct Case(HashMap<&'static str, &'static str>);

impl Case {
    fn numbers(&self, name: &str) -> Vec<f64> {
        self.0[name].split(' ').map(|number| number.parse().unwrap()).collect()
    }

    fn number(&self, name: &str) -> f64 {
        self.numbers(name)[0]
    }
}

/// Within 1e-9 of the largest.
#[track_caller]
fn close(what: &str, got: &[f64], case: &Case) {
    let expected = case.numbers(what);
    let largest = expected.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    assert_eq!(got.len(), expected.len(), "{what}");
    let off = got
        .iter()
        .zip(&expected)
        .map(|(got, expected)| (got - expected).abs())
        .fold(0.0, f64::max);
    assert!(off <= 1e-9 * largest, "{what}: {off} off, of {largest}");
}

#[test]
fn power_is_that_of_scipy() {
    for case in cases("windows") {
        let n = case.number("n");
        let taper = match case.0["taper"] {
            "Hann" => Taper::Hann,
            "Hamming" => Taper::Hamming,
            "Blackman" => Taper::Blackman,
            "Boxcar" => Taper::Boxcar,
            "Tukey" => Taper::Tukey(0.25),
            other => panic!("{other}"),
        };
        let window = SpectralWindow::seconds(n / 100.0).overlap(case.number("overlap")).taper(taper);
        let power = signal().power_spectrum(&window).unwrap();
        close("frequencies", &power.frequencies, &case);
        close("welch", &power.values.column(0).to_vec(), &case);
        let spectrogram = signal().spectrogram(&window).unwrap();
        close("times", spectrogram.sample_times(), &case);
        let rows = spectrogram.values().to_array();
        close("spectrogram_first", &rows.row(0).to_vec(), &case);
        close("spectrogram_last", &rows.row(rows.nrows() - 1).to_vec(), &case);
        assert_eq!(power.n_windows, rows.nrows());
    }
}

#[test]
fn wavelets_are_those_of_pynapple() {
    for case in cases("wavelets") {
        let morlet = Morlet::new(case.numbers("frequencies"))
            .gaussian_width(case.number("gaussian_width"))
            .window_length(case.number("window_length"));
        let wavelets = signal().wavelets(&morlet).unwrap();
        for (part, expected) in [(&wavelets.real, "real"), (&wavelets.imaginary, "imaginary")] {
            let all = part.values().to_array();
            let got: Vec<f64> = case
                .numbers("rows")
                .iter()
                .flat_map(|&row| all.row(row as usize).to_vec())
                .collect();
            close(expected, &got, &case);
        }
        let (amplitude, phase) = (wavelets.amplitude().values().to_vec(), wavelets.phase().values().to_vec());
        let real = wavelets.real.values().to_vec();
        assert!(
            real.iter()
                .zip(amplitude.iter().zip(&phase))
                .all(|(real, (size, turn))| (size * turn.cos() - real).abs() < 1e-12)
        );
    }
}

#[test]
fn what_has_no_spectrum_says_why() {
    let wave = signal();
    let of = |morlet: Morlet| wave.wavelets(&morlet).unwrap_err().to_string();
    assert!(of(Morlet::new([60.0])).contains("60 Hz"));
    assert!(of(Morlet::new([])).contains("frequencies"));
    assert!(of(Morlet::new([5.0]).gaussian_width(0.0)).contains("width"));
    let uneven = Tsd::<Cpu>::new(Ts::new([0.0, 1.0, 1.1, 5.0]).unwrap(), vec![0.0; 4]).unwrap();
    assert!(uneven.power_spectrum(&SpectralWindow::seconds(1.0)).is_err());
    let missing = Tsd::<Cpu>::new(Ts::regular(0.0, 1.0, 3).unwrap(), vec![0.0, f64::NAN, 1.0]).unwrap();
    assert!(
        missing
            .spectrogram(&SpectralWindow::seconds(2.0))
            .unwrap_err()
            .to_string()
            .contains("row 1")
    );
}
