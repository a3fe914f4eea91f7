"""Write the compact references beside this file from the full R and SAS output in the shared folder.

    PEERIMPACT_SHARED=<shared folder> python extract.py

Only numbers are taken, never data. Terms and variance components get the names this package gives them, so that the tests need no map.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SHARED = Path(os.environ["PEERIMPACT_SHARED"])
HERE = Path(__file__).parent

STRUCTURES = ("us", "toep", "toeph", "ar1", "ar1h", "cs", "csh", "ad", "adh")
MMRM_METHODS = {"sat": "satterthwaite", "kr": "kenward_roger_log_cholesky", "krlin": "kenward_roger_linear"}
SANDWICH = {"us_sat_empirical": "CR0", "us_sat_emp_br": "CR2", "us_sat_emp_jack": "CR3"}

POLISHED = (
    "lmerTest::lmer, tightly: BOBYQA, then Newton steps on the criterion; 'gradient' is the largest absolute gradient left. "
    "Satterthwaite by lmerTest, Kenward-Roger by pbkrtest, marginal means by emmeans"
)
OWN_NAMES = "terms and variance components carry this package's names; formulas are R's; treatment contrasts"
DATA = {
    "sleepstudy": "sleepstudy of the R package lme4: reaction times of 18 drivers over ten days of sleep deprivation (Belenky et al. 2003)",
    "orthodont": "Orthodont of the R package nlme: a distance in the skull of 27 children at ages 8 to 14 (Potthoff and Roy 1964)",
    "fev": "fev_data of the R package mmrm: an artificial trial of lung function, 200 participants, four visits",
    "antidepressant": "antidepressant_data of the R package rbmi: an antidepressant trial (Goldstein et al. 2004), masked and reduced to two arms by the DIA working group on missing data; 172 participants, four visits",
    "classics": "Dyestuff, Dyestuff2 and Pastes of the R package lme4 (Davies and Goldsmith 1972; Box and Tiao 1973)",
    "egsingle": "egsingle of the R package mlmRev: mathematics scores of 1,721 children in 60 US primary schools (Bryk, Raudenbush and Congdon 1996)",
}
CROSSED = "crossed random effects; the engine nests every level in the one above"
AR1_AND_INTERCEPT = (
    "an AR(1) residual together with a random intercept; the engine's mixed models have independent residuals"
)
DF_METHOD = "its degrees of freedom have no counterpart here; estimates and standard errors are those of us"
NO_DATA = "the data set is not in the shared folder"
AGE_GRID = "marginal means at chosen ages of a numeric age; marginal means here take numeric covariates at their mean"


def load(name: str) -> dict[str, Any]:
    return json.loads((SHARED / "reference" / f"{name}.json").read_text(encoding="utf-8"))


def as_list(value: object) -> list[Any]:
    """R's JSON unboxes vectors of one element."""
    return list(value) if isinstance(value, list) else [value]


def column(rows: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in rows]


def term(name: str, factors: Mapping[str, str]) -> str:
    """The package's name of an R coefficient: `factors` maps R's name of a factor to the column's."""
    if name == "(Intercept)":
        return "intercept"
    parts = []
    for part in name.split(":"):
        factor = next((each for each in factors if part.startswith(each) and part != each), None)
        parts.append(f"{factors[factor]}[{part.removeprefix(factor)}]" if factor else part)
    return ":".join(parts)


def term_of_table(name: str, factors: Mapping[str, str]) -> str:
    return ":".join(factors.get(part, part) for part in name.split(":"))


def component(row: Mapping[str, Any], level: Mapping[str, str]) -> str:
    """The package's name of one entry of R's table of variances: `level` maps R's grouping factor to the column."""
    if row["grp"] == "Residual":
        return "residual"
    kind = "covariance" if row["var2"] else "intercept" if row["var1"] == "(Intercept)" else "slope"
    return f"{level[row['grp']]} {kind}"


def vcov(block: Mapping[str, Any], factors: Mapping[str, str]) -> dict[str, Any]:
    return {"terms": [term(name, factors) for name in as_list(block["names"])], "values": block["values"]}


def joint_tests(rows: Sequence[Mapping[str, Any]], factors: Mapping[str, str]) -> dict[str, Any]:
    return {
        "term": [term_of_table(row["term"], factors) for row in rows],
        "statistic": column(rows, "F"),
        "df_numerator": column(rows, "NumDF"),
        "df_denominator": column(rows, "DenDF"),
    }


def means(blocks: Mapping[str, Mapping[str, Any]], factors: Mapping[str, str]) -> dict[str, Any]:
    """Marginal means and contrasts of one model; `blocks` has emmeans' output by method of degrees of freedom."""
    first = next(iter(blocks.values()))
    variables = [name for name in re.findall(r"\w+", first["spec"]) if name in factors]
    by = first["contrast_by"]

    def table(key: str, estimate: str, labels: Sequence[str]) -> dict[str, Any]:
        rows = first[key]
        return {
            **{factors.get(label, label): [str(row[label]) for row in rows] for label in labels},
            "estimate": column(rows, estimate),
            **{
                method: {"std_error": column(block[key], "SE"), "df": column(block[key], "df")}
                for method, block in blocks.items()
            },
        }

    return {
        "marginal_means": table("emmeans", "emmean", variables),
        "contrasts": table("contrasts", "estimate", ["contrast", by]),
    }


def lmer(
    model: Mapping[str, Any],
    level: Mapping[str, str],
    factors: Mapping[str, str] | None = None,
    *,
    keep_vcov: bool = False,
    keep_means: bool = False,
) -> dict[str, Any]:
    factors = factors or {}
    fixed, kenward_roger = model["fixef"], model.get("kenward_roger")
    polished = model.get("polished")
    result: dict[str, Any] = {
        "formula": model["formula"],
        "method": "reml" if model["REML"] else "ml",
        "n_obs": model["n_obs"],
        "log_likelihood": model["logLik"],
        "singular": model["singular"],
        "gradient": max((abs(each) for each in as_list(polished["gradient"])), default=0.0) if polished else None,
        "terms": [term(row["term"], factors) for row in fixed],
        "estimate": column(fixed, "estimate"),
        "std_error": column(fixed, "se"),
        "components": {component(row, level): row["vcov"] for row in model["varcorr"]},
        "satterthwaite": {"df": column(fixed, "df_satterthwaite")},
    }
    if as_list(model["warnings"]):
        result["warnings"] = [text.strip() for text in as_list(model["warnings"])]
    tests = {"satterthwaite": model["anova_type3_satterthwaite"]}
    if kenward_roger:
        rows = kenward_roger["fixef"]
        result["kenward_roger"] = {"std_error": column(rows, "se_kr_adjusted"), "df": column(rows, "df")}
        tests["kenward_roger"] = kenward_roger["anova_type3"]
    if tests["satterthwaite"]:
        result["joint_tests"] = {method: joint_tests(rows, factors) for method, rows in tests.items()}
    if keep_means:
        blocks = {name: model[f"emmeans_{name}"] for name in ("satterthwaite", "kenward_roger")}
        result |= means(blocks, factors)
    if keep_vcov:
        result["vcov"] = vcov(model["vcov"], factors)
    return result


def nlme(model: Mapping[str, Any], factors: Mapping[str, str] | None = None) -> dict[str, Any]:
    """gls or lme; their degrees of freedom are of another kind and left out."""
    fixed = model["fixef"]
    result = {
        "formula": model["formula"],
        "call": model["call"] if len(model["call"]) < 300 else None,
        "method": model["method"].lower(),
        "n_obs": model["n_obs"],
        "log_likelihood": model["logLik"],
        "terms": [term(row["term"], factors or {}) for row in fixed],
        "estimate": column(fixed, "estimate"),
        "std_error": column(fixed, "se"),
    }
    if "marginal_cov" in model:
        result["covariance"] = {"": model["marginal_cov"]["cov"]}
    if "G" in model:
        (intercept, covariance), (_, slope) = model["G"]["values"]
        result["components"] = {
            "participant intercept": intercept,
            "participant slope": slope,
            "participant covariance": covariance,
        }
        variance = model["sigma"] ** 2
        if "var_ratio" in model:
            for name, ratio in model["var_ratio"].items():
                result["components"][f"residual[{name}]"] = variance * ratio**2
        else:
            result["components"]["residual"] = variance
    return {key: value for key, value in result.items() if value is not None}


def mmrm_fit(model: Mapping[str, Any], factors: Mapping[str, str]) -> dict[str, Any]:
    fixed, covariance = model["fixef"], model["cov"]
    return {
        "formula": model["formula"],
        "method": "reml" if model["reml"] else "ml",
        "n_obs": model["n_obs"],
        "n_participants": model["n_subjects"],
        "log_likelihood": model["logLik"],
        "optimiser": " ".join(
            filter(None, [model["optimizer"], f"{model['rel_tol']:g}" if "rel_tol" in model else ""])
        ),
        "terms": [term(row["term"], factors) for row in fixed],
        "estimate": column(fixed, "estimate"),
        "covariance": covariance if isinstance(covariance, dict) else {"": covariance},
    }


def inference(model: Mapping[str, Any]) -> dict[str, Any]:
    return {"std_error": column(model["fixef"], "se"), "df": column(model["fixef"], "df")}


def mmrm(models: Mapping[str, Any], factors: Mapping[str, str]) -> dict[str, Any]:
    result = {}
    for structure in STRUCTURES:
        fits = {
            method: models[f"{structure}_{key}"]
            for key, method in MMRM_METHODS.items()
            if f"{structure}_{key}" in models
        }
        if not fits:
            continue
        entry = mmrm_fit(fits["satterthwaite"], factors) | {method: inference(fit) for method, fit in fits.items()}
        entry |= means({method: fit["emmeans"] for method, fit in fits.items()}, factors)
        if structure == "us":
            entry["sandwich"] = {kind: inference(models[name]) for name, kind in SANDWICH.items()}
            entry["vcov"] = vcov(models["us_sat"]["vcov_asymptotic"], factors)
        result[structure] = entry
    extra = {"us_ml_sat": "satterthwaite", "us_bygroup": "satterthwaite", "us_kr_poolinv": "kenward_roger_log_cholesky"}
    for name, method in extra.items():
        if name in models:
            fit = models[name]
            result[name.replace("_sat", "").replace("_kr", "")] = (
                mmrm_fit(fit, factors) | {method: inference(fit)} | means({method: fit["emmeans"]}, factors)
            )
    return result


def source(meta: Mapping[str, Any], data: str, made_by: Mapping[str, str]) -> dict[str, Any]:
    versions = dict(meta["packages"])
    if "mmrm" in meta:
        versions |= {"mmrm": meta["mmrm"], "TMB": meta["TMB"]}
    result = {"data": DATA[data], "r": meta["R"], "packages": versions, "made_by": dict(made_by), "names": OWN_NAMES}
    return result | ({"levels": meta["levels"]} if "levels" in meta else {})


MMRM_SOURCE = {
    "satterthwaite": "mmrm, asymptotic covariance",
    "kenward_roger_log_cholesky": "mmrm's default Kenward-Roger; its standard errors belong to mmrm's parameterisation, its degrees of freedom to any",
    "kenward_roger_linear": "mmrm's Kenward-Roger-Linear (no second derivatives), which does not depend on the parameterisation",
    "sandwich": "mmrm's empirical (CR0), bias-reduced (CR2) and jackknife (CR3) covariances; degrees of freedom of Bell and McCaffrey",
    "optimiser": "mmrm's optimiser and its relative tolerance where one was set; good to about 1e-4 of a standard error by default",
}
MMRM_NOT_COVERED = {"us_bw": f"between-within: {DF_METHOD}", "us_residual": f"residual: {DF_METHOD}"}


def sleepstudy() -> dict[str, Any]:
    full = load("sleepstudy")
    models, days = full["models"], {"factor(Days)": "Days"}
    level = dict.fromkeys(("Subject", "Subject.1"), "participant")
    return {
        "source": source(
            full["meta"], "sleepstudy", {"ri, rs, rs_uncor, rs_ml, ri_factor": POLISHED, "lme_rs": "nlme::lme"}
        ),
        "not_covered": {"lme_ri_ar1": AR1_AND_INTERCEPT},
        "models": {
            **{name: lmer(models[name], level, keep_vcov=name == "rs") for name in ("ri", "rs", "rs_uncor", "rs_ml")},
            "ri_factor": lmer(models["ri_factor"], level, days),
            "lme_rs": nlme(models["lme_rs"]),
        },
    }


def orthodont() -> dict[str, Any]:
    full, by_mmrm = load("orthodont"), load("mmrm_orthodont")
    models, level, factors = full["models"], {"Subject": "participant"}, {"af": "af", "Sex": "Sex"}
    made_by = {
        "ri, rs, ri_factor": POLISHED,
        "gls_*": "nlme::gls",
        "lme_rs_hetsex": "nlme::lme, varIdent by sex",
        **MMRM_SOURCE,
    }
    about = source(by_mmrm["meta"], "orthodont", made_by) | {"levels": full["meta"]["levels"]}
    return {
        "source": about,
        "not_covered": {
            "lme_ri_ar1": AR1_AND_INTERCEPT,
            "emmeans of ri and rs": AGE_GRID,
            "emmeans of gls": "emmeans' degrees of freedom for gls are approximations of its own; mmrm has the same models",
            **MMRM_NOT_COVERED,
        },
        "models": {
            "ri": lmer(models["ri"], level, factors),
            "rs": lmer(models["rs"], level, factors, keep_vcov=True),
            "ri_factor": lmer(models["ri_factor"], level, factors, keep_means=True),
            **{
                name: nlme(models[name], factors)
                for name in ("gls_us", "gls_cs", "gls_csh", "gls_ar1", "lme_rs_hetsex")
            },
        },
        "mmrm": mmrm(by_mmrm["models"], factors),
    }


def fev() -> dict[str, Any]:
    full, sas = load("mmrm_fev_data"), load("sas_mixed_fev")
    factors = {name: name for name in ("RACE", "SEX", "ARMCD", "AVISIT")}
    return {
        "source": source(full["meta"], "fev", {**MMRM_SOURCE, "sas": sas["meta"]["source"].partition(", compared")[0]}),
        "not_covered": {"us_weighted": "an MMRM with weights", **MMRM_NOT_COVERED},
        "mmrm": mmrm(full["models"], factors),
        "sas": {
            name: {
                "option": entry["sas_option"],
                "formula": entry["model"],
                "covariance": entry["cov"],
                "term": "ARMCD[TRT]",
                "estimate": entry["sas"]["estimate"],
                "std_error": entry["sas"]["se"],
                "df": entry["sas"]["df"],
            }
            for name, entry in sas["models"].items()
        },
    }


def antidepressant() -> dict[str, Any]:
    full = load("mmrm_antidepressant")
    factors = {name: name for name in ("VISIT", "THERAPY", "POOLINV")}
    return {
        "source": source(full["meta"], "antidepressant", MMRM_SOURCE),
        "not_covered": MMRM_NOT_COVERED,
        "mmrm": mmrm(full["models"], factors),
    }


def classics() -> dict[str, Any]:
    full = load("classics_singular_nested")
    models, batch = full["models"], {"Batch": "participant"}
    return {
        "source": source(full["meta"], "classics", {"every model": POLISHED}),
        "not_covered": {
            "penicillin_crossed": CROSSED,
            "sherif_nested": NO_DATA,
            "sherif_slope": NO_DATA,
            "early_fakegroup_singular": NO_DATA,
        },
        "models": {
            **{name: lmer(models[name], batch) for name in ("dyestuff", "dyestuff2_singular", "dyestuff2_ml")},
            "pastes_nested": lmer(
                models["pastes_nested"], {"cask:batch": "participant", "batch": "batch"}, keep_vcov=True
            ),
        },
    }


def egsingle() -> dict[str, Any]:
    full = load("egsingle")
    models, factors = full["models"], {"factor(black)": "black", "factor(hispanic)": "hispanic"}
    level = dict.fromkeys(("childid", "childid:schoolid", "schoolid:childid"), "participant") | {"schoolid": "schoolid"}
    made_by = "lmerTest::lmer with its default optimiser (nloptwrap), not polished: good to about five digits at best"
    return {
        "source": source(full["meta"], "egsingle", {"every model": made_by}),
        "not_covered": {},
        "models": {name: lmer(model, level, factors, keep_vcov=name == "rs3_cov") for name, model in models.items()},
    }


def written(value: object, indent: int = 0) -> str:
    """JSON with one line per list of plain values."""
    if isinstance(value, dict) and value:
        inside = ",\n".join(
            f"{' ' * (indent + 1)}{json.dumps(key)}: {written(each, indent + 1)}" for key, each in value.items()
        )
        return f"{{\n{inside}\n{' ' * indent}}}"
    if isinstance(value, list) and value and isinstance(value[0], list):
        inside = ",\n".join(" " * (indent + 1) + json.dumps(row) for row in value)
        return f"[\n{inside}\n{' ' * indent}]"
    return json.dumps(value, ensure_ascii=False)


def main() -> None:
    for make in (sleepstudy, orthodont, fev, antidepressant, classics, egsingle):
        (HERE / f"{make.__name__}.json").write_text(written(make()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
