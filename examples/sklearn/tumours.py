"""Tumours, benign or malignant, by 30 measurements (569 in scikit-learn's package): an objective function."""

from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from trimtab_jobs import Mean

metrics = {"accuracy": Mean("correct", proportion=True)}

x, y = load_breast_cancer(return_X_y=True)
x_train, x_rest, y_train, y_rest = train_test_split(
    x.astype("float32"), y, train_size=269, stratify=y, random_state=0
)
x_val, x_test, y_val, y_test = train_test_split(
    x_rest, y_rest, train_size=100, stratify=y_rest, random_state=0
)


def objective(params, context):
    network = MLPClassifier(
        hidden_layer_sizes=[params["width"]] * params["depth"],
        alpha=params["alpha"],
        learning_rate_init=params["lr"],
        max_iter=500,
        random_state=context.seed % 2**32,
    )
    model = make_pipeline(StandardScaler(), network).fit(x_train, y_train)
    onnx = to_onnx(model, x_train[:1], options={"zipmap": False})  # probabilities as an array, not as dicts
    return {"accuracy": model.score(x_val, y_val), "onnx": onnx}


def evaluate(predict, split):
    x, y = {"train": (x_train, y_train), "validation": (x_val, y_val), "test": (x_test, y_test)}[split]
    label, _ = predict(x)
    return {"correct": label == y}
