"""Expected values of the table pipeline, from scikit-learn on the pooled rows. Run: python tables.py > tables.json"""
import json
import sys

import numpy as np
import sklearn
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

rng = np.random.default_rng(7)
rows = 60
latent = rng.normal(size=(rows, 2))
loadings = rng.normal(size=(2, 5))
x = latent @ loadings + 0.4 * rng.normal(size=(rows, 5))
x = x * np.array([1, 10, 0.1, 100, 3]) + np.array([0, 50, -2, 1000, 7])
x = np.round(x, 4)
gaps = rng.random(x.shape) < np.array([0.2, 0.3, 0, 0.15, 0.25])
x[gaps] = np.nan
x[3, [0, 1, 3, 4]] = np.nan  # only one column is left

scaler = StandardScaler().fit(x)  # skips NaN
z = scaler.transform(x)


def iterative(alpha):
    imputer = IterativeImputer(
        estimator=Ridge(alpha=alpha, solver="cholesky"), max_iter=500, tol=1e-12, imputation_order="roman"
    )
    return imputer.fit_transform(z)


def cells(array):
    return [[None if np.isnan(v) else float(v) for v in row] for row in array]


json.dump(
    {
        "source": f"scikit-learn {sklearn.__version__}, numpy {np.__version__}, test/vectors/data/tables.py",
        "x": cells(x),
        "mean": scaler.mean_.tolist(),
        "deviation": scaler.scale_.tolist(),
        "standardized": cells(z),
        "nearest": {str(k): cells(KNNImputer(n_neighbors=k).fit_transform(z)) for k in (1, 4)},
        "iterative": {str(alpha): cells(iterative(alpha)) for alpha in (1, 10)},
        "clipped": cells(np.clip(x, scaler.mean_ - 1.5 * scaler.scale_, scaler.mean_ + 1.5 * scaler.scale_)),
        "quantiles": {str(q): np.nanquantile(x, q, axis=0, method="lower").tolist() for q in (0.05, 0.5, 0.9)},
    },
    sys.stdout,
)
