# What `cargo bench --bench inference -- 100 60 100000 FOLDER` times, by R: `Rscript inference_peer.R FOLDER`.
# One neuron; the time of 100 is 100 times that. Debian: r-base-core r-cran-sandwich; .npy files are read here.
folder <- commandArgs(TRUE)[1]
read_npy <- function(path) {
  file <- file(path, "rb"); on.exit(close(file))
  readBin(file, "raw", 8); length <- readBin(file, "integer", 1, 2, signed = FALSE, endian = "little")
  header <- rawToChar(readBin(file, "raw", length))
  shape <- as.integer(strsplit(sub(".*'shape': \\(([^)]*)\\).*", "\\1", header), ",")[[1]][1:2])
  matrix(readBin(file, "double", prod(shape)), shape[1], shape[2], byrow = TRUE)
}
X <- read_npy(file.path(folder, "X.npy")); y <- read_npy(file.path(folder, "y.npy"))[, 1]
time <- function(name, f) {
  seconds <- system.time(error <- f())[["elapsed"]]
  cat(sprintf("%-8s %8.3f s for one, %.0f s for 100; standard error %.9e\n", name, seconds, 100 * seconds, error))
}
fit <- NULL
time("fit", function() { fit <<- glm(y ~ X, family = poisson()); NA })
time("summary", function() summary(fit)$coefficients[2, 2])
if (requireNamespace("sandwich", quietly = TRUE)) {
  time("hc0", function() sqrt(sandwich::vcovHC(fit, type = "HC0")[2, 2]))
  time("cluster", function() sqrt(sandwich::vcovCL(fit, cluster = (seq_along(y) - 1) %/% 500, type = "HC1")[2, 2]))
}
