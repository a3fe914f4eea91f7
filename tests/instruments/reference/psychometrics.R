# Makes psychometrics.json from the answers that simulate_answers.py writes.
# Debian 12: r-cran-lavaan, r-cran-psych, r-cran-jsonlite.
library(lavaan)
library(psych)
arguments <- commandArgs(trailingOnly = TRUE)
items <- 1:5
measures <- c("npar", "logl", "chisq", "df", "pvalue", "cfi", "tli", "rmsea", "srmr")

model <- function(timepoints, level) {
  lines <- c()
  for (t in timepoints) {
    label <- if (level == "configural") "" else paste0("l", items, "*")
    lines <- c(lines, sprintf("f%d =~ %s", t, paste0(label, "i", items, "_", t, collapse = " + ")))
    # the first variance is 1 (std.lv); later ones too unless loadings are equal over time
    if (level != "configural" && t > 1) lines <- c(lines, sprintf("f%d ~~ NA*f%d", t, t))
    if (level == "scalar") lines <- c(lines, sprintf("i%d_%d ~ n%d*1", items, t, items))
    if (level == "scalar" && t > 1) lines <- c(lines, sprintf("f%d ~ NA*1", t))
  }
  for (a in timepoints) for (b in timepoints) if (a < b) lines <- c(lines, sprintf("i%d_%d ~~ i%d_%d", items, a, items, b))
  paste(lines, collapse = "\n")
}

fits <- function(data) {
  timepoints <- seq_len(ncol(data) / length(items))
  missing <- if (anyNA(data)) "fiml" else "listwise"
  data <- data[rowSums(!is.na(data)) > 0, ]
  levels <- c("configural", "metric", "scalar")
  found <- lapply(levels, function(level) {
    fit <- cfa(model(timepoints, level), data, std.lv = TRUE, meanstructure = TRUE, missing = missing,
               em.h1.iter.max = 5000, em.h1.tol = 1e-10)
    c(list(nobs = nobs(fit)), as.list(unclass(fitMeasures(fit, measures))))
  })
  setNames(found, levels)
}

reliability <- function(data) {
  result <- list()
  for (use in c("complete", "available")) {
    own <- if (use == "complete") data[complete.cases(data), ] else data[rowSums(!is.na(data)) > 0, ]
    found <- alpha(own, use = "pairwise")
    interval <- alpha.ci(found$total$raw_alpha, nrow(own), ncol(own))
    result[[use]] <- list(
      n = nrow(own), alpha = found$total$raw_alpha, low = interval$lower.ci, high = interval$upper.ci,
      mean_correlation = found$total$average_r, item_rest = found$item.stats$r.drop,
      dropped = found$alpha.drop$raw_alpha, item_mean = found$item.stats$mean, item_sd = found$item.stats$sd,
      item_n = found$item.stats$n, minres = omega(own, nfactors = 1, plot = FALSE)$omega.tot
    )
    fit <- cfa(paste("f =~", paste(names(own), collapse = " + ")), own, std.lv = TRUE,
               missing = if (anyNA(own)) "fiml" else "listwise")
    estimates <- lavInspect(fit, "est")
    result[[use]]$omega <- sum(estimates$lambda)^2 / (sum(estimates$lambda)^2 + sum(diag(estimates$theta)))
    result[[use]]$fit <- as.list(unclass(fitMeasures(fit, setdiff(measures, c("npar", "logl")))))
  }
  result
}

agreement <- function(data) {
  first <- rowMeans(data[, paste0("i", items, "_1")])
  second <- rowMeans(data[, paste0("i", items, "_2")])
  both <- cbind(first, second)[complete.cases(first, second), ]
  found <- ICC(both, lmer = FALSE)$results["Single_random_raters", ]
  list(n = nrow(both), icc = found$ICC, low = found[["lower bound"]], high = found[["upper bound"]])
}

result <- list(meta = list(
  R = R.version.string, lavaan = as.character(packageVersion("lavaan")), psych = as.character(packageVersion("psych"))
))
for (name in c("steady", "shifted", "three")) {
  data <- read.csv(file.path(arguments[1], paste0(name, ".csv")))
  result[[name]] <- list(
    sums = unname(colSums(data, na.rm = TRUE)), fits = fits(data),
    reliability = suppressMessages(reliability(data[, paste0("i", items, "_1")])), agreement = agreement(data)
  )
}
write(jsonlite::toJSON(result, auto_unbox = TRUE, digits = 12, pretty = TRUE), arguments[2])
