# One measurement of an R package: Rscript peers.R ENGINE MODEL SIZE FOLDER prints lines of name=value as they are known.
# Without arguments: the versions of what is installed. Data are read before the clock starts.
say <- function(name, value) { cat(name, "=", format(value, digits = 15), "\n", sep = ""); flush(stdout()) }

argument <- commandArgs(trailingOnly = TRUE)
if (length(argument) == 0) {
  say("R", as.character(getRversion()))
  say("BLAS", basename(extSoftVersion()[["BLAS"]]))
  for (name in c("lme4", "lmerTest", "nlme", "mmrm")) {
    if (requireNamespace(name, quietly = TRUE)) say(name, as.character(packageVersion(name)))
  }
  quit()
}

engine <- argument[1]
model <- argument[2]
path <- file.path(argument[4], paste0(argument[3], ".csv"))
d <- if (requireNamespace("data.table", quietly = TRUE)) as.data.frame(data.table::fread(path)) else read.csv(path)
d$timepoint <- factor(paste("wave", d$wave))
if (engine == "mmrm") d$id <- factor(d$id)

status <- function(field) {
  if (!file.exists("/proc/self/status")) return(NA)
  line <- grep(paste0("^", field), readLines("/proc/self/status"), value = TRUE)
  as.numeric(gsub("[^0-9]", "", line)) / 1024
}
suppressMessages(switch(engine,
  lmer = { library(lme4); library(lmerTest) },
  gls = library(nlme),
  mmrm = library(mmrm)
))
invisible(gc())
try(cat("5", file = "/proc/self/clear_refs"), silent = TRUE)
before <- status("VmRSS")
wall <- function() proc.time()[["elapsed"]]
processor <- function() sum(proc.time()[c("user.self", "sys.self")])

start <- wall()
used <- processor()
done <- function(name = "seconds", cpu = "cpu") {
  say(name, wall() - start)
  say(cpu, processor() - used)
}

if (engine == "lmer") {
  random <- c(
    "intercept" = "(1 | id)", "slope" = "(wave | id)", "group" = "(1 | group) + (1 | id)",
    "group and slope" = "(1 | group) + (wave | id)"
  )[[model]]
  fit <- lme4::lmer(as.formula(paste("y ~ timepoint * arm + age +", random)), data = d)
  done()
  say("log_likelihood", as.numeric(logLik(fit)))
  say("megabytes", status("VmHWM") - before)
  tested <- coef(summary(lmerTest::as_lmerModLmerTest(fit), ddf = "Satterthwaite"))
  done("tested", "tested cpu")
} else if (engine == "gls") {
  fit <- gls(y ~ timepoint * arm + age, data = d, correlation = corSymm(form = ~ as.integer(timepoint) | id),
             weights = varIdent(form = ~ 1 | timepoint))
  tested <- summary(fit)$tTable
  done()
  say("log_likelihood", as.numeric(logLik(fit)))
} else {
  fit <- mmrm(y ~ timepoint * arm + age + us(timepoint | id), data = d,
              method = if (model == "Kenward-Roger") "Kenward-Roger" else "Satterthwaite")
  tested <- summary(fit)$coefficients
  done()
  say("log_likelihood", as.numeric(logLik(fit)))
}
say("peak", status("VmHWM") - before)
