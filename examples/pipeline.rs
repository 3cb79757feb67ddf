//! How many functions does a place field need? A basis and a model, searched as one value.

use nemos::basis::Category;
use nemos::io::{NpzFile, SavedModel};
use nemos::plot::{Axis, Figure, Line, Panel};
use nemos::prelude::*;
use nemos::select::{FittedPipeline, Folds, Grid, GridSearch, Pipeline};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let recording = NpzFile::open(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/place_cell_1.npz"))?;
    let (time, position) = (Ts::new(recording.vector("time")?)?, recording.vector("position")?);
    let mut runs_up: Vec<f64> = position.windows(2).map(|pair| f64::from(pair[1] > pair[0])).collect();
    runs_up.push(0.0);
    let column = |values: Vec<f64>| Matrix::<Cpu>::from_column(values);
    let track = Matrix::beside(vec![column(runs_up), column(position)])?;
    let track = TsdFrame::new(time, track)?.with_names(["direction", "position"])?;
    let cell = TsGroup::new([Ts::new(recording.vector("spike_times")?)?], track.support());
    // Bins of 20 ms, in which a rat that runs covers about a centimetre.
    let (counts, track) = (cell.count::<Cpu>(0.02)?, track.bin_average(0.02)?);
    let up = track.column("direction")?.values().to_vec().into_iter().map(f64::round).collect();
    let track = track.wrap(
        Matrix::beside(vec![column(up), track.column("position")?.values().clone()])?,
        track.names().clone(),
    );

    // Bounds come from the training bins of each fold, and so would categories.
    let basis = Category::new(2).label("way") * BSpline::new(8).label("place");
    let model = Glm::new(Poisson).regularizer(ridge(1e-4));
    let pipeline = Pipeline::new(basis, model).route("way", ["direction"]).route("place", ["position"]);

    // Folds are stretches from all over the session, with a second on both sides that no fold has seen.
    let sizes = [4, 5, 6, 8, 10, 12, 16, 24, 32, 48];
    let grid = Grid::new().over("strength", [1e-6, 1e-5, 1e-4, 1e-3]).over("place.n_functions", sizes);
    let search =
        GridSearch::new(pipeline, grid).folds(Folds::blocks(5, 6).gap_seconds(1.0)).fit(&track, &counts)?;
    println!("{search}");
    let score = search.fitted().score(&track, &counts, Score::Cohen)?;
    println!("Cohen's pseudo-R² of the chosen one on all bins: {score:.3}");

    // One file holds both parts.
    let path = std::env::temp_dir().join("nemos_pipeline.safetensors");
    let fitted = search.fitted();
    fitted.model().to_saved()?.with_basis(fitted.basis().clone()).save(&path)?;
    let saved = SavedModel::load(&path)?;
    let basis = saved.basis().ok_or("the file holds no basis")?.clone();
    let loaded = FittedPipeline::from_parts(basis, FittedGlm::<Poisson, Exp>::from_saved(&saved)?);
    assert_eq!(loaded.model(), fitted.model());

    let y = Axis::new("log-likelihood per unseen bin");
    let mut panel = Panel::new().x(Axis::new("functions along the track")).y(y);
    for strength in [1e-6, 1e-5, 1e-4, 1e-3] {
        let rows = search.table().rows().iter();
        let rows = rows.filter(|row| row.settings().get("strength") == Some(&strength.into()));
        let scores: Vec<f64> = rows.map(nemos::select::Row::mean).collect();
        let line = Line::new(sizes.map(|n| n as f64).to_vec(), scores);
        panel = panel.mark(line.label(format!("ridge of {strength}")));
    }
    Ok(Figure::new().title("A place field, chosen by cross-validation").panel(panel).save("pipeline.svg")?)
}
