//! Ticks: round numbers inside a range, with as many digits as they need.

/// Round numbers inside a range, at most `most` of them: multiples of 1, 2 or 5 times a power of ten, none closer together
/// than `least_step`.
pub(crate) fn round_numbers([low, high]: [f64; 2], most: usize, least_step: f64) -> Vec<(f64, String)> {
    let raw = ((high - low) / most.max(1) as f64).max(least_step);
    let power = 10_f64.powf(raw.log10().floor());
    if !(power.is_normal() && raw.is_finite()) {
        return Vec::new();
    }
    let steps = [1.0, 2.0, 5.0, 10.0, 20.0].map(|multiple| multiple * power);
    let inside = |step: f64| {
        let slack = 1e-9 * (high - low);
        let [first, last] = [((low - slack) / step).ceil(), ((high + slack) / step).floor()];
        (first, last - first + 1.0)
    };
    // A range that is not wide enough for the rounding of its ends to matter less than a step has no ticks.
    let step = steps.into_iter().find(|&step| step >= least_step && inside(step).1 <= most as f64);
    let Some(step) = step.filter(|step| low + step != low || low == 0.0) else {
        return Vec::new();
    };
    let (first, count) = inside(step);
    let values = (0..count.max(0.0) as usize).map(|index| (first + index as f64) * step);
    let largest = low.abs().max(high.abs());
    values.map(|value| (value, label(value, step, largest))).collect()
}

/// A number with as many digits as ticks of this distance need; a power of ten is written out where numbers are very large or
/// very small.
fn label(value: f64, step: f64, largest: f64) -> String {
    let [step_power, power] = [step, largest].map(|value| (value.log10() + 1e-9).floor() as i32);
    let digits = (power - step_power).max(0);
    if (power < 6 && step_power > -5) || digits > 6 {
        let decimals = (-step_power).clamp(0, 17) as usize;
        return signed(format!("{:.decimals$}", clean(value, step)));
    }
    if value.abs() < 0.5 * step {
        return "0".into();
    }
    let power = (value.abs().log10() + 1e-9).floor() as i32;
    // In two steps: 10³⁰⁸ is the largest power there is.
    let mantissa = value / 10_f64.powi(power / 2) / 10_f64.powi(power - power / 2);
    let mantissa = format!("{mantissa:.*}", (power - step_power).max(0) as usize);
    let exponent: String = power.to_string().chars().map(superscript).collect();
    match mantissa.as_str() {
        "1" => format!("10{exponent}"),
        "-1" => format!("−10{exponent}"),
        mantissa => signed(format!("{mantissa}×10{exponent}")),
    }
}

/// Zero where rounding left something else.
fn clean(value: f64, step: f64) -> f64 {
    if value.abs() < 0.5 * step { 0.0 } else { value }
}

fn signed(text: String) -> String {
    text.replace('-', "−")
}

fn superscript(character: char) -> char {
    match character {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => digit.to_digit(10).and_then(|digit| char::from_u32(0x2070 + digit)).unwrap_or(digit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64) -> Vec<String> {
        round_numbers([low, high], 6, 0.0).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_numbers_inside_the_range() {
        assert_eq!(labels(0.0, 100.0), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(labels(-0.5, 0.5), ["−0.4", "−0.2", "0.0", "0.2", "0.4"]);
        assert_eq!(labels(0.0, 0.3), ["0.0", "0.1", "0.2", "0.3"]);
        assert_eq!(labels(0.0, 3e7), ["0", "10⁷", "2×10⁷", "3×10⁷"]);
        assert_eq!(labels(-2e-6, 1e-6)[..2], ["−2×10⁻⁶", "−10⁻⁶"]);
        assert_eq!(labels(1e300, 1.2e300)[1], "1.05×10³⁰⁰");
        assert_eq!(labels(1_000_000.0, 1_000_000.4)[2], "1000000.2");
    }

    #[test]
    fn whole_numbers_stay_whole() {
        let ticks = round_numbers([-0.5, 3.5], 8, 1.0);
        assert_eq!(ticks.iter().map(|tick| tick.0).collect::<Vec<_>>(), [0.0, 1.0, 2.0, 3.0]);
    }

    #[test]
    fn ranges_without_room_have_no_ticks() {
        assert!(labels(f64::NEG_INFINITY, 1.0).is_empty());
        assert!(labels(-1.7e308, 1.7e308).len() < 7);
        assert!(labels(0.0, 5e-324).is_empty());
    }
}
