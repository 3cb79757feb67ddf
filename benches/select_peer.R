# The path of select.rs by glmnet, from data that select_peer.py wrote: columns of x one after the other, as doubles.
suppressMessages(library(glmnet))
a <- commandArgs(TRUE); n <- as.integer(a[2]); p <- as.integer(a[3])
x <- matrix(readBin(file.path(a[1], "x"), "double", n * p), n, p)
y <- readBin(file.path(a[1], "y"), "double", n)
highest <- max(abs(crossprod(x, y - mean(y)))) / n
lambda <- highest * 10^seq(0, -2, length.out = 100)
for (thresh in c(1e-7, 1e-10)) {
  seconds <- system.time(fit <- glmnet(x, y, family = "poisson", lambda = lambda, standardize = FALSE, thresh = thresh, maxit = 1e7))[["elapsed"]]
  cat(sprintf("glmnet, thresh %g: %.2f s, %d strengths, %d active at the last\n", thresh, seconds, length(fit$lambda), sum(fit$beta[, ncol(fit$beta)] != 0)))
}
