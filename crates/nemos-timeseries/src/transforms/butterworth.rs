//! Butterworth filters as a cascade of second-order sections.
//!
//! The poles of the analogue low-pass lie evenly on the left half of the unit circle; the band moves them, the bilinear
//! transform takes them to the unit disc (Oppenheim & Schafer 2010, *Discrete-Time Signal Processing*, ch. 7).

use realfft::num_complex::Complex;

use super::band::Band;
use crate::Error;

type Root = Complex<f64>;

/// `H(z) = Π (b₀ + b₁z⁻¹ + b₂z⁻²) / (1 + a₁z⁻¹ + a₂z⁻²)`
#[derive(Clone, Debug)]
pub(crate) struct Sections {
    sections: Vec<Section>,
    /// Samples by which a signal is continued at both ends.
    padding: usize,
}

#[derive(Clone, Copy, Debug)]
struct Section {
    b: [f64; 3],
    a: [f64; 2],
}

impl Sections {
    /// The filter of this band, which lies within half of the sampling rate.
    pub(crate) fn new(band: Band, order: usize, sampling_rate: f64) -> Self {
        let Roots { zeros, poles, gain } = digital(band, order, sampling_rate);
        let is_odd = poles.len() % 2 == 1;
        let mut sections = pair(zeros, poles);
        // The gain goes to the section that runs first: those after it see values of the size of the output.
        for b in &mut sections[0].b {
            *b *= gain;
        }
        // Three times the number of coefficients, as `sosfiltfilt` of SciPy continues its input.
        let padding = 3 * (2 * sections.len() + 1 - usize::from(is_odd));
        Sections { sections, padding }
    }

    /// Filters a signal once in each direction, so that phases stay. It is continued at both ends by its reflection in the
    /// last sample, and starts as if it had always had its first value.
    pub(crate) fn forwards_and_backwards(&self, values: &[f64]) -> Result<Vec<f64>, Error> {
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let (padding, last) = (self.padding, values.len() - 1);
        if last < padding {
            return Err(Error::TooFewSamples {
                name: "this filter",
                least: padding + 1,
                got: values.len(),
            });
        }
        // 2·x₀ − xₖ: turned about the end by half a turn, so that value and slope go on without a step.
        let before = (1..=padding).rev().map(|back| 2.0 * values[0] - values[back]);
        let after = (1..=padding).map(|on| 2.0 * values[last] - values[last - on]);
        let mut signal: Vec<f64> = before.chain(values.iter().copied()).chain(after).collect();
        for _ in 0..2 {
            self.run(&mut signal);
            signal.reverse();
        }
        Ok(signal[padding..padding + values.len()].to_vec())
    }

    fn run(&self, signal: &mut [f64]) {
        // What arrives at a section when the first value has been there for ever.
        let mut level = signal[0];
        for Section { b, a } in &self.sections {
            // H(1) of the section; soon and late are its two states, in the transposed direct form II.
            let settled = level * (b[0] + b[1] + b[2]) / (1.0 + a[0] + a[1]);
            let mut late = b[2] * level - a[1] * settled;
            let mut soon = b[1] * level - a[0] * settled + late;
            level = settled;
            for value in signal.iter_mut() {
                let out = b[0] * *value + soon;
                soon = b[1] * *value - a[0] * out + late;
                late = b[2] * *value - a[1] * out;
                *value = out;
            }
        }
    }
}

struct Roots {
    zeros: Vec<Root>,
    poles: Vec<Root>,
    gain: f64,
}

/// Zeros and poles of the filter in the unit disc.
fn digital(band: Band, order: usize, sampling_rate: f64) -> Roots {
    // Frequencies in units where the sampling rate is 2, bent so that the bilinear transform bends them back.
    let warp = |edge: f64| 4.0 * (std::f64::consts::PI * edge / sampling_rate).tan();
    let prototype: Vec<Root> = (0..order)
        .map(|pole| {
            let angle = std::f64::consts::PI * (2.0 * pole as f64 + 1.0 - order as f64) / (2.0 * order as f64);
            // The middle one of an odd number is real.
            let sine = if 2 * pole + 1 == order { 0.0 } else { angle.sin() };
            -Root::new(angle.cos(), sine)
        })
        .collect();
    // Low-pass to band: s → (s² + ω₀²)/(s·width), so that each root p becomes the two p ± √(p² − ω₀²).
    let both = |centre: f64, scaled: Vec<Root>| -> Vec<Root> {
        let root = |pole: &Root| (pole * pole - centre * centre).sqrt();
        scaled
            .iter()
            .map(|pole| pole + root(pole))
            .chain(scaled.iter().map(|pole| pole - root(pole)))
            .collect()
    };
    let nothing = vec![Root::new(0.0, 0.0); order];
    let (zeros, poles) = match band {
        Band::Low(edge) => (Vec::new(), prototype.iter().map(|pole| pole * warp(edge)).collect::<Vec<_>>()),
        Band::High(edge) => (nothing, prototype.iter().map(|pole| warp(edge) / pole).collect()),
        Band::Pass(low, high) => {
            let (low, high) = (warp(low), warp(high));
            (
                nothing,
                both(
                    (low * high).sqrt(),
                    prototype.iter().map(|pole| pole * ((high - low) / 2.0)).collect(),
                ),
            )
        }
        Band::Stop(low, high) => {
            let (low, high) = (warp(low), warp(high));
            let centre = Root::new(0.0, (low * high).sqrt());
            let zeros = (0..2 * order).map(|zero| if zero % 2 == 0 { centre } else { -centre }).collect();
            (
                zeros,
                both(centre.im, prototype.iter().map(|pole| ((high - low) / 2.0) / pole).collect()),
            )
        }
    };
    // z = (4 + s)/(4 − s): the left half plane goes into the unit disc.
    let bilinear = |root: &Root| (4.0 + root) / (4.0 - root);
    let poles: Vec<Root> = poles.iter().map(bilinear).collect();
    let mut zeros: Vec<Root> = zeros.iter().map(bilinear).collect();
    // Zeros at infinity go to z = −1, the highest frequency.
    zeros.resize(poles.len(), Root::new(-1.0, 0.0));
    // The gain is one where the filter lets everything pass.
    let point = match band {
        Band::Low(_) | Band::Stop(..) => Root::new(1.0, 0.0),
        Band::High(_) => Root::new(-1.0, 0.0),
        Band::Pass(low, high) => {
            let centre = 2.0 * ((warp(low) * warp(high)).sqrt() / 4.0).atan();
            Root::from_polar(1.0, centre)
        }
    };
    let response: Root = zeros
        .iter()
        .zip(&poles)
        .map(|(zero, pole)| (point - zero) / (point - pole))
        .product();
    Roots {
        zeros,
        poles,
        gain: 1.0 / response.norm(),
    }
}

/// Sections of two poles each, those nearest to the unit circle last and with the zeros nearest to them: so no section
/// amplifies what a later one would have to cancel.
fn pair(mut zeros: Vec<Root>, mut poles: Vec<Root>) -> Vec<Section> {
    let mut sections = Vec::new();
    while !poles.is_empty() {
        let distance = |pole: &Root| (1.0 - pole.norm()).abs();
        let first = take(&mut poles, distance);
        let partner = if is_real(first) {
            let other = poles.iter().any(|pole| is_real(*pole));
            other.then(|| take(&mut poles, |pole| if is_real(*pole) { distance(pole) } else { f64::INFINITY }))
        } else {
            Some(take(&mut poles, |pole| (pole - first.conj()).norm()))
        };
        let near = take(&mut zeros, |zero| (zero - first).norm());
        let far = partner.map(|_| {
            let wanted = if is_real(near) { first } else { near.conj() };
            take(&mut zeros, |zero| (zero - wanted).norm())
        });
        let [b1, b2] = quadratic(near, far);
        sections.push(Section {
            b: [1.0, b1, b2],
            a: quadratic(first, partner),
        });
    }
    sections.reverse();
    sections
}

fn is_real(root: Root) -> bool {
    root.im.abs() <= 1e-14 * root.norm().max(1.0)
}

/// Takes out the root with the least cost.
fn take(roots: &mut Vec<Root>, cost: impl Fn(&Root) -> f64) -> Root {
    let least = (0..roots.len()).min_by(|&left, &right| cost(&roots[left]).total_cmp(&cost(&roots[right])));
    roots.swap_remove(least.expect("invariant: as many zeros as poles, and conjugates in pairs"))
}

/// The coefficients after the first of `(1 − r z⁻¹)(1 − s z⁻¹)`.
fn quadratic(root: Root, other: Option<Root>) -> [f64; 2] {
    match other {
        Some(other) => [-(root + other).re, (root * other).re],
        None => [-root.re, 0.0],
    }
}
