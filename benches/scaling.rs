//! What processes gain, and what messages cost them: the time of a pass in one, two and four processes, over networks with a delay.
//!
//! ```text
//! mpirun -n 2 scaling measure FILE      adds the lines of two processes to a file of numbers
//! mpirun -n 2 scaling measure FILE 0.001 0.0022   the same where packets take a millisecond, and a round trip of `ping` 2.2
//! scaling draw FILE FIGURE              draws it beside the model of the chapter
//! mpirun -n 2 scaling fit 200000 100 100          the time of one fit: rows, features, neurons
//! ```
//!
//! `scaling.sh` does all of it with waits before a message is sent (`World::over_network`), `network.sh` with packets that are under way for as
//! long. Each process computes with one thread. What a wait of 0.1 ms really takes is measured.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::time::Instant;

use nemos::core::{Design, World};
use nemos::cpu::*;
use nemos::glm::Problems;
use nemos::plot::{Axis, Color, Figure, Line, Panel, Scatter};
use nemos::solvers::{Objective, Order, Request};

const FEATURES: usize = 40;
const NEURONS: usize = 25;
/// Rows in all where the recording stays the same, and of each process where it grows with them.
const ROWS: [usize; 2] = [40_000, 20_000];
const DELAYS: [f64; 3] = [0.0, 1e-4, 1e-3];
const BYTES_PER_SECOND: f64 = 1e9;
/// Passes that are timed together: where there are more processes than cores, one that comes late finds the work of the others done.
const PASSES: usize = 10;
const TIMES: usize = 10;
const REPEATS: usize = 5;
/// Cores of the machine that the figure in the book was measured on.
const CORES: usize = 2;
const HEADER: &str = "delayed,kind,processes,rows,delay_s,round_trip_s,pass_s,meeting_s\n";

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["measure", file] => measure(&nemos::mpi::start()?, file, Delayed::Waits),
        ["measure", file, delay, round_trip] => {
            let (delay, round_trip) = (delay.parse()?, round_trip.parse()?);
            measure(&nemos::mpi::start()?, file, Delayed::Packets { delay, round_trip })
        }
        ["fit", rows, features, neurons] => fit(&nemos::mpi::start()?, [rows.parse()?, features.parse()?, neurons.parse()?]),
        ["draw", file, figure] => draw(&std::fs::read_to_string(file)?, figure),
        _ => Err("say `measure FILE [DELAY ROUND_TRIP]`, under mpirun, or `draw FILE FIGURE`".into()),
    }
}

/// What delays messages.
enum Delayed {
    /// The program, before it sends one: all delays in turn.
    Waits,
    /// The network. In seconds: how long it keeps a packet, and what `ping` says of the way there and back.
    Packets { delay: f64, round_trip: f64 },
}

/// Adds a line for each delay and kind of scaling: seconds of a pass, and of a meeting without one; one in ten is as fast.
fn measure(world: &World, file: &str, delayed: Delayed) -> Result<(), Box<dyn Error>> {
    // In seconds: the delays, and as many waits.
    let (by, round_trip, delays, waits) = match delayed {
        Delayed::Waits => ("waits", String::new(), DELAYS.to_vec(), DELAYS.to_vec()),
        Delayed::Packets { delay, round_trip } => ("packets", format!("{round_trip:.6}"), vec![delay], vec![0.0]),
    };
    let mut lines = String::new();
    for (kind, rows) in [("strong", ROWS[0]), ("weak", ROWS[1] * world.n_ranks())] {
        // One delay after the other, and again: what else the machine does meets all of them.
        let mut seconds = vec![Vec::new(); delays.len()];
        let mut of_message = vec![Vec::new(); delays.len()];
        for _ in 0..REPEATS {
            for (place, &wait) in waits.iter().enumerate() {
                let far = if wait > 0.0 {
                    world.over_network(wait, BYTES_PER_SECOND)
                } else {
                    world.clone()
                };
                seconds[place].extend(passes(&far, rows)?);
                of_message[place].extend(messages(&far)?);
            }
        }
        for ((delay, seconds), of_message) in delays.iter().zip(&mut seconds).zip(&mut of_message) {
            let (seconds, of_message) = (fast(seconds), fast(of_message));
            let n = world.n_ranks();
            writeln!(lines, "{by},{kind},{n},{rows},{delay},{round_trip},{seconds:.6},{of_message:.6}")?;
        }
    }
    if world.rank() == 0 {
        let mut all = std::fs::read_to_string(file).unwrap_or_else(|_| HEADER.into());
        all += &lines;
        std::fs::write(file, all)?;
    }
    Ok(())
}

/// The rows of this process: waves, and counts that follow them a little.
fn data(world: &World, [rows, features, neurons]: [usize; 3]) -> Result<(Design<'static, Cpu>, Matrix), nemos::Error> {
    let mine = world.share(rows);
    let wave = |row: usize, k: usize| (row as f64 * (0.013 + 0.0071 * k as f64)).sin();
    let count = |row: usize, k: usize| ((row * (k + 3)) % 4) as f64 + if wave(row, k % features) > 0.5 { 1.0 } else { 0.0 };
    let of_features = mine.rows().flat_map(|row| (0..features).map(move |k| wave(row, k))).collect();
    let counts = mine.rows().flat_map(|row| (0..neurons).map(move |k| count(row, k))).collect();
    let n_rows = mine.rows().len();
    let design = mine.design(Matrix::from_vec(of_features, [n_rows, features])?)?;
    Ok((design, Matrix::from_vec(counts, [n_rows, neurons])?))
}

/// One fit: seconds by the clock, and of processors, those of all processes together.
fn fit(world: &World, sizes: [usize; 3]) -> Result<(), Box<dyn Error>> {
    let (design, counts) = data(world, sizes)?;
    world.gather(&[])?;
    let (begin, before) = (Instant::now(), processor_seconds()?);
    let fitted = PopulationGlm::new(Poisson).regularizer(ridge(1e-3)).fit(&design, &counts)?;
    let of_processors = world.gather(&[processor_seconds()? - before])?.concat().iter().sum::<f64>();
    if world.rank() == 0 {
        let seconds = begin.elapsed().as_secs_f64();
        println!("{seconds:.3} {of_processors:.3} {:?}", fitted.outcome().all_converged());
    }
    Ok(())
}

/// What Linux says of this process: ticks of a hundredth of a second in its own code, and in the kernel's.
fn processor_seconds() -> Result<f64, Box<dyn Error>> {
    let said = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = said.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / 100.0)
}

/// Seconds of some passes: a loss and its gradient for all neurons each.
fn passes(world: &World, rows: usize) -> Result<Vec<f64>, Box<dyn Error>> {
    let (design, counts) = data(world, [rows, FEATURES, NEURONS])?;
    let objective = PopulationGlm::new(Poisson).objective_of(Problems::one_per_response(NEURONS), &design, &counts)?;
    let (at, columns) = (objective.start(), (0..NEURONS).collect::<Vec<_>>());
    let request = Request {
        columns: &columns,
        rows: None,
        order: Order::Gradient,
    };
    objective.evaluate(&at, request)?;
    timed(|| Ok(objective.evaluate(&at, request).map(drop)?))
}

/// Seconds in which processes meet that bring as many numbers as a pass does, and compute nothing.
fn messages(world: &World) -> Result<Vec<f64>, Box<dyn Error>> {
    let sums = vec![0.0; (FEATURES + 1) * NEURONS];
    timed(|| {
        let met = world
            .share(1)
            .add_up("a meeting", Ok::<_, nemos::Error>(vec![(0, sums.clone())]), sums.len());
        Ok(met.map(drop)?)
    })
}

/// Seconds that it takes, a few times together.
fn timed(act: impl Fn() -> Result<(), Box<dyn Error>>) -> Result<Vec<f64>, Box<dyn Error>> {
    let mut seconds = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let begin = Instant::now();
        (0..PASSES).try_for_each(|_| act())?;
        seconds.push(begin.elapsed().as_secs_f64() / PASSES as f64);
    }
    Ok(seconds)
}

/// One in ten is as fast or faster: what else a machine does slows the others down.
fn fast(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 10]
}

/// Medians over runs.
struct Measured {
    by: String,
    kind: String,
    n: usize,
    rows: f64,
    delay: f64,
    pass: f64,
    meeting: f64,
}

fn draw(text: &str, figure: &str) -> Result<(), Box<dyn Error>> {
    let mut of_runs: BTreeMap<[&str; 4], Vec<Vec<f64>>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let [by, kind, n, rows, delay, _round_trip, pass, meeting] = line.split(',').collect::<Vec<_>>()[..] else {
            return Err(format!("a line of other numbers: {line}").into());
        };
        let numbers = [n, rows, delay, pass, meeting]
            .iter()
            .map(|word| word.parse())
            .collect::<Result<_, _>>()?;
        of_runs.entry([by, kind, n, delay]).or_default().push(numbers);
    }
    let middle = |runs: &[Vec<f64>], column: usize| {
        let mut values: Vec<f64> = runs.iter().map(|run| run[column]).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let all = of_runs.into_iter().map(|([by, kind, ..], runs)| Measured {
        by: by.into(),
        kind: kind.into(),
        n: runs[0][0] as usize,
        rows: runs[0][1],
        delay: runs[0][2],
        pass: middle(&runs, 3),
        meeting: middle(&runs, 4),
    });
    let all: Vec<Measured> = all.collect();
    // One number is fitted, to the passes without a delay: what a row takes on a core. A meeting of two processes was measured.
    let without = all.iter().filter(|of| of.by == "waits" && of.delay == 0.0);
    let mut of_row: Vec<f64> = without.map(|of| of.pass / of.rows * of.n.min(CORES) as f64).collect();
    of_row.sort_by(f64::total_cmp);
    let of_row = *of_row.get(of_row.len() / 2).ok_or("there are no passes without a delay")?;
    let meeting_of_two = |by: &str, delay: f64| {
        let of_two = all.iter().find(|of| of.by == by && of.n == 2 && of.delay == delay);
        of_two.map_or(0.0, |of| of.meeting)
    };
    println!("delayed  kind    processes  delay ms  meeting ms  pass ms  model ms  of it messages");
    let mut drawn = Figure::new().panel_size(430.0, 330.0);
    for (kind, title) in [("strong", "the same 40,000 rows"), ("weak", "20,000 rows for each process")] {
        let ticks = [(0.0, "1"), (1.0, "2"), (2.0, "4")];
        let mut panel = Panel::new()
            .title(title)
            .x(Axis::new("processes").ticks(ticks).range(-0.2, 2.2))
            .y(Axis::new("a pass").unit("ms"));
        for (delay, color, label) in [
            (DELAYS[0], Color::Blue, "no delay"),
            (DELAYS[1], Color::Orange, "0.1 ms"),
            (DELAYS[2], Color::Vermillion, "1 ms"),
        ] {
            // Waits as points, packets as short bars, the model of the waits dashed.
            for by in ["waits", "packets"] {
                let (mut x, mut measured, mut model) = (Vec::new(), Vec::new(), Vec::new());
                for of in all.iter().filter(|of| of.by == by && of.kind == kind && of.delay == delay) {
                    let messages = (of.n as f64).log2().ceil() * meeting_of_two(by, delay);
                    let predicted = of.rows * of_row / of.n.min(CORES) as f64 + messages;
                    println!(
                        "{by:8} {kind:7} {:9} {:9} {:11.2} {:8.2} {:9.2} {:14.0} %",
                        of.n,
                        1e3 * delay,
                        1e3 * of.meeting,
                        1e3 * of.pass,
                        1e3 * predicted,
                        100.0 * messages / predicted
                    );
                    x.push((of.n as f64).log2());
                    measured.push(1e3 * of.pass);
                    model.push(1e3 * predicted);
                }
                if by == "waits" {
                    panel = panel
                        .mark(Line::new(x.clone(), model).color(color).dashed())
                        .mark(Scatter::new(x, measured).color(color).radius(4.0).label(label));
                } else {
                    for (x, y) in x.into_iter().zip(measured) {
                        panel = panel.mark(Line::new([x - 0.08, x + 0.08], [y, y]).color(color).width(3.0));
                    }
                }
            }
        }
        drawn = drawn.panel(panel);
    }
    Ok(drawn.save(figure)?)
}
